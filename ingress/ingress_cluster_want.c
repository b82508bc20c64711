
/*
 * Wants of the cluster source: the Secrets and ConfigMaps that objects refer
 * to, and the watches of those that no other watch shows.
 */

#include <stdlib.h>

#include "ingress_source.h"


static void ingress_want_visit(void *data, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name);
static ingress_want_t *ingress_want_create(ingress_cluster_t *c,
    ingress_kind_e kind, torii_str_t namespace, torii_str_t name);
static void ingress_want_watch(ingress_cluster_t *c, ingress_want_t *want);
static const ingress_resource_t *ingress_want_resource(ingress_kind_e kind);
static uint64_t ingress_want_hash(ingress_kind_e kind, torii_str_t namespace,
    torii_str_t name);
static void ingress_want_drop(ingress_cluster_t *c, ingress_want_t *want);


void
ingress_want_pass(ingress_cluster_t *c)
{
    uint32_t          i;
    torii_str_t       namespace, name;
    ingress_link_t   *link, *next;
    ingress_want_t   *want;

    c->stamp++;

    name = c->all.config;

    if (name.len && torii_str_next(&name, "/", &namespace) && name.data) {
        ingress_want_visit(c, INGRESS_KIND_CONFIGMAP, namespace, name);
    }

    ingress_store_wanted(c->store, c->options, ingress_want_visit, c);

    for (i = 0; i < c->wants.size; i++) {
        for (link = c->wants.buckets[i]; link; link = next) {
            next = link->next;
            want = (ingress_want_t *) link;

            if (want->stamp != c->stamp) {
                ingress_want_drop(c, want);
            }
        }
    }
}


void
ingress_want_object(ingress_cluster_t *c, const ingress_object_t *o)
{
    if (o != NULL) {
        ingress_store_wanted_by(c->store, c->options, o, ingress_want_visit,
                                c);
    }
}


static void
ingress_want_visit(void *data, ingress_kind_e kind, torii_str_t namespace,
    torii_str_t name)
{
    ingress_want_t     *want;
    ingress_cluster_t  *c;

    c = data;
    want = ingress_want_find(c, kind, namespace, name);

    if (want == NULL) {
        want = ingress_want_create(c, kind, namespace, name);
        ingress_want_watch(c, want);
        ingress_want_check(c, want);
    }

    want->stamp = c->stamp;
}


static uint64_t
ingress_want_hash(ingress_kind_e kind, torii_str_t namespace,
    torii_str_t name)
{
    return torii_hash(name.data, name.len,
                      torii_hash(namespace.data, namespace.len, kind));
}


ingress_want_t *
ingress_want_find(ingress_cluster_t *c, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name)
{
    ingress_want_t  *want;

    want = ingress_hash_first(&c->wants,
                              ingress_want_hash(kind, namespace, name));

    while (want && (want->kind != kind || !torii_str_eq(want->name, name)
                    || !torii_str_eq(want->namespace, namespace)))
    {
        want = ingress_hash_next(want);
    }

    return want;
}


/* A change that wants what was never asked for waits for it, but not long. */

static ingress_want_t *
ingress_want_create(ingress_cluster_t *c, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name)
{
    ingress_want_t  *want;

    want = torii_zalloc(sizeof(ingress_want_t) + namespace.len + name.len);

    want->kind = kind;
    want->since = c->now;
    want->namespace.data = (unsigned char *) (want + 1);
    want->namespace.len = namespace.len;
    want->name.data = want->namespace.data + namespace.len;
    want->name.len = name.len;

    memcpy(want->namespace.data, namespace.data, namespace.len);
    memcpy(want->name.data, name.data, name.len);

    want->link.hash = ingress_want_hash(kind, namespace, name);
    ingress_hash_add(&c->wants, &want->link);

    if (c->untried++ == 0) {
        c->hold = c->now + INGRESS_CLUSTER_HOLD;
    }

    return want;
}


/*
 * ConfigMaps are watched by name, and so are Secrets outside the namespaces
 * that are watched, as long as there are not too many.
 */

static void
ingress_want_watch(ingress_cluster_t *c, ingress_want_t *want)
{
    torii_str_t        none = torii_null_string;
    ingress_source_t  *source;

    if (ingress_want_source(c, want) != NULL) {
        return;
    }

    for (source = c->sources; source; source = source->next) {

        if (source->resource->kind == want->kind
            && torii_str_eq(source->name, want->name)
            && torii_str_eq(source->namespace, want->namespace))
        {
            source->wanted = 1;
            want->source = source;
            return;
        }
    }

    if (c->named < INGRESS_CLUSTER_NAMED) {
        want->source = ingress_source_create(c,
                                             ingress_want_resource(want->kind),
                                             want->namespace, want->name,
                                             none);
        return;
    }

    want->unwatched = 1;
    c->nunwatched++;
}


static const ingress_resource_t *
ingress_want_resource(ingress_kind_e kind)
{
    const ingress_resource_t  *resource;

    for (resource = ingress_resources; resource->kind != kind; resource++) {
        /* void */
    }

    return resource;
}


ingress_source_t *
ingress_want_source(ingress_cluster_t *c, const ingress_want_t *want)
{
    ingress_source_t  *source;

    if (want->source != NULL || want->kind != INGRESS_KIND_SECRET) {
        return want->source;
    }

    for (source = c->sources; source; source = source->next) {

        if (source->resource->kind == INGRESS_KIND_SECRET
            && source->name.len == 0 && source->type.len == 0
            && (source->namespace.len == 0
                || torii_str_eq(source->namespace, want->namespace)))
        {
            return source;
        }
    }

    return NULL;
}


/* What is in a list, or on the wire, goes when it comes from there. */

static void
ingress_want_drop(ingress_cluster_t *c, ingress_want_t *want)
{
    ingress_want_settle(c, want);

    ingress_hash_delete(&c->wants, &want->link);

    if (want->source != NULL) {
        want->source->wanted = 0;
    }

    if (want->loaded
        && !ingress_source_typed(c, want->kind, want->namespace, want->name)
        && ingress_store_remove(c->store, want->kind, want->namespace,
                                want->name, torii_str("")))
    {
        c->changed = 1;
    }

    if (want->state == INGRESS_WANT_IDLE) {
        free(want);
        return;
    }

    want->gone = 1;

    if (want->state == INGRESS_WANT_DELAYED) {
        want->due = 0;
        c->delay = 0;
    }
}


void
ingress_wants_free(ingress_cluster_t *c)
{
    uint32_t         i;
    ingress_link_t  *link, *next;
    ingress_want_t  *want, *after, *lists[2];

    /* the gone ones are in lists alone */

    lists[0] = c->queue;
    lists[1] = c->delayed;

    for (i = 0; i < 2; i++) {
        for (want = lists[i]; want; want = after) {
            after = want->next;

            if (want->gone) {
                free(want);
            }
        }
    }

    for (i = 0; i < c->wants.size; i++) {
        for (link = c->wants.buckets[i]; link; link = next) {
            next = link->next;
            free(link);
        }
    }

    ingress_hash_free(&c->wants);
}
