
/*
 * Certificates by SNI, out of the table: a renewed certificate counts from the
 * next handshake on.  Defaults of nginx that are older than what ingress-nginx
 * serves are raised unless the operator has set others.
 */

#include "ngx_http_torii_ssl.h"


#define NGX_HTTP_TORII_SESSIONS   (10 * 1024 * 1024)
#define NGX_HTTP_TORII_TIMEOUT    600     /* of a session, seconds */

#define NGX_HTTP_TORII_NGX_CIPHERS  "HIGH:!aNULL:!MD5"
#define NGX_HTTP_TORII_NGX_PROTOCOLS                                          \
    (NGX_SSL_TLSv1|NGX_SSL_TLSv1_1|NGX_SSL_TLSv1_2)

#define NGX_HTTP_TORII_CIPHERS                                                \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"              \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"              \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"


static ngx_int_t ngx_http_torii_ssl_server(ngx_conf_t *cf,
    ngx_http_core_srv_conf_t *cscf);
static ngx_int_t ngx_http_torii_ssl_sessions(ngx_conf_t *cf,
    ngx_http_ssl_srv_conf_t *sscf);
static int ngx_http_torii_ssl_client_hello(ngx_ssl_conn_t *ssl, int *al,
    void *arg);
static void ngx_http_torii_ssl_sni(ngx_ssl_conn_t *ssl, u_char *buf,
    torii_str_t *sni);
static int ngx_http_torii_ssl_cert(ngx_ssl_conn_t *ssl, void *arg);
static ngx_int_t ngx_http_torii_ssl_use(ngx_ssl_conn_t *ssl,
    ngx_torii_table_t *table, const ingress_table_host_t *host,
    ngx_log_t *log);
static ngx_int_t ngx_http_torii_ssl_host(ngx_ssl_conn_t *ssl,
    ngx_torii_table_t *table, const ingress_table_host_t *host,
    ngx_log_t *log);


extern ngx_module_t  ngx_http_ssl_module;


ngx_int_t
ngx_http_torii_ssl_init(ngx_conf_t *cf, ngx_http_torii_main_conf_t *tmcf)
{
    ngx_uint_t                  i;
    ngx_http_core_srv_conf_t  **cscfp;

    if (ngx_http_torii_pairs_init(cf) != NGX_OK
        || ngx_http_torii_alpn_init(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    cscfp = tmcf->servers.elts;

    for (i = 0; i < tmcf->servers.nelts; i++) {
        if (ngx_http_torii_ssl_server(cf, cscfp[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_ssl_server(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf)
{
    SSL_CTX                  *ctx;
    ngx_uint_t                protocols;
    ngx_http_ssl_srv_conf_t  *sscf;

    sscf = cscf->ctx->srv_conf[ngx_http_ssl_module.ctx_index];
    ctx = sscf->ssl.ctx;

    if (ctx == NULL) {
        return NGX_OK;
    }

    SSL_CTX_set_cert_cb(ctx, ngx_http_torii_ssl_cert, cscf);
    SSL_CTX_set_client_hello_cb(ctx, ngx_http_torii_ssl_client_hello, cscf);

    protocols = sscf->protocols & (NGX_SSL_SSLv2|NGX_SSL_SSLv3|NGX_SSL_TLSv1
                                   |NGX_SSL_TLSv1_1|NGX_SSL_TLSv1_2
                                   |NGX_SSL_TLSv1_3);

    if ((protocols & ~NGX_SSL_TLSv1_3) == NGX_HTTP_TORII_NGX_PROTOCOLS) {
        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
        SSL_CTX_clear_options(ctx, SSL_OP_NO_TLSv1_3);
    }

    if (sscf->ciphers.len == sizeof(NGX_HTTP_TORII_NGX_CIPHERS) - 1
        && ngx_strcmp(sscf->ciphers.data, NGX_HTTP_TORII_NGX_CIPHERS) == 0)
    {
        if (SSL_CTX_set_cipher_list(ctx, NGX_HTTP_TORII_CIPHERS) != 1) {
            ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0,
                          "SSL_CTX_set_cipher_list() failed");
            return NGX_ERROR;
        }

        SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    }

    return ngx_http_torii_ssl_sessions(cf, sscf);
}


/*
 * A process that never reloads would keep its ticket keys for months.  So
 * sessions are kept in memory that all workers share, and no tickets issued,
 * unless the operator has said otherwise.
 */

static ngx_int_t
ngx_http_torii_ssl_sessions(ngx_conf_t *cf, ngx_http_ssl_srv_conf_t *sscf)
{
    ngx_shm_zone_t    *zone;

    static ngx_str_t   name = ngx_string("torii_ssl_sessions");
    static ngx_str_t   id = ngx_string("torii");

    if (sscf->shm_zone || sscf->session_ticket_keys
        || sscf->builtin_session_cache != NGX_SSL_NONE_SCACHE)
    {
        return NGX_OK;
    }

    zone = ngx_shared_memory_add(cf, &name, NGX_HTTP_TORII_SESSIONS,
                                 &ngx_http_ssl_module);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->init = ngx_ssl_session_cache_init;
    sscf->shm_zone = zone;

    if (ngx_ssl_session_cache(&sscf->ssl, &id, sscf->certificates,
                              NGX_SSL_NO_BUILTIN_SCACHE, zone,
                              NGX_HTTP_TORII_TIMEOUT)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    SSL_CTX_set_options(sscf->ssl.ctx, SSL_OP_NO_TICKET);

    return NGX_OK;
}


ngx_int_t
ngx_http_torii_ssl_init_process(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf)
{
    ngx_http_torii_pairs_init_process(tmcf->certificate_cache);

    return NGX_OK;
}


/*
 * A session of one name must not be resumed under another: the other host's
 * policy, or client certificates, would be skipped.
 */

static int
ngx_http_torii_ssl_client_hello(ngx_ssl_conn_t *ssl, int *al, void *arg)
{
    u_char                       id[EVP_MAX_MD_SIZE];
    u_char                       buf[256];
    ngx_int_t                    rc;
    ngx_log_t                   *log;
    torii_str_t                  sni;
    unsigned int                 len;
    ngx_torii_table_t           *table;
    const ingress_table_host_t  *host;
    ngx_http_core_srv_conf_t    *cscf;
    ngx_http_torii_main_conf_t  *tmcf;

    cscf = arg;

    log = ((ngx_connection_t *) ngx_ssl_get_connection(ssl))->log;
    tmcf = cscf->ctx->main_conf[ngx_http_torii_module.ctx_index];

    ngx_http_torii_ssl_sni(ssl, buf, &sni);

    table = ngx_torii_table_current(tmcf, log);

    rc = ngx_http_torii_alpn_hello(ssl, tmcf, table, sni, al);

    if (rc != NGX_DECLINED) {
        return rc == NGX_OK ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
    }

    if (table && table->table.header->global.ssl_reject_handshake) {

        host = ingress_route_host(&table->table, ngx_torii_regexes(), sni);

        if (host == &table->table.hosts[table->table.header->default_host]) {
            *al = SSL_AD_UNRECOGNIZED_NAME;
            return SSL_CLIENT_HELLO_ERROR;
        }
    }

    if (EVP_Digest(sni.data, sni.len, id, &len, EVP_sha256(), NULL) != 1
        || SSL_set_session_id_context(ssl, id, 32) != 1)
    {
        ngx_ssl_error(NGX_LOG_ALERT, log, 0,
                      "SSL_set_session_id_context() failed");
        *al = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }

#if (nginx_version >= 1029002)
    return ngx_ssl_client_hello_callback(ssl, al, NULL);
#else
    return SSL_CLIENT_HELLO_SUCCESS;
#endif
}


/*
 * server_name of the ClientHello (RFC 6066 section 3), lower case, without a
 * trailing dot; empty if there is none or it cannot be a host.
 */

static void
ngx_http_torii_ssl_sni(ngx_ssl_conn_t *ssl, u_char *buf, torii_str_t *sni)
{
    size_t                n, len;
    const unsigned char  *p;

    sni->data = buf;
    sni->len = 0;

    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &len) != 1
        || len < 5)
    {
        return;
    }

    n = (p[3] << 8) + p[4];

    if (p[2] != TLSEXT_NAMETYPE_host_name || n > len - 5 || n > 255) {
        return;
    }

    if (n && p[5 + n - 1] == '.') {
        n--;
    }

    ngx_strlow(buf, (u_char *) p + 5, n);
    sni->len = n;
}


static int
ngx_http_torii_ssl_cert(ngx_ssl_conn_t *ssl, void *arg)
{
    u_char                       buf[256];
    size_t                       len;
    const char                  *name;
    torii_str_t                  sni;
    ngx_int_t                    rc;
    ngx_connection_t            *c;
    ngx_torii_table_t           *table;
    const ingress_table_host_t  *host;
    ngx_http_core_srv_conf_t    *cscf;
    ngx_http_torii_main_conf_t  *tmcf;

    c = ngx_ssl_get_connection(ssl);

    if (c->ssl->handshaked) {
        return 0;
    }

    cscf = arg;
    tmcf = cscf->ctx->main_conf[ngx_http_torii_module.ctx_index];

    sni.data = buf;
    sni.len = 0;

    name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    if (name) {
        len = ngx_strlen(name);

        if (len && name[len - 1] == '.') {
            len--;
        }

        if (len <= sizeof(buf)) {
            ngx_strlow(buf, (u_char *) name, len);
            sni.len = len;
        }
    }

    table = ngx_torii_table_current(tmcf, c->log);
    host = table ? ingress_route_host(&table->table, ngx_torii_regexes(), sni)
                 : NULL;

    rc = ngx_http_torii_ssl_use(ssl, table, host, c->log);

    /* what OpenSSL could not use must not be logged as this client's fault */

    ERR_clear_error();

    return rc == NGX_OK;
}


static ngx_int_t
ngx_http_torii_ssl_use(ngx_ssl_conn_t *ssl, ngx_torii_table_t *table,
    const ingress_table_host_t *host, ngx_log_t *log)
{
    uint32_t                certs[3];
    ngx_uint_t              i, n;
    ngx_http_torii_pair_t  *pair;

    n = 0;

    if (host && ngx_http_torii_ssl_host(ssl, table, host, log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (host && host->cert != INGRESS_NONE) {
        certs[0] = host->cert;
        certs[1] = host->cert2;
        certs[2] = INGRESS_NONE;

    } else {
        certs[0] = table ? table->table.header->default_cert : INGRESS_NONE;
        certs[1] = INGRESS_NONE;
        certs[2] = INGRESS_NONE;
    }

    for (i = 0; certs[i] != INGRESS_NONE; i++) {

        pair = ngx_http_torii_pair_get(table, certs[i], log);

        if (pair && SSL_use_cert_and_key(ssl, pair->leaf, pair->key,
                                         pair->chain, 1)
                    == 1)
        {
            n++;
        }
    }

    if (n) {
        return NGX_OK;
    }

    pair = ngx_http_torii_pair_fake();

    return SSL_use_cert_and_key(ssl, pair->leaf, pair->key, NULL, 1) == 1
           ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_torii_ssl_host(ngx_ssl_conn_t *ssl, ngx_torii_table_t *table,
    const ingress_table_host_t *host, ngx_log_t *log)
{
    torii_str_t  ciphers;

    if (host->ssl_ciphers.len) {
        ciphers = ingress_table_str(&table->table, host->ssl_ciphers);

        if (SSL_set_cipher_list(ssl, (char *) ciphers.data) != 1) {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "torii: ssl-ciphers \"%*s\" name no cipher",
                          ciphers.len, ciphers.data);
            return NGX_ERROR;
        }
    }

    switch (host->ssl_prefer_server_ciphers) {

    case 1:
        SSL_clear_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
        break;

    case 2:
        SSL_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
        break;

    default:
        break;
    }

    return NGX_OK;
}
