
/*
 * From a request to its route: the lookup, then what the route's policy says
 * in the order in which ingress-nginx answers (slash redirect, denied, CORS
 * preflight, redirects, rewrite, https redirect, endpoints, address lists).
 */

#include "ngx_http_torii_gate.h"


static ngx_int_t ngx_http_torii_lookup(ngx_http_request_t *r,
    ngx_torii_table_t *table);
static void ngx_http_torii_ctx_cleanup(void *data);
static void ngx_http_torii_backend(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_uint_t ngx_http_torii_is_healthz(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_int_t ngx_http_torii_healthz(ngx_http_request_t *r);
static ngx_uint_t ngx_http_torii_template(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_uint_t ngx_http_torii_is_grpc(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_policy(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_int_t ngx_http_torii_body_size(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_uint_t ngx_http_torii_listed(ngx_http_torii_ctx_t *ctx,
    ingress_ref_t ref, struct sockaddr *sa);


ngx_int_t
ngx_http_torii_route_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_torii_table_t           *table;
    ngx_http_torii_ctx_t        *ctx, *before;
    ngx_http_torii_loc_conf_t   *tlcf;
    ngx_http_torii_main_conf_t  *tmcf;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_torii_module);

    if (!tlcf->routes) {
        return NGX_DECLINED;
    }

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_torii_module);

    table = ngx_torii_table_current(tmcf, r->connection->log);
    if (table == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    before = ngx_http_torii_ctx(r);

    if (ngx_http_torii_lookup(r, table) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    rc = ngx_http_torii_request_headers(r, ctx, before);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_torii_backend(r, ctx);

    ctx->template = ngx_http_torii_template(r, ctx);

    if (ngx_http_torii_location_set(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_torii_is_healthz(r, ctx)) {
        return ngx_http_torii_healthz(r);
    }

    return ngx_http_torii_policy(r, ctx);
}


static ngx_int_t
ngx_http_torii_lookup(ngx_http_request_t *r, ngx_torii_table_t *table)
{
    torii_str_t            host, uri;
    ngx_pool_cleanup_t    *cln;
    ngx_http_torii_ctx_t  *ctx;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_torii_ctx_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_torii_ctx_t));

    ctx->request = r;
    ngx_torii_table_hold(table, ctx);

    cln->handler = ngx_http_torii_ctx_cleanup;

    ngx_http_set_ctx(r, ctx, ngx_http_torii_module);

    host.len = r->headers_in.server.len;
    host.data = r->headers_in.server.data;
    uri.len = r->uri.len;
    uri.data = r->uri.data;

    ingress_route_find(&table->table, ngx_torii_regexes(), host, uri,
                       &ctx->match);

    ctx->uri = r->uri;
    ctx->host = ctx->match.host;
    ctx->route = ctx->match.route;
    ctx->policy = &table->table.policies[ctx->route ? ctx->route->policy : 0];

    ctx->registry = (r->uri.len >= 4
                     && ngx_strncmp(r->uri.data, "/v2/", 4) == 0);

    return NGX_OK;
}


static void
ngx_http_torii_ctx_cleanup(void *data)
{
    ngx_http_torii_ctx_t  *ctx = data;

    ngx_torii_table_leave(ctx);
}


ngx_http_torii_ctx_t *
ngx_http_torii_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t    *cln;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    if (ctx == NULL && (r->internal || r->filter_finalize)) {

        /* an internal redirect has cleared all modules' contexts */

        for (cln = r->pool->cleanup; cln; cln = cln->next) {
            if (cln->handler == ngx_http_torii_ctx_cleanup) {
                ctx = cln->data;

                if (ctx->request == r) {
                    return ctx;
                }
            }
        }

        return r == r->main ? NULL : ngx_http_torii_ctx(r->main);
    }

    return ctx;
}


/* A host's "/" that no rule defines goes to the default backend, if any. */

static void
ngx_http_torii_backend(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    uint32_t          backend;
    ingress_table_t  *t;

    t = &ctx->table->table;
    backend = INGRESS_NONE;

    if (ctx->route) {
        backend = ctx->route->backend;
    }

    if (backend == INGRESS_NONE
        && (ctx->route == NULL || (ctx->route->flags & INGRESS_ROUTE_AUTO)))
    {
        backend = t->header->default_backend;
    }

    if (backend != INGRESS_NONE) {
        ctx->backend = &t->backends[backend];
        ngx_http_torii_prefetch(ctx->backend);

        if (ctx->table->peers) {
            ngx_http_torii_prefetch(&ctx->table->peers[backend]);
        }
    }

    ngx_http_torii_metrics_far(ctx);
}


static ngx_uint_t
ngx_http_torii_is_healthz(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ingress_table_t  *t;

    t = &ctx->table->table;

    return r->uri.len == sizeof("/healthz") - 1
           && ngx_strncmp(r->uri.data, "/healthz", r->uri.len) == 0
           && ctx->host == &t->hosts[t->header->default_host]
           && (ctx->route == NULL || ctx->route->path.len <= 1);
}


static ngx_int_t
ngx_http_torii_healthz(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_str_t                  type;
    ngx_http_complex_value_t   cv;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_str_null(&type);
    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    /* probes would fill the access log */

    r->logged = 1;

    rc = ngx_http_send_response(r, NGX_HTTP_OK, &type, &cv);

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}


static ngx_uint_t
ngx_http_torii_template(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_uint_t               protocol, plain, stream, http10;
    const ingress_policy_t  *policy;

    policy = ctx->policy;
    protocol = policy->protocol;
    stream = !policy->request_buffering;
    http10 = policy->http_version == 10;

    if (ctx->route == NULL
        || (ctx->route->backend == INGRESS_NONE && ctx->backend))
    {
        /* whatever the annotations say, the default backend speaks HTTP */

        protocol = INGRESS_HTTP;
    }

    plain = 1;

    switch (protocol) {

    case INGRESS_FCGI:
        return stream ? NGX_HTTP_TORII_FASTCGI_STREAM : NGX_HTTP_TORII_FASTCGI;

    case INGRESS_GRPC:
    case INGRESS_GRPCS:

        /* one port may speak gRPC, gRPC-web and HTTP, as Argo CD's does */

        plain = protocol == INGRESS_GRPC;

        if (ngx_http_torii_is_grpc(r)) {
            return plain ? NGX_HTTP_TORII_GRPC : NGX_HTTP_TORII_GRPCS;
        }

        break;

    case INGRESS_HTTPS:
        plain = 0;
        break;

    case INGRESS_AUTO_HTTP:
#if (NGX_HTTP_SSL)
        plain = r->connection->ssl == NULL;
#endif
        break;

    default:
        break;
    }

    if (http10) {
        return plain ? NGX_HTTP_TORII_HTTP10 : NGX_HTTP_TORII_HTTPS10;
    }

    if (stream) {
        return plain ? NGX_HTTP_TORII_HTTP_STREAM : NGX_HTTP_TORII_HTTPS_STREAM;
    }

    return plain ? NGX_HTTP_TORII_HTTP : NGX_HTTP_TORII_HTTPS;
}


/* "application/grpc", "application/grpc+proto": not "application/grpc-web" */

static ngx_uint_t
ngx_http_torii_is_grpc(ngx_http_request_t *r)
{
    ngx_str_t  *type;

    static ngx_str_t  grpc = ngx_string("application/grpc");

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    type = &r->headers_in.content_type->value;

    if (type->len < grpc.len
        || ngx_strncasecmp(type->data, grpc.data, grpc.len) != 0)
    {
        return 0;
    }

    return type->len == grpc.len
           || ngx_strchr("+; ", type->data[grpc.len]) != NULL;
}


static ngx_int_t
ngx_http_torii_policy(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_torii_redirect_host(r, ctx);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_torii_login_path(r, ctx);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_torii_redirect_slash(r, ctx);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (ctx->match.failed) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "torii: a path regex of host \"%V\" hit its limit on "
                      "\"%V\"", &r->headers_in.server, &r->unparsed_uri);
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (ctx->policy->deny) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (ctx->cors && r->method == NGX_HTTP_OPTIONS) {
        return NGX_HTTP_NO_CONTENT;
    }

    rc = ngx_http_torii_redirect_route(r, ctx);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_torii_redirect_rewrite(r, ctx);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_torii_redirect_https(r, ctx);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    return ngx_http_torii_body_size(r, ctx);
}


/*
 * nginx looked at Content-Length when it found "location /", which has no
 * limit.  A body without a length is counted by nginx as it is read.
 */

static ngx_int_t
ngx_http_torii_body_size(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    off_t  max;

    max = (off_t) ctx->policy->body_size;

    if (max == 0 || r->headers_in.content_length_n <= max) {
        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "client intended to send too large body: %O bytes",
                  r->headers_in.content_length_n);

    r->expect_tested = 1;
    (void) ngx_http_discard_request_body(r);

    return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
}


ngx_int_t
ngx_http_torii_access_handler(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    if (ctx == NULL) {
        return NGX_DECLINED;
    }

    if (ctx->backend == NULL) {

        if (ctx->route && !(ctx->route->flags & INGRESS_ROUTE_AUTO)) {
            return NGX_HTTP_SERVICE_UNAVAILABLE;
        }

    } else if (ngx_http_torii_balancer_ready(r, ctx) != NGX_OK) {

        if (ctx->route && !(ctx->route->flags & INGRESS_ROUTE_AUTO)) {
            return NGX_HTTP_SERVICE_UNAVAILABLE;
        }

        /* a default backend without endpoints: as if there were none */

        ctx->backend = NULL;
    }

    rc = ngx_http_torii_gate(r, ctx);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (ctx->backend == NULL) {
        return NGX_HTTP_NOT_FOUND;
    }

    if (ngx_http_torii_login_cookies(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


/*
 * NGX_OK: a list lets the address in; NGX_DECLINED: none has it; or a status.
 * Who is not on the list of those who are kept out is not let in by that.
 */

ngx_int_t
ngx_http_torii_access_lists(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    const ingress_policy_t  *policy;

    policy = ctx->policy;

    if (policy->deny_list.len
        && ngx_http_torii_listed(ctx, policy->deny_list,
                                 r->connection->sockaddr))
    {
        return NGX_HTTP_FORBIDDEN;
    }

    if (policy->allow.len
        && !ngx_http_torii_listed(ctx, policy->allow, r->connection->sockaddr))
    {
        return NGX_HTTP_FORBIDDEN;
    }

    return policy->allow.len ? NGX_OK : NGX_DECLINED;
}


static ngx_uint_t
ngx_http_torii_listed(ngx_http_torii_ctx_t *ctx, ingress_ref_t ref,
    struct sockaddr *sa)
{
    u_char                addr[16];
    ngx_str_t             list;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    ngx_memzero(addr, 16);

    switch (sa->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sa;
        addr[10] = 0xff;
        addr[11] = 0xff;
        ngx_memcpy(&addr[12], &sin->sin_addr, 4);
        break;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        ngx_memcpy(addr, &sin6->sin6_addr, 16);
        break;
#endif

    default:
        return 0;
    }

    list = ngx_http_torii_str(ctx, ref);

    return ingress_network_match((ingress_network_t *) list.data,
                                 list.len / sizeof(ingress_network_t), addr);
}
