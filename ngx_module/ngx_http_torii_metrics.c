
/*
 * Counts of requests, under the names and labels that ingress-nginx gave them,
 * in memory that all workers share.
 *
 * A label set (host, path, Ingress, Service) is found once per table and
 * worker and then remembered by its route; a request adds to its numbers
 * without a lock.  A set that no table of any worker refers to any more is
 * removed after a while, so that series do not pile up with the objects' coming
 * and going.
 */

#include "ngx_http_torii.h"


#define NGX_HTTP_TORII_ZONE        (32 * 1024 * 1024)
#define NGX_HTTP_TORII_SETS        4096           /* hash buckets */
#define NGX_HTTP_TORII_STALE       600            /* seconds */

#define NGX_HTTP_TORII_PREFIX      "nginx_ingress_controller_"
#define NGX_HTTP_TORII_PIECE       65536          /* of the text, bytes */

#define NGX_HTTP_TORII_SEEN        256            /* of challenges */
#define NGX_HTTP_TORII_ADDRESSES   8              /* of one */

#define NGX_HTTP_TORII_TIMES       11
#define NGX_HTTP_TORII_BOUNDS      11             /* of any histogram */


typedef enum {
    NGX_HTTP_TORII_REQUEST_DURATION = 0,
    NGX_HTTP_TORII_RESPONSE_DURATION,
    NGX_HTTP_TORII_CONNECT_DURATION,
    NGX_HTTP_TORII_HEADER_DURATION,
    NGX_HTTP_TORII_REQUEST_SIZE,
    NGX_HTTP_TORII_RESPONSE_SIZE,
    NGX_HTTP_TORII_HISTOGRAMS
} ngx_http_torii_histogram_e;


/* All histograms and then the counts, each with all the sets. */

#define NGX_HTTP_TORII_END                                                    \
    ((NGX_HTTP_TORII_HISTOGRAMS + 1) * NGX_HTTP_TORII_SETS)


/*
 * Buckets of one bound lie together: with thousands of routes it is not the
 * adding that costs but the lines of memory that it touches, and most requests
 * fall under the first bound of all histograms of time.
 */

typedef struct ngx_http_torii_series_s  ngx_http_torii_series_t;

struct ngx_http_torii_series_s {
    ngx_http_torii_series_t  *next;
    uint16_t                  status;
    uint16_t                  method;      /* index of a name */
    ngx_atomic_t              requests;
    ngx_atomic_t              sums[NGX_HTTP_TORII_HISTOGRAMS];
                                           /* ms or bytes */
    ngx_atomic_t              buckets[NGX_HTTP_TORII_BOUNDS + 1]
                                     [NGX_HTTP_TORII_HISTOGRAMS];
};


/* Label values, in this order, one behind another in data. */

enum {
    NGX_HTTP_TORII_HOST = 0,
    NGX_HTTP_TORII_PATH,
    NGX_HTTP_TORII_NAMESPACE,
    NGX_HTTP_TORII_INGRESS,
    NGX_HTTP_TORII_SERVICE,
    NGX_HTTP_TORII_LABELS
};


typedef struct ngx_http_torii_set_s  ngx_http_torii_set_t;

struct ngx_http_torii_set_s {
    ngx_http_torii_set_t     *next;
    uint64_t                  hash;
    ngx_uint_t                refs;        /* of tables, by the zone's mutex */
    time_t                    left;        /* when refs became 0 */
    ngx_http_torii_series_t  *series;
    uint32_t                  lens[NGX_HTTP_TORII_LABELS];
    u_char                    data[1];
};


/* Of challenges with the same hash, so of one, mostly. */

typedef struct {
    ngx_atomic_t              requests;
    ngx_atomic_t              addresses[NGX_HTTP_TORII_ADDRESSES];
                                           /* hashes, 0 none */
} ngx_http_torii_seen_t;


typedef struct {
    ngx_atomic_t              dropped;     /* requests without room */
    ngx_atomic_t              challenges[INGRESS_CHALLENGE_MAX][2];
                                           /* unknown and answered */
    ngx_http_torii_seen_t     seen[NGX_HTTP_TORII_SEEN];
                                           /* answered, by hash of the name */
    ngx_http_torii_set_t     *sets[NGX_HTTP_TORII_SETS];
} ngx_http_torii_metrics_t;


/* What a table knows of its routes: the set, and the series used last. */

typedef struct {
    ngx_http_torii_set_t     *set;
    ngx_http_torii_series_t  *series;
} ngx_http_torii_slot_t;

typedef struct {
    ngx_shm_zone_t           *zone;
    ngx_uint_t                n;
    ngx_http_torii_slot_t     slots[1];    /* of each route */
} ngx_http_torii_sets_t;


static ngx_http_torii_slot_t *ngx_http_torii_slot_get(ngx_shm_zone_t *zone,
    ngx_http_torii_ctx_t *ctx);
static ngx_int_t ngx_http_torii_metrics_init(ngx_shm_zone_t *zone, void *data);
static ngx_http_torii_set_t *ngx_http_torii_set_find(ngx_shm_zone_t *zone,
    ngx_str_t *labels);
static ngx_uint_t ngx_http_torii_set_is(ngx_http_torii_set_t *set,
    ngx_str_t *labels);
static void ngx_http_torii_sets_release(void *data);
static void ngx_http_torii_sets_expire(ngx_shm_zone_t *zone);
static ngx_http_torii_series_t *ngx_http_torii_series_get(
    ngx_shm_zone_t *zone, ngx_http_torii_set_t *set, ngx_uint_t status,
    ngx_uint_t method);
static ngx_uint_t ngx_http_torii_method(ngx_http_request_t *r);
static void ngx_http_torii_observe(ngx_http_torii_series_t *s, ngx_uint_t h,
    uint64_t value);
static void ngx_http_torii_observe_upstream(ngx_http_request_t *r,
    ngx_http_torii_series_t *s);
static void ngx_http_torii_family_write(ngx_uint_t h, torii_buf_t *out);
static void ngx_http_torii_set_write(ngx_http_torii_set_t *set, ngx_uint_t h,
    torii_buf_t *labels, torii_buf_t *out);
static void ngx_http_torii_histogram_write(ngx_http_torii_series_t *s,
    ngx_uint_t h, torii_buf_t *labels, torii_buf_t *out);
static void ngx_http_torii_labels(torii_buf_t *labels,
    ngx_http_torii_set_t *set, ngx_http_torii_series_t *s);
static void ngx_http_torii_challenge_address(ngx_http_torii_seen_t *seen,
    struct sockaddr *client);
static ngx_http_torii_seen_t *ngx_http_torii_challenge_slot(
    ngx_http_torii_main_conf_t *tmcf, ngx_uint_t type, torii_str_t name);
static void ngx_http_torii_challenges_write(ngx_http_torii_metrics_t *m,
    torii_buf_t *out);


static const struct {
    char                     *name;
    char                     *help;
    ngx_uint_t                seconds;     /* observed in ms */
    uint64_t                  bounds[NGX_HTTP_TORII_BOUNDS];
    ngx_uint_t                n;
} ngx_http_torii_histograms[] = {

#define NGX_HTTP_TORII_DURATION                                               \
    1, { 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000 }, 11
#define NGX_HTTP_TORII_SIZE                                                   \
    0, { 10, 20, 30, 40, 50, 60, 70, 80, 90, 100 }, 10

    { "request_duration_seconds", "Request processing time.",
      NGX_HTTP_TORII_DURATION },
    { "response_duration_seconds", "Time spent on receiving the response.",
      NGX_HTTP_TORII_DURATION },
    { "connect_duration_seconds", "Time to connect to the backend.",
      NGX_HTTP_TORII_DURATION },
    { "header_duration_seconds", "Time to the response's header.",
      NGX_HTTP_TORII_DURATION },
    { "request_size", "Length of requests, header and body.",
      NGX_HTTP_TORII_SIZE },
    { "response_size", "Length of responses, header and body.",
      NGX_HTTP_TORII_SIZE },
};


static ngx_str_t  ngx_http_torii_methods[] = {
    ngx_string("other"),
    ngx_string("GET"),
    ngx_string("HEAD"),
    ngx_string("POST"),
    ngx_string("PUT"),
    ngx_string("DELETE"),
    ngx_string("PATCH"),
    ngx_string("OPTIONS"),
    ngx_string("MKCOL"),
    ngx_string("COPY"),
    ngx_string("MOVE"),
    ngx_string("PROPFIND"),
    ngx_string("PROPPATCH"),
    ngx_string("LOCK"),
    ngx_string("UNLOCK"),
    ngx_string("TRACE"),
    ngx_null_string
};


static char  *ngx_http_torii_label_names[] = {
    "host", "path", "namespace", "ingress", "service"
};


ngx_int_t
ngx_http_torii_metrics_zone(ngx_conf_t *cf, ngx_http_torii_main_conf_t *tmcf)
{
    static ngx_str_t  name = ngx_string("torii_metrics");

    tmcf->metrics = ngx_shared_memory_add(cf, &name, NGX_HTTP_TORII_ZONE,
                                          &ngx_http_torii_module);
    if (tmcf->metrics == NULL) {
        return NGX_ERROR;
    }

    tmcf->metrics->init = ngx_http_torii_metrics_init;

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_metrics_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t           *shpool;
    ngx_http_torii_metrics_t  *m;

    if (data) {
        zone->data = data;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    m = ngx_slab_calloc(shpool, sizeof(ngx_http_torii_metrics_t));
    if (m == NULL) {
        return NGX_ERROR;
    }

    shpool->data = m;
    shpool->log_nomem = 0;
    zone->data = m;

    return NGX_OK;
}


void
ngx_http_torii_metrics_count(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_int_t                    ms;
    ngx_time_t                  *tp;
    ngx_uint_t                   status, method;
    ngx_http_torii_slot_t       *slot;
    ngx_http_torii_series_t     *s;
    ngx_http_torii_metrics_t    *m;
    ngx_http_torii_main_conf_t  *tmcf;

    if (ctx->route == NULL || ctx->route->ingress == INGRESS_NONE) {
        return;
    }

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_torii_module);
    m = tmcf->metrics->data;

    slot = ngx_http_torii_slot_get(tmcf->metrics, ctx);
    if (slot == NULL) {
        (void) ngx_atomic_fetch_add(&m->dropped, 1);
        return;
    }

    status = r->err_status ? r->err_status : r->headers_out.status;
    method = ngx_http_torii_method(r);

    s = slot->series;

    if (s == NULL || s->status != status || s->method != method) {
        s = ngx_http_torii_series_get(tmcf->metrics, slot->set, status,
                                      method);
        slot->series = s;
    }

    if (s == NULL) {
        (void) ngx_atomic_fetch_add(&m->dropped, 1);
        return;
    }

    (void) ngx_atomic_fetch_add(&s->requests, 1);

    tp = ngx_timeofday();
    ms = (tp->sec - r->start_sec) * 1000 + (tp->msec - r->start_msec);

    ngx_http_torii_observe(s, NGX_HTTP_TORII_REQUEST_DURATION,
                           ngx_max(ms, 0));
    ngx_http_torii_observe(s, NGX_HTTP_TORII_REQUEST_SIZE, r->request_length);
    ngx_http_torii_observe(s, NGX_HTTP_TORII_RESPONSE_SIZE,
                           r->connection->sent);

    ngx_http_torii_observe_upstream(r, s);
}


/* Have the processor fetch what will be counted in when the request ends. */

void
ngx_http_torii_metrics_far(ngx_http_torii_ctx_t *ctx)
{
    ngx_http_torii_sets_t  *sets;

    sets = ctx->table->metrics;

    if (sets && ctx->route) {
        ngx_http_torii_prefetch(&sets->slots[ctx->route
                                             - ctx->table->table.routes]);
    }
}


void
ngx_http_torii_metrics_near(ngx_http_torii_ctx_t *ctx)
{
    ngx_http_torii_sets_t    *sets;
    ngx_http_torii_series_t  *s;

    sets = ctx->table->metrics;

    if (sets == NULL || ctx->route == NULL) {
        return;
    }

    s = sets->slots[ctx->route - ctx->table->table.routes].series;

    if (s) {
        ngx_http_torii_prefetch(s);
        ngx_http_torii_prefetch(s->buckets[0]);
        ngx_http_torii_prefetch(s->buckets[NGX_HTTP_TORII_BOUNDS - 1]);
    }
}


static void
ngx_http_torii_observe_upstream(ngx_http_request_t *r,
    ngx_http_torii_series_t *s)
{
    ngx_uint_t                  i;
    ngx_http_upstream_state_t  *state;

    if (r->upstream_states == NULL || r->upstream_states->nelts == 0) {
        return;
    }

    /* the last try is the one that the client's answer comes from */

    state = r->upstream_states->elts;
    i = r->upstream_states->nelts - 1;

    if (state[i].response_time != (ngx_msec_t) -1) {
        ngx_http_torii_observe(s, NGX_HTTP_TORII_RESPONSE_DURATION,
                               state[i].response_time);
    }

    if (state[i].connect_time != (ngx_msec_t) -1) {
        ngx_http_torii_observe(s, NGX_HTTP_TORII_CONNECT_DURATION,
                               state[i].connect_time);
    }

    if (state[i].header_time != (ngx_msec_t) -1) {
        ngx_http_torii_observe(s, NGX_HTTP_TORII_HEADER_DURATION,
                               state[i].header_time);
    }
}


static void
ngx_http_torii_observe(ngx_http_torii_series_t *s, ngx_uint_t h,
    uint64_t value)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_http_torii_histograms[h].n; i++) {
        if (value <= ngx_http_torii_histograms[h].bounds[i]) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(&s->buckets[i][h], 1);

    if (value) {
        (void) ngx_atomic_fetch_add(&s->sums[h], value);
    }
}


static ngx_uint_t
ngx_http_torii_method(ngx_http_request_t *r)
{
    ngx_uint_t  i;

    for (i = 1; ngx_http_torii_methods[i].len; i++) {
        if (r->method_name.len == ngx_http_torii_methods[i].len
            && ngx_strncmp(r->method_name.data, ngx_http_torii_methods[i].data,
                           r->method_name.len)
               == 0)
        {
            return i;
        }
    }

    return 0;
}


static ngx_http_torii_slot_t *
ngx_http_torii_slot_get(ngx_shm_zone_t *zone, ngx_http_torii_ctx_t *ctx)
{
    ngx_uint_t                      i;
    ngx_str_t                       labels[NGX_HTTP_TORII_LABELS];
    ngx_torii_table_t              *table;
    ngx_pool_cleanup_t             *cln;
    ngx_http_torii_sets_t          *sets;
    const ingress_table_ingress_t  *ingress;

    table = ctx->table;
    sets = table->metrics;

    if (sets == NULL) {
        i = ingress_table_n(&table->table, ROUTES);

        sets = ngx_torii_table_room(table, sizeof(ngx_http_torii_sets_t)
                                        + i * sizeof(ngx_http_torii_slot_t));
        if (sets == NULL) {
            return NULL;
        }

        /* cleanups run backwards: this one needs the room */

        cln = ngx_pool_cleanup_add(table->pool, 0);
        if (cln == NULL) {
            return NULL;
        }

        sets->zone = zone;
        sets->n = i;

        cln->handler = ngx_http_torii_sets_release;
        cln->data = sets;

        table->metrics = sets;
    }

    i = ctx->route - table->table.routes;

    if (sets->slots[i].set == NULL) {
        ingress = &table->table.ingresses[ctx->route->ingress];

        labels[NGX_HTTP_TORII_HOST] = ngx_http_torii_str(ctx,
                                                         ctx->route->host);
        labels[NGX_HTTP_TORII_PATH] = ngx_http_torii_str(ctx,
                                                         ctx->route->path);
        labels[NGX_HTTP_TORII_NAMESPACE] = ngx_http_torii_str(ctx,
                                                         ingress->namespace);
        labels[NGX_HTTP_TORII_INGRESS] = ngx_http_torii_str(ctx,
                                                            ingress->name);
        labels[NGX_HTTP_TORII_SERVICE] = ngx_http_torii_str(ctx,
                                                         ctx->route->service);

        if (labels[NGX_HTTP_TORII_HOST].len == 0) {
            ngx_str_set(&labels[NGX_HTTP_TORII_HOST], "_");
        }

        sets->slots[i].set = ngx_http_torii_set_find(zone, labels);
    }

    return sets->slots[i].set ? &sets->slots[i] : NULL;
}


static ngx_http_torii_set_t *
ngx_http_torii_set_find(ngx_shm_zone_t *zone, ngx_str_t *labels)
{
    u_char                    *p;
    size_t                     len;
    uint64_t                   hash;
    ngx_uint_t                 i;
    ngx_slab_pool_t           *shpool;
    ngx_http_torii_set_t      *set, **bucket;
    ngx_http_torii_metrics_t  *m;

    m = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    hash = 0;
    len = 0;

    for (i = 0; i < NGX_HTTP_TORII_LABELS; i++) {
        hash = torii_hash(labels[i].data, labels[i].len, hash);
        len += labels[i].len;
    }

    bucket = &m->sets[hash % NGX_HTTP_TORII_SETS];

    ngx_shmtx_lock(&shpool->mutex);

    for (set = *bucket; set; set = set->next) {
        if (set->hash == hash && ngx_http_torii_set_is(set, labels)) {
            set->refs++;
            goto done;
        }
    }

    set = ngx_slab_calloc_locked(shpool, sizeof(ngx_http_torii_set_t) + len);
    if (set == NULL) {
        goto done;
    }

    set->hash = hash;
    set->refs = 1;

    p = set->data;

    for (i = 0; i < NGX_HTTP_TORII_LABELS; i++) {
        set->lens[i] = labels[i].len;
        p = ngx_cpymem(p, labels[i].data, labels[i].len);
    }

    set->next = *bucket;
    *bucket = set;

done:

    ngx_shmtx_unlock(&shpool->mutex);

    return set;
}


static ngx_uint_t
ngx_http_torii_set_is(ngx_http_torii_set_t *set, ngx_str_t *labels)
{
    u_char      *p;
    ngx_uint_t   i;

    p = set->data;

    for (i = 0; i < NGX_HTTP_TORII_LABELS; i++) {
        if (set->lens[i] != labels[i].len
            || ngx_memcmp(p, labels[i].data, labels[i].len) != 0)
        {
            return 0;
        }

        p += set->lens[i];
    }

    return 1;
}


/* The table's pool goes: nothing in this worker points to its sets now. */

static void
ngx_http_torii_sets_release(void *data)
{
    ngx_http_torii_sets_t *sets = data;

    ngx_uint_t             i;
    ngx_slab_pool_t       *shpool;
    ngx_http_torii_set_t  *set;

    shpool = (ngx_slab_pool_t *) sets->zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    for (i = 0; i < sets->n; i++) {
        set = sets->slots[i].set;

        if (set && --set->refs == 0) {
            set->left = ngx_time();
        }
    }

    ngx_shmtx_unlock(&shpool->mutex);
}


/* Called with the mutex held. */

static void
ngx_http_torii_sets_expire(ngx_shm_zone_t *zone)
{
    ngx_uint_t                 i;
    ngx_slab_pool_t           *shpool;
    ngx_http_torii_set_t      *set, **p;
    ngx_http_torii_series_t   *s, *next;
    ngx_http_torii_metrics_t  *m;

    m = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    for (i = 0; i < NGX_HTTP_TORII_SETS; i++) {
        p = &m->sets[i];

        while ((set = *p) != NULL) {

            if (set->refs || ngx_time() - set->left < NGX_HTTP_TORII_STALE) {
                p = &set->next;
                continue;
            }

            *p = set->next;

            for (s = set->series; s; s = next) {
                next = s->next;
                ngx_slab_free_locked(shpool, s);
            }

            ngx_slab_free_locked(shpool, set);
        }
    }
}


static ngx_http_torii_series_t *
ngx_http_torii_series_get(ngx_shm_zone_t *zone, ngx_http_torii_set_t *set,
    ngx_uint_t status, ngx_uint_t method)
{
    ngx_slab_pool_t          *shpool;
    ngx_http_torii_series_t  *s;

    for (s = set->series; s; s = s->next) {
        if (s->status == status && s->method == method) {
            return s;
        }
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    for (s = set->series; s; s = s->next) {
        if (s->status == status && s->method == method) {
            goto done;
        }
    }

    s = ngx_slab_calloc_locked(shpool, sizeof(ngx_http_torii_series_t));

    if (s) {
        s->status = status;
        s->method = method;
        s->next = set->series;

        /* others walk the list without the mutex */

        ngx_memory_barrier();

        set->series = s;
    }

done:

    ngx_shmtx_unlock(&shpool->mutex);

    return s;
}


/*
 * Ten thousand routes make a hundred megabytes of text, which nobody else in
 * this worker shall wait for: a call writes a piece of it.
 */

ngx_int_t
ngx_http_torii_metrics_write(ngx_http_torii_main_conf_t *tmcf, ngx_uint_t *at,
    torii_buf_t *out)
{
    size_t                     end;
    ngx_uint_t                 h;
    torii_buf_t                labels;
    ngx_slab_pool_t           *shpool;
    ngx_http_torii_set_t      *set;
    ngx_http_torii_metrics_t  *m;

    m = tmcf->metrics->data;
    shpool = (ngx_slab_pool_t *) tmcf->metrics->shm.addr;
    end = out->len + NGX_HTTP_TORII_PIECE;

    ngx_memzero(&labels, sizeof(torii_buf_t));

    /* sets can come while we read, but none may go */

    ngx_shmtx_lock(&shpool->mutex);

    if (*at == 0) {
        ngx_http_torii_sets_expire(tmcf->metrics);
    }

    for ( /* void */ ; *at < NGX_HTTP_TORII_END && out->len < end; (*at)++) {

        h = *at / NGX_HTTP_TORII_SETS;

        if (*at % NGX_HTTP_TORII_SETS == 0) {
            ngx_http_torii_family_write(h, out);
        }

        for (set = m->sets[*at % NGX_HTTP_TORII_SETS]; set; set = set->next) {
            ngx_http_torii_set_write(set, h, &labels, out);
        }
    }

    ngx_shmtx_unlock(&shpool->mutex);

    torii_buf_free(&labels);

    if (*at < NGX_HTTP_TORII_END) {
        return NGX_AGAIN;
    }

    torii_buf_printf(out, "# HELP torii_metrics_dropped_total Requests that "
                     "found no room to be counted in.\n"
                     "# TYPE torii_metrics_dropped_total counter\n"
                     "torii_metrics_dropped_total %lu\n",
                     (unsigned long) m->dropped);

    ngx_http_torii_challenges_write(m, out);

    return NGX_OK;
}


static void
ngx_http_torii_family_write(ngx_uint_t h, torii_buf_t *out)
{
    char  *name;

    if (h == NGX_HTTP_TORII_HISTOGRAMS) {
        torii_buf_adds(out, "# HELP " NGX_HTTP_TORII_PREFIX "requests Client "
                       "requests.\n"
                       "# TYPE " NGX_HTTP_TORII_PREFIX "requests counter\n");
        return;
    }

    name = ngx_http_torii_histograms[h].name;

    torii_buf_printf(out, "# HELP " NGX_HTTP_TORII_PREFIX "%s %s\n"
                     "# TYPE " NGX_HTTP_TORII_PREFIX "%s histogram\n",
                     name, ngx_http_torii_histograms[h].help, name);
}


static void
ngx_http_torii_set_write(ngx_http_torii_set_t *set, ngx_uint_t h,
    torii_buf_t *labels, torii_buf_t *out)
{
    ngx_http_torii_series_t  *s;

    for (s = set->series; s; s = s->next) {
        labels->len = 0;
        ngx_http_torii_labels(labels, set, s);

        if (h < NGX_HTTP_TORII_HISTOGRAMS) {
            ngx_http_torii_histogram_write(s, h, labels, out);
            continue;
        }

        torii_buf_printf(out, NGX_HTTP_TORII_PREFIX "requests{%.*s} %lu\n",
                         (int) labels->len, (char *) labels->data,
                         (unsigned long) s->requests);
    }
}


static void
ngx_http_torii_histogram_write(ngx_http_torii_series_t *s, ngx_uint_t h,
    torii_buf_t *labels, torii_buf_t *out)
{
    char         bound[32];
    char        *name;
    uint64_t     n;
    ngx_uint_t   b, unit;

    name = ngx_http_torii_histograms[h].name;
    unit = ngx_http_torii_histograms[h].seconds ? 1000 : 1;

    for (b = 0, n = 0; b <= ngx_http_torii_histograms[h].n; b++) {
        n += s->buckets[b][h];

        if (b == ngx_http_torii_histograms[h].n) {
            strcpy(bound, "+Inf");

        } else {
            snprintf(bound, sizeof(bound), "%g",
                     (double) ngx_http_torii_histograms[h].bounds[b] / unit);
        }

        torii_buf_printf(out, NGX_HTTP_TORII_PREFIX "%s_bucket{%.*s,le=\"%s\"} "
                         "%lu\n", name, (int) labels->len,
                         (char *) labels->data, bound, (unsigned long) n);
    }

    torii_buf_printf(out, NGX_HTTP_TORII_PREFIX "%s_sum{%.*s} %.*f\n"
                     NGX_HTTP_TORII_PREFIX "%s_count{%.*s} %lu\n",
                     name, (int) labels->len, (char *) labels->data,
                     unit == 1 ? 0 : 3, (double) s->sums[h] / unit,
                     name, (int) labels->len, (char *) labels->data,
                     (unsigned long) n);
}


static void
ngx_http_torii_labels(torii_buf_t *labels, ngx_http_torii_set_t *set,
    ngx_http_torii_series_t *s)
{
    u_char       *p;
    ngx_uint_t    i;
    torii_str_t   value;

    p = set->data;

    for (i = 0; i < NGX_HTTP_TORII_LABELS; i++) {
        value.len = set->lens[i];
        value.data = p;
        p += set->lens[i];

        torii_buf_printf(labels, "%s=\"", ngx_http_torii_label_names[i]);
        ngx_http_torii_label_value(labels, value);
        torii_buf_adds(labels, "\",");
    }

    torii_buf_printf(labels, "method=\"%s\",status=\"%u\",canary=\"\",",
                     (char *) ngx_http_torii_methods[s->method].data,
                     (unsigned) s->status);
    ngx_http_torii_label_const(labels);
}


void
ngx_http_torii_challenge_count(ngx_http_torii_main_conf_t *tmcf,
    ngx_uint_t type, ngx_uint_t known, torii_str_t name,
    struct sockaddr *client)
{
    ngx_http_torii_seen_t     *seen;
    ngx_http_torii_metrics_t  *m;

    m = tmcf->metrics->data;

    (void) ngx_atomic_fetch_add(&m->challenges[type][known], 1);

    if (known) {
        seen = ngx_http_torii_challenge_slot(tmcf, type, name);

        ngx_http_torii_challenge_address(seen, client);
        (void) ngx_atomic_fetch_add(&seen->requests, 1);
    }
}


/* Two workers may take the same free place: then the other takes the next. */

static void
ngx_http_torii_challenge_address(ngx_http_torii_seen_t *seen,
    struct sockaddr *client)
{
    void                *p;
    size_t               len;
    ngx_uint_t           i;
    ngx_atomic_uint_t    hash;

    switch (client->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        p = &((struct sockaddr_in6 *) client)->sin6_addr;
        len = sizeof(struct in6_addr);
        break;
#endif

    case AF_INET:
        p = &((struct sockaddr_in *) client)->sin_addr;
        len = sizeof(struct in_addr);
        break;

    default:
        p = &client->sa_family;
        len = sizeof(client->sa_family);
    }

    hash = (ngx_atomic_uint_t) torii_hash(p, len, client->sa_family) | 1;

    for (i = 0; i < NGX_HTTP_TORII_ADDRESSES; i++) {

        if (seen->addresses[i] == hash
            || (seen->addresses[i] == 0
                && ngx_atomic_cmp_set(&seen->addresses[i], 0, hash))
            || seen->addresses[i] == hash)
        {
            return;
        }
    }
}


ngx_uint_t
ngx_http_torii_challenge_watch(ngx_http_torii_main_conf_t *tmcf,
    ngx_uint_t type, torii_str_t name)
{
    ngx_uint_t              i;
    ngx_http_torii_seen_t  *seen;

    seen = ngx_http_torii_challenge_slot(tmcf, type, name);

    for (i = 0; i < NGX_HTTP_TORII_ADDRESSES; i++) {
        seen->addresses[i] = 0;
    }

    return seen->requests;
}


ngx_uint_t
ngx_http_torii_challenge_seen(ngx_http_torii_main_conf_t *tmcf,
    ngx_uint_t type, torii_str_t name, ngx_uint_t *addresses)
{
    ngx_uint_t              i;
    ngx_http_torii_seen_t  *seen;

    seen = ngx_http_torii_challenge_slot(tmcf, type, name);

    for (i = 0; i < NGX_HTTP_TORII_ADDRESSES; i++) {
        if (seen->addresses[i] == 0) {
            break;
        }
    }

    *addresses = i;

    return seen->requests;
}


static ngx_http_torii_seen_t *
ngx_http_torii_challenge_slot(ngx_http_torii_main_conf_t *tmcf,
    ngx_uint_t type, torii_str_t name)
{
    ngx_http_torii_metrics_t  *m;

    m = tmcf->metrics->data;

    return &m->seen[torii_hash(name.data, name.len, type)
                    % NGX_HTTP_TORII_SEEN];
}


static void
ngx_http_torii_challenges_write(ngx_http_torii_metrics_t *m, torii_buf_t *out)
{
    ngx_uint_t    type, known;

    static char  *types[] = { "http-01", "tls-alpn-01" };
    static char  *results[] = { "unknown", "answered" };

    torii_buf_adds(out, "# HELP torii_acme_challenge_requests_total Requests "
                   "and handshakes that ask for a challenge.\n"
                   "# TYPE torii_acme_challenge_requests_total counter\n");

    for (type = 0; type < INGRESS_CHALLENGE_MAX; type++) {
        for (known = 0; known < 2; known++) {
            torii_buf_printf(out, "torii_acme_challenge_requests_total{"
                             "type=\"%s\",result=\"%s\"} %lu\n",
                             types[type], results[known],
                             (unsigned long) m->challenges[type][known]);
        }
    }
}
