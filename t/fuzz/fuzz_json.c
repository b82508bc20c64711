
/*
 * Any bytes as JSON: a tree, which written out and read again is the same, or
 * an error with a position.
 */

#include <stdlib.h>

#include "torii_tree.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const torii_tree_limits_t  fuzz_limits = { 64 * 1024, 5000, 16 };


static void
fuzz_write(torii_buf_t *b, const torii_node_t *node)
{
    uint32_t  i;

    if (node->type == TORII_NODE_STRING) {
        torii_buf_add_json(b, node->text);
        return;
    }

    if (node->type != TORII_NODE_LIST && node->type != TORII_NODE_MAP) {
        torii_buf_add_str(b, node->text);
        return;
    }

    torii_buf_adds(b, node->type == TORII_NODE_LIST ? "[" : "{");

    for (i = 0; i < node->n; i++) {
        torii_buf_adds(b, i ? "," : "");

        if (node->type == TORII_NODE_MAP) {
            torii_buf_add_json(b, node->keys[i]);
            torii_buf_adds(b, ":");
        }

        fuzz_write(b, node->items[i]);
    }

    torii_buf_adds(b, node->type == TORII_NODE_LIST ? "]" : "}");
}


static int
fuzz_read(torii_str_t in, torii_buf_t *out)
{
    torii_node_t        *doc;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    a = torii_arena_create(1024);

    if (torii_tree_json(a, in, &fuzz_limits, &doc, &error) != TORII_OK) {
        if (error.line == 0 || error.column == 0
            || memcmp(error.text, "line ", 5) != 0)
        {
            abort();
        }

        torii_arena_destroy(a);
        return TORII_ERROR;
    }

    fuzz_write(out, doc);
    torii_arena_destroy(a);

    return TORII_OK;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    torii_str_t  in;
    torii_buf_t  first = { NULL, 0, 0 }, second = { NULL, 0, 0 };

    in.data = (unsigned char *) data;
    in.len = size;

    if (fuzz_read(in, &first) == TORII_OK
        && first.len <= fuzz_limits.bytes)
    {
        in.data = first.data;
        in.len = first.len;

        if (fuzz_read(in, &second) != TORII_OK
            || first.len != second.len
            || memcmp(first.data, second.data, first.len) != 0)
        {
            abort();
        }
    }

    torii_buf_free(&first);
    torii_buf_free(&second);

    return 0;
}
