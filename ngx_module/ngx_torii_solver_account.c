
/*
 * From a solver of cert-manager to an account of dnssync_account_create(): its
 * fields and the Secrets that they name are settings of a driver.
 */

#include "ngx_torii_acme.h"
#include "ngx_torii_dnssync.h"


#define NGX_TORII_SOLVER_OPTIONS  64


/* Fields of a solver, and the settings that they are. */

typedef struct {
    const char              *field;
    const char              *setting;
} ngx_torii_solver_field_t;

typedef struct {
    ingress_dns_provider_e   provider;
    const char              *driver;
    ngx_torii_solver_field_t   fields[8];    /* field NULL at the end */
} ngx_torii_solver_kind_t;

typedef struct {
    dnssync_option_t         all[NGX_TORII_SOLVER_OPTIONS];
    uint32_t                 n;
} ngx_torii_solver_options_t;


static const ngx_torii_solver_kind_t *ngx_torii_solver_kind(
    ingress_dns_provider_e provider);
static ngx_int_t ngx_torii_solver_plain(const ngx_torii_solver_kind_t *kind,
    const ingress_dns_t *dns, ngx_torii_solver_options_t *options,
    char error[256]);
static ngx_int_t ngx_torii_solver_secrets(ngx_torii_acme_t *a,
    const ngx_torii_solver_kind_t *kind, const ingress_object_t *issuer,
    const ingress_dns_t *dns, ngx_torii_solver_options_t *options,
    char error[256]);
static void ngx_torii_solver_more(const ngx_torii_solver_kind_t *kind,
    const ingress_object_t *secret, ngx_torii_solver_options_t *options);
static ngx_int_t ngx_torii_solver_cloud(const ingress_dns_t *dns,
    ngx_torii_solver_options_t *options, char error[256]);
static void ngx_torii_solver_option(ngx_torii_solver_options_t *options,
    const char *name, torii_str_t value);


static const ngx_torii_solver_kind_t  ngx_torii_solver_kinds[] = {

    { INGRESS_DNS_CLOUDFLARE, "cloudflare",
      { { "apiTokenSecretRef", "cloudflare-api-token" },
        { "apiKeySecretRef", "cloudflare-api-key" },
        { "email", "cloudflare-api-email" } } },

    { INGRESS_DNS_ROUTE53, "route53",
      { { "accessKeyID", "aws-access-key-id" },
        { "accessKeyIDSecretRef", "aws-access-key-id" },
        { "secretAccessKeySecretRef", "aws-secret-access-key" },
        { "region", "aws-region" },
        { "role", "aws-role-arn" },
        { "hostedZoneID", "zones" } } },

    { INGRESS_DNS_CLOUDDNS, "google",
      { { "serviceAccountSecretRef", "google-service-account" },
        { "project", "google-project" },
        { "hostedZoneName", "zones" } } },

    { INGRESS_DNS_AZUREDNS, "azure",
      { { "clientID", "azure-client-id" },
        { "clientSecretSecretRef", "azure-client-secret" },
        { "tenantID", "azure-tenant-id" },
        { "subscriptionID", "azure-subscription-id" },
        { "resourceGroupName", "azure-resource-group" },
        { "hostedZoneName", "zones" } } },

    { INGRESS_DNS_DIGITALOCEAN, "digitalocean",
      { { "tokenSecretRef", "digitalocean-token" } } },
};

/* azureDNS: "environment" */

static const struct {
    const char  *name;
    const char  *authority;
    const char  *api;
} ngx_torii_solver_clouds[] = {
    { "AzurePublicCloud", NULL, NULL },
    { "AzureChinaCloud", "https://login.chinacloudapi.cn",
      "https://management.chinacloudapi.cn" },
    { "AzureUSGovernmentCloud", "https://login.microsoftonline.us",
      "https://management.usgovcloudapi.net" }
};


dnssync_account_t *
ngx_torii_solver_make(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_object_t *issuer, const ingress_dns_t *dns,
    torii_str_t name, char error[256])
{
    torii_str_t                     why;
    dnssync_account_t              *account;
    ngx_torii_solver_options_t     *options;
    const ngx_torii_solver_kind_t  *kind;

    kind = ngx_torii_solver_kind(dns->provider);

    if (kind == NULL) {
        (void) snprintf(error, 256, "solver \"%.*s\" is not known, and no "
                        "Secret of type " NGX_TORII_DNSSYNC_TYPE " keeps the "
                        "zone", torii_str_arg(dns->name));
        return NULL;
    }

    options = torii_arena_zalloc(arena, sizeof(ngx_torii_solver_options_t));

    ngx_torii_solver_option(options, "provider", torii_str(kind->driver));
    ngx_torii_solver_option(options, "policy", torii_str("observe"));
    ngx_torii_solver_option(options, "txt-owner-id", torii_str("challenges"));

    if (ngx_torii_solver_plain(kind, dns, options, error) != NGX_OK
        || ngx_torii_solver_secrets(a, kind, issuer, dns, options, error)
           != NGX_OK)
    {
        return NULL;
    }

    account = dnssync_account_create(name, options->all, options->n, &why);

    if (why.len) {
        (void) snprintf(error, 256, "solver \"%s\": %.*s", kind->driver,
                        torii_str_arg(why));
        dnssync_account_free(account);
        return NULL;
    }

    return account;
}


static const ngx_torii_solver_kind_t *
ngx_torii_solver_kind(ingress_dns_provider_e provider)
{
    size_t  i;

    for (i = 0; i < sizeof(ngx_torii_solver_kinds)
                    / sizeof(ngx_torii_solver_kinds[0]); i++)
    {
        if (ngx_torii_solver_kinds[i].provider == provider) {
            return &ngx_torii_solver_kinds[i];
        }
    }

    return NULL;
}


static ngx_int_t
ngx_torii_solver_plain(const ngx_torii_solver_kind_t *kind,
    const ingress_dns_t *dns, ngx_torii_solver_options_t *options,
    char error[256])
{
    torii_str_t                      value;
    const ngx_torii_solver_field_t  *f;

    for (f = kind->fields; f->field; f++) {
        value = ngx_torii_solver_field(dns, f->field);

        if (value.len) {
            ngx_torii_solver_option(options, f->setting, value);
        }
    }

    if (ngx_torii_solver_field(dns, "role").len && dns->nsecrets) {
        (void) snprintf(error, 256, "solver \"route53\": a role that is taken "
                        "with access keys is not supported");
        return NGX_ERROR;
    }

    return ngx_torii_solver_cloud(dns, options, error);
}


/* All of them, or none: what a Secret lacks is not taken from elsewhere. */

static ngx_int_t
ngx_torii_solver_secrets(ngx_torii_acme_t *a,
    const ngx_torii_solver_kind_t *kind, const ingress_object_t *issuer,
    const ingress_dns_t *dns, ngx_torii_solver_options_t *options,
    char error[256])
{
    uint32_t                         i;
    torii_str_t                      value;
    const ingress_object_t          *secret;
    const ingress_dns_secret_t      *ref;
    const ngx_torii_solver_field_t  *f;

    for (i = 0; i < dns->nsecrets; i++) {
        ref = &dns->secrets[i];

        value = ngx_torii_issuer_secret(a, issuer, ref->secret.name,
                                        ref->secret.key);
        if (value.len == 0) {
            (void) snprintf(error, 256, "Secret \"%.*s\" is missing, or has "
                            "no \"%.*s\"", torii_str_arg(ref->secret.name),
                            torii_str_arg(ref->secret.key));
            return NGX_ERROR;
        }

        for (f = kind->fields; f->field; f++) {
            if (ngx_strcmp(f->field, ref->field) == 0) {
                ngx_torii_solver_option(options, f->setting, value);
            }
        }
    }

    for (i = 0; i < dns->nsecrets; i++) {
        secret = ngx_torii_issuer_secret_find(a, issuer,
                                              dns->secrets[i].secret.name);
        ngx_torii_solver_more(kind, secret, options);
    }

    return NGX_OK;
}


/*
 * What a solver has no field for, as the URL of an API, may stand in its Secret
 * under the name of a setting; what it has a field for counts by that only.
 */

static void
ngx_torii_solver_more(const ngx_torii_solver_kind_t *kind,
    const ingress_object_t *secret, ngx_torii_solver_options_t *options)
{
    const ingress_pair_t            *pair;
    const dnssync_setting_t         *s;
    const ngx_torii_solver_field_t  *f;

    for (s = dnssync_driver(torii_str(kind->driver))->settings; s->name; s++) {

        for (f = kind->fields; f->field; f++) {
            if (ngx_strcmp(f->setting, s->name) == 0) {
                break;
            }
        }

        pair = f->field ? NULL : ingress_pair_find(&secret->u.secret.data,
                                                   s->name);
        if (pair) {
            ngx_torii_solver_option(options, s->name,
                                    torii_str_trim(pair->value));
        }
    }

    pair = ingress_pair_find(&secret->u.secret.data, "ca");

    if (pair) {
        ngx_torii_solver_option(options, "ca", pair->value);
    }
}


static ngx_int_t
ngx_torii_solver_cloud(const ingress_dns_t *dns,
    ngx_torii_solver_options_t *options, char error[256])
{
    size_t       i;
    torii_str_t  cloud;

    if (dns->provider != INGRESS_DNS_AZUREDNS) {
        return NGX_OK;
    }

    if (torii_str_eqs(ngx_torii_solver_field(dns, "zoneType"),
                      "AzurePrivateZone"))
    {
        ngx_torii_solver_option(options, "azure-private-zones",
                                torii_str("true"));
    }

    cloud = ngx_torii_solver_field(dns, "environment");

    if (cloud.len == 0) {
        return NGX_OK;
    }

    for (i = 0; i < sizeof(ngx_torii_solver_clouds)
                    / sizeof(ngx_torii_solver_clouds[0]); i++)
    {
        if (!torii_str_eqs(cloud, ngx_torii_solver_clouds[i].name)) {
            continue;
        }

        if (ngx_torii_solver_clouds[i].api) {
            ngx_torii_solver_option(options, "azure-authority-host",
                              torii_str(ngx_torii_solver_clouds[i].authority));
            ngx_torii_solver_option(options, "api-url",
                                    torii_str(ngx_torii_solver_clouds[i].api));
        }

        return NGX_OK;
    }

    (void) snprintf(error, 256, "solver \"azureDNS\": environment \"%.*s\" is "
                    "not known", torii_str_arg(cloud));
    return NGX_ERROR;
}


/* The first one counts. */

static void
ngx_torii_solver_option(ngx_torii_solver_options_t *options, const char *name,
    torii_str_t value)
{
    uint32_t  i;

    for (i = 0; i < options->n; i++) {
        if (torii_str_eqs(options->all[i].name, name)) {
            return;
        }
    }

    if (options->n < NGX_TORII_SOLVER_OPTIONS) {
        options->all[options->n].name = torii_str(name);
        options->all[options->n++].value = value;
    }
}


torii_str_t
ngx_torii_solver_field(const ingress_dns_t *dns, const char *name)
{
    const ingress_pair_t  *pair;

    pair = ingress_pair_find(&dns->settings, name);

    return pair ? pair->value : torii_str("");
}
