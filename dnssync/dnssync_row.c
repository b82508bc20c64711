
/*
 * A zone's names: what is there, and what is wanted.
 */

#include "dnssync_planner.h"


#define DNSSYNC_ROW_NAMES  4       /* of an endpoint: the host, new marks */


static uint64_t dnssync_row_hash(torii_str_t name, torii_str_t set);
static int dnssync_row_set(dnssync_ctx_t *ctx, const dnssync_rrset_t *set);
static void dnssync_row_gone(dnssync_ctx_t *ctx);


int
dnssync_within(torii_str_t name, torii_str_t zone)
{
    torii_str_t  end;

    if (name.len <= zone.len) {
        return torii_str_eq(name, zone);
    }

    end.data = name.data + name.len - zone.len;
    end.len = zone.len;

    return end.data[-1] == '.' && torii_str_eq(end, zone);
}


int
dnssync_rows(dnssync_ctx_t *ctx, dnssync_place_t *place)
{
    size_t           n;
    uint32_t         i;
    dnssync_row_t   *row;
    dnssync_link_t  *link, *next;

    n = (size_t) ctx->zone->n + DNSSYNC_ROW_NAMES * (size_t) place->nlinks + 1;
    ctx->rows = torii_arena_alloc(ctx->arena, n * sizeof(dnssync_row_t *));

    for (ctx->mask = 16; ctx->mask < 2 * n; ctx->mask *= 2) {
        /* void */
    }

    ctx->slots = torii_arena_zalloc(ctx->arena,
                                    ctx->mask * sizeof(dnssync_row_t *));
    ctx->mask--;

    for (i = 0; i < ctx->zone->n; i++) {
        if (dnssync_row_set(ctx, &ctx->zone->sets[i]) != TORII_OK) {
            return TORII_ERROR;
        }
    }

    for (link = place->links; link != NULL; link = next) {
        next = link->next;
        row = dnssync_row(ctx, link->endpoint->name, link->endpoint->set);

        link->next = row->links;
        row->links = link;
    }

    dnssync_row_gone(ctx);

    return TORII_OK;
}


/* A set that comes twice: pages of the listing overlap, or it is no set. */

static int
dnssync_row_set(dnssync_ctx_t *ctx, const dnssync_rrset_t *set)
{
    unsigned                  i;
    dnssync_row_t            *row;
    const dnssync_rrset_t   **place;

    static const torii_str_t  nothing = torii_null_string;

    if (!dnssync_within(set->name, ctx->zone->name)) {
        return TORII_OK;
    }

    row = dnssync_row(ctx, set->name, set->set);
    place = NULL;

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        if (set->type == dnssync_types[i]) {
            row->there |= 1 << i;
            place = &row->have[i];
        }
    }

    if (set->type == DNSSYNC_TXT) {
        place = &row->txt;
    }

    if (place == NULL) {
        row->other = 1;

        if (set->type == DNSSYNC_NS
            && !torii_str_eq(set->name, ctx->zone->name))
        {
            row->ns = 1;
            ctx->delegates = 1;
        }

        return TORII_OK;
    }

    if (*place != NULL) {
        dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_ZONE, ctx->zone->id,
                             set->name, nothing, "the zone's listing has a "
                             "set twice, hence nothing in it is changed");
        return TORII_ERROR;
    }

    *place = set;

    return TORII_OK;
}


static void
dnssync_row_gone(dnssync_ctx_t *ctx)
{
    uint32_t        i;
    dnssync_row_t  *row;

    static const torii_str_t  nothing = torii_null_string;

    for (i = 0; i < ctx->in->source->ngone; i++) {
        row = dnssync_row_find(ctx, ctx->in->source->gone[i], nothing);

        if (row != NULL) {
            row->gone = 1;
        }
    }
}


static uint64_t
dnssync_row_hash(torii_str_t name, torii_str_t set)
{
    uint64_t  seed;

    seed = set.len ? torii_hash(set.data, set.len, 1) : 0;

    return torii_hash(name.data, name.len, seed);
}


dnssync_row_t *
dnssync_row(dnssync_ctx_t *ctx, torii_str_t name, torii_str_t set)
{
    uint32_t        slot;
    uint64_t        hash;
    dnssync_row_t  *row;

    hash = dnssync_row_hash(name, set);

    for (slot = hash & ctx->mask; ctx->slots[slot] != NULL;
         slot = (slot + 1) & ctx->mask)
    {
        row = ctx->slots[slot];

        if (row->hash == hash && torii_str_eq(row->name, name)
            && torii_str_eq(row->set, set))
        {
            return row;
        }
    }

    row = torii_arena_zalloc(ctx->arena, sizeof(dnssync_row_t));

    row->name = name;
    row->set = set;
    row->hash = hash;

    ctx->slots[slot] = row;
    ctx->rows[ctx->n++] = row;

    return row;
}


dnssync_row_t *
dnssync_row_find(const dnssync_ctx_t *ctx, torii_str_t name, torii_str_t set)
{
    uint32_t        slot;
    uint64_t        hash;
    dnssync_row_t  *row;

    hash = dnssync_row_hash(name, set);

    for (slot = hash & ctx->mask; ctx->slots[slot] != NULL;
         slot = (slot + 1) & ctx->mask)
    {
        row = ctx->slots[slot];

        if (row->hash == hash && torii_str_eq(row->name, name)
            && torii_str_eq(row->set, set))
        {
            return row;
        }
    }

    return NULL;
}


/* Names at and below an NS set are another zone's. */

const dnssync_row_t *
dnssync_row_delegation(const dnssync_ctx_t *ctx, torii_str_t name)
{
    torii_str_t           label;
    const dnssync_row_t  *row;

    static const torii_str_t  nothing = torii_null_string;

    if (!ctx->delegates) {
        return NULL;
    }

    while (name.data != NULL && name.len > ctx->zone->name.len) {
        row = dnssync_row_find(ctx, name, nothing);

        if (row != NULL && row->ns) {
            return row;
        }

        (void) torii_str_next(&name, ".", &label);
    }

    return NULL;
}
