
/*
 * Operations under way: a request waits for the account's rate, is out, or the
 * operation sleeps.
 */

#include <stdlib.h>

#include "dnssync_work.h"


static dnssync_task_t *dnssync_task_find(const dnssync_engine_t *e,
    uint32_t ticket);
static int dnssync_task_ready(dnssync_engine_t *e, dnssync_task_t *task);
static void dnssync_task_step(dnssync_engine_t *e, dnssync_task_t *task,
    dnssync_op_step_e step);
static void dnssync_task_done(dnssync_engine_t *e, dnssync_task_t *task);
static void dnssync_task_failed(dnssync_engine_t *e, dnssync_task_t *task);
static void dnssync_task_unlink(dnssync_engine_t *e, dnssync_task_t *task);
static void dnssync_task_free(dnssync_task_t *task);
static void dnssync_adjust_done(dnssync_domain_t *d, const dnssync_op_t *op);


dnssync_task_t *
dnssync_task_create(dnssync_engine_t *e, dnssync_agent_t *a,
    dnssync_domain_t *d, dnssync_op_e what)
{
    dnssync_task_t  *task, **p;

    task = torii_zalloc(sizeof(dnssync_task_t));

    task->agent = a;
    task->domain = d;
    task->began = e->now;
    task->op = dnssync_op_create(a->account, what);
    task->shared = dnssync_shared_hold(e->routes);

    for (p = &e->tasks; *p != NULL; p = &(*p)->next) {
        /* void */
    }

    *p = task;
    a->ntasks++;

    if (d != NULL) {
        task->op->zone = d->found;
        d->task = task;

    } else {
        a->task = task;
    }

    return task;
}


void
dnssync_task_go(dnssync_engine_t *e, dnssync_task_t *task)
{
    dnssync_task_step(e, task, dnssync_op_go(task->op, e->now));
}


static dnssync_task_t *
dnssync_task_find(const dnssync_engine_t *e, uint32_t ticket)
{
    dnssync_task_t  *task;

    for (task = e->tasks; task != NULL; task = task->next) {
        if (task->state == DNSSYNC_TASK_OUT && task->ticket == ticket) {
            return task;
        }
    }

    return NULL;
}


int
dnssync_engine_waits(const dnssync_engine_t *e, uint32_t ticket)
{
    return dnssync_task_find(e, ticket) != NULL;
}


int
dnssync_engine_answer(dnssync_engine_t *e, uint64_t now, uint32_t ticket,
    const dnssync_answer_t *answer)
{
    dnssync_task_t     *task;
    dnssync_op_step_e   step;

    task = dnssync_task_find(e, ticket);

    if (task == NULL) {
        return TORII_OK;
    }

    e->now = now;
    e->wake = 0;

    step = dnssync_op_answer(task->op, now, answer);

    if (step == DNSSYNC_OP_MORE) {
        return TORII_AGAIN;
    }

    if (step != DNSSYNC_OP_FAILED) {
        dnssync_rate_good(&task->agent->rate, now);
    }

    dnssync_task_step(e, task, step);

    return TORII_OK;
}


/* The next request that may be sent. */

int
dnssync_task_next(dnssync_engine_t *e, dnssync_action_t *action)
{
    dnssync_task_t  *task, *next;

    for (task = e->tasks; task != NULL; task = next) {
        next = task->next;

        if (task->state == DNSSYNC_TASK_ASLEEP
            && dnssync_engine_due(e, &task->op->until, DNSSYNC_UNTIL_MAX))
        {
            /* it may be the end of it, and the beginning of others */

            dnssync_task_go(e, task);
            next = e->tasks;
            continue;
        }

        if (task->state != DNSSYNC_TASK_READY
            || !dnssync_task_ready(e, task))
        {
            continue;
        }

        task->state = DNSSYNC_TASK_OUT;
        task->ticket = dnssync_engine_ticket(e);
        task->agent->requests++;

        action->what = DNSSYNC_DO_SEND;
        action->ticket = task->ticket;
        action->account = task->agent->account->name;
        action->request = &task->op->request;

        return TORII_OK;
    }

    return TORII_DECLINED;
}


static int
dnssync_task_ready(dnssync_engine_t *e, dnssync_task_t *task)
{
    uint32_t          cost;
    uint64_t          at;
    dnssync_agent_t  *a;

    a = task->agent;
    cost = task->op->request.cost ? task->op->request.cost : 1;

    if (!dnssync_engine_due(e, &a->pause.until, DNSSYNC_UNTIL_MAX)) {
        return 0;
    }

    at = dnssync_rate_when(&a->rate, e->now, cost);

    if (!dnssync_engine_due(e, &at, DNSSYNC_UNTIL_MAX)) {
        return 0;
    }

    dnssync_rate_spend(&a->rate, e->now, cost);

    return 1;
}


static void
dnssync_task_step(dnssync_engine_t *e, dnssync_task_t *task,
    dnssync_op_step_e step)
{
    switch (step) {

    case DNSSYNC_OP_SEND:
        task->state = DNSSYNC_TASK_READY;
        return;

    case DNSSYNC_OP_SLEEP:
        task->state = DNSSYNC_TASK_ASLEEP;

        if (task->op->until <= e->now) {
            task->op->until = e->now + DNSSYNC_SECOND_MS;
        }

        return;

    case DNSSYNC_OP_MORE:
        task->op->trouble = DNSSYNC_TROUBLE_ANSWER;
        dnssync_task_failed(e, task);
        return;

    case DNSSYNC_OP_DONE:
        dnssync_task_done(e, task);
        return;

    case DNSSYNC_OP_FAILED:
        dnssync_task_failed(e, task);
        return;
    }
}


static void
dnssync_task_done(dnssync_engine_t *e, dnssync_task_t *task)
{
    dnssync_op_t      *op;
    dnssync_domain_t  *d;

    op = task->op;
    d = task->domain;

    dnssync_task_unlink(e, task);
    dnssync_agent_good(e, task->agent);

    if (d != NULL) {
        dnssync_pause_end(&d->pause);
    }

    if (op->what == DNSSYNC_OP_LIST) {
        d->took = (e->now > task->began) ? e->now - task->began : 0;
    }

    switch (op->what) {

    case DNSSYNC_OP_ZONES:
        dnssync_agent_zones(e, task->agent, op);
        break;

    case DNSSYNC_OP_PROBE:
        dnssync_probe_done(e, d, op);
        break;

    case DNSSYNC_OP_LIST:
        dnssync_list_done(e, d, op);
        break;

    case DNSSYNC_OP_APPLY:
        dnssync_apply_results(e, d, op);
        break;

    case DNSSYNC_OP_CHALLENGE:
        dnssync_challenge_done(e, task->challenge, op);
        break;

    case DNSSYNC_OP_ADJUST:
        dnssync_adjust_done(d, op);
        break;
    }

    dnssync_task_free(task);
    dnssync_engine_changed(e);
}


static void
dnssync_task_failed(dnssync_engine_t *e, dnssync_task_t *task)
{
    dnssync_op_t      *op;
    dnssync_domain_t  *d;

    op = task->op;
    d = task->domain;

    dnssync_task_unlink(e, task);
    dnssync_agent_failed(e, task->agent,
                         task->challenge ? NULL
                         : d ? &d->pause : &task->agent->listing, op);

    if (task->challenge != NULL) {
        dnssync_challenge_done(e, task->challenge, op);

    } else if (op->what == DNSSYNC_OP_APPLY) {
        dnssync_apply_results(e, d, op);

    } else if (op->what == DNSSYNC_OP_LIST) {
        d->zone.state = DNSSYNC_ZONE_FAILED;

        /* what there is to add to may be what the trouble is with */

        d->whole = (op->trouble == DNSSYNC_TROUBLE_ANSWER) ? 1 : d->whole;

    } else if (op->what == DNSSYNC_OP_ADJUST) {
        d->adjusts = 1;

    } else if (op->what == DNSSYNC_OP_PROBE
               && op->trouble == DNSSYNC_TROUBLE_SETTING)
    {
        d->version.len = 0;            /* it can only be read */
        d->relist = 1;
    }

    dnssync_task_free(task);
    dnssync_engine_changed(e);
}


void
dnssync_task_abort(dnssync_engine_t *e, dnssync_task_t *task)
{
    dnssync_domain_t  *d;

    d = task->domain;

    dnssync_task_unlink(e, task);

    if (task->op->what == DNSSYNC_OP_APPLY) {
        dnssync_apply_results(e, d, task->op);
    }

    if (task->challenge != NULL) {
        dnssync_challenge_done(e, task->challenge, NULL);
    }

    dnssync_task_free(task);
}


static void
dnssync_task_unlink(dnssync_engine_t *e, dnssync_task_t *task)
{
    dnssync_task_t  **p;

    for (p = &e->tasks; *p != task; p = &(*p)->next) {
        /* void */
    }

    *p = task->next;

    task->agent->ntasks--;

    if (task->domain != NULL) {
        task->domain->task = NULL;

    } else {
        task->agent->task = NULL;
    }
}


static void
dnssync_task_free(dnssync_task_t *task)
{
    dnssync_op_free(task->op);
    dnssync_shared_drop(task->shared);
    free(task);
}


static void
dnssync_adjust_done(dnssync_domain_t *d, const dnssync_op_t *op)
{
    torii_arena_destroy(d->adjust);

    d->adjust = torii_arena_create(16 * 1024);
    d->nadjusted = op->nendpoints;
    d->adjusted = torii_arena_alloc(d->adjust, (op->nendpoints + 1)
                                               * sizeof(dnssync_endpoint_t));

    dnssync_endpoints_copy(d->adjust, d->adjusted, op->endpoints,
                           op->nendpoints);
}
