
/*
 * The inside of an order, private to the files that run it.
 *
 *   newOrder (CREATED) → read authorizations (PRESENT) → post challenges, poll
 *   (VALIDATED) → poll until ready → finalize → poll until valid → download
 *
 * Each reading of the order goes on from whatever status it finds, so that one
 * that was begun by another process, or whose answer was lost, takes the same
 * way.
 */

#ifndef _ACME_ORDER_H_INCLUDED_
#define _ACME_ORDER_H_INCLUDED_


#include "acme_client_machine.h"


typedef enum {
    ACME_STATUS_UNKNOWN = 0,
    ACME_STATUS_PENDING,
    ACME_STATUS_READY,
    ACME_STATUS_PROCESSING,
    ACME_STATUS_VALID,
    ACME_STATUS_INVALID
} acme_status_e;

typedef enum {
    ACME_AUTHZ_UNREAD = 0,
    ACME_AUTHZ_CHOSEN,         /* pending, its challenge is known */
    ACME_AUTHZ_POSTED,         /* the CA was told, it is polled */
    ACME_AUTHZ_VALID,
    ACME_AUTHZ_FAILED
} acme_authz_state_e;

/* One that may be answered. */

typedef struct {
    torii_str_t            post;        /* URL of the challenge */
    acme_challenge_t       challenge;
    unsigned               processing:1;    /* was posted by another process */
    torii_str_t            missing;     /* why its record will not do */
} acme_choice_t;

typedef struct {
    acme_order_t          *order;
    torii_str_t            url;
    const acme_identifier_t  *name;     /* that it is for, with "*." */
    acme_authz_state_e     state;
    torii_str_t            post;        /* of the one that is chosen … */
    acme_challenge_t       challenge;
    acme_choice_t          choices[ACME_CHALLENGE_MAX];     /* … among these */
    uint32_t               nchoices;
    uint32_t               choice;
    acme_call_t           *call;        /* the next poll */
    uint64_t               polled;
    uint64_t               expires;
    uint32_t               polls;
    uint32_t               posts;
    uint32_t               pokes;       /* that changed something */
    unsigned               pending:1;   /* as far as we know */
    unsigned               processing:1;
    unsigned               lost:1;      /* the answer to the post */
    unsigned               poked:1;
    acme_problem_t         refused;     /* the answer to the post, or NONE */
} acme_authz_t;

struct acme_order_s {
    acme_client_t         *client;
    torii_arena_t         *arena;
    acme_order_conf_t      conf;        /* names are as acme_name_normal() */
    torii_str_t           *names;
    acme_order_step_e      step;
    acme_status_e          status;
    torii_str_t            url;
    torii_str_t            finalize;
    torii_str_t            certificate;
    uint64_t               expires;
    uint64_t               deadline;    /* of what is polled, 0: nothing is */
    uint64_t               wait;        /* Retry-After of the last answer */
    uint32_t               polls;
    uint32_t               finalizes;
    uint32_t               cleanings;   /* authorizations being deactivated */
    unsigned               waits:1;
    unsigned               listed:1;    /* authz is set */
    unsigned               read:1;      /* its status has been seen */
    unsigned               cleaning:1;

    acme_authz_t          *authz;
    uint32_t               nauthz;
    acme_challenge_t      *challenges;
    uint32_t               nchallenges;

    torii_buf_t            chain;
    torii_str_t            alternates[ACME_ALTERNATES_MAX];
    uint32_t               nalternates;
    uint32_t               alternate;   /* the next one to look at */

    acme_problem_t         problem;
    acme_problem_t        *subs;
    uint32_t               nsubs;
    uint32_t               subs_size;
};


/* acme_order_run.c */

void acme_order_new(acme_order_t *o);
acme_status_e acme_status_read(const torii_node_t *doc);
/* Goes on from the status that was read. */
void acme_order_go(acme_order_t *o, uint64_t now);
void acme_order_read(acme_order_t *o, uint64_t due);
/* Milliseconds since 1970, 0: not said. */
uint64_t acme_order_expiry(const torii_node_t *doc);

/* acme_order.c */

/* The problem is copied; what is pending is deactivated first. */
void acme_order_fail(acme_order_t *o, uint64_t now,
    const acme_problem_t *problem);
void acme_order_fail_text(acme_order_t *o, uint64_t now, acme_fail_e fail,
    const char *text);
void acme_order_add_sub(acme_order_t *o, const acme_problem_t *problem);
/* An error that is about the order's own URLs: they lead nowhere. */
void acme_order_dead(acme_problem_t *problem);
/* Whether the same question may be answered later. */
int acme_order_may_wait(const acme_problem_t *problem);

/* acme_authz.c */

int acme_authz_list(acme_order_t *o, const torii_node_t *urls);
void acme_authz_begin(acme_order_t *o, uint64_t now);
/* After LOOK. */
void acme_authz_looked(acme_order_t *o, uint64_t now);
void acme_authz_failed(acme_authz_t *z, uint64_t now,
    const acme_problem_t *problem);
void acme_authz_invalid(acme_authz_t *z, const torii_node_t *doc,
    uint64_t now);
/* The order fails by the worst of what was heard. */
void acme_authz_give_up(acme_order_t *o, uint64_t now);
/* 0: there is nothing that could be deactivated. */
int acme_authz_clean(acme_order_t *o);

/* acme_authz_poll.c */

void acme_authz_post_all(acme_order_t *o, uint64_t now);
void acme_authz_poke(acme_order_t *o, uint64_t now);

/* acme_choose.c: which challenge of an authorization to answer. */

int acme_choose(acme_authz_t *z, const torii_node_t *doc,
    acme_problem_t *problem);
/* What comes after one whose record is missing; TORII_ERROR: nothing. */
int acme_choose_next(acme_authz_t *z, acme_problem_t *problem);

/* acme_download.c */

void acme_download_begin(acme_order_t *o, uint64_t now);


#endif /* _ACME_ORDER_H_INCLUDED_ */
