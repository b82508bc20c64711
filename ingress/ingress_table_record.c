
/*
 * The records of a routing table: whatever one refers to is there.
 */

#include "ingress_table_ref.h"


#define INGRESS_HOST_FLAGS   (INGRESS_HOST_TLS | INGRESS_HOST_REGEX)
#define INGRESS_ROUTE_FLAGS  (INGRESS_ROUTE_AUTO | INGRESS_ROUTE_CATCHALL)
#define INGRESS_TLS_VERSIONS (INGRESS_TLSV1_2 | INGRESS_TLSV1_3)


/* Returns NULL, or what is wrong in words that follow "damaged: ". */

typedef const char *(*ingress_table_check_pt)(const ingress_table_t *t);


static const char *ingress_table_check_globals(const ingress_table_t *t);
static const char *ingress_table_check_classes(const ingress_table_t *t);
static const char *ingress_table_check_buckets(const ingress_table_t *t);
static const char *ingress_table_check_names(const ingress_table_t *t);
static const char *ingress_table_check_paths(const ingress_table_t *t);
static const char *ingress_table_check_hosts(const ingress_table_t *t);
static const char *ingress_table_check_host(const ingress_table_t *t,
    const ingress_table_host_t *host);
static const char *ingress_table_check_prefixes(const ingress_table_t *t,
    const ingress_table_host_t *host);
static const char *ingress_table_check_routes(const ingress_table_t *t);
static const char *ingress_table_check_policies(const ingress_table_t *t);
static const char *ingress_table_check_policy(const ingress_table_t *t,
    const ingress_policy_t *p);
static const char *ingress_table_check_lists(const ingress_table_t *t,
    const ingress_policy_t *p, const ingress_policy_t *before);
static const char *ingress_table_check_ingresses(const ingress_table_t *t);
static const char *ingress_table_check_backends(const ingress_table_t *t);
static const char *ingress_table_check_certs(const ingress_table_t *t);
static const char *ingress_table_check_challenges(const ingress_table_t *t);
static const char *ingress_table_check_challenge(const ingress_table_t *t,
    const ingress_table_challenge_t *list, uint32_t n, unsigned key);


/* Hosts look at the texts of their paths, which must be known to be sound. */

static const ingress_table_check_pt  ingress_table_checks[] = {
    ingress_table_check_globals,
    ingress_table_check_classes,
    ingress_table_check_buckets,
    ingress_table_check_names,
    ingress_table_check_paths,
    ingress_table_check_hosts,
    ingress_table_check_routes,
    ingress_table_check_policies,
    ingress_table_check_logins,
    ingress_table_check_ingresses,
    ingress_table_check_backends,
    ingress_table_check_certs,
    ingress_table_check_challenges,
    NULL
};


const char *
ingress_table_check_records(const ingress_table_t *t)
{
    const char                    *what;
    const ingress_table_check_pt  *check;

    for (check = ingress_table_checks; *check; check++) {
        what = (*check)(t);

        if (what) {
            return what;
        }
    }

    return NULL;
}


static inline int
ingress_table_range(uint32_t first, uint32_t n, uint32_t max)
{
    return first <= max && n <= max - first;
}


static inline int
ingress_table_index(uint32_t index, uint32_t n)
{
    return index < n || index == INGRESS_NONE;
}


static int
ingress_table_refs(const ingress_table_t *t, const void *record,
    const uint16_t *offsets, uint32_t n)
{
    uint32_t       i;
    ingress_ref_t  ref;

    for (i = 0; i < n; i++) {
        memcpy(&ref, (const char *) record + offsets[i], sizeof(ref));

        if (!ingress_table_ref(t, ref)) {
            return 0;
        }
    }

    return 1;
}


static int
ingress_table_networks(const ingress_table_t *t, ingress_ref_t ref)
{
    uint32_t                  i, n;
    const ingress_network_t  *net;

    if (!ingress_table_array(t, ref, sizeof(ingress_network_t))) {
        return 0;
    }

    net = (const ingress_network_t *) ingress_table_str(t, ref).data;
    n = ref.len / sizeof(ingress_network_t);

    for (i = 0; i < n; i++) {
        if (net[i].bits > 128) {
            return 0;
        }
    }

    return 1;
}


int
ingress_table_entries(const ingress_table_t *t, ingress_ref_t ref)
{
    uint32_t                i, n;
    const ingress_entry_t  *entry;

    if (!ingress_table_array(t, ref, sizeof(ingress_entry_t))) {
        return 0;
    }

    entry = (const ingress_entry_t *) (t->pool + ref.off);
    n = ref.len / sizeof(ingress_entry_t);

    for (i = 0; i < n; i++) {
        if (!ingress_table_ref(t, entry[i].name)
            || !ingress_table_ref(t, entry[i].value))
        {
            return 0;
        }
    }

    return 1;
}


static const char *
ingress_table_check_globals(const ingress_table_t *t)
{
    const ingress_table_header_t  *h;

    h = t->header;

    if (h->default_host >= ingress_table_n(t, HOSTS)
        || !ingress_table_index(h->default_backend,
                                ingress_table_n(t, BACKENDS))
        || !ingress_table_index(h->default_cert, ingress_table_n(t, CERTS)))
    {
        return "a default is out of bounds";
    }

    if (!ingress_table_ref(t, h->findings)
        || !ingress_table_refs(t, &h->global, ingress_global_refs,
                               ingress_global_nrefs)
        || !ingress_table_networks(t, h->global.real_ip_networks))
    {
        return "a global setting is out of bounds";
    }

    if (h->global.redirect_code < 300 || h->global.redirect_code > 399) {
        return "the redirect code is none";
    }

    return NULL;
}


static const char *
ingress_table_check_classes(const ingress_table_t *t)
{
    uint32_t                       i, n;
    const ingress_table_class_t   *class;
    const ingress_table_header_t  *h;

    h = t->header;

    if (!ingress_table_ref(t, h->watch_namespace)
        || !ingress_table_array(t, h->classes, sizeof(ingress_table_class_t)))
    {
        return "the classes are out of bounds";
    }

    if (h->flags & ~INGRESS_TABLE_FLAGS) {
        return "the gateway has an unknown setting";
    }

    class = (const ingress_table_class_t *)
                ingress_table_str(t, h->classes).data;
    n = h->classes.len / sizeof(ingress_table_class_t);

    for (i = 0; i < n; i++) {
        if (!ingress_table_ref(t, class[i].name)
            || (class[i].flags & ~INGRESS_TABLE_CLASS_FLAGS))
        {
            return "a class is out of bounds";
        }
    }

    return NULL;
}


/* At least one bucket is empty, or the search for an unknown name never ends */

static const char *
ingress_table_check_buckets(const ingress_table_t *t)
{
    uint32_t  i, n, used, names;

    n = ingress_table_n(t, BUCKETS);
    names = ingress_table_n(t, NAMES);

    if (n == 0 || (n & (n - 1))) {
        return "the number of buckets is no power of two";
    }

    used = 0;

    for (i = 0; i < n; i++) {
        if (t->buckets[i] > names) {
            return "a bucket is out of bounds";
        }

        used += (t->buckets[i] != 0);
    }

    if (used == n) {
        return "no bucket is free";
    }

    return NULL;
}


static const char *
ingress_table_check_names(const ingress_table_t *t)
{
    uint32_t                      i, n, hosts;
    const ingress_table_name_t   *name;
    const ingress_table_alias_t  *alias;

    hosts = ingress_table_n(t, HOSTS);

    name = t->names;
    n = ingress_table_n(t, NAMES);

    for (i = 0; i < n; i++) {
        if (!ingress_table_ref(t, name[i].name) || name[i].host >= hosts) {
            return "a name is out of bounds";
        }
    }

    alias = t->aliases;
    n = ingress_table_n(t, ALIASES);

    for (i = 0; i < n; i++) {
        if (!ingress_table_ref(t, alias[i].pattern) || alias[i].host >= hosts) {
            return "an alias is out of bounds";
        }
    }

    return NULL;
}


static const char *
ingress_table_check_paths(const ingress_table_t *t)
{
    uint32_t                     i, n, routes;
    const ingress_table_path_t  *path;

    path = t->paths;
    n = ingress_table_n(t, PATHS);
    routes = ingress_table_n(t, ROUTES);

    for (i = 0; i < n; i++) {
        if (!ingress_table_ref(t, path[i].text) || path[i].route >= routes) {
            return "a path is out of bounds";
        }
    }

    return NULL;
}


/* No path counts twice, so that the time taken is bounded by the file's size */

static const char *
ingress_table_check_hosts(const ingress_table_t *t)
{
    uint32_t                     i, n, paths;
    uint64_t                     total;
    const char                  *what;
    const ingress_table_host_t  *host;

    n = ingress_table_n(t, HOSTS);
    paths = ingress_table_n(t, PATHS);
    total = 0;

    for (i = 0; i < n; i++) {
        host = &t->hosts[i];

        total += (uint64_t) host->nexact + host->nprefix;

        if (total > paths
            || !ingress_table_range(host->exact, host->nexact, paths)
            || !ingress_table_range(host->prefix, host->nprefix, paths))
        {
            return "a host's paths are out of bounds";
        }

        what = ingress_table_check_host(t, host);
        if (what) {
            return what;
        }
    }

    return NULL;
}


static const char *
ingress_table_check_host(const ingress_table_t *t,
    const ingress_table_host_t *host)
{
    uint32_t                     i, certs;
    const ingress_table_path_t  *path;

    certs = ingress_table_n(t, CERTS);

    if (!ingress_table_ref(t, host->name)
        || !ingress_table_ref(t, host->ssl_ciphers)
        || !ingress_table_ref(t, host->app_root)
        || !ingress_table_ref(t, host->www_target)
        || !ingress_table_index(host->cert, certs)
        || !ingress_table_index(host->cert2, certs))
    {
        return "a host is out of bounds";
    }

    if ((host->flags & ~INGRESS_HOST_FLAGS)
        || host->ssl_prefer_server_ciphers > 2)
    {
        return "a host has an unknown setting";
    }

    if (host->flags & INGRESS_HOST_REGEX) {
        return host->nexact ? "a host with regexes has exact paths" : NULL;
    }

    path = t->paths + host->exact;

    for (i = 1; i < host->nexact; i++) {
        if (torii_str_cmp(ingress_table_str(t, path[i - 1].text),
                          ingress_table_str(t, path[i].text)) >= 0)
        {
            return "exact paths are not sorted";
        }
    }

    return ingress_table_check_prefixes(t, host);
}


static const char *
ingress_table_check_prefixes(const ingress_table_t *t,
    const ingress_table_host_t *host)
{
    uint32_t                     i, first, parent;
    torii_str_t                  text, before, shorter;
    const ingress_table_path_t  *path;

    first = host->prefix;
    before.len = 0;
    before.data = NULL;

    for (i = first; i < first + host->nprefix; i++) {
        path = &t->paths[i];
        parent = path->parent;
        text = ingress_table_str(t, path->text);

        if (text.len == 0 || text.data[text.len - 1] != '/') {
            return "a prefix does not end in a slash";
        }

        if (torii_str_cmp(before, text) >= 0) {
            return "prefixes are not sorted";
        }

        before = text;

        if (parent == INGRESS_NONE) {
            continue;
        }

        if (parent < first || parent >= i) {
            return "a prefix's parent is out of bounds";
        }

        shorter = ingress_table_str(t, t->paths[parent].text);

        if (shorter.len >= text.len
            || memcmp(shorter.data, text.data, shorter.len) != 0)
        {
            return "a prefix's parent is no prefix of it";
        }
    }

    return NULL;
}


static const char *
ingress_table_check_routes(const ingress_table_t *t)
{
    uint32_t                      i, n, policies, backends, ingresses;
    const ingress_table_route_t  *route;

    n = ingress_table_n(t, ROUTES);
    policies = ingress_table_n(t, POLICIES);
    backends = ingress_table_n(t, BACKENDS);
    ingresses = ingress_table_n(t, INGRESSES);

    for (i = 0; i < n; i++) {
        route = &t->routes[i];

        if (route->policy >= policies
            || !ingress_table_index(route->backend, backends)
            || !ingress_table_index(route->ingress, ingresses)
            || !ingress_table_ref(t, route->path)
            || !ingress_table_ref(t, route->service)
            || !ingress_table_ref(t, route->port)
            || !ingress_table_ref(t, route->host))
        {
            return "a route is out of bounds";
        }

        if ((route->flags & ~INGRESS_ROUTE_FLAGS)
            || route->type > INGRESS_PATH_PREFIX)
        {
            return "a route has an unknown setting";
        }
    }

    return NULL;
}


static const char *
ingress_table_check_policies(const ingress_table_t *t)
{
    uint32_t                 i, n;
    const char              *what;
    const ingress_policy_t  *p;

    p = t->policies;
    n = ingress_table_n(t, POLICIES);

    if (n == 0) {
        return "there is no policy";
    }

    for (i = 0; i < n; i++) {
        what = ingress_table_check_policy(t, &p[i]);
        if (what) {
            return what;
        }

        what = ingress_table_check_lists(t, &p[i], i ? &p[i - 1] : NULL);
        if (what) {
            return what;
        }
    }

    return NULL;
}


static const char *
ingress_table_check_policy(const ingress_table_t *t, const ingress_policy_t *p)
{
    if (!ingress_table_refs(t, p, ingress_policy_refs, ingress_policy_nrefs)
        || p->tls > ingress_table_n(t, TLS)
        || p->login > ingress_table_n(t, LOGINS)
        || p->users > ingress_table_n(t, USERS))
    {
        return "a policy is out of bounds";
    }

    if (p->protocol > INGRESS_FCGI
        || (p->http_version != 10 && p->http_version != 11)
        || p->connection_header > 2
        || p->satisfy_any > 1
        || (p->ssl_protocols & ~INGRESS_TLS_VERSIONS)
        || (p->redirect_code
            && (p->redirect_code < 300 || p->redirect_code > 399)))
    {
        return "a policy has an unknown setting";
    }

    return NULL;
}


/* Many policies in a row name the same list, which is looked at once. */

static const char *
ingress_table_check_lists(const ingress_table_t *t, const ingress_policy_t *p,
    const ingress_policy_t *before)
{
#define ingress_table_same(field)                                             \
    (before && memcmp(&p->field, &before->field, sizeof(ingress_ref_t)) == 0)

    if ((!ingress_table_same(allow) && !ingress_table_networks(t, p->allow))
        || (!ingress_table_same(deny_list)
            && !ingress_table_networks(t, p->deny_list)))
    {
        return "an access list is out of bounds";
    }

    if ((!ingress_table_same(cors_origins)
         && !ingress_table_entries(t, p->cors_origins))
        || (!ingress_table_same(fastcgi_params)
            && !ingress_table_entries(t, p->fastcgi_params)))
    {
        return "a policy's list is out of bounds";
    }

    return NULL;
}


static const char *
ingress_table_check_ingresses(const ingress_table_t *t)
{
    uint32_t                        i, n;
    const ingress_table_ingress_t  *ing;

    ing = t->ingresses;
    n = ingress_table_n(t, INGRESSES);

    for (i = 0; i < n; i++) {
        if (!ingress_table_ref(t, ing[i].namespace)
            || !ingress_table_ref(t, ing[i].name)
            || !ingress_table_ref(t, ing[i].file))
        {
            return "an Ingress is out of bounds";
        }
    }

    return NULL;
}


static const char *
ingress_table_check_backends(const ingress_table_t *t)
{
    uint32_t                        i, n, endpoints;
    const ingress_table_backend_t  *b;

    b = t->backends;
    n = ingress_table_n(t, BACKENDS);
    endpoints = ingress_table_n(t, ENDPOINTS);

    for (i = 0; i < n; i++) {
        if (!ingress_table_ref(t, b[i].name)
            || !ingress_table_ref(t, b[i].external)
            || !ingress_table_range(b[i].first, b[i].n, endpoints))
        {
            return "a backend is out of bounds";
        }

        if (b[i].type > INGRESS_BACKEND_MISSING) {
            return "a backend has an unknown type";
        }
    }

    return NULL;
}


static const char *
ingress_table_check_certs(const ingress_table_t *t)
{
    uint32_t                     i, n;
    const ingress_table_tls_t   *tls;
    const ingress_table_cert_t  *cert;

    cert = t->certs;
    n = ingress_table_n(t, CERTS);

    for (i = 0; i < n; i++) {
        if (!ingress_table_ref(t, cert[i].chain)
            || !ingress_table_ref(t, cert[i].key)
            || !ingress_table_ref(t, cert[i].namespace)
            || !ingress_table_ref(t, cert[i].secret)
            || !ingress_table_ref(t, cert[i].host))
        {
            return "a certificate is out of bounds";
        }
    }

    tls = t->tls;
    n = ingress_table_n(t, TLS);

    for (i = 0; i < n; i++) {
        if (!ingress_table_ref(t, tls[i].cert)
            || !ingress_table_ref(t, tls[i].key)
            || !ingress_table_ref(t, tls[i].ca))
        {
            return "a TLS identity is out of bounds";
        }
    }

    return NULL;
}


static const char *
ingress_table_check_challenges(const ingress_table_t *t)
{
    const char  *what;

    what = ingress_table_check_challenge(t, t->challenges_http,
                                         ingress_table_n(t, CHALLENGES_HTTP),
                                         0);
    if (what) {
        return what;
    }

    return ingress_table_check_challenge(t, t->challenges_alpn,
                                         ingress_table_n(t, CHALLENGES_ALPN),
                                         1);
}


static const char *
ingress_table_check_challenge(const ingress_table_t *t,
    const ingress_table_challenge_t *list, uint32_t n, unsigned key)
{
    uint32_t     i;
    torii_str_t  name, before;

    before.len = 0;
    before.data = NULL;

    for (i = 0; i < n; i++) {

        if (!ingress_table_ref(t, list[i].name)
            || !ingress_table_ref(t, list[i].value)
            || !ingress_table_ref(t, list[i].key))
        {
            return "a challenge is out of bounds";
        }

        if (list[i].value.len == 0 || (list[i].key.len != 0) != key) {
            return "a challenge has no answer";
        }

        name = ingress_table_str(t, list[i].name);

        /* an empty name is none, and comes before all others */

        if (torii_str_cmp(before, name) >= 0) {
            return "challenges are not sorted";
        }

        before = name;
    }

    return NULL;
}
