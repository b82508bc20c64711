
/*
 * Certification requests (RFC 2986).
 */

#include <openssl/err.h>

#include "acme_x509.h"


static int acme_csr_extensions(X509_REQ *req, const acme_names_t *names);
static int acme_csr_has(const acme_names_t *names, torii_str_t common_name);


int
acme_csr(EVP_PKEY *key, const acme_names_t *names, torii_str_t common_name,
    torii_buf_t *der)
{
    int             len;
    X509_REQ       *req;
    unsigned char  *p;

    /* CAs refuse a common name that is not among the names */

    if (common_name.len && !acme_csr_has(names, common_name)) {
        return TORII_ERROR;
    }

    req = X509_REQ_new();
    if (req == NULL) {
        goto failed;
    }

    if (common_name.len
        && acme_x509_common_name(X509_REQ_get_subject_name(req), common_name)
           != TORII_OK)
    {
        goto failed;
    }

    if (X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1
        || X509_REQ_set_pubkey(req, key) != 1
        || acme_csr_extensions(req, names) != TORII_OK
        || X509_REQ_sign(req, key, torii_key_digest(key)) <= 0)
    {
        goto failed;
    }

    len = i2d_X509_REQ(req, NULL);
    if (len <= 0) {
        goto failed;
    }

    p = torii_buf_room(der, len);
    der->len += i2d_X509_REQ(req, &p);

    X509_REQ_free(req);

    return TORII_OK;

failed:

    X509_REQ_free(req);
    ERR_clear_error();

    return TORII_ERROR;
}


static int
acme_csr_has(const acme_names_t *names, torii_str_t common_name)
{
    uint32_t  i;

    for (i = 0; i < names->n; i++) {
        if (torii_str_eq(names->names[i], common_name)) {
            return !acme_name_is_ip(common_name);
        }
    }

    return 0;
}


static int
acme_csr_extensions(X509_REQ *req, const acme_names_t *names)
{
    int               ok;
    GENERAL_NAMES    *list;
    X509_EXTENSION   *ext;
    X509_EXTENSIONS  *exts;

    list = acme_x509_names(names);
    if (list == NULL) {
        return TORII_ERROR;
    }

    exts = NULL;
    ok = 0;

    ext = X509V3_EXT_i2d(NID_subject_alt_name, 0, list);

    if (ext && X509v3_add_ext(&exts, ext, -1)) {
        ok = X509_REQ_add_extensions(req, exts);
    }

    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    X509_EXTENSION_free(ext);
    GENERAL_NAMES_free(list);

    return ok == 1 ? TORII_OK : TORII_ERROR;
}
