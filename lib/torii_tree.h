
/*
 * A document as a tree: what YAML and JSON have in common.  Scalars keep their
 * text as written, so that "on", "0x10" or "1e3" can be reported and used as
 * the author wrote them, and every node knows its line and column.
 */

#ifndef _TORII_TREE_H_INCLUDED_
#define _TORII_TREE_H_INCLUDED_


#include "torii.h"


typedef enum {
    TORII_NODE_NULL = 0,
    TORII_NODE_BOOL,
    TORII_NODE_INT,
    TORII_NODE_REAL,
    TORII_NODE_STRING,
    TORII_NODE_LIST,
    TORII_NODE_MAP
} torii_node_type_e;

typedef struct torii_node_s  torii_node_t;

struct torii_node_s {
    uint8_t         type;      /* torii_node_type_e */
    uint8_t         boolean;   /* BOOL: 0 or 1 */
    uint32_t        line;      /* of the node's first byte, from 1 */
    uint32_t        column;    /* from 1 */
    uint32_t        n;         /* LIST, MAP: number of items */
    torii_str_t     text;      /* scalars: as written, unquoted, NUL after it */
    torii_node_t  **items;     /* LIST: items; MAP: values */
    torii_str_t    *keys;      /* MAP: keys, in document order, unique */
};

typedef struct {
    size_t          bytes;     /* of the input; 0 is no limit, in all three */
    uint32_t        nodes;     /* aliases count as what they stand for */
    uint32_t        depth;     /* of lists and maps */
} torii_tree_limits_t;

typedef struct {
    uint32_t        line;
    uint32_t        column;
    char            text[192]; /* "line L, column C: what is wrong" */
} torii_tree_error_t;


/* Generous for one file of manifests: 64 MB, 4,000,000 nodes, depth 64. */
extern const torii_tree_limits_t  torii_tree_limits;


/*
 * Read all documents of a YAML stream (1.1 by libyaml, scalars resolved as
 * Kubernetes' own reader does; JSON is accepted as YAML).  Empty documents are
 * left out.  The nodes live in the arena.  Aliases become shared nodes; an
 * alias inside its own anchor, a duplicate key, an unknown tag, invalid UTF-8
 * or a limit passed is an error, and then nothing is returned.
 */
int torii_tree_yaml(torii_arena_t *a, torii_str_t in,
    const torii_tree_limits_t *limits, torii_node_t ***docs, uint32_t *n,
    torii_tree_error_t *error);

/*
 * One JSON document by jansson, duplicate keys refused.  Nodes have no
 * position (line 0), errors have one; numbers keep their value, not their text.
 */
int torii_tree_json(torii_arena_t *a, torii_str_t in,
    const torii_tree_limits_t *limits, torii_node_t **doc,
    torii_tree_error_t *error);

/* The value of a key, or NULL; NULL too if map is NULL or no MAP. */
torii_node_t *torii_node_get(const torii_node_t *map, const char *key);

/* "a map", "a string", "the number 0", "the boolean on": for error texts. */
const char *torii_node_what(const torii_node_t *node, char buf[64]);


#endif /* _TORII_TREE_H_INCLUDED_ */
