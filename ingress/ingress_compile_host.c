
/*
 * Hosts: what all Ingresses say of one host comes together here.
 */

#include "ingress_compile.h"


static uint32_t ingress_host_find(ingress_compile_t *c,
    const ingress_plan_t *plan, const ingress_plan_host_t *host);
static uint32_t ingress_host_create(ingress_compile_t *c, torii_str_t name,
    ingress_ref_t ref);
static void ingress_host_join(ingress_compile_t *c, uint32_t index,
    ingress_plan_t *plan, ingress_plan_host_t *host);
static void ingress_host_settings(ingress_compile_t *c, uint32_t index);


ingress_ref_t
ingress_plan_ref(const ingress_plan_t *plan, ingress_ref_t ref)
{
    if (ref.len) {
        ref.off += plan->base;
    }

    return ref;
}


/* The catch-all is always there, and always the first. */

void
ingress_compile_hosts(ingress_compile_t *c)
{
    uint32_t               i, n, k, nplans;
    torii_str_t            none;
    ingress_ref_t          ref;
    ingress_plan_t        *plan, **plans;
    ingress_table_host_t  *record;

    none.len = 0;
    none.data = (unsigned char *) "";

    ref = ingress_writer_pool(c->w, "_", 1);
    ingress_host_create(c, none, ref);

    plans = (void *) c->store->plans.data;
    nplans = c->store->plans.len / sizeof(ingress_plan_t *);

    for (i = 0; i < nplans; i++) {
        plan = plans[i];

        for (k = 0; k < plan->nhosts; k++) {
            n = ingress_host_find(c, plan, &plan->hosts[k]);
            ingress_host_join(c, n, plan, &plan->hosts[k]);
        }
    }

    n = ingress_writer_n(c->w, HOSTS, ingress_table_host_t);

    for (i = 0; i < n; i++) {
        ingress_host_settings(c, i);
        ingress_compile_paths(c, i);

        record = ingress_writer_at(c->w, HOSTS, ingress_table_host_t, i);
        record->cert = INGRESS_NONE;
        record->cert2 = INGRESS_NONE;

        ingress_compile_tls(c, i);
    }
}


static uint32_t
ingress_host_find(ingress_compile_t *c, const ingress_plan_t *plan,
    const ingress_plan_host_t *host)
{
    uint32_t               i, hash;
    torii_str_t            name;
    ingress_ref_t          ref;
    ingress_table_name_t  *found;

    if (host->name.len == 0) {
        return 0;
    }

    name = ingress_plan_str(plan, host->name);
    hash = (uint32_t) host->hash;

    i = ingress_writer_name_find(c->w, name, hash);

    if (i != INGRESS_NONE) {
        found = ingress_writer_at(c->w, NAMES, ingress_table_name_t, i);
        return found->host;
    }

    ref = ingress_plan_ref(plan, host->name);
    i = ingress_host_create(c, name, ref);

    ingress_writer_name(c->w, ref, hash, i);

    return i;
}


static uint32_t
ingress_host_create(ingress_compile_t *c, torii_str_t name, ingress_ref_t ref)
{
    torii_buf_t           *b;
    ingress_host_t        *host;
    ingress_table_host_t  *record;

    record = ingress_writer_add(c->w, INGRESS_SECTION_HOSTS,
                                sizeof(ingress_table_host_t));
    record->name = ref;

    b = &c->store->hosts;

    host = (void *) torii_buf_room(b, sizeof(ingress_host_t));
    b->len += sizeof(ingress_host_t);

    memset(host, 0, sizeof(ingress_host_t));

    host->first = INGRESS_NONE;
    host->last = INGRESS_NONE;
    host->name = name;

    return b->len / sizeof(ingress_host_t) - 1;
}


static void
ingress_host_join(ingress_compile_t *c, uint32_t index, ingress_plan_t *plan,
    ingress_plan_host_t *plan_host)
{
    uint32_t         n;
    torii_buf_t     *b;
    ingress_host_t  *host;
    ingress_part_t  *part;

    b = &c->store->parts;
    n = b->len / sizeof(ingress_part_t);

    part = (void *) torii_buf_room(b, sizeof(ingress_part_t));
    b->len += sizeof(ingress_part_t);

    part->plan = plan;
    part->host = plan_host;
    part->next = INGRESS_NONE;

    host = ingress_compile_host(c, index);

    if (host->last == INGRESS_NONE) {
        host->first = n;

    } else {
        ingress_compile_part(c, host->last)->next = n;
    }

    host->last = n;
}


/* The oldest Ingress that says something of the host is heard. */

static void
ingress_host_settings(ingress_compile_t *c, uint32_t index)
{
    uint32_t               i;
    ingress_plan_t        *plan;
    ingress_part_t        *part;
    ingress_table_host_t  *record;

    record = ingress_writer_at(c->w, HOSTS, ingress_table_host_t, index);

    for (i = ingress_compile_host(c, index)->first;
         i != INGRESS_NONE;
         i = part->next)
    {
        part = ingress_compile_part(c, i);
        plan = part->plan;

        if (record->ssl_ciphers.len == 0) {
            record->ssl_ciphers = ingress_plan_ref(plan, plan->ssl_ciphers);
        }

        if (record->ssl_prefer_server_ciphers == 0) {
            record->ssl_prefer_server_ciphers = plan->ssl_prefer_server_ciphers;
        }
    }
}
