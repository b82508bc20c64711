
/*
 * What a zone holds after edits, without reading it: where it cannot be read,
 * and where that takes so long that the next change would have to wait for it.
 */

#include <stdlib.h>

#include "dnssync_work.h"


static uint32_t dnssync_patch_find(const dnssync_domain_t *d,
    const dnssync_rrset_t *set);
static void dnssync_patch_take(dnssync_domain_t *d,
    const dnssync_rrset_t *all, uint32_t n);


/* Of edits that were done. */

void
dnssync_patch(dnssync_domain_t *d, const dnssync_op_t *op)
{
    uint32_t                i, k, at, n, left;
    dnssync_rrset_t        *all;
    const dnssync_part_t   *part;

    n = d->zone.n;
    left = 0;

    for (i = 0; i < op->nedits; i++) {
        left += op->edits[i]->nparts;
    }

    all = torii_malloc((n + left + 1) * sizeof(dnssync_rrset_t));

    if (n) {
        memcpy(all, d->zone.sets, n * sizeof(dnssync_rrset_t));
    }

    for (i = 0; i < op->nedits && op->results != NULL; i++) {

        if (op->results[i].what != DNSSYNC_OUTCOME_DONE) {
            continue;
        }

        for (k = 0; k < op->edits[i]->nparts; k++) {
            part = &op->edits[i]->parts[k];
            at = part->before ? dnssync_patch_find(d, part->before)
                              : d->zone.n;

            if (at == d->zone.n && part->after != NULL) {
                at = n++;
            }

            if (part->after != NULL) {
                all[at] = *part->after;
                all[at].id.len = 0;

            } else if (at < d->zone.n) {
                all[at].n = 0;
            }
        }
    }

    for (i = 0, left = 0; i < n; i++) {
        if (all[i].n || i >= d->zone.n || d->zone.sets[i].n == 0) {
            all[left++] = all[i];
        }
    }

    dnssync_patch_take(d, all, left);
    free(all);
}


static uint32_t
dnssync_patch_find(const dnssync_domain_t *d, const dnssync_rrset_t *set)
{
    uint32_t                i;
    const dnssync_rrset_t  *s;

    for (i = 0; i < d->zone.n; i++) {
        s = &d->zone.sets[i];

        if (s == set
            || (s->type == set->type && torii_str_eq(s->name, set->name)
                && torii_str_eq(s->set, set->set)))
        {
            break;
        }
    }

    return i;
}


static void
dnssync_patch_take(dnssync_domain_t *d, const dnssync_rrset_t *all, uint32_t n)
{
    torii_arena_t    *arena;
    dnssync_rrset_t  *sets;

    arena = torii_arena_create(1024);

    sets = torii_arena_alloc(arena, (n + 1) * sizeof(dnssync_rrset_t));
    dnssync_sets_copy(arena, sets, all, n);

    torii_arena_destroy(d->arena);

    d->arena = arena;
    d->zone.sets = sets;
    d->zone.n = n;
    d->hash = dnssync_sets_hash(sets, n);
    d->version.len = 0;
    d->save = 1;
}


/* It is read all the same, but not before some time has passed. */

int
dnssync_patch_slow(dnssync_engine_t *e, dnssync_domain_t *d,
    const dnssync_op_t *op)
{
    uint32_t  i;
    uint64_t  at;

    if (d->took < DNSSYNC_SLOW || d->relist || op->results == NULL
        || op->nedits != d->plan.n || op->nedits > DNSSYNC_CHUNK_MIN)
    {
        return TORII_DECLINED;
    }

    for (i = 0; i < op->nedits; i++) {
        if (op->results[i].what != DNSSYNC_OUTCOME_DONE) {
            return TORII_DECLINED;
        }
    }

    dnssync_patch(d, op);

    at = e->now + DNSSYNC_SPARE * d->took;
    d->list = (d->list < at) ? d->list : at;
    d->patched = 1;

    return TORII_OK;
}


/* What was written since the listing has no id yet. */

int
dnssync_patch_needs_list(const dnssync_domain_t *d, const dnssync_edit_t *edit)
{
    uint32_t  i;

    for (i = 0; d->patched && d->ids && i < edit->nparts; i++) {
        if (edit->parts[i].before != NULL
            && edit->parts[i].before->id.len == 0)
        {
            return 1;
        }
    }

    return 0;
}
