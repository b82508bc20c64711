
/*
 * The engine: what it asks, when, and that the servers end up as they should.
 */

#include "engine_world.h"


static void
test_creates(void)
{
    world_t  w;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_record(&w, &w.servers[0].zones[0], "foreign.a.test", DNSSYNC_A,
                 "192.0.2.9");
    world_hosts(&w, 100, "a.test");
    world_boot(&w, &world_driver, 0);

    world_run(&w, WORLD_MINUTE, 1);

    tap_ok(world_right(&w) == 100, "all hosts are created: %u",
           world_right(&w));
    tap_ok(w.servers[0].edits[DNSSYNC_EDIT_CREATE] == 100,
           "each of them once");
    tap_ok(w.now - WORLD_START < 3 * WORLD_SECOND, "within 3 s, after a quiet "
           "window: %u ms", (unsigned) (w.now - WORLD_START));
    tap_ok(w.servers[0].requests <= 5, "in a few requests: %u",
           w.servers[0].requests);
    tap_ok(w.verifies == 16, "servers are asked for some of them");

    world_run(&w, WORLD_MINUTE, 0);
    world_stop(&w);
    world_forget(&w.servers[0]);
    world_boot(&w, &world_driver, 1);
    world_run(&w, WORLD_MINUTE, 1);

    tap_ok(world_writes(&w.servers[0]) == 0, "a second run writes nothing");
    tap_ok(w.servers[0].kinds[DNSSYNC_OP_LIST] == 0
           && w.servers[0].requests == 2, "and reads nothing but a version");

    world_end(&w);
}


static void
test_idles(void)
{
    world_t   w;
    uint32_t  lists, probes;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_zone(&w, 0, "b.test");
    world_zone(&w, 0, "unused.test");
    world_hosts(&w, 10, "a.test");
    world_hosts(&w, 10, "b.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_MINUTE, 1);
    world_forget(&w.servers[0]);

    world_run(&w, 10 * WORLD_HOUR, 0);

    lists = w.servers[0].kinds[DNSSYNC_OP_LIST];
    probes = w.servers[0].kinds[DNSSYNC_OP_PROBE];

    tap_ok(probes + lists <= 2 * 600, "an idle zone is asked once in an "
           "interval at most: %u questions of 2 zones in 10 h",
           probes + lists);
    tap_ok(probes > 2 * 500, "and nearly as often");
    tap_ok(lists >= 2 * 10 && lists <= 2 * 20,
           "it is read whole every 30 to 60 min: %u times", lists);
    tap_ok(world_writes(&w.servers[0]) == 0, "nothing is written");

    world_end(&w);
}


static void
test_follows(void)
{
    world_t   w;
    uint32_t  i;
    uint64_t  from;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_hosts(&w, 10, "a.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, 10 * WORLD_MINUTE, 0);

    world_host(&w, "new.a.test");
    world_objects(&w);
    from = w.now;

    while (world_right(&w) < 11 && w.now < from + WORLD_MINUTE) {
        world_run(&w, 10, 0);
    }

    tap_ok(w.now - from <= 3 * WORLD_SECOND && w.now - from >= 2000,
           "a new host is there after the quiet window: %u ms",
           (unsigned) (w.now - from));

    world_run(&w, WORLD_MINUTE, 0);
    from = w.now;

    for (i = 0; i < 30 && world_right(&w) < 12; i++) {
        world_hosts(&w, 1, i & 1 ? "x.a.test" : "y.a.test");
        world_objects(&w);
        world_run(&w, WORLD_SECOND, 0);
    }

    tap_ok(w.now - from >= 9 * WORLD_SECOND && w.now - from <= 11000,
           "changes without end are followed after 10 s: %u ms",
           (unsigned) (w.now - from));

    world_run(&w, WORLD_MINUTE, 0);
    world_forget(&w.servers[0]);

    w.address = torii_str("192.0.2.2");
    world_objects(&w);
    world_run(&w, WORLD_MINUTE, 0);

    tap_ok(world_right(&w) == w.nhosts
           && w.servers[0].edits[DNSSYNC_EDIT_CREATE] == 0,
           "another address changes all of them");

    world_record(&w, &w.servers[0].zones[0], "h00003.a.test", DNSSYNC_A,
                 "192.0.2.66");
    world_run(&w, 2 * WORLD_MINUTE, 0);

    tap_ok(world_right(&w) == w.nhosts,
           "what somebody else changed is put right");

    world_end(&w);
}


static void
test_deletes(void)
{
    world_t        w;
    world_zone_t  *z;
    uint64_t       from;

    world_start(&w);
    z = world_zone(&w, 0, "a.test");
    world_hosts(&w, 10, "a.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_MINUTE, 0);

    w.there[3] = 0;
    world_objects(&w);
    from = w.now;

    while (world_get(z, w.hosts[3], w.gone, DNSSYNC_A) != NULL
           && w.now < from + WORLD_HOUR)
    {
        world_run(&w, WORLD_SECOND, 0);
    }

    tap_ok(w.now - from >= WORLD_MINUTE && w.now - from < 70 * WORLD_SECOND,
           "a host that is gone is deleted after a while: %u s",
           (unsigned) ((w.now - from) / 1000));

    w.there[4] = 0;
    w.gone = w.hosts[4];
    world_objects(&w);
    from = w.now;
    memset(&w.gone, 0, sizeof(torii_str_t));

    while (world_get(z, w.hosts[4], w.gone, DNSSYNC_A) != NULL
           && w.now < from + WORLD_HOUR)
    {
        world_run(&w, 100, 0);
    }

    tap_ok(w.now - from < 4 * WORLD_SECOND,
           "one that was seen to be deleted at once: %u ms",
           (unsigned) (w.now - from));
    tap_ok(world_right(&w) == 8 && w.servers[0].edits[DNSSYNC_EDIT_DELETE]
           == 2, "the others stay");

    w.there[3] = 1;
    world_objects(&w);
    world_run(&w, WORLD_MINUTE, 0);

    tap_ok(world_right(&w) == 9, "what comes back is created again");

    world_end(&w);
}


/* Ten thousand hosts: requests, time and memory. */

static void
test_many(void)
{
    world_t  w;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_hosts(&w, 10000, "a.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_MINUTE, 1);

    tap_ok(world_right(&w) == 10000, "10,000 hosts are created: %u",
           world_right(&w));
    tap_ok(w.now - WORLD_START < 4 * WORLD_SECOND && w.servers[0].requests
           < 30, "in %u ms and %u requests",
           (unsigned) (w.now - WORLD_START), w.servers[0].requests);

    world_run(&w, WORLD_MINUTE, 0);
    world_stop(&w);
    world_forget(&w.servers[0]);
    world_boot(&w, &world_driver, 1);
    world_run(&w, 2 * WORLD_MINUTE, 0);

    tap_ok(w.servers[0].requests <= 4 && world_writes(&w.servers[0]) == 0
           && w.servers[0].kinds[DNSSYNC_OP_LIST] == 0,
           "a restart asks for a version, and no more");

    world_end(&w);
}


static void
test_refused(void)
{
    world_t   w;
    uint32_t  before;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_hosts(&w, 1000, "a.test");
    w.servers[0].refuses = "h00500";
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_MINUTE, 0);

    tap_ok(world_right(&w) == 999, "what is refused holds up nothing else");
    tap_ok(world_told(&w, "failing") == 1, "it is told of");

    before = w.servers[0].kinds[DNSSYNC_OP_APPLY];
    world_run(&w, 10 * WORLD_HOUR, 0);

    tap_ok(w.servers[0].kinds[DNSSYNC_OP_APPLY] - before < 20,
           "it is tried again less and less: %u times in 10 h",
           w.servers[0].kinds[DNSSYNC_OP_APPLY] - before);

    w.servers[0].refuses = NULL;
    world_run(&w, 2 * WORLD_HOUR, 0);

    tap_ok(world_right(&w) == 1000 && world_told(&w, "failing") == 0,
           "until it is taken");

    world_end(&w);
}


/* What servers the parent names, and what is told of it. */

static void
test_delegation(void)
{
    world_t      w;
    torii_str_t  servers[2];

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_zone(&w, 0, "unused.test");
    world_host(&w, "www.a.test");

    servers[0] = torii_str("NS1.test.");
    servers[1] = torii_str("ns2.test");

    w.parent = servers;
    w.nparent = 1;
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_MINUTE, 0);

    tap_ok(w.delegations == 1, "a zone in use is asked about, once: %u",
           w.delegations);
    tap_ok(world_told(&w, "delegation") == 0, "the same servers are no news");

    w.nparent = 2;
    world_run(&w, 24 * WORLD_HOUR, 0);

    tap_ok(w.delegations == 2, "it is asked about once a day");
    tap_ok(world_told(&w, "delegation") == 1, "one more server is told");

    w.silent = "no answer";
    world_run(&w, 24 * WORLD_HOUR + WORLD_MINUTE, 0);

    tap_ok(world_told(&w, "delegation") == 1 && w.delegations == 3,
           "what was told stays while nobody answers");

    w.silent = NULL;
    w.nparent = 1;
    world_run(&w, WORLD_HOUR, 0);

    tap_ok(world_told(&w, "delegation") == 0 && w.delegations == 4,
           "who does not answer is asked again in an hour");

    w.nparent = 0;
    world_run(&w, 24 * WORLD_HOUR, 0);
    world_host(&w, "new.a.test");
    world_objects(&w);
    world_run(&w, WORLD_MINUTE, 0);

    tap_ok(world_told(&w, "delegation") == 1, "no delegation is told");
    tap_ok(world_right(&w) == 2, "and stops nothing");

    world_end(&w);
}


int
main(void)
{
    test_creates();
    test_idles();
    test_follows();
    test_deletes();
    test_many();
    test_refused();
    test_delegation();

    return tap_done();
}
