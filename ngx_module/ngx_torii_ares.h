
/*
 * A channel of c-ares on nginx's event loop, for the questions of one task:
 * made when the task begins, with /etc/resolv.conf as it is then.
 */

#ifndef _NGX_TORII_ARES_H_INCLUDED_
#define _NGX_TORII_ARES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

/* ares_query() has a successor, which Debian 12's c-ares does not know */
#define CARES_NO_DEPRECATED

#include <ares.h>


#define NGX_TORII_ARES_SOCKETS  16


typedef struct {
    ares_channel       channel;
    ngx_log_t         *log;
    ngx_event_t        timer;
    ngx_connection_t   dummy;           /* what timer.data points to */
    ngx_connection_t  *sockets[NGX_TORII_ARES_SOCKETS];
    ngx_uint_t         n;
} ngx_torii_ares_t;


/*
 * servers: as of ngx_torii_resolver_create().  Returns what c-ares says; only
 * after ARES_SUCCESS is there a channel.  ares may not move.
 */
int ngx_torii_ares_open(ngx_torii_ares_t *ares, ngx_str_t *servers,
    ngx_log_t *log);
/* After each question. */
void ngx_torii_ares_arm(ngx_torii_ares_t *ares);
/* Callbacks of open questions hear ARES_EDESTRUCTION; not from inside one. */
void ngx_torii_ares_close(ngx_torii_ares_t *ares);


#endif /* _NGX_TORII_ARES_H_INCLUDED_ */
