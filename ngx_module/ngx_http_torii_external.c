
/*
 * Another server decides ("auth-url"): it is sent the request's headers, and
 * its status lets the request in (2xx), or not (401, 403).  Anything else, and
 * no answer, keeps everybody out.
 */

#include "ngx_http_torii_external.h"


static ngx_int_t ngx_http_torii_external_begin(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login,
    ngx_http_torii_waiting_t *w);
static void ngx_http_torii_external_left(void *data);
static ngx_int_t ngx_http_torii_external_end(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login,
    ngx_torii_verdict_t *v);
static ngx_int_t ngx_http_torii_external_pass(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login,
    ngx_torii_verdict_t *v);
static ngx_int_t ngx_http_torii_external_signin(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login);
static ngx_uint_t ngx_http_torii_external_has(ngx_str_t *url,
    ngx_str_t *param);
static ngx_int_t ngx_http_torii_external_relay(ngx_http_request_t *r,
    ngx_torii_verdict_t *v);
static ngx_int_t ngx_http_torii_external_body(ngx_http_request_t *r,
    ngx_torii_verdict_t *v);
static ngx_str_t *ngx_http_torii_external_header(ngx_torii_verdict_t *v,
    char *name);
static ngx_int_t ngx_http_torii_external_add(ngx_http_request_t *r, char *name,
    ngx_str_t *value);


ngx_int_t
ngx_http_torii_external(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    const ingress_table_login_t *login)
{
    ngx_int_t                  rc;
    ngx_pool_cleanup_t        *cln;
    ngx_http_torii_waiting_t  *w;

    w = ctx->verdict;

    if (w == NULL) {
        cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_torii_waiting_t));
        if (cln == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        w = cln->data;
        ngx_memzero(w, sizeof(ngx_http_torii_waiting_t));
        w->request = r;

        cln->handler = ngx_http_torii_external_left;
        ctx->verdict = w;

        rc = ngx_http_torii_external_begin(r, ctx, login, w);
        if (rc != NGX_OK) {
            ctx->auth_status = "error";
            return rc;
        }
    }

    if (!w->verdict->done) {

        if (w->began == 0) {
            w->began = ngx_current_msec ? ngx_current_msec : 1;
        }

        if (ngx_current_msec - w->began < NGX_HTTP_TORII_EXTERNAL_WAIT) {
            return ngx_http_torii_gate_wait(r, NGX_HTTP_TORII_EXTERNAL_WAIT);
        }

        ctx->auth_status = "error";
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    return ngx_http_torii_external_end(r, ctx, login, w->verdict);
}


static ngx_int_t
ngx_http_torii_external_begin(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    const ingress_table_login_t *login, ngx_http_torii_waiting_t *w)
{
    u_char                     key[32];
    ngx_int_t                  rc;
    ngx_uint_t                 keyed;
    ngx_torii_verdict_conf_t   conf;

    keyed = login->cache_key.len != 0;

    if (keyed) {
        rc = ngx_http_torii_external_key(r, ctx, login, key);
        if (rc != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        w->verdict = ngx_torii_verdict_find(key);

        if (w->verdict) {
            ngx_torii_login_meter_asked(NGX_TORII_ASKED_CACHED);
        }
    }

    if (w->verdict == NULL) {
        rc = ngx_http_torii_external_request(r, ctx, login, &conf);
        if (rc != NGX_OK) {
            return rc;
        }

        w->verdict = ngx_torii_verdict_ask(keyed ? key : NULL, &conf);
        if (w->verdict == NULL) {
            return NGX_HTTP_SERVICE_UNAVAILABLE;
        }
    }

    if (!w->verdict->done) {
        ngx_queue_insert_tail(&w->verdict->waiting, &w->queue);
        w->queued = 1;
    }

    return NGX_OK;
}


static void
ngx_http_torii_external_left(void *data)
{
    ngx_http_torii_waiting_t *w = data;

    if (w->queued) {
        ngx_queue_remove(&w->queue);
    }

    if (w->verdict) {
        ngx_torii_verdict_leave(w->verdict);
    }
}


static ngx_int_t
ngx_http_torii_external_end(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    const ingress_table_login_t *login, ngx_torii_verdict_t *v)
{
    ngx_str_t  *value;

    if (v->status >= NGX_HTTP_OK && v->status < NGX_HTTP_SPECIAL_RESPONSE) {
        ngx_torii_login_meter_asked(NGX_TORII_ASKED_ALLOWED);
        ctx->auth_status = "ok";
        return ngx_http_torii_external_pass(r, ctx, login, v);
    }

    ngx_torii_login_meter_asked(v->status == NGX_HTTP_UNAUTHORIZED
                                || v->status == NGX_HTTP_FORBIDDEN
                                || ((login->flags & INGRESS_LOGIN_RELAY)
                                    && v->status >= 300
                                    && v->status
                                       < NGX_HTTP_INTERNAL_SERVER_ERROR)
                                ? NGX_TORII_ASKED_DENIED
                                : NGX_TORII_ASKED_FAILED);

    ctx->auth_status = "deny";

    if ((login->flags & INGRESS_LOGIN_RELAY) && v->status >= 300
        && v->status < NGX_HTTP_INTERNAL_SERVER_ERROR)
    {
        return ngx_http_torii_external_relay(r, v);
    }

    switch (v->status) {

    case NGX_HTTP_UNAUTHORIZED:

        if (login->signin.len) {
            return ngx_http_torii_external_signin(r, ctx, login);
        }

        value = ngx_http_torii_external_header(v, "WWW-Authenticate");

        if (value
            && ngx_http_torii_external_add(r, "WWW-Authenticate", value)
               != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return NGX_HTTP_UNAUTHORIZED;

    case NGX_HTTP_FORBIDDEN:
        return NGX_HTTP_FORBIDDEN;

    default:
        ctx->auth_status = "error";

        if (v->status == 0) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "torii: no answer of the server of auth-url: %s",
                          v->error);

        } else {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "torii: the server of auth-url answered %ui, which "
                          "lets nobody in", v->status);
        }

        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }
}


/* What the server did not say, the client may not say either. */

static ngx_int_t
ngx_http_torii_external_pass(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    const ingress_table_login_t *login, ngx_torii_verdict_t *v)
{
    ngx_str_t             name, *value;
    ngx_uint_t            i, n;
    torii_str_t           text;
    const ingress_ref_t  *names;

    ngx_http_torii_login_strip(r, ctx, login);

    names = (const ingress_ref_t *) (ctx->table->table.pool
                                     + login->response_headers.off);
    n = login->response_headers.len / sizeof(ingress_ref_t);

    for (i = 0; i < n; i++) {
        name = ngx_http_torii_str(ctx, names[i]);
        value = ngx_http_torii_external_header(v, (char *) name.data);

        if (value == NULL || value->len == 0) {
            continue;
        }

        text.len = value->len;
        text.data = value->data;

        /* as long as the request, the verdict is there */

        if (ngx_http_torii_login_push(r, &name, text) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return NGX_DECLINED;
}


/* 302, with where to come back to, unless that is said already. */

static ngx_int_t
ngx_http_torii_external_signin(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login)
{
    u_char           *p;
    ngx_str_t         url, param, uri, to;
    ngx_table_elt_t  *h;

    static ngx_str_t  escaped = ngx_string("escaped_request_uri");

    if (ngx_http_torii_expand(r, ctx, login->signin, &url) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    param = ngx_http_torii_str(ctx, login->signin_param);
    to = url;

    if (param.len && !ngx_http_torii_external_has(&url, &param)) {

        uri = ngx_http_torii_expand_value(r, ctx, &escaped);

        to.data = ngx_pnalloc(r->pool, url.len + param.len + ctx->scheme.len
                                       + ctx->best_host.len + uri.len
                                       + sizeof("?=://"));
        if (to.data == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        p = ngx_sprintf(to.data, "%V%s%V=%V://%V%V", &url,
                        ngx_strlchr(url.data, url.data + url.len, '?')
                        ? "&" : "?",
                        &param, &ctx->scheme, &ctx->best_host, &uri);
        to.len = p - to.data;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL || ngx_http_torii_session_no_store(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Location");
    h->value = to;

    r->headers_out.location = h;

    return NGX_HTTP_MOVED_TEMPORARILY;
}


static ngx_uint_t
ngx_http_torii_external_has(ngx_str_t *url, ngx_str_t *param)
{
    u_char  *p, *last;

    last = url->data + url->len;
    p = ngx_strlchr(url->data, last, '?');

    while (p && p < last) {
        p++;

        if ((size_t) (last - p) > param->len && p[param->len] == '='
            && ngx_strncmp(p, param->data, param->len) == 0)
        {
            return 1;
        }

        p = ngx_strlchr(p, last, '&');
    }

    return 0;
}


/* Whole, as Traefik's users expect it: status, Location, cookies and body. */

static ngx_int_t
ngx_http_torii_external_relay(ngx_http_request_t *r, ngx_torii_verdict_t *v)
{
    ngx_int_t    rc;
    ngx_str_t   *value;
    ngx_uint_t   i;

    static char  *names[] = { "Location", "WWW-Authenticate", NULL };

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 0; names[i]; i++) {
        value = ngx_http_torii_external_header(v, names[i]);

        if (value && ngx_http_torii_external_add(r, names[i], value)
                     != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    value = ngx_http_torii_external_header(v, "Content-Type");

    if (value) {
        r->headers_out.content_type = *value;
        r->headers_out.content_type_len = value->len;
    }

    r->headers_out.status = v->status;

    ngx_http_finalize_request(r, ngx_http_torii_external_body(r, v));

    return NGX_DONE;
}


/* ngx_http_send_response() would take the body of a redirect for its URL. */

static ngx_int_t
ngx_http_torii_external_body(ngx_http_request_t *r, ngx_torii_verdict_t *v)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    if (v->body.len == 0 || v->status == NGX_HTTP_NOT_MODIFIED) {
        r->header_only = 1;
    }

    if (v->status != NGX_HTTP_NOT_MODIFIED) {
        r->headers_out.content_length_n = v->body.len;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = v->body.data;
    b->last = v->body.data + v->body.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_str_t *
ngx_http_torii_external_header(ngx_torii_verdict_t *v, char *name)
{
    size_t      len;
    ngx_uint_t  i;

    len = ngx_strlen(name);

    for (i = 0; i < v->n; i++) {
        if (v->headers[i].name.len == len
            && ngx_strncasecmp(v->headers[i].name.data, (u_char *) name, len)
               == 0)
        {
            return &v->headers[i].value;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_torii_external_add(ngx_http_request_t *r, char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = NGX_HTTP_TORII_OURS;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return NGX_OK;
}


/* Each line of its own: joined ones are no cookies. */

ngx_int_t
ngx_http_torii_external_cookies(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx)
{
    ngx_uint_t                    i, status;
    ngx_torii_verdict_t          *v;
    ngx_http_torii_waiting_t     *w;
    const ingress_table_login_t  *login;

    static ngx_uint_t  statuses[] = { 200, 201, 204, 206, 301, 302, 303, 304,
                                      307, 308, 0 };

    w = ctx->verdict;
    v = w->verdict;

    if (v == NULL || !v->done) {
        return NGX_OK;
    }

    login = &ctx->table->table.logins[ctx->policy->login - 1];
    status = r->err_status ? r->err_status : r->headers_out.status;

    for (i = 0; statuses[i] && statuses[i] != status; i++) { /* void */ }

    if (statuses[i] == 0
        && !(login->flags & (INGRESS_LOGIN_SET_COOKIE|INGRESS_LOGIN_RELAY)))
    {
        return NGX_OK;
    }

    for (i = 0; i < v->n; i++) {

        if (ngx_strcasecmp(v->headers[i].name.data, (u_char *) "Set-Cookie")
            == 0
            && ngx_http_torii_external_add(r, "Set-Cookie",
                                           &v->headers[i].value)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
