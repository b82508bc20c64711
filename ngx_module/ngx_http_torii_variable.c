
/*
 * Variables: the values of the headers to the backend, for the generated
 * configuration, and what an operator writes in a log format: Torii's own
 * names and those of ingress-nginx, so that a format can be kept.
 */

#include "ngx_http_torii.h"


#define NGX_HTTP_TORII_REQUEST_ID  16      /* random bytes */


static ngx_int_t ngx_http_torii_variable_none(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_host(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_str(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_header(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_request_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_forwarded_for(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_original_for(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_port(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_original_uri(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_prefix(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_connection(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_script_name(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_route(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_ingress(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_upstream(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);

static u_char *ngx_http_torii_random(ngx_log_t *log);
static ngx_int_t ngx_http_torii_value(ngx_http_variable_value_t *v,
    ngx_str_t *s);
static ngx_int_t ngx_http_torii_not_found(ngx_http_variable_value_t *v);


/* What depends on the route is not cached: an X-Accel-Redirect finds another */

static ngx_http_variable_t  ngx_http_torii_variables[] = {

    { ngx_string("torii_none"), NULL,
      ngx_http_torii_variable_none, 0, 0, 0 },

    /* headers to the backend */

    { ngx_string("torii_host"), NULL,
      ngx_http_torii_variable_host, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_request_id"), NULL,
      ngx_http_torii_variable_request_id, 0, 0, 0 },

    { ngx_string("torii_forwarded_for"), NULL,
      ngx_http_torii_variable_forwarded_for, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_forwarded_host"), NULL,
      ngx_http_torii_variable_str,
      offsetof(ngx_http_torii_ctx_t, best_host), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_forwarded_proto"), NULL,
      ngx_http_torii_variable_str,
      offsetof(ngx_http_torii_ctx_t, scheme), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_forwarded_port"), NULL,
      ngx_http_torii_variable_port, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_forwarded_prefix"), NULL,
      ngx_http_torii_variable_prefix, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_original_forwarded_for"), NULL,
      ngx_http_torii_variable_original_for, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_original_forwarded_host"), NULL,
      ngx_http_torii_variable_header,
      offsetof(ngx_http_torii_ctx_t, forwarded_host),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_original_uri"), NULL,
      ngx_http_torii_variable_original_uri, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_upgrade"), NULL,
      ngx_http_torii_variable_header,
      offsetof(ngx_http_torii_ctx_t, upgrade), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_connection"), NULL,
      ngx_http_torii_variable_connection, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_fastcgi_script_name"), NULL,
      ngx_http_torii_variable_script_name, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    /* logs */

    { ngx_string("torii_namespace"), NULL,
      ngx_http_torii_variable_ingress,
      offsetof(ingress_table_ingress_t, namespace),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_ingress"), NULL,
      ngx_http_torii_variable_ingress,
      offsetof(ingress_table_ingress_t, name), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_service"), NULL,
      ngx_http_torii_variable_route,
      offsetof(ingress_table_route_t, service), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_service_port"), NULL,
      ngx_http_torii_variable_route,
      offsetof(ingress_table_route_t, port), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_path"), NULL,
      ngx_http_torii_variable_route,
      offsetof(ingress_table_route_t, path), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_upstream"), NULL,
      ngx_http_torii_variable_upstream, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    /* the same under ingress-nginx's names */

    { ngx_string("namespace"), NULL,
      ngx_http_torii_variable_ingress,
      offsetof(ingress_table_ingress_t, namespace),
      NGX_HTTP_VAR_CHANGEABLE|NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("ingress_name"), NULL,
      ngx_http_torii_variable_ingress,
      offsetof(ingress_table_ingress_t, name),
      NGX_HTTP_VAR_CHANGEABLE|NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("service_name"), NULL,
      ngx_http_torii_variable_route,
      offsetof(ingress_table_route_t, service),
      NGX_HTTP_VAR_CHANGEABLE|NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("service_port"), NULL,
      ngx_http_torii_variable_route,
      offsetof(ingress_table_route_t, port),
      NGX_HTTP_VAR_CHANGEABLE|NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("location_path"), NULL,
      ngx_http_torii_variable_route,
      offsetof(ingress_table_route_t, path),
      NGX_HTTP_VAR_CHANGEABLE|NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("proxy_upstream_name"), NULL,
      ngx_http_torii_variable_upstream, 0,
      NGX_HTTP_VAR_CHANGEABLE|NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("proxy_alternative_upstream_name"), NULL,
      ngx_http_torii_variable_none, 0,
      NGX_HTTP_VAR_CHANGEABLE, 0 },

    { ngx_string("req_id"), NULL,
      ngx_http_torii_variable_request_id, 0,
      NGX_HTTP_VAR_CHANGEABLE, 0 },

    { ngx_string("best_http_host"), NULL,
      ngx_http_torii_variable_str,
      offsetof(ngx_http_torii_ctx_t, best_host),
      NGX_HTTP_VAR_CHANGEABLE|NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("pass_access_scheme"), NULL,
      ngx_http_torii_variable_str,
      offsetof(ngx_http_torii_ctx_t, scheme),
      NGX_HTTP_VAR_CHANGEABLE|NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_torii_variables_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_torii_variables; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return ngx_http_torii_variables_auth(cf);
}


static ngx_int_t
ngx_http_torii_value(ngx_http_variable_value_t *v, ngx_str_t *s)
{
    v->len = s->len;
    v->data = s->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_not_found(ngx_http_variable_value_t *v)
{
    v->not_found = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_variable_none(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    return ngx_http_torii_not_found(v);
}


static ngx_int_t
ngx_http_torii_variable_host(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              vhost;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL) {
        return ngx_http_torii_not_found(v);
    }

    if (ctx->policy->upstream_vhost.len == 0) {
        return ngx_http_torii_value(v, &ctx->best_host);
    }

    if (ngx_http_torii_vhost(r, ctx, &vhost) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_torii_value(v, &vhost);
}


static ngx_int_t
ngx_http_torii_variable_str(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL) {
        return ngx_http_torii_not_found(v);
    }

    return ngx_http_torii_value(v, (ngx_str_t *) ((u_char *) ctx + data));
}


static ngx_int_t
ngx_http_torii_variable_header(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_table_elt_t       *h;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL) {
        return ngx_http_torii_not_found(v);
    }

    h = *(ngx_table_elt_t **) ((u_char *) ctx + data);

    return h ? ngx_http_torii_value(v, &h->value) : ngx_http_torii_not_found(v);
}


/* The client's own, or 32 hexadecimal digits. */

static ngx_int_t
ngx_http_torii_variable_request_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                *p, *random;
    ngx_str_t              id;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx && ctx->request_id) {
        return ngx_http_torii_value(v, &ctx->request_id->value);
    }

    if (ctx && !ctx->table->table.header->global.generate_request_id) {
        return ngx_http_torii_not_found(v);
    }

    id.len = 2 * NGX_HTTP_TORII_REQUEST_ID;

    p = ngx_pnalloc(r->pool, id.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    id.data = p;

    random = ngx_http_torii_random(r->connection->log);
    if (random == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(p, random, NGX_HTTP_TORII_REQUEST_ID);

    return ngx_http_torii_value(v, &id);
}


/*
 * For one request's ID; from OpenSSL many at a time, since a call of it costs
 * as much as all the variables of a request.
 */

static u_char *
ngx_http_torii_random(ngx_log_t *log)
{
    static u_char      bytes[64 * NGX_HTTP_TORII_REQUEST_ID];
    static ngx_uint_t  left;

    if (left == 0) {

        if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
            ngx_ssl_error(NGX_LOG_ERR, log, 0, "RAND_bytes() failed");
            return NULL;
        }

        left = sizeof(bytes);
    }

    left -= NGX_HTTP_TORII_REQUEST_ID;

    return bytes + left;
}


static ngx_int_t
ngx_http_torii_variable_forwarded_for(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                *p;
    ngx_str_t              list;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL) {
        return ngx_http_torii_not_found(v);
    }

    if (!ctx->trusted || ctx->forwarded_for.len == 0
        || !ctx->table->table.header->global.compute_full_forwarded_for)
    {
        return ngx_http_torii_value(v, &r->connection->addr_text);
    }

    list.data = ngx_pnalloc(r->pool, ctx->forwarded_for.len + 2
                                     + ctx->peer_text.len);
    if (list.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(list.data, "%V, %V", &ctx->forwarded_for,
                    &ctx->peer_text);
    list.len = p - list.data;

    return ngx_http_torii_value(v, &list);
}


static ngx_int_t
ngx_http_torii_variable_original_for(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL || ctx->forwarded_for.len == 0) {
        return ngx_http_torii_not_found(v);
    }

    return ngx_http_torii_value(v, &ctx->forwarded_for);
}


static ngx_int_t
ngx_http_torii_variable_port(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              port;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL) {
        return ngx_http_torii_not_found(v);
    }

    port.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (port.data == NULL) {
        return NGX_ERROR;
    }

    ngx_http_torii_port(r, ctx, &port);

    return ngx_http_torii_value(v, &port);
}


static ngx_int_t
ngx_http_torii_variable_original_uri(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL
        || !ctx->table->table.header->global.add_original_uri_header)
    {
        return ngx_http_torii_not_found(v);
    }

    return ngx_http_torii_value(v, &r->unparsed_uri);
}


static ngx_int_t
ngx_http_torii_variable_prefix(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              prefix;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL) {
        return ngx_http_torii_not_found(v);
    }

    if (ctx->rewritten && ctx->policy->forwarded_prefix.len) {
        prefix = ngx_http_torii_str(ctx, ctx->policy->forwarded_prefix);
        return ngx_http_torii_value(v, &prefix);
    }

    if (ctx->trusted && ctx->forwarded_prefix) {
        return ngx_http_torii_value(v, &ctx->forwarded_prefix->value);
    }

    return ngx_http_torii_not_found(v);
}


static ngx_int_t
ngx_http_torii_variable_connection(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_torii_ctx_t  *ctx;

    static ngx_str_t       upgrade = ngx_string("upgrade");
    static ngx_str_t       fixed[] = {
        ngx_string("close"),
        ngx_string("keep-alive")
    };

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL) {
        return ngx_http_torii_not_found(v);
    }

    if (ctx->policy->connection_header) {
        return ngx_http_torii_value(v,
                                 &fixed[ctx->policy->connection_header != 1]);
    }

    if (ctx->upgrade && ctx->upgrade->value.len) {
        return ngx_http_torii_value(v, &upgrade);
    }

    return ngx_http_torii_not_found(v);
}


/* The URI, with fastcgi-index where it ends in "/". */

static ngx_int_t
ngx_http_torii_variable_script_name(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              index, name;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL || ctx->policy->fastcgi_index.len == 0
        || r->uri.len == 0 || r->uri.data[r->uri.len - 1] != '/')
    {
        return ngx_http_torii_value(v, &r->uri);
    }

    index = ngx_http_torii_str(ctx, ctx->policy->fastcgi_index);

    name.len = r->uri.len + index.len;
    name.data = ngx_pnalloc(r->pool, name.len);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(name.data, "%V%V", &r->uri, &index);

    return ngx_http_torii_value(v, &name);
}


static ngx_int_t
ngx_http_torii_variable_route(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              s;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL || ctx->route == NULL) {
        return ngx_http_torii_not_found(v);
    }

    s = ngx_http_torii_str(ctx, *(ingress_ref_t *)
                                   ((u_char *) ctx->route + data));

    return ngx_http_torii_value(v, &s);
}


static ngx_int_t
ngx_http_torii_variable_ingress(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                       s;
    ngx_http_torii_ctx_t           *ctx;
    const ingress_table_ingress_t  *ingress;

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL || ctx->route == NULL
        || ctx->route->ingress == INGRESS_NONE)
    {
        return ngx_http_torii_not_found(v);
    }

    ingress = &ctx->table->table.ingresses[ctx->route->ingress];

    s = ngx_http_torii_str(ctx, *(ingress_ref_t *) ((u_char *) ingress + data));

    return ngx_http_torii_value(v, &s);
}


static ngx_int_t
ngx_http_torii_variable_upstream(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              s;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL) {
        return ngx_http_torii_not_found(v);
    }

    if (ctx->backend == NULL) {
        ngx_str_set(&s, "upstream-default-backend");
        return ngx_http_torii_value(v, &s);
    }

    s = ngx_http_torii_str(ctx, ctx->backend->name);

    return ngx_http_torii_value(v, &s);
}
