
/*
 * The loop: what is to be done now, by whom, and what an operator asks for.
 */

#include <stdio.h>
#include <stdlib.h>

#include "dnssync_work.h"


#define DNSSYNC_SHARED_BLOCK  (64 * 1024)


static int dnssync_engine_act(dnssync_engine_t *e, dnssync_action_t *action);
static int dnssync_engine_run(dnssync_engine_t *e);
static int dnssync_engine_domains(dnssync_engine_t *e, dnssync_agent_t *a,
    int urgent);
static void dnssync_engine_stop(dnssync_engine_t *e);
static int dnssync_engine_adopts(dnssync_agent_t *a,
    const dnssync_adopt_t *adopt, dnssync_domain_t *d);


dnssync_engine_t *
dnssync_engine_create(const dnssync_engine_conf_t *conf, uint64_t now)
{
    dnssync_engine_t  *e;

    e = torii_zalloc(sizeof(dnssync_engine_t));

    e->instance.len = conf->instance.len;
    e->instance.data = torii_malloc(conf->instance.len + 1);

    if (conf->instance.len) {
        memcpy(e->instance.data, conf->instance.data, conf->instance.len);
    }

    e->random = torii_hash(conf->instance.data, conf->instance.len,
                           conf->seed);
    e->observe = conf->observe;
    e->eager = conf->eager;
    e->preview = conf->preview;
    e->delegation = conf->delegation;
    e->now = now;

    return e;
}


void
dnssync_engine_free(dnssync_engine_t *e)
{
    uint32_t  i;

    if (e == NULL) {
        return;
    }

    for (i = 0; i < e->nagents; i++) {
        dnssync_agent_free(e, e->agents[i]);
    }

    dnssync_checks_free(e, NULL);
    dnssync_asks_free(e);
    dnssync_challenges_free(e);
    dnssync_cache_free(e);
    dnssync_shared_drop(e->routes);
    dnssync_shared_drop(e->source);

    free(e->instance.data);
    free(e->agents);
    free(e);
}


int
dnssync_engine_next(dnssync_engine_t *e, uint64_t now,
    dnssync_action_t *action, uint32_t *wait)
{
    memset(action, 0, sizeof(dnssync_action_t));

    e->now = now;

    if (e->settled > now + 2 * e->lease) {
        e->settled = now + 2 * e->lease;   /* the clock was set back */
    }

    if (now >= e->wake || e->wake - now > DNSSYNC_SLEEP_MAX) {

        do {
            e->wake = now + DNSSYNC_SLEEP_MAX;

            if (dnssync_engine_act(e, action) == TORII_OK) {
                e->wake = 0;
                return TORII_OK;
            }

            /* what is begun may wake up something else */

        } while (dnssync_engine_run(e) == TORII_OK || e->wake < now);
    }

    *wait = (uint32_t) (e->wake - now);

    return TORII_AGAIN;
}


static int
dnssync_engine_act(dnssync_engine_t *e, dnssync_action_t *action)
{
    if (dnssync_challenge_next(e, action) == TORII_OK
        || dnssync_task_next(e, action) == TORII_OK
        || dnssync_ask_next(e, action) == TORII_OK
        || dnssync_delegation_next(e, action) == TORII_OK
        || dnssync_cache_next(e, action) == TORII_OK)
    {
        return TORII_OK;
    }

    if (e->changes != e->told
        && dnssync_engine_due(e, &e->tell, DNSSYNC_SECOND_MS))
    {
        e->told = e->changes;
        e->tell = e->now + DNSSYNC_SECOND_MS;
        action->what = DNSSYNC_DO_CHANGED;
        return TORII_OK;
    }

    return TORII_DECLINED;
}


/* TORII_OK: something was begun, look again. */

static int
dnssync_engine_run(dnssync_engine_t *e)
{
    int               rc;
    uint32_t          i, n;
    dnssync_agent_t  *a;

    rc = dnssync_challenge_run(e);

    if (!e->leads || !e->begun || e->generation == 0) {
        return rc;
    }

    if (e->rerouted) {
        dnssync_route(e);
    }

    n = e->nagents;

    for (i = 0; i < n; i++) {
        a = e->agents[(e->turn + i) % n];

        if (dnssync_agent_due(e, a)) {
            rc = TORII_OK;
        }

        if (dnssync_engine_domains(e, a, 1) == TORII_OK
            || dnssync_engine_domains(e, a, 0) == TORII_OK)
        {
            rc = TORII_OK;
        }
    }

    e->turn++;

    return e->rerouted ? TORII_OK : rc;
}


/* One after the other; those first that somebody waits for. */

static int
dnssync_engine_domains(dnssync_engine_t *e, dnssync_agent_t *a, int urgent)
{
    int                rc;
    uint32_t           i;
    dnssync_domain_t  *d;

    rc = TORII_DECLINED;

    for (i = 0; i < a->ndomains; i++) {
        d = a->domains[(a->turn + i) % a->ndomains];

        if (d->used && d->task == NULL
            && dnssync_domain_waits(e, d) == urgent
            && dnssync_domain_run(e, d) == TORII_OK)
        {
            rc = TORII_OK;
        }
    }

    a->turn++;

    return rc;
}


void
dnssync_engine_lead(dnssync_engine_t *e, uint64_t now, int leads,
    uint64_t lease)
{
    if (e->leads == (leads != 0)) {
        return;
    }

    e->now = now;
    e->leads = (leads != 0);
    e->settled = now + 2 * lease;
    e->lease = lease;

    dnssync_engine_stop(e);
    dnssync_engine_changed(e);
}


/* Whoever wrote meanwhile, or will: what is known has to be proven again. */

static void
dnssync_engine_stop(dnssync_engine_t *e)
{
    uint32_t         i, k;
    dnssync_task_t  *task, *next;

    for (task = e->tasks; task != NULL; task = next) {
        next = task->next;

        if (task->challenge == NULL) {
            dnssync_task_abort(e, task);
        }
    }

    for (i = 0; i < e->nagents; i++) {
        e->agents[i]->next = 0;

        for (k = 0; k < e->agents[i]->ndomains; k++) {
            dnssync_domain_stale(e, e->agents[i]->domains[k]);
        }
    }

    dnssync_checks_free(e, NULL);
}


uint32_t
dnssync_engine_ack(dnssync_engine_t *e, uint64_t now, torii_str_t account,
    torii_str_t zone)
{
    uint32_t           i, k, n;
    dnssync_agent_t   *a;
    dnssync_domain_t  *d;

    e->now = now;
    n = 0;

    for (i = 0; i < e->nagents; i++) {
        a = e->agents[i];

        if (account.len && !torii_str_eq(account, a->account->name)) {
            continue;
        }

        for (k = 0; k < a->ndomains; k++) {
            d = a->domains[k];

            if (zone.len && !torii_str_eq(zone, d->zone.name)
                && !torii_str_eq(zone, d->zone.id)
                && !torii_str_eq(zone, d->found.id))
            {
                continue;
            }

            n += dnssync_gate_ack(a->gate, d->zone.id);
            dnssync_domain_dirty(e, d, 0);
        }

        a->dirty = 1;
    }

    dnssync_engine_changed(e);

    return n;
}


int
dnssync_engine_adopt(dnssync_engine_t *e, uint64_t now, torii_str_t account,
    const dnssync_adopt_t *adopt)
{
    int               rc;
    uint32_t          i, k;
    dnssync_agent_t  *a;

    e->now = now;
    rc = TORII_DECLINED;

    for (i = 0; i < e->nagents; i++) {
        a = e->agents[i];

        if (account.len && !torii_str_eq(account, a->account->name)) {
            continue;
        }

        for (k = 0; k < a->ndomains; k++) {
            rc = dnssync_engine_adopts(a, adopt, a->domains[k]);
            dnssync_domain_dirty(e, a->domains[k], 0);
        }

        rc = TORII_OK;
    }

    dnssync_engine_changed(e);

    return rc;
}


static int
dnssync_engine_adopts(dnssync_agent_t *a, const dnssync_adopt_t *adopt,
    dnssync_domain_t *d)
{
    if (a->account->driver->blind) {
        return TORII_DECLINED;
    }

    torii_arena_destroy(d->adopt_arena);
    d->adopt_arena = torii_arena_create(256);

    d->adopt = *adopt;
    d->adopt.from = torii_arena_str(d->adopt_arena, adopt->from);
    d->adopt.host = torii_arena_str(d->adopt_arena, adopt->host);

    return TORII_OK;
}


void
dnssync_engine_refresh(dnssync_engine_t *e, uint64_t now)
{
    uint32_t           i, k;
    dnssync_agent_t   *a;
    dnssync_domain_t  *d;

    e->now = now;

    for (i = 0; i < e->nagents; i++) {
        a = e->agents[i];

        a->next = 0;
        a->listing.until = 0;
        a->pause.until = 0;

        for (k = 0; k < a->ndomains; k++) {
            d = a->domains[k];

            d->relist = 1;
            d->whole = 1;
            d->pause.until = 0;
            dnssync_domain_dirty(e, d, 0);
        }
    }

    dnssync_engine_changed(e);
}


int
dnssync_engine_idle(const dnssync_engine_t *e)
{
    uint32_t                 i, k;
    const dnssync_agent_t   *a;
    const dnssync_domain_t  *d;

    if (!e->begun || e->generation == 0 || e->rerouted || !e->leads
        || e->tasks != NULL || e->checks != NULL || e->challenges != NULL)
    {
        return 0;
    }

    for (i = 0; i < e->nagents; i++) {
        a = e->agents[i];

        if (!a->known && a->listing.fails == 0) {
            return 0;
        }

        for (k = 0; k < a->ndomains; k++) {
            d = a->domains[k];

            if (d->used && d->pause.fails == 0
                && dnssync_domain_waits(e, d))
            {
                return 0;
            }
        }
    }

    for (i = 0; i < e->nasks; i++) {
        if (!e->asks[i].known) {
            return 0;
        }
    }

    return 1;
}


uint64_t
dnssync_engine_changes(const dnssync_engine_t *e)
{
    return e->changes;
}


void
dnssync_engine_changed(dnssync_engine_t *e)
{
    e->changes++;
    e->wake = 0;
}


uint32_t
dnssync_engine_ticket(dnssync_engine_t *e)
{
    e->ticket++;

    if (e->ticket == 0) {
        e->ticket++;
    }

    return e->ticket;
}


/* most: further away than this it cannot be, the clock was set back. */

int
dnssync_engine_due(dnssync_engine_t *e, uint64_t *at, uint64_t most)
{
    if (*at > e->now + most) {
        *at = e->now + most;
    }

    if (*at <= e->now) {
        return 1;
    }

    if (*at < e->wake) {
        e->wake = *at;
    }

    return 0;
}


void
dnssync_pause(dnssync_engine_t *e, dnssync_pause_t *pause,
    dnssync_trouble_e trouble, const char *error, uint64_t until)
{
    pause->fails++;
    pause->wait = dnssync_wait(&e->random, pause->wait);
    pause->until = e->now + pause->wait;
    pause->trouble = trouble;

    if (until > pause->until) {
        pause->until = until;
    }

    (void) snprintf(pause->error, sizeof(pause->error), "%s", error);
}


void
dnssync_pause_end(dnssync_pause_t *pause)
{
    memset(pause, 0, offsetof(dnssync_pause_t, error));
    pause->error[0] = '\0';
}


dnssync_shared_t *
dnssync_shared_create(dnssync_shared_t *under)
{
    dnssync_shared_t  *shared;

    shared = torii_malloc(sizeof(dnssync_shared_t));

    shared->arena = torii_arena_create(DNSSYNC_SHARED_BLOCK);
    shared->under = dnssync_shared_hold(under);
    shared->refs = 1;

    return shared;
}


dnssync_shared_t *
dnssync_shared_hold(dnssync_shared_t *shared)
{
    if (shared != NULL) {
        shared->refs++;
    }

    return shared;
}


void
dnssync_shared_drop(dnssync_shared_t *shared)
{
    if (shared == NULL || --shared->refs) {
        return;
    }

    dnssync_shared_drop(shared->under);
    torii_arena_destroy(shared->arena);
    free(shared);
}
