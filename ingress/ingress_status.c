
/*
 * Addresses of the gateway, written to Ingresses.  Once a second the Ingresses
 * that are served are looked through for those that say something else.  What
 * was written is seen again through the watch; until then, and longer each time
 * when somebody else keeps writing too, the Ingress is left in peace.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ingress_status.h"
#include "ingress_hash.h"


#define INGRESS_STATUS_FLIGHTS   8
#define INGRESS_STATUS_SCAN      1000     /* ms between two looks */
#define INGRESS_STATUS_PEACE     4000     /* ms after a write, then doubled … */
#define INGRESS_STATUS_LONGEST   64000    /* … up to these, and forgotten */
#define INGRESS_STATUS_CONFLICT  1000
#define INGRESS_STATUS_TIMEOUT   5000
#define INGRESS_STATUS_MAX       64       /* addresses */

#define INGRESS_STATUS_PATH                                                   \
    "/apis/networking.k8s.io/v1/namespaces/%.*s/ingresses/%.*s/status"


typedef struct ingress_status_item_s  ingress_status_item_t;

/* An Ingress that was, or is to be, written. */

struct ingress_status_item_s {
    ingress_link_t           link;
    ingress_status_item_t   *next;        /* in the queue */
    uint64_t                 round;       /* it was seen in */
    uint64_t                 when;        /* not to write again before */
    uint64_t                 written;     /* hash of what was, or 0 */
    uint32_t                 peace;
    unsigned                 flying:1;
    torii_str_t              namespace;
    torii_str_t              name;
};

typedef struct {
    uint32_t                 id;          /* 0: free */
    uint64_t                 want;        /* hash of what it writes */
    ingress_status_item_t   *item;
} ingress_status_flight_t;

struct ingress_status_s {
    ingress_store_t         *store;
    ingress_address_t       *addresses;
    uint32_t                 n;
    uint64_t                 want;        /* their hash */
    torii_buf_t              text;        /* of their strings */
    ingress_hash_t           items;
    ingress_status_item_t   *first;       /* of the queue */
    ingress_status_item_t  **last;
    ingress_status_flight_t  flights[INGRESS_STATUS_FLIGHTS];
    uint32_t                 serial;
    uint64_t                 round;
    uint64_t                 now;         /* of the look through */
    uint64_t                 scan;        /* when to look again */
    uint64_t                 when;        /* not to send before */
    uint64_t                 seed;
    ingress_backoff_t        backoff;
    torii_buf_t              path;
    torii_buf_t              body;
    char                     error[320];
};


static int ingress_status_cmp(const void *one, const void *two);
static uint32_t ingress_status_sort(ingress_address_t *addresses, uint32_t n);
static uint32_t ingress_status_add(ingress_address_t *addresses, uint32_t n,
    uint32_t max, torii_str_t address, unsigned hostname);
static void ingress_status_scan(ingress_status_t *s, uint64_t now);
static void ingress_status_visit(void *data, ingress_object_t *o);
static int ingress_status_same(const ingress_status_t *s,
    const ingress_object_t *o);
static ingress_status_item_t *ingress_status_item(ingress_status_t *s,
    const ingress_object_t *o, int create);
static void ingress_status_forget(ingress_status_t *s);
static ingress_status_flight_t *ingress_status_flight(ingress_status_t *s,
    uint32_t id);
static ingress_status_item_t *ingress_status_pop(ingress_status_t *s);
static void ingress_status_request(ingress_status_t *s,
    ingress_status_item_t *item, ingress_api_request_t *req);
static void ingress_status_written(ingress_status_t *s, uint64_t now,
    ingress_status_flight_t *flight);
static void ingress_status_failed(ingress_status_t *s, uint64_t now,
    ingress_status_item_t *item, const ingress_api_answer_t *answer,
    torii_str_t body);


uint32_t
ingress_status_service(const ingress_service_t *service,
    ingress_address_t *addresses, uint32_t max)
{
    uint32_t  i, n;

    n = 0;

    if (service->type == INGRESS_SERVICE_EXTERNALNAME) {
        return ingress_status_add(addresses, n, max, service->external_name,
                                  1);
    }

    if (service->load_balancer) {
        for (i = 0; i < service->nbalancer; i++) {
            n = ingress_status_add(addresses, n, max,
                                   service->balancer[i].address,
                                   service->balancer[i].hostname);
        }
    }

    if (service->load_balancer || service->node_port) {
        for (i = 0; i < service->nexternal_ips; i++) {
            n = ingress_status_add(addresses, n, max,
                                   service->external_ips[i], 0);
        }
    }

    /* a balancer that has no address yet must not be taken for its inside */

    if (n == 0 && !service->load_balancer) {
        n = ingress_status_add(addresses, n, max, service->cluster_ip, 0);
    }

    return ingress_status_sort(addresses, n);
}


static uint32_t
ingress_status_add(ingress_address_t *addresses, uint32_t n, uint32_t max,
    torii_str_t address, unsigned hostname)
{
    if (address.len == 0 || n == max) {
        return n;
    }

    addresses[n].address = address;
    addresses[n].hostname = hostname;

    return n + 1;
}


static int
ingress_status_cmp(const void *one, const void *two)
{
    int                       rc;
    const ingress_address_t  *a, *b;

    a = one;
    b = two;

    rc = torii_str_cmp(a->address, b->address);

    return rc ? rc : (int) a->hostname - (int) b->hostname;
}


static uint32_t
ingress_status_sort(ingress_address_t *addresses, uint32_t n)
{
    uint32_t  i, k;

    if (n < 2) {
        return n;
    }

    qsort(addresses, n, sizeof(ingress_address_t), ingress_status_cmp);

    for (i = 1, k = 1; i < n; i++) {
        if (ingress_status_cmp(&addresses[i], &addresses[k - 1]) != 0) {
            addresses[k++] = addresses[i];
        }
    }

    return k;
}


ingress_status_t *
ingress_status_create(ingress_store_t *store, uint64_t seed)
{
    ingress_status_t  *s;

    s = torii_zalloc(sizeof(ingress_status_t));

    s->store = store;
    s->seed = seed;
    s->last = &s->first;

    return s;
}


void
ingress_status_free(ingress_status_t *s)
{
    uint32_t         i;
    ingress_link_t  *link, *next;

    if (s == NULL) {
        return;
    }

    for (i = 0; i < s->items.size; i++) {
        for (link = s->items.buckets[i]; link; link = next) {
            next = link->next;
            free(link);
        }
    }

    ingress_hash_free(&s->items);
    torii_buf_free(&s->text);
    torii_buf_free(&s->path);
    torii_buf_free(&s->body);
    free(s->addresses);
    free(s);
}


const char *
ingress_status_error(const ingress_status_t *s)
{
    return s->error;
}


int
ingress_status_busy(const ingress_status_t *s)
{
    uint32_t  i;

    for (i = 0; i < INGRESS_STATUS_FLIGHTS; i++) {
        if (s->flights[i].id) {
            return 1;
        }
    }

    return 0;
}


void
ingress_status_addresses(ingress_status_t *s,
    const ingress_address_t *addresses, uint32_t n)
{
    size_t              len;
    uint32_t            i;
    uint64_t            want;
    unsigned char      *p;
    ingress_address_t   sorted[INGRESS_STATUS_MAX];

    n = (n < INGRESS_STATUS_MAX) ? n : INGRESS_STATUS_MAX;

    for (i = 0; i < n; i++) {
        sorted[i] = addresses[i];
    }

    n = ingress_status_sort(sorted, n);
    want = 0;
    len = 0;

    for (i = 0; i < n; i++) {
        want = torii_hash(sorted[i].address.data, sorted[i].address.len,
                          want + 2 * sorted[i].address.len
                          + sorted[i].hostname);
        len += sorted[i].address.len;
    }

    if (n == s->n && want == s->want) {
        return;
    }

    s->n = n;
    s->want = want;
    s->scan = 0;
    s->first = NULL;
    s->last = &s->first;
    s->text.len = 0;

    p = torii_buf_room(&s->text, len + 1);

    s->addresses = torii_realloc(s->addresses,
                                 (n + 1) * sizeof(ingress_address_t));

    for (i = 0; i < n; i++) {
        s->addresses[i] = sorted[i];
        s->addresses[i].address.data = p;

        memcpy(p, sorted[i].address.data, sorted[i].address.len);
        p += sorted[i].address.len;
    }
}


int
ingress_status_next(ingress_status_t *s, uint64_t now,
    ingress_api_request_t *req, uint32_t *id, uint32_t *wait)
{
    ingress_status_item_t    *item;
    ingress_status_flight_t  *flight;

    *wait = UINT32_MAX;
    flight = ingress_status_flight(s, 0);

    if (s->n == 0 || flight == NULL) {
        return TORII_AGAIN;
    }

    if (now < s->when) {
        *wait = (uint32_t) (s->when - now);
        return TORII_AGAIN;
    }

    if (now >= s->scan) {
        ingress_status_scan(s, now);
    }

    item = ingress_status_pop(s);

    if (item == NULL) {
        *wait = (uint32_t) (s->scan - now);
        return TORII_AGAIN;
    }

    if (++s->serial == 0) {
        s->serial = 1;
    }

    item->flying = 1;

    flight->id = s->serial;
    flight->want = s->want;
    flight->item = item;

    ingress_status_request(s, item, req);

    *id = flight->id;

    return TORII_OK;
}


static ingress_status_flight_t *
ingress_status_flight(ingress_status_t *s, uint32_t id)
{
    uint32_t  i;

    for (i = 0; i < INGRESS_STATUS_FLIGHTS; i++) {
        if (s->flights[i].id == id) {
            return &s->flights[i];
        }
    }

    return NULL;
}


static void
ingress_status_scan(ingress_status_t *s, uint64_t now)
{
    s->round++;
    s->now = now;
    s->scan = now + INGRESS_STATUS_SCAN;
    s->first = NULL;
    s->last = &s->first;

    ingress_store_served(s->store, ingress_status_visit, s);
    ingress_status_forget(s);
}


static void
ingress_status_visit(void *data, ingress_object_t *o)
{
    int                     same;
    ingress_status_t       *s;
    ingress_status_item_t  *item;

    s = data;
    same = o->deleting || ingress_status_same(s, o);

    if (same && s->items.n == 0) {
        return;
    }

    item = ingress_status_item(s, o, !same);
    if (item == NULL) {
        return;
    }

    /* after a while in which nobody else wrote, all is forgotten */

    if (!same || item->flying || s->now < item->when + INGRESS_STATUS_LONGEST) {
        item->round = s->round;
    }

    if (same || item->flying
        || (s->now < item->when && item->written == s->want))
    {
        return;
    }

    item->next = NULL;
    *s->last = item;
    s->last = &item->next;
}


static int
ingress_status_same(const ingress_status_t *s, const ingress_object_t *o)
{
    uint32_t                  i;
    const ingress_state_t    *state;
    const ingress_address_t  *a, *b;

    state = o->u.ingress.state;

    if (state == NULL || state->n != s->n) {
        return 0;
    }

    for (i = 0; i < s->n; i++) {
        a = &state->addresses[i];
        b = &s->addresses[i];

        if (a->hostname != b->hostname
            || !torii_str_eq(a->address, b->address))
        {
            return 0;
        }
    }

    return 1;
}


static ingress_status_item_t *
ingress_status_item(ingress_status_t *s, const ingress_object_t *o, int create)
{
    uint64_t                hash;
    unsigned char          *p;
    ingress_status_item_t  *item;

    hash = torii_hash(o->namespace.data, o->namespace.len, 0);
    hash = torii_hash(o->name.data, o->name.len, hash);

    item = ingress_hash_first(&s->items, hash);

    for ( /* void */ ; item; item = ingress_hash_next(item)) {
        if (torii_str_eq(item->name, o->name)
            && torii_str_eq(item->namespace, o->namespace))
        {
            return item;
        }
    }

    if (!create) {
        return NULL;
    }

    item = torii_zalloc(sizeof(ingress_status_item_t) + o->namespace.len
                        + o->name.len);
    p = (unsigned char *) (item + 1);

    item->namespace.data = p;
    item->namespace.len = o->namespace.len;
    item->name.data = p + o->namespace.len;
    item->name.len = o->name.len;

    memcpy(item->namespace.data, o->namespace.data, o->namespace.len);
    memcpy(item->name.data, o->name.data, o->name.len);

    item->link.hash = hash;
    ingress_hash_add(&s->items, &item->link);

    return item;
}


static void
ingress_status_forget(ingress_status_t *s)
{
    uint32_t                i;
    ingress_link_t         *link, *next;
    ingress_status_item_t  *item;

    if (s->items.n == 0) {
        return;
    }

    for (i = 0; i < s->items.size; i++) {
        for (link = s->items.buckets[i]; link; link = next) {
            next = link->next;
            item = (ingress_status_item_t *) link;

            if (item->round != s->round && !item->flying) {
                ingress_hash_delete(&s->items, link);
                free(item);
            }
        }
    }
}


/* The first one that is still there, and still says something else. */

static ingress_status_item_t *
ingress_status_pop(ingress_status_t *s)
{
    ingress_object_t       *o;
    ingress_status_item_t  *item;

    while (s->first) {
        item = s->first;
        s->first = item->next;

        if (s->first == NULL) {
            s->last = &s->first;
        }

        o = ingress_store_get(s->store, INGRESS_KIND_INGRESS, item->namespace,
                              item->name);

        if (o && !o->deleting && !ingress_status_same(s, o)) {
            return item;
        }
    }

    return NULL;
}


static void
ingress_status_request(ingress_status_t *s, ingress_status_item_t *item,
    ingress_api_request_t *req)
{
    uint32_t      i;
    torii_buf_t  *b;

    s->path.len = 0;
    torii_buf_printf(&s->path, INGRESS_STATUS_PATH,
                     torii_str_arg(item->namespace), torii_str_arg(item->name));
    torii_buf_add(&s->path, "", 1);

    b = &s->body;
    b->len = 0;
    torii_buf_adds(b, "{\"status\":{\"loadBalancer\":{\"ingress\":[");

    for (i = 0; i < s->n; i++) {
        torii_buf_printf(b, "%s{\"%s\":", i ? "," : "",
                         s->addresses[i].hostname ? "hostname" : "ip");
        torii_buf_add_json(b, s->addresses[i].address);
        torii_buf_adds(b, "}");
    }

    torii_buf_adds(b, "]}}}");

    memset(req, 0, sizeof(ingress_api_request_t));

    req->method = "PATCH";
    req->content_type = "application/merge-patch+json";
    req->path.data = s->path.data;
    req->path.len = s->path.len - 1;
    req->body.data = b->data;
    req->body.len = b->len;
    req->timeout = INGRESS_STATUS_TIMEOUT;
}


void
ingress_status_answer(ingress_status_t *s, uint64_t now, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ingress_status_item_t    *item;
    ingress_status_flight_t  *flight;

    flight = id ? ingress_status_flight(s, id) : NULL;

    if (flight == NULL) {
        return;
    }

    item = flight->item;
    item->flying = 0;

    if (answer->error == NULL
        && (answer->status == 200 || answer->status == 201))
    {
        ingress_status_written(s, now, flight);

    } else {
        ingress_status_failed(s, now, item, answer, body);
    }

    memset(flight, 0, sizeof(ingress_status_flight_t));
}


/* New addresses are another matter: peace is kept about the same ones only. */

static void
ingress_status_written(ingress_status_t *s, uint64_t now,
    ingress_status_flight_t *flight)
{
    ingress_status_item_t  *item;

    item = flight->item;

    if (item->written != flight->want || item->peace == 0) {
        item->peace = INGRESS_STATUS_PEACE;

    } else if (item->peace < INGRESS_STATUS_LONGEST) {
        item->peace *= 2;
    }

    item->written = flight->want;
    item->when = now + item->peace;

    s->error[0] = '\0';
    ingress_backoff_reset(&s->backoff);
}


static void
ingress_status_failed(ingress_status_t *s, uint64_t now,
    ingress_status_item_t *item, const ingress_api_answer_t *answer,
    torii_str_t body)
{
    uint32_t              status, random;
    ingress_api_status_t  refusal;

    status = answer->error ? 0 : answer->status;
    item->written = s->want;

    if (status == 409) {
        item->when = now + INGRESS_STATUS_CONFLICT;
        return;
    }

    if (status == 404) {
        item->when = now + INGRESS_STATUS_LONGEST;
        return;
    }

    if (answer->error) {
        (void) snprintf(s->error, sizeof(s->error), "%s", answer->error);

    } else if (ingress_api_status_parse(body, &refusal) == TORII_OK) {
        (void) snprintf(s->error, sizeof(s->error), "%u: %s",
                        (unsigned) status, refusal.message);

    } else {
        (void) snprintf(s->error, sizeof(s->error), "answered with status %u",
                        (unsigned) status);
    }

    if (status >= 400 && status < 500 && status != 401 && status != 429) {
        item->when = now + INGRESS_STATUS_LONGEST;
    }

    /* all that were in flight fail together, and that is one failure */

    if (now < s->when) {
        return;
    }

    random = (uint32_t) torii_hash(&now, sizeof(now), s->seed);
    s->when = now + ingress_backoff_next(&s->backoff, answer->retry_after,
                                         random);
}
