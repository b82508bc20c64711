
/*
 * Which Secrets and ConfigMaps the objects refer to, so that a source need not
 * load all that a cluster holds.
 */

#include <stdio.h>

#include "ingress_compile.h"
#include "ingress_decode.h"
#include "ingress_issue.h"


#define INGRESS_WANTED_ARENA     65536
#define INGRESS_CROSS_NAMESPACE  "allow-cross-namespace-resources"
#define INGRESS_PROVIDER_KEY     "torii-oauth2"
#define INGRESS_CERT_MANAGER     "cert-manager.io"
#define INGRESS_CLUSTER_DEFAULT  "cert-manager"

typedef struct {
    const char                *name;
    ingress_kind_e             kind;
    unsigned                   any;         /* the object itself tells whether
                                               another namespace may use it */
} ingress_wanted_note_t;

/* A reference that was told already. */

typedef struct {
    ingress_link_t             link;
    ingress_kind_e             kind;
    torii_str_t                namespace;
    torii_str_t                name;
} ingress_wanted_told_t;

typedef struct {
    ingress_compile_t          c;           /* for classes alone */
    ingress_store_want_pt      visit;
    void                      *data;
    unsigned                   cross:1;     /* other namespaces count */
    ingress_hash_t             told;
    torii_arena_t             *arena;       /* NULL: tell twice */
} ingress_wanted_t;


static void ingress_wanted_start(ingress_wanted_t *w, ingress_store_t *store,
    const ingress_options_t *options, ingress_store_want_pt visit, void *data);
static void ingress_wanted_gateway(ingress_wanted_t *w);
static const ingress_pair_t *ingress_wanted_key(ingress_wanted_t *w,
    const char *name);
static int ingress_wanted_cross(ingress_wanted_t *w);
static void ingress_wanted_ingress(ingress_wanted_t *w, ingress_item_t *e);
static void ingress_wanted_issuer(void *data, ingress_object_t *o);
static void ingress_wanted_acme(ingress_wanted_t *w, torii_str_t namespace,
    const ingress_issuer_acme_t *acme);
static void ingress_wanted_certificate(void *data, ingress_object_t *o);
static void ingress_wanted_pair(ingress_wanted_t *w,
    const ingress_object_t *o, torii_str_t secret);
static void ingress_wanted_note(ingress_wanted_t *w,
    const ingress_object_t *o, const ingress_wanted_note_t *note);
static void ingress_wanted_path(ingress_wanted_t *w, ingress_kind_e kind,
    torii_str_t path);
static void ingress_wanted_tell(ingress_wanted_t *w, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name);
static int ingress_wanted_told(ingress_wanted_t *w, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name);


static const ingress_wanted_note_t  ingress_wanted_notes[] = {
    { INGRESS_ANNOTATION_PREFIX "proxy-ssl-secret", INGRESS_KIND_SECRET, 0 },
    { INGRESS_ANNOTATION_PREFIX "fastcgi-params-configmap",
      INGRESS_KIND_CONFIGMAP, 0 },
    { INGRESS_ANNOTATION_PREFIX "auth-secret", INGRESS_KIND_SECRET, 0 },
    { INGRESS_ANNOTATION_PREFIX "auth-proxy-set-headers",
      INGRESS_KIND_CONFIGMAP, 0 },
    { "torii/oauth2", INGRESS_KIND_SECRET, 1 }
};


void
ingress_store_wanted(ingress_store_t *store, const ingress_options_t *options,
    ingress_store_want_pt visit, void *data)
{
    uint32_t          i;
    ingress_wanted_t  w;

    ingress_wanted_start(&w, store, options, visit, data);

    w.arena = torii_arena_create(INGRESS_WANTED_ARENA);

    ingress_wanted_gateway(&w);
    ingress_order_update(store);

    for (i = 0; i < store->order.n; i++) {
        ingress_wanted_ingress(&w, store->order.elts[i]);
    }

    ingress_store_each(store, INGRESS_KIND_ISSUER, ingress_wanted_issuer, &w);
    ingress_store_each(store, INGRESS_KIND_CLUSTER_ISSUER,
                       ingress_wanted_issuer, &w);
    ingress_store_each(store, INGRESS_KIND_CERTIFICATE,
                       ingress_wanted_certificate, &w);

    ingress_hash_free(&w.told);
    torii_arena_destroy(w.arena);
}


void
ingress_store_wanted_by(ingress_store_t *store,
    const ingress_options_t *options, const ingress_object_t *o,
    ingress_store_want_pt visit, void *data)
{
    ingress_item_t    *e;
    ingress_wanted_t   w;

    e = ingress_item_find(store, o->kind, o->namespace, o->name);

    if (e == NULL || e->active == NULL) {
        return;
    }

    ingress_wanted_start(&w, store, options, visit, data);

    switch (o->kind) {

    case INGRESS_KIND_INGRESS:
        ingress_wanted_ingress(&w, e);
        break;

    case INGRESS_KIND_ISSUER:
    case INGRESS_KIND_CLUSTER_ISSUER:
        ingress_wanted_issuer(&w, e->active);
        break;

    case INGRESS_KIND_CERTIFICATE:
        ingress_wanted_certificate(&w, e->active);
        break;

    default:
        break;
    }
}


static void
ingress_wanted_start(ingress_wanted_t *w, ingress_store_t *store,
    const ingress_options_t *options, ingress_store_want_pt visit, void *data)
{
    memset(w, 0, sizeof(ingress_wanted_t));

    w->c.store = store;
    w->c.options = options;
    w->visit = visit;
    w->data = data;
    w->cross = ingress_wanted_cross(w);
}


static void
ingress_wanted_gateway(ingress_wanted_t *w)
{
    const ingress_pair_t     *pair;
    const ingress_options_t  *options;

    options = w->c.options;

    ingress_wanted_path(w, INGRESS_KIND_CONFIGMAP, options->config);
    ingress_wanted_path(w, INGRESS_KIND_SECRET, options->default_certificate);
    ingress_wanted_path(w, INGRESS_KIND_SECRET, options->challenges);

    pair = ingress_wanted_key(w, INGRESS_PROVIDER_KEY);

    if (pair) {
        ingress_wanted_path(w, INGRESS_KIND_SECRET,
                            torii_str_trim(pair->value));
    }
}


/* A key of the gateway's ConfigMap. */

static const ingress_pair_t *
ingress_wanted_key(ingress_wanted_t *w, const char *name)
{
    torii_str_t        namespace, rest;
    ingress_object_t  *o;

    rest = w->c.options->config;

    if (rest.len == 0 || !torii_str_next(&rest, "/", &namespace)
        || rest.data == NULL)
    {
        return NULL;
    }

    o = ingress_store_get(w->c.store, INGRESS_KIND_CONFIGMAP, namespace, rest);

    return o ? ingress_pair_find(&o->u.configmap.data, name) : NULL;
}


/* What compile would refuse is not loaded either. */

static int
ingress_wanted_cross(ingress_wanted_t *w)
{
    uint8_t                 value;
    const char             *why;
    const ingress_pair_t   *pair;

    pair = ingress_wanted_key(w, INGRESS_CROSS_NAMESPACE);

    return pair != NULL
           && ingress_parse_bool(torii_str_trim(pair->value), &value, &why)
              == TORII_OK
           && value;
}


static void
ingress_wanted_ingress(ingress_wanted_t *w, ingress_item_t *e)
{
    int                pair;
    uint32_t           i;
    torii_str_t        secret;
    ingress_object_t  *o;

    if (!ingress_compile_ours(&w->c, e)) {
        return;
    }

    o = e->active;
    pair = o->u.ingress.ntls && ingress_issue_pair(o);

    for (i = 0; i < o->u.ingress.ntls; i++) {
        secret = o->u.ingress.tls[i].secret;
        ingress_wanted_tell(w, INGRESS_KIND_SECRET, o->namespace, secret);

        if (pair && secret.len) {
            ingress_wanted_pair(w, o, secret);
        }
    }

    if (o->annotations.n == 0) {
        return;
    }

    for (i = 0; i < sizeof(ingress_wanted_notes)
                    / sizeof(ingress_wanted_notes[0]); i++)
    {
        ingress_wanted_note(w, o, &ingress_wanted_notes[i]);
    }
}


/* A ClusterIssuer is in no namespace, its Secrets are in one for all. */

static void
ingress_wanted_issuer(void *data, ingress_object_t *o)
{
    torii_str_t        namespace;
    ingress_wanted_t  *w;

    w = data;

    if (o->deleting || o->u.issuer.unusable) {
        return;
    }

    namespace = o->namespace;

    if (o->kind == INGRESS_KIND_CLUSTER_ISSUER) {
        namespace = w->c.options->cluster_namespace;

        if (namespace.len == 0) {
            namespace = torii_str(INGRESS_CLUSTER_DEFAULT);
        }

    } else if (!ingress_compile_namespace(&w->c, namespace)) {
        return;
    }

    switch (o->u.issuer.type) {

    case INGRESS_ISSUER_ACME:
        ingress_wanted_acme(w, namespace, &o->u.issuer.acme);
        break;

    case INGRESS_ISSUER_CA:
        ingress_wanted_tell(w, INGRESS_KIND_SECRET, namespace,
                            o->u.issuer.ca_secret);
        break;

    default:
        break;
    }
}


static void
ingress_wanted_acme(ingress_wanted_t *w, torii_str_t namespace,
    const ingress_issuer_acme_t *acme)
{
    uint32_t                 i, k;
    const ingress_solver_t  *solver;

    ingress_wanted_tell(w, INGRESS_KIND_SECRET, namespace, acme->key.name);

    if (acme->eab_key.name.len) {
        ingress_wanted_tell(w, INGRESS_KIND_SECRET, namespace,
                            acme->eab_key.name);
    }

    for (i = 0; i < acme->nsolvers; i++) {
        solver = &acme->solvers[i];

        for (k = 0; !solver->unusable && k < solver->dns.nsecrets; k++) {
            ingress_wanted_tell(w, INGRESS_KIND_SECRET, namespace,
                                solver->dns.secrets[k].secret.name);
        }
    }
}


/* What others issue is served where an Ingress names it, and is not ours. */

static void
ingress_wanted_certificate(void *data, ingress_object_t *o)
{
    ingress_wanted_t             *w;
    const ingress_certificate_t  *cert;

    w = data;
    cert = &o->u.certificate;

    if (!o->deleting && !cert->unusable
        && torii_str_eqs(cert->issuer_group, INGRESS_CERT_MANAGER)
        && ingress_compile_namespace(&w->c, o->namespace))
    {
        ingress_wanted_tell(w, INGRESS_KIND_SECRET, o->namespace,
                            cert->secret);

        if (ingress_issue_pair(o)) {
            ingress_wanted_pair(w, o, cert->secret);
        }
    }
}


static void
ingress_wanted_pair(ingress_wanted_t *w, const ingress_object_t *o,
    torii_str_t secret)
{
    char         text[INGRESS_NAME_MAX + sizeof(INGRESS_ISSUE_SECOND)];
    torii_str_t  name;

    (void) snprintf(text, sizeof(text), "%.*s" INGRESS_ISSUE_SECOND,
                    torii_str_arg(secret));

    name = torii_str(text);

    if (w->arena != NULL) {
        name = torii_arena_str(w->arena, name);
    }

    ingress_wanted_tell(w, INGRESS_KIND_SECRET, o->namespace, name);
}


static void
ingress_wanted_note(ingress_wanted_t *w, const ingress_object_t *o,
    const ingress_wanted_note_t *note)
{
    torii_str_t            namespace, rest;
    const ingress_pair_t  *pair;

    pair = ingress_pair_find(&o->annotations, note->name);
    if (pair == NULL) {
        return;
    }

    rest = torii_str_trim(pair->value);

    if (rest.len == 0 || !torii_str_next(&rest, "/", &namespace)) {
        return;
    }

    if (rest.data == NULL) {
        rest = namespace;
        namespace = o->namespace;
    }

    if (note->any || w->cross || torii_str_eq(namespace, o->namespace)) {
        ingress_wanted_tell(w, note->kind, namespace, rest);
    }
}


static void
ingress_wanted_path(ingress_wanted_t *w, ingress_kind_e kind,
    torii_str_t path)
{
    torii_str_t  namespace;

    if (path.len && torii_str_next(&path, "/", &namespace) && path.data) {
        ingress_wanted_tell(w, kind, namespace, path);
    }
}


/* Only what can be a name: it gets into the path of a request. */

static void
ingress_wanted_tell(ingress_wanted_t *w, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name)
{
    if (ingress_name_check(namespace, INGRESS_LABEL_MAX) != NULL
        || ingress_name_check(name, INGRESS_NAME_MAX) != NULL)
    {
        return;
    }

    if (w->arena == NULL || !ingress_wanted_told(w, kind, namespace, name)) {
        w->visit(w->data, kind, namespace, name);
    }
}


static int
ingress_wanted_told(ingress_wanted_t *w, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name)
{
    uint64_t                hash;
    ingress_wanted_told_t  *told;

    hash = torii_hash(namespace.data, namespace.len, kind);
    hash = torii_hash(name.data, name.len, hash);

    told = ingress_hash_first(&w->told, hash);

    for ( /* void */ ; told; told = ingress_hash_next(told)) {
        if (told->kind == kind && torii_str_eq(told->name, name)
            && torii_str_eq(told->namespace, namespace))
        {
            return 1;
        }
    }

    told = torii_arena_alloc(w->arena, sizeof(ingress_wanted_told_t));

    told->kind = kind;
    told->namespace = namespace;
    told->name = name;
    told->link.hash = hash;

    ingress_hash_add(&w->told, &told->link);

    return 0;
}
