
/*
 * Two that write by one owner id would delete each other's hosts.  Each tells
 * of itself in the zone before it writes a host there, and from time to time;
 * who sees another deletes nothing.  A host that nobody seems to want has to be
 * seen in two listings (dnssync_judge.c): should it have come before the lock
 * of its writer, which lost a race, that is there in the second one.
 *
 * "instance" is WRITER.RUN.  A writer is what has one process at work at a
 * time, by a lock of its own: a state folder, the pods behind one Lease.  A run
 * is one of those processes.  What the same writer told before this run began
 * is ours; what it tells later comes from a copy of it, which is another.
 */

#include "dnssync_planner.h"


#define DNSSYNC_LOCK_NAME   "_dnssync-lock."
#define DNSSYNC_LOCK_QUIET  900        /* s, of one that was late */


static void dnssync_lock_others(dnssync_ctx_t *ctx);
static int dnssync_lock_value(const dnssync_ctx_t *ctx, uint32_t i,
    dnssync_owner_t *owner);
static int dnssync_lock_ours(const dnssync_ctx_t *ctx,
    const dnssync_owner_t *owner);
static torii_str_t dnssync_lock_writer(torii_str_t instance);
static int dnssync_lock_alive(const dnssync_ctx_t *ctx,
    const dnssync_owner_t *owner);
static int dnssync_lock_recent(const dnssync_ctx_t *ctx,
    const dnssync_owner_t *owner);
static uint64_t dnssync_lock_term(const dnssync_ctx_t *ctx,
    const dnssync_owner_t *owner);
static int dnssync_lock_fresh(dnssync_ctx_t *ctx, int wanted);
static void dnssync_lock_write(dnssync_ctx_t *ctx, int wanted);
static torii_str_t dnssync_lock_text(dnssync_ctx_t *ctx);


static const torii_str_t  dnssync_no_set = torii_null_string;


void
dnssync_lock_read(dnssync_ctx_t *ctx)
{
    dnssync_row_t  *row;

    if (ctx->conf->lock_period == 0) {
        return;
    }

    ctx->lock_name = torii_arena_printf(ctx->arena, DNSSYNC_LOCK_NAME "%.*s",
                                        torii_str_arg(ctx->zone->name));

    row = dnssync_row_find(ctx, ctx->lock_name, dnssync_no_set);

    ctx->lock = (row != NULL) ? row->txt : NULL;

    dnssync_lock_others(ctx);
}


/*
 * By the time of the listing: while the provider is away nobody can tell of
 * itself.  When it is back, one that is late gets a moment to be heard of; one
 * whose clock is ahead lives while what it says changes.
 */

static void
dnssync_lock_others(dnssync_ctx_t *ctx)
{
    uint32_t          i, n;
    uint64_t          hash;
    torii_str_t       value;
    dnssync_owner_t   owner;

    if (ctx->lock == NULL) {
        return;
    }

    for (i = 0, hash = 0; i < ctx->lock->n; i++) {
        if (dnssync_lock_value(ctx, i, &owner)
            && !dnssync_lock_ours(ctx, &owner)
            && !dnssync_lock_recent(ctx, &owner))
        {
            value = ctx->lock->values[i];
            hash = torii_hash(value.data, value.len, hash + 1);
        }
    }

    /* who runs but once has nothing to compare with */

    if (ctx->conf->instance.len) {
        ctx->lock_since = dnssync_gate_lock(ctx->gate, ctx->zone->id, hash,
                                            ctx->zone->listed);
    }

    for (i = 0, n = 0; i < ctx->lock->n; i++) {
        n += dnssync_lock_value(ctx, i, &owner)
             && !dnssync_lock_ours(ctx, &owner)
             && dnssync_lock_alive(ctx, &owner);
    }

    ctx->writers = (n > (ctx->conf->preview ? 1u : 0u));
}


/* Whether it is of our owner; each run has a value of its own. */

static int
dnssync_lock_value(const dnssync_ctx_t *ctx, uint32_t i,
    dnssync_owner_t *owner)
{
    return dnssync_owner_read(&ctx->conf->registry, ctx->arena,
                              ctx->lock->values[i], owner)
           == TORII_OK
           && owner->instance.len
           && torii_str_eq(owner->id, ctx->conf->registry.id);
}


static int
dnssync_lock_ours(const dnssync_ctx_t *ctx, const dnssync_owner_t *owner)
{
    torii_str_t  writer;

    if (torii_str_eq(owner->instance, ctx->conf->instance)) {
        return 1;
    }

    writer = dnssync_lock_writer(ctx->conf->instance);

    return writer.len
           && torii_str_eq(writer, dnssync_lock_writer(owner->instance))
           && owner->beat <= ctx->in->source->settled;
}


/* Without a dot there is none. */

static torii_str_t
dnssync_lock_writer(torii_str_t instance)
{
    torii_str_t  writer;

    (void) torii_str_next(&instance, ".", &writer);

    if (instance.data == NULL) {
        writer.len = 0;
    }

    return writer;
}


static int
dnssync_lock_alive(const dnssync_ctx_t *ctx, const dnssync_owner_t *owner)
{
    int       ahead;
    uint64_t  wait;

    if (dnssync_lock_recent(ctx, owner)) {
        return 1;
    }

    ahead = (owner->beat > ctx->zone->listed);

    if (ctx->lock_since == 0) {
        return ahead;
    }

    wait = dnssync_lock_term(ctx, owner);

    if (!ahead && wait > DNSSYNC_LOCK_QUIET) {
        wait = DNSSYNC_LOCK_QUIET;
    }

    return ctx->lock_since + wait > ctx->zone->listed;
}


static int
dnssync_lock_recent(const dnssync_ctx_t *ctx, const dnssync_owner_t *owner)
{
    return owner->beat <= ctx->zone->listed
           && owner->beat + dnssync_lock_term(ctx, owner) > ctx->zone->listed;
}


/* How long it counts; another one may tell of itself less often than we do. */

static uint64_t
dnssync_lock_term(const dnssync_ctx_t *ctx, const dnssync_owner_t *owner)
{
    uint32_t  period;

    period = ctx->conf->lock_period;

    if (owner->period > period) {
        period = owner->period;
    }

    return 2 * (uint64_t) period;
}


/*
 * A zone in which nothing is ours has no lock.  Who only looks on, or runs but
 * once, writes none: nobody is to wait for it.
 */

void
dnssync_lock_edit(dnssync_ctx_t *ctx)
{
    int  wanted;

    if (ctx->conf->lock_period == 0 || ctx->conf->instance.len == 0
        || ctx->conf->policy == DNSSYNC_OBSERVE)
    {
        return;
    }

    wanted = (ctx->owned != 0 || ctx->plan->n != ctx->first);

    if (!dnssync_lock_fresh(ctx, wanted)) {
        dnssync_lock_write(ctx, wanted);
    }
}


/*
 * A run that begins leaves what the one before told, while there is nothing
 * else to write: a process that starts again and again is no load.
 */

static int
dnssync_lock_fresh(dnssync_ctx_t *ctx, int wanted)
{
    int               fresh;
    uint32_t          i;
    uint64_t          now, due;
    dnssync_owner_t   owner;

    now = ctx->in->now;
    fresh = !wanted;

    for (i = 0; ctx->lock != NULL && i < ctx->lock->n; i++) {

        if (!dnssync_lock_value(ctx, i, &owner)
            || !dnssync_lock_ours(ctx, &owner))
        {
            continue;
        }

        if (!wanted) {
            return 0;
        }

        due = owner.beat + ctx->conf->lock_period;

        if (owner.beat <= now && due > now
            && (torii_str_eq(owner.instance, ctx->conf->instance)
                || (!ctx->writers && ctx->plan->n == ctx->first)))
        {
            fresh = 1;

            if (ctx->plan->beat == 0 || due < ctx->plan->beat) {
                ctx->plan->beat = due;
            }
        }
    }

    return fresh;
}


/* In place of all that is ours, and of those that are dead. */

static void
dnssync_lock_write(dnssync_ctx_t *ctx, int wanted)
{
    uint32_t          i;
    torii_str_t       text;
    dnssync_edit_t   *edit;
    dnssync_owner_t   owner;

    text = wanted ? dnssync_lock_text(ctx) : dnssync_no_set;
    edit = dnssync_edit_start(ctx, ctx->lock_name, dnssync_no_set);

    edit->what = DNSSYNC_EDIT_LOCK;
    edit->why = DNSSYNC_WHY_LOCK;

    for (i = 0; ctx->lock != NULL && i < ctx->lock->n; i++) {

        if (dnssync_lock_value(ctx, i, &owner)
            && (dnssync_lock_ours(ctx, &owner)
                || !dnssync_lock_alive(ctx, &owner)))
        {
            dnssync_mark_change(ctx, NULL, ctx->lock_name, ctx->lock,
                                ctx->lock->values[i], text, edit);
            text = dnssync_no_set;
        }
    }

    if (text.len) {
        dnssync_mark_change(ctx, NULL, ctx->lock_name, ctx->lock,
                            dnssync_no_set, text, edit);
    }

    if (wanted) {
        ctx->plan->beat = ctx->in->now + ctx->conf->lock_period;
    }

    dnssync_edit_end(ctx, edit);
}


static torii_str_t
dnssync_lock_text(dnssync_ctx_t *ctx)
{
    torii_str_t       text;
    torii_buf_t       b;
    dnssync_owner_t   owner;

    memset(&b, 0, sizeof(torii_buf_t));
    memset(&owner, 0, sizeof(dnssync_owner_t));

    owner.id = ctx->conf->registry.id;
    owner.instance = ctx->conf->instance;
    owner.beat = ctx->in->now;
    owner.period = ctx->conf->lock_period;

    (void) dnssync_owner_write(&ctx->conf->registry, DNSSYNC_FORM_OWN, &owner,
                               &b);
    text.data = b.data;
    text.len = b.len;
    text = torii_arena_str(ctx->arena, text);

    torii_buf_free(&b);

    return text;
}
