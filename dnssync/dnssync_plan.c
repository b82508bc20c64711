
/*
 * The plan: endpoints are given to their zones, then each zone is planned by
 * itself, so that what is wrong with one holds up no other.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "dnssync_planner.h"


typedef struct {
    const dnssync_input_t  *in;
    dnssync_plan_t         *plan;
    dnssync_place_t        *places;
    uint32_t               *slots;     /* index + 1, by view and name */
    uint32_t                mask;
} dnssync_map_t;


static void dnssync_map_fill(dnssync_map_t *map);
static dnssync_place_t *dnssync_map_find(const dnssync_map_t *map,
    torii_str_t view, torii_str_t name);
static uint64_t dnssync_map_hash(torii_str_t view, torii_str_t name);
static dnssync_place_t *dnssync_map_place(dnssync_map_t *map,
    const dnssync_endpoint_t *e);
static int dnssync_map_named(torii_str_t id, torii_str_t name);
static dnssync_place_t *dnssync_map_pinned(dnssync_map_t *map,
    const dnssync_endpoint_t *e);
static void dnssync_map_keep(dnssync_map_t *map, dnssync_place_t *place,
    const dnssync_endpoint_t *e);
static void dnssync_map_link(dnssync_map_t *map, dnssync_place_t *place,
    const dnssync_endpoint_t *e);
static void dnssync_map_endpoint(dnssync_map_t *map,
    const dnssync_endpoint_t *e);
static void dnssync_plan_zone(dnssync_map_t *map, dnssync_place_t *place,
    dnssync_gate_t *gate);
static void dnssync_plan_held(dnssync_ctx_t *ctx);
static void dnssync_plan_unique(dnssync_plan_t *plan);
static int dnssync_plan_name_order(const void *one, const void *two);
static int dnssync_plan_rank(const dnssync_edit_t *edit);
static int dnssync_plan_order(const void *one, const void *two);


static const dnssync_provider_t  dnssync_no_provider;
static const torii_str_t  dnssync_nothing = torii_null_string;


static const struct {
    dnssync_why_e  why;
    const char    *text;
} dnssync_plan_holds[] = {
    { DNSSYNC_WHY_INCOMPLETE, "the objects are not all known" },
    { DNSSYNC_WHY_EMPTY, "no host of the zone is left" },
    { DNSSYNC_WHY_STALE, "the zone's listing is too old" },
    { DNSSYNC_WHY_WRITERS, "another gateway writes by the same owner id, or "
      "did a moment ago: the zone's TXT _dnssync-lock tells which" },
    { DNSSYNC_WHY_LEADER, "this instance writes but since a moment ago" },
    { DNSSYNC_WHY_UNCONFIRMED, "it may be that they come back" },
    { DNSSYNC_WHY_BRAKE, "so many at once need an operator's consent" }
};

#define DNSSYNC_PLAN_HOLDS                                                    \
    (sizeof(dnssync_plan_holds) / sizeof(dnssync_plan_holds[0]))


int
dnssync_plan(dnssync_plan_t *plan, const dnssync_input_t *in,
    dnssync_gate_t *gate)
{
    uint32_t       i;
    const char    *why;
    dnssync_map_t  map;

    why = dnssync_registry_check(&in->conf->registry);

    if (why != NULL) {
        dnssync_plan_finding(plan, DNSSYNC_WHY_MARK, dnssync_nothing,
                             dnssync_nothing, dnssync_nothing, "%s", why);
        return TORII_ERROR;
    }

    plan->observe = (in->conf->policy == DNSSYNC_OBSERVE);

    if (in->zones_unknown) {
        dnssync_plan_finding(plan, DNSSYNC_WHY_ZONE, dnssync_nothing,
                             dnssync_nothing, dnssync_nothing,
                             "the list of zones was not read");
        return TORII_OK;
    }

    memset(&map, 0, sizeof(dnssync_map_t));

    map.in = in;
    map.plan = plan;
    dnssync_map_fill(&map);

    for (i = 0; i < in->source->n; i++) {
        dnssync_map_endpoint(&map, &in->source->endpoints[i]);
    }

    dnssync_gate_begin(gate);

    for (i = 0; i < in->nzones; i++) {
        dnssync_plan_zone(&map, &map.places[i], gate);
    }

    dnssync_plan_unique(plan);

    if (plan->n) {
        qsort(plan->edits, plan->n, sizeof(dnssync_edit_t),
              dnssync_plan_order);
    }

    return TORII_OK;
}


static void
dnssync_map_fill(dnssync_map_t *map)
{
    uint32_t               i, slot;
    dnssync_place_t       *same;
    const dnssync_zone_t  *zone;

    for (map->mask = 8; map->mask < 2 * map->in->nzones; map->mask *= 2) {
        /* void */
    }

    map->places = torii_arena_zalloc(map->plan->arena, map->in->nzones
                                                     * sizeof(dnssync_place_t));
    map->slots = torii_arena_zalloc(map->plan->arena,
                                    map->mask * sizeof(uint32_t));
    map->mask--;

    for (i = 0; i < map->in->nzones; i++) {
        zone = &map->in->zones[i];
        map->places[i].zone = zone;

        same = dnssync_map_find(map, zone->view, zone->name);

        if (same != NULL) {
            map->places[i].same = same->same;
            same->same = i + 1;
            continue;
        }

        slot = dnssync_map_hash(zone->view, zone->name) & map->mask;

        while (map->slots[slot]) {
            slot = (slot + 1) & map->mask;
        }

        map->slots[slot] = i + 1;
    }
}


static uint64_t
dnssync_map_hash(torii_str_t view, torii_str_t name)
{
    return torii_hash(name.data, name.len,
                      torii_hash(view.data, view.len, 0));
}


static dnssync_place_t *
dnssync_map_find(const dnssync_map_t *map, torii_str_t view, torii_str_t name)
{
    uint32_t               slot;
    const dnssync_zone_t  *zone;

    slot = dnssync_map_hash(view, name) & map->mask;

    while (map->slots[slot]) {
        zone = &map->in->zones[map->slots[slot] - 1];

        if (torii_str_eq(zone->name, name) && torii_str_eq(zone->view, view)) {
            return &map->places[map->slots[slot] - 1];
        }

        slot = (slot + 1) & map->mask;
    }

    return NULL;
}


/* The longest zone that the name is in, of its view. */

static dnssync_place_t *
dnssync_map_place(dnssync_map_t *map, const dnssync_endpoint_t *e)
{
    torii_str_t       name, label;
    dnssync_place_t  *place;

    if (e->zone.len) {
        return dnssync_map_pinned(map, e);
    }

    for (name = e->name; name.data != NULL;
         (void) torii_str_next(&name, ".", &label))
    {
        place = dnssync_map_find(map, e->view, name);
        if (place == NULL) {
            continue;
        }

        if (place->same) {
            dnssync_plan_finding(map->plan, DNSSYNC_WHY_AMBIGUOUS,
                                 place->zone->id, e->name, e->resource,
                                 "there is more than one zone \"%.*s\": "
                                 "put them into views",
                                 torii_str_arg(place->zone->name));
            dnssync_map_keep(map, place, e);
            return NULL;
        }

        return place;
    }

    dnssync_plan_finding(map->plan, DNSSYNC_WHY_NO_ZONE, dnssync_nothing,
                         e->name, e->resource, "no zone holds this host");

    return NULL;
}


/* What a host has stays while nobody can tell where it belongs. */

static void
dnssync_map_keep(dnssync_map_t *map, dnssync_place_t *place,
    const dnssync_endpoint_t *e)
{
    dnssync_endpoint_t  *keep;

    keep = torii_arena_alloc(map->plan->arena, sizeof(dnssync_endpoint_t));

    *keep = *e;
    keep->type = 0;
    keep->n = 0;

    for ( ;; ) {
        dnssync_map_link(map, place, keep);

        if (place->same == 0) {
            return;
        }

        place = &map->places[place->same - 1];
    }
}


static void
dnssync_map_link(dnssync_map_t *map, dnssync_place_t *place,
    const dnssync_endpoint_t *e)
{
    dnssync_link_t  *link;

    link = torii_arena_alloc(map->plan->arena, sizeof(dnssync_link_t));

    link->endpoint = e;
    link->next = place->links;
    place->links = link;
    place->nlinks++;
}


/* "Z0123" names the zone "aws/Z0123", too. */

static int
dnssync_map_named(torii_str_t id, torii_str_t name)
{
    torii_str_t  end;

    if (id.len <= name.len) {
        return torii_str_eq(id, name);
    }

    end.data = id.data + id.len - name.len;
    end.len = name.len;

    return end.data[-1] == '/' && torii_str_eq(end, name);
}


static dnssync_place_t *
dnssync_map_pinned(dnssync_map_t *map, const dnssync_endpoint_t *e)
{
    uint32_t               i;
    torii_str_t            name, label;
    dnssync_place_t       *place;
    const dnssync_zone_t  *zone;

    for (i = 0; i < map->in->nzones; i++) {
        zone = &map->in->zones[i];

        if (dnssync_map_named(zone->id, e->zone)
            && dnssync_within(e->name, zone->name))
        {
            return &map->places[i];
        }
    }

    dnssync_plan_finding(map->plan, DNSSYNC_WHY_NO_ZONE, dnssync_nothing,
                         e->name, e->resource,
                         "the zone that it is to be in does not hold it");

    for (name = e->name; name.data != NULL;
         (void) torii_str_next(&name, ".", &label))
    {
        place = dnssync_map_find(map, e->view, name);

        if (place != NULL) {
            dnssync_map_keep(map, place, e);
            break;
        }
    }

    return NULL;
}


static void
dnssync_map_endpoint(dnssync_map_t *map, const dnssync_endpoint_t *e)
{
    dnssync_place_t  *place;

    if (e->name.len == 0) {
        return;
    }

    if (!dnssync_filter_match(&map->in->conf->filter, e->name)) {
        dnssync_plan_finding(map->plan, DNSSYNC_WHY_FILTERED, dnssync_nothing,
                             e->name, e->resource,
                             "the domain filter leaves it out");
        return;
    }

    place = dnssync_map_place(map, e);

    if (place != NULL) {
        dnssync_map_link(map, place, e);
    }
}


static void
dnssync_plan_zone(dnssync_map_t *map, dnssync_place_t *place,
    dnssync_gate_t *gate)
{
    uint32_t               i;
    dnssync_ctx_t          ctx;
    const dnssync_zone_t  *zone;

    zone = place->zone;

    if (zone->state != DNSSYNC_ZONE_COMPLETE) {
        dnssync_plan_finding(map->plan, DNSSYNC_WHY_ZONE, zone->id,
                             dnssync_nothing, dnssync_nothing,
                             zone->state == DNSSYNC_ZONE_FAILED
                             ? "the zone could not be read whole, hence "
                               "nothing in it is changed"
                             : "the zone was not read yet");
        return;
    }

    memset(&ctx, 0, sizeof(dnssync_ctx_t));

    ctx.plan = map->plan;
    ctx.arena = map->plan->arena;
    ctx.in = map->in;
    ctx.conf = map->in->conf;
    ctx.gate = gate;
    ctx.zone = zone;
    ctx.provider = zone->provider ? zone->provider : &dnssync_no_provider;
    ctx.wanted = place->nlinks;
    ctx.first = map->plan->n;

    if (dnssync_rows(&ctx, place) != TORII_OK) {
        return;
    }

    for (i = 0; i < ctx.n; i++) {
        if (ctx.rows[i]->there || ctx.rows[i]->links) {
            dnssync_marks(&ctx, ctx.rows[i]);
        }
    }

    for (i = 0; i < ctx.n; i++) {
        if (ctx.rows[i]->links) {
            dnssync_wants(&ctx, ctx.rows[i]);
        }
    }

    if (map->in->adopt != NULL) {
        dnssync_edits_adopt(&ctx);
        return;
    }

    dnssync_orphans(&ctx);
    dnssync_lock_read(&ctx);
    dnssync_judge(&ctx);
    dnssync_plan_held(&ctx);
    dnssync_edits(&ctx);
    dnssync_lock_edit(&ctx);

    dnssync_gate_end(gate, zone->id, map->in->now);

    map->plan->owned += ctx.owned;
}


static void
dnssync_plan_held(dnssync_ctx_t *ctx)
{
    size_t         i;
    dnssync_why_e  why;

    for (i = 0; i < DNSSYNC_PLAN_HOLDS; i++) {
        why = dnssync_plan_holds[i].why;

        if (ctx->counts[why]) {
            dnssync_plan_finding(ctx->plan, why, ctx->zone->id,
                                 dnssync_nothing, dnssync_nothing,
                                 "%u of %u sets are not deleted: %s",
                                 ctx->counts[why], ctx->owned,
                                 dnssync_plan_holds[i].text);
        }
    }

    ctx->plan->held += ctx->counts[DNSSYNC_WHY_BRAKE];
}


/* Each name to be resolved once, in order. */

static void
dnssync_plan_unique(dnssync_plan_t *plan)
{
    uint32_t  i, n;

    if (plan->nlookups == 0) {
        return;
    }

    qsort(plan->lookups, plan->nlookups, sizeof(torii_str_t),
          dnssync_plan_name_order);

    for (i = 1, n = 1; i < plan->nlookups; i++) {
        if (!torii_str_eq(plan->lookups[i], plan->lookups[n - 1])) {
            plan->lookups[n++] = plan->lookups[i];
        }
    }

    plan->nlookups = n;
}


static int
dnssync_plan_name_order(const void *one, const void *two)
{
    return torii_str_cmp(*(const torii_str_t *) one,
                         *(const torii_str_t *) two);
}


/*
 * New hosts first, deletions last, but a mark without a host before: it hides a
 * wildcard.  Before all of them others are told that there is a writer.
 */

static int
dnssync_plan_rank(const dnssync_edit_t *edit)
{
    if (edit->what == DNSSYNC_EDIT_LOCK) {
        return 0;
    }

    return (edit->why == DNSSYNC_WHY_ORPHAN) ? 1 : 2 + (int) edit->what;
}


static int
dnssync_plan_order(const void *one, const void *two)
{
    int                    rc;
    const dnssync_edit_t  *a, *b;

    a = one;
    b = two;

    rc = dnssync_plan_rank(a) - dnssync_plan_rank(b);

    if (rc) {
        return rc;
    }

    if (a->zone != b->zone) {
        return (a->zone > b->zone) ? 1 : -1;
    }

    rc = torii_str_cmp(a->name, b->name);

    return rc ? rc : torii_str_cmp(a->set, b->set);
}


void
dnssync_plan_finding(dnssync_plan_t *plan, dnssync_why_e why, torii_str_t zone,
    torii_str_t name, torii_str_t resource, const char *fmt, ...)
{
    int                 n;
    char                text[DNSSYNC_ERROR_MAX];
    va_list             args;
    dnssync_finding_t  *f, *findings;

    if (plan->nfindings == plan->findings_size) {
        plan->findings_size = plan->findings_size ? 2 * plan->findings_size
                                                  : 16;
        findings = torii_arena_alloc(plan->arena, plan->findings_size
                                                * sizeof(dnssync_finding_t));
        if (plan->nfindings) {
            memcpy(findings, plan->findings,
                   plan->nfindings * sizeof(dnssync_finding_t));
        }

        plan->findings = findings;
    }

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    if (n < 0) {
        text[0] = '\0';
    }

    f = &plan->findings[plan->nfindings++];

    f->why = why;
    f->zone = zone;
    f->name = name;
    f->resource = resource;
    f->text = torii_arena_str(plan->arena, torii_str(text));
}
