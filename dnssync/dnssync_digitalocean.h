
/*
 * Inside of the driver for DigitalOcean.
 */

#ifndef _DNSSYNC_DIGITALOCEAN_H_INCLUDED_
#define _DNSSYNC_DIGITALOCEAN_H_INCLUDED_


#include "dnssync_check.h"


/* One request of an edit, which takes several. */

typedef struct {
    const char             *method;
    torii_str_t             id;        /* of a record; "": a new one */
    const dnssync_rrset_t  *set;       /* NULL: it goes */
    torii_str_t             value;
} dnssync_digitalocean_step_t;

typedef struct {
    dnssync_check_t               check;
    dnssync_pages_t               pages;
    uint32_t                      from;    /* edits that were looked at */
    uint32_t                      to;
    uint32_t                      edit;    /* is done at present */
    dnssync_digitalocean_step_t  *steps;
    uint32_t                      nsteps;
    uint32_t                      step;
    unsigned                      writing:1;
} dnssync_digitalocean_state_t;


/* A page of records into op->sets, or of zones.  NULL, or what is wrong. */
const char *dnssync_digitalocean_page(dnssync_op_t *op, torii_str_t body,
    int *more);
/* The steps of an edit.  TORII_DECLINED: the records' ids are not known. */
int dnssync_digitalocean_steps(dnssync_op_t *op, const dnssync_edit_t *edit);
void dnssync_digitalocean_add(dnssync_op_t *op, const char *method,
    torii_str_t id, const dnssync_rrset_t *set, torii_str_t value);
/* The body of a step. */
void dnssync_digitalocean_body(dnssync_op_t *op,
    const dnssync_digitalocean_step_t *step);


#endif /* _DNSSYNC_DIGITALOCEAN_H_INCLUDED_ */
