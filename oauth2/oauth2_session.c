
/*
 * Sessions: opened, checked, sealed.
 */

#include <openssl/rand.h>

#include "oauth2_session.h"


#define OAUTH2_SESSION_AHEAD  300       /* s, of our own clocks */


size_t
oauth2_session_size(const oauth2_session_t *s)
{
    return offsetof(oauth2_session_t, groups)
           + s->ngroups * sizeof(torii_str_t);
}


void
oauth2_session_copy(oauth2_session_t *to, const oauth2_session_t *from)
{
    memcpy(to, from, oauth2_session_size(from));
}


oauth2_fail_e
oauth2_session_check(const oauth2_session_t *s, int64_t now,
    const oauth2_lifetime_t *life)
{
    if (now >= s->expires || s->created > now + OAUTH2_SESSION_AHEAD
        || s->seen > now + OAUTH2_SESSION_AHEAD || s->seen < s->created
        || now - s->created >= life->absolute)
    {
        return OAUTH2_SESSION_EXPIRED;
    }

    if (life->idle && now - s->seen >= life->idle) {
        return OAUTH2_SESSION_EXPIRED;
    }

    return OAUTH2_OK;
}


int
oauth2_session_touch(const oauth2_session_t *s, int64_t now,
    const oauth2_lifetime_t *life)
{
    return life->idle && now - s->seen >= (life->idle + 9) / 10;
}


static oauth2_fail_e
oauth2_session_try(oauth2_ring_t *ring, const oauth2_bind_t *bind, uint32_t i,
    oauth2_opened_t *o)
{
    torii_str_t    value, plain;
    oauth2_fail_e  rc;

    rc = oauth2_cookie_join(&o->found, i, o->joined, &value);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    rc = oauth2_open(ring, bind, value, o->plain, &plain, &o->old);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    return oauth2_session_read(plain, &o->session) == TORII_OK
           ? OAUTH2_OK : OAUTH2_SESSION_FORM;
}


/* Of several: the one that opens, unless two do. */

static oauth2_fail_e
oauth2_session_pick(oauth2_ring_t *ring, const oauth2_bind_t *bind,
    oauth2_opened_t *o)
{
    uint32_t       i, n, opens;
    oauth2_fail_e  rc;

    n = o->found.n[0];

    if (n == 1) {
        return oauth2_session_try(ring, bind, 0, o);
    }

    if (n > OAUTH2_COOKIE_SAME) {
        return OAUTH2_SESSION_TWICE;
    }

    rc = OAUTH2_SESSION_NONE;
    opens = OAUTH2_COOKIE_SAME;

    for (i = 0; i < n; i++) {

        rc = oauth2_session_try(ring, bind, i, o);

        if (rc == OAUTH2_OK) {
            if (opens != OAUTH2_COOKIE_SAME) {
                return OAUTH2_SESSION_TWICE;
            }

            opens = i;
        }
    }

    return (opens == OAUTH2_COOKIE_SAME)
           ? rc : oauth2_session_try(ring, bind, opens, o);
}


oauth2_fail_e
oauth2_session_open(oauth2_ring_t *ring, const oauth2_bind_t *bind,
    torii_str_t line, int64_t now, const oauth2_lifetime_t *life,
    oauth2_opened_t *o)
{
    oauth2_fail_e  rc;

    oauth2_cookie_find(line, bind->name, &o->found);

    if (o->found.n[0] == 0) {
        return OAUTH2_SESSION_NONE;
    }

    rc = oauth2_session_pick(ring, bind, o);

    return rc == OAUTH2_OK ? oauth2_session_check(&o->session, now, life) : rc;
}


oauth2_fail_e
oauth2_session_seal(oauth2_ring_t *ring, const oauth2_bind_t *bind,
    const oauth2_session_t *s, torii_buf_t *out)
{
    int          rc;
    torii_buf_t  b;
    torii_str_t  plain;

    memset(&b, 0, sizeof(torii_buf_t));

    /* room for all, so that growing leaves no copy behind */

    (void) torii_buf_room(&b, OAUTH2_OPEN_MAX);

    rc = oauth2_session_write(s, &b);

    if (rc == TORII_OK) {
        plain.data = b.data;
        plain.len = b.len;

        rc = oauth2_seal(ring, bind, plain, out);
    }

    OPENSSL_cleanse(b.data, b.size);
    torii_buf_free(&b);

    return rc == TORII_OK ? OAUTH2_OK : OAUTH2_SESSION_SIZE;
}


static void
oauth2_handoff_number(torii_buf_t *b, uint64_t value, unsigned bytes)
{
    unsigned char  c;

    while (bytes--) {
        c = (unsigned char) (value >> (8 * bytes));
        torii_buf_add(b, &c, 1);
    }
}


/* id (16) | instant (8) | length of rd (2) | rd | session */

oauth2_fail_e
oauth2_handoff_seal(oauth2_ring_t *ring, const oauth2_bind_t *bind,
    const oauth2_session_t *s, torii_str_t rd, int64_t now, torii_buf_t *out)
{
    int            rc;
    torii_buf_t    b;
    torii_str_t    plain;
    unsigned char  id[OAUTH2_HANDOFF_ID];

    if (rd.len > OAUTH2_URL_MAX || RAND_bytes(id, sizeof(id)) != 1) {
        return OAUTH2_SESSION_SIZE;
    }

    memset(&b, 0, sizeof(torii_buf_t));

    (void) torii_buf_room(&b, OAUTH2_OPEN_MAX);
    torii_buf_add(&b, id, sizeof(id));
    oauth2_handoff_number(&b, (uint64_t) now, 8);
    oauth2_handoff_number(&b, rd.len, 2);
    torii_buf_add_str(&b, rd);

    rc = oauth2_session_write(s, &b);

    if (rc == TORII_OK) {
        plain.data = b.data;
        plain.len = b.len;

        rc = oauth2_seal(ring, bind, plain, out);
    }

    OPENSSL_cleanse(b.data, b.size);
    torii_buf_free(&b);

    return rc == TORII_OK ? OAUTH2_OK : OAUTH2_SESSION_SIZE;
}


static int
oauth2_handoff_read(torii_str_t in, torii_str_t *id, int64_t *at,
    torii_str_t *rd, oauth2_session_t *s)
{
    size_t    i;
    uint64_t  instant;

    if (in.len < OAUTH2_HANDOFF_ID + 10) {
        return TORII_ERROR;
    }

    id->data = in.data;
    id->len = OAUTH2_HANDOFF_ID;
    in.data += OAUTH2_HANDOFF_ID;
    in.len -= OAUTH2_HANDOFF_ID;

    instant = 0;

    for (i = 0; i < 8; i++) {
        instant = instant << 8 | in.data[i];
    }

    *at = (int64_t) instant;

    rd->data = in.data + 10;
    rd->len = (size_t) in.data[8] << 8 | in.data[9];
    in.data += 10;
    in.len -= 10;

    if (rd->len > in.len) {
        return TORII_ERROR;
    }

    in.data += rd->len;
    in.len -= rd->len;

    return oauth2_session_read(in, s);
}


oauth2_fail_e
oauth2_handoff_open(oauth2_ring_t *ring, const oauth2_bind_t *bind,
    torii_str_t code, int64_t now, unsigned char *room, oauth2_session_t *s,
    torii_str_t *rd, torii_str_t *id)
{
    int            old;
    int64_t        at;
    torii_str_t    plain;
    oauth2_fail_e  rc;

    rc = oauth2_open(ring, bind, code, room, &plain, &old);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    if (oauth2_handoff_read(plain, id, &at, rd, s) != TORII_OK) {
        return OAUTH2_SESSION_FORM;
    }

    return (at > now + OAUTH2_SESSION_AHEAD || now - at >= OAUTH2_HANDOFF_AGE)
           ? OAUTH2_SESSION_EXPIRED : OAUTH2_OK;
}


/* A sum of hashes, so that the order of names does not matter. */

uint32_t
oauth2_projection_hash(const oauth2_projection_t *p, torii_str_t provider)
{
    uint32_t  i;
    uint64_t  sum;

    sum = torii_hash(provider.data, provider.len, 1) + p->all_groups;

    for (i = 0; i < p->ngroups; i++) {
        sum += torii_hash(p->groups[i].data, p->groups[i].len, 2);
    }

    for (i = 0; i < p->nclaims; i++) {
        sum += torii_hash(p->claims[i].data, p->claims[i].len, 3);
    }

    return (uint32_t) (sum ^ sum >> 32);
}


int
oauth2_projection_has(const oauth2_projection_t *p, torii_str_t group)
{
    uint32_t  i;

    for (i = 0; i < p->ngroups; i++) {
        if (torii_str_eq(p->groups[i], group)) {
            return 1;
        }
    }

    return p->all_groups;
}


uint32_t
oauth2_session_groups(const oauth2_session_t *s, torii_buf_t *out)
{
    size_t    start;
    uint32_t  i, dropped;

    dropped = 0;
    start = out->len;

    for (i = 0; i < s->ngroups; i++) {

        if (s->groups[i].len == 0 || torii_str_has_control(s->groups[i])
            || memchr(s->groups[i].data, ',', s->groups[i].len))
        {
            dropped++;
            continue;
        }

        if (out->len != start) {
            torii_buf_adds(out, ",");
        }

        torii_buf_add_str(out, s->groups[i]);
    }

    return dropped;
}
