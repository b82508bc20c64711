
/*
 * Which route answers: hosts, paths, the missing slash, regexes, rewriting.
 */

#include <time.h>

#include "tap.h"
#include "table_make.h"
#include "ingress_route.h"


#define TEST_NONE   -1
#define TEST_SLASH  0x100      /* added to the row's index: redirect */
#define TEST_FAIL   0x200

#define TEST_MANY   1000       /* regexes of one host */
#define TEST_MSEC   60


typedef struct {
    const char     *host;
    const char     *uri;
    int             row;       /* whose route answers, TEST_NONE: 404 */
    const char     *name;      /* of the host found */
} test_find_t;

typedef struct {
    const char     *path;
    const char     *target;
    const char     *uri;
    int             rc;
    const char     *out;
} test_rewrite_t;


static const table_row_t  test_rows[] = {
    { "_", '/', "/", NULL },                                    /* 0 */
    { "_", '=', "/healthz", NULL },
    { "a.example", '/', "/", NULL },                            /* 2 */
    { "a.example", '=', "/foo", NULL },
    { "a.example", '/', "/foo/", NULL },
    { "a.example", '=', "/foo/bar", NULL },                     /* 5 */
    { "a.example", '/', "/foo/bar/", NULL },
    { "a.example", '/', "/foo/bar!/deep/", NULL },
    { "a.example", '/', "/docs/", NULL },                       /* 8 */
    { "a.example", '=', "/docs/", NULL },
    { "a.example", '=', "/only/", NULL },
    { "a.example", '/', "/x/", NULL },                          /* 11 */
    { "a.example", '/', "/x/y/z/", NULL },
    { "a.example", '=', "/docs.html", NULL },
    { "a.example", 'n', "alias.example", NULL },
    { "bare.example", '=', "/one", NULL },                      /* 15 */
    { "*.wild.example", '/', "/", NULL },
    { "*.wild.example", 'a', "^re[0-9]+\\.example$", NULL },
    { "one.wild.example", '/', "/", NULL },                     /* 18 */
    { "re.example", '~', "/foo/bar/[a-z]{3}", NULL },
    { "re.example", '~', "/foo/bar/bar", NULL },
    { "re.example", '~', "/id/[0-9]{3}$", NULL },               /* 21 */
    { "re.example", '~', "/id/[0-9]+", NULL },
    { "re.example", '~', "/loop(a+)+$", NULL },
    { "re.example", '~', "/lo", NULL },                         /* 24 */
    { "empty.example", '/', "/nothing/here/", NULL },
    { NULL, 0, NULL, NULL }
};


static const test_find_t  test_finds[] = {

    /* hosts */

    { "a.example", "/", 2, "a.example" },
    { "alias.example", "/", 2, "a.example" },
    { "other.example", "/", 0, "_" },
    { "", "/", 0, "_" },
    { "_", "/x", 0, "_" },
    { "x.wild.example", "/", 16, "*.wild.example" },
    { "x-1_y.wild.example", "/", 16, "*.wild.example" },
    { "one.wild.example", "/", 18, "one.wild.example" },
    { "wild.example", "/", 0, "_" },
    { "x.y.wild.example", "/", 0, "_" },
    { ".wild.example", "/", 0, "_" },
    { "*.wild.example", "/", 0, "_" },
    { "x%.wild.example", "/", 0, "_" },
    { "re7.example", "/", 16, "*.wild.example" },
    { "xre7.example", "/", 0, "_" },
    { "re7.example.com", "/", 0, "_" },
    { "other.example", "/healthz", 1, "_" },
    { "other.example", "/healthz/", 0, "_" },

    /* a known host does not fall back to the catch-all's paths */

    { "bare.example", "/one", 15, "bare.example" },
    { "bare.example", "/two", TEST_NONE, "bare.example" },
    { "bare.example", "/healthz", TEST_NONE, "bare.example" },
    { "bare.example", "", TEST_NONE, "bare.example" },

    /* exact, prefix, longest */

    { "a.example", "/foo", 3, "a.example" },
    { "a.example", "/foo/", 4, "a.example" },
    { "a.example", "/foo/x", 4, "a.example" },
    { "a.example", "/foobar", 2, "a.example" },
    { "a.example", "/FOO", 2, "a.example" },
    { "a.example", "/foo/bar", 5, "a.example" },
    { "a.example", "/foo/bar/baz", 6, "a.example" },
    { "a.example", "/foo/bar!", 4, "a.example" },
    { "a.example", "/foo/bar!/deep/", 7, "a.example" },
    { "a.example", "/foo/bar/deep/x", 6, "a.example" },
    { "a.example", "/foo/bas", 4, "a.example" },
    { "a.example", "/x/y/z/1", 12, "a.example" },
    { "a.example", "/x/y/1", 11, "a.example" },
    { "a.example", "/x/y/zz", 11, "a.example" },
    { "a.example", "/zzz", 2, "a.example" },
    { "a.example", "*", TEST_NONE, "a.example" },
    { "empty.example", "/", TEST_NONE, "empty.example" },
    { "empty.example", "/nothing/here/x", 25, "empty.example" },

    /* the slash that is missing */

    { "a.example", "/docs", TEST_SLASH + 9, "a.example" },
    { "a.example", "/docs/", 9, "a.example" },
    { "a.example", "/docs/x", 8, "a.example" },
    { "a.example", "/docs.html", 13, "a.example" },
    { "a.example", "/doc", 2, "a.example" },
    { "a.example", "/only", TEST_SLASH + 10, "a.example" },
    { "a.example", "/only/x", 2, "a.example" },
    { "a.example", "/x", TEST_SLASH + 11, "a.example" },
    { "a.example", "/x/y/z", TEST_SLASH + 12, "a.example" },
    { "empty.example", "/nothing/here", TEST_SLASH + 25, "empty.example" },

    /* regexes: in order, from the start, any case */

    { "re.example", "/foo/bar/bar", 19, "re.example" },
    { "re.example", "/FOO/BAR/xyz1", 19, "re.example" },
    { "re.example", "/foo/bar/b1", TEST_NONE, "re.example" },
    { "re.example", "/id/123", 21, "re.example" },
    { "re.example", "/id/123a", 22, "re.example" },
    { "re.example", "/id/aaa", TEST_NONE, "re.example" },
    { "re.example", "/x/id/123", TEST_NONE, "re.example" },
    { "re.example", "/love", 24, "re.example" },
    { "re.example", "/loopaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
      TEST_FAIL, "re.example" },
};


static const test_rewrite_t  test_rewrites[] = {
    { "/foo", "/bar", "/foo/x", TORII_OK, "/bar" },
    { "/foo", "/bar", "/FOO", TORII_OK, "/bar" },
    { "/foo", "/foo", "/foo/x", TORII_DECLINED, NULL },
    { "/cap/(.*)", "/x/$1", "/cap/a b/c", TORII_OK, "/x/a b/c" },
    { "/cap/(.*)", "/x/$1", "/pre/cap/a", TORII_OK, "/x/a" },
    { "/cap(/|$)(.*)", "/$2", "/cap", TORII_OK, "/" },
    { "/cap(/|$)(.*)", "/$2", "/cap/", TORII_OK, "/" },
    { "/cap(/|$)(.*)", "/$2", "/other", TORII_DECLINED, NULL },
    { "/(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", "/$9$8$10", "/abcdefghij",
      TORII_OK, "/iha0" },
    { "/a", "/$0/$x/$", "/a", TORII_OK, "/$0/$x/$" },
    { "/a(b)?", "/[$1]", "/a", TORII_OK, "/[]" },
    { "/a", "https://$host/$1", "/a", TORII_OK, "https://$host/" },
    { "/(.*)", "/$1$1$1", "/0123456789012345678901", TORII_ERROR, NULL },
    { "/(.*)", "/$1", "/012345678901234567890123456789012345678901234567890"
      "123456789012", TORII_OK, "/01234567890123456789012345678901234567890123"
      "4567890123456789012" },
    { "/(.*)", "/$1", "/012345678901234567890123456789012345678901234567890"
      "1234567890123", TORII_ERROR, NULL },
    { "/loop(a+)+$", "/x", "/loopaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
      TORII_ERROR, NULL },
};


static int
test_open(ingress_table_t *t, const table_row_t *rows, torii_buf_t *out)
{
    char  error[128];

    table_make(rows, 0, out);

    if (ingress_table_check(t, out->data, out->len, error) != TORII_OK) {
        tap_ok(0, "the table is sound: %s", error);
        torii_buf_free(out);
        return 0;
    }

    return 1;
}


static void
test_find(torii_regex_cache_t *regexes)
{
    int                          row;
    size_t                       i;
    torii_buf_t                  out;
    ingress_match_t              match;
    ingress_table_t              t;
    const test_find_t           *c;
    const ingress_table_host_t  *host;

    if (!test_open(&t, test_rows, &out)) {
        return;
    }

    for (i = 0; i < sizeof(test_finds) / sizeof(test_finds[0]); i++) {
        c = &test_finds[i];

        ingress_route_find(&t, regexes, torii_str(c->host), torii_str(c->uri),
                           &match);
        host = ingress_route_host(&t, regexes, torii_str(c->host));

        row = match.route ? (int) (match.route - t.routes) : TEST_NONE;
        row = match.failed ? TEST_FAIL : row;
        row += match.slash ? TEST_SLASH : 0;

        tap_ok(row == c->row && host == match.host
               && (match.route == NULL) == (match.path == NULL)
               && torii_str_eqs(ingress_table_str(&t, host->name), c->name),
               "find \"%s\" \"%s\": %d (is %d)", c->host, c->uri, c->row, row);
    }

    torii_buf_free(&out);
}


/* The buffer holds 64 bytes. */

static void
test_rewrite(torii_regex_cache_t *regexes)
{
    int                    rc;
    size_t                 i;
    torii_buf_t            out;
    torii_str_t            uri, text;
    table_row_t            rows[3];
    unsigned char          buf[64];
    ingress_match_t        match;
    ingress_table_t        t;
    const test_rewrite_t  *c;

    memset(rows, 0, sizeof(rows));

    rows[0].host = "_";
    rows[0].type = '~';

    for (i = 0; i < sizeof(test_rewrites) / sizeof(test_rewrites[0]); i++) {
        c = &test_rewrites[i];

        rows[0].path = c->path;
        rows[0].target = c->target;

        if (!test_open(&t, rows, &out)) {
            continue;
        }

        memset(&match, 0, sizeof(match));

        match.host = t.hosts;
        match.path = t.paths;
        match.route = t.routes;

        uri = torii_str(c->uri);

        rc = ingress_route_rewrite(&t, regexes, &match, uri, buf, sizeof(buf),
                                   &text);

        tap_ok(rc == c->rc && (rc != TORII_OK || torii_str_eqs(text, c->out)),
               "rewrite \"%s\" by \"%s\" to \"%s\": %d", c->uri, c->path,
               c->target, rc);

        torii_buf_free(&out);
    }
}


/* A regex alias that hits its limit must not hand the request to "_". */

static void
test_alias_limit(torii_regex_cache_t *regexes)
{
    torii_buf_t      out;
    torii_str_t      host;
    ingress_match_t  match;
    ingress_table_t  t;

    static const table_row_t  rows[] = {
        { "_", '/', "/", NULL },
        { "h.example", '/', "/", NULL },
        { "h.example", 'a', "^(a+)+$", NULL },
        { NULL, 0, NULL, NULL }
    };

    if (!test_open(&t, rows, &out)) {
        return;
    }

    host = torii_str("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b");

    ingress_route_find(&t, regexes, host, torii_str("/"), &match);

    tap_ok(match.failed && match.route == NULL && match.host == t.hosts,
           "a regex alias that hits its limit fails the request");

    tap_ok(ingress_route_host(&t, regexes, host) == t.hosts,
           "and is the catch-all for a handshake");

    torii_buf_free(&out);
}


static double
test_cpu(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}


/*
 * A thousand regexes, as paths or as aliases: slow ones, none of which comes to
 * its own limit, fail the request soon.  Others find it, also where all of them
 * have to be compiled first.
 */

static void
test_many(char type, const char *format, const char *subject, int failed)
{
    int                   i;
    char                  text[TEST_MANY][64];
    double                spent;
    torii_buf_t           out;
    torii_str_t           host, uri;
    table_row_t           rows[TEST_MANY + 3];
    ingress_match_t       first, second;
    ingress_table_t       t;
    torii_regex_cache_t  *regexes;

    memset(rows, 0, sizeof(rows));

    rows[0].host = "_";
    rows[0].type = '~';
    rows[0].path = "/";
    rows[1].host = "h.example";
    rows[1].type = '~';
    rows[1].path = "/";

    for (i = 0; i < TEST_MANY; i++) {
        snprintf(text[i], sizeof(text[i]), format, i);

        rows[i + 2].host = "h.example";
        rows[i + 2].type = type;
        rows[i + 2].path = text[i];
    }

    /* an alias is tried for names that no host has; "/" would end the search */

    if (type == '~') {
        rows[1].path = "/none$";
    }

    if (!test_open(&t, rows, &out)) {
        return;
    }

    host = torii_str(type == '~' ? "h.example" : subject);
    uri = torii_str(type == '~' ? subject : "/");

    regexes = torii_regex_cache_create(2 * TEST_MANY);

    ingress_route_find(&t, regexes, host, uri, &first);

    spent = test_cpu();
    ingress_route_find(&t, regexes, host, uri, &second);
    spent = test_cpu() - spent;

    tap_ok((int) first.failed == failed && (int) second.failed == failed
           && (first.route == NULL) == failed
           && first.route == second.route && spent < TEST_MSEC,
           "%d regexes '%c' \"%s\": %.1f ms", TEST_MANY, type, format, spent);

    torii_regex_cache_destroy(regexes);
    torii_buf_free(&out);
}


int
main(void)
{
    char                  slow[130];
    torii_regex_cache_t  *regexes;

    regexes = torii_regex_cache_create(64);

    test_find(regexes);
    test_rewrite(regexes);
    test_alias_limit(regexes);

    memset(slow, 'a', sizeof(slow));
    memcpy(slow + 120, "-b9", sizeof("-b9"));

    test_many('a', "^a*a*a*$|^%d$", slow, 1);
    test_many('a', "^n%d\\.example$", "n999.example", 0);

    slow[0] = '/';

    test_many('~', "/a*a*a*$|/%d$", slow, 1);
    test_many('~', "/service-%d(/|$)(.*)", "/service-999/x", 0);

    torii_regex_cache_destroy(regexes);

    return tap_done();
}
