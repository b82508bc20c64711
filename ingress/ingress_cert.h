
/*
 * Certificate and key of a Secret: PEM to DER, and what has to be known of them
 * before they are served: whom they are for, how long, and that they belong
 * together.
 */

#ifndef _INGRESS_CERT_H_INCLUDED_
#define _INGRESS_CERT_H_INCLUDED_


#include "ingress_object.h"


typedef enum {
    INGRESS_CERT_OTHER = 0,
    INGRESS_CERT_RSA,
    INGRESS_CERT_EC
} ingress_cert_type_e;

typedef struct {
    const char            *problem;     /* NULL, or why it cannot be served */
    ingress_cert_type_e    type;        /* of the key */
    unsigned char          id[32];      /* SHA-256 over chain and key */
    torii_str_t            chain;       /* DER, leaf first */
    torii_str_t            key;         /* DER */
    int64_t                not_before;
    int64_t                not_after;
    torii_str_t           *names;       /* lower case, sorted */
    uint32_t               n;
    torii_arena_t         *arena;
} ingress_cert_t;


/*
 * Never NULL.  The usual forms are checked by reading their DER, which takes a
 * few microseconds; what that does not decide, by OpenSSL.
 */
ingress_cert_t *ingress_cert_create(const ingress_secret_t *secret);
void ingress_cert_free(ingress_cert_t *cert);

/* Whether a name, maybe a wildcard, is among the certificate's. */
int ingress_cert_covers(const ingress_cert_t *cert, torii_str_t host);

/*
 * A Secret as client certificate (tls.crt, tls.key) and CA (ca.crt) towards a
 * backend; any but not all may be missing.  Returns NULL, or what is wrong.
 */
const char *ingress_cert_check_client(const ingress_secret_t *secret);


#endif /* _INGRESS_CERT_H_INCLUDED_ */
