
/*
 * Challenges of ACME: what the store takes, what a change is, and what is found
 * in the table that is made of it.
 */

#include "tap.h"
#include "world_make.h"
#include "ingress_challenge.h"


#define TEST_MANY   1000
#define TEST_LIMIT  16384

#define HTTP  INGRESS_CHALLENGE_HTTP
#define ALPN  INGRESS_CHALLENGE_ALPN


typedef struct {
    uint32_t     type;
    const char  *name;
    const char  *value;
    const char  *key;
} test_row_t;


/* Names that the store takes, or not. */

static const struct {
    int          taken;
    test_row_t   row;
} test_forms[] = {
    { 1, { HTTP, "Abc-_09", "Abc-_09.print", "" } },
    { 1, { HTTP, "a", "b", "" } },
    { 0, { HTTP, "", "b", "" } },
    { 0, { HTTP, "a/b", "b", "" } },
    { 0, { HTTP, "a.b", "b", "" } },
    { 0, { HTTP, "a=", "b", "" } },
    { 0, { HTTP, "a b", "b", "" } },
    { 0, { HTTP, "a\n", "b", "" } },
    { 0, { HTTP, "\xc3\xa4", "b", "" } },
    { 0, { HTTP, "a", "", "" } },
    { 0, { HTTP, "a", "b\r\nc", "" } },
    { 0, { HTTP, "a", "b", "key" } },
    { 1, { ALPN, "a.example", "cert", "key" } },
    { 1, { ALPN, "1.0.0.127.in-addr.arpa", "cert", "key" } },
    { 1, { ALPN, "xn--e1afmkfd.a_b.example", "cert", "key" } },
    { 0, { ALPN, "A.example", "cert", "key" } },
    { 0, { ALPN, "*.example", "cert", "key" } },
    { 0, { ALPN, "", "cert", "key" } },
    { 0, { ALPN, "a.example", "", "key" } },
    { 0, { ALPN, "a.example", "cert", "" } },
    { 0, { INGRESS_CHALLENGE_MAX, "a.example", "cert", "key" } },
    { 0, { 0xffffffff, "a", "b", "" } },
};


/* One set after another, and whether it is another. */

static const struct {
    const char  *what;
    int          changed;
    test_row_t   rows[4];
} test_sets[] = {
    { "none is no change", 0, { { 0, NULL, NULL, NULL } } },
    { "the first one", 1,
      { { HTTP, "one", "1", "" }, { 0, NULL, NULL, NULL } } },
    { "the same", 0,
      { { HTTP, "one", "1", "" }, { 0, NULL, NULL, NULL } } },
    { "the same twice", 0,
      { { HTTP, "one", "1", "" }, { HTTP, "one", "1", "" },
        { 0, NULL, NULL, NULL } } },
    { "one more", 1,
      { { HTTP, "one", "1", "" }, { ALPN, "one", "1", "2" },
        { 0, NULL, NULL, NULL } } },
    { "in another order", 0,
      { { ALPN, "one", "1", "2" }, { HTTP, "one", "1", "" },
        { 0, NULL, NULL, NULL } } },
    { "and one that is of no form", 0,
      { { ALPN, "one", "1", "2" }, { HTTP, "one", "1", "" },
        { HTTP, "?", "1", "" }, { 0, NULL, NULL, NULL } } },
    { "another key", 1,
      { { ALPN, "one", "1", "3" }, { HTTP, "one", "1", "" },
        { 0, NULL, NULL, NULL } } },
    { "another value", 1,
      { { ALPN, "one", "1", "3" }, { HTTP, "one", "2", "" },
        { 0, NULL, NULL, NULL } } },
    { "two of one name", 1,
      { { HTTP, "one", "2", "" }, { HTTP, "one", "1", "" },
        { 0, NULL, NULL, NULL } } },
    { "the other way round", 0,
      { { HTTP, "one", "1", "" }, { HTTP, "one", "2", "" },
        { 0, NULL, NULL, NULL } } },
    { "another token", 1,
      { { HTTP, "two", "1", "" }, { 0, NULL, NULL, NULL } } },
    { "none again", 1, { { 0, NULL, NULL, NULL } } },
};


static ingress_challenge_t
test_challenge(const test_row_t *row)
{
    ingress_challenge_t  ch;

    ch.type = row->type;
    ch.name = torii_str(row->name);
    ch.value = torii_str(row->value);
    ch.key = torii_str(row->key);

    return ch;
}


static const ingress_table_challenge_t *
test_find(const world_t *w, uint32_t type, const char *name)
{
    return type == HTTP ? ingress_challenge_http(&w->t, torii_str(name))
                        : ingress_challenge_alpn(&w->t, torii_str(name));
}


static int
test_is(const world_t *w, const test_row_t *row)
{
    const ingress_table_challenge_t  *found;

    found = test_find(w, row->type, row->name);

    return found
           && torii_str_eqs(world_str(w, found->name), row->name)
           && torii_str_eqs(world_str(w, found->value), row->value)
           && torii_str_eqs(world_str(w, found->key), row->key);
}


static void
test_form(void)
{
    size_t               i;
    world_t              w;
    const test_row_t    *row;
    ingress_challenge_t  ch;

    world_start(&w);

    for (i = 0; i < sizeof(test_forms) / sizeof(test_forms[0]); i++) {
        row = &test_forms[i].row;
        ch = test_challenge(row);

        (void) ingress_store_challenges(w.store, NULL, 0);

        tap_ok(ingress_store_challenges(w.store, &ch, 1)
               == test_forms[i].taken
               && world_compile(&w) == TORII_OK
               && ingress_table_n(&w.t, CHALLENGES_HTTP)
                  + ingress_table_n(&w.t, CHALLENGES_ALPN)
                  == (uint32_t) test_forms[i].taken
               && (!test_forms[i].taken || test_is(&w, row)),
               "form %zu is %s (%s)", i,
               test_forms[i].taken ? "taken" : "left out", w.error);
    }

    world_end(&w);
}


static void
test_length(void)
{
    world_t              w;
    unsigned char        bytes[TEST_LIMIT + 1];
    ingress_challenge_t  ch;

    world_start(&w);
    memset(bytes, 'a', sizeof(bytes));

    ch.type = ALPN;
    ch.name.data = bytes;
    ch.name.len = 255;
    ch.value.data = bytes;
    ch.value.len = TEST_LIMIT;
    ch.key = ch.value;

    tap_ok(ingress_store_challenges(w.store, &ch, 1) == 1
           && world_compile(&w) == TORII_OK
           && ingress_challenge_alpn(&w.t, ch.name), "as long as may be");

    ch.name.len++;
    tap_ok(ingress_store_challenges(w.store, &ch, 1) == 1
           && world_compile(&w) == TORII_OK
           && ingress_table_n(&w.t, CHALLENGES_ALPN) == 0, "too long a name");

    ch.name.len--;
    ch.value.len++;
    tap_ok(ingress_store_challenges(w.store, &ch, 1) == 0, "too long a value");

    ch.value.len--;
    ch.key.len++;
    tap_ok(ingress_store_challenges(w.store, &ch, 1) == 0, "too long a key");

    world_end(&w);
}


static void
test_change(void)
{
    size_t               i;
    world_t              w;
    uint32_t             n;
    ingress_challenge_t  list[4];

    world_start(&w);

    for (i = 0; i < sizeof(test_sets) / sizeof(test_sets[0]); i++) {

        for (n = 0; test_sets[i].rows[n].name; n++) {
            list[n] = test_challenge(&test_sets[i].rows[n]);
        }

        tap_ok(ingress_store_challenges(w.store, list, n)
               == test_sets[i].changed, "%s", test_sets[i].what);
    }

    world_end(&w);
}


/* The same bytes, whatever came before and in whatever order it is told. */

static void
test_pure(void)
{
    world_t              one, two;
    ingress_challenge_t  list[3], turned[3];

    static const test_row_t  rows[3] = {
        { HTTP, "b", "1", "" }, { ALPN, "b", "2", "3" }, { HTTP, "a", "4", "" }
    };

    world_start(&one);
    world_start(&two);

    list[0] = turned[2] = test_challenge(&rows[0]);
    list[1] = turned[1] = test_challenge(&rows[1]);
    list[2] = turned[0] = test_challenge(&rows[2]);

    (void) ingress_store_challenges(one.store, list, 3);
    (void) ingress_store_challenges(two.store, list, 1);
    (void) world_compile(&two);
    (void) ingress_store_challenges(two.store, turned, 3);

    tap_ok(world_compile(&one) == TORII_OK && world_compile(&two) == TORII_OK
           && one.out.len == two.out.len
           && memcmp(one.out.data, two.out.data, one.out.len) == 0,
           "a table is of the set alone");

    tap_ok(test_is(&one, &rows[0]) && test_is(&one, &rows[1])
           && test_is(&one, &rows[2]), "it has all of them");
    tap_ok(test_find(&one, ALPN, "a") == NULL, "and each is of its type");

    (void) ingress_store_challenges(one.store, NULL, 0);

    tap_ok(world_compile(&one) == TORII_OK
           && test_find(&one, HTTP, "a") == NULL, "withdrawn");

    world_end(&one);
    world_end(&two);
}


/* Names of all lengths, so that each is a neighbour of its own beginnings. */

static void
test_many(void)
{
    char                 names[TEST_MANY][16], other[20];
    world_t              w;
    uint32_t             i, found, strange;
    test_row_t           row;
    ingress_challenge_t  list[TEST_MANY];

    world_start(&w);

    for (i = 0; i < TEST_MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "%x", i * i);

        list[i].type = HTTP;
        list[i].name = torii_str(names[i]);
        list[i].value = list[i].name;
        list[i].key = torii_str("");
    }

    tap_ok(ingress_store_challenges(w.store, list, TEST_MANY) == 1
           && world_compile(&w) == TORII_OK
           && ingress_table_n(&w.t, CHALLENGES_HTTP) == TEST_MANY,
           "%d of them", TEST_MANY);

    found = 0;
    strange = 0;

    for (i = 0; i < TEST_MANY; i++) {
        row.type = HTTP;
        row.name = names[i];
        row.value = names[i];
        row.key = "";

        found += test_is(&w, &row);

        snprintf(other, sizeof(other), "%.16s-", names[i]);
        strange += test_find(&w, HTTP, other) != NULL;

        snprintf(other, sizeof(other), "-%.16s", names[i]);
        strange += test_find(&w, HTTP, other) != NULL;
    }

    tap_ok(found == TEST_MANY, "each is found");
    tap_ok(strange == 0 && test_find(&w, HTTP, "") == NULL,
           "and nothing else is");

    world_end(&w);
}


int
main(void)
{
    test_form();
    test_length();
    test_change();
    test_pure();
    test_many();

    return tap_done();
}
