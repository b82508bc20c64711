
/*
 * Keys: made, told apart, written and read.
 */

#include <openssl/err.h>

#include "tap.h"
#include "cert_make.h"
#include "torii_jose.h"


#define test_str(b)  ((torii_str_t) { (b).len, (b).data })


typedef struct {
    torii_key_type_e   type;
    const char        *name;
    const char        *other;           /* of what is read, not made */
    const char        *alg;             /* NULL: none */
    const char        *label;           /* of the traditional form */
} test_type_t;

typedef struct {
    const char  *name;
    const char  *pem;
} test_pem_t;


static const test_type_t  test_types[] = {
    { TORII_KEY_EC_P256, "P-256", NULL, "ES256", "EC PRIVATE KEY" },
    { TORII_KEY_EC_P384, "P-384", NULL, "ES384", "EC PRIVATE KEY" },
    { TORII_KEY_RSA_2048, "RSA 2048", NULL, "RS256", "RSA PRIVATE KEY" },
    { TORII_KEY_RSA_3072, "RSA 3072", NULL, "RS256", "RSA PRIVATE KEY" },
    { TORII_KEY_RSA_4096, "RSA 4096", NULL, "RS256", "RSA PRIVATE KEY" },
    { TORII_KEY_OTHER, "Ed25519", "ED25519", "EdDSA", "PRIVATE KEY" },
    { TORII_KEY_OTHER, "X25519", "X25519", NULL, "PRIVATE KEY" },
    { TORII_KEY_OTHER, "P-521", "P-521", "ES512", "EC PRIVATE KEY" },
    { TORII_KEY_OTHER, "secp256k1", "secp256k1", NULL, "EC PRIVATE KEY" },
    { TORII_KEY_OTHER, "RSA 1024", "RSA", NULL, "RSA PRIVATE KEY" },
    { TORII_KEY_OTHER, NULL, NULL, NULL, NULL }
};

static const test_pem_t  test_pems[] = {
    { "nothing", "" },
    { "text", "no key\n" },
    { "begin without end", "-----BEGIN PRIVATE KEY-----\nMC4C\n" },
    { "not a key", "-----BEGIN PRIVATE KEY-----\nMAMCAQA=\n"
                   "-----END PRIVATE KEY-----\n" },
    { "parameters", "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                    "-----END EC PARAMETERS-----\n" },
    { NULL, NULL }
};


static torii_arena_t  *test_arena;


static void
test_write(EVP_PKEY *key, const test_type_t *t, int traditional)
{
    char         begin[64];
    EVP_PKEY    *back;
    torii_buf_t  b;

    snprintf(begin, sizeof(begin), "-----BEGIN %s-----\n",
             traditional ? t->label : "PRIVATE KEY");

    memset(&b, 0, sizeof(torii_buf_t));
    back = NULL;

    if (torii_key_write(key, traditional, &b) == TORII_OK) {
        back = torii_key_read(test_str(b));
    }

    tap_ok(back && torii_str_starts(test_str(b), begin)
           && EVP_PKEY_eq(back, key) == 1, "%s: written as %s and read",
           t->name, traditional ? t->label : "PKCS#8");

    EVP_PKEY_free(back);
    torii_buf_free(&b);
}


static EVP_PKEY *
test_make(const test_type_t *t)
{
    if (t->other == NULL) {
        return torii_key_generate(t->type);
    }

    if (strcmp(t->other, "RSA") == 0) {
        return EVP_RSA_gen(1024);
    }

    if (t->label[0] == 'E') {
        return EVP_EC_gen(t->other);
    }

    return EVP_PKEY_Q_keygen(NULL, NULL, t->other);
}


static void
test_key_types(void)
{
    EVP_PKEY           *key;
    const char         *alg;
    const test_type_t  *t;

    for (t = test_types; t->name; t++) {
        key = test_make(t);

        if (!tap_ok(key && torii_key_type(key) == t->type, "%s: type %d",
                    t->name, t->type))
        {
            continue;
        }

        alg = torii_jws_alg(key);
        tap_ok(t->alg ? alg && strcmp(alg, t->alg) == 0 : alg == NULL,
               "%s: algorithm %s", t->name, alg ? alg : "none");

        test_write(key, t, 0);
        test_write(key, t, 1);

        EVP_PKEY_free(key);
    }

    tap_ok(torii_key_generate(TORII_KEY_OTHER) == NULL,
           "a key of no type is not made");
}


static void
test_key_public(void)
{
    int                   len;
    EVP_PKEY             *key, *public;
    torii_buf_t           b;
    unsigned char        *der;
    const unsigned char  *p;

    key = torii_key_generate(TORII_KEY_EC_P256);
    der = NULL;

    len = i2d_PUBKEY(key, &der);
    p = der;
    public = d2i_PUBKEY(NULL, &p, len);

    memset(&b, 0, sizeof(torii_buf_t));

    tap_ok(torii_key_type(public) == TORII_KEY_EC_P256, "a public key: type");
    tap_ok(torii_key_write(public, 0, &b) == TORII_ERROR
           && torii_key_write(public, 1, &b) == TORII_ERROR && b.len == 0,
           "a public key is not written");
    tap_ok(torii_jws_sign(&b, public, torii_str("{}"), torii_str(""))
           == TORII_ERROR && b.len == 0, "a public key does not sign");

    OPENSSL_free(der);
    EVP_PKEY_free(public);
    EVP_PKEY_free(key);
    torii_buf_free(&b);
}


static void
test_key_pem(void)
{
    BIO               *bio;
    char              *encrypted, *text;
    EVP_PKEY          *key;
    cert_pem_t         c;
    torii_str_t        s;
    const test_pem_t  *t;

    for (t = test_pems; t->name; t++) {
        key = torii_key_read(torii_str(t->pem));
        tap_ok(key == NULL, "PEM: %s", t->name);
        EVP_PKEY_free(key);
    }

    cert_make(&c, NULL, "ec", "x", NULL, 0, 1);

    tap_ok(torii_key_read(torii_str(c.crt)) == NULL, "PEM: a certificate");

    s = torii_arena_printf(test_arena, "text\n%s%s%s", test_pems[4].pem, c.crt,
                           c.traditional);
    key = torii_key_read(s);
    tap_ok(key && EVP_PKEY_eq(key, c.pkey) == 1,
           "PEM: a key behind parameters and a certificate");
    EVP_PKEY_free(key);

    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, c.pkey, EVP_aes_128_cbc(), "secret", 6,
                                  NULL, NULL);
    encrypted = cert_bio_text(bio);

    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey_traditional(bio, c.pkey, EVP_aes_128_cbc(),
                                         (unsigned char *) "secret", 6, NULL,
                                         NULL);
    text = cert_bio_text(bio);

    tap_ok(torii_key_read(torii_str(encrypted)) == NULL
           && torii_key_read(torii_str(text)) == NULL,
           "PEM: an encrypted key, and nobody is asked");

    s.len = 64 * 1024 + 1;
    s.data = torii_arena_zalloc(test_arena, s.len);
    memset(s.data, '\n', s.len);
    memcpy(s.data, c.key, strlen(c.key));
    tap_ok(torii_key_read(s) == NULL, "PEM: more than 64 KiB");
    s.len--;
    key = torii_key_read(s);
    tap_ok(key != NULL, "PEM: 64 KiB");
    EVP_PKEY_free(key);

    free(encrypted);
    free(text);
    cert_pem_free(&c);
}


int
main(void)
{
    test_arena = torii_arena_create(4096);

    test_key_types();
    test_key_public();
    test_key_pem();

    tap_ok(ERR_peek_error() == 0, "no error is left behind");

    torii_arena_destroy(test_arena);

    return tap_done();
}
