
/*
 * Certificates in a cluster: who asks for them, and where state is kept.  The
 * machine exists while this instance leads, while its state could be read, and
 * while cert-manager is not at work (two of them would fight over each Secret).
 */

#include "ngx_torii_acme_cluster.h"


#define NGX_TORII_CLUSTER_RIVAL    "kube-system/cert-manager-controller"
#define NGX_TORII_CLUSTER_LOOK     15000     /* ms between two looks at it */
#define NGX_TORII_CLUSTER_AGAIN    2000      /* ms, after no answer */
#define NGX_TORII_CLUSTER_READ     30000     /* ms, of a page of the list */
#define NGX_TORII_CLUSTER_PAGE     100


/* A file of the state, as it was listed. */

typedef struct {
    ngx_queue_t              queue;
    torii_str_t              name;
    torii_str_t              data;
} ngx_torii_listed_t;

/* A question, of one term. */

typedef struct {
    ngx_torii_cluster_t     *cluster;
    uint32_t                 term;
} ngx_torii_asked_t;


static ngx_int_t ngx_torii_cluster_create(ngx_torii_acme_t *a);
static ngx_int_t ngx_torii_cluster_ready(ngx_torii_acme_t *a);
static void ngx_torii_cluster_load(ngx_torii_acme_t *a);
static ngx_int_t ngx_torii_cluster_save(ngx_torii_acme_t *a,
    const acme_action_t *action);
static void ngx_torii_cluster_forget(ngx_torii_cluster_t *c,
    torii_str_t name);
static void ngx_torii_cluster_saved(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);
static ngx_int_t ngx_torii_cluster_account(ngx_torii_acme_t *a,
    const acme_action_t *action);
static ngx_int_t ngx_torii_cluster_pem(torii_buf_t *b, torii_str_t pem);

static void ngx_torii_cluster_wake_handler(ngx_event_t *ev);
static void ngx_torii_cluster_update(ngx_torii_cluster_t *c);
static ngx_uint_t ngx_torii_cluster_alone(ngx_torii_cluster_t *c);
static void ngx_torii_cluster_hold(ngx_torii_cluster_t *c);

static void ngx_torii_cluster_look(ngx_torii_cluster_t *c);
static void ngx_torii_cluster_looked(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);

static void ngx_torii_cluster_list(ngx_torii_cluster_t *c, torii_str_t token);
static void ngx_torii_cluster_page(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);
static ngx_int_t ngx_torii_cluster_items(ngx_torii_cluster_t *c,
    const torii_node_t *list);
static torii_str_t ngx_torii_cluster_text(const torii_node_t *map,
    const char *key);
static void ngx_torii_cluster_drop(ngx_torii_cluster_t *c);


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

static const torii_tree_limits_t  ngx_torii_cluster_limits = {
    4 * 1024 * 1024, 200000, 32
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


static void
ngx_torii_cluster_list(ngx_torii_cluster_t *c, torii_str_t token)
{
    size_t                  i;
    u_char                  ch;
    torii_buf_t             path;
    ngx_torii_asked_t      *asked;
    ingress_api_request_t   req;

    ngx_memzero(&path, sizeof(torii_buf_t));
    ngx_memzero(&req, sizeof(ingress_api_request_t));

    torii_buf_printf(&path, "/api/v1/namespaces/%.*s/secrets?labelSelector="
                     "torii%%2Facme%%3Dstate&limit=%d",
                     torii_str_arg(c->namespace), NGX_TORII_CLUSTER_PAGE);

    if (token.len) {
        torii_buf_adds(&path, "&continue=");
    }

    for (i = 0; i < token.len; i++) {
        ch = token.data[i];

        if ((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z')
            || (ch >= 'A' && ch <= 'Z') || ch == '-' || ch == '_')
        {
            torii_buf_add(&path, &ch, 1);

        } else {
            torii_buf_printf(&path, "%%%02X", ch);
        }
    }

    *torii_buf_room(&path, 1) = '\0';

    req.method = "GET";
    req.timeout = NGX_TORII_CLUSTER_READ;
    req.path.data = path.data;
    req.path.len = path.len;

    asked = torii_zalloc(sizeof(ngx_torii_asked_t));
    asked->cluster = c;
    asked->term = c->term;

    c->listing = 1;

    ngx_torii_api_ask(c->api, &req, ngx_torii_cluster_page, asked, 0);

    torii_buf_free(&path);
}


static void
ngx_torii_cluster_page(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ngx_torii_asked_t *asked = data;

    uint32_t              term;
    ngx_int_t             rc;
    torii_str_t           token;
    torii_node_t         *doc;
    torii_arena_t        *arena;
    torii_tree_error_t    error;
    ngx_torii_cluster_t  *c;

    c = asked->cluster;
    term = asked->term;
    free(asked);

    if (term != c->term || c->listed == NULL) {
        return;
    }

    c->listing = 0;
    rc = NGX_ERROR;
    token = torii_str("");
    arena = torii_arena_create(65536);

    if (answer->error == NULL && answer->status == 200
        && torii_tree_json(arena, body, &ngx_torii_cluster_limits, &doc,
                           &error)
           == TORII_OK)
    {
        rc = ngx_torii_cluster_items(c, doc);
        token = ngx_torii_cluster_text(torii_node_get(doc, "metadata"),
                                       "continue");
    }

    if (rc != NGX_OK) {
        c->failures = ngx_min(c->failures + 1, 5);
        c->list = ngx_current_msec + (500 << c->failures);

        ngx_log_error(NGX_LOG_ERR, c->acme->log, 0,
                      "torii: the state of certificates cannot be read: "
                      "status %uD%s%s; none is asked for until it is",
                      answer->status, answer->error ? ", " : "",
                      answer->error ? answer->error : "");

        ngx_torii_cluster_drop(c);
        ngx_torii_helper_arm(&c->wake, 500 << c->failures);

    } else if (token.len) {
        ngx_torii_cluster_list(c, token);

    } else {
        c->failures = 0;
        ngx_torii_acme_start(c->acme);
        ngx_torii_cluster_drop(c);
        ngx_torii_acme_look(c->acme);
    }

    torii_arena_destroy(arena);
}


static ngx_int_t
ngx_torii_cluster_items(ngx_torii_cluster_t *c, const torii_node_t *list)
{
    uint32_t             i;
    torii_str_t          name, state, own;
    const torii_node_t  *items, *item, *data;
    ngx_torii_listed_t  *file;

    items = torii_node_get(list, "items");

    if (items == NULL || items->type == TORII_NODE_NULL) {
        return torii_str_eqs(ngx_torii_cluster_text(list, "kind"),
                             "SecretList") ? NGX_OK : NGX_ERROR;
    }

    if (items->type != TORII_NODE_LIST) {
        return NGX_ERROR;
    }

    for (i = 0; i < items->n; i++) {
        item = items->items[i];
        data = torii_node_get(item, "data");
        own = ngx_torii_cluster_text(torii_node_get(item, "metadata"),
                                     "name");

        if (!torii_str_eqs(ngx_torii_cluster_text(item, "type"),
                           NGX_TORII_CLUSTER_TYPE)
            || torii_base64_decode(c->listed,
                                   ngx_torii_cluster_text(data, "name"),
                                   &name)
               != TORII_OK
            || torii_base64_decode(c->listed,
                                   ngx_torii_cluster_text(data, "state"),
                                   &state)
               != TORII_OK
            || !torii_str_eq(own, ngx_torii_write_name(c->listed, name)))
        {
            ngx_log_error(NGX_LOG_WARN, c->acme->log, 0,
                          "torii: Secret \"%*s\" has the label of a state of "
                          "certificates and is none, it is passed over",
                          own.len, own.data);
            continue;
        }

        file = torii_arena_alloc(c->listed, sizeof(ngx_torii_listed_t));
        file->name = name;
        file->data = state;
        ngx_queue_insert_tail(&c->files, &file->queue);
    }

    return NGX_OK;
}


static torii_str_t
ngx_torii_cluster_text(const torii_node_t *map, const char *key)
{
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    return node && node->type == TORII_NODE_STRING ? node->text
                                                   : torii_str("");
}


static void
ngx_torii_cluster_load(ngx_torii_acme_t *a)
{
    size_t                len;
    torii_str_t           name;
    ngx_queue_t          *q;
    ngx_torii_listed_t   *file;
    ngx_torii_cluster_t  *c;

    c = a->keeping;
    len = sizeof(NGX_TORII_CLUSTER_COPIES) - 1;

    for (q = ngx_queue_head(&c->files);
         q != ngx_queue_sentinel(&c->files);
         q = ngx_queue_next(q))
    {
        file = ngx_queue_data(q, ngx_torii_listed_t, queue);
        name = file->name;

        if (torii_str_starts(name, NGX_TORII_CLUSTER_COPIES)) {
            name.data += len;
            name.len -= len;
            ngx_torii_copy_load(c, name, file->data);

        } else {
            acme_load(a->acme, name, file->data);
        }
    }

    ngx_torii_spread_inherit(c);
}


/* Of the list; an answer that is still under way is of another term. */

static void
ngx_torii_cluster_drop(ngx_torii_cluster_t *c)
{
    ngx_queue_t         *q;
    ngx_torii_listed_t  *file;

    c->term++;
    c->listing = 0;

    /* keys are in it */

    for (q = ngx_queue_head(&c->files);
         q != ngx_queue_sentinel(&c->files);
         q = ngx_queue_next(q))
    {
        file = ngx_queue_data(q, ngx_torii_listed_t, queue);
        ngx_explicit_memzero(file->data.data, file->data.len);
    }

    ngx_queue_init(&c->files);

    torii_arena_destroy(c->listed);
    c->listed = NULL;
}


static ngx_int_t
ngx_torii_cluster_save(ngx_torii_acme_t *a, const acme_action_t *action)
{
    ngx_torii_write_t    *w;
    ngx_torii_cluster_t  *c;

    c = a->keeping;

    w = ngx_torii_write_create(c, action->ticket, "state", action->name);

    if (action->data.len == 0) {
        ngx_torii_cluster_forget(c, action->name);
    }

    ngx_torii_write_state(w, action->name, action->data,
                          ngx_torii_cluster_saved);

    return NGX_AGAIN;
}


/* "certs/namespace/secret.json" takes its certificate's copy along. */

static void
ngx_torii_cluster_forget(ngx_torii_cluster_t *c, torii_str_t name)
{
    torii_str_t         copy;
    ngx_torii_write_t  *w;

    if (!torii_str_starts(name, "certs/") || name.len <= 11) {
        return;
    }

    name.data += 6;
    name.len -= 11;

    if (!ngx_torii_copy_forget(c, name)) {
        return;
    }

    w = ngx_torii_write_create(c, 0, "copy", name);
    w->restore = 1;

    copy = torii_arena_printf(w->arena, NGX_TORII_CLUSTER_COPIES "%.*s",
                              torii_str_arg(name));

    ngx_torii_write_state(w, copy, torii_str(""), ngx_torii_cluster_saved);
}


static void
ngx_torii_cluster_saved(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ngx_torii_write_t *w = data;

    ngx_torii_write_done(w, ngx_torii_write_ok(w, answer, body));
}


/*
 * Made if there is none: of two who make one, the second goes on with what the
 * first made, which the watch brings.  One that is there is replaced only
 * because the machine, which was told of it, wants another (a rollover).
 */

static ngx_int_t
ngx_torii_cluster_account(ngx_torii_acme_t *a, const acme_action_t *action)
{
    torii_buf_t            body, pem;
    torii_str_t            namespace, there, s;
    ngx_torii_write_t     *w;
    ngx_torii_cluster_t   *c;
    ingress_secret_ref_t   ref;

    c = a->keeping;

    if (ngx_torii_issuer_place(a, action->issuer, &namespace, &ref, &there)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memzero(&body, sizeof(torii_buf_t));
    ngx_memzero(&pem, sizeof(torii_buf_t));

    if (ngx_torii_cluster_pem(&pem, action->data) != NGX_OK) {
        return NGX_ERROR;
    }

    w = ngx_torii_write_create(c, action->ticket, "account's key", ref.name);

    torii_buf_adds(&body, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\","
                   "\"metadata\":{\"name\":");
    torii_buf_add_json(&body, ref.name);
    torii_buf_adds(&body, ",\"namespace\":");
    torii_buf_add_json(&body, namespace);
    torii_buf_adds(&body, "},\"data\":{");
    torii_buf_add_json(&body, ref.key);
    torii_buf_adds(&body, ":");

    s.data = pem.data;
    s.len = pem.len;
    ngx_torii_write_base64(&body, s);
    torii_buf_adds(&body, "}}");

    s.data = body.data;
    s.len = body.len;

    ngx_torii_write_apply(w, namespace, there.len ? ref.name : torii_str(""),
                          s, ngx_torii_cluster_saved);

    ngx_explicit_memzero(pem.data, pem.size);
    ngx_explicit_memzero(body.data, body.size);
    torii_buf_free(&pem);
    torii_buf_free(&body);

    return NGX_AGAIN;
}


/* PKCS#1, as cert-manager reads it. */

static ngx_int_t
ngx_torii_cluster_pem(torii_buf_t *b, torii_str_t pem)
{
    int        rc;
    EVP_PKEY  *key;

    key = torii_key_read(pem);

    if (key == NULL) {
        return NGX_ERROR;
    }

    rc = torii_key_write(key, 1, b);

    EVP_PKEY_free(key);

    return rc == TORII_OK ? NGX_OK : NGX_ERROR;
}
