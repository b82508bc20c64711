
/*
 * What JOSE and X.509 have to know of each kind of key: for the files of lib/
 * that implement torii_jose.h.
 */

#ifndef _TORII_KEY_H_INCLUDED_
#define _TORII_KEY_H_INCLUDED_


#include "torii_jose.h"


typedef struct {
    const char            *name;        /* of the curve or key, in OpenSSL */
    const char            *kty;         /* RFC 7518 section 6.1, RFC 8037 */
    const char            *crv;         /* NULL: RSA */
    const char            *alg;
    const char            *digest;      /* NULL: the algorithm has its own */
    size_t                 size;        /* bytes of a coordinate */
} torii_key_kind_t;


/* NULL: none that JOSE has a name for. */
const torii_key_kind_t *torii_key_kind(EVP_PKEY *key);


#endif /* _TORII_KEY_H_INCLUDED_ */
