
/*
 * Redis on a worker's event loop: one connection to each server, commands in a
 * row, replies in the same order.
 */

#ifndef _NGX_TORII_REDIS_H_INCLUDED_
#define _NGX_TORII_REDIS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "oauth2_ticket.h"
#include "torii_resp.h"


#define NGX_TORII_REDIS_TIMEOUT  1000     /* ms that a reply may take */


typedef struct ngx_torii_redis_s     ngx_torii_redis_t;
typedef struct ngx_torii_redis_op_s  ngx_torii_redis_op_t;

/* Called once, from the event loop.  NULL: there is no answer. */
typedef void (*ngx_torii_redis_pt)(void *data, const torii_resp_t *reply);


/*
 * One for all that have the same URL and CA (PEM; empty: the machine's).  It is
 * connected when it is used.  NULL: the CA holds no certificate.
 */
ngx_torii_redis_t *ngx_torii_redis_get(torii_str_t url, torii_str_t ca);
/* Whatever is on its way is answered by NULL. */
void ngx_torii_redis_leave(ngx_torii_redis_t *redis);

/* One command, which is emptied.  handler may be NULL: nobody waits, but a
   failure is logged. */
ngx_torii_redis_op_t *ngx_torii_redis_send(ngx_torii_redis_t *redis,
    torii_buf_t *command, ngx_torii_redis_pt handler, void *data);
/* The handler is not called any more. */
void ngx_torii_redis_abandon(ngx_torii_redis_op_t *op);


#endif /* _NGX_TORII_REDIS_H_INCLUDED_ */
