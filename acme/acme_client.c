
/*
 * A client: its configuration, and the directory (RFC 8555 section 7.1.1), the
 * one URL that is configured.
 */

#include <stdlib.h>

#include "acme_client_machine.h"


static void acme_client_got_directory(acme_client_t *c, void *data,
    const acme_reply_t *r);
static int acme_directory_read(acme_client_t *c, const torii_node_t *doc);
static void acme_directory_profiles(acme_client_t *c,
    const torii_node_t *profiles);
static void acme_client_got_nonce(acme_client_t *c, void *data,
    const acme_reply_t *r);


/* In the order of acme_url_e. */

static const struct {
    const char  *name;
    int          required;
} acme_directory_urls[ACME_URL_LISTED] = {
    { "newNonce", 1 },
    { "newAccount", 1 },
    { "newOrder", 1 },
    { "revokeCert", 0 },
    { "keyChange", 0 },
    { "renewalInfo", 0 }
};


acme_client_t *
acme_client_create(const acme_client_conf_t *conf, uint64_t seed)
{
    uint32_t         i;
    acme_client_t   *c;
    acme_problem_t   problem;

    c = torii_zalloc(sizeof(acme_client_t));

    c->arena = torii_arena_create(1024);
    c->last_call = &c->calls;
    c->conf = *conf;
    c->conf.directory = torii_arena_str(c->arena, conf->directory);
    c->conf.eab_kid = torii_arena_str(c->arena, conf->eab_kid);
    c->conf.eab_key = torii_arena_str(c->arena, conf->eab_key);
    c->conf.contacts = torii_arena_alloc(c->arena, conf->ncontacts
                                                   * sizeof(torii_str_t));

    for (i = 0; i < conf->ncontacts; i++) {
        c->conf.contacts[i] = torii_arena_str(c->arena, conf->contacts[i]);
    }

    c->seed = torii_hash(conf->directory.data, conf->directory.len, seed);

    if (acme_url_ok(conf->account)) {
        torii_buf_add_str(&c->account, conf->account);
    }

    if (acme_client_set_key(c, conf->key) != TORII_OK) {
        acme_problem_set(&problem, ACME_FAIL_CONFIG,
                         "the account's key is of no kind that ACME knows");
        acme_client_fail(c, &problem);
    }

    return c;
}


void
acme_client_free(acme_client_t *c)
{
    if (c == NULL) {
        return;
    }

    acme_operation_free_all(c);
    acme_call_cancel(c, acme_client_directory(c));
    acme_call_cancel(c, acme_client_nonce(c));
    acme_call_cancel(c, acme_client_register(c));

    if (c->conf.eab_key.len) {
        OPENSSL_cleanse(c->conf.eab_key.data, c->conf.eab_key.len);
    }

    EVP_PKEY_free(c->key);
    torii_arena_destroy(c->arena);
    torii_arena_destroy(c->directory);
    torii_buf_free(&c->thumbprint);
    torii_buf_free(&c->account);
    torii_buf_free(&c->body);
    torii_buf_free(&c->domains);
    torii_buf_free(&c->url);
    free(c);
}


int
acme_client_set_key(acme_client_t *c, EVP_PKEY *key)
{
    EVP_PKEY_up_ref(key);
    EVP_PKEY_free(c->key);

    c->key = key;
    c->thumbprint.len = 0;

    return torii_jwk_thumbprint(&c->thumbprint, key);
}


void
acme_client_fail(acme_client_t *c, const acme_problem_t *problem)
{
    c->problem = *problem;
    c->state = ACME_CLIENT_FAILED;
}


void
acme_client_settle(acme_client_t *c)
{
    if (c->state == ACME_CLIENT_NEW && c->directory && c->account.len) {
        c->state = ACME_CLIENT_READY;
    }
}


acme_client_state_e
acme_client_state(const acme_client_t *c)
{
    return c->state;
}


const acme_problem_t *
acme_client_problem(const acme_client_t *c)
{
    return &c->problem;
}


void
acme_client_retry(acme_client_t *c)
{
    if (c->state != ACME_CLIENT_FAILED) {
        return;
    }

    memset(&c->problem, 0, sizeof(acme_problem_t));

    c->state = ACME_CLIENT_NEW;
    c->create = 0;
    c->plain = 0;

    acme_client_settle(c);
}


torii_str_t
acme_client_account(const acme_client_t *c)
{
    return acme_str_of(&c->account);
}


int
acme_client_changed(acme_client_t *c)
{
    int  changed;

    changed = c->changed;
    c->changed = 0;

    return changed;
}


void
acme_client_begin(acme_client_t *c)
{
    c->begun = 1;
}


int
acme_client_known(const acme_client_t *c)
{
    return c->directory != NULL;
}


int
acme_client_has_ari(const acme_client_t *c)
{
    return c->urls[ACME_URL_RENEWAL].len != 0;
}


int
acme_client_has_profile(const acme_client_t *c, torii_str_t profile)
{
    uint32_t  i;

    for (i = 0; i < c->nprofiles; i++) {
        if (torii_str_eq(c->profiles[i], profile)) {
            return 1;
        }
    }

    return 0;
}


torii_str_t
acme_client_terms(const acme_client_t *c)
{
    return c->terms;
}


/* They become parts of records. */

static int
acme_client_name_ok(const torii_node_t *node)
{
    size_t  i;

    if (node->type != TORII_NODE_STRING || node->text.len == 0
        || node->text.len > 253)
    {
        return 0;
    }

    for (i = 0; i < node->text.len; i++) {
        if (node->text.data[i] == '\0'
            || strchr("abcdefghijklmnopqrstuvwxyz0123456789-.",
                      node->text.data[i])
               == NULL)
        {
            return 0;
        }
    }

    return 1;
}


torii_str_t
acme_client_names(torii_arena_t *a, const torii_node_t *list)
{
    uint32_t     i;
    torii_buf_t  b = { NULL, 0, 0 };
    torii_str_t  names;

    for (i = 0; list && list->type == TORII_NODE_LIST && i < list->n
         && i < ACME_DOMAINS_MAX; i++)
    {
        if (acme_client_name_ok(list->items[i])) {
            torii_buf_printf(&b, "%s%.*s", b.len ? " " : "",
                             torii_str_arg(list->items[i]->text));
        }
    }

    names = torii_arena_str(a, acme_str_of(&b));
    torii_buf_free(&b);

    return names;
}


torii_str_t
acme_client_domains(const acme_client_t *c, int *offered)
{
    *offered = (c->domains.len != 0);

    if (*offered) {
        return acme_str_of(&c->domains);
    }

    return c->directory ? c->caa : torii_str("");
}


const acme_client_counts_t *
acme_client_counts(const acme_client_t *c)
{
    return &c->counts;
}


void
acme_client_read_directory(acme_client_t *c, uint64_t now)
{
    acme_call_t  *call;

    if (acme_call_has(c, acme_client_directory(c))) {
        return;
    }

    call = acme_call_get(c, ACME_URL_DIRECTORY, now,
                         acme_client_got_directory, acme_client_directory(c));

    torii_buf_add_str(&call->url, c->conf.directory);
}


/* Without a new one, the old one is right more often than not. */

static void
acme_client_got_directory(acme_client_t *c, void *data, const acme_reply_t *r)
{
    acme_problem_t  problem;

    if (r->problem == NULL && acme_directory_read(c, r->doc) == TORII_OK) {
        c->directory_at = r->now + ACME_DIRECTORY_LIFE;
        acme_client_settle(c);
        return;
    }

    if (c->directory) {
        c->directory_at = r->now + ACME_DIRECTORY_RETRY;
        return;
    }

    if (r->problem) {
        problem = *r->problem;

        /* an unknown type says nothing about an order here */

        if (problem.fail == ACME_FAIL_ORDER) {
            problem.fail = ACME_FAIL_NETWORK;
        }

    } else {
        acme_problem_set(&problem, ACME_FAIL_NETWORK,
                         "the answer is no directory of an ACME server");
        problem.status = r->res->status;
    }

    acme_client_fail(c, &problem);
}


static int
acme_directory_read(acme_client_t *c, const torii_node_t *doc)
{
    unsigned             i;
    torii_str_t          urls[ACME_URL_LISTED], url, terms;
    torii_arena_t       *old;
    const torii_node_t  *meta;

    for (i = 0; i < ACME_URL_LISTED; i++) {
        url = acme_json_text(doc, acme_directory_urls[i].name);

        if (!acme_url_ok(url)) {
            if (acme_directory_urls[i].required) {
                return TORII_ERROR;
            }

            url = torii_str("");
        }

        urls[i] = url;
    }

    old = c->directory;
    c->directory = torii_arena_create(2048);

    for (i = 0; i < ACME_URL_LISTED; i++) {
        c->urls[i] = torii_arena_str(c->directory, urls[i]);
    }

    meta = torii_node_get(doc, "meta");
    terms = acme_json_text(meta, "termsOfService");

    if (terms.len > ACME_URL_MAX || torii_str_has_control(terms)) {
        terms = torii_str("");
    }

    c->terms = torii_arena_str(c->directory, terms);
    c->caa = acme_client_names(c->directory,
                               torii_node_get(meta, "caaIdentities"));

    acme_directory_profiles(c, torii_node_get(meta, "profiles"));

    torii_arena_destroy(old);

    return TORII_OK;
}


static void
acme_directory_profiles(acme_client_t *c, const torii_node_t *profiles)
{
    uint32_t  i;

    c->profiles = NULL;
    c->nprofiles = 0;

    if (profiles == NULL || profiles->type != TORII_NODE_MAP) {
        return;
    }

    c->nprofiles = (profiles->n < ACME_PROFILES_MAX) ? profiles->n
                                                     : ACME_PROFILES_MAX;
    c->profiles = torii_arena_alloc(c->directory,
                                    c->nprofiles * sizeof(torii_str_t));

    for (i = 0; i < c->nprofiles; i++) {
        c->profiles[i] = torii_arena_str(c->directory, profiles->keys[i]);
    }
}


/* One at a time: each POST's answer brings the next one. */

void
acme_client_read_nonce(acme_client_t *c, uint64_t now)
{
    if (!acme_call_has(c, acme_client_nonce(c))) {
        (void) acme_call_get(c, ACME_URL_NEW_NONCE, now,
                             acme_client_got_nonce, acme_client_nonce(c));
    }
}


/* Without a nonce, nobody who waits for one has to wait any longer. */

static void
acme_client_got_nonce(acme_client_t *c, void *data, const acme_reply_t *r)
{
    if (r->problem) {
        acme_call_refuse_all(c, r->now, ACME_NEED_NONCE, r->problem);
    }
}
