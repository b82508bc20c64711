
/*
 * Whose the sets of a host are: all marks that tell of it, in all forms.
 */

#include "dnssync_planner.h"


static void dnssync_marks_txt(dnssync_ctx_t *ctx, dnssync_row_t *row,
    dnssync_form_e form, unsigned type, unsigned types);
static int dnssync_marks_old(dnssync_ctx_t *ctx, torii_str_t host,
    torii_str_t name);
static void dnssync_marks_native(dnssync_ctx_t *ctx, dnssync_row_t *row);
static dnssync_mark_t *dnssync_mark_add(dnssync_ctx_t *ctx,
    dnssync_row_t *row, const dnssync_owner_t *owner, dnssync_form_e form,
    unsigned types);
static unsigned dnssync_mark_rank(dnssync_form_e form);
static int dnssync_alias_address(const dnssync_row_t *row);
static void dnssync_orphan(dnssync_ctx_t *ctx, dnssync_row_t *at);


void
dnssync_marks(dnssync_ctx_t *ctx, dnssync_row_t *row)
{
    unsigned               i, mask;
    const dnssync_mark_t  *mark;

    dnssync_marks_native(ctx, row);

    dnssync_marks_txt(ctx, row, DNSSYNC_FORM_OWN, 0, DNSSYNC_HAS_ALL);

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        mask = 1 << i;
        dnssync_marks_txt(ctx, row, DNSSYNC_FORM_EXTERNAL, dnssync_types[i],
                          mask);
    }

    /* an alias of Route 53 was told of as a CNAME up to ExternalDNS 0.21 */

    if (dnssync_alias_address(row)) {
        dnssync_marks_txt(ctx, row, DNSSYNC_FORM_EXTERNAL, DNSSYNC_CNAME,
                          DNSSYNC_HAS_A);
    }

    dnssync_marks_txt(ctx, row, DNSSYNC_FORM_EXTERNAL_OLD, 0,
                      DNSSYNC_HAS_A | DNSSYNC_HAS_CNAME);

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        if (row->have[i] == NULL) {
            continue;
        }

        mark = dnssync_mark_of(row, dnssync_types[i]);

        if (mark != NULL && mark->ours) {
            row->ours |= 1 << i;
            ctx->owned++;
        }
    }
}


static void
dnssync_marks_txt(dnssync_ctx_t *ctx, dnssync_row_t *row, dnssync_form_e form,
    unsigned type, unsigned types)
{
    uint32_t          i;
    torii_str_t       name;
    unsigned char     buf[DNSSYNC_HOST_MAX];
    dnssync_row_t    *at;
    dnssync_mark_t   *mark;
    dnssync_owner_t   owner;

    name.data = buf;
    name.len = dnssync_owner_name(&ctx->conf->registry, form, row->name, type,
                                  buf);
    if (name.len == 0) {
        return;
    }

    at = dnssync_row_find(ctx, name, row->set);

    if (at == NULL || at->txt == NULL
        || (form == DNSSYNC_FORM_EXTERNAL_OLD
            && !dnssync_marks_old(ctx, row->name, name)))
    {
        return;
    }

    for (i = 0; i < at->txt->n; i++) {
        if (dnssync_owner_read(&ctx->conf->registry, ctx->arena,
                               at->txt->values[i], &owner)
            != TORII_OK
            || owner.external == (form == DNSSYNC_FORM_OWN))
        {
            continue;
        }

        /* what another claims it claims as a whole */

        if (form == DNSSYNC_FORM_OWN) {
            types = (owner.types && torii_str_eq(owner.id,
                                                 ctx->conf->registry.id))
                    ? owner.types : DNSSYNC_HAS_ALL;
        }

        mark = dnssync_mark_add(ctx, row, &owner, form, types);
        mark->at = at;
        mark->index = i;

        if (at->user != row) {
            at->user = row;
            at->users++;
        }
    }
}


/* "a-www" tells of "www", not of "a-www", and so it does to ExternalDNS. */

static int
dnssync_marks_old(dnssync_ctx_t *ctx, torii_str_t host, torii_str_t name)
{
    unsigned        type;
    torii_str_t     back;
    unsigned char   buf[DNSSYNC_HOST_MAX];
    dnssync_form_e  form;

    if (dnssync_owner_host(&ctx->conf->registry, name, &form, &type, &back,
                           buf)
        != TORII_OK)
    {
        return 0;
    }

    return form == DNSSYNC_FORM_EXTERNAL_OLD
           && (torii_str_eq(back, host) || torii_str_starts(host, "*."));
}


static void
dnssync_marks_native(dnssync_ctx_t *ctx, dnssync_row_t *row)
{
    unsigned          i;
    dnssync_owner_t   owner;

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        if (row->have[i] == NULL || row->have[i]->tag.len == 0) {
            continue;
        }

        if (dnssync_owner_read(&ctx->conf->registry, ctx->arena,
                               row->have[i]->tag, &owner)
            == TORII_OK)
        {
            (void) dnssync_mark_add(ctx, row, &owner, DNSSYNC_FORM_NATIVE,
                                    1 << i);
        }
    }
}


static dnssync_mark_t *
dnssync_mark_add(dnssync_ctx_t *ctx, dnssync_row_t *row,
    const dnssync_owner_t *owner, dnssync_form_e form, unsigned types)
{
    dnssync_mark_t  *mark, **last;

    mark = torii_arena_zalloc(ctx->arena, sizeof(dnssync_mark_t));

    mark->form = form;
    mark->types = types;
    mark->owner = *owner;
    mark->ours = torii_str_eq(owner->id, ctx->conf->registry.id);

    for (last = &row->marks; *last != NULL; last = &(*last)->next) {
        /* void */
    }

    *last = mark;

    if (!mark->ours && row->foreign == NULL) {
        row->foreign = mark;
    }

    return mark;
}


/* The nearer to the set the more it counts. */

static unsigned
dnssync_mark_rank(dnssync_form_e form)
{
    switch (form) {

    case DNSSYNC_FORM_NATIVE:
        return 4;

    case DNSSYNC_FORM_EXTERNAL:
        return 3;

    case DNSSYNC_FORM_OWN:
        return 2;

    case DNSSYNC_FORM_EXTERNAL_OLD:
        return 1;
    }

    return 0;
}


/*
 * The mark that decides of a type.  The one without a type counts but where
 * there is no other; of the others, one that is not ours says no.
 */

const dnssync_mark_t *
dnssync_mark_of(const dnssync_row_t *row, unsigned type)
{
    unsigned               mask;
    const dnssync_mark_t  *mark, *best;

    mask = dnssync_type_mask(type);
    best = NULL;

    for (mark = row->marks; mark != NULL; mark = mark->next) {

        if (!(mark->types & mask)) {
            continue;
        }

        if (best == NULL) {
            best = mark;
            continue;
        }

        if (best->form == DNSSYNC_FORM_EXTERNAL_OLD
            && mark->form != DNSSYNC_FORM_EXTERNAL_OLD)
        {
            best = mark;
            continue;
        }

        if (mark->form == DNSSYNC_FORM_EXTERNAL_OLD
            && best->form != DNSSYNC_FORM_EXTERNAL_OLD)
        {
            continue;
        }

        if (best->ours != mark->ours) {
            best = mark->ours ? best : mark;
            continue;
        }

        if (dnssync_mark_rank(mark->form) > dnssync_mark_rank(best->form)) {
            best = mark;
        }
    }

    return best;
}


/* A host keeps the form it has. */

dnssync_form_e
dnssync_mark_form(const dnssync_ctx_t *ctx, const dnssync_row_t *row)
{
    unsigned               best;
    dnssync_form_e         form;
    const dnssync_mark_t  *mark;

    form = ctx->conf->registry.form;

    if (form == DNSSYNC_FORM_EXTERNAL_OLD) {
        form = DNSSYNC_FORM_EXTERNAL;
    }

    if (form == DNSSYNC_FORM_NATIVE && ctx->provider->tag_max == 0) {
        form = DNSSYNC_FORM_OWN;
    }

    best = 0;

    for (mark = row->marks; mark != NULL; mark = mark->next) {
        if (mark->ours && dnssync_mark_rank(mark->form) > best) {
            best = dnssync_mark_rank(mark->form);
            form = (mark->form == DNSSYNC_FORM_EXTERNAL_OLD)
                   ? DNSSYNC_FORM_EXTERNAL : mark->form;
        }
    }

    return form;
}


static int
dnssync_alias_address(const dnssync_row_t *row)
{
    uint32_t                i;
    const dnssync_rrset_t  *set;

    set = row->have[0];

    for (i = 0; set != NULL && i < set->noptions; i++) {
        if (torii_str_eqs(set->options[i].name, "alias")) {
            return torii_str_eqs(set->options[i].value, "true");
        }
    }

    return 0;
}


/*
 * Marks of ours that no host reads: what they told of is gone.  They are
 * hung on their host's row, which has nothing else.
 */

void
dnssync_orphans(dnssync_ctx_t *ctx)
{
    uint32_t  i, n;

    n = ctx->n;

    for (i = 0; i < n; i++) {
        if (ctx->rows[i]->txt != NULL && ctx->rows[i]->users == 0) {
            dnssync_orphan(ctx, ctx->rows[i]);
        }
    }
}


static void
dnssync_orphan(dnssync_ctx_t *ctx, dnssync_row_t *at)
{
    uint32_t          i;
    unsigned          type;
    torii_str_t       host;
    unsigned char     buf[DNSSYNC_HOST_MAX];
    dnssync_row_t    *row;
    dnssync_mark_t   *mark;
    dnssync_form_e    form;
    dnssync_owner_t   owner;

    if (dnssync_owner_host(&ctx->conf->registry, at->name, &form, &type,
                           &host, buf)
        != TORII_OK
        || !dnssync_within(host, ctx->zone->name)
        || !dnssync_filter_match(&ctx->conf->filter, host)
        || (type && dnssync_type_mask(type) == 0))
    {
        return;
    }

    /* a host that is there did not read it: it may be of another kind */

    row = dnssync_row_find(ctx, host, at->set);

    if (row != NULL
        && (row->there || row->links
            || (row->other && form != DNSSYNC_FORM_OWN)))
    {
        return;
    }

    for (i = 0; i < at->txt->n; i++) {
        if (dnssync_owner_read(&ctx->conf->registry, ctx->arena,
                               at->txt->values[i], &owner)
            != TORII_OK
            || owner.external == (form == DNSSYNC_FORM_OWN)
            || owner.instance.len
            || !torii_str_eq(owner.id, ctx->conf->registry.id))
        {
            continue;
        }

        mark = dnssync_mark_add(ctx, at, &owner, form, DNSSYNC_ROW_ORPHAN);
        mark->at = at;
        mark->index = i;
        at->orphan = 1;
    }

    ctx->owned += at->orphan;
}
