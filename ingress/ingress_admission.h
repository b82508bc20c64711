
/*
 * Admission of Ingresses (admission.k8s.io/v1): an AdmissionReview is answered
 * from the object in it and the routing table in force; nothing is kept.
 */

#ifndef _INGRESS_ADMISSION_H_INCLUDED_
#define _INGRESS_ADMISSION_H_INCLUDED_


#include "ingress_table.h"


#define INGRESS_ADMISSION_MAX  (9 * 1024 * 1024)   /* bytes of a review */

/*
 * body: the review; out: the answering AdmissionReview (appended to an empty
 * buffer): allowed, or denied with a message that says what is wrong, where
 * and what to do; doubtful things are warnings.  Objects of other classes, and
 * those being deleted, are allowed.  TORII_DECLINED: not an AdmissionReview v1
 * that can be answered (HTTP 400); error says why.
 */
int ingress_admission_review(const ingress_table_t *t, torii_str_t body,
    torii_buf_t *out, char error[128]);


#endif /* _INGRESS_ADMISSION_H_INCLUDED_ */
