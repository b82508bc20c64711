
/*
 * Tickets: the browser keeps an id and a key, a store keeps the session under
 * the id, sealed by the key.  Whoever reads the store has no key, and whoever
 * writes to it cannot make a session.
 */

#ifndef _OAUTH2_TICKET_H_INCLUDED_
#define _OAUTH2_TICKET_H_INCLUDED_


#include "oauth2_session.h"


#define OAUTH2_TICKET_BYTES  32
#define OAUTH2_TICKET_MARKS  3
#define OAUTH2_TICKET_MARK   16
#define OAUTH2_TICKET_MAX    (192 * 1024)    /* bytes of a sealed session */


/* A secret, all of it. */

typedef struct {
    unsigned char  id[OAUTH2_TICKET_BYTES];
    unsigned char  key[OAUTH2_TICKET_BYTES];
    unsigned char  marks[OAUTH2_TICKET_MARKS][OAUTH2_TICKET_MARK];
                                   /* by which the session may be revoked: known
                                      before it is read, to be asked for with
                                      it */
} oauth2_ticket_t;


/* A new id and a new key; the marks are the caller's.  TORII_ERROR: no random
   numbers are to be had. */
int oauth2_ticket_make(oauth2_ticket_t *t);

/* The cookie's value; bind->use is OAUTH2_USE_TICKET. */
int oauth2_ticket_seal(oauth2_ring_t *ring, const oauth2_bind_t *bind,
    const oauth2_ticket_t *t, torii_buf_t *out);

/*
 * The ticket of a Cookie header, by the rules of oauth2_session_open(); *text:
 * the cookie's value, within line.  *old: sealed by a key that goes out of use.
 */
oauth2_fail_e oauth2_ticket_open(oauth2_ring_t *ring,
    const oauth2_bind_t *bind, torii_str_t line, oauth2_ticket_t *t,
    torii_str_t *text, int *old);

/* Of a store's key: 64 digits, from which the id cannot be told. */
void oauth2_ticket_name(const oauth2_ticket_t *t, const char *prefix,
    torii_buf_t *out);

/* What is stored; OAUTH2_OK or _SESSION_SIZE. */
oauth2_fail_e oauth2_ticket_store(const oauth2_ticket_t *t,
    const oauth2_bind_t *bind, const oauth2_session_t *s, torii_buf_t *out);
/*
 * Strings of s point into plain, a secret.  OAUTH2_SESSION_FORM or _TAG: what
 * is stored is not what was.
 */
oauth2_fail_e oauth2_ticket_read(const oauth2_ticket_t *t,
    const oauth2_bind_t *bind, torii_str_t value, torii_buf_t *plain,
    oauth2_session_t *s);


/* "redis[s]://[[user]:password@]host[:port][/db]", with escapes. */

typedef struct {
    torii_str_t    host;           /* a name or an address, without brackets */
    uint32_t       port;
    torii_str_t    user;
    torii_str_t    password;       /* a secret */
    uint32_t       db;
    unsigned       tls:1;
} oauth2_redis_t;

/* NULL, or what is wrong with it. */
const char *oauth2_redis_read(torii_arena_t *a, torii_str_t url,
    oauth2_redis_t *redis);


#endif /* _OAUTH2_TICKET_H_INCLUDED_ */
