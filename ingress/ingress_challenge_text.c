
/*
 * A set of challenges as JSON:
 *
 *   [{"type":"http-01","name":TOKEN,"value":KEY AUTHORIZATION},
 *    {"type":"tls-alpn-01","name":SNI,"value":DER,"key":DER}]
 *
 * DER is in base64url.
 */

#include "ingress_challenge.h"
#include "torii_jose.h"
#include "torii_tree.h"


#define INGRESS_CHALLENGE_NODES  40000    /* four or five each */


static void ingress_challenge_add(torii_buf_t *b,
    const ingress_challenge_t *ch);
static int ingress_challenge_read(torii_arena_t *a, const torii_node_t *node,
    ingress_challenge_t *ch);
static torii_str_t ingress_challenge_text(const torii_node_t *map,
    const char *key);


static const torii_tree_limits_t  ingress_challenge_limits = {
    INGRESS_CHALLENGE_TEXT, INGRESS_CHALLENGE_NODES, 3
};

static const char  *ingress_challenge_types[INGRESS_CHALLENGE_MAX] = {
    "http-01", "tls-alpn-01"
};


int
ingress_challenge_encode(torii_buf_t *b, const ingress_challenge_t *list,
    uint32_t n)
{
    size_t    begin;
    uint32_t  i;

    begin = b->len;

    torii_buf_adds(b, "[");

    for (i = 0; i < n; i++) {
        torii_buf_adds(b, i ? "," : "");
        ingress_challenge_add(b, &list[i]);

        if (b->len - begin >= INGRESS_CHALLENGE_TEXT
            || i == INGRESS_CHALLENGE_NODES / 5 - 1)
        {
            b->len = begin;
            return TORII_ERROR;
        }
    }

    torii_buf_adds(b, "]");

    return TORII_OK;
}


static void
ingress_challenge_add(torii_buf_t *b, const ingress_challenge_t *ch)
{
    torii_buf_printf(b, "{\"type\":\"%s\",\"name\":",
                     ingress_challenge_types[ch->type]);
    torii_buf_add_json(b, ch->name);
    torii_buf_adds(b, ",\"value\":");

    if (ch->type == INGRESS_CHALLENGE_HTTP) {
        torii_buf_add_json(b, ch->value);

    } else {
        torii_buf_adds(b, "\"");
        torii_base64url_add(b, ch->value.data, ch->value.len);
        torii_buf_adds(b, "\",\"key\":\"");
        torii_base64url_add(b, ch->key.data, ch->key.len);
        torii_buf_adds(b, "\"");
    }

    torii_buf_adds(b, "}");
}


int
ingress_challenge_decode(torii_arena_t *a, torii_str_t text,
    ingress_challenge_t **list, uint32_t *n)
{
    uint32_t             i;
    torii_node_t        *doc;
    torii_tree_error_t   error;

    *list = NULL;
    *n = 0;

    if (torii_tree_json(a, text, &ingress_challenge_limits, &doc, &error)
        != TORII_OK
        || doc->type != TORII_NODE_LIST)
    {
        return TORII_ERROR;
    }

    *list = torii_arena_zalloc(a, (doc->n + 1) * sizeof(ingress_challenge_t));

    for (i = 0; i < doc->n; i++) {
        if (ingress_challenge_read(a, doc->items[i], &(*list)[*n])
            == TORII_OK)
        {
            (*n)++;
        }
    }

    return TORII_OK;
}


static int
ingress_challenge_read(torii_arena_t *a, const torii_node_t *node,
    ingress_challenge_t *ch)
{
    torii_str_t  type;

    memset(ch, 0, sizeof(ingress_challenge_t));

    type = ingress_challenge_text(node, "type");
    ch->name = ingress_challenge_text(node, "name");

    if (torii_str_eqs(type, ingress_challenge_types[INGRESS_CHALLENGE_HTTP])) {
        ch->type = INGRESS_CHALLENGE_HTTP;
        ch->value = ingress_challenge_text(node, "value");

        return TORII_OK;
    }

    if (torii_str_eqs(type, ingress_challenge_types[INGRESS_CHALLENGE_ALPN])) {
        ch->type = INGRESS_CHALLENGE_ALPN;

        if (torii_base64url_decode(a, ingress_challenge_text(node, "value"),
                                   &ch->value)
            == TORII_OK
            && torii_base64url_decode(a, ingress_challenge_text(node, "key"),
                                      &ch->key)
               == TORII_OK)
        {
            return TORII_OK;
        }
    }

    return TORII_ERROR;
}


static torii_str_t
ingress_challenge_text(const torii_node_t *map, const char *key)
{
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    return (node != NULL && node->type == TORII_NODE_STRING) ? node->text
                                                             : torii_str("");
}
