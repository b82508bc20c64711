
/*
 * Certificates by SNI, out of the table: each worker keeps parsed pairs in an
 * LRU, so that a handshake costs a lookup, and a renewed certificate counts
 * from the next handshake on.  Defaults of nginx that are older than what
 * ingress-nginx serves are raised unless the operator has set others.
 */

#include "ngx_http_torii.h"

#include <openssl/x509v3.h>


#define NGX_HTTP_TORII_CERTS      512     /* parsed pairs in a worker */
#define NGX_HTTP_TORII_BUCKETS    1024
#define NGX_HTTP_TORII_SESSIONS   (10 * 1024 * 1024)
#define NGX_HTTP_TORII_TIMEOUT    600     /* of a session, seconds */

#define NGX_HTTP_TORII_NGX_CIPHERS  "HIGH:!aNULL:!MD5"
#define NGX_HTTP_TORII_NGX_PROTOCOLS                                          \
    (NGX_SSL_TLSv1|NGX_SSL_TLSv1_1|NGX_SSL_TLSv1_2)

#define NGX_HTTP_TORII_CIPHERS                                                \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"              \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"              \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"


typedef struct {
    ngx_queue_t            queue;       /* most recently used first */
    void                  *next;        /* in its bucket */
    u_char                 id[32];
    X509                  *leaf;
    STACK_OF(X509)        *chain;
    EVP_PKEY              *key;
} ngx_http_torii_pair_t;


typedef struct {
    ngx_queue_t            lru;
    ngx_uint_t             n;
    ngx_http_torii_pair_t  *buckets[NGX_HTTP_TORII_BUCKETS];
} ngx_http_torii_pairs_t;


static ngx_int_t ngx_http_torii_ssl_server(ngx_conf_t *cf,
    ngx_http_core_srv_conf_t *cscf);
static ngx_int_t ngx_http_torii_ssl_sessions(ngx_conf_t *cf,
    ngx_http_ssl_srv_conf_t *sscf);
static ngx_int_t ngx_http_torii_ssl_fake(ngx_conf_t *cf);
static X509 *ngx_http_torii_ssl_fake_cert(EVP_PKEY *key);
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
static ngx_http_torii_pair_t *ngx_http_torii_pair_get(
    ngx_torii_table_t *table, uint32_t cert, ngx_log_t *log);
static ngx_http_torii_pair_t *ngx_http_torii_pair_parse(
    ngx_torii_table_t *table, const ingress_table_cert_t *cert,
    ngx_log_t *log);
static void ngx_http_torii_pair_free(ngx_http_torii_pair_t *pair);
static void ngx_http_torii_pair_evict(void);


extern ngx_module_t  ngx_http_ssl_module;


/*
 * Of the process: parsed pairs outlive tables and configurations.  The
 * self-signed pair is made by the master once and is the same in all workers.
 */

static ngx_http_torii_pairs_t  *ngx_http_torii_pairs;
static ngx_http_torii_pair_t    ngx_http_torii_fake;


ngx_int_t
ngx_http_torii_ssl_init(ngx_conf_t *cf, ngx_http_torii_main_conf_t *tmcf)
{
    ngx_uint_t                  i;
    ngx_http_core_srv_conf_t  **cscfp;

    if (ngx_http_torii_fake.leaf == NULL
        && ngx_http_torii_ssl_fake(cf) != NGX_OK)
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


static ngx_int_t
ngx_http_torii_ssl_fake(ngx_conf_t *cf)
{
    X509      *cert;
    EVP_PKEY  *key;

    key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    if (key == NULL) {
        ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0, "EVP_PKEY_Q_keygen() failed");
        return NGX_ERROR;
    }

    cert = ngx_http_torii_ssl_fake_cert(key);
    if (cert == NULL) {
        EVP_PKEY_free(key);
        ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0,
                      "cannot make the default certificate");
        return NGX_ERROR;
    }

    ngx_http_torii_fake.leaf = cert;
    ngx_http_torii_fake.key = key;

    return NGX_OK;
}


static X509 *
ngx_http_torii_ssl_fake_cert(EVP_PKEY *key)
{
    X509            *cert;
    X509_NAME       *name;
    X509_EXTENSION  *san;

    static u_char    org[] = "Acme Co";
    static u_char    cn[] = "Kubernetes Ingress Controller Fake Certificate";

    cert = X509_new();
    if (cert == NULL) {
        return NULL;
    }

    san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
                              "DNS:ingress.local");
    if (san == NULL) {
        goto failed;
    }

    name = X509_get_subject_name(cert);

    if (X509_set_version(cert, X509_VERSION_3) == 1
        && ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert),
                                   (uint64_t) ngx_time())
        && X509_gmtime_adj(X509_getm_notBefore(cert), -3600)
        && X509_gmtime_adj(X509_getm_notAfter(cert), 365 * 24 * 3600L)
        && X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, org, -1, -1, 0)
        && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, cn, -1, -1, 0)
        && X509_set_issuer_name(cert, name)
        && X509_set_pubkey(cert, key)
        && X509_add_ext(cert, san, -1)
        && X509_sign(cert, key, EVP_sha256()))
    {
        X509_EXTENSION_free(san);
        return cert;
    }

    X509_EXTENSION_free(san);

failed:

    X509_free(cert);

    return NULL;
}


ngx_int_t
ngx_http_torii_ssl_init_process(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf)
{
    if (ngx_http_torii_pairs == NULL) {
        ngx_http_torii_pairs = torii_zalloc(sizeof(ngx_http_torii_pairs_t));
        ngx_queue_init(&ngx_http_torii_pairs->lru);
    }

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

    pair = &ngx_http_torii_fake;

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


static ngx_http_torii_pair_t *
ngx_http_torii_pair_get(ngx_torii_table_t *table, uint32_t index,
    ngx_log_t *log)
{
    uint32_t                     hash;
    ngx_http_torii_pair_t       *pair, **bucket;
    const ingress_table_cert_t  *cert;

    cert = &table->table.certs[index];

    ngx_memcpy(&hash, cert->id, sizeof(uint32_t));
    bucket = &ngx_http_torii_pairs->buckets[hash % NGX_HTTP_TORII_BUCKETS];

    for (pair = *bucket; pair; pair = pair->next) {
        if (ngx_memcmp(pair->id, cert->id, sizeof(pair->id)) == 0) {
            ngx_queue_remove(&pair->queue);
            ngx_queue_insert_head(&ngx_http_torii_pairs->lru, &pair->queue);
            return pair;
        }
    }

    pair = ngx_http_torii_pair_parse(table, cert, log);
    if (pair == NULL) {
        return NULL;
    }

    if (ngx_http_torii_pairs->n == NGX_HTTP_TORII_CERTS) {
        ngx_http_torii_pair_evict();
    }

    pair->next = *bucket;
    *bucket = pair;

    ngx_queue_insert_head(&ngx_http_torii_pairs->lru, &pair->queue);
    ngx_http_torii_pairs->n++;

    return pair;
}


static ngx_http_torii_pair_t *
ngx_http_torii_pair_parse(ngx_torii_table_t *table,
    const ingress_table_cert_t *cert, ngx_log_t *log)
{
    X509                   *x509;
    torii_str_t             chain, key;
    const unsigned char    *p, *last;
    ngx_http_torii_pair_t  *pair;

    chain = ingress_table_str(&table->table, cert->chain);
    key = ingress_table_str(&table->table, cert->key);

    pair = torii_zalloc(sizeof(ngx_http_torii_pair_t));
    ngx_memcpy(pair->id, cert->id, sizeof(pair->id));

    p = chain.data;
    last = p + chain.len;

    pair->leaf = d2i_X509(NULL, &p, last - p);
    if (pair->leaf == NULL) {
        goto failed;
    }

    pair->chain = sk_X509_new_null();
    if (pair->chain == NULL) {
        goto failed;
    }

    while (p < last) {

        x509 = d2i_X509(NULL, &p, last - p);
        if (x509 == NULL) {
            goto failed;
        }

        if (sk_X509_push(pair->chain, x509) == 0) {
            X509_free(x509);
            goto failed;
        }
    }

    /* with the type known, OpenSSL does not have to try all its decoders */

    p = key.data;

    pair->key = d2i_PrivateKey(EVP_PKEY_base_id(X509_get0_pubkey(pair->leaf)),
                               NULL, &p, key.len);

    if (pair->key == NULL) {
        p = key.data;
        pair->key = d2i_AutoPrivateKey(NULL, &p, key.len);
    }

    if (pair->key) {
        return pair;
    }

failed:

    ngx_ssl_error(NGX_LOG_ERR, log, 0,
                  "torii: a certificate of the table cannot be used");
    ngx_http_torii_pair_free(pair);

    return NULL;
}


static void
ngx_http_torii_pair_evict(void)
{
    uint32_t                 hash;
    ngx_queue_t             *q;
    ngx_http_torii_pair_t   *pair, **p;

    q = ngx_queue_last(&ngx_http_torii_pairs->lru);
    pair = ngx_queue_data(q, ngx_http_torii_pair_t, queue);

    ngx_memcpy(&hash, pair->id, sizeof(uint32_t));
    p = &ngx_http_torii_pairs->buckets[hash % NGX_HTTP_TORII_BUCKETS];

    while (*p != pair) {
        p = (ngx_http_torii_pair_t **) &(*p)->next;
    }

    *p = pair->next;

    ngx_queue_remove(q);
    ngx_http_torii_pairs->n--;

    ngx_http_torii_pair_free(pair);
}


static void
ngx_http_torii_pair_free(ngx_http_torii_pair_t *pair)
{
    X509_free(pair->leaf);
    sk_X509_pop_free(pair->chain, X509_free);
    EVP_PKEY_free(pair->key);
    free(pair);
}
