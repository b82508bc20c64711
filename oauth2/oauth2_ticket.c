
/*
 * version (1) | nonce (12) | text | tag (16) is what is stored: AES-256-GCM by
 * the ticket's key.  The id is authenticated with it, and whom it is for.
 */

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "oauth2_ticket.h"


#define OAUTH2_TICKET_VERSION  1
#define OAUTH2_TICKET_NONCE    12
#define OAUTH2_TICKET_TAG      16
#define OAUTH2_TICKET_HEAD     (1 + OAUTH2_TICKET_NONCE)
#define OAUTH2_TICKET_EXTRA    (OAUTH2_TICKET_HEAD + OAUTH2_TICKET_TAG)
#define OAUTH2_TICKET_PLAIN    (1 + 2 * OAUTH2_TICKET_BYTES                   \
                                + OAUTH2_TICKET_MARKS * OAUTH2_TICKET_MARK)
#define OAUTH2_TICKET_AAD      (2 + OAUTH2_TICKET_BYTES + 3 * 256)


int
oauth2_ticket_make(oauth2_ticket_t *t)
{
    memset(t, 0, sizeof(oauth2_ticket_t));

    if (RAND_bytes(t->id, OAUTH2_TICKET_BYTES) != 1
        || RAND_bytes(t->key, OAUTH2_TICKET_BYTES) != 1)
    {
        ERR_clear_error();
        return TORII_ERROR;
    }

    return TORII_OK;
}


int
oauth2_ticket_seal(oauth2_ring_t *ring, const oauth2_bind_t *bind,
    const oauth2_ticket_t *t, torii_buf_t *out)
{
    int             rc;
    torii_str_t     plain;
    unsigned char  *p, bytes[OAUTH2_TICKET_PLAIN];

    p = bytes;
    *p++ = OAUTH2_TICKET_VERSION;

    memcpy(p, t->id, OAUTH2_TICKET_BYTES);
    p += OAUTH2_TICKET_BYTES;

    memcpy(p, t->key, OAUTH2_TICKET_BYTES);
    p += OAUTH2_TICKET_BYTES;

    memcpy(p, t->marks, sizeof(t->marks));

    plain.data = bytes;
    plain.len = sizeof(bytes);

    rc = oauth2_seal(ring, bind, plain, out);

    OPENSSL_cleanse(bytes, sizeof(bytes));

    return rc;
}


static oauth2_fail_e
oauth2_ticket_try(oauth2_ring_t *ring, const oauth2_bind_t *bind,
    torii_str_t text, oauth2_ticket_t *t, int *old)
{
    torii_str_t     plain;
    oauth2_fail_e   rc;
    unsigned char  *p, room[2 * OAUTH2_TICKET_PLAIN];

    /* what is longer would not fit, and is none */

    if (text.len > sizeof(room)) {
        return OAUTH2_SESSION_FORM;
    }

    rc = oauth2_open(ring, bind, text, room, &plain, old);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    p = plain.data;

    if (plain.len != OAUTH2_TICKET_PLAIN || *p++ != OAUTH2_TICKET_VERSION) {
        OPENSSL_cleanse(room, sizeof(room));
        return OAUTH2_SESSION_FORM;
    }

    memcpy(t->id, p, OAUTH2_TICKET_BYTES);
    p += OAUTH2_TICKET_BYTES;

    memcpy(t->key, p, OAUTH2_TICKET_BYTES);
    p += OAUTH2_TICKET_BYTES;

    memcpy(t->marks, p, sizeof(t->marks));

    OPENSSL_cleanse(room, sizeof(room));

    return OAUTH2_OK;
}


oauth2_fail_e
oauth2_ticket_open(oauth2_ring_t *ring, const oauth2_bind_t *bind,
    torii_str_t line, oauth2_ticket_t *t, torii_str_t *text, int *old)
{
    int              is_old;
    uint32_t         i, n, opened;
    oauth2_fail_e    rc, last;
    oauth2_found_t   found;
    oauth2_ticket_t  one;

    oauth2_cookie_find(line, bind->name, &found);

    n = found.n[0];

    if (n == 0) {
        return OAUTH2_SESSION_NONE;
    }

    if (n > OAUTH2_COOKIE_SAME) {
        return OAUTH2_SESSION_TWICE;
    }

    opened = 0;
    last = OAUTH2_SESSION_FORM;

    for (i = 0; i < n; i++) {
        rc = oauth2_ticket_try(ring, bind, found.values[0][i], &one, &is_old);

        if (rc != OAUTH2_OK) {
            last = rc;
            continue;
        }

        opened++;
        *t = one;
        *text = found.values[0][i];
        *old = is_old;
    }

    OPENSSL_cleanse(&one, sizeof(oauth2_ticket_t));

    if (opened == 1) {
        return OAUTH2_OK;
    }

    OPENSSL_cleanse(t, sizeof(oauth2_ticket_t));

    return opened ? OAUTH2_SESSION_TWICE : last;
}


void
oauth2_ticket_name(const oauth2_ticket_t *t, const char *prefix,
    torii_buf_t *out)
{
    unsigned       i, len;
    unsigned char  md[EVP_MAX_MD_SIZE];

    len = 0;
    (void) EVP_Digest(t->id, OAUTH2_TICKET_BYTES, md, &len, EVP_sha256(),
                      NULL);

    torii_buf_adds(out, prefix);

    for (i = 0; i < len; i++) {
        torii_buf_printf(out, "%02x", md[i]);
    }
}


static unsigned char *
oauth2_ticket_part(unsigned char *p, torii_str_t s)
{
    *p++ = (unsigned char) s.len;

    if (s.len) {
        memcpy(p, s.data, s.len);
    }

    return p + s.len;
}


/* Each string has its length before it. */

static int
oauth2_ticket_aad(const oauth2_ticket_t *t, const oauth2_bind_t *bind,
    unsigned char *aad)
{
    unsigned char  *p;

    if (bind->name.len > 255 || bind->host.len > 255
        || bind->provider.len > 255)
    {
        return 0;
    }

    p = aad;
    *p++ = OAUTH2_TICKET_VERSION;
    *p++ = (unsigned char) bind->use;

    memcpy(p, t->id, OAUTH2_TICKET_BYTES);
    p += OAUTH2_TICKET_BYTES;

    p = oauth2_ticket_part(p, bind->name);
    p = oauth2_ticket_part(p, bind->host);
    p = oauth2_ticket_part(p, bind->provider);

    return (int) (p - aad);
}


static int
oauth2_ticket_encrypt(const oauth2_ticket_t *t, const oauth2_bind_t *bind,
    unsigned char *nonce, torii_str_t plain)
{
    int              n, ok, alen;
    unsigned char   *text, aad[OAUTH2_TICKET_AAD];
    EVP_CIPHER_CTX  *ctx;

    alen = oauth2_ticket_aad(t, bind, aad);
    ctx = alen ? EVP_CIPHER_CTX_new() : NULL;
    text = nonce + OAUTH2_TICKET_NONCE;

    ok = ctx && RAND_bytes(nonce, OAUTH2_TICKET_NONCE) == 1
         && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, t->key, nonce)
            == 1
         && EVP_EncryptUpdate(ctx, NULL, &n, aad, alen) == 1
         && EVP_EncryptUpdate(ctx, text, &n, plain.data, (int) plain.len) == 1
         && EVP_EncryptFinal_ex(ctx, text + plain.len, &n) == 1
         && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, OAUTH2_TICKET_TAG,
                                text + plain.len) == 1;

    EVP_CIPHER_CTX_free(ctx);

    if (!ok) {
        ERR_clear_error();
    }

    return ok;
}


oauth2_fail_e
oauth2_ticket_store(const oauth2_ticket_t *t, const oauth2_bind_t *bind,
    const oauth2_session_t *s, torii_buf_t *out)
{
    torii_buf_t     b;
    torii_str_t     plain;
    oauth2_fail_e   rc;
    unsigned char  *p;

    memset(&b, 0, sizeof(torii_buf_t));

    /* room for all, so that growing leaves no copy behind */

    (void) torii_buf_room(&b, OAUTH2_TICKET_MAX);

    rc = OAUTH2_SESSION_SIZE;

    if (oauth2_session_write(s, &b) == TORII_OK
        && b.len + OAUTH2_TICKET_EXTRA <= OAUTH2_TICKET_MAX)
    {
        plain.data = b.data;
        plain.len = b.len;

        p = torii_buf_room(out, plain.len + OAUTH2_TICKET_EXTRA);
        *p = OAUTH2_TICKET_VERSION;

        if (oauth2_ticket_encrypt(t, bind, p + 1, plain)) {
            out->len += plain.len + OAUTH2_TICKET_EXTRA;
            rc = OAUTH2_OK;
        }
    }

    OPENSSL_cleanse(b.data, b.len);
    torii_buf_free(&b);

    return rc;
}


static int
oauth2_ticket_decrypt(const oauth2_ticket_t *t, const oauth2_bind_t *bind,
    unsigned char *nonce, unsigned char *out, size_t len)
{
    int              n, ok, alen;
    unsigned char   *text, aad[OAUTH2_TICKET_AAD];
    EVP_CIPHER_CTX  *ctx;

    alen = oauth2_ticket_aad(t, bind, aad);
    ctx = alen ? EVP_CIPHER_CTX_new() : NULL;
    text = nonce + OAUTH2_TICKET_NONCE;

    ok = ctx
         && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, t->key, nonce)
            == 1
         && EVP_DecryptUpdate(ctx, NULL, &n, aad, alen) == 1
         && EVP_DecryptUpdate(ctx, out, &n, text, (int) len) == 1
         && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, OAUTH2_TICKET_TAG,
                                text + len) == 1
         && EVP_DecryptFinal_ex(ctx, out + len, &n) == 1;

    EVP_CIPHER_CTX_free(ctx);

    if (!ok) {

        /* what was not authenticated is for nobody's eyes */

        OPENSSL_cleanse(out, len);
        ERR_clear_error();
    }

    return ok;
}


oauth2_fail_e
oauth2_ticket_read(const oauth2_ticket_t *t, const oauth2_bind_t *bind,
    torii_str_t value, torii_buf_t *plain, oauth2_session_t *s)
{
    size_t          len;
    torii_str_t     text;
    unsigned char  *out;

    if (value.len <= OAUTH2_TICKET_EXTRA || value.len > OAUTH2_TICKET_MAX
        || value.data[0] != OAUTH2_TICKET_VERSION)
    {
        return OAUTH2_SESSION_FORM;
    }

    len = value.len - OAUTH2_TICKET_EXTRA;

    plain->len = 0;
    out = torii_buf_room(plain, len + OAUTH2_TICKET_TAG);

    if (!oauth2_ticket_decrypt(t, bind, value.data + 1, out, len)) {
        return OAUTH2_SESSION_TAG;
    }

    plain->len = len;

    text.data = plain->data;
    text.len = len;

    return (oauth2_session_read(text, s) == TORII_OK) ? OAUTH2_OK
                                                      : OAUTH2_SESSION_FORM;
}
