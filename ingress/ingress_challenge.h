
/*
 * What to answer a CA that validates a name, out of the table; and a set of
 * challenges as text, by which the one of several gateways that asks for
 * certificates tells the others.
 */

#ifndef _INGRESS_CHALLENGE_H_INCLUDED_
#define _INGRESS_CHALLENGE_H_INCLUDED_


#include "ingress_store.h"


/* NULL: nobody is to be answered for it.  Bytes are compared as they are. */

const ingress_table_challenge_t *ingress_challenge_http(
    const ingress_table_t *t, torii_str_t token);
const ingress_table_challenge_t *ingress_challenge_alpn(
    const ingress_table_t *t, torii_str_t name);


#define INGRESS_CHALLENGE_TEXT  900000    /* bytes: what a Secret holds */

/* JSON.  TORII_ERROR: there are too many for one text; b is as before. */
int ingress_challenge_encode(torii_buf_t *b, const ingress_challenge_t *list,
    uint32_t n);
/*
 * The list lives in the arena.  What is of no known type or form is left out,
 * as from a newer gateway; the store decides about the rest.  TORII_ERROR: the
 * text is no list at all, or too long.
 */
int ingress_challenge_decode(torii_arena_t *a, torii_str_t text,
    ingress_challenge_t **list, uint32_t *n);


#endif /* _INGRESS_CHALLENGE_H_INCLUDED_ */
