
/*
 * JSON Web Signatures in the compact serialization, taken apart and checked.
 */

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "torii_jwk_set.h"


typedef struct {
    const char            *name;
    torii_jwk_kind_e       kind;
    const char            *digest;      /* NULL: the algorithm has its own */
    unsigned               pss;
    size_t                 size;        /* of r and of s */
} torii_jwa_t;


/* In the order of torii_jwa_e. */

static const torii_jwa_t  torii_jwas[] = {
    { "RS256", TORII_JWK_RSA, "SHA256", 0, 0 },
    { "RS384", TORII_JWK_RSA, "SHA384", 0, 0 },
    { "RS512", TORII_JWK_RSA, "SHA512", 0, 0 },
    { "PS256", TORII_JWK_RSA, "SHA256", 1, 0 },
    { "PS384", TORII_JWK_RSA, "SHA384", 1, 0 },
    { "PS512", TORII_JWK_RSA, "SHA512", 1, 0 },
    { "ES256", TORII_JWK_P256, "SHA256", 0, 32 },
    { "ES384", TORII_JWK_P384, "SHA384", 0, 48 },
    { "ES512", TORII_JWK_P521, "SHA512", 0, 66 },
    { "EdDSA", TORII_JWK_ED25519, NULL, 0, 0 }
};

/* RFC 7515 section 4.1.11, RFC 7797, RFC 7516: what would change the meaning
   of what is signed, and what we would have to understand. */

static const char  *const torii_jws_refused[] = { "crit", "b64", "zip", NULL };

static const torii_tree_limits_t  torii_jws_limits = {
    TORII_JWS_HEADER, 128, 4
};


torii_jwa_e
torii_jwa_find(torii_str_t name)
{
    unsigned  i;

    for (i = 0; i < TORII_JWA_MAX; i++) {
        if (torii_str_eqs(name, torii_jwas[i].name)) {
            return (torii_jwa_e) i;
        }
    }

    /* RFC 9864 section 2.2 */

    return torii_str_eqs(name, "Ed25519") ? TORII_JWA_EDDSA : TORII_JWA_MAX;
}


const char *
torii_jwa_name(torii_jwa_e alg)
{
    return (unsigned) alg < TORII_JWA_MAX ? torii_jwas[alg].name : "unknown";
}


/* Exactly two dots; the parts are not looked at. */

static int
torii_jws_split(torii_str_t token, torii_str_t part[3])
{
    unsigned     n;
    torii_str_t  rest;

    n = 0;
    rest = token;

    while (n < 3 && torii_str_next(&rest, ".", &part[n])) {
        n++;
    }

    return (n == 3 && rest.data == NULL) ? TORII_OK : TORII_ERROR;
}


static torii_jws_error_e
torii_jws_header(torii_arena_t *a, torii_str_t text, unsigned allowed,
    torii_jws_t *jws)
{
    torii_str_t           json;
    torii_node_t         *doc, *node;
    torii_tree_error_t    err;
    const char  *const   *refused;

    if (torii_base64url_decode(a, text, &json) != TORII_OK
        || torii_tree_json(a, json, &torii_jws_limits, &doc, &err) != TORII_OK
        || doc->type != TORII_NODE_MAP)
    {
        return TORII_JWS_FORM;
    }

    for (refused = torii_jws_refused; *refused; refused++) {
        if (torii_node_get(doc, *refused)) {
            return TORII_JWS_CRIT;
        }
    }

    node = torii_node_get(doc, "alg");
    if (node == NULL || node->type != TORII_NODE_STRING) {
        return TORII_JWS_ALG;
    }

    jws->alg = torii_jwa_find(node->text);

    if (jws->alg == TORII_JWA_MAX || !(allowed & torii_jwa_bit(jws->alg))) {
        return TORII_JWS_ALG;
    }

    node = torii_node_get(doc, "kid");

    if (node) {
        if (node->type != TORII_NODE_STRING
            || node->text.len > TORII_JWK_KID_MAX)
        {
            return TORII_JWS_FORM;
        }

        jws->kid = node->text;
    }

    node = torii_node_get(doc, "typ");

    if (node) {
        if (node->type != TORII_NODE_STRING) {
            return TORII_JWS_FORM;
        }

        jws->typ = node->text;
    }

    return TORII_JWS_OK;
}


torii_jws_error_e
torii_jws_read(torii_arena_t *a, torii_str_t token, unsigned allowed,
    torii_jws_t *jws)
{
    torii_str_t        part[3];
    torii_jws_error_e  rc;

    memset(jws, 0, sizeof(torii_jws_t));

    if (token.len > TORII_JWS_BYTES) {
        return TORII_JWS_SIZE;
    }

    if (torii_jws_split(token, part) != TORII_OK || part[0].len == 0
        || part[1].len == 0 || part[2].len == 0)
    {
        return TORII_JWS_FORM;
    }

    if (part[0].len > TORII_JWS_HEADER || part[2].len > TORII_JWS_SIG_MAX) {
        return TORII_JWS_SIZE;
    }

    rc = torii_jws_header(a, part[0], allowed, jws);
    if (rc != TORII_JWS_OK) {
        return rc;
    }

    if (torii_base64url_decode(a, part[1], &jws->payload) != TORII_OK
        || torii_base64url_decode(a, part[2], &jws->signature) != TORII_OK)
    {
        return TORII_JWS_FORM;
    }

    jws->input.data = token.data;
    jws->input.len = part[0].len + 1 + part[1].len;

    return TORII_JWS_OK;
}


/*
 * RFC 7518 section 3.4: r and s of a fixed size, side by side, to the DER that
 * OpenSSL reads; 0: they have another size.
 */

static int
torii_jws_der(torii_str_t raw, size_t size, unsigned char **der)
{
    int         len;
    BIGNUM     *r, *s;
    ECDSA_SIG  *sig;

    if (raw.len != 2 * size) {
        return 0;
    }

    r = BN_bin2bn(raw.data, (int) size, NULL);
    s = BN_bin2bn(raw.data + size, (int) size, NULL);
    sig = ECDSA_SIG_new();

    if (r == NULL || s == NULL || sig == NULL
        || ECDSA_SIG_set0(sig, r, s) != 1)
    {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(sig);
        return 0;
    }

    len = i2d_ECDSA_SIG(sig, der);

    ECDSA_SIG_free(sig);

    return len > 0 ? len : 0;
}


static int
torii_jws_check(const torii_jws_t *jws, EVP_PKEY *key, torii_str_t signature)
{
    int                 ok;
    EVP_MD_CTX         *md;
    EVP_PKEY_CTX       *ctx;
    const torii_jwa_t  *jwa;

    jwa = &torii_jwas[jws->alg];

    md = EVP_MD_CTX_new();
    if (md == NULL) {
        return 0;
    }

    ok = EVP_DigestVerifyInit_ex(md, &ctx, jwa->digest, NULL, NULL, key, NULL)
         == 1;

    /* RFC 7518 section 3.5: the salt has the size of the digest */

    if (ok && jwa->pss) {
        ok = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1
             && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST)
                == 1;
    }

    ok = ok && EVP_DigestVerify(md, signature.data, signature.len,
                                jws->input.data, jws->input.len)
               == 1;

    EVP_MD_CTX_free(md);

    return ok;
}


/* The key decides what it may be used for, not the token. */

static int
torii_jws_fits(const torii_jws_t *jws, const torii_jwk_t *jwk)
{
    if (jwk->kind != torii_jwas[jws->alg].kind
        || (jwk->alg != TORII_JWA_MAX && jwk->alg != jws->alg))
    {
        return 0;
    }

    return jws->kid.data == NULL
           || (jwk->kid.data != NULL && torii_str_eq(jwk->kid, jws->kid));
}


torii_jws_error_e
torii_jws_verify(const torii_jws_t *jws, const torii_jwks_t *set)
{
    int             ok;
    size_t          size;
    uint32_t        i, tried;
    torii_str_t     signature;
    unsigned char  *der;

    der = NULL;
    signature = jws->signature;
    size = torii_jwas[jws->alg].size;

    if (size) {
        signature.len = torii_jws_der(jws->signature, size, &der);
        signature.data = der;

        if (signature.len == 0) {
            ERR_clear_error();
            return TORII_JWS_SIGNATURE;
        }
    }

    ok = 0;
    tried = 0;

    for (i = 0; i < set->n && tried < TORII_JWK_TRIED && !ok; i++) {
        if (torii_jws_fits(jws, &set->keys[i])) {
            ok = torii_jws_check(jws, set->keys[i].key, signature);
            tried++;
        }
    }

    OPENSSL_free(der);
    ERR_clear_error();

    if (ok) {
        return TORII_JWS_OK;
    }

    return tried ? TORII_JWS_SIGNATURE : TORII_JWS_KEY;
}
