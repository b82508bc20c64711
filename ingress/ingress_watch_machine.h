
/*
 * The inside of a watch, private to ingress_watch*.c.
 *
 *   no version, not paged   STREAM: initial events, and their end
 *   no version, paged       PAGE, PAGE …
 *   version                 EVENTS since that version
 *
 * A version is there only after a whole list, and goes when the server's
 * history does not reach back to it.
 */

#ifndef _INGRESS_WATCH_MACHINE_H_INCLUDED_
#define _INGRESS_WATCH_MACHINE_H_INCLUDED_


#include "ingress_split.h"
#include "ingress_watch.h"


#define INGRESS_WATCH_LIMIT      500          /* objects a page */
#define INGRESS_WATCH_PAGES      10000
#define INGRESS_WATCH_VERSION    128          /* bytes of a version */
#define INGRESS_WATCH_TOKEN      (64 * 1024)
#define INGRESS_WATCH_REFUSAL    (64 * 1024)  /* bytes of its explanation */

/* seconds; the server ends the stream after LIFE to twice of it */
#define INGRESS_WATCH_LIFE       300

/*
 * Silence of ms after which a connection counts as dead.  Bookmarks come once
 * a minute from a server that notices time passing; where nothing at all
 * happens there may be none, and the watch is begun anew for nothing, which
 * costs one request.  Initial events come without a pause: a server that
 * ignores the wish for them is silent after what it sends instead.  That is
 * why the watch that would go on behind them is a request of its own.
 */

#define INGRESS_WATCH_SOON       500
#define INGRESS_WATCH_IDLE       75000
#define INGRESS_WATCH_IDLE_LIST  15000
#define INGRESS_WATCH_IDLE_PAGE  60000
#define INGRESS_WATCH_PAGE_MAX   300000       /* for a page as a whole */

/* A stream that ends within QUICK ms is resumed later, not at once. */
#define INGRESS_WATCH_QUICK      5000

/* A second list for a version that is gone, within this, has to wait. */
#define INGRESS_WATCH_GONE       60000

/*
 * How often to ask for what is forbidden or absent; up to a quarter more.  If
 * it was there before, then at first with the back-off of other failures.
 */

#define INGRESS_WATCH_RETRY      60000
#define INGRESS_WATCH_EAGER      6

/* For what need not be there: the first wait, doubled up to the last one. */
#define INGRESS_WATCH_SELDOM     30000
#define INGRESS_WATCH_SELDOM_MAX 240000

/* In the message of a server that is behind our version. */
#define INGRESS_WATCH_FUTURE     "Too large resource version"

/* Longer than any wait that is meant: the clock was set back. */
#define INGRESS_WATCH_WAIT_MAX   400000


typedef enum {
    INGRESS_REQUEST_NONE = 0,
    INGRESS_REQUEST_STREAM,
    INGRESS_REQUEST_PAGE,
    INGRESS_REQUEST_EVENTS
} ingress_request_e;


struct ingress_watch_s {
    torii_arena_t              *arena;
    ingress_watch_resource_t    resource;
    ingress_watch_sink_t        sink;
    uint64_t                    random;
    ingress_watch_state_e       state;

    ingress_request_e           request;    /* in flight */
    torii_buf_t                 path;
    uint32_t                    status;     /* of the answer, 0: none yet */
    uint32_t                    retry_after;
    uint64_t                    started;
    uint64_t                    heard;      /* last byte */
    ingress_split_t             split;
    torii_buf_t                 refusal;

    torii_buf_t                 version;
    torii_buf_t                 token;      /* of the next page */
    uint32_t                    limit;
    uint32_t                    pages;

    ingress_backoff_t           backoff;
    uint64_t                    due;        /* next request, not before */
    uint64_t                    lost;       /* first failure in a row */
    uint64_t                    gone;       /* last 410, 0: none */
    uint32_t                    cuts;       /* of streaming lists */
    uint32_t                    bad;        /* events in a row */
    uint32_t                    seldom;     /* last wait, if it is absent */

    unsigned                    paged:1;
    unsigned                    listing:1;  /* begun, and not yet whole */
    unsigned                    complete:1; /* once listed whole */

    char                        error[384];
};


uint32_t ingress_watch_random(ingress_watch_t *w);

/* No request is in flight any more. */
void ingress_watch_done(ingress_watch_t *w, uint64_t now);

/* Sets the error; what was complete is stale, the next try has to wait. */
void ingress_watch_failed(ingress_watch_t *w, uint64_t now,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Objects are to be listed anew; nothing is taken from the sink by that. */
void ingress_watch_anew(ingress_watch_t *w);

/* The same, at once, for a version that the server has no history for. */
void ingress_watch_expired(ingress_watch_t *w, uint64_t now,
    const char *why);

/* A list was whole; TORII_ERROR: version cannot be used. */
int ingress_watch_whole(ingress_watch_t *w, torii_str_t version);

/* One event, one item, a page's end.  TORII_ERROR: the request is done. */
int ingress_watch_event(ingress_watch_t *w, uint64_t now, torii_str_t bytes);
int ingress_watch_item(ingress_watch_t *w, uint64_t now, torii_str_t bytes);
void ingress_watch_page(ingress_watch_t *w, uint64_t now);

/* Bytes that cannot be read.  TORII_ERROR, always. */
int ingress_watch_malformed(ingress_watch_t *w, uint64_t now,
    const char *what);


#endif /* _INGRESS_WATCH_MACHINE_H_INCLUDED_ */
