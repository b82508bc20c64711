
/*
 * Inside of the driver for PowerDNS: its JSON.
 */

#ifndef _DNSSYNC_POWERDNS_H_INCLUDED_
#define _DNSSYNC_POWERDNS_H_INCLUDED_


#include "dnssync_check.h"


#define DNSSYNC_POWERDNS_EDITS  1000


typedef struct {
    torii_str_t       base;        /* ".../servers/localhost/zones" */
    torii_str_t       key;
} dnssync_powerdns_t;

typedef struct {
    dnssync_check_t   check;
    uint32_t          from;        /* edits of this PATCH */
    uint32_t          to;
    uint32_t          limit;
    unsigned          checking:1;
    unsigned          patching:1;
} dnssync_powerdns_state_t;


/* dnssync_powerdns.c */

void dnssync_powerdns_request(dnssync_op_t *op, const char *method,
    const char *query);
/* The zones, a zone, or the sets at one name in it. */
dnssync_op_step_e dnssync_powerdns_get(dnssync_op_t *op, const char *query,
    torii_str_t name, const char *type);
dnssync_op_step_e dnssync_powerdns_failed(dnssync_op_t *op,
    const dnssync_answer_t *answer, const char *what);


/* dnssync_powerdns_apply.c */

/* The next edits: what they require is read, or they are sent. */
dnssync_op_step_e dnssync_powerdns_batch(dnssync_op_t *op);
dnssync_op_step_e dnssync_powerdns_applied(dnssync_op_t *op,
    const dnssync_answer_t *answer);


/* dnssync_powerdns_json.c */

/* Whether it is what the API says of op->zone. */
int dnssync_powerdns_head(const dnssync_op_t *op, const torii_node_t *head);
/* Sets of a zone, added to op->sets.  NULL, or what is wrong. */
const char *dnssync_powerdns_read(dnssync_op_t *op, dnssync_map_t *map,
    torii_str_t body, const torii_node_t **head);
/* Into the list of a PATCH; n: how many edits are in it. */
void dnssync_powerdns_edit(torii_buf_t *b, const dnssync_edit_t *edit,
    uint32_t n);
/* The TXT set of a challenge, as it has to be.  0: it is so. */
int dnssync_powerdns_text(torii_buf_t *b, const dnssync_op_t *op,
    const dnssync_rrset_t *set);


#endif /* _DNSSYNC_POWERDNS_H_INCLUDED_ */
