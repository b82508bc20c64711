
/*
 * Leader election: each answer of the server, and two machines against one
 * server whose answers are late, lost and without effect, with clocks that run
 * at different speeds: never both lead.
 */

#include <stdlib.h>

#include "ingress_lease.h"
#include "torii_tree.h"
#include "tap.h"


#define WALL  1795359600000000ULL         /* 2026-11-22T15:00:00Z */


static torii_str_t
none(void)
{
    return torii_str("");
}


/* What a real server answers, from the recording. */

static const char *
lease(const char *holder, const char *version, const char *renewed)
{
    static char  text[1024];

    (void) snprintf(text, sizeof(text),
                    "{\"kind\":\"Lease\",\"apiVersion\":"
                    "\"coordination.k8s.io/v1\",\"metadata\":{\"name\":"
                    "\"torii-leader\",\"namespace\":\"demo\",\"uid\":"
                    "\"00a69a50-9681-46a1-a171-7c124906c702\","
                    "\"resourceVersion\":\"%s\",\"creationTimestamp\":"
                    "\"2026-11-22T15:08:12Z\"},\"spec\":{\"holderIdentity\":"
                    "\"%s\",\"leaseDurationSeconds\":15,\"acquireTime\":"
                    "\"2026-11-22T15:00:00.000000Z\",\"renewTime\":"
                    "\"2026-11-22T%s.000000Z\",\"leaseTransitions\":7}}",
                    version, holder, renewed);
    return text;
}


static ingress_lease_t *
create(const char *identity, uint64_t seed)
{
    return ingress_lease_create(torii_str("demo"), torii_str("torii-leader"),
                                torii_str(identity), seed);
}


static void
answer(ingress_lease_t *l, uint64_t now, uint32_t status, const char *body)
{
    ingress_api_answer_t  a;

    memset(&a, 0, sizeof(a));

    a.status = status;
    a.error = status ? NULL : "connection refused";

    ingress_lease_answer(l, now, &a, torii_str(body));
}


/* One instance, step by step. */

typedef struct {
    const char   *name;
    uint32_t      passed;     /* ms since the step before, then … */
    const char   *method;     /* … this request, or NULL: none */
    const char   *holds;      /* in its path or body */
    uint32_t      status;     /* the answer */
    const char   *holder;     /* "": the body is of no Lease */
    const char   *version;
    const char   *renewed;
    int           leads;      /* after it */
} step_t;

static const step_t  acquired[] = {
    { "the Lease is looked at", 0, "GET",
      "/apis/coordination.k8s.io/v1/namespaces/demo/leases/torii-leader",
      404, "", "", "", 0 },
    { "created where there is none", 0, "POST",
      "\"leaseDurationSeconds\":15,\"acquireTime\":"
      "\"2026-11-22T15:00:00.000000Z\"",
      201, "a", "274", "15:00:00", 1 },
    { "no request before its time", 1500, NULL, NULL, 0, NULL, NULL, NULL, 1 },
    { "renewed over the version that was read", 1000, "PUT",
      "\"resourceVersion\":\"274\"", 200, "a", "275", "15:00:02", 1 },
    { "acquireTime stays, renewTime is now", 2500, "PUT",
      "\"acquireTime\":\"2026-11-22T15:00:00.000000Z\",\"renewTime\":"
      "\"2026-11-22T15:00:05.000000Z\",\"leaseTransitions\":7",
      200, "a", "276", "15:00:05", 1 },
    { "a lost renewal costs nothing yet", 2500, "PUT", "276",
      0, "", "", "", 1 },
    { "the Lease is read after it", 1000, "GET", "torii-leader",
      200, "a", "277", "15:00:07", 1 },
    { "and renewed at once", 0, "PUT", "277", 200, "a", "278", "15:00:08", 1 },
    { "a server in trouble", 2500, "PUT", "278", 500, "", "", "", 1 },
    { "still so", 1000, "GET", "", 500, "", "", "", 1 },
    { "HTML", 1000, "GET", "", 200, "", "", "", 1 },
    { "10 s after the last renewal it is over", 6000, "GET", "", 503, "", "",
      "", 0 },
    { "back again", 5000, "GET", "", 200, "a", "278", "15:00:08", 0 },
    { "held by us as before", 0, "PUT", "278", 200, "a", "279", "15:01:00",
      1 },
    { "another has taken it", 2500, "PUT", "279", 409, "", "", "", 1 },
    { "which is seen", 300, "GET", "", 200, "b", "280", "15:01:03", 0 },
    { NULL, 0, NULL, NULL, 0, NULL, NULL, NULL, 0 }
};

static const step_t  waiting[] = {
    { "another holds it", 0, "GET", "", 200, "b", "300", "15:00:00", 0 },
    { "and renews it", 2500, "GET", "", 200, "b", "301", "15:00:02", 0 },
    { "no change for 14.9 s", 14900, "GET", "", 200, "b", "301", "15:00:02",
      0 },
    { "nothing is asked in between", 0, NULL, NULL, 0, NULL, NULL,
      NULL, 0 },
    { "no change for 17.4 s", 2500, "GET", "", 200, "b", "301", "15:00:02",
      0 },
    { "taken over, one transition more", 0, "PUT", "\"leaseTransitions\":8",
      200, "a", "302", "15:00:20", 1 },
    { "deleted under the holder", 2500, "PUT", "302", 404, "", "", "", 1 },
    { "who makes another", 0, "POST", "\"holderIdentity\":\"a\"",
      409, "", "", "", 1 },
    { "that of another counts", 300, "GET", "", 200, "c", "1", "15:00:22", 0 },
    { "deleted while another held it", 2500, "GET", "", 404, "", "", "", 0 },
    { "nobody may have it for now", 2500, "GET", "", 404, "", "", "", 0 },
    { "but in time", 12000, "GET", "", 404, "", "", "", 0 },
    { "it is made", 0, "POST", "", 201, "a", "9", "15:00:40", 1 },
    { NULL, 0, NULL, NULL, 0, NULL, NULL, NULL, 0 }
};

static const step_t  given[] = {
    { "another holds it", 0, "GET", "", 200, "b", "300", "15:00:00", 0 },
    { "and gives it back", 2500, "GET", "", 200, "", "301", "15:00:02", 0 },
    { "taken at once", 0, "PUT", "301", 200, "a", "302", "15:00:02", 1 },
    { NULL, 0, NULL, NULL, 0, NULL, NULL, NULL, 0 }
};


static int
contains(torii_str_t s, const char *part)
{
    size_t  i, len;

    len = strlen(part);

    for (i = 0; i + len <= s.len; i++) {
        if (memcmp(s.data + i, part, len) == 0) {
            return 1;
        }
    }

    return 0;
}


static int
step(ingress_lease_t *l, const step_t *s, uint64_t now)
{
    int                    rc;
    uint32_t               wait;
    const char            *body;
    ingress_api_request_t  req;

    rc = ingress_lease_next(l, now, WALL + now * 1000, &req, &wait);

    if (s->method == NULL) {
        return rc == TORII_AGAIN && wait > 0
               && ingress_lease_leads(l, now) == s->leads;
    }

    if (rc != TORII_OK || strcmp(req.method, s->method) != 0
        || req.path.data[req.path.len] != '\0'
        || !(contains(req.path, s->holds) || contains(req.body, s->holds)))
    {
        return 0;
    }

    /* one request at a time */

    if (ingress_lease_next(l, now, WALL, &req, &wait) != TORII_AGAIN
        || wait != UINT32_MAX)
    {
        return 0;
    }

    body = s->version[0] ? lease(s->holder, s->version, s->renewed)
                         : "<html><body>It works!</body></html>";

    answer(l, now, s->status, body);

    return ingress_lease_leads(l, now) == s->leads;
}


static void
test_steps(const char *what, const step_t *steps)
{
    uint64_t          now;
    const step_t     *s;
    ingress_lease_t  *l;

    l = create("a", 1);
    now = 0;

    for (s = steps; s->name; s++) {
        now += s->passed;

        if (!tap_ok(step(l, s, now), "%s: %s", what, s->name)) {
            break;
        }
    }

    ingress_lease_free(l);
}


static void
test_release(void)
{
    uint32_t               wait;
    ingress_lease_t       *l;
    ingress_api_request_t  req;

    l = create("a", 1);

    tap_ok(ingress_lease_release(l, 0, WALL, &req) == TORII_DECLINED
           && ingress_lease_next(l, 0, WALL, &req, &wait) == TORII_AGAIN
           && wait == UINT32_MAX,
           "nothing to give back, and nothing more is asked for");

    ingress_lease_free(l);

    l = create("a", 1);

    (void) ingress_lease_next(l, 0, WALL, &req, &wait);
    answer(l, 0, 200, lease("", "5", "15:00:00"));
    (void) ingress_lease_next(l, 0, WALL, &req, &wait);
    answer(l, 0, 200, lease("a", "6", "15:00:00"));

    tap_ok(ingress_lease_leads(l, 1)
           && torii_str_eqs(ingress_lease_holder(l), "a")
           && torii_str_eqs(ingress_lease_uid(l),
                            "00a69a50-9681-46a1-a171-7c124906c702"), "held");

    tap_ok(ingress_lease_release(l, 1, WALL, &req) == TORII_OK
           && strcmp(req.method, "PUT") == 0
           && contains(req.body, "\"holderIdentity\":\"\"")
           && contains(req.body, "\"leaseDurationSeconds\":1,")
           && contains(req.body, "\"resourceVersion\":\"6\"")
           && contains(req.body, "\"leaseTransitions\":7}")
           && !ingress_lease_leads(l, 1), "given back");

    answer(l, 2, 200, lease("", "7", "15:00:00"));

    tap_ok(!ingress_lease_leads(l, 2)
           && ingress_lease_next(l, 2, WALL, &req, &wait) == TORII_AGAIN
           && ingress_lease_release(l, 3, WALL, &req) == TORII_DECLINED,
           "once and for all");

    ingress_lease_free(l);
}


static void
test_errors(void)
{
    uint32_t               wait;
    ingress_lease_t       *l;
    ingress_api_answer_t   a;
    ingress_api_request_t  req;

    memset(&a, 0, sizeof(a));

    l = create("a", 1);

    (void) ingress_lease_next(l, 0, WALL, &req, &wait);
    answer(l, 0, 403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\","
           "\"message\":\"leases is forbidden\",\"code\":403}");

    tap_ok(strcmp(ingress_lease_error(l), "403: leases is forbidden") == 0,
           "a refusal in its own words");

    (void) ingress_lease_next(l, 9000, WALL, &req, &wait);
    a.status = 429;
    a.retry_after = 30;
    ingress_lease_answer(l, 9000, &a, none());

    tap_ok(ingress_lease_next(l, 9000, WALL, &req, &wait) == TORII_AGAIN
           && wait >= 30000 && wait < 31000, "Retry-After is obeyed");

    (void) ingress_lease_next(l, 50000, WALL, &req, &wait);
    a.retry_after = 4000000000u;
    ingress_lease_answer(l, 50000, &a, none());

    tap_ok(ingress_lease_next(l, 50000, WALL, &req, &wait) == TORII_AGAIN
           && wait <= 301000, "within reason");

    (void) ingress_lease_next(l, 500000, UINT64_MAX, &req, &wait);
    answer(l, 500000, 200, "{\"kind\":\"Lease\",\"metadata\":{\"name\":"
           "\"torii-leader\",\"resourceVersion\":\"1\"}}");
    (void) ingress_lease_next(l, 500000, UINT64_MAX, &req, &wait);

    tap_ok(strcmp(req.method, "PUT") == 0
           && contains(req.body, "\"renewTime\":\"1970-01-01T"),
           "a Lease without a spec is nobody's, and a mad clock no harm");

    ingress_lease_free(l);
}


/*
 * Two machines, one server.  Time is the server's; each machine has a clock of
 * its own that runs up to a tenth faster or slower.
 */

#define MACHINES  2
#define MINUTES   20

typedef struct {
    ingress_lease_t     *l;
    char                 name[8];
    double               rate;
    double               start;

    /* the request in flight: when it arrives, and when the answer does */
    int                  flying;
    uint64_t             arrives;     /* 0: it did, or never does */
    uint64_t             answered;
    uint32_t             status;
    char                 method[8];
    char                 body[1024];
    char                 reply[1024];

    uint64_t             led;         /* ms */
    uint64_t             terms;
    int                  leads;
} machine_t;

typedef struct {
    uint64_t             random;
    int                  there;
    unsigned             version;
    char                 body[1024];
    machine_t            m[MACHINES];
    uint64_t             both;        /* ms when both led */
    int                  trouble;     /* how much of all is lost, in % */
} world_t;


static uint32_t
dice(world_t *w, uint32_t n)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;

    return (uint32_t) (w->random >> 16) % n;
}


static uint64_t
clock_of(const machine_t *m, uint64_t t)
{
    return (uint64_t) (m->start + t * m->rate);
}


static void
send_request(world_t *w, machine_t *m, const ingress_api_request_t *req,
    uint64_t t)
{
    uint64_t  late;

    m->flying = 1;
    m->status = 0;
    m->arrives = 0;

    (void) snprintf(m->method, sizeof(m->method), "%s", req->method);
    (void) snprintf(m->body, sizeof(m->body), "%.*s",
                    torii_str_arg(req->body));

    /* an answer that would come later than its time is none */

    m->answered = t + req->timeout;

    if ((int) dice(w, 100) < w->trouble) {

        if (dice(w, 2)) {
            m->arrives = t + 1 + dice(w, 25000);
        }

        return;
    }

    late = 1 + dice(w, dice(w, 10) ? 200 : 2500);
    m->arrives = t + late;
    m->answered = m->arrives + 1 + dice(w, 200);
}


/* The server's part: versions are compared, and each write makes a new one. */

static void
store(world_t *w, const char *body)
{
    char  *p, version[64];

    w->there = 1;
    w->version++;

    (void) snprintf(version, sizeof(version),
                    "\"name\":\"torii-leader\",\"resourceVersion\":\"%u\"",
                    w->version);

    p = strstr(body, "},\"spec\":");

    (void) snprintf(w->body, sizeof(w->body),
                    "{\"kind\":\"Lease\",\"metadata\":{%s%.900s", version, p);
}


static void
serve(world_t *w, machine_t *m)
{
    char  version[64];

    m->arrives = 0;

    if (!w->there && m->method[1] != 'O') {
        m->status = 404;

    } else if (m->method[0] == 'G') {
        m->status = 200;

    } else if (m->method[1] == 'O') {
        m->status = w->there ? 409 : 201;

        if (!w->there) {
            store(w, m->body);
        }

    } else {
        (void) snprintf(version, sizeof(version),
                        "\"resourceVersion\":\"%u\"", w->version);

        m->status = strstr(m->body, version) ? 200 : 409;

        if (m->status == 200) {
            store(w, m->body);
        }
    }

    (void) snprintf(m->reply, sizeof(m->reply), "%s", w->body);
}


static void
machine(world_t *w, machine_t *m, uint64_t t)
{
    uint32_t               wait;
    ingress_api_request_t  req;

    if (m->arrives && t >= m->arrives) {
        serve(w, m);
    }

    if (m->flying && t >= m->answered) {
        m->flying = 0;

        /* what is still under way arrives when nobody waits for it any more */

        answer(m->l, clock_of(m, t), m->arrives ? 0 : m->status, m->reply);
    }

    /* one request in flight each, also for the network's sake */

    if (!m->flying && m->arrives == 0
        && ingress_lease_next(m->l, clock_of(m, t),
                              WALL + dice(w, 3600) * 1000000ULL, &req, &wait)
           == TORII_OK)
    {
        send_request(w, m, &req, t);
    }
}


static void
judge(world_t *w, uint64_t t)
{
    int         i, leads, n;
    machine_t  *m;

    n = 0;

    for (i = 0; i < MACHINES; i++) {
        m = &w->m[i];
        leads = ingress_lease_leads(m->l, clock_of(m, t));

        m->terms += (leads && !m->leads);
        m->leads = leads;
        m->led += leads ? 10 : 0;
        n += leads;
    }

    w->both += n > 1;
}


/* Now and then a machine dies, with what it has in flight, or exits. */

static void
accident(world_t *w, machine_t *m, uint64_t t)
{
    ingress_api_request_t  req;

    if (dice(w, 2)
        && ingress_lease_release(m->l, clock_of(m, t), WALL, &req) == TORII_OK
        && dice(w, 2))
    {
        (void) snprintf(m->method, sizeof(m->method), "%s", req.method);
        (void) snprintf(m->body, sizeof(m->body), "%.*s",
                        torii_str_arg(req.body));
        serve(w, m);
    }

    ingress_lease_free(m->l);

    (void) snprintf(m->name, sizeof(m->name), "%c%05u", m->name[0],
                    dice(w, 99999));
    m->l = create(m->name, dice(w, 1000));
    m->flying = 0;
    m->arrives = 0;
    m->start = dice(w, 1000000);
}


static void
play(world_t *w, uint64_t seed)
{
    int       i;
    uint64_t  t;

    memset(w, 0, sizeof(world_t));

    w->random = seed * 0x9e3779b97f4a7c15ULL + 1;
    w->trouble = (int) dice(w, 60);

    for (i = 0; i < MACHINES; i++) {
        w->m[i].rate = 0.9 + dice(w, 200) / 1000.0;
        w->m[i].start = dice(w, 1000000);
        (void) snprintf(w->m[i].name, sizeof(w->m[i].name), "%c", 'a' + i);
        w->m[i].l = create(w->m[i].name, 7);
    }

    for (t = 10; t < MINUTES * 60000; t += 10) {

        for (i = 0; i < MACHINES; i++) {
            machine(w, &w->m[i], t);

            if (dice(w, 30000) == 0) {
                accident(w, &w->m[i], t);
            }
        }

        judge(w, t);
    }

    for (i = 0; i < MACHINES; i++) {
        ingress_lease_free(w->m[i].l);
    }
}


static void
test_property(void)
{
    int       calm;
    world_t   w;
    uint64_t  seed, both, led, calm_led, terms, all;

    both = 0;
    led = 0;
    calm_led = 0;
    terms = 0;
    calm = 0;
    all = MINUTES * 60000;

    for (seed = 1; seed <= 60; seed++) {
        play(&w, seed);

        both += w.both;
        led += w.m[0].led + w.m[1].led;
        terms += w.m[0].terms + w.m[1].terms;

        if (w.trouble < 10) {
            calm++;
            calm_led += w.m[0].led + w.m[1].led;
        }
    }

    printf("# 60 games of %u minutes: led %u%% of the time, %u%% with little "
           "trouble, %u terms\n", MINUTES, (unsigned) (led * 100 / 60 / all),
           (unsigned) (calm_led * 100 / calm / all), (unsigned) terms);

    tap_ok(both == 0, "two machines never lead at once (%u ms)",
           (unsigned) both * 10);
    tap_ok(led > all * 30, "one leads for more than half of the time");
    tap_ok(calm_led > all * calm * 90 / 100,
           "and for more than 9/10 where little is lost");
}


int
main(void)
{
    test_steps("alone", acquired);
    test_steps("second", waiting);
    test_steps("heir", given);
    test_release();
    test_errors();
    test_property();

    return tap_done();
}
