
/*
 * Service (v1), EndpointSlice (discovery.k8s.io/v1) and, for people who write
 * manifests by hand, Endpoints (v1).
 */

#include "ingress_decode.h"


static void ingress_service_type(ingress_decode_t *d,
    const ingress_where_t *spec, const torii_node_t *map);
static void ingress_service_ports(ingress_decode_t *d,
    const ingress_where_t *spec, const torii_node_t *map);
static void ingress_service_external(ingress_decode_t *d,
    const ingress_where_t *spec, const torii_node_t *map);
static int ingress_service_port(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_service_port_t *port);
static void ingress_slice_endpoints(ingress_decode_t *d,
    const torii_node_t *list, unsigned names, ingress_subset_t *subset);
static void ingress_slice_ports(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *list, ingress_subset_t *subset);
static void ingress_subset_addresses(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *map,
    ingress_subset_t *subset);
static uint32_t ingress_subset_list(ingress_decode_t *d,
    const ingress_where_t *up, const torii_node_t *list, unsigned ready,
    ingress_endpoint_t *endpoint);
static int ingress_endpoint_address(ingress_decode_t *d,
    const ingress_where_t *up, const char *key, const torii_node_t *node,
    unsigned names, torii_str_t *address);


void
ingress_object_service(ingress_decode_t *d, const torii_node_t *doc)
{
    ingress_where_t      at;
    ingress_service_t   *service;
    const torii_node_t  *spec, *node;

    service = &d->object->u.service;

    at.up = NULL;
    at.name = "spec";
    at.index = INGRESS_NOT_LISTED;

    spec = ingress_decode_map(d, NULL, doc, "spec");

    ingress_service_type(d, &at, spec);
    ingress_service_ports(d, &at, spec);
    ingress_service_external(d, &at, spec);
    ingress_service_balancer(d, doc);

    if (service->type != INGRESS_SERVICE_EXTERNALNAME) {
        return;
    }

    node = torii_node_get(spec, "externalName");

    if (node == NULL) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadHost", &at,
                               "externalName", spec, "is missing");
        return;
    }

    if (ingress_decode_host(d, &at, "externalName", node, INGRESS_HOST_TARGET,
                            &service->external_name)
        != TORII_OK)
    {
        service->external_name.len = 0;
    }
}


static void
ingress_service_type(ingress_decode_t *d, const ingress_where_t *spec,
    const torii_node_t *map)
{
    torii_str_t         type, ip;
    ingress_service_t  *service;

    service = &d->object->u.service;

    if (ingress_decode_string(d, spec, map, "type", &type) == TORII_OK) {

        if (torii_str_eqs(type, "ExternalName")) {
            service->type = INGRESS_SERVICE_EXTERNALNAME;
            return;
        }

        service->node_port = torii_str_eqs(type, "NodePort");
        service->load_balancer = torii_str_eqs(type, "LoadBalancer");

        if (type.len && !torii_str_eqs(type, "ClusterIP")
            && !service->node_port && !service->load_balancer)
        {
            ingress_decode_finding(d, INGRESS_ERROR, "BadServiceType", spec,
                                   "type", torii_node_get(map, "type"),
                                   "must be ClusterIP, NodePort, LoadBalancer "
                                   "or ExternalName; taken as ClusterIP");
        }
    }

    if (ingress_decode_string(d, spec, map, "clusterIP", &ip) != TORII_OK
        || ip.len == 0)
    {
        return;
    }

    if (torii_str_eqs(ip, "None")) {
        service->type = INGRESS_SERVICE_HEADLESS;
        return;
    }

    if (!ingress_is_address(ip)) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadAddress", spec,
                               "clusterIP", torii_node_get(map, "clusterIP"),
                               "is no IP address; it is left out");
        return;
    }

    service->cluster_ip = ip;
}


static void
ingress_service_ports(ingress_decode_t *d, const ingress_where_t *spec,
    const torii_node_t *map)
{
    uint32_t                 i;
    ingress_where_t          at;
    ingress_service_t       *service;
    const torii_node_t      *list;
    ingress_service_port_t  *port;

    list = ingress_decode_list(d, spec, map, "ports");
    if (list == NULL || list->n == 0) {
        return;
    }

    service = &d->object->u.service;
    service->ports = torii_arena_zalloc(d->arena,
                                    list->n * sizeof(ingress_service_port_t));
    at.up = spec;
    at.name = "ports";

    for (i = 0; i < list->n; i++) {
        at.index = i;
        port = &service->ports[service->n];

        if (ingress_service_port(d, &at, list->items[i], port) == TORII_OK) {
            service->n++;

        } else {
            memset(port, 0, sizeof(ingress_service_port_t));
        }
    }
}


static void
ingress_service_external(ingress_decode_t *d, const ingress_where_t *spec,
    const torii_node_t *map)
{
    uint32_t             i;
    ingress_where_t      at;
    ingress_service_t   *service;
    const torii_node_t  *list;

    list = ingress_decode_list(d, spec, map, "externalIPs");
    if (list == NULL || list->n == 0) {
        return;
    }

    service = &d->object->u.service;
    service->external_ips = torii_arena_alloc(d->arena,
                                              list->n * sizeof(torii_str_t));
    at.up = spec;
    at.name = "externalIPs";

    for (i = 0; i < list->n; i++) {
        at.index = i;

        if (ingress_endpoint_address(d, &at, NULL, list->items[i], 0,
                                &service->external_ips[service->nexternal_ips])
            == TORII_OK)
        {
            service->nexternal_ips++;
        }
    }
}


static int
ingress_service_port(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_service_port_t *port)
{
    if (!ingress_decode_is_map(d, at, map)) {
        return TORII_ERROR;
    }

    port->tcp = ingress_decode_tcp(d, at, map);

    switch (ingress_decode_port(d, at, map, "port", &port->port)) {

    case TORII_OK:
        break;

    case TORII_DECLINED:
        ingress_decode_finding(d, INGRESS_ERROR, "BadPort", at, "port", map,
                               "is missing; this port is left out");
        return TORII_ERROR;

    default:
        return TORII_ERROR;
    }

    if (ingress_decode_string(d, at, map, "name", &port->name) == TORII_ERROR
        || ingress_decode_port_or_name(d, at, map, "targetPort", &port->target)
           == TORII_ERROR)
    {
        return TORII_ERROR;
    }

    return TORII_OK;
}


void
ingress_object_slice(ingress_decode_t *d, const torii_node_t *doc)
{
    unsigned               names;
    torii_str_t            type;
    ingress_slice_t       *slice;
    const torii_node_t    *list;
    const ingress_pair_t  *label;

    slice = &d->object->u.slice;
    label = ingress_pair_find(&d->object->labels, "kubernetes.io/service-name");

    if (label == NULL || label->value.len == 0) {
        ingress_decode_finding(d, INGRESS_INFO, "NoService", NULL,
                               "metadata.labels", NULL,
                               "the label kubernetes.io/service-name is "
                               "missing, so no Service uses these endpoints");

    } else {
        slice->service = label->value;
    }

    slice->subsets = torii_arena_zalloc(d->arena, sizeof(ingress_subset_t));
    slice->n = 1;

    slice->subsets->service = slice->service;

    names = ingress_decode_string(d, NULL, doc, "addressType", &type)
            == TORII_OK
            && torii_str_eqs(type, "FQDN");

    list = ingress_decode_list(d, NULL, doc, "endpoints");
    if (list != NULL) {
        ingress_slice_endpoints(d, list, names, slice->subsets);
    }

    list = ingress_decode_list(d, NULL, doc, "ports");
    if (list != NULL) {
        ingress_slice_ports(d, NULL, list, slice->subsets);
    }
}


/* Each address is an endpoint of its own. */

static void
ingress_slice_endpoints(ingress_decode_t *d, const torii_node_t *list,
    unsigned names, ingress_subset_t *subset)
{
    uint32_t             i, k, n;
    ingress_where_t      at, condition, address;
    ingress_endpoint_t  *ep, state;
    const torii_node_t  *node, *addresses;

    n = 0;

    for (i = 0; i < list->n; i++) {
        node = torii_node_get(list->items[i], "addresses");
        n += node != NULL ? node->n : 0;
    }

    subset->endpoints = torii_arena_zalloc(d->arena,
                                           n * sizeof(ingress_endpoint_t));
    at.up = NULL;
    at.name = "endpoints";

    condition.up = &at;
    condition.name = "conditions";
    condition.index = INGRESS_NOT_LISTED;

    address.up = &at;
    address.name = "addresses";

    memset(&state, 0, sizeof(ingress_endpoint_t));

    for (i = 0; i < list->n; i++) {
        at.index = i;

        if (!ingress_decode_is_map(d, &at, list->items[i])) {
            continue;
        }

        addresses = ingress_decode_list(d, &at, list->items[i], "addresses");
        if (addresses == NULL) {
            continue;
        }

        node = ingress_decode_map(d, &at, list->items[i], "conditions");

        state.ready = ingress_decode_bool(d, &condition, node, "ready", 1);
        state.serving = ingress_decode_bool(d, &condition, node, "serving",
                                            state.ready);
        state.terminating = ingress_decode_bool(d, &condition, node,
                                                "terminating", 0);

        for (k = 0; k < addresses->n; k++) {
            address.index = k;

            ep = &subset->endpoints[subset->n];
            *ep = state;

            if (ingress_endpoint_address(d, &address, NULL,
                                         addresses->items[k], names,
                                         &ep->address)
                == TORII_OK)
            {
                subset->n++;
            }
        }
    }
}


/* A port of null stands for every port, and says nothing about one. */

static void
ingress_slice_ports(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *list, ingress_subset_t *subset)
{
    uint32_t                  i;
    ingress_where_t           at;
    const torii_node_t       *map;
    ingress_endpoint_port_t  *port;

    subset->ports = torii_arena_zalloc(d->arena,
                                   list->n * sizeof(ingress_endpoint_port_t));
    at.up = up;
    at.name = "ports";

    for (i = 0; i < list->n; i++) {
        at.index = i;
        map = list->items[i];

        if (!ingress_decode_is_map(d, &at, map)) {
            continue;
        }

        port = &subset->ports[subset->nports];
        memset(port, 0, sizeof(ingress_endpoint_port_t));

        if (ingress_decode_string(d, &at, map, "name", &port->name)
            == TORII_ERROR)
        {
            continue;
        }

        port->tcp = ingress_decode_tcp(d, &at, map);

        if (ingress_decode_port(d, &at, map, "port", &port->port)
            == TORII_OK)
        {
            subset->nports++;
        }
    }
}


void
ingress_object_endpoints(ingress_decode_t *d, const torii_node_t *doc)
{
    uint32_t             i;
    ingress_slice_t     *slice;
    ingress_where_t      at;
    ingress_subset_t    *subset;
    const torii_node_t  *list, *map, *ports;

    slice = &d->object->u.slice;
    slice->service = d->object->name;

    list = ingress_decode_list(d, NULL, doc, "subsets");
    if (list == NULL || list->n == 0) {
        return;
    }

    slice->subsets = torii_arena_zalloc(d->arena,
                                        list->n * sizeof(ingress_subset_t));
    at.up = NULL;
    at.name = "subsets";

    for (i = 0; i < list->n; i++) {
        at.index = i;
        map = list->items[i];

        if (!ingress_decode_is_map(d, &at, map)) {
            continue;
        }

        subset = &slice->subsets[slice->n++];
        subset->service = slice->service;

        ingress_subset_addresses(d, &at, map, subset);

        ports = ingress_decode_list(d, &at, map, "ports");
        if (ports != NULL) {
            ingress_slice_ports(d, &at, ports, subset);
        }
    }
}


static void
ingress_subset_addresses(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_subset_t *subset)
{
    uint32_t             n;
    ingress_where_t      where;
    const torii_node_t  *ready, *other;

    ready = ingress_decode_list(d, at, map, "addresses");
    other = ingress_decode_list(d, at, map, "notReadyAddresses");

    n = (ready != NULL ? ready->n : 0) + (other != NULL ? other->n : 0);

    subset->endpoints = torii_arena_zalloc(d->arena,
                                           n * sizeof(ingress_endpoint_t));
    where.up = at;

    if (ready != NULL) {
        where.name = "addresses";
        subset->n += ingress_subset_list(d, &where, ready, 1,
                                         subset->endpoints);
    }

    if (other != NULL) {
        where.name = "notReadyAddresses";
        subset->n += ingress_subset_list(d, &where, other, 0,
                                         subset->endpoints + subset->n);
    }
}


static uint32_t
ingress_subset_list(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *list, unsigned ready, ingress_endpoint_t *endpoint)
{
    uint32_t             i, n;
    ingress_where_t      at;
    const torii_node_t  *ip;

    n = 0;
    at = *up;

    for (i = 0; i < list->n; i++) {
        at.index = i;

        if (!ingress_decode_is_map(d, &at, list->items[i])) {
            continue;
        }

        ip = torii_node_get(list->items[i], "ip");

        if (ip == NULL) {
            ingress_decode_finding(d, INGRESS_ERROR, "BadAddress", &at, "ip",
                                   list->items[i], "is missing");
            continue;
        }

        if (ingress_endpoint_address(d, &at, "ip", ip, 0,
                                     &endpoint[n].address)
            == TORII_OK)
        {
            endpoint[n].ready = ready;
            endpoint[n].serving = ready;
            n++;
        }
    }

    return n;
}


static int
ingress_endpoint_address(ingress_decode_t *d, const ingress_where_t *up,
    const char *key, const torii_node_t *node, unsigned names,
    torii_str_t *address)
{
    int  rc;

    rc = ingress_decode_host(d, up, key, node, INGRESS_HOST_TARGET, address);

    if (rc == TORII_OK && !names && !ingress_is_address(*address)) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadAddress", up, key, node,
                               "is no IP address; it is left out");
        return TORII_ERROR;
    }

    return rc;
}
