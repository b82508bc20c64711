
/*
 * Sealing and opening.
 */

#include <stdlib.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "oauth2_seal.h"


#define OAUTH2_SEAL_VERSION   1
#define OAUTH2_SEAL_ID        4
#define OAUTH2_SEAL_NONCE     12
#define OAUTH2_SEAL_TAG       16
#define OAUTH2_SEAL_HEAD      (2 + OAUTH2_SEAL_ID)
#define OAUTH2_SEAL_EXTRA                                                     \
    (OAUTH2_SEAL_HEAD + OAUTH2_SEAL_NONCE + OAUTH2_SEAL_TAG)
#define OAUTH2_SEAL_AAD       (OAUTH2_SEAL_HEAD + 1 + 3 * 256)
#define OAUTH2_SEAL_DISTINCT  8          /* byte values of a secret */


typedef struct {
    unsigned char      id[OAUTH2_SEAL_ID];
    EVP_CIPHER_CTX    *open;             /* keyed once, a nonce each time */
} oauth2_key_t;

struct oauth2_ring_s {
    uint32_t           n;
    EVP_CIPHER_CTX    *seal;
    oauth2_key_t       keys[OAUTH2_KEYS_MAX];
};


/* Secrets that are printed in manuals and examples. */

static const char  *const oauth2_seal_samples[] = {
    "OQINaROshtE9TcZkNAm-5Zs2Pv3xaWytBmc5W7sPX7w=",
    "OQINaROshtE9TcZkNAm5Zs2Pv3xaWytBmc5W7sPX7w=",
    NULL
};

/* The value of each digit, 0x80: none (RFC 4648 section 5). */

#define X  0x80

static const unsigned char  oauth2_seal_digit[256] = {
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, 62, X, X,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X, X, X, X, X, X,
    X, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X, X, X, X, 63,
    X, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X
};

#undef X


int
oauth2_derive(torii_str_t secret, const char *info, unsigned char *out,
    size_t len)
{
    int            ok;
    EVP_KDF       *kdf;
    OSSL_PARAM     params[4];
    EVP_KDF_CTX   *ctx;

    kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                                 "SHA256", 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
                                                  secret.data, secret.len);
    params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
                                                  (void *) info, strlen(info));
    params[3] = OSSL_PARAM_construct_end();

    ok = ctx && EVP_KDF_derive(ctx, out, len, params) == 1;

    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);

    return ok ? TORII_OK : TORII_ERROR;
}


static const char *
oauth2_seal_secret(torii_str_t secret)
{
    size_t               i;
    unsigned             distinct;
    unsigned char        seen[256];
    const char  *const  *sample;

    if (secret.len < OAUTH2_SECRET_MIN) {
        return "is shorter than 32 bytes";
    }

    for (sample = oauth2_seal_samples; *sample; sample++) {
        if (torii_str_eqs(secret, *sample)) {
            return "is one that is printed in manuals";
        }
    }

    memset(seen, 0, sizeof(seen));
    distinct = 0;

    for (i = 0; i < secret.len; i++) {
        distinct += !seen[secret.data[i]];
        seen[secret.data[i]] = 1;
    }

    return distinct < OAUTH2_SEAL_DISTINCT ? "is not random" : NULL;
}


static EVP_CIPHER_CTX *
oauth2_seal_ctx(const unsigned char *key, int seal)
{
    EVP_CIPHER      *cipher;
    EVP_CIPHER_CTX  *ctx;

    cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    ctx = EVP_CIPHER_CTX_new();

    if (cipher == NULL || ctx == NULL
        || EVP_CipherInit_ex2(ctx, cipher, key, NULL, seal, NULL) != 1)
    {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }

    EVP_CIPHER_free(cipher);

    return ctx;
}


static const char *
oauth2_ring_add(oauth2_ring_t *ring, torii_str_t secret)
{
    uint32_t        i;
    const char     *error;
    oauth2_key_t   *k;
    unsigned char   key[32];

    error = oauth2_seal_secret(secret);
    if (error) {
        return error;
    }

    k = &ring->keys[ring->n];

    if (oauth2_derive(secret, "torii oauth2 key id", k->id,
                      OAUTH2_SEAL_ID) != TORII_OK
        || oauth2_derive(secret, "torii oauth2 aes-256-gcm", key,
                         sizeof(key)) != TORII_OK)
    {
        ERR_clear_error();
        return "cannot be used by OpenSSL";
    }

    for (i = 0; i < ring->n; i++) {
        if (memcmp(ring->keys[i].id, k->id, OAUTH2_SEAL_ID) == 0) {
            OPENSSL_cleanse(key, sizeof(key));
            return "is there twice";
        }
    }

    k->open = oauth2_seal_ctx(key, 0);

    if (ring->n == 0) {
        ring->seal = oauth2_seal_ctx(key, 1);
    }

    OPENSSL_cleanse(key, sizeof(key));

    ring->n++;

    if (k->open == NULL || ring->seal == NULL) {
        ERR_clear_error();
        return "cannot be used by OpenSSL";
    }

    return NULL;
}


oauth2_ring_t *
oauth2_ring_create(const torii_str_t *secrets, uint32_t n, const char **error)
{
    uint32_t        i;
    oauth2_ring_t  *ring;

    if (n == 0 || n > OAUTH2_KEYS_MAX) {
        *error = n ? "more than four secrets" : "no secret";
        return NULL;
    }

    *error = NULL;
    ring = torii_zalloc(sizeof(oauth2_ring_t));

    for (i = 0; i < n && *error == NULL; i++) {
        *error = oauth2_ring_add(ring, secrets[i]);
    }

    if (*error) {
        oauth2_ring_free(ring);
        return NULL;
    }

    return ring;
}


void
oauth2_ring_free(oauth2_ring_t *ring)
{
    uint32_t  i;

    if (ring == NULL) {
        return;
    }

    for (i = 0; i < ring->n; i++) {
        EVP_CIPHER_CTX_free(ring->keys[i].open);
    }

    EVP_CIPHER_CTX_free(ring->seal);
    free(ring);
}


static unsigned char *
oauth2_seal_aad_add(unsigned char *p, torii_str_t s)
{
    *p++ = (unsigned char) s.len;

    if (s.len) {
        memcpy(p, s.data, s.len);
    }

    return p + s.len;
}


/* Each part has its length before it, so that no two bindings look alike. */

static int
oauth2_seal_aad(const oauth2_bind_t *bind, const unsigned char *head,
    unsigned char *aad)
{
    unsigned char  *p;

    if (bind->name.len > 255 || bind->host.len > 255
        || bind->provider.len > 255)
    {
        return 0;
    }

    memcpy(aad, head, OAUTH2_SEAL_HEAD);

    p = aad + OAUTH2_SEAL_HEAD;
    *p++ = (unsigned char) bind->use;

    p = oauth2_seal_aad_add(p, bind->name);
    p = oauth2_seal_aad_add(p, bind->host);
    p = oauth2_seal_aad_add(p, bind->provider);

    return (int) (p - aad);
}


static int
oauth2_seal_encrypt(EVP_CIPHER_CTX *ctx, const unsigned char *aad, int alen,
    unsigned char *nonce, torii_str_t plain)
{
    int             n;
    unsigned char  *text;

    text = nonce + OAUTH2_SEAL_NONCE;

    return RAND_bytes(nonce, OAUTH2_SEAL_NONCE) == 1
           && EVP_EncryptInit_ex2(ctx, NULL, NULL, nonce, NULL) == 1
           && EVP_EncryptUpdate(ctx, NULL, &n, aad, alen) == 1
           && EVP_EncryptUpdate(ctx, text, &n, plain.data, (int) plain.len)
              == 1
           && EVP_EncryptFinal_ex(ctx, text + plain.len, &n) == 1
           && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, OAUTH2_SEAL_TAG,
                                  text + plain.len) == 1;
}


int
oauth2_seal(oauth2_ring_t *ring, const oauth2_bind_t *bind, torii_str_t plain,
    torii_buf_t *out)
{
    int            rc, alen;
    size_t         len;
    unsigned char  aad[OAUTH2_SEAL_AAD], sealed[OAUTH2_OPEN_MAX];

    len = plain.len + OAUTH2_SEAL_EXTRA;

    if (plain.len == 0 || plain.len > OAUTH2_OPEN_MAX - OAUTH2_SEAL_EXTRA) {
        return TORII_ERROR;
    }

    sealed[0] = OAUTH2_SEAL_VERSION;
    sealed[1] = (unsigned char) (((len * 4 + 2) / 3 + OAUTH2_PIECE - 1)
                                 / OAUTH2_PIECE);
    memcpy(sealed + 2, ring->keys[0].id, OAUTH2_SEAL_ID);

    alen = oauth2_seal_aad(bind, sealed, aad);

    rc = TORII_ERROR;

    if (alen && oauth2_seal_encrypt(ring->seal, aad, alen,
                                    sealed + OAUTH2_SEAL_HEAD, plain))
    {
        torii_base64url_add(out, sealed, len);
        rc = TORII_OK;

    } else {
        ERR_clear_error();
    }

    return rc;
}


/* Strict, one text for the same bytes; 0: it is none. */

static size_t
oauth2_seal_decode(torii_str_t in, unsigned char *out)
{
    unsigned              bad, a, b, c, d;
    unsigned char        *start;
    const unsigned char  *p, *last;

    if (in.len % 4 == 1) {
        return 0;
    }

    start = out;
    bad = 0;

    p = in.data;
    last = p + in.len / 4 * 4;

    while (p < last) {
        a = oauth2_seal_digit[p[0]];
        b = oauth2_seal_digit[p[1]];
        c = oauth2_seal_digit[p[2]];
        d = oauth2_seal_digit[p[3]];
        p += 4;

        bad |= a | b | c | d;

        out[0] = (unsigned char) (a << 2 | b >> 4);
        out[1] = (unsigned char) (b << 4 | c >> 2);
        out[2] = (unsigned char) (c << 6 | d);
        out += 3;
    }

    if (in.len % 4) {
        a = oauth2_seal_digit[p[0]];
        b = oauth2_seal_digit[p[1]];
        c = (in.len % 4 == 3) ? oauth2_seal_digit[p[2]] : 0;

        bad |= a | b | c;
        *out++ = (unsigned char) (a << 2 | b >> 4);

        if (in.len % 4 == 3) {
            *out++ = (unsigned char) (b << 4 | c >> 2);
            bad |= (c & 3) ? 0x80 : 0;

        } else {
            bad |= (b & 15) ? 0x80 : 0;
        }
    }

    return (bad & 0x80) ? 0 : (size_t) (out - start);
}


uint32_t
oauth2_seal_pieces(torii_str_t text)
{
    torii_str_t    head;
    unsigned char  bytes[3];

    if (text.len < 4) {
        return 0;
    }

    head.data = text.data;
    head.len = 4;

    if (oauth2_seal_decode(head, bytes) != 3 || bytes[0] != OAUTH2_SEAL_VERSION
        || bytes[1] > OAUTH2_PIECES_MAX)
    {
        return 0;
    }

    return bytes[1];
}


static oauth2_key_t *
oauth2_seal_key(oauth2_ring_t *ring, const unsigned char *id, int *old)
{
    uint32_t  i;

    for (i = 0; i < ring->n; i++) {
        if (memcmp(ring->keys[i].id, id, OAUTH2_SEAL_ID) == 0) {
            *old = i != 0;
            return &ring->keys[i];
        }
    }

    return NULL;
}


oauth2_fail_e
oauth2_open(oauth2_ring_t *ring, const oauth2_bind_t *bind, torii_str_t text,
    unsigned char *room, torii_str_t *plain, int *old)
{
    int              n, alen;
    size_t           len;
    oauth2_key_t    *key;
    unsigned char   *p, aad[OAUTH2_SEAL_AAD];
    EVP_CIPHER_CTX  *ctx;

    if (text.len > OAUTH2_SEALED_MAX) {
        return OAUTH2_SESSION_FORM;
    }

    len = oauth2_seal_decode(text, room);

    if (len <= OAUTH2_SEAL_EXTRA || room[0] != OAUTH2_SEAL_VERSION) {
        return OAUTH2_SESSION_FORM;
    }

    key = oauth2_seal_key(ring, room + 2, old);
    if (key == NULL) {
        return OAUTH2_SESSION_KEY;
    }

    alen = oauth2_seal_aad(bind, room, aad);
    if (alen == 0) {
        return OAUTH2_SESSION_FORM;
    }

    ctx = key->open;
    p = room + OAUTH2_SEAL_HEAD + OAUTH2_SEAL_NONCE;

    plain->data = p;
    plain->len = len - OAUTH2_SEAL_EXTRA;

    if (EVP_DecryptInit_ex2(ctx, NULL, NULL, room + OAUTH2_SEAL_HEAD, NULL)
            != 1
        || EVP_DecryptUpdate(ctx, NULL, &n, aad, alen) != 1
        || EVP_DecryptUpdate(ctx, p, &n, p, (int) plain->len) != 1
        || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, OAUTH2_SEAL_TAG,
                               p + plain->len) != 1
        || EVP_DecryptFinal_ex(ctx, p + plain->len, &n) != 1)
    {
        /* what was not authenticated is for nobody's eyes */

        OPENSSL_cleanse(room, len);
        ERR_clear_error();
        *plain = torii_str("");

        return OAUTH2_SESSION_TAG;
    }

    return OAUTH2_OK;
}
