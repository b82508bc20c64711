
/*
 * Typed fields out of a tree.  Kubernetes' API refuses a whole object for one
 * wrong field; here a field costs no more than itself, and its author is told.
 */

#include <stdarg.h>
#include <stdio.h>

#include "ingress_decode.h"


#define INGRESS_WHERE_DEPTH  16


static size_t ingress_where_text(char *buf, size_t size,
    const ingress_where_t *up, const char *key);
static const torii_node_t *ingress_decode_value(const torii_node_t *map,
    const char *key);
static int ingress_decode_text(ingress_decode_t *d, const ingress_where_t *up,
    const char *key, const torii_node_t *node, torii_str_t *value);
static const char *ingress_decode_suggest(const char *const *known,
    torii_str_t key);


void
ingress_decode_finding(ingress_decode_t *d, ingress_severity_e severity,
    const char *reason, const ingress_where_t *up, const char *key,
    const torii_node_t *node, const char *fmt, ...)
{
    char                where[256], text[512];
    va_list             args;
    torii_str_t         field, value;
    ingress_object_t   *o;
    ingress_finding_t  *f;

    o = d->object;

    field.data = (unsigned char *) where;
    field.len = ingress_where_text(where, sizeof(where), up, key);

    value.data = NULL;
    value.len = 0;

    if (node != NULL && o->kind != INGRESS_KIND_SECRET && !d->silent
        && node->type != TORII_NODE_LIST && node->type != TORII_NODE_MAP)
    {
        value = node->text;
    }

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    f = ingress_finding_add(&d->findings, severity, reason, field, value,
                            "%s", text);

    f->kind = torii_str(ingress_kind_name(o->kind));
    f->namespace = o->namespace;
    f->name = o->name;
    f->file = o->file;
    f->line = node != NULL ? node->line : o->line;
    f->column = node != NULL ? node->column : 0;
}


static size_t
ingress_where_text(char *buf, size_t size, const ingress_where_t *up,
    const char *key)
{
    int                     len;
    char                   *p, *last;
    unsigned                n;
    const ingress_where_t  *chain[INGRESS_WHERE_DEPTH];

    for (n = 0; up != NULL && n < INGRESS_WHERE_DEPTH; up = up->up) {
        chain[n++] = up;
    }

    p = buf;
    last = buf + size;
    *p = '\0';

    while (n-- && last - p > 1) {
        up = chain[n];

        if (up->index == INGRESS_NOT_LISTED) {
            len = snprintf(p, last - p, "%s%s", p == buf ? "" : ".", up->name);

        } else {
            len = snprintf(p, last - p, "%s%s[%u]", p == buf ? "" : ".",
                           up->name, (unsigned) up->index);
        }

        p += len < last - p ? len : last - p - 1;
    }

    if (key != NULL && last - p > 1) {
        len = snprintf(p, last - p, "%s%s", p == buf ? "" : ".", key);
        p += len < last - p ? len : last - p - 1;
    }

    return p - buf;
}


const char *
ingress_decode_what(const ingress_decode_t *d, const torii_node_t *node,
    char buf[64])
{
    if (d->object->kind != INGRESS_KIND_SECRET && !d->silent) {
        return torii_node_what(node, buf);
    }

    switch (node->type) {

    case TORII_NODE_LIST:
        return "a list";

    case TORII_NODE_MAP:
        return "a map";

    case TORII_NODE_STRING:
        return "a string";

    case TORII_NODE_NULL:
        return "null";

    default:
        return "a number or a boolean";
    }
}


/* Kubernetes takes "key: null" as if the key were not there. */

static const torii_node_t *
ingress_decode_value(const torii_node_t *map, const char *key)
{
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    return node != NULL && node->type == TORII_NODE_NULL ? NULL : node;
}


int
ingress_decode_is_map(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *node)
{
    char  buf[64];

    if (node->type == TORII_NODE_MAP) {
        return 1;
    }

    ingress_decode_finding(d, INGRESS_ERROR, "WrongType", at, NULL, node,
                           "is %s, a map is expected; it is left out",
                           ingress_decode_what(d, node, buf));

    return 0;
}


const torii_node_t *
ingress_decode_map(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key)
{
    ingress_where_t      at;
    const torii_node_t  *node;

    node = ingress_decode_value(map, key);

    at.up = up;
    at.name = key;
    at.index = INGRESS_NOT_LISTED;

    return node != NULL && ingress_decode_is_map(d, &at, node) ? node : NULL;
}


const torii_node_t *
ingress_decode_silent_map(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key)
{
    const torii_node_t  *node;

    d->silent = 1;
    node = ingress_decode_map(d, up, map, key);
    d->silent = 0;

    return node;
}


const torii_node_t *
ingress_decode_list(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key)
{
    char                 buf[64];
    const torii_node_t  *node;

    node = ingress_decode_value(map, key);

    if (node == NULL || node->type == TORII_NODE_LIST) {
        return node;
    }

    ingress_decode_finding(d, INGRESS_ERROR, "WrongType", up, key, node,
                           "is %s, a list is expected (\"- \" in front of "
                           "each item); it is left out",
                           ingress_decode_what(d, node, buf));

    return NULL;
}


int
ingress_decode_string(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, torii_str_t *value)
{
    const torii_node_t  *node;

    node = ingress_decode_value(map, key);
    if (node == NULL) {
        return TORII_DECLINED;
    }

    if (ingress_decode_text(d, up, key, node, value) != TORII_OK) {
        return TORII_ERROR;
    }

    *value = torii_arena_str(d->arena, *value);

    return TORII_OK;
}


/* The text of a scalar, in the tree's memory. */

static int
ingress_decode_text(ingress_decode_t *d, const ingress_where_t *up,
    const char *key, const torii_node_t *node, torii_str_t *value)
{
    char  buf[64];

    if (node->type == TORII_NODE_LIST || node->type == TORII_NODE_MAP) {
        ingress_decode_finding(d, INGRESS_ERROR, "WrongType", up, key, node,
                               "is %s, a string is expected; it is left out",
                               ingress_decode_what(d, node, buf));
        return TORII_ERROR;
    }

    if (torii_str_has_control(node->text) || !torii_str_is_utf8(node->text)) {
        ingress_decode_finding(d, INGRESS_ERROR, "ControlCharacter", up, key,
                               node, "holds a control character or invalid "
                               "UTF-8; it is left out");
        return TORII_ERROR;
    }

    if (node->type != TORII_NODE_STRING) {
        ingress_decode_finding(d, INGRESS_WARNING, "WrongType", up, key, node,
                               "is %s, a string is expected; taken as "
                               "written, put it in quotes",
                               ingress_decode_what(d, node, buf));
    }

    *value = node->text;

    return TORII_OK;
}


int
ingress_decode_name(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, size_t max, torii_str_t *value)
{
    const char          *why;
    torii_str_t          name;
    const torii_node_t  *node;

    node = ingress_decode_value(map, key);
    if (node == NULL) {
        return TORII_DECLINED;
    }

    if (ingress_decode_text(d, up, key, node, &name) != TORII_OK) {
        return TORII_ERROR;
    }

    if (name.len == 0) {
        return TORII_DECLINED;
    }

    why = ingress_name_check(name, max);

    /* a finding about a bad name of the object itself shows it, too */

    if (name.len <= INGRESS_NAME_MAX) {
        *value = torii_arena_str(d->arena, name);
    }

    if (why == NULL) {
        return TORII_OK;
    }

    ingress_decode_finding(d, INGRESS_ERROR, "BadName", up, key, node, "%s",
                           why);
    value->len = 0;

    return TORII_ERROR;
}


int
ingress_decode_host(ingress_decode_t *d, const ingress_where_t *up,
    const char *key, const torii_node_t *node, ingress_host_e use,
    torii_str_t *value)
{
    int          folded;
    size_t       i;
    const char  *why;

    if (ingress_decode_text(d, up, key, node, value) != TORII_OK) {
        return TORII_ERROR;
    }

    if (value->len > 4 * INGRESS_NAME_MAX) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadHost", up, key, node,
                               "is longer than %d bytes", INGRESS_NAME_MAX);
        return TORII_ERROR;
    }

    *value = torii_arena_str(d->arena, *value);
    folded = 0;

    for (i = 0; i < value->len; i++) {
        if (value->data[i] >= 'A' && value->data[i] <= 'Z') {
            value->data[i] |= 0x20;
            folded = 1;
        }
    }

    if (use == INGRESS_HOST_TARGET && value->len
        && value->data[value->len - 1] == '.')
    {
        value->data[--value->len] = '\0';
    }

    why = ingress_host_check(*value, use);

    if (why != NULL) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadHost", up, key, node,
                               "\"%.*s\" is no host name: %s",
                               torii_str_arg(node->text), why);
        return TORII_ERROR;
    }

    if (folded && use == INGRESS_HOST_RULE) {
        ingress_decode_finding(d, INGRESS_WARNING, "HostCase", up, key, node,
                               "taken as \"%.*s\"; write host names in lower "
                               "case, Kubernetes refuses others",
                               torii_str_arg(*value));
    }

    return TORII_OK;
}


int
ingress_decode_port(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, uint16_t *port)
{
    char                 buf[64];
    uint64_t             n;
    const torii_node_t  *node;

    node = ingress_decode_value(map, key);
    if (node == NULL) {
        return TORII_DECLINED;
    }

    if ((node->type != TORII_NODE_INT && node->type != TORII_NODE_STRING)
        || torii_str_uint(node->text, 65535, &n) != TORII_OK || n == 0)
    {
        ingress_decode_finding(d, INGRESS_ERROR, "BadPort", up, key, node,
                               "is %s, a number from 1 to 65535 is expected",
                               ingress_decode_what(d, node, buf));
        return TORII_ERROR;
    }

    if (node->type == TORII_NODE_STRING) {
        ingress_decode_finding(d, INGRESS_WARNING, "WrongType", up, key, node,
                               "is a string, a number is expected; taken as "
                               "%u, leave out the quotes", (unsigned) n);
    }

    *port = (uint16_t) n;

    return TORII_OK;
}


int
ingress_decode_port_or_name(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, ingress_port_t *port)
{
    uint64_t             n;
    const char          *why;
    torii_str_t          name;
    const torii_node_t  *node;

    node = ingress_decode_value(map, key);
    if (node == NULL) {
        return TORII_DECLINED;
    }

    if (node->type != TORII_NODE_STRING
        || torii_str_uint(node->text, UINT64_MAX, &n) == TORII_OK)
    {
        return ingress_decode_port(d, up, map, key, &port->number);
    }

    if (ingress_decode_text(d, up, key, node, &name) != TORII_OK) {
        return TORII_ERROR;
    }

    why = ingress_port_name_check(name);

    if (why != NULL) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadPort", up, key, node,
                               "is neither a number from 1 to 65535 nor the "
                               "name of a port: %s", why);
        return TORII_ERROR;
    }

    port->name = torii_arena_str(d->arena, name);

    return TORII_OK;
}


int
ingress_decode_tcp(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map)
{
    torii_str_t  s;

    if (ingress_decode_string(d, up, map, "protocol", &s) != TORII_OK
        || s.len == 0 || torii_str_eqs(s, "TCP"))
    {
        return 1;
    }

    if (!torii_str_eqs(s, "UDP") && !torii_str_eqs(s, "SCTP")) {
        ingress_decode_finding(d, INGRESS_ERROR, "UnknownProtocol", up,
                               "protocol", torii_node_get(map, "protocol"),
                               "must be TCP, UDP or SCTP; only TCP is served");
    }

    return 0;
}


unsigned
ingress_decode_bool(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, unsigned unset)
{
    char                 buf[64];
    const torii_node_t  *node;

    node = ingress_decode_value(map, key);
    if (node == NULL) {
        return unset;
    }

    if (node->type == TORII_NODE_BOOL) {
        return node->boolean;
    }

    ingress_decode_finding(d, INGRESS_ERROR, "WrongType", up, key, node,
                           "is %s, true or false is expected; taken as %s",
                           ingress_decode_what(d, node, buf),
                           unset ? "true" : "false");

    return unset;
}


void
ingress_decode_unknown(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *const *known)
{
    char         key[64];
    uint32_t     i, k;
    const char  *like;

    for (i = 0; i < map->n; i++) {

        for (k = 0; known[k] != NULL; k++) {
            if (torii_str_eqs(map->keys[i], known[k])) {
                break;
            }
        }

        if (known[k] != NULL) {
            continue;
        }

        if (d->findings.n >= d->findings.max) {
            return;
        }

        (void) snprintf(key, sizeof(key), "%.*s", map->keys[i].len < 60
                        ? (int) map->keys[i].len : 60,
                        (const char *) map->keys[i].data);

        like = ingress_decode_suggest(known, map->keys[i]);

        if (like != NULL) {
            ingress_decode_finding(d, INGRESS_WARNING, "UnknownField", up, key,
                                   map->items[i], "unknown field, it does "
                                   "nothing; did you mean \"%s\"?", like);

        } else {
            ingress_decode_finding(d, INGRESS_WARNING, "UnknownField", up, key,
                                   map->items[i],
                                   "unknown field, it does nothing");
        }
    }
}


static const char *
ingress_decode_suggest(const char *const *known, torii_str_t key)
{
    uint32_t     k;
    unsigned     distance, least;
    const char  *like;

    least = 3;
    like = NULL;

    if (key.len > INGRESS_LABEL_MAX) {
        return NULL;
    }

    for (k = 0; known[k] != NULL; k++) {

        if (torii_str_caseeqs(key, known[k])) {
            return known[k];
        }

        distance = torii_str_distance(key, torii_str(known[k]), 3);

        if (distance < least) {
            least = distance;
            like = known[k];
        }
    }

    return like;
}
