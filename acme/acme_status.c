
/*
 * What people see of it, and what operators ask for.
 */

#include <stdlib.h>

#include "acme_engine.h"


static int
acme_status_compare(const void *one, const void *two)
{
    const acme_entry_t  *a, *b;

    a = *(acme_entry_t * const *) one;
    b = *(acme_entry_t * const *) two;

    return torii_str_cmp(a->id, b->id);
}


static void
acme_status_sort(acme_t *acme)
{
    uint32_t       i;
    acme_entry_t  *e;

    acme->sorted = torii_malloc(acme->entries.n * sizeof(acme_entry_t *));
    acme->nsorted = 0;

    for (i = 0; i < acme->entries.size; i++) {
        e = acme->entries.values[i];

        if (e != NULL && e->wanted) {
            acme->sorted[acme->nsorted++] = e;
        }
    }

    qsort(acme->sorted, acme->nsorted, sizeof(acme_entry_t *),
          acme_status_compare);
}


static acme_state_e
acme_status_state(const acme_entry_t *e)
{
    if (e->saved.blocked) {
        return ACME_STATE_BLOCKED;
    }

    if (e->phase > ACME_PHASE_READY) {
        return ACME_STATE_ISSUING;
    }

    if (e->saved.fails) {
        return ACME_STATE_FAILING;
    }

    if (e->checked && acme_have_covers(e) && e->phase == ACME_PHASE_IDLE
        && e->renewal > e->acme->now)
    {
        return ACME_STATE_VALID;
    }

    return ACME_STATE_WAITING;
}


int
acme_status(acme_t *acme, uint32_t i, acme_status_t *status)
{
    acme_entry_t  *e;

    if (acme->sorted == NULL) {
        acme_status_sort(acme);
    }

    if (i >= acme->nsorted) {
        return TORII_DECLINED;
    }

    e = acme->sorted[i];

    memset(status, 0, sizeof(acme_status_t));

    status->id = e->id;
    status->state = acme_status_state(e);
    status->next = e->next > 1 ? e->next : e->next ? acme->now : 0;
    status->failures = e->saved.fails;
    status->fail = e->saved.fail;
    status->error = e->saved.error;
    status->issuer = e->want.nissuers
                     ? e->want.issuers[e->saved.turn % e->want.nissuers]
                     : torii_str("");

    if (e->have.arena != NULL) {
        status->not_before = e->have.chain.not_before;
        status->not_after = e->have.chain.not_after;
        status->serial = e->have.chain.serial;
        status->renewal = e->renewal == UINT64_MAX
                          ? 0 : (int64_t) (e->renewal / 1000);
    }

    return TORII_OK;
}


static int
acme_issuer_compare(const acme_issuer_t *a, const acme_issuer_t *b)
{
    return torii_str_cmp(a->conf.name, b->conf.name);
}


/* The list is kept in order of names. */

static void
acme_issuer_sort(acme_t *acme)
{
    acme_issuer_t  *issuer, *rest, **p;

    rest = acme->issuers;
    acme->issuers = NULL;

    while (rest != NULL) {
        issuer = rest;
        rest = rest->next;

        for (p = &acme->issuers;
             *p != NULL && acme_issuer_compare(*p, issuer) < 0;
             p = &(*p)->next)
        {
            /* void */
        }

        issuer->next = *p;
        *p = issuer;
    }
}


int
acme_issuer_status(acme_t *acme, uint32_t i, acme_issuer_status_t *status)
{
    acme_issuer_t   *issuer;
    acme_account_t  *a;

    if (i == 0) {
        acme_issuer_sort(acme);
    }

    for (issuer = acme->issuers; issuer != NULL && i > 0; i--) {
        issuer = issuer->next;
    }

    if (issuer == NULL) {
        return TORII_DECLINED;
    }

    memset(status, 0, sizeof(acme_issuer_status_t));

    a = issuer->account;

    status->name = issuer->conf.name;
    status->error = torii_str(issuer->problem);
    status->state = issuer->problem[0] ? ACME_CLIENT_FAILED
                                       : ACME_CLIENT_READY;

    if (a == NULL) {
        return TORII_OK;
    }

    status->state = ACME_CLIENT_NEW;
    status->account = a->url;
    status->orders = a->in_flight;
    status->paused = a->orders.until > a->until ? a->orders.until : a->until;

    if (status->paused <= acme->now) {
        status->paused = 0;
    }

    if (a->client != NULL) {
        status->state = acme_client_state(a->client);
        status->counts = *acme_client_counts(a->client);

        if (status->state == ACME_CLIENT_FAILED) {
            status->error = torii_str(acme_client_problem(a->client)->text);
        }
    }

    if (a->stopped) {
        status->state = ACME_CLIENT_FAILED;
        status->error = torii_str(a->problem.text);
    }

    return TORII_OK;
}


uint64_t
acme_changes(const acme_t *acme)
{
    return acme->changes;
}


int
acme_renew(acme_t *acme, uint64_t now, torii_str_t id)
{
    acme_entry_t   *e;
    acme_saved_t   *s;
    acme_issuer_t  *issuer;

    acme_clock(acme, now);

    e = acme_entry_get(acme, id, 0);

    if (e == NULL || !e->wanted) {
        return TORII_DECLINED;
    }

    if (e->phase > ACME_PHASE_READY) {
        return TORII_OK;
    }

    s = &e->saved;

    s->fails = 0;
    s->tries = 0;
    s->turn = 0;
    s->retry = 0;
    s->blocked = 0;
    e->hold = 0;
    e->looks = 0;
    e->first = 0;
    e->forced = 1;

    issuer = acme_entry_issuer(e);

    if (issuer != NULL && issuer->account != NULL
        && (issuer->account->stopped || issuer->account->ill))
    {
        acme_account_resume(issuer->account);
    }

    acme_save(e);
    acme_plan(e);

    return TORII_OK;
}


static void
acme_revoke_answer(void *data, const acme_problem_t *problem, torii_str_t body)
{
    acme_entry_t  *e;

    e = data;

    if (problem->fail == ACME_FAIL_NONE) {
        acme_event(e->acme, e, e->revoke_account->issuer, "Revoked", 0,
                   "the certificate %.*s is revoked, another is ordered",
                   torii_str_arg(e->have.chain.serial));

        e->new_key = 1;
        (void) acme_renew(e->acme, e->acme->now, e->id);

    } else {
        acme_event(e->acme, e, e->revoke_account->issuer, "Failed", 1,
                   "the certificate was not revoked: %s", problem->text);
    }

    e->revoke = NULL;
    e->revoke_account = NULL;
}


int
acme_revoke(acme_t *acme, uint64_t now, torii_str_t id, unsigned reason)
{
    uint32_t         i;
    acme_entry_t    *e;
    acme_issuer_t   *issuer;
    acme_account_t  *a;

    acme_clock(acme, now);

    e = acme_entry_get(acme, id, 0);

    if (e == NULL || !e->wanted || e->have.arena == NULL || e->revoke != NULL) {
        return TORII_DECLINED;
    }

    a = NULL;

    for (i = 0; i < e->want.nissuers; i++) {
        issuer = acme_issuer_get(acme, e->want.issuers[i]);

        if (issuer != NULL && issuer->account != NULL
            && (a == NULL || issuer->account->id == e->saved.by))
        {
            a = issuer->account;
        }
    }

    if (a == NULL || a->client == NULL) {
        return TORII_DECLINED;
    }

    e->revoke_account = a;
    e->revoke = acme_client_revoke(a->client, e->have.chain.leaf, NULL, reason,
                                   acme_revoke_answer, e);
    acme_engine_touch(a);

    return TORII_OK;
}
