
/*
 * Certificates of hosts, and identities towards backends.
 */

#include <openssl/evp.h>

#include "ingress_compile.h"


/*
 * An entry that does not list the host may still have a certificate for it.
 * More of them are not tried: that would be the hosts times the entries.
 */

#define INGRESS_TLS_TRIED  64

/* One host, and the Ingress that decides about its certificate. */

typedef struct {
    ingress_compile_t      *c;
    uint32_t                index;
    ingress_plan_t         *plan;
    ingress_plan_host_t    *host;
    torii_str_t             name;
} ingress_tls_choice_t;


static void ingress_tls_listed(ingress_tls_choice_t *t);
static void ingress_tls_covering(ingress_tls_choice_t *t);
static void ingress_tls_take(ingress_tls_choice_t *t, ingress_item_t *secret);
static int ingress_tls_usable(ingress_tls_choice_t *t, ingress_item_t *secret,
    const char **problem);
static void ingress_tls_problem(ingress_tls_choice_t *t, uint32_t entry,
    const char *problem);
static void ingress_tls_second(ingress_tls_choice_t *t, uint32_t entry);
static const char *ingress_tls_reason(ingress_item_t *secret);
static void ingress_tls_others(ingress_tls_choice_t *t, uint32_t part);
static void ingress_cert_dates(ingress_compile_t *c, ingress_item_t *secret);
static void ingress_identity_digest(const torii_str_t parts[3],
    unsigned char id[32]);
static torii_str_t ingress_secret_value(const ingress_item_t *secret,
    const char *name);


/*
 * The oldest Ingress of the host that has a tls section decides.  Whatever its
 * Secret is worth, the host has TLS from then on: it redirects, and serves the
 * default certificate at worst.  The catch-all has no name that a certificate
 * could be for; the gateway's default certificate is its own.
 */

void
ingress_compile_tls(ingress_compile_t *c, uint32_t index)
{
    uint32_t               i;
    ingress_host_t        *host;
    ingress_part_t        *part;
    ingress_table_host_t  *record;
    ingress_tls_choice_t   t;

    part = NULL;
    host = ingress_compile_host(c, index);

    for (i = host->first; i != INGRESS_NONE; i = part->next) {
        part = ingress_compile_part(c, i);

        if (part->plan->ntls) {
            break;
        }
    }

    if (i == INGRESS_NONE || index == 0) {
        return;
    }

    memset(&t, 0, sizeof(ingress_tls_choice_t));

    t.c = c;
    t.index = index;
    t.plan = part->plan;
    t.host = part->host;
    t.name = host->name;

    record = ingress_writer_at(c->w, HOSTS, ingress_table_host_t, index);
    record->flags |= INGRESS_HOST_TLS;

    if (t.host->tls != INGRESS_NONE) {
        ingress_tls_listed(&t);

    } else {
        ingress_tls_covering(&t);
    }

    ingress_tls_others(&t, part->next);
}


static void
ingress_tls_listed(ingress_tls_choice_t *t)
{
    uint32_t         i, entries[2];
    const char      *problem;
    ingress_item_t  *secret;

    entries[0] = t->host->tls;
    entries[1] = t->host->tls2;

    for (i = 0; i < 2 && entries[i] != INGRESS_NONE; i++) {
        secret = t->plan->tls[entries[i]].secret;

        if (secret == NULL) {
            continue;
        }

        if (ingress_tls_usable(t, secret, &problem)) {
            ingress_tls_take(t, secret);

        } else {
            ingress_tls_problem(t, entries[i], problem);
        }

        if (t->plan->tls[entries[i]].second) {
            ingress_tls_second(t, entries[i]);
        }
    }
}


static void
ingress_tls_covering(ingress_tls_choice_t *t)
{
    uint32_t         i;
    const char      *problem;
    ingress_item_t  *secret;

    for (i = 0; i < t->plan->ntls && i < INGRESS_TLS_TRIED; i++) {
        secret = t->plan->tls[i].secret;

        if (secret && ingress_tls_usable(t, secret, &problem)) {
            ingress_tls_take(t, secret);
        }

        secret = t->plan->tls[i].second;

        if (secret && ingress_tls_usable(t, secret, &problem)) {
            ingress_tls_take(t, secret);
        }
    }

    if (ingress_compile_host(t->c, t->index)->cert == NULL) {
        ingress_compile_finding(t->c, INGRESS_WARNING, "DefaultCertificate",
                                t->plan->item, t->plan->tls[0].line,
                                "spec.tls", t->name,
                                "no entry lists host \"%.*s\", and none has a "
                                "certificate for it; the default certificate "
                                "is served", torii_str_arg(t->name));
    }
}


/* A second certificate is of use if its key is of another type. */

static void
ingress_tls_take(ingress_tls_choice_t *t, ingress_item_t *secret)
{
    ingress_host_t        *host;
    ingress_cert_t        *cert;
    ingress_table_host_t  *record;

    cert = ingress_cert_of(secret);

    host = ingress_compile_host(t->c, t->index);
    record = ingress_writer_at(t->c->w, HOSTS, ingress_table_host_t, t->index);

    if (host->cert == NULL) {
        host->cert = cert;
        record->cert = ingress_cert_write(t->c, secret, record->name);

    } else if (host->cert2 == NULL && cert->type != host->cert->type) {
        host->cert2 = cert;
        record->cert2 = ingress_cert_write(t->c, secret, record->name);
    }
}


static int
ingress_tls_usable(ingress_tls_choice_t *t, ingress_item_t *secret,
    const char **problem)
{
    ingress_cert_t  *cert;

    if (secret->active == NULL) {
        *problem = "there is no such Secret";
        return 0;
    }

    cert = ingress_cert_of(secret);
    *problem = cert->problem;

    if (*problem) {
        return 0;
    }

    if (!ingress_cert_covers(cert, t->name)) {
        *problem = "its certificate is not valid for the host";
        return 0;
    }

    if (secret->u.secret.server.round != t->c->store->round
        && !ingress_writer_fits(t->c->w, cert->chain.len + cert->key.len))
    {
        *problem = "the routing table is full";
        return 0;
    }

    return 1;
}


/* What is wrong with the Secret itself is told once, not for each host. */

static void
ingress_tls_problem(ingress_tls_choice_t *t, uint32_t entry,
    const char *problem)
{
    ingress_item_t      *secret;
    ingress_plan_tls_t  *tls;

    tls = &t->plan->tls[entry];
    secret = tls->secret;

    if (secret->active == NULL || ingress_cert_of(secret)->problem) {

        if (tls->round == t->c->store->round) {
            return;
        }

        tls->round = t->c->store->round;
    }

    ingress_compile_finding(t->c, INGRESS_WARNING, ingress_tls_reason(secret),
                            t->plan->item, tls->line, "spec.tls.secretName",
                            secret->name, "the default certificate is served "
                            "to host \"%.*s\" instead of Secret %.*s: %s",
                            torii_str_arg(t->name),
                            torii_str_arg(secret->key), problem);
}


/*
 * The same for the Secret beside it.  One that is not there yet is waited for,
 * and who issues it tells about that.
 */

static void
ingress_tls_second(ingress_tls_choice_t *t, uint32_t entry)
{
    const char          *problem;
    ingress_item_t      *secret;
    ingress_plan_tls_t  *tls;

    tls = &t->plan->tls[entry];
    secret = tls->second;

    if (ingress_tls_usable(t, secret, &problem)) {
        ingress_tls_take(t, secret);
        return;
    }

    if ((secret->active == NULL && tls->issued)
        || tls->second_round == t->c->store->round)
    {
        return;
    }

    tls->second_round = t->c->store->round;

    ingress_compile_finding(t->c, INGRESS_WARNING, ingress_tls_reason(secret),
                            t->plan->item, tls->line, "spec.tls.secretName",
                            secret->name, "torii/certificate-key asks for a "
                            "second certificate, and host \"%.*s\" has none "
                            "by Secret %.*s: %s", torii_str_arg(t->name),
                            torii_str_arg(secret->key), problem);
}


static const char *
ingress_tls_reason(ingress_item_t *secret)
{
    if (secret->active == NULL) {
        return "SecretNotFound";
    }

    return ingress_cert_of(secret)->problem ? "CertificateInvalid"
                                            : "CertificateHostMismatch";
}


/* Younger Ingresses that wish another Secret for the host. */

static void
ingress_tls_others(ingress_tls_choice_t *t, uint32_t next)
{
    uint32_t         i;
    ingress_part_t  *part;
    ingress_item_t  *ours, *other;

    if (t->host->tls == INGRESS_NONE) {
        return;
    }

    ours = t->plan->tls[t->host->tls].secret;

    for (i = next; i != INGRESS_NONE; i = part->next) {
        part = ingress_compile_part(t->c, i);

        if (part->host->tls == INGRESS_NONE || part->plan == t->plan) {
            continue;
        }

        other = part->plan->tls[part->host->tls].secret;

        if (other && other != ours) {
            ingress_compile_finding(t->c, INGRESS_INFO, "TLSIgnored",
                                    part->plan->item,
                                    part->plan->tls[part->host->tls].line,
                                    "spec.tls.secretName", other->name,
                                    "Ingress %.*s comes first and decides the "
                                    "certificate of host \"%.*s\"",
                                    torii_str_arg(t->plan->item->key),
                                    torii_str_arg(t->name));
        }
    }
}


ingress_cert_t *
ingress_cert_of(ingress_item_t *secret)
{
    if (secret->u.secret.server.cert == NULL) {
        secret->u.secret.server.cert =
                               ingress_cert_create(&secret->active->u.secret);
    }

    return secret->u.secret.server.cert;
}


uint32_t
ingress_cert_write(ingress_compile_t *c, ingress_item_t *secret,
    ingress_ref_t host)
{
    ingress_cert_t        *cert;
    ingress_item_cert_t   *server;
    ingress_table_cert_t  *record;

    server = &secret->u.secret.server;

    if (server->round == c->store->round) {
        return server->index;
    }

    server->round = c->store->round;
    server->index = ingress_writer_n(c->w, CERTS, ingress_table_cert_t);

    cert = ingress_cert_of(secret);

    record = ingress_writer_add(c->w, INGRESS_SECTION_CERTS,
                                sizeof(ingress_table_cert_t));

    memcpy(record->id, cert->id, sizeof(record->id));

    record->chain = ingress_writer_blob(c->w, cert->chain);
    record->key = ingress_writer_blob(c->w, cert->key);
    record->not_before = cert->not_before < 0 ? 0 : cert->not_before;
    record->not_after = cert->not_after < 0 ? 0 : cert->not_after;
    record->host = host;
    record->namespace = ingress_writer_pool(c->w, secret->namespace.data,
                                            secret->namespace.len);
    record->secret = ingress_writer_pool(c->w, secret->name.data,
                                         secret->name.len);

    ingress_cert_dates(c, secret);

    return server->index;
}


/* Served all the same: a client may not mind, and nothing better is there. */

static void
ingress_cert_dates(ingress_compile_t *c, ingress_item_t *secret)
{
    const ingress_cert_t  *cert;

    cert = ingress_cert_of(secret);

    if (cert->not_after < c->now) {
        ingress_compile_finding(c, INGRESS_WARNING, "CertificateExpired",
                                secret, 0, "data.tls.crt",
                                (torii_str_t) torii_null_string,
                                "the certificate expired %lld days ago; it is "
                                "still served",
                                (long long) (c->now - cert->not_after)
                                / 86400);

    } else if (cert->not_before > c->now) {
        ingress_compile_finding(c, INGRESS_WARNING, "CertificateNotYetValid",
                                secret, 0, "data.tls.crt",
                                (torii_str_t) torii_null_string,
                                "the certificate is not valid before %lld "
                                "seconds from now; it is served already",
                                (long long) (cert->not_before - c->now));
    }
}


uint32_t
ingress_identity_write(ingress_compile_t *c, ingress_item_t *secret,
    const char **problem)
{
    uint32_t                  i;
    torii_str_t               parts[3];
    ingress_table_tls_t      *record;
    ingress_item_identity_t  *client;

    client = &secret->u.secret.client;

    if (secret->active == NULL) {
        *problem = "there is no such Secret";
        return 0;
    }

    parts[0] = ingress_secret_value(secret, "tls.crt");
    parts[1] = ingress_secret_value(secret, "tls.key");
    parts[2] = ingress_secret_value(secret, "ca.crt");

    if (!client->checked) {
        client->checked = 1;
        client->problem = ingress_cert_check_client(&secret->active->u.secret);

        ingress_identity_digest(parts, client->id);
    }

    *problem = client->problem;

    if (*problem) {
        return 0;
    }

    if (client->round == c->store->round) {
        return client->index + 1;
    }

    for (i = 0; i < 3; i++) {
        if (!ingress_writer_fits(c->w, parts[i].len)) {
            *problem = "the routing table is full";
            return 0;
        }
    }

    client->round = c->store->round;
    client->index = ingress_writer_n(c->w, TLS, ingress_table_tls_t);

    record = ingress_writer_add(c->w, INGRESS_SECTION_TLS,
                                sizeof(ingress_table_tls_t));

    memcpy(record->id, client->id, sizeof(record->id));

    record->cert = ingress_writer_blob(c->w, parts[0]);
    record->key = ingress_writer_blob(c->w, parts[1]);
    record->ca = ingress_writer_blob(c->w, parts[2]);

    return client->index + 1;
}


/* Each part with its length before it, so that no two of them run together. */

static void
ingress_identity_digest(const torii_str_t parts[3], unsigned char id[32])
{
    uint32_t     i;
    uint64_t     len;
    torii_buf_t  all;

    memset(&all, 0, sizeof(torii_buf_t));
    memset(id, 0, 32);

    for (i = 0; i < 3; i++) {
        len = parts[i].len;

        torii_buf_add(&all, &len, sizeof(len));
        torii_buf_add_str(&all, parts[i]);
    }

    (void) EVP_Digest(all.data, all.len, id, NULL, EVP_sha256(), NULL);

    torii_buf_free(&all);
}


static torii_str_t
ingress_secret_value(const ingress_item_t *secret, const char *name)
{
    torii_str_t            none;
    const ingress_pair_t  *pair;

    pair = ingress_pair_find(&secret->active->u.secret.data, name);
    if (pair) {
        return pair->value;
    }

    none.len = 0;
    none.data = (unsigned char *) "";

    return none;
}
