
/*
 * DNS servers that exist in memory only, and their driver.  Its requests name
 * their operation, which the server carries out when it is sent; what it says
 * arrives later, or is lost.
 */

#ifndef _ENGINE_SERVER_H_INCLUDED_
#define _ENGINE_SERVER_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>

#include "dnssync_engine.h"
#include "engine_zone.h"
#include "tap.h"


#define WORLD_START     1795000000000ULL
#define WORLD_SERVERS   3
#define WORLD_ZONES     64
#define WORLD_PENDING   256
#define WORLD_FILES     128
#define WORLD_SECOND    1000ULL
#define WORLD_MINUTE    60000ULL
#define WORLD_HOUR      3600000ULL
#define WORLD_BATCH     500            /* edits in a request */


/* What is wrong with a server at present. */

typedef enum {
    WORLD_WELL = 0,
    WORLD_DOWN,                        /* no answer to anything */
    WORLD_DENIED,
    WORLD_CUT,                         /* listings are not whole */
    WORLD_THROTTLED
} world_state_e;

typedef struct {
    world_zone_t            zones[WORLD_ZONES];
    uint32_t                nzones;
    world_state_e           state;
    const char             *refuses;   /* edits of names that begin so */
    unsigned                lose;      /* percent: a request, or its answer */
    unsigned                fail;      /* percent: of a random kind */
    uint32_t                requests;
    uint32_t                kinds[DNSSYNC_OP_ADJUST + 1];
    uint32_t                edits[DNSSYNC_EDIT_DELETE + 1];
    uint64_t                first;     /* request, or last one */
    uint64_t                last;
} world_server_t;

typedef struct {
    uint32_t                ticket;
    uint64_t                at;
    torii_arena_t          *arena;     /* NULL: free */
    dnssync_trouble_e       trouble;
    uint64_t                serial;
    dnssync_rrset_t        *sets;
    uint32_t                n;
    dnssync_found_t        *zones;
    uint32_t                nzones;
    dnssync_outcome_e      *results;
    unsigned                same:1;
} world_reply_t;

typedef struct {
    char                    name[40];
    torii_buf_t             data;
} world_file_t;

typedef struct {
    uint32_t                at;        /* first edit of the request */
    uint32_t                n;
} world_op_t;

typedef struct {
    torii_arena_t          *a;
    uint64_t                now;
    uint64_t                random;
    uint64_t                seed;      /* of the engines */
    uint32_t                writer;    /* of a lock … */
    uint32_t                instance;  /* … and its run */
    uint32_t                latency;   /* ms */
    uint32_t                slow;      /* more of them for a listing */
    dnssync_engine_t       *e;
    world_server_t          servers[WORLD_SERVERS];
    world_reply_t           pending[WORLD_PENDING];
    world_file_t            files[WORLD_FILES];
    uint32_t                nfiles;

    /* accounts */
    dnssync_conf_t          conf[WORLD_SERVERS];
    uint64_t                hash[WORLD_SERVERS];
    uint32_t                naccounts;
    uint32_t                interval;

    /* objects: hosts */
    torii_str_t            *hosts;
    unsigned char          *there;
    uint32_t                nhosts;
    torii_str_t             address;
    const char             *target;    /* annotation, of all */
    torii_str_t             gone;
    torii_str_t            *parent;    /* servers it names; NULL: not asked */
    uint32_t                nparent;
    const char             *silent;    /* why it does not answer */
    unsigned                incomplete:1;
    unsigned                unaddressed:1;

    /* what was told */
    uint32_t                resolves;
    uint32_t                verifies;
    uint32_t                delegations;
    uint32_t                saves;
    uint32_t                changes;
    uint32_t                challenged;
    const char             *challenge_error;
    torii_str_t             resolved;  /* "": it fails */
} world_t;


static world_t  *world;


static inline uint32_t
world_chance(world_t *w, uint32_t n)
{
    w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;

    return (uint32_t) (w->random >> 33) % n;
}


static inline void
world_record(world_t *w, world_zone_t *z, const char *name, unsigned type,
    const char *value)
{
    torii_str_t      text;
    dnssync_rrset_t  set;

    memset(&set, 0, sizeof(dnssync_rrset_t));

    text = torii_str(value);
    set.name = torii_str(name);
    set.type = type;
    set.ttl = 300;
    set.values = &text;
    set.n = 1;

    world_put(w->a, z, &set);
    z->serial++;
}


static inline world_zone_t *
world_zone(world_t *w, uint32_t server, const char *name)
{
    world_zone_t    *z;
    world_server_t  *s;

    s = &w->servers[server];
    z = &s->zones[s->nzones++];

    z->name = torii_str(name);
    world_grow(z);

    world_record(w, z, name, DNSSYNC_SOA, "soa");
    world_record(w, z, name, DNSSYNC_NS, "ns1.test");

    return z;
}


static inline dnssync_outcome_e
world_edit(world_t *w, world_server_t *s, world_zone_t *z,
    const dnssync_edit_t *edit)
{
    uint32_t                  i;
    dnssync_rrset_t          *have;
    const dnssync_part_t     *part;
    const dnssync_require_t  *r;

    for (i = 0; i < edit->nrequires; i++) {
        r = &edit->requires[i];

        if (!world_same(world_get(z, r->name, r->set, r->type), r->equal)) {
            return DNSSYNC_OUTCOME_LOST;
        }
    }

    if (s->refuses != NULL && torii_str_starts(edit->name, s->refuses)) {
        return DNSSYNC_OUTCOME_REFUSED;
    }

    for (i = 0; i < edit->nparts; i++) {
        part = &edit->parts[i];

        if (part->after == NULL) {
            have = world_get(z, part->before->name, part->before->set,
                             part->before->type);
            if (have != NULL) {
                have->n = 0;
                z->n--;
            }

        } else {
            world_put(w->a, z, part->after);
        }
    }

    s->edits[edit->what]++;
    z->serial++;

    return DNSSYNC_OUTCOME_DONE;
}


/* The driver. */

static inline world_server_t *
world_server(const dnssync_account_t *account)
{
    return &world->servers[account->name.data[account->name.len - 1] - '0'];
}


static inline dnssync_op_step_e
world_ask(dnssync_op_t *op)
{
    dnssync_op_t  **p;

    p = torii_arena_alloc(op->arena, sizeof(dnssync_op_t *));
    *p = op;

    memset(&op->request, 0, sizeof(dnssync_request_t));

    op->request.server = torii_str("192.0.2.53:53");
    op->request.message.data = (unsigned char *) p;
    op->request.message.len = sizeof(dnssync_op_t *);
    op->request.cost = 1;

    return DNSSYNC_OP_SEND;
}


static inline dnssync_op_step_e
world_driver_go(dnssync_op_t *op)
{
    world_op_t  *own;

    own = op->state;

    own->n = (op->nedits - own->at < WORLD_BATCH) ? op->nedits - own->at
                                                  : WORLD_BATCH;
    return world_ask(op);
}


static inline dnssync_op_step_e
world_driver_answer(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    uint32_t        i;
    world_op_t     *own;
    world_reply_t  *r;

    own = op->state;

    if (answer->error != NULL) {

        for (i = 0; op->what == DNSSYNC_OP_APPLY && i < own->n; i++) {
            dnssync_op_result(op, own->at + i, DNSSYNC_OUTCOME_UNSURE,
                              "no answer");
        }

        return dnssync_op_fail(op, DNSSYNC_TROUBLE_DOWN, "no answer");
    }

    r = (world_reply_t *) answer->body.data;

    if (r->trouble) {
        op->until = op->now + 90 * WORLD_SECOND;
        return dnssync_op_fail(op, r->trouble, "the server said no");
    }

    switch (op->what) {

    case DNSSYNC_OP_ZONES:
        op->nzones = r->nzones;
        op->zones = torii_arena_alloc(op->arena, (r->nzones + 1)
                                                 * sizeof(dnssync_found_t));
        memcpy(op->zones, r->zones, r->nzones * sizeof(dnssync_found_t));
        return DNSSYNC_OP_DONE;

    case DNSSYNC_OP_PROBE:
    case DNSSYNC_OP_LIST:
        op->same = r->same;
        op->next = torii_arena_printf(op->arena, "%llu",
                                      (unsigned long long) r->serial);

        for (i = 0; i < r->n; i++) {
            world_copy(op->arena, dnssync_op_set(op), &r->sets[i]);
        }

        return DNSSYNC_OP_DONE;

    case DNSSYNC_OP_APPLY:

        for (i = 0; i < own->n; i++) {
            dnssync_op_result(op, own->at + i, r->results[i], "because");
        }

        own->at += own->n;

        return (own->at < op->nedits) ? world_driver_go(op) : DNSSYNC_OP_DONE;

    case DNSSYNC_OP_CHALLENGE:
    case DNSSYNC_OP_ADJUST:
        return DNSSYNC_OP_DONE;
    }

    return DNSSYNC_OP_FAILED;
}


static const dnssync_driver_t  world_driver = {
    .name = "world",
    .at_once = 4,
    .go = world_driver_go,
    .answer = world_driver_answer,
    .state = sizeof(world_op_t)
};


/* What the server does, when it is asked to. */

static inline world_zone_t *
world_named(world_server_t *s, torii_str_t id)
{
    uint32_t  i;

    for (i = 0; i < s->nzones; i++) {
        if (torii_str_eq(s->zones[i].name, id)) {
            return &s->zones[i];
        }
    }

    return NULL;
}


static inline void
world_list(world_zone_t *z, const dnssync_op_t *op, world_reply_t *r)
{
    char      version[24];
    uint32_t  i;

    r->serial = z->serial;
    snprintf(version, sizeof(version), "%llu", (unsigned long long) z->serial);

    if (torii_str_eqs(op->version, version)) {
        r->same = 1;
        return;
    }

    if (op->what == DNSSYNC_OP_PROBE) {
        return;
    }

    r->sets = torii_arena_alloc(r->arena, (z->n + 1)
                                          * sizeof(dnssync_rrset_t));

    for (i = 0; i <= z->mask; i++) {
        if (z->slots[i] != NULL && z->slots[i]->n) {
            world_copy(r->arena, &r->sets[r->n++], z->slots[i]);
        }
    }
}


static inline void
world_serve(world_t *w, world_server_t *s, const dnssync_op_t *op,
    world_reply_t *r)
{
    uint32_t           i;
    world_op_t        *own;
    world_zone_t      *z;

    own = op->state;
    z = (op->what == DNSSYNC_OP_ZONES) ? NULL : world_named(s, op->zone.id);

    if (z == NULL && op->what != DNSSYNC_OP_ZONES) {
        r->trouble = DNSSYNC_TROUBLE_SETTING;
        return;
    }

    switch (op->what) {

    case DNSSYNC_OP_ZONES:
        r->zones = torii_arena_zalloc(r->arena, (s->nzones + 1)
                                                * sizeof(dnssync_found_t));
        for (i = 0; i < s->nzones; i++) {
            r->zones[i].id = s->zones[i].name;
            r->zones[i].name = s->zones[i].name;
            r->zones[i].private = s->zones[i].private;
        }

        r->nzones = s->nzones;
        return;

    case DNSSYNC_OP_PROBE:
    case DNSSYNC_OP_LIST:
        world_list(z, op, r);
        return;

    case DNSSYNC_OP_APPLY:
        r->results = torii_arena_alloc(r->arena, own->n
                                                 * sizeof(dnssync_outcome_e));
        for (i = 0; i < own->n; i++) {
            r->results[i] = world_edit(w, s, z, op->edits[own->at + i]);
        }

        return;

    default:
        return;
    }
}


static inline dnssync_trouble_e
world_trouble(world_t *w, const world_server_t *s, const dnssync_op_t *op)
{
    if (s->state == WORLD_DENIED) {
        return DNSSYNC_TROUBLE_DENIED;
    }

    if (s->state == WORLD_THROTTLED) {
        return DNSSYNC_TROUBLE_THROTTLED;
    }

    if (s->state == WORLD_CUT && op->what == DNSSYNC_OP_LIST) {
        return DNSSYNC_TROUBLE_ANSWER;
    }

    if (s->fail && world_chance(w, 100) < s->fail) {
        return DNSSYNC_TROUBLE_DOWN
               + world_chance(w, DNSSYNC_TROUBLES - DNSSYNC_TROUBLE_DOWN);
    }

    return DNSSYNC_TROUBLE_NONE;
}


static inline void
world_send(world_t *w, const dnssync_action_t *action)
{
    int              lost;
    uint32_t         i;
    dnssync_op_t    *op;
    world_reply_t   *r;
    world_server_t  *s;

    memcpy(&op, action->request->message.data, sizeof(dnssync_op_t *));

    s = world_server(op->account);
    s->requests++;
    s->kinds[op->what]++;
    s->last = w->now;
    s->first = s->first ? s->first : w->now;

    for (i = 0; i < WORLD_PENDING && w->pending[i].arena != NULL; i++) {
        /* void */
    }

    if (i == WORLD_PENDING) {
        tap_ok(0, "too many requests at once");
        exit(1);
    }

    r = &w->pending[i];
    memset(r, 0, sizeof(world_reply_t));

    r->ticket = action->ticket;
    r->at = w->now + w->latency
            + (op->what == DNSSYNC_OP_LIST ? w->slow : 0);
    r->arena = torii_arena_create(1024);

    lost = (s->state == WORLD_DOWN)
           || (s->lose && world_chance(w, 100) < s->lose);
    r->trouble = world_trouble(w, s, op);

    if (lost) {
        r->at = w->now + 5 * WORLD_SECOND;
    }

    /* it may be the answer that is lost */

    if (r->trouble == DNSSYNC_TROUBLE_NONE && s->state != WORLD_DOWN
        && (!lost || world_chance(w, 2)))
    {
        world_serve(w, s, op, r);
    }

    if (lost) {
        r->trouble = DNSSYNC_TROUBLES;
    }
}


#endif /* _ENGINE_SERVER_H_INCLUDED_ */
