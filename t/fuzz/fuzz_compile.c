
/*
 * Documents to objects to a table: whatever they say, the table is sound, the
 * same for a second compile and for a store made anew, and can be looked up.
 */

#include <stdlib.h>

#include "ingress_store.h"
#include "ingress_route.h"


#define FUZZ_OBJECTS  64

/* The first byte of the input. */

#define FUZZ_ALL       0x01
#define FUZZ_LOOPBACK  0x02
#define FUZZ_CONFIG    0x04
#define FUZZ_DEFAULTS  0x08
#define FUZZ_RESOLVED  0x10

typedef struct {
    ingress_store_t       *store;
    torii_buf_t            out;
    ingress_options_t      options;
} fuzz_world_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const torii_tree_limits_t  limits = { 64 * 1024, 20000, 32 };


static void
expect(int ok)
{
    if (!ok) {
        abort();
    }
}


static void
add(void *data, ingress_object_t *o)
{
    (void) ingress_store_set(data, o);
}


static void
fill(fuzz_world_t *w, torii_node_t **docs, uint32_t n, torii_arena_t *a)
{
    uint32_t            i;
    ingress_finding_t  *findings;

    findings = NULL;

    for (i = 0; i < n && i < FUZZ_OBJECTS; i++) {
        ingress_object_decode(a, docs[i], torii_str(""), add, w->store,
                              &findings);
    }
}


static void
resolve(void *data, torii_str_t name)
{
    static const uint8_t  addrs[2][16] = {
        { 0x20, 1 }, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1 }
    };

    (void) ingress_store_resolved(data, name, addrs, name.len % 3);
}


static void
compile(fuzz_world_t *w, ingress_table_t *t)
{
    char  error[128];

    w->out.len = 0;

    ingress_compile(w->store, &w->options, 1800000000, NULL, NULL, &w->out);

    expect(ingress_table_check(t, w->out.data, w->out.len, error) == TORII_OK);
}


static void
look_up(const ingress_table_t *t)
{
    uint32_t              i;
    ingress_match_t       m;
    torii_regex_cache_t  *regexes;

    regexes = torii_regex_cache_create(64);

    for (i = 0; i < ingress_table_n(t, NAMES) && i < 16; i++) {
        ingress_route_find(t, regexes, ingress_table_str(t, t->names[i].name),
                           torii_str("/foo/bar"), &m);
        expect(m.host != NULL);
    }

    torii_regex_cache_destroy(regexes);
}


static void
options(fuzz_world_t *w, unsigned flags)
{
    w->options.all = (flags & FUZZ_ALL) != 0;
    w->options.loopback = (flags & FUZZ_LOOPBACK) != 0;

    if (flags & FUZZ_CONFIG) {
        w->options.config = torii_str("default/cm");
    }

    if (flags & FUZZ_DEFAULTS) {
        w->options.default_backend = torii_str("default/s");
        w->options.default_certificate = torii_str("default/tls");
    }
}


static void
remove_some(fuzz_world_t *w, const ingress_table_t *t)
{
    uint32_t     n;
    torii_str_t  namespace, name;

    n = ingress_table_n(t, INGRESSES);
    if (n == 0) {
        return;
    }

    namespace = ingress_table_str(t, t->ingresses[n / 2].namespace);
    name = ingress_table_str(t, t->ingresses[n / 2].name);

    expect(ingress_store_remove(w->store, INGRESS_KIND_INGRESS, namespace,
                                name, torii_str("")) == 1);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t             n;
    torii_str_t          in;
    torii_arena_t       *a;
    fuzz_world_t         one, two;
    torii_node_t       **docs;
    ingress_table_t      t, again;
    torii_tree_error_t   error;

    if (size == 0) {
        return 0;
    }

    in.data = (unsigned char *) data + 1;
    in.len = size - 1;
    a = torii_arena_create(4096);

    if (torii_tree_yaml(a, in, &limits, &docs, &n, &error) != TORII_OK) {
        torii_arena_destroy(a);
        return 0;
    }

    memset(&one, 0, sizeof(fuzz_world_t));
    memset(&two, 0, sizeof(fuzz_world_t));

    one.store = ingress_store_create();
    two.store = ingress_store_create();

    options(&one, data[0]);
    options(&two, data[0]);

    fill(&one, docs, n, a);
    fill(&two, docs, n, a);

    if (data[0] & FUZZ_RESOLVED) {
        ingress_store_names(one.store, resolve, one.store);
        ingress_store_names(two.store, resolve, two.store);
    }

    compile(&one, &t);
    remove_some(&one, &t);
    compile(&one, &t);
    look_up(&t);

    /* back to what it was, against a store that never changed */

    fill(&one, docs, n, a);
    compile(&one, &t);
    compile(&two, &again);

    expect(one.out.len == two.out.len
           && memcmp(one.out.data, two.out.data, one.out.len) == 0);

    compile(&two, &again);

    expect(one.out.len == two.out.len
           && memcmp(one.out.data, two.out.data, one.out.len) == 0);

    ingress_store_destroy(one.store);
    ingress_store_destroy(two.store);

    torii_buf_free(&one.out);
    torii_buf_free(&two.out);
    torii_arena_destroy(a);

    return 0;
}
