
/*
 * The cluster source against an API server in memory: when it is complete,
 * what gets into the store and out of it, and which Secrets are asked for.
 */

#include <sys/resource.h>
#include <time.h>

#include "tap.h"
#include "api_make.h"


#define TLS(host, secret)                                                     \
    "'spec':{'rules':[{'host':'" host "','http':{'paths':[{'path':'/',"       \
    "'pathType':'Prefix','backend':{'service':{'name':'web','port':"          \
    "{'number':80}}}}]}}],'tls':[{'hosts':['" host "'],'secretName':'"        \
    secret "'}]}"

#define PLAIN(host)                                                           \
    "'spec':{'rules':[{'host':'" host "','http':{'paths':[{'path':'/',"       \
    "'pathType':'Prefix','backend':{'service':{'name':'web','port':"          \
    "{'number':80}}}}]}}]}"

#define SERVICE  "'spec':{'clusterIP':'10.0.0.1','ports':[{'port':80}]}"
#define SLICE    "'addressType':'IPv4','endpoints':[{'addresses':"            \
                 "['192.0.2.1']}],'ports':[{'port':8080}]"
#define SECRET(v)                                                             \
    "'data':{'tls.crt':'" v "'},'type':'kubernetes.io/tls'"


static const char *
test_value(api_t *api, const char *namespace, const char *name)
{
    ingress_object_t  *o;

    o = api_stored(api, INGRESS_KIND_SECRET, namespace, name);

    return o && o->u.secret.data.n
           ? (const char *) o->u.secret.data.elts[0].value.data : "";
}


static void
test_world(api_t *api)
{
    api_put(api, "ingresses", "d", "i", TLS("a.example", "one"));
    api_put(api, "services", "d", "web", SERVICE);
    api_put(api, "endpointslices", "d", "web-1", SLICE);
    api_put(api, "secrets", "d", "one", SECRET("b25l"));
    api_put(api, "secrets", "d", "other", SECRET("b3RoZXI="));
}


static void
test_start(void)
{
    api_t                   api;
    uint32_t                n;
    ingress_cluster_kind_t  kinds[16];

    api_start(&api);
    test_world(&api);
    api_open(&api);

    api_kind(&api, "services")->hold = 1;
    api_run(&api);
    tap_ok(!ingress_cluster_complete(api.cluster),
           "not complete without the Services");

    api_release(&api, "services");
    tap_ok(ingress_cluster_complete(api.cluster)
           && ingress_cluster_changed(api.cluster),
           "complete with all kinds, which is a change");
    tap_ok(!ingress_cluster_changed(api.cluster), "and is told once");

    tap_ok(strcmp(test_value(&api, "d", "one"), "one") == 0,
           "the Secret that is referred to is there");
    tap_ok(!api_stored(&api, INGRESS_KIND_SECRET, "d", "other"),
           "another one is not");
    tap_ok(api.gets == 1 && strcmp(api.last,
                                   "/api/v1/namespaces/d/secrets/one") == 0,
           "one GET: %s", api.last);
    tap_ok(api.requests <= 17, "eight lists, eight watches, one GET: %u",
           api.requests);
    tap_ok(ingress_cluster_findings(api.cluster) == NULL, "no findings");

    n = api.requests;
    api_pass(&api, 3600 * 1000);
    tap_ok(api.requests == n && api.wait == UINT32_MAX,
           "at rest nothing is asked for");

    n = ingress_cluster_kinds(api.cluster, kinds, 16);
    tap_ok(n == 8 && strcmp(kinds[4].resource, "secrets") == 0
           && kinds[4].objects == 2 && kinds[0].objects == 1
           && kinds[0].state == INGRESS_WATCH_COMPLETE && kinds[0].since == 0,
           "eight kinds are told of");

    api_put(&api, "endpointslices", "d", "web-1", SLICE);
    tap_ok(!ingress_cluster_changed(api.cluster),
           "an object that is the same is no change");

    api_put(&api, "ingresses", "d", "i", TLS("a.example", "one")
            ",'status':{'loadBalancer':{'ingress':[{'ip':'192.0.2.7'}]}}");
    tap_ok(!ingress_cluster_changed(api.cluster),
           "nor is another status of an Ingress");

    api_put(&api, "ingresses", "d", "odd", "'spec':{'rulez':[]}");
    tap_ok(ingress_cluster_changed(api.cluster), "an object with findings");
    api_put(&api, "ingresses", "d", "odd", "'spec':{'rulez':[]}");
    tap_ok(!ingress_cluster_changed(api.cluster), "is no change, either");

    api_delete(&api, "endpointslices", "d", "web-1", 0);
    tap_ok(ingress_cluster_changed(api.cluster)
           && !api_stored(&api, INGRESS_KIND_SLICE, "d", "web-1"),
           "an object that is deleted is gone");

    api_end(&api);
}


static void
test_state(void)
{
    api_t              api;
    ingress_object_t  *o;
    ingress_state_t   *state;

    api_start(&api);
    test_world(&api);
    api_put(&api, "services", "d", "balanced",
            "'spec':{'type':'LoadBalancer','clusterIP':'10.0.0.2','ports':"
            "[{'port':80}],'externalIPs':['192.0.2.5','x y']},'status':"
            "{'loadBalancer':{'ingress':[{'ip':'192.0.2.6'},{'hostname':"
            "'lb.example'},{'ip':'no'},{}]}}");
    api_open(&api);
    api_run(&api);

    o = api_stored(&api, INGRESS_KIND_INGRESS, "d", "i");
    state = o->u.ingress.state;
    tap_ok(torii_str_eqs(state->resource_version, "101") && state->n == 0,
           "an Ingress with its version and no address");

    api_put(&api, "ingresses", "d", "i", TLS("a.example", "one")
            ",'status':{'loadBalancer':{'ingress':[{'ip':'192.0.2.7'},"
            "{'hostname':'lb.example'}]}}");

    tap_ok(api_stored(&api, INGRESS_KIND_INGRESS, "d", "i") == o,
           "a new status does not make another object of it");

    state = o->u.ingress.state;
    tap_ok(torii_str_eqs(state->resource_version, "107") && state->n == 2
           && torii_str_eqs(state->addresses[0].address, "192.0.2.7")
           && !state->addresses[0].hostname
           && torii_str_eqs(state->addresses[1].address, "lb.example")
           && state->addresses[1].hostname,
           "but is known");

    o = api_stored(&api, INGRESS_KIND_SERVICE, "d", "balanced");
    tap_ok(o->u.service.load_balancer && !o->u.service.node_port
           && o->u.service.nexternal_ips == 1 && o->u.service.nbalancer == 2
           && torii_str_eqs(o->u.service.external_ips[0], "192.0.2.5")
           && torii_str_eqs(o->u.service.balancer[1].address, "lb.example"),
           "a Service with its addresses");

    api_end(&api);
}


static void
test_secrets(void)
{
    api_t     api;
    uint32_t  n;

    api_start(&api);
    test_world(&api);
    api_open(&api);
    api_run(&api);
    (void) ingress_cluster_changed(api.cluster);

    api_put(&api, "secrets", "d", "one", SECRET("dHdv"));
    tap_ok(!ingress_cluster_changed(api.cluster), "metadata is no change yet");
    api_run(&api);
    tap_ok(ingress_cluster_changed(api.cluster) && api.gets == 2
           && strcmp(test_value(&api, "d", "one"), "two") == 0,
           "a Secret that was renewed is asked for again");

    api_put(&api, "secrets", "d", "other", SECRET("eA=="));
    api_run(&api);
    tap_ok(api.gets == 2, "one that nobody refers to is not");

    api_put(&api, "ingresses", "d", "i", TLS("a.example", "other"));
    tap_ok(!ingress_cluster_changed(api.cluster),
           "an Ingress with a new Secret waits for it");
    api_run(&api);
    tap_ok(ingress_cluster_changed(api.cluster) && api.gets == 3
           && strcmp(test_value(&api, "d", "other"), "x") == 0,
           "and is a change with it");
    tap_ok(strcmp(test_value(&api, "d", "one"), "two") == 0,
           "the old one is still there");
    api_pass(&api, 1500);
    tap_ok(!api_stored(&api, INGRESS_KIND_SECRET, "d", "one"),
           "but not for long");

    api_kind(&api, "secrets")->hold = 1;
    api_put(&api, "secrets", "d", "third", SECRET("dGhyZWU="));
    (void) ingress_cluster_changed(api.cluster);
    api_put(&api, "ingresses", "d", "i", TLS("a.example", "third"));
    api_run(&api);
    tap_ok(!ingress_cluster_changed(api.cluster) && api.wait <= 250,
           "no answer: the change waits");
    api_pass(&api, 250);
    tap_ok(ingress_cluster_changed(api.cluster), "but not long, either");
    api_release(&api, "secrets");
    tap_ok(ingress_cluster_changed(api.cluster)
           && strcmp(test_value(&api, "d", "third"), "three") == 0,
           "the answer is a change of its own");

    n = api.gets;
    api_put(&api, "ingresses", "d", "i", TLS("a.example", "nothing"));
    api_pass(&api, 600 * 1000);
    tap_ok(api.gets == n && ingress_cluster_changed(api.cluster),
           "one that is missing is not asked for");
    api_put(&api, "secrets", "d", "nothing", SECRET("bm93"));
    api_run(&api);
    tap_ok(api.gets == n + 1
           && strcmp(test_value(&api, "d", "nothing"), "now") == 0,
           "until the watch shows it");

    api_delete(&api, "secrets", "d", "nothing", 0);
    tap_ok(ingress_cluster_changed(api.cluster)
           && !api_stored(&api, INGRESS_KIND_SECRET, "d", "nothing"),
           "deleted");

    /* between metadata and the GET */

    api_kind(&api, "secrets")->hold = 1;
    api_put(&api, "secrets", "d", "nothing", SECRET("eA=="));
    api_run(&api);
    api_delete(&api, "secrets", "d", "nothing", 0);
    n = api.gets;
    api_release(&api, "secrets");
    api_pass(&api, 600 * 1000);
    tap_ok(api.gets == n, "404 is the end of it");

    api_end(&api);
}


static void
test_race(void)
{
    char           path[512];
    api_t          api;
    uint32_t       i, id, gets;
    torii_buf_t    b;
    api_object_t   old;

    api_start(&api);
    test_world(&api);
    api_open(&api);
    api_run(&api);
    (void) ingress_cluster_changed(api.cluster);

    /* the answer is older than what the watch has removed since */

    api_kind(&api, "secrets")->hold = 1;
    api_put(&api, "secrets", "d", "one", SECRET("dHdv"));
    api_run(&api);
    old = *api_find(&api, "secrets", "d", "one");
    api_delete(&api, "secrets", "d", "one", 0);

    for (i = 0; strchr(api.open[i].path, '?') || !api.open[i].id; i++) {
        /* void */
    }

    id = api.open[i].id;
    api.open[i].id = 0;
    snprintf(path, sizeof(path), "%s", api.open[i].path);

    memset(&b, 0, sizeof(torii_buf_t));
    api_json(api_kind(&api, "secrets"), &old, 0, &b);
    (void) api_head(&api, id, 200, "application/json");
    (void) api_body(&api, id, &b);
    ingress_cluster_end(api.cluster, api.now, id, NULL);
    tap_ok(!api_stored(&api, INGRESS_KIND_SECRET, "d", "one"),
           "what is deleted does not come back by a late answer to %s", path);

    /* a version that the watch tells of later is not asked for twice */

    api.flying = 0;
    api_kind(&api, "secrets")->hold = 0;
    api_put(&api, "secrets", "d", "one", SECRET("YQ=="));
    api_find(&api, "secrets", "d", "one")->version = ++api.version;
    gets = api.gets;
    api_run(&api);
    api_event(&api, "MODIFIED", api_find(&api, "secrets", "d", "one"));
    api_run(&api);
    tap_ok(api.gets == gets + 1, "one GET for what it brought already");

    torii_buf_free(&b);
    api_end(&api);
}


static void
test_whole(void)
{
    api_t  api;

    api_start(&api);
    api_kind(&api, "secrets")->whole = 1;
    test_world(&api);
    api_open(&api);
    api_run(&api);
    (void) ingress_cluster_changed(api.cluster);

    tap_ok(ingress_cluster_complete(api.cluster)
           && strcmp(test_value(&api, "d", "one"), "one") == 0
           && !api_stored(&api, INGRESS_KIND_SECRET, "d", "other"),
           "a server that knows no metadata: only what is needed is kept");

    api_put(&api, "secrets", "d", "one", SECRET("dHdv"));
    tap_ok(ingress_cluster_changed(api.cluster)
           && strcmp(test_value(&api, "d", "one"), "two") == 0,
           "and taken as it comes");

    api_end(&api);
}


static void
test_stale(void)
{
    api_t                     api;
    uint32_t                  i, n;
    const ingress_finding_t  *f;
    ingress_cluster_kind_t    kinds[16];

    api_start(&api);
    api.options.epoch = 1800000000000ULL - api.now;
    test_world(&api);
    api_open(&api);
    api_run(&api);
    (void) ingress_cluster_changed(api.cluster);

    for (i = 0; i < API_KINDS; i++) {
        api.kinds[i].away = 1;
    }

    for (i = 0; i < API_KINDS; i++) {
        api_cut(&api, api.kinds[i].resource);
    }

    n = api.requests;
    api_pass(&api, 4000);
    tap_ok(ingress_cluster_findings(api.cluster) == NULL,
           "a server that restarts is no finding");

    api_pass(&api, 300 * 1000);
    f = api_finding(&api, "ApiUnreachable");
    tap_ok(f && ingress_cluster_changed(api.cluster)
           && f->severity == INGRESS_WARNING, "one that is away is");
    tap_ok(f && strstr((char *) f->message.data, "ingresses, ingressclasses, "
                       "services, endpointslices, secrets, issuers, "
                       "clusterissuers, certificates since "
                       "2027-01-15T08:0")
           && strstr((char *) f->message.data, "connection refused"),
           "%s", f ? (char *) f->message.data : "");
    tap_ok(api.requests - n < 8 * 25, "no busy loop: %u requests in 5 minutes",
           api.requests - n);
    tap_ok(api_stored(&api, INGRESS_KIND_INGRESS, "d", "i")
           && strcmp(test_value(&api, "d", "one"), "one") == 0
           && ingress_cluster_complete(api.cluster),
           "all that was known stays");

    n = ingress_cluster_kinds(api.cluster, kinds, 16);
    tap_ok(n == 8 && kinds[0].state == INGRESS_WATCH_STALE
           && kinds[0].since >= 1800000000000ULL
           && kinds[0].since < 1800000300000ULL,
           "stale, since when");

    api_delete(&api, "ingresses", "d", "i", 1);

    n = api.requests;
    ingress_cluster_hurry(api.cluster, api.now);
    api_pass(&api, 600);
    tap_ok(api.requests - n == 8, "all ask anew when others are answered");

    for (i = 0; i < API_KINDS; i++) {
        api.kinds[i].away = 0;
    }

    ingress_cluster_hurry(api.cluster, api.now);
    api_pass(&api, 600);
    tap_ok(ingress_cluster_changed(api.cluster)
           && ingress_cluster_findings(api.cluster) == NULL,
           "back again, the finding is gone");

    api_end(&api);
}


static void
test_broken_list(void)
{
    api_t        api;
    uint32_t     id, wait;
    torii_buf_t  b;
    ingress_api_request_t  req;

    memset(&b, 0, sizeof(torii_buf_t));

    api_start(&api);
    test_world(&api);
    api_put(&api, "ingresses", "d", "j", PLAIN("b.example"));
    api_open(&api);
    api_run(&api);
    (void) ingress_cluster_changed(api.cluster);

    /* 410: all is listed anew, and the list breaks off */

    api_delete(&api, "ingresses", "d", "i", 1);

    torii_buf_adds(&b, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\","
                   "\"code\":410,\"reason\":\"Expired\"}}\n");

    id = 0;

    while (strcmp(api.open[id].resource, "ingresses") != 0) {
        id++;
    }

    (void) api_body(&api, api.open[id].id, &b);
    api.open[id].id = 0;

    tap_ok(ingress_cluster_next(api.cluster, api.now, &req, &id, &wait)
           == TORII_OK && strstr((char *) req.path.data, "sendInitialEvents"),
           "410: listed anew");

    b.len = 0;
    torii_buf_adds(&b, "{\"type\":\"ADDED\",\"object\":");
    api_json(api_kind(&api, "ingresses"),
             api_find(&api, "ingresses", "d", "j"), 0, &b);
    torii_buf_adds(&b, "}\n{\"type\":\"ADD");

    (void) api_head(&api, id, 200, "application/json");
    (void) api_body(&api, id, &b);
    ingress_cluster_end(api.cluster, api.now, id, "connection reset");

    tap_ok(api_stored(&api, INGRESS_KIND_INGRESS, "d", "i")
           && !ingress_cluster_changed(api.cluster),
           "a list that breaks off takes nothing away");

    api_pass(&api, 60 * 1000);
    tap_ok(!api_stored(&api, INGRESS_KIND_INGRESS, "d", "i")
           && api_stored(&api, INGRESS_KIND_INGRESS, "d", "j")
           && ingress_cluster_changed(api.cluster),
           "a whole one does");

    torii_buf_free(&b);
    api_end(&api);
}


static void
test_forbidden(void)
{
    api_t                     api;
    uint32_t                  n;
    const ingress_finding_t  *f;

    api_start(&api);
    api_kind(&api, "secrets")->watches = 403;
    api_kind(&api, "ingressclasses")->watches = 404;
    test_world(&api);
    api_put(&api, "ingresses", "d", "j", TLS("b.example", "none"));
    api_open(&api);
    api_run(&api);

    tap_ok(ingress_cluster_complete(api.cluster)
           && strcmp(test_value(&api, "d", "one"), "one") == 0,
           "without the right to list Secrets they come one by one");

    f = api_finding(&api, "Forbidden");
    tap_ok(f && torii_str_eqs(f->name, "secrets")
           && strstr((char *) f->message.data, "ClusterRole")
           && strstr((char *) f->message.data, "{apiGroups: [\"\"], resources:"
                     " [\"secrets\"], verbs: [\"get\", \"list\", \"watch\"]}"),
           "%s", f ? (char *) f->message.data : "");
    f = api_finding(&api, "NoResource");
    tap_ok(f && torii_str_eqs(f->name, "ingressclasses"), "%s",
           f ? (char *) f->message.data : "");

    n = api.gets;
    (void) ingress_cluster_changed(api.cluster);
    api_put(&api, "secrets", "d", "one", SECRET("dHdv"));
    api_pass(&api, 50 * 1000);
    tap_ok(api.gets == n, "not asked for again in the first minute");
    api_pass(&api, 15 * 1000);
    tap_ok(ingress_cluster_changed(api.cluster) && api.gets == n + 2
           && strcmp(test_value(&api, "d", "one"), "two") == 0,
           "but after it");

    api_kind(&api, "secrets")->gets = 404;
    api_pass(&api, 61 * 1000);
    tap_ok(!api_stored(&api, INGRESS_KIND_SECRET, "d", "one"),
           "NotFound: it is gone");

    api_kind(&api, "secrets")->gets = 0;
    api_pass(&api, 61 * 1000);
    tap_ok(api_stored(&api, INGRESS_KIND_SECRET, "d", "one") != NULL,
           "it is back");

    api_kind(&api, "secrets")->gets = 403;
    api_pass(&api, 61 * 1000);
    f = api_finding(&api, "Forbidden");
    f = f ? f->next : NULL;

    while (f && !torii_str_eqs(f->kind, "Secret")) {
        f = f->next;
    }

    tap_ok(f && api_stored(&api, INGRESS_KIND_SECRET, "d", "one"),
           "forbidden as well: it stays, and %s",
           f ? (char *) f->message.data : "");

    api_kind(&api, "secrets")->gets = 0;
    api_kind(&api, "secrets")->watches = 0;
    api_pass(&api, 200 * 1000);
    n = api.gets;
    api_pass(&api, 600 * 1000);
    tap_ok(api.gets == n && api_finding(&api, "Forbidden") == NULL,
           "with the rights given there are no polls");

    api_end(&api);
}


static void
test_no_ingresses(void)
{
    api_t  api;

    api_start(&api);
    api_kind(&api, "ingresses")->watches = 403;
    test_world(&api);
    api_open(&api);
    api_pass(&api, 10000);
    tap_ok(!ingress_cluster_complete(api.cluster)
           && api_finding(&api, "Forbidden"),
           "no table is made without Ingresses");

    api_kind(&api, "ingresses")->watches = 0;
    api_pass(&api, 90000);
    tap_ok(ingress_cluster_complete(api.cluster), "it is when they come");

    api_kind(&api, "ingresses")->watches = 403;
    api_kind(&api, "services")->watches = 403;
    api_cut(&api, "ingresses");
    api_cut(&api, "services");
    api_pass(&api, 300 * 1000);
    tap_ok(api_stored(&api, INGRESS_KIND_INGRESS, "d", "i")
           && api_stored(&api, INGRESS_KIND_SERVICE, "d", "web")
           && ingress_cluster_complete(api.cluster),
           "rights taken away later take no object");

    api_end(&api);
}


static void
test_gets(void)
{
    char      name[64], rest[512];
    api_t     api;
    uint32_t  i, n;

    api_start(&api);

    for (i = 0; i < 60; i++) {
        snprintf(name, sizeof(name), "s%u", i);
        snprintf(rest, sizeof(rest), "'spec':{'tls':[{'secretName':'%s'}]}",
                 name);
        api_put(&api, "secrets", "d", name, SECRET("eA=="));
        api_put(&api, "ingresses", "d", name, rest);
    }

    api_kind(&api, "secrets")->hold = 0;
    api_open(&api);

    /* the watch is answered, the GETs are not */

    api_kind(&api, "secrets")->gets = 500;
    api_run(&api);
    tap_ok(!ingress_cluster_complete(api.cluster),
           "not complete while Secrets cannot be read");
    tap_ok(!ingress_cluster_settled(api.cluster), "nor settled");
    api_pass(&api, 10 * 1000);
    tap_ok(ingress_cluster_settled(api.cluster)
           && ingress_cluster_secret(api.cluster, api.now, torii_str("d"),
                                     torii_str("s7"))
              == TORII_DECLINED
           && ingress_cluster_secret(api.cluster, api.now, torii_str("d"),
                                     torii_str("none"))
              == TORII_OK, "in the end it is known which");
    tap_ok(ingress_cluster_complete(api.cluster)
           && api_finding(&api, "NotRead"),
           "unless it goes on: %s", (char *) api_finding(&api, "NotRead")
                                    ->message.data);

    n = api.gets;
    api_pass(&api, 60 * 1000);
    tap_ok(api.gets - n < 60 * 8, "with back-off: %u", api.gets - n);

    api_kind(&api, "secrets")->gets = 0;
    api_pass(&api, 60 * 1000);
    tap_ok(ingress_store_count(api.store, INGRESS_KIND_SECRET) == 60
           && api_finding(&api, "NotRead") == NULL, "then all are there");
    tap_ok(ingress_cluster_secret(api.cluster, api.now, torii_str("d"),
                                  torii_str("s7"))
           == TORII_OK, "and read");

    /* the server is away: one probe at a time */

    api_kind(&api, "secrets")->gets = 429;

    for (i = 0; i < 60; i++) {
        snprintf(name, sizeof(name), "s%u", i);
        api_put(&api, "secrets", "d", name, SECRET("eQ=="));
    }

    n = api.gets;
    api_pass(&api, 60 * 1000);
    tap_ok(api.gets - n < 30, "429: %u requests in a minute", api.gets - n);

    api_kind(&api, "secrets")->gets = 0;
    api_pass(&api, 60 * 1000);
    tap_ok(strcmp(test_value(&api, "d", "s59"), "y") == 0
           && strcmp(test_value(&api, "d", "s0"), "y") == 0, "and all after");

    for (i = 0; i < 60; i++) {
        snprintf(name, sizeof(name), "s%u", i);
        api_put(&api, "secrets", "d", name, SECRET("eg=="));
    }

    api_kind(&api, "secrets")->hold = 1;
    api_run(&api);
    tap_ok(api.flying_max == 16, "at most 16 in flight: %u", api.flying_max);
    api_release(&api, "secrets");
    api_run(&api);

    api_end(&api);
}


static void
test_config(void)
{
    api_t     api;
    uint32_t  n;

    api_start(&api);
    api.served.config = torii_str("sys/config");
    api.served.default_certificate = torii_str("sys/default");
    api.options.namespace = torii_str("d");
    api.served.watch_namespace = torii_str("d");

    test_world(&api);
    api_put(&api, "configmaps", "sys", "config",
            "'data':{'server-tokens':'true'}");
    api_put(&api, "configmaps", "sys", "unrelated", "'data':{}");
    api_put(&api, "configmaps", "d", "params", "'data':{'A':'b'}");
    api_put(&api, "secrets", "sys", "default", SECRET("ZA=="));
    api_put(&api, "secrets", "e", "foreign", SECRET("ZQ=="));
    api_put(&api, "ingresses", "e", "i", TLS("e.example", "foreign"));
    api_open(&api);
    api_run(&api);

    tap_ok(ingress_cluster_complete(api.cluster)
           && api_stored(&api, INGRESS_KIND_CONFIGMAP, "sys", "config")
           && !api_stored(&api, INGRESS_KIND_CONFIGMAP, "sys", "unrelated"),
           "the gateway's ConfigMap");
    tap_ok(strcmp(test_value(&api, "sys", "default"), "d") == 0,
           "the default certificate, outside the namespace that is watched");
    tap_ok(!api_stored(&api, INGRESS_KIND_INGRESS, "e", "i"),
           "objects of other namespaces are not read");

    n = api.gets;
    (void) ingress_cluster_changed(api.cluster);
    api_put(&api, "secrets", "sys", "default", SECRET("Zg=="));
    api_run(&api);
    tap_ok(api.gets == n + 1 && ingress_cluster_changed(api.cluster)
           && strcmp(test_value(&api, "sys", "default"), "f") == 0,
           "it is watched by its name");

    api_put(&api, "ingresses", "d", "f", "'spec':{},'metadata':{}");
    api_event(&api, "MODIFIED", api_find(&api, "ingresses", "d", "i"));
    api_put(&api, "configmaps", "sys", "config", "'data':{}");
    tap_ok(ingress_cluster_changed(api.cluster), "a change of the ConfigMap");

    api_kind(&api, "configmaps")->watches = 403;
    api_cut(&api, "configmaps");
    api_put(&api, "configmaps", "sys", "config", "'data':{'a':'b'}");
    api_pass(&api, 200 * 1000);
    tap_ok(ingress_cluster_changed(api.cluster)
           && api_finding(&api, "Forbidden")
           && api_stored(&api, INGRESS_KIND_CONFIGMAP, "sys", "config")
              ->u.configmap.data.n == 1,
           "without a watch it is asked for: %s",
           (char *) api_finding(&api, "Forbidden")->message.data);

    api_delete(&api, "configmaps", "sys", "config", 1);
    api_kind(&api, "configmaps")->watches = 0;
    api_pass(&api, 200 * 1000);
    tap_ok(ingress_cluster_changed(api.cluster)
           && !api_stored(&api, INGRESS_KIND_CONFIGMAP, "sys", "config"),
           "a list without it takes what came without a watch");

    api_put(&api, "configmaps", "sys", "config", "'data':{}");
    (void) ingress_cluster_changed(api.cluster);

    api_delete(&api, "configmaps", "sys", "config", 0);
    tap_ok(ingress_cluster_changed(api.cluster)
           && !api_stored(&api, INGRESS_KIND_CONFIGMAP, "sys", "config"),
           "its end");

    api_end(&api);
}


typedef struct {
    char      text[2048];
    uint32_t  n;
} test_list_t;


static void
test_visit(void *data, ingress_kind_e kind, torii_str_t namespace,
    torii_str_t name)
{
    test_list_t  *list;

    list = data;
    list->n++;

    snprintf(list->text + strlen(list->text),
             sizeof(list->text) - strlen(list->text), "%s %.*s/%.*s, ",
             ingress_kind_name(kind), torii_str_arg(namespace),
             torii_str_arg(name));
}


static void
test_yaml(ingress_store_t *store, const char *yaml)
{
    uint32_t             i, n;
    torii_arena_t       *a;
    torii_node_t       **docs;
    ingress_kind_e       kind;
    ingress_object_t    *o;
    ingress_finding_t   *findings;
    torii_tree_error_t   error;

    a = torii_arena_create(4096);
    findings = NULL;

    if (torii_tree_yaml(a, torii_str(yaml), &torii_tree_limits, &docs, &n,
                        &error)
        != TORII_OK)
    {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }

    for (i = 0; i < n; i++) {
        kind = torii_node_get(docs[i], "data") ? INGRESS_KIND_CONFIGMAP
               : torii_node_get(docs[i], "kind") ? INGRESS_KIND_CERTIFICATE
                                                 : INGRESS_KIND_INGRESS;

        o = ingress_object_decode_as(a, kind, docs[i], &findings);
        (void) ingress_store_set(store, o);
    }

    torii_arena_destroy(a);
}


#define NOTE  "nginx.ingress.kubernetes.io/"

static void
test_wanted(void)
{
    test_list_t         list;
    ingress_store_t    *store;
    ingress_options_t   options;

    memset(&options, 0, sizeof(ingress_options_t));

    options.config = torii_str("sys/config");
    options.default_certificate = torii_str("sys/default");

    store = ingress_store_create();

    test_yaml(store,
              "metadata: {namespace: d, name: z}\n"
              "spec: {ingressClassName: other, tls: [{secretName: no}]}\n"
              "---\n"
              "metadata: {namespace: d, name: c, annotations: {"
              "kubernetes.io/ingress.class: nginx, "
              NOTE "proxy-ssl-secret: ' d/back ', "
              NOTE "fastcgi-params-configmap: params}}\n"
              "spec: {tls: [{secretName: one}, {secretName: two}, {}]}\n"
              "---\n"
              "metadata: {namespace: d, name: b, annotations: {"
              "kubernetes.io/ingress.class: nginx, "
              NOTE "proxy-ssl-secret: e/foreign, "
              NOTE "fastcgi-params-configmap: '../../x'}}\n"
              "spec: {tls: [{secretName: one}]}\n"
              "---\n"
              "metadata: {namespace: d, name: a, annotations: {"
              "kubernetes.io/ingress.class: nginx, "
              NOTE "proxy-ssl-secret: 'd/..', "
              NOTE "fastcgi-params-configmap: ''}}\n"
              "---\n"
              "metadata: {namespace: d, name: '0', annotations: {"
              "kubernetes.io/ingress.class: nginx, "
              "torii/certificate-key: rsa+ecdsa}}\n"
              "spec: {tls: [{secretName: pair}, {}, {secretName: one}]}\n"
              "---\n"
              "kind: Certificate\n"
              "metadata: {namespace: d, name: p, annotations: {"
              "torii/certificate-key: rsa+ecdsa}}\n"
              "spec: {secretName: cert, issuerRef: {name: ca}, "
              "dnsNames: [a]}\n");

    memset(&list, 0, sizeof(test_list_t));
    ingress_store_wanted(store, &options, test_visit, &list);
    tap_ok(strcmp(list.text, "ConfigMap sys/config, Secret sys/default, "
                  "Secret d/one, Secret d/two, Secret d/back, "
                  "ConfigMap d/params, Secret d/pair, Secret d/pair-ecdsa, "
                  "Secret d/one-ecdsa, Secret d/cert, Secret d/cert-ecdsa, ")
           == 0,
           "wanted: %s", list.text);

    test_yaml(store, "metadata: {namespace: sys, name: config}\n"
              "data: {allow-cross-namespace-resources: 'true'}\n");

    memset(&list, 0, sizeof(test_list_t));
    ingress_store_wanted_by(store, &options,
                            ingress_store_get(store, INGRESS_KIND_INGRESS,
                                              torii_str("d"), torii_str("b")),
                            test_visit, &list);
    tap_ok(strcmp(list.text, "Secret d/one, Secret e/foreign, ") == 0,
           "by one, with other namespaces: %s", list.text);

    options.challenges = torii_str("torii/now");

    memset(&list, 0, sizeof(test_list_t));
    ingress_store_wanted(store, &options, test_visit, &list);
    tap_ok(strstr(list.text, "Secret sys/default, Secret torii/now, ")
           != NULL, "the gateway's own Secret of challenges: %s", list.text);

    ingress_store_destroy(store);
}


static void
test_namespaces(void)
{
    api_t        api;
    uint32_t     n;
    torii_str_t  namespaces[3];

    namespaces[0] = torii_str("d");
    namespaces[1] = torii_str("e");
    namespaces[2] = torii_str("d");

    api_start(&api);
    api.options.secret_namespaces = namespaces;
    api.options.nsecret_namespaces = 3;
    test_world(&api);
    api_put(&api, "secrets", "e", "one", SECRET("ZQ=="));
    api_put(&api, "ingresses", "e", "i", TLS("e.example", "one"));
    api_put(&api, "secrets", "f", "one", SECRET("Zg=="));
    api_put(&api, "ingresses", "f", "i", TLS("f.example", "one"));
    api_open(&api);
    api_run(&api);

    tap_ok(ingress_cluster_complete(api.cluster)
           && strcmp(test_value(&api, "d", "one"), "one") == 0
           && strcmp(test_value(&api, "e", "one"), "e") == 0,
           "Secrets of the namespaces given");
    tap_ok(strcmp(test_value(&api, "f", "one"), "f") == 0,
           "one of another namespace is watched by its name");

    n = api.requests;
    api_pass(&api, 600 * 1000);
    tap_ok(api.requests == n, "no polls");

    api_delete(&api, "ingresses", "f", "i", 0);
    api_pass(&api, 2000);
    api_put(&api, "secrets", "f", "one", SECRET("Zw=="));
    api_run(&api);
    tap_ok(!api_stored(&api, INGRESS_KIND_SECRET, "f", "one"),
           "and let go when nobody needs it");

    n = api.gets;
    api_put(&api, "ingresses", "f", "i", TLS("f.example", "one"));
    api_run(&api);
    tap_ok(strcmp(test_value(&api, "f", "one"), "g") == 0
           && api.gets == n + 1, "and watched again");

    api_end(&api);
}


static void
test_bad_gets(void)
{
    api_t                 api;
    uint32_t              i, id, wait;
    torii_str_t           s;
    ingress_api_request_t  req;
    static const char *const  bodies[] = {
        "<html>sign in</html>",
        "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"two\",\"namespace\":"
        "\"d\",\"resourceVersion\":\"9\"}}",
        "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"one\","
        "\"namespace\":\"d\",\"resourceVersion\":\"9\"}}",
        "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"one\"",
        "[]",
        ""
    };

    api_start(&api);
    test_world(&api);
    api_open(&api);
    api_run(&api);
    (void) ingress_cluster_changed(api.cluster);

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        api_put(&api, "secrets", "d", "one", SECRET("dHdv"));

        while (ingress_cluster_next(api.cluster, api.now, &req, &id, &wait)
               != TORII_OK)
        {
            api.now += wait;
        }

        s = torii_str(bodies[i]);
        (void) api_head(&api, id, 200, "application/json");
        (void) ingress_cluster_body(api.cluster, api.now, id, s);
        ingress_cluster_end(api.cluster, api.now, id, NULL);

        tap_ok(strcmp(test_value(&api, "d", "one"), "one") == 0
               && ingress_cluster_next(api.cluster, api.now, &req, &id, &wait)
                  == TORII_AGAIN && wait >= 400,
               "what was there stays, again in %u ms: %s", wait, bodies[i]);
    }

    api_pass(&api, 60 * 1000);
    tap_ok(strcmp(test_value(&api, "d", "one"), "two") == 0,
           "a good answer ends it");

    tap_ok(api_head(&api, 0, 200, "") == TORII_ERROR
           && api_head(&api, 99999, 200, "") == TORII_ERROR,
           "answers to nothing");

    api_end(&api);
}


/* A cluster as it is, with all the metadata that nobody needs. */

#define MANY  10000

#define MANAGED                                                               \
    "\"managedFields\":[{\"manager\":\"kubectl-client-side-apply\","          \
    "\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":"                \
    "\"2026-11-22T15:07:42Z\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":"      \
    "{\"f:metadata\":{\"f:annotations\":{\".\":{},"                           \
    "\"f:kubectl.kubernetes.io/last-applied-configuration\":{}}},"            \
    "\"f:spec\":{\"f:rules\":{},\"f:tls\":{}}}}]"


static void
test_many_json(torii_buf_t *b, const char *resource, uint32_t i)
{
    torii_buf_adds(b, "{\"type\":\"ADDED\",\"object\":{");

    if (strcmp(resource, "ingresses") == 0) {
        torii_buf_printf(b, "\"kind\":\"Ingress\",\"apiVersion\":"
                         "\"networking.k8s.io/v1\",\"metadata\":{\"name\":"
                         "\"ingress-%u\",\"namespace\":\"ns-%u\",\"uid\":"
                         "\"94074f83-d8a2-4bee-9222-%012u\","
                         "\"resourceVersion\":\"%u\",\"creationTimestamp\":"
                         "\"2026-11-22T15:07:42Z\",\"annotations\":{"
                         "\"nginx.ingress.kubernetes.io/proxy-body-size\":"
                         "\"%um\"}," MANAGED "},\"spec\":{"
                         "\"ingressClassName\":\"nginx\",\"tls\":[{\"hosts\":"
                         "[\"h%u.example\"]}],\"rules\":[{\"host\":"
                         "\"h%u.example\",\"http\":{\"paths\":[{\"path\":"
                         "\"/\",\"pathType\":\"Prefix\",\"backend\":{"
                         "\"service\":{\"name\":\"service-%u\",\"port\":{"
                         "\"number\":80}}}}]}}]},\"status\":{"
                         "\"loadBalancer\":{\"ingress\":[{\"ip\":"
                         "\"192.0.2.1\"}]}}", i, i % 100, i, i + 1, i % 20 + 1,
                         i, i, i);

    } else if (strcmp(resource, "services") == 0) {
        torii_buf_printf(b, "\"kind\":\"Service\",\"apiVersion\":\"v1\","
                         "\"metadata\":{\"name\":\"service-%u\","
                         "\"namespace\":\"ns-%u\",\"uid\":"
                         "\"a4074f83-d8a2-4bee-9222-%012u\","
                         "\"resourceVersion\":\"%u\",\"creationTimestamp\":"
                         "\"2026-11-22T15:07:42Z\"," MANAGED "},\"spec\":{"
                         "\"ports\":[{\"name\":\"http\",\"protocol\":\"TCP\","
                         "\"port\":80,\"targetPort\":\"http\"}],\"selector\":{"
                         "\"app\":\"web\"},\"clusterIP\":\"10.0.%u.%u\","
                         "\"clusterIPs\":[\"10.0.%u.%u\"],\"type\":"
                         "\"ClusterIP\",\"sessionAffinity\":\"None\"},"
                         "\"status\":{\"loadBalancer\":{}}", i, i % 100, i,
                         i + 1, i >> 8 & 255, i & 255, i >> 8 & 255, i & 255);

    } else {
        torii_buf_printf(b, "\"kind\":\"EndpointSlice\",\"apiVersion\":"
                         "\"discovery.k8s.io/v1\",\"metadata\":{\"name\":"
                         "\"service-%u-%u\",\"namespace\":\"ns-%u\",\"uid\":"
                         "\"b4074f83-d8a2-4bee-9222-%012u\","
                         "\"resourceVersion\":\"%u\",\"creationTimestamp\":"
                         "\"2026-11-22T15:07:42Z\",\"labels\":{"
                         "\"kubernetes.io/service-name\":\"service-%u\","
                         "\"endpointslice.kubernetes.io/managed-by\":"
                         "\"endpointslice-controller.k8s.io\"}," MANAGED "},"
                         "\"addressType\":\"IPv4\",\"endpoints\":[{"
                         "\"addresses\":[\"10.1.%u.%u\"],\"conditions\":{"
                         "\"ready\":true,\"serving\":true,\"terminating\":"
                         "false},\"nodeName\":\"node-1\",\"targetRef\":{"
                         "\"kind\":\"Pod\",\"name\":\"web-%u\"}},{"
                         "\"addresses\":[\"10.2.%u.%u\"],\"conditions\":{"
                         "\"ready\":true}}],\"ports\":[{\"name\":\"http\","
                         "\"protocol\":\"TCP\",\"port\":8080}]", i / 2, i,
                         i / 2 % 100, i, i + 1, i / 2, i >> 8 & 255, i & 255,
                         i, i >> 8 & 255, i & 255);
    }

    torii_buf_adds(b, "}}\n");
}


static double
test_cpu(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static uint32_t
test_rss(void)
{
    FILE           *f;
    unsigned long   size, rss;

    f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%lu %lu", &size, &rss) != 2) {
        rss = 0;
    }

    if (f) {
        fclose(f);
    }

    return (uint32_t) (rss * 4096 / 1024 / 1024);
}


/* As the network has it: 16 KB at a time. */

static void
test_feed(api_t *api, uint32_t id, const torii_buf_t *b)
{
    size_t       i;
    uint32_t     next, wait;
    torii_str_t  s;
    ingress_api_request_t  req;

    for (i = 0; i < b->len; i += 16384) {
        s.data = b->data + i;
        s.len = b->len - i < 16384 ? b->len - i : 16384;

        (void) ingress_cluster_body(api->cluster, api->now, id, s);
        (void) ingress_cluster_next(api->cluster, api->now, &req, &next,
                                    &wait);
    }
}


static void
test_many(void)
{
    api_t        api;
    double       start, cpu;
    uint32_t     i, k, rss, count[3];
    torii_buf_t  b[3], all;
    static const char *const  resources[] = {
        "ingresses", "services", "endpointslices"
    };

    memset(b, 0, sizeof(b));
    memset(&all, 0, sizeof(torii_buf_t));

    for (k = 0; k < 3; k++) {
        count[k] = k == 2 ? 2 * MANY : MANY;

        for (i = 0; i < count[k]; i++) {
            test_many_json(&b[k], resources[k], i);
        }

        torii_buf_adds(&b[k], "{\"type\":\"BOOKMARK\",\"object\":{"
                       "\"metadata\":{\"resourceVersion\":\"99999\","
                       "\"annotations\":{\"k8s.io/initial-events-end\":"
                       "\"true\"}}}}\n");
    }

    api_start(&api);

    for (k = 0; k < 3; k++) {
        api_kind(&api, resources[k])->hold = 1;
    }

    api_open(&api);
    api_run(&api);

    rss = test_rss();
    start = test_cpu();

    for (k = 0; k < 3; k++) {
        for (i = 0; strcmp(api.open[i].resource, resources[k]) != 0; i++) {
            /* void */
        }

        (void) api_head(&api, api.open[i].id, 200, "application/json");
        test_feed(&api, api.open[i].id, &b[k]);
    }

    api_run(&api);

    cpu = test_cpu() - start;
    rss = test_rss() - rss;

    tap_ok(ingress_cluster_complete(api.cluster)
           && ingress_store_count(api.store, INGRESS_KIND_SLICE) == 2 * MANY,
           "%u MB of JSON in %.2f s of CPU, %u MB of memory",
           (unsigned) ((b[0].len + b[1].len + b[2].len) >> 20), cpu, rss);

#if !defined(__SANITIZE_ADDRESS__)
    tap_ok(cpu <= 1.5, "in time");
    tap_ok(rss <= 200, "in bounds");
#endif

    start = test_cpu();
    ingress_compile(api.store, &api.served, 1800000000, NULL, NULL, &all);
    cpu = test_cpu() - start;
    tap_ok(all.len > 0, "compiled in %.2f s, %u MB in all", cpu, test_rss());

    for (k = 0; k < 3; k++) {
        torii_buf_free(&b[k]);
    }

    torii_buf_free(&all);
    api_end(&api);
}


int
main(void)
{
    test_start();
    test_state();
    test_secrets();
    test_race();
    test_whole();
    test_stale();
    test_broken_list();
    test_forbidden();
    test_no_ingresses();
    test_gets();
    test_bad_gets();
    test_config();
    test_wanted();
    test_namespaces();
    test_many();

    return tap_done();
}
