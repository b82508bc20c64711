
/*
 * Edits: what is wanted, what is there and what may be removed become sets
 * before and after, and what must hold meanwhile.
 */

#include "dnssync_planner.h"


static void dnssync_edit_row(dnssync_ctx_t *ctx, dnssync_row_t *row);
static int dnssync_edit_shared(const dnssync_row_t *row);
static int dnssync_edit_may_add(dnssync_ctx_t *ctx, dnssync_row_t *row);
static unsigned dnssync_edit_sets(dnssync_ctx_t *ctx, dnssync_row_t *row,
    int add, dnssync_edit_t *edit);
static int dnssync_edit_differs(const dnssync_rrset_t *have,
    const dnssync_rrset_t *want, dnssync_why_e *why);
static int dnssync_edit_values(const dnssync_rrset_t *have,
    const dnssync_rrset_t *want);
static int dnssync_edit_options(const dnssync_rrset_t *have,
    const dnssync_rrset_t *want);
static const dnssync_rrset_t *dnssync_edit_after(dnssync_ctx_t *ctx,
    dnssync_row_t *row, const dnssync_rrset_t *have, dnssync_rrset_t *want,
    torii_str_t tag);
static void dnssync_edit_orphan(dnssync_ctx_t *ctx, dnssync_row_t *row);
static void dnssync_edit_absent(const dnssync_row_t *row,
    dnssync_edit_t *edit);


static const torii_str_t  dnssync_nothing = torii_null_string;


void
dnssync_edits(dnssync_ctx_t *ctx)
{
    uint32_t        i;
    dnssync_row_t  *row;

    for (i = 0; i < ctx->n; i++) {
        row = ctx->rows[i];

        if (row->drop & DNSSYNC_ROW_ORPHAN) {
            dnssync_edit_orphan(ctx, row);
        }

        if (row->wanted || (row->drop & DNSSYNC_HAS_ALL)) {
            dnssync_edit_row(ctx, row);
        }
    }
}


static void
dnssync_edit_row(dnssync_ctx_t *ctx, dnssync_row_t *row)
{
    int              add;
    unsigned         after;
    dnssync_edit_t  *edit;

    add = row->wanted ? dnssync_edit_may_add(ctx, row) : 0;

    if (row->refused) {
        return;
    }

    edit = dnssync_edit_start(ctx, row->name, row->set);

    edit->what = row->there ? DNSSYNC_EDIT_CHANGE : DNSSYNC_EDIT_CREATE;
    edit->why = DNSSYNC_WHY_MARK;
    edit->resource = row->winner ? row->winner->resource
                                 : row->marks->owner.resource;

    after = dnssync_edit_sets(ctx, row, add, edit);

    if (row->wanted == 0 && after == 0) {
        edit->what = DNSSYNC_EDIT_DELETE;
    }

    if (after == 0 && edit->nparts == 0) {
        return;
    }

    if (ctx->conf->policy == DNSSYNC_CREATE_ONLY
        && edit->what != DNSSYNC_EDIT_CREATE)
    {
        if (edit->nparts) {
            dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_POLICY, ctx->zone->id,
                                 row->name, edit->resource, "it is not as it "
                                 "should be, but the policy forbids changes");
        }

        return;
    }

    if (edit->nparts && dnssync_edit_shared(row)) {
        dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_MARK_NAME, ctx->zone->id,
                             row->name, edit->resource, "the record that "
                             "tells its owner is another host's, too");
        return;
    }

    if (dnssync_mark_edits(ctx, row, after, 0, edit) == TORII_OK) {
        dnssync_edit_end(ctx, edit);
    }
}


/* Of two hosts with one mark nobody can tell which it is of. */

static int
dnssync_edit_shared(const dnssync_row_t *row)
{
    const dnssync_mark_t  *mark;

    for (mark = row->marks; mark != NULL; mark = mark->next) {
        if (mark->at != NULL && mark->at->users > 1) {
            return 1;
        }
    }

    return 0;
}


/*
 * A host is claimed as a whole: nothing is put beside what is another's.  What
 * is ours already may change all the same.
 */

static int
dnssync_edit_may_add(dnssync_ctx_t *ctx, dnssync_row_t *row)
{
    unsigned               i, blockers;
    const dnssync_mark_t  *mark;
    const dnssync_row_t   *cut;

    blockers = row->there & ~row->ours;

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        if (blockers & (1 << i)) {
            dnssync_edit_foreign(ctx, row, dnssync_types[i]);
            return 0;
        }
    }

    cut = dnssync_row_delegation(ctx, row->name);

    if (cut != NULL) {
        dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_DELEGATED, ctx->zone->id,
                             row->name, row->winner->resource, "\"%.*s\" is "
                             "another zone, and it is in that one",
                             torii_str_arg(cut->name));
        return 0;
    }

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        mark = dnssync_mark_of(row, dnssync_types[i]);

        if ((row->wanted & (1 << i)) && mark != NULL && !mark->ours) {
            dnssync_edit_foreign(ctx, row, dnssync_types[i]);
            return 0;
        }
    }

    if ((row->wanted & DNSSYNC_HAS_CNAME)
        && !(row->there & DNSSYNC_HAS_CNAME)
        && !torii_str_eq(row->name, ctx->zone->name)
        && (row->other
            || (row->users && row->user != row)
            || (row->txt != NULL
                && !(row->txt->n == 1 && row->users == 1 && row->user == row
                     && row->ours))))
    {
        dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_CLASH, ctx->zone->id,
                             row->name, row->winner->resource, "it has "
                             "records beside which no alias can be");
        row->refused = 1;
        return 0;
    }

    return 1;
}


void
dnssync_edit_foreign(dnssync_ctx_t *ctx, const dnssync_row_t *row,
    unsigned type)
{
    const dnssync_mark_t  *mark;

    mark = dnssync_mark_of(row, type);

    if (mark != NULL) {
        dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_FOREIGN, ctx->zone->id,
                             row->name, row->winner->resource,
                             "its %s belongs to \"%.*s\"",
                             dnssync_type_word(type),
                             torii_str_arg(mark->owner.id));
        return;
    }

    dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_UNOWNED, ctx->zone->id,
                         row->name, row->winner->resource,
                         "its %s was not made by an owner that is known",
                         dnssync_type_word(type));
}


/* Returns the types that are ours after it. */

static unsigned
dnssync_edit_sets(dnssync_ctx_t *ctx, dnssync_row_t *row, int add,
    dnssync_edit_t *edit)
{
    int              added;
    unsigned         i, mask, after;
    torii_str_t      tag;
    dnssync_why_e    why;

    after = row->ours & ~row->drop;
    added = 0;
    tag = dnssync_nothing;

    if (dnssync_mark_form(ctx, row) == DNSSYNC_FORM_NATIVE) {
        tag = dnssync_mark_tag(ctx, row, after | row->wanted);
    }

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        mask = 1 << i;

        if (row->drop & mask) {
            edit->removed += (row->gated & mask) ? 1 : 0;
            edit->why = row->wanted ? DNSSYNC_WHY_TYPES : DNSSYNC_WHY_GONE;
            dnssync_edit_part(edit, row->have[i], NULL);
        }
    }

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        mask = 1 << i;

        if (!(row->wanted & mask)) {
            continue;
        }

        if (row->have[i] == NULL && add) {
            edit->why = row->there ? DNSSYNC_WHY_TYPES : DNSSYNC_WHY_NEW;
            dnssync_edit_part(edit, NULL,
                              dnssync_edit_after(ctx, row, NULL, row->want[i],
                                                 tag));
            after |= mask;
            added = 1;

        } else if ((row->ours & mask)
                   && dnssync_edit_differs(row->have[i], row->want[i], &why))
        {
            if (edit->why == DNSSYNC_WHY_MARK || why < edit->why) {
                edit->why = why;
            }

            dnssync_edit_part(edit, row->have[i],
                              dnssync_edit_after(ctx, row, row->have[i],
                                                 row->want[i], tag));
        }
    }

    if (added) {
        dnssync_edit_absent(row, edit);
    }

    return after;
}


/* None of a host's types may have come to be meanwhile. */

static void
dnssync_edit_absent(const dnssync_row_t *row, dnssync_edit_t *edit)
{
    unsigned  i;

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        if (row->have[i] == NULL) {
            dnssync_edit_require(edit, row->name, row->set, dnssync_types[i],
                                 NULL);
        }
    }
}


static int
dnssync_edit_differs(const dnssync_rrset_t *have, const dnssync_rrset_t *want,
    dnssync_why_e *why)
{
    if (dnssync_edit_values(have, want)) {
        *why = DNSSYNC_WHY_TARGETS;
        return 1;
    }

    if (want->ttl && have->ttl != want->ttl) {
        *why = DNSSYNC_WHY_TTL;
        return 1;
    }

    *why = DNSSYNC_WHY_OPTIONS;

    return dnssync_edit_options(have, want);
}


static int
dnssync_edit_values(const dnssync_rrset_t *have, const dnssync_rrset_t *want)
{
    uint32_t  i, j;

    if (have->n != want->n) {
        return 1;
    }

    for (i = 0; i < want->n; i++) {

        for (j = 0; j < have->n; j++) {
            if (torii_str_eq(want->values[i], have->values[j])) {
                break;
            }
        }

        if (j == have->n) {
            return 1;
        }
    }

    return 0;
}


/* "false" and nothing at all are the same. */

static int
dnssync_edit_options(const dnssync_rrset_t *have, const dnssync_rrset_t *want)
{
    uint32_t                i, j, n;
    const dnssync_rrset_t  *one, *two;

    for (n = 0; n < 2; n++) {
        one = n ? have : want;
        two = n ? want : have;

        for (i = 0; i < one->noptions; i++) {

            for (j = 0; j < two->noptions; j++) {
                if (torii_str_eq(one->options[i].name, two->options[j].name)) {
                    break;
                }
            }

            if (j < two->noptions
                ? !torii_str_eq(one->options[i].value, two->options[j].value)
                : one->options[i].value.len != 0
                  && !torii_str_eqs(one->options[i].value, "false"))
            {
                return 1;
            }
        }
    }

    return 0;
}


static const dnssync_rrset_t *
dnssync_edit_after(dnssync_ctx_t *ctx, dnssync_row_t *row,
    const dnssync_rrset_t *have, dnssync_rrset_t *want, torii_str_t tag)
{
    if (want->ttl == 0) {
        want->ttl = have ? have->ttl : dnssync_ttl(ctx, row->winner, NULL);
    }

    want->tag = (have && tag.len == 0) ? have->tag : tag;

    if (have != NULL) {
        want->id = have->id;
    }

    return want;
}


static void
dnssync_edit_orphan(dnssync_ctx_t *ctx, dnssync_row_t *row)
{
    uint32_t                i;
    dnssync_edit_t         *edit;
    dnssync_rrset_t        *after;
    const dnssync_mark_t   *mark;

    edit = dnssync_edit_start(ctx, row->name, row->set);

    edit->what = DNSSYNC_EDIT_DELETE;
    edit->why = DNSSYNC_WHY_ORPHAN;
    edit->resource = row->marks->owner.resource;
    edit->removed = (row->gated & DNSSYNC_ROW_ORPHAN) ? 1 : 0;

    after = torii_arena_alloc(ctx->arena, sizeof(dnssync_rrset_t));

    *after = *row->txt;
    after->n = 0;
    after->values = torii_arena_alloc(ctx->arena, row->txt->n
                                                  * sizeof(torii_str_t));

    for (i = 0; i < row->txt->n; i++) {

        for (mark = row->marks; mark != NULL; mark = mark->next) {
            if (mark->types == DNSSYNC_ROW_ORPHAN && mark->index == i) {
                break;
            }
        }

        if (mark == NULL) {
            after->values[after->n++] = row->txt->values[i];
        }
    }

    dnssync_edit_part(edit, row->txt, after->n ? after : NULL);
    dnssync_edit_end(ctx, edit);
}
