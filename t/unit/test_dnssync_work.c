
/*
 * The engine's other ways: zones that cannot be read, providers that adjust,
 * views, aliases at an apex, challenges, what an operator asks for.
 */

#include "torii_tree.h"
#include "engine_world.h"


static const torii_str_t  nothing = torii_null_string;


/* It remembers what was written; a listing is more than it can do. */

static dnssync_op_step_e
test_blind_go(dnssync_op_t *op)
{
    if (op->what == DNSSYNC_OP_LIST || op->what == DNSSYNC_OP_PROBE) {
        tap_ok(0, "a zone that cannot be read is read");
    }

    return world_driver_go(op);
}


static const dnssync_driver_t  test_blind = {
    .name = "blind",
    .blind = 1,
    .at_once = 1,
    .go = test_blind_go,
    .answer = world_driver_answer,
    .state = sizeof(world_op_t)
};


static void
test_blinds(void)
{
    world_t  w;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_hosts(&w, 3, "a.test");
    world_boot(&w, &test_blind, 0);
    world_run(&w, WORLD_HOUR, 0);

    tap_ok(world_right(&w) == 3 && world_writes(&w.servers[0]) == 3,
           "blind: what is wanted is written, once");

    world_stop(&w);
    world_boot(&w, &test_blind, 1);
    world_run(&w, WORLD_HOUR, 0);

    tap_ok(world_writes(&w.servers[0]) == 3, "blind: a restart writes "
           "nothing");

    w.address = torii_str("192.0.2.2");
    world_objects(&w);
    world_run(&w, WORLD_MINUTE, 0);

    tap_ok(world_right(&w) == 3 && world_writes(&w.servers[0]) == 6,
           "blind: another address is written");

    w.there[1] = 0;
    world_objects(&w);
    world_run(&w, WORLD_HOUR, 0);

    tap_ok(world_writes(&w.servers[0]) == 6, "blind: nothing is removed");

    w.servers[0].state = WORLD_DOWN;
    w.address = torii_str("192.0.2.3");
    world_objects(&w);
    world_run(&w, WORLD_HOUR, 0);
    w.servers[0].state = WORLD_WELL;
    world_run(&w, 10 * WORLD_MINUTE, 0);

    tap_ok(world_right(&w) == 2 && w.servers[0].requests < 70,
           "blind: a server that was down has it later: %u requests",
           w.servers[0].requests);

    world_end(&w);
}


/* The provider has addresses of its own for what is wanted. */

static dnssync_op_step_e
test_adjust_answer(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    uint32_t             i;
    torii_str_t         *targets;
    dnssync_endpoint_t  *all;

    if (op->what != DNSSYNC_OP_ADJUST) {
        return world_driver_answer(op, answer);
    }

    all = torii_arena_alloc(op->arena, op->nendpoints
                                       * sizeof(dnssync_endpoint_t));
    targets = torii_arena_alloc(op->arena, sizeof(torii_str_t));
    *targets = torii_str("198.51.100.1");

    for (i = 0; i < op->nendpoints; i++) {
        all[i] = op->endpoints[i];
        all[i].targets = targets;
    }

    op->endpoints = all;

    return DNSSYNC_OP_DONE;
}


static const dnssync_driver_t  test_adjusting = {
    .name = "adjusting",
    .adjusts = 1,
    .at_once = 1,
    .go = world_driver_go,
    .answer = test_adjust_answer,
    .state = sizeof(world_op_t)
};


static void
test_adjusts(void)
{
    world_t  w;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_hosts(&w, 3, "a.test");
    world_boot(&w, &test_adjusting, 0);
    world_run(&w, WORLD_HOUR, 0);

    w.address = torii_str("198.51.100.1");
    tap_ok(world_right(&w) == 3 && world_writes(&w.servers[0]) == 3,
           "what the provider makes of endpoints is what is compared");
    tap_ok(w.servers[0].kinds[DNSSYNC_OP_ADJUST] == 1,
           "it is asked when they are other ones");

    w.address = torii_str("192.0.2.1");
    world_hosts(&w, 1, "b.a.test");
    world_objects(&w);
    world_run(&w, WORLD_MINUTE, 0);

    tap_ok(w.servers[0].kinds[DNSSYNC_OP_ADJUST] == 2
           && world_writes(&w.servers[0]) == 4, "and again for a new one");

    world_end(&w);
}


static void
test_frozen(void)
{
    world_t  w;

    world_start(&w);
    w.naccounts = 2;
    world_zone(&w, 0, "a.test");
    world_zone(&w, 0, "b.test");
    world_zone(&w, 1, "a.test");
    world_hosts(&w, 5, "a.test");
    world_hosts(&w, 5, "b.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_HOUR, 0);

    tap_ok(world_right(&w) == 5, "a zone that two accounts have is left alone");
    tap_ok(world_told(&w, "ambiguous") == 2, "both are told of");

    world_end(&w);

    world_start(&w);
    w.naccounts = 2;
    world_zone(&w, 0, "a.test");
    world_zone(&w, 1, "a.test")->private = 1;
    world_zone(&w, 1, "sub.a.test");
    world_hosts(&w, 5, "a.test");
    world_hosts(&w, 5, "sub.a.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_HOUR, 0);

    tap_ok(world_told(&w, "ambiguous") == 0 && world_right(&w) == 10,
           "one of them is private: they are not the same");
    tap_ok(w.servers[0].edits[DNSSYNC_EDIT_CREATE] == 5
           && w.servers[1].edits[DNSSYNC_EDIT_CREATE] == 5,
           "a host is in the longest of all zones");

    world_end(&w);
}


static void
test_lookups(void)
{
    world_t        w;
    world_zone_t  *z;

    world_start(&w);
    z = world_zone(&w, 0, "a.test");
    world_host(&w, "a.test");
    world_host(&w, "www.a.test");
    w.target = "lb.elsewhere.test";
    w.resolved = torii_str("192.0.2.7");
    w.address = w.resolved;
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_MINUTE, 0);

    tap_ok(world_get(z, torii_str("www.a.test"), nothing, DNSSYNC_CNAME)
           && world_right(&w) == 1 && w.resolves == 1,
           "an alias at the apex becomes addresses");

    w.resolved = nothing;
    world_run(&w, WORLD_HOUR, 0);

    tap_ok(world_right(&w) == 1, "they stay when the resolver fails");

    w.resolved = torii_str("192.0.2.8");
    w.address = w.resolved;
    world_run(&w, 6 * WORLD_MINUTE, 0);

    tap_ok(world_right(&w) == 1, "and change when it tells others");

    world_run(&w, 10 * WORLD_HOUR, 0);

    tap_ok(world_right(&w) == 1 && world_told(&w, "lookup") == 0,
           "it is asked again and again: %u times", w.resolves);

    world_end(&w);
}


static void
test_challenges(void)
{
    world_t   w;
    uint32_t  first, second;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_host(&w, "www.a.test");
    world_boot(&w, &world_driver, 0);

    first = dnssync_engine_challenge(w.e, w.now, nothing,
                                     torii_str("_acme-challenge.www.a.test."),
                                     torii_str("x"), 1);
    world_run(&w, WORLD_SECOND, 0);

    tap_ok(first && w.challenged == 1 && w.challenge_error == NULL
           && w.servers[0].kinds[DNSSYNC_OP_CHALLENGE] == 1,
           "a challenge is set as soon as zones are known");

    second = dnssync_engine_challenge(w.e, w.now, torii_str("default/dns-0"),
                                      torii_str("_acme-challenge.b.test"),
                                      torii_str("x"), 1);
    world_run(&w, WORLD_SECOND, 0);

    tap_ok(second != first && w.challenged == 2 && w.challenge_error != NULL,
           "one that no account has a zone for is not: %s",
           w.challenge_error ? w.challenge_error : "");

    w.servers[0].state = WORLD_DOWN;
    (void) dnssync_engine_challenge(w.e, w.now, nothing,
                                    torii_str("_acme-challenge.a.test"),
                                    torii_str("x"), 0);
    world_run(&w, WORLD_MINUTE, 0);
    tap_ok(w.challenged == 2, "a server that is down is waited for");

    w.servers[0].state = WORLD_WELL;
    world_run(&w, WORLD_MINUTE, 0);
    tap_ok(w.challenged == 3 && w.challenge_error == NULL,
           "until it is there");

    w.servers[0].state = WORLD_DOWN;
    (void) dnssync_engine_challenge(w.e, w.now, nothing,
                                    torii_str("_acme-challenge.a.test"),
                                    torii_str("x"), 0);
    world_run(&w, 6 * WORLD_MINUTE, 0);
    tap_ok(w.challenged == 4 && w.challenge_error != NULL,
           "or for some minutes: %s",
           w.challenge_error ? w.challenge_error : "");

    world_end(&w);
}


static int
test_count(void *data, torii_str_t account, const dnssync_edit_t *edit)
{
    (*(uint32_t *) data)++;
    return 1;
}


static void
test_observes(void)
{
    world_t                w;
    uint32_t               n;
    dnssync_zone_status_t  status;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_hosts(&w, 10, "a.test");
    w.conf[0].policy = DNSSYNC_OBSERVE;
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_MINUTE, 1);

    n = 0;
    dnssync_engine_edits(w.e, test_count, &n);

    tap_ok(w.now < WORLD_START + 4 * WORLD_SECOND
           && world_writes(&w.servers[0]) == 0 && n == 10,
           "who observes sees what would be done: %u edits", n);
    tap_ok(dnssync_engine_zone_status(w.e, 0, &status) == TORII_OK
           && status.pending == 10, "it is pending");

    world_run(&w, 5 * WORLD_HOUR, 0);
    tap_ok(world_writes(&w.servers[0]) == 0
           && w.servers[0].requests < 5 * 60 + 5, "and stays so: %u requests",
           w.servers[0].requests);

    world_end(&w);
}


static void
test_adopts(void)
{
    world_t          w;
    dnssync_adopt_t  adopt;

    memset(&adopt, 0, sizeof(dnssync_adopt_t));

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_record(&w, &w.servers[0].zones[0], "www.a.test", DNSSYNC_A,
                 "192.0.2.9");
    world_host(&w, "www.a.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_MINUTE, 0);

    tap_ok(world_right(&w) == 0 && world_told(&w, "unowned") == 1,
           "what is nobody's stays as it is");

    adopt.unowned = 1;
    tap_ok(dnssync_engine_adopt(w.e, w.now, torii_str("default/dns-0"), &adopt)
           == TORII_OK
           && dnssync_engine_adopt(w.e, w.now, torii_str("x"), &adopt)
              == TORII_DECLINED, "an account is asked to adopt it");
    world_run(&w, WORLD_MINUTE, 0);

    tap_ok(world_right(&w) == 1 && w.servers[0].edits[DNSSYNC_EDIT_ADOPT] == 1
           && world_told(&w, "unowned") == 0, "it is ours, and as it should "
           "be");

    world_end(&w);
}


static void
test_changes(void)
{
    world_t   w;
    uint32_t  before;

    world_start(&w);
    w.naccounts = 2;
    world_zone(&w, 0, "a.test");
    world_zone(&w, 1, "b.test");
    world_hosts(&w, 10, "a.test");
    world_hosts(&w, 10, "b.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, 2 * WORLD_MINUTE, 0);

    before = w.servers[0].requests;
    world_accounts(&w, &world_driver);
    world_run(&w, WORLD_SECOND, 0);
    tap_ok(w.servers[0].requests - before <= 1,
           "an account that is said again is the same");

    w.hash[0] = 2;
    world_accounts(&w, &world_driver);
    world_run(&w, WORLD_SECOND, 0);
    tap_ok(w.servers[0].kinds[DNSSYNC_OP_ZONES] == 2
           && w.servers[0].kinds[DNSSYNC_OP_LIST] == 2,
           "one with another secret proves what it knew");

    w.naccounts = 1;
    world_accounts(&w, &world_driver);
    before = w.servers[1].requests;
    world_run(&w, WORLD_HOUR, 0);
    tap_ok(w.servers[1].requests == before
           && w.servers[1].edits[DNSSYNC_EDIT_DELETE] == 0,
           "one that is gone leaves everything behind");
    tap_ok(world_told(&w, "no-zone") == 10, "its hosts have no zone");

    dnssync_engine_lead(w.e, w.now, 0, 0);
    before = w.servers[0].requests;
    world_hosts(&w, 10, "x.a.test");
    world_objects(&w);
    world_run(&w, WORLD_HOUR, 0);
    tap_ok(w.servers[0].requests == before, "who does not lead asks nothing");

    world_end(&w);
}


static void
test_reports(void)
{
    world_t               w;
    torii_str_t           text;
    torii_buf_t           json;
    torii_node_t         *doc;
    torii_arena_t        *a;
    torii_tree_error_t    error;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_record(&w, &w.servers[0].zones[0], "h00003.a.test", DNSSYNC_A,
                 "192.0.2.9");
    world_hosts(&w, 10, "a.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, WORLD_MINUTE, 1);

    memset(&json, 0, sizeof(torii_buf_t));
    dnssync_engine_report(w.e, w.now, 1, &json);

    text.data = json.data;
    text.len = json.len;
    a = torii_arena_create(4096);

    tap_ok(torii_tree_json(a, text, &torii_tree_limits, &doc, &error)
           == TORII_OK && torii_node_get(doc, "hosts")->n == 10
           && torii_node_get(doc, "zones")->n == 1
           && torii_node_get(doc, "findings")->n == 1,
           "the report is JSON");
    tap_ok(torii_str_eqs(torii_node_get(torii_node_get(doc, "hosts")->items[3],
                                        "state")->text, "refused")
           && torii_str_eqs(torii_node_get(
                                torii_node_get(doc, "hosts")->items[4],
                                "state")->text, "published"),
           "it tells of each host");

    torii_arena_destroy(a);
    torii_buf_free(&json);
    world_end(&w);
}


static void
test_saved(void)
{
    int               ok;
    size_t            i;
    world_t           w;
    torii_str_t       data;
    torii_buf_t      *b;

    world_start(&w);
    world_zone(&w, 0, "a.test");
    world_record(&w, &w.servers[0].zones[0], "txt.a.test", DNSSYNC_TXT,
                 "tab\there, 100% \xff\n");
    world_hosts(&w, 10, "a.test");
    world_boot(&w, &world_driver, 0);
    world_run(&w, 2 * WORLD_MINUTE, 0);

    tap_ok(w.nfiles == 2, "an account and a zone are saved");

    b = &w.files[0].data;
    ok = 1;

    for (i = 0; i < b->len; i++) {
        data.data = b->data;
        data.len = i;
        ok &= (dnssync_engine_load(w.e, torii_str("zone-1"), data)
               == TORII_DECLINED);

        data.len = b->len;
        b->data[i] ^= 4;
        ok &= (dnssync_engine_load(w.e, torii_str("zone-1"), data)
               == TORII_DECLINED);
        b->data[i] ^= 4;
    }

    tap_ok(ok, "what is cut off or damaged is not loaded");

    world_stop(&w);
    world_forget(&w.servers[0]);
    world_boot(&w, &world_driver, 1);
    world_run(&w, WORLD_MINUTE, 1);

    tap_ok(w.servers[0].kinds[DNSSYNC_OP_LIST] == 0
           && world_writes(&w.servers[0]) == 0, "what is whole is");

    world_end(&w);
}


int
main(void)
{
    test_blinds();
    test_adjusts();
    test_frozen();
    test_lookups();
    test_challenges();
    test_observes();
    test_adopts();
    test_changes();
    test_reports();
    test_saved();

    return tap_done();
}
