
/*
 * Who refreshes a session, and when keys are fetched: decisions over time.
 */

#include "oauth2_keys.h"
#include "oauth2_refresh.h"
#include "tap.h"


#define TEST_NOW  1795000000
#define TEST_MS   ((uint64_t) TEST_NOW * 1000)

#define TEST_SET                                                              \
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"" \
    "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}"


static oauth2_session_t  test_s;
static oauth2_flight_t   test_f;
static uint8_t           test_id[16];


/* Issued at TEST_NOW, good for an hour. */

static void
test_setup(void)
{
    memset(&test_s, 0, sizeof(oauth2_session_t));
    memset(&test_f, 0, sizeof(oauth2_flight_t));

    test_s.created = TEST_NOW;
    test_s.expires = TEST_NOW + 43200;
    test_s.token_issued = TEST_NOW;
    test_s.token_expires = TEST_NOW + 3600;
    test_s.refresh_token = torii_str("rt-1");

    oauth2_refresh_id(&test_s, test_id);
}


static oauth2_refresh_e
test_decide(uint32_t owner, int needs, int waited, int64_t at)
{
    oauth2_refresh_t  conf;

    memset(&conf, 0, sizeof(oauth2_refresh_t));

    conf.owner = owner;
    conf.needs_token = needs;
    conf.waited = waited;
    conf.max_stale = 900000;

    return oauth2_refresh_decide(&test_s, &conf, &test_f, test_id,
                                 TEST_MS + at * 1000);
}


static void
test_due(void)
{
    unsigned  i;

    static const struct {
        int64_t   life;
        int64_t   at;
        int       due;
    } cases[] = {
        { 3600, 2879, 0 }, { 3600, 2880, 1 },      /* a fifth */
        { 300, 239, 0 }, { 300, 240, 1 },          /* a minute */
        { 60, 29, 0 }, { 60, 30, 1 },              /* a half */
        { 0, 100000, 0 }                           /* not said */
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_setup();
        test_s.token_expires = cases[i].life ? TEST_NOW + cases[i].life : 0;

        tap_ok(oauth2_refresh_due(&test_s, TEST_MS + cases[i].at * 1000)
               == cases[i].due, "a token of %lld s is %sdue after %lld",
               (long long) cases[i].life, cases[i].due ? "" : "not ",
               (long long) cases[i].at);
    }
}


/* 200 requests, two workers: one of them asks. */

static void
test_single(void)
{
    unsigned     i, begun, taken, went;
    torii_str_t  sealed;

    test_setup();

    begun = 0;
    went = 0;

    for (i = 0; i < 200; i++) {
        switch (test_decide(1 + i % 2, 0, 0, 3000)) {
        case OAUTH2_REFRESH_BEGIN:
            begun++;
            break;
        case OAUTH2_REFRESH_NO:
            went++;
            break;
        default:
            break;
        }
    }

    tap_ok(begun == 1 && went == 199, "ahead of time: one asks, all go on");

    sealed = torii_str("new cookie");
    tap_ok(oauth2_refresh_done(&test_f, test_id, 2, sealed, TEST_MS)
           == TORII_DECLINED, "the result of another is not taken");
    tap_ok(oauth2_refresh_done(&test_f, test_id, 1, sealed,
                               TEST_MS + 3001000) == TORII_OK,
           "the owner's is");

    taken = 0;

    for (i = 0; i < 200; i++) {
        taken += test_decide(2, 0, 0, 3002) == OAUTH2_REFRESH_TAKE;
    }

    tap_ok(taken == 200 && test_f.len == 10
           && memcmp(test_f.result, "new cookie", 10) == 0,
           "the others take it");
    tap_ok(test_decide(2, 0, 0, 3060) == OAUTH2_REFRESH_TAKE
           && test_decide(2, 0, 0, 3061) == OAUTH2_REFRESH_BEGIN,
           "for a minute");
}


static void
test_expired(void)
{
    test_setup();

    tap_ok(test_decide(1, 1, 0, 3601) == OAUTH2_REFRESH_BEGIN_WAIT,
           "expired, and the token is forwarded: ask and wait");
    tap_ok(test_decide(2, 1, 0, 3601) == OAUTH2_REFRESH_WAIT_OTHER,
           "others wait");
    tap_ok(test_decide(2, 0, 0, 3601) == OAUTH2_REFRESH_STALE,
           "but not those who need none");
    tap_ok(test_decide(2, 1, 1, 3606) == OAUTH2_REFRESH_STALE,
           "nor longer than they may");
    tap_ok(test_decide(2, 1, 0, 3617) == OAUTH2_REFRESH_BEGIN_WAIT
           && test_f.owner == 2, "an owner that is dead is followed");
    tap_ok(oauth2_refresh_done(&test_f, test_id, 1, torii_str("x"), TEST_MS)
           == TORII_DECLINED, "and comes too late");
}


static void
test_failing(void)
{
    unsigned  i;
    uint64_t  now;

    static const unsigned  waits[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };

    test_setup();
    now = TEST_MS + 3000 * 1000;

    for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        test_f.state = OAUTH2_FLIGHT_OWNED;
        test_f.owner = 1;
        memcpy(test_f.id, test_id, 16);

        (void) oauth2_refresh_failed(&test_f, test_id, 1, OAUTH2_PROVIDER_DOWN,
                                     7777777, now);

        tap_ok(test_f.next >= now + waits[i] * 1000
               && test_f.next < now + waits[i] * 1250,
               "after %u failures it waits for %u s", i + 1, waits[i]);
    }

    test_setup();
    (void) test_decide(1, 0, 0, 3601);
    (void) oauth2_refresh_failed(&test_f, test_id, 1, OAUTH2_PROVIDER_DOWN, 0,
                                 TEST_MS + 3601000);

    tap_ok(test_decide(2, 1, 0, 3601) == OAUTH2_REFRESH_STALE,
           "the provider is down: fail static");
    tap_ok(test_decide(2, 1, 0, 3602) == OAUTH2_REFRESH_BEGIN_WAIT,
           "it is tried again in time");

    (void) oauth2_refresh_failed(&test_f, test_id, 2, OAUTH2_PROVIDER_DOWN, 0,
                                 TEST_MS + 4499000);
    tap_ok(test_decide(1, 1, 0, 4499) == OAUTH2_REFRESH_STALE
           && test_decide(1, 1, 0, 4500) == OAUTH2_REFRESH_LOGIN,
           "but not for ever");

    test_setup();
    (void) test_decide(1, 0, 0, 3000);
    (void) oauth2_refresh_failed(&test_f, test_id, 1, OAUTH2_GRANT, 0,
                                 TEST_MS + 3000000);

    tap_ok(test_decide(1, 0, 0, 3590) == OAUTH2_REFRESH_SPENT
           && test_decide(1, 0, 0, 40000) == OAUTH2_REFRESH_SPENT,
           "refused: the session lives until its end");
    tap_ok(test_decide(1, 1, 0, 3590) == OAUTH2_REFRESH_SPENT
           && test_decide(1, 1, 0, 3600) == OAUTH2_REFRESH_LOGIN,
           "where the token is needed, until the token's");

    /* as its cookie says later, when the slot is somebody else's */

    memset(&test_f, 0, sizeof(oauth2_flight_t));
    test_s.refresh_dead = 1;

    tap_ok(test_decide(1, 0, 0, 40000) == OAUTH2_REFRESH_NO
           && test_decide(1, 1, 0, 3600) == OAUTH2_REFRESH_LOGIN
           && test_f.state == OAUTH2_FLIGHT_FREE,
           "marked: nobody is asked again");
}


static void
test_slots(void)
{
    uint8_t           other[16];
    oauth2_refresh_t  conf;

    test_setup();
    memset(&conf, 0, sizeof(oauth2_refresh_t));
    memset(other, 7, sizeof(other));
    conf.owner = 5;
    conf.max_stale = 900000;

    (void) test_decide(1, 0, 0, 3000);

    tap_ok(oauth2_refresh_decide(&test_s, &conf, &test_f, other,
                                 TEST_MS + 3000000) == OAUTH2_REFRESH_NO
           && test_f.owner == 1, "a slot that is in use is not taken over");
    tap_ok(oauth2_refresh_decide(&test_s, &conf, NULL, other,
                                 TEST_MS + 3000000) == OAUTH2_REFRESH_NO
           && oauth2_refresh_decide(&test_s, &conf, NULL, other,
                                    TEST_MS + 3700000) == OAUTH2_REFRESH_STALE,
           "without a slot nobody asks");
    tap_ok(oauth2_refresh_decide(&test_s, &conf, &test_f, other,
                                 TEST_MS + 3016000) == OAUTH2_REFRESH_BEGIN
           && test_f.owner == 5, "one that is free again is");

    test_s.refresh_token = torii_str("");
    tap_ok(oauth2_refresh_id(&test_s, other) == TORII_ERROR
           && test_decide(1, 0, 0, 3700) == OAUTH2_REFRESH_NO
           && test_decide(1, 1, 0, 3700) == OAUTH2_REFRESH_LOGIN,
           "without a refresh token");
}


static oauth2_keys_e
test_missing(oauth2_keys_t *k, const char *kid, int64_t at)
{
    return oauth2_keys_missing(k, torii_str(kid), TEST_NOW + at);
}


static void
test_keys(void)
{
    char            set[512];
    unsigned        i, fetched;
    const char     *error;
    torii_str_t     none;
    oauth2_keys_t  *k;

    none = torii_str("");
    k = oauth2_keys_create();

    tap_ok(oauth2_keys_get(k) == NULL
           && oauth2_keys_tick(k, TEST_NOW) == OAUTH2_KEYS_FETCH
           && oauth2_keys_tick(k, TEST_NOW) == OAUTH2_KEYS_PENDING
           && test_missing(k, "a", 0) == OAUTH2_KEYS_PENDING,
           "at first they are fetched, once");

    snprintf(set, sizeof(set), TEST_SET, "a");
    tap_ok(oauth2_keys_set(k, torii_str(set), none, TEST_NOW, &error)
           == TORII_OK && oauth2_keys_get(k)
           && oauth2_keys_tick(k, TEST_NOW + 3599) == OAUTH2_KEYS_USE
           && oauth2_keys_tick(k, TEST_NOW + 3600) == OAUTH2_KEYS_FETCH,
           "and again after an hour");

    (void) oauth2_keys_set(k, torii_str(set), torii_str("public, max-age=1"),
                           TEST_NOW, &error);
    tap_ok(oauth2_keys_tick(k, TEST_NOW + 299) == OAUTH2_KEYS_USE
           && oauth2_keys_tick(k, TEST_NOW + 300) == OAUTH2_KEYS_FETCH,
           "not sooner than after five minutes");

    (void) oauth2_keys_set(k, torii_str(set), torii_str("max-age=999999"),
                           TEST_NOW, &error);
    tap_ok(oauth2_keys_tick(k, TEST_NOW + 86399) == OAUTH2_KEYS_USE
           && oauth2_keys_tick(k, TEST_NOW + 86400) == OAUTH2_KEYS_FETCH,
           "not later than after a day");

    (void) oauth2_keys_set(k, torii_str(set), none, TEST_NOW, &error);
    tap_ok(test_missing(k, "a", 10) == OAUTH2_KEYS_USE
           && test_missing(k, "b", 10) == OAUTH2_KEYS_FETCH,
           "a kid that is unknown");

    tap_ok(oauth2_keys_set(k, torii_str("{\"keys\":[]}"), none, TEST_NOW + 11,
                           &error) == TORII_ERROR
           && test_missing(k, "a", 11) == OAUTH2_KEYS_USE,
           "an empty set does not replace the old one: %s", error);

    snprintf(set, sizeof(set), TEST_SET, "b");
    (void) oauth2_keys_set(k, torii_str(set), none, TEST_NOW + 12, &error);
    tap_ok(test_missing(k, "b", 12) == OAUTH2_KEYS_USE
           && test_missing(k, "a", 13) == OAUTH2_KEYS_NOT
           && test_missing(k, "a", 69) == OAUTH2_KEYS_NOT
           && test_missing(k, "a", 70) == OAUTH2_KEYS_FETCH,
           "another one not within a minute");
    oauth2_keys_failed(k, TEST_NOW + 71);

    /* a thousand a second, for ten minutes */

    fetched = 0;

    for (i = 0; i < 600000; i++) {
        snprintf(set, sizeof(set), "kid-%u", i);

        if (test_missing(k, set, 1000 + i / 1000) == OAUTH2_KEYS_FETCH) {
            oauth2_keys_failed(k, TEST_NOW + 1000 + i / 1000);
            fetched++;
        }
    }

    tap_ok(fetched == 10, "600,000 unknown kids are %u fetches", fetched);

    oauth2_keys_free(k);

    k = oauth2_keys_create();
    fetched = 0;

    for (i = 0; i < 600; i++) {
        if (oauth2_keys_tick(k, TEST_NOW + i) == OAUTH2_KEYS_FETCH) {
            oauth2_keys_failed(k, TEST_NOW + i);
            fetched++;
        }
    }

    tap_ok(fetched == 7, "ten minutes of failures are %u fetches", fetched);

    oauth2_keys_free(k);
}


int
main(void)
{
    test_due();
    test_single();
    test_expired();
    test_failing();
    test_slots();
    test_keys();

    return tap_done();
}
