
/*
 * Sets of records as PowerDNS has them.  A native mark is the comment of the
 * account "torii"; comments of others stay, since one who writes any of them
 * writes all.  They are in the set's id, as JSON.
 */

#include <stdio.h>

#include "dnssync_powerdns.h"


#define DNSSYNC_POWERDNS_ACCOUNT  "torii"


typedef struct {
    dnssync_op_t    *op;
    dnssync_map_t   *map;
    const char      *why;
} dnssync_powerdns_visit_t;


static int dnssync_powerdns_set(void *data, const torii_node_t *item);
static int dnssync_powerdns_values(dnssync_op_t *op, dnssync_rrset_t *set,
    const torii_node_t *records);
static void dnssync_powerdns_comments(dnssync_op_t *op, dnssync_rrset_t *set,
    const torii_node_t *comments);
static void dnssync_powerdns_part(torii_buf_t *b, const dnssync_part_t *part);
static void dnssync_powerdns_record(torii_buf_t *b, unsigned type,
    torii_str_t value, int first);


int
dnssync_powerdns_head(const dnssync_op_t *op, const torii_node_t *head)
{
    torii_str_t  name;

    name = dnssync_json_str(head, "name");

    if (name.len > 1 && name.data[name.len - 1] == '.') {
        name.len--;
    }

    return torii_str_caseeq(name, op->zone.name);
}


const char *
dnssync_powerdns_read(dnssync_op_t *op, dnssync_map_t *map, torii_str_t body,
    const torii_node_t **head)
{
    int                        rc;
    char                       why[192];
    torii_str_t                text;
    torii_node_t              *doc;
    const torii_node_t        *list;
    dnssync_powerdns_visit_t   visit;

    visit.op = op;
    visit.map = map;
    visit.why = NULL;

    rc = dnssync_json_list(op->arena, body, "rrsets", dnssync_powerdns_set,
                           &visit, &doc, why);

    if (visit.why != NULL) {
        return visit.why;
    }

    if (rc != TORII_OK) {
        text = torii_arena_str(op->arena, torii_str(why));
        return (char *) text.data;
    }

    list = torii_node_get(doc, "rrsets");

    if (!dnssync_powerdns_head(op, doc) || list == NULL
        || list->type != TORII_NODE_LIST)
    {
        return "the answer is not that zone";
    }

    *head = doc;

    return NULL;
}


static int
dnssync_powerdns_set(void *data, const torii_node_t *item)
{
    uint32_t                   before;
    uint64_t                   ttl;
    unsigned                   type;
    torii_str_t                name;
    dnssync_op_t              *op;
    dnssync_rrset_t           *set;
    const torii_node_t        *records;
    dnssync_powerdns_visit_t  *visit;

    visit = data;
    op = visit->op;

    records = torii_node_get(item, "records");

    if (dnssync_record_read(op->arena, dnssync_json_str(item, "name"), &name)
        != TORII_OK
        || dnssync_json_str(item, "type").len == 0
        || records == NULL || records->type != TORII_NODE_LIST
        || records->n == 0
        || dnssync_json_uint(item, "ttl", UINT32_MAX, &ttl) != TORII_OK)
    {
        visit->why = "a set of records in the answer is none";
        return TORII_ERROR;
    }

    type = dnssync_rtype_read(dnssync_json_str(item, "type"));

    before = op->nsets;
    set = dnssync_gather(op, visit->map, name, type);

    if (op->nsets == before) {

        /* types that are not known share a number */

        if (type == DNSSYNC_TYPE_OTHER) {
            return TORII_OK;
        }

        visit->why = "a set of records is there twice";
        return TORII_ERROR;
    }

    set->ttl = (uint32_t) ttl;

    if (dnssync_powerdns_values(op, set, records) != TORII_OK) {
        visit->why = "a record in the answer is none";
        return TORII_ERROR;
    }

    dnssync_powerdns_comments(op, set, torii_node_get(item, "comments"));

    return TORII_OK;
}


static int
dnssync_powerdns_values(dnssync_op_t *op, dnssync_rrset_t *set,
    const torii_node_t *records)
{
    uint32_t             i;
    const torii_node_t  *content;

    if (dnssync_type_mask(set->type) == 0 && set->type != DNSSYNC_TXT) {
        return TORII_OK;
    }

    set->values = torii_arena_alloc(op->arena,
                                    records->n * sizeof(torii_str_t));

    for (i = 0; i < records->n; i++) {
        content = torii_node_get(records->items[i], "content");

        if (content == NULL || content->type != TORII_NODE_STRING) {
            return TORII_ERROR;
        }

        set->values[set->n++] = dnssync_record_value(op->arena, set->type,
                                                     content->text);
    }

    return TORII_OK;
}


static void
dnssync_powerdns_comments(dnssync_op_t *op, dnssync_rrset_t *set,
    const torii_node_t *comments)
{
    uint32_t      i;
    torii_str_t   content, account, others;
    torii_buf_t   b;

    if (comments == NULL || comments->type != TORII_NODE_LIST) {
        return;
    }

    memset(&b, 0, sizeof(torii_buf_t));

    for (i = 0; i < comments->n; i++) {
        content = dnssync_json_str(comments->items[i], "content");
        account = dnssync_json_str(comments->items[i], "account");

        if (torii_str_eqs(account, DNSSYNC_POWERDNS_ACCOUNT)) {
            set->tag = torii_arena_str(op->arena, content);
            continue;
        }

        torii_buf_adds(&b, "{\"content\":");
        torii_buf_add_json(&b, content);
        torii_buf_adds(&b, ",\"account\":");
        torii_buf_add_json(&b, account);
        torii_buf_adds(&b, "},");
    }

    if (b.len) {
        others.data = b.data;
        others.len = b.len;
        set->id = torii_arena_str(op->arena, others);
    }

    torii_buf_free(&b);
}


/* A name has room for an alias only when its addresses are gone. */

void
dnssync_powerdns_edit(torii_buf_t *b, const dnssync_edit_t *edit, uint32_t n)
{
    uint32_t  i, pass;

    for (pass = 0; pass < 2; pass++) {

        for (i = 0; i < edit->nparts; i++) {

            if ((edit->parts[i].after != NULL) == pass) {
                torii_buf_adds(b, n ? "," : "");
                dnssync_powerdns_part(b, &edit->parts[i]);
                n++;
            }
        }
    }
}


static void
dnssync_powerdns_part(torii_buf_t *b, const dnssync_part_t *part)
{
    uint32_t                i;
    torii_str_t             tag;
    const dnssync_rrset_t  *set;

    set = part->after ? part->after : part->before;
    tag = part->before ? part->before->tag : torii_str("");

    torii_buf_adds(b, "{\"name\":");
    torii_buf_add_json(b, set->name);
    b->len--;
    torii_buf_printf(b, ".\",\"type\":\"%s\",",
                     dnssync_rtype_word(set->type));

    if (part->after == NULL) {
        torii_buf_adds(b, "\"changetype\":\"DELETE\"}");
        return;
    }

    torii_buf_printf(b, "\"ttl\":%u,\"changetype\":\"REPLACE\",\"records\":[",
                     (unsigned) set->ttl);

    for (i = 0; i < set->n; i++) {
        dnssync_powerdns_record(b, set->type, set->values[i], i == 0);
    }

    torii_buf_adds(b, "]");

    if (!torii_str_eq(tag, set->tag)) {
        torii_buf_adds(b, ",\"comments\":[");

        if (part->before != NULL) {
            torii_buf_add_str(b, part->before->id);
        }

        if (set->tag.len) {
            torii_buf_adds(b, "{\"content\":");
            torii_buf_add_json(b, set->tag);
            torii_buf_adds(b, ",\"account\":\"" DNSSYNC_POWERDNS_ACCOUNT
                           "\"}");

        } else if (b->data[b->len - 1] == ',') {
            b->len--;
        }

        torii_buf_adds(b, "]");
    }

    torii_buf_adds(b, "}");
}


static void
dnssync_powerdns_record(torii_buf_t *b, unsigned type, torii_str_t value,
    int first)
{
    torii_str_t  s;
    torii_buf_t  content;

    memset(&content, 0, sizeof(torii_buf_t));

    if (type == DNSSYNC_TXT) {
        dnssync_txt_write(&content, value);

    } else {
        torii_buf_add_str(&content, value);
        torii_buf_adds(&content, type == DNSSYNC_CNAME ? "." : "");
    }

    s.data = content.data;
    s.len = content.len;

    torii_buf_adds(b, first ? "{\"content\":" : ",{\"content\":");
    torii_buf_add_json(b, s);
    torii_buf_adds(b, ",\"disabled\":false}");

    torii_buf_free(&content);
}


int
dnssync_powerdns_text(torii_buf_t *b, const dnssync_op_t *op,
    const dnssync_rrset_t *set)
{
    int               there;
    uint32_t          i;
    dnssync_part_t    part;
    dnssync_rrset_t   after;

    memset(&after, 0, sizeof(dnssync_rrset_t));

    after.name = op->name;
    after.type = DNSSYNC_TXT;
    after.ttl = set ? set->ttl : op->ttl;
    after.tag = set ? set->tag : torii_str("");
    after.values = torii_arena_alloc(op->arena, ((set ? set->n : 0) + 1)
                                                * sizeof(torii_str_t));
    there = 0;

    for (i = 0; set != NULL && i < set->n; i++) {

        if (torii_str_eq(set->values[i], op->value)) {
            there = 1;

            if (!op->add) {
                continue;
            }
        }

        after.values[after.n++] = set->values[i];
    }

    if (there == (int) op->add) {
        return 0;
    }

    if (op->add) {
        after.values[after.n++] = op->value;
    }

    part.before = set;
    part.after = after.n ? &after : NULL;

    dnssync_powerdns_part(b, &part);

    return 1;
}
