
/*
 * JWK sets and the verification of JSON Web Signatures: examples of the RFCs,
 * OpenSSL as the signer, and all that must be refused.
 */

#include <openssl/err.h>
#include <openssl/hmac.h>

#include "oauth2_make.h"
#include "tap.h"


#define TEST_JOE                                                              \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmN" \
    "vbS9pc19yb290Ijp0cnVlfQ"

#define TEST_FRODO                                                            \
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9" \
    "vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdX" \
    "IgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0I" \
    "G9mZiB0by4"


typedef struct {
    const char  *name;
    const char  *jwk;
    const char  *token;
} test_vector_t;


static const test_vector_t  test_vectors[] = {

    { "RFC 7515 A.2",
      "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fA"
      "kd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-"
      "SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaS"
      "HSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxv"
      "b3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs9"
      "1kzk2PAcDTW9gb54h4FRWyuXpoQ\"}",
      "eyJhbGciOiJSUzI1NiJ9." TEST_JOE ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0"
      "XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU"
      "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQ"
      "BMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7"
      "noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp"
      "0igcN_IoypGlUPQGe77Rw" },

    { "RFC 7515 A.3",
      "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e"
      "8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
      "eyJhbGciOiJFUzI1NiJ9." TEST_JOE ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4Gaw"
      "xaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q" },

    { "RFC 7515 A.4",
      "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLL"
      "JXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk\",\"y\":\"AD"
      "SmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZm"
      "h9ubmf63e3kyMj2\"}",
      "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxM"
      "i70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJ"
      "ZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn" },

    { "RFC 7520 4.2",
      "{\"kty\":\"RSA\",\"kid\":\"bilbo.baggins@hobbiton.example\",\"use\":\"si"
      "g\",\"e\":\"AQAB\",\"n\":\"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPE"
      "HLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_N"
      "sYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVf"
      "Hd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-"
      "tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQ"
      "kqgc5gHdrNP5zw\"}",
      "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ"
      "9." TEST_FRODO ".cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk"
      "1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUv"
      "dvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8"
      "Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLA"
      "eQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X7"
      "2Eaw" },

    { "RFC 8037 A.4",
      "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvP"
      "apiMlrwIaaPcHURo\"}",
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0"
      "JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KA"
      "g" },

    { NULL, NULL, NULL }
};


/* Headers, signed well by the key of the set that is named "rsa". */

typedef struct {
    const char         *header;
    torii_jws_error_e   error;
} test_header_t;

static const test_header_t  test_headers[] = {
    { "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", TORII_JWS_OK },
    { "{\"alg\":\"RS256\"}", TORII_JWS_OK },
    { "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jku\":\"https://evil.example\","
      "\"x5u\":\"https://evil.example\"}", TORII_JWS_OK },
    { "{\"alg\":\"none\",\"kid\":\"rsa\"}", TORII_JWS_ALG },
    { "{\"alg\":\"None\",\"kid\":\"rsa\"}", TORII_JWS_ALG },
    { "{\"alg\":\"nOnE\"}", TORII_JWS_ALG },
    { "{\"alg\":\"HS256\",\"kid\":\"rsa\"}", TORII_JWS_ALG },
    { "{\"alg\":\"rs256\",\"kid\":\"rsa\"}", TORII_JWS_ALG },
    { "{\"alg\":\"RS1\",\"kid\":\"rsa\"}", TORII_JWS_ALG },
    { "{\"alg\":\"ES256K\",\"kid\":\"rsa\"}", TORII_JWS_ALG },
    { "{\"alg\":\"RSA-OAEP\",\"enc\":\"A256GCM\"}", TORII_JWS_ALG },
    { "{\"alg\":\"\"}", TORII_JWS_ALG },
    { "{\"alg\":256}", TORII_JWS_ALG },
    { "{\"alg\":[\"RS256\"]}", TORII_JWS_ALG },
    { "{\"alg\":null}", TORII_JWS_ALG },
    { "{\"kid\":\"rsa\"}", TORII_JWS_ALG },
    { "{}", TORII_JWS_ALG },
    { "{\"alg\":\"RS512\",\"kid\":\"rsa\"}", TORII_JWS_ALG },
    { "{\"alg\":\"PS256\",\"kid\":\"rsa\"}", TORII_JWS_SIGNATURE },
    { "{\"alg\":\"ES256\",\"kid\":\"rsa\"}", TORII_JWS_SIGNATURE },
    { "{\"alg\":\"EdDSA\",\"kid\":\"rsa\"}", TORII_JWS_KEY },
    { "{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", TORII_JWS_CRIT },
    { "{\"alg\":\"RS256\",\"crit\":[]}", TORII_JWS_CRIT },
    { "{\"alg\":\"RS256\",\"b64\":false}", TORII_JWS_CRIT },
    { "{\"alg\":\"RS256\",\"b64\":true}", TORII_JWS_CRIT },
    { "{\"alg\":\"RS256\",\"zip\":\"DEF\"}", TORII_JWS_CRIT },
    { "{\"alg\":\"RS256\",\"alg\":\"RS256\"}", TORII_JWS_FORM },
    { "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"kid\":\"rsa\"}", TORII_JWS_FORM },
    { "{\"alg\":\"RS256\",\"kid\":7}", TORII_JWS_FORM },
    { "{\"alg\":\"RS256\",\"kid\":null}", TORII_JWS_FORM },
    { "{\"alg\":\"RS256\",\"typ\":1}", TORII_JWS_FORM },
    { "{\"alg\":\"RS256\",\"kid\":\"\"}", TORII_JWS_KEY },
    { "{\"alg\":\"RS256\",\"kid\":\"RSA\"}", TORII_JWS_KEY },
    { "{\"alg\":\"RS256\",\"kid\":\"rsa \"}", TORII_JWS_KEY },
    { "{\"alg\":\"RS256\",\"kid\":\"rsa\\u0000\"}", TORII_JWS_KEY },
    { "{\"alg\":\"RS256\",\"kid\":\"../../../dev/null\"}", TORII_JWS_KEY },
    { "{\"alg\":\"RS256\",\"kid\":\"' OR 1=1 --\"}", TORII_JWS_KEY },
    { "{\"alg\":\"RS256\",\"kid\":\"ec\"}", TORII_JWS_KEY },
    { "{\"alg\":\"RS256\",\"kid\":\"ps\"}", TORII_JWS_KEY },
    { "{\"alg\":\"RS256\",\"kid\":\"enc\"}", TORII_JWS_KEY },
    { "[\"RS256\"]", TORII_JWS_FORM },
    { "\"RS256\"", TORII_JWS_FORM },
    { "{\"alg\":\"RS256\"", TORII_JWS_FORM },
    { "{\"alg\":\"RS256\"}x", TORII_JWS_FORM },
    { "{\"alg\":\"RS256\",\"a\":[[[[[[1]]]]]]}", TORII_JWS_FORM },
    { "", TORII_JWS_FORM },
    { NULL, TORII_JWS_OK }
};


/* What is put in place of parts of a good token: H, P, S are its own. */

static const struct {
    const char         *shape;
    torii_jws_error_e   error;
} test_shapes[] = {
    { "H.P.S", TORII_JWS_OK },
    { "H.P.", TORII_JWS_FORM },
    { "H.P", TORII_JWS_FORM },
    { "H.P.S.", TORII_JWS_FORM },
    { "H.P.S.S", TORII_JWS_FORM },
    { "H.P.S.S.S", TORII_JWS_FORM },
    { ".P.S", TORII_JWS_FORM },
    { "H..S", TORII_JWS_FORM },
    { "..", TORII_JWS_FORM },
    { "", TORII_JWS_FORM },
    { "H.P.S=", TORII_JWS_FORM },
    { "H=.P.S", TORII_JWS_FORM },
    { "H.P=.S", TORII_JWS_FORM },
    { "H.P.S\n", TORII_JWS_FORM },
    { " H.P.S", TORII_JWS_FORM },
    { "H.P.+/S", TORII_JWS_FORM },
    { "H.PAA.S", TORII_JWS_SIGNATURE },
    { "H.AAAA.S", TORII_JWS_SIGNATURE },
    { "H.P.AAAA", TORII_JWS_SIGNATURE },
    { "H.P.AA", TORII_JWS_SIGNATURE },
    { NULL, TORII_JWS_OK }
};


/* Sets that are not used, and how many keys of others are. */

static const struct {
    const char  *json;
    uint32_t     n;
} test_sets[] = {
    { "", 0 },
    { "{}", 0 },
    { "[]", 0 },
    { "<html>", 0 },
    { "{\"keys\":{}}", 0 },
    { "{\"keys\":[]}", 0 },
    { "{\"keys\":[1,null,\"a\",[]]}", 0 },
    { "{\"keys\":[],\"keys\":[]}", 0 },
    { "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAA\"}]}", 0 },
    { "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AQAB\"}]}", 0 },
    { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9"
      "tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9"
      "uPHvRVEU\"}]}", 0 },
    { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}"
      "]}", 0 },
    { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAA"
      "AAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
      "AAAAAAAA\"}]}", 0 },
    { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"A"
      "A\"}]}", 0 },
    { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7T"
      "yWQHOg7hcvPapiMlrwIaaPcHURo\"}]}", 0 },
    { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7"
      "TyWQHOg7hcvPapiMlrwIaaPcHURo\"},{\"kty\":\"new\"}]}", 1 },
    { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"HS256\",\"x\""
      ":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}", 0 },
    { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"key_ops\":[\"sign\"],"
      "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}", 0 },
    { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"key_ops\":[\"verify\""
      "],\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}", 1 },
    { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":7,\"x\":\"11qYA"
      "YKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}", 0 },
    { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7"
      "TyWQHOg7hcvPapiMlrwIaaPcHURo=\"}]}", 0 },
    { NULL, 0 }
};


static torii_arena_t  *test_arena;


static torii_jws_error_e
test_check(torii_str_t token, const torii_jwks_t *set, unsigned allowed,
    torii_jws_t *jws)
{
    torii_jws_error_e  rc;

    rc = torii_jws_read(test_arena, token, allowed, jws);

    return rc == TORII_JWS_OK ? torii_jws_verify(jws, set) : rc;
}


static void
test_rfc(void)
{
    size_t                i, wrong;
    const char           *error;
    torii_jws_t           jws;
    torii_str_t           token;
    torii_jwks_t         *set;
    const test_vector_t  *v;

    for (v = test_vectors; v->name; v++) {
        set = torii_jwks_read(torii_arena_printf(test_arena,
                                                 "{\"keys\":[%s]}", v->jwk),
                              &error);

        token = torii_arena_str(test_arena, torii_str(v->token));

        tap_ok(set && test_check(token, set, TORII_JWA_ALL, &jws)
               == TORII_JWS_OK, "%s is verified", v->name);

        /* one bit of each character in turn, but the last of a part, which has
           bits that must be 0 */

        wrong = 0;

        for (i = 0; i < token.len; i += 7) {
            token.data[i] ^= 1;

            if (test_check(token, set, TORII_JWA_ALL, &jws) == TORII_JWS_OK) {
                wrong++;
            }

            token.data[i] ^= 1;
        }

        tap_ok(wrong == 0, "%s with a bit flipped is refused", v->name);

        torii_jwks_free(set);
    }
}


typedef struct {
    EVP_PKEY      *rsa;
    EVP_PKEY      *ec;
    torii_jwks_t  *set;
} test_keys_t;


static void
test_keys(test_keys_t *k)
{
    const char   *error;
    torii_buf_t   b;

    k->rsa = torii_key_generate(TORII_KEY_RSA_2048);
    k->ec = torii_key_generate(TORII_KEY_EC_P256);

    memset(&b, 0, sizeof(torii_buf_t));

    torii_buf_adds(&b, "{\"keys\":[");
    make_jwk(&b, k->rsa, "\"kid\":\"rsa\",\"use\":\"sig\"");
    torii_buf_adds(&b, ",");
    make_jwk(&b, k->rsa, "\"kid\":\"ps\",\"alg\":\"PS256\"");
    torii_buf_adds(&b, ",");
    make_jwk(&b, k->rsa, "\"kid\":\"enc\",\"use\":\"enc\"");
    torii_buf_adds(&b, ",");
    make_jwk(&b, k->ec, "\"kid\":\"ec\"");
    torii_buf_adds(&b, "]}");

    k->set = torii_jwks_read(make_str(&b), &error);

    tap_ok(k->set && torii_jwks_count(k->set) == 3
           && torii_jwks_has(k->set, torii_str("ec"))
           && !torii_jwks_has(k->set, torii_str("enc"))
           && !torii_jwks_has(k->set, torii_str("")),
           "a set: the keys that are for signatures");

    torii_buf_free(&b);
}


static void
test_header(test_keys_t *k)
{
    torii_jws_t           jws;
    torii_str_t           token;
    torii_jws_error_e     rc;
    const test_header_t  *t;

    for (t = test_headers; t->header; t++) {
        token = make_token(test_arena, k->rsa, "RS256", t->header,
                           torii_str("{}"));
        rc = test_check(token, k->set, TORII_JWA_DEFAULT, &jws);

        tap_ok(rc == t->error, "header %s: %d", t->header, rc);
    }
}


static void
test_shape(test_keys_t *k)
{
    unsigned           i;
    const char        *p;
    torii_buf_t        b;
    torii_str_t        token, part[3], rest;
    torii_jws_t        jws;
    torii_jws_error_e  rc;

    token = make_token(test_arena, k->rsa, "RS256", "{\"alg\":\"RS256\"}",
                       torii_str("{\"a\":1}"));
    rest = token;

    for (i = 0; i < 3; i++) {
        (void) torii_str_next(&rest, ".", &part[i]);
    }

    for (i = 0; test_shapes[i].shape; i++) {
        memset(&b, 0, sizeof(torii_buf_t));

        for (p = test_shapes[i].shape; *p; p++) {
            if (strchr("HPS", *p)) {
                torii_buf_add_str(&b, part[*p == 'H' ? 0 : *p == 'P' ? 1 : 2]);
            } else {
                torii_buf_add(&b, p, 1);
            }
        }

        rc = test_check(make_str(&b), k->set, TORII_JWA_DEFAULT, &jws);

        tap_ok(rc == test_shapes[i].error, "shape %d: %d", i, rc);

        torii_buf_free(&b);
    }
}


/* Each algorithm, with each of its keys, only under its own name. */

static void
test_algs(void)
{
    int                rc;
    char               header[64];
    size_t             i;
    unsigned           k;
    EVP_PKEY          *keys[5];
    const char        *error;
    torii_buf_t        b;
    torii_str_t        token;
    torii_jws_t        jws;
    torii_jwks_t      *set;
    const make_alg_t  *m;

    keys[0] = torii_key_generate(TORII_KEY_RSA_2048);
    keys[1] = torii_key_generate(TORII_KEY_EC_P256);
    keys[2] = torii_key_generate(TORII_KEY_EC_P384);
    keys[3] = EVP_EC_gen("P-521");
    keys[4] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    memset(&b, 0, sizeof(torii_buf_t));
    torii_buf_adds(&b, "{\"keys\":[");

    for (k = 0; k < 5; k++) {
        torii_buf_adds(&b, k ? "," : "");
        make_jwk(&b, keys[k], "");
    }

    torii_buf_adds(&b, "]}");
    set = torii_jwks_read(make_str(&b), &error);
    torii_buf_free(&b);

    for (m = make_algs; m->alg; m++) {

        k = (m->alg[0] == 'R' || m->alg[0] == 'P') ? 0
            : m->alg[1] == 'd' ? 4
            : m->alg[2] == '2' ? 1 : m->alg[2] == '3' ? 2 : 3;

        snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", m->alg);

        token = make_token(test_arena, keys[k], m->alg, header,
                           torii_str("payload"));

        rc = test_check(token, set, TORII_JWA_ALL, &jws);
        tap_ok(rc == TORII_JWS_OK && torii_str_eqs(jws.payload, "payload"),
               "%s is verified", m->alg);

        i = token.len;
        token.len--;
        rc = test_check(token, set, TORII_JWA_ALL, &jws);
        tap_ok(rc != TORII_JWS_OK, "%s, cut by one, is refused", m->alg);
        token.len = i;

        rc = test_check(token, set,
                        TORII_JWA_ALL & ~torii_jwa_bit(jws.alg), &jws);
        tap_ok(rc == TORII_JWS_ALG, "%s is refused where it is not allowed",
               m->alg);
    }

    torii_jwks_free(set);

    for (k = 0; k < 5; k++) {
        EVP_PKEY_free(keys[k]);
    }
}


/* The public key as the secret of an HMAC, an all-zero ECDSA signature, DER. */

static void
test_confusion(test_keys_t *k)
{
    size_t              len;
    unsigned            n;
    EVP_MD_CTX         *md;
    torii_buf_t         b, jwk;
    torii_jws_t         jws;
    unsigned char       sig[256];

    memset(&b, 0, sizeof(torii_buf_t));
    memset(&jwk, 0, sizeof(torii_buf_t));

    torii_jwk_add(&jwk, k->rsa);
    torii_base64url_add(&b, "{\"alg\":\"HS256\"}", 15);
    torii_buf_adds(&b, ".e30");
    HMAC(EVP_sha256(), jwk.data, (int) jwk.len, b.data, b.len, sig, &n);
    torii_buf_adds(&b, ".");
    torii_base64url_add(&b, sig, n);

    tap_ok(test_check(make_str(&b), k->set, TORII_JWA_ALL, &jws)
           == TORII_JWS_ALG, "an HMAC by the public key is refused");

    b.len = 0;
    memset(sig, 0, sizeof(sig));
    torii_base64url_add(&b, "{\"alg\":\"ES256\"}", 15);
    torii_buf_adds(&b, ".e30.");
    torii_base64url_add(&b, sig, 64);

    tap_ok(test_check(make_str(&b), k->set, TORII_JWA_ALL, &jws)
           == TORII_JWS_SIGNATURE, "r = s = 0 is refused");

    b.len = 0;
    torii_base64url_add(&b, "{\"alg\":\"ES256\"}", 15);
    torii_buf_adds(&b, ".e30");

    md = EVP_MD_CTX_new();
    len = sizeof(sig);
    EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, k->ec);
    EVP_DigestSign(md, sig, &len, b.data, b.len);
    EVP_MD_CTX_free(md);

    torii_buf_adds(&b, ".");
    torii_base64url_add(&b, sig, len);

    tap_ok(test_check(make_str(&b), k->set, TORII_JWA_ALL, &jws)
           == TORII_JWS_SIGNATURE, "an ECDSA signature in DER is refused");

    torii_buf_free(&b);
    torii_buf_free(&jwk);
}


static void
test_set(void)
{
    unsigned       i;
    const char    *error;
    torii_buf_t    b;
    torii_jwks_t  *set;

    for (i = 0; test_sets[i].json; i++) {
        error = NULL;
        set = torii_jwks_read(torii_str(test_sets[i].json), &error);

        tap_ok(set ? torii_jwks_count(set) == test_sets[i].n && error == NULL
                   : test_sets[i].n == 0 && error != NULL,
               "set %d: %s", i, error ? error : "keys");

        torii_jwks_free(set);
    }

    memset(&b, 0, sizeof(torii_buf_t));
    torii_buf_adds(&b, "{\"keys\":[");

    for (i = 0; i < 100; i++) {
        torii_buf_printf(&b, "%s{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":"
                         "\"%u\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaa"
                         "PcHURo\"}", i ? "," : "", i);
    }

    torii_buf_adds(&b, "]}");
    set = torii_jwks_read(make_str(&b), &error);

    tap_ok(set && torii_jwks_count(set) == TORII_JWKS_MAX,
           "of a hundred keys the first %d are kept", TORII_JWKS_MAX);

    torii_jwks_free(set);

    b.len = 0;
    torii_buf_adds(&b, "{\"a\":\"");

    while (b.len <= TORII_JWKS_BYTES) {
        torii_buf_adds(&b, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    }

    torii_buf_adds(&b, "\",\"keys\":[]}");

    tap_ok(torii_jwks_read(make_str(&b), &error) == NULL,
           "a set of more than 256 KB is refused");

    torii_buf_free(&b);
}


static void
test_sizes(test_keys_t *k)
{
    torii_buf_t  b;
    torii_jws_t  jws;
    torii_str_t  token, payload;

    memset(&b, 0, sizeof(torii_buf_t));
    (void) torii_buf_room(&b, 80000);

    memset(b.data, 'a', 47000);
    payload.data = b.data;
    payload.len = 47000;

    token = make_token(test_arena, k->rsa, "RS256", "{\"alg\":\"RS256\"}",
                       payload);
    tap_ok(test_check(token, k->set, TORII_JWA_ALL, &jws) == TORII_JWS_OK,
           "a token of %zu bytes", token.len);

    memset(b.data, 'a', 50000);
    payload.len = 50000;
    token = make_token(test_arena, k->rsa, "RS256", "{\"alg\":\"RS256\"}",
                       payload);
    tap_ok(test_check(token, k->set, TORII_JWA_ALL, &jws) == TORII_JWS_SIZE,
           "one of %zu is too large", token.len);

    memset(b.data, 'A', 5000);
    b.data[5000] = '\0';
    token = torii_arena_printf(test_arena, "%s.AAAA.AAAA", (char *) b.data);
    tap_ok(test_check(token, k->set, TORII_JWA_ALL, &jws) == TORII_JWS_SIZE,
           "a header of 5000 bytes is");

    token = torii_arena_printf(test_arena, "AAAA.AAAA.%s", (char *) b.data);
    tap_ok(test_check(token, k->set, TORII_JWA_ALL, &jws) == TORII_JWS_SIZE,
           "and a signature");

    torii_buf_free(&b);
}


int
main(void)
{
    test_keys_t  keys;

    test_arena = torii_arena_create(4096);

    test_rfc();
    test_keys(&keys);
    test_header(&keys);
    test_shape(&keys);
    test_algs();
    test_confusion(&keys);
    test_set();
    test_sizes(&keys);

    tap_ok(ERR_peek_error() == 0, "no error is left behind");

    torii_jwks_free(keys.set);
    EVP_PKEY_free(keys.rsa);
    EVP_PKEY_free(keys.ec);
    torii_arena_destroy(test_arena);

    return tap_done();
}
