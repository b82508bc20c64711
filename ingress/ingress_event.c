
/*
 * Events.  What is known of a finding is kept for a while after it is gone, so
 * that one which comes and goes counts up one Event.  Nothing is queued for
 * ever: what is over its limits is left out, and stands in the list of findings
 * anyway.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ingress_event.h"
#include "ingress_hash.h"


#define INGRESS_EVENTS_MAX       20000    /* findings known, Ingresses too */
#define INGRESS_EVENTS_MEMORY    600000   /* ms, of findings that are gone */
#define INGRESS_EVENTS_GAP       100      /* ms between two requests */
#define INGRESS_EVENTS_BURST     25       /* of one Ingress … */
#define INGRESS_EVENTS_REFILL    300000   /* … and one more after these ms */
#define INGRESS_EVENTS_TIMEOUT   5000

#define INGRESS_EVENT_NOTE       1024     /* limits of events.k8s.io/v1 */
#define INGRESS_EVENT_INSTANCE   128
#define INGRESS_EVENT_NAME       (253 - 17)

#define INGRESS_EVENT_PATH  "/apis/events.k8s.io/v1/namespaces/%.*s/events"


typedef struct ingress_event_s  ingress_event_t;

typedef enum {
    INGRESS_EVENT_NEW = 0,            /* to be created */
    INGRESS_EVENT_CREATED,
    INGRESS_EVENT_AGAIN,              /* to be counted up */
    INGRESS_EVENT_SKIPPED             /* over the limit */
} ingress_event_state_e;

/* An Ingress that Events are about. */

typedef struct {
    ingress_link_t          link;
    uint32_t                refs;
    uint32_t                tokens;
    uint64_t                refilled;
    torii_str_t             namespace;
    torii_str_t             name;
    torii_str_t             uid;
} ingress_event_object_t;

struct ingress_event_s {
    ingress_link_t          link;
    ingress_event_t        *next;     /* in the queue */
    ingress_event_object_t *object;
    ingress_event_state_e   state;
    unsigned                queued:1;
    unsigned                gone:1;
    unsigned                normal:1; /* nothing to be warned of */
    uint32_t                count;
    uint64_t                round;    /* it was seen in */
    uint64_t                ended;    /* when it was gone */
    const char             *reason;
    torii_str_t             note;
};

struct ingress_events_s {
    ingress_store_t        *store;
    torii_buf_t             instance;
    ingress_hash_t          events;
    ingress_hash_t          objects;
    ingress_event_t        *first;    /* of the queue */
    ingress_event_t       **last;
    ingress_event_t        *flying;
    uint64_t                round;
    uint64_t                when;     /* not to send before */
    uint64_t                seed;
    ingress_backoff_t       backoff;
    torii_buf_t             path;
    torii_buf_t             body;
    char                    error[320];
};


static int ingress_events_wanted(const ingress_finding_t *f);
static void ingress_events_see(ingress_events_t *e, uint64_t now,
    const ingress_finding_t *f);
static uint64_t ingress_events_hash(uint64_t hash, torii_str_t s);
static ingress_event_object_t *ingress_events_object(ingress_events_t *e,
    uint64_t now, const ingress_object_t *o);
static torii_str_t ingress_events_copy(unsigned char **p, torii_str_t s);
static ingress_event_t *ingress_events_find(ingress_events_t *e,
    ingress_event_object_t *object, const ingress_finding_t *f);
static void ingress_events_note(torii_buf_t *b, const ingress_finding_t *f);
static int ingress_events_token(ingress_event_object_t *object, uint64_t now);
static void ingress_events_push(ingress_events_t *e, ingress_event_t *event);
static void ingress_events_sweep(ingress_events_t *e, uint64_t now);
static void ingress_events_ended(ingress_events_t *e, uint64_t now);
static void ingress_events_prune(ingress_events_t *e);
static void ingress_events_forget(ingress_events_t *e, uint64_t now);
static ingress_event_t *ingress_events_pop(ingress_events_t *e, uint64_t now);
static void ingress_events_create_body(ingress_events_t *e,
    ingress_event_t *event, uint64_t wall_us);
static void ingress_events_series_body(ingress_events_t *e,
    ingress_event_t *event, uint64_t wall_us);
static void ingress_events_name(torii_buf_t *b, const ingress_event_t *event);
static void ingress_events_retry(ingress_events_t *e, uint64_t now,
    const ingress_api_answer_t *answer);
static void ingress_events_say(ingress_events_t *e,
    const ingress_api_answer_t *answer, torii_str_t body);


ingress_events_t *
ingress_events_create(ingress_store_t *store, torii_str_t instance,
    uint64_t seed)
{
    ingress_events_t  *e;

    e = torii_zalloc(sizeof(ingress_events_t));

    if (instance.len == 0) {
        instance = torii_str("torii");
    }

    if (instance.len > INGRESS_EVENT_INSTANCE) {
        instance.len = INGRESS_EVENT_INSTANCE;
    }

    torii_buf_add_str(&e->instance, instance);

    e->store = store;
    e->seed = seed;
    e->last = &e->first;

    return e;
}


void
ingress_events_free(ingress_events_t *e)
{
    uint32_t         i, n;
    ingress_hash_t  *tables[2];
    ingress_link_t  *link, *next;

    if (e == NULL) {
        return;
    }

    tables[0] = &e->events;
    tables[1] = &e->objects;

    for (n = 0; n < 2; n++) {
        for (i = 0; i < tables[n]->size; i++) {
            for (link = tables[n]->buckets[i]; link; link = next) {
                next = link->next;
                free(link);
            }
        }

        ingress_hash_free(tables[n]);
    }

    torii_buf_free(&e->instance);
    torii_buf_free(&e->path);
    torii_buf_free(&e->body);
    free(e);
}


const char *
ingress_events_error(const ingress_events_t *e)
{
    return e->error;
}


void
ingress_events_findings(ingress_events_t *e, uint64_t now,
    const ingress_finding_t *findings)
{
    const ingress_finding_t  *f;

    e->round++;

    for (f = findings; f; f = f->next) {
        if (ingress_events_wanted(f)) {
            ingress_events_see(e, now, f);
        }
    }

    ingress_events_sweep(e, now);
}


/*
 * What is served as its author wrote it needs no Event.  A class that nobody
 * has does: no other controller will speak up for the Ingress.  That a
 * certificate was issued is what people are used to look for.
 */

static int
ingress_events_wanted(const ingress_finding_t *f)
{
    uint32_t            i;

    static const char  *told[] = {
        "ClassUnknown", "Issuing", "Issued"
    };

    if (!torii_str_eqs(f->kind, "Ingress")) {
        return 0;
    }

    if (f->severity != INGRESS_INFO) {
        return 1;
    }

    for (i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        if (strcmp(f->reason, told[i]) == 0) {
            return 1;
        }
    }

    return 0;
}


static void
ingress_events_see(ingress_events_t *e, uint64_t now,
    const ingress_finding_t *f)
{
    ingress_event_t         *event;
    const ingress_object_t  *o;
    ingress_event_object_t  *object;

    o = ingress_store_get(e->store, INGRESS_KIND_INGRESS, f->namespace,
                          f->name);

    if (o == NULL) {
        return;
    }

    object = ingress_events_object(e, now, o);
    if (object == NULL) {
        return;
    }

    event = ingress_events_find(e, object, f);
    if (event == NULL) {
        return;
    }

    event->round = e->round;

    if (event->gone) {
        event->gone = 0;

        if (event->state == INGRESS_EVENT_CREATED) {
            event->state = INGRESS_EVENT_AGAIN;
            event->count++;
        }
    }

    if (event->queued || event == e->flying
        || event->state == INGRESS_EVENT_CREATED)
    {
        return;
    }

    if (event->state == INGRESS_EVENT_SKIPPED) {

        if (!ingress_events_token(object, now)) {
            return;
        }

        event->state = INGRESS_EVENT_NEW;
    }

    ingress_events_push(e, event);
}


static uint64_t
ingress_events_hash(uint64_t hash, torii_str_t s)
{
    return torii_hash(s.data, s.len, hash + s.len);
}


/* An Ingress that was deleted and made anew is another one: by its uid. */

static ingress_event_object_t *
ingress_events_object(ingress_events_t *e, uint64_t now,
    const ingress_object_t *o)
{
    uint64_t                 hash;
    unsigned char           *p;
    ingress_event_object_t  *object;

    hash = ingress_events_hash(0, o->namespace);
    hash = ingress_events_hash(hash, o->name);
    hash = ingress_events_hash(hash, o->uid);

    object = ingress_hash_first(&e->objects, hash);

    for ( /* void */ ; object; object = ingress_hash_next(object)) {
        if (torii_str_eq(object->name, o->name)
            && torii_str_eq(object->namespace, o->namespace)
            && torii_str_eq(object->uid, o->uid))
        {
            return object;
        }
    }

    if (e->objects.n >= INGRESS_EVENTS_MAX) {
        return NULL;
    }

    object = torii_zalloc(sizeof(ingress_event_object_t) + o->namespace.len
                          + o->name.len + o->uid.len);
    p = (unsigned char *) (object + 1);

    object->namespace = ingress_events_copy(&p, o->namespace);
    object->name = ingress_events_copy(&p, o->name);
    object->uid = ingress_events_copy(&p, o->uid);
    object->tokens = INGRESS_EVENTS_BURST;
    object->refilled = now;
    object->link.hash = hash;

    ingress_hash_add(&e->objects, &object->link);

    return object;
}


static torii_str_t
ingress_events_copy(unsigned char **p, torii_str_t s)
{
    torii_str_t  copy;

    copy.data = *p;
    copy.len = s.len;

    if (s.len) {
        memcpy(*p, s.data, s.len);
        *p += s.len;
    }

    return copy;
}


static ingress_event_t *
ingress_events_find(ingress_events_t *e, ingress_event_object_t *object,
    const ingress_finding_t *f)
{
    uint64_t          hash;
    torii_str_t       note;
    unsigned char    *p;
    ingress_event_t  *event;

    e->body.len = 0;
    ingress_events_note(&e->body, f);

    note.data = e->body.data;
    note.len = e->body.len;

    hash = ingress_events_hash(object->link.hash, torii_str(f->reason));
    hash = ingress_events_hash(hash, note);

    event = ingress_hash_first(&e->events, hash);

    for ( /* void */ ; event; event = ingress_hash_next(event)) {
        if (event->object == object
            && torii_str_eq(event->note, note)
            && strcmp(event->reason, f->reason) == 0)
        {
            return event;
        }
    }

    if (e->events.n >= INGRESS_EVENTS_MAX) {
        return NULL;
    }

    event = torii_zalloc(sizeof(ingress_event_t) + note.len);
    p = (unsigned char *) (event + 1);

    event->note = ingress_events_copy(&p, note);
    event->reason = f->reason;
    event->object = object;
    event->normal = torii_str_starts(torii_str(f->reason), "Issu")
                    && f->severity == INGRESS_INFO;
    event->count = 1;
    event->link.hash = hash;

    object->refs++;
    ingress_hash_add(&e->events, &event->link);

    return event;
}


static void
ingress_events_note(torii_buf_t *b, const ingress_finding_t *f)
{
    size_t  cut;

    if (f->field.len) {
        torii_buf_add_str(b, f->field);
        torii_buf_adds(b, ": ");
    }

    torii_buf_add_str(b, f->message);

    if (b->len <= INGRESS_EVENT_NOTE) {
        return;
    }

    /* never inside a character */

    for (cut = INGRESS_EVENT_NOTE - 3;
         cut && (b->data[cut] & 0xc0) == 0x80;
         cut--)
    {
        /* void */
    }

    b->len = cut;
    torii_buf_adds(b, "...");
}


/* Whether the Ingress may have one more. */

static int
ingress_events_token(ingress_event_object_t *object, uint64_t now)
{
    uint64_t  n;

    n = (now - object->refilled) / INGRESS_EVENTS_REFILL;

    if (n + object->tokens >= INGRESS_EVENTS_BURST) {
        object->tokens = INGRESS_EVENTS_BURST;
        object->refilled = now;

    } else {
        object->tokens += n;
        object->refilled += n * INGRESS_EVENTS_REFILL;
    }

    return object->tokens != 0;
}


static void
ingress_events_push(ingress_events_t *e, ingress_event_t *event)
{
    event->queued = 1;
    event->next = NULL;

    *e->last = event;
    e->last = &event->next;
}


static void
ingress_events_sweep(ingress_events_t *e, uint64_t now)
{
    ingress_events_ended(e, now);
    ingress_events_prune(e);
    ingress_events_forget(e, now);
}


static void
ingress_events_ended(ingress_events_t *e, uint64_t now)
{
    uint32_t          i;
    ingress_link_t   *link;
    ingress_event_t  *event;

    for (i = 0; i < e->events.size; i++) {
        for (link = e->events.buckets[i]; link; link = link->next) {
            event = (ingress_event_t *) link;

            if (event->round != e->round && !event->gone) {
                event->gone = 1;
                event->ended = now;
            }
        }
    }
}


/* What is over before it could be told of is not told of. */

static void
ingress_events_prune(ingress_events_t *e)
{
    ingress_event_t  *event, **place;

    place = &e->first;

    while (*place) {
        event = *place;

        if (!event->gone) {
            place = &event->next;
            continue;
        }

        *place = event->next;
        event->queued = 0;

        if (event->state == INGRESS_EVENT_AGAIN) {
            event->state = INGRESS_EVENT_CREATED;
        }
    }

    e->last = place;
}


static void
ingress_events_forget(ingress_events_t *e, uint64_t now)
{
    uint32_t                 i, full;
    ingress_link_t          *link, *next;
    ingress_event_t         *event;
    ingress_event_object_t  *object;

    full = (e->events.n >= INGRESS_EVENTS_MAX);

    for (i = 0; i < e->events.size; i++) {
        for (link = e->events.buckets[i]; link; link = next) {
            next = link->next;
            event = (ingress_event_t *) link;

            if (event->gone && event != e->flying
                && (full || event->state != INGRESS_EVENT_CREATED
                    || now - event->ended >= INGRESS_EVENTS_MEMORY))
            {
                event->object->refs--;
                ingress_hash_delete(&e->events, link);
                free(event);
            }
        }
    }

    full = (e->objects.n >= INGRESS_EVENTS_MAX);

    for (i = 0; i < e->objects.size; i++) {
        for (link = e->objects.buckets[i]; link; link = next) {
            next = link->next;
            object = (ingress_event_object_t *) link;

            if (object->refs) {
                continue;
            }

            (void) ingress_events_token(object, now);

            if (full || object->tokens == INGRESS_EVENTS_BURST) {
                ingress_hash_delete(&e->objects, link);
                free(object);
            }
        }
    }
}


int
ingress_events_next(ingress_events_t *e, uint64_t now, uint64_t wall_us,
    ingress_api_request_t *req, uint32_t *wait)
{
    ingress_event_t  *event;

    *wait = UINT32_MAX;

    if (e->flying || e->first == NULL) {
        return TORII_AGAIN;
    }

    if (now < e->when) {
        *wait = (uint32_t) (e->when - now);
        return TORII_AGAIN;
    }

    event = ingress_events_pop(e, now);
    if (event == NULL) {
        return TORII_AGAIN;
    }

    e->flying = event;
    e->when = now + INGRESS_EVENTS_GAP;
    e->path.len = 0;
    e->body.len = 0;

    torii_buf_printf(&e->path, INGRESS_EVENT_PATH,
                     torii_str_arg(event->object->namespace));

    memset(req, 0, sizeof(ingress_api_request_t));

    if (event->state == INGRESS_EVENT_NEW) {
        ingress_events_create_body(e, event, wall_us);

        req->method = "POST";
        req->content_type = "application/json";

    } else {
        torii_buf_adds(&e->path, "/");
        ingress_events_name(&e->path, event);
        ingress_events_series_body(e, event, wall_us);

        req->method = "PATCH";
        req->content_type = "application/merge-patch+json";
    }

    torii_buf_add(&e->path, "", 1);

    req->path.data = e->path.data;
    req->path.len = e->path.len - 1;
    req->body.data = e->body.data;
    req->body.len = e->body.len;
    req->timeout = INGRESS_EVENTS_TIMEOUT;

    return TORII_OK;
}


/* The first one whose Ingress has not had its share. */

static ingress_event_t *
ingress_events_pop(ingress_events_t *e, uint64_t now)
{
    ingress_event_t  *event;

    while (e->first) {
        event = e->first;
        e->first = event->next;
        event->queued = 0;

        if (e->first == NULL) {
            e->last = &e->first;
        }

        if (ingress_events_token(event->object, now)) {
            event->object->tokens--;
            return event;
        }

        event->state = (event->state == INGRESS_EVENT_NEW)
                       ? INGRESS_EVENT_SKIPPED : INGRESS_EVENT_CREATED;
    }

    return NULL;
}


static void
ingress_events_create_body(ingress_events_t *e, ingress_event_t *event,
    uint64_t wall_us)
{
    torii_buf_t             *b;
    torii_str_t              instance;
    ingress_event_object_t  *object;

    b = &e->body;
    object = event->object;

    instance.data = e->instance.data;
    instance.len = e->instance.len;

    torii_buf_adds(b, "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":"
                   "\"Event\",\"metadata\":{\"name\":\"");
    ingress_events_name(b, event);
    torii_buf_adds(b, "\",\"namespace\":");
    torii_buf_add_json(b, object->namespace);
    torii_buf_adds(b, "},\"eventTime\":");
    ingress_api_time(b, wall_us);
    torii_buf_adds(b, ",\"reportingController\":\"torii\","
                   "\"reportingInstance\":");
    torii_buf_add_json(b, instance);
    torii_buf_printf(b, ",\"action\":\"%s\",\"reason\":\"%s\",\"type\":"
                     "\"%s\",\"note\":", event->normal ? "Issue" : "Compile",
                     event->reason, event->normal ? "Normal" : "Warning");
    torii_buf_add_json(b, event->note);
    torii_buf_adds(b, ",\"regarding\":{\"apiVersion\":"
                   "\"networking.k8s.io/v1\",\"kind\":\"Ingress\",\"name\":");
    torii_buf_add_json(b, object->name);
    torii_buf_adds(b, ",\"namespace\":");
    torii_buf_add_json(b, object->namespace);

    if (object->uid.len) {
        torii_buf_adds(b, ",\"uid\":");
        torii_buf_add_json(b, object->uid);
    }

    torii_buf_adds(b, "}}");
}


static void
ingress_events_series_body(ingress_events_t *e, ingress_event_t *event,
    uint64_t wall_us)
{
    torii_buf_printf(&e->body, "{\"series\":{\"count\":%u,"
                     "\"lastObservedTime\":", (unsigned) event->count);
    ingress_api_time(&e->body, wall_us);
    torii_buf_adds(&e->body, "}}");
}


/* "web.5a1f0c3de2b47986"; what is left of a name that was cut is a name. */

static void
ingress_events_name(torii_buf_t *b, const ingress_event_t *event)
{
    torii_str_t  name;

    name = event->object->name;

    if (name.len > INGRESS_EVENT_NAME) {
        name.len = INGRESS_EVENT_NAME;

        while (name.len && (name.data[name.len - 1] == '.'
                            || name.data[name.len - 1] == '-'))
        {
            name.len--;
        }
    }

    torii_buf_add_str(b, name);
    torii_buf_printf(b, ".%016llx", (unsigned long long) event->link.hash);
}


void
ingress_events_answer(ingress_events_t *e, uint64_t now,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    uint32_t          status;
    ingress_event_t  *event;

    event = e->flying;

    if (event == NULL) {
        return;
    }

    status = answer->error ? 0 : answer->status;

    if (status == 200 || status == 201
        || (status == 409 && event->state == INGRESS_EVENT_NEW))
    {
        e->flying = NULL;
        e->error[0] = '\0';
        event->state = INGRESS_EVENT_CREATED;
        ingress_backoff_reset(&e->backoff);
        return;
    }

    if (status == 404 && event->state == INGRESS_EVENT_AGAIN) {

        /* Events live for an hour: this one begins anew */

        e->flying = NULL;
        event->state = INGRESS_EVENT_NEW;
        event->count = 1;
        ingress_events_push(e, event);
        return;
    }

    ingress_events_say(e, answer, body);

    if (status == 0 || status == 401 || status == 409 || status == 429
        || status >= 500)
    {
        ingress_events_retry(e, now, answer);
        return;
    }

    /* of this one nothing more can be hoped for; the next one may do */

    e->flying = NULL;
    event->state = (status == 403 || status == 404) ? INGRESS_EVENT_SKIPPED
                                                    : INGRESS_EVENT_CREATED;

    e->when = now + ingress_backoff_next(&e->backoff, answer->retry_after,
                                         (uint32_t) torii_hash(&now,
                                             sizeof(now), e->seed));
}


static void
ingress_events_retry(ingress_events_t *e, uint64_t now,
    const ingress_api_answer_t *answer)
{
    uint32_t          random;
    ingress_event_t  *event;

    event = e->flying;
    e->flying = NULL;

    random = (uint32_t) torii_hash(&now, sizeof(now), e->seed);
    e->when = now + ingress_backoff_next(&e->backoff, answer->retry_after,
                                         random);

    if (event->gone) {
        return;
    }

    event->object->tokens++;
    event->queued = 1;
    event->next = e->first;
    e->first = event;

    if (event->next == NULL) {
        e->last = &event->next;
    }
}


static void
ingress_events_say(ingress_events_t *e, const ingress_api_answer_t *answer,
    torii_str_t body)
{
    ingress_api_status_t  status;

    if (answer->error) {
        (void) snprintf(e->error, sizeof(e->error), "%s", answer->error);

    } else if (ingress_api_status_parse(body, &status) == TORII_OK) {
        (void) snprintf(e->error, sizeof(e->error), "%u: %s",
                        (unsigned) answer->status, status.message);

    } else {
        (void) snprintf(e->error, sizeof(e->error), "answered with status %u",
                        (unsigned) answer->status);
    }
}
