
/* Keys, key sets and tokens as a provider would make them, and bad ones. */

#ifndef _OAUTH2_MAKE_H_INCLUDED_
#define _OAUTH2_MAKE_H_INCLUDED_


#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include "torii_jwk.h"


typedef struct {
    const char  *alg;
    const char  *digest;
    int          pss;
} make_alg_t;


static const make_alg_t  make_algs[] = {
    { "RS256", "SHA256", 0 }, { "RS384", "SHA384", 0 },
    { "RS512", "SHA512", 0 }, { "PS256", "SHA256", 1 },
    { "PS384", "SHA384", 1 }, { "PS512", "SHA512", 1 },
    { "ES256", "SHA256", 0 }, { "ES384", "SHA384", 0 },
    { "ES512", "SHA512", 0 }, { "EdDSA", NULL, 0 },
    { "Ed25519", NULL, 0 }, { NULL, NULL, 0 }
};


static inline torii_str_t
make_str(const torii_buf_t *b)
{
    torii_str_t  s;

    s.data = b->data;
    s.len = b->len;

    return s;
}


/* A JWK with members more: "\"kid\":\"a\"" */

static inline void
make_jwk(torii_buf_t *b, EVP_PKEY *key, const char *members)
{
    torii_jwk_add(b, key);

    b->len--;
    torii_buf_printf(b, "%s%s}", members[0] ? "," : "", members);
}


/* r and s side by side. */

static inline size_t
make_raw(unsigned char *sig, size_t len, EVP_PKEY *key)
{
    size_t                size;
    ECDSA_SIG            *ec;
    const unsigned char  *p;

    p = sig;
    ec = d2i_ECDSA_SIG(NULL, &p, (long) len);
    size = (EVP_PKEY_get_bits(key) + 7) / 8;

    BN_bn2binpad(ECDSA_SIG_get0_r(ec), sig, (int) size);
    BN_bn2binpad(ECDSA_SIG_get0_s(ec), sig + size, (int) size);

    ECDSA_SIG_free(ec);

    return 2 * size;
}


/* header is signed as it is, by what alg asks for. */

static inline torii_str_t
make_token(torii_arena_t *a, EVP_PKEY *key, const char *alg,
    const char *header, torii_str_t payload)
{
    size_t             len;
    EVP_MD_CTX        *md;
    torii_buf_t        b;
    torii_str_t        token;
    EVP_PKEY_CTX      *ctx;
    unsigned char      sig[1100];
    const make_alg_t  *m;

    for (m = make_algs; m->alg && strcmp(m->alg, alg) != 0; m++) {
        /* void */
    }

    memset(&b, 0, sizeof(torii_buf_t));

    torii_base64url_add(&b, header, strlen(header));
    torii_buf_adds(&b, ".");
    torii_base64url_add(&b, payload.data, payload.len);

    md = EVP_MD_CTX_new();
    len = sizeof(sig);

    EVP_DigestSignInit_ex(md, &ctx, m->digest, NULL, NULL, key, NULL);

    if (m->pss) {
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST);
    }

    if (EVP_DigestSign(md, sig, &len, b.data, b.len) != 1) {
        len = 1;
    }

    EVP_MD_CTX_free(md);

    if (EVP_PKEY_is_a(key, "EC")) {
        len = make_raw(sig, len, key);
    }

    torii_buf_adds(&b, ".");
    torii_base64url_add(&b, sig, len);

    token = torii_arena_str(a, make_str(&b));
    torii_buf_free(&b);

    return token;
}


#endif /* _OAUTH2_MAKE_H_INCLUDED_ */
