
/*
 * Servers that fail, for a day or at random: how often they are asked, and that
 * all is as it should be once they are well again.
 */

#include "dnssync_rate.h"
#include "engine_world.h"


#define SEEDS   40
#define ROUNDS  12
#define HOSTS   60


static void
test_rate(void)
{
    uint32_t        i, wait, most;
    uint64_t        now, random;
    dnssync_rate_t  rate;

    now = WORLD_START;
    dnssync_rate_init(&rate, 10, 5);

    for (i = 0; i < 10 && dnssync_rate_when(&rate, now, 1) == now; i++) {
        dnssync_rate_spend(&rate, now, 1);
    }

    tap_ok(i == 10 && dnssync_rate_when(&rate, now, 1) == now + 500,
           "a rate: ten at once, then one each half of a second");
    tap_ok(dnssync_rate_when(&rate, now, 100) == now + 5000,
           "more than there is room for waits for all of it");
    tap_ok(dnssync_rate_when(&rate, now - WORLD_HOUR, 1)
           <= now - WORLD_HOUR + 10000, "a clock that is set back");

    dnssync_rate_init(&rate, 10, 5);
    dnssync_rate_throttled(&rate, now);

    for (i = 0; i < 10; i++) {
        dnssync_rate_spend(&rate, now, 1);
    }

    tap_ok(dnssync_rate_when(&rate, now, 1) == now + 1000,
           "half of it after a complaint");

    for (i = 0; i < 100; i++) {
        dnssync_rate_throttled(&rate, now);
    }

    tap_ok(rate.factor == DNSSYNC_RATE_LEAST, "but never nothing");

    for (i = 0; i < 30; i++) {
        now += 61 * WORLD_SECOND;
        dnssync_rate_good(&rate, now);
    }

    tap_ok(rate.factor == 100, "and all of it again, little by little");

    dnssync_rate_init(&rate, 0, 0);
    dnssync_rate_spend(&rate, now, 1000);
    tap_ok(dnssync_rate_when(&rate, now, 1000) == now, "none is no limit");

    random = 1;

    for (i = 0, wait = 0, most = 0; i < 100; i++) {
        wait = dnssync_wait(&random, wait);

        if (wait < DNSSYNC_WAIT_MIN || wait > DNSSYNC_WAIT_MAX
            || (i == 0 && wait > 2 * DNSSYNC_WAIT_MIN))
        {
            break;
        }

        most = wait > most ? wait : most;
    }

    tap_ok(i == 100 && most > 60000, "waits are 1 s to 5 min");
}


/* A day without a server. */

static void
test_outage(world_state_e state, const char *name, uint32_t limit)
{
    char          zone[32];
    uint32_t      i, before, n;
    world_t       w;

    world_start(&w);

    for (i = 0; i < 50; i++) {
        snprintf(zone, sizeof(zone), "z%u.test", i);
        world_zone(&w, 0, (char *) torii_arena_str(w.a,
                                                   torii_str(zone)).data);
        world_hosts(&w, 2, zone);
    }

    world_boot(&w, &world_driver, 0);
    world_run(&w, 10 * WORLD_MINUTE, 0);

    before = w.servers[0].requests;
    w.servers[0].state = state;
    world_hosts(&w, 1, "new.z7.test");
    world_objects(&w);

    world_run(&w, 24 * WORLD_HOUR, 0);

    n = w.servers[0].requests - before;

    tap_ok(n < limit && n > 24, "a day %s: %u requests for 50 zones, of "
           "%u without it", name, n, 24 * 60 * 50);

    w.servers[0].state = WORLD_WELL;
    before = (uint32_t) (w.now / 1000);

    while (world_right(&w) < w.nhosts && w.now / 1000 < before + 3600) {
        world_run(&w, WORLD_SECOND, 0);
    }

    tap_ok(world_right(&w) == w.nhosts, "what was wanted meanwhile is there "
           "after %u s", (unsigned) (w.now / 1000 - before));
    tap_ok(w.servers[0].edits[DNSSYNC_EDIT_DELETE] == 0,
           "and nothing is deleted");

    world_run(&w, 20 * WORLD_MINUTE, 0);
    world_forget(&w.servers[0]);
    world_run(&w, WORLD_HOUR, 0);

    tap_ok(w.servers[0].requests > 50 * 40 && world_told(&w, "down") == 0
           && world_told(&w, "throttled") == 0
           && world_told(&w, "denied") == 0, "it goes on as before");

    world_end(&w);
}


/* One zone, one account that fails: the others do not notice. */

static void
test_isolation(void)
{
    world_t   w;
    uint32_t  i;

    world_start(&w);
    w.naccounts = 2;
    world_zone(&w, 0, "a.test");
    world_zone(&w, 1, "b.test");
    world_hosts(&w, 10, "a.test");
    world_hosts(&w, 10, "b.test");
    w.servers[0].state = WORLD_DOWN;
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_HOUR, 0);

    tap_ok(world_right(&w) == 10, "an account that is down holds up no other");
    tap_ok(world_told(&w, "no-zone") == 0 && world_told(&w, "down"),
           "its zones may be what its hosts belong to");

    for (i = 0; i < 5; i++) {
        world_host(&w, i & 1 ? "x.b.test" : "y.b.test");
    }

    world_objects(&w);
    world_run(&w, 4 * WORLD_SECOND, 0);

    tap_ok(world_right(&w) == 15, "nor what comes later");

    world_end(&w);
}


static int
test_strangers(world_t *w)
{
    uint32_t          i;
    torii_str_t       none;
    dnssync_rrset_t  *s;

    static const struct {
        const char  *name;
        unsigned     type;
        const char  *value;
    } all[] = {
        { "a.test", DNSSYNC_SOA, "soa" },
        { "a.test", DNSSYNC_NS, "ns1.test" },
        { "h00001.a.test", DNSSYNC_A, "192.0.2.99" },
        { "h00002.a.test", DNSSYNC_CNAME, "elsewhere.test" },
        { "h00003.a.test", DNSSYNC_TXT, "v=spf1 -all" },
        { "other.a.test", DNSSYNC_A, "192.0.2.98" },
        { "_dnssync.h00004.a.test", DNSSYNC_TXT,
          "heritage=torii,owner=you,types=A,resource=ingress/x/y" },
        { "h00004.a.test", DNSSYNC_A, "192.0.2.97" }
    };

    memset(&none, 0, sizeof(torii_str_t));

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {

        if (w->e == NULL && i >= 2) {
            world_record(w, &w->servers[0].zones[0], all[i].name, all[i].type,
                         all[i].value);
        }

        s = world_get(&w->servers[0].zones[0], torii_str(all[i].name), none,
                      all[i].type);

        if (s == NULL || s->n != 1 || !torii_str_eqs(s->values[0],
                                                     all[i].value))
        {
            return 0;
        }
    }

    return 1;
}


static void
test_wants(world_t *w)
{
    uint32_t  i;

    for (i = 0; i < w->nhosts; i++) {
        if (world_chance(w, 10) == 0) {
            w->there[i] = !w->there[i];
        }
    }

    if (world_chance(w, 4) == 0) {
        w->address = torii_str(world_chance(w, 2) ? "192.0.2.1"
                                                  : "192.0.2.2");
    }

    w->incomplete = (world_chance(w, 4) == 0);
}


/* How many of our hosts are there and should not be. */

static uint32_t
test_surplus(world_t *w)
{
    uint32_t      i, n;
    torii_str_t   none;
    world_zone_t  *z;

    memset(&none, 0, sizeof(torii_str_t));
    z = &w->servers[0].zones[0];

    for (i = 0, n = 0; i < w->nhosts; i++) {
        n += (!w->there[i] && (i < 1 || i > 4 || i == 3)
              && world_get(z, w->hosts[i], none, DNSSYNC_A) != NULL);
    }

    return n;
}


static void
test_random(uint64_t seed)
{
    int       round, strangers;
    uint32_t  i, right;
    world_t   w;

    world_start(&w);
    w.random = seed;
    w.seed = seed;
    world_zone(&w, 0, "a.test");
    world_hosts(&w, HOSTS, "a.test");
    w.conf[0].brake_percent = 100;
    w.conf[0].brake_min = 1000;

    (void) test_strangers(&w);
    world_boot(&w, &world_driver, 0);
    strangers = 1;

    for (round = 0; round < ROUNDS; round++) {
        w.servers[0].lose = world_chance(&w, 3) ? world_chance(&w, 60) : 0;
        w.servers[0].fail = world_chance(&w, 3) ? world_chance(&w, 60) : 0;
        w.servers[0].state = world_chance(&w, 4) ? WORLD_WELL
                                          : world_chance(&w, 5);
        test_wants(&w);
        world_objects(&w);

        switch (world_chance(&w, 6)) {

        case 0:
            world_stop(&w);
            world_boot(&w, &world_driver, world_chance(&w, 2));
            break;

        case 1:
            dnssync_engine_lead(w.e, w.now, 0, 0);
            world_run(&w, world_chance(&w, 10) * WORLD_SECOND, 0);
            dnssync_engine_lead(w.e, w.now, 1, 10 * WORLD_SECOND);
            break;

        case 2:
            w.hash[0]++;
            world_accounts(&w, &world_driver);
            break;

        case 3:
            w.now -= world_chance(&w, 2) ? WORLD_HOUR : 0;
            break;
        }

        world_run(&w, world_chance(&w, 600) * WORLD_SECOND, 0);
        strangers &= test_strangers(&w);
    }

    w.servers[0].lose = 0;
    w.servers[0].fail = 0;
    w.servers[0].state = WORLD_WELL;
    w.incomplete = 0;
    world_objects(&w);
    world_run(&w, 3 * WORLD_HOUR, 0);

    for (i = 0, right = 0; i < HOSTS; i++) {
        right += (w.there[i] && i != 1 && i != 2 && i != 4);
    }

    if (!strangers || !test_strangers(&w) || world_right(&w) != right
        || test_surplus(&w))
    {
        tap_ok(0, "seed %u: strangers %d, right %u of %u, surplus %u",
               (unsigned) seed, strangers, world_right(&w), right,
               test_surplus(&w));
    }

    world_end(&w);
}


int
main(void)
{
    uint64_t  seed;

    test_rate();
    test_outage(WORLD_DOWN, "down", 1000);
    test_outage(WORLD_DENIED, "locked out", 1000);
    test_outage(WORLD_THROTTLED, "throttled", 1000);
    test_isolation();

    for (seed = 1; seed <= SEEDS; seed++) {
        test_random(seed);
    }

    tap_ok(1, "%u worlds with faults at random", SEEDS);

    return tap_done();
}
