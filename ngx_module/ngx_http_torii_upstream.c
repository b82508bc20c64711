
/*
 * The template's upstream settings with a policy's own values in them: limits,
 * buffers, retries and TLS towards the backend.  The copies are made once per
 * table, policy and template.
 */

#include "ngx_http_torii.h"


#define NGX_HTTP_TORII_MIN_BUFFER    1024
#define NGX_HTTP_TORII_MAX_BUFFER    (16 * 1024 * 1024)
#define NGX_HTTP_TORII_MAX_BUFFERS   4096


/* table->upstreams points to conf, so it has to be first. */

typedef struct ngx_http_torii_upstream_s  ngx_http_torii_upstream_t;

struct ngx_http_torii_upstream_s {
    ngx_http_upstream_conf_t         conf;
    ngx_http_upstream_conf_t        *source;
    ngx_http_torii_upstream_t       *next;      /* of another server */
    ngx_str_t                        ssl_name;  /* empty: of the request */
    u_char                           ssl_id[NGX_HTTP_TORII_SSL_ID];
};


static ngx_http_torii_upstream_t *ngx_http_torii_upstream_get(
    ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx);
static ngx_http_torii_upstream_t *ngx_http_torii_upstream_create(
    ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx);
static void ngx_http_torii_upstream_limits(ngx_http_upstream_conf_t *conf,
    const ingress_policy_t *policy);
static void ngx_http_torii_upstream_buffers(ngx_http_upstream_conf_t *conf,
    const ingress_policy_t *policy);
static ngx_uint_t ngx_http_torii_upstream_next(const ingress_policy_t *policy);
static ngx_int_t ngx_http_torii_upstream_tls(ngx_http_torii_upstream_t *tu,
    ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx);
static void ngx_http_torii_upstream_tls_name(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_upstream_t *tu,
    u_char ssl_id[NGX_HTTP_TORII_SSL_ID]);


ngx_int_t
ngx_http_torii_upstream_set(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    u_char ssl_id[NGX_HTTP_TORII_SSL_ID])
{
    ngx_http_upstream_t        *u;
    ngx_http_torii_upstream_t  *tu;

    tu = ngx_http_torii_upstream_get(r, ctx);
    if (tu == NULL) {
        return NGX_ERROR;
    }

    u = r->upstream;

    /* nobody has read the template's own values by now */

    u->conf = &tu->conf;

    if (u->pipe) {
        u->buffering = tu->conf.buffering;
    }

    if (u->ssl) {
        ngx_http_torii_upstream_tls_name(r, ctx, tu, ssl_id);
    }

    return NGX_OK;
}


/*
 * A clone of the template's settings with the policy's values in it: made once
 * for a table, since making it costs more than all the rest here.
 */

static ngx_http_torii_upstream_t *
ngx_http_torii_upstream_get(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_uint_t                   n;
    ngx_torii_table_t           *table;
    ngx_http_torii_upstream_t   *tu;
    ngx_http_upstream_conf_t   **slot;

    table = ctx->table;

    if (table->upstreams == NULL) {
        n = ingress_table_n(&table->table, POLICIES) * NGX_HTTP_TORII_TEMPLATES;

        table->upstreams = ngx_torii_table_room(table,
                                       n * sizeof(ngx_http_upstream_conf_t *));
        if (table->upstreams == NULL) {
            return NULL;
        }
    }

    n = (ctx->policy - table->table.policies) * NGX_HTTP_TORII_TEMPLATES
        + ctx->template;

    slot = &table->upstreams[n];

    for (tu = (ngx_http_torii_upstream_t *) *slot; tu; tu = tu->next) {
        if (tu->source == r->upstream->conf) {
            return tu;
        }
    }

    tu = ngx_http_torii_upstream_create(r, ctx);
    if (tu == NULL) {
        return NULL;
    }

    tu->next = (ngx_http_torii_upstream_t *) *slot;
    *slot = &tu->conf;

    return tu;
}


static ngx_http_torii_upstream_t *
ngx_http_torii_upstream_create(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_http_torii_upstream_t  *tu;

    tu = ngx_pcalloc(ctx->table->pool, sizeof(ngx_http_torii_upstream_t));
    if (tu == NULL) {
        return NULL;
    }

    tu->source = r->upstream->conf;
    tu->conf = *r->upstream->conf;

    ngx_http_torii_upstream_limits(&tu->conf, ctx->policy);

    if (r->upstream->ssl
        && ngx_http_torii_upstream_tls(tu, r, ctx) != NGX_OK)
    {
        return NULL;
    }

    return tu;
}


static void
ngx_http_torii_upstream_limits(ngx_http_upstream_conf_t *conf,
    const ingress_policy_t *policy)
{
    conf->connect_timeout = policy->connect_timeout;
    conf->send_timeout = policy->send_timeout;
    conf->read_timeout = policy->read_timeout;

    conf->next_upstream = ngx_http_torii_upstream_next(policy);
    conf->next_upstream_timeout = policy->next_upstream_timeout;
    conf->next_upstream_tries = 0;       /* peer.tries says it */

    conf->buffering = policy->buffering;

    ngx_http_torii_upstream_buffers(conf, policy);
}


/* The relations that nginx demands of its own directives hold here too. */

static void
ngx_http_torii_upstream_buffers(ngx_http_upstream_conf_t *conf,
    const ingress_policy_t *policy)
{
    size_t  size, max;

    if (policy->buffer_size) {
        size = ngx_max(policy->buffer_size, NGX_HTTP_TORII_MIN_BUFFER);
        size = ngx_min(size, NGX_HTTP_TORII_MAX_BUFFER);

        conf->buffer_size = size;
        conf->bufs.size = size;
    }

    if (policy->buffers_number) {
        conf->bufs.num = ngx_min(ngx_max(policy->buffers_number, 2),
                                 NGX_HTTP_TORII_MAX_BUFFERS);
    }

    size = ngx_max(conf->buffer_size, conf->bufs.size);
    max = (conf->bufs.num - 1) * conf->bufs.size;

    conf->busy_buffers_size = policy->busy_buffers_size ?
                              policy->busy_buffers_size : 2 * size;
    conf->busy_buffers_size = ngx_max(conf->busy_buffers_size, size);
    conf->busy_buffers_size = ngx_min(conf->busy_buffers_size, max);

    conf->temp_file_write_size = 2 * size;

    conf->max_temp_file_size = ngx_min(policy->max_temp_file_size,
                                       NGX_MAX_SIZE_T_VALUE);

    if (conf->max_temp_file_size) {
        conf->max_temp_file_size = ngx_max(conf->max_temp_file_size, size);
    }
}


static ngx_uint_t
ngx_http_torii_upstream_next(const ingress_policy_t *policy)
{
    ngx_uint_t  i, mask;

    static const struct {
        uint32_t    bit;
        ngx_uint_t  mask;
    } next[] = {
        { INGRESS_NEXT_ERROR, NGX_HTTP_UPSTREAM_FT_ERROR },
        { INGRESS_NEXT_TIMEOUT, NGX_HTTP_UPSTREAM_FT_TIMEOUT },
        { INGRESS_NEXT_INVALID_HEADER, NGX_HTTP_UPSTREAM_FT_INVALID_HEADER },
        { INGRESS_NEXT_HTTP_500, NGX_HTTP_UPSTREAM_FT_HTTP_500 },
        { INGRESS_NEXT_HTTP_502, NGX_HTTP_UPSTREAM_FT_HTTP_502 },
        { INGRESS_NEXT_HTTP_503, NGX_HTTP_UPSTREAM_FT_HTTP_503 },
        { INGRESS_NEXT_HTTP_504, NGX_HTTP_UPSTREAM_FT_HTTP_504 },
        { INGRESS_NEXT_HTTP_403, NGX_HTTP_UPSTREAM_FT_HTTP_403 },
        { INGRESS_NEXT_HTTP_404, NGX_HTTP_UPSTREAM_FT_HTTP_404 },
        { INGRESS_NEXT_HTTP_429, NGX_HTTP_UPSTREAM_FT_HTTP_429 },
        { INGRESS_NEXT_NON_IDEMPOTENT, NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT },
    };

    if (policy->next_upstream & INGRESS_NEXT_OFF) {
        return NGX_CONF_BITMASK_SET|NGX_HTTP_UPSTREAM_FT_OFF;
    }

    mask = NGX_CONF_BITMASK_SET;

    for (i = 0; i < sizeof(next) / sizeof(next[0]); i++) {
        if (policy->next_upstream & next[i].bit) {
            mask |= next[i].mask;
        }
    }

    return mask;
}


/*
 * nginx's own name and certificate are left out: u->ssl_name is set for each
 * request, and the certificate is in the context.
 */

static ngx_int_t
ngx_http_torii_upstream_tls(ngx_http_torii_upstream_t *tu,
    ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_http_upstream_conf_t  *conf;
    const ingress_policy_t    *policy;

    conf = &tu->conf;
    policy = ctx->policy;

    conf->ssl = ngx_http_torii_upstream_ssl(ctx->table, policy,
                                            ngx_http_torii_is_h2(ctx),
                                            r->connection->log);
    if (conf->ssl == NULL) {
        return NGX_ERROR;
    }

    conf->ssl_verify = policy->ssl_verify;
    conf->ssl_server_name = policy->ssl_server_name;
    conf->ssl_session_reuse = 1;
    conf->ssl_name = NULL;
    conf->ssl_certificate = NULL;
    conf->ssl_certificate_key = NULL;

    if (policy->ssl_name.len) {
        tu->ssl_name = ngx_http_torii_str(ctx, policy->ssl_name);
    }

    ngx_http_torii_upstream_ssl_id(ctx->table, policy,
                                   ngx_http_torii_is_h2(ctx), &tu->ssl_name,
                                   tu->ssl_id);

    return NGX_OK;
}


/*
 * Where no name is configured, it is the Host that the backend gets: that of
 * upstream-vhost, or the one that was asked for, as the lookup took it: lower
 * case and without a port, so that a client cannot multiply the connections to
 * a backend by its spelling.
 */

static void
ngx_http_torii_upstream_tls_name(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_upstream_t *tu,
    u_char ssl_id[NGX_HTTP_TORII_SSL_ID])
{
    ngx_str_t  vhost;

    if (tu->ssl_name.len) {
        r->upstream->ssl_name = tu->ssl_name;
        ngx_memcpy(ssl_id, tu->ssl_id, NGX_HTTP_TORII_SSL_ID);
        return;
    }

    r->upstream->ssl_name = r->headers_in.server;

    if (ctx->policy->upstream_vhost.len
        && ngx_http_torii_vhost(r, ctx, &vhost) == NGX_OK)
    {
        r->upstream->ssl_name = ngx_http_torii_hostname(&vhost);
    }

    if (!tu->conf.ssl_verify && !tu->conf.ssl_server_name) {
        ngx_memcpy(ssl_id, tu->ssl_id, NGX_HTTP_TORII_SSL_ID);
        return;
    }

    ngx_http_torii_upstream_ssl_id(ctx->table, ctx->policy,
                                   ngx_http_torii_is_h2(ctx),
                                   &r->upstream->ssl_name, ssl_id);
}
