
/*
 * From a code, or from a refresh token, to a session: the token endpoint, the
 * ID token, userinfo and what else a provider has to be asked.  One request at
 * a time comes out, its answer goes in.
 */

#ifndef _OAUTH2_EXCHANGE_H_INCLUDED_
#define _OAUTH2_EXCHANGE_H_INCLUDED_


#include "oauth2_provider.h"


typedef struct oauth2_exchange_s  oauth2_exchange_t;

typedef enum {
    OAUTH2_EXCHANGE_SEND = 0,  /* oauth2_exchange_request(), then _answer() */
    OAUTH2_EXCHANGE_KEYS,      /* a key is unknown: fetch the set anew, if that
                                  is allowed now, then _keys() */
    OAUTH2_EXCHANGE_DONE,      /* oauth2_exchange_session() */
    OAUTH2_EXCHANGE_FAILED     /* oauth2_exchange_fail() */
} oauth2_exchange_e;


/*
 * The provider, and the set of keys until the next call, are referred to; other
 * strings are copied.  keys may be NULL: not known yet.
 */
oauth2_exchange_t *oauth2_exchange_create(const oauth2_provider_t *p,
    const torii_jwks_t *keys);
/* Wipes what it holds of tokens and secrets. */
void oauth2_exchange_free(oauth2_exchange_t *x);

/* RFC 6749 section 4.1.3, RFC 7636 section 4.5. */
oauth2_exchange_e oauth2_exchange_code(oauth2_exchange_t *x, torii_str_t code,
    torii_str_t redirect_uri, torii_str_t verifier, torii_str_t nonce);
/*
 * RFC 6749 section 6, Core 12.  The session is what the refreshed one is made
 * of: it must not change until the end.
 */
oauth2_exchange_e oauth2_exchange_refresh(oauth2_exchange_t *x,
    const oauth2_session_t *session);

/* The set that counts from now on: before each _answer(), as it may have been
   replaced while the provider was asked. */
void oauth2_exchange_use(oauth2_exchange_t *x, const torii_jwks_t *keys);

const oauth2_request_t *oauth2_exchange_request(const oauth2_exchange_t *x);
oauth2_exchange_e oauth2_exchange_answer(oauth2_exchange_t *x, int64_t now,
    const oauth2_response_t *res);
/* With KEYS: whose key it is, for oauth2_keys_missing(); may be empty. */
torii_str_t oauth2_exchange_kid(const oauth2_exchange_t *x);
/* The same set again says that there is no newer one. */
oauth2_exchange_e oauth2_exchange_keys(oauth2_exchange_t *x, int64_t now,
    const torii_jwks_t *keys);
oauth2_fail_e oauth2_exchange_fail(const oauth2_exchange_t *x);


/* What of the tokens a session shall hold. */
#define OAUTH2_KEEP_REFRESH  0x1
#define OAUTH2_KEEP_ACCESS   0x2
#define OAUTH2_KEEP_ID       0x4

/*
 * The session of a login that is DONE; strings live as long as x, and as the
 * session that was refreshed.  OAUTH2_SESSION_SIZE: more groups or claims are
 * wanted than a session can hold.
 */
oauth2_fail_e oauth2_exchange_session(const oauth2_exchange_t *x, int64_t now,
    const oauth2_lifetime_t *life, const oauth2_projection_t *projection,
    unsigned keep, oauth2_session_t *s);


/* How the client shows who it is, in header or form (RFC 6749 2.3.1). */
void oauth2_client_show(torii_arena_t *a, const oauth2_provider_t *p,
    uint32_t secret, torii_buf_t *form, torii_str_t *authorization);


#endif /* _OAUTH2_EXCHANGE_H_INCLUDED_ */
