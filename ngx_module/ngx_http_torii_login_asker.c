
/*
 * Who asks, by the headers of his request, and how he is told that he may not
 * enter.  Answers are sent from here, so that no error_page can turn them into
 * anything else.
 */

#include "ngx_http_torii_login.h"


typedef struct {
    ngx_str_t   name;
    size_t      offset;            /* torii_str_t in oauth2_asker_t */
} ngx_http_torii_asker_header_t;


static ngx_int_t ngx_http_torii_denial_headers(ngx_http_request_t *r,
    const oauth2_denial_t *denial, ngx_uint_t token);
static ngx_int_t ngx_http_torii_denial_page(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, oauth2_kind_e kind, oauth2_fail_e reason);
static torii_str_t ngx_http_torii_denial_back(ngx_http_request_t *r,
    oauth2_kind_e kind);


#define NGX_HTTP_TORII_ASKER(name, field)                                     \
    { ngx_string(name), offsetof(oauth2_asker_t, field) }

static ngx_http_torii_asker_header_t  ngx_http_torii_asker_headers[] = {
    NGX_HTTP_TORII_ASKER("accept", accept),
    NGX_HTTP_TORII_ASKER("content-type", content_type),
    NGX_HTTP_TORII_ASKER("x-requested-with", requested_with),
    NGX_HTTP_TORII_ASKER("sec-fetch-mode", fetch_mode),
    NGX_HTTP_TORII_ASKER("sec-fetch-dest", fetch_dest),
    { ngx_null_string, 0 }
};


/* Of several headers with one name the first counts. */

torii_str_t
ngx_http_torii_login_field(ngx_http_request_t *r, char *name)
{
    size_t                 len;
    torii_str_t            value;
    ngx_table_elt_t       *h;
    ngx_http_torii_walk_t  walk;

    len = ngx_strlen(name);
    ngx_memzero(&walk, sizeof(ngx_http_torii_walk_t));

    while ((h = ngx_http_torii_walk(&walk, &r->headers_in.headers)) != NULL) {
        if (h->key.len == len
            && ngx_strncasecmp(h->key.data, (u_char *) name, len) == 0)
        {
            value.len = h->value.len;
            value.data = h->value.data;

            return value;
        }
    }

    return torii_str("");
}


oauth2_kind_e
ngx_http_torii_login_kind(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_provider_t *p, ngx_uint_t api)
{
    torii_str_t                    *field;
    oauth2_asker_t                  asker;
    ngx_http_torii_asker_header_t  *h;

    ngx_memzero(&asker, sizeof(oauth2_asker_t));

    for (h = ngx_http_torii_asker_headers; h->name.len; h++) {
        field = (torii_str_t *) ((u_char *) &asker + h->offset);
        *field = ngx_http_torii_login_field(r, (char *) h->name.data);
    }

    asker.method.len = r->method_name.len;
    asker.method.data = r->method_name.data;

    if (ctx->upgrade) {
        asker.upgrade.len = ctx->upgrade->value.len;
        asker.upgrade.data = ctx->upgrade->value.data;
    }

    asker.api = api || p->settings.json
                || ngx_http_torii_login_is_api(ctx, &p->settings);
    asker.frames = p->settings.frames;

    return oauth2_kind(&asker);
}


ngx_uint_t
ngx_http_torii_login_is_api(ngx_http_torii_ctx_t *ctx,
    const oauth2_settings_t *settings)
{
    uint32_t        i;
    torii_str_t     uri, captures[TORII_REGEX_CAPTURES];
    torii_regex_t  *re;

    uri.len = ctx->uri.len;
    uri.data = ctx->uri.data;

    if (settings->napi) {
        torii_regex_begin(ngx_torii_regexes());
    }

    for (i = 0; i < settings->napi; i++) {
        re = torii_regex_get(ngx_torii_regexes(), settings->api[i],
                             TORII_REGEX_ANCHORED);

        if (re && torii_regex_match(re, uri, captures) == TORII_OK) {
            return 1;
        }
    }

    return 0;
}


/* 302 is only for pages that a browser shows. */

ngx_int_t
ngx_http_torii_login_deny(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_provider_t *p, oauth2_kind_e kind, ngx_uint_t known,
    oauth2_fail_e reason)
{
    ngx_int_t                  rc;
    ngx_str_t                  type;
    torii_str_t                target;
    const oauth2_denial_t     *denial;
    ngx_http_complex_value_t   cv;

    denial = oauth2_kind_denial(kind, known);

    if (known) {
        ngx_torii_login_count(NGX_TORII_LOGIN_DENIED);
    }

    if (denial->status == NGX_HTTP_MOVED_TEMPORARILY) {
        target.len = r->unparsed_uri.len;
        target.data = r->unparsed_uri.data;

        if (!p->settings.button) {
            return ngx_http_torii_login_begin(r, ctx, p, target, 0);
        }

        rc = ngx_http_torii_page(r, p, NGX_HTTP_TORII_PAGE_SIGN_IN,
                                 NGX_HTTP_UNAUTHORIZED, OAUTH2_OK, target);

        ngx_http_finalize_request(r, rc);

        return NGX_DONE;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc == NGX_OK) {
        rc = ngx_http_torii_denial_headers(r, denial,
                                           reason >= OAUTH2_TOKEN_SIZE
                                           && reason <= OAUTH2_CLAIM_JTI);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (denial->page) {
        rc = ngx_http_torii_denial_page(r, p, kind, reason);

    } else {
        ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));
        ngx_str_null(&type);

        if (denial->content_type) {
            type.data = (u_char *) denial->content_type;
            type.len = ngx_strlen(denial->content_type);
        }

        if (denial->body) {
            cv.value.data = (u_char *) denial->body;
            cv.value.len = ngx_strlen(denial->body);
        }

        rc = ngx_http_send_response(r, denial->status, &type, &cv);
    }

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}


static ngx_int_t
ngx_http_torii_denial_headers(ngx_http_request_t *r,
    const oauth2_denial_t *denial, ngx_uint_t token)
{
    ngx_str_t  value;

    if (ngx_http_torii_session_no_store(r) != NGX_OK) {
        return NGX_ERROR;
    }

    if (denial->challenge) {

        /* RFC 6750 section 3; the host has no byte that would end a quote */

        value.len = sizeof("Bearer realm=\"\", error=\"invalid_token\"") - 1
                    + r->headers_in.server.len;

        value.data = ngx_pnalloc(r->pool, value.len);
        if (value.data == NULL) {
            return NGX_ERROR;
        }

        value.len = ngx_sprintf(value.data, "Bearer realm=\"%V\"%s",
                                &r->headers_in.server,
                                token ? ", error=\"invalid_token\"" : "")
                    - value.data;

        if (ngx_http_torii_header_add(r, "WWW-Authenticate", &value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (denial->grpc_status) {
        value.data = (u_char *) denial->grpc_status;
        value.len = ngx_strlen(denial->grpc_status);

        if (ngx_http_torii_header_add(r, "grpc-status", &value) != NGX_OK) {
            return NGX_ERROR;
        }

        value.data = (u_char *) denial->grpc_message;
        value.len = ngx_strlen(denial->grpc_message);

        return ngx_http_torii_header_add(r, "grpc-message", &value);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_denial_page(ngx_http_request_t *r, ngx_http_torii_provider_t *p,
    oauth2_kind_e kind, oauth2_fail_e reason)
{
    const oauth2_denial_t  *denial;

    denial = oauth2_kind_denial(kind, 1);

    if (reason == OAUTH2_DENIED_EMAIL || reason == OAUTH2_DENIED_GROUP
        || reason == OAUTH2_DENIED_MEMBER
        || reason == OAUTH2_EMAIL_UNVERIFIED
        || reason == OAUTH2_EMAIL_MISSING)
    {
        return ngx_http_torii_page(r, p, NGX_HTTP_TORII_PAGE_DENIED,
                                   denial->status, reason,
                                   ngx_http_torii_denial_back(r, kind));
    }

    return ngx_http_torii_page(r, p, NGX_HTTP_TORII_PAGE_SIGN_IN,
                               NGX_HTTP_UNAUTHORIZED, OAUTH2_OK,
                               ngx_http_torii_denial_back(r, kind));
}


/*
 * A form cannot be sent again after the login: its own page is what there is
 * to come back to.
 */

static torii_str_t
ngx_http_torii_denial_back(ngx_http_request_t *r, oauth2_kind_e kind)
{
    size_t       len;
    torii_str_t  back, host;

    if (kind != OAUTH2_KIND_FORM) {
        back.len = r->unparsed_uri.len;
        back.data = r->unparsed_uri.data;
        return back;
    }

    back = ngx_http_torii_login_field(r, "referer");
    host.len = r->headers_in.server.len;
    host.data = r->headers_in.server.data;

    len = sizeof("https://") - 1;

    if (torii_str_starts(back, "https://") && back.len > len + host.len
        && ngx_strncasecmp(back.data + len, host.data, host.len) == 0
        && back.data[len + host.len] == '/')
    {
        back.data += len + host.len;
        back.len -= len + host.len;
        return back;
    }

    return torii_str("/");
}
