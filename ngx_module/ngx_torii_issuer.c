
/*
 * Issuers: from the objects of cert-manager, and the Secrets that they name, to
 * what the machine of certificates has to know.
 */

#include "ngx_torii_acme.h"
#include "ngx_torii_file.h"
#include "ngx_torii_kubernetes.h"


#define NGX_TORII_ISSUER_EAB  256        /* bits, unless said */


/* Whom to trust where an issuer is asked. */

struct ngx_torii_trust_s {
    ngx_queue_t              queue;      /* in a->trusts */
    torii_str_t              name;       /* of the issuer */
    uint64_t                 hash;
    ngx_uint_t               refs;       /* requests under way */
    ngx_torii_identity_t    *identity;   /* NULL: it cannot be read */
    unsigned                 named:1;    /* in this look */
    unsigned                 gone:1;     /* goes with its last request */
};


static void ngx_torii_issuer_acme(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_object_t *issuer, acme_issuer_conf_t *conf);
static void ngx_torii_issuer_key(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_object_t *issuer, acme_issuer_conf_t *conf);
static void ngx_torii_issuer_ca(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_object_t *issuer, acme_issuer_conf_t *conf);
static torii_str_t ngx_torii_issuer_namespace(ngx_torii_acme_t *a,
    const ingress_object_t *issuer);
static torii_str_t ngx_torii_issuer_file(torii_arena_t *arena,
    torii_str_t name);

static void ngx_torii_trust_set(ngx_torii_acme_t *a, torii_str_t name,
    torii_str_t bundle, ngx_uint_t insecure);
static ngx_torii_trust_t *ngx_torii_trust_find(ngx_torii_acme_t *a,
    torii_str_t name);

void
ngx_torii_issuers_init(ngx_torii_acme_t *a)
{
    ngx_queue_init(&a->trusts);
}


torii_str_t
ngx_torii_issuer_name(torii_arena_t *arena, const ingress_object_t *issuer)
{
    if (issuer->kind == INGRESS_KIND_CLUSTER_ISSUER) {
        return torii_arena_printf(arena, "ClusterIssuer/%.*s",
                                  torii_str_arg(issuer->name));
    }

    return torii_arena_printf(arena, "Issuer/%.*s/%.*s",
                              torii_str_arg(issuer->namespace),
                              torii_str_arg(issuer->name));
}


void
ngx_torii_issuer_tell(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_object_t *issuer)
{
    acme_issuer_conf_t       conf;
    const ingress_issuer_t  *i;

    i = &issuer->u.issuer;

    ngx_memzero(&conf, sizeof(acme_issuer_conf_t));

    conf.name = ngx_torii_issuer_name(arena, issuer);

    switch (i->type) {

    case INGRESS_ISSUER_ACME:
        ngx_torii_issuer_acme(a, arena, issuer, &conf);
        break;

    case INGRESS_ISSUER_CA:
        ngx_torii_issuer_ca(a, arena, issuer, &conf);
        break;

    case INGRESS_ISSUER_SELF_SIGNED:
        conf.type = ACME_ISSUER_SELF_SIGNED;
        break;

    default:

        /* vault and the like: another program's, and a finding */

        return;
    }

    if (i->unusable && conf.problem.len == 0) {
        conf.problem = torii_str("its object has errors, see its findings");
    }

    acme_issuer(a->acme, &conf);
}


static void
ngx_torii_issuer_acme(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_object_t *issuer, acme_issuer_conf_t *conf)
{
    const ingress_issuer_acme_t  *acme;

    acme = &issuer->u.issuer.acme;

    conf->type = ACME_ISSUER_ACME;
    conf->directory = acme->server;
    conf->email = acme->email;
    conf->agreed = 1;            /* as an issuer's object means it */
    conf->ari = !acme->ari_disabled;
    conf->send_not_after = acme->duration_feature;
    conf->preferred_chain = acme->preferred_chain;
    conf->profile = acme->profile;
    conf->account = acme->uri;
    conf->key_type = a->helper->tmcf->kubernetes.enable ? TORII_KEY_RSA_2048
                                                        : TORII_KEY_EC_P256;

    ngx_torii_trust_set(a, conf->name, acme->ca_bundle, acme->skip_tls_verify);

    ngx_torii_issuer_key(a, arena, issuer, conf);
    ngx_torii_solvers_tell(a, arena, issuer);

    if (acme->eab_kid.len == 0) {
        return;
    }

    conf->eab_kid = acme->eab_kid;
    conf->eab_bits = acme->eab_bits ? acme->eab_bits : NGX_TORII_ISSUER_EAB;
    conf->eab_key = ngx_torii_issuer_secret(a, issuer, acme->eab_key.name,
                                            acme->eab_key.key);

    if (conf->eab_key.len == 0) {
        conf->problem = torii_arena_printf(arena, "Secret \"%.*s\" with the "
                                        "key of its external account is "
                                        "missing, or has no \"%.*s\"",
                                        torii_str_arg(acme->eab_key.name),
                                        torii_str_arg(acme->eab_key.key));
    }
}


/*
 * The Secret that the object names, or what was kept when there was none: a
 * copy outlives the Secret.
 */

static void
ngx_torii_issuer_key(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_object_t *issuer, acme_issuer_conf_t *conf)
{
    const ingress_issuer_acme_t  *acme;

    acme = &issuer->u.issuer.acme;

    conf->key = ngx_torii_issuer_secret(a, issuer, acme->key.name,
                                        acme->key.key);
    if (conf->key.len) {
        return;
    }

    conf->key = ngx_torii_file_get(&a->accounts,
                                   ngx_torii_issuer_file(arena, conf->name),
                                   arena);

    if (conf->key.len == 0 && acme->disable_key_generation) {
        conf->problem = torii_arena_printf(arena, "Secret \"%.*s\" with the "
                                           "account's key is missing, and "
                                           "none may be made",
                                           torii_str_arg(acme->key.name));
    }
}


static void
ngx_torii_issuer_ca(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_object_t *issuer, acme_issuer_conf_t *conf)
{
    torii_str_t  name;

    name = issuer->u.issuer.ca_secret;

    conf->type = ACME_ISSUER_CA;
    conf->ca_chain = ngx_torii_issuer_secret(a, issuer, name,
                                             torii_str("tls.crt"));
    conf->ca_key = ngx_torii_issuer_secret(a, issuer, name,
                                           torii_str("tls.key"));

    if (conf->ca_chain.len == 0 || conf->ca_key.len == 0) {
        conf->problem = torii_arena_printf(arena, "Secret \"%.*s\" with its "
                                           "certificate and key is missing",
                                           torii_str_arg(name));
    }
}


torii_str_t
ngx_torii_issuer_secret(ngx_torii_acme_t *a, const ingress_object_t *issuer,
    torii_str_t name, torii_str_t key)
{
    const ingress_pair_t    *pair;
    const ingress_object_t  *o;

    o = ngx_torii_issuer_secret_find(a, issuer, name);
    pair = o ? ingress_pair_find(&o->u.secret.data, (char *) key.data) : NULL;

    return pair ? torii_str_trim(pair->value) : torii_str("");
}


const ingress_object_t *
ngx_torii_issuer_secret_find(ngx_torii_acme_t *a,
    const ingress_object_t *issuer, torii_str_t name)
{
    if (name.len == 0) {
        return NULL;
    }

    return ingress_store_get(a->helper->store, INGRESS_KIND_SECRET,
                             ngx_torii_issuer_namespace(a, issuer), name);
}


static torii_str_t
ngx_torii_issuer_namespace(ngx_torii_acme_t *a, const ingress_object_t *issuer)
{
    torii_str_t  namespace;

    if (issuer->kind != INGRESS_KIND_CLUSTER_ISSUER) {
        return issuer->namespace;
    }

    namespace = a->helper->options.cluster_namespace;

    return namespace.len ? namespace : torii_str("cert-manager");
}


static torii_str_t
ngx_torii_issuer_file(torii_arena_t *arena, torii_str_t name)
{
    return torii_arena_printf(arena, "%.*s.pem", torii_str_arg(name));
}


ngx_int_t
ngx_torii_issuer_account(ngx_torii_acme_t *a, torii_str_t name,
    torii_str_t key)
{
    ngx_int_t       rc;
    torii_arena_t  *arena;

    arena = torii_arena_create(512);

    rc = ngx_torii_file_write(&a->accounts, ngx_torii_issuer_file(arena, name),
                              key, 1, a->log);

    torii_arena_destroy(arena);

    return rc;
}


ngx_int_t
ngx_torii_issuer_place(ngx_torii_acme_t *a, torii_str_t name,
    torii_str_t *namespace, ingress_secret_ref_t *ref, torii_str_t *there)
{
    const ingress_object_t  *issuer;

    issuer = ngx_torii_issuer_find(a, name);

    if (issuer == NULL || issuer->u.issuer.acme.key.name.len == 0) {
        return NGX_DECLINED;
    }

    *namespace = ngx_torii_issuer_namespace(a, issuer);
    *ref = issuer->u.issuer.acme.key;
    *there = ngx_torii_issuer_secret(a, issuer, ref->name, ref->key);

    return NGX_OK;
}


static void
ngx_torii_trust_set(ngx_torii_acme_t *a, torii_str_t name, torii_str_t bundle,
    ngx_uint_t insecure)
{
    char                error[256];
    uint64_t            hash;
    ngx_torii_trust_t  *t;

    hash = torii_hash(bundle.data, bundle.len, insecure);
    t = ngx_torii_trust_find(a, name);

    if (t && t->hash == hash) {
        t->named = 1;
        return;
    }

    if (t) {
        t->gone = 1;
    }

    t = torii_zalloc(sizeof(ngx_torii_trust_t));

    t->name.data = torii_malloc(name.len);
    t->name.len = name.len;
    ngx_memcpy(t->name.data, name.data, name.len);

    t->hash = hash;
    t->named = 1;

    ngx_queue_insert_tail(&a->trusts, &t->queue);

    t->identity = ngx_torii_identity_create(bundle, torii_str(""),
                                            torii_str(""), insecure, error);
    if (t->identity == NULL) {
        ngx_log_error(NGX_LOG_ERR, a->log, 0,
                      "torii: issuer \"%*s\": caBundle: %s", name.len,
                      name.data, error);
    }

    if (insecure) {
        ngx_log_error(NGX_LOG_WARN, a->log, 0,
                      "torii: issuer \"%*s\" is not verified, as its "
                      "skipTLSVerify says", name.len, name.data);
    }
}


static ngx_torii_trust_t *
ngx_torii_trust_find(ngx_torii_acme_t *a, torii_str_t name)
{
    ngx_queue_t        *q;
    ngx_torii_trust_t  *t;

    for (q = ngx_queue_head(&a->trusts);
         q != ngx_queue_sentinel(&a->trusts);
         q = ngx_queue_next(q))
    {
        t = ngx_queue_data(q, ngx_torii_trust_t, queue);

        if (!t->gone && torii_str_eq(t->name, name)) {
            return t;
        }
    }

    return NULL;
}


ngx_torii_trust_t *
ngx_torii_issuer_trust(ngx_torii_acme_t *a, torii_str_t name)
{
    ngx_torii_trust_t  *t;

    t = ngx_torii_trust_find(a, name);

    if (t == NULL || t->identity == NULL) {
        return NULL;
    }

    t->refs++;

    return t;
}


ngx_torii_curl_tls_t *
ngx_torii_trust_tls(ngx_torii_trust_t *t)
{
    return &t->identity->tls;
}


void
ngx_torii_trust_leave(ngx_torii_trust_t *t)
{
    t->refs--;
}


void
ngx_torii_issuers_begin(ngx_torii_acme_t *a)
{
    ngx_queue_t        *q;
    ngx_torii_trust_t  *t;

    ngx_torii_solvers_begin(a);

    for (q = ngx_queue_head(&a->trusts);
         q != ngx_queue_sentinel(&a->trusts);
         q = ngx_queue_next(q))
    {
        t = ngx_queue_data(q, ngx_torii_trust_t, queue);
        t->named = 0;
    }
}


void
ngx_torii_issuers_end(ngx_torii_acme_t *a)
{
    ngx_queue_t        *q;
    ngx_torii_trust_t  *t;

    ngx_torii_solvers_end(a);

    for (q = ngx_queue_head(&a->trusts);
         q != ngx_queue_sentinel(&a->trusts);
         q = ngx_queue_next(q))
    {
        t = ngx_queue_data(q, ngx_torii_trust_t, queue);

        if (!t->named) {
            t->gone = 1;
        }
    }
}


void
ngx_torii_issuers_sweep(ngx_torii_acme_t *a)
{
    ngx_queue_t        *q, *next;
    ngx_torii_trust_t  *t;

    for (q = ngx_queue_head(&a->trusts);
         q != ngx_queue_sentinel(&a->trusts);
         q = next)
    {
        next = ngx_queue_next(q);
        t = ngx_queue_data(q, ngx_torii_trust_t, queue);

        if (!t->gone || t->refs) {
            continue;
        }

        if (t->identity) {
            ngx_torii_curl_forget(a->curl, &t->identity->tls);
            ngx_torii_identity_free(t->identity);
        }

        ngx_queue_remove(q);
        free(t->name.data);
        free(t);
    }
}


const ingress_object_t *
ngx_torii_issuer_find(ngx_torii_acme_t *a, torii_str_t name)
{
    ingress_kind_e    kind;
    torii_str_t       word, namespace;
    ingress_object_t  *o;

    (void) torii_str_next(&name, "/", &word);
    namespace = torii_str("");
    kind = INGRESS_KIND_CLUSTER_ISSUER;

    if (torii_str_eqs(word, "Issuer")) {
        kind = INGRESS_KIND_ISSUER;
        (void) torii_str_next(&name, "/", &namespace);
    }

    o = ingress_store_get(a->helper->store, kind, namespace, name);

    return (o && o->u.issuer.type == INGRESS_ISSUER_ACME) ? o : NULL;
}
