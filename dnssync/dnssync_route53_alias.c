
/*
 * Aliases, which Route 53 has in place of CNAME where the target is Amazon's or
 * in the same zone.
 */

#include "dnssync_route53.h"


static void dnssync_route53_alias_add(dnssync_op_t *op,
    dnssync_endpoint_t *out, const dnssync_endpoint_t *e, unsigned type);
static torii_str_t dnssync_route53_said(const dnssync_endpoint_t *e,
    const char *name);


/*
 * An alias is no CNAME here but addresses that follow another name.  That of
 * the same zone may have no AAAA, and then there can be no such alias: it
 * follows its A only.
 */

dnssync_op_step_e
dnssync_route53_adjust(dnssync_op_t *op)
{
    uint32_t                   i, n;
    dnssync_endpoint_t        *out;
    const dnssync_endpoint_t  *e;

    out = torii_arena_alloc(op->arena, (2 * (size_t) op->nendpoints + 1)
                                       * sizeof(dnssync_endpoint_t));

    for (i = 0, n = 0; i < op->nendpoints; i++) {
        e = &op->endpoints[i];

        if (e->type != DNSSYNC_CNAME
            || !torii_str_eqs(dnssync_route53_said(e, "alias"), "true"))
        {
            out[n++] = *e;
            continue;
        }

        dnssync_route53_alias_add(op, &out[n++], e, DNSSYNC_A);

        if (dnssync_route53_said(e, "aws/target-hosted-zone").len) {
            dnssync_route53_alias_add(op, &out[n++], e, DNSSYNC_AAAA);
        }
    }

    op->endpoints = out;
    op->nendpoints = n;

    return DNSSYNC_OP_DONE;
}


static torii_str_t
dnssync_route53_said(const dnssync_endpoint_t *e, const char *name)
{
    uint32_t  i;

    for (i = 0; i < e->noptions; i++) {
        if (torii_str_eqs(e->options[i].name, name)) {
            return e->options[i].value;
        }
    }

    return torii_str("");
}


/* ExternalDNS has its health evaluated unless told otherwise. */

static void
dnssync_route53_alias_add(dnssync_op_t *op, dnssync_endpoint_t *out,
    const dnssync_endpoint_t *e, unsigned type)
{
    dnssync_option_t  *options;

    *out = *e;
    out->type = type;
    out->ttl = 0;
    out->n = e->n ? 1 : 0;

    if (dnssync_route53_said(e, "aws/evaluate-target-health").len) {
        return;
    }

    options = torii_arena_alloc(op->arena, (e->noptions + 1)
                                           * sizeof(dnssync_option_t));
    memcpy(options, e->options, e->noptions * sizeof(dnssync_option_t));

    options[e->noptions].name = torii_str("aws/evaluate-target-health");
    options[e->noptions].value = torii_str("true");

    out->options = options;
    out->noptions = e->noptions + 1;
}
