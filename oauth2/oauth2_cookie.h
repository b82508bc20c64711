
/*
 * Cookies (RFC 6265): finding ours in a request, cutting them out of it, and
 * the lines that set and clear them.  A large value lies in up to
 * OAUTH2_PIECES_MAX of them: NAME, NAME.1, NAME.2.
 */

#ifndef _OAUTH2_COOKIE_H_INCLUDED_
#define _OAUTH2_COOKIE_H_INCLUDED_


#include "oauth2_seal.h"


#define OAUTH2_COOKIE_SAME    4         /* of one name that are looked at */
#define OAUTH2_STATES_MAX     5         /* logins that one browser may begin */
#define OAUTH2_STATES_SEEN    32


typedef struct {
    torii_str_t    name;        /* "__Host-torii" */
    torii_str_t    path;        /* "/" */
    torii_str_t    domain;      /* empty: this host only */
    const char    *same_site;   /* "Lax", "Strict", "None" */
    unsigned       secure:1;
} oauth2_cookie_t;

/*
 * NULL or what is wrong: a name that is no token, "__Host-" with a domain or
 * another path, "None" without Secure (draft-ietf-httpbis-rfc6265bis 4.1.3).
 */
const char *oauth2_cookie_check(const oauth2_cookie_t *conf);


/* What one pass over the Cookie header found, by piece. */

typedef struct {
    uint32_t       n[OAUTH2_PIECES_MAX];
    torii_str_t    values[OAUTH2_PIECES_MAX][OAUTH2_COOKIE_SAME];
} oauth2_found_t;

/* line: all Cookie headers, joined by "; ". */
void oauth2_cookie_find(torii_str_t line, torii_str_t name,
    oauth2_found_t *found);

/*
 * The value whose first piece is number i of those found.  It lies in room
 * (OAUTH2_SEALED_MAX bytes), or where it was if it is one piece.
 * OAUTH2_SESSION_FORM: pieces are missing; _TWICE: one of several is there more
 * than once.
 */
oauth2_fail_e oauth2_cookie_join(const oauth2_found_t *found, uint32_t i,
    unsigned char *room, torii_str_t *value);

/* The line without the cookies whose name begins with one of names, and whose
   rest is "", ".1", ".2" or ".s." and more.  1: something was cut. */
int oauth2_cookie_strip(torii_str_t line, const torii_str_t *names, uint32_t n,
    torii_buf_t *out);

/*
 * Values of Set-Cookie, each given to add.  age in seconds.  Pieces that the
 * browser has (found, may be NULL) and the new value has not are cleared.
 */
typedef void (*oauth2_cookie_pt)(void *data, torii_str_t line);

void oauth2_cookie_set(const oauth2_cookie_t *conf, torii_str_t value,
    int64_t age, const oauth2_found_t *found, oauth2_cookie_pt add,
    void *data);
void oauth2_cookie_clear(const oauth2_cookie_t *conf,
    const oauth2_found_t *found, oauth2_cookie_pt add, void *data);


/* Names of the cookies of logins that have begun: NAME.s.XXXXXXXX */

typedef struct {
    uint32_t       n;
    torii_str_t    names[OAUTH2_STATES_SEEN];
    torii_str_t    values[OAUTH2_STATES_SEEN];
} oauth2_states_t;

void oauth2_cookie_states(torii_str_t line, torii_str_t name,
    oauth2_states_t *states);


#endif /* _OAUTH2_COOKIE_H_INCLUDED_ */
