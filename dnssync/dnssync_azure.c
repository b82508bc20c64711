
/*
 * Azure DNS, and Azure Private DNS, which differs in its paths and in how the
 * members of a set are written.
 */

#include "dnssync_azure.h"


static dnssync_op_step_e dnssync_azure_send(dnssync_op_t *op);
static dnssync_op_step_e dnssync_azure_answer(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_azure_challenge(dnssync_op_t *op,
    const dnssync_answer_t *answer);


static const dnssync_setting_t  dnssync_azure_settings[] = {
    { "azure-subscription-id", "where the zones are", 0, 0 },
    { "azure-resource-group", "where the zones are", 0, 0 },
    { "azure-tenant-id", "of the application", 0, 0 },
    { "azure-client-id", "of the application, or of the identity", 0, 0 },
    { "azure-client-secret", "of the application", 0, 1 },
    { "azure-federated-token", "of a workload identity", 0, 1 },
    { "azure-authority-host", "where tokens come from", 0, 0 },
    { "azure-metadata-url", "of the machine's identity", 0, 0 },
    { "azure-config", "ExternalDNS's azure.json, for what is not set", 0, 1 },
    { "azure-private-zones", "\"true\": Azure Private DNS", 0, 0 },
    { "api-url", "of Azure's Resource Manager", 0, 0 },
    { NULL, NULL, 0, 0 }
};


static const char *const  dnssync_azure_options[] = {
    "azure/", NULL
};


const dnssync_driver_t  dnssync_azure_driver = {
    .name = "azure",
    .settings = dnssync_azure_settings,
    .provider = {
        .ttl_max = 2147483647,
        .values_max = 20,
        .tag_max = DNSSYNC_AZURE_TAG_MAX,
        .options = dnssync_azure_options,
        .no_star = 1
    },
    .rate = 1500,
    .period = 60,
    .at_once = 2,
    .init = dnssync_azure_init,
    .go = dnssync_azure_go,
    .answer = dnssync_azure_answer,
    .state = sizeof(dnssync_azure_state_t)
};


dnssync_op_step_e
dnssync_azure_go(dnssync_op_t *op)
{
    dnssync_azure_state_t  *st;

    st = op->state;

    if (op->what == DNSSYNC_OP_ADJUST) {
        return dnssync_op_unsupported(op);
    }

    if (!dnssync_cloud_token(op)) {
        st->asking = 1;
        return dnssync_azure_ask(op);
    }

    if (op->what == DNSSYNC_OP_APPLY
        || (op->what == DNSSYNC_OP_CHALLENGE
            && st->phase >= DNSSYNC_AZURE_EDIT))
    {
        return dnssync_azure_apply(op);
    }

    return dnssync_azure_send(op);
}


static dnssync_op_step_e
dnssync_azure_send(dnssync_op_t *op)
{
    torii_buf_t             path;
    torii_str_t             s;
    const dnssync_azure_t  *data;
    dnssync_azure_state_t  *st;

    st = op->state;
    data = op->account->data;

    if (st->phase == DNSSYNC_AZURE_BEGIN) {
        st->phase = (op->what == DNSSYNC_OP_ZONES) ? DNSSYNC_AZURE_ZONES
                    : (op->what == DNSSYNC_OP_CHALLENGE)
                      ? DNSSYNC_AZURE_HAVE : DNSSYNC_AZURE_COUNT;
    }

    if (st->link.len) {
        (void) dnssync_op_http(op, "GET", "%.*s", torii_str_arg(st->link));
        dnssync_op_header(op, "Authorization: Bearer %.*s",
                          torii_str_arg(op->account->token));
        op->request.cost = DNSSYNC_AZURE_LIST;
        return dnssync_op_send(op);
    }

    if (st->phase == DNSSYNC_AZURE_HAVE) {
        dnssync_azure_set_request(op, "GET", op->name, DNSSYNC_TXT,
                                  DNSSYNC_AZURE_GET);
        return dnssync_op_send(op);
    }

    memset(&path, 0, sizeof(torii_buf_t));

    if (st->phase != DNSSYNC_AZURE_ZONES) {
        torii_buf_adds(&path, "/");
        dnssync_url_add(&path, op->zone.id);
    }

    if (st->phase == DNSSYNC_AZURE_SETS) {
        torii_buf_adds(&path, data->private ? "/ALL" : "/all");
    }

    s.data = path.data;
    s.len = path.len;
    dnssync_azure_request(op, "GET", s, st->phase == DNSSYNC_AZURE_SETS
                                        ? DNSSYNC_AZURE_LIST
                                        : DNSSYNC_AZURE_GET);
    torii_buf_free(&path);

    return dnssync_op_send(op);
}


static dnssync_op_step_e
dnssync_azure_answer(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    dnssync_azure_state_t  *st;

    st = op->state;

    if (st->asking) {
        st->asking = 0;
        return dnssync_azure_answered(op, answer) == TORII_OK
               ? dnssync_azure_go(op) : DNSSYNC_OP_FAILED;
    }

    if (answer->status == 401 && !st->renewed) {
        st->renewed = 1;
        dnssync_cloud_token_drop(op);
        return dnssync_azure_go(op);
    }

    switch (st->phase) {

    case DNSSYNC_AZURE_READ:
        return dnssync_azure_read(op, answer);

    case DNSSYNC_AZURE_WRITE_PART:
        return dnssync_azure_applied(op, answer);

    case DNSSYNC_AZURE_HAVE:
        return dnssync_azure_challenge(op, answer);

    default:
        break;
    }

    if (!dnssync_http_ok(answer)) {
        return dnssync_azure_fail(op, answer);
    }

    st->tries = 0;

    switch (st->phase) {

    case DNSSYNC_AZURE_ZONES:
        return dnssync_azure_zones(op, answer->body);

    case DNSSYNC_AZURE_SETS:
        return dnssync_azure_list(op, answer->body);

    default:
        return dnssync_azure_count(op, answer->body);
    }
}


dnssync_op_step_e
dnssync_azure_fail(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    dnssync_azure_state_t  *st;

    st = op->state;

    if (answer->status == 429) {
        return dnssync_cloud_wait(op, &st->tries, answer->retry_after,
                                  torii_str("status 429"));
    }

    return dnssync_op_fail_http(op, answer, dnssync_cloud_where(op));
}


dnssync_op_step_e
dnssync_azure_senseless(dnssync_op_t *op)
{
    return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "%s: the answer is not "
                           "what Azure sends, or not whole",
                           dnssync_cloud_where(op));
}


static dnssync_op_step_e
dnssync_azure_challenge(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    int                     rc;
    torii_node_t           *doc;
    torii_arena_t          *a;
    dnssync_rrset_t        *have;
    dnssync_azure_state_t  *st;

    st = op->state;
    have = NULL;

    if (dnssync_http_ok(answer)) {
        a = torii_arena_create(4096);
        doc = dnssync_http_json(a, answer->body);

        op->nsets = 0;
        have = dnssync_op_set(op);
        rc = dnssync_azure_set_read(op, doc, have);
        torii_arena_destroy(a);

        if (rc != TORII_OK || have->type != DNSSYNC_TXT
            || !torii_str_eq(have->name, op->name))
        {
            return dnssync_azure_senseless(op);
        }

    } else if (answer->status != 404) {
        return dnssync_azure_fail(op, answer);
    }

    if (!dnssync_cloud_challenge(op, have)) {
        return DNSSYNC_OP_DONE;
    }

    st->tries = 0;
    st->edit = 0;
    st->phase = DNSSYNC_AZURE_EDIT;

    return dnssync_azure_go(op);
}
