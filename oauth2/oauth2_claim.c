
/*
 * Members of JSON documents.
 */

#include <stdlib.h>

#include "oauth2_claim.h"


#define OAUTH2_CLAIM_NODES  20000
#define OAUTH2_CLAIM_DEPTH  16
#define OAUTH2_CLAIM_TIME   4000000000000000LL
#define OAUTH2_POINTER_MAX  255


torii_node_t *
oauth2_claims(torii_arena_t *a, torii_str_t json, size_t bytes)
{
    torii_node_t         *doc;
    torii_tree_error_t    error;
    torii_tree_limits_t   limits;

    limits.bytes = bytes;
    limits.nodes = OAUTH2_CLAIM_NODES;
    limits.depth = OAUTH2_CLAIM_DEPTH;

    if (json.len == 0
        || torii_tree_json(a, json, &limits, &doc, &error) != TORII_OK
        || doc->type != TORII_NODE_MAP)
    {
        return NULL;
    }

    return doc;
}


int
oauth2_claim_str(const torii_node_t *map, const char *name, size_t max,
    torii_str_t *value)
{
    torii_node_t  *node;

    *value = torii_str("");

    node = torii_node_get(map, name);

    if (node == NULL || node->type == TORII_NODE_NULL) {
        return TORII_DECLINED;
    }

    if (node->type != TORII_NODE_STRING || node->text.len > max
        || torii_str_has_control(node->text))
    {
        return TORII_ERROR;
    }

    *value = node->text;

    return TORII_OK;
}


int
oauth2_claim_time(const torii_node_t *map, const char *name, int64_t *value)
{
    double         real;
    uint64_t       number;
    torii_node_t  *node;

    *value = 0;

    node = torii_node_get(map, name);
    if (node == NULL) {
        return TORII_DECLINED;
    }

    if (node->type == TORII_NODE_INT) {

        if (torii_str_uint(node->text, OAUTH2_CLAIM_TIME, &number)
            != TORII_OK)
        {
            return TORII_ERROR;
        }

        *value = (int64_t) number;
        return TORII_OK;
    }

    if (node->type != TORII_NODE_REAL) {
        return TORII_ERROR;
    }

    real = strtod((char *) node->text.data, NULL);

    if (!(real >= 0 && real <= (double) OAUTH2_CLAIM_TIME)) {
        return TORII_ERROR;
    }

    *value = (int64_t) real;

    return TORII_OK;
}


/* "~1" is "/", "~0" is "~"; a key of more bytes than text has is none. */

static const char *
oauth2_claim_key(torii_str_t token, char text[OAUTH2_POINTER_MAX + 1])
{
    size_t  i, n;

    if (token.len > OAUTH2_POINTER_MAX) {
        return NULL;
    }

    n = 0;

    for (i = 0; i < token.len; i++) {

        if (token.data[i] == '~') {
            i++;

            if (i == token.len
                || (token.data[i] != '0' && token.data[i] != '1'))
            {
                return NULL;
            }

            text[n++] = (token.data[i] == '0') ? '~' : '/';
            continue;
        }

        if (token.data[i] == '\0') {
            return NULL;
        }

        text[n++] = (char) token.data[i];
    }

    text[n] = '\0';

    return text;
}


torii_node_t *
oauth2_claim_find(const torii_node_t *map, torii_str_t path)
{
    char                 text[OAUTH2_POINTER_MAX + 1];
    uint64_t             i;
    const char          *key;
    torii_str_t          token;
    const torii_node_t  *node;

    if (!torii_str_starts(path, "/")) {

        if (path.len > OAUTH2_POINTER_MAX
            || (path.len && memchr(path.data, '\0', path.len)))
        {
            return NULL;
        }

        memcpy(text, path.len ? (char *) path.data : "", path.len);
        text[path.len] = '\0';

        return torii_node_get(map, text);
    }

    node = map;
    path.data++;
    path.len--;

    while (node && torii_str_next(&path, "/", &token)) {

        if (node->type == TORII_NODE_LIST) {
            node = (torii_str_uint(token, node->n, &i) == TORII_OK
                    && i < node->n) ? node->items[i] : NULL;
            continue;
        }

        key = oauth2_claim_key(token, text);
        node = key ? torii_node_get(node, key) : NULL;
    }

    return (torii_node_t *) node;
}


int
oauth2_claim_true(const torii_node_t *node)
{
    if (node == NULL) {
        return 0;
    }

    if (node->type == TORII_NODE_BOOL) {
        return node->boolean;
    }

    return node->type == TORII_NODE_STRING && torii_str_eqs(node->text, "true");
}
