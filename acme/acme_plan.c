
/*
 * When a certificate is renewed and when a failed attempt is made again.  All
 * of it are parts of the lifetime that was issued, never numbers of days.
 */

#include "acme_engine.h"


#define ACME_LIFE_SHORT     (10 * 86400)    /* s: renewed at its half */
#define ACME_SKEW_HELD      (10 * ACME_MINUTE)
#define ACME_LOOP           (6 * ACME_HOUR)
#define ACME_DEAD           (30 * ACME_DAY)    /* expired for so long: weekly */
#define ACME_NEVER          INT64_MAX          /* s */


static const uint64_t  acme_backoff[] = {
    ACME_MINUTE, 10 * ACME_MINUTE, 100 * ACME_MINUTE, ACME_DAY
};


/* By how much the CA's clock is ahead of ours, if that is much. */

static int64_t
acme_plan_skew(const acme_entry_t *e)
{
    int64_t         skew;
    acme_issuer_t  *issuer;

    issuer = acme_entry_issuer(e);

    if (issuer == NULL || issuer->account == NULL
        || issuer->account->client == NULL)
    {
        return 0;
    }

    skew = acme_client_counts(issuer->account->client)->skew;

    if (skew > -(int64_t) ACME_SKEW_HELD && skew < (int64_t) ACME_SKEW_HELD) {
        return 0;
    }

    return skew;
}


int64_t
acme_plan_wall(const acme_entry_t *e)
{
    return ((int64_t) e->acme->now + acme_plan_skew(e)) / 1000;
}


int
acme_plan_short(const acme_entry_t *e, int64_t part)
{
    int64_t  life, left;

    if (e->have.arena == NULL) {
        return 1;
    }

    life = e->have.chain.not_after - e->have.chain.not_before;
    left = e->have.chain.not_after - acme_plan_wall(e);

    return left < life / part;
}


/* The share of life that has passed, moved by up to 2 % either way, always the
   same for one certificate: restarts and replicas agree. */

static int64_t
acme_plan_default(const acme_entry_t *e, int64_t life)
{
    int64_t   part;
    uint64_t  h;

    h = torii_hash(e->have.chain.serial.data, e->have.chain.serial.len, e->set);

    part = (life > ACME_LIFE_SHORT) ? 666667 : 500000;
    part += (int64_t) (h % 40001) - 20000;

    return life / 1000000 * part + life % 1000000 * part / 1000000;
}


static int64_t
acme_plan_natural(const acme_entry_t *e)
{
    int64_t  from, to, life;

    from = e->have.chain.not_before;
    to = e->have.chain.not_after;
    life = to - from;

    if (e->want.renew_before > 0 && e->want.renew_before < life) {
        return to - e->want.renew_before;
    }

    if (e->want.renew_percent > 0 && e->want.renew_percent < 100) {
        return to - (life / 100 * e->want.renew_percent
                     + life % 100 * e->want.renew_percent / 100);
    }

    return from + acme_plan_default(e, life);
}


/*
 * A window (RFC 9773) moves a renewal earlier as far as it likes, and later
 * until a tenth of the life is left; not past what the operator has set.  A CA
 * that wants what it just issued renewed again is heard ever more rarely.
 */

static int64_t
acme_plan_window(const acme_entry_t *e, int64_t natural)
{
    int64_t              t, guard;
    uint32_t             loops;
    const acme_saved_t  *s;

    s = &e->saved;
    t = s->chosen;

    if (s->forced && s->issued >= s->forced) {
        loops = s->loops < 4 ? s->loops : 4;
        guard = (int64_t) ((s->forced + (ACME_LOOP << loops)) / 1000);
        t = (t > guard) ? t : guard;
    }

    guard = e->have.chain.not_after
            - (e->have.chain.not_after - e->have.chain.not_before) / 10;

    if (e->want.renew_before || e->want.renew_percent) {
        guard = natural < guard ? natural : guard;
    }

    return t < guard ? t : guard;
}


uint64_t
acme_plan_renewal(acme_entry_t *e)
{
    int64_t   t, now, issued;
    uint64_t  spec;

    if (e->forced || !acme_have_covers(e)) {
        return 0;
    }

    spec = acme_entry_spec(e);

    if (spec && e->saved.spec && spec != e->saved.spec) {
        return 0;
    }

    if (e->want.no_renewal) {
        t = ACME_NEVER;

    } else {
        t = acme_plan_natural(e);

        if (acme_ari_known(e)) {
            t = acme_plan_window(e, t);
        }
    }

    if (e->want.renew_now) {
        now = acme_plan_wall(e);

        /* CAs date certificates back; an hour is usual */

        issued = (int64_t) (e->saved.issued / 1000);
        issued = issued ? issued : e->have.chain.not_before + 3600;

        if (issued < e->want.renew_now && e->want.renew_now < t) {
            t = e->want.renew_now < now ? now : e->want.renew_now;
        }
    }

    if (t == ACME_NEVER) {
        return UINT64_MAX;
    }

    t = t * 1000 - acme_plan_skew(e);

    return t > 0 ? (uint64_t) t : 1;
}


uint32_t
acme_plan_priority(const acme_entry_t *e)
{
    int  missing;

    missing = !acme_have_covers(e)
              || e->have.chain.not_after <= acme_plan_wall(e);

    if (missing) {
        return e->want.in_use ? 0 : 3;
    }

    return acme_plan_short(e, 10) ? 1 : 2;
}


static uint64_t
acme_plan_cap(const acme_entry_t *e, uint64_t t)
{
    int64_t  life;

    if (e->have.arena != NULL
        && e->acme->now > (uint64_t) e->have.chain.not_after * 1000 + ACME_DEAD)
    {
        return 7 * ACME_DAY;
    }

    life = e->saved.life;

    if (life > 0 && t > (uint64_t) life * 1000 / 20) {
        t = (uint64_t) life * 1000 / 20;
    }

    if (e->have.arena != NULL && acme_plan_short(e, 6) && t > ACME_HOUR) {
        t = ACME_HOUR;
    }

    return t > ACME_MINUTE ? t : ACME_MINUTE;
}


/* For an issuer that is asked for the first time the steps begin anew. */

uint64_t
acme_plan_backoff(acme_entry_t *e)
{
    uint32_t  n;
    uint64_t  t;

    n = (e->saved.turn < e->want.nissuers) ? e->saved.tries : e->saved.fails;

    if (n < 1) {
        n = 1;
    }

    if (n > sizeof(acme_backoff) / sizeof(acme_backoff[0])) {
        n = sizeof(acme_backoff) / sizeof(acme_backoff[0]);
    }

    t = acme_plan_cap(e, acme_backoff[n - 1]);

    return t / 5 * 4 + acme_engine_spread(e->acme, t / 5 * 2);
}


/*
 * After a start nothing runs at once, since many machines start together after
 * an outage; but whoever waits for a first certificate is served.
 */

static void
acme_plan_start(acme_entry_t *e)
{
    int64_t   left;
    uint64_t  span;
    acme_t   *acme;

    acme = e->acme;
    e->first = 0;

    if (acme->eager || e->next == 0 || e->next > acme->now) {
        return;
    }

    if (e->have.arena == NULL && e->saved.fails == 0) {
        return;
    }

    span = ACME_START;

    if (++acme->due > ACME_CROWD) {
        left = e->have.arena ? e->have.chain.not_after * 1000
                               - (int64_t) acme->now
                             : 0;
        left /= 4;

        if (left > (int64_t) span) {
            span = left < (int64_t) ACME_HOUR ? (uint64_t) left : ACME_HOUR;
        }
    }

    e->hold = acme->now + acme_engine_spread(acme, span);
    e->next = e->hold;
}


static void
acme_plan_next(acme_entry_t *e)
{
    e->next = 0;

    if (!e->wanted || !e->checked || e->phase != ACME_PHASE_IDLE) {
        return;
    }

    e->renewal = acme_plan_renewal(e);

    if (e->saved.retry == UINT64_MAX || e->renewal == UINT64_MAX) {
        return;
    }

    e->next = e->renewal ? e->renewal : 1;

    if (e->next < e->saved.retry) {
        e->next = e->saved.retry;
    }

    if (e->next < e->hold) {
        e->next = e->hold;
    }

    if (e->first) {
        acme_plan_start(e);
    }
}


static void
acme_plan_earlier(uint64_t *key, uint64_t t)
{
    if (t && (*key == 0 || t < *key)) {
        *key = t;
    }
}


void
acme_plan(acme_entry_t *e)
{
    uint64_t  key;

    acme_plan_next(e);

    e->acme->changes++;

    key = e->next;

    acme_plan_earlier(&key, e->save_at);
    acme_plan_earlier(&key, e->keep_at);

    if (e->wanted) {
        acme_plan_earlier(&key, e->ari);
        acme_plan_earlier(&key, e->fresh);

    } else if (!e->remove) {
        acme_plan_earlier(&key, e->saved.gone + ACME_GONE);
    }

    if (key) {
        acme_heap_set(&e->acme->timers, &e->timer, key);

    } else {
        acme_heap_remove(&e->acme->timers, &e->timer);
    }
}


/* Due by itself; do the limits let it go? */

static void
acme_plan_go(acme_entry_t *e)
{
    uint32_t         i;
    uint64_t         when, t, now;
    acme_account_t  *a;
    acme_issuer_t   *issuer;

    now = e->acme->now;
    issuer = acme_entry_issuer(e);

    if (e->bad != NULL) {
        acme_issue_refused(e, ACME_FAIL_CONFIG, "the name \"%.*s\": %s",
                           torii_str_arg(e->bad_name), e->bad);
        return;
    }

    if (issuer == NULL) {
        acme_issue_refused(e, ACME_FAIL_CONFIG, "there is no issuer %.*s",
                           torii_str_arg(e->want.nissuers
                               ? e->want.issuers[e->saved.turn
                                                 % e->want.nissuers]
                               : torii_str("at all")));
        return;
    }

    e->issuer = issuer;

    if (issuer->problem[0] != '\0') {
        acme_issue_refused(e, ACME_FAIL_CONFIG, "%s", issuer->problem);
        return;
    }

    a = issuer->account;

    if (a == NULL) {
        e->account = NULL;
        acme_issue_make(e);
        return;
    }

    when = now;

    if (!acme_issue_resumable(e, a)) {

        if (!acme_issue_exempt(e, a)) {
            when = acme_set_when(e->acme, e->set, now);
        }

        for (i = 0; i < e->want.n; i++) {
            t = acme_name_when(e->acme, e->want.names[i].name, now);
            when = (t > when) ? t : when;
        }
    }

    if (when > now) {
        e->hold = when;
        return;
    }

    e->phase = ACME_PHASE_READY;
    e->account = a;
    e->exempt = acme_issue_resumable(e, a) || acme_issue_exempt(e, a);

    acme_heap_set(e->exempt ? &a->exempt : &a->ready, &e->ready,
                  ((uint64_t) acme_plan_priority(e) << 56)
                  | (e->next & (((uint64_t) 1 << 56) - 1)));
    acme_account_plan(a);
}


void
acme_plan_due(acme_entry_t *e)
{
    if (!e->wanted) {

        if (!e->remove && e->saved.gone + ACME_GONE <= e->acme->now) {
            e->remove = 1;
            acme_save(e);
        }

    } else if (e->phase == ACME_PHASE_IDLE && e->checked && e->next
               && e->next <= e->acme->now)
    {
        acme_plan_go(e);
    }

    acme_plan(e);
}
