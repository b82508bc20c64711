
/*
 * Leader election.  A Lease is written only over the version that was read, so
 * of two that want it one is refused; who holds it counts its time from the
 * moment a renewal was sent, who wants it from the moment a change was seen:
 * the first one is over 5 s before the second one, however late answers are.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ingress_lease.h"
#include "torii_tree.h"


#define INGRESS_LEASE_DURATION   15000   /* ms without a change: it is free */
#define INGRESS_LEASE_DEADLINE   10000   /* ms after a renewal was sent */
#define INGRESS_LEASE_PERIOD     2000
#define INGRESS_LEASE_RETRY      500     /* of the holder, after a failure */
#define INGRESS_LEASE_TIMEOUT    3000
#define INGRESS_LEASE_OBEYED     300     /* seconds of Retry-After */

#define INGRESS_LEASE_PATH                                                    \
    "/apis/coordination.k8s.io/v1/namespaces/%.*s/leases"


typedef enum {
    INGRESS_LEASE_NONE = 0,
    INGRESS_LEASE_GET,
    INGRESS_LEASE_CREATE,
    INGRESS_LEASE_UPDATE,
    INGRESS_LEASE_RELEASE
} ingress_lease_op_e;

/* What is known of the Lease's content. */

typedef struct {
    torii_buf_t          holder;
    torii_buf_t          version;     /* resourceVersion */
    torii_buf_t          uid;
    torii_buf_t          acquired;    /* acquireTime */
    uint64_t             transitions;
    uint64_t             hash;        /* of all that a holder changes */
} ingress_lease_record_t;

struct ingress_lease_s {
    torii_arena_t       *arena;       /* of the three names */
    torii_str_t          namespace;
    torii_str_t          name;
    torii_str_t          identity;

    ingress_lease_op_e   op;          /* in flight */
    ingress_lease_op_e   next;
    uint64_t             sent;        /* when op was */
    uint64_t             when;        /* not to send next before */
    uint64_t             until;       /* we lead until then; 0: we do not */
    uint64_t             changed;     /* when record was seen to change */
    unsigned             seen:1;      /* record is of a Lease */
    unsigned             released:1;
    ingress_lease_record_t  record;

    uint64_t             seed;
    torii_buf_t          path;
    torii_buf_t          body;
    char                 error[320];
};


static torii_str_t ingress_lease_str(const torii_buf_t *b);
static void ingress_lease_keep(torii_buf_t *b, torii_str_t s);
static uint32_t ingress_lease_random(ingress_lease_t *l, uint32_t n);
static int ingress_lease_ours(const ingress_lease_t *l);
static int ingress_lease_free_at(const ingress_lease_t *l, uint64_t now);
static void ingress_lease_request(ingress_lease_t *l, uint64_t wall_us,
    ingress_api_request_t *req);
static void ingress_lease_write(ingress_lease_t *l, uint64_t wall_us);
static void ingress_lease_ready(ingress_lease_t *l, uint64_t now,
    const ingress_api_answer_t *answer, torii_str_t body);
static void ingress_lease_decide(ingress_lease_t *l, uint64_t now);
static void ingress_lease_missing(ingress_lease_t *l, uint64_t now);
static int ingress_lease_read(ingress_lease_t *l, uint64_t now,
    torii_str_t body);
static int ingress_lease_record(ingress_lease_t *l, uint64_t now,
    const torii_node_t *doc);
static torii_str_t ingress_lease_text(const torii_node_t *map,
    const char *key);
static void ingress_lease_later(ingress_lease_t *l, uint64_t now);
static void ingress_lease_failed(ingress_lease_t *l, uint64_t now,
    const ingress_api_answer_t *answer, torii_str_t body);


static const torii_tree_limits_t  ingress_lease_limits = {
    1024 * 1024, 20000, 32
};


ingress_lease_t *
ingress_lease_create(torii_str_t namespace, torii_str_t name,
    torii_str_t identity, uint64_t seed)
{
    ingress_lease_t  *l;

    l = torii_zalloc(sizeof(ingress_lease_t));

    l->arena = torii_arena_create(512);
    l->namespace = torii_arena_str(l->arena, namespace);
    l->name = torii_arena_str(l->arena, name);
    l->identity = torii_arena_str(l->arena, identity);

    /* instances that were given one seed must not wait in step */

    l->seed = torii_hash(identity.data, identity.len, seed);
    l->next = INGRESS_LEASE_GET;

    return l;
}


void
ingress_lease_free(ingress_lease_t *l)
{
    if (l == NULL) {
        return;
    }

    torii_arena_destroy(l->arena);
    torii_buf_free(&l->record.holder);
    torii_buf_free(&l->record.version);
    torii_buf_free(&l->record.uid);
    torii_buf_free(&l->record.acquired);
    torii_buf_free(&l->path);
    torii_buf_free(&l->body);
    free(l);
}


int
ingress_lease_next(ingress_lease_t *l, uint64_t now, uint64_t wall_us,
    ingress_api_request_t *req, uint32_t *wait)
{
    if (l->op != INGRESS_LEASE_NONE || l->released) {
        *wait = UINT32_MAX;
        return TORII_AGAIN;
    }

    if (now < l->when) {
        *wait = (uint32_t) (l->when - now);
        return TORII_AGAIN;
    }

    l->op = l->next;
    l->sent = now;

    ingress_lease_request(l, wall_us, req);

    return TORII_OK;
}


int
ingress_lease_leads(ingress_lease_t *l, uint64_t now)
{
    return now < l->until;
}


int
ingress_lease_release(ingress_lease_t *l, uint64_t now, uint64_t wall_us,
    ingress_api_request_t *req)
{
    l->until = 0;

    if (l->released || !ingress_lease_ours(l)) {
        l->released = 1;
        return TORII_DECLINED;
    }

    /* the answer to what is in flight, if it comes, is of no interest */

    l->released = 1;
    l->op = INGRESS_LEASE_RELEASE;
    l->sent = now;

    ingress_lease_request(l, wall_us, req);

    return TORII_OK;
}


torii_str_t
ingress_lease_holder(const ingress_lease_t *l)
{
    return ingress_lease_str(&l->record.holder);
}


torii_str_t
ingress_lease_uid(const ingress_lease_t *l)
{
    return ingress_lease_str(&l->record.uid);
}


const char *
ingress_lease_error(const ingress_lease_t *l)
{
    return l->error;
}


static torii_str_t
ingress_lease_str(const torii_buf_t *b)
{
    torii_str_t  s;

    s.len = b->len;
    s.data = b->len ? b->data : (unsigned char *) "";

    return s;
}


static void
ingress_lease_keep(torii_buf_t *b, torii_str_t s)
{
    b->len = 0;

    if (s.len) {
        torii_buf_add_str(b, s);
    }
}


static uint32_t
ingress_lease_random(ingress_lease_t *l, uint32_t n)
{
    l->seed = torii_hash(&l->seed, sizeof(l->seed), 1);

    return (uint32_t) (l->seed % n);
}


static int
ingress_lease_ours(const ingress_lease_t *l)
{
    return l->seen
           && torii_str_eq(ingress_lease_str(&l->record.holder), l->identity);
}


/*
 * Nobody's, or of one that has been silent for too long.  A Lease that is gone
 * counts as it was seen last: whoever held it need not know of it yet.
 */

static int
ingress_lease_free_at(const ingress_lease_t *l, uint64_t now)
{
    return l->record.holder.len == 0
           || ingress_lease_ours(l)
           || now - l->changed >= INGRESS_LEASE_DURATION;
}


static void
ingress_lease_request(ingress_lease_t *l, uint64_t wall_us,
    ingress_api_request_t *req)
{
    static const char *const  methods[] = { NULL, "GET", "POST", "PUT", "PUT" };

    memset(req, 0, sizeof(ingress_api_request_t));

    l->path.len = 0;
    l->body.len = 0;

    torii_buf_printf(&l->path, INGRESS_LEASE_PATH,
                     torii_str_arg(l->namespace));

    if (l->op != INGRESS_LEASE_CREATE) {
        torii_buf_printf(&l->path, "/%.*s", torii_str_arg(l->name));
    }

    if (l->op != INGRESS_LEASE_GET) {
        ingress_lease_write(l, wall_us);

        req->content_type = "application/json";
        req->body = ingress_lease_str(&l->body);
    }

    torii_buf_add(&l->path, "", 1);
    l->path.len--;

    req->method = methods[l->op];
    req->path = ingress_lease_str(&l->path);
    req->timeout = INGRESS_LEASE_TIMEOUT;
}


/* A Lease that is given back is written as client-go does it. */

static void
ingress_lease_write(ingress_lease_t *l, uint64_t wall_us)
{
    int           ours, release;
    uint64_t      transitions;
    torii_buf_t  *b;

    b = &l->body;
    ours = ingress_lease_ours(l);
    release = (l->op == INGRESS_LEASE_RELEASE);
    transitions = 0;

    torii_buf_adds(b, "{\"apiVersion\":\"coordination.k8s.io/v1\","
                   "\"kind\":\"Lease\",\"metadata\":{\"name\":");
    torii_buf_add_json(b, l->name);
    torii_buf_adds(b, ",\"namespace\":");
    torii_buf_add_json(b, l->namespace);

    if (l->op != INGRESS_LEASE_CREATE) {
        torii_buf_adds(b, ",\"resourceVersion\":");
        torii_buf_add_json(b, ingress_lease_str(&l->record.version));

        transitions = l->record.transitions + !ours;
    }

    torii_buf_adds(b, "},\"spec\":{\"holderIdentity\":");
    torii_buf_add_json(b, release ? torii_str("") : l->identity);
    torii_buf_printf(b, ",\"leaseDurationSeconds\":%u,\"acquireTime\":",
                     release ? 1 : INGRESS_LEASE_DURATION / 1000);

    if (l->op == INGRESS_LEASE_UPDATE && ours && l->record.acquired.len) {
        torii_buf_add_json(b, ingress_lease_str(&l->record.acquired));

    } else {
        ingress_api_time(b, wall_us);
    }

    torii_buf_adds(b, ",\"renewTime\":");
    ingress_api_time(b, wall_us);
    torii_buf_printf(b, ",\"leaseTransitions\":%llu}}",
                     (unsigned long long) (transitions & INT32_MAX));
}


void
ingress_lease_answer(ingress_lease_t *l, uint64_t now,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    uint32_t  status;

    if (l->released || l->op == INGRESS_LEASE_NONE) {
        return;
    }

    status = answer->error ? 0 : answer->status;

    if (status == 200 || status == 201) {
        ingress_lease_ready(l, now, answer, body);

    } else if (status == 404 && l->op != INGRESS_LEASE_CREATE) {
        ingress_lease_missing(l, now);

    } else if (status == 409 && l->op != INGRESS_LEASE_GET) {

        /* somebody was quicker, or we were, and never heard of it */

        l->next = INGRESS_LEASE_GET;
        l->when = now + ingress_lease_random(l, 200);

    } else {
        ingress_lease_failed(l, now, answer, body);
    }

    l->op = INGRESS_LEASE_NONE;
}


static void
ingress_lease_ready(ingress_lease_t *l, uint64_t now,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ingress_api_answer_t  garbage;

    if (ingress_lease_read(l, now, body) != TORII_OK) {
        garbage = *answer;
        garbage.error = "the answer is no Lease";

        ingress_lease_failed(l, now, &garbage, body);
        return;
    }

    l->error[0] = '\0';

    if (l->op == INGRESS_LEASE_GET) {
        ingress_lease_decide(l, now);
        return;
    }

    if (ingress_lease_ours(l)) {
        l->until = l->sent + INGRESS_LEASE_DEADLINE;
        l->next = INGRESS_LEASE_UPDATE;

    } else {
        l->until = 0;
        l->next = INGRESS_LEASE_GET;
    }

    l->when = now + INGRESS_LEASE_PERIOD - 200 + ingress_lease_random(l, 400);
}


static void
ingress_lease_decide(ingress_lease_t *l, uint64_t now)
{
    if (!ingress_lease_ours(l)) {
        l->until = 0;
    }

    if (ingress_lease_free_at(l, now)) {
        l->next = INGRESS_LEASE_UPDATE;
        l->when = now;
        return;
    }

    ingress_lease_later(l, now);
}


static void
ingress_lease_missing(ingress_lease_t *l, uint64_t now)
{
    l->error[0] = '\0';

    if (ingress_lease_free_at(l, now)) {
        l->next = INGRESS_LEASE_CREATE;
        l->when = now;
        return;
    }

    ingress_lease_later(l, now);
}


static int
ingress_lease_read(ingress_lease_t *l, uint64_t now, torii_str_t body)
{
    int                  rc;
    torii_node_t        *doc;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    a = torii_arena_create(4096);

    rc = torii_tree_json(a, body, &ingress_lease_limits, &doc, &error);

    if (rc == TORII_OK) {
        rc = ingress_lease_record(l, now, doc);
    }

    torii_arena_destroy(a);

    return rc;
}


static int
ingress_lease_record(ingress_lease_t *l, uint64_t now, const torii_node_t *doc)
{
    uint64_t             hash;
    torii_str_t          holder, acquired, renewed, version;
    const torii_node_t  *meta, *spec, *node;

    meta = torii_node_get(doc, "metadata");
    spec = torii_node_get(doc, "spec");
    version = ingress_lease_text(meta, "resourceVersion");

    if (!torii_str_eqs(ingress_lease_text(doc, "kind"), "Lease")
        || !torii_str_eq(ingress_lease_text(meta, "name"), l->name)
        || version.len == 0)
    {
        return TORII_ERROR;
    }

    holder = ingress_lease_text(spec, "holderIdentity");
    acquired = ingress_lease_text(spec, "acquireTime");
    renewed = ingress_lease_text(spec, "renewTime");

    hash = torii_hash(holder.data, holder.len, 0);
    hash = torii_hash(acquired.data, acquired.len, hash);
    hash = torii_hash(renewed.data, renewed.len, hash);
    hash = torii_hash(version.data, version.len, hash);

    if (!l->seen || l->record.hash != hash) {
        l->changed = now;
    }

    l->seen = 1;
    l->record.hash = hash;
    l->record.transitions = 0;

    node = torii_node_get(spec, "leaseTransitions");

    if (node && node->type == TORII_NODE_INT) {
        (void) torii_str_uint(node->text, INT32_MAX, &l->record.transitions);
    }

    ingress_lease_keep(&l->record.holder, holder);
    ingress_lease_keep(&l->record.acquired, acquired);
    ingress_lease_keep(&l->record.version, version);
    ingress_lease_keep(&l->record.uid, ingress_lease_text(meta, "uid"));

    return TORII_OK;
}


static torii_str_t
ingress_lease_text(const torii_node_t *map, const char *key)
{
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    if (node == NULL || node->type != TORII_NODE_STRING) {
        return torii_str("");
    }

    return node->text;
}


static void
ingress_lease_later(ingress_lease_t *l, uint64_t now)
{
    l->next = INGRESS_LEASE_GET;
    l->when = now + INGRESS_LEASE_PERIOD + ingress_lease_random(l, 400);
}


/*
 * A write without an answer may have been done, so the Lease is read next.
 * The holder tries again soon: it has a few seconds left.  Others ask as often
 * as they do anyway, which is no burden on a server in trouble.
 */

static void
ingress_lease_failed(ingress_lease_t *l, uint64_t now,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    uint32_t              wait, asked;
    ingress_api_status_t  status;

    l->next = INGRESS_LEASE_GET;

    if (answer->error) {
        (void) snprintf(l->error, sizeof(l->error), "%s", answer->error);

    } else if (ingress_api_status_parse(body, &status) == TORII_OK) {
        (void) snprintf(l->error, sizeof(l->error), "%u: %s",
                        (unsigned) answer->status, status.message);

    } else {
        (void) snprintf(l->error, sizeof(l->error), "answered with status %u",
                        (unsigned) answer->status);
    }

    wait = ingress_lease_leads(l, now) ? INGRESS_LEASE_RETRY
                                       : INGRESS_LEASE_PERIOD;
    wait += ingress_lease_random(l, wait);

    asked = answer->retry_after < INGRESS_LEASE_OBEYED
            ? answer->retry_after * 1000 : INGRESS_LEASE_OBEYED * 1000;

    if (wait < asked) {
        wait = asked + ingress_lease_random(l, 1000);
    }

    l->when = now + wait;
}
