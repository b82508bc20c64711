
/*
 * What an edit does to a host's marks: after it they tell of just the types
 * that are ours then, in the form that the host has.
 */

#include "dnssync_planner.h"


static int dnssync_mark_own(dnssync_ctx_t *ctx, dnssync_row_t *row,
    unsigned after, int make, dnssync_edit_t *edit);
static int dnssync_mark_external(dnssync_ctx_t *ctx, dnssync_row_t *row,
    unsigned after, int make, dnssync_edit_t *edit);
static const dnssync_mark_t *dnssync_mark_at(const dnssync_row_t *row,
    dnssync_form_e form, unsigned types);
static int dnssync_mark_fresh(const dnssync_row_t *row,
    const dnssync_mark_t *mark, const dnssync_edit_t *edit);
static torii_str_t dnssync_mark_resource(const dnssync_row_t *row);
static int dnssync_mark_text(dnssync_ctx_t *ctx, const dnssync_row_t *row,
    dnssync_form_e form, unsigned types, torii_str_t *text);
static int dnssync_mark_make(dnssync_ctx_t *ctx, dnssync_row_t *row,
    dnssync_form_e form, unsigned type, const dnssync_mark_t *old,
    torii_str_t text, dnssync_edit_t *edit);
static int dnssync_mark_place(dnssync_ctx_t *ctx, dnssync_row_t *row,
    torii_str_t name, dnssync_row_t *at);
static void dnssync_mark_remove(dnssync_ctx_t *ctx, dnssync_row_t *row,
    const dnssync_mark_t *mark, dnssync_edit_t *edit);


static const torii_str_t  dnssync_nothing = torii_null_string;


/*
 * after: types that are ours at the end.  adopt: marks of others are replaced.
 * TORII_DECLINED: the mark cannot be made, a finding says why.
 */

int
dnssync_mark_edits(dnssync_ctx_t *ctx, dnssync_row_t *row, unsigned after,
    int adopt, dnssync_edit_t *edit)
{
    int                    rc;
    dnssync_form_e         form;
    const dnssync_mark_t  *mark;

    form = dnssync_mark_form(ctx, row);

    for (mark = row->marks; mark != NULL; mark = mark->next) {

        if (adopt && !mark->ours) {
            form = (mark->form == DNSSYNC_FORM_EXTERNAL_OLD)
                   ? DNSSYNC_FORM_EXTERNAL : mark->form;
        }

        /* what must not have changed when the edit is done */

        if (mark->at != NULL && (mark->ours || adopt)) {
            dnssync_edit_require(edit, mark->at->name, row->set, DNSSYNC_TXT,
                                 mark->at->txt);
        }
    }

    rc = dnssync_mark_own(ctx, row, after, form == DNSSYNC_FORM_OWN, edit);

    if (rc == TORII_OK) {
        rc = dnssync_mark_external(ctx, row, after,
                                   form == DNSSYNC_FORM_EXTERNAL, edit);
    }

    return rc;
}


static int
dnssync_mark_own(dnssync_ctx_t *ctx, dnssync_row_t *row, unsigned after,
    int make, dnssync_edit_t *edit)
{
    torii_str_t            text;
    const dnssync_mark_t  *mark;

    mark = dnssync_mark_at(row, DNSSYNC_FORM_OWN, ~0u);

    if (mark == NULL && (!make || after == 0)) {
        return TORII_OK;
    }

    if (after == 0) {
        if (mark->ours) {
            dnssync_mark_remove(ctx, row, mark, edit);
        }

        return TORII_OK;
    }

    if (mark != NULL && mark->ours && mark->types == after
        && dnssync_mark_fresh(row, mark, edit))
    {
        return TORII_OK;
    }

    if (dnssync_mark_text(ctx, row, DNSSYNC_FORM_OWN, after, &text)
        != TORII_OK)
    {
        return TORII_DECLINED;
    }

    return dnssync_mark_make(ctx, row, DNSSYNC_FORM_OWN, 0, mark, text, edit);
}


/*
 * A mark of before 0.18, without the type, is as good as one with it, but if
 * the host becomes an alias it cannot stay where it may be: at the host itself.
 */

static int
dnssync_mark_external(dnssync_ctx_t *ctx, dnssync_row_t *row, unsigned after,
    int make, dnssync_edit_t *edit)
{
    unsigned               i, mask;
    unsigned               data;
    torii_str_t            text;
    const dnssync_mark_t  *mark, *old, *alias;

    data = edit->nparts;
    old = dnssync_mark_at(row, DNSSYNC_FORM_EXTERNAL_OLD, ~0u);
    alias = NULL;

    if (old != NULL
        && (old->ours ? after == 0 || (after == DNSSYNC_HAS_CNAME
                                       && old->at == row)
                      : edit->what == DNSSYNC_EDIT_ADOPT))
    {
        dnssync_mark_remove(ctx, row, old, edit);
        old = NULL;
    }

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        mask = 1 << i;
        mark = dnssync_mark_at(row, DNSSYNC_FORM_EXTERNAL, mask);

        if (!(after & mask)) {

            /* one that is left over is no reason for an edit */

            if (mark != NULL && mark->ours && data
                && (alias == NULL || mark->at != alias->at))
            {
                dnssync_mark_remove(ctx, row, mark, edit);
            }

            continue;
        }

        if (mark != NULL && mark->ours
            && dnssync_mark_fresh(row, mark, edit))
        {
            alias = mark;
            continue;
        }

        if (mark == NULL
            && (!make || (old != NULL && old->ours && (old->types & mask))))
        {
            continue;
        }

        if (dnssync_mark_text(ctx, row, DNSSYNC_FORM_EXTERNAL, 0, &text)
            != TORII_OK
            || dnssync_mark_make(ctx, row, DNSSYNC_FORM_EXTERNAL,
                                 dnssync_types[i], mark, text, edit)
               != TORII_OK)
        {
            return TORII_DECLINED;
        }
    }

    return TORII_OK;
}


/* One of ours, if there is, else one of another. */

static const dnssync_mark_t *
dnssync_mark_at(const dnssync_row_t *row, dnssync_form_e form, unsigned types)
{
    const dnssync_mark_t  *mark, *found;

    found = NULL;

    for (mark = row->marks; mark != NULL; mark = mark->next) {

        if (mark->form == form && (mark->types & types)
            && (found == NULL || (mark->ours && !found->ours)))
        {
            found = mark;
        }
    }

    return found;
}


/* That a host's resource is another now is no reason for an edit of its own. */

static int
dnssync_mark_fresh(const dnssync_row_t *row, const dnssync_mark_t *mark,
    const dnssync_edit_t *edit)
{
    return edit->nparts == 0
           || torii_str_eq(mark->owner.resource, dnssync_mark_resource(row));
}


static torii_str_t
dnssync_mark_resource(const dnssync_row_t *row)
{
    if (row->winner != NULL) {
        return row->winner->resource;
    }

    return row->marks != NULL ? row->marks->owner.resource : dnssync_nothing;
}


static int
dnssync_mark_text(dnssync_ctx_t *ctx, const dnssync_row_t *row,
    dnssync_form_e form, unsigned types, torii_str_t *text)
{
    int               rc;
    torii_buf_t       b;
    dnssync_owner_t   owner;

    memset(&b, 0, sizeof(torii_buf_t));
    memset(&owner, 0, sizeof(dnssync_owner_t));

    owner.id = ctx->conf->registry.id;
    owner.resource = dnssync_mark_resource(row);
    owner.types = types;

    rc = dnssync_owner_write(&ctx->conf->registry, form, &owner, &b);

    text->data = b.data;
    text->len = b.len;

    if (rc == TORII_OK) {
        *text = torii_arena_str(ctx->arena, *text);

    } else {
        dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_MARK, ctx->zone->id,
                             row->name, owner.resource, "the record that "
                             "tells its owner cannot be encrypted");
    }

    torii_buf_free(&b);

    return rc;
}


/* The text of a native mark, without the resource if that is too long. */

torii_str_t
dnssync_mark_tag(dnssync_ctx_t *ctx, const dnssync_row_t *row, unsigned types)
{
    torii_str_t       text;
    torii_buf_t       b;
    dnssync_owner_t   owner;

    memset(&b, 0, sizeof(torii_buf_t));
    memset(&owner, 0, sizeof(dnssync_owner_t));

    owner.id = ctx->conf->registry.id;
    owner.resource = dnssync_mark_resource(row);

    (void) dnssync_owner_write(&ctx->conf->registry, DNSSYNC_FORM_NATIVE,
                               &owner, &b);

    if (b.len > ctx->provider->tag_max) {
        b.len = 0;
        owner.resource = dnssync_nothing;
        (void) dnssync_owner_write(&ctx->conf->registry, DNSSYNC_FORM_NATIVE,
                                   &owner, &b);
    }

    text.data = b.data;
    text.len = b.len;
    text = torii_arena_str(ctx->arena, text);

    torii_buf_free(&b);

    return text;
}


static int
dnssync_mark_make(dnssync_ctx_t *ctx, dnssync_row_t *row, dnssync_form_e form,
    unsigned type, const dnssync_mark_t *old, torii_str_t text,
    dnssync_edit_t *edit)
{
    torii_str_t     name, before;
    dnssync_row_t  *at;
    unsigned char   buf[DNSSYNC_HOST_MAX];

    if (old != NULL) {

        if (!old->ours && edit->what != DNSSYNC_EDIT_ADOPT) {
            dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_FOREIGN, ctx->zone->id,
                                 row->name, dnssync_mark_resource(row),
                                 "its mark belongs to \"%.*s\"",
                                 torii_str_arg(old->owner.id));
            return TORII_DECLINED;
        }

        before = old->at->txt->values[old->index];
        dnssync_mark_change(ctx, row, old->at->name, old->at->txt, before,
                            text, edit);
        return TORII_OK;
    }

    name.data = buf;
    name.len = dnssync_owner_name(&ctx->conf->registry, form, row->name, type,
                                  buf);

    at = dnssync_row_find(ctx, name, row->set);

    if (dnssync_mark_place(ctx, row, name, at) != TORII_OK) {
        return TORII_DECLINED;
    }

    if (at == NULL) {
        name = torii_arena_str(ctx->arena, name);
        at = dnssync_row(ctx, name, row->set);
    }

    if (at->user != row) {
        at->user = row;
        at->users++;
    }

    dnssync_mark_change(ctx, row, at->name, at->txt, dnssync_nothing, text,
                        edit);

    return TORII_OK;
}


/* No record is made whose owner cannot be told. */

static int
dnssync_mark_place(dnssync_ctx_t *ctx, dnssync_row_t *row, torii_str_t name,
    dnssync_row_t *at)
{
    unsigned char  *star;
    const char     *what;
    torii_str_t     resource;

    what = NULL;
    star = name.len ? memchr(name.data, '*', name.len) : NULL;

    if (name.len == 0) {
        what = "has a name that is too long for the record beside it";

    } else if (!dnssync_within(name, ctx->zone->name)) {
        what = "is the zone's apex, and the record that tells its owner would "
               "be outside: the prefix needs \"%{record_type}.\" at its end";

    } else if (star != NULL && ctx->provider->no_star
               && (star != name.data || name.data[1] != '.'))
    {
        what = "is a wildcard, and the provider takes no \"*\" in the name of "
               "the record beside it: a word in its place is needed";

    } else if (at != NULL
               && ((at->there | at->wanted) & DNSSYNC_HAS_CNAME))
    {
        what = "needs a record that tells its owner where an alias is";

    } else if (at != NULL && at->users && at->user != row) {
        what = "shares the record that tells its owner with another host";

    } else if (dnssync_row_delegation(ctx, name) != NULL) {
        what = "needs a record that tells its owner in another zone";
    }

    if (what == NULL) {
        return TORII_OK;
    }

    resource = dnssync_mark_resource(row);
    dnssync_plan_finding(ctx->plan, DNSSYNC_WHY_MARK_NAME, ctx->zone->id,
                         row->name, resource, "\"%.*s\" %s",
                         torii_str_arg(row->name), what);

    return TORII_DECLINED;
}


/* It stays while it marks another host, too. */

static void
dnssync_mark_remove(dnssync_ctx_t *ctx, dnssync_row_t *row,
    const dnssync_mark_t *mark, dnssync_edit_t *edit)
{
    torii_str_t  old;

    if (mark->at->users > 1) {
        return;
    }

    old = mark->at->txt->values[mark->index];

    dnssync_mark_change(ctx, row, mark->at->name, mark->at->txt, old,
                        dnssync_nothing, edit);
}


void
dnssync_mark_change(dnssync_ctx_t *ctx, const dnssync_row_t *row,
    torii_str_t name, const dnssync_rrset_t *before, torii_str_t old,
    torii_str_t text, dnssync_edit_t *edit)
{
    uint32_t                i;
    dnssync_part_t         *part;
    dnssync_rrset_t        *after;
    const dnssync_rrset_t  *base;

    part = NULL;
    base = before;

    for (i = 0; i < edit->nparts; i++) {
        if (before != NULL && edit->parts[i].before == before) {
            part = &edit->parts[i];
            base = part->after;
        }
    }

    after = torii_arena_zalloc(ctx->arena, sizeof(dnssync_rrset_t));

    after->name = name;
    after->set = row ? row->set : dnssync_nothing;
    after->type = DNSSYNC_TXT;
    after->ttl = before ? before->ttl : dnssync_ttl(ctx, NULL, NULL);
    after->values = torii_arena_alloc(ctx->arena, ((base ? base->n : 0) + 1)
                                                  * sizeof(torii_str_t));

    if (before != NULL) {
        after->id = before->id;
        after->options = before->options;
        after->noptions = before->noptions;

    } else if (row != NULL && row->set.len && row->winner != NULL) {

        /* a routing policy goes for all types at the name */

        after->options = row->winner->options;
        after->noptions = row->winner->noptions;
    }

    for (i = 0; base != NULL && i < base->n; i++) {
        if (old.len == 0 || !torii_str_eq(base->values[i], old)) {
            after->values[after->n++] = base->values[i];
        }
    }

    if (text.len) {
        after->values[after->n++] = text;
    }

    if (part != NULL) {
        part->after = after->n ? after : NULL;
        return;
    }

    dnssync_edit_part(edit, before, after->n ? after : NULL);
}
