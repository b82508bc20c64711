
/*
 * The account (RFC 8555 section 7.3).  It is looked for by its key before it is
 * made: what was made before costs nothing of the CA's limits, and an external
 * account binding, which some CAs accept only once, is not needed.
 */

#include <stdio.h>

#include "acme_client_machine.h"


static int acme_register_write(acme_client_t *c, void *data, torii_str_t url,
    torii_buf_t *b);
static int acme_register_bind(acme_client_t *c, torii_str_t url,
    torii_buf_t *b);
static void acme_register_got(acme_client_t *c, void *data,
    const acme_reply_t *r);
static int acme_register_other_way(acme_client_t *c, const acme_problem_t *p);
static int acme_register_may_create(acme_client_t *c);
static void acme_register_read(acme_client_t *c, const acme_reply_t *r);


void
acme_register_find(acme_client_t *c, uint64_t now)
{
    acme_call_t  *call;

    if (acme_call_has(c, acme_client_register(c))) {
        return;
    }

    call = acme_call_post(c, ACME_URL_NEW_ACCOUNT, c->key, now,
                          acme_register_got, acme_client_register(c));

    call->write = acme_register_write;
}


void
acme_register_lost(acme_client_t *c)
{
    c->account.len = 0;
    c->create = 0;
    c->generation++;

    if (c->state == ACME_CLIENT_READY) {
        c->state = ACME_CLIENT_NEW;
    }
}


void
acme_register_contacts(torii_buf_t *b, const torii_str_t *contacts, uint32_t n)
{
    uint32_t  i;

    torii_buf_adds(b, "\"contact\":[");

    for (i = 0; i < n; i++) {
        torii_buf_adds(b, i ? "," : "");
        torii_buf_add_json(b, contacts[i]);
    }

    torii_buf_adds(b, "]");
}


static int
acme_register_write(acme_client_t *c, void *data, torii_str_t url,
    torii_buf_t *b)
{
    int  rc;

    if (!c->create) {
        torii_buf_adds(b, "{\"onlyReturnExisting\":true}");
        return TORII_OK;
    }

    rc = TORII_OK;

    torii_buf_printf(b, "{\"termsOfServiceAgreed\":%s",
                     c->conf.agreed ? "true" : "false");

    if (c->conf.ncontacts && !c->plain) {
        torii_buf_adds(b, ",");
        acme_register_contacts(b, c->conf.contacts, c->conf.ncontacts);
    }

    if (c->conf.eab_kid.len) {
        rc = acme_register_bind(c, url, b);
    }

    torii_buf_adds(b, "}");

    return rc;
}


/* Section 7.3.4: the account's key, signed by what the CA gave out. */

static int
acme_register_bind(acme_client_t *c, torii_str_t url, torii_buf_t *b)
{
    int          rc;
    torii_buf_t  header = { NULL, 0, 0 }, jwk = { NULL, 0, 0 };

    torii_buf_printf(&header, "{\"alg\":\"HS%u\",\"kid\":",
                     c->conf.eab_bits ? c->conf.eab_bits : 256);
    torii_buf_add_json(&header, c->conf.eab_kid);
    torii_buf_adds(&header, ",\"url\":");
    torii_buf_add_json(&header, url);
    torii_buf_adds(&header, "}");

    torii_buf_adds(b, ",\"externalAccountBinding\":");

    rc = torii_jwk_add(&jwk, c->key);

    if (rc == TORII_OK) {
        rc = torii_jws_mac(b, c->conf.eab_key,
                           c->conf.eab_bits ? c->conf.eab_bits : 256,
                           acme_str_of(&header), acme_str_of(&jwk));
    }

    torii_buf_free(&header);
    torii_buf_free(&jwk);

    return rc;
}


static void
acme_register_got(acme_client_t *c, void *data, const acme_reply_t *r)
{
    acme_problem_t  problem;

    if (r->problem == NULL) {
        acme_register_read(c, r);
        return;
    }

    if (acme_register_other_way(c, r->problem)) {
        if (acme_register_may_create(c)) {
            acme_register_find(c, r->now);
        }

        return;
    }

    problem = *r->problem;

    /* "malformed" is what some say of a binding or a key that they refuse */

    if (problem.fail == ACME_FAIL_ORDER) {
        problem.fail = ACME_FAIL_ACCOUNT;
    }

    acme_client_fail(c, &problem);
}


/*
 * Some CAs want to see a binding before they look for the account.  Contacts
 * are a courtesy: an account without them is better than none.
 */

static int
acme_register_other_way(acme_client_t *c, const acme_problem_t *p)
{
    torii_str_t  type;

    type = torii_str(p->type);

    if (!c->create) {
        c->create = torii_str_caseeqs(type, "accountDoesNotExist")
                    || torii_str_caseeqs(type, "externalAccountRequired");

        return c->create;
    }

    if (!c->plain && c->conf.ncontacts
        && (torii_str_caseeqs(type, "invalidContact")
            || torii_str_caseeqs(type, "unsupportedContact")))
    {
        c->plain = 1;
        return 1;
    }

    return 0;
}


static int
acme_register_may_create(acme_client_t *c)
{
    acme_problem_t  problem;

    if (c->conf.agreed || c->terms.len == 0) {
        return 1;
    }

    acme_problem_set(&problem, ACME_FAIL_ACCOUNT,
                     "the CA's terms of service are not agreed to");
    acme_problem_text(problem.instance, sizeof(problem.instance), c->terms);

    acme_client_fail(c, &problem);

    return 0;
}


static void
acme_register_read(acme_client_t *c, const acme_reply_t *r)
{
    torii_str_t     url, status;
    acme_problem_t  problem;

    status = acme_json_text(r->doc, "status");

    if (status.len && !torii_str_eqs(status, "valid")) {
        acme_problem_set(&problem, ACME_FAIL_ACCOUNT, "the account is %.*s",
                         torii_str_arg(status));
        acme_client_fail(c, &problem);
        return;
    }

    if (acme_url_resolve(r->arena, r->url, r->res->location, &url)
        != TORII_OK)
    {
        acme_problem_set(&problem, ACME_FAIL_SERVER,
                         "the answer does not say where the account is");
        acme_client_fail(c, &problem);
        return;
    }

    c->account.len = 0;
    torii_buf_add_str(&c->account, url);

    c->changed = 1;
    c->create = 0;

    acme_client_settle(c);
}
