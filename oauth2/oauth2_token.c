
/*
 * Tokens: signature and claims.
 */

#include <openssl/crypto.h>

#include "oauth2_token.h"


#define OAUTH2_EVENT_LOGOUT                                                   \
    "http://schemas.openid.net/event/backchannel-logout"


/* In the order of torii_jws_error_e. */

static const oauth2_fail_e  oauth2_token_fails[] = {
    OAUTH2_OK,
    OAUTH2_TOKEN_SIZE,
    OAUTH2_TOKEN_FORM,
    OAUTH2_TOKEN_ALG,
    OAUTH2_TOKEN_CRIT,
    OAUTH2_TOKEN_KEY,
    OAUTH2_TOKEN_SIGNATURE
};


/* RFC 8725 section 3.11; "application/" may be left out (RFC 7515 4.1.9). */

static int
oauth2_token_typ(torii_str_t typ, const char *own)
{
    torii_str_t  prefix;

    static const char  application[] = "application/";

    prefix.data = typ.data;
    prefix.len = sizeof(application) - 1;

    if (typ.len > prefix.len && torii_str_caseeqs(prefix, application)) {
        typ.data += prefix.len;
        typ.len -= prefix.len;
    }

    return typ.len == 0 || torii_str_caseeqs(typ, "JWT")
           || (own && torii_str_caseeqs(typ, own));
}


static oauth2_fail_e
oauth2_token_open(torii_arena_t *a, const oauth2_trust_t *trust,
    const torii_jwks_t *keys, torii_str_t token, const char *typ,
    oauth2_token_t *out)
{
    torii_jws_t        jws;
    torii_jws_error_e  rc;

    memset(out, 0, sizeof(oauth2_token_t));

    rc = torii_jws_read(a, token, trust->algs, &jws);
    if (rc != TORII_JWS_OK) {
        return oauth2_token_fails[rc];
    }

    if (!oauth2_token_typ(jws.typ, typ)) {
        return OAUTH2_CLAIM_TYP;
    }

    out->kid = jws.kid;

    rc = keys ? torii_jws_verify(&jws, keys) : TORII_JWS_KEY;
    if (rc != TORII_JWS_OK) {
        return oauth2_token_fails[rc];
    }

    out->alg = jws.alg;
    out->claims = oauth2_claims(a, jws.payload, TORII_JWS_BYTES);

    return out->claims ? OAUTH2_OK : OAUTH2_CLAIM_FORM;
}


static int
oauth2_token_listed(const oauth2_trust_t *trust, torii_str_t audience)
{
    uint32_t  i;

    for (i = 0; i < trust->naudiences; i++) {
        if (torii_str_eq(trust->audiences[i], audience)) {
            return 1;
        }
    }

    return 0;
}


static int
oauth2_token_ours(const oauth2_trust_t *trust, torii_str_t audience)
{
    return (trust->client_id.len && torii_str_eq(trust->client_id, audience))
           || oauth2_token_listed(trust, audience);
}


/* A string, or a list of them; *n: how many. */

static oauth2_fail_e
oauth2_token_aud(const oauth2_trust_t *trust, const torii_node_t *claims,
    uint32_t *n)
{
    int            ours;
    uint32_t       i;
    torii_node_t  *aud;

    aud = torii_node_get(claims, "aud");
    if (aud == NULL) {
        return OAUTH2_CLAIM_AUD;
    }

    if (aud->type == TORII_NODE_STRING) {
        *n = 1;
        return oauth2_token_ours(trust, aud->text) ? OAUTH2_OK
                                                   : OAUTH2_CLAIM_AUD;
    }

    if (aud->type != TORII_NODE_LIST || aud->n > OAUTH2_AUDIENCES_MAX) {
        return OAUTH2_CLAIM_AUD;
    }

    *n = aud->n;
    ours = 0;

    for (i = 0; i < aud->n; i++) {
        if (aud->items[i]->type != TORII_NODE_STRING) {
            return OAUTH2_CLAIM_AUD;
        }

        ours |= oauth2_token_ours(trust, aud->items[i]->text);
    }

    return ours ? OAUTH2_OK : OAUTH2_CLAIM_AUD;
}


static oauth2_fail_e
oauth2_token_azp(const oauth2_trust_t *trust, const torii_node_t *claims,
    uint32_t audiences)
{
    int          rc;
    torii_str_t  azp;

    rc = oauth2_claim_str(claims, "azp", OAUTH2_CLAIM_MAX, &azp);

    if (rc == TORII_DECLINED) {
        return audiences > 1 ? OAUTH2_CLAIM_AZP : OAUTH2_OK;
    }

    return (rc == TORII_OK && oauth2_token_ours(trust, azp))
           ? OAUTH2_OK : OAUTH2_CLAIM_AZP;
}


static oauth2_fail_e
oauth2_token_times(const oauth2_trust_t *trust, const torii_node_t *claims,
    int64_t now, oauth2_token_t *out)
{
    int      rc;
    int64_t  nbf;

    if (oauth2_claim_time(claims, "exp", &out->exp) != TORII_OK
        || now >= out->exp + trust->skew)
    {
        return OAUTH2_CLAIM_EXP;
    }

    rc = oauth2_claim_time(claims, "nbf", &nbf);

    if (rc == TORII_ERROR || nbf > now + trust->skew) {
        return OAUTH2_CLAIM_NBF;
    }

    rc = oauth2_claim_time(claims, "iat", &out->iat);

    return (rc == TORII_ERROR || out->iat > now + trust->skew)
           ? OAUTH2_CLAIM_IAT : OAUTH2_OK;
}


static oauth2_fail_e
oauth2_token_common(const oauth2_trust_t *trust, const torii_node_t *claims,
    int64_t now, oauth2_token_t *out, uint32_t *audiences)
{
    int            rc;
    torii_str_t    iss;
    oauth2_fail_e  fail;

    if (oauth2_claim_str(claims, "iss", OAUTH2_URL_MAX, &iss) != TORII_OK
        || iss.len == 0 || !torii_str_eq(iss, trust->issuer))
    {
        return OAUTH2_CLAIM_ISS;
    }

    fail = oauth2_token_aud(trust, claims, audiences);
    if (fail != OAUTH2_OK) {
        return fail;
    }

    fail = oauth2_token_times(trust, claims, now, out);
    if (fail != OAUTH2_OK) {
        return fail;
    }

    rc = oauth2_claim_str(claims, "sub", OAUTH2_CLAIM_MAX, &out->sub);

    if (rc == TORII_ERROR || (rc == TORII_OK && out->sub.len == 0)) {
        return OAUTH2_CLAIM_SUB;
    }

    if (oauth2_claim_str(claims, "sid", OAUTH2_CLAIM_MAX, &out->sid)
        == TORII_ERROR)
    {
        return OAUTH2_CLAIM_FORM;
    }

    return OAUTH2_OK;
}


oauth2_fail_e
oauth2_token_claims(const oauth2_trust_t *trust, const torii_node_t *claims,
    int64_t now, oauth2_token_t *out)
{
    uint32_t       audiences;
    oauth2_fail_e  rc;

    audiences = 0;

    rc = oauth2_token_common(trust, claims, now, out, &audiences);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    rc = oauth2_token_azp(trust, claims, audiences);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    if (torii_node_get(claims, "iat") == NULL) {
        return OAUTH2_CLAIM_IAT;
    }

    return out->sub.len ? OAUTH2_OK : OAUTH2_CLAIM_SUB;
}


/*
 * Core 3.1.3.6: the left half of the digest that goes with the algorithm, which
 * for Ed25519 is SHA-512.
 */

static int
oauth2_token_at_hash(const oauth2_token_t *token, torii_str_t access,
    torii_str_t hash)
{
    int             ok;
    char            last;
    unsigned        len;
    const char     *alg, *digest;
    torii_buf_t     b;
    unsigned char   md[EVP_MAX_MD_SIZE];

    alg = torii_jwa_name(token->alg);
    last = alg[strlen(alg) - 1];

    digest = (last == '6') ? "SHA256" : (last == '4') ? "SHA384" : "SHA512";

    if (EVP_Digest(access.data, access.len, md, &len,
                   EVP_get_digestbyname(digest), NULL) != 1)
    {
        return 0;
    }

    memset(&b, 0, sizeof(torii_buf_t));
    torii_base64url_add(&b, md, len / 2);

    ok = b.len == hash.len && CRYPTO_memcmp(b.data, hash.data, b.len) == 0;

    torii_buf_free(&b);

    return ok;
}


static oauth2_fail_e
oauth2_token_expected(const oauth2_trust_t *trust,
    const oauth2_expect_t *expect, int64_t now, const oauth2_token_t *token)
{
    int          rc;
    int64_t      auth_time;
    torii_str_t  nonce, hash;

    if (expect->sub.len && !torii_str_eq(expect->sub, token->sub)) {
        return OAUTH2_CLAIM_SUB;
    }

    if (expect->nonce.len
        && (oauth2_claim_str(token->claims, "nonce", OAUTH2_CLAIM_MAX, &nonce)
            != TORII_OK
            || nonce.len != expect->nonce.len
            || CRYPTO_memcmp(nonce.data, expect->nonce.data, nonce.len) != 0))
    {
        return OAUTH2_CLAIM_NONCE;
    }

    rc = oauth2_claim_str(token->claims, "at_hash", OAUTH2_CLAIM_MAX, &hash);

    if (rc == TORII_ERROR
        || (rc == TORII_OK && expect->access_token.len
            && !oauth2_token_at_hash(token, expect->access_token, hash)))
    {
        return OAUTH2_CLAIM_AT_HASH;
    }

    if (expect->max_age == 0) {
        return OAUTH2_OK;
    }

    return (oauth2_claim_time(token->claims, "auth_time", &auth_time)
            == TORII_OK
            && auth_time <= now + trust->skew
            && now - auth_time <= expect->max_age + trust->skew)
           ? OAUTH2_OK : OAUTH2_CLAIM_AUTH_TIME;
}


oauth2_fail_e
oauth2_token_id(torii_arena_t *a, const oauth2_trust_t *trust,
    const torii_jwks_t *keys, torii_str_t token,
    const oauth2_expect_t *expect, int64_t now, oauth2_token_t *out)
{
    oauth2_fail_e  rc;

    rc = oauth2_token_open(a, trust, keys, token, NULL, out);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    rc = oauth2_token_claims(trust, out->claims, now, out);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    /* a logout token is not to be taken for an ID token */

    if (torii_node_get(out->claims, "events")) {
        return OAUTH2_CLAIM_EVENTS;
    }

    return oauth2_token_expected(trust, expect, now, out);
}


oauth2_fail_e
oauth2_token_logout(torii_arena_t *a, const oauth2_trust_t *trust,
    const torii_jwks_t *keys, torii_str_t token, int64_t now,
    oauth2_token_t *out)
{
    uint32_t       audiences;
    torii_node_t  *event;
    oauth2_fail_e  rc;

    rc = oauth2_token_open(a, trust, keys, token, "logout+jwt", out);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    rc = oauth2_token_common(trust, out->claims, now, out, &audiences);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    if (torii_node_get(out->claims, "iat") == NULL) {
        return OAUTH2_CLAIM_IAT;
    }

    event = torii_node_get(torii_node_get(out->claims, "events"),
                           OAUTH2_EVENT_LOGOUT);

    if (event == NULL || event->type != TORII_NODE_MAP) {
        return OAUTH2_CLAIM_EVENTS;
    }

    if (torii_node_get(out->claims, "nonce")) {
        return OAUTH2_CLAIM_NONCE;
    }

    if (oauth2_claim_str(out->claims, "jti", OAUTH2_CLAIM_MAX, &out->jti)
            != TORII_OK
        || out->jti.len == 0)
    {
        return OAUTH2_CLAIM_JTI;
    }

    return (out->sub.len || out->sid.len) ? OAUTH2_OK : OAUTH2_CLAIM_SUB;
}


oauth2_fail_e
oauth2_token_bearer(torii_arena_t *a, const oauth2_trust_t *trust,
    const torii_jwks_t *keys, torii_str_t token, int64_t now,
    oauth2_token_t *out)
{
    uint32_t        audiences;
    oauth2_fail_e   rc;
    oauth2_trust_t  api;

    /* an ID token has the client's id as its audience, and is no credential */

    api = *trust;
    api.client_id = torii_str("");

    rc = oauth2_token_open(a, &api, keys, token, "at+jwt", out);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    rc = oauth2_token_common(&api, out->claims, now, out, &audiences);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    if (torii_node_get(out->claims, "at_hash")
        || torii_node_get(out->claims, "events"))
    {
        return OAUTH2_CLAIM_TYP;
    }

    return out->sub.len ? OAUTH2_OK : OAUTH2_CLAIM_SUB;
}


oauth2_fail_e
oauth2_token_issuer(torii_arena_t *a, unsigned algs, torii_str_t token,
    torii_str_t *issuer)
{
    torii_jws_t          jws;
    torii_jws_error_e    rc;
    const torii_node_t  *claims;

    rc = torii_jws_read(a, token, algs, &jws);
    if (rc != TORII_JWS_OK) {
        return oauth2_token_fails[rc];
    }

    claims = oauth2_claims(a, jws.payload, TORII_JWS_BYTES);
    if (claims == NULL) {
        return OAUTH2_CLAIM_FORM;
    }

    return oauth2_claim_str(claims, "iss", OAUTH2_URL_MAX, issuer) == TORII_OK
           ? OAUTH2_OK : OAUTH2_CLAIM_ISS;
}
