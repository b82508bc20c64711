
/*
 * Issuers as they are configured.
 */

#include <stdio.h>
#include <stdlib.h>
#include <openssl/crypto.h>

#include "acme_engine.h"


static int acme_issuer_same_key(const acme_issuer_t *issuer,
    const acme_issuer_conf_t *conf);
static uint64_t acme_issuer_digest(const acme_issuer_conf_t *conf);
static void acme_issuer_copy(acme_issuer_t *issuer,
    const acme_issuer_conf_t *conf);
static void acme_issuer_wipe(acme_issuer_t *issuer);
static void acme_issuer_free(acme_issuer_t *issuer);
static void acme_issuer_leave(acme_t *acme, const acme_issuer_t *issuer);
static void acme_issuer_check(acme_issuer_t *issuer);


acme_issuer_t *
acme_issuer_get(const acme_t *acme, torii_str_t name)
{
    uint64_t        hash;
    acme_issuer_t  *issuer;

    hash = acme_engine_hash(acme, name);

    for (issuer = acme->issuers; issuer != NULL; issuer = issuer->next) {
        if (issuer->hash == hash && torii_str_eq(issuer->conf.name, name)) {
            return issuer;
        }
    }

    return NULL;
}


void
acme_issuer(acme_t *acme, const acme_issuer_conf_t *conf)
{
    uint64_t        digest, key;
    acme_issuer_t  *issuer;

    issuer = acme_issuer_get(acme, conf->name);

    if (issuer == NULL) {
        issuer = torii_zalloc(sizeof(acme_issuer_t));

        issuer->acme = acme;
        issuer->hash = acme_engine_hash(acme, conf->name);
        issuer->next = acme->issuers;
        acme->issuers = issuer;
    }

    issuer->generation = acme->generation;
    digest = acme_issuer_digest(conf);
    key = torii_hash(conf->key.data, conf->key.len, 37);

    if (issuer->arena != NULL && digest == issuer->digest
        && (key == issuer->key || acme_issuer_same_key(issuer, conf)))
    {
        issuer->key = key;
        return;
    }

    if (issuer->arena != NULL) {
        acme_issuer_leave(acme, issuer);
    }

    issuer->digest = digest;
    issuer->key = key;
    issuer->changed = 1;
    acme_issuer_copy(issuer, conf);
}


/* One that was made is told back, maybe written in another way. */

static int
acme_issuer_same_key(const acme_issuer_t *issuer,
    const acme_issuer_conf_t *conf)
{
    uint64_t   kid;
    EVP_PKEY  *key;

    if (issuer->account == NULL || conf->key.len == 0) {
        return 0;
    }

    key = torii_key_read(conf->key);
    if (key == NULL) {
        return 0;
    }

    kid = acme_account_kid(conf->directory, key);
    EVP_PKEY_free(key);

    return kid == issuer->account->kid;
}


/* Without the account's key; and its URL is what the CA says, no setting. */

static uint64_t
acme_issuer_digest(const acme_issuer_conf_t *conf)
{
    size_t              i;
    uint64_t            h, flags;
    const torii_str_t  *s[] = {
        &conf->name, &conf->problem, &conf->directory, &conf->email,
        &conf->eab_kid, &conf->eab_key, &conf->preferred_chain,
        &conf->profile, &conf->ca_chain, &conf->ca_key
    };

    flags = conf->agreed | conf->ari << 1 | conf->profile_required << 2
            | conf->send_not_after << 3 | conf->type << 4
            | conf->key_type << 8 | (uint64_t) conf->eab_bits << 16;

    h = torii_hash(&flags, sizeof(flags), 23);

    for (i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
        h = torii_hash(s[i]->data, s[i]->len, h ^ s[i]->len);
    }

    return h ? h : 1;
}


static void
acme_issuer_copy(acme_issuer_t *issuer, const acme_issuer_conf_t *conf)
{
    size_t          i;
    torii_arena_t  *a;

    torii_str_t    *s[] = {
        &issuer->conf.name, &issuer->conf.problem, &issuer->conf.directory,
        &issuer->conf.email, &issuer->conf.key, &issuer->conf.account,
        &issuer->conf.eab_kid, &issuer->conf.eab_key,
        &issuer->conf.preferred_chain, &issuer->conf.profile,
        &issuer->conf.ca_chain, &issuer->conf.ca_key
    };

    acme_issuer_wipe(issuer);

    a = torii_arena_create(1024);
    issuer->conf = *conf;

    for (i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
        *s[i] = torii_arena_str(a, *s[i]);
    }

    issuer->arena = a;
}


static void
acme_issuer_wipe(acme_issuer_t *issuer)
{
    size_t        i;
    torii_str_t  *s[] = {
        &issuer->conf.key, &issuer->conf.eab_key, &issuer->conf.ca_key
    };

    if (issuer->arena == NULL) {
        return;
    }

    for (i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
        OPENSSL_cleanse(s[i]->data, s[i]->len);
    }

    torii_arena_destroy(issuer->arena);
    issuer->arena = NULL;
}


static void
acme_issuer_free(acme_issuer_t *issuer)
{
    EVP_PKEY_free(issuer->ca_key);
    acme_issuer_wipe(issuer);
    free(issuer);
}


/* What was under way with it is begun anew. */

static void
acme_issuer_leave(acme_t *acme, const acme_issuer_t *issuer)
{
    uint32_t       i;
    acme_entry_t  *e;

    for (i = 0; i < acme->entries.size; i++) {
        e = acme->entries.values[i];

        if (e != NULL && e->issuer == issuer) {
            acme_issue_abort(e);
            e->issuer = NULL;
        }
    }
}


void
acme_issuer_apply(acme_t *acme)
{
    acme_issuer_t   *issuer, **p;
    acme_account_t  *a;

    for (p = &acme->issuers; *p != NULL; /* void */) {
        issuer = *p;

        if (issuer->generation == acme->generation) {
            p = &issuer->next;
            continue;
        }

        acme_issuer_leave(acme, issuer);
        *p = issuer->next;
        acme_issuer_free(issuer);
        acme->issuers_changed = 1;
    }

    for (issuer = acme->issuers; issuer != NULL; issuer = issuer->next) {
        if (issuer->changed) {
            issuer->changed = 0;
            acme->issuers_changed = 1;
            acme_issuer_check(issuer);
        }
    }

    if (!acme->issuers_changed) {
        return;
    }

    for (a = acme->accounts; a != NULL; a = a->next) {
        a->refs = 0;
    }

    for (issuer = acme->issuers; issuer != NULL; issuer = issuer->next) {
        if (issuer->account != NULL) {
            issuer->account->refs++;
        }
    }

    acme_account_free_unused(acme);
}


static void
acme_issuer_problem(acme_issuer_t *issuer, const char *text)
{
    (void) snprintf(issuer->problem, sizeof(issuer->problem), "%s", text);
}


static void
acme_issuer_check(acme_issuer_t *issuer)
{
    acme_issuer_conf_t  *conf;

    conf = &issuer->conf;

    issuer->account = NULL;
    issuer->problem[0] = '\0';
    EVP_PKEY_free(issuer->ca_key);
    issuer->ca_key = NULL;

    if (conf->problem.len) {
        (void) snprintf(issuer->problem, sizeof(issuer->problem), "%.*s",
                        torii_str_arg(conf->problem));
        return;
    }

    if (conf->type == ACME_ISSUER_ACME) {

        if (!torii_str_starts(conf->directory, "https://")) {
            acme_issuer_problem(issuer, "the URL of its directory does not "
                                "begin with https://");
            return;
        }

        (void) acme_account_assign(issuer);
        return;
    }

    if (conf->type == ACME_ISSUER_CA) {
        issuer->ca_key = torii_key_read(conf->ca_key);

        if (issuer->ca_key == NULL) {
            acme_issuer_problem(issuer, "the key of its CA cannot be read");
        }
    }
}


void
acme_issuer_free_all(acme_t *acme)
{
    acme_issuer_t   *issuer;
    acme_account_t  *a;

    for (a = acme->accounts; a != NULL; a = a->next) {
        a->refs = 0;
    }

    acme_account_free_unused(acme);

    while (acme->issuers != NULL) {
        issuer = acme->issuers;
        acme->issuers = issuer->next;
        acme_issuer_free(issuer);
    }
}
