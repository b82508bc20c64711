
/*
 * What goes wrong where others write to DNS, one case or more for each trap:
 * records lost, taken from others, written again and again.
 */

#include "dnssync_world.h"


#define M  " TXT " WORLD_MARK
#define X  " TXT " WORLD_EXT
#define LOCK                                                                  \
    "_dnssync-lock TXT heritage=torii,owner=me,instance=other,beat="


typedef struct {
    unsigned     trap;
    const char  *what;
    const char  *zone;
    const char  *want;
    const char  *plan;
    void       (*set)(world_t *w);
} test_case_t;


static void
test_failed(world_t *w)
{
    w->zones[0].state = DNSSYNC_ZONE_FAILED;
}


static void
test_unknown(world_t *w)
{
    w->zones[0].state = DNSSYNC_ZONE_UNKNOWN;
}


static void
test_external(world_t *w)
{
    w->conf.registry.form = DNSSYNC_FORM_EXTERNAL;
}


static void
test_template(world_t *w)
{
    test_external(w);
    w->conf.registry.prefix = torii_str("ext-%{record_type}.");
}


static void
test_no_star(world_t *w)
{
    w->provider.no_star = 1;
}


static void
test_no_star_external(world_t *w)
{
    test_external(w);
    test_no_star(w);
}


static void
test_word(world_t *w)
{
    test_no_star_external(w);
    w->conf.registry.wildcard = torii_str("any");
}


static void
test_resolved(world_t *w)
{
    static torii_str_t  addresses[] = {
        torii_string("192.0.2.7"), torii_string("2001:db8::7")
    };

    w->lookups[0].name = torii_str("lb.x");
    w->lookups[0].addresses = addresses;
    w->lookups[0].n = 2;
    w->in.nlookups = 1;
}


static void
test_unresolved(world_t *w)
{
    test_resolved(w);
    w->lookups[0].n = 0;
}


static void
test_alias(world_t *w)
{
    w->provider.alias = 1;
}


static void
test_lock(world_t *w)
{
    w->conf.lock_period = 600;
    w->conf.instance = torii_str("this");
}


static void
test_twin(world_t *w)
{
    w->zones[1] = w->zones[0];
    w->zones[1].id = torii_str("twin");
    w->in.nzones = 2;
}


static void
test_split(world_t *w)
{
    test_twin(w);
    w->zones[0].view = torii_str("public");
    w->zones[1].view = torii_str("private");
}


static void
test_minimum(world_t *w)
{
    w->provider.ttl_min = 600;
}


static void
test_proxied(world_t *w)
{
    static const char *const  options[] = { "cloudflare/", NULL };

    w->provider.ttl_auto = 1;
    w->provider.proxied = "cloudflare/proxied";
    w->provider.options = options;
}


static void
test_half(world_t *w)
{
    w->source.complete = 0;
}


static void
test_other_failed(world_t *w)
{
    w->zones[1] = w->zones[0];
    w->zones[1].id = torii_str("b");
    w->zones[1].name = torii_str("b.test");
    w->zones[1].state = DNSSYNC_ZONE_FAILED;
    w->in.nzones = 2;
}


static void
test_upsert(world_t *w)
{
    w->conf.policy = DNSSYNC_UPSERT_ONLY;
}


static const test_case_t  test_cases[] = {
    { 1, "an object without addresses keeps its records",
      "app A 192.0.2.1; _dnssync.app" M "A", "app * -", "", NULL },
    { 1, "so does one that lost a family", "app A 192.0.2.1; "
      "app AAAA 2001:db8::1; _dnssync.app" M "A+AAAA",
      "app A 192.0.2.1; app AAAA -", "", NULL },
    { 1, "what is kept of one family is not kept of the other",
      "app A 192.0.2.1; app AAAA 2001:db8::1; _dnssync.app" M "A+AAAA",
      "app A -", "change gone app -AAAA ~TXT", NULL },
    { 2, "a listing that failed is not an empty zone", "", "app A 192.0.2.1",
      "?zone", test_failed },
    { 2, "nor is one that did not come yet", "", "app A 192.0.2.1", "?zone",
      test_unknown },
    { 3, "one mark for a host of two types", "", "app A 192.0.2.1; "
      "app AAAA 2001:db8::1", "create new app +A +AAAA +TXT", NULL },
    { 3, "marks of ExternalDNS left over do no harm",
      "app A 192.0.2.1; a-app" X "me; app" X "me; cname-app" X "me",
      "app A 192.0.2.1", "", test_external },
    { 3, "a mark of ours without a host is used again", "_dnssync.app" M "A",
      "app A 192.0.2.1", "create new app +A ~TXT", NULL },
    { 3, "a mark of another's without a host is respected",
      "_dnssync.app TXT heritage=torii,owner=you,types=A", "app A 192.0.2.1",
      "?foreign app", NULL },
    { 3, "also in ExternalDNS's form", "a-app" X "you", "app A 192.0.2.1",
      "?foreign app", NULL },
    { 4, "the apex has a mark inside of the zone", "", "@ A 192.0.2.1",
      "create new @ +A +TXT", NULL },
    { 4, "ExternalDNS's default has none, and nothing is made", "",
      "@ A 192.0.2.1", "?mark-name @", test_external },
    { 4, "with the type in its prefix it has", "", "@ A 192.0.2.1",
      "create new @ +A +TXT", test_template },
    { 4, "a mark without a host, which hides a wildcard, goes first",
      "_dnssync.app" M "A; b A 192.0.2.1; _dnssync.b" M "A",
      "c A 192.0.2.1", "delete orphan _dnssync.app -TXT; "
      "create new c +A +TXT; delete gone b -A -TXT", NULL },
    { 5, "a wildcard's mark has no \"*\" inside of it", "", "* A 192.0.2.1",
      "create new * +A +TXT", test_no_star },
    { 5, "ExternalDNS's has, where that is not taken", "", "* A 192.0.2.1",
      "?mark-name *", test_no_star_external },
    { 5, "a word in its place", "", "* A 192.0.2.1", "create new * +A +TXT",
      test_word },
    { 5, "which is a host, too", "any A 192.0.2.1; a-any" X "me",
      "* A 192.0.2.1; any A 192.0.2.1", "?mark-name *", test_word },
    { 6, "an alias at the apex is resolved first", "", "@ CNAME lb.x", "",
      NULL },
    { 6, "and published as addresses", "", "@ CNAME lb.x",
      "create new @ +A +AAAA +TXT", test_resolved },
    { 6, "and kept while it cannot be resolved",
      "@ A 192.0.2.1; _dnssync.@.a.test. TXT x; _dnssync" M "A",
      "@ CNAME lb.x", "?lookup @", test_unresolved },
    { 6, "or left to the provider", "", "@ CNAME lb.x",
      "create new @ +CNAME +TXT", test_alias },
    { 7, "objects with the gateway's addresses agree", "",
      "app A 192.0.2.1 r1; app A 192.0.2.1 r2", "create new app +A +TXT",
      NULL },
    { 7, "of others the oldest is followed", "app A 192.0.2.9; _dnssync.app"
      M "A,resource=r9", "app A 192.0.2.1 r1 said created=9; "
      "app A 192.0.2.9 r2 said created=5", "?loser app", NULL },
    { 7, "but one that is followed already stays",
      "app A 192.0.2.1; _dnssync.app" M "A,resource=r1",
      "app A 192.0.2.1 r1 said created=9; app A 192.0.2.9 r2 said created=5",
      "?loser app", NULL },
    { 8, "another instance of our owner lives: nothing is deleted",
      "app A 192.0.2.1; _dnssync.app" M "A; " LOCK "1794999000",
      "b A 192.0.2.1", "lock lock _dnssync-lock ~TXT; create new b +A +TXT; "
      "?writers", test_lock },
    { 8, "it may be heard of again after long", "app A 192.0.2.1; _dnssync.app"
      M "A; " LOCK "1794990000", "b A 192.0.2.1",
      "lock lock _dnssync-lock ~TXT; create new b +A +TXT; ?writers",
      test_lock },
    { 8, "each owner has a lock of its own", "_dnssync-lock TXT heritage="
      "torii,owner=you,instance=x,beat=1795000000; app A 192.0.2.1; "
      "_dnssync.app" M "A", "app A 192.0.2.1",
      "lock lock _dnssync-lock ~TXT", test_lock },
    { 10, "another's address gets none of ours beside it",
      "app A 192.0.2.9", "app AAAA 2001:db8::1", "?unowned app", NULL },
    { 10, "nor does ours get merged with it", "app A 192.0.2.9; a-app" X
      "you", "app A 192.0.2.1", "?foreign app", test_external },
    { 10, "nor an alias of another's", "app CNAME x.y", "app A 192.0.2.1",
      "?unowned app", NULL },
    { 10, "a family that is another's beside ours",
      "app A 192.0.2.1; app AAAA 2001:db8::9; _dnssync.app" M "A",
      "app A 192.0.2.2; app AAAA 2001:db8::1",
      "change targets app ~A ~TXT; ?unowned app", NULL },
    { 12, "an idle zone costs nothing", "app A 192.0.2.1; _dnssync.app" M "A",
      "app A 192.0.2.1", "", NULL },
    { 13, "two zones of one name are no place to write to", "",
      "app A 192.0.2.1", "?ambiguous app", test_twin },
    { 13, "nor to delete from", "app A 192.0.2.1; _dnssync.app" M "A",
      "app A 192.0.2.1", "?ambiguous app", test_twin },
    { 13, "views tell them apart", "", "app A 192.0.2.1 view=public",
      "create new app +A +TXT", test_split },
    { 14, "a TTL below the provider's minimum is not wanted",
      "app A 192.0.2.1 ttl=600; _dnssync.app" M "A",
      "app A 192.0.2.1 ttl=60", "?clamped app", test_minimum },
    { 14, "nor is one of a proxied host", "app A 192.0.2.1 ttl=1 "
      "opt=cloudflare/proxied:true; _dnssync.app" M "A",
      "app A 192.0.2.1 ttl=60 opt=cloudflare/proxied:true", "", test_proxied },
    { 15, "a TTL of some seconds is too short",
      "app A 192.0.2.1 ttl=30; _dnssync.app" M "A", "app A 192.0.2.1 ttl=1",
      "?clamped app", NULL },
    { 19, "what else is at the name stays", "app A 192.0.2.1; "
      "app TXT v=spf1; app MX x; a-app" X "me|google-site-verification=1",
      "b A 192.0.2.1", "create new b +A +TXT; delete gone app -A ~TXT",
      test_external },
    { 21, "not all objects are known: nothing is deleted",
      "app A 192.0.2.1; _dnssync.app" M "A", "b A 192.0.2.1",
      "create new b +A +TXT; ?incomplete", test_half },
    { 22, "what was changed behind our back is put right",
      "app A 198.51.100.1; _dnssync.app" M "A,resource=r", "app A 192.0.2.1",
      "change targets app ~A", NULL },
    { 23, "one zone that fails holds up no other", "",
      "app A 192.0.2.1; www.b.test. A 192.0.2.1",
      "create new app +A +TXT; ?zone", test_other_failed },
    { 23, "the last host of a zone is not deleted without a word",
      "app A 192.0.2.1; _dnssync.app" M "A", "", "?empty", NULL },
    { 24, "an alias that may be taken over is told of",
      "app CNAME lb.cloud.x; _dnssync.app" M "CNAME", "", "?policy app",
      test_upsert }
};


static void
test_traps(void)
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

        (void) world_plan(&w);
        w.in.now += 60;
        w.zones[0].listed = w.in.now;
        (void) world_plan(&w);
        text = world_text(&w);

        if (!tap_ok(strcmp(text, t->plan) == 0, "trap %u: %s", t->trap,
                    t->what))
        {
            printf("# %s\n", text);
        }

        world_end(&w);
    }
}


static void
test_adopt(void)
{
    world_t  w;

    world_start(&w);
    test_external(&w);
    world_zone(&w, "app A 192.0.2.1; a-app" X "old; b A 192.0.2.9; "
                   "c A 192.0.2.1; a-c" X "third; d A 192.0.2.1; a-d" X "old");
    world_wants(&w, "app A 192.0.2.1; b A 192.0.2.1; c A 192.0.2.1");

    w.in.adopt = &w.adopt;
    w.adopt.from = torii_str("old");
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), "adopt adopt app ~TXT; ?unowned b; "
                  "?foreign c") == 0,
           "trap 9: adopted is what is wanted, of that owner: %s",
           w.text.data);

    tap_ok(world_apply(&w) == 0, "trap 9: under its very mark");

    w.adopt.from = torii_str("");
    w.adopt.unowned = 1;
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), "adopt adopt b +TXT; ?foreign c") == 0
           && world_apply(&w) == 0,
           "trap 9: adopted is what has no owner: %s", w.text.data);

    w.in.adopt = NULL;
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), "change targets b ~A; ?foreign c") == 0,
           "trap 9: data follow: %s", w.text.data);

    world_end(&w);
}


/* One host that the provider does not take; the others go on. */

static void
test_quarantine(void)
{
    uint64_t  last;
    unsigned  i, tried;
    world_t   w;

    world_start(&w);
    world_wants(&w, "bad A 192.0.2.1; good A 192.0.2.1");

    for (i = 0, tried = 0, last = 0; i < 36; i++, w.in.now += 100) {
        (void) world_plan(&w);

        if (w.plan.n && torii_str_eqs(w.plan.edits[0].name, "bad.a.test")) {
            dnssync_gate_failed(w.gate, &w.plan.edits[0], w.in.now);
            tried++;
            last = i;
        }
    }

    tap_ok(tried == 6 && last < 36, "trap 11: tried %u times in an hour",
           tried);

    world_wants(&w, "bad A 192.0.2.1; good A 192.0.2.1; new A 192.0.2.1");
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), "create new good +A +TXT; "
                  "create new new +A +TXT; ?failing bad") == 0,
           "trap 11: it does not hold up others: %s", w.text.data);

    world_end(&w);
}


/* A provider that makes something else of it each time. */

static void
test_divergence(void)
{
    unsigned  i, written;
    world_t   w;

    world_start(&w);
    world_wants(&w, "app A 192.0.2.1 ttl=60");

    for (i = 0, written = 0; i < 10; i++, w.in.now += 60) {
        world_zone(&w, "app A 192.0.2.1 ttl=120; _dnssync.app" M
                       "A,resource=r");
        (void) world_plan(&w);
        written += w.plan.n;
        (void) world_apply(&w);
    }

    world_zone(&w, "app A 192.0.2.1 ttl=120; _dnssync.app" M "A,resource=r");
    (void) world_plan(&w);

    tap_ok(written == 3 && strcmp(world_text(&w), "?diverges app") == 0,
           "trap 14: what never converges is written 3 times, not %u",
           written);

    world_wants(&w, "app A 192.0.2.1 ttl=90");
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), "change ttl app ~A") == 0,
           "trap 14: what is wanted changes: it is tried again");

    world_end(&w);
}


static void
test_defaults(void)
{
    world_t  w;

    world_start(&w);
    world_wants(&w, "app A 192.0.2.1");
    (void) world_plan(&w);

    tap_ok(w.plan.n == 1 && w.plan.edits[0].parts[0].after->ttl == 300,
           "trap 15: a TTL is never 0");

    world_end(&w);
}


/* A key that encrypts marks is in no text that leaves the planner. */

static void
test_secret(void)
{
    int          found;
    uint32_t     i;
    world_t      w;
    torii_buf_t  json = { NULL, 0, 0 };

    static const char  key[] = "SecretSecretSecretSecretSecret!!";

    world_start(&w);
    test_external(&w);
    w.conf.registry.key = torii_str(key);
    world_wants(&w, "app A 192.0.2.1; @ A 192.0.2.1");
    (void) world_plan(&w);

    found = 0;

    for (i = 0; i < w.plan.nfindings; i++) {
        found |= strstr((char *) w.plan.findings[i].text.data, "Secret")
                 != NULL;
    }

    (void) world_apply(&w);

    for (i = 0; i < w.n; i++) {
        found |= strstr((char *) w.sets[i].values[0].data, "Secret") != NULL;
        found |= strstr((char *) w.sets[i].values[0].data, "heritage") != NULL;
    }

    dnssync_gate_save(w.gate, &json);
    torii_buf_add(&json, "", 1);
    found |= strstr((char *) json.data, "Secret") != NULL;

    tap_ok(!found && w.n == 2 && w.plan.nfindings == 1,
           "trap 25: the key is nowhere to be seen");

    (void) world_plan(&w);
    tap_ok(w.plan.n == 0, "trap 25: what was encrypted is read again");

    torii_buf_free(&json);
    world_end(&w);
}


int
main(void)
{
    test_traps();
    test_adopt();
    test_quarantine();
    test_divergence();
    test_defaults();
    test_secret();

    return tap_done();
}
