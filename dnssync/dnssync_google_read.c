
/*
 * What a change at Google Cloud DNS cannot make sure of itself: that a host has
 * no AAAA where only an A is created, and the like.  It is read just before, of
 * a few hosts one by one, of many in the whole zone.
 */

#include <stdlib.h>

#include "dnssync_google.h"


static int dnssync_google_covered(const dnssync_edit_t *edit,
    const dnssync_require_t *r);
static int dnssync_google_order(const void *one, const void *two);
static void dnssync_google_found(dnssync_op_t *op,
    const dnssync_rrset_t *set);


/* Of all edits: it is read once, before the first change. */

void
dnssync_google_needs(dnssync_op_t *op)
{
    uint32_t                  i, k, n;
    dnssync_google_state_t   *st;
    const dnssync_require_t  *r;

    st = op->state;

    for (i = 0, n = 0; i < op->nedits; i++) {
        n += op->edits[i]->nrequires;
    }

    st->needs = torii_arena_alloc(op->arena, (n + 1)
                                             * sizeof(dnssync_google_need_t));

    for (i = 0; i < op->nedits; i++) {
        for (k = 0; k < op->edits[i]->nrequires; k++) {
            r = &op->edits[i]->requires[k];

            if (r->equal == NULL && !dnssync_google_covered(op->edits[i], r)) {
                st->needs[st->nneeds].require = r;
                st->needs[st->nneeds++].edit = i;
            }
        }
    }

    qsort(st->needs, st->nneeds, sizeof(dnssync_google_need_t),
          dnssync_google_order);
}


static int
dnssync_google_order(const void *one, const void *two)
{
    const dnssync_google_need_t  *a, *b;

    a = one;
    b = two;

    return torii_str_cmp(a->require->name, b->require->name);
}


/* CNAME is taken only where nothing else is. */

static int
dnssync_google_covered(const dnssync_edit_t *edit,
    const dnssync_require_t *r)
{
    uint32_t                i;
    const dnssync_rrset_t  *after;

    for (i = 0; i < edit->nparts; i++) {
        after = edit->parts[i].after;

        if (after != NULL && torii_str_eq(after->name, r->name)
            && (after->type == r->type || after->type == DNSSYNC_CNAME
                || r->type == DNSSYNC_CNAME))
        {
            return 1;
        }
    }

    return 0;
}


dnssync_op_step_e
dnssync_google_read(dnssync_op_t *op, torii_str_t body)
{
    uint32_t                 i;
    torii_str_t              name;
    dnssync_google_state_t  *st;

    st = op->state;
    op->nsets = 0;

    if (dnssync_google_sets(op, body) != TORII_OK) {
        return dnssync_google_senseless(op);
    }

    for (i = 0; i < op->nsets; i++) {
        if (dnssync_type_mask(op->sets[i].type)) {
            dnssync_google_found(op, &op->sets[i]);
        }
    }

    if (st->page.len) {
        return dnssync_google_go(op);
    }

    if (st->phase == DNSSYNC_GOOGLE_READ) {
        name = st->needs[st->need].require->name;

        while (st->need < st->nneeds
               && torii_str_eq(st->needs[st->need].require->name, name))
        {
            st->need++;
        }
    }

    if (st->phase == DNSSYNC_GOOGLE_WALK || st->need == st->nneeds) {
        st->phase = DNSSYNC_GOOGLE_BATCH;
    }

    return dnssync_google_go(op);
}


/* The needs are in the order of their names. */

static void
dnssync_google_found(dnssync_op_t *op, const dnssync_rrset_t *set)
{
    int                             rc;
    uint32_t                        low, high, at;
    const dnssync_google_need_t    *need;
    const dnssync_google_state_t   *st;

    st = op->state;
    low = 0;
    high = st->nneeds;

    while (low < high) {
        at = low + (high - low) / 2;
        rc = torii_str_cmp(st->needs[at].require->name, set->name);

        if (rc < 0) {
            low = at + 1;

        } else {
            high = at;
        }
    }

    for ( /* void */ ; low < st->nneeds; low++) {
        need = &st->needs[low];

        if (!torii_str_eq(need->require->name, set->name)) {
            return;
        }

        if (need->require->type == set->type) {
            dnssync_op_result(op, need->edit, DNSSYNC_OUTCOME_LOST, "there is "
                              "a record of type %s by now",
                              dnssync_type_word(set->type));
        }
    }
}
