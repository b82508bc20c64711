
/*
 * The inside of the scheduler, private to its files.  An entry is a wanted
 * certificate with what is kept of it on disk; an account is one client of a
 * CA, which issuers with the same directory and key share.  One heap holds the
 * next instant of each; what is due waits in its account's heap of the ready
 * ones until the CA's limits let it go.
 *
 *   acme.c          the loop: clock, timers, actions out, answers in
 *   acme_want.c     what is wanted; acme_have.c, what is there
 *   acme_issuer.c   issuers; acme_account_set.c, acme_account_run.c
 *   acme_plan.c     when to renew, when to try again; acme_ari.c
 *   acme_issue.c    one issuance; acme_local.c; acme_kept.c, when it went well;
 *                   acme_fail.c, when it did not
 *   acme_look.c     records of dns-persist-01
 *   acme_proof.c    which challenge to try first, by what worked, and what is
 *                   known of one that failed
 *   acme_key.c      keys, which the owner makes
 *   acme_bucket.c   how much a CA is asked
 *   acme_save.c, acme_load.c   the files of the state
 *   acme_status.c   what people see, what operators ask for
 *   acme_action.c   the queue of what the owner is to do
 *   acme_heap.c     a heap, a map, a queue
 */

#ifndef _ACME_ENGINE_H_INCLUDED_
#define _ACME_ENGINE_H_INCLUDED_


#include "acme.h"
#include "acme_cert.h"
#include "torii_tree.h"


#define ACME_SECOND            1000ULL
#define ACME_MINUTE            (60 * ACME_SECOND)
#define ACME_HOUR              (60 * ACME_MINUTE)
#define ACME_DAY               (24 * ACME_HOUR)

#define ACME_WAIT_MAX          (10 * ACME_MINUTE)   /* between two _next() */
#define ACME_JUMP              (3 * ACME_WAIT_MAX)   /* more: it was set */
#define ACME_CLOCK_MIN         (1767225600 * ACME_SECOND)  /* 2026-01-01 */

#define ACME_ORDERS            16        /* in flight, of an account */
#define ACME_POLLS             16        /* of renewal information, likewise */
#define ACME_TICKETS           64        /* actions out at a time */
#define ACME_KEYS              2         /* RSA keys of them: they take long */
#define ACME_SLICE             16        /* timers, or PEMs read, in one call */

#define ACME_HISTORY           16        /* issuances kept of an entry */
#define ACME_SET_MAX           4         /* of a set of names in … */
#define ACME_SET_TIME          (7 * ACME_DAY)
#define ACME_TURNS             100       /* names whose challenge was changed */
#define ACME_LEAN              8         /* to neither; twice that at most */

#define ACME_START             ACME_MINUTE          /* nothing due before */
#define ACME_CROWD             100       /* due at a start: more are spread */
#define ACME_GONE              (30 * ACME_DAY)      /* given up: its state */
#define ACME_STALE             (10 * ACME_MINUTE)   /* an owner's view of a
                                            certificate that it was handed */


/* acme_heap.c */

typedef struct {
    uint64_t               key;
    uint32_t               at;          /* index + 1, 0: in no heap */
    unsigned               account:1;   /* else of an entry */
} acme_node_t;

typedef struct {
    acme_node_t          **nodes;
    uint32_t               n;
    uint32_t               size;
} acme_heap_t;

void acme_heap_free(acme_heap_t *h);
/* Puts it in, or to where its new key belongs. */
void acme_heap_set(acme_heap_t *h, acme_node_t *node, uint64_t key);
void acme_heap_remove(acme_heap_t *h, acme_node_t *node);
acme_node_t *acme_heap_top(const acme_heap_t *h);

/* By a hash that nobody outside can choose; it stands for the key. */

typedef struct {
    uint64_t              *keys;
    void                 **values;      /* NULL: free */
    uint32_t               n;
    uint32_t               size;        /* a power of two */
} acme_map_t;

void acme_map_free(acme_map_t *m);
void *acme_map_get(const acme_map_t *m, uint64_t key);
void acme_map_set(acme_map_t *m, uint64_t key, void *value);
void acme_map_remove(acme_map_t *m, uint64_t key);

typedef struct acme_queue_s  acme_queue_t;

struct acme_queue_s {
    acme_queue_t          *prev;
    acme_queue_t          *next;        /* NULL: in no queue */
};

void acme_queue_init(acme_queue_t *head);
void acme_queue_add(acme_queue_t *head, acme_queue_t *q);
void acme_queue_remove(acme_queue_t *q);
#define acme_queue_empty(head)  ((head)->next == (head))
#define acme_queue_data(q, type, field)                                       \
    ((type *) ((unsigned char *) (q) - offsetof(type, field)))


typedef struct acme_entry_s    acme_entry_t;
typedef struct acme_account_s  acme_account_t;
typedef struct acme_issuer_s   acme_issuer_t;


/* acme_action.c: what the owner is to do. */

typedef enum {
    ACME_JOB_IDLE = 0,
    ACME_JOB_QUEUED,
    ACME_JOB_OUT                        /* its ticket is not given back */
} acme_job_state_e;

typedef struct {
    acme_queue_t           queue;
    acme_do_e              what;
    acme_job_state_e       state;
    uint32_t               slot;        /* OUT: of the ticket */
    torii_key_type_e       key_type;    /* KEY */
    unsigned               slow:1;      /* KEY: one of ACME_KEYS */
    acme_entry_t          *entry;       /* either of them, or an event */
    acme_account_t        *account;
} acme_job_t;

typedef struct {
    acme_job_t            *job;         /* NULL: free */
    uint32_t               ticket;
} acme_ticket_t;

void acme_job_init(acme_job_t *job, acme_do_e what, acme_entry_t *e,
    acme_account_t *account);
/* urgent: an issuance waits for it */
void acme_job_queue(acme_t *acme, acme_job_t *job, int urgent);
void acme_job_cancel(acme_t *acme, acme_job_t *job);
/* NULL: no such ticket is out */
acme_job_t *acme_job_take(acme_t *acme, uint32_t ticket);
int acme_job_next(acme_t *acme, acme_action_t *action);
void acme_job_free_all(acme_t *acme);
/* reason is static */
void acme_event(acme_t *acme, const acme_entry_t *e, torii_str_t issuer,
    const char *reason, int warning, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));


/* acme_bucket.c: a bucket is the instant at which it will be full again. */

typedef struct {
    uint64_t               full;
    uint64_t               until;       /* paused */
} acme_bucket_t;

typedef struct {
    uint32_t               burst;
    uint64_t               interval;    /* ms, of one more */
} acme_rate_t;

extern const acme_rate_t  acme_rate_orders;    /* of an account */
extern const acme_rate_t  acme_rate_failures;  /* of a name */

/* The instant from which on one can be taken: now, or later. */
uint64_t acme_bucket_when(const acme_bucket_t *b, const acme_rate_t *rate,
    uint64_t now);
void acme_bucket_spend(acme_bucket_t *b, const acme_rate_t *rate,
    uint64_t now);

/* Issuances of one set of names. */

typedef struct {
    uint64_t               at[ACME_SET_MAX];    /* the oldest first */
    uint64_t               until;
} acme_set_t;

uint64_t acme_set_when(acme_t *acme, uint64_t set, uint64_t now);
void acme_set_add(acme_t *acme, uint64_t set, uint64_t at);
void acme_set_pause(acme_t *acme, uint64_t set, uint64_t until);

/* A name has failed; how long its failures and its domain's pause hold. */
void acme_name_failed(acme_t *acme, torii_str_t name);
uint64_t acme_name_when(acme_t *acme, torii_str_t name, uint64_t now);
void acme_name_pause(acme_t *acme, torii_str_t name, int domain,
    uint64_t until);
/* Those that hold nothing any more are dropped; the clock jumped by shift. */
void acme_name_sweep(acme_t *acme);
void acme_name_shift(acme_t *acme, int64_t shift);
void acme_bucket_free_all(acme_t *acme);

/* Which limit a refusal is about, by its words. */

typedef enum {
    ACME_SCOPE_ACCOUNT = 0,
    ACME_SCOPE_DOMAIN,
    ACME_SCOPE_NAME,
    ACME_SCOPE_SET,
    ACME_SCOPE_OPERATOR                 /* until somebody acts at the CA */
} acme_scope_e;

acme_scope_e acme_scope(const acme_problem_t *problem, torii_str_t *name);


/* What is kept of an entry on disk. */

typedef struct {
    uint64_t               set;
    uint64_t               at;          /* ms */
} acme_past_t;

/* Where a name is in the list of its challenges, DNS records apart that are
   there for good. */

typedef struct {
    uint64_t               name;        /* hash */
    uint32_t               n;           /* the first to be tried */
    unsigned               held:1;      /* it failed, though it was asked for */
    unsigned               wary:1;      /* dns-persist-01 failed: the last */
} acme_turn_t;

typedef struct {
    uint32_t               fails;       /* in a row */
    uint32_t               tries;       /* of them with this issuer */
    uint32_t               turn;        /* issuers that were turned away from */
    acme_fail_e            fail;
    torii_str_t            error;
    uint64_t               retry;       /* ms, not before */
    uint64_t               attempt;     /* ms, when the last one began */
    unsigned               pending:1;   /* it did, and its end is not known */
    unsigned               no_profile:1;
    unsigned               no_replaces:1;
    unsigned               counted:1;   /* the order's certificate, in past */
    uint64_t               conf;        /* acme_entry_t.core that failed */
    uint64_t               blocked;     /* acme_entry_state(), 0: it is not */

    torii_str_t            url;         /* of an order to go on with */
    torii_str_t            key;         /* PEM, of its certificate */
    uint64_t               expires;
    uint64_t               account;     /* whose order, acme_account_t.id */
    uint64_t               set;         /* and for which names */

    torii_str_t            ari;         /* certID of the window */
    int64_t                start;       /* s */
    int64_t                end;
    int64_t                chosen;
    uint64_t               poll;        /* ms */
    uint64_t               forced;      /* ms, the CA's window made us renew */
    uint32_t               loops;       /* soon after the last such time */

    torii_str_t            sound;       /* acme_have_mark() of what was read
                                           and found to be good */
    torii_str_t            serial;      /* of what was issued or adopted */
    uint64_t               issued;      /* ms, 0: adopted */
    uint64_t               by;          /* acme_account_t.id */
    uint64_t               spec;        /* what it was issued for */
    int64_t                life;        /* s */

    acme_turn_t           *turns;
    uint32_t               nturns;
    acme_past_t            past[ACME_HISTORY];
    uint32_t               npast;
    uint64_t               gone;        /* ms, when it was given up */
} acme_saved_t;


/* What is there, as read from the want's PEM or from what was issued. */

typedef struct {
    torii_arena_t         *arena;       /* NULL: nothing that is sound */
    acme_chain_t           chain;
} acme_have_t;

/* What was seen of a challenge. */

typedef struct {
    uint32_t               requests;
    uint32_t               addresses;
} acme_proof_t;

typedef enum {
    ACME_PHASE_IDLE = 0,
    ACME_PHASE_READY,                   /* waits for its turn */
    ACME_PHASE_ACCOUNT,                 /* records name it: it is made first */
    ACME_PHASE_PROBE,                   /* the owner looks for records … */
    ACME_PHASE_KEY,                     /* its key is being made */
    ACME_PHASE_RECORD,                  /* the attempt is being saved */
    ACME_PHASE_ORDER,                   /* see its step */
    ACME_PHASE_CREATED,                 /* the order's URL is being saved */
    ACME_PHASE_LOOK,                    /* … as the CA offers that */
    ACME_PHASE_PRESENT,                 /* the owner shows its challenges */
    ACME_PHASE_KEEP                     /* the owner keeps the certificate */
} acme_phase_e;

struct acme_entry_s {
    acme_node_t            timer;
    acme_node_t            ready;
    acme_queue_t           check;       /* its PEM is to be read */
    acme_queue_t           flight;      /* from ACCOUNT on */
    acme_t                *acme;
    torii_str_t            id;
    uint64_t               hash;        /* of id */

    torii_arena_t         *arena;       /* of want */
    acme_want_t            want;        /* chain and key apart */
    uint64_t               digest;      /* of want without them */
    uint64_t               core;        /* of what an order depends on */
    uint64_t               pem;         /* hash of chain and key */
    torii_str_t            chain;       /* until they are read */
    torii_str_t            key;
    uint64_t               set;
    uint32_t               generation;
    unsigned               wanted:1;
    unsigned               checked:1;
    unsigned               stale:1;     /* not read, see fresh */
    unsigned               replan:1;
    unsigned               first:1;     /* not looked at since the start */
    unsigned               forced:1;    /* by the operator */
    unsigned               new_key:1;

    acme_have_t            have;
    uint64_t               before;      /* pem when have was issued */
    uint64_t               handed;      /* pem of what the owner was handed */
    uint64_t               fresh;       /* until then before is passed over */
    const char            *bad;         /* what is wrong with bad_name */
    torii_str_t            bad_name;
    acme_saved_t           saved;

    uint64_t               hold;        /* ms, of the start's spreading */
    uint64_t               next;        /* ms, 0: nothing is planned */
    uint64_t               renewal;     /* ms, UINT64_MAX: never */
    uint64_t               ari;         /* ms, next poll; 0 none */
    uint32_t               ari_fails;
    acme_operation_t      *poll;
    acme_account_t        *poll_account;
    acme_operation_t      *revoke;
    acme_account_t        *revoke_account;

    acme_phase_e           phase;
    acme_issuer_t         *issuer;      /* from READY on */
    acme_account_t        *account;     /* NULL: a local issuer */
    acme_order_t          *order;
    EVP_PKEY              *order_key;
    unsigned               resumed:1;
    unsigned               replaces:1;
    unsigned               profiled:1;
    unsigned               exempt:1;
    unsigned               again_csr:1; /* a second key is being tried */
    torii_buf_t            issued;      /* KEEP: the chain */
    acme_have_t            coming;      /* KEEP: what is in it */
    torii_arena_t         *shown;       /* challenges, from PRESENT on */
    acme_challenge_t      *challenges;
    torii_str_t           *solvers;
    acme_proof_t          *proofs;
    uint32_t               nchallenges;
    torii_arena_t         *looking;     /* records, in PROBE and LOOK */
    torii_str_t           *records;
    uint32_t               nrecords;
    uint32_t               looks;       /* in a row that found none */

    unsigned               dirty:1;     /* to be saved */
    unsigned               remove:1;    /* its file, then itself */
    uint32_t               save_fails;
    uint64_t               save_at;     /* ms, after a failure */
    uint32_t               keep_fails;
    uint64_t               keep_at;
    acme_job_t             save;
    acme_job_t             make;        /* KEY */
    acme_job_t             look;
    acme_job_t             present;
    acme_job_t             withdraw;
    acme_job_t             keep;
};


struct acme_issuer_s {
    acme_t                *acme;
    acme_issuer_t         *next;
    torii_arena_t         *arena;
    acme_issuer_conf_t     conf;
    uint64_t               hash;        /* of its name */
    uint64_t               digest;      /* of conf without key and account */
    uint64_t               key;         /* hash, as given */
    uint32_t               generation;
    unsigned               changed:1;
    acme_account_t        *account;     /* NULL: local, or not usable */
    EVP_PKEY              *ca_key;
    char                   problem[256];    /* why it is not usable */
};

struct acme_account_s {
    acme_node_t            timer;
    acme_account_t        *next;
    acme_t                *acme;
    torii_arena_t         *arena;       /* of conf, issuer, email */
    acme_client_conf_t     conf;
    torii_str_t            issuer;      /* the first that needed it */
    torii_str_t            email;
    uint64_t               digest;      /* of what conf was made of */
    uint64_t               id;          /* for its life, whatever its key */
    uint64_t               kid;         /* of directory and key */
    uint64_t               old_kid;     /* of the key before, 0 none */
    EVP_PKEY              *key;         /* NULL: the first is being made */
    torii_str_t            url;
    torii_str_t            contacted;   /* the address that the CA has */
    torii_str_t            domains;     /* the CA's, of dns-persist-01 */
    uint32_t               lean;        /* to http-01, as far as it is above
                                           ACME_LEAN; below, tls-alpn-01 */
    torii_str_t            made;        /* PEM, a key that is to be kept */
    torii_str_t            next_key;    /* PEM, of a rollover */
    EVP_PKEY              *next_pkey;
    acme_operation_t      *operation;   /* rollover, contacts */
    acme_client_t         *client;      /* NULL: not before the key is kept */
    uint32_t               refs;
    unsigned               unkept:1;    /* its key is new, and not yet safe */
    unsigned               making:1;    /* a key, the first or the next */
    unsigned               rolling:1;
    unsigned               resumed:1;   /* rolling since before the start */
    unsigned               reset:1;     /* its client is to be made anew */
    unsigned               contact_tried:1;
    unsigned               dirty:1;
    unsigned               stopped:1;   /* the operator must act: problem */
    acme_problem_t         problem;

    acme_heap_t            ready;
    acme_heap_t            exempt;      /* from the limits */
    acme_bucket_t          orders;      /* until: by the CA's limits */
    uint64_t               until;       /* the CA is ill */
    uint32_t               ill;         /* times in a row */
    unsigned               probe:1;     /* one order first */
    uint32_t               in_flight;
    uint32_t               polls;
    uint64_t               wait;        /* the client's next instant */
    uint64_t               save_at;
    uint64_t               key_at;
    uint64_t               skew_told;
    acme_job_t             save;
    acme_job_t             make;        /* KEY */
    acme_job_t             keep;        /* ACCOUNT */
};

/* A request that is out. */

typedef struct {
    uint32_t               id;
    uint32_t               client_id;
    acme_account_t        *account;
} acme_sent_t;

/* An account's file, until its account is made. */

typedef struct acme_known_s  acme_known_t;

struct acme_known_s {
    acme_known_t          *next;
    torii_str_t            issuer;
    torii_str_t            url;
    torii_str_t            email;
    torii_str_t            domains;
    torii_str_t            next_key;
    uint64_t               id;
    uint64_t               kid;
    uint64_t               next_kid;
    uint32_t               lean;
};

struct acme_s {
    uint64_t               seed;
    uint64_t               salt;        /* of the maps */
    uint32_t               orders;
    unsigned               eager:1;
    unsigned               shared:1;
    unsigned               started:1;   /* an _end() was */
    unsigned               lost:1;      /* the clock is out of its mind */
    uint64_t               now;
    uint64_t               start;
    uint32_t               generation;
    uint32_t               due;         /* entries, at the start */
    uint64_t               changes;     /* of what acme_status() says */

    acme_map_t             entries;
    acme_map_t             sets;
    acme_map_t             names;
    uint32_t               swept;       /* names after the last sweep */
    acme_heap_t            timers;
    acme_queue_t           checks;
    acme_queue_t           flight;
    acme_queue_t           tells;       /* jobs without a ticket */
    acme_queue_t           jobs;
    acme_queue_t           later;       /* jobs that nothing waits for */
    acme_queue_t           keys;        /* slow ones to be made */
    uint32_t               making;      /* of them, out */
    acme_issuer_t         *issuers;
    acme_account_t        *accounts;
    acme_account_t        *turn;        /* whose client is asked next */
    acme_known_t          *known;
    torii_arena_t         *loaded;      /* of known */
    uint32_t               nloaded;

    unsigned               issuers_changed:1;

    acme_ticket_t          tickets[ACME_TICKETS];
    uint32_t               out;
    uint32_t               last_ticket;
    acme_sent_t           *sent;
    uint32_t               nsent;
    uint32_t               sent_size;
    uint32_t               last_id;

    torii_arena_t         *scratch;     /* strings of the action */
    torii_buf_t            data;
    acme_entry_t         **sorted;      /* for acme_status(), NULL: anew */
    uint32_t               nsorted;
    torii_buf_t            shown;
};


/* acme.c */
/* Its requests that are out are answered to nobody. */
void acme_engine_forget(acme_account_t *a);
void acme_clock(acme_t *acme, uint64_t now);
void acme_engine_touch(acme_account_t *a);
uint32_t acme_engine_random(acme_t *acme, uint32_t n);
uint64_t acme_engine_spread(acme_t *acme, uint64_t span);
uint64_t acme_engine_hash(const acme_t *acme, torii_str_t s);
/* A copy of its own, from malloc(), wiped when it goes. */
void acme_keep(torii_str_t *to, torii_str_t from);

/* acme_want.c */
acme_entry_t *acme_entry_get(acme_t *acme, torii_str_t id, int create);
void acme_entry_free(acme_entry_t *e);
uint64_t acme_pem_hash(torii_str_t chain, torii_str_t key);
/* What is to change before a blocked one is tried again. */
uint64_t acme_entry_state(const acme_entry_t *e);
/* What a certificate is issued for; 0: the issuer is not known. */
uint64_t acme_entry_spec(const acme_entry_t *e);
/* The issuer whose turn it is; NULL: it does not exist. */
acme_issuer_t *acme_entry_issuer(const acme_entry_t *e);

/* acme_have.c */
void acme_entry_check(acme_entry_t *e);
void acme_have_free(acme_have_t *have);
int acme_have_read(acme_t *acme, acme_have_t *have, torii_str_t pem,
    EVP_PKEY *key, char error[256]);
/* Of chain and key, whatever blanks are around them: SHA-256 in base64url. */
void acme_have_mark(torii_str_t chain, torii_str_t key, torii_buf_t *mark);
/* What is there has all names of the want. */
int acme_have_covers(const acme_entry_t *e);

/* acme_issuer.c */
acme_issuer_t *acme_issuer_get(const acme_t *acme, torii_str_t name);
/* After all were said: accounts for those that are new or changed. */
void acme_issuer_apply(acme_t *acme);
void acme_issuer_free_all(acme_t *acme);

/* acme_account_set.c: which accounts there are */
/* TORII_ERROR: issuer->problem */
int acme_account_assign(acme_issuer_t *issuer);
void acme_account_free_unused(acme_t *acme);
/* A new client: the clock jumped, or its configuration changed. */
void acme_account_reset(acme_account_t *a);
uint64_t acme_account_kid(torii_str_t directory, EVP_PKEY *key);

/* The key that was asked for, or NULL. */
void acme_account_keyed(acme_account_t *a, EVP_PKEY *key);

/* acme_account_run.c: what one does */
void acme_account_due(acme_account_t *a);
/* Its timer: the earliest of all that it waits for. */
void acme_account_plan(acme_account_t *a);
void acme_account_save(acme_account_t *a);
void acme_account_saved(acme_account_t *a, int ok);
void acme_account_kept(acme_account_t *a, int ok);
/* The next key is there, as PEM in next_key, too. */
void acme_account_roll_over(acme_account_t *a, EVP_PKEY *key);
/* After an answer: is the account new, do the clocks differ, may it go on. */
void acme_account_look(acme_account_t *a);
void acme_account_ill(acme_account_t *a, const acme_problem_t *problem);
void acme_account_well(acme_account_t *a);
void acme_account_stop(acme_account_t *a, const acme_problem_t *problem);
void acme_account_resume(acme_account_t *a);

/* acme_plan.c */
uint64_t acme_plan_renewal(acme_entry_t *e);
uint32_t acme_plan_priority(const acme_entry_t *e);
uint64_t acme_plan_backoff(acme_entry_t *e);
/* Seconds, by the CA's clock when ours is far from it. */
int64_t acme_plan_wall(const acme_entry_t *e);
/* Works next, renewal and the timer out anew; for an IDLE one. */
void acme_plan(acme_entry_t *e);
void acme_plan_due(acme_entry_t *e);
/* Less than 1 / part of its life is left, or nothing. */
int acme_plan_short(const acme_entry_t *e, int64_t part);

/* acme_ari.c */
void acme_ari_start(acme_entry_t *e);
void acme_ari_poll(acme_entry_t *e);
void acme_ari_cancel(acme_entry_t *e);
void acme_ari_forced(acme_entry_t *e);
/* The window is of what is there now. */
int acme_ari_known(const acme_entry_t *e);

/* acme_issue.c */
void acme_issue_begin(acme_entry_t *e);
/* It may be ordered: records that are needed are there. */
void acme_issue_probed(acme_entry_t *e);
/* It has its key: the attempt is put on disk. */
void acme_issue_record(acme_entry_t *e);
void acme_issue_recorded(acme_entry_t *e);
void acme_issue_step(acme_entry_t *e);
void acme_issue_presented(acme_entry_t *e, int ok, const char *error);
void acme_issue_withdraw(acme_entry_t *e);
/* Back to IDLE, and the slot to the account. */
void acme_issue_release(acme_entry_t *e);
/* The same from outside; what the CA has of the order stays in saved. */
void acme_issue_abort(acme_entry_t *e);
void acme_issue_drop_order(acme_entry_t *e);
int acme_issue_resumable(const acme_entry_t *e, const acme_account_t *a);
int acme_issue_replaces(const acme_entry_t *e, const acme_account_t *a);
/* EXEMPT from the CA's limits: a renewal in its window */
int acme_issue_exempt(const acme_entry_t *e, const acme_account_t *a);

/* acme_look.c */
/* TORII_AGAIN: acme_issue_probed() is to come, or its end. */
int acme_look_first(acme_entry_t *e);
/* Whether the account is there meanwhile. */
void acme_look_account(acme_entry_t *e);
/* The order asks for it. */
void acme_look_order(acme_entry_t *e);
void acme_look_free(acme_entry_t *e);
/* What the CA calls itself is kept. */
void acme_look_learn(acme_account_t *a);
uint64_t acme_look_backoff(acme_entry_t *e);

/* acme_proof.c */
/* In order of trial, what the name can be shown with; 0: nothing. */
uint32_t acme_proof_types(const acme_entry_t *e, const acme_want_name_t *name,
    uint8_t types[ACME_CHALLENGE_MAX]);
/* All that was shown has worked. */
void acme_proof_well(acme_entry_t *e);
/* The next order for this name may try another one. */
void acme_proof_failed(acme_entry_t *e, const acme_want_name_t *name);
/* What a person needs to know of the failure of a name. */
void acme_proof_words(const acme_entry_t *e, const acme_problem_t *problem,
    torii_buf_t *b);

/* acme_key.c */
/* Queues an entry's or an account's job; see acme_key(). */
void acme_key_ask(acme_t *acme, acme_job_t *job, torii_key_type_e type);
/* As PEM, wiped by acme_keep().  TORII_ERROR: also when there is no key. */
int acme_key_keep(torii_str_t *to, EVP_PKEY *key);
/* The issuance gets a key, and goes on when it has it. */
void acme_issue_make(acme_entry_t *e);

/* acme_kept.c */
void acme_issue_issued(acme_entry_t *e, torii_str_t chain);
void acme_issue_kept(acme_entry_t *e, int ok);

/* acme_fail.c */
void acme_issue_failed(acme_entry_t *e, const acme_problem_t *problem);
void acme_issue_refused(acme_entry_t *e, acme_fail_e fail, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* acme_local.c: from its key on */
void acme_local_issue(acme_entry_t *e);

/* acme_save.c */
void acme_save(acme_entry_t *e);
void acme_save_done(acme_entry_t *e, int ok);
void acme_save_name(acme_t *acme, const acme_entry_t *e, torii_buf_t *b);
void acme_save_write(const acme_entry_t *e, torii_buf_t *b);
void acme_save_account_name(const acme_account_t *a, torii_buf_t *b);
void acme_save_account(const acme_account_t *a, torii_buf_t *b);


#endif /* _ACME_ENGINE_H_INCLUDED_ */
