
/*
 * From objects to a published table: the folder is read into the store, names
 * are resolved, and the store is compiled and published.  Until the folder was
 * read whole once, nothing is published: the last table serves.
 */

#include "ngx_torii_helper.h"


#define NGX_TORII_PIPELINE_BUDGET    256     /* files in one turn */
#define NGX_TORII_PIPELINE_GAP       5000    /* us between two tables */
#define NGX_TORII_PIPELINE_PATIENCE  250000  /* us, with files unread */
#define NGX_TORII_PIPELINE_NAMES     100000  /* us, for new names */


static ngx_int_t ngx_torii_pipeline_options(ngx_torii_helper_t *h);
static ngx_int_t ngx_torii_pipeline_strings(ngx_torii_helper_t *h,
    ngx_array_t *array, torii_str_t **strings, uint32_t *n);

static void ngx_torii_pipeline_read_handler(ngx_event_t *ev);
static void ngx_torii_pipeline_read(ngx_torii_helper_t *h);
static void ngx_torii_pipeline_wait(ngx_torii_helper_t *h, int wait);
static ngx_int_t ngx_torii_pipeline_watch(ngx_torii_helper_t *h);
static ngx_uint_t ngx_torii_pipeline_present(ngx_torii_helper_t *h);
static void ngx_torii_pipeline_seed(ngx_torii_helper_t *h);
static ngx_uint_t ngx_torii_pipeline_names(ngx_torii_helper_t *h);
static void ngx_torii_pipeline_name(void *data, torii_str_t name);
static void ngx_torii_pipeline_resolved(void *data, ngx_str_t *name,
    const uint8_t (*addrs)[16], ngx_uint_t n);

static void ngx_torii_pipeline_publish_handler(ngx_event_t *ev);
static void ngx_torii_pipeline_publish(ngx_torii_helper_t *h);
static void ngx_torii_pipeline_compile(ngx_torii_helper_t *h);
static uint64_t ngx_torii_pipeline_cpu(void);
static void ngx_torii_pipeline_published(ngx_torii_helper_t *h, uint64_t now);


ngx_int_t
ngx_torii_pipeline_start(ngx_torii_helper_t *h)
{
    char  *path;

    path = (char *) h->tmcf->manifests.data;

    if (ngx_torii_pipeline_options(h) != NGX_OK) {
        return NGX_ERROR;
    }

    h->resolver = ngx_torii_resolver_create(h->pool, &h->tmcf->resolver,
                                            ngx_torii_pipeline_resolved, h,
                                            h->log);
    if (h->resolver == NULL) {
        return NGX_ERROR;
    }

    h->findings.log = h->log;
    h->findings.source = h->tmcf->manifests;

    ngx_torii_helper_event(h, &h->read, ngx_torii_pipeline_read_handler);
    ngx_torii_helper_event(h, &h->publish, ngx_torii_pipeline_publish_handler);

    h->store = ingress_store_create();
    h->folder = ingress_folder_open(path, h->store, 1);

    ngx_log_error(NGX_LOG_NOTICE, h->log, 0,
                  "torii: helper serves \"%s\"", path);

    ngx_torii_pipeline_read(h);

    return NGX_OK;
}


static ngx_int_t
ngx_torii_pipeline_options(ngx_torii_helper_t *h)
{
    ingress_options_t           *o;
    ngx_http_torii_main_conf_t  *tmcf;

    o = &h->options;
    tmcf = h->tmcf;

    o->config.len = tmcf->config.len;
    o->config.data = tmcf->config.data;
    o->default_backend.len = tmcf->default_backend.len;
    o->default_backend.data = tmcf->default_backend.data;
    o->default_certificate.len = tmcf->default_certificate.len;
    o->default_certificate.data = tmcf->default_certificate.data;
    o->watch_namespace.len = tmcf->watch_namespace.len;
    o->watch_namespace.data = tmcf->watch_namespace.data;
    o->loopback = 1;

    if (ngx_torii_pipeline_strings(h, tmcf->classes, &o->classes, &o->nclasses)
        != NGX_OK
        || ngx_torii_pipeline_strings(h, tmcf->controllers, &o->controllers,
                                      &o->ncontrollers)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    o->all = (o->nclasses == 0 && o->ncontrollers == 0);

    return NGX_OK;
}


static ngx_int_t
ngx_torii_pipeline_strings(ngx_torii_helper_t *h, ngx_array_t *array,
    torii_str_t **strings, uint32_t *n)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (array == NULL) {
        return NGX_OK;
    }

    *strings = ngx_pcalloc(h->pool, (array->nelts + 1) * sizeof(torii_str_t));
    if (*strings == NULL) {
        return NGX_ERROR;
    }

    value = array->elts;

    for (i = 0; i < array->nelts; i++) {
        (*strings)[i].len = value[i].len;
        (*strings)[i].data = value[i].data;
    }

    *n = array->nelts;

    return NGX_OK;
}


static void
ngx_torii_pipeline_read_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    ngx_torii_pipeline_read(c->data);
}


static void
ngx_torii_pipeline_read(ngx_torii_helper_t *h)
{
    int       rc, changed;
    uint64_t  now;

    changed = 0;
    now = ngx_torii_publish_us();

    rc = ingress_folder_read(h->folder, NGX_TORII_PIPELINE_BUDGET, &changed);

    if (changed) {
        h->names = 1;
        h->seen = h->seen ? h->seen : now;
    }

    h->partial = (rc == TORII_AGAIN);

    if (h->partial) {
        ngx_post_event(&h->read, &ngx_posted_next_events);

    } else {
        ngx_torii_pipeline_wait(h, ingress_folder_wait(h->folder));

        if (!ngx_torii_pipeline_present(h)) {
            return;
        }

        h->pub.control->synced = ngx_torii_publish_ms();

        if (!h->complete) {
            h->complete = 1;
            h->seen = h->seen ? h->seen : now;
            ngx_torii_pipeline_seed(h);
        }
    }

    ngx_torii_pipeline_publish(h);
}


static void
ngx_torii_pipeline_wait(ngx_torii_helper_t *h, int wait)
{
    if (h->read.timer_set) {
        ngx_del_timer(&h->read);
    }

    if (ngx_torii_pipeline_watch(h) != NGX_OK || h->missing) {
        wait = wait < 0 ? NGX_TORII_HELPER_RETRY
                        : ngx_min(wait, NGX_TORII_HELPER_RETRY);
    }

    if (wait >= 0) {
        ngx_add_timer(&h->read, (ngx_msec_t) wait);
    }
}


static ngx_int_t
ngx_torii_pipeline_watch(ngx_torii_helper_t *h)
{
    int                fd;
    ngx_connection_t  *c;

    fd = ingress_folder_fd(h->folder);

    if (h->watch && h->watch->fd == fd) {
        return NGX_OK;
    }

    if (h->watch) {
        c = h->watch;
        h->watch = NULL;

        (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);
        ngx_free_connection(c);
        c->fd = (ngx_socket_t) -1;
    }

    if (fd == -1) {
        return NGX_OK;
    }

    c = ngx_get_connection(fd, h->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = h;
    c->log = h->log;
    c->read->log = h->log;
    c->write->log = h->log;
    c->read->handler = ngx_torii_pipeline_read_handler;
    c->read->resolver = 1;

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK) {
        ngx_free_connection(c);
        c->fd = (ngx_socket_t) -1;
        return NGX_ERROR;
    }

    h->watch = c;

    return NGX_OK;
}


/*
 * A folder that is gone, or not ours to read, does not say that all objects
 * were deleted; a folder that is there and empty does.
 */

static ngx_uint_t
ngx_torii_pipeline_present(ngx_torii_helper_t *h)
{
    int  fd;

    fd = open((char *) h->tmcf->manifests.data, O_RDONLY|O_NONBLOCK|O_CLOEXEC);

    if (fd == -1) {
        if (!h->missing) {
            ngx_log_error(NGX_LOG_ERR, h->log, ngx_errno,
                          "torii: cannot open \"%V\", the last table goes on "
                          "serving", &h->tmcf->manifests);
            h->missing = 1;
            ngx_torii_helper_arm(&h->read, NGX_TORII_HELPER_RETRY);
        }

        return 0;
    }

    close(fd);

    if (h->missing) {
        ngx_log_error(NGX_LOG_NOTICE, h->log, 0,
                      "torii: \"%V\" is there again", &h->tmcf->manifests);
        h->missing = 0;
    }

    return 1;
}


/* Addresses of names that the last table knows serve until they answer. */

static void
ngx_torii_pipeline_seed(ngx_torii_helper_t *h)
{
    uint32_t                        i, j;
    uint8_t                       (*addrs)[16];
    ingress_table_t                 table;
    const ingress_table_backend_t  *b;

    if (ngx_torii_publish_last(&h->pub, &table) != NGX_OK) {
        return;
    }

    for (i = 0; i < ingress_table_n(&table, BACKENDS); i++) {
        b = &table.backends[i];

        if (b->type != INGRESS_BACKEND_EXTERNALNAME || b->n == 0) {
            continue;
        }

        addrs = torii_malloc((size_t) b->n * 16);

        for (j = 0; j < b->n; j++) {
            ngx_memcpy(addrs[j], table.endpoints[b->first + j].addr, 16);
        }

        (void) ingress_store_resolved(h->store,
                                      ingress_table_str(&table, b->external),
                                      (const uint8_t (*)[16]) addrs, b->n);
        free(addrs);
    }

    ingress_table_close(&table);
}


static ngx_uint_t
ngx_torii_pipeline_names(ngx_torii_helper_t *h)
{
    h->names = 0;

    ngx_torii_resolver_begin(h->resolver);
    ingress_store_names(h->store, ngx_torii_pipeline_name, h);

    return ngx_torii_resolver_end(h->resolver);
}


static void
ngx_torii_pipeline_name(void *data, torii_str_t name)
{
    ngx_torii_helper_t *h = data;

    ngx_str_t  str;

    str.len = name.len;
    str.data = name.data;

    ngx_torii_resolver_want(h->resolver, &str);
}


static void
ngx_torii_pipeline_resolved(void *data, ngx_str_t *name,
    const uint8_t (*addrs)[16], ngx_uint_t n)
{
    ngx_torii_helper_t *h = data;

    torii_str_t  str;

    str.len = name->len;
    str.data = name->data;

    if (n && ingress_store_resolved(h->store, str, addrs, n) && h->seen == 0) {
        h->seen = ngx_torii_publish_us();
    }

    if (h->seen) {
        ngx_post_event(&h->publish, &ngx_posted_next_events);
    }
}


static void
ngx_torii_pipeline_publish_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    ngx_torii_pipeline_publish(c->data);
}


/*
 * The first change is published at once, those that follow closely together:
 * compiling takes a third of a processor at most.
 */

static void
ngx_torii_pipeline_publish(ngx_torii_helper_t *h)
{
    uint64_t  now;

    if (!h->complete || h->seen == 0) {
        return;
    }

    now = ngx_torii_publish_us();

    /* half of a change is worse than a late one, up to a point */

    if (h->partial && now - h->seen < NGX_TORII_PIPELINE_PATIENCE) {
        return;
    }

    if (now < h->next) {
        ngx_torii_helper_arm(&h->publish, (h->next - now + 999) / 1000);
        return;
    }

    if (!ngx_torii_pipeline_present(h)) {
        ngx_torii_helper_arm(&h->publish, NGX_TORII_HELPER_RETRY);
        return;
    }

    if (h->names && ngx_torii_pipeline_names(h)) {
        h->hold = now + NGX_TORII_PIPELINE_NAMES;
    }

    /* a new name without addresses would be answered 503 for that moment */

    if (now < h->hold && now - h->seen < NGX_TORII_PIPELINE_NAMES
        && ngx_torii_resolver_fresh(h->resolver))
    {
        ngx_torii_helper_arm(&h->publish, (h->hold - now + 999) / 1000);
        return;
    }

    ngx_torii_pipeline_compile(h);
}


static void
ngx_torii_pipeline_compile(ngx_torii_helper_t *h)
{
    uint64_t              begin, compiled, now, cpu;
    ngx_int_t             rc;
    torii_arena_t        *arena;
    ingress_findings_t    findings;
    ngx_torii_control_t  *control;

    control = h->pub.control;
    begin = ngx_torii_publish_us();
    cpu = ngx_torii_pipeline_cpu();

    arena = torii_arena_create(16384);
    ingress_findings_init(&findings, arena);

    h->out.len = 0;

    ingress_compile(h->store, &h->options, ngx_time(),
                    ingress_folder_findings(h->folder), &findings, &h->out);

    compiled = ngx_torii_publish_us();
    cpu = ngx_torii_pipeline_cpu() - cpu;

    rc = ngx_torii_publish(&h->pub, &h->out, h->log);

    now = ngx_torii_publish_us();

    if (rc == NGX_ERROR) {
        control->failures++;
        control->failed = 1;
        ngx_torii_helper_backoff(h);
        h->next = now + h->retry * 1000;
        ngx_torii_helper_arm(&h->publish, h->retry);

    } else {
        control->compile_us = compiled - begin;
        control->failed = 0;
        h->retry = 0;
        h->next = now + ngx_max(2 * cpu, NGX_TORII_PIPELINE_GAP);

        if (rc == NGX_OK) {
            ngx_torii_pipeline_published(h, now);
        }

        h->seen = 0;
    }

    if (rc == NGX_OK || !h->compiled) {
        ngx_torii_finding_log(&h->findings, &findings);
    }

    h->compiled = 1;

    torii_arena_destroy(arena);

    ngx_time_update();
}


/*
 * Microseconds that the helper has run: on a busy machine the time that passes
 * is several times as long, and would make changes wait that much longer.
 */

static uint64_t
ngx_torii_pipeline_cpu(void)
{
    struct timespec  ts;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) != 0) {
        return 0;
    }

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static void
ngx_torii_pipeline_published(ngx_torii_helper_t *h, uint64_t now)
{
    ngx_torii_control_t           *control;
    const ingress_table_header_t  *header;

    control = h->pub.control;
    header = (const ingress_table_header_t *) h->out.data;

    control->published = ngx_torii_publish_ms();
    control->publish_us = now - h->seen;
    control->publish_us_sum += control->publish_us;
    control->publishes++;

    ngx_log_error(NGX_LOG_INFO, h->log, 0,
                  "torii: table %uL published: %uD routes, %uz bytes, "
                  "%uD errors, %uD warnings; compiled in %uL us, "
                  "published after %uL us",
                  control->generation,
                  header->sections[INGRESS_SECTION_ROUTES].n, h->out.len,
                  header->errors, header->warnings, control->compile_us,
                  control->publish_us);
}
