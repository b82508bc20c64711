
/*
 * Answers: each is judged, and what may go better next time is sent again,
 * later each time.
 */

#include <stdio.h>

#include "acme_client_machine.h"
#include "acme_date.h"


static const torii_tree_limits_t  acme_limits = {
    ACME_BODY_MAX, 20000, 16
};

static const uint32_t  acme_retry_waits[ACME_FAILURES] = {
    1000, 4000, 16000
};


static void acme_reply_read(acme_client_t *c, acme_reply_t *r);
static void acme_reply_judge(const acme_call_t *call, const acme_reply_t *r,
    acme_problem_t *problem);
static void acme_reply_count(acme_client_t *c, const acme_call_t *call,
    const acme_reply_t *r, const acme_problem_t *problem);
static int acme_call_again(acme_client_t *c, acme_call_t *call,
    const acme_reply_t *r, const acme_problem_t *problem);
static int acme_call_revive(acme_client_t *c, acme_call_t *call,
    const acme_problem_t *problem);


void
acme_client_answer(acme_client_t *c, uint64_t now, uint32_t id,
    const acme_response_t *res)
{
    acme_call_t     *call;
    acme_reply_t     r;
    acme_problem_t   problem;

    for (call = c->calls; call && (call->id != id || id == 0);
         call = call->next)
    {
        /* void */
    }

    if (call == NULL) {
        if (res->status) {
            acme_nonce_add(&c->nonces, now, res->nonce);
        }

        return;
    }

    memset(&r, 0, sizeof(acme_reply_t));

    r.now = now;
    r.res = res;
    r.arena = torii_arena_create(4096);

    acme_reply_read(c, &r);
    acme_reply_judge(call, &r, &problem);
    acme_reply_count(c, call, &r, &problem);

    call->id = 0;
    c->in_flight--;

    if (!acme_call_again(c, call, &r, &problem)) {

        if (problem.fail == ACME_FAIL_NONE) {
            c->renewed = (call->needs & ACME_NEED_ACCOUNT) ? 0 : c->renewed;

        } else {
            r.problem = &problem;
        }

        r.url = torii_arena_str(r.arena, call->where < ACME_URL_LISTED
                                         ? c->urls[call->where]
                                         : acme_str_of(&call->url));

        acme_call_detach(c, call);
        call->handler(c, call->data, &r);
        acme_call_free(call);
    }

    torii_arena_destroy(r.arena);
}


/* Only what is JSON by its first byte is tried: a chain is none. */

static void
acme_reply_read(acme_client_t *c, acme_reply_t *r)
{
    torii_str_t          body;
    torii_node_t        *doc;
    torii_tree_error_t   error;

    r->waits = acme_date_retry_after(r->res->retry_after, r->res->date,
                                     r->now, &r->wait)
               == TORII_OK;

    body = torii_str_trim(r->res->body);

    if (r->res->status == 0 || body.len == 0 || body.data[0] != '{') {
        return;
    }

    if (torii_tree_json(r->arena, body, &acme_limits, &doc, &error)
        == TORII_OK)
    {
        r->doc = doc;
    }
}


static void
acme_reply_judge(const acme_call_t *call, const acme_reply_t *r,
    acme_problem_t *problem)
{
    uint32_t  status;

    status = r->res->status;

    memset(problem, 0, sizeof(acme_problem_t));

    if (status == 0) {
        acme_problem_set(problem, ACME_FAIL_NETWORK, "%s",
                         r->res->error ? r->res->error : "no answer");

    } else if (r->res->body.len > ACME_BODY_MAX) {
        acme_problem_set(problem, ACME_FAIL_NETWORK,
                         "the answer is too large");

    } else if (status >= 400) {
        acme_problem_read(r->doc, status, 0, problem);

    } else if (status < 200 || status >= 300) {

        /* the signature is for the URL that was asked, and for no other */

        acme_problem_set(problem, ACME_FAIL_NETWORK,
                         "answered with status %u, which leads elsewhere",
                         (unsigned) status);

    } else if (call->where == ACME_URL_NEW_NONCE
               && !acme_nonce_ok(r->res->nonce))
    {
        acme_problem_set(problem, ACME_FAIL_SERVER,
                         "the answer has no Replay-Nonce");

    } else if (call->json && r->doc == NULL) {
        acme_problem_set(problem, ACME_FAIL_SERVER,
                         "the answer is not what was asked for");
    }

    problem->status = status;

    if (problem->fail != ACME_FAIL_NONE && r->waits) {
        problem->retry_at = r->now + r->wait;
    }
}


static void
acme_reply_count(acme_client_t *c, const acme_call_t *call,
    const acme_reply_t *r, const acme_problem_t *problem)
{
    int      bad_nonce;
    int64_t  date;

    c->counts.requests++;

    if (r->res->status == 0) {
        return;
    }

    bad_nonce = torii_str_caseeqs(torii_str(problem->type), "badNonce");

    if (bad_nonce) {
        c->counts.bad_nonces++;
        acme_nonce_clear(&c->nonces);
    }

    if (call->where == ACME_URL_NEW_ORDER && !bad_nonce) {
        c->counts.orders++;
    }

    if (problem->fail == ACME_FAIL_LIMIT) {
        c->counts.limited++;
    }

    if (acme_date_http(torii_str_trim(r->res->date), &date) == TORII_OK) {
        c->counts.skew = date * 1000 - (int64_t) r->now;
    }

    acme_nonce_add(&c->nonces, r->now, r->res->nonce);
}


/*
 * badNonce is no failure at first: the answer brought a better one.  A single
 * call may be sent again after it, since it cannot have had any effect.
 */

static int
acme_call_again(acme_client_t *c, acme_call_t *call, const acme_reply_t *r,
    const acme_problem_t *problem)
{
    int       bad_nonce;
    uint64_t  wait;

    if (problem->fail == ACME_FAIL_NONE) {
        return 0;
    }

    if (torii_str_caseeqs(torii_str(problem->type), "accountDoesNotExist")
        && (call->needs & ACME_NEED_ACCOUNT))
    {
        return acme_call_revive(c, call, problem);
    }

    bad_nonce = torii_str_caseeqs(torii_str(problem->type), "badNonce");

    if (bad_nonce && call->bad_nonces < ACME_BAD_NONCES) {
        call->bad_nonces++;
        return 1;
    }

    if (!(problem->fail == ACME_FAIL_SERVER
          || (problem->fail == ACME_FAIL_NETWORK && problem->status == 0))
        || (call->single && !bad_nonce)
        || call->failures == ACME_FAILURES)
    {
        return 0;
    }

    wait = acme_retry_waits[call->failures];
    wait += acme_client_random(c, (uint32_t) wait / 4);

    if (r->waits && r->wait > wait) {
        if (r->wait > ACME_RETRY_INLINE) {
            return 0;
        }

        wait = r->wait;
    }

    call->failures++;
    call->bad_nonces = 0;
    call->due = r->now + wait;

    return 1;
}


/*
 * The CA knows the account no more.  It is made again once; if that does not
 * help, only the operator can: a loop would use up what the CA allows.
 */

static int
acme_call_revive(acme_client_t *c, acme_call_t *call,
    const acme_problem_t *problem)
{
    if (call->generation != c->generation) {

        /* another call has heard it first */

        return 1;
    }

    if (call->revived || c->renewed) {
        acme_client_fail(c, problem);
        acme_register_lost(c);
        return 0;
    }

    call->revived = 1;
    c->renewed = 1;

    acme_register_lost(c);

    return 1;
}
