
/*
 * Private keys beside the event loop: one of RSA takes the processor for a
 * fraction of a second, or for some, in which the helper has routes to publish.
 */

#ifndef _NGX_TORII_KEY_H_INCLUDED_
#define _NGX_TORII_KEY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "torii_jose.h"


typedef struct ngx_torii_keys_s  ngx_torii_keys_t;

/* key is the handler's; NULL: it could not be made.  term and ticket are what
   ngx_torii_key_make() was given. */
typedef void (*ngx_torii_key_pt)(void *data, uint32_t term, uint32_t ticket,
    EVP_PKEY *key);


/* NULL: no memory, or no descriptor (logged). */
ngx_torii_keys_t *ngx_torii_keys_create(ngx_pool_t *pool,
    ngx_torii_key_pt handler, void *data, ngx_log_t *log);

/*
 * Those of RSA are made by a thread, one at a time, in order; others, and what
 * cannot be queued, are told of within this call.
 */
void ngx_torii_key_make(ngx_torii_keys_t *keys, torii_key_type_e type,
    uint32_t term, uint32_t ticket);

/* For atexit(), before all others of this module: it is to run last. */
void ngx_torii_key_goodbye(void);


#endif /* _NGX_TORII_KEY_H_INCLUDED_ */
