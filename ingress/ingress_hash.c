
/*
 * A hash table of records that carry their own link.
 */

#include <stdlib.h>

#include "ingress_hash.h"


#define INGRESS_HASH_MIN  64


static void *
ingress_hash_search(ingress_link_t *link, uint64_t hash)
{
    while (link && link->hash != hash) {
        link = link->next;
    }

    return link;
}


void *
ingress_hash_first(const ingress_hash_t *h, uint64_t hash)
{
    if (h->size == 0) {
        return NULL;
    }

    return ingress_hash_search(h->buckets[hash & (h->size - 1)], hash);
}


void *
ingress_hash_next(const void *record)
{
    const ingress_link_t  *link;

    link = record;

    return ingress_hash_search(link->next, link->hash);
}


static void
ingress_hash_grow(ingress_hash_t *h)
{
    uint32_t          i, size;
    ingress_link_t   *link, *next, **buckets, **place;

    size = h->size ? h->size * 2 : INGRESS_HASH_MIN;
    buckets = torii_zalloc(size * sizeof(ingress_link_t *));

    for (i = 0; i < h->size; i++) {
        for (link = h->buckets[i]; link; link = next) {
            next = link->next;

            place = &buckets[link->hash & (size - 1)];
            link->next = *place;
            *place = link;
        }
    }

    free(h->buckets);

    h->buckets = buckets;
    h->size = size;
}


void
ingress_hash_add(ingress_hash_t *h, ingress_link_t *link)
{
    ingress_link_t  **place;

    if (h->n >= h->size) {
        ingress_hash_grow(h);
    }

    place = &h->buckets[link->hash & (h->size - 1)];
    link->next = *place;
    *place = link;

    h->n++;
}


void
ingress_hash_delete(ingress_hash_t *h, ingress_link_t *link)
{
    ingress_link_t  **place;

    place = &h->buckets[link->hash & (h->size - 1)];

    while (*place != link) {
        place = &(*place)->next;
    }

    *place = link->next;

    h->n--;
}


void
ingress_hash_free(ingress_hash_t *h)
{
    free(h->buckets);
    memset(h, 0, sizeof(ingress_hash_t));
}
