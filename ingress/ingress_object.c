
/*
 * From a document to objects: which kinds are read, lists, metadata.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ingress_decode.h"


#define INGRESS_OBJECT_ARENA     1024
#define INGRESS_OBJECT_FINDINGS  100
#define INGRESS_LIST_DEPTH       8


/* One document with all its lists. */

typedef struct {
    torii_str_t              file;
    ingress_object_add_pt    add;
    void                    *data;
    ingress_findings_t       findings;
} ingress_document_t;

typedef void (*ingress_object_pt)(ingress_decode_t *d,
    const torii_node_t *doc);

typedef struct {
    const char              *name;
    const char              *group;      /* "GROUP/", or "" */
    const char              *version;
    size_t                   name_max;
    unsigned                 cluster:1;  /* is in no namespace */
    ingress_object_pt        decode;
} ingress_kind_t;


static void ingress_document_decode(ingress_document_t *doc,
    const torii_node_t *node, torii_str_t kind, torii_str_t version,
    unsigned depth);
static int ingress_document_list(ingress_document_t *doc,
    const torii_node_t *node, torii_str_t kind, torii_str_t version,
    unsigned depth);
static ingress_kind_e ingress_kind_find(torii_str_t name, torii_str_t version);
static int ingress_document_version(ingress_document_t *doc,
    const torii_node_t *node, ingress_kind_e kind, torii_str_t version);
static void ingress_document_unknown(ingress_document_t *doc,
    const torii_node_t *node, torii_str_t kind);
static ingress_finding_t *ingress_document_finding(ingress_document_t *doc,
    const torii_node_t *node, ingress_severity_e severity, const char *reason,
    const char *field, torii_str_t value, const char *text);
static void ingress_object_keep(void *data, ingress_object_t *object);
static void ingress_object_create(ingress_document_t *doc,
    const torii_node_t *node, ingress_kind_e kind);
static int ingress_object_names(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *meta);
static void ingress_object_metadata(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *meta);
static void ingress_object_created(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *meta);


static const ingress_kind_t  ingress_kinds[INGRESS_KIND_MAX] = {
    { "Ingress", "networking.k8s.io/", "v1", INGRESS_NAME_MAX, 0,
      ingress_object_ingress },
    { "IngressClass", "networking.k8s.io/", "v1", INGRESS_NAME_MAX, 1,
      ingress_object_class },
    { "Service", "", "v1", INGRESS_LABEL_MAX, 0,
      ingress_object_service },
    { "EndpointSlice", "discovery.k8s.io/", "v1", INGRESS_NAME_MAX, 0,
      ingress_object_slice },
    { "Endpoints", "", "v1", INGRESS_NAME_MAX, 0,
      ingress_object_endpoints },
    { "Secret", "", "v1", INGRESS_NAME_MAX, 0,
      ingress_object_secret },
    { "ConfigMap", "", "v1", INGRESS_NAME_MAX, 0,
      ingress_object_configmap },
    { "Namespace", "", "v1", INGRESS_LABEL_MAX, 1,
      NULL },
    { "Issuer", "cert-manager.io/", "v1", INGRESS_NAME_MAX, 0,
      ingress_object_issuer },
    { "ClusterIssuer", "cert-manager.io/", "v1", INGRESS_NAME_MAX, 1,
      ingress_object_issuer },
    { "Certificate", "cert-manager.io/", "v1", INGRESS_NAME_MAX, 0,
      ingress_object_certificate }
};


void
ingress_object_decode(torii_arena_t *a, const torii_node_t *doc,
    torii_str_t file, ingress_object_add_pt add, void *data,
    ingress_finding_t **findings)
{
    torii_str_t         none;
    ingress_document_t  d;

    d.file = file;
    d.add = add;
    d.data = data;

    ingress_findings_init(&d.findings, a);

    none.data = NULL;
    none.len = 0;

    ingress_document_decode(&d, doc, none, none, 0);

    *d.findings.last = *findings;
    *findings = d.findings.first;
}


ingress_object_t *
ingress_object_decode_as(torii_arena_t *a, ingress_kind_e kind,
    const torii_node_t *doc, ingress_finding_t **findings)
{
    ingress_object_t    *o;
    ingress_document_t   d;

    o = NULL;

    d.file = torii_str("");
    d.add = ingress_object_keep;
    d.data = &o;

    ingress_findings_init(&d.findings, a);

    ingress_object_create(&d, doc, kind);

    *d.findings.last = *findings;
    *findings = d.findings.first;

    return o;
}


static void
ingress_object_keep(void *data, ingress_object_t *object)
{
    *(ingress_object_t **) data = object;
}


/* kind and version: of the list around, whose items may leave them out. */

static void
ingress_document_decode(ingress_document_t *doc, const torii_node_t *node,
    torii_str_t kind, torii_str_t version, unsigned depth)
{
    char                 buf[64], text[128];
    torii_str_t          none;
    ingress_kind_e       k;
    const torii_node_t  *field;

    none.data = NULL;
    none.len = 0;

    if (node->type == TORII_NODE_MAP) {
        field = torii_node_get(node, "kind");
        if (field != NULL && field->text.len) {
            kind = field->text;
        }

        field = torii_node_get(node, "apiVersion");
        if (field != NULL && field->text.len) {
            version = field->text;
        }
    }

    if (node->type != TORII_NODE_MAP || kind.len == 0) {
        (void) snprintf(text, sizeof(text), "%s without a kind; an object "
                        "with apiVersion and kind is expected",
                        torii_node_what(node, buf));

        (void) ingress_document_finding(doc, node, INGRESS_WARNING,
                                        "NoObject", "", none, text);
        return;
    }

    if (ingress_document_list(doc, node, kind, version, depth) == TORII_OK) {
        return;
    }

    k = ingress_kind_find(kind, version);

    if (k == INGRESS_KIND_MAX) {
        ingress_document_unknown(doc, node, kind);
        return;
    }

    if (ingress_document_version(doc, node, k, version) == TORII_OK) {
        ingress_object_create(doc, node, k);
    }
}


/* A List, or an IngressList and the like; TORII_DECLINED: neither. */

static int
ingress_document_list(ingress_document_t *doc, const torii_node_t *node,
    torii_str_t kind, torii_str_t version, unsigned depth)
{
    uint32_t             i;
    torii_str_t          none;
    const torii_node_t  *items;

    if (kind.len < 4 || memcmp(kind.data + kind.len - 4, "List", 4) != 0) {
        return TORII_DECLINED;
    }

    kind.len -= 4;

    if (kind.len == 0) {
        version.len = 0;

    } else if (ingress_kind_find(kind, version) == INGRESS_KIND_MAX) {
        return TORII_OK;
    }

    items = torii_node_get(node, "items");

    if (items == NULL || items->type == TORII_NODE_NULL) {
        return TORII_OK;
    }

    if (items->type != TORII_NODE_LIST || depth == INGRESS_LIST_DEPTH) {
        none.data = NULL;
        none.len = 0;

        (void) ingress_document_finding(doc, items, INGRESS_ERROR, "BadList",
                                        "items", none,
                                        depth == INGRESS_LIST_DEPTH
                                        ? "too many lists in lists"
                                        : "a list is expected");
        return TORII_OK;
    }

    for (i = 0; i < items->n; i++) {
        ingress_document_decode(doc, items->items[i], kind, version,
                                depth + 1);
    }

    return TORII_OK;
}


/*
 * By name and API group: config.openshift.io/v1 has an Ingress too, and so on,
 * which are nothing of ours.
 */

static ingress_kind_e
ingress_kind_find(torii_str_t name, torii_str_t version)
{
    int             core;
    ingress_kind_e  k;

    core = version.len == 0
           || memchr(version.data, '/', version.len) == NULL;

    for (k = 0; k < INGRESS_KIND_MAX; k++) {

        if (!torii_str_eqs(name, ingress_kinds[k].name)) {
            continue;
        }

        /* without any version it is ours, and that is a finding */

        if (version.len == 0
            || (ingress_kinds[k].group[0] == '\0' && core)
            || (ingress_kinds[k].group[0] != '\0'
                && torii_str_starts(version, ingress_kinds[k].group)))
        {
            return k;
        }

        if (k == INGRESS_KIND_INGRESS
            && torii_str_starts(version, "extensions/"))
        {
            return k;
        }
    }

    return INGRESS_KIND_MAX;
}


static int
ingress_document_version(ingress_document_t *doc, const torii_node_t *node,
    ingress_kind_e kind, torii_str_t version)
{
    char                   text[192];
    size_t                 len;
    ingress_finding_t     *f;
    const torii_node_t    *name;
    const ingress_kind_t  *k;

    k = &ingress_kinds[kind];
    len = strlen(k->group);

    if (torii_str_starts(version, k->group)
        && version.len == len + strlen(k->version)
        && memcmp(version.data + len, k->version, version.len - len) == 0)
    {
        return TORII_OK;
    }

    (void) snprintf(text, sizeof(text), "%s; write \"apiVersion: %s%s\"%s",
                    version.len ? "objects of this API version are not "
                                  "served"
                                : "is missing, the object is not served",
                    k->group, k->version, kind == INGRESS_KIND_INGRESS
                    ? " and its fields (backend.service.name, "
                      "backend.service.port.number, pathType)" : "");

    f = ingress_document_finding(doc, node, INGRESS_ERROR,
                                 version.len ? "DeprecatedAPI" : "NoVersion",
                                 "apiVersion", version, text);

    f->kind = torii_str(k->name);
    name = torii_node_get(torii_node_get(node, "metadata"), "namespace");

    if (name != NULL && ingress_name_check(name->text, INGRESS_LABEL_MAX)
                        == NULL)
    {
        f->namespace = torii_arena_str(doc->findings.arena, name->text);
    }

    name = torii_node_get(torii_node_get(node, "metadata"), "name");

    if (name != NULL && ingress_name_check(name->text, INGRESS_NAME_MAX)
                        == NULL)
    {
        f->name = torii_arena_str(doc->findings.arena, name->text);
    }

    return TORII_ERROR;
}


/* Other kinds are none of our business, unless one of ours was meant. */

static void
ingress_document_unknown(ingress_document_t *doc, const torii_node_t *node,
    torii_str_t kind)
{
    char            text[128];
    ingress_kind_e  k;

    for (k = 0; k < INGRESS_KIND_MAX; k++) {

        if (torii_str_caseeqs(kind, ingress_kinds[k].name)
            && !torii_str_eqs(kind, ingress_kinds[k].name))
        {
            (void) snprintf(text, sizeof(text), "no such kind, the object is "
                            "not served; write \"%s\"", ingress_kinds[k].name);

            (void) ingress_document_finding(doc, node, INGRESS_ERROR,
                                            "UnknownKind", "kind", kind, text);
            return;
        }
    }
}


static ingress_finding_t *
ingress_document_finding(ingress_document_t *doc, const torii_node_t *node,
    ingress_severity_e severity, const char *reason, const char *field,
    torii_str_t value, const char *text)
{
    ingress_finding_t  *f;

    f = ingress_finding_add(&doc->findings, severity, reason,
                            torii_str(field), value, "%s", text);

    f->kind = torii_str("File");

    if (f != &doc->findings.spare) {
        f->file = torii_arena_str(doc->findings.arena, doc->file);
        f->name = f->file;
    }

    f->line = node->line;
    f->column = node->column;

    return f;
}


static void
ingress_object_create(ingress_document_t *doc, const torii_node_t *node,
    ingress_kind_e kind)
{
    ingress_where_t      at;
    ingress_decode_t     d;
    ingress_object_t    *o;
    ingress_finding_t   *f;
    const torii_node_t  *meta;

    d.arena = torii_arena_create(INGRESS_OBJECT_ARENA);

    o = torii_arena_zalloc(d.arena, sizeof(ingress_object_t));

    o->arena = d.arena;
    o->kind = kind;
    o->file = torii_arena_str(d.arena, doc->file);
    o->line = node->line;

    d.object = o;
    d.silent = 0;
    ingress_findings_init(&d.findings, d.arena);
    d.findings.max = INGRESS_OBJECT_FINDINGS;

    at.up = NULL;
    at.name = "metadata";
    at.index = INGRESS_NOT_LISTED;

    meta = ingress_decode_map(&d, NULL, node, "metadata");

    if (ingress_object_names(&d, &at, meta) != TORII_OK) {

        for (f = d.findings.first; f != NULL; f = f->next) {
            ingress_finding_copy(&doc->findings, f);
        }

        torii_arena_destroy(d.arena);
        return;
    }

    ingress_object_metadata(&d, &at, meta);

    if (ingress_kinds[kind].decode != NULL) {
        ingress_kinds[kind].decode(&d, node);
    }

    if (d.findings.n > d.findings.max) {
        d.findings.max = d.findings.n + 1;

        ingress_decode_finding(&d, INGRESS_ERROR, "MoreFindings", NULL, NULL,
                               NULL, "there are %u more findings about this "
                               "object",
                               (unsigned) (d.findings.n
                                           - INGRESS_OBJECT_FINDINGS));
    }

    o->findings = d.findings.first;
    o->version = ingress_object_hash(o);

    doc->add(doc->data, o);
}


/* An object whose name cannot be known cannot be referred to, or replaced. */

static int
ingress_object_names(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *meta)
{
    ingress_object_t      *o;
    const ingress_kind_t  *kind;

    o = d->object;
    kind = &ingress_kinds[o->kind];

    if (!kind->cluster) {

        switch (ingress_decode_name(d, at, meta, "namespace",
                                    INGRESS_LABEL_MAX, &o->namespace))
        {

        case TORII_OK:
            break;

        case TORII_DECLINED:
            o->namespace = torii_str("default");
            break;

        default:
            return TORII_ERROR;
        }
    }

    switch (ingress_decode_name(d, at, meta, "name", kind->name_max,
                                &o->name))
    {

    case TORII_OK:
        return TORII_OK;

    case TORII_DECLINED:
        ingress_decode_finding(d, INGRESS_ERROR, "NoName", at, "name", meta,
                               "is missing, the object is not served");
        return TORII_ERROR;

    default:
        return TORII_ERROR;
    }
}


static void
ingress_object_metadata(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *meta)
{
    ingress_where_t      labels;
    ingress_object_t    *o;
    const torii_node_t  *node;

    o = d->object;

    (void) ingress_decode_string(d, at, meta, "uid", &o->uid);

    node = torii_node_get(meta, "deletionTimestamp");
    o->deleting = node != NULL && node->type != TORII_NODE_NULL;

    ingress_object_created(d, at, meta);

    labels.up = at;
    labels.name = "labels";
    labels.index = INGRESS_NOT_LISTED;

    ingress_decode_pairs(d, &labels, "WrongType", INGRESS_ANNOTATION_MAX,
                         ingress_decode_map(d, at, meta, "labels"),
                         &o->labels);

    /* those of endpoints change with each of them and are for nobody here */

    if (o->kind == INGRESS_KIND_SLICE || o->kind == INGRESS_KIND_ENDPOINTS) {
        return;
    }

    ingress_decode_pairs(d, NULL, "AnnotationType", INGRESS_ANNOTATION_MAX,
                         ingress_decode_map(d, at, meta, "annotations"),
                         &o->annotations);
}


static void
ingress_object_created(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *meta)
{
    torii_str_t  s;

    if (ingress_decode_string(d, at, meta, "creationTimestamp", &s)
        != TORII_OK)
    {
        return;
    }

    if (ingress_time_parse(s, &d->object->created) != TORII_OK) {
        d->object->created = 0;

        ingress_decode_finding(d, INGRESS_WARNING, "BadTime", at,
                               "creationTimestamp",
                               torii_node_get(meta, "creationTimestamp"),
                               "is no RFC 3339 time; the age of the object is "
                               "taken as unknown");
    }
}


void
ingress_object_free(ingress_object_t *object)
{
    if (object == NULL) {
        return;
    }

    if (object->kind == INGRESS_KIND_INGRESS) {
        free(object->u.ingress.state);
    }

    torii_arena_destroy(object->arena);
}


const char *
ingress_kind_name(ingress_kind_e kind)
{
    return kind < INGRESS_KIND_MAX ? ingress_kinds[kind].name : "";
}


const ingress_pair_t *
ingress_pair_find(const ingress_pairs_t *pairs, const char *name)
{
    size_t    len;
    uint32_t  i;

    len = strlen(name);

    for (i = 0; i < pairs->n; i++) {

        if (pairs->elts[i].name.len == len
            && memcmp(pairs->elts[i].name.data, name, len) == 0)
        {
            return &pairs->elts[i];
        }
    }

    return NULL;
}
