
/*
 * What a zone of Route 53 holds.  It was read whole when the last page says so,
 * each page began where the one before had said, and there are as many sets as
 * the zone itself counts.
 */

#include "dnssync_route53.h"


#define DNSSYNC_ROUTE53_ROUNDS  3
#define DNSSYNC_ROUTE53_MOST    1000000


static int dnssync_route53_follows(dnssync_op_t *op,
    const dnssync_route53_next_t *next, const dnssync_rrset_t *set);
static void dnssync_route53_keep(dnssync_op_t *op, dnssync_rrset_t *set);


dnssync_op_step_e
dnssync_route53_list(dnssync_op_t *op, torii_str_t body)
{
    uint32_t                  n;
    dnssync_route53_t        *st;
    dnssync_route53_next_t    last;

    st = op->state;
    n = op->nsets;
    last = st->next;

    if (dnssync_route53_sets(op, body, dnssync_route53_keep) != TORII_OK
        || (st->next.more && op->nsets == n)
        || op->nsets > DNSSYNC_ROUTE53_MOST)
    {
        return dnssync_route53_senseless(op);
    }

    if (last.more
        && (op->nsets == n
            || !dnssync_route53_follows(op, &last, &op->sets[n])))
    {
        /* the zone has changed meanwhile */

        st->count = 0;
        return dnssync_route53_over(op);
    }

    if (st->next.more) {
        return dnssync_route53_go(op);
    }

    if (op->nsets == st->count) {
        return DNSSYNC_OP_DONE;
    }

    st->phase = DNSSYNC_ROUTE53_AGAIN;

    return dnssync_route53_go(op);
}


static int
dnssync_route53_follows(dnssync_op_t *op, const dnssync_route53_next_t *next,
    const dnssync_rrset_t *set)
{
    torii_str_t  name;

    return dnssync_record_octal(op->arena, next->name, &name) == TORII_OK
           && torii_str_eq(name, set->name)
           && set->type == dnssync_rtype_read(next->type)
           && torii_str_eq(set->set, next->set);
}


/* Once more from the beginning, but not for ever. */

dnssync_op_step_e
dnssync_route53_over(dnssync_op_t *op)
{
    dnssync_route53_t  *st;

    st = op->state;

    if (op->nsets == st->count) {
        return DNSSYNC_OP_DONE;
    }

    if (++st->rounds == DNSSYNC_ROUTE53_ROUNDS) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "%s: %u sets were "
                               "read, and it says that it has %u; perhaps it "
                               "is being changed", dnssync_cloud_where(op),
                               (unsigned) op->nsets, (unsigned) st->count);
    }

    op->nsets = 0;
    memset(&st->next, 0, sizeof(dnssync_route53_next_t));
    st->phase = DNSSYNC_ROUTE53_COUNT;

    return dnssync_route53_go(op);
}


/* What comes next goes into the state. */

int
dnssync_route53_sets(dnssync_op_t *op, torii_str_t body,
    void (*visit)(dnssync_op_t *op, dnssync_rrset_t *set))
{
    int                       ok;
    unsigned                  depth;
    torii_str_t               truncated;
    dnssync_xml_t             x;
    torii_arena_t            *a;
    dnssync_rrset_t           set;
    dnssync_route53_t        *st;
    dnssync_route53_next_t    next;

    st = op->state;
    truncated = torii_str("");
    memset(&next, 0, sizeof(dnssync_route53_next_t));
    a = torii_arena_create(64 * 1024);

    dnssync_xml_start(&x, a, body);

    ok = dnssync_xml_child(&x, 0)
         && torii_str_eqs(x.name, "ListResourceRecordSetsResponse");

    while (ok && dnssync_xml_child(&x, 1)) {

        if (torii_str_eqs(x.name, "ResourceRecordSets")) {
            depth = x.depth;

            while (ok && dnssync_xml_child(&x, depth)) {
                ok = dnssync_route53_set_read(op, &x, &set) == TORII_OK;
                if (ok) {
                    visit(op, &set);
                }
            }

        } else if (torii_str_eqs(x.name, "IsTruncated")) {
            truncated = dnssync_xml_value(&x);

        } else if (torii_str_eqs(x.name, "NextRecordName")) {
            next.name = dnssync_xml_value(&x);

        } else if (torii_str_eqs(x.name, "NextRecordType")) {
            next.type = dnssync_xml_value(&x);

        } else if (torii_str_eqs(x.name, "NextRecordIdentifier")) {
            next.set = dnssync_xml_value(&x);
        }
    }

    ok = ok && dnssync_xml_done(&x);

    if (torii_str_eqs(truncated, "true")) {
        next.more = 1;
        ok = ok && next.name.len && next.type.len;

    } else {
        ok = ok && torii_str_eqs(truncated, "false");
    }

    if (ok) {
        st->next.name = torii_arena_str(op->arena, next.name);
        st->next.type = torii_arena_str(op->arena, next.type);
        st->next.set = torii_arena_str(op->arena, next.set);
        st->next.more = next.more;
    }

    torii_arena_destroy(a);

    return ok ? TORII_OK : TORII_ERROR;
}


static void
dnssync_route53_keep(dnssync_op_t *op, dnssync_rrset_t *set)
{
    *dnssync_op_set(op) = *set;
}
