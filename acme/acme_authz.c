
/*
 * Authorizations (RFC 8555 section 7.5): all are read, then all challenges are
 * presented; and how they fail.
 */

#include "acme_order.h"


static void acme_authz_got(acme_client_t *c, void *data, const acme_reply_t *r);
static int acme_authz_name(acme_authz_t *z, const torii_node_t *doc);
static void acme_authz_read(acme_order_t *o, uint64_t now);
static void acme_authz_show(acme_order_t *o, uint64_t now, uint32_t chosen,
    int look);
static void acme_authz_cleaned(acme_client_t *c, void *data,
    const acme_reply_t *r);


int
acme_authz_list(acme_order_t *o, const torii_node_t *urls)
{
    uint32_t  i;

    o->listed = 1;

    if (urls == NULL || urls->type == TORII_NODE_NULL) {
        return TORII_OK;
    }

    if (urls->type != TORII_NODE_LIST || urls->n > ACME_AUTHZ_MAX) {
        return TORII_ERROR;
    }

    o->authz = torii_arena_zalloc(o->arena, urls->n * sizeof(acme_authz_t));

    for (i = 0; i < urls->n; i++) {
        if (urls->items[i]->type != TORII_NODE_STRING
            || !acme_url_ok(urls->items[i]->text))
        {
            return TORII_ERROR;
        }

        o->authz[i].order = o;
        o->authz[i].url = torii_arena_str(o->arena, urls->items[i]->text);
        o->nauthz = i + 1;
    }

    return TORII_OK;
}


void
acme_authz_begin(acme_order_t *o, uint64_t now)
{
    uint32_t      i;
    acme_call_t  *call;

    for (i = 0; i < o->nauthz; i++) {
        call = acme_call_post_to(o->client, o->authz[i].url, now,
                                 acme_authz_got, &o->authz[i]);
        call->json = 1;
    }

    acme_authz_read(o, now);
}


static void
acme_authz_got(acme_client_t *c, void *data, const acme_reply_t *r)
{
    acme_authz_t    *z;
    acme_problem_t   problem;

    z = data;

    if (r->problem) {
        problem = *r->problem;
        acme_order_dead(&problem);
        acme_order_fail(z->order, r->now, &problem);
        return;
    }

    if (acme_authz_name(z, r->doc) != TORII_OK) {
        acme_order_fail_text(z->order, r->now, ACME_FAIL_ORDER,
                             "the CA wants to authorize what was not ordered");
        return;
    }

    z->expires = acme_order_expiry(r->doc);

    switch (acme_status_read(r->doc)) {

    case ACME_STATUS_VALID:
        z->state = ACME_AUTHZ_VALID;
        break;

    case ACME_STATUS_PENDING:
        z->pending = 1;

        if (acme_choose(z, r->doc, &problem) == TORII_OK) {
            z->state = ACME_AUTHZ_CHOSEN;

        } else {
            acme_authz_failed(z, r->now, &problem);
        }

        break;

    default:
        acme_authz_invalid(z, r->doc, r->now);
    }

    acme_authz_read(z->order, r->now);
}


/*
 * Its identifier lacks "*.", its "wildcard" says whether that belongs there.
 * Anything but what was ordered would have us vouch for the names of others.
 */

static int
acme_authz_name(acme_authz_t *z, const torii_node_t *doc)
{
    uint32_t             i;
    const char          *why;
    torii_str_t          value, name;
    acme_order_t        *o;
    const torii_node_t  *identifier;

    o = z->order;
    identifier = torii_node_get(doc, "identifier");

    if (acme_name_normal(o->arena, acme_json_text(identifier, "value"), &value,
                         &why)
        != TORII_OK)
    {
        return TORII_ERROR;
    }

    z->challenge.identifier = value;
    z->challenge.ip = acme_name_is_ip(value);
    z->challenge.wildcard = acme_json_true(doc, "wildcard");

    if (!torii_str_eqs(acme_json_text(identifier, "type"),
                       z->challenge.ip ? "ip" : "dns"))
    {
        return TORII_ERROR;
    }

    name = z->challenge.wildcard
           ? torii_arena_printf(o->arena, "*.%.*s", torii_str_arg(value))
           : value;

    for (i = 0; i < o->conf.n; i++) {
        if (torii_str_eq(o->names[i], name)) {
            z->name = &o->conf.names[i];
            return TORII_OK;
        }
    }

    return TORII_ERROR;
}


static void
acme_authz_read(acme_order_t *o, uint64_t now)
{
    uint32_t  i, chosen, failed;

    chosen = 0;
    failed = 0;

    for (i = 0; i < o->nauthz; i++) {
        if (o->authz[i].state == ACME_AUTHZ_UNREAD) {
            return;
        }

        chosen += (o->authz[i].state == ACME_AUTHZ_CHOSEN);
        failed += (o->authz[i].state == ACME_AUTHZ_FAILED);
    }

    if (failed) {
        acme_authz_give_up(o, now);

    } else if (chosen) {
        acme_authz_show(o, now, chosen, 1);

    } else {
        acme_order_read(o, now);
    }
}


static void
acme_authz_show(acme_order_t *o, uint64_t now, uint32_t chosen, int look)
{
    uint32_t       i, n;
    acme_authz_t  *z;

    o->challenges = torii_arena_alloc(o->arena,
                                      chosen * sizeof(acme_challenge_t));
    o->nchallenges = chosen;
    o->step = ACME_ORDER_PRESENT;
    n = 0;

    for (i = 0; i < o->nauthz; i++) {
        z = &o->authz[i];

        if (z->state != ACME_AUTHZ_CHOSEN) {
            continue;
        }

        o->challenges[n++] = z->challenge;

        if (look && z->challenge.type == ACME_CHALLENGE_DNS_PERSIST
            && !z->processing)
        {
            o->step = ACME_ORDER_LOOK;
        }
    }
}


void
acme_authz_looked(acme_order_t *o, uint64_t now)
{
    uint32_t         i, chosen, failed;
    acme_authz_t    *z;
    acme_problem_t   problem;

    chosen = 0;
    failed = 0;

    for (i = 0; i < o->nauthz; i++) {
        z = &o->authz[i];

        if (z->state != ACME_AUTHZ_CHOSEN) {
            continue;
        }

        if (z->choices[z->choice].missing.len
            && acme_choose_next(z, &problem) != TORII_OK)
        {
            acme_authz_failed(z, now, &problem);
            failed = 1;
            continue;
        }

        chosen++;
    }

    if (failed) {
        acme_authz_give_up(o, now);

    } else {
        acme_authz_show(o, now, chosen, 0);
    }
}


/*
 * The order is lost, but the others may still say which names are to blame: not
 * for as long as usual.
 */

void
acme_authz_failed(acme_authz_t *z, uint64_t now,
    const acme_problem_t *problem)
{
    uint32_t         i;
    acme_call_t     *call;
    acme_order_t    *o;
    acme_problem_t   sub;

    o = z->order;
    sub = *problem;

    acme_problem_text(sub.identifier, sizeof(sub.identifier), z->name->name);
    acme_order_add_sub(o, &sub);

    z->state = ACME_AUTHZ_FAILED;

    if (o->deadline > now + ACME_AUTHZ_TIME_LOST) {
        o->deadline = now + ACME_AUTHZ_TIME_LOST;
    }

    for (i = 0; i < o->nauthz; i++) {
        call = o->authz[i].call;

        if (call && call->id == 0 && call->due > o->deadline) {
            call->due = o->deadline;
        }
    }
}


/* Of several challenges, the failed one says why. */

void
acme_authz_invalid(acme_authz_t *z, const torii_node_t *doc, uint64_t now)
{
    uint32_t             i;
    torii_str_t          status;
    acme_problem_t       problem;
    const torii_node_t  *list, *error;

    list = torii_node_get(doc, "challenges");
    error = NULL;

    for (i = 0; list && list->type == TORII_NODE_LIST && i < list->n
         && error == NULL; i++)
    {
        error = torii_node_get(list->items[i], "error");
    }

    status = acme_json_text(doc, "status");
    z->pending = 0;

    if (error && error->type == TORII_NODE_MAP) {
        acme_problem_read(error, 0, 1, &problem);

    } else {
        acme_problem_set(&problem, torii_str_eqs(status, "invalid")
                                   ? ACME_FAIL_VALIDATION : ACME_FAIL_ORDER,
                         "the authorization is \"%.*s\"",
                         torii_str_arg(status));
    }

    acme_authz_failed(z, now, &problem);
}


void
acme_authz_give_up(acme_order_t *o, uint64_t now)
{
    uint32_t         i;
    acme_problem_t  *worst;

    worst = &o->subs[0];

    for (i = 1; i < o->nsubs; i++) {
        if (acme_problem_worse(&o->subs[i], worst)) {
            worst = &o->subs[i];
        }
    }

    acme_order_fail(o, now, worst);
}


/* Section 7.5.2.  What is valid already is of use to the next order. */

int
acme_authz_clean(acme_order_t *o)
{
    uint32_t       i;
    acme_call_t   *call;
    acme_authz_t  *z;

    for (i = 0; i < o->nauthz; i++) {
        z = &o->authz[i];

        if (!z->pending) {
            continue;
        }

        call = acme_call_post_to(o->client, z->url, 0, acme_authz_cleaned, z);
        call->single = 1;

        torii_buf_adds(&call->payload, "{\"status\":\"deactivated\"}");

        o->cleanings++;
    }

    return o->cleanings != 0;
}


static void
acme_authz_cleaned(acme_client_t *c, void *data, const acme_reply_t *r)
{
    uint32_t       i;
    acme_order_t  *o;

    o = ((acme_authz_t *) data)->order;

    o->cleanings--;

    if (r->problem && acme_order_may_wait(r->problem)) {
        for (i = 0; i < o->nauthz; i++) {
            acme_call_cancel(c, &o->authz[i]);
        }

        o->cleanings = 0;
    }

    if (o->cleanings == 0) {
        o->step = ACME_ORDER_FAILED;
    }
}
