
/*
 * DNS in the helper: a TXT value is written, an alias is followed.
 */

#include "ngx_torii_dns_job.h"


#define NGX_TORII_DNS_CHANGE  30000          /* longest, ms */
#define NGX_TORII_DNS_TARGET  30000


static void ngx_torii_dns_destroy(void *data);
static const char *ngx_torii_dns_change(ngx_torii_dns_job_t *job,
    const ngx_torii_dns_server_t *server, torii_str_t name, torii_str_t value,
    ngx_uint_t add, uint32_t ttl);
static void ngx_torii_dns_change_begin(ngx_torii_dns_job_t *job);
static void ngx_torii_dns_change_resolved(ngx_torii_dns_peer_t *peer,
    const char *error);
static void ngx_torii_dns_change_ask(ngx_torii_dns_peer_t *peer);
static ngx_int_t ngx_torii_dns_change_take(ngx_torii_dns_peer_t *peer,
    torii_str_t answer);
static void ngx_torii_dns_change_answered(ngx_torii_dns_peer_t *peer,
    const char *error);
static void ngx_torii_dns_change_late(ngx_torii_dns_job_t *job);

static void ngx_torii_dns_target_found(ngx_torii_dns_job_t *job,
    const char *error);
static void ngx_torii_dns_target_late(ngx_torii_dns_job_t *job);


static const ngx_torii_dns_kind_t  ngx_torii_dns_change_kind = {
    ngx_torii_dns_change_begin,
    ngx_torii_dns_change_resolved,
    NULL,                                    /* found */
    ngx_torii_dns_change_take,
    ngx_torii_dns_change_answered,
    NULL,                                    /* wake */
    ngx_torii_dns_change_late
};


static const ngx_torii_dns_kind_t  ngx_torii_dns_target_kind = {
    ngx_torii_dns_job_find,
    NULL,                                    /* resolved */
    ngx_torii_dns_target_found,
    NULL,                                    /* take */
    NULL,                                    /* answered */
    NULL,                                    /* wake */
    ngx_torii_dns_target_late
};


ngx_torii_dns_t *
ngx_torii_dns_create(ngx_pool_t *pool, ngx_str_t *resolver, ngx_log_t *log)
{
    ngx_torii_dns_t     *dns;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_torii_dns_t));
    if (cln == NULL || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        return NULL;
    }

    dns = cln->data;

    dns->resolver = *resolver;
    dns->log = log;
    dns->store = NULL;
    ngx_queue_init(&dns->jobs);

    cln->handler = ngx_torii_dns_destroy;

    return dns;
}


static void
ngx_torii_dns_destroy(void *data)
{
    ngx_torii_dns_t *dns = data;

    ngx_queue_t  *q;

    while (!ngx_queue_empty(&dns->jobs)) {
        q = ngx_queue_head(&dns->jobs);
        ngx_torii_dns_job_free(ngx_queue_data(q, ngx_torii_dns_job_t, queue));
    }

    X509_STORE_free(dns->store);
    ares_library_cleanup();
}


ngx_int_t
ngx_torii_dns_txt(ngx_torii_dns_t *dns, const ngx_torii_dns_server_t *server,
    torii_str_t name, torii_str_t value, ngx_uint_t add, uint32_t ttl,
    ngx_torii_dns_done_pt done, void *data)
{
    const char           *error;
    ngx_torii_dns_job_t  *job;

    job = ngx_torii_dns_job_create(dns, &ngx_torii_dns_change_kind, 1,
                                   NGX_TORII_DNS_CHANGE);
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->done = done;
    job->data = data;

    error = ngx_torii_dns_change(job, server, name, value, add, ttl);

    if (error) {
        ngx_torii_dns_job_end(job, "%s", error);
    }

    return NGX_OK;
}


static const char *
ngx_torii_dns_change(ngx_torii_dns_job_t *job,
    const ngx_torii_dns_server_t *server, torii_str_t name, torii_str_t value,
    ngx_uint_t add, uint32_t ttl)
{
    const char  *error;

    if (ngx_torii_dns_peer_parse(job, server) == NULL) {
        return "the name server is not \"host[:port]\"";
    }

    if (server->key_name.len) {
        job->key = dnssync_key_create(server->key_name, server->algorithm,
                                      server->secret, &error);
        if (job->key == NULL) {
            return error;
        }
    }

    job->change = dnssync_change_txt(name, value, add != 0, ttl, job->key,
                                     &error);

    return job->change ? NULL : error;
}


static void
ngx_torii_dns_change_begin(ngx_torii_dns_job_t *job)
{
    if (job->peers[0].host.len) {
        ngx_torii_dns_peer_resolve(&job->peers[0]);
        return;
    }

    ngx_torii_dns_change_ask(&job->peers[0]);
}


static void
ngx_torii_dns_change_resolved(ngx_torii_dns_peer_t *peer, const char *error)
{
    if (error) {
        ngx_torii_dns_job_end(peer->job, "name server \"%V\" cannot be "
                              "resolved: %s", &peer->name, error);
        return;
    }

    ngx_torii_dns_change_ask(peer);
}


static void
ngx_torii_dns_change_ask(ngx_torii_dns_peer_t *peer)
{
    ngx_torii_dns_job_t  *job;

    job = peer->job;
    job->request.len = 0;

    if (dnssync_change_request(job->change, ngx_time(), ngx_torii_dns_id(),
                               &job->request)
        != TORII_OK)
    {
        ngx_torii_dns_job_end(job, "%s", dnssync_change_error(job->change));
        return;
    }

    ngx_torii_dns_peer_ask(peer);
}


static ngx_int_t
ngx_torii_dns_change_take(ngx_torii_dns_peer_t *peer, torii_str_t answer)
{
    peer->step = dnssync_change_answer(peer->job->change, ngx_time(), answer);

    switch (peer->step) {

    case DNSSYNC_IGNORED:
        return NGX_AGAIN;

    case DNSSYNC_TRUNCATED:
        return NGX_DECLINED;

    default:
        return NGX_OK;
    }
}


static void
ngx_torii_dns_change_answered(ngx_torii_dns_peer_t *peer, const char *error)
{
    const char           *ignored;
    ngx_torii_dns_job_t  *job;

    job = peer->job;

    if (error == NULL) {

        switch (peer->step) {

        case DNSSYNC_DONE:
            ngx_torii_dns_job_end(job, NULL);
            return;

        case DNSSYNC_MORE:
            ngx_torii_dns_change_ask(peer);
            return;

        default:
            ngx_torii_dns_job_end(job, "name server \"%V\": %s", &peer->name,
                                  dnssync_change_error(job->change));
            return;
        }
    }

    if (ngx_torii_dns_peer_next(peer) == NGX_OK) {
        ngx_torii_dns_change_ask(peer);
        return;
    }

    ignored = dnssync_change_error(job->change);

    ngx_torii_dns_job_end(job, "name server \"%V\": %s%s%s", &peer->name,
                          error, ignored[0] ? ", but what was ignored: " : "",
                          ignored);
}


static void
ngx_torii_dns_change_late(ngx_torii_dns_job_t *job)
{
    ngx_torii_dns_job_end(job, "name server \"%V\": no end in %d seconds",
                          &job->peers[0].name, NGX_TORII_DNS_CHANGE / 1000);
}


ngx_int_t
ngx_torii_dns_target(ngx_torii_dns_t *dns, torii_str_t name,
    ngx_torii_dns_target_pt done, void *data)
{
    ngx_torii_dns_job_t  *job;

    job = ngx_torii_dns_job_create(dns, &ngx_torii_dns_target_kind, 1,
                                   NGX_TORII_DNS_TARGET);
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->target = done;
    job->data = data;
    job->find = dnssync_find_create(name, 1, 0);

    if (job->find == NULL) {
        ngx_torii_dns_job_end(job, "the name is no DNS name");
    }

    return NGX_OK;
}


static void
ngx_torii_dns_target_found(ngx_torii_dns_job_t *job, const char *error)
{
    if (error) {
        ngx_torii_dns_job_end(job, "what \"%s\" is an alias of cannot be "
                              "found: %s", dnssync_find_name(job->find),
                              error);
        return;
    }

    ngx_torii_dns_job_end(job, NULL);
}


static void
ngx_torii_dns_target_late(ngx_torii_dns_job_t *job)
{
    ngx_torii_dns_target_found(job, "no answer");
}
