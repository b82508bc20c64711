
/*
 * Sessions that lie in Redis, and what replicas of Torii know of each other by
 * it.  Only for providers with session-store-type "redis".
 */

#ifndef _NGX_HTTP_TORII_TICKET_H_INCLUDED_
#define _NGX_HTTP_TORII_TICKET_H_INCLUDED_


#include "ngx_http_torii_login.h"
#include "ngx_torii_redis.h"


#define NGX_HTTP_TORII_TICKET_KEPT  15     /* s that a worker does not ask for
                                              a session again */


/* ok: 1, it is done; 0: Redis is out of reach. */
typedef void (*ngx_http_torii_ticket_pt)(void *data, ngx_uint_t ok);


/* ngx_http_torii_ticket.c: the session of a request */

/*
 * Sees to it that ngx_http_torii_session() can tell.  NGX_OK: it can;
 * NGX_AGAIN: handler is called when; NGX_ERROR: Redis is out of reach.  The
 * handler is not called after the end of the request.
 */
ngx_int_t ngx_http_torii_ticket(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, ngx_http_torii_ticket_pt handler,
    void *data);
/* Asks for it anew; NGX_DECLINED: it did already, or there is none. */
ngx_int_t ngx_http_torii_ticket_again(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, ngx_http_torii_ticket_pt handler,
    void *data);
/* The same in the background, while the last answer holds. */
void ngx_http_torii_ticket_look(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p);
/* That of ngx_http_torii_session(). */
oauth2_fail_e ngx_http_torii_ticket_session(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, oauth2_session_t *room,
    const oauth2_session_t **session);
/* NULL: the request has none that was good. */
const oauth2_ticket_t *ngx_http_torii_ticket_of(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p);
/* At the end of the session. */
void ngx_http_torii_ticket_delete(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p);


/* ngx_http_torii_ticket_store.c: what is written */

/*
 * A new ticket, never one that the browser came with; *value is that of its
 * cookie, appended.  NULL: it cannot be stored.
 */
ngx_torii_redis_op_t *ngx_http_torii_ticket_create(
    ngx_http_torii_provider_t *p, const oauth2_bind_t *bind,
    const oauth2_session_t *s, torii_buf_t *value, ngx_torii_redis_pt handler,
    void *data);
/* Over that of the ticket, if it is still there. */
ngx_torii_redis_op_t *ngx_http_torii_ticket_replace(
    ngx_http_torii_provider_t *p, const oauth2_bind_t *bind,
    const oauth2_ticket_t *t, const oauth2_session_t *s,
    ngx_torii_redis_pt handler, void *data);
/* Its idle time begins anew.  The session is not written: another replica may
   have refreshed it since it was read. */
void ngx_http_torii_ticket_extend(ngx_http_torii_provider_t *p,
    const oauth2_ticket_t *t, const oauth2_session_t *s);
void ngx_http_torii_ticket_drop(ngx_http_torii_provider_t *p,
    const oauth2_ticket_t *t);
/* The session, and when each of its marks was revoked, or nil. */
ngx_torii_redis_op_t *ngx_http_torii_ticket_get(ngx_http_torii_provider_t *p,
    const oauth2_ticket_t *t, ngx_torii_redis_pt handler, void *data);
/* What may revoke a session. */
void ngx_http_torii_ticket_marks(ngx_http_torii_provider_t *p,
    const oauth2_session_t *s, u_char marks[OAUTH2_TICKET_MARKS][16]);
/* Told to all replicas; nothing without Redis. */
void ngx_http_torii_ticket_revoke(ngx_http_torii_provider_t *p,
    const u_char id[16], time_t until);

/*
 * Something that one of all may do.  The reply is a status for the first, else
 * nil.
 */
ngx_torii_redis_op_t *ngx_http_torii_ticket_once(ngx_http_torii_provider_t *p,
    const char *what, const u_char id[16], ngx_msec_t time,
    ngx_torii_redis_pt handler, void *data);
void ngx_http_torii_ticket_release(ngx_http_torii_provider_t *p,
    const char *what, const u_char id[16]);


#endif /* _NGX_HTTP_TORII_TICKET_H_INCLUDED_ */
