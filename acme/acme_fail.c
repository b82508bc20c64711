
/*
 * When an issuance fails: what is done about it follows from its class, by a
 * table; what can be mended is tried at once, and only once.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "acme_engine.h"


#define ACME_TRIES          3            /* with an issuer, if there are more */
#define ACME_LIMIT_PAUSE    ACME_HOUR    /* where nothing is said */
#define ACME_LIMIT_MAX      (8 * ACME_DAY)


typedef struct {
    const char            *reason;      /* of the event */
    unsigned               keep:1;      /* its order may be gone on with */
    unsigned               count:1;     /* as a failure, with backoff */
    unsigned               block:1;     /* nothing helps but a change */
    unsigned               daily:1;     /* … or time */
    unsigned               name:1;      /* a name is at fault */
    unsigned               ill:1;       /* the CA is */
} acme_fail_rule_t;

static const acme_fail_rule_t  acme_fail_rules[] = {
    /* NONE */         { "Failed",      0, 1, 0, 0, 0, 0 },
    /* NETWORK */      { "Failed",      1, 1, 0, 0, 0, 1 },
    /* SERVER */       { "Failed",      1, 1, 0, 0, 0, 1 },
    /* LIMIT */        { "RateLimited", 1, 0, 0, 0, 0, 0 },
    /* VALIDATION */   { "Failed",      0, 1, 0, 0, 1, 0 },
    /* NAME */         { "Failed",      0, 1, 0, 0, 1, 0 },
    /* PROFILE */      { "BadConfig",   0, 1, 1, 1, 0, 0 },
    /* REPLACED */     { "Failed",      0, 1, 0, 0, 0, 0 },
    /* ACCOUNT */      { "Failed",      1, 1, 1, 0, 0, 0 },
    /* ORDER */        { "Failed",      0, 1, 0, 0, 0, 0 },
    /* CSR */          { "Failed",      0, 1, 0, 0, 0, 0 },
    /* CERTIFICATE */  { "Failed",      0, 1, 0, 0, 0, 0 },
    /* CONFIG */       { "BadConfig",   0, 1, 1, 1, 0, 0 },
    /* RECORD */       { "RecordMissing", 0, 0, 0, 0, 0, 0 }
};


static int acme_fail_mend(acme_entry_t *e, const acme_problem_t *problem);
static void acme_fail_names(acme_entry_t *e, const acme_problem_t *problem);
static void acme_fail_text(acme_entry_t *e, const acme_problem_t *problem);
static int acme_fail_limit(acme_entry_t *e, const acme_problem_t *problem);
static void acme_fail_next(acme_entry_t *e, const acme_fail_rule_t *rule,
    int local);
static void acme_fail_event(acme_entry_t *e, const acme_fail_rule_t *rule,
    int known);


static void
acme_fail(acme_entry_t *e, const acme_problem_t *problem, int local)
{
    int                known;
    uint64_t           told;
    acme_saved_t      *s;
    acme_fail_rule_t   rule;

    s = &e->saved;

    if (!local && acme_fail_mend(e, problem)) {
        acme_issue_release(e);
        acme_save(e);
        acme_plan(e);
        return;
    }

    rule = acme_fail_rules[problem->fail];
    known = 0;

    if (rule.name) {
        acme_fail_names(e, problem);
    }

    told = torii_hash(s->error.data, s->error.len, 1);

    acme_fail_text(e, problem);

    if (problem->fail == ACME_FAIL_RECORD) {

        /* that the operator has not made it yet is no failure */

        known = told == torii_hash(s->error.data, s->error.len, 1);
        e->looks++;
        s->tries += (e->want.nissuers > 1);
    }

    s->fail = problem->fail;
    s->pending = 0;
    s->conf = e->core;
    e->again_csr = 0;

    if (problem->fail == ACME_FAIL_LIMIT) {
        known = (e->account != NULL
                 && e->account->orders.until > e->acme->now);
        rule.block = acme_fail_limit(e, problem);
        rule.daily = rule.block;
    }

    if (rule.ill && e->account != NULL) {
        acme_account_ill(e->account, problem);
    }

    if (problem->fail == ACME_FAIL_ACCOUNT && e->account != NULL) {
        acme_account_stop(e->account, problem);
    }

    if (rule.count) {
        s->fails++;
        s->tries++;
    }

    if (local && problem->fail == ACME_FAIL_VALIDATION) {
        rule.keep = 1;
    }

    if (!rule.keep) {
        acme_issue_drop_order(e);
    }

    acme_fail_next(e, &rule, local);
    acme_fail_event(e, &rule, known);

    acme_issue_release(e);
    acme_save(e);
    acme_plan(e);
}


void
acme_issue_failed(acme_entry_t *e, const acme_problem_t *problem)
{
    acme_problem_t  copy;

    /* the order that it belongs to is about to go */

    copy = *problem;
    acme_fail(e, &copy, 0);
}


/* By ourselves: no CA has said so. */

void
acme_issue_refused(acme_entry_t *e, acme_fail_e fail, const char *fmt, ...)
{
    va_list         args;
    acme_problem_t  problem;

    memset(&problem, 0, sizeof(acme_problem_t));
    problem.fail = fail;

    va_start(args, fmt);
    (void) vsnprintf(problem.text, sizeof(problem.text), fmt, args);
    va_end(args);

    acme_fail(e, &problem, 1);
}


/* Whether the next attempt, at once, does without what was refused. */

static int
acme_fail_mend(acme_entry_t *e, const acme_problem_t *problem)
{
    acme_saved_t  *s;

    s = &e->saved;
    s->pending = 0;

    switch (problem->fail) {

    case ACME_FAIL_NETWORK:
    case ACME_FAIL_SERVER:
    case ACME_FAIL_LIMIT:
    case ACME_FAIL_ACCOUNT:
        return 0;

    case ACME_FAIL_PROFILE:
        if (!e->profiled || e->issuer->conf.profile_required) {
            return 0;
        }

        s->no_profile = 1;
        acme_issue_drop_order(e);
        acme_event(e->acme, e, e->issuer->conf.name, "BadConfig", 1,
                   "the profile \"%.*s\" was refused, a certificate is ordered "
                   "without it: %s", torii_str_arg(e->issuer->conf.profile),
                   problem->text);
        return 1;

    case ACME_FAIL_CSR:
        if (e->again_csr || s->url.len == 0) {
            return 0;
        }

        e->again_csr = 1;
        e->new_key = 1;
        acme_issue_drop_order(e);
        return 1;

    default:
        break;
    }

    /* a CA that dislikes a predecessor refuses the order in many ways */

    if (e->replaces && s->url.len == 0 && !s->no_replaces) {
        s->no_replaces = 1;
        return 1;
    }

    if (problem->fail == ACME_FAIL_ORDER && e->resumed) {
        acme_issue_drop_order(e);
        return 1;
    }

    return 0;
}


static void
acme_fail_one(acme_entry_t *e, torii_str_t identifier, acme_fail_e fail)
{
    uint32_t     i;
    torii_str_t  name;

    for (i = 0; i < e->want.n; i++) {
        name = e->want.names[i].name;

        if (!torii_str_eq(name, identifier)
            && !(torii_str_starts(name, "*.")
                 && name.len == identifier.len + 2
                 && memcmp(name.data + 2, identifier.data, identifier.len)
                    == 0))
        {
            continue;
        }

        acme_name_failed(e->acme, name);

        if (fail == ACME_FAIL_VALIDATION) {
            acme_proof_failed(e, &e->want.names[i]);
        }
    }
}


static void
acme_fail_names(acme_entry_t *e, const acme_problem_t *problem)
{
    uint32_t               i;
    const acme_problem_t  *sub;

    for (i = 0; e->order != NULL; i++) {
        sub = acme_order_subproblem(e->order, i);

        if (sub == NULL) {
            break;
        }

        acme_fail_one(e, torii_str(sub->identifier), sub->fail);
    }

    if (i) {
        return;
    }

    if (problem->identifier[0] != '\0') {
        acme_fail_one(e, torii_str(problem->identifier), problem->fail);
        return;
    }

    /* none is named: it was any of them */

    for (i = 0; i < e->want.n; i++) {
        acme_proof_failed(e, &e->want.names[i]);
    }

    if (e->want.n == 1 && e->order != NULL) {
        acme_name_failed(e->acme, e->want.names[0].name);
    }
}


static void
acme_fail_text(acme_entry_t *e, const acme_problem_t *problem)
{
    size_t                 len;
    uint32_t               i;
    torii_buf_t            b = { NULL, 0, 0 };
    torii_str_t            s;
    const acme_problem_t  *sub;

    if (problem->identifier[0] != '\0'
        && strstr(problem->text, problem->identifier) == NULL)
    {
        torii_buf_printf(&b, "%s: ", problem->identifier);
    }

    acme_proof_words(e, problem, &b);

    for (i = 0; e->order != NULL && b.len < 400; i++) {
        sub = acme_order_subproblem(e->order, i);

        if (sub == NULL) {
            break;
        }

        len = strlen(sub->text);

        if (strstr(problem->text, sub->text) != NULL
            && strcmp(sub->identifier, problem->identifier) == 0)
        {
            continue;
        }

        torii_buf_printf(&b, "; %s: %.*s", sub->identifier,
                         len < 160 ? (int) len : 160, sub->text);
    }

    if (problem->instance[0] != '\0'
        && strstr(problem->text, problem->instance) == NULL)
    {
        torii_buf_printf(&b, ", see %s", problem->instance);
    }

    s.data = b.data;
    s.len = b.len < 600 ? b.len : 600;
    acme_keep(&e->saved.error, s);

    torii_buf_free(&b);
}


/* What the words name pauses; 1: until somebody acts at the CA. */

static int
acme_fail_limit(acme_entry_t *e, const acme_problem_t *problem)
{
    uint64_t         now, until;
    torii_str_t      name;
    acme_scope_e     scope;
    acme_account_t  *a;

    now = e->acme->now;
    a = e->account;
    until = problem->retry_at;

    if (until <= now) {
        until = now + ACME_LIMIT_PAUSE;
    }

    if (until > now + ACME_LIMIT_MAX) {
        until = now + ACME_LIMIT_MAX;
    }

    e->saved.retry = until + acme_engine_spread(e->acme, ACME_MINUTE);

    scope = acme_scope(problem, &name);

    switch (scope) {

    case ACME_SCOPE_OPERATOR:
        return 1;

    case ACME_SCOPE_SET:
        acme_set_pause(e->acme, e->set, until);
        break;

    case ACME_SCOPE_DOMAIN:
    case ACME_SCOPE_NAME:
        acme_name_pause(e->acme, name, scope == ACME_SCOPE_DOMAIN, until);
        break;

    default:    /* ACME_SCOPE_ACCOUNT */
        if (a == NULL) {
            break;
        }

        a->probe = 1;

        if (a->orders.until < until) {
            a->orders.until = until;
        }

        if (e->exempt && a->until < until) {
            a->until = until;
        }

        acme_account_plan(a);
    }

    return 0;
}


/* Another issuer, another time, or never. */

static void
acme_fail_next(acme_entry_t *e, const acme_fail_rule_t *rule, int local)
{
    int            hurry, first;
    uint64_t       now;
    acme_saved_t  *s;

    s = &e->saved;
    now = e->acme->now;

    first = (s->turn + 1 < e->want.nissuers);
    hurry = acme_plan_short(e, 6)
            && (e->have.arena != NULL || s->fail == ACME_FAIL_LIMIT);

    if (e->want.nissuers > 1
        && ((rule->block && first) || s->tries >= ACME_TRIES || hurry))
    {
        s->turn++;
        s->tries = 0;
        acme_issue_drop_order(e);

        s->retry = first ? now + ACME_SECOND : now + acme_plan_backoff(e);
        return;
    }

    if (rule->block) {
        s->blocked = acme_entry_state(e);
        s->retry = (rule->daily && !local) ? now + ACME_DAY : UINT64_MAX;
        return;
    }

    if (s->fail == ACME_FAIL_RECORD) {
        s->retry = now + acme_look_backoff(e);

    } else if (s->fail != ACME_FAIL_LIMIT) {
        s->retry = now + acme_plan_backoff(e);
    }
}


static void
acme_fail_event(acme_entry_t *e, const acme_fail_rule_t *rule, int known)
{
    char           when[64];
    uint64_t       left;
    acme_saved_t  *s;

    s = &e->saved;

    /* one account's limit is told once, not by each that ran into it */

    if (known) {
        return;
    }

    if (s->retry == UINT64_MAX) {
        (void) snprintf(when, sizeof(when), "not tried again before a change");

    } else {
        left = (s->retry > e->acme->now) ? (s->retry - e->acme->now) / 1000 : 0;
        (void) snprintf(when, sizeof(when), "tried again in %llu s",
                        (unsigned long long) left);
    }

    acme_event(e->acme, e, e->issuer ? e->issuer->conf.name : torii_str(""),
               rule->reason, 1, "%.*s (%s)", torii_str_arg(s->error), when);
}
