
/*
 * PowerDNS: changes.
 */

#include "dnssync_powerdns.h"


#define DNSSYNC_POWERDNS_BYTES  (1024 * 1024)  /* the server takes 2 MB */


static dnssync_op_step_e dnssync_powerdns_check(dnssync_op_t *op);
static dnssync_op_step_e dnssync_powerdns_patch(dnssync_op_t *op);
static dnssync_op_step_e dnssync_powerdns_patched(dnssync_op_t *op,
    const dnssync_answer_t *answer);


/* The next edits that are to be done, after a look at what they require. */

dnssync_op_step_e
dnssync_powerdns_batch(dnssync_op_t *op)
{
    dnssync_powerdns_state_t  *st;

    st = op->state;
    st->from = st->to;
    st->patching = 0;

    if (st->from == op->nedits) {
        return DNSSYNC_OP_DONE;
    }

    st->to = (op->nedits - st->from > st->limit) ? st->from + st->limit
                                                 : op->nedits;
    st->checking = dnssync_check_begin(op, &st->check, st->from, st->to);

    return st->checking ? dnssync_powerdns_check(op)
                        : dnssync_powerdns_patch(op);
}


static dnssync_op_step_e
dnssync_powerdns_check(dnssync_op_t *op)
{
    dnssync_powerdns_state_t  *st;

    static const torii_str_t  none = torii_null_string;

    st = op->state;

    return dnssync_powerdns_get(op, "", st->check.whole ? none
                                        : st->check.names[st->check.next],
                                NULL);
}


/* A set that is in two edits of one PATCH would have the server refuse it. */

static dnssync_op_step_e
dnssync_powerdns_patch(dnssync_op_t *op)
{
    uint32_t                   i, n;
    torii_buf_t               *b;
    dnssync_map_t              here;
    dnssync_powerdns_state_t  *st;

    st = op->state;
    memset(&here, 0, sizeof(dnssync_map_t));

    dnssync_powerdns_request(op, "PATCH", "");
    dnssync_op_header(op, "Content-Type: application/json");

    b = dnssync_op_body(op);
    torii_buf_adds(b, "{\"rrsets\":[");

    for (i = st->from, n = 0; i < st->to; i++) {

        if (op->results[i].what != DNSSYNC_OUTCOME_LATER) {
            continue;
        }

        if (n && (b->len > DNSSYNC_POWERDNS_BYTES
                  || dnssync_check_meets(op, &here, op->edits[i])))
        {
            break;
        }

        dnssync_powerdns_edit(b, op->edits[i], n++);
        dnssync_check_touch(op, &here, i);
    }

    st->to = i;

    if (n == 0) {
        return dnssync_powerdns_batch(op);
    }

    torii_buf_adds(b, "]}");
    st->patching = 1;

    return dnssync_op_send(op);
}


dnssync_op_step_e
dnssync_powerdns_applied(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    const char                *why;
    const torii_node_t        *head;
    dnssync_powerdns_state_t  *st;

    st = op->state;

    if (st->patching) {
        return dnssync_powerdns_patched(op, answer);
    }

    if (answer->status != 200) {
        return dnssync_powerdns_failed(op, answer, "looking at");
    }

    why = dnssync_powerdns_read(op, &st->check.map, answer->body, &head);

    if (why != NULL) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "looking at %.*s: "
                               "%s", torii_str_arg(op->zone.name), why);
    }

    if (!st->check.whole && ++st->check.next < st->check.n) {
        return dnssync_powerdns_check(op);
    }

    dnssync_check_end(op, &st->check, st->from, st->to);

    return dnssync_powerdns_patch(op);
}


static dnssync_op_step_e
dnssync_powerdns_patched(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    uint32_t                   i, n;
    torii_str_t                text;
    dnssync_powerdns_state_t  *st;

    st = op->state;

    for (i = st->from, n = 0; i < st->to; i++) {
        n += op->results[i].what == DNSSYNC_OUTCOME_LATER;
    }

    if (dnssync_http_ok(answer)) {

        for (i = st->from; i < st->to; i++) {
            if (op->results[i].what == DNSSYNC_OUTCOME_LATER) {
                dnssync_check_touch(op, &st->check.touched, i);
            }
        }

        dnssync_op_results(op, st->from, st->to, DNSSYNC_OUTCOME_DONE, "");

        st->limit = (st->limit < DNSSYNC_POWERDNS_EDITS / 2)
                    ? 2 * st->limit : DNSSYNC_POWERDNS_EDITS;

        return dnssync_powerdns_batch(op);
    }

    if (answer->status != 422 && answer->status != 400
        && answer->status != 413)
    {
        if (answer->status == 0 || answer->status >= 500) {
            dnssync_op_results(op, st->from, st->to, DNSSYNC_OUTCOME_UNSURE,
                               "the server gave no answer to the change");
        }

        return dnssync_powerdns_failed(op, answer, "changing");
    }

    if (n > 1) {
        st->limit = (st->to - st->from) / 2;
        st->to = st->from;

        return dnssync_powerdns_batch(op);
    }

    text = dnssync_http_error(op->arena, answer->body);

    dnssync_op_results(op, st->from, st->to, DNSSYNC_OUTCOME_REFUSED,
                       text.len ? (char *) text.data : "it is not valid");

    return dnssync_powerdns_batch(op);
}
