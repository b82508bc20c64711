
/*
 * The scheduler's loop: the clock, what is due, actions out, answers in.
 */

#include <stdlib.h>
#include <openssl/crypto.h>

#include "acme_engine.h"


static void acme_clock_shift(acme_t *acme, int64_t shift);
static void acme_run_checks(acme_t *acme);
static void acme_run_timers(acme_t *acme);
static void acme_run_entry(acme_entry_t *e);
static void acme_run_flight(acme_t *acme);
static int acme_run_clients(acme_t *acme, acme_action_t *action);
static uint32_t acme_run_wait(acme_t *acme);


acme_t *
acme_create(const acme_conf_t *conf, uint64_t now)
{
    acme_t  *acme;

    acme = torii_zalloc(sizeof(acme_t));

    acme->seed = conf->seed;
    acme->salt = torii_hash(&conf->seed, sizeof(conf->seed), 1);
    acme->orders = conf->orders ? conf->orders : ACME_ORDERS;
    acme->eager = conf->eager;
    acme->shared = conf->shared;
    acme->now = now;
    acme->start = now;
    acme->loaded = torii_arena_create(1024);

    acme_queue_init(&acme->checks);
    acme_queue_init(&acme->flight);
    acme_queue_init(&acme->tells);
    acme_queue_init(&acme->jobs);
    acme_queue_init(&acme->later);
    acme_queue_init(&acme->keys);

    return acme;
}


void
acme_free(acme_t *acme)
{
    uint32_t  i;

    if (acme == NULL) {
        return;
    }

    for (i = 0; i < acme->entries.size; i++) {
        while (acme->entries.values[i] != NULL) {
            acme_entry_free(acme->entries.values[i]);
        }
    }

    acme_issuer_free_all(acme);
    acme_job_free_all(acme);
    acme_bucket_free_all(acme);
    acme_map_free(&acme->entries);
    acme_heap_free(&acme->timers);

    OPENSSL_cleanse(acme->data.data, acme->data.size);
    torii_buf_free(&acme->data);
    torii_buf_free(&acme->shown);
    torii_arena_destroy(acme->scratch);
    torii_arena_destroy(acme->loaded);
    free(acme->sorted);
    free(acme->sent);
    free(acme);
}


uint32_t
acme_engine_random(acme_t *acme, uint32_t n)
{
    acme->seed = torii_hash(&acme->seed, sizeof(acme->seed), 2);

    return n ? (uint32_t) (acme->seed % n) : 0;
}


uint64_t
acme_engine_spread(acme_t *acme, uint64_t span)
{
    acme->seed = torii_hash(&acme->seed, sizeof(acme->seed), 3);

    return span ? acme->seed % span : 0;
}


uint64_t
acme_engine_hash(const acme_t *acme, torii_str_t s)
{
    return torii_hash(s.data, s.len, acme->salt);
}


void
acme_keep(torii_str_t *to, torii_str_t from)
{
    unsigned char  *p;

    p = NULL;

    if (from.len) {
        p = torii_malloc(from.len + 1);
        memcpy(p, from.data, from.len);
        p[from.len] = '\0';
    }

    if (to->data != NULL) {
        OPENSSL_cleanse(to->data, to->len);
        free(to->data);
    }

    to->data = p;
    to->len = from.len;
}


/* The client has something new to do: it is asked at the next turn. */

void
acme_engine_touch(acme_account_t *a)
{
    a->wait = 0;
}


/*
 * A clock that went back, or far ahead of the next call, was set: what waits
 * for a span of time goes on waiting for it, what waits for a date is looked at
 * anew, and the clients, whose timers are spans, start again.
 */

void
acme_clock(acme_t *acme, uint64_t now)
{
    int64_t  shift;

    if (now >= acme->now && now - acme->now <= ACME_JUMP) {
        acme->now = now;

    } else {
        shift = (int64_t) (now - acme->now);
        acme->now = now;

        if (shift < -(int64_t) ACME_SECOND || shift > 0) {
            acme_clock_shift(acme, shift);
        }
    }

    if (now >= ACME_CLOCK_MIN) {
        acme->lost = 0;

    } else if (!acme->lost) {
        acme->lost = 1;
        acme_event(acme, NULL, torii_str(""), "ClockSkew", 1,
                   "the clock of this machine is before 2026: nothing is "
                   "issued or renewed until it is right");
    }
}


static void
acme_clock_instant(uint64_t *t, int64_t shift)
{
    if (*t != 0 && *t != UINT64_MAX) {
        *t += shift;
    }
}


static void
acme_clock_entry(acme_entry_t *e, int64_t shift)
{
    acme_clock_instant(&e->saved.retry, shift);
    acme_clock_instant(&e->hold, shift);
    acme_clock_instant(&e->ari, shift);
    acme_clock_instant(&e->fresh, shift);
    acme_clock_instant(&e->save_at, shift);
    acme_clock_instant(&e->keep_at, shift);

    if (e->phase == ACME_PHASE_IDLE) {
        acme_plan(e);
    }
}


static void
acme_clock_shift(acme_t *acme, int64_t shift)
{
    uint32_t         i;
    acme_set_t      *set;
    acme_account_t  *a;

    acme_clock_instant(&acme->start, shift);

    for (i = 0; i < acme->sets.size; i++) {
        set = acme->sets.values[i];

        if (set != NULL) {
            acme_clock_instant(&set->until, shift);
        }
    }

    acme_name_shift(acme, shift);

    for (a = acme->accounts; a != NULL; a = a->next) {
        acme_clock_instant(&a->orders.full, shift);
        acme_clock_instant(&a->orders.until, shift);
        acme_clock_instant(&a->until, shift);
        acme_clock_instant(&a->save_at, shift);
        acme_clock_instant(&a->key_at, shift);
        acme_account_reset(a);
    }

    for (i = 0; i < acme->entries.size; i++) {
        if (acme->entries.values[i] != NULL) {
            acme_clock_entry(acme->entries.values[i], shift);
        }
    }
}


int
acme_next(acme_t *acme, uint64_t now, acme_action_t *action, uint32_t *wait)
{
    uint32_t  i;

    acme_clock(acme, now);

    torii_arena_destroy(acme->scratch);
    acme->scratch = NULL;

    memset(action, 0, sizeof(acme_action_t));
    *wait = 0;

    acme_run_checks(acme);
    acme_run_timers(acme);

    /* a client that has nothing to send may have come to an end of something */

    for (i = 0; i < 2; i++) {
        acme_run_flight(acme);

        if (acme_job_next(acme, action) == TORII_OK
            || acme_run_clients(acme, action) == TORII_OK)
        {
            return TORII_OK;
        }
    }

    *wait = acme_run_wait(acme);

    return TORII_AGAIN;
}


static void
acme_run_checks(acme_t *acme)
{
    uint32_t       i;
    acme_entry_t  *e;

    for (i = 0; i < ACME_SLICE && !acme_queue_empty(&acme->checks); i++) {
        e = acme_queue_data(acme->checks.next, acme_entry_t, check);
        acme_entry_check(e);
    }
}


static void
acme_run_timers(acme_t *acme)
{
    uint32_t      i;
    acme_node_t  *node;

    if (acme->lost) {
        return;
    }

    for (i = 0; i < ACME_SLICE; i++) {
        node = acme_heap_top(&acme->timers);

        if (node == NULL || node->key > acme->now) {
            return;
        }

        acme_heap_remove(&acme->timers, node);

        if (node->account) {
            acme_account_due(acme_queue_data(node, acme_account_t, timer));

        } else {
            acme_run_entry(acme_queue_data(node, acme_entry_t, timer));
        }
    }
}


static void
acme_run_entry(acme_entry_t *e)
{
    acme_t  *acme;

    acme = e->acme;

    if (e->save_at && e->save_at <= acme->now) {
        e->save_at = 0;
        acme_save(e);
    }

    if (e->keep_at && e->keep_at <= acme->now) {
        e->keep_at = 0;
        acme_job_queue(acme, &e->keep, 1);
    }

    if (e->fresh && e->fresh <= acme->now) {
        e->fresh = 0;

        if (e->stale && e->wanted) {
            acme_entry_check(e);
        }
    }

    if (e->ari && e->ari <= acme->now) {
        acme_ari_poll(e);
    }

    acme_plan_due(e);
}


static void
acme_run_flight(acme_t *acme)
{
    acme_entry_t  *e;
    acme_queue_t  *q, *next;

    for (q = acme->flight.next; q != &acme->flight; q = next) {
        next = q->next;
        e = acme_queue_data(q, acme_entry_t, flight);
        acme_issue_step(e);
    }
}


static acme_sent_t *
acme_sent_add(acme_t *acme, acme_account_t *a, uint32_t client_id)
{
    acme_sent_t  *sent;

    if (acme->nsent == acme->sent_size) {
        acme->sent_size = acme->sent_size ? acme->sent_size * 2 : 32;
        acme->sent = torii_realloc(acme->sent,
                                   acme->sent_size * sizeof(acme_sent_t));
    }

    sent = &acme->sent[acme->nsent++];
    sent->id = ++acme->last_id;
    sent->client_id = client_id;
    sent->account = a;

    return sent;
}


/* Each client in turn, so that a busy one does not keep others waiting. */

static int
acme_run_clients(acme_t *acme, acme_action_t *action)
{
    uint32_t         wait;
    acme_account_t  *a, *first;

    first = acme->turn ? acme->turn : acme->accounts;
    a = first;

    if (a == NULL || acme->lost) {
        return TORII_AGAIN;
    }

    do {
        acme->turn = a->next ? a->next : acme->accounts;

        if (a->reset) {
            a->reset = 0;
            acme_account_reset(a);
        }

        if (a->client != NULL && a->wait <= acme->now) {

            if (acme_client_next(a->client, acme->now, &action->request, &wait)
                == TORII_OK)
            {
                action->what = ACME_DO_SEND;
                action->issuer = a->issuer;
                action->request.id = acme_sent_add(acme, a,
                                                   action->request.id)->id;
                return TORII_OK;
            }

            a->wait = acme->now + wait;
            acme_account_look(a);
        }

        a = acme->turn;
    } while (a != first);

    return TORII_AGAIN;
}


static uint32_t
acme_run_wait(acme_t *acme)
{
    uint64_t         until;
    acme_node_t     *node;
    acme_account_t  *a;

    if (!acme_queue_empty(&acme->checks)) {
        return 0;
    }

    until = acme->now + ACME_WAIT_MAX;

    if (acme->lost) {
        return (uint32_t) (until - acme->now);
    }

    node = acme_heap_top(&acme->timers);

    if (node != NULL && node->key < until) {
        until = node->key;
    }

    for (a = acme->accounts; a != NULL; a = a->next) {
        if (a->client != NULL && a->wait < until) {
            until = a->wait;
        }
    }

    return until > acme->now ? (uint32_t) (until - acme->now) : 0;
}


void
acme_answer(acme_t *acme, uint64_t now, uint32_t id,
    const acme_response_t *res)
{
    uint32_t      i;
    acme_sent_t   sent;

    acme_clock(acme, now);

    for (i = 0; i < acme->nsent && acme->sent[i].id != id; i++) {
        /* void */
    }

    if (i == acme->nsent) {
        return;
    }

    sent = acme->sent[i];
    acme->sent[i] = acme->sent[--acme->nsent];

    acme_engine_touch(sent.account);
    acme_client_answer(sent.account->client, now, sent.client_id, res);
    acme_account_look(sent.account);
}


void
acme_engine_forget(acme_account_t *a)
{
    uint32_t   i;
    acme_t    *acme;

    acme = a->acme;

    for (i = acme->nsent; i > 0; i--) {
        if (acme->sent[i - 1].account == a) {
            acme->sent[i - 1] = acme->sent[--acme->nsent];
        }
    }
}


void
acme_saved(acme_t *acme, uint64_t now, uint32_t ticket, int ok)
{
    acme_job_t  *job;

    acme_clock(acme, now);

    job = acme_job_take(acme, ticket);

    if (job == NULL) {
        return;
    }

    switch (job->what) {

    case ACME_DO_SAVE:
        if (job->entry != NULL) {
            acme_save_done(job->entry, ok);

        } else {
            acme_account_saved(job->account, ok);
        }

        break;

    case ACME_DO_ACCOUNT:
        acme_account_kept(job->account, ok);
        break;

    case ACME_DO_CERTIFICATE:
        acme_issue_kept(job->entry, ok);
        break;

    default:
        break;
    }
}


void
acme_presented(acme_t *acme, uint64_t now, uint32_t ticket, int ok,
    const char *error)
{
    acme_job_t  *job;

    acme_clock(acme, now);

    job = acme_job_take(acme, ticket);

    if (job != NULL && job->what == ACME_DO_PRESENT) {
        acme_issue_presented(job->entry, ok, error);
    }
}


void
acme_seen(acme_t *acme, uint64_t now, torii_str_t want, acme_challenge_e type,
    torii_str_t identifier, uint32_t requests, uint32_t addresses)
{
    uint32_t           i;
    acme_entry_t      *e;
    acme_challenge_t  *c;

    acme_clock(acme, now);

    e = acme_entry_get(acme, want, 0);

    if (e == NULL || e->phase != ACME_PHASE_ORDER || e->order == NULL) {
        return;
    }

    for (i = 0; i < e->nchallenges; i++) {
        c = &e->challenges[i];

        if (c->type == type && torii_str_eq(c->identifier, identifier)) {
            e->proofs[i].requests = requests;
            e->proofs[i].addresses = addresses;
        }
    }

    acme_order_poke(e->order, now);
    acme_engine_touch(e->account);
}
