
/*
 * What is said to a Kubernetes API server and what comes back, as values: the
 * machines that speak to it (watch, cluster, lease, status, event) own no
 * socket.  Their user sends the requests and hands the answers over.
 */

#ifndef _INGRESS_API_H_INCLUDED_
#define _INGRESS_API_H_INCLUDED_


#include "torii_tree.h"


typedef struct {
    const char          *method;       /* "GET" … */
    torii_str_t          path;         /* with the query, NUL behind it */
    const char          *accept;       /* NULL: application/json */
    const char          *content_type; /* of body; NULL without one */
    torii_str_t          body;
    uint32_t             timeout;      /* ms for the whole answer, 0: none */
    uint32_t             idle;         /* ms without a byte after which the
                                          connection counts as dead, 0: none */
} ingress_api_request_t;


/* The head of an answer; status 0 with an error: there was no answer. */

typedef struct {
    uint32_t             status;
    uint32_t             retry_after;  /* seconds, 0: not said */
    torii_str_t          content_type;
    const char          *error;        /* "connection refused", or NULL */
} ingress_api_answer_t;


/*
 * Back-off of client-go's kind: doubles from 0.8 s to 20 s, and up to a half
 * more of jitter; Retry-After is obeyed up to 5 minutes, and up to an eighth
 * more.  random: any 32 bits.
 */

typedef struct {
    uint32_t             failures;     /* in a row */
} ingress_backoff_t;

uint32_t ingress_backoff_next(ingress_backoff_t *b, uint32_t retry_after,
    uint32_t random);                  /* ms to wait */
void ingress_backoff_reset(ingress_backoff_t *b);


/* Status objects (meta/v1): reason and message of a refusal, bounded. */

typedef struct {
    uint32_t             code;
    uint32_t             retry_after;  /* seconds, 0: not said */
    char                 reason[64];
    char                 message[256];
} ingress_api_status_t;

int ingress_api_status_parse(torii_str_t body, ingress_api_status_t *status);
void ingress_api_status_read(const torii_node_t *doc,
    ingress_api_status_t *status);

/* For a line of a log: no control bytes, no half characters, cut to size. */
void ingress_api_text(torii_str_t text, char *buf, size_t size);

/* "2026-11-22T15:00:00.000000Z" with its quotes (MicroTime of meta/v1). */
void ingress_api_time(torii_buf_t *b, uint64_t wall_us);


#endif /* _INGRESS_API_H_INCLUDED_ */
