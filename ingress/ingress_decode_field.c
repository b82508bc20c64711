
/*
 * Typed fields that only some kinds have: one of a set, numbers, durations,
 * lists of strings, references to Secrets.
 */

#include <stdio.h>

#include "ingress_decode.h"


/* int64_t of nanoseconds, as in Go */
#define INGRESS_DURATION_MAX  9223372036.0


typedef struct {
    const char  *name;
    double       seconds;
} ingress_duration_unit_t;


static int ingress_item_text(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *node, torii_str_t *value);
static int ingress_duration_number(const unsigned char **p,
    const unsigned char *last, double *value);
static int ingress_duration_unit(const unsigned char **p,
    const unsigned char *last, double *seconds);


/* longer names first where one begins with another */

static const ingress_duration_unit_t  ingress_duration_units[] = {
    { "ns", 1e-9 },
    { "us", 1e-6 },
    { "\xc2\xb5s", 1e-6 },            /* micro sign */
    { "\xce\xbcs", 1e-6 },            /* Greek letter mu */
    { "ms", 1e-3 },
    { "s", 1 },
    { "m", 60 },
    { "h", 3600 },
    { NULL, 0 }
};


int
ingress_decode_choice(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, const char *const *table,
    uint32_t *choice)
{
    int          rc;
    char         names[256];
    size_t       len;
    uint32_t     i;
    torii_str_t  s;

    rc = ingress_decode_string(d, up, map, key, &s);

    if (rc != TORII_OK || s.len == 0) {
        return rc == TORII_OK ? TORII_DECLINED : rc;
    }

    len = 0;
    names[0] = '\0';

    for (i = 0; table[i] != NULL; i++) {

        if (torii_str_eqs(s, table[i])) {
            *choice = i;
            return TORII_OK;
        }

        if (len < sizeof(names)) {
            len += snprintf(names + len, sizeof(names) - len, "%s%s",
                            i ? ", " : "", table[i]);
        }
    }

    ingress_decode_finding(d, INGRESS_ERROR, "BadValue", up, key,
                           torii_node_get(map, key),
                           "must be one of: %s", names);

    return TORII_ERROR;
}


int
ingress_decode_number(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, uint32_t min, uint32_t max,
    uint32_t *value)
{
    char                 buf[64];
    uint64_t             n;
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    if (node == NULL || node->type == TORII_NODE_NULL) {
        return TORII_DECLINED;
    }

    if (node->type != TORII_NODE_INT
        || torii_str_uint(node->text, max, &n) != TORII_OK || n < min)
    {
        ingress_decode_finding(d, INGRESS_ERROR, "BadValue", up, key, node,
                               "is %s, a number from %u to %u is expected",
                               ingress_decode_what(d, node, buf),
                               (unsigned) min, (unsigned) max);
        return TORII_ERROR;
    }

    *value = (uint32_t) n;

    return TORII_OK;
}


int
ingress_decode_duration(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, int64_t min, int64_t *seconds)
{
    int          rc;
    int64_t      n;
    torii_str_t  s;

    rc = ingress_decode_string(d, up, map, key, &s);
    if (rc != TORII_OK) {
        return rc;
    }

    if (ingress_duration_parse(s, &n) != TORII_OK || n < min) {
        ingress_decode_finding(d, INGRESS_ERROR, "BadDuration", up, key,
                               torii_node_get(map, key),
                               "is no duration of %d s or more, such as "
                               "\"2160h\" or \"1h30m\"; it is left out",
                               (int) min);
        return TORII_ERROR;
    }

    *seconds = n;

    return TORII_OK;
}


int
ingress_duration_parse(torii_str_t s, int64_t *seconds)
{
    double                sum, value, unit;
    const unsigned char  *p, *last;

    if (s.len == 0) {
        return TORII_ERROR;
    }

    p = s.data;
    last = p + s.len;

    if (*p == '+' && s.len > 1) {
        p++;
    }

    if (last - p == 1 && *p == '0') {
        *seconds = 0;
        return TORII_OK;
    }

    sum = 0;

    while (p < last) {

        if (ingress_duration_number(&p, last, &value) != TORII_OK
            || ingress_duration_unit(&p, last, &unit) != TORII_OK)
        {
            return TORII_ERROR;
        }

        sum += value * unit;

        if (sum > INGRESS_DURATION_MAX) {
            return TORII_ERROR;
        }
    }

    /* a sum of fractions such as 0.7 s + 0.3 s is short by a rounding */

    *seconds = (int64_t) (sum + 1e-6);

    return TORII_OK;
}


static int
ingress_duration_number(const unsigned char **p, const unsigned char *last,
    double *value)
{
    double                scale;
    unsigned              digits;
    const unsigned char  *c;

    *value = 0;
    scale = 0;
    digits = 0;

    for (c = *p; c < last; c++) {

        if (*c == '.' && scale == 0) {
            scale = 1;
            continue;
        }

        if (*c < '0' || *c > '9') {
            break;
        }

        digits++;

        if (scale == 0) {
            *value = *value * 10 + (*c - '0');

        } else {
            scale /= 10;
            *value += (*c - '0') * scale;
        }
    }

    *p = c;

    return digits ? TORII_OK : TORII_ERROR;
}


static int
ingress_duration_unit(const unsigned char **p, const unsigned char *last,
    double *seconds)
{
    size_t                          len;
    const ingress_duration_unit_t  *u;

    for (u = ingress_duration_units; u->name != NULL; u++) {
        len = strlen(u->name);

        if ((size_t) (last - *p) >= len && memcmp(*p, u->name, len) == 0) {
            *p += len;
            *seconds = u->seconds;
            return TORII_OK;
        }
    }

    return TORII_ERROR;
}


int
ingress_decode_strings(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, ingress_decode_item_pt read,
    ingress_strings_t *list)
{
    int                  rc;
    uint32_t             i;
    ingress_where_t      at;
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    if (node == NULL || node->type == TORII_NODE_NULL) {
        return TORII_OK;
    }

    node = ingress_decode_list(d, up, map, key);
    if (node == NULL) {
        return TORII_ERROR;
    }

    list->elts = torii_arena_zalloc(d->arena, node->n * sizeof(torii_str_t));

    at.up = up;
    at.name = key;
    rc = TORII_OK;

    if (read == NULL) {
        read = ingress_item_text;
    }

    for (i = 0; i < node->n; i++) {
        at.index = i;

        if (read(d, &at, node->items[i], &list->elts[list->n]) == TORII_OK) {
            list->n++;

        } else {
            rc = TORII_ERROR;
        }
    }

    return rc;
}


static int
ingress_item_text(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *node, torii_str_t *value)
{
    char  buf[64];

    if (node->type == TORII_NODE_STRING && node->text.len
        && !torii_str_has_control(node->text)
        && torii_str_is_utf8(node->text))
    {
        *value = torii_arena_str(d->arena, node->text);
        return TORII_OK;
    }

    ingress_decode_finding(d, INGRESS_ERROR, "WrongType", up, NULL, node,
                           "is %s, a line of text is expected; it is left "
                           "out", ingress_decode_what(d, node, buf));

    return TORII_ERROR;
}


int
ingress_item_host(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *node, torii_str_t *value)
{
    return ingress_decode_host(d, up, NULL, node, INGRESS_HOST_RULE, value);
}


int
ingress_item_zone(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *node, torii_str_t *value)
{
    return ingress_decode_host(d, up, NULL, node, INGRESS_HOST_TARGET, value);
}


int
ingress_item_address(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *node, torii_str_t *value)
{
    if (ingress_item_text(d, up, node, value) != TORII_OK) {
        return TORII_ERROR;
    }

    if (ingress_is_address(*value)) {
        return TORII_OK;
    }

    ingress_decode_finding(d, INGRESS_ERROR, "BadAddress", up, NULL, node,
                           "is no IP address; it is left out");

    return TORII_ERROR;
}


int
ingress_decode_secret(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, const char *unset,
    ingress_secret_ref_t *ref)
{
    int                  rc;
    ingress_where_t      at;
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    if (node == NULL || node->type == TORII_NODE_NULL) {
        return TORII_DECLINED;
    }

    node = ingress_decode_silent_map(d, up, map, key);
    if (node == NULL) {
        return TORII_ERROR;
    }

    at.up = up;
    at.name = key;
    at.index = INGRESS_NOT_LISTED;

    rc = ingress_decode_name(d, &at, node, "name", INGRESS_NAME_MAX,
                             &ref->name);

    if (rc == TORII_OK) {
        rc = ingress_decode_string(d, &at, node, "key", &ref->key);

        if (rc == TORII_ERROR) {
            ref->name.len = 0;
            return TORII_ERROR;
        }

        if (rc == TORII_OK && ref->key.len) {
            return TORII_OK;
        }

        if (unset != NULL) {
            ref->key = torii_arena_str(d->arena, torii_str(unset));
            return TORII_OK;
        }

        ref->name.len = 0;
    }

    if (rc != TORII_ERROR) {
        ingress_decode_finding(d, INGRESS_ERROR, "NoSecret", &at, NULL, node,
                               "must have the name of a Secret and a key of "
                               "its data");
    }

    return TORII_ERROR;
}
