
/*
 * The way of a browser to its provider: PREFIX/start and sign_in.
 */

#include "ngx_http_torii_endpoint.h"


static ngx_int_t ngx_http_torii_login_go(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, torii_str_t origin, torii_str_t rd,
    ngx_uint_t select);
static ngx_int_t ngx_http_torii_login_unready(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, torii_str_t rd);
static torii_str_t ngx_http_torii_login_back(torii_arena_t *a,
    ngx_http_torii_provider_t *p, torii_str_t origin, torii_str_t rd);

static ngx_http_torii_provider_t *ngx_http_torii_endpoint_choose(
    ngx_http_torii_endpoint_t *e);


ngx_int_t
ngx_http_torii_login_begin(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_provider_t *p, torii_str_t rd, ngx_uint_t select)
{
    int                 rc;
    ngx_int_t           status;
    torii_buf_t         to;
    torii_str_t         origin;
    oauth2_redirect_t   conf;

    if (!p->settings.provider.ready) {
        return ngx_http_torii_login_unready(r, p, rd);
    }

    ngx_memzero(&conf, sizeof(oauth2_redirect_t));
    ngx_memzero(&to, sizeof(torii_buf_t));

    conf.host = ngx_http_torii_session_host(r);
    conf.prefix = p->settings.prefix;

    rc = oauth2_redirect_check(&conf, rd, &to);

    if (rc == TORII_OK) {
        rd.data = to.data;
        rd.len = to.len;

    } else {
        rd = torii_str("/");
    }

    if (ngx_http_torii_hand_needed(r, p)) {
        status = ngx_http_torii_hand_begin(r, ctx, p, rd, select);

    } else {
        origin = ngx_http_torii_endpoint_origin(r, ctx, p);
        status = ngx_http_torii_login_go(r, p, origin, rd, select);
    }

    torii_buf_free(&to);

    return status;
}


/* rd may be used as it is. */

static ngx_int_t
ngx_http_torii_login_go(ngx_http_request_t *r, ngx_http_torii_provider_t *p,
    torii_str_t origin, torii_str_t rd, ngx_uint_t select)
{
    ngx_int_t                 rc;
    torii_buf_t               location;
    torii_str_t               line, url;
    torii_arena_t            *a;
    oauth2_login_t            login;
    oauth2_cookie_t           cookie;
    ngx_http_torii_cookies_t  cookies;

    if (ngx_http_torii_session_line(r, &line) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cookies.request = r;
    cookies.failed = 0;

    a = torii_arena_create(1024);
    ngx_memzero(&location, sizeof(torii_buf_t));

    ngx_http_torii_login_conf(r, p, ngx_http_torii_login_uri(a, p, origin),
                              &login, &cookie);

    rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    if (oauth2_login_start(&login,
                           ngx_http_torii_login_back(a, p, origin, rd), line,
                           select ? 1 : 0, ngx_time(), &location,
                           ngx_http_torii_session_add, &cookies)
        == TORII_OK
        && !cookies.failed)
    {
        url.data = location.data;
        url.len = location.len;

        ngx_torii_login_count(NGX_TORII_LOGIN_BEGUN);

        rc = ngx_http_torii_endpoint_redirect(r, url);
    }

    torii_buf_free(&location);
    torii_arena_destroy(a);

    return rc;
}


static ngx_int_t
ngx_http_torii_login_unready(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, torii_str_t rd)
{
    ngx_int_t  rc;

    if (ngx_http_torii_session_no_store(r) != NGX_OK
        || ngx_http_torii_endpoint_header(r, "Retry-After", torii_str("10"))
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_torii_page(r, p, NGX_HTTP_TORII_PAGE_UNAVAILABLE,
                             NGX_HTTP_SERVICE_UNAVAILABLE,
                             OAUTH2_PROVIDER_DOWN, rd);

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}


void
ngx_http_torii_login_conf(ngx_http_request_t *r, ngx_http_torii_provider_t *p,
    torii_str_t redirect_uri, oauth2_login_t *login, oauth2_cookie_t *cookie)
{
    oauth2_bind_t  bind;

    ngx_http_torii_session_cookie(r, p, cookie, &bind);

    login->ring = p->ring;
    login->provider = &p->settings.provider;
    login->cookie = cookie;
    login->host = bind.host;
    login->redirect_uri = redirect_uri;
    login->form_post = p->settings.form_post;
}


/* What the provider knows, to the byte. */

torii_str_t
ngx_http_torii_login_uri(torii_arena_t *a, ngx_http_torii_provider_t *p,
    torii_str_t origin)
{
    if (p->settings.redirect_uri.len) {
        return p->settings.redirect_uri;
    }

    return torii_arena_printf(a, "%.*s%.*s/callback", torii_str_arg(origin),
                              torii_str_arg(p->settings.prefix));
}


/* With a cookie that both hosts see, the callback may be at another one. */

static torii_str_t
ngx_http_torii_login_back(torii_arena_t *a, ngx_http_torii_provider_t *p,
    torii_str_t origin, torii_str_t rd)
{
    size_t       len;
    torii_str_t  host;

    host = p->settings.callback_host;

    if (host.len == 0 || rd.len == 0 || rd.data[0] != '/') {
        return rd;
    }

    len = sizeof("https://") - 1;

    if (origin.len >= len + host.len
        && ngx_memcmp(origin.data + len, host.data, host.len) == 0
        && (origin.len == len + host.len
            || origin.data[len + host.len] == ':'))
    {
        return rd;
    }

    return torii_arena_printf(a, "%.*s%.*s", torii_str_arg(origin),
                              torii_str_arg(rd));
}


/* That of the route which the person wants to. */

static ngx_http_torii_provider_t *
ngx_http_torii_endpoint_choose(ngx_http_torii_endpoint_t *e)
{
    ngx_uint_t                    i;
    torii_str_t                   rd, path;
    ingress_match_t               match;
    const ingress_table_t        *t;
    const ingress_table_login_t  *login;

    if (e->n == 1
        || oauth2_form_get(&e->form, "rd", &rd) != TORII_OK
        || rd.len == 0 || rd.data[0] != '/')
    {
        return e->providers[0];
    }

    path = torii_str("");
    (void) torii_str_next(&rd, "?#", &path);

    t = &e->ctx->table->table;

    ingress_route_find(t, ngx_torii_regexes(),
                       ngx_http_torii_session_host(e->request), path, &match);

    if (match.route == NULL) {
        return e->providers[0];
    }

    login = ngx_http_torii_login_of(e->ctx->table,
                                    &t->policies[match.route->policy]);

    for (i = 0; login && i < e->n; i++) {
        if (e->indexes[i] == login->provider) {
            return e->providers[i];
        }
    }

    return e->providers[0];
}


ngx_int_t
ngx_http_torii_endpoint_start(ngx_http_torii_endpoint_t *e)
{
    ngx_int_t                   rc;
    ngx_uint_t                  select;
    torii_str_t                 rd, prompt;
    const oauth2_session_t     *s;
    ngx_http_torii_provider_t  *p;

    p = ngx_http_torii_endpoint_choose(e);

    select = oauth2_form_get(&e->form, "prompt", &prompt) == TORII_OK
             && torii_str_eqs(prompt, "select_account");

    if (!p->settings.provider.ready) {
        return ngx_http_torii_login_unready(e->request, p, torii_str("/"));
    }

    rc = ngx_http_torii_hand_target(e, p, &rd);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_BAD_REQUEST;
    }

    if (rc == NGX_OK) {

        if (!select
            && ngx_http_torii_session(e->request, p, &s) == OAUTH2_OK
            && s->projection == p->projection_hash
            && oauth2_policy_check(&p->settings.policy, s) == OAUTH2_OK)
        {
            return ngx_http_torii_hand_over(e, p, s, rd);
        }

    } else {
        rd = ngx_http_torii_endpoint_rd(e, p, 0);

        if (ngx_http_torii_hand_needed(e->request, p)) {
            return ngx_http_torii_hand_begin(e->request, e->ctx, p, rd,
                                             select);
        }
    }

    return ngx_http_torii_login_go(e->request, p, e->origin, rd, select);
}


ngx_int_t
ngx_http_torii_endpoint_sign_in(ngx_http_torii_endpoint_t *e)
{
    ngx_http_torii_provider_t  *p;

    p = ngx_http_torii_endpoint_choose(e);

    if (ngx_http_torii_session_clear(e->request, p) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!p->settings.button) {
        return ngx_http_torii_endpoint_start(e);
    }

    return ngx_http_torii_endpoint_page(e, p, NGX_HTTP_TORII_PAGE_SIGN_IN,
                                        NGX_HTTP_OK, OAUTH2_OK,
                                        ngx_http_torii_endpoint_rd(e, p, 0));
}
