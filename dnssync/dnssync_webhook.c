
/*
 * ExternalDNS's webhook protocol, version 1: a program beside this one knows a
 * provider of its own.  It is asked for its domains first; a listing is whole
 * if it is JSON; a change is done when it answers 204, and nothing else.
 */

#include <stdio.h>

#include "dnssync_webhook.h"


#define DNSSYNC_WEBHOOK_URL      "http://localhost:8888"
#define DNSSYNC_WEBHOOK_EDITS    1000
#define DNSSYNC_WEBHOOK_TIMEOUT  15000     /* ms */
#define DNSSYNC_WEBHOOK_BROKEN   3         /* edits in a row, then it is down */


typedef struct {
    dnssync_check_t   check;
    uint32_t          from;
    uint32_t          to;
    uint32_t          limit;
    uint32_t          broken;      /* edits that 5xx was the answer to */
    unsigned          asking:1;
    unsigned          writing:1;
} dnssync_webhook_state_t;


static dnssync_op_step_e dnssync_webhook_send(dnssync_op_t *op,
    const char *method, const char *path);
static dnssync_op_step_e dnssync_webhook_start(dnssync_op_t *op);
static dnssync_op_step_e dnssync_webhook_asked(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_webhook_zones(dnssync_op_t *op);
static dnssync_op_step_e dnssync_webhook_adjust(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_webhook_next(dnssync_op_t *op);
static dnssync_op_step_e dnssync_webhook_post(dnssync_op_t *op);
static dnssync_op_step_e dnssync_webhook_posted(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_webhook_challenge(dnssync_op_t *op);


static const dnssync_setting_t  dnssync_webhook_settings[] = {
    { "webhook-provider-url", "default " DNSSYNC_WEBHOOK_URL, 0, 0 },
    { NULL, NULL, 0, 0 }
};

/* all that an endpoint has: what is not for a webhook is not sent to one */

static const char *const  dnssync_webhook_prefixes[] = { "", NULL };


static const char *
dnssync_webhook_init(dnssync_account_t *account)
{
    dnssync_webhook_t  *w;

    w = torii_arena_zalloc(account->arena, sizeof(dnssync_webhook_t));
    account->data = w;

    return dnssync_account_url(account, "webhook-provider-url",
                               DNSSYNC_WEBHOOK_URL, 1, &w->base);
}


static dnssync_op_step_e
dnssync_webhook_go(dnssync_op_t *op)
{
    dnssync_webhook_t        *w;
    dnssync_webhook_state_t  *st;

    w = op->account->data;
    st = op->state;

    if (w->known && op->what != DNSSYNC_OP_ZONES) {
        return dnssync_webhook_start(op);
    }

    st->asking = 1;

    return dnssync_webhook_send(op, "GET", "/");
}


static dnssync_op_step_e
dnssync_webhook_send(dnssync_op_t *op, const char *method, const char *path)
{
    dnssync_webhook_t  *w;
    dnssync_request_t  *r;

    w = op->account->data;

    r = dnssync_op_http(op, method, "%.*s%s", torii_str_arg(w->base), path);
    r->timeout = DNSSYNC_WEBHOOK_TIMEOUT;

    dnssync_op_header(op, "Accept: " DNSSYNC_WEBHOOK_TYPE);

    if (method[0] == 'P') {
        dnssync_op_header(op, "Content-Type: " DNSSYNC_WEBHOOK_TYPE);
    }

    return dnssync_op_send(op);
}


static dnssync_op_step_e
dnssync_webhook_start(dnssync_op_t *op)
{
    dnssync_op_step_e         step;
    dnssync_webhook_state_t  *st;

    st = op->state;

    switch (op->what) {

    case DNSSYNC_OP_ZONES:
        return dnssync_webhook_zones(op);

    case DNSSYNC_OP_PROBE:
        return DNSSYNC_OP_DONE;

    case DNSSYNC_OP_ADJUST:
        step = dnssync_webhook_send(op, "POST", "/adjustendpoints");

        if (dnssync_webhook_wants(dnssync_op_body(op), op) == 0) {
            return DNSSYNC_OP_DONE;
        }

        return step == DNSSYNC_OP_SEND ? dnssync_op_send(op) : step;

    case DNSSYNC_OP_APPLY:
        st->limit = DNSSYNC_WEBHOOK_EDITS;
        return dnssync_webhook_next(op);

    default:
        return dnssync_webhook_send(op, "GET", "/records");
    }
}


static dnssync_op_step_e
dnssync_webhook_answer(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    const char               *why;
    dnssync_webhook_state_t  *st;

    st = op->state;

    if (st->asking) {
        return dnssync_webhook_asked(op, answer);
    }

    if (op->what == DNSSYNC_OP_ADJUST) {
        return dnssync_webhook_adjust(op, answer);
    }

    if (st->writing) {
        return dnssync_webhook_posted(op, answer);
    }

    if (answer->status != 200) {
        return dnssync_op_fail_http(op, answer, "asking the webhook for all "
                                    "records");
    }

    why = dnssync_webhook_records(op, &st->check.map, answer->body);

    if (why != NULL) {
        op->nsets = 0;
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "asking the "
                               "webhook for all records: %s", why);
    }

    switch (op->what) {

    case DNSSYNC_OP_CHALLENGE:
        return dnssync_webhook_challenge(op);

    case DNSSYNC_OP_APPLY:
        dnssync_check_end(op, &st->check, st->from, st->to);
        return dnssync_webhook_post(op);

    default:
        return DNSSYNC_OP_DONE;
    }
}


/* The type says that it speaks the protocol, and which version. */

static int
dnssync_webhook_speaks(torii_str_t type)
{
    int          speaks;
    size_t       i;
    torii_str_t  s;
    torii_buf_t  b;

    static const char  wanted[] = DNSSYNC_WEBHOOK_TYPE;

    memset(&b, 0, sizeof(torii_buf_t));

    for (i = 0; i < type.len; i++) {
        if (type.data[i] != ' ' && type.data[i] != '\t') {
            torii_buf_add(&b, type.data + i, 1);
        }
    }

    s.data = b.data;
    s.len = (b.len > sizeof(wanted) - 1) ? sizeof(wanted) - 1 : b.len;

    speaks = torii_str_caseeqs(s, wanted)
             && (b.len == s.len || b.data[s.len] == ';');

    torii_buf_free(&b);

    return speaks;
}


static dnssync_op_step_e
dnssync_webhook_asked(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    const char               *why;
    dnssync_webhook_state_t  *st;

    st = op->state;
    st->asking = 0;

    if (!dnssync_http_ok(answer)) {
        return dnssync_op_fail_http(op, answer, "asking the webhook for its "
                                    "domains");
    }

    if (!dnssync_webhook_speaks(answer->type)) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_SETTING, "what answers at "
                               "webhook-provider-url is no webhook of "
                               "version 1: its Content-Type is \"%.*s\"",
                               torii_str_arg(answer->type));
    }

    why = dnssync_webhook_filter(op, answer->body);

    if (why != NULL) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "asking the "
                               "webhook for its domains: %s", why);
    }

    return dnssync_webhook_start(op);
}


static dnssync_op_step_e
dnssync_webhook_zones(dnssync_op_t *op)
{
    uint32_t            i, k;
    dnssync_found_t    *zone;
    dnssync_webhook_t  *w;

    w = op->account->data;

    if (w->nzones == 0) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_SETTING, "the webhook does "
                               "not tell its domains: name them in \"zones\"");
    }

    for (i = 0; i < w->nzones && i < DNSSYNC_ZONES_MAX; i++) {

        for (k = 0; k < i && !torii_str_eq(w->zones[i], w->zones[k]); k++) {
            /* void */
        }

        if (k < i) {
            continue;
        }

        zone = dnssync_op_zone(op);

        zone->id = torii_arena_str(op->arena, w->zones[i]);
        zone->name = zone->id;
    }

    return DNSSYNC_OP_DONE;
}


static dnssync_op_step_e
dnssync_webhook_adjust(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    const char  *why;

    if (answer->status != 200) {
        return dnssync_op_fail_http(op, answer, "having the webhook adjust "
                                    "what is wanted");
    }

    why = dnssync_webhook_adjusted(op, answer->body);

    if (why != NULL) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "having the "
                               "webhook adjust what is wanted: %s", why);
    }

    return DNSSYNC_OP_DONE;
}


static dnssync_op_step_e
dnssync_webhook_next(dnssync_op_t *op)
{
    dnssync_webhook_state_t  *st;

    st = op->state;
    st->from = st->to;
    st->writing = 0;

    if (st->from == op->nedits) {
        return DNSSYNC_OP_DONE;
    }

    st->to = (op->nedits - st->from > st->limit) ? st->from + st->limit
                                                 : op->nedits;

    if (!dnssync_check_begin(op, &st->check, st->from, st->to)) {
        return dnssync_webhook_post(op);
    }

    st->check.whole = 1;

    return dnssync_webhook_send(op, "GET", "/records");
}


static dnssync_op_step_e
dnssync_webhook_post(dnssync_op_t *op)
{
    uint32_t                  i, n;
    dnssync_map_t             here;
    dnssync_webhook_state_t  *st;

    st = op->state;
    memset(&here, 0, sizeof(dnssync_map_t));

    for (i = st->from, n = 0; i < st->to; i++) {

        if (op->results[i].what != DNSSYNC_OUTCOME_LATER) {
            continue;
        }

        if (dnssync_check_meets(op, &here, op->edits[i])) {
            break;
        }

        dnssync_check_touch(op, &here, i);
        n++;
    }

    st->to = i;

    if (n == 0) {
        return dnssync_webhook_next(op);
    }

    st->writing = 1;

    (void) dnssync_webhook_send(op, "POST", "/records");
    dnssync_webhook_changes(dnssync_op_body(op), op, st->from, st->to);

    return dnssync_op_send(op);
}


/*
 * Many webhooks have no other word than 500 for a record that their provider
 * does not like, hence that is halved, too; but what is down stays down.
 */

static dnssync_op_step_e
dnssync_webhook_posted(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    uint32_t                  i, n;
    torii_str_t               text;
    dnssync_webhook_state_t  *st;

    st = op->state;

    if (op->what == DNSSYNC_OP_CHALLENGE) {
        return answer->status == 204
               ? DNSSYNC_OP_DONE
               : dnssync_op_fail_http(op, answer, "having the webhook change "
                                      "a TXT record");
    }

    for (i = st->from, n = 0; i < st->to; i++) {

        if (op->results[i].what == DNSSYNC_OUTCOME_LATER) {
            n++;

            if (answer->status == 204) {
                dnssync_check_touch(op, &st->check.touched, i);
            }
        }
    }

    if (answer->status == 204) {
        dnssync_op_results(op, st->from, st->to, DNSSYNC_OUTCOME_DONE, "");

        st->broken = 0;
        st->limit = (st->limit < DNSSYNC_WEBHOOK_EDITS / 2)
                    ? 2 * st->limit : DNSSYNC_WEBHOOK_EDITS;

        return dnssync_webhook_next(op);
    }

    if (answer->status < 400 || answer->status == 401
        || answer->status == 403 || answer->status == 404
        || answer->status == 429 || answer->status == 503)
    {
        if (answer->status < 400 || answer->status == 503) {
            dnssync_op_results(op, st->from, st->to, DNSSYNC_OUTCOME_UNSURE,
                               "the webhook has not answered with 204");
        }

        return dnssync_op_fail_http(op, answer, "having the webhook change "
                                    "records");
    }

    if (n > 1) {
        st->limit = (n + 1) / 2;
        st->to = st->from;

        return dnssync_webhook_next(op);
    }

    text = dnssync_http_error(op->arena, answer->body);

    dnssync_op_results(op, st->from, st->to, DNSSYNC_OUTCOME_REFUSED,
                       text.len ? (char *) text.data
                                : "the webhook gives no reason");

    st->broken = (answer->status >= 500) ? st->broken + 1 : 0;

    if (st->broken == DNSSYNC_WEBHOOK_BROKEN) {
        return dnssync_op_fail_http(op, answer, "having the webhook change "
                                    "records");
    }

    return dnssync_webhook_next(op);
}


static dnssync_op_step_e
dnssync_webhook_challenge(dnssync_op_t *op)
{
    int                       there;
    uint32_t                  i;
    dnssync_part_t            part;
    dnssync_rrset_t           after, *old;
    dnssync_map_entry_t      *e;
    dnssync_webhook_state_t  *st;

    st = op->state;

    e = dnssync_map_get(&st->check.map, op->name, DNSSYNC_TXT);
    old = e ? &op->sets[e->number] : NULL;

    memset(&after, 0, sizeof(dnssync_rrset_t));

    after.name = op->name;
    after.type = DNSSYNC_TXT;
    after.ttl = old ? old->ttl : op->ttl;
    after.values = torii_arena_alloc(op->arena, ((old ? old->n : 0) + 1)
                                                * sizeof(torii_str_t));

    for (i = 0, there = 0; old != NULL && i < old->n; i++) {

        if (torii_str_eq(old->values[i], op->value)) {
            there = 1;
            continue;
        }

        after.values[after.n++] = old->values[i];
    }

    if (there == (int) op->add) {
        return DNSSYNC_OP_DONE;
    }

    if (op->add) {
        after.values[after.n++] = op->value;
    }

    part.before = old;
    part.after = after.n ? &after : NULL;

    st->writing = 1;

    (void) dnssync_webhook_send(op, "POST", "/records");
    dnssync_webhook_change(dnssync_op_body(op), op, &part, torii_str(""));

    return dnssync_op_send(op);
}


const dnssync_driver_t  dnssync_webhook_driver = {
    .name = "webhook",
    .settings = dnssync_webhook_settings,
    .provider = {
        .options = dnssync_webhook_prefixes,
        .sets = 1
    },
    .at_once = 1,
    .adjusts = 1,
    .init = dnssync_webhook_init,
    .go = dnssync_webhook_go,
    .answer = dnssync_webhook_answer,
    .state = sizeof(dnssync_webhook_state_t)
};
