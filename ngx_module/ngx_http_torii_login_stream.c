
/*
 * Streams (WebSocket, server-sent events, gRPC) outlast the moment in which
 * somebody was let in: they end when the session does, by its time, by a logout
 * or by the provider.
 */

#include "ngx_http_torii_ticket.h"


#define NGX_HTTP_TORII_STREAM_LOOK  1000       /* ms */


typedef struct {
    ngx_http_request_t     *request;
    ngx_http_torii_ctx_t   *ctx;
    ngx_event_t             look;
} ngx_http_torii_stream_t;


static ngx_uint_t ngx_http_torii_stream_is_over(ngx_http_request_t *r);
static void ngx_http_torii_stream_look(ngx_event_t *ev);
static void ngx_http_torii_stream_cleanup(void *data);


ngx_int_t
ngx_http_torii_login_stream(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_torii_stream_t  *stream;

    if (ngx_http_torii_stream_is_over(r)) {
        return NGX_OK;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_torii_stream_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    stream = cln->data;
    ngx_memzero(stream, sizeof(ngx_http_torii_stream_t));

    stream->request = r;
    stream->ctx = ctx;
    stream->look.handler = ngx_http_torii_stream_look;
    stream->look.data = stream;
    stream->look.log = r->connection->log;

    cln->handler = ngx_http_torii_stream_cleanup;

    ngx_add_timer(&stream->look, NGX_HTTP_TORII_STREAM_LOOK);

    return NGX_OK;
}


/* Most answers come whole, with their head: there is nothing to end. */

static ngx_uint_t
ngx_http_torii_stream_is_over(ngx_http_request_t *r)
{
    off_t                 length;
    ngx_http_upstream_t  *u;

    u = r->upstream;
    length = u->headers_in.content_length_n;

    return !u->upgrade && length >= 0
           && u->buffer.last - u->buffer.pos >= length;
}


static void
ngx_http_torii_stream_look(ngx_event_t *ev)
{
    ngx_http_torii_stream_t *stream = ev->data;

    ngx_connection_t             *c;
    oauth2_fail_e                 fail;
    ngx_http_request_t           *r;
    ngx_http_torii_ctx_t         *ctx;
    const oauth2_session_t       *s;
    ngx_http_torii_provider_t    *p;
    const ingress_table_login_t  *login;

    r = stream->request;
    ctx = stream->ctx;
    c = r->connection;

    login = ngx_http_torii_login_of(ctx->table, ctx->policy);
    p = login ? ngx_http_torii_provider(ctx->table, login->provider, c->log)
              : NULL;

    fail = p ? ngx_http_torii_session(r, p, &s) : OAUTH2_SESSION_KEY;

    if (fail == OAUTH2_OK) {
        ngx_http_torii_ticket_look(r, p);
        ngx_add_timer(ev, NGX_HTTP_TORII_STREAM_LOOK);
        return;
    }

    ngx_http_set_log_request(c->log, r);

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "torii: a stream ends with its session: %s",
                  oauth2_fail_name(fail));

    /* the upstream's own end takes one: without it the connection would be kept
       for the next request, and this one freed below our feet */

    r->main->count++;

    ngx_http_finalize_request(r, NGX_HTTP_CLIENT_CLOSED_REQUEST);
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_torii_stream_cleanup(void *data)
{
    ngx_http_torii_stream_t *stream = data;

    if (stream->look.timer_set) {
        ngx_del_timer(&stream->look);
    }
}
