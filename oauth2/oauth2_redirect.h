
/*
 * Where a browser may be sent after a login or a logout: what "rd",
 * X-Auth-Request-Redirect and the like ask for, held against open redirects.
 */

#ifndef _OAUTH2_REDIRECT_H_INCLUDED_
#define _OAUTH2_REDIRECT_H_INCLUDED_


#include "oauth2.h"


typedef struct {
    torii_str_t         host;       /* of this request, lower case, no port */
    uint16_t            port;       /* 0: the default one */
    torii_str_t         prefix;     /* of the login's own paths: "/oauth2" */
    const torii_str_t  *allowed;    /* "app.example", ".example" (and its
                                       sub-domains), "a.example:8443", ":*" for
                                       any port; lower case */
    uint32_t            nallowed;
    unsigned            http:1;     /* the cookie is not Secure */
} oauth2_redirect_t;


/*
 * rd has been form-decoded exactly once.  TORII_OK: to gets the URL written
 * anew from the parts that were understood, a path or an absolute URL.
 * TORII_ERROR: go to "/" instead; to is as it was.
 */
int oauth2_redirect_check(const oauth2_redirect_t *conf, torii_str_t rd,
    torii_buf_t *to);

/* The same, but PREFIX/sign_in is allowed: for the logout. */
int oauth2_redirect_logout(const oauth2_redirect_t *conf, torii_str_t rd,
    torii_buf_t *to);


#endif /* _OAUTH2_REDIRECT_H_INCLUDED_ */
