
/*
 * One issuance.  The attempt, with the key of the certificate, is on disk
 * before the CA hears of it, the order's URL before anything is done with it,
 * and it stays there until the certificate is kept: whenever the process ends,
 * the next one goes on with the same order.
 */

#include <stdlib.h>

#include "acme_engine.h"


#define ACME_EXPIRY_GUARD  ACME_MINUTE


static int acme_issue_busy(const acme_entry_t *e);
static int acme_issue_resume_key(acme_entry_t *e);
static void acme_issue_order(acme_entry_t *e);
static void acme_issue_present(acme_entry_t *e);
static void acme_issue_done(acme_entry_t *e);


int
acme_issue_resumable(const acme_entry_t *e, const acme_account_t *a)
{
    const acme_saved_t  *s;

    s = &e->saved;

    return s->url.len && s->key.len && s->account == a->id && s->set == e->set
           && (s->expires == 0
               || s->expires > e->acme->now + ACME_EXPIRY_GUARD);
}


/* The predecessor is one that this account's CA knows (RFC 9773 section 5). */

int
acme_issue_replaces(const acme_entry_t *e, const acme_account_t *a)
{
    if (e->have.arena == NULL || e->have.chain.ari.len == 0
        || e->saved.no_replaces)
    {
        return 0;
    }

    if (a->client != NULL && acme_client_known(a->client)
        && !acme_client_has_ari(a->client))
    {
        return 0;
    }

    return acme_ari_known(e)
           || (e->saved.by == a->id
               && torii_str_eq(e->saved.serial, e->have.chain.serial));
}


/*
 * In its window a renewal costs nothing of any limit.  What is wanted anew
 * before a quarter of its life is no ordinary renewal, and is counted.
 */

int
acme_issue_exempt(const acme_entry_t *e, const acme_account_t *a)
{
    int64_t  now, quarter;

    if (!acme_ari_known(e) || !acme_have_covers(e)
        || !acme_issue_replaces(e, a))
    {
        return 0;
    }

    now = acme_plan_wall(e);
    quarter = (e->have.chain.not_after - e->have.chain.not_before) / 4;

    return e->saved.start <= now && now < e->have.chain.not_after
           && e->have.chain.not_before + quarter <= now;
}


/* What no challenge can show is known without asking. */

static int
acme_issue_check(acme_entry_t *e)
{
    uint8_t            types[ACME_CHALLENGE_MAX];
    uint32_t           i;
    acme_want_name_t  *name;

    for (i = 0; i < e->want.n; i++) {
        name = &e->want.names[i];

        if (acme_proof_types(e, name, types)) {
            continue;
        }

        acme_issue_refused(e, ACME_FAIL_CONFIG,
                           torii_str_starts(name->name, "*.")
                           ? "the wildcard \"%.*s\" needs a solver for dns-01"
                           : "no solver of the issuer fits \"%.*s\"",
                           torii_str_arg(name->name));
        return TORII_ERROR;
    }

    return TORII_OK;
}


void
acme_issue_drop_order(acme_entry_t *e)
{
    torii_str_t  none;

    none = torii_str("");

    acme_keep(&e->saved.url, none);
    acme_keep(&e->saved.key, none);
    e->saved.expires = 0;
    e->saved.counted = 0;
}


/* Out of the heap of the ready ones; the limits have let it go. */

void
acme_issue_begin(acme_entry_t *e)
{
    acme_account_t  *a;

    a = e->account;
    e->phase = ACME_PHASE_IDLE;

    if (a->stopped) {
        acme_issue_failed(e, &a->problem);
        return;
    }

    if (acme_issue_check(e) != TORII_OK) {
        return;
    }

    if (acme_issue_busy(e)) {
        e->account = NULL;
        e->hold = e->acme->now + ACME_SECOND;
        acme_plan(e);
        return;
    }

    if (acme_client_state(a->client) == ACME_CLIENT_FAILED) {
        acme_client_retry(a->client);
    }

    a->in_flight++;
    acme_queue_add(&e->acme->flight, &e->flight);

    e->resumed = acme_issue_resumable(e, a)
                 && acme_issue_resume_key(e) == TORII_OK;

    if (e->resumed) {
        acme_issue_order(e);
        return;
    }

    acme_issue_drop_order(e);

    if (acme_look_first(e) == TORII_OK) {
        acme_issue_probed(e);
    }
}


void
acme_issue_probed(acme_entry_t *e)
{
    if (!e->exempt) {
        acme_bucket_spend(&e->account->orders, &acme_rate_orders,
                          e->acme->now);
    }

    acme_issue_make(e);
}


/* The key is kept with the attempt. */

void
acme_issue_record(acme_entry_t *e)
{
    if (acme_key_keep(&e->saved.key, e->order_key) != TORII_OK) {
        acme_issue_refused(e, ACME_FAIL_CSR, "its key cannot be kept");
        return;
    }

    if (e->saved.fails == 0) {
        acme_event(e->acme, e, e->issuer->conf.name, "Issuing", 0,
                   "a certificate for %.*s%s is ordered",
                   torii_str_arg(e->want.names[0].name),
                   e->want.n > 1 ? " and others" : "");
    }

    acme_ari_forced(e);

    e->phase = ACME_PHASE_RECORD;
    e->saved.attempt = e->acme->now;
    e->saved.pending = 1;
    e->saved.account = e->account->id;
    e->saved.set = e->set;

    acme_save(e);
}


/*
 * Two certificates for the same names, with keys of two kinds, come one after
 * the other: a name has one answer to tls-alpn-01 at a time, and what the first
 * order proves the second need not prove again.
 */

static int
acme_issue_busy(const acme_entry_t *e)
{
    acme_queue_t  *q;

    for (q = e->acme->flight.next; q != &e->acme->flight; q = q->next) {
        if (acme_queue_data(q, acme_entry_t, flight)->set == e->set) {
            return 1;
        }
    }

    return 0;
}


static int
acme_issue_resume_key(acme_entry_t *e)
{
    EVP_PKEY_free(e->order_key);
    e->order_key = torii_key_read(e->saved.key);

    return e->order_key != NULL ? TORII_OK : TORII_ERROR;
}


/* What it waited for is on disk. */

void
acme_issue_recorded(acme_entry_t *e)
{
    if (e->phase == ACME_PHASE_RECORD) {
        acme_issue_order(e);

    } else if (e->phase == ACME_PHASE_CREATED) {
        e->phase = ACME_PHASE_ORDER;
        acme_order_proceed(e->order, e->acme->now);
        acme_engine_touch(e->account);
    }
}


static void
acme_issue_order(acme_entry_t *e)
{
    uint32_t             i;
    torii_arena_t       *arena;
    acme_order_conf_t    conf;
    acme_issuer_conf_t  *issuer;

    issuer = &e->issuer->conf;
    arena = torii_arena_create(1024);

    e->replaces = !e->resumed && acme_issue_replaces(e, e->account);
    e->profiled = issuer->profile.len && !e->saved.no_profile;

    memset(&conf, 0, sizeof(acme_order_conf_t));

    conf.names = torii_arena_alloc(arena,
                                   e->want.n * sizeof(acme_identifier_t));
    conf.n = e->want.n;

    for (i = 0; i < e->want.n; i++) {
        conf.names[i].name = e->want.names[i].name;
        (void) acme_proof_types(e, &e->want.names[i], conf.names[i].types);
    }

    if (e->profiled) {
        conf.profile = issuer->profile;
    }

    if (e->replaces) {
        conf.replaces = e->have.chain.ari;
    }

    if (issuer->send_not_after && e->want.duration) {
        conf.not_after = (int64_t) (e->acme->now / 1000) + e->want.duration;
    }

    if (e->resumed) {
        conf.url = e->saved.url;
    }

    conf.key = e->order_key;
    conf.common_name = e->want.common_name;
    conf.preferred_chain = issuer->preferred_chain;

    e->order = acme_order_create(e->account->client, &conf);
    e->phase = ACME_PHASE_ORDER;
    acme_engine_touch(e->account);

    torii_arena_destroy(arena);
}


static void
acme_issue_created(acme_entry_t *e)
{
    acme_account_well(e->account);

    acme_keep(&e->saved.url, acme_order_url(e->order));
    e->saved.expires = acme_order_expires(e->order);
    e->saved.pending = 0;
    e->phase = ACME_PHASE_CREATED;

    acme_save(e);
}


void
acme_issue_withdraw(acme_entry_t *e)
{
    if (e->shown != NULL) {
        acme_job_queue(e->acme, &e->withdraw, 0);
    }
}


void
acme_issue_step(acme_entry_t *e)
{
    uint32_t  i;

    if (e->phase == ACME_PHASE_ACCOUNT) {
        acme_look_account(e);
        return;
    }

    /* some steps lead to the next one at once */

    for (i = 0; i < 4 && e->phase == ACME_PHASE_ORDER; i++) {

        switch (acme_order_step(e->order)) {

        case ACME_ORDER_CREATED:
            acme_issue_created(e);
            break;

        case ACME_ORDER_LOOK:
            acme_look_order(e);
            break;

        case ACME_ORDER_PRESENT:
            acme_issue_present(e);
            break;

        case ACME_ORDER_VALIDATED:
            acme_proof_well(e);
            acme_issue_withdraw(e);
            acme_order_proceed(e->order, e->acme->now);
            acme_engine_touch(e->account);
            break;

        case ACME_ORDER_DONE:
            acme_issue_done(e);
            break;

        case ACME_ORDER_FAILED:
            acme_issue_failed(e, acme_order_problem(e->order));
            break;

        default:    /* ACME_ORDER_WORKING */
            return;
        }
    }
}


static torii_str_t
acme_issue_solver(const acme_entry_t *e, const acme_challenge_t *c)
{
    uint32_t     i;
    torii_str_t  name;

    for (i = 0; i < e->want.n; i++) {
        name = e->want.names[i].name;

        if (c->wildcard != torii_str_starts(name, "*.")) {
            continue;
        }

        if (c->wildcard) {
            name.data += 2;
            name.len -= 2;
        }

        if (torii_str_eq(name, c->identifier)) {
            return e->want.names[i].solver;
        }
    }

    return torii_str("");
}


/* A copy: they are to be withdrawn also when the order is no more. */

static void
acme_issue_present(acme_entry_t *e)
{
    uint32_t                 i, n;
    torii_arena_t           *a;
    acme_challenge_t        *to;
    const acme_challenge_t  *from;

    from = acme_order_challenges(e->order, &n);

    torii_arena_destroy(e->shown);
    a = torii_arena_create(1024);

    e->shown = a;
    e->nchallenges = n;
    e->challenges = torii_arena_alloc(a, n * sizeof(acme_challenge_t));
    e->solvers = torii_arena_alloc(a, n * sizeof(torii_str_t));
    e->proofs = torii_arena_zalloc(a, n * sizeof(acme_proof_t));

    for (i = 0; i < n; i++) {
        to = &e->challenges[i];
        *to = from[i];

        to->identifier = torii_arena_str(a, from[i].identifier);
        to->token = torii_arena_str(a, from[i].token);
        to->key_auth = torii_arena_str(a, from[i].key_auth);
        to->record = torii_arena_str(a, from[i].record);
        to->value = torii_arena_str(a, from[i].value);

        e->solvers[i] = torii_arena_str(a, acme_issue_solver(e, to));
    }

    e->phase = ACME_PHASE_PRESENT;
    acme_job_queue(e->acme, &e->present, 1);
}


void
acme_issue_presented(acme_entry_t *e, int ok, const char *error)
{
    if (e->phase != ACME_PHASE_PRESENT) {
        return;
    }

    e->phase = ACME_PHASE_ORDER;

    if (ok) {
        acme_order_proceed(e->order, e->acme->now);
        acme_engine_touch(e->account);
        return;
    }

    acme_issue_refused(e, ACME_FAIL_VALIDATION,
                       "the challenges cannot be shown: %s",
                       error ? error : "no reason was given");
}


static void
acme_issue_done(acme_entry_t *e)
{
    acme_account_well(e->account);
    acme_issue_issued(e, acme_order_chain(e->order));
}


void
acme_issue_release(acme_entry_t *e)
{
    acme_account_t  *a;

    a = e->account;

    if (e->flight.next != NULL) {
        acme_queue_remove(&e->flight);

        if (a != NULL) {
            a->in_flight--;
        }
    }

    acme_order_free(e->order);
    e->order = NULL;
    EVP_PKEY_free(e->order_key);
    e->order_key = NULL;

    torii_buf_free(&e->issued);
    acme_have_free(&e->coming);
    acme_job_cancel(e->acme, &e->make);
    acme_job_cancel(e->acme, &e->look);
    acme_job_cancel(e->acme, &e->present);
    acme_job_cancel(e->acme, &e->keep);
    acme_issue_withdraw(e);
    acme_look_free(e);

    e->phase = ACME_PHASE_IDLE;
    e->account = NULL;
    e->keep_at = 0;

    if (a != NULL) {
        acme_account_plan(a);
    }
}


void
acme_issue_abort(acme_entry_t *e)
{
    if (e->phase == ACME_PHASE_IDLE) {
        return;
    }

    if (e->phase == ACME_PHASE_READY) {
        acme_heap_remove(e->exempt ? &e->account->exempt : &e->account->ready,
                         &e->ready);

    } else if (e->phase == ACME_PHASE_ORDER && e->saved.url.len == 0) {

        /* the CA may have heard of it */

        e->saved.retry = e->acme->now + ACME_MINUTE;
    }

    e->saved.pending = 0;

    acme_issue_release(e);
    acme_save(e);
    acme_plan(e);
}
