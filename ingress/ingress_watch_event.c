
/*
 * Watching one resource: events, the items of a list, and its end.
 */

#include <stdio.h>

#include "ingress_watch_machine.h"


#define INGRESS_WATCH_OBJECT  (16 * 1024)     /* a block of its arena */


static int ingress_watch_decode(ingress_watch_t *w, uint64_t now,
    torii_arena_t *a, torii_str_t bytes, torii_node_t **doc);
static int ingress_watch_tell(ingress_watch_t *w, uint64_t now,
    const torii_node_t *doc);
static int ingress_watch_change(ingress_watch_t *w, uint64_t now,
    torii_str_t type, const torii_node_t *object);
static int ingress_watch_bookmark(ingress_watch_t *w, uint64_t now,
    const torii_node_t *object);
static int ingress_watch_trouble(ingress_watch_t *w, uint64_t now,
    const torii_node_t *object);
static int ingress_watch_advance(ingress_watch_t *w, uint64_t now,
    torii_str_t version);
static int ingress_watch_has_metadata(const torii_node_t *object);
static torii_str_t ingress_watch_text(const torii_node_t *map,
    const char *key);
static int ingress_watch_is_list(const torii_node_t *doc);
static int ingress_watch_older(torii_str_t a, const torii_buf_t *b);
static int ingress_watch_is_number(torii_str_t s);


static const torii_tree_limits_t  ingress_watch_limits = {
    INGRESS_SPLIT_OBJECT, 2000000, INGRESS_SPLIT_DEPTH
};


int
ingress_watch_event(ingress_watch_t *w, uint64_t now, torii_str_t bytes)
{
    int             rc;
    torii_node_t   *doc;
    torii_arena_t  *a;

    a = torii_arena_create(INGRESS_WATCH_OBJECT);

    rc = ingress_watch_decode(w, now, a, bytes, &doc);

    if (rc == TORII_OK) {
        rc = ingress_watch_tell(w, now, doc);
    }

    torii_arena_destroy(a);

    return rc;
}


int
ingress_watch_item(ingress_watch_t *w, uint64_t now, torii_str_t bytes)
{
    int             rc;
    torii_node_t   *doc;
    torii_arena_t  *a;

    a = torii_arena_create(INGRESS_WATCH_OBJECT);

    rc = ingress_watch_decode(w, now, a, bytes, &doc);

    if (rc == TORII_OK && !ingress_watch_has_metadata(doc)) {
        rc = ingress_watch_malformed(w, now, "has an item without metadata");
    }

    if (rc == TORII_OK) {
        w->sink.set(w->sink.data, doc);
    }

    torii_arena_destroy(a);

    return rc;
}


static int
ingress_watch_decode(ingress_watch_t *w, uint64_t now, torii_arena_t *a,
    torii_str_t bytes, torii_node_t **doc)
{
    char                 what[256];
    torii_tree_error_t   error;

    if (torii_tree_json(a, bytes, &ingress_watch_limits, doc, &error)
        != TORII_OK)
    {
        (void) snprintf(what, sizeof(what), "is no JSON, %s", error.text);
        return ingress_watch_malformed(w, now, what);
    }

    return TORII_OK;
}


/*
 * Bytes that are no event are lost for us, but not for the server: it is asked
 * again from the last version, and when that brings no event, either, for all
 * objects.
 */

int
ingress_watch_malformed(ingress_watch_t *w, uint64_t now, const char *what)
{
    const char  *name;

    name = w->request == INGRESS_REQUEST_PAGE ? "a list" : "an event";

    if (w->listing && w->request == INGRESS_REQUEST_STREAM) {
        w->paged = (++w->cuts >= 2);

    } else if (w->request == INGRESS_REQUEST_PAGE || ++w->bad >= 2) {
        w->bad = 0;
        ingress_watch_anew(w);
    }

    ingress_watch_done(w, now);
    ingress_watch_failed(w, now, "%s %s", name, what);

    return TORII_ERROR;
}


static int
ingress_watch_tell(ingress_watch_t *w, uint64_t now, const torii_node_t *doc)
{
    torii_str_t          type;
    const torii_node_t  *object;

    type = ingress_watch_text(doc, "type");
    object = torii_node_get(doc, "object");

    if (type.len == 0 || object == NULL || object->type != TORII_NODE_MAP) {
        return ingress_watch_malformed(w, now, "has no type or no object");
    }

    if (torii_str_eqs(type, "ERROR")) {
        return ingress_watch_trouble(w, now, object);
    }

    return ingress_watch_change(w, now, type, object);
}


/* Types that do not exist today are passed over. */

static int
ingress_watch_change(ingress_watch_t *w, uint64_t now, torii_str_t type,
    const torii_node_t *object)
{
    int          added, removed, bookmark;
    torii_str_t  version;

    added = torii_str_eqs(type, "ADDED") || torii_str_eqs(type, "MODIFIED");
    removed = torii_str_eqs(type, "DELETED");
    bookmark = torii_str_eqs(type, "BOOKMARK");

    if (!added && !removed && !bookmark) {
        return TORII_OK;
    }

    if (!ingress_watch_has_metadata(object)) {
        return ingress_watch_malformed(w, now, "is about an object without "
                                       "metadata");
    }

    if (bookmark) {
        return ingress_watch_bookmark(w, now, object);
    }

    version = ingress_watch_text(torii_node_get(object, "metadata"),
                                 "resourceVersion");

    if (added) {
        w->sink.set(w->sink.data, object);
        return ingress_watch_advance(w, now, version);
    }

    w->sink.remove(w->sink.data, object);

    /* of the removal; servers are about that give the object's own instead */

    if (ingress_watch_older(version, &w->version)) {
        return TORII_OK;
    }

    return ingress_watch_advance(w, now, version);
}


static int
ingress_watch_bookmark(ingress_watch_t *w, uint64_t now,
    const torii_node_t *object)
{
    torii_str_t          version, end;
    const torii_node_t  *metadata;

    metadata = torii_node_get(object, "metadata");
    version = ingress_watch_text(metadata, "resourceVersion");

    if (!w->listing) {
        return ingress_watch_advance(w, now, version);
    }

    end = ingress_watch_text(torii_node_get(metadata, "annotations"),
                             "k8s.io/initial-events-end");

    if (!torii_str_eqs(end, "true")) {

        /* an ordinary watch: what was there before does not come */

        w->paged = 1;
        ingress_watch_anew(w);
        ingress_watch_done(w, now);

        return TORII_ERROR;
    }

    if (ingress_watch_whole(w, version) != TORII_OK) {
        return ingress_watch_malformed(w, now, "ends the list without a "
                                       "resourceVersion");
    }

    /* what follows may be silent for longer than initial events may */

    ingress_watch_done(w, now);

    return TORII_ERROR;
}


static int
ingress_watch_trouble(ingress_watch_t *w, uint64_t now,
    const torii_node_t *object)
{
    char                  why[384];
    unsigned              listing;
    ingress_api_status_t  status;

    ingress_api_status_read(object, &status);

    (void) snprintf(why, sizeof(why), "the stream reported an error: %u %s: "
                    "%s", (unsigned) status.code, status.reason,
                    status.message);

    listing = w->listing;

    ingress_watch_done(w, now);

    if (status.code == 410 || strcmp(status.reason, "Expired") == 0
        || strcmp(status.reason, "Gone") == 0)
    {
        ingress_watch_expired(w, now, why);
        return TORII_ERROR;
    }

    if (listing) {
        w->paged = (++w->cuts >= 2);

    } else if (strstr(status.message, INGRESS_WATCH_FUTURE) != NULL) {
        ingress_watch_anew(w);
    }

    w->retry_after = status.retry_after;
    ingress_watch_failed(w, now, "%s", why);

    return TORII_ERROR;
}


/*
 * Versions are opaque, but of numbers Kubernetes says that they grow.  One
 * that is smaller comes from a server that went back in time (a restored
 * backup): its history is not the one that was followed so far.
 */

static int
ingress_watch_advance(ingress_watch_t *w, uint64_t now, torii_str_t version)
{
    if (version.len > INGRESS_WATCH_VERSION) {
        return ingress_watch_malformed(w, now, "has a resourceVersion that is "
                                       "too long");
    }

    if (w->listing || version.len == 0) {
        return TORII_OK;
    }

    if (ingress_watch_older(version, &w->version)) {
        ingress_watch_done(w, now);
        ingress_watch_expired(w, now, "the server's resourceVersion went "
                              "backwards");
        return TORII_ERROR;
    }

    w->bad = 0;
    w->version.len = 0;
    torii_buf_add_str(&w->version, version);

    return TORII_OK;
}


static int
ingress_watch_older(torii_str_t a, const torii_buf_t *b)
{
    torii_str_t  s;

    s.data = b->data;
    s.len = b->len;

    if (!ingress_watch_is_number(a) || !ingress_watch_is_number(s)) {
        return 0;
    }

    if (a.len != s.len) {
        return a.len < s.len;
    }

    return memcmp(a.data, s.data, a.len) < 0;
}


/* Without a leading zero, so that the longer one is the larger one. */

static int
ingress_watch_is_number(torii_str_t s)
{
    size_t  i;

    if (s.len == 0 || *s.data == '0') {
        return 0;
    }

    for (i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return 0;
        }
    }

    return 1;
}


static int
ingress_watch_has_metadata(const torii_node_t *object)
{
    const torii_node_t  *metadata;

    metadata = torii_node_get(object, "metadata");

    return metadata != NULL && metadata->type == TORII_NODE_MAP;
}


/* The text of a string or a number, or empty. */

static torii_str_t
ingress_watch_text(const torii_node_t *map, const char *key)
{
    torii_str_t          none = torii_null_string;
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    if (node == NULL || (node->type != TORII_NODE_STRING
                         && node->type != TORII_NODE_INT))
    {
        return none;
    }

    return node->text;
}


/*
 * Anybody can answer 200 with some JSON.  What is to stand for "there are no
 * objects" must be a list from head to foot.
 */

static int
ingress_watch_is_list(const torii_node_t *doc)
{
    torii_str_t          kind;
    const torii_node_t  *items;

    kind = ingress_watch_text(doc, "kind");
    items = torii_node_get(doc, "items");

    return kind.len > 4 && memcmp(kind.data + kind.len - 4, "List", 4) == 0
           && items != NULL && (items->type == TORII_NODE_LIST
                                || items->type == TORII_NODE_NULL);
}


void
ingress_watch_page(ingress_watch_t *w, uint64_t now)
{
    torii_str_t          shell, version, token;
    torii_node_t        *doc, *metadata;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    shell.data = w->split.shell.data;
    shell.len = w->split.shell.len;

    a = torii_arena_create(INGRESS_WATCH_OBJECT);

    if (ingress_split_inside(&w->split)
        || torii_tree_json(a, shell, &ingress_watch_limits, &doc, &error)
           != TORII_OK)
    {
        (void) ingress_watch_malformed(w, now, "ended in the middle");
        torii_arena_destroy(a);
        return;
    }

    metadata = torii_node_get(doc, "metadata");
    version = ingress_watch_text(metadata, "resourceVersion");
    token = ingress_watch_text(metadata, "continue");

    if (!ingress_watch_is_list(doc) || version.len == 0) {
        (void) ingress_watch_malformed(w, now, "is no list of Kubernetes");

    } else if (token.len > INGRESS_WATCH_TOKEN
               || ++w->pages > INGRESS_WATCH_PAGES)
    {
        (void) ingress_watch_malformed(w, now, "does not end");

    } else if (token.len) {
        w->token.len = 0;
        torii_buf_add_str(&w->token, token);
        ingress_watch_done(w, now);

    } else if (ingress_watch_whole(w, version) != TORII_OK) {
        (void) ingress_watch_malformed(w, now, "has no resourceVersion");

    } else {
        ingress_watch_done(w, now);
    }

    torii_arena_destroy(a);
}
