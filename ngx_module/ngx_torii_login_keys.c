
/*
 * Newer keys of a provider, for a token whose key is not known: fetched once a
 * minute at most, whichever worker meets it first, and shared by all.
 */

#include "ngx_http_torii_login.h"


#define NGX_TORII_LOGIN_POLL      50        /* ms between looks for keys that
                                               another worker fetches */
#define NGX_TORII_LOGIN_PATIENCE  5000      /* ms, for keys */


/* Somebody waits for newer keys. */

typedef struct {
    ngx_queue_t                  queue;     /* in provider->waiting */
    ngx_http_torii_provider_t   *provider;
    ngx_torii_login_keys_pt      handler;
    void                        *data;
    oauth2_fail_e                fail;
    ngx_msec_t                   deadline;
    ngx_event_t                  timer;
    ngx_connection_t             dummy;
    unsigned                     settled:1;
} ngx_torii_login_wait_t;


static void ngx_torii_login_keys_fetch(ngx_http_torii_provider_t *p);
static void ngx_torii_login_keys_done(void *data,
    const oauth2_response_t *res, torii_str_t cache_control);
static void ngx_torii_login_keys_settle(ngx_http_torii_provider_t *p,
    oauth2_fail_e fail);
static void ngx_torii_login_wait_handler(ngx_event_t *ev);


ngx_uint_t
ngx_torii_login_keys_newer(ngx_http_torii_provider_t *p)
{
    const char   *error;
    torii_buf_t   b;
    torii_str_t   jwks;
    ngx_uint_t    newer;

    ngx_memzero(&b, sizeof(torii_buf_t));

    newer = ngx_torii_login_keys_get(p->keys_id, &p->keys_version, &b)
            == NGX_OK;

    if (newer) {
        jwks.data = b.data;
        jwks.len = b.len;

        newer = oauth2_keys_set(p->keys, jwks, torii_str(""), ngx_time(),
                                &error)
                == TORII_OK;
    }

    torii_buf_free(&b);

    return newer;
}


ngx_int_t
ngx_torii_login_keys(ngx_http_torii_provider_t *p, torii_str_t kid,
    ngx_torii_login_keys_pt handler, void *data)
{
    u_char                   id[16];
    torii_str_t              keys;
    oauth2_keys_e            rc;
    ngx_torii_login_wait_t  *w;

    w = torii_zalloc(sizeof(ngx_torii_login_wait_t));

    w->provider = p;
    w->handler = handler;
    w->data = data;
    w->fail = OAUTH2_OK;
    w->deadline = ngx_current_msec + NGX_TORII_LOGIN_PATIENCE;

    w->dummy.fd = (ngx_socket_t) -1;
    w->dummy.data = w;

    w->timer.handler = ngx_torii_login_wait_handler;
    w->timer.data = &w->dummy;
    w->timer.log = ngx_cycle->log;

    ngx_queue_insert_tail(&p->waiting, &w->queue);
    ngx_http_torii_provider_hold(p);

    if (ngx_torii_login_keys_newer(p)) {
        w->settled = 1;
        ngx_add_timer(&w->timer, 0);
        return NGX_OK;
    }

    ngx_add_timer(&w->timer, NGX_TORII_LOGIN_POLL);

    rc = oauth2_keys_missing(p->keys, kid, ngx_time());

    switch (rc) {

    case OAUTH2_KEYS_USE:
        w->settled = 1;
        break;

    case OAUTH2_KEYS_NOT:
        w->settled = 1;
        w->fail = OAUTH2_TOKEN_KEY;
        break;

    case OAUTH2_KEYS_PENDING:
        break;

    case OAUTH2_KEYS_FETCH:
        keys.data = p->keys_id;
        keys.len = sizeof(p->keys_id);

        ngx_torii_login_id("fetch", keys, torii_str(""), id);

        if (ngx_torii_login_once(NGX_TORII_ONCE_TOKEN, id,
                                 ngx_time() + OAUTH2_KEYS_FORCED)
            == NGX_OK)
        {
            ngx_torii_login_keys_fetch(p);
        }

        break;
    }

    return NGX_OK;
}


static void
ngx_torii_login_keys_fetch(ngx_http_torii_provider_t *p)
{
    oauth2_request_t  req;

    ngx_memzero(&req, sizeof(oauth2_request_t));

    req.method = "GET";
    req.url = p->settings.provider.endpoints.jwks;
    req.accept = "application/json";

    if (ngx_torii_login_call(p, &req, NGX_TORII_LOGIN_PATIENCE,
                             ngx_torii_login_keys_done, p)
        != NGX_OK)
    {
        ngx_torii_login_keys_settle(p, OAUTH2_PROVIDER_DOWN);
    }
}


static void
ngx_torii_login_keys_done(void *data, const oauth2_response_t *res,
    torii_str_t cache_control)
{
    ngx_http_torii_provider_t *p = data;

    const char  *error;

    error = "no answer";

    if (res->status == 200
        && oauth2_keys_set(p->keys, res->body, cache_control, ngx_time(),
                           &error)
           == TORII_OK)
    {
        ngx_torii_login_keys_put(p->keys_id, res->body, &p->keys_version);
        ngx_torii_login_count(NGX_TORII_LOGIN_KEYS_FETCHED);
        ngx_torii_login_keys_settle(p, OAUTH2_OK);
        return;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "torii: no newer keys of login provider \"%*s\": %s",
                  p->id.len, p->id.data, error);

    oauth2_keys_failed(p->keys, ngx_time());
    ngx_torii_login_count(NGX_TORII_LOGIN_KEYS_FAILED);
    ngx_torii_login_keys_settle(p, OAUTH2_PROVIDER_DOWN);
}


/* Each hears of it from its own timer. */

static void
ngx_torii_login_keys_settle(ngx_http_torii_provider_t *p, oauth2_fail_e fail)
{
    ngx_queue_t             *q;
    ngx_torii_login_wait_t  *w;

    for (q = ngx_queue_head(&p->waiting);
         q != ngx_queue_sentinel(&p->waiting);
         q = ngx_queue_next(q))
    {
        w = ngx_queue_data(q, ngx_torii_login_wait_t, queue);

        if (!w->settled) {
            w->settled = 1;
            w->fail = fail;
        }
    }
}


static void
ngx_torii_login_wait_handler(ngx_event_t *ev)
{
    void                       *data;
    oauth2_fail_e               fail;
    ngx_connection_t           *c;
    ngx_torii_login_wait_t     *w;
    ngx_torii_login_keys_pt     handler;
    ngx_http_torii_provider_t  *p;

    c = ev->data;
    w = c->data;
    p = w->provider;

    if (!w->settled && ngx_torii_login_keys_newer(p)) {
        ngx_torii_login_keys_settle(p, OAUTH2_OK);
    }

    if (!w->settled
        && (ngx_msec_int_t) (w->deadline - ngx_current_msec) > 0)
    {
        ngx_add_timer(ev, NGX_TORII_LOGIN_POLL);
        return;
    }

    /* nobody has fetched them: the next one may try */

    if (!w->settled) {
        w->fail = OAUTH2_TOKEN_KEY;
        oauth2_keys_failed(p->keys, ngx_time());
    }

    handler = w->handler;
    data = w->data;
    fail = w->fail;

    ngx_queue_remove(&w->queue);
    free(w);

    handler(data, fail);

    ngx_http_torii_provider_leave(p);
}
