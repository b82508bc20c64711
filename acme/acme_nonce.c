
/*
 * The nonces that answers brought (RFC 8555 section 6.5).  A CA forgets old
 * ones first, hence the newest is taken first.
 */

#include "acme_client_machine.h"


int
acme_nonce_ok(torii_str_t nonce)
{
    size_t         i;
    unsigned char  ch;

    if (nonce.len == 0 || nonce.len > ACME_NONCE_MAX) {
        return 0;
    }

    for (i = 0; i < nonce.len; i++) {
        ch = nonce.data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_'))
        {
            return 0;
        }
    }

    return 1;
}


void
acme_nonce_add(acme_nonce_pool_t *pool, uint64_t now, torii_str_t nonce)
{
    if (!acme_nonce_ok(nonce)) {
        return;
    }

    if (pool->n == ACME_NONCES) {
        pool->n--;
        memmove(&pool->nonces[0], &pool->nonces[1],
                pool->n * sizeof(pool->nonces[0]));
    }

    memcpy(pool->nonces[pool->n].text, nonce.data, nonce.len);
    pool->nonces[pool->n].text[nonce.len] = '\0';
    pool->nonces[pool->n].at = now;
    pool->n++;
}


/* A clock that was set back makes a nonce look young; a bad one is no harm. */

int
acme_nonce_have(acme_nonce_pool_t *pool, uint64_t now)
{
    if (pool->n && now > pool->nonces[pool->n - 1].at
        && now - pool->nonces[pool->n - 1].at > ACME_NONCE_LIFE)
    {
        pool->n = 0;
    }

    return pool->n != 0;
}


const char *
acme_nonce_take(acme_nonce_pool_t *pool, uint64_t now)
{
    if (!acme_nonce_have(pool, now)) {
        return NULL;
    }

    pool->n--;

    return pool->nonces[pool->n].text;
}


void
acme_nonce_clear(acme_nonce_pool_t *pool)
{
    pool->n = 0;
}
