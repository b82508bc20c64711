
/*
 * Changes at Google Cloud DNS: each is done as a whole or not at all.  What is
 * deleted has to be as it is told, what is added must not be there; a set that
 * has to stay is deleted and added as it was.  A change that is refused is cut
 * in halves until the edit at fault is alone.
 */

#include "dnssync_google.h"


#define DNSSYNC_GOOGLE_SETS_MAX  1000      /* of additions, of deletions */
#define DNSSYNC_GOOGLE_BYTES     90000     /* of values: 100,000 */
#define DNSSYNC_GOOGLE_FEW       20        /* hosts to be read one by one */
#define DNSSYNC_GOOGLE_POLLS     10


typedef struct {
    uint32_t    sets;
    uint32_t    bytes;
} dnssync_google_cost_t;


static int dnssync_google_kept(const dnssync_edit_t *edit,
    const dnssync_require_t *r);
static void dnssync_google_fit(dnssync_op_t *op);
static int dnssync_google_cost(dnssync_op_t *op, uint32_t edit,
    dnssync_google_cost_t *cost);
static int dnssync_google_shares(const dnssync_op_t *op, uint32_t edit);
static int dnssync_google_touches(const dnssync_edit_t *edit,
    torii_str_t name, unsigned type);
static uint32_t dnssync_google_pending(const dnssync_op_t *op);
static dnssync_op_step_e dnssync_google_change(dnssync_op_t *op);
static void dnssync_google_write(dnssync_op_t *op, torii_buf_t *b, int add);
static dnssync_op_step_e dnssync_google_finish(dnssync_op_t *op);
static dnssync_op_step_e dnssync_google_over(dnssync_op_t *op);


dnssync_op_step_e
dnssync_google_apply(dnssync_op_t *op)
{
    dnssync_google_state_t  *st;

    st = op->state;

    if (st->phase < DNSSYNC_GOOGLE_BATCH) {
        st->phase = DNSSYNC_GOOGLE_BATCH;
    }

    if (!st->checked) {
        st->checked = 1;
        dnssync_google_needs(op);

        if (st->nneeds) {
            st->phase = (st->nneeds > DNSSYNC_GOOGLE_FEW)
                        ? DNSSYNC_GOOGLE_WALK : DNSSYNC_GOOGLE_READ;
            st->page = torii_str("");
        }
    }

    while (st->phase == DNSSYNC_GOOGLE_BATCH) {

        if (st->first >= op->nedits) {
            return dnssync_google_finish(op);
        }

        dnssync_google_fit(op);

        if (dnssync_google_pending(op)) {
            st->phase = DNSSYNC_GOOGLE_CHANGE;

        } else {
            st->first += st->n;
        }
    }

    switch (st->phase) {

    case DNSSYNC_GOOGLE_READ:
        dnssync_google_page(op, st->needs[st->need].require->name, 0);
        return dnssync_op_send(op);

    case DNSSYNC_GOOGLE_WALK:
        dnssync_google_page(op, torii_str(""), 0);
        return dnssync_op_send(op);

    case DNSSYNC_GOOGLE_PENDING:
        return dnssync_google_finish(op);

    default:
        return dnssync_google_change(op);
    }
}


static int
dnssync_google_kept(const dnssync_edit_t *edit, const dnssync_require_t *r)
{
    return r->equal != NULL
           && dnssync_cloud_part(edit, r->name, r->set, r->type) == NULL;
}


static void
dnssync_google_fit(dnssync_op_t *op)
{
    uint32_t                 i, limit;
    dnssync_google_cost_t    cost, sum;
    dnssync_google_state_t  *st;

    st = op->state;

    limit = op->nedits - st->first;
    memset(&sum, 0, sizeof(dnssync_google_cost_t));

    if (st->bad > st->first) {
        limit = (st->bad - st->first) / 2;
        limit = limit ? limit : 1;
    }

    for (i = st->first; i < st->first + limit; i++) {

        if (dnssync_google_cost(op, i, &cost) != TORII_OK) {
            continue;
        }

        if (sum.sets + cost.sets > DNSSYNC_GOOGLE_SETS_MAX
            || sum.bytes + cost.bytes > DNSSYNC_GOOGLE_BYTES
            || dnssync_google_shares(op, i))
        {
            break;
        }

        sum.sets += cost.sets;
        sum.bytes += cost.bytes;
    }

    st->n = i - st->first;
}


/* Of additions, and of deletions: the larger of both.  TORII_DECLINED: it is
   none of the batch. */

static int
dnssync_google_cost(dnssync_op_t *op, uint32_t edit,
    dnssync_google_cost_t *cost)
{
    int                     strange;
    uint32_t                i, j;
    const dnssync_edit_t   *e;
    const dnssync_rrset_t  *set;

    e = op->edits[edit];
    strange = 0;

    cost->sets = e->nparts + e->nrequires;
    cost->bytes = 0;

    if (op->results[edit].what != DNSSYNC_OUTCOME_LATER) {
        return TORII_DECLINED;
    }

    for (i = 0; i < 2 * e->nparts + e->nrequires; i++) {

        if (i >= 2 * e->nparts) {
            set = e->requires[i - 2 * e->nparts].equal;

        } else {
            set = (i & 1) ? e->parts[i / 2].after : e->parts[i / 2].before;
        }

        if (set == NULL) {
            continue;
        }

        strange |= dnssync_google_set_strange(set);

        for (j = 0; j < set->n; j++) {
            cost->bytes += set->values[j].len + 8;
        }

        cost->bytes += set->id.len;
    }

    if (strange) {
        dnssync_op_result(op, edit, DNSSYNC_OUTCOME_REFUSED, "it has a "
                          "routing policy, or a type that is not known here");
        return TORII_DECLINED;
    }

    if (cost->bytes > DNSSYNC_GOOGLE_BYTES
        || cost->sets > DNSSYNC_GOOGLE_SETS_MAX)
    {
        dnssync_op_result(op, edit, DNSSYNC_OUTCOME_REFUSED, "it is more than "
                          "Google Cloud DNS takes at once");
        return TORII_DECLINED;
    }

    return TORII_OK;
}


/*
 * Two changes of one set do not go together.  Edits of different hosts share
 * TXT records only, and those only where an old form of marks is in use.
 */

static int
dnssync_google_shares(const dnssync_op_t *op, uint32_t edit)
{
    uint32_t                       i, k;
    const dnssync_edit_t          *e;
    const dnssync_rrset_t         *set;
    const dnssync_google_state_t  *st;

    st = op->state;
    e = op->edits[edit];

    for (i = st->first; i < edit; i++) {

        if (op->results[i].what != DNSSYNC_OUTCOME_LATER) {
            continue;
        }

        for (k = 0; k < e->nparts; k++) {
            set = e->parts[k].before ? e->parts[k].before : e->parts[k].after;

            if (dnssync_google_touches(op->edits[i], set->name, set->type)) {
                return 1;
            }
        }

        for (k = 0; k < e->nrequires; k++) {
            if (dnssync_google_kept(e, &e->requires[k])
                && dnssync_google_touches(op->edits[i], e->requires[k].name,
                                          e->requires[k].type))
            {
                return 1;
            }
        }
    }

    return 0;
}


static int
dnssync_google_touches(const dnssync_edit_t *edit, torii_str_t name,
    unsigned type)
{
    uint32_t  i;

    if (dnssync_cloud_part(edit, name, torii_str(""), type) != NULL) {
        return 1;
    }

    for (i = 0; i < edit->nrequires; i++) {
        if (edit->requires[i].type == type
            && torii_str_eq(edit->requires[i].name, name)
            && dnssync_google_kept(edit, &edit->requires[i]))
        {
            return 1;
        }
    }

    return 0;
}


static uint32_t
dnssync_google_pending(const dnssync_op_t *op)
{
    uint32_t                       i, n;
    const dnssync_google_state_t  *st;

    st = op->state;

    for (i = st->first, n = 0; i < st->first + st->n; i++) {
        n += op->results[i].what == DNSSYNC_OUTCOME_LATER;
    }

    return n;
}


static dnssync_op_step_e
dnssync_google_change(dnssync_op_t *op)
{
    torii_buf_t  *b;

    dnssync_google_request(op, "POST", "changes", torii_str(""));
    dnssync_op_header(op, "Content-Type: application/json");

    b = dnssync_op_body(op);

    torii_buf_adds(b, "{\"deletions\":[");
    dnssync_google_write(op, b, 0);
    torii_buf_adds(b, "],\"additions\":[");
    dnssync_google_write(op, b, 1);
    torii_buf_adds(b, "]}");

    return dnssync_op_send(op);
}


static void
dnssync_google_write(dnssync_op_t *op, torii_buf_t *b, int add)
{
    uint32_t                       i, k;
    const char                    *comma;
    const dnssync_part_t          *p;
    const dnssync_edit_t          *edit;
    const dnssync_rrset_t         *set;
    const dnssync_google_state_t  *st;

    st = op->state;
    comma = "";

    for (i = st->first; i < st->first + st->n; i++) {
        edit = op->edits[i];

        if (op->results[i].what != DNSSYNC_OUTCOME_LATER) {
            continue;
        }

        for (k = 0; k < edit->nparts; k++) {
            p = &edit->parts[k];
            set = add ? p->after : p->before;

            if (set != NULL) {
                torii_buf_adds(b, comma);
                dnssync_google_set_write(b, set, p->before);
                comma = ",";
            }
        }

        for (k = 0; k < edit->nrequires; k++) {
            if (dnssync_google_kept(edit, &edit->requires[k])) {
                set = edit->requires[k].equal;
                torii_buf_adds(b, comma);
                dnssync_google_set_write(b, set, set);
                comma = ",";
            }
        }
    }
}


dnssync_op_step_e
dnssync_google_applied(dnssync_op_t *op, torii_str_t body)
{
    torii_str_t              id, status;
    torii_node_t            *doc;
    torii_arena_t           *a;
    dnssync_google_state_t  *st;

    st = op->state;
    a = torii_arena_create(64 * 1024);

    doc = dnssync_http_json(a, body);
    id = dnssync_json_str(doc, "id");
    status = dnssync_json_str(doc, "status");

    if (id.len == 0 || (!torii_str_eqs(status, "pending")
                        && !torii_str_eqs(status, "done")))
    {
        torii_arena_destroy(a);
        dnssync_op_results(op, st->first, st->first + st->n,
                           DNSSYNC_OUTCOME_UNSURE, "the answer is not what "
                           "Google Cloud DNS sends");
        return dnssync_google_senseless(op);
    }

    st->change = torii_str_eqs(status, "done")
                 ? torii_str("") : torii_arena_str(op->arena, id);
    torii_arena_destroy(a);

    dnssync_op_results(op, st->first, st->first + st->n,
                       DNSSYNC_OUTCOME_DONE, "");
    st->first += st->n;
    st->phase = DNSSYNC_GOOGLE_BATCH;

    return dnssync_google_go(op);
}


/* 409: it is there; 412: it is not as was told. */

dnssync_op_step_e
dnssync_google_refused(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    torii_str_t              text;
    dnssync_google_state_t  *st;

    st = op->state;
    st->phase = DNSSYNC_GOOGLE_BATCH;

    if (dnssync_google_pending(op) > 1) {
        st->bad = st->first + st->n;
        return dnssync_google_go(op);
    }

    text = dnssync_http_error(op->arena, answer->body);

    if (text.len == 0) {
        text = torii_str("the change was refused");
    }

    text = torii_arena_str(op->arena, text);

    dnssync_op_results(op, st->first, st->first + st->n,
                       answer->status == 400 ? DNSSYNC_OUTCOME_REFUSED
                                             : DNSSYNC_OUTCOME_LOST,
                       (const char *) text.data);
    st->first += st->n;

    return dnssync_google_go(op);
}


/* All were taken; changes of a zone are done one after the other. */

static dnssync_op_step_e
dnssync_google_finish(dnssync_op_t *op)
{
    torii_buf_t              id;
    torii_str_t              query;
    dnssync_google_state_t  *st;

    st = op->state;

    if (st->change.len == 0) {
        return dnssync_google_over(op);
    }

    st->phase = DNSSYNC_GOOGLE_PENDING;

    if (!st->slept) {
        st->slept = 1;
        op->until = op->now + 1000 * (1 + st->polls / 2);
        return DNSSYNC_OP_SLEEP;
    }

    st->slept = 0;
    memset(&id, 0, sizeof(torii_buf_t));
    dnssync_url_add(&id, st->change);
    query.data = id.data;
    query.len = id.len;
    dnssync_google_request(op, "GET", "changes/", query);
    torii_buf_free(&id);

    return dnssync_op_send(op);
}


dnssync_op_step_e
dnssync_google_polled(dnssync_op_t *op, torii_str_t body)
{
    int                      done;
    torii_arena_t           *a;
    dnssync_google_state_t  *st;

    st = op->state;
    a = torii_arena_create(64 * 1024);

    done = torii_str_eqs(dnssync_json_str(dnssync_http_json(a, body),
                                          "status"), "done");
    torii_arena_destroy(a);

    if (!done && ++st->polls < DNSSYNC_GOOGLE_POLLS) {
        return dnssync_google_go(op);
    }

    return dnssync_google_over(op);
}


static dnssync_op_step_e
dnssync_google_over(dnssync_op_t *op)
{
    dnssync_op_step_e        step;
    dnssync_google_state_t  *st;

    st = op->state;
    op->nsets = 0;

    if (op->what != DNSSYNC_OP_CHALLENGE
        || dnssync_cloud_challenged(op, &st->attempts, &step)
           != TORII_AGAIN)
    {
        return (op->what == DNSSYNC_OP_CHALLENGE) ? step : DNSSYNC_OP_DONE;
    }

    st->phase = DNSSYNC_GOOGLE_HAVE;
    st->page = torii_str("");

    return dnssync_google_go(op);
}
