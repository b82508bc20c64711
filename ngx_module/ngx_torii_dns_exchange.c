
/*
 * DNS messages by UDP and TCP (RFC 1035 section 4.2, RFC 7766) on nginx's
 * event loop.  Sockets are connected: the kernel drops what others send.
 */

#include "ngx_torii_dns_exchange.h"


#define NGX_TORII_DNS_UDP_TRIES  3           /* 1, 2, 4 seconds */
#define NGX_TORII_DNS_UDP_FIRST  1000
#define NGX_TORII_DNS_TIMEOUT    10000       /* of TCP */
#define NGX_TORII_DNS_REST       3000        /* of that, when UDP took 7 s */
#define NGX_TORII_DNS_DATAGRAM   4096
#define NGX_TORII_DNS_TURN       16          /* datagrams at once */


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
static void ngx_torii_dns_exchange_read_handler(ngx_event_t *ev);
static ngx_uint_t ngx_torii_dns_exchange_message(ngx_torii_dns_exchange_t *e);
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

    if (tcp || message->len > DNSSYNC_UDP_MAX) {
        ngx_torii_dns_exchange_tcp(e, NGX_TORII_DNS_TIMEOUT);
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

    /* others wait for this loop, too; the rest is told of again */

    for (i = 0; i < NGX_TORII_DNS_TURN; i++) {
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
            ngx_torii_dns_exchange_tcp(e, NGX_TORII_DNS_TIMEOUT);
            return;
        }

        answer.len = n;

        switch (e->take(e->data, answer)) {

        case NGX_AGAIN:
            continue;

        case NGX_DECLINED:
            ngx_torii_dns_exchange_tcp(e, NGX_TORII_DNS_TIMEOUT);
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
    ssize_t                    n;
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
    }

    n = send(c->fd, e->request.data + e->sent, e->request.len - e->sent,
             MSG_NOSIGNAL);

    if (n == -1) {
        if (ngx_errno != NGX_EAGAIN && ngx_errno != NGX_EINTR) {
            ngx_torii_dns_exchange_fail(e, "cannot send", ngx_errno);
        }

        return;
    }

    e->sent += n;

    if (e->sent == e->request.len) {
        (void) ngx_del_event(ev, NGX_WRITE_EVENT, 0);
    }
}


static void
ngx_torii_dns_exchange_read_handler(ngx_event_t *ev)
{
    ssize_t                    n;
    ngx_connection_t          *c;
    ngx_torii_dns_exchange_t  *e;

    c = ev->data;
    e = c->data;

    n = recv(c->fd, torii_buf_room(&e->in, NGX_TORII_DNS_DATAGRAM),
             NGX_TORII_DNS_DATAGRAM, 0);

    if (n == -1) {
        if (ngx_errno != NGX_EAGAIN && ngx_errno != NGX_EINTR) {
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

    while (ngx_torii_dns_exchange_message(e)) { /* void */ }
}


/* Whether a whole message was there, and the exchange goes on. */

static ngx_uint_t
ngx_torii_dns_exchange_message(ngx_torii_dns_exchange_t *e)
{
    size_t       rest;
    torii_str_t  answer;

    if (e->in.len < 2) {
        return 0;
    }

    answer.len = e->in.data[0] << 8 | e->in.data[1];
    answer.data = e->in.data + 2;

    if (e->in.len - 2 < answer.len) {
        return 0;
    }

    switch (e->take(e->data, answer)) {

    case NGX_AGAIN:
        rest = e->in.len - 2 - answer.len;
        ngx_memmove(e->in.data, answer.data + answer.len, rest);
        e->in.len = rest;
        return 1;

    case NGX_DECLINED:
        ngx_torii_dns_exchange_end(e, "the answer is truncated, by TCP too");
        return 0;

    default:
        ngx_torii_dns_exchange_end(e, NULL);
        return 0;
    }
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
