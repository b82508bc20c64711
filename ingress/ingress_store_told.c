
/*
 * What providers of logins have told of themselves: values from outside that go
 * to the table as they are, beside the settings of their Secrets.
 */

#include <stdlib.h>

#include "ingress_compile.h"


#define INGRESS_TOLD_MAX  (256 * 1024)      /* bytes of either */


static ingress_told_t *ingress_told_get(ingress_store_t *store,
    torii_str_t name);
static torii_str_t ingress_told_copy(torii_str_t s);


int
ingress_store_told(ingress_store_t *store, torii_str_t name,
    torii_str_t discovery, torii_str_t keys, uint64_t fetched)
{
    ingress_told_t  *told;

    if (discovery.len > INGRESS_TOLD_MAX || keys.len > INGRESS_TOLD_MAX) {
        return 0;
    }

    told = ingress_told_get(store, name);

    if (told == NULL) {
        told = torii_zalloc(sizeof(ingress_told_t));
        told->name = ingress_told_copy(name);
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
ingress_told_get(ingress_store_t *store, torii_str_t name)
{
    ingress_told_t  *told;

    for (told = store->told; told; told = told->next) {
        if (torii_str_eq(told->name, name)) {
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

    told = ingress_told_get(c->store, name);

    return (told && ingress_writer_fits(c->w, told->discovery.len
                                              + told->keys.len + 64))
           ? told : NULL;
}


void
ingress_told_free(ingress_store_t *store)
{
    ingress_told_t  *told;

    while (store->told) {
        told = store->told;
        store->told = told->next;

        free(told->name.data);
        free(told->discovery.data);
        free(told->keys.data);
        free(told);
    }
}
