
/*
 * Passwords (RFC 7617) of the users that a Secret names.
 */

#include "ngx_http_torii_gate.h"


#define NGX_HTTP_TORII_PASSWORD_MAX    255     /* bytes */
#define NGX_HTTP_TORII_PASSWORD_WAIT   10000   /* ms, for those before it */


static ngx_int_t ngx_http_torii_users_check(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_users_t *users);
static ngx_uint_t ngx_http_torii_users_find(ngx_torii_table_t *table,
    const ingress_table_users_t *users, torii_str_t name, torii_str_t *hash);
static ngx_int_t ngx_http_torii_users_ask(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);


ngx_int_t
ngx_http_torii_users(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_int_t                     rc;
    const ingress_table_users_t  *users;

    users = &ctx->table->table.users[ctx->policy->users - 1];

    rc = ngx_http_auth_basic_user(r);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_OK) {
        rc = ngx_http_torii_users_check(r, ctx, users);
    }

    switch (rc) {

    case NGX_OK:

        /* the password is ours to know, not the backend's */

        ngx_http_torii_header_hide(r->headers_in.authorization);

        ctx->auth_user = r->headers_in.user;
        ctx->auth_status = "ok";
        return NGX_DECLINED;

    case NGX_AGAIN:
        return ngx_http_torii_gate_wait(r, NGX_HTTP_TORII_PASSWORD_WAIT);

    case NGX_BUSY:
        ctx->auth_status = "error";
        return NGX_HTTP_SERVICE_UNAVAILABLE;

    default:
        ctx->auth_status = r->headers_in.user.len ? "deny" : "anon";
        return ngx_http_torii_users_ask(r, ctx);
    }
}


static ngx_int_t
ngx_http_torii_users_check(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    const ingress_table_users_t *users)
{
    u_char       id[32];
    ngx_int_t    rc;
    ngx_msec_t   now;
    torii_str_t  user, password, hash;

    user.len = r->headers_in.user.len;
    user.data = r->headers_in.user.data;
    password.len = r->headers_in.passwd.len;
    password.data = r->headers_in.passwd.data;

    if (password.len > NGX_HTTP_TORII_PASSWORD_MAX
        || memchr(password.data, '\0', password.len)
        || !ngx_http_torii_users_find(ctx->table, users, user, &hash))
    {
        return NGX_DECLINED;
    }

    ngx_torii_password_id(user, password, hash, id);

    rc = ngx_torii_password(r, id, password, hash);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "torii: user \"%V\": password mismatch",
                      &r->headers_in.user);
    }

    if (rc == NGX_AGAIN) {
        now = ngx_current_msec ? ngx_current_msec : 1;

        if (ctx->auth_wait == 0) {
            ctx->auth_wait = now;
        }

        if (now - ctx->auth_wait >= NGX_HTTP_TORII_PASSWORD_WAIT) {
            return NGX_BUSY;
        }
    }

    return rc;
}


/* They are sorted by torii_str_cmp(). */

static ngx_uint_t
ngx_http_torii_users_find(ngx_torii_table_t *table,
    const ingress_table_users_t *users, torii_str_t name, torii_str_t *hash)
{
    int                     cmp;
    uint32_t                low, high, middle;
    const ingress_entry_t  *list;

    list = (const ingress_entry_t *) (table->table.pool + users->users.off);
    low = 0;
    high = users->users.len / sizeof(ingress_entry_t);

    while (low < high) {
        middle = low + (high - low) / 2;

        cmp = torii_str_cmp(name, ingress_table_str(&table->table,
                                                    list[middle].name));
        if (cmp == 0) {
            *hash = ingress_table_str(&table->table, list[middle].value);
            return 1;
        }

        if (cmp < 0) {
            high = middle;

        } else {
            low = middle + 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_torii_users_ask(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    u_char           *p;
    size_t            i;
    ngx_str_t         realm;
    ngx_table_elt_t  *h;

    realm = ngx_http_torii_str(ctx, ctx->policy->realm);

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    p = ngx_pnalloc(r->pool, sizeof("Basic realm=\"\"") - 1 + 2 * realm.len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    h->value.data = p;
    p = ngx_cpymem(p, "Basic realm=\"", sizeof("Basic realm=\"") - 1);

    for (i = 0; i < realm.len; i++) {
        if (realm.data[i] == '"' || realm.data[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = realm.data[i];
    }

    *p++ = '"';

    h->value.len = p - h->value.data;
    h->hash = 1;
    ngx_str_set(&h->key, "WWW-Authenticate");

    r->headers_out.www_authenticate = h;

    return NGX_HTTP_UNAUTHORIZED;
}
