
/*
 * The version of an object: a hash of all that was decoded, so that the same
 * content has the same version wherever it stands and whatever else its file
 * holds.  Findings count, since a new finding must be published too; lines do
 * not.
 */

#include "ingress_decode.h"


typedef uint64_t (*ingress_hash_kind_pt)(uint64_t h, const ingress_object_t *o);


static uint64_t ingress_hash_number(uint64_t h, int64_t n);
static uint64_t ingress_hash_str(uint64_t h, torii_str_t s);
static uint64_t ingress_hash_pairs(uint64_t h, const ingress_pairs_t *pairs);
static uint64_t ingress_hash_port(uint64_t h, const ingress_port_t *port);
static uint64_t ingress_hash_backend(uint64_t h,
    const ingress_backend_t *backend);
static uint64_t ingress_hash_ingress(uint64_t h, const ingress_object_t *o);
static uint64_t ingress_hash_rule(uint64_t h, const ingress_rule_t *rule);
static uint64_t ingress_hash_class(uint64_t h, const ingress_object_t *o);
static uint64_t ingress_hash_service(uint64_t h, const ingress_object_t *o);
static uint64_t ingress_hash_slice(uint64_t h, const ingress_object_t *o);
static uint64_t ingress_hash_secret(uint64_t h, const ingress_object_t *o);
static uint64_t ingress_hash_configmap(uint64_t h, const ingress_object_t *o);
static uint64_t ingress_hash_strings(uint64_t h,
    const ingress_strings_t *list);
static uint64_t ingress_hash_secret_ref(uint64_t h,
    const ingress_secret_ref_t *ref);
static uint64_t ingress_hash_issuer(uint64_t h, const ingress_object_t *o);
static uint64_t ingress_hash_solver(uint64_t h, const ingress_solver_t *s);
static uint64_t ingress_hash_dns(uint64_t h, const ingress_dns_t *dns);
static uint64_t ingress_hash_certificate(uint64_t h,
    const ingress_object_t *o);


static const ingress_hash_kind_pt  ingress_hash_kinds[INGRESS_KIND_MAX] = {
    ingress_hash_ingress,
    ingress_hash_class,
    ingress_hash_service,
    ingress_hash_slice,
    ingress_hash_slice,
    ingress_hash_secret,
    ingress_hash_configmap,
    NULL,
    ingress_hash_issuer,
    ingress_hash_issuer,
    ingress_hash_certificate
};


uint64_t
ingress_object_hash(const ingress_object_t *o)
{
    uint64_t                  h;
    const ingress_finding_t  *f;

    h = ingress_hash_number(0, o->kind);
    h = ingress_hash_str(h, o->namespace);
    h = ingress_hash_str(h, o->name);
    h = ingress_hash_str(h, o->uid);
    h = ingress_hash_number(h, o->created);
    h = ingress_hash_number(h, o->deleting);
    h = ingress_hash_pairs(h, &o->annotations);
    h = ingress_hash_pairs(h, &o->labels);

    for (f = o->findings; f != NULL; f = f->next) {
        h = ingress_hash_str(h, f->field);
        h = ingress_hash_str(h, f->value);
        h = ingress_hash_str(h, f->message);
    }

    if (ingress_hash_kinds[o->kind] != NULL) {
        h = ingress_hash_kinds[o->kind](h, o);
    }

    return h;
}


static uint64_t
ingress_hash_number(uint64_t h, int64_t n)
{
    return torii_hash(&n, sizeof(n), h);
}


/* The length goes in, so that "ab" "c" and "a" "bc" differ. */

static uint64_t
ingress_hash_str(uint64_t h, torii_str_t s)
{
    return torii_hash(s.data, s.len, h + s.len);
}


static uint64_t
ingress_hash_pairs(uint64_t h, const ingress_pairs_t *pairs)
{
    uint32_t  i;

    h = ingress_hash_number(h, pairs->n);

    for (i = 0; i < pairs->n; i++) {
        h = ingress_hash_str(h, pairs->elts[i].name);
        h = ingress_hash_str(h, pairs->elts[i].value);
    }

    return h;
}


static uint64_t
ingress_hash_port(uint64_t h, const ingress_port_t *port)
{
    h = ingress_hash_str(h, port->name);

    return ingress_hash_number(h, port->number);
}


static uint64_t
ingress_hash_backend(uint64_t h, const ingress_backend_t *backend)
{
    h = ingress_hash_str(h, backend->service);
    h = ingress_hash_port(h, &backend->port);

    return ingress_hash_number(h, backend->resource);
}


static uint64_t
ingress_hash_ingress(uint64_t h, const ingress_object_t *o)
{
    uint32_t                  i, k;
    const ingress_tls_t      *tls;
    const ingress_ingress_t  *ing;

    ing = &o->u.ingress;

    h = ingress_hash_str(h, ing->class_name);
    h = ingress_hash_number(h, ing->has_class_name);
    h = ingress_hash_number(h, ing->has_default_backend);
    h = ingress_hash_backend(h, &ing->default_backend);

    h = ingress_hash_number(h, ing->nrules);

    for (i = 0; i < ing->nrules; i++) {
        h = ingress_hash_rule(h, &ing->rules[i]);
    }

    h = ingress_hash_number(h, ing->ntls);

    for (i = 0; i < ing->ntls; i++) {
        tls = &ing->tls[i];

        h = ingress_hash_str(h, tls->secret);
        h = ingress_hash_number(h, tls->n);

        for (k = 0; k < tls->n; k++) {
            h = ingress_hash_str(h, tls->hosts[k]);
        }
    }

    return h;
}


static uint64_t
ingress_hash_rule(uint64_t h, const ingress_rule_t *rule)
{
    uint32_t               i;
    const ingress_path_t  *path;

    h = ingress_hash_str(h, rule->host);
    h = ingress_hash_number(h, rule->has_http);
    h = ingress_hash_number(h, rule->n);

    for (i = 0; i < rule->n; i++) {
        path = &rule->paths[i];

        h = ingress_hash_str(h, path->path);
        h = ingress_hash_number(h, path->type);
        h = ingress_hash_backend(h, &path->backend);
    }

    return h;
}


static uint64_t
ingress_hash_class(uint64_t h, const ingress_object_t *o)
{
    return ingress_hash_str(h, o->u.class.controller);
}


static uint64_t
ingress_hash_service(uint64_t h, const ingress_object_t *o)
{
    uint32_t                       i;
    const ingress_service_t       *service;
    const ingress_service_port_t  *port;

    service = &o->u.service;

    h = ingress_hash_number(h, service->type);
    h = ingress_hash_str(h, service->cluster_ip);
    h = ingress_hash_str(h, service->external_name);
    h = ingress_hash_number(h, service->n);

    for (i = 0; i < service->n; i++) {
        port = &service->ports[i];

        h = ingress_hash_str(h, port->name);
        h = ingress_hash_number(h, port->port);
        h = ingress_hash_port(h, &port->target);
        h = ingress_hash_number(h, port->tcp);
    }

    h = ingress_hash_number(h, service->node_port
                               | service->load_balancer << 1);
    h = ingress_hash_number(h, service->nexternal_ips);

    for (i = 0; i < service->nexternal_ips; i++) {
        h = ingress_hash_str(h, service->external_ips[i]);
    }

    h = ingress_hash_number(h, service->nbalancer);

    for (i = 0; i < service->nbalancer; i++) {
        h = ingress_hash_str(h, service->balancer[i].address);
        h = ingress_hash_number(h, service->balancer[i].hostname);
    }

    return h;
}


static uint64_t
ingress_hash_slice(uint64_t h, const ingress_object_t *o)
{
    uint32_t                        i, k;
    const ingress_subset_t         *subset;
    const ingress_endpoint_t       *ep;
    const ingress_endpoint_port_t  *port;

    h = ingress_hash_str(h, o->u.slice.service);
    h = ingress_hash_number(h, o->u.slice.n);

    for (i = 0; i < o->u.slice.n; i++) {
        subset = &o->u.slice.subsets[i];

        h = ingress_hash_number(h, subset->n);

        for (k = 0; k < subset->n; k++) {
            ep = &subset->endpoints[k];

            h = ingress_hash_str(h, ep->address);
            h = ingress_hash_number(h, ep->ready | ep->serving << 1
                                       | ep->terminating << 2);
        }

        h = ingress_hash_number(h, subset->nports);

        for (k = 0; k < subset->nports; k++) {
            port = &subset->ports[k];

            h = ingress_hash_str(h, port->name);
            h = ingress_hash_number(h, port->port);
            h = ingress_hash_number(h, port->tcp);
        }
    }

    return h;
}


static uint64_t
ingress_hash_secret(uint64_t h, const ingress_object_t *o)
{
    h = ingress_hash_str(h, o->u.secret.type);

    return ingress_hash_pairs(h, &o->u.secret.data);
}


static uint64_t
ingress_hash_configmap(uint64_t h, const ingress_object_t *o)
{
    return ingress_hash_pairs(h, &o->u.configmap.data);
}


static uint64_t
ingress_hash_strings(uint64_t h, const ingress_strings_t *list)
{
    uint32_t  i;

    h = ingress_hash_number(h, list->n);

    for (i = 0; i < list->n; i++) {
        h = ingress_hash_str(h, list->elts[i]);
    }

    return h;
}


static uint64_t
ingress_hash_secret_ref(uint64_t h, const ingress_secret_ref_t *ref)
{
    h = ingress_hash_str(h, ref->name);

    return ingress_hash_str(h, ref->key);
}


static uint64_t
ingress_hash_issuer(uint64_t h, const ingress_object_t *o)
{
    uint32_t                      i;
    const ingress_issuer_t       *issuer;
    const ingress_issuer_acme_t  *acme;

    issuer = &o->u.issuer;
    acme = &issuer->acme;

    h = ingress_hash_number(h, issuer->type);
    h = ingress_hash_number(h, issuer->unusable
                               | acme->disable_key_generation << 1
                               | acme->skip_tls_verify << 2
                               | acme->duration_feature << 3
                               | acme->ari_disabled << 4);
    h = ingress_hash_str(h, issuer->ca_secret);
    h = ingress_hash_str(h, acme->server);
    h = ingress_hash_str(h, acme->email);
    h = ingress_hash_secret_ref(h, &acme->key);
    h = ingress_hash_str(h, acme->eab_kid);
    h = ingress_hash_secret_ref(h, &acme->eab_key);
    h = ingress_hash_number(h, acme->eab_bits);
    h = ingress_hash_str(h, acme->ca_bundle);
    h = ingress_hash_str(h, acme->preferred_chain);
    h = ingress_hash_str(h, acme->profile);
    h = ingress_hash_str(h, acme->uri);
    h = ingress_hash_number(h, acme->nsolvers);

    for (i = 0; i < acme->nsolvers; i++) {
        h = ingress_hash_solver(h, &acme->solvers[i]);
    }

    return h;
}


static uint64_t
ingress_hash_solver(uint64_t h, const ingress_solver_t *s)
{
    h = ingress_hash_pairs(h, &s->labels);
    h = ingress_hash_strings(h, &s->dns_names);
    h = ingress_hash_strings(h, &s->dns_zones);
    h = ingress_hash_number(h, s->type);
    h = ingress_hash_dns(h, &s->dns);
    h = ingress_hash_strings(h, &s->nameservers);
    h = ingress_hash_number(h, s->wait);

    return ingress_hash_number(h, s->has_wait | s->cname_follow << 1
                                  | s->unusable << 2);
}


static uint64_t
ingress_hash_dns(uint64_t h, const ingress_dns_t *dns)
{
    uint32_t  i;

    h = ingress_hash_number(h, dns->provider);
    h = ingress_hash_pairs(h, &dns->settings);
    h = ingress_hash_number(h, dns->nsecrets);

    for (i = 0; i < dns->nsecrets; i++) {
        h = ingress_hash_str(h, torii_str(dns->secrets[i].field));
        h = ingress_hash_secret_ref(h, &dns->secrets[i].secret);
    }

    h = ingress_hash_str(h, dns->nameserver);
    h = ingress_hash_str(h, dns->tsig_key_name);
    h = ingress_hash_number(h, dns->tsig_algorithm);

    return ingress_hash_number(h, dns->tcp);
}


static uint64_t
ingress_hash_certificate(uint64_t h, const ingress_object_t *o)
{
    const ingress_certificate_t  *cert;

    cert = &o->u.certificate;

    h = ingress_hash_str(h, cert->secret);
    h = ingress_hash_str(h, cert->issuer);
    h = ingress_hash_str(h, cert->issuer_kind);
    h = ingress_hash_str(h, cert->issuer_group);
    h = ingress_hash_strings(h, &cert->dns_names);
    h = ingress_hash_strings(h, &cert->ip_addresses);
    h = ingress_hash_str(h, cert->common_name);
    h = ingress_hash_number(h, cert->duration);
    h = ingress_hash_number(h, cert->renew_before);
    h = ingress_hash_number(h, cert->renew_before_percentage);
    h = ingress_hash_number(h, cert->algorithm);
    h = ingress_hash_number(h, cert->key_size);
    h = ingress_hash_number(h, cert->encoding);
    h = ingress_hash_strings(h, &cert->usages);
    h = ingress_hash_pairs(h, &cert->secret_labels);
    h = ingress_hash_pairs(h, &cert->secret_annotations);
    h = ingress_hash_str(h, cert->ingress);

    return ingress_hash_number(h, cert->unusable | cert->renewal_disabled << 1
                                  | cert->keep_key << 2 | cert->is_ca << 3);
}
