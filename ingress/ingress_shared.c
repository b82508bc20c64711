
/*
 * Records that are kept once however many Ingresses say the same.
 */

#include <stdlib.h>

#include "ingress_compile.h"


void *
ingress_shared_hold(ingress_hash_t *table, size_t size, size_t at,
    const void *record, size_t len, torii_buf_t *pool)
{
    uint64_t           hash;
    ingress_shared_t  *shared;

    hash = torii_hash(pool->data, pool->len, torii_hash(record, len, 0));

    shared = ingress_hash_first(table, hash);

    for ( /* void */ ; shared; shared = ingress_hash_next(shared)) {
        if (memcmp((unsigned char *) shared + at, record, len) == 0
            && shared->pool.len == pool->len
            && (pool->len == 0
                || memcmp(shared->pool.data, pool->data, pool->len) == 0))
        {
            torii_buf_free(pool);
            shared->refs++;
            return shared;
        }
    }

    shared = torii_zalloc(size);

    shared->refs = 1;
    shared->pool = *pool;
    memcpy((unsigned char *) shared + at, record, len);

    shared->link.hash = hash;
    ingress_hash_add(table, &shared->link);

    return shared;
}


void
ingress_shared_release(ingress_hash_t *table, ingress_shared_t *shared)
{
    if (--shared->refs) {
        return;
    }

    ingress_hash_delete(table, &shared->link);
    torii_buf_free(&shared->pool);
    free(shared);
}
