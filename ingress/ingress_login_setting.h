
/*
 * What an Ingress, or the ConfigMap, says of who may enter: the record of the
 * table as far as it does not depend on other objects, and their names.
 */

#ifndef _INGRESS_LOGIN_SETTING_H_INCLUDED_
#define _INGRESS_LOGIN_SETTING_H_INCLUDED_


#include "ingress_login.h"


/* Whether an auth-url may be answered by ourselves. */

#define INGRESS_LOGIN_FOREIGN      0   /* another server's */
#define INGRESS_LOGIN_OWN          1   /* ".../oauth2/auth" of the request's own
                                          host */
#define INGRESS_LOGIN_HOST         2   /* of another host, if it is ours */
#define INGRESS_LOGIN_SERVICE      3   /* of a port that is not ours: only if a
                                          provider is named */

/* Kinds of "asked" */

#define INGRESS_LOGIN_BY_URL       0x01    /* auth-url */
#define INGRESS_LOGIN_BY_NAME      0x02    /* torii/oauth2 */
#define INGRESS_LOGIN_BY_CONFIG    0x04    /* global-auth-url */

#define INGRESS_LOGIN_LISTS                                                   \
    (INGRESS_LOGIN_EMAILS | INGRESS_LOGIN_DOMAINS | INGRESS_LOGIN_GROUPS)

/* What was given; it has a meaning with a login of some kind only. */

#define INGRESS_LOGIN_LIMITS       0x01    /* torii/oauth2-…, which narrow */
#define INGRESS_LOGIN_OPENS        0x02    /* torii/oauth2-…, which widen */
#define INGRESS_LOGIN_PART         0x04    /* auth-signin and such */
#define INGRESS_LOGIN_DETAIL       0x08    /* auth-method and such */


typedef struct {
    ingress_table_login_t   record;

    /* objects, "namespace/name" split; len 0: none */
    ingress_ref_t           provider_namespace;
    ingress_ref_t           provider;          /* torii/oauth2 */
    ingress_ref_t           headers_namespace;
    ingress_ref_t           headers;           /* auth-proxy-set-headers */

    ingress_ref_t           host;              /* of the auth-url, lower case;
                                                  empty if it is a variable */
    ingress_ref_t           query;             /* what is wrong with the query,
                                                  if it is ours to answer */

    /* lists of the query */
    ingress_ref_t           emails;
    ingress_ref_t           domains;
    ingress_ref_t           groups;

    uint32_t                query_flags;       /* INGRESS_LOGIN_EMAILS … */
    uint8_t                 own;               /* INGRESS_LOGIN_FOREIGN … */
    uint8_t                 asked;             /* INGRESS_LOGIN_BY_… */
    uint8_t                 given;
    uint8_t                 any_host;          /* a variable is its host */
} ingress_login_setting_t;


typedef ingress_ref_t (*ingress_login_add_pt)(void *to, const void *data,
    size_t len);

/* Copy all that the refs name by add(), and point there. */
void ingress_login_move(ingress_login_setting_t *login,
    const unsigned char *from, ingress_login_add_pt add, void *to);
/* An add() of a torii_buf_t. */
ingress_ref_t ingress_login_to_pool(void *to, const void *data, size_t len);

/*
 * The next piece of a template: text, or the name of a variable with an empty
 * text; both are empty after a "$" that begins no name.  0: there is none.
 */
int ingress_template_next(torii_str_t *rest, torii_str_t *name,
    torii_str_t *text);


#endif /* _INGRESS_LOGIN_SETTING_H_INCLUDED_ */
