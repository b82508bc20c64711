
/*
 * ExternalDNS's webhook protocol: it is asked for its domains once, "null" is
 * an empty list, 204 is the only success of a change, and what it makes of the
 * endpoints is what counts.
 */

#define _GNU_SOURCE

#include "provider_world.h"


#define FILTER  { "GET /", NULL, 200, "{\"include\":[\"a.test\"]}" }

#define E(name, type, target)                                                 \
    "{\"dnsName\":\"" name "\",\"recordType\":\"" type "\",\"targets\":[\""    \
    target "\"]}"

#define MARK    E("_dnssync.www.a.test", "TXT",                               \
                  "\\\"" WORLD_MARK "A,resource=r\\\"")


static const char  settings[] = "provider=webhook\nwebhook-provider-url="
                                PROVIDER_URL "\ntxt-owner-id=me";


static void
start(provider_t *p, const char *more)
{
    torii_buf_t  b;

    memset(&b, 0, sizeof(torii_buf_t));
    torii_buf_printf(&b, "%s\n%s", settings, more);

    provider_start(p, (char *) b.data);
    p->type = "application/external.dns.webhook+json;version=1";

    torii_buf_free(&b);
}


static const struct {
    const char  *name;
    const char  *type;
    const char  *settings;
    const char  *filter;
    const char  *zones;        /* NULL: it fails */
    unsigned     status;
} filters[] = {
    { "its domains", "application/external.dns.webhook+json;version=1", "",
      "{\"include\":[\"a.test\",\".B.test.\"],\"exclude\":[\"x\"]}",
      "a.test b.test ", 200 },
    { "another word for them",
      "application/external.dns.webhook+json; version=1; charset=utf-8", "",
      "{\"filters\":[\"a.test\"]}", "a.test ", 200 },
    { "a domain twice", "application/external.dns.webhook+json;version=1", "",
      "{\"include\":[\"a.test\",\"a.test\"]}", "a.test ", 200 },
    { "no domains, but zones",
      "application/external.dns.webhook+json;version=1", "zones=a.test",
      "{}", "a.test ", 200 },
    { "zones come before domains",
      "application/external.dns.webhook+json;version=1", "zones=b.test",
      "{\"include\":[\"a.test\"]}", "b.test ", 200 },
    { "no domains, but a filter",
      "application/external.dns.webhook+json;version=1",
      "domain-filter=.a.test", "null", "a.test ", 200 },
    { "no domains", "application/external.dns.webhook+json;version=1", "",
      "{\"regexInclude\":\".*\"}", NULL, 200 },
    { "version 2", "application/external.dns.webhook+json;version=2", "",
      "{\"include\":[\"a.test\"]}", NULL, 200 },
    { "version 10", "application/external.dns.webhook+json;version=10", "",
      "{\"include\":[\"a.test\"]}", NULL, 200 },
    { "JSON of another kind", "application/json", "",
      "{\"include\":[\"a.test\"]}", NULL, 200 },
    { "no JSON", "application/external.dns.webhook+json;version=1", "",
      "a.test", NULL, 200 },
    { "a failure", "application/external.dns.webhook+json;version=1", "", "",
      NULL, 500 }
};


static void
test_filters(void)
{
    size_t             i, n;
    uint32_t           k;
    provider_t         p;
    provider_step_t    script[] = { { "GET /", NULL, 0, NULL },
                                    PROVIDER_DONE };
    dnssync_op_step_e  step;

    for (i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        start(&p, filters[i].settings);

        p.type = filters[i].type;
        script[0].status = filters[i].status;
        script[0].answer = filters[i].filter;

        provider_op(&p, DNSSYNC_OP_ZONES);
        step = provider_run(&p, script);

        for (k = 0, n = 0; k < p.op->nzones; k++) {
            n += snprintf(p.text + n, sizeof(p.text) - n, "%.*s ",
                          torii_str_arg(p.op->zones[k].name));
        }

        provider_ok(&p, (step == DNSSYNC_OP_DONE) == (filters[i].zones != NULL)
                    && (filters[i].zones == NULL
                        || strcmp(p.text, filters[i].zones) == 0),
                    filters[i].name);
        provider_end(&p);
    }
}


static const struct {
    const char  *name;
    const char  *body;
    unsigned     status;
    const char  *set;          /* the first; NULL: it fails */
} lists[] = {
    { "null", "null", 200, "" },
    { "empty", "[]", 200, "" },
    { "an address", "[" E("WWW.a.test", "A", "192.0.2.1") "]", 200,
      "www.a.test A 0 192.0.2.1" },
    { "a text", "[" MARK "]", 200,
      "_dnssync.www.a.test TXT 0 " WORLD_MARK "A,resource=r" },
    { "all members", "[{\"dnsName\":\"www.a.test\",\"recordType\":\"A\","
      "\"targets\":[\"192.0.2.1\",\"192.0.2.2\"],\"recordTTL\":60,\"new\":1,"
      "\"setIdentifier\":\"\",\"labels\":{\"owner\":\"x\"},\"providerSpecific\""
      ":[{\"name\":\"webhook/a\",\"value\":\"b\"}]}]", 200,
      "www.a.test A 60 192.0.2.1|192.0.2.2 webhook/a=b" },
    { "members that are null", "[{\"dnsName\":\"a.test\",\"recordType\":\"A\","
      "\"targets\":null,\"recordTTL\":null,\"labels\":null,"
      "\"providerSpecific\":null}]", 200, "a.test A 0" },
    { "another zone", "[" E("www.b.test", "A", "192.0.2.1") "]", 200, "" },
    { "a name that ends so", "[" E("xa.test", "A", "192.0.2.1") "]", 200, "" },
    { "no name", "[{\"recordType\":\"A\",\"targets\":[\"192.0.2.1\"]}]", 200,
      NULL },
    { "no type", "[{\"dnsName\":\"a.test\",\"targets\":[\"192.0.2.1\"]}]", 200,
      NULL },
    { "a TTL that is none", "[{\"dnsName\":\"a.test\",\"recordType\":\"A\","
      "\"recordTTL\":-1}]", 200, NULL },
    { "targets that are none", "[{\"dnsName\":\"a.test\",\"recordType\":\"A\","
      "\"targets\":\"192.0.2.1\"}]", 200, NULL },
    { "a target that is none", "[{\"dnsName\":\"a.test\",\"recordType\":\"A\","
      "\"targets\":[1]}]", 200, NULL },
    { "a set twice", "[" E("a.test", "A", "192.0.2.1") ","
      E("a.test", "A", "192.0.2.2") "]", 200, NULL },
    { "a map", "{}", 200, NULL },
    { "cut off", "[" E("a.test", "A", "192.0.2.1"), 200, NULL },
    { "nothing", "", 200, NULL },
    { "a part", "[]", 206, NULL },
    { "a failure", "boom", 500, NULL }
};


static void
test_lists(void)
{
    size_t             i;
    provider_t         p;
    provider_step_t    script[] = { FILTER, { "GET /records", NULL, 0, NULL },
                                    PROVIDER_DONE };
    dnssync_op_step_e  step;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        start(&p, "");

        script[1].status = lists[i].status;
        script[1].answer = lists[i].body;

        step = provider_list(&p, script);

        provider_ok(&p, (step == DNSSYNC_OP_DONE) == (lists[i].set != NULL)
                    && (lists[i].set == NULL
                        || strcmp(provider_set(&p, 0), lists[i].set) == 0),
                    lists[i].name);
        provider_end(&p);
    }
}


/* A zone within another has its names to itself. */

static void
test_inner_zone(void)
{
    provider_t  p;

    static const provider_step_t  script[] = {
        { "GET /", NULL, 200, "{\"include\":[\"a.test\",\"i.a.test\"]}" },
        { "GET /records", NULL, 200,
          "[" E("www.i.a.test", "A", "192.0.2.1") ","
          E("www.a.test", "A", "192.0.2.2") "]" },
        PROVIDER_DONE
    };

    start(&p, "");
    provider_ok(&p, provider_list(&p, script) == DNSSYNC_OP_DONE
                && p.op->nsets == 1
                && strcmp(provider_set(&p, 0), "www.a.test A 0 192.0.2.2")
                   == 0, "names of a zone within are none of this one");
    provider_end(&p);
}


static void
test_apply(void)
{
    provider_t  p;

    static const provider_step_t  list[] = {
        FILTER,
        { "GET /records", NULL, 200,
          "[" E("www.a.test", "A", "192.0.2.1") "," MARK "]" },
        PROVIDER_DONE
    };

    static const provider_step_t  create[] = {
        { "POST /records", "{\"create\":[{\"dnsName\":\"new.a.test\","
          "\"targets\":[\"192.0.2.1\"],\"recordType\":\"A\",\"recordTTL\":300,"
          "\"labels\":{\"owner\":\"me\",\"resource\":\"r\"}},{\"dnsName\":"
          "\"_dnssync.new.a.test\",\"targets\":[\"\\\"" WORLD_MARK
          "A,resource=r\\\"\"],\"recordType\":\"TXT\",\"recordTTL\":300,"
          "\"labels\":{\"ownedRecord\":\"new.a.test\"}}],\"updateOld\":[],"
          "\"updateNew\":[],\"delete\":[]}", 204, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  change[] = {
        { "POST /records", "\"updateOld\":[{\"dnsName\":\"www.a.test\","
          "\"targets\":[\"192.0.2.1\"],\"recordType\":\"A\",\"labels\":"
          "{\"owner\":\"me\",\"resource\":\"r\"}}],\"updateNew\":[{\"dnsName\":"
          "\"www.a.test\",\"targets\":[\"192.0.2.7\"]", 204, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  ok[] = {
        { "POST /records", NULL, 200, "{}" }, PROVIDER_DONE
    };

    static const provider_step_t  halves[] = {
        { "POST /records", "\"z.a.test\"", 500, "no y" },
        { "POST /records", "\"y.a.test\"", 500, "no y" },
        { "POST /records", "\"x.a.test\"", 204, "" },
        { "POST /records", "\"z.a.test\"", 500, "no y" },
        { "POST /records", "\"y.a.test\"", 500, "no y" },
        { "POST /records", "\"z.a.test\"", 204, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  down[] = {
        { "POST /records", NULL, 500, "" }, { "POST /records", NULL, 500, "" },
        { "POST /records", NULL, 500, "" }, { "POST /records", NULL, 500, "" },
        { "POST /records", NULL, 500, "" }, { "POST /records", NULL, 500, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  gone[] = {
        { "POST /records", "\"delete\":[{\"dnsName\":\"www.a.test\"", 204, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  read_before[] = {
        { "GET /records", NULL, 200,
          "[" E("www.a.test", "A", "192.0.2.9") "," MARK "]" },
        PROVIDER_DONE
    };

    start(&p, "");
    provider_ok(&p, provider_list(&p, list) == DNSSYNC_OP_DONE
                && p.op->nsets == 2, "a listing");

    provider_ok(&p, provider_apply(&p, "new A 192.0.2.1 r; www A 192.0.2.1 r",
                                   create) == DNSSYNC_OP_DONE
                && strcmp(p.text, "done") == 0, "a new host");
    provider_ok(&p, provider_apply(&p, "www A 192.0.2.7 r", change)
                    == DNSSYNC_OP_DONE
                && strcmp(p.text, "done") == 0, "another address");
    provider_ok(&p, provider_apply(&p, "www A 192.0.2.7 r", ok)
                    == DNSSYNC_OP_FAILED
                && strcmp(p.text, "unsure") == 0, "200 is no success");
    provider_ok(&p, provider_apply(&p, "x A 192.0.2.1 r; y A 192.0.2.1 r; "
                                   "z A 192.0.2.1 r; www A 192.0.2.1 r",
                                   halves) == DNSSYNC_OP_DONE
                && strcmp(p.text, "done refused done") == 0,
                "one that is refused stops no other");
    provider_ok(&p, provider_apply(&p, "u A 192.0.2.1 r; v A 192.0.2.1 r; "
                                   "x A 192.0.2.1 r; y A 192.0.2.1 r; "
                                   "z A 192.0.2.1 r; www A 192.0.2.1 r", down)
                    == DNSSYNC_OP_FAILED
                && strcmp(p.text, "refused refused refused later later") == 0
                && p.op->trouble == DNSSYNC_TROUBLE_DOWN,
                "a webhook that takes nothing is down");

    p.w.source.gone = torii_arena_alloc(p.w.a, sizeof(torii_str_t));
    *(torii_str_t *) p.w.source.gone = torii_str("www.a.test");
    p.w.source.ngone = 1;

    provider_ok(&p, provider_apply(&p, "", gone) == DNSSYNC_OP_DONE
                && strcmp(p.text, "done") == 0, "a host that is gone");

    p.w.source.ngone = 0;
    p.age = 60;

    provider_ok(&p, provider_apply(&p, "www A 192.0.2.7 r", read_before)
                    == DNSSYNC_OP_DONE
                && strcmp(p.text, "lost") == 0,
                "what came meanwhile is left alone");
    provider_end(&p);
}


static void
test_adjust(void)
{
    provider_t  p;

    static const provider_step_t  script[] = {
        FILTER,
        { "POST /adjustendpoints", "[{\"dnsName\":\"www.a.test\",\"targets\":"
          "[\"192.0.2.1\"],\"recordType\":\"A\",\"recordTTL\":5,\"labels\":"
          "{\"owner\":\"me\",\"resource\":\"r\"},\"providerSpecific\":["
          "{\"name\":\"webhook/a\",\"value\":\"b\"}]}]", 200,
          "[{\"dnsName\":\"www.a.test\",\"targets\":[\"192.0.2.1\"],"
          "\"recordType\":\"A\",\"recordTTL\":60,\"labels\":{\"resource\":"
          "\"r\"}}," E("more.a.test", "CNAME", "www.a.test") "]" },
        PROVIDER_DONE
    };

    static const provider_step_t  broken[] = {
        { "POST /adjustendpoints", NULL, 200, "[{}]" }, PROVIDER_DONE
    };

    static const provider_step_t  none[] = { PROVIDER_DONE };

    start(&p, "");
    world_wants(&p.w, "www A 192.0.2.1 r ttl=5 created=7 view=public "
                "opt=webhook/a:b opt=aws/weight:1; keep * - r");

    provider_op(&p, DNSSYNC_OP_ADJUST);
    p.op->endpoints = p.w.wants;
    p.op->nendpoints = p.w.nwants;

    provider_ok(&p, provider_run(&p, script) == DNSSYNC_OP_DONE
                && p.op->nendpoints == 3
                && torii_str_eqs(p.op->endpoints[0].name, "keep.a.test")
                && p.op->endpoints[1].ttl == 60
                && p.op->endpoints[1].noptions == 0
                && p.op->endpoints[1].created == 7
                && torii_str_eqs(p.op->endpoints[1].view, "public")
                && p.op->endpoints[2].type == DNSSYNC_CNAME
                && torii_str_eqs(p.op->endpoints[2].targets[0], "www.a.test"),
                "endpoints as the webhook would have them");

    provider_op(&p, DNSSYNC_OP_ADJUST);
    p.op->endpoints = p.w.wants;
    p.op->nendpoints = p.w.nwants;

    provider_ok(&p, provider_run(&p, broken) == DNSSYNC_OP_FAILED,
                "endpoints that are none");

    provider_op(&p, DNSSYNC_OP_ADJUST);
    p.op->endpoints = p.w.wants + 1;
    p.op->nendpoints = 1;

    provider_ok(&p, provider_run(&p, none) == DNSSYNC_OP_DONE
                && p.op->nendpoints == 1, "nothing that it could adjust");
    provider_end(&p);
}


static void
test_challenge(void)
{
    provider_t  p;

    static const provider_step_t  add[] = {
        FILTER,
        { "GET /records", NULL, 200,
          "[" E("_acme-challenge.www.a.test", "TXT", "\\\"old\\\"") "]" },
        { "POST /records", "\"targets\":[\"\\\"old\\\"\",\"\\\"new\\\"\"]", 204,
          "" },
        PROVIDER_DONE
    };

    static const provider_step_t  last[] = {
        { "GET /records", NULL, 200,
          "[" E("_acme-challenge.www.a.test", "TXT", "\\\"old\\\"") "]" },
        { "POST /records", "\"delete\":[{\"dnsName\":\"_acme-ch", 204, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  first[] = {
        { "GET /records", NULL, 200, "null" },
        { "POST /records", "{\"create\":[{\"dnsName\":\"_acme-ch", 204, "" },
        PROVIDER_DONE
    };

    static const provider_step_t  refused[] = {
        { "GET /records", NULL, 200, "null" },
        { "POST /records", NULL, 200, "" },
        PROVIDER_DONE
    };

    start(&p, "");
    provider_ok(&p, provider_challenge(&p, "new", 1, add) == DNSSYNC_OP_DONE,
                "challenge: beside another");
    provider_ok(&p, provider_challenge(&p, "old", 0, last) == DNSSYNC_OP_DONE,
                "challenge: the last one goes");
    provider_ok(&p, provider_challenge(&p, "new", 1, first) == DNSSYNC_OP_DONE,
                "challenge: the first");
    provider_ok(&p, provider_challenge(&p, "new", 1, refused)
                == DNSSYNC_OP_FAILED, "challenge: 200 is no success");
    provider_end(&p);
}


int
main(void)
{
    test_filters();
    test_lists();
    test_inner_zone();
    test_apply();
    test_adjust();
    test_challenge();

    return tap_done();
}
