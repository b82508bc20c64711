
/*
 * And back: PREFIX/callback, where a code becomes a session.
 */

#include "ngx_http_torii_endpoint.h"


static oauth2_fail_e ngx_http_torii_callback_find(
    ngx_http_torii_endpoint_t *e);
static ngx_uint_t ngx_http_torii_endpoint_inside(
    ngx_http_torii_endpoint_t *e);
static ngx_int_t ngx_http_torii_callback_known(ngx_http_torii_endpoint_t *e,
    oauth2_fail_e fail);
static void ngx_http_torii_callback_done(void *data, oauth2_exchange_t *x,
    oauth2_fail_e fail);
static ngx_int_t ngx_http_torii_callback_enter(ngx_http_torii_endpoint_t *e,
    oauth2_exchange_t *x);
static ngx_int_t ngx_http_torii_callback_failed(ngx_http_torii_endpoint_t *e,
    oauth2_fail_e fail);
static torii_str_t ngx_http_torii_callback_again(
    ngx_http_torii_endpoint_t *e);


ngx_int_t
ngx_http_torii_endpoint_callback(ngx_http_torii_endpoint_t *e)
{
    ngx_int_t                 once;
    oauth2_fail_e             rc;
    oauth2_login_t            login;
    oauth2_cookie_t           cookie;
    ngx_http_torii_cookies_t  cookies;

    rc = ngx_http_torii_callback_find(e);

    if (!e->callback.known) {
        return ngx_http_torii_callback_lost(e, rc);
    }

    once = ngx_http_torii_endpoint_once(e, e->provider, NGX_TORII_ONCE_STATE,
                                        e->callback.replay,
                                        ngx_time() + 2 * OAUTH2_STATE_AGE);
    if (once == NGX_AGAIN) {
        return ngx_http_torii_endpoint_wait(e);
    }

    cookies.request = e->request;
    cookies.failed = 0;

    ngx_http_torii_login_conf(e->request, e->provider, torii_str(""), &login,
                              &cookie);
    oauth2_login_clear(&login, &e->callback, ngx_http_torii_session_add,
                       &cookies);

    if (cookies.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (once == NGX_ERROR && e->provider->redis) {
        return ngx_http_torii_callback_failed(e, OAUTH2_PROVIDER_DOWN);
    }

    if (once != NGX_OK) {
        ngx_torii_login_count(NGX_TORII_LOGIN_REPLAYED);
        return ngx_http_torii_callback_lost(e, OAUTH2_STATE);
    }

    return ngx_http_torii_callback_known(e, rc);
}


/* The state's cookie tells whose it is. */

static oauth2_fail_e
ngx_http_torii_callback_find(ngx_http_torii_endpoint_t *e)
{
    ngx_uint_t                  i, post;
    oauth2_fail_e               rc, last;
    oauth2_login_t              login;
    oauth2_cookie_t             cookie;
    ngx_http_torii_provider_t  *p;

    last = OAUTH2_STATE;
    post = (e->request->method == NGX_HTTP_POST);

    for (i = 0; i < e->n; i++) {
        p = e->providers[i];

        if (p->settings.form_post != post) {
            continue;
        }

        ngx_http_torii_login_conf(e->request, p, torii_str(""), &login,
                                  &cookie);

        rc = oauth2_login_callback(e->arena, &login, e->params, e->line,
                                   ngx_time(), &e->callback);

        if (e->callback.known) {
            e->provider = p;
            return rc;
        }

        last = rc;
    }

    return last;
}


static ngx_uint_t
ngx_http_torii_endpoint_inside(ngx_http_torii_endpoint_t *e)
{
    ngx_uint_t               i;
    const oauth2_session_t  *s;

    for (i = 0; i < e->n; i++) {
        if (ngx_http_torii_session(e->request, e->providers[i], &s)
            == OAUTH2_OK)
        {
            return 1;
        }
    }

    return 0;
}


/* Another tab was faster, or the person went back in the browser. */

ngx_int_t
ngx_http_torii_callback_lost(ngx_http_torii_endpoint_t *e, oauth2_fail_e fail)
{
    if (fail != OAUTH2_PARAMETER && ngx_http_torii_endpoint_inside(e)) {
        return ngx_http_torii_endpoint_redirect(e->request, torii_str("/"));
    }

    ngx_torii_login_count(NGX_TORII_LOGIN_FAILED);
    ngx_torii_login_meter(e->providers[0], NGX_TORII_METER_LOGIN, fail);

    return ngx_http_torii_endpoint_page(e, e->providers[0],
                             NGX_HTTP_TORII_PAGE_FAILED,
                             fail == OAUTH2_PARAMETER ? NGX_HTTP_BAD_REQUEST
                                                      : NGX_HTTP_FORBIDDEN,
                             fail, torii_str("/"));
}


static ngx_int_t
ngx_http_torii_callback_known(ngx_http_torii_endpoint_t *e, oauth2_fail_e fail)
{
    torii_str_t  uri;

    if (fail != OAUTH2_OK) {
        return ngx_http_torii_callback_failed(e, fail);
    }

    if (!e->provider->settings.provider.ready) {
        return ngx_http_torii_callback_failed(e, OAUTH2_PROVIDER_DOWN);
    }

    uri = ngx_http_torii_login_uri(e->arena, e->provider, e->origin);

    e->task = ngx_torii_login_code(e->provider, &e->callback, uri,
                                   ngx_http_torii_callback_done, e);

    OPENSSL_cleanse(e->callback.verifier, sizeof(e->callback.verifier));

    if (e->task == NULL) {
        return ngx_http_torii_callback_failed(e, OAUTH2_PROVIDER_DOWN);
    }

    return ngx_http_torii_endpoint_wait(e);
}


static void
ngx_http_torii_callback_done(void *data, oauth2_exchange_t *x,
    oauth2_fail_e fail)
{
    ngx_http_torii_endpoint_t *e = data;

    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = e->request;
    c = r->connection;

    e->task = NULL;
    r->read_event_handler = ngx_http_block_reading;

    rc = (fail == OAUTH2_OK) ? ngx_http_torii_callback_enter(e, x)
                             : ngx_http_torii_callback_failed(e, fail);

    ngx_http_torii_endpoint_resume(r, c, rc);
}


static ngx_int_t
ngx_http_torii_callback_enter(ngx_http_torii_endpoint_t *e,
    oauth2_exchange_t *x)
{
    torii_str_t                 rd;
    oauth2_fail_e               rc;
    ngx_http_torii_provider_t  *p;

    static oauth2_session_t     session;

    p = e->provider;
    rd = e->callback.rd;

    rc = oauth2_exchange_session(x, ngx_time(), &p->settings.life,
                                 &p->projection, p->settings.keep, &session);

    if (rc == OAUTH2_OK) {
        rc = oauth2_policy_check(&p->settings.policy, &session);
    }

    if (rc == OAUTH2_OK && ngx_http_torii_endpoint_loops(e, &session, rd)) {
        rc = OAUTH2_SESSION_LOOP;
    }

    if (rc == OAUTH2_OK && p->redis && !ngx_http_torii_hand_is(p, rd)) {
        return ngx_http_torii_endpoint_enter(e, p, &session,
                                             rd.len ? rd : torii_str("/"));
    }

    /* without a cookie: else the person would stay who he is, and denied */

    if (rc == OAUTH2_OK) {
        rc = ngx_http_torii_session_set(e->request, p, &session);
    }

    if (rc != OAUTH2_OK) {
        return ngx_http_torii_callback_failed(e, rc);
    }

    ngx_torii_login_count(NGX_TORII_LOGIN_DONE);
    ngx_torii_login_meter(p, NGX_TORII_METER_LOGIN, OAUTH2_OK);
    ngx_torii_login_audit(e->request->connection->log, p, "logged in",
                          session.sub, NULL);

    if (ngx_http_torii_hand_is(p, rd)) {
        return ngx_http_torii_hand_over(e, p, &session, rd);
    }

    return ngx_http_torii_endpoint_redirect(e->request,
                                            rd.len ? rd : torii_str("/"));
}


static ngx_int_t
ngx_http_torii_callback_failed(ngx_http_torii_endpoint_t *e,
    oauth2_fail_e fail)
{
    ngx_uint_t             status;
    torii_str_t            id;
    ngx_http_torii_page_e  page;

    id = e->provider->id;

    ngx_torii_login_meter(e->provider, NGX_TORII_METER_LOGIN, fail);

    ngx_log_error(NGX_LOG_WARN, e->request->connection->log, 0,
                  "torii: login by provider \"%*s\" failed: %s%s%*s",
                  id.len, id.data, oauth2_fail_name(fail),
                  e->callback.error.len ? ", " : "",
                  e->callback.error.len, e->callback.error.data);

    switch (fail) {

    case OAUTH2_EMAIL_MISSING:
    case OAUTH2_EMAIL_UNVERIFIED:
    case OAUTH2_DENIED_EMAIL:
    case OAUTH2_DENIED_GROUP:
    case OAUTH2_DENIED_MEMBER:
        page = NGX_HTTP_TORII_PAGE_DENIED;
        status = NGX_HTTP_FORBIDDEN;
        ngx_torii_login_count(NGX_TORII_LOGIN_DENIED);
        break;

    case OAUTH2_PROVIDER_DOWN:
        page = NGX_HTTP_TORII_PAGE_UNAVAILABLE;
        status = NGX_HTTP_SERVICE_UNAVAILABLE;
        ngx_torii_login_count(NGX_TORII_LOGIN_FAILED);

        if (ngx_http_torii_endpoint_header(e->request, "Retry-After",
                                           torii_str("10"))
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        break;

    case OAUTH2_PROVIDER_ANSWER:
    case OAUTH2_CLIENT:
        page = NGX_HTTP_TORII_PAGE_UNAVAILABLE;
        status = NGX_HTTP_BAD_GATEWAY;
        ngx_torii_login_count(NGX_TORII_LOGIN_FAILED);
        break;

    default:
        page = NGX_HTTP_TORII_PAGE_FAILED;
        status = NGX_HTTP_FORBIDDEN;
        ngx_torii_login_count(NGX_TORII_LOGIN_FAILED);
        break;
    }

    return ngx_http_torii_endpoint_page(e, e->provider, page, status, fail,
                                        ngx_http_torii_callback_again(e));
}


/* A hand-over begins anew where it began. */

static torii_str_t
ngx_http_torii_callback_again(ngx_http_torii_endpoint_t *e)
{
    torii_str_t  rd;

    rd = e->callback.rd;

    return (rd.len == 0 || ngx_http_torii_hand_is(e->provider, rd))
           ? torii_str("/") : rd;
}
