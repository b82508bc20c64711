
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


/* Two that have one owner's id, and different objects. */

static void
test_writers(void)
{
    int       i;
    world_t   one, two;

    world_start(&two);
    world_start(&one);             /* whose servers there are */

    world_zone(&one, 0, "a.test");
    one.conf[0].lock_period = 120;
    two.conf[0].lock_period = 120;
    two.instance = 100;

    world_hosts(&one, 100, "a.test");
    world_hosts(&two, 100, "x.a.test");
    world_boot(&one, &world_driver, 0);
    world_boot(&two, &world_driver, 0);

    for (i = 0; i < 2 * 3600; i++) {
        world_run(&one, WORLD_SECOND, 0);
        world_run(&two, WORLD_SECOND, 0);
    }

    tap_ok(one.servers[0].edits[DNSSYNC_EDIT_DELETE] == 0,
           "two with one owner's id delete nothing");
    tap_ok(one.servers[0].edits[DNSSYNC_EDIT_CREATE] == 200
           && one.servers[0].edits[DNSSYNC_EDIT_CHANGE] == 0,
           "and do not fight: %u, %u",
           one.servers[0].edits[DNSSYNC_EDIT_CREATE],
           one.servers[0].edits[DNSSYNC_EDIT_CHANGE]);
    tap_ok(world_told(&one, "writers") && world_told(&two, "writers"),
           "both tell of it");

    world_stop(&two);
    one.conf[0].brake_percent = 100;
    one.hash[0] = 2;
    world_accounts(&one, &world_driver);
    world_run(&one, WORLD_HOUR, 0);

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
    two.instance = 100;

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
    test_writers();
    test_owners();

    return tap_done();
}
