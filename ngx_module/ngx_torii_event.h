
/*
 * Sockets of a library that has no event loop: it says which it waits for.
 */

#ifndef _NGX_TORII_EVENT_H_INCLUDED_
#define _NGX_TORII_EVENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/* From now on, or no more; what was posted already would come too late. */

static ngx_inline void
ngx_torii_event_interest(ngx_event_t *ev, ngx_int_t event, ngx_uint_t on)
{
    if (on && !ev->active) {
        (void) ngx_add_event(ev, event, NGX_LEVEL_EVENT);

    } else if (!on && ev->active) {
        (void) ngx_del_event(ev, event, 0);
    }

    if (!on && ev->posted) {
        ngx_delete_posted_event(ev);
    }
}


#endif /* _NGX_TORII_EVENT_H_INCLUDED_ */
