
/*
 * What others tell: addresses of names that hosts are aliases of, and what the
 * servers of a zone answer after a change.
 */

#include <stdio.h>
#include <stdlib.h>

#include "dnssync_work.h"


#define DNSSYNC_ASK_TTL_MIN  30        /* s */
#define DNSSYNC_ASK_TTL_MAX  3600
#define DNSSYNC_ASK_AGAIN    (30 * DNSSYNC_SECOND_MS)
#define DNSSYNC_ASK_FORGET   (2 * DNSSYNC_HOUR_MS)
#define DNSSYNC_CHECK_LAST   (15 * DNSSYNC_MINUTE_MS)


static uint32_t dnssync_ask_find(const dnssync_engine_t *e, torii_str_t name,
    int *found);
static dnssync_ask_t *dnssync_ask_add(dnssync_engine_t *e, uint32_t at,
    torii_str_t name);
static void dnssync_ask_sweep(dnssync_engine_t *e);
static int dnssync_ask_same(const dnssync_ask_t *ask,
    const torii_str_t *addresses, uint32_t n);
static void dnssync_ask_keen(dnssync_engine_t *e);
static int dnssync_check_next(dnssync_engine_t *e, dnssync_action_t *action);
static void dnssync_check_set(dnssync_engine_t *e, dnssync_domain_t *d,
    const dnssync_rrset_t *set);
static void dnssync_check_free(dnssync_check_t **p);
static int dnssync_check_shown(const dnssync_domain_t *d,
    const dnssync_rrset_t *set);


/* All that a plan would have resolved. */

void
dnssync_asks(dnssync_engine_t *e, const dnssync_plan_t *plan)
{
    int             found;
    uint32_t        i, at;
    dnssync_ask_t  *ask;

    for (i = 0; i < plan->nlookups; i++) {
        at = dnssync_ask_find(e, plan->lookups[i], &found);

        if (!found && e->nasks == DNSSYNC_LOOKUPS) {
            continue;
        }

        ask = found ? &e->asks[at]
                    : dnssync_ask_add(e, at, plan->lookups[i]);
        ask->used = e->now;
    }
}


/* Where it is, or belongs. */

static uint32_t
dnssync_ask_find(const dnssync_engine_t *e, torii_str_t name, int *found)
{
    int       rc;
    uint32_t  low, high, middle;

    *found = 0;

    for (low = 0, high = e->nasks; low < high; /* void */) {
        middle = low + (high - low) / 2;
        rc = torii_str_cmp(e->asks[middle].name, name);

        if (rc == 0) {
            *found = 1;
            return middle;
        }

        if (rc < 0) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


static dnssync_ask_t *
dnssync_ask_add(dnssync_engine_t *e, uint32_t at, torii_str_t name)
{
    dnssync_ask_t  *ask;

    e->asks = torii_realloc(e->asks, (e->nasks + 1) * sizeof(dnssync_ask_t));
    ask = &e->asks[at];

    memmove(ask + 1, ask, (e->nasks - at) * sizeof(dnssync_ask_t));
    memset(ask, 0, sizeof(dnssync_ask_t));

    ask->name.len = name.len;
    ask->name.data = torii_malloc(name.len + 1);
    memcpy(ask->name.data, name.data, name.len);

    e->nasks++;

    return ask;
}


/* In order; what was never answered is not among them. */

uint32_t
dnssync_ask_lookups(const dnssync_engine_t *e, dnssync_lookup_t *lookups)
{
    uint32_t  i, n;

    for (i = 0, n = 0; i < e->nasks; i++) {

        if (e->asks[i].known) {
            lookups[n].name = e->asks[i].name;
            lookups[n].addresses = e->asks[i].addresses;
            lookups[n++].n = e->asks[i].n;
        }
    }

    return n;
}


int
dnssync_ask_next(dnssync_engine_t *e, dnssync_action_t *action)
{
    uint32_t        i;
    dnssync_ask_t  *ask;

    if (!e->leads) {
        return TORII_DECLINED;
    }

    dnssync_ask_sweep(e);

    for (i = 0; i < e->nasks; i++) {
        ask = &e->asks[i];

        if (ask->ticket
            || !dnssync_engine_due(e, &ask->until,
                                   DNSSYNC_ASK_TTL_MAX * DNSSYNC_SECOND_MS))
        {
            continue;
        }

        ask->ticket = dnssync_engine_ticket(e);

        action->what = DNSSYNC_DO_RESOLVE;
        action->ticket = ask->ticket;
        action->name = ask->name;

        return TORII_OK;
    }

    return dnssync_check_next(e, action);
}


/*
 * A zone that depends on lookups is planned again from time to time; names
 * that no plan asked for meanwhile are of no use.
 */

static void
dnssync_ask_sweep(dnssync_engine_t *e)
{
    uint32_t        i, n;
    dnssync_ask_t  *ask;

    for (i = 0, n = 0; i < e->nasks; i++) {
        ask = &e->asks[i];

        if (ask->ticket || e->now < ask->used + DNSSYNC_ASK_FORGET) {
            e->asks[n++] = *ask;
            continue;
        }

        torii_arena_destroy(ask->arena);
        free(ask->name.data);
    }

    e->nasks = n;
}


/* A failure does not take away what was known. */

void
dnssync_engine_resolved(dnssync_engine_t *e, uint64_t now, uint32_t ticket,
    const torii_str_t *addresses, uint32_t n, uint32_t ttl)
{
    uint32_t        i;
    dnssync_ask_t  *ask;

    e->now = now;
    e->wake = 0;

    for (i = 0; i < e->nasks && e->asks[i].ticket != ticket; i++) {
        /* void */
    }

    if (i == e->nasks || ticket == 0) {
        return;
    }

    ask = &e->asks[i];
    ask->ticket = 0;

    if (n == 0) {
        ask->until = now + DNSSYNC_ASK_AGAIN;

        if (!ask->known) {
            ask->known = 1;
            dnssync_ask_keen(e);
        }

        return;
    }

    ttl = (ttl < DNSSYNC_ASK_TTL_MIN) ? DNSSYNC_ASK_TTL_MIN : ttl;
    ttl = (ttl > DNSSYNC_ASK_TTL_MAX) ? DNSSYNC_ASK_TTL_MAX : ttl;
    ask->until = now + ttl * DNSSYNC_SECOND_MS;

    if (ask->known && dnssync_ask_same(ask, addresses, n)) {
        return;
    }

    torii_arena_destroy(ask->arena);
    ask->arena = torii_arena_create(256);
    ask->addresses = torii_arena_alloc(ask->arena, n * sizeof(torii_str_t));

    for (i = 0; i < n; i++) {
        ask->addresses[i] = torii_arena_str(ask->arena, addresses[i]);
    }

    ask->n = n;
    ask->known = 1;

    dnssync_ask_keen(e);
}


static int
dnssync_ask_same(const dnssync_ask_t *ask, const torii_str_t *addresses,
    uint32_t n)
{
    uint32_t  i, k;

    if (ask->n != n) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        for (k = 0; k < n && !torii_str_eq(ask->addresses[k], addresses[i]);
             k++)
        {
            /* void */
        }

        if (k == n) {
            return 0;
        }
    }

    return 1;
}


static void
dnssync_ask_keen(dnssync_engine_t *e)
{
    uint32_t           i, k;
    dnssync_domain_t  *d;

    for (i = 0; i < e->nagents; i++) {
        for (k = 0; k < e->agents[i]->ndomains; k++) {
            d = e->agents[i]->domains[k];

            if (d->keen) {
                dnssync_domain_dirty(e, d, 0);
            }
        }
    }
}


void
dnssync_asks_free(dnssync_engine_t *e)
{
    uint32_t  i;

    for (i = 0; i < e->nasks; i++) {
        torii_arena_destroy(e->asks[i].arena);
        free(e->asks[i].name.data);
    }

    free(e->asks);
    e->asks = NULL;
    e->nasks = 0;
}


/* What the world is to see of an edit. */

void
dnssync_check(dnssync_engine_t *e, dnssync_domain_t *d,
    const dnssync_edit_t *edit)
{
    uint32_t          i, k;
    dnssync_check_t  **p;

    for (i = 0; i < edit->nparts; i++) {

        p = &e->checks;

        for (k = 0; *p != NULL; k++) {

            /* another set of that name: the older one is not to be seen */

            if ((*p)->domain == d && torii_str_eq((*p)->name, edit->name)
                && edit->parts[i].before != NULL
                && (*p)->type == edit->parts[i].before->type)
            {
                dnssync_check_free(p);
                continue;
            }

            p = &(*p)->next;
        }

        if (edit->parts[i].after != NULL && d->nchecks < DNSSYNC_CHECKS
            && dnssync_check_shown(d, edit->parts[i].after))
        {
            dnssync_check_set(e, d, edit->parts[i].after);
        }
    }
}


/* Not what a provider answers in its own way, or to some only. */

static int
dnssync_check_shown(const dnssync_domain_t *d, const dnssync_rrset_t *set)
{
    uint32_t     i;
    const char  *proxied;

    if (d->found.private || set->set.len
        || dnssync_type_word(set->type) == NULL
        || !torii_str_eqs(d->zone.view, "public"))
    {
        return 0;
    }

    proxied = d->zone.provider->proxied;

    for (i = 0; i < set->noptions; i++) {

        if (torii_str_eqs(set->options[i].name, "alias")
            || (proxied != NULL
                && torii_str_eqs(set->options[i].name, proxied)
                && torii_str_eqs(set->options[i].value, "true")))
        {
            return 0;
        }
    }

    return 1;
}


static void
dnssync_check_set(dnssync_engine_t *e, dnssync_domain_t *d,
    const dnssync_rrset_t *set)
{
    uint32_t          i;
    torii_arena_t    *a;
    dnssync_check_t  *check, **p;

    a = torii_arena_create(512);
    check = torii_arena_zalloc(a, sizeof(dnssync_check_t));

    check->arena = a;
    check->domain = d;
    check->zone = torii_arena_str(a, d->zone.name);
    check->name = torii_arena_str(a, set->name);
    check->type = set->type;
    check->since = e->now;
    check->last = e->now + DNSSYNC_CHECK_LAST;
    check->values = torii_arena_alloc(a, (set->n + 1) * sizeof(torii_str_t));
    check->n = set->n;

    for (i = 0; i < set->n; i++) {
        check->values[i] = torii_arena_str(a, set->values[i]);
    }

    for (p = &e->checks; *p != NULL; p = &(*p)->next) {
        /* void */
    }

    *p = check;
    d->nchecks++;
}


static int
dnssync_check_next(dnssync_engine_t *e, dnssync_action_t *action)
{
    dnssync_check_t  *check, **p;

    p = &e->checks;

    while (*p != NULL) {
        check = *p;

        if (dnssync_engine_due(e, &check->last, DNSSYNC_CHECK_LAST)) {
            dnssync_check_free(p);     /* its owner forgot about it */
            continue;
        }

        if (check->ticket) {
            p = &check->next;
            continue;
        }

        check->ticket = dnssync_engine_ticket(e);

        action->what = DNSSYNC_DO_VERIFY;
        action->ticket = check->ticket;
        action->zone = check->zone;
        action->name = check->name;
        action->type = check->type;
        action->values = check->values;
        action->n = check->n;

        return TORII_OK;
    }

    return TORII_DECLINED;
}


void
dnssync_engine_verified(dnssync_engine_t *e, uint64_t now, uint32_t ticket,
    const char *error)
{
    dnssync_check_t    *check, **p;
    dnssync_domain_t   *d;

    e->now = now;

    for (p = &e->checks; *p != NULL && (*p)->ticket != ticket;
         p = &(*p)->next)
    {
        /* void */
    }

    if (*p == NULL || ticket == 0) {
        return;
    }

    check = *p;
    d = check->domain;

    if (error == NULL) {
        d->propagation = (now > check->since) ? now - check->since : 0;
        d->unseen[0] = '\0';

    } else {
        (void) snprintf(d->unseen, sizeof(d->unseen), "%.*s: %s",
                        torii_str_arg(check->name), error);
    }

    dnssync_check_free(p);
    dnssync_engine_changed(e);
}


void
dnssync_checks_free(dnssync_engine_t *e, const dnssync_domain_t *d)
{
    dnssync_check_t  **p;

    p = &e->checks;

    while (*p != NULL) {

        if (d == NULL || (*p)->domain == d) {
            dnssync_check_free(p);
            continue;
        }

        p = &(*p)->next;
    }
}


static void
dnssync_check_free(dnssync_check_t **p)
{
    dnssync_check_t  *check;

    check = *p;
    *p = check->next;

    check->domain->nchecks--;
    torii_arena_destroy(check->arena);
}
