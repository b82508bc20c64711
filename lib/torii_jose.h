
/*
 * Keys, and what JOSE makes of them, over OpenSSL: base64url (RFC 4648 section
 * 5), JSON Web Keys (RFC 7517, 7518), their thumbprints (RFC 7638) and JSON Web
 * Signatures (RFC 7515).
 */

#ifndef _TORII_JOSE_H_INCLUDED_
#define _TORII_JOSE_H_INCLUDED_


#include <openssl/evp.h>

#include "torii.h"


/* Without padding; a "=" or any other byte outside of the alphabet is refused,
   and so are bits behind the last whole byte. */

void torii_base64url_add(torii_buf_t *b, const void *data, size_t len);
int torii_base64url_decode(torii_arena_t *a, torii_str_t in, torii_str_t *out);


typedef enum {
    TORII_KEY_EC_P256 = 0,
    TORII_KEY_EC_P384,
    TORII_KEY_RSA_2048,
    TORII_KEY_RSA_3072,
    TORII_KEY_RSA_4096,
    TORII_KEY_OTHER            /* read from a file, never made */
} torii_key_type_e;

/* NULL: OpenSSL failed.  Free with EVP_PKEY_free(). */
EVP_PKEY *torii_key_generate(torii_key_type_e type);
torii_key_type_e torii_key_type(EVP_PKEY *key);
/* What it signs certificates with; NULL: its algorithm has its own. */
const EVP_MD *torii_key_digest(EVP_PKEY *key);

/* The first private key of a PEM file, unencrypted; NULL: there is none. */
EVP_PKEY *torii_key_read(torii_str_t pem);
/*
 * PEM: PKCS#8, or with traditional PKCS#1 (RSA) or SEC 1 (EC).  The caller
 * wipes it.
 */
int torii_key_write(EVP_PKEY *key, int traditional, torii_buf_t *pem);


/*
 * The public key as JWK: only the members that a thumbprint is made of, in
 * their order, without spaces.  EC P-256, P-384, P-521, RSA and Ed25519;
 * TORII_ERROR otherwise.
 */
int torii_jwk_add(torii_buf_t *b, EVP_PKEY *key);
/* 43 characters. */
int torii_jwk_thumbprint(torii_buf_t *b, EVP_PKEY *key);

/* "ES256", "ES384", "ES512", "RS256" (from 2048 bits on), "EdDSA"; NULL: no
   such key. */
const char *torii_jws_alg(EVP_PKEY *key);

/*
 * The flattened JSON serialization: {"protected":…,"payload":…,"signature":…}.
 * header and payload are the JSON texts; an empty payload stays "".
 * TORII_ERROR: the key cannot sign.
 */
int torii_jws_sign(torii_buf_t *b, EVP_PKEY *key, torii_str_t header,
    torii_str_t payload);

/* The same by HMAC (bits: 256, 384 or 512; secret: not empty). */
int torii_jws_mac(torii_buf_t *b, torii_str_t secret, unsigned bits,
    torii_str_t header, torii_str_t payload);


#endif /* _TORII_JOSE_H_INCLUDED_ */
