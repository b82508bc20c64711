
/*
 * The facts of "torii explain", each told once: a line "  name   text" for
 * people, a member "name":"text" for programs.
 */

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "torii_explain.h"


#define TORII_REPORT_ENDPOINTS  8        /* for people; programs get all */


static void torii_report_request(torii_explain_t *e);
static void torii_report_host(torii_explain_t *e);
static void torii_report_unserved(torii_explain_t *e);
static int torii_report_is_unserved(torii_explain_t *e,
    const ingress_finding_t *f);
static void torii_report_path(torii_explain_t *e);
static void torii_report_route(torii_explain_t *e);
static void torii_report_backend(torii_explain_t *e);
static void torii_report_endpoints(torii_explain_t *e);
static void torii_report_cert(torii_explain_t *e, const char *name,
    uint32_t index);
static void torii_report_policy(torii_explain_t *e);
static void torii_report_access(torii_explain_t *e);
static void torii_report_networks(torii_explain_t *e, const char *name,
    ingress_ref_t ref);
static const char *torii_report_host_how(torii_explain_t *e);
static void torii_report_ref(torii_explain_t *e, const char *name,
    ingress_ref_t ref);
static void torii_report_member(torii_explain_t *e, const char *name,
    const char *suffix, torii_str_t value);
static void torii_report_address(const uint8_t addr[16], char text[64]);
static void torii_report_size(uint64_t bytes, char text[32]);


static const char *const  torii_report_types[] = {
    "ImplementationSpecific", "Exact", "Prefix"
};

/* Why an Ingress is not served at all. */

static const char *const  torii_report_reasons[] = {
    "ClassUnknown", "ClassMissing", "ClassForeign", "NamespaceNotServed", NULL
};

static const char *const  torii_report_protocols[] = {
    "HTTP", "HTTPS", "AUTO_HTTP", "GRPC", "GRPCS", "FCGI"
};


void
torii_report(torii_explain_t *e)
{
    torii_buf_adds(&e->json, "{");

    torii_report_request(e);
    torii_report_host(e);
    torii_report_unserved(e);
    torii_report_path(e);
    torii_report_route(e);
    torii_report_backend(e);

    if (e->match.host->flags & INGRESS_HOST_TLS) {
        torii_report_cert(e, "certificate", e->match.host->cert);

        if (e->match.host->cert2 != INGRESS_NONE) {
            torii_report_cert(e, "certificate 2", e->match.host->cert2);
        }
    }

    if (e->match.route && e->status != 404) {
        torii_report_policy(e);
        torii_report_access(e);
        torii_report_login(e);
    }

    torii_buf_adds(&e->json, "\n}\n");
}


static void
torii_report_request(torii_explain_t *e)
{
    if (e->status) {
        torii_buf_printf(&e->json, "\n \"status\":%u", e->status);

    } else {
        torii_buf_adds(&e->json, "\n \"status\":null");
    }

    torii_report_fact(e, "request", "%s://%.*s%.*s",
                      e->request.https ? "https" : "http",
                      torii_str_arg(e->request.host),
                      torii_str_arg(e->request.target));

    if (e->status) {
        torii_buf_printf(&e->text, "%-14s%u ", "answer", e->status);

    } else {
        torii_buf_printf(&e->text, "%-14s", "answer");
    }

    torii_buf_printf(&e->text, "%.*s%s%s%s\n", torii_str_arg(e->answer),
                     e->why ? " (" : "", e->why ? e->why : "",
                     e->why ? ")" : "");

    torii_report_member(e, "answer", "", e->answer);

    if (e->why) {
        torii_report_member(e, "answer", "_how", torii_str(e->why));
    }
}


static void
torii_report_host(torii_explain_t *e)
{
    torii_report_str(e, "host",
                     ingress_table_str(e->table, e->match.host->name),
                     torii_report_host_how(e));
}


/* The lookup does not say by which name of the host it came there. */

static const char *
torii_report_host_how(torii_explain_t *e)
{
    uint32_t                     i, n, host;
    torii_str_t                  name;
    const ingress_table_t       *t;
    const ingress_table_name_t  *found;

    t = e->table;
    host = (uint32_t) (e->match.host - t->hosts);

    if (torii_str_eq(ingress_table_str(t, e->match.host->name),
                     e->request.host))
    {
        return "exact";
    }

    if (host == t->header->default_host) {
        return "the catch-all: no rule has this host";
    }

    n = ingress_table_n(t, NAMES);

    for (i = 0; i < n; i++) {
        found = &t->names[i];
        name = ingress_table_str(t, found->name);

        if (found->host != host) {
            continue;
        }

        if (torii_str_eq(name, e->request.host)) {
            return "server-alias";
        }

        if (name.len && name.data[0] == '*' && e->request.host.len >= name.len
            && memcmp(e->request.host.data + e->request.host.len
                      - (name.len - 1), name.data + 1, name.len - 1) == 0)
        {
            return "wildcard";
        }
    }

    return "server-alias by regular expression";
}


/* The first Ingress that has the host, and no part in the table. */

static void
torii_report_unserved(torii_explain_t *e)
{
    const ingress_finding_t  *f;

    if (e->source == NULL) {
        return;
    }

    for (f = e->source->findings.first; f != NULL; f = f->next) {

        if (torii_report_is_unserved(e, f)) {
            torii_report_fact(e, "unserved", "%.*s/%.*s: %.*s",
                              torii_str_arg(f->namespace),
                              torii_str_arg(f->name),
                              torii_str_arg(f->message));
            return;
        }
    }
}


static int
torii_report_is_unserved(torii_explain_t *e, const ingress_finding_t *f)
{
    uint32_t           i;
    ingress_object_t  *o;

    for (i = 0; torii_report_reasons[i] != NULL; i++) {
        if (strcmp(f->reason, torii_report_reasons[i]) == 0) {
            break;
        }
    }

    if (torii_report_reasons[i] == NULL) {
        return 0;
    }

    o = ingress_store_get(e->source->store, INGRESS_KIND_INGRESS, f->namespace,
                          f->name);

    for (i = 0; o != NULL && i < o->u.ingress.nrules; i++) {
        if (torii_str_caseeq(o->u.ingress.rules[i].host, e->request.host)) {
            return 1;
        }
    }

    return 0;
}


static void
torii_report_path(torii_explain_t *e)
{
    uint32_t                      i;
    const char                   *how;
    const ingress_table_host_t   *host;

    if (e->match.path == NULL) {
        torii_report_str(e, "path", torii_str(""), "none matches");
        return;
    }

    host = e->match.host;
    i = (uint32_t) (e->match.path - e->table->paths);

    if (e->match.slash) {
        how = "but for the slash";

    } else if (host->flags & INGRESS_HOST_REGEX) {
        how = "the first regular expression that matches";

    } else if (i >= host->exact && i < host->exact + host->nexact) {
        how = "exact";

    } else {
        how = "the longest prefix";
    }

    torii_report_str(e, "path",
                     ingress_table_str(e->table, e->match.path->text), how);
}


static void
torii_report_route(torii_explain_t *e)
{
    torii_str_t                     file, namespace, name, host, path;
    const ingress_table_route_t    *route;
    const ingress_table_ingress_t  *ing;

    route = e->match.route;

    if (route == NULL) {
        return;
    }

    host = ingress_table_str(e->table, route->host);
    path = ingress_table_str(e->table, route->path);

    if (route->flags & INGRESS_ROUTE_AUTO) {
        torii_report_str(e, "rule", torii_str(""), "none: \"/\" is there for "
                         "what no rule of the host covers");

    } else {
        name = torii_arena_printf(e->arena, "%.*s%.*s",
                                  host.len ? (int) host.len : 1,
                                  host.len ? (char *) host.data : "*",
                                  torii_str_arg(path));

        torii_report_str(e, "rule", name, torii_report_types[route->type]);
    }

    if (route->ingress == INGRESS_NONE) {
        return;
    }

    ing = &e->table->ingresses[route->ingress];

    namespace = ingress_table_str(e->table, ing->namespace);
    name = ingress_table_str(e->table, ing->name);
    file = ingress_table_str(e->table, ing->file);

    torii_report_fact(e, "ingress", "%.*s/%.*s", torii_str_arg(namespace),
                      torii_str_arg(name));

    if (file.len && route->line) {
        torii_report_fact(e, "file", "%.*s:%u", torii_str_arg(file),
                          route->line);

    } else if (file.len) {
        torii_report_fact(e, "file", "%.*s", torii_str_arg(file));
    }
}


static void
torii_report_backend(torii_explain_t *e)
{
    torii_str_t                   service, port;
    const ingress_table_route_t  *route;

    route = e->match.route;

    if (route && route->service.len) {
        service = ingress_table_str(e->table, route->service);
        port = ingress_table_str(e->table, route->port);

        torii_report_fact(e, "service", "%.*s:%.*s", torii_str_arg(service),
                          torii_str_arg(port));
    }

    if (e->backend) {
        torii_report_ref(e, "external", e->backend->external);
        torii_report_endpoints(e);
    }
}


static void
torii_report_endpoints(torii_explain_t *e)
{
    char                             text[64];
    uint32_t                         i, n;
    torii_buf_t                      list;
    const ingress_table_endpoint_t  *endpoint;

    n = e->backend->n;
    endpoint = e->table->endpoints + e->backend->first;

    memset(&list, 0, sizeof(list));
    torii_buf_adds(&e->json, ",\n \"endpoints\":[");

    for (i = 0; i < n; i++) {
        torii_report_address(endpoint[i].addr, text);

        torii_buf_printf(&e->json, "%s\"%s:%u\"", i ? "," : "", text,
                         endpoint[i].port);

        if (i < TORII_REPORT_ENDPOINTS) {
            torii_buf_printf(&list, "%s%s:%u%s", i ? ", " : "", text,
                             endpoint[i].port,
                             endpoint[i].flags & INGRESS_ENDPOINT_DRAINING
                             ? " (terminating)" : "");
        }
    }

    if (n > TORII_REPORT_ENDPOINTS) {
        torii_buf_printf(&list, " and %u more", n - TORII_REPORT_ENDPOINTS);
    }

    torii_buf_adds(&e->json, "]");
    torii_buf_printf(&e->text, "%-14s%.*s\n", "endpoints",
                     n ? (int) list.len : 4,
                     n ? (char *) list.data : "none");

    torii_buf_free(&list);
}


static void
torii_report_cert(torii_explain_t *e, const char *name, uint32_t index)
{
    char                         until[32];
    time_t                       t;
    struct tm                    tm;
    torii_str_t                  namespace, secret;
    const ingress_table_cert_t  *cert;

    if (index == INGRESS_NONE) {
        index = e->table->header->default_cert;
    }

    if (index == INGRESS_NONE) {
        torii_report_fact(e, name, "the default one, self-signed");
        return;
    }

    cert = &e->table->certs[index];

    namespace = ingress_table_str(e->table, cert->namespace);
    secret = ingress_table_str(e->table, cert->secret);

    t = (time_t) cert->not_after;

    if (gmtime_r(&t, &tm) == NULL
        || strftime(until, sizeof(until), "%Y-%m-%d", &tm) == 0)
    {
        until[0] = '\0';
    }

    torii_report_fact(e, name, "%.*s/%.*s, valid until %s%s",
                      torii_str_arg(namespace), torii_str_arg(secret), until,
                      index == e->table->header->default_cert
                      ? " (the default one)" : "");
}


static void
torii_report_policy(torii_explain_t *e)
{
    char                     size[32];
    const ingress_policy_t  *p;

    p = e->policy;

    if (e->rewritten.len) {
        torii_report_fact(e, "rewritten to", "%.*s",
                          torii_str_arg(e->rewritten));
    }

    torii_report_fact(e, "protocol", "%s%s",
                      torii_report_protocols[p->protocol],
                      p->ssl_verify ? ", certificate verified" : "");

    torii_report_size(p->body_size, size);

    torii_report_fact(e, "body size", "%s%s", p->body_size ? "at most " : "",
                      size);

    torii_report_fact(e, "timeouts", "connect %us, read %us, send %us",
                      p->connect_timeout / 1000, p->read_timeout / 1000,
                      p->send_timeout / 1000);

    torii_report_fact(e, "buffering", "requests %s, responses %s",
                      p->request_buffering ? "on" : "off",
                      p->buffering ? "on" : "off");

    torii_report_fact(e, "https", "%s",
                      p->force_ssl_redirect ? "forced"
                      : p->no_tls_redirect || !p->ssl_redirect
                        ? "not asked for"
                      : e->match.host->flags & INGRESS_HOST_TLS
                        ? "http is redirected"
                        : "not asked for: the host has no certificate");

    torii_report_ref(e, "upstream host", p->upstream_vhost);
}


static void
torii_report_access(torii_explain_t *e)
{
    const ingress_policy_t  *p;

    p = e->policy;

    torii_report_networks(e, "allow", p->allow);
    torii_report_networks(e, "deny", p->deny_list);

    if (p->cors) {
        torii_report_fact(e, "cors", "%s%s",
                          p->cors_any_origin ? "any origin"
                                             : "certain origins",
                          p->cors_credentials ? ", with credentials" : "");
    }
}


static void
torii_report_networks(torii_explain_t *e, const char *name, ingress_ref_t ref)
{
    int                       v4;
    char                      text[64];
    uint32_t                  i, n;
    torii_buf_t               list;
    torii_str_t               value;
    const ingress_network_t  *net;

    value = ingress_table_str(e->table, ref);
    n = value.len / sizeof(ingress_network_t);
    net = (const ingress_network_t *) value.data;

    if (n == 0) {
        return;
    }

    memset(&list, 0, sizeof(list));

    for (i = 0; i < n; i++) {
        torii_report_address(net[i].addr, text);

        v4 = (text[0] != '[');

        if (v4 && net[i].bits >= 96) {
            torii_buf_printf(&list, "%s%s/%u", i ? ", " : "", text,
                             net[i].bits - 96);

        } else {
            torii_buf_printf(&list, "%s%.*s/%u", i ? ", " : "",
                             v4 ? (int) strlen(text) : (int) strlen(text) - 2,
                             v4 ? text : text + 1, net[i].bits);
        }
    }

    value.data = list.data;
    value.len = list.len;

    torii_report_str(e, name, value, NULL);
    torii_buf_free(&list);
}


static void
torii_report_ref(torii_explain_t *e, const char *name, ingress_ref_t ref)
{
    if (ref.len) {
        torii_report_str(e, name, ingress_table_str(e->table, ref), NULL);
    }
}


void
torii_report_fact(torii_explain_t *e, const char *name, const char *fmt, ...)
{
    char     text[4096];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    torii_report_str(e, name, torii_str(text), NULL);
}


void
torii_report_str(torii_explain_t *e, const char *name, torii_str_t value,
    const char *note)
{
    torii_buf_printf(&e->text, "%-14s%.*s", name, torii_str_arg(value));
    torii_report_member(e, name, "", value);

    if (note) {
        torii_buf_printf(&e->text, value.len ? " (%s)" : "%s", note);
        torii_report_member(e, name, "_how", torii_str(note));
    }

    torii_buf_adds(&e->text, "\n");
}


/* A blank in a name is "_" for programs. */

static void
torii_report_member(torii_explain_t *e, const char *name, const char *suffix,
    torii_str_t value)
{
    const char  *p;

    torii_buf_adds(&e->json, ",\n \"");

    for (p = name; *p; p++) {
        torii_buf_add(&e->json, *p == ' ' ? "_" : p, 1);
    }

    torii_buf_printf(&e->json, "%s\":", suffix);
    torii_buf_add_json(&e->json, value);
}


static void
torii_report_address(const uint8_t addr[16], char text[64])
{
    static const uint8_t  mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
                                         0xff };

    if (memcmp(addr, mapped, 12) == 0) {
        (void) inet_ntop(AF_INET, addr + 12, text, 64);
        return;
    }

    text[0] = '[';
    (void) inet_ntop(AF_INET6, addr, text + 1, 60);
    (void) strcat(text, "]");
}


static void
torii_report_size(uint64_t bytes, char text[32])
{
    uint32_t  i;

    static const char  units[] = " kmg";

    if (bytes == 0) {
        (void) snprintf(text, 32, "unlimited");
        return;
    }

    for (i = 0; i < 3 && bytes % 1024 == 0; i++) {
        bytes /= 1024;
    }

    (void) snprintf(text, 32, "%llu%.*s", (unsigned long long) bytes,
                    i ? 1 : 0, units + i);
}
