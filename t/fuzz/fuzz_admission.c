
/*
 * Any body as an AdmissionReview: the answer is JSON with the uid that was
 * asked with, of bounded size, and the same for the same body.
 */

#include <stdlib.h>

#include "ingress_admission.h"
#include "ingress_store.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    ingress_store_t  *store;
    torii_buf_t       out;
    ingress_table_t   t;
} fuzz_table_t;


static const char  objects[] =
    "apiVersion: networking.k8s.io/v1\n"
    "kind: Ingress\n"
    "metadata: {namespace: demo, name: web}\n"
    "spec:\n"
    "  ingressClassName: nginx\n"
    "  rules:\n"
    "  - {host: a.example, http: {paths: [{path: /app, pathType: Prefix,\n"
    "      backend: {service: {name: s, port: {number: 80}}}}]}}\n"
    "  - {host: b.example, http: {paths: [{path: /b, pathType: Exact,\n"
    "      backend: {service: {name: s, port: {number: 80}}}}]}}\n"
    "---\n"
    "apiVersion: networking.k8s.io/v1\n"
    "kind: Ingress\n"
    "metadata: {namespace: demo, name: regex,\n"
    "  annotations: {nginx.ingress.kubernetes.io/use-regex: \"true\"}}\n"
    "spec:\n"
    "  ingressClassName: nginx\n"
    "  defaultBackend: {service: {name: s, port: {number: 80}}}\n"
    "  rules:\n"
    "  - {host: r.example, http: {paths: [{path: /x, pathType: Prefix,\n"
    "      backend: {service: {name: s, port: {number: 80}}}}]}}\n"
    "---\n"
    "apiVersion: networking.k8s.io/v1\n"
    "kind: IngressClass\n"
    "metadata: {name: nginx}\n"
    "spec: {controller: k8s.io/ingress-nginx}\n";


static void
expect(int ok)
{
    if (!ok) {
        abort();
    }
}


static void
add(void *data, ingress_object_t *o)
{
    (void) ingress_store_set(data, o);
}


/* That of the first call serves all others. */

static const ingress_table_t *
table(void)
{
    char                  error[128];
    uint32_t              i, n;
    torii_arena_t        *a;
    torii_node_t        **docs;
    ingress_options_t     options;
    ingress_finding_t    *findings;
    torii_tree_error_t    why;
    static fuzz_table_t   made;

    if (made.store) {
        return &made.t;
    }

    a = torii_arena_create(4096);
    made.store = ingress_store_create();
    findings = NULL;

    expect(torii_tree_yaml(a, torii_str(objects), &torii_tree_limits, &docs,
                           &n, &why) == TORII_OK);

    for (i = 0; i < n; i++) {
        ingress_object_decode(a, docs[i], torii_str(""), add, made.store,
                              &findings);
    }

    memset(&options, 0, sizeof(ingress_options_t));
    options.all = 1;

    ingress_compile(made.store, &options, 1800000000, NULL, NULL, &made.out);

    expect(ingress_table_check(&made.t, made.out.data, made.out.len, error)
           == TORII_OK);

    torii_arena_destroy(a);

    return &made.t;
}


static void
check(torii_str_t answer)
{
    torii_node_t        *doc, *response;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    a = torii_arena_create(4096);

    expect(torii_tree_json(a, answer, &torii_tree_limits, &doc, &error)
           == TORII_OK);

    response = torii_node_get(doc, "response");

    expect(torii_node_get(response, "uid") != NULL
           && torii_node_get(response, "allowed")->type == TORII_NODE_BOOL);

    expect(torii_node_get(response, "allowed")->boolean
           == (torii_node_get(response, "status") == NULL));

    torii_arena_destroy(a);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                     rc;
    char                    error[128];
    torii_buf_t             one, two;
    torii_str_t             body;
    const ingress_table_t  *t;

    t = table();

    memset(&one, 0, sizeof(torii_buf_t));
    memset(&two, 0, sizeof(torii_buf_t));

    body.data = (unsigned char *) data;
    body.len = size;

    error[0] = '\0';
    rc = ingress_admission_review(t, body, &one, error);

    expect(rc == TORII_OK || rc == TORII_DECLINED);
    expect((rc == TORII_OK) == (one.len != 0));
    expect((rc == TORII_OK) == (error[0] == '\0'));

    if (rc == TORII_OK) {
        body.data = one.data;
        body.len = one.len;

        expect(one.len < 65536);
        check(body);

        body.data = (unsigned char *) data;
        body.len = size;

        expect(ingress_admission_review(t, body, &two, error) == rc
               && one.len == two.len
               && memcmp(one.data, two.data, one.len) == 0);
    }

    torii_buf_free(&one);
    torii_buf_free(&two);

    return 0;
}
