
/*
 * Arena, buffer, hash, base64.
 */

#include <stdlib.h>

#include "torii.h"
#include "tap.h"


static void
test_arena(void)
{
    size_t          i, j, size, bad, used;
    unsigned char  *p[600];
    torii_str_t     s, copy;
    torii_arena_t  *a;

    a = torii_arena_create(0);
    bad = 0;
    used = 0;

    for (i = 0; i < 600; i++) {
        size = i * 7 % 500;
        p[i] = torii_arena_alloc(a, size);
        used += size;

        bad += ((uintptr_t) p[i] % 16 != 0);
        memset(p[i], (int) (i & 0xff), size);

        s.data = p[i];
        s.len = size;
        copy = torii_arena_str(a, s);
        used += size + 1;

        bad += !torii_str_eq(copy, s) || copy.data[copy.len] != '\0';
    }

    for (i = 0; i < 600; i++) {
        for (j = 0; j < i * 7 % 500; j++) {
            bad += (p[i][j] != (i & 0xff));
        }
    }

    tap_ok(bad == 0, "pieces of an arena are aligned and do not overlap");
    tap_ok(torii_arena_used(a) == used, "an arena counts what was asked for");

    p[0] = torii_arena_zalloc(a, 10 * 1024 * 1024);
    bad = 0;

    for (i = 0; i < 10 * 1024 * 1024; i++) {
        bad += (p[0][i] != 0);
    }

    tap_ok(bad == 0, "a large piece is zeroed");

    s.data = NULL;
    s.len = 0;
    copy = torii_arena_str(a, s);

    tap_ok(copy.data != NULL && copy.len == 0 && copy.data[0] == '\0',
           "a copy of nothing ends in NUL");

    copy = torii_arena_printf(a, "%s-%d", "x", 7);
    tap_ok(torii_str_eqs(copy, "x-7") && copy.data[3] == '\0', "short text");

    copy = torii_arena_printf(a, "%0999d", 5);
    tap_ok(copy.len == 999 && copy.data[998] == '5' && copy.data[999] == '\0',
           "long text");

    torii_arena_destroy(a);
    torii_arena_destroy(NULL);
}


static void
test_buf(void)
{
    size_t       i;
    torii_str_t  s;
    torii_buf_t  b = { NULL, 0, 0 };

    torii_buf_add(&b, NULL, 0);
    tap_ok(b.len == 0, "nothing added");

    for (i = 0; i < 1000; i++) {
        torii_buf_printf(&b, "%03zu,", i);
    }

    tap_ok(b.len == 4000 && b.size >= 4000
           && memcmp(b.data + 3992, "998,999,", 8) == 0, "text added");

    torii_buf_adds(&b, "end");
    torii_buf_printf(&b, "%0*d", 20000, 1);

    tap_ok(b.len == 24003 && b.data[24002] == '1', "long text added");

    s.data = b.data;
    s.len = b.len;

    tap_ok(torii_buf_room(&b, 1 << 20) == b.data + b.len
           && b.size - b.len >= 1 << 20 && b.len == s.len,
           "room is not counted");

    torii_buf_free(&b);
    tap_ok(b.data == NULL && b.len == 0 && b.size == 0, "freed");
}


static void
test_buf_json(void)
{
    size_t       i;
    torii_buf_t  b = { NULL, 0, 0 };

    static const struct {
        torii_str_t  in;
        const char  *out;
    } table[] = {
        { torii_null_string, "\"\"" },
        { torii_string("plain"), "\"plain\"" },
        { torii_string("a\"b\\c/"), "\"a\\\"b\\\\c/\"" },
        { torii_string("\n\r\t"), "\"\\n\\r\\t\"" },
        { torii_string("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"" },
        { torii_string("\xc3\xa4\xf0\x9f\x98\x80"),
          "\"\xc3\xa4\xf0\x9f\x98\x80\"" },
        { torii_string("x\xff\xc3"), "\"x\xef\xbf\xbd\xef\xbf\xbd\"" }
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        b.len = 0;
        torii_buf_add_json(&b, table[i].in);

        tap_ok(b.len == strlen(table[i].out)
               && memcmp(b.data, table[i].out, b.len) == 0,
               "JSON string %zu", i);
    }

    torii_buf_free(&b);
}


/* Each bit of each input must count, at all lengths that differ in code. */

static void
test_hash(void)
{
    size_t         len, bit;
    uint64_t       h, bad, seen[200];
    unsigned char  data[200];

    memset(data, 0, sizeof(data));
    bad = 0;

    for (len = 0; len < 200; len++) {
        h = torii_hash(data, len, 0);
        seen[len] = h;

        for (bit = 0; bit < len * 8; bit++) {
            data[bit / 8] ^= 1 << bit % 8;
            bad += (torii_hash(data, len, 0) == h);
            data[bit / 8] ^= 1 << bit % 8;
        }

        bad += (torii_hash(data, len, 1) == h);
        bad += (torii_hash(data, len, 0) != h);

        for (bit = 0; bit < len; bit++) {
            bad += (seen[bit] == h);
        }
    }

    tap_ok(bad == 0, "hashes differ by every bit, by length and by seed");
    tap_ok(torii_hash(NULL, 0, 0) == seen[0], "hash of nothing");
}


static void
test_base64(void)
{
    size_t          i;
    torii_str_t     out;
    torii_arena_t  *a;

    static const struct {
        const char  *in;
        const char  *out;
    } table[] = {
        { "", "" }, { " \r\n\t", "" }, { "Zg==", "f" }, { "Zm8=", "fo" },
        { "Zm9v", "foo" }, { "Zm9vYg==", "foob" }, { "Zm9vYmE=", "fooba" },
        { "Zm9vYmFy", "foobar" }, { "Zm 9v\nYm\tFy \r\n", "foobar" },
        { "Zh==", "f" }, { "Zm9vYg=\n=", "foob" }, { "+/+/", "\xfb\xff\xbf" },
        { "Z", NULL }, { "Zg", NULL }, { "Zg=", NULL }, { "Zm8", NULL },
        { "Zm9v=", NULL }, { "Zg===", NULL }, { "====", NULL }, { "=", NULL },
        { "Zg==Zg==", NULL }, { "Z=g=", NULL }, { "Zm9-", NULL },
        { "Zm9_", NULL }, { "Zm9v!", NULL }
    };

    a = torii_arena_create(4096);

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].out == NULL) {
            tap_ok(torii_base64_decode(a, torii_str(table[i].in), &out)
                   == TORII_ERROR, "base64 \"%s\" is refused", table[i].in);
            continue;
        }

        tap_ok(torii_base64_decode(a, torii_str(table[i].in), &out) == TORII_OK
               && torii_str_eqs(out, table[i].out)
               && out.data[out.len] == '\0', "base64 %zu", i);
    }

    torii_arena_destroy(a);
}


int
main(void)
{
    test_arena();
    test_buf();
    test_buf_json();
    test_hash();
    test_base64();

    return tap_done();
}
