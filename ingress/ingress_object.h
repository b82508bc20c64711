
/*
 * Kubernetes objects as Torii needs them: decoded once from a tree, whatever
 * the source (files, API), into plain records of one arena each.  Fields that
 * Torii does not use are not kept.
 */

#ifndef _INGRESS_OBJECT_H_INCLUDED_
#define _INGRESS_OBJECT_H_INCLUDED_


#include "torii_tree.h"
#include "ingress_finding.h"


typedef enum {
    INGRESS_KIND_INGRESS = 0,
    INGRESS_KIND_CLASS,
    INGRESS_KIND_SERVICE,
    INGRESS_KIND_SLICE,
    INGRESS_KIND_ENDPOINTS,
    INGRESS_KIND_SECRET,
    INGRESS_KIND_CONFIGMAP,
    INGRESS_KIND_NAMESPACE,
    INGRESS_KIND_ISSUER,
    INGRESS_KIND_CLUSTER_ISSUER,
    INGRESS_KIND_CERTIFICATE,
    INGRESS_KIND_MAX
} ingress_kind_e;


/*
 * One "key: value" of annotations, labels, data.  An annotation (or a value of
 * a ConfigMap) that is no text stays in the list as "(a list)", "(a map)",
 * "(too long)" or "(control characters)", which no setting accepts: one that
 * protects something must not be lost by a mistake.
 */

typedef struct {
    torii_str_t            name;
    torii_str_t            value;
    uint32_t               line;      /* in its file, 0 unknown */
} ingress_pair_t;

typedef struct {
    ingress_pair_t        *elts;
    uint32_t               n;
} ingress_pairs_t;


typedef enum {
    INGRESS_PATH_IMPLEMENTATION = 0,  /* also when pathType is missing */
    INGRESS_PATH_EXACT,
    INGRESS_PATH_PREFIX
} ingress_path_type_e;

/* A port as the objects write it: a number (name empty) or a name. */

typedef struct {
    torii_str_t            name;
    uint16_t               number;    /* 0 with a name */
} ingress_port_t;

typedef struct {
    torii_str_t            service;   /* empty: a resource backend or none */
    ingress_port_t         port;
    unsigned               resource:1;
} ingress_backend_t;

typedef struct {
    torii_str_t            path;      /* as written, "" becomes "/" */
    ingress_path_type_e    type;
    ingress_backend_t      backend;
    uint32_t               line;
} ingress_path_t;

typedef struct {
    torii_str_t            host;      /* lower case; "" is every host */
    ingress_path_t        *paths;
    uint32_t               n;
    unsigned               has_http:1;
    uint32_t               line;
} ingress_rule_t;

typedef struct {
    torii_str_t           *hosts;     /* lower case */
    uint32_t               n;
    torii_str_t            secret;    /* empty: none given */
    uint32_t               line;
} ingress_tls_t;

/* An address as text: an IP address or the name of a host. */

typedef struct {
    torii_str_t            address;
    unsigned               hostname:1;
} ingress_address_t;

/*
 * What may change without the Ingress being another one, and so is no part of
 * its version: a block of its own, which the store hands on from a newer
 * object of the same content.
 */

typedef struct {
    torii_str_t            resource_version;  /* empty: not from an API */
    ingress_address_t     *addresses; /* status.loadBalancer.ingress */
    uint32_t               n;
} ingress_state_t;

typedef struct {
    torii_str_t            class_name;
    unsigned               has_class_name:1;
    unsigned               has_default_backend:1;
    ingress_backend_t      default_backend;
    ingress_rule_t        *rules;
    uint32_t               nrules;
    ingress_tls_t         *tls;
    uint32_t               ntls;
    ingress_state_t       *state;     /* never NULL once decoded */
} ingress_ingress_t;

typedef struct {
    torii_str_t            controller;
} ingress_class_t;


typedef enum {
    INGRESS_SERVICE_CLUSTERIP = 0,    /* also NodePort and LoadBalancer */
    INGRESS_SERVICE_HEADLESS,
    INGRESS_SERVICE_EXTERNALNAME
} ingress_service_type_e;

typedef struct {
    torii_str_t            name;
    uint16_t               port;
    ingress_port_t         target;    /* number 0 and no name: same as port */
    unsigned               tcp:1;
} ingress_service_port_t;

typedef struct {
    ingress_service_type_e   type;
    torii_str_t              cluster_ip;
    torii_str_t              external_name;
    ingress_service_port_t  *ports;
    uint32_t                 n;
    unsigned                 node_port:1;      /* as spec.type says */
    unsigned                 load_balancer:1;
    torii_str_t             *external_ips;     /* spec.externalIPs */
    uint32_t                 nexternal_ips;
    ingress_address_t       *balancer;  /* status.loadBalancer.ingress */
    uint32_t                 nbalancer;
} ingress_service_t;


/* EndpointSlice v1 and, for plain manifests, Endpoints v1. */

typedef struct {
    torii_str_t            address;   /* IPv4, IPv6 text or a name (FQDN) */
    unsigned               ready:1;   /* true also when unset */
    unsigned               serving:1; /* as ready when unset */
    unsigned               terminating:1;
} ingress_endpoint_t;

typedef struct {
    torii_str_t            name;
    uint16_t               port;
    unsigned               tcp:1;
} ingress_endpoint_port_t;

typedef struct {
    torii_str_t               service;
    ingress_endpoint_t       *endpoints;
    uint32_t                  n;
    ingress_endpoint_port_t  *ports;
    uint32_t                  nports;
} ingress_subset_t;

/* A slice has one subset, Endpoints any number. */

typedef struct {
    torii_str_t            service;   /* label kubernetes.io/service-name */
    ingress_subset_t      *subsets;
    uint32_t               n;
} ingress_slice_t;


typedef struct {
    torii_str_t            type;
    ingress_pairs_t        data;      /* decoded; stringData wins over data */
} ingress_secret_t;

typedef struct {
    ingress_pairs_t        data;
} ingress_configmap_t;


/*
 * cert-manager's Issuer, ClusterIssuer and Certificate (cert-manager.io/v1).
 * "unusable": something that must not be guessed is wrong or missing, and a
 * finding tells what; nothing is to be issued by it.
 */

/* An entry of a Secret's data; without a name there is none. */

typedef struct {
    torii_str_t            name;
    torii_str_t            key;
} ingress_secret_ref_t;

typedef struct {
    torii_str_t           *elts;
    uint32_t               n;
} ingress_strings_t;


typedef enum {
    INGRESS_SOLVER_OTHER = 0,         /* neither, or both */
    INGRESS_SOLVER_HTTP01,
    INGRESS_SOLVER_DNS01
} ingress_solver_type_e;

typedef enum {
    INGRESS_DNS_OTHER = 0,            /* none, unknown, or several */
    INGRESS_DNS_RFC2136,
    INGRESS_DNS_CLOUDFLARE,
    INGRESS_DNS_ROUTE53,
    INGRESS_DNS_ACMEDNS,
    INGRESS_DNS_CLOUDDNS,
    INGRESS_DNS_AZUREDNS,
    INGRESS_DNS_DIGITALOCEAN,
    INGRESS_DNS_AKAMAI,
    INGRESS_DNS_WEBHOOK
} ingress_dns_provider_e;

typedef enum {
    INGRESS_TSIG_HMACMD5 = 0,         /* cert-manager's default */
    INGRESS_TSIG_HMACSHA1,
    INGRESS_TSIG_HMACSHA224,
    INGRESS_TSIG_HMACSHA256,
    INGRESS_TSIG_HMACSHA384,
    INGRESS_TSIG_HMACSHA512
} ingress_tsig_e;

/* A reference to a Secret and the name of its field: "apiTokenSecretRef". */

typedef struct {
    const char            *field;
    ingress_secret_ref_t   secret;
} ingress_dns_secret_t;

typedef struct {
    ingress_dns_provider_e  provider;
    torii_str_t             name;     /* as written: "cloudflare" */
    ingress_pairs_t         settings; /* other than RFC2136: its plain fields,
                                         "region", "email", … */
    ingress_dns_secret_t   *secrets;  /* of all, in the order of our table */
    uint32_t                nsecrets;

    torii_str_t             nameserver;      /* RFC2136: host[:port] */
    ingress_secret_ref_t    tsig_secret;     /* no name: not signed */
    torii_str_t             tsig_key_name;
    ingress_tsig_e          tsig_algorithm;
    unsigned                tcp:1;
} ingress_dns_t;

/* A selector's parts that are given must all match; none matches every name. */

typedef struct {
    ingress_pairs_t         labels;
    ingress_strings_t       dns_names;   /* lower case; "*." included */
    ingress_strings_t       dns_zones;   /* lower case, no dot at the end */
    ingress_solver_type_e   type;
    ingress_dns_t           dns;         /* DNS01 */
    ingress_strings_t       nameservers; /* DNS01: to check with; host[:port] */
    uint32_t                wait;        /* seconds instead of a self-check */
    unsigned                has_wait:1;
    unsigned                cname_follow:1;
    unsigned                unusable:1;
    uint32_t                line;
} ingress_solver_t;

typedef struct {
    torii_str_t             server;      /* "https://…", the directory */
    torii_str_t             email;
    ingress_secret_ref_t    key;         /* of the account; "tls.key" */
    torii_str_t             eab_kid;     /* empty: no external account */
    ingress_secret_ref_t    eab_key;
    uint32_t                eab_bits;    /* 256, 384, 512 */
    torii_str_t             ca_bundle;   /* PEM */
    torii_str_t             preferred_chain;
    torii_str_t             profile;
    unsigned                disable_key_generation:1;
    unsigned                skip_tls_verify:1;
    unsigned                duration_feature:1;
    unsigned                ari_disabled:1;
    ingress_solver_t       *solvers;
    uint32_t                nsolvers;
    torii_str_t             uri;         /* status: URL of the account */
} ingress_issuer_acme_t;

typedef enum {
    INGRESS_ISSUER_OTHER = 0,            /* vault, venafi, none, … */
    INGRESS_ISSUER_ACME,
    INGRESS_ISSUER_CA,
    INGRESS_ISSUER_SELF_SIGNED
} ingress_issuer_type_e;

/* Secrets of a ClusterIssuer are in the cluster resource namespace. */

typedef struct {
    ingress_issuer_type_e   type;
    unsigned                unusable:1;
    torii_str_t             ca_secret;   /* CA */
    ingress_issuer_acme_t   acme;        /* ACME */
} ingress_issuer_t;


typedef enum {
    INGRESS_KEY_RSA = 0,
    INGRESS_KEY_ECDSA,
    INGRESS_KEY_ED25519
} ingress_key_algorithm_e;

typedef enum {
    INGRESS_KEY_PKCS1 = 0,               /* of an EC key: SEC 1 */
    INGRESS_KEY_PKCS8
} ingress_key_encoding_e;

/* Times in seconds; 0 is unset, as is a percentage of 0. */

typedef struct {
    torii_str_t              secret;
    torii_str_t              issuer;
    torii_str_t              issuer_kind;  /* "Issuer" when unset */
    torii_str_t              issuer_group; /* "cert-manager.io" when unset */
    ingress_strings_t        dns_names;    /* lower case */
    ingress_strings_t        ip_addresses;
    torii_str_t              common_name;
    int64_t                  duration;
    int64_t                  renew_before;
    uint32_t                 renew_before_percentage;
    ingress_key_algorithm_e  algorithm;
    uint32_t                 key_size;     /* as valid for the algorithm */
    ingress_key_encoding_e   encoding;
    ingress_strings_t        usages;       /* known names; none: the default */
    ingress_pairs_t          secret_labels;
    ingress_pairs_t          secret_annotations;
    torii_str_t              ingress;      /* that controls it, by its
                                              ownerReferences; empty: none */
    unsigned                 unusable:1;
    unsigned                 renewal_disabled:1;
    unsigned                 keep_key:1;   /* rotationPolicy: Never */
    unsigned                 is_ca:1;
} ingress_certificate_t;


typedef struct ingress_object_s  ingress_object_t;

struct ingress_object_s {
    ingress_kind_e         kind;
    torii_str_t            namespace; /* "default" when a file says none; empty
                                         of IngressClass, Namespace,
                                         ClusterIssuer */
    torii_str_t            name;
    torii_str_t            uid;
    int64_t                created;   /* seconds since 1970, 0 unknown */
    uint64_t               version;   /* hash of the decoded content */
    torii_str_t            file;      /* where it was read, or empty */
    uint32_t               line;
    unsigned               deleting:1;   /* deletionTimestamp is set */
    ingress_pairs_t        annotations;  /* neither of SLICE and ENDPOINTS */
    ingress_pairs_t        labels;
    ingress_finding_t     *findings;  /* of decoding; a list */
    torii_arena_t         *arena;     /* owns all but an Ingress' state */

    union {
        ingress_ingress_t      ingress;
        ingress_class_t        class;
        ingress_service_t      service;
        ingress_slice_t        slice;     /* SLICE and ENDPOINTS */
        ingress_secret_t       secret;
        ingress_configmap_t    configmap;
        ingress_issuer_t       issuer;    /* ISSUER and CLUSTER_ISSUER */
        ingress_certificate_t  certificate;
    } u;
};


/*
 * Decode one document.  Objects of a List are handed out one by one.  Kinds
 * that Torii does not read are passed over in silence (a manifests folder
 * holds Deployments too).  A wrong type, a missing name, a bad host, path or
 * port is a finding; only what cannot be used is left out: a path with a bad
 * port goes, its siblings stay.  Every object is handed to add(), which owns
 * it from then on (ingress_object_free()); findings about documents that gave
 * no object go to *findings, in front of what is there, allocated from arena a.
 */

typedef void (*ingress_object_add_pt)(void *data, ingress_object_t *object);

void ingress_object_decode(torii_arena_t *a, const torii_node_t *doc,
    torii_str_t file, ingress_object_add_pt add, void *data,
    ingress_finding_t **findings);

void ingress_object_free(ingress_object_t *object);

/*
 * One object out of an API's answer, whose kind is known from the request: the
 * items of a list do not tell it.  NULL: it has no usable name; a finding is
 * added to *findings, as above.
 */
ingress_object_t *ingress_object_decode_as(torii_arena_t *a,
    ingress_kind_e kind, const torii_node_t *doc,
    ingress_finding_t **findings);

/* "Ingress", "EndpointSlice" …, as in the objects' "kind:". */
const char *ingress_kind_name(ingress_kind_e kind);

/*
 * Go's "2160h", "1h30m", "1.5h", "0" in seconds, what is less than one cut
 * off; none below zero, or of more than 292 years.
 */
int ingress_duration_parse(torii_str_t s, int64_t *seconds);

/* The value of a name, or NULL. */
const ingress_pair_t *ingress_pair_find(const ingress_pairs_t *pairs,
    const char *name);


#endif /* _INGRESS_OBJECT_H_INCLUDED_ */
