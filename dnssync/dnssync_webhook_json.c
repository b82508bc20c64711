
/*
 * Endpoints as ExternalDNS's webhooks have them: one is a set of records.  All
 * members may be missing, and unknown ones are of no interest; "null" is an
 * empty list, as Go writes it.
 */

#include <stdio.h>

#include "dnssync_webhook.h"


#define DNSSYNC_WEBHOOK_OPTIONS  64


typedef struct {
    dnssync_op_t        *op;
    dnssync_map_t       *map;
    dnssync_endpoint_t  *list;         /* ADJUST */
    uint32_t             n;
    uint32_t             size;
    const char          *why;
} dnssync_webhook_visit_t;


static int dnssync_webhook_record(void *data, const torii_node_t *item);
static const char *dnssync_webhook_read(torii_arena_t *a,
    const torii_node_t *item, dnssync_rrset_t *set);
static const char *dnssync_webhook_options(torii_arena_t *a,
    const torii_node_t *list, dnssync_rrset_t *set);
static int dnssync_webhook_endpoint(void *data, const torii_node_t *item);
static torii_str_t dnssync_webhook_key(torii_arena_t *a, torii_str_t name,
    torii_str_t set, torii_str_t resource);
static void dnssync_webhook_list(torii_buf_t *b, const dnssync_op_t *op,
    uint32_t from, uint32_t to, int before, int after, int old);
static void dnssync_webhook_set(torii_buf_t *b, const dnssync_op_t *op,
    const dnssync_rrset_t *set, torii_str_t resource, torii_str_t host);
static void dnssync_webhook_write_options(torii_buf_t *b,
    const dnssync_option_t *options, uint32_t n);


const char *
dnssync_webhook_records(dnssync_op_t *op, dnssync_map_t *map,
    torii_str_t body)
{
    char                      why[192];
    torii_node_t             *head;
    dnssync_webhook_visit_t   visit;

    memset(&visit, 0, sizeof(dnssync_webhook_visit_t));

    visit.op = op;
    visit.map = map;

    if (dnssync_json_list(op->arena, body, NULL, dnssync_webhook_record,
                          &visit, &head, why)
        != TORII_OK)
    {
        return visit.why ? visit.why : "the answer is no JSON, or not whole";
    }

    return head->type == TORII_NODE_LIST || head->type == TORII_NODE_NULL
           ? NULL : "the answer is no list";
}


static int
dnssync_webhook_record(void *data, const torii_node_t *item)
{
    int                       made;
    dnssync_op_t             *op;
    torii_str_t               key;
    dnssync_rrset_t           set;
    dnssync_map_entry_t      *e;
    dnssync_webhook_visit_t  *visit;

    visit = data;
    op = visit->op;

    visit->why = dnssync_webhook_read(op->arena, item, &set);

    if (visit->why != NULL) {
        return TORII_ERROR;
    }

    if (!dnssync_webhook_in(op, set.name)) {
        return TORII_OK;
    }

    key = dnssync_check_key(op->arena, set.name, set.set);
    e = dnssync_map_put(visit->map, op->arena, key, set.type, &made);

    if (!made) {

        if (set.type == DNSSYNC_TYPE_OTHER) {
            return TORII_OK;
        }

        visit->why = "a set of records is there twice";
        return TORII_ERROR;
    }

    e->number = op->nsets;
    *dnssync_op_set(op) = set;

    return TORII_OK;
}


static const char *
dnssync_webhook_read(torii_arena_t *a, const torii_node_t *item,
    dnssync_rrset_t *set)
{
    uint32_t             i;
    uint64_t             ttl;
    torii_str_t          type;
    const torii_node_t  *targets, *node;

    memset(set, 0, sizeof(dnssync_rrset_t));

    type = dnssync_json_str(item, "recordType");
    targets = torii_node_get(item, "targets");

    if (type.len == 0
        || dnssync_record_read(a, dnssync_json_str(item, "dnsName"),
                               &set->name)
           != TORII_OK)
    {
        return "an endpoint in the answer has no name or type";
    }

    set->type = dnssync_rtype_read(type);
    set->set = torii_arena_str(a, dnssync_json_str(item, "setIdentifier"));

    node = torii_node_get(item, "recordTTL");

    if (node != NULL && node->type != TORII_NODE_NULL) {

        if (dnssync_json_uint(item, "recordTTL", UINT32_MAX, &ttl)
            != TORII_OK)
        {
            return "an endpoint's TTL is none";
        }

        set->ttl = (uint32_t) ttl;
    }

    if (targets != NULL && targets->type != TORII_NODE_LIST
        && targets->type != TORII_NODE_NULL)
    {
        return "an endpoint's targets are no list";
    }

    if (targets != NULL && targets->type == TORII_NODE_LIST) {
        set->values = torii_arena_alloc(a, (targets->n + 1)
                                           * sizeof(torii_str_t));

        for (i = 0; i < targets->n; i++) {

            if (targets->items[i]->type != TORII_NODE_STRING) {
                return "an endpoint's target is no string";
            }

            set->values[set->n++] = dnssync_record_value(a, set->type,
                                                    targets->items[i]->text);
        }
    }

    return dnssync_webhook_options(a, torii_node_get(item, "providerSpecific"),
                                   set);
}


static const char *
dnssync_webhook_options(torii_arena_t *a, const torii_node_t *list,
    dnssync_rrset_t *set)
{
    uint32_t            i;
    torii_str_t         name;
    dnssync_option_t   *o;

    if (list == NULL || list->type == TORII_NODE_NULL) {
        return NULL;
    }

    if (list->type != TORII_NODE_LIST || list->n > DNSSYNC_WEBHOOK_OPTIONS) {
        return "an endpoint's properties are no list";
    }

    set->options = torii_arena_alloc(a, (list->n + 1)
                                        * sizeof(dnssync_option_t));

    for (i = 0; i < list->n; i++) {
        name = dnssync_json_str(list->items[i], "name");

        if (name.len == 0) {
            return "an endpoint's property has no name";
        }

        o = &set->options[set->noptions++];

        o->name = torii_arena_str(a, name);
        o->value = torii_arena_str(a, dnssync_json_str(list->items[i],
                                                       "value"));
    }

    return NULL;
}


/* What has no targets means that something stays: that is ours to know. */

uint32_t
dnssync_webhook_wants(torii_buf_t *b, const dnssync_op_t *op)
{
    uint32_t                   i, n;
    dnssync_rrset_t            set;
    const dnssync_endpoint_t  *e;

    torii_buf_adds(b, "[");

    for (i = 0, n = 0; i < op->nendpoints; i++) {
        e = &op->endpoints[i];

        if (e->n == 0) {
            continue;
        }

        memset(&set, 0, sizeof(dnssync_rrset_t));

        set.name = e->name;
        set.set = e->set;
        set.type = e->type;
        set.ttl = e->ttl;
        set.values = e->targets;
        set.n = e->n;
        set.options = e->options;
        set.noptions = e->noptions;

        torii_buf_adds(b, n++ ? "," : "");
        dnssync_webhook_set(b, op, &set, e->resource, torii_str(""));
    }

    torii_buf_adds(b, "]");

    return n;
}


const char *
dnssync_webhook_adjusted(dnssync_op_t *op, torii_str_t body)
{
    int                        made;
    char                       why[192];
    uint32_t                   i;
    torii_str_t                key;
    dnssync_map_t              map;
    torii_node_t              *head;
    const dnssync_endpoint_t  *e;
    dnssync_webhook_visit_t    visit;

    memset(&map, 0, sizeof(dnssync_map_t));
    memset(&visit, 0, sizeof(dnssync_webhook_visit_t));

    visit.op = op;
    visit.map = &map;
    visit.size = op->nendpoints + 64;
    visit.list = torii_arena_alloc(op->arena, visit.size
                                              * sizeof(dnssync_endpoint_t));

    for (i = 0; i < op->nendpoints; i++) {
        e = &op->endpoints[i];

        if (e->n == 0) {
            visit.list[visit.n++] = *e;
            continue;
        }

        key = dnssync_webhook_key(op->arena, e->name, e->set, e->resource);
        dnssync_map_put(&map, op->arena, key, e->type, &made)->number = i;
    }

    if (dnssync_json_list(op->arena, body, NULL, dnssync_webhook_endpoint,
                          &visit, &head, why)
        != TORII_OK)
    {
        return visit.why ? visit.why : "the answer is no JSON, or not whole";
    }

    if (head->type != TORII_NODE_LIST && head->type != TORII_NODE_NULL) {
        return "the answer is no list";
    }

    op->endpoints = visit.list;
    op->nendpoints = visit.n;

    return NULL;
}


static int
dnssync_webhook_endpoint(void *data, const torii_node_t *item)
{
    dnssync_op_t             *op;
    torii_str_t               resource, key;
    dnssync_rrset_t           set;
    dnssync_endpoint_t       *e, *more;
    dnssync_map_entry_t      *entry;
    dnssync_webhook_visit_t  *visit;

    visit = data;
    op = visit->op;

    visit->why = dnssync_webhook_read(op->arena, item, &set);

    if (visit->why != NULL) {
        return TORII_ERROR;
    }

    if (visit->n == visit->size) {
        visit->size *= 2;
        more = torii_arena_alloc(op->arena, visit->size
                                            * sizeof(dnssync_endpoint_t));
        memcpy(more, visit->list, visit->n * sizeof(dnssync_endpoint_t));
        visit->list = more;
    }

    e = &visit->list[visit->n++];
    memset(e, 0, sizeof(dnssync_endpoint_t));

    resource = dnssync_json_str(torii_node_get(item, "labels"), "resource");
    resource = torii_arena_str(op->arena, resource);

    key = dnssync_webhook_key(op->arena, set.name, set.set, resource);
    entry = dnssync_map_get(visit->map, key, set.type);

    if (entry != NULL) {
        *e = op->endpoints[entry->number];

    } else {
        e->resource = resource;
    }

    e->name = set.name;
    e->set = set.set;
    e->type = set.type;
    e->ttl = set.ttl;
    e->targets = set.values;
    e->n = set.n;
    e->options = set.options;
    e->noptions = set.noptions;

    return TORII_OK;
}


static torii_str_t
dnssync_webhook_key(torii_arena_t *a, torii_str_t name, torii_str_t set,
    torii_str_t resource)
{
    return torii_arena_printf(a, "%.*s %.*s %.*s", torii_str_arg(name),
                              torii_str_arg(set), torii_str_arg(resource));
}


void
dnssync_webhook_changes(torii_buf_t *b, const dnssync_op_t *op,
    uint32_t from, uint32_t to)
{
    torii_buf_adds(b, "{\"create\":[");
    dnssync_webhook_list(b, op, from, to, 0, 1, 0);
    torii_buf_adds(b, "],\"updateOld\":[");
    dnssync_webhook_list(b, op, from, to, 1, 1, 1);
    torii_buf_adds(b, "],\"updateNew\":[");
    dnssync_webhook_list(b, op, from, to, 1, 1, 0);
    torii_buf_adds(b, "],\"delete\":[");
    dnssync_webhook_list(b, op, from, to, 1, 0, 1);
    torii_buf_adds(b, "]}");
}


/* Of parts that have a before, and an after, or not: one of the two. */

static void
dnssync_webhook_list(torii_buf_t *b, const dnssync_op_t *op, uint32_t from,
    uint32_t to, int before, int after, int old)
{
    uint32_t                i, j, n;
    const dnssync_part_t   *part;

    for (i = from, n = 0; i < to; i++) {

        if (op->results[i].what != DNSSYNC_OUTCOME_LATER) {
            continue;
        }

        for (j = 0; j < op->edits[i]->nparts; j++) {
            part = &op->edits[i]->parts[j];

            if ((part->before != NULL) == before
                && (part->after != NULL) == after)
            {
                torii_buf_adds(b, n++ ? "," : "");
                dnssync_webhook_set(b, op, old ? part->before : part->after,
                                    op->edits[i]->resource,
                                    op->edits[i]->name);
            }
        }
    }
}


void
dnssync_webhook_change(torii_buf_t *b, const dnssync_op_t *op,
    const dnssync_part_t *part, torii_str_t host)
{
    uint32_t                i;
    const dnssync_rrset_t  *set;

    static const struct {
        const char  *name;
        int          before;
        int          after;
        int          old;
    } lists[] = {
        { "{\"create\":[", 0, 1, 0 },
        { "],\"updateOld\":[", 1, 1, 1 },
        { "],\"updateNew\":[", 1, 1, 0 },
        { "],\"delete\":[", 1, 0, 1 }
    };

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        torii_buf_adds(b, lists[i].name);

        if ((part->before != NULL) == lists[i].before
            && (part->after != NULL) == lists[i].after)
        {
            set = lists[i].old ? part->before : part->after;
            dnssync_webhook_set(b, op, set, torii_str(""), host);
        }
    }

    torii_buf_adds(b, "]}");
}


static void
dnssync_webhook_set(torii_buf_t *b, const dnssync_op_t *op,
    const dnssync_rrset_t *set, torii_str_t resource, torii_str_t host)
{
    uint32_t      i;
    torii_str_t   s;
    torii_buf_t   text;

    torii_buf_adds(b, "{\"dnsName\":");
    torii_buf_add_json(b, set->name);
    torii_buf_adds(b, ",\"targets\":[");

    for (i = 0; i < set->n; i++) {
        torii_buf_adds(b, i ? "," : "");

        if (set->type != DNSSYNC_TXT) {
            torii_buf_add_json(b, set->values[i]);
            continue;
        }

        memset(&text, 0, sizeof(torii_buf_t));
        dnssync_txt_write(&text, set->values[i]);

        s.data = text.data;
        s.len = text.len;

        torii_buf_add_json(b, s);
        torii_buf_free(&text);
    }

    torii_buf_printf(b, "],\"recordType\":\"%s\"",
                     dnssync_rtype_word(set->type));

    if (set->set.len) {
        torii_buf_adds(b, ",\"setIdentifier\":");
        torii_buf_add_json(b, set->set);
    }

    if (set->ttl) {
        torii_buf_printf(b, ",\"recordTTL\":%u", (unsigned) set->ttl);
    }

    torii_buf_adds(b, ",\"labels\":{");

    if (set->type == DNSSYNC_TXT && host.len) {
        torii_buf_adds(b, "\"ownedRecord\":");
        torii_buf_add_json(b, host);

    } else if (set->type != DNSSYNC_TXT) {
        torii_buf_adds(b, "\"owner\":");
        torii_buf_add_json(b, op->account->conf.registry.id);
        torii_buf_adds(b, ",\"resource\":");
        torii_buf_add_json(b, resource);
    }

    torii_buf_adds(b, "}");

    dnssync_webhook_write_options(b, set->options, set->noptions);

    torii_buf_adds(b, "}");
}


/* Those of other providers are none of its business. */

static void
dnssync_webhook_write_options(torii_buf_t *b, const dnssync_option_t *options,
    uint32_t n)
{
    uint32_t     i, k;
    torii_str_t  name;

    for (i = 0, k = 0; i < n; i++) {
        name = options[i].name;

        if (memchr(name.data, '/', name.len) != NULL
            && !torii_str_starts(name, "webhook/"))
        {
            continue;
        }

        torii_buf_adds(b, k++ ? "," : ",\"providerSpecific\":[");
        torii_buf_adds(b, "{\"name\":");
        torii_buf_add_json(b, name);
        torii_buf_adds(b, ",\"value\":");
        torii_buf_add_json(b, options[i].value);
        torii_buf_adds(b, "}");
    }

    torii_buf_adds(b, k ? "]" : "");
}
