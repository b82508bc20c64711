
/*
 * When to refresh, and who: one request of all that come with the same session
 * asks the provider, whatever worker it is in, since a refresh token is good
 * for one use.  The state lies in memory that the workers share; its lock is
 * the caller's.  Instants are milliseconds since 1970, unlike elsewhere here.
 */

#ifndef _OAUTH2_REFRESH_H_INCLUDED_
#define _OAUTH2_REFRESH_H_INCLUDED_


#include "oauth2_session.h"


#define OAUTH2_REFRESH_AHEAD   60000    /* ms before the end, or a fifth of the
                                           token's life */
#define OAUTH2_REFRESH_OWNER   15000    /* ms until an owner counts as dead */
#define OAUTH2_REFRESH_GRACE   60000    /* ms that a result is kept for those
                                           who come with the old cookie */
#define OAUTH2_REFRESH_BACKOFF 60000    /* ms, the longest; 1 s at first */
#define OAUTH2_REFRESH_WAIT    5000     /* ms that a request waits at most */


typedef enum {
    OAUTH2_FLIGHT_FREE = 0,
    OAUTH2_FLIGHT_OWNED,
    OAUTH2_FLIGHT_DONE,        /* result is the new session, sealed */
    OAUTH2_FLIGHT_FAILED       /* not before next */
} oauth2_flight_e;

/* One refresh token's; no pointers in it. */

typedef struct {
    uint8_t          id[16];
    oauth2_flight_e  state;
    uint32_t         owner;            /* who; 0 is nobody */
    uint32_t         failures;
    uint32_t         dead;             /* the provider refused the token */
    uint64_t         until;            /* OWNED: dead; DONE: forgotten */
    uint64_t         next;             /* FAILED */
    uint32_t         len;
    unsigned char    result[OAUTH2_SEALED_MAX];
} oauth2_flight_t;


typedef enum {
    OAUTH2_REFRESH_NO = 0,     /* go on with the session as it is */
    OAUTH2_REFRESH_SPENT,      /* the same; refresh_dead is to be set in it, so
                                  that nobody asks again */
    OAUTH2_REFRESH_BEGIN,      /* the slot is yours: ask the provider, and go on
                                  meanwhile */
    OAUTH2_REFRESH_BEGIN_WAIT, /* the same, and wait for it */
    OAUTH2_REFRESH_WAIT_OTHER, /* somebody else asks: look again soon */
    OAUTH2_REFRESH_TAKE,       /* flight->result is the session, and goes into
                                  Set-Cookie */
    OAUTH2_REFRESH_STALE,      /* go on although the token has expired: the
                                  provider is down */
    OAUTH2_REFRESH_LOGIN       /* log in anew */
} oauth2_refresh_e;

typedef struct {
    unsigned         needs_token:1;    /* the route forwards the access token,
                                          so that an expired one will not do */
    int64_t          max_stale;        /* ms after its end; "fail static" */
    uint32_t         owner;            /* of this request, not 0 */
    unsigned         waited:1;         /* OAUTH2_REFRESH_WAIT is over */
} oauth2_refresh_t;


/* What names a refresh token without telling it; TORII_ERROR: it has none. */
int oauth2_refresh_id(const oauth2_session_t *s, uint8_t id[16]);

/* 1: it is time, or past it. */
int oauth2_refresh_due(const oauth2_session_t *s, uint64_t now);

/*
 * flight: the slot with this id, or a free one, zeroed; NULL: none is to be
 * had.
 */
oauth2_refresh_e oauth2_refresh_decide(const oauth2_session_t *s,
    const oauth2_refresh_t *conf, oauth2_flight_t *flight,
    const uint8_t id[16], uint64_t now);

/* The owner's result.  TORII_DECLINED: the slot is no longer its own. */
int oauth2_refresh_done(oauth2_flight_t *flight, const uint8_t id[16],
    uint32_t owner, torii_str_t sealed, uint64_t now);
int oauth2_refresh_failed(oauth2_flight_t *flight, const uint8_t id[16],
    uint32_t owner, oauth2_fail_e fail, uint32_t jitter, uint64_t now);

/* 1: the slot may be given to another id. */
int oauth2_refresh_idle(const oauth2_flight_t *flight, uint64_t now);


#endif /* _OAUTH2_REFRESH_H_INCLUDED_ */
