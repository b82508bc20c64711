
/*
 * Checking certificates and keys of Secrets.  Decoding one pair by OpenSSL 3
 * takes some 200 microseconds, which for ten thousand of them is two seconds
 * that nothing is served in; reading DER for the few fields needed takes two
 * or three.  A worker decodes what it serves by OpenSSL in any case.
 */

#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "ingress_cert.h"
#include "ingress_der.h"
#include "ingress_pem.h"


#define INGRESS_CERT_CHAIN_MAX  (256 * 1024)
#define INGRESS_CERT_KEY_MAX    (64 * 1024)

/* What the leaf says of its key. */

typedef struct {
    torii_str_t       whole;        /* SubjectPublicKeyInfo */
    torii_str_t       params;       /* EC: OID of the curve */
    torii_str_t       bits;         /* without the count of unused bits */
} ingress_spki_t;


static const unsigned char  ingress_oid_rsa[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01
};
static const unsigned char  ingress_oid_ec[] = {
    0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01
};
static const unsigned char  ingress_oid_common_name[] = { 0x55, 0x04, 0x03 };
static const unsigned char  ingress_oid_alt_names[] = { 0x55, 0x1d, 0x11 };

#define ingress_oid_is(s, oid)                                                \
    ((s).len == sizeof(oid) && memcmp((s).data, oid, sizeof(oid)) == 0)


static const char *ingress_cert_read(ingress_cert_t *cert,
    const ingress_secret_t *secret);
static const char *ingress_cert_chain(ingress_cert_t *cert, torii_str_t pem);
static const char *ingress_cert_key(ingress_cert_t *cert, torii_str_t pem);
static const char *ingress_cert_leaf(ingress_cert_t *cert,
    ingress_spki_t *spki);
static void ingress_cert_spki(ingress_cert_t *cert, torii_str_t whole,
    ingress_spki_t *spki);
static int ingress_cert_alt_names(ingress_cert_t *cert, ingress_der_t *list);
static void ingress_cert_common_name(ingress_cert_t *cert,
    ingress_der_t subject);
static void ingress_cert_add_name(ingress_cert_t *cert, torii_str_t name,
    uint32_t max);
static int ingress_cert_name_cmp(const void *one, const void *two);
static const char *ingress_cert_match(const ingress_cert_t *cert,
    const ingress_spki_t *spki);
static torii_str_t ingress_key_inner(torii_str_t key);
static int ingress_key_rsa(torii_str_t key, const ingress_spki_t *spki);
static int ingress_key_ec(torii_str_t key, const ingress_spki_t *spki);
static int ingress_key_openssl(torii_str_t key, const ingress_spki_t *spki);


ingress_cert_t *
ingress_cert_create(const ingress_secret_t *secret)
{
    ingress_cert_t  *cert;
    torii_arena_t   *arena;

    arena = torii_arena_create(4096);

    cert = torii_arena_zalloc(arena, sizeof(ingress_cert_t));

    cert->arena = arena;
    cert->problem = ingress_cert_read(cert, secret);

    return cert;
}


void
ingress_cert_free(ingress_cert_t *cert)
{
    if (cert) {
        torii_arena_destroy(cert->arena);
    }
}


static const char *
ingress_cert_read(ingress_cert_t *cert, const ingress_secret_t *secret)
{
    const char            *problem;
    torii_str_t            pair;
    ingress_spki_t         spki;
    const ingress_pair_t  *crt, *key;

    crt = ingress_pair_find(&secret->data, "tls.crt");
    if (crt == NULL || crt->value.len == 0) {
        return "it has no tls.crt";
    }

    key = ingress_pair_find(&secret->data, "tls.key");
    if (key == NULL || key->value.len == 0) {
        return "it has no tls.key";
    }

    /* chain and key lie side by side, for one digest over both */

    problem = ingress_cert_chain(cert, crt->value);
    if (problem) {
        return problem;
    }

    problem = ingress_cert_key(cert, key->value);
    if (problem) {
        return problem;
    }

    problem = ingress_cert_leaf(cert, &spki);
    if (problem) {
        return problem;
    }

    problem = ingress_cert_match(cert, &spki);
    if (problem) {
        return problem;
    }

    pair.len = cert->chain.len + cert->key.len;
    pair.data = torii_arena_alloc(cert->arena, pair.len);

    memcpy(pair.data, cert->chain.data, cert->chain.len);
    memcpy(pair.data + cert->chain.len, cert->key.data, cert->key.len);

    if (EVP_Digest(pair.data, pair.len, cert->id, NULL, EVP_sha256(), NULL)
        != 1)
    {
        return "its digest cannot be made";
    }

    cert->chain.data = pair.data;
    cert->key.data = pair.data + cert->chain.len;

    return NULL;
}


/* All blocks into one string; each must be one element of DER and no more. */

static const char *
ingress_cert_chain(ingress_cert_t *cert, torii_str_t pem)
{
    int             rc;
    torii_str_t     der;
    torii_buf_t     chain;
    ingress_der_t   in;
    ingress_pem_t   block;
    const char     *problem;

    if (pem.len > INGRESS_CERT_CHAIN_MAX) {
        return "its tls.crt is longer than 256 KiB";
    }

    memset(&chain, 0, sizeof(torii_buf_t));
    problem = NULL;

    for ( ;; ) {
        rc = ingress_pem_next(&pem, &block);

        if (rc == TORII_DECLINED) {
            break;
        }

        if (rc == TORII_ERROR) {
            problem = "a PEM block of its tls.crt is damaged";
            break;
        }

        if (!torii_str_eqs(block.label, "CERTIFICATE")
            && !torii_str_eqs(block.label, "X509 CERTIFICATE"))
        {
            continue;
        }

        if (torii_base64_decode(cert->arena, block.body, &der) != TORII_OK) {
            problem = "a PEM block of its tls.crt is not base64";
            break;
        }

        in = ingress_der_start(der);
        ingress_der_whole(&in, INGRESS_DER_SEQUENCE);

        if (in.failed || !ingress_der_end(&in)) {
            problem = "a PEM block of its tls.crt holds no certificate";
            break;
        }

        torii_buf_add_str(&chain, der);
    }

    if (problem == NULL && chain.len == 0) {
        problem = "its tls.crt holds no certificate in PEM form";
    }

    cert->chain.len = chain.len;
    cert->chain.data = chain.data;

    if (chain.len) {
        cert->chain = torii_arena_str(cert->arena, cert->chain);
    }

    torii_buf_free(&chain);

    return problem;
}


static const char *
ingress_cert_key(ingress_cert_t *cert, torii_str_t pem)
{
    int            rc;
    ingress_pem_t  block;

    if (pem.len > INGRESS_CERT_KEY_MAX) {
        return "its tls.key is longer than 64 KiB";
    }

    for ( ;; ) {
        rc = ingress_pem_next(&pem, &block);

        if (rc == TORII_DECLINED) {
            return "its tls.key holds no private key in PEM form";
        }

        if (rc == TORII_ERROR) {
            return "the PEM block of its tls.key is damaged";
        }

        if (torii_str_eqs(block.label, "ENCRYPTED PRIVATE KEY")
            || torii_str_starts(torii_str_trim(block.body), "Proc-Type:"))
        {
            return "its tls.key is encrypted; a key without a passphrase is "
                   "needed";
        }

        if (torii_str_eqs(block.label, "PRIVATE KEY")
            || torii_str_eqs(block.label, "RSA PRIVATE KEY")
            || torii_str_eqs(block.label, "EC PRIVATE KEY"))
        {
            break;
        }
    }

    if (torii_base64_decode(cert->arena, block.body, &cert->key) != TORII_OK) {
        return "its tls.key is not base64 inside its PEM block";
    }

    return NULL;
}


/* RFC 5280, 4.1 */

static const char *
ingress_cert_leaf(ingress_cert_t *cert, ingress_spki_t *spki)
{
    int            named;
    torii_str_t    skip, oid;
    ingress_der_t  in, tbs, dates, subject, list, extension;

    in = ingress_der_start(cert->chain);
    in = ingress_der_enter(&in, INGRESS_DER_SEQUENCE);
    tbs = ingress_der_enter(&in, INGRESS_DER_SEQUENCE);

    if (ingress_der_is(&tbs, INGRESS_DER_EXPLICIT(0))) {
        ingress_der_any(&tbs, &skip);
    }

    ingress_der_content(&tbs, INGRESS_DER_INTEGER);
    ingress_der_content(&tbs, INGRESS_DER_SEQUENCE);
    ingress_der_content(&tbs, INGRESS_DER_SEQUENCE);

    dates = ingress_der_enter(&tbs, INGRESS_DER_SEQUENCE);
    cert->not_before = ingress_der_time(&dates);
    cert->not_after = ingress_der_time(&dates);

    subject = ingress_der_enter(&tbs, INGRESS_DER_SEQUENCE);

    memset(spki, 0, sizeof(ingress_spki_t));
    spki->whole = ingress_der_whole(&tbs, INGRESS_DER_SEQUENCE);

    if (tbs.failed || dates.failed) {
        return "its tls.crt cannot be read as a certificate";
    }

    ingress_cert_spki(cert, spki->whole, spki);

    named = 0;

    while (!ingress_der_end(&tbs)) {

        if (!ingress_der_is(&tbs, INGRESS_DER_EXPLICIT(3))) {
            ingress_der_any(&tbs, &skip);
            continue;
        }

        list = ingress_der_enter(&tbs, INGRESS_DER_EXPLICIT(3));
        list = ingress_der_enter(&list, INGRESS_DER_SEQUENCE);

        while (!ingress_der_end(&list)) {
            extension = ingress_der_enter(&list, INGRESS_DER_SEQUENCE);
            oid = ingress_der_content(&extension, INGRESS_DER_OID);

            if (ingress_oid_is(oid, ingress_oid_alt_names)) {
                named |= ingress_cert_alt_names(cert, &extension);
            }
        }
    }

    if (!named) {
        ingress_cert_common_name(cert, subject);
    }

    if (cert->n > 1) {
        qsort(cert->names, cert->n, sizeof(torii_str_t),
              ingress_cert_name_cmp);
    }

    return NULL;
}


static void
ingress_cert_spki(ingress_cert_t *cert, torii_str_t whole,
    ingress_spki_t *spki)
{
    torii_str_t    oid;
    ingress_der_t  in, algorithm;

    in = ingress_der_start(whole);
    in = ingress_der_enter(&in, INGRESS_DER_SEQUENCE);

    algorithm = ingress_der_enter(&in, INGRESS_DER_SEQUENCE);
    oid = ingress_der_content(&algorithm, INGRESS_DER_OID);

    spki->bits = ingress_der_content(&in, INGRESS_DER_BIT_STRING);

    if (in.failed || spki->bits.len < 2) {
        return;
    }

    spki->bits.data++;
    spki->bits.len--;

    if (ingress_oid_is(oid, ingress_oid_rsa)) {
        cert->type = INGRESS_CERT_RSA;

    } else if (ingress_oid_is(oid, ingress_oid_ec)) {
        cert->type = INGRESS_CERT_EC;
        spki->params = ingress_der_content(&algorithm, INGRESS_DER_OID);
    }
}


/* Whether there is a DNS name among them: then the common name is not used. */

static int
ingress_cert_alt_names(ingress_cert_t *cert, ingress_der_t *list)
{
    unsigned       tag;
    uint32_t       n;
    torii_str_t    name, value;
    ingress_der_t  in, count;

    if (!ingress_der_is(list, INGRESS_DER_OCTET_STRING)) {
        ingress_der_any(list, &value);          /* critical */
    }

    value = ingress_der_content(list, INGRESS_DER_OCTET_STRING);
    if (value.len == 0) {
        return 0;
    }

    in = ingress_der_start(value);
    in = ingress_der_enter(&in, INGRESS_DER_SEQUENCE);

    count = in;
    n = 0;

    while (!ingress_der_end(&count)) {
        n += (ingress_der_any(&count, &name) == INGRESS_DER_CONTEXT(2));
    }

    while (n && !ingress_der_end(&in)) {
        tag = ingress_der_any(&in, &name);

        if (tag == INGRESS_DER_CONTEXT(2)) {
            ingress_cert_add_name(cert, name, n);
        }
    }

    return n != 0;
}


static void
ingress_cert_common_name(ingress_cert_t *cert, ingress_der_t subject)
{
    torii_str_t    oid, name;
    ingress_der_t  set, pair;

    while (!ingress_der_end(&subject)) {
        set = ingress_der_enter(&subject, INGRESS_DER_SET);
        pair = ingress_der_enter(&set, INGRESS_DER_SEQUENCE);
        oid = ingress_der_content(&pair, INGRESS_DER_OID);

        if (ingress_oid_is(oid, ingress_oid_common_name)) {
            ingress_der_any(&pair, &name);
            cert->n = 0;
            ingress_cert_add_name(cert, name, 1);
        }
    }
}


/* A second extension of names would be a forgery: only the first counts. */

static void
ingress_cert_add_name(ingress_cert_t *cert, torii_str_t name, uint32_t max)
{
    size_t  i;

    if (name.len == 0 || (cert->n && cert->n == max)) {
        return;
    }

    if (cert->n == 0) {
        cert->names = torii_arena_alloc(cert->arena,
                                        max * sizeof(torii_str_t));
    }

    name = torii_arena_str(cert->arena, name);

    for (i = 0; i < name.len; i++) {
        if (name.data[i] >= 'A' && name.data[i] <= 'Z') {
            name.data[i] |= 0x20;
        }
    }

    cert->names[cert->n++] = name;
}


static int
ingress_cert_name_cmp(const void *one, const void *two)
{
    const torii_str_t  *a, *b;

    a = one;
    b = two;

    return torii_str_cmp(*a, *b);
}


int
ingress_cert_covers(const ingress_cert_t *cert, torii_str_t host)
{
    torii_str_t     name;
    unsigned char  *dot, wildcard[256];

    if (cert->n == 0 || host.len == 0) {
        return 0;
    }

    if (bsearch(&host, cert->names, cert->n, sizeof(torii_str_t),
                ingress_cert_name_cmp))
    {
        return 1;
    }

    dot = memchr(host.data, '.', host.len);

    if (dot == NULL || dot == host.data || host.data[0] == '*') {
        return 0;
    }

    name.len = host.data + host.len - dot + 1;

    if (name.len > sizeof(wildcard)) {
        return 0;
    }

    wildcard[0] = '*';
    memcpy(wildcard + 1, dot, name.len - 1);
    name.data = wildcard;

    return bsearch(&name, cert->names, cert->n, sizeof(torii_str_t),
                   ingress_cert_name_cmp)
           != NULL;
}


static const char *
ingress_cert_match(const ingress_cert_t *cert, const ingress_spki_t *spki)
{
    int          rc;
    torii_str_t  inner;

    rc = TORII_DECLINED;

    if (cert->type != INGRESS_CERT_OTHER) {
        inner = ingress_key_inner(cert->key);

        rc = (cert->type == INGRESS_CERT_RSA) ? ingress_key_rsa(inner, spki)
                                              : ingress_key_ec(inner, spki);
    }

    if (rc == TORII_DECLINED) {
        rc = ingress_key_openssl(cert->key, spki);
    }

    if (rc == TORII_OK) {
        return NULL;
    }

    if (rc == TORII_DECLINED) {
        return "its tls.key cannot be read as a private key";
    }

    return "its tls.key does not belong to the first certificate of tls.crt";
}


/* The key inside PKCS#8 (RFC 5208, 5), or the key itself. */

static torii_str_t
ingress_key_inner(torii_str_t key)
{
    torii_str_t    inner;
    ingress_der_t  in;

    in = ingress_der_start(key);
    in = ingress_der_enter(&in, INGRESS_DER_SEQUENCE);

    ingress_der_content(&in, INGRESS_DER_INTEGER);
    ingress_der_content(&in, INGRESS_DER_SEQUENCE);
    inner = ingress_der_content(&in, INGRESS_DER_OCTET_STRING);

    return in.failed ? key : inner;
}


/* RFC 8017, A.1: the modulus and the public exponent are in both. */

static int
ingress_key_rsa(torii_str_t key, const ingress_spki_t *spki)
{
    unsigned       i;
    torii_str_t    n, e, parts[6];
    ingress_der_t  in, public;

    in = ingress_der_start(key);
    in = ingress_der_enter(&in, INGRESS_DER_SEQUENCE);

    ingress_der_content(&in, INGRESS_DER_INTEGER);
    n = ingress_der_content(&in, INGRESS_DER_INTEGER);
    e = ingress_der_content(&in, INGRESS_DER_INTEGER);

    for (i = 0; i < 6; i++) {
        parts[i] = ingress_der_content(&in, INGRESS_DER_INTEGER);
    }

    if (in.failed || parts[5].len == 0) {
        return TORII_DECLINED;
    }

    public = ingress_der_start(spki->bits);
    public = ingress_der_enter(&public, INGRESS_DER_SEQUENCE);

    return torii_str_eq(n, ingress_der_content(&public, INGRESS_DER_INTEGER))
           && torii_str_eq(e, ingress_der_content(&public,
                                                  INGRESS_DER_INTEGER))
           && !public.failed
           ? TORII_OK : TORII_ERROR;
}


/* RFC 5915, 3: the public key may be left out, and mostly is not. */

static int
ingress_key_ec(torii_str_t key, const ingress_spki_t *spki)
{
    torii_str_t    curve, bits;
    ingress_der_t  in, part;

    in = ingress_der_start(key);
    in = ingress_der_enter(&in, INGRESS_DER_SEQUENCE);

    ingress_der_content(&in, INGRESS_DER_INTEGER);
    ingress_der_content(&in, INGRESS_DER_OCTET_STRING);

    if (ingress_der_is(&in, INGRESS_DER_EXPLICIT(0))) {
        part = ingress_der_enter(&in, INGRESS_DER_EXPLICIT(0));
        curve = ingress_der_content(&part, INGRESS_DER_OID);

        if (part.failed || !torii_str_eq(curve, spki->params)) {
            return part.failed ? TORII_DECLINED : TORII_ERROR;
        }
    }

    part = ingress_der_enter(&in, INGRESS_DER_EXPLICIT(1));
    bits = ingress_der_content(&part, INGRESS_DER_BIT_STRING);

    if (in.failed || part.failed || bits.len < 2 || spki->params.len == 0) {
        return TORII_DECLINED;
    }

    bits.data++;
    bits.len--;

    return torii_str_eq(bits, spki->bits) ? TORII_OK : TORII_ERROR;
}


static int
ingress_key_openssl(torii_str_t key, const ingress_spki_t *spki)
{
    int                    rc;
    EVP_PKEY              *pkey, *public;
    const unsigned char   *p;

    p = key.data;
    pkey = d2i_AutoPrivateKey(NULL, &p, (long) key.len);

    p = spki->whole.data;
    public = d2i_PUBKEY(NULL, &p, (long) spki->whole.len);

    rc = TORII_DECLINED;

    if (pkey && public) {
        rc = (EVP_PKEY_eq(pkey, public) == 1) ? TORII_OK : TORII_ERROR;
    }

    EVP_PKEY_free(pkey);
    EVP_PKEY_free(public);

    return rc;
}


const char *
ingress_cert_check_client(const ingress_secret_t *secret)
{
    int                    rc;
    const char            *problem;
    torii_str_t            rest;
    ingress_pem_t          block;
    ingress_cert_t        *cert;
    const ingress_pair_t  *crt, *key, *ca;

    crt = ingress_pair_find(&secret->data, "tls.crt");
    key = ingress_pair_find(&secret->data, "tls.key");
    ca = ingress_pair_find(&secret->data, "ca.crt");

    if (crt == NULL && key == NULL && ca == NULL) {
        return "it has none of tls.crt, tls.key and ca.crt";
    }

    if (crt || key) {
        cert = ingress_cert_create(secret);
        problem = cert->problem;
        ingress_cert_free(cert);

        if (problem) {
            return problem;
        }
    }

    if (ca) {
        rest = ca->value;

        do {
            rc = ingress_pem_next(&rest, &block);
        } while (rc == TORII_OK
                 && !torii_str_eqs(block.label, "CERTIFICATE")
                 && !torii_str_eqs(block.label, "TRUSTED CERTIFICATE"));

        if (rc != TORII_OK) {
            return "its ca.crt holds no certificate in PEM form";
        }
    }

    return NULL;
}
