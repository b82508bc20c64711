
/*
 * Signing and verifying by TSIG.
 */

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "dnssync_tsig.h"


typedef struct {
    size_t                offset;    /* of the record */
    dnssync_name_t        name;
    dnssync_name_t        algorithm;
    uint64_t              time;
    unsigned              fudge;
    torii_str_t           mac;
    unsigned              id;
    unsigned              error;
    torii_str_t           other;
} dnssync_tsig_record_t;


struct dnssync_stream_s {
    const dnssync_key_t  *key;
    EVP_MAC_CTX          *ctx;       /* of what the next MAC is to cover */
    unsigned              pending;   /* messages without a signature */
    unsigned              begun:1;
};


static void dnssync_tsig_variables(torii_buf_t *b, const dnssync_key_t *key,
    uint64_t time, unsigned fudge, unsigned error, torii_str_t other);
static EVP_MAC_CTX *dnssync_tsig_start(const dnssync_key_t *key,
    const dnssync_mac_t *prior);
static int dnssync_tsig_end(const dnssync_key_t *key, EVP_MAC_CTX *ctx,
    dnssync_mac_t *mac);
static dnssync_tsig_e dnssync_tsig_usable(const dnssync_key_t *key,
    torii_str_t message, dnssync_tsig_record_t *t, dnssync_tsig_t *tsig);
static dnssync_tsig_e dnssync_tsig_timely(const dnssync_tsig_record_t *t,
    uint64_t now, dnssync_tsig_t *tsig);
static dnssync_tsig_e dnssync_tsig_find(torii_str_t message,
    dnssync_tsig_record_t *t);
static int dnssync_tsig_read(const dnssync_reader_t *r,
    const dnssync_record_t *record, dnssync_tsig_record_t *t);
static int dnssync_tsig_right(const dnssync_key_t *key, EVP_MAC_CTX *ctx,
    torii_str_t answer, const dnssync_tsig_record_t *t, int timers,
    dnssync_mac_t *mac);


static const dnssync_algorithm_t  dnssync_algorithms[] = {
    { "hmac-md5.sig-alg.reg.int",
      { "hmacmd5", "hmac-md5", "hmac-md5.sig-alg.reg.int" }, "MD5", 16 },
    { "hmac-sha1", { "hmacsha1", "hmac-sha1", NULL }, "SHA1", 20 },
    { "hmac-sha224", { "hmacsha224", "hmac-sha224", NULL }, "SHA224", 28 },
    { "hmac-sha256", { "hmacsha256", "hmac-sha256", NULL }, "SHA256", 32 },
    { "hmac-sha384", { "hmacsha384", "hmac-sha384", NULL }, "SHA384", 48 },
    { "hmac-sha512", { "hmacsha512", "hmac-sha512", NULL }, "SHA512", 64 },
    { NULL, { NULL, NULL, NULL }, NULL, 0 }
};


static const dnssync_algorithm_t *
dnssync_algorithm(torii_str_t word)
{
    size_t                      i;
    const dnssync_algorithm_t  *a;

    if (word.len && word.data[word.len - 1] == '.') {
        word.len--;
    }

    for (a = dnssync_algorithms; a->name; a++) {
        for (i = 0; i < 3 && a->words[i]; i++) {
            if (torii_str_caseeqs(word, a->words[i])) {
                return a;
            }
        }
    }

    return NULL;
}


dnssync_key_t *
dnssync_key_create(torii_str_t name, torii_str_t algorithm,
    torii_str_t secret, const char **why)
{
    dnssync_key_t              *key;
    dnssync_name_t              owner;
    const dnssync_algorithm_t  *hmac;

    hmac = algorithm.len ? dnssync_algorithm(algorithm) : dnssync_algorithms;

    if (hmac == NULL) {
        *why = "the TSIG algorithm is none of HMACMD5, HMACSHA1, HMACSHA224, "
               "HMACSHA256, HMACSHA384 and HMACSHA512";
        return NULL;
    }

    if (dnssync_name_parse(&owner, name) != TORII_OK) {
        *why = "the name of the TSIG key is no DNS name";
        return NULL;
    }

    if (secret.len == 0) {
        *why = "the secret of the TSIG key is empty";
        return NULL;
    }

    key = torii_zalloc(sizeof(dnssync_key_t));

    key->name = owner;
    key->hmac = hmac;
    (void) dnssync_name_parse(&key->algorithm, torii_str(hmac->name));
    torii_buf_add_str(&key->secret, secret);

    return key;
}


void
dnssync_key_free(dnssync_key_t *key)
{
    if (key == NULL) {
        return;
    }

    OPENSSL_cleanse(key->secret.data, key->secret.size);
    torii_buf_free(&key->secret);
    free(key);
}


int
dnssync_tsig_sign(const dnssync_key_t *key, uint64_t now, torii_buf_t *b,
    dnssync_mac_t *mac)
{
    int           rc;
    unsigned      id;
    torii_str_t   data, other;
    torii_buf_t   rdata;
    EVP_MAC_CTX  *ctx;

    id = b->data[0] << 8 | b->data[1];

    other.data = NULL;
    other.len = 0;

    memset(&rdata, 0, sizeof(torii_buf_t));
    dnssync_tsig_variables(&rdata, key, now, DNSSYNC_FUDGE, 0, other);

    ctx = dnssync_tsig_start(key, NULL);

    rc = ctx != NULL
         && EVP_MAC_update(ctx, b->data, b->len)
         && EVP_MAC_update(ctx, rdata.data, rdata.len)
         && dnssync_tsig_end(key, ctx, mac) == TORII_OK;

    EVP_MAC_CTX_free(ctx);

    if (!rc) {
        torii_buf_free(&rdata);
        return TORII_ERROR;
    }

    rdata.len = 0;
    dnssync_write_name(&rdata, &key->algorithm);
    dnssync_write_u48(&rdata, now);
    dnssync_write_u16(&rdata, DNSSYNC_FUDGE);
    dnssync_write_u16(&rdata, (unsigned) mac->len);
    torii_buf_add(&rdata, mac->data, mac->len);
    dnssync_write_u16(&rdata, id);
    dnssync_write_u16(&rdata, 0);                /* error */
    dnssync_write_u16(&rdata, 0);                /* length of other data */

    data.data = rdata.data;
    data.len = rdata.len;

    dnssync_write_record(b, DNSSYNC_ADDITIONAL, &key->name, DNSSYNC_TSIG,
                         DNSSYNC_ANY, 0, data);
    torii_buf_free(&rdata);

    return b->len > DNSSYNC_MESSAGE_MAX ? TORII_ERROR : TORII_OK;
}


/* RFC 8945 section 4.3.3 */

static void
dnssync_tsig_variables(torii_buf_t *b, const dnssync_key_t *key,
    uint64_t time, unsigned fudge, unsigned error, torii_str_t other)
{
    dnssync_write_name(b, &key->name);
    dnssync_write_u16(b, DNSSYNC_ANY);
    dnssync_write_u32(b, 0);                     /* TTL */
    dnssync_write_name(b, &key->algorithm);
    dnssync_write_u48(b, time);
    dnssync_write_u16(b, fudge);
    dnssync_write_u16(b, error);
    dnssync_write_u16(b, (unsigned) other.len);
    torii_buf_add_str(b, other);
}


/* Begins with the MAC before this one, if there is (section 5.3). */

static EVP_MAC_CTX *
dnssync_tsig_start(const dnssync_key_t *key, const dnssync_mac_t *prior)
{
    EVP_MAC        *hmac;
    OSSL_PARAM      params[2];
    EVP_MAC_CTX    *ctx;
    unsigned char   len[2];

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                 (char *) key->hmac->digest,
                                                 0);
    params[1] = OSSL_PARAM_construct_end();

    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    EVP_MAC_free(hmac);

    if (ctx == NULL) {
        return NULL;
    }

    if (EVP_MAC_init(ctx, key->secret.data, key->secret.len, params)) {

        if (prior == NULL) {
            return ctx;
        }

        len[0] = (unsigned char) (prior->len >> 8);
        len[1] = (unsigned char) prior->len;

        if (EVP_MAC_update(ctx, len, 2)
            && EVP_MAC_update(ctx, prior->data, prior->len))
        {
            return ctx;
        }
    }

    EVP_MAC_CTX_free(ctx);

    return NULL;
}


static int
dnssync_tsig_end(const dnssync_key_t *key, EVP_MAC_CTX *ctx,
    dnssync_mac_t *mac)
{
    return EVP_MAC_final(ctx, mac->data, &mac->len, DNSSYNC_MAC_MAX)
           && mac->len == key->hmac->len ? TORII_OK : TORII_ERROR;
}


dnssync_tsig_e
dnssync_tsig_verify(const dnssync_key_t *key, uint64_t now,
    torii_str_t answer, const dnssync_mac_t *request, dnssync_tsig_t *tsig)
{
    dnssync_mac_t          mac;
    EVP_MAC_CTX           *ctx;
    dnssync_tsig_e         found;
    dnssync_tsig_record_t  t;

    found = dnssync_tsig_usable(key, answer, &t, tsig);
    if (found != DNSSYNC_TSIG_GOOD) {
        return found;
    }

    ctx = dnssync_tsig_start(key, request);

    found = dnssync_tsig_right(key, ctx, answer, &t, 0, &mac)
            ? dnssync_tsig_timely(&t, now, tsig) : DNSSYNC_TSIG_WRONG;

    EVP_MAC_CTX_free(ctx);

    return found;
}


/* GOOD: there is a MAC of this key to be looked at. */

static dnssync_tsig_e
dnssync_tsig_usable(const dnssync_key_t *key, torii_str_t message,
    dnssync_tsig_record_t *t, dnssync_tsig_t *tsig)
{
    dnssync_tsig_e  found;

    memset(tsig, 0, sizeof(dnssync_tsig_t));

    found = dnssync_tsig_find(message, t);
    if (found != DNSSYNC_TSIG_GOOD) {
        return found;
    }

    tsig->error = t->error;

    /* section 5.3.2: errors of the key and of the MAC come without one */

    if (t->mac.len == 0) {
        return t->error ? DNSSYNC_TSIG_UNSIGNED : DNSSYNC_TSIG_MALFORMED;
    }

    if (!dnssync_name_eq(&t->name, &key->name)
        || !dnssync_name_eq(&t->algorithm, &key->algorithm))
    {
        return DNSSYNC_TSIG_OTHER;
    }

    return DNSSYNC_TSIG_GOOD;
}


static dnssync_tsig_e
dnssync_tsig_timely(const dnssync_tsig_record_t *t, uint64_t now,
    dnssync_tsig_t *tsig)
{
    uint64_t          theirs;
    dnssync_reader_t  other;

    /* section 5.2.3: the time signed is ours then, theirs is beside it */

    if (t->error == DNSSYNC_BADTIME && t->other.len == 6) {
        other = dnssync_reader(t->other);
        theirs = dnssync_read_u48(&other);
        tsig->skew = (int64_t) theirs - (int64_t) now;

        return DNSSYNC_TSIG_GOOD;
    }

    if ((now > t->time ? now - t->time : t->time - now) > t->fudge) {
        tsig->skew = (int64_t) t->time - (int64_t) now;
        return DNSSYNC_TSIG_LATE;
    }

    return DNSSYNC_TSIG_GOOD;
}


/* The record is the last one, and there is no other. */

static dnssync_tsig_e
dnssync_tsig_find(torii_str_t message, dnssync_tsig_record_t *t)
{
    int               rc;
    unsigned          found;
    dnssync_walk_t    w;
    dnssync_record_t  record;

    memset(&w, 0, sizeof(dnssync_walk_t));
    found = 0;

    while ((rc = dnssync_walk(&w, message, &record)) == TORII_OK) {

        if (found) {
            return DNSSYNC_TSIG_MALFORMED;
        }

        if (record.type != DNSSYNC_TSIG) {
            continue;
        }

        if (w.section != DNSSYNC_ADDITIONAL
            || dnssync_tsig_read(&w.reader, &record, t) != TORII_OK)
        {
            return DNSSYNC_TSIG_MALFORMED;
        }

        found = 1;
    }

    if (rc != TORII_DECLINED) {
        return DNSSYNC_TSIG_MALFORMED;
    }

    return found ? DNSSYNC_TSIG_GOOD : DNSSYNC_TSIG_NONE;
}


static int
dnssync_tsig_read(const dnssync_reader_t *r, const dnssync_record_t *record,
    dnssync_tsig_record_t *t)
{
    dnssync_reader_t  in;

    in = dnssync_read_inside(r, record);

    t->offset = record->offset;
    t->name = record->name;

    dnssync_read_name(&in, &t->algorithm);
    t->time = dnssync_read_u48(&in);
    t->fudge = dnssync_read_u16(&in);
    t->mac = dnssync_read_bytes(&in, dnssync_read_u16(&in));
    t->id = dnssync_read_u16(&in);
    t->error = dnssync_read_u16(&in);
    t->other = dnssync_read_bytes(&in, dnssync_read_u16(&in));

    return in.failed || in.p != in.last || record->class != DNSSYNC_ANY
           || record->ttl != 0
           ? TORII_ERROR : TORII_OK;
}


/*
 * Only a MAC of full length will do (section 5.2.2.1 allows to ask for it).
 * The message is as it was before it was signed: with the id it had then, and
 * without the record.  timers: of the variables only the time and the fudge.
 */

static int
dnssync_tsig_right(const dnssync_key_t *key, EVP_MAC_CTX *ctx,
    torii_str_t answer, const dnssync_tsig_record_t *t, int timers,
    dnssync_mac_t *mac)
{
    int             rc;
    unsigned        count;
    torii_buf_t     b;
    unsigned char  *p;

    if (ctx == NULL) {
        return 0;
    }

    memset(&b, 0, sizeof(torii_buf_t));

    dnssync_write_u16(&b, t->id);
    torii_buf_add(&b, answer.data + 2, DNSSYNC_HEADER - 2);

    p = b.data + 4 + 2 * DNSSYNC_ADDITIONAL;
    count = (p[0] << 8 | p[1]) - 1;
    p[0] = (unsigned char) (count >> 8);
    p[1] = (unsigned char) count;

    rc = EVP_MAC_update(ctx, b.data, b.len)
         && EVP_MAC_update(ctx, answer.data + DNSSYNC_HEADER,
                           t->offset - DNSSYNC_HEADER);

    b.len = 0;

    if (timers) {
        dnssync_write_u48(&b, t->time);
        dnssync_write_u16(&b, t->fudge);

    } else {
        dnssync_tsig_variables(&b, key, t->time, t->fudge, t->error, t->other);
    }

    rc = rc && EVP_MAC_update(ctx, b.data, b.len)
         && dnssync_tsig_end(key, ctx, mac) == TORII_OK
         && t->mac.len == mac->len
         && CRYPTO_memcmp(t->mac.data, mac->data, mac->len) == 0;

    torii_buf_free(&b);

    return rc;
}


dnssync_stream_t *
dnssync_stream_create(const dnssync_key_t *key, const dnssync_mac_t *request)
{
    EVP_MAC_CTX       *ctx;
    dnssync_stream_t  *s;

    ctx = dnssync_tsig_start(key, request);
    if (ctx == NULL) {
        return NULL;
    }

    s = torii_zalloc(sizeof(dnssync_stream_t));

    s->key = key;
    s->ctx = ctx;

    return s;
}


void
dnssync_stream_free(dnssync_stream_t *s)
{
    if (s == NULL) {
        return;
    }

    EVP_MAC_CTX_free(s->ctx);
    free(s);
}


int
dnssync_stream_settled(const dnssync_stream_t *s)
{
    return s->begun && s->pending == 0;
}


dnssync_tsig_e
dnssync_stream_verify(dnssync_stream_t *s, uint64_t now, torii_str_t message,
    dnssync_tsig_t *tsig)
{
    int                    right;
    dnssync_mac_t          mac;
    dnssync_tsig_e         found;
    dnssync_tsig_record_t  t;

    found = dnssync_tsig_usable(s->key, message, &t, tsig);

    if (found == DNSSYNC_TSIG_NONE && s->begun && s->ctx != NULL
        && s->pending < DNSSYNC_UNSIGNED_MAX
        && EVP_MAC_update(s->ctx, message.data, message.len))
    {
        s->pending++;
        return DNSSYNC_TSIG_GOOD;
    }

    if (found != DNSSYNC_TSIG_GOOD) {
        s->pending = DNSSYNC_UNSIGNED_MAX;
        return found;
    }

    right = dnssync_tsig_right(s->key, s->ctx, message, &t, s->begun, &mac);

    EVP_MAC_CTX_free(s->ctx);
    s->ctx = right ? dnssync_tsig_start(s->key, &mac) : NULL;

    found = right ? dnssync_tsig_timely(&t, now, tsig) : DNSSYNC_TSIG_WRONG;

    s->begun = 1;
    s->pending = (found == DNSSYNC_TSIG_GOOD) ? 0 : DNSSYNC_UNSIGNED_MAX;

    return found;
}
