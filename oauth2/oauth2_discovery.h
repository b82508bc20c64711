
/*
 * A provider's own description of itself (OpenID Connect Discovery 1.0, RFC
 * 8414), read and checked.
 */

#ifndef _OAUTH2_DISCOVERY_H_INCLUDED_
#define _OAUTH2_DISCOVERY_H_INCLUDED_


#include "oauth2_claim.h"


/* How the client shows who it is; bits. */
#define OAUTH2_AUTH_BASIC  0x1
#define OAUTH2_AUTH_POST   0x2
#define OAUTH2_AUTH_NONE   0x4         /* a public client: PKCE alone */


typedef struct {
    torii_str_t    authorization;
    torii_str_t    token;
    torii_str_t    jwks;
    torii_str_t    userinfo;           /* these three may be empty */
    torii_str_t    end_session;
    torii_str_t    revocation;
    unsigned       algs;               /* announced and allowed */
    unsigned       auth;               /* announced; of ours */
    unsigned       iss_parameter:1;    /* RFC 9207: callbacks have "iss" */
} oauth2_endpoints_t;


/*
 * "https://…", a host, no user, no fragment.  loopback: also http to an address
 * of this machine (127.0.0.0/8, [::1]), for tests.
 */
int oauth2_endpoint_ok(torii_str_t url, int loopback);

/* NULL or why it cannot be an issuer (no query, no fragment). */
const char *oauth2_issuer_check(torii_str_t issuer, int loopback);

/* Where the document lies. */
void oauth2_discovery_url(torii_str_t issuer, torii_buf_t *url);

/*
 * algs: mask of what is allowed.  TORII_ERROR: *error says what is wrong, and
 * nothing of the document is to be used.  Strings live in the arena.
 */
int oauth2_discovery_read(torii_arena_t *a, torii_str_t body,
    torii_str_t issuer, unsigned algs, int loopback,
    oauth2_endpoints_t *endpoints, const char **error);


#endif /* _OAUTH2_DISCOVERY_H_INCLUDED_ */
