
/*
 * Inside of the driver for Cloudflare: its JSON.
 */

#ifndef _DNSSYNC_CLOUDFLARE_H_INCLUDED_
#define _DNSSYNC_CLOUDFLARE_H_INCLUDED_


#include "dnssync_check.h"


#define DNSSYNC_CLOUDFLARE_PROXIED  "cloudflare/proxied"
#define DNSSYNC_CLOUDFLARE_TTL      60


typedef struct {
    torii_str_t       base;
    torii_str_t       token;       /* or: */
    torii_str_t       key;
    torii_str_t       email;
    uint32_t          per_page;
    uint32_t          batch;
    unsigned          proxied;
    unsigned          ids:1;       /* all zones are named by their ids */
} dnssync_cloudflare_t;

typedef struct {
    dnssync_check_t   check;
    dnssync_pages_t   pages;
    uint32_t          from;        /* edits of this batch */
    uint32_t          to;
    uint32_t          limit;       /* changes in it */
    uint32_t          zone;        /* configured, to be asked for */
    unsigned          writing:1;
} dnssync_cloudflare_state_t;


/* What a batch consists of. */

typedef struct {
    torii_buf_t      deletes;
    torii_buf_t      patches;
    torii_buf_t      posts;
    uint32_t         n;
} dnssync_cloudflare_batch_t;


/* dnssync_cloudflare.c */

/* A request with the account's credentials. */
void dnssync_cloudflare_request(dnssync_op_t *op, const char *method,
    torii_str_t path);
/* The next page: of zones, of all records, or of those of one name. */
dnssync_op_step_e dnssync_cloudflare_get(dnssync_op_t *op);
dnssync_op_step_e dnssync_cloudflare_failed(dnssync_op_t *op,
    const dnssync_answer_t *answer, const char *what);


/* dnssync_cloudflare_apply.c */

/* The next edits: what they require is read, or they are sent. */
dnssync_op_step_e dnssync_cloudflare_batch(dnssync_op_t *op);
dnssync_op_step_e dnssync_cloudflare_post(dnssync_op_t *op);
dnssync_op_step_e dnssync_cloudflare_applied(dnssync_op_t *op,
    const dnssync_answer_t *answer);
/* The records at the name are known. */
dnssync_op_step_e dnssync_cloudflare_challenge(dnssync_op_t *op);


/* dnssync_cloudflare_json.c */

/*
 * Records of a page, added to op->sets.  NULL, or what is wrong.  *more: there
 * is another page.
 */
const char *dnssync_cloudflare_records(dnssync_op_t *op, dnssync_map_t *map,
    dnssync_pages_t *pages, torii_str_t body, int *more);
/* The same of zones, added to op->zones. */
const char *dnssync_cloudflare_zones(dnssync_op_t *op,
    dnssync_pages_t *pages, torii_str_t body, int *more);
/* One zone; NULL, or what is wrong. */
const char *dnssync_cloudflare_zone(dnssync_op_t *op,
    const torii_node_t *item);
/* The first error's code, 0: there is none. */
unsigned dnssync_cloudflare_code(torii_arena_t *a, torii_str_t body);
/* Of those that tell that the credentials do not do. */
int dnssync_cloudflare_denied(unsigned code);
/* Whether the answer is a success by its own words. */
int dnssync_cloudflare_success(torii_arena_t *a, torii_str_t body);

/* TORII_DECLINED: the set's records are not known. */
int dnssync_cloudflare_edit(dnssync_cloudflare_batch_t *batch,
    const dnssync_edit_t *edit);
/* How many changes it may take. */
uint32_t dnssync_cloudflare_size(const dnssync_edit_t *edit);
/* A record to be made, as JSON. */
void dnssync_cloudflare_record(torii_buf_t *b, const dnssync_rrset_t *set,
    torii_str_t value);


#endif /* _DNSSYNC_CLOUDFLARE_H_INCLUDED_ */
