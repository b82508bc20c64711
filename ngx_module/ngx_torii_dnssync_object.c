
/*
 * What is to be in DNS: hosts of the Ingresses that are served, and the
 * addresses that the gateway is reached by.
 */

#include "ngx_torii_dnssync.h"
#include "ngx_torii_interface.h"


#define NGX_TORII_DNSSYNC_ADDRESSES  64
#define NGX_TORII_DNSSYNC_AGAIN      5000000     /* us between two looks at
                                                    addresses, at most */
#define NGX_TORII_DNSSYNC_STEADY     30000000    /* us that another address is
                                                    there, then it counts */
#define NGX_TORII_DNSSYNC_FAMILY     600000000   /* us without any address of a
                                                    family: it is gone */


typedef struct {
    ngx_torii_dnssync_t     *dnssync;
    torii_arena_t           *arena;
    dnssync_object_t        *objects;
    uint32_t                 n;
    uint32_t                 size;
    ingress_table_t          table;
    uint64_t                 hash;
} ngx_torii_dnssync_gather_t;


static void ngx_torii_dnssync_views(ngx_torii_dnssync_t *d,
    torii_arena_t *arena, dnssync_source_conf_t *conf);
static void ngx_torii_dnssync_view(ngx_torii_dnssync_t *d,
    torii_arena_t *arena, dnssync_view_t *view);
static ngx_uint_t ngx_torii_dnssync_steady(ngx_torii_dnssync_t *d,
    ingress_address_t *addresses, ngx_uint_t n);
static uint64_t ngx_torii_dnssync_addresses_hash(
    const ingress_address_t *addresses, ngx_uint_t n);
static ngx_uint_t ngx_torii_dnssync_public(const dnssync_view_t *view,
    ingress_address_t *addresses, ngx_uint_t n);
static ngx_uint_t ngx_torii_dnssync_private(ngx_torii_dnssync_t *d,
    ingress_address_t *addresses);
static unsigned ngx_torii_dnssync_keep(ngx_torii_dnssync_t *d,
    unsigned there);
static uint64_t ngx_torii_dnssync_views_hash(
    const dnssync_source_conf_t *conf);

static void ngx_torii_dnssync_hash(void *data, ingress_object_t *o);
static void ngx_torii_dnssync_object(void *data, ingress_object_t *o);
static void ngx_torii_dnssync_hosts(ngx_torii_dnssync_gather_t *g,
    const ingress_ingress_t *ingress, dnssync_object_t *object);
static void ngx_torii_dnssync_annotations(ngx_torii_dnssync_gather_t *g,
    const ingress_object_t *o, dnssync_object_t *object);
static int ngx_torii_dnssync_served(void *data, torii_str_t host);


void
ngx_torii_dnssync_objects(ngx_torii_dnssync_t *d)
{
    char                         error[128];
    dnssync_objects_t            objects;
    ngx_torii_helper_t          *h;
    ngx_torii_dnssync_gather_t   g;

    h = d->helper;

    if (!h->compiled || !d->leads) {
        return;
    }

    ngx_memzero(&g, sizeof(ngx_torii_dnssync_gather_t));
    ngx_memzero(&objects, sizeof(dnssync_objects_t));

    g.dnssync = d;
    g.arena = torii_arena_create(16384);

    ngx_torii_dnssync_views(d, g.arena, &objects.conf);

    objects.complete = ngx_torii_dnssync_complete(h);

    g.hash = torii_hash(&g.hash, sizeof(g.hash), objects.complete + 1);
    g.hash ^= ngx_torii_dnssync_views_hash(&objects.conf);

    ingress_store_served(h->store, ngx_torii_dnssync_hash, &g);

    /* what routes there are follows from these, and is checked for good by
       nobody who asks for the same again */

    if (g.hash == d->objects_hash
        || ingress_table_check(&g.table, h->out.data, h->out.len, error)
           != TORII_OK)
    {
        torii_arena_destroy(g.arena);
        return;
    }

    ingress_store_served(h->store, ngx_torii_dnssync_object, &g);

    objects.conf.served = ngx_torii_dnssync_served;
    objects.conf.data = &g;
    objects.conf.tls_hosts = 1;
    objects.objects = g.objects;
    objects.n = g.n;

    dnssync_engine_source(d->engine, ngx_torii_publish_ms(), &objects);

    d->objects_hash = g.hash;

    torii_arena_destroy(g.arena);
}


/*
 * A file that could not be read at the start, a kind whose watch is away, a
 * folder that is gone: what is not seen may be there.
 */

ngx_uint_t
ngx_torii_dnssync_complete(ngx_torii_helper_t *h)
{
    ngx_uint_t                 i;
    ngx_torii_control_t       *control;
    const ingress_finding_t   *f;

    static const char  *const  resources[] = {
        "files", "ingresses", "ingressclasses", "namespaces", "configmaps"
    };

    if (!h->complete || h->partial || h->feed == NULL
        || !h->source->present(h))
    {
        return 0;
    }

    control = h->pub.control;

    if (control->nkinds == 0) {
        return 0;
    }

    for (i = 0; i < control->nkinds * 5; i++) {

        if (ngx_strcmp(control->kinds[i / 5].resource, resources[i % 5]) == 0
            && control->kinds[i / 5].state != NGX_TORII_SOURCE_COMPLETE)
        {
            return 0;
        }
    }

    if (h->tmcf->kubernetes.enable) {
        return 1;
    }

    for (f = h->source->findings(h); f; f = f->next) {
        if (f->severity == INGRESS_ERROR) {
            return 0;
        }
    }

    return 1;
}


static void
ngx_torii_dnssync_views(ngx_torii_dnssync_t *d, torii_arena_t *arena,
    dnssync_source_conf_t *conf)
{
    ngx_uint_t       i;
    torii_str_t     *name;
    dnssync_view_t  *view;

    name = d->views.elts;
    view = torii_arena_zalloc(arena, (d->views.nelts + 1)
                                     * sizeof(dnssync_view_t));

    d->due = UINT64_MAX;

    for (i = 0; i < d->views.nelts; i++) {
        view[i].name = name[i];
        ngx_torii_dnssync_view(d, arena, &view[i]);
    }

    conf->views = view;
    conf->nviews = d->views.nelts;

    /* there may be something to see sooner than any address changes: the source
       may come and go without a table */

    d->due = ngx_min(d->due, ngx_torii_publish_us() + NGX_TORII_DNSSYNC_AGAIN);
}


static void
ngx_torii_dnssync_view(ngx_torii_dnssync_t *d, torii_arena_t *arena,
    dnssync_view_t *view)
{
    unsigned            type, there;
    uint32_t            wait;
    uint64_t            now;
    ngx_uint_t          i, n;
    torii_str_t        *address;
    ingress_address_t   addresses[NGX_TORII_DNSSYNC_ADDRESSES];

    now = ngx_torii_publish_us();
    n = 0;

    if (torii_str_eqs(view->name, "private")) {
        n = ngx_torii_dnssync_private(d, addresses);
    }

    if (n == 0 && d->addresses) {
        n = ngx_torii_address_get(d->addresses, now / 1000, addresses,
                                  NGX_TORII_DNSSYNC_ADDRESSES, &wait);
        d->due = ngx_min(d->due, now + (uint64_t) wait * 1000);

        if (d->helper->tmcf->kubernetes.publish
            == NGX_HTTP_TORII_PUBLISH_INTERFACE)
        {
            n = ngx_torii_dnssync_steady(d, addresses, n);
            n = ngx_torii_dnssync_public(view, addresses, n);
        }
    }

    address = torii_arena_alloc(arena, (n + 1) * sizeof(torii_str_t));
    there = 0;

    for (i = 0; i < n; i++) {
        address[i] = torii_arena_str(arena, addresses[i].address);

        type = dnssync_value_type(address[i]);
        there |= dnssync_type_mask(type);
    }

    view->addresses = address;
    view->n = n;
    view->keep = ngx_torii_dnssync_keep(d, there);
}


/* What comes and goes in half a minute, as while a lease is renewed, is not
   told to anybody. */

static ngx_uint_t
ngx_torii_dnssync_steady(ngx_torii_dnssync_t *d, ingress_address_t *addresses,
    ngx_uint_t n)
{
    uint64_t    now, hash;
    ngx_uint_t  i;

    now = ngx_torii_publish_us();
    hash = ngx_torii_dnssync_addresses_hash(addresses, n);

    if (hash != d->candidate) {
        d->candidate = hash;
        d->since = now;
    }

    if (d->settled == NULL
        || (hash != ngx_torii_dnssync_addresses_hash(d->steady, d->nsteady)
            && now - d->since >= NGX_TORII_DNSSYNC_STEADY))
    {
        torii_arena_destroy(d->settled);

        d->settled = torii_arena_create(1024);
        d->steady = torii_arena_zalloc(d->settled, (n + 1)
                                                   * sizeof(ingress_address_t));
        d->nsteady = n;

        for (i = 0; i < n; i++) {
            d->steady[i].address = torii_arena_str(d->settled,
                                                   addresses[i].address);
        }
    }

    ngx_memcpy(addresses, d->steady, d->nsteady * sizeof(ingress_address_t));

    return d->nsteady;
}


static uint64_t
ngx_torii_dnssync_addresses_hash(const ingress_address_t *addresses,
    ngx_uint_t n)
{
    uint64_t    hash;
    ngx_uint_t  i;

    hash = n + 1;

    for (i = 0; i < n; i++) {
        hash = torii_hash(addresses[i].address.data, addresses[i].address.len,
                          hash);
    }

    return hash;
}


/* An address that the machine was given may lead nowhere from outside. */

static ngx_uint_t
ngx_torii_dnssync_public(const dnssync_view_t *view,
    ingress_address_t *addresses, ngx_uint_t n)
{
    ngx_uint_t  i, k;

    if (torii_str_eqs(view->name, "private")) {
        return n;
    }

    for (i = 0, k = 0; i < n; i++) {
        if (!ngx_torii_interface_private(addresses[i].address)) {
            addresses[k++] = addresses[i];
        }
    }

    return k;
}


/* "torii_dns private=ADDRESS,…" */

static ngx_uint_t
ngx_torii_dnssync_private(ngx_torii_dnssync_t *d,
    ingress_address_t *addresses)
{
    ngx_uint_t   n;
    torii_str_t  rest, piece;

    rest.len = d->helper->tmcf->dns.private.len;
    rest.data = d->helper->tmcf->dns.private.data;

    if (rest.len == 0) {
        return 0;
    }

    n = 0;

    while (n < NGX_TORII_DNSSYNC_ADDRESSES
           && torii_str_next(&rest, ",", &piece))
    {
        if (piece.len) {
            addresses[n].address = piece;
            addresses[n++].hostname = 0;
        }
    }

    return n;
}


/*
 * Addresses that are found out may be lost for a moment: what there is of a
 * family stays, until it is known for a while that there is none, and another
 * one remains.
 */

static unsigned
ngx_torii_dnssync_keep(ngx_torii_dnssync_t *d, unsigned there)
{
    unsigned    i, keep;
    uint64_t    now;
    ngx_uint_t  publish;

    if (there == 0) {
        return DNSSYNC_HAS_ALL;
    }

    publish = d->helper->tmcf->kubernetes.publish;

    if (publish == NGX_HTTP_TORII_PUBLISH_ADDRESSES) {
        return 0;
    }

    /* they never tell that there is none */

    if (publish == NGX_HTTP_TORII_PUBLISH_ECHO) {
        return DNSSYNC_HAS_ALL & ~there;
    }

    now = ngx_torii_publish_us();
    keep = 0;

    for (i = 0; i < DNSSYNC_TYPES; i++) {

        if (there & (1 << i)) {
            d->seen[i] = now;

        } else if (now - ngx_max(d->seen[i], d->helper->born)
                   < NGX_TORII_DNSSYNC_FAMILY)
        {
            keep |= 1 << i;
        }
    }

    return keep;
}


static uint64_t
ngx_torii_dnssync_views_hash(const dnssync_source_conf_t *conf)
{
    uint32_t               i, k;
    uint64_t               hash;
    const dnssync_view_t  *view;

    hash = conf->nviews;

    for (i = 0; i < conf->nviews; i++) {
        view = &conf->views[i];
        hash = torii_hash(view->name.data, view->name.len, hash + view->keep);

        for (k = 0; k < view->n; k++) {
            hash = torii_hash(view->addresses[k].data, view->addresses[k].len,
                              hash);
        }
    }

    return hash;
}


static void
ngx_torii_dnssync_hash(void *data, ingress_object_t *o)
{
    ngx_torii_dnssync_gather_t *g = data;

    g->hash = torii_hash(&o->version, sizeof(uint64_t), g->hash);
    g->hash = torii_hash(o->name.data, o->name.len, g->hash);
    g->hash = torii_hash(o->namespace.data, o->namespace.len, g->hash);

    g->size++;
}


/* One that is being deleted is served to its end, and then is gone. */

static void
ngx_torii_dnssync_object(void *data, ingress_object_t *o)
{
    ngx_torii_dnssync_gather_t *g = data;

    dnssync_object_t  *object;

    if (g->objects == NULL) {
        g->objects = torii_arena_zalloc(g->arena, (size_t) g->size
                                                  * sizeof(dnssync_object_t));
    }

    if (g->n == g->size) {
        return;
    }

    object = &g->objects[g->n++];

    object->resource = torii_arena_printf(g->arena, "ingress/%.*s/%.*s",
                                          torii_str_arg(o->namespace),
                                          torii_str_arg(o->name));
    object->created = o->created > 0 ? o->created : 0;

    ngx_torii_dnssync_hosts(g, &o->u.ingress, object);
    ngx_torii_dnssync_annotations(g, o, object);
}


static void
ngx_torii_dnssync_hosts(ngx_torii_dnssync_gather_t *g,
    const ingress_ingress_t *ingress, dnssync_object_t *object)
{
    uint32_t      i, k, n;
    torii_str_t  *hosts, *tls;

    hosts = torii_arena_alloc(g->arena, (ingress->nrules + 1)
                                        * sizeof(torii_str_t));

    for (i = 0; i < ingress->nrules; i++) {
        if (ingress->rules[i].host.len) {
            hosts[object->n++] = ingress->rules[i].host;
        }
    }

    object->hosts = hosts;

    for (i = 0, n = 0; i < ingress->ntls; i++) {
        n += ingress->tls[i].n;
    }

    tls = torii_arena_alloc(g->arena, (n + 1) * sizeof(torii_str_t));

    for (i = 0; i < ingress->ntls; i++) {
        for (k = 0; k < ingress->tls[i].n; k++) {
            tls[object->ntls++] = ingress->tls[i].hosts[k];
        }
    }

    object->tls = tls;
}


static void
ngx_torii_dnssync_annotations(ngx_torii_dnssync_gather_t *g,
    const ingress_object_t *o, dnssync_object_t *object)
{
    uint32_t           i;
    torii_str_t        name;
    dnssync_option_t  *options;

    options = NULL;

    for (i = 0; i < o->annotations.n; i++) {
        name = o->annotations.elts[i].name;

        if (!torii_str_starts(name, "external-dns.")
            && !torii_str_starts(name, "torii/dns-"))
        {
            continue;
        }

        if (options == NULL) {
            options = torii_arena_alloc(g->arena, o->annotations.n
                                                  * sizeof(dnssync_option_t));
        }

        options[object->nannotations].name = name;
        options[object->nannotations].value = o->annotations.elts[i].value;
        object->nannotations++;
    }

    object->annotations = options;
}


/* A host without a route of its own may have that of rules without a host. */

static int
ngx_torii_dnssync_served(void *data, torii_str_t host)
{
    ngx_torii_dnssync_gather_t *g = data;

    uint32_t                      i;
    const ingress_table_t        *t;
    const ingress_table_path_t   *path;
    const ingress_table_host_t   *h;

    t = &g->table;

    h = ingress_route_name(t, host);

    if (h == NULL && host.data[0] != '*') {
        h = ingress_route_host(t, ngx_torii_regexes(), host);
    }

    if (h == NULL) {
        return 0;
    }

    if (h != &t->hosts[t->header->default_host]) {
        return 1;
    }

    for (i = 0; i < h->nexact + h->nprefix; i++) {
        path = &t->paths[i < h->nexact ? h->exact + i
                                       : h->prefix + i - h->nexact];

        if (!(t->routes[path->route].flags & INGRESS_ROUTE_AUTO)) {
            return 1;
        }
    }

    return 0;
}
