
/*
 * From an object's hosts and annotations, and the addresses of the gateway, to
 * endpoints.  Annotations may be ours ("torii/dns-ttl") or ExternalDNS's, under
 * both of its prefixes; ours come first, then "external-dns.kubernetes.io/",
 * then "external-dns.alpha.kubernetes.io/".
 *
 * What cannot be understood never looks like a host that is gone: the host, or
 * all hosts of the object, keep what they have, and a finding tells why.
 */

#ifndef _DNSSYNC_SOURCE_H_INCLUDED_
#define _DNSSYNC_SOURCE_H_INCLUDED_


#include "dnssync_plan.h"


/* What the gateway is reached by; "public" and "private" may differ. */

typedef struct {
    torii_str_t               name;
    const torii_str_t        *addresses;   /* or host names */
    uint32_t                  n;
    unsigned                  keep;        /* mask: not known at present */
} dnssync_view_t;

typedef struct {
    const dnssync_view_t     *views;
    uint32_t                  nviews;
    int                     (*served)(void *data, torii_str_t host);
    void                     *data;        /* NULL handler: all are served */
    unsigned                  tls_hosts:1; /* those without a rule, too */
} dnssync_source_conf_t;

typedef struct {
    torii_str_t               resource;    /* "ingress/NAMESPACE/NAME" */
    uint64_t                  created;
    const torii_str_t        *hosts;       /* of rules */
    uint32_t                  n;
    const torii_str_t        *tls;
    uint32_t                  ntls;
    const dnssync_option_t   *annotations; /* by their whole names */
    uint32_t                  nannotations;
} dnssync_object_t;

typedef struct {
    dnssync_endpoint_t       *endpoints;
    uint32_t                  n;
    uint32_t                  size;
} dnssync_endpoints_t;


/* Adds to a zeroed list, in the plan's arena; findings go into the plan. */
void dnssync_endpoints(dnssync_endpoints_t *list, dnssync_plan_t *plan,
    const dnssync_source_conf_t *conf, const dnssync_object_t *object);

/* Seconds, or Go's duration "1m30s".  TORII_ERROR: neither. */
int dnssync_ttl_read(torii_str_t text, uint32_t *ttl);


/* dnssync_annotation.c: what an object's annotations say; "" is nothing. */

typedef enum {
    DNSSYNC_SAY_HOSTNAME = 0,
    DNSSYNC_SAY_HOSTNAME_SOURCE,
    DNSSYNC_SAY_TARGET,
    DNSSYNC_SAY_TTL,
    DNSSYNC_SAY_CONTROLLER,
    DNSSYNC_SAY_ACCESS,
    DNSSYNC_SAY_SET,
    DNSSYNC_SAY_ALIAS,
    DNSSYNC_SAY_RECORD_TYPE,
    DNSSYNC_SAY_ZONE,
    DNSSYNC_SAYS
} dnssync_say_e;

typedef struct {
    torii_str_t               values[DNSSYNC_SAYS];
    unsigned                  ranks[DNSSYNC_SAYS];
    dnssync_option_t          options[DNSSYNC_OPTIONS_MAX];
    unsigned                  option_ranks[DNSSYNC_OPTIONS_MAX];
    uint32_t                  noptions;
} dnssync_says_t;

void dnssync_says(dnssync_says_t *says, dnssync_plan_t *plan,
    const dnssync_object_t *object);


#endif /* _DNSSYNC_SOURCE_H_INCLUDED_ */
