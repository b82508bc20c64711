
/*
 * For tests: a client, a CA and a clock, and answers that may be late or lost.
 */

#ifndef _CA_WORLD_H_INCLUDED_
#define _CA_WORLD_H_INCLUDED_


#include "ca_make_answer.h"


#define NOW     1795359600000ULL         /* 2026-11-22T15:00:00Z */
#define HOUR    3600000ULL
#define HELD    32
#define HASTY   300                      /* requests within one instant */

#define HTTP    (ACME_CHALLENGE_HTTP + 1)
#define ALPN    (ACME_CHALLENGE_ALPN + 1)
#define DNS     (ACME_CHALLENGE_DNS + 1)
#define PERSIST (ACME_CHALLENGE_DNS_PERSIST + 1)


typedef struct {
    uint64_t         at;
    uint32_t         id;
    acme_response_t  res;
    torii_arena_t   *arena;
} held_t;

typedef struct {
    ca_t             ca;
    EVP_PKEY        *account_key;
    EVP_PKEY        *key;
    acme_client_t   *c;
    torii_str_t      account;
    torii_arena_t   *arena;
    uint64_t         now;
    uint64_t         last;               /* request */
    unsigned         hasty;
    unsigned         latency;            /* ms, at most */
    unsigned         requests;
    unsigned         stop;               /* before so many requests, 0: never */
    unsigned         lose;               /* the answer to this request … */
    unsigned         drop;               /* … or the request itself */
    unsigned         poke;
    const char      *missing;            /* why records are not there */
    unsigned         looks;
    uint64_t         dark;               /* nothing arrives from then … */
    uint64_t         light;              /* … to then */
    held_t           held[HELD];
    unsigned         nheld;
    unsigned         most;               /* of them at a time */
} world_t;


static inline void
world_client(world_t *w)
{
    acme_client_conf_t  conf;

    static torii_str_t  contact = torii_string("mailto:a@b.example");

    memset(&conf, 0, sizeof(conf));

    conf.directory = torii_str(CA_URL "/dir");
    conf.key = w->account_key;
    conf.account = w->account;
    conf.contacts = &contact;
    conf.ncontacts = 1;
    conf.agreed = 1;

    if (w->ca.is.eab_key) {
        conf.eab_kid = torii_str("kid-1");
        conf.eab_key = torii_str(w->ca.is.eab_key);
        conf.eab_bits = 256;
    }

    w->c = acme_client_create(&conf, 7);
}


static inline void
world_start(world_t *w, const ca_ways_t *is)
{
    static EVP_PKEY  *account_key, *key;

    memset(w, 0, sizeof(world_t));

    if (key == NULL) {
        account_key = torii_key_generate(TORII_KEY_EC_P256);
        key = torii_key_generate(TORII_KEY_EC_P256);
    }

    w->account_key = account_key;
    w->key = key;
    w->now = NOW;
    w->arena = torii_arena_create(1024);
    w->account = torii_str("");

    ca_start(&w->ca, NOW);

    if (is) {
        w->ca.is = *is;
    }

    world_client(w);
}


static inline void
world_drop(world_t *w)
{
    while (w->nheld) {
        torii_arena_destroy(w->held[--w->nheld].arena);
    }
}


static inline void
world_stop(world_t *w)
{
    world_drop(w);
    acme_client_free(w->c);
    ca_stop(&w->ca);
    torii_arena_destroy(w->arena);
}


static inline void
world_hold(world_t *w, uint32_t id, const acme_response_t *res)
{
    held_t         *h;
    torii_arena_t  *a;

    a = torii_arena_create(512);
    h = &w->held[w->nheld++];
    w->most = (w->nheld > w->most) ? w->nheld : w->most;

    h->at = w->now + (w->latency ? ca_random(&w->ca, w->latency) : 0);
    h->id = id;
    h->arena = a;
    h->res = *res;
    h->res.content_type = torii_arena_str(a, res->content_type);
    h->res.nonce = torii_arena_str(a, res->nonce);
    h->res.location = torii_arena_str(a, res->location);
    h->res.link = torii_arena_str(a, res->link);
    h->res.retry_after = torii_arena_str(a, res->retry_after);
    h->res.body = torii_arena_str(a, res->body);
}


static inline void
world_send(world_t *w, const acme_request_t *req)
{
    int              drop;
    acme_response_t  res;

    w->requests++;

    drop = w->requests == w->drop || (w->now >= w->dark && w->now < w->light);

    if (w->last != w->now) {
        w->last = w->now;
        w->hasty = 0;
    }

    if (++w->hasty > HASTY) {
        ca_fault(&w->ca, "too many requests at once");
    }

    if (!drop) {
        ca_answer(&w->ca, w->now, req, &res);
    }

    if (drop || w->requests == w->lose) {
        memset(&res, 0, sizeof(res));
        res.error = "timed out";
    }

    world_hold(w, req->id, &res);
}


/* One thing that happens; 0: nothing will, or it is time to stop. */

static inline int
world_step(world_t *w, uint64_t until)
{
    held_t           h;
    unsigned         i;
    uint32_t         wait;
    uint64_t         next;
    acme_request_t   req;

    for (i = 0; i < w->nheld; i++) {
        if (w->held[i].at <= w->now) {
            h = w->held[i];
            w->held[i] = w->held[--w->nheld];

            acme_client_answer(w->c, w->now, h.id, &h.res);
            torii_arena_destroy(h.arena);
            return 1;
        }
    }

    if (w->stop && w->requests + 1 >= w->stop) {
        return 0;
    }

    wait = UINT32_MAX;

    if (w->nheld < HELD
        && acme_client_next(w->c, w->now, &req, &wait) == TORII_OK)
    {
        world_send(w, &req);
        return 1;
    }

    next = (wait == UINT32_MAX) ? UINT64_MAX : w->now + wait;

    if (wait == 0) {
        ca_fault(&w->ca, "told to come back at once");
        return 0;
    }

    for (i = 0; i < w->nheld; i++) {
        next = (w->held[i].at < next) ? w->held[i].at : next;
    }

    if (next == UINT64_MAX || next > until || w->ca.fault[0]) {
        return 0;
    }

    w->now = next;

    return 1;
}


static inline void
world_run(world_t *w, acme_order_t *o, uint64_t until)
{
    while (acme_order_step(o) == ACME_ORDER_WORKING && world_step(w, until)) {
        if (w->poke) {
            acme_order_poke(o, w->now);
        }
    }
}


static inline void
world_look(world_t *w, acme_order_t *o)
{
    uint32_t                 i, n;
    const acme_challenge_t  *challenges;

    challenges = acme_order_challenges(o, &n);

    for (i = 0; i < n; i++) {
        if (w->missing && challenges[i].type == ACME_CHALLENGE_DNS_PERSIST) {
            w->looks++;
            acme_order_missing(o, i, w->missing);
        }
    }
}


/* Until it is over, or nothing happens any more. */

static inline acme_order_step_e
world_drive(world_t *w, acme_order_t *o)
{
    uint32_t                 n;
    const acme_challenge_t  *challenges;

    for ( ;; ) {
        world_run(w, o, NOW + 24 * HOUR);

        switch (acme_order_step(o)) {

        case ACME_ORDER_CREATED:
            w->account = torii_arena_str(w->arena, acme_client_account(w->c));
            break;

        case ACME_ORDER_LOOK:
            world_look(w, o);
            break;

        case ACME_ORDER_PRESENT:
            challenges = acme_order_challenges(o, &n);
            ca_present(&w->ca, challenges, n);
            break;

        case ACME_ORDER_VALIDATED:
            w->ca.nseen = 0;
            break;

        default:
            return acme_order_step(o);
        }

        acme_order_proceed(o, w->now);
    }
}


static inline acme_order_t *
world_order(world_t *w, const char *names, const uint8_t *types,
    acme_order_conf_t *conf)
{
    torii_str_t        rest, piece;
    acme_identifier_t  list[CA_NAMES];

    memset(list, 0, sizeof(list));

    conf->names = list;
    conf->n = 0;
    conf->key = w->key;

    rest = torii_str(names);

    while (torii_str_next(&rest, " ", &piece)) {
        list[conf->n].name = piece;
        memcpy(list[conf->n++].types, types, ACME_CHALLENGE_MAX);
    }

    return acme_order_create(w->c, conf);
}


static inline void
world_wait(world_t *w)
{
    while (world_step(w, NOW + HOUR)) { /* void */ }
}


#endif /* _CA_WORLD_H_INCLUDED_ */
