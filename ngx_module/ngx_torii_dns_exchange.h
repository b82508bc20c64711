
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

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "dnssync.h"


/*
 * take: NGX_OK, that was the answer; NGX_AGAIN, it was not, wait for another;
 * NGX_DECLINED, it is truncated.  done is called once, as the last thing, with
 * an error instead of an answer; another exchange may be started then.  A
 * stream is by TCP, and has time as long as messages come.  With tls it is DNS
 * over TLS, by TCP at once.
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
    ngx_msec_t            timeout;       /* of TCP; 0: 10 s */
    SSL_CTX              *tls;           /* or NULL */
    char                 *host;          /* its name there; NULL: its address */
    SSL                  *ssl;
    ngx_err_t             err;           /* of a socket that was not made */
    unsigned              stream:1;      /* many messages to be taken */
    unsigned              tcp:1;
    unsigned              connected:1;
    unsigned              writes:1;      /* TLS waits until it can write */
    unsigned              silent:1;      /* UDP came to nothing */
    char                  error[256];
} ngx_torii_dns_exchange_t;


/* take, done, data and log are set, the rest is zeroed; it may not move.
   timeout, stream, tls and host may be set before each start. */
void ngx_torii_dns_exchange_init(ngx_torii_dns_exchange_t *e);
/* The message is copied.  Nothing is called from inside. */
void ngx_torii_dns_exchange_start(ngx_torii_dns_exchange_t *e,
    const struct sockaddr *sockaddr, socklen_t socklen,
    const torii_buf_t *message, ngx_uint_t tcp);
/* Without done; and gives its memory back. */
void ngx_torii_dns_exchange_stop(ngx_torii_dns_exchange_t *e);


/* ngx_torii_dns_tls.c */

/* store: whom to trust; referred to.  NULL: OpenSSL cannot. */
SSL_CTX *ngx_torii_dns_tls_context(X509_STORE *store);
ngx_int_t ngx_torii_dns_tls_open(ngx_torii_dns_exchange_t *e);
void ngx_torii_dns_tls_close(ngx_torii_dns_exchange_t *e);
/* Bytes; 0: the end; NGX_AGAIN: see e->writes; NGX_ERROR: e->error tells. */
ssize_t ngx_torii_dns_tls_send(ngx_torii_dns_exchange_t *e, u_char *p,
    size_t len);
ssize_t ngx_torii_dns_tls_recv(ngx_torii_dns_exchange_t *e, u_char *p,
    size_t len);


#endif /* _NGX_TORII_DNS_EXCHANGE_H_INCLUDED_ */
