
/*
 * Login at the edge (OAuth 2.0, OpenID Connect): what the files of this room
 * share.  sans-IO: handed `now` (seconds since 1970), bytes and memory, they
 * answer with what to send, to set, or why to refuse.
 */

#ifndef _OAUTH2_H_INCLUDED_
#define _OAUTH2_H_INCLUDED_


#include "torii_jwk.h"


#define OAUTH2_BODY_MAX    (256 * 1024)    /* of a provider's answer */
#define OAUTH2_URL_MAX     2048
#define OAUTH2_CLAIM_MAX   255             /* bytes of a subject, an e-mail … */
#define OAUTH2_GROUPS_MAX  256             /* in a session */
#define OAUTH2_SKEW        60              /* s, of clocks; at most 300 */


/*
 * Why not.  Each has a stable word for logs and metrics, and a sentence for the
 * person who looks at the page; neither says what was sent.
 */

typedef enum {
    OAUTH2_OK = 0,

    /* a token: its form and its signature */
    OAUTH2_TOKEN_SIZE,
    OAUTH2_TOKEN_FORM,
    OAUTH2_TOKEN_ALG,
    OAUTH2_TOKEN_CRIT,
    OAUTH2_TOKEN_KEY,          /* unknown kid: fetch the keys anew */
    OAUTH2_TOKEN_SIGNATURE,

    /* a token: what it says */
    OAUTH2_CLAIM_TYP,
    OAUTH2_CLAIM_FORM,
    OAUTH2_CLAIM_ISS,
    OAUTH2_CLAIM_AUD,
    OAUTH2_CLAIM_AZP,
    OAUTH2_CLAIM_EXP,
    OAUTH2_CLAIM_NBF,
    OAUTH2_CLAIM_IAT,
    OAUTH2_CLAIM_SUB,
    OAUTH2_CLAIM_NONCE,
    OAUTH2_CLAIM_AT_HASH,
    OAUTH2_CLAIM_AUTH_TIME,
    OAUTH2_CLAIM_EVENTS,
    OAUTH2_CLAIM_JTI,

    /* a callback */
    OAUTH2_PARAMETER,          /* one is there twice, or malformed */
    OAUTH2_STATE,              /* none of ours, or not this browser's */
    OAUTH2_STATE_EXPIRED,
    OAUTH2_CALLBACK_ISS,       /* answered by another provider */
    OAUTH2_CALLBACK_ERROR,     /* the provider refused */
    OAUTH2_CALLBACK_CODE,      /* neither a code nor an error */

    /* the provider's answers */
    OAUTH2_PROVIDER_DOWN,      /* no answer, 5xx, 429: later */
    OAUTH2_PROVIDER_ANSWER,    /* one that makes no sense */
    OAUTH2_GRANT,              /* invalid_grant */
    OAUTH2_CLIENT,             /* invalid_client: the operator's matter */
    OAUTH2_USERINFO_SUB,

    /* who it is */
    OAUTH2_EMAIL_MISSING,
    OAUTH2_EMAIL_UNVERIFIED,
    OAUTH2_DENIED_EMAIL,
    OAUTH2_DENIED_GROUP,
    OAUTH2_DENIED_MEMBER,      /* hosted domain, organisation, project … */

    /* a session */
    OAUTH2_SESSION_NONE,
    OAUTH2_SESSION_FORM,
    OAUTH2_SESSION_KEY,        /* sealed by a key that is gone */
    OAUTH2_SESSION_TAG,        /* tampered with, truncated, for another host */
    OAUTH2_SESSION_TWICE,
    OAUTH2_SESSION_EXPIRED,
    OAUTH2_SESSION_SIZE,       /* too large for the cookies of one host */
    OAUTH2_SESSION_LOOP,       /* one was made again and again, in vain */

    OAUTH2_FAIL_MAX
} oauth2_fail_e;

/* "claim_nonce", "state_expired" … */
const char *oauth2_fail_name(oauth2_fail_e fail);
const char *oauth2_fail_text(oauth2_fail_e fail);


/* What to send to a provider.  Strings live as long as whoever gave it out. */

typedef struct {
    const char   *method;          /* "GET", "POST" */
    torii_str_t   url;
    torii_str_t   authorization;   /* header's value, a secret; or empty */
    const char   *accept;
    const char   *content_type;    /* NULL: no body */
    torii_str_t   body;            /* a secret */
} oauth2_request_t;

/* What came back; redirects are not followed. */

typedef struct {
    uint32_t      status;          /* 0: no answer */
    torii_str_t   content_type;
    torii_str_t   body;            /* at most OAUTH2_BODY_MAX */
} oauth2_response_t;


#endif /* _OAUTH2_H_INCLUDED_ */
