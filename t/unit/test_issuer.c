
/*
 * cert-manager's objects decoded from YAML: each case is a document and a
 * short transcript of what came out of it.  No finding may show what stands
 * where a secret should not ("hunter2").
 */

#include <stdlib.h>

#include "ingress_decode.h"
#include "tap.h"


typedef struct {
    const char        *name;
    const char        *in;
    const char        *out;
} issuer_case_t;

typedef struct {
    const char        *text;
    int                rc;
    int64_t            seconds;
} duration_case_t;

typedef struct {
    torii_buf_t        text;
    uint64_t           version;
} issuer_out_t;


#define OBJECT(kind, spec)                                                    \
    "apiVersion: cert-manager.io/v1\nkind: " kind "\n"                        \
    "metadata: {name: le}\nspec: " spec "\n"

#define ISSUER(spec)  OBJECT("Issuer", spec)

#define ACME(rest)                                                            \
    ISSUER("{acme: {server: 'https://ca.example/dir', "                       \
           "privateKeySecretRef: {name: key}, " rest "}}")

#define SOLVER(rest)  ACME("solvers: [{" rest "}]")
#define DNS(rest)     SOLVER("dns01: {" rest "}")

#define ACME_HEAD  "acme https://ca.example/dir key key:tls.key\n"
#define ACME_OUT   "Issuer default/le\n" ACME_HEAD

#define CERT(rest)                                                            \
    OBJECT("Certificate", "{secretName: tls, issuerRef: {name: le}, " rest "}")

/* One that belongs to somebody, with more of its ownerReferences. */

#define OWNED(list)                                                           \
    "apiVersion: cert-manager.io/v1\nkind: Certificate\n"                     \
    "metadata: {name: le, ownerReferences: " list "}\n"                       \
    "spec: {secretName: tls, issuerRef: {name: le}, dnsNames: [a]}\n"

#define OWNER(api, kind, rest)                                                \
    "{apiVersion: " api ", kind: " kind ", name: web, uid: x" rest "}"

#define SHIM(rest)  OWNER("networking.k8s.io/v1", "Ingress", rest)

#define OWNED_OUT  CERT_HEAD "name a\n" RSA

#define CERT_HEAD  "Certificate default/le\nsecret tls by Issuer/le of "      \
                   "cert-manager.io\n"

#define RSA        "RSA 2048 PKCS1\n"


static const issuer_case_t  cases[] = {

    { "an ACME issuer with all that is used",
      "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\n"
      "metadata: {name: le, namespace: passed-over}\n"
      "spec:\n"
      "  acme:\n"
      "    server: https://acme.example/directory\n"
      "    email: ops@example.org\n"
      "    privateKeySecretRef: {name: account, key: k.pem}\n"
      "    disableAccountKeyGeneration: true\n"
      "    externalAccountBinding:\n"
      "      keyID: kid-1\n"
      "      keySecretRef: {name: eab, key: secret}\n"
      "      keyAlgorithm: HS384\n"
      "    caBundle: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBQUEKLS0tLS1F"
               "TkQgQ0VSVElGSUNBVEUtLS0tLQo=\n"
      "    preferredChain: ISRG Root X1\n"
      "    profile: shortlived\n"
      "    enableDurationFeature: true\n"
      "    renewalInformationSource: None\n"
      "    solvers:\n"
      "    - http01: {ingress: {ingressClassName: nginx}}\n"
      "    - selector:\n"
      "        matchLabels: {team: a}\n"
      "        dnsNames: [a.example, '*.b.example']\n"
      "        dnsZones: [C.example.]\n"
      "      waitInsteadOfSelfCheck: 1m30s\n"
      "      dns01:\n"
      "        cnameStrategy: Follow\n"
      "        nameservers: ['192.0.2.1:53', ns.example]\n"
      "        rfc2136:\n"
      "          nameserver: 192.0.2.53:5353\n"
      "          tsigSecretSecretRef: {name: tsig, key: k}\n"
      "          tsigKeyName: key.example\n"
      "          tsigAlgorithm: HMACSHA512\n"
      "          protocol: TCP\n"
      "status: {acme: {uri: 'https://acme.example/acct/1'}}\n",
      "ClusterIssuer /le\n"
      "acme https://acme.example/directory key account:k.pem\n"
      "email ops@example.org\n"
      "eab kid-1 eab:secret 384\n"
      "bundle 59\n"
      "chain ISRG Root X1\n"
      "profile shortlived\n"
      "flags no-generation duration no-ari\n"
      "uri https://acme.example/acct/1\n"
      "solver http01\n"
      "solver dns01 wait=90 cname\n"
      "label team=a\n"
      "name a.example\nname *.b.example\nzone c.example\n"
      "nameserver 192.0.2.1:53\nnameserver ns.example\n"
      "dns 1 rfc2136\n"
      "secret tsigSecretSecretRef tsig:k\n"
      "update 192.0.2.53:5353 key.example 5 tsig:k tcp\n" },

    { "defaults of an ACME issuer",
      ACME(""), ACME_OUT },

    { "issuers of other types",
      ISSUER("{ca: {secretName: ca}}") "---\n"
      ISSUER("{selfSigned: {}}") "---\n"
      ISSUER("{vault: {path: p, server: 'https://v.example'}}") "---\n"
      ISSUER("{}") "---\n"
      ISSUER("{acme: {}, ca: {}}") "---\n"
      ISSUER("{ca: {}}") "---\n"
      ISSUER("{ca: {secretName: 'A b'}}") "---\n"
      ISSUER("{acme: yes please}"),
      "Issuer default/le\nca ca\n"
      "Issuer default/le\nself-signed\n"
      "Issuer default/le\nother\nunusable\n! info IssuerType spec.vault\n"
      "Issuer default/le\nother\nunusable\n! error IssuerType spec\n"
      "Issuer default/le\nother\nunusable\n! error IssuerType spec\n"
      "Issuer default/le\nca \nunusable\n"
      "! error NoSecret spec.ca.secretName\n"
      "Issuer default/le\nca \nunusable\n"
      "! error BadName spec.ca.secretName\n"
      "Issuer default/le\nother\nunusable\n! error WrongType spec.acme\n" },

    { "other groups and versions",
      "apiVersion: cert-manager.io/v1alpha2\nkind: Issuer\n"
      "metadata: {name: a}\n---\n"
      "apiVersion: certmanager.k8s.io/v1alpha1\nkind: Issuer\n"
      "metadata: {name: a}\n---\n"
      "apiVersion: networking.internal.knative.dev/v1alpha1\n"
      "kind: Certificate\nmetadata: {name: a}\n---\n"
      "apiVersion: acme.cert-manager.io/v1\nkind: Order\n"
      "metadata: {name: a}\n",
      "! error DeprecatedAPI apiVersion Issuer /a\n" },

    { "a list of cluster issuers",
      "apiVersion: cert-manager.io/v1\nkind: ClusterIssuerList\n"
      "items: [{metadata: {name: a}, spec: {selfSigned: {}}}]\n",
      "ClusterIssuer /a\nself-signed\n" },

    { "servers that are not asked",
      ISSUER("{acme: {privateKeySecretRef: {name: key}}}") "---\n"
      ISSUER("{acme: {server: 'http://ca.example/', privateKeySecretRef: "
             "{name: key}}}") "---\n"
      ISSUER("{acme: {server: 'https://', privateKeySecretRef: {name: key}}}")
      "---\n"
      ISSUER("{acme: {server: 'https://a:hunter2@b/', privateKeySecretRef: "
             "{name: key}}}") "---\n"
      ISSUER("{acme: {server: 'https://a/{b}', privateKeySecretRef: "
             "{name: key}}}"),
      "Issuer default/le\nacme  key key:tls.key\nunusable\n"
      "! error NoServer spec.acme.server\n"
      "Issuer default/le\nacme  key key:tls.key\nunusable\n"
      "! error BadURL spec.acme.server\n"
      "Issuer default/le\nacme  key key:tls.key\nunusable\n"
      "! error BadURL spec.acme.server\n"
      "Issuer default/le\nacme  key key:tls.key\nunusable\n"
      "! error BadURL spec.acme.server\n"
      "Issuer default/le\nacme  key key:tls.key\nunusable\n"
      "! error BadURL spec.acme.server\n" },

    { "keys of accounts",
      ISSUER("{acme: {server: 'https://ca.example/dir'}}") "---\n"
      ISSUER("{acme: {server: 'https://ca.example/dir', "
             "privateKeySecretRef: hunter2}}") "---\n"
      ISSUER("{acme: {server: 'https://ca.example/dir', "
             "privateKeySecretRef: {key: a}}}"),
      "Issuer default/le\nacme https://ca.example/dir key :\nunusable\n"
      "! error NoSecret spec.acme.privateKeySecretRef\n"
      "Issuer default/le\nacme https://ca.example/dir key :\nunusable\n"
      "! error WrongType spec.acme.privateKeySecretRef\n"
      "Issuer default/le\nacme https://ca.example/dir key :\nunusable\n"
      "! error NoSecret spec.acme.privateKeySecretRef\n" },

    { "account bindings that are not one",
      ACME("externalAccountBinding: hunter2") "---\n"
      ACME("externalAccountBinding: {keyID: a, keySecretRef: hunter2}") "---\n"
      ACME("externalAccountBinding: {keySecretRef: {name: a, key: b}}") "---\n"
      ACME("externalAccountBinding: {keyID: a, keySecretRef: {name: a}}")
      "---\n"
      ACME("externalAccountBinding: {keyID: a, keyAlgorithm: HS1, "
           "keySecretRef: {name: a, key: b}}"),
      ACME_OUT "unusable\n"
      "! error WrongType spec.acme.externalAccountBinding\n"
      "! error BadAccountBinding spec.acme.externalAccountBinding\n"
      ACME_OUT "unusable\n"
      "! error WrongType spec.acme.externalAccountBinding.keySecretRef\n"
      "! error BadAccountBinding spec.acme.externalAccountBinding\n"
      ACME_OUT "unusable\n"
      "! error BadAccountBinding spec.acme.externalAccountBinding\n"
      ACME_OUT "unusable\n"
      "! error NoSecret spec.acme.externalAccountBinding.keySecretRef\n"
      "! error BadAccountBinding spec.acme.externalAccountBinding\n"
      ACME_OUT "unusable\n"
      "! error BadValue spec.acme.externalAccountBinding.keyAlgorithm\n"
      "! error BadAccountBinding spec.acme.externalAccountBinding\n" },

    { "whom to trust",
      ACME("skipTLSVerify: true") "---\n"
      ACME("caBundle: '?'") "---\n"
      ACME("caBundle: aGFsbG8=") "---\n"
      ACME("caBundle: ''") "---\n"
      ACME("caBundle: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==") "---\n"
      ACME("skipTLSVerify: true, caBundle: '?'") "---\n"
      ACME("skipTLSVerify: 'on'"),
      ACME_OUT "flags insecure\n"
      "! warning InsecureIssuer spec.acme.skipTLSVerify\n"
      ACME_OUT "unusable\n! error BadBundle spec.acme.caBundle\n"
      ACME_OUT "unusable\n! error BadBundle spec.acme.caBundle\n"
      ACME_OUT
      ACME_OUT "unusable\n! error BadBundle spec.acme.caBundle\n"
      ACME_OUT "unusable\n! error InsecureIssuer spec.acme.skipTLSVerify\n"
      "! error BadBundle spec.acme.caBundle\n"
      ACME_OUT "! error WrongType spec.acme.skipTLSVerify\n" },

    { "wishes, and an account of nobody's",
      ACME("preferredChain: X0123456789012345678901234567890123456789012345678"
           "9012345678901234, renewalInformationSource: some") "---\n"
      ISSUER("{acme: {server: 'https://ca.example/dir', "
             "privateKeySecretRef: {name: key}}}\n"
             "status: {acme: {uri: 'ftp://x'}}"),
      ACME_OUT "! error BadValue spec.acme.preferredChain\n"
      "! error BadValue spec.acme.renewalInformationSource\n"
      ACME_OUT },

    { "solvers of no type, of two, and of none",
      ACME("solvers: [{}, {http01: {}, dns01: {}}, text, {http01: x}]"),
      ACME_OUT "solver other unusable\nsolver other unusable\n"
      "solver http01 unusable\n"
      "! error BadSolver spec.acme.solvers[0]\n"
      "! error BadSolver spec.acme.solvers[1]\n"
      "! error WrongType spec.acme.solvers[2]\n"
      "! error WrongType spec.acme.solvers[3].http01\n" },

    { "a selector that cannot be read selects nothing",
      SOLVER("http01: {}, selector: all") "---\n"
      SOLVER("http01: {}, selector: {dnsNames: [a.example, 'b b']}") "---\n"
      SOLVER("http01: {}, selector: {dnsZones: a.example}") "---\n"
      SOLVER("http01: {}, selector: {matchLabels: [a]}") "---\n"
      SOLVER("http01: {}, selector: {matchLabels: {a: [b]}}") "---\n"
      SOLVER("http01: {}, selector: {dnsNames: [], matchLabels: null}"),
      ACME_OUT "solver http01 unusable\n"
      "! error WrongType spec.acme.solvers[0].selector\n"
      ACME_OUT "solver http01 unusable\nname a.example\n"
      "! error BadHost spec.acme.solvers[0].selector.dnsNames[1]\n"
      ACME_OUT "solver http01 unusable\n"
      "! error WrongType spec.acme.solvers[0].selector.dnsZones\n"
      ACME_OUT "solver http01 unusable\n"
      "! error WrongType spec.acme.solvers[0].selector.matchLabels\n"
      ACME_OUT "solver http01\nlabel a=(a list)\n"
      "! error WrongType spec.acme.solvers[0].selector.matchLabels.a\n"
      ACME_OUT "solver http01\n" },

    { "waiting instead",
      SOLVER("http01: {}, waitInsteadOfSelfCheck: 0s") "---\n"
      SOLVER("http01: {}, waitInsteadOfSelfCheck: soon"),
      ACME_OUT "solver http01 wait=0\n"
      ACME_OUT "solver http01 unusable\n"
      "! error BadDuration spec.acme.solvers[0].waitInsteadOfSelfCheck\n" },

    { "providers of DNS",
      DNS("cloudflare: {email: a@b.example, apiKeySecretRef: {name: cf, "
          "key: k}, apiToken: hunter2}") "---\n"
      DNS("route53: {region: eu-1, accessKeyIDSecretRef: {name: r, key: i}, "
          "secretAccessKeySecretRef: {name: r, key: s}}") "---\n"
      DNS("acmeDNS: {host: 'https://d.example', accountSecretRef: {name: a, "
          "key: k}}") "---\n"
      DNS("webhook: {groupName: g.example, solverName: s, config: {a: 1}}")
      "---\n"
      DNS("digitalocean: {tokenSecretRef: hunter2}") "---\n"
      DNS("cloudflare: hunter2") "---\n"
      SOLVER("dns01: hunter2") "---\n"
      DNS("cloudflare: {}, route53: {}") "---\n"
      DNS("gandi: {}"),
      ACME_OUT "solver dns01\ndns 2 cloudflare\nemail=a@b.example\n"
      "secret apiKeySecretRef cf:k\n"
      ACME_OUT "solver dns01\ndns 3 route53\nregion=eu-1\n"
      "secret accessKeyIDSecretRef r:i\nsecret secretAccessKeySecretRef r:s\n"
      ACME_OUT "solver dns01\ndns 4 acmeDNS\nhost=https://d.example\n"
      "secret accountSecretRef a:k\n"
      ACME_OUT "solver dns01\ndns 9 webhook\ngroupName=g.example\n"
      "solverName=s\n"
      ACME_OUT "solver dns01 unusable\ndns 7 digitalocean\n"
      "! error WrongType spec.acme.solvers[0].dns01.digitalocean."
      "tokenSecretRef\n"
      ACME_OUT "solver dns01 unusable\n"
      "! error WrongType spec.acme.solvers[0].dns01.cloudflare\n"
      ACME_OUT "solver dns01 unusable\n"
      "! error WrongType spec.acme.solvers[0].dns01\n"
      ACME_OUT "solver dns01 unusable\n"
      "! error BadSolver spec.acme.solvers[0].dns01\n"
      ACME_OUT "solver dns01 unusable\n"
      "! error BadSolver spec.acme.solvers[0].dns01\n" },

    { "updates that would not be what was meant",
      DNS("rfc2136: {nameserver: 192.0.2.1}") "---\n"
      DNS("rfc2136: {}") "---\n"
      DNS("rfc2136: {nameserver: a, tsigKeyName: k}") "---\n"
      DNS("rfc2136: {nameserver: a, tsigSecretSecretRef: {name: a, key: b}}")
      "---\n"
      DNS("rfc2136: {nameserver: a, tsigAlgorithm: HMACSHA3}") "---\n"
      DNS("rfc2136: {nameserver: a, protocol: QUIC}") "---\n"
      DNS("cnameStrategy: Chase, rfc2136: {nameserver: a}"),
      ACME_OUT "solver dns01\ndns 1 rfc2136\nupdate 192.0.2.1  0 : udp\n"
      ACME_OUT "solver dns01 unusable\ndns 1 rfc2136\nupdate   0 : udp\n"
      "! error BadSolver spec.acme.solvers[0].dns01.rfc2136.nameserver\n"
      ACME_OUT "solver dns01 unusable\ndns 1 rfc2136\nupdate a k 0 : udp\n"
      "! error BadSolver spec.acme.solvers[0].dns01.rfc2136\n"
      ACME_OUT "solver dns01 unusable\ndns 1 rfc2136\n"
      "secret tsigSecretSecretRef a:b\nupdate a  0 a:b udp\n"
      "! error BadSolver spec.acme.solvers[0].dns01.rfc2136\n"
      ACME_OUT "solver dns01 unusable\ndns 1 rfc2136\nupdate a  0 : udp\n"
      "! error BadValue spec.acme.solvers[0].dns01.rfc2136.tsigAlgorithm\n"
      ACME_OUT "solver dns01 unusable\ndns 1 rfc2136\nupdate   0 : udp\n"
      "! error BadValue spec.acme.solvers[0].dns01.rfc2136.protocol\n"
      ACME_OUT "solver dns01 unusable\n"
      "! error BadValue spec.acme.solvers[0].dns01.cnameStrategy\n" },

    { "a Certificate with all that is used",
      "apiVersion: cert-manager.io/v1\nkind: Certificate\n"
      "metadata: {name: web, namespace: demo}\n"
      "spec:\n"
      "  secretName: web-tls\n"
      "  issuerRef: {name: le, kind: ClusterIssuer, group: cert-manager.io}\n"
      "  dnsNames: [a.example, '*.b.example']\n"
      "  ipAddresses: [192.0.2.7, '2001:db8::1']\n"
      "  commonName: a.example\n"
      "  duration: 2160h0m0s\n"
      "  renewBefore: 360h\n"
      "  renewal: {policy: Disabled}\n"
      "  privateKey: {algorithm: ECDSA, size: 384, encoding: PKCS8, "
      "rotationPolicy: Never}\n"
      "  usages: [digital signature, server auth]\n"
      "  isCA: true\n"
      "  secretTemplate: {labels: {a: b}, annotations: {c: d}}\n"
      "  revisionHistoryLimit: 1\n",
      "Certificate demo/web\n"
      "secret web-tls by ClusterIssuer/le of cert-manager.io\n"
      "name a.example\nname *.b.example\naddress 192.0.2.7\n"
      "address 2001:db8::1\n"
      "common a.example\ntimes 7776000 1296000 0\n"
      "ECDSA 384 PKCS8 keep no-renewal ca\n"
      "usage digital signature\nusage server auth\n"
      "secret label a=b\nsecret annotation c=d\n" },

    { "defaults of a Certificate",
      CERT("dnsNames: [a.example]"),
      CERT_HEAD "name a.example\n" RSA },

    { "a Certificate of an Ingress",
      OWNED("[" SHIM(", controller: true, blockOwnerDeletion: true") "]"),
      OWNED_OUT "ingress web\n" },

    { "by its old name",
      OWNED("[" OWNER("extensions/v1beta1", "Ingress", ", controller: true")
            "]"),
      OWNED_OUT "ingress web\n" },

    { "the one that controls it",
      OWNED("[" OWNER("v1", "Pod", "") ", "
            "{apiVersion: networking.k8s.io/v1, kind: Ingress, name: a}, "
            SHIM(", controller: true") "]"),
      OWNED_OUT "ingress web\n" },

    { "Certificates of nobody, or of others",
      OWNED("[" SHIM("") "]") "---\n"
      OWNED("[" SHIM(", controller: false") "]") "---\n"
      OWNED("[" OWNER("gateway.networking.k8s.io/v1", "Gateway",
                      ", controller: true") "]") "---\n"
      OWNED("[" OWNER("config.openshift.io/v1", "Ingress",
                      ", controller: true") "]") "---\n"
      OWNED("[" OWNER("networking.k8s.io/v1", "IngressClass",
                      ", controller: true") "]") "---\n"
      OWNED("[]") "---\n"
      OWNED("null"),
      OWNED_OUT OWNED_OUT OWNED_OUT OWNED_OUT OWNED_OUT OWNED_OUT OWNED_OUT },

    { "owners that are none",
      OWNED("web") "---\n"
      OWNED("[web, " SHIM(", controller: true") "]") "---\n"
      OWNED("[{apiVersion: networking.k8s.io/v1, kind: Ingress, "
            "name: 'A b', controller: true}]") "---\n"
      OWNED("[{apiVersion: networking.k8s.io/v1, kind: Ingress, "
            "controller: true}]"),
      OWNED_OUT "! error WrongType metadata.ownerReferences\n"
      OWNED_OUT "ingress web\n"
      "! error WrongType metadata.ownerReferences[0]\n"
      OWNED_OUT "! error BadName metadata.ownerReferences[0].name\n"
      OWNED_OUT },

    { "a Certificate of an external issuer",
      OBJECT("Certificate", "{secretName: tls, issuerRef: {name: le, kind: "
             "GoogleCASIssuer, group: cas-issuer.jetstack.io}, "
             "dnsNames: [a.example]}"),
      "Certificate default/le\nsecret tls by GoogleCASIssuer/le of "
      "cas-issuer.jetstack.io\nname a.example\n" RSA },

    { "a Certificate of nothing",
      "apiVersion: cert-manager.io/v1\nkind: Certificate\n"
      "metadata: {name: le}\n",
      "Certificate default/le\nsecret  by / of \n" RSA "unusable\n"
      "! error NoSecret spec.secretName\n"
      "! error NoIssuer spec.issuerRef.name\n"
      "! error NoNames spec.dnsNames\n" },

    { "names that cannot be",
      CERT("dnsNames: [a.example, 'b b']") "---\n"
      CERT("dnsNames: [a.example], ipAddresses: [a.example]") "---\n"
      CERT("dnsNames: a.example") "---\n"
      CERT("commonName: 01234567890123456789012345678901234567890123456789012"
           "345678901.example") "---\n"
      CERT("commonName: a.example, uris: ['spiffe://a'], emailAddresses: []"),
      CERT_HEAD "name a.example\n" RSA "unusable\n"
      "! error BadHost spec.dnsNames[1]\n"
      CERT_HEAD "name a.example\n" RSA "unusable\n"
      "! error BadAddress spec.ipAddresses[0]\n"
      CERT_HEAD RSA "unusable\n! error WrongType spec.dnsNames\n"
      CERT_HEAD RSA "unusable\n! error BadValue spec.commonName\n"
      CERT_HEAD "common a.example\n" RSA
      "! warning UnsupportedName spec.uris\n" },

    { "times that cannot be cost only themselves",
      CERT("dnsNames: [a], duration: 59m, renewBefore: x, "
           "renewBeforePercentage: 100") "---\n"
      CERT("dnsNames: [a], renewBefore: 1h, renewBeforePercentage: 20") "---\n"
      CERT("dnsNames: [a], renewBeforePercentage: 20, "
           "renewal: {policy: Never, windows: [{cron: x}]}"),
      CERT_HEAD "name a\n" RSA "! error BadDuration spec.duration\n"
      "! error BadDuration spec.renewBefore\n"
      "! error BadValue spec.renewBeforePercentage\n"
      CERT_HEAD "name a\ntimes 0 3600 0\n" RSA
      "! warning BadValue spec.renewBeforePercentage\n"
      CERT_HEAD "name a\ntimes 0 0 20\n" RSA
      "! error BadValue spec.renewal.policy\n"
      "! warning Unsupported spec.renewal.windows\n" },

    { "keys and usages that cannot be",
      CERT("dnsNames: [a], privateKey: {algorithm: rsa}") "---\n"
      CERT("dnsNames: [a], privateKey: {size: 1024}") "---\n"
      CERT("dnsNames: [a], privateKey: {size: '4096'}") "---\n"
      CERT("dnsNames: [a], privateKey: {algorithm: ECDSA, size: 300}") "---\n"
      CERT("dnsNames: [a], privateKey: {algorithm: Ed25519, size: 7}") "---\n"
      CERT("dnsNames: [a], usages: [server auth, all]"),
      CERT_HEAD "name a\nRSA 0 PKCS1\nunusable\n"
      "! error BadValue spec.privateKey.algorithm\n"
      CERT_HEAD "name a\n" RSA "unusable\n"
      "! error BadValue spec.privateKey.size\n"
      CERT_HEAD "name a\n" RSA "unusable\n"
      "! error BadValue spec.privateKey.size\n"
      CERT_HEAD "name a\nECDSA 0 PKCS1\nunusable\n"
      "! error BadValue spec.privateKey.size\n"
      CERT_HEAD "name a\nEd25519 0 PKCS1\n"
      CERT_HEAD "name a\n" RSA "usage server auth\nunusable\n"
      "! error BadValue spec.usages[1]\n" }
};


/* what time.ParseDuration() of Go answers */

static const duration_case_t  durations[] = {
    { "2160h", TORII_OK, 7776000 },
    { "2160h0m0s", TORII_OK, 7776000 },
    { "1h30m", TORII_OK, 5400 },
    { "1.5h", TORII_OK, 5400 },
    { ".5h", TORII_OK, 1800 },
    { "1.h", TORII_OK, 3600 },
    { "+5m", TORII_OK, 300 },
    { "5m1500ms", TORII_OK, 301 },
    { "999ms", TORII_OK, 0 },
    { "1000000\xc2\xb5s", TORII_OK, 1 },
    { "1000000\xce\xbcs", TORII_OK, 1 },
    { "0.7s0.3s", TORII_OK, 1 },
    { "0", TORII_OK, 0 },
    { "2562047h", TORII_OK, 9223369200 },
    { "2562048h", TORII_ERROR, 0 },
    { "", TORII_ERROR, 0 },
    { "+", TORII_ERROR, 0 },
    { "-5m", TORII_ERROR, 0 },
    { "5", TORII_ERROR, 0 },
    { "h", TORII_ERROR, 0 },
    { ".h", TORII_ERROR, 0 },
    { "1..5h", TORII_ERROR, 0 },
    { "90d", TORII_ERROR, 0 },
    { "1h ", TORII_ERROR, 0 },
    { "1H", TORII_ERROR, 0 }
};


static void
print_pairs(torii_buf_t *out, const char *what, const ingress_pairs_t *pairs)
{
    uint32_t  i;

    for (i = 0; i < pairs->n; i++) {
        torii_buf_printf(out, "%s%.*s=%.*s\n", what,
                         torii_str_arg(pairs->elts[i].name),
                         torii_str_arg(pairs->elts[i].value));
    }
}


static void
print_strings(torii_buf_t *out, const char *what,
    const ingress_strings_t *list)
{
    uint32_t  i;

    for (i = 0; i < list->n; i++) {
        torii_buf_printf(out, "%s %.*s\n", what, torii_str_arg(list->elts[i]));
    }
}


static void
print_text(torii_buf_t *out, const char *what, torii_str_t s)
{
    if (s.len) {
        torii_buf_printf(out, "%s %.*s\n", what, torii_str_arg(s));
    }
}


static void
print_dns(torii_buf_t *out, const ingress_dns_t *dns)
{
    uint32_t  i;

    if (dns->provider == INGRESS_DNS_OTHER) {
        return;
    }

    torii_buf_printf(out, "dns %d %.*s\n", dns->provider,
                     torii_str_arg(dns->name));
    print_pairs(out, "", &dns->settings);

    for (i = 0; i < dns->nsecrets; i++) {
        torii_buf_printf(out, "secret %s %.*s:%.*s\n", dns->secrets[i].field,
                         torii_str_arg(dns->secrets[i].secret.name),
                         torii_str_arg(dns->secrets[i].secret.key));
    }

    if (dns->provider == INGRESS_DNS_RFC2136) {
        torii_buf_printf(out, "update %.*s %.*s %d %.*s:%.*s %s\n",
                         torii_str_arg(dns->nameserver),
                         torii_str_arg(dns->tsig_key_name),
                         dns->tsig_algorithm,
                         torii_str_arg(dns->tsig_secret.name),
                         torii_str_arg(dns->tsig_secret.key),
                         dns->tcp ? "tcp" : "udp");
    }
}


static void
print_solver(torii_buf_t *out, const ingress_solver_t *s)
{
    static const char *const  types[] = { "other", "http01", "dns01" };

    torii_buf_printf(out, "solver %s", types[s->type]);

    if (s->has_wait) {
        torii_buf_printf(out, " wait=%u", (unsigned) s->wait);
    }

    torii_buf_printf(out, "%s%s\n", s->cname_follow ? " cname" : "",
                     s->unusable ? " unusable" : "");

    print_pairs(out, "label ", &s->labels);
    print_strings(out, "name", &s->dns_names);
    print_strings(out, "zone", &s->dns_zones);
    print_strings(out, "nameserver", &s->nameservers);
    print_dns(out, &s->dns);
}


static void
print_acme(torii_buf_t *out, const ingress_issuer_acme_t *acme)
{
    uint32_t  i;

    torii_buf_printf(out, "acme %.*s key %.*s:%.*s\n",
                     torii_str_arg(acme->server),
                     torii_str_arg(acme->key.name),
                     torii_str_arg(acme->key.key));

    print_text(out, "email", acme->email);

    if (acme->eab_kid.len) {
        torii_buf_printf(out, "eab %.*s %.*s:%.*s %u\n",
                         torii_str_arg(acme->eab_kid),
                         torii_str_arg(acme->eab_key.name),
                         torii_str_arg(acme->eab_key.key),
                         (unsigned) acme->eab_bits);
    }

    if (acme->ca_bundle.len) {
        torii_buf_printf(out, "bundle %zu\n", acme->ca_bundle.len);
    }

    print_text(out, "chain", acme->preferred_chain);
    print_text(out, "profile", acme->profile);

    if (acme->disable_key_generation || acme->skip_tls_verify
        || acme->duration_feature || acme->ari_disabled)
    {
        torii_buf_printf(out, "flags%s%s%s%s\n",
                         acme->disable_key_generation ? " no-generation" : "",
                         acme->skip_tls_verify ? " insecure" : "",
                         acme->duration_feature ? " duration" : "",
                         acme->ari_disabled ? " no-ari" : "");
    }

    print_text(out, "uri", acme->uri);

    for (i = 0; i < acme->nsolvers; i++) {
        print_solver(out, &acme->solvers[i]);
    }
}


static void
print_issuer(torii_buf_t *out, const ingress_issuer_t *issuer)
{
    switch (issuer->type) {

    case INGRESS_ISSUER_ACME:
        print_acme(out, &issuer->acme);
        break;

    case INGRESS_ISSUER_CA:
        torii_buf_printf(out, "ca %.*s\n", torii_str_arg(issuer->ca_secret));
        break;

    case INGRESS_ISSUER_SELF_SIGNED:
        torii_buf_adds(out, "self-signed\n");
        break;

    default:
        torii_buf_adds(out, "other\n");
    }

    torii_buf_adds(out, issuer->unusable ? "unusable\n" : "");
}


static void
print_certificate(torii_buf_t *out, const ingress_certificate_t *cert)
{
    static const char *const  algorithms[] = { "RSA", "ECDSA", "Ed25519" };

    torii_buf_printf(out, "secret %.*s by %.*s/%.*s of %.*s\n",
                     torii_str_arg(cert->secret),
                     torii_str_arg(cert->issuer_kind),
                     torii_str_arg(cert->issuer),
                     torii_str_arg(cert->issuer_group));

    print_strings(out, "name", &cert->dns_names);
    print_strings(out, "address", &cert->ip_addresses);
    print_text(out, "common", cert->common_name);

    if (cert->duration || cert->renew_before || cert->renew_before_percentage)
    {
        torii_buf_printf(out, "times %lld %lld %u\n",
                         (long long) cert->duration,
                         (long long) cert->renew_before,
                         (unsigned) cert->renew_before_percentage);
    }

    torii_buf_printf(out, "%s %u %s%s%s%s\n", algorithms[cert->algorithm],
                     (unsigned) cert->key_size,
                     cert->encoding == INGRESS_KEY_PKCS8 ? "PKCS8" : "PKCS1",
                     cert->keep_key ? " keep" : "",
                     cert->renewal_disabled ? " no-renewal" : "",
                     cert->is_ca ? " ca" : "");

    print_strings(out, "usage", &cert->usages);
    print_pairs(out, "secret label ", &cert->secret_labels);
    print_pairs(out, "secret annotation ", &cert->secret_annotations);
    print_text(out, "ingress", cert->ingress);

    torii_buf_adds(out, cert->unusable ? "unusable\n" : "");
}


static void
add_object(void *data, ingress_object_t *o)
{
    issuer_out_t             *out;
    torii_buf_t               json;
    const ingress_finding_t  *f;

    out = data;
    out->version = o->version;

    torii_buf_printf(&out->text, "%s %.*s/%.*s\n", ingress_kind_name(o->kind),
                     torii_str_arg(o->namespace), torii_str_arg(o->name));

    if (o->kind == INGRESS_KIND_CERTIFICATE) {
        print_certificate(&out->text, &o->u.certificate);

    } else {
        print_issuer(&out->text, &o->u.issuer);
    }

    memset(&json, 0, sizeof(json));

    for (f = o->findings; f != NULL; f = f->next) {
        torii_buf_printf(&out->text, "! %s %s %.*s\n",
                         ingress_severity_name(f->severity), f->reason,
                         torii_str_arg(f->field));

        ingress_finding_json(&json, f);
    }

    torii_buf_add(&json, "", 1);

    if (strstr((char *) json.data, "hunter2") != NULL) {
        torii_buf_printf(&out->text, "leaks: %s\n", (char *) json.data);
    }

    torii_buf_free(&json);
    ingress_object_free(o);
}


static void
decode(const char *in, issuer_out_t *out)
{
    uint32_t             i, n;
    torii_arena_t       *a;
    torii_node_t       **docs;
    ingress_finding_t   *findings, *f;
    torii_tree_error_t   error;

    memset(out, 0, sizeof(issuer_out_t));

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
        ingress_object_decode(a, docs[i], torii_str("a.yaml"), add_object, out,
                              &findings);

        for (f = findings; f != NULL; f = f->next) {
            torii_buf_printf(&out->text, "! %s %s %.*s %.*s %.*s/%.*s\n",
                             ingress_severity_name(f->severity), f->reason,
                             torii_str_arg(f->field), torii_str_arg(f->kind),
                             torii_str_arg(f->namespace),
                             torii_str_arg(f->name));
        }
    }

    torii_arena_destroy(a);
}


static void
test_cases(void)
{
    size_t        i;
    issuer_out_t  out;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        decode(cases[i].in, &out);
        torii_buf_add(&out.text, "", 1);

        if (!tap_ok(strcmp((char *) out.text.data, cases[i].out) == 0, "%s",
                    cases[i].name))
        {
            printf("expected:\n%s\ngot:\n%s\n", cases[i].out,
                   (char *) out.text.data);
        }

        torii_buf_free(&out.text);
    }
}


static void
test_durations(void)
{
    int      rc;
    size_t   i;
    int64_t  seconds;

    for (i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        seconds = 0;
        rc = ingress_duration_parse(torii_str(durations[i].text), &seconds);

        tap_ok(rc == durations[i].rc && seconds == durations[i].seconds,
               "duration \"%s\"", durations[i].text);
    }
}


static uint64_t
version_of(const char *in)
{
    issuer_out_t  out;

    decode(in, &out);
    torii_buf_free(&out.text);

    return out.version;
}


/* Each field that is decoded is part of the version: one case, one change. */

static const struct {
    const char  *a;
    const char  *b;
} versions[] = {
    { ISSUER("{selfSigned: {}}"), ISSUER("{ca: {secretName: a}}") },
    { ISSUER("{ca: {secretName: b}}"), ISSUER("{ca: {secretName: a}}") },
    { ACME("email: a"), ACME("email: b") },
    { ACME("profile: a"), ACME("preferredChain: a") },
    { ACME("skipTLSVerify: false"), ACME("enableDurationFeature: true") },
    { ACME("renewalInformationSource: ARI"),
      ACME("renewalInformationSource: None") },
    { ACME("externalAccountBinding: {keyID: a, keySecretRef: {name: a, "
           "key: b}}"),
      ACME("externalAccountBinding: {keyID: a, keySecretRef: {name: a, "
           "key: c}}") },
    { SOLVER("http01: {}"),
      SOLVER("http01: {}, waitInsteadOfSelfCheck: 0s") },
    { SOLVER("http01: {}, selector: {dnsNames: [a]}"),
      SOLVER("http01: {}, selector: {dnsZones: [a]}") },
    { SOLVER("http01: {}, selector: {matchLabels: {a: b}}"),
      SOLVER("http01: {}, selector: {matchLabels: {a: c}}") },
    { DNS("rfc2136: {nameserver: a}"), DNS("rfc2136: {nameserver: b}") },
    { DNS("rfc2136: {nameserver: a}"),
      DNS("rfc2136: {nameserver: a, protocol: TCP}") },
    { DNS("rfc2136: {nameserver: a}"),
      DNS("rfc2136: {nameserver: a, tsigAlgorithm: HMACSHA256}") },
    { DNS("cloudflare: {apiTokenSecretRef: {name: a, key: b}}"),
      DNS("cloudflare: {apiKeySecretRef: {name: a, key: b}}") },
    { DNS("route53: {region: a}"), DNS("route53: {role: a}") },
    { CERT("dnsNames: [a]"), CERT("dnsNames: [a, b]") },
    { CERT("dnsNames: [a]"), CERT("dnsNames: [a], isCA: true") },
    { CERT("dnsNames: [a]"), CERT("dnsNames: [a], duration: 2h") },
    { CERT("dnsNames: [a]"), CERT("dnsNames: [a], renewBefore: 2h") },
    { CERT("dnsNames: [a]"), CERT("dnsNames: [a], usages: [any]") },
    { CERT("dnsNames: [a]"), CERT("dnsNames: [a], privateKey: {size: 4096}") },
    { CERT("dnsNames: [a]"),
      CERT("dnsNames: [a], secretTemplate: {labels: {a: b}}") },
    { CERT("commonName: a"), CERT("dnsNames: [a]") },
    { OWNED("[" SHIM("") "]"), OWNED("[" SHIM(", controller: true") "]") },
    { CERT("dnsNames: [a]"),
      OBJECT("Certificate", "{secretName: tls, issuerRef: {name: le, kind: "
             "ClusterIssuer}, dnsNames: [a]}") }
};


static void
test_versions(void)
{
    size_t  i;

    for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        tap_ok(version_of(versions[i].a) != version_of(versions[i].b),
               "version: %.60s", strstr(versions[i].b, "spec: "));
    }

    tap_ok(version_of(ISSUER("{selfSigned: {}}"))
           == version_of("# moved\n---\n" ISSUER("{selfSigned: {}}")
                         "status: {conditions: []}\n"),
           "conditions of the status are not in the version");
}


int
main(void)
{
    test_cases();
    test_durations();
    test_versions();

    return tap_done();
}
