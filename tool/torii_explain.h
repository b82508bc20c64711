
/*
 * What "torii explain" found, and how it is told: as lines for people and as
 * members of a JSON object, both made in one go.
 */

#ifndef _TORII_EXPLAIN_H_INCLUDED_
#define _TORII_EXPLAIN_H_INCLUDED_


#include "torii_tool.h"
#include "torii_request.h"


typedef struct {
    const ingress_table_t          *table;
    torii_source_t                 *source;      /* it was made of, or NULL */
    torii_regex_cache_t            *regexes;
    torii_arena_t                  *arena;
    torii_request_t                 request;
    ingress_match_t                 match;
    const ingress_policy_t         *policy;
    const ingress_table_backend_t  *backend;     /* NULL: none */
    torii_str_t                     rewritten;   /* empty: not rewritten */
    unsigned                        offline:1;   /* no gateway's table */
    unsigned                        status;      /* 0: goes to the backend */
    torii_str_t                     answer;
    const char                     *why;         /* may be NULL */
    torii_buf_t                     text;
    torii_buf_t                     json;
} torii_explain_t;

/* torii_answer.c: what the request gets, in the order the workers decide. */
void torii_answer(torii_explain_t *e);

/* torii_report.c: all facts, into e->text and e->json. */
void torii_report(torii_explain_t *e);

/* One fact; note stands behind the value in brackets, or alone. */
void torii_report_str(torii_explain_t *e, const char *name, torii_str_t value,
    const char *note);
void torii_report_fact(torii_explain_t *e, const char *name, const char *fmt,
    ...)
    __attribute__((format(printf, 3, 4)));

/* torii_report_login.c: who may enter. */
void torii_report_login(torii_explain_t *e);


#endif /* _TORII_EXPLAIN_H_INCLUDED_ */
