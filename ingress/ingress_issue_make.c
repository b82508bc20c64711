
/*
 * A claim made into what is to be issued: its names, each once, and how they
 * are proved.
 */

#include <arpa/inet.h>
#include <stdio.h>

#include "ingress_issue_claim.h"


#define INGRESS_ISSUE_FILE  251      /* bytes, and ".pem" */


static void ingress_issue_one_key(const ingress_claim_t *claim,
    ingress_issue_t *issue);
static int ingress_issue_left_out(const ingress_object_t *o, uint32_t index);
static int ingress_issue_common(ingress_issuing_t *s,
    const ingress_claim_t *claim, ingress_issue_t *issue);
static void ingress_issue_solve(ingress_issuing_t *s,
    const ingress_claim_t *claim, ingress_issue_t *issue);
static void ingress_issue_maybe(ingress_issuing_t *s,
    const ingress_claim_t *claim, const ingress_object_t *issuer,
    const ingress_issue_name_t *name);
static const ingress_object_t *ingress_issue_solving(
    const ingress_issue_t *issue);
static void ingress_issue_name(ingress_issuing_t *s,
    ingress_issue_names_t *names, torii_str_t name);
static torii_str_t ingress_issue_address(torii_arena_t *a, torii_str_t name);


static const ingress_pairs_t  ingress_issue_no_pairs;


int
ingress_issue_make(ingress_issuing_t *s, const ingress_claim_t *claim,
    const ingress_issue_names_t *names, ingress_issue_t *issue)
{
    const char             *why;
    ingress_issuing_t       silent;
    ingress_findings_t      told;
    const ingress_wish_t   *w;

    w = claim->wish;

    if (w->bad || w->apart) {
        return TORII_DECLINED;
    }

    /* what is wrong with an entry is said of the first of its Secrets */

    if (claim->second) {
        ingress_findings_init(&told, s->arena);
        silent = *s;
        silent.findings = &told;
        s = &silent;
    }

    *issue = w->issue;
    ingress_issue_one_key(claim, issue);

    issue->field = ingress_claim_field(s, claim);
    issue->namespace = w->owner->namespace;
    issue->secret.data = claim->id.data + issue->namespace.len + 1;
    issue->secret.len = claim->id.len - issue->namespace.len - 1;
    issue->names = names->elts;
    issue->n = names->n;

    if (issue->template_labels == NULL) {
        issue->template_labels = &ingress_issue_no_pairs;
        issue->template_annotations = &ingress_issue_no_pairs;
    }

    why = NULL;

    if (claim->tls && ingress_issue_left_out(w->owner, claim->index)) {
        why = "has a host that is left out; a certificate without it would "
              "replace one with it, so that nothing is issued";

    } else if (names->many) {
        why = "has more than 100 names; nothing is issued";

    } else if (w->owner->file.len && issue->secret.len > INGRESS_ISSUE_FILE) {
        why = "has more than 251 bytes, and no file can be named so; nothing "
              "is issued";

    } else if (names->n == 0) {
        why = "has no name that a certificate can be for; nothing is issued";
    }

    if (why != NULL) {
        (void) ingress_issue_finding(s, w->owner, INGRESS_ERROR,
                                     "BadConfig", issue->field, issue->secret,
                                     ingress_claim_line(claim), "%s", why);
        return TORII_ERROR;
    }

    if (ingress_issue_common(s, claim, issue) != TORII_OK) {
        return TORII_ERROR;
    }

    ingress_issue_solve(s, claim, issue);

    return TORII_OK;
}


/* Of a pair: the size that was asked for is that of one of both. */

static void
ingress_issue_one_key(const ingress_claim_t *claim, ingress_issue_t *issue)
{
    ingress_issue_key_e  key;

    key = claim->second ? INGRESS_ISSUE_EC : INGRESS_ISSUE_RSA;

    if (claim->wish->pair && issue->key != key) {
        issue->key = key;
        issue->bits = claim->second ? 256 : 2048;
    }
}


/* The decoder left out a host of the entry, and its finding says which. */

static int
ingress_issue_left_out(const ingress_object_t *o, uint32_t index)
{
    char                      prefix[32];
    const ingress_finding_t  *f;

    if (o->findings == NULL) {
        return 0;
    }

    snprintf(prefix, sizeof(prefix), "spec.tls[%u].hosts", (unsigned) index);

    for (f = o->findings; f; f = f->next) {
        if (f->severity == INGRESS_ERROR && torii_str_starts(f->field, prefix))
        {
            return 1;
        }
    }

    return 0;
}


/* RFC 8555, section 7.4: the names of the request are those of the order. */

static int
ingress_issue_common(ingress_issuing_t *s, const ingress_claim_t *claim,
    ingress_issue_t *issue)
{
    uint32_t  i;

    if (issue->common_name.len == 0) {
        return TORII_OK;
    }

    for (i = 0; i < issue->n; i++) {
        if (torii_str_caseeq(issue->names[i].name, issue->common_name)) {
            issue->common_name = issue->names[i].name;
            return TORII_OK;
        }
    }

    if (ingress_issue_solving(issue) == NULL) {
        return TORII_OK;
    }

    (void) ingress_issue_finding(s, claim->wish->owner, INGRESS_ERROR,
                                 "BadConfig", claim->tls
                                 ? torii_str("cert-manager.io/common-name")
                                 : torii_str("spec.commonName"),
                                 issue->common_name,
                                 ingress_claim_line(claim), "is none of the "
                                 "names for Secret %.*s, as an ACME issuer "
                                 "asks for; nothing is issued",
                                 torii_str_arg(claim->id));

    return TORII_ERROR;
}


static void
ingress_issue_solve(ingress_issuing_t *s, const ingress_claim_t *claim,
    ingress_issue_t *issue)
{
    uint32_t                 i, wish, unsolved;
    const ingress_object_t  *issuer;
    ingress_issue_name_t    *name, *culprit, *maybe;

    issuer = ingress_issue_solving(issue);
    if (issuer == NULL) {
        return;
    }

    wish = claim->wish->challenge;

    if (wish == 0) {
        (void) ingress_issue_challenge(issuer, &wish);
    }

    culprit = NULL;
    maybe = NULL;
    unsolved = 0;

    for (i = 0; i < issue->n; i++) {
        name = &issue->names[i];

        ingress_solver_choose(issuer, &claim->wish->owner->labels, wish, name);

        /* the number of a solver counts for the first issuer alone */

        if (issuer != issue->issuers[0]
            && (name->solve & INGRESS_SOLVE_DNS))
        {
            name->solve = 0;
        }

        if (name->solve == 0) {
            culprit = culprit ? culprit : name;
            unsolved++;

        } else if (name->solve == INGRESS_SOLVE_PERSIST) {
            maybe = maybe ? maybe : name;
        }
    }

    if (culprit == NULL) {
        ingress_issue_maybe(s, claim, issuer, maybe);
        return;
    }

    (void) ingress_issue_finding(s, claim->wish->owner, INGRESS_ERROR,
                                 "NoSolver", issue->field, culprit->name,
                                 ingress_claim_line(claim),
                                 "no solver of %s %.*s can prove %.*s%s%s; "
                                 "nothing is issued",
                                 ingress_kind_name(issuer->kind),
                                 torii_str_arg(issuer->name),
                                 torii_str_arg(culprit->name),
                                 unsolved > 1 ? " and others" : "",
                                 torii_str_starts(culprit->name, "*.")
                                 ? ": a wildcard needs one with dns01"
                                 : ": none that may be used selects it");
}


/* A wildcard that no solver is for: a few CAs can do without. */

static void
ingress_issue_maybe(ingress_issuing_t *s, const ingress_claim_t *claim,
    const ingress_object_t *issuer, const ingress_issue_name_t *name)
{
    if (name == NULL) {
        return;
    }

    (void) ingress_issue_finding(s, claim->wish->owner, INGRESS_WARNING,
                                 "NoSolver", ingress_claim_field(s, claim),
                                 name->name, ingress_claim_line(claim),
                                 "no solver of %s %.*s can prove %.*s: a "
                                 "wildcard needs one with dns01, unless the CA "
                                 "offers dns-persist-01",
                                 ingress_kind_name(issuer->kind),
                                 torii_str_arg(issuer->name),
                                 torii_str_arg(name->name));
}


/* The one whose solvers count: local issuers need none. */

static const ingress_object_t *
ingress_issue_solving(const ingress_issue_t *issue)
{
    uint32_t  i;

    for (i = 0; i < issue->nissuers; i++) {
        if (issue->issuers[i]->u.issuer.type == INGRESS_ISSUER_ACME) {
            return issue->issuers[i];
        }
    }

    return NULL;
}


void
ingress_issue_names(ingress_issuing_t *s, const ingress_claim_t *claim,
    ingress_issue_names_t *names)
{
    uint32_t                  i, n, hosts;
    const ingress_strings_t  *more;

    more = &claim->wish->names;
    hosts = claim->tls ? claim->tls->n : 0;

    n = hosts > INGRESS_ISSUE_NAMES ? INGRESS_ISSUE_NAMES : hosts;
    n += more->n > INGRESS_ISSUE_NAMES ? INGRESS_ISSUE_NAMES : more->n;

    if (n > INGRESS_ISSUE_NAMES) {
        n = INGRESS_ISSUE_NAMES;
    }

    names->n = 0;
    names->many = 0;
    names->elts = torii_arena_alloc(s->arena,
                                    (n + 1) * sizeof(ingress_issue_name_t));

    for (i = 0; i < hosts && !names->many; i++) {
        ingress_issue_name(s, names, claim->tls->hosts[i]);
    }

    for (i = 0; i < more->n && !names->many; i++) {
        ingress_issue_name(s, names, more->elts[i]);
    }
}


static void
ingress_issue_name(ingress_issuing_t *s, ingress_issue_names_t *names,
    torii_str_t name)
{
    uint32_t  i;

    name = ingress_issue_address(s->arena, name);

    for (i = 0; i < names->n; i++) {
        if (torii_str_eq(names->elts[i].name, name)) {
            return;
        }
    }

    if (names->n == INGRESS_ISSUE_NAMES) {
        names->many = 1;
        return;
    }

    names->elts[names->n].name = name;
    names->elts[names->n].solve = 0;
    names->elts[names->n].solver = 0;
    names->n++;
}


/* RFC 8738, section 3, asks for an IPv6 address as RFC 5952 writes it. */

static torii_str_t
ingress_issue_address(torii_arena_t *a, torii_str_t name)
{
    char           text[INET6_ADDRSTRLEN];
    unsigned char  addr[16];

    if (memchr(name.data, ':', name.len) == NULL
        || inet_pton(AF_INET6, (char *) name.data, addr) != 1
        || inet_ntop(AF_INET6, addr, text, sizeof(text)) == NULL)
    {
        return name;
    }

    return torii_arena_str(a, torii_str(text));
}


torii_str_t
ingress_claim_field(ingress_issuing_t *s, const ingress_claim_t *claim)
{
    return claim->tls ? torii_arena_printf(s->arena, "spec.tls[%u]",
                                           (unsigned) claim->index)
                      : torii_str("spec.secretName");
}


uint32_t
ingress_claim_line(const ingress_claim_t *claim)
{
    return claim->tls ? claim->tls->line : 0;
}
