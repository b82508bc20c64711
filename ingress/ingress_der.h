
/*
 * A cursor over DER (X.690): just enough to look into certificates and keys.
 * After the first failure every call fails, so that reading is a straight line
 * with one test at its end.
 */

#ifndef _INGRESS_DER_H_INCLUDED_
#define _INGRESS_DER_H_INCLUDED_


#include "torii.h"


#define INGRESS_DER_INTEGER       0x02
#define INGRESS_DER_BIT_STRING    0x03
#define INGRESS_DER_OCTET_STRING  0x04
#define INGRESS_DER_OID           0x06
#define INGRESS_DER_UTC_TIME      0x17
#define INGRESS_DER_TIME          0x18
#define INGRESS_DER_SEQUENCE      0x30
#define INGRESS_DER_SET           0x31
#define INGRESS_DER_CONTEXT(n)    (0x80 | (n))
#define INGRESS_DER_EXPLICIT(n)   (0xa0 | (n))

typedef struct {
    const unsigned char   *p;
    const unsigned char   *last;
    unsigned               failed:1;
} ingress_der_t;


ingress_der_t ingress_der_start(torii_str_t s);

/* Whether an element of the tag is next. */
int ingress_der_is(const ingress_der_t *der, unsigned tag);
int ingress_der_end(const ingress_der_t *der);

/* What is inside of the next element; another tag is a failure. */
ingress_der_t ingress_der_enter(ingress_der_t *der, unsigned tag);
torii_str_t ingress_der_content(ingress_der_t *der, unsigned tag);

/* The next element whole, header included. */
torii_str_t ingress_der_whole(ingress_der_t *der, unsigned tag);

/* Any element; its tag. */
unsigned ingress_der_any(ingress_der_t *der, torii_str_t *content);

/* UTCTime or GeneralizedTime as seconds since 1970 (RFC 5280, 4.1.2.5). */
int64_t ingress_der_time(ingress_der_t *der);


#endif /* _INGRESS_DER_H_INCLUDED_ */
