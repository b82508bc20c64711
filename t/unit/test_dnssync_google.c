
/*
 * Google Cloud DNS, by a script of answers; the assertion of its service
 * account is verified with the account's own key.
 */

#include "cloud_make.h"
#include "torii_jose.h"


#define TOKEN    "{\"access_token\":\"ya29.secret\",\"expires_in\":3599,"     \
                 "\"token_type\":\"Bearer\"}"
#define ZONES    "GET https://dns.test/dns/v1/projects/p-1/managedZones"
#define HEADS    ZONES "/z1/changes?maxResults=1&sortBy=changeSequence&"      \
                 "sortOrder=descending\n"
#define PAGES    ZONES "/z1/rrsets?maxResults=1000"
#define CHANGES  "POST https://dns.test/dns/v1/projects/p-1/managedZones/z1/" \
                 "changes\n"
#define POLLS    ZONES "/z1/changes/7\n"
#define HEAD(id)  "{\"changes\":[{\"id\":\"" id "\",\"status\":\"done\"}]}"
#define SET(name, type, data)                                                 \
    "{\"name\":\"" name ".\",\"type\":\"" type "\",\"ttl\":60,\"rrdatas\":["  \
    data "]}"
#define PAGE(sets)  "{\"rrsets\":[" sets "]}"
#define SOA  SET("a.test", "SOA", "\"x. y. 1 2 3 4 5\"") ","                  \
             SET("a.test", "NS", "\"ns.test.\"")
#define DONE     "{\"id\":\"7\",\"status\":\"done\"}"
#define PENDING  "{\"id\":\"7\",\"status\":\"pending\"}"
#define ERROR(code, reason, message)                                          \
    "{\"error\":{\"code\":" code ",\"message\":\"" message "\",\"errors\":["  \
    "{\"reason\":\"" reason "\"}]}}"


static const cloud_case_t  test_cases[] = {
    { "a token, then zones", DNSSYNC_OP_ZONES, NULL,
      { { "POST https://token.test/token\n", 200, TOKEN },
        { ZONES "?maxResults=1000\nUser-Agent: Torii/" TORII_VERSION "\n"
          "Authorization: Bearer ya29.secret\n", 200,
          "{\"managedZones\":[{\"name\":\"z1\",\"dnsName\":\"a.test.\","
          "\"visibility\":\"public\"},{\"name\":\"p\",\"dnsName\":\"p.test.\","
          "\"peeringConfig\":{}}],\"nextPageToken\":\"a/b\"}" },
        { ZONES "?maxResults=1000&pageToken=a%2Fb\n", 200,
          "{\"managedZones\":[{\"name\":\"z2\",\"dnsName\":\"B.test.\","
          "\"visibility\":\"private\"}]}" } },
      "a.test z1 0; b.test z2 0 private", 0, NULL },
    { "no zones", DNSSYNC_OP_ZONES, NULL, { { ZONES, 200, "{}" } },
      NULL, DNSSYNC_TROUBLE_ANSWER, NULL },
    { "zones, for ever the same page", DNSSYNC_OP_ZONES, NULL,
      { { ZONES, 200, "{\"managedZones\":[],\"nextPageToken\":\"x\"}" },
        { ZONES, 200, "{\"managedZones\":[],\"nextPageToken\":\"x\"}" } },
      NULL, DNSSYNC_TROUBLE_ANSWER, NULL },

    { "two pages", DNSSYNC_OP_LIST, "",
      { { HEADS, 200, HEAD("3") },
        { PAGES "\n", 200, "{\"rrsets\":[" SOA "],\"nextPageToken\":\"t\"}" },
        { PAGES "&pageToken=t\n", 200,
          PAGE(SET("*.a.test", "A", "\"192.0.2.1\",\"192.0.2.2\"")) },
        { HEADS, 200, HEAD("3") } },
      "a.test SOA 60 x. y. 1 2 3 4 5; a.test NS 60 ns.test.; *.a.test A 60 "
      "192.0.2.1|192.0.2.2", 0, NULL },
    { "what has not changed is not read", DNSSYNC_OP_LIST, "change=3",
      { { HEADS, 200, HEAD("3") } }, "same", 0, NULL },
    { "changed while it was read: once more", DNSSYNC_OP_LIST, "",
      { { HEADS, 200, HEAD("3") }, { PAGES, 200, PAGE(SOA) },
        { HEADS, 200, HEAD("4") }, { PAGES, 200, PAGE(SOA) },
        { HEADS, 200, HEAD("4") } },
      "a.test SOA 60 x. y. 1 2 3 4 5; a.test NS 60 ns.test.", 0, NULL },
    { "changed each time", DNSSYNC_OP_LIST, "",
      { { HEADS, 200, HEAD("3") }, { PAGES, 200, PAGE(SOA) },
        { HEADS, 200, HEAD("4") }, { PAGES, 200, PAGE(SOA) },
        { HEADS, 200, HEAD("5") }, { PAGES, 200, PAGE(SOA) },
        { HEADS, 200, HEAD("6") } },
      NULL, DNSSYNC_TROUBLE_ANSWER, "changed each time" },
    { "a zone without SOA", DNSSYNC_OP_LIST, "",
      { { HEADS, 200, HEAD("3") }, { PAGES, 200, "{\"rrsets\":[]}" } },
      NULL, DNSSYNC_TROUBLE_ANSWER, NULL },
    { "no list in the page", DNSSYNC_OP_LIST, "",
      { { HEADS, 200, HEAD("3") }, { PAGES, 200, "{\"kind\":\"x\"}" } },
      NULL, DNSSYNC_TROUBLE_ANSWER, NULL },
    { "a set without a TTL", DNSSYNC_OP_LIST, "",
      { { HEADS, 200, HEAD("3") },
        { PAGES, 200, PAGE("{\"name\":\"a.test.\",\"type\":\"A\"}") } },
      NULL, DNSSYNC_TROUBLE_ANSWER, NULL },
    { "no change to be seen", DNSSYNC_OP_PROBE, "change=3",
      { { HEADS, 200, "{\"changes\":[]}" } }, NULL, DNSSYNC_TROUBLE_ANSWER,
      NULL },
    { "a probe", DNSSYNC_OP_PROBE, "change=3", { { HEADS, 200, HEAD("4") } },
      "", 0, NULL },

    { "a new host: its other addresses are looked for", DNSSYNC_OP_APPLY,
      "+b.a.test A 192.0.2.1, +m.a.test TXT x\\sy, !b.a.test AAAA, "
      "!b.a.test CNAME",
      { { PAGES "&name=b.a.test.\n", 200, PAGE("") },
        { "{\"deletions\":[],\"additions\":[" SET("b.a.test", "A",
          "\"192.0.2.1\"") "," SET("m.a.test", "TXT", "\"\\\"x y\\\"\"") "]}",
          200, DONE } }, "done", 0, NULL },
    { "a new host that has AAAA by now", DNSSYNC_OP_APPLY,
      "+b.a.test A 192.0.2.1, !b.a.test AAAA; +d.a.test A 192.0.2.1",
      { { PAGES "&name=b.a.test.\n", 200,
          PAGE(SET("b.a.test", "AAAA", "\"2001:db8::1\"")) },
        { "[" SET("d.a.test", "A", "\"192.0.2.1\"") "]", 200, DONE } },
      "lost done", 0, NULL },
    { "a change, and a mark that stays", DNSSYNC_OP_APPLY,
      "-b.a.test CNAME x.test, +b.a.test CNAME y.test, =m.a.test TXT x",
      { { "{\"deletions\":[" SET("b.a.test", "CNAME", "\"x.test.\"") ","
          SET("m.a.test", "TXT", "\"\\\"x\\\"\"") "],\"additions\":["
          SET("b.a.test", "CNAME", "\"y.test.\"") ","
          SET("m.a.test", "TXT", "\"\\\"x\\\"\"") "]}", 200, DONE } },
      "done", 0, NULL },
    { "pending for a while", DNSSYNC_OP_APPLY, "+b.a.test A 192.0.2.1",
      { { CHANGES, 200, PENDING }, { POLLS, 200, PENDING },
        { POLLS, 0, NULL }, { POLLS, 200, DONE } }, "done", 0, NULL },
    { "the second of three is another by now", DNSSYNC_OP_APPLY,
      "+b.a.test A 192.0.2.1; -c.a.test A 192.0.2.1; +d.a.test A 192.0.2.1",
      { { CHANGES, 412, ERROR("412", "conditionNotMet", "m") },
        { "additions\":[" SET("b.a.test", "A", "\"192.0.2.1\"") "]", 200,
          DONE },
        { "deletions\":[" SET("c.a.test", "A", "\"192.0.2.1\"") "]", 412,
          ERROR("412", "conditionNotMet", "m") },
        { "additions\":[" SET("d.a.test", "A", "\"192.0.2.1\"") "]", 200,
          DONE } }, "done lost done", 0, NULL },
    { "what is to go has gone", DNSSYNC_OP_APPLY, "-b.a.test A 192.0.2.1",
      { { CHANGES, 404, ERROR("404", "notFound", "The resource "
          "'entity.change.deletions[0]' does not exist") } },
      "lost", 0, NULL },
    { "the zone has gone", DNSSYNC_OP_APPLY, "-b.a.test A 192.0.2.1",
      { { CHANGES, 404, ERROR("404", "notFound", "managedZone") } },
      "later", DNSSYNC_TROUBLE_SETTING, NULL },
    { "refused", DNSSYNC_OP_APPLY, "+b.a.test A 192.0.2.1",
      { { CHANGES, 400, ERROR("400", "invalid", "m") } }, "refused", 0, NULL },
    { "too many requests, then done", DNSSYNC_OP_APPLY,
      "+b.a.test A 192.0.2.1",
      { { CHANGES, 403, ERROR("403", "rateLimitExceeded", "m") },
        { CHANGES, 429, "" }, { CHANGES, 200, DONE } }, "done", 0, NULL },
    { "no right", DNSSYNC_OP_APPLY, "+b.a.test A 192.0.2.1",
      { { CHANGES, 403, ERROR("403", "forbidden", "m") } }, "later",
      DNSSYNC_TROUBLE_DENIED, NULL },
    { "no answer", DNSSYNC_OP_APPLY, "+b.a.test A 192.0.2.1",
      { { CHANGES, 0, NULL } }, "unsure", DNSSYNC_TROUBLE_DOWN, NULL },
    { "an answer of another kind", DNSSYNC_OP_APPLY, "+b.a.test A 192.0.2.1",
      { { CHANGES, 200, "<html>" } }, "unsure", DNSSYNC_TROUBLE_ANSWER,
      NULL },

    { "a challenge beside another", DNSSYNC_OP_CHALLENGE, "+new",
      { { PAGES "&name=c.a.test.&type=TXT\n", 200,
          PAGE(SET("c.a.test", "TXT", "\"\\\"old\\\"\"")) },
        { "additions\":[" SET("c.a.test", "TXT", "\"\\\"old\\\"\","
          "\"\\\"new\\\"\"") "]", 200, DONE } }, "", 0, NULL },
    { "a challenge, and another at the same time", DNSSYNC_OP_CHALLENGE,
      "+new",
      { { PAGES, 200, PAGE("") },
        { CHANGES, 409, ERROR("409", "alreadyExists", "m") },
        { PAGES, 200, PAGE(SET("c.a.test", "TXT", "\"\\\"old\\\"\"")) },
        { CHANGES, 200, DONE } }, "", 0, NULL },
    { "another set in place of the challenge's", DNSSYNC_OP_CHALLENGE, "+new",
      { { PAGES, 200, PAGE(SET("d.a.test", "TXT", "\"x\"")) } },
      NULL, DNSSYNC_TROUBLE_ANSWER, NULL },

    { "a token that is over is renewed once", DNSSYNC_OP_PROBE, "change=3",
      { { HEADS, 401, "" }, { "POST https://token.test/token", 200, TOKEN },
        { HEADS, 401, "" } }, NULL, DNSSYNC_TROUBLE_DENIED, NULL }
};


/* "header.claims.signature" */

static void
test_assertion(cloud_t *w, EVP_PKEY *key)
{
    torii_str_t      body, part[3], claims;
    torii_arena_t   *a;
    EVP_MD_CTX      *ctx;
    dnssync_op_t    *op;

    a = torii_arena_create(4096);
    op = dnssync_op_create(w->account, DNSSYNC_OP_ZONES);
    w->account->token_until = 0;

    (void) dnssync_op_go(op, CLOUD_NOW);
    body = torii_arena_str(a, op->request.body);
    body.data = (unsigned char *) strstr((char *) body.data, "assertion=");
    body.data += sizeof("assertion=") - 1;
    body.len = strlen((char *) body.data);

    (void) torii_str_next(&body, ".", &part[0]);
    (void) torii_str_next(&body, ".", &part[1]);
    (void) torii_str_next(&body, ".", &part[2]);

    tap_ok(torii_base64url_decode(a, part[1], &claims) == TORII_OK
           && torii_str_eqs(claims, "{\"iss\":\"t@p-1.test\",\"scope\":\"https:"
                            "//www.googleapis.com/auth/ndev.clouddns.readwrite"
                            "\",\"aud\":\"https://token.test/token\",\"iat\":"
                            "1795000000,\"exp\":1795003600}"),
           "the claims of the assertion");

    claims = part[2];
    (void) torii_base64url_decode(a, claims, &part[2]);

    ctx = EVP_MD_CTX_new();
    tap_ok(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1
           && EVP_DigestVerify(ctx, part[2].data, part[2].len, part[0].data,
                               part[0].len + 1 + part[1].len) == 1,
           "its signature");
    EVP_MD_CTX_free(ctx);

    dnssync_op_free(op);
    torii_arena_destroy(a);
}


int
main(void)
{
    size_t             i;
    cloud_t            w;
    EVP_PKEY          *key;
    torii_buf_t        pem, json;
    torii_str_t        s;
    dnssync_option_t   settings[4];

    memset(&pem, 0, sizeof(torii_buf_t));
    memset(&json, 0, sizeof(torii_buf_t));

    key = torii_key_generate(TORII_KEY_RSA_2048);
    (void) torii_key_write(key, 0, &pem);

    torii_buf_adds(&json, "{\"type\":\"service_account\",\"project_id\":"
                   "\"p-1\",\"private_key_id\":\"k\",\"client_email\":"
                   "\"t@p-1.test\",\"token_uri\":\"https://token.test/token\","
                   "\"private_key\":");
    s.data = pem.data;
    s.len = pem.len;
    torii_buf_add_json(&json, s);
    torii_buf_adds(&json, "}");

    settings[0].name = torii_str("provider");
    settings[0].value = torii_str("google");
    settings[1].name = torii_str("txt-owner-id");
    settings[1].value = torii_str("me");
    settings[2].name = torii_str("google-service-account");
    settings[2].value.data = json.data;
    settings[2].value.len = json.len;
    settings[3].name = torii_str("api-url");
    settings[3].value = torii_str("https://dns.test");

    cloud_start(&w, "z1", settings, 4);

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        cloud_run(&w, &test_cases[i], 1);
    }

    test_assertion(&w, key);

    cloud_end(&w);
    torii_buf_free(&pem);
    torii_buf_free(&json);
    EVP_PKEY_free(key);

    return tap_done();
}
