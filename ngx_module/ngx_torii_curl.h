
/*
 * HTTP requests by libcurl on nginx's event loop, in the helper or a worker:
 * nothing blocks, connections are kept and, where the server offers HTTP/2,
 * shared.
 */

#ifndef _NGX_TORII_CURL_H_INCLUDED_
#define _NGX_TORII_CURL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


typedef struct ngx_torii_curl_s           ngx_torii_curl_t;
typedef struct ngx_torii_curl_transfer_s  ngx_torii_curl_transfer_t;


/*
 * Whom to trust and who we are; one for all requests to one server.  It may
 * neither change nor go before it is given back by ngx_torii_curl_forget().
 */

typedef struct {
    X509_STORE             *store;      /* NULL: the machine's own */
    X509                   *cert;       /* of the client, or NULL */
    STACK_OF(X509)         *chain;
    EVP_PKEY               *key;
    ngx_uint_t              insecure;   /* no verification at all */
} ngx_torii_curl_tls_t;


/*
 * Called outside libcurl's own calls.  head and body may answer NGX_ERROR to
 * abort the transfer: done is not called then.  After done the transfer is
 * gone.  Without an answer done comes alone, with an error.
 */

typedef struct {
    ngx_int_t             (*head)(void *data, ngx_uint_t status,
                                  ngx_str_t *content_type,
                                  ngx_uint_t retry_after);
    ngx_int_t             (*body)(void *data, u_char *p, size_t len);
    void                  (*done)(void *data, const char *error);
    void                   *data;
} ngx_torii_curl_handlers_t;


typedef struct {
    char                   *method;
    char                   *url;
    char                  **headers;    /* "Name: value", NULL at the end */
    ngx_str_t               body;
    ngx_msec_t              timeout;    /* of the whole, 0: none */
    ngx_msec_t              connect_timeout;
    ngx_msec_t              idle;       /* without a byte, 0: none */
    ngx_torii_curl_tls_t   *tls;        /* NULL: defaults */
    char                   *tls_name;   /* to verify instead of the URL's, or
                                           NULL */
    char                   *login;      /* "user:password", Basic; or NULL */
    char                   *sign;       /* "aws:amz:REGION:SERVICE": SigV4, by
                                           login "key:secret"; or NULL */
    unsigned                foreign:1;  /* not to an address of this machine or
                                           its link */
} ngx_torii_curl_request_t;


/* Of one process, made after fork; freed with the pool. */
ngx_torii_curl_t *ngx_torii_curl_create(ngx_pool_t *pool, ngx_log_t *log);

/* Strings of the request are copied.  NULL: out of memory (logged). */
ngx_torii_curl_transfer_t *ngx_torii_curl_start(ngx_torii_curl_t *curl,
    const ngx_torii_curl_request_t *req,
    const ngx_torii_curl_handlers_t *handlers);

/*
 * The nth field of the answer's head with that name, from 0, inside of the head
 * handler: NGX_DECLINED if there is none.  value lives as long as the transfer.
 */
ngx_int_t ngx_torii_curl_field(ngx_torii_curl_transfer_t *t, char *name,
    ngx_uint_t n, ngx_str_t *value);

/* No transfer uses tls, and none will: its connections are closed.  Not from
   inside a handler. */
void ngx_torii_curl_forget(ngx_torii_curl_t *curl,
    const ngx_torii_curl_tls_t *tls);

/*
 * The same request, blocking, for the last words of a process that exits; the
 * answer is not looked at.  timeout must be set.
 */
ngx_int_t ngx_torii_curl_farewell(ngx_torii_curl_t *curl,
    const ngx_torii_curl_request_t *req);


#endif /* _NGX_TORII_CURL_H_INCLUDED_ */
