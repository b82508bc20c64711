
/*
 * Edits as UPDATE messages, many to a message.  The server checks what each of
 * them requires before it does any (RFC 2136 section 3.2): if one does not
 * hold, none is done, and the edits are sent by halves until it is found.
 * NOERROR alone proves little: a record beside an alias is dropped without a
 * word (section 3.4.2.2), hence an edit is always sent with what it requires.
 */

#include <stdio.h>

#include "dnssync_rfc2136.h"


#define DNSSYNC_RFC2136_SPARE  64


static dnssync_op_step_e dnssync_rfc2136_next(dnssync_op_t *op);
static dnssync_op_step_e dnssync_rfc2136_over(dnssync_op_t *op);
static dnssync_op_step_e dnssync_rfc2136_unsure(dnssync_op_t *op,
    dnssync_op_step_e step);
static dnssync_op_step_e dnssync_rfc2136_failed(dnssync_op_t *op,
    unsigned rcode);
static dnssync_op_step_e dnssync_rfc2136_guilty(dnssync_op_t *op,
    unsigned rcode);
static dnssync_op_step_e dnssync_rfc2136_stop(dnssync_op_t *op,
    unsigned rcode);


dnssync_op_step_e
dnssync_rfc2136_apply(dnssync_op_t *op)
{
    dnssync_rfc2136_t  *s;

    s = op->state;

    s->tcp = 1;
    s->from = 0;
    s->to = 0;
    s->ends[0] = op->nedits;
    s->nends = 1;
    s->spare = DNSSYNC_RFC2136_SPARE + op->nedits / 8;

    return dnssync_rfc2136_next(op);
}


/* What comes behind to, up to the end of what is to be tried together. */

static dnssync_op_step_e
dnssync_rfc2136_next(dnssync_op_t *op)
{
    dnssync_rfc2136_t  *s;

    s = op->state;
    s->from = s->to;

    for ( ;; ) {

        while (s->nends && s->ends[s->nends - 1] <= s->from) {
            s->nends--;
        }

        if (s->nends == 0) {
            return dnssync_rfc2136_over(op);
        }

        dnssync_rfc2136_pack(op, s->ends[s->nends - 1]);

        if (s->to > s->from) {
            return dnssync_rfc2136_send(op);
        }

        /* one that cannot be sent, which is told already */

        s->from++;
        s->to = s->from;
    }
}


/* Who may change none of several names has no right to the zone. */

static dnssync_op_step_e
dnssync_rfc2136_over(dnssync_op_t *op)
{
    dnssync_rfc2136_t  *s;

    s = op->state;

    return s->done == 0 && s->refused > 1
           ? dnssync_rfc2136_stop(op, DNSSYNC_REFUSED) : DNSSYNC_OP_DONE;
}


dnssync_op_step_e
dnssync_rfc2136_applied(dnssync_op_t *op, torii_str_t message)
{
    uint32_t             i;
    unsigned             rcode;
    dnssync_header_t     header;
    dnssync_rfc2136_t   *s;
    dnssync_op_step_e    step;

    s = op->state;

    step = dnssync_rfc2136_check(op, message, &header);

    if (step != DNSSYNC_OP_DONE) {
        return dnssync_rfc2136_unsure(op, step);
    }

    rcode = header.flags & DNSSYNC_RCODE;

    if (rcode) {
        return dnssync_rfc2136_failed(op, rcode);
    }

    for (i = s->from; i < s->to; i++) {
        dnssync_op_result(op, i, DNSSYNC_OUTCOME_DONE, "%s", "");
    }

    s->done++;

    return dnssync_rfc2136_next(op);
}


/* A server that does not take the key has done nothing; of all other answers
   that cannot be read it is not known. */

static dnssync_op_step_e
dnssync_rfc2136_unsure(dnssync_op_t *op, dnssync_op_step_e step)
{
    uint32_t            i;
    dnssync_rfc2136_t  *s;

    s = op->state;

    if (step == DNSSYNC_OP_FAILED && op->trouble != DNSSYNC_TROUBLE_DENIED) {
        for (i = s->from; i < s->to; i++) {
            dnssync_op_result(op, i, DNSSYNC_OUTCOME_UNSURE, "%s", op->error);
        }
    }

    return step;
}


static dnssync_op_step_e
dnssync_rfc2136_failed(dnssync_op_t *op, unsigned rcode)
{
    uint32_t            n;
    dnssync_rfc2136_t  *s;

    s = op->state;
    n = s->to - s->from;

    switch (rcode) {

    case DNSSYNC_YXDOMAIN:
    case DNSSYNC_YXRRSET:
    case DNSSYNC_NXDOMAIN:
    case DNSSYNC_NXRRSET:
    case DNSSYNC_NOTZONE:
    case DNSSYNC_FORMERR:
    case DNSSYNC_REFUSED:
        break;

    default:
        return dnssync_rfc2136_stop(op, rcode);
    }

    if (s->refusal) {
        return dnssync_rfc2136_stop(op, rcode);
    }

    if (n == 1 || s->spare == 0 || s->nends + 2 > DNSSYNC_RFC2136_SPLITS) {
        return dnssync_rfc2136_guilty(op, rcode);
    }

    s->spare--;

    if (s->ends[s->nends - 1] != s->to) {
        s->ends[s->nends++] = s->to;
    }

    s->ends[s->nends++] = s->from + n / 2;
    s->to = s->from;

    return dnssync_rfc2136_next(op);
}


/*
 * It is this one; or these, when too much is not as it was.  A policy may be
 * about names; but a zone in which nothing may be changed is not tried name by
 * name.
 */

static dnssync_op_step_e
dnssync_rfc2136_guilty(dnssync_op_t *op, unsigned rcode)
{
    uint32_t            i;
    const char         *text;
    dnssync_rfc2136_t  *s;
    dnssync_outcome_e   what;

    s = op->state;

    switch (rcode) {

    case DNSSYNC_NOTZONE:
    case DNSSYNC_FORMERR:
    case DNSSYNC_REFUSED:
        what = DNSSYNC_OUTCOME_REFUSED;
        text = dnssync_rcode_advice(rcode);
        break;

    default:
        what = DNSSYNC_OUTCOME_LOST;
        text = "it is not as it was when the zone was read";
    }

    for (i = s->from; i < s->to; i++) {
        dnssync_op_result(op, i, what, "%s: %s", dnssync_rcode_name(rcode),
                          text);
    }

    if (rcode == DNSSYNC_REFUSED && s->done == 0
        && ++s->refused == DNSSYNC_RFC2136_NEVER)
    {
        return dnssync_rfc2136_stop(op, rcode);
    }

    return dnssync_rfc2136_next(op);
}


static dnssync_op_step_e
dnssync_rfc2136_stop(dnssync_op_t *op, unsigned rcode)
{
    char  text[DNSSYNC_ERROR_MAX];

    snprintf(text, sizeof(text), "the update was answered %s",
             dnssync_rcode_name(rcode));

    return dnssync_rfc2136_fail(op, dnssync_rfc2136_trouble(rcode), text,
                                dnssync_rcode_advice(rcode));
}
