
/*
 * What the files of TLS towards clients share: pairs of certificate and key,
 * parsed, and the handshake of tls-alpn-01.
 */

#ifndef _NGX_HTTP_TORII_SSL_H_INCLUDED_
#define _NGX_HTTP_TORII_SSL_H_INCLUDED_


#include "ngx_http_torii.h"


typedef struct ngx_http_torii_pair_s  ngx_http_torii_pair_t;

struct ngx_http_torii_pair_s {
    ngx_queue_t             queue;      /* most recently used first */
    ngx_http_torii_pair_t  *next;       /* in its bucket */
    u_char                  id[32];
    X509                   *leaf;
    STACK_OF(X509)         *chain;      /* without the leaf, or NULL */
    EVP_PKEY               *key;
};


/* ngx_http_torii_pair.c */

/* Configuration: makes the self-signed pair. */
ngx_int_t ngx_http_torii_pairs_init(ngx_conf_t *cf);
/* The cache is of a process: of max pairs, about 7 KB each. */
void ngx_http_torii_pairs_init_process(ngx_uint_t max);
/* A certificate of the table, valid until the next call; NULL: logged. */
ngx_http_torii_pair_t *ngx_http_torii_pair_get(ngx_torii_table_t *table,
    uint32_t cert, ngx_log_t *log);
ngx_http_torii_pair_t *ngx_http_torii_pair_fake(void);
/* The same of bytes, outside of the cache and the caller's own. */
ngx_http_torii_pair_t *ngx_http_torii_pair_parse(torii_str_t chain,
    torii_str_t key, ngx_log_t *log);
void ngx_http_torii_pair_free(ngx_http_torii_pair_t *pair);

/* ngx_http_torii_alpn.c */

/* Configuration: makes the context that challenges are answered in. */
ngx_int_t ngx_http_torii_alpn_init(ngx_conf_t *cf);
/*
 * In the ClientHello callback, before all that may refuse a client.  NGX_OK:
 * the handshake is a validator's, and will be answered; NGX_ERROR: it is to
 * end with the alert *al; NGX_DECLINED: it is none of a validator.
 */
ngx_int_t ngx_http_torii_alpn_hello(ngx_ssl_conn_t *ssl,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_str_t sni, int *al);


#endif /* _NGX_HTTP_TORII_SSL_H_INCLUDED_ */
