
/*
 * http-01 (RFC 8555 section 8.3): GET /.well-known/acme-challenge/TOKEN for a
 * token of the table is answered before anything else is known of the request:
 * whatever its Host, no redirect, list, login or limit stands in the way.  All
 * other tokens go on to the routes, as another solver's do.
 *
 * The phase is that of "rewrite" in a server, and there it is the first: the
 * real-ip module has run, and the access log tells who asked.
 */

#include "ngx_http_torii.h"
#include "ingress_challenge.h"


static ngx_int_t ngx_http_torii_challenge_send(ngx_http_request_t *r,
    torii_str_t value);


static ngx_str_t  ngx_http_torii_challenge_path =
    ngx_string("/.well-known/acme-challenge/");


ngx_int_t
ngx_http_torii_challenge_handler(ngx_http_request_t *r)
{
    torii_str_t                       token;
    ngx_str_t                        *path;
    ngx_torii_table_t                *table;
    ngx_http_torii_srv_conf_t        *tscf;
    ngx_http_torii_main_conf_t       *tmcf;
    const ingress_table_challenge_t  *challenge;

    path = &ngx_http_torii_challenge_path;

    if (r->uri.len <= path->len
        || ngx_memcmp(r->uri.data, path->data, path->len) != 0
        || !(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))
        || r->internal || r != r->main)
    {
        return NGX_DECLINED;
    }

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_torii_module);

    if (!tscf->enable) {
        return NGX_DECLINED;
    }

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_torii_module);

    table = ngx_torii_table_current(tmcf, r->connection->log);
    if (table == NULL) {
        return NGX_DECLINED;
    }

    token.data = r->uri.data + path->len;
    token.len = r->uri.len - path->len;

    challenge = ingress_challenge_http(&table->table, token);

    ngx_http_torii_challenge_count(tmcf, INGRESS_CHALLENGE_HTTP,
                                   challenge != NULL, token,
                                   r->connection->sockaddr);

    if (challenge == NULL) {
        return NGX_DECLINED;
    }

    return ngx_http_torii_challenge_send(r,
                          ingress_table_str(&table->table, challenge->value));
}


/* A copy, since the table may be gone before a slow client has read it. */

static ngx_int_t
ngx_http_torii_challenge_send(ngx_http_request_t *r, torii_str_t value)
{
    ngx_table_elt_t           *h;
    ngx_http_complex_value_t   cv;

    static ngx_str_t           type = ngx_string("application/octet-stream");

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    cv.value.data = ngx_pnalloc(r->pool, value.len);
    if (cv.value.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(cv.value.data, value.data, value.len);
    cv.value.len = value.len;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "no-store");

    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &cv);
}
