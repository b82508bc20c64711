
/*
 * Accounts: one for a directory and a key, whichever issuers name them.
 */

#include <stdio.h>
#include <stdlib.h>

#include "acme_engine.h"


#define ACME_MAKE_RETRY  (10 * ACME_SECOND)


static acme_account_t *acme_account_create(acme_issuer_t *issuer,
    EVP_PKEY *key);
static acme_account_t *acme_account_made(const acme_issuer_t *issuer);
static void acme_account_recall(acme_account_t *a);
static int acme_account_configure(acme_account_t *a,
    const acme_issuer_t *issuer);
static void acme_account_leave(acme_account_t *a);
static void acme_account_free(acme_account_t *a);


uint64_t
acme_account_kid(torii_str_t directory, EVP_PKEY *key)
{
    uint64_t     h;
    torii_buf_t  b = { NULL, 0, 0 };

    torii_buf_add_str(&b, directory);
    torii_buf_add(&b, " ", 1);

    if (torii_jwk_thumbprint(&b, key) != TORII_OK) {
        torii_buf_free(&b);
        return 0;
    }

    h = torii_hash(b.data, b.len, 29);
    torii_buf_free(&b);

    return h ? h : 1;
}


static int
acme_account_problem(acme_issuer_t *issuer, const char *text)
{
    (void) snprintf(issuer->problem, sizeof(issuer->problem), "%s", text);
    return TORII_ERROR;
}


int
acme_account_assign(acme_issuer_t *issuer)
{
    uint64_t         kid;
    EVP_PKEY        *key;
    acme_account_t  *a;

    if (issuer->conf.key.len == 0) {
        key = NULL;
        a = acme_account_made(issuer);

    } else {
        key = torii_key_read(issuer->conf.key);
        kid = key ? acme_account_kid(issuer->conf.directory, key) : 0;

        if (kid == 0) {
            EVP_PKEY_free(key);
            return acme_account_problem(issuer, "the key of its account "
                                        "cannot be used");
        }

        /* the owner may say the key that was changed until it has the new */

        for (a = issuer->acme->accounts;
             a != NULL && a->kid != kid && a->old_kid != kid;
             a = a->next)
        {
            /* void */
        }
    }

    if (a == NULL) {
        a = acme_account_create(issuer, key);

    } else {
        EVP_PKEY_free(key);
    }

    issuer->account = a;

    if (acme_account_configure(a, issuer) != TORII_OK) {
        issuer->account = NULL;
        return acme_account_problem(issuer, "its key for external account "
                                    "binding is no base64");
    }

    acme_account_plan(a);

    return TORII_OK;
}


/* The one whose key is made for this issuer, and not yet told back. */

static acme_account_t *
acme_account_made(const acme_issuer_t *issuer)
{
    acme_account_t  *a;

    for (a = issuer->acme->accounts; a != NULL; a = a->next) {
        if ((a->made.len || a->key == NULL)
            && torii_str_eq(a->issuer, issuer->conf.name)
            && torii_str_eq(a->conf.directory, issuer->conf.directory))
        {
            return a;
        }
    }

    return NULL;
}


static acme_account_t *
acme_account_create(acme_issuer_t *issuer, EVP_PKEY *key)
{
    acme_t          *acme;
    acme_account_t  *a;

    acme = issuer->acme;

    a = torii_zalloc(sizeof(acme_account_t));

    a->acme = acme;
    a->timer.account = 1;
    a->lean = ACME_LEAN;
    a->key = key;

    acme_job_init(&a->save, ACME_DO_SAVE, NULL, a);
    acme_job_init(&a->make, ACME_DO_KEY, NULL, a);
    acme_job_init(&a->keep, ACME_DO_ACCOUNT, NULL, a);

    acme_keep(&a->issuer, issuer->conf.name);
    acme_keep(&a->url, issuer->conf.account);

    a->next = acme->accounts;
    acme->accounts = a;

    if (key != NULL) {
        a->kid = acme_account_kid(issuer->conf.directory, key);
        acme_account_recall(a);
        return a;
    }

    a->making = 1;
    a->unkept = 1;
    acme_key_ask(acme, &a->make, issuer->conf.key_type);

    return a;
}


void
acme_account_keyed(acme_account_t *a, EVP_PKEY *key)
{
    if (acme_key_keep(a->key ? &a->next_key : &a->made, key) != TORII_OK) {
        EVP_PKEY_free(key);
        key = NULL;
    }

    if (key == NULL && a->key == NULL) {
        acme_event(a->acme, NULL, a->issuer, "Failed", 1,
                   "a key for the account cannot be made; this is tried again");
        a->key_at = a->acme->now + ACME_MAKE_RETRY;
        acme_account_plan(a);
        return;
    }

    a->making = 0;

    if (a->key != NULL) {
        acme_account_roll_over(a, key);
        return;
    }

    a->key = key;
    a->kid = acme_account_kid(a->conf.directory, key);
    acme_account_recall(a);

    acme_job_queue(a->acme, &a->keep, 1);
}


/*
 * What the state tells of it; and orders that were made before the start count
 * in its bucket, as far as entries remember them.
 */

static void
acme_account_recall(acme_account_t *a)
{
    uint32_t       i;
    acme_t        *acme;
    acme_entry_t  *e;
    acme_known_t  *k;

    acme = a->acme;
    a->id = a->kid;

    for (k = acme->known; k != NULL; k = k->next) {

        if (k->kid != a->kid && k->next_kid != a->kid) {
            continue;
        }

        a->id = k->id;

        if (k->url.len) {
            acme_keep(&a->url, k->url);
        }

        acme_keep(&a->contacted, k->email);
        acme_keep(&a->domains, k->domains);
        a->lean = k->lean ? k->lean : ACME_LEAN;

        if (k->kid != a->kid) {

            /* its new key was kept, which is not in its file yet */

            acme_account_save(a);

        } else if (k->next_key.len) {
            acme_keep(&a->next_key, k->next_key);
            a->next_pkey = torii_key_read(k->next_key);
            a->rolling = (a->next_pkey != NULL);
            a->resumed = a->rolling;
        }

        break;
    }

    for (i = 0; i < acme->entries.size; i++) {
        e = acme->entries.values[i];

        if (e != NULL && e->saved.account == a->id
            && e->saved.attempt + 3 * ACME_HOUR > acme->now)
        {
            acme_bucket_spend(&a->orders, &acme_rate_orders, e->saved.attempt);
        }
    }
}


/* base64url without padding is what CAs hand out, the other form is seen. */

static int
acme_account_eab(torii_arena_t *arena, torii_str_t in, torii_str_t *out)
{
    torii_str_t  bare;

    bare = torii_str_trim(in);

    while (bare.len && bare.data[bare.len - 1] == '=') {
        bare.len--;
    }

    if (torii_base64url_decode(arena, bare, out) == TORII_OK) {
        return TORII_OK;
    }

    return torii_base64_decode(arena, in, out);
}


static uint64_t
acme_account_digest(const acme_issuer_conf_t *conf)
{
    uint64_t  h;

    h = torii_hash(conf->directory.data, conf->directory.len, 31);
    h = torii_hash(conf->eab_kid.data, conf->eab_kid.len, h);
    h = torii_hash(conf->eab_key.data, conf->eab_key.len, h);
    h = torii_hash(conf->email.data, conf->email.len, h);

    return h + conf->agreed + conf->eab_bits * 2;
}


/* Of issuers that share it, the last one that changed decides. */

static int
acme_account_configure(acme_account_t *a, const acme_issuer_t *issuer)
{
    uint64_t             digest;
    torii_str_t          eab, *contact;
    torii_arena_t       *arena;
    acme_client_conf_t  *conf;

    digest = acme_account_digest(&issuer->conf);

    if (a->arena != NULL && digest == a->digest && !a->stopped) {
        return TORII_OK;
    }

    arena = torii_arena_create(512);
    eab = torii_str("");

    if (issuer->conf.eab_kid.len
        && acme_account_eab(arena, issuer->conf.eab_key, &eab) != TORII_OK)
    {
        torii_arena_destroy(arena);
        return TORII_ERROR;
    }

    a->digest = digest;

    conf = &a->conf;
    memset(conf, 0, sizeof(acme_client_conf_t));

    conf->directory = torii_arena_str(arena, issuer->conf.directory);
    conf->key = a->key;
    conf->agreed = issuer->conf.agreed;
    conf->eab_kid = torii_arena_str(arena, issuer->conf.eab_kid);
    conf->eab_key = eab;
    conf->eab_bits = issuer->conf.eab_bits ? issuer->conf.eab_bits : 256;

    a->email = torii_arena_str(arena, issuer->conf.email);

    if (a->email.len) {
        contact = torii_arena_alloc(arena, sizeof(torii_str_t));
        *contact = torii_arena_printf(arena, "mailto:%.*s",
                                      torii_str_arg(a->email));
        conf->contacts = contact;
        conf->ncontacts = 1;
    }

    acme_account_reset(a);

    torii_arena_destroy(a->arena);
    a->arena = arena;
    a->contact_tried = 0;
    acme_account_resume(a);

    return TORII_OK;
}


/* Entries let go of an account's client. */

static void
acme_account_leave(acme_account_t *a)
{
    uint32_t       i;
    acme_entry_t  *e;

    for (i = 0; i < a->acme->entries.size; i++) {
        e = a->acme->entries.values[i];

        if (e == NULL) {
            continue;
        }

        if (e->poll_account == a) {
            acme_ari_cancel(e);
            acme_ari_start(e);
        }

        if (e->revoke_account == a) {
            acme_operation_cancel(e->revoke);
            e->revoke = NULL;
            e->revoke_account = NULL;
        }

        if (e->account == a && e->phase != ACME_PHASE_READY
            && e->phase != ACME_PHASE_KEEP)
        {
            acme_issue_abort(e);
        }
    }
}


void
acme_account_reset(acme_account_t *a)
{
    torii_str_t  url;

    if (a->client != NULL) {
        acme_account_leave(a);
        acme_engine_forget(a);

        url = acme_client_account(a->client);
        acme_keep(&a->url, url);

        acme_client_free(a->client);
        a->client = NULL;
        a->operation = NULL;

    } else if (a->unkept) {
        return;
    }

    a->conf.key = a->key;
    a->conf.account = a->url;

    a->client = acme_client_create(&a->conf, acme_engine_spread(a->acme,
                                                                UINT64_MAX));
    acme_engine_touch(a);

    if (a->rolling) {
        acme_account_save(a);
    }
}


static void
acme_account_free(acme_account_t *a)
{
    uint32_t       i;
    acme_t        *acme;
    torii_str_t    none;
    acme_entry_t  *e;

    acme = a->acme;
    none = torii_str("");

    acme_account_leave(a);

    for (i = 0; i < acme->entries.size; i++) {
        e = acme->entries.values[i];

        if (e != NULL && e->account == a) {
            acme_issue_abort(e);
        }
    }

    acme_engine_forget(a);
    acme_heap_remove(&acme->timers, &a->timer);
    acme_job_cancel(acme, &a->save);
    acme_job_cancel(acme, &a->make);
    acme_job_cancel(acme, &a->keep);

    if (acme->turn == a) {
        acme->turn = NULL;
    }

    acme_client_free(a->client);
    EVP_PKEY_free(a->key);
    EVP_PKEY_free(a->next_pkey);
    acme_heap_free(&a->ready);
    acme_heap_free(&a->exempt);
    acme_keep(&a->issuer, none);
    acme_keep(&a->url, none);
    acme_keep(&a->contacted, none);
    acme_keep(&a->domains, none);
    acme_keep(&a->made, none);
    acme_keep(&a->next_key, none);
    torii_arena_destroy(a->arena);
    free(a);
}


void
acme_account_free_unused(acme_t *acme)
{
    acme_account_t  *a, **p;

    for (p = &acme->accounts; *p != NULL; /* void */) {
        a = *p;

        if (a->refs) {
            p = &a->next;
            continue;
        }

        *p = a->next;
        acme_account_free(a);
    }
}
