
/*
 * Routing tables made by hand, for tests that want one table and no objects:
 * rows of host and path, written in the format of ingress_table.h.
 */

#ifndef _TABLE_MAKE_H_INCLUDED_
#define _TABLE_MAKE_H_INCLUDED_


#include <stdlib.h>

#include "ingress_table.h"


/* Rows of a host stand together; the index of a row is that of its route. */

typedef struct {
    const char     *host;
    char            type;      /* '=' exact, '/' prefix, '~' regex, 'n' one more
                                  name of the host before, 'a' a regex name of
                                  it, both in path */
    const char     *path;
    const char     *target;    /* rewrite-target or NULL */
} table_row_t;

typedef struct {
    torii_buf_t     sections[INGRESS_SECTION_MAX];
    size_t          cert;      /* bytes of a certificate for each host, and
                                  two challenges of each type, and logins, or
                                  0 */
} table_make_t;


#define table_make_n(m, section, type)                                        \
    ((uint32_t) ((m)->sections[INGRESS_SECTION_##section].len / sizeof(type)))


static inline void
table_make_put(table_make_t *m, ingress_section_e section, const void *data,
    size_t len)
{
    torii_buf_add(&m->sections[section], data, len);
}


static inline ingress_ref_t
table_make_ref(table_make_t *m, const void *data, size_t len)
{
    torii_buf_t    *pool;
    ingress_ref_t   ref;

    static const unsigned char  zero[8];

    if (len == 0) {
        ref.off = 0;
        ref.len = 0;
        return ref;
    }

    pool = &m->sections[INGRESS_SECTION_POOL];

    ref.off = (uint32_t) pool->len;
    ref.len = (uint32_t) len;

    torii_buf_add(pool, data, len);
    torii_buf_add(pool, zero, 8 - len % 8);

    return ref;
}


static inline ingress_ref_t
table_make_str(table_make_t *m, const char *s)
{
    return table_make_ref(m, s, s ? strlen(s) : 0);
}


static inline void
table_make_name(table_make_t *m, const char *s, uint32_t host)
{
    ingress_table_name_t  name;

    memset(&name, 0, sizeof(name));

    name.name = table_make_str(m, s);
    name.hash = (uint32_t) torii_hash(s, strlen(s), 0);
    name.host = host;

    table_make_put(m, INGRESS_SECTION_NAMES, &name, sizeof(name));
}


static inline uint32_t
table_make_policy(table_make_t *m, const char *target)
{
    uint32_t          n;
    ingress_policy_t  policy;

    n = table_make_n(m, POLICIES, ingress_policy_t);

    if (target == NULL && n) {
        return 0;
    }

    memset(&policy, 0, sizeof(policy));

    policy.http_version = 11;
    policy.rewrite_target = table_make_str(m, target);

    table_make_put(m, INGRESS_SECTION_POLICIES, &policy, sizeof(policy));

    return n;
}


static inline void
table_make_route(table_make_t *m, const table_row_t *row)
{
    ingress_table_route_t     route;
    ingress_table_backend_t   backend;
    ingress_table_endpoint_t  endpoint;

    memset(&route, 0, sizeof(route));
    memset(&backend, 0, sizeof(backend));
    memset(&endpoint, 0, sizeof(endpoint));

    route.policy = table_make_policy(m, row->target);
    route.backend = table_make_n(m, BACKENDS, ingress_table_backend_t);
    route.ingress = INGRESS_NONE;
    route.path = table_make_str(m, row->path);
    route.host = table_make_str(m, row->host);
    route.service = table_make_str(m, "service");
    route.port = table_make_str(m, "http");

    backend.name = table_make_str(m, "default-service-http");
    backend.id = route.backend;
    backend.first = table_make_n(m, ENDPOINTS, ingress_table_endpoint_t);
    backend.n = 2;

    endpoint.addr[15] = 1;
    endpoint.port = 8080;

    table_make_put(m, INGRESS_SECTION_ROUTES, &route, sizeof(route));
    table_make_put(m, INGRESS_SECTION_BACKENDS, &backend, sizeof(backend));
    table_make_put(m, INGRESS_SECTION_ENDPOINTS, &endpoint, sizeof(endpoint));
    table_make_put(m, INGRESS_SECTION_ENDPOINTS, &endpoint, sizeof(endpoint));
}


static inline uint32_t
table_make_cert(table_make_t *m, const char *host)
{
    uint32_t              n;
    unsigned char        *bytes;
    ingress_table_cert_t  cert;

    if (m->cert == 0) {
        return INGRESS_NONE;
    }

    n = table_make_n(m, CERTS, ingress_table_cert_t);

    memset(&cert, 0, sizeof(cert));

    bytes = torii_zalloc(m->cert);

    cert.chain = table_make_ref(m, bytes, m->cert - m->cert / 4);
    cert.key = table_make_ref(m, bytes, m->cert / 4);
    cert.host = table_make_str(m, host);
    cert.secret = table_make_str(m, "tls");
    cert.namespace = table_make_str(m, "default");

    free(bytes);

    table_make_put(m, INGRESS_SECTION_CERTS, &cert, sizeof(cert));

    return n;
}


/* The longest prefix is the last one before that is a prefix of this. */

static inline void
table_make_parents(ingress_table_path_t *path, uint32_t first, uint32_t n,
    const unsigned char *pool)
{
    uint32_t  i, parent;

    for (i = first; i < first + n; i++) {
        path[i].parent = INGRESS_NONE;

        parent = (i > first) ? i - 1 : INGRESS_NONE;

        while (parent != INGRESS_NONE) {

            if (path[parent].text.len < path[i].text.len
                && memcmp(pool + path[parent].text.off,
                          pool + path[i].text.off, path[parent].text.len) == 0)
            {
                path[i].parent = parent;
                break;
            }

            parent = path[parent].parent;
        }
    }
}


static inline int
table_make_order(const void *one, const void *two)
{
    const table_row_t *const  *a = one, *const *b = two;

    return torii_str_cmp(torii_str((*a)->path), torii_str((*b)->path));
}


/* The paths of one type of a host, sorted unless they are regexes. */

static inline uint32_t
table_make_paths(table_make_t *m, const table_row_t *rows, uint32_t first,
    uint32_t n, char type)
{
    uint32_t               i, k;
    ingress_table_path_t   path;
    const table_row_t    **sorted;

    sorted = torii_malloc(n * sizeof(table_row_t *));
    k = 0;

    for (i = first; i < first + n; i++) {
        if (rows[i].type == type) {
            sorted[k++] = &rows[i];
        }
    }

    if (type != '~') {
        qsort(sorted, k, sizeof(table_row_t *), table_make_order);
    }

    for (i = 0; i < k; i++) {
        path.text = table_make_str(m, sorted[i]->path);
        path.route = (uint32_t) (sorted[i] - rows);
        path.parent = INGRESS_NONE;

        table_make_put(m, INGRESS_SECTION_PATHS, &path, sizeof(path));
    }

    free(sorted);

    return k;
}


static inline void
table_make_host(table_make_t *m, const table_row_t *rows, uint32_t first,
    uint32_t n)
{
    uint32_t               i, index;
    ingress_table_host_t   host;
    ingress_table_path_t  *path;
    ingress_table_alias_t  alias;

    index = table_make_n(m, HOSTS, ingress_table_host_t);

    memset(&host, 0, sizeof(host));

    host.name = table_make_str(m, rows[first].host);
    host.cert = table_make_cert(m, rows[first].host);
    host.cert2 = INGRESS_NONE;

    host.exact = table_make_n(m, PATHS, ingress_table_path_t);
    host.nexact = table_make_paths(m, rows, first, n, '=');
    host.prefix = host.exact + host.nexact;
    host.nprefix = table_make_paths(m, rows, first, n, '/');

    path = (ingress_table_path_t *) m->sections[INGRESS_SECTION_PATHS].data;

    table_make_parents(path, host.prefix, host.nprefix,
                       m->sections[INGRESS_SECTION_POOL].data);

    if (host.nexact + host.nprefix == 0) {
        host.flags = INGRESS_HOST_REGEX;
        host.nprefix = table_make_paths(m, rows, first, n, '~');
    }

    table_make_name(m, rows[first].host, index);

    for (i = first; i < first + n; i++) {
        table_make_route(m, &rows[i]);

        if (rows[i].type == 'n') {
            table_make_name(m, rows[i].path, index);

        } else if (rows[i].type == 'a') {
            memset(&alias, 0, sizeof(alias));
            alias.pattern = table_make_str(m, rows[i].path);
            alias.host = index;
            table_make_put(m, INGRESS_SECTION_ALIASES, &alias, sizeof(alias));
        }
    }

    table_make_put(m, INGRESS_SECTION_HOSTS, &host, sizeof(host));
}


static inline void
table_make_buckets(table_make_t *m)
{
    uint32_t               i, k, n, names, *buckets;
    ingress_table_name_t  *name;

    name = (ingress_table_name_t *) m->sections[INGRESS_SECTION_NAMES].data;
    names = table_make_n(m, NAMES, ingress_table_name_t);

    for (n = 4; n < names * 2; n *= 2) { /* void */ }

    buckets = torii_zalloc(n * sizeof(uint32_t));

    for (i = 0; i < names; i++) {
        for (k = name[i].hash & (n - 1); buckets[k]; k = (k + 1) & (n - 1)) {
            /* void */
        }

        buckets[k] = i + 1;
    }

    table_make_put(m, INGRESS_SECTION_BUCKETS, buckets, n * sizeof(uint32_t));

    free(buckets);
}


static inline void
table_make_challenge(table_make_t *m, ingress_section_e section,
    const char *name, const char *value, const char *key)
{
    ingress_table_challenge_t  challenge;

    challenge.name = table_make_str(m, name);
    challenge.value = table_make_str(m, value);
    challenge.key = table_make_str(m, key);

    table_make_put(m, section, &challenge, sizeof(challenge));
}


static inline void
table_make_challenges(table_make_t *m)
{
    table_make_challenge(m, INGRESS_SECTION_CHALLENGES_HTTP, "token-a",
                         "token-a.print", NULL);
    table_make_challenge(m, INGRESS_SECTION_CHALLENGES_HTTP, "token-b",
                         "token-b.print", NULL);
    table_make_challenge(m, INGRESS_SECTION_CHALLENGES_ALPN, "a.example",
                         "cert a", "key a");
    table_make_challenge(m, INGRESS_SECTION_CHALLENGES_ALPN, "b.example",
                         "cert b", "key b");
}


/* Two providers, a login by the first and one by a server, and users. */

static inline ingress_ref_t
table_make_entries(table_make_t *m, const char *one, const char *two)
{
    ingress_entry_t  entries[2];

    memset(entries, 0, sizeof(entries));

    entries[0].name = table_make_str(m, one);
    entries[0].value = table_make_str(m, "value");
    entries[1].name = table_make_str(m, two);
    entries[1].value = table_make_str(m, "value");

    return table_make_ref(m, entries, sizeof(entries));
}


static inline void
table_make_logins(table_make_t *m)
{
    ingress_ref_t             list[2];
    ingress_table_login_t     login;
    ingress_table_users_t     users;
    ingress_cache_rule_t      rule;
    ingress_login_header_t    header;
    ingress_template_part_t   parts[2];
    ingress_table_provider_t  provider;

    memset(&provider, 0, sizeof(provider));
    memset(&login, 0, sizeof(login));
    memset(&users, 0, sizeof(users));
    memset(parts, 0, sizeof(parts));

    list[0] = table_make_str(m, "admins");
    list[1] = table_make_str(m, "devs");

    provider.settings = table_make_entries(m, "client-id", "client-secret");
    provider.issuers = table_make_entries(m, "https://a", "https://b");
    provider.groups = table_make_ref(m, list, sizeof(list));
    provider.name = table_make_str(m, "d/a");
    table_make_put(m, INGRESS_SECTION_PROVIDERS, &provider, sizeof(provider));

    provider.name = table_make_str(m, "d/b");
    table_make_put(m, INGRESS_SECTION_PROVIDERS, &provider, sizeof(provider));

    login.type = INGRESS_LOGIN_NATIVE;
    login.flags = INGRESS_LOGIN_GROUPS;
    login.groups = provider.groups;
    table_make_put(m, INGRESS_SECTION_LOGINS, &login, sizeof(login));

    parts[0].value = table_make_str(m, "http://");
    parts[1].name = table_make_str(m, "host");
    rule.status = 200;
    rule.seconds = 300;
    header.name = table_make_str(m, "X-A");

    memset(&login, 0, sizeof(login));

    login.type = INGRESS_LOGIN_EXTERNAL;
    login.provider = INGRESS_NONE;
    login.url = table_make_ref(m, parts, sizeof(parts));
    login.method = table_make_str(m, "GET");
    login.cache_key = login.url;
    login.cache_rules = table_make_ref(m, &rule, sizeof(rule));
    header.value = login.url;
    login.set_headers = table_make_ref(m, &header, sizeof(header));
    table_make_put(m, INGRESS_SECTION_LOGINS, &login, sizeof(login));

    users.name = table_make_str(m, "d/users");
    users.users = table_make_entries(m, "alice", "bob");
    table_make_put(m, INGRESS_SECTION_USERS, &users, sizeof(users));
}


/* The checksum of a table whose bytes were changed. */

static inline void
table_make_sign(unsigned char *data, size_t size)
{
    size_t                   skip;
    ingress_table_header_t  *h;

    h = (ingress_table_header_t *) data;
    skip = offsetof(ingress_table_header_t, header);

    h->checksum = torii_hash(data + skip, size - skip, 0);
}


static inline void
table_make_finish(table_make_t *m, torii_buf_t *out)
{
    uint32_t                 i;
    ingress_table_header_t   h;

    static const uint32_t       sizes[INGRESS_SECTION_MAX] = {
        sizeof(uint32_t), sizeof(ingress_table_name_t),
        sizeof(ingress_table_alias_t), sizeof(ingress_table_host_t),
        sizeof(ingress_table_path_t), sizeof(ingress_table_route_t),
        sizeof(ingress_policy_t), sizeof(ingress_table_ingress_t),
        sizeof(ingress_table_backend_t), sizeof(ingress_table_endpoint_t),
        sizeof(ingress_table_cert_t), sizeof(ingress_table_tls_t),
        sizeof(ingress_table_challenge_t), sizeof(ingress_table_challenge_t),
        sizeof(ingress_table_provider_t), sizeof(ingress_table_login_t),
        sizeof(ingress_table_users_t), 1
    };
    static const unsigned char  zero[8];

    memset(&h, 0, sizeof(h));

    h.magic = INGRESS_TABLE_MAGIC;
    h.order = INGRESS_TABLE_ORDER;
    h.version = INGRESS_TABLE_VERSION;
    h.header = sizeof(h);
    h.default_backend = INGRESS_NONE;
    h.default_cert = INGRESS_NONE;
    h.global.redirect_code = 308;

    torii_buf_add(out, &h, sizeof(h));

    for (i = 0; i < INGRESS_SECTION_MAX; i++) {
        torii_buf_add(out, zero, (8 - out->len % 8) % 8);

        h.sections[i].off = out->len;
        h.sections[i].size = sizes[i];
        h.sections[i].n = (uint32_t) (m->sections[i].len / sizes[i]);

        torii_buf_add(out, m->sections[i].data, m->sections[i].len);
        torii_buf_free(&m->sections[i]);
    }

    h.size = out->len;
    memcpy(out->data, &h, sizeof(h));

    table_make_sign(out->data, out->len);
}


/* rows end with a NULL host; the host "_" comes first and may have no path. */

static inline void
table_make(const table_row_t *rows, size_t cert, torii_buf_t *out)
{
    uint32_t      i, n;
    table_make_t  m;

    memset(&m, 0, sizeof(m));
    memset(out, 0, sizeof(torii_buf_t));

    m.cert = cert;
    (void) table_make_policy(&m, NULL);

    for (i = 0; rows[i].host; i += n) {
        n = 1;

        while (rows[i + n].host && strcmp(rows[i].host, rows[i + n].host) == 0)
        {
            n++;
        }

        table_make_host(&m, rows, i, n);
    }

    if (cert) {
        table_make_challenges(&m);
        table_make_logins(&m);
    }

    table_make_buckets(&m);
    table_make_finish(&m, out);
}


#endif /* _TABLE_MAKE_H_INCLUDED_ */
