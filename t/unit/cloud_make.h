
/*
 * An operation of a driver that speaks HTTP, and a script of answers.
 *
 * edits: "+a.test A 192.0.2.1|192.0.2.2, -a.test A 192.0.2.3; …": sets after
 * and before, edits apart by ";"; "=NAME TYPE VALUE" has to stay, "!NAME TYPE"
 * must not be there.  "\s" is a blank in a value; the TTL is 60; the id of what
 * was before is "etag".
 *
 * What comes out is text: zones as "name id sets", sets as "name type ttl
 * values", edits by what became of them.
 */

#ifndef _CLOUD_MAKE_H_INCLUDED_
#define _CLOUD_MAKE_H_INCLUDED_


#include <stdlib.h>

#include "dnssync_http.h"
#include "tap.h"


#define CLOUD_NOW    1795000000000ULL
#define CLOUD_STEPS  12


typedef struct {
    const char             *match;     /* of "METHOD URL\nheaders\nbody" */
    unsigned                status;    /* 0: no answer */
    const char             *body;
} cloud_answer_t;

typedef struct {
    const char             *name;
    dnssync_op_e            what;
    const char             *in;        /* edits, a version; "+value", "-value"
                                          of a challenge at c.a.test */
    cloud_answer_t          answers[CLOUD_STEPS];
    const char             *out;
    dnssync_trouble_e       trouble;
    const char             *error;     /* a part of it */
} cloud_case_t;

typedef struct {
    torii_arena_t          *a;
    dnssync_account_t      *account;
    torii_buf_t             text;
    torii_str_t             zone_id;
} cloud_t;


static inline torii_str_t
cloud_value(torii_arena_t *a, torii_str_t s)
{
    size_t       i;
    torii_str_t  v;

    v.data = torii_arena_alloc(a, s.len + 1);
    v.len = 0;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] == '\\' && i + 1 < s.len && s.data[i + 1] == 's') {
            v.data[v.len++] = ' ';
            i++;

        } else {
            v.data[v.len++] = s.data[i];
        }
    }

    return v;
}


static inline dnssync_rrset_t *
cloud_set(torii_arena_t *a, torii_str_t text)
{
    torii_str_t       word, values;
    dnssync_rrset_t  *set;

    set = torii_arena_zalloc(a, sizeof(dnssync_rrset_t));
    (void) torii_str_next(&text, " ", &set->name);
    (void) torii_str_next(&text, " ", &word);

    set->type = dnssync_rtype_read(word);
    set->ttl = 60;
    set->values = torii_arena_alloc(a, 8 * sizeof(torii_str_t));
    values = text;

    while (values.data != NULL && set->n < 8
           && torii_str_next(&values, "|", &word))
    {
        set->values[set->n++] = cloud_value(a, word);
    }

    return set;
}


static inline void
cloud_item(torii_arena_t *a, dnssync_edit_t *e, torii_str_t item)
{
    uint32_t            i;
    unsigned char       how;
    dnssync_part_t     *p;
    dnssync_rrset_t    *set;
    dnssync_require_t  *r;

    how = item.data[0];
    item.data++;
    item.len--;
    set = cloud_set(a, item);

    if (how == '=' || how == '!') {
        r = &e->requires[e->nrequires++];
        r->name = set->name;
        r->type = set->type;
        r->equal = (how == '=') ? set : NULL;
        return;
    }

    for (i = 0; i < e->nparts; i++) {
        p = &e->parts[i];

        if (p->before != NULL && how == '+' && p->before->type == set->type
            && torii_str_eq(p->before->name, set->name))
        {
            p->after = set;
            set->id = p->before->id;
            return;
        }
    }

    p = &e->parts[e->nparts++];

    if (how == '-') {
        set->id = torii_str_eqs(e->resource, "raw") ? set->id
                                                    : torii_str("etag");
        p->before = set;

    } else {
        p->after = set;
    }

    r = &e->requires[e->nrequires++];
    r->name = set->name;
    r->type = set->type;
    r->equal = p->before;
}


/* plain: what was before has no id. */

static inline void
cloud_edits(cloud_t *w, dnssync_op_t *op, const char *text, int plain)
{
    torii_str_t      rest, edit, item;
    dnssync_edit_t  *e;

    op->edits = torii_arena_alloc(w->a, 64 * sizeof(dnssync_edit_t *));
    rest = torii_str(text);

    while (torii_str_next(&rest, ";", &edit) && op->nedits < 64) {
        e = torii_arena_zalloc(w->a, sizeof(dnssync_edit_t));
        e->resource = torii_str(plain ? "raw" : "");
        e->parts = torii_arena_zalloc(w->a, 8 * sizeof(dnssync_part_t));
        e->requires = torii_arena_zalloc(w->a, 16
                                               * sizeof(dnssync_require_t));

        while (torii_str_next(&edit, ",", &item)) {
            cloud_item(w->a, e, torii_str_trim(item));
        }

        op->edits[op->nedits++] = e;
    }
}


static inline void
cloud_out(cloud_t *w, const dnssync_op_t *op)
{
    uint32_t                i, k;
    const dnssync_rrset_t  *set;

    static const char *const  outcomes[] = {
        "later", "done", "lost", "refused", "unsure"
    };

    for (i = 0; i < op->nzones; i++) {
        torii_buf_printf(&w->text, "%s%.*s %.*s %u%s", i ? "; " : "",
                         torii_str_arg(op->zones[i].name),
                         torii_str_arg(op->zones[i].id),
                         (unsigned) op->zones[i].sets,
                         op->zones[i].private ? " private" : "");
    }

    for (i = 0; op->what == DNSSYNC_OP_LIST && i < op->nsets; i++) {
        set = &op->sets[i];
        torii_buf_printf(&w->text, "%s%.*s %s %u ", i ? "; " : "",
                         torii_str_arg(set->name),
                         dnssync_rtype_word(set->type)
                         ? dnssync_rtype_word(set->type) : "?",
                         (unsigned) set->ttl);

        for (k = 0; k < set->n; k++) {
            torii_buf_printf(&w->text, "%s%.*s", k ? "|" : "",
                             torii_str_arg(set->values[k]));
        }

        for (k = 0; k < set->noptions; k++) {
            torii_buf_printf(&w->text, " %.*s=%.*s",
                             torii_str_arg(set->options[k].name),
                             torii_str_arg(set->options[k].value));
        }
    }

    for (i = 0; op->what == DNSSYNC_OP_APPLY && i < op->nedits; i++) {
        torii_buf_printf(&w->text, "%s%s", i ? " " : "",
                         outcomes[op->results[i].what]);
    }

    if (op->same) {
        torii_buf_adds(&w->text, "same");
    }
}


/* Whether the request is the one that the script has next. */

static inline int
cloud_asked(cloud_t *w, const dnssync_op_t *op, const char *match)
{
    int                       ok;
    uint32_t                  i;
    torii_buf_t               b;
    const dnssync_request_t  *r;

    r = &op->request;
    memset(&b, 0, sizeof(torii_buf_t));
    torii_buf_printf(&b, "%s %.*s\n", r->method, torii_str_arg(r->url));

    for (i = 0; i < r->nheaders; i++) {
        torii_buf_printf(&b, "%.*s\n", torii_str_arg(r->headers[i]));
    }

    torii_buf_add_str(&b, r->body);
    torii_buf_add(&b, "", 1);

    ok = match != NULL && strstr((char *) b.data, match) != NULL;

    if (!ok) {
        printf("# wanted %s, is %s\n", match ? match : "no request",
               (char *) b.data);
    }

    torii_buf_free(&b);

    return ok;
}


static inline void
cloud_run(cloud_t *w, const cloud_case_t *c, int plain)
{
    int                 ok;
    unsigned            n;
    uint64_t            now;
    torii_str_t         got;
    dnssync_op_t       *op;
    dnssync_answer_t    answer;
    dnssync_op_step_e   step;

    op = dnssync_op_create(w->account, c->what);
    w->a = torii_arena_create(4096);
    w->text.len = 0;

    op->zone.id = w->zone_id;
    op->zone.name = torii_str("a.test");
    op->ttl = 60;

    if (c->what == DNSSYNC_OP_APPLY) {
        cloud_edits(w, op, c->in, plain);

    } else if (c->what == DNSSYNC_OP_CHALLENGE) {
        op->name = torii_str("c.a.test");
        op->add = c->in[0] == '+';
        op->value = torii_str(c->in + 1);

    } else if (c->in != NULL) {
        op->version = torii_str(c->in);
    }

    ok = 1;
    n = 0;
    now = CLOUD_NOW;
    step = dnssync_op_go(op, now);

    while (ok && (step == DNSSYNC_OP_SEND || step == DNSSYNC_OP_SLEEP)) {

        if (step == DNSSYNC_OP_SLEEP) {
            ok = op->until > now;
            now = op->until;
            step = dnssync_op_go(op, now);
            continue;
        }

        ok = cloud_asked(w, op, n < CLOUD_STEPS ? c->answers[n].match : NULL);

        if (ok) {
            memset(&answer, 0, sizeof(dnssync_answer_t));
            answer.status = c->answers[n].status;
            answer.body = torii_str(c->answers[n].body
                                    ? c->answers[n].body : "");
            answer.error = "it is down";
            step = dnssync_op_answer(op, now, &answer);
            n++;
        }
    }

    cloud_out(w, op);
    got.data = w->text.data;
    got.len = w->text.len;

    tap_ok(ok && (n == CLOUD_STEPS || c->answers[n].match == NULL)
           && step == (c->trouble ? DNSSYNC_OP_FAILED : DNSSYNC_OP_DONE)
           && op->trouble == c->trouble
           && (c->out == NULL || torii_str_eqs(got, c->out))
           && (c->error == NULL || strstr(op->error, c->error) != NULL),
           "%s", c->name);

    if (c->out != NULL && !torii_str_eqs(got, c->out)) {
        printf("# is \"%.*s\" (%s)\n", torii_str_arg(got), op->error);
    }

    dnssync_op_free(op);
    torii_arena_destroy(w->a);
}


static inline void
cloud_start(cloud_t *w, const char *zone, const dnssync_option_t *settings,
    uint32_t n)
{
    torii_str_t  why;

    memset(w, 0, sizeof(cloud_t));
    w->zone_id = torii_str(zone);
    w->account = dnssync_account_create(torii_str("test/cloud"), settings, n,
                                        &why);

    tap_ok(why.len == 0, "the settings are taken");

    if (why.len) {
        printf("# %.*s\n", torii_str_arg(why));
        exit(1);
    }
}


static inline void
cloud_end(cloud_t *w)
{
    dnssync_account_free(w->account);
    torii_buf_free(&w->text);
}


#endif /* _CLOUD_MAKE_H_INCLUDED_ */
