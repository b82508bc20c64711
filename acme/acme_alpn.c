
/*
 * The certificate that answers a tls-alpn-01 challenge (RFC 8737, RFC 8738).
 */

#include <openssl/err.h>

#include "acme_x509.h"


#define ACME_ALPN_OID    "1.3.6.1.5.5.7.1.31"   /* id-pe-acmeIdentifier */
#define ACME_ALPN_EARLY  (24 * 3600)
#define ACME_ALPN_LATE   (10 * 24 * 3600)       /* orders live for a week */


static int acme_alpn_extensions(X509 *x, torii_str_t identifier,
    const unsigned char digest[32]);
static int acme_alpn_identifier(X509 *x, const unsigned char digest[32]);
static int acme_alpn_key(EVP_PKEY *key, torii_buf_t *der);


/* The same for all: a name may be too long for a common name. */

static const torii_str_t  acme_alpn_subject = torii_string("acme-tls/1");


int
acme_alpn_cert(torii_str_t identifier, const unsigned char digest[32],
    int64_t now, torii_buf_t *cert, torii_buf_t *key)
{
    int             len;
    X509           *x;
    EVP_PKEY       *pkey;
    X509_NAME      *name;
    torii_str_t     normal;
    unsigned char  *p, text[ACME_NAME_MAX + 1];

    if (acme_name_make(identifier, text, &normal.len) != NULL
        || text[0] == '*')
    {
        return TORII_ERROR;
    }

    normal.data = text;

    x = X509_new();
    pkey = torii_key_generate(TORII_KEY_EC_P256);

    if (x == NULL || pkey == NULL
        || acme_x509_start(x, pkey, now - ACME_ALPN_EARLY,
                           now + ACME_ALPN_LATE)
           != TORII_OK)
    {
        goto failed;
    }

    name = X509_get_subject_name(x);

    if (acme_x509_common_name(name, acme_alpn_subject) != TORII_OK
        || X509_set_issuer_name(x, name) != 1
        || acme_alpn_extensions(x, normal, digest) != TORII_OK
        || X509_sign(x, pkey, torii_key_digest(pkey)) <= 0)
    {
        goto failed;
    }

    len = i2d_X509(x, NULL);

    if (len <= 0 || acme_alpn_key(pkey, key) != TORII_OK) {
        goto failed;
    }

    p = torii_buf_room(cert, len);
    cert->len += i2d_X509(x, &p);

    X509_free(x);
    EVP_PKEY_free(pkey);

    return TORII_OK;

failed:

    X509_free(x);
    EVP_PKEY_free(pkey);
    ERR_clear_error();

    return TORII_ERROR;
}


static int
acme_alpn_extensions(X509 *x, torii_str_t identifier,
    const unsigned char digest[32])
{
    int             ok;
    acme_names_t    names;
    GENERAL_NAMES  *list;

    names.names = &identifier;
    names.n = 1;

    list = acme_x509_names(&names);
    if (list == NULL) {
        return TORII_ERROR;
    }

    ok = X509_add1_ext_i2d(x, NID_subject_alt_name, list, 0,
                           X509V3_ADD_DEFAULT);

    GENERAL_NAMES_free(list);

    return ok == 1 ? acme_alpn_identifier(x, digest) : TORII_ERROR;
}


/* RFC 8737 section 3: Authorization ::= OCTET STRING (SIZE (32)), critical. */

static int
acme_alpn_identifier(X509 *x, const unsigned char digest[32])
{
    int                 rc;
    ASN1_OBJECT        *oid;
    unsigned char       der[2 + 32];
    X509_EXTENSION     *ext;
    ASN1_OCTET_STRING  *value;

    der[0] = V_ASN1_OCTET_STRING;
    der[1] = 32;
    memcpy(der + 2, digest, 32);

    oid = OBJ_txt2obj(ACME_ALPN_OID, 1);
    value = ASN1_OCTET_STRING_new();
    ext = NULL;
    rc = TORII_ERROR;

    if (oid && value && ASN1_OCTET_STRING_set(value, der, sizeof(der)) == 1) {
        ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);
    }

    if (ext && X509_add_ext(x, ext, -1) == 1) {
        rc = TORII_OK;
    }

    ASN1_OBJECT_free(oid);
    ASN1_OCTET_STRING_free(value);
    X509_EXTENSION_free(ext);

    return rc;
}


/* PKCS#8; OpenSSL wipes the structure that it frees. */

static int
acme_alpn_key(EVP_PKEY *key, torii_buf_t *der)
{
    int                   len;
    unsigned char        *p;
    PKCS8_PRIV_KEY_INFO  *info;

    info = EVP_PKEY2PKCS8(key);
    if (info == NULL) {
        return TORII_ERROR;
    }

    len = i2d_PKCS8_PRIV_KEY_INFO(info, NULL);

    if (len > 0) {
        p = torii_buf_room(der, len);
        der->len += i2d_PKCS8_PRIV_KEY_INFO(info, &p);
    }

    PKCS8_PRIV_KEY_INFO_free(info);

    return len > 0 ? TORII_OK : TORII_ERROR;
}


/* RFC 8738 section 6: an address is asked for by its name in reverse DNS. */

torii_str_t
acme_alpn_sni(torii_arena_t *a, torii_str_t identifier)
{
    unsigned        i;
    torii_str_t     sni;
    unsigned char  *p, address[16], text[ACME_NAME_MAX + 1];

    static const char  digits[] = "0123456789abcdef";

    switch (acme_name_address(identifier, address)) {

    case 4:
        return torii_arena_printf(a, "%u.%u.%u.%u.in-addr.arpa", address[3],
                                  address[2], address[1], address[0]);
    case 16:
        p = text;

        for (i = 16; i > 0; i--) {
            *p++ = digits[address[i - 1] & 15];
            *p++ = '.';
            *p++ = digits[address[i - 1] >> 4];
            *p++ = '.';
        }

        *p = '\0';

        return torii_arena_printf(a, "%sip6.arpa", (char *) text);
    }

    if (acme_name_make(identifier, text, &sni.len) != NULL) {
        return torii_str("");
    }

    sni.data = text;

    return torii_arena_str(a, sni);
}
