
/*
 * What a batch at Route 53 cannot make sure of itself: that a host has no AAAA
 * where only an A is created, and the like.  It is read just before, several
 * hosts with one page where they lie near each other: Route 53 has names in the
 * order of their labels from the end, "example.a.www.".
 */

#include <stdlib.h>

#include "dnssync_route53.h"


#define DNSSYNC_ROUTE53_FEW    20          /* sets at one name */
#define DNSSYNC_ROUTE53_PAGES  20000


static int dnssync_route53_covered(const dnssync_edit_t *edit,
    const dnssync_require_t *r);
static void dnssync_route53_need_add(dnssync_op_t *op, uint32_t edit,
    const dnssync_require_t *r);
static int dnssync_route53_need_order(const void *one, const void *two);
static torii_str_t dnssync_route53_key(torii_arena_t *a, torii_str_t name,
    unsigned *plain);
static void dnssync_route53_seen(dnssync_op_t *op, dnssync_rrset_t *set);
static int dnssync_route53_advance(dnssync_op_t *op);


/* Those of edits that were not looked at yet. */

void
dnssync_route53_needs(dnssync_op_t *op)
{
    uint32_t                  i, k;
    dnssync_route53_t        *st;
    const dnssync_edit_t     *edit;
    const dnssync_require_t  *r;

    st = op->state;
    st->nneeds = 0;
    st->need = 0;
    st->pages = 0;
    st->unordered = 0;
    memset(&st->next, 0, sizeof(dnssync_route53_next_t));

    for (i = st->first; i < st->first + st->n; i++) {

        if (i < st->checked
            || op->results[i].what != DNSSYNC_OUTCOME_LATER)
        {
            continue;
        }

        edit = op->edits[i];

        for (k = 0; k < edit->nrequires; k++) {
            r = &edit->requires[k];

            if (r->equal == NULL && !dnssync_route53_covered(edit, r)) {
                dnssync_route53_need_add(op, i, r);
            }
        }
    }

    if (st->nneeds) {
        qsort(st->needs, st->nneeds, sizeof(dnssync_route53_need_t),
              dnssync_route53_need_order);
    }
}


/* A creation fails where there is one, and CNAME where there is anything. */

static int
dnssync_route53_covered(const dnssync_edit_t *edit,
    const dnssync_require_t *r)
{
    uint32_t                i;
    const dnssync_rrset_t  *after;

    for (i = 0; i < edit->nparts; i++) {
        after = edit->parts[i].after;

        if (after == NULL || !torii_str_eq(after->name, r->name)) {
            continue;
        }

        if (after->type == DNSSYNC_CNAME || r->type == DNSSYNC_CNAME
            || (after->type == r->type && torii_str_eq(after->set, r->set)))
        {
            return 1;
        }
    }

    return 0;
}


static void
dnssync_route53_need_add(dnssync_op_t *op, uint32_t edit,
    const dnssync_require_t *r)
{
    unsigned                 plain;
    dnssync_route53_t       *st;
    dnssync_route53_need_t  *needs;

    st = op->state;

    if (st->nneeds == st->needs_size) {
        st->needs_size = st->needs_size ? 2 * st->needs_size : 64;
        needs = torii_arena_alloc(op->arena, st->needs_size
                                             * sizeof(dnssync_route53_need_t));
        if (st->nneeds) {
            memcpy(needs, st->needs,
                   st->nneeds * sizeof(dnssync_route53_need_t));
        }

        st->needs = needs;
    }

    needs = &st->needs[st->nneeds++];

    needs->require = r;
    needs->edit = edit;
    needs->key = dnssync_route53_key(op->arena, r->name, &plain);
    needs->plain = plain;
}


static int
dnssync_route53_need_order(const void *one, const void *two)
{
    const dnssync_route53_need_t  *a, *b;

    a = one;
    b = two;

    return torii_str_cmp(a->key, b->key);
}


/* plain: no character whose place in the order depends on how it is written. */

static torii_str_t
dnssync_route53_key(torii_arena_t *a, torii_str_t name, unsigned *plain)
{
    size_t                i, end, at;
    torii_str_t           key;
    const unsigned char  *p;

    p = name.data;
    key.data = torii_arena_alloc(a, name.len + 1);
    key.len = name.len + 1;
    *plain = 1;
    at = 0;
    end = name.len;

    for (i = name.len; i > 0; i--) {

        if (p[i - 1] != '.') {
            if (!(p[i - 1] >= 'a' && p[i - 1] <= 'z')
                && !(p[i - 1] >= '0' && p[i - 1] <= '9')
                && p[i - 1] != '-' && p[i - 1] != '_')
            {
                *plain = 0;
            }

            continue;
        }

        memcpy(key.data + at, p + i, end - i);
        at += end - i;
        key.data[at++] = '.';
        end = i - 1;
    }

    memcpy(key.data + at, p, end);
    key.data[at + end] = '.';

    return key;
}


dnssync_op_step_e
dnssync_route53_read_go(dnssync_op_t *op)
{
    torii_buf_t               b;
    dnssync_route53_t        *st;
    dnssync_route53_next_t    from;

    st = op->state;
    from = st->next;
    memset(&b, 0, sizeof(torii_buf_t));

    if (!from.more) {
        memset(&from, 0, sizeof(dnssync_route53_next_t));
        dnssync_route53_name(&b, st->needs[st->need].require->name);
        from.name.data = b.data;
        from.name.len = b.len;
    }

    dnssync_route53_page(op, &from,
                         torii_str_eq(st->needs[0].key,
                                      st->needs[st->nneeds - 1].key)
                         ? DNSSYNC_ROUTE53_FEW : DNSSYNC_ROUTE53_PAGE);

    torii_buf_free(&b);

    return dnssync_op_send(op);
}


dnssync_op_step_e
dnssync_route53_read(dnssync_op_t *op, torii_str_t body)
{
    dnssync_route53_t  *st;

    st = op->state;
    st->last.len = 0;

    if (dnssync_route53_sets(op, body, dnssync_route53_seen) != TORII_OK
        || ++st->pages > DNSSYNC_ROUTE53_PAGES)
    {
        return dnssync_route53_senseless(op);
    }

    if (dnssync_route53_advance(op)) {
        return dnssync_route53_go(op);
    }

    st->checked = st->first + st->n;
    st->phase = DNSSYNC_ROUTE53_BATCH;

    return dnssync_route53_go(op);
}


static void
dnssync_route53_seen(dnssync_op_t *op, dnssync_rrset_t *set)
{
    uint32_t                  i;
    unsigned                  plain;
    torii_str_t               key;
    dnssync_route53_t        *st;
    const dnssync_require_t  *r;

    st = op->state;
    key = dnssync_route53_key(op->arena, set->name, &plain);

    if (plain) {
        if (st->last.len && torii_str_cmp(key, st->last) < 0) {
            st->unordered = 1;
        }

        st->last = key;
    }

    for (i = 0; i < st->nneeds; i++) {
        r = st->needs[i].require;

        if (r->type == set->type && torii_str_eq(r->name, set->name)
            && torii_str_eq(r->set, set->set))
        {
            dnssync_op_result(op, st->needs[i].edit, DNSSYNC_OUTCOME_LOST,
                              "there is a record of type %s by now",
                              dnssync_type_word(r->type)
                              ? dnssync_type_word(r->type) : "TXT");
        }
    }
}


/* To the next need that no page has told of.  0: there is none. */

static int
dnssync_route53_advance(dnssync_op_t *op)
{
    uint32_t                       k;
    unsigned                       plain;
    torii_str_t                    name, key;
    dnssync_route53_t             *st;
    const dnssync_route53_need_t  *need;

    st = op->state;
    k = st->need;
    need = st->needs;

    if (!st->next.more) {

        /* the zone's end, which only the order tells to be behind the rest */

        if (!st->unordered && need[k].plain) {
            while (k < st->nneeds && need[k].plain) {
                k++;
            }

        } else {
            key = need[k].key;

            while (k < st->nneeds && torii_str_eq(need[k].key, key)) {
                k++;
            }
        }

        st->need = k;
        return k < st->nneeds;
    }

    if (dnssync_record_octal(op->arena, st->next.name, &name) != TORII_OK) {
        name = torii_str("");
    }

    if (torii_str_eq(name, need[k].require->name)) {
        return 1;
    }

    st->next.more = 0;
    key = need[k].key;

    while (k < st->nneeds && torii_str_eq(need[k].key, key)) {
        k++;
    }

    key = dnssync_route53_key(op->arena, name, &plain);

    while (plain && !st->unordered && k < st->nneeds && need[k].plain
           && torii_str_cmp(need[k].key, key) < 0)
    {
        k++;
    }

    st->need = k;

    return k < st->nneeds;
}
