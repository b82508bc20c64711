
/*
 * Certificates in a cluster: who asks for them, and where state is kept.  The
 * machine exists while this instance leads, while its state could be read, and
 * while cert-manager is not at work (two of them would fight over each Secret).
 */

#include "ngx_torii_acme_cluster.h"


#define NGX_TORII_CLUSTER_RIVAL    "kube-system/cert-manager-controller"
#define NGX_TORII_CLUSTER_LOOK     15000     /* ms between two looks at it */
#define NGX_TORII_CLUSTER_AGAIN    2000      /* ms, after no answer */


static ngx_int_t ngx_torii_cluster_create(ngx_torii_acme_t *a);
static ngx_int_t ngx_torii_cluster_ready(ngx_torii_acme_t *a);

static void ngx_torii_cluster_wake_handler(ngx_event_t *ev);
static void ngx_torii_cluster_update(ngx_torii_cluster_t *c);
static ngx_uint_t ngx_torii_cluster_alone(ngx_torii_cluster_t *c);
static void ngx_torii_cluster_hold(ngx_torii_cluster_t *c);

static void ngx_torii_cluster_look(ngx_torii_cluster_t *c);
static void ngx_torii_cluster_looked(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);


const ngx_torii_keeper_t  ngx_torii_acme_cluster = {
    ngx_torii_cluster_create,
    ngx_torii_cluster_ready,
    ngx_torii_cluster_load,
    ngx_torii_cluster_save,
    ngx_torii_cluster_account,
    ngx_torii_cluster_certificate,
    ngx_torii_cluster_challenges,
    ngx_torii_cluster_wanted,
    ngx_torii_cluster_have
};


static ngx_int_t
ngx_torii_cluster_create(ngx_torii_acme_t *a)
{
    ngx_torii_cluster_t  *c;

    c = ngx_pcalloc(a->helper->pool, sizeof(ngx_torii_cluster_t));
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->acme = a;
    a->keeping = c;

    ngx_queue_init(&c->files);
    ngx_torii_copies_init(c);
    ngx_torii_spread_init(c);

    ngx_torii_helper_event(a->helper, &c->wake,
                           ngx_torii_cluster_wake_handler);
    c->wake.data = &a->dummy;

    return NGX_OK;
}


/* Whose namespace this is, is known once the configuration could be read. */

void
ngx_torii_acme_cluster_api(ngx_torii_acme_t *a, ngx_torii_api_t *api)
{
    ngx_str_t             s;
    torii_str_t           namespace;
    ngx_torii_cluster_t  *c;

    c = a->keeping;

    if (c->api) {
        return;
    }

    namespace = ngx_torii_api_namespace(api);

    s.len = namespace.len + sizeof("/" NGX_TORII_CLUSTER_CHALLENGES);
    s.data = ngx_pnalloc(a->helper->pool, s.len);
    if (s.data == NULL) {
        return;
    }

    c->challenges.data = s.data;
    c->challenges.len = ngx_sprintf(s.data, "%*s/%s%Z", namespace.len,
                                    namespace.data,
                                    NGX_TORII_CLUSTER_CHALLENGES)
                        - s.data - 1;
    c->namespace.data = s.data;
    c->namespace.len = namespace.len;
    c->api = api;

    a->helper->options.challenges = c->challenges;

    ngx_post_event(&c->wake, &ngx_posted_events);
}


void
ngx_torii_acme_cluster_lead(ngx_torii_acme_t *a, ngx_uint_t leads)
{
    ngx_torii_cluster_t  *c;

    c = a->keeping;

    if (c->leads != leads) {
        c->leads = leads;
        c->rival = NGX_TORII_RIVAL_UNKNOWN;
        c->due = ngx_current_msec;
        ngx_memzero(&c->lease, sizeof(ingress_rival_t));

        ngx_torii_cluster_update(c);
    }
}


void
ngx_torii_acme_cluster_heard(ngx_torii_acme_t *a)
{
    ngx_torii_cluster_t  *c;

    c = a->keeping;

    if (a->acme == NULL) {
        ngx_torii_spread_read(c);
    }

    if (c->leads && a->acme == NULL) {
        ngx_torii_cluster_update(c);
    }
}


static void
ngx_torii_cluster_wake_handler(ngx_event_t *ev)
{
    ngx_connection_t  *conn;
    ngx_torii_acme_t  *a;

    conn = ev->data;
    a = conn->data;

    ngx_torii_cluster_update(a->keeping);
}


/* From what is known to what is to be done. */

static void
ngx_torii_cluster_update(ngx_torii_cluster_t *c)
{
    ngx_torii_acme_t  *a;

    a = c->acme;

    if (c->api == NULL) {
        return;
    }

    if (!c->leads) {
        if (a->acme || a->n || a->held || c->listed) {
            a->held = NULL;
            ngx_torii_cluster_drop(c);
            ngx_torii_spread_stop(c);
            ngx_torii_acme_stop(a);
            ngx_torii_copies_free(c);
            ngx_torii_spread_read(c);
            ngx_torii_pipeline_publish(a->helper);
        }

        return;
    }

    ngx_torii_cluster_look(c);

    if (!ngx_torii_cluster_alone(c)) {
        ngx_torii_cluster_hold(c);
        return;
    }

    if (a->acme == NULL && !c->listing && a->helper->complete) {

        if ((ngx_msec_int_t) (c->list - ngx_current_msec) > 0) {
            ngx_torii_helper_arm(&c->wake, c->list - ngx_current_msec);
            return;
        }

        ngx_torii_cluster_drop(c);
        c->term++;
        c->listed = torii_arena_create(65536);

        ngx_torii_cluster_list(c, torii_str(""));
    }
}


static ngx_uint_t
ngx_torii_cluster_alone(ngx_torii_cluster_t *c)
{
    return c->rival == NGX_TORII_RIVAL_GONE
           || c->acme->helper->tmcf->acme.takeover;
}


/* What is there is served; orders are gone on with later. */

static void
ngx_torii_cluster_hold(ngx_torii_cluster_t *c)
{
    const char        *held, *text;
    ngx_torii_acme_t  *a;

    a = c->acme;

    switch (c->rival) {

    case NGX_TORII_RIVAL_RUNS:
        held = "CertManagerRuns";
        text = "cert-manager is at work, as its Lease says; scale it down, or "
               "say \"torii_acme takeover\"";
        break;

    case NGX_TORII_RIVAL_DENIED:
        held = "CertManagerUnknown";
        text = "whether cert-manager is at work cannot be seen: its Lease may "
               "not be read; grant that, or say \"torii_acme takeover\"";
        break;

    default:
        return;
    }

    if (a->held && ngx_strcmp(a->held, held) == 0) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, a->log, 0,
                  "torii: no certificates are asked for: %s", text);

    ngx_torii_cluster_drop(c);

    if (a->acme) {
        ngx_torii_spread_stop(c);
        ngx_torii_acme_stop(a);
    }

    a->held = held;
    ngx_cpystrn((u_char *) a->held_text, (u_char *) text,
                sizeof(a->held_text));

    if (a->helper->complete) {
        ngx_torii_acme_look(a);
    }
}


static ngx_int_t
ngx_torii_cluster_ready(ngx_torii_acme_t *a)
{
    ngx_torii_cluster_t  *c;

    c = a->keeping;

    if (!c->leads || (a->acme == NULL && a->held == NULL)) {
        return NGX_DECLINED;
    }

    /* a Secret that is there and not known yet would be issued anew */

    return ngx_torii_kubernetes_settled(a->helper) ? NGX_OK : NGX_AGAIN;
}


static void
ngx_torii_cluster_look(ngx_torii_cluster_t *c)
{
    ngx_str_t              *name;
    torii_str_t             rest, namespace;
    torii_arena_t          *arena;
    ngx_torii_asked_t      *asked;
    ingress_api_request_t   req;

    if (c->acme->helper->tmcf->acme.takeover || c->asking) {
        return;
    }

    if ((ngx_msec_int_t) (c->due - ngx_current_msec) > 0) {
        ngx_torii_helper_arm(&c->wake, c->due - ngx_current_msec);
        return;
    }

    name = &c->acme->helper->tmcf->acme.rival;

    rest.len = name->len;
    rest.data = name->data;

    if (rest.len == 0) {
        rest = torii_str(NGX_TORII_CLUSTER_RIVAL);
    }

    (void) torii_str_next(&rest, "/", &namespace);

    arena = torii_arena_create(512);
    ngx_memzero(&req, sizeof(ingress_api_request_t));

    req.method = "GET";
    req.timeout = NGX_TORII_CLUSTER_TIMEOUT;
    req.path = torii_arena_printf(arena, "/apis/coordination.k8s.io/v1/"
                                  "namespaces/%.*s/leases/%.*s",
                                  torii_str_arg(namespace),
                                  torii_str_arg(rest));

    asked = torii_zalloc(sizeof(ngx_torii_asked_t));
    asked->cluster = c;

    c->asking = 1;

    ngx_torii_api_ask(c->api, &req, ngx_torii_cluster_looked, asked, 0);

    torii_arena_destroy(arena);
}


/* Without an answer what was known holds. */

static void
ngx_torii_cluster_looked(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ngx_torii_asked_t *asked = data;

    int                   rc;
    ngx_msec_t            wait;
    ngx_torii_cluster_t  *c;

    c = asked->cluster;
    free(asked);

    c->asking = 0;
    wait = NGX_TORII_CLUSTER_LOOK;

    if (answer->error == NULL && answer->status == 200) {
        rc = ingress_rival_runs(&c->lease, ngx_torii_publish_us() / 1000,
                                ngx_torii_publish_ms() / 1000, body);

        if (rc != TORII_ERROR) {
            c->rival = rc ? NGX_TORII_RIVAL_RUNS : NGX_TORII_RIVAL_GONE;

        } else {
            wait = NGX_TORII_CLUSTER_AGAIN;
        }

    } else if (answer->error == NULL && answer->status == 404) {
        c->rival = NGX_TORII_RIVAL_GONE;

    } else if (answer->error == NULL && answer->status == 403) {
        c->rival = NGX_TORII_RIVAL_DENIED;

    } else {
        wait = NGX_TORII_CLUSTER_AGAIN;
    }

    c->due = ngx_current_msec + wait;
    ngx_torii_helper_arm(&c->wake, wait);

    if (c->rival == NGX_TORII_RIVAL_GONE && c->acme->held) {
        ngx_log_error(NGX_LOG_NOTICE, c->acme->log, 0,
                      "torii: cert-manager is gone, certificates are asked "
                      "for");
    }

    /* not inside a call that may have been made by what is updated */

    ngx_post_event(&c->wake, &ngx_posted_next_events);
}
