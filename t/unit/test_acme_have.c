
/*
 * What is there already: what was found to be good once is not verified again,
 * and nothing else is spared that.
 */

#include "chain_make.h"
#include "acme_engine.h"


#define HAVE_ID  "team/a"


typedef enum {
    HAVE_GOOD = 0,
    HAVE_BLANKS,               /* around chain and key */
    HAVE_OTHER_KEY,
    HAVE_UNLINKED,             /* followed by a root that did not sign it */
    HAVE_BROKEN,
    HAVE_NOTHING
} have_e;

typedef struct {
    have_e       there;
    have_e       mark;         /* of what the state says that it was good */
    int          days;         /* from now */
    int          good;
    const char  *what;
} have_case_t;


static const have_case_t  have_cases[] = {
    { HAVE_GOOD, HAVE_NOTHING, 0, 1, "never read" },
    { HAVE_GOOD, HAVE_GOOD, 0, 1, "read before" },
    { HAVE_BLANKS, HAVE_GOOD, 0, 1, "read before, with blanks around" },
    { HAVE_GOOD, HAVE_UNLINKED, 0, 1, "in the place of another one" },
    { HAVE_GOOD, HAVE_GOOD, 2, 0, "read before, expired" },
    { HAVE_OTHER_KEY, HAVE_NOTHING, 0, 0, "another key" },
    { HAVE_OTHER_KEY, HAVE_GOOD, 0, 0, "another key, the chain read before" },
    { HAVE_UNLINKED, HAVE_NOTHING, 0, 0, "unlinked" },
    { HAVE_UNLINKED, HAVE_GOOD, 0, 0, "unlinked, its leaf read before" },
    { HAVE_UNLINKED, HAVE_UNLINKED, 0, 1, "not verified again" },
    { HAVE_BROKEN, HAVE_BROKEN, 0, 0, "read before, and no PEM" },
    { HAVE_NOTHING, HAVE_NOTHING, 0, 0, "nothing" },
    { HAVE_NOTHING, HAVE_GOOD, 0, 0, "nothing, but there was" },
    { HAVE_GOOD, HAVE_NOTHING, 0, 0, NULL }
};

static chain_set_t  set;


static torii_str_t
have_key(EVP_PKEY *key)
{
    torii_buf_t  pem = { NULL, 0, 0 };

    (void) torii_key_write(key, 0, &pem);

    return chain_keep(&pem);
}


static void
have_make(have_e what, torii_str_t *chain, torii_str_t *key)
{
    *chain = set.full;
    *key = have_key(set.leaf.key);

    switch (what) {

    case HAVE_BLANKS:
        *chain = chain_join(torii_str("\n"), set.full);
        *key = chain_join(*key, torii_str("\n\n"));
        break;

    case HAVE_OTHER_KEY:
        *key = have_key(set.middle.key);
        break;

    case HAVE_UNLINKED:
        *chain = chain_join(set.leaf.pem, set.root.pem);
        break;

    case HAVE_BROKEN:
        *chain = chain_join(torii_str("-----BEGIN CERTIFICATE-----\n"),
                            set.root.pem);
        break;

    case HAVE_NOTHING:
        *chain = torii_str("");
        *key = torii_str("");
        break;

    default:
        break;
    }
}


static void
have_load(acme_t *acme, have_e what)
{
    torii_buf_t  text = { NULL, 0, 0 };
    torii_str_t  chain, key;

    have_make(what, &chain, &key);

    torii_buf_adds(&text, "{\"version\":1,\"id\":\"" HAVE_ID "\"");

    if (chain.len) {
        torii_buf_adds(&text, ",\"sound\":\"");
        acme_have_mark(chain, key, &text);
        torii_buf_adds(&text, "\"");
    }

    torii_buf_adds(&text, "}");

    acme_load(acme, torii_str("certs/" HAVE_ID ".json"), chain_str(text));

    torii_buf_free(&text);
}


static void
have_want(acme_t *acme, have_e what, uint64_t now)
{
    acme_want_t       want;
    acme_want_name_t  name;

    memset(&want, 0, sizeof(acme_want_t));
    memset(&name, 0, sizeof(acme_want_name_t));

    name.name = torii_str("a.example");

    want.id = torii_str(HAVE_ID);
    want.names = &name;
    want.n = 1;

    have_make(what, &want.chain, &want.key);

    acme_begin(acme);
    acme_want(acme, &want);
    acme_end(acme, now);
}


static void
test_have(const have_case_t *t)
{
    int             good;
    acme_t         *acme;
    uint32_t        wait;
    uint64_t        now;
    acme_conf_t     conf;
    torii_buf_t     mark = { NULL, 0, 0 };
    torii_str_t     chain, key;
    acme_entry_t   *e;
    acme_action_t   action;

    memset(&conf, 0, sizeof(acme_conf_t));

    conf.seed = 1;
    now = (CHAIN_NOW + (uint64_t) t->days * CHAIN_DAY) * 1000;

    acme = acme_create(&conf, now);

    have_load(acme, t->mark);
    have_want(acme, t->there, now);

    (void) acme_next(acme, now, &action, &wait);

    e = acme_entry_get(acme, torii_str(HAVE_ID), 0);
    good = e->have.arena != NULL;

    tap_ok(e->checked && good == t->good
           && (!good || e->have.chain.not_after == CHAIN_NOW + CHAIN_DAY),
           "have: %s", t->what);

    if (good) {
        have_make(t->there, &chain, &key);
        acme_have_mark(chain, key, &mark);
        tap_ok(torii_str_eq(e->saved.sound, chain_str(mark)),
               "have: %s: the mark is of what is there", t->what);
        torii_buf_free(&mark);
    }

    acme_free(acme);
}


static void
test_known(void)
{
    char          error[256];
    uint32_t      i;
    acme_chain_t  one, two;

    if (!tap_ok(acme_chain_read(chain_arena, set.full, set.leaf.key, NULL,
                                CHAIN_NOW, &one, error) == TORII_OK
                && acme_chain_known(chain_arena, set.full, CHAIN_NOW, &two,
                                    error) == TORII_OK
                && one.n == two.n, "known: read"))
    {
        return;
    }

    for (i = 0; i < one.n && torii_str_eq(one.names[i], two.names[i]); i++) {
        /* void */
    }

    tap_ok(i == 3 && one.not_before == two.not_before
           && one.not_after == two.not_after
           && torii_str_eq(one.serial, two.serial)
           && torii_str_eq(one.issuer, two.issuer)
           && torii_str_eq(one.ari, two.ari)
           && torii_str_eq(one.leaf, two.leaf), "known: as in full");
}


int
main(void)
{
    const have_case_t  *t;

    chain_arena = torii_arena_create(4096);
    chain_set_make(&set);

    test_known();

    for (t = have_cases; t->what; t++) {
        test_have(t);
    }

    chain_set_free(&set);
    torii_arena_destroy(chain_arena);

    return tap_done();
}
