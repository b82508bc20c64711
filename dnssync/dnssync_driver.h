
/*
 * Drivers: how a provider is asked which zones there are, what they hold, and
 * to change it.  sans-IO: an operation gives out one request at a time, HTTP or
 * DNS, and is handed the answer.  One table of drivers, one row each.
 *
 * What came back counts as a zone's contents only with the provider's own proof
 * that it is all: a count, the closing SOA, the last page's mark.  A change is
 * sent with what must hold (dnssync_edit_t.requires) as far as the provider can
 * check it; what it cannot, is read just before.
 */

#ifndef _DNSSYNC_DRIVER_H_INCLUDED_
#define _DNSSYNC_DRIVER_H_INCLUDED_


#include "dnssync_plan.h"


#define DNSSYNC_BODY_MAX      (64 * 1024 * 1024)   /* of one HTTP answer */
#define DNSSYNC_HEADERS_MAX   8
#define DNSSYNC_FIELDS_MAX    4
#define DNSSYNC_ZONES_MAX     10000


typedef struct dnssync_driver_s   dnssync_driver_t;
typedef struct dnssync_account_s  dnssync_account_t;
typedef struct dnssync_op_s       dnssync_op_t;


/*
 * What to send.  With a URL it is HTTP, redirects are not followed; else a DNS
 * message.  Strings live until the next call for the operation.  Headers, body
 * and login may be secrets.
 */

typedef struct {
    const char            *method;
    torii_str_t            url;
    torii_str_t            headers[DNSSYNC_HEADERS_MAX];  /* "Name: value" */
    uint32_t               nheaders;
    torii_str_t            body;
    torii_str_t            sign;       /* "aws:amz:REGION:SERVICE": SigV4, by
                                          libcurl, with login */
    torii_str_t            login;      /* "user:password", or "key:secret" */
    const char *const     *fields;     /* of the answer's head, NULL at the end,
                                          DNSSYNC_FIELDS_MAX of them at most */

    torii_str_t            server;     /* "host[:53]", "[IPv6]:53" */
    torii_str_t            message;
    unsigned               tcp:1;
    unsigned               stream:1;   /* several answers, until the operation
                                          wants something else */
    unsigned               tls:1;      /* DNS over TLS, or HTTPS with a CA … */
    torii_str_t            ca;         /* … of its own, PEM; or empty */

    uint32_t               timeout;    /* ms */
    uint32_t               cost;       /* in units of the account's rate */
} dnssync_request_t;

typedef struct {
    unsigned               status;     /* of HTTP; 0: no answer */
    torii_str_t            type;       /* Content-Type */
    torii_str_t            fields[DNSSYNC_FIELDS_MAX];
    uint32_t               retry_after;    /* s; 0: not said */
    torii_str_t            body;       /* or the DNS message */
    const char            *error;      /* why there is no answer, in words */
} dnssync_answer_t;


typedef enum {
    DNSSYNC_OP_ZONES = 0,      /* out: zones */
    DNSSYNC_OP_PROBE,          /* whether zone still has this version */
    DNSSYNC_OP_LIST,           /* out: sets, version */
    DNSSYNC_OP_APPLY,          /* out: an outcome for each edit */
    DNSSYNC_OP_CHALLENGE,      /* one value of a TXT record, added or removed;
                                  others at the name stay */
    DNSSYNC_OP_ADJUST          /* endpoints as the provider would have them */
} dnssync_op_e;

typedef enum {
    DNSSYNC_OP_SEND = 0,       /* op->request; then dnssync_op_answer() */
    DNSSYNC_OP_MORE,           /* a stream goes on: hand in the next answer */
    DNSSYNC_OP_SLEEP,          /* op->until; then dnssync_op_go() */
    DNSSYNC_OP_DONE,
    DNSSYNC_OP_FAILED          /* op->trouble, op->error */
} dnssync_op_step_e;

/* Why an operation came to nothing, and with that: what helps. */

typedef enum {
    DNSSYNC_TROUBLE_NONE = 0,
    DNSSYNC_TROUBLE_DOWN,      /* no answer, 5xx: later */
    DNSSYNC_TROUBLE_THROTTLED, /* not before op->until */
    DNSSYNC_TROUBLE_DENIED,    /* credentials or rights: the operator's */
    DNSSYNC_TROUBLE_ANSWER,    /* one that makes no sense, or is not whole */
    DNSSYNC_TROUBLE_SETTING,   /* no such zone, not supported */
    DNSSYNC_TROUBLES
} dnssync_trouble_e;

const char *dnssync_trouble_word(dnssync_trouble_e trouble);


/* What became of an edit. */

typedef enum {
    DNSSYNC_OUTCOME_LATER = 0, /* not done: the operation failed before */
    DNSSYNC_OUTCOME_DONE,
    DNSSYNC_OUTCOME_LOST,      /* something else is there now: list again */
    DNSSYNC_OUTCOME_REFUSED,   /* the provider will not have it */
    DNSSYNC_OUTCOME_UNSURE     /* sent, and no answer: list again */
} dnssync_outcome_e;

typedef struct {
    dnssync_outcome_e      what;
    torii_str_t            text;       /* why not */
} dnssync_result_t;

typedef struct {
    torii_str_t            id;         /* the driver's own */
    torii_str_t            name;       /* canonical */
    unsigned               private:1;  /* not for the internet */
    uint32_t               sets;       /* that it holds; 0: not said */
} dnssync_found_t;


/*
 * An operation.  The caller sets what is "in" before dnssync_op_go(); strings
 * of "in" must live as long as the operation, "out" lives in its arena.
 */

struct dnssync_op_s {
    dnssync_account_t         *account;
    dnssync_op_e               what;
    torii_arena_t             *arena;
    void                      *state;      /* the driver's, zeroed */

    /* in: milliseconds since 1970, brought up to date before each call */
    uint64_t                   now;
    dnssync_found_t            zone;       /* but for ZONES */
    torii_str_t                version;    /* PROBE, LIST: as it was; or "" */
    const dnssync_rrset_t     *known;      /* LIST: what that version held */
    uint32_t                   nknown;
    const dnssync_edit_t     **edits;      /* APPLY */
    uint32_t                   nedits;
    torii_str_t                name;       /* CHALLENGE */
    torii_str_t                value;
    uint32_t                   ttl;
    unsigned                   add:1;
    const dnssync_endpoint_t  *endpoints;  /* ADJUST, and its "out" */
    uint32_t                   nendpoints;

    /* out */
    dnssync_request_t          request;
    dnssync_found_t           *zones;
    uint32_t                   nzones;
    dnssync_rrset_t           *sets;
    uint32_t                   nsets;
    torii_str_t                next;       /* PROBE, LIST: the version now */
    dnssync_result_t          *results;    /* [nedits] */
    unsigned                   same:1;     /* PROBE, LIST: nothing changed */

    uint64_t                   until;      /* ms since 1970 */
    dnssync_trouble_e          trouble;
    char                       error[DNSSYNC_ERROR_MAX];   /* for people: what,
                                              where and what to do; no secret */
};

/* The account must outlive it, and has one operation at a time for a zone. */
dnssync_op_t *dnssync_op_create(dnssync_account_t *account,
    dnssync_op_e what);
void dnssync_op_free(dnssync_op_t *op);
/* To begin, and after SLEEP. */
dnssync_op_step_e dnssync_op_go(dnssync_op_t *op, uint64_t now);
dnssync_op_step_e dnssync_op_answer(dnssync_op_t *op, uint64_t now,
    const dnssync_answer_t *answer);


/* A key of the provider's Secret. */

typedef struct {
    const char            *name;       /* "api-url" */
    const char            *help;       /* one line */
    unsigned               required:1;
    unsigned               secret:1;   /* may be given as NAME-file, too */
} dnssync_setting_t;


struct dnssync_driver_s {
    const char               *name;        /* "rfc2136" */
    const dnssync_setting_t  *settings;    /* name NULL at the end */
    dnssync_provider_t        provider;
    uint32_t                  rate;        /* units in … */
    uint32_t                  period;      /* … so many seconds; 0: no limit */
    uint32_t                  at_once;     /* operations of one account */
    unsigned                  blind:1;     /* cannot list: writes changes only,
                                              removes nothing */
    unsigned                  adjusts:1;

    /* Settings into account->data; NULL, or what is wrong. */
    const char             *(*init)(dnssync_account_t *account);
    void                    (*cleanup)(dnssync_account_t *account);
    /* The next request, or the end. */
    dnssync_op_step_e       (*go)(dnssync_op_t *op);
    dnssync_op_step_e       (*answer)(dnssync_op_t *op,
                                      const dnssync_answer_t *answer);
    /* dnssync_op_free() calls it first, to free what state holds; or NULL. */
    void                    (*end)(dnssync_op_t *op);
    size_t                    state;       /* bytes of op->state */
};

extern const dnssync_driver_t *const  dnssync_drivers[];   /* NULL at the end */

extern const dnssync_driver_t  dnssync_rfc2136_driver;
extern const dnssync_driver_t  dnssync_powerdns_driver;
extern const dnssync_driver_t  dnssync_cloudflare_driver;
extern const dnssync_driver_t  dnssync_route53_driver;
extern const dnssync_driver_t  dnssync_google_driver;
extern const dnssync_driver_t  dnssync_azure_driver;
extern const dnssync_driver_t  dnssync_digitalocean_driver;
extern const dnssync_driver_t  dnssync_webhook_driver;
extern const dnssync_driver_t  dnssync_dyndns_driver;

const dnssync_driver_t *dnssync_driver(torii_str_t name);


/*
 * A provider as configured, by a Secret of type torii/dns-provider.  Beside the
 * driver's settings there are those of all (dnssync_account.c): "provider",
 * "zones", "view", and what ExternalDNS has flags for: "policy", "registry",
 * "txt-owner-id", "txt-prefix", "domain-filter" …
 */

struct dnssync_account_s {
    const dnssync_driver_t    *driver;
    torii_arena_t             *arena;
    torii_str_t                name;       /* "namespace/secret" */
    dnssync_option_t          *settings;   /* sorted by name */
    uint32_t                   nsettings;
    uint64_t                   hash;       /* of all settings */

    dnssync_conf_t             conf;
    torii_str_t                view;
    torii_str_t               *zones;      /* names or ids; none: all */
    uint32_t                   nzones;
    uint32_t                   interval;   /* s between looks at a zone */

    void                      *data;       /* the driver's */
    torii_str_t                token;      /* access token, a secret … */
    torii_buf_t                token_room;
    uint64_t                   token_until;    /* … good until then, ms */
};

/*
 * All strings are copied.  *why: what is wrong, in words, in the account's
 * arena.  An account with a *why is not to be used, only to be freed.
 */
dnssync_account_t *dnssync_account_create(torii_str_t name,
    const dnssync_option_t *settings, uint32_t n, torii_str_t *why);
void dnssync_account_free(dnssync_account_t *account);
/* "" if it is not set. */
torii_str_t dnssync_account_setting(const dnssync_account_t *account,
    const char *name);
/* Settings that no one knows: calls visit() for each; hint may be NULL. */
void dnssync_account_unknown(const dnssync_account_t *account,
    void (*visit)(void *data, torii_str_t name, const char *hint),
    void *data);


/* dnssync_op.c: what drivers share */

dnssync_op_step_e dnssync_op_fail(dnssync_op_t *op, dnssync_trouble_e trouble,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* From status, Retry-After and error; where: "listing the zone a.example". */
dnssync_op_step_e dnssync_op_fail_http(dnssync_op_t *op,
    const dnssync_answer_t *answer, const char *where);
/* Empties op->request, and sets what every HTTP request has. */
dnssync_request_t *dnssync_op_http(dnssync_op_t *op, const char *method,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void dnssync_op_header(dnssync_op_t *op, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A growing list of sets. */
dnssync_rrset_t *dnssync_op_set(dnssync_op_t *op);
/* Of one edit; the first one that is told counts. */
void dnssync_op_result(dnssync_op_t *op, uint32_t edit,
    dnssync_outcome_e what, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));


#endif /* _DNSSYNC_DRIVER_H_INCLUDED_ */
