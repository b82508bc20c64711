
/*
 * What is known of logins when all paths are: the groups that a provider has to
 * be asked for, and what will not work as its author thinks.
 */

#include <stdlib.h>

#include "ingress_compile.h"


#define INGRESS_LOGIN_PREFIX   "/oauth2"

typedef struct {
    torii_str_t           name;
    ingress_ref_t         ref;
} ingress_group_t;

typedef struct {
    ingress_group_t      *elts;
    uint32_t              n;
    uint32_t              size;
} ingress_groups_t;


static uint32_t *ingress_logins_routes(ingress_compile_t *c);
static void ingress_login_groups(ingress_compile_t *c, uint32_t provider,
    const uint32_t *routes);
static void ingress_groups_add(ingress_compile_t *c,
    ingress_groups_t *groups, ingress_ref_t list);
static int ingress_groups_cmp(const void *one, const void *two);
static void ingress_login_host(ingress_compile_t *c, uint32_t index);
static uint32_t ingress_login_host_route(ingress_compile_t *c,
    const ingress_table_host_t *host);
static void ingress_login_host_tls(ingress_compile_t *c,
    const ingress_table_host_t *host, uint32_t route);
static void ingress_login_host_paths(ingress_compile_t *c,
    const ingress_table_host_t *host, torii_str_t prefix);
static const ingress_table_login_t *ingress_login_of_route(
    ingress_compile_t *c, uint32_t route);
static torii_str_t ingress_login_option(ingress_compile_t *c,
    const ingress_table_login_t *login, const char *name);
static ingress_item_t *ingress_login_route_item(ingress_compile_t *c,
    uint32_t route);


#define ingress_report_str(c, ref)                                            \
    ingress_pool_str(&(c)->w->sections[INGRESS_SECTION_POOL], ref)


void
ingress_compile_logins_end(ingress_compile_t *c)
{
    uint32_t  i, n, *routes;

    n = ingress_writer_n(c->w, PROVIDERS, ingress_table_provider_t);

    if (n == 0) {
        return;
    }

    routes = ingress_logins_routes(c);

    for (i = 0; i < n; i++) {
        ingress_login_groups(c, i, routes);
    }

    free(routes);

    n = ingress_writer_n(c->w, HOSTS, ingress_table_host_t);

    for (i = 0; i < n; i++) {
        ingress_login_host(c, i);
    }
}


/* How many routes each login has. */

static uint32_t *
ingress_logins_routes(ingress_compile_t *c)
{
    uint32_t                i, n, *routes;
    ingress_policy_t       *policies;
    ingress_table_route_t  *route;

    n = ingress_writer_n(c->w, LOGINS, ingress_table_login_t);
    routes = torii_zalloc((n + 1) * sizeof(uint32_t));

    policies = ingress_writer_at(c->w, POLICIES, ingress_policy_t, 0);
    route = ingress_writer_at(c->w, ROUTES, ingress_table_route_t, 0);
    n = ingress_writer_n(c->w, ROUTES, ingress_table_route_t);

    for (i = 0; i < n; i++) {
        routes[policies[route[i].policy].login]++;
    }

    return routes;
}


static void
ingress_login_groups(ingress_compile_t *c, uint32_t provider,
    const uint32_t *routes)
{
    uint32_t                   i, k, n, used;
    ingress_ref_t             *refs, list;
    ingress_groups_t           groups;
    ingress_table_login_t     *login;
    ingress_table_provider_t  *record;

    memset(&groups, 0, sizeof(ingress_groups_t));

    login = ingress_writer_at(c->w, LOGINS, ingress_table_login_t, 0);
    n = ingress_writer_n(c->w, LOGINS, ingress_table_login_t);
    used = 0;

    for (i = 0; i < n; i++) {
        if (login[i].type == INGRESS_LOGIN_NATIVE
            && login[i].provider == provider && routes[i + 1])
        {
            used += routes[i + 1];
            ingress_groups_add(c, &groups, login[i].groups);
            ingress_groups_add(c, &groups, login[i].write_groups);
        }
    }

    refs = torii_malloc(groups.n * sizeof(ingress_ref_t) + 1);
    k = 0;

    if (groups.n) {
        qsort(groups.elts, groups.n, sizeof(ingress_group_t),
              ingress_groups_cmp);
    }

    for (i = 0; i < groups.n; i++) {
        if (i == 0 || !torii_str_eq(groups.elts[i].name,
                                    groups.elts[i - 1].name))
        {
            refs[k++] = groups.elts[i].ref;
        }
    }

    list = ingress_writer_pool(c->w, refs, k * sizeof(ingress_ref_t));

    record = ingress_writer_at(c->w, PROVIDERS, ingress_table_provider_t,
                               provider);
    record->groups = list;
    record->routes = used;

    free(groups.elts);
    free(refs);
}


static void
ingress_groups_add(ingress_compile_t *c, ingress_groups_t *groups,
    ingress_ref_t list)
{
    uint32_t              i, n;
    torii_str_t           refs;
    const ingress_ref_t  *ref;

    refs = ingress_report_str(c, list);
    ref = (const ingress_ref_t *) (const void *) refs.data;
    n = refs.len / sizeof(ingress_ref_t);

    for (i = 0; i < n; i++) {

        if (groups->n == groups->size) {
            groups->size = groups->size ? groups->size * 2 : 16;
            groups->elts = torii_realloc(groups->elts,
                                   groups->size * sizeof(ingress_group_t));
        }

        groups->elts[groups->n].ref = ref[i];
        groups->elts[groups->n].name = ingress_report_str(c, ref[i]);
        groups->n++;
    }
}


static int
ingress_groups_cmp(const void *one, const void *two)
{
    const ingress_group_t  *a, *b;

    a = one;
    b = two;

    return torii_str_cmp(a->name, b->name);
}


static void
ingress_login_host(ingress_compile_t *c, uint32_t index)
{
    uint32_t                route;
    torii_str_t             prefix;
    ingress_table_host_t   *host;

    host = ingress_writer_at(c->w, HOSTS, ingress_table_host_t, index);
    route = ingress_login_host_route(c, host);

    if (route == INGRESS_NONE) {
        return;
    }

    ingress_login_host_tls(c, host, route);

    prefix = ingress_login_option(c, ingress_login_of_route(c, route),
                                  "proxy-prefix");

    if (prefix.len == 0) {
        prefix = torii_str(INGRESS_LOGIN_PREFIX);
    }

    ingress_login_host_paths(c, host, prefix);
}


/* A first route of the host that logs in here, or INGRESS_NONE. */

static uint32_t
ingress_login_host_route(ingress_compile_t *c,
    const ingress_table_host_t *host)
{
    uint32_t               i, n;
    ingress_table_path_t  *path;

    path = ingress_writer_at(c->w, PATHS, ingress_table_path_t, host->exact);
    n = host->nexact;

    for (i = 0; i < n; i++) {
        if (ingress_login_of_route(c, path[i].route)) {
            return path[i].route;
        }
    }

    path = ingress_writer_at(c->w, PATHS, ingress_table_path_t, host->prefix);
    n = host->nprefix;

    for (i = 0; i < n; i++) {
        if (ingress_login_of_route(c, path[i].route)) {
            return path[i].route;
        }
    }

    return INGRESS_NONE;
}


/* A peer in front may have done TLS, where its headers are believed. */

static void
ingress_login_host_tls(ingress_compile_t *c, const ingress_table_host_t *host,
    uint32_t route)
{
    torii_str_t  secure;

    secure = ingress_login_option(c, ingress_login_of_route(c, route),
                                  "cookie-secure");

    if ((host->flags & INGRESS_HOST_TLS)
        || c->config->global.use_forwarded_headers
        || torii_str_eqs(torii_str_trim(secure), "false"))
    {
        return;
    }

    ingress_compile_finding(c, INGRESS_WARNING, "LoginWithoutTLS",
                            ingress_login_route_item(c, route), 0, "spec.tls",
                            ingress_report_str(c, host->name),
                            "the host has no certificate of its own, and over "
                            "http nobody can log in, since a browser keeps the "
                            "cookie for https alone; add an entry to spec.tls");
}


static void
ingress_login_host_paths(ingress_compile_t *c,
    const ingress_table_host_t *host, torii_str_t prefix)
{
    uint32_t                i, n;
    torii_str_t             text;
    ingress_table_path_t   *path;
    ingress_table_route_t  *route;

    n = host->nexact + host->nprefix;

    for (i = 0; i < n; i++) {
        path = ingress_writer_at(c->w, PATHS, ingress_table_path_t,
                                 i < host->nexact
                                 ? host->exact + i
                                 : host->prefix + (i - host->nexact));
        route = ingress_writer_at(c->w, ROUTES, ingress_table_route_t,
                                  path->route);

        /* a prefix is in both lists */

        if (!(host->flags & INGRESS_HOST_REGEX)
            && (i < host->nexact) != (route->type == INGRESS_PATH_EXACT))
        {
            continue;
        }

        text = ingress_report_str(c, route->path);

        if (text.len < prefix.len
            || memcmp(text.data, prefix.data, prefix.len) != 0
            || (text.len > prefix.len && text.data[prefix.len] != '/'))
        {
            continue;
        }

        ingress_compile_finding(c, INGRESS_INFO, "LoginPathUnused",
                                ingress_login_route_item(c, path->route),
                                route->line, "spec.rules.http.paths.path", text,
                                "the gateway itself answers below %.*s on host "
                                "\"%.*s\", where it does the logins, and the "
                                "path's Service gets no requests",
                                torii_str_arg(prefix),
                                torii_str_arg(ingress_report_str(c,
                                                                 host->name)));
    }
}


/* NULL: the route has none, or another server is asked. */

static const ingress_table_login_t *
ingress_login_of_route(ingress_compile_t *c, uint32_t route)
{
    uint32_t                      policy, login;
    const ingress_table_login_t  *record;

    policy = ingress_writer_at(c->w, ROUTES, ingress_table_route_t,
                               route)->policy;
    login = ingress_writer_at(c->w, POLICIES, ingress_policy_t, policy)->login;

    if (login == 0) {
        return NULL;
    }

    record = ingress_writer_at(c->w, LOGINS, ingress_table_login_t, login - 1);

    return record->type == INGRESS_LOGIN_NATIVE ? record : NULL;
}


/* A setting of a native login's provider; empty: it is not given. */

static torii_str_t
ingress_login_option(ingress_compile_t *c, const ingress_table_login_t *login,
    const char *name)
{
    uint32_t                   i, n;
    torii_str_t                list;
    const ingress_entry_t     *entry;
    ingress_table_provider_t  *provider;

    provider = ingress_writer_at(c->w, PROVIDERS, ingress_table_provider_t,
                                 login->provider);

    list = ingress_report_str(c, provider->settings);
    entry = (const ingress_entry_t *) (const void *) list.data;
    n = list.len / sizeof(ingress_entry_t);

    for (i = 0; i < n; i++) {
        if (ingress_provider_named(ingress_report_str(c, entry[i].name),
                                   name))
        {
            return torii_str_trim(ingress_report_str(c, entry[i].value));
        }
    }

    return (torii_str_t) torii_null_string;
}


static ingress_item_t *
ingress_login_route_item(ingress_compile_t *c, uint32_t route)
{
    uint32_t                  index;
    ingress_table_ingress_t  *ing;

    index = ingress_writer_at(c->w, ROUTES, ingress_table_route_t,
                              route)->ingress;

    if (index == INGRESS_NONE) {
        return NULL;
    }

    ing = ingress_writer_at(c->w, INGRESSES, ingress_table_ingress_t, index);

    return ingress_item_find(c->store, INGRESS_KIND_INGRESS,
                             ingress_report_str(c, ing->namespace),
                             ingress_report_str(c, ing->name));
}
