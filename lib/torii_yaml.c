
/*
 * YAML to trees, from libyaml's events.  Items of open lists and maps wait on a
 * stack and go to the arena, as arrays of the right size, when the list or map
 * ends.
 */

#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "torii_yaml.h"


#define TORII_YAML_TAG         "tag:yaml.org,2002:"

/* Maps up to this size find duplicate keys by comparing all pairs. */
#define TORII_YAML_FEW         12

#define TORII_YAML_ITEMS       64

/* Of a whole stream; nobody writes any. */
#define TORII_YAML_DIRECTIVES  16


/* An item of an open list or map. */

typedef struct {
    torii_str_t       key;
    torii_node_t     *value;
    uint32_t          line;       /* of the key */
    uint32_t          column;
    unsigned          merge;      /* the key is a plain "<<" */
} torii_yaml_item_t;

/* An open list or map. */

typedef struct {
    torii_node_t     *node;
    size_t            first;      /* of its items on the stack */
    uint32_t          height;     /* of the collections in it */
    unsigned          key:1;      /* MAP: a key waits for its value */
    unsigned          merge:1;    /* has a merge key */
    size_t            anchor;     /* 1 + index of its anchor, 0: none */
} torii_yaml_level_t;

/*
 * An anchor, and what an alias to it would add.  Until its node ends, the
 * latter two hold what had been counted when it began.
 */

typedef struct {
    torii_str_t       name;
    torii_node_t     *node;
    unsigned          open;
    uint32_t          height;
    uint64_t          nodes;
    uint64_t          bytes;
} torii_yaml_anchor_t;

/* Strings to numbers; slots hold 1 + number. */

typedef struct {
    uint32_t         *slots;
    size_t            mask;
} torii_yaml_index_t;

typedef struct {
    torii_arena_t          *arena;
    torii_tree_error_t     *error;
    torii_str_t             in;
    yaml_parser_t           parser;
    yaml_event_t            event;

    uint64_t                max_nodes;
    uint64_t                max_bytes;
    uint32_t                max_depth;
    uint64_t                nodes;
    uint64_t                bytes;      /* of scalars */

    torii_yaml_item_t      *items;
    size_t                  nitems;
    size_t                  items_size;

    torii_yaml_level_t     *levels;
    size_t                  nlevels;
    size_t                  levels_size;

    torii_yaml_anchor_t    *anchors;
    size_t                  nanchors;
    size_t                  anchors_size;
    torii_yaml_index_t      names;      /* the latest anchor of each name */

    torii_node_t          **docs;
    size_t                  ndocs;
    size_t                  docs_size;
} torii_yaml_t;


/* Room for one more of p[n]. */

#define torii_yaml_grow(p, n, size)                                           \
    if (n == size) {                                                          \
        size = size ? size * 2 : 16;                                          \
        p = torii_realloc(p, size * sizeof(*p));                              \
    }


static int
torii_yaml_fail(torii_yaml_t *y, uint32_t line, uint32_t column,
    const char *text)
{
    y->error->line = line;
    y->error->column = column;

    (void) snprintf(y->error->text, sizeof(y->error->text),
                    "line %u, column %u: %s", (unsigned) line,
                    (unsigned) column, text);

    return TORII_ERROR;
}


static int
torii_yaml_event_fail(torii_yaml_t *y, const char *text)
{
    return torii_yaml_fail(y, (uint32_t) y->event.start_mark.line + 1,
                           (uint32_t) y->event.start_mark.column + 1, text);
}


/* Is the line indented by a tab?  libyaml's words do not say so. */

static int
torii_yaml_tab(torii_str_t in, size_t line)
{
    unsigned char  *p, *last;

    p = in.data;
    last = in.data + in.len;

    while (line > 1) {
        p = memchr(p, '\n', last - p);
        if (p == NULL) {
            return 0;
        }

        p++;
        line--;
    }

    while (p < last && *p == ' ') {
        p++;
    }

    return p < last && *p == '\t';
}


/* A byte that is no UTF-8, or a control byte: the reader knows an offset. */

static int
torii_yaml_reader_fail(torii_yaml_t *y)
{
    size_t       i, start;
    uint32_t     line;
    const char  *text;

    line = 1;
    start = 0;

    for (i = 0; i < y->parser.problem_offset && i < y->in.len; i++) {
        if (y->in.data[i] == '\n') {
            line++;
            start = i + 1;
        }
    }

    text = y->parser.problem;

    return torii_yaml_fail(y, line, (uint32_t) (i - start) + 1,
                           text ? text : "cannot be read");
}


static int
torii_yaml_parser_fail(torii_yaml_t *y)
{
    char            text[160];
    yaml_parser_t  *p;

    p = &y->parser;

    if (p->error == YAML_READER_ERROR) {
        return torii_yaml_reader_fail(y);
    }

    if (p->problem == NULL) {
        return torii_yaml_fail(y, (uint32_t) p->mark.line + 1,
                               (uint32_t) p->mark.column + 1,
                               "cannot be parsed");
    }

    if (strstr(p->problem, "cannot start any token") != NULL
        && torii_yaml_tab(y->in, p->problem_mark.line + 1))
    {
        (void) snprintf(text, sizeof(text),
                        "the line is indented with a tab; use spaces");

    } else if (p->context != NULL) {
        (void) snprintf(text, sizeof(text), "%s %s that began in line %zu",
                        p->problem, p->context, p->context_mark.line + 1);

    } else {
        (void) snprintf(text, sizeof(text), "%s", p->problem);
    }

    return torii_yaml_fail(y, (uint32_t) p->problem_mark.line + 1,
                           (uint32_t) p->problem_mark.column + 1, text);
}


/*
 * The slot of a string: free (0), or of an equal one.  The strings are the
 * first fields of records that are stride bytes apart.
 */

static uint32_t *
torii_yaml_slot(torii_yaml_index_t *index, torii_str_t s, const void *strings,
    size_t stride)
{
    size_t              i;
    const torii_str_t  *other;

    i = torii_hash(s.data, s.len, 0) & index->mask;

    while (index->slots[i] != 0) {
        other = (const torii_str_t *) ((const char *) strings
                                       + (index->slots[i] - 1) * stride);
        if (torii_str_eq(*other, s)) {
            break;
        }

        i = (i + 1) & index->mask;
    }

    return &index->slots[i];
}


static void
torii_yaml_index_init(torii_yaml_index_t *index, size_t n)
{
    size_t  size;

    for (size = 16; size < n * 2; size *= 2) {
        /* void */
    }

    index->slots = torii_zalloc(size * sizeof(uint32_t));
    index->mask = size - 1;
}


/* A tag either says what the text is anyway, or makes it a string. */

static int
torii_yaml_tagged(torii_yaml_t *y, const char *tag, torii_node_t *node)
{
    uint8_t  want;

    if (strncmp(tag, TORII_YAML_TAG, sizeof(TORII_YAML_TAG) - 1) != 0) {
        return torii_yaml_event_fail(y, "unknown tag");
    }

    tag += sizeof(TORII_YAML_TAG) - 1;

    if (strcmp(tag, "str") == 0 || strcmp(tag, "timestamp") == 0) {
        node->type = TORII_NODE_STRING;
        return TORII_OK;
    }

    torii_yaml_resolve(node->text, node);

    if (strcmp(tag, "int") == 0) {
        want = TORII_NODE_INT;

    } else if (strcmp(tag, "bool") == 0) {
        want = TORII_NODE_BOOL;

    } else if (strcmp(tag, "null") == 0) {
        want = TORII_NODE_NULL;

    } else if (strcmp(tag, "float") == 0) {
        want = TORII_NODE_REAL;

        if (node->type == TORII_NODE_INT) {
            node->type = TORII_NODE_REAL;
        }

    } else {
        return torii_yaml_event_fail(y, "unknown tag");
    }

    if (node->type != want) {
        return torii_yaml_event_fail(y, "the value is not what its tag says");
    }

    return TORII_OK;
}


static torii_node_t *
torii_yaml_node(torii_yaml_t *y, unsigned type)
{
    torii_node_t  *node;

    if (++y->nodes > y->max_nodes) {
        (void) torii_yaml_event_fail(y, "too many values");
        return NULL;
    }

    node = torii_arena_zalloc(y->arena, sizeof(torii_node_t));

    node->type = (uint8_t) type;
    node->line = (uint32_t) y->event.start_mark.line + 1;
    node->column = (uint32_t) y->event.start_mark.column + 1;

    return node;
}


static size_t
torii_yaml_anchor(torii_yaml_t *y, yaml_char_t *name, torii_node_t *node)
{
    size_t                i;
    uint32_t             *slot;
    torii_yaml_anchor_t  *anchor;

    if (name == NULL) {
        return 0;
    }

    torii_yaml_grow(y->anchors, y->nanchors, y->anchors_size);

    anchor = &y->anchors[y->nanchors++];

    anchor->name = torii_arena_str(y->arena, torii_str((char *) name));
    anchor->node = node;
    anchor->open = 1;
    anchor->height = 0;

    /* the node itself has been counted already */

    anchor->nodes = y->nodes - 1;
    anchor->bytes = y->bytes - node->text.len;

    if (y->names.slots == NULL || y->nanchors * 2 > y->names.mask) {
        free(y->names.slots);
        torii_yaml_index_init(&y->names, y->nanchors * 2);
        i = 0;

    } else {
        i = y->nanchors - 1;
    }

    /* a name may be taken again, and then means the later node */

    for ( /* void */ ; i < y->nanchors; i++) {
        slot = torii_yaml_slot(&y->names, y->anchors[i].name, y->anchors,
                               sizeof(torii_yaml_anchor_t));
        *slot = (uint32_t) i + 1;
    }

    return y->nanchors;
}


static void
torii_yaml_anchor_end(torii_yaml_t *y, size_t number, uint32_t height)
{
    torii_yaml_anchor_t  *anchor;

    if (number == 0) {
        return;
    }

    anchor = &y->anchors[number - 1];

    anchor->open = 0;
    anchor->height = height;
    anchor->nodes = y->nodes - anchor->nodes;
    anchor->bytes = y->bytes - anchor->bytes;
}


/* A finished node, of a given height, goes where it belongs. */

static int
torii_yaml_put(torii_yaml_t *y, torii_node_t *node, uint32_t height)
{
    torii_yaml_item_t   *item;
    torii_yaml_level_t  *level;

    if (y->nlevels == 0) {

        if (node->type == TORII_NODE_NULL) {
            return TORII_OK;
        }

        torii_yaml_grow(y->docs, y->ndocs, y->docs_size);
        y->docs[y->ndocs++] = node;

        return TORII_OK;
    }

    level = &y->levels[y->nlevels - 1];

    if (height > level->height) {
        level->height = height;
    }

    if (level->key) {
        level->key = 0;
        y->items[y->nitems - 1].value = node;
        return TORII_OK;
    }

    torii_yaml_grow(y->items, y->nitems, y->items_size);
    item = &y->items[y->nitems++];

    if (level->node->type == TORII_NODE_LIST) {
        item->value = node;
        return TORII_OK;
    }

    if (node->type == TORII_NODE_LIST || node->type == TORII_NODE_MAP) {
        return torii_yaml_fail(y, node->line, node->column,
                               "a list or map cannot be a key; is this a "
                               "template that was not rendered?");
    }

    level->key = 1;

    item->key = node->text;
    item->value = NULL;
    item->line = node->line;
    item->column = node->column;
    item->merge = 0;

    return TORII_OK;
}


/* Keys need no node; those of most files make half of all scalars. */

static int
torii_yaml_key(torii_yaml_t *y, torii_str_t text)
{
    torii_yaml_item_t   *item;
    torii_yaml_level_t  *level;

    torii_yaml_grow(y->items, y->nitems, y->items_size);

    item = &y->items[y->nitems++];

    item->key = text;
    item->value = NULL;
    item->line = (uint32_t) y->event.start_mark.line + 1;
    item->column = (uint32_t) y->event.start_mark.column + 1;
    item->merge = (y->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
                   && torii_str_eqs(text, "<<"));

    level = &y->levels[y->nlevels - 1];

    level->key = 1;
    level->merge |= item->merge;

    return TORII_OK;
}


static int
torii_yaml_scalar(torii_yaml_t *y)
{
    size_t               anchor;
    yaml_char_t         *name, *tag;
    torii_str_t          text;
    torii_node_t        *node;
    torii_yaml_level_t  *level;

    name = y->event.data.scalar.anchor;
    tag = y->event.data.scalar.tag;

    text.data = y->event.data.scalar.value;
    text.len = y->event.data.scalar.length;
    text = torii_arena_str(y->arena, text);

    y->bytes += text.len;

    level = (y->nlevels != 0) ? &y->levels[y->nlevels - 1] : NULL;

    if (level != NULL && level->node->type == TORII_NODE_MAP && !level->key
        && name == NULL && tag == NULL)
    {
        return torii_yaml_key(y, text);
    }

    node = torii_yaml_node(y, TORII_NODE_STRING);
    if (node == NULL) {
        return TORII_ERROR;
    }

    node->text = text;

    if (tag != NULL) {
        if (torii_yaml_tagged(y, (char *) tag, node) != TORII_OK) {
            return TORII_ERROR;
        }

    } else if (y->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        torii_yaml_resolve(text, node);
    }

    anchor = torii_yaml_anchor(y, name, node);
    torii_yaml_anchor_end(y, anchor, 0);

    return torii_yaml_put(y, node, 0);
}


static int
torii_yaml_alias(torii_yaml_t *y)
{
    uint32_t             *slot;
    torii_str_t           name;
    torii_yaml_anchor_t  *anchor;

    anchor = NULL;
    name = torii_str((char *) y->event.data.alias.anchor);

    if (y->names.slots != NULL) {
        slot = torii_yaml_slot(&y->names, name, y->anchors,
                               sizeof(torii_yaml_anchor_t));
        if (*slot != 0) {
            anchor = &y->anchors[*slot - 1];
        }
    }

    if (anchor == NULL) {
        return torii_yaml_event_fail(y, "an alias of an unknown anchor");
    }

    if (anchor->open) {
        return torii_yaml_event_fail(y, "an alias inside its own anchor");
    }

    /* readers of the tree walk, and may copy, what is shared */

    if (anchor->nodes > y->max_nodes - y->nodes
        || anchor->bytes > y->max_bytes - y->bytes)
    {
        return torii_yaml_event_fail(y, "too many values by aliases");
    }

    if (y->nlevels + anchor->height > y->max_depth) {
        return torii_yaml_event_fail(y, "nested too deeply");
    }

    y->nodes += anchor->nodes;
    y->bytes += anchor->bytes;

    return torii_yaml_put(y, anchor->node, anchor->height);
}


static int
torii_yaml_start(torii_yaml_t *y, unsigned type, yaml_char_t *name,
    yaml_char_t *tag)
{
    torii_node_t        *node;
    torii_yaml_level_t  *level;

    if (tag != NULL
        && strcmp((char *) tag, "!") != 0
        && strcmp((char *) tag, type == TORII_NODE_MAP
                                ? TORII_YAML_TAG "map"
                                : TORII_YAML_TAG "seq") != 0)
    {
        return torii_yaml_event_fail(y, "unknown tag");
    }

    if (y->nlevels >= y->max_depth) {
        return torii_yaml_event_fail(y, "nested too deeply");
    }

    node = torii_yaml_node(y, type);
    if (node == NULL) {
        return TORII_ERROR;
    }

    torii_yaml_grow(y->levels, y->nlevels, y->levels_size);

    level = &y->levels[y->nlevels++];

    level->node = node;
    level->first = y->nitems;
    level->height = 0;
    level->key = 0;
    level->merge = 0;
    level->anchor = torii_yaml_anchor(y, name, node);

    return TORII_OK;
}


static int
torii_yaml_duplicate(torii_yaml_t *y, torii_yaml_item_t *item)
{
    char    text[100];
    size_t  i, len;

    len = (item->key.len < 60) ? item->key.len : 60;

    (void) snprintf(text, sizeof(text), "duplicate key \"%.*s\"", (int) len,
                    (char *) item->key.data);

    for (i = 0; text[i] != '\0'; i++) {
        if ((unsigned char) text[i] < 0x20 || text[i] == 0x7f) {
            text[i] = '?';
        }
    }

    return torii_yaml_fail(y, item->line, item->column, text);
}


static int
torii_yaml_unique(torii_yaml_t *y, torii_yaml_item_t *items, size_t n)
{
    size_t               i, j;
    uint32_t            *slot;
    torii_yaml_index_t   index;

    if (n <= TORII_YAML_FEW) {
        for (i = 1; i < n; i++) {
            for (j = 0; j < i; j++) {
                if (items[i].key.len == items[j].key.len
                    && memcmp(items[i].key.data, items[j].key.data,
                              items[i].key.len) == 0)
                {
                    return torii_yaml_duplicate(y, &items[i]);
                }
            }
        }

        return TORII_OK;
    }

    torii_yaml_index_init(&index, n);

    for (i = 0; i < n; i++) {
        slot = torii_yaml_slot(&index, items[i].key, items,
                               sizeof(torii_yaml_item_t));
        if (*slot != 0) {
            free(index.slots);
            return torii_yaml_duplicate(y, &items[i]);
        }

        *slot = (uint32_t) i + 1;
    }

    free(index.slots);

    return TORII_OK;
}


/* Copy what a merged map has and the map has not yet. */

static void
torii_yaml_merge_map(torii_node_t *node, torii_yaml_index_t *index,
    const torii_node_t *from)
{
    uint32_t  i, *slot;

    for (i = 0; i < from->n; i++) {
        slot = torii_yaml_slot(index, from->keys[i], node->keys,
                               sizeof(torii_str_t));
        if (*slot != 0) {
            continue;
        }

        node->keys[node->n] = from->keys[i];
        node->items[node->n] = from->items[i];
        *slot = ++node->n;
    }
}


/* The items that merging may add at most; a merge takes a map or maps. */

static int
torii_yaml_merge_size(torii_yaml_t *y, torii_yaml_item_t *item, size_t *n)
{
    uint32_t             i;
    const torii_node_t  *from;

    from = item->value;

    if (from->type == TORII_NODE_MAP) {
        *n += from->n;
        return TORII_OK;
    }

    if (from->type == TORII_NODE_LIST) {
        for (i = 0; i < from->n; i++) {
            if (from->items[i]->type != TORII_NODE_MAP) {
                break;
            }

            *n += from->items[i]->n;
        }

        if (i == from->n) {
            return TORII_OK;
        }
    }

    return torii_yaml_fail(y, item->line, item->column,
                           "\"<<\" merges a map or a list of maps only");
}


/* Own keys win over merged ones, and the first merged over later ones. */

static int
torii_yaml_merge(torii_yaml_t *y, torii_node_t *node, torii_yaml_item_t *items,
    size_t n)
{
    size_t               i, size;
    uint32_t             j;
    torii_node_t        *from;
    torii_yaml_item_t   *merge;
    torii_yaml_index_t   index;

    merge = NULL;
    size = n;

    for (i = 0; i < n; i++) {
        if (items[i].merge) {
            merge = &items[i];
        }
    }

    if (torii_yaml_merge_size(y, merge, &size) != TORII_OK) {
        return TORII_ERROR;
    }

    torii_yaml_index_init(&index, size);

    node->keys = torii_arena_alloc(y->arena, size * sizeof(torii_str_t));
    node->items = torii_arena_alloc(y->arena, size * sizeof(torii_node_t *));
    node->n = 0;

    for (i = 0; i < n; i++) {
        if (&items[i] == merge) {
            continue;
        }

        node->keys[node->n] = items[i].key;
        node->items[node->n] = items[i].value;

        *torii_yaml_slot(&index, items[i].key, node->keys,
                         sizeof(torii_str_t)) = ++node->n;
    }

    from = merge->value;

    if (from->type == TORII_NODE_MAP) {
        torii_yaml_merge_map(node, &index, from);

    } else {
        for (j = 0; j < from->n; j++) {
            torii_yaml_merge_map(node, &index, from->items[j]);
        }
    }

    free(index.slots);

    return TORII_OK;
}


static int
torii_yaml_map_end(torii_yaml_t *y, torii_yaml_level_t *level)
{
    size_t              i, n;
    torii_node_t       *node;
    torii_yaml_item_t  *items;

    node = level->node;
    items = y->items + level->first;
    n = y->nitems - level->first;

    if (torii_yaml_unique(y, items, n) != TORII_OK) {
        return TORII_ERROR;
    }

    if (level->merge) {
        return torii_yaml_merge(y, node, items, n);
    }

    node->n = (uint32_t) n;
    node->keys = torii_arena_alloc(y->arena, n * sizeof(torii_str_t));
    node->items = torii_arena_alloc(y->arena, n * sizeof(torii_node_t *));

    for (i = 0; i < n; i++) {
        node->keys[i] = items[i].key;
        node->items[i] = items[i].value;
    }

    return TORII_OK;
}


static void
torii_yaml_list_end(torii_yaml_t *y, torii_yaml_level_t *level)
{
    size_t              i, n;
    torii_yaml_item_t  *items;

    items = y->items + level->first;
    n = y->nitems - level->first;

    level->node->n = (uint32_t) n;
    level->node->items = torii_arena_alloc(y->arena,
                                           n * sizeof(torii_node_t *));

    for (i = 0; i < n; i++) {
        level->node->items[i] = items[i].value;
    }
}


static int
torii_yaml_end(torii_yaml_t *y)
{
    uint32_t             height;
    torii_node_t        *node;
    torii_yaml_level_t  *level;

    level = &y->levels[y->nlevels - 1];
    node = level->node;

    if (node->type == TORII_NODE_LIST) {
        torii_yaml_list_end(y, level);

    } else if (torii_yaml_map_end(y, level) != TORII_OK) {
        return TORII_ERROR;
    }

    height = level->height + 1;

    torii_yaml_anchor_end(y, level->anchor, height);

    y->nitems = level->first;
    y->nlevels--;

    return torii_yaml_put(y, node, height);
}


static int
torii_yaml_event(torii_yaml_t *y)
{
    yaml_event_t  *event;

    event = &y->event;

    switch (event->type) {

    case YAML_SCALAR_EVENT:
        return torii_yaml_scalar(y);

    case YAML_ALIAS_EVENT:
        return torii_yaml_alias(y);

    case YAML_MAPPING_START_EVENT:
        return torii_yaml_start(y, TORII_NODE_MAP,
                                event->data.mapping_start.anchor,
                                event->data.mapping_start.tag);

    case YAML_SEQUENCE_START_EVENT:
        return torii_yaml_start(y, TORII_NODE_LIST,
                                event->data.sequence_start.anchor,
                                event->data.sequence_start.tag);

    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return torii_yaml_end(y);

    case YAML_DOCUMENT_START_EVENT:

        /* an anchor is known in its own document only */

        y->nanchors = 0;

        free(y->names.slots);
        y->names.slots = NULL;

        return TORII_OK;

    default:
        return TORII_OK;
    }
}


static int
torii_yaml_parse(torii_yaml_t *y)
{
    int                rc;
    yaml_event_type_t  type;

    do {
        if (!yaml_parser_parse(&y->parser, &y->event)) {
            return torii_yaml_parser_fail(y);
        }

        type = y->event.type;

        rc = torii_yaml_event(y);

        yaml_event_delete(&y->event);

    } while (rc == TORII_OK && type != YAML_STREAM_END_EVENT);

    return rc;
}


/*
 * libyaml compares each %TAG directive with all before it, and each tag with
 * all of them, which would take minutes for a file that is full of them.
 * UTF-16 is seen, too.
 */

static int
torii_yaml_directives(torii_str_t in)
{
    size_t          n;
    unsigned char  *p, *last;

    if (in.len == 0) {
        return TORII_OK;
    }

    n = 0;
    p = in.data;
    last = in.data + in.len;

    for ( ;; ) {
        p = memchr(p, '%', last - p);
        if (p == NULL) {
            return TORII_OK;
        }

        p++;

        if ((last - p >= 3 && memcmp(p, "TAG", 3) == 0)
            || (last - p >= 6 && memcmp(p, "\0T\0A\0G", 6) == 0))
        {
            if (++n > TORII_YAML_DIRECTIVES) {
                return TORII_ERROR;
            }
        }
    }
}


static void
torii_yaml_docs(torii_yaml_t *y, torii_node_t ***docs, uint32_t *n)
{
    size_t  size;

    size = y->ndocs * sizeof(torii_node_t *);

    *n = (uint32_t) y->ndocs;
    *docs = torii_arena_alloc(y->arena, size);

    if (size) {
        memcpy(*docs, y->docs, size);
    }
}


int
torii_tree_yaml(torii_arena_t *a, torii_str_t in,
    const torii_tree_limits_t *limits, torii_node_t ***docs, uint32_t *n,
    torii_tree_error_t *error)
{
    int           rc;
    torii_yaml_t  y;

    memset(&y, 0, sizeof(torii_yaml_t));

    y.arena = a;
    y.error = error;
    y.in = in;
    y.max_nodes = limits->nodes ? limits->nodes : UINT32_MAX;
    y.max_bytes = limits->bytes ? limits->bytes : SIZE_MAX / 4;
    y.max_depth = limits->depth ? limits->depth : UINT32_MAX;

    if (in.len > y.max_bytes) {
        return torii_yaml_fail(&y, 1, 1, "the input is too large");
    }

    if (torii_yaml_directives(in) != TORII_OK) {
        return torii_yaml_fail(&y, 1, 1, "too many %TAG directives");
    }

    /* an escape may be shorter than what it stands for, by half */

    y.max_bytes *= 2;

    if (!yaml_parser_initialize(&y.parser)) {
        return torii_yaml_fail(&y, 1, 1, "out of memory");
    }

    y.items = torii_malloc(TORII_YAML_ITEMS * sizeof(torii_yaml_item_t));
    y.items_size = TORII_YAML_ITEMS;

    yaml_parser_set_input_string(&y.parser,
                                 in.len ? in.data : (unsigned char *) "",
                                 in.len);

    rc = torii_yaml_parse(&y);

    if (rc == TORII_OK) {
        torii_yaml_docs(&y, docs, n);
    }

    yaml_parser_delete(&y.parser);

    free(y.items);
    free(y.levels);
    free(y.anchors);
    free(y.names.slots);
    free(y.docs);

    return rc;
}
