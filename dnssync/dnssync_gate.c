
/*
 * What is kept between plans, by zone, host and type: since when it is
 * missing, whether an operator let it go, how often it was written or failed.
 */

#include <stdlib.h>

#include "dnssync_gate.h"


#define DNSSYNC_GATE_ROUNDS  3
#define DNSSYNC_GATE_FORGET  3600      /* what was written, after that */
#define DNSSYNC_GATE_WAIT    60        /* after a failure, doubled */
#define DNSSYNC_GATE_DOUBLE  6


static dnssync_track_t *dnssync_gate_edited(dnssync_gate_t *gate,
    const dnssync_edit_t *edit, int make);
static void dnssync_gate_touch(const dnssync_gate_t *gate,
    dnssync_track_t *t);
static void dnssync_gate_grow(dnssync_gate_t *gate);
static dnssync_gate_zone_t *dnssync_gate_zone(dnssync_gate_t *gate,
    torii_str_t id, uint64_t now);
static void dnssync_gate_put(dnssync_gate_t *gate, dnssync_track_t *t);
static uint64_t dnssync_gate_hash(torii_str_t zone, torii_str_t name,
    torii_str_t set, unsigned type);
static torii_str_t dnssync_gate_copy(unsigned char **p, torii_str_t s);


dnssync_gate_t *
dnssync_gate_create(void)
{
    dnssync_gate_t  *gate;

    gate = torii_zalloc(sizeof(dnssync_gate_t));

    dnssync_gate_grow(gate);

    return gate;
}


void
dnssync_gate_free(dnssync_gate_t *gate)
{
    if (gate != NULL) {
        dnssync_gate_clear(gate);
        free(gate->slots);
        free(gate->zones);
        free(gate);
    }
}


void
dnssync_gate_clear(dnssync_gate_t *gate)
{
    uint32_t  i;

    for (i = 0; i <= gate->mask; i++) {
        free(gate->slots[i]);
        gate->slots[i] = NULL;
    }

    for (i = 0; i < gate->nzones; i++) {
        free(gate->zones[i].id.data);
    }

    gate->n = 0;
    gate->nzones = 0;
}


void
dnssync_gate_begin(dnssync_gate_t *gate)
{
    gate->round++;
}


static uint64_t
dnssync_gate_hash(torii_str_t zone, torii_str_t name, torii_str_t set,
    unsigned type)
{
    uint64_t  hash;

    hash = torii_hash(zone.data, zone.len, type);
    hash = torii_hash(name.data, name.len, hash);

    return torii_hash(set.data, set.len, hash);
}


static torii_str_t
dnssync_gate_copy(unsigned char **p, torii_str_t s)
{
    torii_str_t  copy;

    copy.data = *p;
    copy.len = s.len;

    if (s.len) {
        memcpy(copy.data, s.data, s.len);
    }

    *p += s.len;

    return copy;
}


/* What a plan before held is to be held by this one, too, or is not held. */

static void
dnssync_gate_touch(const dnssync_gate_t *gate, dnssync_track_t *t)
{
    if (t->round != gate->round) {
        t->round = gate->round;
        t->held = 0;
    }
}


/* NULL: there is none, and it is not to be made. */

dnssync_track_t *
dnssync_gate_track(dnssync_gate_t *gate, torii_str_t zone, torii_str_t name,
    torii_str_t set, unsigned type, int make)
{
    uint64_t          hash;
    uint32_t          slot;
    unsigned char    *p;
    dnssync_track_t  *t;

    hash = dnssync_gate_hash(zone, name, set, type);

    for (slot = hash & gate->mask; gate->slots[slot] != NULL;
         slot = (slot + 1) & gate->mask)
    {
        t = gate->slots[slot];

        if (t->key == hash && t->type == type && torii_str_eq(t->name, name)
            && torii_str_eq(t->set, set) && torii_str_eq(t->zone, zone))
        {
            dnssync_gate_touch(gate, t);
            return t;
        }
    }

    if (!make) {
        return NULL;
    }

    t = torii_zalloc(sizeof(dnssync_track_t) + zone.len + name.len + set.len);
    p = (unsigned char *) t + sizeof(dnssync_track_t);

    t->key = hash;
    t->type = type;
    t->round = gate->round;
    t->zone = dnssync_gate_copy(&p, zone);
    t->name = dnssync_gate_copy(&p, name);
    t->set = dnssync_gate_copy(&p, set);

    if (2 * (gate->n + 1) > gate->mask) {
        dnssync_gate_grow(gate);
    }

    dnssync_gate_put(gate, t);

    return t;
}


static void
dnssync_gate_put(dnssync_gate_t *gate, dnssync_track_t *t)
{
    uint32_t  slot;

    slot = t->key & gate->mask;

    while (gate->slots[slot] != NULL) {
        slot = (slot + 1) & gate->mask;
    }

    gate->slots[slot] = t;
    gate->n++;
}


static void
dnssync_gate_grow(dnssync_gate_t *gate)
{
    uint32_t           i, size;
    dnssync_track_t  **old;

    old = gate->slots;
    size = old ? gate->mask + 1 : 0;

    gate->mask = size ? 2 * size - 1 : 15;
    gate->slots = torii_zalloc((gate->mask + 1) * sizeof(dnssync_track_t *));
    gate->n = 0;

    for (i = 0; i < size; i++) {
        if (old[i] != NULL) {
            dnssync_gate_put(gate, old[i]);
        }
    }

    free(old);
}


/*
 * Missing from this complete snapshot and from one long enough ago, or seen to
 * be deleted.  A clock that was set back begins anew.
 */

int
dnssync_gate_confirmed(dnssync_track_t *t, uint64_t now, uint32_t delay,
    int gone)
{
    if (t->since == 0 || t->since > now) {
        t->since = now;
    }

    return gone || now - t->since >= delay;
}


int
dnssync_gate_acked(const dnssync_track_t *t)
{
    return t->acked;
}


int
dnssync_gate_seen(const dnssync_track_t *t, uint64_t listed)
{
    return listed > t->since;
}


void
dnssync_gate_hold(dnssync_track_t *t)
{
    t->held = 1;
}


uint32_t
dnssync_gate_ack(dnssync_gate_t *gate, torii_str_t zone)
{
    uint32_t          i, n;
    dnssync_track_t  *t;

    n = 0;

    for (i = 0; i <= gate->mask; i++) {
        t = gate->slots[i];

        if (t != NULL && t->held
            && (zone.len == 0 || torii_str_eq(zone, t->zone)))
        {
            t->held = 0;
            t->acked = 1;
            n++;
        }
    }

    return n;
}


/* What this plan did not find missing in the zone is not missing. */

void
dnssync_gate_end(dnssync_gate_t *gate, torii_str_t zone, uint64_t now)
{
    uint32_t           i, size;
    dnssync_track_t   *t, **old;

    old = gate->slots;
    size = gate->mask + 1;

    gate->slots = torii_zalloc(size * sizeof(dnssync_track_t *));
    gate->n = 0;

    for (i = 0; i < size; i++) {
        t = old[i];

        if (t == NULL) {
            continue;
        }

        if (t->type && t->round != gate->round
            && torii_str_eq(t->zone, zone))
        {
            free(t);
            continue;
        }

        if (t->type == 0
            && (now > t->until + DNSSYNC_GATE_FORGET
                || t->until > now + 2 * DNSSYNC_GATE_FORGET))
        {
            free(t);
            continue;
        }

        dnssync_gate_put(gate, t);
    }

    free(old);
}


static dnssync_track_t *
dnssync_gate_edited(dnssync_gate_t *gate, const dnssync_edit_t *edit, int make)
{
    return dnssync_gate_track(gate, edit->zone->id, edit->name, edit->set, 0,
                              make);
}


dnssync_why_e
dnssync_gate_edit(dnssync_gate_t *gate, const dnssync_edit_t *edit,
    uint64_t now)
{
    dnssync_track_t  *t;

    t = dnssync_gate_edited(gate, edit, 0);

    if (t == NULL || now >= t->until) {
        return DNSSYNC_WHY_NEW;
    }

    if (t->fails) {
        return DNSSYNC_WHY_FAILING;
    }

    return (t->hash == edit->hash && t->rounds >= DNSSYNC_GATE_ROUNDS)
           ? DNSSYNC_WHY_DIVERGES : DNSSYNC_WHY_NEW;
}


void
dnssync_gate_applied(dnssync_gate_t *gate, const dnssync_edit_t *edit,
    uint64_t now)
{
    dnssync_track_t      *t;
    dnssync_gate_zone_t  *zone;

    if (edit->what != DNSSYNC_EDIT_LOCK) {
        t = dnssync_gate_edited(gate, edit, 1);

        t->rounds = (t->hash == edit->hash && now < t->until)
                    ? t->rounds + 1 : 1;
        t->hash = edit->hash;
        t->fails = 0;
        t->until = now + DNSSYNC_GATE_FORGET;
    }

    if (edit->removed == 0) {
        return;
    }

    zone = dnssync_gate_zone(gate, edit->zone->id, now);
    zone->deleted += edit->removed;
}


void
dnssync_gate_failed(dnssync_gate_t *gate, const dnssync_edit_t *edit,
    uint64_t now)
{
    unsigned          n;
    dnssync_track_t  *t;

    t = dnssync_gate_edited(gate, edit, 1);

    n = t->fails < DNSSYNC_GATE_DOUBLE ? t->fails : DNSSYNC_GATE_DOUBLE;

    t->until = now + ((uint64_t) DNSSYNC_GATE_WAIT << n);
    t->fails += (t->fails < UINT16_MAX);
}


/* The zone's, made if there is none. */

static dnssync_gate_zone_t *
dnssync_gate_zone(dnssync_gate_t *gate, torii_str_t id, uint64_t now)
{
    uint32_t  i;

    for (i = 0; i < gate->nzones; i++) {
        if (torii_str_eq(gate->zones[i].id, id)) {
            return &gate->zones[i];
        }
    }

    return dnssync_gate_zone_add(gate, id, now);
}


dnssync_gate_zone_t *
dnssync_gate_zone_add(dnssync_gate_t *gate, torii_str_t id, uint64_t now)
{
    dnssync_gate_zone_t  *zone;

    gate->zones = torii_realloc(gate->zones, (gate->nzones + 1)
                                             * sizeof(dnssync_gate_zone_t));
    zone = &gate->zones[gate->nzones++];

    zone->id.len = id.len;
    zone->id.data = torii_malloc(id.len);
    zone->began = now;
    zone->deleted = 0;
    zone->lock = 0;
    zone->since = 0;

    if (id.len) {
        memcpy(zone->id.data, id.data, id.len);
    }

    return zone;
}


uint64_t
dnssync_gate_lock(dnssync_gate_t *gate, torii_str_t zone, uint64_t hash,
    uint64_t now)
{
    dnssync_gate_zone_t  *z;

    z = dnssync_gate_zone(gate, zone, now);

    if (z->lock != hash || z->since > now) {
        z->lock = hash;
        z->since = now;
    }

    return z->since;
}


/* How much was deleted in the window, which begins anew when it is over. */

uint32_t
dnssync_gate_deleted(dnssync_gate_t *gate, torii_str_t zone, uint64_t now,
    uint32_t window)
{
    dnssync_gate_zone_t  *z;

    z = dnssync_gate_zone(gate, zone, now);

    if (now >= z->began + window) {
        z->began = now;
        z->deleted = 0;
    }

    if (z->began > now) {
        z->began = now;
    }

    return z->deleted;
}
