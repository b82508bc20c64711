
/*
 * Annotations about certificates out of hostile bytes: pairs "name=value" with
 * "|" between.  A name without "/" gets cert-manager's prefix; "@" at the
 * beginning makes it one of a Certificate, and "#" one of the issuer.
 */

#include <stdlib.h>

#include "ingress_issue.h"
#include "ingress_decode.h"


#define FUZZ_PAIRS  64


typedef struct {
    torii_arena_t     *arena;
    ingress_object_t  *objects[3];       /* Ingress, Certificate, issuer */
    ingress_store_t   *store;
    uint32_t           n;
    torii_str_t        last;             /* "namespace/secret" */
} fuzz_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const char  fuzz_objects[] =
    "---\n{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: "
    "{namespace: d, name: i, labels: {a: b}}, spec: {rules: [{host: "
    "a.example}], tls: [{hosts: [a.example, '*.b.example'], secretName: t}, "
    "{hosts: [c.example], secretName: u}, {secretName: v}]}}\n"
    "---\n{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: "
    "{namespace: d, name: c}, spec: {secretName: t, issuerRef: {name: x, "
    "kind: ClusterIssuer}, dnsNames: [a.example], ipAddresses: ['::1']}}\n"
    "---\n{apiVersion: cert-manager.io/v1, kind: ClusterIssuer, metadata: "
    "{name: x}, spec: {acme: {server: 'https://ca.example/', "
    "privateKeySecretRef: {name: k}, solvers: [{http01: {ingress: {}}}, "
    "{dns01: {cloudflare: {apiTokenSecretRef: {name: t, key: k}}}, selector: "
    "{dnsZones: [b.example]}}, {http01: {ingress: {}}, selector: "
    "{matchLabels: {a: b}}}]}}}\n";


static void
expect(int ok)
{
    if (!ok) {
        abort();
    }
}


static void
fuzz_add(void *data, ingress_object_t *o)
{
    fuzz_t  *f;

    f = data;

    expect(f->n < 3);
    f->objects[f->n++] = o;
}


static void
fuzz_pair(fuzz_t *f, torii_str_t pair)
{
    uint32_t          i;
    torii_str_t       name;
    ingress_pair_t   *p;
    ingress_pairs_t  *pairs;

    i = 0;

    if (pair.len && (pair.data[0] == '@' || pair.data[0] == '#')) {
        i = pair.data[0] == '@' ? 1 : 2;
        pair.data++;
        pair.len--;
    }

    pairs = &f->objects[i]->annotations;

    if (pairs->n == FUZZ_PAIRS) {
        return;
    }

    (void) torii_str_next(&pair, "=", &name);

    if (name.len == 0 || memchr(name.data, '/', name.len) == NULL) {
        name = torii_arena_printf(f->arena, "cert-manager.io/%.*s",
                                  torii_str_arg(name));
    }

    p = &pairs->elts[pairs->n++];
    p->name = name;
    p->value = torii_arena_str(f->arena, pair);
    p->line = pairs->n;
}


static void
fuzz_want(void *data, const ingress_issue_t *issue)
{
    uint32_t                     i, n;
    fuzz_t                      *f;
    torii_str_t                  id;
    const ingress_issue_name_t  *name;

    f = data;

    id = torii_arena_printf(f->arena, "%.*s/%.*s",
                            torii_str_arg(issue->namespace),
                            torii_str_arg(issue->secret));

    expect(f->last.len == 0 || torii_str_cmp(f->last, id) < 0);
    f->last = id;

    expect(issue->owner != NULL && issue->field.len);
    expect(issue->n > 0 && issue->n <= 100 && issue->nissuers <= 8);
    expect(issue->template_labels && issue->template_annotations);
    expect(issue->key == INGRESS_ISSUE_EC
           ? issue->bits == 256 || issue->bits == 384
           : issue->bits == 2048 || issue->bits == 3072
             || issue->bits == 4096);
    expect(issue->renew_percent < 100);
    expect(issue->duration == 0 || issue->duration >= 3600);
    expect(issue->renew_before == 0 || issue->renew_before >= 300);
    expect(issue->common_name.len <= 64);

    for (i = 0; i < issue->n; i++) {
        name = &issue->names[i];

        expect(ingress_is_address(name->name)
               || ingress_host_check(name->name, INGRESS_HOST_RULE) == NULL);

        if (torii_str_starts(name->name, "*.")) {
            expect((name->solve & ~(INGRESS_SOLVE_DNS | INGRESS_SOLVE_PERSIST
                                     | INGRESS_SOLVE_PERSIST_ONLY))
                   == 0);
        }

        if (name->solve & INGRESS_SOLVE_DNS) {
            expect(name->solver < issue->issuers[0]->u.issuer.acme.nsolvers);
            expect(!ingress_is_address(name->name));
        }

        for (n = 0; n < i; n++) {
            expect(!torii_str_eq(name->name, issue->names[n].name));
        }
    }
}


static void
fuzz_look(fuzz_t *f)
{
    torii_buf_t               out;
    ingress_options_t         options;
    ingress_findings_t        findings;
    const ingress_finding_t  *one;

    memset(&options, 0, sizeof(options));
    memset(&out, 0, sizeof(out));

    options.all = 1;
    options.default_issuer = torii_str("ClusterIssuer/x");

    ingress_compile(f->store, &options, 1800000000, NULL, NULL, &out);
    torii_buf_free(&out);

    ingress_findings_init(&findings, f->arena);
    ingress_issues(f->store, &options, &findings, fuzz_want, f);

    for (one = findings.first; one; one = one->next) {
        ingress_finding_json(&out, one);
        ingress_finding_text(&out, one);
    }

    torii_buf_free(&out);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t               f;
    uint32_t             i, n;
    torii_str_t          rest, pair;
    torii_node_t       **docs;
    ingress_finding_t   *findings;
    torii_tree_error_t   error;

    memset(&f, 0, sizeof(fuzz_t));

    f.arena = torii_arena_create(16384);
    f.store = ingress_store_create();
    findings = NULL;

    expect(torii_tree_yaml(f.arena, torii_str(fuzz_objects),
                           &torii_tree_limits, &docs, &n, &error)
           == TORII_OK);

    for (i = 0; i < n; i++) {
        ingress_object_decode(f.arena, docs[i], torii_str("a.yaml"), fuzz_add,
                              &f, &findings);
    }

    expect(f.n == 3 && findings == NULL);

    for (i = 0; i < 3; i++) {
        f.objects[i]->annotations.elts = torii_arena_zalloc(
                                 f.objects[i]->arena,
                                 FUZZ_PAIRS * sizeof(ingress_pair_t));
        f.objects[i]->annotations.n = 0;
    }

    rest.data = torii_arena_alloc(f.arena, size + 1);
    rest.len = size;
    memcpy(rest.data, data, size);

    while (torii_str_next(&rest, "|", &pair)) {
        fuzz_pair(&f, pair);
    }

    /* a Certificate hides the Ingress of its Secret: half of the time */

    ingress_store_set(f.store, f.objects[0]);
    ingress_store_set(f.store, f.objects[2]);

    if (f.objects[1]->annotations.n) {
        ingress_store_set(f.store, f.objects[1]);

    } else {
        ingress_object_free(f.objects[1]);
    }

    fuzz_look(&f);

    ingress_store_destroy(f.store);
    torii_arena_destroy(f.arena);

    return 0;
}
