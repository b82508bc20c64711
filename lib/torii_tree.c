
/*
 * What the readers of YAML and JSON share, and the questions asked of a tree.
 */

#include <stdarg.h>
#include <stdio.h>

#include "torii_tree.h"


const torii_tree_limits_t  torii_tree_limits = {
    64 * 1024 * 1024,
    4000000,
    64
};


torii_node_t *
torii_node_get(const torii_node_t *map, const char *key)
{
    size_t    len;
    uint32_t  i;

    if (map == NULL || map->type != TORII_NODE_MAP) {
        return NULL;
    }

    len = strlen(key);

    for (i = 0; i < map->n; i++) {
        if (map->keys[i].len == len
            && memcmp(map->keys[i].data, key, len) == 0)
        {
            return map->items[i];
        }
    }

    return NULL;
}


const char *
torii_node_what(const torii_node_t *node, char buf[64])
{
    int  len;

    if (node == NULL) {
        return "nothing";
    }

    len = (node->text.len < 40) ? (int) node->text.len : 40;

    switch (node->type) {

    case TORII_NODE_BOOL:
        (void) snprintf(buf, 64, "the boolean %.*s", len,
                        (char *) node->text.data);
        return buf;

    case TORII_NODE_INT:
    case TORII_NODE_REAL:
        (void) snprintf(buf, 64, "the number %.*s", len,
                        (char *) node->text.data);
        return buf;

    case TORII_NODE_STRING:
        return "a string";

    case TORII_NODE_LIST:
        return "a list";

    case TORII_NODE_MAP:
        return "a map";
    }

    return "null";
}
