
/*
 * The engine: objects, addresses and accounts go in, requests to providers come
 * out.  It decides which zones are read and when, plans (dnssync_plan.h) and
 * has drivers (dnssync_driver.h) do what was planned, a zone at a time; what
 * fails holds up its own zone or account only.  sans-IO: its owner sends,
 * resolves, looks at servers, keeps files.  Instants are milliseconds since
 * 1970; the clock may jump.
 */

#ifndef _DNSSYNC_ENGINE_H_INCLUDED_
#define _DNSSYNC_ENGINE_H_INCLUDED_


#include "dnssync_driver.h"
#include "dnssync_source.h"


typedef struct dnssync_engine_s  dnssync_engine_t;


typedef struct {
    torii_str_t                instance;   /* WRITER.RUN (dnssync_lock.c); "":
                                              it does not stay */
    uint64_t                   seed;       /* of jitter */
    unsigned                   observe:1;  /* plans, and writes nothing: as if
                                              the policy were "sync" … */
    unsigned                   eager:1;    /* … but not if it runs once, for
                                              which there is no quiet window */
    unsigned                   preview:1;  /* dnssync_conf_t */
    unsigned                   delegation:1;   /* DNSSYNC_DO_SERVERS is asked */
} dnssync_engine_conf_t;

dnssync_engine_t *dnssync_engine_create(const dnssync_engine_conf_t *conf,
    uint64_t now);
void dnssync_engine_free(dnssync_engine_t *engine);

/*
 * What was saved before (DNSSYNC_DO_SAVE), each file once, before the first
 * _begin().  TORII_DECLINED: damaged or unknown, as if it were absent.
 */
int dnssync_engine_load(dnssync_engine_t *engine, torii_str_t name,
    torii_str_t data);


/*
 * Say all accounts between begin and end, in any order; each is the engine's
 * from then on, even if it is the same as before (by its hash) and freed at
 * once.  What is said no more is given up.  When not all accounts may be known,
 * do not begin.
 */
void dnssync_engine_begin(dnssync_engine_t *engine);
void dnssync_engine_account(dnssync_engine_t *engine, uint64_t now,
    dnssync_account_t *account);
void dnssync_engine_end(dnssync_engine_t *engine, uint64_t now);


/*
 * All objects whose hosts are to be in DNS; everything is copied, served() is
 * called meanwhile only.  complete 0: some may be missing, then nothing is
 * deleted.  gone: hosts seen to be deleted, which spares them the delay.  Say
 * it anew whenever something may be different; what is the same costs little.
 */

typedef struct {
    dnssync_source_conf_t      conf;
    const dnssync_object_t    *objects;
    uint32_t                   n;
    const torii_str_t         *gone;
    uint32_t                   ngone;
    unsigned                   complete:1;
} dnssync_objects_t;

void dnssync_engine_source(dnssync_engine_t *engine, uint64_t now,
    const dnssync_objects_t *objects);

/*
 * Only a leader asks or writes anything.  lease: ms of its term; a new leader
 * deletes nothing for two of them.  0: there cannot be another one.
 */
void dnssync_engine_lead(dnssync_engine_t *engine, uint64_t now, int leads,
    uint64_t lease);


/* What the owner is to do.  Strings live until the next call. */

typedef enum {
    DNSSYNC_DO_SEND = 0,       /* request → dnssync_engine_answer() */
    DNSSYNC_DO_RESOLVE,        /* addresses of name, by the system's resolver
                                  → dnssync_engine_resolved() */
    DNSSYNC_DO_VERIFY,         /* wait until all authoritative servers of zone
                                  answer so, some minutes at most
                                  → dnssync_engine_verified() */
    DNSSYNC_DO_SERVERS,        /* the name servers that zone is delegated to
                                  → dnssync_engine_servers() */
    DNSSYNC_DO_SAVE,           /* keep data under name, a file in one folder,
                                  [a-z0-9.-]; data empty: remove it.  No reply:
                                  what is lost is read anew */
    DNSSYNC_DO_CHALLENGED,     /* a challenge is done, or failed: error */
    DNSSYNC_DO_CHANGED         /* findings, report or counters are other ones;
                                  at most once in a second */
} dnssync_do_e;

typedef struct {
    dnssync_do_e               what;
    uint32_t                   ticket;     /* to be given back; never 0 */
    torii_str_t                account;    /* SEND: its name */
    const dnssync_request_t   *request;    /* SEND; lives until its answer */
    torii_str_t                zone;       /* VERIFY, SERVERS: its name */
    torii_str_t                name;       /* RESOLVE, VERIFY, SAVE */
    unsigned                   type;       /* VERIFY */
    const torii_str_t         *values;     /* VERIFY: the whole set, in any
                                              order */
    uint32_t                   n;
    torii_str_t                data;       /* SAVE */
    const char                *error;      /* CHALLENGED; NULL: it is done */
} dnssync_action_t;

/* TORII_OK: *action.  TORII_AGAIN: nothing for *wait ms, or until a call. */
int dnssync_engine_next(dnssync_engine_t *engine, uint64_t now,
    dnssync_action_t *action, uint32_t *wait);

/*
 * TORII_OK: the ticket is done with, and a stream to be closed.  TORII_AGAIN:
 * it is a stream that goes on, the next answer comes by the same ticket.  A
 * ticket that is wanted no more is as good as any other.
 */
int dnssync_engine_answer(dnssync_engine_t *engine, uint64_t now,
    uint32_t ticket, const dnssync_answer_t *answer);
/* Whether the answer is waited for still. */
int dnssync_engine_waits(const dnssync_engine_t *engine, uint32_t ticket);

/* n 0: it failed.  ttl: seconds that they are good for. */
void dnssync_engine_resolved(dnssync_engine_t *engine, uint64_t now,
    uint32_t ticket, const torii_str_t *addresses, uint32_t n, uint32_t ttl);
/* error NULL: all servers answered so. */
void dnssync_engine_verified(dnssync_engine_t *engine, uint64_t now,
    uint32_t ticket, const char *error);
/* n 0: it is not delegated; error: that is not known. */
void dnssync_engine_servers(dnssync_engine_t *engine, uint64_t now,
    uint32_t ticket, const char *error, const torii_str_t *servers,
    uint32_t n);


/*
 * By the operator.  account, zone: "" is all; zone is a name or an id.
 * ack: deletions that the brake holds may go, and how many of them there are.
 * adopt: once, then as before; TORII_DECLINED: there is no such account.
 * refresh: all zones are read anew, whole.
 */
uint32_t dnssync_engine_ack(dnssync_engine_t *engine, uint64_t now,
    torii_str_t account, torii_str_t zone);
int dnssync_engine_adopt(dnssync_engine_t *engine, uint64_t now,
    torii_str_t account, const dnssync_adopt_t *adopt);
void dnssync_engine_refresh(dnssync_engine_t *engine, uint64_t now);

/*
 * A TXT record for ACME, by an account, or by the one that has the zone ("").
 * The ticket that DNSSYNC_DO_CHALLENGED will have.
 */
uint32_t dnssync_engine_challenge(dnssync_engine_t *engine, uint64_t now,
    torii_str_t account, torii_str_t name, torii_str_t value, int add);


/* For the admin page, metrics and the tool. */

typedef struct {
    const char                *why;        /* a word: dnssync_why_word(),
                                              dnssync_trouble_word() */
    torii_str_t                account;    /* "" if it is about none, as … */
    torii_str_t                zone;       /* … a name, … */
    torii_str_t                name;
    torii_str_t                resource;
    torii_str_t                text;
} dnssync_notice_t;

typedef struct {
    torii_str_t                name;
    const char                *driver;
    dnssync_trouble_e          trouble;    /* the last one, NONE since */
    torii_str_t                error;
    uint64_t                   until;      /* not asked before; 0 */
    uint32_t                   zones;
    uint32_t                   factor;     /* of its rate, percent */
    uint64_t                   requests;   /* sent, since the start … */
    uint64_t                   failures[DNSSYNC_TROUBLES];  /* of operations */
    uint64_t                   edits[DNSSYNC_EDIT_DELETE + 1];  /* done */
    uint64_t                   refused;
    uint64_t                   lost;
} dnssync_account_status_t;

typedef struct {
    torii_str_t                account;
    torii_str_t                id;
    torii_str_t                name;
    torii_str_t                view;
    dnssync_zone_state_e       state;
    dnssync_trouble_e          trouble;
    torii_str_t                error;
    uint64_t                   listed;     /* ms; 0: never */
    uint64_t                   next;       /* ms: the next look */
    uint32_t                   sets;
    uint32_t                   owned;
    uint32_t                   hosts;      /* that are wanted in it */
    uint32_t                   pending;    /* edits */
    uint32_t                   held;       /* by the brake */
    uint32_t                   probes;     /* operations, since the start */
    uint32_t                   lists;
    uint32_t                   applies;
    uint64_t                   propagation;    /* ms, the last that was seen */
    unsigned                   used:1;     /* it is read at all */
    unsigned                   frozen:1;   /* another account has it, too */
} dnssync_zone_status_t;

/* A number that is another one whenever one of these may be. */
uint64_t dnssync_engine_changes(const dnssync_engine_t *engine);

/* The i-th of each; TORII_DECLINED past the last. */
int dnssync_engine_notice(const dnssync_engine_t *engine, uint32_t i,
    dnssync_notice_t *notice);
int dnssync_engine_account_status(const dnssync_engine_t *engine, uint32_t i,
    dnssync_account_status_t *status);
int dnssync_engine_zone_status(const dnssync_engine_t *engine, uint32_t i,
    dnssync_zone_status_t *status);

/*
 * {"leader": true, "complete": …, "accounts": […], "zones": […], "findings":
 * […], "hosts": […]}; hosts are left out unless they are asked for.
 */
void dnssync_engine_report(const dnssync_engine_t *engine, uint64_t now,
    int hosts, torii_buf_t *json);

/* What is planned and not done, with its account; visit() returns 0 to stop. */
void dnssync_engine_edits(const dnssync_engine_t *engine,
    int (*visit)(void *data, torii_str_t account, const dnssync_edit_t *edit),
    void *data);

/*
 * Each account and each zone in use was read, or failed; nothing is to be done
 * now, but what has to wait for its time.
 */
int dnssync_engine_idle(const dnssync_engine_t *engine);


#endif /* _DNSSYNC_ENGINE_H_INCLUDED_ */
