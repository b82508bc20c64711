
/*
 * Sessions whose token ends are refreshed by one request of all that come with
 * them, in whatever worker; the request itself goes on meanwhile, if it can.
 * What came of it lies in the zone, for everybody who still has the old cookie.
 */

#include "ngx_http_torii_ticket.h"
#include "ngx_torii_login_fly.h"


static ngx_int_t ngx_torii_login_fly(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, const oauth2_bind_t *bind,
    const oauth2_session_t *s, const uint8_t id[16], uint32_t owner);
static void ngx_torii_login_flown(void *data, oauth2_exchange_t *x,
    oauth2_fail_e fail);


void
ngx_torii_login_refresh(ngx_http_request_t *r, ngx_http_torii_provider_t *p,
    const oauth2_bind_t *bind, const oauth2_session_t *s,
    ngx_uint_t needs_token, ngx_uint_t waited, ngx_torii_login_refresh_t *out)
{
    size_t             len;
    uint8_t            id[16];
    uint64_t           now;
    ngx_time_t        *tp;
    oauth2_refresh_t   conf;
    oauth2_refresh_e   what;

    static u_char      result[OAUTH2_SEALED_MAX];
    static uint32_t    serial;

    ngx_memzero(&conf, sizeof(oauth2_refresh_t));
    ngx_memzero(out, sizeof(ngx_torii_login_refresh_t));

    conf.needs_token = needs_token ? 1 : 0;
    conf.waited = waited ? 1 : 0;
    conf.max_stale = p->settings.max_stale * 1000;
    conf.owner = ((uint32_t) ngx_pid << 12 ^ ++serial) | 1;

    if (s->refresh_dead || oauth2_refresh_id(s, id) != TORII_OK
        || !p->settings.provider.ready)
    {
        tp = ngx_timeofday();
        now = (uint64_t) tp->sec * 1000 + tp->msec;

        ngx_memzero(id, sizeof(id));
        out->what = oauth2_refresh_decide(s, &conf, NULL, id, now);
        return;
    }

    what = ngx_torii_login_flight(s, &conf, id, result, &len);

    switch (what) {

    case OAUTH2_REFRESH_BEGIN:
    case OAUTH2_REFRESH_BEGIN_WAIT:

        if (ngx_torii_login_fly(r, p, bind, s, id, conf.owner) != NGX_OK) {
            ngx_torii_login_flight_failed(id, conf.owner,
                                          OAUTH2_PROVIDER_DOWN);
        }

        out->what = (what == OAUTH2_REFRESH_BEGIN) ? OAUTH2_REFRESH_NO
                                                   : OAUTH2_REFRESH_WAIT_OTHER;
        return;

    case OAUTH2_REFRESH_TAKE:

        out->sealed.data = ngx_pnalloc(r->pool, len);

        if (out->sealed.data == NULL) {
            out->what = OAUTH2_REFRESH_NO;
            return;
        }

        ngx_memcpy(out->sealed.data, result, len);
        out->sealed.len = len;
        out->what = what;

        ngx_torii_login_count(NGX_TORII_LOGIN_REFRESH_JOINED);
        return;

    default:
        out->what = what;
        return;
    }
}


/* The request may end before the answer comes: all is copied. */

static ngx_int_t
ngx_torii_login_fly(ngx_http_request_t *r, ngx_http_torii_provider_t *p,
    const oauth2_bind_t *bind, const oauth2_session_t *s,
    const uint8_t id[16], uint32_t owner)
{
    torii_str_t                plain;
    ngx_torii_login_flying_t  *f;

    f = torii_zalloc(sizeof(ngx_torii_login_flying_t));

    f->provider = p;
    f->owner = owner;
    ngx_memcpy(f->id, id, sizeof(f->id));

    f->arena = torii_arena_create(1024);
    f->bind.use = bind->use;
    f->bind.name = torii_arena_str(f->arena, bind->name);
    f->bind.host = torii_arena_str(f->arena, bind->host);
    f->bind.provider = torii_arena_str(f->arena, bind->provider);

    (void) torii_buf_room(&f->plain, OAUTH2_OPEN_MAX);

    if (oauth2_session_write(s, &f->plain) == TORII_OK) {

        plain.data = f->plain.data;
        plain.len = f->plain.len;

        if (oauth2_session_read(plain, &f->session) == TORII_OK
            && (p->redis ? ngx_torii_login_fly_stored(r, f)
                         : ngx_torii_login_fly_ask(f))
               == NGX_OK)
        {
            return NGX_OK;
        }
    }

    ngx_torii_login_landed(f);

    return NGX_ERROR;
}


ngx_int_t
ngx_torii_login_fly_ask(ngx_torii_login_flying_t *f)
{
    return ngx_torii_login_renew(f->provider, &f->session,
                                 ngx_torii_login_flown, f)
           ? NGX_OK : NGX_ERROR;
}


static void
ngx_torii_login_flown(void *data, oauth2_exchange_t *x, oauth2_fail_e fail)
{
    ngx_torii_login_flying_t *f = data;

    torii_buf_t                 b;
    torii_str_t                 sealed;
    ngx_http_torii_provider_t  *p;

    static oauth2_session_t     session;

    p = f->provider;

    if (fail == OAUTH2_OK) {
        fail = oauth2_exchange_session(x, ngx_time(), &p->settings.life,
                                       &p->projection, p->settings.keep,
                                       &session);
    }

    if (fail == OAUTH2_OK && p->redis) {

        if (ngx_torii_login_fly_keep(f, &session) == NGX_OK) {
            return;
        }

        fail = OAUTH2_SESSION_SIZE;
    }

    ngx_memzero(&b, sizeof(torii_buf_t));

    if (fail == OAUTH2_OK) {
        fail = oauth2_session_seal(p->ring, &f->bind, &session, &b);
    }

    if (fail == OAUTH2_GRANT) {
        ngx_torii_login_fly_spent(f);
    }

    sealed.data = b.data;
    sealed.len = b.len;

    ngx_torii_login_flown_to(f, sealed, fail);

    torii_buf_free(&b);
}


void
ngx_torii_login_flown_to(ngx_torii_login_flying_t *f, torii_str_t sealed,
    oauth2_fail_e fail)
{
    torii_str_t  id;

    id = f->provider->id;

    if (fail == OAUTH2_OK) {
        ngx_torii_login_flight_done(f->id, f->owner, sealed);
        ngx_torii_login_count(NGX_TORII_LOGIN_REFRESHED);

    } else {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "torii: a session of login provider \"%*s\" is not "
                      "refreshed: %s", id.len, id.data,
                      oauth2_fail_name(fail));

        ngx_torii_login_flight_failed(f->id, f->owner, fail);
        ngx_torii_login_count(NGX_TORII_LOGIN_REFRESH_FAILED);
    }

    ngx_torii_login_landed(f);
}


void
ngx_torii_login_landed(ngx_torii_login_flying_t *f)
{
    ngx_torii_login_fly_left(f);

    if (f->plain.data) {
        OPENSSL_cleanse(f->plain.data, f->plain.size);
    }

    torii_buf_free(&f->plain);
    torii_arena_destroy(f->arena);
    free(f);
}
