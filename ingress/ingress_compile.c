
/*
 * Compile: the objects of the store into the bytes of a table.
 */

#include <stdarg.h>
#include <stdio.h>

#include "ingress_compile.h"


#define INGRESS_COMPILE_ARENA  4096
#define INGRESS_COMPILE_AHEAD  18


static void ingress_compile_start(ingress_compile_t *c);
static void ingress_compile_end(ingress_compile_t *c);
static void ingress_compile_config(ingress_compile_t *c);
static void ingress_compile_config_read(ingress_compile_t *c);
static void ingress_compile_defaults(ingress_compile_t *c,
    ingress_table_header_t *h);
static void ingress_compile_default_cert(ingress_compile_t *c,
    ingress_table_header_t *h);
static void ingress_compile_default_backend(ingress_compile_t *c,
    ingress_table_header_t *h);
static int ingress_compile_split(torii_str_t s, torii_str_t *namespace,
    torii_str_t *name);
static void ingress_compile_noted(ingress_compile_t *c);
static void ingress_compile_duplicate(ingress_compile_t *c,
    ingress_item_t *e);
static void ingress_compile_plans(ingress_compile_t *c);
static void ingress_compile_ahead(ingress_item_t **elts);
static void ingress_compile_plan(ingress_compile_t *c, ingress_item_t *e);
static void ingress_compile_upstreams(ingress_compile_t *c,
    ingress_plan_t *plan);
static void ingress_compile_global(ingress_compile_t *c,
    ingress_table_header_t *h);
static void ingress_compile_note(ingress_compile_t *c,
    const ingress_finding_t *f, torii_str_t json);
static void ingress_compile_notes(ingress_compile_t *c,
    const ingress_finding_t *f);
static void ingress_compile_report(ingress_compile_t *c,
    ingress_findings_t *findings, ingress_table_header_t *h);


void
ingress_compile(ingress_store_t *store, const ingress_options_t *options,
    int64_t now, const ingress_finding_t *source,
    ingress_findings_t *findings, torii_buf_t *out)
{
    ingress_compile_t       c;
    ingress_table_header_t  h;

    memset(&c, 0, sizeof(ingress_compile_t));
    memset(&h, 0, sizeof(ingress_table_header_t));

    c.store = store;
    c.options = options;
    c.now = now;
    c.w = &store->writer;

    ingress_compile_start(&c);

    ingress_compile_notes(&c, source);
    ingress_compile_noted(&c);
    ingress_compile_config(&c);

    /* policy 0, of requests without a route, is the gateway's own */

    (void) ingress_policy_write(&c, NULL, 0);

    ingress_compile_plans(&c);
    ingress_compile_logins(&c);
    ingress_compile_hosts(&c);
    ingress_compile_logins_end(&c);
    ingress_compile_names(&c);
    ingress_compile_defaults(&c, &h);
    ingress_compile_global(&c, &h);
    ingress_compile_admission(&c, &h);
    ingress_challenges_write(&c);
    ingress_compile_report(&c, findings, &h);

    ingress_writer_end(c.w, &h, out);

    ingress_compile_end(&c);
}


static void
ingress_compile_start(ingress_compile_t *c)
{
    ingress_store_t  *store;

    store = c->store;
    store->round++;

    store->hosts.len = 0;
    store->parts.len = 0;
    store->notes.len = 0;
    store->guarded.len = 0;

    c->arena = torii_arena_create(INGRESS_COMPILE_ARENA);

    ingress_findings_init(&c->findings, c->arena);
    c->findings.max = INGRESS_FINDINGS_WRITTEN;

    ingress_writer_start(c->w);

    c->root = ingress_writer_pool(c->w, "/", 1);
}


static void
ingress_compile_end(ingress_compile_t *c)
{
    ingress_hash_free(&c->policies);
    ingress_hash_free(&c->logins);
    torii_arena_destroy(c->arena);
}


/* Findings of objects other than Ingresses, and objects in several files. */

static void
ingress_compile_noted(ingress_compile_t *c)
{
    uint32_t         i;
    ingress_item_t  *e;

    ingress_noted_update(c->store);

    for (i = 0; i < c->store->noted.n; i++) {
        e = c->store->noted.elts[i];

        if (e->kind != INGRESS_KIND_INGRESS) {
            ingress_compile_notes(c, e->active->findings);
        }

        ingress_compile_duplicate(c, e);
    }
}


static void
ingress_compile_duplicate(ingress_compile_t *c, ingress_item_t *e)
{
    ingress_copy_t     *copy;
    ingress_object_t   *o;
    ingress_finding_t  *f;

    /* the gateway's own, such as a certificate that was issued */

    if (e->active->file.len == 0) {
        return;
    }

    for (copy = e->copies->next; copy; copy = copy->next) {
        o = copy->object;

        f = ingress_finding_add(&c->findings, INGRESS_WARNING,
                                "DuplicateObject", torii_str("metadata.name"),
                                e->name, "the same object is in %.*s, which "
                                "counts; remove one of them",
                                torii_str_arg(e->active->file));

        f->kind = torii_str(ingress_kind_name(e->kind));
        f->namespace = e->namespace;
        f->name = e->name;
        f->file = o->file;
        f->line = o->line;

        ingress_compile_note(c, f, (torii_str_t) torii_null_string);
    }
}


/* The ConfigMap is parsed anew when it, or its name, changed. */

static void
ingress_compile_config(ingress_compile_t *c)
{
    torii_str_t       namespace, name;
    ingress_item_t   *e;
    ingress_store_t  *store;

    store = c->store;
    e = store->config_item;

    if (ingress_compile_split(c->options->config, &namespace, &name)
        != TORII_OK)
    {
        name.len = 0;
    }

    if (e && (name.len == 0 || !torii_str_eq(e->name, name)
              || !torii_str_eq(e->namespace, namespace)))
    {
        store->config_item = NULL;
        store->config_stale = 1;

        ingress_item_release(store, e);
    }

    if (store->config_item == NULL && name.len) {
        store->config_item = ingress_item_hold(store, INGRESS_KIND_CONFIGMAP,
                                               namespace, name);
        store->config_stale = 1;
    }

    if (store->config_stale) {
        store->config_stale = 0;
        ingress_compile_config_read(c);
    }

    c->config = store->config;
    e = store->config_item;

    ingress_compile_notes(c, store->config_findings.first);

    if (c->options->config.len && (e == NULL || e->active == NULL)) {
        ingress_compile_finding(c, INGRESS_WARNING, "ConfigMapNotFound", e, 0,
                                "torii_config", c->options->config,
                                "there is no ConfigMap of the name; defaults "
                                "are in force");
    }
}


/*
 * Plans are made anew when what they were made with changed: the parser's own
 * version, and the prefixes that a plan compares its paths with.
 */

static void
ingress_compile_config_read(ingress_compile_t *c)
{
    uint32_t           i;
    uint64_t           version;
    ingress_item_t    *e;
    ingress_store_t   *store;
    ingress_config_t  *config;

    store = c->store;
    e = store->config_item;

    if (store->config) {
        ingress_policy_release(store, store->config_interned);
        ingress_config_free(store->config);
        torii_arena_destroy(store->config_arena);
    }

    store->config_arena = torii_arena_create(INGRESS_COMPILE_ARENA);
    ingress_findings_init(&store->config_findings, store->config_arena);

    config = ingress_config_parse(e ? e->active : NULL,
                                  &store->config_findings);
    store->config = config;
    store->config_interned = ingress_policy_hold(store, &config->policy,
                                                 &config->pool);

    version = config->version;

    for (i = 0; i < config->n_no_tls_redirect; i++) {
        version = torii_hash(config->no_tls_redirect[i].data,
                             config->no_tls_redirect[i].len, version + 1);
    }

    for (i = 0; i < config->n_no_auth; i++) {
        version = torii_hash(config->no_auth[i].data, config->no_auth[i].len,
                             version + 2);
    }

    store->config_version = version;
}


static int
ingress_compile_split(torii_str_t s, torii_str_t *namespace, torii_str_t *name)
{
    unsigned char  *slash;

    slash = s.len ? memchr(s.data, '/', s.len) : NULL;

    if (slash == NULL || slash == s.data || slash + 1 == s.data + s.len) {
        return TORII_ERROR;
    }

    namespace->data = s.data;
    namespace->len = slash - s.data;
    name->data = slash + 1;
    name->len = s.data + s.len - name->data;

    return TORII_OK;
}


static void
ingress_compile_plans(ingress_compile_t *c)
{
    uint32_t          i, n;
    ingress_item_t   *e, **elts;
    ingress_store_t  *store;

    store = c->store;

    ingress_order_update(store);
    ingress_compile_classes(c);
    ingress_compile_catchall(c);

    store->decided = store->changes[INGRESS_KIND_INGRESS];

    elts = store->order.elts;
    n = store->order.n;

    for (i = 0; i < n; i++) {
        e = elts[i];

        if (i + INGRESS_COMPILE_AHEAD < n) {
            ingress_compile_ahead(elts + i);
        }

        if (ingress_compile_served(c, e)) {
            ingress_compile_plan(c, e);
        }
    }
}


/* Plans and their backends lie anywhere in memory. */

static void
ingress_compile_ahead(ingress_item_t **elts)
{
    ingress_plan_t      *plan;
    ingress_upstream_t  *u;

    __builtin_prefetch(elts[INGRESS_COMPILE_AHEAD]);
    __builtin_prefetch((char *) elts[INGRESS_COMPILE_AHEAD] + 64);

    plan = elts[INGRESS_COMPILE_AHEAD * 2 / 3]->u.ingress.plan;

    if (plan) {
        ingress_plan_prefetch(plan);
    }

    plan = elts[INGRESS_COMPILE_AHEAD / 3]->u.ingress.plan;

    if (plan && plan->nbackends) {
        u = plan->backends[0].upstream;

        __builtin_prefetch(u);
        __builtin_prefetch((char *) u + 64);
        __builtin_prefetch((char *) u + 128);
        __builtin_prefetch((char *) u + 192);
    }
}


static void
ingress_compile_plan(ingress_compile_t *c, ingress_item_t *e)
{
    uint32_t                  i;
    ingress_plan_t           *plan;
    ingress_store_t          *store;
    ingress_table_ingress_t  *record;

    store = c->store;
    plan = e->u.ingress.plan;

    if (plan && plan->config != store->config_version) {
        ingress_plan_free(store, plan);
        plan = NULL;
    }

    if (plan == NULL) {
        plan = ingress_plan_create(store, e, c->config, store->config_version);
        e->u.ingress.plan = plan;
    }

    for (i = 0; i < plan->nnotes; i++) {
        ingress_compile_note(c, plan->notes[i].finding, plan->notes[i].json);
    }

    if (plan->canary) {
        return;
    }

    if (!ingress_writer_fits(c->w, plan->pool.len)) {
        ingress_compile_finding(c, INGRESS_ERROR, "TableFull", e, 0, "spec",
                                (torii_str_t) torii_null_string,
                                "the routing table is full; the Ingress is "
                                "not served");
        return;
    }

    plan->base = ingress_writer_pool(c->w, plan->pool.data,
                                     plan->pool.len).off;
    plan->index = ingress_writer_n(c->w, INGRESSES, ingress_table_ingress_t);

    record = ingress_writer_add(c->w, INGRESS_SECTION_INGRESSES,
                                sizeof(ingress_table_ingress_t));
    record->namespace = ingress_plan_ref(plan, plan->namespace);
    record->name = ingress_plan_ref(plan, plan->name);
    record->file = ingress_plan_ref(plan, plan->file);

    ingress_policy_references(c, plan);
    ingress_compile_upstreams(c, plan);

    if (plan->login) {
        torii_buf_add(&store->guarded, &plan, sizeof(ingress_plan_t *));
    }

    if (plan->nhosts == 0 && plan->backend && c->catchall == NULL) {
        c->catchall = plan;
    }

    ingress_compile_join(c, plan);
}


static void
ingress_compile_upstreams(ingress_compile_t *c, ingress_plan_t *plan)
{
    uint32_t             i;
    const char          *message, *reason;
    ingress_severity_e   severity;
    ingress_upstream_t  *u;

    for (i = 0; i < plan->nbackends; i++) {
        u = plan->backends[i].upstream;

        ingress_upstream_update(c->store, u, c->options->loopback);

        severity = INGRESS_WARNING;

        switch (u->problem) {

        case INGRESS_UPSTREAM_OK:
            continue;

        case INGRESS_UPSTREAM_NO_SERVICE:
            reason = "ServiceNotFound";
            message = "there is no such Service";
            break;

        case INGRESS_UPSTREAM_NO_PORT:
            reason = "ServicePortNotFound";
            message = "the Service has no such port";
            break;

        case INGRESS_UPSTREAM_LOCAL:
            reason = "LocalAddress";
            message = "its addresses are of this machine or its link, which "
                      "objects may not name here";
            break;

        case INGRESS_UPSTREAM_UNRESOLVED:
            reason = "NameNotResolved";
            severity = INGRESS_INFO;
            message = "its name has no address yet";
            break;

        default:
            reason = "NoEndpoints";
            severity = INGRESS_INFO;
            message = "the Service has no ready endpoint";
            break;
        }

        ingress_compile_finding(c, severity, reason, plan->item,
                                plan->backends[i].line,
                                "spec.rules.http.paths.backend", u->name,
                                "requests to Service %.*s port %.*s are "
                                "answered 503: %s",
                                torii_str_arg(u->service->key),
                                torii_str_arg(u->port), message);
    }
}


static void
ingress_compile_defaults(ingress_compile_t *c, ingress_table_header_t *h)
{
    h->default_host = 0;
    h->default_cert = INGRESS_NONE;
    h->default_backend = INGRESS_NONE;

    if (c->options->default_certificate.len) {
        ingress_compile_default_cert(c, h);
    }

    ingress_compile_default_backend(c, h);
}


static void
ingress_compile_default_cert(ingress_compile_t *c, ingress_table_header_t *h)
{
    const char      *problem;
    torii_str_t      namespace, name;
    ingress_cert_t  *cert;
    ingress_item_t  *secret;

    secret = NULL;
    problem = "there is no such Secret";

    if (ingress_compile_split(c->options->default_certificate, &namespace,
                              &name)
        == TORII_OK)
    {
        secret = ingress_item_find(c->store, INGRESS_KIND_SECRET, namespace,
                                   name);
    }

    if (secret && secret->active) {
        cert = ingress_cert_of(secret);
        problem = cert->problem;

        if (problem == NULL
            && secret->u.secret.server.round != c->store->round
            && !ingress_writer_fits(c->w, cert->chain.len + cert->key.len))
        {
            problem = "the routing table is full";
        }
    }

    if (problem == NULL) {
        h->default_cert = ingress_cert_write(c, secret,
                                             (ingress_ref_t) { 0, 0 });
        return;
    }

    ingress_compile_finding(c, INGRESS_ERROR, "DefaultCertificate", secret, 0,
                            "torii_default_certificate",
                            c->options->default_certificate,
                            "the Secret cannot be used: %s; a self-signed "
                            "certificate is served", problem);
}


/* It is a Service's first port; without endpoints nothing but 404 is left. */

static void
ingress_compile_default_backend(ingress_compile_t *c,
    ingress_table_header_t *h)
{
    torii_str_t          namespace, name;
    ingress_store_t     *store;
    ingress_upstream_t  *u, *before;

    store = c->store;
    before = store->backend;
    u = NULL;

    if (ingress_compile_split(c->options->default_backend, &namespace, &name)
        == TORII_OK)
    {
        u = ingress_upstream_hold(store, namespace, name,
                                  (torii_str_t) torii_null_string, 0);
        ingress_upstream_update(store, u, c->options->loopback);
    }

    store->backend = u;

    if (before) {
        ingress_upstream_release(store, before);
    }

    if (u && u->n) {
        h->default_backend = ingress_upstream_write(c, u);

    } else if (c->options->default_backend.len) {
        ingress_compile_finding(c, INGRESS_WARNING, "DefaultBackend",
                                u ? u->service : NULL, 0,
                                "torii_default_backend",
                                c->options->default_backend,
                                "the Service is missing or has no ready "
                                "endpoint; unknown hosts and paths are "
                                "answered 404");
    }
}


static void
ingress_compile_global(ingress_compile_t *c, ingress_table_header_t *h)
{
    uint32_t        i;
    torii_str_t     s;
    ingress_ref_t  *ref;

    memcpy(&h->global, &c->config->global, sizeof(ingress_global_t));

    for (i = 0; i < ingress_global_nrefs; i++) {
        ref = (void *) ((unsigned char *) &h->global + ingress_global_refs[i]);

        s = ingress_pool_str(&c->config->pool, *ref);
        *ref = ingress_writer_pool(c->w, s.data, s.len);
    }
}


void
ingress_compile_finding(ingress_compile_t *c, ingress_severity_e severity,
    const char *reason, ingress_item_t *e, uint32_t line, const char *field,
    torii_str_t value, const char *fmt, ...)
{
    char                text[1024];
    va_list             args;
    ingress_finding_t  *f;

    /* beyond the limit they are only counted, whose text would take time */

    if (c->store->notes.len
        >= INGRESS_FINDINGS_WRITTEN * sizeof(ingress_note_t))
    {
        c->count[severity]++;
        return;
    }

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    f = ingress_finding_add(&c->findings, severity, reason, torii_str(field),
                            value, "%s", text);
    f->line = line;

    if (e) {
        f->kind = torii_str(ingress_kind_name(e->kind));
        f->namespace = e->namespace;
        f->name = e->name;

        if (e->active) {
            f->file = e->active->file;
            f->line = line ? line : e->active->line;
        }

    } else {
        f->kind = torii_str("Gateway");
    }

    ingress_compile_note(c, f, (torii_str_t) torii_null_string);
}


static void
ingress_compile_note(ingress_compile_t *c, const ingress_finding_t *f,
    torii_str_t json)
{
    torii_buf_t     *notes;
    ingress_note_t  *note;

    notes = &c->store->notes;

    c->count[f->severity]++;

    if (notes->len < INGRESS_FINDINGS_WRITTEN * sizeof(ingress_note_t)) {
        note = (void *) torii_buf_room(notes, sizeof(ingress_note_t));
        notes->len += sizeof(ingress_note_t);

        note->finding = f;
        note->json = json;
    }
}


static void
ingress_compile_notes(ingress_compile_t *c, const ingress_finding_t *f)
{
    for ( /* void */ ; f; f = f->next) {
        ingress_compile_note(c, f, (torii_str_t) torii_null_string);
    }
}


static void
ingress_compile_report(ingress_compile_t *c, ingress_findings_t *findings,
    ingress_table_header_t *h)
{
    uint32_t             i, n, more;
    torii_buf_t          json;
    ingress_note_t      *notes;
    ingress_finding_t   *rest;
    ingress_findings_t   own;

    memset(&json, 0, sizeof(torii_buf_t));

    notes = (void *) c->store->notes.data;
    n = c->store->notes.len / sizeof(ingress_note_t);
    more = c->count[INGRESS_ERROR] + c->count[INGRESS_WARNING]
           + c->count[INGRESS_INFO] - n;

    torii_buf_adds(&json, "[");

    for (i = 0; i < n; i++) {
        torii_buf_adds(&json, i ? ",\n" : "\n");

        if (notes[i].json.len) {
            torii_buf_add_str(&json, notes[i].json);

        } else {
            ingress_finding_json(&json, notes[i].finding);
        }

        if (findings) {
            ingress_finding_copy(findings, notes[i].finding);
        }
    }

    if (more) {
        ingress_findings_init(&own, c->arena);

        rest = ingress_finding_add(&own, INGRESS_INFO, "MoreFindings",
                                   (torii_str_t) torii_null_string,
                                   (torii_str_t) torii_null_string,
                                   "%u findings more are not shown", more);
        rest->kind = torii_str("Gateway");

        torii_buf_adds(&json, ",\n");
        ingress_finding_json(&json, rest);

        if (findings) {
            ingress_finding_copy(findings, rest);
        }
    }

    torii_buf_adds(&json, "]");

    h->errors = c->count[INGRESS_ERROR];
    h->warnings = c->count[INGRESS_WARNING];
    h->findings = ingress_writer_pool(c->w, json.data, json.len);

    torii_buf_free(&json);
}
