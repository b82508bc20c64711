
/*
 * Backends: a Service's port as an Ingress names it, and the addresses behind
 * it.  They are worked out when the Service or its endpoints changed, and
 * copied to the table otherwise.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ingress_compile.h"


#define INGRESS_UPSTREAM_PORTS  64     /* that one subset may give */

typedef struct {
    ingress_store_t                *store;
    ingress_upstream_t             *u;
    const ingress_service_port_t   *port;     /* NULL: a Service without any */
    uint16_t                        number;   /* if nothing else says one */
    unsigned                        draining:1;
} ingress_upstream_walk_t;


static void ingress_upstream_resolve(ingress_store_t *store,
    ingress_upstream_t *u);
static const ingress_service_port_t *ingress_upstream_port(
    const ingress_service_t *service, torii_str_t text);
static uint16_t ingress_upstream_number(torii_str_t text);
static void ingress_upstream_external(ingress_upstream_walk_t *walk,
    torii_str_t name);
static void ingress_upstream_endpoints(ingress_upstream_walk_t *walk);
static void ingress_upstream_subset(ingress_upstream_walk_t *walk,
    const ingress_subset_t *subset);
static uint32_t ingress_upstream_ports(ingress_upstream_walk_t *walk,
    const ingress_subset_t *subset, uint16_t *ports);
static void ingress_upstream_address(ingress_upstream_walk_t *walk,
    torii_str_t address, uint16_t port);
static void ingress_upstream_add(ingress_upstream_walk_t *walk,
    const uint8_t addr[16], uint16_t port);
static void ingress_upstream_grow(ingress_upstream_t *u);
static void ingress_upstream_sort(ingress_upstream_t *u);
static int ingress_upstream_cmp(const void *one, const void *two);


/*
 * "/" separates in the hash what "-" joins in the name, since it is no part of
 * a namespace or a Service's name.
 */

ingress_upstream_t *
ingress_upstream_hold(ingress_store_t *store, torii_str_t namespace,
    torii_str_t service, torii_str_t port, int direct)
{
    int                  len;
    char                *p;
    size_t               size;
    uint64_t             hash;
    ingress_upstream_t  *u;

    hash = torii_hash(namespace.data, namespace.len, direct);
    hash = torii_hash("/", 1, hash);
    hash = torii_hash(service.data, service.len, hash);
    hash = torii_hash("/", 1, hash);
    hash = torii_hash(port.data, port.len, hash);

    u = ingress_hash_first(&store->upstreams, hash);

    for ( /* void */ ; u; u = ingress_hash_next(u)) {
        if (u->direct == (unsigned) direct
            && torii_str_eq(u->port, port)
            && torii_str_eq(u->service->name, service)
            && torii_str_eq(u->service->namespace, namespace))
        {
            u->refs++;
            return u;
        }
    }

    size = namespace.len + service.len + port.len + 3;
    u = torii_zalloc(sizeof(ingress_upstream_t) + size);
    p = (char *) u + sizeof(ingress_upstream_t);

    len = snprintf(p, size, "%.*s-%.*s-%.*s", torii_str_arg(namespace),
                   torii_str_arg(service), torii_str_arg(port));

    u->name.data = (unsigned char *) p;
    u->name.len = len;
    u->port.data = u->name.data + len - port.len;
    u->port.len = port.len;
    u->direct = direct;
    u->refs = 1;

    u->service = ingress_item_hold(store, INGRESS_KIND_SERVICE, namespace,
                                   service);

    u->next = u->service->u.service.upstreams;
    u->prev = &u->service->u.service.upstreams;

    if (u->next) {
        u->next->prev = &u->next;
    }

    *u->prev = u;

    u->stale = 1;
    u->endpoints = u->few;
    u->size = INGRESS_UPSTREAM_INLINE;

    u->link.hash = hash;
    ingress_hash_add(&store->upstreams, &u->link);

    return u;
}


void
ingress_upstream_release(ingress_store_t *store, ingress_upstream_t *u)
{
    if (--u->refs) {
        return;
    }

    ingress_hash_delete(&store->upstreams, &u->link);

    *u->prev = u->next;

    if (u->next) {
        u->next->prev = u->prev;
    }

    ingress_item_release(store, u->service);

    if (u->endpoints != u->few) {
        free(u->endpoints);
    }

    free(u);
}


void
ingress_upstream_changed(ingress_item_t *service)
{
    ingress_upstream_t  *u;

    for (u = service->u.service.upstreams; u; u = u->next) {
        u->stale = 1;
    }
}


void
ingress_upstream_update(ingress_store_t *store, ingress_upstream_t *u,
    unsigned loopback)
{
    if (!u->stale
        && u->loopback == loopback
        && (!u->named || u->names == store->names_version))
    {
        return;
    }

    u->stale = 0;
    u->names = store->names_version;
    u->loopback = loopback;

    ingress_upstream_resolve(store, u);
}


static void
ingress_upstream_resolve(ingress_store_t *store, ingress_upstream_t *u)
{
    uint8_t                   addr[16];
    ingress_object_t         *o;
    const ingress_service_t  *service;
    ingress_upstream_walk_t   walk;

    u->n = 0;
    u->named = 0;
    u->type = INGRESS_BACKEND_ENDPOINTS;
    u->external.len = 0;
    u->problem = INGRESS_UPSTREAM_OK;

    o = u->service->active;

    if (o == NULL) {
        u->type = INGRESS_BACKEND_MISSING;
        u->problem = INGRESS_UPSTREAM_NO_SERVICE;
        return;
    }

    service = &o->u.service;

    walk.store = store;
    walk.u = u;
    walk.port = ingress_upstream_port(service, u->port);
    walk.number = walk.port ? walk.port->port
                            : ingress_upstream_number(u->port);
    walk.draining = 0;

    /*
     * A port that is not defined is served by its number where nothing else
     * could be meant: by an external name, or a Service without ports.
     */

    if (walk.port == NULL
        && (walk.number == 0
            || (service->n
                && service->type != INGRESS_SERVICE_EXTERNALNAME)))
    {
        u->problem = INGRESS_UPSTREAM_NO_PORT;
        return;
    }

    if (service->type == INGRESS_SERVICE_EXTERNALNAME) {
        ingress_upstream_external(&walk, service->external_name);

    } else if (u->direct
               && ingress_addr_parse(service->cluster_ip, addr) == TORII_OK)
    {
        ingress_upstream_add(&walk, addr, walk.number);

    } else {
        ingress_upstream_endpoints(&walk);
    }

    if (u->n == 0 && u->problem == INGRESS_UPSTREAM_OK) {
        u->problem = INGRESS_UPSTREAM_NO_ENDPOINTS;

    } else if (u->n) {
        u->problem = INGRESS_UPSTREAM_OK;
    }

    ingress_upstream_sort(u);
}


/*
 * The Service's own number first: another port's targetPort that happens to be
 * the same number is not what the Ingress names.
 */

static const ingress_service_port_t *
ingress_upstream_port(const ingress_service_t *service, torii_str_t text)
{
    uint32_t                       i;
    uint16_t                       number;
    const ingress_service_port_t  *port;

    if (text.len == 0) {
        return service->n ? &service->ports[0] : NULL;
    }

    number = ingress_upstream_number(text);

    for (i = 0; number && i < service->n; i++) {
        port = &service->ports[i];

        if (port->port == number && port->tcp) {
            return port;
        }
    }

    for (i = 0; i < service->n; i++) {
        port = &service->ports[i];

        if (port->tcp
            && (torii_str_eq(port->name, text)
                || torii_str_eq(port->target.name, text)
                || (number && port->target.number == number)))
        {
            return port;
        }
    }

    return NULL;
}


static uint16_t
ingress_upstream_number(torii_str_t text)
{
    uint64_t  value;

    if (text.len == 0 || torii_str_uint(text, 65535, &value) != TORII_OK) {
        return 0;
    }

    return value;
}


static void
ingress_upstream_external(ingress_upstream_walk_t *walk, torii_str_t name)
{
    walk->u->type = INGRESS_BACKEND_EXTERNALNAME;
    walk->u->external = name;

    ingress_upstream_address(walk, name, walk->number);
}


/*
 * Endpoints objects are for plain manifests: in a cluster each has its mirror
 * in slices.  Endpoints that are going away serve when no other is left.
 */

static void
ingress_upstream_endpoints(ingress_upstream_walk_t *walk)
{
    uint32_t               i;
    ingress_item_t        *first, *e;
    const ingress_slice_t *slice;

    first = walk->u->service->u.service.slices;
    if (first == NULL) {
        first = walk->u->service->u.service.endpoints;
    }

    for ( ;; ) {

        for (e = first; e; e = e->u.slice.next) {
            slice = &e->active->u.slice;

            for (i = 0; i < slice->n; i++) {
                ingress_upstream_subset(walk, &slice->subsets[i]);
            }
        }

        if (walk->u->n || walk->draining) {
            return;
        }

        walk->draining = 1;
    }
}


static void
ingress_upstream_subset(ingress_upstream_walk_t *walk,
    const ingress_subset_t *subset)
{
    uint16_t                   ports[INGRESS_UPSTREAM_PORTS];
    uint32_t                   i, k, n;
    const ingress_endpoint_t  *endpoint;

    n = ingress_upstream_ports(walk, subset, ports);

    for (i = 0; n && i < subset->n; i++) {
        endpoint = &subset->endpoints[i];

        if (walk->draining ? !(endpoint->serving && endpoint->terminating)
                           : !endpoint->ready)
        {
            continue;
        }

        for (k = 0; k < n; k++) {
            ingress_upstream_address(walk, endpoint->address, ports[k]);
        }
    }
}


/*
 * Ports of a slice carry the names of the Service's ports.  Where no name
 * fits, or no port is said, a numeric targetPort is taken.
 */

static uint32_t
ingress_upstream_ports(ingress_upstream_walk_t *walk,
    const ingress_subset_t *subset, uint16_t *ports)
{
    uint16_t                        target, number;
    uint32_t                        i, n;
    const ingress_endpoint_port_t  *port;

    target = walk->number;

    if (walk->port) {
        if (walk->port->target.number) {
            target = walk->port->target.number;

        } else if (walk->port->target.name.len) {
            target = 0;
        }
    }

    n = 0;

    for (i = 0; i < subset->nports && n < INGRESS_UPSTREAM_PORTS; i++) {
        port = &subset->ports[i];

        if (!port->tcp
            || (walk->port && walk->port->name.len
                && !torii_str_eq(walk->port->name, port->name)))
        {
            continue;
        }

        number = port->port ? port->port : target;

        if (number) {
            ports[n++] = number;
        }
    }

    if (n == 0 && target) {
        ports[n++] = target;
    }

    return n;
}


static void
ingress_upstream_address(ingress_upstream_walk_t *walk, torii_str_t address,
    uint16_t port)
{
    uint8_t          addr[16];
    uint32_t         i, n;
    const uint8_t  (*addrs)[16];

    if (ingress_addr_parse(address, addr) == TORII_OK) {
        ingress_upstream_add(walk, addr, port);
        return;
    }

    walk->u->named = 1;

    addrs = ingress_name_addrs(walk->store, address, &n);

    if (n == 0) {
        walk->u->problem = INGRESS_UPSTREAM_UNRESOLVED;
    }

    for (i = 0; i < n; i++) {
        ingress_upstream_add(walk, addrs[i], port);
    }
}


static void
ingress_upstream_add(ingress_upstream_walk_t *walk, const uint8_t addr[16],
    uint16_t port)
{
    ingress_upstream_t        *u;
    ingress_table_endpoint_t  *endpoint;

    u = walk->u;

    if (!u->loopback && ingress_upstream_local(addr)) {
        u->problem = INGRESS_UPSTREAM_LOCAL;
        return;
    }

    if (u->n == u->size) {
        ingress_upstream_grow(u);
    }

    endpoint = &u->endpoints[u->n++];

    memset(endpoint, 0, sizeof(ingress_table_endpoint_t));
    memcpy(endpoint->addr, addr, 16);

    endpoint->port = port;
    endpoint->flags = walk->draining ? INGRESS_ENDPOINT_DRAINING : 0;
}


static void
ingress_upstream_grow(ingress_upstream_t *u)
{
    ingress_table_endpoint_t  *few;

    few = (u->endpoints == u->few) ? u->endpoints : NULL;

    u->size *= 2;
    u->endpoints = torii_realloc(few ? NULL : u->endpoints,
                                 u->size * sizeof(ingress_table_endpoint_t));
    if (few) {
        memcpy(u->endpoints, few, sizeof(u->few));
    }
}


/*
 * Loopback, "this host" and link-local addresses: what an object must not
 * reach on the machine that the gateway runs on.  Multicast is nobody's.
 */

int
ingress_upstream_local(const uint8_t addr[16])
{
    static const uint8_t  mapped[12] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
    };
    static const uint8_t  zero[16];

    if (memcmp(addr, mapped, 12) == 0) {
        return addr[12] == 0 || addr[12] == 127 || addr[12] >= 224
               || (addr[12] == 169 && addr[13] == 254);
    }

    /* ::, ::1, and IPv4-compatible addresses, which are obsolete */

    if (memcmp(addr, zero, 12) == 0) {
        return 1;
    }

    return addr[0] == 0xff || (addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80);
}


static void
ingress_upstream_sort(ingress_upstream_t *u)
{
    uint32_t  i, n;

    if (u->n < 2) {
        return;
    }

    qsort(u->endpoints, u->n, sizeof(ingress_table_endpoint_t),
          ingress_upstream_cmp);

    n = 0;

    for (i = 1; i < u->n; i++) {
        if (ingress_upstream_cmp(&u->endpoints[n], &u->endpoints[i]) != 0) {
            u->endpoints[++n] = u->endpoints[i];
        }
    }

    u->n = n + 1;
}


static int
ingress_upstream_cmp(const void *one, const void *two)
{
    int                              rc;
    const ingress_table_endpoint_t  *a, *b;

    a = one;
    b = two;

    rc = memcmp(a->addr, b->addr, 16);

    return rc ? rc : (int) a->port - (int) b->port;
}


uint32_t
ingress_upstream_write(ingress_compile_t *c, ingress_upstream_t *u)
{
    ingress_table_backend_t  *backend;

    if (u->round == c->store->round) {
        return u->index;
    }

    u->round = c->store->round;
    u->index = ingress_writer_n(c->w, BACKENDS, ingress_table_backend_t);

    backend = ingress_writer_add(c->w, INGRESS_SECTION_BACKENDS,
                                 sizeof(ingress_table_backend_t));

    backend->id = u->link.hash;
    backend->type = u->type;
    backend->first = ingress_writer_n(c->w, ENDPOINTS,
                                      ingress_table_endpoint_t);
    backend->n = u->n;
    backend->name = ingress_writer_pool(c->w, u->name.data, u->name.len);
    backend->external = ingress_writer_pool(c->w, u->external.data,
                                            u->external.len);

    torii_buf_add(&c->w->sections[INGRESS_SECTION_ENDPOINTS], u->endpoints,
                  u->n * sizeof(ingress_table_endpoint_t));

    return u->index;
}
