
/*
 * The choice of a peer: round robin over the ready endpoints of a route's
 * backend, retries, and the memory of endpoints that failed.  It sits under
 * nginx's own keepalive, in one upstream block for each protocol.
 *
 * Per process, and kept over changes of the table: where the round robin stands
 * and which endpoints failed, for each backend.  A failed endpoint is passed
 * over for a while, then one request tries it.  It is never the reason to
 * refuse a request: when all have failed, all are tried.
 */

#include "ngx_http_torii.h"


#define NGX_HTTP_TORII_FAIL_TIMEOUT  2000
#define NGX_HTTP_TORII_FAIL_MAX      10000
#define NGX_HTTP_TORII_MARK_TIMEOUT  60000
#define NGX_HTTP_TORII_MAX_FAILS     3
#define NGX_HTTP_TORII_MAX_MARKS     32
#define NGX_HTTP_TORII_MAX_TRIES     32
#define NGX_HTTP_TORII_MIN_TRIES     3

#define NGX_HTTP_TORII_IDLE          1024
#define NGX_HTTP_TORII_IDLE_TIME     600

#if !(NGX_HAVE_UNIX_DOMAIN)
#error "ngx_sockaddr_t needs the room of a sockaddr_un for the TLS identity"
#endif

/* What speaks against an endpoint, the worst is the highest bit. */

#define NGX_HTTP_TORII_PEER_DRAINING  1
#define NGX_HTTP_TORII_PEER_TRIED     2
#define NGX_HTTP_TORII_PEER_MARKED    4


/* An endpoint that failed lately: passed over once fails is MAX_FAILS. */

typedef struct {
    u_char                           addr[16];
    uint16_t                         port;
    uint8_t                          fails;
    uint8_t                          probed;    /* a request tries it now */
    ngx_msec_t                       wait;
    ngx_msec_t                       until;
} ngx_http_torii_mark_t;


/* What a process knows of a backend. */

typedef struct {
    ngx_rbtree_node_t                node;
    ngx_queue_t                      queue;     /* idle ones, latest first */
    uint64_t                         id;
    ngx_uint_t                       refs;      /* of tables */
    time_t                           idle;      /* since when, without refs */
    ngx_uint_t                       next;
    ngx_uint_t                       nmarks;
    ngx_http_torii_mark_t           *marks;     /* MAX_MARKS, when needed */
} ngx_http_torii_peers_t;


/* The same seen from one table. */

typedef struct {
    ngx_http_torii_peers_t          *peers;
    const ingress_table_endpoint_t  *endpoints;
    ngx_uint_t                       n;
    ngx_uint_t                       draining;  /* some of them are */
} ngx_http_torii_view_t;

typedef struct {
    ngx_torii_table_t               *table;
    ngx_uint_t                       n;
} ngx_http_torii_views_t;


/* One request's; sockaddr is followed by the TLS identity. */

typedef struct {
    ngx_http_request_t              *request;
    ngx_http_torii_view_t           *view;
    const ingress_table_endpoint_t  *current;
    ngx_sockaddr_t                   sockaddr;
    u_char                           ssl_id[NGX_HTTP_TORII_SSL_ID];
    unsigned                         ssl:1;
    ngx_uint_t                       ntried;
    uint32_t                         tried[NGX_HTTP_TORII_MAX_TRIES];
} ngx_http_torii_peer_data_t;


typedef struct {
    ngx_rbtree_t                     rbtree;
    ngx_rbtree_node_t                sentinel;
    ngx_queue_t                      idle;
    ngx_uint_t                       nidle;
} ngx_http_torii_backends_t;


static ngx_int_t ngx_http_torii_balancer_init(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us);
static ngx_int_t ngx_http_torii_balancer_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);
static ngx_uint_t ngx_http_torii_balancer_tries(ngx_http_torii_ctx_t *ctx);

static ngx_http_torii_view_t *ngx_http_torii_view_get(
    ngx_torii_table_t *table, const ingress_table_backend_t *backend,
    ngx_log_t *log);
static ngx_int_t ngx_http_torii_views_init(ngx_torii_table_t *table);
static void ngx_http_torii_views_free(void *data);
static ngx_http_torii_peers_t *ngx_http_torii_peers_get(uint64_t id,
    ngx_log_t *log);
static ngx_http_torii_peers_t *ngx_http_torii_peers_find(uint64_t id);
static void ngx_http_torii_peers_release(ngx_http_torii_peers_t *peers);
static void ngx_http_torii_peers_expire(void);

static ngx_int_t ngx_http_torii_balancer_get_peer(ngx_peer_connection_t *pc,
    void *data);
static void ngx_http_torii_balancer_free_peer(ngx_peer_connection_t *pc,
    void *data, ngx_uint_t state);
static ngx_uint_t ngx_http_torii_peer_pick(ngx_http_torii_peer_data_t *pd);
static ngx_uint_t ngx_http_torii_peer_score(ngx_http_torii_peer_data_t *pd,
    ngx_uint_t i);
static ngx_int_t ngx_http_torii_peer_address(ngx_http_torii_peer_data_t *pd,
    ngx_peer_connection_t *pc);

static ngx_http_torii_mark_t *ngx_http_torii_mark_find(
    ngx_http_torii_peers_t *peers, const ingress_table_endpoint_t *endpoint);
static void ngx_http_torii_mark(ngx_http_torii_peers_t *peers,
    const ingress_table_endpoint_t *endpoint, ngx_uint_t fails);
static ngx_http_torii_mark_t *ngx_http_torii_mark_add(
    ngx_http_torii_peers_t *peers, const ingress_table_endpoint_t *endpoint);
static void ngx_http_torii_mark_remove(ngx_http_torii_peers_t *peers,
    ngx_http_torii_mark_t *mark);
static void ngx_http_torii_marks_expire(ngx_http_torii_peers_t *peers);


/*
 * Of the process and not of the cycle: a worker serves one cycle only, and
 * starts with it empty.
 */
static ngx_http_torii_backends_t  ngx_http_torii_backends;


char *
ngx_http_torii_balancer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_upstream_srv_conf_t  *uscf;

    uscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    if (uscf->peer.init_upstream) {
        return "must come before other balancing directives";
    }

    uscf->peer.init_upstream = ngx_http_torii_balancer_init;
    uscf->flags = NGX_HTTP_UPSTREAM_CREATE;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_torii_balancer_init(ngx_conf_t *cf, ngx_http_upstream_srv_conf_t *us)
{
    us->peer.init = ngx_http_torii_balancer_init_peer;

    return NGX_OK;
}


ngx_int_t
ngx_http_torii_balancer_init_process(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf)
{
    ngx_http_torii_backends_t  *backends;

    backends = &ngx_http_torii_backends;

    ngx_rbtree_init(&backends->rbtree, &backends->sentinel,
                    ngx_rbtree_insert_value);
    ngx_queue_init(&backends->idle);

    return NGX_OK;
}


ngx_int_t
ngx_http_torii_balancer_ready(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_torii_table_t  *table;

    if (ctx->backend == NULL || ctx->backend->n == 0) {
        return NGX_DECLINED;
    }

    table = ctx->table;

    ngx_http_torii_prefetch(&table->table.endpoints[ctx->backend->first]);

    if (table->peers) {
        ngx_http_torii_prefetch(table->peers[ctx->backend
                                             - table->table.backends]);
    }

    switch (ctx->template) {

    case NGX_HTTP_TORII_HTTPS:
    case NGX_HTTP_TORII_HTTPS_STREAM:
    case NGX_HTTP_TORII_HTTPS10:
    case NGX_HTTP_TORII_GRPCS:

        if (ngx_http_torii_upstream_ssl(table, ctx->policy,
                                        ngx_http_torii_is_h2(ctx),
                                        r->connection->log)
            == NULL)
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_balancer_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_http_upstream_t         *u;
    ngx_http_torii_ctx_t        *ctx;
    ngx_http_torii_peer_data_t  *pd;

    u = r->upstream;
    ctx = ngx_http_torii_ctx(r);

    if (ctx == NULL || ctx->backend == NULL || ctx->backend->n == 0) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "torii: upstream \"%V\" without a backend", &us->host);
        return NGX_ERROR;
    }

    pd = ngx_palloc(r->pool, sizeof(ngx_http_torii_peer_data_t));
    if (pd == NULL) {
        return NGX_ERROR;
    }

    pd->view = ngx_http_torii_view_get(ctx->table, ctx->backend,
                                       r->connection->log);
    if (pd->view == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_torii_upstream_set(r, ctx, pd->ssl_id) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->policy->fastcgi_params.len
        && (ctx->template == NGX_HTTP_TORII_FASTCGI
            || ctx->template == NGX_HTTP_TORII_FASTCGI_STREAM)
        && ngx_http_torii_fastcgi_params(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    pd->request = r;
    pd->current = NULL;
    pd->ntried = 0;
    pd->ssl = u->ssl;

    if (u->ssl) {
        u->peer.set_session = ngx_http_torii_upstream_ssl_set_session;
        u->peer.save_session = ngx_http_torii_upstream_ssl_save_session;
    }

    u->peer.tries = ngx_http_torii_balancer_tries(ctx);
    u->peer.data = pd;
    u->peer.get = ngx_http_torii_balancer_get_peer;
    u->peer.free = ngx_http_torii_balancer_free_peer;

    return NGX_OK;
}


/*
 * "Unlimited" has an end too: connections that are refused at once would be
 * repeated in a recursion of nginx's.
 */

static ngx_uint_t
ngx_http_torii_balancer_tries(ngx_http_torii_ctx_t *ctx)
{
    ngx_uint_t  tries;

    tries = ctx->policy->next_upstream_tries;

    if (tries == 0) {
        tries = ngx_max(ctx->backend->n, NGX_HTTP_TORII_MIN_TRIES);
    }

    return ngx_min(tries, NGX_HTTP_TORII_MAX_TRIES);
}


static ngx_http_torii_view_t *
ngx_http_torii_view_get(ngx_torii_table_t *table,
    const ingress_table_backend_t *backend, ngx_log_t *log)
{
    ngx_uint_t              i, n;
    ngx_http_torii_view_t  *view;

    n = backend - table->table.backends;

    if (table->peers == NULL && ngx_http_torii_views_init(table) != NGX_OK) {
        return NULL;
    }

    if (table->peers[n]) {
        return table->peers[n];
    }

    view = ngx_pcalloc(table->pool, sizeof(ngx_http_torii_view_t));
    if (view == NULL) {
        return NULL;
    }

    view->peers = ngx_http_torii_peers_get(backend->id, log);
    if (view->peers == NULL) {
        return NULL;
    }

    view->endpoints = &table->table.endpoints[backend->first];
    view->n = backend->n;

    for (i = 0; i < view->n; i++) {
        if (view->endpoints[i].flags & INGRESS_ENDPOINT_DRAINING) {
            view->draining = 1;
            break;
        }
    }

    table->peers[n] = view;

    return view;
}


static ngx_int_t
ngx_http_torii_views_init(ngx_torii_table_t *table)
{
    void                   **peers;
    ngx_uint_t               n;
    ngx_pool_cleanup_t      *cln;
    ngx_http_torii_views_t  *views;

    n = ingress_table_n(&table->table, BACKENDS);

    peers = ngx_torii_table_room(table, n * sizeof(void *));
    if (peers == NULL) {
        return NGX_ERROR;
    }

    /* cleanups run backwards: this one needs the room */

    cln = ngx_pool_cleanup_add(table->pool, sizeof(ngx_http_torii_views_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    table->peers = peers;

    views = cln->data;
    views->table = table;
    views->n = n;

    cln->handler = ngx_http_torii_views_free;

    return NGX_OK;
}


static void
ngx_http_torii_views_free(void *data)
{
    ngx_http_torii_views_t *views = data;

    ngx_uint_t              i;
    ngx_http_torii_view_t  *view;

    for (i = 0; i < views->n; i++) {
        view = views->table->peers[i];

        if (view) {
            ngx_http_torii_peers_release(view->peers);
        }
    }
}


static ngx_http_torii_peers_t *
ngx_http_torii_peers_get(uint64_t id, ngx_log_t *log)
{
    ngx_http_torii_peers_t     *peers;
    ngx_http_torii_backends_t  *backends;

    backends = &ngx_http_torii_backends;

    peers = ngx_http_torii_peers_find(id);

    if (peers) {
        if (peers->refs++ == 0) {
            ngx_queue_remove(&peers->queue);
            backends->nidle--;
        }

        return peers;
    }

    peers = ngx_calloc(sizeof(ngx_http_torii_peers_t), log);
    if (peers == NULL) {
        return NULL;
    }

    peers->node.key = (ngx_rbtree_key_t) id;
    peers->id = id;
    peers->refs = 1;

    /* workers must not all begin with the same endpoint */

    peers->next = ngx_random();

    ngx_rbtree_insert(&backends->rbtree, &peers->node);

    return peers;
}


static ngx_http_torii_peers_t *
ngx_http_torii_peers_find(uint64_t id)
{
    ngx_rbtree_key_t            key;
    ngx_rbtree_node_t          *node;
    ngx_http_torii_peers_t     *peers;
    ngx_http_torii_backends_t  *backends;

    backends = &ngx_http_torii_backends;
    key = (ngx_rbtree_key_t) id;
    node = backends->rbtree.root;

    while (node != &backends->sentinel) {

        peers = ngx_rbtree_data(node, ngx_http_torii_peers_t, node);

        if (peers->id == id) {
            return peers;
        }

        node = (key < node->key) ? node->left : node->right;
    }

    return NULL;
}


static void
ngx_http_torii_peers_release(ngx_http_torii_peers_t *peers)
{
    if (--peers->refs) {
        return;
    }

    peers->idle = ngx_time();

    ngx_queue_insert_head(&ngx_http_torii_backends.idle, &peers->queue);
    ngx_http_torii_backends.nidle++;

    ngx_http_torii_peers_expire();
}


static void
ngx_http_torii_peers_expire(void)
{
    ngx_queue_t                *q;
    ngx_http_torii_peers_t     *peers;
    ngx_http_torii_backends_t  *backends;

    backends = &ngx_http_torii_backends;

    while (!ngx_queue_empty(&backends->idle)) {

        q = ngx_queue_last(&backends->idle);
        peers = ngx_queue_data(q, ngx_http_torii_peers_t, queue);

        if (backends->nidle <= NGX_HTTP_TORII_IDLE
            && ngx_time() - peers->idle < NGX_HTTP_TORII_IDLE_TIME)
        {
            return;
        }

        ngx_queue_remove(q);
        backends->nidle--;

        ngx_rbtree_delete(&backends->rbtree, &peers->node);

        if (peers->marks) {
            ngx_free(peers->marks);
        }

        ngx_free(peers);
    }
}


static ngx_int_t
ngx_http_torii_balancer_get_peer(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_torii_peer_data_t *pd = data;

    ngx_uint_t               i;
    ngx_http_torii_view_t   *view;
    ngx_http_torii_mark_t   *mark;
    ngx_http_torii_peers_t  *peers;

    view = pd->view;
    peers = view->peers;

    if (peers->nmarks == 0 && pd->ntried == 0 && !view->draining) {
        i = peers->next++ % view->n;

    } else {
        i = ngx_http_torii_peer_pick(pd);
    }

    pd->current = &view->endpoints[i];

    if (pd->ntried < NGX_HTTP_TORII_MAX_TRIES) {
        pd->tried[pd->ntried++] = i;
    }

    mark = ngx_http_torii_mark_find(peers, pd->current);

    if (mark && mark->fails >= NGX_HTTP_TORII_MAX_FAILS) {

        /* this request finds out; the others go on passing it over */

        mark->probed = 1;
        mark->until = ngx_current_msec + mark->wait;
    }

    pc->cached = 0;
    pc->connection = NULL;

    return ngx_http_torii_peer_address(pd, pc);
}


/* One of those with the least against them, in turn. */

static ngx_uint_t
ngx_http_torii_peer_pick(ngx_http_torii_peer_data_t *pd)
{
    ngx_uint_t              i, k, n, best, score;
    ngx_http_torii_view_t  *view;

    view = pd->view;

    ngx_http_torii_marks_expire(view->peers);

again:

    n = 0;
    best = (ngx_uint_t) -1;

    for (i = 0; i < view->n; i++) {
        score = ngx_http_torii_peer_score(pd, i);

        if (score < best) {
            best = score;
            n = 0;
        }

        n += (score == best);
    }

    /*
     * When all have failed, all are as good as new: else the first one that
     * recovers would have to bear the requests of all.
     */

    if (best & NGX_HTTP_TORII_PEER_MARKED) {
        view->peers->nmarks = 0;
        goto again;
    }

    /* a retry takes no turn, or the next request began where this one did */

    k = (pd->ntried ? view->peers->next : view->peers->next++) % n;

    for (i = 0; i < view->n; i++) {
        if (ngx_http_torii_peer_score(pd, i) == best && k-- == 0) {
            return i;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_torii_peer_score(ngx_http_torii_peer_data_t *pd, ngx_uint_t i)
{
    ngx_uint_t              k, score;
    ngx_http_torii_mark_t  *mark;

    score = 0;

    if (pd->view->endpoints[i].flags & INGRESS_ENDPOINT_DRAINING) {
        score |= NGX_HTTP_TORII_PEER_DRAINING;
    }

    for (k = 0; k < pd->ntried; k++) {
        if (pd->tried[k] == i) {
            score |= NGX_HTTP_TORII_PEER_TRIED;
            break;
        }
    }

    mark = ngx_http_torii_mark_find(pd->view->peers, &pd->view->endpoints[i]);

    if (mark && mark->fails >= NGX_HTTP_TORII_MAX_FAILS
        && (ngx_msec_int_t) (mark->until - ngx_current_msec) > 0)
    {
        score |= NGX_HTTP_TORII_PEER_MARKED;
    }

    return score;
}


/*
 * nginx's keepalive takes a connection whose address has the same bytes.  So
 * that it never takes one of another TLS identity, the identity is part of the
 * address: the kernel reads as much as the family needs, and no more.
 */

static ngx_int_t
ngx_http_torii_peer_address(ngx_http_torii_peer_data_t *pd,
    ngx_peer_connection_t *pc)
{
    u_char                          *p;
    ngx_str_t                       *name;
    struct sockaddr_in              *sin;
    const ingress_table_endpoint_t  *endpoint;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6             *sin6;
#endif

    static const u_char  mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                        0xff, 0xff };

    endpoint = pd->current;

    ngx_memzero(&pd->sockaddr, sizeof(ngx_sockaddr_t));

    if (ngx_memcmp(endpoint->addr, mapped, sizeof(mapped)) == 0) {
        sin = &pd->sockaddr.sockaddr_in;
        sin->sin_family = AF_INET;
        sin->sin_port = htons(endpoint->port);
        ngx_memcpy(&sin->sin_addr, &endpoint->addr[12], 4);

        pc->socklen = sizeof(struct sockaddr_in);

    } else {
#if (NGX_HAVE_INET6)
        sin6 = &pd->sockaddr.sockaddr_in6;
        sin6->sin6_family = AF_INET6;
        sin6->sin6_port = htons(endpoint->port);
        ngx_memcpy(&sin6->sin6_addr, endpoint->addr, 16);

        pc->socklen = sizeof(struct sockaddr_in6);
#else
        return NGX_ERROR;
#endif
    }

    name = ngx_palloc(pd->request->pool,
                      sizeof(ngx_str_t) + NGX_SOCKADDR_STRLEN);
    if (name == NULL) {
        return NGX_ERROR;
    }

    name->data = (u_char *) name + sizeof(ngx_str_t);
    name->len = ngx_sock_ntop(&pd->sockaddr.sockaddr, pc->socklen, name->data,
                              NGX_SOCKADDR_STRLEN, 1);

    if (pd->ssl) {
        p = (u_char *) &pd->sockaddr + pc->socklen;
        ngx_memcpy(p, pd->ssl_id, NGX_HTTP_TORII_SSL_ID);
        pc->socklen += NGX_HTTP_TORII_SSL_ID;
    }

    pc->sockaddr = &pd->sockaddr.sockaddr;
    pc->name = name;

    return NGX_OK;
}


static void
ngx_http_torii_balancer_free_peer(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_http_torii_peer_data_t *pd = data;

    ngx_uint_t               answered, timedout;
    ngx_connection_t        *c;
    ngx_http_upstream_t     *u;
    ngx_http_torii_mark_t   *mark;
    ngx_http_torii_peers_t  *peers;

    c = pc->connection;
    u = pd->request->upstream;
    peers = pd->view->peers;

    answered = (u->headers_in.status_n != 0);
    timedout = (c && (c->read->timedout || c->write->timedout));

    if (!(state & NGX_PEER_FAILED)) {

        /* the client may have gone before there was an answer */

        mark = answered ? ngx_http_torii_mark_find(peers, pd->current) : NULL;

        if (mark) {
            ngx_http_torii_mark_remove(peers, mark);
        }

    } else if (c == NULL || !u->request_sent) {

        /* no connection or no TLS: no request will fare better */

        ngx_http_torii_mark(peers, pd->current, NGX_HTTP_TORII_MAX_FAILS);

    } else if (!pc->cached || answered || timedout) {

        /* may be this request's own fault: it takes several */

        ngx_http_torii_mark(peers, pd->current, 1);
    }

    /* else a connection of the pool that its backend was closing: no failure */

    if (pc->tries) {
        pc->tries--;
    }
}


static ngx_http_torii_mark_t *
ngx_http_torii_mark_find(ngx_http_torii_peers_t *peers,
    const ingress_table_endpoint_t *endpoint)
{
    ngx_uint_t              i;
    ngx_http_torii_mark_t  *mark;

    for (i = 0; i < peers->nmarks; i++) {
        mark = &peers->marks[i];

        if (mark->port == endpoint->port
            && ngx_memcmp(mark->addr, endpoint->addr, 16) == 0)
        {
            return mark;
        }
    }

    return NULL;
}


/*
 * An endpoint that goes on failing waits longer and longer, so that one that is
 * gone costs little, and one that was away for a moment is soon back.
 */

static void
ngx_http_torii_mark(ngx_http_torii_peers_t *peers,
    const ingress_table_endpoint_t *endpoint, ngx_uint_t fails)
{
    ngx_http_torii_mark_t  *mark;

    mark = ngx_http_torii_mark_find(peers, endpoint);

    if (mark == NULL) {
        mark = ngx_http_torii_mark_add(peers, endpoint);
        if (mark == NULL) {
            return;
        }
    }

    if (mark->fails >= NGX_HTTP_TORII_MAX_FAILS) {

        if (!mark->probed) {

            /* one of those that were under way when it was marked */

            return;
        }

        mark->probed = 0;
        mark->wait = ngx_min(2 * mark->wait, NGX_HTTP_TORII_FAIL_MAX);

    } else {
        mark->fails = ngx_min(mark->fails + fails, NGX_HTTP_TORII_MAX_FAILS);
    }

    mark->until = ngx_current_msec + mark->wait;
}


static ngx_http_torii_mark_t *
ngx_http_torii_mark_add(ngx_http_torii_peers_t *peers,
    const ingress_table_endpoint_t *endpoint)
{
    ngx_http_torii_mark_t  *mark;

    if (peers->marks == NULL) {
        peers->marks = ngx_alloc(NGX_HTTP_TORII_MAX_MARKS
                                 * sizeof(ngx_http_torii_mark_t),
                                 ngx_cycle->log);
        if (peers->marks == NULL) {
            return NULL;
        }
    }

    if (peers->nmarks == NGX_HTTP_TORII_MAX_MARKS) {
        ngx_http_torii_mark_remove(peers, &peers->marks[0]);
    }

    mark = &peers->marks[peers->nmarks++];

    ngx_memzero(mark, sizeof(ngx_http_torii_mark_t));

    ngx_memcpy(mark->addr, endpoint->addr, 16);
    mark->port = endpoint->port;
    mark->wait = NGX_HTTP_TORII_FAIL_TIMEOUT;

    return mark;
}


static void
ngx_http_torii_mark_remove(ngx_http_torii_peers_t *peers,
    ngx_http_torii_mark_t *mark)
{
    ngx_http_torii_mark_t  *last;

    last = &peers->marks[--peers->nmarks];

    ngx_memmove(mark, mark + 1, (u_char *) last - (u_char *) mark);
}


/*
 * A single failure is forgiven when its time is over.  An endpoint that was
 * passed over waits for a request to try it, but not for ever: it may be gone.
 */

static void
ngx_http_torii_marks_expire(ngx_http_torii_peers_t *peers)
{
    ngx_uint_t              i;
    ngx_msec_int_t          late;
    ngx_http_torii_mark_t  *mark;

    for (i = peers->nmarks; i > 0; i--) {
        mark = &peers->marks[i - 1];
        late = (ngx_msec_int_t) (ngx_current_msec - mark->until);

        if (late >= (mark->fails < NGX_HTTP_TORII_MAX_FAILS
                     ? 0 : NGX_HTTP_TORII_MARK_TIMEOUT))
        {
            ngx_http_torii_mark_remove(peers, mark);
        }
    }
}
