
/*
 * A JWK set from the inside: for the files of lib/ that implement torii_jwk.h.
 */

#ifndef _TORII_JWK_SET_H_INCLUDED_
#define _TORII_JWK_SET_H_INCLUDED_


#include "torii_jwk.h"


typedef enum {
    TORII_JWK_RSA = 0,
    TORII_JWK_P256,
    TORII_JWK_P384,
    TORII_JWK_P521,
    TORII_JWK_ED25519
} torii_jwk_kind_e;

typedef struct {
    torii_str_t        kid;        /* data NULL: none */
    torii_jwk_kind_e   kind;
    torii_jwa_e        alg;        /* TORII_JWA_MAX: any that fits */
    EVP_PKEY          *key;
} torii_jwk_t;

struct torii_jwks_s {
    torii_arena_t     *arena;
    uint32_t           n;
    torii_jwk_t        keys[TORII_JWKS_MAX];
};


#endif /* _TORII_JWK_SET_H_INCLUDED_ */
