
/*
 * The cluster source against a server that answers anything: each byte of the
 * input is a step (an answer's head, a piece of a body, an end, time), and
 * some steps take bytes from the input as they are.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ingress_cluster.h"


#define FUZZ_OPEN   160
#define FUZZ_STEPS  2000

typedef struct {
    const unsigned char  *p;
    const unsigned char  *last;
    uint64_t              now;
    uint32_t              open[FUZZ_OPEN];
    uint32_t              version;
    ingress_store_t      *store;
    ingress_cluster_t    *cluster;
} fuzz_t;


static const char *const  fuzz_kinds[] = {
    "Ingress", "IngressClass", "Service", "EndpointSlice", "Secret",
    "ConfigMap", "Namespace", "Issuer", "ClusterIssuer", "Certificate"
};

static const uint16_t  fuzz_statuses[] = {
    200, 200, 200, 200, 403, 404, 410, 429, 500, 401, 0, 302
};

static const char *const  fuzz_specs[] = {
    "",
    ",\"spec\":{\"rules\":[{\"host\":\"a.example\"}],\"tls\":[{\"secretName\":"
    "\"a\"},{\"secretName\":\"b\"}]}",
    ",\"spec\":{\"tls\":[{\"secretName\":\"c\"}]},\"status\":{\"loadBalancer\""
    ":{\"ingress\":[{\"ip\":\"192.0.2.1\"},{\"hostname\":\"a\"}]}}",
    ",\"data\":{\"tls.crt\":\"YQ==\"},\"type\":\"kubernetes.io/tls\"",
    ",\"data\":{\"allow-cross-namespace-resources\":\"true\"}",
    ",\"spec\":{\"controller\":\"k8s.io/ingress-nginx\"}",
    ",\"spec\":{\"acme\":{\"server\":\"https://a\",\"privateKeySecretRef\":{"
    "\"name\":\"a\"},\"solvers\":[{\"dns01\":{\"digitalocean\":{"
    "\"tokenSecretRef\":{\"name\":\"b\",\"key\":\"c\"}}}}]}}",
    ",\"spec\":{\"secretName\":\"c\",\"dnsNames\":[\"a\"],\"issuerRef\":{"
    "\"name\":\"a\"}}"
};

static const char *const  fuzz_names[] = { "a", "b", "c", "config" };


static unsigned
fuzz_byte(fuzz_t *f)
{
    return f->p < f->last ? *f->p++ : 0;
}


static void
fuzz_closed(fuzz_t *f, uint32_t i, int rc)
{
    if (rc != TORII_OK) {
        f->open[i] = 0;
    }
}


static void
fuzz_object(fuzz_t *f, torii_buf_t *b)
{
    unsigned  kind, name, spec, space;

    kind = fuzz_byte(f) % 10;
    name = fuzz_byte(f);
    space = name >> 4;
    spec = fuzz_byte(f) % 8;

    if (name & 0x08) {
        f->version++;
    }

    torii_buf_printf(b, "{\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\","
                     "\"resourceVersion\":\"%u\"", fuzz_kinds[kind],
                     fuzz_names[name & 3], (unsigned) f->version);

    if (space & 3) {
        torii_buf_printf(b, ",\"namespace\":\"%s\"", fuzz_names[space & 3]);
    }

    if (space & 4) {
        torii_buf_adds(b, ",\"annotations\":{\"nginx.ingress.kubernetes.io/"
                       "proxy-ssl-secret\":\"b/a\",\"nginx.ingress.kubernetes"
                       ".io/fastcgi-params-configmap\":\"c\","
                       "\"k8s.io/initial-events-end\":\"true\"}");
    }

    torii_buf_printf(b, "}%s}", fuzz_specs[spec]);
}


static void
fuzz_body(fuzz_t *f, uint32_t i, unsigned how)
{
    size_t        len;
    torii_buf_t   b;
    torii_str_t   s;
    static const char *const  types[] = {
        "ADDED", "MODIFIED", "DELETED", "BOOKMARK"
    };

    memset(&b, 0, sizeof(torii_buf_t));

    switch (how % 6) {

    case 0:
        len = fuzz_byte(f);
        len = len < (size_t) (f->last - f->p) ? len : (size_t) (f->last
                                                                - f->p);
        torii_buf_add(&b, f->p, len);
        f->p += len;
        break;

    case 1:
        fuzz_object(f, &b);
        break;

    case 2:
        torii_buf_adds(&b, "{\"kind\":\"Status\",\"reason\":\"NotFound\","
                       "\"code\":404}");
        break;

    case 3:
        torii_buf_printf(&b, "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":"
                         "{\"resourceVersion\":\"%u\",\"annotations\":{"
                         "\"k8s.io/initial-events-end\":\"true\"}}}}",
                         (unsigned) f->version);
        break;

    default:
        torii_buf_printf(&b, "{\"type\":\"%s\",\"object\":",
                         types[how / 6 % 4]);
        fuzz_object(f, &b);
        torii_buf_adds(&b, "}\n");
    }

    s.data = b.data;
    s.len = b.len;

    fuzz_closed(f, i, ingress_cluster_body(f->cluster, f->now, f->open[i], s));

    torii_buf_free(&b);
}


static void
fuzz_step(fuzz_t *f)
{
    uint32_t              i, id;
    unsigned              step;
    ingress_api_answer_t  answer;

    step = fuzz_byte(f);
    i = fuzz_byte(f) % FUZZ_OPEN;

    while (i && f->open[i] == 0) {
        i--;
    }

    switch (step & 3) {

    case 0:
        f->now += step << (step >> 4);
        break;

    case 1:
        memset(&answer, 0, sizeof(ingress_api_answer_t));

        answer.status = fuzz_statuses[(step >> 2) % 12];
        answer.retry_after = fuzz_byte(f) & 3;
        answer.content_type = torii_str("application/json");
        answer.error = answer.status ? NULL : "no answer";

        fuzz_closed(f, i, ingress_cluster_head(f->cluster, f->now, f->open[i],
                                               &answer));
        break;

    case 2:
        fuzz_body(f, i, step >> 2);
        break;

    case 3:
        id = f->open[i];
        f->open[i] = 0;
        ingress_cluster_end(f->cluster, f->now, id,
                            step & 4 ? "broken" : NULL);
    }
}


/* A machine that goes on asking without any time passing is a busy loop. */

static void
fuzz_next(fuzz_t *f)
{
    uint32_t               i, id, wait, n;
    ingress_api_request_t  req;

    for (n = 0; ingress_cluster_next(f->cluster, f->now, &req, &id, &wait)
                == TORII_OK; n++)
    {
        for (i = 0; i < FUZZ_OPEN && f->open[i]; i++) { /* void */ }

        if (i == FUZZ_OPEN || n == FUZZ_OPEN || id == 0
            || req.path.data[0] != '/' || strlen((char *) req.path.data)
                                          != req.path.len)
        {
            abort();
        }

        f->open[i] = id;
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                        flags;
    fuzz_t                     f;
    uint32_t                   n;
    const char                *why;
    torii_str_t                namespaces[2];
    torii_arena_t             *arena;
    ingress_options_t          served;
    ingress_cluster_kind_t     kinds[16];
    ingress_cluster_options_t  options;

    memset(&f, 0, sizeof(fuzz_t));
    memset(&served, 0, sizeof(ingress_options_t));
    memset(&options, 0, sizeof(ingress_cluster_options_t));

    f.p = data;
    f.last = data + size;
    flags = fuzz_byte(&f);

    namespaces[0] = torii_str("a");
    namespaces[1] = torii_str("b");

    served.all = 1;
    options.served = flags & 1 ? &served : NULL;
    options.config = torii_str(flags & 2 ? "a/config" : "");
    served.config = options.config;
    served.default_certificate = torii_str(flags & 4 ? "b/c" : "");
    options.namespace = torii_str(flags & 8 ? "a" : "");
    options.epoch = flags & 16 ? 1800000000000ULL : 0;

    if (flags & 32) {
        options.secret_namespaces = namespaces;
        options.nsecret_namespaces = 2;
    }

    arena = torii_arena_create(256);

    if (flags & 64) {
        served.selector = ingress_selector_parse(arena, torii_str("!x"), &why);
    }

    f.store = ingress_store_create();
    f.cluster = ingress_cluster_create(f.store, &options);

    for (n = 0; n < FUZZ_STEPS && f.p < f.last; n++) {
        fuzz_next(&f);
        fuzz_step(&f);

        (void) ingress_cluster_changed(f.cluster);
        (void) ingress_cluster_complete(f.cluster);
        (void) ingress_cluster_findings(f.cluster);
        (void) ingress_cluster_kinds(f.cluster, kinds, 16);
    }

    ingress_cluster_free(f.cluster);
    ingress_store_destroy(f.store);
    torii_arena_destroy(arena);

    return 0;
}
