
/*
 * DNS in the helper: a message that others have made goes to one server, and
 * what it answers comes back, one message or a stream of them.
 */

#include "ngx_torii_dns_job.h"


#define NGX_TORII_DNS_STREAM  600000         /* longest, ms */


static ngx_int_t ngx_torii_dns_ask_tls(ngx_torii_dns_peer_t *peer,
    const ngx_torii_dns_server_t *server);
static void ngx_torii_dns_ask_begin(ngx_torii_dns_job_t *job);
static void ngx_torii_dns_ask_resolved(ngx_torii_dns_peer_t *peer,
    const char *error);
static ngx_int_t ngx_torii_dns_ask_take(ngx_torii_dns_peer_t *peer,
    torii_str_t answer);
static void ngx_torii_dns_ask_answered(ngx_torii_dns_peer_t *peer,
    const char *error);
static void ngx_torii_dns_ask_late(ngx_torii_dns_job_t *job);


static const ngx_torii_dns_kind_t  ngx_torii_dns_ask_kind = {
    ngx_torii_dns_ask_begin,
    ngx_torii_dns_ask_resolved,
    NULL,                                    /* found */
    ngx_torii_dns_ask_take,
    ngx_torii_dns_ask_answered,
    NULL,                                    /* wake */
    ngx_torii_dns_ask_late
};


ngx_int_t
ngx_torii_dns_ask(ngx_torii_dns_t *dns, const ngx_torii_dns_server_t *server,
    torii_str_t message, ngx_uint_t stream, ngx_msec_t timeout,
    ngx_torii_dns_take_pt take, ngx_torii_dns_done_pt done, void *data)
{
    ngx_torii_dns_job_t   *job;
    ngx_torii_dns_peer_t  *peer;

    job = ngx_torii_dns_job_create(dns, &ngx_torii_dns_ask_kind, 1,
                                   stream ? NGX_TORII_DNS_STREAM : timeout);
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->take = take;
    job->done = done;
    job->data = data;

    torii_buf_add_str(&job->request, message);

    peer = ngx_torii_dns_peer_parse(job, server);

    if (peer == NULL) {
        ngx_torii_dns_job_end(job, "the name server is not \"host[:port]\"");
        return NGX_OK;
    }

    peer->exchange.stream = (stream != 0);
    peer->exchange.timeout = timeout;

    if (server->tls && ngx_torii_dns_ask_tls(peer, server) != NGX_OK) {
        ngx_torii_dns_job_end(job, "TLS cannot begin");
    }

    return NGX_OK;
}


/* All authorities of the machine are read once: it takes a tenth of a second.*/

static ngx_int_t
ngx_torii_dns_ask_tls(ngx_torii_dns_peer_t *peer,
    const ngx_torii_dns_server_t *server)
{
    X509_STORE           *store;
    ngx_torii_dns_t      *dns;
    ngx_torii_dns_job_t  *job;

    job = peer->job;
    dns = job->dns;
    store = server->store;

    if (store == NULL) {

        if (dns->store == NULL) {
            dns->store = X509_STORE_new();

            if (dns->store == NULL) {
                return NGX_ERROR;
            }

            (void) X509_STORE_set_default_paths(dns->store);
            ERR_clear_error();
        }

        store = dns->store;
    }

    job->tls = ngx_torii_dns_tls_context(store);

    peer->exchange.tls = job->tls;
    peer->exchange.host = peer->host.len ? (char *) peer->host.data : NULL;

    return job->tls ? NGX_OK : NGX_ERROR;
}


static void
ngx_torii_dns_ask_begin(ngx_torii_dns_job_t *job)
{
    if (job->peers[0].host.len) {
        ngx_torii_dns_peer_resolve(&job->peers[0]);
        return;
    }

    ngx_torii_dns_peer_ask(&job->peers[0]);
}


static void
ngx_torii_dns_ask_resolved(ngx_torii_dns_peer_t *peer, const char *error)
{
    if (error) {
        ngx_torii_dns_job_end(peer->job, "name server \"%V\" cannot be "
                              "resolved: %s", &peer->name, error);
        return;
    }

    ngx_torii_dns_peer_ask(peer);
}


static ngx_int_t
ngx_torii_dns_ask_take(ngx_torii_dns_peer_t *peer, torii_str_t answer)
{
    ngx_torii_dns_job_t  *job;

    job = peer->job;
    peer->reached = 1;

    return job->ended ? NGX_OK : job->take(job->data, answer);
}


/*
 * Another address of the server is tried only if this one got nothing: what was
 * sent may have been done.
 */

static void
ngx_torii_dns_ask_answered(ngx_torii_dns_peer_t *peer, const char *error)
{
    if (error == NULL) {
        ngx_torii_dns_job_end(peer->job, NULL);
        return;
    }

    if (!peer->reached && peer->exchange.tcp && !peer->exchange.connected
        && ngx_torii_dns_peer_next(peer) == NGX_OK)
    {
        ngx_torii_dns_peer_ask(peer);
        return;
    }

    ngx_torii_dns_job_end(peer->job, "name server \"%V\": %s", &peer->name,
                          error);
}


static void
ngx_torii_dns_ask_late(ngx_torii_dns_job_t *job)
{
    ngx_torii_dns_job_end(job, "name server \"%V\": no end in time",
                          &job->peers[0].name);
}
