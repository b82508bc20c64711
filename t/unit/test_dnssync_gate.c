
/*
 * The gate that deletions pass, and the brake behind it; ten thousand hosts
 * and everything that can be missing.
 */

#include "dnssync_world.h"


#define M      " TXT " WORLD_MARK
#define HOSTS  10000

#define TWO    "app A 192.0.2.1; _dnssync.app" M "A; b A 192.0.2.1; "         \
               "_dnssync.b" M "A"


static const char *
test_plan(world_t *w)
{
    (void) world_plan(w);
    return world_text(w);
}


static void
test_time(void)
{
    world_t  w;

    world_start(&w);
    world_zone(&w, TWO);
    world_wants(&w, "b A 192.0.2.1");

    tap_ok(strcmp(test_plan(&w), "?unconfirmed") == 0,
           "missing for the first time");

    w.in.now += 59;
    tap_ok(strcmp(test_plan(&w), "?unconfirmed") == 0, "a moment later");

    w.in.now += 1;
    tap_ok(strcmp(test_plan(&w), "delete gone app -A -TXT") == 0,
           "a minute later");

    /* it comes back, and goes again */

    world_wants(&w, "app A 192.0.2.1; b A 192.0.2.1");
    tap_ok(strcmp(test_plan(&w), "") == 0, "it is back");

    world_wants(&w, "b A 192.0.2.1");
    w.in.now += 600;
    tap_ok(strcmp(test_plan(&w), "?unconfirmed") == 0, "then time is new");

    w.in.now -= 3600;
    w.zones[0].listed = w.in.now;
    tap_ok(strcmp(test_plan(&w), "?unconfirmed") == 0,
           "also if the clock is set back");

    world_end(&w);
}


static void
test_gone(void)
{
    world_t  w;

    static const torii_str_t  gone[] = { torii_string("app.a.test") };

    world_start(&w);
    world_zone(&w, TWO "; c A 192.0.2.1; _dnssync.c" M "A");
    world_wants(&w, "b A 192.0.2.1");

    w.source.gone = gone;
    w.source.ngone = 1;

    tap_ok(strcmp(test_plan(&w), "delete gone app -A -TXT; ?unconfirmed")
           == 0, "what was seen to be deleted does not wait");

    world_end(&w);
}


typedef struct {
    const char  *what;
    const char  *plan;
    void       (*set)(world_t *w, int on);
} test_hold_t;


static void
test_incomplete(world_t *w, int on)
{
    w->source.complete = !on;
}


static void
test_stale(world_t *w, int on)
{
    w->zones[0].listed = on ? w->in.now - 3601 : w->in.now;
}


static void
test_ahead(world_t *w, int on)
{
    w->zones[0].listed = on ? w->in.now + 301 : w->in.now;
}


static void
test_leader(world_t *w, int on)
{
    w->source.settled = on ? w->in.now + 1 : 0;
}


static void
test_failed(world_t *w, int on)
{
    w->zones[0].state = on ? DNSSYNC_ZONE_FAILED : DNSSYNC_ZONE_COMPLETE;
}


static const test_hold_t  test_holds[] = {
    { "objects are not all known", "?incomplete", test_incomplete },
    { "the listing is old", "?stale", test_stale },
    { "the listing is of the future", "?stale", test_ahead },
    { "a new leader", "?leader", test_leader },
    { "the listing failed", "?zone", test_failed }
};


static void
test_holding(void)
{
    int                 held;
    size_t              i;
    world_t             w;
    const test_hold_t  *t;

    for (i = 0; i < sizeof(test_holds) / sizeof(test_holds[0]); i++) {
        t = &test_holds[i];

        world_start(&w);
        world_zone(&w, TWO);
        world_wants(&w, "b A 192.0.2.1");
        (void) world_plan(&w);

        w.in.now += 60;
        t->set(&w, 1);
        held = strcmp(test_plan(&w), t->plan) == 0;

        t->set(&w, 0);

        tap_ok(held && strcmp(test_plan(&w), "delete gone app -A -TXT") == 0,
               "held while: %s", t->what);

        world_end(&w);
    }
}


static void
test_many(world_t *w, unsigned from, unsigned to, int zone)
{
    char      line[128];
    unsigned  i;

    for (i = from; i < to; i++) {

        if (zone) {
            snprintf(line, sizeof(line), "h%u A 192.0.2.1", i);
            world_record(w, torii_arena_str(w->a, torii_str(line)));
            snprintf(line, sizeof(line), "_dnssync.h%u" M "A", i);
            world_record(w, torii_arena_str(w->a, torii_str(line)));

        } else {
            snprintf(line, sizeof(line), "h%u A 192.0.2.1", i);
            world_want(w, torii_arena_str(w->a, torii_str(line)));
        }
    }
}


/* 100 hosts: 20 may go within an hour, then none until an operator says so. */

static void
test_brake(void)
{
    char         why[192];
    world_t      w;
    torii_str_t  state;
    torii_buf_t  json = { NULL, 0, 0 };

    world_start(&w);
    test_many(&w, 0, 100, 1);

    w.nwants = 0;
    test_many(&w, 20, 100, 0);
    (void) world_plan(&w);
    w.in.now += 60;
    w.zones[0].listed = w.in.now;
    (void) world_plan(&w);

    tap_ok(w.plan.n == 20 && world_apply(&w) == 0 && w.n == 160,
           "a fifth of them may go");

    w.nwants = 0;
    test_many(&w, 21, 100, 0);
    (void) world_plan(&w);
    w.in.now += 60;

    tap_ok(strcmp(test_plan(&w), "?brake") == 0 && w.plan.held == 1,
           "one more may not, within the hour");

    w.in.now += 3600;
    w.zones[0].listed = w.in.now;
    tap_ok(strcmp(test_plan(&w), "delete gone h20 -A -TXT") == 0
           && world_apply(&w) == 0, "an hour later it may");

    w.nwants = 0;
    test_many(&w, 60, 100, 0);
    (void) world_plan(&w);
    w.in.now += 60;

    tap_ok(strcmp(test_plan(&w), "?brake") == 0 && w.plan.held == 39,
           "39 of 79 are held");

    /* it is remembered on disk, and what went missing later is not let go */

    dnssync_gate_save(w.gate, &json);
    dnssync_gate_free(w.gate);
    w.gate = dnssync_gate_create();
    state.data = json.data;
    state.len = json.len;

    tap_ok(dnssync_gate_load(w.gate, state, why) == TORII_OK,
           "the gate is read from its file");

    tap_ok(dnssync_gate_ack(w.gate, torii_str("other")) == 0
           && dnssync_gate_ack(w.gate, torii_str("z")) == 39,
           "an operator lets them go");

    w.nwants = 0;
    test_many(&w, 80, 100, 0);
    (void) world_plan(&w);
    w.in.now += 60;
    (void) world_plan(&w);

    tap_ok(w.plan.n == 39 && w.plan.held == 20 && world_apply(&w) == 0
           && w.n == 80, "those, and no others: %u, %u held", w.plan.n,
           w.plan.held);

    torii_buf_free(&json);
    world_end(&w);
}


static void
test_small(void)
{
    world_t  w;

    world_start(&w);
    test_many(&w, 0, 6, 1);
    test_many(&w, 5, 6, 0);
    (void) world_plan(&w);
    w.in.now += 60;
    (void) world_plan(&w);

    tap_ok(w.plan.n == 5, "in a small zone five may go");

    world_end(&w);
}


/* The last host: held, let go, gone. */

static void
test_last(void)
{
    world_t  w;

    world_start(&w);
    world_zone(&w, "app A 192.0.2.1; _dnssync.app" M "A");
    (void) world_plan(&w);
    w.in.now += 60;

    tap_ok(strcmp(test_plan(&w), "?empty") == 0, "the last host is held");
    tap_ok(dnssync_gate_ack(w.gate, torii_str("")) == 1
           && strcmp(test_plan(&w), "delete gone app -A -TXT") == 0,
           "and let go");

    world_end(&w);

    world_start(&w);
    w.conf.allow_empty = 1;
    world_zone(&w, "app A 192.0.2.1; _dnssync.app" M "A");
    (void) world_plan(&w);
    w.in.now += 60;

    tap_ok(strcmp(test_plan(&w), "delete gone app -A -TXT") == 0,
           "or may go as configured");

    world_end(&w);
}


/* Ten thousand hosts; whatever fails, none of them is deleted. */

static unsigned
test_deletions(world_t *w)
{
    uint32_t  i, n, round;

    for (round = 0, n = 0; round < 3; round++) {
        (void) world_plan(w);

        for (i = 0; i < w->plan.n; i++) {
            n += (w->plan.edits[i].what == DNSSYNC_EDIT_DELETE);
        }

        w->in.now += 120;
    }

    return n;
}


static void
test_safety(void)
{
    world_t  w;

    world_start(&w);
    w.conf.max_age = 100000;
    test_many(&w, 0, HOSTS, 1);

    w.source.complete = 0;
    tap_ok(test_deletions(&w) == 0, "%u hosts: at the start", HOSTS);

    test_many(&w, 0, HOSTS / 2, 0);
    tap_ok(test_deletions(&w) == 0, "half of the pages, then an error");

    w.nwants = 0;
    w.source.complete = 1;
    tap_ok(test_deletions(&w) == 0, "an empty list that is complete");

    test_many(&w, 0, HOSTS / 10, 0);
    tap_ok(test_deletions(&w) == 0 && w.plan.held == HOSTS / 10 * 9,
           "a complete list of a tenth: the brake holds %u", w.plan.held);

    w.nwants = 0;
    test_many(&w, 0, HOSTS, 0);
    w.zones[0].state = DNSSYNC_ZONE_FAILED;
    tap_ok(test_deletions(&w) == 0, "the zone's listing fails");

    w.zones[0].state = DNSSYNC_ZONE_COMPLETE;
    w.in.zones_unknown = 1;
    tap_ok(test_deletions(&w) == 0, "the list of zones fails");

    w.in.zones_unknown = 0;
    dnssync_gate_free(w.gate);
    w.gate = dnssync_gate_create();
    w.nwants = 0;
    tap_ok(test_deletions(&w) == 0, "restarted, its state lost");

    w.conf.registry.id = torii_str("other");
    test_many(&w, 0, 1, 0);
    tap_ok(test_deletions(&w) == 0, "another owner's id");

    world_end(&w);
}


static void
test_state(void)
{
    int              ok;
    char             why[192];
    size_t           i;
    torii_buf_t      b = { NULL, 0, 0 };
    torii_str_t      s;
    dnssync_gate_t  *gate;

    static const char *const  bad[] = {
        "", "{", "[]", "{\"version\":2,\"zones\":[],\"hosts\":[]}",
        "{\"version\":1,\"zones\":{},\"hosts\":[]}",
        "{\"version\":1,\"zones\":[],\"hosts\":[{}]}",
        "{\"version\":1,\"zones\":[{\"id\":\"z\",\"began\":-1,\"deleted\":0}],"
        "\"hosts\":[]}",
        "{\"version\":1,\"zones\":[{\"id\":\"z\",\"began\":1,\"deleted\":0}],"
        "\"hosts\":[{\"zone\":\"z\",\"name\":\"a\",\"set\":\"\",\"type\":256,"
        "\"since\":0,\"hash\":\"0\",\"until\":0,\"rounds\":0,\"fails\":0,"
        "\"held\":0,\"acked\":0}]}"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        gate = dnssync_gate_create();
        ok = dnssync_gate_load(gate, torii_str(bad[i]), why) == TORII_ERROR
             && why[0] != '\0';

        b.len = 0;
        dnssync_gate_save(gate, &b);
        s.data = b.data;
        s.len = b.len;

        tap_ok(ok && torii_str_eqs(s, "{\"version\":1,\"zones\":[],\n"
                                      "\"hosts\":[]}\n"),
               "damaged state %zu: %s", i, why);

        dnssync_gate_free(gate);
    }

    torii_buf_free(&b);
}


int
main(void)
{
    test_time();
    test_gone();
    test_holding();
    test_brake();
    test_small();
    test_last();
    test_safety();
    test_state();

    return tap_done();
}
