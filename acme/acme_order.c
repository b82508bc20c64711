
/*
 * An order as its owner sees it: what is ordered, the steps, how it ended.
 */

#include <stdlib.h>

#include "acme_order.h"


static const char *acme_order_configure(acme_order_t *o,
    const acme_order_conf_t *conf);
static const char *acme_order_name(acme_order_t *o, uint32_t i);


acme_order_t *
acme_order_create(acme_client_t *c, const acme_order_conf_t *conf)
{
    const char    *why;
    acme_order_t  *o;

    o = torii_zalloc(sizeof(acme_order_t));

    o->client = c;
    o->arena = torii_arena_create(4096);
    o->step = ACME_ORDER_WORKING;

    why = acme_order_configure(o, conf);

    if (why) {
        acme_order_fail_text(o, 0, ACME_FAIL_CONFIG, why);

    } else if (o->url.len == 0) {
        acme_order_new(o);

    } else if (acme_url_ok(o->url)) {
        acme_order_read(o, 0);

    } else {
        acme_order_fail_text(o, 0, ACME_FAIL_ORDER,
                             "the order to go on with has no usable URL");
    }

    return o;
}


void
acme_order_free(acme_order_t *o)
{
    uint32_t  i;

    if (o == NULL) {
        return;
    }

    acme_call_cancel(o->client, o);

    for (i = 0; i < o->nauthz; i++) {
        acme_call_cancel(o->client, &o->authz[i]);
    }

    EVP_PKEY_free(o->conf.key);
    torii_buf_free(&o->chain);
    free(o->subs);
    torii_arena_destroy(o->arena);
    free(o);
}


/* NULL, or what is wrong with it. */

static const char *
acme_order_configure(acme_order_t *o, const acme_order_conf_t *conf)
{
    uint32_t     i;
    const char  *why;

    o->conf = *conf;
    o->conf.profile = torii_arena_str(o->arena, conf->profile);
    o->conf.replaces = torii_arena_str(o->arena, conf->replaces);
    o->conf.common_name = torii_arena_str(o->arena, conf->common_name);
    o->conf.preferred_chain = torii_arena_str(o->arena,
                                              conf->preferred_chain);
    o->url = torii_arena_str(o->arena, conf->url);

    if (conf->key == NULL) {
        return "the certificate has no key";
    }

    EVP_PKEY_up_ref(conf->key);

    if (conf->n == 0 || conf->n > ACME_NAMES_MAX) {
        return "an order is for 1 to 1000 names";
    }

    o->conf.names = torii_arena_alloc(o->arena,
                                      conf->n * sizeof(acme_identifier_t));
    o->names = torii_arena_alloc(o->arena, conf->n * sizeof(torii_str_t));

    for (i = 0; i < conf->n; i++) {
        o->conf.names[i] = conf->names[i];

        why = acme_order_name(o, i);

        if (why) {
            return why;
        }
    }

    return NULL;
}


static const char *
acme_order_name(acme_order_t *o, uint32_t i)
{
    uint32_t     j;
    const char  *why;

    if (acme_name_normal(o->arena, o->conf.names[i].name, &o->names[i], &why)
        != TORII_OK)
    {
        return why;
    }

    o->conf.names[i].name = o->names[i];

    for (j = 0; j < i; j++) {
        if (torii_str_eq(o->names[i], o->names[j])) {
            return "a name is ordered twice";
        }
    }

    return NULL;
}


acme_order_step_e
acme_order_step(const acme_order_t *o)
{
    return o->step;
}


void
acme_order_proceed(acme_order_t *o, uint64_t now)
{
    acme_order_step_e  step;

    step = o->step;

    switch (step) {

    case ACME_ORDER_CREATED:
        o->step = ACME_ORDER_WORKING;
        acme_order_go(o, now);
        break;

    case ACME_ORDER_LOOK:
        o->step = ACME_ORDER_WORKING;
        acme_authz_looked(o, now);
        break;

    case ACME_ORDER_PRESENT:
        o->step = ACME_ORDER_WORKING;
        acme_authz_post_all(o, now);
        break;

    case ACME_ORDER_VALIDATED:
        o->step = ACME_ORDER_WORKING;
        acme_order_read(o, now);
        break;

    default:
        break;
    }
}


void
acme_order_poke(acme_order_t *o, uint64_t now)
{
    if (o->step == ACME_ORDER_WORKING && !o->cleaning) {
        acme_authz_poke(o, now);
    }
}


torii_str_t
acme_order_url(const acme_order_t *o)
{
    return o->url;
}


uint64_t
acme_order_expires(const acme_order_t *o)
{
    return o->expires;
}


const acme_challenge_t *
acme_order_challenges(const acme_order_t *o, uint32_t *n)
{
    *n = o->nchallenges;

    return o->challenges;
}


void
acme_order_missing(acme_order_t *o, uint32_t i, const char *why)
{
    uint32_t       k;
    acme_authz_t  *z;

    for (k = 0; k < o->nauthz; k++) {
        z = &o->authz[k];

        if (z->state == ACME_AUTHZ_CHOSEN && i-- == 0) {
            z->choices[z->choice].missing = torii_arena_str(o->arena,
                                                            torii_str(why));
            return;
        }
    }
}


torii_str_t
acme_order_chain(const acme_order_t *o)
{
    return acme_str_of(&o->chain);
}


torii_str_t
acme_order_certificate_url(const acme_order_t *o)
{
    return o->certificate;
}


const acme_problem_t *
acme_order_problem(const acme_order_t *o)
{
    return &o->problem;
}


const acme_problem_t *
acme_order_subproblem(const acme_order_t *o, uint32_t i)
{
    return (i < o->nsubs) ? &o->subs[i] : NULL;
}


void
acme_order_add_sub(acme_order_t *o, const acme_problem_t *problem)
{
    if (o->nsubs == ACME_SUBPROBLEMS_MAX) {
        return;
    }

    if (o->nsubs == o->subs_size) {
        o->subs_size = o->subs_size ? o->subs_size * 2 : 4;
        o->subs = torii_realloc(o->subs,
                                o->subs_size * sizeof(acme_problem_t));
    }

    o->subs[o->nsubs++] = *problem;
}


/*
 * An order that only could not be reached may be gone on with: nothing of it is
 * given up.
 */

void
acme_order_fail(acme_order_t *o, uint64_t now, const acme_problem_t *problem)
{
    uint32_t  i;

    if (o->cleaning) {
        return;
    }

    o->problem = *problem;

    acme_call_cancel(o->client, o);

    for (i = 0; i < o->nauthz; i++) {
        acme_call_cancel(o->client, &o->authz[i]);
        o->authz[i].call = NULL;
    }

    if (!acme_order_may_wait(problem) && problem->fail != ACME_FAIL_ACCOUNT
        && acme_authz_clean(o))
    {
        o->cleaning = 1;
        return;
    }

    o->step = ACME_ORDER_FAILED;
}


void
acme_order_fail_text(acme_order_t *o, uint64_t now, acme_fail_e fail,
    const char *text)
{
    acme_problem_t  problem;

    acme_problem_set(&problem, fail, "%s", text);
    acme_order_fail(o, now, &problem);
}


void
acme_order_dead(acme_problem_t *problem)
{
    if (torii_str_caseeqs(torii_str(problem->type), "unauthorized")
        || (problem->fail == ACME_FAIL_NETWORK && problem->status >= 400))
    {
        problem->fail = ACME_FAIL_ORDER;
    }
}


int
acme_order_may_wait(const acme_problem_t *problem)
{
    return problem->fail == ACME_FAIL_NETWORK
           || problem->fail == ACME_FAIL_SERVER
           || problem->fail == ACME_FAIL_LIMIT;
}
