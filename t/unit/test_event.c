
/*
 * Events: what they say, one for each finding, counted up when it comes again,
 * and the limits of their number.
 */

#include "ingress_event.h"
#include "tap.h"
#include "world_make.h"


#define WALL  1795359600000000ULL         /* 2026-11-22T15:00:00Z */

typedef struct {
    world_t              w;
    ingress_events_t    *e;
    torii_arena_t       *arena;
    ingress_findings_t   list;
    uint64_t             now;
    uint32_t             wait;
    char                 method[8];
    char                 path[512];
    char                 body[2048];
} scene_t;


static void
ingress(world_t *w, const char *name, const char *uid)
{
    char  text[512];

    (void) snprintf(text, sizeof(text),
                    "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"
                    "metadata: {namespace: demo, name: %s, uid: \"%s\"}\n"
                    "spec: {defaultBackend: {service: {name: s, "
                    "port: {number: 80}}}}\n", name, uid);
    world_yaml(w, torii_str(text));
}


static void
begin(scene_t *c)
{
    torii_arena_destroy(c->arena);
    c->arena = torii_arena_create(4096);
    ingress_findings_init(&c->list, c->arena);
}


static void
start(scene_t *c)
{
    memset(c, 0, sizeof(scene_t));

    world_start(&c->w);
    ingress(&c->w, "web", "a5b10658-10a8-4fe5-a1a2-dd76c1b37cc4");
    ingress(&c->w, "api", "b2");

    c->e = ingress_events_create(c->w.store, torii_str("torii-0"), 1);

    begin(c);
}


static void
end(scene_t *c)
{
    ingress_events_free(c->e);
    torii_arena_destroy(c->arena);
    world_end(&c->w);
}


static void
find(scene_t *c, const char *name, ingress_severity_e severity,
    const char *reason, const char *message)
{
    ingress_finding_t  *f;

    f = ingress_finding_add(&c->list, severity, reason,
                            torii_str("spec.rules[0].host"), torii_str("x"),
                            "%s", message);
    f->kind = torii_str("Ingress");
    f->namespace = torii_str("demo");
    f->name = torii_str(name);
}


static void
told(scene_t *c)
{
    ingress_events_findings(c->e, c->now, c->list.first);
    begin(c);
}


static int
next(scene_t *c)
{
    int                    rc;
    ingress_api_request_t  req;

    rc = ingress_events_next(c->e, c->now, WALL + c->now * 1000, &req,
                             &c->wait);

    if (rc == TORII_OK) {
        (void) snprintf(c->method, sizeof(c->method), "%s", req.method);
        (void) snprintf(c->path, sizeof(c->path), "%.*s %s",
                        torii_str_arg(req.path), req.content_type);
        (void) snprintf(c->body, sizeof(c->body), "%.*s",
                        torii_str_arg(req.body));
    }

    return rc == TORII_OK;
}


static void
answer(scene_t *c, uint32_t status)
{
    ingress_api_answer_t  a;

    memset(&a, 0, sizeof(a));

    a.status = status;
    a.error = status ? NULL : "timed out";

    ingress_events_answer(c->e, c->now, &a, torii_str("{}"));
}


/* All that can be sent within a minute, each answered so. */

static unsigned
minute(scene_t *c, uint32_t status)
{
    unsigned  n;
    uint64_t  until;

    n = 0;

    for (until = c->now + 60000; c->now < until; /* void */ ) {

        if (next(c)) {
            n++;
            answer(c, status);

        } else {
            c->now += c->wait < 60000 ? c->wait : 60000;
        }
    }

    return n;
}


static void
test_body(void)
{
    char                 first[2048], path[512];
    scene_t              c;
    torii_str_t          s;
    torii_node_t        *doc;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    start(&c);

    find(&c, "web", INGRESS_ERROR, "BadHost", "\"a b\" is no host; write one");
    told(&c);

    tap_ok(next(&c) && strcmp(c.method, "POST") == 0
           && strcmp(c.path, "/apis/events.k8s.io/v1/namespaces/demo/events "
                     "application/json") == 0, "a new finding: %s", c.path);

    a = torii_arena_create(4096);
    s.data = (unsigned char *) c.body;
    s.len = strlen(c.body);

    tap_ok(torii_tree_json(a, s, &torii_tree_limits, &doc, &error) == TORII_OK
           && torii_str_eqs(torii_node_get(doc, "note")->text,
                            "spec.rules[0].host: \"a b\" is no host; "
                            "write one")
           && torii_str_eqs(torii_node_get(torii_node_get(doc, "regarding"),
                                           "uid")->text,
                            "a5b10658-10a8-4fe5-a1a2-dd76c1b37cc4"),
           "its text and its object");

    torii_arena_destroy(a);

    tap_ok(strstr(c.body, "\"eventTime\":\"2026-11-22T15:00:00.000000Z\","
                  "\"reportingController\":\"torii\",\"reportingInstance\":"
                  "\"torii-0\",\"action\":\"Compile\",\"reason\":\"BadHost\","
                  "\"type\":\"Warning\"") != NULL
           && strstr(c.body, "\"metadata\":{\"name\":\"web.") != NULL,
           "what an Event must have");

    tap_ok(!next(&c) && c.wait == UINT32_MAX, "one request at a time");

    (void) snprintf(first, sizeof(first), "%s", c.body);
    answer(&c, 201);

    find(&c, "web", INGRESS_ERROR, "BadHost", "\"a b\" is no host; write one");
    told(&c);
    tap_ok(minute(&c, 201) == 0, "the same finding is no news");

    told(&c);
    tap_ok(minute(&c, 201) == 0, "nor is its end");

    find(&c, "web", INGRESS_ERROR, "BadHost", "\"a b\" is no host; write one");
    told(&c);
    tap_ok(next(&c) && strcmp(c.method, "PATCH") == 0
           && strcmp(strchr(c.path, ' '), " application/merge-patch+json") == 0
           && strcmp(c.body, "{\"series\":{\"count\":2,\"lastObservedTime\":"
                     "\"2026-11-22T15:02:00.000000Z\"}}") == 0,
           "its return is counted: %s", c.body);

    (void) snprintf(path, sizeof(path), "%.*s",
                    (int) (strchr(c.path, ' ') - c.path), c.path);
    tap_ok(strstr(first, strrchr(path, '/') + 1) != NULL, "in its own Event");

    answer(&c, 404);
    tap_ok(minute(&c, 201) == 1 && strcmp(c.method, "POST") == 0,
           "or in a new one, when that has expired");

    end(&c);

    /* another instance, another day: the name is the same */

    start(&c);
    find(&c, "web", INGRESS_ERROR, "BadHost", "\"a b\" is no host; write one");
    told(&c);
    tap_ok(next(&c) && strstr(c.body, strrchr(path, '/') + 1) != NULL,
           "who starts anew finds it again by its name");
    answer(&c, 409);
    tap_ok(minute(&c, 201) == 0 && ingress_events_error(c.e)[0] == '\0',
           "and leaves it at that");
    end(&c);
}


static void
test_choice(void)
{
    scene_t  c;

    start(&c);

    find(&c, "web", INGRESS_INFO, "NoEndpoints", "none is ready");
    find(&c, "gone", INGRESS_ERROR, "BadHost", "is no host");
    find(&c, "web", INGRESS_ERROR, "BadHost", "is no host");
    c.list.first->next->next->kind = torii_str("Secret");
    told(&c);
    tap_ok(!next(&c), "none for what is served, is gone, or no Ingress");

    find(&c, "web", INGRESS_INFO, "ClassUnknown", "there is no such class");
    find(&c, "web", INGRESS_WARNING, "UnknownAnnotation", "is ignored");
    find(&c, "web", INGRESS_WARNING, "UnknownAnnotation", "is ignored");
    find(&c, "api", INGRESS_WARNING, "UnknownAnnotation", "is ignored");
    told(&c);
    tap_ok(minute(&c, 201) == 3, "one for each other, and each once");

    find(&c, "web", INGRESS_WARNING, "UnknownAnnotation", "is ignored");
    told(&c);
    ingress(&c.w, "web", "c3");
    find(&c, "web", INGRESS_WARNING, "UnknownAnnotation", "is ignored");
    told(&c);
    tap_ok(minute(&c, 201) == 1 && strstr(c.body, "\"uid\":\"c3\"") != NULL,
           "an Ingress of the same name is another one");

    end(&c);
}


/* What goes well is told of certificates alone, and is no warning. */

static void
test_certificates(void)
{
    scene_t  c;

    start(&c);

    find(&c, "web", INGRESS_INFO, "Issued", "the certificate 01 is in use");
    find(&c, "web", INGRESS_INFO, "CertificatePending", "is on its way");
    told(&c);

    tap_ok(next(&c) && strstr(c.body, "\"reason\":\"Issued\"") != NULL
           && strstr(c.body, "\"type\":\"Normal\"") != NULL
           && strstr(c.body, "\"action\":\"Issue\"") != NULL,
           "a certificate that was issued");
    answer(&c, 201);
    tap_ok(minute(&c, 201) == 0, "and nothing else that is no trouble");

    find(&c, "web", INGRESS_WARNING, "CertManagerRuns", "is at work");
    told(&c);
    tap_ok(next(&c) && strstr(c.body, "\"type\":\"Warning\"") != NULL,
           "what keeps one from being issued is a warning");

    end(&c);
}


static void
test_limits(void)
{
    char      text[2000];
    scene_t   c;
    unsigned  i, n;
    uint64_t  began;

    start(&c);

    for (i = 0; i < 100; i++) {
        (void) snprintf(text, sizeof(text), "finding %u", i);
        find(&c, "web", INGRESS_ERROR, "Test", text);
    }

    find(&c, "api", INGRESS_ERROR, "Test", "one");
    told(&c);
    n = minute(&c, 201);
    tap_ok(n == 26, "25 of an Ingress at once: %u", n);

    c.now += 600000;

    for (i = 0; i < 100; i++) {
        (void) snprintf(text, sizeof(text), "finding %u", i);
        find(&c, "web", INGRESS_ERROR, "Test", text);
    }

    told(&c);
    n = minute(&c, 201);
    tap_ok(n == 2, "then one in five minutes: %u", n);

    for (i = 0; i < 200; i++) {
        (void) snprintf(text, sizeof(text), "i%u", i);
        ingress(&c.w, text, "u");
        find(&c, strcpy(torii_arena_alloc(c.arena, 16), text), INGRESS_ERROR,
             "Test", "one");
    }

    told(&c);
    began = c.now;

    for (n = 0; n < 200; /* void */ ) {

        if (next(&c)) {
            answer(&c, 201);
            n++;

        } else {
            c.now += c.wait;
        }
    }

    tap_ok(c.now - began >= 19000 && c.now - began < 22000,
           "10 a second over all: 200 in %u ms", (unsigned) (c.now - began));

    memset(text, 'a', 1500);
    memcpy(text + 1490, "\xc3\xa9", 2);
    text[1500] = '\0';
    find(&c, "api", INGRESS_ERROR, "Test", text);
    told(&c);
    c.now += 1000;
    tap_ok(next(&c) && strlen(strstr(c.body, "\"note\":")) < 1024 + 250,
           "a note of 1024 bytes at most");
    answer(&c, 201);

    end(&c);
}


static void
test_errors(void)
{
    scene_t   c;
    unsigned  i, n;
    char      text[64];

    start(&c);

    find(&c, "web", INGRESS_ERROR, "Test", "one");
    told(&c);
    n = minute(&c, 500);
    tap_ok(n > 3 && n < 10, "backing off from a server in trouble: %u", n);
    tap_ok(strcmp(ingress_events_error(c.e), "answered with status 500") == 0,
           "which is told of");
    c.now += 60000;
    n = minute(&c, 201);
    tap_ok(n == 1 && ingress_events_error(c.e)[0] == '\0',
           "it is written in the end: %u", n);

    find(&c, "web", INGRESS_ERROR, "Test", "two");
    told(&c);
    n = minute(&c, 0);
    told(&c);
    tap_ok(n > 3 && !next(&c) && c.wait == UINT32_MAX,
           "a finding that is over before is not told of");

    for (i = 0; i < 20; i++) {
        (void) snprintf(text, sizeof(text), "finding %u", i);
        find(&c, "web", INGRESS_ERROR, "Test", text);
    }

    c.now += 60000;
    told(&c);
    n = minute(&c, 403);
    tap_ok(n < 10, "a refusal is no reason to hurry: %u", n);

    find(&c, "api", INGRESS_ERROR, "Test", "three");
    told(&c);
    c.now += 60000;
    tap_ok(minute(&c, 422) == 1, "what is invalid is not sent again");

    answer(&c, 200);
    tap_ok(!next(&c), "an answer to nothing is nothing");

    end(&c);
}


/* Thousands of findings that come and go do not pile up. */

static void
test_flood(void)
{
    char      text[64];
    scene_t   c;
    unsigned  i, round, n;

    start(&c);

    for (round = 0; round < 60; round++) {

        for (i = 0; i < 900; i++) {
            (void) snprintf(text, sizeof(text), "finding %u %u", round, i);
            find(&c, i & 1 ? "web" : "api", INGRESS_ERROR, "Test", text);
        }

        told(&c);
        c.now += 1000;

        if (next(&c)) {
            answer(&c, 201);
        }
    }

    told(&c);
    n = minute(&c, 201);
    tap_ok(n == 0, "54,000 findings came and went");

    find(&c, "web", INGRESS_ERROR, "Test", "finding 1 1");
    c.now += 10000000;
    told(&c);
    told(&c);
    find(&c, "web", INGRESS_ERROR, "Test", "finding 1 1");
    told(&c);
    tap_ok(minute(&c, 201) == 1 && strcmp(c.method, "POST") == 0,
           "and are forgotten");

    end(&c);
}


int
main(void)
{
    test_body();
    test_choice();
    test_certificates();
    test_limits();
    test_errors();
    test_flood();

    return tap_done();
}
