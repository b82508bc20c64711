
/*
 * What the two files of a Redis server share: its commands, and the connection
 * below them.
 */

#ifndef _NGX_TORII_REDIS_SERVER_H_INCLUDED_
#define _NGX_TORII_REDIS_SERVER_H_INCLUDED_


#include "ngx_torii_redis.h"
#include "ngx_torii_ares.h"


#define NGX_TORII_REDIS_ADDRESSES  8      /* of a name, the first ones */


typedef enum {
    NGX_TORII_REDIS_CLOSED = 0,
    NGX_TORII_REDIS_RESOLVING,
    NGX_TORII_REDIS_CONNECTING,
    NGX_TORII_REDIS_READY
} ngx_torii_redis_e;


struct ngx_torii_redis_op_s {
    ngx_queue_t              queue;
    torii_buf_t              command;     /* secrets may be in it */
    ngx_torii_redis_pt       handler;
    void                    *data;
};

typedef struct {
    u_char                   sockaddr[sizeof(struct sockaddr_in6)];
    socklen_t                socklen;
} ngx_torii_redis_address_t;

struct ngx_torii_redis_s {
    ngx_queue_t              queue;       /* of all servers */
    ngx_uint_t               refs;
    uint64_t                 hash;
    torii_arena_t           *arena;
    oauth2_redis_t           conf;
    ngx_ssl_t                ssl;

    ngx_torii_redis_e        state;
    ngx_connection_t        *connection;
    ngx_torii_ares_t         ares;
    ngx_torii_redis_address_t  addresses[NGX_TORII_REDIS_ADDRESSES];
    ngx_uint_t               naddresses;
    ngx_uint_t               tried;       /* of them, this time */
    ngx_str_t                name;        /* "redis.test:6379", for logs */

    ngx_queue_t              ops;         /* in the order of their replies */
    ngx_queue_t              refused;     /* to be answered by NULL */
    ngx_uint_t               n;
    ngx_uint_t               hello;       /* replies before theirs */
    torii_buf_t              in;
    torii_buf_t              out;
    size_t                   sent;

    ngx_event_t              timer;       /* of the oldest command */
    ngx_event_t              kick;        /* posted: there is work */
    ngx_connection_t         dummy;       /* what they point to */
    ngx_uint_t               failures;    /* in a row */
    ngx_msec_t               retry;       /* not before */
    unsigned                 gone:1;      /* nobody has it any more */
};


/* ngx_torii_redis.c */

/* The connection is over; all that waits for it is answered by NULL. */
void ngx_torii_redis_fail(ngx_torii_redis_t *redis, const char *why);
/* It stands: commands may go. */
void ngx_torii_redis_connected(ngx_torii_redis_t *redis);
void ngx_torii_redis_readable(ngx_torii_redis_t *redis);
void ngx_torii_redis_writable(ngx_torii_redis_t *redis);

/* ngx_torii_redis_connect.c */

/* _connected() or _fail() is called, later or at once. */
void ngx_torii_redis_connect(ngx_torii_redis_t *redis);
void ngx_torii_redis_close(ngx_torii_redis_t *redis);
ngx_int_t ngx_torii_redis_tls(ngx_torii_redis_t *redis, torii_str_t ca);


#endif /* _NGX_TORII_REDIS_SERVER_H_INCLUDED_ */
