
/*
 * What a request is answered, decided in the order in which the workers do it:
 * redirects of the host, the missing slash, refusals, redirects of the route,
 * the redirect to https, and at last the backend.
 */

#include <stdarg.h>
#include <stdio.h>

#include "torii_explain.h"


#define TORII_ANSWER_URI  65536


static int torii_answer_set(torii_explain_t *e, unsigned status,
    const char *why, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static int torii_answer_host(torii_explain_t *e);
static int torii_answer_slash(torii_explain_t *e);
static int torii_answer_refused(torii_explain_t *e);
static int torii_answer_redirect(torii_explain_t *e);
static int torii_answer_rewrite(torii_explain_t *e);
static int torii_answer_https(torii_explain_t *e);
static int torii_answer_backend(torii_explain_t *e);
static const char *torii_answer_missing(torii_explain_t *e);
static torii_str_t torii_answer_cut(torii_str_t s);
static torii_str_t torii_answer_escape(torii_explain_t *e, torii_str_t s);


/* Each returns 1 when it has answered. */

static int  (*const torii_answers[])(torii_explain_t *e) = {
    torii_answer_host,
    torii_answer_slash,
    torii_answer_refused,
    torii_answer_redirect,
    torii_answer_rewrite,
    torii_answer_https,
    torii_answer_backend
};


void
torii_answer(torii_explain_t *e)
{
    size_t                        i;
    uint32_t                      backend;
    const ingress_table_t        *t;
    const ingress_table_route_t  *route;

    t = e->table;
    route = e->match.route;

    e->policy = &t->policies[route ? route->policy : 0];

    backend = route ? route->backend : INGRESS_NONE;

    if (backend == INGRESS_NONE
        && (route == NULL || (route->flags & INGRESS_ROUTE_AUTO)))
    {
        backend = t->header->default_backend;
    }

    e->backend = backend == INGRESS_NONE ? NULL : &t->backends[backend];

    for (i = 0; i < sizeof(torii_answers) / sizeof(torii_answers[0]); i++) {
        if (torii_answers[i](e)) {
            return;
        }
    }
}


static int
torii_answer_set(torii_explain_t *e, unsigned status, const char *why,
    const char *fmt, ...)
{
    char     text[4096];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    e->status = status;
    e->why = why;
    e->answer = torii_arena_str(e->arena, torii_str(text));

    return 1;
}


static const char *
torii_answer_scheme(torii_explain_t *e)
{
    return e->request.https ? "https" : "http";
}


static int
torii_answer_host(torii_explain_t *e)
{
    torii_str_t                  target;
    const ingress_table_host_t  *host;

    host = e->match.host;

    if (host->www_target.len) {
        target = ingress_table_str(e->table, host->www_target);

        return torii_answer_set(e, e->table->header->global.redirect_code,
                                "from-to-www-redirect", "%s://%.*s:%d%.*s",
                                torii_answer_scheme(e), torii_str_arg(target),
                                e->request.https ? 443 : 80,
                                torii_str_arg(
                                       torii_answer_cut(e->request.target)));
    }

    if (host->app_root.len && e->request.uri.len == 1) {
        target = ingress_table_str(e->table, host->app_root);

        return torii_answer_set(e, 302, "app-root", "%s://%.*s%.*s",
                                torii_answer_scheme(e),
                                torii_str_arg(e->request.host),
                                torii_str_arg(target));
    }

    return 0;
}


static int
torii_answer_slash(torii_explain_t *e)
{
    torii_str_t       uri;
    torii_request_t  *r;

    if (!e->match.slash) {
        return 0;
    }

    r = &e->request;
    uri = torii_answer_escape(e, r->uri);

    return torii_answer_set(e, 301, "the path of the rule ends in a slash",
                            "%s://%.*s%.*s/%s%.*s", torii_answer_scheme(e),
                            torii_str_arg(r->host), torii_str_arg(uri),
                            r->args.len ? "?" : "", torii_str_arg(r->args));
}


static int
torii_answer_refused(torii_explain_t *e)
{
    uint32_t     deny;
    const char  *why;

    if (e->match.failed) {
        return torii_answer_set(e, 503, NULL, "a regular expression of this "
                                "host hits its limit on the request");
    }

    deny = e->policy->deny;

    if (deny == 0) {
        return 0;
    }

    if (deny & INGRESS_DENY_ANNOTATION) {
        why = "a security setting of the Ingress is invalid";

    } else if (deny & INGRESS_DENY_UNSUPPORTED) {
        why = "the Ingress asks for protection that this version does not "
              "provide";

    } else {
        why = "an object that an annotation names is missing or unusable";
    }

    return torii_answer_set(e, 503, "\"torii check\" tells more", "denied: %s",
                            why);
}


static int
torii_answer_redirect(torii_explain_t *e)
{
    torii_str_t  target;

    if (e->policy->redirect_code == 0) {
        return 0;
    }

    target = ingress_table_str(e->table, e->policy->redirect);

    return torii_answer_set(e, e->policy->redirect_code,
                            "permanent-redirect or temporal-redirect",
                            "%.*s", torii_str_arg(target));
}


static int
torii_answer_rewrite(torii_explain_t *e)
{
    int               rc;
    torii_str_t       out;
    unsigned char    *buf;
    torii_request_t  *r;

    r = &e->request;

    if (e->match.route == NULL) {
        return 0;
    }

    buf = torii_arena_alloc(e->arena, TORII_ANSWER_URI);

    rc = ingress_route_rewrite(e->table, e->regexes, &e->match, r->uri, buf,
                               TORII_ANSWER_URI, &out);

    if (rc == TORII_DECLINED) {
        return 0;
    }

    if (rc != TORII_OK || out.len == 0) {
        return torii_answer_set(e, 503, NULL, "rewrite-target cannot be "
                                "applied to the path");
    }

    if (torii_str_starts(out, "http://") || torii_str_starts(out, "https://")) {
        out = torii_answer_escape(e, out);

        return torii_answer_set(e, 302, "rewrite-target", "%.*s%s%.*s",
                                torii_str_arg(out), r->args.len ? "?" : "",
                                torii_str_arg(r->args));
    }

    e->rewritten = out;

    return 0;
}


static int
torii_answer_https(torii_explain_t *e)
{
    torii_str_t              target;
    const ingress_policy_t  *p;

    p = e->policy;

    if (e->request.https || p->no_tls_redirect
        || (!p->force_ssl_redirect
            && !(p->ssl_redirect
                 && (e->match.host->flags & INGRESS_HOST_TLS))))
    {
        return 0;
    }

    target = e->request.target;

    if (!p->preserve_trailing_slash) {
        target = torii_answer_cut(target);
    }

    return torii_answer_set(e, e->table->header->global.redirect_code,
                            p->force_ssl_redirect ? "force-ssl-redirect"
                                                  : "ssl-redirect",
                            "https://%.*s%s%.*s",
                            torii_str_arg(e->request.host),
                            p->use_port_in_redirects ? ":443" : "",
                            torii_str_arg(target));
}


static int
torii_answer_backend(torii_explain_t *e)
{
    torii_str_t                     name;
    const ingress_table_route_t    *route;
    const ingress_table_backend_t  *b;

    b = e->backend;
    route = e->match.route;

    if (b && b->n) {
        name = ingress_table_str(e->table, b->name);

        return torii_answer_set(e, 0, route && route->backend != INGRESS_NONE
                                ? NULL : "the default backend",
                                "from %.*s", torii_str_arg(name));
    }

    if (b && b->type == INGRESS_BACKEND_EXTERNALNAME && e->offline) {
        name = ingress_table_str(e->table, b->external);

        return torii_answer_set(e, 0, "if the gateway can resolve that name",
                                "from %.*s", torii_str_arg(name));
    }

    if (route == NULL || (route->flags & INGRESS_ROUTE_AUTO)) {
        return torii_answer_set(e, 404, "by the default backend",
                                "no route: no rule covers this %s",
                                torii_answer_missing(e));
    }

    if (b == NULL) {
        return torii_answer_set(e, 503, NULL, "the Service does not exist, or "
                                "has no such port");
    }

    if (b->type == INGRESS_BACKEND_EXTERNALNAME) {
        return torii_answer_set(e, 503, NULL, "the external name of the "
                                "Service is not resolved");
    }

    return torii_answer_set(e, 503, NULL, "the Service has no ready endpoint, "
                            "or does not exist");
}


static const char *
torii_answer_missing(torii_explain_t *e)
{
    const ingress_table_t  *t;

    t = e->table;

    return e->match.host == &t->hosts[t->header->default_host] ? "host"
                                                               : "path";
}


static torii_str_t
torii_answer_cut(torii_str_t s)
{
    if (s.len && s.data[s.len - 1] == '/') {
        s.len--;
    }

    return s;
}


/* A decoded path as nginx writes it into a Location header. */

static torii_str_t
torii_answer_escape(torii_explain_t *e, torii_str_t s)
{
    size_t         i;
    torii_str_t    out;
    unsigned char  c, *p;

    static const char  hex[] = "0123456789ABCDEF";

    p = torii_arena_alloc(e->arena, 3 * s.len + 1);
    out.data = p;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (c > ' ' && c < 0x7f && strchr("\"#%<>?\\^`{|}", c) == NULL) {
            *p++ = c;
            continue;
        }

        *p++ = '%';
        *p++ = hex[c >> 4];
        *p++ = hex[c & 0xf];
    }

    out.len = p - out.data;

    return out;
}
