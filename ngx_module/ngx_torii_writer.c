
/*
 * What goes to the cluster: the Lease by which one of several gateways becomes
 * the leader, and, from the leader, the status of Ingresses and Events about
 * what is wrong with them.
 *
 * nginx ends a helper by exit(), in order and with no hook for modules: the
 * Lease is given back from atexit(), so that the next leader need not wait
 * until it expires.
 */

#include "ngx_torii_kubernetes.h"
#include "ngx_torii_acme.h"
#include "ngx_torii_dnssync.h"
#include "ingress_event.h"
#include "ingress_lease.h"
#include "ingress_status.h"

#include <openssl/rand.h>


#define NGX_TORII_WRITER_NAME       "torii"
#define NGX_TORII_WRITER_WAIT       1000     /* ms between two looks, at most */
#define NGX_TORII_WRITER_FAREWELL   1000     /* ms; nginx kills after 1.5 s */
#define NGX_TORII_WRITER_ADDRESSES  64


struct ngx_torii_writer_s {
    ngx_torii_helper_t   *helper;
    ngx_torii_api_t      *api;
    torii_str_t           namespace;         /* of the Lease */
    torii_str_t           name;
    torii_str_t           identity;

    ingress_lease_t      *lease;
    ingress_status_t     *status;            /* NULL: nothing to publish */
    ingress_events_t     *events;
    ngx_torii_address_t  *addresses;

    ngx_event_t           pump;
    ngx_connection_t      dummy;             /* what pump.data points to */
    unsigned              leads:1;
    char                  said[3][256];      /* to the log, of each machine */
};


static ngx_int_t ngx_torii_writer_names(ngx_torii_writer_t *w);
static ngx_int_t ngx_torii_writer_machines(ngx_torii_writer_t *w);
static void ngx_torii_writer_moved(void *data);
static void ngx_torii_writer_pump_handler(ngx_event_t *ev);
static void ngx_torii_writer_elect(ngx_torii_writer_t *w, uint64_t now,
    uint32_t *least);
static void ngx_torii_writer_write(ngx_torii_writer_t *w, uint64_t now,
    uint32_t *least);
static void ngx_torii_writer_lease_answer(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);
static void ngx_torii_writer_status_answer(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);
static void ngx_torii_writer_events_answer(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);
static void ngx_torii_writer_lead(ngx_torii_writer_t *w, uint64_t now);
static void ngx_torii_writer_complain(ngx_torii_writer_t *w, ngx_uint_t i,
    char *what, const char *error, ngx_uint_t well);
static void ngx_torii_writer_goodbye(void);
static uint64_t ngx_torii_writer_ms(void);
static uint64_t ngx_torii_writer_wall(void);


/* for atexit(), which takes no argument: set in the helper process alone */
static ngx_torii_writer_t  *ngx_torii_writer_last;


ngx_uint_t
ngx_torii_writer_off(ngx_torii_helper_t *h)
{
    ngx_str_t  *leader;

    leader = &h->tmcf->kubernetes.leader;

    return leader->len == 3 && ngx_strncmp(leader->data, "off", 3) == 0;
}


ngx_torii_writer_t *
ngx_torii_writer_create(ngx_torii_helper_t *h, ngx_torii_api_t *api)
{
    ngx_torii_writer_t  *w;

    if (ngx_torii_writer_off(h)) {
        return NULL;
    }

    w = ngx_pcalloc(h->pool, sizeof(ngx_torii_writer_t));
    if (w == NULL) {
        return NULL;
    }

    w->helper = h;
    w->api = api;

    if (ngx_torii_writer_names(w) != NGX_OK
        || ngx_torii_writer_machines(w) != NGX_OK)
    {
        return NULL;
    }

    w->dummy.fd = (ngx_socket_t) -1;
    w->dummy.data = w;

    ngx_torii_helper_event(h, &w->pump, ngx_torii_writer_pump_handler);
    w->pump.data = &w->dummy;

    ngx_post_event(&w->pump, &ngx_posted_events);

    if (ngx_process == NGX_PROCESS_HELPER) {
        ngx_torii_writer_last = w;
        (void) atexit(ngx_torii_writer_goodbye);
    }

    return w;
}


/* The Lease is "torii" in the pod's namespace, unless configured. */

static ngx_int_t
ngx_torii_writer_names(ngx_torii_writer_t *w)
{
    u_char                       *p;
    ngx_str_t                    *instance;
    torii_str_t                   leader, namespace;
    uint64_t                      n;
    ngx_http_torii_kubernetes_t  *k;

    k = &w->helper->tmcf->kubernetes;

    leader.len = k->leader.len;
    leader.data = k->leader.data;

    if (leader.len) {
        (void) torii_str_next(&leader, "/", &w->namespace);
        w->name = leader;

    } else {
        namespace = ngx_torii_api_namespace(w->api);

        p = ngx_pnalloc(w->helper->pool, namespace.len + 1);
        if (p == NULL) {
            return NGX_ERROR;
        }

        w->namespace.len = namespace.len;
        w->namespace.data = p;
        ngx_memcpy(p, namespace.data, namespace.len);

        w->name = torii_str(NGX_TORII_WRITER_NAME);
    }

    /* a pod's name may come again, with another process behind it */

    if (RAND_bytes((u_char *) &n, sizeof(n)) != 1) {
        n = ngx_torii_publish_us();
    }

    instance = k->pod_name.len ? &k->pod_name
                               : (ngx_str_t *) &ngx_cycle->hostname;

    p = ngx_pnalloc(w->helper->pool, instance->len + 17);
    if (p == NULL) {
        return NGX_ERROR;
    }

    w->identity.data = p;
    w->identity.len = ngx_sprintf(p, "%V_%016xL", instance, n) - p;

    return NGX_OK;
}


static ngx_int_t
ngx_torii_writer_machines(ngx_torii_writer_t *w)
{
    uint64_t                      seed;
    torii_str_t                   instance;
    ngx_torii_helper_t           *h;
    ngx_http_torii_kubernetes_t  *k;

    h = w->helper;
    k = &h->tmcf->kubernetes;

    seed = torii_hash(w->identity.data, w->identity.len,
                      ngx_torii_publish_us());

    instance.len = w->identity.len - 17;
    instance.data = w->identity.data;

    w->lease = ingress_lease_create(w->namespace, w->name, w->identity, seed);
    w->events = ingress_events_create(h->store, instance, seed);

    if (k->publish == NGX_HTTP_TORII_PUBLISH_NONE) {
        return NGX_OK;
    }

    w->addresses = ngx_torii_address_create(h, w->api,
                                            ngx_torii_writer_moved, w);
    if (w->addresses == NULL) {
        return NGX_ERROR;
    }

    w->status = ingress_status_create(h->store, seed);

    return NGX_OK;
}


void
ngx_torii_writer_compiled(ngx_torii_writer_t *w, ingress_findings_t *findings)
{
    ingress_events_findings(w->events, ngx_torii_writer_ms(),
                            findings->first);

    if (w->leads) {
        ngx_post_event(&w->pump, &ngx_posted_events);
    }
}


/* The gateway may have other addresses now. */

static void
ngx_torii_writer_moved(void *data)
{
    ngx_torii_writer_t *w = data;

    ngx_post_event(&w->pump, &ngx_posted_events);
}


static void
ngx_torii_writer_pump_handler(ngx_event_t *ev)
{
    uint32_t             least;
    uint64_t             now;
    ngx_connection_t    *c;
    ngx_torii_writer_t  *w;

    c = ev->data;
    w = c->data;

    now = ngx_torii_writer_ms();
    least = NGX_TORII_WRITER_WAIT;

    ngx_torii_writer_elect(w, now, &least);
    ngx_torii_writer_lead(w, now);
    ngx_torii_writer_complain(w, 0, "leader election",
                              ingress_lease_error(w->lease),
                              ingress_lease_holder(w->lease).len);

    /* before all objects are known, nothing is known of what differs */

    if (w->leads && w->helper->complete) {
        ngx_torii_writer_write(w, now, &least);
    }

    ngx_torii_helper_arm(&w->pump, ngx_max(least, 1));
}


static void
ngx_torii_writer_elect(ngx_torii_writer_t *w, uint64_t now, uint32_t *least)
{
    uint32_t               wait;
    ingress_api_request_t  req;

    while (ingress_lease_next(w->lease, now, ngx_torii_writer_wall(), &req,
                              &wait)
           == TORII_OK)
    {
        ngx_torii_api_ask(w->api, &req, ngx_torii_writer_lease_answer, w, 0);
    }

    *least = ngx_min(*least, wait);
}


static void
ngx_torii_writer_write(ngx_torii_writer_t *w, uint64_t now, uint32_t *least)
{
    uint32_t               id, wait;
    ngx_uint_t             n;
    ingress_address_t      addresses[NGX_TORII_WRITER_ADDRESSES];
    ingress_api_request_t  req;

    if (w->status) {
        n = ngx_torii_address_get(w->addresses, now, addresses,
                                  NGX_TORII_WRITER_ADDRESSES, &wait);
        *least = ngx_min(*least, wait);

        ingress_status_addresses(w->status, addresses, n);

        while (ingress_status_next(w->status, now, &req, &id, &wait)
               == TORII_OK)
        {
            ngx_torii_api_ask(w->api, &req, ngx_torii_writer_status_answer, w,
                              id);
        }

        *least = ngx_min(*least, wait);

        ngx_torii_writer_complain(w, 1, "status of Ingresses",
                                  ingress_status_error(w->status), 1);
    }

    while (ingress_events_next(w->events, now, ngx_torii_writer_wall(), &req,
                               &wait)
           == TORII_OK)
    {
        ngx_torii_api_ask(w->api, &req, ngx_torii_writer_events_answer, w, 0);
    }

    *least = ngx_min(*least, wait);

    ngx_torii_writer_complain(w, 2, "Events",
                              ingress_events_error(w->events), 1);
}


static void
ngx_torii_writer_lease_answer(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ngx_torii_writer_t *w = data;

    ingress_lease_answer(w->lease, ngx_torii_writer_ms(), answer, body);

    ngx_post_event(&w->pump, &ngx_posted_events);
}


static void
ngx_torii_writer_status_answer(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ngx_torii_writer_t *w = data;

    ingress_status_answer(w->status, ngx_torii_writer_ms(), id, answer, body);

    ngx_post_event(&w->pump, &ngx_posted_events);
}


static void
ngx_torii_writer_events_answer(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ngx_torii_writer_t *w = data;

    ingress_events_answer(w->events, ngx_torii_writer_ms(), answer, body);

    ngx_post_event(&w->pump, &ngx_posted_events);
}


static void
ngx_torii_writer_lead(ngx_torii_writer_t *w, uint64_t now)
{
    ngx_uint_t  leads;

    leads = ingress_lease_leads(w->lease, now);

    if (leads != w->leads) {
        w->leads = leads;

        ngx_log_error(NGX_LOG_NOTICE, w->helper->log, 0,
                      "torii: this instance, \"%*s\", %s", w->identity.len,
                      w->identity.data,
                      leads ? "is the leader" : "leads no longer");

        if (w->helper->acme) {
            ngx_torii_acme_cluster_lead(w->helper->acme, leads);
        }

        if (w->helper->dnssync) {
            ngx_torii_dnssync_lead(w->helper->dnssync, leads,
                                   ingress_lease_uid(w->lease));
        }
    }
}


/* Each trouble once, until all is well: between two tries none is known. */

static void
ngx_torii_writer_complain(ngx_torii_writer_t *w, ngx_uint_t i, char *what,
    const char *error, ngx_uint_t well)
{
    if (error[0] == '\0') {
        if (well) {
            w->said[i][0] = '\0';
        }

        return;
    }

    if (ngx_strncmp(w->said[i], error, sizeof(w->said[i]) - 1) == 0) {
        return;
    }

    ngx_cpystrn((u_char *) w->said[i], (u_char *) error, sizeof(w->said[i]));

    ngx_log_error(NGX_LOG_WARN, w->helper->log, 0, "torii: %s: %s", what,
                  error);
}


void
ngx_torii_writer_report(ngx_torii_writer_t *w)
{
    torii_str_t           holder;
    ngx_torii_control_t  *control;

    control = w->helper->pub.control;
    holder = ingress_lease_holder(w->lease);

    control->leader = w->leads ? NGX_TORII_LEADER_SELF
                               : NGX_TORII_LEADER_OTHER;

    (void) snprintf(control->lease, sizeof(control->lease), "%.*s/%.*s",
                    torii_str_arg(w->namespace), torii_str_arg(w->name));
    (void) snprintf(control->holder, sizeof(control->holder), "%.*s",
                    torii_str_arg(holder));
}


static void
ngx_torii_writer_goodbye(void)
{
    ngx_torii_writer_t     *w;
    ingress_api_request_t   req;

    w = ngx_torii_writer_last;

    w->helper->pub.control->leader = NGX_TORII_LEADER_OTHER;

    /* the next leader must not be overtaken by what is still under way */

    if (w->status && ingress_status_busy(w->status)) {
        return;
    }

    if (ingress_lease_release(w->lease, ngx_torii_writer_ms(),
                              ngx_torii_writer_wall(), &req)
        == TORII_OK)
    {
        ngx_torii_api_farewell(w->api, &req, NGX_TORII_WRITER_FAREWELL);
    }
}


static uint64_t
ngx_torii_writer_ms(void)
{
    return ngx_torii_publish_us() / 1000;
}


static uint64_t
ngx_torii_writer_wall(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
