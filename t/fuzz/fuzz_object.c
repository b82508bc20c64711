
/*
 * Bytes to a tree to objects: nothing may crash, and what comes out keeps the
 * promises of ingress_object.h that others build upon.
 */

#include <stdlib.h>

#include "ingress_decode.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* Small, so that the fuzzer's time goes into variety. */

static const torii_tree_limits_t  limits = { 64 * 1024, 20000, 32 };


static void
expect(int ok)
{
    if (!ok) {
        abort();
    }
}


static void
check_ingress(const ingress_ingress_t *ing)
{
    uint32_t               i, k;
    const ingress_path_t  *path;
    const ingress_rule_t  *rule;

    for (i = 0; i < ing->nrules; i++) {
        rule = &ing->rules[i];

        expect(rule->host.len == 0
               || ingress_host_check(rule->host, INGRESS_HOST_RULE) == NULL);

        for (k = 0; k < rule->n; k++) {
            path = &rule->paths[k];

            expect(path->path.len && path->path.data[0] == '/');
            expect(!torii_str_has_control(path->path));
            expect(path->backend.resource
                   || (path->backend.service.len
                       && (path->backend.port.number
                           || path->backend.port.name.len)));
        }
    }

    for (i = 0; i < ing->ntls; i++) {
        for (k = 0; k < ing->tls[i].n; k++) {
            expect(ing->tls[i].hosts[k].len != 0);
        }
    }
}


static void
check_slice(const ingress_slice_t *slice)
{
    uint32_t                 i, k;
    const ingress_subset_t  *subset;

    for (i = 0; i < slice->n; i++) {
        subset = &slice->subsets[i];

        for (k = 0; k < subset->n; k++) {
            expect(ingress_host_check(subset->endpoints[k].address,
                                      INGRESS_HOST_TARGET)
                   == NULL);
        }

        for (k = 0; k < subset->nports; k++) {
            expect(subset->ports[k].port != 0);
        }
    }
}


static void
check_issuer(const ingress_issuer_t *issuer)
{
    uint32_t                      i;
    const ingress_solver_t       *solver;
    const ingress_issuer_acme_t  *acme;

    acme = &issuer->acme;

    expect(acme->server.len == 0 || torii_str_starts(acme->server, "https:"));
    expect(acme->uri.len == 0 || torii_str_starts(acme->uri, "https:"));
    expect((acme->eab_kid.len == 0) == (acme->eab_key.name.len == 0));
    expect(!acme->skip_tls_verify || acme->ca_bundle.len == 0
           || issuer->unusable);

    if (issuer->type == INGRESS_ISSUER_ACME && !issuer->unusable) {
        expect(acme->server.len && acme->key.name.len && acme->key.key.len);
    }

    expect(issuer->type != INGRESS_ISSUER_CA || issuer->unusable
           || issuer->ca_secret.len);

    for (i = 0; i < acme->nsolvers; i++) {
        solver = &acme->solvers[i];

        if (solver->unusable) {
            continue;
        }

        expect(solver->type != INGRESS_SOLVER_OTHER);
        expect(solver->type != INGRESS_SOLVER_DNS01
               || solver->dns.provider != INGRESS_DNS_OTHER);
        expect((solver->dns.tsig_key_name.len == 0)
               == (solver->dns.tsig_secret.name.len == 0));
    }
}


static void
check_certificate(const ingress_certificate_t *cert)
{
    expect(cert->ingress.len == 0
           || ingress_name_check(cert->ingress, INGRESS_NAME_MAX) == NULL);

    if (cert->unusable) {
        return;
    }

    expect(cert->secret.len && cert->issuer.len && cert->issuer_kind.len
           && cert->issuer_group.len);
    expect(cert->dns_names.n + cert->ip_addresses.n + cert->common_name.len);
    expect(cert->duration >= 0 && cert->renew_before >= 0
           && cert->renew_before_percentage < 100);
    expect((cert->algorithm == INGRESS_KEY_ED25519) == (cert->key_size == 0));
}


static void
add_object(void *data, ingress_object_t *o)
{
    uint32_t                  i;
    torii_buf_t               out;
    const ingress_finding_t  *f;

    expect(o->kind < INGRESS_KIND_MAX && o->arena != NULL);
    expect(ingress_name_check(o->name, INGRESS_NAME_MAX) == NULL);
    expect(o->namespace.len == 0
           || ingress_name_check(o->namespace, INGRESS_LABEL_MAX) == NULL);
    expect(o->version == ingress_object_hash(o));

    for (i = 0; i < o->annotations.n; i++) {
        expect(!torii_str_has_control(o->annotations.elts[i].name));
        expect(torii_str_is_utf8(o->annotations.elts[i].value));
        expect(o->annotations.elts[i].value.data[
                                         o->annotations.elts[i].value.len]
               == '\0');
    }

    if (o->kind == INGRESS_KIND_INGRESS) {
        check_ingress(&o->u.ingress);
    }

    if (o->kind == INGRESS_KIND_SLICE || o->kind == INGRESS_KIND_ENDPOINTS) {
        check_slice(&o->u.slice);
    }

    if (o->kind == INGRESS_KIND_ISSUER
        || o->kind == INGRESS_KIND_CLUSTER_ISSUER)
    {
        check_issuer(&o->u.issuer);
    }

    if (o->kind == INGRESS_KIND_CERTIFICATE) {
        check_certificate(&o->u.certificate);
    }

    memset(&out, 0, sizeof(out));

    for (f = o->findings; f != NULL; f = f->next) {
        expect(!torii_str_has_control(f->value));
        expect(o->kind != INGRESS_KIND_SECRET || f->value.len == 0);

        ingress_finding_json(&out, f);
        ingress_finding_text(&out, f);
    }

    torii_buf_free(&out);
    ingress_object_free(o);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t             i, n;
    torii_str_t          in;
    torii_node_t       **docs, *doc;
    torii_arena_t       *a;
    ingress_finding_t   *findings;
    torii_tree_error_t   error;

    if (size == 0) {
        return 0;
    }

    /* the first byte chooses the reader */

    in.data = (unsigned char *) data + 1;
    in.len = size - 1;

    a = torii_arena_create(4096);
    findings = NULL;

    if (data[0] == '{') {
        in.data--;
        in.len++;

        if (torii_tree_json(a, in, &limits, &doc, &error) == TORII_OK) {
            ingress_object_decode(a, doc, torii_str("a.json"), add_object,
                                  NULL, &findings);
        }

    } else if (torii_tree_yaml(a, in, &limits, &docs, &n, &error) == TORII_OK)
    {
        for (i = 0; i < n; i++) {
            ingress_object_decode(a, docs[i], torii_str("a.yaml"), add_object,
                                  NULL, &findings);
        }
    }

    torii_arena_destroy(a);

    return 0;
}
