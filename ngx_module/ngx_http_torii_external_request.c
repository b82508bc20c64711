
/*
 * The request that another server decides by: the client's headers, without
 * what is between two hops and what only a gateway may say; and what a gateway
 * says.
 */

#include "ngx_http_torii_external.h"

#include <openssl/evp.h>


#define NGX_HTTP_TORII_EXTERNAL_HEADERS  256


typedef struct {
    char        *lines[NGX_HTTP_TORII_EXTERNAL_HEADERS + 1];
    ngx_uint_t   n;
    ngx_uint_t   failed;
} ngx_http_torii_external_lines_t;


static void ngx_http_torii_external_line(ngx_http_request_t *r,
    ngx_http_torii_external_lines_t *l, ngx_str_t *name, ngx_str_t *value);
static void ngx_http_torii_external_client(ngx_http_request_t *r,
    ngx_http_torii_external_lines_t *l);
static ngx_uint_t ngx_http_torii_external_passes(ngx_table_elt_t *h);
static ngx_int_t ngx_http_torii_external_gateway(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login,
    ngx_http_torii_external_lines_t *l);
static ngx_int_t ngx_http_torii_external_extra(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login,
    ngx_http_torii_external_lines_t *l);
static char **ngx_http_torii_external_wanted(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login);
static ngx_int_t ngx_http_torii_external_asked(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login,
    EVP_MD_CTX *md);
static ngx_int_t ngx_http_torii_external_digest(EVP_MD_CTX *md, ngx_str_t *s);


/* Of the client's headers these stay here (RFC 9110 section 7.6.1). */

static ngx_str_t  ngx_http_torii_external_not[] = {
    ngx_string("host"),
    ngx_string("proxy"),               /* hidden */
    ngx_string("connection"),
    ngx_string("keep-alive"),
    ngx_string("proxy-connection"),
    ngx_string("proxy-authorization"),
    ngx_string("te"),
    ngx_string("trailer"),
    ngx_string("transfer-encoding"),
    ngx_string("upgrade"),
    ngx_string("expect"),
    ngx_string("content-length"),
    ngx_string("x-forwarded-for"),
    ngx_string("x-forwarded-proto"),
    ngx_string("x-forwarded-host"),
    ngx_string("x-forwarded-uri"),
    ngx_string("x-forwarded-method"),
    ngx_string("x-forwarded-port"),
    ngx_string("x-original-url"),
    ngx_string("x-original-uri"),
    ngx_string("x-original-method"),
    ngx_string("x-original-forwarded-for"),
    ngx_string("x-auth-request-redirect"),
    ngx_string("x-sent-from"),
    ngx_string("x-real-ip"),
    ngx_string("x-request-id"),
    ngx_string("x-scheme"),
    ngx_string("forwarded"),
    ngx_null_string
};


ngx_int_t
ngx_http_torii_external_request(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login,
    ngx_torii_verdict_conf_t *conf)
{
    char                             **headers;
    ngx_str_t                          url, method;
    ngx_http_torii_external_lines_t    l;

    ngx_memzero(conf, sizeof(ngx_torii_verdict_conf_t));
    l.n = 0;
    l.failed = 0;

    if (ngx_http_torii_expand(r, ctx, login->url, &url) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    method = ngx_http_torii_str(ctx, login->method);

    if (ngx_http_torii_external_gateway(r, ctx, login, &l) != NGX_OK
        || ngx_http_torii_external_extra(r, ctx, login, &l) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_torii_external_client(r, &l);

    if (l.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    l.lines[l.n++] = NULL;

    headers = ngx_palloc(r->pool, l.n * sizeof(char *));
    conf->wanted = ngx_http_torii_external_wanted(r, ctx, login);

    if (headers == NULL || conf->wanted == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(headers, l.lines, l.n * sizeof(char *));

    conf->request.method = method.len ? (char *) method.data : "GET";
    conf->request.url = (char *) url.data;
    conf->request.headers = headers;
    conf->request.timeout = login->timeout ? login->timeout
                                           : NGX_HTTP_TORII_EXTERNAL_TIMEOUT;
    conf->request.connect_timeout = NGX_HTTP_TORII_EXTERNAL_CONNECT;

    conf->request.foreign = (login->flags & INGRESS_LOGIN_LOCAL) == 0;

    conf->relay = (login->flags & INGRESS_LOGIN_RELAY) != 0;
    conf->rules = (const ingress_cache_rule_t *) (ctx->table->table.pool
                                                  + login->cache_rules.off);
    conf->nrules = login->cache_rules.len / sizeof(ingress_cache_rule_t);

    return NGX_OK;
}


static void
ngx_http_torii_external_line(ngx_http_request_t *r,
    ngx_http_torii_external_lines_t *l, ngx_str_t *name, ngx_str_t *value)
{
    u_char       *p;
    torii_str_t   text;

    text.len = value->len;
    text.data = value->data;

    if (l->n == NGX_HTTP_TORII_EXTERNAL_HEADERS) {
        l->failed = 1;
        return;
    }

    if (torii_str_has_control(text)
        && memchr(text.data, '\t', text.len) == NULL)
    {
        return;
    }

    p = ngx_pnalloc(r->pool, name->len + value->len + sizeof(": "));

    if (p == NULL) {
        l->failed = 1;
        return;
    }

    l->lines[l->n++] = (char *) p;

    /* libcurl takes "Name;" for an empty one */

    (void) ngx_sprintf(p, value->len ? "%V: %V%Z" : "%V;%Z", name, value);
}


static void
ngx_http_torii_external_client(ngx_http_request_t *r,
    ngx_http_torii_external_lines_t *l)
{
    ngx_table_elt_t       *h;
    ngx_http_torii_walk_t  walk;

    ngx_memzero(&walk, sizeof(ngx_http_torii_walk_t));

    while ((h = ngx_http_torii_walk(&walk, &r->headers_in.headers)) != NULL) {
        if (ngx_http_torii_external_passes(h)) {
            ngx_http_torii_external_line(r, l, &h->key, &h->value);
        }
    }
}


static ngx_uint_t
ngx_http_torii_external_passes(ngx_table_elt_t *h)
{
    ngx_str_t  *name;

    for (name = ngx_http_torii_external_not; name->len; name++) {
        if (name->len == h->key.len
            && ngx_strncasecmp(name->data, h->key.data, name->len) == 0)
        {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_torii_external_gateway(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login,
    ngx_http_torii_external_lines_t *l)
{
    ngx_str_t   url, redirect, id;
    ngx_uint_t  i;

    static ngx_str_t  request_id = ngx_string("request_id");
    static ngx_str_t  sent_from = ngx_string("nginx-ingress-controller");

    struct {
        ngx_str_t    name;
        ngx_str_t   *value;
    } set[] = {
        { ngx_string("X-Original-URL"), &url },
        { ngx_string("X-Original-Method"), &r->method_name },
        { ngx_string("X-Sent-From"), &sent_from },
        { ngx_string("X-Real-IP"), &r->connection->addr_text },
        { ngx_string("X-Forwarded-For"), &r->connection->addr_text },
        { ngx_string("X-Request-ID"), &id },
        { ngx_string("X-Auth-Request-Redirect"), &redirect },
        { ngx_string("X-Original-URI"), &r->unparsed_uri },
        { ngx_string("X-Scheme"), &ctx->scheme }
    };

    url.data = ngx_pnalloc(r->pool, ctx->scheme.len + sizeof("://")
                                    + ctx->best_host.len
                                    + r->unparsed_uri.len);
    if (url.data == NULL) {
        return NGX_ERROR;
    }

    url.len = ngx_sprintf(url.data, "%V://%V%V", &ctx->scheme,
                          &ctx->best_host, &r->unparsed_uri)
              - url.data;

    redirect = r->unparsed_uri;

    if (login->request_redirect.len
        && ngx_http_torii_expand(r, ctx, login->request_redirect, &redirect)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    id = ngx_http_torii_expand_value(r, ctx, &request_id);

    /* the last two only when auth-method is given */

    for (i = 0; i < sizeof(set) / sizeof(set[0]); i++) {

        if (i >= 7 && !(login->flags & INGRESS_LOGIN_METHOD)) {
            break;
        }

        ngx_http_torii_external_line(r, l, &set[i].name, set[i].value);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_external_extra(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login,
    ngx_http_torii_external_lines_t *l)
{
    ngx_str_t                       name, value;
    ngx_uint_t                      i, n;
    const ingress_login_header_t   *extra;

    extra = (const ingress_login_header_t *) (ctx->table->table.pool
                                              + login->set_headers.off);
    n = login->set_headers.len / sizeof(ingress_login_header_t);

    for (i = 0; i < n; i++) {
        name = ngx_http_torii_str(ctx, extra[i].name);

        if (ngx_http_torii_expand(r, ctx, extra[i].value, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_http_torii_external_line(r, l, &name, &value);
    }

    return NGX_OK;
}


static char **
ngx_http_torii_external_wanted(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login)
{
    char                 **wanted;
    ngx_uint_t             i, n;
    const ingress_ref_t   *names;

    names = (const ingress_ref_t *) (ctx->table->table.pool
                                     + login->response_headers.off);
    n = login->response_headers.len / sizeof(ingress_ref_t);

    wanted = ngx_palloc(r->pool, (n + 1) * sizeof(char *));
    if (wanted == NULL) {
        return NULL;
    }

    for (i = 0; i < n; i++) {
        wanted[i] = (char *) ngx_http_torii_str(ctx, names[i]).data;
    }

    wanted[n] = NULL;

    return wanted;
}


/*
 * Of host, path and server, of what it is asked, and key; and of the
 * credentials, unless the key names them: one person's "yes" is none for
 * another.
 */

ngx_int_t
ngx_http_torii_external_key(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    const ingress_table_login_t *login, u_char key[32])
{
    ngx_int_t    rc;
    ngx_str_t    url, text, credentials;
    torii_str_t  line;
    EVP_MD_CTX  *md;

    if (ngx_http_torii_expand(r, ctx, login->url, &url) != NGX_OK
        || ngx_http_torii_expand(r, ctx, login->cache_key, &text) != NGX_OK
        || ngx_http_torii_session_line(r, &line) != NGX_OK)
    {
        return NGX_ERROR;
    }

    md = EVP_MD_CTX_new();
    if (md == NULL) {
        return NGX_ERROR;
    }

    rc = (EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1) ? NGX_OK
                                                          : NGX_ERROR;

    if (rc == NGX_OK) {
        rc = ngx_http_torii_external_digest(md, &r->headers_in.server);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_torii_external_digest(md, &url);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_torii_external_digest(md, &text);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_torii_external_asked(r, ctx, login, md);
    }

    if (rc == NGX_OK
        && !ngx_http_torii_expands(ctx, login->cache_key, "cookie_")
        && !ngx_http_torii_expands(ctx, login->cache_key, "http_cookie"))
    {
        credentials.len = line.len;
        credentials.data = line.data;
        rc = ngx_http_torii_external_digest(md, &credentials);
    }

    if (rc == NGX_OK && r->headers_in.authorization
        && !ngx_http_torii_expands(ctx, login->cache_key,
                                   "http_authorization"))
    {
        rc = ngx_http_torii_external_digest(md,
                                        &r->headers_in.authorization->value);
    }

    if (rc == NGX_OK && EVP_DigestFinal_ex(md, key, NULL) != 1) {
        rc = NGX_ERROR;
    }

    EVP_MD_CTX_free(md);

    return rc;
}


/* One path may ask for more than another does of the same server. */

static ngx_int_t
ngx_http_torii_external_asked(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    const ingress_table_login_t *login, EVP_MD_CTX *md)
{
    ngx_str_t                       s;
    ngx_uint_t                      i, n;
    const ingress_ref_t            *names;
    const ingress_login_header_t   *extra;

    ngx_str_null(&s);

    if (ctx->route) {
        s = ngx_http_torii_str(ctx, ctx->route->path);
    }

    if (ngx_http_torii_external_digest(md, &s) != NGX_OK) {
        return NGX_ERROR;
    }

    s = ngx_http_torii_str(ctx, login->method);

    if (ngx_http_torii_external_digest(md, &s) != NGX_OK) {
        return NGX_ERROR;
    }

    extra = (const ingress_login_header_t *) (ctx->table->table.pool
                                              + login->set_headers.off);
    n = login->set_headers.len / sizeof(ingress_login_header_t);

    for (i = 0; i < n; i++) {
        s = ngx_http_torii_str(ctx, extra[i].name);

        if (ngx_http_torii_external_digest(md, &s) != NGX_OK
            || ngx_http_torii_expand(r, ctx, extra[i].value, &s) != NGX_OK
            || ngx_http_torii_external_digest(md, &s) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    names = (const ingress_ref_t *) (ctx->table->table.pool
                                     + login->response_headers.off);
    n = login->response_headers.len / sizeof(ingress_ref_t);

    for (i = 0; i < n; i++) {
        s = ngx_http_torii_str(ctx, names[i]);

        if (ngx_http_torii_external_digest(md, &s) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* With its length in front, so that no two lists of strings are alike. */

static ngx_int_t
ngx_http_torii_external_digest(EVP_MD_CTX *md, ngx_str_t *s)
{
    return (EVP_DigestUpdate(md, &s->len, sizeof(s->len)) == 1
            && EVP_DigestUpdate(md, s->data, s->len) == 1)
           ? NGX_OK : NGX_ERROR;
}
