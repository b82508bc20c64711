
/*
 * For tests and benchmarks: self-signed certificates and their keys in PEM.
 */

#ifndef _CERT_MAKE_H_INCLUDED_
#define _CERT_MAKE_H_INCLUDED_


#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>


typedef struct {
    char      *crt;
    char      *key;         /* PKCS#8 */
    char      *traditional; /* where the type has such a form */
    EVP_PKEY  *pkey;
} cert_pem_t;


static inline char *
cert_bio_text(BIO *bio)
{
    long   len;
    char  *p, *text;

    len = BIO_get_mem_data(bio, &p);
    text = malloc(len + 1);
    memcpy(text, p, len);
    text[len] = '\0';

    BIO_free(bio);

    return text;
}


/* type: "rsa", "ec" or "ed25519". */

static inline EVP_PKEY *
cert_key_make(const char *type)
{
    if (strcmp(type, "rsa") == 0) {
        return EVP_RSA_gen(2048);
    }

    if (strcmp(type, "ec") == 0) {
        return EVP_EC_gen("P-256");
    }

    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}


/*
 * names: "DNS:a.example,DNS:*.b.example", or NULL for none.  Dates in seconds
 * since 1970.  pkey is taken over; NULL: a new one of the type.
 */

static inline void
cert_make(cert_pem_t *c, EVP_PKEY *pkey, const char *type,
    const char *common_name, const char *names, int64_t from, int64_t to)
{
    BIO                *bio;
    X509               *x;
    X509_NAME          *subject;
    X509_EXTENSION     *ext;
    const EVP_MD       *md;

    c->pkey = pkey ? pkey : cert_key_make(type);

    x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    ASN1_TIME_set(X509_getm_notBefore(x), from);
    ASN1_TIME_set(X509_getm_notAfter(x), to);
    X509_set_pubkey(x, c->pkey);

    subject = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC,
                               (const unsigned char *) "Test", -1, -1, 0);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               (const unsigned char *) common_name, -1, -1, 0);
    X509_set_issuer_name(x, subject);

    if (names) {
        ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
        X509_add_ext(x, ext, -1);
        X509_EXTENSION_free(ext);
    }

    md = (EVP_PKEY_id(c->pkey) == EVP_PKEY_ED25519) ? NULL : EVP_sha256();
    X509_sign(x, c->pkey, md);

    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x);
    c->crt = cert_bio_text(bio);

    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, c->pkey, NULL, NULL, 0, NULL, NULL);
    c->key = cert_bio_text(bio);

    bio = BIO_new(BIO_s_mem());

    if (md) {
        PEM_write_bio_PrivateKey_traditional(bio, c->pkey, NULL, NULL, 0, NULL,
                                             NULL);
    } else {
        BIO_puts(bio, c->key);
    }

    c->traditional = cert_bio_text(bio);

    X509_free(x);
}


static inline void
cert_pem_free(cert_pem_t *c)
{
    EVP_PKEY_free(c->pkey);
    free(c->crt);
    free(c->key);
    free(c->traditional);
}


#endif /* _CERT_MAKE_H_INCLUDED_ */
