
/*
 * Programs that bring an access token of the provider, or of a further issuer,
 * instead of a cookie (RFC 6750, RFC 9068): verified, which is remembered for a
 * minute at most, and never logged in.
 */

#include "ngx_http_torii_login.h"


#define NGX_HTTP_TORII_BEARER_CACHE  (4 * 1024 * 1024)     /* bytes */


typedef struct {
    ngx_http_torii_ctx_t   *ctx;             /* NULL: the request is gone */
    ngx_pool_cleanup_t     *cln;
} ngx_http_torii_bearer_wait_t;


static oauth2_fail_e ngx_http_torii_bearer_verify(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_provider_t *p, torii_str_t text,
    const oauth2_session_t **session);
static oauth2_fail_e ngx_http_torii_bearer_own(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_provider_t *p, torii_str_t text,
    oauth2_token_t *token);
static ngx_uint_t ngx_http_torii_bearer_token(ngx_http_request_t *r,
    torii_str_t *token);
static void ngx_http_torii_bearer_session(ngx_http_torii_provider_t *p,
    torii_arena_t *a, const oauth2_token_t *token, oauth2_session_t *s);
static ngx_int_t ngx_http_torii_bearer_wait(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_provider_t *p, torii_str_t kid);
static void ngx_http_torii_bearer_cleanup(void *data);
static void ngx_http_torii_bearer_waited(void *data, oauth2_fail_e fail);


/* Tokens that were good, and what the last one said; of this process. */

static oauth2_cache_t    *ngx_http_torii_bearer_cache;

static torii_arena_t     *ngx_http_torii_bearer_arena;
static oauth2_session_t   ngx_http_torii_bearer_room;


oauth2_fail_e
ngx_http_torii_login_bearer(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_provider_t *p, const oauth2_session_t **session)
{
    torii_str_t     text;
    oauth2_bind_t   bind;
    oauth2_fail_e   fail;

    if (!ngx_http_torii_bearer_token(r, &text)) {
        return OAUTH2_SESSION_NONE;
    }

    if (ngx_http_torii_bearer_cache == NULL) {
        ngx_http_torii_bearer_cache =
                            oauth2_cache_create(NGX_HTTP_TORII_BEARER_CACHE);
    }

    ngx_memzero(&bind, sizeof(oauth2_bind_t));
    bind.provider = p->id;

    *session = oauth2_cache_get(ngx_http_torii_bearer_cache, &bind, text,
                                p->hash, ngx_time());

    if (*session && ngx_time() < (*session)->expires) {
        return OAUTH2_OK;
    }

    fail = ngx_http_torii_bearer_verify(r, ctx, p, text, session);

    if (fail == OAUTH2_OK) {
        oauth2_cache_put(ngx_http_torii_bearer_cache, &bind, text, p->hash,
                         ngx_time(), *session);
    }

    return fail;
}


static oauth2_fail_e
ngx_http_torii_bearer_verify(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_provider_t *p, torii_str_t text,
    const oauth2_session_t **session)
{
    torii_arena_t       *a;
    oauth2_fail_e        fail;
    oauth2_token_t       token;
    oauth2_trust_t       trust;
    const torii_jwks_t  *keys;

    if (ngx_http_torii_bearer_arena) {
        torii_arena_destroy(ngx_http_torii_bearer_arena);
    }

    a = torii_arena_create(4096);
    ngx_http_torii_bearer_arena = a;

    if (ngx_http_torii_login_issuer(p, a, text, &trust, &keys)) {
        fail = oauth2_token_bearer(a, &trust, keys, text, ngx_time(), &token);

        /* there is nobody here to ask for newer keys */

        if (fail == OAUTH2_TOKEN_KEY) {
            fail = OAUTH2_TOKEN_SIGNATURE;
        }

    } else {
        fail = ngx_http_torii_bearer_own(r, ctx, p, text, &token);
    }

    if (fail != OAUTH2_OK) {
        return fail;
    }

    ngx_http_torii_bearer_session(p, a, &token, &ngx_http_torii_bearer_room);

    *session = &ngx_http_torii_bearer_room;

    return OAUTH2_OK;
}


/* A token of the provider itself. */

static oauth2_fail_e
ngx_http_torii_bearer_own(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_provider_t *p, torii_str_t text, oauth2_token_t *token)
{
    torii_arena_t   *a;
    oauth2_fail_e    fail;
    oauth2_trust_t   trust;

    a = ngx_http_torii_bearer_arena;

    oauth2_provider_trust(&p->settings.provider, &trust);

    fail = oauth2_token_bearer(a, &trust, oauth2_keys_get(p->keys), text,
                               ngx_time(), token);

    if (fail == OAUTH2_TOKEN_KEY && ngx_torii_login_keys_newer(p)) {
        fail = oauth2_token_bearer(a, &trust, oauth2_keys_get(p->keys), text,
                                   ngx_time(), token);
    }

    if (fail == OAUTH2_TOKEN_KEY && ctx->auth_wait == 0
        && ngx_http_torii_bearer_wait(r, ctx, p, token->kid) != NGX_OK)
    {
        return OAUTH2_TOKEN_SIGNATURE;
    }

    return fail;
}


static ngx_uint_t
ngx_http_torii_bearer_token(ngx_http_request_t *r, torii_str_t *token)
{
    ngx_str_t  *value;

    if (r->headers_in.authorization == NULL) {
        return 0;
    }

    value = &r->headers_in.authorization->value;

    if (value->len < sizeof("Bearer ") - 1
        || ngx_strncasecmp(value->data, (u_char *) "Bearer ",
                           sizeof("Bearer ") - 1)
           != 0)
    {
        return 0;
    }

    token->data = value->data + sizeof("Bearer ") - 1;
    token->len = value->len - (sizeof("Bearer ") - 1);
    *token = torii_str_trim(*token);

    return 1;
}


static void
ngx_http_torii_bearer_session(ngx_http_torii_provider_t *p, torii_arena_t *a,
    const oauth2_token_t *token, oauth2_session_t *s)
{
    uint32_t            i;
    oauth2_identity_t   id;

    ngx_memzero(&id, sizeof(oauth2_identity_t));

    id.arena = a;
    id.groups = torii_arena_alloc(a, OAUTH2_MEMBER_MAX * sizeof(torii_str_t));

    oauth2_identity_read(&p->settings.provider, &id, token->claims);

    ngx_memzero(s, sizeof(oauth2_session_t));

    s->created = token->iat;
    s->seen = ngx_time();
    s->expires = token->exp;
    s->projection = p->projection_hash;
    s->verified = id.verified;
    s->sub = token->sub;
    s->email = id.email;
    s->user = id.user;
    s->name = id.name;

    for (i = 0; i < id.ngroups && s->ngroups < OAUTH2_GROUPS_MAX; i++) {
        if (oauth2_projection_has(&p->projection, id.groups[i])) {
            s->groups[s->ngroups++] = id.groups[i];
        }
    }
}


/* The request looks again by itself; here it learns that there will be no more
   keys than there are then. */

static ngx_int_t
ngx_http_torii_bearer_wait(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_http_torii_provider_t *p, torii_str_t kid)
{
    ngx_pool_cleanup_t             *cln;
    ngx_http_torii_bearer_wait_t   *wait;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    wait = torii_malloc(sizeof(ngx_http_torii_bearer_wait_t));
    wait->ctx = ctx;

    if (ngx_torii_login_keys(p, kid, ngx_http_torii_bearer_waited, wait)
        != NGX_OK)
    {
        free(wait);
        return NGX_ERROR;
    }

    wait->cln = cln;
    cln->handler = ngx_http_torii_bearer_cleanup;
    cln->data = wait;

    return NGX_OK;
}


/* The request ends first: the answer frees it. */

static void
ngx_http_torii_bearer_cleanup(void *data)
{
    ngx_http_torii_bearer_wait_t *wait = data;

    wait->ctx = NULL;
}


static void
ngx_http_torii_bearer_waited(void *data, oauth2_fail_e fail)
{
    ngx_http_torii_bearer_wait_t *wait = data;

    if (wait->ctx) {
        wait->cln->handler = NULL;
        wait->ctx->auth_late = 1;
    }

    free(wait);
}
