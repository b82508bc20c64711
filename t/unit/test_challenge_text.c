
/*
 * Challenges as text: what is written is read again, and what is read of a
 * text that somebody else has written.
 */

#include <stdlib.h>

#include "tap.h"
#include "ingress_challenge.h"


#define TEST_MANY  8000


static const struct {
    const char  *what;
    const char  *text;
    int          rc;
    uint32_t     n;
} test_texts[] = {
    { "none", "[]", TORII_OK, 0 },
    { "http-01", "[{\"type\":\"http-01\",\"name\":\"a\",\"value\":\"b\"}]",
      TORII_OK, 1 },
    { "tls-alpn-01", "[{\"type\":\"tls-alpn-01\",\"name\":\"a.example\","
      "\"value\":\"AAEC\",\"key\":\"AwQ\"}]", TORII_OK, 1 },
    { "a type of the future", "[{\"type\":\"dns-02\",\"name\":\"a\","
      "\"value\":\"b\"},{\"type\":\"http-01\",\"name\":\"a\",\"value\":\"b\"}"
      "]", TORII_OK, 1 },
    { "DER that is no base64url", "[{\"type\":\"tls-alpn-01\",\"name\":\"a\","
      "\"value\":\"A+/=\",\"key\":\"AwQ\"}]", TORII_OK, 0 },
    { "members that are no texts", "[{\"type\":1,\"name\":2},3,null,[]]",
      TORII_OK, 0 },
    { "too deep", "[[[[[]]]]]", TORII_ERROR, 0 },
    { "a map", "{}", TORII_ERROR, 0 },
    { "no JSON", "[{", TORII_ERROR, 0 },
    { "nothing", "", TORII_ERROR, 0 }
};


static void
test_read(void)
{
    int                   rc;
    size_t                i;
    uint32_t              n;
    torii_arena_t        *a;
    ingress_challenge_t  *list;

    for (i = 0; i < sizeof(test_texts) / sizeof(test_texts[0]); i++) {
        a = torii_arena_create(1024);

        rc = ingress_challenge_decode(a, torii_str(test_texts[i].text), &list,
                                      &n);

        tap_ok(rc == test_texts[i].rc && n == test_texts[i].n, "%s",
               test_texts[i].what);

        torii_arena_destroy(a);
    }
}


static void
test_both_ways(void)
{
    uint32_t              n;
    torii_str_t           text;
    torii_buf_t           b = { NULL, 0, 0 };
    torii_arena_t        *a;
    ingress_challenge_t  *list, set[2];

    memset(set, 0, sizeof(set));

    set[0].type = INGRESS_CHALLENGE_HTTP;
    set[0].name = torii_str("tok-en_1");
    set[0].value = torii_str("tok-en_1.print");
    set[1].type = INGRESS_CHALLENGE_ALPN;
    set[1].name = torii_str("a.example");
    set[1].value.data = (unsigned char *) "\x30\x00\xff\x80";
    set[1].value.len = 4;
    set[1].key.data = (unsigned char *) "\x30\x01\x00";
    set[1].key.len = 3;

    a = torii_arena_create(1024);

    tap_ok(ingress_challenge_encode(&b, set, 2) == TORII_OK, "two are written");

    text.data = b.data;
    text.len = b.len;

    tap_ok(ingress_challenge_decode(a, text, &list, &n) == TORII_OK && n == 2,
           "and read");
    tap_ok(n == 2 && list[0].type == set[0].type && list[1].type == set[1].type
           && torii_str_eq(list[0].name, set[0].name)
           && torii_str_eq(list[0].value, set[0].value)
           && list[0].key.len == 0
           && torii_str_eq(list[1].name, set[1].name)
           && torii_str_eq(list[1].value, set[1].value)
           && torii_str_eq(list[1].key, set[1].key), "as they were");

    torii_arena_destroy(a);
    torii_buf_free(&b);
}


static void
test_limits(void)
{
    int                   rc;
    size_t                before;
    uint32_t              i, n, last;
    torii_str_t           text;
    torii_buf_t           b = { NULL, 0, 0 };
    torii_arena_t        *a;
    ingress_challenge_t  *list, *set;

    set = torii_zalloc(TEST_MANY * sizeof(ingress_challenge_t));

    for (i = 0; i < TEST_MANY; i++) {
        set[i].type = INGRESS_CHALLENGE_HTTP;
        set[i].name = torii_str("a");
        set[i].value = torii_str("b");
    }

    torii_buf_adds(&b, "before");
    before = b.len;

    tap_ok(ingress_challenge_encode(&b, set, TEST_MANY) == TORII_ERROR
           && b.len == before, "too many leave the text as it was");

    last = TEST_MANY - 1;
    rc = ingress_challenge_encode(&b, set, last);

    text.data = b.data + before;
    text.len = b.len - before;
    a = torii_arena_create(65536);

    tap_ok(rc == TORII_OK
           && ingress_challenge_decode(a, text, &list, &n) == TORII_OK
           && n == last, "what can be written can be read");

    torii_arena_destroy(a);

    text.len = 2 * INGRESS_CHALLENGE_TEXT;
    text.data = torii_malloc(text.len);
    memset(text.data, ' ', text.len);
    memcpy(text.data, "[]", 2);
    a = torii_arena_create(1024);

    tap_ok(ingress_challenge_decode(a, text, &list, &n) == TORII_ERROR,
           "a text that is too long is not read");

    torii_arena_destroy(a);
    free(text.data);

    /* long ones are too many sooner */

    set[0].value.len = INGRESS_CHALLENGE_TEXT;
    set[0].value.data = torii_malloc(INGRESS_CHALLENGE_TEXT);
    memset(set[0].value.data, 'x', INGRESS_CHALLENGE_TEXT);

    tap_ok(ingress_challenge_encode(&b, set, 1) == TORII_ERROR,
           "one that is too long is not written");

    free(set[0].value.data);
    free(set);
    torii_buf_free(&b);
}


int
main(void)
{
    test_read();
    test_both_ways();
    test_limits();

    return tap_done();
}
