
/*
 * The cluster source and what a cluster may or may not have: cert-manager's
 * kinds, that come and go with their CRDs, the Secrets that they name, and the
 * Namespaces that a selector is held against.
 */

#include "tap.h"
#include "api_make.h"


#define MINUTE  (60 * 1000)

#define TLS(host, secret)                                                     \
    "'spec':{'rules':[{'host':'" host "'}],'tls':[{'hosts':['" host "'],"     \
    "'secretName':'" secret "'}]}"

#define SECRET  "'data':{'k':'b25l'},'type':'Opaque'"

#define ACME(key, more)                                                       \
    "'spec':{'acme':{'server':'https://ca.example/dir',"                      \
    "'privateKeySecretRef':{'name':'" key "'}" more "}}"

#define DNS(secret)                                                           \
    ",'solvers':[{'dns01':{'rfc2136':{'nameserver':'a','tsigKeyName':'k',"    \
    "'tsigSecretSecretRef':{'name':'" secret "','key':'k'}}}},{'selector':"   \
    "'broken','dns01':{'cloudflare':{'apiTokenSecretRef':{'name':'unused',"   \
    "'key':'k'}}}}]"

#define EAB(secret)                                                           \
    ",'externalAccountBinding':{'keyID':'a','keySecretRef':{'name':'" secret  \
    "','key':'k'}}"

#define CERT(secret, more)                                                    \
    "'spec':{'secretName':'" secret "','dnsNames':['a.example'],"             \
    "'issuerRef':{'name':'le'" more "}}"


static int
test_secret(api_t *api, const char *namespace, const char *name)
{
    return api_stored(api, INGRESS_KIND_SECRET, namespace, name) != NULL;
}


/* Requests in an hour. */

static uint32_t
test_hour(api_t *api)
{
    uint32_t  n;

    n = api->requests;
    api_pass(api, 60 * MINUTE);

    return api->requests - n;
}


static void
test_absent(void)
{
    api_t                   api;
    uint32_t                n;
    ingress_cluster_kind_t  kinds[16];

    api_start(&api);
    api_crds(&api, 404);
    api_open(&api);
    api_run(&api);

    tap_ok(ingress_cluster_complete(api.cluster)
           && ingress_cluster_findings(api.cluster) == NULL,
           "a cluster without the CRDs is complete, and nothing is wrong");
    tap_ok(ingress_cluster_kinds(api.cluster, kinds, 16) == 5,
           "nothing is told of what is not there");

    n = api.requests;
    api_pass(&api, 29 * 1000);
    tap_ok(api.requests == n, "not looked for in the first 29 seconds");

    n = test_hour(&api);
    tap_ok(n >= 3 * 12 && n <= 3 * 20, "but all the time: %u in an hour",
           (unsigned) n);

    (void) ingress_cluster_changed(api.cluster);
    api_crds(&api, 0);
    api_put(&api, "clusterissuers", "", "le", ACME("account", ""));
    api_pass(&api, 5 * MINUTE);
    tap_ok(api_stored(&api, INGRESS_KIND_CLUSTER_ISSUER, "", "le")
           && ingress_cluster_changed(api.cluster),
           "found within five minutes");
    tap_ok(ingress_cluster_kinds(api.cluster, kinds, 16) == 8
           && kinds[6].objects == 1, "and told of");

    /* the API server deletes the objects, and then the watch ends */

    api_crds(&api, 404);
    api_cut(&api, "clusterissuers");
    api_cut(&api, "issuers");
    api_cut(&api, "certificates");
    api_pass(&api, 1000);
    tap_ok(api_stored(&api, INGRESS_KIND_CLUSTER_ISSUER, "", "le") != NULL,
           "a moment without it takes nothing");
    api_pass(&api, 10 * MINUTE);
    tap_ok(!api_stored(&api, INGRESS_KIND_CLUSTER_ISSUER, "", "le")
           && ingress_cluster_changed(api.cluster)
           && ingress_cluster_findings(api.cluster) == NULL,
           "without its CRD there is no object for long, and no finding");

    n = test_hour(&api);
    tap_ok(n >= 3 * 12 && n <= 3 * 20,
           "looked for as seldom as before");

    api_crds(&api, 0);
    api_pass(&api, 5 * MINUTE);
    tap_ok(api_stored(&api, INGRESS_KIND_CLUSTER_ISSUER, "", "le") != NULL,
           "it is back");

    api_end(&api);
}


static void
test_trouble(void)
{
    api_t                     api;
    const ingress_finding_t  *f;

    api_start(&api);
    api_crds(&api, 500);
    api_put(&api, "ingresses", "d", "i", TLS("a.example", "one"));
    api_open(&api);
    api_run(&api);
    tap_ok(ingress_cluster_complete(api.cluster),
           "what is broken about the CRDs blocks nothing");
    api_pass(&api, MINUTE);
    f = api_finding(&api, "ApiUnreachable");
    tap_ok(f && f->severity == INGRESS_WARNING
           && strstr((char *) f->message.data, "issuers"), "%s",
           f ? (char *) f->message.data : "no finding");
    api_end(&api);

    api_start(&api);
    api_crds(&api, 403);
    api_open(&api);
    api_run(&api);
    f = api_finding(&api, "Forbidden");
    tap_ok(ingress_cluster_complete(api.cluster) && f
           && f->severity == INGRESS_WARNING
           && strstr((char *) f->message.data, "cert-manager.io"), "%s",
           f ? (char *) f->message.data : "no finding");
    api_end(&api);
}


static void
test_secrets(void)
{
    api_t                     api;
    uint32_t                  i;
    static const char *const  names[] = {
        "account", "eab", "tsig", "unused", "ca", "tls", "external", "own"
    };

    api_start(&api);

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        api_put(&api, "secrets", "d", names[i], SECRET);
        api_put(&api, "secrets", "cert-manager", names[i], SECRET);
    }

    api_put(&api, "issuers", "d", "le", ACME("account", DNS("tsig")
                                                        EAB("eab")));
    api_put(&api, "issuers", "d", "ca", "'spec':{'ca':{'secretName':'ca'}}");
    api_put(&api, "clusterissuers", "", "le", ACME("own", ""));
    api_put(&api, "certificates", "d", "a", CERT("tls", ""));
    api_put(&api, "certificates", "d", "b", CERT("external",
                                        ",'group':'cas-issuer.jetstack.io'"));
    api_open(&api);
    api_run(&api);

    tap_ok(test_secret(&api, "d", "account") && test_secret(&api, "d", "eab")
           && test_secret(&api, "d", "tsig") && test_secret(&api, "d", "ca"),
           "Secrets of an Issuer are in its namespace");
    tap_ok(test_secret(&api, "cert-manager", "own")
           && !test_secret(&api, "d", "own"),
           "those of a ClusterIssuer are in one for all");
    tap_ok(test_secret(&api, "d", "tls"), "the one of a Certificate is read");
    tap_ok(!test_secret(&api, "d", "external")
           && !test_secret(&api, "d", "unused")
           && !test_secret(&api, "cert-manager", "account"),
           "those of others, and of a solver that is not used, are not");

    (void) ingress_cluster_changed(api.cluster);
    api_put(&api, "issuers", "d", "le", ACME("own", ""));
    api_run(&api);
    tap_ok(test_secret(&api, "d", "own"), "what is named later is read, too");
    api_pass(&api, 1500);
    tap_ok(!test_secret(&api, "d", "account")
           && !test_secret(&api, "d", "tsig"), "what no one names goes");

    api_put(&api, "issuers", "d", "le", "'spec':{'acme':{'server':'http://a',"
            "'privateKeySecretRef':{'name':'own'}}}");
    api_pass(&api, 1500);
    tap_ok(!test_secret(&api, "d", "own"), "nor what an unusable one names");

    api_end(&api);

    api_start(&api);
    api.served.cluster_namespace = torii_str("kube-system");
    api_put(&api, "secrets", "kube-system", "own", SECRET);
    api_put(&api, "clusterissuers", "", "le", ACME("own", ""));
    api_open(&api);
    api_run(&api);
    tap_ok(test_secret(&api, "kube-system", "own"),
           "the namespace for ClusterIssuers can be chosen");
    api_end(&api);
}


static void
test_selector(void)
{
    api_t           api;
    const char     *why;
    torii_arena_t  *a;

    a = torii_arena_create(1024);

    api_start(&api);
    api.served.selector = ingress_selector_parse(a, torii_str("edge=on"),
                                                 &why);
    api_put(&api, "secrets", "d", "one", SECRET);
    api_put(&api, "secrets", "e", "one", SECRET);
    api_put(&api, "ingresses", "d", "i", TLS("d.example", "one"));
    api_put(&api, "ingresses", "e", "i", TLS("e.example", "one"));
    api_put(&api, "certificates", "e", "c", CERT("one", ""));
    api_put(&api, "namespaces", "", "d", "");
    snprintf(api_find(&api, "namespaces", "", "d")->labels, 64,
             "\"edge\":\"on\"");
    api_put(&api, "namespaces", "", "e", "");
    api_open(&api);

    api_kind(&api, "namespaces")->hold = 1;
    api_run(&api);
    tap_ok(!ingress_cluster_complete(api.cluster)
           && !test_secret(&api, "d", "one"),
           "with a selector, nothing before Namespaces are known");

    api_release(&api, "namespaces");
    tap_ok(ingress_cluster_complete(api.cluster)
           && test_secret(&api, "d", "one"), "the one that is selected");
    tap_ok(!test_secret(&api, "e", "one"),
           "Secrets of others are not read");

    (void) ingress_cluster_changed(api.cluster);
    snprintf(api_find(&api, "namespaces", "", "e")->labels, 64,
             "\"edge\":\"on\"");
    api_put(&api, "namespaces", "", "e", "");
    api_run(&api);
    tap_ok(ingress_cluster_changed(api.cluster)
           && test_secret(&api, "e", "one"), "until they get the label");

    api_find(&api, "namespaces", "", "e")->labels[0] = '\0';
    api_put(&api, "namespaces", "", "e", "");
    api_pass(&api, 1500);
    tap_ok(!test_secret(&api, "e", "one"), "and lose it");

    api_end(&api);

    api_start(&api);
    api.served.selector = ingress_selector_parse(a, torii_str("edge=on"),
                                                 &why);
    api_kind(&api, "namespaces")->watches = 403;
    api_open(&api);
    api_pass(&api, 5 * MINUTE);
    tap_ok(!ingress_cluster_complete(api.cluster)
           && api_finding(&api, "Forbidden")->severity == INGRESS_ERROR,
           "without the right to read them the last table stays: %s",
           (char *) api_finding(&api, "Forbidden")->message.data);
    api_end(&api);

    torii_arena_destroy(a);
}


int
main(void)
{
    test_absent();
    test_trouble();
    test_secrets();
    test_selector();

    return tap_done();
}
