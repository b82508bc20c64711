
/*
 * Findings about Ingresses as Kubernetes Events (events.k8s.io/v1): one Event
 * a finding, its series counted up instead of written again; a token bucket
 * limits them.  sans-IO, one request in flight.
 *
 * An Event's name is made of its finding, so that whoever leads next, or the
 * same instance after a restart, finds the ones that are there already.
 */

#ifndef _INGRESS_EVENT_H_INCLUDED_
#define _INGRESS_EVENT_H_INCLUDED_


#include "ingress_api.h"
#include "ingress_store.h"


typedef struct ingress_events_s  ingress_events_t;

/* instance: name of the pod or machine, reportingInstance of the Events. */
ingress_events_t *ingress_events_create(ingress_store_t *store,
    torii_str_t instance, uint64_t seed);
void ingress_events_free(ingress_events_t *e);

/* The findings of the last compile: new ones become Events, gone ones end. */
void ingress_events_findings(ingress_events_t *e, uint64_t now,
    const ingress_finding_t *findings);

/*
 * Only to be asked while this instance leads.  As ingress_watch_next(); a wait
 * of UINT32_MAX ends with the answer or with the next findings.
 */
int ingress_events_next(ingress_events_t *e, uint64_t now, uint64_t wall_us,
    ingress_api_request_t *req, uint32_t *wait);
void ingress_events_answer(ingress_events_t *e, uint64_t now,
    const ingress_api_answer_t *answer, torii_str_t body);

/* Why Events are not written, or "". */
const char *ingress_events_error(const ingress_events_t *e);


#endif /* _INGRESS_EVENT_H_INCLUDED_ */
