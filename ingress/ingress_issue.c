
/*
 * Certificates that are wanted: the wishes of all owners, sorted by the Secret
 * they are for, so that those who want the same one stand together.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingress_issue_claim.h"
#include "ingress_compile.h"
#include "ingress_decode.h"


#define INGRESS_ISSUE_ARENA   65536
#define INGRESS_ISSUE_CLAIMS  256


typedef struct {
    ingress_issuing_t       s;
    ingress_claim_t        *claims;
    uint32_t                n;
    uint32_t                size;
} ingress_claims_t;


static void ingress_issue_ingresses(ingress_claims_t *c);
static void ingress_issue_entries(ingress_claims_t *c, ingress_wish_t *w);
static int ingress_issue_entry(ingress_claims_t *c, ingress_wish_t *w,
    uint32_t index);
static void ingress_issue_visit_certificate(void *data, ingress_object_t *o);
static void ingress_issue_visit_issuer(void *data, ingress_object_t *o);
static void ingress_issue_claims(ingress_claims_t *c, ingress_wish_t *w,
    torii_str_t secret, const ingress_tls_t *tls, uint32_t index);
static ingress_claim_t *ingress_issue_claim(ingress_claims_t *c,
    ingress_wish_t *w, torii_str_t secret, const char *more);
static int ingress_claim_cmp(const void *one, const void *two);
static void ingress_issue_twice(ingress_claims_t *c);
static void ingress_issue_conflict(ingress_issuing_t *s,
    const ingress_claim_t *first, const ingress_issue_names_t *names,
    const ingress_claim_t *claim);
static int ingress_issue_covers(const ingress_issue_names_t *names,
    torii_str_t name);


void
ingress_issues(ingress_store_t *store, const ingress_options_t *options,
    ingress_findings_t *findings, ingress_issue_pt visit, void *data)
{
    uint32_t                i, n;
    ingress_issue_t         issue;
    ingress_claims_t        c;
    ingress_issue_names_t   names;

    memset(&c, 0, sizeof(ingress_claims_t));

    c.s.store = store;
    c.s.options = options;
    c.s.findings = findings;
    c.s.arena = torii_arena_create(INGRESS_ISSUE_ARENA);

    if (store->count[INGRESS_KIND_ISSUER]) {
        ingress_store_each(store, INGRESS_KIND_ISSUER,
                           ingress_issue_visit_issuer, &c);
    }

    if (store->count[INGRESS_KIND_CLUSTER_ISSUER]) {
        ingress_store_each(store, INGRESS_KIND_CLUSTER_ISSUER,
                           ingress_issue_visit_issuer, &c);
    }

    if (store->count[INGRESS_KIND_CERTIFICATE]) {
        ingress_store_each(store, INGRESS_KIND_CERTIFICATE,
                           ingress_issue_visit_certificate, &c);
    }

    ingress_issue_ingresses(&c);

    if (c.n > 1) {
        qsort(c.claims, c.n, sizeof(ingress_claim_t), ingress_claim_cmp);
        ingress_issue_twice(&c);
    }

    for (i = 0; i < c.n; i += n) {
        ingress_issue_names(&c.s, &c.claims[i], &names);

        for (n = 1; i + n < c.n
                    && torii_str_eq(c.claims[i].id, c.claims[i + n].id); n++)
        {
            ingress_issue_conflict(&c.s, &c.claims[i], &names,
                                   &c.claims[i + n]);
        }

        if (ingress_issue_make(&c.s, &c.claims[i], &names, &issue) == TORII_OK)
        {
            visit(data, &issue);
        }
    }

    free(c.claims);
    torii_arena_destroy(c.s.arena);
}


/*
 * Twice the changes, and one more once they are compiled: which Ingresses are
 * served, the store knows only then.
 */

uint64_t
ingress_issues_version(ingress_store_t *store)
{
    uint64_t  n;

    n = store->changes[INGRESS_KIND_INGRESS]
        + store->changes[INGRESS_KIND_SECRET]
        + store->changes[INGRESS_KIND_ISSUER]
        + store->changes[INGRESS_KIND_CLUSTER_ISSUER]
        + store->changes[INGRESS_KIND_CERTIFICATE]
        + store->classes;

    return 2 * n + (store->decided == store->changes[INGRESS_KIND_INGRESS]);
}


/*
 * One that changed since the last compile is taken for what it was then, lest
 * its certificate seems to be wanted no more for a moment.
 */

static void
ingress_issue_ingresses(ingress_claims_t *c)
{
    uint32_t          i;
    ingress_item_t   *e;
    ingress_wish_t   *w;
    ingress_items_t  *order;

    order = &c->s.store->order;

    for (i = 0; i < order->n; i++) {
        e = order->elts[i];

        if (e->active == NULL || !e->u.ingress.served) {
            continue;
        }

        w = ingress_issue_shim(&c->s, e->active);

        if (w != NULL) {
            ingress_issue_entries(c, w);
        }
    }
}


static void
ingress_issue_entries(ingress_claims_t *c, ingress_wish_t *w)
{
    uint32_t                  i;
    const ingress_tls_t      *tls;
    const ingress_ingress_t  *ing;

    ing = &w->owner->u.ingress;

    for (i = 0; i < ing->ntls; i++) {
        tls = &ing->tls[i];

        if (ingress_issue_entry(c, w, i) == TORII_OK) {
            ingress_issue_claims(c, w, tls->secret, tls, i);
        }
    }
}


static int
ingress_issue_entry(ingress_claims_t *c, ingress_wish_t *w, uint32_t index)
{
    const char           *what;
    torii_str_t           field;
    const ingress_tls_t  *tls;

    tls = &w->owner->u.ingress.tls[index];

    if (tls->n && tls->secret.len) {
        return TORII_OK;
    }

    if (!w->apart && !w->bad) {
        what = tls->n ? "secretName" : "hosts";
        field = torii_arena_printf(c->s.arena, "spec.tls[%u].%s",
                                   (unsigned) index, what);

        (void) ingress_issue_finding(&c->s, w->owner, INGRESS_WARNING,
                                     "BadConfig", field,
                                     (torii_str_t) torii_null_string,
                                     tls->line, "is missing: no certificate "
                                     "is issued for this entry");
    }

    return TORII_DECLINED;
}


static void
ingress_issue_visit_certificate(void *data, ingress_object_t *o)
{
    ingress_claims_t *c = data;

    ingress_wish_t  *w;

    w = ingress_issue_certificate(&c->s, o);

    if (w != NULL) {
        ingress_issue_claims(c, w, o->u.certificate.secret, NULL, 0);
    }
}


static void
ingress_issue_visit_issuer(void *data, ingress_object_t *o)
{
    ingress_claims_t *c = data;

    uint32_t               solve;
    const ingress_pair_t  *pair;

    if (ingress_issue_challenge(o, &solve) == TORII_OK) {
        return;
    }

    pair = ingress_pair_find(&o->annotations, "torii/acme-challenge");

    (void) ingress_issue_finding(&c->s, o, INGRESS_ERROR, "BadConfig",
                                 pair->name, pair->value, pair->line,
                                 "must be http-01, tls-alpn-01 or dns-01; "
                                 "nothing is issued by this one");
}


static void
ingress_issue_claims(ingress_claims_t *c, ingress_wish_t *w,
    torii_str_t secret, const ingress_tls_t *tls, uint32_t index)
{
    ingress_claim_t  *claim;

    claim = ingress_issue_claim(c, w, secret, "");
    claim->tls = tls;
    claim->index = index;

    if (!w->pair) {
        return;
    }

    if (secret.len + sizeof(INGRESS_ISSUE_SECOND) - 1 > INGRESS_NAME_MAX) {
        ingress_issue_bad(&c->s, w, ingress_claim_field(&c->s, claim), secret,
                          ingress_claim_line(claim),
                          "is too long a name for a Secret that has one more "
                          "beside it, which is called NAME"
                          INGRESS_ISSUE_SECOND);
        return;
    }

    claim = ingress_issue_claim(c, w, secret, INGRESS_ISSUE_SECOND);
    claim->tls = tls;
    claim->index = index;
    claim->second = 1;
}


static ingress_claim_t *
ingress_issue_claim(ingress_claims_t *c, ingress_wish_t *w,
    torii_str_t secret, const char *more)
{
    torii_str_t       namespace;
    ingress_claim_t  *claim;

    if (c->n == c->size) {
        c->size = c->size ? c->size * 2 : INGRESS_ISSUE_CLAIMS;
        c->claims = torii_realloc(c->claims,
                                  c->size * sizeof(ingress_claim_t));
    }

    namespace = w->owner->namespace;

    claim = &c->claims[c->n++];
    memset(claim, 0, sizeof(ingress_claim_t));

    claim->wish = w;
    claim->id = torii_arena_printf(c->s.arena, "%.*s/%.*s%s",
                                   torii_str_arg(namespace),
                                   torii_str_arg(secret), more);

    return claim;
}


/* Who comes first has the Secret: a Certificate, then the oldest. */

static int
ingress_claim_cmp(const void *one, const void *two)
{
    int                      rc;
    const ingress_claim_t   *a = one, *b = two;
    const ingress_object_t  *x, *y;

    rc = torii_str_cmp(a->id, b->id);
    if (rc != 0) {
        return rc;
    }

    if ((a->tls == NULL) != (b->tls == NULL)) {
        return a->tls == NULL ? -1 : 1;
    }

    x = a->wish->owner;
    y = b->wish->owner;

    if (x->created != y->created) {
        return x->created < y->created ? -1 : 1;
    }

    rc = torii_str_cmp(x->name, y->name);
    if (rc != 0) {
        return rc;
    }

    return (a->index > b->index) - (a->index < b->index);
}


/* cert-manager then does nothing for the whole Ingress, and so do we. */

static void
ingress_issue_twice(ingress_claims_t *c)
{
    uint32_t          i;
    ingress_wish_t   *w;
    ingress_claim_t  *claim;

    for (i = 1; i < c->n; i++) {
        claim = &c->claims[i];
        w = claim->wish;

        if (w != claim[-1].wish || w->twice
            || !torii_str_eq(claim->id, claim[-1].id))
        {
            continue;
        }

        w->twice = 1;

        if (w->apart) {
            continue;
        }

        ingress_issue_bad(&c->s, w, ingress_claim_field(&c->s, claim),
                          claim->tls->secret, claim->tls->line,
                          "names the Secret of another entry: each must have "
                          "its own");
    }
}


/* The certificate of the first one may do for the others. */

static void
ingress_issue_conflict(ingress_issuing_t *s, const ingress_claim_t *first,
    const ingress_issue_names_t *names, const ingress_claim_t *claim)
{
    uint32_t                 i;
    const ingress_object_t  *o;
    ingress_issue_names_t    own;

    if (claim->wish == first->wish || claim->wish->bad || claim->wish->apart) {
        return;
    }

    ingress_issue_names(s, claim, &own);

    for (i = 0; i < own.n; i++) {
        if (!ingress_issue_covers(names, own.elts[i].name)) {
            break;
        }
    }

    if (i == own.n) {
        return;
    }

    o = first->wish->owner;

    (void) ingress_issue_finding(s, claim->wish->owner, INGRESS_ERROR,
                                 "BadConfig", ingress_claim_field(s, claim),
                                 own.elts[i].name, ingress_claim_line(claim),
                                 "%s %.*s/%.*s has Secret %.*s already, for "
                                 "other names; nothing is issued here until "
                                 "the names are the same, or there are two "
                                 "Secrets", ingress_kind_name(o->kind),
                                 torii_str_arg(o->namespace),
                                 torii_str_arg(o->name),
                                 torii_str_arg(claim->id));
}


static int
ingress_issue_covers(const ingress_issue_names_t *names, torii_str_t name)
{
    uint32_t        i;
    torii_str_t     one, rest;
    unsigned char  *dot;

    dot = memchr(name.data, '.', name.len);

    for (i = 0; i < names->n; i++) {
        one = names->elts[i].name;

        if (torii_str_eq(one, name)) {
            return 1;
        }

        if (dot == NULL || !torii_str_starts(one, "*.")) {
            continue;
        }

        rest.data = dot;
        rest.len = name.data + name.len - dot;
        one.data++;
        one.len--;

        if (torii_str_eq(one, rest)) {
            return 1;
        }
    }

    return 0;
}


void
ingress_issue_key(ingress_issuing_t *s, ingress_wish_t *w,
    ingress_key_algorithm_e algorithm, uint32_t size, const char *field,
    uint32_t line)
{
    int          ok;
    torii_str_t  value;
    const char  *why;

    switch (algorithm) {

    case INGRESS_KEY_RSA:
        w->issue.key = INGRESS_ISSUE_RSA;
        w->issue.bits = size ? size : 2048;
        why = "must be 2048, 3072 or 4096 for RSA";
        ok = w->issue.bits == 2048 || w->issue.bits == 3072
             || w->issue.bits == 4096;
        break;

    case INGRESS_KEY_ECDSA:
        w->issue.key = INGRESS_ISSUE_EC;
        w->issue.bits = size ? size : 256;
        why = "must be 256 or 384 for ECDSA";
        ok = w->issue.bits == 256 || w->issue.bits == 384;
        break;

    default:
        why = "must be of RSA or ECDSA: Ed25519 is no key for servers";
        ok = 0;
    }

    if (!ok) {
        value = size ? torii_arena_printf(s->arena, "%u", (unsigned) size)
                     : torii_str("");
        ingress_issue_bad(s, w, torii_str(field), value, line, why);
    }
}


void
ingress_issue_bad(ingress_issuing_t *s, ingress_wish_t *w, torii_str_t field,
    torii_str_t value, uint32_t line, const char *why)
{
    w->bad = 1;

    (void) ingress_issue_finding(s, w->owner, INGRESS_ERROR, "BadConfig",
                                 field, value, line, "%s; until then nothing "
                                 "is issued, and the Secret stays as it is",
                                 why);
}


ingress_finding_t *
ingress_issue_finding(ingress_issuing_t *s, const ingress_object_t *o,
    ingress_severity_e severity, const char *reason, torii_str_t field,
    torii_str_t value, uint32_t line, const char *fmt, ...)
{
    char                text[1024];
    va_list             args;
    ingress_finding_t  *f;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    f = ingress_finding_add(s->findings, severity, reason, field, value, "%s",
                            text);

    if (f == &s->findings->spare) {
        return f;
    }

    f->kind = torii_str(ingress_kind_name(o->kind));
    f->namespace = torii_arena_str(s->findings->arena, o->namespace);
    f->name = torii_arena_str(s->findings->arena, o->name);
    f->file = torii_arena_str(s->findings->arena, o->file);
    f->line = line ? line : o->line;

    return f;
}
