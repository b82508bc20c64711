
/*
 * What is asked about sessions: PREFIX/auth and userinfo, by other proxies and
 * by applications; and their end, sign_out by the person and backchannel-logout
 * by the provider.
 */

#include "ngx_http_torii_endpoint.h"
#include "ngx_http_torii_ticket.h"


#define NGX_HTTP_TORII_JTI_AGE  3600       /* s that a logout token without a
                                              sensible end is remembered */


static oauth2_fail_e ngx_http_torii_auth_session(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t **p, const oauth2_session_t **s);
static ngx_int_t ngx_http_torii_auth_refresh(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, const oauth2_session_t **s);
static ngx_int_t ngx_http_torii_auth_headers(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s);
static ngx_int_t ngx_http_torii_auth_header(ngx_http_request_t *r, char *name,
    torii_str_t value);

static ngx_int_t ngx_http_torii_sign_out_do(ngx_http_torii_endpoint_t *e);
static void ngx_http_torii_sign_out_states(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p);
static ngx_int_t ngx_http_torii_sign_out_away(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, torii_str_t hint);

static oauth2_fail_e ngx_http_torii_backchannel_check(
    ngx_http_torii_endpoint_t *e, oauth2_token_t *token);
static ngx_int_t ngx_http_torii_backchannel_end(ngx_http_torii_endpoint_t *e,
    oauth2_token_t *token);
static ngx_int_t ngx_http_torii_backchannel_answer(
    ngx_http_torii_endpoint_t *e, ngx_uint_t status);
static ngx_int_t ngx_http_torii_backchannel_keys(ngx_http_torii_endpoint_t *e,
    torii_str_t kid);
static void ngx_http_torii_backchannel_keyed(void *data, oauth2_fail_e fail);


/* Of the providers of this host, the one that the person has logged in by. */

static oauth2_fail_e
ngx_http_torii_auth_session(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t **p, const oauth2_session_t **s)
{
    ngx_uint_t     i;
    oauth2_fail_e  rc;

    rc = OAUTH2_SESSION_NONE;

    for (i = 0; i < e->n; i++) {
        *p = e->providers[i];

        rc = ngx_http_torii_session(e->request, *p, s);

        if (rc != OAUTH2_OK) {
            continue;
        }

        if ((*s)->projection != (*p)->projection_hash) {
            rc = OAUTH2_SESSION_EXPIRED;
            continue;
        }

        return OAUTH2_OK;
    }

    return rc;
}


/* Whoever asks gets the new cookie, and passes it on. */

static ngx_int_t
ngx_http_torii_auth_refresh(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, const oauth2_session_t **s)
{
    oauth2_bind_t              bind;
    oauth2_cookie_t            cookie;
    ngx_http_request_t        *r;
    ngx_torii_login_refresh_t  refresh;

    r = e->request;

    ngx_http_torii_session_cookie(r, p, &cookie, &bind);
    ngx_torii_login_refresh(r, p, &bind, *s, 0, 1, &refresh);

    switch (refresh.what) {

    case OAUTH2_REFRESH_TAKE:

        /* the ticket is for the new one as well, which comes soon */

        if (p->redis) {
            return NGX_OK;
        }

        if (ngx_http_torii_session_sealed(r, p, refresh.sealed, s)
            != OAUTH2_OK)
        {
            return NGX_ERROR;
        }

        return ngx_http_torii_session_put(r, p, refresh.sealed,
                                          (*s)->expires - ngx_time());

    case OAUTH2_REFRESH_LOGIN:
        return NGX_ERROR;

    default:
        return NGX_OK;
    }
}


ngx_int_t
ngx_http_torii_endpoint_auth(ngx_http_torii_endpoint_t *e)
{
    oauth2_policy_t             policy;
    const oauth2_session_t     *s;
    ngx_http_torii_provider_t  *p;

    if (ngx_http_torii_auth_session(e, &p, &s) != OAUTH2_OK
        || ngx_http_torii_auth_refresh(e, p, &s) != NGX_OK)
    {
        return ngx_http_torii_endpoint_send(e->request, NGX_HTTP_UNAUTHORIZED,
                                            "text/plain", NULL);
    }

    ngx_memzero(&policy, sizeof(oauth2_policy_t));

    if (oauth2_policy_check(&p->settings.policy, s) != OAUTH2_OK
        || oauth2_policy_query(e->arena, e->args, &policy) != NULL
        || oauth2_policy_check(&policy, s) != OAUTH2_OK)
    {
        return ngx_http_torii_endpoint_send(e->request, NGX_HTTP_FORBIDDEN,
                                            "text/plain", NULL);
    }

    if (ngx_http_torii_auth_headers(e, p, s) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_torii_endpoint_send(e->request, NGX_HTTP_ACCEPTED,
                                        "text/plain", NULL);
}


static ngx_int_t
ngx_http_torii_auth_headers(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s)
{
    ngx_int_t            rc;
    torii_buf_t          groups;
    torii_str_t          text;
    ngx_http_request_t  *r;

    r = e->request;

    ngx_memzero(&groups, sizeof(torii_buf_t));
    (void) oauth2_session_groups(s, &groups);

    text.data = groups.data;
    text.len = groups.len;

    rc = NGX_OK;

    if (p->settings.headers & OAUTH2_PASS_XAUTH) {
        rc |= ngx_http_torii_auth_header(r, "X-Auth-Request-User", s->sub);
        rc |= ngx_http_torii_auth_header(r, "X-Auth-Request-Email", s->email);
        rc |= ngx_http_torii_auth_header(r,
                                      "X-Auth-Request-Preferred-Username",
                                      s->user);
        rc |= ngx_http_torii_auth_header(r, "X-Auth-Request-Groups", text);

        if (p->settings.headers & OAUTH2_PASS_ACCESS_TOKEN) {
            rc |= ngx_http_torii_auth_header(r, "X-Auth-Request-Access-Token",
                                             s->access_token);
        }
    }

    torii_buf_free(&groups);

    if ((p->settings.headers & OAUTH2_SET_AUTHORIZATION) && s->id_token.len) {
        text = torii_arena_printf(e->arena, "Bearer %.*s",
                                  torii_str_arg(s->id_token));
        rc |= ngx_http_torii_auth_header(r, "Authorization", text);
    }

    return rc ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_torii_auth_header(ngx_http_request_t *r, char *name,
    torii_str_t value)
{
    if (!oauth2_header_value_ok(value)) {
        return NGX_OK;
    }

    return ngx_http_torii_endpoint_header(r, name, value);
}


ngx_int_t
ngx_http_torii_endpoint_userinfo(ngx_http_torii_endpoint_t *e)
{
    uint32_t                    i;
    ngx_int_t                   rc;
    torii_buf_t                 b;
    const oauth2_session_t     *s;
    ngx_http_torii_provider_t  *p;

    if (ngx_http_torii_session_no_store(e->request) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_torii_auth_session(e, &p, &s) != OAUTH2_OK
        || oauth2_policy_check(&p->settings.policy, s) != OAUTH2_OK)
    {
        return ngx_http_torii_endpoint_send(e->request, NGX_HTTP_UNAUTHORIZED,
                                            "application/json", NULL);
    }

    ngx_memzero(&b, sizeof(torii_buf_t));

    torii_buf_adds(&b, "{\"user\":");
    torii_buf_add_json(&b, s->sub);
    torii_buf_adds(&b, ",\"email\":");
    torii_buf_add_json(&b, s->email);
    torii_buf_adds(&b, ",\"groups\":[");

    for (i = 0; i < s->ngroups; i++) {
        torii_buf_adds(&b, i ? "," : "");
        torii_buf_add_json(&b, s->groups[i]);
    }

    torii_buf_adds(&b, "],\"preferredUsername\":");
    torii_buf_add_json(&b, s->user);
    torii_buf_adds(&b, "}\n");

    rc = ngx_http_torii_endpoint_send(e->request, NGX_HTTP_OK,
                                      "application/json", &b);
    torii_buf_free(&b);

    return rc;
}


ngx_int_t
ngx_http_torii_endpoint_sign_out(ngx_http_torii_endpoint_t *e)
{
    torii_str_t          method;
    oauth2_leaver_t      leaver;
    ngx_http_request_t  *r;

    r = e->request;

    method.len = r->method_name.len;
    method.data = r->method_name.data;

    leaver.method = (r->method == NGX_HTTP_HEAD) ? torii_str("GET") : method;
    leaver.origin = ngx_http_torii_login_field(r, "Origin");
    leaver.referer = ngx_http_torii_login_field(r, "Referer");
    leaver.fetch_site = ngx_http_torii_login_field(r, "Sec-Fetch-Site");
    leaver.self = e->origin;

    switch (oauth2_logout_check(&leaver)) {

    case OAUTH2_LOGOUT_DO:
        return ngx_http_torii_sign_out_do(e);

    case OAUTH2_LOGOUT_ASK:
        return ngx_http_torii_endpoint_page(e, e->providers[0],
                                      NGX_HTTP_TORII_PAGE_SIGN_OUT,
                                      NGX_HTTP_OK, OAUTH2_OK,
                                      ngx_http_torii_endpoint_rd(e,
                                                          e->providers[0], 1));

    default:
        return NGX_HTTP_FORBIDDEN;
    }
}


/* All cookies go, whether they open or not. */

static ngx_int_t
ngx_http_torii_sign_out_do(ngx_http_torii_endpoint_t *e)
{
    ngx_uint_t                  i;
    torii_str_t                 hint, rd;
    const oauth2_session_t     *s;
    ngx_http_torii_provider_t  *p, *left;

    left = NULL;
    hint = torii_str("");

    for (i = 0; i < e->n; i++) {
        p = e->providers[i];

        if (ngx_http_torii_session(e->request, p, &s) == OAUTH2_OK) {

            ngx_http_torii_session_revoke(p, s);
            ngx_http_torii_ticket_delete(e->request, p);
            ngx_torii_login_count(NGX_TORII_LOGIN_SIGNED_OUT);
            ngx_torii_login_audit(e->request->connection->log, p,
                                  "logged out", s->sub, NULL);

            if (p->settings.provider.ready) {
                ngx_torii_login_take_back(p, s->refresh_token);
            }

            if (left == NULL) {
                left = p;
                hint = torii_arena_str(e->arena, s->id_token);
            }
        }

        if (ngx_http_torii_session_clear(e->request, p) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_http_torii_sign_out_states(e, p);
    }

    if (left && left->settings.end_session && left->settings.provider.ready
        && left->settings.provider.endpoints.end_session.len)
    {
        return ngx_http_torii_sign_out_away(e, left, hint);
    }

    rd = ngx_http_torii_endpoint_rd(e, e->providers[0], 1);

    if (rd.len == 0) {
        return ngx_http_torii_endpoint_page(e, e->providers[0],
                                            NGX_HTTP_TORII_PAGE_SIGNED_OUT,
                                            NGX_HTTP_OK, OAUTH2_OK,
                                            torii_str("/"));
    }

    return ngx_http_torii_endpoint_redirect(e->request, rd);
}


/* Logins that have begun in other tabs end, too. */

static void
ngx_http_torii_sign_out_states(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p)
{
    uint32_t                  i;
    oauth2_bind_t             bind;
    oauth2_states_t           states;
    oauth2_cookie_t           cookie;
    ngx_http_torii_cookies_t  cookies;

    cookies.request = e->request;
    cookies.failed = 0;

    ngx_http_torii_session_cookie(e->request, p, &cookie, &bind);
    oauth2_cookie_states(e->line, bind.name, &states);

    for (i = 0; i < states.n; i++) {
        cookie.name = states.names[i];
        oauth2_cookie_clear(&cookie, NULL, ngx_http_torii_session_add,
                            &cookies);
    }
}


static ngx_int_t
ngx_http_torii_sign_out_away(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, torii_str_t hint)
{
    ngx_int_t    rc;
    torii_buf_t  b;
    torii_str_t  url;

    ngx_memzero(&b, sizeof(torii_buf_t));

    (void) oauth2_logout_url(&p->settings.provider, hint,
                             p->settings.post_logout, &b);

    url.data = b.data;
    url.len = b.len;

    rc = ngx_http_torii_endpoint_redirect(e->request, url);

    torii_buf_free(&b);

    return rc;
}


ngx_int_t
ngx_http_torii_endpoint_backchannel(ngx_http_torii_endpoint_t *e)
{
    oauth2_fail_e   rc;
    oauth2_token_t  token;

    rc = ngx_http_torii_backchannel_check(e, &token);

    if (rc == OAUTH2_OK) {
        return ngx_http_torii_backchannel_end(e, &token);
    }

    if (rc == OAUTH2_TOKEN_KEY && e->provider && !e->keyed
        && ngx_http_torii_backchannel_keys(e, token.kid) == NGX_OK)
    {
        return ngx_http_torii_endpoint_wait(e);
    }

    ngx_log_error(NGX_LOG_WARN, e->request->connection->log, 0,
                  "torii: a logout token is refused: %s",
                  oauth2_fail_name(rc));

    return ngx_http_torii_backchannel_answer(e, NGX_HTTP_BAD_REQUEST);
}


/* The request may end first. */

static ngx_int_t
ngx_http_torii_backchannel_keys(ngx_http_torii_endpoint_t *e, torii_str_t kid)
{
    e->link = torii_malloc(sizeof(ngx_http_torii_endpoint_link_t));
    e->link->endpoint = e;

    return ngx_torii_login_keys(e->provider, kid,
                                ngx_http_torii_backchannel_keyed, e->link);
}


static void
ngx_http_torii_backchannel_keyed(void *data, oauth2_fail_e fail)
{
    ngx_http_torii_endpoint_link_t *link = data;

    ngx_int_t                   rc;
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_torii_endpoint_t  *e;

    e = link->endpoint;

    free(link);

    if (e == NULL) {
        return;
    }

    r = e->request;
    c = r->connection;

    e->link = NULL;
    e->keyed = 1;
    r->read_event_handler = ngx_http_block_reading;

    rc = ngx_http_torii_endpoint_backchannel(e);

    ngx_http_torii_endpoint_resume(r, c, rc);
}


/* By the provider whose it is; else one whose keys may be old. */

static oauth2_fail_e
ngx_http_torii_backchannel_check(ngx_http_torii_endpoint_t *e,
    oauth2_token_t *token)
{
    ngx_uint_t                  i;
    oauth2_fail_e               rc, last;
    oauth2_token_t              out;
    ngx_http_torii_provider_t  *p;

    last = OAUTH2_PARAMETER;
    e->provider = NULL;

    for (i = 0; i < e->n; i++) {
        p = e->providers[i];

        ngx_memzero(&out, sizeof(oauth2_token_t));

        rc = oauth2_logout_backchannel(e->arena, &p->settings.provider,
                                       oauth2_keys_get(p->keys), e->params,
                                       ngx_time(), &out);

        if (rc == OAUTH2_OK) {
            e->provider = p;
            *token = out;
            return OAUTH2_OK;
        }

        if (last != OAUTH2_TOKEN_KEY) {
            last = rc;

            if (rc == OAUTH2_TOKEN_KEY && p->settings.provider.ready) {
                e->provider = p;
                *token = out;
            }
        }
    }

    return last;
}


static ngx_int_t
ngx_http_torii_backchannel_end(ngx_http_torii_endpoint_t *e,
    oauth2_token_t *token)
{
    u_char                      id[16];
    int64_t                     now, until;
    ngx_int_t                   once;
    ngx_http_torii_provider_t  *p;

    p = e->provider;
    now = ngx_time();

    until = token->exp > now + NGX_HTTP_TORII_JTI_AGE
            ? token->exp : now + NGX_HTTP_TORII_JTI_AGE;

    ngx_torii_login_id("jti", p->id, token->jti, id);

    once = ngx_http_torii_endpoint_once(e, p, NGX_TORII_ONCE_TOKEN, id,
                                        (time_t) until);

    if (once == NGX_AGAIN) {
        return ngx_http_torii_endpoint_wait(e);
    }

    if (once == NGX_ERROR) {
        return ngx_http_torii_backchannel_answer(e,
                                               NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    if (once != NGX_OK) {
        ngx_log_error(NGX_LOG_WARN, e->request->connection->log, 0,
                      "torii: a logout token is refused: it came before");
        return ngx_http_torii_backchannel_answer(e, NGX_HTTP_BAD_REQUEST);
    }

    if (token->sid.len) {
        ngx_torii_login_id("sid", p->id, token->sid, id);

    } else {
        ngx_torii_login_id("sub", p->id, token->sub, id);
    }

    until = now + p->settings.life.absolute;

    ngx_torii_login_revoke(id, (time_t) until);
    ngx_http_torii_ticket_revoke(p, id, (time_t) until);
    ngx_torii_login_count(NGX_TORII_LOGIN_BACKCHANNEL);
    ngx_torii_login_audit(e->request->connection->log, p,
                          "logged out by the provider", token->sub, NULL);

    return ngx_http_torii_backchannel_answer(e, NGX_HTTP_OK);
}


static ngx_int_t
ngx_http_torii_backchannel_answer(ngx_http_torii_endpoint_t *e,
    ngx_uint_t status)
{
    if (ngx_http_torii_session_no_store(e->request) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_torii_endpoint_send(e->request, status, "text/plain",
                                        NULL);
}
