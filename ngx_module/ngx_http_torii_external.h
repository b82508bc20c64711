
/*
 * What the files of external logins share.
 */

#ifndef _NGX_HTTP_TORII_EXTERNAL_H_INCLUDED_
#define _NGX_HTTP_TORII_EXTERNAL_H_INCLUDED_


#include "ngx_http_torii_gate.h"


#define NGX_HTTP_TORII_EXTERNAL_CONNECT  2000      /* ms */
#define NGX_HTTP_TORII_EXTERNAL_TIMEOUT  5000      /* of the whole */
#define NGX_HTTP_TORII_EXTERNAL_WAIT     30000     /* whatever a route says */


/* ngx_http_torii_external_request.c: what is sent */

/* NGX_OK, or a status; strings live in r->pool. */
ngx_int_t ngx_http_torii_external_request(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login,
    ngx_torii_verdict_conf_t *conf);
/* What an answer is kept under: never the same for two who are not. */
ngx_int_t ngx_http_torii_external_key(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login,
    u_char key[32]);


#endif /* _NGX_HTTP_TORII_EXTERNAL_H_INCLUDED_ */
