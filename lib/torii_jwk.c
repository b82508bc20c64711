
/*
 * JWK sets: which keys of it can check a signature, and they as OpenSSL's.
 */

#include <stdlib.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "torii_jwk_set.h"


#define TORII_JWK_RSA_MIN   2048        /* bits, RFC 7518 section 3.3 */
#define TORII_JWK_RSA_MAX   8192
#define TORII_JWK_E_MAX     4           /* bytes of the public exponent */
#define TORII_JWK_PARAM     2048        /* base64url characters */


typedef struct {
    const char            *kty;
    const char            *crv;         /* NULL: any or none */
    torii_jwk_kind_e       kind;
    const char            *group;       /* in OpenSSL */
    size_t                 size;        /* bytes of a coordinate */
} torii_jwk_type_t;


static const torii_jwk_type_t  torii_jwk_types[] = {
    { "RSA", NULL, TORII_JWK_RSA, NULL, 0 },
    { "EC", "P-256", TORII_JWK_P256, "P-256", 32 },
    { "EC", "P-384", TORII_JWK_P384, "P-384", 48 },
    { "EC", "P-521", TORII_JWK_P521, "P-521", 66 },
    { "OKP", "Ed25519", TORII_JWK_ED25519, NULL, 32 },
    { NULL, NULL, TORII_JWK_RSA, NULL, 0 }
};

static const torii_tree_limits_t  torii_jwk_limits = {
    TORII_JWKS_BYTES, 4096, 8
};


static torii_str_t
torii_jwk_text(const torii_node_t *map, const char *key)
{
    torii_node_t  *node;

    node = torii_node_get(map, key);

    if (node == NULL || node->type != TORII_NODE_STRING) {
        return torii_str(NULL);
    }

    return node->text;
}


static int
torii_jwk_octets(torii_arena_t *a, const torii_node_t *map, const char *key,
    torii_str_t *octets)
{
    torii_str_t  text;

    text = torii_jwk_text(map, key);

    if (text.len == 0 || text.len > TORII_JWK_PARAM) {
        return TORII_ERROR;
    }

    return torii_base64url_decode(a, text, octets);
}


static const torii_jwk_type_t *
torii_jwk_type(const torii_node_t *map)
{
    torii_str_t              kty, crv;
    const torii_jwk_type_t  *t;

    kty = torii_jwk_text(map, "kty");
    crv = torii_jwk_text(map, "crv");

    for (t = torii_jwk_types; t->kty; t++) {
        if (torii_str_eqs(kty, t->kty)
            && (t->crv == NULL || torii_str_eqs(crv, t->crv)))
        {
            return t;
        }
    }

    return NULL;
}


/* RFC 7517 sections 4.2 and 4.3: both may be absent. */

static int
torii_jwk_verifies(const torii_node_t *map)
{
    uint32_t       i;
    torii_node_t  *use, *ops;

    use = torii_node_get(map, "use");
    ops = torii_node_get(map, "key_ops");

    if (use && (use->type != TORII_NODE_STRING
                || !torii_str_eqs(use->text, "sig")))
    {
        return 0;
    }

    if (ops == NULL) {
        return 1;
    }

    for (i = 0; ops->type == TORII_NODE_LIST && i < ops->n; i++) {
        if (ops->items[i]->type == TORII_NODE_STRING
            && torii_str_eqs(ops->items[i]->text, "verify"))
        {
            return 1;
        }
    }

    return 0;
}


static EVP_PKEY *
torii_jwk_import(const char *type, OSSL_PARAM_BLD *bld)
{
    EVP_PKEY      *key;
    OSSL_PARAM    *params;
    EVP_PKEY_CTX  *ctx;

    key = NULL;
    params = OSSL_PARAM_BLD_to_param(bld);
    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
    {
        key = NULL;
    }

    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);

    return key;
}


static int
torii_jwk_rsa_sane(const BIGNUM *n, const BIGNUM *e)
{
    int  bits;

    bits = BN_num_bits(n);

    return bits >= TORII_JWK_RSA_MIN && bits <= TORII_JWK_RSA_MAX
           && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e);
}


static EVP_PKEY *
torii_jwk_rsa(torii_arena_t *a, const torii_node_t *map)
{
    BIGNUM          *n, *e;
    EVP_PKEY        *key;
    torii_str_t      modulus, exponent;
    OSSL_PARAM_BLD  *bld;

    if (torii_jwk_octets(a, map, "n", &modulus) != TORII_OK
        || torii_jwk_octets(a, map, "e", &exponent) != TORII_OK
        || exponent.len > TORII_JWK_E_MAX)
    {
        return NULL;
    }

    key = NULL;
    n = BN_bin2bn(modulus.data, (int) modulus.len, NULL);
    e = BN_bin2bn(exponent.data, (int) exponent.len, NULL);
    bld = OSSL_PARAM_BLD_new();

    if (n && e && bld && torii_jwk_rsa_sane(n, e)
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1)
    {
        key = torii_jwk_import("RSA", bld);
    }

    OSSL_PARAM_BLD_free(bld);
    BN_free(n);
    BN_free(e);

    return key;
}


/* RFC 7518 section 6.2.1: both coordinates have the size of the field. */

static EVP_PKEY *
torii_jwk_ec(torii_arena_t *a, const torii_node_t *map,
    const torii_jwk_type_t *t)
{
    int              ok;
    EVP_PKEY        *key;
    torii_str_t      x, y;
    EVP_PKEY_CTX    *ctx;
    unsigned char    point[1 + 2 * 66];
    OSSL_PARAM_BLD  *bld;

    if (torii_jwk_octets(a, map, "x", &x) != TORII_OK
        || torii_jwk_octets(a, map, "y", &y) != TORII_OK
        || x.len != t->size || y.len != t->size)
    {
        return NULL;
    }

    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(point + 1, x.data, t->size);
    memcpy(point + 1 + t->size, y.data, t->size);

    key = NULL;
    bld = OSSL_PARAM_BLD_new();

    if (bld
        && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
                                           t->group, 0) == 1
        && OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, 1 + 2 * t->size) == 1)
    {
        key = torii_jwk_import("EC", bld);
    }

    OSSL_PARAM_BLD_free(bld);

    if (key == NULL) {
        return NULL;
    }

    /* importing has looked at the curve, this also looks at the order */

    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    ok = ctx && EVP_PKEY_public_check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);

    if (!ok) {
        EVP_PKEY_free(key);
        return NULL;
    }

    return key;
}


static EVP_PKEY *
torii_jwk_okp(torii_arena_t *a, const torii_node_t *map,
    const torii_jwk_type_t *t)
{
    torii_str_t  x;

    if (torii_jwk_octets(a, map, "x", &x) != TORII_OK || x.len != t->size) {
        return NULL;
    }

    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.data, x.len);
}


/* Not TORII_OK: the key is none of ours, the others may be. */

static int
torii_jwk_read(torii_arena_t *a, const torii_node_t *map, torii_jwk_t *jwk)
{
    torii_node_t            *kid, *alg;
    const torii_jwk_type_t  *t;

    t = torii_jwk_type(map);

    if (t == NULL || !torii_jwk_verifies(map)) {
        return TORII_DECLINED;
    }

    memset(jwk, 0, sizeof(torii_jwk_t));

    jwk->kind = t->kind;
    jwk->alg = TORII_JWA_MAX;

    alg = torii_node_get(map, "alg");

    if (alg) {
        jwk->alg = (alg->type == TORII_NODE_STRING)
                       ? torii_jwa_find(alg->text) : TORII_JWA_MAX;

        if (jwk->alg == TORII_JWA_MAX) {
            return TORII_DECLINED;
        }
    }

    kid = torii_node_get(map, "kid");

    if (kid) {
        if (kid->type != TORII_NODE_STRING
            || kid->text.len > TORII_JWK_KID_MAX)
        {
            return TORII_DECLINED;
        }

        jwk->kid = kid->text;
    }

    switch (t->kind) {

    case TORII_JWK_RSA:
        jwk->key = torii_jwk_rsa(a, map);
        break;

    case TORII_JWK_ED25519:
        jwk->key = torii_jwk_okp(a, map, t);
        break;

    default:
        jwk->key = torii_jwk_ec(a, map, t);
    }

    return jwk->key ? TORII_OK : TORII_DECLINED;
}


static void
torii_jwks_fill(torii_jwks_t *set, torii_arena_t *a, const torii_node_t *list)
{
    uint32_t     i;
    torii_jwk_t  jwk;

    for (i = 0; i < list->n && set->n < TORII_JWKS_MAX; i++) {

        if (torii_jwk_read(a, list->items[i], &jwk) != TORII_OK) {
            continue;
        }

        if (jwk.kid.data) {
            jwk.kid = torii_arena_str(set->arena, jwk.kid);
        }

        set->keys[set->n++] = jwk;
    }

    ERR_clear_error();
}


torii_jwks_t *
torii_jwks_read(torii_str_t in, const char **error)
{
    torii_node_t        *doc, *list;
    torii_jwks_t        *set;
    torii_arena_t       *a;
    torii_tree_error_t   err;

    a = torii_arena_create(4096);
    set = NULL;
    list = NULL;

    if (torii_tree_json(a, in, &torii_jwk_limits, &doc, &err) != TORII_OK) {
        *error = "is not JSON, has a member twice or is too large";

    } else {
        list = torii_node_get(doc, "keys");
        *error = "has no list of keys";
    }

    if (list && list->type == TORII_NODE_LIST) {
        set = torii_zalloc(sizeof(torii_jwks_t));
        set->arena = torii_arena_create(1024);

        torii_jwks_fill(set, a, list);

        *error = NULL;
    }

    torii_arena_destroy(a);

    if (set && set->n == 0) {
        *error = "has no key that can check a signature";
        torii_jwks_free(set);
        return NULL;
    }

    return set;
}


void
torii_jwks_free(torii_jwks_t *set)
{
    uint32_t  i;

    if (set == NULL) {
        return;
    }

    for (i = 0; i < set->n; i++) {
        EVP_PKEY_free(set->keys[i].key);
    }

    torii_arena_destroy(set->arena);
    free(set);
}


uint32_t
torii_jwks_count(const torii_jwks_t *set)
{
    return set->n;
}


int
torii_jwks_has(const torii_jwks_t *set, torii_str_t kid)
{
    uint32_t  i;

    for (i = 0; i < set->n; i++) {
        if (set->keys[i].kid.data && torii_str_eq(set->keys[i].kid, kid)) {
            return 1;
        }
    }

    return 0;
}
