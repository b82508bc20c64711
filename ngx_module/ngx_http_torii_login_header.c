
/*
 * What a backend is told of who asks: headers of the session, and nothing of
 * the kind that a client made up; and none of the cookies that are ours.
 */

#include "ngx_http_torii_login.h"


#define NGX_HTTP_TORII_IDENTITIES                                             \
    (sizeof(ngx_http_torii_identities)                                        \
     / sizeof(ngx_http_torii_identity_row_t))


typedef struct {
    ngx_str_t                   name;
    ngx_http_torii_identity_e   value;
    unsigned                    when;      /* OAUTH2_PASS_…: all of them */
    unsigned                    backend;   /* without auth-response-headers:
                                              all of these; 0: never */
} ngx_http_torii_identity_row_t;


static ngx_int_t ngx_http_torii_identity_read(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s, unsigned wanted,
    torii_str_t values[NGX_HTTP_TORII_IDENTITY_VALUES]);
static void ngx_http_torii_identity_values(ngx_http_torii_provider_t *p,
    const oauth2_session_t *s,
    torii_str_t values[NGX_HTTP_TORII_IDENTITY_VALUES]);
static ngx_int_t ngx_http_torii_identity_copy(ngx_http_request_t *r,
    const char *scheme, torii_str_t *value);
static ngx_uint_t ngx_http_torii_login_chosen(ngx_torii_table_t *table,
    const ingress_table_login_t *login, ngx_str_t *name);
static void ngx_http_torii_login_hide(ngx_http_request_t *r,
    ngx_torii_table_t *table, const ingress_table_login_t *login,
    ngx_uint_t authorization);
static ngx_int_t ngx_http_torii_login_field_push(ngx_http_request_t *r,
    ngx_str_t *name, u_char *lowcase, ngx_uint_t hash, torii_str_t value);
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


void
ngx_http_torii_login_identity(torii_arena_t *a, ngx_torii_table_t *table,
    const ingress_table_login_t *login, ngx_http_torii_provider_t *p,
    ngx_http_torii_login_rules_t *rules)
{
    unsigned                        set;
    ngx_uint_t                      chosen;
    ngx_http_torii_identity_t      *identity;
    ngx_http_torii_identity_row_t  *row;

    set = p->settings.headers;

    rules->identity = torii_arena_alloc(a, NGX_HTTP_TORII_IDENTITIES
                                          * sizeof(ngx_http_torii_identity_t));

    for (row = ngx_http_torii_identities; row->name.len; row++) {

        if ((set & row->when) != row->when) {
            continue;
        }

        chosen = (login->flags & INGRESS_LOGIN_CHOSEN)
                 ? ngx_http_torii_login_chosen(table, login, &row->name)
                 : row->backend && (set & row->backend) == row->backend;

        /* Authorization is there once, though two settings may ask for it */

        if (!chosen || (row->value == NGX_HTTP_TORII_IDENTITY_BEARER
                        && (rules->values & 1 << row->value)))
        {
            continue;
        }

        identity = &rules->identity[rules->nidentity++];

        identity->name = row->name;
        identity->lowcase = torii_arena_alloc(a, row->name.len);
        identity->hash = ngx_hash_strlow(identity->lowcase, row->name.data,
                                         row->name.len);
        identity->value = row->value;

        rules->values |= 1 << row->value;
    }
}


/* Also a second time, after an internal redirect: first all of them go. */

ngx_int_t
ngx_http_torii_login_headers(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_provider_t *p, const ingress_table_login_t *login,
    ngx_http_torii_login_rules_t *rules, const oauth2_session_t *s)
{
    uint32_t                    i;
    torii_str_t                *value;
    torii_str_t                 values[NGX_HTTP_TORII_IDENTITY_VALUES];
    ngx_http_torii_identity_t  *identity;

    ngx_memzero(values, sizeof(values));

    if (s && ngx_http_torii_identity_read(r, p, s, rules->values, values)
             != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* where there is a token for the backend, the client's own is for us */

    ngx_http_torii_login_hide(r, ctx->table, login,
                              values[NGX_HTTP_TORII_IDENTITY_BEARER].len != 0);

    for (i = 0; i < rules->nidentity; i++) {
        identity = &rules->identity[i];
        value = &values[identity->value];

        if (value->len
            && ngx_http_torii_login_field_push(r, &identity->name,
                                               identity->lowcase,
                                               identity->hash, *value)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Those that are wanted, never with control bytes; the others are empty. */

static ngx_int_t
ngx_http_torii_identity_read(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s, unsigned wanted,
    torii_str_t values[NGX_HTTP_TORII_IDENTITY_VALUES])
{
    ngx_int_t     rc;
    ngx_uint_t    i;
    torii_buf_t   b;
    torii_str_t  *groups;

    ngx_http_torii_identity_values(p, s, values);

    ngx_memzero(&b, sizeof(torii_buf_t));
    groups = &values[NGX_HTTP_TORII_IDENTITY_GROUPS];

    if (groups->len == 0 && (wanted & 1 << NGX_HTTP_TORII_IDENTITY_GROUPS)) {
        (void) oauth2_session_groups(s, &b);

        groups->data = b.data;
        groups->len = b.len;
    }

    rc = NGX_OK;

    for (i = 0; i < NGX_HTTP_TORII_IDENTITY_VALUES; i++) {

        if (!(wanted & 1 << i) || !oauth2_header_value_ok(values[i])) {
            values[i].len = 0;
            continue;
        }

        if (ngx_http_torii_identity_copy(r, i == NGX_HTTP_TORII_IDENTITY_BEARER
                                            ? "Bearer " : "", &values[i])
            != NGX_OK)
        {
            rc = NGX_ERROR;
            break;
        }
    }

    torii_buf_free(&b);

    return rc;
}


static void
ngx_http_torii_identity_values(ngx_http_torii_provider_t *p,
    const oauth2_session_t *s,
    torii_str_t values[NGX_HTTP_TORII_IDENTITY_VALUES])
{
    torii_str_t  user;

    /* of GitHub the name that people know, as OAuth2 Proxy has it */

    user = p->settings.provider.type->oidc ? s->sub : s->user;

    if ((p->settings.headers & OAUTH2_PREFER_EMAIL) && s->email.len) {
        user = s->email;
    }

    values[NGX_HTTP_TORII_IDENTITY_USER] = user;
    values[NGX_HTTP_TORII_IDENTITY_EMAIL] = s->email;
    values[NGX_HTTP_TORII_IDENTITY_PREFERRED] = s->user;
    values[NGX_HTTP_TORII_IDENTITY_GROUPS] = s->group_list;
    values[NGX_HTTP_TORII_IDENTITY_TOKEN] = s->access_token;
    values[NGX_HTTP_TORII_IDENTITY_BEARER] = s->id_token;
    values[NGX_HTTP_TORII_IDENTITY_GAP] = s->email.len ? s->email : user;
}


/* The session may be gone before the request is. */

static ngx_int_t
ngx_http_torii_identity_copy(ngx_http_request_t *r, const char *scheme,
    torii_str_t *value)
{
    size_t   len;
    u_char  *p;

    len = ngx_strlen(scheme);

    p = ngx_pnalloc(r->pool, len + value->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(ngx_cpymem(p, scheme, len), value->data, value->len);

    value->data = p;
    value->len += len;

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

    static ngx_str_t       own = ngx_string("authorization");

    ngx_memzero(&walk, sizeof(ngx_http_torii_walk_t));

    while ((h = ngx_http_torii_walk(&walk, &r->headers_in.headers)) != NULL) {

        if (h->key.len == own.len
            && ngx_strncmp(h->lowcase_key, own.data, own.len) == 0)
        {
            if (authorization) {
                ngx_http_torii_header_hide(h);
            }

            continue;
        }

        name.len = h->key.len;
        name.data = h->key.data;

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
    u_char      *lowcase;
    ngx_uint_t   hash;

    lowcase = ngx_pnalloc(r->pool, name->len);
    if (lowcase == NULL) {
        return NGX_ERROR;
    }

    hash = ngx_hash_strlow(lowcase, name->data, name->len);

    return ngx_http_torii_login_field_push(r, name, lowcase, hash, value);
}


static ngx_int_t
ngx_http_torii_login_field_push(ngx_http_request_t *r, ngx_str_t *name,
    u_char *lowcase, ngx_uint_t hash, torii_str_t value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = hash;
    h->key = *name;
    h->value.len = value.len;
    h->value.data = value.data;
    h->lowcase_key = lowcase;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

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
