
/*
 * Public keys of a JWK set (RFC 7517), and signatures checked against them: JWS
 * in the compact serialization (RFC 7515), asymmetric algorithms only (RFC
 * 7518, RFC 8037, RFC 9864).  No "none", no HMAC, no encryption, and no key
 * that a token brings or points at: "jwk", "jku", "x5c" and "x5u" are not
 * looked at.
 */

#ifndef _TORII_JWK_H_INCLUDED_
#define _TORII_JWK_H_INCLUDED_


#include "torii_jose.h"
#include "torii_tree.h"


#define TORII_JWKS_BYTES    (256 * 1024)    /* of a set; more is refused */
#define TORII_JWKS_MAX      32              /* keys kept of it */
#define TORII_JWK_TRIED     4               /* of them, for a token without
                                               kid */
#define TORII_JWK_KID_MAX   256

#define TORII_JWS_BYTES     (64 * 1024)
#define TORII_JWS_HEADER    4096            /* as base64url */
#define TORII_JWS_SIG_MAX   1400            /* as base64url: RSA 8192 */


typedef enum {
    TORII_JWA_RS256 = 0,
    TORII_JWA_RS384,
    TORII_JWA_RS512,
    TORII_JWA_PS256,
    TORII_JWA_PS384,
    TORII_JWA_PS512,
    TORII_JWA_ES256,
    TORII_JWA_ES384,
    TORII_JWA_ES512,
    TORII_JWA_EDDSA,           /* Ed25519 under both of its names */
    TORII_JWA_MAX
} torii_jwa_e;

/* A set of algorithms is a mask. */
#define torii_jwa_bit(alg)  (1u << (alg))

#define TORII_JWA_ALL      (torii_jwa_bit(TORII_JWA_MAX) - 1)
#define TORII_JWA_DEFAULT                                                     \
    (torii_jwa_bit(TORII_JWA_RS256)|torii_jwa_bit(TORII_JWA_PS256)            \
     |torii_jwa_bit(TORII_JWA_ES256)|torii_jwa_bit(TORII_JWA_EDDSA))

/* TORII_JWA_MAX: none of ours.  Bytes are compared: "rs256" is no name. */
torii_jwa_e torii_jwa_find(torii_str_t name);
const char *torii_jwa_name(torii_jwa_e alg);


typedef struct torii_jwks_s  torii_jwks_t;

/*
 * NULL: not a JWK set, or no key of it can check a signature; *error says why.
 * Keys that are for something else ("use", "key_ops", "kty": "oct"), weak or
 * not on their curve are left out, as RFC 7517 section 5 asks; a member that is
 * there twice spoils the set.  The set depends on nothing that was passed.
 */
torii_jwks_t *torii_jwks_read(torii_str_t in, const char **error);
void torii_jwks_free(torii_jwks_t *set);
uint32_t torii_jwks_count(const torii_jwks_t *set);
int torii_jwks_has(const torii_jwks_t *set, torii_str_t kid);


typedef enum {
    TORII_JWS_OK = 0,
    TORII_JWS_SIZE,            /* the token or a part of it is too large */
    TORII_JWS_FORM,            /* not three parts of base64url, not JSON, a
                                  member twice */
    TORII_JWS_ALG,             /* none, HMAC, unknown, or not an allowed one */
    TORII_JWS_CRIT,            /* "crit", "b64" or "zip" */
    TORII_JWS_KEY,             /* no key of the set has this kid and fits */
    TORII_JWS_SIGNATURE
} torii_jws_error_e;

typedef struct {
    torii_jwa_e           alg;
    torii_str_t           kid;         /* data NULL: the token has none */
    torii_str_t           typ;         /* empty: none */
    torii_str_t           input;       /* what is signed */
    torii_str_t           payload;     /* decoded, unverified */
    torii_str_t           signature;   /* decoded */
} torii_jws_t;

/*
 * Takes a token apart without trusting it; strings live in the arena or in
 * token.  allowed is a mask of algorithms.
 */
torii_jws_error_e torii_jws_read(torii_arena_t *a, torii_str_t token,
    unsigned allowed, torii_jws_t *jws);

/* TORII_JWS_OK, _KEY or _SIGNATURE. */
torii_jws_error_e torii_jws_verify(const torii_jws_t *jws,
    const torii_jwks_t *set);


#endif /* _TORII_JWK_H_INCLUDED_ */
