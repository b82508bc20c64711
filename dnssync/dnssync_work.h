
/*
 * The inside of the engine, private to its files.  An agent is an account with
 * what is known of it, a domain is one of its zones; a task is an operation
 * under way, of which each domain has one at most.
 *
 *   dnssync_engine.c          the loop, and what the operator asks for
 *   dnssync_engine_agent.c    accounts, and their lists of zones
 *   dnssync_engine_source.c   objects, and their hosts
 *   dnssync_engine_route.c    which zone each belongs to
 *   dnssync_engine_domain.c   what a zone needs next: to be probed, read …
 *   dnssync_engine_list.c     … and what it was found to hold
 *   dnssync_engine_plan.c     planning, and what it found
 *   dnssync_engine_apply.c    edits, and what became of them
 *   dnssync_engine_blind.c    zones that cannot be read
 *   dnssync_engine_patch.c    what a zone holds after edits
 *   dnssync_engine_task.c     operations, requests, answers
 *   dnssync_engine_ask.c      names to be resolved, servers to be looked at
 *   dnssync_engine_challenge.c
 *   dnssync_engine_report.c   what people see
 *   dnssync_cache.c           the files of the state
 */

#ifndef _DNSSYNC_WORK_H_INCLUDED_
#define _DNSSYNC_WORK_H_INCLUDED_


#include "dnssync_engine.h"
#include "dnssync_rate.h"


#define DNSSYNC_SECOND_MS    1000ULL
#define DNSSYNC_MINUTE_MS    (60 * DNSSYNC_SECOND_MS)
#define DNSSYNC_HOUR_MS      (60 * DNSSYNC_MINUTE_MS)

#define DNSSYNC_QUIET        (2 * DNSSYNC_SECOND_MS)    /* after a change, … */
#define DNSSYNC_QUIET_MAX    (10 * DNSSYNC_SECOND_MS)   /* … since the first */
#define DNSSYNC_INTERVAL     DNSSYNC_MINUTE_MS
#define DNSSYNC_RELIST       (30 * DNSSYNC_MINUTE_MS)   /* and as much again */
#define DNSSYNC_REREAD       (5 * DNSSYNC_MINUTE_MS)    /* after a restart */
#define DNSSYNC_UNTIL_MAX    DNSSYNC_HOUR_MS
#define DNSSYNC_FRESH        DNSSYNC_MINUTE_MS          /* of a deletion */
#define DNSSYNC_RETRY        DNSSYNC_MINUTE_MS          /* what was held */
#define DNSSYNC_SLEEP_MAX    (10 * DNSSYNC_MINUTE_MS)   /* between _next() */

#define DNSSYNC_SLOW         (5 * DNSSYNC_SECOND_MS)    /* a listing, and … */
#define DNSSYNC_SPARE        10        /* … so much of the time without one */
#define DNSSYNC_CHUNK        2000      /* edits in an operation, at most … */
#define DNSSYNC_CHUNK_MIN    50
#define DNSSYNC_STRIKES      3         /* failures, then all of an account
                                          waits */
#define DNSSYNC_LAGS         5         /* listings older than what we wrote */
#define DNSSYNC_CHECKS       16        /* sets looked at, of one zone */
#define DNSSYNC_LOOKUPS      1024
#define DNSSYNC_EXPLICIT     64        /* named zones that are always read */


typedef struct dnssync_agent_s      dnssync_agent_t;
typedef struct dnssync_domain_s     dnssync_domain_t;
typedef struct dnssync_task_s       dnssync_task_t;
typedef struct dnssync_check_s      dnssync_check_t;
typedef struct dnssync_ask_s        dnssync_ask_t;
typedef struct dnssync_challenge_s  dnssync_challenge_t;
typedef struct dnssync_refusal_s    dnssync_refusal_t;
typedef struct dnssync_file_s       dnssync_file_t;


/* Memory that plans and operations refer to after it was replaced. */

typedef struct dnssync_shared_s  dnssync_shared_t;

struct dnssync_shared_s {
    torii_arena_t           *arena;
    dnssync_shared_t        *under;      /* held as long */
    uint32_t                 refs;
};


/* After a failure. */

typedef struct {
    uint32_t                 fails;      /* in a row */
    uint32_t                 wait;       /* ms, the last one */
    uint64_t                 until;
    dnssync_trouble_e        trouble;
    char                     error[DNSSYNC_ERROR_MAX];
} dnssync_pause_t;


struct dnssync_agent_s {
    dnssync_account_t       *account;
    dnssync_domain_t       **domains;    /* by id */
    uint32_t                 ndomains;
    dnssync_gate_t          *gate;
    dnssync_rate_t           rate;
    dnssync_conf_t           conf;       /* the account's, and the instance */
    dnssync_pause_t          pause;      /* all of it */
    dnssync_pause_t          listing;    /* its zones */
    dnssync_task_t          *task;       /* ZONES */
    uint32_t                 ntasks;
    uint32_t                 turn;
    uint64_t                 next;       /* list of zones */
    uint64_t                 saved;
    uint64_t                 hash;       /* of what was saved */
    uint64_t                 requests;
    uint64_t                 failures[DNSSYNC_TROUBLES];
    uint64_t                 edits[DNSSYNC_EDIT_DELETE + 1];
    uint64_t                 refused;
    uint64_t                 lost;
    unsigned                 known:1;    /* its zones were listed */
    unsigned                 seen:1;     /* between begin and end */
    unsigned                 dirty:1;    /* to be saved */
};


struct dnssync_domain_s {
    dnssync_agent_t         *agent;
    torii_arena_t           *names;
    dnssync_found_t          found;
    dnssync_zone_t           zone;       /* id: "account/id" */
    torii_arena_t           *arena;      /* of its sets */
    torii_str_t              version;
    uint64_t                 hash;       /* of its sets */

    dnssync_endpoint_t      *endpoints;  /* of the engine's route */
    uint32_t                 n;
    uint32_t                 hosts;      /* that are wanted, not only kept */
    uint64_t                 route;      /* hash of the endpoints */
    dnssync_endpoint_t      *adjusted;
    uint32_t                 nadjusted;
    torii_arena_t           *adjust;

    dnssync_plan_t           plan;       /* arena NULL: there is none */
    uint32_t                 at;         /* next edit of it */
    uint64_t                 planned;    /* when, and of … */
    dnssync_shared_t        *shared;     /* … which endpoints */
    dnssync_plan_t           said;       /* findings of the last one */
    uint64_t                 replan;     /* 0: no need */
    uint32_t                 owned;
    uint32_t                 held;
    dnssync_adopt_t          adopt;
    torii_arena_t           *adopt_arena;   /* NULL: nothing to adopt */

    dnssync_task_t          *task;
    dnssync_pause_t          pause;
    uint64_t                 probe;      /* when next */
    uint64_t                 list;
    uint64_t                 saved;
    uint64_t                 took;       /* ms, the last listing */
    uint32_t                 lags;
    uint32_t                 losses;     /* in a row */
    dnssync_refusal_t       *refusals;
    uint32_t                 nchecks;
    char                     unseen[DNSSYNC_ERROR_MAX];  /* not so at servers */
    char                     elsewhere[DNSSYNC_ERROR_MAX];   /* delegated */
    uint64_t                 delegated;  /* when to look at that */
    uint32_t                 delegation; /* ticket; 0: it is not asked */

    uint32_t                 probes;
    uint32_t                 lists;
    uint32_t                 applies;
    uint64_t                 propagation;

    unsigned                 seen:1;
    unsigned                 used:1;
    unsigned                 frozen:1;
    unsigned                 relist:1;   /* to be listed … */
    unsigned                 whole:1;    /* … not only what is new */
    unsigned                 complete:1; /* the source was, when planned */
    unsigned                 cached:1;   /* sets are the cache's, unproven */
    unsigned                 dirty:1;    /* to be planned */
    unsigned                 urgent:1;   /* because of the objects */
    unsigned                 wrote:1;    /* since the listing */
    unsigned                 keen:1;     /* its plan depends on lookups */
    unsigned                 ids:1;      /* its sets have them */
    unsigned                 patched:1;  /* some sets are as we wrote them */
    unsigned                 adjusts:1;  /* endpoints to be adjusted */
    unsigned                 save:1;
};


struct dnssync_refusal_s {
    dnssync_refusal_t       *next;
    uint64_t                 at;
    torii_str_t              name;
    torii_str_t              text;
};


typedef enum {
    DNSSYNC_TASK_READY = 0,    /* a request waits for its turn */
    DNSSYNC_TASK_OUT,
    DNSSYNC_TASK_ASLEEP
} dnssync_task_state_e;

struct dnssync_task_s {
    dnssync_task_t          *next;
    dnssync_agent_t         *agent;
    dnssync_domain_t        *domain;     /* NULL: ZONES */
    dnssync_challenge_t     *challenge;
    dnssync_op_t            *op;
    dnssync_task_state_e     state;
    dnssync_shared_t        *shared;
    uint64_t                 began;
    uint32_t                 ticket;     /* OUT */
};


/* A set that servers are to answer with. */

struct dnssync_check_s {
    dnssync_check_t         *next;
    torii_arena_t           *arena;
    dnssync_domain_t        *domain;
    torii_str_t              zone;
    torii_str_t              name;
    unsigned                 type;
    torii_str_t             *values;
    uint32_t                 n;
    uint32_t                 ticket;     /* 0: not asked yet */
    uint64_t                 since;
    uint64_t                 last;       /* then it is forgotten */
};

/* A name to be resolved. */

struct dnssync_ask_s {
    torii_str_t              name;
    torii_arena_t           *arena;
    torii_str_t             *addresses;
    uint32_t                 n;
    uint32_t                 ticket;
    uint64_t                 until;      /* then it is asked for again */
    uint64_t                 used;
    unsigned                 known:1;
};

struct dnssync_challenge_s {
    dnssync_challenge_t     *next;
    torii_arena_t           *arena;
    uint32_t                 ticket;
    torii_str_t              account;
    torii_str_t              name;
    torii_str_t              value;
    uint64_t                 until;      /* not before */
    uint64_t                 last;       /* then it is given up */
    uint32_t                 wait;
    dnssync_task_t          *task;
    unsigned                 add:1;
    unsigned                 asked:1;    /* which zones there are */
    unsigned                 done:1;
    const char              *error;
};

/* What was loaded and nobody has asked for yet; or a name to be removed. */

struct dnssync_file_s {
    dnssync_file_t          *next;
    char                     name[40];
    torii_str_t              data;
};


struct dnssync_engine_s {
    torii_str_t              instance;
    uint64_t                 random;
    uint64_t                 now;
    unsigned                 observe:1;
    unsigned                 eager:1;
    unsigned                 preview:1;
    unsigned                 delegation:1;
    unsigned                 leads:1;
    unsigned                 begun:1;    /* accounts are known */
    unsigned                 rerouted:1; /* to be done */

    dnssync_agent_t        **agents;     /* by name */
    uint32_t                 nagents;
    uint32_t                 turn;
    dnssync_task_t          *tasks;

    /* objects */
    dnssync_shared_t        *source;
    dnssync_plan_t           said;       /* findings, in that memory */
    dnssync_endpoints_t      endpoints;
    torii_str_t             *gone;
    uint32_t                 ngone;
    uint64_t                 hash;
    uint32_t                 generation; /* 0: none were said yet */
    uint64_t                 first;      /* change not planned yet; 0 */
    uint64_t                 ready;      /* then it is */
    uint64_t                 settled;
    uint64_t                 lease;
    unsigned                 complete:1;
    dnssync_shared_t        *routes;     /* endpoints by zone */
    dnssync_plan_t           routed;     /* findings, in that memory */

    dnssync_ask_t           *asks;       /* by name */
    uint32_t                 nasks;
    dnssync_check_t         *checks;
    dnssync_challenge_t     *challenges;
    dnssync_challenge_t     *over;       /* told, free at the next call */
    dnssync_file_t          *files;      /* loaded */
    dnssync_file_t          *removed;
    torii_buf_t              buf;        /* being saved */
    char                     name[40];

    uint32_t                 ticket;     /* the last one */
    uint64_t                 changes;
    uint64_t                 told;
    uint64_t                 tell;       /* not before */
    uint64_t                 wake;       /* earliest thing of this round */
};


/* dnssync_engine.c */
dnssync_shared_t *dnssync_shared_create(dnssync_shared_t *under);
dnssync_shared_t *dnssync_shared_hold(dnssync_shared_t *shared);
void dnssync_shared_drop(dnssync_shared_t *shared);
void dnssync_engine_changed(dnssync_engine_t *e);
uint32_t dnssync_engine_ticket(dnssync_engine_t *e);
/* Whether the instant has come; if not, the loop wakes up then. */
int dnssync_engine_due(dnssync_engine_t *e, uint64_t *at, uint64_t most);
void dnssync_pause(dnssync_engine_t *e, dnssync_pause_t *pause,
    dnssync_trouble_e trouble, const char *error, uint64_t until);
void dnssync_pause_end(dnssync_pause_t *pause);

/* dnssync_engine_agent.c */
void dnssync_agent_free(dnssync_engine_t *e, dnssync_agent_t *a);
int dnssync_agent_due(dnssync_engine_t *e, dnssync_agent_t *a);
void dnssync_agent_zones(dnssync_engine_t *e, dnssync_agent_t *a,
    dnssync_op_t *op);
void dnssync_agent_failed(dnssync_engine_t *e, dnssync_agent_t *a,
    dnssync_pause_t *pause, const dnssync_op_t *op);
void dnssync_agent_good(dnssync_engine_t *e, dnssync_agent_t *a);
/* Whether there is room for one more operation. */
int dnssync_agent_free_slot(dnssync_engine_t *e, dnssync_agent_t *a);

/* dnssync_engine_route.c */
void dnssync_route(dnssync_engine_t *e);
/* Of all accounts, or one; the longest name that holds this one. */
dnssync_domain_t *dnssync_route_find(const dnssync_engine_t *e,
    torii_str_t account, torii_str_t name);

/* dnssync_engine_domain.c */
dnssync_domain_t *dnssync_domain_create(dnssync_engine_t *e,
    dnssync_agent_t *a, const dnssync_found_t *found);
void dnssync_domain_free(dnssync_engine_t *e, dnssync_domain_t *d);
/* Begins what it needs, if anything: TORII_OK; TORII_DECLINED: nothing now. */
int dnssync_domain_run(dnssync_engine_t *e, dnssync_domain_t *d);
int dnssync_domain_waits(const dnssync_engine_t *e, const dnssync_domain_t *d);
void dnssync_domain_stale(dnssync_engine_t *e, dnssync_domain_t *d);
void dnssync_domain_dirty(dnssync_engine_t *e, dnssync_domain_t *d,
    int urgent);
void dnssync_domain_later(dnssync_engine_t *e, dnssync_domain_t *d);

/* dnssync_engine_list.c */
void dnssync_list_done(dnssync_engine_t *e, dnssync_domain_t *d,
    dnssync_op_t *op);
void dnssync_probe_done(dnssync_engine_t *e, dnssync_domain_t *d,
    dnssync_op_t *op);
/* All that the sets refer to, in a few bytes. */
void dnssync_sets_copy(torii_arena_t *arena, dnssync_rrset_t *to,
    const dnssync_rrset_t *from, uint32_t n);
uint64_t dnssync_sets_hash(const dnssync_rrset_t *sets, uint32_t n);
void dnssync_endpoints_copy(torii_arena_t *arena, dnssync_endpoint_t *to,
    const dnssync_endpoint_t *from, uint32_t n);
uint64_t dnssync_endpoints_hash(const dnssync_endpoint_t *e, uint32_t n,
    uint64_t hash);

/* dnssync_engine_plan.c */
void dnssync_domain_plan(dnssync_engine_t *e, dnssync_domain_t *d);
void dnssync_domain_forget(dnssync_domain_t *d);

/* dnssync_engine_apply.c */
/* TORII_DECLINED: the plan is not what is to be done any more. */
int dnssync_apply(dnssync_engine_t *e, dnssync_domain_t *d);
void dnssync_apply_results(dnssync_engine_t *e, dnssync_domain_t *d,
    dnssync_op_t *op);
void dnssync_refusals_free(dnssync_domain_t *d);

/* dnssync_engine_blind.c */
void dnssync_blind_plan(dnssync_engine_t *e, dnssync_domain_t *d);

/* dnssync_engine_patch.c */
void dnssync_patch(dnssync_domain_t *d, const dnssync_op_t *op);
/* Instead of a listing that takes long; TORII_DECLINED: that is needed. */
int dnssync_patch_slow(dnssync_engine_t *e, dnssync_domain_t *d,
    const dnssync_op_t *op);
int dnssync_patch_needs_list(const dnssync_domain_t *d,
    const dnssync_edit_t *edit);

/* dnssync_engine_task.c */
dnssync_task_t *dnssync_task_create(dnssync_engine_t *e, dnssync_agent_t *a,
    dnssync_domain_t *d, dnssync_op_e what);
void dnssync_task_go(dnssync_engine_t *e, dnssync_task_t *task);
/* What was sent cannot be taken back. */
void dnssync_task_abort(dnssync_engine_t *e, dnssync_task_t *task);
int dnssync_task_next(dnssync_engine_t *e, dnssync_action_t *action);

/* dnssync_engine_ask.c */
void dnssync_asks(dnssync_engine_t *e, const dnssync_plan_t *plan);
uint32_t dnssync_ask_lookups(const dnssync_engine_t *e,
    dnssync_lookup_t *lookups);
int dnssync_ask_next(dnssync_engine_t *e, dnssync_action_t *action);
void dnssync_check(dnssync_engine_t *e, dnssync_domain_t *d,
    const dnssync_edit_t *edit);
/* Of a domain that goes; NULL: all. */
void dnssync_checks_free(dnssync_engine_t *e, const dnssync_domain_t *d);
void dnssync_asks_free(dnssync_engine_t *e);

/* dnssync_engine_delegation.c */
int dnssync_delegation_next(dnssync_engine_t *e, dnssync_action_t *action);

/* dnssync_engine_challenge.c */
int dnssync_challenge_run(dnssync_engine_t *e);
int dnssync_challenge_next(dnssync_engine_t *e, dnssync_action_t *action);
/* op NULL: it was given up for another reason, and is tried again. */
void dnssync_challenge_done(dnssync_engine_t *e, dnssync_challenge_t *c,
    const dnssync_op_t *op);
void dnssync_challenges_free(dnssync_engine_t *e);

/* dnssync_cache.c */
int dnssync_cache_next(dnssync_engine_t *e, dnssync_action_t *action);
void dnssync_cache_agent(dnssync_engine_t *e, dnssync_agent_t *a);
void dnssync_cache_domain(dnssync_engine_t *e, dnssync_domain_t *d);
void dnssync_cache_remove(dnssync_engine_t *e, torii_str_t id, char kind);
void dnssync_cache_free(dnssync_engine_t *e);


#endif /* _DNSSYNC_WORK_H_INCLUDED_ */
