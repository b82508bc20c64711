
/*
 * A session in Redis is refreshed by one replica, which has a lock that ends by
 * itself.  The others look until the new session is there: the ticket stays the
 * same, so that there is nothing to hand on but that it is done.
 */

#include "ngx_http_torii_ticket.h"
#include "ngx_torii_login_fly.h"


#define NGX_TORII_LOGIN_FLY_LOCK   (NGX_HTTP_TORII_LOGIN_WAIT + 5000)
#define NGX_TORII_LOGIN_FLY_LOOK   100     /* ms between two looks */
#define NGX_TORII_LOGIN_FLY_TIME   12000   /* ms of looking */


static void ngx_torii_login_fly_look(ngx_torii_login_flying_t *f);
static void ngx_torii_login_fly_later(ngx_event_t *ev);
static void ngx_torii_login_fly_lock(void *data, const torii_resp_t *reply);
static void ngx_torii_login_fly_seen(void *data, const torii_resp_t *reply);
static oauth2_fail_e ngx_torii_login_fly_newer(ngx_torii_login_flying_t *f,
    const torii_resp_t *reply, ngx_uint_t *newer);
static void ngx_torii_login_fly_kept(void *data, const torii_resp_t *reply);


ngx_int_t
ngx_torii_login_fly_stored(ngx_http_request_t *r, ngx_torii_login_flying_t *f)
{
    const oauth2_ticket_t  *ticket;

    ticket = ngx_http_torii_ticket_of(r, f->provider);

    if (ticket == NULL) {
        return NGX_ERROR;
    }

    f->ticket = *ticket;
    f->bind.use = OAUTH2_USE_TICKET;
    f->until = ngx_torii_login_ms() + NGX_TORII_LOGIN_FLY_TIME;

    f->dummy.fd = (ngx_socket_t) -1;
    f->dummy.data = f;
    f->later.handler = ngx_torii_login_fly_later;
    f->later.data = &f->dummy;
    f->later.log = ngx_cycle->log;

    f->held = 1;
    ngx_http_torii_provider_hold(f->provider);

    ngx_torii_login_fly_look(f);

    return NGX_OK;
}


/* Whose turn it is, and what is stored by then, in this order. */

static void
ngx_torii_login_fly_look(ngx_torii_login_flying_t *f)
{
    (void) ngx_http_torii_ticket_once(f->provider, "refresh", f->id,
                                      NGX_TORII_LOGIN_FLY_LOCK,
                                      ngx_torii_login_fly_lock, f);
    (void) ngx_http_torii_ticket_get(f->provider, &f->ticket,
                                     ngx_torii_login_fly_seen, f);
}


static void
ngx_torii_login_fly_later(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;

    ngx_torii_login_fly_look(c->data);
}


static void
ngx_torii_login_fly_lock(void *data, const torii_resp_t *reply)
{
    ngx_torii_login_flying_t *f = data;

    f->locked = reply && reply->value.type == TORII_RESP_STATUS;
    f->down = !f->locked
              && (reply == NULL || reply->value.type != TORII_RESP_NIL);
}


static void
ngx_torii_login_fly_seen(void *data, const torii_resp_t *reply)
{
    ngx_torii_login_flying_t *f = data;

    ngx_uint_t     newer;
    oauth2_fail_e  fail;

    newer = 0;
    fail = f->down ? OAUTH2_PROVIDER_DOWN
                   : ngx_torii_login_fly_newer(f, reply, &newer);

    if (fail != OAUTH2_OK || newer) {
        ngx_torii_login_flown_to(f, torii_str("stored"), fail);
        return;
    }

    if (f->locked) {

        if (ngx_torii_login_fly_ask(f) != NGX_OK) {
            ngx_torii_login_flown_to(f, torii_str(""), OAUTH2_PROVIDER_DOWN);
        }

        return;
    }

    if (ngx_torii_login_ms() >= f->until) {
        ngx_torii_login_flown_to(f, torii_str(""), OAUTH2_PROVIDER_DOWN);
        return;
    }

    ngx_add_timer(&f->later, NGX_TORII_LOGIN_FLY_LOOK);
}


static oauth2_fail_e
ngx_torii_login_fly_newer(ngx_torii_login_flying_t *f,
    const torii_resp_t *reply, ngx_uint_t *newer)
{
    torii_buf_t              plain;
    oauth2_fail_e            rc;

    static oauth2_session_t  s;

    if (reply == NULL || reply->value.type != TORII_RESP_ARRAY
        || reply->n != 1 + OAUTH2_TICKET_MARKS)
    {
        return OAUTH2_PROVIDER_DOWN;
    }

    /* whoever has logged out in the meantime has done so */

    if (reply->items[0].type != TORII_RESP_STRING) {
        return OAUTH2_GRANT;
    }

    ngx_memzero(&plain, sizeof(torii_buf_t));

    rc = oauth2_ticket_read(&f->ticket, &f->bind, reply->items[0].text, &plain,
                            &s);

    if (rc == OAUTH2_OK) {
        *newer = !torii_str_eq(s.refresh_token, f->session.refresh_token)
                 || s.token_expires != f->session.token_expires;
    }

    if (plain.data) {
        ngx_explicit_memzero(plain.data, plain.len);
    }

    torii_buf_free(&plain);

    return rc;
}


ngx_int_t
ngx_torii_login_fly_keep(ngx_torii_login_flying_t *f,
    const oauth2_session_t *s)
{
    return ngx_http_torii_ticket_replace(f->provider, &f->bind, &f->ticket, s,
                                         ngx_torii_login_fly_kept, f)
           ? NGX_OK : NGX_ERROR;
}


static void
ngx_torii_login_fly_kept(void *data, const torii_resp_t *reply)
{
    ngx_torii_login_flying_t *f = data;

    oauth2_fail_e  fail;

    if (reply && reply->value.type == TORII_RESP_STATUS) {
        fail = OAUTH2_OK;

    } else if (reply && reply->value.type == TORII_RESP_NIL) {
        fail = OAUTH2_GRANT;

    } else {
        fail = OAUTH2_PROVIDER_DOWN;
    }

    ngx_torii_login_flown_to(f, torii_str("stored"), fail);
}


void
ngx_torii_login_fly_spent(ngx_torii_login_flying_t *f)
{
    if (f->locked) {
        f->session.refresh_dead = 1;

        (void) ngx_http_torii_ticket_replace(f->provider, &f->bind, &f->ticket,
                                             &f->session, NULL, NULL);
    }
}


void
ngx_torii_login_fly_left(ngx_torii_login_flying_t *f)
{
    if (f->locked) {
        ngx_http_torii_ticket_release(f->provider, "refresh", f->id);
    }

    ngx_explicit_memzero(&f->ticket, sizeof(oauth2_ticket_t));

    if (f->held) {
        ngx_http_torii_provider_leave(f->provider);
    }
}
