
/*
 * One login for several hosts, whose cookies do not know of each other.  The
 * host that the provider sends browsers back to is to the others what the
 * provider is to it: they send the browser there with a state of their own, and
 * it comes back with a session, sealed for that host and good for half a minute
 * and for one use.  Without the state, in a cookie of that host, the session
 * is not taken: nobody can be made to enter as somebody else.
 */

#include "ngx_http_torii_endpoint.h"


#define NGX_HTTP_TORII_HAND_MAX  7168     /* bytes of a URL that clients and
                                             we can be trusted to take */


static torii_str_t ngx_http_torii_hand_host(torii_str_t url);
static ngx_int_t ngx_http_torii_hand_conf(ngx_http_request_t *r,
    torii_arena_t *a, ngx_http_torii_provider_t *p, torii_str_t origin,
    oauth2_provider_t *via, oauth2_cookie_t *cookie, oauth2_login_t *login);
static ngx_uint_t ngx_http_torii_hand_known(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, torii_str_t host);
static void ngx_http_torii_hand_bind(ngx_http_torii_provider_t *p,
    torii_str_t host, oauth2_bind_t *bind);
static ngx_int_t ngx_http_torii_hand_take(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, oauth2_callback_t *callback);


ngx_uint_t
ngx_http_torii_hand_needed(ngx_http_request_t *r, ngx_http_torii_provider_t *p)
{
    torii_str_t  host, domain;

    host = ngx_http_torii_session_host(r);

    if (p->settings.callback_host.len == 0
        || torii_str_eq(host, p->settings.callback_host))
    {
        return 0;
    }

    /* a cookie that both of them see */

    domain = oauth2_settings_domain(&p->settings, host);

    return domain.len == 0
           || !torii_str_eq(domain,
                            oauth2_settings_domain(&p->settings,
                                                p->settings.callback_host));
}


/* Here this host is a client, and the callback's host its provider. */

static ngx_int_t
ngx_http_torii_hand_conf(ngx_http_request_t *r, torii_arena_t *a,
    ngx_http_torii_provider_t *p, torii_str_t origin, oauth2_provider_t *via,
    oauth2_cookie_t *cookie, oauth2_login_t *login)
{
    torii_str_t    uri;
    oauth2_bind_t  bind;

    uri = p->settings.redirect_uri;

    if (uri.len < sizeof("/callback") - 1) {
        return NGX_ERROR;
    }

    uri.len -= sizeof("/callback") - 1;

    ngx_http_torii_session_cookie(r, p, cookie, &bind);

    *via = p->settings.provider;

    via->type = oauth2_provider_type(torii_str("oidc"));
    via->id = torii_arena_printf(a, "%.*s#hand", torii_str_arg(p->id));
    via->endpoints.authorization = torii_arena_printf(a, "%.*s/start",
                                                      torii_str_arg(uri));
    via->endpoints.iss_parameter = 0;
    via->scope = torii_str("openid");
    via->prompt = torii_str("");
    via->max_age = 0;

    login->ring = p->ring;
    login->provider = via;
    login->cookie = cookie;
    login->host = bind.host;
    login->redirect_uri = torii_arena_printf(a, "%.*s%.*s/handoff",
                                           torii_str_arg(origin),
                                           torii_str_arg(p->settings.prefix));
    login->form_post = 0;

    return NGX_OK;
}


ngx_int_t
ngx_http_torii_hand_begin(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_provider_t *p, torii_str_t rd, ngx_uint_t select)
{
    ngx_int_t                 rc;
    torii_buf_t               location;
    torii_str_t               line, url;
    torii_arena_t            *a;
    oauth2_login_t            login;
    oauth2_cookie_t           cookie;
    oauth2_provider_t         via;
    ngx_http_torii_cookies_t  cookies;

    if (ngx_http_torii_session_line(r, &line) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    a = torii_arena_create(1024);
    ngx_memzero(&location, sizeof(torii_buf_t));

    cookies.request = r;
    cookies.failed = 0;

    rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    if (ngx_http_torii_hand_conf(r, a, p,
                                 ngx_http_torii_endpoint_origin(r, ctx, p),
                                 &via, &cookie, &login)
        == NGX_OK
        && oauth2_login_start(&login, rd, line, select ? 1 : 0, ngx_time(),
                              &location, ngx_http_torii_session_add, &cookies)
           == TORII_OK
        && !cookies.failed)
    {
        url.data = location.data;
        url.len = location.len;

        rc = ngx_http_torii_endpoint_redirect(r, url);
    }

    torii_buf_free(&location);
    torii_arena_destroy(a);

    return rc;
}


/* "https://host[:port]/…": the host. */

static torii_str_t
ngx_http_torii_hand_host(torii_str_t url)
{
    u_char       *p, *last;
    torii_str_t   host;

    host = torii_str("");

    last = url.data + url.len;
    p = ngx_strlchr(url.data, last, ':');

    if (p == NULL || last - p < 4 || p[1] != '/' || p[2] != '/') {
        return host;
    }

    host.data = p + 3;

    for (p = host.data; p < last && *p != '/' && *p != ':'; p++) {
        /* void */
    }

    host.len = p - host.data;

    return host;
}


/*
 * Only of hosts that we serve ourselves, by a name of the table, and that log
 * in by this provider.
 */

static ngx_uint_t
ngx_http_torii_hand_known(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, torii_str_t host)
{
    uint32_t                     i, n;
    const ingress_table_t       *t;
    const ingress_table_host_t  *h;

    t = &e->ctx->table->table;
    n = ingress_table_n(t, PROVIDERS);

    h = ingress_route_host(t, ngx_torii_regexes(), host);

    if (h == &t->hosts[t->header->default_host]) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        if (ngx_http_torii_provider(e->ctx->table, i,
                                    e->request->connection->log)
            == p)
        {
            return ngx_http_torii_endpoint_serves(e->ctx->table, h, i);
        }
    }

    return 0;
}


ngx_int_t
ngx_http_torii_hand_target(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, torii_str_t *target)
{
    size_t               i;
    torii_buf_t          to;
    torii_str_t          uri, state, host, path, allowed;
    oauth2_redirect_t    conf;

    if (oauth2_form_get(&e->form, "redirect_uri", &uri) == TORII_DECLINED) {
        return NGX_DECLINED;
    }

    if (uri.len == 0
        || oauth2_form_get(&e->form, "state", &state) != TORII_OK
        || state.len != OAUTH2_STATE_LEN)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < state.len; i++) {
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                   "0123456789-_", state.data[i])
            == NULL || state.data[i] == '\0')
        {
            return NGX_ERROR;
        }
    }

    host = ngx_http_torii_hand_host(uri);

    path = torii_arena_printf(e->arena, "%.*s/handoff",
                              torii_str_arg(p->settings.prefix));

    if (host.len == 0 || uri.len <= path.len
        || ngx_memcmp(uri.data + uri.len - path.len, path.data, path.len) != 0
        || !ngx_http_torii_hand_known(e, p, host))
    {
        return NGX_ERROR;
    }

    /* the origin alone, by the rules of all other URLs */

    uri.len -= path.len;

    ngx_memzero(&to, sizeof(torii_buf_t));
    ngx_memzero(&conf, sizeof(oauth2_redirect_t));

    allowed = torii_arena_printf(e->arena, "%.*s:*", torii_str_arg(host));

    conf.prefix = p->settings.prefix;
    conf.allowed = &allowed;
    conf.nallowed = 1;
    conf.http = !p->settings.cookie.secure;

    if (oauth2_redirect_check(&conf, uri, &to) != TORII_OK) {
        torii_buf_free(&to);
        return NGX_ERROR;
    }

    torii_buf_free(&to);

    *target = torii_arena_printf(e->arena, "%.*s%.*s?state=%.*s",
                                 torii_str_arg(uri), torii_str_arg(path),
                                 torii_str_arg(state));

    return NGX_OK;
}


ngx_uint_t
ngx_http_torii_hand_is(ngx_http_torii_provider_t *p, torii_str_t rd)
{
    torii_str_t  host, rest;

    host = ngx_http_torii_hand_host(rd);

    if (host.len == 0) {
        return 0;
    }

    rest.data = ngx_strlchr(host.data + host.len, rd.data + rd.len, '/');

    if (rest.data == NULL) {
        return 0;
    }

    rest.len = rd.data + rd.len - rest.data;

    if (rest.len < p->settings.prefix.len
        || ngx_memcmp(rest.data, p->settings.prefix.data,
                      p->settings.prefix.len)
           != 0)
    {
        return 0;
    }

    rest.data += p->settings.prefix.len;
    rest.len -= p->settings.prefix.len;

    return torii_str_starts(rest, "/handoff?state=");
}


static void
ngx_http_torii_hand_bind(ngx_http_torii_provider_t *p, torii_str_t host,
    oauth2_bind_t *bind)
{
    bind->use = OAUTH2_USE_HANDOFF;
    bind->name = p->settings.cookie.name;
    bind->host = host;
    bind->provider = p->id;
}


/*
 * A refresh token is good for one use: it stays with the session that it came
 * with.  When the other one ends, its host asks here again, and nobody notices.
 */

ngx_int_t
ngx_http_torii_hand_over(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s,
    torii_str_t target)
{
    torii_buf_t              b, sealed;
    torii_str_t              state, url;
    ngx_int_t                rc;
    oauth2_bind_t            bind;
    oauth2_fail_e            fail;

    static oauth2_session_t  copy;

    ngx_memcpy(&copy, s, offsetof(oauth2_session_t, groups)
                         + s->ngroups * sizeof(torii_str_t));

    copy.refresh_token = torii_str("");

    state.len = OAUTH2_STATE_LEN;
    state.data = target.data + target.len - state.len;

    ngx_http_torii_hand_bind(p, ngx_http_torii_hand_host(target), &bind);

    ngx_memzero(&b, sizeof(torii_buf_t));
    ngx_memzero(&sealed, sizeof(torii_buf_t));

    fail = oauth2_handoff_seal(p->ring, &bind, &copy, state, ngx_time(),
                               &sealed);

    torii_buf_add_str(&b, target);
    torii_buf_adds(&b, "&code=1&session=");
    torii_buf_add(&b, sealed.data, sealed.len);

    if (fail != OAUTH2_OK || b.len > NGX_HTTP_TORII_HAND_MAX) {
        rc = ngx_http_torii_endpoint_page(e, p, NGX_HTTP_TORII_PAGE_FAILED,
                                          NGX_HTTP_FORBIDDEN,
                                          OAUTH2_SESSION_SIZE,
                                          torii_str("/"));

    } else {
        url.data = b.data;
        url.len = b.len;
        rc = ngx_http_torii_endpoint_redirect(e->request, url);
    }

    torii_buf_free(&sealed);
    torii_buf_free(&b);

    return rc;
}


ngx_int_t
ngx_http_torii_endpoint_handoff(ngx_http_torii_endpoint_t *e)
{
    ngx_uint_t                  i;
    oauth2_fail_e               rc;
    oauth2_login_t              login;
    oauth2_cookie_t             cookie;
    oauth2_provider_t           via;
    oauth2_callback_t           callback;
    ngx_http_torii_cookies_t    cookies;
    ngx_http_torii_provider_t  *p;

    cookies.request = e->request;
    cookies.failed = 0;

    for (i = 0; i < e->n; i++) {
        p = e->providers[i];

        if (ngx_http_torii_hand_conf(e->request, e->arena, p, e->origin, &via,
                                     &cookie, &login)
            != NGX_OK)
        {
            continue;
        }

        rc = oauth2_login_callback(e->arena, &login, e->params, e->line,
                                   ngx_time(), &callback);

        if (!callback.known) {
            continue;
        }

        /* not again if it was waited for all replicas */

        if (!e->asked) {
            oauth2_login_clear(&login, &callback, ngx_http_torii_session_add,
                               &cookies);
        }

        if (rc == OAUTH2_OK && !cookies.failed) {
            return ngx_http_torii_hand_take(e, p, &callback);
        }

        return ngx_http_torii_endpoint_page(e, p, NGX_HTTP_TORII_PAGE_FAILED,
                                            NGX_HTTP_FORBIDDEN, rc,
                                            torii_str("/"));
    }

    return ngx_http_torii_callback_lost(e, OAUTH2_STATE);
}


static ngx_int_t
ngx_http_torii_hand_take(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, oauth2_callback_t *callback)
{
    u_char                  *room;
    u_char                   id16[16];
    ngx_int_t                once;
    torii_str_t              code, state, bound, id;
    oauth2_bind_t            bind;
    oauth2_fail_e            rc;

    static oauth2_session_t  session;

    ngx_http_torii_hand_bind(p, ngx_http_torii_session_host(e->request),
                             &bind);

    room = torii_arena_alloc(e->arena, OAUTH2_OPEN_MAX);

    rc = OAUTH2_STATE;

    if (oauth2_form_get(&e->form, "session", &code) == TORII_OK
        && oauth2_form_get(&e->form, "state", &state) == TORII_OK)
    {
        rc = oauth2_handoff_open(p->ring, &bind, code, ngx_time(), room,
                                 &session, &bound, &id);
    }

    /* for this state, and once */

    if (rc == OAUTH2_OK && !torii_str_eq(bound, state)) {
        rc = OAUTH2_STATE;
    }

    if (rc == OAUTH2_OK) {
        ngx_torii_login_id("hand", id, torii_str(""), id16);

        once = ngx_http_torii_endpoint_once(e, p, NGX_TORII_ONCE_TOKEN, id16,
                                          ngx_time() + 2 * OAUTH2_HANDOFF_AGE);
        if (once == NGX_AGAIN) {
            OPENSSL_cleanse(room, OAUTH2_OPEN_MAX);
            return ngx_http_torii_endpoint_wait(e);
        }

        if (once != NGX_OK) {
            rc = (once == NGX_ERROR && p->redis) ? OAUTH2_PROVIDER_DOWN
                                                 : OAUTH2_STATE;
        }
    }

    if (rc == OAUTH2_OK) {
        rc = oauth2_session_check(&session, ngx_time(), &p->settings.life);
    }

    if (rc == OAUTH2_OK) {
        rc = oauth2_policy_check(&p->settings.policy, &session);
    }

    if (rc == OAUTH2_OK && p->redis) {
        once = ngx_http_torii_endpoint_enter(e, p, &session, callback->rd);
        OPENSSL_cleanse(room, OAUTH2_OPEN_MAX);
        return once;
    }

    if (rc == OAUTH2_OK) {
        rc = ngx_http_torii_session_set(e->request, p, &session);
    }

    OPENSSL_cleanse(room, OAUTH2_OPEN_MAX);

    if (rc == OAUTH2_PROVIDER_DOWN) {
        return ngx_http_torii_endpoint_down(e, p);
    }

    if (rc == OAUTH2_OK) {
        return ngx_http_torii_endpoint_redirect(e->request, callback->rd);
    }

    return ngx_http_torii_endpoint_page(e, p, NGX_HTTP_TORII_PAGE_FAILED,
                                        NGX_HTTP_FORBIDDEN, rc,
                                        callback->rd);
}
