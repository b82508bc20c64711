
/*
 * What the owner is to do: jobs in the order in which they came up, but what an
 * issuance waits for before what can wait.  The content is put together when
 * the job is handed out, so that it is of that moment.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "acme_engine.h"


#define ACME_EVENT_TEXT  640


typedef struct {
    acme_job_t             job;
    const char            *reason;
    int                    warning;
    torii_arena_t         *arena;
    torii_str_t            issuer;
    torii_str_t            want;
    torii_str_t            text;
} acme_event_t;


static void acme_job_fill(acme_t *acme, acme_job_t *job,
    acme_action_t *action);
static torii_str_t acme_job_str(acme_t *acme, const torii_buf_t *b);


void
acme_job_init(acme_job_t *job, acme_do_e what, acme_entry_t *e,
    acme_account_t *account)
{
    memset(job, 0, sizeof(acme_job_t));

    job->what = what;
    job->entry = e;
    job->account = account;
}


void
acme_job_queue(acme_t *acme, acme_job_t *job, int urgent)
{
    if (job->state == ACME_JOB_OUT) {
        return;
    }

    acme_queue_remove(&job->queue);

    if (job->what == ACME_DO_EVENT || job->what == ACME_DO_WITHDRAW) {
        acme_queue_add(&acme->tells, &job->queue);

    } else if (job->slow) {

        /* an account's first: more waits for it */

        acme_queue_add(job->account != NULL ? acme->keys.next : &acme->keys,
                       &job->queue);

    } else {
        acme_queue_add(urgent ? &acme->jobs : &acme->later, &job->queue);
    }

    job->state = ACME_JOB_QUEUED;
}


static void
acme_job_back(acme_t *acme, acme_job_t *job)
{
    acme->tickets[job->slot].job = NULL;
    acme->out--;
    acme->making -= job->slow;
}


void
acme_job_cancel(acme_t *acme, acme_job_t *job)
{
    acme_queue_remove(&job->queue);

    if (job->state == ACME_JOB_OUT) {
        acme_job_back(acme, job);
    }

    job->state = ACME_JOB_IDLE;
}


acme_job_t *
acme_job_take(acme_t *acme, uint32_t ticket)
{
    acme_job_t     *job;
    acme_ticket_t  *t;

    t = &acme->tickets[ticket % ACME_TICKETS];
    job = t->job;

    if (job == NULL || t->ticket != ticket) {
        return NULL;
    }

    acme_job_back(acme, job);
    job->state = ACME_JOB_IDLE;

    return job;
}


static void
acme_job_ticket(acme_t *acme, acme_job_t *job)
{
    acme_ticket_t  *t;

    /* one is free: acme_job_next() has looked */

    do {
        acme->last_ticket++;
        t = &acme->tickets[acme->last_ticket % ACME_TICKETS];
    } while (t->job != NULL);

    t->job = job;
    t->ticket = acme->last_ticket;
    job->slot = acme->last_ticket % ACME_TICKETS;
    job->state = ACME_JOB_OUT;
    acme->out++;
    acme->making += job->slow;
}


int
acme_job_next(acme_t *acme, acme_action_t *action)
{
    acme_job_t    *job;
    acme_queue_t  *head;

    if (!acme_queue_empty(&acme->tells)) {
        head = &acme->tells;

    } else if (!acme_queue_empty(&acme->jobs) && acme->out < ACME_TICKETS) {
        head = &acme->jobs;

    } else if (!acme_queue_empty(&acme->keys) && acme->making < ACME_KEYS
               && acme->out < ACME_TICKETS)
    {
        head = &acme->keys;

    } else if (!acme_queue_empty(&acme->later) && acme->out < ACME_TICKETS / 2)
    {
        head = &acme->later;

    } else {
        return TORII_DECLINED;
    }

    job = acme_queue_data(head->next, acme_job_t, queue);
    acme_queue_remove(&job->queue);
    job->state = ACME_JOB_IDLE;

    action->what = job->what;

    if (head != &acme->tells) {
        acme_job_ticket(acme, job);
        action->ticket = acme->last_ticket;
    }

    acme->scratch = torii_arena_create(512);
    acme_job_fill(acme, job, action);

    return TORII_OK;
}


static torii_str_t
acme_job_str(acme_t *acme, const torii_buf_t *b)
{
    torii_str_t  s;

    s.data = b->data;
    s.len = b->len;

    return torii_arena_str(acme->scratch, s);
}


static void
acme_job_challenges(acme_t *acme, acme_entry_t *e, acme_action_t *action)
{
    action->want = torii_arena_str(acme->scratch, e->id);
    action->challenges = e->challenges;
    action->solvers = e->solvers;
    action->n = e->nchallenges;

    if (action->what == ACME_DO_PRESENT) {
        return;
    }

    /* they are no longer the entry's, and live until the next action */

    torii_arena_destroy(acme->scratch);
    acme->scratch = e->shown;
    action->want = torii_arena_str(acme->scratch, e->id);

    e->shown = NULL;
    e->challenges = NULL;
    e->solvers = NULL;
    e->proofs = NULL;
    e->nchallenges = 0;
}


static void
acme_job_certificate(acme_t *acme, acme_entry_t *e, acme_action_t *action)
{
    torii_str_t  s;

    acme->data.len = 0;
    (void) torii_key_write(e->order_key, e->want.traditional, &acme->data);

    s.data = e->issued.data;
    s.len = e->issued.len;

    action->want = torii_arena_str(acme->scratch, e->id);
    action->issuer = torii_arena_str(acme->scratch, e->issuer->conf.name);
    action->chain = torii_arena_str(acme->scratch, s);
    action->key.data = acme->data.data;
    action->key.len = acme->data.len;
}


static void
acme_job_save(acme_t *acme, acme_job_t *job, acme_action_t *action)
{
    acme->data.len = 0;

    if (job->entry != NULL) {
        acme_save_name(acme, job->entry, &acme->data);
        action->name = acme_job_str(acme, &acme->data);
        acme->data.len = 0;

        job->entry->dirty = 0;

        if (!job->entry->remove) {
            acme_save_write(job->entry, &acme->data);
        }

    } else {
        acme_save_account_name(job->account, &acme->data);
        action->name = acme_job_str(acme, &acme->data);
        acme->data.len = 0;

        job->account->dirty = 0;
        acme_save_account(job->account, &acme->data);
    }

    action->data.data = acme->data.data;
    action->data.len = acme->data.len;
}


static void
acme_job_event(acme_t *acme, acme_job_t *job, acme_action_t *action)
{
    acme_event_t  *ev;

    ev = (acme_event_t *) job;

    action->reason = ev->reason;
    action->warning = ev->warning;
    action->issuer = ev->issuer;
    action->want = ev->want;
    action->text = ev->text;

    torii_arena_destroy(acme->scratch);
    acme->scratch = ev->arena;

    free(ev);
}


static void
acme_job_fill(acme_t *acme, acme_job_t *job, acme_action_t *action)
{
    switch (job->what) {

    case ACME_DO_SAVE:
        acme_job_save(acme, job, action);
        break;

    case ACME_DO_ACCOUNT:
        action->issuer = torii_arena_str(acme->scratch, job->account->issuer);
        acme->data.len = 0;
        torii_buf_add_str(&acme->data, job->account->made);
        action->data.data = acme->data.data;
        action->data.len = acme->data.len;
        break;

    case ACME_DO_KEY:
        action->key_type = job->key_type;
        break;

    case ACME_DO_LOOK:
        action->want = torii_arena_str(acme->scratch, job->entry->id);
        action->records = job->entry->records;
        action->n = job->entry->nrecords;
        break;

    case ACME_DO_PRESENT:
    case ACME_DO_WITHDRAW:
        acme_job_challenges(acme, job->entry, action);
        break;

    case ACME_DO_CERTIFICATE:
        acme_job_certificate(acme, job->entry, action);
        break;

    default:        /* ACME_DO_EVENT */
        acme_job_event(acme, job, action);
    }
}


void
acme_event(acme_t *acme, const acme_entry_t *e, torii_str_t issuer,
    const char *reason, int warning, const char *fmt, ...)
{
    char           text[ACME_EVENT_TEXT];
    va_list        args;
    acme_event_t  *ev;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    ev = torii_zalloc(sizeof(acme_event_t));

    acme_job_init(&ev->job, ACME_DO_EVENT, NULL, NULL);

    ev->arena = torii_arena_create(256);
    ev->reason = reason;
    ev->warning = warning;
    ev->issuer = torii_arena_str(ev->arena, issuer);
    ev->want = torii_arena_str(ev->arena, e ? e->id : torii_str(""));
    ev->text = torii_arena_str(ev->arena, torii_str(text));

    acme_job_queue(acme, &ev->job, 0);
}


/* Events are the only jobs that own their memory. */

void
acme_job_free_all(acme_t *acme)
{
    acme_job_t    *job;
    acme_event_t  *ev;

    while (!acme_queue_empty(&acme->tells)) {
        job = acme_queue_data(acme->tells.next, acme_job_t, queue);
        acme_queue_remove(&job->queue);

        if (job->what == ACME_DO_EVENT) {
            ev = (acme_event_t *) job;
            torii_arena_destroy(ev->arena);
            free(ev);
        }
    }
}
