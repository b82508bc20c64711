
/*
 * What a backend is told of who asks: headers of the session, and nothing of
 * the kind that a client made up; and none of the cookies that are ours.
 */

#include "ngx_http_torii_login.h"


typedef enum {
    NGX_HTTP_TORII_IDENTITY_USER = 0,
    NGX_HTTP_TORII_IDENTITY_EMAIL,
    NGX_HTTP_TORII_IDENTITY_PREFERRED,
    NGX_HTTP_TORII_IDENTITY_GROUPS,
    NGX_HTTP_TORII_IDENTITY_TOKEN,
    NGX_HTTP_TORII_IDENTITY_BEARER,
    NGX_HTTP_TORII_IDENTITY_GAP,
    NGX_HTTP_TORII_IDENTITY_VALUES
} ngx_http_torii_identity_e;

typedef struct {
    ngx_str_t                   name;
    ngx_http_torii_identity_e   value;
    unsigned                    when;      /* OAUTH2_PASS_…: all of them */
    unsigned                    backend;   /* and all of these; 0: never */
} ngx_http_torii_identity_row_t;


static void ngx_http_torii_identity_values(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s,
    torii_str_t values[NGX_HTTP_TORII_IDENTITY_VALUES]);
static torii_str_t ngx_http_torii_identity_groups(ngx_http_request_t *r,
    const oauth2_session_t *s);
static torii_str_t ngx_http_torii_identity_bearer(ngx_http_request_t *r,
    torii_str_t token);
static ngx_uint_t ngx_http_torii_login_chosen(ngx_torii_table_t *table,
    const ingress_table_login_t *login, ngx_str_t *name);
static void ngx_http_torii_login_hide(ngx_http_request_t *r,
    ngx_torii_table_t *table, const ingress_table_login_t *login,
    ngx_uint_t authorization);
static torii_str_t *ngx_http_torii_login_names(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_uint_t *n);


/* In OAuth2 Proxy's words, answered by it to auth_request, or sent on by it. */

static ngx_http_torii_identity_row_t  ngx_http_torii_identities[] = {

    { ngx_string("X-Auth-Request-User"), NGX_HTTP_TORII_IDENTITY_USER,
      OAUTH2_PASS_XAUTH, OAUTH2_PASS_XAUTH },
    { ngx_string("X-Auth-Request-Email"), NGX_HTTP_TORII_IDENTITY_EMAIL,
      OAUTH2_PASS_XAUTH, OAUTH2_PASS_XAUTH },
    { ngx_string("X-Auth-Request-Preferred-Username"),
      NGX_HTTP_TORII_IDENTITY_PREFERRED, OAUTH2_PASS_XAUTH,
      OAUTH2_PASS_XAUTH },
    { ngx_string("X-Auth-Request-Groups"), NGX_HTTP_TORII_IDENTITY_GROUPS,
      OAUTH2_PASS_XAUTH, OAUTH2_PASS_XAUTH },
    { ngx_string("X-Auth-Request-Access-Token"),
      NGX_HTTP_TORII_IDENTITY_TOKEN,
      OAUTH2_PASS_XAUTH|OAUTH2_PASS_ACCESS_TOKEN,
      OAUTH2_PASS_XAUTH|OAUTH2_PASS_ACCESS_TOKEN },
    { ngx_string("GAP-Auth"), NGX_HTTP_TORII_IDENTITY_GAP, 0, 0 },
    { ngx_string("Authorization"), NGX_HTTP_TORII_IDENTITY_BEARER,
      OAUTH2_SET_AUTHORIZATION, 0 },

    { ngx_string("X-Forwarded-User"), NGX_HTTP_TORII_IDENTITY_USER,
      OAUTH2_PASS_USER, OAUTH2_PASS_USER },
    { ngx_string("X-Forwarded-Email"), NGX_HTTP_TORII_IDENTITY_EMAIL,
      OAUTH2_PASS_USER, OAUTH2_PASS_USER },
    { ngx_string("X-Forwarded-Preferred-Username"),
      NGX_HTTP_TORII_IDENTITY_PREFERRED, OAUTH2_PASS_USER, OAUTH2_PASS_USER },
    { ngx_string("X-Forwarded-Groups"), NGX_HTTP_TORII_IDENTITY_GROUPS,
      OAUTH2_PASS_USER, OAUTH2_PASS_USER },
    { ngx_string("X-Forwarded-Access-Token"), NGX_HTTP_TORII_IDENTITY_TOKEN,
      OAUTH2_PASS_ACCESS_TOKEN, OAUTH2_PASS_ACCESS_TOKEN },
    { ngx_string("Authorization"), NGX_HTTP_TORII_IDENTITY_BEARER,
      OAUTH2_PASS_AUTHORIZATION, OAUTH2_PASS_AUTHORIZATION },

    { ngx_null_string, NGX_HTTP_TORII_IDENTITY_VALUES, 0, 0 }
};


ngx_uint_t
ngx_http_torii_login_identity(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s,
    ngx_http_torii_identity_t list[NGX_HTTP_TORII_IDENTITY_MAX])
{
    unsigned                        set;
    ngx_uint_t                      n;
    torii_str_t                     values[NGX_HTTP_TORII_IDENTITY_VALUES];
    ngx_http_torii_identity_row_t  *row;

    set = p->settings.headers;
    ngx_http_torii_identity_values(r, p, s, values);

    n = 0;

    for (row = ngx_http_torii_identities; row->name.len; row++) {

        if ((set & row->when) != row->when
            || !oauth2_header_value_ok(values[row->value]))
        {
            continue;
        }

        list[n].name = row->name;
        list[n].value = values[row->value];
        list[n].backend = row->backend && (set & row->backend) == row->backend;
        n++;
    }

    return n;
}


static void
ngx_http_torii_identity_values(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s,
    torii_str_t values[NGX_HTTP_TORII_IDENTITY_VALUES])
{
    unsigned     set;
    torii_str_t  user;

    set = p->settings.headers;

    /* of GitHub the name that people know, as OAuth2 Proxy has it */

    user = p->settings.provider.type->oidc ? s->sub : s->user;

    if ((set & OAUTH2_PREFER_EMAIL) && s->email.len) {
        user = s->email;
    }

    values[NGX_HTTP_TORII_IDENTITY_USER] = user;
    values[NGX_HTTP_TORII_IDENTITY_EMAIL] = s->email;
    values[NGX_HTTP_TORII_IDENTITY_PREFERRED] = s->user;
    values[NGX_HTTP_TORII_IDENTITY_GROUPS] =
                                        ngx_http_torii_identity_groups(r, s);
    values[NGX_HTTP_TORII_IDENTITY_TOKEN] = s->access_token;
    values[NGX_HTTP_TORII_IDENTITY_GAP] = s->email.len ? s->email : user;
    values[NGX_HTTP_TORII_IDENTITY_BEARER] =
        (set & (OAUTH2_SET_AUTHORIZATION|OAUTH2_PASS_AUTHORIZATION))
        ? ngx_http_torii_identity_bearer(r, s->id_token) : torii_str("");
}


static torii_str_t
ngx_http_torii_identity_groups(ngx_http_request_t *r,
    const oauth2_session_t *s)
{
    torii_buf_t  b;
    torii_str_t  text;

    text = torii_str("");

    if (s->ngroups == 0) {
        return text;
    }

    ngx_memzero(&b, sizeof(torii_buf_t));

    (void) oauth2_session_groups(s, &b);

    text.data = ngx_pnalloc(r->pool, b.len);

    if (text.data) {
        ngx_memcpy(text.data, b.data, b.len);
        text.len = b.len;
    }

    torii_buf_free(&b);

    return text;
}


static torii_str_t
ngx_http_torii_identity_bearer(ngx_http_request_t *r, torii_str_t token)
{
    torii_str_t  text;

    text = torii_str("");

    if (token.len == 0) {
        return text;
    }

    text.data = ngx_pnalloc(r->pool, sizeof("Bearer ") - 1 + token.len);

    if (text.data) {
        text.len = ngx_sprintf(text.data, "Bearer %*s", token.len, token.data)
                   - text.data;
    }

    return text;
}


/* Also a second time, after an internal redirect: first all of them go. */

ngx_int_t
ngx_http_torii_login_headers(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_provider_t *p, const ingress_table_login_t *login,
    const oauth2_session_t *s)
{
    ngx_uint_t                  i, n, chosen, authorization;
    torii_str_t                 value;
    ngx_http_torii_identity_t   list[NGX_HTTP_TORII_IDENTITY_MAX];

    n = s ? ngx_http_torii_login_identity(r, p, s, list) : 0;
    chosen = login->flags & INGRESS_LOGIN_CHOSEN;
    authorization = 0;

    for (i = 0; i < n; i++) {

        if (chosen) {
            list[i].backend = ngx_http_torii_login_chosen(ctx->table, login,
                                                          &list[i].name);
        }

        if (list[i].backend && list[i].name.data[0] == 'A') {

            /* the client's own is for us; of two rows the first counts */

            list[i].backend = !authorization;
            authorization = 1;
        }
    }

    ngx_http_torii_login_hide(r, ctx->table, login, authorization);

    for (i = 0; i < n; i++) {

        if (!list[i].backend) {
            continue;
        }

        value.data = ngx_pnalloc(r->pool, list[i].value.len);
        if (value.data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(value.data, list[i].value.data, list[i].value.len);
        value.len = list[i].value.len;

        if (ngx_http_torii_login_push(r, &list[i].name, value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_torii_login_chosen(ngx_torii_table_t *table,
    const ingress_table_login_t *login, ngx_str_t *name)
{
    uint32_t              i, n;
    torii_str_t           ours;
    const ingress_ref_t  *names;

    names = (const ingress_ref_t *) (table->table.pool
                                     + login->response_headers.off);
    n = login->response_headers.len / sizeof(ingress_ref_t);

    ours.len = name->len;
    ours.data = name->data;

    for (i = 0; i < n; i++) {
        if (oauth2_header_same(ours, ingress_table_str(&table->table,
                                                       names[i])))
        {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_torii_login_strip(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    const ingress_table_login_t *login)
{
    ngx_http_torii_login_hide(r, ctx->table, login, 0);
}


static void
ngx_http_torii_login_hide(ngx_http_request_t *r, ngx_torii_table_t *table,
    const ingress_table_login_t *login, ngx_uint_t authorization)
{
    torii_str_t            name;
    ngx_table_elt_t       *h;
    ngx_http_torii_walk_t  walk;

    ngx_memzero(&walk, sizeof(ngx_http_torii_walk_t));

    while ((h = ngx_http_torii_walk(&walk, &r->headers_in.headers)) != NULL) {
        name.len = h->key.len;
        name.data = h->key.data;

        if (torii_str_caseeqs(name, "authorization")) {

            if (authorization) {
                ngx_http_torii_header_hide(h);
            }

            continue;
        }

        if (oauth2_header_ours(name)
            || ngx_http_torii_login_chosen(table, login, &h->key))
        {
            ngx_http_torii_header_hide(h);
        }
    }
}


ngx_int_t
ngx_http_torii_login_push(ngx_http_request_t *r, ngx_str_t *name,
    torii_str_t value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->lowcase_key = ngx_pnalloc(r->pool, name->len);
    if (h->lowcase_key == NULL) {
        h->key.len = 0;
        return NGX_ERROR;
    }

    h->hash = ngx_hash_strlow(h->lowcase_key, name->data, name->len);
    h->key = *name;
    h->value.len = value.len;
    h->value.data = value.data;

    return NGX_OK;
}


/*
 * Fields of the request stay as they are for what looks at them later, but are
 * not passed on: one that holds the rest goes in their place.
 */

ngx_int_t
ngx_http_torii_login_cookies(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    int                    cut;
    ngx_uint_t             n;
    torii_buf_t            b;
    torii_str_t            line, rest, *names;
    ngx_table_elt_t       *h;
    ngx_http_torii_walk_t  walk;

    static ngx_str_t  cookie = ngx_string("Cookie");

    if (ingress_table_n(&ctx->table->table, PROVIDERS) == 0) {
        return NGX_OK;
    }

    if (ngx_http_torii_session_line(r, &line) != NGX_OK) {
        return NGX_ERROR;
    }

    if (line.len == 0) {
        return NGX_OK;
    }

    names = ngx_http_torii_login_names(r, ctx, &n);
    if (names == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&b, sizeof(torii_buf_t));
    cut = oauth2_cookie_strip(line, names, n, &b);

    if (!cut) {
        torii_buf_free(&b);
        return NGX_OK;
    }

    ngx_memzero(&walk, sizeof(ngx_http_torii_walk_t));

    while ((h = ngx_http_torii_walk(&walk, &r->headers_in.headers)) != NULL) {
        if (h->key.len == cookie.len
            && ngx_strncasecmp(h->key.data, cookie.data, cookie.len) == 0)
        {
            ngx_http_torii_header_hide(h);
        }
    }

    rest.len = b.len;
    rest.data = ngx_pnalloc(r->pool, b.len + 1);

    if (rest.data && b.len) {
        ngx_memcpy(rest.data, b.data, b.len);
    }

    torii_buf_free(&b);

    if (rest.data == NULL) {
        return NGX_ERROR;
    }

    return rest.len ? ngx_http_torii_login_push(r, &cookie, rest) : NGX_OK;
}


static torii_str_t *
ngx_http_torii_login_names(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_uint_t *n)
{
    uint32_t                    i, all;
    torii_str_t                *names;
    ngx_http_torii_provider_t  *p;

    all = ingress_table_n(&ctx->table->table, PROVIDERS);

    names = ngx_palloc(r->pool, all * sizeof(torii_str_t));
    if (names == NULL) {
        return NULL;
    }

    *n = 0;

    for (i = 0; i < all; i++) {

        p = ngx_http_torii_provider(ctx->table, i, r->connection->log);

        if (p) {
            names[(*n)++] = p->settings.cookie.name;
        }
    }

    return names;
}
