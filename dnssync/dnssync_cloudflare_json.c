
/*
 * Zones and records as Cloudflare has them: a record each, by an id.  A native
 * mark is the comment of all records of a set.
 */

#include <stdio.h>

#include "dnssync_cloudflare.h"


typedef struct {
    dnssync_op_t      *op;
    dnssync_map_t     *map;
    dnssync_pages_t   *pages;
    const char        *why;
} dnssync_cloudflare_visit_t;


static const char *dnssync_cloudflare_page(
    dnssync_cloudflare_visit_t *visit, torii_str_t body,
    int (*item)(void *data, const torii_node_t *item), int *more);
static int dnssync_cloudflare_visit_record(void *data,
    const torii_node_t *item);
static int dnssync_cloudflare_visit_zone(void *data,
    const torii_node_t *item);
static const char *dnssync_cloudflare_add(dnssync_cloudflare_visit_t *visit,
    const torii_node_t *item, torii_str_t id);
static void dnssync_cloudflare_proxied(dnssync_op_t *op, dnssync_rrset_t *set,
    int proxied);
static int dnssync_cloudflare_part(dnssync_cloudflare_batch_t *batch,
    const dnssync_part_t *part);
static uint32_t dnssync_cloudflare_find(const dnssync_rrset_t *set,
    torii_str_t value);
static void dnssync_cloudflare_patch(dnssync_cloudflare_batch_t *batch,
    const dnssync_rrset_t *before, const dnssync_rrset_t *after, uint32_t i,
    uint32_t k);
static void dnssync_cloudflare_fields(torii_buf_t *b,
    const dnssync_rrset_t *set, int tag);
static void dnssync_cloudflare_content(torii_buf_t *b, unsigned type,
    torii_str_t value);
static int dnssync_cloudflare_is_proxied(const dnssync_rrset_t *set);


const char *
dnssync_cloudflare_records(dnssync_op_t *op, dnssync_map_t *map,
    dnssync_pages_t *pages, torii_str_t body, int *more)
{
    dnssync_cloudflare_visit_t  visit = { op, map, pages, NULL };

    return dnssync_cloudflare_page(&visit, body,
                                   dnssync_cloudflare_visit_record, more);
}


const char *
dnssync_cloudflare_zones(dnssync_op_t *op, dnssync_pages_t *pages,
    torii_str_t body, int *more)
{
    dnssync_cloudflare_visit_t  visit = { op, NULL, pages, NULL };

    return dnssync_cloudflare_page(&visit, body,
                                   dnssync_cloudflare_visit_zone, more);
}


/* It is whole when as many came as the provider has, by all pages' word. */

static const char *
dnssync_cloudflare_page(dnssync_cloudflare_visit_t *visit, torii_str_t body,
    int (*item)(void *data, const torii_node_t *item), int *more)
{
    char                 why[192];
    uint64_t             total, before;
    torii_node_t        *head;
    dnssync_pages_t     *pages;
    const torii_node_t  *list;

    pages = visit->pages;
    before = pages->count;

    if (dnssync_json_list(visit->op->arena, body, "result", item, visit,
                          &head, why)
        != TORII_OK)
    {
        return visit->why ? visit->why : "the answer is no JSON, or not whole";
    }

    list = torii_node_get(head, "result");

    if (!dnssync_json_true(head, "success") || list == NULL
        || list->type != TORII_NODE_LIST)
    {
        return "the answer is no list";
    }

    if (dnssync_json_uint(torii_node_get(head, "result_info"), "total_count",
                          UINT32_MAX, &total)
        != TORII_OK)
    {
        return "the answer does not tell how many there are";
    }

    return dnssync_pages_end(pages, before, total, more);
}


static int
dnssync_cloudflare_visit_record(void *data, const torii_node_t *item)
{
    torii_str_t                  id;
    dnssync_cloudflare_visit_t  *visit;

    visit = data;

    id = dnssync_json_str(item, "id");

    if (!dnssync_http_id(id)) {
        visit->why = "a record has no id";
        return TORII_ERROR;
    }

    if (dnssync_pages_add(visit->op, visit->pages, id) != TORII_OK) {
        visit->why = "a record comes twice";
        return TORII_ERROR;
    }

    visit->why = dnssync_cloudflare_add(visit, item, id);

    return visit->why ? TORII_ERROR : TORII_OK;
}


static const char *
dnssync_cloudflare_add(dnssync_cloudflare_visit_t *visit,
    const torii_node_t *item, torii_str_t id)
{
    int                   proxied;
    uint64_t              ttl;
    unsigned              type;
    torii_str_t           name, tag, value;
    dnssync_op_t         *op;
    dnssync_rrset_t      *set;
    const torii_node_t   *content;

    op = visit->op;
    content = torii_node_get(item, "content");

    if (dnssync_record_read(op->arena, dnssync_json_str(item, "name"), &name)
        != TORII_OK
        || dnssync_json_str(item, "type").len == 0
        || dnssync_json_uint(item, "ttl", UINT32_MAX, &ttl) != TORII_OK)
    {
        return "a record in the answer is none";
    }

    type = dnssync_rtype_read(dnssync_json_str(item, "type"));
    set = dnssync_gather(op, visit->map, name, type);

    if (dnssync_type_mask(type) == 0 && type != DNSSYNC_TXT) {
        set->ttl = (uint32_t) ttl;
        return NULL;
    }

    if (content == NULL || content->type != TORII_NODE_STRING) {
        return "a record in the answer has no content";
    }

    tag = dnssync_json_str(item, "comment");
    proxied = dnssync_json_true(item, "proxied");

    if (set->n == 0) {
        set->ttl = (uint32_t) ttl;
        set->tag = torii_arena_str(op->arena, tag);

    } else if (!torii_str_eq(set->tag, tag)) {

        /* some of it is another's */

        set->tag = torii_str("");
    }

    dnssync_cloudflare_proxied(op, set, proxied);

    value = dnssync_record_value(op->arena, type, content->text);

    return dnssync_gather_value(op, set, value, id) == TORII_OK
           ? NULL : "a name has too many records";
}


/* "mixed" is what nobody wants, so that it is put right. */

static void
dnssync_cloudflare_proxied(dnssync_op_t *op, dnssync_rrset_t *set,
    int proxied)
{
    if (set->n == 0) {

        if (proxied) {
            set->options = torii_arena_alloc(op->arena,
                                             sizeof(dnssync_option_t));
            set->noptions = 1;
            set->options->name = torii_str(DNSSYNC_CLOUDFLARE_PROXIED);
            set->options->value = torii_str("true");
        }

        return;
    }

    if (proxied == dnssync_cloudflare_is_proxied(set)) {
        return;
    }

    set->options = torii_arena_alloc(op->arena, sizeof(dnssync_option_t));
    set->noptions = 1;
    set->options->name = torii_str(DNSSYNC_CLOUDFLARE_PROXIED);
    set->options->value = torii_str("mixed");
}


static int
dnssync_cloudflare_visit_zone(void *data, const torii_node_t *item)
{
    dnssync_cloudflare_visit_t  *visit;

    visit = data;

    visit->why = dnssync_cloudflare_zone(visit->op, item);

    if (visit->why != NULL) {
        return TORII_ERROR;
    }

    if (dnssync_pages_add(visit->op, visit->pages,
                          dnssync_json_str(item, "id"))
        != TORII_OK)
    {
        visit->why = "a zone comes twice";
        return TORII_ERROR;
    }

    return TORII_OK;
}


/* A secondary zone takes no changes. */

const char *
dnssync_cloudflare_zone(dnssync_op_t *op, const torii_node_t *item)
{
    torii_str_t       id, name;
    dnssync_found_t  *zone;

    id = dnssync_json_str(item, "id");

    if (!dnssync_http_id(id) || op->nzones == DNSSYNC_ZONES_MAX
        || dnssync_record_read(op->arena, dnssync_json_str(item, "name"),
                               &name)
           != TORII_OK)
    {
        return "a zone in the answer is none";
    }

    if (torii_str_eqs(dnssync_json_str(item, "type"), "secondary")) {
        return NULL;
    }

    zone = dnssync_op_zone(op);

    zone->id = torii_arena_str(op->arena, id);
    zone->name = name;

    return NULL;
}


unsigned
dnssync_cloudflare_code(torii_arena_t *a, torii_str_t body)
{
    uint64_t             code;
    const torii_node_t  *errors;

    errors = torii_node_get(dnssync_http_json(a, body), "errors");

    if (errors == NULL || errors->type != TORII_NODE_LIST || errors->n == 0
        || dnssync_json_uint(errors->items[0], "code", 1000000, &code)
           != TORII_OK)
    {
        return 0;
    }

    return (unsigned) code;
}


int
dnssync_cloudflare_denied(unsigned code)
{
    size_t  i;

    static const unsigned  codes[] = {
        6003, 6111, 9103, 9106, 9109, 10000, 10001
    };

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i] == code) {
            return 1;
        }
    }

    return 0;
}


int
dnssync_cloudflare_success(torii_arena_t *a, torii_str_t body)
{
    return dnssync_json_true(dnssync_http_json(a, body), "success");
}


int
dnssync_cloudflare_edit(dnssync_cloudflare_batch_t *batch,
    const dnssync_edit_t *edit)
{
    uint32_t                i, j;
    const dnssync_rrset_t  *set;

    for (i = 0; i < edit->nparts; i++) {
        set = edit->parts[i].before;

        for (j = 0; set != NULL && j < set->n; j++) {
            if (dnssync_gather_id(set, j).len == 0) {
                return TORII_DECLINED;
            }
        }
    }

    for (i = 0; i < edit->nparts; i++) {
        batch->n += dnssync_cloudflare_part(batch, &edit->parts[i]);
    }

    return TORII_OK;
}


uint32_t
dnssync_cloudflare_size(const dnssync_edit_t *edit)
{
    uint32_t  i, n, before, after;

    for (i = 0, n = 0; i < edit->nparts; i++) {
        before = edit->parts[i].before ? edit->parts[i].before->n : 0;
        after = edit->parts[i].after ? edit->parts[i].after->n : 0;

        n += before > after ? before : after;
    }

    return n;
}


/* A value that goes gives its record to one that comes. */

static int
dnssync_cloudflare_part(dnssync_cloudflare_batch_t *batch,
    const dnssync_part_t *part)
{
    int                     n;
    uint32_t                i, k, nafter;
    torii_str_t             id;
    const dnssync_rrset_t  *before, *after;

    before = part->before;
    after = part->after;
    nafter = after ? after->n : 0;

    for (i = 0, k = 0, n = 0; before != NULL && i < before->n; i++) {

        if (after && dnssync_cloudflare_find(after, before->values[i])
                     < after->n)
        {
            if (before->ttl != after->ttl
                || !torii_str_eq(before->tag, after->tag)
                || dnssync_cloudflare_is_proxied(before)
                   != dnssync_cloudflare_is_proxied(after))
            {
                dnssync_cloudflare_patch(batch, before, after, i, UINT32_MAX);
                n++;
            }

            continue;
        }

        while (k < nafter
               && dnssync_cloudflare_find(before, after->values[k])
                  < before->n)
        {
            k++;
        }

        n++;

        if (k < nafter) {
            dnssync_cloudflare_patch(batch, before, after, i, k++);
            continue;
        }

        id = dnssync_gather_id(before, i);
        torii_buf_printf(&batch->deletes, "%s{\"id\":\"%.*s\"}",
                         batch->deletes.len ? "," : "", torii_str_arg(id));
    }

    for ( /* void */ ; k < nafter; k++) {

        if (before != NULL
            && dnssync_cloudflare_find(before, after->values[k]) < before->n)
        {
            continue;
        }

        torii_buf_adds(&batch->posts, batch->posts.len ? "," : "");
        dnssync_cloudflare_record(&batch->posts, after, after->values[k]);
        n++;
    }

    return n;
}


static uint32_t
dnssync_cloudflare_find(const dnssync_rrset_t *set, torii_str_t value)
{
    uint32_t  i;

    for (i = 0; i < set->n; i++) {
        if (torii_str_eq(set->values[i], value)) {
            break;
        }
    }

    return i;
}


/* Record i of a set, which gets value k, if there is one. */

static void
dnssync_cloudflare_patch(dnssync_cloudflare_batch_t *batch,
    const dnssync_rrset_t *before, const dnssync_rrset_t *after, uint32_t i,
    uint32_t k)
{
    torii_str_t   id;
    torii_buf_t  *b;

    b = &batch->patches;
    id = dnssync_gather_id(before, i);

    torii_buf_printf(b, "%s{\"id\":\"%.*s\",", b->len ? "," : "",
                     torii_str_arg(id));

    if (k < after->n) {
        torii_buf_adds(b, "\"content\":");
        dnssync_cloudflare_content(b, after->type, after->values[k]);
        torii_buf_adds(b, ",");
    }

    dnssync_cloudflare_fields(b, after,
                              !torii_str_eq(before->tag, after->tag));
    torii_buf_adds(b, "}");
}


void
dnssync_cloudflare_record(torii_buf_t *b, const dnssync_rrset_t *set,
    torii_str_t value)
{
    torii_buf_printf(b, "{\"type\":\"%s\",\"name\":",
                     dnssync_rtype_word(set->type));
    torii_buf_add_json(b, set->name);
    torii_buf_adds(b, ",\"content\":");
    dnssync_cloudflare_content(b, set->type, value);
    torii_buf_adds(b, ",");
    dnssync_cloudflare_fields(b, set, set->tag.len != 0);
    torii_buf_adds(b, "}");
}


static void
dnssync_cloudflare_fields(torii_buf_t *b, const dnssync_rrset_t *set, int tag)
{
    int  proxied;

    proxied = dnssync_cloudflare_is_proxied(set);

    torii_buf_printf(b, "\"ttl\":%u", proxied ? 1 : (unsigned) set->ttl);

    if (dnssync_type_mask(set->type)) {
        torii_buf_printf(b, ",\"proxied\":%s", proxied ? "true" : "false");
    }

    if (tag) {
        torii_buf_adds(b, ",\"comment\":");
        torii_buf_add_json(b, set->tag);
    }
}


static void
dnssync_cloudflare_content(torii_buf_t *b, unsigned type, torii_str_t value)
{
    torii_str_t  s;
    torii_buf_t  text;

    if (type != DNSSYNC_TXT) {
        torii_buf_add_json(b, value);
        return;
    }

    memset(&text, 0, sizeof(torii_buf_t));
    dnssync_txt_write(&text, value);

    s.data = text.data;
    s.len = text.len;

    torii_buf_add_json(b, s);
    torii_buf_free(&text);
}


static int
dnssync_cloudflare_is_proxied(const dnssync_rrset_t *set)
{
    uint32_t  i;

    for (i = 0; i < set->noptions; i++) {
        if (torii_str_eqs(set->options[i].name, DNSSYNC_CLOUDFLARE_PROXIED)) {
            return torii_str_eqs(set->options[i].value, "true")
                   ? 1 : torii_str_eqs(set->options[i].value, "mixed") ? 2 : 0;
        }
    }

    return 0;
}
