
/*
 * What a request says of itself and of those it came through.  Headers that
 * claim where a request came from are believed of trusted peers only; of all
 * others they are replaced (by the generated configuration) or hidden here.
 */

#include "ngx_http_torii.h"

#include "oauth2_header.h"


#define NGX_HTTP_TORII_HEADER(name, field)                                    \
    { ngx_string(name), offsetof(ngx_http_torii_ctx_t, field) }


typedef struct {
    ngx_str_t             name;
    size_t                offset;      /* ngx_table_elt_t * in ctx */
} ngx_http_torii_header_t;


typedef struct {
    ngx_str_t             value;
    size_t                size;        /* of value.data if it is ours, or 0 */
} ngx_http_torii_list_t;


typedef struct {
    ngx_connection_t     *connection;
    struct sockaddr      *sockaddr;
    socklen_t             socklen;
    ngx_str_t             addr_text;
} ngx_http_torii_realip_t;


static void ngx_http_torii_headers_again(ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_ctx_t *before);
static void ngx_http_torii_header_take(ngx_http_torii_ctx_t *ctx,
    ngx_table_elt_t *h);
static ngx_uint_t ngx_http_torii_header_is_claim(ngx_table_elt_t *h);
static ngx_uint_t ngx_http_torii_header_begins(ngx_table_elt_t *h,
    ngx_str_t *name);
static ngx_int_t ngx_http_torii_header_join(ngx_http_request_t *r,
    ngx_http_torii_list_t *list, ngx_str_t *value);
static void ngx_http_torii_upgrade(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static void ngx_http_torii_cors_origin(ngx_http_torii_ctx_t *ctx);
static ngx_int_t ngx_http_torii_best_host(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_uint_t ngx_http_torii_is_host(ngx_str_t *host);
static void ngx_http_torii_scheme(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static void ngx_http_torii_first_element(ngx_str_t *list, ngx_str_t *first);
static ngx_str_t ngx_http_torii_vhost_value(ngx_http_torii_ctx_t *ctx,
    torii_str_t *name);
static ngx_int_t ngx_http_torii_realip(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_str_t *value);
static void ngx_http_torii_realip_cleanup(void *data);


static ngx_http_torii_header_t  ngx_http_torii_headers[] = {
    NGX_HTTP_TORII_HEADER("origin", origin),
    NGX_HTTP_TORII_HEADER("upgrade", upgrade),
    NGX_HTTP_TORII_HEADER("x-request-id", request_id),
    NGX_HTTP_TORII_HEADER("x-forwarded-proto", forwarded_proto),
    NGX_HTTP_TORII_HEADER("x-forwarded-host", forwarded_host),
    NGX_HTTP_TORII_HEADER("x-forwarded-port", forwarded_port),
    NGX_HTTP_TORII_HEADER("x-forwarded-prefix", forwarded_prefix),
    { ngx_null_string, 0 }
};


/*
 * Names, and beginnings of names, that only a gateway may use towards a
 * backend.  To many backends "_" is the same as "-".
 */

static ngx_str_t  ngx_http_torii_claims[] = {
    ngx_string("forwarded"),
    ngx_string("x-real-ip"),
    ngx_string("x-scheme"),
    ngx_string("x-forwarded-"),
    ngx_string("x-original-"),
    ngx_string("x-auth-request-"),
    ngx_null_string
};


ngx_int_t
ngx_http_torii_request_headers(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_ctx_t *before)
{
    u_char                  *c;
    ngx_int_t                rc;
    ngx_str_t                name;
    ngx_uint_t               is_client, is_forwarded_for;
    ngx_table_elt_t         *h;
    ngx_http_torii_walk_t    walk;
    ngx_http_torii_list_t    client, chain;
    const ingress_global_t  *global;

    static ngx_str_t         forwarded_for = ngx_string("x-forwarded-for");

    if (before) {
        ngx_http_torii_headers_again(ctx, before);
        return NGX_OK;
    }

    global = &ctx->table->table.header->global;

    ctx->peer_text = r->connection->addr_text;

    ctx->trusted = global->use_forwarded_headers
                   && ngx_cidr_match(r->connection->sockaddr,
                                     ctx->table->trusted)
                      == NGX_OK;

    name = ngx_http_torii_str(ctx, global->forwarded_for_header);
    ngx_memzero(&client, sizeof(ngx_http_torii_list_t));
    ngx_memzero(&chain, sizeof(ngx_http_torii_list_t));

    ngx_memzero(&walk, sizeof(ngx_http_torii_walk_t));

    while ((h = ngx_http_torii_walk(&walk, &r->headers_in.headers)) != NULL) {
        c = h->lowcase_key;

        is_client = h->key.len == name.len
                    && ngx_strncasecmp(c, name.data, name.len) == 0;

        if (is_client
            && ngx_http_torii_header_join(r, &client, &h->value) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (c[0] != 'x' && c[0] != 'o' && c[0] != 'u' && c[0] != 'f'
            && c[0] != 'r' && c[0] != 'g')
        {
            continue;
        }

        is_forwarded_for = h->key.len == forwarded_for.len
                           && ngx_strncmp(c, forwarded_for.data,
                                          forwarded_for.len)
                              == 0;

        if (is_forwarded_for
            && ngx_http_torii_header_join(r, &chain, &h->value) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_http_torii_header_take(ctx, h);

        if (!ctx->trusted && ngx_http_torii_header_is_claim(h)) {
            ngx_http_torii_header_hide(h);
        }
    }

    ctx->forwarded_for = chain.value;

    rc = ngx_http_torii_best_host(r, ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_torii_scheme(r, ctx);
    ngx_http_torii_upgrade(r, ctx);
    ngx_http_torii_cors_origin(ctx);

    if (client.value.len && (global->use_forwarded_headers
                             || global->enable_real_ip))
    {
        return ngx_http_torii_realip(r, ctx, &client.value);
    }

    return NGX_OK;
}


/*
 * Headers are hidden by now, and the connection has the client's address: what
 * was found before counts, whichever table is in force.
 */

static void
ngx_http_torii_headers_again(ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_ctx_t *before)
{
    ngx_table_elt_t         **to, **from;
    ngx_http_torii_header_t  *known;

    ctx->trusted = before->trusted;
    ctx->best_host = before->best_host;
    ctx->scheme = before->scheme;
    ctx->peer_text = before->peer_text;
    ctx->forwarded_for = before->forwarded_for;

    for (known = ngx_http_torii_headers; known->name.len; known++) {
        to = (ngx_table_elt_t **) ((u_char *) ctx + known->offset);
        from = (ngx_table_elt_t **) ((u_char *) before + known->offset);

        *to = *from;
    }

    ngx_http_torii_cors_origin(ctx);
}


static void
ngx_http_torii_header_take(ngx_http_torii_ctx_t *ctx, ngx_table_elt_t *h)
{
    ngx_table_elt_t          **field;
    ngx_http_torii_header_t   *known;

    for (known = ngx_http_torii_headers; known->name.len; known++) {

        if (known->name.len == h->key.len
            && ngx_strncmp(known->name.data, h->lowcase_key, h->key.len) == 0)
        {
            field = (ngx_table_elt_t **) ((u_char *) ctx + known->offset);

            if (*field == NULL) {
                *field = h;
            }

            return;
        }
    }
}


static ngx_uint_t
ngx_http_torii_header_is_claim(ngx_table_elt_t *h)
{
    ngx_str_t    *claim;
    torii_str_t   name;

    for (claim = ngx_http_torii_claims; claim->len; claim++) {

        if (ngx_http_torii_header_begins(h, claim)
            && (h->key.len == claim->len
                || claim->data[claim->len - 1] == '-'))
        {
            return 1;
        }
    }

    name.len = h->key.len;
    name.data = h->key.data;

    return oauth2_header_ours(name);
}


static ngx_uint_t
ngx_http_torii_header_begins(ngx_table_elt_t *h, ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    if (h->key.len < name->len) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        c = h->lowcase_key[i];

        if (c != name->data[i] && !(c == '_' && name->data[i] == '-')) {
            return 0;
        }
    }

    return 1;
}


/*
 * nginx keeps pointers to headers, so none can be taken out of the list.  One
 * named "Proxy" is passed on by none of the template locations.
 */

void
ngx_http_torii_header_hide(ngx_table_elt_t *h)
{
    static u_char  proxy[] = "proxy";

    h->hash = ngx_hash_key(proxy, sizeof(proxy) - 1);
    h->key.len = sizeof(proxy) - 1;
    h->key.data = proxy;
    h->lowcase_key = proxy;
}


/* The room doubles: a client may send a thousand short ones. */

static ngx_int_t
ngx_http_torii_header_join(ngx_http_request_t *r, ngx_http_torii_list_t *list,
    ngx_str_t *value)
{
    u_char  *p;
    size_t   len;

    if (list->value.len == 0) {
        list->value = *value;
        return NGX_OK;
    }

    len = list->value.len + 2 + value->len;

    if (len > list->size) {

        p = ngx_pnalloc(r->pool, 2 * len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(p, list->value.data, list->value.len);

        list->value.data = p;
        list->size = 2 * len;
    }

    p = list->value.data + list->value.len;
    *p++ = ',';
    *p++ = ' ';
    ngx_memcpy(p, value->data, value->len);

    list->value.len = len;

    return NGX_OK;
}


/*
 * Only HTTP/1.1 has upgrades.  One to HTTP/2 would open a tunnel in which more
 * requests reach the backend than were let through, and no client needs it
 * (RFC 9113 section 3.1).
 */

static void
ngx_http_torii_upgrade(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    u_char     *last;
    ngx_str_t  *value;

    if (ctx->upgrade == NULL) {
        return;
    }

    value = &ctx->upgrade->value;
    last = value->data + value->len;

    if (r->http_version == NGX_HTTP_VERSION_11
        && ngx_strlcasestrn(value->data, last, (u_char *) "h2c", 3 - 1)
           == NULL)
    {
        return;
    }

    ctx->upgrade = NULL;
    r->headers_in.upgrade = NULL;
}


static void
ngx_http_torii_cors_origin(ngx_http_torii_ctx_t *ctx)
{
    torii_str_t              origin;
    const ingress_policy_t  *policy;

    policy = ctx->policy;

    if (!policy->cors) {
        return;
    }

    if (policy->cors_any_origin) {
        ctx->cors = 1;
        return;
    }

    if (ctx->origin) {
        origin.len = ctx->origin->value.len;
        origin.data = ctx->origin->value.data;

        ctx->cors = ingress_cors_match(policy, ctx->table->table.pool, origin);
    }
}


/*
 * The host that the request is for, with the port if the client gave one.  An
 * absolute request target decides over Host, as it did for the route
 * (RFC 9112 section 3.2.2).  Its port is read again: nginx's own pointer to it
 * is not moved with the request line when that outgrows a buffer.
 */

static ngx_int_t
ngx_http_torii_best_host(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    u_char  *last;

    if (ctx->trusted && ctx->forwarded_host) {
        ngx_http_torii_first_element(&ctx->forwarded_host->value,
                                     &ctx->best_host);
        if (ctx->best_host.len) {
            return NGX_OK;
        }
    }

    if (r->host_start && r->host_end && r->http_version < NGX_HTTP_VERSION_20) {
        last = r->host_end;

        if (*last == ':') {
            do {
                last++;
            } while (*last >= '0' && *last <= '9');
        }

        ctx->best_host.data = r->host_start;
        ctx->best_host.len = last - r->host_start;
        return NGX_OK;
    }

    ctx->best_host = r->headers_in.host ? r->headers_in.host->value
                                        : r->headers_in.server;

    if (!ngx_http_torii_is_host(&ctx->best_host)) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "client sent invalid port in host header \"%V\"",
                      &ctx->best_host);
        return NGX_HTTP_BAD_REQUEST;
    }

    return NGX_OK;
}


/* nginx looks at what is before ":"; backends make links of all of it. */

static ngx_uint_t
ngx_http_torii_is_host(ngx_str_t *host)
{
    u_char     *p, *last;
    ngx_str_t   name;

    name = ngx_http_torii_hostname(host);

    p = name.data + name.len;
    last = host->data + host->len;

    if (p < last) {
        p++;
    }

    while (p < last) {
        if (*p < '0' || *p > '9') {
            return 0;
        }

        p++;
    }

    return 1;
}


static void
ngx_http_torii_scheme(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    if (ctx->trusted && ctx->forwarded_proto) {
        ngx_http_torii_first_element(&ctx->forwarded_proto->value,
                                     &ctx->scheme);
        if (ctx->scheme.len) {
            return;
        }
    }

    ngx_str_set(&ctx->scheme, "http");

#if (NGX_HTTP_SSL)
    if (r->connection->ssl) {
        ngx_str_set(&ctx->scheme, "https");
    }
#endif

    /* a balancer in front may have ended the client's TLS */

    if (r->connection->proxy_protocol
        && r->connection->proxy_protocol->dst_port == 443)
    {
        ngx_str_set(&ctx->scheme, "https");
    }
}


static void
ngx_http_torii_first_element(ngx_str_t *list, ngx_str_t *first)
{
    u_char  *p, *last;

    p = list->data;
    last = ngx_strlchr(p, p + list->len, ',');

    if (last == NULL) {
        last = p + list->len;
    }

    while (p < last && *p == ' ') {
        p++;
    }

    while (last > p && last[-1] == ' ') {
        last--;
    }

    first->data = p;
    first->len = last - p;
}


/* As nginx's realip module does, with the networks of the table. */

static ngx_int_t
ngx_http_torii_realip(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_str_t *value)
{
    size_t                    len;
    u_char                   *p;
    u_char                    text[NGX_SOCKADDR_STRLEN];
    ngx_addr_t                addr;
    ngx_connection_t         *c;
    ngx_pool_cleanup_t       *cln;
    ngx_http_torii_realip_t  *realip;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_torii_realip_cleanup) {
            return NGX_OK;
        }
    }

    c = r->connection;

    addr.sockaddr = c->sockaddr;
    addr.socklen = c->socklen;

    if (ngx_http_get_forwarded_addr(r, &addr, NULL, value, ctx->table->trusted,
                                    1)
        == NGX_DECLINED)
    {
        return NGX_OK;
    }

    len = ngx_sock_ntop(addr.sockaddr, addr.socklen, text, NGX_SOCKADDR_STRLEN,
                        0);
    if (len == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(p, text, len);

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_torii_realip_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    realip = cln->data;
    realip->connection = c;
    realip->sockaddr = c->sockaddr;
    realip->socklen = c->socklen;
    realip->addr_text = c->addr_text;

    cln->handler = ngx_http_torii_realip_cleanup;

    c->sockaddr = addr.sockaddr;
    c->socklen = addr.socklen;
    c->addr_text.len = len;
    c->addr_text.data = p;

    return NGX_OK;
}


static void
ngx_http_torii_realip_cleanup(void *data)
{
    ngx_http_torii_realip_t  *realip = data;

    ngx_connection_t  *c;

    c = realip->connection;

    c->sockaddr = realip->sockaddr;
    c->socklen = realip->socklen;
    c->addr_text = realip->addr_text;
}


void
ngx_http_torii_port(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_str_t *port)
{
    if (ctx->trusted && ctx->forwarded_port) {
        *port = ctx->forwarded_port->value;
        return;
    }

    if (r->connection->proxy_protocol
        && r->connection->proxy_protocol->dst_port)
    {
        port->len = ngx_sprintf(port->data, "%ui", (ngx_uint_t)
                                r->connection->proxy_protocol->dst_port)
                    - port->data;
        return;
    }

#if (NGX_HTTP_SSL)
    if (r->connection->ssl) {
        ngx_str_set(port, "443");
        return;
    }
#endif

    if (ngx_connection_local_sockaddr(r->connection, NULL, 0) != NGX_OK) {
        ngx_str_set(port, "80");
        return;
    }

    port->len = ngx_sprintf(port->data, "%ui", (ngx_uint_t)
                            ngx_inet_get_port(r->connection->local_sockaddr))
                - port->data;
}


ngx_int_t
ngx_http_torii_vhost(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_str_t *vhost)
{
    u_char       *p;
    size_t        i, n;
    ngx_str_t     text, value;
    torii_buf_t   buf;
    torii_str_t   name;

    text = ngx_http_torii_str(ctx, ctx->policy->upstream_vhost);

    if (ngx_strlchr(text.data, text.data + text.len, '$') == NULL) {
        *vhost = text;
        return NGX_OK;
    }

    ngx_memzero(&buf, sizeof(torii_buf_t));

    for (i = 0; i < text.len; i += n) {

        n = ingress_vhost_variable(text.data + i, text.len - i, &name);

        if (n == 0) {
            torii_buf_add(&buf, text.data + i, 1);
            n = 1;
            continue;
        }

        value = ngx_http_torii_vhost_value(ctx, &name);
        torii_buf_add(&buf, value.data, value.len);
    }

    p = ngx_pnalloc(r->pool, buf.len);

    if (p) {
        vhost->len = buf.len;
        vhost->data = p;
        ngx_memcpy(p, buf.data, buf.len);
    }

    torii_buf_free(&buf);

    return p ? NGX_OK : NGX_ERROR;
}


static ngx_str_t
ngx_http_torii_vhost_value(ngx_http_torii_ctx_t *ctx, torii_str_t *name)
{
    ngx_str_t                       value;
    const ingress_table_ingress_t  *ingress;

    ngx_str_null(&value);

    if (ctx->route == NULL || ctx->route->ingress == INGRESS_NONE) {
        return value;
    }

    ingress = &ctx->table->table.ingresses[ctx->route->ingress];

    if (torii_str_eqs(*name, "namespace")) {
        return ngx_http_torii_str(ctx, ingress->namespace);
    }

    if (torii_str_eqs(*name, "ingress_name")) {
        return ngx_http_torii_str(ctx, ingress->name);
    }

    if (torii_str_eqs(*name, "service_name")) {
        return ngx_http_torii_str(ctx, ctx->route->service);
    }

    return ngx_http_torii_str(ctx, ctx->route->port);
}


ngx_str_t
ngx_http_torii_hostname(ngx_str_t *host)
{
    u_char     *p, *last;
    ngx_str_t   name;

    p = host->data;
    last = p + host->len;

    if (host->len && *p == '[') {
        p = ngx_strlchr(p, last, ']');
        if (p == NULL) {
            return *host;
        }
    }

    p = ngx_strlchr(p, last, ':');

    name.data = host->data;
    name.len = (p ? p : last) - host->data;

    return name;
}
