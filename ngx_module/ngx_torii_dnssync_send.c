
/*
 * Requests of the engine to providers: HTTP by libcurl, DNS by sockets.
 */

#include "ngx_torii_dnssync.h"


#define NGX_TORII_DNSSYNC_CONNECT  10000     /* ms */
#define NGX_TORII_DNSSYNC_TIMEOUT  30000     /* ms, unless said */
#define NGX_TORII_DNSSYNC_TRUST    600000    /* ms that one is kept unused */


/* An authority of an account's own; the same for all that name it. */

typedef struct {
    ngx_queue_t                 queue;       /* in d->trusts */
    uint64_t                    hash;
    ngx_uint_t                  refs;        /* requests under way */
    ngx_msec_t                  used;
    ngx_torii_identity_t       *identity;
} ngx_torii_dnssync_trust_t;

/* One request in flight. */

typedef struct {
    ngx_torii_dnssync_t        *dnssync;
    uint32_t                    ticket;
    torii_arena_t              *arena;
    const char                 *fields[DNSSYNC_FIELDS_MAX];
    ngx_uint_t                  nfields;
    ngx_torii_curl_transfer_t  *transfer;
    ngx_torii_dnssync_trust_t  *trust;
    dnssync_answer_t            answer;
    torii_buf_t                 body;
    unsigned                    answered:1;
} ngx_torii_dnssync_call_t;


static void ngx_torii_dnssync_http(ngx_torii_dnssync_call_t *call,
    const dnssync_request_t *request);
static char *ngx_torii_dnssync_text(ngx_torii_dnssync_call_t *call,
    torii_str_t s);
static ngx_int_t ngx_torii_dnssync_head(void *data, ngx_uint_t status,
    ngx_str_t *content_type, ngx_uint_t retry_after);
static ngx_int_t ngx_torii_dnssync_body(void *data, u_char *p, size_t len);
static void ngx_torii_dnssync_done(void *data, const char *error);

static void ngx_torii_dnssync_message(ngx_torii_dnssync_call_t *call,
    const dnssync_request_t *request);
static ngx_int_t ngx_torii_dnssync_take(void *data, torii_str_t message);
static void ngx_torii_dnssync_taken(void *data, const char *error);

static void ngx_torii_dnssync_fail(ngx_torii_dnssync_call_t *call,
    const char *error);
static void ngx_torii_dnssync_answer(ngx_torii_dnssync_call_t *call);
static void ngx_torii_dnssync_free(ngx_torii_dnssync_call_t *call);

static ngx_torii_dnssync_trust_t *ngx_torii_dnssync_trust(
    ngx_torii_dnssync_t *d, torii_str_t ca);


void
ngx_torii_dnssync_send(ngx_torii_dnssync_t *d, const dnssync_action_t *action)
{
    ngx_torii_dnssync_call_t  *call;

    call = torii_zalloc(sizeof(ngx_torii_dnssync_call_t));

    call->dnssync = d;
    call->ticket = action->ticket;
    call->arena = torii_arena_create(1024);

    if (action->request->url.len) {
        ngx_torii_dnssync_http(call, action->request);

    } else {
        ngx_torii_dnssync_message(call, action->request);
    }
}


static void
ngx_torii_dnssync_http(ngx_torii_dnssync_call_t *call,
    const dnssync_request_t *request)
{
    char                       *headers[DNSSYNC_HEADERS_MAX + 1];
    ngx_uint_t                  i;
    ngx_torii_dnssync_t        *d;
    ngx_torii_curl_request_t    req;
    ngx_torii_curl_handlers_t   handlers;

    d = call->dnssync;

    ngx_memzero(&req, sizeof(ngx_torii_curl_request_t));

    for (i = 0; i < request->nheaders && i < DNSSYNC_HEADERS_MAX; i++) {
        headers[i] = ngx_torii_dnssync_text(call, request->headers[i]);
    }

    headers[i] = NULL;

    /* names are the driver's, and live as long as it */

    for (i = 0; request->fields && i < DNSSYNC_FIELDS_MAX; i++) {
        if (request->fields[i] == NULL) {
            break;
        }

        call->fields[call->nfields++] = request->fields[i];
    }

    req.method = (char *) request->method;
    req.url = ngx_torii_dnssync_text(call, request->url);
    req.headers = headers;
    req.body.data = request->body.data;
    req.body.len = request->body.len;
    req.timeout = request->timeout ? request->timeout
                                   : NGX_TORII_DNSSYNC_TIMEOUT;
    req.connect_timeout = NGX_TORII_DNSSYNC_CONNECT;

    if (request->login.len) {
        req.login = ngx_torii_dnssync_text(call, request->login);
    }

    if (request->sign.len) {
        req.sign = ngx_torii_dnssync_text(call, request->sign);
    }

    if (request->ca.len) {
        call->trust = ngx_torii_dnssync_trust(d, request->ca);

        if (call->trust == NULL) {
            ngx_torii_dnssync_fail(call, "its CA is no PEM certificate");
            return;
        }

        req.tls = &call->trust->identity->tls;
    }

    handlers.head = ngx_torii_dnssync_head;
    handlers.body = ngx_torii_dnssync_body;
    handlers.done = ngx_torii_dnssync_done;
    handlers.data = call;

    call->transfer = ngx_torii_curl_start(d->curl, &req, &handlers);

    if (call->transfer == NULL) {
        ngx_torii_dnssync_fail(call, "the request cannot be made");
    }
}


static char *
ngx_torii_dnssync_text(ngx_torii_dnssync_call_t *call, torii_str_t s)
{
    return (char *) torii_arena_str(call->arena, s).data;
}


static ngx_int_t
ngx_torii_dnssync_head(void *data, ngx_uint_t status, ngx_str_t *content_type,
    ngx_uint_t retry_after)
{
    ngx_torii_dnssync_call_t *call = data;

    ngx_str_t          value;
    ngx_uint_t         i;
    torii_str_t        s;
    dnssync_answer_t  *answer;

    answer = &call->answer;

    answer->status = status;
    answer->retry_after = retry_after;

    s.len = content_type->len;
    s.data = content_type->data;
    answer->type = torii_arena_str(call->arena, s);

    for (i = 0; i < call->nfields; i++) {

        if (ngx_torii_curl_field(call->transfer, (char *) call->fields[i], 0,
                                 &value)
            == NGX_OK)
        {
            s.len = value.len;
            s.data = value.data;
            answer->fields[i] = torii_arena_str(call->arena, s);
        }
    }

    return NGX_OK;
}


/* What is given up meanwhile need not be read to its end. */

static ngx_int_t
ngx_torii_dnssync_body(void *data, u_char *p, size_t len)
{
    ngx_torii_dnssync_call_t *call = data;

    if (!dnssync_engine_waits(call->dnssync->engine, call->ticket)) {
        ngx_torii_dnssync_free(call);
        return NGX_ERROR;
    }

    if (call->body.len + len > DNSSYNC_BODY_MAX) {
        ngx_torii_dnssync_fail(call, "the answer is larger than 64 MB");
        return NGX_ERROR;
    }

    torii_buf_add(&call->body, p, len);

    return NGX_OK;
}


static void
ngx_torii_dnssync_done(void *data, const char *error)
{
    ngx_torii_dnssync_call_t *call = data;

    if (error) {
        ngx_torii_dnssync_fail(call, error);
        return;
    }

    call->answer.body.data = call->body.data;
    call->answer.body.len = call->body.len;

    ngx_torii_dnssync_answer(call);
}


static void
ngx_torii_dnssync_message(ngx_torii_dnssync_call_t *call,
    const dnssync_request_t *request)
{
    ngx_msec_t               timeout;
    ngx_torii_dns_server_t   server;

    ngx_memzero(&server, sizeof(ngx_torii_dns_server_t));

    server.nameserver = request->server;
    server.tcp = request->tcp || request->stream;
    server.tls = request->tls;

    if (request->tls && request->ca.len) {
        call->trust = ngx_torii_dnssync_trust(call->dnssync, request->ca);

        if (call->trust == NULL) {
            ngx_torii_dnssync_fail(call, "its CA is no PEM certificate");
            return;
        }

        server.store = call->trust->identity->tls.store;
    }

    timeout = request->timeout ? request->timeout : NGX_TORII_DNSSYNC_TIMEOUT;

    if (ngx_torii_dns_ask(call->dnssync->dns, &server, request->message,
                          request->stream, timeout, ngx_torii_dnssync_take,
                          ngx_torii_dnssync_taken, call)
        != NGX_OK)
    {
        ngx_torii_dnssync_fail(call, "out of memory");
    }
}


static ngx_int_t
ngx_torii_dnssync_take(void *data, torii_str_t message)
{
    ngx_torii_dnssync_call_t *call = data;

    dnssync_answer_t  answer;

    ngx_memzero(&answer, sizeof(dnssync_answer_t));

    answer.body = message;

    if (dnssync_engine_answer(call->dnssync->engine, ngx_torii_publish_ms(),
                              call->ticket, &answer)
        == TORII_AGAIN)
    {
        return NGX_AGAIN;
    }

    call->answered = 1;

    ngx_torii_dnssync_wake(call->dnssync);

    return NGX_OK;
}


static void
ngx_torii_dnssync_taken(void *data, const char *error)
{
    ngx_torii_dnssync_call_t *call = data;

    if (!call->answered) {
        ngx_torii_dnssync_fail(call, error ? error : "no answer");
        return;
    }

    ngx_torii_dnssync_free(call);
}


static void
ngx_torii_dnssync_fail(ngx_torii_dnssync_call_t *call, const char *error)
{
    ngx_memzero(&call->answer, sizeof(dnssync_answer_t));

    call->answer.error = error;

    ngx_torii_dnssync_answer(call);
}


static void
ngx_torii_dnssync_answer(ngx_torii_dnssync_call_t *call)
{
    ngx_torii_dnssync_t  *d;

    d = call->dnssync;

    (void) dnssync_engine_answer(d->engine, ngx_torii_publish_ms(),
                                 call->ticket, &call->answer);

    ngx_torii_dnssync_free(call);
    ngx_torii_dnssync_wake(d);
}


/* Headers and body may have been secrets: an access token is in an answer. */

static void
ngx_torii_dnssync_free(ngx_torii_dnssync_call_t *call)
{
    if (call->trust) {
        call->trust->refs--;
        call->trust->used = ngx_current_msec;
    }

    if (call->body.size) {
        ngx_explicit_memzero(call->body.data, call->body.len);
    }

    torii_buf_free(&call->body);
    torii_arena_destroy(call->arena);
    free(call);
}


void
ngx_torii_dnssync_trusts_init(ngx_torii_dnssync_t *d)
{
    ngx_queue_init(&d->trusts);
}


static ngx_torii_dnssync_trust_t *
ngx_torii_dnssync_trust(ngx_torii_dnssync_t *d, torii_str_t ca)
{
    char                        error[256];
    uint64_t                    hash;
    torii_str_t                 none;
    ngx_queue_t                *q;
    ngx_torii_identity_t       *identity;
    ngx_torii_dnssync_trust_t  *t;

    hash = torii_hash(ca.data, ca.len, 0);

    for (q = ngx_queue_head(&d->trusts);
         q != ngx_queue_sentinel(&d->trusts);
         q = ngx_queue_next(q))
    {
        t = ngx_queue_data(q, ngx_torii_dnssync_trust_t, queue);

        if (t->hash == hash) {
            t->refs++;
            return t;
        }
    }

    none = torii_str("");

    identity = ngx_torii_identity_create(ca, none, none, 0, error);
    if (identity == NULL) {
        return NULL;
    }

    t = torii_zalloc(sizeof(ngx_torii_dnssync_trust_t));

    t->hash = hash;
    t->refs = 1;
    t->identity = identity;

    ngx_queue_insert_tail(&d->trusts, &t->queue);

    return t;
}


void
ngx_torii_dnssync_trusts_sweep(ngx_torii_dnssync_t *d)
{
    ngx_queue_t                *q, *next;
    ngx_torii_dnssync_trust_t  *t;

    for (q = ngx_queue_head(&d->trusts);
         q != ngx_queue_sentinel(&d->trusts);
         q = next)
    {
        next = ngx_queue_next(q);
        t = ngx_queue_data(q, ngx_torii_dnssync_trust_t, queue);

        if (t->refs || ngx_current_msec - t->used < NGX_TORII_DNSSYNC_TRUST) {
            continue;
        }

        ngx_torii_curl_forget(d->curl, &t->identity->tls);

        ngx_queue_remove(q);
        ngx_torii_identity_free(t->identity);
        free(t);
    }
}
