
/*
 * PEM armour (RFC 7468) as files and Secrets hold it: several blocks, text
 * between them.
 */

#ifndef _INGRESS_PEM_H_INCLUDED_
#define _INGRESS_PEM_H_INCLUDED_


#include "torii.h"


typedef struct {
    torii_str_t            label;       /* "CERTIFICATE" */
    torii_str_t            body;        /* between the two lines */
} ingress_pem_t;


/*
 * The next block of *rest.  TORII_DECLINED: no more.  TORII_ERROR: a block
 * that does not end.
 */
int ingress_pem_next(torii_str_t *rest, ingress_pem_t *block);


#endif /* _INGRESS_PEM_H_INCLUDED_ */
