
/*
 * A provider that is played from a script: each request is held to what is
 * expected, and gets the answer that comes with it.  What is wanted, and the
 * plan, are as in dnssync_world.h; the zone is what the driver itself has read.
 */

#ifndef _PROVIDER_WORLD_H_INCLUDED_
#define _PROVIDER_WORLD_H_INCLUDED_


#include "dnssync_http.h"
#include "dnssync_world.h"


#define PROVIDER_URL   "http://127.0.0.1:1"
#define PROVIDER_NOW   ((uint64_t) WORLD_NOW * 1000)
#define PROVIDER_DONE  { NULL, NULL, 0, NULL }


typedef struct {
    const char           *request;     /* "GET /zones"; NULL at the end */
    const char           *body;        /* is in the body; NULL: whatever */
    unsigned              status;      /* 0: no answer */
    const char           *answer;
} provider_step_t;

typedef struct {
    world_t               w;
    dnssync_account_t    *account;
    dnssync_op_t         *op;          /* the last one */
    dnssync_op_t         *listed;
    torii_str_t           why;         /* of the account */
    const char           *zone;        /* its id */
    const char           *type;        /* Content-Type of answers */
    const char           *field;       /* the first one of their heads */
    uint32_t              retry_after;
    uint32_t              age;         /* s, of the listing, when applied */
    uint64_t              now;
    unsigned              used;        /* steps of the script */
    char                  bad[512];    /* what was not as expected */
    char                  text[1024];
} provider_t;


/* settings: "name=value\n…" */

static inline void
provider_start(provider_t *p, const char *settings)
{
    uint32_t          n;
    torii_str_t       rest, line, name;
    dnssync_option_t  options[32];

    memset(p, 0, sizeof(provider_t));

    p->now = PROVIDER_NOW;
    p->type = "application/json";
    p->zone = WORLD_ZONE;

    world_start(&p->w);

    rest = torii_str(settings);

    for (n = 0; n < 32 && torii_str_next(&rest, "\n", &line); /* void */) {

        if (line.len && torii_str_next(&line, "=", &name)) {
            options[n].name = name;
            options[n++].value = line;
        }
    }

    p->account = dnssync_account_create(torii_str("ns/secret"), options, n,
                                        &p->why);
}


static inline void
provider_end(provider_t *p)
{
    if (p->listed != p->op) {
        dnssync_op_free(p->listed);
    }

    dnssync_op_free(p->op);
    dnssync_account_free(p->account);
    world_end(&p->w);
}


static inline void
provider_expect(provider_t *p, const provider_step_t *step)
{
    char                line[1024];
    torii_str_t         body;
    dnssync_request_t  *r;

    r = &p->op->request;

    (void) snprintf(line, sizeof(line), "%s %s", r->method,
                    torii_str_starts(r->url, PROVIDER_URL)
                    ? (char *) r->url.data + strlen(PROVIDER_URL)
                    : (char *) r->url.data);

    if (p->bad[0]) {
        return;
    }

    if (step->request == NULL || strcmp(line, step->request) != 0) {
        (void) snprintf(p->bad, sizeof(p->bad), "step %u: \"%.200s\", not "
                        "\"%s\"", p->used, line,
                        step->request ? step->request : "the end");
        return;
    }

    body = r->body;

    if (step->body != NULL
        && (body.len == 0 || memmem(body.data, body.len, step->body,
                                    strlen(step->body)) == NULL))
    {
        body.len = body.len < 400 ? body.len : 400;
        (void) snprintf(p->bad, sizeof(p->bad), "step %u: the body is %.*s",
                        p->used, torii_str_arg(body));
    }
}


/* The operation with its "in" set, to its end. */

static inline dnssync_op_step_e
provider_run(provider_t *p, const provider_step_t *script)
{
    dnssync_answer_t    a;
    dnssync_op_step_e   step;

    p->used = 0;
    p->bad[0] = '\0';

    step = dnssync_op_go(p->op, p->now);

    while (step == DNSSYNC_OP_SEND) {
        memset(&a, 0, sizeof(dnssync_answer_t));

        provider_expect(p, script);

        a.error = "the connection was refused";
        a.type = torii_str(p->type);
        a.fields[0] = torii_str(p->field ? p->field : "");

        if (script->request != NULL && script->answer != NULL) {
            a.status = script->status;
            a.error = NULL;
            a.body = torii_str(script->answer);
            a.retry_after = p->retry_after;
        }

        if (script->request != NULL) {
            script++;
            p->used++;
        }

        step = dnssync_op_answer(p->op, p->now, &a);
    }

    if (p->bad[0] == '\0' && script->request != NULL) {
        (void) snprintf(p->bad, sizeof(p->bad), "\"%s\" was not sent",
                        script->request);
    }

    return step;
}


static inline dnssync_op_t *
provider_op(provider_t *p, dnssync_op_e what)
{
    if (p->op != p->listed) {
        dnssync_op_free(p->op);
    }

    p->op = dnssync_op_create(p->account, what);
    p->op->zone.id = torii_str(p->zone);
    p->op->zone.name = torii_str(WORLD_ZONE);

    return p->op;
}


static inline dnssync_op_step_e
provider_list(provider_t *p, const provider_step_t *script)
{
    dnssync_op_step_e  step;

    if (p->listed != p->op) {
        dnssync_op_free(p->listed);
    }

    dnssync_op_free(p->op);

    p->op = NULL;
    p->listed = NULL;
    p->listed = provider_op(p, DNSSYNC_OP_LIST);

    step = provider_run(p, script);

    p->w.zones[0].sets = p->listed->sets;
    p->w.zones[0].n = p->listed->nsets;

    return step;
}


/* The set with a number that it has in text: "NAME TYPE TTL VALUE|VALUE". */

static inline const char *
provider_set(provider_t *p, uint32_t i)
{
    size_t            n;
    uint32_t          k;
    dnssync_rrset_t  *set;

    if (i >= p->op->nsets) {
        return "";
    }

    set = &p->op->sets[i];

    n = snprintf(p->text, sizeof(p->text), "%.*s %s %u",
                 torii_str_arg(set->name), dnssync_rtype_word(set->type),
                 (unsigned) set->ttl);

    for (k = 0; k < set->n; k++) {
        n += snprintf(p->text + n, sizeof(p->text) - n, "%s%.*s",
                      k ? "|" : " ", torii_str_arg(set->values[k]));
    }

    if (set->tag.len) {
        n += snprintf(p->text + n, sizeof(p->text) - n, " tag=%.*s",
                      torii_str_arg(set->tag));
    }

    for (k = 0; k < set->noptions; k++) {
        n += snprintf(p->text + n, sizeof(p->text) - n, " %.*s=%.*s",
                      torii_str_arg(set->options[k].name),
                      torii_str_arg(set->options[k].value));
    }

    return p->text;
}


/* Plans what is wanted and applies it; "done lost" in p->text. */

static inline dnssync_op_step_e
provider_apply(provider_t *p, const char *wants, const provider_step_t *script)
{
    size_t                  n;
    uint32_t                i;
    dnssync_op_step_e       step;
    dnssync_zone_t         *zone;
    const dnssync_edit_t  **edits;

    static const char *const  words[] = {
        "later", "done", "lost", "refused", "unsure"
    };

    zone = &p->w.zones[0];
    zone->provider = &p->account->driver->provider;
    zone->listed = WORLD_NOW;

    world_wants(&p->w, wants);

    torii_arena_destroy(p->w.plan.arena);
    memset(&p->w.plan, 0, sizeof(dnssync_plan_t));
    p->w.plan.arena = torii_arena_create(4096);

    p->w.conf.registry.form = p->account->conf.registry.form;
    p->w.conf.delete_delay = 1;
    p->w.conf.allow_empty = 1;
    p->w.source.endpoints = p->w.wants;
    p->w.source.n = p->w.nwants;

    if (dnssync_plan(&p->w.plan, &p->w.in, p->w.gate) != TORII_OK) {
        abort();
    }

    zone->listed = WORLD_NOW - p->age;

    edits = torii_arena_alloc(p->w.plan.arena, (p->w.plan.n + 1)
                                               * sizeof(dnssync_edit_t *));
    for (i = 0; i < p->w.plan.n; i++) {
        edits[i] = &p->w.plan.edits[i];
    }

    provider_op(p, DNSSYNC_OP_APPLY);
    p->op->edits = edits;
    p->op->nedits = p->w.plan.n;

    step = provider_run(p, script);

    p->text[0] = '\0';

    for (i = 0, n = 0; i < p->op->nedits; i++) {
        n += snprintf(p->text + n, sizeof(p->text) - n, "%s%s", i ? " " : "",
                      words[p->op->results[i].what]);
    }

    return step;
}


static inline dnssync_op_step_e
provider_challenge(provider_t *p, const char *value, int add,
    const provider_step_t *script)
{
    provider_op(p, DNSSYNC_OP_CHALLENGE);

    p->op->name = torii_str("_acme-challenge.www." WORLD_ZONE);
    p->op->value = torii_str(value);
    p->op->ttl = 60;
    p->op->add = add;

    return provider_run(p, script);
}


/* Whether it went as the script has it, and why not. */

static inline int
provider_ok(provider_t *p, int ok, const char *what)
{
    ok = ok && p->bad[0] == '\0';

    (void) tap_ok(ok, "%s", what);

    if (!ok) {
        printf("# %s; %s; %s\n", p->bad, p->text, p->op ? p->op->error : "");
    }

    return ok;
}


#endif /* _PROVIDER_WORLD_H_INCLUDED_ */
