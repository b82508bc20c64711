
/*
 * Transfers: what libcurl receives is kept until its call is over, and told
 * then, so that handlers may start and cancel transfers.
 */

#include "ngx_torii_curl_multi.h"


#define NGX_TORII_CURL_SPARE        65536    /* kept between two reads */
#define NGX_TORII_CURL_SILENT       10000    /* ms, then a connection is dead:
                                                of a request's timeout and
                                                nothing heard before */


static ngx_int_t ngx_torii_curl_listen(ngx_torii_curl_transfer_t *t);
static ngx_torii_curl_transfer_t *ngx_torii_curl_transfer(
    ngx_torii_curl_t *curl, const ngx_torii_curl_request_t *req);
static size_t ngx_torii_curl_header(char *p, size_t size, size_t n,
    void *data);
static size_t ngx_torii_curl_body(char *p, size_t size, size_t n, void *data);
static void ngx_torii_curl_ready(ngx_torii_curl_transfer_t *t);
static void ngx_torii_curl_idle_handler(ngx_event_t *ev);
static void ngx_torii_curl_deliver(ngx_torii_curl_transfer_t *t);
static ngx_int_t ngx_torii_curl_tell_head(ngx_torii_curl_transfer_t *t);
static ngx_int_t ngx_torii_curl_tell_body(ngx_torii_curl_transfer_t *t);
static void ngx_torii_curl_tell_done(ngx_torii_curl_transfer_t *t);
static void ngx_torii_curl_easy_free(ngx_torii_curl_transfer_t *t);
static size_t ngx_torii_curl_ignore(char *p, size_t size, size_t n,
    void *data);


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
        || ngx_torii_curl_listen(t) != NGX_OK)
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


static ngx_int_t
ngx_torii_curl_listen(ngx_torii_curl_transfer_t *t)
{
    curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, ngx_torii_curl_header);
    curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, ngx_torii_curl_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);

    return curl_multi_add_handle(t->multi->multi, t->easy) == CURLM_OK
           ? NGX_OK : NGX_ERROR;
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
ngx_torii_curl_ready(ngx_torii_curl_transfer_t *t)
{
    if (!t->queued) {
        t->queued = 1;
        ngx_queue_insert_tail(&t->multi->ready, &t->ready);
    }
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


void
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


void
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
