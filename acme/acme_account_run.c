
/*
 * What an account does: its orders in their turn, within the limits of its CA,
 * its file, its key, its contact.
 */

#include <stdio.h>
#include <stdlib.h>

#include "acme_engine.h"


#define ACME_KEEP_RETRY     (10 * ACME_SECOND)
#define ACME_ILL            (30 * ACME_SECOND)   /* the first pause, doubled */
#define ACME_ILL_MAX        (15 * ACME_MINUTE)
#define ACME_SKEW_TOLD      ACME_MINUTE


static void acme_account_run(acme_account_t *a);
static void acme_account_skew(acme_account_t *a);
static void acme_account_contact(acme_account_t *a);
static void acme_account_roll(acme_account_t *a);


void
acme_account_due(acme_account_t *a)
{
    uint64_t  now;

    now = a->acme->now;

    if (a->save_at && a->save_at <= now) {
        a->save_at = 0;
        acme_account_save(a);
    }

    if (a->key_at && a->key_at <= now) {
        a->key_at = 0;
        acme_job_queue(a->acme, a->key ? &a->keep : &a->make, 1);
    }

    acme_account_run(a);
    acme_account_plan(a);
}


/*
 * A CA that did not answer, or had enough, is tried by one order first; none
 * begins while the account's key changes.
 */

static uint32_t
acme_account_limit(const acme_account_t *a)
{
    if (a->rolling) {
        return 0;
    }

    return (a->ill || a->probe) ? 1 : a->acme->orders;
}


/* When the first that waits can go; UINT64_MAX: not before something ends. */

static uint64_t
acme_account_when(const acme_account_t *a)
{
    uint64_t  when, now;

    now = a->acme->now;

    if (a->client == NULL || a->in_flight >= acme_account_limit(a)) {
        return UINT64_MAX;
    }

    if (a->exempt.n) {
        when = now;

    } else if (a->ready.n) {
        when = acme_bucket_when(&a->orders, &acme_rate_orders, now);

    } else {
        return UINT64_MAX;
    }

    return when < a->until ? a->until : when;
}


static void
acme_account_run(acme_account_t *a)
{
    uint32_t       i;
    acme_heap_t   *h;
    acme_node_t   *node;
    acme_entry_t  *e;

    for (i = 0; i < ACME_SLICE; i++) {

        if (acme_account_when(a) > a->acme->now) {
            return;
        }

        h = a->exempt.n ? &a->exempt : &a->ready;
        node = acme_heap_top(h);
        acme_heap_remove(h, node);

        e = acme_queue_data(node, acme_entry_t, ready);
        acme_issue_begin(e);
    }
}


void
acme_account_plan(acme_account_t *a)
{
    uint64_t  key;

    key = acme_account_when(a);

    if (a->save_at && a->save_at < key) {
        key = a->save_at;
    }

    if (a->key_at && a->key_at < key) {
        key = a->key_at;
    }

    if (key != UINT64_MAX) {
        acme_heap_set(&a->acme->timers, &a->timer, key);

    } else {
        acme_heap_remove(&a->acme->timers, &a->timer);
    }
}


void
acme_account_save(acme_account_t *a)
{
    a->dirty = 1;
    acme_job_queue(a->acme, &a->save, 1);
}


void
acme_account_saved(acme_account_t *a, int ok)
{
    if (!ok) {
        a->save_at = a->acme->now + ACME_KEEP_RETRY;
        acme_account_plan(a);
        return;
    }

    if (a->dirty) {
        acme_account_save(a);
        return;
    }

    if (!a->rolling || a->operation != NULL || a->client == NULL) {
        return;
    }

    if (a->in_flight) {

        /* their challenges are answered with the old key's thumbprint */

        a->save_at = a->acme->now + ACME_SECOND;
        acme_account_plan(a);
        return;
    }

    acme_account_roll(a);
}


/* The owner has, or has not, kept a key that was made. */

void
acme_account_kept(acme_account_t *a, int ok)
{
    if (!ok) {
        acme_event(a->acme, NULL, a->issuer, "Failed", 1,
                   "the key of the account cannot be kept; it is not used "
                   "until it is");
        a->key_at = a->acme->now + ACME_KEEP_RETRY;
        acme_account_plan(a);
        return;
    }

    if (a->next_key.len && !a->rolling) {
        acme_keep(&a->next_key, torii_str(""));
        acme_account_save(a);
    }

    if (a->unkept) {
        a->unkept = 0;
        acme_account_reset(a);
    }

    acme_account_plan(a);
}


void
acme_account_look(acme_account_t *a)
{
    torii_str_t            url;
    acme_fail_e            fail;
    const acme_problem_t  *problem;

    if (acme_client_changed(a->client)) {
        url = acme_client_account(a->client);

        if (!torii_str_eq(url, a->url) && url.len) {
            acme_keep(&a->url, url);
            acme_keep(&a->contacted, a->email);
        }

        acme_account_save(a);
    }

    acme_account_skew(a);
    acme_look_learn(a);

    switch (acme_client_state(a->client)) {

    case ACME_CLIENT_READY:
        acme_account_contact(a);
        break;

    case ACME_CLIENT_FAILED:
        problem = acme_client_problem(a->client);
        fail = problem->fail;

        if (fail == ACME_FAIL_ACCOUNT || fail == ACME_FAIL_CONFIG) {
            acme_account_stop(a, problem);
        }

        break;

    default:
        break;
    }
}


static void
acme_account_skew(acme_account_t *a)
{
    int64_t   skew;
    uint64_t  now;

    now = a->acme->now;
    skew = acme_client_counts(a->client)->skew;

    if (skew > -(int64_t) ACME_SKEW_TOLD && skew < (int64_t) ACME_SKEW_TOLD) {
        return;
    }

    if (a->skew_told && now < a->skew_told + ACME_DAY) {
        return;
    }

    a->skew_told = now;

    acme_event(a->acme, NULL, a->issuer, "ClockSkew", 1,
               "the clock of this machine is %lld s %s the CA's",
               (long long) (skew < 0 ? -skew : skew) / 1000,
               skew < 0 ? "ahead of" : "behind");
}


static void
acme_account_contacted(void *data, const acme_problem_t *problem,
    torii_str_t body)
{
    acme_account_t  *a;

    a = data;
    a->operation = NULL;

    if (problem->fail == ACME_FAIL_NONE) {
        acme_keep(&a->contacted, a->email);
        acme_account_save(a);
    }
}


/* The address was changed: once, and a refusal is no reason not to issue. */

static void
acme_account_contact(acme_account_t *a)
{
    if (a->contact_tried || a->operation != NULL || a->making
        || torii_str_eq(a->email, a->contacted))
    {
        return;
    }

    a->contact_tried = 1;
    a->operation = acme_client_contacts(a->client, a->conf.contacts,
                                        a->conf.ncontacts,
                                        acme_account_contacted, a);
    acme_engine_touch(a);
}


void
acme_account_ill(acme_account_t *a, const acme_problem_t *problem)
{
    uint64_t  now, pause;

    now = a->acme->now;

    if (a->until <= now) {
        pause = a->ill < 5 ? ACME_ILL << a->ill : ACME_ILL_MAX;
        pause += acme_engine_spread(a->acme, pause / 4);

        a->ill++;
        a->until = now + pause;
    }

    if (problem->retry_at > a->until) {
        a->until = problem->retry_at;
    }

    acme_account_plan(a);
}


void
acme_account_well(acme_account_t *a)
{
    if (a->ill || a->probe) {
        a->ill = 0;
        a->probe = 0;
        a->until = 0;
        acme_account_plan(a);
    }
}


void
acme_account_stop(acme_account_t *a, const acme_problem_t *problem)
{
    if (a->stopped) {
        return;
    }

    a->stopped = 1;
    a->problem = *problem;

    acme_event(a->acme, NULL, a->issuer, "Failed", 1,
               "the account is of no use until somebody acts: %s%s%s",
               problem->text, problem->instance[0] ? ", see " : "",
               problem->instance);
}


void
acme_account_resume(acme_account_t *a)
{
    a->stopped = 0;
    a->ill = 0;
    a->probe = 0;
    a->until = 0;

    if (a->client != NULL) {
        acme_client_retry(a->client);
        acme_engine_touch(a);
    }

    acme_account_plan(a);
}


/* The new key is the account's; it goes to where the issuer's key belongs. */

static void
acme_account_rolled(acme_account_t *a)
{
    EVP_PKEY_free(a->key);

    a->key = a->next_pkey;
    a->next_pkey = NULL;
    a->old_kid = a->kid;
    a->kid = acme_account_kid(a->conf.directory, a->key);
    a->rolling = 0;
    a->resumed = 0;

    acme_keep(&a->made, a->next_key);
    acme_job_queue(a->acme, &a->keep, 1);
    acme_account_save(a);

    acme_event(a->acme, NULL, a->issuer, "RolledOver", 0,
               "the account has a new key");
}


static void
acme_account_roll_answer(void *data, const acme_problem_t *problem,
    torii_str_t body)
{
    acme_account_t  *a;

    a = data;
    a->operation = NULL;

    if (problem->fail == ACME_FAIL_NONE) {
        acme_account_rolled(a);
        acme_account_plan(a);
        return;
    }

    if (problem->fail == ACME_FAIL_NETWORK
        || problem->fail == ACME_FAIL_SERVER
        || problem->fail == ACME_FAIL_LIMIT)
    {
        /* by way of its file, which has both keys */

        a->save_at = a->acme->now + ACME_MINUTE;
        a->resumed = 1;
        acme_account_plan(a);
        return;
    }

    if (a->resumed && problem->fail == ACME_FAIL_ACCOUNT) {

        /* an answer was lost: the old key is the CA's no more */

        acme_account_rolled(a);
        acme_account_plan(a);
        a->reset = 1;
        return;
    }

    EVP_PKEY_free(a->next_pkey);
    a->next_pkey = NULL;
    a->rolling = 0;
    a->resumed = 0;
    acme_keep(&a->next_key, torii_str(""));
    acme_account_save(a);
    acme_account_plan(a);

    acme_event(a->acme, NULL, a->issuer, "Failed", 1,
               "the account's key was not changed: %s", problem->text);
}


static void
acme_account_roll(acme_account_t *a)
{
    a->operation = acme_client_rollover(a->client, a->next_pkey,
                                        acme_account_roll_answer, a);
    acme_engine_touch(a);
}


void
acme_account_roll_over(acme_account_t *a, EVP_PKEY *key)
{
    if (key == NULL) {
        acme_event(a->acme, NULL, a->issuer, "Failed", 1,
                   "the account's key was not changed: another cannot be "
                   "made");
        return;
    }

    a->next_pkey = key;
    a->rolling = 1;
    acme_account_save(a);
}


int
acme_rollover(acme_t *acme, uint64_t now, torii_str_t name)
{
    acme_issuer_t     *issuer;
    acme_account_t    *a;
    torii_key_type_e   type;

    acme_clock(acme, now);

    issuer = acme_issuer_get(acme, name);
    a = issuer ? issuer->account : NULL;

    if (a == NULL || a->client == NULL || a->url.len == 0 || a->making
        || a->rolling || a->operation != NULL)
    {
        return TORII_DECLINED;
    }

    type = torii_key_type(a->key);

    a->making = 1;
    acme_key_ask(acme, &a->make, type == TORII_KEY_OTHER ? TORII_KEY_EC_P256
                                                         : type);

    return TORII_OK;
}
