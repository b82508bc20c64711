
/*
 * A session: who has logged in, until when, and what refreshes it.  It lives in
 * the browser, sealed; only claims that some policy or header asks for are in
 * it, so that it stays small.
 */

#ifndef _OAUTH2_SESSION_H_INCLUDED_
#define _OAUTH2_SESSION_H_INCLUDED_


#include "oauth2_cookie.h"


#define OAUTH2_CLAIMS_MAX  16


typedef struct {
    int64_t        created;           /* s since 1970 */
    int64_t        seen;              /* when it was sealed last */
    int64_t        expires;           /* the end, whatever happens */
    int64_t        token_expires;     /* of the access token; 0: not said */
    int64_t        token_issued;
    uint32_t       projection;        /* oauth2_projection_hash() */
    uint32_t       verified;          /* 1: the e-mail address is */
    uint32_t       refresh_dead;      /* 1: the refresh token is spent */

    torii_str_t    sub;
    torii_str_t    email;
    torii_str_t    user;              /* preferred_username */
    torii_str_t    name;
    torii_str_t    sid;
    torii_str_t    refresh_token;     /* the tokens: secrets, or empty */
    torii_str_t    access_token;
    torii_str_t    id_token;
    torii_str_t    group_list;        /* oauth2_session_groups() of it, if it is
                                         from a cache; else empty */

    uint32_t       ngroups;
    uint32_t       nclaims;
    torii_str_t    names[OAUTH2_CLAIMS_MAX];
    torii_str_t    values[OAUTH2_CLAIMS_MAX];
    torii_str_t    groups[OAUTH2_GROUPS_MAX];     /* the last, as copies may be
                                                     cut behind ngroups */
} oauth2_session_t;


/* The plain bytes; TORII_ERROR: a string or a list is too long. */
int oauth2_session_write(const oauth2_session_t *s, torii_buf_t *out);
/* Strings point into in. */
int oauth2_session_read(torii_str_t in, oauth2_session_t *s);


/* Never by "=": one of a cache ends with the last group that it has. */
void oauth2_session_copy(oauth2_session_t *to, const oauth2_session_t *from);
/* Bytes of such a one. */
size_t oauth2_session_size(const oauth2_session_t *s);


/* How long it may live, in seconds. */

typedef struct {
    int64_t        idle;              /* since it was sealed last; 0: ever */
    int64_t        absolute;          /* since the login */
} oauth2_lifetime_t;

/* OAUTH2_OK or _SESSION_EXPIRED; also one from the future, 300 s or more. */
oauth2_fail_e oauth2_session_check(const oauth2_session_t *s, int64_t now,
    const oauth2_lifetime_t *life);

/* 1: it is to be sealed anew because a tenth of its idle time has passed. */
int oauth2_session_touch(const oauth2_session_t *s, int64_t now,
    const oauth2_lifetime_t *life);


/* Room that opening needs; nothing is allocated. */

typedef struct {
    oauth2_found_t    found;
    int               old;            /* sealed by a key that goes out of use */
    oauth2_session_t  session;
    unsigned char     joined[OAUTH2_SEALED_MAX];
    unsigned char     plain[OAUTH2_OPEN_MAX + 16];
} oauth2_opened_t;

/*
 * Finds, joins, opens and reads the session of a Cookie header.  Of several
 * cookies with one name exactly one may open: two that do are someone's trick
 * (OAUTH2_SESSION_TWICE).  OAUTH2_SESSION_NONE: there is no such cookie.  After
 * anything but OK and NONE the cookies are to be cleared.
 */
oauth2_fail_e oauth2_session_open(oauth2_ring_t *ring,
    const oauth2_bind_t *bind, torii_str_t line, int64_t now,
    const oauth2_lifetime_t *life, oauth2_opened_t *o);

/*
 * The same with a cache of this process before it, which hands out a session
 * that lives until the next call; *session points to it or into o.  generation:
 * a number that changes with keys, policies and revocations, so that nothing
 * older is used.
 */
typedef struct oauth2_cache_s  oauth2_cache_t;

oauth2_fail_e oauth2_session_cached(oauth2_cache_t *cache,
    oauth2_ring_t *ring, const oauth2_bind_t *bind, torii_str_t line,
    uint64_t generation, int64_t now, const oauth2_lifetime_t *life,
    oauth2_opened_t *o, const oauth2_session_t **session);

/* The value for oauth2_cookie_set(); OAUTH2_OK or _SESSION_SIZE. */
oauth2_fail_e oauth2_session_seal(oauth2_ring_t *ring,
    const oauth2_bind_t *bind, const oauth2_session_t *s, torii_buf_t *out);


/*
 * The session for another host: a code that is good for 30 seconds and for that
 * host only (bind->host).  That it is used once, its receiver has to see to, by
 * *id.
 */

#define OAUTH2_HANDOFF_AGE  30
#define OAUTH2_HANDOFF_ID   16

oauth2_fail_e oauth2_handoff_seal(oauth2_ring_t *ring,
    const oauth2_bind_t *bind, const oauth2_session_t *s, torii_str_t rd,
    int64_t now, torii_buf_t *out);
/* room: OAUTH2_OPEN_MAX bytes, which s, rd and id point into. */
oauth2_fail_e oauth2_handoff_open(oauth2_ring_t *ring,
    const oauth2_bind_t *bind, torii_str_t code, int64_t now,
    unsigned char *room, oauth2_session_t *s, torii_str_t *rd,
    torii_str_t *id);


/* What is kept of an identity.  Pointers are the caller's. */

typedef struct {
    const torii_str_t  *groups;
    uint32_t            ngroups;
    unsigned            all_groups:1;
    const torii_str_t  *claims;       /* "name", or a JSON pointer, "/a/b" */
    uint32_t            nclaims;
} oauth2_projection_t;

/* The same for the same names in any order: of provider and claims. */
uint32_t oauth2_projection_hash(const oauth2_projection_t *p,
    torii_str_t provider);
int oauth2_projection_has(const oauth2_projection_t *p, torii_str_t group);


/* "a,b,c"; a group with a comma or a control byte is left out, and counted. */
uint32_t oauth2_session_groups(const oauth2_session_t *s, torii_buf_t *out);


#endif /* _OAUTH2_SESSION_H_INCLUDED_ */
