
/*
 * Cloudflare: changes.  A batch is done as a whole or not at all, and is halved
 * when it is refused, until the one that is refused is alone.
 */

#include "dnssync_cloudflare.h"


static dnssync_op_step_e dnssync_cloudflare_refused(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_cloudflare_challenged(dnssync_op_t *op,
    const dnssync_answer_t *answer);


/* What errors say of one change that was refused. */

static const struct {
    unsigned            code;
    dnssync_outcome_e   what;
} dnssync_cloudflare_codes[] = {
    { 81044, DNSSYNC_OUTCOME_LOST },       /* there is no such record */
    { 81053, DNSSYNC_OUTCOME_LOST },       /* A, AAAA or CNAME is there */
    { 81054, DNSSYNC_OUTCOME_LOST },       /* CNAME is there */
    { 81057, DNSSYNC_OUTCOME_LOST },       /* the same is there */
    { 81058, DNSSYNC_OUTCOME_LOST }
};

#define DNSSYNC_CLOUDFLARE_CODES                                              \
    (sizeof(dnssync_cloudflare_codes) / sizeof(dnssync_cloudflare_codes[0]))


dnssync_op_step_e
dnssync_cloudflare_batch(dnssync_op_t *op)
{
    dnssync_cloudflare_state_t  *st;

    st = op->state;
    st->from = st->to;
    st->writing = 0;

    if (st->from == op->nedits) {
        return DNSSYNC_OP_DONE;
    }

    /* an edit is one change at least */

    st->to = (op->nedits - st->from > st->limit) ? st->from + st->limit
                                                 : op->nedits;
    memset(&st->pages, 0, sizeof(dnssync_pages_t));

    return dnssync_check_begin(op, &st->check, st->from, st->to)
           ? dnssync_cloudflare_get(op) : dnssync_cloudflare_post(op);
}


dnssync_op_step_e
dnssync_cloudflare_post(dnssync_op_t *op)
{
    uint32_t                     i;
    torii_str_t                  path;
    torii_buf_t                 *b;
    dnssync_map_t                here;
    dnssync_cloudflare_state_t  *st;
    dnssync_cloudflare_batch_t   batch;

    st = op->state;

    memset(&here, 0, sizeof(dnssync_map_t));
    memset(&batch, 0, sizeof(dnssync_cloudflare_batch_t));

    for (i = st->from; i < st->to && batch.n < st->limit; i++) {

        if (op->results[i].what != DNSSYNC_OUTCOME_LATER) {
            continue;
        }

        if (dnssync_check_meets(op, &here, op->edits[i])) {
            break;
        }

        if (batch.n && batch.n + dnssync_cloudflare_size(op->edits[i])
                       > st->limit)
        {
            break;
        }

        if (dnssync_cloudflare_edit(&batch, op->edits[i]) != TORII_OK) {
            dnssync_op_result(op, i, DNSSYNC_OUTCOME_LOST, "the ids of its "
                              "records are not known");
            continue;
        }

        dnssync_check_touch(op, &here, i);
    }

    st->to = i;

    if (batch.n == 0) {
        dnssync_op_results(op, st->from, st->to, DNSSYNC_OUTCOME_DONE, "");
        return dnssync_cloudflare_batch(op);
    }

    path = torii_arena_printf(op->arena, "/zones/%.*s/dns_records/batch",
                              torii_str_arg(op->zone.id));
    dnssync_cloudflare_request(op, "POST", path);

    b = dnssync_op_body(op);

    torii_buf_printf(b, "{\"deletes\":[%.*s],\"patches\":[",
                     (int) batch.deletes.len, batch.deletes.len
                     ? (char *) batch.deletes.data : "");
    torii_buf_add(b, batch.patches.data, batch.patches.len);
    torii_buf_adds(b, "],\"posts\":[");
    torii_buf_add(b, batch.posts.data, batch.posts.len);
    torii_buf_adds(b, "]}");

    torii_buf_free(&batch.deletes);
    torii_buf_free(&batch.patches);
    torii_buf_free(&batch.posts);

    st->writing = 1;

    return dnssync_op_send(op);
}


dnssync_op_step_e
dnssync_cloudflare_applied(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    uint32_t                     i;
    dnssync_cloudflare_t        *c;
    dnssync_cloudflare_state_t  *st;

    c = op->account->data;
    st = op->state;

    if (op->what == DNSSYNC_OP_CHALLENGE) {
        return dnssync_cloudflare_challenged(op, answer);
    }

    if (!dnssync_http_ok(answer)
        || !dnssync_cloudflare_success(op->arena, answer->body))
    {
        return dnssync_cloudflare_refused(op, answer);
    }

    for (i = st->from; i < st->to; i++) {
        if (op->results[i].what == DNSSYNC_OUTCOME_LATER) {
            dnssync_check_touch(op, &st->check.touched, i);
        }
    }

    dnssync_op_results(op, st->from, st->to, DNSSYNC_OUTCOME_DONE, "");

    st->limit = (st->limit < c->batch / 2) ? 2 * st->limit : c->batch;

    return dnssync_cloudflare_batch(op);
}


static dnssync_op_step_e
dnssync_cloudflare_refused(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    size_t                       k;
    uint32_t                     i, n;
    unsigned                     code;
    torii_str_t                  text;
    dnssync_outcome_e            what;
    dnssync_cloudflare_state_t  *st;

    st = op->state;
    code = dnssync_cloudflare_code(op->arena, answer->body);

    if (answer->status == 0 || answer->status >= 500
        || dnssync_http_ok(answer))
    {
        dnssync_op_results(op, st->from, st->to, DNSSYNC_OUTCOME_UNSURE,
                           "there was no answer to the change");
    }

    if ((answer->status != 400 && answer->status != 409
         && answer->status != 422 && code != 81044)
        || dnssync_cloudflare_denied(code))
    {
        return dnssync_cloudflare_failed(op, answer, "changing records");
    }

    for (i = st->from, n = 0; i < st->to; i++) {
        n += op->results[i].what == DNSSYNC_OUTCOME_LATER;
    }

    if (n > 1) {
        st->limit = (n + 1) / 2;
        st->to = st->from;

        return dnssync_cloudflare_batch(op);
    }

    what = DNSSYNC_OUTCOME_REFUSED;

    for (k = 0; k < DNSSYNC_CLOUDFLARE_CODES; k++) {
        if (dnssync_cloudflare_codes[k].code == code) {
            what = dnssync_cloudflare_codes[k].what;
        }
    }

    text = dnssync_http_error(op->arena, answer->body);

    dnssync_op_results(op, st->from, st->to, what,
                       text.len ? (char *) text.data : "it is not valid");

    return dnssync_cloudflare_batch(op);
}


/* The records at the name are known: one more, or those of the value go. */

dnssync_op_step_e
dnssync_cloudflare_challenge(dnssync_op_t *op)
{
    uint32_t                     i;
    torii_str_t                  id, path;
    dnssync_rrset_t              set, *old;
    dnssync_map_entry_t         *e;
    dnssync_cloudflare_state_t  *st;

    st = op->state;

    e = dnssync_map_get(&st->check.map, op->name, DNSSYNC_TXT);
    old = e ? &op->sets[e->number] : NULL;

    for (i = 0; old != NULL && i < old->n; i++) {
        if (torii_str_eq(old->values[i], op->value)) {
            break;
        }
    }

    if ((old != NULL && i < old->n) == op->add) {
        return DNSSYNC_OP_DONE;
    }

    st->writing = 1;

    if (!op->add) {
        id = dnssync_gather_id(old, i);
        path = torii_arena_printf(op->arena, "/zones/%.*s/dns_records/%.*s",
                                  torii_str_arg(op->zone.id),
                                  torii_str_arg(id));
        dnssync_cloudflare_request(op, "DELETE", path);

        return dnssync_op_send(op);
    }

    memset(&set, 0, sizeof(dnssync_rrset_t));

    set.name = op->name;
    set.type = DNSSYNC_TXT;
    set.ttl = (op->ttl < DNSSYNC_CLOUDFLARE_TTL) ? DNSSYNC_CLOUDFLARE_TTL
                                                 : op->ttl;

    path = torii_arena_printf(op->arena, "/zones/%.*s/dns_records",
                              torii_str_arg(op->zone.id));
    dnssync_cloudflare_request(op, "POST", path);
    dnssync_cloudflare_record(dnssync_op_body(op), &set, op->value);

    return dnssync_op_send(op);
}


static dnssync_op_step_e
dnssync_cloudflare_challenged(dnssync_op_t *op,
    const dnssync_answer_t *answer)
{
    unsigned  code;

    if (dnssync_http_ok(answer)
        && dnssync_cloudflare_success(op->arena, answer->body))
    {
        return DNSSYNC_OP_DONE;
    }

    code = dnssync_cloudflare_code(op->arena, answer->body);

    if (op->add ? code == 81057 || code == 81058 : code == 81044) {
        return DNSSYNC_OP_DONE;
    }

    return dnssync_cloudflare_failed(op, answer, "changing a TXT record");
}
