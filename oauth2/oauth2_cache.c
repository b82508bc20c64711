
/*
 * The cache of sessions.  The last characters of a sealed text are those of its
 * tag, which nobody can choose: they are the hash.  Whether an entry is the one
 * is told by comparing the whole text, and whom it was sealed for.
 */

#include <stdlib.h>
#include <openssl/crypto.h>

#include "oauth2_cache.h"


#define OAUTH2_CACHE_WAYS   4
#define OAUTH2_CACHE_SIZE   2048        /* bytes of a usual entry */
#define OAUTH2_CACHE_SETS   (1u << 14)  /* at most */
#define OAUTH2_CACHE_TAIL   16


typedef struct {
    uint64_t                generation;
    int64_t                 until;
    size_t                  size;
    unsigned                used:1;     /* since the hand passed by */
    oauth2_bind_t           bind;
    torii_str_t             text;
    oauth2_session_t       *session;
    unsigned char           data[];
} oauth2_entry_t;

struct oauth2_cache_s {
    size_t                  limit;
    uint32_t                mask;
    uint32_t                hand;
    oauth2_cache_counts_t   counts;
    oauth2_entry_t         *slots[];
};


oauth2_cache_t *
oauth2_cache_create(size_t bytes)
{
    uint32_t         sets;
    oauth2_cache_t  *c;

    sets = 64;

    while (sets < OAUTH2_CACHE_SETS
           && (size_t) sets * OAUTH2_CACHE_WAYS * OAUTH2_CACHE_SIZE < bytes)
    {
        sets *= 2;
    }

    c = torii_zalloc(sizeof(oauth2_cache_t) + (size_t) sets * OAUTH2_CACHE_WAYS
                                              * sizeof(oauth2_entry_t *));
    c->limit = bytes;
    c->mask = sets - 1;

    return c;
}


static void
oauth2_cache_drop(oauth2_cache_t *c, uint32_t i)
{
    oauth2_entry_t  *e;

    e = c->slots[i];
    c->slots[i] = NULL;

    c->counts.bytes -= e->size;
    c->counts.entries--;

    OPENSSL_cleanse(e, e->size);
    free(e);
}


void
oauth2_cache_free(oauth2_cache_t *c)
{
    uint32_t  i;

    if (c == NULL) {
        return;
    }

    for (i = 0; i < (c->mask + 1) * OAUTH2_CACHE_WAYS; i++) {
        if (c->slots[i]) {
            oauth2_cache_drop(c, i);
        }
    }

    free(c);
}


const oauth2_cache_counts_t *
oauth2_cache_counts(const oauth2_cache_t *c)
{
    return &c->counts;
}


static uint32_t
oauth2_cache_set(const oauth2_cache_t *c, torii_str_t text)
{
    uint64_t  hash;

    hash = torii_hash(text.data + text.len - OAUTH2_CACHE_TAIL,
                      OAUTH2_CACHE_TAIL, 0);

    return ((uint32_t) (hash >> 32) & c->mask) * OAUTH2_CACHE_WAYS;
}


/* The tail first: of other texts almost none gets further. */

static int
oauth2_cache_is(const oauth2_entry_t *e, const oauth2_bind_t *bind,
    torii_str_t text)
{
    return e->text.len == text.len
           && memcmp(e->text.data + text.len - OAUTH2_CACHE_TAIL,
                     text.data + text.len - OAUTH2_CACHE_TAIL,
                     OAUTH2_CACHE_TAIL) == 0
           && memcmp(e->text.data, text.data, text.len) == 0
           && e->bind.use == bind->use
           && torii_str_eq(e->bind.host, bind->host)
           && torii_str_eq(e->bind.provider, bind->provider)
           && torii_str_eq(e->bind.name, bind->name);
}


const oauth2_session_t *
oauth2_cache_get(oauth2_cache_t *c, const oauth2_bind_t *bind,
    torii_str_t text, uint64_t generation, int64_t now)
{
    uint32_t         i, set;
    oauth2_entry_t  *e;

    if (text.len < OAUTH2_CACHE_TAIL) {
        return NULL;
    }

    set = oauth2_cache_set(c, text);

    for (i = set; i < set + OAUTH2_CACHE_WAYS; i++) {
        e = c->slots[i];

        if (e == NULL || !oauth2_cache_is(e, bind, text)) {
            continue;
        }

        if (e->generation != generation || now >= e->until) {
            oauth2_cache_drop(c, i);
            break;
        }

        e->used = 1;
        c->counts.hits++;

        return e->session;
    }

    c->counts.misses++;

    return NULL;
}


/* Second chance: once around, what was not used since the last time goes. */

static void
oauth2_cache_make_room(oauth2_cache_t *c, size_t size)
{
    uint32_t         n, turns;
    oauth2_entry_t  *e;

    n = (c->mask + 1) * OAUTH2_CACHE_WAYS;

    for (turns = 0; turns < 2 * n && c->counts.bytes + size > c->limit;
         turns++)
    {
        e = c->slots[c->hand];

        if (e && !e->used) {
            oauth2_cache_drop(c, c->hand);
            c->counts.evicted++;

        } else if (e) {
            e->used = 0;
        }

        c->hand = (c->hand + 1) % n;
    }
}


static uint32_t
oauth2_cache_slot(oauth2_cache_t *c, uint32_t set)
{
    uint32_t  i;

    for (i = set; i < set + OAUTH2_CACHE_WAYS; i++) {
        if (c->slots[i] == NULL) {
            return i;
        }
    }

    for (i = set; i < set + OAUTH2_CACHE_WAYS; i++) {
        if (!c->slots[i]->used) {
            break;
        }

        c->slots[i]->used = 0;
    }

    i = (i == set + OAUTH2_CACHE_WAYS) ? set : i;

    oauth2_cache_drop(c, i);
    c->counts.evicted++;

    return i;
}


static torii_str_t
oauth2_cache_copy(unsigned char **p, torii_str_t s)
{
    torii_str_t  copy;

    copy.data = *p;
    copy.len = s.len;

    if (s.len) {
        memcpy(*p, s.data, s.len);
    }

    *p += s.len;

    return copy;
}


/* Groups that are not there are not stored; the bytes are as on the wire. */

static void
oauth2_cache_fill(oauth2_entry_t *e, size_t head, const oauth2_bind_t *bind,
    torii_str_t text, const torii_buf_t *plain, const torii_buf_t *groups)
{
    torii_str_t        s;
    unsigned char     *p;
    oauth2_session_t   copy;

    p = e->data + head;

    e->text = oauth2_cache_copy(&p, text);
    e->bind.use = bind->use;
    e->bind.name = oauth2_cache_copy(&p, bind->name);
    e->bind.host = oauth2_cache_copy(&p, bind->host);
    e->bind.provider = oauth2_cache_copy(&p, bind->provider);

    s.data = plain->data;
    s.len = plain->len;
    s = oauth2_cache_copy(&p, s);

    (void) oauth2_session_read(s, &copy);

    s.data = groups->data;
    s.len = groups->len;
    copy.group_list = oauth2_cache_copy(&p, s);

    e->session = (oauth2_session_t *) e->data;
    memcpy(e->data, &copy, head);
}


void
oauth2_cache_put(oauth2_cache_t *c, const oauth2_bind_t *bind,
    torii_str_t text, uint64_t generation, int64_t now,
    const oauth2_session_t *s)
{
    size_t           size, head;
    torii_buf_t      b, groups;
    oauth2_entry_t  *e;

    if (text.len < OAUTH2_CACHE_TAIL) {
        return;
    }

    memset(&b, 0, sizeof(torii_buf_t));
    (void) torii_buf_room(&b, OAUTH2_OPEN_MAX);

    head = oauth2_session_size(s);

    if (oauth2_session_write(s, &b) != TORII_OK) {
        OPENSSL_cleanse(b.data, b.size);
        torii_buf_free(&b);
        return;
    }

    memset(&groups, 0, sizeof(torii_buf_t));
    (void) oauth2_session_groups(s, &groups);

    size = sizeof(oauth2_entry_t) + head + text.len + b.len + groups.len
           + bind->name.len + bind->host.len + bind->provider.len;

    if (size <= c->limit / 4) {
        oauth2_cache_make_room(c, size);

        e = torii_malloc(size);

        e->generation = generation;
        e->until = now + OAUTH2_CACHE_AGE;
        e->size = size;
        e->used = 0;

        oauth2_cache_fill(e, head, bind, text, &b, &groups);

        c->slots[oauth2_cache_slot(c, oauth2_cache_set(c, text))] = e;
        c->counts.bytes += size;
        c->counts.entries++;
    }

    torii_buf_free(&groups);
    OPENSSL_cleanse(b.data, b.size);
    torii_buf_free(&b);
}


/* Only a cookie that is there once; the others are opened one by one. */

oauth2_fail_e
oauth2_session_cached(oauth2_cache_t *cache, oauth2_ring_t *ring,
    const oauth2_bind_t *bind, torii_str_t line, uint64_t generation,
    int64_t now, const oauth2_lifetime_t *life, oauth2_opened_t *o,
    const oauth2_session_t **session)
{
    torii_str_t    text;
    oauth2_fail_e  rc;

    oauth2_cookie_find(line, bind->name, &o->found);

    *session = &o->session;

    if (o->found.n[0] != 1
        || oauth2_cookie_join(&o->found, 0, o->joined, &text) != OAUTH2_OK)
    {
        return oauth2_session_open(ring, bind, line, now, life, o);
    }

    *session = oauth2_cache_get(cache, bind, text, generation, now);

    if (*session) {
        o->old = 0;
        return oauth2_session_check(*session, now, life);
    }

    *session = &o->session;

    rc = oauth2_session_open(ring, bind, line, now, life, o);

    if (rc == OAUTH2_OK && !o->old) {
        oauth2_cache_put(cache, bind, text, generation, now, &o->session);
    }

    return rc;
}
