
/*
 * Label selectors, as Kubernetes writes them in one line:
 *
 *     a=b, a==b, a!=b, a in (b,c), a notin (b,c), a, !a
 *
 * All requirements must hold.  "!=" and "notin" hold without the label, too.
 */

#ifndef _INGRESS_SELECTOR_H_INCLUDED_
#define _INGRESS_SELECTOR_H_INCLUDED_


#include "ingress_object.h"


typedef struct ingress_selector_s  ingress_selector_t;


/*
 * NULL: *why tells what is wrong.  One without a requirement would select
 * everything, and is no selector.  The text is copied.
 */
ingress_selector_t *ingress_selector_parse(torii_arena_t *a, torii_str_t text,
    const char **why);

int ingress_selector_matches(const ingress_selector_t *s,
    const ingress_pairs_t *labels);

/* As it was written. */
torii_str_t ingress_selector_text(const ingress_selector_t *s);


#endif /* _INGRESS_SELECTOR_H_INCLUDED_ */
