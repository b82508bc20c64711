
/*
 * Secret and ConfigMap (v1), and the pairs of annotations and labels.  What a
 * Secret holds gets into no finding.
 */

#include "ingress_decode.h"


#define INGRESS_SECRET_KEYS  1024

/* holds a whole object with its data, and so Secrets in clear */
#define INGRESS_LAST_APPLIED  "kubectl.kubernetes.io/last-applied-configuration"


static void ingress_pair_decode(ingress_decode_t *d, const ingress_where_t *up,
    const char *reason, size_t max, const torii_node_t *node,
    ingress_pair_t *pair);
static const char *ingress_pair_refuse(const torii_node_t *node, size_t max);
static uint32_t ingress_secret_data(ingress_decode_t *d,
    const torii_node_t *map, ingress_pair_t *pair);
static void ingress_secret_strings(ingress_decode_t *d,
    const torii_node_t *map, ingress_pairs_t *pairs);


void
ingress_decode_pairs(ingress_decode_t *d, const ingress_where_t *up,
    const char *reason, size_t max, const torii_node_t *map,
    ingress_pairs_t *pairs)
{
    uint32_t         i;
    ingress_pair_t  *pair;

    if (map == NULL || map->n == 0) {
        return;
    }

    pairs->elts = torii_arena_zalloc(d->arena,
                                     map->n * sizeof(ingress_pair_t));

    for (i = 0; i < map->n; i++) {

        if (torii_str_eqs(map->keys[i], INGRESS_LAST_APPLIED)) {
            continue;
        }

        if (torii_str_has_control(map->keys[i])
            || !torii_str_is_utf8(map->keys[i]))
        {
            ingress_decode_finding(d, INGRESS_ERROR, "ControlCharacter", up,
                                   "(a key)", map->items[i],
                                   "the key holds a control character or "
                                   "invalid UTF-8; it is left out");
            continue;
        }

        pair = &pairs->elts[pairs->n++];

        pair->name = torii_arena_str(d->arena, map->keys[i]);
        pair->line = map->items[i]->line;

        ingress_pair_decode(d, up, reason, max, map->items[i], pair);
    }
}


static void
ingress_pair_decode(ingress_decode_t *d, const ingress_where_t *up,
    const char *reason, size_t max, const torii_node_t *node,
    ingress_pair_t *pair)
{
    char         buf[64];
    const char  *name, *refused;

    name = (const char *) pair->name.data;
    refused = ingress_pair_refuse(node, max);

    if (refused != NULL) {
        pair->value = torii_arena_str(d->arena, torii_str(refused));

        ingress_decode_finding(d, INGRESS_ERROR,
                               node->type == TORII_NODE_STRING ? "BadText"
                                                               : reason,
                               up, name, node,
                               "cannot be used: a string of text, at most "
                               "%zu KiB, is expected; taken as \"%s\"",
                               max / 1024, refused);
        return;
    }

    if (node->type == TORII_NODE_NULL) {
        pair->value = torii_arena_str(d->arena, torii_str(""));

    } else {
        pair->value = torii_arena_str(d->arena, node->text);
    }

    if (node->type != TORII_NODE_STRING) {
        ingress_decode_finding(d, INGRESS_ERROR, reason, up, name, node,
                               "is %s, a string is expected and Kubernetes "
                               "refuses anything else; taken as written, put "
                               "it in quotes",
                               ingress_decode_what(d, node, buf));
    }
}


static const char *
ingress_pair_refuse(const torii_node_t *node, size_t max)
{
    if (node->type == TORII_NODE_LIST) {
        return "(a list)";
    }

    if (node->type == TORII_NODE_MAP) {
        return "(a map)";
    }

    if (node->text.len > max) {
        return "(too long)";
    }

    if (!ingress_is_text(node->text)) {
        return "(control characters)";
    }

    return NULL;
}


int
ingress_is_text(torii_str_t s)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f) {
            return 0;
        }
    }

    return torii_str_is_utf8(s);
}


void
ingress_object_configmap(ingress_decode_t *d, const torii_node_t *doc)
{
    ingress_where_t  at;

    at.up = NULL;
    at.name = "data";
    at.index = INGRESS_NOT_LISTED;

    ingress_decode_pairs(d, &at, "WrongType", INGRESS_CONFIGMAP_MAX,
                         ingress_decode_map(d, NULL, doc, "data"),
                         &d->object->u.configmap.data);
}


void
ingress_object_secret(ingress_decode_t *d, const torii_node_t *doc)
{
    uint32_t             n;
    ingress_secret_t    *secret;
    const torii_node_t  *data, *strings;

    secret = &d->object->u.secret;

    (void) ingress_decode_string(d, NULL, doc, "type", &secret->type);

    data = ingress_decode_map(d, NULL, doc, "data");
    strings = ingress_decode_map(d, NULL, doc, "stringData");

    n = (data != NULL ? data->n : 0) + (strings != NULL ? strings->n : 0);

    if (n > INGRESS_SECRET_KEYS) {
        ingress_decode_finding(d, INGRESS_ERROR, "TooManyKeys", NULL, "data",
                               NULL, "holds %u keys, at most %d are read; all "
                               "are left out", (unsigned) n,
                               INGRESS_SECRET_KEYS);
        return;
    }

    secret->data.elts = torii_arena_zalloc(d->arena,
                                           n * sizeof(ingress_pair_t));

    if (data != NULL) {
        secret->data.n = ingress_secret_data(d, data, secret->data.elts);
    }

    if (strings != NULL) {
        ingress_secret_strings(d, strings, &secret->data);
    }
}


static uint32_t
ingress_secret_data(ingress_decode_t *d, const torii_node_t *map,
    ingress_pair_t *pair)
{
    uint32_t             i, n;
    torii_str_t          name;
    ingress_where_t      at;
    const torii_node_t  *node;

    at.up = NULL;
    at.name = "data";
    at.index = INGRESS_NOT_LISTED;

    n = 0;

    for (i = 0; i < map->n; i++) {
        node = map->items[i];
        name = torii_arena_str(d->arena, map->keys[i]);

        /* a value of digits alone may be base64, whatever YAML makes of it */

        if (node->type == TORII_NODE_LIST || node->type == TORII_NODE_MAP
            || (node->type != TORII_NODE_NULL
                && torii_base64_decode(d->arena, node->text, &pair[n].value)
                   != TORII_OK))
        {
            ingress_decode_finding(d, INGRESS_ERROR, "BadBase64", &at,
                                   (char *) name.data, node,
                                   "is not base64 (text in clear belongs "
                                   "under stringData); it is left out");
            continue;
        }

        pair[n].name = name;
        pair[n].line = node->line;
        n++;
    }

    return n;
}


/* As in Kubernetes, what is under stringData replaces what is under data. */

static void
ingress_secret_strings(ingress_decode_t *d, const torii_node_t *map,
    ingress_pairs_t *pairs)
{
    uint32_t             i, k;
    ingress_where_t      at;
    ingress_pair_t      *pair;
    const torii_node_t  *node;

    at.up = NULL;
    at.name = "stringData";
    at.index = INGRESS_NOT_LISTED;

    for (i = 0; i < map->n; i++) {
        node = map->items[i];

        for (k = 0; k < pairs->n; k++) {
            if (torii_str_eq(pairs->elts[k].name, map->keys[i])) {
                break;
            }
        }

        pair = &pairs->elts[k];
        pair->name = torii_arena_str(d->arena, map->keys[i]);
        pair->line = node->line;

        if (k == pairs->n) {
            pairs->n++;
        }

        if (node->type == TORII_NODE_LIST || node->type == TORII_NODE_MAP
            || node->type == TORII_NODE_NULL)
        {
            pair->value.len = 0;

        } else {
            pair->value = torii_arena_str(d->arena, node->text);
        }

        if (node->type != TORII_NODE_STRING) {
            ingress_decode_finding(d, INGRESS_ERROR, "WrongType", &at,
                                   (char *) pair->name.data, node,
                                   "is not a string, put it in quotes");
        }
    }
}
