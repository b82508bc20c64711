
/*
 * Within ngx_torii_curl*.c: transfers, the connections that they wait on, and
 * what libcurl is told of a request.
 */

#ifndef _NGX_TORII_CURL_MULTI_H_INCLUDED_
#define _NGX_TORII_CURL_MULTI_H_INCLUDED_


#include "ngx_torii_curl.h"

#include <curl/curl.h>

#include "torii.h"


typedef struct {
    ngx_queue_t                  queue;      /* in curl->multis */
    ngx_torii_curl_t            *curl;
    const ngx_torii_curl_tls_t  *tls;        /* NULL: defaults */
    CURLM                       *multi;
    ngx_queue_t                  transfers;
    ngx_queue_t                  ready;      /* to hear of what came */
    ngx_queue_t                  sockets;
    ngx_event_t                  timer;
    ngx_connection_t             dummy;      /* what timer.data points to */
} ngx_torii_curl_multi_t;


/* A connection of libcurl's, as long as a transfer waits on it. */

typedef struct {
    ngx_queue_t                  queue;      /* in multi->sockets */
    ngx_torii_curl_multi_t      *multi;
    ngx_connection_t            *connection;
    long                         port;       /* our end's */
    ngx_msec_t                   last;       /* when a byte came, of any of its
                                                transfers */
} ngx_torii_curl_socket_t;


struct ngx_torii_curl_s {
    ngx_queue_t                  multis;
    X509_STORE                  *store;      /* the machine's own */
    ngx_log_t                   *log;
};


struct ngx_torii_curl_transfer_s {
    ngx_queue_t                  queue;      /* in multi->transfers */
    ngx_queue_t                  ready;
    ngx_torii_curl_multi_t      *multi;
    CURL                        *easy;
    struct curl_slist           *headers;
    struct curl_slist           *connect_to;
    ngx_torii_curl_handlers_t    handlers;

    ngx_msec_t                   idle;
    ngx_msec_t                   last;       /* when a byte came */
    ngx_event_t                  timer;      /* of idle */
    ngx_connection_t             dummy;

    torii_buf_t                  in;         /* came, and was not told yet */
    CURLcode                     code;
    unsigned                     queued:1;   /* in multi->ready */
    unsigned                     head:1;     /* came whole */
    unsigned                     told:1;
    unsigned                     finished:1;
    char                         error[CURL_ERROR_SIZE];
};


/* ngx_torii_curl_multi.c */

/* The one of that identity, made if there is none; NULL: out of memory. */
ngx_torii_curl_multi_t *ngx_torii_curl_multi(ngx_torii_curl_t *curl,
    const ngx_torii_curl_tls_t *tls);

/* A byte came. */
void ngx_torii_curl_heard(ngx_torii_curl_transfer_t *t);

/*
 * The connection of a transfer that waits in vain is dead if no other one that
 * shares it heard anything for so long: libcurl would go on to use it.
 */
void ngx_torii_curl_sever(ngx_torii_curl_transfer_t *t, ngx_msec_t silent);

/* ngx_torii_curl_options.c */

ngx_int_t ngx_torii_curl_options(ngx_torii_curl_transfer_t *t,
    const ngx_torii_curl_request_t *req);

/* ngx_torii_curl.c */

/* Outside of libcurl's calls: handlers hear of what came. */
void ngx_torii_curl_settle(ngx_torii_curl_multi_t *m);
void ngx_torii_curl_free(ngx_torii_curl_transfer_t *t);


#endif /* _NGX_TORII_CURL_MULTI_H_INCLUDED_ */
