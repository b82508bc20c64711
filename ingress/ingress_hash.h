
/*
 * A hash table of records that carry their own link; the caller compares.
 */

#ifndef _INGRESS_HASH_H_INCLUDED_
#define _INGRESS_HASH_H_INCLUDED_


#include "torii.h"


/* The first member of a record. */

typedef struct ingress_link_s  ingress_link_t;

struct ingress_link_s {
    ingress_link_t        *next;
    uint64_t               hash;
};

typedef struct {
    ingress_link_t       **buckets;
    uint32_t               size;     /* a power of two, or 0 */
    uint32_t               n;
} ingress_hash_t;


/* The first record of a hash, and the next one of the same hash, or NULL. */
void *ingress_hash_first(const ingress_hash_t *h, uint64_t hash);
void *ingress_hash_next(const void *record);

/* link->hash is set by the caller. */
void ingress_hash_add(ingress_hash_t *h, ingress_link_t *link);
void ingress_hash_delete(ingress_hash_t *h, ingress_link_t *link);

/* The buckets alone; the records are the caller's. */
void ingress_hash_free(ingress_hash_t *h);


#endif /* _INGRESS_HASH_H_INCLUDED_ */
