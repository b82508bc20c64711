
/*
 * Authorizations whose challenges can be seen: the CA is told of all, then each
 * is polled until it is final (RFC 8555 section 7.5.1).
 */

#include "acme_order.h"


static uint64_t acme_authz_deadline(const acme_order_t *o, uint64_t now);
static void acme_authz_post(acme_authz_t *z, uint64_t now);
static void acme_authz_posted(acme_client_t *c, void *data,
    const acme_reply_t *r);
static void acme_authz_poll(acme_authz_t *z, const acme_reply_t *r,
    uint64_t now);
static void acme_authz_polled(acme_client_t *c, void *data,
    const acme_reply_t *r);
static void acme_authz_pending(acme_authz_t *z, const acme_reply_t *r);
static const torii_node_t *acme_authz_challenge(const acme_authz_t *z,
    const torii_node_t *doc);
static void acme_authz_check(acme_order_t *o, uint64_t now);


void
acme_authz_post_all(acme_order_t *o, uint64_t now)
{
    uint32_t       i;
    acme_authz_t  *z;

    o->deadline = acme_authz_deadline(o, now);

    for (i = 0; i < o->nauthz; i++) {
        z = &o->authz[i];

        if (z->state != ACME_AUTHZ_CHOSEN) {
            continue;
        }

        z->state = ACME_AUTHZ_POSTED;

        if (z->processing) {
            acme_authz_poll(z, NULL, now);

        } else {
            acme_authz_post(z, now);
        }
    }
}


static uint64_t
acme_authz_deadline(const acme_order_t *o, uint64_t now)
{
    uint32_t             i;
    uint64_t             deadline;
    const acme_authz_t  *z;

    deadline = now + ACME_AUTHZ_TIME;

    for (i = 0; i < o->nchallenges; i++) {
        if (o->challenges[i].type == ACME_CHALLENGE_DNS
            || o->challenges[i].type == ACME_CHALLENGE_DNS_PERSIST)
        {
            deadline = now + ACME_AUTHZ_TIME_DNS;
        }
    }

    for (i = 0; i < o->nauthz; i++) {
        z = &o->authz[i];

        if (z->state == ACME_AUTHZ_CHOSEN && z->expires > now
            && z->expires < deadline)
        {
            deadline = z->expires;
        }
    }

    return deadline;
}


/* Section 7.5.1: an empty object, once. */

static void
acme_authz_post(acme_authz_t *z, uint64_t now)
{
    acme_call_t  *call;

    call = acme_call_post_to(z->order->client, z->post, now,
                             acme_authz_posted, z);

    call->single = 1;
    torii_buf_adds(&call->payload, "{}");

    z->posts++;
    z->lost = 0;
    z->refused.fail = ACME_FAIL_NONE;
}


/*
 * Whatever the answer, the authorization tells how it stands: a challenge that
 * is pending no more is refused, too.
 */

static void
acme_authz_posted(acme_client_t *c, void *data, const acme_reply_t *r)
{
    acme_authz_t  *z;

    z = data;

    if (r->problem == NULL) {
        acme_authz_poll(z, r, r->now);
        return;
    }

    if (r->problem->fail == ACME_FAIL_LIMIT) {
        acme_authz_failed(z, r->now, r->problem);
        acme_authz_check(z->order, r->now);
        return;
    }

    z->lost = acme_order_may_wait(r->problem);

    if (!z->lost) {
        z->refused = *r->problem;
        acme_order_dead(&z->refused);
    }

    acme_authz_poll(z, r, r->now);
}


static void
acme_authz_poll(acme_authz_t *z, const acme_reply_t *r, uint64_t now)
{
    uint64_t       due;
    acme_order_t  *o;

    o = z->order;

    if (z->poked) {
        z->poked = 0;
        due = z->polled ? z->polled + ACME_POKE_GAP : now;

    } else if (r && r->waits) {
        due = now + (r->wait > ACME_POLL ? r->wait : ACME_POLL);

    } else {
        due = now + ((uint64_t) ACME_POLL << (z->polls < 3 ? z->polls : 3));
    }

    z->polls++;
    z->call = acme_call_post_to(o->client, z->url,
                                due < o->deadline ? due : o->deadline,
                                acme_authz_polled, z);
    z->call->single = 1;
    z->call->json = 1;
}


void
acme_authz_poke(acme_order_t *o, uint64_t now)
{
    uint32_t       i;
    uint64_t       due;
    acme_authz_t  *z;

    for (i = 0; i < o->nauthz; i++) {
        z = &o->authz[i];

        if (z->state != ACME_AUTHZ_POSTED || z->pokes == ACME_POKE_MAX) {
            continue;
        }

        if (z->call == NULL || z->call->id) {
            z->pokes += !z->poked;
            z->poked = 1;
            continue;
        }

        due = z->polled ? z->polled + ACME_POKE_GAP : now;

        if (due < z->call->due) {
            z->call->due = due;
            z->pokes++;
        }
    }
}


static void
acme_authz_polled(acme_client_t *c, void *data, const acme_reply_t *r)
{
    acme_authz_t    *z;
    acme_order_t    *o;
    acme_problem_t   problem;

    z = data;
    o = z->order;

    z->call = NULL;
    z->polled = r->now;

    if (r->problem) {
        problem = *r->problem;
        acme_order_dead(&problem);

        if (acme_order_may_wait(&problem) && r->now < o->deadline
            && problem.retry_at < o->deadline)
        {
            acme_authz_poll(z, r, r->now);
            return;
        }

        acme_authz_failed(z, r->now, &problem);

    } else {

        switch (acme_status_read(r->doc)) {

        case ACME_STATUS_VALID:
            z->state = ACME_AUTHZ_VALID;
            z->pending = 0;
            break;

        case ACME_STATUS_PENDING:
        case ACME_STATUS_PROCESSING:
            acme_authz_pending(z, r);
            break;

        default:
            acme_authz_invalid(z, r->doc, r->now);
        }
    }

    acme_authz_check(o, r->now);
}


static void
acme_authz_pending(acme_authz_t *z, const acme_reply_t *r)
{
    int                  untouched;
    acme_problem_t       problem;
    const torii_node_t  *challenge;

    challenge = acme_authz_challenge(z, r->doc);
    untouched = challenge != NULL
                && torii_str_eqs(acme_json_text(challenge, "status"),
                                 "pending");

    if (untouched && z->refused.fail != ACME_FAIL_NONE) {
        acme_authz_failed(z, r->now, &z->refused);
        return;
    }

    if (r->now >= z->order->deadline) {
        acme_problem_set(&problem, ACME_FAIL_VALIDATION,
                         "the CA did not validate the name in time");
        acme_authz_failed(z, r->now, &problem);
        return;
    }

    if (untouched && z->lost && z->posts < ACME_CHALLENGE_POSTS) {
        acme_authz_post(z, r->now);
        return;
    }

    acme_authz_poll(z, r, r->now);
}


/* Ours; NULL: it is no more among them. */

static const torii_node_t *
acme_authz_challenge(const acme_authz_t *z, const torii_node_t *doc)
{
    uint32_t             i;
    const torii_node_t  *list;

    list = torii_node_get(doc, "challenges");

    if (list == NULL || list->type != TORII_NODE_LIST) {
        return NULL;
    }

    for (i = 0; i < list->n && i < ACME_CHALLENGES_MAX; i++) {
        if (torii_str_eq(acme_json_text(list->items[i], "url"), z->post)) {
            return list->items[i];
        }
    }

    return NULL;
}


static void
acme_authz_check(acme_order_t *o, uint64_t now)
{
    uint32_t  i, failed;

    failed = 0;

    for (i = 0; i < o->nauthz; i++) {
        if (o->authz[i].state == ACME_AUTHZ_POSTED) {
            return;
        }

        failed += (o->authz[i].state == ACME_AUTHZ_FAILED);
    }

    if (failed) {
        acme_authz_give_up(o, now);
        return;
    }

    o->deadline = 0;
    o->step = ACME_ORDER_VALIDATED;
}
