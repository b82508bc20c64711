
/*
 * Problem documents (RFC 7807, RFC 8555 section 6.7): which class a type
 * belongs to, as the answer to a request and as the error of a challenge.
 */

#include <stdarg.h>
#include <stdio.h>

#include "acme_client_machine.h"


#define ACME_PROBLEM_PREFIX  "urn:ietf:params:acme:error:"


typedef struct {
    const char   *type;
    acme_fail_e   request;
    acme_fail_e   validation;
} acme_problem_type_t;


static const acme_problem_type_t  acme_problem_types[] = {
    { "accountDoesNotExist", ACME_FAIL_ACCOUNT, ACME_FAIL_ACCOUNT },
    { "alreadyReplaced", ACME_FAIL_REPLACED, ACME_FAIL_REPLACED },
    { "alreadyRevoked", ACME_FAIL_ORDER, ACME_FAIL_ORDER },
    { "badCSR", ACME_FAIL_CSR, ACME_FAIL_CSR },
    { "badNonce", ACME_FAIL_SERVER, ACME_FAIL_SERVER },
    { "badPublicKey", ACME_FAIL_ACCOUNT, ACME_FAIL_CSR },
    { "badRevocationReason", ACME_FAIL_CONFIG, ACME_FAIL_CONFIG },
    { "badSignatureAlgorithm", ACME_FAIL_ACCOUNT, ACME_FAIL_ACCOUNT },
    { "caa", ACME_FAIL_NAME, ACME_FAIL_NAME },
    { "conflict", ACME_FAIL_ORDER, ACME_FAIL_ORDER },
    { "connection", ACME_FAIL_VALIDATION, ACME_FAIL_VALIDATION },
    { "dns", ACME_FAIL_VALIDATION, ACME_FAIL_VALIDATION },
    { "externalAccountRequired", ACME_FAIL_ACCOUNT, ACME_FAIL_ACCOUNT },
    { "incorrectResponse", ACME_FAIL_VALIDATION, ACME_FAIL_VALIDATION },
    { "invalidContact", ACME_FAIL_ACCOUNT, ACME_FAIL_ACCOUNT },
    { "invalidProfile", ACME_FAIL_PROFILE, ACME_FAIL_PROFILE },
    { "malformed", ACME_FAIL_ORDER, ACME_FAIL_VALIDATION },
    { "orderNotReady", ACME_FAIL_ORDER, ACME_FAIL_ORDER },
    { "rateLimited", ACME_FAIL_LIMIT, ACME_FAIL_LIMIT },
    { "rejectedIdentifier", ACME_FAIL_NAME, ACME_FAIL_NAME },
    { "serverInternal", ACME_FAIL_SERVER, ACME_FAIL_SERVER },
    { "tls", ACME_FAIL_VALIDATION, ACME_FAIL_VALIDATION },
    { "unauthorized", ACME_FAIL_ACCOUNT, ACME_FAIL_VALIDATION },
    { "unsupportedContact", ACME_FAIL_ACCOUNT, ACME_FAIL_ACCOUNT },
    { "unsupportedIdentifier", ACME_FAIL_NAME, ACME_FAIL_NAME },
    { "userActionRequired", ACME_FAIL_ACCOUNT, ACME_FAIL_ACCOUNT },
    { NULL, ACME_FAIL_NONE, ACME_FAIL_NONE }
};


/* In the order of acme_fail_e: words, and what decides when there are two. */

static const struct {
    const char   *name;
    unsigned      rank;
} acme_fails[] = {
    { "none", 0 },
    { "network", 1 },
    { "server", 2 },
    { "limit", 8 },
    { "validation", 3 },
    { "name", 6 },
    { "profile", 7 },
    { "replaced", 9 },
    { "account", 11 },
    { "order", 4 },
    { "csr", 5 },
    { "certificate", 5 },
    { "config", 10 },
    { "record", 3 }
};


const char *
acme_fail_name(acme_fail_e fail)
{
    if ((unsigned) fail >= sizeof(acme_fails) / sizeof(acme_fails[0])) {
        return "unknown";
    }

    return acme_fails[fail].name;
}


int
acme_problem_worse(const acme_problem_t *a, const acme_problem_t *b)
{
    return acme_fails[a->fail].rank > acme_fails[b->fail].rank;
}


void
acme_problem_text(char *to, size_t size, torii_str_t from)
{
    size_t                len;
    char                 *end;
    const unsigned char  *p, *last;

    p = from.data;
    last = from.len ? p + from.len : p;
    end = to + size - 1;

    while (p < last) {
        len = torii_utf8_len(p, last);

        if (len == 0 || *p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
        {
            if (to == end) {
                break;
            }

            *to++ = (len == 1 && *p < 0x20) ? ' ' : '?';
            p += len ? len : 1;
            continue;
        }

        if ((size_t) (end - to) < len) {
            break;
        }

        memcpy(to, p, len);
        to += len;
        p += len;
    }

    *to = '\0';
}


void
acme_problem_set(acme_problem_t *problem, acme_fail_e fail,
    const char *fmt, ...)
{
    char     text[sizeof(problem->text)];
    va_list  args;

    memset(problem, 0, sizeof(acme_problem_t));

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    problem->fail = fail;
    acme_problem_text(problem->text, sizeof(problem->text), torii_str(text));
}


/* An unknown type, or none: RFC 9110 says at least who is to blame. */

static acme_fail_e
acme_problem_by_status(uint32_t status, int typed)
{
    if (status == 429) {
        return ACME_FAIL_LIMIT;
    }

    if (status >= 500) {
        return ACME_FAIL_SERVER;
    }

    if (!typed) {
        return ACME_FAIL_NETWORK;
    }

    return (status == 401 || status == 403) ? ACME_FAIL_ACCOUNT
                                            : ACME_FAIL_ORDER;
}


static acme_fail_e
acme_problem_class(torii_str_t type, uint32_t status, int validation)
{
    const acme_problem_type_t  *t;

    for (t = acme_problem_types; t->type; t++) {
        if (torii_str_caseeqs(type, t->type)) {
            return validation ? t->validation : t->request;
        }
    }

    return validation ? ACME_FAIL_VALIDATION
                      : acme_problem_by_status(status, 1);
}


static torii_str_t
acme_problem_suffix(torii_str_t type)
{
    size_t       len;
    torii_str_t  prefix;

    len = sizeof(ACME_PROBLEM_PREFIX) - 1;

    prefix.data = type.data;
    prefix.len = len;

    if (type.len > len && torii_str_caseeqs(prefix, ACME_PROBLEM_PREFIX)) {
        type.data += len;
        type.len -= len;
    }

    return type;
}


/* "compound" says nothing itself: the worst of its parts does. */

static void
acme_problem_compound(const torii_node_t *doc, int validation,
    acme_problem_t *problem)
{
    uint32_t             i;
    torii_str_t          type;
    acme_problem_t       sub;
    const torii_node_t  *subs;

    subs = torii_node_get(doc, "subproblems");

    if (subs == NULL || subs->type != TORII_NODE_LIST) {
        return;
    }

    problem->fail = ACME_FAIL_NONE;

    for (i = 0; i < subs->n && i < ACME_SUBPROBLEMS_MAX; i++) {
        memset(&sub, 0, sizeof(acme_problem_t));

        type = acme_problem_suffix(acme_json_text(subs->items[i], "type"));

        if (type.len == 0) {
            continue;
        }

        sub.fail = acme_problem_class(type, problem->status, validation);

        if (acme_problem_worse(&sub, problem)) {
            problem->fail = sub.fail;
        }
    }

    if (problem->fail == ACME_FAIL_NONE) {
        problem->fail = ACME_FAIL_ORDER;
    }
}


void
acme_problem_read(const torii_node_t *doc, uint32_t status, int validation,
    acme_problem_t *problem)
{
    torii_str_t          type, detail;
    const torii_node_t  *identifier;

    memset(problem, 0, sizeof(acme_problem_t));

    problem->status = status;

    type = acme_problem_suffix(acme_json_text(doc, "type"));
    detail = acme_json_text(doc, "detail");

    if (type.len == 0 && detail.len == 0) {
        problem->fail = validation ? ACME_FAIL_VALIDATION
                                   : acme_problem_by_status(status, 0);

        (void) snprintf(problem->text, sizeof(problem->text),
                        status ? "answered with status %u and no reason"
                               : "no reason is given", (unsigned) status);
        return;
    }

    problem->fail = acme_problem_class(type, status, validation);
    identifier = torii_node_get(doc, "identifier");

    acme_problem_text(problem->type, sizeof(problem->type), type);
    acme_problem_text(problem->identifier, sizeof(problem->identifier),
                      acme_json_text(identifier, "value"));
    acme_problem_text(problem->instance, sizeof(problem->instance),
                      acme_json_text(doc, "instance"));
    acme_problem_text(problem->text, sizeof(problem->text),
                      detail.len ? detail : type);

    if (torii_str_caseeqs(type, "compound")) {
        acme_problem_compound(doc, validation, problem);
    }
}


uint32_t
acme_problem_subs(torii_arena_t *a, const torii_node_t *doc, int validation,
    acme_problem_t **subs)
{
    uint32_t             i, n;
    const torii_node_t  *list;

    *subs = NULL;
    list = torii_node_get(doc, "subproblems");

    if (list == NULL || list->type != TORII_NODE_LIST) {
        return 0;
    }

    n = (list->n < ACME_SUBPROBLEMS_MAX) ? list->n : ACME_SUBPROBLEMS_MAX;
    *subs = torii_arena_alloc(a, n * sizeof(acme_problem_t));

    for (i = 0; i < n; i++) {
        acme_problem_read(list->items[i], 0, validation, &(*subs)[i]);
    }

    return n;
}
