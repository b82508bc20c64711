
/*
 * The connection to a Redis server: its name is looked up each time, as a
 * Service may have moved; TLS is not used without verification.
 */

#include "ngx_torii_redis_server.h"

#include <ngx_event_connect.h>
#include <netdb.h>
#include <openssl/pem.h>


static void ngx_torii_redis_address(ngx_torii_redis_t *redis,
    const void *sockaddr, socklen_t socklen);
static void ngx_torii_redis_resolve(ngx_torii_redis_t *redis);
static void ngx_torii_redis_resolved(void *data, int status, int timeouts,
    struct ares_addrinfo *info);
static void ngx_torii_redis_open(ngx_torii_redis_t *redis);
static void ngx_torii_redis_next(ngx_torii_redis_t *redis, const char *why);
static void ngx_torii_redis_dial(ngx_event_t *ev);
static void ngx_torii_redis_handshake(ngx_torii_redis_t *redis);
static void ngx_torii_redis_shaken(ngx_connection_t *c);
static void ngx_torii_redis_begin(ngx_torii_redis_t *redis);
static void ngx_torii_redis_read_handler(ngx_event_t *ev);
static void ngx_torii_redis_write_handler(ngx_event_t *ev);


void
ngx_torii_redis_connect(ngx_torii_redis_t *redis)
{
    struct sockaddr_in   sin;
    struct sockaddr_in6  sin6;

    redis->naddresses = 0;
    redis->tried = 0;

    ngx_memzero(&sin, sizeof(struct sockaddr_in));

    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = ngx_inet_addr(redis->conf.host.data,
                                        redis->conf.host.len);

    if (sin.sin_addr.s_addr != INADDR_NONE) {
        ngx_torii_redis_address(redis, &sin, sizeof(struct sockaddr_in));
        ngx_torii_redis_open(redis);
        return;
    }

    ngx_memzero(&sin6, sizeof(struct sockaddr_in6));

    sin6.sin6_family = AF_INET6;

    if (ngx_inet6_addr(redis->conf.host.data, redis->conf.host.len,
                       sin6.sin6_addr.s6_addr)
        == NGX_OK)
    {
        ngx_torii_redis_address(redis, &sin6, sizeof(struct sockaddr_in6));
        ngx_torii_redis_open(redis);
        return;
    }

    ngx_torii_redis_resolve(redis);
}


static void
ngx_torii_redis_address(ngx_torii_redis_t *redis, const void *sockaddr,
    socklen_t socklen)
{
    ngx_torii_redis_address_t  *address;

    address = &redis->addresses[redis->naddresses++];

    ngx_memcpy(address->sockaddr, sockaddr, socklen);
    address->socklen = socklen;

    ngx_inet_set_port((struct sockaddr *) address->sockaddr,
                      (in_port_t) redis->conf.port);
}


/* The channel of the last time is closed here, not in its own callback. */

static void
ngx_torii_redis_resolve(ngx_torii_redis_t *redis)
{
    ngx_str_t                   servers;
    struct ares_addrinfo_hints  hints;

    ngx_torii_ares_close(&redis->ares);
    ngx_str_null(&servers);

    if (ngx_torii_ares_open(&redis->ares, &servers, ngx_cycle->log)
        != ARES_SUCCESS)
    {
        ngx_torii_redis_fail(redis, "its name cannot be looked up");
        return;
    }

    ngx_memzero(&hints, sizeof(struct ares_addrinfo_hints));

    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;

    redis->state = NGX_TORII_REDIS_RESOLVING;

    ares_getaddrinfo(redis->ares.channel, (char *) redis->conf.host.data,
                     NULL, &hints, ngx_torii_redis_resolved, redis);

    if (redis->ares.channel) {
        ngx_torii_ares_arm(&redis->ares);
    }
}


static void
ngx_torii_redis_resolved(void *data, int status, int timeouts,
    struct ares_addrinfo *info)
{
    ngx_torii_redis_t *redis = data;

    struct ares_addrinfo_node  *node;

    if (status == ARES_EDESTRUCTION
        || redis->state != NGX_TORII_REDIS_RESOLVING)
    {
        ares_freeaddrinfo(info);
        return;
    }

    for (node = (status == ARES_SUCCESS && info) ? info->nodes : NULL;
         node && redis->naddresses < NGX_TORII_REDIS_ADDRESSES;
         node = node->ai_next)
    {
        if ((node->ai_family == AF_INET || node->ai_family == AF_INET6)
            && node->ai_addrlen <= sizeof(struct sockaddr_in6))
        {
            ngx_torii_redis_address(redis, node->ai_addr, node->ai_addrlen);
        }
    }

    ares_freeaddrinfo(info);

    if (redis->naddresses == 0) {
        ngx_torii_redis_fail(redis, "its name has no address");
        return;
    }

    ngx_torii_redis_open(redis);
}


/* One that says nothing takes all the time: next time another is the first. */

static void
ngx_torii_redis_open(ngx_torii_redis_t *redis)
{
    ngx_int_t                   rc;
    ngx_connection_t           *c;
    ngx_peer_connection_t       pc;
    ngx_torii_redis_address_t  *address;

    address = &redis->addresses[(redis->failures + redis->tried++)
                                % redis->naddresses];

    ngx_memzero(&pc, sizeof(ngx_peer_connection_t));

    pc.sockaddr = (struct sockaddr *) address->sockaddr;
    pc.socklen = address->socklen;
    pc.name = &redis->name;
    pc.get = ngx_event_get_peer;
    pc.log = ngx_cycle->log;
    pc.log_error = NGX_ERROR_ERR;

    rc = ngx_event_connect_peer(&pc);

    c = pc.connection;
    redis->connection = c;

    if (c && c->pool == NULL) {
        c->pool = ngx_create_pool(1024, ngx_cycle->log);
    }

    if (c == NULL || c->pool == NULL || (rc != NGX_OK && rc != NGX_AGAIN)) {
        ngx_torii_redis_next(redis, "it cannot be connected to");
        return;
    }

    c->data = redis;
    c->addr_text = redis->name;
    c->log = ngx_cycle->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->sendfile = 0;

    redis->state = NGX_TORII_REDIS_CONNECTING;

    if (rc == NGX_OK) {
        ngx_torii_redis_handshake(redis);
        return;
    }

    c->read->handler = ngx_torii_redis_dial;
    c->write->handler = ngx_torii_redis_dial;
}


/* Another address of it, as long as there is one. */

static void
ngx_torii_redis_next(ngx_torii_redis_t *redis, const char *why)
{
    if (redis->tried == redis->naddresses) {
        ngx_torii_redis_fail(redis, why);
        return;
    }

    ngx_torii_redis_close(redis);
    ngx_torii_redis_open(redis);
}


static void
ngx_torii_redis_dial(ngx_event_t *ev)
{
    int                 err;
    socklen_t           len;
    ngx_connection_t   *c;
    ngx_torii_redis_t  *redis;

    c = ev->data;
    redis = c->data;

    if (c->close) {
        ngx_torii_redis_fail(redis, "the worker ends");
        return;
    }

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        ngx_torii_redis_next(redis, strerror(err));
        return;
    }

    if (!ev->write && !c->write->ready) {
        return;
    }

    ngx_torii_redis_handshake(redis);
}


static void
ngx_torii_redis_handshake(ngx_torii_redis_t *redis)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = redis->connection;

    (void) ngx_tcp_nodelay(c);

    if (!redis->conf.tls) {
        ngx_torii_redis_begin(redis);
        return;
    }

    c->log->action = "SSL handshaking to Redis";

    if (ngx_ssl_create_connection(&redis->ssl, c, NGX_SSL_CLIENT) != NGX_OK
        || SSL_set_tlsext_host_name(c->ssl->connection,
                                    (char *) redis->conf.host.data)
           == 0)
    {
        ngx_torii_redis_fail(redis, "TLS cannot be begun");
        return;
    }

    c->ssl->no_wait_shutdown = 1;
    c->ssl->no_send_shutdown = 1;

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->ssl->handler = ngx_torii_redis_shaken;
        return;
    }

    ngx_torii_redis_shaken(c);
}


static void
ngx_torii_redis_shaken(ngx_connection_t *c)
{
    ngx_str_t           host;
    ngx_torii_redis_t  *redis;

    redis = c->data;

    host.len = redis->conf.host.len;
    host.data = redis->conf.host.data;

    if (!c->ssl->handshaked) {
        ngx_torii_redis_fail(redis, "TLS does not come about");
        return;
    }

    if (SSL_get_verify_result(c->ssl->connection) != X509_V_OK) {
        ngx_torii_redis_fail(redis, "its certificate is not trusted");
        return;
    }

    if (ngx_ssl_check_host(c, &host) != NGX_OK) {
        ngx_torii_redis_fail(redis, "its certificate is for another name");
        return;
    }

    ngx_torii_redis_begin(redis);
}


static void
ngx_torii_redis_begin(ngx_torii_redis_t *redis)
{
    ngx_connection_t  *c;

    c = redis->connection;

    c->read->handler = ngx_torii_redis_read_handler;
    c->write->handler = ngx_torii_redis_write_handler;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_torii_redis_fail(redis, "it cannot be read from");
        return;
    }

    redis->state = NGX_TORII_REDIS_READY;

    ngx_torii_redis_connected(redis);
}


static void
ngx_torii_redis_read_handler(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;

    if (c->close) {
        ngx_torii_redis_fail(c->data, "the worker ends");
        return;
    }

    ngx_torii_redis_readable(c->data);
}


static void
ngx_torii_redis_write_handler(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;

    ngx_torii_redis_writable(c->data);
}


void
ngx_torii_redis_close(ngx_torii_redis_t *redis)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    c = redis->connection;

    redis->connection = NULL;
    redis->state = NGX_TORII_REDIS_CLOSED;

    if (c == NULL) {
        return;
    }

    pool = c->pool;

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;
        (void) ngx_ssl_shutdown(c);
    }

    ngx_close_connection(c);

    if (pool) {
        ngx_destroy_pool(pool);
    }
}


ngx_int_t
ngx_torii_redis_tls(ngx_torii_redis_t *redis, torii_str_t ca)
{
    BIO         *bio;
    X509        *cert;
    ngx_uint_t   n;

    redis->ssl.log = ngx_cycle->log;

    if (ngx_ssl_create(&redis->ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    SSL_CTX_set_verify(redis->ssl.ctx, SSL_VERIFY_PEER, NULL);

    if (ca.len == 0) {
        return SSL_CTX_set_default_verify_paths(redis->ssl.ctx) == 1
               ? NGX_OK : NGX_ERROR;
    }

    n = 0;
    bio = BIO_new_mem_buf(ca.data, (int) ca.len);

    while (bio) {
        cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (cert == NULL) {
            break;
        }

        n += X509_STORE_add_cert(SSL_CTX_get_cert_store(redis->ssl.ctx), cert)
             == 1;
        X509_free(cert);
    }

    BIO_free(bio);
    ERR_clear_error();

    return n ? NGX_OK : NGX_ERROR;
}
