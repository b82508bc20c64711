
/*
 * One DNS message to one server, and its answer: by UDP, sent again after 1
 * and 3 seconds, then by TCP; by TCP at once if that is wanted, if the message
 * is long or the answer truncated.
 */

#ifndef _NGX_TORII_DNS_EXCHANGE_H_INCLUDED_
#define _NGX_TORII_DNS_EXCHANGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "dnssync.h"


/*
 * take: NGX_OK, that was the answer; NGX_AGAIN, it was not, wait for another;
 * NGX_DECLINED, it is truncated.  done is called once, as the last thing, with
 * an error instead of an answer; another exchange may be started then.
 */

typedef struct {
    ngx_int_t           (*take)(void *data, torii_str_t answer);
    void                (*done)(void *data, const char *error);
    void                 *data;
    ngx_log_t            *log;

    ngx_sockaddr_t        sockaddr;
    socklen_t             socklen;
    ngx_connection_t     *connection;    /* NULL: no exchange */
    ngx_event_t           timer;
    ngx_connection_t      dummy;         /* what timer.data points to */

    torii_buf_t           request;       /* its length in front, as for TCP */
    size_t                sent;
    torii_buf_t           in;
    ngx_uint_t            tries;
    ngx_err_t             err;           /* of a socket that was not made */
    unsigned              tcp:1;
    unsigned              connected:1;
    unsigned              silent:1;      /* UDP came to nothing */
    char                  error[256];
} ngx_torii_dns_exchange_t;


/* take, done, data and log are set, the rest is zeroed; it may not move. */
void ngx_torii_dns_exchange_init(ngx_torii_dns_exchange_t *e);
/* The message is copied.  Nothing is called from inside. */
void ngx_torii_dns_exchange_start(ngx_torii_dns_exchange_t *e,
    const struct sockaddr *sockaddr, socklen_t socklen,
    const torii_buf_t *message, ngx_uint_t tcp);
/* Without done; and gives its memory back. */
void ngx_torii_dns_exchange_stop(ngx_torii_dns_exchange_t *e);


#endif /* _NGX_TORII_DNS_EXCHANGE_H_INCLUDED_ */
