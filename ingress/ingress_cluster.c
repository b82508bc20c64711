
/*
 * The cluster source as its owner sees it: requests out, answers in, what is
 * known of each resource.
 */

#include <stdlib.h>

#include "ingress_source.h"


#define INGRESS_CLUSTER_ARENA  1024


static void ingress_cluster_sources(ingress_cluster_t *c,
    const ingress_cluster_options_t *options);
static int ingress_cluster_twice(const ingress_cluster_options_t *options,
    uint32_t n);
static int ingress_cluster_watches(ingress_cluster_t *c,
    ingress_api_request_t *req, uint32_t *id, uint32_t *wait);
static void ingress_cluster_look(ingress_cluster_t *c);
static int ingress_cluster_known(ingress_cluster_t *c,
    const ingress_source_t *source);
static uint32_t ingress_cluster_wait(ingress_cluster_t *c);
static void ingress_cluster_until(const ingress_cluster_t *c, uint64_t at,
    uint32_t *wait);
static ingress_source_t *ingress_cluster_source(ingress_cluster_t *c,
    uint32_t id);
static void ingress_kind_fill(ingress_cluster_t *c,
    const ingress_resource_t *resource, ingress_cluster_kind_t *kind);
static int ingress_cluster_hand(ingress_cluster_t *c, uint64_t now,
    uint32_t id, const ingress_api_answer_t *head, torii_str_t bytes);


const ingress_resource_t  ingress_resources[] = {
    { "ingresses", "networking.k8s.io", INGRESS_KIND_INGRESS, 0, 0 },
    { "ingressclasses", "networking.k8s.io", INGRESS_KIND_CLASS, 1, 0 },
    { "services", "", INGRESS_KIND_SERVICE, 0, 0 },
    { "endpointslices", "discovery.k8s.io", INGRESS_KIND_SLICE, 0, 0 },
    { "secrets", "", INGRESS_KIND_SECRET, 0, 0 },
    { "configmaps", "", INGRESS_KIND_CONFIGMAP, 0, 0 },
    { "namespaces", "", INGRESS_KIND_NAMESPACE, 1, 0 },
    { "issuers", "cert-manager.io", INGRESS_KIND_ISSUER, 0, 1 },
    { "clusterissuers", "cert-manager.io", INGRESS_KIND_CLUSTER_ISSUER, 1, 1 },
    { "certificates", "cert-manager.io", INGRESS_KIND_CERTIFICATE, 0, 1 },
    { NULL, NULL, INGRESS_KIND_MAX, 0, 0 }
};

/* nobody waits for them, hence optional; they are no row of their own */

static const ingress_resource_t  ingress_typed_secrets = {
    "secrets", "", INGRESS_KIND_SECRET, 0, 1
};


ingress_cluster_t *
ingress_cluster_create(ingress_store_t *store,
    const ingress_cluster_options_t *options)
{
    ingress_cluster_t  *c;

    c = torii_zalloc(sizeof(ingress_cluster_t));

    c->store = store;
    c->seed = options->seed;
    c->epoch = options->epoch;
    c->last = &c->sources;
    c->queue_last = &c->queue;
    c->delay = INGRESS_CLUSTER_NEVER;
    c->pass = INGRESS_CLUSTER_NEVER;
    c->start = INGRESS_CLUSTER_NEVER;

    c->arena = torii_arena_create(INGRESS_CLUSTER_ARENA);

    c->all.all = 1;
    c->all.config = torii_arena_str(c->arena, options->config);
    c->all.watch_namespace = torii_arena_str(c->arena, options->namespace);
    c->options = options->served ? options->served : &c->all;

    ingress_cluster_sources(c, options);

    /* what the gateway itself wants is known before any object is */

    ingress_want_pass(c);

    return c;
}


static void
ingress_cluster_sources(ingress_cluster_t *c,
    const ingress_cluster_options_t *options)
{
    uint32_t                   i;
    torii_str_t                none;
    const ingress_resource_t  *r;

    none.data = NULL;
    none.len = 0;

    for (r = ingress_resources; r->resource != NULL; r++) {

        if (r->kind == INGRESS_KIND_CONFIGMAP
            || (r->kind == INGRESS_KIND_SECRET
                && options->secret_namespaces != NULL)
            || (r->kind == INGRESS_KIND_NAMESPACE
                && c->options->selector == NULL))
        {
            continue;
        }

        (void) ingress_source_create(c, r, r->cluster ? none
                                                      : options->namespace,
                                     none, none);
    }

    if (options->secret_namespaces == NULL) {
        return;
    }

    for (r = ingress_resources; r->kind != INGRESS_KIND_SECRET; r++) {
        /* void */
    }

    for (i = 0; i < options->nsecret_namespaces; i++) {

        if (options->secret_namespaces[i].len
            && !ingress_cluster_twice(options, i))
        {
            (void) ingress_source_create(c, r, options->secret_namespaces[i],
                                         none, none);
        }
    }
}


void
ingress_cluster_secrets(ingress_cluster_t *c, torii_str_t namespace,
    torii_str_t type)
{
    torii_str_t  none = torii_null_string;

    (void) ingress_source_create(c, &ingress_typed_secrets, namespace, none,
                                 type);
}


static int
ingress_cluster_twice(const ingress_cluster_options_t *options, uint32_t n)
{
    uint32_t  i;

    for (i = 0; i < n; i++) {
        if (torii_str_eq(options->secret_namespaces[i],
                         options->secret_namespaces[n]))
        {
            return 1;
        }
    }

    return 0;
}


/* The store keeps its objects: whoever ends this source may go on serving. */

void
ingress_cluster_free(ingress_cluster_t *c)
{
    if (c == NULL) {
        return;
    }

    while (c->sources != NULL) {
        ingress_source_free(c->sources, 1);
    }

    ingress_gets_free(c);
    ingress_wants_free(c);
    torii_arena_destroy(c->findings_arena);
    torii_arena_destroy(c->arena);

    free(c);
}


int
ingress_cluster_next(ingress_cluster_t *c, uint64_t now,
    ingress_api_request_t *req, uint32_t *id, uint32_t *wait)
{
    uint32_t  watches;

    c->now = now;

    if (c->start == INGRESS_CLUSTER_NEVER) {
        c->start = now;
    }

    ingress_cluster_look(c);
    ingress_want_wake(c);

    watches = UINT32_MAX;

    if (ingress_cluster_watches(c, req, id, &watches) == TORII_OK
        || ingress_get_next(c, req, id) == TORII_OK)
    {
        return TORII_OK;
    }

    /* a take from the queue may have found out the rest */

    (void) ingress_cluster_complete(c);

    if (ingress_cluster_report(c)) {
        c->changed = 1;
    }

    *wait = ingress_cluster_wait(c);

    if (watches < *wait) {
        *wait = watches;
    }

    return TORII_AGAIN;
}


static int
ingress_cluster_watches(ingress_cluster_t *c, ingress_api_request_t *req,
    uint32_t *id, uint32_t *wait)
{
    int                rc;
    uint32_t           ms;
    ingress_source_t  *source, *next;

    for (source = c->sources; source; source = next) {
        next = source->next;

        if (source->id) {
            continue;
        }

        if (!source->wanted) {
            ingress_source_free(source, 0);
            continue;
        }

        ms = UINT32_MAX;
        rc = ingress_watch_next(source->watch, c->now, req, &ms);

        ingress_source_update(source);

        if (rc == TORII_OK) {
            source->id = ingress_cluster_id(c);
            *id = source->id;
            return TORII_OK;
        }

        if (ms < *wait) {
            *wait = ms;
        }
    }

    return TORII_AGAIN;
}


/*
 * All wants, when there is reason to, and it is known which Ingresses are
 * served.
 */

static void
ingress_cluster_look(ingress_cluster_t *c)
{
    ingress_source_t  *source;

    if (c->recheck) {
        c->recheck = 0;
        ingress_want_check_all(c);
    }

    if (c->pass > c->now) {
        return;
    }

    for (source = c->sources; source; source = source->next) {

        if ((source->resource->kind == INGRESS_KIND_INGRESS
             || source->resource->kind == INGRESS_KIND_CLASS
             || source->resource->kind == INGRESS_KIND_NAMESPACE)
            && !ingress_cluster_known(c, source))
        {
            c->pass = INGRESS_CLUSTER_NEVER;
            return;
        }
    }

    c->pass = INGRESS_CLUSTER_NEVER;
    c->passed = 1;

    ingress_want_pass(c);
}


static int
ingress_cluster_known(ingress_cluster_t *c, const ingress_source_t *source)
{
    return source->listed || source->state == INGRESS_WATCH_FORBIDDEN
           || source->state == INGRESS_WATCH_ABSENT;
}


void
ingress_cluster_pass(ingress_cluster_t *c, uint32_t delay)
{
    if (c->pass > c->now + delay) {
        c->pass = c->now + delay;
    }
}


static uint32_t
ingress_cluster_wait(ingress_cluster_t *c)
{
    uint32_t           wait;
    uint64_t           at;
    ingress_source_t  *source;

    wait = UINT32_MAX;

    if (c->recheck) {
        return 0;
    }

    ingress_cluster_until(c, c->delay, &wait);
    ingress_cluster_until(c, c->pass, &wait);

    if (c->queue != NULL && c->pause > c->now) {
        ingress_cluster_until(c, c->pause, &wait);
    }

    if (c->changed && c->complete && c->untried && c->hold > c->now) {
        ingress_cluster_until(c, c->hold, &wait);
    }

    for (source = c->sources; source; source = source->next) {

        if (!ingress_source_silent(source, &at) && at) {
            ingress_cluster_until(c, at, &wait);
        }
    }

    return wait;
}


static void
ingress_cluster_until(const ingress_cluster_t *c, uint64_t at, uint32_t *wait)
{
    uint64_t  ms;

    if (at == INGRESS_CLUSTER_NEVER) {
        return;
    }

    ms = at > c->now ? at - c->now : 0;

    if (ms < *wait) {
        *wait = (uint32_t) ms;
    }
}


static ingress_source_t *
ingress_cluster_source(ingress_cluster_t *c, uint32_t id)
{
    ingress_source_t  *source;

    for (source = c->sources; source; source = source->next) {
        if (source->id == id) {
            return source;
        }
    }

    return NULL;
}


int
ingress_cluster_head(ingress_cluster_t *c, uint64_t now, uint32_t id,
    const ingress_api_answer_t *answer)
{
    torii_str_t  none = torii_null_string;

    return ingress_cluster_hand(c, now, id, answer, none);
}


int
ingress_cluster_body(ingress_cluster_t *c, uint64_t now, uint32_t id,
    torii_str_t bytes)
{
    return ingress_cluster_hand(c, now, id, NULL, bytes);
}


/*
 * The head of an answer, or else bytes of its body, to whom they are for.  An
 * answer to what is not wanted any more is not waited for.
 */

static int
ingress_cluster_hand(ingress_cluster_t *c, uint64_t now, uint32_t id,
    const ingress_api_answer_t *head, torii_str_t bytes)
{
    int                rc;
    ingress_get_t     *get;
    ingress_source_t  *source;

    c->now = now;

    if (id == 0) {
        return TORII_ERROR;
    }

    source = ingress_cluster_source(c, id);

    if (source == NULL) {
        get = ingress_get_find(c, id);

        if (get == NULL) {
            return TORII_ERROR;
        }

        return head ? ingress_get_head(c, get, head)
                    : ingress_get_body(c, get, bytes);
    }

    rc = TORII_ERROR;

    if (source->wanted) {
        rc = head ? ingress_watch_head(source->watch, now, head)
                  : ingress_watch_body(source->watch, now, bytes);
        ingress_source_update(source);
    }

    if (rc == TORII_ERROR) {
        source->id = 0;
    }

    return rc;
}


void
ingress_cluster_end(ingress_cluster_t *c, uint64_t now, uint32_t id,
    const char *error)
{
    ingress_get_t     *get;
    ingress_source_t  *source;

    c->now = now;

    if (id == 0) {
        return;
    }

    source = ingress_cluster_source(c, id);

    if (source != NULL) {
        source->id = 0;

        if (source->wanted) {
            ingress_watch_end(source->watch, now, error);
            ingress_source_update(source);
        }

        return;
    }

    get = ingress_get_find(c, id);

    if (get != NULL) {
        ingress_get_end(c, get, error);
    }
}


void
ingress_cluster_hurry(ingress_cluster_t *c, uint64_t now)
{
    ingress_source_t  *source;

    for (source = c->sources; source; source = source->next) {
        ingress_watch_hurry(source->watch, now);
    }
}


int
ingress_cluster_changed(ingress_cluster_t *c)
{
    if (!c->changed
        || (c->complete && c->untried && c->hold > c->now))
    {
        return 0;
    }

    c->changed = 0;

    return 1;
}


int
ingress_cluster_settled(const ingress_cluster_t *c)
{
    return c->complete && !c->recheck;
}


int
ingress_cluster_secret(ingress_cluster_t *c, uint64_t now,
    torii_str_t namespace, torii_str_t name)
{
    ingress_want_t  *want;

    want = ingress_want_find(c, INGRESS_KIND_SECRET, namespace, name);

    if (want == NULL) {
        return TORII_OK;
    }

    if (want->forbidden || want->failing) {
        return TORII_DECLINED;
    }

    if (want->loaded) {
        return TORII_OK;
    }

    return (!want->tried || want->state == INGRESS_WANT_QUEUED
            || want->state == INGRESS_WANT_ASKED
            || now < want->since + INGRESS_CLUSTER_HOLD)
           ? TORII_AGAIN : TORII_OK;
}


int
ingress_cluster_complete(ingress_cluster_t *c)
{
    ingress_source_t  *source;

    if (c->complete) {
        return 1;
    }

    if (!c->passed || c->recheck || c->pass <= c->now || c->untried) {
        return 0;
    }

    for (source = c->sources; source; source = source->next) {

        if (source->wanted && !source->resource->optional
            && (!ingress_cluster_known(c, source)
                || ((source->resource->kind == INGRESS_KIND_INGRESS
                     || source->resource->kind == INGRESS_KIND_NAMESPACE)
                    && !source->listed)))
        {
            return 0;
        }
    }

    c->complete = 1;
    c->changed = 1;

    return 1;
}


const ingress_finding_t *
ingress_cluster_findings(ingress_cluster_t *c)
{
    return c->findings;
}


uint32_t
ingress_cluster_kinds(ingress_cluster_t *c, ingress_cluster_kind_t *kinds,
    uint32_t max)
{
    uint32_t                   n;
    const ingress_resource_t  *r;

    n = 0;

    for (r = ingress_resources; r->resource != NULL && n < max; r++) {
        memset(&kinds[n], 0, sizeof(ingress_cluster_kind_t));

        ingress_kind_fill(c, r, &kinds[n]);

        if (kinds[n].resource != NULL) {
            n++;
        }
    }

    return n;
}


/* The worst of its watches stands for a resource. */

static void
ingress_kind_fill(ingress_cluster_t *c, const ingress_resource_t *resource,
    ingress_cluster_kind_t *kind)
{
    uint32_t                n;
    ingress_source_t       *source;
    static const uint8_t    rank[] = { 4, 0, 3, 2, 1 };

    n = 0;

    for (source = c->sources; source; source = source->next) {

        if (source->resource != resource || !source->wanted
            || ingress_source_missing(source))
        {
            continue;
        }

        n += source->seen.n;

        if (kind->resource == NULL || rank[source->state] > rank[kind->state])
        {
            kind->resource = resource->resource;
            kind->state = source->state;
            kind->error = ingress_watch_error(source->watch);
            kind->since = 0;

            if (source->state == INGRESS_WATCH_STALE) {
                kind->since = ingress_watch_stale(source->watch) + c->epoch;
            }
        }
    }

    kind->objects = n;
}


uint32_t
ingress_cluster_id(ingress_cluster_t *c)
{
    if (++c->ids == 0) {
        c->ids = 1;
    }

    return c->ids;
}


uint32_t
ingress_cluster_random(ingress_cluster_t *c)
{
    c->seed = torii_hash(&c->seed, sizeof(c->seed), 0);

    return (uint32_t) (c->seed >> 32);
}
