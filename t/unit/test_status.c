
/*
 * Addresses of the gateway in the status of Ingresses: which ones, to whom,
 * how often, and what each answer of the server leads to.
 */

#include "ingress_status.h"
#include "tap.h"
#include "world_make.h"


typedef struct {
    world_t             w;
    ingress_status_t   *s;
    uint64_t            now;
    uint32_t            ids[8];
    unsigned            n;           /* in flight */
    char                path[512];   /* of the last request */
    char                body[512];
    uint32_t            wait;
} scene_t;


static void
decode(world_t *w, const char *yaml)
{
    world_yaml(w, torii_str(yaml));
}


/* An Ingress of the class "nginx" with a status. */

static void
ingress(world_t *w, const char *name, const char *class, const char *status)
{
    char  text[1024];

    (void) snprintf(text, sizeof(text),
                    "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"
                    "metadata: {namespace: demo, name: %s}\n"
                    "spec:\n  ingressClassName: %s\n"
                    "  rules: [{host: %s.example, http: {paths: [{path: /, "
                    "pathType: Prefix, backend: {service: {name: s, "
                    "port: {number: 80}}}}]}}]\n"
                    "status: {loadBalancer: {ingress: [%s]}}\n",
                    name, class, name, status);
    decode(w, text);
}


static void
start(scene_t *c)
{
    static torii_str_t  classes[] = { torii_string("nginx") };

    memset(c, 0, sizeof(scene_t));

    world_start(&c->w);

    c->w.options.all = 0;
    c->w.options.classes = classes;
    c->w.options.nclasses = 1;
    c->s = ingress_status_create(c->w.store, 1);
}


static void
end(scene_t *c)
{
    ingress_status_free(c->s);
    world_end(&c->w);
}


static void
addresses(scene_t *c, const char *one, const char *two)
{
    uint32_t           n;
    ingress_address_t  list[2];

    n = 0;

    if (one) {
        list[n].address = torii_str(one);
        list[n++].hostname = strchr(one, 'x') != NULL;
    }

    if (two) {
        list[n].address = torii_str(two);
        list[n++].hostname = strchr(two, 'x') != NULL;
    }

    ingress_status_addresses(c->s, list, n);
}


/* Sends all that it may; returns how many. */

static unsigned
sent(scene_t *c)
{
    unsigned               n;
    ingress_api_request_t  req;

    n = 0;

    while (ingress_status_next(c->s, c->now, &req, &c->ids[c->n % 8], &c->wait)
           == TORII_OK)
    {
        c->n++;
        n++;

        (void) snprintf(c->path, sizeof(c->path), "%s %.*s %s", req.method,
                        torii_str_arg(req.path), req.content_type);
        (void) snprintf(c->body, sizeof(c->body), "%.*s",
                        torii_str_arg(req.body));
    }

    return n;
}


static void
answer(scene_t *c, uint32_t status, uint32_t retry_after)
{
    ingress_api_answer_t  a;

    memset(&a, 0, sizeof(a));

    a.status = status;
    a.retry_after = retry_after;
    a.error = status ? NULL : "connection reset";

    while (c->n) {
        ingress_status_answer(c->s, c->now, c->ids[--c->n], &a,
                              torii_str("{}"));
    }
}


static void
test_write(void)
{
    unsigned  i;
    scene_t   c;
    char      name[16];

    start(&c);

    ingress(&c.w, "web", "nginx", "");
    ingress(&c.w, "other", "somebody", "");
    ingress(&c.w, "done", "nginx", "{ip: 203.0.113.7}, {hostname: lb.x}");
    ingress(&c.w, "late", "nginx", "{ip: 203.0.113.7}");

    addresses(&c, "203.0.113.7", NULL);
    tap_ok(sent(&c) == 0, "nothing is written before a compile");

    (void) world_compile(&c.w);
    addresses(&c, NULL, NULL);
    tap_ok(sent(&c) == 0 && c.wait == UINT32_MAX,
           "nothing is written where no address is known");

    addresses(&c, "lb.x", "203.0.113.7");
    tap_ok(sent(&c) == 2, "to those that are served and differ");
    tap_ok(strcmp(c.path, "PATCH /apis/networking.k8s.io/v1/namespaces/demo/"
                  "ingresses/late/status application/merge-patch+json") == 0,
           "by a merge patch of the status: %s", c.path);
    tap_ok(strcmp(c.body, "{\"status\":{\"loadBalancer\":{\"ingress\":["
                  "{\"ip\":\"203.0.113.7\"},{\"hostname\":\"lb.x\"}]}}}") == 0,
           "in order: %s", c.body);

    tap_ok(ingress_status_busy(c.s), "answers are due");
    answer(&c, 200, 0);
    tap_ok(!ingress_status_busy(c.s), "none is");

    c.now += 1500;
    tap_ok(sent(&c) == 0 && c.wait <= 1000,
           "not again before the watch has had time to tell");

    ingress(&c.w, "web", "nginx", "{ip: 203.0.113.7}, {hostname: lb.x}");
    ingress(&c.w, "late", "nginx", "{ip: 203.0.113.7}, {hostname: lb.x}");
    c.now += 100000;
    tap_ok(sent(&c) == 0, "nor afterwards, when all is as it should be");

    ingress(&c.w, "web", "nginx", "");
    c.now += 1000;
    tap_ok(c.w.changed == 0 && sent(&c) == 1,
           "a status that somebody emptied is written without a compile");
    answer(&c, 200, 0);

    addresses(&c, "203.0.113.8", NULL);
    tap_ok(sent(&c) == 3, "new addresses go out at once");
    answer(&c, 200, 0);

    addresses(&c, NULL, NULL);
    c.now += 100000;
    tap_ok(sent(&c) == 0, "addresses that are unknown leave all as it is");

    for (i = 0; i < 20; i++) {
        (void) snprintf(name, sizeof(name), "more%u", i);
        ingress(&c.w, name, "nginx", "");
    }

    (void) world_compile(&c.w);
    addresses(&c, "203.0.113.9", NULL);
    tap_ok(sent(&c) == 8 && c.wait == UINT32_MAX, "8 in flight");
    answer(&c, 200, 0);
    tap_ok(sent(&c) == 8, "and 8 more");
    answer(&c, 200, 0);
    tap_ok(sent(&c) == 7, "and the rest");
    answer(&c, 200, 0);

    end(&c);
}


/* Two that write the same field must not do so forever. */

static void
test_fight(void)
{
    scene_t   c;
    unsigned  n;

    start(&c);
    ingress(&c.w, "web", "nginx", "");
    (void) world_compile(&c.w);
    addresses(&c, "203.0.113.7", NULL);

    n = 0;

    for (c.now = 0; c.now < 600000; c.now += 500) {
        n += sent(&c);
        answer(&c, 200, 0);
        ingress(&c.w, "web", "nginx", "{ip: 198.51.100.1}");
    }

    tap_ok(n > 5 && n < 20, "10 minutes of dispute: %u writes", n);

    ingress(&c.w, "web", "nginx", "{ip: 203.0.113.7}");

    for (n = 0; n < 300; n++) {
        c.now += 1000;
        (void) sent(&c);
    }

    ingress(&c.w, "web", "nginx", "{ip: 198.51.100.1}");
    c.now += 1000;
    tap_ok(sent(&c) == 1, "which is forgotten after a while of peace");
    answer(&c, 200, 0);
    c.now += 5000;
    tap_ok(sent(&c) == 1, "altogether");
    answer(&c, 200, 0);

    end(&c);
}


typedef struct {
    const char   *name;
    uint32_t      status;
    uint32_t      retry_after;
    uint32_t      least;      /* ms until it is tried again */
    uint32_t      most;
    int           error;
} answer_t;

static const answer_t  answers[] = {
    { "conflict: soon again", 409, 0, 1000, 2000, 0 },
    { "no such Ingress: the watch will tell", 404, 0, 60000, 66000, 0 },
    { "forbidden: once a minute", 403, 0, 60000, 68000, 1 },
    { "invalid: once a minute", 422, 0, 60000, 68000, 1 },
    { "unauthorized: the token may change", 401, 0, 500, 3000, 1 },
    { "too many requests", 429, 20, 20000, 25000, 1 },
    { "a server in trouble", 500, 0, 500, 3000, 1 },
    { "no answer", 0, 0, 500, 3000, 1 },
};


static void
test_answers(void)
{
    size_t     i;
    scene_t    c;
    uint64_t   failed;

    for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        start(&c);
        ingress(&c.w, "web", "nginx", "");
        (void) world_compile(&c.w);
        addresses(&c, "203.0.113.7", NULL);

        (void) sent(&c);
        answer(&c, answers[i].status, answers[i].retry_after);
        failed = c.now;

        while (sent(&c) == 0 && c.now < 400000) {
            c.now += c.wait < 100 ? 100 : c.wait;
        }

        tap_ok(c.now - failed >= answers[i].least
               && c.now - failed <= answers[i].most
               && (ingress_status_error(c.s)[0] != '\0') == answers[i].error,
               "%s (%u ms) \"%s\"", answers[i].name,
               (unsigned) (c.now - failed), ingress_status_error(c.s));

        answer(&c, 200, 0);

        if (ingress_status_error(c.s)[0] != '\0') {
            tap_ok(0, "an error that is over is not told of");
        }

        end(&c);
    }
}


static void
test_outage(void)
{
    unsigned  i, n;
    scene_t   c;
    char      name[16];

    start(&c);

    for (i = 0; i < 50; i++) {
        (void) snprintf(name, sizeof(name), "i%u", i);
        ingress(&c.w, name, "nginx", "");
    }

    (void) world_compile(&c.w);
    addresses(&c, "203.0.113.7", NULL);

    n = 0;

    while (c.now < 300000) {
        n += sent(&c);
        answer(&c, 500, 0);
        c.now += 100;
    }

    tap_ok(n < 8 * 25, "5 minutes of errors: %u requests", n);

    c.now += 30000;

    for (i = 0, n = 0; i < 20; i++) {
        n += sent(&c);
        answer(&c, 200, 0);
    }

    tap_ok(n == 50, "and then all are written: %u", n);

    (void) ingress_store_remove(c.w.store, INGRESS_KIND_INGRESS,
                                torii_str("demo"), torii_str("i7"),
                                torii_str(""));
    addresses(&c, "203.0.113.8", NULL);

    for (i = 0, n = 0; i < 20; i++) {
        n += sent(&c);
        answer(&c, 200, 0);
    }

    tap_ok(n == 49, "but for the one that was deleted: %u", n);

    /* an answer to a question that nobody asked */

    c.n = 1;
    c.ids[0] = 77777;
    answer(&c, 200, 0);

    end(&c);
}


typedef struct {
    const char  *name;
    const char  *yaml;
    const char  *addresses;
} service_t;

static const service_t  services[] = {
    { "LoadBalancer", "type: LoadBalancer, clusterIP: 10.0.0.1, "
      "externalIPs: [198.51.100.9], ports: [{port: 80}]}\n"
      "status: {loadBalancer: {ingress: [{ip: 203.0.113.7}, "
      "{hostname: lb.example}, {ip: 198.51.100.9}]}}",
      "lb.example 203.0.113.7 198.51.100.9 " },
    { "LoadBalancer that has none yet", "type: LoadBalancer, "
      "clusterIP: 10.0.0.1, ports: [{port: 80}]}", "" },
    { "NodePort", "type: NodePort, clusterIP: 10.0.0.1, ports: [{port: 80}]}",
      "10.0.0.1 " },
    { "NodePort with addresses", "type: NodePort, clusterIP: 10.0.0.1, "
      "externalIPs: [\"2001:db8::1\", 198.51.100.9], ports: [{port: 80}]}",
      "2001:db8::1 198.51.100.9 " },
    { "ClusterIP", "clusterIP: 10.0.0.1, ports: [{port: 80}]}", "10.0.0.1 " },
    { "headless", "clusterIP: None, ports: [{port: 80}]}", "" },
    { "ExternalName", "type: ExternalName, externalName: edge.example}",
      "edge.example " },
};


static int
same_words(const char *a, const char *b)
{
    char         copy[256];
    char        *word;
    unsigned     n;

    if (strlen(a) != strlen(b)) {
        return 0;
    }

    (void) snprintf(copy, sizeof(copy), "%s", a);
    n = 1;

    for (word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        n &= strstr(b, word) != NULL;
    }

    return n;
}


static void
test_services(void)
{
    char               text[512], list[256];
    size_t             i;
    world_t            w;
    uint32_t           n, k;
    ingress_object_t  *o;
    ingress_address_t  a[8];

    for (i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        world_start(&w);

        (void) snprintf(text, sizeof(text), "apiVersion: v1\nkind: Service\n"
                        "metadata: {namespace: demo, name: s}\nspec: {%s\n",
                        services[i].yaml);
        decode(&w, text);

        o = ingress_store_get(w.store, INGRESS_KIND_SERVICE,
                              torii_str("demo"), torii_str("s"));
        n = ingress_status_service(&o->u.service, a, 8);
        list[0] = '\0';

        for (k = 0; k < n; k++) {
            (void) snprintf(list + strlen(list), sizeof(list) - strlen(list),
                            "%.*s ", torii_str_arg(a[k].address));
        }

        tap_ok(same_words(list, services[i].addresses),
               "publish a Service: %s: %s", services[i].name, list);

        if (n > 1) {
            tap_ok(ingress_status_service(&o->u.service, a, 1) == 1,
                   "no more than there is room for");
        }

        world_end(&w);
    }
}


int
main(void)
{
    test_write();
    test_fight();
    test_answers();
    test_outage();
    test_services();

    return tap_done();
}
