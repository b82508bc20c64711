
/*
 * The plan of an Ingress: its object and annotations worked out as far as they
 * do not depend on others.  It is made once and lives as long as the object.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ingress_compile.h"
#include "ingress_decode.h"
#include "ingress_issue.h"


#define INGRESS_PLAN_ARENA  1024

#define INGRESS_PLAN_CHALLENGES  "/.well-known/acme-challenge/"

/* A host of spec.tls, and the first two entries that list it. */

typedef struct {
    ingress_link_t             link;
    torii_str_t                name;
    uint32_t                   tls;
    uint32_t                   tls2;
    unsigned                   used:1;
} ingress_plan_listed_t;

typedef struct {
    ingress_store_t           *store;
    ingress_plan_t            *plan;
    const ingress_object_t    *o;
    const ingress_config_t    *config;
    ingress_annotations_t      annotations;
    ingress_findings_t         findings;
    torii_arena_t             *arena;
    ingress_hash_t             listed;
    torii_str_t                target;      /* rewrite-target */

    /* the backend of the path before, which mostly is the next one's too */
    const ingress_backend_t   *backend;
    ingress_upstream_t        *upstream;
    ingress_ref_t              service;
    ingress_ref_t              port;
} ingress_planner_t;


static void ingress_plan_annotations(ingress_planner_t *p);
static void ingress_plan_notes(ingress_planner_t *p);
static ingress_plan_t *ingress_plan_pack(ingress_plan_t *plan,
    torii_arena_t *arena);
static void *ingress_plan_move(unsigned char **p, const void *data,
    size_t size);
static void ingress_plan_aliases(ingress_planner_t *p);
static void ingress_plan_named(ingress_planner_t *p);
static void ingress_plan_tls(ingress_planner_t *p);
static void ingress_plan_tls_second(ingress_planner_t *p);
static void ingress_plan_tls_unused(ingress_planner_t *p);
static ingress_plan_listed_t *ingress_plan_listed(ingress_planner_t *p,
    torii_str_t name);
static void ingress_plan_tls_host(ingress_planner_t *p,
    ingress_plan_host_t *host, torii_str_t name);
static void ingress_plan_rules(ingress_planner_t *p);
static void ingress_plan_rule(ingress_planner_t *p,
    const ingress_rule_t *rule, ingress_plan_host_t *host);
static int ingress_plan_path(ingress_planner_t *p, const ingress_path_t *from,
    ingress_plan_path_t *to);
static void ingress_plan_backend(ingress_planner_t *p,
    const ingress_backend_t *backend, uint32_t line);
static void ingress_plan_backend_add(ingress_plan_t *plan,
    ingress_upstream_t *u, uint32_t line);
static void ingress_plan_policy(ingress_planner_t *p);
static int ingress_plan_open(const ingress_config_t *config,
    torii_str_t path);
static int ingress_plan_prefixed(const torii_str_t *prefixes, uint32_t n,
    torii_str_t path);
static int ingress_plan_regex(const ingress_planner_t *p, torii_str_t path);
static ingress_ref_t ingress_plan_add(ingress_plan_t *plan, torii_str_t s);
static void ingress_plan_finding(ingress_planner_t *p,
    ingress_severity_e severity, const char *reason, uint32_t line,
    const char *field, torii_str_t value, const char *message);


ingress_plan_t *
ingress_plan_create(ingress_store_t *store, ingress_item_t *e,
    const ingress_config_t *config, uint64_t version)
{
    ingress_plan_t     *plan;
    ingress_planner_t   p;

    memset(&p, 0, sizeof(ingress_planner_t));

    p.arena = torii_arena_create(INGRESS_PLAN_ARENA);
    ingress_findings_init(&p.findings, p.arena);

    plan = torii_arena_zalloc(p.arena, sizeof(ingress_plan_t));

    plan->item = e;
    plan->config = version;

    p.store = store;
    p.plan = plan;
    p.o = e->active;
    p.config = config;

    store->stamp++;

    plan->namespace = ingress_plan_add(plan, p.o->namespace);
    plan->name = ingress_plan_add(plan, p.o->name);
    plan->file = ingress_plan_add(plan, p.o->file);

    ingress_annotations_parse(&p.annotations, p.o, config, &p.findings);

    plan->canary = p.annotations.canary;
    p.target = ingress_pool_str(&p.annotations.pool,
                                p.annotations.policy.rewrite_target);

    if (!plan->canary) {
        ingress_plan_annotations(&p);
        ingress_plan_tls(&p);
        ingress_plan_rules(&p);
        ingress_plan_tls_unused(&p);
        ingress_plan_policy(&p);
    }

    ingress_plan_notes(&p);

    ingress_annotations_free(&p.annotations);
    ingress_hash_free(&p.listed);

    return ingress_plan_pack(plan, p.arena);
}


/*
 * All findings of the object and of its annotations, ready to be written: one
 * annotation that does nothing, in ten thousand Ingresses, is told each time.
 */

static void
ingress_plan_notes(ingress_planner_t *p)
{
    uint32_t                  i, n;
    torii_buf_t               b;
    torii_str_t               json;
    ingress_note_t           *notes;
    const ingress_finding_t  *f, *lists[2];

    lists[0] = p->o->findings;
    lists[1] = p->findings.first;
    n = 0;

    for (i = 0; i < 2; i++) {
        for (f = lists[i]; f; f = f->next) {
            n++;
        }
    }

    if (n == 0) {
        return;
    }

    notes = torii_arena_alloc(p->arena, n * sizeof(ingress_note_t));

    p->plan->notes = notes;
    p->plan->nnotes = n;

    memset(&b, 0, sizeof(torii_buf_t));

    for (i = 0; i < 2; i++) {
        for (f = lists[i]; f; f = f->next) {
            b.len = 0;
            ingress_finding_json(&b, f);

            json.data = b.data;
            json.len = b.len;

            notes->finding = f;
            notes->json = torii_arena_str(p->arena, json);
            notes++;
        }
    }

    torii_buf_free(&b);
}


static ingress_plan_t *
ingress_plan_pack(ingress_plan_t *plan, torii_arena_t *arena)
{
    size_t           size;
    uint32_t         i;
    unsigned char   *p;
    ingress_plan_t  *packed;

    size = sizeof(ingress_plan_t)
           + plan->nhosts * sizeof(ingress_plan_host_t)
           + plan->nbackends * sizeof(ingress_plan_backend_t)
           + plan->npaths * sizeof(ingress_plan_path_t)
           + plan->ntls * sizeof(ingress_plan_tls_t)
           + plan->naliases * sizeof(ingress_ref_t)
           + plan->pool.len;

    p = torii_malloc(size);

    packed = ingress_plan_move(&p, plan, sizeof(ingress_plan_t));

    packed->hosts = ingress_plan_move(&p, plan->hosts,
                               plan->nhosts * sizeof(ingress_plan_host_t));
    packed->backends = ingress_plan_move(&p, plan->backends,
                          plan->nbackends * sizeof(ingress_plan_backend_t));
    packed->paths = ingress_plan_move(&p, plan->paths,
                               plan->npaths * sizeof(ingress_plan_path_t));
    packed->tls = ingress_plan_move(&p, plan->tls,
                                    plan->ntls * sizeof(ingress_plan_tls_t));
    packed->aliases = ingress_plan_move(&p, plan->aliases,
                                        plan->naliases * sizeof(ingress_ref_t));
    packed->pool.data = ingress_plan_move(&p, plan->pool.data, plan->pool.len);

    for (i = 0; i < packed->nhosts; i++) {
        packed->hosts[i].paths = packed->paths
                                 + (plan->hosts[i].paths - plan->paths);
    }

    free(plan->backends);
    torii_buf_free(&plan->pool);

    if (packed->notes) {
        packed->arena = arena;

    } else {
        torii_arena_destroy(arena);
    }

    return packed;
}


static void *
ingress_plan_move(unsigned char **p, const void *data, size_t size)
{
    unsigned char  *to;

    to = *p;

    if (size) {
        memcpy(to, data, size);
        *p += size;
    }

    return to;
}


/* Most plans are of this many lines; the pool at the end comes with them. */

void
ingress_plan_prefetch(const ingress_plan_t *plan)
{
    size_t  i;

    for (i = 0; i < 768; i += 64) {
        __builtin_prefetch((const char *) plan + i);
    }
}


void
ingress_plan_free(ingress_store_t *store, ingress_plan_t *plan)
{
    uint32_t  i;

    for (i = 0; i < plan->nbackends; i++) {
        ingress_upstream_release(store, plan->backends[i].upstream);
    }

    for (i = 0; i < plan->ntls; i++) {
        if (plan->tls[i].secret) {
            ingress_item_release(store, plan->tls[i].secret);
        }

        if (plan->tls[i].second) {
            ingress_item_release(store, plan->tls[i].second);
        }
    }

    if (plan->ssl_secret) {
        ingress_item_release(store, plan->ssl_secret);
    }

    if (plan->fastcgi) {
        ingress_item_release(store, plan->fastcgi);
    }

    if (plan->login) {
        ingress_plan_login_free(store, plan->login);
    }

    if (plan->interned) {
        ingress_policy_release(store, plan->interned);
    }

    torii_arena_destroy(plan->arena);
    free(plan);
}


/* Settings of the host, which the pool of the plan has to hold. */

static void
ingress_plan_annotations(ingress_planner_t *p)
{
    ingress_plan_t               *plan;
    const ingress_annotations_t  *a;

    plan = p->plan;
    a = &p->annotations;

    plan->app_root = ingress_plan_add(plan, ingress_pool_str(&a->pool,
                                                             a->app_root));
    plan->ssl_ciphers = ingress_plan_add(plan,
                                ingress_pool_str(&a->pool, a->ssl_ciphers));
    plan->ssl_prefer_server_ciphers = a->ssl_prefer_server_ciphers;
    plan->from_to_www = a->from_to_www;

    ingress_plan_aliases(p);
    ingress_plan_named(p);
}


/* Their regexes were compiled when the annotation was parsed. */

static void
ingress_plan_aliases(ingress_planner_t *p)
{
    uint32_t         i, n;
    torii_str_t      list, alias;
    ingress_ref_t    ref;
    ingress_plan_t  *plan;

    plan = p->plan;
    list = ingress_pool_str(&p->annotations.pool,
                            p->annotations.server_alias);
    n = list.len / sizeof(ingress_ref_t);

    if (n == 0) {
        return;
    }

    plan->aliases = torii_arena_alloc(p->arena, n * sizeof(ingress_ref_t));

    for (i = 0; i < n; i++) {
        memcpy(&ref, list.data + i * sizeof(ingress_ref_t), sizeof(ref));
        alias = ingress_pool_str(&p->annotations.pool, ref);

        if (alias.len) {
            plan->aliases[plan->naliases++] = ingress_plan_add(plan, alias);
        }
    }
}


static void
ingress_plan_named(ingress_planner_t *p)
{
    torii_str_t                   namespace, name;
    const ingress_annotations_t  *a;

    a = &p->annotations;

    namespace = ingress_pool_str(&a->pool, a->proxy_ssl_namespace);
    name = ingress_pool_str(&a->pool, a->proxy_ssl_secret);

    if (name.len) {
        p->plan->ssl_secret = ingress_item_hold(p->store,
                                  INGRESS_KIND_SECRET, namespace, name);
    }

    namespace = ingress_pool_str(&a->pool, a->fastcgi_params_namespace);
    name = ingress_pool_str(&a->pool, a->fastcgi_params_configmap);

    if (name.len) {
        p->plan->fastcgi = ingress_item_hold(p->store,
                               INGRESS_KIND_CONFIGMAP,
                               namespace.len ? namespace : p->o->namespace,
                               name);
    }

    p->plan->login = ingress_plan_login(p->store, a);
}


static void
ingress_plan_tls(ingress_planner_t *p)
{
    uint32_t                  i, k;
    ingress_plan_t           *plan;
    const ingress_tls_t      *tls;
    ingress_plan_listed_t    *listed;

    plan = p->plan;
    plan->ntls = p->o->u.ingress.ntls;

    if (plan->ntls == 0) {
        return;
    }

    plan->tls = torii_arena_zalloc(p->arena,
                                   plan->ntls * sizeof(ingress_plan_tls_t));

    for (i = 0; i < plan->ntls; i++) {
        tls = &p->o->u.ingress.tls[i];

        plan->tls[i].line = tls->line;

        if (tls->secret.len) {
            plan->tls[i].secret = ingress_item_hold(p->store,
                                      INGRESS_KIND_SECRET, p->o->namespace,
                                      tls->secret);
        }

        for (k = 0; k < tls->n; k++) {
            listed = ingress_plan_listed(p, tls->hosts[k]);

            if (listed == NULL) {
                listed = torii_arena_zalloc(p->arena,
                                            sizeof(ingress_plan_listed_t));
                listed->name = tls->hosts[k];
                listed->tls = i;
                listed->tls2 = INGRESS_NONE;
                listed->link.hash = torii_hash(listed->name.data,
                                               listed->name.len, 0);
                ingress_hash_add(&p->listed, &listed->link);

            } else if (listed->tls2 == INGRESS_NONE && listed->tls != i) {
                listed->tls2 = i;
            }
        }
    }

    if (ingress_issue_pair(p->o)) {
        ingress_plan_tls_second(p);
    }
}


static void
ingress_plan_tls_second(ingress_planner_t *p)
{
    char                 text[INGRESS_NAME_MAX + sizeof(INGRESS_ISSUE_SECOND)];
    uint32_t             i;
    ingress_plan_tls_t  *tls;

    for (i = 0; i < p->plan->ntls; i++) {
        tls = &p->plan->tls[i];

        if (tls->secret == NULL) {
            continue;
        }

        (void) snprintf(text, sizeof(text), "%.*s" INGRESS_ISSUE_SECOND,
                        torii_str_arg(tls->secret->name));

        tls->second = ingress_item_hold(p->store, INGRESS_KIND_SECRET,
                                        p->o->namespace, torii_str(text));
        tls->issued = ingress_issue_trigger(p->o);
    }
}


static ingress_plan_listed_t *
ingress_plan_listed(ingress_planner_t *p, torii_str_t name)
{
    ingress_plan_listed_t  *listed;

    listed = ingress_hash_first(&p->listed,
                                torii_hash(name.data, name.len, 0));

    while (listed && !torii_str_eq(listed->name, name)) {
        listed = ingress_hash_next(listed);
    }

    return listed;
}


static void
ingress_plan_tls_host(ingress_planner_t *p, ingress_plan_host_t *host,
    torii_str_t name)
{
    torii_str_t             wildcard;
    unsigned char          *dot, buf[256];
    ingress_plan_listed_t  *listed;

    host->tls = INGRESS_NONE;
    host->tls2 = INGRESS_NONE;

    if (p->plan->ntls == 0 || name.len == 0) {
        return;
    }

    listed = ingress_plan_listed(p, name);

    if (listed) {
        listed->used = 1;
        host->tls = listed->tls;
        host->tls2 = listed->tls2;
        return;
    }

    dot = memchr(name.data, '.', name.len);
    if (dot == NULL) {
        return;
    }

    wildcard.len = name.data + name.len - dot + 1;
    if (wildcard.len > sizeof(buf)) {
        return;
    }

    buf[0] = '*';
    memcpy(buf + 1, dot, wildcard.len - 1);
    wildcard.data = buf;

    listed = ingress_plan_listed(p, wildcard);

    if (listed) {
        listed->used = 1;
    }
}


static void
ingress_plan_tls_unused(ingress_planner_t *p)
{
    uint32_t                i, k;
    const ingress_tls_t    *tls;
    ingress_plan_listed_t  *listed;

    for (i = 0; i < p->plan->ntls; i++) {
        tls = &p->o->u.ingress.tls[i];

        for (k = 0; k < tls->n; k++) {
            listed = ingress_plan_listed(p, tls->hosts[k]);

            if (listed->used) {
                continue;
            }

            listed->used = 1;

            ingress_plan_finding(p, INGRESS_INFO, "TLSHostUnused", tls->line,
                                 "spec.tls.hosts", tls->hosts[k],
                                 "no rule of this Ingress has the host, so "
                                 "the entry has no effect on it");
        }
    }
}


static void
ingress_plan_rules(ingress_planner_t *p)
{
    uint32_t                  i, n;
    ingress_plan_t           *plan;
    const ingress_ingress_t  *ing;

    plan = p->plan;
    ing = &p->o->u.ingress;

    if (ing->has_default_backend) {
        ingress_plan_backend(p, &ing->default_backend, p->o->line);

        plan->backend = p->upstream;
        plan->backend_service = p->service;
        plan->backend_port = p->port;
    }

    if (ing->nrules == 0 && plan->backend == NULL) {
        ingress_plan_finding(p, INGRESS_WARNING, "NoRules", p->o->line,
                             "spec", (torii_str_t) torii_null_string,
                             "there are neither rules nor a default backend, "
                             "so nothing is served");
    }

    n = 0;

    for (i = 0; i < ing->nrules; i++) {
        n += ing->rules[i].n;
    }

    plan->nhosts = ing->nrules;
    plan->hosts = torii_arena_zalloc(p->arena,
                                 ing->nrules * sizeof(ingress_plan_host_t));
    plan->paths = torii_arena_zalloc(p->arena,
                                     n * sizeof(ingress_plan_path_t));
    plan->root_regex = ingress_plan_regex(p, torii_str("/"));

    for (i = 0; i < ing->nrules; i++) {
        ingress_plan_rule(p, &ing->rules[i], &plan->hosts[i]);
    }
}


static void
ingress_plan_rule(ingress_planner_t *p, const ingress_rule_t *rule,
    ingress_plan_host_t *host)
{
    uint32_t  i;

    host->name = ingress_plan_add(p->plan, rule->host);
    host->hash = torii_hash(rule->host.data, rule->host.len, 0);
    host->line = rule->line;
    host->paths = p->plan->paths + p->plan->npaths;

    ingress_plan_tls_host(p, host, rule->host);

    for (i = 0; i < rule->n; i++) {
        if (ingress_plan_path(p, &rule->paths[i], host->paths + host->n)
            == TORII_OK)
        {
            host->n++;
            p->plan->npaths++;
        }
    }
}


static int
ingress_plan_path(ingress_planner_t *p, const ingress_path_t *from,
    ingress_plan_path_t *to)
{
    ingress_plan_t  *plan;

    plan = p->plan;

    if (from->path.len == 0) {
        return TORII_DECLINED;
    }

    ingress_plan_backend(p, &from->backend, from->line);

    if (p->upstream == NULL) {
        ingress_plan_finding(p, INGRESS_WARNING, "ResourceBackend",
                             from->line, "spec.rules.http.paths.backend",
                             from->path, "only a Service can be a backend; "
                             "the path is left out");
        return TORII_DECLINED;
    }

    to->upstream = p->upstream;
    to->service = p->service;
    to->port = p->port;
    to->line = from->line;
    to->regex = ingress_plan_regex(p, from->path);
    to->open = ingress_plan_open(p->config, from->path);
    to->free = ingress_plan_prefixed(p->config->no_auth, p->config->n_no_auth,
                                     from->path);
    to->text = ingress_plan_add(plan, from->path);

    if (from->type == INGRESS_PATH_EXACT) {
        to->type = INGRESS_PATH_EXACT;
        return TORII_OK;
    }

    to->type = INGRESS_PATH_PREFIX;
    to->slashed = to->text;

    if (from->path.data[from->path.len - 1] != '/') {
        to->slashed = ingress_plan_add(plan, from->path);
        torii_buf_add(&plan->pool, "", 1);
        plan->pool.data[to->slashed.off + to->slashed.len++] = '/';
    }

    return TORII_OK;
}


static void
ingress_plan_backend(ingress_planner_t *p, const ingress_backend_t *backend,
    uint32_t line)
{
    char                 number[8];
    torii_str_t          port;
    ingress_plan_t      *plan;
    ingress_upstream_t  *u;

    if (p->backend
        && p->backend->port.number == backend->port.number
        && torii_str_eq(p->backend->service, backend->service)
        && torii_str_eq(p->backend->port.name, backend->port.name))
    {
        return;
    }

    plan = p->plan;

    p->backend = backend;
    p->upstream = NULL;
    memset(&p->service, 0, sizeof(ingress_ref_t));
    memset(&p->port, 0, sizeof(ingress_ref_t));

    if (backend->service.len == 0) {
        return;
    }

    port = backend->port.name;

    if (port.len == 0) {
        port.len = snprintf(number, sizeof(number), "%u",
                            (unsigned) backend->port.number);
        port.data = (unsigned char *) number;
    }

    u = ingress_upstream_hold(p->store, p->o->namespace, backend->service,
                              port, p->annotations.policy.service_upstream);

    if (u->stamp == p->store->stamp) {
        ingress_upstream_release(p->store, u);

    } else {
        u->stamp = p->store->stamp;
        ingress_plan_backend_add(plan, u, line);
    }

    p->upstream = u;
    p->service = ingress_plan_add(plan, backend->service);
    p->port = ingress_plan_add(plan, port);
}


static void
ingress_plan_backend_add(ingress_plan_t *plan, ingress_upstream_t *u,
    uint32_t line)
{
    uint32_t  n;

    n = plan->nbackends;

    if ((n & (n - 1)) == 0) {
        plan->backends = torii_realloc(plan->backends,
                                       (n ? n * 2 : 1)
                                       * sizeof(ingress_plan_backend_t));
    }

    memset(&plan->backends[n], 0, sizeof(ingress_plan_backend_t));

    plan->backends[n].upstream = u;
    plan->backends[n].line = line;

    plan->nbackends++;
}


/*
 * An Ingress of nothing but a default backend answers for every host that no
 * other has, so it does not rewrite or redirect: only the rest applies.
 */

static void
ingress_plan_policy(ingress_planner_t *p)
{
    ingress_policy_t  *policy;

    policy = &p->annotations.policy;

    if (p->o->u.ingress.nrules == 0) {
        memset(&policy->rewrite_target, 0, sizeof(ingress_ref_t));
        memset(&policy->redirect, 0, sizeof(ingress_ref_t));

        policy->redirect_code = 0;
        policy->use_regex = 0;
        policy->ssl_redirect = 0;
        policy->force_ssl_redirect = 0;
    }

    p->plan->interned = ingress_policy_hold(p->store, policy,
                                            &p->annotations.pool);
}


/*
 * Paths below that of challenges are of another ACME client, whose CA asks for
 * them before there is a certificate: no list can do without them.
 */

static int
ingress_plan_open(const ingress_config_t *config, torii_str_t path)
{
    return torii_str_starts(path, INGRESS_PLAN_CHALLENGES)
           || ingress_plan_prefixed(config->no_tls_redirect,
                                    config->n_no_tls_redirect, path);
}


static int
ingress_plan_prefixed(const torii_str_t *prefixes, uint32_t n,
    torii_str_t path)
{
    uint32_t     i;
    torii_str_t  prefix;

    for (i = 0; i < n; i++) {
        prefix = prefixes[i];

        if (prefix.len && prefix.len <= path.len
            && memcmp(prefix.data, path.data, prefix.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* Whether a path of this Ingress turns all paths of its host into regexes. */

static int
ingress_plan_regex(const ingress_planner_t *p, torii_str_t path)
{
    return p->annotations.policy.use_regex
           || (p->target.len && !torii_str_eq(p->target, path));
}


static ingress_ref_t
ingress_plan_add(ingress_plan_t *plan, torii_str_t s)
{
    ingress_ref_t  ref;

    ref.off = 0;
    ref.len = 0;

    if (s.len) {
        ref.off = plan->pool.len;
        ref.len = s.len;

        torii_buf_add_str(&plan->pool, s);
        torii_buf_add(&plan->pool, "", 1);
    }

    return ref;
}


static void
ingress_plan_finding(ingress_planner_t *p, ingress_severity_e severity,
    const char *reason, uint32_t line, const char *field, torii_str_t value,
    const char *message)
{
    ingress_finding_t  *f;

    f = ingress_finding_add(&p->findings, severity, reason,
                            torii_str(field), value, "%s", message);

    f->kind = torii_str(ingress_kind_name(p->o->kind));
    f->namespace = p->o->namespace;
    f->name = p->o->name;
    f->file = p->o->file;
    f->line = line ? line : p->o->line;
}
