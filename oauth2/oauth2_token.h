
/*
 * Tokens of a provider: ID tokens (OpenID Connect Core 3.1.3.7), logout tokens
 * (Back-Channel Logout 2.6), access tokens that are JWTs (RFC 9068), and the
 * token endpoint's answers (RFC 6749 section 5).
 */

#ifndef _OAUTH2_TOKEN_H_INCLUDED_
#define _OAUTH2_TOKEN_H_INCLUDED_


#include "oauth2_claim.h"


#define OAUTH2_AUDIENCES_MAX  32


/* Whom to believe. */

typedef struct {
    torii_str_t          issuer;        /* compared byte by byte */
    torii_str_t          client_id;
    const torii_str_t   *audiences;     /* further ones that are ours */
    uint32_t             naudiences;
    unsigned             algs;          /* mask of torii_jwa_bit() */
    uint32_t             skew;          /* s */
} oauth2_trust_t;

/* What must be in it; an empty string or 0 is not looked at. */

typedef struct {
    torii_str_t          nonce;
    torii_str_t          sub;
    torii_str_t          access_token;  /* at_hash is held against it */
    int64_t              max_age;       /* s since the person logged in */
} oauth2_expect_t;

typedef struct {
    torii_jwa_e          alg;
    torii_str_t          kid;           /* or empty; also with TOKEN_KEY */
    const torii_node_t  *claims;
    torii_str_t          sub;
    torii_str_t          sid;
    torii_str_t          jti;
    int64_t              exp;
    int64_t              iat;
} oauth2_token_t;


/*
 * Each takes a token apart, verifies its signature and then its claims.
 * OAUTH2_TOKEN_KEY: its key is not in the set (keys may be NULL), so that a new
 * set may help; anything else but OAUTH2_OK is final.  Strings live in the
 * arena.
 */
oauth2_fail_e oauth2_token_id(torii_arena_t *a, const oauth2_trust_t *trust,
    const torii_jwks_t *keys, torii_str_t token,
    const oauth2_expect_t *expect, int64_t now, oauth2_token_t *out);
/* sub or sid may be empty, not both; the caller remembers jti until exp. */
oauth2_fail_e oauth2_token_logout(torii_arena_t *a,
    const oauth2_trust_t *trust, const torii_jwks_t *keys, torii_str_t token,
    int64_t now, oauth2_token_t *out);
/* Only for trust->audiences, never for the client's own id. */
oauth2_fail_e oauth2_token_bearer(torii_arena_t *a,
    const oauth2_trust_t *trust, const torii_jwks_t *keys, torii_str_t token,
    int64_t now, oauth2_token_t *out);

/*
 * "iss" as a token has it, which nobody has verified: it only tells whose keys
 * and rules the token is to be held against.
 */
oauth2_fail_e oauth2_token_issuer(torii_arena_t *a, unsigned algs,
    torii_str_t token, torii_str_t *issuer);

/* The claims alone, already taken apart and verified: for tests. */
oauth2_fail_e oauth2_token_claims(const oauth2_trust_t *trust,
    const torii_node_t *claims, int64_t now, oauth2_token_t *out);


typedef struct {
    torii_str_t          access_token;  /* secrets */
    torii_str_t          refresh_token; /* or empty */
    torii_str_t          id_token;      /* or empty */
    int64_t              expires_in;    /* s; 0: not said */
} oauth2_grant_t;

/*
 * OAUTH2_PROVIDER_DOWN: try later; OAUTH2_GRANT: code or refresh token is
 * spent; OAUTH2_CLIENT: the client's secret is not accepted.  An error may come
 * with status 200, as GitHub does it.
 */
oauth2_fail_e oauth2_token_answer(torii_arena_t *a,
    const oauth2_response_t *res, oauth2_grant_t *grant);


#endif /* _OAUTH2_TOKEN_H_INCLUDED_ */
