
/*
 * The parts of the cluster source, private to ingress_cluster*.c: one source a
 * watch, and one want for each Secret and ConfigMap that an object refers to.
 *
 * A Secret's watch shows metadata alone, so the content is asked for by a GET
 * when it is wanted and its resourceVersion is a new one.  What no watch can
 * show (RBAC) is asked for again each minute.
 */

#ifndef _INGRESS_SOURCE_H_INCLUDED_
#define _INGRESS_SOURCE_H_INCLUDED_


#include "ingress_cluster.h"
#include "ingress_hash.h"


#define INGRESS_CLUSTER_GETS    16        /* in flight */
#define INGRESS_CLUSTER_NAMED   64        /* watches of one object each */
#define INGRESS_CLUSTER_POLL    60000     /* ms */
#define INGRESS_CLUSTER_PASS    1000      /* between two looks at all wants */
#define INGRESS_CLUSTER_HOLD    250       /* a change waits for its Secret */
#define INGRESS_CLUSTER_QUIET   5000      /* without the API, and no word */
#define INGRESS_CLUSTER_TRIES   3
#define INGRESS_CLUSTER_NEVER   UINT64_MAX

#define INGRESS_CLUSTER_BODY    (8 * 1024 * 1024)
#define INGRESS_CLUSTER_STATUS  (16 * 1024)


typedef struct ingress_source_s  ingress_source_t;
typedef struct ingress_want_s    ingress_want_t;


/* An object that a watch has shown, and that was not removed. */

typedef struct {
    ingress_link_t            link;
    uint32_t                  round;       /* of the list it was last in */
    uint64_t                  version;     /* hash of its resourceVersion */
    torii_str_t               namespace;
    torii_str_t               name;
} ingress_seen_t;


/* A resource as the API names it, and what it is to the gateway. */

typedef struct {
    const char               *resource;    /* "ingresses" */
    const char               *group;       /* "networking.k8s.io", "": core */
    ingress_kind_e            kind;
    unsigned                  cluster:1;   /* is in no namespace */
    unsigned                  optional:1;  /* of a CRD, which may be missing */
} ingress_resource_t;

struct ingress_source_s {
    ingress_cluster_t         *cluster;
    const ingress_resource_t  *resource;
    ingress_watch_t           *watch;
    ingress_source_t          *next;
    uint32_t                   id;         /* of its request in flight, or 0 */
    uint32_t                   round;
    unsigned                   listed:1;   /* whole, once at least */
    unsigned                   wanted:1;   /* 0: goes when nothing is in
                                              flight */
    ingress_watch_state_e      state;      /* as last seen */
    torii_str_t                namespace;  /* empty: all of them */
    torii_str_t                name;       /* of the one object, or empty */
    torii_str_t                type;       /* of Secrets that are shown whole,
                                              or empty */
    ingress_hash_t             seen;
};


typedef enum {
    INGRESS_WANT_IDLE = 0,
    INGRESS_WANT_QUEUED,
    INGRESS_WANT_ASKED,                    /* a GET is in flight */
    INGRESS_WANT_DELAYED                   /* until due */
} ingress_want_state_e;

struct ingress_want_s {
    ingress_link_t             link;
    ingress_kind_e             kind;
    ingress_want_state_e       state;
    torii_str_t                namespace;
    torii_str_t                name;
    uint64_t                   stamp;      /* of the look that found it */
    uint64_t                   asked;      /* version a GET was sent for */
    uint64_t                   loaded;     /* version in the store, or 0 */
    uint64_t                   due;
    uint64_t                   since;      /* when it was first wanted */
    ingress_backoff_t          backoff;
    ingress_source_t          *source;     /* of this object alone, or NULL */
    ingress_want_t            *next;       /* in the queue, or the delayed */
    uint32_t                   status;     /* of the last failure */
    unsigned                   tried:1;    /* answered, whatever it was */
    unsigned                   gone:1;     /* not wanted any more */
    unsigned                   forbidden:1;
    unsigned                   failing:1;
    unsigned                   polled:1;    /* no watch can show it */
    unsigned                   unwatched:1; /* and there is none */
};


typedef struct {
    uint32_t                   id;         /* 0: free */
    ingress_want_t            *want;
    uint64_t                   version;    /* that was seen when it was sent */
    uint32_t                   status;
    uint32_t                   retry_after;
    torii_buf_t                body;
} ingress_get_t;


struct ingress_cluster_s {
    ingress_store_t           *store;
    ingress_options_t          all;        /* in force without others */
    const ingress_options_t   *options;
    torii_arena_t             *arena;      /* of the options' strings */
    uint64_t                   epoch;
    uint64_t                   seed;
    uint64_t                   now;
    uint64_t                   start;
    uint32_t                   ids;

    ingress_source_t          *sources;
    ingress_source_t         **last;
    uint32_t                   named;      /* sources of one object */

    ingress_hash_t             wants;
    ingress_want_t            *queue;      /* due GETs, first come first */
    ingress_want_t           **queue_last;
    ingress_want_t            *delayed;
    uint64_t                   delay;      /* when the first of them is due */
    uint64_t                   stamp;
    uint64_t                   pass;       /* when to look at all of them */
    uint32_t                   untried;
    uint32_t                   nforbidden;
    uint32_t                   nfailing;
    uint32_t                   nunwatched;
    unsigned                   passed:1;
    unsigned                   recheck:1;  /* all wants, a source changed */
    uint64_t                   hold;

    ingress_get_t              gets[INGRESS_CLUSTER_GETS];
    uint32_t                   ngets;
    ingress_backoff_t          backoff;    /* of a server that is not there */
    uint64_t                   pause;      /* no GET before, 0: none */
    torii_buf_t                path;       /* of the last GET */

    unsigned                   changed:1;
    unsigned                   complete:1;
    uint64_t                   signature;  /* of what the findings say */
    torii_arena_t             *findings_arena;
    const ingress_finding_t   *findings;
};


/* ingress_cluster.c */

extern const ingress_resource_t  ingress_resources[];

uint32_t ingress_cluster_id(ingress_cluster_t *c);
uint32_t ingress_cluster_random(ingress_cluster_t *c);
/* Look at all wants not later than in so many ms. */
void ingress_cluster_pass(ingress_cluster_t *c, uint32_t delay);

/* ingress_cluster_source.c */

ingress_source_t *ingress_source_create(ingress_cluster_t *c,
    const ingress_resource_t *resource, torii_str_t namespace,
    torii_str_t name, torii_str_t type);
/* Whether one shows it whole, though nothing refers to it. */
int ingress_source_typed(const ingress_cluster_t *c, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name);
/* Objects of it go from the store if keep is 0. */
void ingress_source_free(ingress_source_t *source, int keep);
/* After each call of its watch. */
void ingress_source_update(ingress_source_t *source);
/* Its list counts: whole, and allowed to be seen. */
int ingress_source_shows(const ingress_source_t *source);
ingress_seen_t *ingress_source_seen(const ingress_source_t *source,
    torii_str_t namespace, torii_str_t name);
/* It need not be there, and is not. */
int ingress_source_missing(const ingress_source_t *source);
/* Stale for a while, or never there. */
int ingress_source_silent(const ingress_source_t *source, uint64_t *at);

/* ingress_cluster_want.c */

/* All that is wanted, by the objects in the store. */
void ingress_want_pass(ingress_cluster_t *c);
/* By an object that was set, of a kind that refers to others. */
void ingress_want_object(ingress_cluster_t *c, const ingress_object_t *o);
ingress_want_t *ingress_want_find(ingress_cluster_t *c, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name);
/* The watch that would show it, or NULL. */
ingress_source_t *ingress_want_source(ingress_cluster_t *c,
    const ingress_want_t *want);
void ingress_wants_free(ingress_cluster_t *c);

/* ingress_cluster_ask.c: when to send a GET */

/* What its source shows has changed: ask, forget, or wait. */
void ingress_want_check(ingress_cluster_t *c, ingress_want_t *want);
void ingress_want_check_all(ingress_cluster_t *c);
/* Its source does not show it any more, and the store does not hold it. */
void ingress_want_removed(ingress_cluster_t *c, ingress_want_t *want);
/* The store holds this version. */
void ingress_want_loaded(ingress_cluster_t *c, ingress_want_t *want,
    uint64_t version);
/* The next one to send a GET for, or NULL. */
ingress_want_t *ingress_want_take(ingress_cluster_t *c);
/* Those whose time has come go to the queue. */
void ingress_want_wake(ingress_cluster_t *c);
/* How the GET ended: it was answered; it is not there; it failed. */
void ingress_want_answered(ingress_cluster_t *c, ingress_want_t *want);
void ingress_want_missing(ingress_cluster_t *c, ingress_want_t *want);
void ingress_want_failed(ingress_cluster_t *c, ingress_want_t *want,
    uint32_t status);
/* The server is not there: again at that time, whatever is wanted. */
void ingress_want_postpone(ingress_cluster_t *c, ingress_want_t *want,
    uint64_t due);
/* Nothing is counted for it any more. */
void ingress_want_settle(ingress_cluster_t *c, ingress_want_t *want);

/* ingress_cluster_get.c */

/* TORII_AGAIN: nothing is to be sent now. */
int ingress_get_next(ingress_cluster_t *c, ingress_api_request_t *req,
    uint32_t *id);
ingress_get_t *ingress_get_find(ingress_cluster_t *c, uint32_t id);
int ingress_get_head(ingress_cluster_t *c, ingress_get_t *get,
    const ingress_api_answer_t *answer);
int ingress_get_body(ingress_cluster_t *c, ingress_get_t *get,
    torii_str_t bytes);
void ingress_get_end(ingress_cluster_t *c, ingress_get_t *get,
    const char *error);
void ingress_gets_free(ingress_cluster_t *c);

/* ingress_cluster_finding.c */

/* 1 if they say something else than before. */
int ingress_cluster_report(ingress_cluster_t *c);

/* Version of a metadata map: a hash, never 0. */
uint64_t ingress_source_version(const torii_node_t *metadata);


#endif /* _INGRESS_SOURCE_H_INCLUDED_ */
