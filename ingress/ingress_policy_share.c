
/*
 * Policies that are kept once however many Ingresses say the same, and their
 * records in the table.
 */

#include "ingress_compile.h"


/* A record that depends on other objects, found by its bytes. */

typedef struct {
    ingress_link_t     link;
    uint32_t           index;
} ingress_policy_link_t;


static uint32_t ingress_policy_base(ingress_compile_t *c,
    ingress_interned_t *shared);
static void ingress_policy_relocate(ingress_policy_t *policy, uint32_t base,
    unsigned char *pool);
static uint32_t ingress_policy_add(ingress_compile_t *c,
    ingress_interned_t *shared, int open);
static uint32_t ingress_policy_add_own(ingress_compile_t *c,
    ingress_plan_t *plan, unsigned variant);
static void ingress_policy_login(ingress_policy_t *policy,
    const ingress_plan_login_t *login, unsigned variant);
static void ingress_policy_identity(ingress_compile_t *c,
    ingress_plan_t *plan);
static void ingress_policy_params(ingress_compile_t *c, ingress_plan_t *plan);
static void ingress_policy_params_write(ingress_compile_t *c,
    ingress_item_t *map);
static int ingress_policy_param_valid(torii_str_t s, const char *others);


ingress_interned_t *
ingress_policy_hold(ingress_store_t *store, const ingress_policy_t *policy,
    const torii_buf_t *pool)
{
    torii_buf_t       own;
    ingress_policy_t  copy;

    memset(&own, 0, sizeof(torii_buf_t));
    memcpy(&copy, policy, sizeof(ingress_policy_t));

    ingress_policy_move(&copy, pool->data, &own);

    return ingress_shared_hold(&store->shared, sizeof(ingress_interned_t),
                               offsetof(ingress_interned_t, policy), &copy,
                               sizeof(ingress_policy_t), &own);
}


void
ingress_policy_release(ingress_store_t *store, ingress_interned_t *shared)
{
    ingress_shared_release(&store->shared, &shared->head);
}


uint32_t
ingress_policy_write(ingress_compile_t *c, ingress_plan_t *plan,
    unsigned variant)
{
    int                  open;
    ingress_interned_t  *shared;

    if (plan && (plan->ssl_secret || plan->fastcgi || plan->login)) {

        if (plan->policy[variant] == INGRESS_NONE) {
            plan->policy[variant] = ingress_policy_add_own(c, plan, variant);
        }

        return plan->policy[variant];
    }

    open = ((variant & INGRESS_POLICY_OPEN) != 0);

    shared = plan ? plan->interned : c->store->config_interned;

    ingress_policy_base(c, shared);

    if (shared->index[open] == INGRESS_NONE) {
        shared->index[open] = ingress_policy_add(c, shared, open);
    }

    return shared->index[open];
}


/* Where the policy's strings are in the table's pool. */

static uint32_t
ingress_policy_base(ingress_compile_t *c, ingress_interned_t *shared)
{
    ingress_ref_t  ref;

    if (shared->round != c->store->round) {
        ref = ingress_writer_pool(c->w, shared->head.pool.data,
                                  shared->head.pool.len);

        shared->round = c->store->round;
        shared->base = ref.off;
        shared->index[0] = INGRESS_NONE;
        shared->index[1] = INGRESS_NONE;
    }

    return shared->base;
}


static void
ingress_policy_relocate(ingress_policy_t *policy, uint32_t base,
    unsigned char *pool)
{
    uint32_t          i, n;
    ingress_ref_t    *ref;
    ingress_entry_t  *entry;

    for (i = 0; i < ingress_policy_nrefs; i++) {
        ref = (void *) ((unsigned char *) policy + ingress_policy_refs[i]);

        if (ref->len) {
            ref->off += base;
        }
    }

    /* the entries themselves were copied with the pool */

    n = policy->cors_origins.len / sizeof(ingress_entry_t);
    entry = (void *) (pool + policy->cors_origins.off);

    for (i = 0; i < n; i++) {
        entry[i].name.off += entry[i].name.len ? base : 0;
        entry[i].value.off += entry[i].value.len ? base : 0;
    }
}


static uint32_t
ingress_policy_add(ingress_compile_t *c, ingress_interned_t *shared, int open)
{
    ingress_policy_t  *policy, *twin;

    policy = ingress_writer_add(c->w, INGRESS_SECTION_POLICIES,
                                sizeof(ingress_policy_t));

    if (shared->index[!open] != INGRESS_NONE) {
        twin = ingress_writer_at(c->w, POLICIES, ingress_policy_t,
                                 shared->index[!open]);
        memcpy(policy, twin, sizeof(ingress_policy_t));

    } else {
        memcpy(policy, &shared->policy, sizeof(ingress_policy_t));
        ingress_policy_relocate(policy, shared->base,
                              c->w->sections[INGRESS_SECTION_POOL].data);
    }

    policy->no_tls_redirect = open;

    return ingress_writer_n(c->w, POLICIES, ingress_policy_t) - 1;
}


static uint32_t
ingress_policy_add_own(ingress_compile_t *c, ingress_plan_t *plan,
    unsigned variant)
{
    int                     open;
    uint32_t                index;
    uint64_t                hash;
    ingress_policy_t        policy;
    ingress_interned_t     *shared;
    ingress_policy_link_t  *link;

    /* written once without references, so that the strings are in place */

    open = ((variant & INGRESS_POLICY_OPEN) != 0);
    shared = plan->interned;
    ingress_policy_base(c, shared);

    if (shared->index[open] == INGRESS_NONE) {
        shared->index[open] = ingress_policy_add(c, shared, open);
    }

    index = shared->index[open];

    memcpy(&policy, ingress_writer_at(c->w, POLICIES, ingress_policy_t, index),
           sizeof(ingress_policy_t));

    policy.deny |= plan->deny;
    policy.tls = plan->identity;
    policy.fastcgi_params = plan->params;

    if (plan->login) {
        ingress_policy_login(&policy, plan->login, variant);
    }

    hash = torii_hash(&policy, sizeof(ingress_policy_t), 0);
    link = ingress_hash_first(&c->policies, hash);

    for ( /* void */ ; link; link = ingress_hash_next(link)) {
        if (memcmp(&policy, ingress_writer_at(c->w, POLICIES, ingress_policy_t,
                                              link->index),
                   sizeof(ingress_policy_t)) == 0)
        {
            return link->index;
        }
    }

    memcpy(ingress_writer_add(c->w, INGRESS_SECTION_POLICIES,
                              sizeof(ingress_policy_t)),
           &policy, sizeof(ingress_policy_t));

    link = torii_arena_alloc(c->arena, sizeof(ingress_policy_link_t));

    link->index = ingress_writer_n(c->w, POLICIES, ingress_policy_t) - 1;
    link->link.hash = hash;
    ingress_hash_add(&c->policies, &link->link);

    return link->index;
}


static void
ingress_policy_login(ingress_policy_t *policy,
    const ingress_plan_login_t *login, unsigned variant)
{
    if (variant & INGRESS_POLICY_FREE) {
        policy->satisfy_any = 0;
        memset(&policy->realm, 0, sizeof(ingress_ref_t));
        return;
    }

    policy->deny |= login->deny;
    policy->login = login->login;
    policy->users = login->list;
}


void
ingress_policy_references(ingress_compile_t *c, ingress_plan_t *plan)
{
    uint32_t  i;

    for (i = 0; i < sizeof(plan->policy) / sizeof(plan->policy[0]); i++) {
        plan->policy[i] = INGRESS_NONE;
    }

    plan->deny = 0;
    plan->identity = 0;
    plan->params.off = 0;
    plan->params.len = 0;

    if (plan->ssl_secret) {
        ingress_policy_identity(c, plan);
    }

    if (plan->fastcgi) {
        ingress_policy_params(c, plan);
    }
}


static void
ingress_policy_identity(ingress_compile_t *c, ingress_plan_t *plan)
{
    const char      *problem;
    ingress_item_t  *secret;

    secret = plan->ssl_secret;

    plan->identity = ingress_identity_write(c, secret, &problem);

    if (problem == NULL && plan->interned->policy.ssl_verify
        && ingress_writer_at(c->w, TLS, ingress_table_tls_t,
                             plan->identity - 1)->ca.len == 0)
    {
        problem = "it has no ca.crt to verify the backend with";
    }

    if (problem == NULL) {
        return;
    }

    plan->deny |= INGRESS_DENY_REFERENCE;

    ingress_compile_finding(c, INGRESS_ERROR, "BackendCertificate",
                            plan->item, 0,
                            INGRESS_ANNOTATION_PREFIX "proxy-ssl-secret",
                            secret->key,
                            "Secret %.*s cannot be used: %s; its paths are "
                            "answered 503 until that is put right",
                            torii_str_arg(secret->key), problem);
}


static void
ingress_policy_params(ingress_compile_t *c, ingress_plan_t *plan)
{
    ingress_item_t  *map;

    map = plan->fastcgi;

    if (map->u.configmap.round != c->store->round) {
        map->u.configmap.round = c->store->round;
        map->u.configmap.params.off = 0;
        map->u.configmap.params.len = 0;
        map->u.configmap.problem = NULL;

        ingress_policy_params_write(c, map);
    }

    plan->params = map->u.configmap.params;

    if (map->u.configmap.problem == NULL) {
        return;
    }

    plan->deny |= INGRESS_DENY_REFERENCE;

    ingress_compile_finding(c, INGRESS_ERROR, "FastcgiParams", plan->item, 0,
                            INGRESS_ANNOTATION_PREFIX
                            "fastcgi-params-configmap",
                            map->key,
                            "ConfigMap %.*s cannot be used: %s \"%.*s\"; its "
                            "paths are answered 503 until that is put right",
                            torii_str_arg(map->key), map->u.configmap.problem,
                            torii_str_arg(map->u.configmap.culprit));
}


static void
ingress_policy_params_write(ingress_compile_t *c, ingress_item_t *map)
{
    uint32_t                i;
    ingress_pair_t         *pair;
    ingress_entry_t        *entries;
    const ingress_pairs_t  *data;

    map->u.configmap.culprit = map->name;

    if (map->active == NULL) {
        map->u.configmap.problem = "there is no ConfigMap of the name";
        return;
    }

    data = &map->active->u.configmap.data;
    entries = torii_arena_zalloc(c->arena, data->n * sizeof(ingress_entry_t));

    for (i = 0; i < data->n; i++) {
        pair = &data->elts[i];

        map->u.configmap.culprit = pair->name;

        if (pair->name.len == 0
            || !ingress_policy_param_valid(pair->name, ".-_"))
        {
            map->u.configmap.problem = "only letters, digits, \".\", \"-\" and "
                                       "\"_\" may be in the name";
            return;
        }

        if (!ingress_policy_param_valid(pair->value, "-_${}/.")
            || !ingress_writer_fits(c->w, pair->value.len))
        {
            map->u.configmap.problem = "only letters, digits and -_${}/. may "
                                       "be in the value of";
            return;
        }

        entries[i].name = ingress_writer_pool(c->w, pair->name.data,
                                              pair->name.len);
        entries[i].value = ingress_writer_pool(c->w, pair->value.data,
                                               pair->value.len);
    }

    map->u.configmap.params = ingress_writer_pool(c->w, entries,
                                        data->n * sizeof(ingress_entry_t));
}


static int
ingress_policy_param_valid(torii_str_t s, const char *others)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9'))
        {
            continue;
        }

        if (c == '\0' || strchr(others, c) == NULL) {
            return 0;
        }
    }

    return 1;
}
