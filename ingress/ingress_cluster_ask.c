
/*
 * When the content of a wanted object is asked for: once for each version that
 * its watch shows, each minute where no watch can show it, and again after a
 * failure, later each time.
 */

#include <stdlib.h>

#include "ingress_source.h"


static int ingress_want_needs(ingress_cluster_t *c, ingress_want_t *want);
static int ingress_want_shown(ingress_cluster_t *c, ingress_want_t *want,
    ingress_source_t *source);
static void ingress_want_queue(ingress_cluster_t *c, ingress_want_t *want);
static void ingress_want_delay(ingress_cluster_t *c, ingress_want_t *want,
    uint64_t due);
static void ingress_want_unload(ingress_cluster_t *c, ingress_want_t *want);
static void ingress_want_flags(ingress_cluster_t *c, ingress_want_t *want,
    int forbidden, int failing);
static void ingress_want_tried(ingress_cluster_t *c, ingress_want_t *want);
static int ingress_want_done(ingress_want_t *want);


void
ingress_want_check(ingress_cluster_t *c, ingress_want_t *want)
{
    if (!ingress_want_needs(c, want)) {
        return;
    }

    if (want->state == INGRESS_WANT_IDLE) {
        ingress_want_queue(c, want);

    } else if (want->state == INGRESS_WANT_DELAYED && !want->polled) {
        want->due = 0;
        c->delay = 0;
    }
}


void
ingress_want_check_all(ingress_cluster_t *c)
{
    uint32_t         i;
    ingress_link_t  *link;

    for (i = 0; i < c->wants.size; i++) {
        for (link = c->wants.buckets[i]; link; link = link->next) {
            ingress_want_check(c, (ingress_want_t *) link);
        }
    }
}


/* Whether a GET would tell anything new. */

static int
ingress_want_needs(ingress_cluster_t *c, ingress_want_t *want)
{
    ingress_source_t  *source;

    source = ingress_want_source(c, want);
    want->polled = 0;

    if (source == NULL) {
        want->polled = 1;
        return 1;
    }

    switch (source->state) {

    case INGRESS_WATCH_FORBIDDEN:
    case INGRESS_WATCH_ABSENT:
        want->polled = 1;
        return 1;

    default:
        return ingress_want_shown(c, want, source);
    }
}


static int
ingress_want_shown(ingress_cluster_t *c, ingress_want_t *want,
    ingress_source_t *source)
{
    ingress_seen_t  *seen;

    seen = ingress_source_seen(source, want->namespace, want->name);

    /* a watch of whole objects puts them into the store, and out of it */

    if (seen != NULL && want->kind != INGRESS_KIND_SECRET) {
        ingress_want_loaded(c, want, 0);
        return 0;
    }

    if (seen != NULL && seen->version == want->loaded) {
        ingress_want_flags(c, want, 0, 0);
        ingress_want_tried(c, want);
        return 0;
    }

    if (seen != NULL) {
        return seen->version != want->asked;
    }

    /* also what was loaded when there was no watch */

    if (source->listed) {
        ingress_want_unload(c, want);
        ingress_want_flags(c, want, 0, 0);
        ingress_want_tried(c, want);
    }

    return 0;
}


void
ingress_want_removed(ingress_cluster_t *c, ingress_want_t *want)
{
    want->loaded = 0;
    want->asked = 0;

    ingress_want_check(c, want);
}


void
ingress_want_loaded(ingress_cluster_t *c, ingress_want_t *want,
    uint64_t version)
{
    want->loaded = version;

    ingress_backoff_reset(&want->backoff);
    ingress_want_flags(c, want, 0, 0);
    ingress_want_tried(c, want);
}


static void
ingress_want_unload(ingress_cluster_t *c, ingress_want_t *want)
{
    if (want->loaded == 0) {
        return;
    }

    want->loaded = 0;

    if (ingress_store_remove(c->store, want->kind, want->namespace,
                             want->name, torii_str("")))
    {
        c->changed = 1;
    }
}


static void
ingress_want_queue(ingress_cluster_t *c, ingress_want_t *want)
{
    want->state = INGRESS_WANT_QUEUED;
    want->next = NULL;

    *c->queue_last = want;
    c->queue_last = &want->next;
}


/* What was wanted when it was queued may be known, or gone, by now. */

ingress_want_t *
ingress_want_take(ingress_cluster_t *c)
{
    ingress_want_t  *want;

    while ((want = c->queue) != NULL) {

        c->queue = want->next;

        if (c->queue == NULL) {
            c->queue_last = &c->queue;
        }

        want->state = INGRESS_WANT_IDLE;

        if (ingress_want_done(want)) {
            continue;
        }

        if (ingress_want_needs(c, want)) {
            want->state = INGRESS_WANT_ASKED;
            return want;
        }
    }

    return NULL;
}


static void
ingress_want_delay(ingress_cluster_t *c, ingress_want_t *want, uint64_t due)
{
    want->state = INGRESS_WANT_DELAYED;
    want->due = due;

    want->next = c->delayed;
    c->delayed = want;

    if (due < c->delay) {
        c->delay = due;
    }
}


void
ingress_want_wake(ingress_cluster_t *c)
{
    ingress_want_t  *want, *next;

    if (c->delay > c->now) {
        return;
    }

    want = c->delayed;

    c->delayed = NULL;
    c->delay = INGRESS_CLUSTER_NEVER;

    for ( /* void */ ; want; want = next) {
        next = want->next;

        if (want->due > c->now) {
            ingress_want_delay(c, want, want->due);
            continue;
        }

        want->state = INGRESS_WANT_IDLE;

        if (ingress_want_done(want)) {
            continue;
        }

        want->asked = 0;
        ingress_want_check(c, want);
    }
}


void
ingress_want_answered(ingress_cluster_t *c, ingress_want_t *want)
{
    want->state = INGRESS_WANT_IDLE;

    if (ingress_want_done(want)) {
        return;
    }

    ingress_backoff_reset(&want->backoff);
    ingress_want_flags(c, want, 0, 0);
    ingress_want_tried(c, want);

    if (want->polled) {
        ingress_want_delay(c, want, c->now + INGRESS_CLUSTER_POLL);
    }

    ingress_want_check(c, want);
}


/*
 * Where a watch shows the object, it is the watch that removes it, and that
 * tells when there is a new one.
 */

void
ingress_want_missing(ingress_cluster_t *c, ingress_want_t *want)
{
    if (want->polled && !want->gone) {
        ingress_want_unload(c, want);
    }

    ingress_want_answered(c, want);
}


void
ingress_want_failed(ingress_cluster_t *c, ingress_want_t *want,
    uint32_t status)
{
    int       failing;
    uint32_t  wait;

    want->state = INGRESS_WANT_IDLE;
    want->status = status;

    if (ingress_want_done(want)) {
        return;
    }

    wait = ingress_backoff_next(&want->backoff, 0, ingress_cluster_random(c));
    failing = want->backoff.failures >= INGRESS_CLUSTER_TRIES;

    if (status == 403) {
        wait = INGRESS_CLUSTER_POLL;
        failing = 0;
    }

    ingress_want_flags(c, want, status == 403, failing);

    if (status == 403 || failing) {
        ingress_want_tried(c, want);
    }

    ingress_want_delay(c, want, c->now + wait);
    ingress_want_check(c, want);
}


void
ingress_want_postpone(ingress_cluster_t *c, ingress_want_t *want, uint64_t due)
{
    want->state = INGRESS_WANT_IDLE;

    if (!ingress_want_done(want)) {
        ingress_want_delay(c, want, due);
    }
}


/* The last that was to happen to one that is gone. */

static int
ingress_want_done(ingress_want_t *want)
{
    if (!want->gone) {
        return 0;
    }

    free(want);

    return 1;
}


static void
ingress_want_tried(ingress_cluster_t *c, ingress_want_t *want)
{
    if (!want->tried) {
        want->tried = 1;
        c->untried--;
    }
}


static void
ingress_want_flags(ingress_cluster_t *c, ingress_want_t *want, int forbidden,
    int failing)
{
    c->nforbidden += forbidden - want->forbidden;
    c->nfailing += failing - want->failing;

    want->forbidden = forbidden;
    want->failing = failing;
}


void
ingress_want_settle(ingress_cluster_t *c, ingress_want_t *want)
{
    ingress_want_flags(c, want, 0, 0);
    ingress_want_tried(c, want);

    c->nunwatched -= want->unwatched;
    want->unwatched = 0;
}
