
/*
 * Inside of the driver of Route 53.
 */

#ifndef _DNSSYNC_ROUTE53_H_INCLUDED_
#define _DNSSYNC_ROUTE53_H_INCLUDED_


#include "dnssync_aws.h"
#include "dnssync_xml.h"


#define DNSSYNC_ROUTE53_PATH   "/2013-04-01/hostedzone"
#define DNSSYNC_ROUTE53_SPACE  "https://route53.amazonaws.com/doc/2013-04-01/"
#define DNSSYNC_ROUTE53_PAGE   300     /* sets, the most that there are */


typedef enum {
    DNSSYNC_ROUTE53_BEGIN = 0,
    DNSSYNC_ROUTE53_ZONES,
    DNSSYNC_ROUTE53_COUNT,     /* how many sets a zone has, before … */
    DNSSYNC_ROUTE53_SETS,
    DNSSYNC_ROUTE53_AGAIN,     /* … and after it was read */
    DNSSYNC_ROUTE53_HAVE,      /* what a challenge finds */
    DNSSYNC_ROUTE53_BATCH,     /* from here on: changes */
    DNSSYNC_ROUTE53_READ,      /* what must not be there */
    DNSSYNC_ROUTE53_CHANGE
} dnssync_route53_phase_e;


/* Where the next page begins. */

typedef struct {
    torii_str_t                name;       /* as Route 53 writes it */
    torii_str_t                type;
    torii_str_t                set;
    unsigned                   more:1;
} dnssync_route53_next_t;

/* What must not be there, and no change of the batch finds out. */

typedef struct {
    const dnssync_require_t   *require;
    torii_str_t                key;        /* the name in Route 53's order */
    uint32_t                   edit;
    unsigned                   plain:1;    /* whose place in it is certain */
} dnssync_route53_need_t;

typedef struct {
    dnssync_aws_ask_t          ask;
    dnssync_route53_phase_e    phase;
    dnssync_route53_next_t     next;       /* ZONES: its name is the marker */
    uint64_t                   count;
    uint32_t                   rounds;
    unsigned                   tries;      /* when throttled */
    unsigned                   renewed:1;
    unsigned                   asking:1;   /* for credentials */

    /* the batch: edits from first on */
    uint32_t                   first;
    uint32_t                   n;
    uint32_t                   bad;        /* one before this one is … */
    uint32_t                   checked;    /* needs of those before are met */
    uint64_t                  *touched;    /* hashes of the batch's sets */
    dnssync_route53_need_t    *needs;
    uint32_t                   nneeds;
    uint32_t                   needs_size;
    uint32_t                   need;       /* whose page is read */
    uint32_t                   pages;
    torii_str_t                last;       /* key of the last set of a page */
    unsigned                   unordered:1;
    unsigned                   attempts;   /* of a challenge */
} dnssync_route53_t;


/* dnssync_route53.c */
dnssync_op_step_e dnssync_route53_go(dnssync_op_t *op);
dnssync_op_step_e dnssync_route53_senseless(dnssync_op_t *op);
void dnssync_route53_page(dnssync_op_t *op, const dnssync_route53_next_t *from,
    unsigned max);

/* dnssync_route53_zone.c */
dnssync_op_step_e dnssync_route53_zones(dnssync_op_t *op, torii_str_t body);
dnssync_op_step_e dnssync_route53_count(dnssync_op_t *op, torii_str_t body);

/* dnssync_route53_list.c */
dnssync_op_step_e dnssync_route53_list(dnssync_op_t *op, torii_str_t body);
/* When the zone has been counted again. */
dnssync_op_step_e dnssync_route53_over(dnssync_op_t *op);
/* Each set is handed to visit().  TORII_ERROR: it is no whole page. */
int dnssync_route53_sets(dnssync_op_t *op, torii_str_t body,
    void (*visit)(dnssync_op_t *op, dnssync_rrset_t *set));

/* dnssync_route53_set.c: of the element just opened, into the arena */
int dnssync_route53_set_read(dnssync_op_t *op, dnssync_xml_t *x,
    dnssync_rrset_t *set);
/* before: what the values were, which are written as they were then. */
void dnssync_route53_set_write(dnssync_op_t *op, torii_buf_t *b,
    const char *action, const dnssync_rrset_t *set,
    const dnssync_rrset_t *before);
/* Characters of its values, and how many. */
void dnssync_route53_set_size(const dnssync_rrset_t *set, uint32_t *chars,
    uint32_t *records);
/* It has something that cannot be written. */
int dnssync_route53_set_strange(const dnssync_rrset_t *set);
torii_str_t dnssync_route53_option(const dnssync_rrset_t *set,
    const char *name);

/* dnssync_route53_alias.c */
dnssync_op_step_e dnssync_route53_adjust(dnssync_op_t *op);

/* dnssync_route53_value.c */
torii_str_t dnssync_route53_value(dnssync_op_t *op, unsigned type,
    torii_str_t raw);
void dnssync_route53_canonical(torii_buf_t *b, unsigned type,
    torii_str_t value);
void dnssync_route53_name(torii_buf_t *b, torii_str_t name);

/* dnssync_route53_apply.c */
dnssync_op_step_e dnssync_route53_apply(dnssync_op_t *op);
dnssync_op_step_e dnssync_route53_applied(dnssync_op_t *op,
    const dnssync_answer_t *answer);
/* Something that has to hold, and no other part of the edit tells. */
int dnssync_route53_kept(const dnssync_edit_t *edit,
    const dnssync_require_t *r);

/* dnssync_route53_read.c */
void dnssync_route53_needs(dnssync_op_t *op);
/* From the need at hand on. */
dnssync_op_step_e dnssync_route53_read_go(dnssync_op_t *op);
dnssync_op_step_e dnssync_route53_read(dnssync_op_t *op, torii_str_t body);


#endif /* _DNSSYNC_ROUTE53_H_INCLUDED_ */
