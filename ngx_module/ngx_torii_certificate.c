
/*
 * Certificates that were issued: each is one PEM file, key and chain together,
 * so that they can never be of two minds, and a Secret in the store, so that
 * they are served as any other.  A Secret of the same name that the operator
 * has put there counts as soon as it lasts longer.
 */

#include "ngx_torii_acme.h"
#include "ngx_torii_file.h"
#include "ingress_cert.h"


#define NGX_TORII_CERTIFICATE_SHARE  100 /* a report takes 1/100 of the time */


typedef struct {
    torii_buf_t               json;
    ngx_torii_metrics_t       metrics;
    uint32_t                  n;
} ngx_torii_report_t;


static void ngx_torii_certificate_loaded(void *ctx, torii_str_t name,
    torii_str_t data);
static ngx_int_t ngx_torii_certificate_write(ngx_torii_acme_t *a,
    torii_str_t id, torii_str_t chain, torii_str_t key, ngx_uint_t sync);
static void ngx_torii_certificate_copy(ngx_torii_acme_t *a,
    const ingress_object_t *o, torii_str_t chain, torii_str_t key);
static void ngx_torii_certificate_serve(ngx_torii_acme_t *a,
    torii_str_t namespace, torii_str_t secret, torii_str_t chain,
    torii_str_t key);
static torii_str_t ngx_torii_certificate_text(torii_arena_t *arena,
    torii_str_t namespace, torii_str_t secret, torii_str_t chain,
    torii_str_t key);
static ngx_uint_t ngx_torii_certificate_older(ngx_torii_acme_t *a,
    ngx_torii_wanted_t *w);

static void ngx_torii_report_write(ngx_torii_acme_t *a, const char *name,
    const torii_buf_t *text);
static void ngx_torii_report_held(ngx_torii_acme_t *a, ngx_torii_report_t *r,
    ingress_findings_t *findings);
static void ngx_torii_report_certificate(ngx_torii_acme_t *a,
    ngx_torii_report_t *r, const acme_status_t *s, ngx_torii_wanted_t *w,
    ingress_findings_t *findings);
static void ngx_torii_report_json(ngx_torii_report_t *r,
    const acme_status_t *s, const ngx_torii_wanted_t *w);
static void ngx_torii_report_finding(const acme_status_t *s,
    const ngx_torii_wanted_t *w, ingress_findings_t *findings);
static void ngx_torii_report_issuers(ngx_torii_acme_t *a,
    ngx_torii_report_t *r);
static void ngx_torii_report_text(torii_buf_t *b, const char *name,
    torii_str_t value);
static void ngx_torii_report_findings(ngx_torii_acme_t *a,
    torii_arena_t *arena, ingress_findings_t *findings);


/* As /api/certificates says them, of acme_state_e. */

static const char  *ngx_torii_certificate_states[] = {
    "waiting", "issuing", "valid", "failing", "blocked"
};


void
ngx_torii_certificate_load(ngx_torii_acme_t *a)
{
    ngx_torii_file_each(&a->certificates, ngx_torii_certificate_loaded, a,
                        a->log);
}


/* "namespace/secret.pem": the key, then the chain. */

static void
ngx_torii_certificate_loaded(void *ctx, torii_str_t name, torii_str_t data)
{
    ngx_torii_acme_t *a = ctx;

    u_char       *p;
    torii_str_t   namespace, chain, key;

    static char   begin[] = "-----BEGIN CERTIFICATE-----";

    (void) torii_str_next(&name, "/", &namespace);

    if (name.data == NULL || name.len < 5
        || ngx_memcmp(name.data + name.len - 4, ".pem", 4) != 0)
    {
        return;
    }

    name.len -= 4;

    p = memmem(data.data, data.len, begin, sizeof(begin) - 1);

    if (p == NULL) {
        ngx_log_error(NGX_LOG_ERR, a->log, 0,
                      "torii: no certificate is in \"%V/%*s/%*s.pem\"",
                      &a->certificates, namespace.len, namespace.data,
                      name.len, name.data);
        return;
    }

    key.data = data.data;
    key.len = p - data.data;
    chain.data = p;
    chain.len = data.data + data.len - p;

    ngx_torii_certificate_serve(a, namespace, name, chain, key);
}


ngx_int_t
ngx_torii_certificate_keep(ngx_torii_acme_t *a, const acme_action_t *action)
{
    if (ngx_torii_certificate_write(a, action->want, action->chain,
                                    action->key, 1)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_torii_certificate_kept(a, action->want, action->chain, action->key);

    return NGX_OK;
}


static ngx_int_t
ngx_torii_certificate_write(ngx_torii_acme_t *a, torii_str_t id,
    torii_str_t chain, torii_str_t key, ngx_uint_t sync)
{
    ngx_int_t       rc;
    torii_buf_t     pem;
    torii_str_t     data, name;
    torii_arena_t  *arena;

    arena = torii_arena_create(1024);
    ngx_memzero(&pem, sizeof(torii_buf_t));

    torii_buf_add_str(&pem, key);
    torii_buf_adds(&pem, "\n");
    torii_buf_add_str(&pem, chain);

    data.data = pem.data;
    data.len = pem.len;
    name = torii_arena_printf(arena, "%.*s.pem", torii_str_arg(id));

    rc = ngx_torii_file_write(&a->certificates, name, data, sync, a->log);

    ngx_explicit_memzero(pem.data, pem.size);
    torii_buf_free(&pem);
    torii_arena_destroy(arena);

    return rc;
}


void
ngx_torii_certificate_kept(ngx_torii_acme_t *a, torii_str_t id,
    torii_str_t chain, torii_str_t key)
{
    torii_str_t          namespace;
    ngx_torii_wanted_t  *w;

    w = ngx_torii_acme_wanted(a, id);
    if (w) {
        w->served = 1;
    }

    (void) torii_str_next(&id, "/", &namespace);

    ngx_torii_certificate_serve(a, namespace, id, chain, key);

    a->dirty = 1;

    ngx_torii_pipeline_changed(a->helper, ngx_torii_publish_us());
    ngx_torii_pipeline_publish(a->helper);
}


static void
ngx_torii_certificate_serve(ngx_torii_acme_t *a, torii_str_t namespace,
    torii_str_t secret, torii_str_t chain, torii_str_t key)
{
    torii_str_t          text;
    torii_node_t        *doc;
    torii_arena_t       *arena;
    ingress_object_t    *o;
    ingress_finding_t   *findings;
    torii_tree_error_t   error;

    arena = torii_arena_create(16384);
    findings = NULL;
    o = NULL;

    text = ngx_torii_certificate_text(arena, namespace, secret, chain, key);

    if (torii_tree_json(arena, text, &torii_tree_limits, &doc, &error)
        == TORII_OK)
    {
        o = ingress_object_decode_as(arena, INGRESS_KIND_SECRET, doc,
                                     &findings);
    }

    if (o) {
        (void) ingress_store_set(a->helper->store, o);

    } else {
        ngx_log_error(NGX_LOG_ERR, a->log, 0,
                      "torii: no Secret can be named \"%*s/%*s\"",
                      namespace.len, namespace.data, secret.len, secret.data);
    }

    ngx_explicit_memzero(text.data, text.len);
    torii_arena_destroy(arena);
}


static torii_str_t
ngx_torii_certificate_text(torii_arena_t *arena, torii_str_t namespace,
    torii_str_t secret, torii_str_t chain, torii_str_t key)
{
    torii_buf_t  b;
    torii_str_t  text;

    ngx_memzero(&b, sizeof(torii_buf_t));

    torii_buf_adds(&b, "{\"metadata\":{\"namespace\":");
    torii_buf_add_json(&b, namespace);
    torii_buf_adds(&b, ",\"name\":");
    torii_buf_add_json(&b, secret);
    torii_buf_adds(&b, "},\"type\":\"kubernetes.io/tls\",\"stringData\":{"
                       "\"tls.crt\":");
    torii_buf_add_json(&b, chain);
    torii_buf_adds(&b, ",\"tls.key\":");
    torii_buf_add_json(&b, key);
    torii_buf_adds(&b, "}}");

    text.data = b.data;
    text.len = b.len;
    text = torii_arena_str(arena, text);

    ngx_explicit_memzero(b.data, b.size);
    torii_buf_free(&b);

    return text;
}


void
ngx_torii_certificate_get(ngx_torii_acme_t *a, ngx_torii_wanted_t *w,
    torii_str_t *chain, torii_str_t *key)
{
    ingress_object_t      *o;
    const ingress_pair_t  *crt, *pem;

    *chain = torii_str("");
    *key = *chain;

    if (ngx_torii_certificate_older(a, w)) {
        (void) ingress_store_remove(a->helper->store, INGRESS_KIND_SECRET,
                                    w->namespace, w->secret, torii_str(""));
        ngx_torii_pipeline_changed(a->helper, ngx_torii_publish_us());
        ngx_torii_pipeline_publish(a->helper);
    }

    o = ingress_store_get(a->helper->store, INGRESS_KIND_SECRET, w->namespace,
                          w->secret);
    if (o == NULL) {
        return;
    }

    crt = ingress_pair_find(&o->u.secret.data, "tls.crt");
    pem = ingress_pair_find(&o->u.secret.data, "tls.key");

    if (crt == NULL || pem == NULL) {
        return;
    }

    *chain = crt->value;
    *key = pem->value;

    if (o->file.len) {
        ngx_torii_certificate_copy(a, o, *chain, *key);
    }
}


/*
 * What others have made is copied: a Secret that is deleted then comes back
 * without an order.  It is no loss when a copy does not survive a crash.
 */

static void
ngx_torii_certificate_copy(ngx_torii_acme_t *a, const ingress_object_t *o,
    torii_str_t chain, torii_str_t key)
{
    torii_str_t      id;
    const char      *problem;
    torii_arena_t   *arena;
    ingress_cert_t  *cert;

    cert = ingress_cert_create(&o->u.secret);
    problem = cert->problem;
    ingress_cert_free(cert);

    if (problem) {
        return;
    }

    arena = torii_arena_create(512);
    id = torii_arena_printf(arena, "%.*s/%.*s", torii_str_arg(o->namespace),
                            torii_str_arg(o->name));

    if (ngx_torii_certificate_write(a, id, chain, key, 0) == NGX_OK) {
        ngx_torii_certificate_serve(a, o->namespace, o->name, chain, key);
    }

    torii_arena_destroy(arena);
}


/*
 * Whether ours hides one of the operator's that lasts longer, or is newer.
 * What was read once for both, and has not changed, is not read again.
 */

static ngx_uint_t
ngx_torii_certificate_older(ngx_torii_acme_t *a, ngx_torii_wanted_t *w)
{
    uint64_t             hash;
    ngx_uint_t           older;
    ingress_cert_t      *our, *their;
    ingress_object_t    *ours, *theirs;
    ngx_torii_wanted_t  *before;

    ours = ingress_store_copy(a->helper->store, INGRESS_KIND_SECRET,
                              w->namespace, w->secret, 0);
    theirs = ingress_store_copy(a->helper->store, INGRESS_KIND_SECRET,
                                w->namespace, w->secret, 1);

    if (ours == NULL || theirs == NULL || ours->file.len) {
        return 0;
    }

    hash = torii_hash(&theirs->version, sizeof(uint64_t), ours->version) | 1;
    before = ngx_torii_acme_before(a, w->id);

    if (before && before->compared == hash) {
        w->compared = hash;
        return 0;
    }

    our = ingress_cert_create(&ours->u.secret);
    their = ingress_cert_create(&theirs->u.secret);

    older = their->problem == NULL
            && (our->problem || their->not_after > our->not_after
                || their->not_before > our->not_before);

    ingress_cert_free(our);
    ingress_cert_free(their);

    if (!older) {
        w->compared = hash;
    }

    return older;
}


void
ngx_torii_certificate_report(ngx_torii_acme_t *a)
{
    uint32_t              i;
    uint64_t              cpu, now;
    acme_status_t         status;
    torii_arena_t        *arena;
    ngx_torii_report_t    r;
    ngx_torii_wanted_t   *w;
    ingress_findings_t    findings;

    now = ngx_torii_publish_us();

    if (now < a->report) {
        return;
    }

    cpu = ngx_torii_publish_cpu();

    ngx_memzero(&r, sizeof(ngx_torii_report_t));

    arena = torii_arena_create(16384);
    ingress_findings_init(&findings, arena);

    torii_buf_adds(&r.json, "{\"certificates\":[");

    if (a->acme == NULL) {
        ngx_torii_report_held(a, &r, &findings);
    }

    for (i = 0;
         a->acme && acme_status(a->acme, i, &status) == TORII_OK;
         i++)
    {
        w = ngx_torii_acme_wanted(a, status.id);

        if (w) {
            ngx_torii_report_certificate(a, &r, &status, w, &findings);
        }
    }

    torii_buf_adds(&r.json, "],\"issuers\":[");

    if (a->acme) {
        ngx_torii_report_issuers(a, &r);
    }

    torii_buf_adds(&r.json, "]}\n");

    ngx_torii_report_write(a, "certificates.json", &r.json);

    torii_buf_free(&r.json);
    ngx_torii_metrics_join(&r.metrics, &r.json);

    ngx_torii_report_write(a, "certificates.metrics", &r.json);

    torii_buf_free(&r.json);

    cpu = ngx_torii_publish_cpu() - cpu;

    a->dirty = 0;
    a->report = now + NGX_TORII_CERTIFICATE_SHARE * cpu;

    ngx_torii_report_findings(a, arena, &findings);
}


static void
ngx_torii_report_write(ngx_torii_acme_t *a, const char *name,
    const torii_buf_t *text)
{
    torii_str_t  data;

    data.data = text->data;
    data.len = text->len;

    (void) ngx_torii_file_write(&a->helper->tmcf->table_dir, torii_str(name),
                                data, 0, a->log);
}


/* No machine is at work here, and a->held says why. */

static void
ngx_torii_report_held(ngx_torii_acme_t *a, ngx_torii_report_t *r,
    ingress_findings_t *findings)
{
    ngx_uint_t           i;
    acme_status_t        status;
    ingress_finding_t   *f;
    ngx_torii_wanted_t  *w;

    for (i = 0; i < a->n; i++) {
        w = &a->wanted[i];

        ngx_memzero(&status, sizeof(acme_status_t));
        status.id = w->id;
        status.issuer = w->issuer;

        torii_buf_adds(&r->json, r->n++ ? "," : "");
        ngx_torii_report_json(r, &status, w);
        ngx_torii_metrics_certificate(&r->metrics, &status, w);

        if (a->held) {
            f = ingress_finding_add(findings, INGRESS_WARNING, a->held,
                                    w->field, w->secret, "no certificate for "
                                    "%.*s is asked for: %s",
                                    torii_str_arg(w->names), a->held_text);
            ngx_torii_notice_owner(findings, f, w);
        }
    }
}


static void
ngx_torii_report_certificate(ngx_torii_acme_t *a, ngx_torii_report_t *r,
    const acme_status_t *s, ngx_torii_wanted_t *w,
    ingress_findings_t *findings)
{
    if (r->n++) {
        torii_buf_adds(&r->json, ",");
    }

    ngx_torii_report_json(r, s, w);
    ngx_torii_metrics_certificate(&r->metrics, s, w);
    ngx_torii_report_finding(s, w, findings);
}


static void
ngx_torii_report_json(ngx_torii_report_t *r, const acme_status_t *s,
    const ngx_torii_wanted_t *w)
{
    torii_buf_t  *b;

    b = &r->json;

    torii_buf_adds(b, "\n{\"namespace\":");
    torii_buf_add_json(b, w->namespace);
    ngx_torii_report_text(b, "secret", w->secret);
    ngx_torii_report_text(b, "names", w->names);
    ngx_torii_report_text(b, "issuer", s->issuer);
    ngx_torii_report_text(b, "state",
                          torii_str(ngx_torii_certificate_states[s->state]));
    ngx_torii_report_text(b, "serial", s->serial);

    torii_buf_printf(b, ",\"notBefore\":%lld,\"notAfter\":%lld,"
                     "\"renewal\":%lld,\"nextAttempt\":%lld,\"failures\":%u",
                     (long long) s->not_before, (long long) s->not_after,
                     (long long) s->renewal, (long long) (s->next / 1000),
                     s->failures);

    if (s->fail != ACME_FAIL_NONE) {
        ngx_torii_report_text(b, "reason", torii_str(acme_fail_name(s->fail)));
        ngx_torii_report_text(b, "error", s->error);
    }

    torii_buf_adds(b, "}");
}


static void
ngx_torii_report_finding(const acme_status_t *s, const ngx_torii_wanted_t *w,
    ingress_findings_t *findings)
{
    const char          *reason, *meanwhile;
    ingress_finding_t   *f;
    ingress_severity_e   severity;

    meanwhile = w->served ? "the last certificate serves meanwhile"
                          : "the default certificate serves meanwhile";

    if (s->fail != ACME_FAIL_NONE) {
        reason = s->fail == ACME_FAIL_LIMIT ? "RateLimited"
                 : s->fail == ACME_FAIL_RECORD ? "RecordMissing"
                                               : "CertificateFailed";
        severity = w->served ? INGRESS_WARNING : INGRESS_ERROR;

        f = ingress_finding_add(findings, severity, reason, w->field,
                                w->secret, "%.*s could not issue a "
                                "certificate for %.*s: %.*s; %s",
                                torii_str_arg(s->issuer),
                                torii_str_arg(w->names),
                                torii_str_arg(s->error), meanwhile);

    } else if (!w->served) {
        f = ingress_finding_add(findings, INGRESS_INFO, "CertificatePending",
                                w->field, w->secret, "a certificate for %.*s "
                                "is on its way from %.*s; %s",
                                torii_str_arg(w->names),
                                torii_str_arg(s->issuer), meanwhile);

    } else {
        return;
    }

    ngx_torii_notice_owner(findings, f, w);
}


static void
ngx_torii_report_issuers(ngx_torii_acme_t *a, ngx_torii_report_t *r)
{
    uint32_t               i;
    torii_buf_t           *b;
    acme_issuer_status_t   s;

    static const char     *states[] = { "new", "ready", "failed" };

    for (i = 0; acme_issuer_status(a->acme, i, &s) == TORII_OK; i++) {

        b = &r->json;

        torii_buf_printf(b, "%s\n{\"name\":", i ? "," : "");
        torii_buf_add_json(b, s.name);
        ngx_torii_report_text(b, "state", torii_str(states[s.state]));
        ngx_torii_report_text(b, "account", s.account);
        ngx_torii_report_text(b, "error", s.error);
        torii_buf_printf(b, ",\"paused\":%lld,\"orders\":%u}",
                         (long long) (s.paused / 1000), s.orders);

        ngx_torii_metrics_issuer(&r->metrics, &s);
    }
}


static void
ngx_torii_report_text(torii_buf_t *b, const char *name, torii_str_t value)
{
    torii_buf_printf(b, ",\"%s\":", name);
    torii_buf_add_json(b, value);
}


/* They go to the next table; one is made when they have changed. */

static void
ngx_torii_report_findings(ngx_torii_acme_t *a, torii_arena_t *arena,
    ingress_findings_t *findings)
{
    uint64_t            hash;
    torii_buf_t         text;
    ingress_finding_t  *f;

    for (f = a->bad.first; f; f = f->next) {
        ingress_finding_copy(findings, f);
    }

    ngx_torii_notice_findings(a, findings);

    ngx_memzero(&text, sizeof(torii_buf_t));

    for (f = findings->first; f; f = f->next) {
        ingress_finding_json(&text, f);
    }

    hash = torii_hash(text.data, text.len, 0);
    torii_buf_free(&text);

    torii_arena_destroy(a->said);
    a->said = arena;
    a->findings = findings->first;

    for (a->last = a->findings; a->last && a->last->next; ) {
        a->last = a->last->next;
    }

    if (hash != a->told) {
        a->told = hash;
        ngx_torii_pipeline_changed(a->helper, ngx_torii_publish_us());
        ngx_torii_pipeline_publish(a->helper);
    }
}
