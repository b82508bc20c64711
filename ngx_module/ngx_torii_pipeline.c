
/*
 * From objects to a published table: the source fills the store, names are
 * resolved, and the store is compiled and published.  Until the source was
 * read whole once, nothing is published: the last table serves.
 */

#include "ngx_torii_acme.h"
#include "ngx_torii_discovery.h"
#include "ngx_torii_dnssync.h"


#define NGX_TORII_PIPELINE_GAP       5000    /* us between two tables */
#define NGX_TORII_PIPELINE_PATIENCE  250000  /* us, with files unread */
#define NGX_TORII_PIPELINE_NAMES     100000  /* us, for new names */


static ngx_int_t ngx_torii_pipeline_options(ngx_torii_helper_t *h);
static ngx_int_t ngx_torii_pipeline_selector(ngx_torii_helper_t *h);
static void ngx_torii_pipeline_selector_free(void *data);
static ngx_int_t ngx_torii_pipeline_strings(ngx_torii_helper_t *h,
    ngx_array_t *array, torii_str_t **strings, uint32_t *n);

static void ngx_torii_pipeline_seed(ngx_torii_helper_t *h);
static ngx_uint_t ngx_torii_pipeline_names(ngx_torii_helper_t *h);
static void ngx_torii_pipeline_name(void *data, torii_str_t name);
static void ngx_torii_pipeline_resolved(void *data, ngx_str_t *name,
    const uint8_t (*addrs)[16], ngx_uint_t n);

static void ngx_torii_pipeline_publish_handler(ngx_event_t *ev);
static void ngx_torii_pipeline_compile(ngx_torii_helper_t *h);
static void ngx_torii_pipeline_published(ngx_torii_helper_t *h, uint64_t now);


ngx_int_t
ngx_torii_pipeline_start(ngx_torii_helper_t *h)
{
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

    ngx_torii_helper_event(h, &h->publish, ngx_torii_pipeline_publish_handler);

    if (h->store == NULL) {
        h->store = ingress_store_create();
    }

    if (h->discovery == NULL) {
        h->discovery = ngx_torii_discovery_create(h);

        if (h->discovery == NULL) {
            return NGX_ERROR;
        }
    }

    if (h->tmcf->acme.enable && h->acme == NULL) {
        h->acme = ngx_torii_acme_create(h);

        if (h->acme == NULL) {
            return NGX_ERROR;
        }
    }

    if (h->tmcf->dns.enable && h->dnssync == NULL) {
        h->dnssync = ngx_torii_dnssync_create(h);

        if (h->dnssync == NULL) {
            return NGX_ERROR;
        }
    }

    return h->source->start(h);
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
    o->cluster_namespace.len = tmcf->cluster_namespace.len;
    o->cluster_namespace.data = tmcf->cluster_namespace.data;
    o->default_issuer.len = tmcf->acme.default_issuer.len;
    o->default_issuer.data = tmcf->acme.default_issuer.data;

    if (ngx_torii_pipeline_selector(h) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_torii_pipeline_strings(h, tmcf->classes, &o->classes, &o->nclasses)
        != NGX_OK
        || ngx_torii_pipeline_strings(h, tmcf->controllers, &o->controllers,
                                      &o->ncontrollers)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* a folder is one's own, a cluster has many users */

    if (!tmcf->kubernetes.enable) {
        o->loopback = 1;
        o->all = (o->nclasses == 0 && o->ncontrollers == 0);
    }

    return NGX_OK;
}


/* It was read once when the configuration was. */

static ngx_int_t
ngx_torii_pipeline_selector(ngx_torii_helper_t *h)
{
    const char          *why;
    torii_str_t          text;
    torii_arena_t       *arena;
    ngx_pool_cleanup_t  *cln;

    if (h->tmcf->watch_selector.data == NULL) {
        return NGX_OK;
    }

    cln = ngx_pool_cleanup_add(h->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    arena = torii_arena_create(1024);

    cln->handler = ngx_torii_pipeline_selector_free;
    cln->data = arena;

    text.len = h->tmcf->watch_selector.len;
    text.data = h->tmcf->watch_selector.data;

    h->options.selector = ingress_selector_parse(arena, text, &why);

    return h->options.selector ? NGX_OK : NGX_ERROR;
}


static void
ngx_torii_pipeline_selector_free(void *data)
{
    torii_arena_destroy(data);
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


void
ngx_torii_pipeline_changed(ngx_torii_helper_t *h, uint64_t since)
{
    h->names = 1;

    if (h->seen == 0) {
        h->seen = since;
    }
}


void
ngx_torii_pipeline_complete(ngx_torii_helper_t *h)
{
    h->pub.control->synced = ngx_torii_publish_ms();

    if (h->complete) {
        return;
    }

    h->complete = 1;

    if (h->seen == 0) {
        h->seen = ngx_torii_publish_us();
    }

    ngx_torii_pipeline_seed(h);
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

void
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

    if (!h->source->present(h)) {
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
    uint64_t                  begin, compiled, now, cpu;
    ngx_int_t                 rc;
    torii_arena_t            *arena;
    ingress_findings_t        findings;
    ngx_torii_control_t      *control;
    const ingress_finding_t  *source;

    control = h->pub.control;
    begin = ngx_torii_publish_us();
    cpu = ngx_torii_publish_cpu();

    arena = torii_arena_create(16384);
    ingress_findings_init(&findings, arena);

    h->out.len = 0;

    source = h->source->findings(h);

    if (h->acme) {
        source = ngx_torii_acme_findings(h->acme, source);
    }

    if (h->dnssync) {
        source = ngx_torii_dnssync_findings(h->dnssync, source);
    }

    source = ngx_torii_discovery_findings(h->discovery, source);

    ingress_compile(h->store, &h->options, ngx_time(), source, &findings,
                    &h->out);

    compiled = ngx_torii_publish_us();
    cpu = ngx_torii_publish_cpu() - cpu;

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

    if (h->source->compiled) {
        h->source->compiled(h, &findings);
    }

    h->compiled = 1;

    torii_arena_destroy(arena);

    ngx_torii_discovery_compiled(h->discovery);

    if (h->acme) {
        ngx_torii_acme_compiled(h->acme, rc != NGX_ERROR);
    }

    if (h->dnssync) {
        ngx_torii_dnssync_compiled(h->dnssync);
    }

    ngx_time_update();
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
