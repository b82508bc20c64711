
/*
 * What is wanted.  An unchanged want costs a hash of its text.
 */

#include <stdlib.h>
#include <openssl/crypto.h>

#include "acme_engine.h"


static void acme_want_give_up(acme_entry_t *e);


static uint64_t
acme_hash_str(torii_str_t s, uint64_t seed)
{
    return torii_hash(s.data, s.len, seed ^ s.len);
}


static uint64_t
acme_hash_int(uint64_t value, uint64_t seed)
{
    return torii_hash(&value, sizeof(uint64_t), seed);
}


acme_entry_t *
acme_entry_get(acme_t *acme, torii_str_t id, int create)
{
    uint64_t       hash;
    acme_entry_t  *e;

    hash = acme_engine_hash(acme, id);
    e = acme_map_get(&acme->entries, hash);

    if (e != NULL || !create) {
        return e;
    }

    e = torii_zalloc(sizeof(acme_entry_t));

    e->acme = acme;
    e->hash = hash;
    acme_keep(&e->id, id);

    acme_job_init(&e->save, ACME_DO_SAVE, e, NULL);
    acme_job_init(&e->make, ACME_DO_KEY, e, NULL);
    acme_job_init(&e->look, ACME_DO_LOOK, e, NULL);
    acme_job_init(&e->present, ACME_DO_PRESENT, e, NULL);
    acme_job_init(&e->withdraw, ACME_DO_WITHDRAW, e, NULL);
    acme_job_init(&e->keep, ACME_DO_CERTIFICATE, e, NULL);

    acme_map_set(&acme->entries, hash, e);

    return e;
}


static void
acme_saved_free(acme_saved_t *s)
{
    torii_str_t  none;

    none = torii_str("");

    acme_keep(&s->error, none);
    acme_keep(&s->url, none);
    acme_keep(&s->key, none);
    acme_keep(&s->ari, none);
    acme_keep(&s->sound, none);
    acme_keep(&s->serial, none);
    free(s->turns);
}


void
acme_entry_free(acme_entry_t *e)
{
    acme_t       *acme;
    torii_str_t   none;

    acme = e->acme;
    none = torii_str("");

    acme_ari_cancel(e);

    if (e->revoke != NULL) {
        acme_operation_cancel(e->revoke);
    }

    acme_issue_abort(e);
    acme_job_cancel(acme, &e->save);
    acme_job_cancel(acme, &e->withdraw);
    acme_heap_remove(&acme->timers, &e->timer);
    acme_queue_remove(&e->check);
    acme_map_remove(&acme->entries, e->hash);

    acme_saved_free(&e->saved);
    acme_have_free(&e->have);
    acme_keep(&e->chain, none);
    acme_keep(&e->key, none);
    acme_keep(&e->id, none);
    torii_arena_destroy(e->shown);
    torii_arena_destroy(e->looking);
    torii_arena_destroy(e->arena);
    free(e);
}


acme_issuer_t *
acme_entry_issuer(const acme_entry_t *e)
{
    if (e->want.nissuers == 0) {
        return NULL;
    }

    return acme_issuer_get(e->acme,
                           e->want.issuers[e->saved.turn % e->want.nissuers]);
}


uint64_t
acme_entry_state(const acme_entry_t *e)
{
    uint32_t        i;
    uint64_t        h;
    acme_issuer_t  *issuer;

    h = e->core;

    for (i = 0; i < e->want.nissuers; i++) {
        issuer = acme_issuer_get(e->acme, e->want.issuers[i]);
        h = acme_hash_int(issuer ? issuer->digest : 0, h);
        h = acme_hash_int(issuer && issuer->account ? issuer->account->kid : 0,
                          h);
    }

    h = acme_hash_int((uint64_t) e->want.renew_now, h);

    return h ? h : 1;
}


uint64_t
acme_entry_spec(const acme_entry_t *e)
{
    uint64_t        h;
    acme_issuer_t  *issuer;

    issuer = e->want.nissuers ? acme_issuer_get(e->acme, e->want.issuers[0])
                              : NULL;
    if (issuer == NULL) {
        return 0;
    }

    h = acme_hash_str(issuer->conf.name, 7);
    h = acme_hash_int(issuer->conf.type, h);
    h = acme_hash_str(issuer->conf.directory, h);
    h = acme_hash_int(e->want.key_type, h);
    h = acme_hash_str(e->want.common_name, h);
    h = acme_hash_int(e->want.duration, h);

    return h ? h : 1;
}


/* What an order depends on. */

static uint64_t
acme_want_core(const acme_want_t *w)
{
    uint32_t  i;
    uint64_t  h;

    h = acme_hash_str(w->common_name, 11);
    h = acme_hash_int(w->key_type, h);
    h = acme_hash_int(w->duration, h);

    for (i = 0; i < w->nissuers; i++) {
        h = acme_hash_str(w->issuers[i], h);
    }

    for (i = 0; i < w->n; i++) {
        h = acme_hash_str(w->names[i].name, h);
        h = torii_hash(w->names[i].types, ACME_CHALLENGE_MAX, h);
        h = acme_hash_str(w->names[i].solver, h + w->names[i].asked);
    }

    return h;
}


static uint64_t
acme_want_digest(const acme_want_t *w, uint64_t core)
{
    uint64_t  h;

    h = acme_hash_int(w->traditional | w->reuse_key << 1 | w->in_use << 2
                      | w->no_renewal << 3, core);
    h = acme_hash_int(w->renew_before, h);
    h = acme_hash_int(w->renew_percent, h);

    return acme_hash_int((uint64_t) w->renew_now, h);
}


uint64_t
acme_pem_hash(torii_str_t chain, torii_str_t key)
{
    return acme_hash_str(key, acme_hash_str(chain, 13));
}


/* The same for the names in any order. */

static uint64_t
acme_want_set(const acme_want_t *w)
{
    uint32_t  i;
    uint64_t  sum;

    sum = 0;

    for (i = 0; i < w->n; i++) {
        sum += acme_hash_str(w->names[i].name, 17);
    }

    return acme_hash_int(sum, w->n);
}


static int
acme_want_has(const acme_want_t *w, torii_str_t name)
{
    uint32_t  i;

    for (i = 0; i < w->n; i++) {
        if (torii_str_eq(w->names[i].name, name)) {
            return 1;
        }
    }

    return 0;
}


static void
acme_want_names(acme_entry_t *e, torii_arena_t *a, const acme_want_t *want)
{
    uint32_t           i;
    const char        *why;
    torii_str_t        name;
    acme_want_name_t  *to;

    e->bad = want->n ? NULL : "it has no names";
    e->bad_name = torii_str("");

    e->want.names = torii_arena_alloc(a, want->n * sizeof(acme_want_name_t));
    e->want.n = 0;

    for (i = 0; i < want->n; i++) {

        if (acme_name_normal(a, want->names[i].name, &name, &why) != TORII_OK) {
            e->bad = why;
            e->bad_name = torii_arena_str(a, want->names[i].name);
            name = e->bad_name;
        }

        if (acme_want_has(&e->want, name)) {
            continue;
        }

        to = &e->want.names[e->want.n++];
        *to = want->names[i];
        to->name = name;
        to->solver = torii_arena_str(a, want->names[i].solver);
    }
}


static void
acme_want_copy(acme_entry_t *e, const acme_want_t *want)
{
    uint32_t        i;
    torii_arena_t  *a;

    /* what is in flight refers to the want's strings only when it begins */

    a = torii_arena_create(512);

    e->want = *want;
    e->want.id = e->id;
    e->want.common_name = torii_arena_str(a, want->common_name);
    e->want.chain = torii_str("");
    e->want.key = torii_str("");

    e->want.issuers = torii_arena_alloc(a,
                                        want->nissuers * sizeof(torii_str_t));

    for (i = 0; i < want->nissuers; i++) {
        e->want.issuers[i] = torii_arena_str(a, want->issuers[i]);
    }

    acme_want_names(e, a, want);
    e->set = acme_want_set(&e->want);

    torii_arena_destroy(e->arena);
    e->arena = a;
}


/* Failures were those of another configuration. */

static void
acme_want_reset(acme_entry_t *e)
{
    e->saved.fails = 0;
    e->saved.tries = 0;
    e->saved.turn = 0;
    e->saved.retry = 0;
    e->saved.blocked = 0;
    e->saved.no_profile = 0;
    e->saved.no_replaces = 0;
    e->saved.conf = e->core;
    e->hold = 0;
    e->looks = 0;
}


static void
acme_want_pem(acme_entry_t *e, const acme_want_t *want, uint64_t pem)
{
    e->pem = pem;

    if (e->have.arena != NULL && e->handed == pem) {
        e->fresh = 0;
        e->stale = 0;
        acme_keep(&e->key, want->reuse_key ? want->key : torii_str(""));
        return;
    }

    acme_keep(&e->chain, want->chain);
    acme_keep(&e->key, want->key);

    if (e->fresh && pem == e->before) {
        e->stale = 1;
        return;
    }

    e->stale = 0;
    e->checked = 0;

    acme_queue_remove(&e->check);

    if (want->chain.len) {
        acme_queue_add(&e->acme->checks, &e->check);
    }
}


void
acme_begin(acme_t *acme)
{
    acme->generation++;
}


void
acme_want(acme_t *acme, const acme_want_t *want)
{
    int            again;
    uint64_t       core, digest, pem;
    acme_entry_t  *e;

    e = acme_entry_get(acme, want->id, 1);
    e->generation = acme->generation;

    core = acme_want_core(want);
    digest = acme_want_digest(want, core);
    pem = acme_pem_hash(want->chain, want->key);

    again = !e->wanted;

    if (again) {
        e->wanted = 1;
        e->first = !acme->started;

        if (e->saved.gone) {
            e->saved.gone = 0;
            e->remove = 0;
            acme_save(e);
        }

        free(acme->sorted);
        acme->sorted = NULL;
    }

    if (again || digest != e->digest) {

        if (core != e->core) {
            acme_issue_abort(e);
        }

        e->core = core;
        e->digest = digest;
        e->replan = 1;

        acme_want_copy(e, want);

        if (e->saved.conf != core) {
            acme_want_reset(e);
        }
    }

    if (again || pem != e->pem) {
        acme_want_pem(e, want, pem);
    }
}


static void
acme_want_end(acme_entry_t *e)
{
    if (e->generation != e->acme->generation) {
        acme_want_give_up(e);
        return;
    }

    /* one that was adopted before its issuer was there */

    if (e->saved.serial.len && e->saved.spec == 0 && e->have.arena != NULL) {
        e->saved.spec = acme_entry_spec(e);
    }

    if (e->saved.blocked && e->saved.blocked != acme_entry_state(e)) {
        acme_want_reset(e);
        e->replan = 1;
    }

    if (!e->checked && e->check.next == NULL && !e->stale) {
        acme_entry_check(e);

    } else if (e->checked && (e->replan || e->acme->issuers_changed)) {
        acme_plan(e);
    }

    e->replan = 0;
}


static void
acme_want_give_up(acme_entry_t *e)
{
    if (e->saved.gone == 0) {
        e->saved.gone = e->acme->now;
        acme_save(e);
    }

    if (e->wanted) {
        e->wanted = 0;
        free(e->acme->sorted);
        e->acme->sorted = NULL;
    }

    acme_issue_abort(e);
    acme_ari_cancel(e);
    acme_queue_remove(&e->check);
    acme_plan(e);
}


void
acme_end(acme_t *acme, uint64_t now)
{
    uint32_t  i;

    acme_clock(acme, now);
    acme_issuer_apply(acme);
    acme_name_sweep(acme);

    for (i = 0; i < acme->entries.size; i++) {
        if (acme->entries.values[i] != NULL) {
            acme_want_end(acme->entries.values[i]);
        }
    }

    acme->issuers_changed = 0;
    acme->started = 1;
}
