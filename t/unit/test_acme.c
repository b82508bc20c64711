
/*
 * The scheduler, with time as a parameter: limits held through outages, one
 * order whatever crashes, adoption, renewal information, fallback, what blocks
 * and unblocks, state files of any kind, clocks that jump.
 */

#include <malloc.h>
#include <time.h>

#include "acme_world.h"
#include "tap.h"


#define GIVEN_LIFE  (90 * 86400)


static void
world_end(world_t *w, const char *name)
{
    tap_ok(w->fault[0] == '\0', "%s: no fault of protocol%s%s", name,
           w->fault[0] ? ": " : "", w->fault);
    world_stop(w);
}


static double
cpu(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


/* A certificate that is there already, for want names. */

static void
give(world_t *w, world_want_t *want, int64_t from, int64_t to)
{
    EVP_PKEY  *key;

    key = torii_key_generate(TORII_KEY_EC_P256);

    want->key.len = 0;
    (void) torii_key_write(key, 0, &want->key);
    world_sign(&w->ca[0], key, torii_str(want->names), from, to, &want->chain);

    EVP_PKEY_free(key);
}


static void
test_first(void)
{
    world_t        w;
    acme_status_t  s;

    world_start(&w);
    (void) world_add(&w, "demo/one", "one.example");
    world_begin(&w);
    world_run(&w, w.now + 10 * SECOND);

    s = world_status(&w, "demo/one");

    tap_ok(s.state == ACME_STATE_VALID && w.kept == 1 && w.ca[0].issued == 1,
           "a first certificate is there at once (%s)", w.last_event);
    tap_ok(world_events(&w, "Issuing") == 1 && world_events(&w, "Issued") == 1
           && w.shown == 0 && s.failures == 0 && s.serial.len != 0,
           "it is told, and the challenges are withdrawn");
    tap_ok(s.not_after - s.not_before == 90 * 86400
           && s.renewal > s.not_before + 90 * 86400 * 0.64
           && s.renewal < s.not_before + 90 * 86400 * 0.69,
           "it is renewed at two thirds of its life");

    world_run(&w, w.now + 55 * DAY);
    tap_ok(w.ca[0].asked == 1, "not earlier");

    world_run(&w, w.now + 20 * DAY);
    tap_ok(w.ca[0].issued == 2 && w.kept == 2 && w.ca[0].replaced == 1,
           "it is renewed, and the order says what it replaces");

    world_end(&w, "first");
}


/* When a renewal is due: settings, lives. */

typedef struct {
    const char  *name;
    int64_t      life;
    uint32_t     before;
    uint32_t     percent;
    double       least;         /* shares of its life */
    double       most;
} renewal_case_t;

static const renewal_case_t  renewal_cases[] = {
    { "90 days", 90 * 86400, 0, 0, 0.645, 0.688 },
    { "47 days", 47 * 86400, 0, 0, 0.645, 0.688 },
    { "160 hours", 160 * 3600, 0, 0, 0.479, 0.521 },
    { "1 hour", 3600, 0, 0, 0.479, 0.521 },
    { "renewBefore", 90 * 86400, 9 * 86400, 0, 0.8999, 0.9001 },
    { "renewBefore beyond its life", 160 * 3600, 30 * 86400, 0, 0.479, 0.521 },
    { "renewBeforePercentage", 100 * 86400, 0, 25, 0.7499, 0.7501 },
    { "both", 100 * 86400, 10 * 86400, 25, 0.8999, 0.9001 },
    { "a percentage beyond", 90 * 86400, 0, 100, 0.645, 0.688 }
};


static void
test_renewal(void)
{
    double                 share;
    size_t                 i;
    world_t                w;
    world_want_t          *want;
    acme_status_t          s;
    const renewal_case_t  *c;

    for (i = 0; i < sizeof(renewal_cases) / sizeof(renewal_cases[0]); i++) {
        c = &renewal_cases[i];

        world_start(&w);
        want = world_add(&w, "demo/r", "r.example");
        want->want.renew_before = c->before;
        want->want.renew_percent = c->percent;
        give(&w, want, (int64_t) w.now / 1000,
             (int64_t) w.now / 1000 + c->life);
        world_begin(&w);
        world_run(&w, w.now + SECOND);

        s = world_status(&w, "demo/r");
        share = (double) (s.renewal - s.not_before) / c->life;

        tap_ok(share >= c->least && share <= c->most && w.ca[0].asked == 0,
               "renewal of %s at %.4f of its life", c->name, share);

        world_stop(&w);
    }
}


/* Outages of a day with 500 certificates of 160 h. */

typedef struct {
    const char  *name;
    int          status;
    const char  *retry_after;
    const char  *refuse;
    uint32_t     requests;      /* at most, during the outage */
    uint32_t     orders;
} outage_case_t;

static const outage_case_t  outage_cases[] = {
    { "no answer", -1, NULL, NULL, 1500, 0 },
    { "500", 500, NULL, NULL, 1500, 0 },
    { "503 with Retry-After", 503, "3600", NULL, 400, 0 },
    { "429 with Retry-After", 0, "7200", "rateLimited", 2500, 15 },
    { "newOrder refused by 500", 0, NULL, "serverInternal", 1500, 1000 }
};


static void
test_outage(void)
{
    char                  id[32], names[500][32];
    size_t                i;
    uint32_t              n, before, asked, expired;
    world_t               w;
    world_want_t         *want;
    acme_status_t         s;
    const outage_case_t  *c;

    for (i = 0; i < sizeof(outage_cases) / sizeof(outage_cases[0]); i++) {
        c = &outage_cases[i];

        world_start(&w);
        w.ca[0].life = 160 * 3600;

        for (n = 0; n < 500; n++) {
            (void) snprintf(id, sizeof(id), "demo/n%u", n);
            (void) snprintf(names[n], sizeof(names[n]), "n%u.example", n);
            want = world_add(&w, id, names[n]);
            give(&w, want, (int64_t) w.now / 1000 - 76 * 3600,
                 (int64_t) w.now / 1000 + 84 * 3600);
        }

        w.ca[0].status = c->status;
        w.ca[0].retry_after = c->retry_after ? c->retry_after : "";
        w.ca[0].refuse = c->refuse;
        w.ca[0].refuse_status = strcmp(c->refuse ? c->refuse : "",
                                       "rateLimited") == 0 ? 429 : 500;
        w.ca[0].detail = "too many new orders (300) from this account";

        world_begin(&w);
        world_run(&w, w.now + DAY);

        before = w.ca[0].requests;
        asked = w.ca[0].asked;

        w.ca[0].status = 0;
        w.ca[0].refuse = NULL;
        world_run(&w, w.now + 60 * HOUR);

        for (n = 0, expired = 0; acme_status(w.acme, n, &s) == TORII_OK; n++) {
            expired += ((uint64_t) s.not_after * 1000 <= w.now);
        }

        printf("# %s for 24 h: %u requests, %u orders; then %u requests, %u "
               "orders, %u issued, %u refused by a limit, %u expired\n",
               c->name, before, asked, w.ca[0].requests - before,
               w.ca[0].asked - asked, w.ca[0].issued, w.ca[0].limited,
               expired);

        tap_ok(before <= c->requests && asked <= c->orders && w.ca[0].limited
               == 0, "%s for a day: few requests", c->name);
        tap_ok(expired == 0 && w.ca[0].issued >= 500 && w.most <= 16,
               "%s: all are renewed afterwards, %u at a time", c->name,
               w.most);

        world_stop(&w);
    }
}


/* The process ends before, or after, each step. */

static void
test_crash(void)
{
    int       half, dead;
    uint32_t  k, steps, orders, issued, kept, bad;
    world_t   w;

    for (half = 0; half < 2; half++) {
        bad = 0;
        steps = 0;

        for (k = 1; k < 200; k++) {
            world_start(&w);
            w.half = half;
            w.budget = k;
            (void) world_add(&w, "demo/crash", "crash.example *.crash.example");
            w.wants[0].types[0] = DNS;
            w.wants[0].solver = "zone";
            world_begin(&w);
            dead = world_run(&w, w.now + 20 * SECOND);

            if (dead) {
                w.budget = 0;
                world_restart(&w);
                world_run(&w, w.now + HOUR);
            }

            orders = w.ca[0].norders;
            issued = w.ca[0].issued;
            kept = w.kept;

            if (orders != 1 || issued != 1 || kept < 1 || kept > 2
                || world_status(&w, "demo/crash").state != ACME_STATE_VALID)
            {
                bad++;
                printf("# ended at step %u%s: %u orders, %u issued, %u kept, "
                       "%s\n", k, half ? "½" : "", orders, issued, kept,
                       w.last_event);
            }

            steps = k;
            world_stop(&w);

            if (!dead) {
                break;
            }
        }

        tap_ok(bad == 0 && steps > 20, "a process that ends %s any of %u steps "
               "makes one order and one certificate",
               half ? "in the middle of" : "before", steps);
    }

    /* and one that ends over and over */

    world_start(&w);
    (void) world_add(&w, "demo/loop", "loop.example");
    w.dies = 1;
    w.ca[0].forgetful = 1;
    world_begin(&w);

    for (k = 0; k < 500; k++) {
        (void) world_run(&w, w.now + 2 * SECOND);
        w.now += 100;
        world_restart(&w);
    }

    tap_ok(w.ca[0].asked >= 2 && w.ca[0].asked <= 4,
           "one that ends whenever an order was asked for, and starts at once: "
           "%u orders in %u s", w.ca[0].asked,
           (unsigned) ((w.now - WORLD_NOW) / 1000));
    world_end(&w, "crash");
}


static void
test_adopt(void)
{
    char          id[32], *names;
    double        t0, t1, t2, t3;
    uint32_t      n, valid, events;
    world_t       w;
    torii_buf_t   chain, key;
    EVP_PKEY     *pkey;
    acme_status_t  s;

    memset(&chain, 0, sizeof(chain));
    memset(&key, 0, sizeof(key));

    world_start(&w);

    pkey = torii_key_generate(TORII_KEY_EC_P256);
    (void) torii_key_write(pkey, 0, &key);
    world_sign(&w.ca[0], pkey, torii_str("*.adopt.example"),
               (int64_t) w.now / 1000 - 86400,
               (int64_t) w.now / 1000 + GIVEN_LIFE, &chain);
    EVP_PKEY_free(pkey);

    names = malloc(10000 * 32);

    for (n = 0; n < 10000; n++) {
        (void) snprintf(id, sizeof(id), "demo/n%05u", n);
        (void) snprintf(names + n * 32, 32, "n%u.adopt.example", n);
        (void) world_add(&w, id, names + n * 32);
        w.wants[n].given_chain = world_str(&chain);
        w.wants[n].given_key = world_str(&key);
    }

    t0 = cpu();
    world_begin(&w);
    t1 = cpu();
    world_run(&w, w.now + MINUTE);
    t2 = cpu();
    world_say(&w);
    t3 = cpu();

    for (n = 0, valid = 0; acme_status(w.acme, n, &s) == TORII_OK; n++) {
        valid += (s.state == ACME_STATE_VALID);
    }

    events = world_events(&w, "Adopted");

    printf("# 10,000 wants: the first acme_end %.0f ms, reading and saving "
           "%.0f ms, the next acme_end %.0f ms\n", (t1 - t0) * 1e3,
           (t2 - t1) * 1e3, (t3 - t2) * 1e3);

    tap_ok(n == 10000 && valid == 10000 && w.ca[0].asked == 0
           && events == 10000, "10,000 certificates are adopted without an "
           "order");

    t0 = cpu();
    world_run(&w, w.now + 6 * HOUR);
    t1 = cpu();

    printf("# 10,000 idle certificates for 6 h: %.0f ms, %u polls of renewal "
           "information\n", (t1 - t0) * 1e3, w.ca[0].polls);

    tap_ok(w.ca[0].polls >= 9000 && w.ca[0].polls <= 11000
           && w.ca[0].asked == 0, "and asked about, spread over six hours");

    world_restart(&w);
    world_run(&w, w.now + MINUTE);

    tap_ok(world_events(&w, "Adopted") == events && w.ca[0].asked == 0,
           "they are told once, also after a restart");

    free(names);
    torii_buf_free(&chain);
    torii_buf_free(&key);
    world_stop(&w);
}


/* Renewal information. */

static char  window_text[256];

static const char *
window(int64_t start, int64_t end)
{
    torii_buf_t  b = { NULL, 0, 0 };

    torii_buf_adds(&b, "{\"suggestedWindow\":{\"start\":\"");
    acme_date_rfc3339_add(&b, start);
    torii_buf_adds(&b, "\",\"end\":\"");
    acme_date_rfc3339_add(&b, end);
    torii_buf_adds(&b, "\"}}");
    (void) snprintf(window_text, sizeof(window_text), "%.*s", (int) b.len,
                    b.data);
    torii_buf_free(&b);

    return window_text;
}


static void
test_window(void)
{
    int64_t        t, first;
    size_t         i;
    world_t        w;
    acme_status_t  s;

    static const char *const  garbage[] = {
        "", "{}", "[]", "{\"suggestedWindow\":{}}", "\"x\"", "{\"suggested",
        "{\"suggestedWindow\":{\"start\":1,\"end\":2}}",
        ("{\"suggestedWindow\":{\"start\":\"2026-12-02T00:00:00Z\","
         "\"end\":\"2026-12-01T00:00:00Z\"}}"),
        "{\"suggestedWindow\":{\"start\":\"soon\",\"end\":\"later\"}}"
    };

    world_start(&w);
    t = (int64_t) w.now / 1000;
    (void) world_add(&w, "demo/ari", "ari.example");
    w.ca[0].window = window(t + 20 * 86400, t + 22 * 86400);
    world_begin(&w);
    world_run(&w, w.now + MINUTE);

    s = world_status(&w, "demo/ari");
    first = s.renewal;

    tap_ok(first >= t + 20 * 86400 && first < t + 22 * 86400,
           "an instant of the CA's window");

    world_run(&w, w.now + 2 * DAY);
    world_restart(&w);
    world_run(&w, w.now + DAY);
    s = world_status(&w, "demo/ari");

    tap_ok(s.renewal == first && w.ca[0].polls > 5,
           "is kept while the window is the same, across %u polls and a "
           "restart", w.ca[0].polls);

    w.ca[0].window = window(t + 30 * 86400, t + 31 * 86400);
    world_run(&w, w.now + 7 * HOUR);
    s = world_status(&w, "demo/ari");

    tap_ok(s.renewal >= t + 30 * 86400 && s.renewal < t + 31 * 86400
           && world_events(&w, "WindowMoved") == 1, "a window that moved");

    w.ca[0].window = window(t + 300 * 86400, t + 301 * 86400);
    world_run(&w, w.now + 7 * HOUR);
    s = world_status(&w, "demo/ari");

    tap_ok(s.renewal == s.not_after - 9 * 86400,
           "a window behind its end: a tenth of its life is left");

    w.ca[0].window = window(t + 1, t + 2);
    world_run(&w, w.now + 7 * HOUR);

    tap_ok(w.ca[0].issued == 2 && w.ca[0].replaced == 1,
           "a window that is over: renewed now");

    world_run(&w, w.now + 3 * DAY);
    printf("# a CA that always wants it renewed now: %u orders in 3 days\n",
           w.ca[0].asked);

    tap_ok(w.ca[0].asked <= 5, "but not without end: %u orders",
           w.ca[0].asked);

    world_end(&w, "window");

    for (i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        world_start(&w);
        (void) world_add(&w, "demo/ari", "ari.example");
        w.ca[0].window = garbage[i];
        world_begin(&w);
        world_run(&w, w.now + DAY);
        s = world_status(&w, "demo/ari");

        tap_ok(w.ca[0].asked == 1 && s.renewal > s.not_before + 55 * 86400
               && w.ca[0].polls <= 5, "no window: %s", garbage[i]);
        world_stop(&w);
    }
}


static void
test_fallback(void)
{
    world_t        w;
    world_want_t  *want;

    world_start(&w);
    (void) world_issuer(&w, "ClusterIssuer/other", ACME_ISSUER_ACME);
    want = world_add(&w, "demo/two", "two.example");
    want->issuers = "ClusterIssuer/le ClusterIssuer/other";
    w.ca[0].status = 500;
    w.ca[0].retry_after = "";
    world_begin(&w);
    world_run(&w, w.now + 12 * HOUR);

    tap_ok(w.ca[1].issued == 1 && w.ca[0].issued == 0
           && world_status(&w, "demo/two").state == ACME_STATE_VALID,
           "after three failures another issuer is asked");

    w.ca[0].status = 0;
    world_run(&w, w.now + 75 * DAY);

    tap_ok(w.ca[0].issued == 1 && w.ca[1].issued == 1,
           "the renewal is the first one's again");
    world_stop(&w);

    /* an account of no use is no reason to wait */

    world_start(&w);
    (void) world_issuer(&w, "ClusterIssuer/other", ACME_ISSUER_ACME);
    want = world_add(&w, "demo/two", "two.example");
    want->issuers = "ClusterIssuer/le ClusterIssuer/other";
    w.ca[0].refuse = "userActionRequired";
    w.ca[0].refuse_status = 403;
    w.ca[0].detail = "new terms";
    world_begin(&w);
    world_run(&w, w.now + MINUTE);

    tap_ok(w.ca[1].issued == 1 && w.ca[0].asked == 1,
           "nor is one whose account needs somebody waited for");
    world_stop(&w);
}


static void
test_block(void)
{
    uint32_t        asked;
    world_t         w;
    world_want_t   *want;
    acme_status_t   s;

    world_start(&w);
    (void) world_add(&w, "demo/a", "a.example");
    (void) world_add(&w, "demo/b", "b.example");
    w.ca[0].refuse = "userActionRequired";
    w.ca[0].refuse_status = 403;
    w.ca[0].detail = "new terms";
    world_begin(&w);
    world_run(&w, w.now + 10 * DAY);
    asked = w.ca[0].asked;

    tap_ok(asked <= 2
           && world_status(&w, "demo/a").state == ACME_STATE_BLOCKED
           && world_status(&w, "demo/b").state == ACME_STATE_BLOCKED,
           "terms that somebody must agree to: blocked, %u orders", asked);

    world_restart(&w);
    world_run(&w, w.now + DAY);
    tap_ok(w.ca[0].asked == asked, "across restarts");

    w.ca[0].refuse = NULL;
    w.issuers[0].email = torii_str("a@b.example");
    world_say(&w);
    world_run(&w, w.now + MINUTE);

    tap_ok(w.ca[0].issued == 2
           && world_status(&w, "demo/a").state == ACME_STATE_VALID,
           "until its issuer is changed");
    world_end(&w, "blocked");

    /* what needs no CA to be known */

    world_start(&w);
    (void) world_add(&w, "demo/wild", "*.example.org");
    want = world_add(&w, "demo/none", "x.example");
    want->issuers = "Issuer/demo/none";
    (void) world_add(&w, "demo/bad", "no_such..name");
    want = world_add(&w, "demo/ip", "192.0.2.1");
    want->types[0] = DNS;
    want->types[1] = 0;
    world_begin(&w);
    world_run(&w, w.now + DAY);
    s = world_status(&w, "demo/wild");

    tap_ok(s.state == ACME_STATE_BLOCKED && s.error.len != 0
           && world_events(&w, "BadConfig") == 4 && w.ca[0].asked == 0,
           "bad configuration is told without asking a CA: %.*s",
           torii_str_arg(s.error));

    w.wants[0].types[0] = DNS;
    w.wants[1].issuers = "ClusterIssuer/le";
    w.wants[2].names = "good.example";
    w.wants[3].types[0] = HTTP;
    world_say(&w);
    world_run(&w, w.now + MINUTE);

    tap_ok(w.ca[0].issued == 4, "and mended by its change: %u issued",
           w.ca[0].issued);
    world_end(&w, "bad configuration");
}


static void
test_files(void)
{
    size_t       i, len;
    uint32_t     bad, k;
    world_t      w;
    torii_buf_t  whole = { NULL, 0, 0 };
    torii_str_t  name;

    static const char *const  files[] = {
        "", "{", "[]", "null", "{\"id\":1}", "{\"id\":\"\"}",
        "{\"version\":1,\"id\":\"demo/x\",\"fails\":-1,\"retry\":1e300}",
        ("{\"version\":1,\"id\":\"demo/x\",\"history\":[1,\"a\",{},[]],"
         "\"turns\":{},\"order\":[],\"ari\":7}"),
        ("{\"version\":1,\"id\":\"demo/x\",\"retry\":9223372036854775807,"
         "\"fails\":4294967295,\"turn\":4294967295,\"fail\":99,"
         "\"blocked\":\"zzzzzzzzzzzzzzzz\",\"pending\":1}"),
        "\xff\xfe{}"
    };

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        world_start(&w);
        (void) world_add(&w, "demo/x", "x.example");
        world_keep_file(&w, torii_str("certs/demo/x.json"),
                        torii_str(files[i]));
        world_begin(&w);
        world_run(&w, w.now + 10 * DAY);

        tap_ok(w.ca[0].issued == 1, "a file of state \"%s\"", files[i]);
        world_stop(&w);
    }

    /* cut anywhere */

    world_start(&w);
    w.budget = 12;
    (void) world_add(&w, "demo/x", "x.example");
    world_begin(&w);
    (void) world_run(&w, w.now + MINUTE);

    name = torii_str("certs/demo/x.json");

    for (k = 0; k < w.nfiles && !torii_str_eqs(name, w.files[k].name); k++) {
        /* void */
    }

    tap_ok(k < w.nfiles && w.files[k].data.len > 500, "a file under way");
    torii_buf_add_str(&whole, world_str(&w.files[k].data));
    world_stop(&w);

    bad = 0;

    for (len = 0; len < whole.len; len += 37) {
        world_start(&w);
        (void) world_add(&w, "demo/x", "x.example");
        w.conf.seed = 1;
        w.acme = acme_create(&w.conf, w.now);
        acme_load(w.acme, name, (torii_str_t) { len, whole.data });
        world_say(&w);
        world_run(&w, w.now + 10 * SECOND);
        bad += (w.ca[0].issued != 1 || world_events(&w, "Failed") != 1);
        world_stop(&w);
    }

    tap_ok(bad == 0, "cut at any length it is told, and as if absent");
    torii_buf_free(&whole);
}


static void
test_clock(void)
{
    size_t        i;
    uint32_t      asked;
    world_t       w;

    static const int64_t  jumps[] = { 86400000, -86400000 };

    for (i = 0; i < 2; i++) {

        /* while it is valid */

        world_start(&w);
        (void) world_add(&w, "demo/c", "c.example");
        world_begin(&w);
        world_run(&w, w.now + HOUR);
        w.now += jumps[i];
        world_run(&w, w.now + HOUR);
        world_restart(&w);
        world_run(&w, w.now + HOUR);

        tap_ok(w.ca[0].asked == 1
               && world_status(&w, "demo/c").state == ACME_STATE_VALID,
               "a clock set by %d h orders nothing", i ? -24 : 24);
        world_stop(&w);

        /* while an order is under way */

        world_start(&w);
        (void) world_add(&w, "demo/c", "c.example");
        w.budget = 12;
        world_begin(&w);
        (void) world_run(&w, w.now + MINUTE);
        w.budget = 0;
        w.now += jumps[i];
        world_run(&w, w.now + 10 * MINUTE);

        tap_ok(w.ca[0].norders == 1 && w.ca[0].issued == 1,
               "and one under way goes on: %s", w.last_event);
        world_stop(&w);

        /* while it waits after failures */

        world_start(&w);
        (void) world_add(&w, "demo/c", "c.example");
        w.ca[0].failing = "c.example";
        world_begin(&w);
        world_run(&w, w.now + 30 * MINUTE);
        asked = w.ca[0].asked;
        w.now += jumps[i];
        world_run(&w, w.now + 5 * MINUTE);
        tap_ok(asked == w.ca[0].asked, "a wait is not cut short");
        world_run(&w, w.now + 3 * HOUR);
        tap_ok(w.ca[0].asked == asked + 1, "nor made longer");
        world_stop(&w);
    }

    world_start(&w);
    (void) world_add(&w, "demo/c", "c.example");
    w.now = 86400000;
    world_begin(&w);
    world_run(&w, w.now + HOUR);
    tap_ok(w.ca[0].asked == 0 && world_events(&w, "ClockSkew") == 1,
           "before 2026 nothing is asked");
    w.now = WORLD_NOW;
    world_run(&w, w.now + MINUTE);
    tap_ok(w.ca[0].issued == 1, "until the clock is right");
    world_stop(&w);
}


/* A certificate that its owner loses each time. */

static void
test_cap(void)
{
    int       restart;
    uint32_t  k;
    world_t   w;

    for (restart = 0; restart < 2; restart++) {
        world_start(&w);
        (void) world_add(&w, "demo/cap", "cap.example");
        world_begin(&w);

        for (k = 0; k < 20; k++) {
            world_run(&w, w.now + 2 * HOUR);
            w.wants[0].chain.len = 0;
            w.wants[0].key.len = 0;

            if (restart) {
                world_restart(&w);

            } else {
                world_say(&w);
            }
        }

        tap_ok(w.ca[0].issued == 4, "a set of names is issued 4 times in a "
               "week, however often it is lost%s: %u",
               restart ? ", also across restarts" : "", w.ca[0].issued);

        world_run(&w, w.now + 6 * DAY);
        tap_ok(w.ca[0].issued == 5 && w.ca[0].limited == 0,
               "then again: %u", w.ca[0].issued);
        world_end(&w, "cap");
    }
}


static void
test_names(void)
{
    world_t         w;
    world_want_t   *want;
    acme_status_t   s;

    world_start(&w);
    want = world_add(&w, "demo/two", "good.example bad1.example bad2.example");
    w.ca[0].failing = "bad";
    w.ca[0].failing_type = HTTP;
    world_begin(&w);
    world_run(&w, w.now + 10 * SECOND);
    s = world_status(&w, "demo/two");

    tap_ok(s.state == ACME_STATE_FAILING && s.fail == ACME_FAIL_VALIDATION
           && strstr((char *) s.error.data, "bad1.example") != NULL
           && strstr((char *) s.error.data, "bad2.example") != NULL,
           "two names of one certificate that fail: %.*s",
           torii_str_arg(s.error));

    world_run(&w, w.now + 5 * MINUTE);
    tap_ok(w.ca[0].issued == 1, "the next order tries other challenges");

    (void) want;
    world_end(&w, "names");

    world_start(&w);
    (void) world_add(&w, "demo/bad", "bad.example");
    w.ca[0].failing = "bad";
    world_begin(&w);
    world_run(&w, w.now + 30 * DAY);
    printf("# a name that always fails: %u orders in 30 days\n",
           w.ca[0].asked);
    tap_ok(w.ca[0].asked <= 34 && w.ca[0].asked >= 25 && w.ca[0].limited == 0,
           "one that never works is tried daily");
    world_end(&w, "bad name");

    world_start(&w);
    (void) world_add(&w, "demo/dns", "*.zone.example");
    w.wants[0].types[0] = DNS;
    w.wants[0].solver = "zone";
    w.present_fails = 1;
    world_begin(&w);
    world_run(&w, w.now + 30 * MINUTE);
    s = world_status(&w, "demo/dns");

    tap_ok(s.state == ACME_STATE_FAILING && w.shown == 0
           && w.ca[0].norders == 1
           && strstr((char *) s.error.data, "the zone is not ours") != NULL,
           "a challenge that cannot be shown: %.*s", torii_str_arg(s.error));

    w.present_fails = 0;
    world_run(&w, w.now + 3 * HOUR);
    tap_ok(w.ca[0].norders == 1 && w.ca[0].issued == 1,
           "the same order goes on when it can");
    world_end(&w, "present");
}


static void
test_disk(void)
{
    world_t  w;

    world_start(&w);
    w.disk_full = 1;
    (void) world_add(&w, "demo/d", "d.example");
    world_begin(&w);
    world_run(&w, w.now + HOUR);

    tap_ok(w.ca[0].asked == 0 && world_events(&w, "Failed") == 1,
           "no order without a state: %s", w.last_event);

    w.disk_full = 0;
    world_run(&w, w.now + 10 * MINUTE);
    tap_ok(w.ca[0].issued == 1, "as soon as there is room");
    world_end(&w, "disk");

    world_start(&w);
    (void) world_add(&w, "demo/d", "d.example");
    w.full_then = 1;
    world_begin(&w);
    world_run(&w, w.now + 2 * HOUR);
    tap_ok(w.kept == 0 && w.ca[0].norders == 1, "full in between");
    w.disk_full = 0;
    world_run(&w, w.now + 10 * MINUTE);
    tap_ok(w.kept == 1 && w.ca[0].norders == 1 && w.ca[0].issued == 1,
           "the certificate is not lost");
    world_stop(&w);
}


/* 300 certificates are overdue when a machine starts. */

static void
test_start(void)
{
    char           id[32], names[300][32];
    uint32_t       n, half;
    world_t        w;
    world_want_t  *want;

    world_start(&w);

    for (n = 0; n < 300; n++) {
        (void) snprintf(id, sizeof(id), "demo/n%u", n);
        (void) snprintf(names[n], sizeof(names[n]), "n%u.example", n);
        want = world_add(&w, id, names[n]);
        give(&w, want, (int64_t) w.now / 1000 - 80 * 86400,
             (int64_t) w.now / 1000 + 10 * 86400);
    }

    (void) world_add(&w, "demo/new", "new.example");

    world_begin(&w);
    world_run(&w, w.now + 4 * SECOND);
    tap_ok(w.wants[300].chain.len != 0 && w.ca[0].asked < 20,
           "after a start a first certificate is at once, renewals are not: "
           "%u orders", w.ca[0].asked);

    world_run(&w, w.now + MINUTE);
    half = w.ca[0].asked;
    world_run(&w, w.now + HOUR);
    tap_ok(half > 90 && half < 150 && w.ca[0].issued == 301,
           "a hundred in the first minute, the others within an hour: %u, %u",
           half, w.ca[0].issued);
    world_end(&w, "start");
}


static void
test_priority(void)
{
    char           id[32], names[10][32];
    uint32_t       n;
    world_t        w;
    world_want_t  *want;

    world_start(&w);
    w.conf.orders = 1;

    for (n = 0; n < 10; n++) {
        (void) snprintf(id, sizeof(id), "demo/n%u", n);
        (void) snprintf(names[n], sizeof(names[n]), "n%u.example", n);
        want = world_add(&w, id, names[n]);
        want->want.in_use = (n == 7);

        if (n == 3 || n == 4) {
            give(&w, want, (int64_t) w.now / 1000 - 80 * 86400,
                 (int64_t) w.now / 1000 + (n == 3 ? 20 : 1) * 86400);
        }
    }

    w.conf.eager = 1;
    world_begin(&w);
    world_run(&w, w.now + MINUTE);

    tap_ok(w.ca[0].issued == 10 && w.most == 1
           && strcmp(w.ca[0].orders[0].names[0], "n7.example") == 0
           && strcmp(w.ca[0].orders[1].names[0], "n4.example") == 0
           && strcmp(w.ca[0].orders[2].names[0], "n3.example") == 0,
           "what is in use and missing first, then what expires, then what is "
           "due, then new names: %s, %s, %s", w.ca[0].orders[0].names[0],
           w.ca[0].orders[1].names[0], w.ca[0].orders[2].names[0]);
    world_end(&w, "priority");
}


static void
test_many(void)
{
    char      id[32], *names;
    size_t    before, after;
    uint32_t  n;
    world_t   w;

    world_start(&w);
    w.ca[0].life = 400 * 86400;
    names = malloc(1000 * 32);

    for (n = 0; n < 1000; n++) {
        (void) snprintf(id, sizeof(id), "demo/n%u", n);
        (void) snprintf(names + n * 32, 32, "n%u.example", n);
        (void) world_add(&w, id, names + n * 32);
    }

    world_begin(&w);
    world_run(&w, w.now + 10 * MINUTE);
    printf("# 1,000 new names: %u issued in 10 minutes, %u at a time\n",
           w.ca[0].issued, w.most);
    tap_ok(w.ca[0].issued >= 250 && w.ca[0].issued <= 280 && w.most == 16,
           "250 orders at once, 16 at a time");

    before = mallinfo2().uordblks;
    world_run(&w, w.now + 9 * HOUR);
    after = mallinfo2().uordblks;

    tap_ok(w.ca[0].issued == 1000 && w.ca[0].limited == 0 && w.shown == 0,
           "then as the CA allows: %u, %u refused", w.ca[0].issued,
           w.ca[0].limited);
    printf("# memory of test and engine for 740 more certificates: %zu KB\n",
           (after - before) / 1024);
    tap_ok(before == 0 || after < before + 740 * 16384,
           "memory is that of what is kept");

    world_run(&w, w.now + 30 * DAY);
    tap_ok(w.ca[0].issued == 1000, "and nothing for a month");

    free(names);
    world_end(&w, "many");
}


/* Limits by their words. */

typedef struct {
    const char  *detail;
    uint32_t     others;        /* of 3 others, issued meanwhile */
    int          blocked;
} limit_case_t;

static const limit_case_t  limit_cases[] = {
    { "too many new orders (300) from this account in the last 3h", 0, 0 },
    { "Service busy; retry later.", 0, 0 },
    { "too many certificates (50) already issued for \"one.example\" in the "
      "last 168h0m0s, retry after", 2, 0 },
    { "too many certificates (5) already issued for this exact set of "
      "identifiers in the last 168h", 3, 0 },
    { "too many failed authorizations (5) for \"a.one.example\" in the last "
      "1h", 3, 0 },
    { "Your account is temporarily prevented from requesting certificates for "
      "a.one.example and possibly others. Please visit: https://x", 3, 1 }
};


static void
test_limit(void)
{
    size_t               i;
    world_t              w;
    acme_status_t        s;
    const limit_case_t  *c;

    for (i = 0; i < sizeof(limit_cases) / sizeof(limit_cases[0]); i++) {
        c = &limit_cases[i];

        world_start(&w);
        (void) world_add(&w, "demo/a", "a.one.example");
        w.ca[0].refuse = "rateLimited";
        w.ca[0].refuse_status = 429;
        w.ca[0].detail = c->detail;
        w.ca[0].retry_after = "7200";
        world_begin(&w);
        world_run(&w, w.now + SECOND);

        w.ca[0].refuse = NULL;
        (void) world_add(&w, "demo/b", "b.one.example");
        (void) world_add(&w, "demo/c", "two.example");
        (void) world_add(&w, "demo/d", "notone.example");
        world_say(&w);
        world_run(&w, w.now + HOUR);
        s = world_status(&w, "demo/a");

        tap_ok(w.ca[0].issued == c->others
               && (s.state == ACME_STATE_BLOCKED) == c->blocked
               && world_events(&w, "RateLimited") == 1
               && s.fail == ACME_FAIL_LIMIT,
               "\"%.40s…\": %u of 3 others go on", c->detail,
               w.ca[0].issued);

        world_run(&w, w.now + 2 * HOUR);
        tap_ok(w.ca[0].issued == 4 - (uint32_t) c->blocked,
               "all of them afterwards");
        world_run(&w, w.now + DAY);
        tap_ok(w.ca[0].issued == 4, "at the latest the next day");
        world_stop(&w);
    }
}


static void
test_local(void)
{
    char           key[2048];
    world_t        w;
    world_want_t  *want;
    torii_buf_t    pem = { NULL, 0, 0 };
    acme_status_t  s;

    world_start(&w);
    (void) world_issuer(&w, "Issuer/demo/self", ACME_ISSUER_SELF_SIGNED);
    (void) world_issuer(&w, "Issuer/demo/ca", ACME_ISSUER_CA);

    (void) torii_key_write(w.ca[1].key, 0, &pem);
    (void) snprintf(key, sizeof(key), "%.*s", (int) pem.len, pem.data);
    w.issuers[2].ca_key = torii_str(key);
    w.issuers[2].ca_chain = w.ca[1].chain;

    want = world_add(&w, "demo/self", "self.example 192.0.2.1");
    want->issuers = "Issuer/demo/self";
    want->want.duration = 10 * 3600;
    want = world_add(&w, "demo/ca", "*.ca.example");
    want->issuers = "Issuer/demo/ca";

    world_begin(&w);
    world_run(&w, w.now + SECOND);
    s = world_status(&w, "demo/self");

    tap_ok(w.kept == 2 && s.state == ACME_STATE_VALID
           && s.not_after - s.not_before == 36000 && w.ca[0].requests == 0,
           "local issuers need no CA: %s", w.last_event);
    s = world_status(&w, "demo/ca");
    tap_ok(s.state == ACME_STATE_VALID
           && s.not_after - s.not_before == 90 * 86400, "90 days by default");

    world_run(&w, w.now + 6 * HOUR);
    tap_ok(w.kept == 3, "and renew in the same way");

    w.issuers[2].ca_key = torii_str("no key");
    world_say(&w);
    world_run(&w, w.now + 70 * DAY);
    s = world_status(&w, "demo/ca");
    tap_ok(s.state == ACME_STATE_BLOCKED && s.serial.len != 0,
           "a CA without a key: %.*s", torii_str_arg(s.error));

    torii_buf_free(&pem);
    world_end(&w, "local");
}


static void
test_operator(void)
{
    world_t        w;
    torii_str_t    id;
    char           serial[64];
    acme_status_t  s;

    id = torii_str("demo/op");

    world_start(&w);
    (void) world_add(&w, "demo/op", "op.example");
    world_begin(&w);
    world_run(&w, w.now + 10 * SECOND);
    s = world_status(&w, "demo/op");
    (void) snprintf(serial, sizeof(serial), "%.*s", torii_str_arg(s.serial));

    tap_ok(acme_renew(w.acme, w.now, torii_str("demo/none")) == TORII_DECLINED
           && acme_renew(w.acme, w.now, id) == TORII_OK, "renew");
    world_run(&w, w.now + MINUTE);
    tap_ok(w.ca[0].issued == 2
           && !torii_str_eqs(world_status(&w, "demo/op").serial, serial),
           "once");
    world_run(&w, w.now + DAY);
    tap_ok(w.ca[0].issued == 2, "and only once");

    tap_ok(acme_revoke(w.acme, w.now, id, 4) == TORII_OK, "revoke");
    world_run(&w, w.now + MINUTE);
    tap_ok(w.ca[0].issued == 3 && world_events(&w, "Revoked") == 1,
           "orders another");

    tap_ok(acme_rollover(w.acme, w.now, torii_str("ClusterIssuer/le"))
           == TORII_OK, "rollover");
    world_run(&w, w.now + MINUTE);
    world_say(&w);
    world_run(&w, w.now + MINUTE);
    tap_ok(world_events(&w, "RolledOver") == 1, "is told");
    world_restart(&w);
    world_run(&w, w.now + 62 * DAY);
    tap_ok(w.ca[0].accounts == 1 && w.ca[0].issued == 4,
           "and the account stays the same: %u, %u issued", w.ca[0].accounts,
           w.ca[0].issued);

    w.wants[0].want.renew_now = (int64_t) w.now / 1000;
    world_say(&w);
    world_run(&w, w.now + DAY);
    tap_ok(w.ca[0].issued == 5, "renew-now, once: %u", w.ca[0].issued);

    w.issuers[0].directory = torii_str(WORLD_URL "1/dir");
    world_say(&w);
    world_run(&w, w.now + DAY);
    tap_ok(w.ca[0].issued == 5 && w.ca[1].issued == 1,
           "another directory is another issuer");

    w.nwants = 0;
    world_say(&w);
    world_run(&w, w.now + 29 * DAY);
    tap_ok(w.files[1].data.len != 0, "what is not wanted keeps its state");
    world_run(&w, w.now + 3 * DAY);
    w.nwants = 1;
    tap_ok(w.files[0].data.len == 0 || w.files[1].data.len == 0,
           "for a month");
    world_end(&w, "operator");
}


/* What is there stays past all that would renew it. */

static void
test_no_renewal(void)
{
    int64_t        t;
    world_t        w;
    torii_str_t    id;
    acme_status_t  s;

    id = torii_str("demo/once");

    world_start(&w);
    t = (int64_t) w.now / 1000;
    world_add(&w, "demo/once", "once.example")->want.no_renewal = 1;
    w.ca[0].window = window(t + 20 * 86400, t + 22 * 86400);
    world_begin(&w);
    world_run(&w, w.now + MINUTE);
    s = world_status(&w, "demo/once");

    tap_ok(w.ca[0].issued == 1 && s.state == ACME_STATE_VALID
           && s.renewal == 0 && s.next == 0,
           "never renewed: it is issued once, and nothing is planned");

    world_run(&w, w.now + 95 * DAY);
    world_restart(&w);
    world_run(&w, w.now + DAY);
    s = world_status(&w, "demo/once");

    tap_ok(w.ca[0].asked == 1 && s.state == ACME_STATE_VALID
           && s.renewal == 0 && s.not_after * 1000 < (int64_t) w.now,
           "neither its window nor its end, nor a restart, is a reason");

    tap_ok(acme_renew(w.acme, w.now, id) == TORII_OK, "the operator is one");
    world_run(&w, w.now + MINUTE);
    tap_ok(w.ca[0].issued == 2, "once: %u", w.ca[0].issued);

    world_run(&w, w.now + DAY);
    w.wants[0].want.renew_now = (int64_t) w.now / 1000;
    world_say(&w);
    world_run(&w, w.now + DAY);
    tap_ok(w.ca[0].issued == 3, "and renew-now, once: %u", w.ca[0].issued);

    w.wants[0].want.key_type = TORII_KEY_EC_P384;
    world_say(&w);
    world_run(&w, w.now + DAY);
    tap_ok(w.ca[0].issued == 4, "and another key: %u", w.ca[0].issued);

    torii_buf_free(&w.wants[0].chain);
    torii_buf_free(&w.wants[0].key);
    world_say(&w);
    world_run(&w, w.now + DAY);
    tap_ok(w.ca[0].issued == 5, "and that it is gone: %u", w.ca[0].issued);

    w.ca[0].window = NULL;
    world_run(&w, w.now + 100 * DAY);
    w.wants[0].want.no_renewal = 0;
    world_say(&w);
    world_run(&w, w.now + DAY);
    tap_ok(w.ca[0].issued == 6 && world_status(&w, "demo/once").renewal > 0,
           "renewed as others are from when it may be: %u", w.ca[0].issued);

    world_end(&w, "no renewal");
}


/* Two keys for the same names. */

static void
test_pair(void)
{
    world_t        w;
    world_want_t  *want;

    world_start(&w);

    want = world_add(&w, "demo/both", "both.example more.example");
    want->types[0] = ALPN;
    want->types[1] = 0;
    want = world_add(&w, "demo/both-ecdsa", "more.example both.example");
    want->types[0] = ALPN;
    want->types[1] = 0;
    want->want.key_type = TORII_KEY_EC_P256;

    world_begin(&w);
    world_run(&w, w.now + 20 * SECOND);

    tap_ok(w.ca[0].issued == 2 && w.kept == 2 && w.most == 1,
           "orders for the same names come one after the other: %u at once",
           w.most);

    w.ca[0].status = -1;
    (void) acme_renew(w.acme, w.now, torii_str("demo/both"));
    (void) acme_renew(w.acme, w.now, torii_str("demo/both-ecdsa"));
    world_run(&w, w.now + HOUR);
    w.ca[0].status = 0;
    world_run(&w, w.now + 6 * HOUR);

    tap_ok(w.ca[0].issued == 4 && w.kept == 4 && w.most == 1,
           "after an outage, too: %u issued, %u at once", w.ca[0].issued,
           w.most);

    world_run(&w, w.now + 70 * DAY);
    tap_ok(w.ca[0].issued == 6 && w.most == 1, "and when they are renewed: %u",
           w.ca[0].issued);

    world_end(&w, "pair");
}


/* The process ends at each step of a change of the account's key. */

static void
test_rollover(void)
{
    int       half;
    size_t    len;
    uint32_t  k, n, bad, left;
    world_t   w;

    bad = 0;

    for (k = 2; k < 18; k++) {
        half = k % 2;

        world_start(&w);
        (void) world_add(&w, "demo/x", "x.example");
        world_begin(&w);
        world_run(&w, w.now + 2 * MINUTE);

        (void) acme_rollover(w.acme, w.now, torii_str("ClusterIssuer/le"));
        w.half = half;
        w.budget = k / 2;

        if (world_run(&w, w.now + MINUTE)) {
            w.budget = 0;
            world_restart(&w);
        }

        w.budget = 0;
        world_run(&w, w.now + HOUR);
        (void) acme_renew(w.acme, w.now, torii_str("demo/x"));
        world_run(&w, w.now + MINUTE);

        for (n = 0, left = 0; n < w.nfiles; n++) {
            len = w.files[n].data.len;
            left += (strncmp(w.files[n].name, "accounts/", 9) == 0
                     && len > 300);
        }

        bad += (w.ca[0].accounts != 1 || w.ca[0].issued != 2 || left
                || w.nfiles != 2);
        world_stop(&w);
    }

    tap_ok(bad == 0, "a process that ends while the account's key is changed "
           "goes on with one of them");
}


/* Who looks at the objects meanwhile still sees the old key there. */

static void
test_rollover_late(void)
{
    world_t      w;
    torii_buf_t  old = { NULL, 0, 0 }, new;

    world_start(&w);
    (void) world_add(&w, "demo/x", "x.example");
    world_begin(&w);
    world_run(&w, w.now + 2 * MINUTE);

    torii_buf_add_str(&old, world_str(&w.account_key[0]));
    (void) acme_rollover(w.acme, w.now, torii_str("ClusterIssuer/le"));
    world_run(&w, w.now + MINUTE);

    new = w.account_key[0];
    w.account_key[0] = old;
    (void) world_add(&w, "demo/y", "y.example");
    world_say(&w);
    world_run(&w, w.now + MINUTE);

    w.account_key[0] = new;
    (void) world_add(&w, "demo/z", "z.example");
    world_say(&w);
    world_run(&w, w.now + MINUTE);

    tap_ok(w.ca[0].accounts == 1 && w.ca[0].issued == 3
           && world_events(&w, "RolledOver") == 1,
           "a key that was changed makes no other account: %u, %u issued",
           w.ca[0].accounts, w.ca[0].issued);

    torii_buf_free(&old);
    world_end(&w, "late key");
}


/* A key takes its time, and the owner may fail to make it. */

typedef struct {
    const char        *what;
    torii_key_type_e   type;        /* of the certificates */
    torii_key_type_e   account;
    const char        *issuer;
    uint32_t           wants;
    uint32_t           fails;       /* of the first ones */
    uint64_t           time;        /* ms, until all is issued; at most */
    uint32_t           made;
} key_case_t;

static const key_case_t  key_cases[] = {
    { "RSA", TORII_KEY_RSA_2048, TORII_KEY_EC_P256, "ClusterIssuer/le", 5, 0,
      5 * MINUTE, 6 },
    { "EC does not wait", TORII_KEY_EC_P384, TORII_KEY_EC_P256,
      "ClusterIssuer/le", 5, 0, 0, 6 },
    { "an account's of RSA", TORII_KEY_EC_P256, TORII_KEY_RSA_2048,
      "ClusterIssuer/le", 2, 0, MINUTE, 3 },
    { "none for the account at first", TORII_KEY_EC_P256, TORII_KEY_RSA_2048,
      "ClusterIssuer/le", 1, 2, MINUTE + 20 * SECOND, 4 },
    { "none for the certificate at first", TORII_KEY_RSA_2048,
      TORII_KEY_EC_P256, "ClusterIssuer/le", 1, 2, 2 * HOUR, 4 },
    { "a local issuer", TORII_KEY_RSA_2048, TORII_KEY_EC_P256,
      "Issuer/demo/self", 3, 0, 3 * MINUTE, 4 },
    { "a local issuer, none at first", TORII_KEY_RSA_2048, TORII_KEY_EC_P256,
      "Issuer/demo/self", 1, 2, 2 * HOUR, 4 }
};


static void
test_key(void)
{
    char               id[32], names[8][32];
    size_t             i;
    uint32_t           n, valid;
    uint64_t           until;
    world_t            w;
    world_want_t      *want;
    acme_status_t      s;
    const key_case_t  *c;

    for (i = 0; i < sizeof(key_cases) / sizeof(key_cases[0]); i++) {
        c = &key_cases[i];

        world_start(&w);
        (void) world_issuer(&w, "Issuer/demo/self", ACME_ISSUER_SELF_SIGNED);
        w.issuers[0].key_type = c->account;
        w.key_time = MINUTE;

        for (n = 0; n < c->wants; n++) {
            (void) snprintf(id, sizeof(id), "demo/k%u", n);
            (void) snprintf(names[n], sizeof(names[n]), "k%u.example", n);
            want = world_add(&w, id, names[n]);
            want->issuers = c->issuer;
            want->want.key_type = c->type;
        }

        world_begin(&w);

        if (c->fails && c->account < TORII_KEY_RSA_2048) {

            /* the account has its key */

            w.nwants = 0;
            world_say(&w);
            world_run(&w, w.now + 10);
            w.nwants = c->wants;
            w.key_fails = c->fails;
            world_say(&w);

        } else {
            w.key_fails = c->fails;
        }

        until = w.now + c->time;

        if (c->time) {
            world_run(&w, until - (c->fails ? c->time - SECOND : SECOND));
            tap_ok(w.kept < c->wants, "key: %s: it is waited for", c->what);
        }

        world_run(&w, until + 10 * SECOND);

        for (n = 0, valid = 0; acme_status(w.acme, n, &s) == TORII_OK; n++) {
            valid += (s.state == ACME_STATE_VALID && s.failures == 0);
        }

        tap_ok(valid == c->wants && w.kept == c->wants && w.made == c->made
               && w.most_keys <= 2, "key: %s: %u of %u are valid, of %u keys "
               "%u were asked for at a time", c->what, valid, c->wants, w.made,
               w.most_keys);

        world_end(&w, c->what);
    }
}


/* Whatever happens to what the key is for, while it is made. */

static void
test_key_meanwhile(void)
{
    world_t        w;
    world_want_t  *want;

    world_start(&w);
    w.key_time = 10 * SECOND;
    want = world_add(&w, "demo/k", "k.example");
    want->want.key_type = TORII_KEY_RSA_2048;
    world_begin(&w);
    world_run(&w, w.now + SECOND);

    tap_ok(w.nkeys == 1 && w.ca[0].asked == 0
           && world_status(&w, "demo/k").state == ACME_STATE_ISSUING,
           "while a key is made nothing is ordered");

    /* what is on disk is as before */

    world_restart(&w);
    world_run(&w, w.now + 11 * SECOND);
    tap_ok(w.ca[0].asked == 1 && w.ca[0].issued == 1 && w.kept == 1
           && world_events(&w, "Failed") == 0,
           "a process that ends then goes on at once: %s", w.last_event);

    /* another kind is wanted, then nothing */

    want->want.key_type = TORII_KEY_RSA_3072;
    world_say(&w);
    world_run(&w, w.now + SECOND);
    w.wants[0].want.key_type = TORII_KEY_EC_P256;
    world_say(&w);
    world_run(&w, w.now + SECOND);
    tap_ok(w.ca[0].issued == 2 && w.nkeys == 1,
           "another key is wanted meanwhile: %u issued", w.ca[0].issued);

    w.wants[0].want.key_type = TORII_KEY_RSA_2048;
    world_say(&w);
    world_run(&w, w.now + SECOND);
    w.nwants = 0;
    world_say(&w);
    world_run(&w, w.now + MINUTE);
    tap_ok(w.ca[0].issued == 2 && w.nkeys == 0,
           "none is wanted any more: %u issued", w.ca[0].issued);

    /* the issuer, with its account */

    w.nwants = 1;
    world_say(&w);
    world_run(&w, w.now + SECOND);
    w.issuers[0].directory = torii_str(WORLD_URL "1/dir");
    world_say(&w);
    world_run(&w, w.now + MINUTE);
    tap_ok(w.ca[0].issued == 2 && w.ca[1].issued == 1,
           "another CA is: %u issued, %u by that one", w.ca[0].issued,
           w.ca[1].issued);

    acme_key(w.acme, w.now, 12345, torii_key_generate(TORII_KEY_EC_P256));
    acme_key(w.acme, w.now, 12346, NULL);

    world_end(&w, "key meanwhile");
}


static void
test_key_rollover(void)
{
    world_t      w;
    torii_str_t  id;

    id = torii_str("ClusterIssuer/le");

    world_start(&w);
    w.key_time = SECOND;
    w.issuers[0].key_type = TORII_KEY_RSA_2048;
    (void) world_add(&w, "demo/k", "k.example");
    world_begin(&w);
    world_run(&w, w.now + 10 * SECOND);

    w.key_fails = 1;
    tap_ok(acme_rollover(w.acme, w.now, id) == TORII_OK
           && acme_rollover(w.acme, w.now, id) == TORII_DECLINED,
           "one new key for an account at a time");
    world_run(&w, w.now + SECOND);
    tap_ok(world_events(&w, "RolledOver") == 0
           && world_events(&w, "Failed") == 1,
           "it cannot be made: %s", w.last_event);

    tap_ok(acme_rollover(w.acme, w.now, id) == TORII_OK, "again");
    world_run(&w, w.now + 2 * SECOND);
    tap_ok(world_events(&w, "RolledOver") == 1, "it is made: %s",
           w.last_event);

    world_end(&w, "key rollover");
}


int
main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);

    test_first();
    test_renewal();
    test_crash();
    test_window();
    test_fallback();
    test_block();
    test_files();
    test_clock();
    test_cap();
    test_names();
    test_disk();
    test_limit();
    test_local();
    test_operator();
    test_no_renewal();
    test_pair();
    test_key();
    test_key_meanwhile();
    test_key_rollover();
    test_rollover();
    test_rollover_late();
    test_start();
    test_priority();
    test_many();
    test_outage();
    test_adopt();

    return tap_done();
}
