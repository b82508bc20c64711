
/*
 * Challenges of ACME in the store: values from outside that go to the table as
 * they are.  Few, and gone within minutes.
 */

#include <stdlib.h>

#include "ingress_compile.h"


#define INGRESS_CHALLENGE_NAME   255
#define INGRESS_CHALLENGE_VALUE  16384
#define INGRESS_CHALLENGE_ARENA  4096


static int ingress_challenge_usable(const ingress_challenge_t *ch);
static int ingress_challenge_is_name(uint32_t type, torii_str_t name);
static uint32_t ingress_challenges_unique(ingress_challenge_t *list,
    uint32_t n);
static int ingress_challenges_same(const ingress_store_t *store,
    const ingress_challenge_t *list, uint32_t n);
static int ingress_challenge_cmp(const void *one, const void *two);


int
ingress_store_challenges(ingress_store_t *store,
    const ingress_challenge_t *challenges, uint32_t n)
{
    uint32_t              i, k;
    torii_arena_t        *arena;
    ingress_challenge_t  *list;

    list = torii_malloc((n + 1) * sizeof(ingress_challenge_t));
    k = 0;

    for (i = 0; i < n; i++) {
        if (ingress_challenge_usable(&challenges[i])) {
            list[k++] = challenges[i];
        }
    }

    k = ingress_challenges_unique(list, k);

    if (ingress_challenges_same(store, list, k)) {
        free(list);
        return 0;
    }

    arena = torii_arena_create(INGRESS_CHALLENGE_ARENA);

    for (i = 0; i < k; i++) {
        list[i].name = torii_arena_str(arena, list[i].name);
        list[i].value = torii_arena_str(arena, list[i].value);
        list[i].key = torii_arena_str(arena, list[i].key);
    }

    ingress_challenges_free(store);

    store->challenges = list;
    store->nchallenges = k;
    store->challenge_arena = arena;

    return 1;
}


static int
ingress_challenge_usable(const ingress_challenge_t *ch)
{
    if (ch->type >= INGRESS_CHALLENGE_MAX
        || ch->value.len == 0 || ch->value.len > INGRESS_CHALLENGE_VALUE
        || ch->key.len > INGRESS_CHALLENGE_VALUE)
    {
        return 0;
    }

    if ((ch->key.len != 0) != (ch->type == INGRESS_CHALLENGE_ALPN)) {
        return 0;
    }

    if (ch->type == INGRESS_CHALLENGE_HTTP
        && torii_str_has_control(ch->value))
    {
        return 0;
    }

    return ingress_challenge_is_name(ch->type, ch->name);
}


/* RFC 8555 section 8.1: a token is of the base64url alphabet. */

static int
ingress_challenge_is_name(uint32_t type, torii_str_t name)
{
    size_t         i;
    unsigned char  c;

    if (name.len == 0 || name.len > INGRESS_CHALLENGE_NAME) {
        return 0;
    }

    for (i = 0; i < name.len; i++) {
        c = name.data[i];

        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
            || c == '-' || c == '_')
        {
            continue;
        }

        if (type == INGRESS_CHALLENGE_HTTP ? (c < 'A' || c > 'Z') : c != '.') {
            return 0;
        }
    }

    return 1;
}


/* Sorts them; of two for one name the first by bytes is left. */

static uint32_t
ingress_challenges_unique(ingress_challenge_t *list, uint32_t n)
{
    uint32_t  i, k;

    if (n == 0) {
        return 0;
    }

    qsort(list, n, sizeof(ingress_challenge_t), ingress_challenge_cmp);

    for (i = 1, k = 0; i < n; i++) {
        if (list[i].type != list[k].type
            || !torii_str_eq(list[i].name, list[k].name))
        {
            list[++k] = list[i];
        }
    }

    return k + 1;
}


static int
ingress_challenge_cmp(const void *one, const void *two)
{
    int                         rc;
    const ingress_challenge_t  *a, *b;

    a = one;
    b = two;

    if (a->type != b->type) {
        return a->type < b->type ? -1 : 1;
    }

    rc = torii_str_cmp(a->name, b->name);

    if (rc == 0) {
        rc = torii_str_cmp(a->value, b->value);
    }

    return rc ? rc : torii_str_cmp(a->key, b->key);
}


static int
ingress_challenges_same(const ingress_store_t *store,
    const ingress_challenge_t *list, uint32_t n)
{
    uint32_t  i;

    if (store->nchallenges != n) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        if (ingress_challenge_cmp(&store->challenges[i], &list[i]) != 0) {
            return 0;
        }
    }

    return 1;
}


void
ingress_challenges_write(ingress_compile_t *c)
{
    uint32_t                    i;
    ingress_section_e           section;
    const ingress_challenge_t  *ch;
    ingress_table_challenge_t  *record;

    for (i = 0; i < c->store->nchallenges; i++) {
        ch = &c->store->challenges[i];

        if (!ingress_writer_fits(c->w, ch->value.len + ch->key.len)) {
            return;
        }

        section = ch->type == INGRESS_CHALLENGE_HTTP
                  ? INGRESS_SECTION_CHALLENGES_HTTP
                  : INGRESS_SECTION_CHALLENGES_ALPN;

        record = ingress_writer_add(c->w, section,
                                    sizeof(ingress_table_challenge_t));

        record->name = ingress_writer_pool(c->w, ch->name.data, ch->name.len);
        record->value = ingress_writer_pool(c->w, ch->value.data,
                                            ch->value.len);
        record->key = ingress_writer_pool(c->w, ch->key.data, ch->key.len);
    }
}


void
ingress_challenges_free(ingress_store_t *store)
{
    torii_arena_destroy(store->challenge_arena);
    free(store->challenges);

    store->challenge_arena = NULL;
    store->challenges = NULL;
    store->nchallenges = 0;
}
