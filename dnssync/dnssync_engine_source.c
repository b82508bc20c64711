
/*
 * Objects become endpoints, which are kept until there are others.
 */

#include <stdlib.h>

#include "dnssync_work.h"


static uint64_t dnssync_source_hash(const dnssync_endpoints_t *list,
    const dnssync_plan_t *said, const dnssync_objects_t *objects);
static void dnssync_source_keep(dnssync_engine_t *e, dnssync_shared_t *source,
    const dnssync_plan_t *said, const dnssync_objects_t *objects);
static void dnssync_source_quiet(dnssync_engine_t *e);


static const torii_str_t  dnssync_nothing = torii_null_string;


void
dnssync_engine_source(dnssync_engine_t *e, uint64_t now,
    const dnssync_objects_t *objects)
{
    uint32_t              i;
    uint64_t              hash;
    torii_arena_t        *a;
    dnssync_plan_t        said;
    dnssync_shared_t     *source;
    dnssync_endpoints_t   list, own;

    e->now = now;

    source = dnssync_shared_create(NULL);
    a = torii_arena_create(64 * 1024);

    memset(&list, 0, sizeof(dnssync_endpoints_t));
    memset(&own, 0, sizeof(dnssync_endpoints_t));
    memset(&said, 0, sizeof(dnssync_plan_t));

    said.arena = a;

    for (i = 0; i < objects->n; i++) {
        dnssync_endpoints(&list, &said, &objects->conf, &objects->objects[i]);
    }

    hash = dnssync_source_hash(&list, &said, objects);

    if (e->generation && hash == e->hash) {
        dnssync_shared_drop(source);
        torii_arena_destroy(a);
        return;
    }

    own.n = list.n;
    own.endpoints = torii_arena_alloc(source->arena, (list.n + 1)
                                                * sizeof(dnssync_endpoint_t));
    dnssync_endpoints_copy(source->arena, own.endpoints, list.endpoints,
                           list.n);

    dnssync_source_keep(e, source, &said, objects);

    torii_arena_destroy(a);
    dnssync_shared_drop(e->source);

    e->source = source;
    e->endpoints = own;
    e->complete = objects->complete;
    e->hash = hash;
    e->generation++;
    e->rerouted = 1;

    dnssync_source_quiet(e);
    dnssync_engine_changed(e);
}


static void
dnssync_source_keep(dnssync_engine_t *e, dnssync_shared_t *source,
    const dnssync_plan_t *said, const dnssync_objects_t *objects)
{
    uint32_t                  i;
    torii_arena_t            *a;
    const dnssync_finding_t  *f;

    a = source->arena;

    memset(&e->said, 0, sizeof(dnssync_plan_t));
    e->said.arena = a;

    for (i = 0; i < said->nfindings; i++) {
        f = &said->findings[i];

        dnssync_plan_finding(&e->said, f->why, dnssync_nothing,
                             torii_arena_str(a, f->name),
                             torii_arena_str(a, f->resource), "%.*s",
                             torii_str_arg(f->text));
    }

    e->gone = torii_arena_alloc(a, (objects->ngone + 1)
                                   * sizeof(torii_str_t));
    e->ngone = objects->ngone;

    for (i = 0; i < objects->ngone; i++) {
        e->gone[i] = torii_arena_str(a, objects->gone[i]);
    }
}


/* Until nothing has changed for a moment, but not for ever. */

static void
dnssync_source_quiet(dnssync_engine_t *e)
{
    if (e->first == 0 || e->now >= e->ready) {
        e->first = e->now;
    }

    e->ready = e->now + DNSSYNC_QUIET;

    if (e->ready > e->first + DNSSYNC_QUIET_MAX) {
        e->ready = e->first + DNSSYNC_QUIET_MAX;
    }

    if (e->eager) {
        e->ready = e->now;
    }
}


static uint64_t
dnssync_source_hash(const dnssync_endpoints_t *list,
    const dnssync_plan_t *said, const dnssync_objects_t *objects)
{
    uint32_t     i;
    uint64_t     hash;
    torii_str_t  s;

    hash = dnssync_endpoints_hash(list->endpoints, list->n,
                                  objects->complete);

    for (i = 0; i < objects->ngone; i++) {
        s = objects->gone[i];
        hash = torii_hash(s.data, s.len, hash);
    }

    for (i = 0; i < said->nfindings; i++) {
        s = said->findings[i].resource;
        hash = torii_hash(s.data, s.len, hash);
        s = said->findings[i].text;
        hash = torii_hash(s.data, s.len, hash);
    }

    return hash;
}
