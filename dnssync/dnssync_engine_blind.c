
/*
 * Zones that cannot be read: what was written is remembered, and written again
 * only when something else is wanted.  Nothing is ever removed.
 */

#include <stdlib.h>

#include "dnssync_work.h"
#include "dnssync_planner.h"


static int dnssync_blind_order(const void *one, const void *two);
static void dnssync_blind_host(dnssync_engine_t *e, dnssync_domain_t *d,
    dnssync_endpoint_t **all, uint32_t n);
static const dnssync_rrset_t *dnssync_blind_get(const dnssync_domain_t *d,
    torii_str_t name, unsigned type);
static int dnssync_blind_same(const dnssync_rrset_t *have,
    const dnssync_endpoint_t *want);
static dnssync_rrset_t *dnssync_blind_set(const dnssync_domain_t *d,
    const dnssync_endpoint_t *want);


void
dnssync_blind_plan(dnssync_engine_t *e, dnssync_domain_t *d)
{
    uint32_t              i, first;
    dnssync_endpoint_t  **all;

    dnssync_domain_forget(d);

    d->plan.arena = torii_arena_create(4 * 1024);
    d->plan.observe = (e->observe
                       || d->agent->conf.policy == DNSSYNC_OBSERVE);
    d->shared = dnssync_shared_hold(e->routes);

    d->zone.state = DNSSYNC_ZONE_COMPLETE;
    d->zone.listed = e->now / 1000;

    all = torii_arena_alloc(d->plan.arena, (d->hosts + 1) * sizeof(void *));

    d->plan.edits = torii_arena_alloc(d->plan.arena, (d->hosts + 1)
                                                    * sizeof(dnssync_edit_t));

    for (i = 0; i < d->hosts; i++) {
        all[i] = &d->endpoints[i];
    }

    if (d->hosts) {
        qsort(all, d->hosts, sizeof(void *), dnssync_blind_order);
    }

    for (i = 1, first = 0; i <= d->hosts; i++) {
        if (i == d->hosts || !torii_str_eq(all[i]->name, all[first]->name)) {
            dnssync_blind_host(e, d, all + first, i - first);
            first = i;
        }
    }

    d->dirty = 0;
    d->urgent = 0;
    d->relist = 0;
    d->replan = 0;
    d->planned = e->now;
    d->complete = e->complete;

    if (d->plan.n == 0) {
        dnssync_domain_forget(d);
    }

    dnssync_engine_changed(e);
}


static int
dnssync_blind_order(const void *one, const void *two)
{
    int                         rc;
    dnssync_endpoint_t *const  *a, *const *b;

    a = one;
    b = two;

    rc = torii_str_cmp((*a)->name, (*b)->name);

    if (rc) {
        return rc;
    }

    return ((*a)->type > (*b)->type) - ((*a)->type < (*b)->type);
}


/* All addresses of a host, if one of them is not as it was. */

static void
dnssync_blind_host(dnssync_engine_t *e, dnssync_domain_t *d,
    dnssync_endpoint_t **all, uint32_t n)
{
    int                     same;
    uint32_t                i;
    dnssync_edit_t         *edit;
    dnssync_rrset_t        *copy;
    const dnssync_rrset_t  *have;

    edit = &d->plan.edits[d->plan.n];
    memset(edit, 0, sizeof(dnssync_edit_t));

    edit->zone = &d->zone;
    edit->name = all[0]->name;
    edit->resource = all[0]->resource;
    edit->what = DNSSYNC_EDIT_CREATE;
    edit->why = DNSSYNC_WHY_NEW;
    edit->parts = torii_arena_zalloc(d->plan.arena,
                                     n * sizeof(dnssync_part_t));
    same = 1;

    for (i = 0; i < n; i++) {

        if ((all[i]->type != DNSSYNC_A && all[i]->type != DNSSYNC_AAAA)
            || (i && all[i]->type == all[i - 1]->type))
        {
            continue;
        }

        have = dnssync_blind_get(d, all[i]->name, all[i]->type);
        same &= dnssync_blind_same(have, all[i]);

        if (have != NULL) {
            copy = torii_arena_alloc(d->plan.arena, sizeof(dnssync_rrset_t));
            dnssync_sets_copy(d->plan.arena, copy, have, 1);
            edit->parts[edit->nparts].before = copy;
            edit->what = DNSSYNC_EDIT_CHANGE;
            edit->why = DNSSYNC_WHY_TARGETS;
        }

        copy = dnssync_blind_set(d, all[i]);
        edit->parts[edit->nparts++].after = copy;
        edit->hash += dnssync_sets_hash(copy, 1);
    }

    if (same || edit->nparts == 0) {
        return;
    }

    if (dnssync_gate_edit(d->agent->gate, edit, e->now / 1000)
        == DNSSYNC_WHY_NEW)
    {
        d->plan.n++;
    }
}


static const dnssync_rrset_t *
dnssync_blind_get(const dnssync_domain_t *d, torii_str_t name, unsigned type)
{
    uint32_t  i;

    for (i = 0; i < d->zone.n; i++) {
        if (d->zone.sets[i].type == type
            && torii_str_eq(d->zone.sets[i].name, name))
        {
            return &d->zone.sets[i];
        }
    }

    return NULL;
}


static int
dnssync_blind_same(const dnssync_rrset_t *have, const dnssync_endpoint_t *want)
{
    uint32_t  i;

    if (have == NULL || have->n != want->n) {
        return 0;
    }

    for (i = 0; i < have->n; i++) {
        if (!torii_str_eq(have->values[i], want->targets[i])) {
            return 0;
        }
    }

    return 1;
}


static dnssync_rrset_t *
dnssync_blind_set(const dnssync_domain_t *d, const dnssync_endpoint_t *want)
{
    dnssync_rrset_t  *set;

    set = torii_arena_zalloc(d->plan.arena, sizeof(dnssync_rrset_t));

    set->name = want->name;
    set->type = want->type;
    set->ttl = want->ttl ? want->ttl : DNSSYNC_TTL_DEFAULT;
    set->values = want->targets;
    set->n = want->n;

    return set;
}
