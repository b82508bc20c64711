
/*
 * Laying out a table: sections that grow side by side, then one pass that puts
 * them behind each other.
 */

#include <stdlib.h>

#include "ingress_compile.h"


#define INGRESS_WRITER_ALIGN    8
#define INGRESS_WRITER_BUCKETS  4      /* at least */

/* What refs can name, less what small strings may still add. */
#define INGRESS_WRITER_POOL     0xf0000000U

#define ingress_writer_align(n)                                               \
    (((n) + INGRESS_WRITER_ALIGN - 1) & ~(uint64_t) (INGRESS_WRITER_ALIGN - 1))


static const uint32_t  ingress_writer_sizes[INGRESS_SECTION_MAX] = {
    sizeof(uint32_t),
    sizeof(ingress_table_name_t),
    sizeof(ingress_table_alias_t),
    sizeof(ingress_table_host_t),
    sizeof(ingress_table_path_t),
    sizeof(ingress_table_route_t),
    sizeof(ingress_policy_t),
    sizeof(ingress_table_ingress_t),
    sizeof(ingress_table_backend_t),
    sizeof(ingress_table_endpoint_t),
    sizeof(ingress_table_cert_t),
    sizeof(ingress_table_tls_t),
    sizeof(ingress_table_challenge_t),
    sizeof(ingress_table_challenge_t),
    sizeof(ingress_table_provider_t),
    sizeof(ingress_table_login_t),
    sizeof(ingress_table_users_t),
    1
};


static void ingress_writer_buckets(ingress_writer_t *w, uint32_t size);
static void ingress_writer_bucket(ingress_writer_t *w, uint32_t hash,
    uint32_t value);
static void ingress_writer_place(ingress_writer_t *w);
static void ingress_writer_ref(ingress_ref_t *ref, uint32_t base);
static unsigned char *ingress_writer_copy(unsigned char *p, const void *data,
    size_t len);


void
ingress_writer_start(ingress_writer_t *w)
{
    uint32_t  i;

    /* an empty section has an address, too, that sums may start from */

    for (i = 0; i < INGRESS_SECTION_MAX; i++) {
        w->sections[i].len = 0;
        (void) torii_buf_room(&w->sections[i], INGRESS_WRITER_ALIGN);
    }

    w->blobs.len = 0;
    w->blob_len = 0;

    ingress_writer_buckets(w, INGRESS_WRITER_BUCKETS);

    /* {0, 0} is "" */

    memset(torii_buf_room(&w->sections[INGRESS_SECTION_POOL],
                          INGRESS_WRITER_ALIGN),
           0, INGRESS_WRITER_ALIGN);

    w->sections[INGRESS_SECTION_POOL].len = INGRESS_WRITER_ALIGN;
}


void
ingress_writer_free(ingress_writer_t *w)
{
    uint32_t  i;

    for (i = 0; i < INGRESS_SECTION_MAX; i++) {
        torii_buf_free(&w->sections[i]);
    }

    torii_buf_free(&w->blobs);
}


void *
ingress_writer_add(ingress_writer_t *w, ingress_section_e section, size_t size)
{
    void         *p;
    torii_buf_t  *b;

    b = &w->sections[section];

    p = torii_buf_room(b, size);
    memset(p, 0, size);
    b->len += size;

    return p;
}


int
ingress_writer_fits(const ingress_writer_t *w, size_t len)
{
    uint64_t  used;

    used = w->sections[INGRESS_SECTION_POOL].len + w->blob_len;

    return len < INGRESS_WRITER_POOL && used + len < INGRESS_WRITER_POOL;
}


ingress_ref_t
ingress_writer_pool(ingress_writer_t *w, const void *data, size_t len)
{
    size_t          size;
    torii_buf_t    *b;
    ingress_ref_t   ref;
    unsigned char  *p;

    ref.off = 0;
    ref.len = 0;

    if (len == 0) {
        return ref;
    }

    b = &w->sections[INGRESS_SECTION_POOL];
    size = ingress_writer_align(len + 1);

    p = torii_buf_room(b, size);

    memset(p + size - INGRESS_WRITER_ALIGN, 0, INGRESS_WRITER_ALIGN);
    memcpy(p, data, len);

    ref.off = b->len;
    ref.len = len;

    b->len += size;

    return ref;
}


ingress_ref_t
ingress_writer_blob(ingress_writer_t *w, torii_str_t data)
{
    ingress_ref_t    ref;
    ingress_blob_t  *blob;

    ref.off = 0;
    ref.len = 0;

    if (data.len == 0) {
        return ref;
    }

    blob = (void *) torii_buf_room(&w->blobs, sizeof(ingress_blob_t));

    blob->data = data.data;
    blob->len = data.len;
    w->blobs.len += sizeof(ingress_blob_t);

    ref.off = w->blob_len;
    ref.len = data.len;

    w->blob_len += ingress_writer_align((uint64_t) data.len + 1);

    return ref;
}


uint32_t
ingress_writer_name_find(const ingress_writer_t *w, torii_str_t name,
    uint32_t hash)
{
    uint32_t                     i;
    const uint32_t              *buckets;
    const unsigned char         *pool;
    const ingress_table_name_t  *names, *found;

    buckets = ingress_writer_at(w, BUCKETS, const uint32_t, 0);
    names = ingress_writer_at(w, NAMES, const ingress_table_name_t, 0);
    pool = w->sections[INGRESS_SECTION_POOL].data;

    for (i = hash & w->mask; buckets[i]; i = (i + 1) & w->mask) {
        found = &names[buckets[i] - 1];

        if (found->hash == hash && found->name.len == name.len
            && memcmp(pool + found->name.off, name.data, name.len) == 0)
        {
            return buckets[i] - 1;
        }
    }

    return INGRESS_NONE;
}


void
ingress_writer_name(ingress_writer_t *w, ingress_ref_t name, uint32_t hash,
    uint32_t host)
{
    uint32_t               n;
    ingress_table_name_t  *record;

    record = ingress_writer_add(w, INGRESS_SECTION_NAMES,
                                sizeof(ingress_table_name_t));
    record->name = name;
    record->hash = hash;
    record->host = host;

    n = ingress_writer_n(w, NAMES, ingress_table_name_t);

    if (n > (w->mask + 1) / 2) {
        ingress_writer_buckets(w, (w->mask + 1) * 2);

    } else {
        ingress_writer_bucket(w, hash, n);
    }
}


/*
 * At most half of the buckets are used.  The names are put into more of them
 * in their own order, so that it makes no difference how they grew.
 */

static void
ingress_writer_buckets(ingress_writer_t *w, uint32_t size)
{
    uint32_t               i, n;
    ingress_table_name_t  *names;

    w->sections[INGRESS_SECTION_BUCKETS].len = 0;
    w->mask = size - 1;

    ingress_writer_add(w, INGRESS_SECTION_BUCKETS, size * sizeof(uint32_t));

    names = ingress_writer_at(w, NAMES, ingress_table_name_t, 0);
    n = ingress_writer_n(w, NAMES, ingress_table_name_t);

    for (i = 0; i < n; i++) {
        ingress_writer_bucket(w, names[i].hash, i + 1);
    }
}


static void
ingress_writer_bucket(ingress_writer_t *w, uint32_t hash, uint32_t value)
{
    uint32_t  i, *buckets;

    buckets = ingress_writer_at(w, BUCKETS, uint32_t, 0);

    for (i = hash & w->mask; buckets[i]; i = (i + 1) & w->mask) {
        /* void */
    }

    buckets[i] = value;
}


/* The blobs come last: their size is known before their place. */

static void
ingress_writer_place(ingress_writer_t *w)
{
    uint32_t               i, base;
    ingress_table_tls_t   *tls;
    ingress_table_cert_t  *cert;

    base = w->sections[INGRESS_SECTION_POOL].len;

    cert = ingress_writer_at(w, CERTS, ingress_table_cert_t, 0);

    for (i = 0; i < ingress_writer_n(w, CERTS, ingress_table_cert_t); i++) {
        ingress_writer_ref(&cert[i].chain, base);
        ingress_writer_ref(&cert[i].key, base);
    }

    tls = ingress_writer_at(w, TLS, ingress_table_tls_t, 0);

    for (i = 0; i < ingress_writer_n(w, TLS, ingress_table_tls_t); i++) {
        ingress_writer_ref(&tls[i].cert, base);
        ingress_writer_ref(&tls[i].key, base);
        ingress_writer_ref(&tls[i].ca, base);
    }
}


static void
ingress_writer_ref(ingress_ref_t *ref, uint32_t base)
{
    if (ref->len) {
        ref->off += base;
    }
}


void
ingress_writer_end(ingress_writer_t *w, ingress_table_header_t *h,
    torii_buf_t *out)
{
    size_t           skip;
    uint32_t         i;
    uint64_t         off, len;
    unsigned char   *p, *start;
    ingress_blob_t  *blob;

    ingress_writer_place(w);

    off = sizeof(ingress_table_header_t);

    for (i = 0; i < INGRESS_SECTION_MAX; i++) {
        len = w->sections[i].len;

        if (i == INGRESS_SECTION_POOL) {
            len += w->blob_len;
        }

        h->sections[i].off = off;
        h->sections[i].size = ingress_writer_sizes[i];
        h->sections[i].n = len / ingress_writer_sizes[i];

        off += ingress_writer_align(len);
    }

    h->magic = INGRESS_TABLE_MAGIC;
    h->order = INGRESS_TABLE_ORDER;
    h->version = INGRESS_TABLE_VERSION;
    h->header = sizeof(ingress_table_header_t);
    h->size = off;

    start = torii_buf_room(out, off);
    p = start + sizeof(ingress_table_header_t);

    for (i = 0; i < INGRESS_SECTION_MAX; i++) {
        p = ingress_writer_copy(p, w->sections[i].data, w->sections[i].len);
    }

    blob = (void *) w->blobs.data;

    for (i = 0; i < w->blobs.len / sizeof(ingress_blob_t); i++) {
        memcpy(p, blob[i].data, blob[i].len);

        len = ingress_writer_align((uint64_t) blob[i].len + 1);
        memset(p + blob[i].len, 0, len - blob[i].len);
        p += len;
    }

    skip = offsetof(ingress_table_header_t, header);

    memcpy(start, h, sizeof(ingress_table_header_t));
    h->checksum = torii_hash(start + skip, off - skip, 0);
    memcpy(start, h, sizeof(ingress_table_header_t));

    out->len += off;
}


static unsigned char *
ingress_writer_copy(unsigned char *p, const void *data, size_t len)
{
    size_t  pad;

    if (len == 0) {
        return p;
    }

    memcpy(p, data, len);

    pad = ingress_writer_align(len) - len;
    memset(p + len, 0, pad);

    return p + len + pad;
}
