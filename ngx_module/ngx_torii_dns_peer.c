
/*
 * The servers that a job talks to: their names, their addresses, the messages.
 */

#include "ngx_torii_dns_job.h"


#define NGX_TORII_DNS_PORT  53
#define NGX_TORII_DNS_HOST  256              /* longest of a server, port too */


static ngx_int_t ngx_torii_dns_peer_url(ngx_torii_dns_peer_t *peer,
    ngx_str_t *text);
static void ngx_torii_dns_peer_timer_handler(ngx_event_t *ev);
static void ngx_torii_dns_peer_resolved(void *data, int status, int timeouts,
    struct ares_addrinfo *res);
static void ngx_torii_dns_peer_addr(ngx_torii_dns_peer_t *peer,
    struct sockaddr *sockaddr, socklen_t socklen);
static ngx_int_t ngx_torii_dns_peer_take(void *data, torii_str_t answer);
static void ngx_torii_dns_peer_answered(void *data, const char *error);


ngx_torii_dns_peer_t *
ngx_torii_dns_peer_add(ngx_torii_dns_job_t *job, const char *host)
{
    size_t                 len;
    u_char                *p;
    ngx_torii_dns_peer_t  *peer;

    peer = &job->peers[job->npeers];
    len = ngx_strlen(host);

    /* with a dot behind it, which keeps the search list out */

    p = ngx_pnalloc(job->pool, len + 2);
    if (p == NULL) {
        return NULL;
    }

    ngx_memcpy(p, host, len);
    p[len] = '.';
    p[len + 1] = '\0';

    peer->job = job;
    peer->name.data = p;
    peer->name.len = len;
    peer->host.data = p;
    peer->host.len = len + 1;
    peer->port = NGX_TORII_DNS_PORT;

    peer->dummy.fd = (ngx_socket_t) -1;
    peer->dummy.data = peer;

    peer->timer.handler = ngx_torii_dns_peer_timer_handler;
    peer->timer.data = &peer->dummy;
    peer->timer.log = job->dns->log;
    peer->timer.cancelable = 1;

    peer->exchange.take = ngx_torii_dns_peer_take;
    peer->exchange.done = ngx_torii_dns_peer_answered;
    peer->exchange.data = peer;
    peer->exchange.log = job->dns->log;
    ngx_torii_dns_exchange_init(&peer->exchange);

    job->npeers++;

    return peer;
}


ngx_torii_dns_peer_t *
ngx_torii_dns_peer_parse(ngx_torii_dns_job_t *job,
    const ngx_torii_dns_server_t *server)
{
    char                   host[NGX_TORII_DNS_HOST];
    ngx_str_t              text;
    ngx_torii_dns_peer_t  *peer;

    if (server->nameserver.len == 0
        || server->nameserver.len >= NGX_TORII_DNS_HOST
        || torii_str_has_control(server->nameserver))
    {
        return NULL;
    }

    ngx_memcpy(host, server->nameserver.data, server->nameserver.len);
    host[server->nameserver.len] = '\0';

    peer = ngx_torii_dns_peer_add(job, host);
    if (peer == NULL) {
        return NULL;
    }

    peer->update = 1;
    peer->tcp = (server->tcp != 0);

    text = peer->name;

    return ngx_torii_dns_peer_url(peer, &text) == NGX_OK ? peer : NULL;
}


/* An IPv6 address may also come without brackets, then without a port. */

static ngx_int_t
ngx_torii_dns_peer_url(ngx_torii_dns_peer_t *peer, ngx_str_t *text)
{
    u_char      *colon, *last;
    ngx_url_t    u;
    ngx_addr_t   addr;
    ngx_pool_t  *pool;

    pool = peer->job->pool;
    last = text->data + text->len;
    colon = ngx_strlchr(text->data, last, ':');

    if (text->data[0] != '[' && colon
        && ngx_strlchr(colon + 1, last, ':'))
    {
        if (ngx_parse_addr(pool, &addr, text->data, text->len) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_torii_dns_peer_addr(peer, addr.sockaddr, addr.socklen);
        peer->host.len = 0;

        return NGX_OK;
    }

    if (text->len >= 5 && ngx_strncasecmp(text->data, (u_char *) "unix:", 5)
                          == 0)
    {
        return NGX_ERROR;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *text;
    u.default_port = NGX_TORII_DNS_PORT;
    u.no_resolve = 1;

    if (ngx_parse_url(pool, &u) != NGX_OK || u.uri.len || u.port == 0) {
        return NGX_ERROR;
    }

    peer->port = u.port;

    if (u.naddrs) {
        ngx_torii_dns_peer_addr(peer, u.addrs[0].sockaddr, u.addrs[0].socklen);
        peer->host.len = 0;

        return NGX_OK;
    }

    peer->host.data = ngx_pnalloc(pool, u.host.len + 1);
    if (peer->host.data == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(peer->host.data, u.host.data, u.host.len) = '\0';
    peer->host.len = u.host.len;

    return u.host.len ? NGX_OK : NGX_ERROR;
}


static void
ngx_torii_dns_peer_addr(ngx_torii_dns_peer_t *peer, struct sockaddr *sockaddr,
    socklen_t socklen)
{
    ngx_torii_dns_addr_t  *addr;

    if (peer->naddrs == NGX_TORII_DNS_ADDRS
        || socklen > (socklen_t) sizeof(ngx_sockaddr_t)
        || (sockaddr->sa_family != AF_INET && sockaddr->sa_family != AF_INET6))
    {
        return;
    }

    addr = &peer->addrs[peer->naddrs++];

    ngx_memcpy(&addr->sockaddr, sockaddr, socklen);
    addr->socklen = socklen;

    ngx_inet_set_port(&addr->sockaddr.sockaddr, peer->port);
}


void
ngx_torii_dns_peer_resolve(ngx_torii_dns_peer_t *peer)
{
    const char                 *error;
    struct ares_addrinfo_hints  hints;

    error = ngx_torii_dns_job_ares(peer->job);

    if (error) {
        peer->job->kind->resolved(peer, error);
        return;
    }

    ngx_memzero(&hints, sizeof(struct ares_addrinfo_hints));

    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = ARES_AI_NOSORT;

    ares_getaddrinfo(peer->job->ares.channel, (char *) peer->host.data, NULL,
                     &hints, ngx_torii_dns_peer_resolved, peer);

    ngx_torii_ares_arm(&peer->job->ares);
}


static void
ngx_torii_dns_peer_resolved(void *data, int status, int timeouts,
    struct ares_addrinfo *res)
{
    ngx_torii_dns_peer_t *peer = data;

    struct ares_addrinfo_node  *node;

    if (res) {
        peer->naddrs = 0;
        peer->current = 0;

        for (node = res->nodes; node; node = node->ai_next) {
            ngx_torii_dns_peer_addr(peer, node->ai_addr, node->ai_addrlen);
        }

        ares_freeaddrinfo(res);
    }

    if (peer->job->ended) {
        return;
    }

    if (status == ARES_SUCCESS && peer->naddrs == 0) {
        status = ARES_ENODATA;
    }

    peer->job->kind->resolved(peer, status == ARES_SUCCESS
                                    ? NULL : ares_strerror(status));
}


void
ngx_torii_dns_peer_ask(ngx_torii_dns_peer_t *peer)
{
    ngx_torii_dns_addr_t  *addr;

    addr = &peer->addrs[peer->current];
    peer->error[0] = '\0';

    ngx_torii_dns_exchange_start(&peer->exchange, &addr->sockaddr.sockaddr,
                                 addr->socklen, &peer->job->request,
                                 peer->tcp);
}


ngx_int_t
ngx_torii_dns_peer_next(ngx_torii_dns_peer_t *peer)
{
    peer->current = (peer->current + 1) % peer->naddrs;

    if (++peer->failed < peer->naddrs) {
        return NGX_OK;
    }

    peer->failed = 0;

    return NGX_DECLINED;
}


void
ngx_torii_dns_peer_wait(ngx_torii_dns_peer_t *peer, ngx_msec_t wait)
{
    ngx_add_timer(&peer->timer, wait);
}


static void
ngx_torii_dns_peer_timer_handler(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_torii_dns_peer_t  *peer;

    c = ev->data;
    peer = c->data;

    peer->job->kind->wake(peer);
}


static ngx_int_t
ngx_torii_dns_peer_take(void *data, torii_str_t answer)
{
    ngx_torii_dns_peer_t *peer = data;

    return peer->job->kind->take(peer, answer);
}


static void
ngx_torii_dns_peer_answered(void *data, const char *error)
{
    ngx_torii_dns_peer_t *peer = data;

    if (error == NULL && peer->exchange.silent) {
        peer->tcp = 1;
    }

    peer->job->kind->answered(peer, error);
}
