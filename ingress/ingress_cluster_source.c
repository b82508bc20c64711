
/*
 * One watch of the cluster source: what it shows goes into the store, and is
 * remembered by name, so that what a list does not show any more can go.
 */

#include <stdlib.h>

#include "ingress_decode.h"
#include "ingress_source.h"


#define INGRESS_SOURCE_ARENA  256


static void ingress_source_watch(ingress_source_t *source);
static void ingress_source_set(void *data, const torii_node_t *node);
static void ingress_source_remove(void *data, const torii_node_t *node);
static void ingress_source_begin(void *data);
static void ingress_source_end(void *data);
static int ingress_source_names(const ingress_source_t *source,
    const torii_node_t *node, torii_str_t *namespace, torii_str_t *name);
static int ingress_source_covers(const ingress_source_t *source,
    torii_str_t namespace, torii_str_t name);
static void ingress_source_changed(ingress_cluster_t *c,
    ingress_kind_e kind);
static ingress_object_t *ingress_source_decode(const ingress_source_t *source,
    const torii_node_t *node);
static void ingress_source_object(ingress_source_t *source,
    const torii_node_t *node);
static void ingress_source_secret(ingress_source_t *source,
    const torii_node_t *node);
static int ingress_source_is_whole(const torii_node_t *node);
static ingress_seen_t *ingress_source_mark(ingress_source_t *source,
    torii_str_t namespace, torii_str_t name);
static uint64_t ingress_seen_hash(torii_str_t namespace, torii_str_t name);
static void ingress_source_gone(ingress_source_t *source,
    ingress_seen_t *seen);
static void ingress_source_sweep(ingress_source_t *source, int all);


/* Two sources never show the same object, but for Secrets of a type. */

ingress_source_t *
ingress_source_create(ingress_cluster_t *c, const ingress_resource_t *resource,
    torii_str_t namespace, torii_str_t name, torii_str_t type)
{
    unsigned char     *p;
    ingress_source_t  *source;

    source = torii_zalloc(sizeof(ingress_source_t) + namespace.len
                          + name.len + type.len);

    p = (unsigned char *) (source + 1);

    source->cluster = c;
    source->resource = resource;
    source->wanted = 1;

    source->namespace.data = p;
    source->namespace.len = namespace.len;
    source->name.data = p + namespace.len;
    source->name.len = name.len;
    source->type.data = source->name.data + name.len;
    source->type.len = type.len;

    if (type.len) {
        memcpy(source->type.data, type.data, type.len);
    }

    if (namespace.len) {
        memcpy(p, namespace.data, namespace.len);
    }

    if (name.len) {
        memcpy(source->name.data, name.data, name.len);
        c->named++;
    }

    ingress_source_watch(source);

    *c->last = source;
    c->last = &source->next;

    return source;
}


static void
ingress_source_watch(ingress_source_t *source)
{
    torii_buf_t               path, fields;
    ingress_watch_sink_t      sink;
    ingress_watch_resource_t  res;

    memset(&path, 0, sizeof(torii_buf_t));
    memset(&fields, 0, sizeof(torii_buf_t));
    memset(&res, 0, sizeof(ingress_watch_resource_t));

    if (source->resource->group[0]) {
        torii_buf_printf(&path, "/apis/%s/v1/", source->resource->group);

    } else {
        torii_buf_adds(&path, "/api/v1/");
    }

    if (source->namespace.len) {
        torii_buf_printf(&path, "namespaces/%.*s/",
                         torii_str_arg(source->namespace));
    }

    torii_buf_adds(&path, source->resource->resource);

    if (source->name.len) {
        torii_buf_printf(&fields, "metadata.name=%.*s",
                         torii_str_arg(source->name));

    } else if (source->type.len) {
        torii_buf_printf(&fields, "type=%.*s", torii_str_arg(source->type));
    }

    res.path.data = path.data;
    res.path.len = path.len;
    res.fields.data = fields.data;
    res.fields.len = fields.len;
    res.metadata = source->resource->kind == INGRESS_KIND_SECRET
                   && source->type.len == 0;
    res.optional = source->resource->optional;

    sink.set = ingress_source_set;
    sink.remove = ingress_source_remove;
    sink.begin = ingress_source_begin;
    sink.end = ingress_source_end;
    sink.data = source;

    source->watch = ingress_watch_create(&res, &sink,
                                     ingress_cluster_random(source->cluster));
    torii_buf_free(&path);
    torii_buf_free(&fields);
}


void
ingress_source_free(ingress_source_t *source, int keep)
{
    ingress_source_t   **place;
    ingress_cluster_t   *c;

    c = source->cluster;

    for (place = &c->sources; *place != source; place = &(*place)->next) {
        /* void */
    }

    *place = source->next;

    if (c->last == &source->next) {
        c->last = place;
    }

    if (source->name.len) {
        c->named--;
    }

    /* what is kept in the store is no change */

    if (keep) {
        source->cluster = NULL;
    }

    ingress_source_sweep(source, 1);
    ingress_watch_free(source->watch);
    ingress_hash_free(&source->seen);

    free(source);
}


void
ingress_source_update(ingress_source_t *source)
{
    int                     before;
    ingress_watch_state_e   state;

    state = ingress_watch_state(source->watch);

    if (state == source->state) {
        return;
    }

    before = ingress_source_shows(source);
    source->state = state;

    if (before != ingress_source_shows(source)
        || state == INGRESS_WATCH_FORBIDDEN || state == INGRESS_WATCH_ABSENT)
    {
        source->cluster->recheck = 1;
        ingress_cluster_pass(source->cluster, 0);
    }
}


int
ingress_source_shows(const ingress_source_t *source)
{
    return source->listed
           && source->state != INGRESS_WATCH_FORBIDDEN
           && source->state != INGRESS_WATCH_ABSENT;
}


int
ingress_source_missing(const ingress_source_t *source)
{
    return source->resource->optional && source->state == INGRESS_WATCH_ABSENT;
}


int
ingress_source_silent(const ingress_source_t *source, uint64_t *at)
{
    uint64_t  since;

    *at = 0;

    if (source->state == INGRESS_WATCH_STALE) {
        since = ingress_watch_stale(source->watch);

    } else if (source->state == INGRESS_WATCH_NEVER
               && *ingress_watch_error(source->watch) != '\0')
    {
        since = source->cluster->start;

    } else {
        return 0;
    }

    *at = since + INGRESS_CLUSTER_QUIET;

    return *at <= source->cluster->now;
}


static void
ingress_source_begin(void *data)
{
    ingress_source_t  *source;

    source = data;
    source->round++;
}


/* What the list did not show is gone: now it is known to be whole. */

static void
ingress_source_end(void *data)
{
    ingress_source_t  *source;

    source = data;
    source->listed = 1;

    ingress_source_sweep(source, 0);

    source->cluster->recheck = 1;
    ingress_cluster_pass(source->cluster, 0);
}


static void
ingress_source_set(void *data, const torii_node_t *node)
{
    ingress_source_t  *source;

    source = data;

    if (source->resource->kind == INGRESS_KIND_SECRET
        && source->type.len == 0)
    {
        ingress_source_secret(source, node);

    } else {
        ingress_source_object(source, node);
    }
}


static void
ingress_source_object(ingress_source_t *source, const torii_node_t *node)
{
    int                 changed;
    ingress_kind_e      kind;
    ingress_seen_t     *seen;
    ingress_object_t   *o;
    ingress_cluster_t  *c;

    o = ingress_source_decode(source, node);
    if (o == NULL) {
        return;
    }

    if (!ingress_source_covers(source, o->namespace, o->name)
        || (source->type.len
            && !torii_str_eq(source->type, o->u.secret.type)))
    {
        ingress_object_free(o);
        return;
    }

    c = source->cluster;
    kind = o->kind;

    seen = ingress_source_mark(source, o->namespace, o->name);
    changed = ingress_store_set(c->store, o);

    if (!changed) {
        return;
    }

    ingress_source_changed(c, kind);

    ingress_want_object(c, ingress_store_get(c->store, kind, seen->namespace,
                                             seen->name));
}


/*
 * What an object wants is known at once; what it does not want any more may
 * stay a little.  Classes, Namespaces and the ConfigMap are about all
 * Ingresses.
 */

static void
ingress_source_changed(ingress_cluster_t *c, ingress_kind_e kind)
{
    c->changed = 1;

    switch (kind) {

    case INGRESS_KIND_INGRESS:
    case INGRESS_KIND_ISSUER:
    case INGRESS_KIND_CLUSTER_ISSUER:
    case INGRESS_KIND_CERTIFICATE:
        ingress_cluster_pass(c, INGRESS_CLUSTER_PASS);
        break;

    case INGRESS_KIND_CLASS:
    case INGRESS_KIND_CONFIGMAP:
    case INGRESS_KIND_NAMESPACE:
        ingress_cluster_pass(c, 0);
        break;

    default:
        break;
    }
}


static ingress_object_t *
ingress_source_decode(const ingress_source_t *source, const torii_node_t *node)
{
    torii_arena_t      *a;
    ingress_object_t   *o;
    ingress_finding_t  *findings;

    a = torii_arena_create(INGRESS_SOURCE_ARENA);
    findings = NULL;

    o = ingress_object_decode_as(a, source->resource->kind, node, &findings);

    torii_arena_destroy(a);

    return o;
}


/*
 * Of a Secret that nobody refers to nothing is kept but its name, even where a
 * server sends all of it.
 */

static void
ingress_source_secret(ingress_source_t *source, const torii_node_t *node)
{
    torii_str_t         namespace, name;
    ingress_seen_t     *seen;
    ingress_want_t     *want;
    ingress_object_t   *o;
    ingress_cluster_t  *c;

    if (ingress_source_names(source, node, &namespace, &name) != TORII_OK
        || !ingress_source_covers(source, namespace, name))
    {
        return;
    }

    c = source->cluster;

    seen = ingress_source_mark(source, namespace, name);
    seen->version = ingress_source_version(torii_node_get(node, "metadata"));

    want = ingress_want_find(c, INGRESS_KIND_SECRET, namespace, name);
    if (want == NULL) {
        return;
    }

    if (!ingress_source_is_whole(node)) {
        ingress_want_check(c, want);
        return;
    }

    o = ingress_source_decode(source, node);

    if (o != NULL) {
        c->changed |= ingress_store_set(c->store, o);
        ingress_want_loaded(c, want, seen->version);
    }
}


static int
ingress_source_is_whole(const torii_node_t *node)
{
    const torii_node_t  *data;

    data = torii_node_get(node, "data");

    return torii_node_get(node, "type") != NULL
           || (data != NULL && data->type == TORII_NODE_MAP);
}


uint64_t
ingress_source_version(const torii_node_t *metadata)
{
    const torii_node_t  *node;

    node = torii_node_get(metadata, "resourceVersion");

    if (node == NULL || node->text.len == 0) {
        return 1;
    }

    return torii_hash(node->text.data, node->text.len, 0) | 2;
}


static void
ingress_source_remove(void *data, const torii_node_t *node)
{
    torii_str_t         namespace, name;
    ingress_seen_t     *seen;
    ingress_source_t   *source;

    source = data;

    if (ingress_source_names(source, node, &namespace, &name) != TORII_OK) {
        return;
    }

    seen = ingress_source_seen(source, namespace, name);

    if (seen != NULL) {
        ingress_hash_delete(&source->seen, &seen->link);
        ingress_source_gone(source, seen);
    }
}


static int
ingress_source_names(const ingress_source_t *source, const torii_node_t *node,
    torii_str_t *namespace, torii_str_t *name)
{
    const torii_node_t  *meta, *field;

    meta = torii_node_get(node, "metadata");
    field = torii_node_get(meta, "name");

    if (field == NULL || field->type != TORII_NODE_STRING
        || ingress_name_check(field->text, INGRESS_NAME_MAX) != NULL)
    {
        return TORII_ERROR;
    }

    *name = field->text;

    if (source->resource->cluster) {
        *namespace = torii_str("");
        return TORII_OK;
    }

    field = torii_node_get(meta, "namespace");

    if (field == NULL) {
        *namespace = torii_str("default");
        return TORII_OK;
    }

    *namespace = field->text;

    return ingress_name_check(*namespace, INGRESS_LABEL_MAX) == NULL
           ? TORII_OK : TORII_ERROR;
}


/* A server may not know a fieldSelector. */

static int
ingress_source_covers(const ingress_source_t *source, torii_str_t namespace,
    torii_str_t name)
{
    return (source->namespace.len == 0
            || torii_str_eq(source->namespace, namespace))
           && (source->name.len == 0 || torii_str_eq(source->name, name));
}


static uint64_t
ingress_seen_hash(torii_str_t namespace, torii_str_t name)
{
    return torii_hash(name.data, name.len,
                      torii_hash(namespace.data, namespace.len, 0));
}


ingress_seen_t *
ingress_source_seen(const ingress_source_t *source, torii_str_t namespace,
    torii_str_t name)
{
    ingress_seen_t  *seen;

    seen = ingress_hash_first(&source->seen,
                              ingress_seen_hash(namespace, name));

    while (seen && (!torii_str_eq(seen->name, name)
                    || !torii_str_eq(seen->namespace, namespace)))
    {
        seen = ingress_hash_next(seen);
    }

    return seen;
}


int
ingress_source_typed(const ingress_cluster_t *c, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name)
{
    ingress_source_t  *source;

    for (source = c->sources; source; source = source->next) {
        if (source->type.len && source->resource->kind == kind
            && ingress_source_seen(source, namespace, name) != NULL)
        {
            return 1;
        }
    }

    return 0;
}


static ingress_seen_t *
ingress_source_mark(ingress_source_t *source, torii_str_t namespace,
    torii_str_t name)
{
    ingress_seen_t  *seen;

    seen = ingress_source_seen(source, namespace, name);

    if (seen == NULL) {
        seen = torii_zalloc(sizeof(ingress_seen_t) + namespace.len + name.len);

        seen->namespace.data = (unsigned char *) (seen + 1);
        seen->namespace.len = namespace.len;
        seen->name.data = seen->namespace.data + namespace.len;
        seen->name.len = name.len;

        if (namespace.len) {
            memcpy(seen->namespace.data, namespace.data, namespace.len);
        }

        memcpy(seen->name.data, name.data, name.len);

        seen->link.hash = ingress_seen_hash(namespace, name);
        ingress_hash_add(&source->seen, &seen->link);
    }

    seen->round = source->round;

    return seen;
}


/* It is out of the index already. */

static void
ingress_source_gone(ingress_source_t *source, ingress_seen_t *seen)
{
    ingress_kind_e      kind;
    ingress_want_t     *want;
    ingress_cluster_t  *c;

    c = source->cluster;
    kind = source->resource->kind;

    if (c != NULL) {

        if (ingress_store_remove(c->store, kind, seen->namespace, seen->name,
                                 torii_str("")))
        {
            ingress_source_changed(c, kind);
        }

        want = ingress_want_find(c, kind, seen->namespace, seen->name);

        if (want != NULL) {
            ingress_want_removed(c, want);
        }
    }

    free(seen);
}


static void
ingress_source_sweep(ingress_source_t *source, int all)
{
    uint32_t          i;
    ingress_link_t   *link, **place;
    ingress_seen_t   *seen;

    for (i = 0; i < source->seen.size; i++) {
        place = &source->seen.buckets[i];

        while ((link = *place) != NULL) {
            seen = (ingress_seen_t *) link;

            if (!all && seen->round == source->round) {
                place = &link->next;
                continue;
            }

            *place = link->next;
            source->seen.n--;

            ingress_source_gone(source, seen);
        }
    }
}
