
/*
 * What a session costs to find in a request: microseconds to open the cookie,
 * and nanoseconds to take it from the cache.  With arguments (SECRET, cookie's
 * NAME, HOST, PROVIDER and how many) it prints cookies for a gateway instead.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "oauth2_cache.h"


#define BENCH_SECRET   "of the bench, and of nothing else in the world"
#define BENCH_ROUNDS   200000
#define BENCH_CACHE    (8 * 1024 * 1024)
#define BENCH_GROUPS   4


typedef struct {
    oauth2_ring_t      *ring;
    oauth2_bind_t       bind;
    oauth2_session_t    session;
    oauth2_lifetime_t   life;
    int64_t             now;
    torii_buf_t         line;          /* of cookies */
} bench_t;


static double
bench_ns(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * 1e9 + ts.tv_nsec;
}


static void
bench_start(bench_t *b, const char *secret, const char *name, const char *host,
    const char *provider)
{
    uint32_t            i;
    const char         *error;
    torii_str_t         secrets[1];
    oauth2_session_t   *s;

    static const char  *const  groups[BENCH_GROUPS] = {
        "devs", "admins", "argo-users", "/company/platform"
    };

    memset(b, 0, sizeof(bench_t));

    secrets[0] = torii_str(secret);
    b->ring = oauth2_ring_create(secrets, 1, &error);

    if (b->ring == NULL) {
        fprintf(stderr, "bench_session: the secret %s\n", error);
        exit(1);
    }

    b->bind.use = OAUTH2_USE_SESSION;
    b->bind.name = torii_str(name);
    b->bind.host = torii_str(host);
    b->bind.provider = torii_str(provider);

    b->now = time(NULL);
    b->life.absolute = 12 * 60 * 60;

    s = &b->session;
    s->created = b->now;
    s->seen = b->now;
    s->expires = b->now + b->life.absolute;
    s->verified = 1;
    s->name = torii_str("Somebody Whose Name Is Long");
    s->sid = torii_str("Vq3yWcTq0p6g5kYQ8w2b1s");

    for (i = 0; i < BENCH_GROUPS; i++) {
        s->groups[s->ngroups++] = torii_str(groups[i]);
    }
}


/* The cookie of person number i, "NAME=VALUE". */

static void
bench_cookie(bench_t *b, unsigned i)
{
    char  sub[64], email[64];

    snprintf(sub, sizeof(sub), "f81d4fae-7dec-11d0-a765-%012u", i);
    snprintf(email, sizeof(email), "person-%u@example.com", i);

    b->session.sub = torii_str(sub);
    b->session.user = torii_str(sub + 24);
    b->session.email = torii_str(email);

    b->line.len = 0;
    torii_buf_add_str(&b->line, b->bind.name);
    torii_buf_adds(&b->line, "=");

    if (oauth2_session_seal(b->ring, &b->bind, &b->session, &b->line)
        != OAUTH2_OK)
    {
        fprintf(stderr, "bench_session: a session cannot be sealed\n");
        exit(1);
    }
}


static double
bench_find(bench_t *b, oauth2_cache_t *cache)
{
    double                   begin;
    unsigned                 i, bad;
    torii_str_t              line;
    const oauth2_session_t  *s;

    static oauth2_opened_t   o;

    line.data = b->line.data;
    line.len = b->line.len;

    bad = 0;
    begin = bench_ns();

    for (i = 0; i < BENCH_ROUNDS; i++) {
        bad += cache
               ? oauth2_session_cached(cache, b->ring, &b->bind, line, 1,
                                       b->now, &b->life, &o, &s) != OAUTH2_OK
               : oauth2_session_open(b->ring, &b->bind, line, b->now,
                                     &b->life, &o) != OAUTH2_OK;
    }

    if (bad) {
        fprintf(stderr, "bench_session: a session does not open\n");
        exit(1);
    }

    return (bench_ns() - begin) / BENCH_ROUNDS;
}


int
main(int argc, char **argv)
{
    bench_t          b;
    unsigned         i, n;
    oauth2_cache_t  *cache;

    if (argc == 6) {
        bench_start(&b, argv[1], argv[2], argv[3], argv[4]);
        n = (unsigned) strtoul(argv[5], NULL, 10);

        for (i = 0; i < n; i++) {
            bench_cookie(&b, i);
            printf("%.*s\n", (int) b.line.len, (char *) b.line.data);
        }

    } else {
        bench_start(&b, BENCH_SECRET, "__Host-torii", "app.example.com",
                    "default/company");
        bench_cookie(&b, 1);
        cache = oauth2_cache_create(BENCH_CACHE);

        printf("a session's cookie of %u bytes, opened: %.2f us\n",
               (unsigned) b.line.len, bench_find(&b, NULL) / 1000);
        printf("the same, from the cache: %.0f ns\n", bench_find(&b, cache));

        oauth2_cache_free(cache);
    }

    torii_buf_free(&b.line);
    oauth2_ring_free(b.ring);

    return 0;
}
