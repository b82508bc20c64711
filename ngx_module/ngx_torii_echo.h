
/*
 * The gateway's public addresses behind a translating router, as servers
 * outside tell them: "torii_publish echo=URL echo=URL".
 */

#ifndef _NGX_TORII_ECHO_H_INCLUDED_
#define _NGX_TORII_ECHO_H_INCLUDED_


#include "ngx_torii_helper.h"
#include "ngx_torii_interface.h"
#include "ingress_status.h"


typedef struct ngx_torii_echo_s  ngx_torii_echo_t;


/* changed() is called when it is time to ask before the wait is over.  NULL: no
   memory. */
ngx_torii_echo_t *ngx_torii_echo_create(ngx_torii_helper_t *h,
    ngx_torii_interface_changed_pt changed, void *data);

/*
 * What is known, an address of a family at most; asks, if it is time.  now is
 * ms, wait those until the next call, until which strings live.
 */
ngx_uint_t ngx_torii_echo_get(ngx_torii_echo_t *e, uint64_t now,
    ingress_address_t *addresses, ngx_uint_t max, uint32_t *wait);


#endif /* _NGX_TORII_ECHO_H_INCLUDED_ */
