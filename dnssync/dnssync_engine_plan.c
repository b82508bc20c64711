
/*
 * Planning a zone, and what follows from what was found: names to resolve,
 * when to plan again, what to tell people.
 */

#include <stdlib.h>

#include "dnssync_work.h"


#define DNSSYNC_PLAN_BLOCK  (64 * 1024)


static dnssync_endpoint_t *dnssync_plan_endpoints(dnssync_domain_t *d,
    uint32_t *n);
static void dnssync_plan_after(dnssync_engine_t *e, dnssync_domain_t *d);
static uint64_t dnssync_plan_again(const dnssync_engine_t *e,
    const dnssync_domain_t *d, dnssync_why_e why);
static void dnssync_plan_say(dnssync_domain_t *d);
static const dnssync_refusal_t *dnssync_plan_refusal(
    const dnssync_domain_t *d, torii_str_t name);


static const dnssync_why_e  dnssync_plan_waits[] = {
    DNSSYNC_WHY_WRITERS, DNSSYNC_WHY_BRAKE, DNSSYNC_WHY_EMPTY,
    DNSSYNC_WHY_LOOKUP, DNSSYNC_WHY_DIVERGES, DNSSYNC_WHY_FAILING
};

#define DNSSYNC_PLAN_WAITS                                                    \
    (sizeof(dnssync_plan_waits) / sizeof(dnssync_plan_waits[0]))


void
dnssync_domain_plan(dnssync_engine_t *e, dnssync_domain_t *d)
{
    uint32_t           was;
    dnssync_input_t    in;
    dnssync_source_t   source;
    dnssync_lookup_t  *lookups;

    dnssync_domain_forget(d);

    memset(&in, 0, sizeof(dnssync_input_t));
    memset(&source, 0, sizeof(dnssync_source_t));

    d->plan.arena = torii_arena_create(DNSSYNC_PLAN_BLOCK);
    d->shared = dnssync_shared_hold(e->routes);

    source.endpoints = dnssync_plan_endpoints(d, &source.n);
    source.gone = e->gone;
    source.ngone = e->ngone;
    source.settled = (e->settled + 999) / 1000;
    source.complete = e->complete;

    lookups = torii_arena_alloc(d->plan.arena, (e->nasks + 1)
                                               * sizeof(dnssync_lookup_t));
    in.conf = &d->agent->conf;
    in.source = &source;
    in.zones = &d->zone;
    in.nzones = 1;
    in.lookups = lookups;
    in.nlookups = dnssync_ask_lookups(e, lookups);
    in.adopt = d->adopt_arena ? &d->adopt : NULL;
    in.now = e->now / 1000;

    was = d->owned;
    (void) dnssync_plan(&d->plan, &in, d->agent->gate);

    d->plan.observe |= e->observe;

    if (in.adopt == NULL) {
        d->owned = d->plan.owned;
        d->held = d->plan.held;
    }

    d->dirty = 0;
    d->urgent = 0;

    d->save |= (was != d->owned);
    d->planned = e->now;
    d->complete = e->complete;
    d->agent->dirty = 1;

    dnssync_plan_after(e, d);
}


/* What the provider made of them; what only keeps is none of its business. */

static dnssync_endpoint_t *
dnssync_plan_endpoints(dnssync_domain_t *d, uint32_t *n)
{
    uint32_t             i;
    dnssync_endpoint_t  *all;

    if (d->adjust == NULL) {
        *n = d->n;
        return d->endpoints;
    }

    *n = d->nadjusted + d->n - d->hosts;
    all = torii_arena_alloc(d->plan.arena, (*n + 1)
                                           * sizeof(dnssync_endpoint_t));

    dnssync_endpoints_copy(d->plan.arena, all, d->adjusted, d->nadjusted);

    for (i = 0; i < d->nadjusted; i++) {
        all[i].view = d->zone.view;
        all[i].zone.len = 0;
    }

    if (d->n > d->hosts) {
        memcpy(all + d->nadjusted, d->endpoints + d->hosts,
               (d->n - d->hosts) * sizeof(dnssync_endpoint_t));
    }

    return all;
}


static void
dnssync_plan_after(dnssync_engine_t *e, dnssync_domain_t *d)
{
    uint32_t  i;
    uint64_t  at;

    d->keen = (d->plan.nlookups != 0);
    d->replan = d->keen ? e->now + DNSSYNC_HOUR_MS : 0;

    for (i = 0; i < d->plan.nfindings; i++) {
        at = dnssync_plan_again(e, d, d->plan.findings[i].why);

        if (at && (d->replan == 0 || at < d->replan)) {
            d->replan = at;
        }

        if (d->plan.findings[i].why == DNSSYNC_WHY_STALE) {
            d->relist = 1;
            dnssync_domain_dirty(e, d, 0);
        }
    }

    at = d->plan.beat * DNSSYNC_SECOND_MS;

    if (at && (d->replan == 0 || at < d->replan)) {
        d->replan = at;
    }

    dnssync_asks(e, &d->plan);
    dnssync_plan_say(d);

    if (d->plan.n == 0) {
        dnssync_domain_forget(d);

        if (d->adopt_arena != NULL) {
            torii_arena_destroy(d->adopt_arena);
            d->adopt_arena = NULL;
            dnssync_domain_dirty(e, d, 0);
        }
    }

    dnssync_engine_changed(e);
}


/* 0: it will be when something is different. */

static uint64_t
dnssync_plan_again(const dnssync_engine_t *e, const dnssync_domain_t *d,
    dnssync_why_e why)
{
    size_t    i;
    uint32_t  delay;

    if (why == DNSSYNC_WHY_LEADER) {
        return e->settled + DNSSYNC_SECOND_MS;
    }

    if (why == DNSSYNC_WHY_UNCONFIRMED) {
        delay = d->agent->conf.delete_delay;
        return e->now + DNSSYNC_SECOND_MS
               + (delay ? delay * DNSSYNC_SECOND_MS : DNSSYNC_RETRY);
    }

    for (i = 0; i < DNSSYNC_PLAN_WAITS; i++) {
        if (why == dnssync_plan_waits[i]) {
            return e->now + DNSSYNC_RETRY;
        }
    }

    return 0;
}


/* Findings outlive their plan. */

static void
dnssync_plan_say(dnssync_domain_t *d)
{
    uint32_t                  i;
    torii_arena_t            *a;
    const dnssync_finding_t  *f;
    const dnssync_refusal_t  *r;

    torii_arena_destroy(d->said.arena);
    memset(&d->said, 0, sizeof(dnssync_plan_t));

    if (d->plan.nfindings == 0) {
        return;
    }

    a = torii_arena_create(4 * 1024);
    d->said.arena = a;

    for (i = 0; i < d->plan.nfindings; i++) {
        f = &d->plan.findings[i];
        r = (f->why == DNSSYNC_WHY_FAILING) ? dnssync_plan_refusal(d, f->name)
                                            : NULL;

        dnssync_plan_finding(&d->said, f->why, d->zone.name,
                             torii_arena_str(a, f->name),
                             torii_arena_str(a, f->resource), "%.*s%s%.*s",
                             torii_str_arg(f->text), r ? ": " : "",
                             r ? (int) r->text.len : 0,
                             r ? (const char *) r->text.data : "");
    }
}


static const dnssync_refusal_t *
dnssync_plan_refusal(const dnssync_domain_t *d, torii_str_t name)
{
    const dnssync_refusal_t  *r;

    for (r = d->refusals; r != NULL && !torii_str_eq(r->name, name);
         r = r->next)
    {
        /* void */
    }

    return r;
}
