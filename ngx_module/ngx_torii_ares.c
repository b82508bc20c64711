
/*
 * c-ares on nginx's event loop: it says which sockets and how long it waits
 * for, we tell it what happened.
 */

#include "ngx_torii_ares.h"
#include "ngx_torii_event.h"


#define NGX_TORII_ARES_TIMEOUT  1500         /* of a question, ms; then twice */
#define NGX_TORII_ARES_TRIES    2


static void ngx_torii_ares_socket(void *data, ares_socket_t fd, int readable,
    int writable);
static ngx_connection_t *ngx_torii_ares_connection(ngx_torii_ares_t *ares,
    ares_socket_t fd);
static void ngx_torii_ares_forget(ngx_torii_ares_t *ares,
    ngx_connection_t *c);
static void ngx_torii_ares_io_handler(ngx_event_t *ev);
static void ngx_torii_ares_timer_handler(ngx_event_t *ev);


int
ngx_torii_ares_open(ngx_torii_ares_t *ares, ngx_str_t *servers,
    ngx_log_t *log)
{
    int                  rc, mask;
    struct ares_options  options;

    ngx_memzero(ares, sizeof(ngx_torii_ares_t));

    ares->log = log;
    ares->dummy.fd = (ngx_socket_t) -1;
    ares->dummy.data = ares;

    ares->timer.handler = ngx_torii_ares_timer_handler;
    ares->timer.data = &ares->dummy;
    ares->timer.log = log;
    ares->timer.cancelable = 1;

    ngx_memzero(&options, sizeof(struct ares_options));

    options.timeout = NGX_TORII_ARES_TIMEOUT;
    options.tries = NGX_TORII_ARES_TRIES;
    options.sock_state_cb = ngx_torii_ares_socket;
    options.sock_state_cb_data = ares;

    mask = ARES_OPT_TIMEOUTMS|ARES_OPT_TRIES|ARES_OPT_SOCK_STATE_CB;

#ifdef ARES_OPT_QUERY_CACHE
    options.qcache_max_ttl = 0;
    mask |= ARES_OPT_QUERY_CACHE;
#endif

    rc = ares_init_options(&ares->channel, &options, mask);

    if (rc != ARES_SUCCESS) {
        ares->channel = NULL;
        return rc;
    }

    if (servers->len) {
        rc = ares_set_servers_ports_csv(ares->channel, (char *) servers->data);

        if (rc != ARES_SUCCESS) {
            ngx_torii_ares_close(ares);
        }
    }

    return rc;
}


void
ngx_torii_ares_close(ngx_torii_ares_t *ares)
{
    if (ares->channel) {
        ares_destroy(ares->channel);
        ares->channel = NULL;
    }

    if (ares->timer.timer_set) {
        ngx_del_timer(&ares->timer);
    }
}


/* Without a connection for its socket a question ends by its timeout. */

static void
ngx_torii_ares_socket(void *data, ares_socket_t fd, int readable,
    int writable)
{
    ngx_torii_ares_t *ares = data;

    ngx_connection_t  *c;

    c = ngx_torii_ares_connection(ares, fd);

    if (!readable && !writable) {
        if (c) {
            ngx_torii_ares_forget(ares, c);
        }

        return;
    }

    if (c == NULL) {

        if (ares->n == NGX_TORII_ARES_SOCKETS) {
            return;
        }

        c = ngx_get_connection(fd, ares->log);
        if (c == NULL) {
            return;
        }

        ares->sockets[ares->n++] = c;

        c->data = ares;
        c->log = ares->log;
        c->read->log = ares->log;
        c->write->log = ares->log;
        c->read->handler = ngx_torii_ares_io_handler;
        c->write->handler = ngx_torii_ares_io_handler;
    }

    ngx_torii_event_interest(c->read, NGX_READ_EVENT, readable);
    ngx_torii_event_interest(c->write, NGX_WRITE_EVENT, writable);
}


static ngx_connection_t *
ngx_torii_ares_connection(ngx_torii_ares_t *ares, ares_socket_t fd)
{
    ngx_uint_t  i;

    for (i = 0; i < ares->n; i++) {
        if (ares->sockets[i]->fd == fd) {
            return ares->sockets[i];
        }
    }

    return NULL;
}


/* c-ares closes the descriptor itself, right after this. */

static void
ngx_torii_ares_forget(ngx_torii_ares_t *ares, ngx_connection_t *c)
{
    ngx_uint_t  i;

    ngx_torii_event_interest(c->read, NGX_READ_EVENT, 0);
    ngx_torii_event_interest(c->write, NGX_WRITE_EVENT, 0);

    for (i = 0; i < ares->n; i++) {
        if (ares->sockets[i] == c) {
            ares->sockets[i] = ares->sockets[--ares->n];
            break;
        }
    }

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;
}


static void
ngx_torii_ares_io_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c;
    ngx_torii_ares_t  *ares;

    c = ev->data;
    ares = c->data;

    if (ev->write) {
        ares_process_fd(ares->channel, ARES_SOCKET_BAD, c->fd);

    } else {
        ares_process_fd(ares->channel, c->fd, ARES_SOCKET_BAD);
    }

    ngx_torii_ares_arm(ares);
}


static void
ngx_torii_ares_timer_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c;
    ngx_torii_ares_t  *ares;

    c = ev->data;
    ares = c->data;

    ares_process_fd(ares->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);

    ngx_torii_ares_arm(ares);
}


void
ngx_torii_ares_arm(ngx_torii_ares_t *ares)
{
    struct timeval  tv, *wait;

    if (ares->timer.timer_set) {
        ngx_del_timer(&ares->timer);
    }

    wait = ares_timeout(ares->channel, NULL, &tv);

    if (wait) {
        ngx_add_timer(&ares->timer, wait->tv_sec * 1000
                                    + (wait->tv_usec + 999) / 1000);
    }
}
