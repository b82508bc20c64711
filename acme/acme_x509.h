
/*
 * Pieces of X.509 for the files of this folder that implement acme_cert.h.
 */

#ifndef _ACME_X509_H_INCLUDED_
#define _ACME_X509_H_INCLUDED_


#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "acme_cert.h"


#define ACME_NAME_MAX         253
#define ACME_COMMON_NAME_MAX  64        /* RFC 5280, upper bounds */
#define ACME_PEM_MAX          (64 * 1024)
#define ACME_CHAIN_MAX        10        /* certificates */


/* As acme_name_normal(), into memory of the caller; NULL, or what is wrong. */
const char *acme_name_make(torii_str_t in, unsigned char out[ACME_NAME_MAX + 1],
    size_t *len);
int acme_name_is_normal(torii_str_t name);

/* 4, 16, or 0: it is no address. */
unsigned acme_name_address(torii_str_t name, unsigned char address[16]);

/* Subject alternative names; NULL: there are none, or not in normal form. */
GENERAL_NAMES *acme_x509_names(const acme_names_t *names);
int acme_x509_common_name(X509_NAME *name, torii_str_t common_name);

/* Version 3, a serial number, dates and the key. */
int acme_x509_start(X509 *x, EVP_PKEY *key, int64_t from, int64_t to);

/*
 * The certificates of a PEM text that holds nothing else, at most
 * ACME_CHAIN_MAX, and the DER of the first one.  NULL: *why says what is wrong.
 */
STACK_OF(X509) *acme_x509_read(torii_arena_t *a, torii_str_t pem,
    torii_str_t *leaf, const char **why);

/* The first one alone, whatever follows it. */
X509 *acme_x509_first(torii_arena_t *a, torii_str_t pem, torii_str_t *leaf,
    const char **why);

/* Whether each is signed by the next one; NULL, or what is wrong. */
const char *acme_x509_linked(STACK_OF(X509) *chain);

int acme_x509_time(const ASN1_TIME *t, int64_t *seconds);


#endif /* _ACME_X509_H_INCLUDED_ */
