
/*
 * Credentials of Amazon's services, and requests that are signed with them.
 * They are settings, or come from the first of these that is configured: a
 * token of a web identity for which STS gives some, the container's own, the
 * machine's (IMDSv2).
 */

#ifndef _DNSSYNC_AWS_H_INCLUDED_
#define _DNSSYNC_AWS_H_INCLUDED_


#include "dnssync_cloud.h"


typedef enum {
    DNSSYNC_AWS_KEYS = 0,
    DNSSYNC_AWS_WEB,
    DNSSYNC_AWS_CONTAINER,
    DNSSYNC_AWS_MACHINE
} dnssync_aws_e;

/* account->data */

typedef struct {
    dnssync_aws_e        kind;
    torii_str_t          url;          /* of Route 53 */
    torii_str_t          source;       /* of credentials */
    torii_str_t          region;       /* that requests are signed for */
    torii_str_t          key;          /* in the token's room, unless KEYS */
    torii_str_t          secret;
    torii_str_t          session;      /* or empty */
} dnssync_aws_t;

/* Of an operation that has to ask for them. */

typedef struct {
    unsigned             asked;        /* how far it is */
    torii_str_t          token;        /* of IMDSv2 */
    torii_str_t          role;
} dnssync_aws_ask_t;

/* What an error says. */

typedef struct {
    torii_str_t          code;
    torii_str_t          text;
} dnssync_aws_error_t;


#define DNSSYNC_AWS_SETTINGS                                                  \
    { "aws-access-key-id", "id of the access key", 0, 0 },                    \
    { "aws-secret-access-key", "secret of the access key", 0, 1 },            \
    { "aws-session-token", "of temporary keys", 0, 1 },                       \
    { "aws-region", "\"us-east-1\", or one of another partition", 0, 0 },     \
    { "aws-role-arn", "role to be taken by a web identity", 0, 0 },           \
    { "aws-web-identity-token", "its token", 0, 1 },                          \
    { "aws-role-session-name", "how the role's sessions are named", 0, 0 },   \
    { "aws-sts-url", "of STS, if not the region's", 0, 0 },                   \
    { "aws-container-credentials-full-uri", "of the container's "             \
      "credentials", 0, 0 },                                                  \
    { "aws-container-authorization-token", "for them", 0, 1 },                \
    { "aws-metadata-url", "of the machine's credentials", 0, 0 },             \
    { "api-url", "of Route 53, if not Amazon's own", 0, 0 }


/* NULL, or what is wrong. */
const char *dnssync_aws_init(dnssync_account_t *account);

/* Whether there are credentials that are good for now. */
int dnssync_aws_ready(const dnssync_op_t *op);
void dnssync_aws_drop(dnssync_op_t *op);
/* The next request for them. */
dnssync_op_step_e dnssync_aws_go(dnssync_op_t *op, dnssync_aws_ask_t *ask);
/* TORII_OK: there they are; TORII_AGAIN: go on asking; TORII_ERROR: failed. */
int dnssync_aws_answer(dnssync_op_t *op, dnssync_aws_ask_t *ask,
    const dnssync_answer_t *answer);

/* A signed request; parameters in the order of their names. */
dnssync_request_t *dnssync_aws_request(dnssync_op_t *op, const char *method,
    torii_str_t path);

/* In the arena; "" both if it is none that can be read. */
void dnssync_aws_error(torii_arena_t *a, torii_str_t body,
    dnssync_aws_error_t *error);
/* What an answer that is none of the expected comes to. */
dnssync_op_step_e dnssync_aws_fail(dnssync_op_t *op, unsigned *tries,
    const dnssync_answer_t *answer, const dnssync_aws_error_t *error);


#endif /* _DNSSYNC_AWS_H_INCLUDED_ */
