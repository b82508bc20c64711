
/*
 * What the files of admission share: one Ingress that is asked about.  Private
 * to ingress_admission*.c; everybody else wants ingress_admission.h.
 */

#ifndef _INGRESS_ADMIT_H_INCLUDED_
#define _INGRESS_ADMIT_H_INCLUDED_


#include "ingress_admission.h"


/* An error is a reason to refuse the object, a warning goes to its author. */

typedef struct {
    const ingress_table_t   *t;
    const ingress_object_t  *o;
    torii_arena_t           *arena;
    ingress_findings_t       findings;
    ingress_annotations_t    annotations;
} ingress_admit_t;


/* ingress_admission_object.c */

/* Whether the gateway serves it: by class, namespace, and whether it goes. */
int ingress_admit_ours(const ingress_table_t *t, const ingress_object_t *o);
/* The object for itself, and beside the others. */
void ingress_admit_object(ingress_admit_t *a);

/* ingress_admission_path.c */

void ingress_admit_paths(ingress_admit_t *a);


#endif /* _INGRESS_ADMIT_H_INCLUDED_ */
