
/*
 * Sessions of requests: found in the Cookie header, opened or taken from this
 * process' cache, held against what was revoked; and the headers that set and
 * clear them.
 */

#include "ngx_http_torii_ticket.h"


#define NGX_HTTP_TORII_SESSION_CACHE  (8 * 1024 * 1024)    /* bytes */


static oauth2_fail_e ngx_http_torii_session_find(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, torii_str_t line,
    const oauth2_session_t **session);
static oauth2_fail_e ngx_http_torii_session_ticket(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s);
static ngx_int_t ngx_http_torii_session_found(ngx_http_request_t *r,
    torii_str_t name, oauth2_found_t *found);


/* Of this process: too large for the stack, and used by one request a time. */

static oauth2_cache_t   *ngx_http_torii_session_cache;
static oauth2_opened_t   ngx_http_torii_session_room;


oauth2_fail_e
ngx_http_torii_session(ngx_http_request_t *r, ngx_http_torii_provider_t *p,
    const oauth2_session_t **session)
{
    torii_str_t    line;
    oauth2_fail_e  rc;

    if (p->redis) {
        return ngx_http_torii_ticket_session(r, p,
                                  &ngx_http_torii_session_room.session,
                                  session);
    }

    if (ngx_http_torii_session_line(r, &line) != NGX_OK) {
        return OAUTH2_SESSION_FORM;
    }

    rc = ngx_http_torii_session_find(r, p, line, session);

    if (rc != OAUTH2_SESSION_NONE) {
        ngx_torii_login_meter(p, NGX_TORII_METER_COOKIE, rc);
    }

    return rc;
}


/* What is in the cache of this generation has not been revoked since. */

static oauth2_fail_e
ngx_http_torii_session_find(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, torii_str_t line,
    const oauth2_session_t **session)
{
    int64_t                   now;
    uint64_t                  generation;
    torii_str_t               text;
    oauth2_bind_t             bind;
    oauth2_fail_e             rc;
    oauth2_cookie_t           cookie;
    oauth2_opened_t          *o;
    const oauth2_lifetime_t  *life;

    o = &ngx_http_torii_session_room;
    now = ngx_time();
    life = &p->settings.life;

    ngx_http_torii_session_cookie(r, p, &cookie, &bind);
    oauth2_cookie_find(line, bind.name, &o->found);

    if (o->found.n[0] == 0) {
        return OAUTH2_SESSION_NONE;
    }

    if (ngx_http_torii_session_cache == NULL) {
        ngx_http_torii_session_cache =
                          oauth2_cache_create(NGX_HTTP_TORII_SESSION_CACHE);
    }

    generation = ngx_http_torii_session_generation(p);
    text.len = 0;

    if (o->found.n[0] == 1
        && oauth2_cookie_join(&o->found, 0, o->joined, &text) == OAUTH2_OK)
    {
        *session = oauth2_cache_get(ngx_http_torii_session_cache, &bind, text,
                                    generation, now);
        ngx_torii_login_meter_cache(p, *session != NULL);

        if (*session) {
            o->old = 0;
            return oauth2_session_check(*session, now, life);
        }

        /* joined is used again */

        text.len = 0;
    }

    rc = oauth2_session_open(p->ring, &bind, line, now, life, o);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    if (ngx_http_torii_session_revoked(p, &o->session)) {
        return OAUTH2_SESSION_EXPIRED;
    }

    if (!o->old && o->found.n[0] == 1
        && oauth2_cookie_join(&o->found, 0, o->joined, &text) == OAUTH2_OK)
    {
        oauth2_cache_put(ngx_http_torii_session_cache, &bind, text,
                         generation, now, &o->session);
    }

    *session = &o->session;

    return OAUTH2_OK;
}


oauth2_fail_e
ngx_http_torii_session_sealed(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, torii_str_t sealed,
    const oauth2_session_t **session)
{
    torii_str_t       plain;
    oauth2_bind_t     bind;
    oauth2_fail_e     rc;
    oauth2_cookie_t   cookie;
    oauth2_opened_t  *o;

    o = &ngx_http_torii_session_room;

    ngx_http_torii_session_cookie(r, p, &cookie, &bind);

    rc = oauth2_open(p->ring, &bind, sealed, o->plain, &plain, &o->old);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    if (oauth2_session_read(plain, &o->session) != TORII_OK) {
        return OAUTH2_SESSION_FORM;
    }

    *session = &o->session;

    return oauth2_session_check(&o->session, ngx_time(), &p->settings.life);
}


ngx_uint_t
ngx_http_torii_session_revoked(ngx_http_torii_provider_t *p,
    const oauth2_session_t *s)
{
    u_char  ids[3][16];

    if (!ngx_torii_login_revocations()) {
        return 0;
    }

    ngx_torii_login_id("sub", p->id, s->sub, ids[0]);
    ngx_torii_login_id("sid", p->id, s->sid, ids[1]);
    ngx_http_torii_session_id(s, p->id, ids[2]);

    return ngx_torii_login_revoked((const u_char (*)[16]) ids, 3, s->created);
}


/* Copies of it, on other hosts and in other tabs, have the same. */

void
ngx_http_torii_session_id(const oauth2_session_t *s, torii_str_t provider,
    u_char id[16])
{
    u_char       buf[NGX_INT64_LEN];
    u_char       sub[16];
    torii_str_t  parts[2];

    ngx_torii_login_id("sub", provider, s->sub, sub);

    parts[0].data = sub;
    parts[0].len = sizeof(sub);
    parts[1].data = buf;
    parts[1].len = ngx_sprintf(buf, "%L", s->created) - buf;

    ngx_torii_login_id("session", parts[0], parts[1], id);
}


void
ngx_http_torii_session_revoke(ngx_http_torii_provider_t *p,
    const oauth2_session_t *s)
{
    u_char  id[16];

    ngx_http_torii_session_id(s, p->id, id);
    ngx_torii_login_revoke(id, (time_t) s->expires);
    ngx_http_torii_ticket_revoke(p, id, (time_t) s->expires);
}


uint64_t
ngx_http_torii_session_generation(ngx_http_torii_provider_t *p)
{
    uint64_t  generation;

    generation = ngx_torii_login_generation();

    return torii_hash(&generation, sizeof(generation), p->hash);
}


ngx_int_t
ngx_http_torii_session_line(ngx_http_request_t *r, torii_str_t *line)
{
    u_char            *p;
    size_t             len;
    ngx_table_elt_t   *h;
#if (nginx_version < 1023000)
    ngx_uint_t         i, n;
    ngx_table_elt_t  **cookies;

    n = r->headers_in.cookies.nelts;
    cookies = r->headers_in.cookies.elts;
#endif

    line->len = 0;
    line->data = (u_char *) "";
    len = 0;

#if (nginx_version < 1023000)

    if (n == 1) {
        line->len = cookies[0]->value.len;
        line->data = cookies[0]->value.data;
    }

    if (n <= 1) {
        return NGX_OK;
    }

    for (i = 0; i < n; i++) {
        len += cookies[i]->value.len + 2;
    }

#else

    h = r->headers_in.cookie;

    if (h && h->next == NULL) {
        line->len = h->value.len;
        line->data = h->value.data;
    }

    if (h == NULL || h->next == NULL) {
        return NGX_OK;
    }

    for ( /* void */ ; h; h = h->next) {
        len += h->value.len + 2;
    }

#endif

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    line->data = p;

#if (nginx_version < 1023000)
    for (i = 0; i < n; i++) {
        h = cookies[i];
#else
    for (h = r->headers_in.cookie; h; h = h->next) {
#endif
        p = ngx_cpymem(p, h->value.data, h->value.len);
        *p++ = ';';
        *p++ = ' ';
    }

    line->len = p - line->data - 2;

    return NGX_OK;
}


torii_str_t
ngx_http_torii_session_host(ngx_http_request_t *r)
{
    torii_str_t  host;

    host.len = r->headers_in.server.len;
    host.data = r->headers_in.server.data;

    return host;
}


void
ngx_http_torii_session_cookie(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, oauth2_cookie_t *cookie, oauth2_bind_t *bind)
{
    torii_str_t  host;

    host = ngx_http_torii_session_host(r);

    *cookie = p->settings.cookie;
    cookie->domain = oauth2_settings_domain(&p->settings, host);

    bind->use = OAUTH2_USE_SESSION;
    bind->name = cookie->name;
    bind->host = cookie->domain.len ? cookie->domain : host;
    bind->provider = p->id;
}


oauth2_fail_e
ngx_http_torii_session_set(ngx_http_request_t *r, ngx_http_torii_provider_t *p,
    const oauth2_session_t *s)
{
    torii_buf_t      b;
    torii_str_t      sealed;
    oauth2_bind_t    bind;
    oauth2_fail_e    rc;
    oauth2_cookie_t  cookie;

    if (p->redis) {
        return ngx_http_torii_session_ticket(r, p, s);
    }

    ngx_http_torii_session_cookie(r, p, &cookie, &bind);

    ngx_memzero(&b, sizeof(torii_buf_t));

    rc = oauth2_session_seal(p->ring, &bind, s, &b);

    if (rc == OAUTH2_OK) {
        sealed.data = b.data;
        sealed.len = b.len;

        if (ngx_http_torii_session_put(r, p, sealed, s->expires - ngx_time())
            != NGX_OK)
        {
            rc = OAUTH2_SESSION_SIZE;
        }
    }

    torii_buf_free(&b);

    return rc;
}


/* Nobody waits until it is stored. */

static oauth2_fail_e
ngx_http_torii_session_ticket(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s)
{
    torii_buf_t      b;
    torii_str_t      value;
    oauth2_bind_t    bind;
    oauth2_fail_e    rc;
    oauth2_cookie_t  cookie;

    ngx_http_torii_session_cookie(r, p, &cookie, &bind);
    bind.use = OAUTH2_USE_TICKET;

    rc = OAUTH2_SESSION_SIZE;
    ngx_memzero(&b, sizeof(torii_buf_t));

    if (ngx_http_torii_ticket_create(p, &bind, s, &b, NULL, NULL)) {
        value.data = b.data;
        value.len = b.len;

        if (ngx_http_torii_session_put(r, p, value, s->expires - ngx_time())
            == NGX_OK)
        {
            rc = OAUTH2_OK;
        }
    }

    torii_buf_free(&b);

    return rc;
}


static ngx_int_t
ngx_http_torii_session_found(ngx_http_request_t *r, torii_str_t name,
    oauth2_found_t *found)
{
    torii_str_t  line;

    if (ngx_http_torii_session_line(r, &line) != NGX_OK) {
        return NGX_ERROR;
    }

    oauth2_cookie_find(line, name, found);

    return NGX_OK;
}


ngx_int_t
ngx_http_torii_session_put(ngx_http_request_t *r, ngx_http_torii_provider_t *p,
    torii_str_t sealed, int64_t age)
{
    oauth2_bind_t             bind;
    oauth2_found_t            found;
    oauth2_cookie_t           cookie;
    ngx_http_torii_cookies_t  cookies;

    ngx_http_torii_session_cookie(r, p, &cookie, &bind);

    if (ngx_http_torii_session_found(r, bind.name, &found) != NGX_OK) {
        return NGX_ERROR;
    }

    cookies.request = r;
    cookies.failed = 0;

    oauth2_cookie_set(&cookie, sealed, age, &found, ngx_http_torii_session_add,
                      &cookies);

    return cookies.failed ? NGX_ERROR : ngx_http_torii_session_no_store(r);
}


ngx_int_t
ngx_http_torii_session_clear(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p)
{
    oauth2_bind_t             bind;
    oauth2_found_t            found;
    oauth2_cookie_t           cookie;
    ngx_http_torii_cookies_t  cookies;

    ngx_http_torii_session_cookie(r, p, &cookie, &bind);

    if (ngx_http_torii_session_found(r, bind.name, &found) != NGX_OK) {
        return NGX_ERROR;
    }

    cookies.request = r;
    cookies.failed = 0;

    oauth2_cookie_clear(&cookie, &found, ngx_http_torii_session_add, &cookies);

    return cookies.failed ? NGX_ERROR : ngx_http_torii_session_no_store(r);
}


void
ngx_http_torii_session_add(void *data, torii_str_t line)
{
    ngx_http_torii_cookies_t *cookies = data;

    u_char              *p;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    r = cookies->request;

    p = ngx_pnalloc(r->pool, line.len);
    h = p ? ngx_list_push(&r->headers_out.headers) : NULL;

    if (h == NULL) {
        cookies->failed = 1;
        return;
    }

    ngx_memcpy(p, line.data, line.len);

    h->hash = NGX_HTTP_TORII_OURS;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    ngx_str_set(&h->key, "Set-Cookie");
    h->value.data = p;
    h->value.len = line.len;
}


/* A backend may allow that its answer is kept, but not with our cookie. */

ngx_int_t
ngx_http_torii_session_no_store(ngx_http_request_t *r)
{
    ngx_table_elt_t       *h;
    ngx_http_torii_walk_t  walk;

    ngx_memzero(&walk, sizeof(ngx_http_torii_walk_t));

    while ((h = ngx_http_torii_walk(&walk, &r->headers_out.headers)) != NULL) {
        if (h->hash && h->key.len == sizeof("Cache-Control") - 1
            && ngx_strncasecmp(h->key.data, (u_char *) "Cache-Control",
                               h->key.len)
               == 0)
        {
            ngx_str_set(&h->value, "no-store");
            return NGX_OK;
        }
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "no-store");

    return NGX_OK;
}
