
/*
 * Amazon Route 53: which request is next, and who reads its answer.
 */

#include "dnssync_route53.h"


static const char *dnssync_route53_init(dnssync_account_t *account);
static dnssync_op_step_e dnssync_route53_answer(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_route53_error(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_route53_send(dnssync_op_t *op);
static dnssync_op_step_e dnssync_route53_challenge(dnssync_op_t *op,
    torii_str_t body);
static void dnssync_route53_have(dnssync_op_t *op, dnssync_rrset_t *set);


static const dnssync_setting_t  dnssync_route53_settings[] = {
    DNSSYNC_AWS_SETTINGS,
    { NULL, NULL, 0, 0 }
};

static const char *const  dnssync_route53_options[] = {
    "aws/", "alias", NULL
};


const dnssync_driver_t  dnssync_route53_driver = {
    .name = "route53",
    .settings = dnssync_route53_settings,
    .provider = {
        .ttl_max = DNSSYNC_TTL_LIMIT,
        .values_max = 400,
        .options = dnssync_route53_options,
        .sets = 1
    },
    .rate = 2,                 /* of 5 a second, which all tools share */
    .period = 1,
    .at_once = 2,
    .adjusts = 1,
    .init = dnssync_route53_init,
    .go = dnssync_route53_go,
    .answer = dnssync_route53_answer,
    .state = sizeof(dnssync_route53_t)
};


static const char *
dnssync_route53_init(dnssync_account_t *account)
{
    return dnssync_aws_init(account);
}


/* The request that belongs to the phase: after SLEEP it is the same again. */

dnssync_op_step_e
dnssync_route53_go(dnssync_op_t *op)
{
    dnssync_route53_t  *st;

    st = op->state;

    if (op->what == DNSSYNC_OP_ADJUST) {
        return dnssync_route53_adjust(op);
    }

    if (!dnssync_aws_ready(op)) {
        st->asking = 1;
        return dnssync_aws_go(op, &st->ask);
    }

    if (op->what == DNSSYNC_OP_APPLY
        || (op->what == DNSSYNC_OP_CHALLENGE
            && st->phase >= DNSSYNC_ROUTE53_BATCH))
    {
        return dnssync_route53_apply(op);
    }

    return dnssync_route53_send(op);
}


static dnssync_op_step_e
dnssync_route53_send(dnssync_op_t *op)
{
    torii_buf_t               b;
    torii_str_t               path;
    dnssync_route53_t        *st;
    dnssync_route53_next_t    from;

    st = op->state;

    if (st->phase == DNSSYNC_ROUTE53_BEGIN) {
        st->phase = (op->what == DNSSYNC_OP_ZONES) ? DNSSYNC_ROUTE53_ZONES
                    : (op->what == DNSSYNC_OP_CHALLENGE)
                      ? DNSSYNC_ROUTE53_HAVE : DNSSYNC_ROUTE53_COUNT;
    }

    memset(&b, 0, sizeof(torii_buf_t));

    if (st->phase == DNSSYNC_ROUTE53_SETS) {
        dnssync_route53_page(op, &st->next, DNSSYNC_ROUTE53_PAGE);
        return dnssync_op_send(op);
    }

    if (st->phase == DNSSYNC_ROUTE53_HAVE) {
        dnssync_route53_name(&b, op->name);
        memset(&from, 0, sizeof(dnssync_route53_next_t));
        from.name.data = b.data;
        from.name.len = b.len;
        from.type = torii_str("TXT");

        dnssync_route53_page(op, &from, 1);
        torii_buf_free(&b);
        return dnssync_op_send(op);
    }

    torii_buf_adds(&b, DNSSYNC_ROUTE53_PATH);

    if (st->phase == DNSSYNC_ROUTE53_ZONES) {
        torii_buf_adds(&b, "?");

        if (st->next.more) {
            torii_buf_adds(&b, "marker=");
            dnssync_url_add(&b, st->next.name);
            torii_buf_adds(&b, "&");
        }

        torii_buf_adds(&b, "maxitems=100");

    } else {
        torii_buf_adds(&b, "/");
        dnssync_url_add(&b, op->zone.id);
    }

    path.data = b.data;
    path.len = b.len;
    (void) dnssync_aws_request(op, "GET", path);
    torii_buf_free(&b);

    return dnssync_op_send(op);
}


/* Parameters in the order of their names, as the signature has them. */

void
dnssync_route53_page(dnssync_op_t *op, const dnssync_route53_next_t *from,
    unsigned max)
{
    torii_buf_t  b;
    torii_str_t  path;

    memset(&b, 0, sizeof(torii_buf_t));

    torii_buf_adds(&b, DNSSYNC_ROUTE53_PATH "/");
    dnssync_url_add(&b, op->zone.id);
    torii_buf_adds(&b, "/rrset?");

    if (from->set.len) {
        torii_buf_adds(&b, "identifier=");
        dnssync_url_add(&b, from->set);
        torii_buf_adds(&b, "&");
    }

    torii_buf_printf(&b, "maxitems=%u", max);

    if (from->name.len) {
        torii_buf_adds(&b, "&name=");
        dnssync_url_add(&b, from->name);
    }

    if (from->type.len) {
        torii_buf_adds(&b, "&type=");
        dnssync_url_add(&b, from->type);
    }

    path.data = b.data;
    path.len = b.len;
    (void) dnssync_aws_request(op, "GET", path);

    torii_buf_free(&b);
}


static dnssync_op_step_e
dnssync_route53_answer(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    int                 rc;
    dnssync_route53_t  *st;

    st = op->state;

    if (st->asking) {
        rc = dnssync_aws_answer(op, &st->ask, answer);

        if (rc == TORII_AGAIN) {
            return dnssync_aws_go(op, &st->ask);
        }

        st->asking = 0;

        return rc == TORII_OK ? dnssync_route53_go(op) : DNSSYNC_OP_FAILED;
    }

    if (answer->status != 200) {
        return dnssync_route53_error(op, answer);
    }

    st->tries = 0;

    switch (st->phase) {

    case DNSSYNC_ROUTE53_ZONES:
        return dnssync_route53_zones(op, answer->body);

    case DNSSYNC_ROUTE53_COUNT:
    case DNSSYNC_ROUTE53_AGAIN:
        return dnssync_route53_count(op, answer->body);

    case DNSSYNC_ROUTE53_SETS:
        return dnssync_route53_list(op, answer->body);

    case DNSSYNC_ROUTE53_HAVE:
        return dnssync_route53_challenge(op, answer->body);

    case DNSSYNC_ROUTE53_READ:
        return dnssync_route53_read(op, answer->body);

    default:
        return dnssync_route53_applied(op, answer);
    }
}


static dnssync_op_step_e
dnssync_route53_error(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    dnssync_op_step_e     step;
    dnssync_route53_t    *st;
    dnssync_aws_error_t   error;

    st = op->state;

    dnssync_aws_error(op->arena, answer->body, &error);

    if (torii_str_starts(error.code, "ExpiredToken") && !st->renewed) {
        st->renewed = 1;
        dnssync_aws_drop(op);

        if (!dnssync_aws_ready(op)) {
            return dnssync_route53_go(op);
        }
    }

    if (st->phase != DNSSYNC_ROUTE53_CHANGE) {
        return dnssync_aws_fail(op, &st->tries, answer, &error);
    }

    if (torii_str_eqs(error.code, "InvalidChangeBatch")) {
        return dnssync_route53_applied(op, answer);
    }

    step = dnssync_aws_fail(op, &st->tries, answer, &error);

    if (step == DNSSYNC_OP_FAILED
        && (answer->status == 0 || answer->status >= 500))
    {
        dnssync_op_results(op, st->first, st->first + st->n,
                           DNSSYNC_OUTCOME_UNSURE, op->error);
    }

    return step;
}


dnssync_op_step_e
dnssync_route53_senseless(dnssync_op_t *op)
{
    return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "%s: the answer is not "
                           "what Route 53 sends, or not whole",
                           dnssync_cloud_where(op));
}


static dnssync_op_step_e
dnssync_route53_challenge(dnssync_op_t *op, torii_str_t body)
{
    dnssync_route53_t  *st;

    st = op->state;
    op->nsets = 0;

    if (dnssync_route53_sets(op, body, dnssync_route53_have) != TORII_OK) {
        return dnssync_route53_senseless(op);
    }

    if (!dnssync_cloud_challenge(op, op->nsets ? op->sets : NULL)) {
        return DNSSYNC_OP_DONE;
    }

    st->first = st->bad = st->checked = 0;
    st->phase = DNSSYNC_ROUTE53_BATCH;

    return dnssync_route53_go(op);
}


static void
dnssync_route53_have(dnssync_op_t *op, dnssync_rrset_t *set)
{
    if (set->type == DNSSYNC_TXT && torii_str_eq(set->name, op->name)
        && op->nsets == 0)
    {
        *dnssync_op_set(op) = *set;
    }
}
