
/*
 * Any bytes as YAML: a tree within its limits, or an error with a position.
 */

#include <stdlib.h>

#include "torii_tree.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const torii_tree_limits_t  fuzz_limits = { 64 * 1024, 5000, 16 };


static uint32_t
fuzz_walk(const torii_node_t *node, uint32_t depth)
{
    char      buf[64];
    uint32_t  i, n;

    if (depth > fuzz_limits.depth || strlen(torii_node_what(node, buf)) > 63) {
        abort();
    }

    if (node->type == TORII_NODE_LIST || node->type == TORII_NODE_MAP) {
        n = 1;

        for (i = 0; i < node->n; i++) {
            if (node->keys != NULL
                && torii_node_get(node, (char *) node->keys[i].data) == NULL
                && memchr(node->keys[i].data, '\0', node->keys[i].len) == NULL)
            {
                abort();
            }

            n += fuzz_walk(node->items[i], depth + 1);
        }

        return n;
    }

    if (node->text.data[node->text.len] != '\0'
        || !torii_str_is_utf8(node->text))
    {
        abort();
    }

    return 1;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t              i, n, nodes;
    torii_str_t           in;
    torii_node_t        **docs;
    torii_arena_t        *a;
    torii_tree_error_t    error;

    a = torii_arena_create(1024);

    in.data = (unsigned char *) data;
    in.len = size;

    if (torii_tree_yaml(a, in, &fuzz_limits, &docs, &n, &error) == TORII_OK) {
        nodes = 0;

        for (i = 0; i < n; i++) {
            nodes += fuzz_walk(docs[i], 0);
        }

        if (nodes > fuzz_limits.nodes) {
            abort();
        }

    } else if (error.line == 0 || error.column == 0
               || memcmp(error.text, "line ", 5) != 0)
    {
        abort();
    }

    torii_arena_destroy(a);

    return 0;
}
