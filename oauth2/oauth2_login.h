
/*
 * The browser's side of a login: sent to the provider with a state cookie, and
 * coming back with a code (RFC 6749 section 4.1, RFC 7636, RFC 9207).  PKCE by
 * S256, state and nonce always; all three come from one seed that only the
 * sealed cookie holds.
 */

#ifndef _OAUTH2_LOGIN_H_INCLUDED_
#define _OAUTH2_LOGIN_H_INCLUDED_


#include "oauth2_cookie.h"
#include "oauth2_provider.h"


#define OAUTH2_STATE_AGE   600         /* s */
#define OAUTH2_STATE_LEN   43          /* of state, nonce and verifier */
#define OAUTH2_REPLAY_ID   16


typedef struct {
    oauth2_ring_t             *ring;
    const oauth2_provider_t   *provider;
    const oauth2_cookie_t     *cookie;        /* of the session; its name and
                                                 attributes serve the state's */
    torii_str_t                host;          /* of the callback */
    torii_str_t                redirect_uri;
    unsigned                   form_post:1;   /* the answer comes as a POST from
                                                 another site */
} oauth2_login_t;


/*
 * Appends where to send the browser, and gives the cookies to add: the new
 * state's, and the clearing of those that are too old or too many.  rd has been
 * checked; line is the request's Cookie header.  select: let the person choose
 * another account.  TORII_ERROR: no random numbers, or rd is too long.
 */
int oauth2_login_start(const oauth2_login_t *login, torii_str_t rd,
    torii_str_t line, int select, int64_t now, torii_buf_t *location,
    oauth2_cookie_pt add, void *data);


typedef struct {
    torii_str_t     rd;
    torii_str_t     code;
    torii_str_t     error;             /* CALLBACK_ERROR: a registered word, or
                                          "other" */
    unsigned        known:1;           /* the state is this browser's: clear its
                                          cookie */
    char            nonce[OAUTH2_STATE_LEN + 1];
    char            verifier[OAUTH2_STATE_LEN + 1];   /* a secret */
    unsigned char   replay[OAUTH2_REPLAY_ID];   /* to be seen only once within
                                                   OAUTH2_STATE_AGE */
    char            state[9];          /* of the cookie's name */
} oauth2_callback_t;

/*
 * params: the query, or the body of a form_post.  OAUTH2_OK: exchange code.
 * The state is checked before anything else of the answer is believed or shown.
 * Strings live in the arena.
 */
oauth2_fail_e oauth2_login_callback(torii_arena_t *a,
    const oauth2_login_t *login, torii_str_t params, torii_str_t line,
    int64_t now, oauth2_callback_t *out);

/* Clears the state's cookie, whatever came of it. */
void oauth2_login_clear(const oauth2_login_t *login,
    const oauth2_callback_t *callback, oauth2_cookie_pt add, void *data);


#endif /* _OAUTH2_LOGIN_H_INCLUDED_ */
