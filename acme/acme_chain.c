
/*
 * Chains of certificates: what has to be true of one before it is served, and
 * what is to be known of it afterwards.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <arpa/inet.h>
#include <openssl/err.h>

#include "acme_x509.h"


#define ACME_CHAIN_ERROR   256
#define ACME_CHAIN_EARLY   3600         /* s that a clock may be behind */
#define ACME_SERIAL_MAX    21           /* RFC 5280, 4.1.2.2, and a sign */
#define ACME_KEYID_MAX     64
#define ACME_CN_MAX        256


static int acme_chain_leaf(torii_arena_t *a, X509 *leaf, acme_chain_t *chain,
    int64_t now, char *error);
static int acme_chain_serial(torii_arena_t *a, X509 *leaf, acme_chain_t *chain,
    char *error);
static torii_str_t acme_chain_ari(torii_arena_t *a, X509 *leaf,
    const unsigned char *serial, size_t len);
static torii_str_t acme_chain_common_name(torii_arena_t *a,
    const X509_NAME *name);
static int acme_chain_names(torii_arena_t *a, X509 *leaf,
    const acme_names_t *names, acme_chain_t *chain, char *error);
static const char *acme_chain_name(const GENERAL_NAME *general,
    unsigned char out[ACME_NAME_MAX + 1], size_t *len);
static int acme_chain_match(torii_arena_t *a, const acme_names_t *names,
    const acme_chain_t *chain, char *error);
static int acme_chain_valid(const acme_chain_t *chain, int64_t now,
    char *error);
static uint32_t acme_chain_sort(torii_str_t *names, uint32_t n);
static int acme_chain_cmp(const void *one, const void *two);
static int acme_chain_error(char *error, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


int
acme_chain_read(torii_arena_t *a, torii_str_t pem, EVP_PKEY *key,
    const acme_names_t *names, int64_t now, acme_chain_t *chain,
    char error[256])
{
    int              rc;
    X509            *leaf, *last;
    const char      *why;
    STACK_OF(X509)  *list;

    memset(chain, 0, sizeof(acme_chain_t));
    error[0] = '\0';

    list = acme_x509_read(a, pem, &chain->leaf, &why);
    if (list == NULL) {
        return acme_chain_error(error, "%s", why);
    }

    rc = TORII_ERROR;

    leaf = sk_X509_value(list, 0);
    last = sk_X509_value(list, sk_X509_num(list) - 1);

    why = acme_x509_linked(list);

    if (why) {
        acme_chain_error(error, "%s", why);
        goto done;
    }

    if (key && EVP_PKEY_eq(X509_get0_pubkey(leaf), key) != 1) {
        acme_chain_error(error, "its first certificate is for another key");
        goto done;
    }

    if (acme_chain_leaf(a, leaf, chain, now, error) != TORII_OK
        || acme_chain_names(a, leaf, names, chain, error) != TORII_OK)
    {
        goto done;
    }

    chain->issuer = acme_chain_common_name(a, X509_get_issuer_name(leaf));
    chain->root = acme_chain_common_name(a, X509_get_issuer_name(last));

    rc = TORII_OK;

done:

    sk_X509_pop_free(list, X509_free);
    ERR_clear_error();

    return rc;
}


int
acme_chain_known(torii_arena_t *a, torii_str_t pem, int64_t now,
    acme_chain_t *chain, char error[256])
{
    int          rc;
    X509        *leaf;
    const char  *why;

    memset(chain, 0, sizeof(acme_chain_t));
    error[0] = '\0';

    leaf = acme_x509_first(a, pem, &chain->leaf, &why);
    if (leaf == NULL) {
        return acme_chain_error(error, "%s", why);
    }

    rc = TORII_ERROR;

    if (acme_chain_leaf(a, leaf, chain, now, error) == TORII_OK
        && acme_chain_names(a, leaf, NULL, chain, error) == TORII_OK)
    {
        chain->issuer = acme_chain_common_name(a, X509_get_issuer_name(leaf));
        rc = TORII_OK;
    }

    X509_free(leaf);
    ERR_clear_error();

    return rc;
}


static int
acme_chain_leaf(torii_arena_t *a, X509 *leaf, acme_chain_t *chain, int64_t now,
    char *error)
{
    if (acme_x509_time(X509_get0_notBefore(leaf), &chain->not_before)
            != TORII_OK
        || acme_x509_time(X509_get0_notAfter(leaf), &chain->not_after)
           != TORII_OK)
    {
        return acme_chain_error(error, "its dates cannot be read");
    }

    if (acme_chain_serial(a, leaf, chain, error) != TORII_OK) {
        return TORII_ERROR;
    }

    return acme_chain_valid(chain, now, error);
}


static int
acme_chain_serial(torii_arena_t *a, X509 *leaf, acme_chain_t *chain,
    char *error)
{
    int                  n;
    size_t               i, len;
    unsigned char       *p, der[2 + ACME_SERIAL_MAX];
    torii_str_t          hex;
    const ASN1_INTEGER  *serial;

    static const char  digits[] = "0123456789abcdef";

    serial = X509_get0_serialNumber(leaf);

    n = i2d_ASN1_INTEGER(serial, NULL);

    if (n <= 2 || n > (int) sizeof(der)) {
        return acme_chain_error(error, "its serial number is too long");
    }

    p = der;
    (void) i2d_ASN1_INTEGER(serial, &p);

    if (der[2] & 0x80) {
        return acme_chain_error(error, "its serial number is negative");
    }

    len = n - 2;
    p = der + 2;

    chain->ari = acme_chain_ari(a, leaf, p, len);

    if (len > 1 && p[0] == 0) {
        p++;
        len--;
    }

    hex.len = len * 2;
    hex.data = torii_arena_alloc(a, hex.len + 1);

    for (i = 0; i < len; i++) {
        hex.data[i * 2] = digits[p[i] >> 4];
        hex.data[i * 2 + 1] = digits[p[i] & 15];
    }

    hex.data[hex.len] = '\0';
    chain->serial = hex;

    return TORII_OK;
}


/* RFC 9773 section 4.1: of the serial number all octets that DER has. */

static torii_str_t
acme_chain_ari(torii_arena_t *a, X509 *leaf, const unsigned char *serial,
    size_t len)
{
    torii_buf_t               b;
    torii_str_t               ari;
    const ASN1_OCTET_STRING  *id;

    id = X509_get0_authority_key_id(leaf);

    if (id == NULL || ASN1_STRING_length(id) <= 0
        || ASN1_STRING_length(id) > ACME_KEYID_MAX)
    {
        return torii_str("");
    }

    memset(&b, 0, sizeof(torii_buf_t));

    torii_base64url_add(&b, ASN1_STRING_get0_data(id), ASN1_STRING_length(id));
    torii_buf_adds(&b, ".");
    torii_base64url_add(&b, serial, len);

    ari.data = b.data;
    ari.len = b.len;
    ari = torii_arena_str(a, ari);

    torii_buf_free(&b);

    return ari;
}


/* The last one, as the most specific; what is not fit to be shown is none. */

static torii_str_t
acme_chain_common_name(torii_arena_t *a, const X509_NAME *name)
{
    int               i, last, len;
    torii_str_t       s;
    unsigned char    *text;
    X509_NAME_ENTRY  *entry;

    s = torii_str("");

    i = -1;
    last = -1;

    while ((i = X509_NAME_get_index_by_NID(name, NID_commonName, i)) >= 0) {
        last = i;
    }

    entry = last < 0 ? NULL : X509_NAME_get_entry(name, last);
    if (entry == NULL) {
        return s;
    }

    text = NULL;

    len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));

    if (len > 0 && len <= ACME_CN_MAX) {
        s.data = text;
        s.len = len;

        s = torii_str_has_control(s) || !torii_str_is_utf8(s)
            ? torii_str("") : torii_arena_str(a, s);
    }

    OPENSSL_free(text);

    return s;
}


/*
 * What is no name, or has no normal form, counts for nothing, but not in a
 * certificate that was ordered.
 */

static int
acme_chain_names(torii_arena_t *a, X509 *leaf, const acme_names_t *names,
    acme_chain_t *chain, char *error)
{
    int             i, n, critical, foreign;
    torii_str_t     name;
    unsigned char   text[ACME_NAME_MAX + 1];
    GENERAL_NAMES  *list;

    list = X509_get_ext_d2i(leaf, NID_subject_alt_name, &critical, NULL);

    if (list == NULL && critical != -1) {
        return acme_chain_error(error, "its names cannot be read");
    }

    n = list ? sk_GENERAL_NAME_num(list) : 0;

    chain->names = torii_arena_alloc(a, (n + 1) * sizeof(torii_str_t));

    name.data = text;
    foreign = 0;

    for (i = 0; i < n; i++) {
        if (acme_chain_name(sk_GENERAL_NAME_value(list, i), text, &name.len)
            != NULL)
        {
            foreign = 1;
            continue;
        }

        chain->names[chain->n++] = torii_arena_str(a, name);
    }

    GENERAL_NAMES_free(list);

    chain->n = acme_chain_sort(chain->names, chain->n);

    if (names == NULL) {
        return TORII_OK;
    }

    if (foreign) {
        return acme_chain_error(error, "one of its names is none that was "
                                "asked for");
    }

    return acme_chain_match(a, names, chain, error);
}


static const char *
acme_chain_name(const GENERAL_NAME *general,
    unsigned char out[ACME_NAME_MAX + 1], size_t *len)
{
    int                 type;
    char                text[INET6_ADDRSTRLEN];
    torii_str_t         s;
    const ASN1_STRING  *value;

    value = GENERAL_NAME_get0_value(general, &type);

    if (type != GEN_DNS && type != GEN_IPADD) {
        return "it is neither a DNS name nor an address";
    }

    s.data = (unsigned char *) ASN1_STRING_get0_data(value);
    s.len = ASN1_STRING_length(value);

    if (type == GEN_DNS) {
        return acme_name_is_ip(s) ? "it is an address as DNS name"
                                  : acme_name_make(s, out, len);
    }

    if (s.len != 4 && s.len != 16) {
        return "it is no address";
    }

    (void) inet_ntop(s.len == 4 ? AF_INET : AF_INET6, s.data, text,
                     sizeof(text));

    return acme_name_make(torii_str(text), out, len);
}


/* Both are sorted and hold nothing twice: the first difference tells. */

static int
acme_chain_match(torii_arena_t *a, const acme_names_t *names,
    const acme_chain_t *chain, char *error)
{
    int           rc;
    uint32_t      i, n;
    torii_str_t  *wanted;

    rc = 0;
    wanted = torii_arena_alloc(a, (names->n + 1) * sizeof(torii_str_t));

    if (names->n) {
        memcpy(wanted, names->names, names->n * sizeof(torii_str_t));
    }

    n = acme_chain_sort(wanted, names->n);

    for (i = 0; i < n && i < chain->n; i++) {
        rc = torii_str_cmp(wanted[i], chain->names[i]);
        if (rc != 0) {
            break;
        }
    }

    if (i < n && (i == chain->n || rc < 0)) {
        return acme_chain_error(error, "it is not for \"%.*s\"",
                                torii_str_arg(wanted[i]));
    }

    if (i < chain->n) {
        return acme_chain_error(error, "it is for \"%.*s\", too, which was "
                                "not asked for",
                                torii_str_arg(chain->names[i]));
    }

    return TORII_OK;
}


static int
acme_chain_valid(const acme_chain_t *chain, int64_t now, char *error)
{
    char         text[64];
    time_t       t;
    struct tm    tm;
    const char  *what;

    if (chain->not_before > now + ACME_CHAIN_EARLY) {
        what = "is not valid before";
        t = (time_t) chain->not_before;

    } else if (chain->not_after <= now) {
        what = "was valid until";
        t = (time_t) chain->not_after;

    } else {
        return TORII_OK;
    }

    if (gmtime_r(&t, &tm) == NULL
        || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
    {
        text[0] = '\0';
    }

    return acme_chain_error(error, "it %s %s", what, text);
}


static uint32_t
acme_chain_sort(torii_str_t *names, uint32_t n)
{
    uint32_t  i, unique;

    if (n == 0) {
        return 0;
    }

    qsort(names, n, sizeof(torii_str_t), acme_chain_cmp);

    unique = 1;

    for (i = 1; i < n; i++) {
        if (!torii_str_eq(names[i], names[unique - 1])) {
            names[unique++] = names[i];
        }
    }

    return unique;
}


static int
acme_chain_cmp(const void *one, const void *two)
{
    const torii_str_t  *a, *b;

    a = one;
    b = two;

    return torii_str_cmp(*a, *b);
}


static int
acme_chain_error(char *error, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(error, ACME_CHAIN_ERROR, fmt, args);
    va_end(args);

    return TORII_ERROR;
}
