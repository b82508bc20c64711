
/*
 * What was issued, until its owner has it: an issuance is over, and its order
 * forgotten, when the certificate is kept.
 */

#include <stdlib.h>
#include <openssl/crypto.h>

#include "acme_engine.h"


#define ACME_KEEP_RETRY  (5 * ACME_SECOND)    /* doubled up to … */
#define ACME_KEEP_MAX    6
#define ACME_LOCAL_MIN   600      /* s, of what a local CA signs */


static void
acme_issue_count(acme_entry_t *e)
{
    acme_saved_t  *s;

    s = &e->saved;

    if (s->counted) {
        return;
    }

    s->counted = 1;

    if (s->npast == ACME_HISTORY) {
        memmove(s->past, s->past + 1,
                (ACME_HISTORY - 1) * sizeof(acme_past_t));
        s->npast--;
    }

    s->past[s->npast].set = e->set;
    s->past[s->npast].at = e->acme->now;
    s->npast++;

    acme_set_add(e->acme, e->set, e->acme->now);
}


void
acme_issue_issued(acme_entry_t *e, torii_str_t chain)
{
    char  error[256];

    if (acme_have_read(e->acme, &e->coming, chain, e->order_key, error)
        != TORII_OK)
    {
        acme_issue_refused(e, ACME_FAIL_CERTIFICATE, "%s", error);
        return;
    }

    if (e->account == NULL
        && e->coming.chain.not_after - (int64_t) (e->acme->now / 1000)
           < ACME_LOCAL_MIN)
    {
        acme_issue_refused(e, ACME_FAIL_CONFIG,
                           "the certificate of its CA ends too soon");
        return;
    }

    e->issued.len = 0;
    torii_buf_add_str(&e->issued, chain);

    acme_order_free(e->order);
    e->order = NULL;

    if (e->account != NULL) {
        acme_issue_withdraw(e);
        acme_issue_count(e);
        acme_save(e);
    }

    e->phase = ACME_PHASE_KEEP;
    e->keep_fails = 0;
    acme_job_queue(e->acme, &e->keep, 1);
}


static void
acme_issue_not_kept(acme_entry_t *e)
{
    uint32_t  n;

    if (e->keep_fails == 0) {
        acme_event(e->acme, e, e->issuer->conf.name, "Failed", 1,
                   "a certificate was issued and cannot be kept; this is "
                   "tried again");
    }

    n = e->keep_fails < ACME_KEEP_MAX ? e->keep_fails++ : ACME_KEEP_MAX;
    e->keep_at = e->acme->now + (ACME_KEEP_RETRY << n);

    acme_plan(e);
}


/* Failures are over; what was learnt about challenges is kept. */

static void
acme_issue_success(acme_entry_t *e)
{
    acme_saved_t  *s;

    s = &e->saved;

    acme_keep(&s->serial, e->have.chain.serial);
    acme_keep(&s->error, torii_str(""));

    s->issued = e->acme->now;
    s->by = e->account ? e->account->id : 0;
    s->spec = acme_entry_spec(e);
    s->life = e->have.chain.not_after - e->have.chain.not_before;
    s->fails = 0;
    s->tries = 0;
    s->turn = 0;
    s->fail = ACME_FAIL_NONE;
    s->retry = 0;
    s->pending = 0;
    s->blocked = 0;
    s->no_profile = 0;
    s->no_replaces = 0;

    e->forced = 0;
    e->new_key = 0;
    e->again_csr = 0;
    e->hold = 0;
    e->looks = 0;

    acme_issue_drop_order(e);
}


/* Until its owner says it back, what it says is of before. */

static void
acme_issue_expect(acme_entry_t *e)
{
    torii_str_t  chain, key;
    torii_buf_t  mark = { NULL, 0, 0 }, pem = { NULL, 0, 0 };

    (void) torii_key_write(e->order_key, e->want.traditional, &pem);

    chain.data = e->issued.data;
    chain.len = e->issued.len;
    key.data = pem.data;
    key.len = pem.len;

    e->before = e->pem;
    e->handed = acme_pem_hash(chain, key);
    e->fresh = e->acme->now + ACME_STALE;

    acme_keep(&e->key, e->want.reuse_key ? key : torii_str(""));

    acme_have_mark(chain, key, &mark);
    chain.data = mark.data;
    chain.len = mark.len;
    acme_keep(&e->saved.sound, chain);
    torii_buf_free(&mark);

    OPENSSL_cleanse(pem.data, pem.len);
    torii_buf_free(&pem);
}


void
acme_issue_kept(acme_entry_t *e, int ok)
{
    if (e->phase != ACME_PHASE_KEEP) {
        return;
    }

    if (!ok) {
        acme_issue_not_kept(e);
        return;
    }

    acme_ari_cancel(e);
    acme_have_free(&e->have);
    e->have = e->coming;
    memset(&e->coming, 0, sizeof(acme_have_t));

    acme_issue_expect(e);
    acme_issue_success(e);

    e->ari = (e->account != NULL && e->have.chain.ari.len) ? e->acme->now : 0;
    e->ari_fails = 0;

    acme_event(e->acme, e, e->issuer->conf.name, "Issued", 0,
               "the certificate %.*s of %.*s is in use",
               torii_str_arg(e->have.chain.serial),
               torii_str_arg(e->have.chain.issuer));

    acme_issue_release(e);
    acme_save(e);
    acme_plan(e);
}
