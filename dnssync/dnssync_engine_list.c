
/*
 * What a zone was found to hold: it is kept in a few bytes, and compared with
 * what it held before.
 */

#include <stdlib.h>

#include "dnssync_work.h"


static void dnssync_list_proven(dnssync_engine_t *e, dnssync_domain_t *d);
static void dnssync_list_take(dnssync_domain_t *d, const dnssync_op_t *op);
static int dnssync_list_lags(dnssync_engine_t *e, dnssync_domain_t *d,
    int same);
static size_t dnssync_sets_bytes(const dnssync_rrset_t *sets, uint32_t n,
    uint32_t *values, uint32_t *options);
static torii_str_t dnssync_pack(unsigned char **p, torii_str_t s);
static void dnssync_options_pack(unsigned char **p, dnssync_option_t *to,
    const dnssync_option_t *from, uint32_t n);
static uint64_t dnssync_str_hash(torii_str_t s, uint64_t hash);


static const torii_str_t  dnssync_nothing = torii_null_string;


void
dnssync_probe_done(dnssync_engine_t *e, dnssync_domain_t *d, dnssync_op_t *op)
{
    if (op->same) {

        /* some versions are but a count: what a file says is read soon */

        if (d->cached) {
            d->list = e->now + DNSSYNC_REREAD
                      + dnssync_random(&e->random) % DNSSYNC_REREAD;
        }

        d->cached = 0;
        d->zone.state = DNSSYNC_ZONE_COMPLETE;
        dnssync_list_proven(e, d);
        return;
    }

    d->relist = 1;

    if (op->next.len == 0) {
        d->version = dnssync_nothing;  /* it cannot be told by a probe */
    }
}


static void
dnssync_list_proven(dnssync_engine_t *e, dnssync_domain_t *d)
{
    d->zone.listed = e->now / 1000;

    if (d->list == 0) {
        d->list = e->now + DNSSYNC_RELIST
                  + dnssync_random(&e->random) % DNSSYNC_RELIST;
    }

    dnssync_domain_later(e, d);
}


void
dnssync_list_done(dnssync_engine_t *e, dnssync_domain_t *d, dnssync_op_t *op)
{
    int       same;
    uint64_t  hash;

    dnssync_domain_forget(d);

    same = op->same && d->arena != NULL;
    hash = same ? d->hash : dnssync_sets_hash(op->sets, op->nsets);

    if (dnssync_list_lags(e, d, d->arena != NULL && hash == d->hash)) {
        return;
    }

    if (!same) {
        dnssync_list_take(d, op);
        d->save = 1;
    }

    if (hash != d->hash || d->zone.state != DNSSYNC_ZONE_COMPLETE) {
        d->dirty = 1;
    }

    if (d->whole || op->version.len == 0) {
        d->list = 0;
    }

    d->hash = hash;
    d->cached = 0;
    d->relist = 0;
    d->whole = 0;
    d->wrote = 0;
    d->patched = 0;
    d->zone.state = DNSSYNC_ZONE_COMPLETE;

    dnssync_list_proven(e, d);
}


/*
 * A listing that does not know what was written is older than that: another
 * server may have made it.
 */

static int
dnssync_list_lags(dnssync_engine_t *e, dnssync_domain_t *d, int same)
{
    if (!d->wrote || !same || d->lags == DNSSYNC_LAGS) {
        d->lags = 0;
        return 0;
    }

    d->pause.until = e->now + (DNSSYNC_SECOND_MS << d->lags);
    d->lags++;

    return 1;
}


static void
dnssync_list_take(dnssync_domain_t *d, const dnssync_op_t *op)
{
    uint32_t          i;
    torii_arena_t    *arena;
    dnssync_rrset_t  *sets;

    arena = torii_arena_create(1024);

    sets = torii_arena_alloc(arena, (op->nsets + 1)
                                    * sizeof(dnssync_rrset_t));
    dnssync_sets_copy(arena, sets, op->sets, op->nsets);

    d->version = torii_arena_str(arena, op->next);
    d->zone.sets = sets;
    d->zone.n = op->nsets;

    d->ids = 0;

    for (i = 0; i < op->nsets; i++) {
        d->ids |= (sets[i].id.len != 0);
    }

    torii_arena_destroy(d->arena);
    d->arena = arena;
}


void
dnssync_sets_copy(torii_arena_t *arena, dnssync_rrset_t *to,
    const dnssync_rrset_t *from, uint32_t n)
{
    size_t             bytes;
    uint32_t           i, k, nvalues, noptions;
    torii_str_t       *values;
    unsigned char     *p;
    dnssync_option_t  *options;

    bytes = dnssync_sets_bytes(from, n, &nvalues, &noptions);

    p = torii_arena_alloc(arena, bytes + 1);
    values = torii_arena_alloc(arena, (nvalues + 1) * sizeof(torii_str_t));
    options = torii_arena_alloc(arena, (noptions + 1)
                                       * sizeof(dnssync_option_t));

    for (i = 0; i < n; i++) {
        to[i] = from[i];

        to[i].name = dnssync_pack(&p, from[i].name);
        to[i].set = dnssync_pack(&p, from[i].set);
        to[i].id = dnssync_pack(&p, from[i].id);
        to[i].tag = dnssync_pack(&p, from[i].tag);
        to[i].values = values;
        to[i].options = options;

        for (k = 0; k < from[i].n; k++) {
            values[k] = dnssync_pack(&p, from[i].values[k]);
        }

        dnssync_options_pack(&p, options, from[i].options, from[i].noptions);

        values += from[i].n;
        options += from[i].noptions;
    }
}


static size_t
dnssync_sets_bytes(const dnssync_rrset_t *sets, uint32_t n, uint32_t *values,
    uint32_t *options)
{
    size_t    bytes;
    uint32_t  i, k;

    bytes = 0;
    *values = 0;
    *options = 0;

    for (i = 0; i < n; i++) {
        bytes += sets[i].name.len + sets[i].set.len + sets[i].id.len
                 + sets[i].tag.len;

        for (k = 0; k < sets[i].n; k++) {
            bytes += sets[i].values[k].len;
        }

        for (k = 0; k < sets[i].noptions; k++) {
            bytes += sets[i].options[k].name.len
                     + sets[i].options[k].value.len;
        }

        *values += sets[i].n;
        *options += sets[i].noptions;
    }

    return bytes;
}


static torii_str_t
dnssync_pack(unsigned char **p, torii_str_t s)
{
    torii_str_t  copy;

    copy.data = *p;
    copy.len = s.len;

    if (s.len) {
        memcpy(*p, s.data, s.len);
        *p += s.len;
    }

    return copy;
}


static void
dnssync_options_pack(unsigned char **p, dnssync_option_t *to,
    const dnssync_option_t *from, uint32_t n)
{
    uint32_t  i;

    for (i = 0; i < n; i++) {
        to[i].name = dnssync_pack(p, from[i].name);
        to[i].value = dnssync_pack(p, from[i].value);
    }
}


void
dnssync_endpoints_copy(torii_arena_t *arena, dnssync_endpoint_t *to,
    const dnssync_endpoint_t *from, uint32_t n)
{
    uint32_t           i, k;
    torii_str_t       *targets;
    dnssync_option_t  *options;

    for (i = 0; i < n; i++) {
        to[i] = from[i];

        to[i].name = torii_arena_str(arena, from[i].name);
        to[i].set = torii_arena_str(arena, from[i].set);
        to[i].view = torii_arena_str(arena, from[i].view);
        to[i].resource = torii_arena_str(arena, from[i].resource);
        to[i].zone = torii_arena_str(arena, from[i].zone);

        targets = torii_arena_alloc(arena, (from[i].n + 1)
                                           * sizeof(torii_str_t));
        options = torii_arena_alloc(arena, (from[i].noptions + 1)
                                           * sizeof(dnssync_option_t));

        for (k = 0; k < from[i].n; k++) {
            targets[k] = torii_arena_str(arena, from[i].targets[k]);
        }

        for (k = 0; k < from[i].noptions; k++) {
            options[k].name = torii_arena_str(arena, from[i].options[k].name);
            options[k].value = torii_arena_str(arena,
                                               from[i].options[k].value);
        }

        to[i].targets = targets;
        to[i].options = options;
    }
}


static uint64_t
dnssync_str_hash(torii_str_t s, uint64_t hash)
{
    return torii_hash(s.data, s.len, hash + s.len);
}


/* Whatever the order of sets, or of values in one. */

uint64_t
dnssync_sets_hash(const dnssync_rrset_t *sets, uint32_t n)
{
    uint32_t  i, k;
    uint64_t  all, hash, values;

    all = n;

    for (i = 0; i < n; i++) {
        hash = dnssync_str_hash(sets[i].name, sets[i].type);
        hash = dnssync_str_hash(sets[i].set, hash);
        hash = dnssync_str_hash(sets[i].id, hash);
        hash = dnssync_str_hash(sets[i].tag, hash + sets[i].ttl);
        values = 0;

        for (k = 0; k < sets[i].n; k++) {
            values += dnssync_str_hash(sets[i].values[k], 1);
        }

        for (k = 0; k < sets[i].noptions; k++) {
            values += dnssync_str_hash(sets[i].options[k].value,
                              dnssync_str_hash(sets[i].options[k].name, 2));
        }

        all += torii_hash(&values, sizeof(uint64_t), hash);
    }

    return all;
}


uint64_t
dnssync_endpoints_hash(const dnssync_endpoint_t *e, uint32_t n, uint64_t hash)
{
    uint32_t  i, k;

    for (i = 0; i < n; i++) {
        hash = dnssync_str_hash(e[i].name, hash + e[i].type);
        hash = dnssync_str_hash(e[i].set, hash + e[i].ttl);
        hash = dnssync_str_hash(e[i].view, hash + e[i].said);
        hash = dnssync_str_hash(e[i].resource, hash + e[i].created);
        hash = dnssync_str_hash(e[i].zone, hash + e[i].n);

        for (k = 0; k < e[i].n; k++) {
            hash = dnssync_str_hash(e[i].targets[k], hash);
        }

        for (k = 0; k < e[i].noptions; k++) {
            hash = dnssync_str_hash(e[i].options[k].name, hash);
            hash = dnssync_str_hash(e[i].options[k].value, hash);
        }
    }

    return hash;
}
