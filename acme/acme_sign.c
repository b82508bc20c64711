
/*
 * Local issuers: certificates signed by a CA of one's own, or by themselves.
 */

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "acme_x509.h"


#define ACME_SIGN_ERROR  256

typedef struct {
    int                    nid;
    const char            *value;       /* as of x509v3_config(5) */
} acme_sign_extension_t;


static STACK_OF(X509) *acme_sign_ca(torii_arena_t *a, torii_str_t pem,
    EVP_PKEY *key, const char **why);
static const char *acme_sign_dates(X509 *ca, int64_t not_before,
    int64_t *not_after);
static const char *acme_sign_make(X509 *x, X509 *ca, EVP_PKEY *key,
    const acme_names_t *names, torii_str_t common_name);
static int acme_sign_self_name(X509_NAME *name, const acme_names_t *names);
static int acme_sign_extend(X509 *x, X509 *issuer, EVP_PKEY *key);
static const char *acme_sign_names(X509 *x, const acme_names_t *names);
static const char *acme_sign_allowed(X509 *x, STACK_OF(X509) *chain);
static int acme_sign_pem(X509 *x, STACK_OF(X509) *chain, torii_buf_t *pem);


static const torii_str_t  acme_sign_nameless = torii_string("self-signed");

/* RFC 5280 section 4.2.1; the authority's identifier needs the subject's */

static const acme_sign_extension_t  acme_sign_extensions[] = {
    { NID_basic_constraints, "critical,CA:FALSE" },
    { NID_key_usage, "critical,digitalSignature" },
    { NID_ext_key_usage, "serverAuth" },
    { NID_subject_key_identifier, "hash" },
    { NID_authority_key_identifier, "keyid" },
    { 0, NULL }
};

/* The key exchange of TLS 1.2 that encrypts to the certificate's key. */

static const char  acme_sign_usage_rsa[] =
    "critical,digitalSignature,keyEncipherment";


int
acme_sign(EVP_PKEY *key, const acme_names_t *names, torii_str_t common_name,
    int64_t not_before, int64_t not_after, torii_str_t ca_chain,
    EVP_PKEY *ca_key, torii_buf_t *pem, char error[256])
{
    X509            *x, *ca;
    const char      *why;
    torii_arena_t   *a;
    STACK_OF(X509)  *chain;

    a = torii_arena_create(4096);
    x = X509_new();
    ca = NULL;
    chain = NULL;
    why = NULL;

    if (ca_key) {
        chain = acme_sign_ca(a, ca_chain, ca_key, &why);
        if (chain == NULL) {
            goto done;
        }

        ca = sk_X509_value(chain, 0);
    }

    why = acme_sign_dates(ca, not_before, &not_after);
    if (why) {
        goto done;
    }

    if (x == NULL
        || acme_x509_start(x, key, not_before, not_after) != TORII_OK)
    {
        why = "OpenSSL failed";
        goto done;
    }

    why = acme_sign_make(x, ca, key, names, common_name);
    if (why) {
        goto done;
    }

    if (ca_key == NULL) {
        ca_key = key;
    }

    if (X509_sign(x, ca_key, torii_key_digest(ca_key)) <= 0) {
        why = "it cannot be signed";
        goto done;
    }

    why = acme_sign_allowed(x, chain);

    if (why == NULL && acme_sign_pem(x, chain, pem) != TORII_OK) {
        why = "it cannot be written";
    }

done:

    X509_free(x);
    sk_X509_pop_free(chain, X509_free);
    torii_arena_destroy(a);
    ERR_clear_error();

    (void) snprintf(error, ACME_SIGN_ERROR, "%s", why ? why : "");

    return why ? TORII_ERROR : TORII_OK;
}


/* No certificate outlives its issuer's. */

static const char *
acme_sign_dates(X509 *ca, int64_t not_before, int64_t *not_after)
{
    int64_t  end;

    if (ca) {
        if (acme_x509_time(X509_get0_notAfter(ca), &end) != TORII_OK) {
            return "the CA's dates cannot be read";
        }

        if (end <= not_before) {
            return "the CA's certificate has expired";
        }

        *not_after = *not_after < end ? *not_after : end;
    }

    return *not_after <= not_before ? "it would end before it begins" : NULL;
}


static STACK_OF(X509) *
acme_sign_ca(torii_arena_t *a, torii_str_t pem, EVP_PKEY *key,
    const char **why)
{
    X509            *ca;
    torii_str_t      der;
    STACK_OF(X509)  *chain;

    chain = acme_x509_read(a, pem, &der, why);
    if (chain == NULL) {
        return NULL;
    }

    ca = sk_X509_value(chain, 0);

    if (X509_check_private_key(ca, key) != 1) {
        *why = "the CA's key does not belong to its certificate";

    } else if (X509_check_ca(ca) != 1
               || (X509_get_key_usage(ca) & KU_KEY_CERT_SIGN) == 0)
    {
        *why = "the CA's certificate is not one of a CA";

    } else {
        *why = acme_x509_linked(chain);
    }

    if (*why) {
        sk_X509_pop_free(chain, X509_free);
        return NULL;
    }

    return chain;
}


/* All but the signature. */

static const char *
acme_sign_make(X509 *x, X509 *ca, EVP_PKEY *key, const acme_names_t *names,
    torii_str_t common_name)
{
    X509_NAME  *subject;

    subject = X509_get_subject_name(x);

    if (common_name.len
        && acme_x509_common_name(subject, common_name) != TORII_OK)
    {
        return "its common name is longer than 64 characters or not text";
    }

    /* RFC 5280 section 4.1.2.4: an issuer has a name */

    if (ca == NULL && common_name.len == 0
        && acme_sign_self_name(subject, names) != TORII_OK)
    {
        return "its subject cannot be made";
    }

    if (X509_set_issuer_name(x, ca ? X509_get_subject_name(ca) : subject) != 1
        || acme_sign_extend(x, ca ? ca : x, key) != TORII_OK)
    {
        return "its extensions cannot be made";
    }

    return acme_sign_names(x, names);
}


static int
acme_sign_self_name(X509_NAME *name, const acme_names_t *names)
{
    if (names->n && names->names[0].len <= ACME_COMMON_NAME_MAX) {
        return acme_x509_common_name(name, names->names[0]);
    }

    return acme_x509_common_name(name, acme_sign_nameless);
}


static int
acme_sign_extend(X509 *x, X509 *issuer, EVP_PKEY *key)
{
    int                           ok;
    X509V3_CTX                    ctx;
    const char                   *value;
    X509_EXTENSION               *ext;
    const acme_sign_extension_t  *e;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);

    for (e = acme_sign_extensions; e->value; e++) {
        value = e->value;

        if (e->nid == NID_key_usage && EVP_PKEY_is_a(key, "RSA")) {
            value = acme_sign_usage_rsa;
        }

        /* a CA may have none that could be referred to */

        if (e->nid == NID_authority_key_identifier
            && X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) < 0)
        {
            continue;
        }

        ext = X509V3_EXT_conf_nid(NULL, &ctx, e->nid, value);
        if (ext == NULL) {
            return TORII_ERROR;
        }

        ok = X509_add_ext(x, ext, -1);

        X509_EXTENSION_free(ext);

        if (ok != 1) {
            return TORII_ERROR;
        }
    }

    return TORII_OK;
}


/* RFC 5280 section 4.2.1.6: critical when there is no other name. */

static const char *
acme_sign_names(X509 *x, const acme_names_t *names)
{
    int             ok, critical;
    GENERAL_NAMES  *list;

    list = acme_x509_names(names);
    if (list == NULL) {
        return "its names are missing or not in normal form";
    }

    critical = X509_NAME_entry_count(X509_get_subject_name(x)) == 0;

    ok = X509_add1_ext_i2d(x, NID_subject_alt_name, list, critical,
                           X509V3_ADD_DEFAULT);

    GENERAL_NAMES_free(list);

    return ok == 1 ? NULL : "its names cannot be set";
}


/* What every client would refuse is better told here. */

static const char *
acme_sign_allowed(X509 *x, STACK_OF(X509) *chain)
{
    int                i, critical, rc;
    NAME_CONSTRAINTS  *constraints;

    /* reads the extensions, as the check wants them */

    if (X509_check_purpose(x, -1, 0) != 1) {
        return "its extensions are not accepted";
    }

    for (i = 0; chain && i < sk_X509_num(chain); i++) {
        constraints = X509_get_ext_d2i(sk_X509_value(chain, i),
                                       NID_name_constraints, &critical, NULL);
        if (constraints == NULL) {
            continue;
        }

        rc = NAME_CONSTRAINTS_check(x, constraints);

        NAME_CONSTRAINTS_free(constraints);

        if (rc != X509_V_OK) {
            return "the CA's name constraints do not allow these names";
        }
    }

    return NULL;
}


/* Whoever trusts a root has it: of the chain all but self-signed ones. */

static int
acme_sign_pem(X509 *x, STACK_OF(X509) *chain, torii_buf_t *pem)
{
    int    i, ok;
    BIO   *bio;
    char  *text;
    long   len;
    X509  *ca;

    bio = BIO_new(BIO_s_mem());
    if (bio == NULL) {
        return TORII_ERROR;
    }

    ok = PEM_write_bio_X509(bio, x);

    for (i = 0; chain && i < sk_X509_num(chain) && ok == 1; i++) {
        ca = sk_X509_value(chain, i);

        if (X509_self_signed(ca, 0) != 1) {
            ok = PEM_write_bio_X509(bio, ca);
        }
    }

    if (ok == 1) {
        len = BIO_get_mem_data(bio, &text);
        torii_buf_add(pem, text, (size_t) len);
    }

    BIO_free(bio);

    return ok == 1 ? TORII_OK : TORII_ERROR;
}
