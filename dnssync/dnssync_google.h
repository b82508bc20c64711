
/*
 * Inside of the driver of Google Cloud DNS.
 */

#ifndef _DNSSYNC_GOOGLE_H_INCLUDED_
#define _DNSSYNC_GOOGLE_H_INCLUDED_


#include "dnssync_cloud.h"
#include "torii_jose.h"


#define DNSSYNC_GOOGLE_PAGE  1000


typedef enum {
    DNSSYNC_GOOGLE_BEGIN = 0,
    DNSSYNC_GOOGLE_ZONES,
    DNSSYNC_GOOGLE_HEAD,       /* the zone's last change, before … */
    DNSSYNC_GOOGLE_SETS,
    DNSSYNC_GOOGLE_AGAIN,      /* … and after it was read */
    DNSSYNC_GOOGLE_HAVE,       /* what a challenge finds */
    DNSSYNC_GOOGLE_BATCH,      /* from here on: changes */
    DNSSYNC_GOOGLE_READ,       /* what must not be there, at one name … */
    DNSSYNC_GOOGLE_WALK,       /* … or in the whole zone */
    DNSSYNC_GOOGLE_CHANGE,
    DNSSYNC_GOOGLE_PENDING
} dnssync_google_phase_e;

/* account->data */

typedef struct {
    torii_str_t                url;
    torii_str_t                metadata;
    torii_str_t                token_url;
    torii_str_t                email;
    torii_str_t                key_id;
    torii_str_t                project;    /* "": not known yet */
    EVP_PKEY                  *key;        /* NULL: the machine's account */
} dnssync_google_t;

/* What must not be there, and no change of the edit finds out. */

typedef struct {
    const dnssync_require_t   *require;
    uint32_t                   edit;
} dnssync_google_need_t;

typedef struct {
    dnssync_google_phase_e     phase;
    torii_str_t                page;       /* nextPageToken, or "" */
    torii_str_t                change;     /* id of the last that was made */
    uint32_t                   rounds;
    uint32_t                   polls;
    unsigned                   tries;
    unsigned                   attempts;
    unsigned                   asking:1;   /* for a token, */
    unsigned                   locating:1; /* for the project */
    unsigned                   renewed:1;
    unsigned                   checked:1;
    unsigned                   slept:1;

    uint32_t                   first;      /* the batch */
    uint32_t                   n;
    uint32_t                   bad;        /* an edit before this one is … */
    dnssync_google_need_t     *needs;
    uint32_t                   nneeds;
    uint32_t                   need;
} dnssync_google_state_t;


/* dnssync_google.c */
dnssync_op_step_e dnssync_google_go(dnssync_op_t *op);
/* A request for "changes" or the like of the zone, with the token. */
void dnssync_google_request(dnssync_op_t *op, const char *method,
    const char *path, torii_str_t query);
dnssync_op_step_e dnssync_google_fail(dnssync_op_t *op,
    const dnssync_answer_t *answer);
dnssync_op_step_e dnssync_google_senseless(dnssync_op_t *op);

/* dnssync_google_token.c */
const char *dnssync_google_init(dnssync_account_t *account);
void dnssync_google_cleanup(dnssync_account_t *account);
dnssync_op_step_e dnssync_google_ask(dnssync_op_t *op);
/* TORII_ERROR: the operation has failed. */
int dnssync_google_answered(dnssync_op_t *op, const dnssync_answer_t *answer);

/* dnssync_google_list.c */
void dnssync_google_page(dnssync_op_t *op, torii_str_t name, unsigned type);
dnssync_op_step_e dnssync_google_zones(dnssync_op_t *op, torii_str_t body);
dnssync_op_step_e dnssync_google_head(dnssync_op_t *op, torii_str_t body);
dnssync_op_step_e dnssync_google_list(dnssync_op_t *op, torii_str_t body);
/* Into op->sets; the next page's token into the state. */
int dnssync_google_sets(dnssync_op_t *op, torii_str_t body);
/* As a change has it; before: what the values were. */
void dnssync_google_set_write(torii_buf_t *b, const dnssync_rrset_t *set,
    const dnssync_rrset_t *before);
int dnssync_google_set_strange(const dnssync_rrset_t *set);

/* dnssync_google_read.c */
void dnssync_google_needs(dnssync_op_t *op);
dnssync_op_step_e dnssync_google_read(dnssync_op_t *op, torii_str_t body);

/* dnssync_google_apply.c */
dnssync_op_step_e dnssync_google_apply(dnssync_op_t *op);
dnssync_op_step_e dnssync_google_applied(dnssync_op_t *op, torii_str_t body);
dnssync_op_step_e dnssync_google_refused(dnssync_op_t *op,
    const dnssync_answer_t *answer);
dnssync_op_step_e dnssync_google_polled(dnssync_op_t *op, torii_str_t body);


#endif /* _DNSSYNC_GOOGLE_H_INCLUDED_ */
