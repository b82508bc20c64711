
/*
 * What is planned for a zone and what is wanted: the plain cases, policies,
 * filters, zones and views, hosts that are refused.
 */

#include "dnssync_world.h"


#define M  " TXT " WORLD_MARK


/* w may be changed before it is planned */

typedef struct {
    const char  *what;
    const char  *zone;
    const char  *want;
    const char  *plan;
    void       (*set)(world_t *w);
    unsigned     later;        /* seconds between a first plan and this */
} test_case_t;


static void
test_upsert(world_t *w)
{
    w->conf.policy = DNSSYNC_UPSERT_ONLY;
}


static void
test_create(world_t *w)
{
    w->conf.policy = DNSSYNC_CREATE_ONLY;
}


static void
test_observe(world_t *w)
{
    w->conf.policy = DNSSYNC_OBSERVE;
}


static void
test_only_a(world_t *w)
{
    w->conf.types = DNSSYNC_HAS_A;
}


static void
test_filter(world_t *w)
{
    static const torii_str_t  include[] = {
        torii_string("in.a.test"), torii_string(".sub.a.test")
    };
    static const torii_str_t  exclude[] = { torii_string("no.in.a.test") };

    w->conf.filter.include = include;
    w->conf.filter.ninclude = 2;
    w->conf.filter.exclude = exclude;
    w->conf.filter.nexclude = 1;
}


static void
test_regex(world_t *w)
{
    test_filter(w);

    w->conf.filter.cache = torii_regex_cache_create(4);
    w->conf.filter.regex = torii_str("^[ab]\\.a\\.test$");
    w->conf.filter.regex_exclude = torii_str("^b");
}


static void
test_broken_regex(world_t *w)
{
    w->conf.filter.cache = torii_regex_cache_create(4);
    w->conf.filter.regex_exclude = torii_str("(");
}


static void
test_sub_zone(world_t *w)
{
    w->zones[1] = w->zones[0];
    w->zones[1].id = torii_str("s");
    w->zones[1].name = torii_str("sub.a.test");
    w->zones[1].state = DNSSYNC_ZONE_FAILED;
    w->in.nzones = 2;
}


static void
test_twin(world_t *w)
{
    w->zones[1] = w->zones[0];
    w->zones[1].id = torii_str("p/twin");
    w->in.nzones = 2;
}


static void
test_views(world_t *w)
{
    test_twin(w);
    w->zones[0].view = torii_str("public");
    w->zones[1].view = torii_str("private");
}


static void
test_no_list(world_t *w)
{
    w->in.zones_unknown = 1;
}


static void
test_two_values(world_t *w)
{
    w->provider.values_max = 2;
}


static void
test_sets(world_t *w)
{
    static const char *const  options[] = { "aws/", NULL };

    w->provider.sets = 1;
    w->provider.options = options;
}


static const test_case_t  test_cases[] = {
    { "nothing", "", "", "", NULL, 0 },
    { "a new host", "", "app A 192.0.2.1", "create new app +A +TXT", NULL, 0 },
    { "of both families", "", "app A 192.0.2.1; app AAAA 2001:db8::1",
      "create new app +A +AAAA +TXT", NULL, 0 },
    { "an alias", "", "app CNAME x.example", "create new app +CNAME +TXT",
      NULL, 0 },
    { "a wildcard", "", "* A 192.0.2.1", "create new * +A +TXT", NULL, 0 },
    { "the apex", "@ SOA x; @ NS y", "@ A 192.0.2.1",
      "create new @ +A +TXT", NULL, 0 },
    { "as it is", "app A 192.0.2.1; _dnssync.app" M "A", "app A 192.0.2.1", "",
      NULL, 0 },
    { "in another order", "app A 192.0.2.1|192.0.2.2; _dnssync.app" M "A",
      "app A 192.0.2.2|192.0.2.1", "", NULL, 0 },
    { "another target", "app A 192.0.2.9; _dnssync.app" M "A",
      "app A 192.0.2.1", "change targets app ~A ~TXT", NULL, 0 },
    { "another TTL", "app A 192.0.2.1; _dnssync.app" M "A",
      "app A 192.0.2.1 ttl=60", "change ttl app ~A ~TXT", NULL, 0 },
    { "no TTL is any TTL", "app A 192.0.2.1 ttl=5; _dnssync.app" M "A",
      "app A 192.0.2.1", "", NULL, 0 },
    { "one more family", "app A 192.0.2.1; _dnssync.app" M "A",
      "app A 192.0.2.1; app AAAA 2001:db8::1",
      "change types app +AAAA ~TXT", NULL, 0 },
    { "addresses become an alias",
      "app A 192.0.2.1; app AAAA 2001:db8::1; _dnssync.app" M "A+AAAA",
      "app CNAME x.example", "change types app -A -AAAA +CNAME ~TXT",
      test_upsert, 0 },
    { "an alias becomes addresses",
      "app CNAME x.example; _dnssync.app" M "CNAME",
      "app A 192.0.2.1", "change types app -CNAME +A ~TXT", NULL, 0 },
    { "a mark that tells of too much is put right",
      "app A 192.0.2.1; _dnssync.app" M "A+AAAA", "app A 192.0.2.1",
      "change mark app ~TXT", NULL, 0 },

    { "a host that is gone", "app A 192.0.2.1; _dnssync.app" M "A; "
      "b A 192.0.2.1; _dnssync.b" M "A", "b A 192.0.2.1",
      "delete gone app -A -TXT", NULL, 60 },
    { "a family that is gone", "app A 192.0.2.1; app AAAA 2001:db8::1; "
      "_dnssync.app" M "A+AAAA", "app A 192.0.2.1",
      "change types app -AAAA ~TXT", NULL, 60 },
    { "upsert-only keeps a family that is gone", "app A 192.0.2.1; "
      "app AAAA 2001:db8::1; _dnssync.app" M "A+AAAA", "app A 192.0.2.1",
      "?policy app", test_upsert, 60 },
    { "upsert-only keeps a host", "app A 192.0.2.1; _dnssync.app" M "A", "",
      "?policy app", test_upsert, 60 },
    { "create-only changes nothing", "app A 192.0.2.9; _dnssync.app" M "A",
      "app A 192.0.2.1; b A 192.0.2.1",
      "create new b +A +TXT; ?policy app", test_create, 0 },
    { "observe shows what sync would do", "app A 192.0.2.1; _dnssync.app" M
      "A; b A 192.0.2.1; _dnssync.b" M "A", "b A 192.0.2.1",
      "delete gone app -A -TXT", test_observe, 60 },
    { "a type that is not managed", "app AAAA 2001:db8::1; _dnssync.app" M
      "AAAA", "b A 192.0.2.1; b AAAA 2001:db8::1",
      "create new b +A +TXT; ?type b", test_only_a, 60 },

    { "included and excluded", "", "in A 192.0.2.1; x.in A 192.0.2.1; "
      "no.in A 192.0.2.1; sub A 192.0.2.1; x.sub A 192.0.2.1; "
      "nin A 192.0.2.1", "create new in +A +TXT; create new x.in +A +TXT; "
      "create new x.sub +A +TXT; ?filtered no.in; ?filtered sub; "
      "?filtered nin", test_filter, 0 },
    { "what is filtered out is not deleted", "no.in A 192.0.2.1; "
      "_dnssync.no.in" M "A; _dnssync.out" M "A", "in A 192.0.2.1",
      "create new in +A +TXT", test_filter, 60 },
    { "regular expressions stand in place of lists", "",
      "a A 192.0.2.1; b A 192.0.2.1; in A 192.0.2.1",
      "create new a +A +TXT; ?filtered b; ?filtered in", test_regex, 0 },
    { "one that is broken lets nothing through", "", "a A 192.0.2.1",
      "?filtered a", test_broken_regex, 0 },

    { "in no zone", "", "www.b.test. A 192.0.2.1; notatest. A 192.0.2.1; "
      "nota.test. A 192.0.2.1", "?no-zone www.b.test; ?no-zone notatest; "
      "?no-zone nota.test", NULL, 0 },
    { "the longest zone, though it cannot be read", "",
      "x.sub A 192.0.2.1; xsub A 192.0.2.1",
      "create new xsub +A +TXT; ?zone", test_sub_zone, 0 },
    { "a zone given by its id", "", "app A 192.0.2.1 zone=twin",
      "create new app +A +TXT", test_twin, 0 },
    { "a zone by an id that is none", "app A 192.0.2.9; _dnssync.app" M "A",
      "app A 192.0.2.1 zone=other", "?no-zone app", NULL, 60 },
    { "the list of zones is not known", "", "app A 192.0.2.1", "?zone",
      test_no_list, 0 },
    { "each view its own address", "",
      "app A 192.0.2.1 view=public; app A 10.0.0.1 view=private",
      "create new app +A +TXT; create new app +A +TXT", test_views, 0 },
    { "a view without a zone", "", "app A 192.0.2.1 view=other",
      "?no-zone app", test_views, 0 },

    { "below a delegation", "d NS ns.x", "d A 192.0.2.1; x.d A 192.0.2.1; "
      "xd A 192.0.2.1",
      "create new xd +A +TXT; ?delegated d; ?delegated x.d", NULL, 0 },
    { "an alias where there is more", "app MX x; b TXT y", "app CNAME x.y; "
      "b CNAME x.y; c CNAME x.y",
      "create new c +CNAME +TXT; ?clash app; ?clash b", NULL, 0 },
    { "addresses where there is more", "app MX x; app TXT y",
      "app A 192.0.2.1", "create new app +A +TXT", NULL, 0 },
    { "an alias of itself", "", "app CNAME app.a.test", "?target app", NULL,
      0 },
    { "an alias and addresses", "", "app CNAME x.y; app A 192.0.2.1",
      "create new app +A +TXT; ?clash app", NULL, 0 },
    { "an alias of two", "app CNAME y.z; _dnssync.app" M "CNAME",
      "app CNAME x.y|y.z", "?target app", NULL, 0 },
    { "more values than the provider takes", "app A 192.0.2.1; _dnssync.app" M
      "A", "app A 192.0.2.1|192.0.2.2|192.0.2.3", "?target app",
      test_two_values, 60 },
    { "a set identifier that means nothing there", "",
      "app A 192.0.2.1 set=eu", "?set app", NULL, 0 },
    { "set identifiers part records", "app A 192.0.2.1 set=eu; "
      "_dnssync.app" M "A set=eu", "app A 192.0.2.1 set=eu; "
      "app A 192.0.2.2 set=us opt=aws/weight:1", "create new app +A +TXT",
      test_sets, 0 },
    { "an option", "app A 192.0.2.1; _dnssync.app" M "A",
      "app A 192.0.2.1 opt=aws/weight:1", "change options app ~A ~TXT",
      test_sets, 0 },
    { "another provider's option", "app A 192.0.2.1; _dnssync.app" M "A",
      "app A 192.0.2.1 opt=azure/tags:1", "", test_sets, 0 },
    { "an option that is false is none",
      "app A 192.0.2.1 opt=aws/x:false; _dnssync.app" M "A",
      "app A 192.0.2.1", "", test_sets, 0 },

    { "an object that is not understood keeps its hosts",
      "app A 192.0.2.1; _dnssync.app" M "A,resource=r", "- * - r",
      "", NULL, 60 },
    { "a set that comes twice", "app A 192.0.2.1; app A 192.0.2.2",
      "b A 192.0.2.1", "?zone app", NULL, 0 },
    { "what is outside of the zone is not looked at",
      "app.b.test. A 192.0.2.1", "b A 192.0.2.1", "create new b +A +TXT",
      NULL, 0 }
};


static void
test_plans(void)
{
    size_t              i;
    world_t             w;
    const char         *text;
    const test_case_t  *t;

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        t = &test_cases[i];

        world_start(&w);
        world_zone(&w, t->zone);
        world_wants(&w, t->want);

        if (t->set) {
            t->set(&w);
        }

        if (t->later) {
            (void) world_plan(&w);
            w.in.now += t->later;
        }

        (void) world_plan(&w);
        text = world_text(&w);

        if (!tap_ok(strcmp(text, t->plan) == 0
                    && w.plan.observe == (t->set == test_observe),
                    "%s", t->what))
        {
            printf("# %s\n", text);
        }

        torii_regex_cache_destroy(w.conf.filter.cache);
        world_end(&w);
    }
}


/* What is written, to the byte. */

static void
test_written(void)
{
    world_t           w;
    dnssync_rrset_t  *a, *txt;

    world_start(&w);
    world_wants(&w, "app A 192.0.2.1|192.0.2.2 ingress/d/app; "
                    "app AAAA 2001:db8::1 ingress/d/app");
    (void) world_plan(&w);

    tap_ok(world_apply(&w) == 0 && w.n == 3, "three sets are written");

    a = world_find(&w, torii_str("app.a.test"), torii_str(""), DNSSYNC_A);
    txt = world_find(&w, torii_str("_dnssync.app.a.test"), torii_str(""),
                     DNSSYNC_TXT);

    tap_ok(a != NULL && a->n == 2 && a->ttl == 300
           && torii_str_eqs(a->values[0], "192.0.2.1"), "addresses");

    tap_ok(txt != NULL && txt->n == 1 && txt->ttl == 300
           && torii_str_eqs(txt->values[0], WORLD_MARK
                            "A+AAAA,resource=ingress/d/app"), "the mark");

    (void) world_plan(&w);
    tap_ok(w.plan.n == 0 && w.plan.nfindings == 0 && w.plan.owned == 2,
           "then there is nothing to do");

    world_end(&w);
}


/* What an edit requires of the zone. */

static int
test_requires(const dnssync_edit_t *e, const char *name, unsigned type,
    int absent)
{
    uint32_t  i;

    for (i = 0; i < e->nrequires; i++) {
        if (torii_str_eqs(e->requires[i].name, name)
            && e->requires[i].type == type)
        {
            return (e->requires[i].equal == NULL) == absent;
        }
    }

    return 0;
}


static void
test_preconditions(void)
{
    world_t  w;

    world_start(&w);
    world_wants(&w, "app A 192.0.2.1");
    (void) world_plan(&w);

    tap_ok(w.plan.n == 1
           && test_requires(w.plan.edits, "app.a.test", DNSSYNC_A, 1)
           && test_requires(w.plan.edits, "app.a.test", DNSSYNC_AAAA, 1)
           && test_requires(w.plan.edits, "app.a.test", DNSSYNC_CNAME, 1)
           && test_requires(w.plan.edits, "_dnssync.app.a.test", DNSSYNC_TXT,
                            1),
           "a claim requires that there is nothing");

    (void) world_apply(&w);
    world_wants(&w, "app A 192.0.2.2");
    (void) world_plan(&w);

    tap_ok(w.plan.n == 1
           && test_requires(w.plan.edits, "app.a.test", DNSSYNC_A, 0)
           && test_requires(w.plan.edits, "_dnssync.app.a.test", DNSSYNC_TXT,
                            0),
           "a change requires the mark, and what was there");

    /* somebody else was faster */

    world_zone(&w, "app A 192.0.2.77; _dnssync.app TXT " WORLD_MARK
                   "A,resource=r");

    tap_ok(world_apply(&w) == 1, "which has changed meanwhile");

    (void) world_plan(&w);
    tap_ok(strcmp(world_text(&w), "?failing app") == 0,
           "it is not tried again at once");

    w.in.now += 60;
    (void) world_plan(&w);
    tap_ok(strcmp(world_text(&w), "change targets app ~A") == 0
           && world_apply(&w) == 0, "but a minute later");

    world_end(&w);
}


static void
test_unusable(void)
{
    world_t  w;

    world_start(&w);
    w.conf.registry.id = torii_str("");
    world_wants(&w, "app A 192.0.2.1");

    tap_ok(world_plan(&w) == TORII_ERROR && w.plan.n == 0
           && strcmp(world_text(&w), "?mark") == 0,
           "without an owner's id nothing is planned");

    world_end(&w);
}


int
main(void)
{
    test_plans();
    test_written();
    test_preconditions();
    test_unusable();

    return tap_done();
}
