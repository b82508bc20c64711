
/*
 * DigitalOcean: a request for each record, in an order that never leaves a host
 * without its mark; what half of an edit was done of is not sure.
 */

#define _GNU_SOURCE

#include "provider_world.h"


#define REC    "/v2/domains/a.test/records"
#define PAGE   "GET " REC "?per_page=200&page=1"
#define PAGE2  "GET " REC "?per_page=200&page=2"

#define LIST(items, total)                                                    \
    "{\"domain_records\":[" items "],\"links\":{},\"meta\":{\"total\":" total  \
    "}}"

#define RR(id, name, type, data)                                              \
    "{\"id\":" id ",\"name\":\"" name "\",\"type\":\"" type "\",\"data\":\""   \
    data "\",\"ttl\":300,\"priority\":null}"

#define WWW    RR("11", "www", "A", "192.0.2.1")
#define MARK   RR("12", "_dnssync.www", "TXT", WORLD_MARK "A,resource=r")


static const char  settings[] = "provider=digitalocean\n"
    "digitalocean-api-url=" PROVIDER_URL "\ndigitalocean-token=t0k3n";


static const struct {
    const char  *name;
    const char  *pages[2];
    const char  *error;
    const char  *set;          /* the first */
} lists[] = {
    { "empty", { LIST("", "0"), NULL }, NULL, "" },
    { "two pages", { LIST(WWW, "2"), LIST(MARK, "2") }, NULL,
      "www.a.test A 300 192.0.2.1" },
    { "the domain itself", { LIST(RR("1", "@", "A", "192.0.2.1"), "1"), NULL },
      NULL, "a.test A 300 192.0.2.1" },
    { "a wildcard", { LIST(RR("1", "*", "CNAME", "b.test"), "1"), NULL }, NULL,
      "*.a.test CNAME 300 b.test" },
    { "an alias of the domain", { LIST(RR("1", "w", "CNAME", "@"), "1"), NULL },
      NULL, "w.a.test CNAME 300 a.test" },
    { "fewer", { LIST(WWW, "2"), LIST("", "2") }, "fewer", "" },
    { "more", { LIST(WWW "," MARK, "1"), NULL }, "more", "" },
    { "a page twice", { LIST(WWW, "2"), LIST(WWW, "2") }, "comes twice", "" },
    { "no number", { "{\"domain_records\":[]}", NULL }, "how many", "" },
    { "another list", { "{\"domains\":[],\"meta\":{\"total\":0}}", NULL },
      "how many", "" },
    { "cut off", { "{\"domain_records\":[" WWW, NULL }, "not whole", "" }
};


static void
test_lists(void)
{
    size_t             i;
    provider_t         p;
    provider_step_t    script[] = { { PAGE, NULL, 200, NULL },
                                    { PAGE2, NULL, 200, NULL },
                                    PROVIDER_DONE };
    dnssync_op_step_e  step;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        provider_start(&p, settings);

        script[0].answer = lists[i].pages[0];
        script[1].request = lists[i].pages[1] ? PAGE2 : NULL;
        script[1].answer = lists[i].pages[1];

        step = provider_list(&p, script);

        provider_ok(&p, strcmp(provider_set(&p, 0), lists[i].set) == 0
                    && (lists[i].error
                        ? step == DNSSYNC_OP_FAILED
                          && strstr(p.op->error, lists[i].error) != NULL
                        : step == DNSSYNC_OP_DONE), lists[i].name);
        provider_end(&p);
    }
}


static void
test_zones(void)
{
    provider_t  p;

    static const provider_step_t  list[] = {
        { "GET /v2/domains?per_page=200&page=1", NULL, 200,
          "{\"domains\":[{\"name\":\"a.test\",\"ttl\":1800}],"
          "\"meta\":{\"total\":2}}" },
        { "GET /v2/domains?per_page=200&page=2", NULL, 200,
          "{\"domains\":[{\"name\":\"b.test\",\"ttl\":1800}],"
          "\"meta\":{\"total\":2}}" },
        PROVIDER_DONE
    };

    static const provider_step_t  limited[] = {
        { "GET /v2/domains?per_page=200&page=1", NULL, 429, "" }, PROVIDER_DONE
    };

    provider_start(&p, settings);
    provider_op(&p, DNSSYNC_OP_ZONES);
    provider_ok(&p, provider_run(&p, list) == DNSSYNC_OP_DONE
                && p.op->nzones == 2
                && torii_str_eqs(p.op->zones[1].id, "b.test"), "zones");

    p.field = "1795000042";
    provider_op(&p, DNSSYNC_OP_ZONES);
    provider_ok(&p, provider_run(&p, limited) == DNSSYNC_OP_FAILED
                && p.op->trouble == DNSSYNC_TROUBLE_THROTTLED
                && p.op->until == 1795000042000ULL,
                "too many requests: until the answer's head says");
    provider_end(&p);
}


static void
test_probe(void)
{
    provider_t  p;

    static const provider_step_t  script[] = {
        { "GET " REC "?per_page=1&page=1", NULL, 200, LIST(WWW, "2") },
        PROVIDER_DONE
    };

    provider_start(&p, settings);
    provider_op(&p, DNSSYNC_OP_PROBE)->version = torii_str("2");
    provider_ok(&p, provider_run(&p, script) == DNSSYNC_OP_DONE && p.op->same,
                "probe: as many records as before");

    provider_op(&p, DNSSYNC_OP_PROBE)->version = torii_str("3");
    provider_ok(&p, provider_run(&p, script) == DNSSYNC_OP_DONE && !p.op->same
                && torii_str_eqs(p.op->next, "2"), "probe: another number");
    provider_end(&p);
}


static void
test_apply(void)
{
    provider_t  p;

    static const provider_step_t  list[] = {
        { PAGE, NULL, 200, LIST(WWW "," MARK, "2") }, PROVIDER_DONE
    };

    static const provider_step_t  create[] = {
        { "POST " REC, "{\"type\":\"TXT\",\"name\":\"_dnssync.new\",\"data\":\""
          WORLD_MARK "A,resource=r\",\"ttl\":1800}", 201, "{}" },
        { "POST " REC, "{\"type\":\"A\",\"name\":\"new\",\"data\":"
          "\"192.0.2.1\",\"ttl\":1800}", 201, "{}" },
        PROVIDER_DONE
    };

    static const provider_step_t  change[] = {
        { "PUT " REC "/11", "\"data\":\"192.0.2.7\"", 200, "{}" },
        PROVIDER_DONE
    };

    static const provider_step_t  alias[] = {
        { "DELETE " REC "/11", NULL, 204, "" },
        { "PUT " REC "/12", "types=CNAME", 200, "{}" },
        { "POST " REC, "\"data\":\"b.test.\"", 201, "{}" },
        PROVIDER_DONE
    };

    static const provider_step_t  gone[] = {
        { "DELETE " REC "/11", NULL, 204, "" },
        { "DELETE " REC "/12", NULL, 404, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  half[] = {
        { "POST " REC, "\"type\":\"TXT\"", 201, "{}" },
        { "POST " REC, "\"type\":\"A\"", 422, "{\"message\":\"no\"}" },
        { "POST " REC, "\"type\":\"TXT\"", 422, "{\"message\":\"no\"}" },
        PROVIDER_DONE
    };

    static const provider_step_t  lost[] = {
        { "PUT " REC "/11", NULL, 404, "{}" }, PROVIDER_DONE
    };

    static const provider_step_t  down[] = {
        { "PUT " REC "/11", NULL, 502, "" }, PROVIDER_DONE
    };

    static const provider_step_t  read_before[] = {
        { PAGE "&name=new.a.test", NULL, 200,
          LIST(RR("1", "new", "AAAA", "2001:db8::1"), "1") },
        { PAGE "&name=_dnssync.new.a.test", NULL, 200, LIST("", "0") },
        PROVIDER_DONE
    };

    provider_start(&p, settings);
    (void) provider_list(&p, list);

    provider_ok(&p, provider_apply(&p, "new A 192.0.2.1 r; www A 192.0.2.1 r",
                                   create) == DNSSYNC_OP_DONE
                && strcmp(p.text, "done") == 0, "a new host: its mark first");
    provider_ok(&p, provider_apply(&p, "www A 192.0.2.7 r", change)
                    == DNSSYNC_OP_DONE
                && strcmp(p.text, "done") == 0, "another address");
    provider_ok(&p, provider_apply(&p, "www CNAME b.test r", alias)
                    == DNSSYNC_OP_DONE
                && strcmp(p.text, "done") == 0, "an alias in place of it");

    provider_ok(&p, provider_apply(&p, "x A 192.0.2.1 r; y A 192.0.2.1 r; "
                                   "www A 192.0.2.1 r", half)
                    == DNSSYNC_OP_DONE
                && strcmp(p.text, "unsure refused") == 0,
                "half an edit is not sure");
    provider_ok(&p, provider_apply(&p, "www A 192.0.2.7 r", lost)
                    == DNSSYNC_OP_DONE
                && strcmp(p.text, "lost") == 0, "a record that is gone");
    provider_ok(&p, provider_apply(&p, "www A 192.0.2.7 r", down)
                    == DNSSYNC_OP_FAILED
                && strcmp(p.text, "unsure") == 0, "no answer to a change");

    p.w.source.gone = torii_arena_alloc(p.w.a, sizeof(torii_str_t));
    *(torii_str_t *) p.w.source.gone = torii_str("www.a.test");
    p.w.source.ngone = 1;

    provider_ok(&p, provider_apply(&p, "", gone) == DNSSYNC_OP_DONE
                && strcmp(p.text, "done") == 0,
                "a host that is gone: its mark at last");

    p.w.source.ngone = 0;
    p.age = 120;

    provider_ok(&p, provider_apply(&p, "new A 192.0.2.1 r; www A 192.0.2.1 r",
                                   read_before) == DNSSYNC_OP_DONE
                && strcmp(p.text, "lost") == 0,
                "what came meanwhile is left alone");
    provider_end(&p);
}


#define NAME   "_acme-challenge.www"
#define ASK    PAGE "&type=TXT&name=" NAME ".a.test"

static void
test_challenge(void)
{
    provider_t  p;

    static const provider_step_t  add[] = {
        { ASK, NULL, 200, LIST(RR("1", NAME, "TXT", "old"), "1") },
        { "POST " REC, "\"name\":\"" NAME "\",\"data\":\"new\",\"ttl\":60", 201,
          "{}" },
        PROVIDER_DONE
    };

    static const provider_step_t  gone[] = {
        { ASK, NULL, 200, LIST(RR("1", NAME, "TXT", "old") ","
                               RR("2", NAME, "TXT", "\\\"old\\\""), "2") },
        { "DELETE " REC "/1", NULL, 204, "" },
        { "DELETE " REC "/2", NULL, 404, "" },
        PROVIDER_DONE
    };

    provider_start(&p, settings);
    provider_ok(&p, provider_challenge(&p, "new", 1, add) == DNSSYNC_OP_DONE,
                "challenge: beside another");
    provider_ok(&p, provider_challenge(&p, "old", 0, gone) == DNSSYNC_OP_DONE,
                "challenge: all that have the value go");
    provider_end(&p);
}


int
main(void)
{
    test_lists();
    test_zones();
    test_probe();
    test_apply();
    test_challenge();

    return tap_done();
}
