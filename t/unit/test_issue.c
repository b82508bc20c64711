
/*
 * Which certificates are wanted: annotations, Certificates, solvers, and who
 * has a Secret that several name.
 */

#include "tap.h"
#include "world_make.h"
#include "ingress_decode.h"
#include "ingress_issue.h"


/*
 * What is wanted and found, a line each:
 *
 *   "want NS/SECRET for NAME=HOW … by KIND/NAME … KEY BITS OPTION…"
 *   "SEVERITY REASON KIND NS/NAME FIELD=VALUE MESSAGE"
 *
 * HOW: "h" http-01, "a" tls-alpn-01, in the order of trial; "dN" dns-01 by
 * solver N; "p" dns-persist-01 alone, "P" as it was asked for; "-" none.
 */

typedef struct {
    world_t       w;
    torii_buf_t   text;
} test_t;

/* expected: pieces of the text, with "|" between; "!…" must not be in it. */

typedef struct {
    const char   *what;
    const char   *objects;
    const char   *expected;
} test_case_t;

#define ISSUERS                                                               \
    "---\n{apiVersion: cert-manager.io/v1, kind: ClusterIssuer, "             \
    "metadata: {name: le}, spec: {acme: {server: 'https://ca.example/dir', "  \
    "privateKeySecretRef: {name: le}, solvers: [{http01: {ingress: {}}}]}}}\n"\
    "---\n{apiVersion: cert-manager.io/v1, kind: ClusterIssuer, "             \
    "metadata: {name: dns}, spec: {acme: {server: 'https://ca.example/dir', " \
    "privateKeySecretRef: {name: le}, solvers: [{http01: {ingress: {}}}, "    \
    "{dns01: {cloudflare: {apiTokenSecretRef: {name: t, key: k}}}}]}}}\n"     \
    "---\n{apiVersion: cert-manager.io/v1, kind: ClusterIssuer, "             \
    "metadata: {name: bare}, spec: {acme: {server: 'https://ca.example/d', "  \
    "privateKeySecretRef: {name: le}}}}\n"                                    \
    "---\n{apiVersion: cert-manager.io/v1, kind: ClusterIssuer, "             \
    "metadata: {name: alpn, annotations: {torii/acme-challenge: "             \
    "tls-alpn-01}}, spec: {acme: {server: 'https://ca.example/dir', "         \
    "privateKeySecretRef: {name: le}}}}\n"                                    \
    "---\n{apiVersion: cert-manager.io/v1, kind: ClusterIssuer, "             \
    "metadata: {name: zoned}, spec: {acme: {server: 'https://ca.example/d', " \
    "privateKeySecretRef: {name: le}, solvers: [{http01: {ingress: {}}, "     \
    "selector: {dnsZones: [b.example]}}]}}}\n"                                \
    "---\n{apiVersion: cert-manager.io/v1, kind: ClusterIssuer, "             \
    "metadata: {name: broken}, spec: {acme: {privateKeySecretRef: "           \
    "{name: le}}}}\n"                                                         \
    "---\n{apiVersion: cert-manager.io/v1, kind: ClusterIssuer, "             \
    "metadata: {name: vault}, spec: {vault: {server: 'https://v'}}}\n"        \
    "---\n{apiVersion: cert-manager.io/v1, kind: ClusterIssuer, "             \
    "metadata: {name: self}, spec: {selfSigned: {}}}\n"                       \
    "---\n{apiVersion: cert-manager.io/v1, kind: Issuer, "                    \
    "metadata: {namespace: d, name: ca}, spec: {ca: {secretName: root}}}\n"

#define CERTIFICATE                                                           \
    "yaml ---\nyaml apiVersion: cert-manager.io/v1\nyaml kind: Certificate\n"

#define INGRESS(age)                                                          \
    "ingress d/i " age "\nrule a.example Prefix / s:80\n"

#define LE  "note cert-manager.io/cluster-issuer le\n"
#define CA  "note cert-manager.io/issuer ca\n"
#define TLS "tls t a.example\n"

#define PAIR  "note torii/certificate-key rsa+ecdsa\n"
#define LABEL  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* As the ingress-shim leaves them; owner: its kind, and the rest of it */

#define LEFT(owner, spec)                                                     \
    CERTIFICATE                                                               \
    "yaml metadata: {namespace: d, name: t, ownerReferences: [{apiVersion: "  \
    "networking.k8s.io/v1, name: i, uid: x, kind: " owner "}]}\n"             \
    "yaml spec: {issuerRef: {name: ca}, " spec "}\n"

#define SHIM  LEFT("Ingress, controller: true",                               \
                   "secretName: t, dnsNames: [b.example]")


static const test_case_t  cases[] = {

    /* who is asked */

    { "a ClusterIssuer", INGRESS("1") LE TLS,
      "want d/t for a.example=ha by ClusterIssuer/le rsa 2048\n|!BadConfig" },
    { "an Issuer", INGRESS("1") CA TLS,
      "want d/t for a.example=- by Issuer/ca rsa 2048\n" },
    { "nobody", INGRESS("1") TLS, "!want|!d/i" },
    { "an Ingress without TLS", INGRESS("1") LE, "!want|!d/i" },
    { "an issuer that is not there",
      INGRESS("1") "note cert-manager.io/cluster-issuer gone\n" TLS,
      "want d/t for a.example=- rsa|warning IssuerNotFound Ingress d/i "
      "cert-manager.io/cluster-issuer=gone there is no ClusterIssuer "
      "\"gone\"; nothing" },
    { "an Issuer of another namespace",
      "ingress e/i 1\nrule a.example Prefix / s:80\n" CA TLS,
      "IssuerNotFound Ingress e/i|\"ca\" in namespace e" },
    { "an issuer that is broken",
      INGRESS("1") "note cert-manager.io/cluster-issuer broken\n" TLS,
      "warning IssuerNotUsable Ingress d/i|want d/t for a.example=- rsa" },
    { "one of a type of others",
      INGRESS("1") "note cert-manager.io/cluster-issuer vault\n" TLS,
      "info ForeignIssuer Ingress d/i|!want" },
    { "two at once", INGRESS("1") LE CA TLS,
      "error BadConfig Ingress d/i cert-manager.io/cluster-issuer=le|!want" },
    { "a ClusterIssuer and a kind",
      INGRESS("1") LE "note cert-manager.io/issuer-kind Issuer\n" TLS,
      "error BadConfig|!want" },
    { "a ClusterIssuer and a group",
      INGRESS("1") LE "note cert-manager.io/issuer-group x\n" TLS,
      "error BadConfig|!want" },
    { "an issuer of kind ClusterIssuer",
      INGRESS("1") "note cert-manager.io/issuer le\n"
      "note cert-manager.io/issuer-kind ClusterIssuer\n" TLS,
      "by ClusterIssuer/le" },
    { "a kind of others",
      INGRESS("1") "note cert-manager.io/issuer x\n"
      "note cert-manager.io/issuer-kind AWSPCAIssuer\n" TLS,
      "info ForeignIssuer Ingress d/i|!want|!NotFound" },
    { "a group of others",
      INGRESS("1") CA "note cert-manager.io/issuer-group awspca\n" TLS,
      "info ForeignIssuer Ingress d/i|!want" },
    { "an empty name",
      INGRESS("1") "note cert-manager.io/issuer\n" TLS,
      "error BadConfig Ingress d/i cert-manager.io/issuer=|!want" },
    { "tls-acme by the default issuer",
      "default ClusterIssuer/le\n"
      INGRESS("1") "note kubernetes.io/tls-acme true\n" TLS,
      "want d/t for a.example=ha by ClusterIssuer/le" },
    { "tls-acme by an Issuer",
      "default Issuer/ca\n"
      INGRESS("1") "note kubernetes.io/tls-acme T\n" TLS,
      "want d/t for a.example=- by Issuer/ca" },
    { "tls-acme that is false",
      "default ClusterIssuer/le\n"
      INGRESS("1") "note kubernetes.io/tls-acme false\n" TLS,
      "!want|!d/i" },
    { "tls-acme that is no boolean of Go's",
      "default ClusterIssuer/le\n"
      INGRESS("1") "note kubernetes.io/tls-acme yes\n" TLS,
      "!want|!d/i" },
    { "tls-acme without a default issuer",
      INGRESS("1") "note kubernetes.io/tls-acme true\n" TLS,
      "warning BadConfig Ingress d/i kubernetes.io/tls-acme=true|!want"
      "|!ForeignIssuer" },
    { "a name goes before the default",
      "default Issuer/ca\n"
      INGRESS("1") "note kubernetes.io/tls-acme true\n" LE TLS,
      "by ClusterIssuer/le|!Issuer/ca" },
    { "one after the other",
      INGRESS("1") LE "note torii/issuers Issuer/ca, ClusterIssuer/self,"
      " ClusterIssuer/le\n" TLS,
      "by ClusterIssuer/le Issuer/ca ClusterIssuer/self rsa" },
    { "the second one is there",
      INGRESS("1") "note cert-manager.io/issuer gone\n"
      "note torii/issuers ClusterIssuer/le\n" TLS,
      "IssuerNotFound|want d/t for a.example=ha by ClusterIssuer/le rsa" },
    { "solvers count of the first that has some",
      INGRESS("1") CA "note torii/issuers ClusterIssuer/dns\n"
      "note torii/acme-challenge dns-01\n" TLS,
      "error NoSolver|a.example=-" },
    { "a list that is none",
      INGRESS("1") LE "note torii/issuers le2\n" TLS,
      "error BadConfig Ingress d/i torii/issuers=le2|!want" },
    { "too many",
      INGRESS("1") LE "note torii/issuers Issuer/ca,ClusterIssuer/self,"
      "Secret/x\n" TLS,
      "error BadConfig Ingress d/i torii/issuers|!want" },

    /* names */

    { "a Secret whose name is too long for a file",
      INGRESS("1") LE "tls " LABEL "." LABEL "." LABEL "." LABEL
      ".aaaaaaaa a.example\n", "error BadConfig Ingress d/i spec.tls[0]|"
      "more than 251 bytes|!want" },
    { "one that is not", INGRESS("1") LE "tls " LABEL "." LABEL "." LABEL "."
      LABEL ".aaaaaaa a.example\n", "want d/" LABEL "|!BadConfig" },
    { "and where there are no files", "file\n" INGRESS("1") LE "tls " LABEL "."
      LABEL "." LABEL "." LABEL ".aaaaaaaa a.example\n",
      "want d/" LABEL "|!BadConfig" },
    { "several hosts, each once",
      INGRESS("1") LE "tls t a.example b.example a.example\n",
      "for a.example=ha b.example=ha by" },
    { "names besides",
      INGRESS("1") LE "note cert-manager.io/alt-names B.example, a.example,"
      " ,192.0.2.7\nnote cert-manager.io/ip-sans 2001:DB8:0::1 , 192.0.2.7\n"
      TLS,
      "for a.example=ha b.example=ha 192.0.2.7=ha 2001:db8::1=ha by" },
    { "a name that is none",
      INGRESS("1") LE "note cert-manager.io/alt-names b_example\n" TLS,
      "error BadConfig Ingress d/i cert-manager.io/alt-names=b_example must "
      "be a list|!want" },
    { "an address that is none",
      INGRESS("1") LE "note cert-manager.io/ip-sans b.example\n" TLS,
      "error BadConfig Ingress d/i cert-manager.io/ip-sans=b.example|!want" },
    { "URIs and mail addresses are left out",
      INGRESS("1") LE "note cert-manager.io/uri-sans spiffe://x\n"
      "note cert-manager.io/email-sans a@b\n" TLS,
      "want d/t|warning UnsupportedName Ingress d/i cert-manager.io/uri-sans"
      "|cert-manager.io/email-sans" },
    { "a host that is left out",
      INGRESS("1") LE "tls t a.example b..example\n",
      "error BadConfig Ingress d/i spec.tls[0]=t has a host that is left out"
      "|!want" },
    { "a common name among them, in any case",
      INGRESS("1") LE "note cert-manager.io/common-name A.example\n" TLS,
      "cn a.example|!BadConfig" },
    { "a common name that is none of them",
      INGRESS("1") LE "note cert-manager.io/common-name b.example\n" TLS,
      "error BadConfig Ingress d/i cert-manager.io/common-name=b.example"
      "|!want" },
    { "by a local issuer it may be any",
      INGRESS("1") CA "note cert-manager.io/common-name The Site\n" TLS,
      "cn The Site|!BadConfig" },
    { "a common name that is too long",
      INGRESS("1") CA "note cert-manager.io/common-name "
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n"
      TLS, "error BadConfig|must be of 64 bytes|!want" },
    { "subjects are left out, and one note says so",
      INGRESS("1") LE "note cert-manager.io/subject-countries DE\n"
      "note cert-manager.io/subject-organizations Us\n" TLS,
      "want d/t|info Unsupported|!subject-organizations" },

    /* values */

    { "times", INGRESS("1") LE "note cert-manager.io/duration 2160h\n"
      "note cert-manager.io/renew-before 360h30m\n" TLS,
      "for 7776000 before 1297800" },
    { "no less than an hour",
      INGRESS("1") LE "note cert-manager.io/duration 59m59s\n" TLS,
      "error BadConfig Ingress d/i cert-manager.io/duration=59m59s must be a "
      "duration from \"1h\"|!want" },
    { "no less than five minutes",
      INGRESS("1") LE "note cert-manager.io/renew-before 299s\n" TLS,
      "error BadConfig|renew-before=299s|!want" },
    { "just that",
      INGRESS("1") LE "note cert-manager.io/renew-before 300s\n" TLS,
      "before 300\n" },
    { "no days",
      INGRESS("1") LE "note cert-manager.io/duration 90d\n" TLS,
      "error BadConfig|duration=90d|!want" },
    { "longer than 136 years",
      INGRESS("1") LE "note cert-manager.io/duration 2000000h\n" TLS,
      "for 4294967295" },
    { "renewal before the beginning",
      INGRESS("1") LE "note cert-manager.io/duration 10h\n"
      "note cert-manager.io/renew-before 10h\n" TLS,
      "error BadConfig|renew-before=10h|!want" },
    { "a share", INGRESS("1") LE
      "note cert-manager.io/renew-before-percentage 25\n" TLS,
      "percent 25" },
    { "a share of all", INGRESS("1") LE
      "note cert-manager.io/renew-before-percentage 100\n" TLS,
      "error BadConfig|percentage=100 must be a number from 1 to 99|!want" },
    { "a share of nothing", INGRESS("1") LE
      "note cert-manager.io/renew-before-percentage 0\n" TLS,
      "error BadConfig|!want" },
    { "both", INGRESS("1") LE "note cert-manager.io/renew-before 10h\n"
      "note cert-manager.io/renew-before-percentage 50\n" TLS,
      "error BadConfig|exclude each other|!want" },
    { "a key", INGRESS("1") LE
      "note cert-manager.io/private-key-algorithm ECDSA\n"
      "note cert-manager.io/private-key-size 384\n"
      "note cert-manager.io/private-key-encoding PKCS8\n"
      "note cert-manager.io/private-key-rotation-policy Never\n" TLS,
      "ec 384 pkcs8 reuse" },
    { "its default", INGRESS("1") LE
      "note cert-manager.io/private-key-algorithm ECDSA\n"
      "note cert-manager.io/private-key-encoding PKCS1\n"
      "note cert-manager.io/private-key-rotation-policy Always\n" TLS,
      "ec 256\n" },
    { "a larger one",
      INGRESS("1") LE "note cert-manager.io/private-key-size 4096\n" TLS,
      "rsa 4096\n" },
    { "one that is too large",
      INGRESS("1") LE "note cert-manager.io/private-key-size 8192\n" TLS,
      "error BadConfig Ingress d/i cert-manager.io/private-key-size=8192 must "
      "be 2048, 3072 or 4096|!want" },
    { "a size of the other algorithm", INGRESS("1") LE
      "note cert-manager.io/private-key-algorithm ECDSA\n"
      "note cert-manager.io/private-key-size 2048\n" TLS,
      "error BadConfig|must be 256 or 384|!want" },
    { "a size that is none",
      INGRESS("1") LE "note cert-manager.io/private-key-size big\n" TLS,
      "error BadConfig|private-key-size=big|!want" },
    { "the algorithm's case", INGRESS("1") LE
      "note cert-manager.io/private-key-algorithm ecdsa\n" TLS,
      "error BadConfig|private-key-algorithm=ecdsa|!want" },
    { "Ed25519", INGRESS("1") LE
      "note cert-manager.io/private-key-algorithm Ed25519\n" TLS,
      "error BadConfig|must be RSA or ECDSA|!want" },
    { "an encoding that is none", INGRESS("1") LE
      "note cert-manager.io/private-key-encoding DER\n" TLS,
      "error BadConfig|must be PKCS1 or PKCS8|!want" },
    { "a policy that is none", INGRESS("1") LE
      "note cert-manager.io/private-key-rotation-policy never\n" TLS,
      "error BadConfig|must be Always or Never|!want" },
    { "a key of each", INGRESS("1") LE PAIR TLS,
      "want d/t for a.example=ha by ClusterIssuer/le rsa 2048\n"
      "want d/t-ecdsa for a.example=ha by ClusterIssuer/le ec 256\n"
      "|!BadConfig" },
    { "a large one, and the other as usual", INGRESS("1") LE PAIR
      "note cert-manager.io/private-key-size 4096\n" TLS,
      "rsa 4096\n|d/t-ecdsa for a.example=ha by ClusterIssuer/le ec 256\n" },
    { "a size that is one of ECDSA", INGRESS("1") LE PAIR
      "note cert-manager.io/private-key-size 384\n" TLS,
      "rsa 2048\n|ec 384\n|!BadConfig" },
    { "a size and an algorithm that one of both has", INGRESS("1") LE PAIR
      "note cert-manager.io/private-key-algorithm ECDSA\n"
      "note cert-manager.io/private-key-size 3072\n" TLS,
      "rsa 3072\n|ec 256\n|!BadConfig" },
    { "an algorithm is no hindrance", INGRESS("1") LE PAIR
      "note cert-manager.io/private-key-algorithm ECDSA\n" TLS,
      "rsa 2048\n|ec 256\n|!BadConfig" },
    { "a size that neither has", INGRESS("1") LE PAIR
      "note cert-manager.io/private-key-size 512\n" TLS,
      "error BadConfig|private-key-size=512|!want" },
    { "options of both", INGRESS("1") LE PAIR
      "note cert-manager.io/private-key-encoding PKCS8\n"
      "note cert-manager.io/renew-before 300s\n" TLS,
      "rsa 2048 pkcs8 before 300\n|ec 256 pkcs8 before 300\n" },
    { "a key of each, in the order of Secrets", INGRESS("1") LE PAIR
      "tls t a.example\ntls t-b b.example\n",
      "want d/t for a.example=ha by ClusterIssuer/le rsa 2048\n"
      "want d/t-b for b.example=ha by ClusterIssuer/le rsa 2048\n"
      "want d/t-b-ecdsa for b.example=ha by ClusterIssuer/le ec 256\n"
      "want d/t-ecdsa for a.example=ha by ClusterIssuer/le ec 256\n" },
    { "the second one is a Secret of its own", INGRESS("1") LE PAIR
      "tls t a.example\ntls t-ecdsa b.example\n",
      "error BadConfig Ingress d/i spec.tls[1]=t-ecdsa names the Secret of "
      "another entry|!want" },
    { "and may be another's",
      "ingress d/j 0\nrule b.example Prefix / s:80\n" LE
      "tls t-ecdsa b.example\n" INGRESS("1") LE PAIR TLS,
      "want d/t for a.example=ha by ClusterIssuer/le rsa 2048\n"
      "want d/t-ecdsa for b.example=ha by ClusterIssuer/le rsa 2048\n|"
      "error BadConfig Ingress d/i spec.tls[0]=a.example Ingress d/j has "
      "Secret d/t-ecdsa" },
    { "whose name would be too long", INGRESS("1") LE PAIR
      "tls " LABEL "." LABEL "." LABEL "." LABEL "aaaaa a.example\n",
      "error BadConfig Ingress d/i spec.tls[0]=a|is too long a name|!want" },
    { "or just not", "file\n" INGRESS("1") LE PAIR
      "tls " LABEL "." LABEL "." LABEL "." LABEL "aaaa a.example\n",
      "aaaa-ecdsa for a.example=ha|!BadConfig" },
    { "what is wrong is told once", INGRESS("1") PAIR
      "note cert-manager.io/cluster-issuer bare\nnote torii/acme-challenge "
      "dns-01\n" TLS, "want d/t for a.example=-|want d/t-ecdsa|NoSolver"
      "|!NoSolver Ingress d/i spec.tls[0]=a.example no solver of "
      "ClusterIssuer bare can prove a.example: none that may be used selects "
      "it; nothing is issued\nerror" },
    { "a key of neither", INGRESS("1") LE
      "note torii/certificate-key dsa\n" TLS,
      "error BadConfig|torii/certificate-key=dsa|!want" },
    { "meanwhile", INGRESS("1") LE
      "note acme.cert-manager.io/http01-edit-in-place true\n" TLS,
      "rsa 2048 temporary\n" },
    { "only true is", INGRESS("1") LE
      "note acme.cert-manager.io/http01-edit-in-place 1\n" TLS,
      "rsa 2048\n" },
    { "now", INGRESS("1") LE
      "note torii/renew-now 2026-11-25T21:30:00Z\n" TLS, "now 1795642200\n" },
    { "no time", INGRESS("1") LE "note torii/renew-now yes\n" TLS,
      "error BadConfig|torii/renew-now=yes|!want" },
    { "what has no effect", INGRESS("1") LE
      "note cert-manager.io/usages server auth\n"
      "note cert-manager.io/revision-history-limit 1\n"
      "note acme.cert-manager.io/http01-ingress-class nginx\n" TLS,
      "want d/t|!Ingress d/i" },
    { "a template", INGRESS("1") LE "note cert-manager.io/secret-template "
      "{\\\"annotations\\\":{\\\"a/b\\\":\\\"c\\\"},\\\"labels\\\":"
      "{\\\"x\\\":\\\"y\\\"}}\n" TLS, "annotation a/b=c label x=y\n" },
    { "half a template", INGRESS("1") LE "note cert-manager.io/secret-template"
      " {\\\"labels\\\":{\\\"x\\\":\\\"y\\\"}}\n" TLS,
      "rsa 2048 label x=y\n" },
    { "a template of more", INGRESS("1") LE
      "note cert-manager.io/secret-template {\\\"type\\\":\\\"y\\\"}\n" TLS,
      "error BadConfig|must be JSON|!want" },
    { "a template with annotations of cert-manager", INGRESS("1") LE
      "note cert-manager.io/secret-template {\\\"annotations\\\":"
      "{\\\"cert-manager.io/x\\\":\\\"c\\\"}}\n" TLS,
      "error BadConfig|!want" },
    { "a template with a number", INGRESS("1") LE
      "note cert-manager.io/secret-template {\\\"labels\\\":{\\\"x\\\":1}}\n"
      TLS, "error BadConfig|!want" },
    { "a template that is none", INGRESS("1") LE
      "note cert-manager.io/secret-template {\n" TLS,
      "error BadConfig|!want" },

    /* challenges */

    { "an issuer without solvers, of a file",
      INGRESS("1") "note cert-manager.io/cluster-issuer bare\n" TLS,
      "a.example=ha" },
    { "an issuer without solvers, of an API",
      "file\n" INGRESS("1") "note cert-manager.io/cluster-issuer bare\n" TLS,
      "a.example=-|error NoSolver Ingress d/i spec.tls[0]=a.example" },
    { "unless asked for", "file\n"
      INGRESS("1") "note cert-manager.io/cluster-issuer bare\n"
      "note torii/acme-challenge http-01\n" TLS,
      "a.example=ha|!NoSolver" },
    { "asked for by the issuer", "file\n"
      INGRESS("1") "note cert-manager.io/cluster-issuer alpn\n" TLS,
      "a.example=ah|!NoSolver" },
    { "the owner goes before the issuer",
      INGRESS("1") "note cert-manager.io/cluster-issuer alpn\n"
      "note torii/acme-challenge http-01\n" TLS, "a.example=ha" },
    { "TLS first",
      INGRESS("1") LE "note torii/acme-challenge tls-alpn-01\n" TLS,
      "a.example=ah" },
    { "DNS alone",
      INGRESS("1") "note cert-manager.io/cluster-issuer dns\n"
      "note torii/acme-challenge dns-01\n" TLS, "a.example=d1" },
    { "an address cannot be proved by DNS",
      INGRESS("1") "note cert-manager.io/cluster-issuer dns\n"
      "note cert-manager.io/ip-sans 192.0.2.1\n"
      "note torii/acme-challenge dns-01\n" TLS,
      "a.example=d1 192.0.2.1=-|error NoSolver Ingress d/i "
      "spec.tls[0]=192.0.2.1" },
    { "DNS where there is none",
      INGRESS("1") LE "note torii/acme-challenge dns-01\n" TLS,
      "a.example=-|error NoSolver" },
    { "a wildcard has one way whatever is wished",
      INGRESS("1") "note cert-manager.io/cluster-issuer dns\n"
      "note torii/acme-challenge tls-alpn-01\ntls t *.a.example a.example\n",
      "for *.a.example=d1 a.example=ah by" },
    { "a wildcard without DNS",
      INGRESS("1") LE "tls t *.a.example\n",
      "*.a.example=p|warning NoSolver Ingress d/i spec.tls[0]=*.a.example|"
      "a wildcard needs one with dns01, unless the CA offers dns-persist-01" },
    { "a wildcard without solvers",
      INGRESS("1") "note cert-manager.io/cluster-issuer bare\n"
      "tls t *.a.example a.example\n",
      "*.a.example=p a.example=ha|warning NoSolver" },
    { "a wildcard that no solver selects",
      INGRESS("1") "note cert-manager.io/cluster-issuer zoned\n"
      "tls t *.a.example\n", "*.a.example=-|error NoSolver" },
    { "a record alone",
      INGRESS("1") LE "note torii/acme-challenge dns-persist-01\n"
      "tls t a.example *.a.example\n",
      "a.example=P *.a.example=P by|!NoSolver" },
    { "a record alone, whatever solvers can do",
      INGRESS("1") "note cert-manager.io/cluster-issuer dns\n"
      "note torii/acme-challenge dns-persist-01\n" TLS,
      "a.example=P by|!NoSolver" },
    { "a record alone, without solvers", "file\n"
      INGRESS("1") "note cert-manager.io/cluster-issuer bare\n"
      "note torii/acme-challenge dns-persist-01\n" TLS,
      "a.example=P by|!NoSolver" },
    { "an address has no records",
      INGRESS("1") LE "note cert-manager.io/ip-sans 192.0.2.1\n"
      "note torii/acme-challenge dns-persist-01\n" TLS,
      "a.example=P 192.0.2.1=-|error NoSolver Ingress d/i "
      "spec.tls[0]=192.0.2.1" },
    { "a challenge that is none",
      INGRESS("1") LE "note torii/acme-challenge http\n" TLS,
      "error BadConfig|torii/acme-challenge=http must be|!want" },
    { "an issuer's challenge that is none",
      "yaml ---\nyaml apiVersion: cert-manager.io/v1\n"
      "yaml kind: ClusterIssuer\nyaml metadata: {name: odd, annotations: "
      "{torii/acme-challenge: smtp-01}}\nyaml spec: {acme: {server: "
      "'https://ca.example/dir', privateKeySecretRef: {name: le}}}\n"
      INGRESS("1") "note cert-manager.io/cluster-issuer odd\n" TLS,
      "error BadConfig ClusterIssuer /odd torii/acme-challenge=smtp-01"
      "|IssuerNotUsable|a.example=-" },

    /* entries */

    { "an entry without hosts",
      INGRESS("1") LE "tls t a.example\ntls u\n",
      "want d/t|warning BadConfig Ingress d/i spec.tls[1].hosts|!d/u" },
    { "an entry without a Secret",
      INGRESS("1") LE "tls - a.example\n",
      "warning BadConfig Ingress d/i spec.tls[0].secretName|!want" },
    { "one Secret for two entries",
      INGRESS("1") LE "tls t a.example\ntls u b.example\ntls t c.example\n",
      "error BadConfig Ingress d/i spec.tls[2]=t|!want" },
    { "two Secrets, in order",
      INGRESS("1") LE "tls u b.example\ntls t a.example\n",
      "want d/t for a.example=ha by ClusterIssuer/le rsa 2048\n"
      "want d/u for b.example=ha" },
    { "in the order of \"namespace/secret\"",
      "ingress a/i 1\nrule a.example Prefix / s:80\n" LE TLS
      "ingress a-b/i 1\nrule b.example Prefix / s:80\n" LE TLS,
      "want a-b/t for a.example=ha by ClusterIssuer/le rsa 2048\nwant a/t" },
    { "an Ingress that goes",
      "yaml ---\nyaml apiVersion: networking.k8s.io/v1\nyaml kind: Ingress\n"
      "yaml metadata: {namespace: d, name: i, deletionTimestamp: "
      "\"2026-01-01T00:00:00Z\", annotations: {cert-manager.io/cluster-issuer:"
      " le}}\nyaml spec: {tls: [{hosts: [a.example], secretName: t}], "
      "rules: [{host: a.example}]}\n", "!want" },
    { "an Ingress of another class",
      "class\n" INGRESS("1") LE TLS, "!want" },

    /* one Secret, several owners */

    { "the same names",
      "ingress d/j 2\nrule a.example Prefix /j s:80\n" LE TLS
      INGRESS("1") LE TLS, "want d/t|of d/i|!BadConfig" },
    { "fewer names",
      "ingress d/j 2\nrule a.example Prefix /j s:80\n" LE TLS
      INGRESS("1") LE "tls t a.example b.example\n",
      "b.example=ha|of d/i|!BadConfig" },
    { "other names: the older one has it",
      "ingress d/a 2\nrule b.example Prefix / s:80\n" LE "tls t b.example\n"
      INGRESS("1") LE TLS,
      "for a.example=ha by|of d/i|error BadConfig Ingress d/a spec.tls[0]="
      "b.example Ingress d/i has Secret d/t already" },
    { "of one age: the first by name",
      "ingress d/z 1\nrule b.example Prefix / s:80\n" LE "tls t b.example\n"
      INGRESS("1") LE TLS,
      "for a.example=ha by|of d/i|error BadConfig Ingress d/z" },
    { "it has it though something is wrong",
      "ingress d/z 2\nrule b.example Prefix / s:80\n" LE "tls t b.example\n"
      INGRESS("1") LE "note cert-manager.io/duration 1s\n" TLS,
      "!want|error BadConfig Ingress d/i|error BadConfig Ingress d/z" },
    { "another namespace has its own",
      "ingress e/z 2\nrule b.example Prefix / s:80\n" LE "tls t b.example\n"
      INGRESS("1") LE TLS, "want d/t|want e/t|!BadConfig" },
    { "a wildcard is for all",
      "ingress d/j 2\nrule b.a.example Prefix /j s:80\n" LE
      "tls t b.a.example\n"
      INGRESS("1") "note cert-manager.io/cluster-issuer dns\n"
      "tls t *.a.example\n", "want d/t for *.a.example=d1|!BadConfig" },
    { "but for one label",
      "ingress d/j 2\nrule c.b.a.example Prefix /j s:80\n" LE
      "tls t c.b.a.example\n"
      INGRESS("1") "note cert-manager.io/cluster-issuer dns\n"
      "tls t *.a.example\n", "error BadConfig Ingress d/j" },

    /* Certificates */

    { "a Certificate", CERTIFICATE
      "yaml metadata: {namespace: d, name: c}\n"
      "yaml spec: {secretName: t, issuerRef: {name: dns, kind: ClusterIssuer},"
      " dnsNames: [A.example, '*.a.example'], ipAddresses: [192.0.2.1],"
      " commonName: a.example, duration: 2h, renewBefore: 1h, privateKey: "
      "{algorithm: ECDSA, size: 384, encoding: PKCS8, rotationPolicy: Never},"
      " renewal: {policy: Disabled}, secretTemplate: {labels: {x: y}}}\n",
      "want d/t for a.example=ha *.a.example=d1 192.0.2.1=ha by "
      "ClusterIssuer/dns ec 384 pkcs8 reuse disabled cn a.example for 7200 "
      "before 3600 label x=y\n|of d/c spec.secretName|!BadConfig" },
    { "a Certificate with words of ours", CERTIFICATE
      "yaml metadata: {namespace: d, name: c, annotations: {"
      "torii/acme-challenge: tls-alpn-01, torii/issuers: ClusterIssuer/self, "
      "cert-manager.io/duration: 1s, "
      "cert-manager.io/issue-temporary-certificate: \"true\"}}\n"
      "yaml spec: {secretName: t, issuerRef: {name: le, kind: ClusterIssuer},"
      " dnsNames: [a.example]}\n",
      "a.example=ah by ClusterIssuer/le ClusterIssuer/self rsa 2048 temporary\n"
      "|!BadConfig" },
    { "a Certificate for its common name", CERTIFICATE
      "yaml metadata: {namespace: d, name: c}\n"
      "yaml spec: {secretName: t, issuerRef: {name: le, kind: ClusterIssuer},"
      " commonName: A.example}\n", "for a.example=ha by" },
    { "a Certificate for no name", CERTIFICATE
      "yaml metadata: {namespace: d, name: c}\n"
      "yaml spec: {secretName: t, issuerRef: {name: ca},"
      " commonName: The Site}\n",
      "error BadConfig Certificate d/c spec.secretName=t has no name|!want" },
    { "a Certificate of an authority", CERTIFICATE
      "yaml metadata: {namespace: d, name: c}\n"
      "yaml spec: {secretName: t, issuerRef: {name: self, kind: ClusterIssuer}"
      ", isCA: true, commonName: a.example}\n",
      "warning Unsupported Certificate d/c spec.isCA|!want" },
    { "a Certificate by others", CERTIFICATE
      "yaml metadata: {namespace: d, name: c}\n"
      "yaml spec: {secretName: t, issuerRef: {name: le, group: x.example}"
      ", dnsNames: [a.example]}\n",
      "info ForeignIssuer Certificate d/c|!want" },
    { "a Certificate with a key that none takes", CERTIFICATE
      "yaml metadata: {namespace: d, name: c}\n"
      "yaml spec: {secretName: t, issuerRef: {name: ca}, dnsNames: [a.example]"
      ", privateKey: {algorithm: Ed25519}}\n",
      "error BadConfig Certificate d/c spec.privateKey|!want" },
    { "a Certificate that its decoder refused", CERTIFICATE
      "yaml metadata: {namespace: d, name: c}\n"
      "yaml spec: {secretName: t, issuerRef: {name: ca}, dnsNames: [_]}\n"
      INGRESS("1") LE TLS, "!want|error BadConfig Ingress d/i" },
    { "a Certificate that goes", CERTIFICATE
      "yaml metadata: {namespace: d, name: c, deletionTimestamp: "
      "\"2026-01-01T00:00:00Z\"}\nyaml spec: {secretName: t, issuerRef: "
      "{name: ca}, dnsNames: [a.example]}\n", "!want" },
    { "a Certificate goes before an older Ingress", CERTIFICATE
      "yaml metadata: {namespace: d, name: c, creationTimestamp: "
      "\"2026-01-01T00:00:00Z\"}\nyaml spec: {secretName: t, issuerRef: "
      "{name: ca}, dnsNames: [b.example]}\n" INGRESS("1") LE TLS,
      "for b.example=- by Issuer/ca|of d/c|error BadConfig Ingress d/i "
      "spec.tls[0]=a.example Certificate d/c has Secret d/t" },
    { "an Ingress shares it", CERTIFICATE
      "yaml metadata: {namespace: d, name: c}\nyaml spec: {secretName: t, "
      "issuerRef: {name: ca}, dnsNames: [a.example]}\n" INGRESS("1") LE TLS,
      "by Issuer/ca|of d/c|!BadConfig" },
    { "a Certificate with a key of each", CERTIFICATE
      "yaml metadata: {namespace: d, name: c, annotations: {"
      "torii/certificate-key: rsa+ecdsa}}\nyaml spec: {secretName: t, "
      "issuerRef: {name: ca}, dnsNames: [a.example], privateKey: {algorithm: "
      "ECDSA, size: 384}}\n",
      "want d/t for a.example=- by Issuer/ca rsa 2048\n"
      "want d/t-ecdsa for a.example=- by Issuer/ca ec 384\n|!BadConfig" },

    /* Certificates that the ingress-shim left behind */

    { "one of an Ingress that asks itself", SHIM INGRESS("1") LE TLS,
      "want d/t for a.example=ha by ClusterIssuer/le rsa 2048\n|of d/i"
      "|!BadConfig|!of d/t" },
    { "by the default issuer", "default ClusterIssuer/le\n" SHIM INGRESS("1")
      "note kubernetes.io/tls-acme true\n" TLS,
      "want d/t for a.example=ha by ClusterIssuer/le|of d/i|!of d/t" },
    { "which is not there", SHIM INGRESS("1")
      "note kubernetes.io/tls-acme true\n" TLS,
      "want d/t for b.example=- by Issuer/ca|of d/t" },
    { "what is wrong with the Ingress is no way back",
      SHIM INGRESS("1") LE "note cert-manager.io/duration 1s\n" TLS,
      "!want|error BadConfig Ingress d/i" },
    { "one with findings of its own", LEFT("Ingress, controller: true",
      "secretName: t, isCA: true, dnsNames: [b.example]")
      INGRESS("1") LE TLS, "want d/t for a.example=ha|!Certificate d/t" },
    { "one of an Ingress that is gone", SHIM,
      "want d/t for b.example=- by Issuer/ca|of d/t" },
    { "one of an Ingress that asks no more", SHIM INGRESS("1") TLS,
      "want d/t for b.example=- by Issuer/ca|of d/t" },
    { "one of an Ingress that has another Secret",
      SHIM INGRESS("1") LE "tls u a.example\n",
      "want d/t for b.example=- by Issuer/ca|want d/u for a.example=ha" },
    { "one of an entry that asks for nothing",
      SHIM INGRESS("1") LE "tls t\n", "want d/t for b.example=-|of d/t" },
    { "one of an Ingress of another class",
      "class\n" SHIM INGRESS("1") LE TLS, "want d/t for b.example=-" },
    { "one of another namespace's Ingress", SHIM
      "ingress e/i 1\nrule a.example Prefix / s:80\n" LE TLS,
      "want d/t for b.example=-|want e/t for a.example=ha" },
    { "one that is not controlled", LEFT("Ingress",
      "secretName: t, dnsNames: [b.example]") INGRESS("1") LE TLS,
      "want d/t for b.example=-|error BadConfig Ingress d/i" },
    { "one of a Gateway", LEFT("Gateway, controller: true",
      "secretName: t, dnsNames: [b.example]") INGRESS("1") LE TLS,
      "want d/t for b.example=-|error BadConfig Ingress d/i" },

    { NULL, NULL, NULL }
};


static void
test_how(torii_buf_t *b, const ingress_issue_name_t *name)
{
    uint32_t  solve;

    solve = name->solve;

    torii_buf_printf(b, " %.*s=%s%s%s", torii_str_arg(name->name),
                     solve & INGRESS_SOLVE_ALPN_FIRST ? "a" : "",
                     solve & INGRESS_SOLVE_HTTP ? "h" : "",
                     (solve & INGRESS_SOLVE_ALPN)
                     && !(solve & INGRESS_SOLVE_ALPN_FIRST) ? "a" : "");

    if (solve & INGRESS_SOLVE_DNS) {
        torii_buf_printf(b, "d%u", (unsigned) name->solver);
    }

    /* a record that is there comes first, but where there are no names */

    if (!(solve & INGRESS_SOLVE_PERSIST) != (solve == 0
                                             || ingress_is_address(name->name)))
    {
        torii_buf_adds(b, "!");
    }

    if (solve & INGRESS_SOLVE_PERSIST_ONLY) {
        torii_buf_adds(b, "P");

    } else if (solve == INGRESS_SOLVE_PERSIST) {
        torii_buf_adds(b, "p");
    }

    if (solve == 0) {
        torii_buf_adds(b, "-");
    }
}


static void
test_pairs(torii_buf_t *b, const char *what, const ingress_pairs_t *pairs)
{
    uint32_t  i;

    for (i = 0; i < pairs->n; i++) {
        torii_buf_printf(b, " %s %.*s=%.*s", what,
                         torii_str_arg(pairs->elts[i].name),
                         torii_str_arg(pairs->elts[i].value));
    }
}


static void
test_number(torii_buf_t *b, const char *what, int64_t n)
{
    if (n) {
        torii_buf_printf(b, " %s %lld", what, (long long) n);
    }
}


static void
test_want(void *data, const ingress_issue_t *issue)
{
    test_t *t = data;

    uint32_t      i;
    torii_buf_t  *b;

    b = &t->text;

    torii_buf_printf(b, "want %.*s/%.*s for", torii_str_arg(issue->namespace),
                     torii_str_arg(issue->secret));

    for (i = 0; i < issue->n; i++) {
        test_how(b, &issue->names[i]);
    }

    if (issue->nissuers) {
        torii_buf_adds(b, " by");
    }

    for (i = 0; i < issue->nissuers; i++) {
        torii_buf_printf(b, " %s/%.*s",
                         ingress_kind_name(issue->issuers[i]->kind),
                         torii_str_arg(issue->issuers[i]->name));
    }

    torii_buf_printf(b, " %s %u%s%s%s%s",
                     issue->key == INGRESS_ISSUE_EC ? "ec" : "rsa",
                     (unsigned) issue->bits, issue->pkcs8 ? " pkcs8" : "",
                     issue->reuse_key ? " reuse" : "",
                     issue->temporary ? " temporary" : "",
                     issue->disabled ? " disabled" : "");

    if (issue->common_name.len) {
        torii_buf_printf(b, " cn %.*s", torii_str_arg(issue->common_name));
    }

    test_number(b, "for", issue->duration);
    test_number(b, "before", issue->renew_before);
    test_number(b, "percent", issue->renew_percent);
    test_number(b, "now", issue->renew_now);
    test_pairs(b, "annotation", issue->template_annotations);
    test_pairs(b, "label", issue->template_labels);
    torii_buf_adds(b, "\n");
}


static void
test_of(void *data, const ingress_issue_t *issue)
{
    test_t *t = data;

    torii_buf_printf(&t->text, "of %.*s/%.*s %.*s\n",
                     torii_str_arg(issue->owner->namespace),
                     torii_str_arg(issue->owner->name),
                     torii_str_arg(issue->field));
}


static void
test_look(test_t *t)
{
    torii_arena_t            *a;
    ingress_findings_t        findings;
    const ingress_finding_t  *f;

    a = torii_arena_create(4096);
    t->text.len = 0;

    ingress_findings_init(&findings, a);
    ingress_issues(t->w.store, &t->w.options, &findings, test_of, t);
    ingress_findings_init(&findings, a);
    ingress_issues(t->w.store, &t->w.options, &findings, test_want, t);

    for (f = findings.first; f; f = f->next) {
        torii_buf_printf(&t->text, "%s %s %.*s %.*s/%.*s %.*s=%.*s %.*s\n",
                         ingress_severity_name(f->severity), f->reason,
                         torii_str_arg(f->kind), torii_str_arg(f->namespace),
                         torii_str_arg(f->name), torii_str_arg(f->field),
                         torii_str_arg(f->value), torii_str_arg(f->message));
    }

    torii_buf_add(&t->text, "", 1);
    torii_arena_destroy(a);
}


/* Lines of world_add(), but for a few of our own. */

static void
test_objects(test_t *t, const char *objects)
{
    char         *copy, *line, *next;
    torii_str_t   s;
    torii_buf_t   yaml, rest;

    memset(&yaml, 0, sizeof(torii_buf_t));
    memset(&rest, 0, sizeof(torii_buf_t));

    t->w.file = "a.yaml";
    copy = strdup(objects);

    for (line = copy; line && *line; line = next) {
        next = strchr(line, '\n');

        if (next) {
            *next++ = '\0';
        }

        if (strcmp(line, "file") == 0) {
            t->w.file = "";

        } else if (strcmp(line, "class") == 0) {
            t->w.options.all = 0;

        } else if (strncmp(line, "default ", 8) == 0) {
            t->w.options.default_issuer.len = strlen(line + 8);
            t->w.options.default_issuer.data = (unsigned char *)
                                               strdup(line + 8);

        } else if (strncmp(line, "yaml ", 5) == 0) {
            torii_buf_printf(&yaml, "%s\n", line + 5);

        } else {
            torii_buf_printf(&rest, "%s\n", line);
        }
    }

    world_yaml(&t->w, torii_str(ISSUERS));

    if (yaml.len) {
        s.data = yaml.data;
        s.len = yaml.len;
        world_yaml(&t->w, s);
    }

    if (rest.len) {
        torii_buf_add(&rest, "", 1);
        world_add(&t->w, (char *) rest.data);
    }

    torii_buf_free(&yaml);
    torii_buf_free(&rest);
    free(copy);
}


static int
test_expected(const char *text, const char *expected)
{
    int          ok;
    char        *piece;
    torii_str_t  rest, s;

    rest = torii_str(expected);
    ok = 1;

    while (torii_str_next(&rest, "|", &s)) {
        piece = strndup((char *) s.data, s.len);

        if (*piece == '!') {
            ok &= (strstr(text, piece + 1) == NULL);

        } else {
            ok &= (strstr(text, piece) != NULL);
        }

        free(piece);
    }

    return ok;
}


static void
test_cases(void)
{
    test_t              t;
    const test_case_t  *c;

    for (c = cases; c->what; c++) {
        memset(&t, 0, sizeof(test_t));
        world_start(&t.w);

        test_objects(&t, c->objects);
        world_compile(&t.w);
        test_look(&t);

        if (!tap_ok(test_expected((char *) t.text.data, c->expected), "%s",
                    c->what))
        {
            printf("# %s\n# expected: %s\n", (char *) t.text.data,
                   c->expected);
        }

        free(t.w.options.default_issuer.data);
        torii_buf_free(&t.text);
        world_end(&t.w);
    }
}


/* How a name is proved by the solvers of an issuer. */

typedef struct {
    const char  *what;
    const char  *solvers;
    const char  *name;
    const char  *labels;
    const char  *how;
} test_solver_t;

#define HTTP  "http01: {ingress: {}}"
#define DNS   "dns01: {cloudflare: {apiTokenSecretRef: {name: t, key: k}}}"


static const test_solver_t  solvers[] = {

    { "the first of two without a selector", "[{" DNS "}, {" HTTP "}]",
      "a.example", "{}", "d0" },
    { "a wildcard passes http01 over", "[{" HTTP "}, {" DNS "}]",
      "*.a.example", "{}", "d1" },
    { "a name before none",
      "[{" HTTP "}, {" DNS ", selector: {dnsNames: [a.example]}}]",
      "a.example", "{}", "d1" },
    { "a name that does not match",
      "[{" HTTP "}, {" DNS ", selector: {dnsNames: [b.example]}}]",
      "a.example", "{}", "ha" },
    { "a name is no zone",
      "[{" DNS ", selector: {dnsNames: [a.example]}}]",
      "b.a.example", "{}", "-" },
    { "a wildcard's name is its text",
      "[{" DNS "}, {" DNS ", selector: {dnsNames: ['*.a.example']}}]",
      "*.a.example", "{}", "d1" },
    { "a wildcard's selector is for the wildcard alone",
      "[{" DNS "}, {" DNS ", selector: {dnsNames: ['*.a.example']}}]",
      "b.a.example", "{}", "d0" },
    { "a zone", "[{" HTTP "}, {" DNS ", selector: {dnsZones: [example]}}]",
      "a.example", "{}", "d1" },
    { "a zone by labels, not by letters",
      "[{" HTTP "}, {" DNS ", selector: {dnsZones: [a.example]}}]",
      "ba.example", "{}", "ha" },
    { "a zone is its own", "[{" DNS ", selector: {dnsZones: [a.example]}}]",
      "a.example", "{}", "d0" },
    { "a zone holds its wildcard",
      "[{" DNS ", selector: {dnsZones: [a.example]}}]",
      "*.a.example", "{}", "d0" },
    { "the longer zone",
      "[{" HTTP ", selector: {dnsZones: [example]}}, "
      "{" DNS ", selector: {dnsZones: [a.example]}}]",
      "b.a.example", "{}", "d1" },
    { "the longest of a list counts",
      "[{" HTTP ", selector: {dnsZones: [a.example]}}, "
      "{" DNS ", selector: {dnsZones: [example, b.a.example]}}]",
      "b.a.example", "{}", "d1" },
    { "labels of a zone, not letters",
      "[{" HTTP ", selector: {dnsZones: [averylongname]}}, "
      "{" DNS ", selector: {dnsZones: [a.b]}}]",
      "x.a.b", "{}", "d1" },
    { "a name before any zone",
      "[{" DNS ", selector: {dnsZones: [b.a.example]}}, "
      "{" HTTP ", selector: {dnsNames: [b.a.example]}}]",
      "b.a.example", "{}", "ha" },
    { "a zone before labels",
      "[{" DNS ", selector: {matchLabels: {x: y, z: z}}}, "
      "{" HTTP ", selector: {dnsZones: [example]}}]",
      "a.example", "{x: y, z: z}", "ha" },
    { "more labels",
      "[{" DNS ", selector: {matchLabels: {x: y}}}, "
      "{" HTTP ", selector: {matchLabels: {x: y, z: z}}}]",
      "a.example", "{x: y, z: z}", "ha" },
    { "labels before none",
      "[{" DNS "}, {" HTTP ", selector: {matchLabels: {x: y}}}]",
      "a.example", "{x: y}", "ha" },
    { "a label of another value",
      "[{" DNS "}, {" HTTP ", selector: {matchLabels: {x: y}}}]",
      "a.example", "{x: z}", "d0" },
    { "all parts must match",
      "[{" DNS "}, {" HTTP ", selector: {dnsNames: [a.example], "
      "matchLabels: {x: y}}}]", "a.example", "{}", "d0" },
    { "names and zones must both match",
      "[{" DNS "}, {" HTTP ", selector: {dnsNames: [a.example], "
      "dnsZones: [b.example]}}]", "a.example", "{}", "d0" },
    { "of equals the first",
      "[{" DNS ", selector: {dnsZones: [example]}}, "
      "{" HTTP ", selector: {dnsZones: [example]}}]",
      "a.example", "{}", "d0" },
    { "an empty selector is none", "[{" DNS "}, {" HTTP ", selector: {}}]",
      "a.example", "{}", "d0" },
    { "one that cannot be read serves none",
      "[{" DNS ", selector: {dnsNames: [_]}}, {" HTTP "}]",
      "a.example", "{}", "ha" },
    { "the number counts in the whole list",
      "[{}, {" HTTP "}, {" DNS ", selector: {dnsNames: [a.example]}}]",
      "a.example", "{}", "d2" },

    { NULL, NULL, NULL, NULL, NULL }
};


static void
test_solvers(void)
{
    char                  yaml[2048], want[256];
    test_t                t;
    const test_solver_t  *c;

    for (c = solvers; c->what; c++) {
        memset(&t, 0, sizeof(test_t));
        world_start(&t.w);

        snprintf(yaml, sizeof(yaml),
                 "---\napiVersion: cert-manager.io/v1\nkind: Issuer\n"
                 "metadata: {namespace: d, name: x}\nspec:\n  acme:\n"
                 "    server: https://ca.example/dir\n"
                 "    privateKeySecretRef: {name: k}\n    solvers: %s\n"
                 "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\n"
                 "metadata:\n  namespace: d\n  name: i\n  labels: %s\n"
                 "  annotations: {cert-manager.io/issuer: x}\n"
                 "spec: {tls: [{hosts: ['%s'], secretName: t}], "
                 "rules: [{host: a.example}]}\n",
                 c->solvers, c->labels, c->name);

        world_yaml(&t.w, torii_str(yaml));
        world_compile(&t.w);
        test_look(&t);

        snprintf(want, sizeof(want), "want d/t for %s=%s by", c->name, c->how);

        if (!tap_ok(strstr((char *) t.text.data, want) != NULL, "solver: %s",
                    c->what))
        {
            printf("# %s\n# expected: %s\n", (char *) t.text.data, want);
        }

        torii_buf_free(&t.text);
        world_end(&t.w);
    }
}


/* As many names as a CA takes, and one more. */

static void
test_bounds(void)
{
    uint32_t     i, n;
    test_t       t;
    torii_buf_t  b;

    for (n = 100; n <= 101; n++) {
        memset(&t, 0, sizeof(test_t));
        memset(&b, 0, sizeof(torii_buf_t));
        world_start(&t.w);

        torii_buf_adds(&b, ISSUERS "---\napiVersion: networking.k8s.io/v1\n"
                       "kind: Ingress\nmetadata:\n  namespace: d\n  name: i\n"
                       "  annotations: {cert-manager.io/cluster-issuer: le}\n"
                       "spec:\n  rules: [{host: a.example}]\n"
                       "  tls:\n  - secretName: t\n    hosts:\n");

        for (i = 0; i < n * 2; i++) {
            torii_buf_printf(&b, "    - n%u.example\n", i % n);
        }

        torii_buf_add(&b, "", 1);
        world_yaml(&t.w, torii_str((char *) b.data));
        world_compile(&t.w);
        test_look(&t);

        tap_ok(test_expected((char *) t.text.data, n == 100
                             ? "want d/t for n0.example=ha|!BadConfig"
                             : "!want|error BadConfig Ingress d/i spec.tls[0]"
                               "=t has more than 100 names"),
               "%u names", (unsigned) n);

        torii_buf_free(&b);
        torii_buf_free(&t.text);
        world_end(&t.w);
    }
}


static void
test_version(void)
{
    test_t       t;
    uint64_t     v, next;
    torii_str_t  d, one;

    memset(&t, 0, sizeof(test_t));
    world_start(&t.w);
    world_compile(&t.w);

    d = torii_str("d");
    v = ingress_issues_version(t.w.store);

    world_compile(&t.w);
    tap_ok(ingress_issues_version(t.w.store) == v,
           "a compile of the same changes no version");

    world_add(&t.w, "service d/s :80\nslice d/s-1 s :80 192.0.2.1\n"
              "config d/c\ndata a b\n");
    world_compile(&t.w);
    tap_ok(ingress_issues_version(t.w.store) == v,
           "nor do Services, endpoints and ConfigMaps");

    world_add(&t.w, INGRESS("1") LE TLS);
    next = ingress_issues_version(t.w.store);
    tap_ok(next != v, "an Ingress does");

    test_look(&t);
    tap_ok(strstr((char *) t.text.data, "want") == NULL,
           "which counts once it is compiled");

    world_compile(&t.w);
    tap_ok(ingress_issues_version(t.w.store) != next,
           "and its compile changes it again");

    test_look(&t);
    tap_ok(strstr((char *) t.text.data, "want") != NULL, "it counts then");

    world_add(&t.w, INGRESS("1") LE "tls u a.example\n");
    test_look(&t);
    tap_ok(strstr((char *) t.text.data, "want d/u") != NULL,
           "one that was served is not lost while it changes");
    world_compile(&t.w);

    v = ingress_issues_version(t.w.store);
    world_add(&t.w, INGRESS("1") LE "tls u a.example\n");
    world_compile(&t.w);
    tap_ok(ingress_issues_version(t.w.store) == v,
           "the same Ingress again is no change");

    world_yaml(&t.w, torii_str(ISSUERS));
    next = ingress_issues_version(t.w.store);
    tap_ok(next != v, "an issuer is one");

    world_secret(&t.w, "d/t", "x", "y", NULL);
    v = ingress_issues_version(t.w.store);
    tap_ok(next != v, "a Secret is one");

    t.w.options.all = 0;
    world_compile(&t.w);
    tap_ok(ingress_issues_version(t.w.store) != v, "other classes are one");

    t.w.options.all = 1;
    world_compile(&t.w);
    v = ingress_issues_version(t.w.store);

    one = torii_str("i");
    (void) ingress_store_remove(t.w.store, INGRESS_KIND_INGRESS, d, one,
                                torii_str(""));
    tap_ok(ingress_issues_version(t.w.store) != v, "a removal is one");

    test_look(&t);
    tap_ok(strstr((char *) t.text.data, "want") == NULL,
           "and what is gone is not wanted");

    torii_buf_free(&t.text);
    world_end(&t.w);
}


/* An Ingress that comes has what cert-manager left to it from the beginning. */

static void
test_left(void)
{
    test_t  t;

    memset(&t, 0, sizeof(test_t));
    world_start(&t.w);

    test_objects(&t, SHIM);
    world_compile(&t.w);
    test_look(&t);
    tap_ok(strstr((char *) t.text.data, "want d/t for b.example") != NULL,
           "left behind, without its Ingress");

    world_add(&t.w, INGRESS("1") LE TLS);
    test_look(&t);
    tap_ok(strstr((char *) t.text.data, "want") == NULL,
           "neither, until it is known who is served");

    world_compile(&t.w);
    test_look(&t);
    tap_ok(strstr((char *) t.text.data, "want d/t for a.example") != NULL,
           "then the Ingress");

    t.w.options.all = 0;
    world_compile(&t.w);
    test_look(&t);
    tap_ok(strstr((char *) t.text.data, "want d/t for b.example") != NULL,
           "and not one that is not served");

    torii_buf_free(&t.text);
    world_end(&t.w);
}


/* What was issued lies in front of what a file has. */

static void
test_copies(void)
{
    test_t             t;
    torii_str_t        d, s;
    ingress_object_t  *first, *second;

    memset(&t, 0, sizeof(test_t));
    world_start(&t.w);

    d = torii_str("d");
    s = torii_str("t");

    tap_ok(ingress_store_copy(t.w.store, INGRESS_KIND_SECRET, d, s, 0) == NULL,
           "no copy of what is not there");

    t.w.file = "b.yaml";
    world_secret(&t.w, "d/t", "b", "b", NULL);
    t.w.file = "";
    world_secret(&t.w, "d/t", "own", "own", NULL);

    first = ingress_store_copy(t.w.store, INGRESS_KIND_SECRET, d, s, 0);
    second = ingress_store_copy(t.w.store, INGRESS_KIND_SECRET, d, s, 1);

    tap_ok(first && first->file.len == 0
           && first == ingress_store_get(t.w.store, INGRESS_KIND_SECRET, d, s),
           "the gateway's own is the one in force");
    tap_ok(second && torii_str_eqs(second->file, "b.yaml"),
           "then that of the file");
    tap_ok(ingress_store_copy(t.w.store, INGRESS_KIND_SECRET, d, s, 2) == NULL,
           "and no more");

    world_compile(&t.w);
    tap_ok(world_finding(&t.w, "DuplicateObject") == NULL,
           "that is no duplicate");

    (void) ingress_store_remove(t.w.store, INGRESS_KIND_SECRET, d, s,
                                torii_str(""));
    t.w.file = "c.yaml";
    world_secret(&t.w, "d/t", "c", "c", NULL);
    world_compile(&t.w);
    tap_ok(world_finding(&t.w, "DuplicateObject") != NULL,
           "two files are one");

    world_end(&t.w);
}


static void
test_row(void *data, const ingress_setting_info_t *info)
{
    const char **before = data;

    tap_ok((*before == NULL || strcmp(*before, info->name) < 0)
           && info->help[0], "%s is in order", info->name);

    *before = info->name;
}


int
main(void)
{
    const char  *before;

    before = NULL;

    test_cases();
    test_solvers();
    test_bounds();
    test_version();
    test_left();
    test_copies();

    ingress_issue_each(test_row, &before);

    return tap_done();
}
