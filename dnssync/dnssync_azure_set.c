
/*
 * A set of Azure DNS.  Its metadata is where its owner is told; what else is
 * there is the option "azure/tags", as ExternalDNS has it: "name=value,…".
 */

#include <stdlib.h>

#include "dnssync_azure.h"


#define DNSSYNC_AZURE_STRANGE  "azure/target-resource"
#define DNSSYNC_AZURE_TAGS     "azure/tags"
#define DNSSYNC_AZURE_STRING   255


static void dnssync_azure_values(dnssync_op_t *op, dnssync_rrset_t *set,
    const torii_node_t *list, const char *member);
static int dnssync_azure_txt(dnssync_op_t *op, dnssync_rrset_t *set,
    const torii_node_t *list);
static void dnssync_azure_metadata(dnssync_op_t *op, dnssync_rrset_t *set,
    const torii_node_t *map);
static void dnssync_azure_option(dnssync_op_t *op, dnssync_rrset_t *set,
    const char *name, torii_str_t value);
static const torii_node_t *dnssync_azure_get(const torii_node_t *map,
    const char *name);
static void dnssync_azure_records_write(torii_buf_t *b,
    const dnssync_rrset_t *set, int private);
static void dnssync_azure_txt_write(torii_buf_t *b, torii_str_t value);
static int dnssync_azure_order(const void *one, const void *two);


static const struct {
    unsigned     type;
    const char  *list;         /* of public zones; of private ones the first
                                  letters are small */
    const char  *private;
    const char  *member;
} dnssync_azure_types[] = {
    { DNSSYNC_A, "ARecords", "aRecords", "ipv4Address" },
    { DNSSYNC_AAAA, "AAAARecords", "aaaaRecords", "ipv6Address" },
    { DNSSYNC_CNAME, "CNAMERecord", "cnameRecord", "cname" },
    { DNSSYNC_TXT, "TXTRecords", "txtRecords", "value" }
};

#define DNSSYNC_AZURE_TYPES                                                   \
    (sizeof(dnssync_azure_types) / sizeof(dnssync_azure_types[0]))


int
dnssync_azure_set_read(dnssync_op_t *op, const torii_node_t *item,
    dnssync_rrset_t *set)
{
    int                  rc;
    size_t               i;
    uint64_t             ttl;
    torii_str_t          name, type, id;
    const torii_node_t  *p;

    memset(set, 0, sizeof(dnssync_rrset_t));

    name = dnssync_json_str(item, "name");
    type = dnssync_json_str(item, "type");
    p = torii_node_get(item, "properties");

    for (i = type.len; i > 0 && type.data[i - 1] != '/'; i--) {
        /* void */
    }

    if (i == 0 || name.len == 0 || p == NULL || p->type != TORII_NODE_MAP
        || dnssync_azure_get(p, "TTL") == NULL
        || torii_str_uint(dnssync_azure_get(p, "TTL")->text, UINT32_MAX, &ttl)
           != TORII_OK)
    {
        return TORII_ERROR;
    }

    type.data += i;
    type.len -= i;
    set->type = dnssync_rtype_read(type);
    set->ttl = ttl;
    set->id = torii_arena_str(op->arena, dnssync_json_str(item, "etag"));

    if (torii_str_eqs(name, "@")) {
        set->name = op->zone.name;

    } else {
        name = torii_arena_printf(op->arena, "%.*s.%.*s", torii_str_arg(name),
                                  torii_str_arg(op->zone.name));

        if (dnssync_record_read(op->arena, name, &set->name) != TORII_OK) {
            return TORII_ERROR;
        }
    }

    id = dnssync_json_str(dnssync_azure_get(p, "targetResource"), "id");

    if (id.len) {
        dnssync_azure_option(op, set, DNSSYNC_AZURE_STRANGE, id);
    }

    dnssync_azure_metadata(op, set, dnssync_azure_get(p, "metadata"));
    rc = TORII_OK;

    for (i = 0; i < DNSSYNC_AZURE_TYPES; i++) {

        if (set->type != dnssync_azure_types[i].type) {
            continue;
        }

        p = dnssync_azure_get(p, dnssync_azure_types[i].list);

        if (set->type == DNSSYNC_TXT) {
            rc = dnssync_azure_txt(op, set, p);

        } else {
            dnssync_azure_values(op, set, p, dnssync_azure_types[i].member);
        }

        break;
    }

    return rc;
}


/* Public and private zones differ in upper and lower case. */

static const torii_node_t *
dnssync_azure_get(const torii_node_t *map, const char *name)
{
    uint32_t  i;

    if (map == NULL || map->type != TORII_NODE_MAP) {
        return NULL;
    }

    for (i = 0; i < map->n; i++) {
        if (torii_str_caseeqs(map->keys[i], name)) {
            return map->items[i]->type == TORII_NODE_NULL ? NULL
                                                          : map->items[i];
        }
    }

    return NULL;
}


/* A list of maps, or, of CNAME, one map. */

static void
dnssync_azure_values(dnssync_op_t *op, dnssync_rrset_t *set,
    const torii_node_t *list, const char *member)
{
    uint32_t     i, n;
    torii_str_t  raw;

    if (list == NULL) {
        return;
    }

    n = (list->type == TORII_NODE_LIST) ? list->n : 1;
    set->values = torii_arena_alloc(op->arena, (n + 1) * sizeof(torii_str_t));

    for (i = 0; i < n; i++) {
        raw = dnssync_json_str(list->type == TORII_NODE_LIST ? list->items[i]
                                                             : list, member);
        if (raw.len == 0) {
            continue;
        }

        if (dnssync_value_read(op->arena, set->type, raw,
                               &set->values[set->n]) != TORII_OK)
        {
            set->values[set->n] = torii_arena_str(op->arena, raw);
        }

        set->n++;
    }
}


/* Each value is a list of strings, which are one. */

static int
dnssync_azure_txt(dnssync_op_t *op, dnssync_rrset_t *set,
    const torii_node_t *list)
{
    uint32_t             i, k;
    torii_buf_t          b;
    torii_str_t          s;
    const torii_node_t  *parts;

    if (list == NULL || list->type != TORII_NODE_LIST) {
        return TORII_OK;
    }

    memset(&b, 0, sizeof(torii_buf_t));
    set->values = torii_arena_alloc(op->arena, (list->n + 1)
                                               * sizeof(torii_str_t));

    for (i = 0; i < list->n; i++) {
        parts = dnssync_azure_get(list->items[i], "value");

        if (parts == NULL || parts->type != TORII_NODE_LIST) {
            torii_buf_free(&b);
            return TORII_ERROR;
        }

        b.len = 0;

        for (k = 0; k < parts->n; k++) {
            torii_buf_add_str(&b, parts->items[k]->text);
        }

        s.data = b.data;
        s.len = b.len;
        set->values[set->n++] = torii_arena_str(op->arena, s);
    }

    torii_buf_free(&b);

    return TORII_OK;
}


static void
dnssync_azure_metadata(dnssync_op_t *op, dnssync_rrset_t *set,
    const torii_node_t *map)
{
    uint32_t      i, n;
    torii_buf_t   b;
    torii_str_t   s, *pairs;

    if (map == NULL || map->type != TORII_NODE_MAP) {
        return;
    }

    pairs = torii_arena_alloc(op->arena, (map->n + 1) * sizeof(torii_str_t));

    for (i = 0, n = 0; i < map->n; i++) {
        if (torii_str_eqs(map->keys[i], DNSSYNC_AZURE_TAG)) {
            set->tag = torii_arena_str(op->arena, map->items[i]->text);
            continue;
        }

        pairs[n++] = torii_arena_printf(op->arena, "%.*s=%.*s",
                                        torii_str_arg(map->keys[i]),
                                        torii_str_arg(map->items[i]->text));
    }

    if (n == 0) {
        return;
    }

    qsort(pairs, n, sizeof(torii_str_t), dnssync_azure_order);
    memset(&b, 0, sizeof(torii_buf_t));

    for (i = 0; i < n; i++) {
        torii_buf_adds(&b, i ? "," : "");
        torii_buf_add_str(&b, pairs[i]);
    }

    s.data = b.data;
    s.len = b.len;
    dnssync_azure_option(op, set, DNSSYNC_AZURE_TAGS, s);

    torii_buf_free(&b);
}


static int
dnssync_azure_order(const void *one, const void *two)
{
    return torii_str_cmp(*(const torii_str_t *) one,
                         *(const torii_str_t *) two);
}


static void
dnssync_azure_option(dnssync_op_t *op, dnssync_rrset_t *set,
    const char *name, torii_str_t value)
{
    if (set->options == NULL) {
        set->options = torii_arena_alloc(op->arena,
                                         2 * sizeof(dnssync_option_t));
    }

    set->options[set->noptions].name = torii_str(name);
    set->options[set->noptions++].value = torii_arena_str(op->arena, value);
}


int
dnssync_azure_set_strange(const dnssync_rrset_t *set)
{
    uint32_t  i;

    for (i = 0; i < set->noptions; i++) {
        if (torii_str_eqs(set->options[i].name, DNSSYNC_AZURE_STRANGE)) {
            return 1;
        }
    }

    for (i = 0; i < DNSSYNC_AZURE_TYPES; i++) {
        if (set->type == dnssync_azure_types[i].type) {
            return 0;
        }
    }

    return 1;
}


void
dnssync_azure_set_write(dnssync_op_t *op, torii_buf_t *b,
    const dnssync_rrset_t *set)
{
    uint32_t                i;
    const char             *comma;
    torii_str_t             rest, pair, name;
    const dnssync_azure_t  *data;

    data = op->account->data;

    torii_buf_printf(b, "{\"properties\":{\"%s\":%u,\"metadata\":{",
                     data->private ? "ttl" : "TTL", (unsigned) set->ttl);

    comma = "";

    if (set->tag.len) {
        torii_buf_adds(b, "\"" DNSSYNC_AZURE_TAG "\":");
        torii_buf_add_json(b, set->tag);
        comma = ",";
    }

    for (i = 0; i < set->noptions; i++) {

        if (!torii_str_eqs(set->options[i].name, DNSSYNC_AZURE_TAGS)) {
            continue;
        }

        rest = set->options[i].value;

        while (torii_str_next(&rest, ",", &pair)) {
            pair = torii_str_trim(pair);

            if (!torii_str_next(&pair, "=", &name) || name.len == 0
                || torii_str_eqs(name, DNSSYNC_AZURE_TAG))
            {
                continue;
            }

            torii_buf_adds(b, comma);
            torii_buf_add_json(b, name);
            torii_buf_adds(b, ":");
            torii_buf_add_json(b, pair.data ? pair : torii_str(""));
            comma = ",";
        }
    }

    torii_buf_adds(b, "},");
    dnssync_azure_records_write(b, set, data->private);
    torii_buf_adds(b, "}}");
}


static void
dnssync_azure_records_write(torii_buf_t *b, const dnssync_rrset_t *set,
    int private)
{
    size_t    k;
    uint32_t  i;

    for (k = 0; set->type != dnssync_azure_types[k].type; k++) {
        /* void */
    }

    torii_buf_printf(b, "\"%s\":", private ? dnssync_azure_types[k].private
                                           : dnssync_azure_types[k].list);
    torii_buf_adds(b, set->type == DNSSYNC_CNAME ? "" : "[");

    for (i = 0; i < set->n; i++) {
        torii_buf_printf(b, "%s{\"%s\":", i ? "," : "",
                         dnssync_azure_types[k].member);

        if (set->type == DNSSYNC_TXT) {
            dnssync_azure_txt_write(b, set->values[i]);

        } else {
            torii_buf_add_json(b, set->values[i]);
        }

        torii_buf_adds(b, "}");
    }

    torii_buf_adds(b, set->type == DNSSYNC_CNAME ? "" : "]");
}


static void
dnssync_azure_txt_write(torii_buf_t *b, torii_str_t value)
{
    torii_str_t  s;
    const char  *comma;

    comma = "";
    torii_buf_adds(b, "[");

    do {
        s = value;
        s.len = (s.len > DNSSYNC_AZURE_STRING) ? DNSSYNC_AZURE_STRING : s.len;

        torii_buf_adds(b, comma);
        torii_buf_add_json(b, s);

        value.data += s.len;
        value.len -= s.len;
        comma = ",";

    } while (value.len);

    torii_buf_adds(b, "]");
}
