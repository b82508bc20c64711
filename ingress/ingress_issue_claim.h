
/*
 * What the parts of ingress_issue*.c share; private to them.
 *
 * An owner, an Ingress or a Certificate, is read once: that is its wish.  Each
 * Secret that it names is a claim, and of all claims to one Secret the first
 * one counts.  Whatever is wrong in a wish leaves its Secrets as they are: they
 * are neither issued nor given to the next one that claims them.
 */

#ifndef _INGRESS_ISSUE_CLAIM_H_INCLUDED_
#define _INGRESS_ISSUE_CLAIM_H_INCLUDED_


#include "ingress_issue.h"


#define INGRESS_ISSUE_GROUP    "cert-manager.io"
#define INGRESS_ISSUE_NAMES    100   /* as public CAs have it */
#define INGRESS_ISSUE_ISSUERS  8


typedef struct {
    ingress_store_t          *store;
    const ingress_options_t  *options;
    ingress_findings_t       *findings;
    torii_arena_t            *arena;
} ingress_issuing_t;

typedef struct {
    const ingress_object_t   *owner;
    ingress_issue_t           issue;      /* but for Secret and names */
    torii_str_t               issuer;     /* the first one's … */
    torii_str_t               kind;
    torii_str_t               group;
    const char               *field;      /* … and where it is named */
    uint32_t                  line;
    torii_str_t               more;       /* "torii/issuers" */
    ingress_strings_t         names;      /* besides those of spec.tls */
    uint32_t                  challenge;  /* ingress_solve_e, 0: not said */
    unsigned                  pair:1;     /* a key of RSA and one of ECDSA */
    unsigned                  bad:1;      /* there is a finding */
    unsigned                  apart:1;    /* is somebody else's to issue */
    unsigned                  twice:1;    /* one Secret for two entries */
} ingress_wish_t;

/* A Secret that an owner names; tls: its entry of spec.tls. */

typedef struct {
    torii_str_t               id;         /* "namespace/secret" */
    ingress_wish_t           *wish;
    const ingress_tls_t      *tls;        /* NULL: of a Certificate */
    uint32_t                  index;
    unsigned                  second:1;   /* of a pair: with ECDSA */
} ingress_claim_t;

/* Its names, each once. */

typedef struct {
    ingress_issue_name_t     *elts;
    uint32_t                  n;
    unsigned                  many:1;     /* more than there may be */
} ingress_issue_names_t;


/* ingress_issue.c */

ingress_finding_t *ingress_issue_finding(ingress_issuing_t *s,
    const ingress_object_t *o, ingress_severity_e severity, const char *reason,
    torii_str_t field, torii_str_t value, uint32_t line, const char *fmt,
    ...) __attribute__((format(printf, 8, 9)));
/* "BadConfig": the wish is not to be followed. */
void ingress_issue_bad(ingress_issuing_t *s, ingress_wish_t *w,
    torii_str_t field, torii_str_t value, uint32_t line, const char *why);
/* Algorithm and size of the key; 0: the default. */
void ingress_issue_key(ingress_issuing_t *s, ingress_wish_t *w,
    ingress_key_algorithm_e algorithm, uint32_t size, const char *field,
    uint32_t line);

/* ingress_issue_issuer.c */

/* Finds the issuers that the wish names; TORII_DECLINED: they are not ours. */
int ingress_issue_issuers(ingress_issuing_t *s, ingress_wish_t *w);
/* "torii/acme-challenge" of an issuer or an owner. */
int ingress_issue_challenge(const ingress_object_t *o, uint32_t *solve);

/* ingress_issue_make.c */

void ingress_issue_names(ingress_issuing_t *s, const ingress_claim_t *claim,
    ingress_issue_names_t *names);
/* TORII_OK: *issue is to be visited. */
int ingress_issue_make(ingress_issuing_t *s, const ingress_claim_t *claim,
    const ingress_issue_names_t *names, ingress_issue_t *issue);
/* Where a finding about the claim stands. */
torii_str_t ingress_claim_field(ingress_issuing_t *s,
    const ingress_claim_t *claim);
uint32_t ingress_claim_line(const ingress_claim_t *claim);

/* ingress_issue_shim.c */

/* NULL: the Ingress asks for nothing. */
ingress_wish_t *ingress_issue_shim(ingress_issuing_t *s,
    const ingress_object_t *o);
/* Whether it asks for a certificate in this Secret. */
int ingress_issue_asks(ingress_issuing_t *s, const ingress_object_t *o,
    torii_str_t secret);
/* Those annotations of a Certificate that are Torii's own. */
void ingress_issue_notes(ingress_issuing_t *s, ingress_wish_t *w);

/* ingress_issue_certificate.c */

ingress_wish_t *ingress_issue_certificate(ingress_issuing_t *s,
    const ingress_object_t *o);

/* ingress_solver.c */

/*
 * How a name is to be validated: sets solve and solver.  wish: what the owner
 * asks for, as ingress_issue_challenge() tells it of an issuer.
 */
void ingress_solver_choose(const ingress_object_t *issuer,
    const ingress_pairs_t *labels, uint32_t wish, ingress_issue_name_t *name);


#endif /* _INGRESS_ISSUE_CLAIM_H_INCLUDED_ */
