
/*
 * ExternalDNS's encryption of its TXT records.  A fresh nonce for each text:
 * the peer uses one again, by which GCM gives its key stream away.
 */

#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <zlib.h>

#include "dnssync_owner.h"


#define DNSSYNC_SEAL_NONCE  12
#define DNSSYNC_SEAL_TAG    16
#define DNSSYNC_SEAL_MAX    DNSSYNC_VALUE_MAX
#define DNSSYNC_SEAL_GZIP   (15 + 16)    /* zlib's word for a gzip header */


static int dnssync_seal_gzip(torii_str_t text, torii_buf_t *out);
static int dnssync_seal_gunzip(torii_arena_t *a, torii_str_t in,
    torii_str_t *text);
static int dnssync_seal_gcm(torii_str_t key, torii_buf_t *b,
    const unsigned char *plain, size_t len);
static int dnssync_seal_open(torii_arena_t *a, torii_str_t key,
    torii_str_t bytes, torii_str_t *plain);


int
dnssync_seal(torii_str_t key, torii_str_t text, torii_buf_t *out)
{
    int          rc;
    torii_buf_t  plain, bytes;

    memset(&plain, 0, sizeof(torii_buf_t));
    memset(&bytes, 0, sizeof(torii_buf_t));

    rc = TORII_ERROR;

    if (key.len != DNSSYNC_OWNER_KEY || text.len > DNSSYNC_SEAL_MAX
        || dnssync_seal_gzip(text, &plain) != TORII_OK
        || dnssync_seal_gcm(key, &bytes, plain.data, plain.len) != TORII_OK)
    {
        goto failed;
    }

    /* EVP_EncodeBlock() writes a NUL, too */

    out->len += EVP_EncodeBlock(torii_buf_room(out, bytes.len / 3 * 4 + 5),
                                bytes.data, (int) bytes.len);
    rc = TORII_OK;

failed:

    torii_buf_free(&plain);
    torii_buf_free(&bytes);

    return rc;
}


int
dnssync_unseal(torii_arena_t *a, torii_str_t key, torii_str_t sealed,
    torii_str_t *text)
{
    torii_str_t  bytes, plain;

    if (key.len != DNSSYNC_OWNER_KEY || sealed.len > 2 * DNSSYNC_SEAL_MAX
        || torii_base64_decode(a, sealed, &bytes) != TORII_OK
        || bytes.len <= DNSSYNC_SEAL_NONCE + DNSSYNC_SEAL_TAG
        || dnssync_seal_open(a, key, bytes, &plain) != TORII_OK)
    {
        return TORII_DECLINED;
    }

    return dnssync_seal_gunzip(a, plain, text);
}


static int
dnssync_seal_gzip(torii_str_t text, torii_buf_t *out)
{
    int       rc;
    size_t    size;
    z_stream  z;

    memset(&z, 0, sizeof(z_stream));

    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, DNSSYNC_SEAL_GZIP,
                     8, Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        return TORII_ERROR;
    }

    size = deflateBound(&z, text.len);

    z.next_in = text.data;
    z.avail_in = (uInt) text.len;
    z.next_out = torii_buf_room(out, size);
    z.avail_out = (uInt) size;

    rc = deflate(&z, Z_FINISH);
    out->len += z.total_out;

    (void) deflateEnd(&z);

    return rc == Z_STREAM_END ? TORII_OK : TORII_ERROR;
}


static int
dnssync_seal_gunzip(torii_arena_t *a, torii_str_t in, torii_str_t *text)
{
    int       rc;
    z_stream  z;

    memset(&z, 0, sizeof(z_stream));

    if (inflateInit2(&z, DNSSYNC_SEAL_GZIP) != Z_OK) {
        return TORII_DECLINED;
    }

    text->data = torii_arena_alloc(a, DNSSYNC_SEAL_MAX);

    z.next_in = in.data;
    z.avail_in = (uInt) in.len;
    z.next_out = text->data;
    z.avail_out = DNSSYNC_SEAL_MAX;

    rc = inflate(&z, Z_FINISH);
    text->len = z.total_out;

    (void) inflateEnd(&z);

    return rc == Z_STREAM_END ? TORII_OK : TORII_DECLINED;
}


static int
dnssync_seal_gcm(torii_str_t key, torii_buf_t *b, const unsigned char *plain,
    size_t len)
{
    int              n, rc;
    unsigned char   *nonce, *out;
    EVP_CIPHER_CTX  *ctx;

    nonce = torii_buf_room(b, DNSSYNC_SEAL_NONCE + len + DNSSYNC_SEAL_TAG);
    out = nonce + DNSSYNC_SEAL_NONCE;

    ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL) {
        return TORII_ERROR;
    }

    rc = RAND_bytes(nonce, DNSSYNC_SEAL_NONCE) == 1
         && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key.data, nonce)
         && EVP_EncryptUpdate(ctx, out, &n, plain, (int) len)
         && EVP_EncryptFinal_ex(ctx, out + n, &n)
         && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, DNSSYNC_SEAL_TAG,
                                out + len);

    EVP_CIPHER_CTX_free(ctx);

    if (!rc) {
        return TORII_ERROR;
    }

    b->len += DNSSYNC_SEAL_NONCE + len + DNSSYNC_SEAL_TAG;

    return TORII_OK;
}


static int
dnssync_seal_open(torii_arena_t *a, torii_str_t key, torii_str_t bytes,
    torii_str_t *plain)
{
    int              n, rc;
    unsigned char   *in;
    EVP_CIPHER_CTX  *ctx;

    in = bytes.data + DNSSYNC_SEAL_NONCE;

    plain->len = bytes.len - DNSSYNC_SEAL_NONCE - DNSSYNC_SEAL_TAG;
    plain->data = torii_arena_alloc(a, plain->len);

    ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL) {
        return TORII_DECLINED;
    }

    rc = EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key.data, bytes.data)
         && EVP_DecryptUpdate(ctx, plain->data, &n, in, (int) plain->len)
         && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, DNSSYNC_SEAL_TAG,
                                in + plain->len)
         && EVP_DecryptFinal_ex(ctx, plain->data + n, &n) > 0;

    EVP_CIPHER_CTX_free(ctx);

    return rc ? TORII_OK : TORII_DECLINED;
}
