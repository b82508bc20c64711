
/*
 * TXT records for certificates, by the account that has their zone.
 */

#include "ngx_torii_dnssync.h"


typedef struct {
    ngx_queue_t              queue;      /* in d->challenges */
    uint32_t                 ticket;
    ngx_torii_dns_done_pt    done;
    void                    *data;
} ngx_torii_dnssync_challenge_t;


void
ngx_torii_dnssync_challenges_init(ngx_torii_dnssync_t *d)
{
    ngx_queue_init(&d->challenges);
}


void
ngx_torii_dnssync_challenge(ngx_torii_dnssync_t *d, torii_str_t account,
    torii_str_t name, torii_str_t value, ngx_uint_t add,
    ngx_torii_dns_done_pt done, void *data)
{
    ngx_torii_dnssync_challenge_t  *c;

    c = torii_zalloc(sizeof(ngx_torii_dnssync_challenge_t));

    c->done = done;
    c->data = data;
    c->ticket = dnssync_engine_challenge(d->engine, ngx_torii_publish_ms(),
                                         account, name, value, add != 0);

    ngx_queue_insert_tail(&d->challenges, &c->queue);

    ngx_torii_dnssync_wake(d);
}


torii_str_t
ngx_torii_dnssync_nameserver(ngx_torii_dnssync_t *d, torii_str_t name)
{
    size_t                 len;
    uint32_t               i;
    torii_str_t            end, account;
    dnssync_zone_status_t  zone;

    len = 0;
    account = torii_str("");

    for (i = 0;
         dnssync_engine_zone_status(d->engine, i, &zone) == TORII_OK;
         i++)
    {
        if (zone.name.len <= len || zone.name.len >= name.len) {
            continue;
        }

        end.len = zone.name.len;
        end.data = name.data + name.len - end.len;

        if (end.data[-1] == '.' && torii_str_caseeq(end, zone.name)) {
            len = zone.name.len;
            account = zone.account;
        }
    }

    return ngx_torii_dnssync_server(d, account);
}


void
ngx_torii_dnssync_challenged(ngx_torii_dnssync_t *d,
    const dnssync_action_t *action)
{
    ngx_queue_t                    *q;
    ngx_torii_dnssync_challenge_t  *c;

    for (q = ngx_queue_head(&d->challenges);
         q != ngx_queue_sentinel(&d->challenges);
         q = ngx_queue_next(q))
    {
        c = ngx_queue_data(q, ngx_torii_dnssync_challenge_t, queue);

        if (c->ticket == action->ticket) {
            ngx_queue_remove(q);
            c->done(c->data, action->error);
            free(c);
            return;
        }
    }
}
