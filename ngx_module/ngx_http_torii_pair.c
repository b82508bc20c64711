
/*
 * Parsed pairs of certificate and key.  Each worker keeps those it used last,
 * so that a handshake costs a lookup; the table's id of a pair is its name, and
 * so it outlives tables.  The self-signed pair is for names without any.
 */

#include "ngx_http_torii_ssl.h"

#include <openssl/x509v3.h>


typedef struct {
    ngx_queue_t              lru;
    ngx_uint_t               n;
    ngx_uint_t               max;
    uint32_t                 mask;       /* of buckets, twice max or more */
    ngx_http_torii_pair_t  **buckets;
} ngx_http_torii_pairs_t;


static X509 *ngx_http_torii_pair_fake_cert(EVP_PKEY *key);
static ngx_http_torii_pair_t **ngx_http_torii_pair_bucket(const u_char *id);
static void ngx_http_torii_pair_evict(void);


/*
 * Of the process: parsed pairs outlive tables and configurations.  The
 * self-signed pair is made by the master once and is the same in all workers.
 */

static ngx_http_torii_pairs_t  *ngx_http_torii_pairs;
static ngx_http_torii_pair_t    ngx_http_torii_fake;


ngx_int_t
ngx_http_torii_pairs_init(ngx_conf_t *cf)
{
    X509      *cert;
    EVP_PKEY  *key;

    if (ngx_http_torii_fake.leaf) {
        return NGX_OK;
    }

    key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    if (key == NULL) {
        ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0, "EVP_PKEY_Q_keygen() failed");
        return NGX_ERROR;
    }

    cert = ngx_http_torii_pair_fake_cert(key);
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
ngx_http_torii_pair_fake_cert(EVP_PKEY *key)
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


void
ngx_http_torii_pairs_init_process(ngx_uint_t max)
{
    ngx_uint_t               n;
    ngx_http_torii_pairs_t  *pairs;

    if (ngx_http_torii_pairs) {
        return;
    }

    for (n = 2; n < 2 * max; n *= 2) { /* void */ }

    pairs = torii_zalloc(sizeof(ngx_http_torii_pairs_t));

    ngx_queue_init(&pairs->lru);
    pairs->max = max;
    pairs->mask = (uint32_t) n - 1;
    pairs->buckets = torii_zalloc(n * sizeof(ngx_http_torii_pair_t *));

    ngx_http_torii_pairs = pairs;
}


ngx_http_torii_pair_t *
ngx_http_torii_pair_fake(void)
{
    return &ngx_http_torii_fake;
}


ngx_http_torii_pair_t *
ngx_http_torii_pair_get(ngx_torii_table_t *table, uint32_t index,
    ngx_log_t *log)
{
    ngx_http_torii_pair_t       *pair, **bucket;
    const ingress_table_cert_t  *cert;

    cert = &table->table.certs[index];
    bucket = ngx_http_torii_pair_bucket(cert->id);

    for (pair = *bucket; pair; pair = pair->next) {
        if (ngx_memcmp(pair->id, cert->id, sizeof(pair->id)) == 0) {
            ngx_queue_remove(&pair->queue);
            ngx_queue_insert_head(&ngx_http_torii_pairs->lru, &pair->queue);
            return pair;
        }
    }

    pair = ngx_http_torii_pair_parse(
                                ingress_table_str(&table->table, cert->chain),
                                ingress_table_str(&table->table, cert->key),
                                log);
    if (pair == NULL) {
        return NULL;
    }

    ngx_memcpy(pair->id, cert->id, sizeof(pair->id));

    if (ngx_http_torii_pairs->n == ngx_http_torii_pairs->max) {
        ngx_http_torii_pair_evict();
    }

    pair->next = *bucket;
    *bucket = pair;

    ngx_queue_insert_head(&ngx_http_torii_pairs->lru, &pair->queue);
    ngx_http_torii_pairs->n++;

    return pair;
}


ngx_http_torii_pair_t *
ngx_http_torii_pair_parse(torii_str_t chain, torii_str_t key, ngx_log_t *log)
{
    X509                   *x509;
    const unsigned char    *p, *last;
    ngx_http_torii_pair_t  *pair;

    pair = torii_zalloc(sizeof(ngx_http_torii_pair_t));

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


static ngx_http_torii_pair_t **
ngx_http_torii_pair_bucket(const u_char *id)
{
    uint32_t  hash;

    ngx_memcpy(&hash, id, sizeof(uint32_t));

    return &ngx_http_torii_pairs->buckets[hash & ngx_http_torii_pairs->mask];
}


static void
ngx_http_torii_pair_evict(void)
{
    ngx_queue_t             *q;
    ngx_http_torii_pair_t   *pair, **p;

    q = ngx_queue_last(&ngx_http_torii_pairs->lru);
    pair = ngx_queue_data(q, ngx_http_torii_pair_t, queue);

    p = ngx_http_torii_pair_bucket(pair->id);

    while (*p != pair) {
        p = &(*p)->next;
    }

    *p = pair->next;

    ngx_queue_remove(q);
    ngx_http_torii_pairs->n--;

    ngx_http_torii_pair_free(pair);
}


void
ngx_http_torii_pair_free(ngx_http_torii_pair_t *pair)
{
    X509_free(pair->leaf);
    sk_X509_pop_free(pair->chain, X509_free);
    EVP_PKEY_free(pair->key);
    free(pair);
}
