
/*
 * Zones and wishes by chance, from a seed that is printed: what is planned can
 * be done, a second plan has nothing to do, what is another's stays as it is,
 * and nothing is deleted while something is not known.  Then ten thousand
 * hosts, against the clock.
 */

#include <time.h>

#include "dnssync_world.h"


#define WORLDS  400
#define ROUNDS  6
#define HOSTS   10000
#define LIMIT   50             /* milliseconds of a plan of them */

#if defined(__SANITIZE_ADDRESS__)
#define SLOW    8              /* times as long */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOW    8
#endif
#endif

#ifndef SLOW
#define SLOW    1
#endif


static uint64_t  test_seed;


static unsigned
test_random(unsigned n)
{
    test_seed = test_seed * 6364136223846793005ULL + 1442695040888963407ULL;

    return (unsigned) (test_seed >> 33) % n;
}


static const char *const  test_names[] = {
    "@", "*", "app", "www", "b", "*.b", "x.b", "any", "a-app", "aaaa-b", "mx",
    "deep.er.b"
};

#define TEST_NAMES  (sizeof(test_names) / sizeof(test_names[0]))


/* What is there already and is nobody's or another's. */

static void
test_strangers(world_t *w)
{
    char              line[160];
    unsigned          i, k;
    torii_str_t       s;
    const char       *name;
    dnssync_rrset_t  *last;

    static const char *const  forms[] = {
        "%s A 198.51.100.1", "%s AAAA 2001:db8:f::1", "%s MX mail",
        "%s TXT v=spf1|x", "a-%s TXT " WORLD_EXT "you", "%s NS ns",
        "_dnssync.%s TXT heritage=torii,owner=you,types=A+AAAA",
        "%s TXT " WORLD_EXT "you", "%s CNAME other.example"
    };

    for (i = 0; i < TEST_NAMES; i++) {
        name = test_names[i];

        if (test_random(3) || *name == '@' || *name == '*') {
            continue;
        }

        snprintf(line, sizeof(line), forms[test_random(9)], name);
        s = torii_arena_str(w->a, torii_str(line));
        world_record(w, s);

        last = &w->sets[w->n - 1];

        for (k = 0; k < w->n - 1; k++) {
            if (torii_str_eq(w->sets[k].name, last->name)
                && (w->sets[k].type == last->type
                    || w->sets[k].type == DNSSYNC_CNAME
                    || last->type == DNSSYNC_CNAME))
            {
                w->n--;
                break;
            }
        }
    }
}


static void
test_wishes(world_t *w)
{
    char      line[160];
    unsigned  i, kind, ttl;

    w->nwants = 0;

    for (i = 0; i < TEST_NAMES; i++) {
        kind = test_random(6);
        ttl = test_random(3) ? 0 : 60 + 60 * test_random(3);

        if (kind < 3) {
            snprintf(line, sizeof(line), "%s A 192.0.2.%u r%u ttl=%u",
                     test_names[i], test_random(3), test_random(3), ttl);
            world_want(w, torii_arena_str(w->a, torii_str(line)));
        }

        if (kind == 1 || kind == 3) {
            snprintf(line, sizeof(line), "%s AAAA 2001:db8::%u r%u ttl=%u",
                     test_names[i], test_random(3), test_random(3), ttl);
            world_want(w, torii_arena_str(w->a, torii_str(line)));
        }

        if (kind == 4) {
            snprintf(line, sizeof(line), "%s CNAME lb%u.example r%u said",
                     test_names[i], test_random(3), test_random(3));
            world_want(w, torii_arena_str(w->a, torii_str(line)));
        }
    }
}


static void
test_registry(world_t *w)
{
    static const char *const  prefixes[] = { "", "p.", "%{record_type}-x." };
    static const char *const  words[] = { "", "any" };

    w->conf.registry.form = (dnssync_form_e) test_random(3);
    w->conf.registry.prefix = torii_str(prefixes[test_random(3)]);
    w->conf.registry.wildcard = torii_str(words[test_random(2)]);
    w->provider.tag_max = test_random(2) ? 100 : 0;
    w->provider.alias = test_random(2);

    if (test_random(4) == 0) {
        w->conf.registry.key = torii_str("01234567890123456789012345678901");
    }
}


/* Sets that are not ours are there, with all their values. */

static int
test_untouched(world_t *w, const dnssync_rrset_t *sets, uint32_t n)
{
    uint32_t                i, j, k;
    const dnssync_rrset_t  *now;

    for (i = 0; i < n; i++) {
        now = world_find(w, sets[i].name, sets[i].set, sets[i].type);

        if (now == NULL || now->ttl != sets[i].ttl) {
            return 0;
        }

        if (sets[i].type != DNSSYNC_TXT && now->n != sets[i].n) {
            return 0;
        }

        for (j = 0; j < sets[i].n; j++) {
            for (k = 0; k < now->n; k++) {
                if (torii_str_eq(sets[i].values[j], now->values[k])) {
                    break;
                }
            }

            if (k == now->n) {
                return 0;
            }
        }
    }

    return 1;
}


/* Nothing beside an alias (RFC 1034 section 3.6.2), and all in the zone. */

static int
test_lawful(world_t *w)
{
    uint32_t  i, j;

    for (i = 0; i < w->n; i++) {

        if (!torii_str_eqs(w->sets[i].name, WORLD_ZONE)
            && strstr((char *) w->sets[i].name.data, "." WORLD_ZONE) == NULL)
        {
            return 0;
        }

        for (j = 0; j < w->n; j++) {
            if (i != j && w->sets[i].type == DNSSYNC_CNAME
                && !torii_str_eqs(w->sets[i].name, WORLD_ZONE)
                && torii_str_eq(w->sets[i].name, w->sets[j].name))
            {
                return 0;
            }
        }
    }

    return 1;
}


static const char *
test_round(world_t *w, const dnssync_rrset_t *strangers, uint32_t n,
    unsigned *first)
{
    int       part;
    uint32_t  i;

    test_wishes(w);

    part = (test_random(3) == 0);
    w->source.complete = !part;
    w->conf.policy = test_random(4) ? DNSSYNC_SYNC : DNSSYNC_UPSERT_ONLY;

    (void) world_plan(w);

    for (i = 0; i < w->plan.n; i++) {
        if (w->plan.edits[i].what == DNSSYNC_EDIT_DELETE
            && (part || w->conf.policy != DNSSYNC_SYNC))
        {
            return "a deletion by what is not known";
        }
    }

    w->in.now += 60;
    (void) world_plan(w);

    for (i = 0; i < w->plan.n; i++) {
        if (w->plan.edits[i].what == DNSSYNC_EDIT_DELETE
            && (part || w->conf.policy != DNSSYNC_SYNC))
        {
            return "a deletion by what is not known, later";
        }
    }

    /* a name that another host has to leave first takes a second plan */

    for (i = 0; i < 2; i++) {

        if (world_apply(w)) {
            return "an edit whose own requirements do not hold";
        }

        if (!test_untouched(w, strangers, n)) {
            return "another's record was touched";
        }

        if (!test_lawful(w)) {
            return "a zone that cannot be";
        }

        (void) world_plan(w);

        if (w->plan.n == 0) {
            *first += (i == 0);
            return NULL;
        }
    }

    return "the third plan is not empty";
}


static void
test_worlds(void)
{
    uint32_t          n;
    uint64_t          seed;
    unsigned          i, k, first;
    world_t           w;
    const char       *fault;
    dnssync_rrset_t  *strangers;

    for (i = 0, first = 0, fault = NULL; i < WORLDS && fault == NULL; i++) {
        seed = test_seed;

        world_start(&w);
        w.conf.max_age = 1000000;
        w.conf.allow_empty = test_random(2);
        w.conf.brake_percent = test_random(2) ? 100 : 20;
        test_registry(&w);
        test_strangers(&w);

        n = w.n;
        strangers = torii_malloc((n + 1) * sizeof(dnssync_rrset_t));

        for (k = 0; k < n; k++) {
            world_copy(&w, &strangers[k], &w.sets[k]);
        }

        for (k = 0; k < ROUNDS && fault == NULL; k++) {
            fault = test_round(&w, strangers, n, &first);
        }

        if (fault) {
            printf("# seed %llu, round %u: %s\n# %s\n",
                   (unsigned long long) seed, k - 1, fault, world_text(&w));
        }

        free(strangers);
        world_end(&w);
    }

    tap_ok(fault == NULL && first * 10 > i * ROUNDS * 9,
           "%u zones by chance: of %u plans %u are followed by an empty one",
           i, i * ROUNDS, first);
}


static double
test_clock(void)
{
    struct timespec  t;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);

    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}


static double
test_timed(world_t *w)
{
    unsigned  i;
    double    best, begin;

    for (i = 0, best = 1e9; i < 3; i++) {
        begin = test_clock();
        (void) world_plan(w);
        begin = test_clock() - begin;
        best = (begin < best) ? begin : best;
    }

    return best;
}


static void
test_many(void)
{
    char      line[128];
    double    ms;
    unsigned  i;
    world_t   w;

    world_start(&w);

    for (i = 0; i < HOSTS; i++) {
        snprintf(line, sizeof(line), "h%u A 192.0.2.1 ingress/d/h%u", i, i);
        world_want(&w, torii_arena_str(w.a, torii_str(line)));
    }

    ms = test_timed(&w);
    tap_ok(w.plan.n == HOSTS && ms < LIMIT * SLOW,
           "%u hosts to create: %.1f ms, %.1f MB", HOSTS, ms,
           torii_arena_used(w.plan.arena) / 1e6);

    for (i = 0; i < HOSTS; i++) {
        snprintf(line, sizeof(line), "h%u A 192.0.2.1", i);
        world_record(&w, torii_arena_str(w.a, torii_str(line)));
        snprintf(line, sizeof(line), "_dnssync.h%u TXT " WORLD_MARK
                 "A,resource=ingress/d/h%u", i, i);
        world_record(&w, torii_arena_str(w.a, torii_str(line)));
    }

    ms = test_timed(&w);
    tap_ok(w.plan.n == 0 && w.plan.owned == HOSTS && ms < LIMIT * SLOW,
           "%u hosts as they should be: %.1f ms, %.1f MB", HOSTS, ms,
           torii_arena_used(w.plan.arena) / 1e6);

    for (i = 0; i < HOSTS; i++) {
        w.sets[2 * i].values[0] = torii_str("192.0.2.2");
    }

    ms = test_timed(&w);
    tap_ok(w.plan.n == HOSTS && ms < LIMIT * SLOW,
           "%u hosts to change: %.1f ms, %.1f MB", HOSTS, ms,
           torii_arena_used(w.plan.arena) / 1e6);

    w.nwants = 1;
    ms = test_timed(&w);
    tap_ok(w.plan.n == 1 && ms < LIMIT * SLOW,
           "%u hosts missing: %.1f ms", HOSTS, ms);

    world_end(&w);
}


int
main(int argc, char **argv)
{
    test_seed = (argc > 1) ? strtoull(argv[1], NULL, 10) : 20260101;

    test_worlds();
    test_many();

    return tap_done();
}
