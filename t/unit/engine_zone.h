
/*
 * A zone of a server that exists in memory only: sets by name and type.
 */

#ifndef _ENGINE_ZONE_H_INCLUDED_
#define _ENGINE_ZONE_H_INCLUDED_


#include <stdlib.h>

#include "dnssync_plan.h"


typedef struct {
    torii_str_t             name;
    dnssync_rrset_t       **slots;
    uint32_t                mask;
    uint32_t                n;         /* sets */
    uint32_t                used;      /* slots, deleted ones too */
    uint64_t                serial;
    unsigned                private:1;
} world_zone_t;

/* A zone of the server. */

static inline dnssync_rrset_t **
world_slot(const world_zone_t *z, torii_str_t name, torii_str_t set,
    unsigned type)
{
    uint32_t          i;
    dnssync_rrset_t  *s;

    i = torii_hash(name.data, name.len, type) & z->mask;

    while (z->slots[i] != NULL) {
        s = z->slots[i];

        if (s->type == type && torii_str_eq(s->name, name)
            && torii_str_eq(s->set, set))
        {
            break;
        }

        i = (i + 1) & z->mask;
    }

    return &z->slots[i];
}


/* n 0: it is not there. */

static inline dnssync_rrset_t *
world_get(const world_zone_t *z, torii_str_t name, torii_str_t set,
    unsigned type)
{
    dnssync_rrset_t  *s;

    s = *world_slot(z, name, set, type);

    return (s != NULL && s->n) ? s : NULL;
}


static inline void
world_grow(world_zone_t *z)
{
    uint32_t           i, size;
    dnssync_rrset_t  **old;

    old = z->slots;
    size = old ? z->mask + 1 : 0;

    z->mask = size ? 2 * size - 1 : 63;
    z->slots = torii_zalloc((z->mask + 1) * sizeof(void *));
    z->used = 0;

    for (i = 0; i < size; i++) {
        if (old[i] != NULL && old[i]->n) {
            *world_slot(z, old[i]->name, old[i]->set, old[i]->type) = old[i];
            z->used++;
        }
    }

    free(old);
}


static inline void
world_copy(torii_arena_t *a, dnssync_rrset_t *to, const dnssync_rrset_t *from)
{
    uint32_t  i;

    *to = *from;

    to->name = torii_arena_str(a, from->name);
    to->set = torii_arena_str(a, from->set);
    to->tag = torii_arena_str(a, from->tag);
    to->values = torii_arena_alloc(a, (from->n + 1) * sizeof(torii_str_t));
    to->options = NULL;
    to->noptions = 0;

    for (i = 0; i < from->n; i++) {
        to->values[i] = torii_arena_str(a, from->values[i]);
    }
}


static inline void
world_put(torii_arena_t *a, world_zone_t *z, const dnssync_rrset_t *set)
{
    dnssync_rrset_t  **slot;

    if (2 * z->used >= z->mask) {
        world_grow(z);
    }

    slot = world_slot(z, set->name, set->set, set->type);

    if (*slot == NULL) {
        *slot = torii_arena_zalloc(a, sizeof(dnssync_rrset_t));
        z->used++;
    }

    z->n += ((*slot)->n == 0);
    world_copy(a, *slot, set);
}


static inline int
world_same(const dnssync_rrset_t *a, const dnssync_rrset_t *b)
{
    uint32_t  i, j;

    if (a == NULL || b == NULL || a->n != b->n) {
        return a == b;
    }

    for (i = 0; i < a->n; i++) {
        for (j = 0; j < b->n && !torii_str_eq(a->values[i], b->values[j]); j++)
        {
            /* void */
        }

        if (j == b->n) {
            return 0;
        }
    }

    return 1;
}


#endif /* _ENGINE_ZONE_H_INCLUDED_ */
