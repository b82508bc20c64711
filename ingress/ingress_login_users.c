
/*
 * Users and the hashes of their passwords: a Secret in the form of htpasswd, or
 * with a key for each user.
 */

#include <stdlib.h>

#include "ingress_compile.h"


#define INGRESS_USERS_MAX    65536
#define INGRESS_USERS_FILE   "auth"
#define INGRESS_USER_MAX     255
#define INGRESS_HASH_MAX     255

typedef struct {
    torii_str_t     name;
    torii_str_t     hash;
    uint32_t        seq;
} ingress_user_t;

typedef struct {
    ingress_user_t   *elts;
    uint32_t          n;
    uint32_t          size;
    uint32_t          bad;       /* entries that are none */
} ingress_users_t;


static const char *ingress_users_read(const ingress_object_t *o, unsigned map,
    ingress_users_t *users);
static void ingress_users_line(ingress_users_t *users, torii_str_t line);
static void ingress_users_add(ingress_users_t *users, torii_str_t name,
    torii_str_t hash);
static int ingress_users_hash(torii_str_t hash);
static uint32_t ingress_users_record(ingress_compile_t *c,
    ingress_item_t *secret, ingress_users_t *users);
static int ingress_users_cmp(const void *one, const void *two);


/* What crypt(3) knows, and what NGINX adds to it; not a password in clear. */

static const char  *const  ingress_users_forms[] = {
    "$1$", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$7$", "$y$", "$gy$",
    "$apr1$", "{SHA}", "{SSHA}", NULL
};


uint32_t
ingress_users_write(ingress_compile_t *c, ingress_item_t *secret,
    unsigned map, const char **problem)
{
    ingress_users_t        users;
    ingress_item_users_t  *known;

    known = &secret->u.secret.users[map];

    if (known->round == c->store->round) {
        *problem = known->problem;
        return known->index;
    }

    memset(&users, 0, sizeof(ingress_users_t));

    known->round = c->store->round;
    known->index = 0;
    known->problem = ingress_users_read(secret->active, map, &users);

    if (known->problem == NULL) {
        known->index = ingress_users_record(c, secret, &users);

        if (known->index == 0) {
            known->problem = "the routing table is full";
        }
    }

    if (users.bad) {
        ingress_compile_finding(c, INGRESS_WARNING, "LoginUsers", secret, 0,
                                "data", (torii_str_t) torii_null_string,
                                "%u of its entries are no user with the hash "
                                "of a password (htpasswd writes them), and "
                                "let nobody in", users.bad);
    }

    free(users.elts);

    *problem = known->problem;

    return known->index;
}


static const char *
ingress_users_read(const ingress_object_t *o, unsigned map,
    ingress_users_t *users)
{
    uint32_t                i;
    torii_str_t             rest, line;
    const ingress_pair_t   *pair;
    const ingress_pairs_t  *data;

    if (o == NULL) {
        return "there is no Secret of the name";
    }

    data = &o->u.secret.data;

    if (data->n == 0) {
        return "there is nothing in the Secret";
    }

    if (map) {
        for (i = 0; i < data->n; i++) {
            ingress_users_add(users, data->elts[i].name,
                              torii_str_trim(data->elts[i].value));
        }

        return NULL;
    }

    pair = ingress_pair_find(data, INGRESS_USERS_FILE);
    if (pair == NULL) {
        return "the Secret has no key \"" INGRESS_USERS_FILE "\"; if each key "
               "is a user, write auth-secret-type: auth-map";
    }

    rest = pair->value;

    while (rest.len && torii_str_next(&rest, "\n", &line)) {
        ingress_users_line(users, torii_str_trim(line));
    }

    return NULL;
}


/* "user:hash", and as NGINX reads it, anything behind one more ":". */

static void
ingress_users_line(ingress_users_t *users, torii_str_t line)
{
    torii_str_t  name, hash;

    if (line.len == 0 || line.data[0] == '#') {
        return;
    }

    (void) torii_str_next(&line, ":", &name);

    if (line.data == NULL) {
        users->bad++;
        return;
    }

    (void) torii_str_next(&line, ":", &hash);

    ingress_users_add(users, name, hash);
}


static void
ingress_users_add(ingress_users_t *users, torii_str_t name, torii_str_t hash)
{
    ingress_user_t  *user;

    if (name.len == 0 || name.len > INGRESS_USER_MAX
        || memchr(name.data, ':', name.len) || torii_str_has_control(name)
        || !ingress_users_hash(hash) || users->n == INGRESS_USERS_MAX)
    {
        users->bad++;
        return;
    }

    if (users->n == users->size) {
        users->size = users->size ? users->size * 2 : 16;
        users->elts = torii_realloc(users->elts,
                                    users->size * sizeof(ingress_user_t));
    }

    user = &users->elts[users->n];

    user->name = name;
    user->hash = hash;
    user->seq = users->n++;
}


static int
ingress_users_hash(torii_str_t hash)
{
    size_t              i;
    const char  *const *form;

    if (hash.len == 0 || hash.len > INGRESS_HASH_MAX) {
        return 0;
    }

    for (i = 0; i < hash.len; i++) {
        if (hash.data[i] <= ' ' || hash.data[i] > '~') {
            return 0;
        }
    }

    for (form = ingress_users_forms; *form; form++) {
        if (torii_str_starts(hash, *form)) {
            return 1;
        }
    }

    /* DES, which is as long as this, always */

    if (hash.len != 13) {
        return 0;
    }

    for (i = 0; i < hash.len; i++) {
        if (memchr("./", hash.data[i], 2) == NULL
            && (hash.data[i] < '0' || hash.data[i] > '9')
            && ((hash.data[i] | 0x20) < 'a' || (hash.data[i] | 0x20) > 'z'))
        {
            return 0;
        }
    }

    return 1;
}


/* Of one name the first counts, as it is with NGINX. */

static uint32_t
ingress_users_record(ingress_compile_t *c, ingress_item_t *secret,
    ingress_users_t *users)
{
    size_t                  len;
    uint32_t                i, n;
    uint64_t                hash;
    ingress_ref_t           name, list;
    ingress_user_t         *user;
    ingress_entry_t        *entries;
    ingress_table_users_t  *record;

    len = secret->key.len;

    for (i = 0; i < users->n; i++) {
        len += users->elts[i].name.len + users->elts[i].hash.len
               + sizeof(ingress_entry_t) + 16;
    }

    if (!ingress_writer_fits(c->w, len)) {
        return 0;
    }

    if (users->n) {
        qsort(users->elts, users->n, sizeof(ingress_user_t),
              ingress_users_cmp);
    }

    entries = torii_zalloc(users->n * sizeof(ingress_entry_t) + 1);
    hash = torii_hash(secret->key.data, secret->key.len, 0);
    n = 0;

    for (i = 0; i < users->n; i++) {
        user = &users->elts[i];

        if (i && torii_str_eq(user->name, user[-1].name)) {
            continue;
        }

        hash = torii_hash(user->name.data, user->name.len, hash);
        hash = torii_hash(user->hash.data, user->hash.len, hash);

        entries[n].name = ingress_writer_pool(c->w, user->name.data,
                                              user->name.len);
        entries[n].value = ingress_writer_pool(c->w, user->hash.data,
                                               user->hash.len);
        n++;
    }

    name = ingress_writer_pool(c->w, secret->key.data, secret->key.len);
    list = ingress_writer_pool(c->w, entries, n * sizeof(ingress_entry_t));

    free(entries);

    record = ingress_writer_add(c->w, INGRESS_SECTION_USERS,
                                sizeof(ingress_table_users_t));
    record->hash = hash;
    record->name = name;
    record->users = list;

    return ingress_writer_n(c->w, USERS, ingress_table_users_t);
}


static int
ingress_users_cmp(const void *one, const void *two)
{
    int                    rc;
    const ingress_user_t  *a, *b;

    a = one;
    b = two;

    rc = torii_str_cmp(a->name, b->name);

    if (rc) {
        return rc;
    }

    return (a->seq > b->seq) - (a->seq < b->seq);
}
