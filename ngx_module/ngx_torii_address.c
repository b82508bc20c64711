
/*
 * The gateway's own addresses, which the status of Ingresses tells: as they
 * are configured, those of a Service, of the node, or of a network interface,
 * or those that servers outside see.
 */

#include "ngx_torii_kubernetes.h"
#include "ngx_torii_interface.h"
#include "ngx_torii_echo.h"
#include "ingress_status.h"
#include "torii_tree.h"


#define NGX_TORII_ADDRESS_MAX        64
#define NGX_TORII_ADDRESS_INTERFACE  60000   /* ms between two looks at what
                                                tells of its changes, … */
#define NGX_TORII_ADDRESS_BLIND      5000    /* … or does not */
#define NGX_TORII_ADDRESS_TIMEOUT    10000
#define NGX_TORII_ADDRESS_NEVER      UINT32_MAX


struct ngx_torii_address_s {
    ngx_torii_helper_t  *helper;
    ngx_torii_api_t     *api;
    ngx_torii_echo_t    *echo;

    ngx_torii_interface_changed_pt   changed;
    void                            *data;
    ngx_torii_interface_watch_t      watch;

    torii_arena_t       *arena;          /* of what was found */
    ingress_address_t    found[NGX_TORII_ADDRESS_MAX];
    ngx_uint_t           nfound;

    torii_str_t          node;           /* its name, when known */
    torii_arena_t       *names;          /* of node */
    ingress_backoff_t    backoff;
    uint64_t             due;            /* not to ask before */
    unsigned             asking:1;
    unsigned             known:1;        /* the node's addresses */
    unsigned             told:1;         /* a failure, in the log */
};


static ngx_uint_t ngx_torii_address_configured(ngx_torii_address_t *a,
    ingress_address_t *addresses, ngx_uint_t max);
static ngx_uint_t ngx_torii_address_service(ngx_torii_address_t *a,
    ingress_address_t *addresses, ngx_uint_t max);
static ngx_uint_t ngx_torii_address_is_ip(ngx_str_t text);
static void ngx_torii_address_interface(ngx_torii_address_t *a);
static void ngx_torii_address_changed(void *data);
static void ngx_torii_address_visit(void *data, int family,
    const u_char *address);
static void ngx_torii_address_ask(ngx_torii_address_t *a, uint64_t now);
static void ngx_torii_address_answer(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);
static const char *ngx_torii_address_parse(ngx_torii_address_t *a,
    const torii_node_t *doc);
static ngx_uint_t ngx_torii_address_collect(ngx_torii_address_t *a,
    const torii_node_t *list, char *type);
static torii_str_t ngx_torii_address_text(const torii_node_t *map,
    const char *key);
static void ngx_torii_address_add(ngx_torii_address_t *a, torii_str_t text);
static void ngx_torii_address_clear(ngx_torii_address_t *a);


static const torii_tree_limits_t  ngx_torii_address_limits = {
    4 * 1024 * 1024, 200000, 32
};


ngx_torii_address_t *
ngx_torii_address_create(ngx_torii_helper_t *h, ngx_torii_api_t *api,
    ngx_torii_interface_changed_pt changed, void *data)
{
    ngx_torii_address_t  *a;

    a = ngx_pcalloc(h->pool, sizeof(ngx_torii_address_t));
    if (a == NULL) {
        return NULL;
    }

    a->helper = h;
    a->api = api;
    a->changed = changed;
    a->data = data;
    a->watch.changed = ngx_torii_address_changed;
    a->watch.data = a;
    a->watch.log = h->log;
    a->names = torii_arena_create(256);
    a->node.len = h->tmcf->kubernetes.node_name.len;
    a->node.data = h->tmcf->kubernetes.node_name.data;

    if (h->tmcf->kubernetes.publish == NGX_HTTP_TORII_PUBLISH_ECHO) {
        a->echo = ngx_torii_echo_create(h, changed, data);

        if (a->echo == NULL) {
            return NULL;
        }
    }

    return a;
}


ngx_uint_t
ngx_torii_address_get(ngx_torii_address_t *a, uint64_t now,
    ingress_address_t *addresses, ngx_uint_t max, uint32_t *wait)
{
    *wait = NGX_TORII_ADDRESS_NEVER;

    switch (a->helper->tmcf->kubernetes.publish) {

    case NGX_HTTP_TORII_PUBLISH_ADDRESSES:
        return ngx_torii_address_configured(a, addresses, max);

    case NGX_HTTP_TORII_PUBLISH_SERVICE:
        return ngx_torii_address_service(a, addresses, max);

    case NGX_HTTP_TORII_PUBLISH_ECHO:
        return ngx_torii_echo_get(a->echo, now, addresses, max, wait);

    case NGX_HTTP_TORII_PUBLISH_INTERFACE:
        if (now >= a->due) {
            a->due = now + (ngx_torii_interface_watch(&a->watch) == NGX_OK
                            ? NGX_TORII_ADDRESS_INTERFACE
                            : NGX_TORII_ADDRESS_BLIND);

            ngx_torii_address_interface(a);
        }

        *wait = a->due - now;
        break;

    case NGX_HTTP_TORII_PUBLISH_NODE:
        if (!a->known && !a->asking && now >= a->due) {
            ngx_torii_address_ask(a, now);
        }

        if (!a->known && !a->asking) {
            *wait = a->due > now ? a->due - now : 1;
        }

        break;

    default:
        return 0;
    }

    max = ngx_min(max, a->nfound);
    ngx_memcpy(addresses, a->found, max * sizeof(ingress_address_t));

    return max;
}


static ngx_uint_t
ngx_torii_address_configured(ngx_torii_address_t *a,
    ingress_address_t *addresses, ngx_uint_t max)
{
    ngx_str_t    *value;
    ngx_uint_t    i, n;
    ngx_array_t  *configured;

    configured = a->helper->tmcf->kubernetes.addresses;
    value = configured->elts;
    n = ngx_min(configured->nelts, max);

    for (i = 0; i < n; i++) {
        addresses[i].address.len = value[i].len;
        addresses[i].address.data = value[i].data;
        addresses[i].hostname = !ngx_torii_address_is_ip(value[i]);
    }

    return n;
}


static ngx_uint_t
ngx_torii_address_is_ip(ngx_str_t text)
{
    struct in6_addr  in6;

    return ngx_inet_addr(text.data, text.len) != INADDR_NONE
           || ngx_inet6_addr(text.data, text.len, (u_char *) &in6) == NGX_OK;
}


static ngx_uint_t
ngx_torii_address_service(ngx_torii_address_t *a,
    ingress_address_t *addresses, ngx_uint_t max)
{
    ngx_str_t         *value;
    torii_str_t        namespace, name;
    ingress_object_t  *o;

    value = &a->helper->tmcf->kubernetes.publish_name;

    name.len = value->len;
    name.data = value->data;

    (void) torii_str_next(&name, "/", &namespace);

    o = ingress_store_get(a->helper->store, INGRESS_KIND_SERVICE, namespace,
                          name);
    if (o == NULL) {
        return 0;
    }

    return ingress_status_service(&o->u.service, addresses, max);
}


static void
ngx_torii_address_interface(ngx_torii_address_t *a)
{
    ngx_int_t             rc;
    ngx_str_t            *name;
    ngx_torii_address_t   found;

    name = &a->helper->tmcf->kubernetes.publish_name;

    ngx_memzero(&found, sizeof(ngx_torii_address_t));
    ngx_torii_address_clear(&found);

    rc = ngx_torii_interface_each((char *) name->data,
                                  ngx_torii_address_visit, &found);

    /* what cannot be seen may be there */

    if (rc == NGX_ERROR) {
        torii_arena_destroy(found.arena);
        return;
    }

    torii_arena_destroy(a->arena);

    a->arena = found.arena;
    a->nfound = found.nfound;
    ngx_memcpy(a->found, found.found, sizeof(a->found));

    if (a->nfound == 0 && !a->told) {
        ngx_log_error(NGX_LOG_WARN, a->helper->log, 0,
                      "torii: interface \"%V\" has no address to publish, "
                      "looking again", name);
    }

    a->told = (a->nfound == 0);
}


static void
ngx_torii_address_changed(void *data)
{
    ngx_torii_address_t *a = data;

    a->due = 0;
    a->changed(a->data);
}


static void
ngx_torii_address_visit(void *data, int family, const u_char *address)
{
    ngx_torii_address_t *a = data;

    char  text[INET6_ADDRSTRLEN];

    if (inet_ntop(family, address, text, sizeof(text))) {
        ngx_torii_address_add(a, torii_str(text));
    }
}


/* The pod tells its node, the node its addresses. */

static void
ngx_torii_address_ask(ngx_torii_address_t *a, uint64_t now)
{
    torii_str_t                   namespace;
    torii_arena_t                *arena;
    ingress_api_request_t         req;
    ngx_http_torii_kubernetes_t  *k;

    k = &a->helper->tmcf->kubernetes;

    ngx_memzero(&req, sizeof(ingress_api_request_t));

    arena = torii_arena_create(512);

    if (a->node.len) {
        req.path = torii_arena_printf(arena, "/api/v1/nodes/%.*s",
                                      torii_str_arg(a->node));

    } else if (k->pod_name.len) {
        namespace = ngx_torii_api_namespace(a->api);

        req.path = torii_arena_printf(arena,
                                      "/api/v1/namespaces/%.*s/pods/%.*s",
                                      torii_str_arg(namespace),
                                      (int) k->pod_name.len,
                                      (char *) k->pod_name.data);
    } else {
        if (!a->told) {
            a->told = 1;
            ngx_log_error(NGX_LOG_ERR, a->helper->log, 0,
                          "torii: \"torii_publish node\" needs the name of "
                          "the node in $NODE_NAME, or of the pod in "
                          "$POD_NAME");
        }

        a->due = now + 3600 * 1000;
        torii_arena_destroy(arena);
        return;
    }

    req.method = "GET";
    req.timeout = NGX_TORII_ADDRESS_TIMEOUT;

    a->asking = 1;

    ngx_torii_api_ask(a->api, &req, ngx_torii_address_answer, a, 0);

    torii_arena_destroy(arena);
}


static void
ngx_torii_address_answer(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ngx_torii_address_t *a = data;

    uint64_t              now;
    ngx_uint_t            level;
    const char           *error;
    torii_node_t         *doc;
    torii_arena_t        *arena;
    torii_tree_error_t    failure;
    ingress_api_status_t  status;

    a->asking = 0;
    now = ngx_torii_publish_us() / 1000;

    arena = torii_arena_create(4096);

    if (answer->status == 0) {
        error = answer->error;

    } else if (answer->status != 200) {
        error = "the server refuses";

        if (ingress_api_status_parse(body, &status) == TORII_OK) {
            error = status.message;
        }

    } else if (torii_tree_json(arena, body, &ngx_torii_address_limits, &doc,
                               &failure)
               != TORII_OK)
    {
        error = "the answer is no JSON";

    } else {
        error = ngx_torii_address_parse(a, doc);
    }

    if (error == NULL) {
        ingress_backoff_reset(&a->backoff);
        a->told = 0;
        a->due = now;

    } else {
        a->due = now + ingress_backoff_next(&a->backoff, answer->retry_after,
                                            (uint32_t) ngx_random());

        level = a->told ? NGX_LOG_INFO : NGX_LOG_WARN;

        ngx_log_error(level, a->helper->log, 0,
                      "torii: the node's addresses are not known: %s", error);
        a->told = 1;
    }

    torii_arena_destroy(arena);
}


/* Those that are reached from outside, or else those of the inside. */

static const char *
ngx_torii_address_parse(ngx_torii_address_t *a, const torii_node_t *doc)
{
    const torii_node_t  *list;

    if (a->node.len == 0) {
        a->node = ngx_torii_address_text(torii_node_get(doc, "spec"),
                                         "nodeName");
        a->node = torii_arena_str(a->names, a->node);

        return a->node.len ? NULL : "the pod has no node yet";
    }

    list = torii_node_get(torii_node_get(doc, "status"), "addresses");

    if (list == NULL || list->type != TORII_NODE_LIST) {
        return "the node has no addresses";
    }

    ngx_torii_address_clear(a);

    if (ngx_torii_address_collect(a, list, "ExternalIP") == 0
        && ngx_torii_address_collect(a, list, "InternalIP") == 0)
    {
        return "the node has no addresses";
    }

    a->known = 1;

    return NULL;
}


static ngx_uint_t
ngx_torii_address_collect(ngx_torii_address_t *a, const torii_node_t *list,
    char *type)
{
    uint32_t     i;
    torii_str_t  text;

    for (i = 0; i < list->n; i++) {

        text = ngx_torii_address_text(list->items[i], "type");

        if (!torii_str_eqs(text, type)) {
            continue;
        }

        text = ngx_torii_address_text(list->items[i], "address");

        if (ngx_torii_address_is_ip((ngx_str_t) { text.len, text.data })) {
            ngx_torii_address_add(a, text);
        }
    }

    return a->nfound;
}


static torii_str_t
ngx_torii_address_text(const torii_node_t *map, const char *key)
{
    torii_str_t          none = torii_null_string;
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    return node && node->type == TORII_NODE_STRING ? node->text : none;
}


static void
ngx_torii_address_add(ngx_torii_address_t *a, torii_str_t text)
{
    ingress_address_t  *address;

    if (a->nfound == NGX_TORII_ADDRESS_MAX) {
        return;
    }

    address = &a->found[a->nfound++];

    address->address = torii_arena_str(a->arena, text);
    address->hostname = 0;
}


static void
ngx_torii_address_clear(ngx_torii_address_t *a)
{
    if (a->arena) {
        torii_arena_destroy(a->arena);
    }

    a->arena = torii_arena_create(1024);
    a->nfound = 0;
}
