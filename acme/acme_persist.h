
/*
 * The standing record of dns-persist-01 (draft-ietf-acme-dns-persist), which
 * the operator makes once: what it has to say, and whether one says it.
 */

#ifndef _ACME_PERSIST_H_INCLUDED_
#define _ACME_PERSIST_H_INCLUDED_


#include "torii.h"


/* The nearer to what is wanted, the smaller. */

typedef enum {
    ACME_PERSIST_OK = 0,
    ACME_PERSIST_EXPIRED,
    ACME_PERSIST_WILDCARD,
    ACME_PERSIST_ACCOUNT,
    ACME_PERSIST_CA,
    ACME_PERSIST_NONE
} acme_persist_e;

typedef struct {
    torii_str_t            domains;     /* of the CA, blank-separated */
    torii_str_t            account;     /* its URL */
    unsigned               wildcard:1;
    int64_t                now;         /* s */
} acme_persist_t;

/* What a TXT value is worth. */
acme_persist_e acme_persist_judge(const acme_persist_t *p, torii_str_t value);
/* "it is not there" … */
const char *acme_persist_words(acme_persist_e what);

torii_str_t acme_persist_record(torii_arena_t *a, torii_str_t identifier);
/* By the first of domains. */
torii_str_t acme_persist_value(torii_arena_t *a, torii_str_t domains,
    torii_str_t account, int wildcard);


#endif /* _ACME_PERSIST_H_INCLUDED_ */
