
/*
 * The module: directives, configuration and the places where nginx calls the
 * other files of this folder.
 */

#include "ngx_http_torii_login.h"


static void *ngx_http_torii_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_torii_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_torii_create_srv_conf(ngx_conf_t *cf);
static char *ngx_http_torii_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child);
static void *ngx_http_torii_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_torii_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_torii_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_torii_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_torii_servers_init(ngx_conf_t *cf,
    ngx_http_torii_main_conf_t *tmcf);
static void ngx_http_torii_https_port(ngx_conf_t *cf,
    ngx_http_torii_main_conf_t *tmcf);
static ngx_int_t ngx_http_torii_phase_add(ngx_conf_t *cf, ngx_http_phases phase,
    ngx_http_handler_pt handler);
static ngx_int_t ngx_http_torii_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_torii_init_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_torii_log_handler(ngx_http_request_t *r);

static char *ngx_http_torii(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_torii_state(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_torii_manifests(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_torii_names(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_torii_watch_namespace(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_torii_resolver(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_conf_enum_t  ngx_http_torii_helpers[] = {
    { ngx_string("on"), NGX_HTTP_TORII_HELPER_ON },
    { ngx_string("off"), NGX_HTTP_TORII_HELPER_OFF },
    { ngx_string("only"), NGX_HTTP_TORII_HELPER_ONLY },
    { ngx_null_string, 0 }
};


static ngx_conf_num_bounds_t  ngx_http_torii_cache_bounds = {
    ngx_conf_check_num_bounds, 1, 1000000
};


static ngx_command_t  ngx_http_torii_commands[] = {

    { ngx_string("torii"),
      NGX_HTTP_SRV_CONF|NGX_CONF_FLAG,
      ngx_http_torii,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_torii_srv_conf_t, enable),
      NULL },

    { ngx_string("torii_state"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_torii_state,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("torii_manifests"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_torii_manifests,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("torii_kubernetes"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_ANY,
      ngx_http_torii_kubernetes,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("torii_publish"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_torii_publish,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("torii_leader"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_torii_leader,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_torii_main_conf_t, kubernetes.leader),
      NULL },

    { ngx_string("torii_secret_namespaces"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_torii_names,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_torii_main_conf_t, kubernetes.secrets),
      NULL },

    { ngx_string("torii_acme"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_torii_acme,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("torii_dns"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_torii_dns,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("torii_helper"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_torii_main_conf_t, helper),
      &ngx_http_torii_helpers },

    { ngx_string("torii_class"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_torii_names,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_torii_main_conf_t, classes),
      NULL },

    { ngx_string("torii_controller"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_torii_names,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_torii_main_conf_t, controllers),
      NULL },

    { ngx_string("torii_config"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_torii_object,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_torii_main_conf_t, config),
      NULL },

    { ngx_string("torii_default_backend"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_torii_object,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_torii_main_conf_t, default_backend),
      NULL },

    { ngx_string("torii_default_certificate"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_torii_object,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_torii_main_conf_t, default_certificate),
      NULL },

    { ngx_string("torii_certificate_cache"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_torii_main_conf_t, certificate_cache),
      &ngx_http_torii_cache_bounds },

    { ngx_string("torii_watch_namespace"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_torii_watch_namespace,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("torii_cluster_resource_namespace"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_torii_main_conf_t, cluster_namespace),
      NULL },

    { ngx_string("torii_resolver"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_torii_resolver,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_torii_main_conf_t, resolver),
      NULL },

    { ngx_string("torii_admin"),
      NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_torii_admin,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("torii_login_page"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_torii_page_conf,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("torii_webhook"),
      NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_torii_webhook,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_torii_loc_conf_t, webhook),
      NULL },

    /* used by the generated text only */

    { ngx_string("torii_balancer"),
      NGX_HTTP_UPS_CONF|NGX_CONF_NOARGS,
      ngx_http_torii_balancer,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("torii_routes"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_torii_loc_conf_t, routes),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_torii_module_ctx = {
    ngx_http_torii_preconfiguration,       /* preconfiguration */
    ngx_http_torii_postconfiguration,      /* postconfiguration */

    ngx_http_torii_create_main_conf,       /* create main configuration */
    ngx_http_torii_init_main_conf,         /* init main configuration */

    ngx_http_torii_create_srv_conf,        /* create server configuration */
    ngx_http_torii_merge_srv_conf,         /* merge server configuration */

    ngx_http_torii_create_loc_conf,        /* create location configuration */
    ngx_http_torii_merge_loc_conf          /* merge location configuration */
};


ngx_module_t  ngx_http_torii_module = {
    NGX_MODULE_V1,
    &ngx_http_torii_module_ctx,            /* module context */
    ngx_http_torii_commands,               /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_torii_init_module,            /* init module */
    ngx_http_torii_init_process,           /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_torii_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_torii_main_conf_t  *tmcf;

    tmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_torii_main_conf_t));
    if (tmcf == NULL) {
        return NULL;
    }

    tmcf->helper = NGX_CONF_UNSET_UINT;
    tmcf->certificate_cache = NGX_CONF_UNSET;
    tmcf->acme.enable = NGX_CONF_UNSET;
    tmcf->dns.enable = NGX_CONF_UNSET;

    if (ngx_array_init(&tmcf->servers, cf->pool, 4,
                       sizeof(ngx_http_core_srv_conf_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return tmcf;
}


static char *
ngx_http_torii_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_torii_main_conf_t  *tmcf = conf;

    ngx_conf_init_uint_value(tmcf->helper, NGX_HTTP_TORII_HELPER_ON);
    ngx_conf_init_value(tmcf->certificate_cache, 512);

    /* in a cluster it needs rights of its own, and cert-manager may be there */

    ngx_conf_init_value(tmcf->acme.enable, !tmcf->kubernetes.enable);
    ngx_conf_init_value(tmcf->dns.enable, !tmcf->kubernetes.enable);

    if (tmcf->state == NULL
        && (tmcf->manifests.len || tmcf->kubernetes.enable
            || tmcf->servers.nelts))
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "torii needs a folder of its own: add \"torii_state "
                      "/var/lib/torii;\" to the http block");
        return NGX_CONF_ERROR;
    }

    if (tmcf->state && tmcf->manifests.len == 0 && !tmcf->kubernetes.enable
        && tmcf->helper != NGX_HTTP_TORII_HELPER_OFF)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "torii has no source of objects: add \"torii_manifests "
                      "/etc/torii/manifests;\" or \"torii_kubernetes;\" to "
                      "the http block");
        return NGX_CONF_ERROR;
    }

    return ngx_http_torii_kubernetes_init(cf, tmcf);
}


static void *
ngx_http_torii_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_torii_srv_conf_t  *tscf;

    tscf = ngx_pcalloc(cf->pool, sizeof(ngx_http_torii_srv_conf_t));
    if (tscf == NULL) {
        return NULL;
    }

    tscf->enable = NGX_CONF_UNSET;

    return tscf;
}


static char *
ngx_http_torii_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_torii_srv_conf_t  *prev = parent;
    ngx_http_torii_srv_conf_t  *conf = child;

    ngx_conf_merge_value(conf->enable, prev->enable, 0);

    return NGX_CONF_OK;
}


static void *
ngx_http_torii_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_torii_loc_conf_t  *tlcf;

    tlcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_torii_loc_conf_t));
    if (tlcf == NULL) {
        return NULL;
    }

    tlcf->routes = NGX_CONF_UNSET;
    tlcf->webhook = NGX_CONF_UNSET;

    return tlcf;
}


static char *
ngx_http_torii_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_torii_loc_conf_t  *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    /* not inherited, as handlers are not: they are of the very location */

    ngx_conf_init_value(conf->routes, 0);
    ngx_conf_init_value(conf->webhook, 0);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->routes) {
        clcf->server_tokens = NGX_HTTP_SERVER_TOKENS_OFF;
    }

    if (conf->webhook) {
        ngx_http_torii_webhook_merge(clcf);
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_torii_preconfiguration(ngx_conf_t *cf)
{
    ngx_http_torii_main_conf_t  *tmcf;

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_torii_module);

    if (ngx_http_torii_variables_add(cf) != NGX_OK
        || ngx_torii_login_zone(cf, tmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_torii_metrics_zone(cf, tmcf);
}


static ngx_int_t
ngx_http_torii_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t                   i;
    ngx_http_torii_main_conf_t  *tmcf;

    static struct {
        ngx_http_phases          phase;
        ngx_http_handler_pt      handler;
    } phases[] = {
        { NGX_HTTP_SERVER_REWRITE_PHASE, ngx_http_torii_challenge_handler },
        { NGX_HTTP_REWRITE_PHASE, ngx_http_torii_route_handler },
        { NGX_HTTP_ACCESS_PHASE, ngx_http_torii_access_handler },
        { NGX_HTTP_LOG_PHASE, ngx_http_torii_log_handler },
    };

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_torii_module);

    if (ngx_http_torii_servers_init(cf, tmcf) != NGX_OK
        || ngx_torii_helper_conf(cf, tmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (tmcf->servers.nelts == 0) {
        return NGX_OK;
    }

    ngx_http_torii_https_port(cf, tmcf);

    for (i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
        if (ngx_http_torii_phase_add(cf, phases[i].phase, phases[i].handler)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_http_torii_filter_init(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_torii_ssl_init(cf, tmcf);
}


static ngx_int_t
ngx_http_torii_servers_init(ngx_conf_t *cf, ngx_http_torii_main_conf_t *tmcf)
{
    ngx_uint_t                   s;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_core_srv_conf_t   **cscfp, **server;
    ngx_http_torii_srv_conf_t   *tscf;
    ngx_http_core_main_conf_t   *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    cscfp = cmcf->servers.elts;

    for (s = 0; s < cmcf->servers.nelts; s++) {

        tscf = cscfp[s]->ctx->srv_conf[ngx_http_torii_module.ctx_index];

        if (!tscf->enable) {
            continue;
        }

        server = ngx_array_push(&tmcf->servers);
        if (server == NULL) {
            return NGX_ERROR;
        }

        *server = cscfp[s];

        /* of answers to requests that no route was looked up for */

        clcf = cscfp[s]->ctx->loc_conf[ngx_http_core_module.ctx_index];
        clcf->server_tokens = NGX_HTTP_SERVER_TOKENS_OFF;

        if (ngx_http_torii_templates_find(cf, cscfp[s]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (tmcf->servers.nelts && tmcf->state == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"torii on\" needs a folder of its own: add "
                      "\"torii_state /var/lib/torii;\" to the http block");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_torii_https_port(ngx_conf_t *cf, ngx_http_torii_main_conf_t *tmcf)
{
    ngx_uint_t                  p, a;
    ngx_http_conf_addr_t       *addr;
    ngx_http_conf_port_t       *port;
    ngx_http_torii_srv_conf_t  *tscf;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    tmcf->https_port = 443;

    if (cmcf->ports == NULL) {
        return;
    }

    port = cmcf->ports->elts;

    for (p = 0; p < cmcf->ports->nelts; p++) {
        addr = port[p].addrs.elts;

        for (a = 0; a < port[p].addrs.nelts; a++) {
            tscf = addr[a].default_server
                          ->ctx->srv_conf[ngx_http_torii_module.ctx_index];

            if (tscf->enable && addr[a].opt.ssl) {
                tmcf->https_port = port[p].port;
                return;
            }
        }
    }
}


static ngx_int_t
ngx_http_torii_phase_add(ngx_conf_t *cf, ngx_http_phases phase,
    ngx_http_handler_pt handler)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[phase].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_init_module(ngx_cycle_t *cycle)
{
    ngx_http_torii_main_conf_t  *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_torii_module);

    if (tmcf == NULL || tmcf->state == NULL) {
        return NGX_OK;
    }

    return ngx_torii_helper_init_module(cycle, tmcf);
}


static ngx_int_t
ngx_http_torii_init_process(ngx_cycle_t *cycle)
{
    ngx_http_torii_main_conf_t  *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_torii_module);

    if (tmcf == NULL || tmcf->state == NULL) {
        return NGX_OK;
    }

    if (ngx_http_torii_balancer_init_process(cycle, tmcf) != NGX_OK
        || ngx_http_torii_ssl_init_process(cycle, tmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_torii_helper_init_process(cycle, tmcf);
}


static ngx_int_t
ngx_http_torii_log_handler(ngx_http_request_t *r)
{
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_ctx(r);

    if (ctx && r == r->main) {
        ngx_http_torii_metrics_count(r, ctx);
    }

    return NGX_OK;
}


static char *
ngx_http_torii(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                       *rv;
    ngx_http_torii_srv_conf_t  *tscf = conf;

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return tscf->enable ? ngx_http_torii_templates(cf) : NGX_CONF_OK;
}


static char *
ngx_http_torii_state(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_main_conf_t *tmcf = conf;

    ngx_str_t  *value;

    if (tmcf->state) {
        return "is duplicate";
    }

    value = cf->args->elts;

    return ngx_torii_helper_state(cf, tmcf, &value[1]);
}


static char *
ngx_http_torii_manifests(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_main_conf_t *tmcf = conf;

    ngx_str_t  *value;

    if (tmcf->manifests.len) {
        return "is duplicate";
    }

    value = cf->args->elts;
    tmcf->manifests = value[1];

    if (ngx_conf_full_name(cf->cycle, &tmcf->manifests, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* NAMESPACE/NAME of one object */

char *
ngx_http_torii_object(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char     *slash;
    ngx_str_t  *value, *field;

    field = (ngx_str_t *) ((u_char *) conf + cmd->offset);

    if (field->data) {
        return "is duplicate";
    }

    value = cf->args->elts;
    slash = ngx_strlchr(value[1].data, value[1].data + value[1].len, '/');

    if (slash == NULL || slash == value[1].data
        || slash == value[1].data + value[1].len - 1)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" takes NAMESPACE/NAME, not \"%V\"",
                           &cmd->name, &value[1]);
        return NGX_CONF_ERROR;
    }

    *field = value[1];

    return NGX_CONF_OK;
}


static char *
ngx_http_torii_names(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t    *value, *name;
    ngx_uint_t    i;
    ngx_array_t **names;

    names = (ngx_array_t **) ((u_char *) conf + cmd->offset);

    if (*names == NULL) {
        *names = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
        if (*names == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        name = ngx_array_push(*names);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = value[i];
    }

    return NGX_CONF_OK;
}


/* NAMESPACE, or selector=LABELS, which the helper reads again */

static char *
ngx_http_torii_watch_namespace(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_main_conf_t *tmcf = conf;

    ngx_str_t           *value;
    const char          *why;
    torii_str_t          text;
    torii_arena_t       *arena;
    ingress_selector_t  *selector;

    if (tmcf->watch_namespace.data || tmcf->watch_selector.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strncmp(value[1].data, "selector=", 9) != 0) {
        tmcf->watch_namespace = value[1];
        return NGX_CONF_OK;
    }

    tmcf->watch_selector.data = value[1].data + 9;
    tmcf->watch_selector.len = value[1].len - 9;

    text.data = tmcf->watch_selector.data;
    text.len = tmcf->watch_selector.len;

    arena = torii_arena_create(1024);
    selector = ingress_selector_parse(arena, text, &why);
    torii_arena_destroy(arena);

    if (selector == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": \"%V\" %s",
                           &cmd->name, &tmcf->watch_selector, why);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* ADDRESS[:PORT]… joined by commas, as c-ares takes them */

static char *
ngx_http_torii_resolver(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_main_conf_t *tmcf = conf;

    u_char      *p;
    size_t       len;
    ngx_str_t   *value;
    ngx_url_t    u;
    ngx_uint_t   i;

    if (tmcf->resolver.data) {
        return "is duplicate";
    }

    value = cf->args->elts;
    len = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        ngx_memzero(&u, sizeof(ngx_url_t));

        u.url = value[i];
        u.default_port = 53;
        u.no_resolve = 1;

        if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs != 1) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"torii_resolver\" takes addresses of name "
                               "servers, not \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        len += value[i].len + 1;
    }

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    tmcf->resolver.data = p;

    for (i = 1; i < cf->args->nelts; i++) {
        p = ngx_cpymem(p, value[i].data, value[i].len);
        *p++ = ',';
    }

    *--p = '\0';
    tmcf->resolver.len = p - tmcf->resolver.data;

    return NGX_CONF_OK;
}
