
/*
 * Leader election by a Lease (coordination.k8s.io/v1), as client-go does it:
 * whoever holds the Lease renews it every 2 s; it is taken over when its
 * content has not changed for 15 s of our own clock (so clocks may differ);
 * a holder that could not renew for 10 s stops leading.  sans-IO, one request
 * in flight.
 */

#ifndef _INGRESS_LEASE_H_INCLUDED_
#define _INGRESS_LEASE_H_INCLUDED_


#include "ingress_api.h"


typedef struct ingress_lease_s  ingress_lease_t;

/* identity: of this instance, unique ("pod-name_random"); all are copied. */
ingress_lease_t *ingress_lease_create(torii_str_t namespace, torii_str_t name,
    torii_str_t identity, uint64_t seed);
void ingress_lease_free(ingress_lease_t *l);

/*
 * now: ms that do not jump; wall: seconds and microseconds since 1970, for the
 * Lease's text only.  As ingress_watch_next(); the answer is handed over whole.
 */
int ingress_lease_next(ingress_lease_t *l, uint64_t now, uint64_t wall_us,
    ingress_api_request_t *req, uint32_t *wait);
void ingress_lease_answer(ingress_lease_t *l, uint64_t now,
    const ingress_api_answer_t *answer, torii_str_t body);

/* 1 while this instance leads, judged at now: also without any answer. */
int ingress_lease_leads(ingress_lease_t *l, uint64_t now);

/* The last request of a clean exit: holderIdentity "" (TORII_DECLINED: no
   Lease is ours). */
int ingress_lease_release(ingress_lease_t *l, uint64_t now, uint64_t wall_us,
    ingress_api_request_t *req);

/* Who holds it, for the admin page; "" is nobody known. */
torii_str_t ingress_lease_holder(const ingress_lease_t *l);
/* Of the object, unlike that of any other cluster's; "" is not known yet. */
torii_str_t ingress_lease_uid(const ingress_lease_t *l);
const char *ingress_lease_error(const ingress_lease_t *l);


#endif /* _INGRESS_LEASE_H_INCLUDED_ */
