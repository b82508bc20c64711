
/*
 * The Kubernetes API as the source of objects: what the machine of
 * ingress_cluster.h asks for is asked by libcurl, and what comes back goes to
 * the store and from there, at the end of the same turn, to the table.
 */

#include "ngx_torii_kubernetes.h"
#include "ngx_torii_acme.h"
#include "ngx_torii_dnssync.h"
#include "ingress_cluster.h"

#include <openssl/rand.h>


#define NGX_TORII_KUBERNETES_WAIT   60000   /* longest, ms */
#define NGX_TORII_KUBERNETES_NEVER  1000    /* while nothing can be asked */

/* what the Kubernetes machine and the control page call a state is the same */
typedef char  ngx_torii_states_agree[
    ((int) INGRESS_WATCH_NEVER == NGX_TORII_SOURCE_NEVER
     && (int) INGRESS_WATCH_COMPLETE == NGX_TORII_SOURCE_COMPLETE
     && (int) INGRESS_WATCH_STALE == NGX_TORII_SOURCE_STALE
     && (int) INGRESS_WATCH_FORBIDDEN == NGX_TORII_SOURCE_FORBIDDEN
     && (int) INGRESS_WATCH_ABSENT == NGX_TORII_SOURCE_ABSENT
     && sizeof(ngx_torii_control_t) <= NGX_TORII_CONTROL_SIZE) ? 1 : -1];


typedef struct {
    ngx_torii_helper_t     *helper;
    ngx_torii_api_t        *api;
    ingress_cluster_t      *cluster;
    ngx_torii_writer_t     *writer;
    ngx_uint_t              returns;      /* of the server, seen */
    ngx_uint_t              providers;    /* Secrets of DNS are watched */
    ngx_event_t             pump;
    ngx_connection_t        dummy;        /* what pump.data points to */
    uint64_t                said[NGX_TORII_CONTROL_KINDS];
                                          /* of each row, to the log */
} ngx_torii_kubernetes_t;


/* One request in flight. */

typedef struct {
    ngx_torii_kubernetes_t  *kubernetes;
    uint32_t                 id;
} ngx_torii_kubernetes_call_t;


static ngx_int_t ngx_torii_kubernetes_start(ngx_torii_helper_t *h);
static ngx_int_t ngx_torii_kubernetes_cluster(ngx_torii_kubernetes_t *k);
static ngx_uint_t ngx_torii_kubernetes_present(ngx_torii_helper_t *h);
static const ingress_finding_t *ngx_torii_kubernetes_findings(
    ngx_torii_helper_t *h);
static void ngx_torii_kubernetes_compiled(ngx_torii_helper_t *h,
    ingress_findings_t *findings);

static void ngx_torii_kubernetes_pump_handler(ngx_event_t *ev);
static void ngx_torii_kubernetes_pump(ngx_torii_kubernetes_t *k);
static void ngx_torii_kubernetes_providers(ngx_torii_kubernetes_t *k);
static void ngx_torii_kubernetes_send(ngx_torii_kubernetes_t *k,
    const ingress_api_request_t *req, uint32_t id);
static ngx_int_t ngx_torii_kubernetes_head(void *data,
    const ingress_api_answer_t *answer);
static ngx_int_t ngx_torii_kubernetes_body(void *data, torii_str_t bytes);
static void ngx_torii_kubernetes_done(void *data, const char *error);
static void ngx_torii_kubernetes_heard(ngx_torii_kubernetes_t *k);

static void ngx_torii_kubernetes_report(ngx_torii_helper_t *h);
static void ngx_torii_kubernetes_row(ngx_torii_control_kind_t *row,
    const ingress_cluster_kind_t *kind);
static void ngx_torii_kubernetes_tell(ngx_torii_kubernetes_t *k, ngx_uint_t i,
    const ingress_cluster_kind_t *kind);
static uint64_t ngx_torii_kubernetes_hash(const ingress_cluster_kind_t *kind);
static uint64_t ngx_torii_kubernetes_ms(void);


const ngx_torii_source_t  ngx_torii_kubernetes_source = {
    ngx_torii_kubernetes_start,
    ngx_torii_kubernetes_present,
    ngx_torii_kubernetes_findings,
    ngx_torii_kubernetes_compiled,
    ngx_torii_kubernetes_report
};


static ngx_int_t
ngx_torii_kubernetes_start(ngx_torii_helper_t *h)
{
    ngx_torii_kubernetes_t  *k;

    k = ngx_pcalloc(h->pool, sizeof(ngx_torii_kubernetes_t));
    if (k == NULL) {
        return NGX_ERROR;
    }

    k->helper = h;

    k->api = ngx_torii_api_create(h);
    if (k->api == NULL || ngx_torii_kubernetes_cluster(k) != NGX_OK) {
        return NGX_ERROR;
    }

    k->dummy.fd = (ngx_socket_t) -1;
    k->dummy.data = k;

    ngx_torii_helper_event(h, &k->pump, ngx_torii_kubernetes_pump_handler);
    k->pump.data = &k->dummy;

    h->feed = k;
    ngx_str_set(&h->findings.where, "/api/findings");

    ngx_log_error(NGX_LOG_NOTICE, h->log, 0,
                  "torii: helper serves a Kubernetes cluster");

    ngx_torii_kubernetes_pump(k);
    ngx_torii_kubernetes_report(h);

    return NGX_OK;
}


static ngx_int_t
ngx_torii_kubernetes_cluster(ngx_torii_kubernetes_t *k)
{
    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_array_t                *secrets;
    ngx_torii_helper_t         *h;
    ingress_cluster_options_t   options;

    h = k->helper;
    secrets = h->tmcf->kubernetes.secrets;

    ngx_memzero(&options, sizeof(ingress_cluster_options_t));

    options.namespace = h->options.watch_namespace;
    options.config = h->options.config;
    options.served = &h->options;
    options.epoch = ngx_torii_publish_ms() - ngx_torii_kubernetes_ms();

    if (RAND_bytes((u_char *) &options.seed, sizeof(options.seed)) != 1) {
        options.seed = ngx_torii_publish_us() ^ (uint64_t) ngx_pid << 32;
    }

    if (secrets) {
        options.secret_namespaces = ngx_pcalloc(h->pool, secrets->nelts
                                                         * sizeof(torii_str_t));
        if (options.secret_namespaces == NULL) {
            return NGX_ERROR;
        }

        value = secrets->elts;

        for (i = 0; i < secrets->nelts; i++) {
            options.secret_namespaces[i].len = value[i].len;
            options.secret_namespaces[i].data = value[i].data;
        }

        options.nsecret_namespaces = secrets->nelts;
    }

    k->cluster = ingress_cluster_create(h->store, &options);

    return NGX_OK;
}


/* Objects that an API server does not tell of any more stay in the store. */

static ngx_uint_t
ngx_torii_kubernetes_present(ngx_torii_helper_t *h)
{
    return 1;
}


static const ingress_finding_t *
ngx_torii_kubernetes_findings(ngx_torii_helper_t *h)
{
    ngx_torii_kubernetes_t  *k;

    k = h->feed;

    return ingress_cluster_findings(k->cluster);
}


static void
ngx_torii_kubernetes_compiled(ngx_torii_helper_t *h,
    ingress_findings_t *findings)
{
    ngx_torii_kubernetes_t  *k;

    k = h->feed;

    if (k->writer) {
        ngx_torii_writer_compiled(k->writer, findings);
    }
}


static void
ngx_torii_kubernetes_pump_handler(ngx_event_t *ev)
{
    ngx_connection_t        *c;
    ngx_torii_kubernetes_t  *k;

    c = ev->data;
    k = c->data;

    ngx_torii_kubernetes_pump(k);
    ngx_torii_kubernetes_heard(k);
}


static void
ngx_torii_kubernetes_pump(ngx_torii_kubernetes_t *k)
{
    uint32_t               id, wait;
    uint64_t               now;
    ngx_uint_t             returns;
    ingress_api_request_t  req;

    if (ngx_torii_api_ready(k->api) != NGX_OK) {
        ngx_torii_helper_arm(&k->pump, NGX_TORII_KUBERNETES_NEVER);
        return;
    }

    /* in whose namespace it works is known only now */

    if (k->writer == NULL) {
        k->writer = ngx_torii_writer_create(k->helper, k->api);
    }

    if (k->helper->acme) {
        ngx_torii_acme_cluster_api(k->helper->acme, k->api);

        if (ngx_torii_writer_off(k->helper)) {
            ngx_torii_acme_cluster_lead(k->helper->acme, 1);
        }
    }

    if (k->helper->dnssync) {
        ngx_torii_kubernetes_providers(k);
        ngx_torii_dnssync_api(k->helper->dnssync, k->api);

        if (ngx_torii_writer_off(k->helper)) {
            ngx_torii_dnssync_lead(k->helper->dnssync, 1, torii_str(""));
        }
    }

    now = ngx_torii_kubernetes_ms();

    returns = ngx_torii_api_returns(k->api, &k->pump);

    if (k->returns != returns) {
        k->returns = returns;
        ingress_cluster_hurry(k->cluster, now);
    }

    while (ingress_cluster_next(k->cluster, now, &req, &id, &wait) == TORII_OK)
    {
        ngx_torii_kubernetes_send(k, &req, id);
    }

    ngx_torii_helper_arm(&k->pump, ngx_min(wait, NGX_TORII_KUBERNETES_WAIT));
}


/* Nothing refers to the Secrets of providers of DNS. */

static void
ngx_torii_kubernetes_providers(ngx_torii_kubernetes_t *k)
{
    ngx_str_t    *value;
    ngx_uint_t    i;
    torii_str_t   type, own, namespace;
    ngx_array_t  *secrets;

    if (k->providers) {
        return;
    }

    k->providers = 1;

    type = torii_str(NGX_TORII_DNSSYNC_TYPE);
    own = ngx_torii_api_namespace(k->api);

    ingress_cluster_secrets(k->cluster, own, type);

    secrets = k->helper->tmcf->kubernetes.secrets;
    value = secrets ? secrets->elts : NULL;

    for (i = 0; secrets && i < secrets->nelts; i++) {
        namespace.len = value[i].len;
        namespace.data = value[i].data;

        if (namespace.len && !torii_str_eq(namespace, own)) {
            ingress_cluster_secrets(k->cluster, namespace, type);
        }
    }
}


static void
ngx_torii_kubernetes_send(ngx_torii_kubernetes_t *k,
    const ingress_api_request_t *req, uint32_t id)
{
    ingress_api_answer_t          answer;
    ngx_torii_api_handlers_t      handlers;
    ngx_torii_kubernetes_call_t  *call;

    call = torii_zalloc(sizeof(ngx_torii_kubernetes_call_t));
    call->kubernetes = k;
    call->id = id;

    handlers.head = ngx_torii_kubernetes_head;
    handlers.body = ngx_torii_kubernetes_body;
    handlers.done = ngx_torii_kubernetes_done;
    handlers.data = call;

    if (ngx_torii_api_send(k->api, req, &handlers) != NGX_OK) {

        ngx_memzero(&answer, sizeof(ingress_api_answer_t));
        answer.error = "the request could not be made";

        (void) ngx_torii_kubernetes_head(call, &answer);
    }
}


static ngx_int_t
ngx_torii_kubernetes_head(void *data, const ingress_api_answer_t *answer)
{
    ngx_torii_kubernetes_call_t *call = data;

    int                      rc;
    uint64_t                 now;
    ngx_torii_kubernetes_t  *k;

    k = call->kubernetes;
    now = ngx_torii_kubernetes_ms();

    rc = ingress_cluster_head(k->cluster, now, call->id, answer);

    if (rc == TORII_OK && answer->status == 0) {
        ingress_cluster_end(k->cluster, now, call->id, answer->error);
    }

    ngx_post_event(&k->pump, &ngx_posted_events);

    if (rc != TORII_OK || answer->status == 0) {
        free(call);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_torii_kubernetes_body(void *data, torii_str_t bytes)
{
    ngx_torii_kubernetes_call_t *call = data;

    ngx_torii_kubernetes_t  *k;

    k = call->kubernetes;

    ngx_post_event(&k->pump, &ngx_posted_events);

    if (ingress_cluster_body(k->cluster, ngx_torii_kubernetes_ms(), call->id,
                             bytes)
        != TORII_OK)
    {
        free(call);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_torii_kubernetes_done(void *data, const char *error)
{
    ngx_torii_kubernetes_call_t *call = data;

    ngx_torii_kubernetes_t  *k;

    k = call->kubernetes;

    ingress_cluster_end(k->cluster, ngx_torii_kubernetes_ms(), call->id,
                        error);

    ngx_post_event(&k->pump, &ngx_posted_events);

    free(call);
}


/* At the end of the turn: what came in one read goes into one table. */

static void
ngx_torii_kubernetes_heard(ngx_torii_kubernetes_t *k)
{
    ngx_torii_helper_t  *h;

    h = k->helper;

    if (ingress_cluster_changed(k->cluster)) {
        ngx_torii_pipeline_changed(h, ngx_torii_publish_us());
    }

    if (!h->complete && ingress_cluster_complete(k->cluster)) {
        ngx_log_error(NGX_LOG_NOTICE, h->log, 0,
                      "torii: the cluster's objects are known");
        ngx_torii_pipeline_complete(h);
    }

    if (h->acme) {
        ngx_torii_acme_cluster_heard(h->acme);
    }

    ngx_torii_pipeline_publish(h);
    ngx_torii_kubernetes_report(h);
}


ngx_uint_t
ngx_torii_kubernetes_settled(ngx_torii_helper_t *h)
{
    ngx_torii_kubernetes_t  *k;

    k = h->feed;

    return ingress_cluster_settled(k->cluster);
}


ngx_int_t
ngx_torii_kubernetes_secret(ngx_torii_helper_t *h, torii_str_t namespace,
    torii_str_t name)
{
    int                      rc;
    ngx_torii_kubernetes_t  *k;

    k = h->feed;

    rc = ingress_cluster_secret(k->cluster, ngx_torii_kubernetes_ms(),
                                namespace, name);

    return rc == TORII_OK ? NGX_OK : rc == TORII_AGAIN ? NGX_AGAIN
                                                       : NGX_DECLINED;
}


static void
ngx_torii_kubernetes_report(ngx_torii_helper_t *h)
{
    uint32_t                 i, n;
    ngx_uint_t               fresh;
    ngx_torii_control_t     *control;
    ngx_torii_kubernetes_t  *k;
    ingress_cluster_kind_t   kinds[NGX_TORII_CONTROL_KINDS];

    k = h->feed;
    control = h->pub.control;

    n = ingress_cluster_kinds(k->cluster, kinds, NGX_TORII_CONTROL_KINDS);
    fresh = h->complete;

    for (i = 0; i < n; i++) {

        if (kinds[i].state == INGRESS_WATCH_STALE
            || kinds[i].state == INGRESS_WATCH_NEVER)
        {
            fresh = 0;
        }

        ngx_torii_kubernetes_row(&control->kinds[i], &kinds[i]);
        ngx_torii_kubernetes_tell(k, i, &kinds[i]);
    }

    control->nkinds = n;

    if (fresh) {
        control->synced = ngx_torii_publish_ms();
    }

    ngx_cpystrn((u_char *) control->error,
                (u_char *) ngx_torii_api_error(k->api), sizeof(control->error));

    if (k->writer) {
        ngx_torii_writer_report(k->writer);

    } else {
        control->leader = NGX_TORII_LEADER_NONE;
    }
}


static void
ngx_torii_kubernetes_row(ngx_torii_control_kind_t *row,
    const ingress_cluster_kind_t *kind)
{
    ngx_cpystrn((u_char *) row->resource, (u_char *) kind->resource,
                sizeof(row->resource));

    row->state = kind->state;
    row->objects = kind->objects;
    row->stale = kind->since;

    ngx_cpystrn((u_char *) row->error,
                (u_char *) (kind->error ? kind->error : ""),
                sizeof(row->error));
}


/* Each trouble once, and its end. */

static void
ngx_torii_kubernetes_tell(ngx_torii_kubernetes_t *k, ngx_uint_t i,
    const ingress_cluster_kind_t *kind)
{
    uint64_t    hash;
    ngx_log_t  *log;

    log = k->helper->log;
    hash = ngx_torii_kubernetes_hash(kind);

    if (hash == k->said[i]) {
        return;
    }

    if (hash == 0) {

        if (kind->state == INGRESS_WATCH_COMPLETE) {
            ngx_log_error(NGX_LOG_NOTICE, log, 0,
                          "torii: %s are up to date again", kind->resource);
            k->said[i] = 0;
        }

        return;
    }

    k->said[i] = hash;

    ngx_log_error(NGX_LOG_WARN, log, 0, "torii: %s %s: %s", kind->resource,
                  kind->state == INGRESS_WATCH_STALE
                  ? "may be stale" : "are not known", kind->error);
}


/* 0: all is well.  Times and ports in a text do not make it a new one. */

static uint64_t
ngx_torii_kubernetes_hash(const ingress_cluster_kind_t *kind)
{
    uint64_t     hash;
    const char  *p, *q;

    if (kind->error == NULL || kind->error[0] == '\0'
        || kind->state == INGRESS_WATCH_COMPLETE)
    {
        return 0;
    }

    hash = torii_hash(kind->resource, strlen(kind->resource), kind->state);

    for (p = kind->error; *p; p = q) {

        q = p + strcspn(p, "0123456789");
        hash = torii_hash(p, q - p, hash);
        q += strspn(q, "0123456789");
    }

    return hash ? hash : 1;
}


static uint64_t
ngx_torii_kubernetes_ms(void)
{
    return ngx_torii_publish_us() / 1000;
}
