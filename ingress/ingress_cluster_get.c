
/*
 * GETs of the cluster source: one object each, a handful in flight, none while
 * the server is known to be away.
 */

#include <stdlib.h>

#include "ingress_source.h"


#define INGRESS_GET_ARENA    16384
#define INGRESS_GET_TIMEOUT  30000
#define INGRESS_GET_IDLE     15000


static void ingress_get_free(ingress_cluster_t *c, ingress_get_t *get);
static void ingress_get_done(ingress_cluster_t *c, ingress_get_t *get);
static void ingress_get_away(ingress_cluster_t *c, ingress_want_t *want,
    uint32_t retry_after);
static int ingress_get_decode(ingress_cluster_t *c, ingress_get_t *get);
static int ingress_get_object(ingress_cluster_t *c, ingress_get_t *get,
    torii_arena_t *a, const torii_node_t *doc);
static int ingress_get_is(const torii_node_t *map, const char *key,
    torii_str_t value);
static int ingress_get_is_old(ingress_cluster_t *c, const ingress_get_t *get,
    uint64_t version);
static int ingress_get_is_missing(const ingress_get_t *get);


static const torii_tree_limits_t  ingress_get_limits = {
    INGRESS_CLUSTER_BODY, 200000, 64
};


int
ingress_get_next(ingress_cluster_t *c, ingress_api_request_t *req,
    uint32_t *id)
{
    ingress_get_t     *get;
    ingress_want_t    *want;
    ingress_seen_t    *seen;
    ingress_source_t  *source;

    if (c->queue == NULL || c->pause > c->now
        || c->ngets == (c->backoff.failures ? 1 : INGRESS_CLUSTER_GETS))
    {
        return TORII_AGAIN;
    }

    want = ingress_want_take(c);
    if (want == NULL) {
        return TORII_AGAIN;
    }

    for (get = c->gets; get->id; get++) { /* void */ }

    source = ingress_want_source(c, want);
    seen = source ? ingress_source_seen(source, want->namespace, want->name)
                  : NULL;

    get->id = ingress_cluster_id(c);
    get->want = want;
    get->status = 0;
    get->retry_after = 0;

    want->asked = seen ? seen->version : 0;

    c->ngets++;
    c->path.len = 0;

    torii_buf_printf(&c->path, "/api/v1/namespaces/%.*s/%s/%.*s",
                     torii_str_arg(want->namespace),
                     want->kind == INGRESS_KIND_SECRET ? "secrets"
                                                       : "configmaps",
                     torii_str_arg(want->name));

    *torii_buf_room(&c->path, 1) = '\0';

    memset(req, 0, sizeof(ingress_api_request_t));

    req->method = "GET";
    req->path.data = c->path.data;
    req->path.len = c->path.len;
    req->timeout = INGRESS_GET_TIMEOUT;
    req->idle = INGRESS_GET_IDLE;

    *id = get->id;

    return TORII_OK;
}


ingress_get_t *
ingress_get_find(ingress_cluster_t *c, uint32_t id)
{
    uint32_t  i;

    for (i = 0; i < INGRESS_CLUSTER_GETS; i++) {
        if (c->gets[i].id == id) {
            return &c->gets[i];
        }
    }

    return NULL;
}


int
ingress_get_head(ingress_cluster_t *c, ingress_get_t *get,
    const ingress_api_answer_t *answer)
{
    get->status = answer->status;
    get->retry_after = answer->retry_after;

    if (answer->status == 0) {
        ingress_get_done(c, get);
        return TORII_ERROR;
    }

    return TORII_OK;
}


/* Of a refusal only the beginning is of use. */

int
ingress_get_body(ingress_cluster_t *c, ingress_get_t *get, torii_str_t bytes)
{
    size_t  max;

    max = get->status == 200 ? INGRESS_CLUSTER_BODY : INGRESS_CLUSTER_STATUS;

    if (bytes.len > max - get->body.len) {

        if (get->status != 200) {
            return TORII_OK;
        }

        get->body.len = 0;
        ingress_get_done(c, get);

        return TORII_ERROR;
    }

    torii_buf_add(&get->body, bytes.data, bytes.len);

    return TORII_OK;
}


void
ingress_get_end(ingress_cluster_t *c, ingress_get_t *get, const char *error)
{
    if (error != NULL) {
        get->status = 0;
    }

    ingress_get_done(c, get);
}


static void
ingress_get_free(ingress_cluster_t *c, ingress_get_t *get)
{
    torii_buf_free(&get->body);
    memset(get, 0, sizeof(ingress_get_t));

    c->ngets--;
}


static void
ingress_get_done(ingress_cluster_t *c, ingress_get_t *get)
{
    int              rc;
    uint32_t         status, retry_after;
    ingress_want_t  *want;

    want = get->want;
    status = get->status;
    retry_after = get->retry_after;
    rc = TORII_ERROR;

    if (status == 200) {
        rc = ingress_get_decode(c, get);

    } else if (status == 404 && ingress_get_is_missing(get)) {
        rc = TORII_DECLINED;
    }

    ingress_get_free(c, get);

    if (status == 0 || status == 401 || status == 429 || status == 503) {
        ingress_get_away(c, want, retry_after);
        return;
    }

    ingress_backoff_reset(&c->backoff);
    c->pause = 0;

    switch (rc) {

    case TORII_OK:
        ingress_want_answered(c, want);
        break;

    case TORII_DECLINED:
        ingress_want_missing(c, want);
        break;

    default:
        ingress_want_failed(c, want, status);
    }
}


/* Those that fail together count as one failure. */

static void
ingress_get_away(ingress_cluster_t *c, ingress_want_t *want,
    uint32_t retry_after)
{
    if (c->pause <= c->now) {
        c->pause = c->now + ingress_backoff_next(&c->backoff, retry_after,
                                                 ingress_cluster_random(c));
    }

    ingress_want_postpone(c, want, c->pause);
}


static int
ingress_get_decode(ingress_cluster_t *c, ingress_get_t *get)
{
    int                  rc;
    torii_str_t          body;
    torii_node_t        *doc;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    if (get->want->gone) {
        return TORII_OK;
    }

    body.data = get->body.data;
    body.len = get->body.len;

    a = torii_arena_create(INGRESS_GET_ARENA);

    rc = torii_tree_json(a, body, &ingress_get_limits, &doc, &error);

    if (rc == TORII_OK) {
        rc = ingress_get_object(c, get, a, doc);
    }

    torii_arena_destroy(a);

    return rc;
}


static int
ingress_get_object(ingress_cluster_t *c, ingress_get_t *get, torii_arena_t *a,
    const torii_node_t *doc)
{
    uint64_t             version;
    ingress_want_t      *want;
    ingress_object_t    *o;
    ingress_finding_t   *findings;
    const torii_node_t  *meta;

    want = get->want;
    meta = torii_node_get(doc, "metadata");

    if (!ingress_get_is(doc, "kind", torii_str(ingress_kind_name(want->kind)))
        || !ingress_get_is(meta, "name", want->name)
        || !ingress_get_is(meta, "namespace", want->namespace))
    {
        return TORII_ERROR;
    }

    version = ingress_source_version(meta);

    if (ingress_get_is_old(c, get, version)) {
        return TORII_OK;
    }

    findings = NULL;
    o = ingress_object_decode_as(a, want->kind, doc, &findings);

    if (o == NULL) {
        return TORII_ERROR;
    }

    if (ingress_store_set(c->store, o)) {
        c->changed = 1;

        if (want->kind == INGRESS_KIND_CONFIGMAP) {
            ingress_cluster_pass(c, 0);
        }
    }

    want->loaded = version;

    return TORII_OK;
}


static int
ingress_get_is(const torii_node_t *map, const char *key, torii_str_t value)
{
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    return node != NULL && torii_str_eq(node->text, value);
}


/* The watch may have removed the object, or brought it, in the meantime. */

static int
ingress_get_is_old(ingress_cluster_t *c, const ingress_get_t *get,
    uint64_t version)
{
    ingress_seen_t    *seen;
    ingress_source_t  *source;

    source = ingress_want_source(c, get->want);

    if (source == NULL || !ingress_source_shows(source)) {
        return 0;
    }

    seen = ingress_source_seen(source, get->want->namespace, get->want->name);

    return seen == NULL
           || (seen->version == get->want->loaded && seen->version != version);
}


/* A proxy's 404 says nothing about the object. */

static int
ingress_get_is_missing(const ingress_get_t *get)
{
    torii_str_t            body;
    ingress_api_status_t   status;

    body.data = get->body.data;
    body.len = get->body.len;

    return ingress_api_status_parse(body, &status) == TORII_OK
           && status.code == 404
           && strcmp(status.reason, "NotFound") == 0;
}


void
ingress_gets_free(ingress_cluster_t *c)
{
    uint32_t        i;
    ingress_get_t  *get;

    for (i = 0; i < INGRESS_CLUSTER_GETS; i++) {
        get = &c->gets[i];

        if (get->id == 0) {
            continue;
        }

        if (get->want->gone) {
            free(get->want);
        }

        torii_buf_free(&get->body);
    }

    torii_buf_free(&c->path);
}
