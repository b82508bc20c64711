
/*
 * What is left of a table that was replaced while requests go on, WebSockets
 * for hours: the records that these requests hold and the strings that the
 * records name, some KB of a file that may have many MB.
 *
 * They are copied to memory of this process that takes the file's place at the
 * very same addresses.  So all pointers stay good: those of the requests, of
 * their variables and headers, of the clones of configuration.  What nobody
 * holds reads as zeros and costs nothing but addresses.
 */

#include "ngx_http_torii.h"

#include <sys/mman.h>


typedef struct {
    ingress_table_t    *table;
    u_char             *copy;
} ngx_torii_shrink_t;


static u_char *ngx_torii_shrink_map(size_t size, ngx_log_t *log);
static ngx_int_t ngx_torii_shrink_replace(ngx_torii_shrink_t *sh,
    ngx_log_t *log);
static void ngx_torii_shrink_request(ngx_torii_shrink_t *sh,
    ngx_http_torii_ctx_t *ctx);
static void ngx_torii_shrink_route(ngx_torii_shrink_t *sh,
    const ingress_table_route_t *route);
static void ngx_torii_shrink_policy(ngx_torii_shrink_t *sh,
    const ingress_policy_t *policy);
static void ngx_torii_shrink_login(ngx_torii_shrink_t *sh,
    const ingress_table_login_t *login);
static void ngx_torii_shrink_users(ngx_torii_shrink_t *sh,
    const ingress_table_users_t *users);
static void ngx_torii_shrink_backend(ngx_torii_shrink_t *sh,
    const ingress_table_backend_t *backend);
static void ngx_torii_shrink_list(ngx_torii_shrink_t *sh, ingress_ref_t ref);
static void ngx_torii_shrink_entries(ngx_torii_shrink_t *sh,
    ingress_ref_t ref);
static void ngx_torii_shrink_record(ngx_torii_shrink_t *sh, const void *record,
    size_t size, const uint16_t *refs, ngx_uint_t n);
static ngx_uint_t ngx_torii_shrink_keep(ngx_torii_shrink_t *sh, const void *p,
    size_t len);
static void ngx_torii_shrink_str(ngx_torii_shrink_t *sh, ingress_ref_t ref);


/* Where records name strings. */

static const uint16_t  ngx_torii_shrink_hosts[] = {
    offsetof(ingress_table_host_t, name),
    offsetof(ingress_table_host_t, ssl_ciphers),
    offsetof(ingress_table_host_t, app_root),
    offsetof(ingress_table_host_t, www_target),
};

static const uint16_t  ngx_torii_shrink_paths[] = {
    offsetof(ingress_table_path_t, text),
};

static const uint16_t  ngx_torii_shrink_routes[] = {
    offsetof(ingress_table_route_t, path),
    offsetof(ingress_table_route_t, service),
    offsetof(ingress_table_route_t, port),
    offsetof(ingress_table_route_t, host),
};

static const uint16_t  ngx_torii_shrink_ingresses[] = {
    offsetof(ingress_table_ingress_t, namespace),
    offsetof(ingress_table_ingress_t, name),
    offsetof(ingress_table_ingress_t, file),
};

static const uint16_t  ngx_torii_shrink_backends[] = {
    offsetof(ingress_table_backend_t, name),
    offsetof(ingress_table_backend_t, external),
};

static const uint16_t  ngx_torii_shrink_tls[] = {
    offsetof(ingress_table_tls_t, cert),
    offsetof(ingress_table_tls_t, key),
    offsetof(ingress_table_tls_t, ca),
};

/* The lists of strings among them come first; templates are such lists, too, of
   pairs. */

static const uint16_t  ngx_torii_shrink_logins[] = {
    offsetof(ingress_table_login_t, emails),
    offsetof(ingress_table_login_t, domains),
    offsetof(ingress_table_login_t, groups),
    offsetof(ingress_table_login_t, skip),
    offsetof(ingress_table_login_t, write_groups),
    offsetof(ingress_table_login_t, response_headers),
    offsetof(ingress_table_login_t, url),
    offsetof(ingress_table_login_t, request_redirect),
    offsetof(ingress_table_login_t, cache_key),
    offsetof(ingress_table_login_t, signin),
    offsetof(ingress_table_login_t, set_headers),
    offsetof(ingress_table_login_t, method),
    offsetof(ingress_table_login_t, cache_rules),
    offsetof(ingress_table_login_t, signin_param),
};

#define NGX_TORII_SHRINK_LISTS  11

static const uint16_t  ngx_torii_shrink_users_refs[] = {
    offsetof(ingress_table_users_t, name),
    offsetof(ingress_table_users_t, users),
};

#define ngx_torii_shrink_refs(sh, record, refs)                               \
    ngx_torii_shrink_record(sh, record, sizeof(*(record)), refs,              \
                            sizeof(refs) / sizeof(refs[0]))


ngx_int_t
ngx_torii_table_shrink(ngx_torii_table_t *table, ngx_log_t *log)
{
    ngx_uint_t             i;
    ngx_queue_t           *q;
    ngx_torii_shrink_t     sh;
    const ingress_global_t  *global;

    sh.table = &table->table;

    sh.copy = ngx_torii_shrink_map(table->table.size, log);
    if (sh.copy == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_torii_shrink_keep(&sh, sh.table->header,
                                 sizeof(ingress_table_header_t));

    global = &sh.table->header->global;

    for (i = 0; i < ingress_global_nrefs; i++) {
        ngx_torii_shrink_str(&sh, *(ingress_ref_t *) ((u_char *) global
                                                  + ingress_global_refs[i]));
    }

    for (q = ngx_queue_head(&table->requests);
         q != ngx_queue_sentinel(&table->requests);
         q = ngx_queue_next(q))
    {
        ngx_torii_shrink_request(&sh, ngx_queue_data(q, ngx_http_torii_ctx_t,
                                                     queue));
    }

    return ngx_torii_shrink_replace(&sh, log);
}


/* Pages that are not written to take no memory, and are not reserved. */

static u_char *
ngx_torii_shrink_map(size_t size, ngx_log_t *log)
{
    void  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE,
             MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "torii: no memory to shrink a table to");
        return NULL;
    }

    return p;
}


static ngx_int_t
ngx_torii_shrink_replace(ngx_torii_shrink_t *sh, ngx_log_t *log)
{
    size_t  size;

    size = sh->table->size;

    if (mprotect(sh->copy, size, PROT_READ) == 0
        && mremap(sh->copy, size, size, MREMAP_MAYMOVE|MREMAP_FIXED,
                  (void *) sh->table->map)
           != MAP_FAILED)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, log, ngx_errno, "torii: cannot shrink a table");

    (void) munmap(sh->copy, size);

    return NGX_ERROR;
}


static void
ngx_torii_shrink_request(ngx_torii_shrink_t *sh, ngx_http_torii_ctx_t *ctx)
{
    ngx_torii_shrink_refs(sh, ctx->host, ngx_torii_shrink_hosts);
    ngx_torii_shrink_policy(sh, ctx->policy);

    if (ctx->match.path) {
        ngx_torii_shrink_refs(sh, ctx->match.path, ngx_torii_shrink_paths);
    }

    if (ctx->route) {
        ngx_torii_shrink_route(sh, ctx->route);
    }

    if (ctx->backend) {
        ngx_torii_shrink_backend(sh, ctx->backend);
    }
}


static void
ngx_torii_shrink_route(ngx_torii_shrink_t *sh,
    const ingress_table_route_t *route)
{
    const ingress_table_ingress_t  *ingress;

    ngx_torii_shrink_refs(sh, route, ngx_torii_shrink_routes);

    if (route->ingress != INGRESS_NONE) {
        ingress = &sh->table->ingresses[route->ingress];
        ngx_torii_shrink_refs(sh, ingress, ngx_torii_shrink_ingresses);
    }
}


static void
ngx_torii_shrink_policy(ngx_torii_shrink_t *sh, const ingress_policy_t *policy)
{
    const ingress_table_tls_t  *tls;

    ngx_torii_shrink_record(sh, policy, sizeof(ingress_policy_t),
                            ingress_policy_refs, ingress_policy_nrefs);

    ngx_torii_shrink_entries(sh, policy->fastcgi_params);
    ngx_torii_shrink_entries(sh, policy->cors_origins);

    if (policy->tls) {
        tls = &sh->table->tls[policy->tls - 1];
        ngx_torii_shrink_refs(sh, tls, ngx_torii_shrink_tls);
    }

    if (policy->login) {
        ngx_torii_shrink_login(sh, &sh->table->logins[policy->login - 1]);
    }

    if (policy->users) {
        ngx_torii_shrink_users(sh, &sh->table->users[policy->users - 1]);
    }
}


/* A request may wait for a provider, or for the server that is asked. */

static void
ngx_torii_shrink_login(ngx_torii_shrink_t *sh,
    const ingress_table_login_t *login)
{
    ngx_uint_t                     i;
    torii_str_t                    list;
    const ingress_login_header_t  *h;

    ngx_torii_shrink_refs(sh, login, ngx_torii_shrink_logins);

    for (i = 0; i < NGX_TORII_SHRINK_LISTS; i++) {
        ngx_torii_shrink_list(sh, *(const ingress_ref_t *)
                                      ((const u_char *) login
                                       + ngx_torii_shrink_logins[i]));
    }

    /* their values are templates */

    list = ingress_table_str(sh->table, login->set_headers);
    h = (const ingress_login_header_t *) list.data;

    for (i = 0; i < list.len / sizeof(ingress_login_header_t); i++) {
        ngx_torii_shrink_list(sh, h[i].value);
    }
}


static void
ngx_torii_shrink_users(ngx_torii_shrink_t *sh,
    const ingress_table_users_t *users)
{
    ngx_torii_shrink_refs(sh, users, ngx_torii_shrink_users_refs);
    ngx_torii_shrink_entries(sh, users->users);
}


static void
ngx_torii_shrink_backend(ngx_torii_shrink_t *sh,
    const ingress_table_backend_t *backend)
{
    ngx_torii_shrink_refs(sh, backend, ngx_torii_shrink_backends);

    (void) ngx_torii_shrink_keep(sh, &sh->table->endpoints[backend->first],
                                 backend->n
                                 * sizeof(ingress_table_endpoint_t));
}


static void
ngx_torii_shrink_list(ngx_torii_shrink_t *sh, ingress_ref_t ref)
{
    ngx_uint_t            i;
    torii_str_t           list;
    const ingress_ref_t  *item;

    list = ingress_table_str(sh->table, ref);
    item = (const ingress_ref_t *) list.data;

    for (i = 0; i < list.len / sizeof(ingress_ref_t); i++) {
        ngx_torii_shrink_str(sh, item[i]);
    }
}


static void
ngx_torii_shrink_entries(ngx_torii_shrink_t *sh, ingress_ref_t ref)
{
    ngx_uint_t              i;
    torii_str_t             list;
    const ingress_entry_t  *entry;

    list = ingress_table_str(sh->table, ref);
    entry = (const ingress_entry_t *) list.data;

    for (i = 0; i < list.len / sizeof(ingress_entry_t); i++) {
        ngx_torii_shrink_str(sh, entry[i].name);
        ngx_torii_shrink_str(sh, entry[i].value);
    }
}


/*
 * Thousands of requests may hold the same record.  Its strings are there if it
 * is; one of zeros only, which seems to be there from the beginning, has none.
 */

static void
ngx_torii_shrink_record(ngx_torii_shrink_t *sh, const void *record, size_t size,
    const uint16_t *refs, ngx_uint_t n)
{
    ngx_uint_t  i;

    if (!ngx_torii_shrink_keep(sh, record, size)) {
        return;
    }

    for (i = 0; i < n; i++) {
        ngx_torii_shrink_str(sh, *(const ingress_ref_t *)
                                     ((const u_char *) record + refs[i]));
    }
}


static ngx_uint_t
ngx_torii_shrink_keep(ngx_torii_shrink_t *sh, const void *p, size_t len)
{
    u_char  *to;

    to = sh->copy + ((const u_char *) p - sh->table->map);

    if (ngx_memcmp(to, p, len) == 0) {
        return 0;
    }

    ngx_memcpy(to, p, len);

    return 1;
}


/* With its NUL; which is there already, since the copy is of zeros. */

static void
ngx_torii_shrink_str(ngx_torii_shrink_t *sh, ingress_ref_t ref)
{
    if (ref.len) {
        (void) ngx_torii_shrink_keep(sh, sh->table->pool + ref.off, ref.len);
    }
}
