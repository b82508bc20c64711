
/*
 * Lists that the store keeps in order: the Ingresses, oldest first, and the
 * entries with findings of their own.  Changes are gathered and merged before
 * the next compile, so that a change costs no sorting of all.
 */

#include <stdlib.h>

#include "ingress_compile.h"


static int ingress_order_cmp(const void *one, const void *two);
static void ingress_order_prune(ingress_store_t *store);
static void ingress_order_merge(ingress_store_t *store);
static int ingress_noted_needed(const ingress_item_t *e);
static int ingress_noted_cmp(const void *one, const void *two);


/*
 * An entry of the order keeps the time it was sorted by, and is dropped from
 * the order and added again when the object's differs.
 */

void
ingress_order_changed(ingress_store_t *store, ingress_item_t *e)
{
    if (e->u.ingress.ordered) {

        if (e->active == NULL || e->active->created != e->u.ingress.created) {
            store->stale = 1;
        }

        return;
    }

    if (e->active == NULL) {
        return;
    }

    e->refs++;
    e->u.ingress.ordered = 1;
    e->u.ingress.created = e->active->created;

    ingress_items_add(&store->pending, e);
}


void
ingress_order_update(ingress_store_t *store)
{
    if (store->stale) {
        ingress_order_prune(store);
        store->stale = 0;
    }

    if (store->pending.n == 0) {
        return;
    }

    qsort(store->pending.elts, store->pending.n, sizeof(ingress_item_t *),
          ingress_order_cmp);

    ingress_order_merge(store);

    store->pending.n = 0;
}


/* An Ingress that changed since then has no verdict until the next compile. */

void
ingress_store_served(ingress_store_t *store,
    void (*visit)(void *data, ingress_object_t *o), void *data)
{
    uint32_t         i;
    ingress_item_t  *e;

    for (i = 0; i < store->order.n; i++) {
        e = store->order.elts[i];

        if (e->active && e->u.ingress.served
            && e->u.ingress.classes == store->classes)
        {
            visit(data, e->active);
        }
    }
}


static void
ingress_order_prune(ingress_store_t *store)
{
    uint32_t            i, n, k;
    ingress_item_t    *e;
    ingress_items_t  *lists[2];

    lists[0] = &store->order;
    lists[1] = &store->pending;

    for (k = 0; k < 2; k++) {
        n = 0;

        for (i = 0; i < lists[k]->n; i++) {
            e = lists[k]->elts[i];

            if (e->active && e->active->created == e->u.ingress.created) {
                lists[k]->elts[n++] = e;
                continue;
            }

            if (e->active && k == 0) {
                e->u.ingress.created = e->active->created;
                ingress_items_add(&store->pending, e);
                continue;
            }

            if (e->active) {
                e->u.ingress.created = e->active->created;
                lists[k]->elts[n++] = e;
                continue;
            }

            e->u.ingress.ordered = 0;
            ingress_item_release(store, e);
        }

        lists[k]->n = n;
    }
}


static void
ingress_order_merge(ingress_store_t *store)
{
    uint32_t           a, b;
    ingress_items_t  merged, *one, *two;

    one = &store->order;
    two = &store->pending;

    merged.n = 0;
    merged.size = one->n + two->n;
    merged.elts = torii_malloc(merged.size * sizeof(ingress_item_t *));

    a = 0;
    b = 0;

    while (a < one->n || b < two->n) {

        if (b == two->n
            || (a < one->n
                && ingress_order_cmp(&one->elts[a], &two->elts[b]) < 0))
        {
            merged.elts[merged.n++] = one->elts[a++];

        } else {
            merged.elts[merged.n++] = two->elts[b++];
        }
    }

    free(one->elts);
    *one = merged;
}


/* Of the same age: "namespace/name" from the end of the alphabet. */

static int
ingress_order_cmp(const void *one, const void *two)
{
    const ingress_item_t         *a, *b;
    ingress_item_t *const        *p, *const *q;

    p = one;
    q = two;
    a = *p;
    b = *q;

    if (a->u.ingress.created != b->u.ingress.created) {
        return a->u.ingress.created < b->u.ingress.created ? -1 : 1;
    }

    return torii_str_cmp(b->key, a->key);
}


void
ingress_noted_changed(ingress_store_t *store, ingress_item_t *e)
{
    if (e->noted) {
        store->noted_stale = 1;
        return;
    }

    if (ingress_noted_needed(e)) {
        e->refs++;
        e->noted = 1;

        ingress_items_add(&store->noted, e);
        store->noted_stale = 1;
    }
}


/* An Ingress' own findings are told only if it is served: with its plan. */

static int
ingress_noted_needed(const ingress_item_t *e)
{
    if (e->copies == NULL) {
        return 0;
    }

    return e->copies->next
           || (e->kind != INGRESS_KIND_INGRESS && e->copies->object->findings);
}


void
ingress_noted_update(ingress_store_t *store)
{
    uint32_t          i, n;
    ingress_item_t  *e;

    if (!store->noted_stale) {
        return;
    }

    n = 0;

    for (i = 0; i < store->noted.n; i++) {
        e = store->noted.elts[i];

        if (ingress_noted_needed(e)) {
            store->noted.elts[n++] = e;

        } else {
            e->noted = 0;
            ingress_item_release(store, e);
        }
    }

    store->noted.n = n;
    store->noted_stale = 0;

    if (n > 1) {
        qsort(store->noted.elts, n, sizeof(ingress_item_t *),
              ingress_noted_cmp);
    }
}


static int
ingress_noted_cmp(const void *one, const void *two)
{
    const ingress_item_t         *a, *b;
    ingress_item_t *const        *p, *const *q;

    p = one;
    q = two;
    a = *p;
    b = *q;

    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }

    return torii_str_cmp(a->key, b->key);
}
