
/*
 * Changes to a sound table, its checksum made to fit: whatever is still taken
 * must be safe to look things up in.  Input: records of a place (2 bytes) and
 * a value (4 bytes), counted from the table's start; places behind its end cut
 * it short.
 */

#include "table_make.h"
#include "ingress_route.h"
#include "ingress_challenge.h"


#define FUZZ_RECORD  6


static const table_row_t  fuzz_rows[] = {
    { "_", '/', "/", NULL },
    { "a.example", '=', "/a", NULL },
    { "a.example", '=', "/b", NULL },
    { "a.example", '/', "/", NULL },
    { "a.example", '/', "/a/", "/$1" },
    { "a.example", '/', "/a/b/", NULL },
    { "a.example", 'n', "b.example", NULL },
    { "a.example", 'n', "*.w.example", NULL },
    { "a.example", 'a', "^c", NULL },
    { "r.example", '~', "/x(.*)", "/y/$1" },
    { "r.example", '~', "/", NULL },
    { NULL, 0, NULL, NULL }
};

static const char *const  fuzz_hosts[] = {
    "", "a.example", "b.example", "x.w.example", "cc", "r.example", "no.example"
};

static const char *const  fuzz_names[] = {
    "", "token", "token-a", "token-b", "a.example", "b.example", "c.example"
};

static const char *const  fuzz_uris[] = {
    "/", "/a", "/a/", "/a/b", "/a/b/c", "/xyz", "/zz", ""
};


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static volatile uint64_t  fuzz_sum;


static void
fuzz_read(const ingress_table_t *t, ingress_ref_t ref)
{
    torii_str_t  s;

    s = ingress_table_str(t, ref);

    fuzz_sum += torii_hash(s.data, s.len + 1, 0);
}


/* What a worker reads of a route once it is found */

static void
fuzz_route(const ingress_table_t *t, const ingress_table_route_t *route)
{
    uint32_t                        i;
    const ingress_policy_t         *p;
    const ingress_table_backend_t  *b;

    p = &t->policies[route->policy];

    for (i = 0; i < ingress_policy_nrefs; i++) {
        fuzz_read(t, *(const ingress_ref_t *)
                         ((const char *) p + ingress_policy_refs[i]));
    }

    fuzz_read(t, route->service);

    if (route->ingress != INGRESS_NONE) {
        fuzz_read(t, t->ingresses[route->ingress].name);
    }

    if (route->backend != INGRESS_NONE) {
        b = &t->backends[route->backend];
        fuzz_read(t, b->name);

        for (i = 0; i < b->n; i++) {
            fuzz_sum += t->endpoints[b->first + i].port;
        }
    }
}


static void
fuzz_find(const ingress_table_t *t, torii_regex_cache_t *regexes)
{
    size_t           i, k;
    torii_str_t      out, uri;
    unsigned char    buf[64];
    ingress_match_t  match;

    for (i = 0; i < sizeof(fuzz_hosts) / sizeof(fuzz_hosts[0]); i++) {
        for (k = 0; k < sizeof(fuzz_uris) / sizeof(fuzz_uris[0]); k++) {

            uri = torii_str(fuzz_uris[k]);

            ingress_route_find(t, regexes, torii_str(fuzz_hosts[i]), uri,
                               &match);

            fuzz_read(t, match.host->name);
            fuzz_read(t, match.host->app_root);

            if (match.host->cert != INGRESS_NONE) {
                fuzz_read(t, t->certs[match.host->cert].chain);
            }

            if (match.route) {
                fuzz_route(t, match.route);
                (void) ingress_route_rewrite(t, regexes, &match, uri, buf,
                                             sizeof(buf), &out);
            }
        }
    }
}


static void
fuzz_challenge(const ingress_table_t *t, const ingress_table_challenge_t *ch)
{
    if (ch) {
        fuzz_read(t, ch->name);
        fuzz_read(t, ch->value);
        fuzz_read(t, ch->key);
    }
}


static void
fuzz_challenges(const ingress_table_t *t)
{
    size_t  i;

    for (i = 0; i < sizeof(fuzz_names) / sizeof(fuzz_names[0]); i++) {
        fuzz_challenge(t, ingress_challenge_http(t, torii_str(fuzz_names[i])));
        fuzz_challenge(t, ingress_challenge_alpn(t, torii_str(fuzz_names[i])));
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                     error[128];
    size_t                   len;
    uint16_t                 place;
    unsigned char           *copy;
    ingress_table_t          t;
    ingress_table_header_t  *h;

    static torii_buf_t           good;
    static torii_regex_cache_t  *regexes;

    if (regexes == NULL) {
        regexes = torii_regex_cache_create(64);
        table_make(fuzz_rows, 16, &good);
    }

    len = good.len;
    copy = torii_malloc(len);
    memcpy(copy, good.data, len);

    for ( /* void */ ; size >= FUZZ_RECORD; size -= FUZZ_RECORD) {

        memcpy(&place, data, 2);

        if ((size_t) place + 4 <= good.len) {
            memcpy(copy + place, data + 2, 4);

        } else {
            len = good.len - place % (good.len - sizeof(*h));
        }

        data += FUZZ_RECORD;
    }

    copy = torii_realloc(copy, len);

    h = (ingress_table_header_t *) copy;
    h->size = len;
    table_make_sign(copy, len);

    if (ingress_table_check(&t, copy, len, error) == TORII_OK) {
        fuzz_find(&t, regexes);
        fuzz_challenges(&t);
    }

    free(copy);

    return 0;
}
