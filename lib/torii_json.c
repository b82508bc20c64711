
/*
 * JSON to a tree, by jansson.  It tells no positions of values, so that nodes
 * have line 0; an error has line and column.
 */

#include <stdio.h>
#include <stdlib.h>
#include <jansson.h>

#include "torii_tree.h"


#define TORII_JSON_ARENA  (64 * 1024)


static json_t *torii_json_load(torii_str_t in, json_error_t *err);
static void *torii_json_alloc(size_t size);
static void torii_json_free(void *p);
static torii_node_t *torii_json_node(torii_arena_t *a, json_t *value);


/* Where jansson's memory comes from while it reads. */

static torii_arena_t  *torii_json_arena;


static int
torii_json_fail(torii_tree_error_t *error, int line, int column,
    const char *text)
{
    size_t       len;
    const char  *near;

    /* what jansson quotes may be a secret, and is the author's own anyway */

    near = strstr(text, " near ");
    len = (near != NULL) ? (size_t) (near - text) : strlen(text);

    error->line = (line > 0) ? line : 1;
    error->column = (column > 0) ? column : 1;

    (void) snprintf(error->text, sizeof(error->text),
                    "line %u, column %u: %.*s", (unsigned) error->line,
                    (unsigned) error->column, (int) (len < 120 ? len : 120),
                    text);

    return TORII_ERROR;
}


/*
 * Depth and number of values, before jansson spends memory on them: each value
 * follows a comma, opens the document or is the first of a list or map.
 */

static int
torii_json_scan(torii_str_t in, const torii_tree_limits_t *limits,
    torii_tree_error_t *error)
{
    int             quoted;
    size_t          i, start;
    uint32_t        line, depth, nodes;

    quoted = 0;
    start = 0;
    line = 1;
    depth = 0;
    nodes = 1;

    for (i = 0; i < in.len; i++) {

        switch (in.data[i]) {

        case '"':
            quoted = !quoted;
            break;

        case '\\':
            i++;
            break;

        case '\n':
            line++;
            start = i + 1;
            break;

        case '[':
        case '{':
            depth += !quoted;

            /* fall through */

        case ',':
            nodes += !quoted;
            break;

        case ']':
        case '}':
            depth -= (!quoted && depth != 0);
            break;
        }

        if (limits->depth && depth > limits->depth) {
            return torii_json_fail(error, line, (int) (i - start) + 1,
                                   "nested too deeply");
        }

        if (limits->nodes && nodes > limits->nodes) {
            return torii_json_fail(error, line, (int) (i - start) + 1,
                                   "too many values");
        }
    }

    return TORII_OK;
}


static torii_node_t *
torii_json_list(torii_arena_t *a, torii_node_t *node, json_t *value)
{
    uint32_t  i;

    node->type = TORII_NODE_LIST;
    node->n = (uint32_t) json_array_size(value);
    node->items = torii_arena_alloc(a, node->n * sizeof(torii_node_t *));

    for (i = 0; i < node->n; i++) {
        node->items[i] = torii_json_node(a, json_array_get(value, i));
    }

    return node;
}


static torii_node_t *
torii_json_map(torii_arena_t *a, torii_node_t *node, json_t *value)
{
    void      *iter;
    uint32_t   i;

    node->type = TORII_NODE_MAP;
    node->n = (uint32_t) json_object_size(value);
    node->items = torii_arena_alloc(a, node->n * sizeof(torii_node_t *));
    node->keys = torii_arena_alloc(a, node->n * sizeof(torii_str_t));

    iter = json_object_iter(value);

    for (i = 0; i < node->n; i++) {
        node->keys[i] = torii_arena_str(a,
                                        torii_str(json_object_iter_key(iter)));
        node->items[i] = torii_json_node(a, json_object_iter_value(iter));

        iter = json_object_iter_next(value, iter);
    }

    return node;
}


/* The shortest text that is the same number: "0.1" stays "0.1", "1.0" too. */

static torii_str_t
torii_json_real(torii_arena_t *a, double value)
{
    int   digits;
    char  text[40];

    for (digits = 15; digits <= 17; digits++) {
        (void) snprintf(text, sizeof(text), "%.*g", digits, value);

        if (strtod(text, NULL) == value) {
            break;
        }
    }

    return torii_arena_printf(a, "%s%s", text,
                              strpbrk(text, ".e") == NULL ? ".0" : "");
}


static torii_node_t *
torii_json_node(torii_arena_t *a, json_t *value)
{
    torii_str_t    s;
    torii_node_t  *node;

    node = torii_arena_zalloc(a, sizeof(torii_node_t));

    switch (json_typeof(value)) {

    case JSON_OBJECT:
        return torii_json_map(a, node, value);

    case JSON_ARRAY:
        return torii_json_list(a, node, value);

    case JSON_STRING:
        node->type = TORII_NODE_STRING;
        s.data = (unsigned char *) json_string_value(value);
        s.len = json_string_length(value);
        node->text = torii_arena_str(a, s);
        break;

    case JSON_INTEGER:
        node->type = TORII_NODE_INT;
        node->text = torii_arena_printf(a, "%lld",
                                        (long long) json_integer_value(value));
        break;

    case JSON_REAL:
        node->type = TORII_NODE_REAL;
        node->text = torii_json_real(a, json_real_value(value));
        break;

    case JSON_TRUE:
    case JSON_FALSE:
        node->type = TORII_NODE_BOOL;
        node->boolean = json_is_true(value);
        node->text = torii_str(node->boolean ? "true" : "false");
        break;

    case JSON_NULL:
        node->text = torii_str("null");
        break;
    }

    return node;
}


int
torii_tree_json(torii_arena_t *a, torii_str_t in,
    const torii_tree_limits_t *limits, torii_node_t **doc,
    torii_tree_error_t *error)
{
    json_t        *root;
    json_error_t   err;

    if (limits->bytes && in.len > limits->bytes) {
        return torii_json_fail(error, 1, 1, "the input is too large");
    }

    if (torii_json_scan(in, limits, error) != TORII_OK) {
        return TORII_ERROR;
    }

    torii_json_arena = torii_arena_create(TORII_JSON_ARENA);

    root = torii_json_load(in, &err);

    if (root != NULL) {
        *doc = torii_json_node(a, root);
    }

    torii_arena_destroy(torii_json_arena);
    torii_json_arena = NULL;

    return root != NULL ? TORII_OK
                        : torii_json_fail(error, err.line, err.column,
                                          err.text);
}


/*
 * The values live for a moment only, but are many: from malloc() one by one,
 * among objects that stay, they would take twice the time.  Whoever else uses
 * jansson in this process finds its own functions afterwards.
 */

static json_t *
torii_json_load(torii_str_t in, json_error_t *err)
{
    json_t         *root;
    json_free_t     free_fn;
    json_malloc_t   malloc_fn;

    json_get_alloc_funcs(&malloc_fn, &free_fn);
    json_set_alloc_funcs(torii_json_alloc, torii_json_free);

    root = json_loadb(in.len ? (char *) in.data : "", in.len,
                      JSON_REJECT_DUPLICATES|JSON_DECODE_ANY|JSON_ALLOW_NUL,
                      err);

    json_set_alloc_funcs(malloc_fn, free_fn);

    return root;
}


static void *
torii_json_alloc(size_t size)
{
    return torii_arena_alloc(torii_json_arena, size);
}


static void
torii_json_free(void *p)
{
    /* goes with the arena */
}
