
/*
 * The gate as a file: {"version": 1, "zones": [...], "hosts": [...]}.  What is
 * odd in it makes all of it unread: it is but a hint, and a wrong one could
 * open the gate.
 */

#include <stdio.h>

#include "torii_tree.h"
#include "dnssync_gate.h"


#define DNSSYNC_STATE_ARENA  (64 * 1024)


static int dnssync_state_zone(dnssync_gate_t *gate, const torii_node_t *node);
static int dnssync_state_host(dnssync_gate_t *gate, const torii_node_t *node);
static int dnssync_state_text(const torii_node_t *map, const char *key,
    torii_str_t *text);
static int dnssync_state_number(const torii_node_t *map, const char *key,
    uint64_t max, uint64_t *value);


static const torii_tree_limits_t  dnssync_state_limits = {
    64 * 1024 * 1024, 4000000, 8
};


void
dnssync_gate_save(const dnssync_gate_t *gate, torii_buf_t *b)
{
    uint32_t                    i, n;
    const dnssync_track_t      *t;
    const dnssync_gate_zone_t  *zone;

    torii_buf_adds(b, "{\"version\":1,\"zones\":[");

    for (i = 0; i < gate->nzones; i++) {
        zone = &gate->zones[i];

        torii_buf_adds(b, i ? ",\n{\"id\":" : "\n{\"id\":");
        torii_buf_add_json(b, zone->id);
        torii_buf_printf(b, ",\"began\":%llu,\"deleted\":%u}",
                         (unsigned long long) zone->began, zone->deleted);
    }

    torii_buf_adds(b, "],\n\"hosts\":[");

    for (i = 0, n = 0; i <= gate->mask; i++) {
        t = gate->slots[i];

        if (t == NULL) {
            continue;
        }

        torii_buf_adds(b, n++ ? ",\n{\"zone\":" : "\n{\"zone\":");
        torii_buf_add_json(b, t->zone);
        torii_buf_adds(b, ",\"name\":");
        torii_buf_add_json(b, t->name);
        torii_buf_adds(b, ",\"set\":");
        torii_buf_add_json(b, t->set);
        torii_buf_printf(b, ",\"type\":%u,\"since\":%llu,\"hash\":\"%llu\","
                         "\"until\":%llu,\"rounds\":%u,\"fails\":%u,"
                         "\"held\":%u,\"acked\":%u}", t->type,
                         (unsigned long long) t->since,
                         (unsigned long long) t->hash,
                         (unsigned long long) t->until, t->rounds, t->fails,
                         t->held, t->acked);
    }

    torii_buf_adds(b, "]}\n");
}


int
dnssync_gate_load(dnssync_gate_t *gate, torii_str_t json, char why[192])
{
    uint32_t             i;
    uint64_t             version;
    torii_node_t        *doc, *zones, *hosts;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    a = torii_arena_create(DNSSYNC_STATE_ARENA);

    if (torii_tree_json(a, json, &dnssync_state_limits, &doc, &error)
        != TORII_OK)
    {
        snprintf(why, 192, "%s", error.text);
        goto failed;
    }

    snprintf(why, 192, "is not the state of this version");

    zones = torii_node_get(doc, "zones");
    hosts = torii_node_get(doc, "hosts");

    if (dnssync_state_number(doc, "version", 1, &version) != TORII_OK
        || version != 1
        || zones == NULL || zones->type != TORII_NODE_LIST
        || hosts == NULL || hosts->type != TORII_NODE_LIST)
    {
        goto failed;
    }

    for (i = 0; i < zones->n; i++) {
        if (dnssync_state_zone(gate, zones->items[i]) != TORII_OK) {
            snprintf(why, 192, "zone %u is damaged", i);
            goto failed;
        }
    }

    for (i = 0; i < hosts->n; i++) {
        if (dnssync_state_host(gate, hosts->items[i]) != TORII_OK) {
            snprintf(why, 192, "host %u is damaged", i);
            goto failed;
        }
    }

    torii_arena_destroy(a);

    return TORII_OK;

failed:

    dnssync_gate_clear(gate);
    torii_arena_destroy(a);

    return TORII_ERROR;
}


static int
dnssync_state_zone(dnssync_gate_t *gate, const torii_node_t *node)
{
    uint64_t              began, deleted;
    torii_str_t           id;
    dnssync_gate_zone_t  *zone;

    if (dnssync_state_text(node, "id", &id) != TORII_OK
        || dnssync_state_number(node, "began", INT64_MAX, &began) != TORII_OK
        || dnssync_state_number(node, "deleted", INT32_MAX, &deleted)
           != TORII_OK)
    {
        return TORII_ERROR;
    }

    zone = dnssync_gate_zone_add(gate, id, began);
    zone->deleted = (uint32_t) deleted;

    return TORII_OK;
}


static int
dnssync_state_host(dnssync_gate_t *gate, const torii_node_t *node)
{
    uint64_t          type, since, hash, until, rounds, fails, held, acked;
    torii_str_t       zone, name, set, text;
    dnssync_track_t  *t;

    if (dnssync_state_text(node, "zone", &zone) != TORII_OK
        || dnssync_state_text(node, "name", &name) != TORII_OK
        || dnssync_state_text(node, "set", &set) != TORII_OK
        || dnssync_state_text(node, "hash", &text) != TORII_OK
        || torii_str_uint(text, UINT64_MAX, &hash) != TORII_OK
        || dnssync_state_number(node, "type", UINT8_MAX, &type) != TORII_OK
        || dnssync_state_number(node, "since", INT32_MAX * 1000ULL, &since)
           != TORII_OK
        || dnssync_state_number(node, "until", INT32_MAX * 1000ULL, &until)
           != TORII_OK
        || dnssync_state_number(node, "rounds", UINT16_MAX, &rounds)
           != TORII_OK
        || dnssync_state_number(node, "fails", UINT16_MAX, &fails) != TORII_OK
        || dnssync_state_number(node, "held", 1, &held) != TORII_OK
        || dnssync_state_number(node, "acked", 1, &acked) != TORII_OK)
    {
        return TORII_ERROR;
    }

    t = dnssync_gate_track(gate, zone, name, set, (unsigned) type, 1);

    t->since = since;
    t->hash = hash;
    t->until = until;
    t->rounds = (uint16_t) rounds;
    t->fails = (uint16_t) fails;
    t->held = held;
    t->acked = acked;

    return TORII_OK;
}


static int
dnssync_state_text(const torii_node_t *map, const char *key, torii_str_t *text)
{
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    if (node == NULL || node->type != TORII_NODE_STRING) {
        return TORII_ERROR;
    }

    *text = node->text;

    return TORII_OK;
}


static int
dnssync_state_number(const torii_node_t *map, const char *key, uint64_t max,
    uint64_t *value)
{
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    if (node == NULL || node->type != TORII_NODE_INT) {
        return TORII_ERROR;
    }

    return torii_str_uint(node->text, max, value);
}
