
/*
 * Hosts: what all Ingresses say of one host comes together here.
 */

#include "ingress_compile.h"


#define INGRESS_HOST_AHEAD  12


static void ingress_host_ahead(ingress_compile_t *c, uint32_t index);
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


void
ingress_compile_catchall(ingress_compile_t *c)
{
    torii_str_t  none;

    none.len = 0;
    none.data = (unsigned char *) "";

    ingress_host_create(c, none, ingress_writer_pool(c->w, "_", 1));
}


void
ingress_compile_join(ingress_compile_t *c, ingress_plan_t *plan)
{
    uint32_t  i, n;

    for (i = 0; i < plan->nhosts; i++) {
        n = ingress_host_find(c, plan, &plan->hosts[i]);
        ingress_host_join(c, n, plan, &plan->hosts[i]);
    }
}


void
ingress_compile_hosts(ingress_compile_t *c)
{
    uint32_t               i, n;
    ingress_table_host_t  *record;

    n = ingress_writer_n(c->w, HOSTS, ingress_table_host_t);

    for (i = 0; i < n; i++) {

        if (i + INGRESS_HOST_AHEAD < n) {
            ingress_host_ahead(c, i);
        }

        record = ingress_writer_at(c->w, HOSTS, ingress_table_host_t, i);
        record->cert = INGRESS_NONE;
        record->cert2 = INGRESS_NONE;

        ingress_host_settings(c, i);
        ingress_compile_paths(c, i);

        if (ingress_compile_host(c, i)->tls) {
            ingress_compile_tls(c, i);
        }
    }
}


/* What the next hosts need lies anywhere in memory. */

static void
ingress_host_ahead(ingress_compile_t *c, uint32_t index)
{
    ingress_host_t  *host;
    ingress_plan_t  *plan;
    ingress_cert_t  *cert;

    host = ingress_compile_host(c, index + INGRESS_HOST_AHEAD);
    ingress_plan_prefetch(ingress_compile_part(c, host->first)->plan);

    host = ingress_compile_host(c, index + 1 + INGRESS_HOST_AHEAD / 2);
    plan = ingress_compile_part(c, host->first)->plan;

    if (plan->ntls && plan->tls[0].secret) {
        __builtin_prefetch(&plan->tls[0].secret->u.secret);
    }

    host = ingress_compile_host(c, index + 1 + INGRESS_HOST_AHEAD / 4);
    plan = ingress_compile_part(c, host->first)->plan;

    cert = NULL;

    if (plan->ntls && plan->tls[0].secret) {
        cert = plan->tls[0].secret->u.secret.server.cert;
    }

    if (cert) {
        __builtin_prefetch(cert);
        __builtin_prefetch((char *) cert + 64);
        __builtin_prefetch((char *) cert + 128);
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
    ingress_host_t        *host;
    ingress_table_host_t  *record;

    host = ingress_compile_host(c, index);
    record = ingress_writer_at(c->w, HOSTS, ingress_table_host_t, index);

    for (i = host->first; i != INGRESS_NONE; i = part->next) {
        part = ingress_compile_part(c, i);
        plan = part->plan;

        host->aliased |= plan->naliases != 0;
        host->www |= plan->from_to_www != 0;
        host->tls |= plan->ntls != 0;

        if (record->ssl_ciphers.len == 0) {
            record->ssl_ciphers = ingress_plan_ref(plan, plan->ssl_ciphers);
        }

        if (record->ssl_prefer_server_ciphers == 0) {
            record->ssl_prefer_server_ciphers = plan->ssl_prefer_server_ciphers;
        }
    }
}
