
/*
 * Addresses of a network interface.
 */

#ifndef _NGX_TORII_INTERFACE_H_INCLUDED_
#define _NGX_TORII_INTERFACE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

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

/* Of a private network (RFC 1918, 6598, 4193), or of this machine alone. */
ngx_uint_t ngx_torii_interface_private(torii_str_t text);


#endif /* _NGX_TORII_INTERFACE_H_INCLUDED_ */
