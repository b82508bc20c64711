
/*
 * What requests, challenges and local issuers make certificates of.
 */

#define _GNU_SOURCE

#include <time.h>

#include <openssl/err.h>

#include "acme_x509.h"


#define ACME_SERIAL_BITS  128


static GENERAL_NAME *acme_x509_name(torii_str_t name);
static int acme_x509_next(torii_str_t *rest, torii_str_t *body,
    const char **why);
static int acme_x509_line(const unsigned char **p, const unsigned char *last,
    const unsigned char *first, torii_str_t mark);
static X509 *acme_x509_block(torii_arena_t *a, torii_str_t body,
    torii_str_t *der, const char **why);
static X509 *acme_x509_decode(torii_str_t der);


static const torii_str_t  acme_x509_dashes = torii_string("-----");
static const torii_str_t  acme_x509_begin =
    torii_string("-----BEGIN CERTIFICATE-----");
static const torii_str_t  acme_x509_end =
    torii_string("-----END CERTIFICATE-----");


GENERAL_NAMES *
acme_x509_names(const acme_names_t *names)
{
    uint32_t        i;
    GENERAL_NAME   *name;
    GENERAL_NAMES  *list;

    if (names->n == 0) {
        return NULL;
    }

    list = GENERAL_NAMES_new();
    if (list == NULL) {
        return NULL;
    }

    for (i = 0; i < names->n; i++) {
        name = acme_x509_name(names->names[i]);

        if (name == NULL || sk_GENERAL_NAME_push(list, name) == 0) {
            GENERAL_NAME_free(name);
            GENERAL_NAMES_free(list);
            return NULL;
        }
    }

    return list;
}


/* By structure, not by OpenSSL's text form, which a name could escape from. */

static GENERAL_NAME *
acme_x509_name(torii_str_t name)
{
    int             type;
    unsigned        size;
    ASN1_STRING    *value;
    GENERAL_NAME   *general;
    unsigned char   address[16];

    if (!acme_name_is_normal(name)) {
        return NULL;
    }

    size = acme_name_address(name, address);
    type = size ? GEN_IPADD : GEN_DNS;

    general = GENERAL_NAME_new();
    value = ASN1_STRING_type_new(size ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);

    if (general == NULL || value == NULL
        || ASN1_STRING_set(value, size ? address : name.data,
                           size ? (int) size : (int) name.len)
           != 1)
    {
        GENERAL_NAME_free(general);
        ASN1_STRING_free(value);
        return NULL;
    }

    GENERAL_NAME_set0_value(general, type, value);

    return general;
}


int
acme_x509_common_name(X509_NAME *name, torii_str_t common_name)
{
    if (common_name.len == 0 || common_name.len > ACME_COMMON_NAME_MAX
        || torii_str_has_control(common_name)
        || !torii_str_is_utf8(common_name)
        || X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                      common_name.data, (int) common_name.len,
                                      -1, 0)
           != 1)
    {
        return TORII_ERROR;
    }

    return TORII_OK;
}


int
acme_x509_start(X509 *x, EVP_PKEY *key, int64_t from, int64_t to)
{
    int      rc;
    BIGNUM  *serial;

    serial = BN_new();
    if (serial == NULL) {
        return TORII_ERROR;
    }

    rc = TORII_ERROR;

    if (BN_rand(serial, ACME_SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY)
            == 1
        && !BN_is_zero(serial)
        && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x)) != NULL
        && X509_set_version(x, X509_VERSION_3) == 1
        && ASN1_TIME_set(X509_getm_notBefore(x), (time_t) from) != NULL
        && ASN1_TIME_set(X509_getm_notAfter(x), (time_t) to) != NULL
        && X509_set_pubkey(x, key) == 1)
    {
        rc = TORII_OK;
    }

    BN_free(serial);

    return rc;
}


STACK_OF(X509) *
acme_x509_read(torii_arena_t *a, torii_str_t pem, torii_str_t *leaf,
    const char **why)
{
    int              rc;
    X509            *x;
    torii_str_t      body, der;
    STACK_OF(X509)  *chain;

    if (pem.len > ACME_PEM_MAX) {
        *why = "it is longer than 64 KiB";
        return NULL;
    }

    chain = sk_X509_new_null();
    if (chain == NULL) {
        *why = "OpenSSL failed";
        return NULL;
    }

    while ((rc = acme_x509_next(&pem, &body, why)) == TORII_OK) {

        if (sk_X509_num(chain) == ACME_CHAIN_MAX) {
            *why = "it holds more than 10 certificates";
            goto failed;
        }

        x = acme_x509_block(a, body, &der, why);

        if (x == NULL) {
            goto failed;
        }

        if (sk_X509_push(chain, x) == 0) {
            X509_free(x);
            *why = "OpenSSL failed";
            goto failed;
        }

        if (sk_X509_num(chain) == 1) {
            *leaf = der;
        }
    }

    if (rc == TORII_DECLINED && sk_X509_num(chain)) {
        return chain;
    }

    if (rc == TORII_DECLINED) {
        *why = "it holds no certificate in PEM form";
    }

failed:

    sk_X509_pop_free(chain, X509_free);
    ERR_clear_error();

    return NULL;
}


X509 *
acme_x509_first(torii_arena_t *a, torii_str_t pem, torii_str_t *leaf,
    const char **why)
{
    torii_str_t  body;

    *why = "it holds no certificate in PEM form";

    if (pem.len > ACME_PEM_MAX
        || acme_x509_next(&pem, &body, why) != TORII_OK)
    {
        return NULL;
    }

    return acme_x509_block(a, body, leaf, why);
}


/*
 * RFC 8555 section 9.1, but with text between the blocks passed over: owners of
 * certificates put it there.  No line of it may look like the begin of a block,
 * so that no reader finds another one: what is passed on as certificates must
 * not bring a key along.
 */

static int
acme_x509_next(torii_str_t *rest, torii_str_t *body, const char **why)
{
    const unsigned char  *p, *last, *begin;

    if (rest->len == 0) {
        return TORII_DECLINED;
    }

    if (memchr(rest->data, '\0', rest->len)) {
        *why = "it holds a zero byte";
        return TORII_ERROR;
    }

    last = rest->data + rest->len;

    p = memmem(rest->data, rest->len, acme_x509_dashes.data,
               acme_x509_dashes.len);
    if (p == NULL) {
        return TORII_DECLINED;
    }

    if (acme_x509_line(&p, last, rest->data, acme_x509_begin) != TORII_OK) {
        *why = "it holds something else than certificates";
        return TORII_ERROR;
    }

    begin = p;

    p = memmem(begin, last - begin, acme_x509_dashes.data,
               acme_x509_dashes.len);

    if (p) {
        body->data = (unsigned char *) begin;
        body->len = p - begin;
    }

    if (p == NULL || acme_x509_line(&p, last, begin, acme_x509_end) != TORII_OK)
    {
        *why = "a PEM block does not end as it begins";
        return TORII_ERROR;
    }

    rest->data = (unsigned char *) p;
    rest->len = last - p;

    return TORII_OK;
}


/* The mark at *p is a line of its own, but for blanks at its end. */

static int
acme_x509_line(const unsigned char **p, const unsigned char *last,
    const unsigned char *first, torii_str_t mark)
{
    const unsigned char  *s;

    s = *p;

    if ((s > first && s[-1] != '\n') || (size_t) (last - s) < mark.len
        || memcmp(s, mark.data, mark.len) != 0)
    {
        return TORII_ERROR;
    }

    s += mark.len;

    while (s < last && (*s == ' ' || *s == '\t' || *s == '\r')) {
        s++;
    }

    if (s < last && *s++ != '\n') {
        return TORII_ERROR;
    }

    *p = s;

    return TORII_OK;
}


static X509 *
acme_x509_block(torii_arena_t *a, torii_str_t body, torii_str_t *der,
    const char **why)
{
    X509  *x;

    if (torii_base64_decode(a, body, der) != TORII_OK) {
        *why = "a PEM block is not base64";
        return NULL;
    }

    x = acme_x509_decode(*der);

    if (x == NULL) {
        *why = "a PEM block holds no certificate";
        ERR_clear_error();
    }

    return x;
}


/* All of the bytes, and no extension that is malformed or there twice. */

static X509 *
acme_x509_decode(torii_str_t der)
{
    X509                 *x;
    const unsigned char  *p;

    p = der.data;

    x = d2i_X509(NULL, &p, (long) der.len);
    if (x == NULL) {
        return NULL;
    }

    if (p != der.data + der.len || X509_check_purpose(x, -1, 0) != 1) {
        X509_free(x);
        return NULL;
    }

    return x;
}


const char *
acme_x509_linked(STACK_OF(X509) *chain)
{
    int          i;
    X509        *x, *issuer;
    const char  *why;

    why = NULL;

    for (i = 1; i < sk_X509_num(chain) && why == NULL; i++) {
        x = sk_X509_value(chain, i - 1);
        issuer = sk_X509_value(chain, i);

        if (X509_check_issued(issuer, x) != X509_V_OK
            || X509_check_ca(issuer) == 0)
        {
            why = "its certificates are not in order, each followed by its "
                  "issuer";

        } else if (X509_verify(x, X509_get0_pubkey(issuer)) != 1) {
            why = "a certificate in it is not signed by the next one";
        }
    }

    ERR_clear_error();

    return why;
}


int
acme_x509_time(const ASN1_TIME *t, int64_t *seconds)
{
    struct tm  tm;

    if (ASN1_TIME_to_tm(t, &tm) != 1) {
        ERR_clear_error();
        return TORII_ERROR;
    }

    *seconds = timegm(&tm);

    return TORII_OK;
}
