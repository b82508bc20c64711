
/*
 * What may be removed: the gate, and the brake behind it.
 */

#include "dnssync_planner.h"


#define DNSSYNC_DELETE_DELAY   60
#define DNSSYNC_MAX_AGE        3600
#define DNSSYNC_CLOCK_SKEW     300
#define DNSSYNC_BRAKE_WINDOW   3600
#define DNSSYNC_BRAKE_MIN      5
#define DNSSYNC_BRAKE_PERCENT  20

#define dnssync_or(value, other)  ((value) ? (value) : (other))


static void dnssync_judge_row(dnssync_ctx_t *ctx, dnssync_row_t *row);
static unsigned dnssync_judge_replace(dnssync_row_t *row);
static void dnssync_judge_keeps(dnssync_ctx_t *ctx);
static int dnssync_judge_kept(const dnssync_ctx_t *ctx,
    const dnssync_row_t *row);
static void dnssync_judge_drop(dnssync_ctx_t *ctx, dnssync_row_t *row,
    unsigned mask);
static dnssync_why_e dnssync_judge_gate(dnssync_ctx_t *ctx,
    dnssync_row_t *row, unsigned mask, int *acked);
static void dnssync_judge_policy(dnssync_ctx_t *ctx, dnssync_row_t *row,
    unsigned mask);
static void dnssync_judge_brake(dnssync_ctx_t *ctx);


void
dnssync_judge(dnssync_ctx_t *ctx)
{
    uint32_t  i;

    dnssync_judge_keeps(ctx);

    for (i = 0; i < ctx->n; i++) {
        if (ctx->rows[i]->ours || ctx->rows[i]->orphan) {
            dnssync_judge_row(ctx, ctx->rows[i]);
        }
    }

    dnssync_judge_brake(ctx);
}


static void
dnssync_judge_row(dnssync_ctx_t *ctx, dnssync_row_t *row)
{
    unsigned  i, types, mask, conflict;

    if (row->orphan) {
        dnssync_judge_drop(ctx, row, DNSSYNC_ROW_ORPHAN);
    }

    types = dnssync_or(ctx->conf->types, DNSSYNC_HAS_ALL);
    mask = row->ours & types & ~row->wanted & ~row->keep;
    conflict = dnssync_judge_replace(row);

    if (conflict & ~mask) {
        row->refused = 1;
        return;
    }

    row->drop |= conflict;
    mask &= ~conflict;

    if (mask == 0 || dnssync_judge_kept(ctx, row)
        || (row->links == NULL
            && !dnssync_filter_match(&ctx->conf->filter, row->name)))
    {
        return;
    }

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        if (mask & (1 << i)) {
            dnssync_judge_drop(ctx, row, 1 << i);
        }
    }
}


/* Addresses give way to an alias, and an alias to addresses. */

static unsigned
dnssync_judge_replace(dnssync_row_t *row)
{
    if (row->wanted & DNSSYNC_HAS_CNAME) {
        return row->there & (DNSSYNC_HAS_A | DNSSYNC_HAS_AAAA);
    }

    return row->wanted ? row->there & DNSSYNC_HAS_CNAME : 0;
}


/* An object that cannot be understood keeps all that it has. */

static void
dnssync_judge_keeps(dnssync_ctx_t *ctx)
{
    uint32_t                   i, n;
    const dnssync_endpoint_t  *e;

    e = ctx->in->source->endpoints;

    for (i = 0, n = 0; i < ctx->in->source->n; i++) {
        n += (e[i].name.len == 0 && e[i].resource.len != 0);
    }

    ctx->keeps = torii_arena_alloc(ctx->arena, n * sizeof(e));

    for (i = 0; ctx->nkeeps < n; i++) {
        if (e[i].name.len == 0 && e[i].resource.len != 0) {
            ctx->keeps[ctx->nkeeps++] = &e[i];
        }
    }
}


static int
dnssync_judge_kept(const dnssync_ctx_t *ctx, const dnssync_row_t *row)
{
    uint32_t               i;
    const dnssync_mark_t  *mark;

    for (i = 0; i < ctx->nkeeps; i++) {
        for (mark = row->marks; mark != NULL; mark = mark->next) {

            if (mark->ours
                && torii_str_eq(mark->owner.resource, ctx->keeps[i]->resource))
            {
                return 1;
            }
        }
    }

    return 0;
}


static void
dnssync_judge_drop(dnssync_ctx_t *ctx, dnssync_row_t *row, unsigned mask)
{
    int            acked;
    dnssync_why_e  why;

    why = dnssync_judge_gate(ctx, row, mask, &acked);

    if (why == DNSSYNC_WHY_POLICY) {
        dnssync_judge_policy(ctx, row, mask);
        return;
    }

    if (why != DNSSYNC_WHY_GONE) {
        ctx->counts[why]++;
        return;
    }

    row->drop |= mask;

    if (!acked) {
        row->gated |= mask;
        ctx->drops++;
    }
}


/* WHY_GONE: it is open. */

static dnssync_why_e
dnssync_judge_gate(dnssync_ctx_t *ctx, dnssync_row_t *row, unsigned mask,
    int *acked)
{
    int                      confirmed;
    uint64_t                 now, age;
    dnssync_track_t         *t;
    const dnssync_conf_t    *conf;
    const dnssync_source_t  *source;

    conf = ctx->conf;
    source = ctx->in->source;
    now = ctx->in->now;

    if (conf->policy != DNSSYNC_SYNC && conf->policy != DNSSYNC_OBSERVE) {
        return DNSSYNC_WHY_POLICY;
    }

    t = dnssync_gate_track(ctx->gate, ctx->zone->id, row->name, row->set, mask,
                           source->complete);

    if (!source->complete) {
        return DNSSYNC_WHY_INCOMPLETE;
    }

    confirmed = dnssync_gate_confirmed(t, now,
                                       dnssync_or(conf->delete_delay,
                                                  DNSSYNC_DELETE_DELAY),
                                       row->gone);
    *acked = dnssync_gate_acked(t);

    if (!*acked && !conf->allow_empty && (source->n == 0 || ctx->wanted == 0))
    {
        dnssync_gate_hold(t);
        return DNSSYNC_WHY_EMPTY;
    }

    age = dnssync_or(conf->max_age, DNSSYNC_MAX_AGE);

    if (now > ctx->zone->listed + age
        || ctx->zone->listed > now + DNSSYNC_CLOCK_SKEW)
    {
        return DNSSYNC_WHY_STALE;
    }

    /* it may have been seen before the lock of whoever wants it */

    if (confirmed && conf->lock_period && !row->gone
        && !dnssync_gate_seen(t, ctx->zone->listed))
    {
        return DNSSYNC_WHY_STALE;
    }

    if (ctx->writers) {
        return DNSSYNC_WHY_WRITERS;
    }

    if (now < source->settled) {
        return DNSSYNC_WHY_LEADER;
    }

    return confirmed ? DNSSYNC_WHY_GONE : DNSSYNC_WHY_UNCONFIRMED;
}


/* What nobody may delete is at least told of. */

static void
dnssync_judge_policy(dnssync_ctx_t *ctx, dnssync_row_t *row, unsigned mask)
{
    torii_str_t             resource;
    const dnssync_rrset_t  *alias;

    resource = row->marks->owner.resource;
    alias = row->have[2];

    ctx->counts[DNSSYNC_WHY_POLICY]++;

    if (mask == DNSSYNC_ROW_ORPHAN) {
        dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_POLICY, ctx->zone->id,
                             row->name, resource, "the host that it marks is "
                             "gone, but the policy forbids to delete it");

    } else if (mask == DNSSYNC_HAS_CNAME && alias != NULL && alias->n) {
        dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_POLICY, ctx->zone->id,
                             row->name, resource, "no object wants it, but "
                             "the policy forbids to delete it: who gets hold "
                             "of \"%.*s\" gets this host",
                             torii_str_arg(alias->values[0]));

    } else {
        dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_POLICY, ctx->zone->id,
                             row->name, resource, "no object wants its %s, "
                             "but the policy forbids to delete it",
                             mask == DNSSYNC_HAS_A ? "A" : "AAAA");
    }
}


/* Too many in a window: none of them, until an operator lets them go. */

static void
dnssync_judge_brake(dnssync_ctx_t *ctx)
{
    unsigned               mask;
    uint32_t               i, limit, used;
    uint64_t               base;
    dnssync_row_t         *row;
    const dnssync_conf_t  *conf;

    conf = ctx->conf;

    used = dnssync_gate_deleted(ctx->gate, ctx->zone->id, ctx->in->now,
                                dnssync_or(conf->brake_window,
                                           DNSSYNC_BRAKE_WINDOW));

    base = ((uint64_t) ctx->owned + used)
           * dnssync_or(conf->brake_percent, DNSSYNC_BRAKE_PERCENT) / 100;

    limit = dnssync_or(conf->brake_min, DNSSYNC_BRAKE_MIN);

    if (base > limit) {
        limit = (base < UINT32_MAX) ? (uint32_t) base : UINT32_MAX;
    }

    if (ctx->drops == 0 || (uint64_t) used + ctx->drops <= limit) {
        return;
    }

    for (i = 0; i < ctx->n; i++) {
        row = ctx->rows[i];

        for (mask = 1; mask <= DNSSYNC_ROW_ORPHAN; mask <<= 1) {

            if (row->gated & mask) {
                row->drop &= ~mask;
                ctx->counts[DNSSYNC_WHY_BRAKE]++;
                dnssync_gate_hold(dnssync_gate_track(ctx->gate, ctx->zone->id,
                                                     row->name, row->set,
                                                     mask, 1));
            }
        }
    }
}
