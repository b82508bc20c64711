
/*
 * Access tokens of Azure: an application shows its secret or the token of the
 * workload that it runs in, or a machine's identity is asked for one.
 */

#include "dnssync_azure.h"


#define DNSSYNC_AZURE_ASSERTION                                               \
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


static const char *dnssync_azure_identity(dnssync_account_t *account,
    dnssync_azure_t *data, const torii_node_t *doc);
static torii_str_t dnssync_azure_setting(const dnssync_account_t *account,
    const char *name, const torii_node_t *doc, const char *member);
static int dnssync_azure_word(torii_str_t s);


const char *
dnssync_azure_init(dnssync_account_t *account)
{
    unsigned          private;
    torii_str_t       json, subscription, group;
    torii_node_t     *doc;
    dnssync_azure_t  *data;

    data = torii_arena_zalloc(account->arena, sizeof(dnssync_azure_t));
    account->data = data;

    json = dnssync_account_setting(account, "azure-config");
    doc = json.len ? dnssync_http_json(account->arena, json) : NULL;

    if (json.len && (doc == NULL || doc->type != TORII_NODE_MAP)) {
        return "\"azure-config\" is no JSON";
    }

    if (dnssync_account_bool(dnssync_account_setting(account,
                                                     "azure-private-zones"),
                             torii_str_eqs(dnssync_account_setting(account,
                                                               "provider"),
                                           "azure-private-dns"), &private)
        != TORII_OK)
    {
        return "\"azure-private-zones\" is neither true nor false";
    }

    data->private = private;
    subscription = dnssync_azure_setting(account, "azure-subscription-id",
                                         doc, "subscriptionId");
    group = dnssync_azure_setting(account, "azure-resource-group", doc,
                                  "resourceGroup");

    if (!dnssync_azure_word(subscription) || !dnssync_azure_word(group)) {
        return "\"azure-subscription-id\" and \"azure-resource-group\" have "
               "to be set, and to be such";
    }

    data->zones = torii_arena_printf(account->arena, "/subscriptions/%.*s/"
                                     "resourceGroups/%.*s/providers/"
                                     "Microsoft.Network/%s",
                                     torii_str_arg(subscription),
                                     torii_str_arg(group),
                                     private ? "privateDnsZones"
                                             : "dnsZones");

    if (dnssync_account_url(account, "api-url",
                            "https://management.azure.com", 0, &data->url)
        != NULL
        || dnssync_account_url(account, "azure-authority-host",
                               "https://login.microsoftonline.com", 0,
                               &data->authority) != NULL
        || dnssync_account_url(account, "azure-metadata-url",
                               "http://169.254.169.254", 1, &data->metadata)
           != NULL)
    {
        return "one of \"api-url\", \"azure-authority-host\" and "
               "\"azure-metadata-url\" is no URL that can be used";
    }

    return dnssync_azure_identity(account, data, doc);
}


static const char *
dnssync_azure_identity(dnssync_account_t *account, dnssync_azure_t *data,
    const torii_node_t *doc)
{
    torii_str_t  token, identity;

    data->tenant = dnssync_azure_setting(account, "azure-tenant-id", doc,
                                         "tenantId");
    data->client = dnssync_azure_setting(account, "azure-client-id", doc,
                                         "aadClientId");
    data->secret = dnssync_azure_setting(account, "azure-client-secret", doc,
                                         "aadClientSecret");
    token = dnssync_account_setting(account, "azure-federated-token");
    identity = dnssync_json_str(doc, "userAssignedIdentityID");

    if (data->client.len == 0 || dnssync_json_true(doc,
                                          "useManagedIdentityExtension"))
    {
        data->client = identity.len ? identity : data->client;
    }

    if (token.len) {
        data->kind = DNSSYNC_AZURE_FEDERATED;
        data->secret = token;

    } else if (data->secret.len == 0
               || dnssync_json_true(doc, "useManagedIdentityExtension"))
    {
        data->kind = DNSSYNC_AZURE_MACHINE;
        return NULL;
    }

    if (data->client.len == 0 || !dnssync_azure_word(data->tenant)) {
        return "\"azure-tenant-id\" and \"azure-client-id\" have to be set";
    }

    return NULL;
}


static torii_str_t
dnssync_azure_setting(const dnssync_account_t *account, const char *name,
    const torii_node_t *doc, const char *member)
{
    torii_str_t  s;

    s = dnssync_account_setting(account, name);

    return s.len ? s : dnssync_json_str(doc, member);
}


/* What may stand in a path: also names of resource groups have these only. */

static int
dnssync_azure_word(torii_str_t s)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
            && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.'
            && c != '(' && c != ')')
        {
            return 0;
        }
    }

    return s.len != 0 && s.len <= 128;
}


dnssync_op_step_e
dnssync_azure_ask(dnssync_op_t *op)
{
    torii_buf_t            *body, query;
    torii_str_t             scope;
    const dnssync_azure_t  *data;

    data = op->account->data;
    memset(&query, 0, sizeof(torii_buf_t));

    if (data->kind == DNSSYNC_AZURE_MACHINE) {
        scope = torii_arena_printf(op->arena, "%.*s/",
                                   torii_str_arg(data->url));
        dnssync_cloud_form(&query, "api-version", torii_str("2018-02-01"));
        dnssync_cloud_form(&query, "resource", scope);

        if (data->client.len) {
            dnssync_cloud_form(&query, "client_id", data->client);
        }

        (void) dnssync_op_http(op, "GET", "%.*s/metadata/identity/oauth2/"
                               "token?%.*s", torii_str_arg(data->metadata),
                               torii_str_arg(query));
        dnssync_op_header(op, "Metadata: true");
        torii_buf_free(&query);

        return dnssync_op_send(op);
    }

    (void) dnssync_op_http(op, "POST", "%.*s/%.*s/oauth2/v2.0/token",
                           torii_str_arg(data->authority),
                           torii_str_arg(data->tenant));
    dnssync_op_header(op, "Content-Type: application/x-www-form-urlencoded");

    scope = torii_arena_printf(op->arena, "%.*s/.default",
                               torii_str_arg(data->url));
    body = dnssync_op_body(op);

    dnssync_cloud_form(body, "grant_type", torii_str("client_credentials"));
    dnssync_cloud_form(body, "client_id", data->client);
    dnssync_cloud_form(body, "scope", scope);

    if (data->kind == DNSSYNC_AZURE_SECRET) {
        dnssync_cloud_form(body, "client_secret", data->secret);

    } else {
        dnssync_cloud_form(body, "client_assertion_type",
                           torii_str(DNSSYNC_AZURE_ASSERTION));
        dnssync_cloud_form(body, "client_assertion", data->secret);
    }

    return dnssync_op_send(op);
}


int
dnssync_azure_answered(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    torii_arena_t          *a;
    torii_str_t             text;
    const dnssync_azure_t  *data;

    data = op->account->data;

    if (dnssync_http_ok(answer)) {
        if (dnssync_cloud_token_read(op, answer) == TORII_OK) {
            return TORII_OK;
        }

        (void) dnssync_azure_senseless(op);
        return TORII_ERROR;
    }

    if (answer->status != 400) {
        (void) dnssync_op_fail_http(op, answer, "a token of Azure");
        return TORII_ERROR;
    }

    /* "invalid_client", "invalid_grant": RFC 6749 section 5.2 */

    a = torii_arena_create(4096);
    text = dnssync_json_str(dnssync_http_json(a, answer->body), "error");

    (void) dnssync_op_fail(op, DNSSYNC_TROUBLE_DENIED, "a token of Azure: "
                           "%.*s does not take the credentials: %.*s",
                           torii_str_arg(data->kind == DNSSYNC_AZURE_MACHINE
                                         ? data->metadata : data->authority),
                           torii_str_arg(text));
    torii_arena_destroy(a);

    return TORII_ERROR;
}
