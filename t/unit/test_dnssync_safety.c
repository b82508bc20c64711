
/*
 * Nothing is deleted on the strength of missing information: whatever breaks,
 * while ten thousand hosts are in DNS.  And nobody deletes what another needs.
 */

#include "engine_world.h"


#define HOSTS  10000


static void
test_none(world_t *w, double part)
{
    uint32_t  i;

    for (i = 0; i < w->nhosts; i++) {
        w->there[i] = (i >= part * w->nhosts);
    }

    world_objects(w);
}


static void
test_source_lost(world_t *w)
{
    w->incomplete = 1;
    test_none(w, 1);
}


static void
test_source_part(world_t *w)
{
    w->incomplete = 1;
    test_none(w, 0.5);
}


static void
test_source_empty(world_t *w)
{
    test_none(w, 1);
}


static void
test_source_unaddressed(world_t *w)
{
    w->unaddressed = 1;
    world_objects(w);
}


static void
test_denied(world_t *w)
{
    w->servers[0].state = WORLD_DENIED;
    test_none(w, 0.01);
}


static void
test_down(world_t *w)
{
    w->servers[0].state = WORLD_DOWN;
    test_none(w, 0.01);
}


static void
test_cut(world_t *w)
{
    w->servers[0].state = WORLD_CUT;
    dnssync_engine_refresh(w->e, w->now);
    test_none(w, 0.01);
}


static void
test_no_zones(world_t *w)
{
    w->servers[0].nzones = 0;
    dnssync_engine_refresh(w->e, w->now);
    test_none(w, 0.01);
}


static void
test_restarted(world_t *w)
{
    world_stop(w);
    w->incomplete = 1;
    memset(w->there, 0, w->nhosts);
    world_boot(w, &world_driver, 1);
}


static void
test_restarted_empty(world_t *w)
{
    world_stop(w);
    memset(w->there, 0, w->nhosts);
    world_boot(w, &world_driver, 1);
}


static void
test_restarted_lost(world_t *w)
{
    world_stop(w);
    memset(w->there, 0, w->nhosts);
    world_boot(w, &world_driver, 0);
}


static void
test_restarted_damaged(world_t *w)
{
    uint32_t  i;

    for (i = 0; i < w->nfiles; i++) {
        w->files[i].data.data[w->files[i].data.len / 2] ^= 1;
    }

    world_stop(w);
    memset(w->there, 0, w->nhosts);
    world_boot(w, &world_driver, 1);
}


static void
test_new_leader(world_t *w)
{
    dnssync_engine_lead(w->e, w->now, 0, 0);
    dnssync_engine_lead(w->e, w->now, 1, WORLD_HOUR);
    test_none(w, 0.01);
}


static void
test_no_leader(world_t *w)
{
    dnssync_engine_lead(w->e, w->now, 0, 0);
    test_none(w, 0.01);
}


static void
test_brake(world_t *w)
{
    test_none(w, 0.4);
}


static void
test_no_accounts(world_t *w)
{
    w->naccounts = 0;
    world_accounts(w, &world_driver);
    test_none(w, 1);
}


static const struct {
    const char  *name;
    void       (*breaks)(world_t *w);
    const char  *why;                  /* that is told meanwhile */
} tests[] = {
    { "objects lost", test_source_lost, "incomplete" },
    { "a part of the objects", test_source_part, "incomplete" },
    { "an empty list of objects", test_source_empty, "empty" },
    { "no address", test_source_unaddressed, "no-targets" },
    { "an account that is locked out", test_denied, "denied" },
    { "a server that is down", test_down, "down" },
    { "listings that are cut off", test_cut, "answer" },
    { "no zones", test_no_zones, "no-zone" },
    { "a restart before the objects are known", test_restarted, "incomplete" },
    { "a restart without objects", test_restarted_empty, "empty" },
    { "a restart, everything lost", test_restarted_lost, NULL },
    { "a restart with a damaged state", test_restarted_damaged, NULL },
    { "a leader that is new", test_new_leader, "leader" },
    { "another leader", test_no_leader, NULL },
    { "many that are gone at once", test_brake, "brake" },
    { "no accounts", test_no_accounts, NULL },
    { NULL, NULL, NULL }
};


static void
test_mend(world_t *w)
{
    w->servers[0].state = WORLD_WELL;
    w->servers[0].nzones = 2;
    w->incomplete = 0;
    w->unaddressed = 0;
    w->naccounts = 1;

    memset(w->there, 1, w->nhosts);

    world_accounts(w, &world_driver);
    world_objects(w);
    dnssync_engine_lead(w->e, w->now, 1, 0);
}


static void
test_breaks(void)
{
    int       i, told;
    world_t   w;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_zone(&w, 0, "b.test");
    world_hosts(&w, HOSTS / 2, "a.test");
    world_hosts(&w, HOSTS / 2, "b.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, 10 * WORLD_MINUTE, 0);

    tap_ok(world_right(&w) == HOSTS, "%u hosts are there", world_right(&w));

    for (i = 0; tests[i].name; i++) {
        tests[i].breaks(&w);
        world_run(&w, 25 * WORLD_MINUTE, 0);

        told = (tests[i].why == NULL || world_told(&w, tests[i].why));

        memset(w.there, 1, w.nhosts);

        tap_ok(w.servers[0].edits[DNSSYNC_EDIT_DELETE] == 0
               && (w.servers[0].nzones == 0 || w.naccounts == 0
                   || world_right(&w) == HOSTS),
               "%s: nothing is deleted", tests[i].name);
        tap_ok(told, "%s: it is told of", tests[i].name);

        test_mend(&w);
        world_run(&w, 10 * WORLD_MINUTE, 0);

        tap_ok(world_writes(&w.servers[0]) == HOSTS,
               "%s: all is as before", tests[i].name);
    }

    world_end(&w);
}


static void
test_ack(void)
{
    world_t      w;
    uint32_t     n;
    torii_str_t  all;

    memset(&all, 0, sizeof(torii_str_t));

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_record(&w, &w.servers[0].zones[0], "foreign.a.test", DNSSYNC_A,
                 "192.0.2.9");
    world_hosts(&w, 1000, "a.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_MINUTE, 0);

    test_none(&w, 0.5);
    world_run(&w, 20 * WORLD_MINUTE, 0);

    tap_ok(w.servers[0].edits[DNSSYNC_EDIT_DELETE] == 0, "the brake holds");

    world_stop(&w);
    world_boot(&w, &world_driver, 1);
    world_run(&w, 20 * WORLD_MINUTE, 0);

    tap_ok(w.servers[0].edits[DNSSYNC_EDIT_DELETE] == 0,
           "after a restart, too");

    n = dnssync_engine_ack(w.e, w.now, all, torii_str("a.test"));

    tap_ok(n == 500, "the operator lets %u go", n);

    w.there[999] = 0;
    world_objects(&w);
    world_run(&w, 20 * WORLD_SECOND, 0);

    tap_ok(w.servers[0].edits[DNSSYNC_EDIT_DELETE] == 500,
           "and they go: %u", w.servers[0].edits[DNSSYNC_EDIT_DELETE]);
    tap_ok(world_right(&w) == 499, "nothing else does");
    tap_ok(world_get(&w.servers[0].zones[0], torii_str("foreign.a.test"), all,
                     DNSSYNC_A) != NULL, "what is another's stays");

    world_end(&w);
}


/* What a lock costs whoever is alone, and that a start is no other one. */

static void
test_alone(void)
{
    uint32_t         n, i, bare;
    world_t          w;
    world_server_t  *s;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    w.conf[0].lock_period = 3600;
    s = &w.servers[0];
    bare = s->zones[0].n;

    world_hosts(&w, 100, "a.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_HOUR, 0);

    n = s->edits[DNSSYNC_EDIT_LOCK];
    world_run(&w, 23 * WORLD_HOUR + WORLD_HOUR / 6, 0);

    tap_ok(n == 1 && s->edits[DNSSYNC_EDIT_LOCK] == 25,
           "an idle zone is written once in an hour: %u, %u", n,
           s->edits[DNSSYNC_EDIT_LOCK]);

    n = world_writes(s) + s->edits[DNSSYNC_EDIT_LOCK];

    for (i = 0; i < 10; i++) {
        world_stop(&w);
        world_boot(&w, &world_driver, i & 1);
        world_run(&w, 60 * WORLD_SECOND, 0);
    }

    tap_ok(world_writes(s) + s->edits[DNSSYNC_EDIT_LOCK] == n,
           "ten starts write nothing");

    w.there[5] = 0;
    world_objects(&w);
    world_run(&w, 5 * 60 * WORLD_SECOND, 0);

    tap_ok(s->edits[DNSSYNC_EDIT_DELETE] == 1 && !world_told(&w, "writers"),
           "and the last one is not held up by those before");

    memset(w.there, 0, 100);
    w.conf[0].allow_empty = 1;
    w.conf[0].brake_percent = 100;
    w.hash[0] = 2;
    world_accounts(&w, &world_driver);
    world_objects(&w);
    world_run(&w, 2 * WORLD_HOUR, 0);

    tap_ok(s->edits[DNSSYNC_EDIT_DELETE] == 100
           && s->zones[0].n == bare, "with the last host the lock goes");

    world_end(&w);
}


/* Two that have one owner's id, and different objects. */

static void
test_both(world_t *one, world_t *two, unsigned seconds)
{
    while (seconds--) {
        world_run(one, WORLD_SECOND, 0);
        world_run(two, WORLD_SECOND, 0);
    }
}


/* outage: of the server; one comes back to it before the other. */

static void
test_writers(unsigned period, unsigned outage)
{
    world_t   one, two;

    world_start(&two);
    world_start(&one);             /* whose servers there are */

    world_zone(&one, 0, "a.test");
    one.conf[0].lock_period = period;
    two.conf[0].lock_period = period;
    one.conf[0].brake_percent = 100;
    two.conf[0].brake_percent = 100;
    two.writer = 1;

    world_hosts(&one, 100, "a.test");
    world_hosts(&two, 100, "x.a.test");
    world_boot(&one, &world_driver, 0);
    world_boot(&two, &world_driver, 0);

    test_both(&one, &two, 2 * 3600);

    if (outage) {
        one.servers[0].state = WORLD_DOWN;
        test_both(&one, &two, outage);
        one.servers[0].state = WORLD_WELL;
        world_run(&one, period / 12 * WORLD_SECOND, 0);
        test_both(&one, &two, 2 * 3600);
    }

    tap_ok(one.servers[0].edits[DNSSYNC_EDIT_DELETE] == 0,
           "two with one owner's id delete nothing (%u, %u)", period, outage);
    tap_ok(one.servers[0].edits[DNSSYNC_EDIT_CREATE] == 200
           && one.servers[0].edits[DNSSYNC_EDIT_CHANGE] == 0,
           "and do not fight: %u, %u",
           one.servers[0].edits[DNSSYNC_EDIT_CREATE],
           one.servers[0].edits[DNSSYNC_EDIT_CHANGE]);
    tap_ok(world_told(&one, "writers") && world_told(&two, "writers"),
           "both tell of it");

    world_stop(&two);
    world_run(&one, 2 * period * WORLD_SECOND + WORLD_HOUR, 0);

    tap_ok(one.servers[0].edits[DNSSYNC_EDIT_DELETE] == 100,
           "one that is gone leaves its hosts to the other");

    world_end(&two);
    world = &one;
    world_end(&one);
}


/* Two with ids of their own, and the same hosts. */

static void
test_owners(void)
{
    int       i;
    world_t   one, two;

    world_start(&two);
    world_start(&one);

    world_zone(&one, 0, "a.test");
    two.conf[0].registry.id = torii_str("you");
    two.address = torii_str("192.0.2.2");
    two.writer = 1;

    world_hosts(&one, 100, "a.test");
    world_hosts(&two, 100, "a.test");
    world_boot(&one, &world_driver, 0);
    world_boot(&two, &world_driver, 0);

    for (i = 0; i < 1800; i++) {
        world_run(&two, WORLD_SECOND, 0);
        world_run(&one, WORLD_SECOND, 0);
    }

    tap_ok(one.servers[0].edits[DNSSYNC_EDIT_CREATE] == 100
           && world_writes(&one.servers[0]) == 100,
           "who comes first has a host: %u writes",
           world_writes(&one.servers[0]));
    tap_ok(world_told(&one, "foreign") == 100
           || world_told(&two, "foreign") == 100, "the other one is told");
    tap_ok(one.servers[0].requests < 150, "in a few requests: %u",
           one.servers[0].requests);

    world_end(&two);
    world_end(&one);
}


int
main(void)
{
    test_breaks();
    test_ack();
    test_alone();
    test_writers(120, 0);
    test_writers(120, 1800);
    test_writers(3600, 6 * 3600);
    test_owners();

    return tap_done();
}
