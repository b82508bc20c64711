
/*
 * What the helper knows of an issuer, and of all of them.
 */

#ifndef _NGX_TORII_DISCOVERY_ASK_H_INCLUDED_
#define _NGX_TORII_DISCOVERY_ASK_H_INCLUDED_


#include "ngx_torii_discovery.h"
#include "ngx_torii_curl.h"

#include "oauth2_keys.h"
#include "oauth2_settings.h"


typedef struct {
    ngx_queue_t                 queue;
    ngx_torii_discovery_t      *discovery;
    torii_arena_t              *arena;
    torii_str_t                 name;      /* "namespace/name" */
    torii_str_t                 further;   /* one of extra-jwt-issuers; empty:
                                              the provider's own */
    torii_str_t                 issuer;    /* that is asked */
    uint64_t                    hash;      /* of its settings */
    oauth2_settings_t           settings;
    oauth2_keys_t              *keys;      /* when to ask */
    ngx_torii_curl_tls_t        tls;
    torii_buf_t                 document;  /* being asked for */
    torii_buf_t                 body;
    torii_buf_t                 cache;
    ngx_uint_t                  status;
    ngx_torii_curl_transfer_t  *transfer;
    const char                 *error;     /* NULL: all is well */
    ingress_findings_t          wrong;     /* settings; arena NULL: none is */
    unsigned                    sound:1;   /* settings can be used */
    unsigned                    asks:1;    /* it is of OpenID Connect */
    unsigned                    known:1;   /* something is in the table */
    unsigned                    second:1;  /* keys are being asked for */
    unsigned                    seen:1;    /* in the last table */
    unsigned                    stale:1;   /* there with other settings */
} ngx_torii_discovery_one_t;

struct ngx_torii_discovery_s {
    ngx_torii_helper_t         *helper;
    ngx_log_t                  *log;
    ngx_str_t                   dir;       /* private/oauth2 */
    ngx_torii_curl_t           *curl;
    ngx_queue_t                 all;
    torii_arena_t              *said;
    ingress_findings_t          findings;
    unsigned                    again:1;   /* findings are others now */
};


/* Not while one->transfer is under way.  What comes of it goes to the store. */
void ngx_torii_discovery_ask(ngx_torii_discovery_one_t *one);
/* Of a further issuer that is no more: what was told and kept is dropped. */
void ngx_torii_discovery_drop(ngx_torii_discovery_t *d, torii_str_t name,
    torii_str_t issuer);


/* ngx_torii_login_check.c: settings that are wrong */

/* An oauth2_settings_pt; data is the provider. */
void ngx_torii_login_check(void *data, torii_str_t name, const char *text);
void ngx_torii_login_check_tell(ngx_torii_discovery_one_t *one,
    ingress_findings_t *to);


#endif /* _NGX_TORII_DISCOVERY_ASK_H_INCLUDED_ */
