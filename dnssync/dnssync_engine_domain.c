
/*
 * A zone: what it needs next.  A plan is carried out before anything else is
 * looked at; a zone that was not proven to be as it is known is read; changes
 * wait for a quiet moment.
 */

#include <stdlib.h>

#include "dnssync_work.h"


static int dnssync_domain_next(dnssync_engine_t *e, dnssync_domain_t *d);
static int dnssync_domain_ready(dnssync_engine_t *e, dnssync_domain_t *d);
static int dnssync_domain_read(dnssync_engine_t *e, dnssync_domain_t *d);
static int dnssync_domain_list(dnssync_engine_t *e, dnssync_domain_t *d);
static int dnssync_domain_adjust(dnssync_engine_t *e, dnssync_domain_t *d);


dnssync_domain_t *
dnssync_domain_create(dnssync_engine_t *e, dnssync_agent_t *a,
    const dnssync_found_t *found)
{
    dnssync_domain_t  *d;

    d = torii_zalloc(sizeof(dnssync_domain_t));

    d->agent = a;
    d->names = torii_arena_create(512);

    d->found = *found;
    d->found.id = torii_arena_str(d->names, found->id);
    d->found.name = torii_arena_str(d->names, found->name);

    d->zone.id = torii_arena_printf(d->names, "%.*s/%.*s",
                                    torii_str_arg(a->account->name),
                                    torii_str_arg(found->id));
    d->zone.name = d->found.name;
    d->zone.provider = &a->account->driver->provider;
    d->zone.view = a->account->view.len
                   ? torii_arena_str(d->names, a->account->view)
                   : torii_str(found->private ? "private" : "public");

    d->dirty = 1;

    dnssync_cache_domain(e, d);

    return d;
}


void
dnssync_domain_free(dnssync_engine_t *e, dnssync_domain_t *d)
{
    if (d->task != NULL) {
        dnssync_task_abort(e, d->task);
    }

    dnssync_checks_free(e, d);
    dnssync_domain_forget(d);
    dnssync_refusals_free(d);

    torii_arena_destroy(d->said.arena);
    torii_arena_destroy(d->adopt_arena);
    torii_arena_destroy(d->adjust);
    torii_arena_destroy(d->arena);
    torii_arena_destroy(d->names);
    free(d);
}


/* What it holds is but a hint from now on. */

void
dnssync_domain_stale(dnssync_engine_t *e, dnssync_domain_t *d)
{
    dnssync_domain_forget(d);

    if (d->agent->account->driver->blind) {
        return;
    }

    d->cached = (d->arena != NULL);
    d->zone.state = DNSSYNC_ZONE_UNKNOWN;
    d->probe = 0;

    dnssync_domain_dirty(e, d, 0);
}


void
dnssync_domain_dirty(dnssync_engine_t *e, dnssync_domain_t *d, int urgent)
{
    d->dirty = 1;
    d->urgent |= (urgent != 0);
    e->wake = 0;
}


/* When to look again: never sooner than the interval. */

void
dnssync_domain_later(dnssync_engine_t *e, dnssync_domain_t *d)
{
    uint64_t  interval;

    interval = d->agent->account->interval * DNSSYNC_SECOND_MS;

    if (interval == 0) {
        interval = DNSSYNC_INTERVAL;
    }

    d->probe = e->now + interval
               + dnssync_random(&e->random) % (interval / 8 + 1);
}


/* Whether somebody waits for what is done to it next. */

int
dnssync_domain_waits(const dnssync_engine_t *e, const dnssync_domain_t *d)
{
    return d->dirty || d->relist
           || (d->at < d->plan.n && !d->plan.observe);
}


int
dnssync_domain_run(dnssync_engine_t *e, dnssync_domain_t *d)
{
    if (!dnssync_engine_due(e, &d->pause.until, DNSSYNC_UNTIL_MAX)) {
        return TORII_DECLINED;
    }

    if (d->at < d->plan.n && !d->plan.observe) {

        if (!dnssync_agent_free_slot(e, d->agent)) {
            return TORII_DECLINED;
        }

        if (dnssync_apply(e, d) == TORII_OK) {
            return TORII_OK;
        }
    }

    return dnssync_domain_next(e, d);
}


static int
dnssync_domain_next(dnssync_engine_t *e, dnssync_domain_t *d)
{
    if (d->agent->account->driver->blind) {

        if (d->dirty && dnssync_domain_ready(e, d)) {
            dnssync_blind_plan(e, d);
            return TORII_OK;
        }

        return TORII_DECLINED;
    }

    if (dnssync_domain_read(e, d) == TORII_OK) {
        return TORII_OK;
    }

    if (d->task != NULL || d->zone.state != DNSSYNC_ZONE_COMPLETE
        || d->relist)
    {
        return TORII_DECLINED;
    }

    if (d->replan && dnssync_engine_due(e, &d->replan, DNSSYNC_HOUR_MS)) {
        d->dirty = 1;
    }

    if (!d->dirty || !dnssync_domain_ready(e, d)) {
        return TORII_DECLINED;
    }

    if (d->adjusts) {
        return dnssync_domain_adjust(e, d);
    }

    dnssync_domain_plan(e, d);

    return TORII_OK;
}


/* Changes of objects come in crowds. */

static int
dnssync_domain_ready(dnssync_engine_t *e, dnssync_domain_t *d)
{
    return !d->urgent || dnssync_engine_due(e, &e->ready, DNSSYNC_QUIET_MAX);
}


static int
dnssync_domain_read(dnssync_engine_t *e, dnssync_domain_t *d)
{
    int       known;
    uint64_t  at;

    known = (d->zone.state == DNSSYNC_ZONE_COMPLETE);

    /* what was proven a moment ago is good enough for a plan */

    if (known && !d->relist && d->dirty && dnssync_domain_ready(e, d)) {
        return TORII_DECLINED;
    }

    if (known && !d->relist) {

        if (dnssync_engine_due(e, &d->list, 2 * DNSSYNC_RELIST)) {
            d->whole = 1;
            return dnssync_domain_list(e, d);
        }

        if (d->version.len == 0
            || !dnssync_engine_due(e, &d->probe, DNSSYNC_UNTIL_MAX))
        {
            return TORII_DECLINED;
        }

    } else if (d->relist || !d->cached || d->version.len == 0) {
        return dnssync_domain_list(e, d);
    }

    /* it does not wait in the way of others */

    at = dnssync_rate_when(&d->agent->rate, e->now, 1);

    if (!dnssync_engine_due(e, &at, DNSSYNC_UNTIL_MAX)
        || !dnssync_agent_free_slot(e, d->agent))
    {
        return TORII_DECLINED;
    }

    d->probes++;

    (void) dnssync_task_create(e, d->agent, d, DNSSYNC_OP_PROBE);
    d->task->op->version = d->version;
    dnssync_task_go(e, d->task);

    return TORII_OK;
}


static int
dnssync_domain_list(dnssync_engine_t *e, dnssync_domain_t *d)
{
    if (!dnssync_agent_free_slot(e, d->agent)) {
        return TORII_DECLINED;
    }

    d->lists++;

    (void) dnssync_task_create(e, d->agent, d, DNSSYNC_OP_LIST);

    if (!d->whole && d->version.len) {
        d->task->op->version = d->version;
        d->task->op->known = d->zone.sets;
        d->task->op->nknown = d->zone.n;
    }

    dnssync_task_go(e, d->task);

    return TORII_OK;
}


/* What the provider would make of the endpoints, before they are compared. */

static int
dnssync_domain_adjust(dnssync_engine_t *e, dnssync_domain_t *d)
{
    if (!dnssync_agent_free_slot(e, d->agent)) {
        return TORII_DECLINED;
    }

    d->adjusts = 0;

    (void) dnssync_task_create(e, d->agent, d, DNSSYNC_OP_ADJUST);
    d->task->op->endpoints = d->endpoints;
    d->task->op->nendpoints = d->hosts;
    dnssync_task_go(e, d->task);

    return TORII_OK;
}


void
dnssync_domain_forget(dnssync_domain_t *d)
{
    torii_arena_destroy(d->plan.arena);
    memset(&d->plan, 0, sizeof(dnssync_plan_t));

    dnssync_shared_drop(d->shared);
    d->shared = NULL;
    d->at = 0;
}
