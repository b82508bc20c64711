
/*
 * Keys: made, told apart, read from PEM and written.
 */

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "torii_key.h"


#define TORII_KEY_PEM_MAX   (64 * 1024)
#define TORII_KEY_BITS_MAX  16384


typedef struct {
    const char            *type;        /* "EC", "RSA" */
    const char            *group;
    size_t                 bits;
} torii_key_make_t;


static const torii_key_make_t  torii_key_makes[] = {
    { "EC", "P-256", 256 },
    { "EC", "P-384", 384 },
    { "RSA", NULL, 2048 },
    { "RSA", NULL, 3072 },
    { "RSA", NULL, 4096 }
};


/* RFC 7518 section 3.1: a curve goes with one digest, RS256 with any size. */

static const torii_key_kind_t  torii_key_kinds[] = {
    { "prime256v1", "EC", "P-256", "ES256", "SHA256", 32 },
    { "secp384r1", "EC", "P-384", "ES384", "SHA384", 48 },
    { "secp521r1", "EC", "P-521", "ES512", "SHA512", 66 },
    { "RSA", "RSA", NULL, "RS256", "SHA256", 0 },
    { "ED25519", "OKP", "Ed25519", "EdDSA", NULL, 32 },
    { NULL, NULL, NULL, NULL, NULL, 0 }
};


EVP_PKEY *
torii_key_generate(torii_key_type_e type)
{
    EVP_PKEY                *key;
    const torii_key_make_t  *make;

    if ((unsigned) type >= TORII_KEY_OTHER) {
        return NULL;
    }

    make = &torii_key_makes[type];

    if (make->group) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, make->type, make->group);

    } else {
        key = EVP_PKEY_Q_keygen(NULL, NULL, make->type, make->bits);
    }

    if (key == NULL) {
        ERR_clear_error();
    }

    return key;
}


const torii_key_kind_t *
torii_key_kind(EVP_PKEY *key)
{
    char                     group[64];
    size_t                   len;
    const torii_key_kind_t  *kind;

    group[0] = '\0';

    if (EVP_PKEY_is_a(key, "EC")
        && EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1)
    {
        ERR_clear_error();
        return NULL;
    }

    for (kind = torii_key_kinds; kind->name; kind++) {

        if (group[0] ? strcmp(group, kind->name) == 0
                     : EVP_PKEY_is_a(key, kind->name))
        {
            return kind;
        }
    }

    return NULL;
}


torii_key_type_e
torii_key_type(EVP_PKEY *key)
{
    unsigned                 i;
    const torii_key_kind_t  *kind;
    const torii_key_make_t  *make;

    kind = torii_key_kind(key);
    if (kind == NULL) {
        return TORII_KEY_OTHER;
    }

    for (i = 0; i < TORII_KEY_OTHER; i++) {
        make = &torii_key_makes[i];

        if (strcmp(make->type, kind->kty) == 0
            && make->bits == (size_t) EVP_PKEY_get_bits(key))
        {
            return (torii_key_type_e) i;
        }
    }

    return TORII_KEY_OTHER;
}


const EVP_MD *
torii_key_digest(EVP_PKEY *key)
{
    const torii_key_kind_t  *kind;

    kind = torii_key_kind(key);

    if (kind) {
        return kind->digest ? EVP_get_digestbyname(kind->digest) : NULL;
    }

    /* Ed448 and the like */

    return EVP_PKEY_is_a(key, "ED448") ? NULL : EVP_sha256();
}


/* Without it OpenSSL asks for the passphrase on the terminal. */

static int
torii_key_no_passphrase(char *buf, int size, int rwflag, void *data)
{
    return -1;
}


EVP_PKEY *
torii_key_read(torii_str_t pem)
{
    BIO       *bio;
    EVP_PKEY  *key;

    if (pem.len == 0 || pem.len > TORII_KEY_PEM_MAX) {
        return NULL;
    }

    bio = BIO_new_mem_buf(pem.data, (int) pem.len);
    if (bio == NULL) {
        ERR_clear_error();
        return NULL;
    }

    key = PEM_read_bio_PrivateKey(bio, NULL, torii_key_no_passphrase, NULL);

    BIO_free(bio);
    ERR_clear_error();

    /* one use of a larger one would take seconds */

    if (key && EVP_PKEY_get_bits(key) > TORII_KEY_BITS_MAX) {
        EVP_PKEY_free(key);
        return NULL;
    }

    return key;
}


int
torii_key_write(EVP_PKEY *key, int traditional, torii_buf_t *pem)
{
    int    ok;
    BIO   *bio;
    char  *text;
    long   len;

    /* what it holds is wiped when it grows and when it is freed */

    bio = BIO_new(BIO_s_mem());
    if (bio == NULL) {
        ERR_clear_error();
        return TORII_ERROR;
    }

    if (traditional && (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "EC")))
    {
        ok = PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0,
                                                  NULL, NULL);
    } else {
        ok = PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    }

    if (ok == 1) {
        len = BIO_get_mem_data(bio, &text);
        torii_buf_add(pem, text, (size_t) len);
    }

    BIO_free(bio);

    if (ok != 1) {
        ERR_clear_error();
        return TORII_ERROR;
    }

    return TORII_OK;
}
