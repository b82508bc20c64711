
/*
 * Changes at Route 53: batches, each of which is done as a whole or not at all.
 * A set is created only where there is none and deleted only as it is known;
 * so one that has to stay is deleted and created as it was.  A batch that is
 * refused is cut in halves until the edit at fault is alone.
 */

#include <stdio.h>

#include "dnssync_route53.h"


#define DNSSYNC_ROUTE53_RECORDS  1000      /* of a request */
#define DNSSYNC_ROUTE53_CHARS    32000     /* of all values */
#define DNSSYNC_ROUTE53_SLOTS    4096      /* a power of 2 */


static dnssync_op_step_e dnssync_route53_finish(dnssync_op_t *op);
static void dnssync_route53_fit(dnssync_op_t *op);
static int dnssync_route53_cost(dnssync_op_t *op, uint32_t edit,
    uint32_t *chars, uint32_t *records);
static int dnssync_route53_touch(dnssync_op_t *op, const dnssync_edit_t *edit,
    int mark);
static int dnssync_route53_touch_set(dnssync_op_t *op, torii_str_t name,
    torii_str_t set, unsigned type, int mark);
static uint32_t dnssync_route53_pending(const dnssync_op_t *op);
static dnssync_op_step_e dnssync_route53_change(dnssync_op_t *op);
static void dnssync_route53_edit_write(dnssync_op_t *op, torii_buf_t *b,
    const dnssync_edit_t *edit);
static int dnssync_route53_accepted(torii_str_t body);
static void dnssync_route53_refused(dnssync_op_t *op, torii_str_t text);


/* What Route 53 says when something else is there than was thought. */

static const char *const  dnssync_route53_lost[] = {
    "already exists", "not found", "do not match", NULL
};


dnssync_op_step_e
dnssync_route53_apply(dnssync_op_t *op)
{
    dnssync_route53_t  *st;

    st = op->state;

    if (st->phase < DNSSYNC_ROUTE53_BATCH) {
        st->phase = DNSSYNC_ROUTE53_BATCH;
    }

    while (st->phase == DNSSYNC_ROUTE53_BATCH) {

        if (st->first >= op->nedits) {
            return dnssync_route53_finish(op);
        }

        dnssync_route53_fit(op);
        dnssync_route53_needs(op);

        if (st->nneeds) {
            st->phase = DNSSYNC_ROUTE53_READ;

        } else if (dnssync_route53_pending(op)) {
            st->phase = DNSSYNC_ROUTE53_CHANGE;

        } else {
            st->first += st->n;
        }
    }

    return (st->phase == DNSSYNC_ROUTE53_READ) ? dnssync_route53_read_go(op)
                                               : dnssync_route53_change(op);
}


static dnssync_op_step_e
dnssync_route53_finish(dnssync_op_t *op)
{
    dnssync_op_step_e   step;
    dnssync_route53_t  *st;

    st = op->state;

    if (op->what != DNSSYNC_OP_CHALLENGE) {
        return DNSSYNC_OP_DONE;
    }

    if (dnssync_cloud_challenged(op, &st->attempts, &step) != TORII_AGAIN) {
        return step;
    }

    st->phase = DNSSYNC_ROUTE53_HAVE;

    return dnssync_route53_go(op);
}


/* How many edits go into the next batch. */

static void
dnssync_route53_fit(dnssync_op_t *op)
{
    uint32_t            i, limit, chars, records, c, r;
    dnssync_route53_t  *st;

    st = op->state;

    limit = op->nedits - st->first;
    chars = 0;
    records = 0;

    if (st->bad > st->first) {
        limit = (st->bad - st->first) / 2;
        limit = limit ? limit : 1;
    }

    if (st->touched == NULL) {
        st->touched = torii_arena_alloc(op->arena, DNSSYNC_ROUTE53_SLOTS
                                                   * sizeof(uint64_t));
    }

    memset(st->touched, 0, DNSSYNC_ROUTE53_SLOTS * sizeof(uint64_t));

    for (i = st->first; i < st->first + limit; i++) {

        if (dnssync_route53_cost(op, i, &c, &r) != TORII_OK) {
            continue;
        }

        if (chars + c > DNSSYNC_ROUTE53_CHARS
            || records + r > DNSSYNC_ROUTE53_RECORDS
            || dnssync_route53_touch(op, op->edits[i], 0))
        {
            break;
        }

        (void) dnssync_route53_touch(op, op->edits[i], 1);
        chars += c;
        records += r;
    }

    st->n = i - st->first;
}


/* TORII_DECLINED: it is none of the batch, and its result says why. */

static int
dnssync_route53_cost(dnssync_op_t *op, uint32_t edit, uint32_t *chars,
    uint32_t *records)
{
    int                     strange;
    uint32_t                i;
    const dnssync_edit_t   *e;
    const dnssync_rrset_t  *set;

    *chars = 0;
    *records = 0;
    strange = 0;
    e = op->edits[edit];

    if (op->results[edit].what != DNSSYNC_OUTCOME_LATER) {
        return TORII_DECLINED;
    }

    for (i = 0; i < 2 * e->nparts; i++) {
        set = (i & 1) ? e->parts[i / 2].after : e->parts[i / 2].before;

        if (set != NULL) {
            strange |= dnssync_route53_set_strange(set);
            dnssync_route53_set_size(set, chars, records);
        }
    }

    for (i = 0; i < e->nrequires; i++) {
        if (dnssync_route53_kept(e, &e->requires[i])) {
            set = e->requires[i].equal;
            strange |= dnssync_route53_set_strange(set);
            dnssync_route53_set_size(set, chars, records);
            dnssync_route53_set_size(set, chars, records);
        }
    }

    if (strange) {
        dnssync_op_result(op, edit, DNSSYNC_OUTCOME_REFUSED, "it has a "
                          "routing policy that is not known here");
        return TORII_DECLINED;
    }

    if (*chars > DNSSYNC_ROUTE53_CHARS || *records > DNSSYNC_ROUTE53_RECORDS)
    {
        dnssync_op_result(op, edit, DNSSYNC_OUTCOME_REFUSED, "it is more than "
                          "Route 53 takes at once");
        return TORII_DECLINED;
    }

    return TORII_OK;
}


int
dnssync_route53_kept(const dnssync_edit_t *edit, const dnssync_require_t *r)
{
    return r->equal != NULL
           && dnssync_cloud_part(edit, r->name, r->set, r->type) == NULL;
}


/*
 * Two changes of one set do not go together.  Hashes that are equal by chance
 * only make a batch smaller.
 */

static int
dnssync_route53_touch(dnssync_op_t *op, const dnssync_edit_t *edit, int mark)
{
    uint32_t                  i;
    const dnssync_rrset_t    *set;
    const dnssync_require_t  *r;

    for (i = 0; i < edit->nparts; i++) {
        set = edit->parts[i].before ? edit->parts[i].before
                                    : edit->parts[i].after;

        if (dnssync_route53_touch_set(op, set->name, set->set, set->type,
                                      mark))
        {
            return 1;
        }
    }

    for (i = 0; i < edit->nrequires; i++) {
        r = &edit->requires[i];

        if (dnssync_route53_kept(edit, r)
            && dnssync_route53_touch_set(op, r->name, r->set, r->type, mark))
        {
            return 1;
        }
    }

    return 0;
}


static int
dnssync_route53_touch_set(dnssync_op_t *op, torii_str_t name, torii_str_t set,
    unsigned type, int mark)
{
    uint32_t   i;
    uint64_t   hash, *slots;

    slots = ((dnssync_route53_t *) op->state)->touched;

    hash = torii_hash(name.data, name.len, type);
    hash = torii_hash(set.data, set.len, hash) | 1;

    for (i = hash >> 32 & (DNSSYNC_ROUTE53_SLOTS - 1); slots[i];
         i = (i + 1) & (DNSSYNC_ROUTE53_SLOTS - 1))
    {
        if (slots[i] == hash) {
            return !mark;
        }
    }

    if (mark) {
        slots[i] = hash;
    }

    return 0;
}


static uint32_t
dnssync_route53_pending(const dnssync_op_t *op)
{
    uint32_t                  i, n;
    const dnssync_route53_t  *st;

    st = op->state;

    for (i = st->first, n = 0; i < st->first + st->n; i++) {
        n += op->results[i].what == DNSSYNC_OUTCOME_LATER;
    }

    return n;
}


static dnssync_op_step_e
dnssync_route53_change(dnssync_op_t *op)
{
    uint32_t            i;
    torii_buf_t        *b, path;
    torii_str_t         s;
    dnssync_route53_t  *st;

    st = op->state;

    memset(&path, 0, sizeof(torii_buf_t));
    torii_buf_adds(&path, DNSSYNC_ROUTE53_PATH "/");
    dnssync_url_add(&path, op->zone.id);
    torii_buf_adds(&path, "/rrset/");

    s.data = path.data;
    s.len = path.len;
    (void) dnssync_aws_request(op, "POST", s);
    torii_buf_free(&path);

    dnssync_op_header(op, "Content-Type: text/xml");

    b = dnssync_op_body(op);
    torii_buf_adds(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   "<ChangeResourceRecordSetsRequest xmlns=\""
                   DNSSYNC_ROUTE53_SPACE "\"><ChangeBatch><Changes>\n");

    for (i = st->first; i < st->first + st->n; i++) {
        if (op->results[i].what == DNSSYNC_OUTCOME_LATER) {
            dnssync_route53_edit_write(op, b, op->edits[i]);
        }
    }

    torii_buf_adds(b, "</Changes></ChangeBatch>"
                   "</ChangeResourceRecordSetsRequest>\n");

    return dnssync_op_send(op);
}


/* Deletions come first: an alias gives way to addresses within one batch. */

static void
dnssync_route53_edit_write(dnssync_op_t *op, torii_buf_t *b,
    const dnssync_edit_t *edit)
{
    uint32_t                i;
    const dnssync_part_t   *p;
    const dnssync_rrset_t  *set;

    for (i = 0; i < edit->nparts; i++) {
        p = &edit->parts[i];

        if (p->before != NULL) {
            dnssync_route53_set_write(op, b, "DELETE", p->before, p->before);
        }
    }

    for (i = 0; i < edit->nrequires; i++) {
        set = edit->requires[i].equal;

        if (dnssync_route53_kept(edit, &edit->requires[i])) {
            dnssync_route53_set_write(op, b, "DELETE", set, set);
            dnssync_route53_set_write(op, b, "CREATE", set, set);
        }
    }

    for (i = 0; i < edit->nparts; i++) {
        p = &edit->parts[i];

        if (p->after != NULL) {
            dnssync_route53_set_write(op, b, "CREATE", p->after, p->before);
        }
    }
}


dnssync_op_step_e
dnssync_route53_applied(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    dnssync_route53_t    *st;
    dnssync_aws_error_t   error;

    st = op->state;

    if (answer->status != 200) {
        dnssync_aws_error(op->arena, answer->body, &error);
        dnssync_route53_refused(op, error.text);

    } else if (!dnssync_route53_accepted(answer->body)) {
        dnssync_op_results(op, st->first, st->first + st->n,
                           DNSSYNC_OUTCOME_UNSURE, "the answer is not what "
                           "Route 53 sends");
        return dnssync_route53_senseless(op);

    } else {
        dnssync_op_results(op, st->first, st->first + st->n,
                           DNSSYNC_OUTCOME_DONE, "");
        st->first += st->n;
    }

    st->phase = DNSSYNC_ROUTE53_BATCH;

    return dnssync_route53_go(op);
}


static int
dnssync_route53_accepted(torii_str_t body)
{
    int             ok;
    torii_str_t     status;
    dnssync_xml_t   x;
    torii_arena_t  *a;

    ok = 0;
    status = torii_str("");
    a = torii_arena_create(4096);
    dnssync_xml_start(&x, a, body);

    if (dnssync_xml_child(&x, 0)
        && torii_str_eqs(x.name, "ChangeResourceRecordSetsResponse")
        && dnssync_xml_child(&x, 1) && torii_str_eqs(x.name, "ChangeInfo"))
    {
        while (dnssync_xml_child(&x, 2)) {
            if (torii_str_eqs(x.name, "Status")) {
                status = dnssync_xml_value(&x);
            }
        }

        ok = dnssync_xml_done(&x) && (torii_str_eqs(status, "PENDING")
                                      || torii_str_eqs(status, "INSYNC"));
    }

    torii_arena_destroy(a);

    return ok;
}


/* One edit alone is at fault; of several the half is tried. */

static void
dnssync_route53_refused(dnssync_op_t *op, torii_str_t text)
{
    char                word[512];
    uint32_t            i;
    dnssync_outcome_e   what;
    dnssync_route53_t  *st;

    st = op->state;

    if (st->checked < st->first + st->n) {
        st->checked = st->first + st->n;
    }

    if (dnssync_route53_pending(op) > 1) {
        st->bad = st->first + st->n;
        return;
    }

    what = DNSSYNC_OUTCOME_REFUSED;
    (void) snprintf(word, sizeof(word), "%.*s", torii_str_arg(text));

    for (i = 0; dnssync_route53_lost[i] != NULL; i++) {
        if (strstr(word, dnssync_route53_lost[i]) != NULL) {
            what = DNSSYNC_OUTCOME_LOST;
        }
    }

    dnssync_op_results(op, st->first, st->first + st->n, what,
                       text.len ? word : "the batch was refused");
    st->first += st->n;
}
