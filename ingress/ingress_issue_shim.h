
/*
 * Annotations about certificates while they are read; private to
 * ingress_issue_shim.c and ingress_issue_read.c.
 */

#ifndef _INGRESS_ISSUE_SHIM_H_INCLUDED_
#define _INGRESS_ISSUE_SHIM_H_INCLUDED_


#include "ingress_issue_claim.h"


/* An Ingress that is being read. */

typedef struct {
    ingress_issuing_t      *s;
    ingress_wish_t         *w;
    const ingress_pair_t   *issuer;
    const ingress_pair_t   *cluster;
    const ingress_pair_t   *kind;
    const ingress_pair_t   *group;
    const ingress_pair_t   *size;
    const ingress_pair_t   *before;
    const ingress_pair_t   *percent;
    uint32_t                bits;
    uint32_t                algorithm;     /* ingress_key_algorithm_e */
    unsigned                noted:1;
} ingress_shim_t;


/* Readers of values: NULL, or what is wrong. */

const char *ingress_shim_issuer(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_cluster(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_kind(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_group(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_auto(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_common(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_names(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_addresses(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_other_names(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_subject(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_duration(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_before(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_percent(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_algorithm(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_size(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_encoding(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_rotation(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_template(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_temporary(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_challenge(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_more(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_renew(ingress_shim_t *shim,
    const ingress_pair_t *pair);
const char *ingress_shim_pair(ingress_shim_t *shim,
    const ingress_pair_t *pair);


#endif /* _INGRESS_ISSUE_SHIM_H_INCLUDED_ */
