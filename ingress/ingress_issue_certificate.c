
/*
 * What a Certificate object asks for.  Its decoder has told what is wrong with
 * it by itself.
 */

#include "ingress_issue_claim.h"
#include "ingress_compile.h"
#include "ingress_decode.h"


static int ingress_certificate_left(ingress_issuing_t *s,
    const ingress_object_t *o);
static void ingress_certificate_fill(ingress_issuing_t *s, ingress_wish_t *w,
    const ingress_certificate_t *cert);
static void ingress_certificate_list(ingress_issuing_t *s, ingress_wish_t *w,
    const ingress_certificate_t *cert);
static uint32_t ingress_certificate_seconds(int64_t n);


ingress_wish_t *
ingress_issue_certificate(ingress_issuing_t *s, const ingress_object_t *o)
{
    ingress_wish_t               *w;
    const ingress_certificate_t  *cert;

    cert = &o->u.certificate;

    if (o->deleting || cert->secret.len == 0
        || ingress_certificate_left(s, o))
    {
        return NULL;
    }

    w = torii_arena_zalloc(s->arena, sizeof(ingress_wish_t));

    w->owner = o;
    w->issue.owner = o;

    if (cert->unusable) {
        w->bad = 1;
        return w;
    }

    /* a leaf in its place would break the issuer that is to sign by it */

    if (cert->is_ca) {
        (void) ingress_issue_finding(s, o, INGRESS_WARNING, "Unsupported",
                                     torii_str("spec.isCA"),
                                     torii_str("true"), 0,
                                     "certificates of authorities are not "
                                     "issued here; the Secret is left as it "
                                     "is");
        w->apart = 1;
        return w;
    }

    ingress_certificate_fill(s, w, cert);
    ingress_certificate_list(s, w, cert);
    ingress_issue_notes(s, w);

    if (!w->bad && ingress_issue_issuers(s, w) != TORII_OK) {
        w->apart = 1;
    }

    return w;
}


/*
 * Made by cert-manager out of annotations that are now read here, and left
 * when it went: it would hold its Ingress to what that one said then.  While
 * it is not known whether the Ingress is served, it may be.
 */

static int
ingress_certificate_left(ingress_issuing_t *s, const ingress_object_t *o)
{
    ingress_item_t               *e;
    const ingress_certificate_t  *cert;

    cert = &o->u.certificate;

    if (cert->ingress.len == 0) {
        return 0;
    }

    e = ingress_item_find(s->store, INGRESS_KIND_INGRESS, o->namespace,
                          cert->ingress);

    return e != NULL && e->active != NULL
           && (e->u.ingress.served
               || e->u.ingress.classes != s->store->classes)
           && ingress_issue_asks(s, e->active, cert->secret);
}


static void
ingress_certificate_fill(ingress_issuing_t *s, ingress_wish_t *w,
    const ingress_certificate_t *cert)
{
    ingress_issue_t  *issue;

    issue = &w->issue;

    w->issuer = cert->issuer;
    w->kind = cert->issuer_kind;
    w->group = cert->issuer_group;
    w->field = "spec.issuerRef";

    issue->common_name = cert->common_name;
    issue->pkcs8 = (cert->encoding == INGRESS_KEY_PKCS8);
    issue->reuse_key = cert->keep_key;
    issue->disabled = cert->renewal_disabled;
    issue->duration = ingress_certificate_seconds(cert->duration);
    issue->renew_before = ingress_certificate_seconds(cert->renew_before);
    issue->renew_percent = cert->renew_before_percentage;
    issue->template_annotations = &cert->secret_annotations;
    issue->template_labels = &cert->secret_labels;

    ingress_issue_key(s, w, cert->algorithm, cert->key_size,
                      "spec.privateKey", 0);

    if (issue->duration && issue->renew_before >= issue->duration) {
        ingress_issue_bad(s, w, torii_str("spec.renewBefore"),
                          (torii_str_t) torii_null_string, 0,
                          "must be less than spec.duration");
    }
}


/* One without names is for its common name, where that can be one. */

static void
ingress_certificate_list(ingress_issuing_t *s, ingress_wish_t *w,
    const ingress_certificate_t *cert)
{
    size_t        i;
    uint32_t      n;
    torii_str_t  *name;

    n = cert->dns_names.n + cert->ip_addresses.n;

    w->names.elts = torii_arena_alloc(s->arena, (n + 1) * sizeof(torii_str_t));
    w->names.n = n;

    for (i = 0; i < cert->dns_names.n; i++) {
        w->names.elts[i] = cert->dns_names.elts[i];
    }

    for (i = 0; i < cert->ip_addresses.n; i++) {
        w->names.elts[cert->dns_names.n + i] = cert->ip_addresses.elts[i];
    }

    if (n) {
        return;
    }

    name = &w->names.elts[0];
    *name = torii_arena_str(s->arena, cert->common_name);

    for (i = 0; i < name->len; i++) {
        if (name->data[i] >= 'A' && name->data[i] <= 'Z') {
            name->data[i] |= 0x20;
        }
    }

    w->names.n = (ingress_is_address(*name)
                  || ingress_host_check(*name, INGRESS_HOST_RULE) == NULL);
}


static uint32_t
ingress_certificate_seconds(int64_t n)
{
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t) n;
}
