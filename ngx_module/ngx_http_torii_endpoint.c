
/*
 * The login's own paths, PREFIX/start and so on: whose they are, and what all
 * of them have in common.  Queries and forms hold codes and tokens: the request
 * line is cut before any log can show it.
 */

#include "ngx_http_torii_endpoint.h"


#define NGX_HTTP_TORII_GET    (NGX_HTTP_GET|NGX_HTTP_HEAD)
#define NGX_HTTP_TORII_ANY    0xffffffff


static ngx_http_torii_endpoint_t *ngx_http_torii_endpoint_create(
    ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx);
static ngx_uint_t ngx_http_torii_endpoint_named(ngx_str_t *uri);
static void ngx_http_torii_endpoint_cleanup(void *data);
static ngx_uint_t ngx_http_torii_endpoint_under(ngx_str_t *uri,
    torii_str_t prefix, torii_str_t *name);
static ngx_uint_t ngx_http_torii_endpoint_paths(ngx_torii_table_t *table,
    uint32_t first, uint32_t n, uint32_t index);
static void ngx_http_torii_endpoint_hide(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_endpoint_https(ngx_http_torii_endpoint_t *e);
static ngx_int_t ngx_http_torii_endpoint_body(ngx_http_torii_endpoint_t *e);
static void ngx_http_torii_endpoint_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_endpoint_body_read(
    ngx_http_torii_endpoint_t *e);
static ngx_int_t ngx_http_torii_endpoint_static(ngx_http_torii_endpoint_t *e);


static const struct {
    char                        *name;
    ngx_uint_t                   methods;
    unsigned                     https:1;      /* sets or reads our cookies of
                                                  a browser */
    unsigned                     prefix:1;     /* more may follow */
    unsigned                     session:1;    /* asks whose session it is */
    ngx_http_torii_endpoint_pt   handler;
} ngx_http_torii_endpoints[] = {

    { "start", NGX_HTTP_TORII_GET, 1, 0, 1,
      ngx_http_torii_endpoint_start },
    { "sign_in", NGX_HTTP_TORII_GET, 1, 0, 1,
      ngx_http_torii_endpoint_sign_in },
    { "callback", NGX_HTTP_GET|NGX_HTTP_POST, 1, 0, 1,
      ngx_http_torii_endpoint_callback },
    { "handoff", NGX_HTTP_GET, 1, 0, 1,
      ngx_http_torii_endpoint_handoff },
    { "sign_out", NGX_HTTP_TORII_GET|NGX_HTTP_POST, 1, 0, 1,
      ngx_http_torii_endpoint_sign_out },
    { "auth", NGX_HTTP_TORII_ANY, 0, 0, 1,
      ngx_http_torii_endpoint_auth },
    { "userinfo", NGX_HTTP_TORII_GET, 0, 0, 1,
      ngx_http_torii_endpoint_userinfo },
    { "backchannel-logout", NGX_HTTP_POST, 0, 0, 0,
      ngx_http_torii_endpoint_backchannel },
    { "static/", NGX_HTTP_TORII_GET, 0, 1, 0,
      ngx_http_torii_endpoint_static },
    { NULL, 0, 0, 0, 0, NULL }
};


ngx_int_t
ngx_http_torii_login_path(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_http_torii_endpoint_t  *e;

    if (ingress_table_n(&ctx->table->table, PROVIDERS) == 0
        || r->internal || r != r->main
        || !ngx_http_torii_endpoint_named(&r->uri))
    {
        return NGX_DECLINED;
    }

    e = ngx_http_torii_endpoint_create(r, ctx);
    if (e == NULL) {
        return NGX_DECLINED;
    }

    ngx_http_torii_endpoint_hide(r);

    rc = ngx_http_torii_endpoint_https(e);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (r->method != NGX_HTTP_POST || torii_str_eqs(e->name, "auth")) {
        e->params = e->args;
        return ngx_http_torii_endpoint_run(e);
    }

    return ngx_http_torii_endpoint_body(e);
}


/* Most requests need not look at the providers. */

static ngx_uint_t
ngx_http_torii_endpoint_named(ngx_str_t *uri)
{
    size_t       len;
    u_char      *p, *last;
    ngx_uint_t   i;

    last = uri->data + uri->len;

    for (i = 0; ngx_http_torii_endpoints[i].name; i++) {
        len = ngx_strlen(ngx_http_torii_endpoints[i].name);

        if (uri->len <= len) {
            continue;
        }

        if (ngx_http_torii_endpoints[i].prefix) {

            if (ngx_strnstr(uri->data, ngx_http_torii_endpoints[i].name,
                            uri->len))
            {
                return 1;
            }

            continue;
        }

        p = last - len;

        if (p[-1] == '/'
            && ngx_memcmp(p, ngx_http_torii_endpoints[i].name, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* NULL: it is not one of our paths, or there is no memory. */

static ngx_http_torii_endpoint_t *
ngx_http_torii_endpoint_create(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx)
{
    uint32_t                    i, n;
    torii_str_t                 host, name;
    ngx_pool_cleanup_t         *cln;
    ngx_http_torii_provider_t  *p;
    ngx_http_torii_endpoint_t  *e;

    e = NULL;
    host = ngx_http_torii_session_host(r);
    n = ingress_table_n(&ctx->table->table, PROVIDERS);

    for (i = 0; i < n; i++) {

        p = ngx_http_torii_provider(ctx->table, i, r->connection->log);

        if (p == NULL
            || !ngx_http_torii_endpoint_under(&r->uri, p->settings.prefix,
                                              &name)
            || (!torii_str_eq(host, p->settings.callback_host)
                && !ngx_http_torii_endpoint_serves(ctx->table, ctx->host, i)))
        {
            continue;
        }

        if (e == NULL) {
            cln = ngx_pool_cleanup_add(r->pool,
                                       sizeof(ngx_http_torii_endpoint_t));
            if (cln == NULL) {
                return NULL;
            }

            e = cln->data;
            ngx_memzero(e, sizeof(ngx_http_torii_endpoint_t));

            e->arena = torii_arena_create(4096);
            e->request = r;
            e->ctx = ctx;
            e->name = name;
            e->origin = ngx_http_torii_endpoint_origin(r, ctx, p);

            e->args = torii_str("");

            if (r->args.len) {
                e->args.data = r->args.data;
                e->args.len = r->args.len;
            }

            cln->handler = ngx_http_torii_endpoint_cleanup;

            if (ngx_http_torii_session_line(r, &e->line) != NGX_OK) {
                return NULL;
            }
        }

        if (e->n < NGX_HTTP_TORII_ENDPOINT_PROVIDERS) {
            e->indexes[e->n] = i;
            e->providers[e->n++] = p;
        }
    }

    return e;
}


/* The client may have gone while a provider was asked. */

static void
ngx_http_torii_endpoint_cleanup(void *data)
{
    ngx_http_torii_endpoint_t *e = data;

    if (e->task) {
        ngx_torii_login_abandon(e->task);
    }

    if (e->link) {
        e->link->endpoint = NULL;
    }

    if (e->op) {
        ngx_torii_redis_abandon(e->op);
    }

    torii_arena_destroy(e->arena);
}


static ngx_uint_t
ngx_http_torii_endpoint_under(ngx_str_t *uri, torii_str_t prefix,
    torii_str_t *name)
{
    if (uri->len <= prefix.len + 1
        || ngx_memcmp(uri->data, prefix.data, prefix.len) != 0
        || uri->data[prefix.len] != '/')
    {
        return 0;
    }

    name->data = uri->data + prefix.len + 1;
    name->len = uri->len - prefix.len - 1;

    return 1;
}


ngx_uint_t
ngx_http_torii_endpoint_serves(ngx_torii_table_t *table,
    const ingress_table_host_t *host, uint32_t index)
{
    return ngx_http_torii_endpoint_paths(table, host->exact, host->nexact,
                                         index)
           || ngx_http_torii_endpoint_paths(table, host->prefix, host->nprefix,
                                            index);
}


static ngx_uint_t
ngx_http_torii_endpoint_paths(ngx_torii_table_t *table, uint32_t first,
    uint32_t n, uint32_t index)
{
    uint32_t                      i, policy;
    const ingress_table_t        *t;
    const ingress_table_login_t  *login;

    t = &table->table;

    for (i = first; i < first + n; i++) {

        if (t->paths[i].route == INGRESS_NONE) {
            continue;
        }

        policy = t->routes[t->paths[i].route].policy;
        login = ngx_http_torii_login_of(table, &t->policies[policy]);

        if (login && login->provider == index) {
            return 1;
        }
    }

    return 0;
}


/* $request, $request_uri and $args, as logs have them, end before "?". */

static void
ngx_http_torii_endpoint_hide(ngx_http_request_t *r)
{
    u_char  *p, *q;

    r->args.len = 0;

    p = ngx_strlchr(r->unparsed_uri.data,
                    r->unparsed_uri.data + r->unparsed_uri.len, '?');
    if (p) {
        r->unparsed_uri.len = p - r->unparsed_uri.data;
    }

    p = ngx_strlchr(r->request_line.data,
                    r->request_line.data + r->request_line.len, '?');
    if (p == NULL) {
        return;
    }

    q = ngx_pnalloc(r->pool, r->request_line.len);
    if (q == NULL) {
        r->request_line.len = p - r->request_line.data;
        return;
    }

    r->request_line.len = ngx_sprintf(q, "%*s %V",
                                      (size_t) (p - r->request_line.data),
                                      r->request_line.data, &r->http_protocol)
                          - q;
    r->request_line.data = q;
}


/* A Secure cookie would not come, nor be kept. */

static ngx_int_t
ngx_http_torii_endpoint_https(ngx_http_torii_endpoint_t *e)
{
    ngx_uint_t            i;
    torii_buf_t           b;
    torii_str_t           location;
    ngx_http_request_t   *r;

    r = e->request;

    if (!e->providers[0]->settings.cookie.secure
        || (e->ctx->scheme.len == 5
            && ngx_strncmp(e->ctx->scheme.data, "https", 5) == 0))
    {
        return NGX_DECLINED;
    }

    for (i = 0; ngx_http_torii_endpoints[i].name; i++) {

        if (!torii_str_eqs(e->name, ngx_http_torii_endpoints[i].name)
            || !ngx_http_torii_endpoints[i].https)
        {
            continue;
        }

        if (!(r->method & NGX_HTTP_TORII_GET)
            || torii_str_eqs(e->name, "callback")
            || torii_str_eqs(e->name, "handoff"))
        {
            return NGX_HTTP_BAD_REQUEST;
        }

        ngx_memzero(&b, sizeof(torii_buf_t));

        torii_buf_adds(&b, "https://");
        torii_buf_add_str(&b, ngx_http_torii_session_host(r));
        torii_buf_add(&b, r->uri.data, r->uri.len);

        if (e->args.len) {
            torii_buf_adds(&b, "?");
            torii_buf_add_str(&b, e->args);
        }

        location.data = b.data;
        location.len = b.len;
        location = torii_arena_str(e->arena, location);
        torii_buf_free(&b);

        return ngx_http_torii_endpoint_redirect(r, location);
    }

    return NGX_DECLINED;
}


/* Short ones only, whose length is told. */

static ngx_int_t
ngx_http_torii_endpoint_body(ngx_http_torii_endpoint_t *e)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = e->request;

    if (r->headers_in.content_length_n < 0) {
        return NGX_HTTP_LENGTH_REQUIRED;
    }

    if (r->headers_in.content_length_n > NGX_HTTP_TORII_LOGIN_BODY) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r,
                                     ngx_http_torii_endpoint_body_handler);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


static void
ngx_http_torii_endpoint_body_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_pool_cleanup_t         *cln;
    ngx_http_torii_endpoint_t  *e;

    e = NULL;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_torii_endpoint_cleanup) {
            e = cln->data;
            break;
        }
    }

    if (e == NULL || ngx_http_torii_endpoint_body_read(e) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    rc = ngx_http_torii_endpoint_run(e);

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


static ngx_int_t
ngx_http_torii_endpoint_body_read(ngx_http_torii_endpoint_t *e)
{
    size_t        len;
    ssize_t       n;
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    e->params = torii_str("");

    if (e->request->request_body == NULL) {
        return NGX_OK;
    }

    p = torii_arena_alloc(e->arena, NGX_HTTP_TORII_LOGIN_BODY);
    e->params.data = p;

    for (cl = e->request->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;
        len = (size_t) ngx_buf_size(b);

        if (len > NGX_HTTP_TORII_LOGIN_BODY - e->params.len) {
            return NGX_ERROR;
        }

        if (len == 0) {
            continue;
        }

        if (b->in_file) {
            n = ngx_read_file(b->file, p + e->params.len, len, b->file_pos);

            if (n != (ssize_t) len) {
                return NGX_ERROR;
            }

        } else {
            ngx_memcpy(p + e->params.len, b->pos, len);
        }

        e->params.len += len;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_torii_endpoint_run(ngx_http_torii_endpoint_t *e)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    if (oauth2_form_read(e->arena, e->params, &e->form) != TORII_OK) {
        ngx_memzero(&e->form, sizeof(oauth2_form_t));
    }

    for (i = 0; ngx_http_torii_endpoints[i].name; i++) {

        if (ngx_http_torii_endpoints[i].prefix
            ? !torii_str_starts(e->name, ngx_http_torii_endpoints[i].name)
            : !torii_str_eqs(e->name, ngx_http_torii_endpoints[i].name))
        {
            continue;
        }

        if (!(e->request->method & ngx_http_torii_endpoints[i].methods)
            && ngx_http_torii_endpoints[i].methods != NGX_HTTP_TORII_ANY)
        {
            return NGX_HTTP_NOT_ALLOWED;
        }

        rc = ngx_http_torii_endpoints[i].session
             ? ngx_http_torii_endpoint_ready(e) : NGX_OK;

        switch (rc) {

        case NGX_OK:
            return ngx_http_torii_endpoints[i].handler(e);

        case NGX_AGAIN:
            return ngx_http_torii_endpoint_wait(e);

        default:
            return ngx_http_torii_endpoint_down(e, e->providers[0]);
        }
    }

    return NGX_HTTP_NOT_FOUND;
}


static ngx_int_t
ngx_http_torii_endpoint_static(ngx_http_torii_endpoint_t *e)
{
    ngx_int_t    rc;
    torii_str_t  name;

    name.data = e->name.data + sizeof("static/") - 1;
    name.len = e->name.len - (sizeof("static/") - 1);

    rc = ngx_http_torii_page_static(e->request, name);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ngx_http_finalize_request(e->request, rc);

    return NGX_DONE;
}
