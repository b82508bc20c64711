
/*
 * Changes at Azure DNS, which knows no batch: each set is written or deleted on
 * its own, on the condition that it is as it was read, or not there.  The order
 * is such that what is half done harms nobody: the record that tells of an
 * owner comes first and goes last, unless it stands in the way of an alias.
 */

#include "dnssync_azure.h"


typedef enum {
    DNSSYNC_AZURE_MARKS = 0,   /* TXT that is written */
    DNSSYNC_AZURE_BLOCKERS,    /* what is deleted, but for marks */
    DNSSYNC_AZURE_DATA,        /* what is written, but for marks */
    DNSSYNC_AZURE_LAST,        /* marks that are deleted */
    DNSSYNC_AZURE_STEPS
} dnssync_azure_step_e;


static dnssync_op_step_e dnssync_azure_finish(dnssync_op_t *op);
static void dnssync_azure_next_edit(dnssync_op_t *op);
static int dnssync_azure_allowed(dnssync_op_t *op);
static const dnssync_require_t *dnssync_azure_require(dnssync_op_t *op);
static int dnssync_azure_covered(const dnssync_edit_t *edit,
    const dnssync_require_t *r);
static const dnssync_part_t *dnssync_azure_part(dnssync_op_t *op);
static dnssync_azure_step_e dnssync_azure_step(const dnssync_edit_t *edit,
    const dnssync_part_t *p);
static dnssync_op_step_e dnssync_azure_write(dnssync_op_t *op,
    const dnssync_part_t *p);
static dnssync_op_step_e dnssync_azure_not(dnssync_op_t *op,
    dnssync_outcome_e what, const char *text);


dnssync_op_step_e
dnssync_azure_apply(dnssync_op_t *op)
{
    const dnssync_part_t     *p;
    dnssync_azure_state_t    *st;
    const dnssync_require_t  *r;

    st = op->state;

    if (st->phase < DNSSYNC_AZURE_EDIT) {
        st->phase = DNSSYNC_AZURE_EDIT;
    }

    for ( ;; ) {

        if (st->phase == DNSSYNC_AZURE_EDIT) {

            if (st->edit >= op->nedits) {
                return dnssync_azure_finish(op);
            }

            if (!dnssync_azure_allowed(op)) {
                dnssync_azure_next_edit(op);
                continue;
            }

            st->phase = DNSSYNC_AZURE_READ;
        }

        if (st->phase == DNSSYNC_AZURE_READ) {
            r = dnssync_azure_require(op);

            if (r != NULL) {
                dnssync_azure_set_request(op, "GET", r->name, r->type,
                                          DNSSYNC_AZURE_GET);
                return dnssync_op_send(op);
            }

            st->phase = DNSSYNC_AZURE_WRITE_PART;
        }

        p = dnssync_azure_part(op);

        if (p != NULL) {
            return dnssync_azure_write(op, p);
        }

        dnssync_op_result(op, st->edit, DNSSYNC_OUTCOME_DONE, "%s", "");
        dnssync_azure_next_edit(op);
    }
}


static void
dnssync_azure_next_edit(dnssync_op_t *op)
{
    dnssync_azure_state_t  *st;

    st = op->state;

    st->edit++;
    st->require = 0;
    st->step = 0;
    st->part = 0;
    st->begun = 0;
    st->tries = 0;
    st->phase = DNSSYNC_AZURE_EDIT;
}


static dnssync_op_step_e
dnssync_azure_finish(dnssync_op_t *op)
{
    dnssync_op_step_e       step;
    dnssync_azure_state_t  *st;

    st = op->state;

    if (op->what != DNSSYNC_OP_CHALLENGE) {
        return DNSSYNC_OP_DONE;
    }

    if (dnssync_cloud_challenged(op, &st->attempts, &step) != TORII_AGAIN) {
        return step;
    }

    st->phase = DNSSYNC_AZURE_HAVE;

    return dnssync_azure_go(op);
}


static int
dnssync_azure_allowed(dnssync_op_t *op)
{
    uint32_t                i;
    const dnssync_part_t   *p;
    const dnssync_edit_t   *edit;
    dnssync_azure_state_t  *st;

    st = op->state;
    edit = op->edits[st->edit];

    for (i = 0; i < edit->nparts; i++) {
        p = &edit->parts[i];

        if ((p->before != NULL && dnssync_azure_set_strange(p->before))
            || (p->after != NULL && dnssync_azure_set_strange(p->after)))
        {
            dnssync_op_result(op, st->edit, DNSSYNC_OUTCOME_REFUSED, "it "
                              "follows a resource of Azure's, or has a type "
                              "that is not written");
            return 0;
        }

        if (p->before != NULL && p->before->id.len == 0) {
            dnssync_op_result(op, st->edit, DNSSYNC_OUTCOME_LOST, "its "
                              "version is not known");
            return 0;
        }
    }

    return 1;
}


/* The next one that no condition of a part looks after. */

static const dnssync_require_t *
dnssync_azure_require(dnssync_op_t *op)
{
    const dnssync_edit_t     *edit;
    dnssync_azure_state_t    *st;
    const dnssync_require_t  *r;

    st = op->state;
    edit = op->edits[st->edit];

    for ( /* void */ ; st->require < edit->nrequires; st->require++) {
        r = &edit->requires[st->require];

        if (!dnssync_azure_covered(edit, r)) {
            return r;
        }
    }

    return NULL;
}


/* Azure has CNAME only where nothing else is. */

static int
dnssync_azure_covered(const dnssync_edit_t *edit, const dnssync_require_t *r)
{
    uint32_t                i;
    const dnssync_rrset_t  *after;

    if (dnssync_cloud_part(edit, r->name, r->set, r->type) != NULL) {
        return 1;
    }

    for (i = 0; r->equal == NULL && i < edit->nparts; i++) {
        after = edit->parts[i].after;

        if (after != NULL && torii_str_eq(after->name, r->name)
            && (after->type == DNSSYNC_CNAME || r->type == DNSSYNC_CNAME))
        {
            return 1;
        }
    }

    return 0;
}


dnssync_op_step_e
dnssync_azure_read(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    int                       rc;
    torii_arena_t            *a;
    dnssync_rrset_t           set;
    dnssync_azure_state_t    *st;
    const dnssync_require_t  *r;

    st = op->state;
    r = &op->edits[st->edit]->requires[st->require];

    if (answer->status != 404 && !dnssync_http_ok(answer)) {
        return dnssync_azure_fail(op, answer);
    }

    st->tries = 0;

    if (answer->status == 404) {
        if (r->equal != NULL) {
            return dnssync_azure_not(op, DNSSYNC_OUTCOME_LOST,
                                     "a record of the host's is gone");
        }

        st->require++;
        return dnssync_azure_go(op);
    }

    if (r->equal == NULL) {
        return dnssync_azure_not(op, DNSSYNC_OUTCOME_LOST,
                                 "there is another record by now");
    }

    a = torii_arena_create(4096);
    rc = dnssync_azure_set_read(op, dnssync_http_json(a, answer->body), &set);
    torii_arena_destroy(a);

    if (rc != TORII_OK) {
        return dnssync_azure_senseless(op);
    }

    if (!dnssync_cloud_same(&set, r->equal)) {
        return dnssync_azure_not(op, DNSSYNC_OUTCOME_LOST,
                                 "a record of the host's is another by now");
    }

    st->require++;

    return dnssync_azure_go(op);
}


/* The next part to be written. */

static const dnssync_part_t *
dnssync_azure_part(dnssync_op_t *op)
{
    const dnssync_edit_t   *edit;
    dnssync_azure_state_t  *st;

    st = op->state;
    edit = op->edits[st->edit];

    for ( /* void */ ; st->step < DNSSYNC_AZURE_STEPS; st->step++) {

        for ( /* void */ ; st->part < edit->nparts; st->part++) {
            if (dnssync_azure_step(edit, &edit->parts[st->part]) == st->step) {
                return &edit->parts[st->part];
            }
        }

        st->part = 0;
    }

    return NULL;
}


static dnssync_azure_step_e
dnssync_azure_step(const dnssync_edit_t *edit, const dnssync_part_t *p)
{
    if (p->after != NULL) {
        return (p->after->type == DNSSYNC_TXT) ? DNSSYNC_AZURE_MARKS
                                               : DNSSYNC_AZURE_DATA;
    }

    if (p->before->type != DNSSYNC_TXT) {
        return DNSSYNC_AZURE_BLOCKERS;
    }

    p = dnssync_cloud_part(edit, p->before->name, p->before->set,
                           DNSSYNC_CNAME);

    return (p != NULL && p->after != NULL) ? DNSSYNC_AZURE_BLOCKERS
                                           : DNSSYNC_AZURE_LAST;
}


static dnssync_op_step_e
dnssync_azure_write(dnssync_op_t *op, const dnssync_part_t *p)
{
    const dnssync_rrset_t  *set;

    set = p->after ? p->after : p->before;

    dnssync_azure_set_request(op, p->after ? "PUT" : "DELETE", set->name,
                              set->type, DNSSYNC_AZURE_WRITE);

    if (p->before != NULL) {
        dnssync_op_header(op, "If-Match: %.*s", torii_str_arg(p->before->id));

    } else {
        dnssync_op_header(op, "If-None-Match: *");
    }

    if (p->after != NULL) {
        dnssync_op_header(op, "Content-Type: application/json");
        dnssync_azure_set_write(op, dnssync_op_body(op), set);
    }

    return dnssync_op_send(op);
}


dnssync_op_step_e
dnssync_azure_applied(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    torii_str_t             text;
    dnssync_op_step_e       step;
    dnssync_azure_state_t  *st;

    st = op->state;

    if (dnssync_http_ok(answer)) {
        st->tries = 0;
        st->begun = 1;
        st->part++;
        return dnssync_azure_go(op);
    }

    switch (answer->status) {

    case 409:
    case 412:
        return dnssync_azure_not(op, DNSSYNC_OUTCOME_LOST,
                                 "it is not as it was read");

    case 400:
    case 422:
        text = torii_arena_str(op->arena, dnssync_http_error(op->arena,
                                                             answer->body));
        return dnssync_azure_not(op, DNSSYNC_OUTCOME_REFUSED,
                                 text.len ? (const char *) text.data
                                          : "it was refused");
    default:
        break;
    }

    step = dnssync_azure_fail(op, answer);

    if (step == DNSSYNC_OP_FAILED
        && (st->begun || answer->status == 0 || answer->status >= 500))
    {
        dnssync_op_result(op, st->edit, DNSSYNC_OUTCOME_UNSURE, "%s",
                          op->error);
    }

    return step;
}


/* What is half done can only be found out by reading it. */

static dnssync_op_step_e
dnssync_azure_not(dnssync_op_t *op, dnssync_outcome_e what, const char *text)
{
    dnssync_azure_state_t  *st;

    st = op->state;

    if (st->begun) {
        dnssync_op_result(op, st->edit, DNSSYNC_OUTCOME_UNSURE, "a part of it "
                          "is done, then: %s", text);
    } else {
        dnssync_op_result(op, st->edit, what, "%s", text);
    }

    dnssync_azure_next_edit(op);

    return dnssync_azure_go(op);
}
