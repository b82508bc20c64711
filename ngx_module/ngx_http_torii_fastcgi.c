
/*
 * FastCGI parameters of a route (fastcgi-params-configmap).  nginx compiles
 * its parameters with the configuration; these are put into the request that
 * it has built, in place of parameters of the same name.
 */

#include "ngx_http_torii.h"


#define NGX_HTTP_TORII_FCGI_PARAMS  4

#define NGX_HTTP_TORII_FCGI_MAX     65535     /* of one record's content */
#define NGX_HTTP_TORII_FCGI_BEGIN   16        /* record FCGI_BEGIN_REQUEST */


/* FCGI_Record, "The FastCGI Interface" section 3.3 */

typedef struct {
    u_char               version;
    u_char               type;
    u_char               request_id_hi;
    u_char               request_id_lo;
    u_char               length_hi;
    u_char               length_lo;
    u_char               padding;
    u_char               reserved;
} ngx_http_torii_fcgi_t;


typedef struct {
    ngx_str_t            name;
    ngx_str_t            value;
} ngx_http_torii_param_t;


static ngx_int_t ngx_http_torii_params(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_array_t *params);
static ngx_int_t ngx_http_torii_param_value(ngx_http_request_t *r,
    ngx_str_t *text, ngx_str_t *value);
static u_char *ngx_http_torii_param_name(u_char *p, u_char *last,
    ngx_str_t *name);
static ngx_uint_t ngx_http_torii_param_allowed(ngx_str_t *name);
static u_char *ngx_http_torii_params_copy(u_char *p, u_char *pos, u_char *last,
    ngx_array_t *params);
static u_char *ngx_http_torii_params_add(u_char *p, ngx_array_t *params);
static ngx_int_t ngx_http_torii_param_length(u_char **pos, u_char *last,
    size_t *len);


/* Variables that a value may use; those ending in "_" are prefixes. */

static ngx_str_t  ngx_http_torii_param_names[] = {
    ngx_string("arg_"),
    ngx_string("args"),
    ngx_string("content_length"),
    ngx_string("content_type"),
    ngx_string("cookie_"),
    ngx_string("document_root"),
    ngx_string("document_uri"),
    ngx_string("fastcgi_script_name"),
    ngx_string("host"),
    ngx_string("http_"),
    ngx_string("https"),
    ngx_string("query_string"),
    ngx_string("remote_addr"),
    ngx_string("remote_port"),
    ngx_string("request_id"),
    ngx_string("request_method"),
    ngx_string("request_uri"),
    ngx_string("scheme"),
    ngx_string("server_name"),
    ngx_string("server_port"),
    ngx_string("server_protocol"),
    ngx_string("uri"),
    ngx_null_string
};


ngx_int_t
ngx_http_torii_fastcgi_params(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    u_char                  *p, *pos, *last, *start;
    size_t                   len, size;
    ngx_buf_t               *b;
    ngx_uint_t               i;
    ngx_array_t              params;
    ngx_http_torii_fcgi_t   *h;
    ngx_http_torii_param_t  *param;

    b = r->upstream->request_bufs->buf;
    h = (ngx_http_torii_fcgi_t *) (b->pos + NGX_HTTP_TORII_FCGI_BEGIN);

    if (b->last - b->pos < NGX_HTTP_TORII_FCGI_BEGIN
                           + (ssize_t) sizeof(ngx_http_torii_fcgi_t)
        || h->type != NGX_HTTP_TORII_FCGI_PARAMS)
    {
        return NGX_ERROR;
    }

    pos = (u_char *) (h + 1);
    last = pos + (h->length_hi << 8) + h->length_lo;

    if (last + h->padding > b->last) {
        return NGX_ERROR;
    }

    if (ngx_array_init(&params, r->pool, 8, sizeof(ngx_http_torii_param_t))
        != NGX_OK
        || ngx_http_torii_params(r, ctx, &params) != NGX_OK)
    {
        return NGX_ERROR;
    }

    size = b->last - b->pos;
    param = params.elts;

    for (i = 0; i < params.nelts; i++) {
        size += 8 + param[i].name.len + param[i].value.len;
    }

    start = ngx_pnalloc(r->pool, size);
    if (start == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(start, b->pos, pos - b->pos);
    p = ngx_http_torii_params_copy(p, pos, last, &params);
    p = ngx_http_torii_params_add(p, &params);

    len = p - start - (pos - b->pos);

    if (len > NGX_HTTP_TORII_FCGI_MAX) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "torii: FastCGI parameters of %uz bytes are too many",
                      len);
        return NGX_ERROR;
    }

    last += h->padding;

    h = (ngx_http_torii_fcgi_t *) (start + NGX_HTTP_TORII_FCGI_BEGIN);
    h->length_hi = (u_char) (len >> 8);
    h->length_lo = (u_char) len;
    h->padding = 0;

    p = ngx_cpymem(p, last, b->last - last);

    b->start = start;
    b->pos = start;
    b->last = p;
    b->end = start + size;

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_params(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_array_t *params)
{
    ngx_str_t                list, text;
    ngx_uint_t               i, n;
    ingress_entry_t         *entry;
    ngx_http_torii_param_t  *param;

    list = ngx_http_torii_str(ctx, ctx->policy->fastcgi_params);
    entry = (ingress_entry_t *) list.data;
    n = list.len / sizeof(ingress_entry_t);

    for (i = 0; i < n; i++) {

        param = ngx_array_push(params);
        if (param == NULL) {
            return NGX_ERROR;
        }

        param->name = ngx_http_torii_str(ctx, entry[i].name);
        text = ngx_http_torii_str(ctx, entry[i].value);

        if (ngx_http_torii_param_value(r, &text, &param->value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* "$name" and "${name}" replaced; names that are not allowed are empty. */

static ngx_int_t
ngx_http_torii_param_value(ngx_http_request_t *r, ngx_str_t *text,
    ngx_str_t *value)
{
    u_char                     *p, *last;
    ngx_str_t                   name;
    torii_buf_t                 buf;
    ngx_http_variable_value_t  *v;

    if (ngx_strlchr(text->data, text->data + text->len, '$') == NULL) {
        *value = *text;
        return NGX_OK;
    }

    ngx_memzero(&buf, sizeof(torii_buf_t));

    p = text->data;
    last = p + text->len;

    while (p < last) {

        if (*p != '$') {
            torii_buf_add(&buf, p++, 1);
            continue;
        }

        p = ngx_http_torii_param_name(p + 1, last, &name);

        if (!ngx_http_torii_param_allowed(&name)) {
            continue;
        }

        if (name.len == sizeof("fastcgi_script_name") - 1
            && ngx_strncmp(name.data, "fastcgi_script_name", name.len) == 0)
        {
            ngx_str_set(&name, "torii_fastcgi_script_name");
        }

        v = ngx_http_get_variable(r, &name,
                                  ngx_hash_key(name.data, name.len));

        if (v && !v->not_found) {
            torii_buf_add(&buf, v->data, v->len);
        }
    }

    value->len = buf.len;
    value->data = ngx_pnalloc(r->pool, buf.len + 1);

    if (value->data && buf.len) {
        ngx_memcpy(value->data, buf.data, buf.len);
    }

    torii_buf_free(&buf);

    return value->data ? NGX_OK : NGX_ERROR;
}


static u_char *
ngx_http_torii_param_name(u_char *p, u_char *last, ngx_str_t *name)
{
    u_char      c;
    ngx_uint_t  brace;

    brace = p < last && *p == '{';
    p += brace;

    name->data = p;

    for ( /* void */ ; p < last; p++) {
        c = *p;

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '_'))
        {
            break;
        }
    }

    name->len = p - name->data;

    return brace && p < last && *p == '}' ? p + 1 : p;
}


static ngx_uint_t
ngx_http_torii_param_allowed(ngx_str_t *name)
{
    ngx_str_t  *known;

    for (known = ngx_http_torii_param_names; known->len; known++) {

        if (name->len < known->len
            || ngx_strncmp(name->data, known->data, known->len) != 0)
        {
            continue;
        }

        if (name->len == known->len || known->data[known->len - 1] == '_') {
            return 1;
        }
    }

    return 0;
}


/* nginx's own parameters, less those that the route replaces */

static u_char *
ngx_http_torii_params_copy(u_char *p, u_char *pos, u_char *last,
    ngx_array_t *params)
{
    u_char                  *start;
    size_t                   name, value;
    ngx_uint_t               i;
    ngx_http_torii_param_t  *param;

    param = params->elts;

    while (pos < last) {
        start = pos;

        if (ngx_http_torii_param_length(&pos, last, &name) != NGX_OK
            || ngx_http_torii_param_length(&pos, last, &value) != NGX_OK
            || name + value > (size_t) (last - pos))
        {
            break;
        }

        for (i = 0; i < params->nelts; i++) {
            if (param[i].name.len == name
                && ngx_strncmp(param[i].name.data, pos, name) == 0)
            {
                break;
            }
        }

        pos += name + value;

        if (i == params->nelts) {
            p = ngx_cpymem(p, start, pos - start);
        }
    }

    return p;
}


static u_char *
ngx_http_torii_params_add(u_char *p, ngx_array_t *params)
{
    size_t                   len;
    ngx_uint_t               i, j;
    ngx_http_torii_param_t  *param;

    param = params->elts;

    for (i = 0; i < params->nelts; i++) {

        for (j = 0; j < 2; j++) {
            len = j ? param[i].value.len : param[i].name.len;

            if (len > 127) {
                *p++ = (u_char) ((len >> 24) | 0x80);
                *p++ = (u_char) (len >> 16);
                *p++ = (u_char) (len >> 8);
            }

            *p++ = (u_char) len;
        }

        p = ngx_cpymem(p, param[i].name.data, param[i].name.len);
        p = ngx_cpymem(p, param[i].value.data, param[i].value.len);
    }

    return p;
}


static ngx_int_t
ngx_http_torii_param_length(u_char **pos, u_char *last, size_t *len)
{
    u_char  *p;

    p = *pos;

    if (p < last && *p < 128) {
        *len = *p;
        *pos = p + 1;
        return NGX_OK;
    }

    if (last - p < 4) {
        return NGX_ERROR;
    }

    *len = ((size_t) (p[0] & 0x7f) << 24) + (p[1] << 16) + (p[2] << 8) + p[3];
    *pos = p + 4;

    return NGX_OK;
}
