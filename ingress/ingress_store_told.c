
/*
 * What providers of logins have told of themselves: values from outside that go
 * to the table as they are, beside the settings of their Secrets.
 */

#include <stdlib.h>

#include "ingress_compile.h"


#define INGRESS_TOLD_MAX  (256 * 1024)      /* bytes of either */


static int ingress_told_set(ingress_store_t *store, torii_str_t name,
    torii_str_t issuer, torii_str_t discovery, torii_str_t keys,
    uint64_t fetched);
static ingress_told_t *ingress_told_get(ingress_store_t *store,
    torii_str_t name, torii_str_t issuer);
static int ingress_told_cmp(const void *one, const void *two);
static torii_str_t ingress_told_copy(torii_str_t s);


int
ingress_store_told(ingress_store_t *store, torii_str_t name,
    torii_str_t discovery, torii_str_t keys, uint64_t fetched)
{
    return ingress_told_set(store, name, torii_str(""), discovery, keys,
                            fetched);
}


int
ingress_store_told_issuer(ingress_store_t *store, torii_str_t name,
    torii_str_t issuer, torii_str_t keys)
{
    return ingress_told_set(store, name, issuer, torii_str(""), keys, 0);
}


static int
ingress_told_set(ingress_store_t *store, torii_str_t name, torii_str_t issuer,
    torii_str_t discovery, torii_str_t keys, uint64_t fetched)
{
    ingress_told_t  *told;

    if (discovery.len > INGRESS_TOLD_MAX || keys.len > INGRESS_TOLD_MAX) {
        return 0;
    }

    told = ingress_told_get(store, name, issuer);

    if (told == NULL) {
        told = torii_zalloc(sizeof(ingress_told_t));
        told->name = ingress_told_copy(name);
        told->issuer = ingress_told_copy(issuer);
        told->next = store->told;
        store->told = told;
    }

    if (torii_str_eq(told->discovery, discovery)
        && torii_str_eq(told->keys, keys))
    {
        return 0;
    }

    free(told->discovery.data);
    free(told->keys.data);

    told->discovery = ingress_told_copy(discovery);
    told->keys = ingress_told_copy(keys);
    told->fetched = fetched;

    return 1;
}


static ingress_told_t *
ingress_told_get(ingress_store_t *store, torii_str_t name, torii_str_t issuer)
{
    ingress_told_t  *told;

    for (told = store->told; told; told = told->next) {
        if (torii_str_eq(told->name, name)
            && torii_str_eq(told->issuer, issuer))
        {
            return told;
        }
    }

    return NULL;
}


static torii_str_t
ingress_told_copy(torii_str_t s)
{
    torii_str_t  copy;

    copy.len = s.len;
    copy.data = torii_malloc(s.len + 1);

    if (s.len) {
        memcpy(copy.data, s.data, s.len);
    }

    return copy;
}


const ingress_told_t *
ingress_told_find(ingress_compile_t *c, torii_str_t name)
{
    ingress_told_t  *told;

    told = ingress_told_get(c->store, name, torii_str(""));

    return (told && ingress_writer_fits(c->w, told->discovery.len
                                              + told->keys.len + 64))
           ? told : NULL;
}


ingress_ref_t
ingress_told_issuers(ingress_compile_t *c, torii_str_t name)
{
    uint32_t               i, n;
    ingress_ref_t          ref;
    ingress_told_t        *told;
    ingress_entry_t       *entries;
    const ingress_told_t **list;

    n = 0;

    for (told = c->store->told; told; told = told->next) {
        n++;
    }

    list = torii_malloc(n * sizeof(ingress_told_t *) + 1);
    n = 0;

    for (told = c->store->told; told; told = told->next) {
        if (told->issuer.len && told->keys.len
            && torii_str_eq(told->name, name))
        {
            list[n++] = told;
        }
    }

    qsort(list, n, sizeof(ingress_told_t *), ingress_told_cmp);

    entries = torii_zalloc(n * sizeof(ingress_entry_t) + 1);

    for (i = 0; i < n && ingress_writer_fits(c->w, list[i]->issuer.len
                             + list[i]->keys.len
                             + (i + 1) * sizeof(ingress_entry_t) + 64); i++)
    {
        entries[i].name = ingress_writer_pool(c->w, list[i]->issuer.data,
                                              list[i]->issuer.len);
        entries[i].value = ingress_writer_pool(c->w, list[i]->keys.data,
                                               list[i]->keys.len);
    }

    ref = ingress_writer_pool(c->w, entries, i * sizeof(ingress_entry_t));

    free(entries);
    free(list);

    return ref;
}


static int
ingress_told_cmp(const void *one, const void *two)
{
    const ingress_told_t *const  *a, *const *b;

    a = one;
    b = two;

    return torii_str_cmp((*a)->issuer, (*b)->issuer);
}


void
ingress_told_free(ingress_store_t *store)
{
    ingress_told_t  *told;

    while (store->told) {
        told = store->told;
        store->told = told->next;

        free(told->name.data);
        free(told->issuer.data);
        free(told->discovery.data);
        free(told->keys.data);
        free(told);
    }
}
