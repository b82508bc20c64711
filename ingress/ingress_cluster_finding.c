
/*
 * Findings of the cluster source: what the API refuses, with the rule that is
 * missing, what it does not have, and that it does not answer.
 */

#include <stdio.h>
#include <time.h>

#include "ingress_source.h"


#define INGRESS_CLUSTER_LIST  256


static uint64_t ingress_cluster_signature(ingress_cluster_t *c);
static void ingress_cluster_list(ingress_cluster_t *c);
static ingress_finding_t *ingress_report_add(ingress_findings_t *list,
    ingress_severity_e severity, const char *reason,
    const ingress_source_t *source, const char *text);
static void ingress_report_forbidden(ingress_findings_t *list,
    const ingress_source_t *source);
static const char *ingress_report_effect(const ingress_source_t *source);
static void ingress_report_absent(ingress_findings_t *list,
    const ingress_source_t *source);
static void ingress_report_silent(ingress_cluster_t *c,
    ingress_findings_t *list);
static void ingress_report_since(ingress_cluster_t *c, uint64_t since,
    char buf[64]);
static void ingress_report_wants(ingress_cluster_t *c,
    ingress_findings_t *list);
static ingress_finding_t *ingress_report_want(ingress_findings_t *list,
    const char *reason, const ingress_want_t *want, const char *text);
static const ingress_want_t *ingress_report_first(ingress_cluster_t *c,
    int forbidden);
static const char *ingress_report_more(uint32_t n, char buf[32]);


int
ingress_cluster_report(ingress_cluster_t *c)
{
    uint64_t  signature;

    signature = ingress_cluster_signature(c);

    if (signature == c->signature) {
        return 0;
    }

    c->signature = signature;

    torii_arena_destroy(c->findings_arena);

    c->findings_arena = NULL;
    c->findings = NULL;

    if (signature) {
        ingress_cluster_list(c);
    }

    return 1;
}


/* 0: there is nothing to say. */

static uint64_t
ingress_cluster_signature(ingress_cluster_t *c)
{
    int                silent;
    uint64_t           hash, at;
    const char        *error;
    ingress_source_t  *source;

    hash = 0;

    for (source = c->sources; source; source = source->next) {

        silent = ingress_source_silent(source, &at);

        if (!silent && source->state != INGRESS_WATCH_FORBIDDEN
            && (source->state != INGRESS_WATCH_ABSENT
                || ingress_source_missing(source)))
        {
            continue;
        }

        error = ingress_watch_error(source->watch);

        hash = torii_hash(error, strlen(error), hash + 1 + source->state);
        hash = torii_hash(source->resource->resource,
                          strlen(source->resource->resource), hash);
        hash = torii_hash(source->namespace.data, source->namespace.len, hash);
        hash = torii_hash(source->name.data, source->name.len,
                          hash + c->complete);
    }

    if (c->nforbidden || c->nfailing || c->nunwatched) {
        hash = torii_hash(&c->nforbidden, sizeof(uint32_t), hash + 1);
        hash = torii_hash(&c->nfailing, sizeof(uint32_t), hash);
        hash = torii_hash(&c->nunwatched, sizeof(uint32_t), hash);
    }

    return hash;
}


static void
ingress_cluster_list(ingress_cluster_t *c)
{
    ingress_source_t    *source;
    ingress_findings_t   list;

    c->findings_arena = torii_arena_create(4096);
    ingress_findings_init(&list, c->findings_arena);

    for (source = c->sources; source; source = source->next) {

        if (!source->wanted) {
            continue;
        }

        if (source->state == INGRESS_WATCH_FORBIDDEN) {
            ingress_report_forbidden(&list, source);

        } else if (source->state == INGRESS_WATCH_ABSENT
                   && !ingress_source_missing(source))
        {
            ingress_report_absent(&list, source);
        }
    }

    ingress_report_silent(c, &list);
    ingress_report_wants(c, &list);

    c->findings = list.first;
}


static ingress_finding_t *
ingress_report_add(ingress_findings_t *list, ingress_severity_e severity,
    const char *reason, const ingress_source_t *source, const char *text)
{
    ingress_finding_t  *f;

    f = ingress_finding_add(list, severity, reason, torii_str(""),
                            torii_str(""), "%s", text);

    f->kind = torii_str("Kubernetes");

    if (source != NULL) {
        f->name = torii_str(source->resource->resource);
        f->namespace = torii_arena_str(list->arena, source->namespace);
    }

    return f;
}


/* The rule is told as it goes into the role, to be copied from here. */

static void
ingress_report_forbidden(ingress_findings_t *list,
    const ingress_source_t *source)
{
    char                  text[1024], names[300], where[96];
    ingress_severity_e    severity;

    names[0] = '\0';
    (void) snprintf(where, sizeof(where), "ClusterRole");

    if (source->name.len) {
        (void) snprintf(names, sizeof(names), "resourceNames: [\"%.*s\"], ",
                        torii_str_arg(source->name));
    }

    if (source->namespace.len) {
        (void) snprintf(where, sizeof(where), "Role in namespace \"%.*s\"",
                        torii_str_arg(source->namespace));
    }

    (void) snprintf(text, sizeof(text), "may not be read, %s; add to the %s "
                    "of the gateway's service account: {apiGroups: [\"%s\"], "
                    "resources: [\"%s\"], %sverbs: [\"get\", \"list\", "
                    "\"watch\"]} (%s)", ingress_report_effect(source), where,
                    source->resource->group, source->resource->resource, names,
                    ingress_watch_error(source->watch));

    severity = source->resource->kind == INGRESS_KIND_INGRESS
               || source->resource->kind == INGRESS_KIND_SERVICE
               || source->resource->kind == INGRESS_KIND_SLICE
               || source->resource->kind == INGRESS_KIND_NAMESPACE
               ? INGRESS_ERROR : INGRESS_WARNING;

    (void) ingress_report_add(list, severity, "Forbidden", source, text);
}


static const char *
ingress_report_effect(const ingress_source_t *source)
{
    if (source->type.len) {
        return "so those of our own types are not known";
    }

    if (source->resource->kind == INGRESS_KIND_SECRET
        || source->resource->kind == INGRESS_KIND_CONFIGMAP)
    {
        return "so those that are needed are asked for one by one, each 60 "
               "seconds";
    }

    if (source->listed) {
        return "so what was read before stays in force";
    }

    switch (source->resource->kind) {

    case INGRESS_KIND_INGRESS:
        return "so nothing new is served";

    case INGRESS_KIND_CLASS:
        return "so classes count by name alone";

    case INGRESS_KIND_NAMESPACE:
        return "so none is known to be selected, and nothing new is served";

    case INGRESS_KIND_ISSUER:
    case INGRESS_KIND_CLUSTER_ISSUER:
    case INGRESS_KIND_CERTIFICATE:
        return "so no certificate is issued by it";

    default:
        return "so backends have no endpoints";
    }
}


static void
ingress_report_absent(ingress_findings_t *list, const ingress_source_t *source)
{
    char  text[1024];

    (void) snprintf(text, sizeof(text), "the API server has no such resource "
                    "in %s%sv1; a server of Kubernetes 1.21 or newer has it, "
                    "is \"server:\" the address of one? (%s)",
                    source->resource->group,
                    source->resource->group[0] ? "/" : "",
                    ingress_watch_error(source->watch));

    (void) ingress_report_add(list, INGRESS_ERROR, "NoResource", source, text);
}


/* A server that is away is one finding, whatever it does not answer. */

static void
ingress_report_silent(ingress_cluster_t *c, ingress_findings_t *list)
{
    char                       names[INGRESS_CLUSTER_LIST], since[64];
    char                       text[1024];
    size_t                     len;
    uint64_t                   at, first;
    const char                *error;
    ingress_source_t          *source;
    const ingress_resource_t  *last;

    len = 0;
    last = NULL;
    first = 0;
    error = NULL;

    for (source = c->sources; source; source = source->next) {

        if (!source->wanted || !ingress_source_silent(source, &at)) {
            continue;
        }

        at -= INGRESS_CLUSTER_QUIET;

        if (error == NULL || at < first) {
            first = at;
            error = ingress_watch_error(source->watch);
        }

        if (source->resource != last && len + 32 < sizeof(names)) {
            last = source->resource;
            len += snprintf(names + len, sizeof(names) - len, "%s%s",
                            len ? ", " : "", last->resource);
        }
    }

    if (error == NULL) {
        return;
    }

    ingress_report_since(c, first, since);

    (void) snprintf(text, sizeof(text), "there is no answer about %s%s; %s "
                    "(%s)", names, since,
                    c->complete ? "what was read before stays in force"
                                : "nothing is read yet, the last table stays "
                                  "in force",
                    error);

    (void) ingress_report_add(list,
                              c->complete ? INGRESS_WARNING : INGRESS_ERROR,
                              "ApiUnreachable", NULL, text);
}


static void
ingress_report_since(ingress_cluster_t *c, uint64_t since, char buf[64])
{
    time_t     t;
    struct tm  tm;

    buf[0] = '\0';

    if (c->epoch == 0) {
        return;
    }

    t = (time_t) ((since + c->epoch) / 1000);

    if (gmtime_r(&t, &tm) != NULL) {
        (void) strftime(buf, 64, " since %Y-%m-%dT%H:%M:%SZ", &tm);
    }
}


static void
ingress_report_wants(ingress_cluster_t *c, ingress_findings_t *list)
{
    char                   text[1024], more[32];
    const ingress_want_t  *want;

    want = ingress_report_first(c, 1);

    if (want != NULL) {
        (void) snprintf(text, sizeof(text), "%s may not be read; add to the "
                        "Role in namespace \"%.*s\" of the gateway's service "
                        "account: {apiGroups: [\"\"], resources: [\"%s\"], "
                        "verbs: [\"get\", \"list\", \"watch\"]}",
                        ingress_report_more(c->nforbidden, more),
                        torii_str_arg(want->namespace),
                        want->kind == INGRESS_KIND_SECRET ? "secrets"
                                                          : "configmaps");
        (void) ingress_report_want(list, "Forbidden", want, text);
    }

    want = ingress_report_first(c, 0);

    if (want != NULL) {
        (void) snprintf(text, sizeof(text), "%s cannot be read: %s %u; what "
                        "was read before stays in force, and it is asked for "
                        "again", ingress_report_more(c->nfailing, more),
                        want->status == 200 ? "the object is unusable, status"
                                            : "the API server answers",
                        (unsigned) want->status);
        (void) ingress_report_want(list, "NotRead", want, text);
    }

    if (c->nunwatched) {
        (void) snprintf(text, sizeof(text), "%u objects of those that are "
                        "named are not watched, which is for %d of them; they "
                        "are asked for each 60 seconds",
                        (unsigned) c->nunwatched, INGRESS_CLUSTER_NAMED);
        (void) ingress_report_add(list, INGRESS_WARNING, "Polling", NULL,
                                  text);
    }
}


static ingress_finding_t *
ingress_report_want(ingress_findings_t *list, const char *reason,
    const ingress_want_t *want, const char *text)
{
    ingress_finding_t  *f;

    f = ingress_report_add(list, INGRESS_WARNING, reason, NULL, text);

    f->kind = torii_str(ingress_kind_name(want->kind));
    f->namespace = torii_arena_str(list->arena, want->namespace);
    f->name = torii_arena_str(list->arena, want->name);

    return f;
}


/* The first by name, so that the same state gives the same text. */

static const ingress_want_t *
ingress_report_first(ingress_cluster_t *c, int forbidden)
{
    int                    rc;
    uint32_t               i;
    ingress_link_t        *link;
    const ingress_want_t  *want, *first;

    first = NULL;

    if ((forbidden ? c->nforbidden : c->nfailing) == 0) {
        return NULL;
    }

    for (i = 0; i < c->wants.size; i++) {
        for (link = c->wants.buckets[i]; link; link = link->next) {
            want = (ingress_want_t *) link;

            if (!(forbidden ? want->forbidden : want->failing)) {
                continue;
            }

            rc = -1;

            if (first != NULL) {
                rc = torii_str_cmp(want->namespace, first->namespace);
                rc = rc ? rc : torii_str_cmp(want->name, first->name);
            }

            if (rc < 0) {
                first = want;
            }
        }
    }

    return first;
}


static const char *
ingress_report_more(uint32_t n, char buf[32])
{
    if (n == 1) {
        return "it";
    }

    (void) snprintf(buf, 32, "it and %u more", (unsigned) n - 1);

    return buf;
}
