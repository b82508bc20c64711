
/*
 * kubeconfigs as kind, kubeadm, k3s, clouds and people write them.
 */

#include <stdlib.h>

#include "ingress_kubeconfig.h"
#include "tap.h"


/* "-----BEGIN CA-----\n", "…CRT…", "…KEY…" */
#define CA   "LS0tLS1CRUdJTiBDQS0tLS0tCg=="
#define CRT  "LS0tLS1CRUdJTiBDUlQtLS0tLQo="
#define KEY  "LS0tLS1CRUdJTiBLRVktLS0tLQo="

#define CONTEXT  "apiVersion: v1\nkind: Config\ncurrent-context: c\n"         \
                 "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
#define CLUSTER  "clusters: [{name: c, cluster: {server: https://h:6443}}]\n"


typedef struct {
    const char  *name;
    const char  *text;
    const char  *context;
    const char  *expected;    /* what it gives, or a part of the error */
} test_case_t;


static const test_case_t  test_files[] = {

    { "kind",
      "apiVersion: v1\n"
      "clusters:\n"
      "- cluster:\n"
      "    certificate-authority-data: " CA "\n"
      "    server: https://127.0.0.1:39521\n"
      "  name: kind-kind\n"
      "contexts:\n"
      "- context:\n"
      "    cluster: kind-kind\n"
      "    user: kind-kind\n"
      "  name: kind-kind\n"
      "current-context: kind-kind\n"
      "kind: Config\n"
      "preferences: {}\n"
      "users:\n"
      "- name: kind-kind\n"
      "  user:\n"
      "    client-certificate-data: " CRT "\n"
      "    client-key-data: " KEY "\n",
      NULL,
      "server=https://127.0.0.1:39521 ca=CA cert=CRT key=KEY "
      "namespace=default" },

    { "kubeadm, the kubelet's, with files",
      "apiVersion: v1\n"
      "clusters:\n"
      "- cluster:\n"
      "    certificate-authority: /etc/kubernetes/pki/ca.crt\n"
      "    server: https://cp.example.org:6443/\n"
      "    tls-server-name: kubernetes\n"
      "  name: kubernetes\n"
      "contexts:\n"
      "- context: {cluster: kubernetes, namespace: edge, user: node}\n"
      "  name: node@kubernetes\n"
      "current-context: node@kubernetes\n"
      "kind: Config\n"
      "users:\n"
      "- name: node\n"
      "  user:\n"
      "    client-certificate: pki/node.pem\n"
      "    client-key: ../node.key\n",
      NULL,
      "server=https://cp.example.org:6443 tls_name=kubernetes "
      "ca_file=/etc/kubernetes/pki/ca.crt cert_file=/home/me/.kube/pki/node.pem"
      " key_file=/home/me/.kube/../node.key namespace=edge" },

    { "k3s, another context",
      "apiVersion: v1\n"
      "kind: Config\n"
      "current-context: default\n"
      "clusters:\n"
      "- {name: default, cluster: {server: 'https://[::1]:6443', "
      "certificate-authority-data: " CA "}}\n"
      "- {name: 2, cluster: {server: https://two:6443}}\n"
      "contexts:\n"
      "- {name: default, context: {cluster: default, user: default}}\n"
      "- {name: two, context: {cluster: 2, user: bot}}\n"
      "users:\n"
      "- {name: default, user: {token: one}}\n"
      "- {name: bot, user: {token: ' K10::abc\n', tokenFile: t}}\n",
      "two",
      "server=https://two:6443 token=K10::abc "
      "token_file=/home/me/.kube/t namespace=default" },

    { "JSON",
      "{\"kind\":\"Config\",\"current-context\":\"c\",\"contexts\":[{\"name\":"
      "\"c\",\"context\":{\"cluster\":\"c\",\"user\":\"u\"}}],\"clusters\":[{"
      "\"name\":\"c\",\"cluster\":{\"server\":\"https://rancher/k8s/clusters/"
      "c-1\"}}],\"users\":[{\"name\":\"u\",\"user\":{\"token\":\"t\"}}]}",
      NULL,
      "server=https://rancher/k8s/clusters/c-1 token=t namespace=default" },

    { "data goes before files",
      CONTEXT
      "clusters: [{name: c, cluster: {server: https://h, "
      "certificate-authority-data: " CA ", certificate-authority: f}}]\n"
      "users: [{name: u, user: {client-certificate: f, client-key: f, "
      "client-certificate-data: " CRT ", client-key-data: " KEY "}}]\n",
      NULL, "server=https://h ca=CA cert=CRT key=KEY namespace=default" },

    { "insecure",
      CONTEXT "clusters: [{name: c, cluster: {server: https://h, "
      "insecure-skip-tls-verify: true}}]\nusers: [{name: u, user: {}}]\n",
      NULL, "server=https://h insecure namespace=default" },

    { "kubectl proxy",
      "current-context: c\ncontexts: [{name: c, context: {cluster: c}}]\n"
      "clusters: [{name: c, cluster: {server: http://h:8001}}]\n",
      NULL, "server=http://h:8001 namespace=default" },

    { "a token without TLS, on this machine",
      CONTEXT "clusters: [{name: c, cluster: {server: http://127.0.0.1:8}}]\n"
      "users: [{name: u, user: {token: t}}]\n",
      NULL, "server=http://127.0.0.1:8 token=t namespace=default" },

    { "a token without TLS, elsewhere",
      CONTEXT "clusters: [{name: c, cluster: {server: http://127.example}}]\n"
      "users: [{name: u, user: {token: t}}]\n",
      NULL, "would get the token unencrypted" },

    { "EKS",
      CONTEXT CLUSTER
      "users: [{name: u, user: {exec: {apiVersion: "
      "client.authentication.k8s.io/v1beta1, command: aws, args: [eks, "
      "get-token]}}}]\n",
      NULL, "user \"u\" has \"exec\": plugins that are executed are not "
      "supported" },

    { "an old GKE",
      CONTEXT CLUSTER
      "users: [{name: u, user: {auth-provider: {name: gcp}}}]\n",
      NULL, "has \"auth-provider\": plugins are not supported" },

    { "exec: null, as some tools write",
      CONTEXT CLUSTER "users: [{name: u, user: {exec: null, token: t}}]\n",
      NULL, "server=https://h:6443 token=t namespace=default" },

    { "a password",
      CONTEXT CLUSTER
      "users: [{name: u, user: {username: a, password: hidden}}]\n",
      NULL, "has \"username\": API servers take no passwords" },

    { "impersonation",
      CONTEXT CLUSTER "users: [{name: u, user: {token: t, as: admin}}]\n",
      NULL, "has \"as\": impersonation is not supported" },

    { "a proxy",
      CONTEXT "clusters: [{name: c, cluster: {server: https://h, "
      "proxy-url: socks5://p}}]\n",
      NULL, "has \"proxy-url\": proxies are not supported" },

    { "both a CA and none",
      CONTEXT "clusters: [{name: c, cluster: {server: https://h, "
      "insecure-skip-tls-verify: true, certificate-authority: f}}]\n",
      NULL, "has both a certificate-authority and insecure-skip-tls-verify" },

    { "a certificate without a key",
      CONTEXT CLUSTER "users: [{name: u, user: {client-certificate: f}}]\n",
      NULL, "both are needed" },

    { "a CA that is no base64",
      CONTEXT "clusters: [{name: c, cluster: {server: https://h, "
      "certificate-authority-data: '***'}}]\n",
      NULL, "line 5: \"certificate-authority-data\" is no base64" },

    { "a key that is no PEM",
      CONTEXT CLUSTER "users: [{name: u, user: {client-certificate-data: " CRT
      ", client-key-data: c2VjcmV0}}]\n",
      NULL, "\"client-key-data\" is no PEM" },

    { "a token that would be two headers",
      CONTEXT CLUSTER "users: [{name: u, user: {token: \"a\\r\\nX: b\"}}]\n",
      NULL, "\"token\" has a control byte" },

    { "a token of two words",
      CONTEXT CLUSTER "users: [{name: u, user: {token: a b}}]\n",
      NULL, "the token is not one word" },

    { "no scheme",
      CONTEXT "clusters: [{name: c, cluster: {server: 'h:6443'}}]\n",
      NULL, "server \"h:6443\" does not begin with \"https://\"" },

    { "a password in the URL",
      CONTEXT "clusters: [{name: c, cluster: {server: 'https://a:b@h'}}]\n",
      NULL, "is no URL of a server" },

    { "no host",
      CONTEXT "clusters: [{name: c, cluster: {server: 'https:///'}}]\n",
      NULL, "is no URL of a server" },

    { "no server", CONTEXT "clusters: [{name: c, cluster: {}}]\n",
      NULL, "server \"\" does not begin" },

    { "no such context", CONTEXT CLUSTER, "x", "has no context \"x\"" },
    { "no such cluster", CONTEXT, NULL, "has no cluster \"c\"" },
    { "no such user", CONTEXT CLUSTER, NULL, "has no user \"u\"" },
    { "no current-context", "kind: Config\n", NULL,
      "has no current-context" },
    { "a list as a server",
      CONTEXT "clusters: [{name: c, cluster: {server: [a]}}]\n",
      NULL, "line 5: \"server\" is to be a string" },
    { "an empty file", "", NULL, "is no kubeconfig" },
    { "two documents", "a: 1\n---\nb: 2\n", NULL, "is no kubeconfig" },
    { "a list", "- 1\n", NULL, "is no kubeconfig" },
    { "no YAML", "a: [\n", NULL, "line 2" }
};


typedef struct {
    const char  *host;
    const char  *port;
    const char  *namespace;
    const char  *expected;
} test_pod_t;

static const test_pod_t  test_pods[] = {
    { "10.96.0.1", "443", "edge\n",
      "server=https://10.96.0.1:443 ca_file=/sa/ca.crt token_file=/sa/token "
      "namespace=edge" },
    { "fd00::1", "443", "",
      "server=https://[fd00::1]:443 ca_file=/sa/ca.crt token_file=/sa/token "
      "namespace=default" },
    { "[fd00::1]", "6443", "a",
      "server=https://[fd00::1]:6443 ca_file=/sa/ca.crt token_file=/sa/token "
      "namespace=a" },
    { NULL, "443", "a", "this is no pod" },
    { "10.96.0.1", NULL, "a", "this is no pod" },
    { "", "", "a", "this is no pod" },
    { "10.96.0.1", "0", "a", "is no port" },
    { "10.96.0.1", "tcp://10.96.0.1:443", "a", "is no port" },
    { "a b", "443", "a", "is no URL" },
    { "a/b", "443", "a", "is no host" },
    { "10.96.0.1", "443", "a\nb", "is no name" }
};


static void
test_add(torii_buf_t *b, const char *name, torii_str_t value)
{
    if (value.len) {
        torii_buf_printf(b, "%s%s=%.*s", b->len ? " " : "", name,
                         torii_str_arg(value));
    }
}


/* the name between "-----BEGIN " and "-----" */

static void
test_add_pem(torii_buf_t *b, const char *name, torii_str_t value)
{
    if (value.len > 17) {
        value.data += 11;
        value.len -= 17;
        test_add(b, name, value);
    }
}


static void
test_result(torii_buf_t *b, const ingress_kubeconfig_t *config)
{
    test_add(b, "server", config->server);
    test_add(b, "tls_name", config->tls_name);
    test_add_pem(b, "ca", config->ca);
    test_add(b, "ca_file", config->ca_file);
    test_add_pem(b, "cert", config->cert);
    test_add(b, "cert_file", config->cert_file);
    test_add_pem(b, "key", config->key);
    test_add(b, "key_file", config->key_file);
    test_add(b, "token", config->token);
    test_add(b, "token_file", config->token_file);
    torii_buf_adds(b, config->insecure ? " insecure" : "");
    test_add(b, "namespace", config->namespace);
    torii_buf_add(b, "", 1);
}


static void
test_verdict(int rc, const ingress_kubeconfig_t *config, const char *error,
    const char *expected, const char *name)
{
    int          ok;
    torii_buf_t  b = { NULL, 0, 0 };

    test_result(&b, config);

    ok = rc == TORII_OK ? strcmp((char *) b.data, expected) == 0
                        : b.len == 1 && strstr(error, expected) != NULL;

    if (!tap_ok(ok && strstr(error, "hidden") == NULL, "%s", name)) {
        printf("# got: %s\n", rc == TORII_OK ? (char *) b.data : error);
    }

    torii_buf_free(&b);
}


int
main(void)
{
    int                    rc;
    char                   error[256];
    size_t                 i;
    torii_arena_t         *a;
    ingress_kubeconfig_t   config;

    for (i = 0; i < sizeof(test_files) / sizeof(test_files[0]); i++) {
        a = torii_arena_create(1024);

        rc = ingress_kubeconfig_parse(a, torii_str(test_files[i].text),
                                      "/home/me/.kube", test_files[i].context,
                                      &config, error);

        test_verdict(rc, &config, error, test_files[i].expected,
                     test_files[i].name);

        torii_arena_destroy(a);
    }

    for (i = 0; i < sizeof(test_pods) / sizeof(test_pods[0]); i++) {
        a = torii_arena_create(1024);

        rc = ingress_kubeconfig_pod(a, test_pods[i].host, test_pods[i].port,
                                    "/sa", torii_str(test_pods[i].namespace),
                                    &config, error);

        test_verdict(rc, &config, error, test_pods[i].expected,
                     test_pods[i].expected);

        torii_arena_destroy(a);
    }

    return tap_done();
}
