
/*
 * Answers that send the client elsewhere, and rewrite-target, which may do so
 * too.  Which text goes into Location is ingress-nginx's, to the byte: clients
 * and tests of people who move depend on it.
 */

#include "ngx_http_torii.h"


#define NGX_HTTP_TORII_URI_MAX  8192


static ngx_int_t ngx_http_torii_redirect(ngx_http_request_t *r,
    ngx_int_t status, ngx_str_t *location);
static ngx_int_t ngx_http_torii_redirect_away(ngx_http_request_t *r,
    ngx_str_t *target);
static void ngx_http_torii_rewrite_log(ngx_http_request_t *r,
    ngx_str_t *target);
static ngx_int_t ngx_http_torii_escape(ngx_http_request_t *r, ngx_str_t *text,
    ngx_str_t *escaped);
static ngx_str_t ngx_http_torii_cut_slash(ngx_str_t *uri);


static ngx_int_t
ngx_http_torii_redirect(ngx_http_request_t *r, ngx_int_t status,
    ngx_str_t *location)
{
    ngx_table_elt_t  *h;

    ngx_http_clear_location(r);

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    ngx_str_set(&h->key, "Location");
    h->value = *location;

    r->headers_out.location = h;

    return status;
}


/* A rule's path ends in "/" and the request came without it. */

ngx_int_t
ngx_http_torii_redirect_slash(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    size_t      len;
    u_char     *p;
    uintptr_t   escape;
    ngx_str_t   location;

    if (!ctx->match.slash) {
        return NGX_DECLINED;
    }

    escape = ngx_escape_uri(NULL, r->uri.data, r->uri.len, NGX_ESCAPE_URI);
    len = r->uri.len + 2 * escape + 1 + 1 + r->args.len;

    location.data = ngx_pnalloc(r->pool, len);
    if (location.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = (u_char *) ngx_escape_uri(location.data, r->uri.data, r->uri.len,
                                  NGX_ESCAPE_URI);
    *p++ = '/';

    if (r->args.len) {
        *p++ = '?';
        p = ngx_cpymem(p, r->args.data, r->args.len);
    }

    location.len = p - location.data;

    return ngx_http_torii_redirect(r, NGX_HTTP_MOVED_PERMANENTLY, &location);
}


/* from-to-www-redirect of the whole host, then app-root */

ngx_int_t
ngx_http_torii_redirect_host(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    u_char     *p;
    u_char      buf[NGX_INT_T_LEN];
    ngx_str_t   target, uri, port, location;

    if (ctx->host->www_target.len) {

        target = ngx_http_torii_str(ctx, ctx->host->www_target);
        uri = ngx_http_torii_cut_slash(&r->unparsed_uri);

        port.data = buf;
        ngx_http_torii_port(r, ctx, &port);

        location.data = ngx_pnalloc(r->pool, ctx->scheme.len + 3 + target.len
                                             + 1 + port.len + uri.len);
        if (location.data == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        p = ngx_sprintf(location.data, "%V://%V:%V%V", &ctx->scheme, &target,
                        &port, &uri);
        location.len = p - location.data;

        return ngx_http_torii_redirect(r,
                          ctx->table->table.header->global.redirect_code,
                          &location);
    }

    if (ctx->host->app_root.len && r->uri.len == 1) {

        target = ngx_http_torii_str(ctx, ctx->host->app_root);

        location.data = ngx_pnalloc(r->pool, sizeof("https://")
                                             + ctx->best_host.len + target.len);
        if (location.data == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        p = ngx_sprintf(location.data, "%s://%V%V",
#if (NGX_HTTP_SSL)
                        r->connection->ssl ? "https" :
#endif
                        "http", &ctx->best_host, &target);
        location.len = p - location.data;

        return ngx_http_torii_redirect(r, NGX_HTTP_MOVED_TEMPORARILY,
                                       &location);
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_torii_redirect_route(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_str_t  location;

    if (ctx->policy->redirect_code == 0) {
        return NGX_DECLINED;
    }

    location = ngx_http_torii_str(ctx, ctx->policy->redirect);

    return ngx_http_torii_redirect(r, ctx->policy->redirect_code, &location);
}


ngx_int_t
ngx_http_torii_redirect_https(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    u_char                      *p;
    u_char                       buf[NGX_INT_T_LEN + 1];
    ngx_str_t                    host, uri, port, location;
    const ingress_policy_t      *policy;
    ngx_http_torii_main_conf_t  *tmcf;

    policy = ctx->policy;

    if (policy->no_tls_redirect
        || (!policy->force_ssl_redirect
            && !(policy->ssl_redirect
                 && (ctx->host->flags & INGRESS_HOST_TLS)))
        || ctx->scheme.len != 4
        || ngx_strncmp(ctx->scheme.data, "http", 4) != 0)
    {
        return NGX_DECLINED;
    }

    host = ngx_http_torii_hostname(&ctx->best_host);
    uri = r->unparsed_uri;

    if (!policy->preserve_trailing_slash) {
        uri = ngx_http_torii_cut_slash(&uri);
    }

    port.len = 0;
    port.data = buf;

    if (policy->use_port_in_redirects) {
        tmcf = ngx_http_get_module_main_conf(r, ngx_http_torii_module);
        port.len = ngx_sprintf(buf, ":%ui", tmcf->https_port) - buf;
    }

    location.data = ngx_pnalloc(r->pool, sizeof("https://") + host.len
                                         + port.len + uri.len);
    if (location.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_sprintf(location.data, "https://%V%V%V", &host, &port, &uri);
    location.len = p - location.data;

    return ngx_http_torii_redirect(r,
                          ctx->table->table.header->global.redirect_code,
                          &location);
}


ngx_int_t
ngx_http_torii_redirect_rewrite(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx)
{
    int           rc;
    u_char       *buf;
    size_t        size;
    ngx_str_t     location;
    torii_str_t   uri, out;

    if (ctx->route == NULL || ctx->match.path == NULL
        || ctx->policy->rewrite_target.len == 0)
    {
        return NGX_DECLINED;
    }

    size = NGX_HTTP_TORII_URI_MAX + 2 * r->uri.len;

    buf = ngx_pnalloc(r->pool, size);
    if (buf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    uri.len = r->uri.len;
    uri.data = r->uri.data;

    rc = ingress_route_rewrite(&ctx->table->table, ngx_torii_regexes(),
                               &ctx->match, uri, buf, size, &out);

    if (rc == TORII_DECLINED) {
        return NGX_DECLINED;
    }

    if (rc != TORII_OK || out.len == 0) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "torii: rewrite-target cannot be applied to \"%V\"",
                      &r->unparsed_uri);
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    location.len = out.len;
    location.data = out.data;

    if ((out.len >= 7 && ngx_strncmp(out.data, "http://", 7) == 0)
        || (out.len >= 8 && ngx_strncmp(out.data, "https://", 8) == 0))
    {
        return ngx_http_torii_redirect_away(r, &location);
    }

    if (ctx->policy->rewrite_log) {
        ngx_http_torii_rewrite_log(r, &location);
    }

    ctx->rewritten = 1;

    r->uri = location;
    r->valid_unparsed_uri = 0;

    ngx_http_set_exten(r);

    return NGX_DECLINED;
}


/* Both are decoded, and may hold line breaks. */

static void
ngx_http_torii_rewrite_log(ngx_http_request_t *r, ngx_str_t *target)
{
    ngx_str_t  from, to;

    if (ngx_http_torii_escape(r, &r->uri, &from) != NGX_OK
        || ngx_http_torii_escape(r, target, &to) != NGX_OK)
    {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "torii: \"%V\" is rewritten to \"%V\"", &from, &to);
}


static ngx_int_t
ngx_http_torii_escape(ngx_http_request_t *r, ngx_str_t *text,
    ngx_str_t *escaped)
{
    u_char     *p;
    uintptr_t   n;

    n = ngx_escape_uri(NULL, text->data, text->len, NGX_ESCAPE_URI);

    p = ngx_pnalloc(r->pool, text->len + 2 * n);
    if (p == NULL) {
        return NGX_ERROR;
    }

    escaped->data = p;
    p = (u_char *) ngx_escape_uri(p, text->data, text->len, NGX_ESCAPE_URI);
    escaped->len = p - escaped->data;

    return NGX_OK;
}


/*
 * Captures are of the decoded path, and may hold line breaks.  What the target
 * itself is made of needs no escaping.
 */

static ngx_int_t
ngx_http_torii_redirect_away(ngx_http_request_t *r, ngx_str_t *target)
{
    u_char     *p;
    uintptr_t   escape;
    ngx_str_t   location;

    escape = ngx_escape_uri(NULL, target->data, target->len, NGX_ESCAPE_URI);

    location.data = ngx_pnalloc(r->pool, target->len + 2 * escape + 1
                                         + r->args.len);
    if (location.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = (u_char *) ngx_escape_uri(location.data, target->data, target->len,
                                  NGX_ESCAPE_URI);

    if (r->args.len) {
        *p++ = '?';
        p = ngx_cpymem(p, r->args.data, r->args.len);
    }

    location.len = p - location.data;

    return ngx_http_torii_redirect(r, NGX_HTTP_MOVED_TEMPORARILY, &location);
}


static ngx_str_t
ngx_http_torii_cut_slash(ngx_str_t *uri)
{
    ngx_str_t  cut;

    cut = *uri;

    if (cut.len && cut.data[cut.len - 1] == '/') {
        cut.len--;
    }

    return cut;
}
