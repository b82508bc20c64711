
/*
 * Keeping up with the objects of one resource: a streaming list where the
 * server has it, else a list by pages; then a watch with bookmarks, resumed by
 * resourceVersion after every end of the stream, and listed anew after 410
 * Gone in each of its forms (status of the answer, ERROR event, a list page's
 * token that expired).  sans-IO: one request at a time is in flight.
 *
 * Kubernetes API concepts, "Efficient detection of changes", "Streaming
 * lists", "Retrieving large results sets in chunks", "410 Gone responses".
 */

#ifndef _INGRESS_WATCH_H_INCLUDED_
#define _INGRESS_WATCH_H_INCLUDED_


#include "ingress_api.h"
#include "torii_tree.h"


typedef enum {
    INGRESS_WATCH_NEVER = 0,      /* not listed whole yet */
    INGRESS_WATCH_COMPLETE,       /* listed, and the stream is alive */
    INGRESS_WATCH_STALE,          /* was complete; the server does not answer */
    INGRESS_WATCH_FORBIDDEN,      /* RBAC: 403 */
    INGRESS_WATCH_ABSENT          /* 404: there is no such resource (CRD) */
} ingress_watch_state_e;


typedef struct {
    torii_str_t            path;       /* "/apis/networking.k8s.io/v1/ingresses"
                                          or "/api/v1/namespaces/NS/secrets" */
    torii_str_t            fields;     /* fieldSelector, or empty */
    unsigned               metadata:1; /* PartialObjectMetadata only; a server
                                          that sends whole objects anyway is
                                          understood */
    unsigned               optional:1; /* may be absent for good: it is looked
                                          for now and then, and what is absent
                                          for long after it was there has no
                                          objects */
} ingress_watch_resource_t;


/*
 * What the machine tells while it is handed bytes.  An object is the decoded
 * JSON, with a map "metadata"; it lives until the call returns.  The items of
 * a list have no kind and no apiVersion.
 */

typedef struct {
    void                (*set)(void *data, const torii_node_t *object);
    void                (*remove)(void *data, const torii_node_t *object);
    /*
     * A list begins; and is whole: objects not set since its begin are gone.
     * A list that breaks off begins again, or goes on, and never ends early.
     */
    void                (*begin)(void *data);
    void                (*end)(void *data);
    void                 *data;
} ingress_watch_sink_t;

typedef struct ingress_watch_s  ingress_watch_t;


/* res is copied.  seed: for jitter, any number, another one each process. */
ingress_watch_t *ingress_watch_create(const ingress_watch_resource_t *res,
    const ingress_watch_sink_t *sink, uint64_t seed);
void ingress_watch_free(ingress_watch_t *w);

/*
 * now: ms of a clock that does not jump.  TORII_OK: send req (its strings live
 * until the next call of next) and report on it by the three calls below.
 * TORII_AGAIN: ask again in *wait ms, UINT32_MAX while a request is in flight.
 */
int ingress_watch_next(ingress_watch_t *w, uint64_t now,
    ingress_api_request_t *req, uint32_t *wait);

/*
 * The head of the answer, its bytes as they come, and its end: error is NULL
 * when the body ended as it should.  TORII_ERROR from the first two: abort the
 * transfer; _end() must not be called then.
 */
int ingress_watch_head(ingress_watch_t *w, uint64_t now,
    const ingress_api_answer_t *answer);
int ingress_watch_body(ingress_watch_t *w, uint64_t now, torii_str_t bytes);
void ingress_watch_end(ingress_watch_t *w, uint64_t now, const char *error);

/* Others are answered again: what waits because nobody answered need not. */
void ingress_watch_hurry(ingress_watch_t *w, uint64_t now);

ingress_watch_state_e ingress_watch_state(const ingress_watch_t *w);
/* ms (of now's clock) since when it is stale; 0 when it is not. */
uint64_t ingress_watch_stale(const ingress_watch_t *w);
/* What was wrong last, in words, or "". */
const char *ingress_watch_error(const ingress_watch_t *w);


#endif /* _INGRESS_WATCH_H_INCLUDED_ */
