
/*
 * DNS messages by UDP and TCP (RFC 1035 section 4.2, RFC 7766) on nginx's
 * event loop.  Sockets are connected: the kernel drops what others send.
 */

#include "ngx_torii_dns_exchange.h"
#include "ngx_torii_event.h"


#define NGX_TORII_DNS_UDP_TRIES  3           /* 1, 2, 4 seconds */
#define NGX_TORII_DNS_UDP_FIRST  1000
#define NGX_TORII_DNS_TIMEOUT    10000       /* of TCP */
#define NGX_TORII_DNS_REST       3000        /* of that, when UDP took 7 s */
#define NGX_TORII_DNS_DATAGRAM   4096
#define NGX_TORII_DNS_READ       65536       /* of TCP, at once */
#define NGX_TORII_DNS_READS      64          /* datagrams, at once */


static void ngx_torii_dns_exchange_open(ngx_torii_dns_exchange_t *e);
static ngx_err_t ngx_torii_dns_exchange_connect(ngx_torii_dns_exchange_t *e);
static void ngx_torii_dns_exchange_close(ngx_torii_dns_exchange_t *e);
static void ngx_torii_dns_exchange_tcp(ngx_torii_dns_exchange_t *e,
    ngx_msec_t timeout);
static void ngx_torii_dns_exchange_arm(ngx_torii_dns_exchange_t *e,
    ngx_msec_t wait);
static void ngx_torii_dns_exchange_timer_handler(ngx_event_t *ev);
static void ngx_torii_dns_exchange_datagram(ngx_torii_dns_exchange_t *e);
static void ngx_torii_dns_exchange_udp_handler(ngx_event_t *ev);
static void ngx_torii_dns_exchange_write_handler(ngx_event_t *ev);
static ngx_uint_t ngx_torii_dns_exchange_send(ngx_torii_dns_exchange_t *e);
static void ngx_torii_dns_exchange_read_handler(ngx_event_t *ev);
static ngx_int_t ngx_torii_dns_exchange_messages(ngx_torii_dns_exchange_t *e,
    size_t *used);
static ngx_msec_t ngx_torii_dns_exchange_timeout(ngx_torii_dns_exchange_t *e);
static void ngx_torii_dns_exchange_fail(ngx_torii_dns_exchange_t *e,
    const char *what, ngx_err_t err);
static void ngx_torii_dns_exchange_end(ngx_torii_dns_exchange_t *e,
    const char *error);


void
ngx_torii_dns_exchange_init(ngx_torii_dns_exchange_t *e)
{
    e->dummy.fd = (ngx_socket_t) -1;
    e->dummy.data = e;

    e->timer.handler = ngx_torii_dns_exchange_timer_handler;
    e->timer.data = &e->dummy;
    e->timer.log = e->log;
    e->timer.cancelable = 1;
}


void
ngx_torii_dns_exchange_start(ngx_torii_dns_exchange_t *e,
    const struct sockaddr *sockaddr, socklen_t socklen,
    const torii_buf_t *message, ngx_uint_t tcp)
{
    u_char  *p;

    ngx_memcpy(&e->sockaddr, sockaddr, socklen);
    e->socklen = socklen;

    e->request.len = 0;
    p = torii_buf_room(&e->request, 2);
    p[0] = (u_char) (message->len >> 8);
    p[1] = (u_char) message->len;
    e->request.len = 2;
    torii_buf_add(&e->request, message->data, message->len);

    e->tries = 0;
    e->silent = 0;

    if (tcp || e->tls || message->len > DNSSYNC_UDP_MAX) {
        ngx_torii_dns_exchange_tcp(e, ngx_torii_dns_exchange_timeout(e));
        return;
    }

    e->tcp = 0;
    ngx_torii_dns_exchange_open(e);

    if (e->err == 0) {
        ngx_torii_dns_exchange_datagram(e);
    }
}


void
ngx_torii_dns_exchange_stop(ngx_torii_dns_exchange_t *e)
{
    ngx_torii_dns_exchange_close(e);

    torii_buf_free(&e->request);
    torii_buf_free(&e->in);
}


/* An error is told by the timer, not from inside of start. */

static void
ngx_torii_dns_exchange_open(ngx_torii_dns_exchange_t *e)
{
    e->err = ngx_torii_dns_exchange_connect(e);

    if (e->err) {
        ngx_torii_dns_exchange_close(e);
        ngx_torii_dns_exchange_arm(e, 1);
    }
}


static ngx_err_t
ngx_torii_dns_exchange_connect(ngx_torii_dns_exchange_t *e)
{
    int                fd;
    ngx_err_t          err;
    ngx_connection_t  *c;

    fd = socket(e->sockaddr.sockaddr.sa_family,
                (e->tcp ? SOCK_STREAM : SOCK_DGRAM)|SOCK_NONBLOCK|SOCK_CLOEXEC,
                0);
    if (fd == -1) {
        return ngx_errno;
    }

    c = ngx_get_connection(fd, e->log);
    if (c == NULL) {
        close(fd);
        return NGX_ENOMEM;
    }

    e->connection = c;
    e->connected = 0;

    c->data = e;
    c->log = e->log;
    c->read->log = e->log;
    c->write->log = e->log;
    c->write->handler = ngx_torii_dns_exchange_write_handler;
    c->read->handler = e->tcp ? ngx_torii_dns_exchange_read_handler
                              : ngx_torii_dns_exchange_udp_handler;

    if (connect(fd, &e->sockaddr.sockaddr, e->socklen) == -1) {
        err = ngx_errno;

        if (err != NGX_EINPROGRESS) {
            return err;
        }
    }

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK
        || (e->tcp && ngx_add_event(c->write, NGX_WRITE_EVENT, NGX_LEVEL_EVENT)
                      != NGX_OK))
    {
        return NGX_ENOMEM;
    }

    return 0;
}


static void
ngx_torii_dns_exchange_close(ngx_torii_dns_exchange_t *e)
{
    ngx_torii_dns_tls_close(e);

    if (e->connection) {
        ngx_close_connection(e->connection);
        e->connection = NULL;
    }

    if (e->timer.timer_set) {
        ngx_del_timer(&e->timer);
    }
}


static void
ngx_torii_dns_exchange_tcp(ngx_torii_dns_exchange_t *e, ngx_msec_t timeout)
{
    ngx_torii_dns_exchange_close(e);

    e->tcp = 1;
    e->sent = 0;
    e->in.len = 0;

    ngx_torii_dns_exchange_open(e);

    if (e->err == 0) {
        ngx_torii_dns_exchange_arm(e, timeout);
    }
}


static void
ngx_torii_dns_exchange_arm(ngx_torii_dns_exchange_t *e, ngx_msec_t wait)
{
    if (e->timer.timer_set) {
        ngx_del_timer(&e->timer);
    }

    ngx_add_timer(&e->timer, wait);
}


static void
ngx_torii_dns_exchange_timer_handler(ngx_event_t *ev)
{
    ngx_connection_t          *c;
    ngx_torii_dns_exchange_t  *e;

    c = ev->data;
    e = c->data;

    if (e->err) {
        ngx_torii_dns_exchange_fail(e, "cannot connect", e->err);
        return;
    }

    if (e->tcp) {
        ngx_torii_dns_exchange_end(e, e->silent ? "no answer by UDP or TCP"
                                                : "no answer by TCP");
        return;
    }

    if (e->tries < NGX_TORII_DNS_UDP_TRIES) {
        ngx_torii_dns_exchange_datagram(e);
        return;
    }

    e->silent = 1;
    ngx_torii_dns_exchange_tcp(e, NGX_TORII_DNS_REST);
}


/* What is wrong with the way shows when something is received, or nothing. */

static void
ngx_torii_dns_exchange_datagram(ngx_torii_dns_exchange_t *e)
{
    (void) send(e->connection->fd, e->request.data + 2, e->request.len - 2, 0);

    ngx_torii_dns_exchange_arm(e, (ngx_msec_t) NGX_TORII_DNS_UDP_FIRST
                                  << e->tries++);
}


static void
ngx_torii_dns_exchange_udp_handler(ngx_event_t *ev)
{
    ssize_t                    n;
    ngx_uint_t                 i;
    ngx_connection_t          *c;
    torii_str_t                answer;
    ngx_torii_dns_exchange_t  *e;

    c = ev->data;
    e = c->data;

    /* whoever sends more than that is called again, but does not keep others
       waiting */

    for (i = 0; i < NGX_TORII_DNS_READS; i++) {
        answer.data = torii_buf_room(&e->in, NGX_TORII_DNS_DATAGRAM);

        n = recv(c->fd, answer.data, NGX_TORII_DNS_DATAGRAM, 0);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            continue;
        }

        if (n == -1 && ngx_errno == NGX_EAGAIN) {
            return;
        }

        /* nobody listens there, but maybe by TCP */

        if (n == -1) {
            ngx_torii_dns_exchange_tcp(e, ngx_torii_dns_exchange_timeout(e));
            return;
        }

        answer.len = n;

        switch (e->take(e->data, answer)) {

        case NGX_AGAIN:
            continue;

        case NGX_DECLINED:
            ngx_torii_dns_exchange_tcp(e, ngx_torii_dns_exchange_timeout(e));
            return;

        default:
            ngx_torii_dns_exchange_end(e, NULL);
            return;
        }
    }
}


static void
ngx_torii_dns_exchange_write_handler(ngx_event_t *ev)
{
    int                        err;
    socklen_t                  len;
    ngx_connection_t          *c;
    ngx_torii_dns_exchange_t  *e;

    c = ev->data;
    e = c->data;

    if (!e->connected) {
        err = 0;
        len = sizeof(int);

        if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1) {
            err = ngx_errno;
        }

        if (err) {
            ngx_torii_dns_exchange_fail(e, "cannot connect", err);
            return;
        }

        e->connected = 1;

        if (e->tls && ngx_torii_dns_tls_open(e) != NGX_OK) {
            ngx_torii_dns_exchange_end(e, "TLS cannot begin");
            return;
        }
    }

    (void) ngx_torii_dns_exchange_send(e);
}


/* Whether the exchange goes on. */

static ngx_uint_t
ngx_torii_dns_exchange_send(ngx_torii_dns_exchange_t *e)
{
    u_char   *p;
    size_t    len;
    ssize_t   n;

    p = e->request.data + e->sent;
    len = e->request.len - e->sent;

    if (e->ssl) {
        n = ngx_torii_dns_tls_send(e, p, len);

        if (n == 0 || n == NGX_ERROR) {
            ngx_torii_dns_exchange_end(e, n ? e->error : "it closed the "
                                              "connection");
            return 0;
        }

    } else {
        n = send(e->connection->fd, p, len, MSG_NOSIGNAL);

        if (n == -1 && ngx_errno != NGX_EAGAIN && ngx_errno != NGX_EINTR) {
            ngx_torii_dns_exchange_fail(e, "cannot send", ngx_errno);
            return 0;
        }

        e->writes = 1;
    }

    e->sent += n > 0 ? n : 0;

    ngx_torii_event_interest(e->connection->write, NGX_WRITE_EVENT,
                             e->sent < e->request.len && e->writes);

    return 1;
}


static void
ngx_torii_dns_exchange_read_handler(ngx_event_t *ev)
{
    u_char                    *p;
    size_t                     used;
    ssize_t                    n;
    ngx_connection_t          *c;
    ngx_torii_dns_exchange_t  *e;

    c = ev->data;
    e = c->data;

    if (e->ssl && e->sent < e->request.len
        && (!ngx_torii_dns_exchange_send(e) || e->sent < e->request.len))
    {
        return;
    }

    p = torii_buf_room(&e->in, NGX_TORII_DNS_READ);

    if (e->ssl) {
        n = ngx_torii_dns_tls_recv(e, p, NGX_TORII_DNS_READ);

        if (n == NGX_ERROR) {
            ngx_torii_dns_exchange_end(e, e->error);
            return;
        }

    } else {
        n = recv(c->fd, p, NGX_TORII_DNS_READ, 0);
    }

    if (n < 0) {
        if (!e->ssl && ngx_errno != NGX_EAGAIN && ngx_errno != NGX_EINTR) {
            ngx_torii_dns_exchange_fail(e, e->connected ? "cannot read"
                                                        : "cannot connect",
                                        ngx_errno);
        }

        return;
    }

    if (n == 0) {
        ngx_torii_dns_exchange_end(e, "it closed the connection without an "
                                      "answer");
        return;
    }

    e->in.len += n;

    if (ngx_torii_dns_exchange_messages(e, &used) != NGX_AGAIN) {
        return;
    }

    if (used == 0) {
        return;
    }

    ngx_memmove(e->in.data, e->in.data + used, e->in.len - used);
    e->in.len -= used;

    if (e->stream) {
        ngx_torii_dns_exchange_arm(e, ngx_torii_dns_exchange_timeout(e));
    }
}


/* NGX_AGAIN: used up are whole messages.  Else the exchange is over, and e may
   be another one, or gone. */

static ngx_int_t
ngx_torii_dns_exchange_messages(ngx_torii_dns_exchange_t *e, size_t *used)
{
    size_t       at;
    torii_str_t  answer;

    *used = 0;

    for (at = 0; e->in.len - at >= 2; at += 2 + answer.len) {
        answer.len = e->in.data[at] << 8 | e->in.data[at + 1];
        answer.data = e->in.data + at + 2;

        if (e->in.len - at - 2 < answer.len) {
            break;
        }

        switch (e->take(e->data, answer)) {

        case NGX_AGAIN:
            break;

        case NGX_DECLINED:
            ngx_torii_dns_exchange_end(e, "the answer is truncated, by TCP "
                                          "too");
            return NGX_OK;

        default:
            ngx_torii_dns_exchange_end(e, NULL);
            return NGX_OK;
        }
    }

    *used = at;

    return NGX_AGAIN;
}


static ngx_msec_t
ngx_torii_dns_exchange_timeout(ngx_torii_dns_exchange_t *e)
{
    return e->timeout ? e->timeout : NGX_TORII_DNS_TIMEOUT;
}


static void
ngx_torii_dns_exchange_fail(ngx_torii_dns_exchange_t *e, const char *what,
    ngx_err_t err)
{
    u_char  *p;
    size_t   len;

    p = ngx_snprintf((u_char *) e->error, sizeof(e->error) - 80, "%s%s: ",
                     what, e->tcp ? " by TCP" : "");

    len = (u_char *) e->error + sizeof(e->error) - 1 - p;
    *ngx_strerror(err, p, len) = '\0';

    ngx_torii_dns_exchange_end(e, e->error);
}


static void
ngx_torii_dns_exchange_end(ngx_torii_dns_exchange_t *e, const char *error)
{
    ngx_torii_dns_exchange_close(e);

    e->in.len = 0;

    e->done(e->data, error);
}
