
/*
 * The state on disk, written: a file of JSON for each certificate and each
 * account.  Hashes are text, since JSON's numbers do not hold them.
 */

#include <stdio.h>
#include <stdlib.h>

#include "acme_engine.h"


#define ACME_SAVE_RETRY  (5 * ACME_SECOND)      /* doubled up to … */
#define ACME_SAVE_MAX    6
#define ACME_NAME_LIMIT  200


void
acme_save(acme_entry_t *e)
{
    e->dirty = 1;
    acme_job_queue(e->acme, &e->save, e->phase != ACME_PHASE_IDLE);
}


void
acme_save_done(acme_entry_t *e, int ok)
{
    uint32_t  n;

    if (!ok) {
        if (e->save_fails == 0) {
            acme_event(e->acme, e, torii_str(""), "Failed", 1,
                       "its state cannot be kept: nothing is ordered until it "
                       "can");
        }

        n = e->save_fails < ACME_SAVE_MAX ? e->save_fails++ : ACME_SAVE_MAX;

        e->dirty = 1;
        e->save_at = e->acme->now + (ACME_SAVE_RETRY << n);
        acme_plan(e);
        return;
    }

    e->save_fails = 0;

    if (e->dirty) {
        acme_save(e);
        return;
    }

    if (e->remove && !e->wanted) {
        acme_entry_free(e);
        return;
    }

    acme_issue_recorded(e);
}


/* What no path of a file can be goes by its hash. */

static int
acme_save_is_path(torii_str_t s)
{
    size_t         i, start;
    unsigned char  c;

    if (s.len == 0 || s.len > ACME_NAME_LIMIT || s.data[0] == '_') {
        return 0;
    }

    start = 0;

    for (i = 0; i <= s.len; i++) {
        c = (i < s.len) ? s.data[i] : '/';

        if (c == '/') {
            if (i == start || s.data[start] == '.') {
                return 0;
            }

            start = i + 1;
            continue;
        }

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.'
              || c == '_' || c == '-')
            || (c == '.' && i > start && s.data[i - 1] == '.'))
        {
            return 0;
        }
    }

    return 1;
}


void
acme_save_name(acme_t *acme, const acme_entry_t *e, torii_buf_t *b)
{
    if (acme_save_is_path(e->id)) {
        torii_buf_printf(b, "certs/%.*s.json", torii_str_arg(e->id));
        return;
    }

    torii_buf_printf(b, "certs/_/%016llx%016llx.json",
        (unsigned long long) torii_hash(e->id.data, e->id.len, 1),
        (unsigned long long) torii_hash(e->id.data, e->id.len, 2));
}


static void
acme_save_text(torii_buf_t *b, const char *key, torii_str_t s)
{
    if (s.len) {
        torii_buf_printf(b, ",\"%s\":", key);
        torii_buf_add_json(b, s);
    }
}


static void
acme_save_int(torii_buf_t *b, const char *key, uint64_t n)
{
    if (n && n <= INT64_MAX) {
        torii_buf_printf(b, ",\"%s\":%llu", key, (unsigned long long) n);
    }
}


static void
acme_save_hash(torii_buf_t *b, const char *key, uint64_t h)
{
    if (h) {
        torii_buf_printf(b, ",\"%s\":\"%016llx\"", key, (unsigned long long) h);
    }
}


static void
acme_save_order(const acme_saved_t *s, torii_buf_t *b)
{
    if (s->url.len == 0 && s->key.len == 0) {
        return;
    }

    torii_buf_printf(b, ",\"order\":{\"counted\":%d", s->counted);
    acme_save_text(b, "url", s->url);
    acme_save_text(b, "key", s->key);
    acme_save_int(b, "expires", s->expires);
    acme_save_hash(b, "set", s->set);
    torii_buf_adds(b, "}");
}


static void
acme_save_window(const acme_saved_t *s, torii_buf_t *b)
{
    if (s->ari.len == 0) {
        return;
    }

    torii_buf_printf(b, ",\"ari\":{\"start\":%lld,\"end\":%lld,\"chosen\":%lld",
                     (long long) s->start, (long long) s->end,
                     (long long) s->chosen);
    acme_save_text(b, "id", s->ari);
    acme_save_int(b, "poll", s->poll);
    acme_save_int(b, "forced", s->forced);
    acme_save_int(b, "loops", s->loops);
    torii_buf_adds(b, "}");
}


static void
acme_save_lists(const acme_saved_t *s, torii_buf_t *b)
{
    uint32_t  i;

    torii_buf_adds(b, ",\"turns\":[");

    for (i = 0; i < s->nturns; i++) {
        torii_buf_printf(b, "%s{\"n\":%u", i ? "," : "", s->turns[i].n);
        acme_save_int(b, "held", s->turns[i].held);
        acme_save_int(b, "wary", s->turns[i].wary);
        acme_save_hash(b, "name", s->turns[i].name);
        torii_buf_adds(b, "}");
    }

    torii_buf_adds(b, "],\"history\":[");

    for (i = 0; i < s->npast; i++) {
        torii_buf_printf(b, "%s{\"at\":%llu", i ? "," : "",
                         (unsigned long long) s->past[i].at);
        acme_save_hash(b, "set", s->past[i].set);
        torii_buf_adds(b, "}");
    }

    torii_buf_adds(b, "]");
}


/* Names and issuer are for people: they are what the objects say. */

static void
acme_save_people(const acme_entry_t *e, torii_buf_t *b)
{
    uint32_t  i;

    torii_buf_adds(b, ",\"names\":[");

    for (i = 0; i < e->want.n; i++) {
        torii_buf_adds(b, i ? "," : "");
        torii_buf_add_json(b, e->want.names[i].name);
    }

    torii_buf_adds(b, "]");

    if (e->want.nissuers) {
        acme_save_text(b, "issuer",
                       e->want.issuers[e->saved.turn % e->want.nissuers]);
    }
}


void
acme_save_write(const acme_entry_t *e, torii_buf_t *b)
{
    const acme_saved_t  *s;

    s = &e->saved;

    torii_buf_adds(b, "{\"version\":1");
    acme_save_text(b, "id", e->id);
    acme_save_people(e, b);

    acme_save_int(b, "fails", s->fails);
    acme_save_int(b, "tries", s->tries);
    acme_save_int(b, "turn", s->turn);
    acme_save_int(b, "fail", s->fail);
    acme_save_text(b, "error", s->error);
    acme_save_int(b, "retry", s->retry);
    acme_save_int(b, "attempt", s->attempt);
    acme_save_int(b, "pending", s->pending);
    acme_save_int(b, "noprofile", s->no_profile);
    acme_save_int(b, "noreplaces", s->no_replaces);
    acme_save_hash(b, "conf", s->conf);
    acme_save_hash(b, "blocked", s->blocked);
    acme_save_hash(b, "account", s->account);
    acme_save_order(s, b);
    acme_save_window(s, b);
    acme_save_text(b, "sound", s->sound);
    acme_save_text(b, "serial", s->serial);
    acme_save_int(b, "issued", s->issued);
    acme_save_hash(b, "by", s->by);
    acme_save_hash(b, "spec", s->spec);
    acme_save_int(b, "life", (uint64_t) s->life);
    acme_save_lists(s, b);
    acme_save_int(b, "gone", s->gone);
    torii_buf_adds(b, "}\n");
}


void
acme_save_account_name(const acme_account_t *a, torii_buf_t *b)
{
    torii_buf_printf(b, "accounts/%016llx.json", (unsigned long long) a->id);
}


void
acme_save_account(const acme_account_t *a, torii_buf_t *b)
{
    torii_buf_adds(b, "{\"version\":1");
    acme_save_text(b, "issuer", a->issuer);
    acme_save_text(b, "directory", a->conf.directory);
    acme_save_text(b, "url", a->url);
    acme_save_text(b, "email", a->contacted);
    acme_save_text(b, "domains", a->domains);
    acme_save_int(b, "lean", a->lean);
    acme_save_text(b, "nextkey", a->next_key);
    acme_save_hash(b, "id", a->id);
    acme_save_hash(b, "key", a->kid);

    if (a->next_pkey != NULL) {
        acme_save_hash(b, "nexthash",
                       acme_account_kid(a->conf.directory, a->next_pkey));
    }

    torii_buf_adds(b, "}\n");
}
