
/*
 * Certificate (cert-manager.io/v1).  What it is for, and by whom, must be
 * right; how it is renewed has defaults.
 */

#include "ingress_decode.h"


#define INGRESS_COMMON_NAME_MAX   64
#define INGRESS_DURATION_MIN      3600
#define INGRESS_RENEW_BEFORE_MIN  300


static int ingress_certificate_names(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *map);
static int ingress_certificate_common(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *map);
static int ingress_certificate_secret(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *map);
static int ingress_certificate_issuer(ingress_decode_t *d,
    const ingress_where_t *spec, const torii_node_t *map);
static int ingress_certificate_or(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *map, const char *key,
    const char *unset, torii_str_t *value);
static int ingress_certificate_times(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *map);
static int ingress_certificate_renewal(ingress_decode_t *d,
    const ingress_where_t *spec, const torii_node_t *map);
static int ingress_certificate_key(ingress_decode_t *d,
    const ingress_where_t *spec, const torii_node_t *map);
static int ingress_certificate_size(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *map);
static int ingress_certificate_usage(ingress_decode_t *d,
    const ingress_where_t *up, const torii_node_t *node, torii_str_t *value);
static int ingress_certificate_usages(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *map);
static int ingress_certificate_template(ingress_decode_t *d,
    const ingress_where_t *spec, const torii_node_t *map);
static void ingress_certificate_owner(ingress_decode_t *d,
    const torii_node_t *doc);
static int ingress_certificate_controls(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *owner);


typedef int (*ingress_certificate_pt)(ingress_decode_t *d,
    const ingress_where_t *spec, const torii_node_t *map);


static const ingress_certificate_pt  ingress_certificate_parts[] = {
    ingress_certificate_secret,
    ingress_certificate_issuer,
    ingress_certificate_names,
    ingress_certificate_times,
    ingress_certificate_renewal,
    ingress_certificate_key,
    ingress_certificate_usages,
    ingress_certificate_template,
    NULL
};

static const char *const  ingress_key_algorithms[] = {
    "RSA", "ECDSA", "Ed25519", NULL
};

static const char *const  ingress_key_encodings[] = {
    "PKCS1", "PKCS8", NULL
};

static const char *const  ingress_rotation_policies[] = {
    "Always", "Never", NULL
};

static const char *const  ingress_renewal_policies[] = {
    "RenewBefore", "Disabled", NULL
};

/* KeyUsage of cert-manager.io/v1 */

static const char *const  ingress_certificate_usage_names[] = {
    "signing", "digital signature", "content commitment", "key encipherment",
    "key agreement", "data encipherment", "cert sign", "crl sign",
    "encipher only", "decipher only", "any", "server auth", "client auth",
    "code signing", "email protection", "s/mime", "ipsec end system",
    "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing",
    "microsoft sgc", "netscape sgc", NULL
};

/* what a certificate may ask for, and none of ours can have */

static const char *const  ingress_certificate_others[] = {
    "uris", "emailAddresses", "otherNames", "literalSubject",
    "nameConstraints", NULL
};


void
ingress_object_certificate(ingress_decode_t *d, const torii_node_t *doc)
{
    ingress_where_t                at;
    const torii_node_t            *spec;
    ingress_certificate_t         *cert;
    const ingress_certificate_pt  *part;

    cert = &d->object->u.certificate;

    at.up = NULL;
    at.name = "spec";
    at.index = INGRESS_NOT_LISTED;

    spec = ingress_decode_map(d, NULL, doc, "spec");

    for (part = ingress_certificate_parts; *part != NULL; part++) {
        if ((*part)(d, &at, spec) != TORII_OK) {
            cert->unusable = 1;
        }
    }

    cert->is_ca = ingress_decode_bool(d, &at, spec, "isCA", 0);

    ingress_certificate_owner(d, doc);
}


static int
ingress_certificate_secret(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map)
{
    int  rc;

    rc = ingress_decode_name(d, at, map, "secretName", INGRESS_NAME_MAX,
                             &d->object->u.certificate.secret);

    if (rc == TORII_DECLINED) {
        ingress_decode_finding(d, INGRESS_ERROR, "NoSecret", at, "secretName",
                               map, "is missing; nothing is issued");
    }

    return rc;
}


static int
ingress_certificate_issuer(ingress_decode_t *d, const ingress_where_t *spec,
    const torii_node_t *map)
{
    int                     rc;
    ingress_where_t         at;
    ingress_certificate_t  *cert;

    cert = &d->object->u.certificate;

    at.up = spec;
    at.name = "issuerRef";
    at.index = INGRESS_NOT_LISTED;

    map = ingress_decode_map(d, spec, map, "issuerRef");

    rc = ingress_decode_name(d, &at, map, "name", INGRESS_NAME_MAX,
                             &cert->issuer);

    if (rc == TORII_DECLINED) {
        ingress_decode_finding(d, INGRESS_ERROR, "NoIssuer", &at, "name", map,
                               "is missing; nothing is issued");
    }

    if (rc != TORII_OK) {
        return TORII_ERROR;
    }

    /* kinds of other groups are anybody's; they are not ours, and no mistake */

    if (ingress_certificate_or(d, &at, map, "kind", "Issuer",
                               &cert->issuer_kind)
        != TORII_OK)
    {
        return TORII_ERROR;
    }

    return ingress_certificate_or(d, &at, map, "group", "cert-manager.io",
                                  &cert->issuer_group);
}


static int
ingress_certificate_or(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, const char *key, const char *unset,
    torii_str_t *value)
{
    int  rc;

    rc = ingress_decode_string(d, at, map, key, value);

    if (rc == TORII_ERROR) {
        return rc;
    }

    if (rc == TORII_DECLINED || value->len == 0) {
        *value = torii_arena_str(d->arena, torii_str(unset));
    }

    return TORII_OK;
}


static int
ingress_certificate_names(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map)
{
    uint32_t                i;
    const torii_node_t     *node;
    ingress_certificate_t  *cert;

    cert = &d->object->u.certificate;

    for (i = 0; ingress_certificate_others[i] != NULL; i++) {
        node = torii_node_get(map, ingress_certificate_others[i]);

        if (node != NULL
            && (node->n || (node->type == TORII_NODE_STRING
                            && node->text.len)))
        {
            ingress_decode_finding(d, INGRESS_WARNING, "UnsupportedName", at,
                                   ingress_certificate_others[i], map,
                                   "is left out: certificates for dnsNames "
                                   "and ipAddresses are issued");
        }
    }

    /* a certificate for fewer names than were asked for would replace one */

    if (ingress_decode_strings(d, at, map, "dnsNames", ingress_item_host,
                               &cert->dns_names)
        != TORII_OK
        || ingress_decode_strings(d, at, map, "ipAddresses",
                                  ingress_item_address, &cert->ip_addresses)
           != TORII_OK
        || ingress_certificate_common(d, at, map) != TORII_OK)
    {
        return TORII_ERROR;
    }

    if (cert->dns_names.n || cert->ip_addresses.n || cert->common_name.len) {
        return TORII_OK;
    }

    ingress_decode_finding(d, INGRESS_ERROR, "NoNames", at, "dnsNames", map,
                           "is missing; nothing is issued");

    return TORII_ERROR;
}


/* RFC 5280, appendix A.1: ub-common-name */

static int
ingress_certificate_common(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map)
{
    ingress_certificate_t  *cert;

    cert = &d->object->u.certificate;

    switch (ingress_decode_string(d, at, map, "commonName",
                                  &cert->common_name))
    {

    case TORII_DECLINED:
        return TORII_OK;

    case TORII_OK:
        if (cert->common_name.len <= INGRESS_COMMON_NAME_MAX) {
            return TORII_OK;
        }

        ingress_decode_finding(d, INGRESS_ERROR, "BadValue", at, "commonName",
                               torii_node_get(map, "commonName"),
                               "is longer than %d bytes; nothing is issued",
                               INGRESS_COMMON_NAME_MAX);
        break;
    }

    cert->common_name.len = 0;

    return TORII_ERROR;
}


/* What is wrong is left out: a certificate of another age is renewed, too. */

static int
ingress_certificate_times(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map)
{
    ingress_certificate_t  *cert;

    cert = &d->object->u.certificate;

    (void) ingress_decode_duration(d, at, map, "duration",
                                   INGRESS_DURATION_MIN, &cert->duration);
    (void) ingress_decode_duration(d, at, map, "renewBefore",
                                   INGRESS_RENEW_BEFORE_MIN,
                                   &cert->renew_before);
    (void) ingress_decode_number(d, at, map, "renewBeforePercentage", 1, 99,
                                 &cert->renew_before_percentage);

    if (cert->renew_before && cert->renew_before_percentage) {
        ingress_decode_finding(d, INGRESS_WARNING, "BadValue", at,
                               "renewBeforePercentage", map,
                               "and renewBefore exclude each other; "
                               "renewBefore counts");
        cert->renew_before_percentage = 0;
    }

    return TORII_OK;
}


static int
ingress_certificate_renewal(ingress_decode_t *d, const ingress_where_t *spec,
    const torii_node_t *map)
{
    uint32_t             policy;
    ingress_where_t      at;
    const torii_node_t  *node;

    at.up = spec;
    at.name = "renewal";
    at.index = INGRESS_NOT_LISTED;

    policy = 0;
    map = ingress_decode_map(d, spec, map, "renewal");

    (void) ingress_decode_choice(d, &at, map, "policy",
                                 ingress_renewal_policies, &policy);

    d->object->u.certificate.renewal_disabled = policy;

    node = torii_node_get(map, "windows");

    if (node != NULL && node->n) {
        ingress_decode_finding(d, INGRESS_WARNING, "Unsupported", &at,
                               "windows", node, "is left out: certificates "
                               "are renewed at any time of the day");
    }

    return TORII_OK;
}


static int
ingress_certificate_key(ingress_decode_t *d, const ingress_where_t *spec,
    const torii_node_t *map)
{
    uint32_t                algorithm, encoding, policy;
    ingress_where_t         at;
    ingress_certificate_t  *cert;

    cert = &d->object->u.certificate;

    at.up = spec;
    at.name = "privateKey";
    at.index = INGRESS_NOT_LISTED;

    algorithm = INGRESS_KEY_RSA;
    encoding = INGRESS_KEY_PKCS1;
    policy = 0;

    map = ingress_decode_map(d, spec, map, "privateKey");

    if (ingress_decode_choice(d, &at, map, "algorithm",
                              ingress_key_algorithms, &algorithm)
        == TORII_ERROR
        || ingress_decode_choice(d, &at, map, "encoding",
                                 ingress_key_encodings, &encoding)
           == TORII_ERROR
        || ingress_decode_choice(d, &at, map, "rotationPolicy",
                                 ingress_rotation_policies, &policy)
           == TORII_ERROR)
    {
        return TORII_ERROR;
    }

    cert->algorithm = algorithm;
    cert->encoding = encoding;
    cert->keep_key = policy;

    return ingress_certificate_size(d, &at, map);
}


static int
ingress_certificate_size(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map)
{
    int                     rc;
    uint32_t                size;
    ingress_certificate_t  *cert;

    cert = &d->object->u.certificate;

    switch (cert->algorithm) {

    case INGRESS_KEY_RSA:
        cert->key_size = 2048;
        rc = ingress_decode_number(d, at, map, "size", 2048, 8192,
                                   &cert->key_size);
        return rc == TORII_ERROR ? rc : TORII_OK;

    case INGRESS_KEY_ECDSA:
        size = 256;
        rc = ingress_decode_number(d, at, map, "size", 256, 521, &size);

        if (rc == TORII_ERROR) {
            return rc;
        }

        if (size != 256 && size != 384 && size != 521) {
            ingress_decode_finding(d, INGRESS_ERROR, "BadValue", at, "size",
                                   torii_node_get(map, "size"),
                                   "must be 256, 384 or 521 for ECDSA; "
                                   "nothing is issued");
            return TORII_ERROR;
        }

        cert->key_size = size;
        return TORII_OK;

    default:
        return TORII_OK;
    }
}


static int
ingress_certificate_usages(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map)
{
    return ingress_decode_strings(d, at, map, "usages",
                                  ingress_certificate_usage,
                                  &d->object->u.certificate.usages);
}


static int
ingress_certificate_usage(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *node, torii_str_t *value)
{
    uint32_t  i;

    for (i = 0; ingress_certificate_usage_names[i] != NULL; i++) {
        if (node->type == TORII_NODE_STRING
            && torii_str_eqs(node->text, ingress_certificate_usage_names[i]))
        {
            *value = torii_arena_str(d->arena, node->text);
            return TORII_OK;
        }
    }

    ingress_decode_finding(d, INGRESS_ERROR, "BadValue", up, NULL, node,
                           "is no usage of a key, such as \"server auth\"; "
                           "nothing is issued");

    return TORII_ERROR;
}


static int
ingress_certificate_template(ingress_decode_t *d, const ingress_where_t *spec,
    const torii_node_t *map)
{
    ingress_where_t         at, pairs;
    ingress_certificate_t  *cert;

    cert = &d->object->u.certificate;

    at.up = spec;
    at.name = "secretTemplate";
    at.index = INGRESS_NOT_LISTED;

    map = ingress_decode_map(d, spec, map, "secretTemplate");

    pairs.up = &at;
    pairs.name = "labels";
    pairs.index = INGRESS_NOT_LISTED;

    ingress_decode_pairs(d, &pairs, "WrongType", INGRESS_ANNOTATION_MAX,
                         ingress_decode_map(d, &at, map, "labels"),
                         &cert->secret_labels);

    pairs.name = "annotations";

    ingress_decode_pairs(d, &pairs, "WrongType", INGRESS_ANNOTATION_MAX,
                         ingress_decode_map(d, &at, map, "annotations"),
                         &cert->secret_annotations);

    return TORII_OK;
}


/* Of several controllers, which an API server refuses, the first one counts. */

static void
ingress_certificate_owner(ingress_decode_t *d, const torii_node_t *doc)
{
    uint32_t             i;
    ingress_where_t      meta, at;
    const torii_node_t  *list;

    meta.up = NULL;
    meta.name = "metadata";
    meta.index = INGRESS_NOT_LISTED;

    list = ingress_decode_list(d, &meta, torii_node_get(doc, "metadata"),
                               "ownerReferences");
    if (list == NULL) {
        return;
    }

    at.up = &meta;
    at.name = "ownerReferences";

    for (i = 0; i < list->n; i++) {
        at.index = i;

        if (ingress_decode_is_map(d, &at, list->items[i])
            && ingress_certificate_controls(d, &at, list->items[i]))
        {
            (void) ingress_decode_name(d, &at, list->items[i], "name",
                                       INGRESS_NAME_MAX,
                                       &d->object->u.certificate.ingress);
            return;
        }
    }
}


/* Other groups have a kind Ingress, too; the old one is left by old objects. */

static int
ingress_certificate_controls(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *owner)
{
    torii_str_t  kind, version;

    return ingress_decode_string(d, at, owner, "kind", &kind) == TORII_OK
           && torii_str_eqs(kind, "Ingress")
           && ingress_decode_string(d, at, owner, "apiVersion", &version)
              == TORII_OK
           && (torii_str_starts(version, "networking.k8s.io/")
               || torii_str_starts(version, "extensions/"))
           && ingress_decode_bool(d, at, owner, "controller", 0);
}
