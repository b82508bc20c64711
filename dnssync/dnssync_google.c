
/*
 * Google Cloud DNS: which request is next, and who reads its answer.
 */

#include "dnssync_google.h"


static dnssync_op_step_e dnssync_google_answer(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_google_error(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static int dnssync_google_gone(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_google_send(dnssync_op_t *op);
static dnssync_op_step_e dnssync_google_challenge(dnssync_op_t *op,
    torii_str_t body);


static const dnssync_setting_t  dnssync_google_settings[] = {
    { "google-project", "id of the project, if not the credentials'", 0, 0 },
    { "google-service-account", "key of a service account (JSON); without it: "
      "the machine's account", 0, 1 },
    { "google-token-url", "where tokens come from, if not as the key says",
      0, 0 },
    { "google-metadata-url", "of the machine's account", 0, 0 },
    { "api-url", "of Cloud DNS, if not Google's own", 0, 0 },
    { NULL, NULL, 0, 0 }
};


static const char *const  dnssync_google_options[] = {
    "google/", NULL
};


const dnssync_driver_t  dnssync_google_driver = {
    .name = "google",
    .settings = dnssync_google_settings,
    .provider = {
        .ttl_max = 2147483647,
        .values_max = 100,
        .options = dnssync_google_options
    },
    .rate = 10,
    .period = 1,
    .at_once = 2,
    .init = dnssync_google_init,
    .cleanup = dnssync_google_cleanup,
    .go = dnssync_google_go,
    .answer = dnssync_google_answer,
    .state = sizeof(dnssync_google_state_t)
};


/* What an error is called, and what helps. */

static const struct {
    const char         *reason;
    dnssync_trouble_e   trouble;
} dnssync_google_reasons[] = {
    { "rateLimitExceeded", DNSSYNC_TROUBLE_THROTTLED },
    { "userRateLimitExceeded", DNSSYNC_TROUBLE_THROTTLED },
    { "quotaExceeded", DNSSYNC_TROUBLE_THROTTLED },
    { "RATE_LIMIT_EXCEEDED", DNSSYNC_TROUBLE_THROTTLED }
};

#define DNSSYNC_GOOGLE_REASONS                                                \
    (sizeof(dnssync_google_reasons) / sizeof(dnssync_google_reasons[0]))


dnssync_op_step_e
dnssync_google_go(dnssync_op_t *op)
{
    dnssync_google_t        *data;
    dnssync_google_state_t  *st;

    st = op->state;
    data = op->account->data;

    if (op->what == DNSSYNC_OP_ADJUST) {
        return dnssync_op_unsupported(op);
    }

    if (!dnssync_cloud_token(op) || data->project.len == 0) {
        return dnssync_google_ask(op);
    }

    if (op->what == DNSSYNC_OP_APPLY
        || (op->what == DNSSYNC_OP_CHALLENGE
            && st->phase >= DNSSYNC_GOOGLE_BATCH))
    {
        return dnssync_google_apply(op);
    }

    return dnssync_google_send(op);
}


static dnssync_op_step_e
dnssync_google_send(dnssync_op_t *op)
{
    torii_str_t              token;
    dnssync_google_t        *data;
    dnssync_google_state_t  *st;

    st = op->state;
    data = op->account->data;

    if (st->phase == DNSSYNC_GOOGLE_BEGIN) {
        st->phase = (op->what == DNSSYNC_OP_ZONES) ? DNSSYNC_GOOGLE_ZONES
                    : (op->what == DNSSYNC_OP_CHALLENGE)
                      ? DNSSYNC_GOOGLE_HAVE : DNSSYNC_GOOGLE_HEAD;
    }

    switch (st->phase) {

    case DNSSYNC_GOOGLE_ZONES:
        token = op->account->token;
        (void) dnssync_op_http(op, "GET", "%.*s/dns/v1/projects/%.*s/"
                               "managedZones?maxResults=%u%s%.*s",
                               torii_str_arg(data->url),
                               torii_str_arg(data->project),
                               DNSSYNC_GOOGLE_PAGE,
                               st->page.len ? "&pageToken=" : "",
                               torii_str_arg(st->page));
        dnssync_op_header(op, "Authorization: Bearer %.*s",
                          torii_str_arg(token));
        break;

    case DNSSYNC_GOOGLE_SETS:
        dnssync_google_page(op, torii_str(""), 0);
        break;

    case DNSSYNC_GOOGLE_HAVE:
        dnssync_google_page(op, op->name, DNSSYNC_TXT);
        break;

    default:
        dnssync_google_request(op, "GET", "changes", torii_str(
                               "?maxResults=1&sortBy=changeSequence"
                               "&sortOrder=descending"));
    }

    return dnssync_op_send(op);
}


void
dnssync_google_request(dnssync_op_t *op, const char *method,
    const char *path, torii_str_t query)
{
    torii_buf_t        zone;
    dnssync_google_t  *data;

    data = op->account->data;
    memset(&zone, 0, sizeof(torii_buf_t));
    dnssync_url_add(&zone, op->zone.id);

    (void) dnssync_op_http(op, method, "%.*s/dns/v1/projects/%.*s/"
                           "managedZones/%.*s/%s%.*s",
                           torii_str_arg(data->url),
                           torii_str_arg(data->project), torii_str_arg(zone),
                           path, torii_str_arg(query));

    dnssync_op_header(op, "Authorization: Bearer %.*s",
                      torii_str_arg(op->account->token));

    torii_buf_free(&zone);
}


static dnssync_op_step_e
dnssync_google_answer(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    dnssync_google_state_t  *st;

    st = op->state;

    if (st->asking || st->locating) {
        return dnssync_google_answered(op, answer) == TORII_OK
               ? dnssync_google_go(op) : DNSSYNC_OP_FAILED;
    }

    if (!dnssync_http_ok(answer)) {
        return dnssync_google_error(op, answer);
    }

    st->tries = 0;

    switch (st->phase) {

    case DNSSYNC_GOOGLE_ZONES:
        return dnssync_google_zones(op, answer->body);

    case DNSSYNC_GOOGLE_HEAD:
    case DNSSYNC_GOOGLE_AGAIN:
        return dnssync_google_head(op, answer->body);

    case DNSSYNC_GOOGLE_SETS:
        return dnssync_google_list(op, answer->body);

    case DNSSYNC_GOOGLE_HAVE:
        return dnssync_google_challenge(op, answer->body);

    case DNSSYNC_GOOGLE_READ:
    case DNSSYNC_GOOGLE_WALK:
        return dnssync_google_read(op, answer->body);

    case DNSSYNC_GOOGLE_PENDING:
        return dnssync_google_polled(op, answer->body);

    default:
        return dnssync_google_applied(op, answer->body);
    }
}


static dnssync_op_step_e
dnssync_google_error(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    dnssync_op_step_e        step;
    dnssync_google_state_t  *st;

    st = op->state;

    if (answer->status == 401 && !st->renewed) {
        st->renewed = 1;
        dnssync_cloud_token_drop(op);
        return dnssync_google_go(op);
    }

    if (st->phase == DNSSYNC_GOOGLE_CHANGE
        && (answer->status == 400 || answer->status == 409
            || answer->status == 412
            || (answer->status == 404 && dnssync_google_gone(op, answer))))
    {
        return dnssync_google_refused(op, answer);
    }

    /* it was made: that nobody can tell whether it is served, is no failure */

    if (st->phase == DNSSYNC_GOOGLE_PENDING) {
        return dnssync_google_polled(op, torii_str(""));
    }

    step = dnssync_google_fail(op, answer);

    if (step == DNSSYNC_OP_FAILED && st->phase == DNSSYNC_GOOGLE_CHANGE
        && (answer->status == 0 || answer->status >= 500))
    {
        dnssync_op_results(op, st->first, st->first + st->n,
                           DNSSYNC_OUTCOME_UNSURE, op->error);
    }

    return step;
}


/* A set that is not there, and not the zone. */

static int
dnssync_google_gone(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    torii_str_t  text;

    text = torii_arena_str(op->arena, dnssync_http_error(op->arena,
                                                         answer->body));

    return strstr((const char *) text.data, "entity.change") != NULL;
}


dnssync_op_step_e
dnssync_google_fail(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    size_t                   i;
    torii_str_t              reason;
    torii_node_t            *error, *errors;
    torii_arena_t           *a;
    dnssync_op_step_e        step;
    dnssync_google_state_t  *st;

    st = op->state;
    a = torii_arena_create(4096);

    error = torii_node_get(dnssync_http_json(a, answer->body), "error");
    errors = torii_node_get(error, "errors");
    reason = torii_str("");

    if (errors != NULL && errors->type == TORII_NODE_LIST && errors->n) {
        reason = dnssync_json_str(errors->items[0], "reason");
    }

    for (i = 0; i < DNSSYNC_GOOGLE_REASONS; i++) {
        if (torii_str_eqs(reason, dnssync_google_reasons[i].reason)) {
            break;
        }
    }

    if (answer->status == 429 || i < DNSSYNC_GOOGLE_REASONS) {
        step = dnssync_cloud_wait(op, &st->tries, answer->retry_after,
                                  reason.len ? reason : torii_str("429"));
    } else {
        step = dnssync_op_fail_http(op, answer, dnssync_cloud_where(op));
    }

    torii_arena_destroy(a);

    return step;
}


dnssync_op_step_e
dnssync_google_senseless(dnssync_op_t *op)
{
    return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "%s: the answer is not "
                           "what Google Cloud DNS sends, or not whole",
                           dnssync_cloud_where(op));
}


static dnssync_op_step_e
dnssync_google_challenge(dnssync_op_t *op, torii_str_t body)
{
    dnssync_google_state_t  *st;

    st = op->state;
    op->nsets = 0;

    if (dnssync_google_sets(op, body) != TORII_OK || st->page.len
        || op->nsets > 1
        || (op->nsets && (op->sets[0].type != DNSSYNC_TXT
                          || !torii_str_eq(op->sets[0].name, op->name))))
    {
        return dnssync_google_senseless(op);
    }

    if (!dnssync_cloud_challenge(op, op->nsets ? op->sets : NULL)) {
        return DNSSYNC_OP_DONE;
    }

    st->first = st->bad = 0;
    st->phase = DNSSYNC_GOOGLE_BATCH;

    return dnssync_google_go(op);
}
