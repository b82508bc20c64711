
/*
 * For tests of certificates: small chains in PEM, made by OpenSSL alone.
 */

#ifndef _CHAIN_MAKE_H_INCLUDED_
#define _CHAIN_MAKE_H_INCLUDED_


#include "tap.h"
#include "cert_make.h"
#include "acme_cert.h"


#define CHAIN_NOW  1700000000
#define CHAIN_DAY  86400

#define chain_str(b)  ((torii_str_t) { (b).len, (b).data })


/* A certificate and its key. */

typedef struct {
    EVP_PKEY     *key;
    torii_str_t   pem;
} chain_ca_t;

/* Name and value as of x509v3_config(5); 0 ends. */

typedef struct {
    int          nid;
    const char  *value;
} chain_ext_t;


/* A leaf for a.example, *.b.example and 192.0.2.1. */

typedef struct {
    chain_ca_t   root;
    chain_ca_t   middle;
    chain_ca_t   leaf;
    torii_str_t  full;         /* leaf and intermediate */
} chain_set_t;


static torii_arena_t  *chain_arena;


__attribute__((unused))
static const chain_ext_t  chain_ca_extensions[] = {
    { NID_basic_constraints, "critical,CA:TRUE" },
    { NID_key_usage, "critical,keyCertSign,cRLSign" },
    { NID_subject_key_identifier, "hash" },
    { NID_authority_key_identifier, "keyid" },
    { 0, NULL }
};

__attribute__((unused))
static const chain_ext_t  chain_plain_extensions[] = {
    { NID_subject_alt_name, "DNS:a.example" },
    { 0, NULL }
};


static inline torii_str_t
chain_keep(torii_buf_t *b)
{
    torii_str_t  s;

    s = torii_arena_str(chain_arena, chain_str(*b));
    torii_buf_free(b);

    return s;
}


static inline torii_str_t
chain_join(torii_str_t a, torii_str_t b)
{
    torii_buf_t  both;

    memset(&both, 0, sizeof(torii_buf_t));
    torii_buf_add_str(&both, a);
    torii_buf_add_str(&both, b);

    return chain_keep(&both);
}


static inline X509 *
chain_x509(torii_str_t pem)
{
    BIO   *bio;
    X509  *x;

    bio = BIO_new_mem_buf(pem.data, (int) pem.len);
    x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);

    return x;
}


static inline torii_str_t
chain_pem(X509 *x)
{
    BIO          *bio;
    char         *text;
    torii_str_t   s;

    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x);
    text = cert_bio_text(bio);
    s = torii_arena_str(chain_arena, torii_str(text));
    free(text);

    return s;
}


static inline void
chain_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX       ctx;
    X509_EXTENSION  *ext;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
}


/* Signed by issuer, or by itself; valid from yesterday on for eleven days. */

static inline chain_ca_t
chain_make(const char *name, const char *type, chain_ca_t *issuer,
    const chain_ext_t *extensions)
{
    X509        *x, *ca;
    chain_ca_t   made;

    made.key = cert_key_make(type);

    x = X509_new();
    ca = issuer ? chain_x509(issuer->pem) : NULL;

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1000 + (long) strlen(name));
    ASN1_TIME_set(X509_getm_notBefore(x), CHAIN_NOW - CHAIN_DAY);
    ASN1_TIME_set(X509_getm_notAfter(x), CHAIN_NOW + 10 * CHAIN_DAY);
    X509_set_pubkey(x, made.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *) name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(ca ? ca : x));

    for ( /* void */ ; extensions->nid; extensions++) {
        chain_ext(x, ca ? ca : x, extensions->nid, extensions->value);
    }

    X509_sign(x, issuer ? issuer->key : made.key, EVP_sha256());

    made.pem = chain_pem(x);

    X509_free(ca);
    X509_free(x);

    return made;
}


static inline acme_names_t
chain_list(const char *const *names, torii_str_t *list, uint32_t max)
{
    acme_names_t  n;

    n.names = list;
    n.n = 0;

    while (n.n < max && names[n.n]) {
        list[n.n] = torii_str(names[n.n]);
        n.n++;
    }

    return n;
}


static inline void
chain_set_make(chain_set_t *set)
{
    char          error[256];
    X509         *leaf;
    torii_buf_t   b;
    torii_str_t   list[3];
    acme_names_t  names;

    static const char *const  wanted[] = {
        "a.example", "*.b.example", "192.0.2.1"
    };

    set->root = chain_make("Test Root", "ec", NULL, chain_ca_extensions);
    set->middle = chain_make("Test Middle", "rsa", &set->root,
                             chain_ca_extensions);
    set->leaf.key = torii_key_generate(TORII_KEY_EC_P256);

    names = chain_list(wanted, list, 3);
    memset(&b, 0, sizeof(torii_buf_t));

    tap_ok(acme_sign(set->leaf.key, &names, torii_str(""),
                     CHAIN_NOW - CHAIN_DAY, CHAIN_NOW + CHAIN_DAY,
                     chain_join(set->middle.pem, set->root.pem),
                     set->middle.key, &b, error) == TORII_OK,
           "signed by a CA %s", error);

    set->full = chain_keep(&b);

    leaf = chain_x509(set->full);
    set->leaf.pem = chain_pem(leaf);
    X509_free(leaf);
}


static inline void
chain_set_free(chain_set_t *set)
{
    EVP_PKEY_free(set->root.key);
    EVP_PKEY_free(set->middle.key);
    EVP_PKEY_free(set->leaf.key);
}


#endif /* _CHAIN_MAKE_H_INCLUDED_ */
