
/*
 * Records, which providers list one by one, gathered to sets.
 */

#include "dnssync_check.h"


#define DNSSYNC_MAP_SIZE       64
#define DNSSYNC_GATHER_VALUES  1024
#define DNSSYNC_GATHER_ID      64


static void dnssync_map_grow(dnssync_map_t *map, torii_arena_t *a);


static dnssync_map_entry_t *
dnssync_map_slot(const dnssync_map_t *map, torii_str_t name, unsigned type)
{
    uint32_t              i;
    dnssync_map_entry_t  *e;

    i = (uint32_t) torii_hash(name.data, name.len, type) & (map->size - 1);

    for ( ;; ) {
        e = &map->slots[i];

        if (e->name.data == NULL
            || (e->type == type && torii_str_eq(e->name, name)))
        {
            return e;
        }

        i = (i + 1) & (map->size - 1);
    }
}


dnssync_map_entry_t *
dnssync_map_get(const dnssync_map_t *map, torii_str_t name, unsigned type)
{
    dnssync_map_entry_t  *e;

    if (map->size == 0) {
        return NULL;
    }

    e = dnssync_map_slot(map, name, type);

    return e->name.data ? e : NULL;
}


dnssync_map_entry_t *
dnssync_map_put(dnssync_map_t *map, torii_arena_t *a, torii_str_t name,
    unsigned type, int *made)
{
    dnssync_map_entry_t  *e;

    if (map->n >= map->size / 2) {
        dnssync_map_grow(map, a);
    }

    e = dnssync_map_slot(map, name, type);
    *made = e->name.data == NULL;

    if (*made) {
        e->name = name.data ? name : torii_str("");
        e->type = type;
        e->number = 0;
        map->n++;
    }

    return e;
}


static void
dnssync_map_grow(dnssync_map_t *map, torii_arena_t *a)
{
    uint32_t       i;
    dnssync_map_t  old;

    old = *map;

    map->size = old.size ? 2 * old.size : DNSSYNC_MAP_SIZE;
    map->slots = torii_arena_zalloc(a, map->size
                                       * sizeof(dnssync_map_entry_t));

    for (i = 0; i < old.size; i++) {
        if (old.slots[i].name.data != NULL) {
            *dnssync_map_slot(map, old.slots[i].name, old.slots[i].type)
                = old.slots[i];
        }
    }
}


dnssync_rrset_t *
dnssync_gather(dnssync_op_t *op, dnssync_map_t *map, torii_str_t name,
    unsigned type)
{
    int                   made;
    dnssync_rrset_t      *set;
    dnssync_map_entry_t  *e;

    e = dnssync_map_put(map, op->arena, name, type, &made);

    if (!made) {
        return &op->sets[e->number];
    }

    e->number = op->nsets;
    set = dnssync_op_set(op);

    set->name = name;
    set->type = type;

    return set;
}


/* Room for values doubles: it is full when their number is a power of two. */

int
dnssync_gather_value(dnssync_op_t *op, dnssync_rrset_t *set,
    torii_str_t value, torii_str_t id)
{
    torii_str_t  *more;

    if (set->n == DNSSYNC_GATHER_VALUES || id.len > DNSSYNC_GATHER_ID) {
        return TORII_ERROR;
    }

    if ((set->n & (set->n - 1)) == 0) {
        more = torii_arena_alloc(op->arena, (set->n ? 2 * set->n : 1)
                                            * sizeof(torii_str_t));
        if (set->n) {
            memcpy(more, set->values, set->n * sizeof(torii_str_t));
        }

        set->values = more;
    }

    set->id = set->n ? torii_arena_printf(op->arena, "%.*s %.*s",
                                          torii_str_arg(set->id),
                                          torii_str_arg(id))
                     : torii_arena_str(op->arena, id);
    set->values[set->n++] = value;

    return TORII_OK;
}


torii_str_t
dnssync_gather_id(const dnssync_rrset_t *set, uint32_t i)
{
    torii_str_t  rest, id;

    rest = set->id;

    while (torii_str_next(&rest, " ", &id)) {
        if (i-- == 0) {
            return id;
        }
    }

    return torii_str("");
}


int
dnssync_pages_add(dnssync_op_t *op, dnssync_pages_t *pages, torii_str_t id)
{
    int  made;

    id = torii_arena_str(op->arena, id);

    (void) dnssync_map_put(&pages->ids, op->arena, id, 0, &made);
    pages->count++;

    return made ? TORII_OK : TORII_ERROR;
}


const char *
dnssync_pages_end(dnssync_pages_t *pages, uint64_t before, uint64_t total,
    int *more)
{
    if (pages->begun && total != pages->total) {
        return "their number has changed meanwhile";
    }

    pages->begun = 1;
    pages->total = total;

    if (pages->count > total) {
        return "there are more of them than there should be";
    }

    *more = pages->count < total;

    if (*more && pages->count == before) {
        return "there are fewer of them than there should be";
    }

    return NULL;
}


torii_str_t
dnssync_record_value(torii_arena_t *a, unsigned type, torii_str_t text)
{
    int          rc;
    torii_str_t  value;

    switch (type) {

    case DNSSYNC_A:
    case DNSSYNC_AAAA:
    case DNSSYNC_CNAME:
        rc = dnssync_value_read(a, type, text, &value);
        break;

    case DNSSYNC_TXT:
        rc = dnssync_txt_read(a, text, &value);
        break;

    default:
        return torii_str("");
    }

    return rc == TORII_OK ? value : torii_arena_str(a, text);
}
