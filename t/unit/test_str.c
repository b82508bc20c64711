
/*
 * Strings: comparing, cutting, checking, edit distance.
 */

#include "torii.h"
#include "tap.h"


typedef struct {
    const char  *a;
    const char  *b;
    int          want;
} test_pair_t;


static int
test_sign(int n)
{
    return (n > 0) - (n < 0);
}


static void
test_compare(void)
{
    size_t                    i;
    torii_str_t               a, b;
    static const test_pair_t  cmp[] = {
        { "", "", 0 }, { "a", "", 1 }, { "", "a", -1 }, { "a", "b", -1 },
        { "ab", "a", 1 }, { "b", "ab", 1 }, { "\xff", "a", 1 },
        { "same", "same", 0 }
    };
    static const test_pair_t  fold[] = {
        { "", "", 1 }, { "Host", "hOST", 1 }, { "a", "ab", 0 },
        { "[", "{", 0 }, { "@", "`", 0 }, { "\xc4", "\xe4", 0 }
    };

    for (i = 0; i < sizeof(cmp) / sizeof(cmp[0]); i++) {
        a = torii_str(cmp[i].a);
        b = torii_str(cmp[i].b);

        tap_ok(test_sign(torii_str_cmp(a, b)) == cmp[i].want
               && torii_str_eq(a, b) == (cmp[i].want == 0)
               && torii_str_eqs(a, cmp[i].b) == (cmp[i].want == 0),
               "compare \"%s\" and \"%s\"", cmp[i].a, cmp[i].b);
    }

    for (i = 0; i < sizeof(fold) / sizeof(fold[0]); i++) {
        a = torii_str(fold[i].a);
        b = torii_str(fold[i].b);

        tap_ok(torii_str_caseeq(a, b) == fold[i].want
               && torii_str_caseeqs(a, fold[i].b) == fold[i].want,
               "compare \"%s\" and \"%s\" without case", fold[i].a, fold[i].b);
    }

    tap_ok(torii_str_starts(torii_str("torii/x"), "torii/")
           && torii_str_starts(torii_str("torii/"), "torii/")
           && !torii_str_starts(torii_str("torii"), "torii/")
           && torii_str_starts(torii_str(""), ""), "prefixes");

    a.len = 0;
    a.data = NULL;

    tap_ok(torii_str_eqs(a, "") && torii_str_caseeqs(a, "")
           && torii_str_cmp(a, torii_str("")) == 0
           && torii_str_starts(a, "") && torii_str(NULL).len == 0,
           "a string without an address is empty");
}


static void
test_trim(void)
{
    size_t                    i;
    static const test_pair_t  table[] = {
        { "", "", 0 }, { " ", "", 0 }, { " \t\r\n", "", 0 }, { "a", "a", 0 },
        { " a b\n", "a b", 0 }, { "\va", "\va", 0 }
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        tap_ok(torii_str_eqs(torii_str_trim(torii_str(table[i].a)),
                             table[i].b),
               "trim %zu", i);
    }
}


static void
test_next(void)
{
    int                       n;
    char                      joined[64];
    size_t                    i, len;
    torii_str_t               rest, piece;
    static const test_pair_t  table[] = {
        { "", "<>", 1 }, { "a", "<a>", 1 }, { "a,b", "<a><b>", 2 },
        { ",", "<><>", 2 }, { "a;,b,", "<a><><b><>", 4 }
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        rest = torii_str(table[i].a);
        n = 0;
        len = 0;

        while (torii_str_next(&rest, ",;", &piece)) {
            len += snprintf(joined + len, sizeof(joined) - len, "<%.*s>",
                            torii_str_arg(piece));
            n++;
        }

        tap_ok(n == table[i].want && strcmp(joined, table[i].b) == 0,
               "cut \"%s\" into %s", table[i].a, table[i].b);
    }

    rest.data = NULL;
    rest.len = 0;

    tap_ok(torii_str_next(&rest, ",", &piece) == 0, "nothing has no piece");
}


static void
test_utf8(void)
{
    size_t                    i;
    static const test_pair_t  table[] = {
        { "", "", 1 },
        { "plain text of more than eight bytes", "", 1 },
        { "eight by\xc3\xa4", "", 1 },
        { "\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xef\xbf\xbf", "", 1 },
        { "\xed\x9f\xbf \xee\x80\x80 \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", "",
          1 },
        { "\x80", "", 0 },
        { "\xc0\xaf", "", 0 },
        { "\xc1\xbf", "", 0 },
        { "\xe0\x9f\xbf", "", 0 },
        { "\xed\xa0\x80", "", 0 },
        { "\xf0\x8f\xbf\xbf", "", 0 },
        { "\xf4\x90\x80\x80", "", 0 },
        { "\xf5\x80\x80\x80", "", 0 },
        { "eight by\xc3", "", 0 },
        { "\xe2\x82", "", 0 },
        { "\xe2\x82\x41", "", 0 },
        { "\xf0\x9f\x98", "", 0 }
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        tap_ok(torii_str_is_utf8(torii_str(table[i].a)) == table[i].want,
               "UTF-8 %zu is %s", i, table[i].want ? "good" : "bad");
    }
}


static void
test_control(void)
{
    torii_str_t  nul = torii_string("a\0b");

    tap_ok(!torii_str_has_control(torii_str(""))
           && !torii_str_has_control(torii_str(" ~\x80\xff"))
           && torii_str_has_control(torii_str("a\n"))
           && torii_str_has_control(torii_str("\x1f"))
           && torii_str_has_control(torii_str("x\x7f"))
           && torii_str_has_control(nul), "control bytes");
}


/* Each byte at each place of what is looked at eight bytes at once. */

static void
test_control_places(void)
{
    size_t         i;
    unsigned       c, bad;
    torii_str_t    s;
    unsigned char  text[19];

    bad = 0;

    for (s.len = 1; s.len <= sizeof(text); s.len++) {

        s.data = text + sizeof(text) - s.len;

        for (i = 0; i < s.len; i++) {
            for (c = 0; c < 256; c++) {
                memset(text, c < 128 ? ' ' : 0xff, sizeof(text));
                s.data[i] = (unsigned char) c;

                bad += torii_str_has_control(s) != (c < 0x20 || c == 0x7f);
            }
        }
    }

    tap_ok(bad == 0, "wherever they are");
}


static void
test_uint(void)
{
    size_t    i;
    uint64_t  n;

    static const struct {
        const char  *text;
        uint64_t     max;
        int          rc;
        uint64_t     value;
    } table[] = {
        { "0", 0, TORII_OK, 0 },
        { "1", 0, TORII_ERROR, 0 },
        { "65535", 65535, TORII_OK, 65535 },
        { "65536", 65535, TORII_ERROR, 0 },
        { "0000000000000000000000000080", 65535, TORII_OK, 80 },
        { "18446744073709551615", UINT64_MAX, TORII_OK, UINT64_MAX },
        { "18446744073709551616", UINT64_MAX, TORII_ERROR, 0 },
        { "99999999999999999999999", UINT64_MAX, TORII_ERROR, 0 },
        { "", 10, TORII_ERROR, 0 },
        { "-1", 10, TORII_ERROR, 0 },
        { "+1", 10, TORII_ERROR, 0 },
        { " 1", 10, TORII_ERROR, 0 },
        { "1k", 10, TORII_ERROR, 0 },
        { "9", 8, TORII_ERROR, 0 },
        { "7", 8, TORII_OK, 7 }
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        n = 0;

        tap_ok(torii_str_uint(torii_str(table[i].text), table[i].max, &n)
               == table[i].rc && n == table[i].value,
               "number \"%s\"", table[i].text);
    }
}


static void
test_distance(void)
{
    size_t       i;
    unsigned     d, limit, n;
    torii_str_t  a, b;

    static const test_pair_t  table[] = {
        { "", "", 0 }, { "", "abc", 3 }, { "abc", "", 3 }, { "a", "a", 0 },
        { "ab", "ba", 1 }, { "abcd", "acbd", 1 }, { "abc", "bca", 2 },
        { "kitten", "sitting", 3 }, { "proxy-body-size", "proxy-bodysize", 1 },
        { "rewrite-target", "rewrite-traget", 1 },
        { "ssl-redirect", "force-ssl-redirect", 6 },
        { "ca", "abc", 3 }, { "abcdef", "ghijkl", 6 },
        { "xabcdefgh", "abcdefghx", 2 }
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        a = torii_str(table[i].a);
        b = torii_str(table[i].b);
        n = 0;

        for (limit = 0; limit < 12; limit++) {
            d = (unsigned) table[i].want < limit ? (unsigned) table[i].want
                                                 : limit;
            n += (torii_str_distance(a, b, limit) == d
                  && torii_str_distance(b, a, limit) == d);
        }

        tap_ok(n == 12, "distance of \"%s\" and \"%s\" is %d", table[i].a,
               table[i].b, table[i].want);
    }
}


int
main(void)
{
    test_compare();
    test_trim();
    test_next();
    test_utf8();
    test_control();
    test_control_places();
    test_uint();
    test_distance();

    return tap_done();
}
