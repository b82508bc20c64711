
/*
 * Names of ExternalName Services, kept resolved: c-ares on nginx's event loop.
 * getaddrinfo's rules hold (/etc/hosts, search list, A and AAAA).  Each name
 * is asked again when its TTL is over.  A failure changes nothing for those
 * who use the name: it is tried again, and the last good answer stays.
 */

#include "ngx_torii_helper.h"
#include "ngx_torii_event.h"

#include <ares.h>
#include <netdb.h>


/* each name in flight is a question for A and one for AAAA */
#define NGX_TORII_RESOLVER_FLIGHT   16
#define NGX_TORII_RESOLVER_FAILING  8       /* of them, of names that fail */

#define NGX_TORII_RESOLVER_MIN      1       /* of a TTL, seconds */
#define NGX_TORII_RESOLVER_MAX      3600
#define NGX_TORII_RESOLVER_RETRY    30000   /* longest, ms */
#define NGX_TORII_RESOLVER_TIMEOUT  1500    /* of a question, ms; then twice */
#define NGX_TORII_RESOLVER_TRIES    2
#define NGX_TORII_RESOLVER_ADDRS    64      /* of a name */
#define NGX_TORII_RESOLVER_CONF     5       /* seconds between two looks */


typedef struct {
    ngx_str_node_t          sn;             /* must be first */
    ngx_queue_t             queue;          /* in waiting or failing */
    ngx_event_t             due;
    ngx_torii_resolver_t   *resolver;
    ngx_uint_t              failures;       /* in a row */
    ngx_uint_t              mark;
    unsigned                queued:1;
    unsigned                active:1;       /* with c-ares */
    unsigned                answered:1;     /* once, good or bad */
    unsigned                gone:1;         /* forgotten while active */
    u_char                  data[1];        /* NUL-terminated */
} ngx_torii_name_t;


struct ngx_torii_resolver_s {
    ares_channel            channel;        /* NULL: to be made (again) */
    ngx_str_t               servers;
    ngx_torii_resolver_pt   handler;
    void                   *data;
    ngx_log_t              *log;

    ngx_rbtree_t            names;
    ngx_rbtree_node_t       sentinel;
    ngx_uint_t              mark;
    ngx_uint_t              fresh;          /* without a first answer */
    ngx_uint_t              added;          /* since begin */

    ngx_queue_t             waiting;        /* names to ask for */
    ngx_queue_t             failing;        /* after those */
    ngx_uint_t              active;
    ngx_uint_t              active_failing;

    ngx_event_t             timer;          /* of c-ares */
    ngx_event_t             pump;
    ngx_array_t             sockets;        /* ngx_connection_t * */

    time_t                  looked;         /* at /etc/resolv.conf */
    struct stat             conf;

    ngx_connection_t        dummy;          /* of events without a socket */
};


static void ngx_torii_resolver_event_init(ngx_torii_resolver_t *resolver,
    ngx_event_t *ev, ngx_event_handler_pt handler);
static ngx_torii_name_t *ngx_torii_resolver_next(
    ngx_torii_resolver_t *resolver, ngx_rbtree_node_t *node);
static void ngx_torii_resolver_queue(ngx_torii_name_t *name);
static void ngx_torii_resolver_forget(ngx_torii_name_t *name);
static void ngx_torii_resolver_due(ngx_event_t *ev);
static void ngx_torii_resolver_pump(ngx_event_t *ev);
static ngx_int_t ngx_torii_resolver_channel(ngx_torii_resolver_t *resolver);
static void ngx_torii_resolver_conf(ngx_torii_resolver_t *resolver);
static void ngx_torii_resolver_ask(ngx_torii_name_t *name);
static void ngx_torii_resolver_answer(void *arg, int status, int timeouts,
    struct ares_addrinfo *res);
static void ngx_torii_resolver_good(ngx_torii_name_t *name,
    struct ares_addrinfo *res);
static void ngx_torii_resolver_bad(ngx_torii_name_t *name, int status);
static ngx_uint_t ngx_torii_resolver_reachable(struct sockaddr *sa,
    socklen_t len);
static void ngx_torii_resolver_socket(void *data, ares_socket_t fd,
    int readable, int writable);
static ngx_connection_t *ngx_torii_resolver_connection(
    ngx_torii_resolver_t *resolver, ares_socket_t fd);
static void ngx_torii_resolver_close(ngx_torii_resolver_t *resolver,
    ngx_connection_t *c);
static void ngx_torii_resolver_io(ngx_event_t *ev);
static void ngx_torii_resolver_timeout(ngx_event_t *ev);
static void ngx_torii_resolver_arm(ngx_torii_resolver_t *resolver);


static const u_char  ngx_torii_resolver_mapped[12] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};


ngx_torii_resolver_t *
ngx_torii_resolver_create(ngx_pool_t *pool, ngx_str_t *servers,
    ngx_torii_resolver_pt handler, void *data, ngx_log_t *log)
{
    ngx_torii_resolver_t  *resolver;

    resolver = ngx_pcalloc(pool, sizeof(ngx_torii_resolver_t));
    if (resolver == NULL) {
        return NULL;
    }

    resolver->servers = *servers;
    resolver->handler = handler;
    resolver->data = data;
    resolver->log = log;

    if (ngx_array_init(&resolver->sockets, pool, 8, sizeof(ngx_connection_t *))
        != NGX_OK)
    {
        return NULL;
    }

    ngx_rbtree_init(&resolver->names, &resolver->sentinel,
                    ngx_str_rbtree_insert_value);

    ngx_queue_init(&resolver->waiting);
    ngx_queue_init(&resolver->failing);

    resolver->dummy.fd = (ngx_socket_t) -1;
    resolver->dummy.data = resolver;

    ngx_torii_resolver_event_init(resolver, &resolver->timer,
                                  ngx_torii_resolver_timeout);
    ngx_torii_resolver_event_init(resolver, &resolver->pump,
                                  ngx_torii_resolver_pump);

    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        return NULL;
    }

    return resolver;
}


/* With debug logging nginx reads a descriptor behind ev->data. */

static void
ngx_torii_resolver_event_init(ngx_torii_resolver_t *resolver, ngx_event_t *ev,
    ngx_event_handler_pt handler)
{
    ev->handler = handler;
    ev->data = &resolver->dummy;
    ev->log = resolver->log;
    ev->cancelable = 1;
}


void
ngx_torii_resolver_begin(ngx_torii_resolver_t *resolver)
{
    resolver->mark++;
    resolver->added = 0;
}


void
ngx_torii_resolver_want(ngx_torii_resolver_t *resolver, ngx_str_t *str)
{
    uint32_t           hash;
    ngx_str_node_t    *sn;
    ngx_torii_name_t  *name;

    hash = ngx_crc32_short(str->data, str->len);

    sn = ngx_str_rbtree_lookup(&resolver->names, str, hash);
    if (sn) {
        ((ngx_torii_name_t *) sn)->mark = resolver->mark;
        return;
    }

    name = ngx_calloc(sizeof(ngx_torii_name_t) + str->len, resolver->log);
    if (name == NULL) {
        return;
    }

    ngx_memcpy(name->data, str->data, str->len);

    name->sn.str.len = str->len;
    name->sn.str.data = name->data;
    name->sn.node.key = hash;
    name->resolver = resolver;
    name->mark = resolver->mark;

    ngx_torii_resolver_event_init(resolver, &name->due, ngx_torii_resolver_due);

    ngx_rbtree_insert(&resolver->names, &name->sn.node);
    resolver->fresh++;
    resolver->added++;

    ngx_torii_resolver_queue(name);
}


ngx_uint_t
ngx_torii_resolver_end(ngx_torii_resolver_t *resolver)
{
    ngx_rbtree_node_t  *node;
    ngx_torii_name_t   *name, *next;

    if (resolver->names.root == resolver->names.sentinel) {
        return 0;
    }

    node = ngx_rbtree_min(resolver->names.root, resolver->names.sentinel);

    for (name = (ngx_torii_name_t *) node; name; name = next) {
        next = ngx_torii_resolver_next(resolver, &name->sn.node);

        if (name->mark != resolver->mark) {
            ngx_torii_resolver_forget(name);
        }
    }

    return resolver->added;
}


ngx_uint_t
ngx_torii_resolver_fresh(ngx_torii_resolver_t *resolver)
{
    return resolver->fresh;
}


static ngx_torii_name_t *
ngx_torii_resolver_next(ngx_torii_resolver_t *resolver,
    ngx_rbtree_node_t *node)
{
    return (ngx_torii_name_t *) ngx_rbtree_next(&resolver->names, node);
}


/* Names that fail come last, lest a dead zone keeps the others waiting. */

static void
ngx_torii_resolver_queue(ngx_torii_name_t *name)
{
    ngx_torii_resolver_t  *resolver;

    resolver = name->resolver;

    if (name->failures) {
        ngx_queue_insert_tail(&resolver->failing, &name->queue);

    } else {
        ngx_queue_insert_tail(&resolver->waiting, &name->queue);
    }

    name->queued = 1;

    ngx_post_event(&resolver->pump, &ngx_posted_events);
}


static void
ngx_torii_resolver_forget(ngx_torii_name_t *name)
{
    ngx_torii_resolver_t  *resolver;

    resolver = name->resolver;

    ngx_rbtree_delete(&resolver->names, &name->sn.node);

    if (!name->answered) {
        resolver->fresh--;
        name->answered = 1;
    }

    if (name->queued) {
        ngx_queue_remove(&name->queue);
    }

    if (name->due.timer_set) {
        ngx_del_timer(&name->due);
    }

    if (name->active) {
        name->gone = 1;
        return;
    }

    ngx_free(name);
}


static void
ngx_torii_resolver_due(ngx_event_t *ev)
{
    ngx_torii_name_t  *name;

    name = (ngx_torii_name_t *)
               ((u_char *) ev - offsetof(ngx_torii_name_t, due));

    ngx_torii_resolver_queue(name);
}


/*
 * Asks for as many names as may be in flight.  An answer out of /etc/hosts
 * comes at once: so one turn of the event loop starts no more than that.
 */

static void
ngx_torii_resolver_pump(ngx_event_t *ev)
{
    ngx_uint_t             n;
    ngx_queue_t           *q;
    ngx_connection_t      *c;
    ngx_torii_resolver_t  *resolver;

    c = ev->data;
    resolver = c->data;

    ngx_torii_resolver_conf(resolver);

    if (resolver->channel == NULL
        && ngx_torii_resolver_channel(resolver) != NGX_OK)
    {
        ngx_add_timer(&resolver->timer, 1000);
        return;
    }

    for (n = 0; n < NGX_TORII_RESOLVER_FLIGHT; n++) {

        if (resolver->active >= NGX_TORII_RESOLVER_FLIGHT) {
            break;
        }

        if (!ngx_queue_empty(&resolver->waiting)) {
            q = ngx_queue_head(&resolver->waiting);

        } else if (!ngx_queue_empty(&resolver->failing)
                   && resolver->active_failing < NGX_TORII_RESOLVER_FAILING)
        {
            q = ngx_queue_head(&resolver->failing);

        } else {
            break;
        }

        ngx_torii_resolver_ask(ngx_queue_data(q, ngx_torii_name_t, queue));
    }

    if (n == NGX_TORII_RESOLVER_FLIGHT) {
        ngx_post_event(&resolver->pump, &ngx_posted_next_events);
    }

    ngx_torii_resolver_arm(resolver);
}


static ngx_int_t
ngx_torii_resolver_channel(ngx_torii_resolver_t *resolver)
{
    int                  rc, mask;
    struct ares_options  options;

    ngx_memzero(&options, sizeof(struct ares_options));

    options.timeout = NGX_TORII_RESOLVER_TIMEOUT;
    options.tries = NGX_TORII_RESOLVER_TRIES;
    options.sock_state_cb = ngx_torii_resolver_socket;
    options.sock_state_cb_data = resolver;

    mask = ARES_OPT_TIMEOUTMS|ARES_OPT_TRIES|ARES_OPT_SOCK_STATE_CB;

#ifdef ARES_OPT_QUERY_CACHE
    /* we ask when the TTL is over, and then want to know */
    options.qcache_max_ttl = 0;
    mask |= ARES_OPT_QUERY_CACHE;
#endif

    (void) stat("/etc/resolv.conf", &resolver->conf);
    resolver->looked = ngx_time();

    rc = ares_init_options(&resolver->channel, &options, mask);

    if (rc != ARES_SUCCESS) {
        ngx_log_error(NGX_LOG_ERR, resolver->log, 0,
                      "torii: cannot start the resolver: %s",
                      ares_strerror(rc));
        resolver->channel = NULL;
        return NGX_ERROR;
    }

    if (resolver->servers.len == 0) {
        return NGX_OK;
    }

    rc = ares_set_servers_ports_csv(resolver->channel,
                                    (char *) resolver->servers.data);

    if (rc != ARES_SUCCESS) {
        ngx_log_error(NGX_LOG_ERR, resolver->log, 0,
                      "torii: name servers \"%V\" cannot be used: %s",
                      &resolver->servers, ares_strerror(rc));
        ares_destroy(resolver->channel);
        resolver->channel = NULL;
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* c-ares reads /etc/resolv.conf once; a DHCP client may write it any time. */

static void
ngx_torii_resolver_conf(ngx_torii_resolver_t *resolver)
{
    struct stat   st;
    ares_channel  channel;

    if (resolver->channel == NULL || resolver->servers.len
        || ngx_time() < resolver->looked + NGX_TORII_RESOLVER_CONF)
    {
        return;
    }

    resolver->looked = ngx_time();

    if (stat("/etc/resolv.conf", &st) != 0
        || (st.st_ino == resolver->conf.st_ino
            && st.st_size == resolver->conf.st_size
            && st.st_mtim.tv_sec == resolver->conf.st_mtim.tv_sec
            && st.st_mtim.tv_nsec == resolver->conf.st_mtim.tv_nsec))
    {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, resolver->log, 0,
                  "torii: /etc/resolv.conf has changed");

    channel = resolver->channel;
    resolver->channel = NULL;

    ares_destroy(channel);
}


static void
ngx_torii_resolver_ask(ngx_torii_name_t *name)
{
    ngx_torii_resolver_t       *resolver;
    struct ares_addrinfo_hints  hints;

    resolver = name->resolver;

    ngx_queue_remove(&name->queue);
    name->queued = 0;

    name->active = 1;
    resolver->active++;

    if (name->failures) {
        resolver->active_failing++;
    }

    ngx_memzero(&hints, sizeof(struct ares_addrinfo_hints));

    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NOSORT;

    ares_getaddrinfo(resolver->channel, (char *) name->data, NULL, &hints,
                     ngx_torii_resolver_answer, name);
}


static void
ngx_torii_resolver_answer(void *arg, int status, int timeouts,
    struct ares_addrinfo *res)
{
    ngx_torii_name_t *name = arg;

    ngx_uint_t             first;
    ngx_torii_resolver_t  *resolver;

    resolver = name->resolver;

    name->active = 0;
    resolver->active--;

    if (name->failures) {
        resolver->active_failing--;
    }

    if (name->gone) {
        ngx_free(name);

    } else if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) {
        ngx_torii_resolver_queue(name);

    } else {
        first = !name->answered;

        if (first) {
            name->answered = 1;
            resolver->fresh--;
        }

        if (status == ARES_SUCCESS && res) {
            ngx_torii_resolver_good(name, res);

        } else {
            ngx_torii_resolver_bad(name, status);
        }

        if (first && name->failures) {
            resolver->handler(resolver->data, &name->sn.str, NULL, 0);
        }
    }

    if (res) {
        ares_freeaddrinfo(res);
    }

    ngx_post_event(&resolver->pump, &ngx_posted_events);
}


static void
ngx_torii_resolver_good(ngx_torii_name_t *name, struct ares_addrinfo *res)
{
    int                          ttl, pass;
    uint8_t                      addrs[NGX_TORII_RESOLVER_ADDRS][16];
    ngx_uint_t                   n;
    struct sockaddr_in          *sin;
    struct sockaddr_in6         *sin6;
    ngx_torii_resolver_t        *resolver;
    struct ares_addrinfo_node   *node;
    struct ares_addrinfo_cname  *cname;

    resolver = name->resolver;
    ttl = NGX_TORII_RESOLVER_MAX;
    n = 0;

    /* addresses without a route only when there is nothing else */

    for (pass = 0; pass < 2 && n == 0; pass++) {

        for (node = res->nodes; node && n < NGX_TORII_RESOLVER_ADDRS;
             node = node->ai_next)
        {
            ttl = ngx_min(ttl, node->ai_ttl);

            if (pass == 0 && !ngx_torii_resolver_reachable(node->ai_addr,
                                                           node->ai_addrlen))
            {
                continue;
            }

            if (node->ai_family == AF_INET) {
                sin = (struct sockaddr_in *) node->ai_addr;
                ngx_memcpy(addrs[n], ngx_torii_resolver_mapped, 12);
                ngx_memcpy(&addrs[n][12], &sin->sin_addr, 4);
                n++;

            } else if (node->ai_family == AF_INET6) {
                sin6 = (struct sockaddr_in6 *) node->ai_addr;
                ngx_memcpy(addrs[n], &sin6->sin6_addr, 16);
                n++;
            }
        }
    }

    for (cname = res->cnames; cname; cname = cname->next) {
        ttl = ngx_min(ttl, cname->ttl);
    }

    if (n == 0) {
        ngx_torii_resolver_bad(name, ARES_ENODATA);
        return;
    }

    if (name->failures) {
        ngx_log_error(NGX_LOG_NOTICE, resolver->log, 0,
                      "torii: \"%V\" is resolved again", &name->sn.str);
        name->failures = 0;
    }

    ttl = ngx_max(ttl, NGX_TORII_RESOLVER_MIN);

    ngx_add_timer(&name->due, (ngx_msec_t) ttl * 1000);

    resolver->handler(resolver->data, &name->sn.str,
                      (const uint8_t (*)[16]) addrs, n);
}


static void
ngx_torii_resolver_bad(ngx_torii_name_t *name, int status)
{
    ngx_msec_t  wait;
    ngx_uint_t  level;

    wait = NGX_TORII_RESOLVER_RETRY;
    level = name->failures ? NGX_LOG_INFO : NGX_LOG_WARN;

    if (name->failures < 5) {
        wait = (ngx_msec_t) 1000 << name->failures;
    }

    ngx_log_error(level, name->resolver->log, 0,
                  "torii: cannot resolve \"%V\", asking again in %M ms: %s",
                  &name->sn.str, wait, ares_strerror(status));

    name->failures++;

    ngx_add_timer(&name->due, wait);
}


/* connect() of a datagram socket sends nothing and fails without a route. */

static ngx_uint_t
ngx_torii_resolver_reachable(struct sockaddr *sa, socklen_t len)
{
    int                  fd, rc;
    struct sockaddr_in6  sin6;

    if (sa->sa_family != AF_INET6 || len < (socklen_t) sizeof(sin6)) {
        return 1;
    }

    ngx_memcpy(&sin6, sa, sizeof(sin6));
    sin6.sin6_port = htons(80);

    fd = socket(AF_INET6, SOCK_DGRAM|SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return 0;
    }

    rc = connect(fd, (struct sockaddr *) &sin6, sizeof(sin6));

    close(fd);

    return rc == 0;
}


static void
ngx_torii_resolver_socket(void *data, ares_socket_t fd, int readable,
    int writable)
{
    ngx_torii_resolver_t *resolver = data;

    ngx_connection_t  *c, **slot;

    c = ngx_torii_resolver_connection(resolver, fd);

    if (!readable && !writable) {
        if (c) {
            ngx_torii_resolver_close(resolver, c);
        }

        return;
    }

    if (c == NULL) {
        slot = ngx_array_push(&resolver->sockets);
        if (slot == NULL) {
            return;
        }

        c = ngx_get_connection(fd, resolver->log);
        if (c == NULL) {
            resolver->sockets.nelts--;
            return;
        }

        *slot = c;
        c->data = resolver;
        c->log = resolver->log;
        c->read->log = resolver->log;
        c->write->log = resolver->log;
        c->read->handler = ngx_torii_resolver_io;
        c->write->handler = ngx_torii_resolver_io;
        c->read->resolver = 1;
    }

    ngx_torii_event_interest(c->read, NGX_READ_EVENT, readable);
    ngx_torii_event_interest(c->write, NGX_WRITE_EVENT, writable);
}


static ngx_connection_t *
ngx_torii_resolver_connection(ngx_torii_resolver_t *resolver,
    ares_socket_t fd)
{
    ngx_uint_t          i;
    ngx_connection_t  **c;

    c = resolver->sockets.elts;

    for (i = 0; i < resolver->sockets.nelts; i++) {
        if (c[i]->fd == fd) {
            return c[i];
        }
    }

    return NULL;
}


/* c-ares closes the descriptor itself, right after this. */

static void
ngx_torii_resolver_close(ngx_torii_resolver_t *resolver, ngx_connection_t *c)
{
    ngx_uint_t          i;
    ngx_connection_t  **sockets;

    ngx_torii_event_interest(c->read, NGX_READ_EVENT, 0);
    ngx_torii_event_interest(c->write, NGX_WRITE_EVENT, 0);

    sockets = resolver->sockets.elts;

    for (i = 0; i < resolver->sockets.nelts; i++) {
        if (sockets[i] == c) {
            sockets[i] = sockets[--resolver->sockets.nelts];
            break;
        }
    }

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;
}


static void
ngx_torii_resolver_io(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_torii_resolver_t  *resolver;

    c = ev->data;
    resolver = c->data;

    if (ev->write) {
        ares_process_fd(resolver->channel, ARES_SOCKET_BAD, c->fd);

    } else {
        ares_process_fd(resolver->channel, c->fd, ARES_SOCKET_BAD);
    }

    ngx_torii_resolver_arm(resolver);
}


static void
ngx_torii_resolver_timeout(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_torii_resolver_t  *resolver;

    c = ev->data;
    resolver = c->data;

    if (resolver->channel == NULL) {
        ngx_post_event(&resolver->pump, &ngx_posted_events);
        return;
    }

    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);

    ngx_torii_resolver_arm(resolver);
}


static void
ngx_torii_resolver_arm(ngx_torii_resolver_t *resolver)
{
    struct timeval  tv, *wait;

    if (resolver->timer.timer_set) {
        ngx_del_timer(&resolver->timer);
    }

    wait = ares_timeout(resolver->channel, NULL, &tv);

    if (wait) {
        ngx_add_timer(&resolver->timer, wait->tv_sec * 1000
                                        + (wait->tv_usec + 999) / 1000);
    }
}
