
/*
 * Orders of the ACME client that are interrupted: by answers that are lost, a
 * process that ends, nonces that are refused, a network or a clock that fails.
 */

#include "ca_world.h"
#include "tap.h"


/* Each answer, or each request, may be the one that is lost. */

static void
test_lost(int drop)
{
    int                 ok;
    world_t             w;
    unsigned            i, n;
    acme_order_t       *o;
    acme_order_conf_t   conf;

    static const uint8_t  types[] = { DNS, 0, 0, 0 };

    n = 1;
    ok = 1;

    for (i = 0; i <= n && ok; i++) {
        world_start(&w, NULL);
        memset(&conf, 0, sizeof(conf));

        w.lose = drop ? 0 : i;
        w.drop = drop ? i : 0;

        o = world_order(&w, "a.example *.a.example", types, &conf);

        ok = world_drive(&w, o) == ACME_ORDER_DONE && w.ca.fault[0] == '\0'
             && w.ca.naccounts == 1 && w.now - NOW < 10000;

        n = (i == 0) ? w.requests : n;
        ok = ok && w.ca.orders[w.ca.norders - 1].finalized == 1
             && w.ca.counts[CA_FINALIZE] == 1;

        if (!ok) {
            printf("# %u of %u: %s, %s\n", i, n, acme_order_problem(o)->text,
                   w.ca.fault);
        }

        acme_order_free(o);
        world_stop(&w);
    }

    tap_ok(ok && n > 10, "any one of %u %s is lost", n,
           drop ? "requests" : "answers");
}


/* The process ends before each request; another one goes on. */

static void
test_resume(void)
{
    int                 ok;
    world_t             w;
    unsigned            i;
    acme_order_t       *o;
    acme_order_conf_t   conf;
    acme_order_step_e   step;

    static const uint8_t  types[] = { HTTP, 0, 0, 0 };

    for (i = 1, ok = 1; ok; i++) {
        world_start(&w, NULL);
        memset(&conf, 0, sizeof(conf));

        w.stop = i;
        o = world_order(&w, "a.example b.example", types, &conf);
        step = world_drive(&w, o);

        if (step == ACME_ORDER_DONE) {
            acme_order_free(o);
            world_stop(&w);
            break;
        }

        conf.url = torii_arena_str(w.arena, acme_order_url(o));

        acme_order_free(o);
        acme_client_free(w.c);
        world_drop(&w);

        w.stop = 0;
        w.now += 1000;
        world_client(&w);

        o = world_order(&w, "a.example b.example", types, &conf);

        ok = world_drive(&w, o) == ACME_ORDER_DONE && w.ca.fault[0] == '\0'
             && w.ca.naccounts == 1 && w.ca.norders == 1
             && w.ca.orders[0].finalized == 1;

        if (!ok) {
            printf("# %u: %s, %s\n", i, acme_order_problem(o)->text,
                   w.ca.fault);
        }

        acme_order_free(o);
        world_stop(&w);
    }

    tap_ok(ok && i > 10, "gone on with from any of %u places", i);
}


static void
test_resume_dead(void)
{
    size_t              i;
    world_t             w;
    acme_order_t       *o;
    acme_order_conf_t   conf;
    acme_order_step_e   step;

    static const uint8_t  types[] = { HTTP, 0, 0, 0 };

    static const struct {
        const char  *name;
        const char  *url;
        uint32_t     status;
        const char  *type;
        const char  *body;
    } cases[] = {
        { "an order that is forgotten", CA_URL "/order/7", 0, NULL, NULL },
        { "an order of others", CA_URL "/order/0", 403, "unauthorized", NULL },
        { "a page instead of the order", CA_URL "/order/0", 404, NULL,
          "<html>" },
        { "an order that is invalid", CA_URL "/order/0", 200, NULL,
          "{\"status\":\"invalid\",\"error\":{\"type\":\"" CA_ACME
          "dns\",\"detail\":\"x\"}}" },
        { "an order that is deactivated", CA_URL "/order/0", 200, NULL,
          "{\"status\":\"deactivated\"}" },
        { "an order by http", "http://ca.example/order/0", 0, NULL, NULL }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world_start(&w, NULL);
        memset(&conf, 0, sizeof(conf));

        if (cases[i].status) {
            w.ca.is.wrong[0].kind = CA_ORDER;
            w.ca.is.wrong[0].nth = 1;
            w.ca.is.wrong[0].times = 1;
            w.ca.is.wrong[0].status = cases[i].status;
            w.ca.is.wrong[0].type = cases[i].type;
            w.ca.is.wrong[0].body = cases[i].body;
        }

        conf.url = torii_str(cases[i].url);

        o = world_order(&w, "a.example", types, &conf);
        step = world_drive(&w, o);

        tap_ok(step == ACME_ORDER_FAILED
               && acme_order_problem(o)->fail == ACME_FAIL_ORDER
               && w.ca.fault[0] == '\0' && w.now - NOW < 1000,
               "%s is given up", cases[i].name);

        acme_order_free(o);
        world_stop(&w);
    }
}


/* Where one nonce is stale, older ones are no better. */

static void
test_stale_nonces(void)
{
    char                nonce[24];
    world_t             w;
    unsigned            i;
    acme_order_t       *o;
    acme_response_t     res;
    acme_order_conf_t   conf;

    static const uint8_t  types[] = { HTTP, 0, 0, 0 };

    world_start(&w, NULL);
    memset(&conf, 0, sizeof(conf));

    w.latency = 300;

    for (i = 0; i < 10; i++) {
        memset(&res, 0, sizeof(res));

        (void) snprintf(nonce, sizeof(nonce), "stale-%u", i);
        res.status = 200;
        res.nonce = torii_str(nonce);

        acme_client_answer(w.c, w.now, 99, &res);
    }

    o = world_order(&w, "a.example b.example c.example d.example", types,
                    &conf);

    tap_ok(world_drive(&w, o) == ACME_ORDER_DONE && w.ca.fault[0] == '\0'
           && acme_client_counts(w.c)->bad_nonces == 1,
           "one bad nonce for ten that are stale");

    acme_order_free(o);
    world_stop(&w);
}


static void
test_bad_nonces(void)
{
    world_t             w;
    unsigned            i, tries, done;
    acme_order_t       *o;
    acme_order_conf_t   conf;

    static const uint8_t    types[] = { HTTP, 0, 0, 0 };
    static const ca_ways_t  is = { .bad_nonces = 90 };

    world_start(&w, &is);

    for (i = 0, done = 0, tries = 0; i < 10 && tries < 20; tries++) {
        memset(&conf, 0, sizeof(conf));

        acme_client_retry(w.c);
        o = world_order(&w, "a.example", types, &conf);

        if (world_drive(&w, o) == ACME_ORDER_DONE) {
            done++;
            i++;

        } else if (acme_order_problem(o)->fail != ACME_FAIL_SERVER) {
            i = 99;
        }

        acme_order_free(o);
    }

    tap_ok(done == 10 && w.ca.fault[0] == '\0' && w.ca.naccounts == 1
           && acme_client_counts(w.c)->bad_nonces > 300,
           "10 certificates while 90 %% of all nonces are refused");

    world_stop(&w);
}


/* A minute without a network costs that minute, not the order. */

static void
test_outage(void)
{
    int                 i;
    world_t             w;
    acme_order_t       *o;
    acme_order_conf_t   conf;
    acme_order_step_e   step;

    static const uint8_t    types[] = { HTTP, 0, 0, 0 };
    static const ca_ways_t  slow[] = {
        { .slow_authz = 3 },
        { .slow_order = 9 },
        { .slow_order = 9, .wrong = { { .kind = CA_FINALIZE, .nth = 1,
                                        .times = 1, .status = 500 } } }
    };

    for (i = 0; i < 3; i++) {
        world_start(&w, &slow[i]);
        memset(&conf, 0, sizeof(conf));

        w.dark = NOW + (i == 2 ? 1500 : 3500);
        w.light = w.dark + 60000;

        o = world_order(&w, "a.example", types, &conf);
        step = world_drive(&w, o);

        tap_ok(step == ACME_ORDER_DONE && w.ca.norders == 1
               && w.ca.orders[0].finalized == 1 && w.ca.fault[0] == '\0'
               && w.now - NOW > 60000 && w.now - NOW < 120000,
               "no network during %s", i ? "issuance" : "validation");

        acme_order_free(o);
        world_stop(&w);
    }
}


/* Who waited for an instant that is a day away again, waits no longer. */

static void
test_clock(void)
{
    world_t             w;
    uint32_t            n;
    acme_order_t       *o;
    acme_order_conf_t   conf;
    acme_order_step_e   step;

    static const uint8_t    types[] = { HTTP, 0, 0, 0 };
    static const ca_ways_t  slow = { .slow_authz = 2 };

    world_start(&w, &slow);
    memset(&conf, 0, sizeof(conf));

    o = world_order(&w, "a.example", types, &conf);

    world_run(&w, o, NOW + HOUR);
    acme_order_proceed(o, w.now);
    world_run(&w, o, NOW + HOUR);

    ca_present(&w.ca, acme_order_challenges(o, &n), 1);
    acme_order_proceed(o, w.now);
    world_run(&w, o, w.now + 10);

    w.now -= 24 * HOUR;

    step = world_drive(&w, o);

    tap_ok(step == ACME_ORDER_FAILED || step == ACME_ORDER_DONE,
           "a clock that is set back leaves nothing waiting");

    tap_ok(w.now < NOW - 23 * HOUR && w.requests < 40
           && w.ca.fault[0] == '\0', "nor in a hurry");

    acme_order_free(o);
    world_stop(&w);
}


int
main(void)
{
    test_lost(0);
    test_lost(1);
    test_resume();
    test_resume_dead();
    test_stale_nonces();
    test_bad_nonces();
    test_outage();
    test_clock();

    return tap_done();
}
