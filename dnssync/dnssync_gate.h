
/*
 * Inside of the gate.
 */

#ifndef _DNSSYNC_GATE_H_INCLUDED_
#define _DNSSYNC_GATE_H_INCLUDED_


#include "dnssync_planner.h"


/* type: a bit of a set that is missing; 0: an edit of the host. */

struct dnssync_track_s {
    uint64_t              key;
    torii_str_t           zone;
    torii_str_t           name;
    torii_str_t           set;
    uint64_t              since;     /* missing */
    uint64_t              hash;      /* of the last edit */
    uint64_t              until;     /* not to be tried, or to be remembered */
    uint32_t              round;     /* of the plan that saw it */
    uint16_t              rounds;    /* that the edit was done */
    uint16_t              fails;
    uint8_t               type;
    unsigned              held:1;
    unsigned              acked:1;
};

typedef struct {
    torii_str_t           id;
    uint64_t              began;     /* the window */
    uint32_t              deleted;   /* in it */
    uint64_t              lock;      /* hash of what is late in it … */
    uint64_t              since;     /* … since then; neither is saved */
} dnssync_gate_zone_t;

struct dnssync_gate_s {
    dnssync_track_t     **slots;
    uint32_t              mask;
    uint32_t              n;
    uint32_t              round;
    dnssync_gate_zone_t  *zones;
    uint32_t              nzones;
};


void dnssync_gate_clear(dnssync_gate_t *gate);
dnssync_gate_zone_t *dnssync_gate_zone_add(dnssync_gate_t *gate, torii_str_t id,
    uint64_t now);


#endif /* _DNSSYNC_GATE_H_INCLUDED_ */
