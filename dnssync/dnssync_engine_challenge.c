
/*
 * TXT records for ACME, by whatever account has the zone.
 */

#include <stdlib.h>

#include "dnssync_work.h"


#define DNSSYNC_CHALLENGE_TTL   60
#define DNSSYNC_CHALLENGE_LAST  (5 * DNSSYNC_MINUTE_MS)


static int dnssync_challenge_begin(dnssync_engine_t *e,
    dnssync_challenge_t *c);
static int dnssync_challenge_unknown(dnssync_engine_t *e,
    dnssync_challenge_t *c);
static int dnssync_challenge_hopeless(const dnssync_agent_t *a,
    const dnssync_challenge_t *c);
static void dnssync_challenge_end(dnssync_engine_t *e,
    dnssync_challenge_t *c, const char *error);
static void dnssync_challenge_free(dnssync_challenge_t *c);


uint32_t
dnssync_engine_challenge(dnssync_engine_t *e, uint64_t now,
    torii_str_t account, torii_str_t name, torii_str_t value, int add)
{
    torii_arena_t        *a;
    dnssync_challenge_t  *c, **p;

    e->now = now;
    e->wake = 0;

    a = torii_arena_create(512);
    c = torii_arena_zalloc(a, sizeof(dnssync_challenge_t));

    c->arena = a;
    c->account = torii_arena_str(a, account);
    c->value = torii_arena_str(a, value);
    c->ticket = dnssync_engine_ticket(e);
    c->last = now + DNSSYNC_CHALLENGE_LAST;
    c->add = (add != 0);

    for (p = &e->challenges; *p != NULL; p = &(*p)->next) {
        /* void */
    }

    *p = c;

    if (dnssync_record_read(a, name, &c->name) != TORII_OK) {
        dnssync_challenge_end(e, c, "its name is none");
    }

    return c->ticket;
}


int
dnssync_challenge_run(dnssync_engine_t *e)
{
    int                   rc;
    dnssync_challenge_t  *c;

    rc = TORII_DECLINED;

    for (c = e->challenges; c != NULL; c = c->next) {

        if (c->done || c->task != NULL) {
            continue;
        }

        if (dnssync_engine_due(e, &c->last, DNSSYNC_CHALLENGE_LAST)) {
            dnssync_challenge_end(e, c, c->error ? c->error
                                        : "its zone could not be reached");
            rc = TORII_OK;
            continue;
        }

        if (dnssync_engine_due(e, &c->until, DNSSYNC_MINUTE_MS)
            && dnssync_challenge_begin(e, c) == TORII_OK)
        {
            rc = TORII_OK;
        }
    }

    return rc;
}


static int
dnssync_challenge_begin(dnssync_engine_t *e, dnssync_challenge_t *c)
{
    dnssync_task_t    *task;
    dnssync_domain_t  *d;

    d = dnssync_route_find(e, c->account, c->name);

    if (d == NULL) {

        if (dnssync_challenge_unknown(e, c)) {
            return TORII_DECLINED;
        }

        dnssync_challenge_end(e, c, c->error ? c->error
                                    : "no account has a zone for it");
        return TORII_OK;
    }

    if (d->task != NULL || !dnssync_agent_free_slot(e, d->agent)) {
        return TORII_DECLINED;
    }

    task = dnssync_task_create(e, d->agent, d, DNSSYNC_OP_CHALLENGE);

    task->challenge = c;
    task->op->name = c->name;
    task->op->value = c->value;
    task->op->ttl = DNSSYNC_CHALLENGE_TTL;
    task->op->add = c->add;
    c->task = task;

    dnssync_task_go(e, task);

    return TORII_OK;
}


/*
 * Zones are not known yet that may be the ones: they are asked for, whoever
 * leads, and once more when none of those that are known is it.
 */

static int
dnssync_challenge_unknown(dnssync_engine_t *e, dnssync_challenge_t *c)
{
    int               unknown;
    uint32_t          i;
    dnssync_agent_t  *a;

    unknown = !e->begun;

    for (i = 0; i < e->nagents; i++) {
        a = e->agents[i];

        if (c->account.len && !torii_str_eq(c->account, a->account->name)) {
            continue;
        }

        if (!c->asked) {
            a->next = 0;
        }

        if (dnssync_agent_due(e, a)) {
            e->wake = 0;
        }

        if (dnssync_challenge_hopeless(a, c)) {
            c->error = (const char *)
                       torii_arena_str(c->arena,
                                       torii_str(a->listing.error)).data;
            continue;
        }

        unknown |= (!a->known || a->task != NULL || a->next == 0);
    }

    c->asked = 1;

    return unknown;
}


/* What only the operator can mend is told before time is up. */

static int
dnssync_challenge_hopeless(const dnssync_agent_t *a,
    const dnssync_challenge_t *c)
{
    return c->account.len && a->task == NULL && a->listing.fails
           && (a->listing.trouble == DNSSYNC_TROUBLE_DENIED
               || a->listing.trouble == DNSSYNC_TROUBLE_SETTING);
}


void
dnssync_challenge_done(dnssync_engine_t *e, dnssync_challenge_t *c,
    const dnssync_op_t *op)
{
    c->task = NULL;

    if (op != NULL && op->trouble == DNSSYNC_TROUBLE_NONE) {
        dnssync_challenge_end(e, c, NULL);
        return;
    }

    if (op != NULL) {
        c->error = (const char *)
                   torii_arena_str(c->arena, torii_str(op->error)).data;
    }

    if (op != NULL && op->trouble != DNSSYNC_TROUBLE_DOWN
        && op->trouble != DNSSYNC_TROUBLE_THROTTLED)
    {
        dnssync_challenge_end(e, c, c->error);
        return;
    }

    c->wait = dnssync_wait(&e->random, c->wait);
    c->until = e->now + c->wait;
}


static void
dnssync_challenge_end(dnssync_engine_t *e, dnssync_challenge_t *c,
    const char *error)
{
    c->done = 1;
    c->error = error;
    e->wake = 0;
}


/* What was told at the last call goes, then what is to be told now. */

int
dnssync_challenge_next(dnssync_engine_t *e, dnssync_action_t *action)
{
    dnssync_challenge_t  *c, **p;

    if (e->over != NULL) {
        dnssync_challenge_free(e->over);
        e->over = NULL;
    }

    for (p = &e->challenges; *p != NULL && !(*p)->done; p = &(*p)->next) {
        /* void */
    }

    if (*p == NULL) {
        return TORII_DECLINED;
    }

    c = *p;
    *p = c->next;

    action->what = DNSSYNC_DO_CHALLENGED;
    action->ticket = c->ticket;
    action->name = c->name;
    action->error = c->error;

    e->over = c;

    return TORII_OK;
}


static void
dnssync_challenge_free(dnssync_challenge_t *c)
{
    torii_arena_destroy(c->arena);
}


void
dnssync_challenges_free(dnssync_engine_t *e)
{
    dnssync_challenge_t  *c;

    while (e->challenges != NULL) {
        c = e->challenges;
        e->challenges = c->next;
        dnssync_challenge_free(c);
    }

    if (e->over != NULL) {
        dnssync_challenge_free(e->over);
        e->over = NULL;
    }
}
