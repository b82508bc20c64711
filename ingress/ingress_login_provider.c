
/*
 * Providers of logins: Secrets of type torii/oauth2-provider, who may use
 * them, and their records in the table.
 *
 * A provider serves the Ingresses of its own namespace.  Those of others it
 * serves if its key "allowed-namespaces" lists them ("*": all); and without
 * that key, if it is in the gateway's namespace, or the ConfigMap allows
 * references between namespaces.  An Ingress that names no provider never gets
 * one by what another namespace has written: who tells who logs in is either
 * of its own namespace or of the gateway's.  (In a cluster only Secrets that
 * some object names are known, since a watch does not tell their types.)
 */

#include <stdlib.h>

#include "ingress_compile.h"
#include "ingress_decode.h"


#define INGRESS_PROVIDER_TYPE     "torii/oauth2-provider"
#define INGRESS_PROVIDER_ALLOWED  "allowed-namespaces"


static int ingress_provider_is(const ingress_item_t *e);
static const torii_str_t *ingress_provider_allowed(
    const ingress_pairs_t *data);
static int ingress_provider_listed(torii_str_t list, torii_str_t namespace);
static uint32_t ingress_provider_place(const ingress_items_t *list,
    torii_str_t key);
static ingress_item_t *ingress_provider_gateway(ingress_compile_t *c,
    torii_str_t namespace, int *several);
static torii_str_t ingress_provider_home(const ingress_compile_t *c);
static uint32_t ingress_provider_first(const ingress_items_t *list,
    torii_str_t namespace);
static ingress_item_t *ingress_provider_only(ingress_compile_t *c,
    torii_str_t where, torii_str_t namespace, int *several);
static void ingress_provider_write(ingress_compile_t *c, ingress_item_t *e);
static ingress_ref_t ingress_provider_settings(ingress_compile_t *c,
    const ingress_pairs_t *data, uint64_t *hash);
static int ingress_provider_pair_cmp(const void *one, const void *two);


/* The list is sorted, for those of a namespace to stand together. */

void
ingress_provider_changed(ingress_store_t *store, ingress_item_t *e)
{
    uint32_t          i;
    ingress_items_t  *list;

    list = &store->providers;

    if (e->provider == ingress_provider_is(e)) {
        return;
    }

    e->provider = !e->provider;
    i = ingress_provider_place(list, e->key);

    if (e->provider) {
        ingress_items_add(list, e);
        memmove(list->elts + i + 1, list->elts + i,
                (list->n - 1 - i) * sizeof(ingress_item_t *));
        list->elts[i] = e;
        return;
    }

    list->n--;
    memmove(list->elts + i, list->elts + i + 1,
            (list->n - i) * sizeof(ingress_item_t *));
}


/* Where the first is that does not come before key. */

static uint32_t
ingress_provider_place(const ingress_items_t *list, torii_str_t key)
{
    uint32_t  low, high, middle;

    low = 0;
    high = list->n;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (torii_str_cmp(list->elts[middle]->key, key) < 0) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


static int
ingress_provider_is(const ingress_item_t *e)
{
    return e->active
           && torii_str_eqs(e->active->u.secret.type, INGRESS_PROVIDER_TYPE);
}


/* What another namespace has, or has not, is not for everybody to learn. */

const char *
ingress_provider_problem(ingress_compile_t *c, const ingress_item_t *secret,
    torii_str_t namespace)
{
    int                  own;
    const torii_str_t   *allowed;

    own = torii_str_eq(secret->namespace, namespace);

    if (own && secret->active == NULL) {
        return "there is no Secret of the name";
    }

    if (own && !secret->provider) {
        return "its type is not " INGRESS_PROVIDER_TYPE;
    }

    if (own) {
        return NULL;
    }

    if (secret->provider) {
        allowed = ingress_provider_allowed(&secret->active->u.secret.data);

        if (allowed ? ingress_provider_listed(*allowed, namespace)
                    : (c->config->cross_namespace
                       || torii_str_eq(secret->namespace,
                                       ingress_provider_home(c))))
        {
            return NULL;
        }
    }

    return "no Secret of the name and of type " INGRESS_PROVIDER_TYPE " lists "
           "this namespace in its key " INGRESS_PROVIDER_ALLOWED;
}


static const torii_str_t *
ingress_provider_allowed(const ingress_pairs_t *data)
{
    uint32_t  i;

    for (i = 0; i < data->n; i++) {
        if (ingress_provider_named(data->elts[i].name,
                                   INGRESS_PROVIDER_ALLOWED))
        {
            return &data->elts[i].value;
        }
    }

    return NULL;
}


int
ingress_provider_named(torii_str_t key, const char *option)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < key.len && option[i] != '\0'; i++) {
        c = (key.data[i] == '_') ? '-' : key.data[i];

        if (c != (unsigned char) option[i]) {
            return 0;
        }
    }

    return i == key.len && option[i] == '\0';
}


static int
ingress_provider_listed(torii_str_t list, torii_str_t namespace)
{
    torii_str_t  piece;

    while (torii_str_next(&list, ", \t\r\n", &piece)) {
        if (torii_str_eqs(piece, "*") || torii_str_eq(piece, namespace)) {
            return 1;
        }
    }

    return 0;
}


/*
 * The only one of the Ingress' namespace; that of the ConfigMap; the only one
 * of the gateway's namespace.  A login for all is the gateway's first.  A
 * folder's objects are all of one author: there it is, at last, the only one
 * that the Ingress may use.
 */

ingress_item_t *
ingress_provider_default(ingress_compile_t *c, torii_str_t namespace,
    int global, int *several)
{
    uint32_t         i;
    ingress_item_t  *e;

    for (i = 0; i < 2; i++) {

        e = (i == (uint32_t) (global != 0))
            ? ingress_provider_only(c, namespace, namespace, several)
            : ingress_provider_gateway(c, namespace, several);

        if (e || *several) {
            return (e && e->provider) ? e : NULL;
        }
    }

    if (!c->options->loopback) {
        return NULL;
    }

    return ingress_provider_only(c, (torii_str_t) torii_null_string,
                                 namespace, several);
}


/* One that is named counts, even if it is not there. */

static ingress_item_t *
ingress_provider_gateway(ingress_compile_t *c, torii_str_t namespace,
    int *several)
{
    torii_str_t      where, name;
    ingress_item_t  *e;

    name = ingress_pool_str(&c->config->pool, c->config->provider);

    if (name.len) {
        where = ingress_pool_str(&c->config->pool,
                                 c->config->provider_namespace);
        e = ingress_item_find(c->store, INGRESS_KIND_SECRET, where, name);

        *several = (e == NULL || !e->provider);

        return *several ? NULL : e;
    }

    where = ingress_provider_home(c);

    return where.len ? ingress_provider_only(c, where, namespace, several)
                     : NULL;
}


/* The gateway's namespace, which is that of its ConfigMap, if not told. */

static torii_str_t
ingress_provider_home(const ingress_compile_t *c)
{
    torii_str_t  rest, namespace;

    if (c->options->cluster_namespace.len) {
        return c->options->cluster_namespace;
    }

    rest = c->options->config;

    if (rest.len && torii_str_next(&rest, "/", &namespace) && rest.data) {
        return namespace;
    }

    return (torii_str_t) torii_null_string;
}


static uint32_t
ingress_provider_first(const ingress_items_t *list, torii_str_t namespace)
{
    torii_str_t    key;
    unsigned char  buf[INGRESS_NAME_MAX + 1];

    if (namespace.len == 0 || namespace.len > INGRESS_NAME_MAX) {
        return 0;
    }

    memcpy(buf, namespace.data, namespace.len);
    buf[namespace.len] = '/';

    key.data = buf;
    key.len = namespace.len + 1;

    return ingress_provider_place(list, key);
}


/* where "": of any namespace */

static ingress_item_t *
ingress_provider_only(ingress_compile_t *c, torii_str_t where,
    torii_str_t namespace, int *several)
{
    uint32_t          i;
    ingress_item_t   *e, *found;
    ingress_items_t  *list;

    list = &c->store->providers;
    found = NULL;
    *several = 0;

    for (i = ingress_provider_first(list, where); i < list->n; i++) {
        e = list->elts[i];

        if (where.len && !torii_str_eq(e->namespace, where)) {
            break;
        }

        if (ingress_provider_problem(c, e, namespace) != NULL) {
            continue;
        }

        if (found) {
            *several = 1;
            return NULL;
        }

        found = e;
    }

    return found;
}


/* Those that a plan has chosen. */

void
ingress_providers_write(ingress_compile_t *c)
{
    uint32_t          i;
    ingress_items_t  *list;

    list = &c->store->providers;

    for (i = 0; i < list->n; i++) {
        if (list->elts[i]->u.secret.login.round == c->store->round) {
            ingress_provider_write(c, list->elts[i]);
        }
    }
}


static void
ingress_provider_write(ingress_compile_t *c, ingress_item_t *e)
{
    size_t                     len;
    uint32_t                   i;
    uint64_t                   hash;
    ingress_ref_t              name, settings, discovery, keys, issuers;
    const ingress_told_t      *told;
    const ingress_pairs_t     *data;
    ingress_table_provider_t  *record;

    data = &e->active->u.secret.data;
    len = e->key.len;

    for (i = 0; i < data->n; i++) {
        len += data->elts[i].name.len + data->elts[i].value.len
               + sizeof(ingress_entry_t) + 16;
    }

    e->u.secret.login.fits = ingress_writer_fits(c->w, len);

    if (!e->u.secret.login.fits) {
        return;
    }

    hash = torii_hash(e->key.data, e->key.len, 0);

    name = ingress_writer_pool(c->w, e->key.data, e->key.len);
    settings = ingress_provider_settings(c, data, &hash);

    memset(&discovery, 0, sizeof(ingress_ref_t));
    memset(&keys, 0, sizeof(ingress_ref_t));

    told = ingress_told_find(c, e->key);

    if (told) {
        discovery = ingress_writer_pool(c->w, told->discovery.data,
                                        told->discovery.len);
        keys = ingress_writer_pool(c->w, told->keys.data, told->keys.len);
    }

    issuers = ingress_told_issuers(c, e->key);

    e->u.secret.login.index = ingress_writer_n(c->w, PROVIDERS,
                                               ingress_table_provider_t);

    record = ingress_writer_add(c->w, INGRESS_SECTION_PROVIDERS,
                                sizeof(ingress_table_provider_t));
    record->name = name;
    record->hash = hash;
    record->settings = settings;
    record->discovery = discovery;
    record->keys = keys;
    record->fetched = told ? told->fetched : 0;
    record->issuers = issuers;
}


/* Who may use it is said here, and nobody else's. */

static ingress_ref_t
ingress_provider_settings(ingress_compile_t *c, const ingress_pairs_t *data,
    uint64_t *hash)
{
    uint32_t                i, k, n;
    ingress_ref_t           ref;
    ingress_entry_t        *entries;
    const ingress_pair_t  **pairs;

    pairs = torii_malloc(data->n * sizeof(ingress_pair_t *) + 1);
    n = 0;

    for (i = 0; i < data->n; i++) {
        if (!ingress_provider_named(data->elts[i].name,
                                    INGRESS_PROVIDER_ALLOWED)
            && data->elts[i].name.len)
        {
            pairs[n++] = &data->elts[i];
        }
    }

    qsort(pairs, n, sizeof(ingress_pair_t *), ingress_provider_pair_cmp);

    entries = torii_zalloc(n * sizeof(ingress_entry_t) + 1);
    k = 0;

    for (i = 0; i < n; i++) {

        if (i && torii_str_eq(pairs[i]->name, pairs[i - 1]->name)) {
            continue;
        }

        entries[k].name = ingress_writer_pool(c->w, pairs[i]->name.data,
                                              pairs[i]->name.len);
        entries[k].value = ingress_writer_pool(c->w, pairs[i]->value.data,
                                               pairs[i]->value.len);
        k++;

        *hash = torii_hash(pairs[i]->name.data, pairs[i]->name.len, *hash);
        *hash = torii_hash(pairs[i]->value.data, pairs[i]->value.len, *hash);
    }

    ref = ingress_writer_pool(c->w, entries, k * sizeof(ingress_entry_t));

    free(entries);
    free(pairs);

    return ref;
}


static int
ingress_provider_pair_cmp(const void *one, const void *two)
{
    const ingress_pair_t *const  *a, *const *b;

    a = one;
    b = two;

    return torii_str_cmp((*a)->name, (*b)->name);
}
