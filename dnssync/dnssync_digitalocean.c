
/*
 * DigitalOcean's API, version 2.  There is no batch and no condition: an edit
 * takes a request for each record, and what it requires is read before, unless
 * the zone was listed of late.
 */

#include <stdio.h>

#include "dnssync_digitalocean.h"


#define DNSSYNC_DIGITALOCEAN_URL   "https://api.digitalocean.com"
#define DNSSYNC_DIGITALOCEAN_PAGE  200
#define DNSSYNC_DIGITALOCEAN_AGE   60      /* s: requests take their time */
#define DNSSYNC_DIGITALOCEAN_TTL   30
#define DNSSYNC_DIGITALOCEAN_LOOK  8       /* edits that are looked at */


typedef struct {
    torii_str_t  base;
    torii_str_t  token;
} dnssync_digitalocean_t;


static void dnssync_digitalocean_version(dnssync_op_t *op);
static dnssync_op_step_e dnssync_digitalocean_get(dnssync_op_t *op);
static dnssync_op_step_e dnssync_digitalocean_next(dnssync_op_t *op);
static dnssync_op_step_e dnssync_digitalocean_edit(dnssync_op_t *op);
static dnssync_op_step_e dnssync_digitalocean_step(dnssync_op_t *op);
static dnssync_op_step_e dnssync_digitalocean_done(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_digitalocean_refused(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_digitalocean_challenge(dnssync_op_t *op);
static dnssync_op_step_e dnssync_digitalocean_failed(dnssync_op_t *op,
    const dnssync_answer_t *answer, const char *what);


static const dnssync_setting_t  dnssync_digitalocean_settings[] = {
    { "digitalocean-token", "a token that may read and write domains", 1, 1 },
    { "digitalocean-api-url", "default " DNSSYNC_DIGITALOCEAN_URL, 0, 0 },
    { NULL, NULL, 0, 0 }
};

static const char *const  dnssync_digitalocean_fields[] = {
    "ratelimit-reset", NULL
};


static const char *
dnssync_digitalocean_init(dnssync_account_t *account)
{
    dnssync_digitalocean_t  *d;

    d = torii_arena_zalloc(account->arena, sizeof(dnssync_digitalocean_t));
    account->data = d;

    d->token = dnssync_account_setting(account, "digitalocean-token");

    return dnssync_account_url(account, "digitalocean-api-url",
                               DNSSYNC_DIGITALOCEAN_URL, 0, &d->base);
}


static dnssync_op_step_e
dnssync_digitalocean_go(dnssync_op_t *op)
{
    dnssync_digitalocean_state_t  *st;

    st = op->state;

    if (op->what != DNSSYNC_OP_ZONES && !dnssync_http_id(op->zone.id)) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_SETTING, "\"%.*s\" is no "
                               "domain", torii_str_arg(op->zone.id));
    }

    switch (op->what) {

    case DNSSYNC_OP_ADJUST:
        return dnssync_op_unsupported(op);

    case DNSSYNC_OP_APPLY:
        st->check.age = DNSSYNC_DIGITALOCEAN_AGE;
        return dnssync_digitalocean_next(op);

    default:
        return dnssync_digitalocean_get(op);
    }
}


static dnssync_op_step_e
dnssync_digitalocean_answer(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    int                            more;
    const char                    *why;
    dnssync_digitalocean_state_t  *st;

    st = op->state;

    if (st->writing) {
        return dnssync_digitalocean_done(op, answer);
    }

    if (answer->status != 200) {
        return dnssync_digitalocean_failed(op, answer, "listing");
    }

    why = dnssync_digitalocean_page(op, answer->body, &more);

    if (why != NULL) {
        op->nsets = 0;
        op->nzones = 0;
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "listing %.*s: %s",
                               torii_str_arg(op->zone.name), why);
    }

    if (op->what == DNSSYNC_OP_PROBE) {
        dnssync_digitalocean_version(op);
        return DNSSYNC_OP_DONE;
    }

    if (more) {
        return dnssync_digitalocean_get(op);
    }

    switch (op->what) {

    case DNSSYNC_OP_LIST:
        dnssync_digitalocean_version(op);
        return DNSSYNC_OP_DONE;

    case DNSSYNC_OP_CHALLENGE:
        return dnssync_digitalocean_challenge(op);

    case DNSSYNC_OP_APPLY:

        if (!st->check.whole && ++st->check.next < st->check.n) {
            memset(&st->pages, 0, sizeof(dnssync_pages_t));
            return dnssync_digitalocean_get(op);
        }

        dnssync_check_end(op, &st->check, st->from, st->to);
        return dnssync_digitalocean_edit(op);

    default:
        return DNSSYNC_OP_DONE;
    }
}


/*
 * Nothing but the number of records tells of a change; a listing of many of
 * them takes more requests than there are for a minute.
 */

static void
dnssync_digitalocean_version(dnssync_op_t *op)
{
    dnssync_digitalocean_state_t  *st;

    st = op->state;

    op->next = torii_arena_printf(op->arena, "%llu",
                                  (unsigned long long) st->pages.total);
    op->same = op->what == DNSSYNC_OP_PROBE
               && torii_str_eq(op->next, op->version);
}


static void
dnssync_digitalocean_request(dnssync_op_t *op, const char *method,
    torii_str_t path)
{
    dnssync_request_t       *r;
    dnssync_digitalocean_t  *d;

    d = op->account->data;

    r = dnssync_op_http(op, method, "%.*s/v2/domains%.*s",
                        torii_str_arg(d->base), torii_str_arg(path));

    r->fields = dnssync_digitalocean_fields;

    dnssync_op_header(op, "Authorization: Bearer %.*s",
                      torii_str_arg(d->token));
    dnssync_op_header(op, "Accept: application/json");
    dnssync_op_header(op, "Content-Type: application/json");
}


static dnssync_op_step_e
dnssync_digitalocean_get(dnssync_op_t *op)
{
    torii_str_t                    name, path;
    torii_buf_t                    b;
    dnssync_digitalocean_state_t  *st;

    st = op->state;
    name = torii_str("");

    memset(&b, 0, sizeof(torii_buf_t));

    if (op->what != DNSSYNC_OP_ZONES) {
        torii_buf_printf(&b, "/%.*s/records", torii_str_arg(op->zone.id));
    }

    torii_buf_printf(&b, "?per_page=%u&page=%u",
                     op->what == DNSSYNC_OP_PROBE ? 1
                                                  : DNSSYNC_DIGITALOCEAN_PAGE,
                     (unsigned) ++st->pages.page);

    if (op->what == DNSSYNC_OP_CHALLENGE) {
        torii_buf_adds(&b, "&type=TXT");
        name = op->name;

    } else if (op->what == DNSSYNC_OP_APPLY && !st->check.whole) {
        name = st->check.names[st->check.next];
    }

    if (name.len) {
        torii_buf_adds(&b, "&name=");
        dnssync_url_add(&b, name);
    }

    path.data = b.data;
    path.len = b.len;

    dnssync_digitalocean_request(op, "GET", path);
    torii_buf_free(&b);

    return dnssync_op_send(op);
}


/* The next edits: what they require, then one after the other. */

static dnssync_op_step_e
dnssync_digitalocean_next(dnssync_op_t *op)
{
    dnssync_digitalocean_state_t  *st;

    st = op->state;
    st->from = st->to;
    st->edit = st->from;
    st->writing = 0;

    if (st->from == op->nedits) {
        return DNSSYNC_OP_DONE;
    }

    st->to = (op->nedits - st->from > DNSSYNC_DIGITALOCEAN_LOOK)
             ? st->from + DNSSYNC_DIGITALOCEAN_LOOK : op->nedits;

    memset(&st->pages, 0, sizeof(dnssync_pages_t));

    return dnssync_check_begin(op, &st->check, st->from, st->to)
           ? dnssync_digitalocean_get(op) : dnssync_digitalocean_edit(op);
}


static dnssync_op_step_e
dnssync_digitalocean_edit(dnssync_op_t *op)
{
    dnssync_digitalocean_state_t  *st;

    st = op->state;
    st->writing = 1;

    for ( /* void */ ; st->edit < st->to; st->edit++) {

        if (op->results[st->edit].what != DNSSYNC_OUTCOME_LATER) {
            continue;
        }

        if (dnssync_check_meets(op, &st->check.touched, op->edits[st->edit])) {
            dnssync_op_result(op, st->edit, DNSSYNC_OUTCOME_LOST, "another "
                              "change has come first");
            continue;
        }

        if (dnssync_digitalocean_steps(op, op->edits[st->edit]) != TORII_OK) {
            dnssync_op_result(op, st->edit, DNSSYNC_OUTCOME_LOST, "the ids "
                              "of its records are not known");
            continue;
        }

        dnssync_check_touch(op, &st->check.touched, st->edit);

        if (st->nsteps) {
            return dnssync_digitalocean_step(op);
        }

        dnssync_op_result(op, st->edit, DNSSYNC_OUTCOME_DONE, "%s", "");
    }

    return dnssync_digitalocean_next(op);
}


static dnssync_op_step_e
dnssync_digitalocean_step(dnssync_op_t *op)
{
    torii_str_t                    path;
    dnssync_digitalocean_step_t   *step;
    dnssync_digitalocean_state_t  *st;

    st = op->state;
    step = &st->steps[st->step];

    path = torii_arena_printf(op->arena, "/%.*s/records%s%.*s",
                              torii_str_arg(op->zone.id),
                              step->id.len ? "/" : "",
                              torii_str_arg(step->id));

    dnssync_digitalocean_request(op, step->method, path);
    dnssync_digitalocean_body(op, step);

    return dnssync_op_send(op);
}


static dnssync_op_step_e
dnssync_digitalocean_done(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    int                            gone;
    dnssync_digitalocean_step_t   *step;
    dnssync_digitalocean_state_t  *st;

    st = op->state;
    step = &st->steps[st->step];

    gone = answer->status == 404 && step->set == NULL;

    if (!dnssync_http_ok(answer) && !gone) {
        return op->what == DNSSYNC_OP_CHALLENGE
               ? dnssync_digitalocean_failed(op, answer, "changing")
               : dnssync_digitalocean_refused(op, answer);
    }

    if (++st->step < st->nsteps) {
        return dnssync_digitalocean_step(op);
    }

    if (op->what == DNSSYNC_OP_CHALLENGE) {
        return DNSSYNC_OP_DONE;
    }

    dnssync_op_result(op, st->edit++, DNSSYNC_OUTCOME_DONE, "%s", "");

    return dnssync_digitalocean_edit(op);
}


/* What was done of an edit before stays: only a listing tells how it is. */

static dnssync_op_step_e
dnssync_digitalocean_refused(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    torii_str_t                    text;
    dnssync_outcome_e              what;
    dnssync_digitalocean_step_t   *step;
    dnssync_digitalocean_state_t  *st;

    st = op->state;
    step = &st->steps[st->step];

    text = dnssync_http_error(op->arena, answer->body);

    if (answer->status == 404 && step->id.len) {
        dnssync_op_result(op, st->edit++, DNSSYNC_OUTCOME_LOST, "a record of "
                          "it is gone");
        return dnssync_digitalocean_edit(op);
    }

    if (answer->status == 400 || answer->status == 409
        || answer->status == 422)
    {
        what = st->step ? DNSSYNC_OUTCOME_UNSURE : DNSSYNC_OUTCOME_REFUSED;
        dnssync_op_result(op, st->edit++, what, "%.*s", torii_str_arg(text));

        return dnssync_digitalocean_edit(op);
    }

    if (st->step || answer->status == 0 || answer->status >= 500) {
        dnssync_op_result(op, st->edit, DNSSYNC_OUTCOME_UNSURE, "there was no "
                          "answer to a part of the change");
    }

    return dnssync_digitalocean_failed(op, answer, "changing");
}


static dnssync_op_step_e
dnssync_digitalocean_challenge(dnssync_op_t *op)
{
    int                            there;
    uint32_t                       i;
    dnssync_rrset_t               *set, *old;
    dnssync_map_entry_t           *e;
    dnssync_digitalocean_state_t  *st;

    st = op->state;

    e = dnssync_map_get(&st->check.map, op->name, DNSSYNC_TXT);
    old = e ? &op->sets[e->number] : NULL;

    for (i = 0, there = 0; old != NULL && i < old->n; i++) {

        if (!torii_str_eq(old->values[i], op->value)) {
            continue;
        }

        there = 1;

        if (!op->add) {
            dnssync_digitalocean_add(op, "DELETE", dnssync_gather_id(old, i),
                                     NULL, op->value);
        }
    }

    if (op->add && !there) {
        set = torii_arena_zalloc(op->arena, sizeof(dnssync_rrset_t));

        set->name = op->name;
        set->type = DNSSYNC_TXT;
        set->ttl = (op->ttl < DNSSYNC_DIGITALOCEAN_TTL)
                   ? DNSSYNC_DIGITALOCEAN_TTL : op->ttl;

        dnssync_digitalocean_add(op, "POST", torii_str(""), set, op->value);
    }

    if (st->nsteps == 0) {
        return DNSSYNC_OP_DONE;
    }

    st->writing = 1;

    return dnssync_digitalocean_step(op);
}


static dnssync_op_step_e
dnssync_digitalocean_failed(dnssync_op_t *op, const dnssync_answer_t *answer,
    const char *what)
{
    uint64_t     reset;
    torii_str_t  text;

    if (answer->status == 429
        && torii_str_uint(answer->fields[0], UINT32_MAX, &reset) == TORII_OK)
    {
        op->until = reset * 1000;
    }

    text = op->zone.name.len
           ? torii_arena_printf(op->arena, "%s %.*s", what,
                                torii_str_arg(op->zone.name))
           : torii_arena_printf(op->arena, "%s the domains", what);

    return dnssync_op_fail_http(op, answer, (char *) text.data);
}


const dnssync_driver_t  dnssync_digitalocean_driver = {
    .name = "digitalocean",
    .settings = dnssync_digitalocean_settings,
    .provider = {
        .ttl_default = 1800,
        .ttl_min = DNSSYNC_DIGITALOCEAN_TTL,
        .no_star = 1
    },
    .rate = 80,
    .period = 60,
    .at_once = 2,
    .init = dnssync_digitalocean_init,
    .go = dnssync_digitalocean_go,
    .answer = dnssync_digitalocean_answer,
    .state = sizeof(dnssync_digitalocean_state_t)
};
