
/*
 * Variables about who asks, for logs.
 */

#include "ngx_http_torii.h"


static ngx_int_t ngx_http_torii_variable_user(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_word(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_variable_text(ngx_http_variable_value_t *v,
    u_char *data, size_t len);


static ngx_http_variable_t  ngx_http_torii_variables_who[] = {

    { ngx_string("torii_auth_user"), NULL,
      ngx_http_torii_variable_user, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_auth_status"), NULL,
      ngx_http_torii_variable_word,
      offsetof(ngx_http_torii_ctx_t, auth_status), NGX_HTTP_VAR_NOCACHEABLE,
      0 },

    { ngx_string("torii_auth_reason"), NULL,
      ngx_http_torii_variable_word,
      offsetof(ngx_http_torii_ctx_t, auth_reason), NGX_HTTP_VAR_NOCACHEABLE,
      0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_torii_variables_auth(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_torii_variables_who; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_variable_user(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL) {
        return ngx_http_torii_variable_text(v, NULL, 0);
    }

    return ngx_http_torii_variable_text(v, ctx->auth_user.data,
                                        ctx->auth_user.len);
}


static ngx_int_t
ngx_http_torii_variable_word(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                *word;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);
    word = ctx ? *(u_char **) ((u_char *) ctx + data) : NULL;

    return ngx_http_torii_variable_text(v, word, word ? ngx_strlen(word) : 0);
}


/* Without any, a log has "-". */

static ngx_int_t
ngx_http_torii_variable_text(ngx_http_variable_value_t *v, u_char *data,
    size_t len)
{
    if (len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = len;
    v->data = data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
