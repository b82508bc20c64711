
/*
 * Logout: by the person (RP-Initiated Logout 1.0, RFC 7009), and by the
 * provider (Back-Channel Logout 1.0).
 */

#ifndef _OAUTH2_LOGOUT_H_INCLUDED_
#define _OAUTH2_LOGOUT_H_INCLUDED_


#include "oauth2_exchange.h"


typedef enum {
    OAUTH2_LOGOUT_DO = 0,
    OAUTH2_LOGOUT_ASK,         /* a page with a button: another site may have
                                  led here */
    OAUTH2_LOGOUT_REFUSE       /* a form of another site */
} oauth2_logout_e;

/* Values of headers; empty: not there. */

typedef struct {
    torii_str_t    method;
    torii_str_t    origin;
    torii_str_t    referer;
    torii_str_t    fetch_site;         /* Sec-Fetch-Site */
    torii_str_t    self;               /* "https://host[:port]", ours */
} oauth2_leaver_t;

oauth2_logout_e oauth2_logout_check(const oauth2_leaver_t *leaver);


/*
 * Where to send the browser so that the provider ends its session, too.  hint
 * (an ID token) and back may be empty.  TORII_DECLINED: it has no such place.
 */
int oauth2_logout_url(const oauth2_provider_t *p, torii_str_t hint,
    torii_str_t back, torii_buf_t *url);

/*
 * Takes a refresh token back (RFC 7009); its answer does not matter.  body, the
 * caller's, is a secret and holds what req refers to.  TORII_DECLINED: there is
 * nowhere to send it, or no token.
 */
int oauth2_logout_revoke(torii_arena_t *a, const oauth2_provider_t *p,
    torii_str_t token, torii_buf_t *body, oauth2_request_t *req);

/*
 * The body of a POST to the back-channel URI.  OAUTH2_OK: sessions of token's
 * sid, or of its sub if that is empty, end now; its jti was not to be seen
 * before.  All else is to be answered by 400.
 */
oauth2_fail_e oauth2_logout_backchannel(torii_arena_t *a,
    const oauth2_provider_t *p, const torii_jwks_t *keys, torii_str_t body,
    int64_t now, oauth2_token_t *token);


#endif /* _OAUTH2_LOGOUT_H_INCLUDED_ */
