
/*
 * The gate: who may go on to the backend of a route with a login.  What is not
 * known to be allowed is denied.
 */

#include "ngx_http_torii_gate.h"
#include "ngx_http_torii_ticket.h"


#define NGX_HTTP_TORII_LOGIN_POLL  20      /* ms between looks at what another
                                              request has asked for */
#define NGX_HTTP_TORII_LOGIN_KEYS  2000    /* ms that a token waits for its
                                              key */
#define NGX_HTTP_TORII_LOGIN_TICKET  2000  /* ms that Redis is waited for; it
                                              fails before */


/* One look at one request. */

typedef struct {
    ngx_http_torii_provider_t     *provider;
    const ingress_table_login_t   *login;
    ngx_http_torii_login_rules_t  *rules;
    const oauth2_session_t        *session;
    unsigned                       bearer:1;   /* it is a token's */
    unsigned                       skip:1;     /* nobody has to log in */
} ngx_http_torii_entry_t;


static ngx_int_t ngx_http_torii_entry_open(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_entry_t *g);
static ngx_uint_t ngx_http_torii_entry_skips(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_entry_t *g);
static torii_str_t ngx_http_torii_entry_raw(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_entry_session(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_entry_t *g, oauth2_fail_e *fail);
static ngx_int_t ngx_http_torii_entry_refresh(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_entry_t *g, oauth2_fail_e *fail);
static ngx_int_t ngx_http_torii_entry_again(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_entry_t *g);
static void ngx_http_torii_entry_told(void *data, ngx_uint_t ok);
static void ngx_http_torii_entry_spent(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_entry_t *g);
static void ngx_http_torii_entry_touch(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_entry_t *g);
static oauth2_fail_e ngx_http_torii_entry_allowed(ngx_http_request_t *r,
    ngx_http_torii_entry_t *g);
static ngx_uint_t ngx_http_torii_entry_foreign(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_int_t ngx_http_torii_entry_refuse(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_entry_t *g, ngx_uint_t known,
    oauth2_fail_e fail);
static ngx_int_t ngx_http_torii_entry_pass(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_entry_t *g);
static ngx_int_t ngx_http_torii_entry_user(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const oauth2_session_t *s);
static ngx_int_t ngx_http_torii_entry_poll(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);


ngx_int_t
ngx_http_torii_login(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    torii_str_t            target;
    ngx_http_torii_entry_t  g;

    ngx_memzero(&g, sizeof(ngx_http_torii_entry_t));

    g.login = ngx_http_torii_login_of(ctx->table, ctx->policy);

    if (g.login == NULL) {
        return NGX_DECLINED;
    }

    g.provider = ngx_http_torii_provider(ctx->table, g.login->provider,
                                         r->connection->log);

    if (g.provider) {
        g.rules = ngx_http_torii_login_rules(ctx->table,
                                             ctx->policy->login - 1,
                                             g.provider, r->connection->log);
    }

    if (g.rules == NULL) {
        ctx->auth_status = "error";
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    target.len = r->unparsed_uri.len;
    target.data = r->unparsed_uri.data;

    if (oauth2_path_refused(target)) {
        ctx->auth_status = "error";
        return NGX_HTTP_BAD_REQUEST;
    }

    return ngx_http_torii_entry_open(r, ctx, &g);
}


static ngx_int_t
ngx_http_torii_entry_open(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_entry_t *g)
{
    ngx_int_t      rc;
    oauth2_fail_e  fail;

    g->skip = ngx_http_torii_entry_skips(r, ctx, g);

    rc = ngx_http_torii_entry_session(r, ctx, g, &fail);
    if (rc != NGX_OK) {
        return rc;
    }

    if (fail == OAUTH2_OK) {
        fail = ngx_http_torii_entry_allowed(r, g);

        if (fail == OAUTH2_OK) {
            ctx->auth_status = g->skip ? "skip" : "ok";

        } else if (!g->skip && !(g->login->flags & INGRESS_LOGIN_OPTIONAL)) {
            return ngx_http_torii_entry_refuse(r, ctx, g, 1, fail);
        }
    }

    if (fail != OAUTH2_OK) {
        g->session = NULL;

        if (!g->skip && (!(g->login->flags & INGRESS_LOGIN_OPTIONAL)
                         || g->bearer))
        {
            return ngx_http_torii_entry_refuse(r, ctx, g, 0, fail);
        }

        ctx->auth_status = g->skip ? "skip" : "anon";
    }

    /* a page of another site can open a WebSocket with this one's cookies */

    if (g->session && !g->bearer && ngx_http_torii_entry_foreign(r, ctx)) {
        ctx->auth_status = "deny";
        ctx->auth_reason = "origin";
        return NGX_HTTP_FORBIDDEN;
    }

    return ngx_http_torii_entry_pass(r, ctx, g);
}


/* The target as it came, up to "?"; and what nginx made of it. */

static ngx_uint_t
ngx_http_torii_entry_skips(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_entry_t *g)
{
    torii_str_t               method, origin, wanted, raw, path;
    const oauth2_settings_t  *s;

    s = &g->provider->settings;

    if (s->nskip == 0 && g->rules->nskip == 0 && !s->preflight) {
        return 0;
    }

    method.len = r->method_name.len;
    method.data = r->method_name.data;

    if (s->preflight && r->method == NGX_HTTP_OPTIONS) {
        origin = ngx_http_torii_login_field(r, "origin");
        wanted = ngx_http_torii_login_field(r,
                                            "access-control-request-method");

        if (oauth2_skip_preflight(method, origin, wanted)) {
            return 1;
        }
    }

    raw = ngx_http_torii_entry_raw(r);
    path.len = ctx->uri.len;
    path.data = ctx->uri.data;

    torii_regex_begin(ngx_torii_regexes());

    return oauth2_skip_match(s->skip, s->nskip, ngx_torii_regexes(), method,
                             raw, path)
           || oauth2_skip_match(g->rules->skip, g->rules->nskip,
                                ngx_torii_regexes(), method, raw, path);
}


static torii_str_t
ngx_http_torii_entry_raw(ngx_http_request_t *r)
{
    u_char       *p;
    torii_str_t   raw;

    raw.data = r->unparsed_uri.data;
    raw.len = r->unparsed_uri.len;

    p = ngx_strlchr(raw.data, raw.data + raw.len, '?');

    if (p) {
        raw.len = p - raw.data;
    }

    return raw;
}


/* NGX_OK: *fail says what came of it; else what the handler returns. */

static ngx_int_t
ngx_http_torii_entry_session(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_entry_t *g, oauth2_fail_e *fail)
{
    ngx_int_t  rc;

    if (g->provider->settings.bearer) {

        *fail = ngx_http_torii_login_bearer(r, ctx, g->provider,
                                            &g->session);

        if (*fail == OAUTH2_TOKEN_KEY && !ctx->auth_late
            && (ctx->auth_wait == 0
                || ngx_current_msec - ctx->auth_wait
                   < NGX_HTTP_TORII_LOGIN_KEYS))
        {
            return ngx_http_torii_entry_poll(r, ctx);
        }

        if (*fail != OAUTH2_SESSION_NONE) {

            /* one that is no good is not helped by a cookie */

            g->bearer = 1;
            return NGX_OK;
        }
    }

    rc = ngx_http_torii_ticket(r, g->provider, ngx_http_torii_entry_told, r);

    if (rc == NGX_AGAIN) {
        return ngx_http_torii_gate_wait(r, NGX_HTTP_TORII_LOGIN_TICKET);
    }

    /* Redis is out of reach: only where nobody has to log in */

    if (rc != NGX_OK) {
        *fail = OAUTH2_SESSION_NONE;
        ctx->auth_status = "error";
        return g->skip ? NGX_OK : NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    *fail = ngx_http_torii_session(r, g->provider, &g->session);

    if (*fail != OAUTH2_OK) {

        if (*fail != OAUTH2_SESSION_NONE) {
            ctx->auth_cookie = 1;

            if (ngx_http_torii_session_clear(r, g->provider) != NGX_OK) {
                return NGX_HTTP_INTERNAL_SERVER_ERROR;
            }
        }

        return NGX_OK;
    }

    /* made for other rules than those of today: what they ask may be missing */

    if (g->rules->wants_groups
        && g->session->projection != g->provider->projection_hash)
    {
        *fail = OAUTH2_SESSION_EXPIRED;
        return NGX_OK;
    }

    return ngx_http_torii_entry_refresh(r, ctx, g, fail);
}


static ngx_int_t
ngx_http_torii_entry_refresh(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_entry_t *g, oauth2_fail_e *fail)
{
    oauth2_bind_t              bind;
    oauth2_cookie_t            cookie;
    const oauth2_session_t    *s;
    ngx_torii_login_refresh_t  refresh;

    s = g->session;

    if (s->refresh_token.len == 0
        || !oauth2_refresh_due(s, ngx_torii_login_ms()))
    {
        ngx_http_torii_entry_touch(r, ctx, g);
        return NGX_OK;
    }

    ngx_http_torii_session_cookie(r, g->provider, &cookie, &bind);

    ngx_torii_login_refresh(r, g->provider, &bind, s,
                            g->provider->settings.headers
                            & (OAUTH2_PASS_ACCESS_TOKEN
                               |OAUTH2_PASS_AUTHORIZATION
                               |OAUTH2_SET_AUTHORIZATION),
                            ctx->auth_late, &refresh);

    switch (refresh.what) {

    case OAUTH2_REFRESH_WAIT_OTHER:
        return ngx_http_torii_entry_poll(r, ctx);

    case OAUTH2_REFRESH_LOGIN:
        *fail = OAUTH2_SESSION_EXPIRED;
        return NGX_OK;

    case OAUTH2_REFRESH_TAKE:

        if (g->provider->redis) {
            return ngx_http_torii_entry_again(r, ctx, g);
        }

        *fail = ngx_http_torii_session_sealed(r, g->provider, refresh.sealed,
                                              &g->session);

        if (*fail != OAUTH2_OK) {
            return NGX_OK;
        }

        ctx->auth_cookie = 1;

        if (ngx_http_torii_session_put(r, g->provider, refresh.sealed,
                                       g->session->expires - ngx_time())
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return NGX_OK;

    case OAUTH2_REFRESH_SPENT:
        ngx_http_torii_entry_spent(r, ctx, g);
        return NGX_OK;

    default:

        /* a cookie with a token that is about to be spent is not set anew: it
           might come after the next one */

        if (s->refresh_dead) {
            ngx_http_torii_entry_touch(r, ctx, g);
        }

        return NGX_OK;
    }
}


/* The provider refused its refresh token: the cookie tells, so that it is not
   asked again. */

static void
ngx_http_torii_entry_spent(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_entry_t *g)
{
    oauth2_session_t  s;

    if (g->provider->redis) {
        ngx_http_torii_entry_touch(r, ctx, g);
        return;
    }

    oauth2_session_copy(&s, g->session);
    s.refresh_dead = 1;
    s.seen = ngx_time();

    if (ngx_http_torii_session_set(r, g->provider, &s) == OAUTH2_OK) {
        ctx->auth_cookie = 1;
    }
}


/* The new session lies where the old one did. */

static ngx_int_t
ngx_http_torii_entry_again(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_entry_t *g)
{
    switch (ngx_http_torii_ticket_again(r, g->provider,
                                        ngx_http_torii_entry_told, r))
    {
    case NGX_AGAIN:
        return ngx_http_torii_gate_wait(r, NGX_HTTP_TORII_LOGIN_TICKET);

    case NGX_ERROR:
        ctx->auth_status = "error";
        return NGX_HTTP_SERVICE_UNAVAILABLE;

    default:
        return NGX_OK;
    }
}


static void
ngx_http_torii_entry_told(void *data, ngx_uint_t ok)
{
    ngx_http_torii_gate_wake(data);
}


/* Its idle time begins anew.  A session that cannot be sealed goes on as is. */

static void
ngx_http_torii_entry_touch(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_entry_t *g)
{
    oauth2_session_t  s;

    /* Redis counts it, from when the session was asked for */

    if (g->provider->redis
        || !oauth2_session_touch(g->session, ngx_time(),
                                 &g->provider->settings.life))
    {
        return;
    }

    oauth2_session_copy(&s, g->session);
    s.seen = ngx_time();

    if (ngx_http_torii_session_set(r, g->provider, &s) == OAUTH2_OK) {
        ctx->auth_cookie = 1;
    }
}


static oauth2_fail_e
ngx_http_torii_entry_allowed(ngx_http_request_t *r, ngx_http_torii_entry_t *g)
{
    oauth2_fail_e  fail;

    fail = oauth2_policy_check(&g->provider->settings.policy, g->session);

    if (fail == OAUTH2_OK) {
        fail = oauth2_policy_check(&g->rules->policy, g->session);
    }

    if (fail == OAUTH2_OK
        && !(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_OPTIONS)))
    {
        fail = oauth2_policy_check(&g->rules->writers, g->session);
    }

    return fail;
}


static ngx_uint_t
ngx_http_torii_entry_foreign(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    size_t      len;
    ngx_str_t  *origin, *host;

    if (ctx->upgrade == NULL || ctx->origin == NULL) {
        return 0;
    }

    origin = &ctx->origin->value;
    host = &ctx->best_host;

    if (ngx_strncasecmp(origin->data, (u_char *) "https://", 8) == 0) {
        len = 8;

    } else if (ngx_strncasecmp(origin->data, (u_char *) "http://", 7) == 0) {
        len = 7;

    } else {
        return 1;
    }

    return origin->len - len != host->len
           || ngx_strncasecmp(origin->data + len, host->data, host->len) != 0;
}


static ngx_int_t
ngx_http_torii_entry_refuse(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_entry_t *g, ngx_uint_t known, oauth2_fail_e fail)
{
    oauth2_kind_e  kind;

    ctx->auth_status = known ? "deny"
                       : (fail == OAUTH2_SESSION_NONE) ? "anon" : "expired";
    ctx->auth_reason = oauth2_fail_name(fail);

    ngx_torii_login_meter(g->provider, NGX_TORII_METER_DENIED, fail);

    kind = ngx_http_torii_login_kind(r, ctx, g->provider,
                                     g->bearer
                                     || (g->login->flags & INGRESS_LOGIN_API));

    if (known) {
        ngx_torii_login_audit(r->connection->log, g->provider, "denied",
                              g->session->sub, ctx->auth_reason);

        if (ngx_http_torii_entry_user(r, ctx, g->session) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_http_torii_login_deny(r, ctx, g->provider, kind, known, fail);
}


static ngx_int_t
ngx_http_torii_entry_pass(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_entry_t *g)
{
    const oauth2_session_t  *s;

    s = g->session;

    if (s && ngx_http_torii_entry_user(r, ctx, s) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_torii_login_headers(r, ctx, g->provider, g->login, g->rules,
                                     s)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->auth_session = (s != NULL && !g->bearer);

    return NGX_DECLINED;
}


/* For logs: the session is gone when they are written. */

static ngx_int_t
ngx_http_torii_entry_user(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    const oauth2_session_t *s)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, s->sub.len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->auth_user.data = p;
    ctx->auth_user.len = s->sub.len;
    ngx_memcpy(p, s->sub.data, s->sub.len);

    return NGX_OK;
}


/* Another request has asked for what this one needs. */

static ngx_int_t
ngx_http_torii_entry_poll(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    if (ctx->auth_wait == 0) {
        ctx->auth_wait = ngx_current_msec ? ngx_current_msec : 1;
    }

    if (ngx_current_msec - ctx->auth_wait >= OAUTH2_REFRESH_WAIT) {
        ctx->auth_late = 1;
    }

    return ngx_http_torii_gate_wait(r, NGX_HTTP_TORII_LOGIN_POLL);
}
