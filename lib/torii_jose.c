
/*
 * JSON Web Keys and Signatures.
 */

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>

#include "torii_key.h"


#define TORII_JOSE_INTEGER_MAX  2048    /* bytes of a modulus */
#define TORII_JOSE_RSA_MIN      2048    /* bits, RFC 7518 section 3.3 */


typedef struct {
    const char            *name;        /* in the JWK */
    const char            *param;       /* in OpenSSL */
} torii_jwk_member_t;

typedef struct {
    unsigned               bits;
    const char            *digest;
} torii_jws_mac_t;


static int torii_jwk_integer(torii_buf_t *b, EVP_PKEY *key,
    const torii_jwk_member_t *member, size_t size);
static int torii_jwk_octets(torii_buf_t *b, EVP_PKEY *key,
    const torii_jwk_member_t *member, size_t size);
static void torii_jws_input(torii_buf_t *b, torii_str_t header,
    torii_str_t payload, size_t *dot);
static void torii_jws_add(torii_buf_t *b, const torii_buf_t *input, size_t dot,
    const torii_buf_t *signature);
static int torii_jws_signature(torii_buf_t *b, EVP_PKEY *key,
    const torii_key_kind_t *kind, const torii_buf_t *input);
static int torii_jws_raw(torii_buf_t *b, size_t size);


static const torii_jwk_member_t  torii_jwk_e = { "e", OSSL_PKEY_PARAM_RSA_E };
static const torii_jwk_member_t  torii_jwk_n = { "n", OSSL_PKEY_PARAM_RSA_N };
static const torii_jwk_member_t  torii_jwk_x = {
    "x", OSSL_PKEY_PARAM_EC_PUB_X
};
static const torii_jwk_member_t  torii_jwk_y = {
    "y", OSSL_PKEY_PARAM_EC_PUB_Y
};
static const torii_jwk_member_t  torii_jwk_okp = {
    "x", OSSL_PKEY_PARAM_PUB_KEY
};

static const torii_jws_mac_t  torii_jws_macs[] = {
    { 256, "SHA256" },
    { 384, "SHA384" },
    { 512, "SHA512" }
};


/* RFC 7638 section 3.2, RFC 8037 section 2: members in order of their names. */

int
torii_jwk_add(torii_buf_t *b, EVP_PKEY *key)
{
    int                      rc;
    size_t                   len;
    const torii_key_kind_t  *kind;

    kind = torii_key_kind(key);
    if (kind == NULL) {
        return TORII_ERROR;
    }

    len = b->len;

    if (kind->crv == NULL) {
        torii_buf_adds(b, "{");
        rc = torii_jwk_integer(b, key, &torii_jwk_e, 0);
        torii_buf_printf(b, ",\"kty\":\"%s\",", kind->kty);
        rc |= torii_jwk_integer(b, key, &torii_jwk_n, 0);

    } else {
        torii_buf_printf(b, "{\"crv\":\"%s\",\"kty\":\"%s\",", kind->crv,
                         kind->kty);

        if (strcmp(kind->kty, "EC") == 0) {
            rc = torii_jwk_integer(b, key, &torii_jwk_x, kind->size);
            torii_buf_adds(b, ",");
            rc |= torii_jwk_integer(b, key, &torii_jwk_y, kind->size);

        } else {
            rc = torii_jwk_octets(b, key, &torii_jwk_okp, kind->size);
        }
    }

    torii_buf_adds(b, "}");

    if (rc != TORII_OK) {
        b->len = len;
        ERR_clear_error();
        return TORII_ERROR;
    }

    return TORII_OK;
}


/* size 0: without leading zeros (RFC 7518 section 6.3.1), else padded. */

static int
torii_jwk_integer(torii_buf_t *b, EVP_PKEY *key,
    const torii_jwk_member_t *member, size_t size)
{
    int            n;
    BIGNUM        *bn;
    unsigned char  octets[TORII_JOSE_INTEGER_MAX];

    bn = NULL;

    if (EVP_PKEY_get_bn_param(key, member->param, &bn) != 1) {
        return TORII_ERROR;
    }

    if (size == 0) {
        size = BN_num_bytes(bn);
    }

    n = size > sizeof(octets) ? -1 : BN_bn2binpad(bn, octets, (int) size);

    BN_free(bn);

    if (n <= 0) {
        return TORII_ERROR;
    }

    torii_buf_printf(b, "\"%s\":\"", member->name);
    torii_base64url_add(b, octets, n);
    torii_buf_adds(b, "\"");

    return TORII_OK;
}


static int
torii_jwk_octets(torii_buf_t *b, EVP_PKEY *key,
    const torii_jwk_member_t *member, size_t size)
{
    size_t         len;
    unsigned char  octets[64];

    if (EVP_PKEY_get_octet_string_param(key, member->param, octets,
                                        sizeof(octets), &len) != 1
        || len != size)
    {
        return TORII_ERROR;
    }

    torii_buf_printf(b, "\"%s\":\"", member->name);
    torii_base64url_add(b, octets, len);
    torii_buf_adds(b, "\"");

    return TORII_OK;
}


int
torii_jwk_thumbprint(torii_buf_t *b, EVP_PKEY *key)
{
    int            ok;
    torii_buf_t    jwk;
    unsigned char  digest[32];

    memset(&jwk, 0, sizeof(torii_buf_t));

    if (torii_jwk_add(&jwk, key) != TORII_OK) {
        torii_buf_free(&jwk);
        return TORII_ERROR;
    }

    ok = EVP_Digest(jwk.data, jwk.len, digest, NULL, EVP_sha256(), NULL);

    torii_buf_free(&jwk);

    if (ok != 1) {
        ERR_clear_error();
        return TORII_ERROR;
    }

    torii_base64url_add(b, digest, sizeof(digest));

    return TORII_OK;
}


const char *
torii_jws_alg(EVP_PKEY *key)
{
    const torii_key_kind_t  *kind;

    kind = torii_key_kind(key);

    if (kind == NULL
        || (kind->crv == NULL && EVP_PKEY_get_bits(key) < TORII_JOSE_RSA_MIN))
    {
        return NULL;
    }

    return kind->alg;
}


int
torii_jws_sign(torii_buf_t *b, EVP_PKEY *key, torii_str_t header,
    torii_str_t payload)
{
    int          rc;
    size_t       dot;
    torii_buf_t  input, signature;

    if (torii_jws_alg(key) == NULL) {
        return TORII_ERROR;
    }

    memset(&input, 0, sizeof(torii_buf_t));
    memset(&signature, 0, sizeof(torii_buf_t));

    torii_jws_input(&input, header, payload, &dot);

    rc = torii_jws_signature(&signature, key, torii_key_kind(key), &input);

    if (rc == TORII_OK) {
        torii_jws_add(b, &input, dot, &signature);

    } else {
        ERR_clear_error();
    }

    torii_buf_free(&input);
    torii_buf_free(&signature);

    return rc;
}


int
torii_jws_mac(torii_buf_t *b, torii_str_t secret, unsigned bits,
    torii_str_t header, torii_str_t payload)
{
    size_t         dot;
    unsigned       i, len;
    const EVP_MD  *md;
    torii_buf_t    input, mac;

    md = NULL;

    for (i = 0; i < sizeof(torii_jws_macs) / sizeof(torii_jws_macs[0]); i++) {
        if (torii_jws_macs[i].bits == bits) {
            md = EVP_get_digestbyname(torii_jws_macs[i].digest);
        }
    }

    if (md == NULL || secret.len == 0 || secret.len > INT32_MAX) {
        return TORII_ERROR;
    }

    memset(&input, 0, sizeof(torii_buf_t));
    memset(&mac, 0, sizeof(torii_buf_t));

    torii_jws_input(&input, header, payload, &dot);

    len = 0;

    if (HMAC(md, secret.data, (int) secret.len, input.data, input.len,
             torii_buf_room(&mac, EVP_MAX_MD_SIZE), &len)
        == NULL)
    {
        len = 0;
        ERR_clear_error();
    }

    mac.len = len;

    if (len) {
        torii_jws_add(b, &input, dot, &mac);
    }

    torii_buf_free(&input);
    torii_buf_free(&mac);

    return len ? TORII_OK : TORII_ERROR;
}


/* RFC 7515 section 5.1, with the place of the dot. */

static void
torii_jws_input(torii_buf_t *b, torii_str_t header, torii_str_t payload,
    size_t *dot)
{
    torii_base64url_add(b, header.data, header.len);

    *dot = b->len;

    torii_buf_adds(b, ".");
    torii_base64url_add(b, payload.data, payload.len);
}


static void
torii_jws_add(torii_buf_t *b, const torii_buf_t *input, size_t dot,
    const torii_buf_t *signature)
{
    torii_buf_adds(b, "{\"protected\":\"");
    torii_buf_add(b, input->data, dot);
    torii_buf_adds(b, "\",\"payload\":\"");
    torii_buf_add(b, input->data + dot + 1, input->len - dot - 1);
    torii_buf_adds(b, "\",\"signature\":\"");
    torii_base64url_add(b, signature->data, signature->len);
    torii_buf_adds(b, "\"}");
}


static int
torii_jws_signature(torii_buf_t *b, EVP_PKEY *key,
    const torii_key_kind_t *kind, const torii_buf_t *input)
{
    int          rc;
    size_t       len;
    EVP_MD_CTX  *md;

    md = EVP_MD_CTX_new();
    if (md == NULL) {
        return TORII_ERROR;
    }

    rc = TORII_ERROR;

    if (EVP_DigestSignInit_ex(md, NULL, kind->digest, NULL, NULL, key, NULL)
            == 1
        && EVP_DigestSign(md, NULL, &len, input->data, input->len) == 1
        && EVP_DigestSign(md, torii_buf_room(b, len), &len, input->data,
                          input->len)
           == 1)
    {
        b->len = len;
        rc = TORII_OK;
    }

    EVP_MD_CTX_free(md);

    if (rc == TORII_OK && strcmp(kind->kty, "EC") == 0) {
        rc = torii_jws_raw(b, kind->size);
    }

    return rc;
}


/* RFC 7518 section 3.4: r and s side by side, not in DER. */

static int
torii_jws_raw(torii_buf_t *b, size_t size)
{
    int                   rc;
    ECDSA_SIG            *sig;
    unsigned char        *raw;
    const unsigned char  *p;

    p = b->data;

    sig = d2i_ECDSA_SIG(NULL, &p, (long) b->len);
    if (sig == NULL) {
        return TORII_ERROR;
    }

    b->len = 0;
    raw = torii_buf_room(b, size * 2);
    rc = TORII_ERROR;

    if (BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int) size) == (int) size
        && BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + size, (int) size)
           == (int) size)
    {
        b->len = size * 2;
        rc = TORII_OK;
    }

    ECDSA_SIG_free(sig);

    return rc;
}
