
/*
 * Each endpoint is given to one zone, of all accounts: the longest name of its
 * view that it is in.  A zone that two accounts have, or one has twice, is
 * nobody's.
 */

#include <stdlib.h>

#include "dnssync_work.h"


#define DNSSYNC_NOWHERE  UINT32_MAX


typedef struct {
    dnssync_engine_t     *e;
    torii_arena_t        *arena;
    dnssync_domain_t    **domains;
    uint32_t             *same;        /* index + 1 of one named so, too */
    uint32_t             *counts;
    uint32_t             *slots;       /* index + 1 */
    uint32_t              n;
    uint32_t              mask;
    uint32_t              keeps;       /* endpoints of whole resources */
    unsigned              unknown:1;   /* some account's zones are not known */
} dnssync_route_t;


static void dnssync_route_fill(dnssync_route_t *r);
static uint32_t dnssync_route_get(const dnssync_route_t *r, torii_str_t view,
    torii_str_t name);
static uint32_t dnssync_route_place(dnssync_route_t *r,
    const dnssync_endpoint_t *p, int *keep);
static uint32_t dnssync_route_pinned(const dnssync_route_t *r,
    const dnssync_endpoint_t *p);
static int dnssync_route_promised(const dnssync_route_t *r, torii_str_t name,
    size_t len);
static void dnssync_route_nowhere(dnssync_route_t *r,
    const dnssync_endpoint_t *p, int filtered);
static void dnssync_route_deal(dnssync_route_t *r, const uint32_t *places,
    const unsigned char *keeps);
static int dnssync_route_keeps(const dnssync_endpoint_t *p, int keep);
static void dnssync_route_add(dnssync_route_t *r, uint32_t at,
    const dnssync_endpoint_t *p, int keep, uint32_t *counts);
static void dnssync_route_domain(dnssync_route_t *r, uint32_t i);
static int dnssync_route_explicit(const dnssync_domain_t *d);
static torii_str_t dnssync_route_view(torii_str_t view);
static int dnssync_route_within(torii_str_t name, torii_str_t zone);


static const torii_str_t  dnssync_nothing = torii_null_string;
static const torii_str_t  dnssync_public = torii_string("public");


void
dnssync_route(dnssync_engine_t *e)
{
    int               keep;
    uint32_t          i, n, *places;
    unsigned char    *keeps;
    dnssync_route_t   r;

    e->rerouted = 0;

    dnssync_shared_drop(e->routes);
    e->routes = dnssync_shared_create(e->source);

    memset(&r, 0, sizeof(dnssync_route_t));
    memset(&e->routed, 0, sizeof(dnssync_plan_t));

    r.e = e;
    r.arena = e->routes->arena;
    e->routed.arena = r.arena;

    dnssync_route_fill(&r);

    n = e->endpoints.n;
    places = torii_malloc(n * sizeof(uint32_t) + 1);
    keeps = torii_zalloc(n + 1);

    for (i = 0; i < n; i++) {
        keep = 0;
        places[i] = dnssync_route_place(&r, &e->endpoints.endpoints[i],
                                        &keep);
        keeps[i] = (unsigned char) keep;

        if (places[i] != DNSSYNC_NOWHERE) {
            dnssync_route_add(&r, places[i], &e->endpoints.endpoints[i],
                              dnssync_route_keeps(&e->endpoints.endpoints[i],
                                                  keep), r.counts);
        }
    }

    dnssync_route_deal(&r, places, keeps);

    free(places);
    free(keeps);

    dnssync_engine_changed(e);
}


static void
dnssync_route_fill(dnssync_route_t *r)
{
    uint32_t           i, k, at, slot;
    dnssync_agent_t   *a;
    dnssync_domain_t  *d;

    for (i = 0; i < r->e->nagents; i++) {
        a = r->e->agents[i];
        r->n += a->ndomains;
        r->unknown |= !a->known;
    }

    for (r->mask = 8; r->mask < 2 * r->n; r->mask *= 2) {
        /* void */
    }

    r->domains = torii_arena_alloc(r->arena, (r->n + 1) * sizeof(void *));
    r->same = torii_arena_zalloc(r->arena, (r->n + 1) * sizeof(uint32_t));
    r->counts = torii_arena_zalloc(r->arena, (r->n + 1) * sizeof(uint32_t));
    r->slots = torii_arena_zalloc(r->arena, r->mask * sizeof(uint32_t));
    r->mask--;
    r->n = 0;

    for (i = 0; i < r->e->nagents; i++) {
        a = r->e->agents[i];

        for (k = 0; k < a->ndomains; k++) {
            d = a->domains[k];
            d->frozen = 0;

            at = dnssync_route_get(r, d->zone.view, d->zone.name);
            r->domains[r->n++] = d;

            if (at != DNSSYNC_NOWHERE) {
                r->same[r->n - 1] = r->same[at];
                r->same[at] = r->n;
                r->domains[at]->frozen = 1;
                d->frozen = 1;
                continue;
            }

            slot = torii_hash(d->zone.name.data, d->zone.name.len, 0)
                   & r->mask;

            while (r->slots[slot]) {
                slot = (slot + 1) & r->mask;
            }

            r->slots[slot] = r->n;
        }
    }
}


static uint32_t
dnssync_route_get(const dnssync_route_t *r, torii_str_t view, torii_str_t name)
{
    uint32_t                 slot;
    const dnssync_domain_t  *d;

    slot = torii_hash(name.data, name.len, 0) & r->mask;

    while (r->slots[slot]) {
        d = r->domains[r->slots[slot] - 1];

        if (torii_str_eq(d->zone.name, name)
            && torii_str_eq(d->zone.view, view))
        {
            return r->slots[slot] - 1;
        }

        slot = (slot + 1) & r->mask;
    }

    return DNSSYNC_NOWHERE;
}


/* keep: it stays as it is, for nobody can tell yet. */

static uint32_t
dnssync_route_place(dnssync_route_t *r, const dnssync_endpoint_t *p, int *keep)
{
    int           filtered;
    uint32_t      at;
    torii_str_t   name, view, label;

    if (p->name.len == 0) {
        r->keeps += (p->resource.len != 0);
        return DNSSYNC_NOWHERE;
    }

    if (p->zone.len) {
        at = dnssync_route_pinned(r, p);

        if (at != DNSSYNC_NOWHERE) {
            return at;
        }

        *keep = 1;
    }

    view = dnssync_route_view(p->view);
    filtered = 0;

    for (name = p->name; name.data != NULL;
         (void) torii_str_next(&name, ".", &label))
    {
        at = dnssync_route_get(r, view, name);

        if (at == DNSSYNC_NOWHERE) {
            continue;
        }

        if (!dnssync_filter_match(&r->domains[at]->agent->conf.filter,
                                  p->name))
        {
            filtered = 1;
            continue;
        }

        if (*keep && r->e->begun && !r->unknown) {
            dnssync_plan_finding(&r->e->routed, DNSSYNC_WHY_NO_ZONE,
                                 dnssync_nothing, p->name, p->resource,
                                 "the zone that it is to be in does not hold "
                                 "it, hence it stays as it is");
        }

        if (r->same[at] || dnssync_route_promised(r, p->name, name.len)) {
            *keep = 1;
        }

        return at;
    }

    dnssync_route_nowhere(r, p, filtered);

    return DNSSYNC_NOWHERE;
}


static uint32_t
dnssync_route_pinned(const dnssync_route_t *r, const dnssync_endpoint_t *p)
{
    uint32_t     i;
    torii_str_t  end, id;

    for (i = 0; i < r->n; i++) {
        id = r->domains[i]->zone.id;

        if (id.len <= p->zone.len) {
            continue;
        }

        end.data = id.data + id.len - p->zone.len;
        end.len = p->zone.len;

        if (end.data[-1] == '/' && torii_str_eq(end, p->zone)
            && dnssync_route_within(p->name, r->domains[i]->zone.name))
        {
            return i;
        }
    }

    return DNSSYNC_NOWHERE;
}


/* An account whose zones are not known yet is to have a longer one. */

static int
dnssync_route_promised(const dnssync_route_t *r, torii_str_t name, size_t len)
{
    uint32_t                  i, k;
    const dnssync_account_t  *account;

    for (i = 0; r->unknown && i < r->e->nagents; i++) {

        if (r->e->agents[i]->known) {
            continue;
        }

        account = r->e->agents[i]->account;

        for (k = 0; k < account->nzones; k++) {
            if (account->zones[k].len > len
                && dnssync_route_within(name, account->zones[k]))
            {
                return 1;
            }
        }
    }

    return 0;
}


/* Once for a host; a view without any zone is not in use. */

static void
dnssync_route_nowhere(dnssync_route_t *r, const dnssync_endpoint_t *p,
    int filtered)
{
    uint32_t                   i;
    torii_str_t                view;
    const dnssync_endpoint_t  *last;

    last = (p > r->e->endpoints.endpoints) ? p - 1 : NULL;

    if (r->unknown || r->e->nagents == 0
        || (last != NULL && torii_str_eq(last->name, p->name)
            && torii_str_eq(last->view, p->view)))
    {
        return;
    }

    view = dnssync_route_view(p->view);

    for (i = 0; i < r->n; i++) {
        if (torii_str_eq(r->domains[i]->zone.view, view)) {
            break;
        }
    }

    if (i == r->n && !torii_str_eq(view, dnssync_public)) {
        return;
    }

    dnssync_plan_finding(&r->e->routed,
                         filtered ? DNSSYNC_WHY_FILTERED : DNSSYNC_WHY_NO_ZONE,
                         dnssync_nothing, p->name, p->resource, "%s",
                         filtered ? "the domain filter leaves it out"
                                  : "no account has a zone for this host");
}


/*
 * To each zone its endpoints, one after the other: those that have targets,
 * then those that only keep what there is.
 */

static void
dnssync_route_deal(dnssync_route_t *r, const uint32_t *places,
    const unsigned char *keeps)
{
    uint32_t             i, k, round;
    dnssync_domain_t    *d;
    dnssync_endpoint_t  *from;

    for (i = 0; i < r->n; i++) {
        d = r->domains[i];
        d->endpoints = torii_arena_alloc(r->arena, (r->counts[i] + r->keeps)
                                                * sizeof(dnssync_endpoint_t));
        d->n = 0;
        d->hosts = 0;
    }

    from = r->e->endpoints.endpoints;

    for (round = 0; round < 2; round++) {
        for (i = 0; i < r->e->endpoints.n; i++) {
            if (places[i] != DNSSYNC_NOWHERE
                && dnssync_route_keeps(&from[i], keeps[i]) == (int) round)
            {
                dnssync_route_add(r, places[i], &from[i], (int) round, NULL);
            }
        }
    }

    for (i = 0; i < r->n; i++) {
        d = r->domains[i];

        for (k = 0; r->keeps && k < r->e->endpoints.n; k++) {
            if (from[k].name.len == 0 && from[k].resource.len) {
                d->endpoints[d->n++] = from[k];
            }
        }

        dnssync_route_domain(r, i);
    }
}


static int
dnssync_route_keeps(const dnssync_endpoint_t *p, int keep)
{
    return keep || p->n == 0;
}


/* What stays as it is does so in each zone that it may be in. */

static void
dnssync_route_add(dnssync_route_t *r, uint32_t at, const dnssync_endpoint_t *p,
    int keep, uint32_t *counts)
{
    dnssync_domain_t    *d;
    dnssync_endpoint_t  *to;

    for ( ;; ) {

        if (counts != NULL) {
            counts[at]++;

        } else {
            d = r->domains[at];
            to = &d->endpoints[d->n++];

            *to = *p;
            to->view = d->zone.view;
            to->zone = dnssync_nothing;

            if (keep && p->n) {
                to->type = 0;
                to->n = 0;
            }

            d->hosts += !keep;
        }

        if (!keep || r->same[at] == 0) {
            return;
        }

        at = r->same[at] - 1;
    }
}


static void
dnssync_route_domain(dnssync_route_t *r, uint32_t i)
{
    uint64_t           hash;
    dnssync_domain_t  *d;

    d = r->domains[i];

    if (d->frozen && d->hosts) {
        d->frozen = 0;                 /* by its id */
    }

    d->used = !d->frozen && (r->counts[i] || d->owned
                             || dnssync_route_explicit(d));

    hash = dnssync_endpoints_hash(d->endpoints, d->n, r->e->complete);

    if (r->e->ngone && d->owned) {
        hash = torii_hash(&r->e->generation, sizeof(uint32_t), hash);
    }

    if (hash == d->route && d->route) {
        return;
    }

    d->route = hash;
    d->adjusts = d->agent->account->driver->adjusts;

    dnssync_domain_dirty(r->e, d, 1);
}


/* What the operator names is read, whatever is in it. */

static int
dnssync_route_explicit(const dnssync_domain_t *d)
{
    return d->agent->account->nzones
           && d->agent->ndomains <= DNSSYNC_EXPLICIT
           && !d->agent->account->driver->blind;
}


dnssync_domain_t *
dnssync_route_find(const dnssync_engine_t *e, torii_str_t account,
    torii_str_t name)
{
    uint32_t           i, k;
    dnssync_agent_t   *a;
    dnssync_domain_t  *d, *best;

    best = NULL;

    for (i = 0; i < e->nagents; i++) {
        a = e->agents[i];

        if (account.len && !torii_str_eq(account, a->account->name)) {
            continue;
        }

        for (k = 0; k < a->ndomains; k++) {
            d = a->domains[k];

            if (!dnssync_route_within(name, d->zone.name)
                || (best != NULL && best->zone.name.len > d->zone.name.len)
                || (best != NULL && best->zone.name.len == d->zone.name.len
                    && !best->found.private))
            {
                continue;
            }

            best = d;
        }
    }

    return best;
}


static torii_str_t
dnssync_route_view(torii_str_t view)
{
    return view.len ? view : dnssync_public;
}


static int
dnssync_route_within(torii_str_t name, torii_str_t zone)
{
    if (name.len < zone.len
        || memcmp(name.data + name.len - zone.len, zone.data, zone.len) != 0)
    {
        return 0;
    }

    return name.len == zone.len || name.data[name.len - zone.len - 1] == '.';
}
