
/*
 * Edits: a chunk at a time, those that remove something by themselves and only
 * while what speaks for it still holds.  What became of each decides whether
 * the zone has to be read again.
 */

#include <stdlib.h>

#include "dnssync_work.h"


#define DNSSYNC_REFUSALS  256
#define DNSSYNC_REFUSAL   (2 * DNSSYNC_HOUR_MS)


static int dnssync_apply_stale(dnssync_engine_t *e, dnssync_domain_t *d);
static uint32_t dnssync_apply_chunk(const dnssync_domain_t *d);
static void dnssync_apply_one(dnssync_engine_t *e, dnssync_domain_t *d,
    const dnssync_edit_t *edit, const dnssync_result_t *result);
static void dnssync_apply_end(dnssync_engine_t *e, dnssync_domain_t *d,
    uint32_t lost);
static void dnssync_refusal_add(dnssync_engine_t *e, dnssync_domain_t *d,
    const dnssync_edit_t *edit, torii_str_t text);
static void dnssync_refusal_end(dnssync_engine_t *e, dnssync_domain_t *d,
    torii_str_t name);


int
dnssync_apply(dnssync_engine_t *e, dnssync_domain_t *d)
{
    uint32_t               i, n;
    dnssync_op_t          *op;
    const dnssync_edit_t  **edits;

    if (dnssync_apply_stale(e, d)) {
        d->relist |= d->wrote;
        d->relist |= (e->now - d->planned > DNSSYNC_FRESH);
        d->relist |= dnssync_patch_needs_list(d, &d->plan.edits[d->at]);
        dnssync_domain_forget(d);
        dnssync_domain_dirty(e, d, d->urgent);
        return TORII_DECLINED;
    }

    n = dnssync_apply_chunk(d);

    op = dnssync_task_create(e, d->agent, d, DNSSYNC_OP_APPLY)->op;
    edits = torii_arena_alloc(op->arena, n * sizeof(dnssync_edit_t *));

    for (i = 0; i < n; i++) {
        edits[i] = &d->plan.edits[d->at + i];
    }

    op->edits = edits;
    op->nedits = n;

    d->applies++;

    dnssync_task_go(e, d->task);

    return TORII_OK;
}


/*
 * A deletion waits for nothing: what it was judged by may be over.  Other
 * edits go on, while to plan anew would take long.
 */

static int
dnssync_apply_stale(dnssync_engine_t *e, dnssync_domain_t *d)
{
    const dnssync_edit_t  *edit;

    edit = &d->plan.edits[d->at];

    if (dnssync_patch_needs_list(d, edit)) {
        return 1;
    }

    if (edit->removed == 0) {
        return d->dirty && d->urgent
               && (!d->wrote || e->now - d->planned >= DNSSYNC_SPARE * d->took)
               && dnssync_engine_due(e, &e->ready, DNSSYNC_QUIET_MAX);
    }

    return d->dirty || d->complete != e->complete
           || e->now - d->planned > DNSSYNC_FRESH;
}


/* About a minute of the account's rate. */

static uint32_t
dnssync_apply_chunk(const dnssync_domain_t *d)
{
    uint32_t                 n, most;
    const dnssync_driver_t  *driver;

    driver = d->agent->account->driver;
    most = DNSSYNC_CHUNK;

    if (driver->rate && driver->period) {
        most = driver->rate * 60 / driver->period;
        most = (most < DNSSYNC_CHUNK_MIN) ? DNSSYNC_CHUNK_MIN : most;
        most = (most > DNSSYNC_CHUNK) ? DNSSYNC_CHUNK : most;
    }

    for (n = 1; n < most && d->at + n < d->plan.n; n++) {
        if (dnssync_patch_needs_list(d, &d->plan.edits[d->at + n])
            || (d->plan.edits[d->at + n].removed != 0)
               != (d->plan.edits[d->at].removed != 0))
        {
            break;
        }
    }

    return n;
}


/* op failed, or was given up: an edit that it does not know of may be done. */

void
dnssync_apply_results(dnssync_engine_t *e, dnssync_domain_t *d,
    dnssync_op_t *op)
{
    uint32_t          i, done, lost, open;
    dnssync_result_t  *r;

    done = 0;
    lost = 0;
    open = 0;

    for (i = 0; i < op->nedits && op->results != NULL; i++) {
        r = &op->results[i];

        if (r->what == DNSSYNC_OUTCOME_LATER
            && op->trouble == DNSSYNC_TROUBLE_NONE)
        {
            r->what = DNSSYNC_OUTCOME_UNSURE;
        }

        dnssync_apply_one(e, d, op->edits[i], r);

        done += (r->what == DNSSYNC_OUTCOME_DONE);
        lost += (r->what == DNSSYNC_OUTCOME_LOST);
        open += (r->what == DNSSYNC_OUTCOME_LATER
                 || r->what == DNSSYNC_OUTCOME_UNSURE);
    }

    d->wrote |= (done != 0);
    d->agent->dirty = 1;

    if (d->agent->account->driver->blind) {
        dnssync_patch(d, op);
    }

    if (open || op->results == NULL) {

        if (op->trouble == DNSSYNC_TROUBLE_NONE) {
            d->pause.until = e->now + DNSSYNC_SECOND_MS;
        }

        dnssync_apply_end(e, d, lost);
        return;
    }

    d->at += op->nedits;

    if (dnssync_patch_slow(e, d, op) == TORII_OK) {
        d->wrote = 0;
        dnssync_apply_end(e, d, 0);
        d->relist = 0;
        return;
    }

    if (lost || d->at == d->plan.n) {
        dnssync_apply_end(e, d, lost);
    }
}


static void
dnssync_apply_one(dnssync_engine_t *e, dnssync_domain_t *d,
    const dnssync_edit_t *edit, const dnssync_result_t *result)
{
    uint64_t          now;
    dnssync_agent_t  *a;

    a = d->agent;
    now = e->now / 1000;

    switch (result->what) {

    case DNSSYNC_OUTCOME_DONE:
        dnssync_gate_applied(a->gate, edit, now);
        dnssync_refusal_end(e, d, edit->name);
        dnssync_check(e, d, edit);
        a->edits[edit->what]++;
        break;

    case DNSSYNC_OUTCOME_REFUSED:
        dnssync_gate_failed(a->gate, edit, now);
        dnssync_refusal_add(e, d, edit, result->text);
        a->refused++;
        break;

    case DNSSYNC_OUTCOME_LOST:
        a->lost++;
        break;

    case DNSSYNC_OUTCOME_LATER:
        break;

    case DNSSYNC_OUTCOME_UNSURE:

        /* for the brake, what may be deleted is */

        if (edit->removed) {
            dnssync_gate_applied(a->gate, edit, now);
        }

        break;
    }
}


/* The zone tells what there is now; a race that is lost again can wait. */

static void
dnssync_apply_end(dnssync_engine_t *e, dnssync_domain_t *d, uint32_t lost)
{
    uint64_t  wait;

    if (lost == 0) {
        d->losses = 0;

    } else if (d->losses++) {
        wait = DNSSYNC_SECOND_MS << (d->losses < 8 ? d->losses : 8);
        wait = e->now + wait + dnssync_random(&e->random) % wait;

        if (wait > d->pause.until) {
            d->pause.until = wait;
        }
    }

    if (lost == 0 && d->at == d->plan.n) {
        torii_arena_destroy(d->adopt_arena);
        d->adopt_arena = NULL;         /* once; then as ever */
    }

    dnssync_domain_forget(d);

    d->relist = 1;
    dnssync_domain_dirty(e, d, 0);
}


static void
dnssync_refusal_add(dnssync_engine_t *e, dnssync_domain_t *d,
    const dnssync_edit_t *edit, torii_str_t text)
{
    unsigned char      *p;
    dnssync_refusal_t  *r;

    dnssync_refusal_end(e, d, edit->name);

    r = torii_malloc(sizeof(dnssync_refusal_t) + edit->name.len + text.len);
    p = (unsigned char *) (r + 1);

    r->at = e->now;
    r->name.len = edit->name.len;
    r->name.data = p;
    r->text.len = text.len;
    r->text.data = p + edit->name.len;

    memcpy(p, edit->name.data, edit->name.len);

    if (text.len) {
        memcpy(r->text.data, text.data, text.len);
    }

    r->next = d->refusals;
    d->refusals = r;
}


/* That of this name, those that are old, and more than anybody reads. */

static void
dnssync_refusal_end(dnssync_engine_t *e, dnssync_domain_t *d, torii_str_t name)
{
    uint32_t             n;
    dnssync_refusal_t   *r, **p;

    n = 0;
    p = &d->refusals;

    while (*p != NULL) {
        r = *p;

        if (++n > DNSSYNC_REFUSALS || torii_str_eq(r->name, name)
            || e->now > r->at + DNSSYNC_REFUSAL)
        {
            *p = r->next;
            free(r);
            continue;
        }

        p = &r->next;
    }
}


void
dnssync_refusals_free(dnssync_domain_t *d)
{
    dnssync_refusal_t  *r;

    while (d->refusals != NULL) {
        r = d->refusals;
        d->refusals = r->next;
        free(r);
    }
}
