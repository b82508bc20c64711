
/*
 * Admission: what is refused, what is warned of, and what is nobody's business
 * here, against tables made of objects.
 */

#include "ingress_admission.h"
#include "tap.h"
#include "world_make.h"


/* The object of a review: annotations, class and rules in JSON. */

typedef struct {
    const char  *name;
    const char  *object;      /* "namespace/name" */
    const char  *notes;
    const char  *spec;
    int          allowed;
    const char  *says;        /* in message or warnings; NULL: nothing */
} case_t;


#define CLASS       "\"ingressClassName\":\"nginx\","
#define BACKEND     "\"backend\":{\"service\":{\"name\":\"s\",\"port\":"      \
                    "{\"number\":80}}}"
#define PATH(p, t)  "{\"path\":\"" p "\",\"pathType\":\"" t "\"," BACKEND "}"
#define RULE(h, p)  "{\"host\":\"" h "\",\"http\":{\"paths\":[" p "]}}"
#define RULES(r)    CLASS "\"rules\":[" r "]"
#define NOTE(n, v)  "\"nginx.ingress.kubernetes.io/" n "\":\"" v "\""


static const char  world[] =
    "ingress team-a/web 100\n"
    "class nginx\n"
    "rule a.example Prefix /app s:80\n"
    "rule a.example Exact /exact s:80\n"
    "rule a.example Impl /impl s:80\n"
    "rule - Prefix /every s:80\n"
    "ingress team-a/regex 100\n"
    "class nginx\n"
    "note use-regex true\n"
    "rule r.example Impl /x/[0-9]+ s:80\n"
    "rule r.example Impl /foo s:80\n"
    "ingress team-a/alias 100\n"
    "class nginx\n"
    "note server-alias alias.example\n"
    "rule b.example Prefix / s:80\n"
    "ingress team-a/canary 200\n"
    "class nginx\n"
    "note canary true\n"
    "note canary-weight 10\n"
    "rule c.example Prefix / s:80\n"
    "ingress team-a/default 300\n"
    "class nginx\n"
    "default s:80\n"
    "ingress team-a/foreign 300\n"
    "class other\n"
    "rule f.example Prefix / s:80\n"
    "ingressclass nginx k8s.io/ingress-nginx\n"
    "ingressclass other example.com/other\n";


static const case_t  cases[] = {

    { "a new host", "team-b/new", "",
      RULES(RULE("n.example", PATH("/", "Prefix"))), 1, NULL },

    /* collisions */

    { "host, path and type of another", "team-b/new", "",
      RULES(RULE("a.example", PATH("/app", "Prefix"))), 0,
      "\\\"/app\\\" (Prefix) of host \\\"a.example\\\" is served by Ingress "
      "team-a/web already" },
    { "the same in other letters", "team-b/new", "",
      RULES(RULE("A.Example", PATH("/app", "Prefix"))), 0, "team-a/web" },
    { "with a slash", "team-b/new", "",
      RULES(RULE("a.example", PATH("/app/", "Prefix"))), 0, "team-a/web" },
    { "ImplementationSpecific is Prefix", "team-b/new", "",
      RULES(RULE("a.example", PATH("/impl", "Prefix"))), 0, "team-a/web" },
    { "Exact", "team-b/new", "",
      RULES(RULE("a.example", PATH("/exact", "Exact"))), 0, "(Exact)" },
    { "every host", "team-b/new", "",
      RULES("{\"http\":{\"paths\":[" PATH("/every", "Prefix") "]}}"), 0,
      "of every host is served by" },
    { "one of many", "team-b/new", "",
      RULES(RULE("n.example", PATH("/", "Prefix")) ","
            RULE("a.example", PATH("/x", "Prefix") ","
                              PATH("/app", "Prefix"))), 0, "/app" },
    { "a regex of another", "team-b/new", "",
      RULES(RULE("r.example", PATH("/x/[0-9]+", "ImplementationSpecific"))), 0,
      "team-a/regex" },
    { "another type is none", "team-b/new", "",
      RULES(RULE("a.example", PATH("/app", "Exact") ","
                              PATH("/exact", "Prefix"))), 1, NULL },
    { "another path is none", "team-b/new", "",
      RULES(RULE("a.example", PATH("/app/x", "Prefix") ","
                              PATH("/", "Prefix"))), 1, NULL },
    { "an alias is none", "team-b/new", "",
      RULES(RULE("alias.example", PATH("/", "Prefix"))), 1, NULL },
    { "an object of another class is none", "team-b/new", "",
      RULES(RULE("f.example", PATH("/", "Prefix"))), 1, NULL },
    { "its own paths are none", "team-a/web", "",
      RULES(RULE("a.example", PATH("/app", "Prefix"))), 1, NULL },
    { "of its own name in another namespace they are", "team-b/web", "",
      RULES(RULE("a.example", PATH("/app", "Prefix"))), 0, "team-a/web" },
    { "a canary stands beside", "team-b/new", NOTE("canary", "true"),
      RULES(RULE("a.example", PATH("/app", "Prefix"))), 1, "canary" },
    { "one that is none does not", "team-b/new", NOTE("canary", "false"),
      RULES(RULE("a.example", PATH("/app", "Prefix"))), 0, "team-a/web" },
    { "beside the canary of another", "team-b/new", "",
      RULES(RULE("c.example", PATH("/", "Prefix"))), 1, NULL },
    { "twice in one object", "team-b/new", "",
      RULES(RULE("n.example", PATH("/x", "Prefix") "," PATH("/x/", "Prefix"))),
      1, "is there twice for host \\\"n.example\\\"" },
    { "a second default backend", "team-b/new", "",
      CLASS "\"defaultBackend\":{\"service\":{\"name\":\"s\",\"port\":"
      "{\"number\":80}}}", 1, "team-a/default" },
    { "the first one again", "team-a/default", "",
      CLASS "\"defaultBackend\":{\"service\":{\"name\":\"s\",\"port\":"
      "{\"number\":80}}}", 1, NULL },

    /* paths */

    { "a regex of type Prefix", "team-b/new", "",
      RULES(RULE("n.example", PATH("/a(/|$)(.*)", "Prefix"))), 0,
      "needs pathType: ImplementationSpecific" },
    { "and of the right type", "team-b/new", NOTE("use-regex", "true"),
      RULES(RULE("n.example", PATH("/a(/|$)(.*)", "ImplementationSpecific"))),
      1, NULL },
    { "no regex at all", "team-b/new", NOTE("use-regex", "true"),
      RULES(RULE("n.example", PATH("/a(", "ImplementationSpecific"))), 0,
      "is no regular expression: " },
    { "nor with rewrite-target", "team-b/new", NOTE("rewrite-target", "/$1"),
      RULES(RULE("n.example", PATH("/a(", "ImplementationSpecific"))), 0,
      "is no regular expression: " },
    { "nor on a host of regexes", "team-b/new", "",
      RULES(RULE("r.example", PATH("/a(", "ImplementationSpecific"))), 0,
      "is no regular expression: " },
    { "elsewhere it is a path", "team-b/new", "",
      RULES(RULE("n.example", PATH("/a(", "ImplementationSpecific"))), 1,
      NULL },
    { "dots", "team-b/new", "",
      RULES(RULE("n.example", PATH("/a/../b", "Prefix"))), 0,
      "which are resolved before paths are compared\"" },
    { "no slash", "team-b/new", "",
      RULES(RULE("n.example", PATH("a", "Prefix"))), 0, "must begin with" },
    { "a host that is none", "team-b/new", "",
      RULES(RULE("n_.example-", PATH("/", "Prefix"))), 0,
      "spec.rules[0].host" },
    { "all of it", "team-b/new", NOTE("auth-type", "mystery"),
      RULES(RULE("n.example", PATH("a", "Prefix") "," PATH("b", "Prefix"))), 0,
      "3 things are wrong:\\n- " },

    /* annotations */

    { "a wrong size is served with the default", "team-b/new",
      NOTE("proxy-body-size", "15r"),
      RULES(RULE("n.example", PATH("/", "Prefix"))), 1, "proxy-body-size: " },
    { "a misspelt name", "team-b/new", NOTE("proxy-body-sizes", "1m"),
      RULES(RULE("n.example", PATH("/", "Prefix"))), 1, "did you mean" },
    { "an access list that is none", "team-b/new",
      NOTE("whitelist-source-range", "10.0.0.0/33"),
      RULES(RULE("n.example", PATH("/", "Prefix"))), 0,
      "whitelist-source-range: " },
    { "protection that is not enforced", "team-b/new",
      NOTE("auth-tls-secret", "team-b/ca"),
      RULES(RULE("n.example", PATH("/", "Prefix"))), 0, "auth-tls-secret: " },
    { "a snippet is never run", "team-b/new",
      NOTE("configuration-snippet", "return 200;"),
      RULES(RULE("n.example", PATH("/", "Prefix"))), 1,
      "snippets are never run" },
    { "a Secret of another namespace", "team-b/new",
      NOTE("proxy-ssl-secret", "team-a/tls"),
      RULES(RULE("n.example", PATH("/", "Prefix"))), 0,
      "is of another namespace" },

    /* what is not ours */

    { "another class", "team-b/new", NOTE("auth-type", "mystery"),
      "\"ingressClassName\":\"other\",\"rules\":["
      RULE("a.example", PATH("/app", "Prefix")) "]", 1, NULL },
    { "an unknown class", "team-b/new", NOTE("auth-type", "mystery"),
      "\"ingressClassName\":\"ngnix\",\"rules\":["
      RULE("a.example", PATH("/app", "Prefix")) "]", 1, NULL },
    { "no class", "team-b/new", NOTE("auth-type", "mystery"),
      "\"rules\":[" RULE("a.example", PATH("/app", "Prefix")) "]", 1, NULL },
    { "the annotation", "team-b/new",
      "\"kubernetes.io/ingress.class\":\"nginx\"",
      "\"rules\":[" RULE("a.example", PATH("/app", "Prefix")) "]", 0,
      "team-a/web" },
    { "spec wins over the annotation", "team-b/new",
      "\"kubernetes.io/ingress.class\":\"nginx\"",
      "\"ingressClassName\":\"other\",\"rules\":["
      RULE("a.example", PATH("/app", "Prefix")) "]", 1, NULL },
};


/* Reviews that ask nothing, or are none. */

typedef struct {
    const char  *name;
    const char  *body;
    int          rc;
    const char  *says;
} review_t;

#define KIND     "\"kind\":{\"group\":\"networking.k8s.io\",\"version\":"     \
                 "\"v1\",\"kind\":\"Ingress\"},"
#define REVIEW(r)                                                             \
    "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","   \
    "\"request\":{" r "}}"
#define BAD      "\"object\":{\"metadata\":{\"name\":\"x\"},\"spec\":{"       \
                 RULES(RULE("a.example", PATH("a", "Prefix"))) "}}"

static const review_t  reviews[] = {
    { "nothing", "", TORII_DECLINED, "the body is not JSON" },
    { "HTML", "<html>", TORII_DECLINED, "the body is not JSON" },
    { "a list", "[1,2]", TORII_DECLINED, "no AdmissionReview" },
    { "cut short", "{\"apiVersion\":\"admission.k8s.io/v1\"", TORII_DECLINED,
      "the body is not JSON" },
    { "v1beta1", "{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":"
      "\"AdmissionReview\",\"request\":{\"uid\":\"u\"}}", TORII_DECLINED,
      "no AdmissionReview of admission.k8s.io/v1" },
    { "no uid", REVIEW("\"operation\":\"CREATE\"," KIND BAD), TORII_DECLINED,
      "no request with a uid" },
    { "a uid that is no text", REVIEW("\"uid\":7," KIND BAD), TORII_DECLINED,
      "no request with a uid" },
    { "an Ingress of yesterday",
      REVIEW("\"uid\":\"u\",\"operation\":\"CREATE\",\"kind\":{\"group\":"
             "\"networking.k8s.io\",\"version\":\"v1beta1\",\"kind\":"
             "\"Ingress\"}," BAD), TORII_DECLINED, "matchPolicy" },
    { "no object", REVIEW("\"uid\":\"u\",\"operation\":\"CREATE\"," KIND
                          "\"object\":null"), TORII_DECLINED, "no object" },
    { "create", REVIEW("\"uid\":\"u\",\"operation\":\"CREATE\"," KIND BAD),
      TORII_OK, "\"allowed\":false" },
    { "update", REVIEW("\"uid\":\"u\",\"operation\":\"UPDATE\"," KIND BAD),
      TORII_OK, "\"allowed\":false" },
    { "delete", REVIEW("\"uid\":\"u\",\"operation\":\"DELETE\"," KIND
                       "\"object\":null"), TORII_OK, "\"allowed\":true" },
    { "status", REVIEW("\"uid\":\"u\",\"operation\":\"UPDATE\","
                       "\"subResource\":\"status\"," KIND BAD),
      TORII_OK, "\"allowed\":true" },
    { "another kind", REVIEW("\"uid\":\"u\",\"operation\":\"CREATE\",\"kind\":"
                             "{\"group\":\"\",\"version\":\"v1\",\"kind\":"
                             "\"Service\"}," BAD),
      TORII_OK, "\"allowed\":true" },
    { "deleted, and waiting for it",
      REVIEW("\"uid\":\"u\",\"operation\":\"UPDATE\"," KIND
             "\"object\":{\"metadata\":{\"name\":\"x\",\"deletionTimestamp\":"
             "\"2026-11-22T15:00:00Z\"},\"spec\":{"
             RULES(RULE("a.example", PATH("a", "Prefix"))) "}}"),
      TORII_OK, "\"allowed\":true" },
    { "without a name", REVIEW("\"uid\":\"u\",\"operation\":\"CREATE\"," KIND
                               "\"object\":{\"spec\":{}}"),
      TORII_OK, "metadata.name: is missing\"" },
    { "a uid with quotes",
      REVIEW("\"uid\":\"\\\"u\\\\\",\"operation\":\"DELETE\"," KIND
             "\"object\":null"), TORII_OK, "\"uid\":\"\\\"u\\\\\"," },
    { "its namespace is that of the request",
      REVIEW("\"uid\":\"u\",\"operation\":\"UPDATE\",\"namespace\":\"team-a\","
             KIND "\"object\":{\"metadata\":{\"name\":\"web\"},\"spec\":{"
             RULES(RULE("a.example", PATH("/app", "Prefix"))) "}}"),
      TORII_OK, "\"allowed\":true" },
};


static int
contains(const torii_buf_t *b, const char *part)
{
    size_t  i, len;

    len = strlen(part);

    for (i = 0; i + len <= b->len; i++) {
        if (memcmp(b->data + i, part, len) == 0) {
            return 1;
        }
    }

    return 0;
}


static int
is_json(const torii_buf_t *b)
{
    int                  rc;
    torii_str_t          s;
    torii_node_t        *doc;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    s.data = b->data;
    s.len = b->len;
    a = torii_arena_create(4096);

    rc = torii_tree_json(a, s, &torii_tree_limits, &doc, &error);

    torii_arena_destroy(a);

    return rc == TORII_OK;
}


static int
review(world_t *w, const char *object, const char *notes, const char *spec,
    torii_buf_t *out, char error[128])
{
    int           rc;
    char         *slash;
    torii_buf_t   b;
    torii_str_t   body;

    memset(&b, 0, sizeof(torii_buf_t));
    out->len = 0;
    slash = strchr(object, '/');

    torii_buf_printf(&b, "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":"
                     "\"AdmissionReview\",\"request\":{\"uid\":\"u-1\",%s"
                     "\"operation\":\"CREATE\",\"namespace\":\"%.*s\","
                     "\"object\":{\"apiVersion\":\"networking.k8s.io/v1\","
                     "\"kind\":\"Ingress\",\"metadata\":{\"name\":\"%s\","
                     "\"namespace\":\"%.*s\",\"annotations\":{%s}},\"spec\":"
                     "{%s}}}}", KIND, (int) (slash - object), object, slash + 1,
                     (int) (slash - object), object, notes, spec);
    body.data = b.data;
    body.len = b.len;

    rc = ingress_admission_review(&w->t, body, out, error);

    torii_buf_free(&b);

    return rc;
}


static void
table(world_t *w, const char *text)
{
    world_start(w);

    w->options.all = 0;

    world_add(w, "service team-a/s http:80:8080\n"
                 "slice team-a/s1 s http:8080 10.0.0.1\n");
    world_add(w, text);

    if (world_compile(w) != TORII_OK) {
        printf("Bail out! %s\n", w->error);
    }
}


static void
test_cases(void)
{
    char         error[128];
    size_t       i;
    world_t      w;
    torii_buf_t  out;

    memset(&out, 0, sizeof(torii_buf_t));
    table(&w, world);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        if (!tap_ok(review(&w, cases[i].object, cases[i].notes, cases[i].spec,
                           &out, error) == TORII_OK
                    && is_json(&out)
                    && contains(&out, "\"uid\":\"u-1\"")
                    && contains(&out, cases[i].allowed ? "\"allowed\":true"
                                                       : "\"allowed\":false")
                    && contains(&out, "\"code\":400") == !cases[i].allowed
                    && (cases[i].says
                        ? contains(&out, cases[i].says)
                        : !contains(&out, "warnings")
                          && !contains(&out, "message")),
                    "%s", cases[i].name))
        {
            printf("# %.*s\n", (int) out.len, out.data);
        }
    }

    torii_buf_free(&out);
    world_end(&w);
}


static void
test_reviews(void)
{
    int          rc;
    char         error[128];
    size_t       i;
    world_t      w;
    torii_buf_t  out;

    memset(&out, 0, sizeof(torii_buf_t));
    table(&w, world);

    for (i = 0; i < sizeof(reviews) / sizeof(reviews[0]); i++) {
        out.len = 0;
        error[0] = '\0';

        rc = ingress_admission_review(&w.t, torii_str(reviews[i].body), &out,
                                      error);

        if (!tap_ok(rc == reviews[i].rc
                    && (rc == TORII_OK ? contains(&out, reviews[i].says)
                                         && is_json(&out)
                                       : strstr(error, reviews[i].says)
                                         != NULL && out.len == 0),
                    "review: %s", reviews[i].name))
        {
            printf("# %d %s %.*s\n", rc, error, (int) out.len, out.data);
        }
    }

    torii_buf_free(&out);
    world_end(&w);
}


/* A part of a login is none, but where all have one. */

static void
test_login(void)
{
    char         error[128];
    world_t      w;
    torii_buf_t  out;
    const char  *spec;

    memset(&out, 0, sizeof(torii_buf_t));

    spec = RULES(RULE("n.example", PATH("/", "Prefix")));

    table(&w, world);

    (void) review(&w, "team-b/new", NOTE("auth-url", "https://a.b/"), spec,
                  &out, error);
    tap_ok(contains(&out, "\"allowed\":true"), "a login");

    (void) review(&w, "team-b/new", NOTE("auth-url", "a.b"), spec, &out,
                  error);
    tap_ok(contains(&out, "\"allowed\":false")
           && contains(&out, "auth-url: "), "a login that is none");

    (void) review(&w, "team-b/new", NOTE("auth-signin", "https://a.b/"), spec,
                  &out, error);
    tap_ok(contains(&out, "\"allowed\":false"), "where to log in, but nowhere");

    (void) review(&w, "team-b/new", "\"torii/oauth2-allowed-groups\":\"a\"",
                  spec, &out, error);
    tap_ok(contains(&out, "\"allowed\":false"), "groups of no login");

    w.options.config = torii_str("team-a/config");
    world_add(&w, "config team-a/config\n"
                  "data global-auth-url https://a.b/?allowed_groups=b\n");
    (void) world_compile(&w);

    (void) review(&w, "team-b/new", "\"torii/oauth2-allowed-groups\":\"a\"",
                  spec, &out, error);
    tap_ok(contains(&out, "\"allowed\":true"), "groups of the login of all");

    (void) review(&w, "team-b/new", NOTE("auth-signin", "https://a.b/"), spec,
                  &out, error);
    tap_ok(contains(&out, "\"allowed\":true") && contains(&out, "warnings"),
           "where to log in, though all log in elsewhere");

    torii_buf_free(&out);
    world_end(&w);
}


/* The gateway's own settings, as the table tells them. */

static void
test_settings(void)
{
    char            error[128];
    world_t         w;
    torii_buf_t     out;
    const char     *spec, *wrong, *why;
    torii_arena_t  *arena;

    static torii_str_t  classes[] = { torii_string("edge") };

    memset(&out, 0, sizeof(torii_buf_t));

    wrong = RULES(RULE("n.example", PATH("/a+b", "Prefix")));

    table(&w, world);
    (void) review(&w, "team-b/new", "", wrong, &out, error);
    tap_ok(contains(&out, "\"allowed\":false"), "strict paths by default");

    w.options.config = torii_str("team-a/config");
    world_add(&w, "config team-a/config\n"
                  "data strict-validate-path-type false\n"
                  "data allow-cross-namespace-resources true\n");
    (void) world_compile(&w);
    (void) review(&w, "team-b/new", NOTE("proxy-ssl-secret", "team-a/tls"),
                  wrong, &out, error);
    tap_ok(contains(&out, "\"allowed\":true")
           && contains(&out, "warnings"), "the ConfigMap allows more");

    w.options.watch_namespace = torii_str("team-a");
    (void) world_compile(&w);
    (void) review(&w, "team-b/new", "", RULES("1"), &out, error);
    tap_ok(contains(&out, "\"allowed\":true"), "another namespace");

    w.options.watch_namespace.len = 0;
    (void) world_compile(&w);
    (void) review(&w, "team-b/new", "", RULES("1"), &out, error);
    tap_ok(contains(&out, "\"allowed\":false"), "all namespaces");

    arena = torii_arena_create(256);
    w.options.selector = ingress_selector_parse(arena, torii_str("edge=on"),
                                                &why);
    (void) world_compile(&w);
    (void) review(&w, "team-b/new", "", RULES("1"), &out, error);
    tap_ok(contains(&out, "\"allowed\":true"), "none is selected");

    world_yaml(&w, torii_str("apiVersion: v1\nkind: NamespaceList\nitems:\n"
                             "- metadata: {name: team-a, labels: {edge: 'on'}}"
                             "\n"
                             "- metadata: {name: team-b, labels: {edge: 'on'}}"
                             "\n"));
    (void) world_compile(&w);
    (void) review(&w, "team-b/new", "", RULES("1"), &out, error);
    tap_ok(contains(&out, "\"allowed\":false"), "it is selected by a label");
    (void) review(&w, "team/new", "", RULES("1"), &out, error);
    tap_ok(contains(&out, "\"allowed\":true"), "another one is not");

    w.options.selector = NULL;
    torii_arena_destroy(arena);
    w.options.classes = classes;
    w.options.nclasses = 1;
    (void) world_compile(&w);
    (void) review(&w, "team-b/new", "", wrong, &out, error);
    tap_ok(!contains(&out, "warnings"), "a class that is ours no longer");

    spec = "\"ingressClassName\":\"edge\",\"rules\":["
           RULE("n.example", PATH("/a+b", "Prefix")) "]";
    (void) review(&w, "team-b/new", "", spec, &out, error);
    tap_ok(contains(&out, "warnings"), "and one that is now");

    w.options.nclasses = 0;
    w.options.all = 1;
    (void) world_compile(&w);
    (void) review(&w, "team-b/new", "", "\"rules\":["
                  RULE("n.example", PATH("/a+b", "Prefix")) "]", &out, error);
    tap_ok(contains(&out, "warnings"), "all: without a class");
    (void) review(&w, "team-b/new", "", spec, &out, error);
    tap_ok(contains(&out, "warnings"), "all: of an unknown class");
    (void) review(&w, "team-b/new", "", "\"ingressClassName\":\"other\","
                  "\"rules\":[" RULE("n.example", PATH("/a+b", "Prefix")) "]",
                  &out, error);
    tap_ok(!contains(&out, "warnings"), "all: but not of a foreign one");

    (void) ingress_store_remove(w.store, INGRESS_KIND_CLASS, torii_str(""),
                                torii_str("other"), torii_str(""));
    (void) world_compile(&w);
    (void) review(&w, "team-b/new", "", "\"ingressClassName\":\"other\","
                  "\"rules\":[" RULE("n.example", PATH("/a+b", "Prefix")) "]",
                  &out, error);
    tap_ok(contains(&out, "warnings"), "which is nobody's once it is gone");

    torii_buf_free(&out);
    world_end(&w);
}


/* Long texts and many of them stay within what an API server passes on. */

static void
test_bounds(void)
{
    char           error[128];
    double         ms;
    world_t        w;
    unsigned       i;
    torii_buf_t    out, notes, spec;
    struct timespec  t0, t1;

    memset(&out, 0, sizeof(torii_buf_t));
    memset(&notes, 0, sizeof(torii_buf_t));
    memset(&spec, 0, sizeof(torii_buf_t));
    table(&w, world);

    for (i = 0; i < 100; i++) {
        torii_buf_printf(&notes, "%s\"nginx.ingress.kubernetes.io/none-%u\":"
                         "\"x\"", i ? "," : "", i);
    }

    torii_buf_add(&notes, "", 1);

    (void) review(&w, "team-b/new", (char *) notes.data,
                  RULES(RULE("n.example", PATH("/", "Prefix"))), &out, error);
    tap_ok(contains(&out, "and 86 more warnings") && out.len < 4096 + 512,
           "100 warnings");

    torii_buf_adds(&spec, CLASS "\"rules\":[{\"host\":\"a.example\",\"http\":"
                   "{\"paths\":[");

    for (i = 0; i < 3000; i++) {
        torii_buf_printf(&spec, "%s{\"path\":\"/app%u%%\",\"pathType\":"
                         "\"Prefix\"," BACKEND "}", i ? "," : "", i);
    }

    torii_buf_adds(&spec, "]}}]");
    torii_buf_add(&spec, "", 1);

    clock_gettime(CLOCK_MONOTONIC, &t0);
    (void) review(&w, "team-b/new", "", (char *) spec.data, &out, error);
    clock_gettime(CLOCK_MONOTONIC, &t1);

    ms = (t1.tv_sec - t0.tv_sec) * 1e3 + (t1.tv_nsec - t0.tv_nsec) / 1e6;

    tap_ok(contains(&out, "things are wrong:") && out.len < 8192,
           "3,000 bad paths in %.1f ms (with sanitizers)", ms);

    notes.len = 0;

    for (i = 0; i < 3000; i++) {
        torii_buf_printf(&notes, "%s\"a%05u/x\":\"%0100u\"", i ? "," : "", i,
                         i);
    }

    torii_buf_add(&notes, "", 1);

    (void) review(&w, "team-b/new", (char *) notes.data,
                  RULES(RULE("n.example", PATH("/", "Prefix"))), &out, error);
    tap_ok(contains(&out, "are larger than 256 KiB"), "annotations");

    torii_buf_free(&out);
    torii_buf_free(&notes);
    torii_buf_free(&spec);
    world_end(&w);
}


int
main(void)
{
    test_cases();
    test_reviews();
    test_settings();
    test_login();
    test_bounds();

    return tap_done();
}
