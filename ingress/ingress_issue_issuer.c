
/*
 * The issuers that an owner names: its own, and those that stand in for it.
 */

#include "ingress_issue_claim.h"


static int ingress_issue_add(ingress_issuing_t *s, ingress_wish_t *w,
    torii_str_t kind, torii_str_t name, torii_str_t field, uint32_t line);
static void ingress_issue_more(ingress_issuing_t *s, ingress_wish_t *w);


int
ingress_issue_issuers(ingress_issuing_t *s, ingress_wish_t *w)
{
    torii_str_t  field;

    field = torii_str(w->field);

    if (!torii_str_eqs(w->group, INGRESS_ISSUE_GROUP)
        || (!torii_str_eqs(w->kind, "Issuer")
            && !torii_str_eqs(w->kind, "ClusterIssuer")))
    {
        (void) ingress_issue_finding(s, w->owner, INGRESS_INFO,
                                     "ForeignIssuer", field, w->issuer,
                                     w->line, "is %.*s of %.*s, which is not "
                                     "Torii's to ask; the Secret is served as "
                                     "it is", torii_str_arg(w->kind),
                                     torii_str_arg(w->group));
        return TORII_DECLINED;
    }

    w->issue.issuers = torii_arena_alloc(s->arena, INGRESS_ISSUE_ISSUERS
                                                * sizeof(ingress_object_t *));

    if (ingress_issue_add(s, w, w->kind, w->issuer, field, w->line)
        != TORII_OK)
    {
        return TORII_DECLINED;
    }

    ingress_issue_more(s, w);

    return TORII_OK;
}


/* TORII_DECLINED: it is cert-manager's alone. */

static int
ingress_issue_add(ingress_issuing_t *s, ingress_wish_t *w, torii_str_t kind,
    torii_str_t name, torii_str_t field, uint32_t line)
{
    int                      cluster;
    uint32_t                 i, solve;
    torii_str_t              namespace;
    const ingress_object_t  *o;

    cluster = torii_str_eqs(kind, "ClusterIssuer");
    namespace = cluster ? torii_str("") : w->owner->namespace;

    o = ingress_store_get(s->store, cluster ? INGRESS_KIND_CLUSTER_ISSUER
                                            : INGRESS_KIND_ISSUER,
                          namespace, name);
    if (o == NULL) {
        (void) ingress_issue_finding(s, w->owner, INGRESS_WARNING,
                                     "IssuerNotFound", field, name, line,
                                     "there is no %.*s \"%.*s\"%s%.*s; "
                                     "nothing is issued by it",
                                     torii_str_arg(kind), torii_str_arg(name),
                                     cluster ? "" : " in namespace ",
                                     torii_str_arg(namespace));
        return TORII_OK;
    }

    if (o->u.issuer.type == INGRESS_ISSUER_OTHER) {
        (void) ingress_issue_finding(s, w->owner, INGRESS_INFO,
                                     "ForeignIssuer", field, name, line,
                                     "%.*s \"%.*s\" is of a type that Torii "
                                     "does not have; the Secret is served as "
                                     "it is", torii_str_arg(kind),
                                     torii_str_arg(name));
        return TORII_DECLINED;
    }

    if (o->u.issuer.unusable || ingress_issue_challenge(o, &solve) != TORII_OK)
    {
        (void) ingress_issue_finding(s, w->owner, INGRESS_WARNING,
                                     "IssuerNotUsable", field, name, line,
                                     "%.*s \"%.*s\" cannot be used, as its "
                                     "own finding says; nothing is issued by "
                                     "it", torii_str_arg(kind),
                                     torii_str_arg(name));
        return TORII_OK;
    }

    for (i = 0; i < w->issue.nissuers; i++) {
        if (w->issue.issuers[i] == o) {
            return TORII_OK;
        }
    }

    w->issue.issuers[w->issue.nissuers++] = o;

    return TORII_OK;
}


/* One of the list that is not there does not hinder the next one. */

static void
ingress_issue_more(ingress_issuing_t *s, ingress_wish_t *w)
{
    uint32_t               line;
    torii_str_t            rest, piece, kind;
    const ingress_pair_t  *pair;

    static const torii_str_t  field = torii_string("torii/issuers");

    if (w->more.len == 0) {
        return;
    }

    rest = w->more;
    pair = ingress_pair_find(&w->owner->annotations, "torii/issuers");
    line = pair ? pair->line : 0;

    while (torii_str_next(&rest, ",", &piece)) {
        piece = torii_str_trim(piece);

        if (w->issue.nissuers == INGRESS_ISSUE_ISSUERS
            || !torii_str_next(&piece, "/", &kind) || piece.len == 0
            || (!torii_str_eqs(kind, "Issuer")
                && !torii_str_eqs(kind, "ClusterIssuer")))
        {
            ingress_issue_bad(s, w, field, w->more, line,
                              "must be a list such as \"ClusterIssuer/a, "
                              "Issuer/b\", of 7 at most");
            return;
        }

        (void) ingress_issue_add(s, w, kind, piece, field, line);
    }
}


int
ingress_issue_challenge(const ingress_object_t *o, uint32_t *solve)
{
    const ingress_pair_t  *pair;

    pair = ingress_pair_find(&o->annotations, "torii/acme-challenge");

    if (pair == NULL) {
        *solve = 0;
        return TORII_OK;
    }

    if (torii_str_eqs(pair->value, "http-01")) {
        *solve = INGRESS_SOLVE_HTTP;
        return TORII_OK;
    }

    if (torii_str_eqs(pair->value, "tls-alpn-01")) {
        *solve = INGRESS_SOLVE_ALPN | INGRESS_SOLVE_ALPN_FIRST;
        return TORII_OK;
    }

    if (torii_str_eqs(pair->value, "dns-01")) {
        *solve = INGRESS_SOLVE_DNS;
        return TORII_OK;
    }

    if (torii_str_eqs(pair->value, "dns-persist-01")) {
        *solve = INGRESS_SOLVE_PERSIST | INGRESS_SOLVE_PERSIST_ONLY;
        return TORII_OK;
    }

    return TORII_ERROR;
}
