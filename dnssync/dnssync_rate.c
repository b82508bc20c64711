
/*
 * The bucket of an account, and waits after failures.
 */

#include "dnssync_rate.h"


static uint64_t dnssync_rate_interval(const dnssync_rate_t *rate);
static void dnssync_rate_bound(dnssync_rate_t *rate, uint64_t now);


void
dnssync_rate_init(dnssync_rate_t *rate, uint32_t units, uint32_t period)
{
    memset(rate, 0, sizeof(dnssync_rate_t));

    rate->units = period ? units : 0;
    rate->period = period;
    rate->factor = DNSSYNC_RATE_WHOLE;
}


/* µs for one unit. */

static uint64_t
dnssync_rate_interval(const dnssync_rate_t *rate)
{
    return rate->period * 1000000ULL * DNSSYNC_RATE_WHOLE
           / rate->units / rate->factor;
}


/* An empty bucket is the worst there is, whatever the clock did. */

static void
dnssync_rate_bound(dnssync_rate_t *rate, uint64_t now)
{
    uint64_t  last;

    last = now * 1000 + 2 * rate->units * dnssync_rate_interval(rate);

    if (rate->full > last) {
        rate->full = last;
    }
}


uint64_t
dnssync_rate_when(dnssync_rate_t *rate, uint64_t now, uint32_t cost)
{
    uint64_t  spare, when;

    if (rate->units == 0) {
        return now;
    }

    dnssync_rate_bound(rate, now);

    spare = (cost < rate->units)
            ? (rate->units - cost) * dnssync_rate_interval(rate) : 0;
    when = (rate->full > spare) ? (rate->full - spare + 999) / 1000 : 0;

    return when > now ? when : now;
}


void
dnssync_rate_spend(dnssync_rate_t *rate, uint64_t now, uint32_t cost)
{
    if (rate->units == 0) {
        return;
    }

    if (rate->full < now * 1000) {
        rate->full = now * 1000;
    }

    rate->full += cost * dnssync_rate_interval(rate);
}


void
dnssync_rate_throttled(dnssync_rate_t *rate, uint64_t now)
{
    rate->factor /= 2;

    if (rate->factor < DNSSYNC_RATE_LEAST) {
        rate->factor = DNSSYNC_RATE_LEAST;
    }

    rate->changed = now;
}


void
dnssync_rate_good(dnssync_rate_t *rate, uint64_t now)
{
    if (rate->changed > now) {
        rate->changed = now;
    }

    if (rate->factor == DNSSYNC_RATE_WHOLE
        || now - rate->changed < DNSSYNC_RATE_BACK)
    {
        return;
    }

    rate->changed = now;
    rate->factor += DNSSYNC_RATE_STEP;

    if (rate->factor > DNSSYNC_RATE_WHOLE) {
        rate->factor = DNSSYNC_RATE_WHOLE;
    }
}


uint64_t
dnssync_random(uint64_t *state)
{
    uint64_t  x;

    x = *state ? *state : 0x9e3779b97f4a7c15ULL;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;

    *state = x;

    return x;
}


uint32_t
dnssync_wait(uint64_t *random, uint32_t last)
{
    uint64_t  most, wait;

    most = last ? 3 * (uint64_t) last : DNSSYNC_WAIT_MIN;

    if (most < 2 * DNSSYNC_WAIT_MIN) {
        most = 2 * DNSSYNC_WAIT_MIN;
    }

    wait = DNSSYNC_WAIT_MIN
           + dnssync_random(random) % (most - DNSSYNC_WAIT_MIN);

    return wait < DNSSYNC_WAIT_MAX ? (uint32_t) wait : DNSSYNC_WAIT_MAX;
}
