
/*
 * A TXT value, or a whole set of records, is waited for on all servers of its
 * zone.
 */

#include "ngx_torii_dns_job.h"


#define NGX_TORII_DNS_SEEN   120000
#define NGX_TORII_DNS_STEP   2000            /* between two looks */
#define NGX_TORII_DNS_FINDS  3               /* then the resolver is given up */


static const char *ngx_torii_dns_seen(ngx_torii_dns_job_t *job,
    const ngx_torii_dns_server_t *server, torii_str_t name,
    const torii_str_t *values, ngx_uint_t n, ngx_uint_t follow);
static const char *ngx_torii_dns_seen_name(ngx_torii_dns_job_t *job,
    torii_str_t name);
static torii_str_t ngx_torii_dns_seen_asked(ngx_torii_dns_job_t *job);
static void ngx_torii_dns_seen_begin(ngx_torii_dns_job_t *job);
static void ngx_torii_dns_seen_found(ngx_torii_dns_job_t *job,
    const char *error);
static void ngx_torii_dns_seen_resolved(ngx_torii_dns_peer_t *peer,
    const char *error);
static ngx_uint_t ngx_torii_dns_seen_same(ngx_torii_dns_peer_t *peer);
static void ngx_torii_dns_seen_wake(ngx_torii_dns_peer_t *peer);
static ngx_int_t ngx_torii_dns_seen_take(ngx_torii_dns_peer_t *peer,
    torii_str_t answer);
static void ngx_torii_dns_seen_answered(ngx_torii_dns_peer_t *peer,
    const char *error);
static void ngx_torii_dns_seen_check(ngx_torii_dns_job_t *job);
static void ngx_torii_dns_seen_late(ngx_torii_dns_job_t *job);


static const ngx_torii_dns_kind_t  ngx_torii_dns_seen_kind = {
    ngx_torii_dns_seen_begin,
    ngx_torii_dns_seen_resolved,
    ngx_torii_dns_seen_found,
    ngx_torii_dns_seen_take,
    ngx_torii_dns_seen_answered,
    ngx_torii_dns_seen_wake,
    ngx_torii_dns_seen_late
};


ngx_int_t
ngx_torii_dns_txt_seen(ngx_torii_dns_t *dns, torii_str_t name,
    torii_str_t value, const ngx_torii_dns_server_t *server, ngx_uint_t follow,
    ngx_msec_t timeout, ngx_torii_dns_done_pt done, void *data)
{
    const char           *error;
    ngx_torii_dns_job_t  *job;

    job = ngx_torii_dns_job_create(dns, &ngx_torii_dns_seen_kind,
                                   NGX_TORII_DNS_PEERS,
                                   timeout ? timeout : NGX_TORII_DNS_SEEN);
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->done = done;
    job->data = data;

    error = ngx_torii_dns_seen(job, server, name, &value, 1, follow);

    if (error) {
        ngx_torii_dns_job_end(job, "%s", error);
    }

    return NGX_OK;
}


ngx_int_t
ngx_torii_dns_set_seen(ngx_torii_dns_t *dns, torii_str_t zone,
    torii_str_t name, unsigned type, const torii_str_t *values, ngx_uint_t n,
    const ngx_torii_dns_server_t *server, ngx_msec_t timeout,
    ngx_torii_dns_done_pt done, void *data)
{
    const char           *error;
    ngx_torii_dns_job_t  *job;

    job = ngx_torii_dns_job_create(dns, &ngx_torii_dns_seen_kind,
                                   NGX_TORII_DNS_PEERS,
                                   timeout ? timeout : NGX_TORII_DNS_SEEN);
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->done = done;
    job->data = data;
    job->type = type;

    error = ngx_torii_dns_seen(job, server, zone, values, n, 0);

    if (error == NULL) {
        error = ngx_torii_dns_seen_name(job, name);
    }

    if (error) {
        ngx_torii_dns_job_end(job, "%s", error);
    }

    return NGX_OK;
}


static const char *
ngx_torii_dns_seen(ngx_torii_dns_job_t *job,
    const ngx_torii_dns_server_t *server, torii_str_t name,
    const torii_str_t *values, ngx_uint_t n, ngx_uint_t follow)
{
    torii_str_t  *copy;

    if (server && ngx_torii_dns_peer_parse(job, server) == NULL) {
        return "the name server is not \"host[:port]\"";
    }

    job->find = dnssync_find_create(name, follow != 0, 1);
    if (job->find == NULL) {
        return "the name of the record is no DNS name";
    }

    job->addrs = ngx_pcalloc(job->pool, (n + 1) * sizeof(torii_str_t));
    if (job->addrs == NULL) {
        return "no memory";
    }

    for ( /* void */ ; job->naddrs < n; job->naddrs++) {
        copy = &job->addrs[job->naddrs];
        copy->len = values[job->naddrs].len;
        copy->data = ngx_pnalloc(job->pool, copy->len + 1);

        if (copy->data == NULL) {
            return "no memory";
        }

        ngx_memcpy(copy->data, values[job->naddrs].data, copy->len);
    }

    job->value = job->addrs[0];

    return NULL;
}


static const char *
ngx_torii_dns_seen_name(ngx_torii_dns_job_t *job, torii_str_t name)
{
    job->value.data = ngx_pnalloc(job->pool, name.len + 1);
    if (job->value.data == NULL) {
        return "no memory";
    }

    *ngx_cpymem(job->value.data, name.data, name.len) = '\0';
    job->value.len = name.len;

    return NULL;
}


/* The address of the update server is needed to know it among the others. */

static void
ngx_torii_dns_seen_begin(ngx_torii_dns_job_t *job)
{
    if (job->npeers && job->peers[0].host.len) {
        ngx_torii_dns_peer_resolve(&job->peers[0]);
        return;
    }

    ngx_torii_dns_job_find(job);
}


/*
 * Without NS records there is still the server of updates, as there is for a
 * zone that only a resolver elsewhere knows.
 */

static void
ngx_torii_dns_seen_found(ngx_torii_dns_job_t *job, const char *error)
{
    unsigned  type;

    if (error == NULL) {
        ngx_torii_dns_job_ask(job);
        return;
    }

    job->tries++;

    (void) ngx_snprintf((u_char *) job->error, NGX_TORII_DNS_ERROR - 1, "%s%Z",
                        error);

    (void) dnssync_find_question(job->find, &type);

    if (job->npeers && type == DNSSYNC_NS
        && (dnssync_find_error(job->find)[0]
            || job->tries == NGX_TORII_DNS_FINDS))
    {
        ngx_torii_dns_job_ask(job);
        return;
    }

    ngx_add_timer(&job->again, NGX_TORII_DNS_STEP);
}


static void
ngx_torii_dns_seen_resolved(ngx_torii_dns_peer_t *peer, const char *error)
{
    ngx_torii_dns_job_t  *job;

    job = peer->job;

    if (error) {
        (void) ngx_snprintf((u_char *) peer->error, DNSSYNC_ERROR_MAX - 1,
                            "it cannot be resolved: %s%Z", error);
    }

    if (!job->ready) {
        ngx_torii_dns_job_find(job);
        return;
    }

    if (error == NULL && ngx_torii_dns_seen_same(peer)) {
        peer->same = 1;
        ngx_torii_dns_seen_check(job);
        return;
    }

    ngx_torii_dns_peer_wait(peer, error ? NGX_TORII_DNS_STEP : 0);
}


/* Whether an address is the update server's, whatever its port is there. */

static ngx_uint_t
ngx_torii_dns_seen_same(ngx_torii_dns_peer_t *peer)
{
    ngx_uint_t             i, j;
    ngx_torii_dns_peer_t  *update;

    update = &peer->job->peers[0];

    if (!update->update || peer == update) {
        return 0;
    }

    for (i = 0; i < peer->naddrs; i++) {
        for (j = 0; j < update->naddrs; j++) {

            if (ngx_cmp_sockaddr(&peer->addrs[i].sockaddr.sockaddr,
                                 peer->addrs[i].socklen,
                                 &update->addrs[j].sockaddr.sockaddr,
                                 update->addrs[j].socklen, 0)
                == NGX_OK)
            {
                return 1;
            }
        }
    }

    return 0;
}


static void
ngx_torii_dns_seen_wake(ngx_torii_dns_peer_t *peer)
{
    ngx_torii_dns_job_t  *job;

    job = peer->job;

    if (peer->naddrs == 0) {
        ngx_torii_dns_peer_resolve(peer);
        return;
    }

    job->request.len = 0;

    (void) dnssync_question(&job->request, ngx_torii_dns_id(),
                            ngx_torii_dns_seen_asked(job),
                            job->type ? job->type : DNSSYNC_TXT);

    ngx_torii_dns_peer_ask(peer);
}


static torii_str_t
ngx_torii_dns_seen_asked(ngx_torii_dns_job_t *job)
{
    return job->type ? job->value : torii_str(dnssync_find_name(job->find));
}


static ngx_int_t
ngx_torii_dns_seen_take(ngx_torii_dns_peer_t *peer, torii_str_t answer)
{
    torii_str_t           request;
    ngx_torii_dns_job_t  *job;

    job = peer->job;

    request.data = peer->exchange.request.data + 2;
    request.len = peer->exchange.request.len - 2;

    peer->step = job->type ? dnssync_set_answer(answer, request, job->addrs,
                                                job->naddrs, peer->error)
                           : dnssync_txt_answer(answer, request, job->value,
                                                peer->error);

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
ngx_torii_dns_seen_answered(ngx_torii_dns_peer_t *peer, const char *error)
{
    if (error == NULL && peer->step == DNSSYNC_DONE) {
        peer->seen = 1;
        ngx_torii_dns_seen_check(peer->job);
        return;
    }

    if (error == NULL) {
        peer->reached = 1;
        peer->failed = 0;
        ngx_torii_dns_peer_wait(peer, NGX_TORII_DNS_STEP);
        return;
    }

    (void) ngx_snprintf((u_char *) peer->error, DNSSYNC_ERROR_MAX - 1, "%s%Z",
                        error);

    peer->reached = 0;

    ngx_torii_dns_peer_wait(peer, ngx_torii_dns_peer_next(peer) == NGX_OK
                                  ? 0 : NGX_TORII_DNS_STEP);
}


static void
ngx_torii_dns_seen_check(ngx_torii_dns_job_t *job)
{
    ngx_uint_t  i;

    for (i = 0; i < job->npeers; i++) {
        if (!job->peers[i].seen && !job->peers[i].same) {
            return;
        }
    }

    ngx_torii_dns_job_end(job, NULL);
}


static void
ngx_torii_dns_seen_late(ngx_torii_dns_job_t *job)
{
    u_char                *p, *last, text[NGX_TORII_DNS_ERROR];
    ngx_uint_t             i, warning;
    const char            *what;
    torii_str_t            asked;
    ngx_torii_dns_peer_t  *peer;

    if (!job->ready) {
        ngx_memcpy(text, job->error, NGX_TORII_DNS_ERROR);
        ngx_torii_dns_job_end(job, "the servers of \"%s\" cannot be found: %s",
                              dnssync_find_name(job->find),
                              text[0] ? (char *) text : "no answer");
        return;
    }

    what = job->type ? "change" : "TXT record";
    warning = job->peers[0].update && job->peers[0].seen;

    p = text;
    last = text + sizeof(text) - 1;

    for (i = 0; i < job->npeers; i++) {
        peer = &job->peers[i];

        if (peer->seen || peer->same) {
            continue;
        }

        if (peer->reached) {
            warning = 0;
        }

        p = ngx_slprintf(p, last, "%s\"%V\": %s", p == text ? "" : "; ",
                         &peer->name,
                         peer->error[0] ? peer->error : "no answer yet");
    }

    *p = '\0';

    if (warning) {
        ngx_torii_dns_job_end(job, "warning: \"%V\" has the %s, but %s",
                              &job->peers[0].name, what, text);
        return;
    }

    asked = ngx_torii_dns_seen_asked(job);

    ngx_torii_dns_job_end(job, "the %s of \"%*s\" is not everywhere: %s", what,
                          asked.len, asked.data, text);
}
