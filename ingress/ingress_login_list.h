
/*
 * Setters of what concerns logins, for the tables of names, and what the files
 * that hold them share.
 */

#ifndef _INGRESS_LOGIN_LIST_H_INCLUDED_
#define _INGRESS_LOGIN_LIST_H_INCLUDED_


#include "ingress_setting.h"


#define INGRESS_LIST_MAX  256          /* as many as the worker takes */

typedef struct {
    uint32_t           n;
    ingress_ref_t      elts[INGRESS_LIST_MAX];
} ingress_login_list_t;


/* ingress_login_url.c */

/* value is of allowed bytes; TORII_ERROR: a variable is not known */
int ingress_login_template(ingress_setter_t *s, torii_str_t value,
    ingress_ref_t *ref);

/* ingress_login_value.c */

/* Whether a header of this name may be set by an object, or an answer. */
int ingress_login_header_name(torii_str_t name);
/* "500ms", "10s", "5m", "10": seconds; TORII_ERROR: none of them */
int ingress_login_time(torii_str_t s, uint64_t *ms);

/* ingress_login_list.c */

/*
 * The query of an auth-url that is ours to answer, into s->login: what is wrong
 * with it counts only if it is.
 */
void ingress_login_query(ingress_setter_t *s, torii_str_t query);
/* TORII_ERROR: the list is full. */
int ingress_login_list_add(ingress_setter_t *s, ingress_login_list_t *list,
    torii_str_t piece);
ingress_ref_t ingress_login_list_end(ingress_setter_t *s,
    const ingress_login_list_t *list);


#endif /* _INGRESS_LOGIN_LIST_H_INCLUDED_ */
