
/*
 * Single requests: renewal information (RFC 9773), revocation, and what is done
 * to an account.
 */

#include <stdlib.h>

#include "acme_client_machine.h"


struct acme_operation_s {
    acme_operation_t   *next;
    acme_client_t      *client;
    acme_operation_pt   handler;
    void               *data;
    EVP_PKEY           *key;         /* rollover: the new one */
    acme_problem_t      problem;     /* rollover: what is looked into */
};


static acme_operation_t *acme_operation_create(acme_client_t *c,
    acme_operation_pt handler, void *data);
static void acme_operation_done(acme_operation_t *op,
    const acme_problem_t *problem, torii_str_t body);
static void acme_operation_got(acme_client_t *c, void *data,
    const acme_reply_t *r);
static void acme_operation_revoked(acme_client_t *c, void *data,
    const acme_reply_t *r);
static int acme_rollover_write(acme_client_t *c, void *data, torii_str_t url,
    torii_buf_t *b);
static void acme_rollover_got(acme_client_t *c, void *data,
    const acme_reply_t *r);
static void acme_rollover_look(acme_operation_t *op, uint64_t now);
static void acme_rollover_looked(acme_client_t *c, void *data,
    const acme_reply_t *r);
static int acme_rollover_is_ours(acme_client_t *c, const acme_reply_t *r);
static void acme_rollover_finish(acme_operation_t *op,
    const acme_problem_t *problem);


static acme_operation_t *
acme_operation_create(acme_client_t *c, acme_operation_pt handler, void *data)
{
    acme_operation_t  *op;

    op = torii_zalloc(sizeof(acme_operation_t));

    op->client = c;
    op->handler = handler;
    op->data = data;
    op->next = c->operations;

    c->operations = op;

    return op;
}


void
acme_operation_cancel(acme_operation_t *op)
{
    acme_operation_t  **p;

    if (op == NULL) {
        return;
    }

    acme_call_cancel(op->client, op);

    for (p = &op->client->operations; *p != op; p = &(*p)->next) {
        /* void */
    }

    *p = op->next;

    EVP_PKEY_free(op->key);
    free(op);
}


void
acme_operation_free_all(acme_client_t *c)
{
    while (c->operations) {
        acme_operation_cancel(c->operations);
    }
}


/* The operation is gone before the handler runs, which may begin another. */

static void
acme_operation_done(acme_operation_t *op, const acme_problem_t *problem,
    torii_str_t body)
{
    void               *data;
    acme_operation_pt   handler;

    handler = op->handler;
    data = op->data;

    acme_operation_cancel(op);

    handler(data, problem, body);
}


static void
acme_operation_got(acme_client_t *c, void *data, const acme_reply_t *r)
{
    torii_str_t     body;
    acme_problem_t  problem;

    if (r->problem) {
        problem = *r->problem;

    } else {
        memset(&problem, 0, sizeof(acme_problem_t));
        problem.status = r->res->status;
        problem.retry_at = r->waits ? r->now + r->wait : 0;
    }

    body = r->res ? r->res->body : torii_str("");

    acme_operation_done(data, &problem, body);
}


acme_operation_t *
acme_client_renewal_info(acme_client_t *c, torii_str_t id,
    acme_operation_pt handler, void *data)
{
    size_t             i;
    acme_call_t       *call;
    acme_operation_t  *op;

    op = acme_operation_create(c, handler, data);
    call = acme_call_get(c, ACME_URL_RENEWAL, 0, acme_operation_got, op);

    for (i = 0; i < id.len; i++) {

        /* it is base64url and a dot, or it would be another URL */

        if (strchr("/?#%:@ ", id.data[i]) == NULL) {
            torii_buf_add(&call->url, &id.data[i], 1);
        }
    }

    return op;
}


acme_operation_t *
acme_client_revoke(acme_client_t *c, torii_str_t leaf, EVP_PKEY *key,
    unsigned reason, acme_operation_pt handler, void *data)
{
    acme_call_t       *call;
    acme_operation_t  *op;

    op = acme_operation_create(c, handler, data);
    call = acme_call_post(c, ACME_URL_REVOKE, key, 0, acme_operation_revoked,
                          op);

    torii_buf_adds(&call->payload, "{\"certificate\":\"");
    torii_base64url_add(&call->payload, leaf.data, leaf.len);
    torii_buf_printf(&call->payload, "\",\"reason\":%u}", reason);

    return op;
}


/* A request whose answer was lost is refused the second time. */

static void
acme_operation_revoked(acme_client_t *c, void *data, const acme_reply_t *r)
{
    acme_reply_t  revoked;

    revoked = *r;

    if (r->problem
        && torii_str_caseeqs(torii_str(r->problem->type), "alreadyRevoked"))
    {
        revoked.problem = NULL;
    }

    acme_operation_got(c, data, &revoked);
}


acme_operation_t *
acme_client_contacts(acme_client_t *c, const torii_str_t *contacts,
    uint32_t n, acme_operation_pt handler, void *data)
{
    acme_call_t       *call;
    acme_operation_t  *op;

    op = acme_operation_create(c, handler, data);
    call = acme_call_post(c, ACME_URL_ACCOUNT, NULL, 0, acme_operation_got,
                          op);

    torii_buf_adds(&call->payload, "{");
    acme_register_contacts(&call->payload, contacts, n);
    torii_buf_adds(&call->payload, "}");

    return op;
}


acme_operation_t *
acme_client_deactivate(acme_client_t *c, acme_operation_pt handler,
    void *data)
{
    acme_call_t       *call;
    acme_operation_t  *op;

    op = acme_operation_create(c, handler, data);
    call = acme_call_post(c, ACME_URL_ACCOUNT, NULL, 0, acme_operation_got,
                          op);

    torii_buf_adds(&call->payload, "{\"status\":\"deactivated\"}");

    return op;
}


acme_operation_t *
acme_client_rollover(acme_client_t *c, EVP_PKEY *key,
    acme_operation_pt handler, void *data)
{
    acme_call_t       *call;
    acme_operation_t  *op;

    op = acme_operation_create(c, handler, data);

    EVP_PKEY_up_ref(key);
    op->key = key;

    call = acme_call_post(c, ACME_URL_KEY_CHANGE, NULL, 0, acme_rollover_got,
                          op);

    call->write = acme_rollover_write;
    call->single = 1;

    return op;
}


/* The inner JWS: by the new key, about the old one, without a nonce. */

static int
acme_rollover_write(acme_client_t *c, void *data, torii_str_t url,
    torii_buf_t *b)
{
    int                rc;
    const char        *alg;
    torii_buf_t        header = { NULL, 0, 0 }, payload = { NULL, 0, 0 };
    acme_operation_t  *op;

    op = data;
    alg = torii_jws_alg(op->key);

    if (alg == NULL) {
        return TORII_ERROR;
    }

    torii_buf_printf(&header, "{\"alg\":\"%s\",\"jwk\":", alg);
    rc = torii_jwk_add(&header, op->key);
    torii_buf_adds(&header, ",\"url\":");
    torii_buf_add_json(&header, url);
    torii_buf_adds(&header, "}");

    torii_buf_adds(&payload, "{\"account\":");
    torii_buf_add_json(&payload, acme_str_of(&c->account));
    torii_buf_adds(&payload, ",\"oldKey\":");

    if (rc == TORII_OK) {
        rc = torii_jwk_add(&payload, c->key);
    }

    torii_buf_adds(&payload, "}");

    if (rc == TORII_OK) {
        rc = torii_jws_sign(b, op->key, acme_str_of(&header),
                            acme_str_of(&payload));
    }

    torii_buf_free(&header);
    torii_buf_free(&payload);

    return rc;
}


/*
 * After a lost answer, both keys may be the right one; the CA tells by whether
 * it knows an account of the new one.  The same is behind 409.
 */

static void
acme_rollover_got(acme_client_t *c, void *data, const acme_reply_t *r)
{
    acme_operation_t  *op;

    op = data;

    if (r->problem == NULL) {
        acme_rollover_finish(op, NULL);
        return;
    }

    op->problem = *r->problem;

    if (r->problem->status == 409) {

        if (acme_rollover_is_ours(c, r)) {
            acme_rollover_finish(op, NULL);
            return;
        }

        op->problem.fail = ACME_FAIL_ACCOUNT;

    } else if (r->res && (r->problem->fail == ACME_FAIL_NETWORK
                          || r->problem->fail == ACME_FAIL_SERVER))
    {
        acme_rollover_look(op, r->now);
        return;
    }

    acme_rollover_finish(op, &op->problem);
}


static void
acme_rollover_look(acme_operation_t *op, uint64_t now)
{
    acme_call_t  *call;

    call = acme_call_post(op->client, ACME_URL_NEW_ACCOUNT, op->key,
                          now + ACME_POLL, acme_rollover_looked, op);

    torii_buf_adds(&call->payload, "{\"onlyReturnExisting\":true}");
}


static void
acme_rollover_looked(acme_client_t *c, void *data, const acme_reply_t *r)
{
    acme_operation_t  *op;

    op = data;

    if (r->problem == NULL && acme_rollover_is_ours(c, r)) {
        acme_rollover_finish(op, NULL);
        return;
    }

    acme_rollover_finish(op, &op->problem);
}


static int
acme_rollover_is_ours(acme_client_t *c, const acme_reply_t *r)
{
    torii_str_t  url;

    return r->res
           && acme_url_resolve(r->arena, r->url, r->res->location, &url)
              == TORII_OK
           && torii_str_eq(url, acme_str_of(&c->account));
}


static void
acme_rollover_finish(acme_operation_t *op, const acme_problem_t *problem)
{
    acme_problem_t  result;

    memset(&result, 0, sizeof(acme_problem_t));

    if (problem) {
        result = *problem;

    } else {
        (void) acme_client_set_key(op->client, op->key);
    }

    acme_operation_done(op, &result, torii_str(""));
}
