
/*
 * A refresh under way, and what it does if the session lies in Redis: other
 * replicas may have the same in mind.
 */

#ifndef _NGX_TORII_LOGIN_FLY_H_INCLUDED_
#define _NGX_TORII_LOGIN_FLY_H_INCLUDED_


#include "ngx_http_torii_login.h"


typedef struct {
    ngx_http_torii_provider_t  *provider;
    uint8_t                     id[16];
    uint32_t                    owner;
    torii_arena_t              *arena;
    oauth2_bind_t               bind;
    torii_buf_t                 plain;     /* of the session, a secret */
    oauth2_session_t            session;

    /* of a session in Redis */
    oauth2_ticket_t             ticket;
    uint64_t                    until;     /* ms since 1970: no longer */
    ngx_event_t                 later;
    ngx_connection_t            dummy;     /* what later points to */
    unsigned                    held:1;    /* the provider is */
    unsigned                    locked:1;  /* it is ours to refresh */
    unsigned                    down:1;
} ngx_torii_login_flying_t;


/* ngx_torii_login_refresh.c */

/* Asks the provider. */
ngx_int_t ngx_torii_login_fly_ask(ngx_torii_login_flying_t *f);
/* The end: sealed for all who wait, or why not. */
void ngx_torii_login_flown_to(ngx_torii_login_flying_t *f, torii_str_t sealed,
    oauth2_fail_e fail);
void ngx_torii_login_landed(ngx_torii_login_flying_t *f);

/* ngx_torii_login_fly.c */

/* Asks the provider if no other replica does, and has not done so. */
ngx_int_t ngx_torii_login_fly_stored(ngx_http_request_t *r,
    ngx_torii_login_flying_t *f);
/* The new session is stored, and that is the end. */
ngx_int_t ngx_torii_login_fly_keep(ngx_torii_login_flying_t *f,
    const oauth2_session_t *s);
/* Its refresh token was refused, which replicas need not find out, too. */
void ngx_torii_login_fly_spent(ngx_torii_login_flying_t *f);
void ngx_torii_login_fly_left(ngx_torii_login_flying_t *f);


#endif /* _NGX_TORII_LOGIN_FLY_H_INCLUDED_ */
