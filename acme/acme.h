
/*
 * Certificates: what is wanted goes in, certificates come out, by ACME or by a
 * local issuer, and are renewed in time.  This is the scheduler above the
 * clients of acme_client.h: which order to make when, what to try after a
 * failure, how many requests a CA is asked.  sans-IO: its owner sends the
 * requests, answers the challenges, keeps the state on disk.  Instants are
 * milliseconds since 1970; the clock may jump.
 */

#ifndef _ACME_H_INCLUDED_
#define _ACME_H_INCLUDED_


#include "acme_client.h"


typedef struct acme_s  acme_t;


typedef enum {
    ACME_ISSUER_ACME = 0,
    ACME_ISSUER_CA,
    ACME_ISSUER_SELF_SIGNED
} acme_issuer_e;

typedef struct {
    torii_str_t            name;        /* unique: "ClusterIssuer/letsencrypt",
                                           "Issuer/namespace/name" */
    acme_issuer_e          type;
    torii_str_t            problem;     /* not empty: why it cannot issue */

    /* ACME */
    torii_str_t            directory;
    torii_str_t            email;       /* may be empty */
    torii_str_t            key;         /* PEM of the account's key; empty: one
                                           is made, see ACME_DO_ACCOUNT */
    torii_key_type_e       key_type;    /* of one that is made */
    torii_str_t            account;     /* URL, if known */
    unsigned               agreed:1;
    unsigned               ari:1;       /* ask for renewal information */
    unsigned               profile_required:1;
    unsigned               send_not_after:1;
    torii_str_t            eab_kid;
    torii_str_t            eab_key;     /* as given, base64url or base64 */
    unsigned               eab_bits;
    torii_str_t            preferred_chain;
    torii_str_t            profile;

    /* CA */
    torii_str_t            ca_chain;    /* PEM */
    torii_str_t            ca_key;      /* PEM */
} acme_issuer_conf_t;


typedef struct {
    torii_str_t            name;        /* as acme_name_normal() */
    uint8_t                types[ACME_CHALLENGE_MAX];   /* that the issuer's
                                           solvers allow: as in
                                           acme_identifier_t */
    torii_str_t            solver;      /* the owner's own word for the DNS
                                           provider; empty without one */
    unsigned               asked:1;     /* types are the operator's word, not
                                           the usual ones */
} acme_want_name_t;

typedef struct {
    torii_str_t            id;          /* unique: "namespace/secret" */
    torii_str_t           *issuers;     /* names, the next when one fails */
    uint32_t               nissuers;
    acme_want_name_t      *names;
    uint32_t               n;
    torii_str_t            common_name;
    torii_key_type_e       key_type;
    unsigned               traditional:1;   /* PKCS#1 or SEC 1, not PKCS#8 */
    unsigned               reuse_key:1;
    unsigned               in_use:1;    /* requests come for it */
    unsigned               no_renewal:1;    /* what is there stays, until the
                                           operator wants another one */
    uint32_t               duration;    /* s, 0: the issuer's default */
    uint32_t               renew_before;    /* s, 0: a third of its life */
    uint32_t               renew_percent;   /* of life left, 0: not set */
    int64_t                renew_now;   /* s: again if issued before then */
    torii_str_t            chain;       /* PEM of what is there now, whoever
                                           made it; empty: nothing */
    torii_str_t            key;
} acme_want_t;


/* What the owner is to do.  Strings live until the next acme_next(). */

typedef enum {
    ACME_DO_SEND = 0,          /* request → acme_answer() with its id */
    ACME_DO_SAVE,              /* keep data under name, for good, before
                                  → acme_saved(); data empty: remove it */
    ACME_DO_ACCOUNT,           /* an account's key was made: as SAVE, for where
                                  the issuer's key belongs → acme_saved() */
    ACME_DO_LOOK,              /* for TXT records of dns-persist-01
                                  → acme_looked() */
    ACME_DO_PRESENT,           /* answer the challenges of id from now on,
                                  everywhere → acme_presented() */
    ACME_DO_WITHDRAW,          /* those of id are asked for no more */
    ACME_DO_CERTIFICATE,       /* keep and serve → acme_saved() */
    ACME_DO_KEY,               /* make a key, which may take seconds
                                  → acme_key() */
    ACME_DO_EVENT              /* tell people */
} acme_do_e;

/*
 * Words of events, stable: "Issuing", "Issued", "Failed", "RateLimited",
 * "RecordMissing", "BadConfig", "Adopted", "WindowMoved", "ClockSkew",
 * "Revoked", "RolledOver".
 */

typedef struct {
    acme_do_e              what;
    uint32_t               ticket;      /* to be given back: SAVE, ACCOUNT,
                                           LOOK, PRESENT, CERTIFICATE, KEY */
    torii_str_t            issuer;      /* SEND, ACCOUNT, EVENT: its name */
    torii_str_t            want;        /* LOOK, PRESENT, WITHDRAW,
                                           CERTIFICATE, EVENT: the id, ""
                                           none */
    acme_request_t         request;     /* SEND */
    torii_str_t            name;        /* SAVE: [a-z0-9./_-], no ".." */
    torii_str_t            data;        /* SAVE; ACCOUNT: PEM */
    const acme_challenge_t  *challenges;    /* PRESENT, WITHDRAW */
    const torii_str_t     *solvers;     /* of each challenge */
    const torii_str_t     *records;     /* LOOK: names */
    uint32_t               n;
    torii_str_t            chain;       /* CERTIFICATE: PEM */
    torii_str_t            key;         /* PEM, as the want asks */
    torii_key_type_e       key_type;    /* KEY */
    const char            *reason;      /* EVENT */
    unsigned               warning:1;
    torii_str_t            text;
} acme_action_t;


typedef struct {
    uint64_t               seed;
    torii_str_t            agent;       /* unused by the machine itself */
    uint32_t               orders;      /* in flight at most, 0: 16 */
    unsigned               eager:1;     /* no random wait after a start */
    unsigned               shared:1;    /* challenges are answered by others,
                                           too, whom acme_seen() knows not */
} acme_conf_t;

acme_t *acme_create(const acme_conf_t *conf, uint64_t now);
void acme_free(acme_t *acme);

/*
 * What was saved before, each file once, before the first _begin().  One that
 * cannot be read is an event, and as if it were absent.
 */
void acme_load(acme_t *acme, torii_str_t name, torii_str_t data);

/*
 * Say all that is wanted between begin and end, in any order; what is said no
 * more is given up, its state is kept for a month.  Strings are copied.  After
 * a certificate was kept the want should be said again with it; for ten minutes
 * what it said before is taken for old.
 */
void acme_begin(acme_t *acme);
void acme_issuer(acme_t *acme, const acme_issuer_conf_t *issuer);
void acme_want(acme_t *acme, const acme_want_t *want);
void acme_end(acme_t *acme, uint64_t now);

/* TORII_OK: *action.  TORII_AGAIN: nothing for *wait ms, or until an answer. */
int acme_next(acme_t *acme, uint64_t now, acme_action_t *action,
    uint32_t *wait);
void acme_answer(acme_t *acme, uint64_t now, uint32_t id,
    const acme_response_t *res);
/* ok 0: it could not be kept; tried again later, nothing is lost meanwhile. */
void acme_saved(acme_t *acme, uint64_t now, uint32_t ticket, int ok);
/* ok 0: error says why, in words; the order is given up. */
void acme_presented(acme_t *acme, uint64_t now, uint32_t ticket, int ok,
    const char *error);
/*
 * The key is the machine's from then on, whether or not anything waits for it
 * still.  NULL: it could not be made; tried again later.
 */
void acme_key(acme_t *acme, uint64_t now, uint32_t ticket, EVP_PKEY *key);

/* What the zone's own servers say of a name. */

typedef struct {
    const torii_str_t     *values;      /* TXT, each in one piece */
    uint32_t               n;
    const char            *error;       /* none could be asked, and why */
} acme_found_t;

/* Of each record, in their order. */
void acme_looked(acme_t *acme, uint64_t now, uint32_t ticket,
    const acme_found_t *found);

/*
 * Validators have asked for a challenge of this want: how often so far, and
 * from how many addresses.
 */
void acme_seen(acme_t *acme, uint64_t now, torii_str_t want,
    acme_challenge_e type, torii_str_t identifier, uint32_t requests,
    uint32_t addresses);

/* By the operator.  TORII_DECLINED: no such want, or nothing to revoke. */
int acme_renew(acme_t *acme, uint64_t now, torii_str_t id);
int acme_revoke(acme_t *acme, uint64_t now, torii_str_t id, unsigned reason);
int acme_rollover(acme_t *acme, uint64_t now, torii_str_t issuer);


/* For the admin page, metrics and the tool. */

typedef enum {
    ACME_STATE_WAITING = 0,    /* for its turn: none yet, or due */
    ACME_STATE_ISSUING,
    ACME_STATE_VALID,
    ACME_STATE_FAILING,        /* the next attempt is at next */
    ACME_STATE_BLOCKED         /* until the operator changes something */
} acme_state_e;

typedef struct {
    torii_str_t            id;
    torii_str_t            issuer;      /* in use or to be asked next */
    acme_state_e           state;
    int64_t                not_before;  /* s, 0: there is none */
    int64_t                not_after;
    int64_t                renewal;     /* s, 0: never */
    uint64_t               next;        /* ms, next attempt; 0 none planned */
    uint32_t               failures;    /* in a row */
    acme_fail_e            fail;        /* the last one */
    torii_str_t            error;
    torii_str_t            serial;      /* hex, "" none */
} acme_status_t;

typedef struct {
    torii_str_t            name;
    acme_client_state_e    state;
    torii_str_t            account;
    torii_str_t            error;
    acme_client_counts_t   counts;
    uint64_t               paused;      /* ms, until then by the CA's limits */
    uint32_t               orders;      /* in flight */
} acme_issuer_status_t;

/* A number that is another one whenever one of these may be. */
uint64_t acme_changes(const acme_t *acme);

/* The i-th of either, in order of id; TORII_DECLINED past the last. */
int acme_status(acme_t *acme, uint32_t i, acme_status_t *status);
int acme_issuer_status(acme_t *acme, uint32_t i,
    acme_issuer_status_t *status);


#endif /* _ACME_H_INCLUDED_ */
