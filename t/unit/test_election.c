
/*
 * Two gateways at one API server: the machines of the Lease and of the status
 * of Ingresses play hours of trouble.  Requests and answers are late, lost or
 * refused, watches lag behind, clocks run at different speeds, processes stop
 * for longer than a Lease lasts, are killed and come back, and somebody else
 * takes addresses away.  Each gateway has an address of its own, so that every
 * write tells whose it is.
 *
 * What client-go's scheme promises, and no more: a write is sent by the one who
 * leads, and it is over 5 s before another may take its place.  A write that
 * the network keeps for longer still gets through: the server fences nobody.
 * So there are games where the network forgets in time, and others where it
 * does not: there, what comes late was sent by the leader of its day.
 */

#include "ingress_lease.h"
#include "ingress_status.h"
#include "tap.h"
#include "world_make.h"


#define WALL       1795359600000000ULL     /* 2026-11-22T15:00:00Z */
#define GATEWAYS   2
#define INGRESSES  9
#define MESSAGES   128
#define TICK       20
#define MINUTES    60
#define GAMES      30
#define CALM       160000                  /* ms in a row without trouble */
#define RECOVERY   28000                   /* after it, one leads again */


typedef struct {
    unsigned           used:1;
    unsigned           mute:1;             /* no answer comes */
    unsigned           told:1;             /* nobody waits any more */
    unsigned           status:1;           /* of an Ingress; or the Lease */
    unsigned           gateway;
    unsigned           life;
    uint64_t           sent;
    uint64_t           arrives;            /* 0: it did, or never does */
    uint64_t           answered;
    uint32_t           fault;              /* what is answered instead */
    uint32_t           code;
    uint32_t           retry;
    uint32_t           id;
    unsigned           ingress;
    char               method[8];
    char               body[1024];
    char               reply[1024];
} message_t;


/* A status on its way through a watch. */

typedef struct {
    uint64_t           due;                /* 0: none */
    int                owner;
} news_t;


typedef struct {
    world_t            w;
    ingress_lease_t   *lease;
    ingress_status_t  *status;
    unsigned           life;
    double             rate;
    double             start;
    uint64_t           stopped;            /* until then */
    uint64_t           refused;            /* the Lease, until then */
    news_t             news[INGRESSES];
} gateway_t;


typedef struct {
    uint64_t           random;
    int                wild;
    uint32_t           trouble;            /* of all requests, in % */
    uint32_t           late;               /* ms, at most */
    gateway_t          g[GATEWAYS];
    message_t          messages[MESSAGES];

    /* the server's */
    unsigned           version;            /* of the Lease, 0: none */
    char               body[1024];
    int                holder;             /* a gateway, or -1 */
    unsigned           life;               /* of the holder */
    unsigned           moves;
    uint64_t           taken;              /* when that changed */
    int                owner[INGRESSES];   /* whose address it says, or -1 */
    unsigned           move[INGRESSES];    /* since which it does */

    /* the judge's */
    unsigned           both;
    unsigned           unled;              /* sent without leading */
    unsigned           written;
    unsigned           stale;              /* written after another took over */
    unsigned           flaps;
    unsigned           faults;
    unsigned           stops;
    unsigned           deaths;
    unsigned           lagging;            /* when calm was over */
    uint64_t           recovery;           /* longest */
} game_t;


static uint32_t
dice(game_t *w, uint32_t n)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;

    return (uint32_t) (w->random >> 16) % n;
}


static uint64_t
clock_of(const gateway_t *g, uint64_t t)
{
    return (uint64_t) (g->start + t * g->rate);
}


static void
address(int owner, char *buf, size_t size)
{
    (void) snprintf(buf, size, owner < 0 ? "" : "203.0.113.%d", owner + 1);
}


static void
store_ingress(world_t *w, unsigned i, int owner)
{
    char  text[512], ip[32];

    address(owner, ip, sizeof(ip));

    (void) snprintf(text, sizeof(text),
                    "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"
                    "metadata: {namespace: demo, name: i%u}\n"
                    "spec:\n  rules: [{host: i%u.example, http: {paths: "
                    "[{path: /, pathType: Prefix, backend: {service: {name: s, "
                    "port: {number: 80}}}}]}}]\n"
                    "status: {loadBalancer: {ingress: [%s%s%s]}}\n", i, i,
                    *ip ? "{ip: " : "", ip, *ip ? "}" : "");

    world_yaml(w, torii_str(text));
}


static void
begin(game_t *w, unsigned n)
{
    char        identity[32];
    unsigned    i;
    gateway_t  *g;

    g = &w->g[n];

    g->life++;
    g->stopped = 0;
    g->start = dice(w, 1000000);

    (void) snprintf(identity, sizeof(identity), "%c%u", 'a' + n, g->life);

    world_start(&g->w);

    for (i = 0; i < INGRESSES; i++) {
        g->news[i].due = 0;
        store_ingress(&g->w, i, w->owner[i]);
    }

    (void) world_compile(&g->w);

    g->lease = ingress_lease_create(torii_str("demo"), torii_str("torii"),
                                    torii_str(identity), 7);
    g->status = ingress_status_create(g->w.store, 7);
}


static void
end(gateway_t *g)
{
    ingress_lease_free(g->lease);
    ingress_status_free(g->status);
    world_end(&g->w);
}


static void
post(game_t *w, unsigned n, const ingress_api_request_t *req, uint32_t id,
    uint64_t t)
{
    message_t  *m;

    for (m = w->messages; m->used; m++) { /* void */ }

    memset(m, 0, sizeof(message_t));

    m->used = 1;
    m->gateway = n;
    m->life = w->g[n].life;
    m->sent = t;
    m->status = (id != 0);
    m->id = id;
    m->ingress = id ? req->path.data[req->path.len - 8] - '0' : 0;

    (void) snprintf(m->method, sizeof(m->method), "%s", req->method);
    (void) snprintf(m->body, sizeof(m->body), "%.*s",
                    torii_str_arg(req->body));

    m->arrives = t + 1 + dice(w, dice(w, 10) ? 100 : 2500);

    if (!m->status && t < w->g[n].refused) {
        w->faults++;
        m->fault = 500;

    } else if (dice(w, 100) < w->trouble) {
        w->faults++;

        switch (dice(w, 6)) {

        case 0:
            m->arrives = 0;
            m->mute = 1;
            break;

        case 1:
        case 2:
            m->arrives = t + 1 + dice(w, w->late);
            m->mute = 1;
            break;

        case 3:
            m->fault = 500;
            break;

        case 4:
            m->fault = 429;
            m->retry = 1 + dice(w, 4);
            break;

        default:
            m->fault = 409;
        }
    }

    m->answered = m->arrives + 1 + dice(w, 100);

    /* what would come later than its time does not come */

    if (m->mute || m->answered > t + req->timeout) {
        m->mute = 1;
        m->answered = t + req->timeout;
    }
}


/* The server. */

static void
serve_lease(game_t *w, message_t *m, uint64_t t)
{
    char  version[64];

    if (m->method[0] == 'G') {
        m->code = w->version ? 200 : 404;

    } else if (m->method[1] == 'O') {
        m->code = w->version ? 409 : 201;

    } else {
        (void) snprintf(version, sizeof(version),
                        "\"resourceVersion\":\"%u\"", w->version);
        m->code = strstr(m->body, version) ? 200 : 409;
    }

    if (m->method[0] == 'P' && m->code < 300) {
        w->version++;

        (void) snprintf(w->body, sizeof(w->body),
                        "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"torii\","
                        "\"resourceVersion\":\"%u\"%.900s", w->version,
                        strstr(m->body, "},\"spec\":"));

        if (strstr(m->body, "\"holderIdentity\":\"\"")) {
            w->holder = -1;
            w->taken = t;

        } else if (w->holder != (int) m->gateway || w->life != m->life) {
            w->holder = (int) m->gateway;
            w->life = m->life;
            w->taken = t;
            w->moves++;
        }
    }

    (void) snprintf(m->reply, sizeof(m->reply), "%s", w->body);
}


static void
serve_value(game_t *w, unsigned i, int owner, uint64_t t)
{
    unsigned  n;

    w->owner[i] = owner;
    w->move[i] = w->moves;

    for (n = 0; n < GATEWAYS; n++) {
        w->g[n].news[i].due = t + 1 + dice(w, w->trouble ? 4000 : 300);
        w->g[n].news[i].owner = owner;
    }
}


static void
serve_status(game_t *w, message_t *m, uint64_t t)
{
    char      ip[32];
    unsigned  i;

    address((int) m->gateway, ip, sizeof(ip));

    m->code = strstr(m->body, ip) ? 200 : 422;
    i = m->ingress;

    w->written++;

    if (w->holder != (int) m->gateway || w->life != m->life) {
        w->stale++;
        w->unled += m->sent >= w->taken;
    }

    if (w->owner[i] == (int) m->gateway) {
        return;
    }

    /* one value for each term: whoever holds the Lease says it once */

    w->flaps += w->owner[i] >= 0 && w->move[i] == w->moves;

    serve_value(w, i, (int) m->gateway, t);
}


static void
network(game_t *w, uint64_t t)
{
    message_t  *m;

    for (m = w->messages; m < w->messages + MESSAGES; m++) {

        if (!m->used) {
            continue;
        }

        if (m->arrives && t >= m->arrives) {
            m->arrives = 0;

            if (m->fault) {
                m->code = m->fault;

            } else if (m->status) {
                serve_status(w, m, t);

            } else {
                serve_lease(w, m, t);
            }
        }

        if (m->arrives == 0 && (m->told || m->life != w->g[m->gateway].life)) {
            m->used = 0;
        }
    }
}


static void
answers(game_t *w, unsigned n, uint64_t t)
{
    gateway_t             *g;
    message_t             *m;
    ingress_api_answer_t   a;

    g = &w->g[n];

    for (m = w->messages; m < w->messages + MESSAGES; m++) {

        if (!m->used || m->told || m->gateway != n || m->life != g->life
            || t < m->answered || (m->arrives && !m->mute))
        {
            continue;
        }

        memset(&a, 0, sizeof(a));

        a.status = m->mute ? 0 : m->code;
        a.error = m->mute ? "timed out" : NULL;
        a.retry_after = m->retry;
        m->told = 1;

        if (m->status) {
            ingress_status_answer(g->status, clock_of(g, t), m->id, &a,
                                  torii_str("{}"));
        } else {
            ingress_lease_answer(g->lease, clock_of(g, t), &a,
                                 torii_str(m->reply));
        }
    }
}


static void
gateway(game_t *w, unsigned n, uint64_t t)
{
    unsigned                i;
    uint32_t                id, wait;
    uint64_t                now;
    gateway_t              *g;
    char                    ip[32];
    ingress_address_t       ours;
    ingress_api_request_t   req;

    g = &w->g[n];

    if (t < g->stopped) {
        return;
    }

    answers(w, n, t);

    for (i = 0; i < INGRESSES; i++) {
        if (g->news[i].due && t >= g->news[i].due) {
            g->news[i].due = 0;
            store_ingress(&g->w, i, g->news[i].owner);
        }
    }

    now = clock_of(g, t);

    while (ingress_lease_next(g->lease, now,
                              WALL + dice(w, 3600) * 1000000ULL, &req, &wait)
           == TORII_OK)
    {
        post(w, n, &req, 0, t);
    }

    if (!ingress_lease_leads(g->lease, now)) {
        return;
    }

    address((int) n, ip, sizeof(ip));

    ours.address = torii_str(ip);
    ours.hostname = 0;

    ingress_status_addresses(g->status, &ours, 1);

    while (ingress_status_next(g->status, now, &req, &id, &wait) == TORII_OK) {
        w->unled += w->holder != (int) n || w->life != g->life;
        post(w, n, &req, id, t);
    }
}


/* A process stops for a while, is killed, or ends well. */

static void
accident(game_t *w, unsigned n, uint64_t t)
{
    gateway_t              *g;
    ingress_api_request_t   req;

    g = &w->g[n];

    if (t < g->stopped) {
        return;
    }

    if (dice(w, 3)) {
        w->stops++;
        g->stopped = t + 500 + dice(w, 25000);
        return;
    }

    w->deaths++;

    if (dice(w, 2)
        && !ingress_status_busy(g->status)
        && ingress_lease_release(g->lease, clock_of(g, t), WALL, &req)
           == TORII_OK)
    {
        post(w, n, &req, 0, t);
    }

    end(g);
    begin(w, n);
}


static int
judge(game_t *w, uint64_t t)
{
    unsigned  n, leaders;

    leaders = 0;

    for (n = 0; n < GATEWAYS; n++) {
        leaders += ingress_lease_leads(w->g[n].lease, clock_of(&w->g[n], t));
    }

    w->both += leaders > 1;

    return leaders > 0;
}


/* As many ms of trouble, or of none, and how it looks in the end. */

static void
spell(game_t *w, uint64_t *t, uint64_t ms, uint32_t trouble)
{
    int       led;
    unsigned  i, n;
    uint64_t  from, last;

    w->trouble = trouble;
    from = *t;
    led = 0;

    for (last = *t + ms; *t < last; *t += TICK) {
        network(w, *t);

        if (trouble && dice(w, 50) == 0) {
            serve_value(w, dice(w, INGRESSES), -1, *t);
        }

        for (n = 0; n < GATEWAYS; n++) {
            gateway(w, n, *t);

            if (trouble && dice(w, 1500) == 0) {
                accident(w, n, *t);
            }

            if (trouble && dice(w, 1500) == 0) {
                w->g[n].refused = *t + 5000 + dice(w, 25000);
            }

            if (*t < w->g[n].stopped || *t < w->g[n].refused) {
                from = *t;
                led = 0;
            }
        }

        if (!judge(w, *t)) {
            continue;
        }

        if (!trouble && !led && *t - from > w->recovery) {
            w->recovery = *t - from;
        }

        led = 1;
    }

    if (trouble) {
        return;
    }

    if (!led) {
        w->recovery = UINT64_MAX;
    }

    for (i = 0; i < INGRESSES; i++) {
        w->lagging += w->owner[i] != w->holder;
    }
}


static void
play(game_t *w, uint64_t seed, int wild)
{
    double    skew;
    unsigned  n;
    uint64_t  t;

    memset(w, 0, sizeof(game_t));

    w->random = seed * 0x9e3779b97f4a7c15ULL + 1;
    w->wild = wild;
    w->late = wild ? 25000 : 4400;
    w->holder = -1;

    for (n = 0; n < INGRESSES; n++) {
        w->owner[n] = -1;
    }

    /* the extremes are what can go wrong */

    skew = wild ? 0.1 : 0.02;

    for (n = 0; n < GATEWAYS; n++) {
        w->g[n].rate = dice(w, 2) ? 1 + skew : 1 - skew;
        begin(w, n);
    }

    for (t = TICK; t < MINUTES * 60000; /* void */ ) {
        spell(w, &t, 30000 + dice(w, 120000), 10 + dice(w, 80));
        spell(w, &t, CALM, 0);
    }

    for (n = 0; n < GATEWAYS; n++) {
        end(&w->g[n]);
    }
}


static void
test_games(const char *what, int wild)
{
    game_t    w, all;
    uint64_t  seed;

    memset(&all, 0, sizeof(game_t));

    for (seed = 1; seed <= GAMES; seed++) {
        play(&w, seed + (wild ? 1000 : 0), wild);

        all.both += w.both;
        all.unled += w.unled;
        all.written += w.written;
        all.stale += w.stale;
        all.flaps += w.flaps;
        all.faults += w.faults;
        all.stops += w.stops;
        all.deaths += w.deaths;
        all.moves += w.moves;
        all.lagging += w.lagging;

        if (w.recovery > all.recovery) {
            all.recovery = w.recovery;
        }
    }

    printf("# %u games of %u minutes, %s: %u faults, %u stops, %u deaths; %u "
           "terms, %u writes of status, %u late ones\n", GAMES, MINUTES, what,
           all.faults, all.stops, all.deaths, all.moves, all.written,
           all.stale);

    tap_ok(all.both == 0, "%s: two never lead at once (%u)", what, all.both);
    tap_ok(all.unled == 0, "%s: only the leader sends a status (%u)", what,
           all.unled);

    if (wild) {
        tap_ok(all.stale > 0 && all.flaps <= 2 * all.stale,
               "%s: what came late was put right, once (%u)", what, all.flaps);

    } else {
        tap_ok(all.stale == 0, "%s: no write after another took over (%u)",
               what, all.stale);
        tap_ok(all.flaps == 0, "%s: one value a term (%u)", what, all.flaps);
    }

    tap_ok(all.recovery <= RECOVERY, "%s: one leads %u ms after the trouble",
           what, (unsigned) all.recovery);
    tap_ok(all.lagging == 0, "%s: and all Ingresses say what it does (%u)",
           what, all.lagging);
    tap_ok(all.moves > GAMES * 10 && all.written > all.moves, "%s: it moved",
           what);
}


int
main(void)
{
    test_games("a network that forgets", 0);
    test_games("one that does not", 1);

    return tap_done();
}
