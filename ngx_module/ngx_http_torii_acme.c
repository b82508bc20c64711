
/*
 * Certificates as nginx.conf and the admin pages see them: "torii_acme", and
 * what the helper says of them in two files beside the routing tables.
 */

#include "ngx_http_torii.h"


#define NGX_HTTP_TORII_ACME_MAX  (64 * 1024 * 1024)


char *
ngx_http_torii_acme(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_main_conf_t *tmcf = conf;

    ngx_str_t   *value, *issuer, *rival;
    ngx_uint_t   i;

    static ngx_str_t  key = ngx_string("default_issuer=");
    static ngx_str_t  lease = ngx_string("cert_manager=");

    if (tmcf->acme.enable != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;
    issuer = &tmcf->acme.default_issuer;
    rival = &tmcf->acme.rival;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "off") == 0 && cf->args->nelts == 2) {
            tmcf->acme.enable = 0;
            return NGX_CONF_OK;
        }

        if (ngx_strcmp(value[i].data, "eager") == 0) {
            tmcf->acme.eager = 1;

        } else if (ngx_strcmp(value[i].data, "takeover") == 0) {
            tmcf->acme.takeover = 1;

        } else if (value[i].len > lease.len
                   && ngx_strncmp(value[i].data, lease.data, lease.len) == 0)
        {
            rival->data = value[i].data + lease.len;
            rival->len = value[i].len - lease.len;

            if (ngx_strchr(rival->data, '/') == NULL
                || rival->data[0] == '/'
                || rival->data[rival->len - 1] == '/')
            {
                return "takes cert_manager=NAMESPACE/NAME, a Lease";
            }

        } else if (value[i].len > key.len
                   && ngx_strncmp(value[i].data, key.data, key.len) == 0)
        {
            issuer->data = value[i].data + key.len;
            issuer->len = value[i].len - key.len;

            if (ngx_strncmp(issuer->data, "ClusterIssuer/", 14) != 0
                && ngx_strncmp(issuer->data, "Issuer/", 7) != 0)
            {
                return "takes default_issuer=ClusterIssuer/NAME or "
                       "default_issuer=Issuer/NAME";
            }

        } else if (ngx_strcmp(value[i].data, "on") != 0) {
            return "takes \"off\", or any of \"on\", \"eager\", "
                   "\"takeover\", \"default_issuer=KIND/NAME\" and "
                   "\"cert_manager=NAMESPACE/NAME\"";
        }
    }

    tmcf->acme.enable = 1;

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_torii_acme_page(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out)
{
    if (ngx_http_torii_acme_read(tmcf, "certificates.json", out) != NGX_OK) {
        torii_buf_adds(out, "{\"certificates\":[],\"issuers\":[]}\n");
    }

    return NGX_HTTP_OK;
}


void
ngx_http_torii_acme_metrics(ngx_http_torii_main_conf_t *tmcf,
    torii_buf_t *out)
{
    (void) ngx_http_torii_acme_read(tmcf, "certificates.metrics", out);
}


/* The helper renames it into its place: it is never half a file. */

ngx_int_t
ngx_http_torii_acme_read(ngx_http_torii_main_conf_t *tmcf, char *name,
    torii_buf_t *out)
{
    int          fd;
    u_char       path[NGX_MAX_PATH];
    size_t       left;
    ssize_t      n;
    struct stat  st;

    if (tmcf->state == NULL) {
        return NGX_DECLINED;
    }

    *ngx_snprintf(path, NGX_MAX_PATH - 1, "%V/%s", &tmcf->table_dir, name) = 0;

    fd = open((char *) path, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);
    if (fd == -1) {
        return NGX_DECLINED;
    }

    left = 0;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
        && st.st_size <= NGX_HTTP_TORII_ACME_MAX)
    {
        left = st.st_size;
    }

    while (left) {
        n = read(fd, torii_buf_room(out, left), left);
        if (n <= 0) {
            break;
        }

        out->len += n;
        left -= n;
    }

    close(fd);

    return NGX_OK;
}
