
/*
 * Addresses of network interfaces, and that there may be others now.
 */

#ifndef _NGX_TORII_INTERFACE_H_INCLUDED_
#define _NGX_TORII_INTERFACE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "torii.h"


/*
 * Calls visit() for each that lasts and counts beyond its link: 4 or 16 bytes;
 * of all interfaces, if name is NULL.
 * NGX_DECLINED: there is no such interface; NGX_ERROR: what was visited may not
 * be all.
 */
typedef void (*ngx_torii_interface_pt)(void *data, int family,
    const u_char *address);

ngx_int_t ngx_torii_interface_each(const char *name,
    ngx_torii_interface_pt visit, void *data);


/*
 * changed() is called soon after an address of any interface came, went or
 * became another one; to look is up to whoever is called.  Zeroed, and with
 * changed, data and log set, _watch() may be called at any time: it begins what
 * is not there, or was lost.  NGX_ERROR: it cannot be had at present.
 */

typedef void (*ngx_torii_interface_changed_pt)(void *data);

typedef struct {
    ngx_torii_interface_changed_pt   changed;
    void                            *data;
    ngx_log_t                       *log;
    ngx_connection_t                *connection;
    unsigned                         told:1;       /* a failure, in the log */
} ngx_torii_interface_watch_t;

ngx_int_t ngx_torii_interface_watch(ngx_torii_interface_watch_t *w);


/* Of a private network (RFC 1918, 6598, 4193), or of this machine alone. */
ngx_uint_t ngx_torii_interface_private(torii_str_t text);


#endif /* _NGX_TORII_INTERFACE_H_INCLUDED_ */
