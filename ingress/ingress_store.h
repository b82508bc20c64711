
/*
 * The store holds all decoded objects; compile turns them into the bytes of a
 * routing table.  Parsed annotations and checked certificates are kept beside
 * their objects, so that a change costs its own object plus one pass over the
 * hosts.  Compile is pure: the same objects and options give the same bytes,
 * in whatever order the objects came.
 */

#ifndef _INGRESS_STORE_H_INCLUDED_
#define _INGRESS_STORE_H_INCLUDED_


#include "ingress_selector.h"
#include "ingress_table.h"


typedef struct ingress_store_s  ingress_store_t;

/*
 * What nginx.conf says.
 *
 * An Ingress is served if its class is ours: a name of classes (as annotation
 * kubernetes.io/ingress.class "nginx" is, when none is given), or the name of
 * an IngressClass whose controller is one of controllers (when none is given:
 * "k8s.io/ingress-nginx", but only without classes, which say enough).  With
 * "all" every other one is served, too, but those of an IngressClass that is
 * there and is somebody else's.  spec.ingressClassName wins over the
 * annotation.
 *
 * Ingresses count from the oldest; those of one age, as all are that come from
 * files without a creationTimestamp, from the end of the alphabet.
 */

typedef struct {
    torii_str_t                config;       /* "ns/name", ConfigMap */
    torii_str_t               *classes;      /* kubernetes.io/ingress.class and
                                                names of IngressClasses */
    uint32_t                   nclasses;
    torii_str_t               *controllers;  /* spec.controller of classes */
    uint32_t                   ncontrollers;
    unsigned                   all:1;        /* serve every Ingress */
    torii_str_t                default_backend;      /* "ns/name" */
    torii_str_t                default_certificate;  /* "ns/name" */
    torii_str_t                watch_namespace;
    const ingress_selector_t  *selector;     /* of namespaces, NULL: all.  One
                                                that is not known is not
                                                served */
    torii_str_t                cluster_namespace;    /* ClusterIssuers' Secrets
                                                are there; empty:
                                                "cert-manager" */
    unsigned                   loopback:1;   /* loopback endpoints allowed */
    unsigned                   explain:1;    /* a finding for each Ingress of a
                                                namespace that is not served */
    torii_str_t                default_issuer;       /* "ClusterIssuer/name" or
                                                "Issuer/name", of Ingresses
                                                that ask for none by name */
    torii_str_t                challenges;   /* "ns/name", Secret: what CAs are
                                                to be answered */
} ingress_options_t;

ingress_store_t *ingress_store_create(void);
void ingress_store_destroy(ingress_store_t *store);

/*
 * Takes ownership of o.  An object of the same kind, namespace, name and file
 * is replaced.  The same object in two files: the first file by name counts,
 * the other is a finding, unless the one that counts is of no file.  Returns 1
 * when the active content changed.
 */
int ingress_store_set(ingress_store_t *store, ingress_object_t *o);
int ingress_store_remove(ingress_store_t *store, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name, torii_str_t file);

/* The active object or NULL. */
ingress_object_t *ingress_store_get(ingress_store_t *store,
    ingress_kind_e kind, torii_str_t namespace, torii_str_t name);

/* A finding about an option of a provider's Secret ("namespace/name"). */
void ingress_login_wrong(ingress_store_t *store, ingress_findings_t *findings,
    torii_str_t provider, torii_str_t option, const char *text);

/*
 * The n-th copy of an object that lies in several files, from the one in
 * force; NULL past the last one.
 */
ingress_object_t *ingress_store_copy(ingress_store_t *store,
    ingress_kind_e kind, torii_str_t namespace, torii_str_t name, uint32_t n);

/* Call visit() for each active object of a kind, in order of ns/name. */
void ingress_store_each(ingress_store_t *store, ingress_kind_e kind,
    void (*visit)(void *data, ingress_object_t *o), void *data);

/* Number of active objects of a kind. */
uint32_t ingress_store_count(ingress_store_t *store, ingress_kind_e kind);

/* Call visit() for each Ingress that the last compile served, oldest first. */
void ingress_store_served(ingress_store_t *store,
    void (*visit)(void *data, ingress_object_t *o), void *data);


/*
 * Secrets and ConfigMaps that are referred to by the gateway's options, by the
 * Ingresses that are served, by issuers, and by Certificates of cert-manager's
 * own issuers: each is told once, whether it is there or not.  _wanted_by():
 * by one active object alone, maybe twice.  The strings live until visit()
 * returns.
 */
typedef void (*ingress_store_want_pt)(void *data, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name);

void ingress_store_wanted(ingress_store_t *store,
    const ingress_options_t *options, ingress_store_want_pt visit, void *data);
void ingress_store_wanted_by(ingress_store_t *store,
    const ingress_options_t *options, const ingress_object_t *o,
    ingress_store_want_pt visit, void *data);


/*
 * ExternalName Services.  The store owns no resolver: its owner asks for the
 * names (each once, lower case, no trailing dot, no IP literals), resolves
 * them at its own pace and hands the addresses back, IPv4 as ::ffff:a.b.c.d.
 * They stay in force until replaced: an owner that cannot resolve a name does
 * nothing, and the last good addresses go on serving.  Returns 1 when the set
 * of addresses changed (their order does not matter).
 */
void ingress_store_names(ingress_store_t *store,
    void (*visit)(void *data, torii_str_t name), void *data);
int ingress_store_resolved(ingress_store_t *store, torii_str_t name,
    const uint8_t (*addrs)[16], uint32_t n);


/*
 * What CAs that validate names are to be answered.  The store takes copies, and
 * they replace all it had.  Left out is what could not be asked for: a token or
 * name that is not of its form, an answer that is empty or too long; and of two
 * for one name and type, either.  Returns 1 when the set changed (its order
 * does not matter).
 */

typedef enum {
    INGRESS_CHALLENGE_HTTP = 0,    /* http-01 */
    INGRESS_CHALLENGE_ALPN,        /* tls-alpn-01 */
    INGRESS_CHALLENGE_MAX
} ingress_challenge_e;

typedef struct {
    uint32_t            type;      /* ingress_challenge_e */
    torii_str_t         name;      /* the token; ALPN: the server name that a
                                      validator sends, in lower case */
    torii_str_t         value;     /* the key authorization; ALPN: the
                                      certificate, DER */
    torii_str_t         key;       /* ALPN: its private key, DER */
} ingress_challenge_t;

int ingress_store_challenges(ingress_store_t *store,
    const ingress_challenge_t *challenges, uint32_t n);


/*
 * What a provider of logins has told of itself, its keys, and when (seconds
 * since 1970): of "namespace/name", as the table has it in PROVIDERS.  Copies;
 * empty ones take back what was told.  Returns 1 when they have changed.
 */
int ingress_store_told(ingress_store_t *store, torii_str_t name,
    torii_str_t discovery, torii_str_t keys, uint64_t fetched);
/* The same of a further issuer, whose tokens the provider may take. */
int ingress_store_told_issuer(ingress_store_t *store, torii_str_t name,
    torii_str_t issuer, torii_str_t keys);


/*
 * source: findings of the source (unreadable files …), may be NULL; they and
 * compile's own go to the table as JSON and to findings (may be NULL).  now:
 * seconds since 1970, for certificates only; a certificate that expires later
 * needs no new table to be noticed.  out is the table's bytes, appended to an
 * empty buffer.
 */
void ingress_compile(ingress_store_t *store, const ingress_options_t *options,
    int64_t now, const ingress_finding_t *source,
    ingress_findings_t *findings, torii_buf_t *out);


#endif /* _INGRESS_STORE_H_INCLUDED_ */
