
/*
 * Azure DNS, by a script of answers: conditions of writes, their order, and
 * what is told of an edit that is half done.
 */

#include "cloud_make.h"


#define TOKEN   "{\"access_token\":\"azure-secret\",\"expires_in\":3599}"
#define ARM     "https://arm.test/subscriptions/s/resourceGroups/g/providers/" \
                "Microsoft.Network/dnsZones"
#define API     "?api-version=2018-05-01\n"
#define ZONE    "GET " ARM "/a.test" API
#define PAGES   "GET " ARM "/a.test/all" API
#define COUNT(n)                                                              \
    "{\"name\":\"a.test\",\"etag\":\"z\",\"properties\":{"                    \
    "\"numberOfRecordSets\":" n "}}"
#define SET(name, type, data)                                                 \
    "{\"name\":\"" name "\",\"etag\":\"e1\",\"type\":"                        \
    "\"Microsoft.Network/dnszones/" type "\",\"properties\":{\"TTL\":60,"     \
    data "}}"
#define A(name)  SET(name, "A", "\"ARecords\":[{\"ipv4Address\":\"192.0.2.1"  \
                 "\"}]")
#define TXT(name, text)                                                       \
    SET(name, "TXT", "\"TXTRecords\":[{\"value\":[" text "]}]")
#define PAGE(sets)  "{\"value\":[" sets "]}"
#define BAD(code)  "{\"error\":{\"code\":\"" code "\",\"message\":\"m\"}}"


static const cloud_case_t  test_cases[] = {
    { "a token, then zones", DNSSYNC_OP_ZONES, NULL,
      { { "POST https://login.test/t/oauth2/v2.0/token\n", 200, TOKEN },
        { "GET " ARM API "User-Agent: Torii/" TORII_VERSION "\n"
          "Authorization: Bearer azure-secret\n", 200,
          PAGE("{\"name\":\"a.test\",\"properties\":{\"numberOfRecordSets\":3,"
               "\"zoneType\":\"Public\"}},{\"name\":\"b.test\",\"properties\":"
               "{\"zoneType\":\"Private\"}}") } },
      "a.test a.test 3; b.test b.test 0 private", 0, NULL },

    { "two pages", DNSSYNC_OP_LIST, "",
      { { ZONE, 200, COUNT("3") },
        { PAGES, 200, "{\"value\":[" A("@") "," A("*.b") "],\"nextLink\":"
          "\"https://arm.test/next\"}" },
        { "GET https://arm.test/next\nUser-Agent: Torii/" TORII_VERSION "\n"
          "Authorization: Bearer azure-secret\n", 200,
          PAGE(TXT("t", "\"x\",\"y\"")) } },
      "a.test A 60 192.0.2.1; *.b.a.test A 60 192.0.2.1; t.a.test TXT 60 xy",
      0, NULL },
    { "a link that leads elsewhere", DNSSYNC_OP_LIST, "",
      { { ZONE, 200, COUNT("1") },
        { PAGES, 200, "{\"value\":[" A("@") "],\"nextLink\":"
          "\"https://arm.test.evil.test/next\"}" } },
      NULL, DNSSYNC_TROUBLE_ANSWER, NULL },
    { "a link to itself", DNSSYNC_OP_LIST, "",
      { { ZONE, 200, COUNT("1") },
        { PAGES, 200, "{\"value\":[],\"nextLink\":\"https://arm.test/x\"}" },
        { "https://arm.test/x\n", 200, "{\"value\":[],\"nextLink\":"
          "\"https://arm.test/x\"}" } },
      NULL, DNSSYNC_TROUBLE_ANSWER, NULL },
    { "a set too few, and then not", DNSSYNC_OP_LIST, "",
      { { ZONE, 200, COUNT("2") }, { PAGES, 200, PAGE(A("x")) },
        { ZONE, 200, COUNT("1") } }, "x.a.test A 60 192.0.2.1", 0, NULL },
    { "a set too few, each time", DNSSYNC_OP_LIST, "",
      { { ZONE, 200, COUNT("2") }, { PAGES, 200, PAGE(A("x")) },
        { ZONE, 200, COUNT("2") }, { PAGES, 200, PAGE(A("x")) },
        { ZONE, 200, COUNT("2") }, { PAGES, 200, PAGE(A("x")) },
        { ZONE, 200, COUNT("2") } },
      NULL, DNSSYNC_TROUBLE_ANSWER, "1 sets were read" },
    { "no list", DNSSYNC_OP_LIST, "",
      { { ZONE, 200, COUNT("0") }, { PAGES, 200, "{}" } },
      NULL, DNSSYNC_TROUBLE_ANSWER, NULL },
    { "sets of other kinds", DNSSYNC_OP_LIST, "",
      { { ZONE, 200, COUNT("3") },
        { PAGES, 200, PAGE(SET("m", "MX", "\"MXRecords\":[]") ","
          SET("r", "A", "\"targetResource\":{\"id\":\"/x\"},\"ARecords\":[]")
          "," SET("t", "AAAA", "\"metadata\":{\"b\":\"2\",\"a\":\"1\"},"
          "\"AAAARecords\":[{\"ipv6Address\":\"2001:DB8::1\"}]")) } },
      "m.a.test MX 60 ; r.a.test A 60  azure/target-resource=/x; t.a.test AAAA "
      "60 2001:db8::1 azure/tags=a=1,b=2", 0, NULL },
    { "a probe", DNSSYNC_OP_PROBE, "sets=2 z", { { ZONE, 200, COUNT("2") } },
      "same", 0, NULL },
    { "the zone has gone", DNSSYNC_OP_PROBE, "sets=2 z",
      { { ZONE, 404, BAD("ResourceNotFound") } }, NULL,
      DNSSYNC_TROUBLE_SETTING, NULL },

    { "a new host: its mark comes first", DNSSYNC_OP_APPLY,
      "+b.a.test A 192.0.2.1, +m.a.test TXT x\\sy, !b.a.test AAAA, "
      "!b.a.test CNAME",
      { { "GET " ARM "/a.test/AAAA/b" API, 404, BAD("NotFound") },
        { "PUT " ARM "/a.test/TXT/m" API, 201, "{}" },
        { "If-None-Match: *\nContent-Type: application/json\n{\"properties\":{"
          "\"TTL\":60,\"metadata\":{},\"ARecords\":[{\"ipv4Address\":"
          "\"192.0.2.1\"}]}}", 201, "{}" } }, "done", 0, NULL },
    { "a new host that has AAAA by now", DNSSYNC_OP_APPLY,
      "+b.a.test A 192.0.2.1, !b.a.test AAAA",
      { { "GET ", 200, SET("b", "AAAA", "\"AAAARecords\":[]") } },
      "lost", 0, NULL },
    { "a new host that is there by now", DNSSYNC_OP_APPLY,
      "+b.a.test A 192.0.2.1", { { "PUT ", 412, BAD("PreconditionFailed") } },
      "lost", 0, NULL },
    { "a change", DNSSYNC_OP_APPLY,
      "-a.test A 192.0.2.1, +a.test A 192.0.2.2",
      { { "PUT " ARM "/a.test/A/%40" API "User-Agent: Torii/" TORII_VERSION
          "\nAuthorization: Bearer azure-secret\nIf-Match: etag\n", 200,
          "{}" } }, "done", 0, NULL },
    { "a host goes: its mark is last", DNSSYNC_OP_APPLY,
      "-m.a.test TXT x, -b.a.test A 192.0.2.1",
      { { "DELETE " ARM "/a.test/A/b" API, 200, "" },
        { "DELETE " ARM "/a.test/TXT/m" API, 204, "" } }, "done", 0, NULL },
    { "a mark in an alias' way goes first", DNSSYNC_OP_APPLY,
      "-b.a.test TXT x, -b.a.test A 192.0.2.1, +b.a.test CNAME c.test",
      { { "DELETE " ARM "/a.test/TXT/b" API, 200, "" },
        { "DELETE " ARM "/a.test/A/b" API, 200, "" },
        { "\"CNAMERecord\":{\"cname\":\"c.test\"}}}", 200, "{}" } },
      "done", 0, NULL },
    { "a mark that stays is looked at", DNSSYNC_OP_APPLY,
      "-b.a.test A 192.0.2.1, +b.a.test A 192.0.2.2, =m.a.test TXT x; "
      "-d.a.test A 192.0.2.1, =n.a.test TXT x; "
      "-e.a.test A 192.0.2.1, =o.a.test TXT x",
      { { "GET " ARM "/a.test/TXT/m" API, 200, TXT("m", "\"x\"") },
        { "PUT ", 200, "{}" },
        { "GET " ARM "/a.test/TXT/n" API, 200, TXT("n", "\"other\"") },
        { "GET " ARM "/a.test/TXT/o" API, 404, "" } },
      "done lost lost", 0, NULL },
    { "half of it: nobody knows", DNSSYNC_OP_APPLY,
      "+m.a.test TXT x, +b.a.test A 192.0.2.1; +d.a.test A 192.0.2.1",
      { { "PUT ", 201, "{}" }, { "PUT ", 412, BAD("PreconditionFailed") },
        { "PUT ", 201, "{}" } }, "unsure done", 0, NULL },
    { "half of it, and no right to the rest", DNSSYNC_OP_APPLY,
      "+m.a.test TXT x, +b.a.test A 192.0.2.1; +d.a.test A 192.0.2.1",
      { { "PUT ", 201, "{}" }, { "PUT ", 403, BAD("AuthorizationFailed") } },
      "unsure later", DNSSYNC_TROUBLE_DENIED, NULL },
    { "refused", DNSSYNC_OP_APPLY, "+b.a.test A 192.0.2.1",
      { { "PUT ", 400, BAD("BadRequest") } }, "refused", 0, NULL },
    { "no answer", DNSSYNC_OP_APPLY, "+b.a.test A 192.0.2.1",
      { { "PUT ", 0, NULL } }, "unsure", DNSSYNC_TROUBLE_DOWN, NULL },
    { "too many requests, then done", DNSSYNC_OP_APPLY,
      "+b.a.test A 192.0.2.1",
      { { "PUT ", 429, "" }, { "PUT ", 200, "{}" } }, "done", 0, NULL },
    { "a type that is not written", DNSSYNC_OP_APPLY, "-b.a.test MX x",
      { { NULL, 0, NULL } }, "refused", 0, NULL },

    { "a challenge beside another", DNSSYNC_OP_CHALLENGE, "+new",
      { { "GET " ARM "/a.test/TXT/c" API, 200, TXT("c", "\"old\"") },
        { "If-Match: e1\nContent-Type: application/json\n{\"properties\":{"
          "\"TTL\":60,\"metadata\":{},\"TXTRecords\":[{\"value\":[\"old\"]},{"
          "\"value\":[\"new\"]}]}}", 200, "{}" } }, "", 0, NULL },
    { "a challenge, and another at the same time", DNSSYNC_OP_CHALLENGE,
      "+new",
      { { "GET ", 404, "" }, { "If-None-Match: *", 412, "" },
        { "GET ", 200, TXT("c", "\"old\"") },
        { "If-Match: e1", 200, "{}" } }, "", 0, NULL },
    { "the last challenge goes", DNSSYNC_OP_CHALLENGE, "-old",
      { { "GET ", 200, TXT("c", "\"old\"") },
        { "DELETE ", 200, "" } }, "", 0, NULL },
    { "another set in place of the challenge's", DNSSYNC_OP_CHALLENGE, "+new",
      { { "GET ", 200, TXT("d", "\"x\"") } }, NULL, DNSSYNC_TROUBLE_ANSWER,
      NULL },

    { "a token that is over is renewed once", DNSSYNC_OP_PROBE, "x",
      { { ZONE, 401, "" }, { "POST https://login.test/t/oauth2", 200, TOKEN },
        { ZONE, 401, "" } }, NULL, DNSSYNC_TROUBLE_DENIED, NULL },
    { "credentials that are wrong", DNSSYNC_OP_PROBE, "x",
      { { ZONE, 401, "" },
        { "client_secret=very%20secret", 400, "{\"error\":\"invalid_client\","
          "\"error_description\":\"very secret\"}" } },
      NULL, DNSSYNC_TROUBLE_DENIED, "invalid_client" }
};


int
main(void)
{
    size_t   i;
    cloud_t  w;

    static const dnssync_option_t  settings[] = {
        { torii_string("provider"), torii_string("azure") },
        { torii_string("txt-owner-id"), torii_string("me") },
        { torii_string("api-url"), torii_string("https://arm.test") },
        { torii_string("azure-authority-host"),
          torii_string("https://login.test/") },
        { torii_string("azure-subscription-id"), torii_string("s") },
        { torii_string("azure-resource-group"), torii_string("g") },
        { torii_string("azure-tenant-id"), torii_string("t") },
        { torii_string("azure-client-id"), torii_string("c") },
        { torii_string("azure-client-secret"), torii_string("very secret") }
    };

    cloud_start(&w, "a.test", settings, 9);

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        cloud_run(&w, &test_cases[i], 0);
    }

    cloud_end(&w);

    return tap_done();
}
