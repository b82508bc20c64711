
/*
 * Base64url, JSON Web Keys and Signatures: the examples of the RFCs, and
 * OpenSSL as the other side.
 */

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "tap.h"
#include "torii_jose.h"


typedef struct {
    const char  *bytes;
    const char  *text;
} test_base64_t;


static const test_base64_t  test_base64s[] = {
    { "", "" },
    { "f", "Zg" },
    { "fo", "Zm8" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg" },
    { "fooba", "Zm9vYmE" },
    { "foobar", "Zm9vYmFy" },
    { "\xff\xef\xbe", "_---" },
    { "\xfb\xf0", "-_A" },
    { NULL, NULL }
};

static const char  *test_base64_bad[] = {
    "Z", "Zg==", "Zm8=", "Zm9vY", "+///", "Zm9v\n", " Zm9v", "Zh", "Zm9", "Z.",
    NULL
};

/* RFC 7515 appendix A.3, RFC 7638 section 3.1, RFC 8037 appendix A. */

#define TEST_X  "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define TEST_Y  "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

#define TEST_JWK                                                              \
    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" TEST_X "\",\"y\":\"" TEST_Y  \
    "\"}"

#define TEST_THUMBPRINT  "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"
#define TEST_TOKEN  "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"

static const char  test_rsa_n[] =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aP"
    "FFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl9"
    "3lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA"
    "ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3"
    "XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";


static torii_arena_t  *test_arena;


static torii_str_t
test_str(const torii_buf_t *b)
{
    torii_str_t  s;

    s.data = b->data;
    s.len = b->len;

    return s;
}


static torii_str_t
test_decode(const char *text)
{
    torii_str_t  s;

    if (torii_base64url_decode(test_arena, torii_str(text), &s) != TORII_OK) {
        return torii_str("");
    }

    return s;
}


static void
test_base64url(void)
{
    int                   rc;
    torii_buf_t           b;
    torii_str_t           s;
    const char          **bad;
    const test_base64_t  *t;

    for (t = test_base64s; t->bytes; t++) {
        memset(&b, 0, sizeof(torii_buf_t));
        torii_base64url_add(&b, t->bytes, strlen(t->bytes));
        rc = torii_base64url_decode(test_arena, torii_str(t->text), &s);

        tap_ok(torii_str_eqs(test_str(&b), t->text) && rc == TORII_OK
               && torii_str_eqs(s, t->bytes), "base64url: \"%s\"", t->text);

        torii_buf_free(&b);
    }

    for (bad = test_base64_bad; *bad; bad++) {
        rc = torii_base64url_decode(test_arena, torii_str(*bad), &s);
        tap_ok(rc == TORII_ERROR, "base64url: bad text %d is refused",
               (int) (bad - test_base64_bad));
    }
}


static EVP_PKEY *
test_fromdata(const char *type, OSSL_PARAM_BLD *bld)
{
    EVP_PKEY      *key;
    OSSL_PARAM    *params;
    EVP_PKEY_CTX  *ctx;

    key = NULL;
    params = OSSL_PARAM_BLD_to_param(bld);
    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    EVP_PKEY_fromdata_init(ctx);
    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);

    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);

    return key;
}


static EVP_PKEY *
test_key_ec(void)
{
    EVP_PKEY        *key;
    torii_buf_t      point;
    OSSL_PARAM_BLD  *bld;

    memset(&point, 0, sizeof(torii_buf_t));
    torii_buf_adds(&point, "\x04");
    torii_buf_add_str(&point, test_decode(TEST_X));
    torii_buf_add_str(&point, test_decode(TEST_Y));

    bld = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-256",
                                    0);
    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point.data,
                                     point.len);

    key = test_fromdata("EC", bld);

    torii_buf_free(&point);

    return key;
}


static EVP_PKEY *
test_key_rsa(void)
{
    BIGNUM          *n, *e;
    EVP_PKEY        *key;
    torii_str_t      s;
    OSSL_PARAM_BLD  *bld;

    s = test_decode(test_rsa_n);
    n = BN_bin2bn(s.data, (int) s.len, NULL);
    e = BN_new();
    BN_set_word(e, 65537);

    bld = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e);

    key = test_fromdata("RSA", bld);

    BN_free(n);
    BN_free(e);

    return key;
}


static EVP_PKEY *
test_key_ed25519(void)
{
    torii_str_t  d;

    d = test_decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");

    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, d.data, d.len);
}


static void
test_thumbprint(EVP_PKEY *key, const char *jwk, const char *thumbprint,
    const char *name)
{
    torii_buf_t  b;

    memset(&b, 0, sizeof(torii_buf_t));
    tap_ok(torii_jwk_add(&b, key) == TORII_OK
           && torii_str_eqs(test_str(&b), jwk), "%s: JWK", name);
    torii_buf_free(&b);

    memset(&b, 0, sizeof(torii_buf_t));
    tap_ok(torii_jwk_thumbprint(&b, key) == TORII_OK
           && torii_str_eqs(test_str(&b), thumbprint), "%s: thumbprint", name);
    torii_buf_free(&b);
}


/* RFC 8555 sections 8.1 and 8.4, RFC 8737 section 3. */

static void
test_key_authorization(EVP_PKEY *key)
{
    char           hex[65];
    unsigned       i;
    torii_buf_t    b, txt;
    unsigned char  digest[32];

    memset(&b, 0, sizeof(torii_buf_t));
    memset(&txt, 0, sizeof(torii_buf_t));

    torii_buf_adds(&b, TEST_TOKEN ".");
    torii_jwk_thumbprint(&b, key);

    EVP_Digest(b.data, b.len, digest, NULL, EVP_sha256(), NULL);
    torii_base64url_add(&txt, digest, sizeof(digest));

    for (i = 0; i < sizeof(digest); i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }

    tap_ok(torii_str_eqs(test_str(&b), TEST_TOKEN "." TEST_THUMBPRINT),
           "key authorization");
    tap_ok(torii_str_eqs(test_str(&txt),
                         "ZaJgFtIV4WA0t2MzN7kbSk0sfRd2GZjaxRqaSTAK6lI"),
           "text of the dns-01 record");
    tap_ok(strcmp(hex, "65a26016d215e16034b7633337b91b4a"
                       "4d2c7d17761998dac51a9a49300aea52") == 0,
           "digest of tls-alpn-01");

    torii_buf_free(&b);
    torii_buf_free(&txt);
}


/* A coordinate that begins with a zero byte is padded to the field's size. */

static void
test_jwk_padding(void)
{
    int          found, ok, n, i;
    BIGNUM      *x, *y;
    EVP_PKEY    *key;
    torii_buf_t  b;

    found = 0;
    ok = 0;

    for (i = 0; i < 20000 && !found; i++) {
        key = torii_key_generate(TORII_KEY_EC_P256);
        x = NULL;
        y = NULL;

        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x);
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y);

        if (BN_num_bytes(x) < 32 || BN_num_bytes(y) < 32) {
            found = 1;
            memset(&b, 0, sizeof(torii_buf_t));
            n = torii_jwk_add(&b, key);
            ok = n == TORII_OK && b.len == strlen(TEST_JWK);
            torii_buf_free(&b);
        }

        BN_free(x);
        BN_free(y);
        EVP_PKEY_free(key);
    }

    tap_ok(found && ok, "JWK: coordinates are padded");
}


/* The three parts of a flattened JWS, as base64url. */

static int
test_parts(torii_str_t jws, torii_str_t part[3])
{
    char      *p, *end;
    unsigned   i;

    static const char  *const names[] = {
        "{\"protected\":\"", ",\"payload\":\"", ",\"signature\":\""
    };

    p = (char *) torii_arena_str(test_arena, jws).data;

    for (i = 0; i < 3; i++) {
        if (strncmp(p, names[i], strlen(names[i])) != 0) {
            return 0;
        }

        p += strlen(names[i]);

        end = strchr(p, '"');
        if (end == NULL) {
            return 0;
        }

        part[i].data = (unsigned char *) p;
        part[i].len = end - p;
        p = end + 1;
    }

    return strcmp(p, "}") == 0;
}


static int
test_verify(EVP_PKEY *key, torii_str_t part[3])
{
    int             ok;
    size_t          half;
    ECDSA_SIG      *ec;
    EVP_MD_CTX     *md;
    torii_str_t     sig, input;
    unsigned char  *der;

    input = torii_arena_printf(test_arena, "%.*s.%.*s",
                               torii_str_arg(part[0]), torii_str_arg(part[1]));

    if (torii_base64url_decode(test_arena, part[2], &sig) != TORII_OK) {
        return 0;
    }

    der = NULL;

    if (EVP_PKEY_is_a(key, "EC")) {
        half = sig.len / 2;
        ec = ECDSA_SIG_new();
        ECDSA_SIG_set0(ec, BN_bin2bn(sig.data, (int) half, NULL),
                       BN_bin2bn(sig.data + half, (int) half, NULL));
        sig.len = i2d_ECDSA_SIG(ec, &der);
        sig.data = der;
        ECDSA_SIG_free(ec);
    }

    md = EVP_MD_CTX_new();

    ok = EVP_DigestVerifyInit(md, NULL, torii_key_digest(key), NULL, key) == 1
         && EVP_DigestVerify(md, sig.data, sig.len, input.data, input.len)
            == 1;

    EVP_MD_CTX_free(md);
    OPENSSL_free(der);

    return ok;
}


static void
test_vectors(void)
{
    EVP_PKEY    *key;
    torii_buf_t  b;
    torii_str_t  part[3], jwk;

    key = test_key_ec();
    test_thumbprint(key, TEST_JWK, TEST_THUMBPRINT, "RFC 7515 A.3");
    test_key_authorization(key);
    EVP_PKEY_free(key);

    key = test_key_rsa();
    jwk = torii_arena_printf(test_arena,
                             "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"%s\"}",
                             test_rsa_n);
    test_thumbprint(key, (char *) jwk.data,
                    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
                    "RFC 7638 3.1");
    EVP_PKEY_free(key);

    key = test_key_ed25519();
    test_thumbprint(key, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"11qYAYKx"
                         "CrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
                    "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
                    "RFC 8037 A.3");

    memset(&b, 0, sizeof(torii_buf_t));
    tap_ok(torii_jws_sign(&b, key, torii_str("{\"alg\":\"EdDSA\"}"),
                          torii_str("Example of Ed25519 signing")) == TORII_OK
           && test_parts(test_str(&b), part)
           && torii_str_eqs(part[2], "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIb"
                                     "QR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_M"
                                     "uM0KAg"), "RFC 8037 A.4: signature");
    torii_buf_free(&b);
    EVP_PKEY_free(key);
}


/* An external account binding (RFC 8555 section 7.3.4). */

static void
test_mac(void)
{
    torii_buf_t  b;
    torii_str_t  secret, header, payload, part[3];

    secret = test_decode("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3M"
                         "UAsUDkMTQ12W");
    header = torii_str("{\"alg\":\"HS256\",\"kid\":\"kid-1\","
                       "\"url\":\"https://127.0.0.1:14000/sign-me-up\"}");
    payload = torii_str(TEST_JWK);

    memset(&b, 0, sizeof(torii_buf_t));

    tap_ok(torii_jws_mac(&b, secret, 256, header, payload) == TORII_OK
           && test_parts(test_str(&b), part)
           && torii_str_eqs(part[2],
                            "CkfbMSSy2IYMSYxMIqc1t51RcAiVZ0yx1GanvprLUdA"),
           "MAC: HS256");
    b.len = 0;

    tap_ok(torii_jws_mac(&b, secret, 384, header, payload) == TORII_OK
           && test_parts(test_str(&b), part) && part[2].len == 64,
           "MAC: HS384");
    b.len = 0;

    tap_ok(torii_jws_mac(&b, secret, 512, header, payload) == TORII_OK
           && test_parts(test_str(&b), part) && part[2].len == 86,
           "MAC: HS512");
    b.len = 0;

    tap_ok(torii_jws_mac(&b, secret, 1, header, payload) == TORII_ERROR
           && b.len == 0, "MAC: no such digest");
    tap_ok(torii_jws_mac(&b, torii_str(""), 256, header, payload)
           == TORII_ERROR && b.len == 0, "MAC: no key");

    torii_buf_free(&b);
}


static void
test_sign(EVP_PKEY *key, const char *name, size_t size)
{
    int          ok, rc, i, count;
    torii_buf_t  b;
    torii_str_t  part[3];

    /* one in 128 signatures has a short r or s */

    count = EVP_PKEY_is_a(key, "EC") ? 600 : 2;
    ok = 1;

    for (i = 0; i < count && ok; i++) {
        memset(&b, 0, sizeof(torii_buf_t));
        rc = torii_jws_sign(&b, key, torii_str("{\"alg\":\"x\"}"),
                            torii_str(i == 0 ? "" : "{\"a\":1}"));

        ok = rc == TORII_OK && test_parts(test_str(&b), part)
             && torii_str_eqs(part[0], "eyJhbGciOiJ4In0")
             && torii_str_eqs(part[1], i == 0 ? "" : "eyJhIjoxfQ")
             && part[2].len == size && test_verify(key, part);

        torii_buf_free(&b);
    }

    tap_ok(ok, "%s: %d signatures are verified by OpenSSL", name, count);

    EVP_PKEY_free(key);
}


static void
test_sign_not(EVP_PKEY *key, int jwk, const char *name)
{
    int          rc;
    torii_buf_t  b;

    memset(&b, 0, sizeof(torii_buf_t));

    tap_ok(torii_jws_sign(&b, key, torii_str("{}"), torii_str(""))
           == TORII_ERROR && b.len == 0, "%s does not sign", name);

    rc = torii_jwk_thumbprint(&b, key);
    tap_ok(jwk ? rc == TORII_OK && b.len == 43
               : rc == TORII_ERROR && b.len == 0, "%s has %s thumbprint", name,
           jwk ? "a" : "no");

    torii_buf_free(&b);
    EVP_PKEY_free(key);
}


static void
test_sign_all(void)
{
    test_sign(torii_key_generate(TORII_KEY_EC_P256), "ES256", 86);
    test_sign(torii_key_generate(TORII_KEY_EC_P384), "ES384", 128);
    test_sign(EVP_EC_gen("P-521"), "ES512", 176);
    test_sign(torii_key_generate(TORII_KEY_RSA_2048), "RS256", 342);
    test_sign(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "EdDSA", 86);

    test_sign_not(EVP_EC_gen("secp256k1"), 0, "secp256k1");
    test_sign_not(EVP_RSA_gen(1024), 1, "RSA of 1024 bits");
    test_sign_not(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), 0, "X25519");
    test_sign_not(test_key_ec(), 1, "a public key");
}


int
main(void)
{
    test_arena = torii_arena_create(4096);

    test_base64url();
    test_vectors();
    test_jwk_padding();
    test_mac();
    test_sign_all();

    tap_ok(ERR_peek_error() == 0, "no error is left behind");

    torii_arena_destroy(test_arena);

    return tap_done();
}
