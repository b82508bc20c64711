
/*
 * A worker asks providers of logins: the machines of oauth2_exchange.h, driven
 * by libcurl on this event loop.  Whoever waits for an answer may go: what was
 * begun is brought to its end, since codes and refresh tokens are good for one
 * use only.
 */

#include "ngx_http_torii_login.h"


#define NGX_TORII_LOGIN_TIMEOUT   10000     /* ms of one request */
#define NGX_TORII_LOGIN_CONNECT   3000
#define NGX_TORII_LOGIN_HEADERS   4


/* One request and its answer. */

typedef struct {
    ngx_http_torii_provider_t   *provider;
    ngx_torii_curl_transfer_t   *transfer;
    ngx_torii_login_call_pt      done;
    void                        *data;
    ngx_msec_t                   began;
    ngx_uint_t                   status;
    torii_buf_t                  type;
    torii_buf_t                  cache;
    torii_buf_t                  body;
} ngx_torii_login_call_t;

struct ngx_torii_login_task_s {
    ngx_http_torii_provider_t   *provider;
    oauth2_exchange_t           *x;
    ngx_torii_login_task_pt      handler;   /* NULL: nobody waits */
    void                        *data;
    ngx_msec_t                   deadline;
    ngx_event_t                  alive;     /* a worker that shuts down waits */
    ngx_connection_t             dummy;
};


static char *ngx_torii_login_header(char *name, torii_str_t value);
static ngx_int_t ngx_torii_login_head(void *data, ngx_uint_t status,
    ngx_str_t *content_type, ngx_uint_t retry_after);
static ngx_int_t ngx_torii_login_body(void *data, u_char *p, size_t len);
static void ngx_torii_login_done(void *data, const char *error);
static void ngx_torii_login_call_free(ngx_torii_login_call_t *call);
static void ngx_torii_login_wipe(torii_buf_t *b);

static ngx_torii_login_task_t *ngx_torii_login_task(
    ngx_http_torii_provider_t *p, ngx_torii_login_task_pt handler,
    void *data);
static void ngx_torii_login_step(ngx_torii_login_task_t *t,
    oauth2_exchange_e step);
static ngx_int_t ngx_torii_login_send(ngx_torii_login_task_t *t);
static void ngx_torii_login_answer(void *data, const oauth2_response_t *res,
    torii_str_t cache_control);
static void ngx_torii_login_keyed(void *data, oauth2_fail_e fail);
static void ngx_torii_login_finish(ngx_torii_login_task_t *t,
    oauth2_fail_e fail);
static void ngx_torii_login_alive_handler(ngx_event_t *ev);
static void ngx_torii_login_taken_back(void *data,
    const oauth2_response_t *res, torii_str_t cache_control);


/* Of this process, made when it is wanted first. */
static ngx_torii_curl_t  *ngx_torii_login_curl_one;


ngx_torii_curl_t *
ngx_torii_login_curl(void)
{
    if (ngx_torii_login_curl_one == NULL) {
        ngx_torii_login_curl_one = ngx_torii_curl_create(ngx_cycle->pool,
                                                         ngx_cycle->log);
    }

    return ngx_torii_login_curl_one;
}


void
ngx_torii_login_forget(ngx_http_torii_provider_t *p)
{
    if (ngx_torii_login_curl_one) {
        ngx_torii_curl_forget(ngx_torii_login_curl_one, &p->tls);
    }
}


ngx_int_t
ngx_torii_login_call(ngx_http_torii_provider_t *p, const oauth2_request_t *req,
    ngx_msec_t timeout, ngx_torii_login_call_pt done, void *data)
{
    char                       *url, *headers[NGX_TORII_LOGIN_HEADERS];
    ngx_uint_t                  i, n;
    ngx_torii_curl_t           *curl;
    ngx_torii_login_call_t     *call;
    ngx_torii_curl_request_t    creq;
    ngx_torii_curl_handlers_t   handlers;

    curl = ngx_torii_login_curl();
    if (curl == NULL) {
        return NGX_ERROR;
    }

    call = torii_zalloc(sizeof(ngx_torii_login_call_t));
    call->provider = p;
    call->began = ngx_current_msec;
    call->done = done;
    call->data = data;

    n = 0;

    if (req->accept) {
        headers[n++] = ngx_torii_login_header("Accept: ",
                                              torii_str(req->accept));
    }

    if (req->content_type) {
        headers[n++] = ngx_torii_login_header("Content-Type: ",
                                              torii_str(req->content_type));
    }

    if (req->authorization.len) {
        headers[n++] = ngx_torii_login_header("Authorization: ",
                                              req->authorization);
    }

    headers[n] = NULL;

    url = ngx_torii_login_header("", req->url);

    ngx_memzero(&creq, sizeof(ngx_torii_curl_request_t));

    creq.method = (char *) req->method;
    creq.url = url;
    creq.headers = headers;
    creq.body.len = req->body.len;
    creq.body.data = req->body.data;
    creq.timeout = timeout;
    creq.connect_timeout = ngx_min(timeout, NGX_TORII_LOGIN_CONNECT);
    creq.tls = p->tls.store ? &p->tls : NULL;

    handlers.head = ngx_torii_login_head;
    handlers.body = ngx_torii_login_body;
    handlers.done = ngx_torii_login_done;
    handlers.data = call;

    call->transfer = ngx_torii_curl_start(curl, &creq, &handlers);

    for (i = 0; i < n; i++) {
        OPENSSL_cleanse(headers[i], ngx_strlen(headers[i]));
        free(headers[i]);
    }

    free(url);

    if (call->transfer == NULL) {
        ngx_torii_login_call_free(call);
        return NGX_ERROR;
    }

    ngx_http_torii_provider_hold(p);

    return NGX_OK;
}


static char *
ngx_torii_login_header(char *name, torii_str_t value)
{
    char    *p;
    size_t   len;

    len = ngx_strlen(name);
    p = torii_malloc(len + value.len + 1);

    ngx_memcpy(p, name, len);
    ngx_memcpy(p + len, value.data, value.len);
    p[len + value.len] = '\0';

    return p;
}


static ngx_int_t
ngx_torii_login_head(void *data, ngx_uint_t status, ngx_str_t *content_type,
    ngx_uint_t retry_after)
{
    ngx_torii_login_call_t *call = data;

    ngx_str_t  value;

    call->status = status;

    torii_buf_add(&call->type, content_type->data, content_type->len);

    if (ngx_torii_curl_field(call->transfer, "Cache-Control", 0, &value)
        == NGX_OK)
    {
        torii_buf_add(&call->cache, value.data, value.len);
    }

    return NGX_OK;
}


/* One byte more than may be tells that it is too much. */

static ngx_int_t
ngx_torii_login_body(void *data, u_char *p, size_t len)
{
    ngx_torii_login_call_t *call = data;

    size_t  room;

    room = OAUTH2_BODY_MAX + 1 - call->body.len;

    torii_buf_add(&call->body, p, ngx_min(len, room));

    return NGX_OK;
}


static void
ngx_torii_login_done(void *data, const char *error)
{
    ngx_torii_login_call_t *call = data;

    torii_str_t                 cache;
    oauth2_response_t           res;
    ngx_http_torii_provider_t  *p;

    p = call->provider;

    ngx_memzero(&res, sizeof(oauth2_response_t));

    if (error) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "torii: login provider \"%*s\" does not answer: %s",
                      p->id.len, p->id.data, error);

    } else {
        res.status = call->status;
        res.content_type.data = call->type.data;
        res.content_type.len = call->type.len;
        res.body.data = call->body.data;
        res.body.len = call->body.len;
    }

    ngx_torii_login_meter_time(p, ngx_current_msec - call->began, res.status);

    cache.data = call->cache.data;
    cache.len = call->cache.len;

    call->done(call->data, &res, cache);

    ngx_torii_login_call_free(call);
    ngx_http_torii_provider_leave(p);
}


static void
ngx_torii_login_call_free(ngx_torii_login_call_t *call)
{
    ngx_torii_login_wipe(&call->body);
    torii_buf_free(&call->type);
    torii_buf_free(&call->cache);
    free(call);
}


static void
ngx_torii_login_wipe(torii_buf_t *b)
{
    if (b->data) {
        OPENSSL_cleanse(b->data, b->size);
    }

    torii_buf_free(b);
}


static ngx_torii_login_task_t *
ngx_torii_login_task(ngx_http_torii_provider_t *p,
    ngx_torii_login_task_pt handler, void *data)
{
    ngx_torii_login_task_t  *t;

    t = torii_zalloc(sizeof(ngx_torii_login_task_t));

    t->provider = p;
    t->handler = handler;
    t->data = data;
    t->deadline = ngx_current_msec + NGX_HTTP_TORII_LOGIN_WAIT;
    t->x = oauth2_exchange_create(&p->settings.provider,
                                  oauth2_keys_get(p->keys));

    t->dummy.fd = (ngx_socket_t) -1;
    t->dummy.data = t;

    t->alive.handler = ngx_torii_login_alive_handler;
    t->alive.data = &t->dummy;
    t->alive.log = ngx_cycle->log;

    ngx_add_timer(&t->alive, 2 * NGX_HTTP_TORII_LOGIN_WAIT);
    ngx_http_torii_provider_hold(p);

    return t;
}


ngx_torii_login_task_t *
ngx_torii_login_code(ngx_http_torii_provider_t *p, oauth2_callback_t *callback,
    torii_str_t redirect_uri, ngx_torii_login_task_pt handler, void *data)
{
    ngx_torii_login_task_t  *t;

    t = ngx_torii_login_task(p, handler, data);

    (void) oauth2_exchange_code(t->x, callback->code, redirect_uri,
                                torii_str(callback->verifier),
                                torii_str(callback->nonce));

    if (ngx_torii_login_send(t) != NGX_OK) {
        t->handler = NULL;
        ngx_torii_login_finish(t, OAUTH2_PROVIDER_DOWN);
        return NULL;
    }

    return t;
}


ngx_torii_login_task_t *
ngx_torii_login_renew(ngx_http_torii_provider_t *p,
    const oauth2_session_t *session, ngx_torii_login_task_pt handler,
    void *data)
{
    ngx_torii_login_task_t  *t;

    t = ngx_torii_login_task(p, handler, data);

    (void) oauth2_exchange_refresh(t->x, session);

    if (ngx_torii_login_send(t) != NGX_OK) {
        t->handler = NULL;
        ngx_torii_login_finish(t, OAUTH2_PROVIDER_DOWN);
        return NULL;
    }

    return t;
}


void
ngx_torii_login_abandon(ngx_torii_login_task_t *t)
{
    t->handler = NULL;
}


static void
ngx_torii_login_step(ngx_torii_login_task_t *t, oauth2_exchange_e step)
{
    switch (step) {

    case OAUTH2_EXCHANGE_SEND:
        if (ngx_torii_login_send(t) != NGX_OK) {
            ngx_torii_login_finish(t, OAUTH2_PROVIDER_DOWN);
        }

        return;

    case OAUTH2_EXCHANGE_KEYS:
        if (ngx_torii_login_keys(t->provider, oauth2_exchange_kid(t->x),
                                 ngx_torii_login_keyed, t)
            != NGX_OK)
        {
            ngx_torii_login_finish(t, OAUTH2_TOKEN_KEY);
        }

        return;

    case OAUTH2_EXCHANGE_DONE:
        ngx_torii_login_finish(t, OAUTH2_OK);
        return;

    case OAUTH2_EXCHANGE_FAILED:
        ngx_torii_login_finish(t, oauth2_exchange_fail(t->x));
        return;
    }
}


static ngx_int_t
ngx_torii_login_send(ngx_torii_login_task_t *t)
{
    ngx_msec_int_t  left;

    left = (ngx_msec_int_t) (t->deadline - ngx_current_msec);

    if (left <= 0) {
        return NGX_ERROR;
    }

    return ngx_torii_login_call(t->provider, oauth2_exchange_request(t->x),
                                ngx_min(left, NGX_TORII_LOGIN_TIMEOUT),
                                ngx_torii_login_answer, t);
}


static void
ngx_torii_login_answer(void *data, const oauth2_response_t *res,
    torii_str_t cache_control)
{
    ngx_torii_login_task_t *t = data;

    oauth2_exchange_use(t->x, oauth2_keys_get(t->provider->keys));

    ngx_torii_login_step(t, oauth2_exchange_answer(t->x, ngx_time(), res));
}


static void
ngx_torii_login_keyed(void *data, oauth2_fail_e fail)
{
    ngx_torii_login_task_t *t = data;

    if (fail != OAUTH2_OK) {
        ngx_torii_login_finish(t, fail);
        return;
    }

    ngx_torii_login_step(t, oauth2_exchange_keys(t->x, ngx_time(),
                                        oauth2_keys_get(t->provider->keys)));
}


static void
ngx_torii_login_finish(ngx_torii_login_task_t *t, oauth2_fail_e fail)
{
    if (t->handler) {
        t->handler(t->data, t->x, fail);
    }

    if (t->alive.timer_set) {
        ngx_del_timer(&t->alive);
    }

    oauth2_exchange_free(t->x);
    ngx_http_torii_provider_leave(t->provider);

    free(t);
}


/* Only to be there: every request has a timeout of its own. */

static void
ngx_torii_login_alive_handler(ngx_event_t *ev)
{
    /* void */
}


void
ngx_torii_login_take_back(ngx_http_torii_provider_t *p, torii_str_t token)
{
    torii_buf_t        body;
    torii_arena_t     *arena;
    oauth2_request_t   req;

    arena = torii_arena_create(4096);
    ngx_memzero(&body, sizeof(torii_buf_t));

    if (oauth2_logout_revoke(arena, &p->settings.provider, token, &body, &req)
        == TORII_OK)
    {
        (void) ngx_torii_login_call(p, &req, NGX_TORII_LOGIN_TIMEOUT,
                                    ngx_torii_login_taken_back, NULL);

        ngx_torii_login_cleanse(req.authorization);
    }

    ngx_torii_login_wipe(&body);
    torii_arena_destroy(arena);
}


void
ngx_torii_login_cleanse(torii_str_t s)
{
    if (s.len) {
        OPENSSL_cleanse(s.data, s.len);
    }
}


static void
ngx_torii_login_taken_back(void *data, const oauth2_response_t *res,
    torii_str_t cache_control)
{
    /* RFC 7009 section 2.2: there is nothing to be done about it */
}
