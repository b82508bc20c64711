
/*
 * What a lookup and the opening of a table cost: nanoseconds per lookup in a
 * table of 10,000 hosts, milliseconds to check 10 MB of it.
 */

#include <stdio.h>
#include <time.h>

#include "table_make.h"
#include "ingress_route.h"


#define BENCH_HOSTS    10000
#define BENCH_ROWS     (BENCH_HOSTS * 3 + 1)
#define BENCH_LOOKUPS  2000000
#define BENCH_OPENS    20
#define BENCH_CERT     600
#define BENCH_STEP     7919      /* a prime: hosts in no order of memory */


typedef struct {
    torii_str_t   *hosts;        /* lower case, as a worker has them */
    table_row_t   *rows;
    uint32_t       n;
} bench_t;


static double
bench_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * 1e9 + ts.tv_nsec;
}


static void
bench_rows(bench_t *b, torii_arena_t *a)
{
    uint32_t      i;
    table_row_t  *row;

    b->hosts = torii_malloc(BENCH_HOSTS * sizeof(torii_str_t));
    b->rows = torii_zalloc((BENCH_ROWS + 1) * sizeof(table_row_t));

    row = b->rows;

    row->host = "_";
    row->type = '/';
    row->path = "/";
    row++;

    for (i = 0; i < BENCH_HOSTS; i++) {
        b->hosts[i] = torii_arena_printf(a, "app-%u.team-%u.example.com", i,
                                         i % 97);

        row[0].host = (char *) b->hosts[i].data;
        row[0].type = '/';
        row[0].path = "/";

        row[1].host = row[0].host;
        row[1].type = '=';
        row[1].path = "/api/v1";

        row[2].host = row[0].host;
        row[2].type = '/';
        row[2].path = "/api/v1/";

        row += 3;
    }
}


static void
bench_find(const ingress_table_t *t, torii_regex_cache_t *regexes, bench_t *b,
    const char *name, const char *path, uint32_t hosts)
{
    double           start, ns;
    uint32_t         i, host, found;
    torii_str_t      uri;
    ingress_match_t  match;

    uri = torii_str(path);
    found = 0;
    host = 0;

    start = bench_now();

    for (i = 0; i < BENCH_LOOKUPS; i++) {
        ingress_route_find(t, regexes, b->hosts[host], uri, &match);
        found += (match.route != NULL);

        host = (host + BENCH_STEP) % hosts;
    }

    ns = (bench_now() - start) / BENCH_LOOKUPS;

    printf("%-32s %-24s %7.1f ns%s\n", name, path, ns,
           found == BENCH_LOOKUPS ? "" : "  (not found)");
}


static void
bench_check(const torii_buf_t *out)
{
    int              i;
    char             error[128];
    double           start, spent, hash;
    ingress_table_t  t;

    start = bench_now();

    for (i = 0; i < BENCH_OPENS; i++) {
        if (ingress_table_check(&t, out->data, out->len, error) != TORII_OK) {
            printf("table: %s\n", error);
            return;
        }
    }

    spent = (bench_now() - start) / BENCH_OPENS;

    start = bench_now();

    for (i = 0; i < BENCH_OPENS; i++) {
        hash = (double) torii_hash(out->data, out->len, i);
    }

    (void) hash;

    printf("%-32s %-24.1f %7.2f ms (checksum %.2f ms)\n", "check, MB",
           out->len / 1e6, spent / 1e6,
           (bench_now() - start) / BENCH_OPENS / 1e6);
}


static void
bench_open(const torii_buf_t *out)
{
    int              i;
    char             error[128];
    FILE            *f;
    double           start;
    ingress_table_t  t;

    static const char  path[] = "bench_route.table";

    f = fopen(path, "w");

    if (f == NULL || fwrite(out->data, 1, out->len, f) != out->len) {
        perror(path);
        return;
    }

    (void) fclose(f);

    start = bench_now();

    for (i = 0; i < BENCH_OPENS; i++) {
        if (ingress_table_open(&t, path, error) != TORII_OK) {
            printf("table: %s\n", error);
            return;
        }

        ingress_table_close(&t);
    }

    printf("%-32s %-24s %7.2f ms\n", "open and close, mapped", "",
           (bench_now() - start) / BENCH_OPENS / 1e6);

    (void) remove(path);
}


/* One host of many paths, or of many regexes. */

static void
bench_paths(torii_regex_cache_t *regexes, torii_arena_t *a, char type,
    uint32_t n, const char *uri)
{
    bench_t          b;
    uint32_t         i;
    char             name[64], error[128];
    torii_buf_t      out;
    torii_str_t      host;
    ingress_table_t  t;

    b.rows = torii_zalloc((n + 2) * sizeof(table_row_t));
    b.rows[0].host = "_";
    b.rows[0].type = type;
    b.rows[0].path = type == '~' ? "/none" : "/";

    for (i = 0; i < n; i++) {
        b.rows[i + 1].host = "many.example";
        b.rows[i + 1].type = type;
        b.rows[i + 1].path = (char *)
            torii_arena_printf(a, type == '~' ? "/service-%u(/|$)(.*)"
                                              : "/service/%u/", i).data;
    }

    table_make(b.rows, 0, &out);

    if (ingress_table_check(&t, out.data, out.len, error) != TORII_OK) {
        printf("table: %s\n", error);
        return;
    }

    host = torii_str("many.example");
    b.hosts = &host;

    (void) snprintf(name, sizeof(name), "one host, %u %s", n,
                    type == '~' ? "regexes" : "prefixes");

    bench_find(&t, regexes, &b, name, uri, 1);

    torii_buf_free(&out);
    free(b.rows);
}


int
main(void)
{
    char                  error[128];
    bench_t               b;
    torii_buf_t           out;
    torii_arena_t        *a;
    ingress_table_t       t;
    torii_regex_cache_t  *regexes;

    a = torii_arena_create(1 << 16);
    regexes = torii_regex_cache_create(4096);

    bench_rows(&b, a);
    table_make(b.rows, BENCH_CERT, &out);

    bench_check(&out);
    bench_open(&out);

    if (ingress_table_check(&t, out.data, out.len, error) != TORII_OK) {
        printf("table: %s\n", error);
        return 1;
    }

    bench_find(&t, regexes, &b, "10,000 hosts", "/", BENCH_HOSTS);
    bench_find(&t, regexes, &b, "10,000 hosts", "/api/v1", BENCH_HOSTS);
    bench_find(&t, regexes, &b, "10,000 hosts", "/api/v1/users/17/name",
               BENCH_HOSTS);
    bench_find(&t, regexes, &b, "10,000 hosts", "/static/logo.png",
               BENCH_HOSTS);
    bench_find(&t, regexes, &b, "one host of 10,000", "/api/v1/users/17/name",
               1);

    torii_buf_free(&out);

    bench_paths(regexes, a, '/', 100000, "/service/77777/x");
    bench_paths(regexes, a, '~', 10, "/service-9/x");
    bench_paths(regexes, a, '~', 100, "/service-99/x");

    free(b.hosts);
    free(b.rows);

    torii_regex_cache_destroy(regexes);
    torii_arena_destroy(a);

    return 0;
}
