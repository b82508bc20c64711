
/*
 * Objects decoded from YAML: each case is a document and a short transcript of
 * what came out of it, objects first, then findings about no object.
 */

#include <stdlib.h>

#include "ingress_decode.h"
#include "tap.h"


typedef struct {
    const char        *name;
    const char        *in;
    const char        *out;
} object_case_t;

typedef struct {
    torii_buf_t        text;
    uint64_t           version;     /* of the last object */
    uint32_t           n;
} object_out_t;


#define INGRESS(name, spec)                                                   \
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"                       \
    "metadata: {name: " name "}\nspec:\n" spec

#define BACKEND  "backend: {service: {name: web, port: {number: 80}}}"

#define PATH(rest)                                                            \
    INGRESS("web", "  rules:\n  - http:\n      paths:\n      - {" rest "}\n")

#define SLICE(rest)                                                           \
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"                  \
    "metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}\n"    \
    rest


static const object_case_t  cases[] = {

    { "an Ingress with all that is used",
      "apiVersion: networking.k8s.io/v1\n"
      "kind: Ingress\n"
      "metadata:\n"
      "  name: web\n"
      "  namespace: demo\n"
      "  uid: 94074f83-d8a2-4bee-9222-bcae59c79be4\n"
      "  creationTimestamp: \"2026-11-22T15:07:42Z\"\n"
      "  resourceVersion: \"5\"\n"
      "  annotations:\n"
      "    nginx.ingress.kubernetes.io/proxy-body-size: 100m\n"
      "    kubectl.kubernetes.io/last-applied-configuration: \"{}\"\n"
      "  labels: {app: web}\n"
      "spec:\n"
      "  ingressClassName: nginx\n"
      "  defaultBackend: {service: {name: other, port: {name: http}}}\n"
      "  tls:\n"
      "  - hosts: [a.example, '*.b.example']\n"
      "    secretName: web-tls\n"
      "  - {}\n"
      "  rules:\n"
      "  - host: a.example\n"
      "    http:\n"
      "      paths:\n"
      "      - {path: /, pathType: Prefix, " BACKEND "}\n"
      "      - {path: /x, pathType: Exact, " BACKEND "}\n"
      "      - {path: '/y/(.*)', pathType: ImplementationSpecific, "
               BACKEND "}\n"
      "      - {" BACKEND "}\n"
      "  - host: b.example\n"
      "status: {loadBalancer: {}}\n",
      "Ingress demo/web created=1795360062\n"
      "annotation nginx.ingress.kubernetes.io/proxy-body-size=100m\n"
      "label app=web\n"
      "class nginx\n"
      "default other:http\n"
      "rule a.example\n"
      "path / Prefix web:80\n"
      "path /x Exact web:80\n"
      "path /y/(.*) Implementation web:80\n"
      "path / Implementation web:80\n"
      "rule b.example, no http\n"
      "tls web-tls a.example *.b.example\n"
      "tls \n" },

    { "namespace and class are optional",
      INGRESS("web", "  ingressClassName: \"\"\n  defaultBackend: {service: "
              "{name: web, port: {number: 8080}}}\n"),
      "Ingress default/web\ndefault web:8080\n" },

    { "an Ingress that serves nothing",
      "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"
      "metadata: {name: web}\n",
      "Ingress default/web\n! warning NothingServed spec\n" },

    { "API versions that are gone",
      "apiVersion: extensions/v1beta1\nkind: Ingress\n"
      "metadata: {name: web, namespace: demo}\n---\n"
      "apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\n"
      "metadata: {name: web}\n---\n"
      "apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice\n"
      "metadata: {name: web}\n---\n"
      "kind: Service\nmetadata: {name: web}\n",
      "! error DeprecatedAPI apiVersion Ingress demo/web\n"
      "! error DeprecatedAPI apiVersion Ingress /web\n"
      "! error DeprecatedAPI apiVersion EndpointSlice /web\n"
      "! error NoVersion apiVersion Service /web\n" },

    { "kinds that are not read",
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\n"
      "apiVersion: config.openshift.io/v1\nkind: Ingress\n"
      "metadata: {name: cluster}\n---\n"
      "apiVersion: serving.knative.dev/v1\nkind: Service\n"
      "metadata: {name: web}\n---\n"
      "apiVersion: v1\nkind: PodList\nitems: []\n",
      "" },

    { "a kind that was meant",
      "apiVersion: networking.k8s.io/v1\nkind: ingress\n"
      "metadata: {name: web}\n",
      "! error UnknownKind kind File object.yaml\n" },

    { "no object at all",
      "just text\n---\n- a\n---\nreplicas: 3\n",
      "! warning NoObject  File object.yaml\n"
      "! warning NoObject  File object.yaml\n"
      "! warning NoObject  File object.yaml\n" },

    { "lists, with and without the kind of their items",
      "apiVersion: v1\nkind: List\nitems:\n"
      "- {apiVersion: v1, kind: Namespace, metadata: {name: demo}}\n"
      "- {apiVersion: v1, kind: NamespaceList, items: "
      "[{metadata: {name: a}}, {metadata: {name: b}}]}\n"
      "- {metadata: {name: c}}\n"
      "---\n"
      "apiVersion: v1\nkind: ServiceList\nitems: null\n---\n"
      "apiVersion: v1\nkind: ServiceList\nitems: {}\n",
      "Namespace /demo\nNamespace /a\nNamespace /b\n"
      "! warning NoObject  File object.yaml\n"
      "! error BadList items File object.yaml\n" },

    { "names that cannot be",
      "{apiVersion: v1, kind: Namespace, metadata: {name: Demo}}\n---\n"
      "{apiVersion: v1, kind: Namespace, metadata: {name: a.b}}\n---\n"
      "{apiVersion: v1, kind: Secret, metadata: {name: a/b}}\n---\n"
      "{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: -}}\n"
      "---\n"
      "{apiVersion: v1, kind: Secret, metadata: {generateName: a-}}\n---\n"
      "{apiVersion: v1, kind: Secret, metadata: a}\n",
      "! error BadName metadata.name Namespace /Demo\n"
      "! error BadName metadata.name Namespace /a.b\n"
      "! error BadName metadata.name Secret default/a/b\n"
      "! error BadName metadata.namespace Secret -/\n"
      "! error NoName metadata.name Secret default/\n"
      "! error WrongType metadata Secret /\n"
      "! error NoName metadata.name Secret default/\n" },

    { "annotations must be strings",
      "apiVersion: networking.k8s.io/v1\nkind: IngressClass\n"
      "metadata:\n  name: nginx\n  annotations:\n"
      "    a: 80\n    b: true\n    c: [1]\n    d: {e: f}\n    g:\n"
      "    h: \"x\\ty\\n\"\n    i: \"x\\u0007\"\n"
      "spec: {controller: k8s.io/ingress-nginx}\n",
      "IngressClass /nginx\n"
      "annotation a=80\nannotation b=true\nannotation c=(a list)\n"
      "annotation d=(a map)\nannotation g=\nannotation h=x\ty\n\n"
      "annotation i=(control characters)\n"
      "controller k8s.io/ingress-nginx\n"
      "! error AnnotationType a\n! error AnnotationType b\n"
      "! error AnnotationType c\n! error AnnotationType d\n"
      "! error AnnotationType g\n! error BadText i\n" },

    { "hosts",
      INGRESS("web", "  rules:\n"
              "  - {host: A.Example}\n"
              "  - {host: a_b.example}\n"
              "  - {host: '*'}\n"
              "  - {host: '*.a.example'}\n"
              "  - {host: 'a.*.example'}\n"
              "  - {host: 'a*.example'}\n"
              "  - {host: a.example.}\n"
              "  - {host: a..example}\n"
              "  - {host: 'a.example:80'}\n"
              "  - {host: 10.0.0.1}\n"
              "  - {host: \"gr\303\274n.example\"}\n"
              "  - {host: \"a\\0.example\"}\n"
              "  - {host: [a.example]}\n"
              "  - {host: ''}\n"
              "  - {host: null}\n"
              "  - {host: 1.5}\n"
              "  - a.example\n"),
      "Ingress default/web\n"
      "rule a.example, no http\n"
      "rule *.a.example, no http\n"
      "rule , no http\n"
      "rule , no http\n"
      "rule 1.5, no http\n"
      "! warning HostCase spec.rules[0].host\n"
      "! error BadHost spec.rules[1].host\n"
      "! error BadHost spec.rules[2].host\n"
      "! error BadHost spec.rules[4].host\n"
      "! error BadHost spec.rules[5].host\n"
      "! error BadHost spec.rules[6].host\n"
      "! error BadHost spec.rules[7].host\n"
      "! error BadHost spec.rules[8].host\n"
      "! error BadHost spec.rules[9].host\n"
      "! error BadHost spec.rules[10].host\n"
      "! error ControlCharacter spec.rules[11].host\n"
      "! error WrongType spec.rules[12].host\n"
      "! warning WrongType spec.rules[15].host\n"
      "! error WrongType spec.rules[16]\n" },

    { "a path must be absolute",
      PATH("path: x, " BACKEND),
      "Ingress default/web\nrule \n"
      "! error BadPath spec.rules[0].http.paths[0].path\n" },

    { "an empty path is the root",
      PATH("path: '', " BACKEND),
      "Ingress default/web\nrule \npath / Implementation web:80\n" },

    { "a prefix that is resolved away",
      PATH("path: /a/../b, pathType: Prefix, " BACKEND),
      "Ingress default/web\nrule \n"
      "! error BadPath spec.rules[0].http.paths[0].path\n" },

    { "the same as a regular expression",
      PATH("path: '/a/../b', pathType: ImplementationSpecific, " BACKEND),
      "Ingress default/web\nrule \npath /a/../b Implementation web:80\n" },

    { "control bytes in a path",
      PATH("path: \"/a\\nb\", " BACKEND),
      "Ingress default/web\nrule \n"
      "! error ControlCharacter spec.rules[0].http.paths[0].path\n" },

    { "an unknown type of path",
      PATH("path: /, pathType: prefix, " BACKEND),
      "Ingress default/web\nrule \n"
      "! error BadPathType spec.rules[0].http.paths[0].pathType\n" },

    { "no backend",
      PATH("path: /"),
      "Ingress default/web\nrule \n"
      "! error BadBackend spec.rules[0].http.paths[0].backend\n" },

    { "a backend of old",
      PATH("path: /, backend: {serviceName: web, servicePort: 80}"),
      "Ingress default/web\nrule \n! error DeprecatedAPI "
      "spec.rules[0].http.paths[0].backend.serviceName\n" },

    { "a resource as backend",
      PATH("path: /, backend: {resource: {kind: Bucket, name: b}}"),
      "Ingress default/web\nrule \npath / Implementation (resource)\n"
      "! warning ResourceBackend "
      "spec.rules[0].http.paths[0].backend.resource\n" },

    { "a port that cannot be",
      PATH("backend: {service: {name: web, port: {number: 65536}}}"),
      "Ingress default/web\nrule \n! error BadPort "
      "spec.rules[0].http.paths[0].backend.service.port.number\n" },

    { "a port in quotes",
      PATH("backend: {service: {name: web, port: {number: '80'}}}"),
      "Ingress default/web\nrule \npath / Implementation web:80\n"
      "! warning WrongType "
      "spec.rules[0].http.paths[0].backend.service.port.number\n" },

    { "a name of a port that is a number",
      PATH("backend: {service: {name: web, port: {name: '80'}}}"),
      "Ingress default/web\nrule \n! error BadPort "
      "spec.rules[0].http.paths[0].backend.service.port\n" },

    { "a port by number and name",
      PATH("backend: {service: {name: web, port: {name: a, number: 1}}}"),
      "Ingress default/web\nrule \n! error BadPort "
      "spec.rules[0].http.paths[0].backend.service.port\n" },

    { "no port",
      PATH("backend: {service: {name: web}}"),
      "Ingress default/web\nrule \n! error BadPort "
      "spec.rules[0].http.paths[0].backend.service.port\n" },

    { "a misspelt field",
      PATH("path: /, pathtype: Prefix, " BACKEND),
      "Ingress default/web\nrule \npath / Implementation web:80\n"
      "! warning UnknownField spec.rules[0].http.paths[0].pathtype\n" },

    { "one bad path costs itself",
      INGRESS("web", "  rules:\n  - http:\n      paths:\n"
              "      - {path: a, " BACKEND "}\n"
              "      - {path: /b, " BACKEND "}\n"
              "      - x\n"
              "      - {path: /c, " BACKEND "}\n"),
      "Ingress default/web\nrule \npath /b Implementation web:80\n"
      "path /c Implementation web:80\n"
      "! error BadPath spec.rules[0].http.paths[0].path\n"
      "! error WrongType spec.rules[0].http.paths[2]\n" },

    { "a bad TLS entry",
      INGRESS("web", "  defaultBackend: {service: {name: a, port: {number: 1}"
              "}}\n  tls:\n  - x\n  - {hosts: [a.example, 'b c'], secretName: "
              "A/b}\n  - {hosts: a.example, secretName: ''}\n"),
      "Ingress default/web\ndefault a:1\ntls  a.example\ntls \n"
      "! error WrongType spec.tls[0]\n"
      "! error BadHost spec.tls[1].hosts[1]\n"
      "! error BadName spec.tls[1].secretName\n"
      "! error WrongType spec.tls[2].hosts\n" },

    { "Services",
      "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n"
      "  clusterIP: 10.96.0.7\n  ports:\n"
      "  - {name: http, port: 80, targetPort: web}\n"
      "  - {name: alt, port: 81, targetPort: 8081, protocol: TCP}\n"
      "  - {name: dns, port: 53, protocol: UDP}\n---\n"
      "apiVersion: v1\nkind: Service\nmetadata: {name: head}\n"
      "spec: {clusterIP: None, ports: [{port: 80}]}\n---\n"
      "apiVersion: v1\nkind: Service\nmetadata: {name: out}\n"
      "spec: {type: ExternalName, externalName: Example.ORG.}\n---\n"
      "apiVersion: v1\nkind: Service\nmetadata: {name: ip}\n"
      "spec: {type: ExternalName, externalName: '2001:db8::1'}\n",
      "Service default/web ClusterIP 10.96.0.7\n"
      "port http 80 web tcp\nport alt 81 8081 tcp\nport dns 53 0\n"
      "Service default/head Headless\nport  80 0 tcp\n"
      "Service default/out ExternalName example.org\n"
      "Service default/ip ExternalName 2001:db8::1\n" },

    { "Services with mistakes",
      "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n"
      "  type: clusterip\n  clusterIP: 10.96.0\n  ports:\n"
      "  - {port: 0}\n  - {targetPort: 80}\n"
      "  - {port: 80, targetPort: -1}\n"
      "  - {port: 80, targetPort: '8080', protocol: tcp}\n---\n"
      "apiVersion: v1\nkind: Service\nmetadata: {name: out}\n"
      "spec: {type: ExternalName, externalName: a b}\n---\n"
      "apiVersion: v1\nkind: Service\nmetadata: {name: out}\n"
      "spec: {type: ExternalName}\n",
      "Service default/web ClusterIP \nport  80 8080\n"
      "! error BadServiceType spec.type\n"
      "! error BadAddress spec.clusterIP\n"
      "! error BadPort spec.ports[0].port\n"
      "! error BadPort spec.ports[1].port\n"
      "! error BadPort spec.ports[2].targetPort\n"
      "! error UnknownProtocol spec.ports[3].protocol\n"
      "! warning WrongType spec.ports[3].targetPort\n"
      "Service default/out ExternalName \n"
      "! error BadHost spec.externalName\n"
      "Service default/out ExternalName \n"
      "! error BadHost spec.externalName\n" },

    { "an EndpointSlice",
      SLICE("addressType: IPv4\nports:\n- {name: http, port: 8080}\n"
            "- {name: all}\nendpoints:\n"
            "- {addresses: [10.0.0.1]}\n"
            "- {addresses: [10.0.0.2], conditions: {ready: true}}\n"
            "- {addresses: [10.0.0.3], conditions: {ready: false, "
            "serving: true, terminating: true}}\n"
            "- {addresses: [10.0.0.4], conditions: {ready: null}}\n"),
      "EndpointSlice default/web-1\n"
      "label kubernetes.io/service-name=web\n"
      "subset web\n"
      "endpoint 10.0.0.1 ready serving\n"
      "endpoint 10.0.0.2 ready serving\n"
      "endpoint 10.0.0.3 serving terminating\n"
      "endpoint 10.0.0.4 ready serving\n"
      "port http 8080 tcp\n" },

    { "names in an EndpointSlice",
      SLICE("addressType: FQDN\nendpoints: [{addresses: [Web.example]}]\n"
            "ports: null\n"),
      "EndpointSlice default/web-1\n"
      "label kubernetes.io/service-name=web\n"
      "subset web\nendpoint web.example ready serving\n" },

    { "an EndpointSlice with mistakes",
      SLICE("addressType: IPv4\nports: [{port: http}, x]\nendpoints:\n"
            "- {addresses: [web.example, 10.0.0.1]}\n- y\n"
            "- {addresses: [10.0.0.2], conditions: {ready: 'no'}}\n"),
      "EndpointSlice default/web-1\n"
      "label kubernetes.io/service-name=web\n"
      "subset web\nendpoint 10.0.0.1 ready serving\n"
      "endpoint 10.0.0.2 ready serving\n"
      "! error BadAddress endpoints[0].addresses[0]\n"
      "! error WrongType endpoints[1]\n"
      "! error WrongType endpoints[2].conditions.ready\n"
      "! error BadPort ports[0].port\n"
      "! error WrongType ports[1]\n" },

    { "an EndpointSlice of no Service",
      "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
      "metadata: {name: a}\nendpoints: null\n",
      "EndpointSlice default/a\nsubset \n! info NoService metadata.labels\n" },

    { "Endpoints",
      "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web, annotations: "
      "{a: b}}\nsubsets:\n"
      "- addresses: [{ip: 127.0.0.1}, {hostname: x}]\n"
      "  notReadyAddresses: [{ip: '::1'}]\n"
      "  ports: [{port: 3000}]\n"
      "- {}\n- x\n",
      "Endpoints default/web\nsubset web\nendpoint 127.0.0.1 ready serving\n"
      "endpoint ::1\nport  3000 tcp\nsubset web\n"
      "! error BadAddress subsets[0].addresses[1].ip\n"
      "! error WrongType subsets[2]\n" },

    { "a Secret",
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
      "type: kubernetes.io/tls\n"
      "data: {a: aGFsbG8=, b: '', c: bm8=}\n"
      "stringData: {c: yes it is, d: \"x\\ny\"}\n",
      "Secret default/s kubernetes.io/tls\n"
      "data a=hallo\ndata b=\ndata c=yes it is\ndata d=x\ny\n" },

    { "what a Secret holds is not told",
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
      "data: {a: secret!, b: [secret]}\n"
      "stringData: {c: 5551234, d: [secret], e: true}\n",
      "Secret default/s \ndata c=5551234\ndata d=\ndata e=true\n"
      "! error BadBase64 data.a\n! error BadBase64 data.b\n"
      "! error WrongType stringData.c\n! error WrongType stringData.d\n"
      "! error WrongType stringData.e\n" },

    { "a ConfigMap",
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
      "data: {a: 'on', b: 5, c: \"x\\n\"}\nbinaryData: {x: aGFsbG8=}\n",
      "ConfigMap default/c\ndata a=on\ndata b=5\ndata c=x\n\n"
      "! error WrongType data.b\n" },

    { "an object being deleted, of an unknown age",
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: c, "
      "deletionTimestamp: '2026-11-22T15:07:42Z', creationTimestamp: now}\n",
      "Namespace /c deleting\n"
      "! warning BadTime metadata.creationTimestamp\n" },
};


typedef struct {
    const char  *text;
    int          rc;
    int64_t      t;
} time_case_t;

static const time_case_t  times[] = {
    { "1970-01-01T00:00:00Z", TORII_OK, 0 },
    { "2000-02-29T12:00:00Z", TORII_OK, 951825600 },
    { "2026-11-22T15:07:42Z", TORII_OK, 1795360062 },
    { "2026-11-22T15:07:42.123456Z", TORII_OK, 1795360062 },
    { "2026-11-22T16:37:42+01:30", TORII_OK, 1795360062 },
    { "2026-11-22 13:07:42-02:00", TORII_OK, 1795360062 },
    { "1969-12-31T23:59:59Z", TORII_OK, -1 },
    { "2026-11-22T15:07:42", TORII_ERROR, 0 },
    { "2026-13-22T15:07:42Z", TORII_ERROR, 0 },
    { "2026-11-22T24:07:42Z", TORII_ERROR, 0 },
    { "2026-11-22", TORII_ERROR, 0 },
    { "26-11-22T15:07:42Z", TORII_ERROR, 0 },
    { "2026-11-22T15:07:42Z ", TORII_ERROR, 0 },
    { "", TORII_ERROR, 0 },
};


static torii_str_t
buf_str(const torii_buf_t *b)
{
    torii_str_t  s;

    s.data = b->data;
    s.len = b->len;

    return s;
}


static void
print_pairs(torii_buf_t *out, const char *what, const ingress_pairs_t *pairs)
{
    uint32_t  i;

    for (i = 0; i < pairs->n; i++) {
        torii_buf_printf(out, "%s %.*s=%.*s\n", what,
                         torii_str_arg(pairs->elts[i].name),
                         torii_str_arg(pairs->elts[i].value));
    }
}


static void
print_port(torii_buf_t *out, const ingress_port_t *port)
{
    if (port->name.len) {
        torii_buf_add_str(out, port->name);

    } else {
        torii_buf_printf(out, "%u", port->number);
    }
}


static void
print_backend(torii_buf_t *out, const ingress_backend_t *backend)
{
    if (backend->resource) {
        torii_buf_adds(out, "(resource)\n");
        return;
    }

    torii_buf_add_str(out, backend->service);
    torii_buf_adds(out, ":");
    print_port(out, &backend->port);
    torii_buf_adds(out, "\n");
}


static void
print_ingress(torii_buf_t *out, const ingress_ingress_t *ing)
{
    uint32_t                 i, k;
    const ingress_rule_t    *rule;
    const ingress_tls_t     *tls;
    static const char *const  types[] = {
        "Implementation", "Exact", "Prefix"
    };

    if (ing->has_class_name) {
        torii_buf_printf(out, "class %.*s\n", torii_str_arg(ing->class_name));
    }

    if (ing->has_default_backend) {
        torii_buf_adds(out, "default ");
        print_backend(out, &ing->default_backend);
    }

    for (i = 0; i < ing->nrules; i++) {
        rule = &ing->rules[i];
        torii_buf_printf(out, "rule %.*s%s\n", torii_str_arg(rule->host),
                         rule->has_http ? "" : ", no http");

        for (k = 0; k < rule->n; k++) {
            torii_buf_printf(out, "path %.*s %s ",
                             torii_str_arg(rule->paths[k].path),
                             types[rule->paths[k].type]);
            print_backend(out, &rule->paths[k].backend);
        }
    }

    for (i = 0; i < ing->ntls; i++) {
        tls = &ing->tls[i];
        torii_buf_printf(out, "tls %.*s", torii_str_arg(tls->secret));

        for (k = 0; k < tls->n; k++) {
            torii_buf_printf(out, " %.*s", torii_str_arg(tls->hosts[k]));
        }

        torii_buf_adds(out, "\n");
    }
}


static void
print_service(torii_buf_t *out, const ingress_service_t *service)
{
    uint32_t  i;

    for (i = 0; i < service->n; i++) {
        torii_buf_printf(out, "port %.*s %u ",
                         torii_str_arg(service->ports[i].name),
                         service->ports[i].port);
        print_port(out, &service->ports[i].target);
        torii_buf_adds(out, service->ports[i].tcp ? " tcp\n" : "\n");
    }
}


static void
print_slice(torii_buf_t *out, const ingress_slice_t *slice)
{
    uint32_t                   i, k;
    const ingress_subset_t    *subset;
    const ingress_endpoint_t  *ep;

    for (i = 0; i < slice->n; i++) {
        subset = &slice->subsets[i];
        torii_buf_printf(out, "subset %.*s\n", torii_str_arg(subset->service));

        for (k = 0; k < subset->n; k++) {
            ep = &subset->endpoints[k];
            torii_buf_printf(out, "endpoint %.*s%s%s%s\n",
                             torii_str_arg(ep->address),
                             ep->ready ? " ready" : "",
                             ep->serving ? " serving" : "",
                             ep->terminating ? " terminating" : "");
        }

        for (k = 0; k < subset->nports; k++) {
            torii_buf_printf(out, "port %.*s %u%s\n",
                             torii_str_arg(subset->ports[k].name),
                             subset->ports[k].port,
                             subset->ports[k].tcp ? " tcp" : "");
        }
    }
}


static void
print_head(torii_buf_t *out, const ingress_object_t *o)
{
    const ingress_service_t   *service;
    static const char *const   types[] = {
        "ClusterIP ", "Headless", "ExternalName "
    };

    torii_buf_printf(out, "%s %.*s/%.*s", ingress_kind_name(o->kind),
                     torii_str_arg(o->namespace), torii_str_arg(o->name));

    if (o->created) {
        torii_buf_printf(out, " created=%lld", (long long) o->created);
    }

    if (o->deleting) {
        torii_buf_adds(out, " deleting");
    }

    if (o->kind == INGRESS_KIND_SERVICE) {
        service = &o->u.service;
        torii_buf_printf(out, " %s%.*s%.*s", types[service->type],
                         torii_str_arg(service->cluster_ip),
                         torii_str_arg(service->external_name));
    }

    if (o->kind == INGRESS_KIND_SECRET) {
        torii_buf_printf(out, " %.*s", torii_str_arg(o->u.secret.type));
    }

    torii_buf_adds(out, "\n");

    print_pairs(out, "annotation", &o->annotations);
    print_pairs(out, "label", &o->labels);
}


static void
add_object(void *data, ingress_object_t *o)
{
    object_out_t             *out;
    const ingress_finding_t  *f;

    out = data;
    out->version = o->version;
    out->n++;

    print_head(&out->text, o);

    switch (o->kind) {

    case INGRESS_KIND_INGRESS:
        print_ingress(&out->text, &o->u.ingress);
        break;

    case INGRESS_KIND_CLASS:
        torii_buf_printf(&out->text, "controller %.*s\n",
                         torii_str_arg(o->u.class.controller));
        break;

    case INGRESS_KIND_SERVICE:
        print_service(&out->text, &o->u.service);
        break;

    case INGRESS_KIND_SLICE:
    case INGRESS_KIND_ENDPOINTS:
        print_slice(&out->text, &o->u.slice);
        break;

    case INGRESS_KIND_SECRET:
        print_pairs(&out->text, "data", &o->u.secret.data);
        break;

    case INGRESS_KIND_CONFIGMAP:
        print_pairs(&out->text, "data", &o->u.configmap.data);
        break;

    default:
        break;
    }

    for (f = o->findings; f != NULL; f = f->next) {
        torii_buf_printf(&out->text, "! %s %s %.*s\n",
                         ingress_severity_name(f->severity), f->reason,
                         torii_str_arg(f->field));

        if (o->kind == INGRESS_KIND_SECRET
            && (f->value.len || strstr((char *) f->message.data, "555")
                || strstr((char *) f->message.data, "secret")))
        {
            torii_buf_adds(&out->text, "a Secret leaks\n");
        }
    }

    ingress_object_free(o);
}


static void
decode(const char *in, object_out_t *out)
{
    uint32_t             i, n;
    torii_arena_t       *a;
    torii_node_t       **docs;
    ingress_finding_t   *findings, *f;
    torii_tree_error_t   error;

    memset(out, 0, sizeof(object_out_t));

    a = torii_arena_create(4096);

    if (torii_tree_yaml(a, torii_str(in), &torii_tree_limits, &docs, &n,
                        &error)
        != TORII_OK)
    {
        torii_buf_adds(&out->text, error.text);
        n = 0;
    }

    for (i = 0; i < n; i++) {
        findings = NULL;
        ingress_object_decode(a, docs[i], torii_str("object.yaml"), add_object,
                              out, &findings);

        for (f = findings; f != NULL; f = f->next) {
            torii_buf_printf(&out->text, "! %s %s %.*s %.*s %.*s%s%.*s\n",
                             ingress_severity_name(f->severity), f->reason,
                             torii_str_arg(f->field), torii_str_arg(f->kind),
                             torii_str_arg(f->namespace),
                             torii_str_eqs(f->kind, "File") ? "" : "/",
                             torii_str_arg(f->name));
        }
    }

    torii_arena_destroy(a);
}


static void
test_cases(void)
{
    size_t        i;
    torii_str_t   text;
    object_out_t  out;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        decode(cases[i].in, &out);
        text = buf_str(&out.text);

        if (!tap_ok(torii_str_eqs(text, cases[i].out), "%s", cases[i].name)) {
            printf("expected:\n%s\ngot:\n%.*s\n", cases[i].out,
                   torii_str_arg(text));
        }

        torii_buf_free(&out.text);
    }
}


static void
test_times(void)
{
    int      rc;
    size_t   i;
    int64_t  t;

    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        t = 0;
        rc = ingress_time_parse(torii_str(times[i].text), &t);
        tap_ok(rc == times[i].rc && (rc != TORII_OK || t == times[i].t),
               "time \"%s\"", times[i].text);
    }
}


static uint64_t
version_of(const char *in)
{
    object_out_t  out;

    decode(in, &out);
    torii_buf_free(&out.text);

    return out.version;
}


static void
test_version(void)
{
    uint64_t  v;

    v = version_of(PATH("path: /a, " BACKEND));

    tap_ok(v == version_of("# moved\n---\n\n---\n" PATH("path: /a, " BACKEND)),
           "the place in the file is not in the version");
    tap_ok(v == version_of(PATH("path: /a, " BACKEND)
                           "status: {loadBalancer: {}}\n"),
           "nor is the status");
    tap_ok(v != version_of(PATH("path: /b, " BACKEND)), "but the path is");
    tap_ok(v != version_of(PATH("path: /a, x: y, " BACKEND)),
           "and a finding is");
}


/* 100,000 paths in one object, and as many mistakes. */

static void
test_large(void)
{
    uint32_t      i;
    torii_buf_t   in;
    object_out_t  out;

    memset(&in, 0, sizeof(in));
    torii_buf_adds(&in, INGRESS("web", "  rules:\n  - http:\n"
                                "      paths:\n"));

    for (i = 0; i < 100000; i++) {
        torii_buf_printf(&in, "      - {path: /%u, " BACKEND "}\n",
                         (unsigned) i);
        torii_buf_printf(&in, "      - {path: %u, " BACKEND "}\n",
                         (unsigned) i);
    }

    torii_buf_add(&in, "", 1);
    decode((char *) in.data, &out);
    torii_buf_add(&out.text, "", 1);

    tap_ok(out.n == 1 && strstr((char *) out.text.data, "path /99999 "),
           "100,000 paths");
    tap_ok(strstr((char *) out.text.data, "paths[3].path") != NULL
           && strstr((char *) out.text.data, "! error MoreFindings \n"),
           "of 200,000 findings 100 are kept");

    torii_buf_free(&in);
    torii_buf_free(&out.text);
}


static void
test_long_annotation(void)
{
    size_t        i;
    torii_buf_t   in;
    object_out_t  out;

    memset(&in, 0, sizeof(in));
    torii_buf_adds(&in, "apiVersion: v1\nkind: Namespace\nmetadata:\n"
                   "  name: a\n  annotations:\n    long: \"");

    for (i = 0; i < 10 * 1024 * 1024; i += 16) {
        torii_buf_adds(&in, "0123456789abcdef");
    }

    torii_buf_add(&in, "\"\n", 3);
    decode((char *) in.data, &out);

    tap_ok(torii_str_eqs(buf_str(&out.text), "Namespace /a\nannotation "
                         "long=(too long)\n! error BadText long\n"),
           "an annotation of 10 MB");

    torii_buf_free(&in);
    torii_buf_free(&out.text);
}


int
main(void)
{
    test_cases();
    test_times();
    test_version();
    test_large();
    test_long_annotation();

    return tap_done();
}
