
/*
 * Jobs: how they begin and end, what they ask the resolver.
 */

#include "ngx_torii_dns_job.h"

#include <openssl/rand.h>


#define NGX_TORII_DNS_POOL  4096


static void ngx_torii_dns_job_event(ngx_torii_dns_job_t *job, ngx_event_t *ev,
    ngx_event_handler_pt handler);
static void ngx_torii_dns_job_turn_handler(ngx_event_t *ev);
static void ngx_torii_dns_job_deadline_handler(ngx_event_t *ev);
static void ngx_torii_dns_job_again_handler(ngx_event_t *ev);
static void ngx_torii_dns_job_stop(ngx_torii_dns_job_t *job);
static void ngx_torii_dns_job_finish(ngx_torii_dns_job_t *job);
static void ngx_torii_dns_job_found(void *data, int status, int timeouts,
    unsigned char *answer, int len);


ngx_torii_dns_job_t *
ngx_torii_dns_job_create(ngx_torii_dns_t *dns,
    const ngx_torii_dns_kind_t *kind, ngx_uint_t npeers, ngx_msec_t timeout)
{
    ngx_pool_t           *pool;
    ngx_torii_dns_job_t  *job;

    pool = ngx_create_pool(NGX_TORII_DNS_POOL, dns->log);
    if (pool == NULL) {
        return NULL;
    }

    job = ngx_pcalloc(pool, sizeof(ngx_torii_dns_job_t));
    if (job == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    job->peers = ngx_pcalloc(pool, sizeof(ngx_torii_dns_peer_t) * npeers);
    if (job->peers == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    job->dns = dns;
    job->kind = kind;
    job->pool = pool;

    job->dummy.fd = (ngx_socket_t) -1;
    job->dummy.data = job;

    ngx_torii_dns_job_event(job, &job->turn, ngx_torii_dns_job_turn_handler);
    ngx_torii_dns_job_event(job, &job->deadline,
                            ngx_torii_dns_job_deadline_handler);
    ngx_torii_dns_job_event(job, &job->again, ngx_torii_dns_job_again_handler);

    ngx_queue_insert_tail(&dns->jobs, &job->queue);

    ngx_add_timer(&job->deadline, timeout);
    ngx_post_event(&job->turn, &ngx_posted_events);

    return job;
}


/* With debug logging nginx reads a descriptor behind ev->data. */

static void
ngx_torii_dns_job_event(ngx_torii_dns_job_t *job, ngx_event_t *ev,
    ngx_event_handler_pt handler)
{
    ev->handler = handler;
    ev->data = &job->dummy;
    ev->log = job->dns->log;
    ev->cancelable = 1;
}


static void
ngx_torii_dns_job_turn_handler(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_torii_dns_job_t  *job;

    c = ev->data;
    job = c->data;

    if (job->ended) {
        ngx_torii_dns_job_finish(job);
        return;
    }

    job->kind->begin(job);
}


static void
ngx_torii_dns_job_deadline_handler(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_torii_dns_job_t  *job;

    c = ev->data;
    job = c->data;

    job->kind->late(job);
}


static void
ngx_torii_dns_job_again_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    ngx_torii_dns_job_find(c->data);
}


void
ngx_torii_dns_job_end(ngx_torii_dns_job_t *job, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    if (job->ended) {
        return;
    }

    job->ended = 1;

    if (fmt) {
        va_start(args, fmt);
        p = ngx_vslprintf((u_char *) job->error,
                          (u_char *) job->error + NGX_TORII_DNS_ERROR - 1,
                          fmt, args);
        va_end(args);

        *p = '\0';
        job->bad = 1;
    }

    ngx_torii_dns_job_stop(job);

    ngx_post_event(&job->turn, &ngx_posted_events);
}


static void
ngx_torii_dns_job_stop(ngx_torii_dns_job_t *job)
{
    ngx_uint_t             i;
    ngx_torii_dns_peer_t  *peer;

    for (i = 0; i < job->npeers; i++) {
        peer = &job->peers[i];

        ngx_torii_dns_exchange_stop(&peer->exchange);

        if (peer->timer.timer_set) {
            ngx_del_timer(&peer->timer);
        }
    }

    if (job->deadline.timer_set) {
        ngx_del_timer(&job->deadline);
    }

    if (job->again.timer_set) {
        ngx_del_timer(&job->again);
    }
}


/* The handler may start new jobs, but has no way to this one. */

static void
ngx_torii_dns_job_finish(ngx_torii_dns_job_t *job)
{
    const char   *error;
    torii_str_t   target;

    error = job->bad ? job->error : NULL;

    if (job->got) {
        job->got(job->data, error, job->values, error ? 0 : job->nvalues);

    } else if (job->target) {
        target = torii_str(job->find ? dnssync_find_name(job->find) : NULL);
        job->target(job->data, error, target);

    } else if (job->addresses) {
        job->addresses(job->data, job->addrs, error ? 0 : job->naddrs,
                       job->ttl);

    } else {
        job->done(job->data, error);
    }

    ngx_torii_dns_job_free(job);
}


void
ngx_torii_dns_job_free(ngx_torii_dns_job_t *job)
{
    job->ended = 1;

    ngx_torii_dns_job_stop(job);
    ngx_torii_ares_close(&job->ares);

    if (job->turn.posted) {
        ngx_delete_posted_event(&job->turn);
    }

    dnssync_change_free(job->change);
    dnssync_find_free(job->find);
    dnssync_key_free(job->key);
    torii_buf_free(&job->request);
    SSL_CTX_free(job->tls);

    ngx_queue_remove(&job->queue);
    ngx_destroy_pool(job->pool);
}


const char *
ngx_torii_dns_job_ares(ngx_torii_dns_job_t *job)
{
    int  rc;

    if (job->ares.channel) {
        return NULL;
    }

    rc = ngx_torii_ares_open(&job->ares, &job->dns->resolver, job->dns->log);

    return rc == ARES_SUCCESS ? NULL : ares_strerror(rc);
}


void
ngx_torii_dns_job_find(ngx_torii_dns_job_t *job)
{
    unsigned     type;
    const char  *error, *question;

    error = ngx_torii_dns_job_ares(job);

    if (error) {
        job->kind->found(job, error);
        return;
    }

    question = dnssync_find_question(job->find, &type);

    ares_query(job->ares.channel, question, 1, (int) type,
               ngx_torii_dns_job_found, job);

    ngx_torii_ares_arm(&job->ares);
}


static void
ngx_torii_dns_job_found(void *data, int status, int timeouts,
    unsigned char *answer, int len)
{
    ngx_torii_dns_job_t *job = data;

    torii_str_t  bytes;

    if (job->ended) {
        return;
    }

    if (answer == NULL
        || (status != ARES_SUCCESS && status != ARES_ENODATA
            && status != ARES_ENOTFOUND))
    {
        job->kind->found(job, ares_strerror(status));
        return;
    }

    bytes.data = answer;
    bytes.len = len;

    switch (dnssync_find_answer(job->find, bytes)) {

    case DNSSYNC_DONE:
        job->kind->found(job, NULL);
        return;

    case DNSSYNC_MORE:
        job->tries = 0;
        ngx_add_timer(&job->again, 0);
        return;

    default:
        job->kind->found(job, dnssync_find_error(job->find));
    }
}


unsigned
ngx_torii_dns_id(void)
{
    uint16_t  id;

    if (RAND_bytes((u_char *) &id, sizeof(uint16_t)) != 1) {
        id = (uint16_t) ngx_random();
    }

    return id;
}


void
ngx_torii_dns_job_ask(ngx_torii_dns_job_t *job)
{
    unsigned     i;
    ngx_uint_t   n;
    const char  *host;

    for (i = 0; /* void */; i++) {
        host = dnssync_find_server(job->find, i);

        if (host == NULL) {
            break;
        }

        if (ngx_torii_dns_peer_add(job, host) == NULL) {
            ngx_torii_dns_job_end(job, "no memory");
            return;
        }
    }

    job->ready = 1;

    for (n = 0; n < job->npeers; n++) {
        ngx_torii_dns_peer_wait(&job->peers[n], 0);
    }
}
