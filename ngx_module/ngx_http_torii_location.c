
/*
 * A template location's configuration with a policy's own limits.  The copies
 * are made once per table, policy and template, and only where nginx reads a
 * field before the upstream is chosen; the rest is ngx_http_torii_upstream.c's.
 */

#include "ngx_http_torii.h"


/* Behind what nginx looks at: the template, and the copy of another server's */

#define ngx_http_torii_location_source(loc_conf)                              \
    ((loc_conf)[ngx_http_max_module])
#define ngx_http_torii_location_next(loc_conf)                                \
    ((loc_conf)[ngx_http_max_module + 1])


static void **ngx_http_torii_location_create(ngx_torii_table_t *table,
    ngx_http_torii_ctx_t *ctx, ngx_http_core_loc_conf_t *template);
static void ngx_http_torii_location_core(ngx_http_core_loc_conf_t *clcf,
    ngx_http_torii_ctx_t *ctx);


ngx_int_t
ngx_http_torii_location_set(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    void                       **loc_conf;
    ngx_uint_t                   i;
    ngx_torii_table_t           *table;
    ngx_http_core_loc_conf_t    *template;
    ngx_http_torii_srv_conf_t   *tscf;

    table = ctx->table;

    if (table->locations == NULL) {
        table->locations = ngx_torii_table_room(table, sizeof(void *)
                               * ingress_table_n(&table->table, POLICIES)
                               * NGX_HTTP_TORII_TEMPLATES);
        if (table->locations == NULL) {
            return NGX_ERROR;
        }
    }

    i = (ctx->policy - table->table.policies) * NGX_HTTP_TORII_TEMPLATES
        + ctx->template;

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_torii_module);
    template = tscf->templates[ctx->template];

    loc_conf = table->locations[i];

    while (loc_conf && ngx_http_torii_location_source(loc_conf) != template) {
        loc_conf = ngx_http_torii_location_next(loc_conf);
    }

    if (loc_conf == NULL) {
        loc_conf = ngx_http_torii_location_create(table, ctx, template);
        if (loc_conf == NULL) {
            return NGX_ERROR;
        }

        ngx_http_torii_location_next(loc_conf) = table->locations[i];
        table->locations[i] = loc_conf;
    }

    r->loc_conf = loc_conf;

    ngx_http_update_location_config(r);

    return NGX_OK;
}


static void **
ngx_http_torii_location_create(ngx_torii_table_t *table,
    ngx_http_torii_ctx_t *ctx, ngx_http_core_loc_conf_t *template)
{
    void                      **loc_conf;
    ngx_http_core_loc_conf_t   *clcf;

    loc_conf = ngx_palloc(table->pool,
                          sizeof(void *) * (ngx_http_max_module + 2));
    if (loc_conf == NULL) {
        return NULL;
    }

    clcf = ngx_palloc(table->pool, sizeof(ngx_http_core_loc_conf_t));
    if (clcf == NULL) {
        return NULL;
    }

    *clcf = *template;
    clcf->loc_conf = loc_conf;

    ngx_http_torii_location_core(clcf, ctx);

    ngx_memcpy(loc_conf, template->loc_conf,
               sizeof(void *) * ngx_http_max_module);

    loc_conf[ngx_http_core_module.ctx_index] = clcf;
    ngx_http_torii_location_source(loc_conf) = template;

    return loc_conf;
}


static void
ngx_http_torii_location_core(ngx_http_core_loc_conf_t *clcf,
    ngx_http_torii_ctx_t *ctx)
{
    const ingress_global_t  *global;
    const ingress_policy_t  *policy;

    policy = ctx->policy;
    global = &ctx->table->table.header->global;

    clcf->client_max_body_size = (off_t) policy->body_size;
    clcf->client_body_buffer_size = (size_t) policy->body_buffer_size;

    clcf->absolute_redirect = !policy->relative_redirects;
    clcf->port_in_redirect = policy->use_port_in_redirects;
    clcf->server_name_in_redirect = 0;

    clcf->server_tokens = global->server_tokens ? NGX_HTTP_SERVER_TOKENS_ON
                                                : NGX_HTTP_SERVER_TOKENS_OFF;
}
