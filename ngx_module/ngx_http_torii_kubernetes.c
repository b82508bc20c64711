
/*
 * The directives of the Kubernetes source.  What the environment says of the
 * pod is read here: nginx takes it from its processes, and from a new binary
 * all that it was not told to leave.
 */

#include "ngx_http_torii.h"


static ngx_int_t ngx_http_torii_environment(ngx_conf_t *cf,
    ngx_http_torii_kubernetes_t *k);
static ngx_int_t ngx_http_torii_getenv(ngx_conf_t *cf, char *name,
    ngx_str_t *value);
static char *ngx_http_torii_publish_object(ngx_conf_t *cf, ngx_str_t *value);
static char *ngx_http_torii_publish_echo(ngx_conf_t *cf,
    ngx_http_torii_kubernetes_t *k);
static ngx_int_t ngx_http_torii_publish_server(ngx_str_t *url,
    ngx_str_t *server);


char *
ngx_http_torii_kubernetes(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_main_conf_t *tmcf = conf;

    ngx_str_t                    *value;
    ngx_uint_t                    i;
    ngx_http_torii_kubernetes_t  *k;

    k = &tmcf->kubernetes;

    if (k->enable) {
        return "is duplicate";
    }

    k->enable = 1;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "kubeconfig=", 11) == 0
            && value[i].len > 11)
        {
            k->kubeconfig.len = value[i].len - 11;
            k->kubeconfig.data = value[i].data + 11;

            if (ngx_conf_full_name(cf->cycle, &k->kubeconfig, 0) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "context=", 8) == 0
            && value[i].len > 8)
        {
            k->context.len = value[i].len - 8;
            k->context.data = value[i].data + 8;
            continue;
        }

        if (ngx_strcmp(value[i].data, "insecure=on") == 0) {
            k->insecure = 1;
            continue;
        }

        if (ngx_strcmp(value[i].data, "insecure=off") == 0) {
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"torii_kubernetes\" takes kubeconfig=FILE, "
                           "context=NAME and insecure=on, not \"%V\"",
                           &value[i]);
        return NGX_CONF_ERROR;
    }

    if (k->context.len && k->kubeconfig.len == 0) {
        return "has a context, but no kubeconfig";
    }

    return ngx_http_torii_environment(cf, k) == NGX_OK ? NGX_CONF_OK
                                                       : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_torii_environment(ngx_conf_t *cf, ngx_http_torii_kubernetes_t *k)
{
    ngx_uint_t  i;

    struct {
        char       *name;
        ngx_str_t  *value;
    } vars[] = {
        { "KUBERNETES_SERVICE_HOST", &k->host },
        { "KUBERNETES_SERVICE_PORT", &k->port },
        { "POD_NAME", &k->pod_name },
        { "POD_NAMESPACE", &k->pod_namespace },
        { "NODE_NAME", &k->node_name },
    };

    for (i = 0; i < sizeof(vars) / sizeof(vars[0]); i++) {
        if (ngx_http_torii_getenv(cf, vars[i].name, vars[i].value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* As "env NAME;" does, lest an upgraded binary finds nothing. */

static ngx_int_t
ngx_http_torii_getenv(ngx_conf_t *cf, char *name, ngx_str_t *value)
{
    char             *p;
    ngx_str_t        *var, text;
    ngx_core_conf_t  *ccf;

    p = getenv(name);
    if (p == NULL || *p == '\0') {
        return NGX_OK;
    }

    text.data = (u_char *) p;
    text.len = ngx_strlen(p) + 1;

    value->data = ngx_pstrdup(cf->pool, &text);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = text.len - 1;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);

    var = ngx_array_push(&ccf->env);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->data = (u_char *) name;
    var->len = ngx_strlen(name);

    return NGX_OK;
}


char *
ngx_http_torii_publish(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_main_conf_t *tmcf = conf;

    ngx_str_t                    *value, *address;
    ngx_uint_t                    i;
    ngx_http_torii_kubernetes_t  *k;

    k = &tmcf->kubernetes;

    if (k->publish != NGX_HTTP_TORII_PUBLISH_NONE) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "node") == 0) {
        k->publish = NGX_HTTP_TORII_PUBLISH_NODE;
        return NGX_CONF_OK;
    }

    if (cf->args->nelts == 2
        && ngx_strncmp(value[1].data, "service=", 8) == 0)
    {
        k->publish = NGX_HTTP_TORII_PUBLISH_SERVICE;
        k->publish_name.len = value[1].len - 8;
        k->publish_name.data = value[1].data + 8;

        return ngx_http_torii_publish_object(cf, &k->publish_name);
    }

    if (cf->args->nelts == 2 && value[1].len > 10
        && ngx_strncmp(value[1].data, "interface=", 10) == 0)
    {
        k->publish = NGX_HTTP_TORII_PUBLISH_INTERFACE;
        k->publish_name.len = value[1].len - 10;
        k->publish_name.data = value[1].data + 10;

        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[1].data, "echo=", 5) == 0) {
        return ngx_http_torii_publish_echo(cf, k);
    }

    k->publish = NGX_HTTP_TORII_PUBLISH_ADDRESSES;
    k->addresses = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));

    if (k->addresses == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strlchr(value[i].data, value[i].data + value[i].len, '=')) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"torii_publish\" takes addresses, or one of "
                               "service=NAMESPACE/NAME, node, "
                               "interface=NAME and echo=URL, not \"%V\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        address = ngx_array_push(k->addresses);
        if (address == NULL) {
            return NGX_CONF_ERROR;
        }

        *address = value[i];
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_torii_publish_object(ngx_conf_t *cf, ngx_str_t *value)
{
    u_char  *slash;

    slash = ngx_strlchr(value->data, value->data + value->len, '/');

    if (slash == NULL || slash == value->data
        || slash == value->data + value->len - 1)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"torii_publish\" takes service=NAMESPACE/NAME, "
                           "not \"service=%V\"", value);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* Servers outside, of which at least two have to say the same. */

static char *
ngx_http_torii_publish_echo(ngx_conf_t *cf, ngx_http_torii_kubernetes_t *k)
{
    ngx_str_t   *value, *url, server[NGX_HTTP_TORII_ECHO_MAX];
    ngx_uint_t   i, j, n;

    value = cf->args->elts;
    n = cf->args->nelts - 1;

    k->publish = NGX_HTTP_TORII_PUBLISH_ECHO;
    k->addresses = ngx_array_create(cf->pool, n, sizeof(ngx_str_t));

    if (k->addresses == NULL) {
        return NGX_CONF_ERROR;
    }

    if (n < 2 || n > NGX_HTTP_TORII_ECHO_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"torii_publish\" takes echo=URL twice at least, "
                           "since two servers have to agree, and %d times at "
                           "most", NGX_HTTP_TORII_ECHO_MAX);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        url = ngx_array_push(k->addresses);

        if (url == NULL) {
            return NGX_CONF_ERROR;
        }

        *url = value[i + 1];

        if (ngx_strncmp(url->data, "echo=", 5) == 0) {
            url->data += 5;
            url->len -= 5;
        }

        if (url->data == value[i + 1].data
            || ngx_http_torii_publish_server(url, &server[i]) != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"torii_publish\" takes echo=https://…, not "
                               "\"%V\"", &value[i + 1]);
            return NGX_CONF_ERROR;
        }

        for (j = 0; j < i; j++) {

            if (server[j].len == server[i].len
                && ngx_strncasecmp(server[j].data, server[i].data,
                                   server[i].len)
                   == 0)
            {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"torii_publish\" names the echo server "
                                   "\"%V\" twice", &server[i]);
                return NGX_CONF_ERROR;
            }
        }
    }

    return NGX_CONF_OK;
}


/* "host[:port]" of a URL; http:// is for servers of this machine. */

static ngx_int_t
ngx_http_torii_publish_server(ngx_str_t *url, ngx_str_t *server)
{
    u_char      *p, *last;
    ngx_uint_t   https;

    https = url->len > 8 && ngx_strncasecmp(url->data, (u_char *) "https://", 8)
                            == 0;

    if (!https && (url->len <= 7
                   || ngx_strncasecmp(url->data, (u_char *) "http://", 7) != 0))
    {
        return NGX_ERROR;
    }

    p = url->data + (https ? 8 : 7);
    last = p + strcspn((char *) p, "/?#");

    server->data = p;
    server->len = last - p;

    /* a user before "@" would be told to everybody who reads the log */

    if (server->len == 0 || ngx_strlchr(p, last, '@')
        || strpbrk((char *) url->data, " \t\r\n\\"))
    {
        return NGX_ERROR;
    }

    if (https) {
        return NGX_OK;
    }

    if (ngx_strncmp(p, "127.0.0.1", 9) == 0) {
        p += 9;

    } else if (ngx_strncmp(p, "[::1]", 5) == 0) {
        p += 5;

    } else {
        return NGX_ERROR;
    }

    return (p == last || *p == ':') ? NGX_OK : NGX_ERROR;
}


char *
ngx_http_torii_leader(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_main_conf_t *tmcf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (tmcf->kubernetes.leader.data == NULL
        && ngx_strcmp(value[1].data, "off") == 0)
    {
        tmcf->kubernetes.leader = value[1];
        return NGX_CONF_OK;
    }

    return ngx_http_torii_object(cf, cmd, conf);
}


char *
ngx_http_torii_kubernetes_init(ngx_conf_t *cf,
    ngx_http_torii_main_conf_t *tmcf)
{
    ngx_http_torii_kubernetes_t  *k;

    k = &tmcf->kubernetes;

    if (k->enable && tmcf->manifests.len) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "torii has two sources of objects: keep one of "
                      "\"torii_manifests\" and \"torii_kubernetes\"");
        return NGX_CONF_ERROR;
    }

    if (k->enable && k->publish == NGX_HTTP_TORII_PUBLISH_ECHO) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"torii_publish echo=URL\" is for a gateway without "
                      "\"torii_kubernetes\"");
        return NGX_CONF_ERROR;
    }

    if (!k->enable && (k->publish == NGX_HTTP_TORII_PUBLISH_SERVICE
                       || k->publish == NGX_HTTP_TORII_PUBLISH_NODE
                       || k->leader.len || k->secrets))
    {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"torii_publish service=NAME\" and \"node\", "
                      "\"torii_leader\" and \"torii_secret_namespaces\" do "
                      "nothing without \"torii_kubernetes\"");
        return NGX_CONF_OK;
    }

    if (k->enable && k->kubeconfig.len == 0 && k->host.len == 0
        && tmcf->helper != NGX_HTTP_TORII_HELPER_OFF)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "this is no pod, since $KUBERNETES_SERVICE_HOST is not "
                      "set: say where the cluster is, \"torii_kubernetes "
                      "kubeconfig=FILE;\"");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
