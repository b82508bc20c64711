
/*
 * Other gateways, which are asked whether they have the challenges: the ready
 * endpoints of the Service that "torii_publish" names.
 */

#include "ngx_torii_acme_cluster.h"


#define NGX_TORII_PLACES_EVERY    200       /* ms between two questions */
#define NGX_TORII_PLACES_TIMEOUT  2000
#define NGX_TORII_PLACES_MAX      256
#define NGX_TORII_PLACES_PORT     80        /* of the Service */


/* A gateway that is asked. */

typedef struct {
    ngx_queue_t              queue;
    ngx_torii_cluster_t     *cluster;
    ngx_int_t                set;
    char                     url[192];
    char                     want[64];
    u_char                   body[64];
    ngx_uint_t               len;
    ngx_uint_t               status;
    unsigned                 asking:1;
    unsigned                 answered:1;
} ngx_torii_place_t;

typedef struct {
    ngx_torii_cluster_t     *cluster;
    torii_str_t              service;
    torii_str_t              namespace;
    const ingress_service_port_t  *port;
} ngx_torii_places_t;


static void ngx_torii_places_slice(void *data, ingress_object_t *o);
static void ngx_torii_places_add(ngx_torii_cluster_t *c,
    torii_str_t address, ngx_uint_t port);
static ngx_int_t ngx_torii_place_head(void *data, ngx_uint_t status,
    ngx_str_t *content_type, ngx_uint_t retry_after);
static ngx_int_t ngx_torii_place_body(void *data, u_char *p, size_t len);
static void ngx_torii_place_done(void *data, const char *error);


/* Ready endpoints of the Service's port 80, or of its first one by name. */

void
ngx_torii_places_find(ngx_torii_cluster_t *c)
{
    uint32_t                      i;
    ingress_object_t             *o;
    ngx_torii_places_t            places;
    ngx_http_torii_kubernetes_t  *k;

    k = &c->acme->helper->tmcf->kubernetes;

    ngx_torii_places_free(&c->spread);

    if (k->publish != NGX_HTTP_TORII_PUBLISH_SERVICE) {
        return;
    }

    places.cluster = c;
    places.service.len = k->publish_name.len;
    places.service.data = k->publish_name.data;
    places.port = NULL;

    (void) torii_str_next(&places.service, "/", &places.namespace);

    o = ingress_store_get(c->acme->helper->store, INGRESS_KIND_SERVICE,
                          places.namespace, places.service);
    if (o == NULL) {
        return;
    }

    for (i = 0; i < o->u.service.n; i++) {
        if (o->u.service.ports[i].port == NGX_TORII_PLACES_PORT) {
            places.port = &o->u.service.ports[i];
        }
    }

    if (places.port == NULL) {
        return;
    }

    ingress_store_each(c->acme->helper->store, INGRESS_KIND_SLICE,
                       ngx_torii_places_slice, &places);
}


static void
ngx_torii_places_slice(void *data, ingress_object_t *o)
{
    ngx_torii_places_t *places = data;

    uint32_t                 i, j, k;
    const ingress_subset_t  *subset;

    if (!torii_str_eq(o->namespace, places->namespace)
        || !torii_str_eq(o->u.slice.service, places->service))
    {
        return;
    }

    for (i = 0; i < o->u.slice.n; i++) {
        subset = &o->u.slice.subsets[i];

        for (j = 0; j < subset->nports; j++) {

            if (!torii_str_eq(subset->ports[j].name, places->port->name)) {
                continue;
            }

            for (k = 0; k < subset->n; k++) {
                if (subset->endpoints[k].ready
                    && !subset->endpoints[k].terminating)
                {
                    ngx_torii_places_add(places->cluster,
                                           subset->endpoints[k].address,
                                           subset->ports[j].port);
                }
            }
        }
    }
}


static void
ngx_torii_places_add(ngx_torii_cluster_t *c, torii_str_t address,
    ngx_uint_t port)
{
    u_char               in6[16];
    ngx_uint_t           six;
    ngx_queue_t         *q;
    ngx_torii_place_t   *p, *other;
    ngx_torii_spread_t  *s;

    s = &c->spread;

    six = (ngx_inet6_addr(address.data, address.len, in6) == NGX_OK);

    if (s->asked == NGX_TORII_PLACES_MAX || port == 0
        || (!six && ngx_inet_addr(address.data, address.len) == INADDR_NONE))
    {
        return;
    }

    p = torii_zalloc(sizeof(ngx_torii_place_t));

    p->cluster = c;
    p->set = s->flying;
    ngx_cpystrn((u_char *) p->want, (u_char *) s->probe, sizeof(p->want));

    (void) snprintf(p->url, sizeof(p->url), "http://%s%.*s%s:%u"
                    "/.well-known/acme-challenge/%s", six ? "[" : "",
                    torii_str_arg(address), six ? "]" : "", (unsigned) port,
                    s->probe);

    for (q = ngx_queue_head(&s->places);
         q != ngx_queue_sentinel(&s->places);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_torii_place_t, queue);

        if (ngx_strcmp(other->url, p->url) == 0) {
            free(p);
            return;
        }
    }

    ngx_queue_insert_tail(&s->places, &p->queue);

    s->asked++;
    s->left++;
}


/* Those that have not answered; the end, when it is time. */

void
ngx_torii_places_ask(ngx_torii_cluster_t *c)
{
    ngx_queue_t                *q;
    ngx_torii_place_t          *p;
    ngx_torii_spread_t         *s;
    ngx_torii_curl_request_t    req;
    ngx_torii_curl_handlers_t   handlers;

    s = &c->spread;

    if ((ngx_msec_int_t) (s->until - ngx_current_msec) <= 0) {
        ngx_torii_spread_done(c);
        return;
    }

    ngx_memzero(&req, sizeof(ngx_torii_curl_request_t));

    req.method = "GET";
    req.timeout = NGX_TORII_PLACES_TIMEOUT;
    req.connect_timeout = NGX_TORII_PLACES_TIMEOUT;

    handlers.head = ngx_torii_place_head;
    handlers.body = ngx_torii_place_body;
    handlers.done = ngx_torii_place_done;

    for (q = ngx_queue_head(&s->places);
         q != ngx_queue_sentinel(&s->places);
         q = ngx_queue_next(q))
    {
        p = ngx_queue_data(q, ngx_torii_place_t, queue);

        if (p->asking || p->answered) {
            continue;
        }

        p->len = 0;
        p->status = 0;
        req.url = p->url;
        handlers.data = p;

        if (ngx_torii_curl_start(c->acme->curl, &req, &handlers)) {
            p->asking = 1;
        }
    }

    ngx_torii_helper_arm(&s->next, NGX_TORII_PLACES_EVERY);
}


static ngx_int_t
ngx_torii_place_head(void *data, ngx_uint_t status, ngx_str_t *content_type,
    ngx_uint_t retry_after)
{
    ngx_torii_place_t *p = data;

    p->status = status;

    return NGX_OK;
}


static ngx_int_t
ngx_torii_place_body(void *data, u_char *b, size_t len)
{
    ngx_torii_place_t *p = data;

    /* of another answer than ours the length is enough */

    if (len > sizeof(p->body) - p->len) {
        p->status = 0;
        return NGX_OK;
    }

    ngx_memcpy(p->body + p->len, b, len);
    p->len += len;

    return NGX_OK;
}


static void
ngx_torii_place_done(void *data, const char *error)
{
    ngx_torii_place_t *p = data;

    ngx_torii_spread_t   *s;
    ngx_torii_cluster_t  *c;

    c = p->cluster;
    s = &c->spread;

    p->asking = 0;

    /* nobody waits for it any more */

    if (p->set == 0) {
        free(p);
        return;
    }

    if (error || p->status != NGX_HTTP_OK || p->len != ngx_strlen(p->want)
        || ngx_memcmp(p->body, p->want, p->len) != 0)
    {
        return;
    }

    p->answered = 1;

    if (--s->left == 0) {
        ngx_torii_spread_done(c);
    }
}


void
ngx_torii_places_free(ngx_torii_spread_t *s)
{
    ngx_queue_t        *q;
    ngx_torii_place_t  *p;

    while (!ngx_queue_empty(&s->places)) {
        q = ngx_queue_head(&s->places);
        p = ngx_queue_data(q, ngx_torii_place_t, queue);

        ngx_queue_remove(q);

        if (p->asking) {
            p->set = 0;

        } else {
            free(p);
        }
    }

    s->left = 0;
    s->asked = 0;
}
