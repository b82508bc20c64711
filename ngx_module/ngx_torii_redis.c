
/*
 * Commands and their replies.  What fails, fails all that waits: a reply that
 * is missing would give the next one to the wrong command.
 */

#include "ngx_torii_redis_server.h"


#define NGX_TORII_REDIS_OPS      4096          /* at once */
#define NGX_TORII_REDIS_BYTES    (8 * 1024 * 1024)
#define NGX_TORII_REDIS_CHUNK    16384
#define NGX_TORII_REDIS_BACKOFF  100           /* ms, then twice … */
#define NGX_TORII_REDIS_LONGEST  1000


static void ngx_torii_redis_event(ngx_torii_redis_t *redis, ngx_event_t *ev,
    ngx_event_handler_pt handler);
static void ngx_torii_redis_kick_handler(ngx_event_t *ev);
static void ngx_torii_redis_timer_handler(ngx_event_t *ev);
static void ngx_torii_redis_refuse(ngx_torii_redis_t *redis);
static void ngx_torii_redis_answer(ngx_torii_redis_t *redis,
    ngx_torii_redis_op_t *op, const torii_resp_t *reply);
static void ngx_torii_redis_push(ngx_torii_redis_t *redis,
    ngx_torii_redis_op_t *op);
static ngx_int_t ngx_torii_redis_replies(ngx_torii_redis_t *redis);
static void ngx_torii_redis_settle(ngx_torii_redis_t *redis);
static void ngx_torii_redis_free(ngx_torii_redis_t *redis);
static void ngx_torii_redis_empty(torii_buf_t *b);


/* Of this process. */
static ngx_queue_t  ngx_torii_redis_servers;


ngx_torii_redis_t *
ngx_torii_redis_get(torii_str_t url, torii_str_t ca)
{
    uint64_t            hash;
    torii_str_t         name;
    ngx_queue_t        *q;
    ngx_torii_redis_t  *redis;

    if (ngx_torii_redis_servers.next == NULL) {
        ngx_queue_init(&ngx_torii_redis_servers);
    }

    hash = torii_hash(ca.data, ca.len, torii_hash(url.data, url.len, 1));

    for (q = ngx_queue_head(&ngx_torii_redis_servers);
         q != ngx_queue_sentinel(&ngx_torii_redis_servers);
         q = ngx_queue_next(q))
    {
        redis = ngx_queue_data(q, ngx_torii_redis_t, queue);

        if (redis->hash == hash && !redis->gone) {
            redis->refs++;
            return redis;
        }
    }

    redis = torii_zalloc(sizeof(ngx_torii_redis_t));

    redis->refs = 1;
    redis->hash = hash;
    redis->arena = torii_arena_create(1024);
    redis->dummy.fd = (ngx_socket_t) -1;
    redis->dummy.data = redis;

    ngx_queue_init(&redis->ops);
    ngx_queue_init(&redis->refused);
    ngx_torii_redis_event(redis, &redis->kick, ngx_torii_redis_kick_handler);
    ngx_torii_redis_event(redis, &redis->timer, ngx_torii_redis_timer_handler);

    ngx_queue_insert_tail(&ngx_torii_redis_servers, &redis->queue);

    if (oauth2_redis_read(redis->arena, url, &redis->conf) != NULL
        || (redis->conf.tls && ngx_torii_redis_tls(redis, ca) != NGX_OK))
    {
        ngx_torii_redis_free(redis);
        return NULL;
    }

    name = torii_arena_printf(redis->arena, "%.*s:%u",
                              torii_str_arg(redis->conf.host),
                              redis->conf.port);
    redis->name.data = name.data;
    redis->name.len = name.len;

    return redis;
}


static void
ngx_torii_redis_event(ngx_torii_redis_t *redis, ngx_event_t *ev,
    ngx_event_handler_pt handler)
{
    ev->handler = handler;
    ev->data = &redis->dummy;
    ev->log = ngx_cycle->log;
}


/* It may be left by a handler of its own: the end comes from the loop. */

void
ngx_torii_redis_leave(ngx_torii_redis_t *redis)
{
    if (redis == NULL || --redis->refs) {
        return;
    }

    redis->gone = 1;
    ngx_post_event(&redis->kick, &ngx_posted_events);
}


static void
ngx_torii_redis_free(ngx_torii_redis_t *redis)
{
    ngx_queue_remove(&redis->queue);

    ngx_torii_redis_close(redis);
    ngx_torii_ares_close(&redis->ares);

    if (redis->timer.timer_set) {
        ngx_del_timer(&redis->timer);
    }

    if (redis->ssl.ctx) {
        SSL_CTX_free(redis->ssl.ctx);
    }

    ngx_torii_redis_empty(&redis->in);
    ngx_torii_redis_empty(&redis->out);

    if (redis->conf.password.len) {
        ngx_explicit_memzero(redis->conf.password.data,
                             redis->conf.password.len);
    }

    torii_arena_destroy(redis->arena);
    free(redis);
}


static void
ngx_torii_redis_empty(torii_buf_t *b)
{
    if (b->data) {
        ngx_explicit_memzero(b->data, b->len);
    }

    torii_buf_free(b);
}


ngx_torii_redis_op_t *
ngx_torii_redis_send(ngx_torii_redis_t *redis, torii_buf_t *command,
    ngx_torii_redis_pt handler, void *data)
{
    ngx_torii_redis_op_t  *op;

    op = torii_zalloc(sizeof(ngx_torii_redis_op_t));

    op->command = *command;
    op->handler = handler;
    op->data = data;

    ngx_memzero(command, sizeof(torii_buf_t));

    if (redis->gone || redis->n >= NGX_TORII_REDIS_OPS
        || redis->out.len > NGX_TORII_REDIS_BYTES
        || (redis->state == NGX_TORII_REDIS_CLOSED && redis->failures
            && (ngx_msec_int_t) (redis->retry - ngx_current_msec) > 0))
    {
        ngx_queue_insert_tail(&redis->refused, &op->queue);

    } else {
        ngx_queue_insert_tail(&redis->ops, &op->queue);
        redis->n++;

        if (redis->state == NGX_TORII_REDIS_READY) {
            ngx_torii_redis_push(redis, op);
        }
    }

    ngx_post_event(&redis->kick, &ngx_posted_events);

    return op;
}


void
ngx_torii_redis_abandon(ngx_torii_redis_op_t *op)
{
    op->handler = NULL;
}


static void
ngx_torii_redis_push(ngx_torii_redis_t *redis, ngx_torii_redis_op_t *op)
{
    torii_buf_add(&redis->out, op->command.data, op->command.len);
    ngx_torii_redis_empty(&op->command);
}


/* Commands of one turn of the loop go in one segment. */

static void
ngx_torii_redis_kick_handler(ngx_event_t *ev)
{
    ngx_connection_t   *c;
    ngx_torii_redis_t  *redis;

    c = ev->data;
    redis = c->data;

    if (redis->gone) {
        ngx_torii_redis_fail(redis, NULL);
        ngx_torii_redis_refuse(redis);

        if (ngx_queue_empty(&redis->refused)) {
            ngx_torii_redis_free(redis);
        }

        return;
    }

    ngx_torii_redis_refuse(redis);

    if (ngx_queue_empty(&redis->ops)) {
        return;
    }

    if (!redis->timer.timer_set) {
        ngx_add_timer(&redis->timer, NGX_TORII_REDIS_TIMEOUT);
    }

    switch (redis->state) {

    case NGX_TORII_REDIS_CLOSED:
        ngx_torii_redis_connect(redis);
        break;

    case NGX_TORII_REDIS_READY:
        redis->connection->idle = 0;
        ngx_torii_redis_writable(redis);
        break;

    default:
        break;
    }
}


static void
ngx_torii_redis_timer_handler(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;

    ngx_torii_redis_fail(c->data, "there is no answer");
}


/* Those of now: what their handlers send anew waits for the next turn. */

static void
ngx_torii_redis_refuse(ngx_torii_redis_t *redis)
{
    ngx_queue_t  *q, list;

    if (ngx_queue_empty(&redis->refused)) {
        return;
    }

    ngx_queue_init(&list);
    ngx_queue_add(&list, &redis->refused);
    ngx_queue_init(&redis->refused);

    while (!ngx_queue_empty(&list)) {
        q = ngx_queue_head(&list);
        ngx_queue_remove(q);

        ngx_torii_redis_answer(redis,
                          ngx_queue_data(q, ngx_torii_redis_op_t, queue),
                          NULL);
    }
}


static void
ngx_torii_redis_answer(ngx_torii_redis_t *redis, ngx_torii_redis_op_t *op,
    const torii_resp_t *reply)
{
    void                *data;
    ngx_torii_redis_pt   handler;

    handler = op->handler;
    data = op->data;

    ngx_torii_redis_empty(&op->command);
    free(op);

    /* the first word: the rest might tell a value */

    if (reply && reply->value.type == TORII_RESP_ERROR) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "torii: Redis %V refuses a command: %*s", &redis->name,
                      strcspn((char *) reply->value.text.data, " \r"),
                      reply->value.text.data);
    }

    if (handler) {
        handler(data, reply);
    }
}


void
ngx_torii_redis_connected(ngx_torii_redis_t *redis)
{
    ngx_queue_t  *q;

    redis->hello = 0;

    if (redis->conf.password.len) {
        torii_resp_begin(&redis->out, redis->conf.user.len ? 3 : 2);
        torii_resp_adds(&redis->out, "AUTH");

        if (redis->conf.user.len) {
            torii_resp_add(&redis->out, redis->conf.user);
        }

        torii_resp_add(&redis->out, redis->conf.password);
        redis->hello++;
    }

    if (redis->conf.db) {
        torii_resp_begin(&redis->out, 2);
        torii_resp_adds(&redis->out, "SELECT");
        torii_resp_add_number(&redis->out, redis->conf.db);
        redis->hello++;
    }

    for (q = ngx_queue_head(&redis->ops);
         q != ngx_queue_sentinel(&redis->ops);
         q = ngx_queue_next(q))
    {
        ngx_torii_redis_push(redis,
                             ngx_queue_data(q, ngx_torii_redis_op_t, queue));
    }

    ngx_torii_redis_writable(redis);
}


void
ngx_torii_redis_writable(ngx_torii_redis_t *redis)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = redis->connection;

    while (redis->sent < redis->out.len) {

        n = c->send(c, redis->out.data + redis->sent,
                    redis->out.len - redis->sent);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n <= 0) {
            ngx_torii_redis_fail(redis, "it cannot be written to");
            return;
        }

        redis->sent += n;
    }

    if (redis->sent == redis->out.len) {
        ngx_torii_redis_empty(&redis->out);
        redis->sent = 0;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_torii_redis_fail(redis, "it cannot be written to");
    }
}


void
ngx_torii_redis_readable(ngx_torii_redis_t *redis)
{
    ssize_t            n;
    u_char            *p;
    ngx_connection_t  *c;

    c = redis->connection;

    for ( ;; ) {
        p = torii_buf_room(&redis->in, NGX_TORII_REDIS_CHUNK);
        n = c->recv(c, p, NGX_TORII_REDIS_CHUNK);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n <= 0) {

            /* it may close what is not used */

            ngx_torii_redis_fail(redis, (redis->n || redis->hello)
                                        ? "it has closed the connection"
                                        : NULL);
            return;
        }

        redis->in.len += n;

        if (ngx_torii_redis_replies(redis) != NGX_OK) {
            return;
        }
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_torii_redis_fail(redis, "it cannot be read from");
        return;
    }

    ngx_torii_redis_settle(redis);
}


/* NGX_ERROR: the connection is over. */

static ngx_int_t
ngx_torii_redis_replies(ngx_torii_redis_t *redis)
{
    int                    rc;
    size_t                 used, done;
    torii_str_t            in;
    torii_resp_t           reply;
    ngx_queue_t           *q;

    done = 0;

    for ( ;; ) {
        in.data = redis->in.data + done;
        in.len = redis->in.len - done;

        rc = in.len ? torii_resp_read(in, &used, &reply) : TORII_AGAIN;

        if (rc == TORII_AGAIN) {
            break;
        }

        if (rc != TORII_OK || (redis->hello == 0 && redis->n == 0)) {
            ngx_torii_redis_fail(redis, "its answer makes no sense");
            return NGX_ERROR;
        }

        done += used;

        if (redis->hello) {
            redis->hello--;

            if (reply.value.type != TORII_RESP_STATUS) {
                ngx_torii_redis_fail(redis, "it refuses the password, or the "
                                            "database");
                return NGX_ERROR;
            }

            continue;
        }

        if (redis->failures) {
            redis->failures = 0;
            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "torii: Redis %V answers again", &redis->name);
        }

        q = ngx_queue_head(&redis->ops);
        ngx_queue_remove(q);
        redis->n--;

        if (redis->timer.timer_set) {
            ngx_del_timer(&redis->timer);
        }

        ngx_torii_redis_answer(redis,
                          ngx_queue_data(q, ngx_torii_redis_op_t, queue),
                          &reply);
    }

    /* what was read may be secret */

    ngx_memmove(redis->in.data, redis->in.data + done, redis->in.len - done);
    ngx_explicit_memzero(redis->in.data + redis->in.len - done, done);
    redis->in.len -= done;

    return NGX_OK;
}


static void
ngx_torii_redis_settle(ngx_torii_redis_t *redis)
{
    if (redis->n) {

        if (!redis->timer.timer_set) {
            ngx_add_timer(&redis->timer, NGX_TORII_REDIS_TIMEOUT);
        }

        return;
    }

    if (redis->timer.timer_set) {
        ngx_del_timer(&redis->timer);
    }

    /* a worker that ends would wait for nobody */

    if (ngx_exiting) {
        ngx_torii_redis_fail(redis, NULL);
        return;
    }

    redis->connection->idle = 1;
}


/* why is NULL for an end that is none of its faults. */

void
ngx_torii_redis_fail(ngx_torii_redis_t *redis, const char *why)
{
    ngx_msec_t  wait;

    if (why) {

        if (redis->failures == 0) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "torii: Redis %V is out of reach: %s", &redis->name,
                          why);
        }

        wait = NGX_TORII_REDIS_BACKOFF << ngx_min(redis->failures, 6);
        wait = ngx_min(wait, NGX_TORII_REDIS_LONGEST);

        redis->retry = ngx_current_msec + wait;
        redis->failures++;
    }

    ngx_torii_redis_close(redis);

    if (redis->timer.timer_set) {
        ngx_del_timer(&redis->timer);
    }

    ngx_torii_redis_empty(&redis->in);
    ngx_torii_redis_empty(&redis->out);
    redis->sent = 0;
    redis->hello = 0;
    redis->n = 0;

    if (!ngx_queue_empty(&redis->ops)) {
        ngx_queue_add(&redis->refused, &redis->ops);
        ngx_queue_init(&redis->ops);

        ngx_post_event(&redis->kick, &ngx_posted_events);
    }
}
