
/*
 * An exchange from the inside.
 */

#ifndef _OAUTH2_EXCHANGE_MACHINE_H_INCLUDED_
#define _OAUTH2_EXCHANGE_MACHINE_H_INCLUDED_


#include "oauth2_exchange.h"


typedef enum {
    OAUTH2_ASK_TOKEN = 0,
    OAUTH2_ASK_USERINFO,
    OAUTH2_ASK_LOOKUP
} oauth2_ask_e;

struct oauth2_exchange_s {
    torii_arena_t            *arena;
    const oauth2_provider_t  *provider;
    const torii_jwks_t       *keys;
    const oauth2_session_t   *old;         /* that is refreshed, or NULL */

    oauth2_exchange_e         step;
    oauth2_ask_e              state;
    oauth2_fail_e             fail;
    unsigned                  asked_keys:1;

    uint32_t                  secret;      /* which of the client's */
    uint32_t                  lookup;      /* which of the type's */
    uint32_t                  page;

    torii_buf_t               form;        /* without the client's secret */
    torii_buf_t               body;
    torii_buf_t               url;
    torii_str_t               bearer;
    torii_str_t               signed_info;
    torii_str_t               kid;

    oauth2_request_t          request;
    oauth2_expect_t           expect;
    oauth2_grant_t            grant;
    oauth2_identity_t         id;
};


#endif /* _OAUTH2_EXCHANGE_MACHINE_H_INCLUDED_ */
