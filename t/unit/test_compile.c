
/*
 * Compile: which backend answers a request, for sets of Ingresses; and what is
 * found wrong with them.
 */

#include "tap.h"
#include "cert_make.h"
#include "world_make.h"


#define TEST_CASES  24

typedef struct {
    const char  *host;
    const char  *uri;

    /* "service:port" of the route, "auto" (nobody's "/"), "404", "slash" */
    const char  *answer;
} test_request_t;

typedef struct {
    const char      *name;
    const char      *objects;
    const char      *finding;       /* a reason, "-" none at all, or NULL */
    test_request_t   requests[TEST_CASES];
} test_case_t;


static const test_case_t  test_cases[] = {

    { "prefix and exact",
      "ingress d/i 1\n"
      "rule a.example Prefix /foo p:80\n"
      "rule a.example Exact /foo e:80\n"
      "rule a.example Prefix /foo/bar b:80\n"
      "rule a.example Impl /impl i:80\n"
      "rule a.example Exact /only o:80\n",
      NULL,
      { { "a.example", "/foo", "e:80" },
        { "a.example", "/foo/", "p:80" },
        { "a.example", "/foo/x", "p:80" },
        { "a.example", "/foobar", "auto" },
        { "a.example", "/foo/bar", "b:80" },
        { "a.example", "/foo/bar/", "b:80" },
        { "a.example", "/foo/barz", "p:80" },
        { "a.example", "/impl", "i:80" },
        { "a.example", "/impl/x", "i:80" },
        { "a.example", "/only", "o:80" },
        { "a.example", "/only/", "auto" },
        { "a.example", "/Foo", "auto" },
        { "a.example", "/", "auto" },
        { "b.example", "/foo", "auto" } } },

    { "trailing slash",
      "ingress d/i 1\n"
      "rule a.example Prefix /dir/ d:80\n"
      "rule a.example Exact /file/ f:80\n"
      "rule a.example Prefix / r:80\n"
      "rule a.example Prefix /both/ b:80\n"
      "rule a.example Exact /both e:80\n",
      NULL,
      { { "a.example", "/dir", "slash" },
        { "a.example", "/dir/", "d:80" },
        { "a.example", "/dir/x", "d:80" },
        { "a.example", "/file", "slash" },
        { "a.example", "/file/", "f:80" },
        { "a.example", "/file/x", "r:80" },
        { "a.example", "/both", "e:80" },
        { "a.example", "/both/", "b:80" },
        { "a.example", "/x", "r:80" } } },

    { "nested prefixes and bytes between them",
      "ingress d/i 1\n"
      "rule a.example Prefix /a a:1\n"
      "rule a.example Prefix /a/b ab:1\n"
      "rule a.example Prefix /a/b/c abc:1\n"
      "rule a.example Prefix /a! bang:1\n"
      "rule a.example Prefix /a0 zero:1\n",
      NULL,
      { { "a.example", "/a/b/c/d", "abc:1" },
        { "a.example", "/a/b/d", "ab:1" },
        { "a.example", "/a/c", "a:1" },
        { "a.example", "/a!/x", "bang:1" },
        { "a.example", "/a0", "zero:1" },
        { "a.example", "/a1", "auto" } } },

    { "oldest wins",
      "ingress d/new 200\n"
      "rule a.example Prefix /x new:80\n"
      "ingress d/old 100\n"
      "rule a.example Prefix /x old:80\n",
      "PathConflict",
      { { "a.example", "/x", "old:80" },
        { "a.example", "/x/y", "old:80" } } },

    { "of the same age: the end of the alphabet wins",
      "ingress d/aaa 100\n"
      "rule a.example Prefix /x aaa:80\n"
      "ingress d/zzz 100\n"
      "rule a.example Prefix /x zzz:80\n"
      "ingress e/aaa 100\n"
      "rule a.example Prefix /x eaaa:80\n",
      "PathConflict",
      { { "a.example", "/x", "eaaa:80" } } },

    { "types are no conflict",
      "ingress d/one 1\n"
      "rule a.example Prefix /x p:80\n"
      "ingress d/two 2\n"
      "rule a.example Exact /x e:80\n",
      NULL,
      { { "a.example", "/x", "e:80" },
        { "a.example", "/x/", "p:80" } } },

    { "twice in one Ingress",
      "ingress d/one 1\n"
      "rule a.example Prefix /x one:80\n"
      "rule a.example Prefix /x two:80\n",
      "PathConflict",
      { { "a.example", "/x", "one:80" } } },

    { "/x and /x/ of two Ingresses",
      "ingress d/one 1\n"
      "rule a.example Prefix /x/ one:80\n"
      "ingress d/two 2\n"
      "rule a.example Prefix /x two:80\n",
      "PathConflict",
      { { "a.example", "/x", "two:80" },
        { "a.example", "/x/", "one:80" },
        { "a.example", "/x/y", "one:80" } } },

    { "hosts",
      "ingress d/i 1\n"
      "rule *.w.example Prefix / wild:80\n"
      "rule one.w.example Prefix /x one:80\n"
      "rule - Prefix /all all:80\n",
      NULL,
      { { "x.w.example", "/", "wild:80" },
        { "one.w.example", "/x", "one:80" },
        { "one.w.example", "/y", "auto" },
        { "w.example", "/all", "all:80" },
        { "x.y.w.example", "/all/x", "all:80" },
        { "x.y.w.example", "/", "auto" },
        { "", "/all", "all:80" },
        { "one.w.example", "/all", "auto" } } },

    { "default backend of the rules' hosts",
      "ingress d/i 1\n"
      "default def:80\n"
      "rule a.example Prefix /x x:80\n"
      "rule b.example - -\n"
      "ingress d/late 2\n"
      "default late:80\n"
      "rule a.example Prefix /y y:80\n",
      NULL,
      { { "a.example", "/z", "def:80" },
        { "a.example", "/y", "y:80" },
        { "b.example", "/", "def:80" },
        { "c.example", "/", "auto" } } },

    { "default backend alone",
      "ingress d/i 2\n"
      "default late:80\n"
      "ingress d/first 1\n"
      "note rewrite-target /other\n"
      "note permanent-redirect https://x.example/\n"
      "default first:http\n"
      "ingress d/rules 0\n"
      "default rules:80\n"
      "rule a.example Prefix /x x:80\n",
      NULL,
      { { "c.example", "/", "first:http" },
        { "", "/foo", "first:http" },
        { "a.example", "/", "rules:80" } } },

    { "rule for every host with a default backend",
      "ingress d/i 2\n"
      "default def:80\n"
      "rule - Prefix /x x:80\n",
      NULL,
      { { "c.example", "/", "def:80" },
        { "c.example", "/x", "x:80" } } },

    { "resource backend",
      "ingress d/i 2\n"
      "rule a.example Prefix /x/y resource\n"
      "rule a.example Prefix /x x:80\n",
      "ResourceBackend",
      { { "a.example", "/x/y", "x:80" } } },

    { "use-regex",
      "ingress d/i 1\n"
      "note use-regex true\n"
      "rule a.example Impl /foo/bar/[a-z]{3} regex:80\n"
      "rule a.example Impl /foo/bar/bar literal:80\n"
      "rule a.example Impl /id/[0-9]{3}$ three:80\n"
      "rule a.example Impl /id/[0-9]+ digits:80\n"
      "ingress d/plain 2\n"
      "rule a.example Prefix /plain plain:80\n"
      "rule a.example Exact /exact exact:80\n",
      NULL,
      { { "a.example", "/foo/bar/bar", "regex:80" },
        { "a.example", "/FOO/bar/abc", "regex:80" },
        { "a.example", "/id/123", "three:80" },
        { "a.example", "/id/1234", "digits:80" },
        { "a.example", "/id/1a", "digits:80" },
        { "a.example", "/id/aaa", "auto" },
        { "a.example", "/plainer", "plain:80" },
        { "a.example", "/PLAIN/x", "plain:80" },
        { "a.example", "/exactly", "exact:80" },
        { "a.example", "/x/exact", "auto" } } },

    { "regexes of one text",
      "ingress d/i 1\n"
      "note use-regex true\n"
      "rule a.example Exact / root:80\n"
      "rule a.example Prefix /b+ one:80\n"
      "ingress d/late 2\n"
      "rule a.example Prefix /b+ late:80\n"
      "rule a.example Exact /b+ exact:80\n"
      "rule a.example Prefix /aa aa:80\n"
      "rule a.example Exact /aa aae:80\n"
      "rule a.example Prefix /ab ab:80\n",
      "PathConflict",
      { { "a.example", "/bbb", "one:80" },
        { "a.example", "/aa/", "aa:80" },
        { "a.example", "/aa", "aae:80" },
        { "a.example", "/aaa", "aae:80" },
        { "a.example", "/ab", "ab:80" },
        { "a.example", "/zzz", "root:80" } } },

    { "rewrite-target makes regexes",
      "ingress d/i 1\n"
      "note rewrite-target /$1\n"
      "rule a.example Impl /foo/(.*) foo:80\n"
      "ingress d/late 2\n"
      "rule a.example Prefix /bar bar:80\n",
      NULL,
      { { "a.example", "/foo/x", "foo:80" },
        { "a.example", "/FOO/x", "foo:80" },
        { "a.example", "/bars", "bar:80" },
        { "a.example", "/foo", "auto" } } },

    { "rewrite-target that is the path does not",
      "ingress d/i 1\n"
      "note rewrite-target /\n"
      "rule a.example Prefix / root:80\n"
      "ingress d/late 2\n"
      "rule a.example Prefix /bar bar:80\n",
      NULL,
      { { "a.example", "/bar/x", "bar:80" },
        { "a.example", "/bars", "root:80" },
        { "a.example", "/Bar", "root:80" } } },

    { "the auto / counts for regexes",
      "ingress d/i 1\n"
      "note rewrite-target /foo\n"
      "rule a.example Exact /foo foo:80\n",
      NULL,
      { { "a.example", "/FOObar", "foo:80" } } },

    { "a bad regex costs its path",
      "ingress d/i 1\n"
      "note use-regex true\n"
      "rule a.example Impl /bad(x bad:80\n"
      "rule a.example Impl /good good:80\n",
      "BadRegex",
      { { "a.example", "/good", "good:80" },
        { "a.example", "/bad(x", "auto" } } },

    { "aliases",
      "ingress d/i 1\n"
      "note server-alias www.a.example,b.example,~^re[0-9]+[.]example$\n"
      "rule a.example Prefix / a:80\n"
      "ingress d/b 2\n"
      "rule b.example Prefix / b:80\n",
      "AliasConflict",
      { { "www.a.example", "/", "a:80" },
        { "b.example", "/", "b:80" },
        { "re7.example", "/", "a:80" },
        { "re.example", "/", "auto" } } },

    { "canary",
      "ingress d/i 1\n"
      "note canary true\n"
      "rule a.example Prefix / canary:80\n"
      "ingress d/main 2\n"
      "rule a.example Prefix /x main:80\n",
      NULL,
      { { "a.example", "/x", "main:80" },
        { "a.example", "/", "auto" } } },

    { "classes where all are served",
      "ingressclass other example.com/other\n"
      "ingressclass mine k8s.io/ingress-nginx\n"
      "ingress d/foreign 1\n"
      "class other\n"
      "rule a.example Prefix /f f:80\n"
      "ingress d/mine 2\n"
      "class mine\n"
      "rule a.example Prefix /m m:80\n"
      "ingress d/unknown 3\n"
      "class whatever\n"
      "rule a.example Prefix /u u:80\n"
      "ingress d/noted 4\n"
      "note kubernetes.io/ingress.class any\n"
      "rule a.example Prefix /n n:80\n",
      "ClassForeign",
      { { "a.example", "/f", "auto" },
        { "a.example", "/m", "m:80" },
        { "a.example", "/u", "u:80" },
        { "a.example", "/n", "n:80" } } },

    { "nothing at all", "", "-",
      { { "a.example", "/", "auto" },
        { "", "/x", "auto" } } },

    { NULL, NULL, NULL, { { NULL, NULL, NULL } } }
};


static const char *
test_answer(world_t *w, const char *host, const char *uri)
{
    static char       text[256];
    ingress_match_t   m;

    ingress_route_find(&w->t, w->regexes, torii_str(host), torii_str(uri), &m);

    if (m.failed) {
        return "failed";
    }

    if (m.slash) {
        return "slash";
    }

    if (m.route == NULL) {
        return "404";
    }

    if (m.route->service.len == 0) {
        return (m.route->flags & INGRESS_ROUTE_AUTO) ? "auto" : "none";
    }

    snprintf(text, sizeof(text), "%.*s:%.*s",
             torii_str_arg(world_str(w, m.route->service)),
             torii_str_arg(world_str(w, m.route->port)));

    return text;
}


static void
test_routing(void)
{
    int                    rc, found;
    world_t                w;
    const char            *answer;
    const test_case_t     *test;
    const test_request_t  *r;

    for (test = test_cases; test->name; test++) {
        world_start(&w);
        world_add(&w, test->objects);

        rc = world_compile(&w);
        tap_ok(rc == TORII_OK, "%s: the table is sound %s", test->name,
               w.error);

        if (test->finding) {
            found = strcmp(test->finding, "-") == 0
                    ? w.findings.first == NULL
                    : world_finding(&w, test->finding) != NULL;

            if (!tap_ok(found, "%s: finding %s", test->name, test->finding)) {
                world_print(&w);
            }
        }

        for (r = test->requests; rc == TORII_OK && r->host; r++) {
            answer = test_answer(&w, r->host, r->uri);
            tap_ok(strcmp(answer, r->answer) == 0, "%s: %s%s is %s (%s)",
                   test->name, r->host, r->uri, r->answer, answer);
        }

        world_end(&w);
    }
}


/* Classes as in a cluster: only what is ours. */

static void
test_classes(void)
{
    world_t      w;
    torii_str_t  names[1], controllers[1];

    static const char  objects[] =
        "ingressclass other example.com/other\n"
        "ingressclass mine k8s.io/ingress-nginx\n"
        "ingressclass inside example.com/inside\n"
        "ingress d/1 1\nclass other\nrule a.example Exact /other a:1\n"
        "ingress d/2 2\nclass mine\nrule a.example Exact /mine a:1\n"
        "ingress d/3 3\nclass unknown\nrule a.example Exact /unknown a:1\n"
        "ingress d/4 4\nrule a.example Exact /none a:1\n"
        "ingress d/5 5\nnote kubernetes.io/ingress.class nginx\n"
        "rule a.example Exact /nginx a:1\n"
        "ingress d/6 6\nnote kubernetes.io/ingress.class inside\n"
        "rule a.example Exact /inside a:1\n"
        "ingress d/7 7\nclass inside\nrule a.example Exact /class a:1\n";

    world_start(&w);
    world_add(&w, objects);

    w.options.all = 0;
    world_compile(&w);

    tap_ok(strcmp(test_answer(&w, "a.example", "/mine"), "a:1") == 0
           && strcmp(test_answer(&w, "a.example", "/nginx"), "a:1") == 0
           && strcmp(test_answer(&w, "a.example", "/other"), "auto") == 0
           && strcmp(test_answer(&w, "a.example", "/unknown"), "auto") == 0
           && strcmp(test_answer(&w, "a.example", "/none"), "auto") == 0
           && strcmp(test_answer(&w, "a.example", "/inside"), "auto") == 0
           && strcmp(test_answer(&w, "a.example", "/class"), "auto") == 0,
           "classes by the default controller and name");

    names[0] = torii_str("inside");
    w.options.classes = names;
    w.options.nclasses = 1;
    world_compile(&w);

    tap_ok(strcmp(test_answer(&w, "a.example", "/inside"), "a:1") == 0
           && strcmp(test_answer(&w, "a.example", "/class"), "a:1") == 0
           && strcmp(test_answer(&w, "a.example", "/mine"), "auto") == 0
           && strcmp(test_answer(&w, "a.example", "/nginx"), "auto") == 0,
           "classes by name alone");

    controllers[0] = torii_str("example.com/other");
    w.options.controllers = controllers;
    w.options.ncontrollers = 1;
    world_compile(&w);

    tap_ok(strcmp(test_answer(&w, "a.example", "/class"), "a:1") == 0
           && strcmp(test_answer(&w, "a.example", "/other"), "a:1") == 0
           && strcmp(test_answer(&w, "a.example", "/mine"), "auto") == 0,
           "classes by name and controller");

    w.options.all = 1;
    w.options.watch_namespace = torii_str("e");
    world_compile(&w);

    tap_ok(strcmp(test_answer(&w, "a.example", "/class"), "auto") == 0,
           "another namespace is not watched");

    world_end(&w);
}


typedef struct {
    const char  *name;
    const char  *objects;
    const char  *port;
    const char  *endpoints;      /* "addr:port addr:port", "!" draining */
    const char  *reason;
} test_backend_t;


static const test_backend_t  test_backends[] = {

    { "slices of both families, ports by name, duplicates",
      "service d/s http:80:8080 admin:81:9090\n"
      "slice d/x1 s http:8080 admin:9090 10.0.0.2 10.0.0.1 10.0.0.2\n"
      "slice d/other-name s http:8080 fd00::1\n",
      "80", "10.0.0.1:8080 10.0.0.2:8080 fd00::1:8080", NULL },

    { "named port", "service d/s http:80:8080 admin:81:9090\n"
      "slice d/x s http:8080 admin:9090 10.0.0.1\n",
      "admin", "10.0.0.1:9090", NULL },

    { "port by targetPort", "service d/s http:80:8080\n"
      "slice d/x s http:8080 10.0.0.1\n",
      "8080", "10.0.0.1:8080", NULL },

    { "port before targetPort", "service d/s a:8080:80 b:80:8080\n"
      "slice d/x s a:1 b:2 10.0.0.1\n",
      "80", "10.0.0.1:2", NULL },

    { "unnamed port", "service d/s :80\nslice d/x s :8080 10.0.0.1\n",
      "80", "10.0.0.1:8080", NULL },

    { "slice without ports", "service d/s :80:8081\nslice d/x s 10.0.0.1\n",
      "80", "10.0.0.1:8081", NULL },

    { "other name in the slice, numeric target",
      "service d/s http:80:8081\nslice d/x s web:9 10.0.0.1\n",
      "80", "10.0.0.1:8081", NULL },

    { "not ready", "service d/s :80\n"
      "slice d/x s :80 !10.0.0.1 10.0.0.2 ~10.0.0.3\n",
      "80", "10.0.0.2:80", NULL },

    { "only draining", "service d/s :80\n"
      "slice d/x s :80 !10.0.0.1 ~10.0.0.3\n",
      "80", "!10.0.0.3:80", NULL },

    { "none ready", "service d/s :80\nslice d/x s :80 !10.0.0.1\n",
      "80", "", "NoEndpoints" },

    { "no slice", "service d/s :80\n", "80", "", "NoEndpoints" },

    { "Endpoints without slices", "service d/s http:80:8080\n"
      "endpoints d/s http:8080 10.0.0.7\n",
      "80", "10.0.0.7:8080", NULL },

    { "slices before Endpoints", "service d/s http:80:8080\n"
      "endpoints d/s http:8080 10.0.0.7\n"
      "slice d/x s http:8080 10.0.0.1\n",
      "80", "10.0.0.1:8080", NULL },

    { "no Service", "slice d/x s :80 10.0.0.1\n", "80", "",
      "ServiceNotFound" },

    { "no such port", "service d/s http:80\nslice d/x s http:80 10.0.0.1\n",
      "99", "", "ServicePortNotFound" },

    { "no such port name", "service d/s http:80\n"
      "slice d/x s http:80 10.0.0.1\n", "web", "", "ServicePortNotFound" },

    { "loopback is refused", "service d/s :80\n"
      "slice d/x s :80 127.0.0.1\n", "80", "", "LocalAddress" },

    { "IPv6 loopback is refused", "service d/s :80\n"
      "slice d/x s :80 ::1\n", "80", "", "LocalAddress" },

    { "link-local is refused", "service d/s :80\n"
      "slice d/x s :80 169.254.169.254\n", "80", "", "LocalAddress" },

    { "headless", "service d/s http:80:8080\nheadless\n"
      "slice d/x s http:8080 10.0.0.1\n", "80", "10.0.0.1:8080", NULL },

    { "headless without ports", "service d/s\nheadless\n"
      "slice d/x s 10.0.0.1\n", "8080", "10.0.0.1:8080", NULL },

    { "external name not resolved", "service d/s :80\n"
      "external out.example\n", "80", "", "NameNotResolved" },

    { "external address", "service d/s :80\n"
      "external 192.0.2.1\n", "80", "192.0.2.1:80", NULL },

    { "external loopback", "service d/s :80\n"
      "external 127.0.0.1\n", "80", "", "LocalAddress" },

    { "external without ports", "service d/s\n"
      "external 192.0.2.1\n", "8443", "192.0.2.1:8443", NULL },

    { "external without ports, port by name", "service d/s\n"
      "external 192.0.2.1\n", "web", "", "ServicePortNotFound" },

    { NULL, NULL, NULL, NULL, NULL }
};


static const char *
test_endpoints(world_t *w, const ingress_table_backend_t *b)
{
    static char  text[512];
    size_t       len;
    uint32_t     i;
    const ingress_table_endpoint_t  *e;

    len = 0;
    text[0] = '\0';

    for (i = 0; i < b->n; i++) {
        e = &w->t.endpoints[b->first + i];

        if (e->addr[10] == 0xff) {
            len += snprintf(text + len, sizeof(text) - len,
                            "%s%s%u.%u.%u.%u:%u", i ? " " : "",
                            e->flags ? "!" : "", e->addr[12], e->addr[13],
                            e->addr[14], e->addr[15], e->port);
        } else {
            len += snprintf(text + len, sizeof(text) - len, "%s%s%x%02x::%x:%u",
                            i ? " " : "", e->flags ? "!" : "", e->addr[0],
                            e->addr[1], e->addr[15], e->port);
        }
    }

    return text;
}


static void
test_services(void)
{
    char                   line[128];
    world_t                w;
    const char            *text;
    const test_backend_t  *test;

    for (test = test_backends; test->name; test++) {
        world_start(&w);

        snprintf(line, sizeof(line),
                 "ingress d/i 1\nrule a.example Prefix / s:%s\n", test->port);
        world_add(&w, line);
        world_add(&w, test->objects);

        tap_ok(world_compile(&w) == TORII_OK, "%s: sound %s", test->name,
               w.error);

        text = test_endpoints(&w, &w.t.backends[0]);
        tap_ok(strcmp(text, test->endpoints) == 0, "%s: \"%s\" is \"%s\"",
               test->name, text, test->endpoints);

        if (!tap_ok(test->reason ? world_finding(&w, test->reason) != NULL
                                 : w.findings.first == NULL,
                    "%s: finding %s", test->name,
                    test->reason ? test->reason : "none"))
        {
            world_print(&w);
        }

        world_end(&w);
    }
}


static void
test_external(void)
{
    world_t        w;
    const uint8_t  addrs[3][16] = {
        { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 9 },
        { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 3 },
        { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1 }
    };

    world_start(&w);
    world_add(&w, "ingress d/i 1\nrule a.example Prefix / s:80\n"
              "service d/s :80\nexternal out.example\n");

    tap_ok(ingress_store_resolved(w.store, torii_str("Out.Example."), addrs, 3)
           == 1, "addresses are new");
    tap_ok(ingress_store_resolved(w.store, torii_str("out.example"), addrs, 3)
           == 0, "addresses are the same");

    world_compile(&w);

    tap_ok(w.t.backends[0].type == INGRESS_BACKEND_EXTERNALNAME
           && torii_str_eqs(world_str(&w, w.t.backends[0].external),
                            "out.example")
           && strcmp(test_endpoints(&w, &w.t.backends[0]),
                     "192.0.2.3:80 192.0.2.9:80") == 0,
           "external name with addresses, loopback left out");

    w.options.loopback = 1;
    world_compile(&w);

    tap_ok(w.t.backends[0].n == 3, "loopback is allowed by the option");

    tap_ok(ingress_store_resolved(w.store, torii_str("out.example"), addrs, 1)
           == 1, "addresses changed");
    world_compile(&w);

    tap_ok(strcmp(test_endpoints(&w, &w.t.backends[0]), "192.0.2.9:80") == 0,
           "new addresses are in force");

    world_end(&w);
}


static void
test_upstream(void)
{
    world_t  w;

    world_start(&w);
    world_add(&w, "ingress d/i 1\nnote service-upstream true\n"
              "rule a.example Prefix / s:http\n"
              "ingress d/j 2\nrule a.example Prefix /x s:http\n"
              "service d/s http:80:8080\nip 10.96.0.5\n"
              "slice d/x s http:8080 10.0.0.1\n");
    world_compile(&w);

    tap_ok(ingress_table_n(&w.t, BACKENDS) == 2
           && w.t.backends[0].id != w.t.backends[1].id
           && torii_str_eq(world_str(&w, w.t.backends[0].name),
                           world_str(&w, w.t.backends[1].name)),
           "service-upstream is a backend of its own");

    tap_ok(strcmp(test_endpoints(&w, &w.t.backends[0]), "10.0.0.1:8080") == 0,
           "endpoints of the one that did not ask");
    tap_ok(strcmp(test_endpoints(&w, &w.t.backends[1]), "10.96.0.5:80") == 0,
           "cluster address of the one that did");

    world_end(&w);

    world_start(&w);
    world_add(&w, "ingress a/i 1\nrule a.example Prefix / b-c:80\n"
              "ingress a-b/i 1\nrule b.example Prefix / c:80\n");
    world_compile(&w);

    tap_ok(ingress_table_n(&w.t, BACKENDS) == 2
           && w.t.backends[0].id != w.t.backends[1].id,
           "names that join to the same text are two backends");

    world_end(&w);
}


static const ingress_policy_t *
test_policy(world_t *w, const char *host, const char *uri)
{
    ingress_match_t  m;

    ingress_route_find(&w->t, w->regexes, torii_str(host), torii_str(uri), &m);

    return &w->t.policies[m.route->policy];
}


static void
test_policies(void)
{
    world_t           w;
    torii_str_t       s;
    ingress_entry_t  *entry;

    world_start(&w);
    world_add(&w,
        "config d/cm\ndata no-tls-redirect-locations /.well-known/acme\n"
        "ingress d/1 1\nnote proxy-body-size 8m\nnote cors-allow-origin "
        "https://a.example,https://*.b.example\nnote enable-cors true\n"
        "rule a.example Prefix / a:1\n"
        "ingress d/2 2\nnote proxy-body-size 8m\nnote cors-allow-origin "
        "https://a.example,https://*.b.example\nnote enable-cors true\n"
        "rule b.example Prefix / a:1\n"
        "rule b.example Prefix /.well-known/acme-challenge a:1\n"
        "ingress d/3 3\nnote fastcgi-params-configmap d/params\n"
        "rule c.example Prefix / a:1\n"
        "ingress d/4 4\nnote fastcgi-params-configmap d/missing\n"
        "rule d.example Prefix / a:1\n"
        "ingress d/5 5\nnote fastcgi-params-configmap d/bad\n"
        "rule e.example Prefix / a:1\n"
        "ingress d/6 6\nnote proxy-ssl-secret d/missing\n"
        "rule f.example Prefix / a:1\n"
        "ingress d/7 7\nnote backend-protocol HTTPS\n"
        "note proxy-ssl-verify on\nrule g.example Prefix / a:1\n"
        "ingress d/8 8\nnote proxy-ssl-secret d/missing\n"
        "rule h.example Prefix / a:1\n"
        "config d/params\ndata SCRIPT_FILENAME /srv/$path\ndata X y\n"
        "config d/bad\ndata SCRIPT_FILENAME a;b\n");

    w.options.config = torii_str("d/cm");

    tap_ok(world_compile(&w) == TORII_OK, "policies: sound %s", w.error);

    tap_ok(test_policy(&w, "a.example", "/") == test_policy(&w, "b.example",
                                                            "/"),
           "the same annotations are one record");

    tap_ok(test_policy(&w, "f.example", "/") == test_policy(&w, "h.example",
                                                            "/"),
           "so are they with references");

    tap_ok(test_policy(&w, "a.example", "/")->body_size == 8 << 20,
           "an annotation is in the record");

    s = world_str(&w, test_policy(&w, "a.example", "/")->cors_origins);
    entry = (ingress_entry_t *) s.data;

    tap_ok(s.len == 2 * sizeof(ingress_entry_t)
           && torii_str_eqs(world_str(&w, entry[0].value), "a.example")
           && torii_str_eqs(world_str(&w, entry[1].value), "b.example")
           && entry[1].wildcard,
           "lists are in the table's pool");

    tap_ok(test_policy(&w, "b.example", "/.well-known/acme-challenge/x")
           ->no_tls_redirect
           && !test_policy(&w, "b.example", "/")->no_tls_redirect,
           "no-tls-redirect-locations");

    s = world_str(&w, test_policy(&w, "c.example", "/")->fastcgi_params);
    entry = (ingress_entry_t *) s.data;

    tap_ok(s.len == 2 * sizeof(ingress_entry_t)
           && torii_str_eqs(world_str(&w, entry[0].name), "SCRIPT_FILENAME")
           && torii_str_eqs(world_str(&w, entry[0].value), "/srv/$path")
           && test_policy(&w, "c.example", "/")->deny == 0,
           "FastCGI parameters");

    tap_ok(test_policy(&w, "d.example", "/")->deny == INGRESS_DENY_REFERENCE,
           "a missing ConfigMap denies");
    tap_ok(test_policy(&w, "e.example", "/")->deny == INGRESS_DENY_REFERENCE,
           "a bad parameter denies");
    tap_ok(test_policy(&w, "f.example", "/")->deny == INGRESS_DENY_REFERENCE,
           "a missing Secret denies");
    tap_ok(test_policy(&w, "g.example", "/")->deny != 0,
           "verification without a CA denies");
    tap_ok(world_finding(&w, "BackendCertificate") != NULL
           && world_finding(&w, "FastcgiParams") != NULL, "and are found");

    world_add(&w, "config d/missing\ndata A b\n");
    world_compile(&w);

    tap_ok(test_policy(&w, "d.example", "/")->deny == 0,
           "a ConfigMap that comes later is in force");

    world_end(&w);
}


static void
test_hosts(void)
{
    world_t                      w;
    const ingress_table_host_t  *h;

    world_start(&w);
    world_add(&w,
        "ingress d/1 2\nnote ssl-ciphers ECDHE-RSA-AES128-GCM-SHA256\n"
        "note app-root /late\nnote from-to-www-redirect true\n"
        "rule a.example Prefix /long/path a:1\n"
        "ingress d/2 1\nnote app-root /early\n"
        "note ssl-ciphers ECDHE-RSA-AES256-GCM-SHA384\n"
        "rule a.example Prefix /short a:1\n"
        "ingress d/3 3\nnote from-to-www-redirect true\n"
        "rule www.b.example Prefix / b:1\n"
        "ingress d/4 3\nnote from-to-www-redirect true\n"
        "rule c.example Prefix / c:1\n"
        "ingress d/5 3\nrule www.c.example Prefix / c:1\n"
        "ingress d/6 3\nnote from-to-www-redirect true\n"
        "rule *.d.example Prefix / c:1\n");

    tap_ok(world_compile(&w) == TORII_OK, "hosts: sound %s", w.error);

    h = ingress_route_host(&w.t, w.regexes, torii_str("a.example"));

    tap_ok(torii_str_eqs(world_str(&w, h->app_root), "/late"),
           "app-root is the longest path's");
    tap_ok(torii_str_eqs(world_str(&w, h->ssl_ciphers),
                         "ECDHE-RSA-AES256-GCM-SHA384"),
           "ciphers are the oldest Ingress'");

    h = ingress_route_host(&w.t, w.regexes, torii_str("www.a.example"));
    tap_ok(torii_str_eqs(world_str(&w, h->www_target), "a.example"),
           "www sibling");

    h = ingress_route_host(&w.t, w.regexes, torii_str("b.example"));
    tap_ok(torii_str_eqs(world_str(&w, h->www_target), "www.b.example"),
           "sibling without www");

    h = ingress_route_host(&w.t, w.regexes, torii_str("www.c.example"));
    tap_ok(h->www_target.len == 0 && h->nprefix == 1,
           "no sibling where a rule has the name");

    h = ingress_route_host(&w.t, w.regexes, torii_str("x.example"));
    tap_ok(torii_str_eqs(world_str(&w, h->name), "_"), "the rest");

    world_end(&w);
}


static void
test_tls_make(world_t *w, const char *type, const char *secret,
    const char *names, int64_t from, int64_t to)
{
    char        path[64];
    cert_pem_t  c;

    cert_make(&c, NULL, type, "x", names, w->now + from, w->now + to);
    snprintf(path, sizeof(path), "d/%s", secret);
    world_secret(w, path, c.crt, c.key, c.crt);
    cert_pem_free(&c);
}


static const char *
test_tls_host(world_t *w, const char *host)
{
    static char                   text[128];
    const ingress_table_host_t   *h;

    h = ingress_route_host(&w->t, w->regexes, torii_str(host));

    if (h->cert == INGRESS_NONE) {
        return (h->flags & INGRESS_HOST_TLS) ? "default" : "none";
    }

    snprintf(text, sizeof(text), "%.*s%s%.*s",
             torii_str_arg(world_str(w, w->t.certs[h->cert].secret)),
             h->cert2 == INGRESS_NONE ? "" : "+",
             torii_str_arg(h->cert2 == INGRESS_NONE
                           ? (torii_str_t) torii_null_string
                           : world_str(w, w->t.certs[h->cert2].secret)));

    return text;
}


static void
test_tls(void)
{
    world_t                w;
    const char            *p;
    const char *const     *t;

    static const char *const  hosts[] = {
        "a.example", "sa", "b.example", "none", "c.example", "default",
        "d.example", "sd+sde", "e.example", "default", "f.example", "old",
        "x.w.example", "sw", "g.example", "sg", "h.example", "default",
        "i.example", "default", "j.example", "sa2", "alias.a.example",
        "default", "other.a.example", "sa", "www.k.example", "sk",
        "www.l.example", "default", "l.example", "sl", "nobody.example",
        "none", NULL
    };

    world_start(&w);

    test_tls_make(&w, "ec", "sa", "DNS:a.example,DNS:other.a.example", -9, 9);
    test_tls_make(&w, "ec", "sa2", "DNS:a2.example,DNS:j.example", -9, 9);
    test_tls_make(&w, "rsa", "sd", "DNS:d.example", -9, 9);
    test_tls_make(&w, "ec", "sde", "DNS:D.example", -9, 9);
    test_tls_make(&w, "ec", "old", "DNS:f.example", -9999999, -99999);
    test_tls_make(&w, "ec", "sw", "DNS:*.w.example", -9, 9);
    test_tls_make(&w, "ec", "sg", "DNS:g.example", 99, 999);
    test_tls_make(&w, "ec", "sk", "DNS:k.example,DNS:www.k.example", -9, 9);
    test_tls_make(&w, "ec", "sl", "DNS:l.example", -9, 9);

    world_add(&w,
        "ingress d/a 1\nnote server-alias alias.a.example,other.a.example\n"
        "rule a.example Prefix / a:1\ntls sa A.example unused.example\n"
        "ingress d/a2 2\nrule a.example Prefix /x a:1\ntls sa2 a.example\n"
        "ingress d/b 1\nrule b.example Prefix / a:1\n"
        "ingress d/c 1\nrule c.example Prefix / a:1\ntls missing c.example\n"
        "ingress d/d 1\nrule d.example Prefix / a:1\n"
        "tls sd d.example\ntls sde d.example\n"
        "ingress d/e 1\nrule e.example Prefix / a:1\ntls sa e.example\n"
        "ingress d/f 1\nrule f.example Prefix / a:1\ntls old f.example\n"
        "ingress d/w 1\nrule *.w.example Prefix / a:1\ntls sw *.w.example\n"
        "ingress d/g 1\nrule g.example Prefix / a:1\ntls sg g.example\n"
        "ingress d/h 1\nrule h.example Prefix / a:1\ntls - h.example\n"
        "ingress d/i 1\nrule i.example Prefix / a:1\ntls sa other.example\n"
        "ingress d/j 1\nrule j.example Prefix / a:1\ntls sa2\n"
        "ingress d/k 1\nrule k.example Prefix / a:1\ntls sk k.example\n"
        "note from-to-www-redirect true\n"
        "ingress d/l 1\nrule l.example Prefix / a:1\ntls sl l.example\n"
        "note from-to-www-redirect true\n"
        "ingress d/all 1\nrule - Prefix / a:1\ntls sa a.example\n"
        "ingress d/m 1\nrule m.example Prefix / a:1\n"
        "note proxy-ssl-secret d/sa\nnote backend-protocol HTTPS\n"
        "note proxy-ssl-verify on\n");

    tap_ok(world_compile(&w) == TORII_OK, "tls: sound %s", w.error);

    for (t = hosts; *t; t += 2) {
        p = test_tls_host(&w, t[0]);
        tap_ok(strcmp(p, t[1]) == 0, "certificate of %s: %s (%s)", t[0], t[1],
               p);
    }

    tap_ok(world_finding(&w, "SecretNotFound")
           && world_finding(&w, "CertificateHostMismatch")
           && world_finding(&w, "CertificateExpired")
           && world_finding(&w, "CertificateNotYetValid")
           && world_finding(&w, "TLSHostUnused")
           && world_finding(&w, "TLSIgnored")
           && world_finding(&w, "DefaultCertificate"),
           "findings of certificates");

    tap_ok(strcmp(test_answer(&w, "alias.a.example", "/x"), "a:1") == 0,
           "an alias with the default certificate has its host's paths");

    tap_ok(ingress_table_n(&w.t, TLS) == 1
           && test_policy(&w, "m.example", "/")->tls == 1
           && test_policy(&w, "m.example", "/")->deny == 0
           && world_str(&w, w.t.tls[0].ca).len,
           "identity towards a backend");

    w.options.default_certificate = torii_str("d/sa");
    world_compile(&w);

    tap_ok(w.t.header->default_cert != INGRESS_NONE, "default certificate");

    w.options.default_certificate = torii_str("d/none");
    world_compile(&w);

    tap_ok(w.t.header->default_cert == INGRESS_NONE, "missing default");

    test_tls_make(&w, "ec", "missing", "DNS:c.example", -9, 9);
    world_compile(&w);

    tap_ok(strcmp(test_tls_host(&w, "c.example"), "missing") == 0,
           "a Secret that comes later is in force");

    world_end(&w);
}


/* Secrets of a pair: which of both are there, and for whom. */

static void
test_tls_pair(void)
{
    world_t                   w;
    uint32_t                  n;
    const char               *p;
    const char *const        *t;
    const ingress_finding_t  *f;

    static const char *const  hosts[] = {
        "a.example", "sa+sa-ecdsa", "b.example", "sa", "c.example", "sc",
        "d.example", "sd-ecdsa", "e.example", "se", "f.example", "sf",
        "g.example", "sg+sg-ecdsa", "h.example", "default", "i.example",
        "sa-ecdsa", NULL
    };

    world_start(&w);

    test_tls_make(&w, "rsa", "sa", "DNS:a.example,DNS:b.example", -9, 9);
    test_tls_make(&w, "ec", "sa-ecdsa", "DNS:a.example,DNS:i.example", -9, 9);
    test_tls_make(&w, "rsa", "sc", "DNS:c.example", -9, 9);
    test_tls_make(&w, "ec", "sd-ecdsa", "DNS:d.example", -9, 9);
    test_tls_make(&w, "rsa", "se", "DNS:e.example", -9, 9);
    test_tls_make(&w, "ec", "se-ecdsa", "DNS:other.example", -9, 9);
    test_tls_make(&w, "ec", "sf", "DNS:f.example", -9, 9);
    test_tls_make(&w, "ec", "sf-ecdsa", "DNS:f.example", -9, 9);
    test_tls_make(&w, "rsa", "sg", "DNS:g.example", -9, 9);
    test_tls_make(&w, "ec", "sg-ecdsa", "DNS:g.example", -9, 9);
    test_tls_make(&w, "rsa", "sg2", "DNS:g.example", -9, 9);

#define PAIR  "note torii/certificate-key rsa+ecdsa\n"
#define LE    "note cert-manager.io/cluster-issuer le\n"

    world_add(&w,
        "ingress d/a 1\n" PAIR "rule a.example Prefix / a:1\n"
        "tls sa a.example\n"
        "ingress d/b 1\nnote torii/certificate-key rsa\n"
        "rule b.example Prefix / a:1\ntls sa b.example\n"
        "ingress d/c 1\n" PAIR LE "rule c.example Prefix / a:1\n"
        "tls sc c.example\n"
        "ingress d/d 1\n" PAIR LE "rule d.example Prefix / a:1\n"
        "tls sd d.example\n"
        "ingress d/e 1\n" PAIR LE "rule e.example Prefix / a:1\n"
        "tls se e.example\n"
        "ingress d/f 1\n" PAIR "rule f.example Prefix / a:1\n"
        "tls sf f.example\n"
        "ingress d/g 1\n" PAIR "rule g.example Prefix / a:1\n"
        "tls sg g.example\ntls sg2 g.example\n"
        "ingress d/h 1\n" PAIR "rule h.example Prefix / a:1\n"
        "tls - h.example\n"
        "ingress d/i 1\n" PAIR "rule i.example Prefix / a:1\n"
        "tls sa a.example\n");

    tap_ok(world_compile(&w) == TORII_OK, "pairs: sound %s", w.error);

    for (t = hosts; *t; t += 2) {
        p = test_tls_host(&w, t[0]);
        tap_ok(strcmp(p, t[1]) == 0, "certificates of %s: %s (%s)", t[0], t[1],
               p);
    }

    n = 0;

    for (f = w.findings.first; f; f = f->next) {
        n += torii_str_eqs(f->value, "sc-ecdsa");
    }

    f = world_finding(&w, "CertificateHostMismatch");

    tap_ok(n == 0, "one that is on its way is no finding");
    tap_ok(f && torii_str_eqs(f->value, "se-ecdsa"),
           "one that is for other names is one");
    f = world_finding(&w, "SecretNotFound");
    tap_ok(f && torii_str_eqs(f->value, "sg2-ecdsa"),
           "and one that nobody issues");

    test_tls_make(&w, "ec", "sc-ecdsa", "DNS:c.example", -9, 9);
    test_tls_make(&w, "rsa", "sd", "DNS:d.example", -9, 9);
    world_compile(&w);

    p = test_tls_host(&w, "c.example");
    tap_ok(strcmp(p, "sc+sc-ecdsa") == 0, "one that comes is served: %s", p);
    p = test_tls_host(&w, "d.example");
    tap_ok(strcmp(p, "sd+sd-ecdsa") == 0, "in front of the other: %s", p);

    (void) ingress_store_remove(w.store, INGRESS_KIND_SECRET, torii_str("d"),
                                torii_str("sa-ecdsa"), torii_str(""));
    world_compile(&w);
    p = test_tls_host(&w, "a.example");
    tap_ok(strcmp(p, "sa") == 0, "one that goes leaves the other: %s", p);

    world_add(&w, "ingress d/c 1\nrule c.example Prefix / a:1\n"
              "tls sc c.example\n");
    world_compile(&w);
    p = test_tls_host(&w, "c.example");
    tap_ok(strcmp(p, "sc") == 0, "and goes with the annotation: %s", p);

    world_end(&w);
}


static void
test_defaults(void)
{
    world_t   w;
    uint32_t  i, denied;

    world_start(&w);
    world_add(&w, "service d/def web:80:8080\n");

    w.options.default_backend = torii_str("d/def");
    world_compile(&w);

    tap_ok(w.t.header->default_backend == INGRESS_NONE
           && world_finding(&w, "DefaultBackend"),
           "a default backend without endpoints is none");

    world_add(&w, "slice d/x def web:8080 10.0.0.1\n");
    world_compile(&w);

    tap_ok(w.t.header->default_backend == 0
           && strcmp(test_endpoints(&w, &w.t.backends[0]), "10.0.0.1:8080")
              == 0,
           "the default backend is the Service's first port");

    world_add(&w, "ingress d/i 1\n rule a.example Prefix / def:80\n"
              " note whitelist-source-range 10.0.0.0/33\n");
    world_compile(&w);

    for (i = 0, denied = 0; i < ingress_table_n(&w.t, POLICIES); i++) {
        denied += (w.t.policies[i].deny != 0);
    }

    tap_ok(w.t.policies[0].deny == 0 && denied == 1,
           "policy 0 is the gateway's own, not that of an Ingress");

    world_end(&w);
}


/* 100,000 paths in one object: in time, and found. */

static void
test_many_paths(void)
{
    char         uri[32];
    world_t      w;
    unsigned     i, bad;
    torii_buf_t  b;
    torii_str_t  s;

    world_start(&w);
    memset(&b, 0, sizeof(torii_buf_t));

    torii_buf_adds(&b, "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"
                   "metadata: {name: i, namespace: d}\nspec:\n  rules:\n"
                   "  - host: a.example\n    http:\n      paths:\n");

    for (i = 0; i < 100000; i++) {
        torii_buf_printf(&b, "      - {path: /p/%u, pathType: Prefix, backend: "
                         "{service: {name: s%u, port: {number: 80}}}}\n",
                         i * 7919 % 100000, i % 100);
    }

    s.data = b.data;
    s.len = b.len;
    world_yaml(&w, s);
    torii_buf_free(&b);

    tap_ok(world_compile(&w) == TORII_OK, "100,000 paths: sound %s", w.error);

    bad = 0;

    for (i = 0; i < 100000; i += 997) {
        snprintf(uri, sizeof(uri), "/p/%u/x", i * 7919 % 100000);
        bad += (atoi(test_answer(&w, "a.example", uri) + 1) != (int) i % 100);
    }

    tap_ok(bad == 0, "100,000 paths: each is found");

    world_end(&w);
}


int
main(void)
{
    test_routing();
    test_classes();
    test_services();
    test_external();
    test_upstream();
    test_policies();
    test_hosts();
    test_tls();
    test_tls_pair();
    test_defaults();
    test_many_paths();

    return tap_done();
}
