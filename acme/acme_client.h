
/*
 * One account at one certification authority (RFC 8555), and the orders made
 * with it.  sans-IO: requests come out, answers go in, in any order; each
 * request is signed at the moment that it is handed out, with a nonce of the
 * pool.  Instants are milliseconds since 1970.
 */

#ifndef _ACME_CLIENT_H_INCLUDED_
#define _ACME_CLIENT_H_INCLUDED_


#include "torii_jose.h"


typedef struct acme_client_s     acme_client_t;
typedef struct acme_order_s      acme_order_t;
typedef struct acme_operation_s  acme_operation_t;


/*
 * What to send.  Strings live until the next call.  The URL is what was signed:
 * it goes out byte for byte, and redirects are not followed.
 */

typedef struct {
    uint32_t               id;
    const char            *method;      /* "GET", "HEAD", "POST" */
    torii_str_t            url;
    torii_str_t            body;        /* application/jose+json */
    const char            *accept;      /* NULL: anything */
    uint32_t               timeout;     /* ms for the whole */
} acme_request_t;

#define ACME_BODY_MAX  (256 * 1024)     /* of an answer; more is a failure */

/* What came back; an empty string is a header that was not there. */

typedef struct {
    uint32_t               status;      /* 0: no answer */
    const char            *error;       /* why not, in words */
    torii_str_t            content_type;
    torii_str_t            nonce;       /* Replay-Nonce */
    torii_str_t            location;
    torii_str_t            link;        /* all of them, joined by ", " */
    torii_str_t            retry_after;
    torii_str_t            date;
    torii_str_t            body;
} acme_response_t;


/* Why something failed: what is to be done about it follows from the class. */

typedef enum {
    ACME_FAIL_NONE = 0,
    ACME_FAIL_NETWORK,         /* no answer, or not the CA's: try again */
    ACME_FAIL_SERVER,          /* 5xx: try again */
    ACME_FAIL_LIMIT,           /* rateLimited: not before retry_at */
    ACME_FAIL_VALIDATION,      /* a challenge failed: another type may do */
    ACME_FAIL_NAME,            /* rejectedIdentifier, caa: this name */
    ACME_FAIL_PROFILE,         /* invalidProfile */
    ACME_FAIL_REPLACED,        /* alreadyReplaced: again without replaces */
    ACME_FAIL_ACCOUNT,         /* the operator must act: terms, EAB, contact,
                                  key, a deactivated account */
    ACME_FAIL_ORDER,           /* the order is dead, malformed or expired */
    ACME_FAIL_CSR,             /* badCSR: maybe with another key */
    ACME_FAIL_CERTIFICATE,     /* what was issued is not what was ordered */
    ACME_FAIL_CONFIG,          /* cannot work as configured: no challenge type
                                  in common, a bad URL */
    ACME_FAIL_RECORD           /* the record of dns-persist-01 is not there */
} acme_fail_e;

typedef struct {
    acme_fail_e            fail;
    uint32_t               status;      /* HTTP, 0: no answer */
    uint64_t               retry_at;    /* Retry-After, 0: not said */
    char                   type[64];    /* of the problem, without its prefix */
    char                   identifier[256];   /* the name it is about, or "" */
    char                   instance[256];     /* where the operator must go */
    char                   text[512];   /* for people; no control bytes */
} acme_problem_t;

/* "network", "limit" …: stable words for metrics. */
const char *acme_fail_name(acme_fail_e fail);


typedef struct {
    torii_str_t            directory;   /* URL, https only */
    EVP_PKEY              *key;         /* of the account; referred to */
    torii_str_t            account;     /* its URL if known, else empty */
    torii_str_t           *contacts;    /* "mailto:…" */
    uint32_t               ncontacts;
    unsigned               agreed:1;    /* to the terms of service */
    torii_str_t            eab_kid;     /* empty: none */
    torii_str_t            eab_key;     /* decoded */
    unsigned               eab_bits;    /* 256, 384, 512 */
} acme_client_conf_t;

typedef enum {
    ACME_CLIENT_NEW = 0,       /* directory and account are looked for when
                                  something needs them */
    ACME_CLIENT_READY,
    ACME_CLIENT_FAILED         /* acme_client_problem() says why; tried again
                                  by acme_client_retry() */
} acme_client_state_e;

/* Strings are copied.  Its orders are freed before it; operations go with it,
   and their handlers are not called. */
acme_client_t *acme_client_create(const acme_client_conf_t *conf,
    uint64_t seed);
void acme_client_free(acme_client_t *c);

/*
 * The next request.  TORII_AGAIN: none now, call again after *wait ms or after
 * an answer, an order, an operation.  Each request must be answered, if only
 * with status 0; an answer that comes twice, or too late, is passed over.
 */
int acme_client_next(acme_client_t *c, uint64_t now, acme_request_t *req,
    uint32_t *wait);
void acme_client_answer(acme_client_t *c, uint64_t now, uint32_t id,
    const acme_response_t *res);

/* What needs an account that failed, fails with the same problem. */
acme_client_state_e acme_client_state(const acme_client_t *c);
const acme_problem_t *acme_client_problem(const acme_client_t *c);
void acme_client_retry(acme_client_t *c);
/* "" until known.  A change must be saved: acme_client_changed() is 1 once. */
torii_str_t acme_client_account(const acme_client_t *c);
int acme_client_changed(acme_client_t *c);
/* Whether the account is to be looked for and made without any order. */
void acme_client_begin(acme_client_t *c);

/* Directory meta: 0 / "" while the directory is not known. */
int acme_client_known(const acme_client_t *c);
int acme_client_has_ari(const acme_client_t *c);
int acme_client_has_profile(const acme_client_t *c, torii_str_t profile);
torii_str_t acme_client_terms(const acme_client_t *c);
/*
 * The CA's names in records, "letsencrypt.org", blank-separated: as its last
 * dns-persist-01 had them, else (offered 0) of caaIdentities; "" not known.
 */
torii_str_t acme_client_domains(const acme_client_t *c, int *offered);

/* Answers seen, by kind, for metrics and for tests of limits. */

typedef struct {
    uint64_t               requests;
    uint64_t               orders;      /* newOrder accepted or refused */
    uint64_t               bad_nonces;
    uint64_t               limited;     /* 429 */
    int64_t                skew;        /* ms that the CA's Date is ahead;
                                           it has no fractions of a second */
} acme_client_counts_t;

const acme_client_counts_t *acme_client_counts(const acme_client_t *c);


typedef enum {
    ACME_CHALLENGE_HTTP = 0,
    ACME_CHALLENGE_ALPN,
    ACME_CHALLENGE_DNS,
    ACME_CHALLENGE_DNS_PERSIST,
    ACME_CHALLENGE_MAX
} acme_challenge_e;

/* "http-01", "tls-alpn-01", "dns-01", "dns-persist-01" */
const char *acme_challenge_name(acme_challenge_e type);


/* A challenge of an order that waits to be answered, or is being validated. */

typedef struct {
    acme_challenge_e       type;
    torii_str_t            identifier;  /* without "*." */
    unsigned               wildcard:1;
    unsigned               ip:1;
    torii_str_t            token;
    torii_str_t            key_auth;    /* HTTP: the answer's body */
    unsigned char          digest[32];  /* ALPN: SHA-256 of key_auth */
    torii_str_t            record;      /* DNS: "_acme-challenge.a.example" */
    torii_str_t            value;       /* DNS: the TXT record's text */
} acme_challenge_t;


typedef struct {
    torii_str_t            name;        /* "a.example", "*.a.example",
                                           "192.0.2.1", "2001:db8::1" */
    uint8_t                types[ACME_CHALLENGE_MAX];   /* in order of trial,
                                           acme_challenge_e + 1, 0 ends */
} acme_identifier_t;

typedef struct {
    acme_identifier_t     *names;
    uint32_t               n;
    torii_str_t            profile;     /* empty: none */
    torii_str_t            replaces;    /* ARI certID, empty: none */
    int64_t                not_after;   /* seconds, 0: not asked for */
    torii_str_t            url;         /* of an order to go on with, or "" */
    EVP_PKEY              *key;         /* of the certificate; referred to */
    torii_str_t            common_name; /* in the CSR's subject, or empty */
    torii_str_t            preferred_chain;   /* issuer's CN, or empty */
} acme_order_conf_t;

typedef enum {
    ACME_ORDER_WORKING = 0,
    ACME_ORDER_CREATED,        /* save acme_order_url(), then _proceed() */
    ACME_ORDER_LOOK,           /* for the record of each dns-persist-01 among
                                  acme_order_challenges(): _missing(), then
                                  _proceed() */
    ACME_ORDER_PRESENT,        /* answer acme_order_challenges() where they
                                  will be asked for, then _proceed() */
    ACME_ORDER_VALIDATED,      /* they are asked for no more, then _proceed() */
    ACME_ORDER_DONE,           /* acme_order_chain() */
    ACME_ORDER_FAILED          /* acme_order_problem() */
} acme_order_step_e;

/*
 * Strings are copied.  The order lives until acme_order_free(), also one that
 * is WORKING; answers to its requests are then passed over.  A failed one
 * deactivates what it leaves pending before it says so, unless it may be gone
 * on with by its URL: after NETWORK, SERVER, LIMIT and ACCOUNT.
 */
acme_order_t *acme_order_create(acme_client_t *c,
    const acme_order_conf_t *conf);
void acme_order_free(acme_order_t *o);
acme_order_step_e acme_order_step(const acme_order_t *o);
void acme_order_proceed(acme_order_t *o, uint64_t now);
/* The validator was seen, or may come later than expected: look now. */
void acme_order_poke(acme_order_t *o, uint64_t now);

torii_str_t acme_order_url(const acme_order_t *o);
uint64_t acme_order_expires(const acme_order_t *o);     /* 0 unknown */
const acme_challenge_t *acme_order_challenges(const acme_order_t *o,
    uint32_t *n);
/* The record of the i-th is not there, and why: another challenge is taken
   instead, or the order fails (RECORD) if there is none. */
void acme_order_missing(acme_order_t *o, uint32_t i, const char *why);
/* PEM, leaf first, verified against names and key; and where it came from. */
torii_str_t acme_order_chain(const acme_order_t *o);
torii_str_t acme_order_certificate_url(const acme_order_t *o);
const acme_problem_t *acme_order_problem(const acme_order_t *o);
/* What failed for which name; NULL when i is past the last. */
const acme_problem_t *acme_order_subproblem(const acme_order_t *o, uint32_t i);


/*
 * Single requests: handler is called once, with ACME_FAIL_NONE when it went
 * well; body is renewalInfo's answer and retry_at its Retry-After.  It runs
 * inside of acme_client_next() or acme_client_answer(), when the operation is
 * gone already; it may begin another one, but not free the client.
 */

typedef void (*acme_operation_pt)(void *data, const acme_problem_t *problem,
    torii_str_t body);

/* RFC 9773: window of a certificate by its certID. */
acme_operation_t *acme_client_renewal_info(acme_client_t *c, torii_str_t id,
    acme_operation_pt handler, void *data);
/* DER of the leaf; key NULL: signed by the account. */
acme_operation_t *acme_client_revoke(acme_client_t *c, torii_str_t leaf,
    EVP_PKEY *key, unsigned reason, acme_operation_pt handler, void *data);
/*
 * RFC 8555 section 7.3.5; the client refers to the new key after success.  The
 * new key must have been saved before.  Challenges that are being validated
 * were answered by the old one: orders come first, or after.
 */
acme_operation_t *acme_client_rollover(acme_client_t *c, EVP_PKEY *key,
    acme_operation_pt handler, void *data);
acme_operation_t *acme_client_contacts(acme_client_t *c,
    const torii_str_t *contacts, uint32_t n, acme_operation_pt handler,
    void *data);
acme_operation_t *acme_client_deactivate(acme_client_t *c,
    acme_operation_pt handler, void *data);
/* The handler will not be called. */
void acme_operation_cancel(acme_operation_t *op);


#endif /* _ACME_CLIENT_H_INCLUDED_ */
