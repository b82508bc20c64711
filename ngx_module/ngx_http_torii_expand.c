
/*
 * Templates with variables of a request: those that nginx does not have are
 * found here, the others asked of nginx by name.
 */

#include "ngx_http_torii_gate.h"


typedef ngx_int_t (*ngx_http_torii_expand_pt)(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_str_t *value);


static ngx_int_t ngx_http_torii_expand_escaped(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_torii_expand_scheme(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_torii_expand_host(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_str_t *value);


static struct {
    ngx_str_t                  name;
    ngx_http_torii_expand_pt   get;
    ngx_str_t                  nginx;      /* or another name of the same */
} ngx_http_torii_expand_own[] = {
    { ngx_string("escaped_request_uri"), ngx_http_torii_expand_escaped,
      ngx_null_string },
    { ngx_string("scheme"), ngx_http_torii_expand_scheme, ngx_null_string },
    { ngx_string("pass_access_scheme"), ngx_http_torii_expand_scheme,
      ngx_null_string },
    { ngx_string("http_host"), ngx_http_torii_expand_host, ngx_null_string },
    { ngx_string("best_http_host"), ngx_http_torii_expand_host,
      ngx_null_string },
    { ngx_string("request_id"), NULL, ngx_string("torii_request_id") },
    { ngx_null_string, NULL, ngx_null_string }
};


ngx_int_t
ngx_http_torii_expand(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ingress_ref_t template, ngx_str_t *text)
{
    ngx_str_t                        name, value;
    ngx_uint_t                       i, n;
    torii_buf_t                      b;
    const ingress_template_part_t   *parts;

    parts = (const ingress_template_part_t *) (ctx->table->table.pool
                                               + template.off);
    n = template.len / sizeof(ingress_template_part_t);

    if (n == 1 && parts[0].name.len == 0) {
        *text = ngx_http_torii_str(ctx, parts[0].value);
        return NGX_OK;
    }

    ngx_memzero(&b, sizeof(torii_buf_t));

    for (i = 0; i < n; i++) {

        if (parts[i].name.len) {
            name = ngx_http_torii_str(ctx, parts[i].name);
            value = ngx_http_torii_expand_value(r, ctx, &name);

        } else {
            value = ngx_http_torii_str(ctx, parts[i].value);
        }

        torii_buf_add(&b, value.data, value.len);
    }

    text->len = b.len;
    text->data = ngx_pnalloc(r->pool, b.len + 1);

    if (text->data) {
        ngx_memcpy(text->data, b.data, b.len);
        text->data[b.len] = '\0';
    }

    torii_buf_free(&b);

    return text->data ? NGX_OK : NGX_ERROR;
}


ngx_str_t
ngx_http_torii_expand_value(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_str_t *name)
{
    ngx_str_t                   value, *known;
    ngx_uint_t                  i, key;
    ngx_http_variable_value_t  *v;

    ngx_str_null(&value);
    known = name;

    for (i = 0; ngx_http_torii_expand_own[i].name.len; i++) {

        if (ngx_http_torii_expand_own[i].name.len != name->len
            || ngx_strncmp(ngx_http_torii_expand_own[i].name.data, name->data,
                           name->len)
               != 0)
        {
            continue;
        }

        if (ngx_http_torii_expand_own[i].get == NULL) {
            known = &ngx_http_torii_expand_own[i].nginx;
            break;
        }

        if (ngx_http_torii_expand_own[i].get(r, ctx, &value) != NGX_OK) {
            ngx_str_null(&value);
        }

        return value;
    }

    key = ngx_hash_key(known->data, known->len);
    v = ngx_http_get_variable(r, known, key);

    if (v && v->valid && !v->not_found) {
        value.len = v->len;
        value.data = v->data;
    }

    return value;
}


ngx_uint_t
ngx_http_torii_expands(ngx_http_torii_ctx_t *ctx, ingress_ref_t template,
    char *name)
{
    size_t                          len;
    ngx_str_t                       have;
    ngx_uint_t                      i, n;
    const ingress_template_part_t  *parts;

    len = ngx_strlen(name);
    parts = (const ingress_template_part_t *) (ctx->table->table.pool
                                               + template.off);
    n = template.len / sizeof(ingress_template_part_t);

    for (i = 0; i < n; i++) {
        have = ngx_http_torii_str(ctx, parts[i].name);

        if (have.len >= len && ngx_strncmp(have.data, name, len) == 0) {
            return 1;
        }
    }

    return 0;
}


/* All that means something in a query is escaped: it goes into one. */

static ngx_int_t
ngx_http_torii_expand_escaped(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_str_t *value)
{
    size_t  n;

    n = ngx_escape_uri(NULL, r->unparsed_uri.data, r->unparsed_uri.len,
                       NGX_ESCAPE_URI_COMPONENT);

    value->len = r->unparsed_uri.len + 2 * n;
    value->data = ngx_pnalloc(r->pool, value->len);

    if (value->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_escape_uri(value->data, r->unparsed_uri.data,
                          r->unparsed_uri.len, NGX_ESCAPE_URI_COMPONENT);

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_expand_scheme(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_str_t *value)
{
    *value = ctx->scheme;

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_expand_host(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_str_t *value)
{
    *value = ctx->best_host;

    return NGX_OK;
}
