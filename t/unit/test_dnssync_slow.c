
/*
 * Providers that are slow or count requests, and what ten thousand hosts cost.
 */

#include <sys/resource.h>

#include "engine_world.h"


#define MEMORY  (40 * 1024)            /* kB, the servers and all */


static const dnssync_driver_t  test_counting = {
    .name = "counting",
    .rate = 20,
    .period = 60,
    .at_once = 4,
    .go = world_driver_go,
    .answer = world_driver_answer,
    .state = sizeof(world_op_t)
};


/* One whose sets have ids, which only a listing tells. */

static dnssync_op_step_e
test_ids_answer(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    uint32_t           i, k;
    dnssync_op_step_e  step;

    for (i = 0; op->what == DNSSYNC_OP_APPLY && i < op->nedits; i++) {
        for (k = 0; k < op->edits[i]->nparts; k++) {
            if (op->edits[i]->parts[k].before != NULL
                && op->edits[i]->parts[k].before->id.len == 0)
            {
                tap_ok(0, "an edit without the set's id");
            }
        }
    }

    step = world_driver_answer(op, answer);

    for (i = 0; step == DNSSYNC_OP_DONE && i < op->nsets; i++) {
        op->sets[i].id = op->sets[i].name;
    }

    return step;
}


static const dnssync_driver_t  test_ids = {
    .name = "ids",
    .at_once = 4,
    .go = world_driver_go,
    .answer = test_ids_answer,
    .state = sizeof(world_op_t)
};


/* A new host each minute, at a provider that takes half of that to list. */

static void
test_listings(const dnssync_driver_t *driver)
{
    char       name[32];
    world_t    w;
    uint32_t   i, late, lists;
    uint64_t   from;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_hosts(&w, 100, "a.test");
    w.slow = 30 * WORLD_SECOND;
    world_boot(&w, driver, 0);
    world_run(&w, 10 * WORLD_MINUTE, 0);

    lists = w.servers[0].kinds[DNSSYNC_OP_LIST];

    for (i = 0, late = 0; i < 60; i++) {
        snprintf(name, sizeof(name), "new%u.a.test", i);
        world_host(&w, name);
        world_objects(&w);

        from = w.now;
        world_run(&w, 3 * WORLD_SECOND, 0);
        late += (world_right(&w) != w.nhosts);
        world_run(&w, WORLD_MINUTE - (w.now - from), 0);
    }

    lists = w.servers[0].kinds[DNSSYNC_OP_LIST] - lists;

    tap_ok(late <= 9, "%s: of 60 new hosts %u have to wait for a listing",
           driver->name, late);
    tap_ok(lists >= 5 && lists <= 14, "%s: there are %u listings in an hour",
           driver->name, lists);

    w.address = torii_str("192.0.2.2");
    world_objects(&w);
    world_run(&w, 5 * WORLD_MINUTE, 0);

    tap_ok(world_right(&w) == w.nhosts, "%s: what was written can be changed",
           driver->name);

    world_run(&w, WORLD_HOUR, 0);

    tap_ok(world_right(&w) == w.nhosts
           && w.servers[0].edits[DNSSYNC_EDIT_CREATE] == 160
           && w.servers[0].edits[DNSSYNC_EDIT_CHANGE] == 160,
           "%s: and that was all", driver->name);

    world_end(&w);
}


static void
test_counts(void)
{
    char      zone[32];
    world_t   w;
    uint32_t  i;

    world_start(&w);

    for (i = 0; i < 60; i++) {
        snprintf(zone, sizeof(zone), "z%u.test", i);
        world_zone(&w, 0, (char *) torii_arena_str(w.a,
                                                   torii_str(zone)).data);
        world_hosts(&w, 2, zone);
    }

    world_boot(&w, &test_counting, 0);
    world_run(&w, WORLD_HOUR, 0);

    tap_ok(w.servers[0].requests <= 20 + 60 * 20
           && w.servers[0].requests > 50 * 20,
           "an account asks no more than it may: %u requests in an hour",
           w.servers[0].requests);
    tap_ok(world_right(&w) == 120, "all hosts are there: %u",
           world_right(&w));

    world_host(&w, "new.z7.test");
    world_objects(&w);
    world_run(&w, 20 * WORLD_SECOND, 0);

    tap_ok(world_right(&w) == 121, "what somebody waits for comes first");

    world_end(&w);
}


static void
test_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
    struct rusage  usage;
#endif
    world_t        w;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_hosts(&w, 10000, "a.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, 5 * WORLD_MINUTE, 0);

    tap_ok(world_right(&w) == 10000, "10,000 hosts");

#ifndef __SANITIZE_ADDRESS__
    (void) getrusage(RUSAGE_SELF, &usage);
    tap_ok(usage.ru_maxrss < MEMORY, "cost %u kB, the server and all",
           (unsigned) usage.ru_maxrss);
#endif

    world_end(&w);
}


int
main(void)
{
    test_memory();
    test_listings(&world_driver);
    test_listings(&test_ids);
    test_counts();

    return tap_done();
}
