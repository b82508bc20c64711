
/*
 * ID tokens, logout tokens, access tokens, and answers of token endpoints:
 * which are believed, and the exact word for why others are not.
 */

#include <openssl/err.h>

#include "oauth2_make.h"
#include "oauth2_logout.h"
#include "oauth2_token.h"
#include "tap.h"


#define TEST_NOW  1795000000
#define TEST_ISS  "https://id.example"

/* Members of a claim set: NULL leaves one out, other text takes its place. */

#define TEST_NONCE  "n-0S6_WzA2Mj"


typedef struct {
    const char     *iss;
    const char     *aud;
    const char     *sub;
    const char     *exp;
    const char     *iat;
    const char     *nonce;
    const char     *more;
    oauth2_fail_e   fail;
} test_claims_t;


#define ISS    "\"" TEST_ISS "\""
#define AUD    "\"gw\""
#define SUB    "\"alice\""
#define EXP    "1795000300"
#define IAT    "1795000000"
#define NONCE  "\"" TEST_NONCE "\""

static const test_claims_t  test_claims[] = {
    { ISS, AUD, SUB, EXP, IAT, NONCE, "", OAUTH2_OK },

    { NULL, AUD, SUB, EXP, IAT, NONCE, "", OAUTH2_CLAIM_ISS },
    { "\"\"", AUD, SUB, EXP, IAT, NONCE, "", OAUTH2_CLAIM_ISS },
    { "\"https://id.example/\"", AUD, SUB, EXP, IAT, NONCE, "",
      OAUTH2_CLAIM_ISS },
    { "\"https://ID.example\"", AUD, SUB, EXP, IAT, NONCE, "",
      OAUTH2_CLAIM_ISS },
    { "[\"https://id.example\"]", AUD, SUB, EXP, IAT, NONCE, "",
      OAUTH2_CLAIM_ISS },
    { "\"https://id.example\\u0000\"", AUD, SUB, EXP, IAT, NONCE, "",
      OAUTH2_CLAIM_ISS },

    { ISS, NULL, SUB, EXP, IAT, NONCE, "", OAUTH2_CLAIM_AUD },
    { ISS, "\"other\"", SUB, EXP, IAT, NONCE, "", OAUTH2_CLAIM_AUD },
    { ISS, "\"GW\"", SUB, EXP, IAT, NONCE, "", OAUTH2_CLAIM_AUD },
    { ISS, "[\"gw\"]", SUB, EXP, IAT, NONCE, "", OAUTH2_OK },
    { ISS, "[]", SUB, EXP, IAT, NONCE, "", OAUTH2_CLAIM_AUD },
    { ISS, "[\"other\"]", SUB, EXP, IAT, NONCE, "", OAUTH2_CLAIM_AUD },
    { ISS, "[\"gw\",1]", SUB, EXP, IAT, NONCE, "", OAUTH2_CLAIM_AUD },
    { ISS, "[[\"gw\"]]", SUB, EXP, IAT, NONCE, "", OAUTH2_CLAIM_AUD },
    { ISS, "{\"gw\":1}", SUB, EXP, IAT, NONCE, "", OAUTH2_CLAIM_AUD },
    { ISS, "\"extra\"", SUB, EXP, IAT, NONCE, "", OAUTH2_OK },
    { ISS, "[\"gw\",\"other\"]", SUB, EXP, IAT, NONCE, "", OAUTH2_CLAIM_AZP },
    { ISS, "[\"gw\",\"other\"]", SUB, EXP, IAT, NONCE, ",\"azp\":\"gw\"",
      OAUTH2_OK },
    { ISS, "[\"gw\",\"other\"]", SUB, EXP, IAT, NONCE, ",\"azp\":\"other\"",
      OAUTH2_CLAIM_AZP },
    { ISS, AUD, SUB, EXP, IAT, NONCE, ",\"azp\":\"other\"",
      OAUTH2_CLAIM_AZP },
    { ISS, AUD, SUB, EXP, IAT, NONCE, ",\"azp\":[\"gw\"]", OAUTH2_CLAIM_AZP },
    { ISS, AUD, SUB, EXP, IAT, NONCE, ",\"azp\":\"\"", OAUTH2_CLAIM_AZP },

    { ISS, AUD, NULL, EXP, IAT, NONCE, "", OAUTH2_CLAIM_SUB },
    { ISS, AUD, "\"\"", EXP, IAT, NONCE, "", OAUTH2_CLAIM_SUB },
    { ISS, AUD, "1", EXP, IAT, NONCE, "", OAUTH2_CLAIM_SUB },
    { ISS, AUD, "\"a\\nb\"", EXP, IAT, NONCE, "", OAUTH2_CLAIM_SUB },
    { ISS, AUD, "\"a\\u0000b\"", EXP, IAT, NONCE, "", OAUTH2_CLAIM_SUB },

    { ISS, AUD, SUB, NULL, IAT, NONCE, "", OAUTH2_CLAIM_EXP },
    { ISS, AUD, SUB, "\"1795000300\"", IAT, NONCE, "", OAUTH2_CLAIM_EXP },
    { ISS, AUD, SUB, "-1", IAT, NONCE, "", OAUTH2_CLAIM_EXP },
    { ISS, AUD, SUB, "0", IAT, NONCE, "", OAUTH2_CLAIM_EXP },
    { ISS, AUD, SUB, "1e300", IAT, NONCE, "", OAUTH2_CLAIM_EXP },
    { ISS, AUD, SUB, "9223372036854775807", IAT, NONCE, "",
      OAUTH2_CLAIM_EXP },
    { ISS, AUD, SUB, "true", IAT, NONCE, "", OAUTH2_CLAIM_EXP },
    { ISS, AUD, SUB, "1794999941", IAT, NONCE, "", OAUTH2_OK },
    { ISS, AUD, SUB, "1794999940", IAT, NONCE, "", OAUTH2_CLAIM_EXP },
    { ISS, AUD, SUB, "1.7950003e9", IAT, NONCE, "", OAUTH2_OK },
    { ISS, AUD, SUB, "1795000300.9", IAT, NONCE, "", OAUTH2_OK },

    { ISS, AUD, SUB, EXP, IAT, NONCE, ",\"nbf\":1795000060", OAUTH2_OK },
    { ISS, AUD, SUB, EXP, IAT, NONCE, ",\"nbf\":1795000061",
      OAUTH2_CLAIM_NBF },
    { ISS, AUD, SUB, EXP, IAT, NONCE, ",\"nbf\":\"0\"", OAUTH2_CLAIM_NBF },
    { ISS, AUD, SUB, EXP, IAT, NONCE, ",\"nbf\":null", OAUTH2_CLAIM_NBF },

    { ISS, AUD, SUB, EXP, NULL, NONCE, "", OAUTH2_CLAIM_IAT },
    { ISS, AUD, SUB, EXP, "1795000060", NONCE, "", OAUTH2_OK },
    { ISS, AUD, SUB, EXP, "1795000061", NONCE, "", OAUTH2_CLAIM_IAT },
    { ISS, AUD, SUB, EXP, "\"1\"", NONCE, "", OAUTH2_CLAIM_IAT },

    { ISS, AUD, SUB, EXP, IAT, NULL, "", OAUTH2_CLAIM_NONCE },
    { ISS, AUD, SUB, EXP, IAT, "\"\"", "", OAUTH2_CLAIM_NONCE },
    { ISS, AUD, SUB, EXP, IAT, "\"n-0S6_WzA2M\"", "", OAUTH2_CLAIM_NONCE },
    { ISS, AUD, SUB, EXP, IAT, "\"n-0S6_WzA2Mk\"", "", OAUTH2_CLAIM_NONCE },
    { ISS, AUD, SUB, EXP, IAT, "[\"" TEST_NONCE "\"]", "",
      OAUTH2_CLAIM_NONCE },

    { ISS, AUD, SUB, EXP, IAT, NONCE, ",\"sid\":1", OAUTH2_CLAIM_FORM },
    { ISS, AUD, SUB, EXP, IAT, NONCE, ",\"sid\":\"s\"", OAUTH2_OK },
    { ISS, AUD, SUB, EXP, IAT, NONCE, ",\"exp\":1795000300",
      OAUTH2_CLAIM_FORM },
    { ISS, AUD, SUB, EXP, IAT, NONCE, ",\"events\":{}",
      OAUTH2_CLAIM_EVENTS },
    { ISS, AUD, SUB, EXP, IAT, NONCE,
      ",\"at_hash\":\"1rxlUFuftEOzm9aiH_IgZQ\"", OAUTH2_CLAIM_AT_HASH },
    { ISS, AUD, SUB, EXP, IAT, NONCE, ",\"at_hash\":7",
      OAUTH2_CLAIM_AT_HASH },
    { ISS, AUD, SUB, EXP, IAT, NONCE, "}{", OAUTH2_CLAIM_FORM },
    { NULL, NULL, NULL, NULL, NULL, NULL, NULL, OAUTH2_OK }
};


#define LOGOUT                                                                \
    ",\"jti\":\"j\",\"events\":{\"http://schemas.openid.net/event/"           \
    "backchannel-logout\":{}}"

static const struct {
    const char     *header;
    const char     *sub;
    const char     *exp;
    const char     *more;
    oauth2_fail_e   fail;
} test_logouts[] = {
    { "logout+jwt", SUB, EXP, LOGOUT, OAUTH2_OK },
    { "application/logout+jwt", SUB, EXP, LOGOUT, OAUTH2_OK },
    { "JWT", SUB, EXP, LOGOUT, OAUTH2_OK },
    { "logout+jwt", NULL, EXP, LOGOUT ",\"sid\":\"s\"", OAUTH2_OK },
    { "logout+jwt", NULL, EXP, LOGOUT, OAUTH2_CLAIM_SUB },
    { "at+jwt", SUB, EXP, LOGOUT, OAUTH2_CLAIM_TYP },
    { "logout+jwt", SUB, NULL, LOGOUT, OAUTH2_CLAIM_EXP },
    { "logout+jwt", SUB, EXP, "", OAUTH2_CLAIM_EVENTS },
    { "logout+jwt", SUB, EXP, ",\"jti\":\"j\",\"events\":{}",
      OAUTH2_CLAIM_EVENTS },
    { "logout+jwt", SUB, EXP, ",\"jti\":\"j\",\"events\":[\"http://schemas."
      "openid.net/event/backchannel-logout\"]", OAUTH2_CLAIM_EVENTS },
    { "logout+jwt", SUB, EXP, ",\"jti\":\"j\",\"events\":{\"http://schemas."
      "openid.net/event/backchannel-logout\":1}", OAUTH2_CLAIM_EVENTS },
    { "logout+jwt", SUB, EXP, ",\"events\":{\"http://schemas.openid.net/event/"
      "backchannel-logout\":{}}", OAUTH2_CLAIM_JTI },
    { "logout+jwt", SUB, EXP, LOGOUT ",\"nonce\":\"n\"", OAUTH2_CLAIM_NONCE },
    { NULL, NULL, NULL, NULL, OAUTH2_OK }
};


static const struct {
    uint32_t        status;
    const char     *body;
    oauth2_fail_e   fail;
    int64_t         expires;
} test_answers[] = {
    { 200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":"
      "60}", OAUTH2_OK, 60 },
    { 200, "{\"access_token\":\"a\",\"token_type\":\"bearer\"}", OAUTH2_OK,
      0 },
    { 200, "{\"access_token\":\"a\",\"token_type\":\"BEARER\",\"expires_in\":"
      "\"60\"}", OAUTH2_OK, 60 },
    { 200, "{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":"
      "-1}", OAUTH2_OK, 0 },
    { 200, "{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":"
      "99999999999999}", OAUTH2_OK, 0 },
    { 200, "{\"access_token\":\"a\"}", OAUTH2_PROVIDER_ANSWER, 0 },
    { 200, "{\"access_token\":\"a\",\"token_type\":\"mac\"}",
      OAUTH2_PROVIDER_ANSWER, 0 },
    { 200, "{\"access_token\":\"\",\"token_type\":\"bearer\"}",
      OAUTH2_PROVIDER_ANSWER, 0 },
    { 200, "{\"access_token\":1,\"token_type\":\"bearer\"}",
      OAUTH2_PROVIDER_ANSWER, 0 },
    { 200, "{\"access_token\":\"a\\r\\nX: y\",\"token_type\":\"bearer\"}",
      OAUTH2_PROVIDER_ANSWER, 0 },
    { 200, "{\"access_token\":\"a b\",\"token_type\":\"bearer\"}",
      OAUTH2_PROVIDER_ANSWER, 0 },
    { 200, "{\"access_token\":\"a\",\"access_token\":\"b\",\"token_type\":"
      "\"bearer\"}", OAUTH2_PROVIDER_ANSWER, 0 },
    { 200, "{\"access_token\":\"a\",\"token_type\":\"bearer\",\"id_token\":{}}",
      OAUTH2_PROVIDER_ANSWER, 0 },
    { 200, "{\"error\":\"bad_verification_code\"}", OAUTH2_GRANT, 0 },
    { 200, "{\"error\":\"access_denied\",\"access_token\":\"a\","
      "\"token_type\":\"bearer\"}", OAUTH2_PROVIDER_ANSWER, 0 },
    { 200, "{\"error\":1}", OAUTH2_PROVIDER_ANSWER, 0 },
    { 200, "", OAUTH2_PROVIDER_ANSWER, 0 },
    { 200, "<html>", OAUTH2_PROVIDER_ANSWER, 0 },
    { 200, "[]", OAUTH2_PROVIDER_ANSWER, 0 },
    { 200, "access_token=a&token_type=bearer", OAUTH2_PROVIDER_ANSWER, 0 },
    { 302, "", OAUTH2_PROVIDER_ANSWER, 0 },
    { 400, "{\"error\":\"invalid_grant\"}", OAUTH2_GRANT, 0 },
    { 400, "{\"error\":\"invalid_request\"}", OAUTH2_PROVIDER_ANSWER, 0 },
    { 401, "{\"error\":\"invalid_client\"}", OAUTH2_CLIENT, 0 },
    { 401, "", OAUTH2_CLIENT, 0 },
    { 400, "{\"error\":\"unauthorized_client\"}", OAUTH2_CLIENT, 0 },
    { 400, "{\"error\":\"temporarily_unavailable\"}", OAUTH2_PROVIDER_DOWN,
      0 },
    { 429, "", OAUTH2_PROVIDER_DOWN, 0 },
    { 500, "{\"error\":\"invalid_grant\"}", OAUTH2_PROVIDER_DOWN, 0 },
    { 503, "<html>", OAUTH2_PROVIDER_DOWN, 0 },
    { 0, "", OAUTH2_PROVIDER_DOWN, 0 },
    { 0, NULL, OAUTH2_OK, 0 }
};


static torii_arena_t   *test_arena;
static EVP_PKEY        *test_key;
static torii_jwks_t    *test_set;
static torii_str_t      test_extra[] = { torii_string("extra") };
static oauth2_trust_t   test_trust;


static torii_str_t
test_json(const test_claims_t *t)
{
    size_t       i;
    torii_buf_t  b;
    torii_str_t  json;

    const char  *values[6] = {
        t->iss, t->aud, t->sub, t->exp, t->iat, t->nonce
    };

    static const char  *const names[6] = {
        "iss", "aud", "sub", "exp", "iat", "nonce"
    };

    memset(&b, 0, sizeof(torii_buf_t));
    torii_buf_adds(&b, "{\"x\":1");

    for (i = 0; i < 6; i++) {
        if (values[i]) {
            torii_buf_printf(&b, ",\"%s\":%s", names[i], values[i]);
        }
    }

    torii_buf_printf(&b, "%s}", t->more);

    json = torii_arena_str(test_arena, make_str(&b));
    torii_buf_free(&b);

    return json;
}


static torii_str_t
test_token(const char *typ, torii_str_t json)
{
    char  header[128];

    snprintf(header, sizeof(header),
             "{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"%s\"}", typ);

    return make_token(test_arena, test_key, "ES256", header, json);
}


static void
test_setup(void)
{
    const char   *error;
    torii_buf_t   b;

    test_key = torii_key_generate(TORII_KEY_EC_P256);

    memset(&b, 0, sizeof(torii_buf_t));
    torii_buf_adds(&b, "{\"keys\":[");
    make_jwk(&b, test_key, "\"kid\":\"k\"");
    torii_buf_adds(&b, "]}");
    test_set = torii_jwks_read(make_str(&b), &error);
    torii_buf_free(&b);

    test_trust.issuer = torii_str(TEST_ISS);
    test_trust.client_id = torii_str("gw");
    test_trust.audiences = test_extra;
    test_trust.naudiences = 1;
    test_trust.algs = TORII_JWA_DEFAULT;
    test_trust.skew = OAUTH2_SKEW;
}


static void
test_expect(oauth2_expect_t *expect)
{
    memset(expect, 0, sizeof(oauth2_expect_t));

    expect->nonce = torii_str(TEST_NONCE);
    expect->access_token = torii_str("ya29.eQETFbFOkAs8nWHcmYXKwEi0Zz46Nf");
}


static void
test_id(void)
{
    unsigned         i;
    torii_str_t      token;
    oauth2_fail_e    fail;
    oauth2_token_t   out;
    oauth2_expect_t  expect;

    test_expect(&expect);

    for (i = 0; test_claims[i].more; i++) {
        token = test_token("JWT", test_json(&test_claims[i]));
        fail = oauth2_token_id(test_arena, &test_trust, test_set, token,
                               &expect, TEST_NOW, &out);

        tap_ok(fail == test_claims[i].fail, "ID token %d: %s, as it should: "
               "%s", i, oauth2_fail_name(fail),
               oauth2_fail_name(test_claims[i].fail));
    }
}


static oauth2_fail_e
test_id_one(const char *typ, const char *more, const oauth2_expect_t *expect,
    const torii_jwks_t *set)
{
    torii_str_t     token;
    test_claims_t   claims;
    oauth2_token_t  out;

    claims = test_claims[0];
    claims.more = more;
    token = test_token(typ, test_json(&claims));

    return oauth2_token_id(test_arena, &test_trust, set, token, expect,
                           TEST_NOW, &out);
}


static void
test_id_others(void)
{
    oauth2_expect_t  expect;

    test_expect(&expect);

    tap_ok(test_id_one("logout+jwt", "", &expect, test_set)
           == OAUTH2_CLAIM_TYP
           && test_id_one("at+jwt", "", &expect, test_set) == OAUTH2_CLAIM_TYP
           && test_id_one("application/at+jwt", "", &expect, test_set)
              == OAUTH2_CLAIM_TYP
           && test_id_one("jwt", "", &expect, test_set) == OAUTH2_OK
           && test_id_one("", "", &expect, test_set) == OAUTH2_OK,
           "the type of a token");

    tap_ok(test_id_one("JWT", "", &expect, NULL) == OAUTH2_TOKEN_KEY,
           "without keys: its key is unknown");

    /* SHA-256 of the access token, its left half */

    expect.access_token = torii_str("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF"
                                    "0Y");
    tap_ok(test_id_one("JWT", ",\"at_hash\":\"77QmUPtjPfzWtF2AnpK9RQ\"",
                       &expect, test_set) == OAUTH2_OK,
           "Core A.3: at_hash");

    expect.sub = torii_str("bob");
    tap_ok(test_id_one("JWT", "", &expect, test_set) == OAUTH2_CLAIM_SUB,
           "another subject than before");
    expect.sub = torii_str("alice");
    expect.nonce = torii_str("");
    tap_ok(test_id_one("JWT", "", &expect, test_set) == OAUTH2_OK,
           "at a refresh no nonce is expected");

    expect.max_age = 600;
    tap_ok(test_id_one("JWT", "", &expect, test_set) == OAUTH2_CLAIM_AUTH_TIME
           && test_id_one("JWT", ",\"auth_time\":1794999340", &expect,
                          test_set) == OAUTH2_OK
           && test_id_one("JWT", ",\"auth_time\":1794999339", &expect,
                          test_set) == OAUTH2_CLAIM_AUTH_TIME
           && test_id_one("JWT", ",\"auth_time\":1795000100", &expect,
                          test_set) == OAUTH2_CLAIM_AUTH_TIME,
           "auth_time where max_age was asked for");
}


static void
test_signature(void)
{
    EVP_PKEY        *other;
    torii_str_t      token;
    oauth2_token_t   out;
    oauth2_expect_t  expect;

    test_expect(&expect);

    other = torii_key_generate(TORII_KEY_EC_P256);

    token = make_token(test_arena, other, "ES256",
                       "{\"alg\":\"ES256\",\"kid\":\"k\"}",
                       test_json(&test_claims[0]));
    tap_ok(oauth2_token_id(test_arena, &test_trust, test_set, token, &expect,
                           TEST_NOW, &out) == OAUTH2_TOKEN_SIGNATURE,
           "signed by another key under the kid of ours");

    token = make_token(test_arena, other, "ES256",
                       "{\"alg\":\"ES256\",\"kid\":\"new\"}",
                       test_json(&test_claims[0]));
    tap_ok(oauth2_token_id(test_arena, &test_trust, test_set, token, &expect,
                           TEST_NOW, &out) == OAUTH2_TOKEN_KEY
           && torii_str_eqs(out.kid, "new"), "signed by a key that is unknown");

    token = torii_str("eyJhbGciOiJub25lIn0.e30.");
    tap_ok(oauth2_token_id(test_arena, &test_trust, test_set, token, &expect,
                           TEST_NOW, &out) == OAUTH2_TOKEN_FORM,
           "not signed");

    token = torii_str("eyJhbGciOiJub25lIn0.e30.AA");
    tap_ok(oauth2_token_id(test_arena, &test_trust, test_set, token, &expect,
                           TEST_NOW, &out) == OAUTH2_TOKEN_ALG,
           "signed by \"none\"");

    EVP_PKEY_free(other);
}


static void
test_logout(void)
{
    unsigned        i;
    torii_str_t     token;
    test_claims_t   claims;
    oauth2_fail_e   fail;
    oauth2_token_t  out;

    for (i = 0; test_logouts[i].header; i++) {
        claims = test_claims[0];
        claims.nonce = NULL;
        claims.sub = test_logouts[i].sub;
        claims.exp = test_logouts[i].exp;
        claims.more = test_logouts[i].more;

        token = test_token(test_logouts[i].header, test_json(&claims));
        fail = oauth2_token_logout(test_arena, &test_trust, test_set, token,
                                   TEST_NOW, &out);

        tap_ok(fail == test_logouts[i].fail, "logout token %d: %s", i,
               oauth2_fail_name(fail));
    }
}


/* Provider, body and all. */

static void
test_backchannel(void)
{
    torii_str_t        token, body;
    test_claims_t      claims;
    oauth2_token_t     out;
    oauth2_provider_t  p;

    memset(&p, 0, sizeof(oauth2_provider_t));
    p.issuer = torii_str(TEST_ISS);
    p.client_id = torii_str("gw");
    p.algs = TORII_JWA_DEFAULT;
    p.skew = OAUTH2_SKEW;

    claims = test_claims[0];
    claims.nonce = NULL;
    claims.more = LOGOUT ",\"sid\":\"s-1\"";
    token = test_token("logout+jwt", test_json(&claims));

    body = torii_arena_printf(test_arena, "logout_token=%.*s",
                              torii_str_arg(token));
    tap_ok(oauth2_logout_backchannel(test_arena, &p, test_set, body, TEST_NOW,
                                     &out) == OAUTH2_OK
           && torii_str_eqs(out.sid, "s-1") && torii_str_eqs(out.jti, "j")
           && torii_str_eqs(out.sub, "alice"), "back-channel: a logout");

    body = torii_arena_printf(test_arena, "logout_token=%.*s&logout_token=x",
                              torii_str_arg(token));
    tap_ok(oauth2_logout_backchannel(test_arena, &p, test_set, body, TEST_NOW,
                                     &out) == OAUTH2_PARAMETER
           && oauth2_logout_backchannel(test_arena, &p, test_set,
                                        torii_str(""), TEST_NOW, &out)
              == OAUTH2_PARAMETER, "back-channel: twice, or none");
}


static oauth2_fail_e
test_bearer_one(const char *typ, const char *aud, const char *more)
{
    torii_str_t     token;
    test_claims_t   claims;
    oauth2_token_t  out;

    claims = test_claims[0];
    claims.aud = aud;
    claims.nonce = NULL;
    claims.more = more;
    token = test_token(typ, test_json(&claims));

    return oauth2_token_bearer(test_arena, &test_trust, test_set, token,
                               TEST_NOW, &out);
}


static void
test_bearer(void)
{
    oauth2_trust_t  saved;

    tap_ok(test_bearer_one("at+jwt", "\"extra\"", "") == OAUTH2_OK
           && test_bearer_one("JWT", "[\"x\",\"extra\"]", "") == OAUTH2_OK,
           "bearer: for an audience of ours");
    tap_ok(test_bearer_one("at+jwt", "\"gw\"", "") == OAUTH2_CLAIM_AUD,
           "bearer: the client itself is none");
    tap_ok(test_bearer_one("at+jwt", "\"\"", "") == OAUTH2_CLAIM_AUD
           && test_bearer_one("at+jwt", NULL, "") == OAUTH2_CLAIM_AUD,
           "bearer: for nobody");
    tap_ok(test_bearer_one("JWT", "\"extra\"", ",\"at_hash\":\"x\"")
           == OAUTH2_CLAIM_TYP
           && test_bearer_one("logout+jwt", "\"extra\"", "")
              == OAUTH2_CLAIM_TYP, "bearer: what is another kind of token");

    saved = test_trust;
    test_trust.naudiences = 0;
    tap_ok(test_bearer_one("at+jwt", "\"extra\"", "") == OAUTH2_CLAIM_AUD
           && test_bearer_one("at+jwt", "\"gw\"", "") == OAUTH2_CLAIM_AUD,
           "bearer: without audiences there is none");
    test_trust = saved;
}


/* Whom a token says to be of, which is no more than that. */

static int
test_issuer_of(const char *json, const char *expected)
{
    torii_str_t  token, issuer;

    token = test_token("at+jwt", torii_str(json));

    /* another signature is of no matter */

    token.data[token.len - 2] = token.data[token.len - 2] == 'A' ? 'B' : 'A';

    if (oauth2_token_issuer(test_arena, test_trust.algs, token, &issuer)
        != OAUTH2_OK)
    {
        return expected == NULL;
    }

    return expected && torii_str_eqs(issuer, expected);
}


static void
test_issuer(void)
{
    torii_str_t  issuer;

    tap_ok(test_issuer_of("{\"iss\":\"https://a\"}", "https://a"),
           "issuer: as the token has it");
    tap_ok(test_issuer_of("{\"sub\":\"a\"}", NULL)
           && test_issuer_of("{\"iss\":[\"https://a\"]}", NULL)
           && test_issuer_of("{\"iss\":1}", NULL)
           && test_issuer_of("[\"iss\"]", NULL)
           && test_issuer_of("{\"iss\":\"a\",\"iss\":\"b\"}", NULL),
           "issuer: none, no string, or twice");
    tap_ok(oauth2_token_issuer(test_arena, test_trust.algs, torii_str("a.b"),
                               &issuer) == OAUTH2_TOKEN_FORM
           && oauth2_token_issuer(test_arena, 0,
                                  test_token("at+jwt",
                                             torii_str("{\"iss\":\"a\"}")),
                                  &issuer) == OAUTH2_TOKEN_ALG,
           "issuer: of no token, or by an algorithm that is not taken");
}


static void
test_answer(void)
{
    unsigned           i;
    oauth2_fail_e      fail;
    oauth2_grant_t     grant;
    oauth2_response_t  res;

    memset(&res, 0, sizeof(oauth2_response_t));

    for (i = 0; test_answers[i].body; i++) {
        res.status = test_answers[i].status;
        res.body = torii_str(test_answers[i].body);

        fail = oauth2_token_answer(test_arena, &res, &grant);

        tap_ok(fail == test_answers[i].fail
               && grant.expires_in == test_answers[i].expires,
               "answer %d: %s", i, oauth2_fail_name(fail));
    }
}


static void
test_find(void)
{
    unsigned       i;
    torii_node_t  *doc, *node;

    static const struct {
        const char  *path;
        const char  *value;
    } cases[] = {
        { "email", "a@x" },
        { "https://ns.example/roles", "r" },
        { "/realm/roles/0", "one" },
        { "/realm/roles/1", "two" },
        { "/realm/roles/2", NULL },
        { "/realm/roles/-", NULL },
        { "/realm/none", NULL },
        { "/a~1b", "slash" },
        { "/a~0b", "tilde" },
        { "/a~2b", NULL },
        { "/a~", NULL },
        { "realm.roles", NULL },
        { "", NULL },
        { "/", NULL }
    };

    doc = oauth2_claims(test_arena, torii_str("{\"email\":\"a@x\",\"realm\":{"
                        "\"roles\":[\"one\",\"two\"]},\"a/b\":\"slash\",\"a~b\""
                        ":\"tilde\",\"https://ns.example/roles\":\"r\"}"),
                        1000);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        node = oauth2_claim_find(doc, torii_str(cases[i].path));

        tap_ok(cases[i].value ? node && torii_str_eqs(node->text,
                                                      cases[i].value)
                              : node == NULL,
               "claim \"%s\"", cases[i].path);
    }

    tap_ok(oauth2_claims(test_arena, torii_str("{\"a\":1}"), 6) == NULL
           && oauth2_claims(test_arena, torii_str("[[[[[[[[[[[[[[[[[[1]]]]]]]]]"
                                                  "]]]]]]]]]"), 100) == NULL
           && oauth2_claims(test_arena, torii_str("[]"), 100) == NULL,
           "documents have limits");
}


static void
test_words(void)
{
    int       ok;
    unsigned  i, k;

    ok = 1;

    for (i = 0; i < OAUTH2_FAIL_MAX; i++) {
        for (k = 0; k < i; k++) {
            ok = ok && strcmp(oauth2_fail_name(i), oauth2_fail_name(k)) != 0;
        }

        ok = ok && (i == 0 || oauth2_fail_text(i)[0] != '\0');
    }

    tap_ok(ok && strcmp(oauth2_fail_name(OAUTH2_SESSION_SIZE), "session_size")
                 == 0
           && strcmp(oauth2_fail_name(OAUTH2_CLAIM_NONCE), "claim_nonce") == 0
           && strcmp(oauth2_fail_name(OAUTH2_FAIL_MAX), "unknown") == 0,
           "each reason has a word and a sentence");
}


int
main(void)
{
    test_arena = torii_arena_create(4096);
    test_setup();

    test_id();
    test_id_others();
    test_signature();
    test_logout();
    test_backchannel();
    test_bearer();
    test_issuer();
    test_answer();
    test_find();
    test_words();

    tap_ok(ERR_peek_error() == 0, "no error is left behind");

    torii_jwks_free(test_set);
    EVP_PKEY_free(test_key);
    torii_arena_destroy(test_arena);

    return tap_done();
}
