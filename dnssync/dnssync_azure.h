
/*
 * Inside of the driver of Azure DNS.
 */

#ifndef _DNSSYNC_AZURE_H_INCLUDED_
#define _DNSSYNC_AZURE_H_INCLUDED_


#include "dnssync_cloud.h"


#define DNSSYNC_AZURE_TAG_MAX  250
#define DNSSYNC_AZURE_TAG      "torii"     /* our key in a set's metadata */

/* what a request costs, of 1500 a minute: so many of each kind are allowed
   for one zone, and a part of it is left to others */
#define DNSSYNC_AZURE_GET      1
#define DNSSYNC_AZURE_WRITE    10
#define DNSSYNC_AZURE_LIST     30


typedef enum {
    DNSSYNC_AZURE_BEGIN = 0,
    DNSSYNC_AZURE_ZONES,
    DNSSYNC_AZURE_COUNT,       /* how many sets a zone has, before … */
    DNSSYNC_AZURE_SETS,
    DNSSYNC_AZURE_AGAIN,       /* … and after it was read */
    DNSSYNC_AZURE_HAVE,        /* what a challenge finds */
    DNSSYNC_AZURE_EDIT,        /* from here on: changes */
    DNSSYNC_AZURE_READ,
    DNSSYNC_AZURE_WRITE_PART
} dnssync_azure_phase_e;

typedef enum {
    DNSSYNC_AZURE_SECRET = 0,
    DNSSYNC_AZURE_FEDERATED,
    DNSSYNC_AZURE_MACHINE
} dnssync_azure_e;

/* account->data */

typedef struct {
    dnssync_azure_e            kind;
    torii_str_t                url;
    torii_str_t                authority;
    torii_str_t                metadata;
    torii_str_t                tenant;
    torii_str_t                client;
    torii_str_t                secret;     /* or the token of a workload */
    torii_str_t                zones;      /* path of all zones */
    unsigned                   private:1;
} dnssync_azure_t;

typedef struct {
    dnssync_azure_phase_e      phase;
    torii_str_t                link;       /* of the next page, or "" */
    uint64_t                   count;
    uint32_t                   rounds;
    unsigned                   tries;
    unsigned                   attempts;
    unsigned                   asking:1;
    unsigned                   renewed:1;

    uint32_t                   edit;
    uint32_t                   require;    /* that is looked at */
    uint32_t                   step;       /* of writing */
    uint32_t                   part;
    unsigned                   begun:1;    /* a part of the edit is written */
} dnssync_azure_state_t;


/* dnssync_azure.c */
dnssync_op_step_e dnssync_azure_go(dnssync_op_t *op);
dnssync_op_step_e dnssync_azure_fail(dnssync_op_t *op,
    const dnssync_answer_t *answer);
dnssync_op_step_e dnssync_azure_senseless(dnssync_op_t *op);

/* dnssync_azure_token.c */
const char *dnssync_azure_init(dnssync_account_t *account);
dnssync_op_step_e dnssync_azure_ask(dnssync_op_t *op);
/* TORII_ERROR: the operation has failed. */
int dnssync_azure_answered(dnssync_op_t *op, const dnssync_answer_t *answer);

/* dnssync_azure_list.c */
/* A path below the zones', with what is common to all requests. */
void dnssync_azure_request(dnssync_op_t *op, const char *method,
    torii_str_t path, uint32_t cost);
void dnssync_azure_set_request(dnssync_op_t *op, const char *method,
    torii_str_t name, unsigned type, uint32_t cost);
dnssync_op_step_e dnssync_azure_zones(dnssync_op_t *op, torii_str_t body);
dnssync_op_step_e dnssync_azure_count(dnssync_op_t *op, torii_str_t body);
dnssync_op_step_e dnssync_azure_list(dnssync_op_t *op, torii_str_t body);

/* dnssync_azure_set.c */
int dnssync_azure_set_read(dnssync_op_t *op, const torii_node_t *item,
    dnssync_rrset_t *set);
void dnssync_azure_set_write(dnssync_op_t *op, torii_buf_t *b,
    const dnssync_rrset_t *set);
int dnssync_azure_set_strange(const dnssync_rrset_t *set);

/* dnssync_azure_apply.c */
dnssync_op_step_e dnssync_azure_apply(dnssync_op_t *op);
dnssync_op_step_e dnssync_azure_applied(dnssync_op_t *op,
    const dnssync_answer_t *answer);
dnssync_op_step_e dnssync_azure_read(dnssync_op_t *op,
    const dnssync_answer_t *answer);


#endif /* _DNSSYNC_AZURE_H_INCLUDED_ */
