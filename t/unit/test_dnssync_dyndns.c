
/*
 * dyndns2: one request for a host, and what each word that comes back means.
 */

#define _GNU_SOURCE

#include "provider_world.h"


#define UPDATE  "GET /nic/update?hostname="
#define WWW     UPDATE "www.a.test&myip=192.0.2.1"


static const char  settings[] = "provider=dyndns\nzones=a.test\n"
    "dyndns-url=" PROVIDER_URL "/nic/update\ndyndns-user=me\n"
    "dyndns-password=sesame\nregistry=native";


static const struct {
    const char         *answer;
    const char         *result;
    unsigned            status;
    dnssync_trouble_e   trouble;
    uint32_t            wait;      /* s */
} words[] = {
    { "good 192.0.2.1\n", "done", 200, DNSSYNC_TROUBLE_NONE, 0 },
    { "nochg 192.0.2.1", "done", 200, DNSSYNC_TROUBLE_NONE, 0 },
    { "good", "done", 200, DNSSYNC_TROUBLE_NONE, 0 },
    { "nohost", "refused", 200, DNSSYNC_TROUBLE_NONE, 0 },
    { "notfqdn\r\n", "refused", 200, DNSSYNC_TROUBLE_NONE, 0 },
    { "abuse", "refused", 200, DNSSYNC_TROUBLE_NONE, 0 },
    { "badauth", "later", 200, DNSSYNC_TROUBLE_DENIED, 0 },
    { "badauth", "later", 401, DNSSYNC_TROUBLE_DENIED, 0 },
    { "", "later", 403, DNSSYNC_TROUBLE_DENIED, 0 },
    { "badagent", "later", 200, DNSSYNC_TROUBLE_DENIED, 0 },
    { "!donator", "later", 200, DNSSYNC_TROUBLE_DENIED, 0 },
    { "dnserr", "later", 200, DNSSYNC_TROUBLE_THROTTLED, 1800 },
    { "911", "later", 200, DNSSYNC_TROUBLE_THROTTLED, 1800 },
    { "goodbye", "unsure", 200, DNSSYNC_TROUBLE_ANSWER, 0 },
    { "<html>", "unsure", 200, DNSSYNC_TROUBLE_ANSWER, 0 },
    { "", "unsure", 200, DNSSYNC_TROUBLE_ANSWER, 0 },
    { "good 192.0.2.1", "unsure", 500, DNSSYNC_TROUBLE_DOWN, 0 },
    { NULL, "unsure", 0, DNSSYNC_TROUBLE_DOWN, 0 }
};


static void
test_words(void)
{
    char               name[80];
    size_t             i;
    provider_t         p;
    torii_str_t        word;
    provider_step_t    script[] = { { WWW, NULL, 0, NULL }, PROVIDER_DONE };
    dnssync_op_step_e  step;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        provider_start(&p, settings);

        script[0].status = words[i].status;
        script[0].answer = words[i].answer;

        word = torii_str_trim(torii_str(words[i].answer));
        (void) snprintf(name, sizeof(name), "status %u: \"%.*s\"",
                        words[i].status, torii_str_arg(word));

        step = provider_apply(&p, "www A 192.0.2.1 r", script);

        provider_ok(&p, strcmp(p.text, words[i].result) == 0
                    && p.op->trouble == words[i].trouble
                    && (step == DNSSYNC_OP_DONE) == (words[i].trouble == 0)
                    && p.op->until == (words[i].wait
                                       ? PROVIDER_NOW + words[i].wait * 1000
                                       : 0)
                    && strstr(p.op->error, "sesame") == NULL,
                    name);
        provider_end(&p);
    }
}


static void
test_hosts(void)
{
    provider_t  p;

    static const provider_step_t  two[] = {
        { UPDATE "www.a.test&myip=192.0.2.1,2001:db8::1", NULL, 200,
          "good 192.0.2.1,2001:db8::1" },
        { UPDATE "x.a.test&myip=192.0.2.1", NULL, 200, "nohost" },
        { UPDATE "z.a.test&myip=192.0.2.1", NULL, 200, "good 192.0.2.1" },
        PROVIDER_DONE
    };

    static const provider_step_t  none[] = { PROVIDER_DONE };

    provider_start(&p, settings);

    provider_ok(&p, provider_apply(&p, "www A 192.0.2.1 r; www AAAA "
                                   "2001:db8::1 r; x A 192.0.2.1 r; "
                                   "y CNAME b.test r; z A 192.0.2.1 r", two)
                    == DNSSYNC_OP_DONE
                && strcmp(p.text, "done refused refused done") == 0,
                "both addresses at once, and no alias");

    provider_op(&p, DNSSYNC_OP_ZONES);
    provider_ok(&p, provider_run(&p, none) == DNSSYNC_OP_DONE
                && p.op->nzones == 1
                && torii_str_eqs(p.op->zones[0].name, "a.test"),
                "its zones are those that are named");

    provider_op(&p, DNSSYNC_OP_LIST);
    provider_ok(&p, provider_run(&p, none) == DNSSYNC_OP_FAILED
                && p.op->trouble == DNSSYNC_TROUBLE_SETTING, "no listing");

    provider_ok(&p, provider_challenge(&p, "new", 1, none)
                == DNSSYNC_OP_FAILED, "no challenge");
    provider_end(&p);
}


static void
test_login(void)
{
    provider_t  p;

    static const provider_step_t  one[] = {
        { WWW, NULL, 200, "good" }, PROVIDER_DONE
    };

    provider_start(&p, settings);
    (void) provider_apply(&p, "www A 192.0.2.1 r", one);

    provider_op(&p, DNSSYNC_OP_APPLY);
    p.op->edits = torii_arena_alloc(p.w.a, sizeof(dnssync_edit_t *));
    p.op->edits[0] = &p.w.plan.edits[0];
    p.op->nedits = 1;

    provider_ok(&p, dnssync_op_go(p.op, PROVIDER_NOW) == DNSSYNC_OP_SEND
                && torii_str_eqs(p.op->request.login, "me:sesame")
                && torii_str_starts(p.op->request.headers[0],
                                    "User-Agent: Torii/"),
                "user, password and a name of the program");
    provider_end(&p);
}


int
main(void)
{
    test_words();
    test_hosts();
    test_login();

    return tap_done();
}
