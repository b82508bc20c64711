
/*
 * Any bytes as a token, a set of keys, claims, a description of a provider, an
 * answer of its token endpoint, a form: each is read or refused, and there is
 * one text only for what is accepted.
 */

#include <stdlib.h>
#include <openssl/err.h>

#include "oauth2_discovery.h"
#include "oauth2_form.h"
#include "oauth2_token.h"


#define FUZZ_NOW  1795000000


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* RFC 8037 appendix A.2, RFC 7515 appendix A.3. */

static const char  fuzz_keys[] =
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7Ty"
    "WQHOg7hcvPapiMlrwIaaPcHURo\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f"
    "83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue6"
    "59LNpXW6pCyStikYjKIWI5a0\"}]}";


static void
fuzz_jws(torii_arena_t *a, torii_str_t in, const torii_jwks_t *set)
{
    torii_buf_t  b = { NULL, 0, 0 };
    torii_jws_t  jws;

    if (torii_jws_read(a, in, TORII_JWA_ALL, &jws) != TORII_JWS_OK) {
        return;
    }

    /* what is signed, a dot, and the signature are the whole token */

    torii_buf_add_str(&b, jws.input);
    torii_buf_adds(&b, ".");
    torii_base64url_add(&b, jws.signature.data, jws.signature.len);

    if (b.len != in.len || memcmp(b.data, in.data, in.len) != 0
        || jws.alg >= TORII_JWA_MAX)
    {
        abort();
    }

    torii_buf_free(&b);

    (void) torii_jws_verify(&jws, set);
}


static void
fuzz_claims(torii_arena_t *a, torii_str_t in, const torii_jwks_t *set)
{
    torii_node_t      *doc;
    oauth2_token_t     out;
    oauth2_trust_t     trust;
    oauth2_expect_t    expect;

    memset(&trust, 0, sizeof(oauth2_trust_t));
    memset(&expect, 0, sizeof(oauth2_expect_t));
    memset(&out, 0, sizeof(oauth2_token_t));

    trust.issuer = torii_str("https://id.example");
    trust.client_id = torii_str("gw");
    trust.algs = TORII_JWA_DEFAULT;
    trust.skew = OAUTH2_SKEW;

    /* nobody has the keys */

    if (oauth2_token_id(a, &trust, set, in, &expect, FUZZ_NOW, &out)
            == OAUTH2_OK
        || oauth2_token_logout(a, &trust, set, in, FUZZ_NOW, &out)
           == OAUTH2_OK
        || oauth2_token_bearer(a, &trust, set, in, FUZZ_NOW, &out)
           == OAUTH2_OK)
    {
        abort();
    }

    doc = oauth2_claims(a, in, TORII_JWS_BYTES);

    if (doc == NULL) {
        return;
    }

    (void) oauth2_claim_find(doc, torii_str("/realm/roles/0"));

    if (oauth2_token_claims(&trust, doc, FUZZ_NOW, &out) == OAUTH2_OK
        && (out.sub.len == 0 || out.sub.len > OAUTH2_CLAIM_MAX
            || torii_str_has_control(out.sub)
            || out.exp + OAUTH2_SKEW <= FUZZ_NOW))
    {
        abort();
    }
}


static void
fuzz_documents(torii_arena_t *a, torii_str_t in)
{
    const char           *error;
    torii_jwks_t         *set;
    oauth2_grant_t        grant;
    oauth2_response_t     res;
    oauth2_endpoints_t    e;

    error = NULL;
    set = torii_jwks_read(in, &error);

    if ((set == NULL) != (error != NULL)) {
        abort();
    }

    torii_jwks_free(set);

    if (oauth2_discovery_read(a, in, torii_str("https://id.example"),
                              TORII_JWA_DEFAULT, 0, &e, &error) == TORII_OK
        && (!torii_str_starts(e.token, "https://")
            || !torii_str_starts(e.authorization, "https://")
            || e.algs == 0 || e.auth == 0))
    {
        abort();
    }

    memset(&res, 0, sizeof(oauth2_response_t));
    res.status = 200;
    res.body = in;

    if (oauth2_token_answer(a, &res, &grant) == OAUTH2_OK
        && (grant.access_token.len == 0 || grant.expires_in < 0
            || torii_str_has_control(grant.access_token)))
    {
        abort();
    }
}


static void
fuzz_form(torii_arena_t *a, torii_str_t in)
{
    uint32_t        i;
    torii_buf_t     b = { NULL, 0, 0 };
    torii_str_t     again;
    oauth2_form_t   form;

    if (oauth2_form_read(a, in, &form) != TORII_OK) {
        return;
    }

    for (i = 0; i < form.n; i++) {
        b.len = 0;
        oauth2_form_escape(&b, form.values[i]);
        again.data = b.data;
        again.len = b.len;

        if (oauth2_form_unescape(a, again, &again) != TORII_OK
            || !torii_str_eq(again, form.values[i]))
        {
            abort();
        }
    }

    torii_buf_free(&b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char     *error;
    torii_str_t     in;
    torii_arena_t  *a;

    static torii_jwks_t  *set;

    if (set == NULL) {
        set = torii_jwks_read(torii_str(fuzz_keys), &error);
    }

    in.data = (unsigned char *) data;
    in.len = size;

    a = torii_arena_create(4096);

    fuzz_jws(a, in, set);
    fuzz_claims(a, in, set);
    fuzz_documents(a, in);
    fuzz_form(a, in);

    torii_arena_destroy(a);

    if (ERR_peek_error() != 0) {
        abort();
    }

    return 0;
}
