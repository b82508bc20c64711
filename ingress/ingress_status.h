
/*
 * status.loadBalancer of Ingresses: the addresses of the gateway, written by
 * the leader to every Ingress that is served, where they differ, and left
 * alone otherwise (also at shutdown).  sans-IO; up to 8 requests in flight.
 */

#ifndef _INGRESS_STATUS_H_INCLUDED_
#define _INGRESS_STATUS_H_INCLUDED_


#include "ingress_api.h"
#include "ingress_store.h"


/*
 * Addresses of a Service, as "torii_publish service=NS/NAME" takes them
 * (reference: status.loadBalancer.ingress and externalIPs; ClusterIP; …): they
 * need the Service's whole object, so they are kept by the decoder in
 * ingress_service_t.  Returns their number, at most max, sorted, none twice;
 * the strings are the Service's.
 */
uint32_t ingress_status_service(const ingress_service_t *service,
    ingress_address_t *addresses, uint32_t max);

typedef struct ingress_status_s  ingress_status_t;

ingress_status_t *ingress_status_create(ingress_store_t *store, uint64_t seed);
void ingress_status_free(ingress_status_t *s);

/*
 * What is to be written; copied.  n 0: nothing is known, nothing is written.
 * The Ingresses that get it are those that the last compile served.
 */
void ingress_status_addresses(ingress_status_t *s,
    const ingress_address_t *addresses, uint32_t n);

/* Only to be asked while this instance leads.  As ingress_cluster_next(). */
int ingress_status_next(ingress_status_t *s, uint64_t now,
    ingress_api_request_t *req, uint32_t *id, uint32_t *wait);
void ingress_status_answer(ingress_status_t *s, uint64_t now, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);

/* 1 while an answer is due: what was sent may still be done. */
int ingress_status_busy(const ingress_status_t *s);

/* Why addresses are not written, or "". */
const char *ingress_status_error(const ingress_status_t *s);


#endif /* _INGRESS_STATUS_H_INCLUDED_ */
