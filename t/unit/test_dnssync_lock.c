
/*
 * The lock in a zone: who tells what of itself there and when, who is taken
 * for another, for how long, and what that holds up.
 */

#include "dnssync_world.h"


#define M      " TXT " WORLD_MARK
#define ME     "heritage=torii,owner=me,instance="
#define LOCK   "; _dnssync-lock TXT "
#define APP    "app A 192.0.2.1; _dnssync.app" M "A"
#define GONE   APP "; b A 192.0.2.1; _dnssync.b" M "A"
#define WANT   "app A 192.0.2.1"
#define WRITE  "lock lock _dnssync-lock ~TXT; "
#define DROP   "delete gone b -A -TXT"

/* seconds before now */
#define AGO_5      "1794999995"
#define AGO_100    "1794999900"
#define AGO_3600   "1794996400"
#define AGO_5000   "1794995000"
#define AGO_90000  "1794910000"
#define AHEAD      "1795900000"


typedef struct {
    const char  *what;
    const char  *zone;
    const char  *want;
    unsigned     wait;      /* s between two plans, of which the second is */
    const char  *plan;
    void       (*set)(world_t *w);
} test_case_t;


static void
test_off(world_t *w)
{
    w->conf.lock_period = 0;
}


static void
test_short(world_t *w)
{
    w->conf.lock_period = 60;
}


static void
test_once(world_t *w)
{
    w->conf.instance = torii_str("");
}


static void
test_preview(world_t *w)
{
    test_once(w);
    w->conf.preview = 1;
}


static void
test_observe(world_t *w)
{
    w->conf.policy = DNSSYNC_OBSERVE;
}


static void
test_upsert(world_t *w)
{
    w->conf.policy = DNSSYNC_UPSERT_ONLY;
}


static void
test_native(world_t *w)
{
    w->conf.registry.form = DNSSYNC_FORM_NATIVE;
    w->provider.tag_max = 100;
}


static void
test_external(world_t *w)
{
    w->conf.registry.form = DNSSYNC_FORM_EXTERNAL;
}


static const test_case_t  test_cases[] = {
    { "a zone in which nothing is ours has none", "x A 192.0.2.9", "", 60, "",
      NULL },
    { "the first host: others are told before it is there", "", WANT, 60,
      "lock lock _dnssync-lock +TXT; create new app +A +TXT", NULL },
    { "hosts of a time without a lock", APP, WANT, 60,
      "lock lock _dnssync-lock +TXT", NULL },
    { "once told, nothing is to be written", APP LOCK ME "w.2,beat=" AGO_100,
      WANT, 60, "", NULL },
    { "until the period is over", APP LOCK ME "w.2,beat=" AGO_3600, WANT, 60,
      "lock lock _dnssync-lock ~TXT", NULL },
    { "the clock was set back: told anew", APP LOCK ME "w.2,beat=" AHEAD,
      WANT, 60, "lock lock _dnssync-lock ~TXT", NULL },

    { "what the run before told is enough", APP LOCK ME "w.1,beat=" AGO_100,
      WANT, 60, "", NULL },
    { "while there is nothing to write", APP LOCK ME "w.1,beat=" AGO_100,
      WANT "; c A 192.0.2.1", 60, WRITE "create new c +A +TXT", NULL },
    { "it holds nothing up", GONE LOCK ME "w.1,beat=" AGO_100, WANT, 60,
      WRITE DROP, NULL },
    { "a copy of our state tells of itself: another", GONE LOCK ME
      "w.1,beat=" AGO_5, WANT, 60, WRITE "?writers", NULL },
    { "also beside what we told", GONE LOCK ME "w.2,beat=" AGO_100 "|" ME
      "w.1,beat=" AGO_5, WANT, 60, "?writers", NULL },
    { "names without a dot are of one run each", GONE LOCK ME "w,beat="
      AGO_100, WANT, 60, WRITE "?writers", NULL },

    { "another one: nothing is deleted, and it is told of us", GONE LOCK ME
      "v.1,beat=" AGO_100, WANT "; c A 192.0.2.1", 60,
      WRITE "create new c +A +TXT; ?writers", NULL },
    { "also one that was told of us", GONE LOCK ME "v.1,beat=" AGO_100 "|" ME
      "w.2,beat=" AGO_100, WANT, 60, "?writers", NULL },
    { "one of another owner is none of our business", GONE LOCK
      "heritage=torii,owner=you,instance=v.1,beat=" AGO_100, WANT, 60,
      WRITE DROP, NULL },
    { "it tells less often than we do", GONE LOCK ME "v.1,beat=" AGO_5000
      ",period=3600", WANT, 600, WRITE "?writers", test_short },
    { "or does not say how often", GONE LOCK ME "v.1,beat=" AGO_5000, WANT,
      600, WRITE DROP, test_short },
    { "one of long ago may come back in a moment", GONE LOCK ME "v.1,beat="
      AGO_90000, WANT, 899, WRITE "?writers", NULL },
    { "and then is dead", GONE LOCK ME "v.1,beat=" AGO_90000, WANT, 900,
      WRITE DROP, NULL },
    { "a clock that is ahead is alive", GONE LOCK ME "v.1,beat=" AHEAD, WANT,
      7199, WRITE "?writers", NULL },
    { "but not for ever", GONE LOCK ME "v.1,beat=" AHEAD, WANT, 7200,
      WRITE DROP, NULL },

    { "one that runs once has none", GONE, WANT, 60, DROP, test_once },
    { "it respects another's", GONE LOCK ME "v.1,beat=" AGO_100, WANT, 60,
      "?writers", test_once },
    { "but does not wait for one of long ago", GONE LOCK ME "v.1,beat="
      AGO_90000, WANT, 60, DROP, test_once },
    { "a preview shows what the other will do", GONE LOCK ME "v.1,beat="
      AGO_100, WANT, 60, DROP, test_preview },
    { "or will not", GONE LOCK ME "v.1,beat=" AGO_100 "|" ME "u.1,beat="
      AGO_100, WANT, 60, "?writers", test_preview },
    { "who observes writes none", GONE, WANT, 60, DROP, test_observe },
    { "and is held by another's", GONE LOCK ME "v.1,beat=" AGO_100, WANT, 60,
      "?writers", test_observe },

    { "with the last host it goes", "x A 192.0.2.9" LOCK ME "w.1,beat="
      AGO_100, "", 60, "lock lock _dnssync-lock -TXT", NULL },
    { "but for what is another's", "x A 192.0.2.9" LOCK ME "w.2,beat=" AGO_100
      "|" ME "v.1,beat=" AGO_100, "", 60, "lock lock _dnssync-lock ~TXT",
      NULL },
    { "another's alone is left alone", "x A 192.0.2.9" LOCK ME "v.1,beat="
      AGO_100, "", 60, "", NULL },

    { "who deletes nothing may have one, too", GONE, WANT, 60,
      "lock lock _dnssync-lock +TXT; ?policy b", test_upsert },
    { "beside marks that are the provider's own",
      "app A 192.0.2.1 tag=heritage=torii,owner=me", WANT, 60,
      "lock lock _dnssync-lock +TXT", test_native },
    { "and beside ExternalDNS's", "app A 192.0.2.1; a-app TXT " WORLD_EXT
      "me", WANT, 60, "lock lock _dnssync-lock +TXT", test_external },
    { "off: another one is not seen", GONE LOCK ME "v.1,beat=" AGO_100, WANT,
      60, DROP, test_off }
};


static void
test_begin(world_t *w, const char *zone, const char *want)
{
    world_start(w);
    world_zone(w, zone);
    world_wants(w, want);

    w->conf.lock_period = 3600;
    w->conf.instance = torii_str("w.2");
    w->source.settled = WORLD_NOW - 10;
}


static void
test_plan(world_t *w, unsigned wait)
{
    (void) world_plan(w);
    w->in.now += wait;
    w->zones[0].listed = w->in.now;
    (void) world_plan(w);
}


static void
test_table(void)
{
    size_t              i;
    world_t             w;
    const char         *text;
    const test_case_t  *t;

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        t = &test_cases[i];

        test_begin(&w, t->zone, t->want);

        if (t->set) {
            t->set(&w);
        }

        test_plan(&w, t->wait);
        text = world_text(&w);

        if (!tap_ok(strcmp(text, t->plan) == 0, "%s", t->what)) {
            printf("# %s\n", text);
        }

        world_end(&w);
    }
}


static dnssync_rrset_t *
test_lock(world_t *w)
{
    uint32_t  i;

    for (i = 0; i < w->n; i++) {
        if (torii_str_eqs(w->sets[i].name, "_dnssync-lock." WORLD_ZONE)) {
            return &w->sets[i];
        }
    }

    return NULL;
}


/* What is told, when the next time is, and that a second plan is empty. */

static void
test_text(void)
{
    world_t           w;
    dnssync_rrset_t  *set;

    test_begin(&w, APP LOCK ME "w.1,beat=" AGO_5000 "|" ME "v.1,beat="
               AGO_90000 "|v=other", WANT);
    test_plan(&w, 900);

    tap_ok(w.plan.beat == w.in.now + 3600, "the next time");
    tap_ok(world_apply(&w) == 0, "the plan is done");

    set = test_lock(&w);

    tap_ok(set != NULL && set->n == 2
           && torii_str_eqs(set->values[0], "v=other")
           && torii_str_eqs(set->values[1], ME "w.2,beat=1795000900,"
                                            "period=3600"),
           "one value is in place of those that are ours or dead");

    w.in.now += 10;
    (void) world_plan(&w);

    tap_ok(w.plan.n == 0 && w.plan.beat == w.in.now + 3590,
           "a second plan is empty");

    world_end(&w);
}


/* A host that was listed before the lock of whoever wrote it. */

static void
test_late(void)
{
    world_t  w;

    test_begin(&w, GONE LOCK ME "w.2,beat=" AGO_100, WANT);
    (void) world_plan(&w);
    w.in.now += 60;
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), "?stale") == 0,
           "nothing is deleted by the listing that it was first seen in");

    world_zone(&w, GONE LOCK ME "w.2,beat=" AGO_100 "|" ME "v.1,beat=" AGO_5);
    w.zones[0].listed = w.in.now;
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), "?writers") == 0, "and the next one tells");

    world_zone(&w, GONE LOCK ME "w.2,beat=" AGO_100);
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), DROP) == 0, "or does not");

    world_end(&w);
}


int
main(void)
{
    test_table();
    test_text();
    test_late();

    return tap_done();
}
