
/*
 * The Lease of another controller.
 */

#include "ingress_rival.h"
#include "ingress_decode.h"


static int ingress_rival_judge(ingress_rival_t *r, uint64_t now, int64_t wall,
    const torii_node_t *doc);
static torii_str_t ingress_rival_text(const torii_node_t *map,
    const char *key);


static const torii_tree_limits_t  ingress_rival_limits = {
    256 * 1024, 10000, 32
};


int
ingress_rival_runs(ingress_rival_t *r, uint64_t now, int64_t wall,
    torii_str_t body)
{
    int                  rc;
    torii_node_t        *doc;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    a = torii_arena_create(4096);

    rc = torii_tree_json(a, body, &ingress_rival_limits, &doc, &error);

    if (rc == TORII_OK) {
        rc = ingress_rival_judge(r, now, wall, doc);
    }

    torii_arena_destroy(a);

    return rc;
}


static int
ingress_rival_judge(ingress_rival_t *r, uint64_t now, int64_t wall,
    const torii_node_t *doc)
{
    int64_t              at;
    uint64_t             hash;
    torii_str_t          renewed;
    const torii_node_t  *spec;

    if (!torii_str_eqs(ingress_rival_text(doc, "kind"), "Lease")) {
        return TORII_ERROR;
    }

    spec = torii_node_get(doc, "spec");
    renewed = ingress_rival_text(spec, "renewTime");

    /* given back, or made and never held */

    if (ingress_rival_text(spec, "holderIdentity").len == 0
        || renewed.len == 0)
    {
        r->seen = 0;
        return 0;
    }

    hash = torii_hash(renewed.data, renewed.len, 1) | 1;

    if (r->seen != 0 && r->seen != hash) {
        r->changed = now;
        r->seen = hash;
        return 1;
    }

    if (r->seen != 0 && r->changed != 0
        && now - r->changed < INGRESS_RIVAL_ALIVE * 1000)
    {
        return 1;
    }

    r->seen = hash;

    /* a time that cannot be read proves nothing */

    return ingress_time_parse(renewed, &at) != TORII_OK
           || at > wall - INGRESS_RIVAL_ALIVE;
}


static torii_str_t
ingress_rival_text(const torii_node_t *map, const char *key)
{
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    return (node != NULL && node->type == TORII_NODE_STRING) ? node->text
                                                             : torii_str("");
}
