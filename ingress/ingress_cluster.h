
/*
 * The Kubernetes API as the source of objects: one watch a kind, the contents
 * of those Secrets that an object refers to, and the state of completeness,
 * all of it into the store.  sans-IO: any number of requests is in flight,
 * each under a number that the machine gives.
 *
 * Kinds: Ingress, IngressClass, Service, EndpointSlice; Secret by one watch of
 * metadata and a GET of each that is referred to (or, with secret_namespaces,
 * a watch in each namespace); ConfigMap: only those named; Namespace: only for
 * a selector of them.  403 on a kind is a finding and no stop.
 *
 * cert-manager's Issuer, ClusterIssuer and Certificate need not be there: their
 * absence is no finding, and nothing waits for them.  They are looked for after
 * 30 seconds, and then up to five minutes apart.
 */

#ifndef _INGRESS_CLUSTER_H_INCLUDED_
#define _INGRESS_CLUSTER_H_INCLUDED_


#include "ingress_store.h"
#include "ingress_watch.h"


typedef struct {
    torii_str_t            namespace;  /* torii_watch_namespace; empty: all */
    torii_str_t            config;     /* "ns/name", ConfigMap; or empty */
    torii_str_t           *secret_namespaces;  /* Roles instead of a
                                          ClusterRole for Secrets; NULL: one
                                          watch over all namespaces */
    uint32_t               nsecret_namespaces;
    const ingress_options_t  *served;  /* what compile gets: which Secrets and
                                          ConfigMaps are needed depends on it;
                                          lives as long as the machine.  NULL:
                                          all that any Ingress refers to */
    uint64_t               epoch;      /* now + epoch: ms since 1970, for
                                          texts; 0 unknown */
    uint64_t               seed;
} ingress_cluster_options_t;

typedef struct ingress_cluster_s  ingress_cluster_t;


ingress_cluster_t *ingress_cluster_create(ingress_store_t *store,
    const ingress_cluster_options_t *options);
/* From now on Secrets of this type in this namespace, too, whether any object
   refers to them or not; nothing waits for them.  Once for each. */
void ingress_cluster_secrets(ingress_cluster_t *c, torii_str_t namespace,
    torii_str_t type);
void ingress_cluster_free(ingress_cluster_t *c);

/* As ingress_watch_next(), for all of it; *id names the request. */
int ingress_cluster_next(ingress_cluster_t *c, uint64_t now,
    ingress_api_request_t *req, uint32_t *id, uint32_t *wait);
int ingress_cluster_head(ingress_cluster_t *c, uint64_t now, uint32_t id,
    const ingress_api_answer_t *answer);
int ingress_cluster_body(ingress_cluster_t *c, uint64_t now, uint32_t id,
    torii_str_t bytes);
void ingress_cluster_end(ingress_cluster_t *c, uint64_t now, uint32_t id,
    const char *error);

/* The server, which was away, has answered somebody: no need to wait. */
void ingress_cluster_hurry(ingress_cluster_t *c, uint64_t now);

/* 1 once after the active content of the store, or a finding, has changed. */
int ingress_cluster_changed(ingress_cluster_t *c);

/*
 * 1 when every kind that is needed for a table was listed whole, or cannot be
 * had (forbidden), and the Secrets needed were asked for: before that nothing
 * is published.  Once 1, it stays.  Where Ingresses themselves cannot be had
 * it stays 0: a table without any would take the place of a good one.
 */
int ingress_cluster_complete(ingress_cluster_t *c);

/* 1: complete, and no watch has just begun or ended to show Secrets. */
int ingress_cluster_settled(const ingress_cluster_t *c);
/*
 * Whether the store has what there is under the name of a Secret that is
 * referred to.  TORII_OK; TORII_AGAIN: soon, it is being asked for, or may be
 * on its way by another watch than what refers to it; TORII_DECLINED: it may
 * not be read, or is refused again and again.
 */
int ingress_cluster_secret(ingress_cluster_t *c, uint64_t now,
    torii_str_t namespace, torii_str_t name);

/* Findings of the source itself; valid until the next call of _next(). */
const ingress_finding_t *ingress_cluster_findings(ingress_cluster_t *c);


/* For /readyz, metrics and the admin API. */

typedef struct {
    const char            *resource;   /* "ingresses" … */
    ingress_watch_state_e  state;
    uint64_t               since;      /* stale since, in ms of now's clock +
                                          epoch; 0: not stale */
    uint32_t               objects;
    const char            *error;
} ingress_cluster_kind_t;

/* One for each resource, whatever the number of its watches. */
uint32_t ingress_cluster_kinds(ingress_cluster_t *c,
    ingress_cluster_kind_t *kinds, uint32_t max);


#endif /* _INGRESS_CLUSTER_H_INCLUDED_ */
