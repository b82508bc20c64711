
/*
 * What a zone holds, by IXFR or AXFR; and challenges, whose zone is yet to be
 * found.
 */

#include <inttypes.h>
#include <stdio.h>

#include "dnssync_rfc2136.h"


static dnssync_op_step_e dnssync_rfc2136_list_failed(dnssync_op_t *op);


dnssync_op_step_e
dnssync_rfc2136_list(dnssync_op_t *op)
{
    uint64_t                 serial;
    dnssync_rfc2136_t       *s;
    dnssync_rfc2136_conf_t  *conf;

    s = op->state;
    conf = op->account->data;

    dnssync_transfer_free(s->transfer);

    s->transfer = dnssync_transfer_create(op->arena, &s->zone, conf->key);
    s->tcp = 1;

    if (!s->whole && op->nknown
        && torii_str_uint(op->version, UINT32_MAX, &serial) == TORII_OK)
    {
        dnssync_transfer_known(s->transfer, (uint32_t) serial, op->known,
                               op->nknown);
    }

    s->message.len = 0;

    if (dnssync_transfer_request(s->transfer, op->now / 1000,
                                 dnssync_rfc2136_id(), &s->message)
        != TORII_OK)
    {
        return dnssync_rfc2136_fail(op, DNSSYNC_TROUBLE_SETTING,
                                    "OpenSSL cannot sign the message", NULL);
    }

    return dnssync_rfc2136_request(op);
}


dnssync_op_step_e
dnssync_rfc2136_listed(dnssync_op_t *op, torii_str_t message)
{
    dnssync_rfc2136_t   *s;
    dnssync_transfer_e   step;

    s = op->state;

    step = dnssync_transfer_answer(s->transfer, op->now / 1000, message);

    switch (step) {

    case DNSSYNC_TRANSFER_MORE:
        return DNSSYNC_OP_MORE;

    case DNSSYNC_TRANSFER_WHOLE:
        s->whole = 1;
        return dnssync_rfc2136_list(op);

    case DNSSYNC_TRANSFER_FAILED:
        return dnssync_rfc2136_list_failed(op);

    case DNSSYNC_TRANSFER_SAME:
        op->same = 1;
        break;

    case DNSSYNC_TRANSFER_DONE:
        dnssync_transfer_sets(s->transfer, &op->sets, &op->nsets);
        break;
    }

    op->next = torii_arena_printf(op->arena, "%" PRIu32,
                                  dnssync_transfer_serial(s->transfer));

    dnssync_transfer_free(s->transfer);
    s->transfer = NULL;

    return DNSSYNC_OP_DONE;
}


static dnssync_op_step_e
dnssync_rfc2136_list_failed(dnssync_op_t *op)
{
    unsigned             rcode;
    const char          *advice;
    dnssync_rfc2136_t   *s;
    dnssync_trouble_e    trouble;

    s = op->state;

    advice = NULL;
    trouble = DNSSYNC_TROUBLE_ANSWER;
    rcode = dnssync_transfer_rcode(s->transfer);

    if (dnssync_transfer_denied(s->transfer)) {
        trouble = DNSSYNC_TROUBLE_DENIED;

    } else if (rcode) {
        trouble = dnssync_rfc2136_trouble(rcode);

        if (trouble == DNSSYNC_TROUBLE_DENIED) {
            advice = "it has no such zone, or does not let this key, or this "
                     "address, transfer it: see its allow-transfer or acl";
        }
    }

    return dnssync_rfc2136_fail(op, trouble,
                                dnssync_transfer_error(s->transfer), advice);
}


dnssync_op_step_e
dnssync_rfc2136_challenge(dnssync_op_t *op)
{
    const char              *why;
    dnssync_rfc2136_t       *s;
    dnssync_rfc2136_conf_t  *conf;

    s = op->state;
    conf = op->account->data;

    if (s->change == NULL) {
        s->change = dnssync_change_txt(op->name, op->value, op->add, op->ttl,
                                       conf->key, &why);
        if (s->change == NULL) {
            return dnssync_op_fail(op, DNSSYNC_TROUBLE_SETTING, "%s", why);
        }
    }

    s->message.len = 0;

    if (dnssync_change_request(s->change, op->now / 1000,
                               dnssync_rfc2136_id(), &s->message)
        != TORII_OK)
    {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_SETTING, "%s",
                               dnssync_change_error(s->change));
    }

    return dnssync_rfc2136_request(op);
}


dnssync_op_step_e
dnssync_rfc2136_challenged(dnssync_op_t *op, torii_str_t message)
{
    dnssync_rfc2136_t  *s;

    s = op->state;

    switch (dnssync_change_answer(s->change, op->now / 1000, message)) {

    case DNSSYNC_DONE:
        return DNSSYNC_OP_DONE;

    case DNSSYNC_MORE:
        s->tcp = 0;
        s->tries = 0;
        return dnssync_rfc2136_challenge(op);

    case DNSSYNC_TRUNCATED:
        if (!s->tcp) {
            s->tcp = 1;
            return dnssync_rfc2136_request(op);
        }

        break;

    case DNSSYNC_IGNORED:
        if (!s->tcp) {
            snprintf(s->ignored, DNSSYNC_ERROR_MAX, "%s",
                     dnssync_change_error(s->change));
            return DNSSYNC_OP_MORE;
        }

        break;

    default:
        break;
    }

    return dnssync_op_fail(op, DNSSYNC_TROUBLE_DENIED, "%.*s: %s",
                           torii_str_arg(s->servers->name[s->server]),
                           dnssync_change_error(s->change));
}
