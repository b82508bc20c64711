
/*
 * The keys of a provider, over time.
 */

#include <stdlib.h>

#include "oauth2_keys.h"


#define OAUTH2_KEYS_SLOTS  1024         /* a power of two */


typedef struct {
    uint64_t         hash;
    int64_t          until;
} oauth2_unknown_t;

struct oauth2_keys_s {
    torii_jwks_t     *set;
    int64_t           expires;
    int64_t           forced;           /* when a kid made us fetch last */
    int64_t           owner;            /* until when a fetch is under way */
    uint32_t          failures;
    unsigned          asked:1;          /* some kid ever made us fetch */
    oauth2_unknown_t  unknown[OAUTH2_KEYS_SLOTS];
};


oauth2_keys_t *
oauth2_keys_create(void)
{
    return torii_zalloc(sizeof(oauth2_keys_t));
}


void
oauth2_keys_free(oauth2_keys_t *k)
{
    if (k) {
        torii_jwks_free(k->set);
        free(k);
    }
}


const torii_jwks_t *
oauth2_keys_get(const oauth2_keys_t *k)
{
    return k->set;
}


static oauth2_keys_e
oauth2_keys_fetch(oauth2_keys_t *k, int64_t now)
{
    k->owner = now + OAUTH2_KEYS_OWNER;

    return OAUTH2_KEYS_FETCH;
}


oauth2_keys_e
oauth2_keys_tick(oauth2_keys_t *k, int64_t now)
{
    if (now < k->owner) {
        return OAUTH2_KEYS_PENDING;
    }

    return now >= k->expires ? oauth2_keys_fetch(k, now) : OAUTH2_KEYS_USE;
}


/*
 * Two kids may share a slot, so that one is forgotten early: that costs nothing
 * but a question, and those are counted.
 */

static oauth2_unknown_t *
oauth2_keys_slot(oauth2_keys_t *k, torii_str_t kid, uint64_t *hash)
{
    *hash = torii_hash(kid.data, kid.len, (uint64_t) (uintptr_t) k) | 1;

    return &k->unknown[*hash >> 32 & (OAUTH2_KEYS_SLOTS - 1)];
}


oauth2_keys_e
oauth2_keys_missing(oauth2_keys_t *k, torii_str_t kid, int64_t now)
{
    uint64_t           hash;
    oauth2_unknown_t  *slot;

    if (kid.len && k->set && torii_jwks_has(k->set, kid)) {
        return OAUTH2_KEYS_USE;
    }

    slot = oauth2_keys_slot(k, kid, &hash);

    if (slot->hash == hash && now < slot->until) {
        return OAUTH2_KEYS_NOT;
    }

    if (now < k->owner) {
        return OAUTH2_KEYS_PENDING;
    }

    slot->hash = hash;
    slot->until = now + OAUTH2_KEYS_FORGET;

    if (k->asked && now - k->forced < OAUTH2_KEYS_FORCED) {

        /* it may be a good one, whose turn comes when the minute is over */

        slot->until = k->forced + OAUTH2_KEYS_FORCED;
        return OAUTH2_KEYS_NOT;
    }

    k->asked = 1;
    k->forced = now;

    return oauth2_keys_fetch(k, now);
}


/* RFC 9111 section 5.2.2.1, and no other directive. */

static int64_t
oauth2_keys_ttl(torii_str_t cache_control)
{
    uint64_t     ttl;
    torii_str_t  item;

    while (torii_str_next(&cache_control, ",", &item)) {
        item = torii_str_trim(item);

        if (!torii_str_starts(item, "max-age=")) {
            continue;
        }

        item.data += sizeof("max-age=") - 1;
        item.len -= sizeof("max-age=") - 1;

        if (torii_str_uint(item, UINT32_MAX, &ttl) != TORII_OK) {
            break;
        }

        if (ttl < OAUTH2_KEYS_TTL_MIN) {
            return OAUTH2_KEYS_TTL_MIN;
        }

        return ttl > OAUTH2_KEYS_TTL_MAX ? OAUTH2_KEYS_TTL_MAX : (int64_t) ttl;
    }

    return OAUTH2_KEYS_TTL;
}


int
oauth2_keys_set(oauth2_keys_t *k, torii_str_t body, torii_str_t cache_control,
    int64_t now, const char **error)
{
    torii_jwks_t  *set;

    set = torii_jwks_read(body, error);

    if (set == NULL) {
        oauth2_keys_failed(k, now);
        return TORII_ERROR;
    }

    torii_jwks_free(k->set);

    k->set = set;
    k->expires = now + oauth2_keys_ttl(cache_control);
    k->owner = 0;
    k->failures = 0;

    return TORII_OK;
}


/* 5, 10, 20 … 300 s */

void
oauth2_keys_failed(oauth2_keys_t *k, int64_t now)
{
    int64_t  wait;

    wait = 5LL << (k->failures < 6 ? k->failures : 6);

    if (wait > OAUTH2_KEYS_TTL_MIN) {
        wait = OAUTH2_KEYS_TTL_MIN;
    }

    k->failures++;
    k->expires = now + wait;
    k->owner = 0;
}
