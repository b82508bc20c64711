
/*
 * What the login's own paths wait for if sessions lie in Redis: the session of
 * the browser, the word of all replicas that something is done for the first
 * time, and a new session that is stored before the browser is told of it.
 */

#include "ngx_http_torii_endpoint.h"
#include "ngx_http_torii_ticket.h"


static void ngx_http_torii_endpoint_told(void *data, ngx_uint_t ok);
static void ngx_http_torii_endpoint_anew(ngx_http_torii_endpoint_t *e);
static void ngx_http_torii_endpoint_asked(void *data,
    const torii_resp_t *reply);
static void ngx_http_torii_endpoint_entered(void *data,
    const torii_resp_t *reply);


ngx_int_t
ngx_http_torii_endpoint_ready(ngx_http_torii_endpoint_t *e)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    for (i = 0; i < e->n; i++) {
        rc = ngx_http_torii_ticket(e->request, e->providers[i],
                                   ngx_http_torii_endpoint_told, e);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static void
ngx_http_torii_endpoint_told(void *data, ngx_uint_t ok)
{
    ngx_http_torii_endpoint_anew(data);
}


/* From the beginning, with one answer more. */

static void
ngx_http_torii_endpoint_anew(ngx_http_torii_endpoint_t *e)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = e->request;
    c = r->connection;

    r->read_event_handler = ngx_http_block_reading;

    rc = ngx_http_torii_endpoint_run(e);

    ngx_http_torii_endpoint_resume(r, c, rc);
}


ngx_int_t
ngx_http_torii_endpoint_down(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p)
{
    if (ngx_http_torii_endpoint_header(e->request, "Retry-After",
                                       torii_str("5"))
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_torii_endpoint_page(e, p, NGX_HTTP_TORII_PAGE_UNAVAILABLE,
                                        NGX_HTTP_SERVICE_UNAVAILABLE,
                                        OAUTH2_PROVIDER_DOWN, torii_str("/"));
}


ngx_int_t
ngx_http_torii_endpoint_once(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, ngx_torii_once_e kind, const u_char id[16],
    time_t until)
{
    ngx_int_t  rc;

    if (e->asked) {
        return e->once;
    }

    rc = ngx_torii_login_once(kind, id, until);

    if (rc != NGX_OK || p->redis == NULL) {
        return rc;
    }

    e->asked = 1;
    e->once = NGX_AGAIN;
    e->op = ngx_http_torii_ticket_once(p, "once", id,
                                       (ngx_msec_t) (until - ngx_time()) * 1000,
                                       ngx_http_torii_endpoint_asked, e);
    return NGX_AGAIN;
}


static void
ngx_http_torii_endpoint_asked(void *data, const torii_resp_t *reply)
{
    ngx_http_torii_endpoint_t *e = data;

    e->op = NULL;

    if (reply && reply->value.type == TORII_RESP_STATUS) {
        e->once = NGX_OK;

    } else if (reply && reply->value.type == TORII_RESP_NIL) {
        e->once = NGX_DECLINED;

    } else {
        e->once = NGX_ERROR;
    }

    ngx_http_torii_endpoint_anew(e);
}


ngx_int_t
ngx_http_torii_endpoint_enter(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s, torii_str_t url)
{
    torii_buf_t      b;
    torii_str_t      value;
    oauth2_bind_t    bind;
    oauth2_cookie_t  cookie;

    ngx_http_torii_session_cookie(e->request, p, &cookie, &bind);
    bind.use = OAUTH2_USE_TICKET;

    ngx_memzero(&b, sizeof(torii_buf_t));

    e->op = ngx_http_torii_ticket_create(p, &bind, s, &b,
                                         ngx_http_torii_endpoint_entered, e);

    value.data = b.data;
    value.len = b.len;

    e->provider = p;
    e->url = torii_arena_str(e->arena, url);
    e->value = torii_arena_str(e->arena, value);
    e->age = s->expires - ngx_time();

    torii_buf_free(&b);

    if (e->op == NULL) {
        return ngx_http_torii_endpoint_page(e, p, NGX_HTTP_TORII_PAGE_FAILED,
                                            NGX_HTTP_FORBIDDEN,
                                            OAUTH2_SESSION_SIZE,
                                            torii_str("/"));
    }

    return ngx_http_torii_endpoint_wait(e);
}


static void
ngx_http_torii_endpoint_entered(void *data, const torii_resp_t *reply)
{
    ngx_http_torii_endpoint_t *e = data;

    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = e->request;
    c = r->connection;

    e->op = NULL;
    r->read_event_handler = ngx_http_block_reading;

    if (reply == NULL || reply->value.type != TORII_RESP_STATUS) {
        ngx_torii_login_count(NGX_TORII_LOGIN_FAILED);
        rc = ngx_http_torii_endpoint_down(e, e->provider);

    } else if (ngx_http_torii_session_put(r, e->provider, e->value, e->age)
               != NGX_OK)
    {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else {
        ngx_torii_login_count(NGX_TORII_LOGIN_DONE);
        rc = ngx_http_torii_endpoint_redirect(r, e->url);
    }

    ngx_http_torii_endpoint_resume(r, c, rc);
}
