
/*
 * What objects say of their own state: the addresses that a load balancer got
 * (Ingress and Service, status.loadBalancer.ingress) and the API's version of
 * an object.  The API wrote them and no author did, so what is no address is
 * left out without a word.
 */

#include "ingress_decode.h"


#define INGRESS_BALANCER_MAX  256
#define INGRESS_VERSION_MAX   128


static uint32_t ingress_balancer_decode(const torii_node_t *doc,
    ingress_address_t *addresses, uint32_t max);
static int ingress_balancer_address(const torii_node_t *node,
    ingress_address_t *address);
static const torii_node_t *ingress_balancer_list(const torii_node_t *doc);
static unsigned char *ingress_state_copy(unsigned char *p, torii_str_t s,
    torii_str_t *copy);


/* They stay in the tree's memory. */

static uint32_t
ingress_balancer_decode(const torii_node_t *doc, ingress_address_t *addresses,
    uint32_t max)
{
    uint32_t             i, n;
    const torii_node_t  *list;

    list = ingress_balancer_list(doc);
    n = 0;

    for (i = 0; list != NULL && i < list->n && n < max; i++) {

        if (ingress_balancer_address(list->items[i], &addresses[n])
            == TORII_OK)
        {
            n++;
        }
    }

    return n;
}


static const torii_node_t *
ingress_balancer_list(const torii_node_t *doc)
{
    const torii_node_t  *node;

    node = torii_node_get(torii_node_get(doc, "status"), "loadBalancer");
    node = torii_node_get(node, "ingress");

    return node != NULL && node->type == TORII_NODE_LIST ? node : NULL;
}


static int
ingress_balancer_address(const torii_node_t *node, ingress_address_t *address)
{
    const torii_node_t  *text;

    text = torii_node_get(node, "ip");

    if (text != NULL && text->type == TORII_NODE_STRING
        && !torii_str_has_control(text->text)
        && ingress_is_address(text->text))
    {
        address->address = text->text;
        address->hostname = 0;
        return TORII_OK;
    }

    text = torii_node_get(node, "hostname");

    if (text != NULL && text->type == TORII_NODE_STRING && text->text.len
        && ingress_host_check(text->text, INGRESS_HOST_TARGET) == NULL)
    {
        address->address = text->text;
        address->hostname = 1;
        return TORII_OK;
    }

    return TORII_DECLINED;
}


void
ingress_service_balancer(ingress_decode_t *d, const torii_node_t *doc)
{
    uint32_t            i, n;
    ingress_service_t  *service;
    ingress_address_t   addresses[INGRESS_BALANCER_MAX];

    n = ingress_balancer_decode(doc, addresses, INGRESS_BALANCER_MAX);
    if (n == 0) {
        return;
    }

    service = &d->object->u.service;

    service->balancer = torii_arena_alloc(d->arena,
                                          n * sizeof(ingress_address_t));
    service->nbalancer = n;

    for (i = 0; i < n; i++) {
        service->balancer[i].address = torii_arena_str(d->arena,
                                                       addresses[i].address);
        service->balancer[i].hostname = addresses[i].hostname;
    }
}


/* One block, which the object's arena does not own. */

ingress_state_t *
ingress_state_create(const torii_node_t *doc)
{
    size_t               size;
    uint32_t             i, n;
    torii_str_t          version;
    unsigned char       *p;
    ingress_state_t     *state;
    ingress_address_t    addresses[INGRESS_BALANCER_MAX];
    const torii_node_t  *node;

    version.len = 0;
    version.data = NULL;

    node = torii_node_get(torii_node_get(doc, "metadata"), "resourceVersion");

    if (node != NULL && node->type == TORII_NODE_STRING
        && node->text.len <= INGRESS_VERSION_MAX
        && !torii_str_has_control(node->text))
    {
        version = node->text;
    }

    n = ingress_balancer_decode(doc, addresses, INGRESS_BALANCER_MAX);
    size = sizeof(ingress_state_t) + n * sizeof(ingress_address_t)
           + version.len + 1;

    for (i = 0; i < n; i++) {
        size += addresses[i].address.len + 1;
    }

    state = torii_zalloc(size);

    state->addresses = (ingress_address_t *) (state + 1);
    state->n = n;

    p = (unsigned char *) (state->addresses + n);
    p = ingress_state_copy(p, version, &state->resource_version);

    for (i = 0; i < n; i++) {
        state->addresses[i].hostname = addresses[i].hostname;
        p = ingress_state_copy(p, addresses[i].address,
                               &state->addresses[i].address);
    }

    return state;
}


static unsigned char *
ingress_state_copy(unsigned char *p, torii_str_t s, torii_str_t *copy)
{
    copy->data = p;
    copy->len = s.len;

    if (s.len) {
        memcpy(p, s.data, s.len);
    }

    p[s.len] = '\0';

    return p + s.len + 1;
}
