
/*
 * What a host is to have.  When objects disagree, one of them is followed: the
 * one that its records follow already, else the oldest.  The gateway's own
 * addresses are the same for all objects, and go together.
 */

#include <stdlib.h>

#include "dnssync_planner.h"


typedef struct {
    torii_str_t   values[DNSSYNC_TARGETS_MAX];
    uint32_t      n;
} dnssync_targets_t;


static const dnssync_endpoint_t *dnssync_want_winner(dnssync_ctx_t *ctx,
    dnssync_row_t *row);
static int dnssync_want_before(const dnssync_row_t *row,
    const dnssync_endpoint_t *a, const dnssync_endpoint_t *b);
static int dnssync_want_sticks(const dnssync_row_t *row,
    const dnssync_endpoint_t *e);
static int dnssync_want_same(const dnssync_endpoint_t *a,
    const dnssync_endpoint_t *b);
static int dnssync_want_resolve(dnssync_ctx_t *ctx, dnssync_row_t *row,
    torii_str_t name, dnssync_targets_t *targets);
static int dnssync_want_lookup_order(const void *one, const void *two);
static void dnssync_want_add(dnssync_targets_t *targets, torii_str_t value);
static void dnssync_want_set(dnssync_ctx_t *ctx, dnssync_row_t *row,
    unsigned i, const dnssync_targets_t *targets, int alias);
static void dnssync_want_options(dnssync_ctx_t *ctx, dnssync_rrset_t *set,
    const dnssync_endpoint_t *e, int alias);
static torii_str_t dnssync_want_alias(dnssync_ctx_t *ctx, dnssync_row_t *row,
    const dnssync_targets_t *targets);
static void dnssync_want_refuse(dnssync_ctx_t *ctx, dnssync_row_t *row,
    dnssync_why_e why, const char *text);


static const torii_str_t  dnssync_true = torii_string("true");
static const torii_str_t  dnssync_alias = torii_string("alias");


void
dnssync_wants(dnssync_ctx_t *ctx, dnssync_row_t *row)
{
    int                        apex, flat;
    uint32_t                   i, j;
    dnssync_link_t            *link;
    dnssync_targets_t          targets[DNSSYNC_TYPES];
    const dnssync_endpoint_t  *e;

    e = dnssync_want_winner(ctx, row);
    row->winner = e;

    if (e == NULL) {
        return;
    }

    if (row->set.len && !ctx->provider->sets) {
        dnssync_want_refuse(ctx, row, DNSSYNC_WHY_SET,
                            "the provider knows no set identifiers");
        return;
    }

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        targets[i].n = 0;
    }

    apex = torii_str_eq(row->name, ctx->zone->name);
    flat = (apex && !ctx->provider->alias) || ctx->conf->flatten;

    for (link = row->links; link != NULL; link = link->next) {
        e = link->endpoint;

        if (e->n == 0
            || (!torii_str_eq(e->resource, row->winner->resource)
                && (e->said || row->winner->said)))
        {
            continue;
        }

        for (i = 0; i < DNSSYNC_TYPES && dnssync_types[i] != e->type; i++) {
            /* void */
        }

        for (j = 0; i < DNSSYNC_TYPES && j < e->n; j++) {

            if (e->type != DNSSYNC_CNAME || !flat) {
                dnssync_want_add(&targets[i], e->targets[j]);

            } else if (dnssync_want_resolve(ctx, row, e->targets[j], targets)
                       != TORII_OK)
            {
                return;
            }
        }
    }

    if (targets[2].n && (targets[0].n || targets[1].n)) {
        dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_CLASH, ctx->zone->id,
                             row->name, row->winner->resource, "a host has "
                             "either addresses or an alias: the alias is "
                             "left out");
        targets[2].n = 0;
    }

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        if (targets[i].n) {
            dnssync_want_set(ctx, row, i, &targets[i], apex);
        }
    }
}


/* NULL: no endpoint has targets. */

static const dnssync_endpoint_t *
dnssync_want_winner(dnssync_ctx_t *ctx, dnssync_row_t *row)
{
    dnssync_link_t            *link;
    const dnssync_endpoint_t  *e, *best;

    best = NULL;

    for (link = row->links; link != NULL; link = link->next) {
        e = link->endpoint;

        if (e->n == 0) {
            row->keep |= e->type ? dnssync_type_mask(e->type)
                                 : DNSSYNC_HAS_ALL;

        } else if (best == NULL || dnssync_want_before(row, e, best)) {
            best = e;
        }
    }

    for (link = row->links; link != NULL && best != NULL; link = link->next) {
        e = link->endpoint;

        if (e->n && (e->said || best->said)
            && !torii_str_eq(e->resource, best->resource)
            && !dnssync_want_same(e, best))
        {
            dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_LOSER, ctx->zone->id,
                                 row->name, e->resource, "%.*s has other "
                                 "targets for this host, and comes first",
                                 torii_str_arg(best->resource));
        }
    }

    return best;
}


static int
dnssync_want_before(const dnssync_row_t *row, const dnssync_endpoint_t *a,
    const dnssync_endpoint_t *b)
{
    int  rc, one, two;

    rc = torii_str_cmp(a->resource, b->resource);

    if (rc == 0) {
        return a->type < b->type;
    }

    one = dnssync_want_sticks(row, a);
    two = dnssync_want_sticks(row, b);

    if (one != two) {
        return one;
    }

    if (a->created != b->created) {
        return a->created < b->created;
    }

    return rc < 0;
}


static int
dnssync_want_sticks(const dnssync_row_t *row, const dnssync_endpoint_t *e)
{
    const dnssync_mark_t  *mark;

    for (mark = row->marks; mark != NULL; mark = mark->next) {
        if (mark->ours && e->resource.len
            && torii_str_eq(mark->owner.resource, e->resource))
        {
            return 1;
        }
    }

    return 0;
}


static int
dnssync_want_same(const dnssync_endpoint_t *a, const dnssync_endpoint_t *b)
{
    uint32_t  i;

    if (a->type != b->type) {
        return a->type != DNSSYNC_CNAME && b->type != DNSSYNC_CNAME;
    }

    if (a->n != b->n) {
        return 0;
    }

    for (i = 0; i < a->n; i++) {
        if (!torii_str_eq(a->targets[i], b->targets[i])) {
            return 0;
        }
    }

    return 1;
}


/* TORII_AGAIN: not known yet, or not at all; the host keeps what it has. */

static int
dnssync_want_resolve(dnssync_ctx_t *ctx, dnssync_row_t *row, torii_str_t name,
    dnssync_targets_t *targets)
{
    uint32_t           i, type;
    torii_str_t       *names;
    dnssync_plan_t    *plan;
    dnssync_lookup_t   key, *found;

    plan = ctx->plan;
    key.name = name;
    found = NULL;

    if (ctx->in->nlookups) {
        found = bsearch(&key, ctx->in->lookups, ctx->in->nlookups,
                        sizeof(dnssync_lookup_t), dnssync_want_lookup_order);
    }

    /* it is named each time: addresses have to be asked for again */

    if (plan->nlookups == 0
        || !torii_str_eq(plan->lookups[plan->nlookups - 1], name))
    {
        if (plan->nlookups == plan->lookups_size) {
            plan->lookups_size = plan->lookups_size ? 2 * plan->lookups_size
                                                    : 8;
            names = torii_arena_alloc(plan->arena, plan->lookups_size
                                                   * sizeof(torii_str_t));
            if (plan->nlookups) {
                memcpy(names, plan->lookups,
                       plan->nlookups * sizeof(torii_str_t));
            }

            plan->lookups = names;
        }

        plan->lookups[plan->nlookups++] = name;
    }

    if (found == NULL) {
        row->keep = DNSSYNC_HAS_ALL;
        return TORII_AGAIN;
    }

    if (found->n == 0) {
        dnssync_want_refuse(ctx, row, DNSSYNC_WHY_LOOKUP, "its target has no "
                            "address, hence it stays as it is");
        return TORII_AGAIN;
    }

    for (i = 0; i < found->n; i++) {
        type = dnssync_value_type(found->addresses[i]);

        if (type != DNSSYNC_CNAME) {
            dnssync_want_add(&targets[type == DNSSYNC_AAAA],
                             found->addresses[i]);
        }
    }

    return TORII_OK;
}


static int
dnssync_want_lookup_order(const void *one, const void *two)
{
    const dnssync_lookup_t  *a, *b;

    a = one;
    b = two;

    return torii_str_cmp(a->name, b->name);
}


/* Each but once; those that do not fit are counted, too. */

static void
dnssync_want_add(dnssync_targets_t *targets, torii_str_t value)
{
    uint32_t  i;

    for (i = 0; i < targets->n && i < DNSSYNC_TARGETS_MAX; i++) {
        if (torii_str_eq(targets->values[i], value)) {
            return;
        }
    }

    if (targets->n < DNSSYNC_TARGETS_MAX) {
        targets->values[targets->n++] = value;
    }
}


static void
dnssync_want_set(dnssync_ctx_t *ctx, dnssync_row_t *row, unsigned i,
    const dnssync_targets_t *targets, int apex)
{
    int                        clamped;
    unsigned                   types;
    uint32_t                   j;
    dnssync_rrset_t           *set;
    const dnssync_endpoint_t  *e;

    e = row->winner;
    types = ctx->conf->types ? ctx->conf->types : DNSSYNC_HAS_ALL;

    if (!(types & (1 << i))) {
        dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_TYPE, ctx->zone->id,
                             row->name, e->resource,
                             "records of type %s are not managed",
                             dnssync_type_word(dnssync_types[i]));
        return;
    }

    if (ctx->provider->values_max && i != 2
        && targets->n > ctx->provider->values_max)
    {
        dnssync_want_refuse(ctx, row, DNSSYNC_WHY_TARGET,
                            "it has more targets than the provider takes");
        return;
    }

    set = torii_arena_zalloc(ctx->arena, sizeof(dnssync_rrset_t));

    set->name = row->name;
    set->set = row->set;
    set->type = dnssync_types[i];
    set->n = (i == 2) ? 1 : targets->n;
    set->values = torii_arena_alloc(ctx->arena, set->n * sizeof(torii_str_t));

    if (i == 2) {
        set->values[0] = dnssync_want_alias(ctx, row, targets);

    } else {
        for (j = 0; j < set->n; j++) {
            set->values[j] = targets->values[j];
        }
    }

    if (i == 2 && torii_str_eq(set->values[0], row->name)) {
        dnssync_want_refuse(ctx, row, DNSSYNC_WHY_TARGET,
                            "it is to be an alias of itself");
        return;
    }

    if (e->ttl) {
        set->ttl = dnssync_ttl(ctx, e, &clamped);

        if (clamped) {
            dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_CLAMPED, ctx->zone->id,
                                 row->name, e->resource, "a TTL of %u is out "
                                 "of range, %u is used", (unsigned) e->ttl,
                                 (unsigned) set->ttl);
        }
    }

    dnssync_want_options(ctx, set, e, i == 2 && apex);

    row->want[i] = set;
    row->wanted |= 1 << i;
}


/* e may be NULL, or say nothing: that of new records. */

uint32_t
dnssync_ttl(const dnssync_ctx_t *ctx, const dnssync_endpoint_t *e,
    int *clamped)
{
    uint32_t                   ttl, min, max;
    const dnssync_provider_t  *p;

    p = ctx->provider;
    min = p->ttl_min ? p->ttl_min : DNSSYNC_TTL_MIN;
    max = p->ttl_max ? p->ttl_max : DNSSYNC_TTL_LIMIT;

    ttl = (e != NULL && e->ttl) ? e->ttl : ctx->conf->ttl;
    ttl = ttl ? ttl : p->ttl_default;
    ttl = ttl ? ttl : DNSSYNC_TTL_DEFAULT;

    if (clamped != NULL) {
        *clamped = 0;
    }

    if ((p->ttl_auto && ttl == p->ttl_auto) || (ttl >= min && ttl <= max)) {
        return ttl;
    }

    if (clamped != NULL) {
        *clamped = 1;
    }

    return ttl < min ? min : max;
}


/* Those of other providers are none of ours. */

static void
dnssync_want_options(dnssync_ctx_t *ctx, dnssync_rrset_t *set,
    const dnssync_endpoint_t *e, int alias)
{
    uint32_t           i, k;
    dnssync_option_t  *o;

    set->options = torii_arena_alloc(ctx->arena, (e->noptions + 1)
                                                 * sizeof(dnssync_option_t));

    for (i = 0; i < e->noptions && ctx->provider->options != NULL; i++) {
        o = &e->options[i];

        if (alias && torii_str_eq(o->name, dnssync_alias)) {
            continue;
        }

        for (k = 0; ctx->provider->options[k] != NULL; k++) {
            if (torii_str_starts(o->name, ctx->provider->options[k])) {
                set->options[set->noptions++] = *o;
                break;
            }
        }

        if (ctx->provider->proxied != NULL && ctx->provider->ttl_auto
            && torii_str_eqs(o->name, ctx->provider->proxied)
            && torii_str_eq(o->value, dnssync_true))
        {
            set->ttl = ctx->provider->ttl_auto;
        }
    }

    if (alias) {
        set->options[set->noptions].name = dnssync_alias;
        set->options[set->noptions++].value = dnssync_true;
    }
}


/* It has one target only: the one that is there, if that will do. */

static torii_str_t
dnssync_want_alias(dnssync_ctx_t *ctx, dnssync_row_t *row,
    const dnssync_targets_t *targets)
{
    uint32_t                i;
    const dnssync_rrset_t  *have;

    if (targets->n == 1) {
        return targets->values[0];
    }

    dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_TARGET, ctx->zone->id,
                         row->name, row->winner->resource, "an alias has one "
                         "target, not %u", targets->n);

    have = row->have[2];

    for (i = 0; have != NULL && have->n && i < targets->n; i++) {
        if (torii_str_eq(targets->values[i], have->values[0])) {
            return have->values[0];
        }
    }

    return targets->values[0];
}


static void
dnssync_want_refuse(dnssync_ctx_t *ctx, dnssync_row_t *row, dnssync_why_e why,
    const char *text)
{
    dnssync_plan_finding(ctx->plan, why, ctx->zone->id, row->name,
                         row->winner->resource, "%s", text);

    row->keep = DNSSYNC_HAS_ALL;
    row->refused = 1;
}
