
/*
 * What providers of logins have told of themselves, in the store and in the
 * table.
 */

#include "tap.h"
#include "login_world.h"


typedef struct {
    const char  *name;
    const char  *of;           /* whom it is told of */
    const char  *discovery;
    const char  *keys;
    uint64_t     fetched;
    int          changed;      /* what the store says */
    const char  *found;        /* in the record of d/sso then */
} test_case_t;

/* One after the other, in one store. */

static const test_case_t  test_cases[] = {
    { "nothing", NULL, NULL, NULL, 0, 0, "|| 0" },
    { "first", "d/sso", "{\"issuer\":1}", "{\"keys\":1}", 100, 1,
      "{\"issuer\":1}|{\"keys\":1}| 100" },
    { "the same, later", "d/sso", "{\"issuer\":1}", "{\"keys\":1}", 200, 0,
      "{\"issuer\":1}|{\"keys\":1}| 100" },
    { "other keys", "d/sso", "{\"issuer\":1}", "{\"keys\":2}", 300, 1,
      "{\"issuer\":1}|{\"keys\":2}| 300" },
    { "of somebody else", "other/sso", "{}", "{}", 400, 1,
      "{\"issuer\":1}|{\"keys\":2}| 300" },
    { "taken back", "d/sso", "", "", 0, 1, "|| 0" },
    { "taken back again", "d/sso", "", "", 0, 0, "|| 0" },
    { NULL, NULL, NULL, NULL, 0, 0, NULL }
};


static void
test_found(torii_buf_t *out, const world_t *w)
{
    const ingress_table_provider_t  *p;

    out->len = 0;

    p = &w->t.providers[0];

    torii_buf_printf(out, "%s|%s| %llu", login_str(w, p->discovery),
                     login_str(w, p->keys), (unsigned long long) p->fetched);
}


/* Of the provider d/sso, as the table has them. */

static int
test_issuers(world_t *w, const char *expected)
{
    int                              same;
    uint32_t                         i;
    torii_buf_t                      b;
    const ingress_entry_t           *entry;
    const ingress_table_provider_t  *p;

    memset(&b, 0, sizeof(torii_buf_t));
    world_compile(w);

    p = &w->t.providers[0];
    entry = (const void *) (w->t.pool + p->issuers.off);

    for (i = 0; i < p->issuers.len / sizeof(ingress_entry_t); i++) {
        torii_buf_printf(&b, "%s=", login_str(w, entry[i].name));
        torii_buf_printf(&b, "%s ", login_str(w, entry[i].value));
    }

    torii_buf_printf(&b, "| %s", login_str(w, p->keys));

    same = b.len == strlen(expected)
           && memcmp(b.data, expected, b.len) == 0;

    torii_buf_free(&b);

    return same;
}


static int
test_issuer_told(world_t *w, const char *name, const char *issuer,
    const char *keys)
{
    return ingress_store_told_issuer(w->store, torii_str(name),
                                     torii_str(issuer), torii_str(keys));
}


static void
test_further(void)
{
    world_t  w;

    login_world(&w);
    world_add(&w, PROVIDER("d/sso") NAMED("sso"));

    tap_ok(test_issuer_told(&w, "d/sso", "https://b", "{b}")
           && test_issuer_told(&w, "d/other", "https://c", "{c}")
           && test_issuer_told(&w, "d/sso", "https://a", "{a}")
           && test_issuers(&w, "https://a={a} https://b={b} | "),
           "keys of further issuers, sorted, none of another provider");

    tap_ok(test_issuer_told(&w, "d/sso", "https://a", "{a}") == 0
           && test_issuer_told(&w, "d/sso", "https://a", "{2}")
           && ingress_store_told(w.store, torii_str("d/sso"), torii_str("{}"),
                                 torii_str("{own}"), 1)
           && test_issuers(&w, "https://a={2} https://b={b} | {own}"),
           "newer ones, apart from the provider's own");

    tap_ok(test_issuer_told(&w, "d/sso", "https://a", "")
           && test_issuers(&w, "https://b={b} | {own}"),
           "one is taken back");

    world_end(&w);
}


static void
test_too_large(void)
{
    world_t         w;
    torii_str_t     s;

    login_world(&w);

    s.len = 256 * 1024 + 1;
    s.data = torii_zalloc(s.len);

    tap_ok(ingress_store_told(w.store, torii_str("d/sso"), s, torii_str("{}"),
                              1) == 0
           && ingress_store_told(w.store, torii_str("d/sso"), torii_str("{}"),
                                 s, 1) == 0,
           "what is too large is not taken");

    free(s.data);
    world_end(&w);
}


int
main(void)
{
    int                 changed;
    world_t             w;
    torii_buf_t         out;
    const test_case_t  *t;

    memset(&out, 0, sizeof(torii_buf_t));

    login_world(&w);
    world_add(&w, PROVIDER("d/sso") NAMED("sso"));

    for (t = test_cases; t->name; t++) {

        changed = t->of ? ingress_store_told(w.store, torii_str(t->of),
                                             torii_str(t->discovery),
                                             torii_str(t->keys), t->fetched)
                        : 0;

        tap_ok(changed == t->changed, "%s: changed", t->name);

        world_compile(&w);
        test_found(&out, &w);

        tap_ok(ingress_table_n(&w.t, PROVIDERS) == 1
               && out.len == strlen(t->found)
               && memcmp(out.data, t->found, out.len) == 0,
               "%s: %.*s", t->name, (int) out.len, (char *) out.data);
    }

    torii_buf_free(&out);
    world_end(&w);

    test_further();
    test_too_large();

    return tap_done();
}
