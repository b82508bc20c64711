
/*
 * The helper asks issuers what they say of themselves, and for their keys, and
 * keeps both in the table and on disk: workers need not ask before a login.
 */

#ifndef _NGX_TORII_DISCOVERY_H_INCLUDED_
#define _NGX_TORII_DISCOVERY_H_INCLUDED_


#include "ngx_torii_helper.h"


typedef struct ngx_torii_discovery_s  ngx_torii_discovery_t;

/* What is on disk goes to the store.  NULL: no memory (logged). */
ngx_torii_discovery_t *ngx_torii_discovery_create(ngx_torii_helper_t *h);
/* A table was compiled, out of h->out: which providers there are. */
void ngx_torii_discovery_compiled(ngx_torii_discovery_t *d);
/* Each second. */
void ngx_torii_discovery_beat(ngx_torii_discovery_t *d);
/* Findings of settings that are wrong, and of issuers that do not answer, in
   front of others. */
const ingress_finding_t *ngx_torii_discovery_findings(
    ngx_torii_discovery_t *d, const ingress_finding_t *others);


#endif /* _NGX_TORII_DISCOVERY_H_INCLUDED_ */
