
/*
 * TLS towards backends: one SSL_CTX for each distinct set of proxy-ssl-*
 * settings, kept in the process over changes of the table, and the sessions to
 * resume with.  Verification that cannot be done makes no context at all, and
 * so no connection.
 */

#include "ngx_http_torii.h"


#define NGX_HTTP_TORII_SSL_IDLE      256
#define NGX_HTTP_TORII_SSL_DEPTH     100
#define NGX_HTTP_TORII_SSL_SESSIONS  256


typedef struct {
    ngx_rbtree_node_t     node;
    ngx_queue_t           queue;      /* idle ones, latest first */
    u_char                id[SHA256_DIGEST_LENGTH];
    ngx_ssl_t             ssl;        /* ctx is NULL if it cannot be made */
    ngx_uint_t            refs;       /* of tables */
} ngx_http_torii_upstream_ssl_t;

typedef struct {
    ngx_torii_table_t    *table;
    ngx_uint_t            n;
} ngx_http_torii_upstream_ssls_t;

typedef struct {
    socklen_t             socklen;
    ngx_sockaddr_t        sockaddr;
    ngx_ssl_session_t    *session;
} ngx_http_torii_upstream_session_t;

typedef struct {
    ngx_rbtree_t          rbtree;
    ngx_rbtree_node_t     sentinel;
    ngx_queue_t           idle;
    ngx_uint_t            nidle;
    ngx_http_torii_upstream_session_t  *sessions;
} ngx_http_torii_upstream_cache_t;

/* What is hashed: the settings, with a hash in place of each string. */

typedef struct {
    u_char                tls[32];
    u_char                ciphers[SHA256_DIGEST_LENGTH];
    u_char                name[SHA256_DIGEST_LENGTH];
    uint32_t              depth;
    uint8_t               verify;
    uint8_t               server_name;
    uint8_t               protocols;
    uint8_t               h2;
} ngx_http_torii_upstream_identity_t;

typedef int (*ngx_http_torii_x509_pt)(SSL_CTX *ctx, X509 *x509, ngx_uint_t i);


static ngx_int_t ngx_http_torii_upstream_ssls_init(ngx_torii_table_t *table);
static void ngx_http_torii_upstream_ssls_free(void *data);
static ngx_http_torii_upstream_ssl_t *ngx_http_torii_upstream_ssl_get(
    ngx_torii_table_t *table, const ingress_policy_t *policy, ngx_uint_t h2,
    ngx_log_t *log);
static ngx_http_torii_upstream_ssl_t *ngx_http_torii_upstream_ssl_find(
    u_char *id);
static ngx_rbtree_key_t ngx_http_torii_upstream_ssl_key(u_char *id);
static void ngx_http_torii_upstream_ssl_release(
    ngx_http_torii_upstream_ssl_t *us);
static void ngx_http_torii_upstream_ssl_drop(ngx_http_torii_upstream_ssl_t *us);
static void ngx_http_torii_upstream_identity(ngx_torii_table_t *table,
    const ingress_policy_t *policy, ngx_uint_t h2,
    ngx_http_torii_upstream_identity_t *is);
static ngx_int_t ngx_http_torii_upstream_ssl_create(ngx_ssl_t *ssl,
    ngx_torii_table_t *table, const ingress_policy_t *policy, ngx_uint_t h2,
    ngx_log_t *log);
static ngx_int_t ngx_http_torii_upstream_ssl_settings(ngx_ssl_t *ssl,
    ngx_torii_table_t *table, const ingress_policy_t *policy, ngx_log_t *log);
static ngx_int_t ngx_http_torii_upstream_ssl_certificate(ngx_ssl_t *ssl,
    torii_str_t cert, torii_str_t key, ngx_log_t *log);
static ngx_int_t ngx_http_torii_upstream_ssl_pem(SSL_CTX *ctx, torii_str_t pem,
    ngx_http_torii_x509_pt handler);
static int ngx_http_torii_upstream_ssl_chain(SSL_CTX *ctx, X509 *x509,
    ngx_uint_t i);
static int ngx_http_torii_upstream_ssl_trust(SSL_CTX *ctx, X509 *x509,
    ngx_uint_t i);
static int ngx_http_torii_upstream_ssl_password(char *buf, int size, int rwflag,
    void *data);
static ngx_http_torii_upstream_session_t *ngx_http_torii_upstream_session(
    ngx_peer_connection_t *pc);


/*
 * Of the process and not of the cycle, like the tables that refer to it: a
 * worker is forked with it empty.
 */
static ngx_http_torii_upstream_cache_t  ngx_http_torii_upstream_cache;


ngx_ssl_t *
ngx_http_torii_upstream_ssl(ngx_torii_table_t *table,
    const ingress_policy_t *policy, ngx_uint_t h2, ngx_log_t *log)
{
    ngx_uint_t                      i;
    ngx_http_torii_upstream_ssl_t  *us;

    i = 2 * (policy - table->table.policies) + h2;

    if (table->ssl == NULL
        && ngx_http_torii_upstream_ssls_init(table) != NGX_OK)
    {
        return NULL;
    }

    if (table->ssl[i] == NULL) {

        us = ngx_http_torii_upstream_ssl_get(table, policy, h2, log);
        if (us == NULL) {
            return NULL;
        }

        table->ssl[i] = &us->ssl;
    }

    return table->ssl[i]->ctx ? table->ssl[i] : NULL;
}


static ngx_int_t
ngx_http_torii_upstream_ssls_init(ngx_torii_table_t *table)
{
    ngx_ssl_t                      **ssl;
    ngx_uint_t                       n;
    ngx_pool_cleanup_t              *cln;
    ngx_http_torii_upstream_ssls_t  *ssls;

    n = 2 * ingress_table_n(&table->table, POLICIES);

    ssl = ngx_torii_table_room(table, n * sizeof(ngx_ssl_t *));
    if (ssl == NULL) {
        return NGX_ERROR;
    }

    /* cleanups run backwards: this one needs the room */

    cln = ngx_pool_cleanup_add(table->pool,
                               sizeof(ngx_http_torii_upstream_ssls_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    table->ssl = ssl;

    ssls = cln->data;
    ssls->table = table;
    ssls->n = n;

    cln->handler = ngx_http_torii_upstream_ssls_free;

    return NGX_OK;
}


static void
ngx_http_torii_upstream_ssls_free(void *data)
{
    ngx_http_torii_upstream_ssls_t *ssls = data;

    ngx_ssl_t   *ssl;
    ngx_uint_t   i;

    for (i = 0; i < ssls->n; i++) {
        ssl = ssls->table->ssl[i];

        if (ssl) {
            ngx_http_torii_upstream_ssl_release(
                (ngx_http_torii_upstream_ssl_t *)
                    ((u_char *) ssl
                     - offsetof(ngx_http_torii_upstream_ssl_t, ssl)));
        }
    }
}


static ngx_http_torii_upstream_ssl_t *
ngx_http_torii_upstream_ssl_get(ngx_torii_table_t *table,
    const ingress_policy_t *policy, ngx_uint_t h2, ngx_log_t *log)
{
    u_char                               id[SHA256_DIGEST_LENGTH];
    ngx_http_torii_upstream_ssl_t       *us;
    ngx_http_torii_upstream_cache_t     *cache;
    ngx_http_torii_upstream_identity_t   is;

    cache = &ngx_http_torii_upstream_cache;

    if (cache->rbtree.root == NULL) {
        ngx_rbtree_init(&cache->rbtree, &cache->sentinel,
                        ngx_rbtree_insert_value);
        ngx_queue_init(&cache->idle);
    }

    ngx_http_torii_upstream_identity(table, policy, h2, &is);
    SHA256((u_char *) &is, sizeof(is), id);

    us = ngx_http_torii_upstream_ssl_find(id);

    if (us) {
        if (us->refs++ == 0) {
            ngx_queue_remove(&us->queue);
            cache->nidle--;
        }

        return us;
    }

    us = ngx_calloc(sizeof(ngx_http_torii_upstream_ssl_t), log);
    if (us == NULL) {
        return NULL;
    }

    (void) ngx_http_torii_upstream_ssl_create(&us->ssl, table, policy, h2, log);

    us->refs = 1;
    us->node.key = ngx_http_torii_upstream_ssl_key(id);
    ngx_memcpy(us->id, id, sizeof(id));

    ngx_rbtree_insert(&cache->rbtree, &us->node);

    return us;
}


static ngx_http_torii_upstream_ssl_t *
ngx_http_torii_upstream_ssl_find(u_char *id)
{
    ngx_rbtree_key_t                  key;
    ngx_rbtree_node_t                *node;
    ngx_http_torii_upstream_ssl_t    *us;
    ngx_http_torii_upstream_cache_t  *cache;

    cache = &ngx_http_torii_upstream_cache;
    key = ngx_http_torii_upstream_ssl_key(id);
    node = cache->rbtree.root;

    while (node != &cache->sentinel) {

        us = ngx_rbtree_data(node, ngx_http_torii_upstream_ssl_t, node);

        if (key == node->key && ngx_memcmp(id, us->id, sizeof(us->id)) == 0) {
            return us;
        }

        node = (key < node->key) ? node->left : node->right;
    }

    return NULL;
}


static ngx_rbtree_key_t
ngx_http_torii_upstream_ssl_key(u_char *id)
{
    ngx_rbtree_key_t  key;

    ngx_memcpy(&key, id, sizeof(key));

    return key;
}


/* What could not be made is tried again with the next table that names it. */

static void
ngx_http_torii_upstream_ssl_release(ngx_http_torii_upstream_ssl_t *us)
{
    ngx_queue_t                      *q;
    ngx_http_torii_upstream_cache_t  *cache;

    if (--us->refs) {
        return;
    }

    cache = &ngx_http_torii_upstream_cache;

    if (us->ssl.ctx == NULL) {
        ngx_http_torii_upstream_ssl_drop(us);
        return;
    }

    ngx_queue_insert_head(&cache->idle, &us->queue);

    if (++cache->nidle <= NGX_HTTP_TORII_SSL_IDLE) {
        return;
    }

    q = ngx_queue_last(&cache->idle);
    ngx_queue_remove(q);
    cache->nidle--;

    ngx_http_torii_upstream_ssl_drop(ngx_queue_data(q,
                                      ngx_http_torii_upstream_ssl_t, queue));
}


/* Connections that still live in nginx's pool hold their SSL_CTX themselves. */

static void
ngx_http_torii_upstream_ssl_drop(ngx_http_torii_upstream_ssl_t *us)
{
    ngx_rbtree_delete(&ngx_http_torii_upstream_cache.rbtree, &us->node);

    if (us->ssl.ctx) {
        SSL_CTX_free(us->ssl.ctx);
    }

    ngx_free(us);
}


/*
 * Without a Secret, as in ingress-nginx, protocols and ciphers are OpenSSL's
 * and not those of the annotations' defaults.
 */

static void
ngx_http_torii_upstream_identity(ngx_torii_table_t *table,
    const ingress_policy_t *policy, ngx_uint_t h2,
    ngx_http_torii_upstream_identity_t *is)
{
    torii_str_t  ciphers;

    ngx_memzero(is, sizeof(ngx_http_torii_upstream_identity_t));

    is->verify = policy->ssl_verify;
    is->h2 = h2;

    if (policy->tls == 0) {
        return;
    }

    ngx_memcpy(is->tls, table->table.tls[policy->tls - 1].id, sizeof(is->tls));

    ciphers = ingress_table_str(&table->table, policy->ssl_ciphers);
    SHA256(ciphers.data, ciphers.len, is->ciphers);

    is->depth = policy->ssl_verify_depth;
    is->protocols = policy->ssl_protocols;
}


void
ngx_http_torii_upstream_ssl_id(ngx_torii_table_t *table,
    const ingress_policy_t *policy, ngx_uint_t h2, ngx_str_t *name,
    u_char id[NGX_HTTP_TORII_SSL_ID])
{
    u_char                              digest[SHA256_DIGEST_LENGTH];
    ngx_http_torii_upstream_identity_t  is;

    ngx_http_torii_upstream_identity(table, policy, h2, &is);

    is.server_name = policy->ssl_server_name;

    if (policy->ssl_server_name || policy->ssl_verify) {
        SHA256(name->data, name->len, is.name);
    }

    SHA256((u_char *) &is, sizeof(is), digest);
    ngx_memcpy(id, digest, NGX_HTTP_TORII_SSL_ID);
}


static ngx_int_t
ngx_http_torii_upstream_ssl_create(ngx_ssl_t *ssl, ngx_torii_table_t *table,
    const ingress_policy_t *policy, ngx_uint_t h2, ngx_log_t *log)
{
    ngx_uint_t           protocols;

    static const u_char  alpn[] = { 2, 'h', '2' };

    protocols = NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3;

    if (policy->tls && policy->ssl_protocols) {
        protocols = 0;

        if (policy->ssl_protocols & INGRESS_TLSV1_2) {
            protocols |= NGX_SSL_TLSv1_2;
        }

        if (policy->ssl_protocols & INGRESS_TLSV1_3) {
            protocols |= NGX_SSL_TLSv1_3;
        }
    }

    ssl->log = ngx_cycle->log;

    if (ngx_ssl_create(ssl, protocols, NULL) == NGX_OK
        && ngx_ssl_client_session_cache(NULL, ssl, 1) == NGX_OK
        && (!h2 || SSL_CTX_set_alpn_protos(ssl->ctx, alpn, sizeof(alpn)) == 0)
        && ngx_http_torii_upstream_ssl_settings(ssl, table, policy, log)
           == NGX_OK)
    {
        return NGX_OK;
    }

    if (ssl->ctx) {
        SSL_CTX_free(ssl->ctx);
        ssl->ctx = NULL;
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_torii_upstream_ssl_settings(ngx_ssl_t *ssl, ngx_torii_table_t *table,
    const ingress_policy_t *policy, ngx_log_t *log)
{
    torii_str_t                 ca, ciphers;
    const ingress_table_tls_t  *tls;

    tls = policy->tls ? &table->table.tls[policy->tls - 1] : NULL;

    if (policy->ssl_verify && (tls == NULL || tls->ca.len == 0)) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "torii: backend is to be verified, but there is no CA");
        return NGX_ERROR;
    }

    if (tls == NULL) {
        return NGX_OK;
    }

    ciphers = ingress_table_str(&table->table, policy->ssl_ciphers);

    if (ciphers.len
        && SSL_CTX_set_cipher_list(ssl->ctx, (char *) ciphers.data) == 0)
    {
        ngx_ssl_error(NGX_LOG_ERR, log, 0,
                      "torii: no cipher towards the backend in \"%s\"",
                      ciphers.data);
        return NGX_ERROR;
    }

    if (policy->ssl_verify) {
        ca = ingress_table_str(&table->table, tls->ca);

        if (ngx_http_torii_upstream_ssl_pem(ssl->ctx, ca,
                                            ngx_http_torii_upstream_ssl_trust)
            != NGX_OK)
        {
            ngx_ssl_error(NGX_LOG_ERR, log, 0,
                          "torii: CA to verify the backend by is not usable");
            return NGX_ERROR;
        }

        SSL_CTX_set_verify_depth(ssl->ctx,
                                 ngx_min(policy->ssl_verify_depth,
                                         NGX_HTTP_TORII_SSL_DEPTH));
    }

    return ngx_http_torii_upstream_ssl_certificate(ssl,
                                    ingress_table_str(&table->table, tls->cert),
                                    ingress_table_str(&table->table, tls->key),
                                    log);
}


static ngx_int_t
ngx_http_torii_upstream_ssl_certificate(ngx_ssl_t *ssl, torii_str_t cert,
    torii_str_t key, ngx_log_t *log)
{
    BIO       *bio;
    EVP_PKEY  *pkey;

    if (cert.len == 0) {
        return NGX_OK;
    }

    pkey = NULL;

    if (ngx_http_torii_upstream_ssl_pem(ssl->ctx, cert,
                                        ngx_http_torii_upstream_ssl_chain)
        != NGX_OK)
    {
        goto failed;
    }

    bio = BIO_new_mem_buf(key.data, key.len);
    if (bio == NULL) {
        goto failed;
    }

    pkey = PEM_read_bio_PrivateKey(bio, NULL,
                                   ngx_http_torii_upstream_ssl_password, NULL);
    BIO_free(bio);

    if (pkey == NULL
        || SSL_CTX_use_PrivateKey(ssl->ctx, pkey) != 1
        || SSL_CTX_check_private_key(ssl->ctx) != 1)
    {
        goto failed;
    }

    EVP_PKEY_free(pkey);

    return NGX_OK;

failed:

    ngx_ssl_error(NGX_LOG_ERR, log, 0,
                  "torii: certificate for a backend is not usable");

    EVP_PKEY_free(pkey);

    return NGX_ERROR;
}


/* Hands each certificate over; at least one, and nothing broken after it. */

static ngx_int_t
ngx_http_torii_upstream_ssl_pem(SSL_CTX *ctx, torii_str_t pem,
    ngx_http_torii_x509_pt handler)
{
    int          rc;
    BIO         *bio;
    X509        *x509;
    u_long       n;
    ngx_uint_t   i;

    bio = BIO_new_mem_buf(pem.data, pem.len);
    if (bio == NULL) {
        return NGX_ERROR;
    }

    rc = 1;

    for (i = 0; rc == 1; i++) {

        x509 = PEM_read_bio_X509(bio, NULL,
                                 ngx_http_torii_upstream_ssl_password, NULL);
        if (x509 == NULL) {
            break;
        }

        rc = handler(ctx, x509, i);

        X509_free(x509);
    }

    BIO_free(bio);

    n = ERR_peek_last_error();

    if (rc != 1 || i == 0
        || ERR_GET_LIB(n) != ERR_LIB_PEM
        || ERR_GET_REASON(n) != PEM_R_NO_START_LINE)
    {
        return NGX_ERROR;
    }

    ERR_clear_error();

    return NGX_OK;
}


static int
ngx_http_torii_upstream_ssl_chain(SSL_CTX *ctx, X509 *x509, ngx_uint_t i)
{
    return i == 0 ? SSL_CTX_use_certificate(ctx, x509)
                  : (int) SSL_CTX_add1_chain_cert(ctx, x509);
}


static int
ngx_http_torii_upstream_ssl_trust(SSL_CTX *ctx, X509 *x509, ngx_uint_t i)
{
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x509);
}


/* An encrypted key is an error: OpenSSL's own callback would ask a terminal. */

static int
ngx_http_torii_upstream_ssl_password(char *buf, int size, int rwflag,
    void *data)
{
    return -1;
}


/*
 * One session for each peer address, which holds the TLS identity.  Two that
 * fall on the same slot replace each other, which costs a full handshake.
 */

static ngx_http_torii_upstream_session_t *
ngx_http_torii_upstream_session(ngx_peer_connection_t *pc)
{
    ngx_uint_t                        i;
    ngx_http_torii_upstream_cache_t  *cache;

    if (pc->sockaddr == NULL || pc->connection == NULL) {
        return NULL;
    }

    cache = &ngx_http_torii_upstream_cache;

    if (cache->sessions == NULL) {
        cache->sessions = ngx_calloc(NGX_HTTP_TORII_SSL_SESSIONS
                                   * sizeof(ngx_http_torii_upstream_session_t),
                                     ngx_cycle->log);
        if (cache->sessions == NULL) {
            return NULL;
        }
    }

    i = ngx_murmur_hash2((u_char *) pc->sockaddr, pc->socklen);

    return &cache->sessions[i % NGX_HTTP_TORII_SSL_SESSIONS];
}


ngx_int_t
ngx_http_torii_upstream_ssl_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_torii_upstream_session_t  *slot;

    slot = ngx_http_torii_upstream_session(pc);

    if (slot == NULL || slot->session == NULL
        || ngx_memn2cmp((u_char *) &slot->sockaddr, (u_char *) pc->sockaddr,
                        slot->socklen, pc->socklen)
           != 0)
    {
        return NGX_OK;
    }

    return ngx_ssl_set_session(pc->connection, slot->session);
}


void
ngx_http_torii_upstream_ssl_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_ssl_session_t                  *session;
    ngx_http_torii_upstream_session_t  *slot;

    slot = ngx_http_torii_upstream_session(pc);
    if (slot == NULL) {
        return;
    }

    session = ngx_ssl_get_session(pc->connection);
    if (session == NULL) {
        return;
    }

    if (slot->session) {
        ngx_ssl_free_session(slot->session);
    }

    slot->session = session;
    slot->socklen = pc->socklen;
    ngx_memcpy(&slot->sockaddr, pc->sockaddr, pc->socklen);
}
