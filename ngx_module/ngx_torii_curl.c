
/*
 * libcurl's multi interface on nginx's event loop: libcurl says which sockets
 * and which timer it waits for, we tell it what happened.  What it receives is
 * kept until its call is over: handlers may then start and cancel transfers.
 *
 * libcurl keeps connections apart by what it was told of TLS, and it is not
 * told: certificates come from memory, by a callback.  So each identity has a
 * multi handle, and with it connections, of its own.
 */

#include "ngx_torii_curl.h"
#include "ngx_torii_event.h"

#include <curl/curl.h>

#include "ingress_login.h"


#define NGX_TORII_CURL_CONNECTIONS  256      /* at once, of one identity */
#define NGX_TORII_CURL_KEPT         16       /* idle ones */
#define NGX_TORII_CURL_BUFFER       32768    /* of a read */
#define NGX_TORII_CURL_SPARE        65536    /* kept between two reads */
#define NGX_TORII_CURL_KEEPALIVE    15L      /* seconds between two probes */
#define NGX_TORII_CURL_UNACKED      45000    /* ms, then a connection is dead */
#define NGX_TORII_CURL_SILENT       10000    /* the same, of a request's timeout
                                                and nothing heard before */
#define NGX_TORII_CURL_AGENT        "torii/" TORII_VERSION


typedef struct {
    ngx_queue_t                  queue;      /* in curl->multis */
    ngx_torii_curl_t            *curl;
    const ngx_torii_curl_tls_t  *tls;        /* NULL: defaults */
    CURLM                       *multi;
    ngx_queue_t                  transfers;
    ngx_queue_t                  ready;      /* to hear of what came */
    ngx_queue_t                  sockets;
    ngx_event_t                  timer;
    ngx_connection_t             dummy;      /* what timer.data points to */
} ngx_torii_curl_multi_t;


/* A connection of libcurl's, as long as a transfer waits on it. */

typedef struct {
    ngx_queue_t                  queue;      /* in multi->sockets */
    ngx_torii_curl_multi_t      *multi;
    ngx_connection_t            *connection;
    long                         port;       /* our end's */
    ngx_msec_t                   last;       /* when a byte came, of any of its
                                                transfers */
} ngx_torii_curl_socket_t;


struct ngx_torii_curl_s {
    ngx_queue_t                  multis;
    X509_STORE                  *store;      /* the machine's own */
    ngx_log_t                   *log;
};


struct ngx_torii_curl_transfer_s {
    ngx_queue_t                  queue;      /* in multi->transfers */
    ngx_queue_t                  ready;
    ngx_torii_curl_multi_t      *multi;
    CURL                        *easy;
    struct curl_slist           *headers;
    struct curl_slist           *connect_to;
    ngx_torii_curl_handlers_t    handlers;

    ngx_msec_t                   idle;
    ngx_msec_t                   last;       /* when a byte came */
    ngx_event_t                  timer;      /* of idle */
    ngx_connection_t             dummy;

    torii_buf_t                  in;         /* came, and was not told yet */
    CURLcode                     code;
    unsigned                     queued:1;   /* in multi->ready */
    unsigned                     head:1;     /* came whole */
    unsigned                     told:1;
    unsigned                     finished:1;
    char                         error[CURL_ERROR_SIZE];
};


static void ngx_torii_curl_destroy(void *data);
static ngx_torii_curl_multi_t *ngx_torii_curl_multi(ngx_torii_curl_t *curl,
    const ngx_torii_curl_tls_t *tls);
static void ngx_torii_curl_multi_free(ngx_torii_curl_multi_t *m);

static ngx_torii_curl_transfer_t *ngx_torii_curl_transfer(
    ngx_torii_curl_t *curl, const ngx_torii_curl_request_t *req);
static ngx_int_t ngx_torii_curl_options(ngx_torii_curl_transfer_t *t,
    const ngx_torii_curl_request_t *req);
static ngx_int_t ngx_torii_curl_login(CURL *easy,
    const ngx_torii_curl_request_t *req);
static ngx_int_t ngx_torii_curl_url(ngx_torii_curl_transfer_t *t,
    const ngx_torii_curl_request_t *req);
static ngx_int_t ngx_torii_curl_tls_name(ngx_torii_curl_transfer_t *t,
    CURLU *u, char *name);
static ngx_int_t ngx_torii_curl_header_add(ngx_torii_curl_transfer_t *t,
    char *header);
static ngx_int_t ngx_torii_curl_tls(ngx_torii_curl_transfer_t *t);
static CURLcode ngx_torii_curl_ssl(CURL *easy, void *ssl_ctx, void *data);
static int ngx_torii_curl_sockopt(void *data, curl_socket_t fd,
    curlsocktype purpose);

static curl_socket_t ngx_torii_curl_foreign(void *data, curlsocktype purpose,
    struct curl_sockaddr *to);
static int ngx_torii_curl_socket(CURL *easy, curl_socket_t fd, int what,
    void *data, void *socket);
static ngx_torii_curl_socket_t *ngx_torii_curl_open(ngx_torii_curl_multi_t *m,
    curl_socket_t fd);
static long ngx_torii_curl_port(curl_socket_t fd);
static void ngx_torii_curl_close(ngx_torii_curl_socket_t *s);
static int ngx_torii_curl_timer(CURLM *multi, long ms, void *data);
static size_t ngx_torii_curl_header(char *p, size_t size, size_t n,
    void *data);
static size_t ngx_torii_curl_body(char *p, size_t size, size_t n, void *data);
static void ngx_torii_curl_heard(ngx_torii_curl_transfer_t *t);
static ngx_torii_curl_socket_t *ngx_torii_curl_socket_of(
    ngx_torii_curl_transfer_t *t);
static void ngx_torii_curl_ready(ngx_torii_curl_transfer_t *t);

static void ngx_torii_curl_io_handler(ngx_event_t *ev);
static void ngx_torii_curl_timer_handler(ngx_event_t *ev);
static void ngx_torii_curl_idle_handler(ngx_event_t *ev);
static void ngx_torii_curl_settle(ngx_torii_curl_multi_t *m);
static void ngx_torii_curl_sever(ngx_torii_curl_transfer_t *t,
    ngx_msec_t silent);
static void ngx_torii_curl_deliver(ngx_torii_curl_transfer_t *t);
static ngx_int_t ngx_torii_curl_tell_head(ngx_torii_curl_transfer_t *t);
static ngx_int_t ngx_torii_curl_tell_body(ngx_torii_curl_transfer_t *t);
static void ngx_torii_curl_tell_done(ngx_torii_curl_transfer_t *t);
static void ngx_torii_curl_easy_free(ngx_torii_curl_transfer_t *t);
static void ngx_torii_curl_free(ngx_torii_curl_transfer_t *t);
static size_t ngx_torii_curl_ignore(char *p, size_t size, size_t n,
    void *data);


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


static ngx_torii_curl_multi_t *
ngx_torii_curl_multi(ngx_torii_curl_t *curl, const ngx_torii_curl_tls_t *tls)
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
    ngx_queue_t             *q;
    ngx_torii_curl_multi_t  *m;

    for (q = ngx_queue_head(&curl->multis);
         q != ngx_queue_sentinel(&curl->multis);
         q = ngx_queue_next(q))
    {
        m = ngx_queue_data(q, ngx_torii_curl_multi_t, queue);

        if (m->tls == tls) {
            ngx_torii_curl_multi_free(m);
            return;
        }
    }
}


ngx_torii_curl_transfer_t *
ngx_torii_curl_start(ngx_torii_curl_t *curl,
    const ngx_torii_curl_request_t *req,
    const ngx_torii_curl_handlers_t *handlers)
{
    ngx_torii_curl_transfer_t  *t;

    t = ngx_torii_curl_transfer(curl, req);
    if (t == NULL) {
        return NULL;
    }

    t->handlers = *handlers;
    t->idle = req->idle;
    t->last = ngx_current_msec;

    t->dummy.fd = (ngx_socket_t) -1;
    t->dummy.data = t;

    t->timer.handler = ngx_torii_curl_idle_handler;
    t->timer.data = &t->dummy;
    t->timer.log = curl->log;
    t->timer.cancelable = 1;

    if (ngx_torii_curl_options(t, req) != NGX_OK
        || curl_multi_add_handle(t->multi->multi, t->easy) != CURLM_OK)
    {
        ngx_log_error(NGX_LOG_ERR, curl->log, 0,
                      "torii: cannot ask \"%s\": no memory, or no address",
                      req->url);
        ngx_torii_curl_free(t);
        return NULL;
    }

    if (t->idle) {
        ngx_add_timer(&t->timer, t->idle);
    }

    return t;
}


/* One of its multi handle, with nothing set. */

static ngx_torii_curl_transfer_t *
ngx_torii_curl_transfer(ngx_torii_curl_t *curl,
    const ngx_torii_curl_request_t *req)
{
    ngx_torii_curl_multi_t     *m;
    ngx_torii_curl_transfer_t  *t;

    m = ngx_torii_curl_multi(curl, req->tls);
    if (m == NULL) {
        return NULL;
    }

    t = ngx_calloc(sizeof(ngx_torii_curl_transfer_t), curl->log);
    if (t == NULL) {
        return NULL;
    }

    t->multi = m;
    ngx_queue_insert_tail(&m->transfers, &t->queue);

    return t;
}


static ngx_int_t
ngx_torii_curl_options(ngx_torii_curl_transfer_t *t,
    const ngx_torii_curl_request_t *req)
{
    char  **header;
    CURL   *easy;

    easy = curl_easy_init();
    if (easy == NULL) {
        return NGX_ERROR;
    }

    t->easy = easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, NGX_TORII_CURL_AGENT);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long) NGX_TORII_CURL_BUFFER);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) req->timeout);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long) req->connect_timeout);

    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, NGX_TORII_CURL_KEEPALIVE);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, NGX_TORII_CURL_KEEPALIVE);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, ngx_torii_curl_sockopt);

    if (req->foreign) {
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
                         ngx_torii_curl_foreign);
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
    }

    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, ngx_torii_curl_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ngx_torii_curl_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);

    for (header = req->headers; header && *header; header++) {
        if (ngx_torii_curl_header_add(t, *header) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (req->body.len) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t) req->body.len);

        /* without waiting for "100 Continue"; libcurl would sign a header that
           it does not send */

        if (curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, req->body.data)
            != CURLE_OK
            || (req->sign == NULL
                && ngx_torii_curl_header_add(t, "Expect:") != NGX_OK))
        {
            return NGX_ERROR;
        }
    }

    if (ngx_strcmp(req->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }

    if (ngx_torii_curl_url(t, req) != NGX_OK
        || ngx_torii_curl_login(easy, req) != NGX_OK
        || curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, req->method)
           != CURLE_OK)
    {
        return NGX_ERROR;
    }

    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);

    return ngx_torii_curl_tls(t);
}


/* A signature goes over the query as it is: its author has it sorted. */

static ngx_int_t
ngx_torii_curl_login(CURL *easy, const ngx_torii_curl_request_t *req)
{
    if (req->login == NULL) {
        return NGX_OK;
    }

    if (curl_easy_setopt(easy, CURLOPT_USERPWD, req->login) != CURLE_OK) {
        return NGX_ERROR;
    }

    if (req->sign) {
        return curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, req->sign) == CURLE_OK
               ? NGX_OK : NGX_ERROR;
    }

    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);

    return NGX_OK;
}


static ngx_int_t
ngx_torii_curl_url(ngx_torii_curl_transfer_t *t,
    const ngx_torii_curl_request_t *req)
{
    char       *url;
    CURLU      *u;
    ngx_int_t   rc;

    if (req->tls_name == NULL) {
        return curl_easy_setopt(t->easy, CURLOPT_URL, req->url) == CURLE_OK
               ? NGX_OK : NGX_ERROR;
    }

    url = NULL;
    rc = NGX_ERROR;

    u = curl_url();

    if (u && curl_url_set(u, CURLUPART_URL, req->url, 0) == CURLUE_OK
        && ngx_torii_curl_tls_name(t, u, req->tls_name) == NGX_OK
        && curl_url_get(u, CURLUPART_URL, &url, 0) == CURLUE_OK
        && curl_easy_setopt(t->easy, CURLOPT_URL, url) == CURLE_OK)
    {
        rc = NGX_OK;
    }

    curl_free(url);
    curl_url_cleanup(u);

    return rc;
}


/*
 * libcurl sends and verifies the URL's name: so the name to verify goes into
 * the URL, and the URL's own one into the Host header and where to connect to.
 */

static ngx_int_t
ngx_torii_curl_tls_name(ngx_torii_curl_transfer_t *t, CURLU *u, char *name)
{
    char       *host, *port, text[512];
    ngx_int_t   rc;

    host = NULL;
    port = NULL;
    rc = NGX_ERROR;

    if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK
        || curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT)
           != CURLUE_OK
        || curl_url_set(u, CURLUPART_HOST, name, 0) != CURLUE_OK)
    {
        goto done;
    }

    (void) snprintf(text, sizeof(text), "::%s:%s", host, port);

    t->connect_to = curl_slist_append(NULL, text);
    if (t->connect_to == NULL) {
        goto done;
    }

    curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);

    (void) snprintf(text, sizeof(text), "Host: %s:%s", host, port);

    rc = ngx_torii_curl_header_add(t, text);

done:

    curl_free(host);
    curl_free(port);

    return rc;
}


static ngx_int_t
ngx_torii_curl_header_add(ngx_torii_curl_transfer_t *t, char *header)
{
    struct curl_slist  *headers;

    headers = curl_slist_append(t->headers, header);
    if (headers == NULL) {
        return NGX_ERROR;
    }

    t->headers = headers;

    return NGX_OK;
}


/*
 * libcurl would read all authorities of the machine from their file for every
 * connection, which takes it a tenth of a second: it gets a store instead.
 */

static ngx_int_t
ngx_torii_curl_tls(ngx_torii_curl_transfer_t *t)
{
    CURL                    *easy;
    ngx_torii_curl_t        *curl;
    ngx_torii_curl_multi_t  *m;

    easy = t->easy;
    m = t->multi;
    curl = m->curl;

    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);

    if (m->tls && m->tls->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);

    } else if ((m->tls == NULL || m->tls->store == NULL)
               && curl->store == NULL)
    {
        curl->store = X509_STORE_new();
        if (curl->store == NULL) {
            return NGX_ERROR;
        }

        (void) X509_STORE_set_default_paths(curl->store);
        ERR_clear_error();
    }

    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, ngx_torii_curl_ssl);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, m);

    return NGX_OK;
}


static CURLcode
ngx_torii_curl_ssl(CURL *easy, void *ssl_ctx, void *data)
{
    SSL_CTX *ctx = ssl_ctx;
    ngx_torii_curl_multi_t *m = data;

    X509_STORE                  *store;
    const ngx_torii_curl_tls_t  *tls;

    tls = m->tls;
    store = (tls && tls->store) ? tls->store : m->curl->store;

    if (store) {
        SSL_CTX_set1_cert_store(ctx, store);
    }

    if (tls == NULL || tls->cert == NULL) {
        return CURLE_OK;
    }

    if (SSL_CTX_use_certificate(ctx, tls->cert) != 1
        || SSL_CTX_set1_chain(ctx, tls->chain) != 1
        || SSL_CTX_use_PrivateKey(ctx, tls->key) != 1)
    {
        ERR_clear_error();
        return CURLE_SSL_CERTPROBLEM;
    }

    return CURLE_OK;
}


/* What we sent and nobody confirms: the kernel would wait 15 minutes. */

static int
ngx_torii_curl_sockopt(void *data, curl_socket_t fd, curlsocktype purpose)
{
#ifdef TCP_USER_TIMEOUT
    int  ms;

    ms = NGX_TORII_CURL_UNACKED;

    (void) setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(int));
#endif

    return CURL_SOCKOPT_OK;
}


/* What a name leads to is known only now, whoever has it resolved how. */

static curl_socket_t
ngx_torii_curl_foreign(void *data, curlsocktype purpose,
    struct curl_sockaddr *to)
{
    ngx_torii_curl_transfer_t *t = data;

    uint8_t               addr[16];
    struct sockaddr_in   *sin;
    struct sockaddr_in6  *sin6;

    ngx_memzero(addr, sizeof(addr));

    switch (to->family) {

    case AF_INET:
        sin = (struct sockaddr_in *) &to->addr;
        addr[10] = 0xff;
        addr[11] = 0xff;
        ngx_memcpy(&addr[12], &sin->sin_addr, 4);
        break;

    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) &to->addr;
        ngx_memcpy(addr, &sin6->sin6_addr, 16);
        break;

    default:
        return CURL_SOCKET_BAD;
    }

    if (ingress_upstream_local(addr)) {
        ngx_log_error(NGX_LOG_ERR, t->multi->curl->log, 0,
                      "torii: a server that is asked has an address of this "
                      "machine or its link, which objects may not name");
        return CURL_SOCKET_BAD;
    }

    return socket(to->family, to->socktype, to->protocol);
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


static size_t
ngx_torii_curl_header(char *p, size_t size, size_t n, void *data)
{
    ngx_torii_curl_transfer_t *t = data;

    long  status;

    n *= size;
    ngx_torii_curl_heard(t);

    /* after the end of the head: trailers */

    if (t->head || n == 0 || (p[0] != '\r' && p[0] != '\n')) {
        return n;
    }

    status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);

    if (status >= 200) {
        t->head = 1;
        ngx_torii_curl_ready(t);
    }

    return n;
}


static size_t
ngx_torii_curl_body(char *p, size_t size, size_t n, void *data)
{
    ngx_torii_curl_transfer_t *t = data;

    n *= size;
    ngx_torii_curl_heard(t);

    torii_buf_add(&t->in, p, n);
    ngx_torii_curl_ready(t);

    return n;
}


static void
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


static void
ngx_torii_curl_ready(ngx_torii_curl_transfer_t *t)
{
    if (!t->queued) {
        t->queued = 1;
        ngx_queue_insert_tail(&t->multi->ready, &t->ready);
    }
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


static void
ngx_torii_curl_idle_handler(ngx_event_t *ev)
{
    ngx_msec_t                  silent;
    ngx_connection_t           *c;
    ngx_torii_curl_transfer_t  *t;

    c = ev->data;
    t = c->data;

    silent = ngx_current_msec - t->last;

    if (silent < t->idle) {
        ngx_add_timer(ev, t->idle - silent);
        return;
    }

    (void) snprintf(t->error, sizeof(t->error), "no byte came for %lu ms",
                    (unsigned long) t->idle);

    ngx_torii_curl_sever(t, t->idle);

    t->finished = 1;
    t->code = CURLE_OPERATION_TIMEDOUT;

    ngx_torii_curl_ready(t);
    ngx_torii_curl_settle(t->multi);
}


static void
ngx_torii_curl_settle(ngx_torii_curl_multi_t *m)
{
    int                         n;
    CURLMsg                    *msg;
    ngx_queue_t                *q;
    ngx_torii_curl_transfer_t  *t;

    while ((msg = curl_multi_info_read(m->multi, &n)) != NULL) {

        t = NULL;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);

        if (msg->msg != CURLMSG_DONE || t == NULL || t->finished) {
            continue;
        }

        t->finished = 1;
        t->code = msg->data.result;

        /* a slow server is no dead one, as long as it says anything */

        if (t->code == CURLE_OPERATION_TIMEDOUT && !t->head) {
            ngx_torii_curl_sever(t, NGX_TORII_CURL_SILENT);
        }

        ngx_torii_curl_ready(t);
    }

    while (!ngx_queue_empty(&m->ready)) {
        q = ngx_queue_head(&m->ready);
        t = ngx_queue_data(q, ngx_torii_curl_transfer_t, ready);

        ngx_queue_remove(q);
        t->queued = 0;

        ngx_torii_curl_deliver(t);
    }
}


/*
 * The connection of a transfer that waits in vain is dead if no other one that
 * shares it heard anything for so long: libcurl would go on to use it.
 */

static void
ngx_torii_curl_sever(ngx_torii_curl_transfer_t *t, ngx_msec_t silent)
{
    ngx_torii_curl_socket_t  *s;

    s = ngx_torii_curl_socket_of(t);

    if (s && ngx_current_msec - s->last >= silent) {
        (void) shutdown(s->connection->fd, SHUT_RDWR);
    }
}


static void
ngx_torii_curl_deliver(ngx_torii_curl_transfer_t *t)
{
    if (t->head && !t->told && ngx_torii_curl_tell_head(t) != NGX_OK) {
        ngx_torii_curl_free(t);
        return;
    }

    if (t->in.len && ngx_torii_curl_tell_body(t) != NGX_OK) {
        ngx_torii_curl_free(t);
        return;
    }

    if (t->finished) {
        ngx_torii_curl_tell_done(t);
        ngx_torii_curl_free(t);
    }
}


static ngx_int_t
ngx_torii_curl_tell_head(ngx_torii_curl_transfer_t *t)
{
    char        *type;
    long         status;
    curl_off_t   retry;
    ngx_str_t    content_type;

    t->told = 1;

    type = NULL;
    status = 0;
    retry = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry);

    content_type.data = (u_char *) (type ? type : "");
    content_type.len = ngx_strlen(content_type.data);

    retry = ngx_max(retry, 0);

    return t->handlers.head(t->handlers.data, status, &content_type,
                            ngx_min(retry, 86400));
}


ngx_int_t
ngx_torii_curl_field(ngx_torii_curl_transfer_t *t, char *name, ngx_uint_t n,
    ngx_str_t *value)
{
    struct curl_header  *header;

    if (curl_easy_header(t->easy, name, n, CURLH_HEADER, -1, &header)
        != CURLHE_OK)
    {
        return NGX_DECLINED;
    }

    value->data = (u_char *) header->value;
    value->len = ngx_strlen(header->value);

    return NGX_OK;
}


static ngx_int_t
ngx_torii_curl_tell_body(ngx_torii_curl_transfer_t *t)
{
    ngx_int_t  rc;

    rc = t->handlers.body(t->handlers.data, t->in.data, t->in.len);

    t->in.len = 0;

    if (t->in.size > NGX_TORII_CURL_SPARE) {
        torii_buf_free(&t->in);
    }

    return rc;
}


static void
ngx_torii_curl_tell_done(ngx_torii_curl_transfer_t *t)
{
    char        *p;
    const char  *error;

    error = NULL;

    if (t->code != CURLE_OK || !t->told) {

        if (t->error[0] == '\0') {
            (void) snprintf(t->error, sizeof(t->error), "%s",
                            t->code == CURLE_OK ? "no answer came"
                                          : curl_easy_strerror(t->code));
        }

        for (p = t->error; *p; p++) {
            if ((u_char) *p < 0x20 || *p == 0x7f) {
                *p = ' ';
            }
        }

        error = t->error;
    }

    /* the connection is free for what the handler starts */

    ngx_torii_curl_easy_free(t);

    t->handlers.done(t->handlers.data, error);
}


static void
ngx_torii_curl_easy_free(ngx_torii_curl_transfer_t *t)
{
    if (t->easy) {
        (void) curl_multi_remove_handle(t->multi->multi, t->easy);
        curl_easy_cleanup(t->easy);
        t->easy = NULL;
    }
}


static void
ngx_torii_curl_free(ngx_torii_curl_transfer_t *t)
{
    ngx_torii_curl_easy_free(t);

    if (t->timer.timer_set) {
        ngx_del_timer(&t->timer);
    }

    if (t->queued) {
        ngx_queue_remove(&t->ready);
    }

    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->connect_to);
    torii_buf_free(&t->in);

    ngx_queue_remove(&t->queue);
    ngx_free(t);
}


ngx_int_t
ngx_torii_curl_farewell(ngx_torii_curl_t *curl,
    const ngx_torii_curl_request_t *req)
{
    CURLcode                    code;
    ngx_int_t                   rc;
    ngx_torii_curl_transfer_t  *t;

    t = ngx_torii_curl_transfer(curl, req);
    if (t == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_torii_curl_options(t, req);

    if (rc == NGX_OK) {
        curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, NULL);
        curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, NULL);
        curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION,
                         ngx_torii_curl_ignore);
        code = curl_easy_perform(t->easy);
        rc = (code == CURLE_OK) ? NGX_OK : NGX_ERROR;
    }

    ngx_torii_curl_free(t);

    return rc;
}


static size_t
ngx_torii_curl_ignore(char *p, size_t size, size_t n, void *data)
{
    return size * n;
}
