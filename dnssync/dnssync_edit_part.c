
/*
 * Putting an edit together.
 */

#include "dnssync_planner.h"


static uint64_t dnssync_edit_hash(const dnssync_edit_t *edit);


dnssync_edit_t *
dnssync_edit_start(dnssync_ctx_t *ctx, torii_str_t name, torii_str_t set)
{
    dnssync_edit_t  *edit;

    edit = &ctx->edit;
    memset(edit, 0, sizeof(dnssync_edit_t));

    edit->zone = ctx->zone;
    edit->name = name;
    edit->set = set;
    edit->parts = ctx->parts;
    edit->requires = ctx->requires;

    return edit;
}


void
dnssync_edit_part(dnssync_edit_t *edit, const dnssync_rrset_t *before,
    const dnssync_rrset_t *after)
{
    const dnssync_rrset_t  *set;

    if (edit->nparts == DNSSYNC_EDIT_PARTS) {
        return;
    }

    edit->parts[edit->nparts].before = before;
    edit->parts[edit->nparts++].after = after;

    set = before ? before : after;

    dnssync_edit_require(edit, set->name, set->set, set->type, before);
}


void
dnssync_edit_require(dnssync_edit_t *edit, torii_str_t name, torii_str_t set,
    unsigned type, const dnssync_rrset_t *equal)
{
    uint32_t            i;
    dnssync_require_t  *r;

    for (i = 0; i < edit->nrequires; i++) {
        r = &edit->requires[i];

        if (r->type == type && torii_str_eq(r->name, name)) {
            return;
        }
    }

    if (i == DNSSYNC_EDIT_REQUIRES) {
        return;
    }

    r = &edit->requires[edit->nrequires++];

    r->name = name;
    r->set = set;
    r->type = type;
    r->equal = equal;
}


/* Of data, not of marks: an encrypted text is another each time. */

static uint64_t
dnssync_edit_hash(const dnssync_edit_t *edit)
{
    uint32_t                i, j, k;
    uint64_t                hash;
    const dnssync_rrset_t  *set;

    hash = edit->what;

    for (i = 0; i < edit->nparts; i++) {
        for (k = 0; k < 2; k++) {
            set = k ? edit->parts[i].after : edit->parts[i].before;

            if (set == NULL || set->type == DNSSYNC_TXT) {
                hash = torii_hash("", 1, hash);
                continue;
            }

            hash = torii_hash(&set->type, sizeof(set->type), hash);
            hash = torii_hash(&set->ttl, sizeof(set->ttl), hash);

            for (j = 0; j < set->n; j++) {
                hash = torii_hash(set->values[j].data, set->values[j].len,
                                  hash);
            }

            for (j = 0; j < set->noptions; j++) {
                hash = torii_hash(set->options[j].name.data,
                                  set->options[j].name.len, hash);
                hash = torii_hash(set->options[j].value.data,
                                  set->options[j].value.len, hash);
            }
        }
    }

    return hash;
}


void
dnssync_edit_end(dnssync_ctx_t *ctx, dnssync_edit_t *edit)
{
    size_t           size;
    dnssync_why_e    why;
    dnssync_plan_t  *plan;
    dnssync_edit_t  *edits;

    if (edit->nparts == 0) {
        return;
    }

    plan = ctx->plan;

    edit->hash = dnssync_edit_hash(edit);
    why = dnssync_gate_edit(ctx->gate, edit, ctx->in->now);

    if (why != DNSSYNC_WHY_NEW) {
        dnssync_plan_finding(plan, why, ctx->zone->id, edit->name,
                             edit->resource, why == DNSSYNC_WHY_DIVERGES
                             ? "it was written several times, and is not as "
                               "it was written"
                             : "the provider did not take it; it is tried "
                               "again later");
        return;
    }

    if (plan->n == plan->edits_size) {
        plan->edits_size = plan->edits_size ? 2 * plan->edits_size : 16;
        edits = torii_arena_alloc(plan->arena, plan->edits_size
                                             * sizeof(dnssync_edit_t));
        if (plan->n) {
            memcpy(edits, plan->edits, plan->n * sizeof(dnssync_edit_t));
        }

        plan->edits = edits;
    }

    edits = &plan->edits[plan->n++];
    size = edit->nparts * sizeof(dnssync_part_t);

    *edits = *edit;
    edits->parts = torii_arena_alloc(plan->arena, size);
    memcpy(edits->parts, edit->parts, size);

    size = edit->nrequires * sizeof(dnssync_require_t);

    edits->requires = torii_arena_alloc(plan->arena, size);
    memcpy(edits->requires, edit->requires, size);
}
