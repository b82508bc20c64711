
/*
 * The session of a request whose cookie is a ticket: from this worker's cache,
 * for a few seconds, or from Redis, for which the request waits.
 */

#include "ngx_http_torii_ticket.h"


#define NGX_HTTP_TORII_TICKET_CACHE  (16 * 1024 * 1024)    /* bytes */


/* What one request knows of its ticket at one provider; in its pool. */

typedef struct {
    ngx_http_request_t         *request;
    ngx_http_torii_provider_t  *provider;
    ngx_torii_redis_op_t       *op;        /* NULL: nothing is waited for */
    ngx_http_torii_ticket_pt    handler;
    void                       *data;
    oauth2_ticket_t             ticket;
    torii_str_t                 text;      /* of the cookie */
    torii_buf_t                 plain;     /* of the session, a secret */
    oauth2_fail_e               fail;
    unsigned                    opened:1;  /* ticket is one */
    unsigned                    known:1;   /* fail says what came of it */
    unsigned                    old:1;     /* sealed by a key that goes */
    unsigned                    again:1;   /* it was asked for twice */
} ngx_http_torii_ticket_t;


static ngx_http_torii_ticket_t *ngx_http_torii_ticket_find(
    ngx_http_request_t *r, ngx_http_torii_provider_t *p);
static ngx_http_torii_ticket_t *ngx_http_torii_ticket_open(
    ngx_http_request_t *r, ngx_http_torii_provider_t *p);
static void ngx_http_torii_ticket_cleanup(void *data);
static void ngx_http_torii_ticket_bind(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, oauth2_bind_t *bind);
static uint64_t ngx_http_torii_ticket_generation(ngx_http_torii_ticket_t *t);
static ngx_uint_t ngx_http_torii_ticket_cached(ngx_http_torii_ticket_t *t);
static void ngx_http_torii_ticket_keep(ngx_http_torii_ticket_t *t,
    const oauth2_session_t *s);
static void ngx_http_torii_ticket_got(void *data, const torii_resp_t *reply);
static oauth2_fail_e ngx_http_torii_ticket_read(ngx_http_torii_ticket_t *t,
    const torii_resp_t *reply);


/* Of this process: too large for the stack. */

static oauth2_cache_t    *ngx_http_torii_ticket_sessions;
static oauth2_session_t   ngx_http_torii_ticket_room;


static ngx_http_torii_ticket_t *
ngx_http_torii_ticket_find(ngx_http_request_t *r, ngx_http_torii_provider_t *p)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_torii_ticket_t  *t;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_torii_ticket_cleanup) {
            t = cln->data;

            if (t->provider == p) {
                return t;
            }
        }
    }

    return NULL;
}


/* NULL: no memory. */

static ngx_http_torii_ticket_t *
ngx_http_torii_ticket_open(ngx_http_request_t *r, ngx_http_torii_provider_t *p)
{
    int                       old;
    torii_str_t               line;
    oauth2_bind_t             bind;
    ngx_pool_cleanup_t       *cln;
    ngx_http_torii_ticket_t  *t;

    t = ngx_http_torii_ticket_find(r, p);
    if (t) {
        return t;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_torii_ticket_t));

    if (cln == NULL || ngx_http_torii_session_line(r, &line) != NGX_OK) {
        return NULL;
    }

    t = cln->data;
    ngx_memzero(t, sizeof(ngx_http_torii_ticket_t));

    t->request = r;
    t->provider = p;
    cln->handler = ngx_http_torii_ticket_cleanup;

    ngx_http_torii_ticket_bind(r, p, &bind);

    old = 0;
    t->fail = oauth2_ticket_open(p->ring, &bind, line, &t->ticket, &t->text,
                                 &old);
    t->old = old;
    t->opened = (t->fail == OAUTH2_OK);
    t->known = !t->opened || ngx_http_torii_ticket_cached(t);

    return t;
}


static void
ngx_http_torii_ticket_cleanup(void *data)
{
    ngx_http_torii_ticket_t *t = data;

    if (t->op) {
        ngx_torii_redis_abandon(t->op);
    }

    if (t->plain.data) {
        ngx_explicit_memzero(t->plain.data, t->plain.len);
    }

    torii_buf_free(&t->plain);
    ngx_explicit_memzero(&t->ticket, sizeof(oauth2_ticket_t));
}


static void
ngx_http_torii_ticket_bind(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, oauth2_bind_t *bind)
{
    oauth2_cookie_t  cookie;

    ngx_http_torii_session_cookie(r, p, &cookie, bind);
    bind->use = OAUTH2_USE_TICKET;
}


/*
 * Changes with revocations in this nginx, and every few seconds, at another
 * instant for each ticket.
 */

static uint64_t
ngx_http_torii_ticket_generation(ngx_http_torii_ticket_t *t)
{
    int64_t   idle;
    uint64_t  now, kept;

    kept = NGX_HTTP_TORII_TICKET_KEPT;
    idle = t->provider->settings.life.idle;

    if (idle && idle / 4 < NGX_HTTP_TORII_TICKET_KEPT) {
        kept = (uint64_t) ngx_max(idle / 4, 1);
    }

    now = ((uint64_t) ngx_time() + t->ticket.id[0]) / kept;

    return torii_hash(&now, sizeof(now),
                      ngx_http_torii_session_generation(t->provider));
}


static ngx_uint_t
ngx_http_torii_ticket_cached(ngx_http_torii_ticket_t *t)
{
    oauth2_bind_t            bind;
    const oauth2_session_t  *s;

    if (ngx_http_torii_ticket_sessions == NULL) {
        ngx_http_torii_ticket_sessions =
                           oauth2_cache_create(NGX_HTTP_TORII_TICKET_CACHE);
    }

    ngx_http_torii_ticket_bind(t->request, t->provider, &bind);

    s = oauth2_cache_get(ngx_http_torii_ticket_sessions, &bind, t->text,
                         ngx_http_torii_ticket_generation(t), ngx_time());

    return s && oauth2_session_write(s, &t->plain) == TORII_OK;
}


static void
ngx_http_torii_ticket_keep(ngx_http_torii_ticket_t *t,
    const oauth2_session_t *s)
{
    oauth2_bind_t  bind;

    ngx_http_torii_ticket_bind(t->request, t->provider, &bind);

    oauth2_cache_put(ngx_http_torii_ticket_sessions, &bind, t->text,
                     ngx_http_torii_ticket_generation(t), ngx_time(), s);
}


ngx_int_t
ngx_http_torii_ticket(ngx_http_request_t *r, ngx_http_torii_provider_t *p,
    ngx_http_torii_ticket_pt handler, void *data)
{
    ngx_http_torii_ticket_t  *t;

    if (p->redis == NULL) {
        return NGX_OK;
    }

    t = ngx_http_torii_ticket_open(r, p);
    if (t == NULL) {
        return NGX_ERROR;
    }

    if (t->known) {
        return (t->fail == OAUTH2_PROVIDER_DOWN) ? NGX_ERROR : NGX_OK;
    }

    t->handler = handler;
    t->data = data;

    if (t->op == NULL) {
        t->op = ngx_http_torii_ticket_get(p, &t->ticket,
                                          ngx_http_torii_ticket_got, t);
    }

    return NGX_AGAIN;
}


ngx_int_t
ngx_http_torii_ticket_again(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, ngx_http_torii_ticket_pt handler, void *data)
{
    ngx_http_torii_ticket_t  *t;

    t = ngx_http_torii_ticket_find(r, p);

    if (t == NULL || !t->opened || t->again) {
        return NGX_DECLINED;
    }

    t->again = 1;
    t->known = 0;

    return ngx_http_torii_ticket(r, p, handler, data);
}


void
ngx_http_torii_ticket_look(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p)
{
    ngx_http_torii_ticket_t  *t;

    if (p->redis == NULL) {
        return;
    }

    t = ngx_http_torii_ticket_find(r, p);

    if (t && t->opened && t->op == NULL) {
        t->handler = NULL;
        t->op = ngx_http_torii_ticket_get(p, &t->ticket,
                                          ngx_http_torii_ticket_got, t);
    }
}


static void
ngx_http_torii_ticket_got(void *data, const torii_resp_t *reply)
{
    ngx_http_torii_ticket_t *t = data;

    oauth2_fail_e              fail;
    ngx_http_torii_ticket_pt   handler;

    t->op = NULL;

    fail = ngx_http_torii_ticket_read(t, reply);

    /* who is inside stays there while Redis is away */

    if (fail != OAUTH2_PROVIDER_DOWN || !t->known) {
        t->fail = fail;
    }

    t->known = 1;

    handler = t->handler;
    t->handler = NULL;

    /* a stream alone does not keep it alive */

    if (handler && fail == OAUTH2_OK) {
        ngx_http_torii_ticket_extend(t->provider, &t->ticket,
                                     &ngx_http_torii_ticket_room);
    }

    if (handler) {
        handler(t->data, fail != OAUTH2_PROVIDER_DOWN);
    }
}


static oauth2_fail_e
ngx_http_torii_ticket_read(ngx_http_torii_ticket_t *t,
    const torii_resp_t *reply)
{
    u_char             marks[OAUTH2_TICKET_MARKS][16];
    uint64_t           at;
    ngx_uint_t         i;
    oauth2_bind_t      bind;
    oauth2_fail_e      rc;
    oauth2_session_t  *s;

    if (reply == NULL || reply->value.type != TORII_RESP_ARRAY
        || reply->n != 1 + OAUTH2_TICKET_MARKS)
    {
        return OAUTH2_PROVIDER_DOWN;
    }

    if (reply->items[0].type != TORII_RESP_STRING) {
        return OAUTH2_SESSION_EXPIRED;
    }

    s = &ngx_http_torii_ticket_room;

    ngx_http_torii_ticket_bind(t->request, t->provider, &bind);

    rc = oauth2_ticket_read(&t->ticket, &bind, reply->items[0].text, &t->plain,
                            s);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    /* a session that is revoked by something else was not asked for */

    ngx_http_torii_ticket_marks(t->provider, s, marks);

    if (ngx_memcmp(marks, t->ticket.marks, sizeof(marks)) != 0) {
        return OAUTH2_SESSION_EXPIRED;
    }

    for (i = 1; i <= OAUTH2_TICKET_MARKS; i++) {

        if (reply->items[i].type == TORII_RESP_NIL) {
            continue;
        }

        if (torii_str_uint(reply->items[i].text, INT64_MAX, &at) != TORII_OK
            || s->created <= (int64_t) at)
        {
            return OAUTH2_SESSION_EXPIRED;
        }
    }

    ngx_http_torii_ticket_keep(t, s);

    return OAUTH2_OK;
}


oauth2_fail_e
ngx_http_torii_ticket_session(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, oauth2_session_t *room,
    const oauth2_session_t **session)
{
    torii_str_t               plain;
    oauth2_fail_e             rc;
    oauth2_lifetime_t         life;
    ngx_http_torii_ticket_t  *t;

    t = ngx_http_torii_ticket_open(r, p);

    if (t == NULL || !t->known) {
        return OAUTH2_PROVIDER_DOWN;
    }

    if (t->fail != OAUTH2_OK) {
        return t->fail;
    }

    plain.data = t->plain.data;
    plain.len = t->plain.len;

    if (oauth2_session_read(plain, room) != TORII_OK) {
        return OAUTH2_SESSION_FORM;
    }

    /* what was not used for too long has gone from Redis */

    life = p->settings.life;
    life.idle = 0;

    rc = oauth2_session_check(room, ngx_time(), &life);

    if (rc == OAUTH2_OK && ngx_http_torii_session_revoked(p, room)) {
        rc = OAUTH2_SESSION_EXPIRED;
    }

    *session = room;

    return rc;
}


const oauth2_ticket_t *
ngx_http_torii_ticket_of(ngx_http_request_t *r, ngx_http_torii_provider_t *p)
{
    ngx_http_torii_ticket_t  *t;

    t = ngx_http_torii_ticket_find(r, p);

    return (t && t->opened) ? &t->ticket : NULL;
}


void
ngx_http_torii_ticket_delete(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p)
{
    const oauth2_ticket_t  *t;

    t = p->redis ? ngx_http_torii_ticket_of(r, p) : NULL;

    if (t) {
        ngx_http_torii_ticket_drop(p, t);
    }
}
