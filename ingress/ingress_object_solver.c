
/*
 * spec.acme.solvers of an issuer.  A solver whose selector cannot be read must
 * not serve other names than were meant, and so serves none.
 */

#include "ingress_decode.h"


#define INGRESS_DNS_FIELDS  10


typedef struct {
    const char              *name;
    ingress_dns_provider_e   provider;
    /* plain fields, references to Secrets; end with NULL */
    const char              *settings[INGRESS_DNS_FIELDS];
    const char              *secrets[INGRESS_DNS_FIELDS];
} ingress_dns_field_t;


static void ingress_solver_decode(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *map,
    ingress_solver_t *solver);
static int ingress_solver_selector(ingress_decode_t *d,
    const ingress_where_t *solver, const torii_node_t *map,
    ingress_solver_t *s);
static int ingress_solver_type(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_solver_t *solver);
static int ingress_solver_wait(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_solver_t *solver);
static int ingress_solver_has(const torii_node_t *map, const char *key);
static const ingress_dns_field_t *ingress_dns_find(const torii_node_t *map);
static int ingress_dns_provider(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, const ingress_dns_field_t *field,
    ingress_dns_t *dns);
static void ingress_dns_settings(ingress_decode_t *d,
    const ingress_where_t *at, const torii_node_t *map,
    const ingress_dns_field_t *field, ingress_dns_t *dns);
static int ingress_dns_rfc2136(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_dns_t *dns);
static int ingress_dns_tsig(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_dns_t *dns);


static const ingress_dns_field_t  ingress_dns_fields[] = {
    { "rfc2136", INGRESS_DNS_RFC2136, { NULL },
      { "tsigSecretSecretRef", NULL } },
    { "cloudflare", INGRESS_DNS_CLOUDFLARE, { "email", NULL },
      { "apiTokenSecretRef", "apiKeySecretRef", NULL } },
    { "route53", INGRESS_DNS_ROUTE53,
      { "region", "hostedZoneID", "role", "accessKeyID", NULL },
      { "accessKeyIDSecretRef", "secretAccessKeySecretRef", NULL } },
    { "acmeDNS", INGRESS_DNS_ACMEDNS, { "host", NULL },
      { "accountSecretRef", NULL } },
    { "cloudDNS", INGRESS_DNS_CLOUDDNS, { "project", "hostedZoneName", NULL },
      { "serviceAccountSecretRef", NULL } },
    { "azureDNS", INGRESS_DNS_AZUREDNS,
      { "subscriptionID", "resourceGroupName", "hostedZoneName",
        "environment", "clientID", "tenantID", "zoneType", NULL },
      { "clientSecretSecretRef", NULL } },
    { "digitalocean", INGRESS_DNS_DIGITALOCEAN, { NULL },
      { "tokenSecretRef", NULL } },
    { "akamai", INGRESS_DNS_AKAMAI, { "serviceConsumerDomain", NULL },
      { "clientTokenSecretRef", "clientSecretSecretRef",
        "accessTokenSecretRef", NULL } },
    { "webhook", INGRESS_DNS_WEBHOOK, { "groupName", "solverName", NULL },
      { NULL } },
    { NULL, INGRESS_DNS_OTHER, { NULL }, { NULL } }
};

static const char *const  ingress_cname_strategies[] = {
    "None", "Follow", NULL
};

static const char *const  ingress_dns_protocols[] = {
    "UDP", "TCP", NULL
};

/* in the order of ingress_tsig_e */

static const char *const  ingress_tsig_algorithms[] = {
    "HMACMD5", "HMACSHA1", "HMACSHA224", "HMACSHA256", "HMACSHA384",
    "HMACSHA512", NULL
};


void
ingress_issuer_solvers(ingress_decode_t *d, const ingress_where_t *acme,
    const torii_node_t *map)
{
    uint32_t                i;
    ingress_where_t         at;
    ingress_solver_t       *solver;
    const torii_node_t     *list;
    ingress_issuer_acme_t  *issuer;

    list = ingress_decode_list(d, acme, map, "solvers");
    if (list == NULL) {
        return;
    }

    issuer = &d->object->u.issuer.acme;
    issuer->solvers = torii_arena_zalloc(d->arena,
                                         list->n * sizeof(ingress_solver_t));
    at.up = acme;
    at.name = "solvers";

    for (i = 0; i < list->n; i++) {
        at.index = i;

        if (!ingress_decode_is_map(d, &at, list->items[i])) {
            continue;
        }

        solver = &issuer->solvers[issuer->nsolvers++];
        solver->line = list->items[i]->line;

        ingress_solver_decode(d, &at, list->items[i], solver);
    }
}


/* All is read, so that all that is wrong is told at once. */

static void
ingress_solver_decode(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_solver_t *solver)
{
    int  selector, type, wait;

    selector = ingress_solver_selector(d, at, map, solver);
    type = ingress_solver_type(d, at, map, solver);
    wait = ingress_solver_wait(d, at, map, solver);

    if (selector != TORII_OK || type != TORII_OK || wait != TORII_OK) {
        solver->unusable = 1;
    }
}


static int
ingress_solver_selector(ingress_decode_t *d, const ingress_where_t *solver,
    const torii_node_t *map, ingress_solver_t *s)
{
    int                  rc;
    ingress_where_t      at, labels;
    const torii_node_t  *selector, *node;

    if (!ingress_solver_has(map, "selector")) {
        return TORII_OK;
    }

    selector = ingress_decode_map(d, solver, map, "selector");
    if (selector == NULL) {
        return TORII_ERROR;
    }

    at.up = solver;
    at.name = "selector";
    at.index = INGRESS_NOT_LISTED;

    labels.up = &at;
    labels.name = "matchLabels";
    labels.index = INGRESS_NOT_LISTED;

    rc = TORII_OK;
    node = ingress_decode_map(d, &at, selector, "matchLabels");

    if (node == NULL && ingress_solver_has(selector, "matchLabels")) {
        rc = TORII_ERROR;
    }

    ingress_decode_pairs(d, &labels, "WrongType", INGRESS_LABEL_MAX, node,
                         &s->labels);

    if (node != NULL && s->labels.n < node->n) {
        rc = TORII_ERROR;
    }

    if (ingress_decode_strings(d, &at, selector, "dnsNames",
                               ingress_item_host, &s->dns_names)
        != TORII_OK)
    {
        rc = TORII_ERROR;
    }

    if (ingress_decode_strings(d, &at, selector, "dnsZones",
                               ingress_item_zone, &s->dns_zones)
        != TORII_OK)
    {
        rc = TORII_ERROR;
    }

    return rc;
}


/* Of http01 its presence is all: the gateway itself answers the challenge. */

static int
ingress_solver_type(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_solver_t *solver)
{
    int  http, dns;

    http = ingress_solver_has(map, "http01");
    dns = ingress_solver_has(map, "dns01");

    if (http == dns) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadSolver", at, NULL, map,
                               "must have one of http01 and dns01; it is not "
                               "used");
        return TORII_ERROR;
    }

    if (http) {
        solver->type = INGRESS_SOLVER_HTTP01;

        return ingress_decode_map(d, at, map, "http01") ? TORII_OK
                                                        : TORII_ERROR;
    }

    solver->type = INGRESS_SOLVER_DNS01;

    ingress_solver_dns(d, at, map, solver);

    return solver->unusable ? TORII_ERROR : TORII_OK;
}


static int
ingress_solver_wait(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_solver_t *solver)
{
    int      rc;
    int64_t  wait;

    rc = ingress_decode_duration(d, at, map, "waitInsteadOfSelfCheck", 0,
                                 &wait);
    if (rc != TORII_OK) {
        return rc == TORII_DECLINED ? TORII_OK : rc;
    }

    if (wait > UINT32_MAX) {
        wait = UINT32_MAX;
    }

    solver->wait = (uint32_t) wait;
    solver->has_wait = 1;

    return TORII_OK;
}


static int
ingress_solver_has(const torii_node_t *map, const char *key)
{
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    return node != NULL && node->type != TORII_NODE_NULL;
}


void
ingress_solver_dns(ingress_decode_t *d, const ingress_where_t *solver,
    const torii_node_t *map, ingress_solver_t *s)
{
    uint32_t                    strategy;
    ingress_where_t             at;
    const ingress_dns_field_t  *field;

    at.up = solver;
    at.name = "dns01";
    at.index = INGRESS_NOT_LISTED;

    strategy = 0;
    map = ingress_decode_silent_map(d, solver, map, "dns01");
    field = ingress_dns_find(map);

    if (map != NULL && field == NULL) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadSolver", &at, NULL, map,
                               "must have one provider that is known; it is "
                               "not used");
    }

    if (ingress_decode_choice(d, &at, map, "cnameStrategy",
                              ingress_cname_strategies, &strategy)
        == TORII_ERROR
        || ingress_decode_strings(d, &at, map, "nameservers", NULL,
                                  &s->nameservers)
           != TORII_OK
        || field == NULL
        || ingress_dns_provider(d, &at, map, field, &s->dns) != TORII_OK)
    {
        s->unusable = 1;
    }

    s->cname_follow = strategy;
}


/* NULL: none, or several */

static const ingress_dns_field_t *
ingress_dns_find(const torii_node_t *map)
{
    const ingress_dns_field_t  *field, *found;

    found = NULL;

    for (field = ingress_dns_fields; field->name != NULL; field++) {

        if (!ingress_solver_has(map, field->name)) {
            continue;
        }

        if (found != NULL) {
            return NULL;
        }

        found = field;
    }

    return found;
}


static int
ingress_dns_provider(ingress_decode_t *d, const ingress_where_t *dns01,
    const torii_node_t *map, const ingress_dns_field_t *field,
    ingress_dns_t *dns)
{
    uint32_t               i;
    ingress_where_t        at;
    ingress_secret_ref_t   ref;

    at.up = dns01;
    at.name = field->name;
    at.index = INGRESS_NOT_LISTED;

    map = ingress_decode_silent_map(d, dns01, map, field->name);
    if (map == NULL) {
        return TORII_ERROR;
    }

    dns->provider = field->provider;
    dns->name = torii_arena_str(d->arena, torii_str(field->name));
    dns->secrets = torii_arena_zalloc(d->arena, INGRESS_DNS_FIELDS
                                                * sizeof(ingress_dns_secret_t));

    for (i = 0; field->secrets[i] != NULL; i++) {
        memset(&ref, 0, sizeof(ingress_secret_ref_t));

        switch (ingress_decode_secret(d, &at, map, field->secrets[i], NULL,
                                      &ref))
        {

        case TORII_OK:
            dns->secrets[dns->nsecrets].field = field->secrets[i];
            dns->secrets[dns->nsecrets].secret = ref;
            dns->nsecrets++;
            break;

        case TORII_ERROR:
            return TORII_ERROR;
        }
    }

    ingress_dns_settings(d, &at, map, field, dns);

    if (field->provider == INGRESS_DNS_RFC2136) {
        return ingress_dns_rfc2136(d, &at, map, dns);
    }

    return TORII_OK;
}


static void
ingress_dns_settings(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, const ingress_dns_field_t *field,
    ingress_dns_t *dns)
{
    uint32_t         i;
    ingress_pair_t  *pair;

    dns->settings.elts = torii_arena_zalloc(d->arena, INGRESS_DNS_FIELDS
                                                   * sizeof(ingress_pair_t));

    for (i = 0; field->settings[i] != NULL; i++) {
        pair = &dns->settings.elts[dns->settings.n];

        if (ingress_decode_string(d, at, map, field->settings[i],
                                  &pair->value)
            == TORII_OK)
        {
            pair->name = torii_arena_str(d->arena,
                                         torii_str(field->settings[i]));
            pair->line = torii_node_get(map, field->settings[i])->line;
            dns->settings.n++;
        }
    }
}


static int
ingress_dns_rfc2136(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_dns_t *dns)
{
    int       rc;
    uint32_t  protocol;

    protocol = 0;

    if (ingress_decode_choice(d, at, map, "protocol", ingress_dns_protocols,
                              &protocol)
        == TORII_ERROR)
    {
        return TORII_ERROR;
    }

    dns->tcp = protocol;

    rc = ingress_decode_string(d, at, map, "nameserver", &dns->nameserver);

    if (rc == TORII_DECLINED || (rc == TORII_OK && dns->nameserver.len == 0)) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadSolver", at, "nameserver",
                               map, "is missing; it is not used");
        return TORII_ERROR;
    }

    return rc == TORII_OK ? ingress_dns_tsig(d, at, map, dns) : rc;
}


/* RFC 8945.  An update that was to be signed never goes out without. */

static int
ingress_dns_tsig(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_dns_t *dns)
{
    uint32_t  algorithm;

    algorithm = INGRESS_TSIG_HMACMD5;

    if (ingress_decode_choice(d, at, map, "tsigAlgorithm",
                              ingress_tsig_algorithms, &algorithm)
        == TORII_ERROR
        || ingress_decode_string(d, at, map, "tsigKeyName",
                                 &dns->tsig_key_name)
           == TORII_ERROR)
    {
        return TORII_ERROR;
    }

    dns->tsig_algorithm = algorithm;

    if (dns->nsecrets) {
        dns->tsig_secret = dns->secrets[0].secret;
    }

    if ((dns->nsecrets == 0) != (dns->tsig_key_name.len == 0)) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadSolver", at, NULL, map,
                               "must have both or none of tsigKeyName and "
                               "tsigSecretSecretRef; it is not used");
        return TORII_ERROR;
    }

    return TORII_OK;
}
