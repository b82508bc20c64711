
/*
 * Renewal information (RFC 9773): the window in which a CA wants a certificate
 * renewed.  One instant is drawn for each window and kept.
 */

#include "acme_date.h"
#include "acme_engine.h"


#define ACME_ARI_POLL     (6 * ACME_HOUR)    /* where nothing is said */
#define ACME_ARI_MIN      ACME_MINUTE
#define ACME_ARI_MAX      ACME_DAY
#define ACME_ARI_TRIES    3                  /* soon, then as usual */


typedef struct {
    int64_t                start;
    int64_t                end;
    torii_str_t            why;         /* explanationURL */
} acme_window_t;


static const torii_tree_limits_t  acme_ari_limits = { 64 * 1024, 200, 8 };


static void acme_ari_answer(void *data, const acme_problem_t *problem,
    torii_str_t body);


int
acme_ari_known(const acme_entry_t *e)
{
    return e->have.arena != NULL && e->have.chain.ari.len
           && torii_str_eq(e->have.chain.ari, e->saved.ari)
           && e->saved.end > e->saved.start;
}


/*
 * It is due only since the CA wants that, and long before its time: kept, since
 * a CA that wants this of each certificate would have us order without end.
 */

void
acme_ari_forced(acme_entry_t *e)
{
    int64_t        now, quarter;
    acme_saved_t  *s;

    s = &e->saved;

    if (!acme_ari_known(e) || !acme_have_covers(e) || e->forced) {
        return;
    }

    now = acme_plan_wall(e);
    quarter = (e->have.chain.not_after - e->have.chain.not_before) / 4;

    if (s->chosen > now || e->have.chain.not_before + quarter <= now) {
        return;
    }

    if (s->forced && e->acme->now - s->forced < 2 * ACME_DAY) {
        s->loops++;

    } else {
        s->loops = 0;
    }

    s->forced = e->acme->now;
}


/* The CA that issued it, or that would: the first issuer. */

static acme_account_t *
acme_ari_account(const acme_entry_t *e)
{
    uint32_t         i;
    acme_issuer_t   *issuer;
    acme_account_t  *first;

    first = NULL;

    for (i = 0; i < e->want.nissuers; i++) {
        issuer = acme_issuer_get(e->acme, e->want.issuers[i]);

        if (issuer == NULL || issuer->account == NULL || !issuer->conf.ari) {
            continue;
        }

        if (issuer->account->id == e->saved.by) {
            return issuer->account;
        }

        if (i == 0 && e->saved.by == 0) {
            first = issuer->account;
        }
    }

    return first;
}


void
acme_ari_cancel(acme_entry_t *e)
{
    if (e->poll == NULL) {
        return;
    }

    acme_operation_cancel(e->poll);

    e->poll = NULL;
    e->poll_account->polls--;
    e->poll_account = NULL;
}


/* For what was there before: spread, since there may be many. */

void
acme_ari_start(acme_entry_t *e)
{
    acme_t  *acme;

    acme = e->acme;

    acme_ari_cancel(e);

    e->ari = 0;
    e->ari_fails = 0;

    if (e->have.arena == NULL || e->have.chain.ari.len == 0) {
        return;
    }

    if (acme_ari_known(e) && e->saved.poll > acme->now) {
        e->ari = e->saved.poll < acme->now + ACME_ARI_MAX
                 ? e->saved.poll : acme->now + ACME_ARI_MAX;
        return;
    }

    e->ari = acme->now
             + (acme->eager ? 0 : acme_engine_spread(acme, ACME_ARI_POLL));
}


void
acme_ari_poll(acme_entry_t *e)
{
    uint64_t         now;
    acme_account_t  *a;

    now = e->acme->now;
    a = acme_ari_account(e);
    e->ari = 0;

    if (!e->wanted || e->poll != NULL || e->have.arena == NULL
        || (uint64_t) e->have.chain.not_after * 1000 <= now)
    {
        return;
    }

    if (a == NULL) {
        e->ari = now + ACME_ARI_POLL;
        return;
    }

    if (a->client == NULL || a->until > now || a->stopped) {
        e->ari = (a->until > now ? a->until : now) + ACME_MINUTE
                 + acme_engine_spread(e->acme, 10 * ACME_MINUTE);
        return;
    }

    if (acme_client_known(a->client) && !acme_client_has_ari(a->client)) {
        e->ari = now + ACME_ARI_POLL;
        return;
    }

    if (a->polls >= ACME_POLLS) {
        e->ari = now + ACME_SECOND
                 + acme_engine_spread(e->acme, 2 * ACME_SECOND);
        return;
    }

    a->polls++;
    e->poll_account = a;
    e->poll = acme_client_renewal_info(a->client, e->have.chain.ari,
                                       acme_ari_answer, e);
    acme_engine_touch(a);
}


static int
acme_ari_instant(const torii_node_t *window, const char *key, int64_t *t)
{
    torii_node_t  *node;

    node = torii_node_get(window, key);

    if (node == NULL || node->type != TORII_NODE_STRING) {
        return TORII_ERROR;
    }

    return acme_date_rfc3339(node->text, t);
}


static int
acme_ari_read(torii_arena_t *a, torii_str_t body, acme_window_t *w)
{
    torii_node_t        *doc, *window, *why;
    torii_tree_error_t   error;

    if (torii_tree_json(a, body, &acme_ari_limits, &doc, &error) != TORII_OK) {
        return TORII_ERROR;
    }

    window = torii_node_get(doc, "suggestedWindow");

    if (acme_ari_instant(window, "start", &w->start) != TORII_OK
        || acme_ari_instant(window, "end", &w->end) != TORII_OK
        || w->end <= w->start)
    {
        return TORII_ERROR;
    }

    w->why = torii_str("");
    why = torii_node_get(doc, "explanationURL");

    if (why != NULL && why->type == TORII_NODE_STRING && why->text.len <= 200
        && !torii_str_has_control(why->text))
    {
        w->why = why->text;
    }

    return TORII_OK;
}


static int
acme_ari_window(acme_entry_t *e, const acme_window_t *w)
{
    acme_saved_t  *s;

    s = &e->saved;

    if (acme_ari_known(e)) {

        if (s->start == w->start && s->end == w->end) {
            return 0;
        }

        acme_event(e->acme, e, e->poll_account->issuer, "WindowMoved", 0,
                   "the CA has moved the time to renew by %lld s%s%.*s",
                   (long long) (w->start - s->start),
                   w->why.len ? ": " : "", torii_str_arg(w->why));
    }

    acme_keep(&s->ari, e->have.chain.ari);

    s->start = w->start;
    s->end = w->end;
    s->chosen = w->start
                + (int64_t) acme_engine_spread(e->acme, w->end - w->start);

    return 1;
}


/* When to ask again; Retry-After is both the least and the most. */

static uint64_t
acme_ari_again(acme_entry_t *e, const acme_problem_t *problem, int good)
{
    uint64_t  now;

    now = e->acme->now;

    if (problem->retry_at > now) {
        e->ari_fails = 0;

        if (problem->retry_at < now + ACME_ARI_MIN) {
            return now + ACME_ARI_MIN;
        }

        return problem->retry_at < now + ACME_ARI_MAX ? problem->retry_at
                                                      : now + ACME_ARI_MAX;
    }

    if (!good
        && (problem->fail == ACME_FAIL_NETWORK
            || problem->fail == ACME_FAIL_SERVER
            || problem->fail == ACME_FAIL_LIMIT)
        && e->ari_fails < ACME_ARI_TRIES)
    {
        e->ari_fails++;
        return now + (ACME_MINUTE << (2 * e->ari_fails))
               + acme_engine_spread(e->acme, ACME_MINUTE);
    }

    e->ari_fails = 0;

    return now + ACME_ARI_POLL
           + acme_engine_spread(e->acme, ACME_ARI_POLL / 10);
}


static void
acme_ari_answer(void *data, const acme_problem_t *problem, torii_str_t body)
{
    int             good, moved;
    acme_entry_t   *e;
    acme_window_t   w;
    torii_arena_t  *a;

    e = data;
    good = 0;
    moved = 0;
    a = torii_arena_create(1024);

    if (problem->fail == ACME_FAIL_NONE
        && acme_ari_read(a, body, &w) == TORII_OK)
    {
        good = 1;
        moved = acme_ari_window(e, &w);
    }

    torii_arena_destroy(a);

    e->poll = NULL;
    e->poll_account->polls--;
    e->poll_account = NULL;

    e->ari = acme_ari_again(e, problem, good);

    e->saved.poll = e->ari;

    if (moved) {
        acme_save(e);
    }

    acme_plan(e);
}
