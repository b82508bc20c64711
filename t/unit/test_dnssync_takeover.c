
/*
 * Zones that ExternalDNS kept, in each of its formats: the first plan has no
 * edits, and later ones keep the format.  Tags of providers, too.
 */

#include "dnssync_world.h"


#define X   " TXT " WORLD_EXT "me,external-dns/resource=ingress/d/app"
#define X2  " TXT \"" WORLD_EXT "me,external-dns/resource=ingress/d/app\""
#define KEY  "01234567890123456789012345678901"

/* of "me" and "ingress/default/app", with the key */
#define SEALED                                                                \
    " TXT AAECAwQFBgcICQoL5ZEatZ3pTVREaDRakYIwXdtdWJLygrL14qzkqXxgQeUt91eIw"  \
    "gsV8eTRPj994sROlzPZHBHR0bNP2mSuY0LrpkzoMEl2QvM6+drsIYEAAmWpkUobmhscL1"   \
    "12JT37v4CDVg=="

#define APP   "app A 192.0.2.1 ingress/d/app"
#define BOTH  APP "; app AAAA 2001:db8::1 ingress/d/app"
#define MOVE  "app A 192.0.2.2 ingress/d/app"


typedef struct {
    const char  *what;
    const char  *prefix;
    const char  *suffix;
    const char  *wildcard;
    const char  *key;
    const char  *zone;
    const char  *want;
    const char  *next;         /* is wanted then, */
    const char  *plan;         /* and what is done */
    const char  *marks;        /* names of all TXT sets after it */
} test_case_t;


static const test_case_t  test_cases[] = {
    { "by default", "", "", "", "", "app A 192.0.2.1; a-app" X, APP, MOVE,
      "change targets app ~A", "a-app" },
    { "with quotes in its text", "", "", "", "", "app A 192.0.2.1; a-app" X2,
      APP, MOVE, "change targets app ~A", "a-app" },
    { "a new type", "", "", "", "", "app A 192.0.2.1; a-app" X, APP, BOTH,
      "change types app +AAAA +TXT", "a-app aaaa-app" },
    { "a new host", "", "", "", "", "app A 192.0.2.1; a-app" X, APP,
      APP "; b CNAME x.y", "create new b +CNAME +TXT", "a-app cname-b" },
    { "a host that goes", "", "", "", "", "app A 192.0.2.1; a-app" X
      "; b A 192.0.2.1; a-b" X, APP "; b A 192.0.2.1", APP,
      "delete gone b -A -TXT", "a-app" },
    { "addresses that become an alias", "", "", "", "",
      "app A 192.0.2.1; app AAAA 2001:db8::1; a-app" X "; aaaa-app" X, BOTH,
      "app CNAME x.y ingress/d/app",
      "change types app -A -AAAA +CNAME -TXT -TXT +TXT", "cname-app" },
    { "a prefix", "p.", "", "", "", "app A 192.0.2.1; p.a-app" X, APP, BOTH,
      "change types app +AAAA +TXT", "p.a-app p.aaaa-app" },
    { "a suffix", "", "-s", "", "", "app A 192.0.2.1; a-app-s" X, APP, BOTH,
      "change types app +AAAA +TXT", "a-app-s aaaa-app-s" },
    { "the type in its prefix", "ext-%{record_type}.", "", "", "",
      "app A 192.0.2.1; ext-a.app" X "; @ A 192.0.2.1; ext-a" X,
      APP "; @ A 192.0.2.1", BOTH "; @ A 192.0.2.1",
      "change types app +AAAA +TXT", "ext-a.app ext-a ext-aaaa.app" },
    { "the type in its suffix", "", "-%{record_type}", "", "",
      "app A 192.0.2.1; app-a" X, APP, BOTH, "change types app +AAAA +TXT",
      "app-a app-aaaa" },
    { "a wildcard", "", "", "", "", "* A 192.0.2.1; a-*" X, "* A 192.0.2.1",
      "* A 192.0.2.2 ingress/d/app", "change targets * ~A", "a-*" },
    { "a word for it", "", "", "any", "", "* A 192.0.2.1; a-any" X,
      "* A 192.0.2.1", "* A 192.0.2.2 ingress/d/app", "change targets * ~A",
      "a-any" },
    { "both formats, of versions up to 0.17", "", "", "", "",
      "app A 192.0.2.1; a-app" X "; app" X, APP, MOVE,
      "change targets app ~A", "a-app app" },
    { "of these, a host that goes takes both along", "", "", "", "",
      "app A 192.0.2.1; a-app" X "; app" X "; b A 192.0.2.1; a-b" X,
      APP "; b A 192.0.2.1", "b A 192.0.2.1",
      "delete gone app -A -TXT -TXT", "a-b" },
    { "the old format only", "", "", "", "", "app A 192.0.2.1; app" X, APP,
      MOVE, "change targets app ~A", "app" },
    { "of this, a new type", "", "", "", "", "app A 192.0.2.1; app" X, APP,
      BOTH, "change types app +AAAA +TXT", "app aaaa-app" },
    { "of this, an alias, beside which the mark cannot stay", "", "", "", "",
      "app A 192.0.2.1; app" X, APP, "app CNAME x.y ingress/d/app",
      "change types app -A +CNAME -TXT +TXT", "cname-app" },
    { "of this, an alias, with a prefix", "p.", "", "", "",
      "app CNAME x.y; p.app" X, "app CNAME x.y", "app CNAME z.y ingress/d/app",
      "change targets app ~CNAME", "p.app" },
    { "a host whose name looks like a mark's", "", "", "", "",
      "a-app A 192.0.2.1; a-a-app" X "; app A 192.0.2.1; a-app" X,
      APP "; a-app A 192.0.2.1", MOVE "; a-app A 192.0.2.1",
      "change targets app ~A", "a-a-app a-app" },
    { "encrypted", "", "", "", KEY, "app A 192.0.2.1; a-app" SEALED, APP, BOTH,
      "change types app +AAAA ~TXT +TXT", "a-app aaaa-app" },
    { "encrypted, with plain ones left", "", "", "", KEY,
      "app A 192.0.2.1; a-app" X, APP, MOVE, "change targets app ~A",
      "a-app" },
    { "an alias of Route 53, told of as CNAME", "", "", "", "",
      "app A 192.0.2.1 opt=alias:true; cname-app" X,
      "app A 192.0.2.1 ingress/d/app opt=alias:true", "app A 192.0.2.2 "
      "ingress/d/app opt=alias:true", "change targets app ~A", "cname-app" },
    { "of others, and with other things in it", "", "", "", "",
      "app A 192.0.2.1; a-app" X "; b A 192.0.2.1; a-b TXT " WORLD_EXT "you; "
      "c A 192.0.2.1; c TXT v=spf1; mx-app" X "; srv-d" X,
      APP, MOVE, "change targets app ~A", "a-app a-b c mx-app srv-d" }
};


static int
test_marks(world_t *w, const char *marks)
{
    int          ok;
    uint32_t     i, n;
    torii_str_t  rest, name;

    ok = 1;
    n = 0;
    rest = torii_str(marks);

    while (torii_str_next(&rest, " ", &name)) {
        name = torii_str_eqs(name, "ext-a") ? torii_str("ext-a.a.test")
                                            : world_name(w, name);
        ok &= (world_find(w, name, torii_str(""), DNSSYNC_TXT) != NULL);
        n++;
    }

    for (i = 0; i < w->n; i++) {
        n -= (w->sets[i].type == DNSSYNC_TXT);
    }

    return ok && n == 0;
}


static void
test_takeover(void)
{
    int                 none;
    size_t              i;
    world_t             w;
    const char         *text;
    const test_case_t  *t;

    static const char *const  options[] = { "alias", NULL };

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        t = &test_cases[i];

        world_start(&w);
        w.provider.options = options;
        w.conf.registry.form = DNSSYNC_FORM_EXTERNAL;
        w.conf.registry.prefix = torii_str(t->prefix);
        w.conf.registry.suffix = torii_str(t->suffix);
        w.conf.registry.wildcard = torii_str(t->wildcard);
        w.conf.registry.key = torii_str(t->key);

        world_zone(&w, t->zone);
        world_wants(&w, t->want);
        (void) world_plan(&w);

        none = w.plan.n == 0 && w.plan.nfindings == 0 && w.plan.owned > 0;

        world_wants(&w, t->next);
        (void) world_plan(&w);
        w.in.now += 60;
        (void) world_plan(&w);
        text = world_text(&w);

        if (!tap_ok(none && strcmp(text, t->plan) == 0
                    && world_apply(&w) == 0 && test_marks(&w, t->marks),
                    "%s", t->what))
        {
            printf("# none: %d, then %s\n", none, text);
        }

        (void) world_plan(&w);
        tap_ok(w.plan.n == 0, "%s: then nothing", t->what);

        world_end(&w);
    }
}


/* The form that is configured is for new hosts; others keep theirs. */

static void
test_mixed(void)
{
    world_t  w;

    world_start(&w);
    world_zone(&w, "app A 192.0.2.1; a-app" X);
    world_wants(&w, BOTH "; b A 192.0.2.1");
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), "create new b +A +TXT; "
                  "change types app +AAAA +TXT") == 0
           && world_apply(&w) == 0
           && test_marks(&w, "a-app aaaa-app _dnssync.b"),
           "ours for new hosts, the other's for those that have it");

    /* two marks that disagree: it is not ours */

    world_zone(&w, "app A 192.0.2.1; a-app" X "; _dnssync.app TXT "
                   "heritage=torii,owner=you,types=A");
    world_wants(&w, MOVE);
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), "?foreign app") == 0,
           "marks that disagree");

    world_wants(&w, "b A 192.0.2.1");
    (void) world_plan(&w);
    w.in.now += 60;
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), "create new b +A +TXT") == 0,
           "nor is it deleted");

    world_end(&w);
}


static void
test_native(void)
{
    world_t           w;
    dnssync_rrset_t  *set;

    world_start(&w);
    w.conf.registry.form = DNSSYNC_FORM_NATIVE;
    w.provider.tag_max = 60;
    world_wants(&w, BOTH "; b A 192.0.2.1 ingress/a-namespace/and-so-long");
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), "create new app +A +AAAA; "
                  "create new b +A") == 0
           && world_apply(&w) == 0, "a tag saves the TXT records");

    set = world_find(&w, torii_str("app.a.test"), torii_str(""), DNSSYNC_A);
    tap_ok(set && torii_str_eqs(set->tag, "heritage=torii,owner=me,"
                                "resource=ingress/d/app"), "the tag");

    set = world_find(&w, torii_str("b.a.test"), torii_str(""), DNSSYNC_A);
    tap_ok(set && torii_str_eqs(set->tag, "heritage=torii,owner=me"),
           "a tag that is too long goes without the resource");

    (void) world_plan(&w);
    tap_ok(w.plan.n == 0 && w.plan.owned == 3, "then there is nothing to do");

    world_wants(&w, MOVE);
    (void) world_plan(&w);
    w.in.now += 60;
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), "change targets app -AAAA ~A; "
                  "delete gone b -A") == 0,
           "changed and deleted: %s", w.text.data);

    w.in.adopt = &w.adopt;
    w.adopt.unowned = 1;
    world_zone(&w, "app A 192.0.2.9 tag=mine");
    (void) world_plan(&w);

    tap_ok(strcmp(world_text(&w), "adopt adopt app ~A") == 0
           && torii_str_eqs(w.plan.edits[0].parts[0].after->values[0],
                            "192.0.2.9"), "adopted by its tag");

    world_end(&w);
}


int
main(void)
{
    test_takeover();
    test_mixed();
    test_native();

    return tap_done();
}
