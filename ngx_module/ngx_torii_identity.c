
/*
 * Identities towards an API server: certificates and keys out of PEM texts.
 */

#include "ngx_torii_kubernetes.h"


static ngx_int_t ngx_torii_identity_trust(ngx_torii_identity_t *identity,
    torii_str_t ca);
static ngx_int_t ngx_torii_identity_cert(ngx_torii_identity_t *identity,
    torii_str_t cert);
static ngx_int_t ngx_torii_identity_key(ngx_torii_identity_t *identity,
    torii_str_t key);
static X509 *ngx_torii_identity_read(BIO *bio);
static int ngx_torii_identity_password(char *buf, int size, int rwflag,
    void *data);


ngx_torii_identity_t *
ngx_torii_identity_create(torii_str_t ca, torii_str_t cert, torii_str_t key,
    ngx_uint_t insecure, char error[256])
{
    char                  *what;
    ngx_torii_identity_t  *identity;

    identity = torii_zalloc(sizeof(ngx_torii_identity_t));

    identity->refs = 1;
    identity->tls.insecure = insecure;

    identity->hash = torii_hash(ca.data, ca.len, insecure);
    identity->hash = torii_hash(cert.data, cert.len, identity->hash);
    identity->hash = torii_hash(key.data, key.len, identity->hash);

    what = NULL;

    if (ca.len && ngx_torii_identity_trust(identity, ca) != NGX_OK) {
        what = "the certificate authority is no PEM certificate";

    } else if (cert.len && ngx_torii_identity_cert(identity, cert) != NGX_OK) {
        what = "the client certificate is no PEM certificate";

    } else if (cert.len && ngx_torii_identity_key(identity, key) != NGX_OK) {
        what = "the client key is no PEM key, or not of the certificate";
    }

    ERR_clear_error();

    if (what) {
        (void) snprintf(error, 256, "%s", what);
        ngx_torii_identity_free(identity);
        return NULL;
    }

    return identity;
}


void
ngx_torii_identity_free(ngx_torii_identity_t *identity)
{
    X509_STORE_free(identity->tls.store);
    X509_free(identity->tls.cert);
    sk_X509_pop_free(identity->tls.chain, X509_free);
    EVP_PKEY_free(identity->tls.key);

    free(identity);
}


/* Any certificate that is listed is trusted, not only one that signs itself. */

static ngx_int_t
ngx_torii_identity_trust(ngx_torii_identity_t *identity, torii_str_t ca)
{
    int          rc;
    BIO         *bio;
    X509        *x509;
    ngx_uint_t   n;

    identity->tls.store = X509_STORE_new();
    bio = BIO_new_mem_buf(ca.data, ca.len);

    if (identity->tls.store == NULL || bio == NULL) {
        BIO_free(bio);
        return NGX_ERROR;
    }

    X509_STORE_set_flags(identity->tls.store, X509_V_FLAG_PARTIAL_CHAIN);

    rc = 1;

    for (n = 0; rc == 1; n++) {
        x509 = ngx_torii_identity_read(bio);
        if (x509 == NULL) {
            break;
        }

        rc = X509_STORE_add_cert(identity->tls.store, x509);

        X509_free(x509);
    }

    BIO_free(bio);

    return rc == 1 && n ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_torii_identity_cert(ngx_torii_identity_t *identity, torii_str_t cert)
{
    BIO   *bio;
    X509  *x509;

    identity->tls.chain = sk_X509_new_null();
    bio = BIO_new_mem_buf(cert.data, cert.len);

    if (identity->tls.chain == NULL || bio == NULL) {
        BIO_free(bio);
        return NGX_ERROR;
    }

    identity->tls.cert = ngx_torii_identity_read(bio);

    for ( ;; ) {
        x509 = ngx_torii_identity_read(bio);
        if (x509 == NULL) {
            break;
        }

        if (sk_X509_push(identity->tls.chain, x509) == 0) {
            X509_free(x509);
            break;
        }
    }

    BIO_free(bio);

    return identity->tls.cert ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_torii_identity_key(ngx_torii_identity_t *identity, torii_str_t key)
{
    BIO  *bio;

    bio = BIO_new_mem_buf(key.data, key.len);
    if (bio == NULL) {
        return NGX_ERROR;
    }

    identity->tls.key = PEM_read_bio_PrivateKey(bio, NULL,
                                                ngx_torii_identity_password,
                                                NULL);
    BIO_free(bio);

    if (identity->tls.key == NULL
        || X509_check_private_key(identity->tls.cert, identity->tls.key) != 1)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static X509 *
ngx_torii_identity_read(BIO *bio)
{
    return PEM_read_bio_X509(bio, NULL, ngx_torii_identity_password, NULL);
}


/* An encrypted key is an error: OpenSSL's own callback would ask a terminal. */

static int
ngx_torii_identity_password(char *buf, int size, int rwflag, void *data)
{
    return -1;
}
