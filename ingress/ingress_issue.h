
/*
 * Which certificates are wanted, and of whom, in cert-manager's words:
 * Ingresses with its annotations and a spec.tls, and Certificate objects.  What
 * is said twice is decided here: an Ingress and a Certificate, or two
 * Ingresses, that name one Secret.
 */

#ifndef _INGRESS_ISSUE_H_INCLUDED_
#define _INGRESS_ISSUE_H_INCLUDED_


#include "ingress_annotation.h"
#include "ingress_store.h"


/* What "torii/certificate-key: rsa+ecdsa" adds to the name of a Secret. */
#define INGRESS_ISSUE_SECOND  "-ecdsa"


typedef enum {
    INGRESS_SOLVE_HTTP = 0x01,       /* http-01 */
    INGRESS_SOLVE_ALPN = 0x02,       /* tls-alpn-01 */
    INGRESS_SOLVE_ALPN_FIRST = 0x04,
    INGRESS_SOLVE_DNS = 0x08,        /* dns-01, by solver */
    INGRESS_SOLVE_PERSIST = 0x10,    /* dns-persist-01, where its record is */
    INGRESS_SOLVE_PERSIST_ONLY = 0x20    /* as the operator wants it */
} ingress_solve_e;

typedef struct {
    torii_str_t              name;   /* lower case A-label, "*.a.example", or
                                        an address */
    uint32_t                 solve;  /* ingress_solve_e; 0: no solver fits */
    uint32_t                 solver; /* index in the first issuer's solvers,
                                        of INGRESS_SOLVE_DNS */
} ingress_issue_name_t;

typedef enum {
    INGRESS_ISSUE_RSA = 0,
    INGRESS_ISSUE_EC
} ingress_issue_key_e;

typedef struct {
    torii_str_t              namespace;  /* of the Secret */
    torii_str_t              secret;
    const ingress_object_t  *owner;      /* Ingress or Certificate: the
                                            subject of findings */
    torii_str_t              field;      /* of the owner: "spec.tls[0]" */
    const ingress_object_t **issuers;    /* objects; those that are not there
                                            are findings; may be none */
    uint32_t                 nissuers;
    ingress_issue_name_t    *names;      /* in the order given, each once */
    uint32_t                 n;
    torii_str_t              common_name;
    ingress_issue_key_e      key;
    uint32_t                 bits;       /* 2048 … 4096; 256, 384 */
    unsigned                 pkcs8:1;
    unsigned                 reuse_key:1;
    unsigned                 temporary:1;    /* self-signed while waiting */
    unsigned                 disabled:1; /* never renewed */
    uint32_t                 duration;   /* s, 0: not said */
    uint32_t                 renew_before;   /* s, 0: not said */
    uint32_t                 renew_percent;  /* 0: not said */
    int64_t                  renew_now;  /* s since 1970, of torii/renew-now */
    const ingress_pairs_t   *template_annotations;   /* for the Secret; never
                                                        NULL */
    const ingress_pairs_t   *template_labels;
} ingress_issue_t;


/*
 * Call visit() for each certificate wanted, in order of "namespace/secret"; all
 * of it lives until visit() returns.  Only Ingresses that the last compile
 * served count.  Findings (BadConfig) go to the list.  Where no issuer and no
 * Certificate is in the store and no Ingress asks for one, it costs nothing.
 *
 * Of those who name one Secret a Certificate counts, else the oldest Ingress,
 * of one age the first by name.  It keeps the Secret even while something is
 * wrong with it.  The others share it if it is for all their names, and are
 * findings if not.  A Certificate that cert-manager made for an Ingress counts
 * only while that one does not ask for the Secret itself.
 *
 * Who wants a key of each kind is visited twice: SECRET is of RSA, and
 * SECRET-ecdsa of ECDSA.
 */
typedef void (*ingress_issue_pt)(void *data, const ingress_issue_t *issue);

void ingress_issues(ingress_store_t *store, const ingress_options_t *options,
    ingress_findings_t *findings, ingress_issue_pt visit, void *data);

/*
 * A number that changes whenever the answer of ingress_issues() may: by
 * Ingresses, Issuers, Certificates and the Secrets that they name, not by
 * endpoints.
 */
uint64_t ingress_issues_version(ingress_store_t *store);

/* Whether an Ingress asks for certificates by one of its annotations. */
int ingress_issue_trigger(const ingress_object_t *o);
/* Whether an Ingress or a Certificate wants a key of each kind. */
int ingress_issue_pair(const ingress_object_t *o);

/* All annotations about certificates, with their prefixes, in order of name. */
void ingress_issue_each(ingress_setting_visit_pt visit, void *data);
/* Whether a name, with its prefix, is one of them. */
int ingress_issue_knows(torii_str_t name);


#endif /* _INGRESS_ISSUE_H_INCLUDED_ */
