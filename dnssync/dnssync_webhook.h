
/*
 * Inside of the driver for webhooks: their JSON.
 */

#ifndef _DNSSYNC_WEBHOOK_H_INCLUDED_
#define _DNSSYNC_WEBHOOK_H_INCLUDED_


#include "dnssync_check.h"


#define DNSSYNC_WEBHOOK_TYPE                                                  \
    "application/external.dns.webhook+json;version=1"


typedef struct {
    torii_str_t       base;
    torii_str_t      *zones;       /* in charge of, canonical */
    uint32_t          nzones;
    unsigned          known:1;     /* it has been asked */
} dnssync_webhook_t;


/* Its domain filter into the account.  NULL, or what is wrong. */
const char *dnssync_webhook_filter(dnssync_op_t *op, torii_str_t body);
/* Sets of op->zone, added to op->sets.  NULL, or what is wrong. */
const char *dnssync_webhook_records(dnssync_op_t *op, dnssync_map_t *map,
    torii_str_t body);
/* Whether op->zone is the closest to a name that there is. */
int dnssync_webhook_in(const dnssync_op_t *op, torii_str_t name);

/* Endpoints that are wanted, and how the webhook would have them. */
uint32_t dnssync_webhook_wants(torii_buf_t *b, const dnssync_op_t *op);
const char *dnssync_webhook_adjusted(dnssync_op_t *op, torii_str_t body);

/* Changes: the parts of some edits, those of results LATER. */
void dnssync_webhook_changes(torii_buf_t *b, const dnssync_op_t *op,
    uint32_t from, uint32_t to);
/* One change. */
void dnssync_webhook_change(torii_buf_t *b, const dnssync_op_t *op,
    const dnssync_part_t *part, torii_str_t host);


#endif /* _DNSSYNC_WEBHOOK_H_INCLUDED_ */
