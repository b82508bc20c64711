
/*
 * Names that Services of type ExternalName and FQDN endpoints hold, and the
 * addresses that the store's owner found for them.
 */

#include <arpa/inet.h>
#include <stdlib.h>

#include "ingress_compile.h"


#define INGRESS_NAME_MAX  253

typedef struct {
    ingress_link_t     link;
    torii_str_t        name;
    uint8_t          (*addrs)[16];
    uint32_t           n;
    uint64_t           stamp;
} ingress_name_t;

typedef struct {
    ingress_store_t   *store;
    void             (*visit)(void *data, torii_str_t name);
    void              *data;
} ingress_name_visit_t;


static int ingress_name_fold(torii_str_t name, unsigned char *buf,
    torii_str_t *folded);
static ingress_name_t *ingress_name_find(ingress_store_t *store,
    torii_str_t folded);
static ingress_name_t *ingress_name_hold(ingress_store_t *store,
    torii_str_t folded);
static void ingress_name_free(ingress_name_t *name);
static void ingress_name_mark(ingress_store_t *store,
    const ingress_object_t *o, const ingress_backend_t *backend);
static void ingress_name_service(const ingress_name_visit_t *v,
    const ingress_item_t *service);
static void ingress_name_ask(const ingress_name_visit_t *v, torii_str_t name);
static void ingress_name_sweep(ingress_store_t *store);
static int ingress_name_addr_cmp(const void *one, const void *two);


/*
 * Only names of Services that an Ingress refers to, of whatever class: which
 * classes are served is known to compile alone, and the answer must not wait
 * for it.
 */

void
ingress_store_names(ingress_store_t *store,
    void (*visit)(void *data, torii_str_t name), void *data)
{
    uint32_t               i, n, k;
    ingress_link_t        *link;
    ingress_item_t       *e;
    ingress_rule_t        *rule;
    ingress_object_t      *o;
    ingress_name_visit_t   v;

    store->stamp++;

    v.store = store;
    v.visit = visit;
    v.data = data;

    if (store->external == 0) {
        ingress_name_sweep(store);
        return;
    }

    ingress_order_update(store);

    for (i = 0; i < store->order.n; i++) {
        o = store->order.elts[i]->active;

        ingress_name_mark(store, o, &o->u.ingress.default_backend);

        for (n = 0; n < o->u.ingress.nrules; n++) {
            rule = &o->u.ingress.rules[n];

            for (k = 0; k < rule->n; k++) {
                ingress_name_mark(store, o, &rule->paths[k].backend);
            }
        }
    }

    for (i = 0; i < store->entries.size; i++) {
        for (link = store->entries.buckets[i]; link; link = link->next) {
            e = (ingress_item_t *) link;

            if (e->kind == INGRESS_KIND_SERVICE
                && (e->u.service.stamp == store->stamp
                    || e->u.service.upstreams))
            {
                ingress_name_service(&v, e);
            }
        }
    }

    ingress_name_sweep(store);
}


int
ingress_store_resolved(ingress_store_t *store, torii_str_t name,
    const uint8_t (*addrs)[16], uint32_t n)
{
    uint8_t         (*sorted)[16];
    uint32_t          i, k;
    torii_str_t       folded;
    unsigned char     buf[INGRESS_NAME_MAX];
    ingress_name_t   *known;

    if (ingress_name_fold(name, buf, &folded) != TORII_OK) {
        return 0;
    }

    sorted = torii_malloc((size_t) n * 16);
    k = 0;

    if (n) {
        memcpy(sorted, addrs, (size_t) n * 16);
        qsort(sorted, n, 16, ingress_name_addr_cmp);

        for (i = 1; i < n; i++) {
            if (memcmp(sorted[k], sorted[i], 16) != 0) {
                memcpy(sorted[++k], sorted[i], 16);
            }
        }

        k++;
    }

    known = ingress_name_hold(store, folded);

    if (known->n == k && (k == 0 || memcmp(known->addrs, sorted, k * 16) == 0))
    {
        free(sorted);
        return 0;
    }

    free(known->addrs);

    known->addrs = sorted;
    known->n = k;

    store->names_version++;

    return 1;
}


static int
ingress_name_addr_cmp(const void *one, const void *two)
{
    return memcmp(one, two, 16);
}


const uint8_t (*
ingress_name_addrs(ingress_store_t *store, torii_str_t name, uint32_t *n))[16]
{
    torii_str_t      folded;
    unsigned char    buf[INGRESS_NAME_MAX];
    ingress_name_t  *known;

    *n = 0;

    if (ingress_name_fold(name, buf, &folded) != TORII_OK) {
        return NULL;
    }

    known = ingress_name_find(store, folded);
    if (known == NULL) {
        return NULL;
    }

    *n = known->n;

    return (const uint8_t (*)[16]) known->addrs;
}


void
ingress_names_free(ingress_store_t *store)
{
    store->stamp++;

    ingress_name_sweep(store);
    ingress_hash_free(&store->names);
}


int
ingress_name_needed(const ingress_object_t *o)
{
    uint8_t                  addr[16];
    uint32_t                 i, n;
    const ingress_subset_t  *subset;

    if (o->kind == INGRESS_KIND_SERVICE) {
        return o->u.service.type == INGRESS_SERVICE_EXTERNALNAME;
    }

    if (o->kind != INGRESS_KIND_SLICE && o->kind != INGRESS_KIND_ENDPOINTS) {
        return 0;
    }

    for (i = 0; i < o->u.slice.n; i++) {
        subset = &o->u.slice.subsets[i];

        for (n = 0; n < subset->n; n++) {
            if (ingress_addr_parse(subset->endpoints[n].address, addr)
                != TORII_OK)
            {
                return 1;
            }
        }
    }

    return 0;
}


int
ingress_addr_parse(torii_str_t s, uint8_t addr[16])
{
    char  text[INET6_ADDRSTRLEN];

    if (s.len == 0 || s.len >= sizeof(text) || memchr(s.data, '\0', s.len)) {
        return TORII_ERROR;
    }

    memcpy(text, s.data, s.len);
    text[s.len] = '\0';

    if (memchr(text, ':', s.len)) {
        return inet_pton(AF_INET6, text, addr) == 1 ? TORII_OK : TORII_ERROR;
    }

    memset(addr, 0, 10);
    addr[10] = 0xff;
    addr[11] = 0xff;

    return inet_pton(AF_INET, text, addr + 12) == 1 ? TORII_OK : TORII_ERROR;
}


/* Lower case, without a trailing dot; TORII_ERROR: no name of a host. */

static int
ingress_name_fold(torii_str_t name, unsigned char *buf, torii_str_t *folded)
{
    size_t         i;
    unsigned char  c;

    if (name.len && name.data[name.len - 1] == '.') {
        name.len--;
    }

    if (name.len == 0 || name.len > INGRESS_NAME_MAX) {
        return TORII_ERROR;
    }

    for (i = 0; i < name.len; i++) {
        c = name.data[i];

        if (c >= 'A' && c <= 'Z') {
            c |= 0x20;
        }

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')
            && c != '-' && c != '_' && c != '.')
        {
            return TORII_ERROR;
        }

        buf[i] = c;
    }

    folded->data = buf;
    folded->len = name.len;

    return TORII_OK;
}


static ingress_name_t *
ingress_name_find(ingress_store_t *store, torii_str_t folded)
{
    ingress_name_t  *known;

    known = ingress_hash_first(&store->names,
                               torii_hash(folded.data, folded.len, 0));

    while (known && !torii_str_eq(known->name, folded)) {
        known = ingress_hash_next(known);
    }

    return known;
}


static ingress_name_t *
ingress_name_hold(ingress_store_t *store, torii_str_t folded)
{
    ingress_name_t  *known;

    known = ingress_name_find(store, folded);
    if (known) {
        return known;
    }

    known = torii_zalloc(sizeof(ingress_name_t) + folded.len);

    known->name.data = (unsigned char *) known + sizeof(ingress_name_t);
    known->name.len = folded.len;
    memcpy(known->name.data, folded.data, folded.len);

    known->link.hash = torii_hash(folded.data, folded.len, 0);
    ingress_hash_add(&store->names, &known->link);

    return known;
}


static void
ingress_name_free(ingress_name_t *name)
{
    free(name->addrs);
    free(name);
}


static void
ingress_name_mark(ingress_store_t *store, const ingress_object_t *o,
    const ingress_backend_t *backend)
{
    ingress_item_t  *service;

    if (backend->service.len == 0) {
        return;
    }

    service = ingress_item_find(store, INGRESS_KIND_SERVICE, o->namespace,
                                 backend->service);
    if (service) {
        service->u.service.stamp = store->stamp;
    }
}


static void
ingress_name_service(const ingress_name_visit_t *v,
    const ingress_item_t *service)
{
    uint32_t                 i, n;
    const ingress_item_t   *e;
    const ingress_slice_t   *slice;

    if (service->external) {
        ingress_name_ask(v, service->active->u.service.external_name);
    }

    e = service->u.service.slices;
    if (e == NULL) {
        e = service->u.service.endpoints;
    }

    for ( /* void */ ; e; e = e->u.slice.next) {

        if (!e->external) {
            continue;
        }

        slice = &e->active->u.slice;

        for (i = 0; i < slice->n; i++) {
            for (n = 0; n < slice->subsets[i].n; n++) {
                ingress_name_ask(v, slice->subsets[i].endpoints[n].address);
            }
        }
    }
}


static void
ingress_name_ask(const ingress_name_visit_t *v, torii_str_t name)
{
    uint8_t          addr[16];
    torii_str_t      folded;
    unsigned char    buf[INGRESS_NAME_MAX];
    ingress_name_t  *known;

    if (ingress_addr_parse(name, addr) == TORII_OK
        || ingress_name_fold(name, buf, &folded) != TORII_OK)
    {
        return;
    }

    known = ingress_name_hold(v->store, folded);

    if (known->stamp != v->store->stamp) {
        known->stamp = v->store->stamp;
        v->visit(v->data, known->name);
    }
}


/* Forget the names that nobody holds any longer. */

static void
ingress_name_sweep(ingress_store_t *store)
{
    uint32_t         i;
    ingress_link_t  *link, **place;
    ingress_name_t  *name;

    for (i = 0; i < store->names.size; i++) {
        place = &store->names.buckets[i];

        while ((link = *place) != NULL) {
            name = (ingress_name_t *) link;

            if (name->stamp == store->stamp) {
                place = &link->next;
                continue;
            }

            *place = link->next;
            store->names.n--;

            ingress_name_free(name);
        }
    }
}
