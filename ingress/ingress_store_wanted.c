
/*
 * Which Secrets and ConfigMaps the objects refer to, so that a source need not
 * load all that a cluster holds.
 */

#include <stdio.h>

#include "ingress_compile.h"
#include "ingress_decode.h"


#define INGRESS_WANTED_ARENA     65536
#define INGRESS_CROSS_NAMESPACE  "allow-cross-namespace-resources"

typedef struct {
    const char                *name;        /* without the prefix */
    ingress_kind_e             kind;
} ingress_wanted_note_t;

/* A reference that was told already. */

typedef struct {
    ingress_link_t             link;
    ingress_kind_e             kind;
    torii_str_t                namespace;
    torii_str_t                name;
} ingress_wanted_told_t;

typedef struct {
    ingress_compile_t          c;           /* for classes alone */
    ingress_store_want_pt      visit;
    void                      *data;
    unsigned                   cross:1;     /* other namespaces count */
    ingress_hash_t             told;
    torii_arena_t             *arena;       /* NULL: tell twice */
} ingress_wanted_t;


static void ingress_wanted_start(ingress_wanted_t *w, ingress_store_t *store,
    const ingress_options_t *options, ingress_store_want_pt visit, void *data);
static void ingress_wanted_gateway(ingress_wanted_t *w);
static int ingress_wanted_cross(ingress_wanted_t *w);
static void ingress_wanted_ingress(ingress_wanted_t *w, ingress_item_t *e);
static void ingress_wanted_note(ingress_wanted_t *w,
    const ingress_object_t *o, const ingress_wanted_note_t *note);
static void ingress_wanted_path(ingress_wanted_t *w, ingress_kind_e kind,
    torii_str_t path);
static void ingress_wanted_tell(ingress_wanted_t *w, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name);
static int ingress_wanted_told(ingress_wanted_t *w, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name);


static const ingress_wanted_note_t  ingress_wanted_notes[] = {
    { "proxy-ssl-secret", INGRESS_KIND_SECRET },
    { "fastcgi-params-configmap", INGRESS_KIND_CONFIGMAP }
};


void
ingress_store_wanted(ingress_store_t *store, const ingress_options_t *options,
    ingress_store_want_pt visit, void *data)
{
    uint32_t          i;
    ingress_wanted_t  w;

    ingress_wanted_start(&w, store, options, visit, data);

    w.arena = torii_arena_create(INGRESS_WANTED_ARENA);

    ingress_wanted_gateway(&w);
    ingress_order_update(store);

    for (i = 0; i < store->order.n; i++) {
        ingress_wanted_ingress(&w, store->order.elts[i]);
    }

    ingress_hash_free(&w.told);
    torii_arena_destroy(w.arena);
}


void
ingress_store_wanted_by(ingress_store_t *store,
    const ingress_options_t *options, const ingress_object_t *ingress,
    ingress_store_want_pt visit, void *data)
{
    ingress_item_t    *e;
    ingress_wanted_t   w;

    e = ingress_item_find(store, INGRESS_KIND_INGRESS, ingress->namespace,
                          ingress->name);

    if (e == NULL || e->active == NULL) {
        return;
    }

    ingress_wanted_start(&w, store, options, visit, data);
    ingress_wanted_ingress(&w, e);
}


static void
ingress_wanted_start(ingress_wanted_t *w, ingress_store_t *store,
    const ingress_options_t *options, ingress_store_want_pt visit, void *data)
{
    memset(w, 0, sizeof(ingress_wanted_t));

    w->c.store = store;
    w->c.options = options;
    w->visit = visit;
    w->data = data;
    w->cross = ingress_wanted_cross(w);
}


static void
ingress_wanted_gateway(ingress_wanted_t *w)
{
    const ingress_options_t  *options;

    options = w->c.options;

    ingress_wanted_path(w, INGRESS_KIND_CONFIGMAP, options->config);
    ingress_wanted_path(w, INGRESS_KIND_SECRET, options->default_certificate);
}


/* What compile would refuse is not loaded either. */

static int
ingress_wanted_cross(ingress_wanted_t *w)
{
    uint8_t                 value;
    torii_str_t             namespace, rest;
    const char             *why;
    ingress_object_t       *o;
    const ingress_pair_t   *pair;

    rest = w->c.options->config;

    if (rest.len == 0 || !torii_str_next(&rest, "/", &namespace)
        || rest.data == NULL)
    {
        return 0;
    }

    o = ingress_store_get(w->c.store, INGRESS_KIND_CONFIGMAP, namespace, rest);
    if (o == NULL) {
        return 0;
    }

    pair = ingress_pair_find(&o->u.configmap.data, INGRESS_CROSS_NAMESPACE);

    return pair != NULL
           && ingress_parse_bool(torii_str_trim(pair->value), &value, &why)
              == TORII_OK
           && value;
}


static void
ingress_wanted_ingress(ingress_wanted_t *w, ingress_item_t *e)
{
    uint32_t           i;
    ingress_object_t  *o;

    if (!ingress_compile_ours(&w->c, e)) {
        return;
    }

    o = e->active;

    for (i = 0; i < o->u.ingress.ntls; i++) {
        ingress_wanted_tell(w, INGRESS_KIND_SECRET, o->namespace,
                            o->u.ingress.tls[i].secret);
    }

    if (o->annotations.n == 0) {
        return;
    }

    for (i = 0; i < sizeof(ingress_wanted_notes)
                    / sizeof(ingress_wanted_notes[0]); i++)
    {
        ingress_wanted_note(w, o, &ingress_wanted_notes[i]);
    }
}


static void
ingress_wanted_note(ingress_wanted_t *w, const ingress_object_t *o,
    const ingress_wanted_note_t *note)
{
    char                   key[128];
    torii_str_t            namespace, rest;
    const ingress_pair_t  *pair;

    (void) snprintf(key, sizeof(key), INGRESS_ANNOTATION_PREFIX "%s",
                    note->name);

    pair = ingress_pair_find(&o->annotations, key);
    if (pair == NULL) {
        return;
    }

    rest = torii_str_trim(pair->value);

    if (rest.len == 0 || !torii_str_next(&rest, "/", &namespace)) {
        return;
    }

    if (rest.data == NULL) {
        rest = namespace;
        namespace = o->namespace;
    }

    if (w->cross || torii_str_eq(namespace, o->namespace)) {
        ingress_wanted_tell(w, note->kind, namespace, rest);
    }
}


static void
ingress_wanted_path(ingress_wanted_t *w, ingress_kind_e kind,
    torii_str_t path)
{
    torii_str_t  namespace;

    if (path.len && torii_str_next(&path, "/", &namespace) && path.data) {
        ingress_wanted_tell(w, kind, namespace, path);
    }
}


/* Only what can be a name: it gets into the path of a request. */

static void
ingress_wanted_tell(ingress_wanted_t *w, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name)
{
    if (ingress_name_check(namespace, INGRESS_LABEL_MAX) != NULL
        || ingress_name_check(name, INGRESS_NAME_MAX) != NULL)
    {
        return;
    }

    if (w->arena == NULL || !ingress_wanted_told(w, kind, namespace, name)) {
        w->visit(w->data, kind, namespace, name);
    }
}


static int
ingress_wanted_told(ingress_wanted_t *w, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name)
{
    uint64_t                hash;
    ingress_wanted_told_t  *told;

    hash = torii_hash(namespace.data, namespace.len, kind);
    hash = torii_hash(name.data, name.len, hash);

    told = ingress_hash_first(&w->told, hash);

    for ( /* void */ ; told; told = ingress_hash_next(told)) {
        if (told->kind == kind && torii_str_eq(told->name, name)
            && torii_str_eq(told->namespace, namespace))
        {
            return 1;
        }
    }

    told = torii_arena_alloc(w->arena, sizeof(ingress_wanted_told_t));

    told->kind = kind;
    told->namespace = namespace;
    told->name = name;
    told->link.hash = hash;

    ingress_hash_add(&w->told, &told->link);

    return 0;
}
