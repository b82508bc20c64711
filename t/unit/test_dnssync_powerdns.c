
/*
 * PowerDNS: listings that are whole, and those that are not; a PATCH for many
 * edits, halved until the one that is refused is alone; what must hold is read
 * before; comments as marks.
 */

#define _GNU_SOURCE

#include "provider_world.h"


#define API    "/api/v1/servers/localhost/zones"
#define ZONE   API "/a.test."
#define HEAD   "{\"name\":\"a.test.\",\"edited_serial\":7,\"rrsets\":["
#define SOA    "{\"name\":\"a.test.\",\"type\":\"SOA\",\"ttl\":60,"            \
               "\"records\":[{\"content\":\"ns. host. 7 1 1 1 1\"}]}"
#define TAIL   "],\"soa_edit_api\":\"DEFAULT\"}"

#define SET(name, type, content)                                              \
    ",{\"name\":\"" name ".a.test.\",\"type\":\"" type "\",\"ttl\":300,"       \
    "\"comments\":[],\"records\":[{\"content\":\"" content                     \
    "\",\"disabled\":false}]}"

#define MARK   SET("_dnssync.www", "TXT", "\\\"" WORLD_MARK "A,resource=r\\\"")
#define EMPTY  HEAD SOA TAIL


static const char  settings[] = "provider=powerdns\npdns-server="
                                PROVIDER_URL "/\npdns-api-key=sesame";


static const struct {
    const char  *name;
    unsigned     status;
    const char  *body;
    const char  *error;        /* NULL: it is whole */
} lists[] = {
    { "a zone", 200, HEAD SOA SET("www", "A", "192.0.2.1") TAIL, NULL },
    { "without an answer", 0, NULL, "the connection was refused" },
    { "cut off", 200, HEAD SOA SET("www", "A", "192.0.2.1"), "not whole" },
    { "cut off in a set", 200, HEAD SOA ",{\"name\":\"b.a.te", "not whole" },
    { "a comma too many", 200, HEAD SOA "," TAIL, "JSON" },
    { "two documents", 200, EMPTY EMPTY, "JSON" },
    { "another zone", 200, "{\"name\":\"b.test.\",\"rrsets\":[" SOA TAIL,
      "not that zone" },
    { "no sets", 200, "{\"name\":\"a.test.\"}", "not that zone" },
    { "sets that are null", 200, "{\"name\":\"a.test.\",\"rrsets\":null}",
      "not that zone" },
    { "without its SOA", 200, HEAD TAIL, "no SOA" },
    { "a set twice", 200, HEAD SOA SET("www", "A", "192.0.2.1")
      SET("www", "A", "192.0.2.2") TAIL, "twice" },
    { "a set without records", 200, HEAD SOA
      ",{\"name\":\"b.a.test.\",\"type\":\"A\",\"ttl\":1,\"records\":[]}" TAIL,
      "none" },
    { "a set that is a number", 200, HEAD SOA ",5" TAIL, "none" },
    { "a page", 200, "<html></html>", "JSON" },
    { "a wrong key", 401, "Unauthorized", "status 401" },
    { "no such zone", 404, "Not Found", "status 404" },
    { "a failure", 500, "{\"error\":\"the key is sesame\"}",
      "\"the key is ***\"" }
};


static void
test_lists(void)
{
    size_t             i;
    provider_t         p;
    dnssync_op_step_e  step;
    provider_step_t    script[] = { { "GET " ZONE, NULL, 0, NULL },
                                    PROVIDER_DONE };

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        provider_start(&p, settings);
        p.zone = "a.test.";

        script[0].status = lists[i].status;
        script[0].answer = lists[i].body;

        step = provider_list(&p, script);

        if (lists[i].error == NULL) {
            provider_ok(&p, step == DNSSYNC_OP_DONE && p.op->nsets == 2
                        && torii_str_eqs(p.op->next, "7")
                        && strcmp(provider_set(&p, 1),
                                  "www.a.test A 300 192.0.2.1") == 0,
                        lists[i].name);

        } else {
            provider_ok(&p, step == DNSSYNC_OP_FAILED && p.op->nsets == 0
                        && strstr(p.op->error, lists[i].error) != NULL,
                        lists[i].name);
        }

        provider_end(&p);
    }
}


static const struct {
    const char         *name;
    dnssync_trouble_e   trouble;
    unsigned            status;
} troubles[] = {
    { "denied", DNSSYNC_TROUBLE_DENIED, 403 },
    { "setting", DNSSYNC_TROUBLE_SETTING, 404 },
    { "setting: elsewhere", DNSSYNC_TROUBLE_SETTING, 302 },
    { "throttled", DNSSYNC_TROUBLE_THROTTLED, 429 },
    { "throttled: busy", DNSSYNC_TROUBLE_THROTTLED, 503 },
    { "down", DNSSYNC_TROUBLE_DOWN, 502 },
    { "answer", DNSSYNC_TROUBLE_ANSWER, 204 }
};


static void
test_troubles(void)
{
    size_t           i;
    provider_t       p;
    provider_step_t  script[] = { { "GET " API, NULL, 0, "" }, PROVIDER_DONE };

    for (i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
        provider_start(&p, settings);
        p.retry_after = 90;

        script[0].status = troubles[i].status;
        provider_op(&p, DNSSYNC_OP_ZONES);

        provider_ok(&p, provider_run(&p, script) == DNSSYNC_OP_FAILED
                    && p.op->trouble == troubles[i].trouble
                    && p.op->until == PROVIDER_NOW + 90000, troubles[i].name);
        provider_end(&p);
    }
}


static void
test_zones(void)
{
    provider_t  p;

    static const provider_step_t  script[] = {
        { "GET " API, NULL, 200,
          "[{\"id\":\"a.test.\",\"name\":\"a.test.\",\"kind\":\"Native\"},"
          "{\"id\":\"b.test.\",\"name\":\"B.test.\",\"kind\":\"Slave\"},"
          "{\"id\":\"c=2F.test.\",\"name\":\"c/.test.\",\"kind\":\"Master\"}]"
        },
        PROVIDER_DONE
    };

    static const provider_step_t  strange[] = {
        { "GET " API, NULL, 200,
          "[{\"id\":\"../a?x=1\",\"name\":\"a.test.\",\"kind\":\"Native\"}]" },
        PROVIDER_DONE
    };

    provider_start(&p, settings);
    provider_op(&p, DNSSYNC_OP_ZONES);

    provider_ok(&p, provider_run(&p, script) == DNSSYNC_OP_DONE
                && p.op->nzones == 2
                && torii_str_eqs(p.op->zones[0].name, "a.test")
                && torii_str_eqs(p.op->zones[1].id, "c=2F.test."),
                "zones: not those of secondaries");

    provider_op(&p, DNSSYNC_OP_ZONES);
    provider_ok(&p, provider_run(&p, strange) == DNSSYNC_OP_FAILED
                && p.op->trouble == DNSSYNC_TROUBLE_ANSWER,
                "zones: an id that is a path of its own");
    provider_end(&p);

    provider_start(&p, "provider=pdns\npdns-api-key=sesame\nzones=A.test.\n"
                   "pdns-server=" PROVIDER_URL);
    provider_op(&p, DNSSYNC_OP_ZONES);
    provider_ok(&p, provider_run(&p, script) == DNSSYNC_OP_DONE
                && p.op->nzones == 1, "zones: only those that are named");
    provider_end(&p);
}


static void
test_probe(void)
{
    provider_t  p;

    static const provider_step_t  with[] = {
        { "GET " ZONE "?rrsets=false", NULL, 200,
          "{\"name\":\"a.test.\",\"edited_serial\":7,"
          "\"soa_edit_api\":\"DEFAULT\"}" },
        PROVIDER_DONE
    };

    static const provider_step_t  without[] = {
        { "GET " ZONE "?rrsets=false", NULL, 200,
          "{\"name\":\"a.test.\",\"edited_serial\":7,\"soa_edit_api\":\"\"}" },
        PROVIDER_DONE
    };

    provider_start(&p, settings);
    p.zone = "a.test.";

    provider_op(&p, DNSSYNC_OP_PROBE)->version = torii_str("7");
    provider_ok(&p, provider_run(&p, with) == DNSSYNC_OP_DONE && p.op->same,
                "probe: the same serial");

    provider_op(&p, DNSSYNC_OP_PROBE)->version = torii_str("6");
    provider_ok(&p, provider_run(&p, with) == DNSSYNC_OP_DONE && !p.op->same
                && torii_str_eqs(p.op->next, "7"), "probe: another one");

    provider_op(&p, DNSSYNC_OP_PROBE)->version = torii_str("7");
    provider_ok(&p, provider_run(&p, without) == DNSSYNC_OP_DONE
                && !p.op->same && p.op->next.len == 0,
                "probe: a serial that the API does not move tells nothing");
    provider_end(&p);
}


static void
test_apply(void)
{
    provider_t  p;

    static const provider_step_t  list[] = {
        { "GET " ZONE, NULL, 200, EMPTY }, PROVIDER_DONE
    };

    static const provider_step_t  one[] = {
        { "PATCH " ZONE, "{\"name\":\"www.a.test.\",\"type\":\"A\",\"ttl\":300,"
          "\"changetype\":\"REPLACE\",\"records\":[{\"content\":\"192.0.2.1\","
          "\"disabled\":false},{\"content\":\"192.0.2.2\",\"disabled\":false}]"
          "}", 204, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  read_before[] = {
        { "GET " ZONE "?rrset_name=www.a.test.", NULL, 200, HEAD TAIL },
        { "GET " ZONE "?rrset_name=_dnssync.www.a.test.", NULL, 200,
          HEAD TAIL },
        { "PATCH " ZONE, "192.0.2.1", 204, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  foreign[] = {
        { "GET " ZONE "?rrset_name=www.a.test.", NULL, 200,
          "{\"name\":\"a.test.\",\"rrsets\":[{\"name\":\"www.a.test.\","
          "\"type\":\"A\",\"ttl\":1,\"records\":[{\"content\":\"1.2.3.4\"}]}]}"
        },
        { "GET " ZONE "?rrset_name=_dnssync.www.a.test.", NULL, 200,
          HEAD TAIL },
        PROVIDER_DONE
    };

    static const provider_step_t  halves[] = {
        { "PATCH " ZONE, "\"b.a.test.\"", 422, "{\"error\":\"no b\"}" },
        { "PATCH " ZONE, "\"a.a.test.\"", 204, "" },
        { "PATCH " ZONE, "\"b.a.test.\"", 422, "{\"error\":\"no b\"}" },
        { "PATCH " ZONE, "\"b.a.test.\"", 422, "{\"error\":\"no b\"}" },
        { "PATCH " ZONE, "\"c.a.test.\"", 204, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  lost[] = {
        { "PATCH " ZONE, NULL, 0, NULL }, PROVIDER_DONE
    };

    static const provider_step_t  denied[] = {
        { "PATCH " ZONE, NULL, 401, "" }, PROVIDER_DONE
    };

    provider_start(&p, settings);
    p.zone = "a.test.";

    provider_ok(&p, provider_list(&p, list) == DNSSYNC_OP_DONE,
                "an empty zone");

    provider_ok(&p, provider_apply(&p, "www A 192.0.2.1|192.0.2.2 r", one)
                    == DNSSYNC_OP_DONE
                && strcmp(p.text, "done") == 0, "a new host");

    p.age = 60;

    provider_ok(&p, provider_apply(&p, "www A 192.0.2.1 r", read_before)
                    == DNSSYNC_OP_DONE
                && strcmp(p.text, "done") == 0,
                "an old listing: what must hold is read before");

    provider_ok(&p, provider_apply(&p, "www A 192.0.2.1 r", foreign)
                    == DNSSYNC_OP_DONE
                && strcmp(p.text, "lost") == 0,
                "what came meanwhile is left alone");

    p.age = 0;

    provider_ok(&p, provider_apply(&p, "a A 192.0.2.1 r; b A 192.0.2.1 r; "
                                   "c A 192.0.2.1 r", halves)
                    == DNSSYNC_OP_DONE
                && strcmp(p.text, "done refused done") == 0
                && torii_str_eqs(p.op->results[1].text, "\"no b\""),
                "one that is refused stops no other");

    provider_ok(&p, provider_apply(&p, "a A 192.0.2.1 r", lost)
                    == DNSSYNC_OP_FAILED
                && strcmp(p.text, "unsure") == 0
                && p.op->trouble == DNSSYNC_TROUBLE_DOWN,
                "no answer to a change");

    provider_ok(&p, provider_apply(&p, "a A 192.0.2.1 r", denied)
                    == DNSSYNC_OP_FAILED
                && strcmp(p.text, "later") == 0
                && p.op->trouble == DNSSYNC_TROUBLE_DENIED,
                "a key that is good for reading only");
    provider_end(&p);
}


/* More than some names: the whole zone, once. */

static void
test_apply_many(void)
{
    unsigned          i;
    provider_t        p;
    torii_buf_t       b;

    static const provider_step_t  list[] = {
        { "GET " ZONE, NULL, 200, EMPTY }, PROVIDER_DONE
    };

    static const provider_step_t  script[] = {
        { "GET " ZONE, NULL, 200, HEAD SOA SET("h7", "A", "192.0.2.9") TAIL },
        { "PATCH " ZONE, "h19.a.test.", 204, "" },
        PROVIDER_DONE
    };

    memset(&b, 0, sizeof(torii_buf_t));

    for (i = 0; i < 20; i++) {
        torii_buf_printf(&b, "h%u A 192.0.2.1 r;", i);
    }

    torii_buf_add(&b, "", 1);

    provider_start(&p, settings);
    p.zone = "a.test.";

    (void) provider_list(&p, list);
    p.age = 60;

    provider_ok(&p, provider_apply(&p, (char *) b.data, script)
                    == DNSSYNC_OP_DONE
                && strstr(p.text, "lost done") != NULL
                && strstr(p.text, "lost lost") == NULL,
                "an old listing: many names are read at once");

    provider_end(&p);
    torii_buf_free(&b);
}


static void
test_change(void)
{
    provider_t  p;

    static const provider_step_t  list[] = {
        { "GET " ZONE, NULL, 200,
          HEAD SOA SET("www", "A", "192.0.2.1") MARK TAIL },
        PROVIDER_DONE
    };

    static const provider_step_t  alias[] = {
        { "PATCH " ZONE, "{\"rrsets\":[{\"name\":\"www.a.test.\",\"type\":\"A\""
          ",\"changetype\":\"DELETE\"},", 204, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  target[] = {
        { "PATCH " ZONE, "\"content\":\"b.test.\"", 204, "" }, PROVIDER_DONE
    };

    provider_start(&p, settings);
    p.zone = "a.test.";
    (void) provider_list(&p, list);

    provider_ok(&p, provider_apply(&p, "www CNAME b.test r", alias)
                    == DNSSYNC_OP_DONE, "addresses go before an alias comes");
    provider_ok(&p, provider_apply(&p, "www CNAME b.test r", target)
                    == DNSSYNC_OP_DONE, "an alias has a dot at its end");
    provider_end(&p);
}


static void
test_native(void)
{
    provider_t  p;

    static const provider_step_t  list[] = {
        { "GET " ZONE, NULL, 200,
          HEAD SOA ",{\"name\":\"www.a.test.\",\"type\":\"A\",\"ttl\":300,"
          "\"records\":[{\"content\":\"192.0.2.1\"}],\"comments\":["
          "{\"content\":\"a \\\"note\\\"\",\"account\":\"bob\","
          "\"modified_at\":1},"
          "{\"content\":\"heritage=torii,owner=me,resource=r\","
          "\"account\":\"torii\",\"modified_at\":1}]}" TAIL },
        PROVIDER_DONE
    };

    static const provider_step_t  same_tag[] = {
        { "PATCH " ZONE, "{\"content\":\"192.0.2.2\",\"disabled\":false}]}]}",
          204, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  other_tag[] = {
        { "PATCH " ZONE, "\"comments\":[{\"content\":\"a \\\"note\\\"\","
          "\"account\":\"bob\"},{\"content\":\"heritage=torii,owner=me,",
          204, "" },
        PROVIDER_DONE
    };

    provider_start(&p, "provider=powerdns\npdns-server=" PROVIDER_URL
                   "\npdns-api-key=sesame\nregistry=native");
    p.zone = "a.test.";

    provider_ok(&p, provider_list(&p, list) == DNSSYNC_OP_DONE
                && strcmp(provider_set(&p, 1), "www.a.test A 300 192.0.2.1 "
                          "tag=heritage=torii,owner=me,resource=r") == 0,
                "a comment is a mark");

    provider_ok(&p, provider_apply(&p, "www A 192.0.2.2 r", same_tag)
                    == DNSSYNC_OP_DONE, "comments stay with the mark");

    provider_ok(&p, provider_apply(&p, "www A 192.0.2.2 s", other_tag)
                    == DNSSYNC_OP_DONE, "another mark leaves others' comments");
    provider_end(&p);
}


#define NAME  "_acme-challenge.www"
#define ASK   "GET " ZONE "?rrset_name=" NAME ".a.test.&rrset_type=TXT"
#define HAS   HEAD "{\"name\":\"" NAME ".a.test.\",\"type\":\"TXT\","         \
              "\"ttl\":5,\"records\":[{\"content\":\"\\\"old\\\"\"}]}" TAIL

static void
test_challenge(void)
{
    provider_t  p;

    static const provider_step_t  add[] = {
        { ASK, NULL, 200, HAS },
        { "PATCH " ZONE, "\"ttl\":5,\"changetype\":\"REPLACE\",\"records\":["
          "{\"content\":\"\\\"old\\\"\",\"disabled\":false},{\"content\":"
          "\"\\\"new\\\"\",\"disabled\":false}]", 204, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  there[] = {
        { ASK, NULL, 200, HAS }, PROVIDER_DONE
    };

    static const provider_step_t  last[] = {
        { ASK, NULL, 200, HAS },
        { "PATCH " ZONE, "\"changetype\":\"DELETE\"}", 204, "" }, PROVIDER_DONE
    };

    static const provider_step_t  first[] = {
        { ASK, NULL, 200, HEAD TAIL },
        { "PATCH " ZONE, "\"ttl\":60,", 204, "" }, PROVIDER_DONE
    };

    static const provider_step_t  refused[] = {
        { ASK, NULL, 200, HEAD TAIL },
        { "PATCH " ZONE, NULL, 422, "{\"error\":\"no\"}" }, PROVIDER_DONE
    };

    provider_start(&p, settings);
    p.zone = "a.test.";

    provider_ok(&p, provider_challenge(&p, "new", 1, add) == DNSSYNC_OP_DONE,
                "challenge: beside another");
    provider_ok(&p, provider_challenge(&p, "old", 1, there) == DNSSYNC_OP_DONE,
                "challenge: it is there already");
    provider_ok(&p, provider_challenge(&p, "old", 0, last) == DNSSYNC_OP_DONE,
                "challenge: the last one goes");
    provider_ok(&p, provider_challenge(&p, "new", 0, there) == DNSSYNC_OP_DONE,
                "challenge: it is gone already");
    provider_ok(&p, provider_challenge(&p, "new", 1, first) == DNSSYNC_OP_DONE,
                "challenge: the first");
    provider_ok(&p, provider_challenge(&p, "new", 1, refused)
                == DNSSYNC_OP_FAILED, "challenge: refused");
    provider_end(&p);
}


int
main(void)
{
    test_lists();
    test_troubles();
    test_zones();
    test_probe();
    test_apply();
    test_apply_many();
    test_change();
    test_native();
    test_challenge();

    return tap_done();
}
