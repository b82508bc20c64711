
/*
 * Names and servers for the engine: what an alias points to, and whether all
 * servers of a zone answer with what was written, or are those of the zone.
 */

#include "ngx_torii_dnssync.h"


#define NGX_TORII_DNSSYNC_SEEN  180000       /* ms */


typedef struct {
    ngx_torii_dnssync_t  *dnssync;
    uint32_t              ticket;
} ngx_torii_dnssync_wait_t;


static ngx_torii_dnssync_wait_t *ngx_torii_dnssync_wait(
    ngx_torii_dnssync_t *d, uint32_t ticket);
static void ngx_torii_dnssync_resolved(void *data, const torii_str_t *addrs,
    ngx_uint_t n, uint32_t ttl);
static torii_str_t ngx_torii_dnssync_primary(ngx_torii_dnssync_t *d,
    const dnssync_action_t *action);
static void ngx_torii_dnssync_verified(void *data, const char *error);
static void ngx_torii_dnssync_servers(void *data, const char *error,
    const torii_str_t *values, ngx_uint_t n);


static ngx_torii_dnssync_wait_t *
ngx_torii_dnssync_wait(ngx_torii_dnssync_t *d, uint32_t ticket)
{
    ngx_torii_dnssync_wait_t  *w;

    w = torii_zalloc(sizeof(ngx_torii_dnssync_wait_t));

    w->dnssync = d;
    w->ticket = ticket;

    return w;
}


void
ngx_torii_dnssync_resolve(ngx_torii_dnssync_t *d,
    const dnssync_action_t *action)
{
    ngx_torii_dnssync_wait_t  *w;

    w = ngx_torii_dnssync_wait(d, action->ticket);

    if (ngx_torii_dns_addresses(d->dns, action->name,
                                ngx_torii_dnssync_resolved, w)
        != NGX_OK)
    {
        ngx_torii_dnssync_resolved(w, NULL, 0, 0);
    }
}


static void
ngx_torii_dnssync_resolved(void *data, const torii_str_t *addrs, ngx_uint_t n,
    uint32_t ttl)
{
    ngx_torii_dnssync_wait_t *w = data;

    dnssync_engine_resolved(w->dnssync->engine, ngx_torii_publish_ms(),
                            w->ticket, addrs, n, ttl);

    ngx_torii_dnssync_wake(w->dnssync);

    free(w);
}


void
ngx_torii_dnssync_verify(ngx_torii_dnssync_t *d,
    const dnssync_action_t *action)
{
    ngx_torii_dnssync_wait_t  *w;
    ngx_torii_dns_server_t     server;

    w = ngx_torii_dnssync_wait(d, action->ticket);

    ngx_memzero(&server, sizeof(ngx_torii_dns_server_t));

    server.nameserver = ngx_torii_dnssync_primary(d, action);

    if (ngx_torii_dns_set_seen(d->dns, action->zone, action->name,
                               action->type, action->values, action->n,
                               server.nameserver.len ? &server : NULL,
                               NGX_TORII_DNSSYNC_SEEN,
                               ngx_torii_dnssync_verified, w)
        != NGX_OK)
    {
        ngx_torii_dnssync_verified(w, "out of memory");
    }
}


/* Where the zone was written to, if that is a name server. */

static torii_str_t
ngx_torii_dnssync_primary(ngx_torii_dnssync_t *d,
    const dnssync_action_t *action)
{
    uint32_t               i;
    dnssync_zone_status_t  zone;

    if (action->account.len) {
        return ngx_torii_dnssync_server(d, action->account);
    }

    for (i = 0;
         dnssync_engine_zone_status(d->engine, i, &zone) == TORII_OK;
         i++)
    {
        if (zone.used && torii_str_eq(zone.name, action->zone)) {
            return ngx_torii_dnssync_server(d, zone.account);
        }
    }

    return torii_str("");
}


static void
ngx_torii_dnssync_verified(void *data, const char *error)
{
    ngx_torii_dnssync_wait_t *w = data;

    /* a server that cannot be reached does not make the others wrong */

    if (error && ngx_strncmp(error, "warning: ", 9) == 0) {
        error = NULL;
    }

    dnssync_engine_verified(w->dnssync->engine, ngx_torii_publish_ms(),
                            w->ticket, error);

    ngx_torii_dnssync_wake(w->dnssync);

    free(w);
}


void
ngx_torii_dnssync_delegation(ngx_torii_dnssync_t *d,
    const dnssync_action_t *action)
{
    ngx_torii_dnssync_wait_t  *w;

    w = ngx_torii_dnssync_wait(d, action->ticket);

    if (ngx_torii_dns_servers(d->dns, action->zone, ngx_torii_dnssync_servers,
                              w)
        != NGX_OK)
    {
        ngx_torii_dnssync_servers(w, "out of memory", NULL, 0);
    }
}


static void
ngx_torii_dnssync_servers(void *data, const char *error,
    const torii_str_t *values, ngx_uint_t n)
{
    ngx_torii_dnssync_wait_t *w = data;

    dnssync_engine_servers(w->dnssync->engine, ngx_torii_publish_ms(),
                           w->ticket, error, values, n);

    ngx_torii_dnssync_wake(w->dnssync);

    free(w);
}
