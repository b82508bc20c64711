
/*
 * How names are shown to be ours: standing records of dns-persist-01, and the
 * choice among challenges by what worked and what was seen.
 */

#include "acme_persist.h"
#include "acme_world.h"
#include "tap.h"


#define ACCOUNT  "https://ca.test/acct/1"
#define RECORD   "ca.test; accounturi=" ACCOUNT


/* The record itself */

static const struct {
    const char      *name;
    const char      *value;
    unsigned         wildcard;
    acme_persist_e   what;
} record_cases[] = {
    { "as it is told", RECORD, 0, ACME_PERSIST_OK },
    { "the CA's other name", "other.test; accounturi=" ACCOUNT, 0,
      ACME_PERSIST_OK },
    { "blanks", " ca.test ;accounturi = " ACCOUNT " ; ", 0, ACME_PERSIST_OK },
    { "no blanks", "ca.test;accounturi=" ACCOUNT ";policy=wildcard", 1,
      ACME_PERSIST_OK },
    { "letters of any case", "CA.Test.; AccountURI=" ACCOUNT "; POLICY="
      "Wildcard", 1, ACME_PERSIST_OK },
    { "what nobody knows", RECORD "; tag=value; x=", 0, ACME_PERSIST_OK },
    { "more than is needed", RECORD "; policy=wildcard", 0, ACME_PERSIST_OK },
    { "a policy nobody knows", RECORD "; policy=any", 0, ACME_PERSIST_OK },
    { "still for a second", RECORD "; persistUntil=1001", 0, ACME_PERSIST_OK },

    { "no more", RECORD "; persistUntil=1000", 0, ACME_PERSIST_EXPIRED },
    { "until never", RECORD "; persistUntil=soon", 0, ACME_PERSIST_EXPIRED },
    { "until nothing", RECORD "; persistuntil=", 0, ACME_PERSIST_EXPIRED },
    { "a wildcard without policy", RECORD, 1, ACME_PERSIST_WILDCARD },
    { "a wildcard with another", RECORD "; policy=any", 1,
      ACME_PERSIST_WILDCARD },
    { "another account", RECORD "1", 0, ACME_PERSIST_ACCOUNT },
    { "an account in capitals", "ca.test; accounturi=HTTPS://ca.test/acct/1",
      0, ACME_PERSIST_ACCOUNT },
    { "no account", "ca.test", 0, ACME_PERSIST_ACCOUNT },
    { "two accounts", RECORD "; accounturi=" ACCOUNT, 0, ACME_PERSIST_CA },
    { "two policies", RECORD "; policy=wildcard; policy=wildcard", 1,
      ACME_PERSIST_CA },
    { "no value", RECORD "; policy", 0, ACME_PERSIST_CA },
    { "another CA", "ca.example; accounturi=" ACCOUNT, 0, ACME_PERSIST_CA },
    { "a part of its name", "ca; accounturi=" ACCOUNT, 0, ACME_PERSIST_CA },
    { "both names", "ca.test other.test; accounturi=" ACCOUNT, 0,
      ACME_PERSIST_CA },
    { "nothing", "", 0, ACME_PERSIST_CA },
    { "no name", "; accounturi=" ACCOUNT, 0, ACME_PERSIST_CA },
    { "something else", "v=spf1 -all", 0, ACME_PERSIST_CA }
};


static void
test_record(void)
{
    unsigned         i;
    acme_persist_t   p;
    acme_persist_e   what;

    for (i = 0; i < sizeof(record_cases) / sizeof(record_cases[0]); i++) {
        p.domains = torii_str("ca.test other.test");
        p.account = torii_str(ACCOUNT);
        p.wildcard = record_cases[i].wildcard;
        p.now = 1000;

        what = acme_persist_judge(&p, torii_str(record_cases[i].value));

        tap_ok(what == record_cases[i].what, "record: %s: %s",
               record_cases[i].name, acme_persist_words(what));
    }
}


static void
world_end(world_t *w, const char *name)
{
    tap_ok(w->fault[0] == '\0', "%s: no fault of protocol%s%s", name,
           w->fault[0] ? ": " : "", w->fault);
    world_stop(w);
}


static int
says(world_t *w, const char *id, const char *text)
{
    acme_status_t  s;

    s = world_status(w, id);

    return s.error.len != 0
           && strstr((char *) s.error.data, text) != NULL;
}


/* Asked for: no order before the record is there. */

static void
test_asked(void)
{
    world_t         w;
    uint32_t        looks;
    acme_status_t   s;
    world_want_t   *want;

    world_start(&w);
    w.ca[0].persist = 1;
    w.ca[0].caa = "[\"ca.test\"]";
    want = world_add(&w, "demo/asked", "a.example *.a.example");
    want->types[0] = PERSIST;
    want->types[1] = 0;
    want->asked = 1;
    world_begin(&w);
    world_run(&w, w.now + 2 * SECOND);
    s = world_status(&w, "demo/asked");

    tap_ok(w.ca[0].asked == 0 && w.looks == 1 && s.state == ACME_STATE_WAITING
           && s.fail == ACME_FAIL_RECORD && s.failures == 0
           && says(&w, "demo/asked", "to be created: _validation-persist."
                   "a.example. TXT \"ca.test; accounturi=" WORLD_URL
                   "0/acct/1; policy=wildcard\" (it is not there)"),
           "a record that is not there is told: %.*s", torii_str_arg(s.error));
    tap_ok(s.next > w.now && s.next < w.now + 10 * SECOND,
           "it is looked for again in seconds");

    world_run(&w, w.now + DAY);
    looks = w.looks;
    tap_ok(looks > 100 && looks < 250 && w.ca[0].asked == 0
           && world_events(&w, "RecordMissing") == 1,
           "every ten minutes at last, without an order: %u times in a day",
           looks);

    w.records[0] = "_validation-persist.a.example ca.test; accounturi="
                   WORLD_URL "0/acct/1";
    world_run(&w, w.now + 15 * MINUTE);
    tap_ok(w.ca[0].asked == 0 && says(&w, "demo/asked", "lacks policy="
                                      "wildcard")
           && world_events(&w, "RecordMissing") == 2,
           "one that is not enough is told anew: %s", w.last_event);

    world_restart(&w);
    w.records[0] = "_validation-persist.a.example ca.test; accounturi="
                   WORLD_URL "0/acct/1; policy=wildcard";
    w.records[1] = "_validation-persist.a.example v=something; x=y";
    world_run(&w, w.now + 15 * MINUTE);
    s = world_status(&w, "demo/asked");
    tap_ok(w.ca[0].issued == 1 && w.ca[0].asked == 1
           && s.state == ACME_STATE_VALID && s.error.len == 0,
           "it goes on by itself, and no order was wasted");

    w.records[0] = NULL;
    w.look_error = "the name servers are silent";
    world_run(&w, w.now + 70 * DAY);
    s = world_status(&w, "demo/asked");
    tap_ok(w.ca[0].asked == 1 && s.fail == ACME_FAIL_RECORD
           && says(&w, "demo/asked", "(it cannot be looked up: the name "
                   "servers are silent)"),
           "a renewal waits, too: %.*s", torii_str_arg(s.error));
    world_end(&w, "asked");
}


/* The only way: the CA's first order tells whether it is one. */

static void
test_only(void)
{
    world_t         w;
    acme_status_t   s;
    world_want_t   *want;

    world_start(&w);
    want = world_add(&w, "demo/only", "*.b.example");
    want->types[0] = PERSIST;
    want->types[1] = 0;
    w.ca[0].caa = "[\"ca.test\"]";
    world_begin(&w);
    world_run(&w, w.now + MINUTE);
    s = world_status(&w, "demo/only");
    tap_ok(w.ca[0].asked == 1 && s.fail == ACME_FAIL_CONFIG && w.looks == 0
           && s.state == ACME_STATE_BLOCKED
           && says(&w, "demo/only", "dns-01"),
           "no record is asked for that the CA does not want: %.*s",
           torii_str_arg(s.error));
    world_end(&w, "not offered");

    world_start(&w);
    want = world_add(&w, "demo/only", "*.b.example");
    want->types[0] = PERSIST;
    want->types[1] = 0;
    w.ca[0].persist = 1;
    world_begin(&w);
    world_run(&w, w.now + HOUR);
    s = world_status(&w, "demo/only");
    tap_ok(w.ca[0].asked == 1 && s.fail == ACME_FAIL_RECORD && w.looks > 5
           && says(&w, "demo/only", "_validation-persist.b.example. TXT "
                   "\"ca.test; accounturi=" WORLD_URL "0/acct/1; "
                   "policy=wildcard\""),
           "one order tells the CA's name: %.*s", torii_str_arg(s.error));

    world_restart(&w);
    world_run(&w, w.now + HOUR);
    tap_ok(w.ca[0].asked == 1, "which is known after a restart");

    w.records[2] = "_validation-persist.b.example ca.test; accounturi="
                   WORLD_URL "0/acct/1; policy=wildcard";
    world_run(&w, w.now + 15 * MINUTE);
    tap_ok(w.ca[0].issued == 1 && w.ca[0].asked == 2, "then it is there");
    world_end(&w, "only");
}


/* One way of several. */

static void
test_first(void)
{
    world_t         w;
    acme_status_t   s;
    world_want_t   *want;

    world_start(&w);
    w.ca[0].persist = 1;
    want = world_add(&w, "demo/first", "a.example b.example");
    want->types[0] = PERSIST;
    want->types[1] = HTTP;
    want->types[2] = ALPN;
    w.records[0] = "_validation-persist.a.example ca.test; accounturi="
                   WORLD_URL "0/acct/1; persistUntil=1999999999";
    w.ca[0].failing = "a.example";      /* by anything else */
    w.ca[0].failing_type = HTTP;
    world_begin(&w);
    world_run(&w, w.now + MINUTE);
    tap_ok(w.ca[0].issued == 1 && w.looks == 1 && w.ca[0].asked == 1,
           "a record is used where it is, http-01 where it is not");
    world_end(&w, "first");

    world_start(&w);
    want = world_add(&w, "demo/first", "a.example");
    want->types[0] = PERSIST;
    want->types[1] = HTTP;
    want->types[2] = 0;
    world_begin(&w);
    world_run(&w, w.now + MINUTE);
    tap_ok(w.ca[0].issued == 1 && w.looks == 0,
           "nobody looks for records that the CA does not offer");
    world_end(&w, "unknown");

    /* the CA sees another record than we do */

    world_start(&w);
    w.ca[0].persist = 1;
    want = world_add(&w, "demo/first", "a.example");
    want->types[0] = PERSIST;
    want->types[1] = HTTP;
    want->types[2] = 0;
    w.records[0] = "_validation-persist.a.example other.test; accounturi="
                   WORLD_URL "0/acct/1";
    world_begin(&w);
    world_run(&w, w.now + 20 * SECOND);
    s = world_status(&w, "demo/first");
    tap_ok(s.fail == ACME_FAIL_VALIDATION
           && says(&w, "demo/first", "was not content with the TXT record "
                   "_validation-persist.a.example: it answered 404; http-01 "
                   "is next"),
           "a record that the CA refuses: %.*s", torii_str_arg(s.error));
    world_run(&w, w.now + 5 * MINUTE);
    tap_ok(w.ca[0].issued == 1 && w.ca[0].asked == 2, "something else is next");
    world_end(&w, "refused");
}


/* Which challenge is next: by what was seen of the last. */

static const struct {
    const char      *name;
    uint8_t          types[2];
    int              failing;
    uint32_t         visits;
    const char      *text;
    unsigned         orders;            /* until it is issued */
} choice_cases[] = {
    { "http-01, nobody came", { HTTP, ALPN }, HTTP, 0,
      "the CA was not content with http://a.example/.well-known/"
      "acme-challenge/: it answered 404; the gateway saw no request for it; "
      "tls-alpn-01 is next", 2 },
    { "tls-alpn-01, nobody came", { ALPN, HTTP }, ALPN, 0,
      "a.example:443 by tls-alpn-01: it answered 404; the gateway saw no "
      "handshake for it; http-01 is next", 2 },
    { "http-01, some came", { HTTP, ALPN }, HTTP, 3,
      "the gateway answered 3 requests from 2 addresses", 3 },
    { "http-01, one came", { HTTP, ALPN }, HTTP, 1,
      "the gateway answered 1 request from 1 address", 3 },
    { "http-01, many came", { HTTP, ALPN }, HTTP, 16,
      "the gateway answered 16 requests from 8 addresses or more", 3 },
    { "tls-alpn-01, some came", { ALPN, HTTP }, ALPN, 4,
      "the gateway answered 4 handshakes from 2 addresses", 3 }
};


static void
test_choice(void)
{
    world_t         w;
    unsigned        i;
    acme_status_t   s;
    world_want_t   *want;

    for (i = 0; i < sizeof(choice_cases) / sizeof(choice_cases[0]); i++) {
        world_start(&w);
        want = world_add(&w, "demo/choice", "a.example");
        want->types[0] = choice_cases[i].types[0];
        want->types[1] = choice_cases[i].types[1];
        w.ca[0].failing = "a.example";
        w.ca[0].failing_type = choice_cases[i].failing;
        w.visits[choice_cases[i].failing] = choice_cases[i].visits;
        world_begin(&w);
        world_run(&w, w.now + 20 * SECOND);
        s = world_status(&w, "demo/choice");

        tap_ok(s.fail == ACME_FAIL_VALIDATION
               && says(&w, "demo/choice", choice_cases[i].text),
               "%s: %.*s", choice_cases[i].name, torii_str_arg(s.error));

        world_run(&w, w.now + HOUR);
        tap_ok(w.ca[0].issued == 1
               && w.ca[0].asked == choice_cases[i].orders,
               "%s: %u orders", choice_cases[i].name, w.ca[0].asked);

        /* what worked is the first next time, after a restart, too */

        world_restart(&w);
        world_run(&w, w.now + 70 * DAY);
        tap_ok(w.ca[0].issued == 2
               && w.ca[0].asked == choice_cases[i].orders + 1,
               "%s: what worked is the first next time",
               choice_cases[i].name);
        world_end(&w, choice_cases[i].name);
    }
}


/* What worked for some names is the first for others. */

static void
test_lean(void)
{
    world_t    w;
    uint32_t   asked;

    world_start(&w);
    (void) world_add(&w, "demo/one", "one.example");
    w.ca[0].failing = "";
    w.ca[0].failing_type = HTTP;
    world_begin(&w);
    world_run(&w, w.now + HOUR);
    tap_ok(w.ca[0].issued == 1 && w.ca[0].asked == 2,
           "where http-01 does not get through");

    (void) world_add(&w, "demo/two", "two.example");
    world_restart(&w);
    world_run(&w, w.now + HOUR);
    tap_ok(w.ca[0].issued == 2 && w.ca[0].asked == 3,
           "tls-alpn-01 is the first for the next name");

    (void) world_add(&w, "demo/three", "three.example");
    w.wants[2].asked = 1;
    world_say(&w);
    world_run(&w, w.now + 30 * SECOND);
    asked = w.ca[0].asked;
    tap_ok(asked == 4 && says(&w, "demo/three", "http://three.example/"),
           "but not where the operator wants http-01");
    world_end(&w, "lean");

    /* one that is odd changes nothing for the others */

    world_start(&w);
    (void) world_add(&w, "demo/one", "one.example");
    (void) world_add(&w, "demo/two", "two.example");
    (void) world_add(&w, "demo/three", "three.example");
    world_begin(&w);
    world_run(&w, w.now + HOUR);
    w.ca[0].failing = "odd.example";
    w.ca[0].failing_type = HTTP;
    (void) world_add(&w, "demo/odd", "odd.example");
    world_say(&w);
    world_run(&w, w.now + HOUR);
    asked = w.ca[0].asked;
    w.ca[0].failing = "five.example";
    w.ca[0].failing_type = ALPN;
    (void) world_add(&w, "demo/five", "five.example");
    world_say(&w);
    world_run(&w, w.now + HOUR);
    tap_ok(w.ca[0].issued == 5 && w.ca[0].asked == asked + 1,
           "one odd name does not decide for all");
    world_end(&w, "odd");
}


static void
test_shared(void)
{
    world_t  w;

    world_start(&w);
    w.conf.shared = 1;
    (void) world_add(&w, "demo/shared", "a.example");
    w.ca[0].failing = "a.example";
    world_begin(&w);
    world_run(&w, w.now + 20 * SECOND);
    tap_ok(says(&w, "demo/shared", "this gateway saw no request for it, "
                "others may have"),
           "one gateway of many does not speak for all");
    world_end(&w, "shared");
}


int
main(void)
{
    test_record();
    test_asked();
    test_only();
    test_first();
    test_choice();
    test_lean();
    test_shared();

    return tap_done();
}
