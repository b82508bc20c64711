
/*
 * Response headers: what the policy sets, rewrites and hides, and errors of
 * nginx itself under /v2/ in the form that registry clients can read.
 */

#include "ngx_http_torii_gate.h"


static ngx_int_t ngx_http_torii_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_torii_server_header(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_int_t ngx_http_torii_hsts(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_int_t ngx_http_torii_cors(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_uint_t ngx_http_torii_is_interim(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_upstream_headers(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static void ngx_http_torii_stream(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_rewrite_location(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_table_elt_t *h);
static ngx_int_t ngx_http_torii_rewrite_refresh(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_table_elt_t *h);
static ngx_int_t ngx_http_torii_rewrite_cookie(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_table_elt_t *h);
static u_char *ngx_http_torii_cookie_value(ngx_str_t *cookie, char *name,
    ngx_str_t *value);
static ngx_int_t ngx_http_torii_replace(ngx_http_request_t *r, ngx_str_t *s,
    size_t off, size_t len, ngx_str_t *with);
static ngx_int_t ngx_http_torii_registry_error(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_int_t ngx_http_torii_header_set(ngx_http_request_t *r, char *name,
    ngx_str_t *value);
static ngx_uint_t ngx_http_torii_header_is(ngx_table_elt_t *h, char *name);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


/* Content types whose every byte somebody is waiting for. */

static ngx_str_t  ngx_http_torii_streams[] = {
    ngx_string("text/event-stream"),
    ngx_string("application/x-ndjson"),
    ngx_string("application/grpc"),
    ngx_string("application/json;stream=watch"),
    ngx_string("application/json; stream=watch"),
    ngx_string("multipart/x-mixed-replace"),
    ngx_null_string
};


ngx_int_t
ngx_http_torii_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_torii_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_torii_body_filter;

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_header_filter(ngx_http_request_t *r)
{
    ngx_http_torii_ctx_t       *ctx;
    ngx_http_torii_srv_conf_t  *tscf;

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_torii_module);

    if (!tscf->enable || r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_torii_ctx(r);

    if (ngx_http_torii_server_header(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx == NULL) {
        return ngx_http_next_header_filter(r);
    }

    ngx_http_torii_metrics_near(ctx);

    if (r->upstream && r->err_status == 0) {

        if (ngx_http_torii_is_interim(r)) {
            return ngx_http_filter_finalize_request(r, &ngx_http_torii_module,
                                                    NGX_HTTP_BAD_GATEWAY);
        }

        if (ngx_http_torii_upstream_headers(r, ctx) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ctx->auth_session
            && (!r->upstream->buffering || r->upstream->upgrade)
            && ngx_http_torii_login_stream(r, ctx) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ctx->verdict && ngx_http_torii_external_cookies(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    /* whatever the backend allows, our cookie is for one browser */

    if (ctx->auth_cookie && ngx_http_torii_session_no_store(r) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_torii_hsts(r, ctx) != NGX_OK
        || ngx_http_torii_cors(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->registry && r->err_status >= NGX_HTTP_BAD_REQUEST
        && ngx_http_torii_registry_error(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_torii_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t             *b;
    ngx_chain_t           *cl;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    if (ctx == NULL || !ctx->error || in == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    /* an error page of the operator's may come in many pieces */

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
        cl->buf->file_pos = cl->buf->file_last;
    }

    if (ctx->error_body.len == 0) {
        return ngx_http_next_body_filter(r, NULL);
    }

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->pos = ctx->error_body.data;
    b->last = b->pos + ctx->error_body.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    ctx->error_body.len = 0;

    cl->buf = b;
    cl->next = NULL;

    return ngx_http_next_body_filter(r, cl);
}


/*
 * By default no answer says "Server", neither nginx's nor the backend's.  nginx
 * leaves its own out when there is one already, even if that one is hidden.
 */

static ngx_int_t
ngx_http_torii_server_header(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_table_elt_t         *h;
    const ingress_global_t  *global;

    global = ctx ? &ctx->table->table.header->global : NULL;
    h = r->headers_out.server;

    if (h) {
        if (global && global->allow_backend_server_header) {
            return NGX_OK;
        }

        h->hash = 0;

        if (global && global->server_tokens) {
            r->headers_out.server = NULL;
        }

        return NGX_OK;
    }

    if (global && global->server_tokens) {
        return NGX_OK;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));
    ngx_str_set(&h->key, "Server");

    r->headers_out.server = h;

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_hsts(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
#if (NGX_HTTP_SSL)
    ngx_str_t                value;
    const ingress_global_t  *global;

    global = &ctx->table->table.header->global;

    if (r->connection->ssl && global->hsts && ctx->route) {
        value = ngx_http_torii_str(ctx, global->hsts_value);

        return ngx_http_torii_header_set(r, "Strict-Transport-Security",
                                         &value);
    }
#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_cors(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_str_t                value;
    ngx_uint_t               i;
    const ingress_policy_t  *policy;

    static struct {
        char                *name;
        size_t               offset;       /* ingress_ref_t in the policy */
    } lists[] = {
        { "Access-Control-Allow-Methods",
          offsetof(ingress_policy_t, cors_methods) },
        { "Access-Control-Allow-Headers",
          offsetof(ingress_policy_t, cors_headers) },
        { "Access-Control-Expose-Headers",
          offsetof(ingress_policy_t, cors_expose) },
    };

    static ngx_str_t  any = ngx_string("*");
    static ngx_str_t  yes = ngx_string("true");
    static ngx_str_t  text = ngx_string("text/plain charset=UTF-8");
    static ngx_str_t  origin = ngx_string("Origin");

    policy = ctx->policy;

    /* with or without a match, the answer depends on who asks */

    if (policy->cors && !policy->cors_any_origin
        && ngx_http_torii_header_add(r, "Vary", &origin) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!ctx->cors) {
        return NGX_OK;
    }

    if (ngx_http_torii_header_set(r, "Access-Control-Allow-Origin",
                                  policy->cors_any_origin
                                  ? &any : &ctx->origin->value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (policy->cors_credentials
        && ngx_http_torii_header_set(r, "Access-Control-Allow-Credentials",
                                     &yes)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {

        value = ngx_http_torii_str(ctx, *(ingress_ref_t *)
                                        ((u_char *) policy + lists[i].offset));

        if (value.len
            && ngx_http_torii_header_set(r, lists[i].name, &value) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%uD", policy->cors_max_age)
                - value.data;

    if (ngx_http_torii_header_set(r, "Access-Control-Max-Age", &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (r->headers_out.status == NGX_HTTP_NO_CONTENT && r->upstream == NULL) {
        return ngx_http_torii_header_set(r, "Content-Type", &text);
    }

    return NGX_OK;
}


/*
 * nginx takes a backend's 1xx for the answer, and all that follows it for a
 * body without an end.  On a connection kept alive that would be the answer to
 * somebody's next request, so it ends there; and there is no protocol to switch
 * to when none was asked for.
 */

static ngx_uint_t
ngx_http_torii_is_interim(ngx_http_request_t *r)
{
    if (r->headers_out.status >= NGX_HTTP_OK || r->upstream->upgrade) {
        return 0;
    }

    if (r->headers_out.status != NGX_HTTP_SWITCHING_PROTOCOLS
        && r->http_version < NGX_HTTP_VERSION_20)
    {
        r->keepalive = 0;
        return 0;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "torii: backend answered %ui to a request that asked for no "
                  "such thing", r->headers_out.status);

    return 1;
}


static ngx_int_t
ngx_http_torii_upstream_headers(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx)
{
    ngx_int_t                rc;
    ngx_uint_t               location, cookie;
    ngx_table_elt_t         *h;
    ngx_http_torii_walk_t    walk;
    const ingress_policy_t  *policy;

    policy = ctx->policy;
    location = policy->redirect_from.len != 0;
    cookie = policy->cookie_domain_from.len || policy->cookie_path_from.len;

    ngx_http_torii_stream(r);

    if (!location && !cookie) {
        return NGX_OK;
    }

    ngx_memzero(&walk, sizeof(ngx_http_torii_walk_t));

    while ((h = ngx_http_torii_walk(&walk, &r->headers_out.headers)) != NULL) {
        if (h->hash == 0 || h->hash == NGX_HTTP_TORII_OURS) {
            continue;
        }

        rc = NGX_OK;

        if (location && ngx_http_torii_header_is(h, "Location")) {
            rc = ngx_http_torii_rewrite_location(r, ctx, h);

        } else if (location && ngx_http_torii_header_is(h, "Refresh")) {
            rc = ngx_http_torii_rewrite_refresh(r, ctx, h);

        } else if (cookie && ngx_http_torii_header_is(h, "Set-Cookie")) {
            rc = ngx_http_torii_rewrite_cookie(r, ctx, h);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static void
ngx_http_torii_stream(ngx_http_request_t *r)
{
    ngx_str_t  *type, *stream;

    type = &r->headers_out.content_type;

    for (stream = ngx_http_torii_streams; stream->len; stream++) {
        if (type->len >= stream->len
            && ngx_strncasecmp(type->data, stream->data, stream->len) == 0)
        {
            r->upstream->buffering = 0;
            return;
        }
    }
}


static ngx_int_t
ngx_http_torii_rewrite_location(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_table_elt_t *h)
{
    ngx_str_t  from, to;

    from = ngx_http_torii_str(ctx, ctx->policy->redirect_from);
    to = ngx_http_torii_str(ctx, ctx->policy->redirect_to);

    if (h->value.len < from.len
        || ngx_strncmp(h->value.data, from.data, from.len) != 0)
    {
        return NGX_OK;
    }

    if (ngx_http_torii_replace(r, &h->value, 0, from.len, &to) != NGX_OK) {
        return NGX_ERROR;
    }

    /* nginx makes a relative one absolute, as it does with proxy_redirect */

    r->headers_out.location = h;

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_rewrite_refresh(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_table_elt_t *h)
{
    u_char     *p;
    ngx_str_t   from, to;

    from = ngx_http_torii_str(ctx, ctx->policy->redirect_from);
    to = ngx_http_torii_str(ctx, ctx->policy->redirect_to);

    p = ngx_strlcasestrn(h->value.data, h->value.data + h->value.len,
                         (u_char *) "url=", 4 - 1);
    if (p == NULL) {
        return NGX_OK;
    }

    p += 4;

    if ((size_t) (h->value.data + h->value.len - p) < from.len
        || ngx_strncmp(p, from.data, from.len) != 0)
    {
        return NGX_OK;
    }

    return ngx_http_torii_replace(r, &h->value, p - h->value.data, from.len,
                                  &to);
}


static ngx_int_t
ngx_http_torii_rewrite_cookie(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_table_elt_t *h)
{
    u_char                  *p;
    ngx_str_t                value, from, to;
    const ingress_policy_t  *policy;

    policy = ctx->policy;

    from = ngx_http_torii_str(ctx, policy->cookie_domain_from);
    p = from.len ? ngx_http_torii_cookie_value(&h->value, "domain", &value)
                 : NULL;

    if (p) {
        if (value.len && value.data[0] == '.') {
            value.data++;
            value.len--;
        }

        if (from.data[0] == '.') {
            from.data++;
            from.len--;
        }

        if (value.len == from.len
            && ngx_strncasecmp(value.data, from.data, from.len) == 0)
        {
            to = ngx_http_torii_str(ctx, policy->cookie_domain_to);

            if (ngx_http_torii_replace(r, &h->value, p - h->value.data,
                                       value.data + value.len - p, &to)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    from = ngx_http_torii_str(ctx, policy->cookie_path_from);
    p = from.len ? ngx_http_torii_cookie_value(&h->value, "path", &value)
                 : NULL;

    if (p && value.len >= from.len
        && ngx_strncmp(value.data, from.data, from.len) == 0)
    {
        to = ngx_http_torii_str(ctx, policy->cookie_path_to);

        return ngx_http_torii_replace(r, &h->value, p - h->value.data,
                                      from.len, &to);
    }

    return NGX_OK;
}


/* The value of an attribute behind the first ";" (RFC 6265 section 4.1.1). */

static u_char *
ngx_http_torii_cookie_value(ngx_str_t *cookie, char *name, ngx_str_t *value)
{
    size_t   len;
    u_char  *p, *last, *end;

    len = ngx_strlen(name);
    p = cookie->data;
    last = p + cookie->len;

    while ((p = ngx_strlchr(p, last, ';')) != NULL) {

        do {
            p++;
        } while (p < last && *p == ' ');

        if ((size_t) (last - p) <= len
            || ngx_strncasecmp(p, (u_char *) name, len) != 0
            || p[len] != '=')
        {
            continue;
        }

        p += len + 1;
        end = ngx_strlchr(p, last, ';');

        value->data = p;
        value->len = (end ? end : last) - p;

        return p;
    }

    return NULL;
}


static ngx_int_t
ngx_http_torii_replace(ngx_http_request_t *r, ngx_str_t *s, size_t off,
    size_t len, ngx_str_t *with)
{
    u_char  *p, *data;

    data = ngx_pnalloc(r->pool, s->len - len + with->len + 1);
    if (data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(data, s->data, off);
    p = ngx_cpymem(p, with->data, with->len);
    p = ngx_cpymem(p, s->data + off + len, s->len - off - len);
    *p = '\0';

    s->len = p - data;
    s->data = data;

    return NGX_OK;
}


/*
 * Docker and its kin print the message of a JSON body and choke on HTML (OCI
 * distribution specification, "Error Codes").
 */

static ngx_int_t
ngx_http_torii_registry_error(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    u_char      *p;
    ngx_str_t    message;
    ngx_uint_t   i, status;
    u_char       limit[256];

    static struct {
        ngx_uint_t   status;
        char        *code;
        char        *message;
    } errors[] = {
        { 401, "UNAUTHORIZED", "authentication required" },
        { 403, "DENIED", "the gateway refuses this address" },
        { 404, "NAME_UNKNOWN", "the gateway has no route for this path" },
        { 413, "SIZE_INVALID", NULL },
        { 429, "TOOMANYREQUESTS", "too many requests" },
        { 502, "UNAVAILABLE", "the registry gives no valid answer" },
        { 503, "UNAVAILABLE", "the registry has no endpoint to answer" },
        { 504, "UNAVAILABLE", "the registry does not answer in time" },
        { 0, "UNKNOWN", "the gateway cannot serve this request" },
    };

    status = r->err_status;

    for (i = 0; errors[i].status && errors[i].status != status; i++) {
        /* void */
    }

    if (errors[i].message) {
        message.data = (u_char *) errors[i].message;
        message.len = ngx_strlen(errors[i].message);

    } else {
        message.data = limit;
        message.len = ngx_snprintf(limit, sizeof(limit),
                          "body is larger than the gateway's limit of %uL "
                          "bytes; raise it by the annotation "
                          "nginx.ingress.kubernetes.io/proxy-body-size "
                          "of its Ingress", ctx->policy->body_size)
                      - limit;
    }

    p = ngx_pnalloc(r->pool, sizeof("{\"errors\":[{\"code\":\"\",\"message\":"
                                    "\"\"}]}\n")
                             + ngx_strlen(errors[i].code) + message.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->error_body.data = p;
    p = ngx_sprintf(p, "{\"errors\":[{\"code\":\"%s\",\"message\":\"%V\"}]}\n",
                    errors[i].code, &message);
    ctx->error_body.len = p - ctx->error_body.data;
    ctx->error = 1;

    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = ctx->error_body.len;

    ngx_http_set_ctx(r, ctx, ngx_http_torii_module);

    return NGX_OK;
}


/* The one header of this name, in place of what the backend has sent. */

static ngx_int_t
ngx_http_torii_header_set(ngx_http_request_t *r, char *name, ngx_str_t *value)
{
    ngx_table_elt_t       *h;
    ngx_http_torii_walk_t  walk;

    ngx_memzero(&walk, sizeof(ngx_http_torii_walk_t));

    while ((h = ngx_http_torii_walk(&walk, &r->headers_out.headers)) != NULL) {
        if (ngx_http_torii_header_is(h, name)) {
            h->hash = 0;
        }
    }

    return ngx_http_torii_header_add(r, name, value);
}


ngx_int_t
ngx_http_torii_header_add(ngx_http_request_t *r, char *name, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;
    h->lowcase_key = NULL;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_torii_header_is(ngx_table_elt_t *h, char *name)
{
    return h->key.len == ngx_strlen(name)
           && ngx_strncasecmp(h->key.data, (u_char *) name, h->key.len) == 0;
}
