
/*
 * libcurl's multi interface on nginx's event loop: libcurl says which sockets
 * and which timer it waits for, we tell it what happened.
 *
 * libcurl keeps connections apart by what it was told of TLS, and it is not
 * told: certificates come from memory, by a callback.  So each identity has a
 * multi handle, and with it connections, of its own.
 */

#include "ngx_torii_curl_multi.h"
#include "ngx_torii_event.h"


#define NGX_TORII_CURL_CONNECTIONS  256      /* at once, of one identity */
#define NGX_TORII_CURL_KEPT         16       /* idle ones */


static void ngx_torii_curl_destroy(void *data);
static void ngx_torii_curl_multi_free(ngx_torii_curl_multi_t *m);
static ngx_torii_curl_multi_t *ngx_torii_curl_find(ngx_torii_curl_t *curl,
    const ngx_torii_curl_tls_t *tls);
static int ngx_torii_curl_socket(CURL *easy, curl_socket_t fd, int what,
    void *data, void *socket);
static ngx_torii_curl_socket_t *ngx_torii_curl_open(ngx_torii_curl_multi_t *m,
    curl_socket_t fd);
static long ngx_torii_curl_port(curl_socket_t fd);
static void ngx_torii_curl_close(ngx_torii_curl_socket_t *s);
static int ngx_torii_curl_timer(CURLM *multi, long ms, void *data);
static void ngx_torii_curl_io_handler(ngx_event_t *ev);
static void ngx_torii_curl_timer_handler(ngx_event_t *ev);
static ngx_torii_curl_socket_t *ngx_torii_curl_socket_of(
    ngx_torii_curl_transfer_t *t);


ngx_torii_curl_t *
ngx_torii_curl_create(ngx_pool_t *pool, ngx_log_t *log)
{
    ngx_torii_curl_t    *curl;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_torii_curl_t));
    if (cln == NULL) {
        return NULL;
    }

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "torii: libcurl does not start");
        return NULL;
    }

    curl = cln->data;
    ngx_memzero(curl, sizeof(ngx_torii_curl_t));

    curl->log = log;
    ngx_queue_init(&curl->multis);

    cln->handler = ngx_torii_curl_destroy;

    return curl;
}


static void
ngx_torii_curl_destroy(void *data)
{
    ngx_torii_curl_t *curl = data;

    ngx_queue_t  *q;

    while (!ngx_queue_empty(&curl->multis)) {
        q = ngx_queue_head(&curl->multis);
        ngx_torii_curl_multi_free(ngx_queue_data(q, ngx_torii_curl_multi_t,
                                                 queue));
    }

    X509_STORE_free(curl->store);

    curl_global_cleanup();
}


ngx_torii_curl_multi_t *
ngx_torii_curl_multi(ngx_torii_curl_t *curl, const ngx_torii_curl_tls_t *tls)
{
    ngx_torii_curl_multi_t  *m;

    m = ngx_torii_curl_find(curl, tls);
    if (m) {
        return m;
    }

    m = ngx_calloc(sizeof(ngx_torii_curl_multi_t), curl->log);
    if (m == NULL) {
        return NULL;
    }

    m->multi = curl_multi_init();
    if (m->multi == NULL) {
        ngx_free(m);
        return NULL;
    }

    m->curl = curl;
    m->tls = tls;
    ngx_queue_init(&m->transfers);
    ngx_queue_init(&m->ready);
    ngx_queue_init(&m->sockets);
    ngx_queue_insert_head(&curl->multis, &m->queue);

    m->dummy.fd = (ngx_socket_t) -1;
    m->dummy.data = m;

    m->timer.handler = ngx_torii_curl_timer_handler;
    m->timer.data = &m->dummy;
    m->timer.log = curl->log;
    m->timer.cancelable = 1;

    curl_multi_setopt(m->multi, CURLMOPT_SOCKETFUNCTION, ngx_torii_curl_socket);
    curl_multi_setopt(m->multi, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(m->multi, CURLMOPT_TIMERFUNCTION, ngx_torii_curl_timer);
    curl_multi_setopt(m->multi, CURLMOPT_TIMERDATA, m);
    curl_multi_setopt(m->multi, CURLMOPT_MAXCONNECTS,
                      (long) NGX_TORII_CURL_KEPT);
    curl_multi_setopt(m->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                      (long) NGX_TORII_CURL_CONNECTIONS);

    return m;
}


static void
ngx_torii_curl_multi_free(ngx_torii_curl_multi_t *m)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&m->transfers)) {
        q = ngx_queue_head(&m->transfers);
        ngx_torii_curl_free(ngx_queue_data(q, ngx_torii_curl_transfer_t,
                                           queue));
    }

    curl_multi_cleanup(m->multi);

    if (m->timer.timer_set) {
        ngx_del_timer(&m->timer);
    }

    ngx_queue_remove(&m->queue);
    ngx_free(m);
}


void
ngx_torii_curl_forget(ngx_torii_curl_t *curl, const ngx_torii_curl_tls_t *tls)
{
    ngx_torii_curl_multi_t  *m;

    m = ngx_torii_curl_find(curl, tls);

    if (m) {
        ngx_torii_curl_multi_free(m);
    }
}


static ngx_torii_curl_multi_t *
ngx_torii_curl_find(ngx_torii_curl_t *curl, const ngx_torii_curl_tls_t *tls)
{
    ngx_queue_t             *q;
    ngx_torii_curl_multi_t  *m;

    for (q = ngx_queue_head(&curl->multis);
         q != ngx_queue_sentinel(&curl->multis);
         q = ngx_queue_next(q))
    {
        m = ngx_queue_data(q, ngx_torii_curl_multi_t, queue);

        if (m->tls == tls) {
            return m;
        }
    }

    return NULL;
}


static int
ngx_torii_curl_socket(CURL *easy, curl_socket_t fd, int what, void *data,
    void *socket)
{
    ngx_torii_curl_multi_t *m = data;
    ngx_torii_curl_socket_t *s = socket;

    ngx_connection_t           *c;
    ngx_torii_curl_transfer_t  *t;

    if (what == CURL_POLL_REMOVE) {
        if (s) {
            curl_multi_assign(m->multi, fd, NULL);
            ngx_torii_curl_close(s);
        }

        return 0;
    }

    if (s == NULL) {
        s = ngx_torii_curl_open(m, fd);
        if (s == NULL) {
            return 0;
        }

        curl_multi_assign(m->multi, fd, s);

        /* nobody can have heard anything before */

        t = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);

        if (t) {
            t->last = s->last;
        }
    }

    c = s->connection;

    ngx_torii_event_interest(c->read, NGX_READ_EVENT, what & CURL_POLL_IN);
    ngx_torii_event_interest(c->write, NGX_WRITE_EVENT, what & CURL_POLL_OUT);

    return 0;
}


static ngx_torii_curl_socket_t *
ngx_torii_curl_open(ngx_torii_curl_multi_t *m, curl_socket_t fd)
{
    ngx_log_t                *log;
    ngx_connection_t         *c;
    ngx_torii_curl_socket_t  *s;

    log = m->curl->log;

    s = ngx_alloc(sizeof(ngx_torii_curl_socket_t), log);
    if (s == NULL) {
        return NULL;
    }

    c = ngx_get_connection(fd, log);
    if (c == NULL) {
        ngx_free(s);
        return NULL;
    }

    c->data = s;
    c->log = log;
    c->read->log = log;
    c->write->log = log;
    c->read->handler = ngx_torii_curl_io_handler;
    c->write->handler = ngx_torii_curl_io_handler;

    /* a worker that shuts down need not tell of it */

    c->read->resolver = 1;

    s->multi = m;
    s->connection = c;
    s->port = ngx_torii_curl_port(fd);
    s->last = ngx_current_msec;

    ngx_queue_insert_head(&m->sockets, &s->queue);

    return s;
}


static long
ngx_torii_curl_port(curl_socket_t fd)
{
    socklen_t       len;
    ngx_sockaddr_t  sa;

    len = sizeof(ngx_sockaddr_t);

    if (getsockname(fd, &sa.sockaddr, &len) == -1) {
        return 0;
    }

    return ngx_inet_get_port(&sa.sockaddr);
}


/* libcurl closes the descriptor itself, or keeps it for the next request. */

static void
ngx_torii_curl_close(ngx_torii_curl_socket_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;

    ngx_torii_event_interest(c->read, NGX_READ_EVENT, 0);
    ngx_torii_event_interest(c->write, NGX_WRITE_EVENT, 0);

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;

    ngx_queue_remove(&s->queue);
    ngx_free(s);
}


static int
ngx_torii_curl_timer(CURLM *multi, long ms, void *data)
{
    ngx_torii_curl_multi_t *m = data;

    /* ngx_add_timer() keeps an old timer that is near the new one */

    if (m->timer.timer_set) {
        ngx_del_timer(&m->timer);
    }

    if (ms >= 0) {
        ngx_add_timer(&m->timer, (ngx_msec_t) ms);
    }

    return 0;
}


static void
ngx_torii_curl_io_handler(ngx_event_t *ev)
{
    int                       running;
    ngx_connection_t         *c;
    ngx_torii_curl_multi_t   *m;
    ngx_torii_curl_socket_t  *s;

    c = ev->data;
    s = c->data;
    m = s->multi;

    (void) curl_multi_socket_action(m->multi, c->fd,
                                    ev->write ? CURL_CSELECT_OUT
                                              : CURL_CSELECT_IN,
                                    &running);
    ngx_torii_curl_settle(m);
}


static void
ngx_torii_curl_timer_handler(ngx_event_t *ev)
{
    int                      running;
    ngx_connection_t        *c;
    ngx_torii_curl_multi_t  *m;

    c = ev->data;
    m = c->data;

    (void) curl_multi_socket_action(m->multi, CURL_SOCKET_TIMEOUT, 0,
                                    &running);
    ngx_torii_curl_settle(m);
}


void
ngx_torii_curl_heard(ngx_torii_curl_transfer_t *t)
{
    ngx_torii_curl_socket_t  *s;

    t->last = ngx_current_msec;

    s = ngx_torii_curl_socket_of(t);

    if (s) {
        s->last = ngx_current_msec;
    }
}


/*
 * libcurl does not tell the descriptor of a transfer before it is over, nor
 * when others share it, but its port.
 */

static ngx_torii_curl_socket_t *
ngx_torii_curl_socket_of(ngx_torii_curl_transfer_t *t)
{
    long                      port;
    ngx_queue_t              *q;
    ngx_torii_curl_socket_t  *s;

    port = 0;
    curl_easy_getinfo(t->easy, CURLINFO_LOCAL_PORT, &port);

    for (q = ngx_queue_head(&t->multi->sockets);
         q != ngx_queue_sentinel(&t->multi->sockets);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_torii_curl_socket_t, queue);

        if (port && s->port == port) {
            return s;
        }
    }

    return NULL;
}


void
ngx_torii_curl_sever(ngx_torii_curl_transfer_t *t, ngx_msec_t silent)
{
    ngx_torii_curl_socket_t  *s;

    s = ngx_torii_curl_socket_of(t);

    if (s && ngx_current_msec - s->last >= silent) {
        (void) shutdown(s->connection->fd, SHUT_RDWR);
    }
}
