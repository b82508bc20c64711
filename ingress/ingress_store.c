
/*
 * The store: entries of objects by kind, namespace and name, and what has to
 * be worked out anew when one of them changes.
 */

#include <stdlib.h>

#include "ingress_compile.h"


static uint64_t ingress_item_hash(ingress_kind_e kind, torii_str_t namespace,
    torii_str_t name);
static ingress_item_t *ingress_item_create(ingress_store_t *store,
    ingress_kind_e kind, torii_str_t namespace, torii_str_t name);
static void ingress_item_destroy(ingress_item_t *e);
static int ingress_item_put(ingress_item_t *e, ingress_object_t *o,
    ingress_object_t **replaced);
static ingress_object_t *ingress_item_take(ingress_item_t *e,
    torii_str_t file);
static int ingress_item_activate(ingress_store_t *store, ingress_item_t *e);
static void ingress_item_changed(ingress_store_t *store, ingress_item_t *e);
static void ingress_slice_detach(ingress_store_t *store, ingress_item_t *e);
static void ingress_slice_attach(ingress_store_t *store, ingress_item_t *e);
static int ingress_object_same(const ingress_object_t *a,
    const ingress_object_t *b);
static int ingress_object_is_placed(const ingress_object_t *o);
static void ingress_object_hand_on(ingress_object_t *newer,
    ingress_object_t *o);
static int ingress_object_same_lines(const ingress_object_t *a,
    const ingress_object_t *b);
static int ingress_item_cmp(const void *one, const void *two);


ingress_store_t *
ingress_store_create(void)
{
    ingress_store_t  *store;

    store = torii_zalloc(sizeof(ingress_store_t));

    store->config_stale = 1;
    store->names_version = 1;

    return store;
}


void
ingress_store_destroy(ingress_store_t *store)
{
    uint32_t          i;
    ingress_copy_t   *copy;
    ingress_link_t   *link, *next;
    ingress_item_t  *e;

    if (store == NULL) {
        return;
    }

    /* plans refer to entries, so they go first */

    for (i = 0; i < store->entries.size; i++) {
        for (link = store->entries.buckets[i]; link; link = link->next) {
            e = (ingress_item_t *) link;
            e->refs++;

            if (e->kind == INGRESS_KIND_INGRESS && e->u.ingress.plan) {
                ingress_plan_free(store, e->u.ingress.plan);
                e->u.ingress.plan = NULL;
            }
        }
    }

    if (store->backend) {
        ingress_upstream_release(store, store->backend);
    }

    if (store->config_interned) {
        ingress_policy_release(store, store->config_interned);
    }

    for (i = 0; i < store->entries.size; i++) {
        for (link = store->entries.buckets[i]; link; link = next) {
            next = link->next;
            e = (ingress_item_t *) link;

            while (e->copies) {
                copy = e->copies;
                e->copies = copy->next;

                ingress_object_free(copy->object);
                free(copy);
            }

            ingress_item_destroy(e);
        }
    }

    if (store->config) {
        ingress_config_free(store->config);
    }

    torii_arena_destroy(store->config_arena);
    ingress_names_free(store);
    ingress_challenges_free(store);
    ingress_told_free(store);
    ingress_writer_free(&store->writer);
    ingress_hash_free(&store->entries);
    ingress_hash_free(&store->upstreams);
    ingress_hash_free(&store->shared);
    ingress_hash_free(&store->logins);

    torii_buf_free(&store->hosts);
    torii_buf_free(&store->parts);
    torii_buf_free(&store->exact);
    torii_buf_free(&store->prefix);
    torii_buf_free(&store->notes);
    torii_buf_free(&store->class_names);
    torii_buf_free(&store->guarded);

    free(store->order.elts);
    free(store->pending.elts);
    free(store->noted.elts);
    free(store->providers.elts);
    free(store);
}


int
ingress_store_set(ingress_store_t *store, ingress_object_t *o)
{
    int                changed;
    ingress_item_t   *e;
    ingress_object_t  *replaced;

    e = ingress_item_hold(store, o->kind, o->namespace, o->name);

    if (ingress_item_put(e, o, &replaced) != TORII_OK) {
        ingress_object_free(o);
        ingress_item_release(store, e);
        return 0;
    }

    changed = ingress_item_activate(store, e);

    if (replaced) {
        ingress_object_free(replaced);
    }

    ingress_item_release(store, e);

    return changed;
}


int
ingress_store_remove(ingress_store_t *store, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name, torii_str_t file)
{
    int                changed;
    ingress_item_t   *e;
    ingress_object_t  *o;

    e = ingress_item_find(store, kind, namespace, name);
    if (e == NULL) {
        return 0;
    }

    o = ingress_item_take(e, file);
    if (o == NULL) {
        return 0;
    }

    e->refs++;

    changed = ingress_item_activate(store, e);

    /* the caller's strings may be the object's own */

    ingress_object_free(o);
    ingress_item_release(store, e);

    return changed;
}


ingress_object_t *
ingress_store_get(ingress_store_t *store, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name)
{
    ingress_item_t  *e;

    e = ingress_item_find(store, kind, namespace, name);

    return e ? e->active : NULL;
}


ingress_object_t *
ingress_store_copy(ingress_store_t *store, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name, uint32_t n)
{
    ingress_copy_t  *copy;
    ingress_item_t  *e;

    e = ingress_item_find(store, kind, namespace, name);
    if (e == NULL) {
        return NULL;
    }

    for (copy = e->copies; copy && n; copy = copy->next) {
        n--;
    }

    return copy ? copy->object : NULL;
}


uint32_t
ingress_store_count(ingress_store_t *store, ingress_kind_e kind)
{
    return store->count[kind];
}


void
ingress_store_each(ingress_store_t *store, ingress_kind_e kind,
    void (*visit)(void *data, ingress_object_t *o), void *data)
{
    uint32_t           i;
    ingress_link_t    *link;
    ingress_item_t   *e;
    ingress_items_t  list;

    if (store->count[kind] == 0) {
        return;
    }

    memset(&list, 0, sizeof(ingress_items_t));

    for (i = 0; i < store->entries.size; i++) {
        for (link = store->entries.buckets[i]; link; link = link->next) {
            e = (ingress_item_t *) link;

            if (e->kind == kind && e->active) {
                ingress_items_add(&list, e);
            }
        }
    }

    if (list.n > 1) {
        qsort(list.elts, list.n, sizeof(ingress_item_t *), ingress_item_cmp);
    }

    for (i = 0; i < list.n; i++) {
        visit(data, list.elts[i]->active);
    }

    free(list.elts);
}


static int
ingress_item_cmp(const void *one, const void *two)
{
    int                     rc;
    ingress_item_t *const *a, *const *b;

    a = one;
    b = two;

    rc = torii_str_cmp((*a)->namespace, (*b)->namespace);

    return rc ? rc : torii_str_cmp((*a)->name, (*b)->name);
}


static uint64_t
ingress_item_hash(ingress_kind_e kind, torii_str_t namespace,
    torii_str_t name)
{
    return torii_hash(name.data, name.len,
                      torii_hash(namespace.data, namespace.len, kind));
}


ingress_item_t *
ingress_item_find(ingress_store_t *store, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name)
{
    ingress_item_t  *e;

    e = ingress_hash_first(&store->entries,
                           ingress_item_hash(kind, namespace, name));

    for ( /* void */ ; e; e = ingress_hash_next(e)) {
        if (e->kind == kind
            && torii_str_eq(e->name, name)
            && torii_str_eq(e->namespace, namespace))
        {
            return e;
        }
    }

    return NULL;
}


ingress_item_t *
ingress_item_hold(ingress_store_t *store, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name)
{
    ingress_item_t  *e;

    e = ingress_item_find(store, kind, namespace, name);
    if (e == NULL) {
        e = ingress_item_create(store, kind, namespace, name);
    }

    e->refs++;

    return e;
}


static ingress_item_t *
ingress_item_create(ingress_store_t *store, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name)
{
    unsigned char    *p;
    ingress_item_t  *e;

    e = torii_zalloc(sizeof(ingress_item_t) + namespace.len + name.len + 2);

    p = (unsigned char *) e + sizeof(ingress_item_t);

    e->kind = kind;
    e->key.data = p;
    e->key.len = namespace.len + 1 + name.len;
    e->namespace.data = p;
    e->namespace.len = namespace.len;
    e->name.data = p + namespace.len + 1;
    e->name.len = name.len;

    if (namespace.len) {
        memcpy(p, namespace.data, namespace.len);
    }

    p[namespace.len] = '/';

    if (name.len) {
        memcpy(e->name.data, name.data, name.len);
    }

    e->link.hash = ingress_item_hash(kind, namespace, name);
    ingress_hash_add(&store->entries, &e->link);

    return e;
}


void
ingress_item_release(ingress_store_t *store, ingress_item_t *e)
{
    if (--e->refs || e->copies) {
        return;
    }

    ingress_hash_delete(&store->entries, &e->link);
    ingress_item_destroy(e);
}


static void
ingress_item_destroy(ingress_item_t *e)
{
    if (e->kind == INGRESS_KIND_SECRET) {
        ingress_cert_free(e->u.secret.server.cert);
    }

    free(e);
}


/* TORII_DECLINED: the very same object is there already. */

static int
ingress_item_put(ingress_item_t *e, ingress_object_t *o,
    ingress_object_t **replaced)
{
    int              rc;
    ingress_copy_t  *copy, **place;

    *replaced = NULL;

    for (place = &e->copies; *place; place = &(*place)->next) {
        copy = *place;

        rc = torii_str_cmp(copy->object->file, o->file);

        if (rc > 0) {
            break;
        }

        if (rc == 0) {
            if (ingress_object_same(copy->object, o)
                && ingress_object_same_lines(copy->object, o))
            {
                ingress_object_hand_on(o, copy->object);
                return TORII_DECLINED;
            }

            *replaced = copy->object;
            copy->object = o;
            return TORII_OK;
        }
    }

    copy = torii_malloc(sizeof(ingress_copy_t));

    copy->object = o;
    copy->next = *place;
    *place = copy;

    return TORII_OK;
}


static ingress_object_t *
ingress_item_take(ingress_item_t *e, torii_str_t file)
{
    ingress_copy_t    *copy, **place;
    ingress_object_t  *o;

    for (place = &e->copies; *place; place = &(*place)->next) {
        copy = *place;

        if (torii_str_eq(copy->object->file, file)) {
            o = copy->object;
            *place = copy->next;
            free(copy);
            return o;
        }
    }

    return NULL;
}


/* Objects of one name: the first file by name counts. */

static int
ingress_item_activate(ingress_store_t *store, ingress_item_t *e)
{
    int                changed;
    ingress_object_t  *before, *o;

    before = e->active;
    o = e->copies ? e->copies->object : NULL;

    ingress_noted_changed(store, e);

    if (o == before) {
        return 0;
    }

    store->count[e->kind] += (o != NULL) - (before != NULL);
    store->changes[e->kind]++;

    changed = (o == NULL || before == NULL || !ingress_object_same(o, before)
               || !ingress_object_same_lines(o, before));

    if (e->external) {
        store->external--;
    }

    e->active = o;
    e->external = (o && ingress_name_needed(o));

    if (e->external) {
        store->external++;
    }

    ingress_item_changed(store, e);

    return changed;
}


/* Drop what was worked out of the object before. */

static void
ingress_item_changed(ingress_store_t *store, ingress_item_t *e)
{
    switch (e->kind) {

    case INGRESS_KIND_INGRESS:

        if (e->u.ingress.plan) {
            ingress_plan_free(store, e->u.ingress.plan);
            e->u.ingress.plan = NULL;
        }

        e->u.ingress.classes = 0;

        ingress_order_changed(store, e);
        break;

    case INGRESS_KIND_CLASS:
    case INGRESS_KIND_NAMESPACE:
        store->options = 0;
        break;

    case INGRESS_KIND_SERVICE:
        ingress_upstream_changed(e);
        break;

    case INGRESS_KIND_SLICE:
    case INGRESS_KIND_ENDPOINTS:
        ingress_slice_detach(store, e);
        ingress_slice_attach(store, e);
        break;

    case INGRESS_KIND_SECRET:
        ingress_cert_free(e->u.secret.server.cert);
        memset(&e->u.secret, 0, sizeof(e->u.secret));
        ingress_provider_changed(store, e);
        break;

    case INGRESS_KIND_CONFIGMAP:
        e->u.configmap.round = 0;

        if (e == store->config_item) {
            store->config_stale = 1;
        }

        break;

    default:
        break;
    }
}


static void
ingress_slice_detach(ingress_store_t *store, ingress_item_t *e)
{
    ingress_item_t  *service;

    service = e->u.slice.service;
    if (service == NULL) {
        return;
    }

    *e->u.slice.prev = e->u.slice.next;

    if (e->u.slice.next) {
        e->u.slice.next->u.slice.prev = e->u.slice.prev;
    }

    e->u.slice.service = NULL;

    ingress_upstream_changed(service);
    ingress_item_release(store, service);
}


static void
ingress_slice_attach(ingress_store_t *store, ingress_item_t *e)
{
    torii_str_t       name;
    ingress_item_t  *service, **first;

    if (e->active == NULL) {
        return;
    }

    name = (e->kind == INGRESS_KIND_SLICE) ? e->active->u.slice.service
                                           : e->name;
    if (name.len == 0) {
        return;
    }

    service = ingress_item_hold(store, INGRESS_KIND_SERVICE, e->namespace,
                                 name);

    first = (e->kind == INGRESS_KIND_SLICE) ? &service->u.service.slices
                                            : &service->u.service.endpoints;

    e->u.slice.next = *first;
    e->u.slice.prev = first;

    if (*first) {
        (*first)->u.slice.prev = &e->u.slice.next;
    }

    *first = e;

    e->u.slice.service = service;
    ingress_upstream_changed(service);
}


/*
 * The version tells findings apart, but not the lines they stand at: an object
 * out of a file that has some is a new one.
 */

static int
ingress_object_same(const ingress_object_t *a, const ingress_object_t *b)
{
    if ((a->findings && ingress_object_is_placed(a))
        || (b->findings && ingress_object_is_placed(b)))
    {
        return 0;
    }

    return a->version == b->version
           && a->created == b->created
           && a->deleting == b->deleting;
}


static int
ingress_object_is_placed(const ingress_object_t *o)
{
    return o->file.len || o->line;
}


static void
ingress_object_hand_on(ingress_object_t *newer, ingress_object_t *o)
{
    ingress_state_t  *state;

    if (o->kind != INGRESS_KIND_INGRESS) {
        return;
    }

    state = o->u.ingress.state;
    o->u.ingress.state = newer->u.ingress.state;
    newer->u.ingress.state = state;
}


/*
 * The content of both is the same, so their arrays are of the same size; a
 * version that collides must not lead astray, though.
 */

static int
ingress_object_same_lines(const ingress_object_t *a, const ingress_object_t *b)
{
    uint32_t                  i, n;
    const ingress_ingress_t  *x, *y;

    if (a->line != b->line || !torii_str_eq(a->file, b->file)) {
        return 0;
    }

    if (a->kind != INGRESS_KIND_INGRESS) {
        return 1;
    }

    x = &a->u.ingress;
    y = &b->u.ingress;

    if (x->nrules != y->nrules || x->ntls != y->ntls
        || a->annotations.n != b->annotations.n)
    {
        return 0;
    }

    for (i = 0; i < a->annotations.n; i++) {
        if (a->annotations.elts[i].line != b->annotations.elts[i].line) {
            return 0;
        }
    }

    for (i = 0; i < x->ntls; i++) {
        if (x->tls[i].line != y->tls[i].line) {
            return 0;
        }
    }

    for (i = 0; i < x->nrules; i++) {
        if (x->rules[i].line != y->rules[i].line
            || x->rules[i].n != y->rules[i].n)
        {
            return 0;
        }

        for (n = 0; n < x->rules[i].n; n++) {
            if (x->rules[i].paths[n].line != y->rules[i].paths[n].line) {
                return 0;
            }
        }
    }

    return 1;
}


void
ingress_items_add(ingress_items_t *list, ingress_item_t *e)
{
    if (list->n == list->size) {
        list->size = list->size ? list->size * 2 : 64;
        list->elts = torii_realloc(list->elts,
                                   list->size * sizeof(ingress_item_t *));
    }

    list->elts[list->n++] = e;
}
