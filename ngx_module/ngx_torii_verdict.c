
/*
 * What another server said of requests: asked once for all that have the same
 * key and come in the meantime, and kept as long as the route's rules allow.
 */

#include "ngx_http_torii_gate.h"


#define NGX_TORII_VERDICTS        4096        /* that are kept */
#define NGX_TORII_VERDICT_SLOTS   8192
#define NGX_TORII_VERDICT_FIELDS  64          /* of one name */
#define NGX_TORII_VERDICT_BODY    (64 * 1024) /* of a denial, passed on */


typedef struct {
    ngx_queue_t             lru;
    ngx_uint_t              n;
    ngx_torii_verdict_t    *slots[NGX_TORII_VERDICT_SLOTS];
} ngx_torii_verdicts_t;


static ngx_torii_verdicts_t *ngx_torii_verdicts(void);
static ngx_torii_verdict_t **ngx_torii_verdict_slot(const u_char key[32]);
static void ngx_torii_verdict_keep(ngx_torii_verdict_t *v, const u_char *key);
static void ngx_torii_verdict_drop(ngx_torii_verdict_t *v);
static ngx_int_t ngx_torii_verdict_head(void *data, ngx_uint_t status,
    ngx_str_t *content_type, ngx_uint_t retry_after);
static void ngx_torii_verdict_take(ngx_torii_verdict_t *v, char *name,
    ngx_uint_t all);
static ngx_int_t ngx_torii_verdict_body(void *data, u_char *p, size_t len);
static void ngx_torii_verdict_done(void *data, const char *error);
static time_t ngx_torii_verdict_life(ngx_torii_verdict_t *v);


/* Of this process. */
static ngx_torii_verdicts_t  *ngx_torii_verdicts_one;


static ngx_torii_verdicts_t *
ngx_torii_verdicts(void)
{
    if (ngx_torii_verdicts_one == NULL) {
        ngx_torii_verdicts_one = torii_zalloc(sizeof(ngx_torii_verdicts_t));
        ngx_queue_init(&ngx_torii_verdicts_one->lru);
    }

    return ngx_torii_verdicts_one;
}


static ngx_torii_verdict_t **
ngx_torii_verdict_slot(const u_char key[32])
{
    uint32_t  hash;

    ngx_memcpy(&hash, key, sizeof(uint32_t));

    return &ngx_torii_verdicts()->slots[hash % NGX_TORII_VERDICT_SLOTS];
}


ngx_torii_verdict_t *
ngx_torii_verdict_find(const u_char key[32])
{
    ngx_torii_verdict_t  *v;

    for (v = *ngx_torii_verdict_slot(key); v; v = v->next) {

        if (ngx_memcmp(v->key, key, sizeof(v->key)) != 0) {
            continue;
        }

        if (v->done && v->until <= ngx_time()) {
            ngx_torii_verdict_drop(v);
            return NULL;
        }

        ngx_queue_remove(&v->queue);
        ngx_queue_insert_head(&ngx_torii_verdicts()->lru, &v->queue);

        v->refs++;

        return v;
    }

    return NULL;
}


ngx_torii_verdict_t *
ngx_torii_verdict_ask(const u_char *key, const ngx_torii_verdict_conf_t *conf)
{
    size_t                      size;
    ngx_uint_t                  n;
    ngx_torii_curl_t           *curl;
    ngx_torii_verdict_t        *v;
    ngx_torii_curl_handlers_t   handlers;

    curl = ngx_torii_login_curl();
    if (curl == NULL) {
        return NULL;
    }

    v = torii_zalloc(sizeof(ngx_torii_verdict_t));

    ngx_queue_init(&v->waiting);
    v->arena = torii_arena_create(1024);
    v->relay = conf->relay;
    v->began = ngx_current_msec;

    for (n = 0; conf->wanted[n]; n++) { /* void */ }

    v->wanted = torii_arena_zalloc(v->arena, (n + 1) * sizeof(char *));

    while (n--) {
        v->wanted[n] = (char *) torii_arena_str(v->arena,
                                            torii_str(conf->wanted[n])).data;
    }

    size = conf->nrules * sizeof(ingress_cache_rule_t);
    v->rules = torii_arena_alloc(v->arena, size);
    v->nrules = conf->nrules;
    ngx_memcpy((void *) v->rules, conf->rules, size);

    handlers.head = ngx_torii_verdict_head;
    handlers.body = ngx_torii_verdict_body;
    handlers.done = ngx_torii_verdict_done;
    handlers.data = v;

    /* of the transfer, and of the one who asks */

    v->refs = 2;
    v->transfer = ngx_torii_curl_start(curl, &conf->request, &handlers);

    if (v->transfer == NULL) {
        v->refs = 1;
        ngx_torii_verdict_leave(v);
        return NULL;
    }

    if (key) {
        ngx_torii_verdict_keep(v, key);
    }

    return v;
}


static void
ngx_torii_verdict_keep(ngx_torii_verdict_t *v, const u_char *key)
{
    ngx_torii_verdict_t   **slot;
    ngx_torii_verdicts_t   *all;

    all = ngx_torii_verdicts();

    if (all->n == NGX_TORII_VERDICTS) {
        ngx_torii_verdict_drop(ngx_queue_data(ngx_queue_last(&all->lru),
                                              ngx_torii_verdict_t, queue));
    }

    ngx_memcpy(v->key, key, sizeof(v->key));

    slot = ngx_torii_verdict_slot(v->key);
    v->next = *slot;
    *slot = v;

    ngx_queue_insert_head(&all->lru, &v->queue);
    all->n++;

    v->kept = 1;
    v->refs++;
}


static void
ngx_torii_verdict_drop(ngx_torii_verdict_t *v)
{
    ngx_torii_verdict_t  **p;

    if (!v->kept) {
        return;
    }

    for (p = ngx_torii_verdict_slot(v->key); *p != v; p = &(*p)->next) {
        /* void */
    }

    *p = v->next;

    ngx_queue_remove(&v->queue);
    ngx_torii_verdicts()->n--;

    v->kept = 0;
    ngx_torii_verdict_leave(v);
}


void
ngx_torii_verdict_leave(ngx_torii_verdict_t *v)
{
    if (--v->refs) {
        return;
    }

    torii_buf_free(&v->body);
    torii_arena_destroy(v->arena);
    free(v);
}


static ngx_int_t
ngx_torii_verdict_head(void *data, ngx_uint_t status, ngx_str_t *content_type,
    ngx_uint_t retry_after)
{
    ngx_torii_verdict_t *v = data;

    ngx_uint_t  i, n;

    v->status = status;

    for (n = 3; v->wanted[n - 3]; n++) { /* void */ }

    v->headers = torii_arena_alloc(v->arena,
                                   (n + NGX_TORII_VERDICT_FIELDS)
                                   * sizeof(ngx_torii_verdict_header_t));

    ngx_torii_verdict_take(v, "Set-Cookie", 1);
    ngx_torii_verdict_take(v, "WWW-Authenticate", 0);

    if (v->relay) {
        ngx_torii_verdict_take(v, "Location", 0);
        ngx_torii_verdict_take(v, "Content-Type", 0);
    }

    for (i = 0; v->wanted[i]; i++) {
        if (ngx_strcasecmp((u_char *) v->wanted[i], (u_char *) "Set-Cookie")) {
            ngx_torii_verdict_take(v, v->wanted[i], 0);
        }
    }

    return NGX_OK;
}


static void
ngx_torii_verdict_take(ngx_torii_verdict_t *v, char *name, ngx_uint_t all)
{
    ngx_str_t                    value;
    ngx_uint_t                   i;
    torii_str_t                  s;
    ngx_torii_verdict_header_t  *h;

    for (i = 0; i < (all ? NGX_TORII_VERDICT_FIELDS - 4 : 1); i++) {

        if (ngx_torii_curl_field(v->transfer, name, i, &value) != NGX_OK) {
            return;
        }

        s.len = value.len;
        s.data = value.data;

        if (torii_str_has_control(s)) {
            continue;
        }

        h = &v->headers[v->n++];

        s = torii_arena_str(v->arena, s);
        h->value.len = s.len;
        h->value.data = s.data;

        s = torii_arena_str(v->arena, torii_str(name));
        h->name.len = s.len;
        h->name.data = s.data;
    }
}


static ngx_int_t
ngx_torii_verdict_body(void *data, u_char *p, size_t len)
{
    ngx_torii_verdict_t *v = data;

    if (v->relay && v->body.len < NGX_TORII_VERDICT_BODY) {
        torii_buf_add(&v->body, p,
                      ngx_min(len, NGX_TORII_VERDICT_BODY - v->body.len));
    }

    return NGX_OK;
}


static void
ngx_torii_verdict_done(void *data, const char *error)
{
    ngx_torii_verdict_t *v = data;

    ngx_queue_t               *q;
    ngx_http_torii_waiting_t  *w;

    v->done = 1;
    v->transfer = NULL;

    ngx_torii_login_meter_asked_time(ngx_current_msec - v->began);

    if (error) {
        v->status = 0;
        v->n = 0;
        (void) ngx_snprintf((u_char *) v->error, sizeof(v->error), "%s%Z",
                            error);
        v->error[sizeof(v->error) - 1] = '\0';
    }

    v->until = ngx_time() + ngx_torii_verdict_life(v);

    if (v->until <= ngx_time()) {
        ngx_torii_verdict_drop(v);
    }

    while (!ngx_queue_empty(&v->waiting)) {
        q = ngx_queue_head(&v->waiting);
        ngx_queue_remove(q);

        w = ngx_queue_data(q, ngx_http_torii_waiting_t, queue);
        w->queued = 0;

        ngx_http_torii_gate_wake(w->request);
    }

    ngx_torii_verdict_leave(v);
}


/* What was no answer is never kept, nor is what sets cookies: for one alone. */

static time_t
ngx_torii_verdict_life(ngx_torii_verdict_t *v)
{
    ngx_uint_t  i;

    if (v->status == 0 || v->status >= NGX_HTTP_INTERNAL_SERVER_ERROR) {
        return 0;
    }

    for (i = 0; i < v->n; i++) {
        if (v->headers[i].name.len == sizeof("Set-Cookie") - 1
            && ngx_strncasecmp(v->headers[i].name.data,
                               (u_char *) "Set-Cookie",
                               sizeof("Set-Cookie") - 1)
               == 0)
        {
            return 0;
        }
    }

    for (i = 0; i < v->nrules; i++) {
        if (v->rules[i].status == 0 || v->rules[i].status == v->status) {
            return v->rules[i].seconds;
        }
    }

    return 0;
}
