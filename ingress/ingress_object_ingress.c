
/*
 * Ingress (networking.k8s.io/v1) and IngressClass.  A rule with a wrong host
 * and a path with a wrong path, type or backend are left out alone.
 */

#include "ingress_decode.h"


static void ingress_rules_decode(ingress_decode_t *d,
    const ingress_where_t *spec, const torii_node_t *map);
static int ingress_rule_decode(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_rule_t *rule);
static void ingress_rule_paths(ingress_decode_t *d, const ingress_where_t *http,
    const torii_node_t *list, ingress_rule_t *rule);
static int ingress_path_decode(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_path_t *path);
static int ingress_path_text(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_path_t *path);
static const char *ingress_path_check(const ingress_path_t *path);
static int ingress_path_holds(torii_str_t s, const char *part);
static int ingress_path_type(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_path_type_e *type);
static int ingress_backend_decode(ingress_decode_t *d,
    const ingress_where_t *up, const char *key, const torii_node_t *map,
    ingress_backend_t *backend);
static int ingress_backend_port(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, ingress_port_t *port);
static void ingress_tls_decode(ingress_decode_t *d,
    const ingress_where_t *spec, const torii_node_t *map);
static void ingress_tls_hosts(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_tls_t *tls);


static const char *const  ingress_spec_fields[] = {
    "ingressClassName", "defaultBackend", "rules", "tls", NULL
};

static const char *const  ingress_rule_fields[] = {
    "host", "http", NULL
};

static const char *const  ingress_http_fields[] = {
    "paths", NULL
};

static const char *const  ingress_path_fields[] = {
    "path", "pathType", "backend", NULL
};

static const char *const  ingress_backend_fields[] = {
    "service", "resource", NULL
};

static const char *const  ingress_service_fields[] = {
    "name", "port", NULL
};

static const char *const  ingress_port_fields[] = {
    "number", "name", NULL
};

static const char *const  ingress_tls_fields[] = {
    "hosts", "secretName", NULL
};


void
ingress_object_ingress(ingress_decode_t *d, const torii_node_t *doc)
{
    torii_str_t          name;
    ingress_where_t      at;
    ingress_ingress_t   *ing;
    const torii_node_t  *spec, *node;

    ing = &d->object->u.ingress;
    ing->state = ingress_state_create(doc);

    at.up = NULL;
    at.name = "spec";
    at.index = INGRESS_NOT_LISTED;

    spec = ingress_decode_map(d, NULL, doc, "spec");

    if (spec != NULL) {
        ingress_decode_unknown(d, &at, spec, ingress_spec_fields);

        if (ingress_decode_string(d, &at, spec, "ingressClassName", &name)
            == TORII_OK)
        {
            ing->class_name = name;
            ing->has_class_name = name.len != 0;
        }

        node = ingress_decode_map(d, &at, spec, "defaultBackend");

        if (node != NULL
            && ingress_backend_decode(d, &at, "defaultBackend", node,
                                      &ing->default_backend)
               == TORII_OK)
        {
            ing->has_default_backend = 1;
        }

        ingress_rules_decode(d, &at, spec);
        ingress_tls_decode(d, &at, spec);
    }

    if (ing->nrules == 0 && !ing->has_default_backend) {
        ingress_decode_finding(d, INGRESS_WARNING, "NothingServed", NULL,
                               "spec", spec, "holds neither a usable rule nor "
                               "a defaultBackend; nothing is served");
    }
}


static void
ingress_rules_decode(ingress_decode_t *d, const ingress_where_t *spec,
    const torii_node_t *map)
{
    uint32_t             i;
    ingress_rule_t      *rule;
    ingress_where_t      at;
    ingress_ingress_t   *ing;
    const torii_node_t  *list;

    list = ingress_decode_list(d, spec, map, "rules");
    if (list == NULL || list->n == 0) {
        return;
    }

    ing = &d->object->u.ingress;
    ing->rules = torii_arena_zalloc(d->arena,
                                    list->n * sizeof(ingress_rule_t));

    at.up = spec;
    at.name = "rules";

    for (i = 0; i < list->n; i++) {
        at.index = i;
        rule = &ing->rules[ing->nrules];

        if (ingress_rule_decode(d, &at, list->items[i], rule) == TORII_OK) {
            ing->nrules++;

        } else {
            memset(rule, 0, sizeof(ingress_rule_t));
        }
    }
}


static int
ingress_rule_decode(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_rule_t *rule)
{
    ingress_where_t      where;
    const torii_node_t  *node;

    if (!ingress_decode_is_map(d, at, map)) {
        return TORII_ERROR;
    }

    ingress_decode_unknown(d, at, map, ingress_rule_fields);

    rule->line = map->line;
    node = torii_node_get(map, "host");

    if (node != NULL && node->type != TORII_NODE_NULL
        && !(node->type == TORII_NODE_STRING && node->text.len == 0)
        && ingress_decode_host(d, at, "host", node, INGRESS_HOST_RULE,
                               &rule->host)
           != TORII_OK)
    {
        return TORII_ERROR;
    }

    node = ingress_decode_map(d, at, map, "http");
    if (node == NULL) {
        return TORII_OK;
    }

    where.up = at;
    where.name = "http";
    where.index = INGRESS_NOT_LISTED;

    ingress_decode_unknown(d, &where, node, ingress_http_fields);

    rule->has_http = 1;
    node = ingress_decode_list(d, &where, node, "paths");

    if (node != NULL && node->n) {
        ingress_rule_paths(d, &where, node, rule);
    }

    return TORII_OK;
}


static void
ingress_rule_paths(ingress_decode_t *d, const ingress_where_t *http,
    const torii_node_t *list, ingress_rule_t *rule)
{
    uint32_t          i;
    ingress_path_t   *path;
    ingress_where_t   at;

    rule->paths = torii_arena_zalloc(d->arena,
                                     list->n * sizeof(ingress_path_t));
    at.up = http;
    at.name = "paths";

    for (i = 0; i < list->n; i++) {
        at.index = i;
        path = &rule->paths[rule->n];

        if (ingress_path_decode(d, &at, list->items[i], path) == TORII_OK) {
            rule->n++;

        } else {
            memset(path, 0, sizeof(ingress_path_t));
        }
    }
}


static int
ingress_path_decode(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_path_t *path)
{
    const torii_node_t  *node;

    if (!ingress_decode_is_map(d, at, map)) {
        return TORII_ERROR;
    }

    ingress_decode_unknown(d, at, map, ingress_path_fields);

    path->line = map->line;

    if (ingress_path_type(d, at, map, &path->type) != TORII_OK
        || ingress_path_text(d, at, map, path) != TORII_OK)
    {
        return TORII_ERROR;
    }

    node = ingress_decode_map(d, at, map, "backend");

    if (node == NULL) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadBackend", at, "backend",
                               map, "is missing; the path is left out");
        return TORII_ERROR;
    }

    return ingress_backend_decode(d, at, "backend", node, &path->backend);
}


static int
ingress_path_text(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_path_t *path)
{
    int          rc;
    const char  *why;

    rc = ingress_decode_string(d, at, map, "path", &path->path);

    if (rc == TORII_ERROR) {
        return TORII_ERROR;
    }

    if (path->path.len == 0) {
        path->path = torii_str("/");
    }

    why = ingress_path_check(path);
    if (why == NULL) {
        return TORII_OK;
    }

    ingress_decode_finding(d, INGRESS_ERROR, "BadPath", at, "path",
                           torii_node_get(map, "path"),
                           "%s; the path is left out", why);

    return TORII_ERROR;
}


/* An exact path or a prefix that no normalised URI has would never match. */

static const char *
ingress_path_check(const ingress_path_t *path)
{
    torii_str_t  s;

    s = path->path;

    if (s.data[0] != '/') {
        return "must begin with \"/\", a regular expression too";
    }

    if (s.len > INGRESS_PATH_MAX) {
        return "is longer than 4096 bytes";
    }

    if (path->type == INGRESS_PATH_IMPLEMENTATION) {
        return NULL;
    }

    if (ingress_path_holds(s, "//") || ingress_path_holds(s, "/./")
        || ingress_path_holds(s, "/../"))
    {
        return "must not hold \"//\", \"/./\" or \"/../\", which are resolved "
               "before paths are compared";
    }

    if (ingress_path_holds(s, "%2f") || ingress_path_holds(s, "%2F")) {
        return "must not hold \"%2F\", which is decoded before paths are "
               "compared";
    }

    if ((s.len >= 3 && memcmp(s.data + s.len - 3, "/..", 3) == 0)
        || (s.len >= 2 && memcmp(s.data + s.len - 2, "/.", 2) == 0))
    {
        return "must not end in \"/.\" or \"/..\"";
    }

    return NULL;
}


static int
ingress_path_holds(torii_str_t s, const char *part)
{
    size_t  i, len;

    len = strlen(part);

    for (i = 0; i + len <= s.len; i++) {
        if (s.data[i] == (unsigned char) part[0]
            && memcmp(s.data + i, part, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static int
ingress_path_type(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_path_type_e *type)
{
    int          rc;
    torii_str_t  s;

    rc = ingress_decode_string(d, at, map, "pathType", &s);

    if (rc == TORII_ERROR) {
        return TORII_ERROR;
    }

    if (rc == TORII_DECLINED
        || torii_str_eqs(s, "ImplementationSpecific"))
    {
        *type = INGRESS_PATH_IMPLEMENTATION;
        return TORII_OK;
    }

    if (torii_str_eqs(s, "Prefix")) {
        *type = INGRESS_PATH_PREFIX;
        return TORII_OK;
    }

    if (torii_str_eqs(s, "Exact")) {
        *type = INGRESS_PATH_EXACT;
        return TORII_OK;
    }

    ingress_decode_finding(d, INGRESS_ERROR, "BadPathType", at, "pathType",
                           torii_node_get(map, "pathType"),
                           "must be Prefix, Exact or ImplementationSpecific; "
                           "the path is left out");

    return TORII_ERROR;
}


/*
 * The fields of the old API versions are common enough in old manifests to be
 * named.
 */

static int
ingress_backend_decode(ingress_decode_t *d, const ingress_where_t *up,
    const char *key, const torii_node_t *map, ingress_backend_t *backend)
{
    ingress_where_t      at, service;
    const torii_node_t  *node, *resource;

    at.up = up;
    at.name = key;
    at.index = INGRESS_NOT_LISTED;

    if (torii_node_get(map, "serviceName") != NULL) {
        ingress_decode_finding(d, INGRESS_ERROR, "DeprecatedAPI", &at,
                               "serviceName",
                               torii_node_get(map, "serviceName"),
                               "belongs to an API version that is gone; write "
                               "service.name and service.port.number");
        return TORII_ERROR;
    }

    ingress_decode_unknown(d, &at, map, ingress_backend_fields);

    resource = ingress_decode_map(d, &at, map, "resource");
    node = ingress_decode_map(d, &at, map, "service");

    if (node == NULL && resource != NULL) {
        ingress_decode_finding(d, INGRESS_WARNING, "ResourceBackend", &at,
                               "resource", resource,
                               "is not served; name a service");
        backend->resource = 1;
        return TORII_OK;
    }

    if (node == NULL || resource != NULL) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadBackend", &at, "service",
                               map, "%s", node == NULL
                               ? "is missing; it is left out"
                               : "and resource exclude each other");
        return TORII_ERROR;
    }

    service.up = &at;
    service.name = "service";
    service.index = INGRESS_NOT_LISTED;

    ingress_decode_unknown(d, &service, node, ingress_service_fields);

    switch (ingress_decode_name(d, &service, node, "name", INGRESS_LABEL_MAX,
                                &backend->service))
    {

    case TORII_OK:
        return ingress_backend_port(d, &service, node, &backend->port);

    case TORII_DECLINED:
        ingress_decode_finding(d, INGRESS_ERROR, "BadBackend", &service,
                               "name", node, "is missing");
        return TORII_ERROR;

    default:
        return TORII_ERROR;
    }
}


static int
ingress_backend_port(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, ingress_port_t *port)
{
    int                  number, name;
    const char          *why;
    ingress_where_t      at;
    const torii_node_t  *node;

    node = ingress_decode_map(d, up, map, "port");

    if (node == NULL) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadPort", up, "port", map,
                               "is missing; write port.number or port.name");
        return TORII_ERROR;
    }

    at.up = up;
    at.name = "port";
    at.index = INGRESS_NOT_LISTED;

    ingress_decode_unknown(d, &at, node, ingress_port_fields);

    number = ingress_decode_port(d, &at, node, "number", &port->number);
    name = ingress_decode_string(d, &at, node, "name", &port->name);

    if (number == TORII_ERROR || name == TORII_ERROR) {
        return TORII_ERROR;
    }

    if (number == TORII_OK && name == TORII_OK && port->name.len) {
        why = "number and name exclude each other";

    } else if (number == TORII_OK) {
        return TORII_OK;

    } else if (name == TORII_DECLINED) {
        why = "number or name is missing";

    } else {
        why = ingress_port_name_check(port->name);
    }

    if (why == NULL) {
        return TORII_OK;
    }

    ingress_decode_finding(d, INGRESS_ERROR, "BadPort", up, "port",
                           torii_node_get(node, "name"),
                           "names no port: %s", why);

    return TORII_ERROR;
}


static void
ingress_tls_decode(ingress_decode_t *d, const ingress_where_t *spec,
    const torii_node_t *map)
{
    uint32_t             i;
    ingress_tls_t       *tls;
    ingress_where_t      at;
    ingress_ingress_t   *ing;
    const torii_node_t  *list, *node;

    list = ingress_decode_list(d, spec, map, "tls");
    if (list == NULL || list->n == 0) {
        return;
    }

    ing = &d->object->u.ingress;
    ing->tls = torii_arena_zalloc(d->arena, list->n * sizeof(ingress_tls_t));

    at.up = spec;
    at.name = "tls";

    for (i = 0; i < list->n; i++) {
        at.index = i;
        node = list->items[i];

        if (!ingress_decode_is_map(d, &at, node)) {
            continue;
        }

        ingress_decode_unknown(d, &at, node, ingress_tls_fields);

        tls = &ing->tls[ing->ntls++];
        tls->line = node->line;

        ingress_tls_hosts(d, &at, node, tls);

        (void) ingress_decode_name(d, &at, node, "secretName",
                                   INGRESS_NAME_MAX, &tls->secret);
    }
}


static void
ingress_tls_hosts(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_tls_t *tls)
{
    uint32_t             i;
    ingress_where_t      where;
    const torii_node_t  *list;

    list = ingress_decode_list(d, at, map, "hosts");
    if (list == NULL || list->n == 0) {
        return;
    }

    tls->hosts = torii_arena_zalloc(d->arena, list->n * sizeof(torii_str_t));

    where.up = at;
    where.name = "hosts";

    for (i = 0; i < list->n; i++) {
        where.index = i;

        if (ingress_decode_host(d, &where, NULL, list->items[i],
                                INGRESS_HOST_RULE, &tls->hosts[tls->n])
            == TORII_OK)
        {
            tls->n++;
        }
    }
}


void
ingress_object_class(ingress_decode_t *d, const torii_node_t *doc)
{
    ingress_where_t      at;
    const torii_node_t  *spec;

    at.up = NULL;
    at.name = "spec";
    at.index = INGRESS_NOT_LISTED;

    spec = ingress_decode_map(d, NULL, doc, "spec");

    if (ingress_decode_string(d, &at, spec, "controller",
                              &d->object->u.class.controller)
        == TORII_DECLINED)
    {
        ingress_decode_finding(d, INGRESS_WARNING, "NoController", &at,
                               "controller", spec,
                               "is missing; the class belongs to nobody");
    }
}
