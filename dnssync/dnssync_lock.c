
/*
 * Two that write by one owner id would delete each other's hosts.  Each tells
 * of itself in the zone, from time to time; who sees another deletes nothing.
 */

#include "dnssync_planner.h"


#define DNSSYNC_LOCK_NAME  "_dnssync-lock."


static dnssync_row_t *dnssync_lock_row(const dnssync_ctx_t *ctx,
    torii_str_t *name);
static int dnssync_lock_value(const dnssync_ctx_t *ctx,
    const dnssync_row_t *row, uint32_t i, dnssync_owner_t *owner);
static int dnssync_lock_alive(const dnssync_ctx_t *ctx,
    const dnssync_owner_t *owner);
static torii_str_t dnssync_lock_text(dnssync_ctx_t *ctx);


static const torii_str_t  dnssync_no_set = torii_null_string;


void
dnssync_lock_read(dnssync_ctx_t *ctx)
{
    uint32_t          i;
    torii_str_t       name;
    dnssync_row_t    *row;
    dnssync_owner_t   owner;

    if (ctx->conf->lock_period == 0) {
        return;
    }

    row = dnssync_lock_row(ctx, &name);

    for (i = 0; row != NULL && i < row->txt->n; i++) {

        if (dnssync_lock_value(ctx, row, i, &owner)
            && !torii_str_eq(owner.instance, ctx->conf->instance)
            && dnssync_lock_alive(ctx, &owner))
        {
            ctx->writers = 1;
        }
    }
}


/* NULL: there is no TXT set. */

static dnssync_row_t *
dnssync_lock_row(const dnssync_ctx_t *ctx, torii_str_t *name)
{
    dnssync_row_t  *row;

    *name = torii_arena_printf(ctx->arena, DNSSYNC_LOCK_NAME "%.*s",
                               torii_str_arg(ctx->zone->name));

    row = dnssync_row_find(ctx, *name, dnssync_no_set);

    return (row != NULL && row->txt != NULL) ? row : NULL;
}


/* Whether it is of our owner; each instance has a value of its own. */

static int
dnssync_lock_value(const dnssync_ctx_t *ctx, const dnssync_row_t *row,
    uint32_t i, dnssync_owner_t *owner)
{
    return dnssync_owner_read(&ctx->conf->registry, ctx->arena,
                              row->txt->values[i], owner)
           == TORII_OK
           && owner->instance.len
           && torii_str_eq(owner->id, ctx->conf->registry.id);
}


/* One whose clock is ahead is alive, too. */

static int
dnssync_lock_alive(const dnssync_ctx_t *ctx, const dnssync_owner_t *owner)
{
    return owner->beat + 2 * (uint64_t) ctx->conf->lock_period > ctx->in->now;
}


/*
 * A zone in which nothing is ours has no lock.  Who sees another tells of
 * itself all the same: the other is to delete nothing, either.
 */

void
dnssync_lock_edit(dnssync_ctx_t *ctx)
{
    uint32_t          i;
    torii_str_t       name, mine;
    dnssync_row_t    *row;
    dnssync_edit_t   *edit;
    dnssync_owner_t   owner;

    if (ctx->conf->lock_period == 0 || ctx->conf->instance.len == 0
        || ctx->conf->registry.form != DNSSYNC_FORM_OWN
        || (ctx->owned == 0 && ctx->plan->n == ctx->first))
    {
        return;
    }

    mine = dnssync_no_set;
    row = dnssync_lock_row(ctx, &name);

    for (i = 0; row != NULL && i < row->txt->n; i++) {

        if (!dnssync_lock_value(ctx, row, i, &owner)
            || !torii_str_eq(owner.instance, ctx->conf->instance))
        {
            continue;
        }

        mine = row->txt->values[i];

        if (owner.beat <= ctx->in->now
            && ctx->in->now - owner.beat < ctx->conf->lock_period)
        {
            return;
        }
    }

    edit = dnssync_edit_start(ctx, name, dnssync_no_set);

    edit->what = DNSSYNC_EDIT_LOCK;
    edit->why = DNSSYNC_WHY_LOCK;

    dnssync_mark_change(ctx, NULL, name, row ? row->txt : NULL, mine,
                        dnssync_lock_text(ctx), edit);

    for (i = 0; row != NULL && i < row->txt->n; i++) {

        if (dnssync_lock_value(ctx, row, i, &owner)
            && !torii_str_eq(owner.instance, ctx->conf->instance)
            && !dnssync_lock_alive(ctx, &owner))
        {
            dnssync_mark_change(ctx, NULL, name, row->txt,
                                row->txt->values[i], dnssync_no_set, edit);
        }
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

    (void) dnssync_owner_write(&ctx->conf->registry, DNSSYNC_FORM_OWN, &owner,
                               &b);
    text.data = b.data;
    text.len = b.len;
    text = torii_arena_str(ctx->arena, text);

    torii_buf_free(&b);

    return text;
}
