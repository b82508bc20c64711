
/*
 * For tests of the cluster source: an API server in memory.  It holds objects,
 * answers watches with initial events, and GETs, and can be told to refuse.
 */

#ifndef _API_MAKE_H_INCLUDED_
#define _API_MAKE_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>

#include "ingress_cluster.h"


#define API_OBJECTS  256
#define API_OPEN     128
#define API_KINDS    10

typedef struct {
    const char           *resource;
    char                  namespace[64];
    char                  name[64];
    char                  rest[1024];   /* fields behind metadata, "" none */
    char                  labels[64];   /* as JSON, "" none */
    uint32_t              version;
} api_object_t;

/* A watch that is open, or a request that waits to be answered. */

typedef struct {
    uint32_t              id;
    char                  path[512];
    const char           *resource;
    char                  namespace[64];
    char                  name[64];
} api_open_t;

typedef struct {
    const char           *resource;
    const char           *kind;
    const char           *version;
    uint32_t              watches;      /* status of an answer, 0: 200 */
    uint32_t              gets;
    unsigned              away:1;       /* no answer at all */
    unsigned              whole:1;      /* metadata alone is not known */
    unsigned              hold:1;       /* requests stay without an answer */
} api_kind_t;

typedef struct {
    ingress_store_t           *store;
    ingress_cluster_t         *cluster;
    ingress_cluster_options_t  options;
    ingress_options_t          served;
    uint64_t                   now;
    uint32_t                   wait;
    uint32_t                   version;
    api_object_t               objects[API_OBJECTS];
    uint32_t                   nobjects;
    api_open_t                 open[API_OPEN];
    api_kind_t                 kinds[API_KINDS];
    uint32_t                   requests;     /* ever */
    uint32_t                   gets;
    uint32_t                   flying;       /* GETs without an answer yet */
    uint32_t                   flying_max;
    char                       last[512];    /* path of the last GET */
} api_t;


static inline void
api_start(api_t *api)
{
    uint32_t     i;
    static const char *const  names[API_KINDS][3] = {
        { "ingresses", "Ingress", "networking.k8s.io/v1" },
        { "ingressclasses", "IngressClass", "networking.k8s.io/v1" },
        { "services", "Service", "v1" },
        { "endpointslices", "EndpointSlice", "discovery.k8s.io/v1" },
        { "secrets", "Secret", "v1" },
        { "configmaps", "ConfigMap", "v1" },
        { "namespaces", "Namespace", "v1" },
        { "issuers", "Issuer", "cert-manager.io/v1" },
        { "clusterissuers", "ClusterIssuer", "cert-manager.io/v1" },
        { "certificates", "Certificate", "cert-manager.io/v1" }
    };

    memset(api, 0, sizeof(api_t));

    for (i = 0; i < API_KINDS; i++) {
        api->kinds[i].resource = names[i][0];
        api->kinds[i].kind = names[i][1];
        api->kinds[i].version = names[i][2];
    }

    api->store = ingress_store_create();
    api->now = 1000000;
    api->version = 100;
    api->served.all = 1;
    api->options.served = &api->served;
    api->options.seed = 7;
}


static inline void
api_open(api_t *api)
{
    api->options.config = api->served.config;
    api->cluster = ingress_cluster_create(api->store, &api->options);
}


static inline void
api_end(api_t *api)
{
    ingress_cluster_free(api->cluster);
    ingress_store_destroy(api->store);
}


static inline api_kind_t *
api_kind(api_t *api, const char *resource)
{
    uint32_t  i;

    for (i = 0; strcmp(api->kinds[i].resource, resource) != 0; i++) {
        /* void */
    }

    return &api->kinds[i];
}


static inline void
api_json(const api_kind_t *k, const api_object_t *o, int metadata,
    torii_buf_t *b)
{
    if (metadata && !k->whole) {
        torii_buf_adds(b, "{\"kind\":\"PartialObjectMetadata\","
                       "\"apiVersion\":\"meta.k8s.io/v1\",");

    } else {
        torii_buf_printf(b, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",", k->kind,
                         k->version);
    }

    torii_buf_printf(b, "\"metadata\":{\"name\":\"%s\",", o->name);

    if (o->namespace[0]) {
        torii_buf_printf(b, "\"namespace\":\"%s\",", o->namespace);
    }

    torii_buf_printf(b, "\"resourceVersion\":\"%u\",\"labels\":{%s}}",
                     (unsigned) o->version,
                     strcmp(k->resource, "endpointslices") != 0 ? o->labels
                     : "\"kubernetes.io/service-name\":\"web\"");

    if (o->rest[0] && !(metadata && !k->whole)) {
        torii_buf_printf(b, ",%s", o->rest);
    }

    torii_buf_adds(b, "}");
}


static inline int
api_body(api_t *api, uint32_t id, const torii_buf_t *b)
{
    torii_str_t  s;

    s.data = b->data;
    s.len = b->len;

    return ingress_cluster_body(api->cluster, api->now, id, s);
}


static inline int
api_head(api_t *api, uint32_t id, uint32_t status, const char *type)
{
    ingress_api_answer_t  answer;

    memset(&answer, 0, sizeof(ingress_api_answer_t));

    answer.status = status;
    answer.content_type = torii_str(type);

    return ingress_cluster_head(api->cluster, api->now, id, &answer);
}


static inline void
api_refuse(api_t *api, uint32_t id, uint32_t status)
{
    torii_buf_t  b;

    memset(&b, 0, sizeof(torii_buf_t));

    torii_buf_printf(&b, "{\"kind\":\"Status\",\"apiVersion\":\"v1\","
                     "\"metadata\":{},\"status\":\"Failure\",\"message\":"
                     "\"it is so\",\"reason\":\"%s\",\"code\":%u}",
                     status == 404 ? "NotFound" : "Forbidden",
                     (unsigned) status);

    if (api_head(api, id, status, "application/json") == TORII_OK
        && api_body(api, id, &b) == TORII_OK)
    {
        ingress_cluster_end(api->cluster, api->now, id, NULL);
    }

    torii_buf_free(&b);
}


static inline int
api_covers(const api_open_t *w, const api_object_t *o)
{
    return strcmp(w->resource, o->resource) == 0
           && (w->namespace[0] == '\0'
               || strcmp(w->namespace, o->namespace) == 0)
           && (w->name[0] == '\0' || strcmp(w->name, o->name) == 0);
}


static inline void
api_event(api_t *api, const char *type, const api_object_t *o)
{
    uint32_t      i;
    torii_buf_t   b;
    api_open_t   *w;

    memset(&b, 0, sizeof(torii_buf_t));

    for (i = 0; i < API_OPEN; i++) {
        w = &api->open[i];

        if (w->id == 0 || strstr(w->path, "watch=1") == NULL
            || !api_covers(w, o))
        {
            continue;
        }

        b.len = 0;
        torii_buf_printf(&b, "{\"type\":\"%s\",\"object\":", type);
        api_json(api_kind(api, o->resource), o,
                 strcmp(o->resource, "secrets") == 0, &b);
        torii_buf_adds(&b, "}\n");

        if (api_body(api, w->id, &b) != TORII_OK) {
            w->id = 0;
        }
    }

    torii_buf_free(&b);
}


static inline api_object_t *
api_find(api_t *api, const char *resource, const char *namespace,
    const char *name)
{
    uint32_t       i;
    api_object_t  *o;

    for (i = 0; i < api->nobjects; i++) {
        o = &api->objects[i];

        if (strcmp(o->resource, resource) == 0 && strcmp(o->name, name) == 0
            && strcmp(o->namespace, namespace) == 0)
        {
            return o;
        }
    }

    return NULL;
}


/* rest is in single quotes; watches that are open see the event. */

static inline void
api_put(api_t *api, const char *resource, const char *namespace,
    const char *name, const char *rest)
{
    char          *p;
    api_object_t  *o;

    o = api_find(api, resource, namespace, name);

    if (o == NULL) {
        o = &api->objects[api->nobjects++];
        memset(o, 0, sizeof(api_object_t));

        o->resource = api_kind(api, resource)->resource;
        snprintf(o->namespace, sizeof(o->namespace), "%s", namespace);
        snprintf(o->name, sizeof(o->name), "%s", name);
    }

    snprintf(o->rest, sizeof(o->rest), "%s", rest);

    for (p = o->rest; *p; p++) {
        if (*p == '\'') {
            *p = '"';
        }
    }

    o->version = ++api->version;

    api_event(api, "MODIFIED", o);
}


/* quiet: no watch is told. */

static inline void
api_delete(api_t *api, const char *resource, const char *namespace,
    const char *name, int quiet)
{
    api_object_t  *o, gone;

    o = api_find(api, resource, namespace, name);

    gone = *o;
    gone.version = ++api->version;

    *o = api->objects[--api->nobjects];

    if (!quiet) {
        api_event(api, "DELETED", &gone);
    }
}


static inline void
api_watch(api_t *api, api_open_t *w)
{
    uint32_t      i;
    torii_buf_t   b;
    api_kind_t   *k;

    memset(&b, 0, sizeof(torii_buf_t));

    k = api_kind(api, w->resource);

    if (api_head(api, w->id, 200, "application/json") != TORII_OK) {
        w->id = 0;
        return;
    }

    if (strstr(w->path, "sendInitialEvents") == NULL) {
        return;
    }

    for (i = 0; i < api->nobjects; i++) {
        if (!api_covers(w, &api->objects[i])) {
            continue;
        }

        torii_buf_adds(&b, "{\"type\":\"ADDED\",\"object\":");
        api_json(k, &api->objects[i], strcmp(w->resource, "secrets") == 0, &b);
        torii_buf_adds(&b, "}\n");
    }

    torii_buf_printf(&b, "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"%s\","
                     "\"apiVersion\":\"%s\",\"metadata\":{"
                     "\"resourceVersion\":\"%u\",\"annotations\":{"
                     "\"k8s.io/initial-events-end\":\"true\"}}}}\n", k->kind,
                     k->version, (unsigned) api->version);

    if (api_body(api, w->id, &b) != TORII_OK) {
        w->id = 0;
    }

    torii_buf_free(&b);
}


static inline void
api_get(api_t *api, api_open_t *w)
{
    int             rc;
    uint32_t        id;
    torii_buf_t     b;
    api_object_t   *o;

    id = w->id;
    w->id = 0;
    api->flying--;

    o = api_find(api, w->resource, w->namespace, w->name);

    if (o == NULL) {
        api_refuse(api, id, 404);
        return;
    }

    memset(&b, 0, sizeof(torii_buf_t));

    api_json(api_kind(api, w->resource), o, 0, &b);

    rc = api_head(api, id, 200, "application/json");

    if (rc == TORII_OK && api_body(api, id, &b) == TORII_OK) {
        ingress_cluster_end(api->cluster, api->now, id, NULL);
    }

    torii_buf_free(&b);
}


/* "/apis/GROUP/v1/namespaces/NS/RESOURCE/NAME?…", or less of it. */

static inline void
api_parse(api_t *api, api_open_t *w)
{
    char  *p, *last, path[512];

    snprintf(path, sizeof(path), "%s", w->path);

    p = strstr(path, "fieldSelector=metadata.name%3D");

    if (p) {
        snprintf(w->name, sizeof(w->name), "%s",
                 p + sizeof("fieldSelector=metadata.name%3D") - 1);
        w->name[strcspn(w->name, "&")] = '\0';
    }

    path[strcspn(path, "?")] = '\0';

    p = strstr(path, "/v1/") + 4;

    if (strncmp(p, "namespaces/", 11) == 0) {
        p += 11;
        last = strchr(p, '/');
        *last = '\0';
        snprintf(w->namespace, sizeof(w->namespace), "%s", p);
        p = last + 1;
    }

    last = strchr(p, '/');

    if (last) {
        *last++ = '\0';
        snprintf(w->name, sizeof(w->name), "%s", last);
    }

    w->resource = api_kind(api, p)->resource;
}


static inline void
api_answer(api_t *api, api_open_t *w)
{
    int          watch;
    uint32_t     id, status;
    api_kind_t  *k;

    k = api_kind(api, w->resource);
    watch = strchr(w->path, '?') != NULL;
    status = watch ? k->watches : k->gets;
    id = w->id;

    if (k->away || status) {
        w->id = 0;
        api->flying -= !watch;
    }

    if (k->away) {
        ingress_cluster_end(api->cluster, api->now, id, "connection refused");

    } else if (status) {
        api_refuse(api, id, status);

    } else if (watch) {
        api_watch(api, w);

    } else {
        api_get(api, w);
    }
}


/* All requests there are, until there is nothing to do now. */

static inline void
api_run(api_t *api)
{
    uint32_t               i, n, id, wait;
    api_open_t            *w;
    ingress_api_request_t  req;

    for (n = 0; n < 20000; n++) {

        if (ingress_cluster_next(api->cluster, api->now, &req, &id, &wait)
            != TORII_OK)
        {
            api->wait = wait;
            return;
        }

        for (i = 0; api->open[i].id; i++) { /* void */ }

        w = &api->open[i];
        memset(w, 0, sizeof(api_open_t));

        w->id = id;
        snprintf(w->path, sizeof(w->path), "%s", (char *) req.path.data);
        api_parse(api, w);
        api->requests++;

        if (strchr(w->path, '?') == NULL) {
            api->gets++;
            api->flying++;
            snprintf(api->last, sizeof(api->last), "%s", w->path);

            if (api->flying > api->flying_max) {
                api->flying_max = api->flying;
            }
        }

        if (!api_kind(api, w->resource)->hold) {
            api_answer(api, w);
        }
    }

    fprintf(stderr, "the machine does not come to rest\n");
    abort();
}


/* Requests that were held are answered. */

static inline void
api_release(api_t *api, const char *resource)
{
    uint32_t     i;
    api_kind_t  *k;

    k = api_kind(api, resource);
    k->hold = 0;

    for (i = 0; i < API_OPEN; i++) {
        if (api->open[i].id && api->open[i].resource == k->resource) {
            api_answer(api, &api->open[i]);
        }
    }

    api_run(api);
}


/* As it is with and without cert-manager's CRDs: 0, or 404. */

static inline void
api_crds(api_t *api, uint32_t status)
{
    api_kind(api, "issuers")->watches = status;
    api_kind(api, "clusterissuers")->watches = status;
    api_kind(api, "certificates")->watches = status;
}


/* All streams of a resource break. */

static inline void
api_cut(api_t *api, const char *resource)
{
    uint32_t  i, id;

    for (i = 0; i < API_OPEN; i++) {
        if (api->open[i].id
            && strcmp(api->open[i].resource, resource) == 0)
        {
            id = api->open[i].id;
            api->open[i].id = 0;
            ingress_cluster_end(api->cluster, api->now, id,
                                "connection reset");
        }
    }
}


/* Time passes, with a look whenever the machine asked for one. */

static inline void
api_pass(api_t *api, uint64_t ms)
{
    uint64_t  until;

    until = api->now + ms;

    for ( ;; ) {
        api_run(api);

        if (api->wait == UINT32_MAX || api->now + api->wait > until) {
            break;
        }

        api->now += api->wait ? api->wait : 1;
    }

    api->now = until;
    api_run(api);
}


static inline ingress_object_t *
api_stored(api_t *api, ingress_kind_e kind, const char *namespace,
    const char *name)
{
    return ingress_store_get(api->store, kind, torii_str(namespace),
                             torii_str(name));
}


static inline const ingress_finding_t *
api_finding(api_t *api, const char *reason)
{
    const ingress_finding_t  *f;

    f = ingress_cluster_findings(api->cluster);

    while (f && strcmp(f->reason, reason) != 0) {
        f = f->next;
    }

    return f;
}


#endif /* _API_MAKE_H_INCLUDED_ */
