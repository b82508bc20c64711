
/*
 * Regular expressions: captures, limits, the cache.
 */

#include <stdlib.h>

#include "torii_regex.h"
#include "tap.h"


typedef struct {
    const char  *pattern;
    unsigned     flags;
    const char  *subject;
    int          rc;
    const char  *captures;     /* "$0|$1|$2" */
} test_match_t;


static const test_match_t  test_matches[] = {
    { "^/api(/|$)(.*)", 0, "/api/v1", TORII_OK, "/api/v1|/|v1" },
    { "^/api(/|$)(.*)", 0, "/api", TORII_OK, "/api||" },
    { "/api", 0, "/x/api", TORII_OK, "/api||" },
    { "/api", TORII_REGEX_ANCHORED, "/x/api", TORII_DECLINED, NULL },
    { "/api|/x", TORII_REGEX_ANCHORED, "/x/api", TORII_OK, "/x||" },
    { "/API", TORII_REGEX_CASELESS, "/api", TORII_OK, "/api||" },
    { "/API", 0, "/api", TORII_DECLINED, NULL },
    { "(a)|(b)", 0, "b", TORII_OK, "b||b" },
    { "a|(b)(c)", 0, "a", TORII_OK, "a||" },
    { "", 0, "", TORII_OK, "||" },
    { "^$", 0, "", TORII_OK, "||" },
    { "x", 0, "", TORII_DECLINED, NULL },
    { "a\\Kb", 0, "ab", TORII_OK, "b||" },
    { "(?<name>x+)", 0, "--xx", TORII_OK, "xx|xx|" },
    { "^.$", 0, "\xff", TORII_OK, "\xff||" },
    { "()()()()()()()()()()()a", 0, "a", TORII_OK, "a||" },
    { "y(.)", 0, "0123456789abcdef0123456789abcdef0123y!", TORII_OK, "y!|!|" },
    { "(?<=f)0", 0, "0123456789abcdef0123456789abcdef", TORII_OK, "0||" },
    { "^x", 0, "0123456789abcdef0123456789abcdefx", TORII_DECLINED, NULL },
    { "(a", 0, "a", TORII_ERROR, NULL },
    { "(*UTF)a", 0, "a", TORII_ERROR, NULL }
};


static void
test_match(torii_regex_cache_t *cache)
{
    int                  rc;
    char                 text[256];
    size_t               i;
    torii_str_t          captures[TORII_REGEX_CAPTURES];
    torii_regex_t       *re;
    const test_match_t  *t;

    for (i = 0; i < sizeof(test_matches) / sizeof(test_matches[0]); i++) {
        t = &test_matches[i];

        re = torii_regex_get(cache, torii_str(t->pattern), t->flags);
        if (re == NULL) {
            tap_ok(t->rc == TORII_ERROR, "\"%s\" does not compile",
                   t->pattern);
            continue;
        }

        rc = torii_regex_match(re, torii_str(t->subject), captures);

        if (rc == TORII_OK) {
            (void) snprintf(text, sizeof(text), "%.*s|%.*s|%.*s",
                            torii_str_arg(captures[0]),
                            torii_str_arg(captures[1]),
                            torii_str_arg(captures[2]));
        }

        tap_ok(rc == t->rc && (rc != TORII_OK || !strcmp(text, t->captures)),
               "\"%s\" on \"%s\"", t->pattern, t->subject);
    }
}


static void
test_check(void)
{
    char           error[128];
    torii_str_t    s;
    static char    large[TORII_REGEX_MAX + 1];

    error[0] = 'x';
    tap_ok(torii_regex_check(torii_str("^/a(.*)$"), 0, error) == TORII_OK
           && error[0] == '\0', "a good pattern");

    tap_ok(torii_regex_check(torii_str("/(a"), 0, error) == TORII_ERROR
           && strcmp(error, "missing closing parenthesis at offset 3") == 0,
           "a bad pattern: %s", error);

    memset(large, 'a', sizeof(large));
    s.data = (unsigned char *) large;
    s.len = TORII_REGEX_MAX;

    tap_ok(torii_regex_check(s, 0, error) == TORII_OK, "a long pattern");

    s.len++;

    tap_ok(torii_regex_check(s, 0, error) == TORII_ERROR
           && strcmp(error, "longer than 4096 bytes") == 0,
           "a pattern that is too long");

    memset(large, '(', sizeof(large));
    s.len = 400;

    tap_ok(torii_regex_check(s, 0, error) == TORII_ERROR, "many parentheses");

    tap_ok(torii_regex_check(torii_str("((((a{1000}){1000}){1000}){1000})"),
                             0, error) == TORII_ERROR, "a huge repetition");
}


static void
test_limits(torii_regex_cache_t *cache)
{
    int                 rc;
    size_t              i;
    torii_str_t         s, captures[TORII_REGEX_CAPTURES];
    static char         subject[8192];
    static const char  *patterns[] = {
        "^(a+)+$", "^(a|aa)+$", "(a*)*!!", "(*NO_JIT)^(a+)+$",
        "(*NO_JIT)^(a|aa)+$", "(*LIMIT_MATCH=4000000000)^(a+)+$"
    };

    memset(subject, 'a', sizeof(subject));
    subject[sizeof(subject) - 1] = '!';

    s.data = (unsigned char *) subject;
    s.len = sizeof(subject);

    for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        rc = torii_regex_match(torii_regex_get(cache, torii_str(patterns[i]),
                                               0), s, captures);
        tap_ok(rc == TORII_ERROR, "\"%s\" hits a limit", patterns[i]);
    }

    rc = torii_regex_match(torii_regex_get(cache, torii_str("^/?(a|b)*!$"), 0),
                           s, captures);
    tap_ok(rc == TORII_OK && captures[0].len == s.len,
           "an honest pattern on a long subject hits none");
}


static void
test_cache(void)
{
    int                   i, bad;
    char                  pattern[32], subject[32];
    torii_str_t           captures[TORII_REGEX_CAPTURES];
    torii_regex_t        *re;
    torii_regex_cache_t  *cache;

    cache = torii_regex_cache_create(7);
    bad = 0;

    for (i = 0; i < 3000; i++) {
        (void) snprintf(pattern, sizeof(pattern), "^x(%d)$", i * i % 31);
        (void) snprintf(subject, sizeof(subject), "x%d", i * i % 31);

        re = torii_regex_get(cache, torii_str(pattern), 0);

        bad += (re == NULL
                || torii_regex_match(re, torii_str(subject), captures)
                   != TORII_OK
                || !torii_str_eqs(captures[1], subject + 1));

        bad += (torii_regex_get(cache, torii_str("(broken"), 0) != NULL);
    }

    tap_ok(bad == 0, "a small cache makes room");

    tap_ok(torii_regex_get(cache, torii_str("a"), 0)
           == torii_regex_get(cache, torii_str("a"), 0), "kept");
    tap_ok(torii_regex_get(cache, torii_str("a"), 0)
           != torii_regex_get(cache, torii_str("a"), TORII_REGEX_CASELESS),
           "flags tell patterns apart");

    torii_regex_cache_destroy(cache);

    cache = torii_regex_cache_create(0);
    tap_ok(torii_regex_get(cache, torii_str("a"), 0) != NULL
           && torii_regex_get(cache, torii_str("b"), 0) != NULL,
           "a cache of one");

    torii_regex_cache_destroy(cache);
    torii_regex_cache_destroy(NULL);
}


int
main(void)
{
    torii_regex_cache_t  *cache;

    cache = torii_regex_cache_create(100);

    test_match(cache);
    test_check();
    test_limits(cache);
    test_cache();

    torii_regex_cache_destroy(cache);

    return tap_done();
}
