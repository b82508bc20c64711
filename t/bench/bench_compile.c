
/*
 * What compile costs: 10,000 Ingresses, each with a host, a certificate (one
 * of 97, or with an argument one of 10,000), a Service and a slice; all new,
 * and after one of them changed.
 */

#include <time.h>

#include "cert_make.h"
#include "world_make.h"


#define BENCH_INGRESSES  10000
#define BENCH_ROUNDS     200


static unsigned  bench_certs = 97;


static double
bench_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}


static void
bench_ingress(torii_buf_t *b, unsigned i, unsigned paths)
{
    unsigned  n;

    torii_buf_printf(b, "ingress team-%u/app-%u %u\n", i % 97, i,
                     1700000000 + i * 7919 % 100000);
    torii_buf_adds(b, "note proxy-body-size 8m\nnote ssl-redirect true\n");

    for (n = 0; n < paths; n++) {
        torii_buf_printf(b, "rule app-%u.team-%u.example.com Prefix "
                         "/%s%.0d app-%u:80\n", i, i % 97, n ? "api/v" : "", n,
                         i);
    }

    torii_buf_printf(b, "tls tls-%u app-%u.team-%u.example.com\n",
                     i % bench_certs, i, i % 97);
}


/* One key for all of them: it is the parsing that costs. */

static void
bench_secrets(world_t *w)
{
    char        names[64], path[64];
    EVP_PKEY   *pkey;
    unsigned    i;
    cert_pem_t  c;

    pkey = cert_key_make("ec");

    for (i = 0; i < bench_certs; i++) {
        snprintf(names, sizeof(names), "DNS:*.team-%u.example.com", i % 97);
        snprintf(path, sizeof(path), "team-%u/tls-%u", i % 97, i);

        EVP_PKEY_up_ref(pkey);
        cert_make(&c, pkey, "ec", "team", names, w->now - 86400,
                  w->now + 86400);
        world_secret(w, path, c.crt, c.key, NULL);
        cert_pem_free(&c);
    }

    EVP_PKEY_free(pkey);
}


static void
bench_backend(torii_buf_t *b, unsigned i)
{
    torii_buf_printf(b, "service team-%u/app-%u http:80:8080\n", i % 97, i);
    torii_buf_printf(b, "slice team-%u/app-%u-abcde app-%u http:8080 "
                     "10.%u.%u.1 10.%u.%u.2\n", i % 97, i, i, i >> 8 & 0xff,
                     i & 0xff, i >> 8 & 0xff, i & 0xff);
}


static int
bench_cmp(const void *one, const void *two)
{
    double  a, b;

    a = *(const double *) one;
    b = *(const double *) two;

    return (a > b) - (a < b);
}


static void
bench_changes(world_t *w, const char *what)
{
    double       start, times[BENCH_ROUNDS];
    unsigned     i;
    torii_buf_t  b;

    memset(&b, 0, sizeof(torii_buf_t));

    for (i = 0; i < BENCH_ROUNDS; i++) {
        b.len = 0;

        if (*what == 'i') {
            bench_ingress(&b, i * 37, 1 + i % 3);
            torii_buf_printf(&b, "note proxy-read-timeout %u", 10 + i);

        } else {
            torii_buf_printf(&b, "slice team-%u/app-%u-abcde app-%u http:8080 "
                             "10.0.%u.9", i % 97, i, i, i & 0xff);
        }

        torii_buf_add(&b, "", 1);
        world_add(w, (char *) b.data);

        w->out.len = 0;
        start = bench_now();

        ingress_compile(w->store, &w->options, w->now, NULL, NULL, &w->out);

        times[i] = bench_now() - start;
    }

    qsort(times, BENCH_ROUNDS, sizeof(double), bench_cmp);

    printf("one %s changed: %.0f us (median of %u), worst %.0f us\n", what,
           times[BENCH_ROUNDS / 2], BENCH_ROUNDS, times[BENCH_ROUNDS - 1]);

    torii_buf_free(&b);
}


int
main(int argc, char **argv)
{
    double       start;
    world_t      w;
    unsigned     i;
    torii_buf_t  b;

    if (argc > 1) {
        bench_certs = BENCH_INGRESSES;
    }

    world_start(&w);
    bench_secrets(&w);
    memset(&b, 0, sizeof(torii_buf_t));

    start = bench_now();

    for (i = 0; i < BENCH_INGRESSES; i++) {
        bench_ingress(&b, i, 1 + i % 3);
        bench_backend(&b, i);
    }

    torii_buf_add(&b, "", 1);
    world_add(&w, (char *) b.data);

    printf("%u Ingresses read: %.0f us\n",
           ingress_store_count(w.store, INGRESS_KIND_INGRESS),
           bench_now() - start);

    start = bench_now();

    ingress_compile(w.store, &w.options, w.now, NULL, NULL, &w.out);

    printf("first compile: %.0f us, %zu bytes\n", bench_now() - start,
           w.out.len);

    if (world_compile(&w) != TORII_OK) {
        printf("the table is bad: %s\n", w.error);
    }

    world_print(&w);

    bench_changes(&w, "ingress");
    bench_changes(&w, "slice");

    world_end(&w);
    torii_buf_free(&b);

    return 0;
}
