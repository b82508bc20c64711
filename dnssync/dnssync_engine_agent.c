
/*
 * Accounts: begun and ended, their lists of zones, and how they fare.
 */

#include <stdlib.h>

#include "dnssync_work.h"


static uint32_t dnssync_agent_find(const dnssync_engine_t *e,
    torii_str_t name, int *found);
static dnssync_agent_t *dnssync_agent_create(dnssync_engine_t *e,
    uint32_t at);
static void dnssync_agent_take(dnssync_engine_t *e, dnssync_agent_t *a,
    dnssync_account_t *account);
static void dnssync_agent_idle(dnssync_engine_t *e, dnssync_agent_t *a);
static void dnssync_agent_drop(dnssync_engine_t *e, dnssync_agent_t *a,
    uint32_t i);
static void dnssync_agent_zone(dnssync_engine_t *e, dnssync_agent_t *a,
    const dnssync_found_t *found, uint32_t sorted);
static int dnssync_agent_order(const void *one, const void *two);


void
dnssync_engine_begin(dnssync_engine_t *e)
{
    uint32_t  i;

    for (i = 0; i < e->nagents; i++) {
        e->agents[i]->seen = 0;
    }
}


void
dnssync_engine_account(dnssync_engine_t *e, uint64_t now,
    dnssync_account_t *account)
{
    int               found;
    uint32_t          i;
    dnssync_agent_t  *a;

    e->now = now;

    i = dnssync_agent_find(e, account->name, &found);
    a = found ? e->agents[i] : dnssync_agent_create(e, i);

    if (a->seen) {
        dnssync_account_free(account);
        return;
    }

    a->seen = 1;

    if (a->account != NULL && a->account->hash == account->hash
        && a->account->driver == account->driver)
    {
        dnssync_account_free(account);
        return;
    }

    dnssync_agent_take(e, a, account);
}


void
dnssync_engine_end(dnssync_engine_t *e, uint64_t now)
{
    uint32_t          i, n;
    dnssync_agent_t  *a;

    e->now = now;
    e->begun = 1;
    e->rerouted = 1;
    e->wake = 0;

    for (i = 0, n = 0; i < e->nagents; i++) {
        a = e->agents[i];

        if (a->seen) {
            e->agents[n++] = a;
            continue;
        }

        if (e->complete) {
            dnssync_cache_remove(e, a->account->name, 'a');
        }

        dnssync_agent_free(e, a);
        dnssync_engine_changed(e);
    }

    e->nagents = n;
}


static uint32_t
dnssync_agent_find(const dnssync_engine_t *e, torii_str_t name, int *found)
{
    int       rc;
    uint32_t  i;

    *found = 0;

    for (i = 0; i < e->nagents; i++) {
        rc = torii_str_cmp(e->agents[i]->account->name, name);

        if (rc >= 0) {
            *found = (rc == 0);
            break;
        }
    }

    return i;
}


static dnssync_agent_t *
dnssync_agent_create(dnssync_engine_t *e, uint32_t at)
{
    dnssync_agent_t  *a;

    a = torii_zalloc(sizeof(dnssync_agent_t));

    a->gate = dnssync_gate_create();

    e->agents = torii_realloc(e->agents, (e->nagents + 1)
                                         * sizeof(dnssync_agent_t *));
    memmove(&e->agents[at + 1], &e->agents[at],
            (e->nagents - at) * sizeof(dnssync_agent_t *));

    e->agents[at] = a;
    e->nagents++;

    return a;
}


/*
 * Other settings: another list of zones, perhaps, and everything is to be
 * planned anew; what the zones hold is still known.
 */

static void
dnssync_agent_take(dnssync_engine_t *e, dnssync_agent_t *a,
    dnssync_account_t *account)
{
    uint32_t            i;
    dnssync_account_t  *old;

    old = a->account;

    dnssync_agent_idle(e, a);

    if (old == NULL || old->driver != account->driver) {

        while (a->ndomains) {
            dnssync_agent_drop(e, a, a->ndomains - 1);
        }

        dnssync_rate_init(&a->rate, account->driver->rate,
                          account->driver->period);
    }

    a->account = account;
    a->conf = account->conf;
    a->known = 0;
    a->next = 0;

    if (a->conf.instance.len == 0) {
        a->conf.instance = e->instance;
    }

    a->conf.preview = e->preview;

    if (e->observe && !e->eager) {
        a->conf.policy = DNSSYNC_OBSERVE;
    }

    dnssync_pause_end(&a->pause);
    dnssync_pause_end(&a->listing);

    for (i = 0; i < a->ndomains; i++) {
        a->domains[i]->zone.provider = &account->driver->provider;
        dnssync_domain_stale(e, a->domains[i]);
        dnssync_domain_dirty(e, a->domains[i], 0);
    }

    if (old == NULL) {
        dnssync_cache_agent(e, a);
    }

    dnssync_account_free(old);
    dnssync_engine_changed(e);
}


static void
dnssync_agent_idle(dnssync_engine_t *e, dnssync_agent_t *a)
{
    dnssync_task_t  *task, *next;

    for (task = e->tasks; task != NULL; task = next) {
        next = task->next;

        if (task->agent == a) {
            dnssync_task_abort(e, task);
        }
    }
}


void
dnssync_agent_free(dnssync_engine_t *e, dnssync_agent_t *a)
{
    uint32_t  i;

    dnssync_agent_idle(e, a);

    for (i = 0; i < a->ndomains; i++) {
        dnssync_domain_free(e, a->domains[i]);
    }

    dnssync_account_free(a->account);
    dnssync_gate_free(a->gate);
    free(a->domains);
    free(a);
}


/* Its list of zones, now and then. */

int
dnssync_agent_due(dnssync_engine_t *e, dnssync_agent_t *a)
{
    if (a->task != NULL
        || !dnssync_engine_due(e, &a->next, 2 * DNSSYNC_RELIST)
        || !dnssync_engine_due(e, &a->listing.until, DNSSYNC_UNTIL_MAX)
        || !dnssync_agent_free_slot(e, a))
    {
        return 0;
    }

    dnssync_task_go(e, dnssync_task_create(e, a, NULL, DNSSYNC_OP_ZONES));

    return 1;
}


/* An account that is out of order is tried with one thing at a time. */

int
dnssync_agent_free_slot(dnssync_engine_t *e, dnssync_agent_t *a)
{
    uint32_t  most;

    if (!dnssync_engine_due(e, &a->pause.until, DNSSYNC_UNTIL_MAX)) {
        return 0;
    }

    most = a->account->driver->at_once;

    if (most == 0 || a->pause.fails >= DNSSYNC_STRIKES) {
        most = 1;
    }

    return a->ntasks < most;
}


/* What waited because the account was out of order need not wait longer. */

void
dnssync_agent_good(dnssync_engine_t *e, dnssync_agent_t *a)
{
    uint32_t          i;
    dnssync_pause_t  *pause;

    if (a->pause.fails == 0) {
        return;
    }

    for (i = 0; a->pause.fails >= DNSSYNC_STRIKES && i < a->ndomains; i++) {
        pause = &a->domains[i]->pause;

        if (pause->fails && pause->trouble == a->pause.trouble) {
            pause->until = e->now
                           + dnssync_random(&e->random) % DNSSYNC_QUIET;
        }
    }

    dnssync_pause_end(&a->pause);
    dnssync_engine_changed(e);
}


/*
 * pause may be NULL: the caller tries again by itself.  Trouble that may be the
 * whole account's is taken for that when nothing went well in between.
 */

void
dnssync_agent_failed(dnssync_engine_t *e, dnssync_agent_t *a,
    dnssync_pause_t *pause, const dnssync_op_t *op)
{
    uint32_t  strikes;
    uint64_t  until;

    a->failures[op->trouble]++;
    strikes = 0;
    until = 0;

    switch (op->trouble) {

    case DNSSYNC_TROUBLE_THROTTLED:
        dnssync_rate_throttled(&a->rate, e->now);
        strikes = DNSSYNC_STRIKES;
        a->dirty = 1;
        until = op->until;
        break;

    case DNSSYNC_TROUBLE_DENIED:
        strikes = 1;
        until = e->now + DNSSYNC_MINUTE_MS;
        break;

    case DNSSYNC_TROUBLE_DOWN:
        strikes = 1;
        break;

    case DNSSYNC_TROUBLE_SETTING:
        until = e->now + DNSSYNC_MINUTE_MS;
        break;

    default:
        break;
    }

    a->pause.fails += strikes;

    if (strikes && a->pause.fails >= DNSSYNC_STRIKES) {
        dnssync_pause(e, &a->pause, op->trouble, op->error, until);
    }

    if (pause != NULL) {
        dnssync_pause(e, pause, op->trouble, op->error, until);
    }
}


/* What is not in a whole list is not this account's any more. */

void
dnssync_agent_zones(dnssync_engine_t *e, dnssync_agent_t *a, dnssync_op_t *op)
{
    uint32_t  i, sorted;

    dnssync_pause_end(&a->listing);

    a->known = 1;
    a->next = e->now + DNSSYNC_RELIST
              + dnssync_random(&e->random) % DNSSYNC_RELIST;

    for (i = 0; i < a->ndomains; i++) {
        a->domains[i]->seen = 0;
    }

    sorted = a->ndomains;

    for (i = 0; i < op->nzones; i++) {
        dnssync_agent_zone(e, a, &op->zones[i], sorted);
    }

    for (i = a->ndomains; i > 0; i--) {
        if (!a->domains[i - 1]->seen) {
            dnssync_agent_drop(e, a, i - 1);
        }
    }

    if (a->ndomains) {
        qsort(a->domains, a->ndomains, sizeof(dnssync_domain_t *),
              dnssync_agent_order);
    }

    /* one that was told twice is one */

    for (i = a->ndomains; i > 1; i--) {
        if (torii_str_eq(a->domains[i - 1]->found.id,
                         a->domains[i - 2]->found.id))
        {
            dnssync_agent_drop(e, a, i - 1);
        }
    }

    e->rerouted = 1;
}


/* sorted: so many of them are in order, those that were there before. */

static void
dnssync_agent_zone(dnssync_engine_t *e, dnssync_agent_t *a,
    const dnssync_found_t *found, uint32_t sorted)
{
    uint32_t           low, high, middle;
    dnssync_domain_t  *d;

    for (low = 0, high = sorted; low < high; /* void */) {
        middle = low + (high - low) / 2;

        if (torii_str_cmp(a->domains[middle]->found.id, found->id) < 0) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    d = (low < sorted) ? a->domains[low] : NULL;

    if (d != NULL && torii_str_eq(d->found.id, found->id)
        && torii_str_eq(d->found.name, found->name)
        && d->found.private == found->private)
    {
        d->seen = 1;
        return;
    }

    a->domains = torii_realloc(a->domains, (a->ndomains + 1)
                                           * sizeof(dnssync_domain_t *));

    d = dnssync_domain_create(e, a, found);
    d->seen = 1;
    a->domains[a->ndomains++] = d;
}


static void
dnssync_agent_drop(dnssync_engine_t *e, dnssync_agent_t *a, uint32_t i)
{
    dnssync_domain_free(e, a->domains[i]);

    a->ndomains--;
    memmove(&a->domains[i], &a->domains[i + 1],
            (a->ndomains - i) * sizeof(dnssync_domain_t *));

    e->rerouted = 1;
}


static int
dnssync_agent_order(const void *one, const void *two)
{
    dnssync_domain_t *const  *a, *const *b;

    a = one;
    b = two;

    return torii_str_cmp((*a)->found.id, (*b)->found.id);
}
