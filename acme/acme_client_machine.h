
/*
 * The inside of a client, private to its files.  Whatever is asked of a CA is a
 * call: it waits in the client's queue until it is due and until what it needs
 * is there (the directory, the account, a nonce), is signed and handed out,
 * maybe several times, and its handler hears once how it ended.
 *
 *   acme_call.c       the queue; acme_request.c, what is handed out;
 *                     acme_reply.c, judge the answer, try again
 *   acme_client.c     the directory and what is known of it
 *   acme_register.c    look for the account, make it, make it again
 *   acme_order.c      an order, run by acme_order_run.c, acme_authz.c,
 *                     acme_choose.c, acme_authz_poll.c and acme_download.c
 *   acme_operation.c  single requests
 *   acme_problem.c, acme_link.c, acme_nonce.c   what answers carry
 */

#ifndef _ACME_CLIENT_MACHINE_H_INCLUDED_
#define _ACME_CLIENT_MACHINE_H_INCLUDED_


#include "acme_cert.h"
#include "acme_client.h"
#include "torii_tree.h"


#define ACME_URL_MAX             2048
#define ACME_IN_FLIGHT           16
#define ACME_TIMEOUT             30000        /* ms for a request */
#define ACME_TIMEOUT_FINALIZE    90000        /* some CAs issue meanwhile */

#define ACME_BAD_NONCES          10           /* in a row, resent at once */
#define ACME_FAILURES            3            /* tries after a failure … */
#define ACME_RETRY_INLINE        60000        /* … unless told to wait longer */

/* Longer than any wait that is meant: the clock was set back. */
#define ACME_DUE_MAX             (16 * 60000)

#define ACME_DIRECTORY_LIFE      3600000      /* ms until it is read again */
#define ACME_DIRECTORY_RETRY     300000       /* after that failed */
#define ACME_PROFILES_MAX        64

#define ACME_NAMES_MAX           1000
#define ACME_AUTHZ_MAX           1000
#define ACME_DOMAINS_MAX         10           /* names of a CA */
#define ACME_CHALLENGES_MAX      64           /* offered for one name */
#define ACME_SUBPROBLEMS_MAX     100
#define ACME_ALTERNATES_MAX      8

#define ACME_AUTHZ_TIME          (5 * 60000)  /* until it must be final */
#define ACME_AUTHZ_TIME_DNS      (15 * 60000)
#define ACME_AUTHZ_TIME_LOST     30000        /* once another has failed */
#define ACME_ORDER_TIME          (10 * 60000)

#define ACME_POLL                1000         /* ms */
#define ACME_POLL_FIRST          250          /* of an order, doubled up to
                                                 ACME_POLL */
#define ACME_POLL_MIN            100
#define ACME_POLL_SLOW           5000         /* after ACME_POLL_QUICK */
#define ACME_POLL_QUICK          10
#define ACME_POKE_GAP            500          /* between polls by pokes */
#define ACME_POKE_MAX            8

#define ACME_CHALLENGE_POSTS     3            /* when answers are lost */
#define ACME_FINALIZES           3


/* acme_link.c: RFC 8288. */

typedef struct {
    torii_str_t            target;
    torii_str_t            rel;         /* as sent: several, blank-separated */
} acme_link_t;

/* 0 after the last one; what cannot be read ends the list. */
int acme_link_next(torii_str_t *rest, acme_link_t *link);
int acme_link_is(const acme_link_t *link, const char *rel);

/* https, a host, printable ASCII only, not longer than ACME_URL_MAX. */
int acme_url_ok(torii_str_t url);
/* TORII_ERROR: the result would be no such URL, or ref has dot segments. */
int acme_url_resolve(torii_arena_t *a, torii_str_t base, torii_str_t ref,
    torii_str_t *url);


/* acme_nonce.c: the newest first, none older than an hour. */

#define ACME_NONCES              16
#define ACME_NONCE_MAX           255
#define ACME_NONCE_LIFE          3600000

typedef struct {
    uint32_t               n;
    struct {
        uint64_t           at;
        char               text[ACME_NONCE_MAX + 1];
    } nonces[ACME_NONCES];
} acme_nonce_pool_t;

int acme_nonce_ok(torii_str_t nonce);
void acme_nonce_add(acme_nonce_pool_t *pool, uint64_t now, torii_str_t nonce);
int acme_nonce_have(acme_nonce_pool_t *pool, uint64_t now);
/* The text lives until the next acme_nonce_add(); NULL: none. */
const char *acme_nonce_take(acme_nonce_pool_t *pool, uint64_t now);
void acme_nonce_clear(acme_nonce_pool_t *pool);


/* acme_problem.c: RFC 7807. */

/*
 * A document of an error answer, or with validation the error of a challenge,
 * authorization or order.  doc NULL or no problem: judged by the status.
 */
void acme_problem_read(const torii_node_t *doc, uint32_t status,
    int validation, acme_problem_t *problem);
/* Its subproblems, at most ACME_SUBPROBLEMS_MAX. */
uint32_t acme_problem_subs(torii_arena_t *a, const torii_node_t *doc,
    int validation, acme_problem_t **subs);
void acme_problem_set(acme_problem_t *problem, acme_fail_e fail,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Text of strangers: no control bytes, well-formed, cut to size. */
void acme_problem_text(char *to, size_t size, torii_str_t from);
/* Whether a is what decides, of two. */
int acme_problem_worse(const acme_problem_t *a, const acme_problem_t *b);


/* acme_call.c, acme_request.c, acme_reply.c */

typedef struct acme_call_s  acme_call_t;

typedef struct {
    uint64_t               now;
    const acme_response_t *res;         /* NULL: never sent */
    torii_str_t            url;         /* that was asked */
    const torii_node_t    *doc;         /* the body's JSON, NULL: none */
    torii_arena_t         *arena;       /* until the handler returns */
    const acme_problem_t  *problem;     /* NULL: it went well */
    uint64_t               wait;        /* Retry-After, ms; see waits */
    unsigned               waits:1;     /* there is one */
} acme_reply_t;

typedef void (*acme_call_pt)(acme_client_t *c, void *data,
    const acme_reply_t *reply);
/* Writes the payload when the URL and the account are known. */
typedef int (*acme_payload_pt)(acme_client_t *c, void *data, torii_str_t url,
    torii_buf_t *b);

/* Where it goes: an entry of the directory, or a URL. */

typedef enum {
    ACME_URL_NEW_NONCE = 0,
    ACME_URL_NEW_ACCOUNT,
    ACME_URL_NEW_ORDER,
    ACME_URL_REVOKE,
    ACME_URL_KEY_CHANGE,
    ACME_URL_RENEWAL,
    ACME_URL_LISTED,                    /* the number of the above */
    ACME_URL_GIVEN = ACME_URL_LISTED,
    ACME_URL_ACCOUNT,
    ACME_URL_DIRECTORY
} acme_url_e;

#define ACME_NEED_DIRECTORY      1
#define ACME_NEED_ACCOUNT        2
#define ACME_NEED_NONCE          4

struct acme_call_s {
    acme_call_t           *next;
    acme_url_e             where;
    const char            *method;
    const char            *accept;
    torii_buf_t            url;         /* GIVEN; RENEWAL: the certID */
    torii_buf_t            payload;
    acme_payload_pt        write;       /* instead of payload */
    EVP_PKEY              *key;         /* signs, as jwk; NULL: the account's,
                                           by kid */
    uint32_t               timeout;
    uint32_t               id;          /* in flight */
    uint32_t               generation;  /* of the account it was sent with */
    uint64_t               due;
    unsigned               needs:3;     /* ACME_NEED_… */
    unsigned               single:1;    /* not tried again: the handler knows
                                           better */
    unsigned               json:1;      /* an answer without is none */
    unsigned               refused:1;
    unsigned               revived:1;   /* the account was made anew for it */
    uint8_t                failures;
    uint8_t                bad_nonces;
    acme_call_pt           handler;
    void                  *data;
};

acme_call_t *acme_call_get(acme_client_t *c, acme_url_e where, uint64_t due,
    acme_call_pt handler, void *data);
/* key NULL: by the account */
acme_call_t *acme_call_post(acme_client_t *c, acme_url_e where, EVP_PKEY *key,
    uint64_t due, acme_call_pt handler, void *data);
acme_call_t *acme_call_post_to(acme_client_t *c, torii_str_t url, uint64_t due,
    acme_call_pt handler, void *data);
/* Those of data are forgotten: their handlers are not called. */
void acme_call_cancel(acme_client_t *c, void *data);
int acme_call_has(const acme_client_t *c, void *data);
/* All that wait for what cannot be had. */
void acme_call_refuse_all(acme_client_t *c, uint64_t now, unsigned need,
    const acme_problem_t *problem);

/* Its handler hears that it could not be sent. */
void acme_call_refuse(acme_client_t *c, uint64_t now, acme_call_t *call,
    const acme_problem_t *problem);
void acme_call_detach(acme_client_t *c, acme_call_t *call);
void acme_call_free(acme_call_t *call);
/* TORII_DECLINED: it was refused. */
int acme_call_send(acme_client_t *c, uint64_t now, acme_call_t *call,
    acme_request_t *req);

uint32_t acme_client_random(acme_client_t *c, uint32_t n);
torii_str_t acme_str_of(const torii_buf_t *b);
/* The text of a string member, empty if there is none. */
torii_str_t acme_json_text(const torii_node_t *map, const char *key);
int acme_json_true(const torii_node_t *map, const char *key);


/* acme_client.c */

struct acme_client_s {
    torii_arena_t         *arena;       /* of conf */
    acme_client_conf_t     conf;
    EVP_PKEY              *key;         /* the account's of now */
    torii_buf_t            thumbprint;
    torii_buf_t            account;     /* its URL */
    uint32_t               generation;  /* how often it was lost */
    acme_client_state_e    state;
    acme_problem_t         problem;
    unsigned               begun:1;
    unsigned               changed:1;   /* account, not yet told */
    unsigned               renewed:1;   /* account was made anew, and no request
                                           has gone well since */
    unsigned               create:1;    /* it was looked for in vain */
    unsigned               plain:1;     /* its contacts were refused */

    torii_arena_t         *directory;   /* of what follows; NULL: unknown */
    torii_str_t            urls[ACME_URL_LISTED];
    torii_str_t            terms;
    torii_str_t           *profiles;
    uint32_t               nprofiles;
    torii_str_t            caa;         /* caaIdentities, blank-separated */
    torii_buf_t            domains;     /* likewise, of dns-persist-01 */
    uint64_t               directory_at;    /* to be read again from then on */

    acme_nonce_pool_t      nonces;
    acme_call_t           *calls;
    acme_call_t          **last_call;
    uint32_t               in_flight;
    uint32_t               last_id;
    acme_operation_t      *operations;
    uint64_t               seed;
    acme_client_counts_t   counts;
    torii_buf_t            body;        /* of the last request handed out */
    torii_buf_t            url;
};

/* data of the client's own calls, by which they are known */
#define acme_client_directory(c)  ((void *) &(c)->directory)
#define acme_client_nonce(c)      ((void *) &(c)->nonces)
#define acme_client_register(c)   ((void *) &(c)->account)

void acme_client_read_directory(acme_client_t *c, uint64_t now);
void acme_client_read_nonce(acme_client_t *c, uint64_t now);
void acme_client_fail(acme_client_t *c, const acme_problem_t *problem);
/* Names of a list, blank-separated; what is none is left out. */
torii_str_t acme_client_names(torii_arena_t *a, const torii_node_t *list);
/* READY when all is known. */
void acme_client_settle(acme_client_t *c);
int acme_client_set_key(acme_client_t *c, EVP_PKEY *key);

/* acme_register.c */
void acme_register_find(acme_client_t *c, uint64_t now);
void acme_register_lost(acme_client_t *c);
void acme_register_contacts(torii_buf_t *b, const torii_str_t *contacts,
    uint32_t n);

/* acme_operation.c */
void acme_operation_free_all(acme_client_t *c);


#endif /* _ACME_CLIENT_MACHINE_H_INCLUDED_ */
