
/*
 * Cloudflare: pages that are all there, and those that are not; batches, halved
 * until the one that is refused is alone; ids, comments, proxied hosts.
 */

#define _GNU_SOURCE

#include "provider_world.h"


#define Z      "0123456789abcdef0123456789abcdef"
#define REC    "/zones/" Z "/dns_records"
#define PAGE   "GET " REC "?page=1&per_page=100"
#define PAGE2  "GET " REC "?page=2&per_page=100"
#define BATCH  "POST " REC "/batch"
#define OK     "{\"success\":true,\"errors\":[],\"result\":{}}"

#define LIST(items, total)                                                    \
    "{\"success\":true,\"errors\":[],\"result\":[" items "],"                  \
    "\"result_info\":{\"page\":1,\"total_count\":" total "}}"

#define RR(id, name, type, content, more)                                     \
    "{\"id\":\"" id "\",\"name\":\"" name "\",\"type\":\"" type "\","          \
    "\"content\":\"" content "\",\"ttl\":300" more "}"

#define WWW    RR("i1", "www.a.test", "A", "192.0.2.1", "")
#define MARK   RR("i9", "_dnssync.www.a.test", "TXT",                         \
                  "\\\"" WORLD_MARK "A,resource=r\\\"", "")
#define FAIL(code, text)                                                      \
    "{\"success\":false,\"errors\":[{\"code\":" code ",\"message\":\"" text    \
    "\"}],\"result\":null}"


static const char  settings[] = "provider=cloudflare\n"
    "cloudflare-api-url=" PROVIDER_URL "\ncloudflare-api-token=t0k3n\n"
    "cloudflare-dns-records-per-page=100";


static const struct {
    const char  *name;
    const char  *pages[2];
    const char  *error;        /* NULL: it is whole */
    unsigned     sets;
} lists[] = {
    { "empty", { LIST("", "0"), NULL }, NULL, 0 },
    { "one page", { LIST(WWW "," MARK, "2"), NULL }, NULL, 2 },
    { "two pages", { LIST(WWW, "2"), LIST(MARK, "2") }, NULL, 2 },
    { "two records of a set",
      { LIST(WWW, "2"),
        LIST(RR("i2", "WWW.a.test", "A", "192.0.2.2", ""), "2") }, NULL, 1 },
    { "fewer than there should be", { LIST(WWW, "2"), LIST("", "2") },
      "fewer", 0 },
    { "more than there should be", { LIST(WWW "," MARK, "1"), NULL }, "more",
      0 },
    { "a number that changes", { LIST(WWW, "2"), LIST(MARK, "3") },
      "changed meanwhile", 0 },
    { "a page twice", { LIST(WWW, "2"), LIST(WWW, "2") }, "comes twice", 0 },
    { "no number", { "{\"success\":true,\"result\":[]}", NULL },
      "how many", 0 },
    { "no success", { "{\"success\":false,\"result\":[],\"result_info\":"
                      "{\"total_count\":0}}", NULL }, "no list", 0 },
    { "null", { "{\"success\":true,\"result\":null,\"result_info\":"
                "{\"total_count\":0}}", NULL }, "no list", 0 },
    { "cut off", { "{\"success\":true,\"result\":[" WWW, NULL }, "not whole",
      0 },
    { "a page of HTML", { "<html></html>", NULL }, "not whole", 0 },
    { "no id", { LIST("{\"name\":\"a.test\",\"type\":\"A\",\"content\":"
                      "\"1.2.3.4\",\"ttl\":1}", "1"), NULL }, "no id", 0 },
    { "an id that is a path", { LIST(RR("../x", "a.test", "A", "1.2.3.4", ""),
                                     "1"), NULL }, "no id", 0 },
    { "no content", { LIST("{\"id\":\"i\",\"name\":\"a.test\",\"type\":\"A\","
                           "\"ttl\":1}", "1"), NULL }, "no content", 0 },
    { "a type of no interest", { LIST("{\"id\":\"i\",\"name\":\"a.test\","
                                      "\"type\":\"SRV\",\"data\":{},"
                                      "\"ttl\":1}", "1"), NULL }, NULL, 1 }
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
        p.zone = Z;

        script[0].answer = lists[i].pages[0];
        script[1].request = lists[i].pages[1] ? PAGE2 : NULL;
        script[1].answer = lists[i].pages[1];

        step = provider_list(&p, script);

        provider_ok(&p, p.op->nsets == lists[i].sets
                    && (lists[i].error
                        ? step == DNSSYNC_OP_FAILED
                          && strstr(p.op->error, lists[i].error) != NULL
                        : step == DNSSYNC_OP_DONE), lists[i].name);
        provider_end(&p);
    }
}


static const struct {
    const char  *name;
    const char  *items;
    const char  *set;
} sets[] = {
    { "values", WWW "," RR("i2", "www.a.test", "A", "192.0.2.2", ""),
      "www.a.test A 300 192.0.2.1|192.0.2.2" },
    { "text with quotes", MARK "," WWW,
      "_dnssync.www.a.test TXT 300 " WORLD_MARK "A,resource=r" },
    { "text without quotes", WWW "," RR("i2", "t.a.test", "TXT", "a b", ""),
      "www.a.test A 300 192.0.2.1" },
    { "a comment", WWW "," RR("i2", "b.a.test", "A", "192.0.2.1",
                              ",\"comment\":null"),
      "www.a.test A 300 192.0.2.1" },
    { "a mark", RR("i1", "www.a.test", "A", "192.0.2.1",
                   ",\"comment\":\"m\"") ","
      RR("i2", "www.a.test", "A", "192.0.2.2", ",\"comment\":\"m\""),
      "www.a.test A 300 192.0.2.1|192.0.2.2 tag=m" },
    { "a mark at some of it",
      RR("i1", "www.a.test", "A", "192.0.2.1", ",\"comment\":\"m\"") ","
      RR("i2", "www.a.test", "A", "192.0.2.2", ""),
      "www.a.test A 300 192.0.2.1|192.0.2.2" },
    { "proxied", RR("i1", "www.a.test", "A", "192.0.2.1",
                    ",\"proxied\":true") ","
      RR("i2", "www.a.test", "A", "192.0.2.2", ",\"proxied\":true"),
      "www.a.test A 300 192.0.2.1|192.0.2.2 cloudflare/proxied=true" },
    { "proxied in part", RR("i1", "www.a.test", "A", "192.0.2.1",
                            ",\"proxied\":true") ","
      RR("i2", "www.a.test", "A", "192.0.2.2", ",\"proxied\":false"),
      "www.a.test A 300 192.0.2.1|192.0.2.2 cloudflare/proxied=mixed" }
};


static void
test_sets(void)
{
    size_t           i;
    provider_t       p;
    torii_buf_t      b;
    provider_step_t  script[] = { { PAGE, NULL, 200, NULL }, PROVIDER_DONE };

    for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        memset(&b, 0, sizeof(torii_buf_t));
        torii_buf_printf(&b, LIST("%s", "2"), sets[i].items);

        script[0].answer = (char *) b.data;

        provider_start(&p, settings);
        p.zone = Z;

        provider_ok(&p, provider_list(&p, script) == DNSSYNC_OP_DONE
                    && strcmp(provider_set(&p, 0), sets[i].set) == 0,
                    sets[i].name);
        provider_end(&p);
        torii_buf_free(&b);
    }
}


static void
test_zones(void)
{
    provider_t  p;

    static const provider_step_t  list[] = {
        { "GET /zones?page=1&per_page=50", NULL, 200,
          LIST("{\"id\":\"" Z "\",\"name\":\"a.test\"},{\"id\":\"s\","
               "\"name\":\"s.test\",\"type\":\"secondary\"}", "2") },
        PROVIDER_DONE
    };

    static const provider_step_t  ids[] = {
        { "GET /zones/" Z, NULL, 200,
          "{\"success\":true,\"result\":{\"id\":\"" Z "\",\"name\":\"a.test\"}}"
        },
        PROVIDER_DONE
    };

    static const provider_step_t  denied[] = {
        { "GET /zones?page=1&per_page=50", NULL, 400,
          FAIL("10000", "Authentication error") }, PROVIDER_DONE
    };

    static const provider_step_t  limited[] = {
        { "GET /zones?page=1&per_page=50", NULL, 429, FAIL("10100", "slow") },
        PROVIDER_DONE
    };

    provider_start(&p, settings);
    provider_op(&p, DNSSYNC_OP_ZONES);
    provider_ok(&p, provider_run(&p, list) == DNSSYNC_OP_DONE
                && p.op->nzones == 1 && torii_str_eqs(p.op->zones[0].id, Z),
                "zones: not those of secondaries");

    provider_op(&p, DNSSYNC_OP_ZONES);
    provider_ok(&p, provider_run(&p, denied) == DNSSYNC_OP_FAILED
                && p.op->trouble == DNSSYNC_TROUBLE_DENIED,
                "zones: a token that is none");

    provider_op(&p, DNSSYNC_OP_ZONES);
    provider_ok(&p, provider_run(&p, limited) == DNSSYNC_OP_FAILED
                && p.op->trouble == DNSSYNC_TROUBLE_THROTTLED
                && p.op->until == PROVIDER_NOW + 300000,
                "zones: too many requests block for five minutes");
    provider_end(&p);

    provider_start(&p, "provider=cloudflare\ncloudflare-api-token=t0k3n\n"
                   "cloudflare-api-url=" PROVIDER_URL "\nzones=" Z);
    provider_op(&p, DNSSYNC_OP_ZONES);
    provider_ok(&p, provider_run(&p, ids) == DNSSYNC_OP_DONE
                && p.op->nzones == 1
                && torii_str_eqs(p.op->zones[0].name, "a.test"),
                "zones: by ids, for tokens that know no list");
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
        { BATCH, "{\"deletes\":[],\"patches\":[],\"posts\":[{\"type\":\"A\","
          "\"name\":\"new.a.test\",\"content\":\"192.0.2.1\",\"ttl\":1,"
          "\"proxied\":false},{\"type\":\"TXT\",\"name\":\"_dnssync.new.a.test"
          "\",\"content\":\"\\\"" WORLD_MARK "A,resource=r\\\"\",\"ttl\":1}]}",
          200, OK },
        PROVIDER_DONE
    };

    static const provider_step_t  change[] = {
        { BATCH, "{\"deletes\":[],\"patches\":[{\"id\":\"i1\",\"content\":"
          "\"192.0.2.7\",\"ttl\":300,\"proxied\":false}],\"posts\":[]}", 200,
          OK },
        PROVIDER_DONE
    };

    static const provider_step_t  more[] = {
        { BATCH, "{\"deletes\":[],\"patches\":[],\"posts\":[{\"type\":\"A\","
          "\"name\":\"www.a.test\",\"content\":\"192.0.2.2\"", 200, OK },
        PROVIDER_DONE
    };

    static const provider_step_t  proxied[] = {
        { BATCH, "\"patches\":[{\"id\":\"i1\",\"ttl\":1,\"proxied\":true}]",
          200, OK },
        PROVIDER_DONE
    };

    static const provider_step_t  gone[] = {
        { BATCH, "{\"deletes\":[{\"id\":\"i1\"},{\"id\":\"i9\"}],", 200, OK },
        PROVIDER_DONE
    };

    static const provider_step_t  read_before[] = {
        { PAGE "&name.exact=new.a.test", NULL, 200,
          LIST(RR("f", "new.a.test", "A", "1.2.3.4", ""), "1") },
        { PAGE "&name.exact=_dnssync.new.a.test", NULL, 200, LIST("", "0") },
        PROVIDER_DONE
    };

    provider_start(&p, settings);
    p.zone = Z;
    (void) provider_list(&p, list);

    provider_ok(&p, provider_apply(&p, "new A 192.0.2.1 r; www A 192.0.2.1 r",
                                   create) == DNSSYNC_OP_DONE
                && strcmp(p.text, "done") == 0, "a new host");

    provider_ok(&p, provider_apply(&p, "www A 192.0.2.7 r", change)
                == DNSSYNC_OP_DONE, "another address: the record stays");
    provider_ok(&p, provider_apply(&p, "www A 192.0.2.1|192.0.2.2 r", more)
                == DNSSYNC_OP_DONE, "one more address");
    provider_ok(&p, provider_apply(&p, "www A 192.0.2.1 r "
                                   "opt=cloudflare/proxied:true", proxied)
                == DNSSYNC_OP_DONE, "proxied from now on");

    p.w.source.gone = torii_arena_alloc(p.w.a, sizeof(torii_str_t));
    *(torii_str_t *) p.w.source.gone = torii_str("www.a.test");
    p.w.source.ngone = 1;

    provider_ok(&p, provider_apply(&p, "", gone) == DNSSYNC_OP_DONE
                && strcmp(p.text, "done") == 0, "a host that is gone");

    p.age = 60;

    provider_ok(&p, provider_apply(&p, "new A 192.0.2.1 r; www A 192.0.2.1 r",
                                   read_before) == DNSSYNC_OP_DONE
                && strcmp(p.text, "lost") == 0,
                "what came meanwhile is left alone");
    provider_end(&p);
}


static void
test_refused(void)
{
    provider_t  p;

    static const provider_step_t  list[] = {
        { PAGE, NULL, 200, LIST("", "0") }, PROVIDER_DONE
    };

    static const provider_step_t  halves[] = {
        { BATCH, "\"b.a.test\"", 400, FAIL("9005", "no b") },
        { BATCH, "\"a.a.test\"", 200, OK },
        { BATCH, "\"b.a.test\"", 400, FAIL("9005", "no b") },
        { BATCH, "\"b.a.test\"", 400, FAIL("9005", "no b") },
        { BATCH, "\"c.a.test\"", 200, OK },
        PROVIDER_DONE
    };

    static const provider_step_t  exists[] = {
        { BATCH, NULL, 400, FAIL("81058", "identical") }, PROVIDER_DONE
    };

    static const provider_step_t  lost[] = {
        { BATCH, NULL, 0, NULL }, PROVIDER_DONE
    };

    static const provider_step_t  odd[] = {
        { BATCH, NULL, 200, "<html>" }, PROVIDER_DONE
    };

    static const provider_step_t  limited[] = {
        { BATCH, NULL, 429, FAIL("10100", "slow") }, PROVIDER_DONE
    };

    provider_start(&p, settings);
    p.zone = Z;
    (void) provider_list(&p, list);

    provider_ok(&p, provider_apply(&p, "a A 192.0.2.1 r; b A 192.0.2.1 r; "
                                   "c A 192.0.2.1 r", halves)
                    == DNSSYNC_OP_DONE
                && strcmp(p.text, "done refused done") == 0
                && torii_str_eqs(p.op->results[1].text, "\"no b\" (9005)"),
                "one that is refused stops no other");

    provider_ok(&p, provider_apply(&p, "a A 192.0.2.1 r", exists)
                    == DNSSYNC_OP_DONE
                && strcmp(p.text, "lost") == 0, "it is there: list again");

    provider_ok(&p, provider_apply(&p, "a A 192.0.2.1 r", lost)
                    == DNSSYNC_OP_FAILED
                && strcmp(p.text, "unsure") == 0, "no answer to a change");

    provider_ok(&p, provider_apply(&p, "a A 192.0.2.1 r", odd)
                    == DNSSYNC_OP_FAILED
                && strcmp(p.text, "unsure") == 0
                && p.op->trouble == DNSSYNC_TROUBLE_ANSWER,
                "an answer that is none");

    provider_ok(&p, provider_apply(&p, "a A 192.0.2.1 r", limited)
                    == DNSSYNC_OP_FAILED
                && strcmp(p.text, "later") == 0
                && p.op->trouble == DNSSYNC_TROUBLE_THROTTLED,
                "too many requests");
    provider_end(&p);
}


static void
test_adjust(void)
{
    provider_t          p;
    dnssync_option_t    no;
    dnssync_endpoint_t  list[2];

    static const provider_step_t  none[] = { PROVIDER_DONE };

    memset(list, 0, sizeof(list));

    no.name = torii_str("cloudflare/proxied");
    no.value = torii_str("false");

    list[1].options = &no;
    list[1].noptions = 1;

    provider_start(&p, "provider=cloudflare\ncloudflare-api-token=t0k3n\n"
                   "cloudflare-proxied=true");
    provider_op(&p, DNSSYNC_OP_ADJUST);
    p.op->endpoints = list;
    p.op->nendpoints = 2;

    provider_ok(&p, provider_run(&p, none) == DNSSYNC_OP_DONE
                && p.op->nendpoints == 2 && p.op->endpoints[0].noptions == 1
                && torii_str_eqs(p.op->endpoints[0].options[0].value, "true")
                && torii_str_eqs(p.op->endpoints[1].options[0].value, "false"),
                "hosts are proxied unless they say otherwise");
    provider_end(&p);
}


#define NAME   "_acme-challenge.www.a.test"
#define ASK    PAGE "&type=TXT&name.exact=" NAME
#define HAS    LIST(RR("t1", NAME, "TXT", "\\\"old\\\"", ""), "1")

static void
test_challenge(void)
{
    provider_t  p;

    static const provider_step_t  add[] = {
        { ASK, NULL, 200, HAS },
        { "POST " REC, "{\"type\":\"TXT\",\"name\":\"" NAME "\",\"content\":"
          "\"\\\"new\\\"\",\"ttl\":60}", 200, OK },
        PROVIDER_DONE
    };

    static const provider_step_t  race[] = {
        { ASK, NULL, 200, HAS },
        { "POST " REC, NULL, 400, FAIL("81058", "identical") }, PROVIDER_DONE
    };

    static const provider_step_t  there[] = {
        { ASK, NULL, 200, HAS }, PROVIDER_DONE
    };

    static const provider_step_t  gone[] = {
        { ASK, NULL, 200, HAS },
        { "DELETE " REC "/t1", NULL, 404, FAIL("81044", "gone") },
        PROVIDER_DONE
    };

    provider_start(&p, settings);
    p.zone = Z;

    provider_ok(&p, provider_challenge(&p, "new", 1, add) == DNSSYNC_OP_DONE,
                "challenge: beside another");
    provider_ok(&p, provider_challenge(&p, "new", 1, race) == DNSSYNC_OP_DONE,
                "challenge: somebody else has added it");
    provider_ok(&p, provider_challenge(&p, "old", 1, there) == DNSSYNC_OP_DONE,
                "challenge: it is there already");
    provider_ok(&p, provider_challenge(&p, "old", 0, gone) == DNSSYNC_OP_DONE,
                "challenge: somebody else has removed it");
    provider_end(&p);
}


int
main(void)
{
    test_lists();
    test_sets();
    test_zones();
    test_apply();
    test_refused();
    test_adjust();
    test_challenge();

    return tap_done();
}
