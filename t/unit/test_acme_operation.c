
/*
 * The ACME client against a strict CA: accounts and single requests.
 */

#include "ca_world.h"
#include "tap.h"


/* Single requests. */

typedef struct {
    unsigned        calls;
    acme_problem_t  problem;
    char            body[512];
} done_t;


static void
done(void *data, const acme_problem_t *problem, torii_str_t body)
{
    done_t  *d = data;

    d->calls++;
    d->problem = *problem;
    (void) snprintf(d->body, sizeof(d->body), "%.*s", torii_str_arg(body));
}


static void
test_renewal_info(void)
{
    int                i;
    done_t             d;
    world_t            w;
    torii_str_t        id;
    acme_operation_t  *op;

    id = torii_str("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");

    world_start(&w, NULL);
    memset(&d, 0, sizeof(d));

    (void) acme_client_renewal_info(w.c, id, done, &d);
    world_wait(&w);

    tap_ok(d.calls == 1 && d.problem.fail == ACME_FAIL_NONE
           && d.problem.retry_at == w.now + 6 * HOUR
           && strstr(d.body, "suggestedWindow") && w.ca.naccounts == 0
           && acme_client_has_ari(w.c) && acme_client_known(w.c)
           && acme_client_has_profile(w.c, torii_str("short"))
           && !acme_client_has_profile(w.c, torii_str("long"))
           && w.ca.fault[0] == '\0',
           "renewal information, without an account");

    op = acme_client_renewal_info(w.c, id, done, &d);
    acme_operation_cancel(op);
    world_wait(&w);

    tap_ok(d.calls == 1, "who cancels hears nothing");

    world_stop(&w);

    world_start(&w, NULL);
    memset(&d, 0, sizeof(d));

    w.ca.is.no_ari = 1;

    (void) acme_client_renewal_info(w.c, id, done, &d);
    world_wait(&w);

    tap_ok(d.calls == 1 && d.problem.fail == ACME_FAIL_CONFIG,
           "a CA without renewal information");

    world_stop(&w);

    world_start(&w, NULL);
    memset(&d, 0, sizeof(d));

    w.latency = 1000;

    for (i = 0; i < 40; i++) {
        (void) acme_client_renewal_info(w.c, id, done, &d);
    }

    world_wait(&w);

    tap_ok(d.calls == 40 && d.problem.fail == ACME_FAIL_NONE && w.most == 16,
           "no more than 16 requests at a time");

    world_stop(&w);
}


static void
test_revoke(void)
{
    done_t       d;
    world_t      w;
    torii_str_t  leaf;

    leaf = torii_str("DER");

    world_start(&w, NULL);
    memset(&d, 0, sizeof(d));

    (void) acme_client_revoke(w.c, leaf, NULL, 4, done, &d);
    world_wait(&w);

    tap_ok(d.calls == 1 && d.problem.fail == ACME_FAIL_NONE
           && EVP_PKEY_eq(w.ca.revoked_by, w.account_key) == 1,
           "revoked by the account");

    (void) acme_client_revoke(w.c, leaf, NULL, 4, done, &d);
    world_wait(&w);

    tap_ok(d.calls == 2 && d.problem.fail == ACME_FAIL_NONE
           && w.ca.fault[0] == '\0', "and again");

    world_stop(&w);

    world_start(&w, NULL);
    memset(&d, 0, sizeof(d));

    (void) acme_client_revoke(w.c, leaf, w.key, 1, done, &d);
    world_wait(&w);

    tap_ok(d.calls == 1 && d.problem.fail == ACME_FAIL_NONE
           && EVP_PKEY_eq(w.ca.revoked_by, w.key) == 1
           && w.ca.naccounts == 0 && w.ca.fault[0] == '\0',
           "revoked by the certificate's key, without an account");

    world_stop(&w);
}


static void
test_rollover(void)
{
    size_t     i;
    done_t     d, e;
    world_t    w;
    EVP_PKEY  *key;

    static const struct {
        const char   *name;
        ca_wrong_t    wrong;
        acme_fail_e   fail;
    } cases[] = {
        { .name = "a new key" },
        { .name = "a new key, the answer is lost",
          .wrong = { .kind = CA_KEY_CHANGE, .nth = 1, .times = 1, .done = 1 }
        },
        { .name = "a new key, the request is lost",
          .wrong = { .kind = CA_KEY_CHANGE, .nth = 1, .times = 1 },
          .fail = ACME_FAIL_NETWORK },
        { .name = "a new key is refused",
          .wrong = { .kind = CA_KEY_CHANGE, .nth = 1, .times = 1,
                     .status = 400, .type = "badPublicKey" },
          .fail = ACME_FAIL_ACCOUNT }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world_start(&w, NULL);
        memset(&d, 0, sizeof(d));
        memset(&e, 0, sizeof(e));

        w.ca.is.wrong[0] = cases[i].wrong;
        key = torii_key_generate(TORII_KEY_EC_P256);

        (void) acme_client_rollover(w.c, key, done, &d);
        EVP_PKEY_free(key);
        world_wait(&w);

        (void) acme_client_contacts(w.c, NULL, 0, done, &e);
        world_wait(&w);

        tap_ok(d.calls == 1 && d.problem.fail == cases[i].fail
               && e.calls == 1 && e.problem.fail == ACME_FAIL_NONE
               && strcmp(w.ca.last_payload, "{\"contact\":[]}") == 0
               && w.ca.naccounts == 1 && w.ca.fault[0] == '\0',
               "%s", cases[i].name);

        world_stop(&w);
    }

    world_start(&w, NULL);
    memset(&d, 0, sizeof(d));

    (void) acme_client_rollover(w.c, w.account_key, done, &d);
    world_wait(&w);

    tap_ok(d.calls == 1 && d.problem.fail == ACME_FAIL_NONE,
           "409 with our own account: it was done before");

    EVP_PKEY_up_ref(w.key);
    w.ca.accounts[w.ca.naccounts].status = "valid";
    w.ca.accounts[w.ca.naccounts++].key = w.key;

    (void) acme_client_rollover(w.c, w.key, done, &d);
    world_wait(&w);

    tap_ok(d.calls == 2 && d.problem.fail == ACME_FAIL_ACCOUNT,
           "409: the key has another account");

    world_stop(&w);
}


static void
test_account(void)
{
    done_t                 d;
    world_t                w;
    const acme_problem_t  *p;

    static const ca_ways_t  terms = { .terms = "https://ca.example/terms" };
    static const ca_ways_t  bound = { .eab_key = "right" };

    world_start(&w, NULL);
    world_wait(&w);

    tap_ok(w.requests == 0, "nothing is asked before something is needed");

    acme_client_begin(w.c);
    world_wait(&w);

    tap_ok(acme_client_state(w.c) == ACME_CLIENT_READY
           && torii_str_eqs(acme_client_account(w.c), CA_URL "/account/0")
           && acme_client_changed(w.c) && !acme_client_changed(w.c)
           && strstr(w.ca.last_payload, "mailto:a@b.example")
           && w.ca.counts[CA_REGISTER] == 2, "an account without an order");

    acme_client_free(w.c);
    world_client(&w);
    acme_client_begin(w.c);
    world_wait(&w);

    tap_ok(acme_client_state(w.c) == ACME_CLIENT_READY
           && w.ca.counts[CA_REGISTER] == 3 && w.ca.naccounts == 1
           && strcmp(w.ca.last_payload, "{\"onlyReturnExisting\":true}") == 0,
           "found again by its key");

    memset(&d, 0, sizeof(d));
    (void) acme_client_deactivate(w.c, done, &d);
    world_wait(&w);

    acme_client_free(w.c);
    world_client(&w);
    acme_client_begin(w.c);
    world_wait(&w);

    p = acme_client_problem(w.c);

    tap_ok(d.problem.fail == ACME_FAIL_NONE && d.calls == 1
           && acme_client_state(w.c) == ACME_CLIENT_FAILED
           && p->fail == ACME_FAIL_ACCOUNT
           && strstr(p->text, "deactivated"), "deactivated");

    world_stop(&w);

    world_start(&w, &terms);
    acme_client_free(w.c);

    {
        acme_client_conf_t  conf;

        memset(&conf, 0, sizeof(conf));
        conf.directory = torii_str(CA_URL "/dir");
        conf.key = w.account_key;

        w.c = acme_client_create(&conf, 1);
    }

    acme_client_begin(w.c);
    world_wait(&w);

    tap_ok(acme_client_state(w.c) == ACME_CLIENT_FAILED
           && acme_client_problem(w.c)->fail == ACME_FAIL_ACCOUNT
           && strcmp(acme_client_problem(w.c)->instance, terms.terms) == 0
           && w.ca.naccounts == 0 && w.ca.fault[0] == '\0',
           "terms that nobody agreed to");

    (void) acme_client_contacts(w.c, NULL, 0, done, &d);
    world_wait(&w);

    tap_ok(d.calls == 2 && d.problem.fail == ACME_FAIL_ACCOUNT,
           "what needs the account fails with it");

    world_stop(&w);

    world_start(&w, &bound);
    w.ca.is.eab_key = "wrong";
    acme_client_begin(w.c);
    world_wait(&w);

    p = acme_client_problem(w.c);

    tap_ok(acme_client_state(w.c) == ACME_CLIENT_FAILED
           && p->fail == ACME_FAIL_ACCOUNT
           && strcmp(p->type, "unauthorized") == 0
           && strstr(p->text, "right") == NULL, "a binding by a wrong key");

    w.ca.is.eab_key = "right";
    acme_client_retry(w.c);
    world_wait(&w);

    tap_ok(acme_client_state(w.c) == ACME_CLIENT_READY
           && w.ca.fault[0] == '\0', "tried again when told to");

    world_stop(&w);
}


int
main(void)
{
    test_renewal_info();
    test_revoke();
    test_rollover();
    test_account();

    return tap_done();
}
