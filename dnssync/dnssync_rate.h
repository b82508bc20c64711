
/*
 * How much a provider is asked: a bucket of units, full again at an instant.
 * Each time that the provider complains it fills at half the speed, and comes
 * back to its own little by little.  And how long to wait after a failure.
 * Milliseconds since 1970.
 */

#ifndef _DNSSYNC_RATE_H_INCLUDED_
#define _DNSSYNC_RATE_H_INCLUDED_


#include "torii.h"


#define DNSSYNC_RATE_WHOLE  100        /* percent */
#define DNSSYNC_RATE_LEAST  5
#define DNSSYNC_RATE_STEP   5          /* back, in each … */
#define DNSSYNC_RATE_BACK   60000      /* … ms without a complaint */

#define DNSSYNC_WAIT_MIN    1000
#define DNSSYNC_WAIT_MAX    300000


typedef struct {
    uint32_t               units;      /* 0: no limit */
    uint32_t               period;     /* s */
    uint32_t               factor;     /* percent */
    uint64_t               full;       /* µs */
    uint64_t               changed;    /* factor */
} dnssync_rate_t;

void dnssync_rate_init(dnssync_rate_t *rate, uint32_t units, uint32_t period);
/* The instant from which on it may be sent: now, or later. */
uint64_t dnssync_rate_when(dnssync_rate_t *rate, uint64_t now, uint32_t cost);
void dnssync_rate_spend(dnssync_rate_t *rate, uint64_t now, uint32_t cost);
void dnssync_rate_throttled(dnssync_rate_t *rate, uint64_t now);
void dnssync_rate_good(dnssync_rate_t *rate, uint64_t now);


/* xorshift: for jitter only */
uint64_t dnssync_random(uint64_t *state);
/* The next wait: between the least and three times the last one. */
uint32_t dnssync_wait(uint64_t *random, uint32_t last);


#endif /* _DNSSYNC_RATE_H_INCLUDED_ */
