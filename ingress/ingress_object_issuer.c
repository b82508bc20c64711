
/*
 * Issuer and ClusterIssuer (cert-manager.io/v1).  A wrong value never means
 * the default where that would ask another server, with less protection or as
 * somebody else; the issuer is then not used.
 */

#include "ingress_decode.h"
#include "ingress_pem.h"


#define INGRESS_CHAIN_MAX     64
#define INGRESS_PROFILE_MAX   256
#define INGRESS_SERVER_MAX    2048


static uint32_t ingress_issuer_type(ingress_decode_t *d,
    const ingress_where_t *spec, const torii_node_t *map);
static void ingress_issuer_ca(ingress_decode_t *d,
    const ingress_where_t *spec, const torii_node_t *map);
static void ingress_issuer_acme(ingress_decode_t *d,
    const ingress_where_t *spec, const torii_node_t *map);
static void ingress_acme_server(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map);
static int ingress_is_https(torii_str_t url);
static void ingress_acme_account(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *map);
static void ingress_acme_eab(ingress_decode_t *d, const ingress_where_t *acme,
    const torii_node_t *map);
static void ingress_acme_trust(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map);
static int ingress_acme_bundle(ingress_decode_t *d, const torii_node_t *node);
static void ingress_acme_wishes(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map);
static void ingress_acme_text(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, const char *key, size_t max, torii_str_t *value);
static void ingress_issuer_status(ingress_decode_t *d,
    const torii_node_t *doc);


/* all that cert-manager has; the first is for none of them */

static const char *const  ingress_issuer_types[] = {
    "", "acme", "ca", "selfSigned", "vault", "venafi", NULL
};

static const char *const  ingress_eab_algorithms[] = {
    "HS256", "HS384", "HS512", NULL
};

static const char *const  ingress_renewal_sources[] = {
    "ARI", "None", NULL
};


void
ingress_object_issuer(ingress_decode_t *d, const torii_node_t *doc)
{
    ingress_where_t      at;
    ingress_issuer_t    *issuer;
    const torii_node_t  *spec;

    issuer = &d->object->u.issuer;

    at.up = NULL;
    at.name = "spec";
    at.index = INGRESS_NOT_LISTED;

    spec = ingress_decode_map(d, NULL, doc, "spec");

    switch (ingress_issuer_type(d, &at, spec)) {

    case INGRESS_ISSUER_ACME:
        issuer->type = INGRESS_ISSUER_ACME;
        ingress_issuer_acme(d, &at, spec);
        ingress_issuer_status(d, doc);
        break;

    case INGRESS_ISSUER_CA:
        issuer->type = INGRESS_ISSUER_CA;
        ingress_issuer_ca(d, &at, spec);
        break;

    case INGRESS_ISSUER_SELF_SIGNED:
        issuer->type = INGRESS_ISSUER_SELF_SIGNED;
        break;

    default:
        issuer->unusable = 1;
    }
}


/* An index of ingress_issuer_types[], 0 after a finding. */

static uint32_t
ingress_issuer_type(ingress_decode_t *d, const ingress_where_t *spec,
    const torii_node_t *map)
{
    uint32_t             i, n, type;
    const torii_node_t  *node;

    type = 0;
    n = 0;

    for (i = 1; ingress_issuer_types[i] != NULL; i++) {
        node = torii_node_get(map, ingress_issuer_types[i]);

        if (node != NULL && node->type != TORII_NODE_NULL) {
            type = i;
            n++;
        }
    }

    if (n != 1) {
        ingress_decode_finding(d, INGRESS_ERROR, "IssuerType", spec, NULL, map,
                               "must have one of acme, ca, selfSigned, vault "
                               "and venafi; the issuer is not used");
        return INGRESS_ISSUER_OTHER;
    }

    if (type > INGRESS_ISSUER_SELF_SIGNED) {
        ingress_decode_finding(d, INGRESS_INFO, "IssuerType", spec,
                               ingress_issuer_types[type], map,
                               "certificates of such an issuer are issued by "
                               "cert-manager alone; Torii serves what is in "
                               "the Secret");
        return INGRESS_ISSUER_OTHER;
    }

    if (ingress_decode_map(d, spec, map, ingress_issuer_types[type]) == NULL) {
        return INGRESS_ISSUER_OTHER;
    }

    return type;
}


static void
ingress_issuer_ca(ingress_decode_t *d, const ingress_where_t *spec,
    const torii_node_t *map)
{
    ingress_where_t    at;
    ingress_issuer_t  *issuer;

    issuer = &d->object->u.issuer;

    at.up = spec;
    at.name = "ca";
    at.index = INGRESS_NOT_LISTED;

    map = torii_node_get(map, "ca");

    switch (ingress_decode_name(d, &at, map, "secretName", INGRESS_NAME_MAX,
                                &issuer->ca_secret))
    {

    case TORII_OK:
        return;

    case TORII_DECLINED:
        ingress_decode_finding(d, INGRESS_ERROR, "NoSecret", &at, "secretName",
                               map, "is missing; the issuer is not used");
    }

    issuer->unusable = 1;
}


static void
ingress_issuer_acme(ingress_decode_t *d, const ingress_where_t *spec,
    const torii_node_t *map)
{
    ingress_where_t  at;

    at.up = spec;
    at.name = "acme";
    at.index = INGRESS_NOT_LISTED;

    map = torii_node_get(map, "acme");

    ingress_acme_server(d, &at, map);
    ingress_acme_account(d, &at, map);
    ingress_acme_eab(d, &at, map);
    ingress_acme_trust(d, &at, map);
    ingress_acme_wishes(d, &at, map);
    ingress_issuer_solvers(d, &at, map);
}


/* RFC 8555, section 6.1: HTTPS alone */

static void
ingress_acme_server(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map)
{
    ingress_issuer_t  *issuer;

    issuer = &d->object->u.issuer;

    switch (ingress_decode_string(d, at, map, "server", &issuer->acme.server))
    {

    case TORII_OK:
        if (ingress_is_https(issuer->acme.server)) {
            return;
        }

        /* there may be a password in it */

        d->silent = memchr(issuer->acme.server.data, '@',
                           issuer->acme.server.len) != NULL;

        ingress_decode_finding(d, INGRESS_ERROR, "BadURL", at, "server",
                               torii_node_get(map, "server"),
                               "is no URL of the form \"https://HOST/PATH\"; "
                               "the issuer is not used");
        d->silent = 0;
        break;

    case TORII_DECLINED:
        ingress_decode_finding(d, INGRESS_ERROR, "NoServer", at, "server", map,
                               "is missing; the issuer is not used");
        break;
    }

    issuer->acme.server.len = 0;
    issuer->unusable = 1;
}


static int
ingress_is_https(torii_str_t url)
{
    size_t  i;

    if (!torii_str_starts(url, "https://") || url.len == 8
        || url.len > INGRESS_SERVER_MAX
        || url.data[8] == '/' || url.data[8] == '?' || url.data[8] == '#')
    {
        return 0;
    }

    /* RFC 3986, section 2; and no name and password */

    for (i = 8; i < url.len && url.data[i] != '/'; i++) {
        if (url.data[i] == '@') {
            return 0;
        }
    }

    for (i = 8; i < url.len; i++) {
        if (url.data[i] <= ' ' || url.data[i] > '~'
            || strchr("\"<>\\^`{|}", url.data[i]) != NULL)
        {
            return 0;
        }
    }

    return 1;
}


static void
ingress_acme_account(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map)
{
    int                     rc;
    ingress_issuer_t       *issuer;
    ingress_issuer_acme_t  *acme;

    issuer = &d->object->u.issuer;
    acme = &issuer->acme;

    (void) ingress_decode_string(d, at, map, "email", &acme->email);

    acme->disable_key_generation = ingress_decode_bool(d, at, map,
                                            "disableAccountKeyGeneration", 0);

    rc = ingress_decode_secret(d, at, map, "privateKeySecretRef", "tls.key",
                               &acme->key);

    if (rc == TORII_DECLINED) {
        ingress_decode_finding(d, INGRESS_ERROR, "NoSecret", at,
                               "privateKeySecretRef", map, "is missing: the "
                               "Secret for the key of the account; the issuer "
                               "is not used");
    }

    if (rc != TORII_OK) {
        issuer->unusable = 1;
    }
}


/* RFC 8555, section 7.3.4 */

static void
ingress_acme_eab(ingress_decode_t *d, const ingress_where_t *acme,
    const torii_node_t *map)
{
    uint32_t             algorithm;
    ingress_where_t      at;
    ingress_issuer_t    *issuer;
    const torii_node_t  *eab;

    eab = torii_node_get(map, "externalAccountBinding");

    if (eab == NULL || eab->type == TORII_NODE_NULL) {
        return;
    }

    issuer = &d->object->u.issuer;

    at.up = acme;
    at.name = "externalAccountBinding";
    at.index = INGRESS_NOT_LISTED;

    eab = ingress_decode_silent_map(d, acme, map, at.name);
    algorithm = 0;

    if (ingress_decode_string(d, &at, eab, "keyID", &issuer->acme.eab_kid)
        == TORII_OK
        && issuer->acme.eab_kid.len
        && ingress_decode_secret(d, &at, eab, "keySecretRef", NULL,
                                 &issuer->acme.eab_key)
           == TORII_OK
        && ingress_decode_choice(d, &at, eab, "keyAlgorithm",
                                 ingress_eab_algorithms, &algorithm)
           != TORII_ERROR)
    {
        issuer->acme.eab_bits = 256 + 128 * algorithm;
        return;
    }

    ingress_decode_finding(d, INGRESS_ERROR, "BadAccountBinding", acme,
                           at.name, eab, "must have a keyID and a "
                           "keySecretRef; the issuer is not used");

    issuer->acme.eab_kid.len = 0;
    issuer->acme.eab_key.name.len = 0;
    issuer->unusable = 1;
}


static void
ingress_acme_trust(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map)
{
    ingress_issuer_t    *issuer;
    const torii_node_t  *node;

    issuer = &d->object->u.issuer;

    issuer->acme.skip_tls_verify = ingress_decode_bool(d, at, map,
                                                       "skipTLSVerify", 0);
    node = torii_node_get(map, "caBundle");

    if (node != NULL && node->type != TORII_NODE_NULL
        && (node->type != TORII_NODE_STRING || node->text.len))
    {
        if (issuer->acme.skip_tls_verify) {
            ingress_decode_finding(d, INGRESS_ERROR, "InsecureIssuer", at,
                                   "skipTLSVerify", NULL, "and caBundle "
                                   "exclude each other; the issuer is not "
                                   "used");
            issuer->acme.skip_tls_verify = 0;
            issuer->unusable = 1;
        }

        if (ingress_acme_bundle(d, node) != TORII_OK) {
            ingress_decode_finding(d, INGRESS_ERROR, "BadBundle", at,
                                   "caBundle", NULL, "is not base64 of "
                                   "certificates in PEM; the issuer is not "
                                   "used");
            issuer->unusable = 1;
        }
    }

    if (issuer->acme.skip_tls_verify) {
        ingress_decode_finding(d, INGRESS_WARNING, "InsecureIssuer", at,
                               "skipTLSVerify", NULL, "whoever is between "
                               "here and the server can act as it; give its "
                               "caBundle instead");
    }
}


static int
ingress_acme_bundle(ingress_decode_t *d, const torii_node_t *node)
{
    int             rc;
    uint32_t        n;
    torii_str_t     pem, rest;
    ingress_pem_t   block;

    if (node->type != TORII_NODE_STRING
        || node->text.len > INGRESS_CONFIGMAP_MAX
        || torii_base64_decode(d->arena, node->text, &pem) != TORII_OK)
    {
        return TORII_ERROR;
    }

    rest = pem;
    n = 0;

    while ((rc = ingress_pem_next(&rest, &block)) == TORII_OK) {

        if (!torii_str_eqs(block.label, "CERTIFICATE")) {
            return TORII_ERROR;
        }

        n++;
    }

    if (rc != TORII_DECLINED || n == 0) {
        return TORII_ERROR;
    }

    d->object->u.issuer.acme.ca_bundle = pem;

    return TORII_OK;
}


/* What is wished for of the server; without it a certificate is one, too. */

static void
ingress_acme_wishes(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map)
{
    uint32_t                source;
    ingress_issuer_acme_t  *acme;

    acme = &d->object->u.issuer.acme;
    source = 0;

    ingress_acme_text(d, at, map, "preferredChain", INGRESS_CHAIN_MAX,
                      &acme->preferred_chain);
    ingress_acme_text(d, at, map, "profile", INGRESS_PROFILE_MAX,
                      &acme->profile);

    acme->duration_feature = ingress_decode_bool(d, at, map,
                                                 "enableDurationFeature", 0);

    (void) ingress_decode_choice(d, at, map, "renewalInformationSource",
                                 ingress_renewal_sources, &source);
    acme->ari_disabled = source;
}


static void
ingress_acme_text(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, const char *key, size_t max, torii_str_t *value)
{
    if (ingress_decode_string(d, at, map, key, value) == TORII_OK
        && value->len > max)
    {
        ingress_decode_finding(d, INGRESS_ERROR, "BadValue", at, key,
                               torii_node_get(map, key), "is longer than %zu "
                               "bytes; it is left out", max);
        value->len = 0;
    }
}


/*
 * Where the account was found by whoever issued before.  It is only believed
 * on the server it belongs to, which is for the reader of it to see.
 */

static void
ingress_issuer_status(ingress_decode_t *d, const torii_node_t *doc)
{
    const torii_node_t  *node;

    node = torii_node_get(torii_node_get(torii_node_get(doc, "status"),
                                         "acme"), "uri");

    if (node != NULL && node->type == TORII_NODE_STRING
        && ingress_is_https(node->text))
    {
        d->object->u.issuer.acme.uri = torii_arena_str(d->arena, node->text);
    }
}
