
/*
 * The TXT records of a name, as the servers of its zone have them now.
 */

#include "ngx_torii_dns_job.h"


#define NGX_TORII_DNS_LOOK    15000          /* ms; servers have 10 s of it */
#define NGX_TORII_DNS_STEP    1000           /* between two questions to the
                                                resolver */
#define NGX_TORII_DNS_FINDS   2


static void ngx_torii_dns_look_found(ngx_torii_dns_job_t *job,
    const char *error);
static void ngx_torii_dns_look_resolved(ngx_torii_dns_peer_t *peer,
    const char *error);
static void ngx_torii_dns_look_wake(ngx_torii_dns_peer_t *peer);
static ngx_int_t ngx_torii_dns_look_take(ngx_torii_dns_peer_t *peer,
    torii_str_t answer);
static void ngx_torii_dns_look_answered(ngx_torii_dns_peer_t *peer,
    const char *error);
static void ngx_torii_dns_look_over(ngx_torii_dns_peer_t *peer);
static void ngx_torii_dns_look_resolver(ngx_torii_dns_job_t *job);
static void ngx_torii_dns_look_handler(void *data, int status, int timeouts,
    unsigned char *answer, int len);
static void ngx_torii_dns_look_late(ngx_torii_dns_job_t *job);

static void ngx_torii_dns_look_merge(ngx_torii_dns_job_t *job,
    torii_str_t answer);
static ngx_uint_t ngx_torii_dns_look_read(ngx_torii_dns_job_t *job,
    torii_str_t answer, torii_str_t *values);


static const ngx_torii_dns_kind_t  ngx_torii_dns_look_kind = {
    ngx_torii_dns_job_find,
    ngx_torii_dns_look_resolved,
    ngx_torii_dns_look_found,
    ngx_torii_dns_look_take,
    ngx_torii_dns_look_answered,
    ngx_torii_dns_look_wake,
    ngx_torii_dns_look_late
};


ngx_int_t
ngx_torii_dns_txt_look(ngx_torii_dns_t *dns, torii_str_t name,
    ngx_torii_dns_values_pt got, void *data)
{
    ngx_torii_dns_job_t  *job;

    job = ngx_torii_dns_job_create(dns, &ngx_torii_dns_look_kind,
                                   NGX_TORII_DNS_PEERS, NGX_TORII_DNS_LOOK);
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->got = got;
    job->data = data;
    job->find = dnssync_find_create(name, 1, 1);

    job->values = ngx_palloc(job->pool, NGX_TORII_DNS_VALUES
                                        * sizeof(torii_str_t));
    if (job->values == NULL) {
        ngx_torii_dns_job_end(job, "no memory");

    } else if (job->find == NULL) {
        ngx_torii_dns_job_end(job, "the name is no DNS name");
    }

    return NGX_OK;
}


static void
ngx_torii_dns_look_found(ngx_torii_dns_job_t *job, const char *error)
{
    if (error) {

        if (++job->tries < NGX_TORII_DNS_FINDS) {
            ngx_add_timer(&job->again, NGX_TORII_DNS_STEP);
            return;
        }

        ngx_torii_dns_look_resolver(job);
        return;
    }

    ngx_torii_dns_job_ask(job);
}


static void
ngx_torii_dns_look_resolved(ngx_torii_dns_peer_t *peer, const char *error)
{
    if (error) {
        ngx_torii_dns_look_over(peer);
        return;
    }

    ngx_torii_dns_peer_wait(peer, 0);
}


static void
ngx_torii_dns_look_wake(ngx_torii_dns_peer_t *peer)
{
    ngx_torii_dns_job_t  *job;

    job = peer->job;

    if (peer->naddrs == 0) {
        ngx_torii_dns_peer_resolve(peer);
        return;
    }

    job->request.len = 0;

    (void) dnssync_question(&job->request, ngx_torii_dns_id(),
                            torii_str(dnssync_find_name(job->find)),
                            DNSSYNC_TXT);

    ngx_torii_dns_peer_ask(peer);
}


/* It is judged as one that should have a value, which none has. */

static ngx_int_t
ngx_torii_dns_look_take(ngx_torii_dns_peer_t *peer, torii_str_t answer)
{
    torii_str_t  request;

    request.data = peer->exchange.request.data + 2;
    request.len = peer->exchange.request.len - 2;

    peer->step = dnssync_txt_answer(answer, request, torii_str(""),
                                    peer->error);

    switch (peer->step) {

    case DNSSYNC_IGNORED:
        return NGX_AGAIN;

    case DNSSYNC_TRUNCATED:
        return NGX_DECLINED;

    case DNSSYNC_DONE:
    case DNSSYNC_MISSING:
        ngx_torii_dns_look_merge(peer->job, answer);
        return NGX_OK;

    default:
        return NGX_OK;
    }
}


static void
ngx_torii_dns_look_answered(ngx_torii_dns_peer_t *peer, const char *error)
{
    if (error == NULL
        && (peer->step == DNSSYNC_DONE || peer->step == DNSSYNC_MISSING))
    {
        ngx_torii_dns_look_over(peer);
        return;
    }

    if (ngx_torii_dns_peer_next(peer) == NGX_OK) {
        ngx_torii_dns_peer_wait(peer, 0);
        return;
    }

    ngx_torii_dns_look_over(peer);
}


static void
ngx_torii_dns_look_over(ngx_torii_dns_peer_t *peer)
{
    ngx_uint_t            i;
    ngx_torii_dns_job_t  *job;

    job = peer->job;
    peer->seen = 1;

    for (i = 0; i < job->npeers; i++) {
        if (!job->peers[i].seen) {
            return;
        }
    }

    if (job->merged) {
        ngx_torii_dns_job_end(job, NULL);
        return;
    }

    ngx_torii_dns_look_resolver(job);
}


/* Where nobody may ask the servers of others, the resolver knows. */

static void
ngx_torii_dns_look_resolver(ngx_torii_dns_job_t *job)
{
    const char  *error;

    error = ngx_torii_dns_job_ares(job);

    if (error) {
        ngx_torii_dns_job_end(job, "%s", error);
        return;
    }

    ares_query(job->ares.channel, dnssync_find_name(job->find), 1, DNSSYNC_TXT,
               ngx_torii_dns_look_handler, job);

    ngx_torii_ares_arm(&job->ares);
}


static void
ngx_torii_dns_look_handler(void *data, int status, int timeouts,
    unsigned char *answer, int len)
{
    ngx_torii_dns_job_t *job = data;

    torii_str_t  bytes;

    if (job->ended) {
        return;
    }

    if (status == ARES_SUCCESS && answer) {
        bytes.data = answer;
        bytes.len = len;

        ngx_torii_dns_look_merge(job, bytes);

    } else if (status != ARES_ENODATA && status != ARES_ENOTFOUND) {
        ngx_torii_dns_job_end(job, "neither the servers of its zone nor the "
                              "resolver answer: %s", ares_strerror(status));
        return;
    }

    ngx_torii_dns_job_end(job, NULL);
}


static void
ngx_torii_dns_look_late(ngx_torii_dns_job_t *job)
{
    if (job->merged) {
        ngx_torii_dns_job_end(job, NULL);
        return;
    }

    ngx_torii_dns_job_end(job, "no answer in %d seconds",
                          NGX_TORII_DNS_LOOK / 1000);
}


/* Of several servers, what all have that answer. */

static void
ngx_torii_dns_look_merge(ngx_torii_dns_job_t *job, torii_str_t answer)
{
    ngx_uint_t   i, j, k, n;
    torii_str_t  values[NGX_TORII_DNS_VALUES];

    n = ngx_torii_dns_look_read(job, answer, values);

    if (!job->merged) {
        job->merged = 1;
        job->nvalues = n;
        ngx_memcpy(job->values, values, n * sizeof(torii_str_t));
        return;
    }

    for (i = 0, k = 0; i < job->nvalues; i++) {
        for (j = 0; j < n; j++) {
            if (torii_str_eq(job->values[i], values[j])) {
                job->values[k++] = job->values[i];
                break;
            }
        }
    }

    job->nvalues = k;
}


/* Pieces of one record are one value. */

static ngx_uint_t
ngx_torii_dns_look_read(ngx_torii_dns_job_t *job, torii_str_t answer,
    torii_str_t *values)
{
    u_char                *p;
    size_t                 len;
    ngx_uint_t             n;
    struct ares_txt_ext   *list, *txt, *piece;

    if (ares_parse_txt_reply_ext(answer.data, (int) answer.len, &list)
        != ARES_SUCCESS)
    {
        return 0;
    }

    n = 0;

    for (txt = list; txt && n < NGX_TORII_DNS_VALUES; txt = piece) {
        len = txt->length;

        for (piece = txt->next; piece && !piece->record_start;
             piece = piece->next)
        {
            len += piece->length;
        }

        p = ngx_pnalloc(job->pool, len + 1);
        if (p == NULL) {
            break;
        }

        values[n].data = p;
        values[n++].len = len;

        for ( /* void */ ; txt != piece; txt = txt->next) {
            p = ngx_cpymem(p, txt->txt, txt->length);
        }
    }

    ares_free_data(list);

    return n;
}
