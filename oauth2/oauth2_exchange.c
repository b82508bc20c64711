
/*
 * The exchange as a machine.
 */

#include <stdlib.h>
#include <openssl/crypto.h>

#include "oauth2_exchange_machine.h"
#include "oauth2_form.h"


#define OAUTH2_FORM_TYPE  "application/x-www-form-urlencoded"


static oauth2_exchange_e oauth2_exchange_lookup(oauth2_exchange_t *x);


oauth2_exchange_t *
oauth2_exchange_create(const oauth2_provider_t *p, const torii_jwks_t *keys)
{
    oauth2_exchange_t  *x;

    x = torii_zalloc(sizeof(oauth2_exchange_t));

    x->arena = torii_arena_create(4096);
    x->provider = p;
    x->keys = keys;
    x->id.arena = x->arena;

    return x;
}


static void
oauth2_exchange_wipe(torii_str_t s)
{
    if (s.len) {
        OPENSSL_cleanse(s.data, s.len);
    }
}


static void
oauth2_exchange_wipe_buf(torii_buf_t *b)
{
    if (b->data) {
        OPENSSL_cleanse(b->data, b->size);
    }

    b->len = 0;
}


void
oauth2_exchange_free(oauth2_exchange_t *x)
{
    if (x == NULL) {
        return;
    }

    oauth2_exchange_wipe(x->grant.access_token);
    oauth2_exchange_wipe(x->grant.refresh_token);
    oauth2_exchange_wipe(x->grant.id_token);
    oauth2_exchange_wipe(x->bearer);
    oauth2_exchange_wipe(x->request.authorization);
    oauth2_exchange_wipe_buf(&x->form);
    oauth2_exchange_wipe_buf(&x->body);

    torii_buf_free(&x->form);
    torii_buf_free(&x->body);
    torii_buf_free(&x->url);
    torii_arena_destroy(x->arena);

    free(x);
}


static oauth2_exchange_e
oauth2_exchange_failed(oauth2_exchange_t *x, oauth2_fail_e fail)
{
    x->fail = fail;
    x->step = OAUTH2_EXCHANGE_FAILED;

    return x->step;
}


/* Encoded before it is joined, so that a ":" in the id stays its own. */

static torii_str_t
oauth2_client_basic(torii_arena_t *a, torii_str_t id, torii_str_t secret)
{
    size_t          len;
    torii_buf_t     b;
    torii_str_t     value;
    unsigned char  *p;

    static const char  basic[] = "Basic ";

    memset(&b, 0, sizeof(torii_buf_t));

    (void) torii_buf_room(&b, 3 * (id.len + secret.len) + 8);

    oauth2_form_escape(&b, id);
    torii_buf_adds(&b, ":");
    oauth2_form_escape(&b, secret);

    len = sizeof(basic) - 1;
    p = torii_arena_alloc(a, len + (b.len + 2) / 3 * 4 + 1);
    memcpy(p, basic, len);

    value.data = p;
    value.len = len + EVP_EncodeBlock(p + len, b.data, (int) b.len);

    OPENSSL_cleanse(b.data, b.size);
    torii_buf_free(&b);

    return value;
}


void
oauth2_client_show(torii_arena_t *a, const oauth2_provider_t *p,
    uint32_t secret, torii_buf_t *form, torii_str_t *authorization)
{
    *authorization = torii_str("");

    if (p->nsecrets && (p->endpoints.auth & OAUTH2_AUTH_BASIC)) {
        *authorization = oauth2_client_basic(a, p->client_id,
                                             p->secrets[secret]);
        return;
    }

    oauth2_form_add(form, "client_id", p->client_id);

    if (p->nsecrets) {
        oauth2_form_add(form, "client_secret", p->secrets[secret]);
    }
}


/* The form is kept without the secret, for a second try with another one. */

static oauth2_exchange_e
oauth2_exchange_post(oauth2_exchange_t *x)
{
    oauth2_exchange_wipe_buf(&x->body);
    oauth2_exchange_wipe(x->request.authorization);

    memset(&x->request, 0, sizeof(oauth2_request_t));

    (void) torii_buf_room(&x->body, x->form.len + 4096);
    torii_buf_add(&x->body, x->form.data, x->form.len);

    oauth2_client_show(x->arena, x->provider, x->secret, &x->body,
                       &x->request.authorization);

    x->request.method = "POST";
    x->request.url = x->provider->endpoints.token;
    x->request.accept = "application/json";
    x->request.content_type = OAUTH2_FORM_TYPE;
    x->request.body.data = x->body.data;
    x->request.body.len = x->body.len;

    x->state = OAUTH2_ASK_TOKEN;
    x->step = OAUTH2_EXCHANGE_SEND;

    return x->step;
}


oauth2_exchange_e
oauth2_exchange_code(oauth2_exchange_t *x, torii_str_t code,
    torii_str_t redirect_uri, torii_str_t verifier, torii_str_t nonce)
{
    x->expect.nonce = torii_arena_str(x->arena, nonce);
    x->expect.max_age = x->provider->max_age;

    (void) torii_buf_room(&x->form, 3 * (code.len + redirect_uri.len) + 512);

    oauth2_form_add(&x->form, "grant_type", torii_str("authorization_code"));
    oauth2_form_add(&x->form, "code", code);
    oauth2_form_add(&x->form, "redirect_uri", redirect_uri);
    oauth2_form_add(&x->form, "code_verifier", verifier);

    return oauth2_exchange_post(x);
}


oauth2_exchange_e
oauth2_exchange_refresh(oauth2_exchange_t *x, const oauth2_session_t *session)
{
    x->old = session;
    x->expect.sub = session->sub;

    (void) torii_buf_room(&x->form, 3 * session->refresh_token.len + 512);

    oauth2_form_add(&x->form, "grant_type", torii_str("refresh_token"));
    oauth2_form_add(&x->form, "refresh_token", session->refresh_token);

    return oauth2_exchange_post(x);
}


void
oauth2_exchange_use(oauth2_exchange_t *x, const torii_jwks_t *keys)
{
    x->keys = keys;
}


const oauth2_request_t *
oauth2_exchange_request(const oauth2_exchange_t *x)
{
    return &x->request;
}


torii_str_t
oauth2_exchange_kid(const oauth2_exchange_t *x)
{
    return x->kid;
}


oauth2_fail_e
oauth2_exchange_fail(const oauth2_exchange_t *x)
{
    return x->fail;
}


static oauth2_exchange_e
oauth2_exchange_get(oauth2_exchange_t *x, oauth2_ask_e state)
{
    if (x->bearer.len == 0) {
        x->bearer = torii_arena_printf(x->arena, "Bearer %.*s",
                                       torii_str_arg(x->grant.access_token));
    }

    oauth2_exchange_wipe_buf(&x->body);

    memset(&x->request, 0, sizeof(oauth2_request_t));

    x->request.method = "GET";
    x->request.url.data = x->url.data;
    x->request.url.len = x->url.len;
    x->request.authorization = x->bearer;
    x->request.accept = "application/json";

    x->state = state;
    x->step = OAUTH2_EXCHANGE_SEND;

    return x->step;
}


static oauth2_exchange_e
oauth2_exchange_end(oauth2_exchange_t *x)
{
    oauth2_fail_e  rc;

    if (x->id.sub.len == 0 && x->old == NULL) {
        return oauth2_exchange_failed(x, OAUTH2_CLAIM_SUB);
    }

    if (x->old && x->id.sub.len && !torii_str_eq(x->id.sub, x->old->sub)) {
        return oauth2_exchange_failed(x, OAUTH2_CLAIM_SUB);
    }

    /* without new claims there is nothing new to judge */

    if (x->provider->type->check && (x->old == NULL || x->id.sub.len)) {
        rc = x->provider->type->check(x->provider, &x->id);

        if (rc != OAUTH2_OK) {
            return oauth2_exchange_failed(x, rc);
        }
    }

    x->step = OAUTH2_EXCHANGE_DONE;

    return x->step;
}


static oauth2_exchange_e
oauth2_exchange_lookup(oauth2_exchange_t *x)
{
    const oauth2_lookup_t  *lookup;

    for (lookup = x->provider->type->lookups; lookup; x->lookup++) {

        if (lookup[x->lookup].url == NULL) {
            break;
        }

        x->url.len = 0;

        if (lookup[x->lookup].url(x->provider, &x->id, x->page, &x->url)
            == TORII_OK)
        {
            return oauth2_exchange_get(x, OAUTH2_ASK_LOOKUP);
        }

        x->page = 0;
    }

    return oauth2_exchange_end(x);
}


static oauth2_exchange_e
oauth2_exchange_userinfo(oauth2_exchange_t *x)
{
    if (x->provider->endpoints.userinfo.len == 0
        || (x->id.email.len && (x->id.ngroups || !x->provider->wants_groups)))
    {
        return oauth2_exchange_lookup(x);
    }

    x->url.len = 0;
    torii_buf_add_str(&x->url, x->provider->endpoints.userinfo);

    return oauth2_exchange_get(x, OAUTH2_ASK_USERINFO);
}


static oauth2_exchange_e
oauth2_exchange_wait(oauth2_exchange_t *x, oauth2_ask_e state, torii_str_t kid)
{
    if (x->asked_keys) {
        return oauth2_exchange_failed(x, OAUTH2_TOKEN_KEY);
    }

    x->kid = kid;
    x->state = state;
    x->step = OAUTH2_EXCHANGE_KEYS;

    return x->step;
}


static oauth2_exchange_e
oauth2_exchange_id(oauth2_exchange_t *x, int64_t now)
{
    oauth2_fail_e   rc;
    oauth2_token_t  token;
    oauth2_trust_t  trust;

    oauth2_provider_trust(x->provider, &trust);

    x->expect.access_token = x->grant.access_token;

    rc = oauth2_token_id(x->arena, &trust, x->keys, x->grant.id_token,
                         &x->expect, now, &token);

    if (rc == OAUTH2_TOKEN_KEY) {
        return oauth2_exchange_wait(x, OAUTH2_ASK_TOKEN, token.kid);
    }

    if (rc != OAUTH2_OK) {
        return oauth2_exchange_failed(x, rc);
    }

    x->id.claims = token.claims;
    oauth2_identity_read(x->provider, &x->id, token.claims);

    return oauth2_exchange_userinfo(x);
}


static oauth2_exchange_e
oauth2_exchange_token(oauth2_exchange_t *x, int64_t now,
    const oauth2_response_t *res)
{
    oauth2_fail_e  rc;

    rc = oauth2_token_answer(x->arena, res, &x->grant);

    if (rc == OAUTH2_CLIENT && x->secret + 1 < x->provider->nsecrets) {
        x->secret++;
        return oauth2_exchange_post(x);
    }

    if (rc != OAUTH2_OK) {
        return oauth2_exchange_failed(x, rc);
    }

    if (!x->provider->type->oidc) {
        return oauth2_exchange_lookup(x);
    }

    if (x->grant.id_token.len) {
        return oauth2_exchange_id(x, now);
    }

    return x->old ? oauth2_exchange_end(x)
                  : oauth2_exchange_failed(x, OAUTH2_PROVIDER_ANSWER);
}


/* Userinfo may be signed (Core 5.3.2): then it has to verify. */

static oauth2_exchange_e
oauth2_exchange_signed(oauth2_exchange_t *x, torii_str_t token,
    torii_str_t *json)
{
    torii_jws_t        jws;
    oauth2_trust_t     trust;
    torii_jws_error_e  rc;

    oauth2_provider_trust(x->provider, &trust);

    token = torii_str_trim(token);

    if (torii_jws_read(x->arena, token, trust.algs, &jws) != TORII_JWS_OK) {
        return oauth2_exchange_failed(x, OAUTH2_TOKEN_FORM);
    }

    rc = x->keys ? torii_jws_verify(&jws, x->keys) : TORII_JWS_KEY;

    if (rc == TORII_JWS_KEY) {
        x->signed_info = torii_arena_str(x->arena, token);
        return oauth2_exchange_wait(x, OAUTH2_ASK_USERINFO, jws.kid);
    }

    if (rc != TORII_JWS_OK) {
        return oauth2_exchange_failed(x, OAUTH2_TOKEN_SIGNATURE);
    }

    *json = jws.payload;

    return OAUTH2_EXCHANGE_DONE;
}


static int
oauth2_exchange_is_jwt(torii_str_t type)
{
    torii_str_t  name;

    name = torii_str("");
    (void) torii_str_next(&type, ";", &name);

    return torii_str_caseeqs(torii_str_trim(name), "application/jwt");
}


/* Core 5.3.2: of the same subject as the ID token, or of no use. */

static oauth2_exchange_e
oauth2_exchange_info(oauth2_exchange_t *x, torii_str_t body, int is_jwt)
{
    torii_str_t        json, sub;
    torii_node_t      *doc;
    oauth2_exchange_e  rc;

    json = body;

    if (is_jwt) {
        rc = oauth2_exchange_signed(x, body, &json);

        if (rc != OAUTH2_EXCHANGE_DONE) {
            return rc;
        }
    }

    doc = oauth2_claims(x->arena, json, OAUTH2_BODY_MAX);
    if (doc == NULL) {
        return oauth2_exchange_failed(x, OAUTH2_PROVIDER_ANSWER);
    }

    if (oauth2_claim_str(doc, "sub", OAUTH2_CLAIM_MAX, &sub) != TORII_OK
        || !torii_str_eq(sub, x->id.sub))
    {
        return oauth2_exchange_failed(x, OAUTH2_USERINFO_SUB);
    }

    x->id.userinfo = doc;
    oauth2_identity_read(x->provider, &x->id, doc);

    return oauth2_exchange_lookup(x);
}


static oauth2_exchange_e
oauth2_exchange_looked_up(oauth2_exchange_t *x, const oauth2_response_t *res)
{
    int                     more;
    oauth2_fail_e           rc;
    const oauth2_lookup_t  *lookup;

    lookup = &x->provider->type->lookups[x->lookup];
    more = 0;

    rc = lookup->answer(x->provider, &x->id, x->page, res, &more);
    if (rc != OAUTH2_OK) {
        return oauth2_exchange_failed(x, rc);
    }

    if (more && x->page + 1 < lookup->max) {
        x->page++;

    } else {
        x->page = 0;
        x->lookup++;
    }

    return oauth2_exchange_lookup(x);
}


oauth2_exchange_e
oauth2_exchange_answer(oauth2_exchange_t *x, int64_t now,
    const oauth2_response_t *res)
{
    if (x->step != OAUTH2_EXCHANGE_SEND) {
        return x->step;
    }

    if (res->body.len > OAUTH2_BODY_MAX) {
        return oauth2_exchange_failed(x, OAUTH2_PROVIDER_ANSWER);
    }

    if (x->state == OAUTH2_ASK_TOKEN) {
        return oauth2_exchange_token(x, now, res);
    }

    if (res->status == 0 || res->status >= 500 || res->status == 429) {
        return oauth2_exchange_failed(x, OAUTH2_PROVIDER_DOWN);
    }

    if (x->state == OAUTH2_ASK_LOOKUP
        && (res->status == 200 || res->status == 403 || res->status == 404))
    {
        return oauth2_exchange_looked_up(x, res);
    }

    if (res->status != 200) {
        return oauth2_exchange_failed(x, OAUTH2_PROVIDER_ANSWER);
    }

    return oauth2_exchange_info(x, res->body,
                                oauth2_exchange_is_jwt(res->content_type));
}


oauth2_exchange_e
oauth2_exchange_keys(oauth2_exchange_t *x, int64_t now,
    const torii_jwks_t *keys)
{
    if (x->step != OAUTH2_EXCHANGE_KEYS) {
        return x->step;
    }

    x->keys = keys;
    x->asked_keys = 1;

    return (x->state == OAUTH2_ASK_TOKEN)
           ? oauth2_exchange_id(x, now)
           : oauth2_exchange_info(x, x->signed_info, 1);
}
