
/*
 * Small things that answers of a CA carry: dates, links, problems, nonces.
 */

#include "acme_client_machine.h"
#include "acme_date.h"
#include "tap.h"


#define NOW  1795359600000ULL            /* 2026-11-22T15:00:00Z */


static void
test_dates(void)
{
    int       rc;
    size_t    i;
    int64_t   t;
    uint64_t  wait;

    static const struct {
        const char  *text;
        int          http;
        int64_t      seconds;       /* -1: refused */
    } cases[] = {
        { "Sun, 06 Nov 1994 08:49:37 GMT", 1, 784111777 },
        { "Thu, 01 Jan 1970 00:00:00 GMT", 1, 0 },
        { "Sat, 29 Feb 2028 12:00:00 GMT", 1, 1835438400 },
        { "Sat, 29 Feb 2027 12:00:00 GMT", 1, -1 },
        { "Sun, 6 Nov 1994 08:49:37 GMT", 1, -1 },
        { "Sun, 06 Nov 1994 08:49:37", 1, -1 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", 1, -1 },
        { "", 1, -1 },
        { "2026-12-01T00:00:00Z", 0, 1796083200 },
        { "2026-12-01T01:30:00+01:30", 0, 1796083200 },
        { "2026-11-30T22:00:00.999999999-02:00", 0, 1796083200 },
        { "2026-12-01t00:00:00z", 0, 1796083200 },
        { "9999-12-31T23:59:60Z", 0, 253402300800 },
        { "2026-12-01T00:00:00", 0, -1 },
        { "2026-12-01T00:00:00.Z", 0, -1 },
        { "2026-13-01T00:00:00Z", 0, -1 },
        { "2026-12-01T24:00:00Z", 0, -1 },
        { "2026-12-01T00:00:00Zx", 0, -1 },
        { "0000-12-01T00:00:00Z", 0, -1 },
        { "+026-12-01T00:00:00Z", 0, -1 }
    };

    static const struct {
        const char  *text;
        const char  *date;
        int64_t      wait;          /* -1: not said */
    } waits[] = {
        { "120", "", 120000 },
        { " 0 ", "", 0 },
        { "99999999999999999999", "", -1 },
        { "9999999999", "", 8 * 86400000LL },
        { "-1", "", -1 },
        { "soon", "", -1 },
        { "", "", -1 },
        { "Sun, 22 Nov 2026 15:00:10 GMT", "", 10000 },
        { "Sun, 22 Nov 2026 14:00:10 GMT", "", 0 },
        { "Sun, 22 Nov 2026 14:00:10 GMT", "Sun, 22 Nov 2026 14:00:00 GMT",
          10000 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rc = cases[i].http ? acme_date_http(torii_str(cases[i].text), &t)
                           : acme_date_rfc3339(torii_str(cases[i].text), &t);

        tap_ok(cases[i].seconds == -1 ? rc == TORII_ERROR
               : rc == TORII_OK && t == cases[i].seconds, "date \"%s\"",
               cases[i].text);
    }

    for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        rc = acme_date_retry_after(torii_str(waits[i].text),
                                   torii_str(waits[i].date), NOW, &wait);

        tap_ok(waits[i].wait == -1 ? rc == TORII_DECLINED
               : rc == TORII_OK && (int64_t) wait == waits[i].wait,
               "Retry-After \"%s\" by \"%s\"", waits[i].text, waits[i].date);
    }
}


static void
test_links(void)
{
    size_t        i;
    char          found[256];
    acme_link_t   link;
    torii_str_t   rest;

    static const struct {
        const char  *header;
        const char  *found;         /* targets that are alternates */
    } cases[] = {
        { "", "" },
        { "<https://a.example/1>;rel=\"alternate\"", "https://a.example/1 " },
        { "<https://a.example/1>; rel=alternate", "https://a.example/1 " },
        { "</d>;rel=\"index\", </1>;rel=\"alternate\", </2>;rel=alternate",
          "/1 /2 " },
        { "</1>; title=\"a, <b>; rel=x\"; rel=\"up Alternate\"", "/1 " },
        { "</1>; title=\"\\\"\"; rel = alternate", "/1 " },
        { "</1>;rel=up;rel=alternate", "" },
        { ", ,</1>;rel=alternate,", "/1 " },
        { "</1>;rel=\"alternate", "" },
        { "</1;rel=alternate", "" },
        { "</1>;alternate", "" },
        { "</a,b>;rel=alternate", "/a,b " },
        { "</1>;rel=alternates, </2>;rel=alternate", "/2 " }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rest = torii_str(cases[i].header);
        found[0] = '\0';

        while (acme_link_next(&rest, &link)) {
            if (acme_link_is(&link, "alternate")) {
                (void) snprintf(found + strlen(found), 64, "%.*s ",
                                torii_str_arg(link.target));
            }
        }

        tap_ok(strcmp(found, cases[i].found) == 0, "Link: %s",
               cases[i].header);
    }
}


static void
test_urls(void)
{
    int             rc;
    size_t          i;
    torii_str_t     url;
    torii_arena_t  *a;

    static const struct {
        const char  *base;
        const char  *ref;
        const char  *url;           /* NULL: refused */
    } cases[] = {
        { "https://a.example/x/y?z", "https://b.example/1",
          "https://b.example/1" },
        { "https://a.example/x/y?z", "HTTPS://b.example/1",
          "HTTPS://b.example/1" },
        { "https://a.example/x/y?z", "//b.example/1", "https://b.example/1" },
        { "https://a.example:14000/x/y?z", "/1",
          "https://a.example:14000/1" },
        { "https://a.example/x/y?q=/z", "1?2", "https://a.example/x/1?2" },
        { "https://a.example", "1", "https://a.example/1" },
        { "https://a.example?x/y", "1", "https://a.example/1" },
        { "https://a.example/x", "http://b.example/1", NULL },
        { "https://a.example/x", "javascript:alert(1)", NULL },
        { "https://a.example/x", "file:///etc/passwd", NULL },
        { "https://a.example/x", "../1", NULL },
        { "https://a.example/x", "/1/../2", NULL },
        { "https://a.example/x", "", NULL },
        { "https://a.example/x", "https://", NULL },
        { "https://a.example/x", "https:///1", NULL },
        { "https://a.example/x", "/a b", NULL },
        { "https://a.example/x", "/a\r\nb", NULL },
        { "https://a.example/x", "/\xc3\xa9", NULL },
        { "http://a.example/x", "/1", NULL }
    };

    a = torii_arena_create(256);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rc = acme_url_resolve(a, torii_str(cases[i].base),
                              torii_str(cases[i].ref), &url);

        tap_ok(cases[i].url ? rc == TORII_OK
                              && torii_str_eqs(url, cases[i].url)
                            : rc == TORII_ERROR, "case %u: from \"%s\"",
               (unsigned) i, cases[i].base);
    }

    torii_arena_destroy(a);
}


static void
test_problems(void)
{
    size_t               i;
    torii_node_t        *doc;
    torii_arena_t       *a;
    acme_problem_t       p;
    torii_tree_error_t   error;

    static const torii_tree_limits_t  limits = { 1 << 16, 1000, 16 };

    static const struct {
        const char   *doc;
        uint32_t      status;
        int           validation;
        acme_fail_e   fail;
        const char   *type;
        const char   *text;
    } cases[] = {
        { "{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"no\"}",
          403, 0, ACME_FAIL_NAME, "caa", "no" },
        { "{\"type\":\"URN:IETF:PARAMS:ACME:ERROR:CAA\"}",
          403, 0, ACME_FAIL_NAME, "CAA", "CAA" },
        { "{\"type\":\"urn:ietf:params:acme:error:unauthorized\"}",
          403, 0, ACME_FAIL_ACCOUNT, "unauthorized", NULL },
        { "{\"type\":\"urn:ietf:params:acme:error:unauthorized\"}",
          0, 1, ACME_FAIL_VALIDATION, "unauthorized", NULL },
        { "{\"type\":\"about:blank\",\"detail\":\"x\"}",
          429, 0, ACME_FAIL_LIMIT, "about:blank", "x" },
        { "{\"type\":\"a:new:type\"}", 500, 0, ACME_FAIL_SERVER, NULL, NULL },
        { "{\"type\":\"a:new:type\"}", 403, 0, ACME_FAIL_ACCOUNT, NULL, NULL },
        { "{\"type\":\"a:new:type\"}", 400, 0, ACME_FAIL_ORDER, NULL, NULL },
        { "{\"type\":7}", 400, 0, ACME_FAIL_NETWORK, "", NULL },
        { "[]", 503, 0, ACME_FAIL_SERVER, "", NULL },
        { "{\"detail\":\"a\\nb\\u0000c\\u0085d\"}", 400, 0,
          ACME_FAIL_ORDER, "", "a b c?d" },
        { "{\"type\":\"urn:ietf:params:acme:error:compound\",\"subproblems\":"
          "[{\"type\":\"urn:ietf:params:acme:error:dns\"},7,{\"type\":"
          "\"urn:ietf:params:acme:error:rateLimited\"}]}", 403, 0,
          ACME_FAIL_LIMIT, "compound", NULL },
        { "{\"type\":\"urn:ietf:params:acme:error:compound\"}", 403, 0,
          ACME_FAIL_ACCOUNT, "compound", NULL }
    };

    a = torii_arena_create(4096);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        doc = NULL;
        (void) torii_tree_json(a, torii_str(cases[i].doc), &limits, &doc,
                               &error);

        acme_problem_read(doc, cases[i].status, cases[i].validation, &p);

        tap_ok(doc && p.fail == cases[i].fail
               && (cases[i].type == NULL
                   || strcmp(p.type, cases[i].type) == 0)
               && (cases[i].text == NULL
                   || strcmp(p.text, cases[i].text) == 0)
               && p.text[0], "problem %s", cases[i].doc);
    }

    torii_arena_destroy(a);

    for (i = ACME_FAIL_NONE; i <= ACME_FAIL_RECORD; i++) {
        if (strcmp(acme_fail_name(i), "unknown") == 0) {
            break;
        }
    }

    tap_ok(i == ACME_FAIL_RECORD + 1
           && strcmp(acme_fail_name(ACME_FAIL_RECORD), "record") == 0
           && strcmp(acme_fail_name(ACME_FAIL_LIMIT), "limit") == 0
           && strcmp(acme_fail_name(i), "unknown") == 0,
           "each class has its word");
}


static void
test_cut(void)
{
    char  text[8];

    acme_problem_text(text, sizeof(text), torii_str("123456\xc3\xa9"));
    tap_ok(strcmp(text, "123456") == 0, "no half of a character is left");

    acme_problem_text(text, sizeof(text), torii_str("12345\xc3\xa9z"));
    tap_ok(strcmp(text, "12345\xc3\xa9") == 0, "one that fits is");

    acme_problem_text(text, sizeof(text), torii_str("\xff\x01\x7f\xc3"));
    tap_ok(strcmp(text, "? ??") == 0, "what is no text is replaced");
}


static void
test_nonces(void)
{
    int                 i;
    char                text[300];
    const char         *nonce;
    acme_nonce_pool_t   pool;

    memset(&pool, 0, sizeof(pool));

    tap_ok(!acme_nonce_have(&pool, NOW) && !acme_nonce_take(&pool, NOW),
           "no nonce");

    for (i = 0; i < 20; i++) {
        (void) snprintf(text, sizeof(text), "nonce-%d", i);
        acme_nonce_add(&pool, NOW + i, torii_str(text));
    }

    acme_nonce_add(&pool, NOW, torii_str("a\"b"));
    acme_nonce_add(&pool, NOW, torii_str(""));

    memset(text, 'a', 256);
    text[256] = '\0';
    acme_nonce_add(&pool, NOW, torii_str(text));

    for (i = 19; i >= 4; i--) {
        (void) snprintf(text, sizeof(text), "nonce-%d", i);
        nonce = acme_nonce_take(&pool, NOW);

        if (nonce == NULL || strcmp(nonce, text) != 0) {
            break;
        }
    }

    tap_ok(i == 3 && !acme_nonce_have(&pool, NOW),
           "16 are kept, the newest comes first");

    acme_nonce_add(&pool, NOW, torii_str("old"));
    acme_nonce_add(&pool, NOW + 1800000, torii_str("new"));

    nonce = acme_nonce_take(&pool, NOW + 3700000);

    tap_ok(nonce && strcmp(nonce, "new") == 0
           && !acme_nonce_have(&pool, NOW + 3700000), "none after an hour");
}


int
main(void)
{
    test_dates();
    test_links();
    test_urls();
    test_problems();
    test_cut();
    test_nonces();

    return tap_done();
}
