
/*
 * DNS as nginx.conf and the admin pages see it: "torii_dns", and what the
 * helper says of it in two files beside the routing tables.
 */

#include "ngx_http_torii.h"


static char *ngx_http_torii_dns_param(ngx_conf_t *cf,
    ngx_http_torii_dns_t *dns, ngx_str_t *value);
static char *ngx_http_torii_dns_private(ngx_conf_t *cf, ngx_str_t *value);


char *
ngx_http_torii_dns(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_main_conf_t *tmcf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (tmcf->dns.enable != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        tmcf->dns.enable = 0;
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        rv = ngx_http_torii_dns_param(cf, &tmcf->dns, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    tmcf->dns.enable = 1;

    return NGX_CONF_OK;
}


static char *
ngx_http_torii_dns_param(ngx_conf_t *cf, ngx_http_torii_dns_t *dns,
    ngx_str_t *value)
{
    ngx_uint_t  i;

    if (ngx_strcmp(value->data, "on") == 0) {
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value->data, "observe") == 0) {
        dns->observe = 1;
        return NGX_CONF_OK;
    }

    if (value->len > 6 && ngx_strncmp(value->data, "owner=", 6) == 0) {
        dns->owner.data = value->data + 6;
        dns->owner.len = value->len - 6;

        for (i = 0; i < dns->owner.len; i++) {
            if (dns->owner.data[i] <= ' ' || dns->owner.data[i] >= 0x7f
                || dns->owner.data[i] == ',' || dns->owner.data[i] == '"')
            {
                return "takes an owner= of letters, digits and signs other "
                       "than , and \"";
            }
        }

        return dns->owner.len <= NGX_HTTP_TORII_DNS_OWNER
               ? NGX_CONF_OK : "has an owner= that is too long";
    }

    if (value->len > 8 && ngx_strncmp(value->data, "private=", 8) == 0) {
        dns->private.data = value->data + 8;
        dns->private.len = value->len - 8;

        return ngx_http_torii_dns_private(cf, &dns->private);
    }

    return "takes \"off\", or any of \"on\", \"observe\", \"owner=ID\" and "
           "\"private=ADDRESS,ADDRESS\"";
}


static char *
ngx_http_torii_dns_private(ngx_conf_t *cf, ngx_str_t *value)
{
    u_char            *p, *last, *comma;
    struct in6_addr    in6;

    last = value->data + value->len;

    for (p = value->data; p < last; p = comma + 1) {
        comma = ngx_strlchr(p, last, ',');

        if (comma == NULL) {
            comma = last;
        }

        if (ngx_inet_addr(p, comma - p) == INADDR_NONE
            && ngx_inet6_addr(p, comma - p, (u_char *) &in6) != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"torii_dns\" takes private=ADDRESS,ADDRESS, "
                               "not \"private=%V\"", value);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_torii_dns_page(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out)
{
    if (ngx_http_torii_acme_read(tmcf, "dns.json", out) != NGX_OK) {
        torii_buf_adds(out, "{\"accounts\":[],\"zones\":[],\"findings\":[],"
                            "\"hosts\":[]}\n");
    }

    return NGX_HTTP_OK;
}


void
ngx_http_torii_dns_metrics(ngx_http_torii_main_conf_t *tmcf, torii_buf_t *out)
{
    (void) ngx_http_torii_acme_read(tmcf, "dns.metrics", out);
}
