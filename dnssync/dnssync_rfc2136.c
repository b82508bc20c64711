
/*
 * Dynamic updates (RFC 2136): which server is asked what, and what its answers
 * mean.  A zone's version is its serial: one question by UDP tells whether it
 * is another one, IXFR or AXFR what it holds.
 */

#include <stdio.h>

#include <openssl/rand.h>

#include "dnssync_rfc2136.h"


static dnssync_op_step_e dnssync_rfc2136_go(dnssync_op_t *op);
static dnssync_op_step_e dnssync_rfc2136_answer(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static void dnssync_rfc2136_end(dnssync_op_t *op);
static void dnssync_rfc2136_choose(dnssync_op_t *op);
static dnssync_op_step_e dnssync_rfc2136_silent(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_rfc2136_ignore(dnssync_op_t *op,
    dnssync_trouble_e trouble, const char *why);


const dnssync_driver_t  dnssync_rfc2136_driver = {
    .name = "rfc2136",
    .settings = dnssync_rfc2136_settings,
    .at_once = 4,
    .init = dnssync_rfc2136_init,
    .cleanup = dnssync_rfc2136_cleanup,
    .go = dnssync_rfc2136_go,
    .answer = dnssync_rfc2136_answer,
    .end = dnssync_rfc2136_end,
    .state = sizeof(dnssync_rfc2136_t)
};


static dnssync_op_step_e
dnssync_rfc2136_go(dnssync_op_t *op)
{
    dnssync_rfc2136_choose(op);

    return dnssync_rfc2136_ask(op);
}


static dnssync_op_step_e
dnssync_rfc2136_answer(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    dnssync_rfc2136_t  *s;

    s = op->state;

    if (answer->error != NULL) {
        return dnssync_rfc2136_silent(op, answer);
    }

    s->servers->next = s->server;

    switch (op->what) {

    case DNSSYNC_OP_LIST:
        return dnssync_rfc2136_listed(op, answer->body);

    case DNSSYNC_OP_APPLY:
        return dnssync_rfc2136_applied(op, answer->body);

    case DNSSYNC_OP_CHALLENGE:
        return dnssync_rfc2136_challenged(op, answer->body);

    default:
        return dnssync_rfc2136_soa(op, answer->body);
    }
}


static void
dnssync_rfc2136_end(dnssync_op_t *op)
{
    dnssync_rfc2136_t  *s;

    s = op->state;

    dnssync_transfer_free(s->transfer);
    dnssync_change_free(s->change);
    torii_buf_free(&s->message);
    torii_buf_free(&s->must);
    torii_buf_free(&s->todo);
}


static void
dnssync_rfc2136_choose(dnssync_op_t *op)
{
    dnssync_rfc2136_t       *s;
    dnssync_rfc2136_conf_t  *conf;

    s = op->state;
    conf = op->account->data;

    s->servers = &conf->primary;

    if ((op->what == DNSSYNC_OP_LIST || op->what == DNSSYNC_OP_PROBE)
        && conf->transfer.n)
    {
        s->servers = &conf->transfer;
    }

    s->server = s->servers->next;
}


/*
 * The next server, if it was only a question; a change may have been made all
 * the same.
 */

static dnssync_op_step_e
dnssync_rfc2136_silent(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    uint32_t            i;
    dnssync_rfc2136_t  *s;

    s = op->state;

    if (s->servers->next == s->server) {
        s->servers->next = (s->server + 1) % s->servers->n;
    }

    if (op->what == DNSSYNC_OP_APPLY) {
        for (i = s->from; i < s->to; i++) {
            dnssync_op_result(op, i, DNSSYNC_OUTCOME_UNSURE, "it was sent to "
                              "%.*s, but there is no answer: %s",
                              torii_str_arg(op->request.server),
                              answer->error);
        }

    } else if (++s->tries < s->servers->n) {
        s->server = (s->server + 1) % s->servers->n;
        return dnssync_rfc2136_ask(op);
    }

    return dnssync_rfc2136_fail(op, DNSSYNC_TROUBLE_DOWN,
                                s->ignored[0] ? s->ignored : answer->error,
                                NULL);
}


/* The operation's next message, to the server that was chosen. */

dnssync_op_step_e
dnssync_rfc2136_ask(dnssync_op_t *op)
{
    torii_str_t         name;
    dnssync_rfc2136_t  *s;

    s = op->state;
    s->ignored[0] = '\0';

    if (op->what == DNSSYNC_OP_CHALLENGE) {
        return dnssync_rfc2136_challenge(op);
    }

    name = op->zone.name;

    if (op->what == DNSSYNC_OP_ZONES) {
        name = op->account->zones[s->at];
    }

    if (dnssync_name_parse(&s->zone, name) != TORII_OK) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_SETTING, "\"%.*s\" is no "
                               "zone", torii_str_arg(name));
    }

    switch (op->what) {

    case DNSSYNC_OP_LIST:
        return dnssync_rfc2136_list(op);

    case DNSSYNC_OP_APPLY:
        return dnssync_rfc2136_apply(op);

    case DNSSYNC_OP_ZONES:
    case DNSSYNC_OP_PROBE:
        s->message.len = 0;
        dnssync_write_header(&s->message, dnssync_rfc2136_id(), DNSSYNC_QUERY);
        dnssync_write_question(&s->message, &s->zone, DNSSYNC_SOA);

        return dnssync_rfc2136_send(op);

    default:
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_SETTING, "DNS has no way "
                               "to do this");
    }
}


unsigned
dnssync_rfc2136_id(void)
{
    uint16_t  id;

    id = 0;
    (void) RAND_bytes((unsigned char *) &id, sizeof(id));

    return id;
}


dnssync_op_step_e
dnssync_rfc2136_send(dnssync_op_t *op)
{
    dnssync_rfc2136_t       *s;
    dnssync_rfc2136_conf_t  *conf;

    s = op->state;
    conf = op->account->data;

    if (conf->key != NULL
        && dnssync_tsig_sign(conf->key, op->now / 1000, &s->message, &s->mac)
           != TORII_OK)
    {
        return dnssync_rfc2136_fail(op, DNSSYNC_TROUBLE_SETTING,
                                    "OpenSSL cannot sign the message", NULL);
    }

    return dnssync_rfc2136_request(op);
}


dnssync_op_step_e
dnssync_rfc2136_request(dnssync_op_t *op)
{
    dnssync_request_t       *r;
    dnssync_rfc2136_t       *s;
    dnssync_rfc2136_conf_t  *conf;

    s = op->state;
    conf = op->account->data;
    r = &op->request;

    memset(r, 0, sizeof(dnssync_request_t));

    if (conf->tls || s->message.len > DNSSYNC_UDP_MAX) {
        s->tcp = 1;
    }

    r->server = s->servers->name[s->server];
    r->message.data = s->message.data;
    r->message.len = s->message.len;
    r->tcp = s->tcp;
    r->stream = (s->transfer != NULL);
    r->tls = conf->tls;
    r->timeout = DNSSYNC_RFC2136_TIMEOUT;
    r->cost = 1;

    if (conf->tls) {
        r->ca = dnssync_account_setting(op->account, "ca");
    }

    return DNSSYNC_OP_SEND;
}


/* advice may be NULL. */

dnssync_op_step_e
dnssync_rfc2136_fail(dnssync_op_t *op, dnssync_trouble_e trouble,
    const char *what, const char *advice)
{
    char                zone[DNSSYNC_TEXT_MAX];
    dnssync_rfc2136_t  *s;

    s = op->state;

    if (s->zone.len == 0) {
        (void) dnssync_name_parse(&s->zone, torii_str("."));
    }

    dnssync_name_text(&s->zone, zone);

    return dnssync_op_fail(op, trouble, "zone \"%.100s\" at %.*s: %s%s%s",
                           zone, torii_str_arg(s->servers->name[s->server]),
                           what, advice ? ": " : "", advice ? advice : "");
}


/*
 * Others than the server may answer by UDP: what does not fit is waited for
 * still.
 */

static dnssync_op_step_e
dnssync_rfc2136_ignore(dnssync_op_t *op, dnssync_trouble_e trouble,
    const char *why)
{
    dnssync_rfc2136_t  *s;

    s = op->state;

    if (s->tcp) {
        return dnssync_rfc2136_fail(op, trouble, why, NULL);
    }

    snprintf(s->ignored, DNSSYNC_ERROR_MAX, "%s", why);

    return DNSSYNC_OP_MORE;
}


dnssync_op_step_e
dnssync_rfc2136_check(dnssync_op_t *op, torii_str_t message,
    dnssync_header_t *header)
{
    char                     text[DNSSYNC_ERROR_MAX];
    torii_str_t              request;
    dnssync_tsig_e           found;
    dnssync_tsig_t           tsig;
    dnssync_rfc2136_t       *s;
    dnssync_rfc2136_conf_t  *conf;

    s = op->state;
    conf = op->account->data;

    request.data = s->message.data;
    request.len = s->message.len;

    if (dnssync_message_answers(message, request, header) != TORII_OK) {
        return dnssync_rfc2136_ignore(op, DNSSYNC_TROUBLE_ANSWER,
                                      "an answer to another question");
    }

    if (header->flags & DNSSYNC_TC) {

        if (s->tcp) {
            return dnssync_rfc2136_fail(op, DNSSYNC_TROUBLE_ANSWER,
                                        "the answer is truncated, by TCP too",
                                        NULL);
        }

        s->tcp = 1;

        return dnssync_rfc2136_request(op);
    }

    s->refusal = 0;

    if (conf->key == NULL) {
        return DNSSYNC_OP_DONE;
    }

    found = dnssync_tsig_verify(conf->key, op->now / 1000, message, &s->mac,
                                &tsig);

    /* who does not know the key cannot sign that he does not */

    if (found == DNSSYNC_TSIG_NONE && (header->flags & DNSSYNC_RCODE)) {
        s->refusal = 1;
        return DNSSYNC_OP_DONE;
    }

    if (found == DNSSYNC_TSIG_LATE || found == DNSSYNC_TSIG_UNSIGNED
        || (found == DNSSYNC_TSIG_GOOD && tsig.error))
    {
        dnssync_tsig_text(&tsig, text);
        return dnssync_rfc2136_fail(op, DNSSYNC_TROUBLE_DENIED, text, NULL);
    }

    return found == DNSSYNC_TSIG_GOOD
           ? DNSSYNC_OP_DONE
           : dnssync_rfc2136_ignore(op, DNSSYNC_TROUBLE_ANSWER,
                                    dnssync_tsig_word(found));
}


dnssync_trouble_e
dnssync_rfc2136_trouble(unsigned rcode)
{
    switch (rcode) {

    case DNSSYNC_REFUSED:
    case DNSSYNC_NOTAUTH:
        return DNSSYNC_TROUBLE_DENIED;

    case DNSSYNC_NOTIMP:
    case DNSSYNC_NXDOMAIN:
    case DNSSYNC_NOTZONE:
        return DNSSYNC_TROUBLE_SETTING;

    case DNSSYNC_SERVFAIL:
        return DNSSYNC_TROUBLE_DOWN;

    default:
        return DNSSYNC_TROUBLE_ANSWER;
    }
}
