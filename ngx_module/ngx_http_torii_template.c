
/*
 * What "torii on" adds to the operator's configuration, as ordinary nginx text:
 * one upstream and one template location for each way to reach a backend.  A
 * route runs in one of these locations; its own limits replace the values
 * below when it does (ngx_http_torii_location.c, _upstream.c).  "nginx -T"
 * shows the text.
 */

#include "ngx_http_torii.h"

#include <sys/mman.h>


#define NGX_HTTP_TORII_UPSTREAM(name)                                         \
    "upstream torii_" name " {\n"                                             \
    "    server 0.0.0.1;\n"                                                   \
    "    torii_balancer;\n"                                                   \
    "    keepalive 320;\n"                                                    \
    "    keepalive_requests 10000;\n"                                         \
    "}\n"

/* Headers to the backend; an empty value leaves the header out. */

#define NGX_HTTP_TORII_HEADERS(set)                                           \
    set "Host $torii_host;\n"                                                 \
    set "X-Request-ID $torii_request_id;\n"                                   \
    set "X-Real-IP $remote_addr;\n"                                           \
    set "X-Forwarded-For $torii_forwarded_for;\n"                             \
    set "X-Forwarded-Host $torii_forwarded_host;\n"                           \
    set "X-Forwarded-Port $torii_forwarded_port;\n"                           \
    set "X-Forwarded-Proto $torii_forwarded_proto;\n"                         \
    set "X-Forwarded-Scheme $torii_forwarded_proto;\n"                        \
    set "X-Scheme $torii_forwarded_proto;\n"                                  \
    set "X-Forwarded-Prefix $torii_forwarded_prefix;\n"                       \
    set "X-Original-Forwarded-For $torii_original_forwarded_for;\n"           \
    set "X-Original-Forwarded-Host $torii_original_forwarded_host;\n"         \
    set "X-Original-URI $torii_original_uri;\n"                               \
    set "Proxy \"\";\n"

#define NGX_HTTP_TORII_PROXY(name, scheme, version, more)                     \
    "location @torii_" name " {\n"                                            \
    "    proxy_pass " scheme "://torii_" scheme ";\n"                         \
    "    proxy_http_version " version ";\n"                                   \
    NGX_HTTP_TORII_HEADERS("    proxy_set_header ")                           \
    "    proxy_set_header Upgrade $torii_upgrade;\n"                          \
    "    proxy_set_header Connection $torii_connection;\n"                    \
    "    proxy_headers_hash_max_size 1024;\n"                                 \
    "    proxy_headers_hash_bucket_size 128;\n"                               \
    "    proxy_pass_header Server;\n"                                         \
    "    proxy_redirect off;\n"                                               \
    "    proxy_intercept_errors off;\n"                                       \
    "    proxy_cache off;\n"                                                  \
    "    proxy_ssl_session_reuse off;\n"                                      \
    "    proxy_ssl_server_name on;\n"                                         \
    more                                                                      \
    "}\n"

#define NGX_HTTP_TORII_GRPC_PASS(name)                                        \
    "location @torii_" name " {\n"                                            \
    "    grpc_pass " name "://torii_" name ";\n"                              \
    NGX_HTTP_TORII_HEADERS("    grpc_set_header ")                            \
    "    grpc_pass_header Server;\n"                                          \
    "    grpc_intercept_errors off;\n"                                        \
    "    grpc_ssl_session_reuse off;\n"                                       \
    "    grpc_ssl_server_name on;\n"                                          \
    "    client_body_timeout 24h;\n"                                          \
    "}\n"

#define NGX_HTTP_TORII_FASTCGI_PASS(name, more)                               \
    "location @torii_" name " {\n"                                            \
    "    fastcgi_pass torii_fastcgi;\n"                                       \
    "    fastcgi_keep_conn on;\n"                                             \
    "    fastcgi_param QUERY_STRING $query_string;\n"                         \
    "    fastcgi_param REQUEST_METHOD $request_method;\n"                     \
    "    fastcgi_param CONTENT_TYPE $content_type;\n"                         \
    "    fastcgi_param CONTENT_LENGTH $content_length;\n"                     \
    "    fastcgi_param SCRIPT_NAME $torii_fastcgi_script_name;\n"             \
    "    fastcgi_param REQUEST_URI $request_uri;\n"                           \
    "    fastcgi_param DOCUMENT_URI $document_uri;\n"                         \
    "    fastcgi_param DOCUMENT_ROOT $document_root;\n"                       \
    "    fastcgi_param SERVER_PROTOCOL $server_protocol;\n"                   \
    "    fastcgi_param REQUEST_SCHEME $torii_forwarded_proto;\n"              \
    "    fastcgi_param HTTPS $https if_not_empty;\n"                          \
    "    fastcgi_param GATEWAY_INTERFACE CGI/1.1;\n"                          \
    "    fastcgi_param SERVER_SOFTWARE nginx;\n"                              \
    "    fastcgi_param REMOTE_ADDR $remote_addr;\n"                           \
    "    fastcgi_param REMOTE_PORT $remote_port;\n"                           \
    "    fastcgi_param SERVER_ADDR $server_addr;\n"                           \
    "    fastcgi_param SERVER_PORT $torii_forwarded_port;\n"                  \
    "    fastcgi_param SERVER_NAME $host;\n"                                  \
    "    fastcgi_param REDIRECT_STATUS 200;\n"                                \
    "    fastcgi_param HTTP_HOST $torii_host;\n"                              \
    "    fastcgi_param HTTP_X_REQUEST_ID $torii_request_id;\n"                \
    "    fastcgi_param HTTP_X_REAL_IP $remote_addr;\n"                        \
    "    fastcgi_param HTTP_X_FORWARDED_FOR $torii_forwarded_for;\n"          \
    "    fastcgi_param HTTP_X_FORWARDED_HOST $torii_forwarded_host;\n"        \
    "    fastcgi_param HTTP_X_FORWARDED_PORT $torii_forwarded_port;\n"        \
    "    fastcgi_param HTTP_X_FORWARDED_PROTO $torii_forwarded_proto;\n"      \
    "    fastcgi_param HTTP_X_FORWARDED_SCHEME $torii_forwarded_proto;\n"     \
    "    fastcgi_param HTTP_X_SCHEME $torii_forwarded_proto;\n"               \
    "    fastcgi_param HTTP_X_FORWARDED_PREFIX $torii_forwarded_prefix"       \
    " if_not_empty;\n"                                                        \
    "    fastcgi_param HTTP_X_ORIGINAL_FORWARDED_FOR"                         \
    " $torii_original_forwarded_for if_not_empty;\n"                          \
    "    fastcgi_param HTTP_X_ORIGINAL_FORWARDED_HOST"                        \
    " $torii_original_forwarded_host if_not_empty;\n"                         \
    "    fastcgi_param HTTP_X_ORIGINAL_URI $torii_original_uri"               \
    " if_not_empty;\n"                                                        \
    "    fastcgi_param HTTP_PROXY \"\" if_not_empty;\n"                       \
    "    fastcgi_pass_header Server;\n"                                       \
    "    fastcgi_cache off;\n"                                                \
    "    fastcgi_intercept_errors off;\n"                                     \
    more                                                                      \
    "}\n"

#define NGX_HTTP_TORII_UNBUFFERED  "    proxy_request_buffering off;\n"


static char *ngx_http_torii_text(ngx_conf_t *cf, ngx_str_t *text,
    const char *dir);


static ngx_str_t  ngx_http_torii_http_text = ngx_string(
    NGX_HTTP_TORII_UPSTREAM("http")
    NGX_HTTP_TORII_UPSTREAM("https")
    NGX_HTTP_TORII_UPSTREAM("grpc")
    NGX_HTTP_TORII_UPSTREAM("grpcs")
    NGX_HTTP_TORII_UPSTREAM("fastcgi")
);


/* The variable is never set: nginx loads no certificate, Torii gives it. */

static ngx_str_t  ngx_http_torii_server_text = ngx_string(
    "ssl_certificate data:$torii_none;\n"
    "ssl_certificate_key data:$torii_none;\n"
    "location / {\n"
    "    torii_routes on;\n"
    "    client_max_body_size 0;\n"
    "}\n"
    NGX_HTTP_TORII_PROXY("http", "http", "1.1", "")
    NGX_HTTP_TORII_PROXY("http_stream", "http", "1.1",
                         NGX_HTTP_TORII_UNBUFFERED)
    NGX_HTTP_TORII_PROXY("http10", "http", "1.0", "")
    NGX_HTTP_TORII_PROXY("https", "https", "1.1", "")
    NGX_HTTP_TORII_PROXY("https_stream", "https", "1.1",
                         NGX_HTTP_TORII_UNBUFFERED)
    NGX_HTTP_TORII_PROXY("https10", "https", "1.0", "")
    NGX_HTTP_TORII_GRPC_PASS("grpc")
    NGX_HTTP_TORII_GRPC_PASS("grpcs")
    NGX_HTTP_TORII_FASTCGI_PASS("fastcgi", "")
    NGX_HTTP_TORII_FASTCGI_PASS("fastcgi_stream",
                                "    fastcgi_request_buffering off;\n")
);


/* In the order of ngx_http_torii_template_e. */

static ngx_str_t  ngx_http_torii_template_names[] = {
    ngx_string("@torii_http"),
    ngx_string("@torii_http_stream"),
    ngx_string("@torii_http10"),
    ngx_string("@torii_https"),
    ngx_string("@torii_https_stream"),
    ngx_string("@torii_https10"),
    ngx_string("@torii_grpc"),
    ngx_string("@torii_grpcs"),
    ngx_string("@torii_fastcgi"),
    ngx_string("@torii_fastcgi_stream"),
};


char *
ngx_http_torii_templates(ngx_conf_t *cf)
{
    char                         *rv;
    ngx_conf_t                    save;
    ngx_uint_t                    i;
    ngx_http_conf_ctx_t          *http;
    ngx_http_upstream_srv_conf_t **uscfp;
    ngx_http_upstream_main_conf_t *umcf;

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
    uscfp = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {
        if (uscfp[i]->host.len == sizeof("torii_http") - 1
            && ngx_strncmp(uscfp[i]->host.data, "torii_http",
                           uscfp[i]->host.len)
               == 0)
        {
            break;
        }
    }

    if (i == umcf->upstreams.nelts) {

        http = (ngx_http_conf_ctx_t *)
                   cf->cycle->conf_ctx[ngx_http_module.index];

        save = *cf;

        cf->ctx = http;
        cf->cmd_type = NGX_HTTP_MAIN_CONF;

        rv = ngx_http_torii_text(cf, &ngx_http_torii_http_text,
                                 "/proc/self/fd");

        *cf = save;

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return ngx_http_torii_text(cf, &ngx_http_torii_server_text,
                               "/proc/thread-self/fd");
}


/*
 * nginx parses files only, so the text becomes one in memory.  dir is a second
 * name of the same place: "nginx -T" prints each file name once.
 */

static char *
ngx_http_torii_text(ngx_conf_t *cf, ngx_str_t *text, const char *dir)
{
    char         *rv;
    u_char       *p;
    ngx_fd_t      fd;
    ngx_str_t     name;
    ngx_array_t  *args;

    fd = memfd_create("torii", MFD_CLOEXEC);
    if (fd == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "memfd_create() failed");
        return NGX_CONF_ERROR;
    }

    rv = NGX_CONF_ERROR;

    if (ngx_write_fd(fd, text->data, text->len) != (ssize_t) text->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "write() to memory failed");
        goto done;
    }

    name.data = ngx_pnalloc(cf->pool, ngx_strlen(dir) + NGX_INT_T_LEN + 2);
    if (name.data == NULL) {
        goto done;
    }

    p = ngx_sprintf(name.data, "%s/%d%Z", dir, fd);
    name.len = p - name.data - 1;

    args = cf->args;

    cf->args = ngx_array_create(cf->pool, 8, sizeof(ngx_str_t));
    if (cf->args) {
        rv = ngx_conf_parse(cf, &name);
    }

    cf->args = args;

done:

    (void) ngx_close_file(fd);

    return rv;
}


ngx_int_t
ngx_http_torii_templates_find(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf)
{
    ngx_str_t                  *name;
    ngx_uint_t                  t;
    ngx_http_torii_srv_conf_t  *tscf;
    ngx_http_core_loc_conf_t  **clcfp;

    tscf = cscf->ctx->srv_conf[ngx_http_torii_module.ctx_index];

    for (t = 0; t < NGX_HTTP_TORII_TEMPLATES; t++) {
        name = &ngx_http_torii_template_names[t];

        for (clcfp = cscf->named_locations; clcfp && *clcfp; clcfp++) {
            if (name->len == (*clcfp)->name.len
                && ngx_strncmp(name->data, (*clcfp)->name.data, name->len) == 0)
            {
                tscf->templates[t] = *clcfp;
                break;
            }
        }

        if (tscf->templates[t] == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "template location \"%V\" is lost", name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
