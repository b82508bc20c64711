
/*
 * Keys.  One of RSA takes the processor for long, so it is the owner who makes
 * it while everything else goes on, and what needs it waits.  Nothing of that
 * is on disk: after a crash the key is asked for again.
 */

#include <openssl/crypto.h>

#include "acme_engine.h"


static EVP_PKEY *acme_issue_reuse(acme_entry_t *e);
static void acme_issue_keyed(acme_entry_t *e, EVP_PKEY *key);


void
acme_key_ask(acme_t *acme, acme_job_t *job, torii_key_type_e type)
{
    job->key_type = type;
    job->slow = (type >= TORII_KEY_RSA_2048);

    acme_job_queue(acme, job, 1);
}


void
acme_key(acme_t *acme, uint64_t now, uint32_t ticket, EVP_PKEY *key)
{
    acme_job_t  *job;

    acme_clock(acme, now);

    job = acme_job_take(acme, ticket);

    if (job == NULL || job->what != ACME_DO_KEY) {
        EVP_PKEY_free(key);
        return;
    }

    if (job->entry != NULL) {
        acme_issue_keyed(job->entry, key);

    } else {
        acme_account_keyed(job->account, key);
    }
}


int
acme_key_keep(torii_str_t *to, EVP_PKEY *key)
{
    torii_str_t  s;
    torii_buf_t  pem = { NULL, 0, 0 };

    if (key == NULL || torii_key_write(key, 0, &pem) != TORII_OK) {
        torii_buf_free(&pem);
        return TORII_ERROR;
    }

    s.data = pem.data;
    s.len = pem.len;
    acme_keep(to, s);

    OPENSSL_cleanse(pem.data, pem.len);
    torii_buf_free(&pem);

    return TORII_OK;
}


void
acme_issue_make(acme_entry_t *e)
{
    EVP_PKEY  *key;

    e->phase = ACME_PHASE_KEY;
    key = acme_issue_reuse(e);

    if (key != NULL) {
        acme_issue_keyed(e, key);
        return;
    }

    acme_key_ask(e->acme, &e->make, e->want.key_type);
}


static EVP_PKEY *
acme_issue_reuse(acme_entry_t *e)
{
    EVP_PKEY  *key;

    if (!e->want.reuse_key || e->new_key || e->have.arena == NULL
        || e->key.len == 0)
    {
        return NULL;
    }

    key = torii_key_read(e->key);

    if (key != NULL && torii_key_type(key) == e->want.key_type) {
        return key;
    }

    EVP_PKEY_free(key);

    return NULL;
}


static void
acme_issue_keyed(acme_entry_t *e, EVP_PKEY *key)
{
    if (e->phase != ACME_PHASE_KEY) {
        EVP_PKEY_free(key);
        return;
    }

    if (key == NULL) {
        acme_issue_refused(e, ACME_FAIL_CSR, "a key cannot be made");
        return;
    }

    EVP_PKEY_free(e->order_key);
    e->order_key = key;

    if (e->account != NULL) {
        acme_issue_record(e);

    } else {
        acme_local_issue(e);
    }
}
