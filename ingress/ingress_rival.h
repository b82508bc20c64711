
/*
 * Whether another controller is at work, judged by the Lease of its leader
 * (coordination.k8s.io/v1): it is, if the Lease has a holder and was renewed
 * within the last minute.  Clocks may differ, so a Lease that changes between
 * two looks counts as renewed when that was seen.
 */

#ifndef _INGRESS_RIVAL_H_INCLUDED_
#define _INGRESS_RIVAL_H_INCLUDED_


#include "ingress_api.h"


#define INGRESS_RIVAL_ALIVE  60          /* s */

typedef struct {
    uint64_t             seen;           /* hash of the last one, 0: none */
    uint64_t             changed;        /* ms, when it was another one */
} ingress_rival_t;

/*
 * body: of a GET that was answered with 200.  now: ms that do not jump; wall:
 * s since 1970.  1: it runs; 0: it does not; TORII_ERROR: this is no Lease.
 */
int ingress_rival_runs(ingress_rival_t *r, uint64_t now, int64_t wall,
    torii_str_t body);


#endif /* _INGRESS_RIVAL_H_INCLUDED_ */
