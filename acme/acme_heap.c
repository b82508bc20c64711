
/*
 * A binary heap whose nodes know their place, a map by hash and a queue.
 */

#include <stdlib.h>

#include "acme_engine.h"


#define ACME_MAP_MIN  16


static void
acme_heap_put(acme_heap_t *h, acme_node_t *node, uint32_t i)
{
    h->nodes[i] = node;
    node->at = i + 1;
}


static void
acme_heap_up(acme_heap_t *h, acme_node_t *node, uint32_t i)
{
    uint32_t  parent;

    while (i > 0) {
        parent = (i - 1) / 2;

        if (h->nodes[parent]->key <= node->key) {
            break;
        }

        acme_heap_put(h, h->nodes[parent], i);
        i = parent;
    }

    acme_heap_put(h, node, i);
}


static void
acme_heap_down(acme_heap_t *h, acme_node_t *node, uint32_t i)
{
    uint32_t  child;

    for ( ;; ) {
        child = 2 * i + 1;

        if (child >= h->n) {
            break;
        }

        if (child + 1 < h->n && h->nodes[child + 1]->key < h->nodes[child]->key)
        {
            child++;
        }

        if (node->key <= h->nodes[child]->key) {
            break;
        }

        acme_heap_put(h, h->nodes[child], i);
        i = child;
    }

    acme_heap_put(h, node, i);
}


void
acme_heap_free(acme_heap_t *h)
{
    free(h->nodes);
    memset(h, 0, sizeof(acme_heap_t));
}


void
acme_heap_set(acme_heap_t *h, acme_node_t *node, uint64_t key)
{
    uint64_t  old;

    old = node->key;
    node->key = key;

    if (node->at) {
        if (key < old) {
            acme_heap_up(h, node, node->at - 1);

        } else if (key > old) {
            acme_heap_down(h, node, node->at - 1);
        }

        return;
    }

    if (h->n == h->size) {
        h->size = h->size ? h->size * 2 : 16;
        h->nodes = torii_realloc(h->nodes, h->size * sizeof(acme_node_t *));
    }

    h->n++;
    acme_heap_up(h, node, h->n - 1);
}


void
acme_heap_remove(acme_heap_t *h, acme_node_t *node)
{
    uint32_t      i;
    acme_node_t  *last;

    if (node->at == 0) {
        return;
    }

    i = node->at - 1;
    node->at = 0;

    last = h->nodes[--h->n];

    if (last == node) {
        return;
    }

    if (last->key < node->key) {
        acme_heap_up(h, last, i);

    } else {
        acme_heap_down(h, last, i);
    }
}


acme_node_t *
acme_heap_top(const acme_heap_t *h)
{
    return h->n ? h->nodes[0] : NULL;
}


void
acme_map_free(acme_map_t *m)
{
    free(m->keys);
    free(m->values);
    memset(m, 0, sizeof(acme_map_t));
}


/* Where key is, or the free place where it would be. */

static uint32_t
acme_map_find(const acme_map_t *m, uint64_t key)
{
    uint32_t  i;

    i = (uint32_t) key & (m->size - 1);

    while (m->values[i] != NULL && m->keys[i] != key) {
        i = (i + 1) & (m->size - 1);
    }

    return i;
}


void *
acme_map_get(const acme_map_t *m, uint64_t key)
{
    return m->size ? m->values[acme_map_find(m, key)] : NULL;
}


static void
acme_map_grow(acme_map_t *m)
{
    uint32_t    i, j;
    acme_map_t  old;

    old = *m;

    m->size = old.size ? old.size * 2 : ACME_MAP_MIN;
    m->keys = torii_malloc(m->size * sizeof(uint64_t));
    m->values = torii_zalloc(m->size * sizeof(void *));

    for (i = 0; i < old.size; i++) {
        if (old.values[i] != NULL) {
            j = acme_map_find(m, old.keys[i]);
            m->keys[j] = old.keys[i];
            m->values[j] = old.values[i];
        }
    }

    free(old.keys);
    free(old.values);
}


void
acme_map_set(acme_map_t *m, uint64_t key, void *value)
{
    uint32_t  i;

    if (m->n + 1 > m->size / 2) {
        acme_map_grow(m);
    }

    i = acme_map_find(m, key);

    if (m->values[i] == NULL) {
        m->n++;
    }

    m->keys[i] = key;
    m->values[i] = value;
}


/* Those that were put further because of it move up. */

void
acme_map_remove(acme_map_t *m, uint64_t key)
{
    uint32_t  i, j, home;

    if (m->size == 0) {
        return;
    }

    i = acme_map_find(m, key);

    if (m->values[i] == NULL) {
        return;
    }

    m->n--;

    for (j = (i + 1) & (m->size - 1);
         m->values[j] != NULL;
         j = (j + 1) & (m->size - 1))
    {
        home = (uint32_t) m->keys[j] & (m->size - 1);

        if (((j - home) & (m->size - 1)) >= ((j - i) & (m->size - 1))) {
            m->keys[i] = m->keys[j];
            m->values[i] = m->values[j];
            i = j;
        }
    }

    m->values[i] = NULL;
}


void
acme_queue_init(acme_queue_t *head)
{
    head->prev = head;
    head->next = head;
}


void
acme_queue_add(acme_queue_t *head, acme_queue_t *q)
{
    q->prev = head->prev;
    q->next = head;
    head->prev->next = q;
    head->prev = q;
}


void
acme_queue_remove(acme_queue_t *q)
{
    if (q->next == NULL) {
        return;
    }

    q->prev->next = q->next;
    q->next->prev = q->prev;
    q->prev = NULL;
    q->next = NULL;
}
