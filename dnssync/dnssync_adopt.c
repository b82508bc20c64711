
/*
 * Taking over what another wrote, or nobody: hosts that are wanted get our
 * mark, if they are just as they were when that was decided.
 */

#include "dnssync_planner.h"


static int dnssync_edit_adoptable(dnssync_ctx_t *ctx,
    const dnssync_row_t *row);


static const torii_str_t  dnssync_nothing = torii_null_string;


/* Only marks are written; data follow with the next plan. */

void
dnssync_edits_adopt(dnssync_ctx_t *ctx)
{
    unsigned          i, after;
    uint32_t          k;
    torii_str_t       tag;
    dnssync_row_t    *row;
    dnssync_edit_t   *edit;
    dnssync_rrset_t  *set;

    for (k = 0; k < ctx->n; k++) {
        row = ctx->rows[k];

        if (row->wanted == 0 || (row->there & ~row->ours) == 0
            || !dnssync_edit_adoptable(ctx, row))
        {
            continue;
        }

        edit = dnssync_edit_start(ctx, row->name, row->set);

        edit->what = DNSSYNC_EDIT_ADOPT;
        edit->why = DNSSYNC_WHY_ADOPT;
        edit->resource = row->winner->resource;

        after = row->there;
        tag = dnssync_nothing;

        if (dnssync_mark_form(ctx, row) == DNSSYNC_FORM_NATIVE) {
            tag = dnssync_mark_tag(ctx, row, after);
        }

        for (i = 0; i < DNSSYNC_TYPES; i++) {
            dnssync_edit_require(edit, row->name, row->set, dnssync_types[i],
                                 row->have[i]);

            if (row->have[i] != NULL && (tag.len || row->have[i]->tag.len)) {
                set = torii_arena_alloc(ctx->arena, sizeof(dnssync_rrset_t));

                *set = *row->have[i];
                set->tag = tag;
                dnssync_edit_part(edit, row->have[i], set);
            }
        }

        if (tag.len
            || dnssync_mark_edits(ctx, row, after, 1, edit) == TORII_OK)
        {
            dnssync_edit_end(ctx, edit);
        }
    }
}


static int
dnssync_edit_adoptable(dnssync_ctx_t *ctx, const dnssync_row_t *row)
{
    unsigned                i;
    const dnssync_mark_t   *mark;
    const dnssync_adopt_t  *adopt;

    adopt = ctx->in->adopt;

    if (adopt->host.len && !torii_str_eq(adopt->host, row->name)) {
        return 0;
    }

    for (i = 0; i < DNSSYNC_TYPES; i++) {

        if (!((row->there & ~row->ours) & (1 << i))) {
            continue;
        }

        mark = dnssync_mark_of(row, dnssync_types[i]);

        if (mark != NULL ? adopt->from.len == 0
                           || !torii_str_eq(mark->owner.id, adopt->from)
                         : !adopt->unowned)
        {
            dnssync_edit_foreign(ctx, row, dnssync_types[i]);
            return 0;
        }
    }

    return 1;
}
