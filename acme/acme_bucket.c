
/*
 * How much a CA is asked: rates somewhat below Let's Encrypt's published ones,
 * pauses that a CA asked for by the scope its words name.  Issuances of a set
 * of names are counted in every week, across restarts.
 */

#include <stdio.h>
#include <stdlib.h>

#include "acme_engine.h"


const acme_rate_t  acme_rate_orders = { 250, 37 * ACME_SECOND };
const acme_rate_t  acme_rate_failures = { 4, 15 * ACME_MINUTE };


/* Words of a refusal that tell its scope; the first row that fits. */

typedef struct {
    const char            *words;
    acme_scope_e           scope;
    unsigned               quoted:1;    /* names what it is about in quotes */
} acme_scope_words_t;

static const acme_scope_words_t  acme_scope_words[] = {
    { "unpause", ACME_SCOPE_OPERATOR, 0 },
    { "temporarily prevented from requesting", ACME_SCOPE_OPERATOR, 0 },
    { "exact set of", ACME_SCOPE_SET, 0 },
    { "failed authorizations", ACME_SCOPE_NAME, 1 },
    { "already issued for", ACME_SCOPE_DOMAIN, 1 },
    { NULL, ACME_SCOPE_ACCOUNT, 0 }
};


uint64_t
acme_bucket_when(const acme_bucket_t *b, const acme_rate_t *rate, uint64_t now)
{
    uint64_t  room, when;

    room = (rate->burst - 1) * rate->interval;
    when = (b->full > room) ? b->full - room : 0;

    if (when < b->until) {
        when = b->until;
    }

    return when > now ? when : now;
}


void
acme_bucket_spend(acme_bucket_t *b, const acme_rate_t *rate, uint64_t now)
{
    if (b->full < now) {
        b->full = now;
    }

    b->full += rate->interval;
}


static acme_set_t *
acme_set_get(acme_t *acme, uint64_t set)
{
    acme_set_t  *s;

    s = acme_map_get(&acme->sets, set);

    if (s == NULL) {
        s = torii_zalloc(sizeof(acme_set_t));
        acme_map_set(&acme->sets, set, s);
    }

    return s;
}


uint64_t
acme_set_when(acme_t *acme, uint64_t set, uint64_t now)
{
    uint64_t     when;
    acme_set_t  *s;

    s = acme_map_get(&acme->sets, set);

    if (s == NULL) {
        return now;
    }

    when = s->at[0] ? s->at[0] + ACME_SET_TIME : 0;

    if (when < s->until) {
        when = s->until;
    }

    return when > now ? when : now;
}


/* In order, since files are read in any order. */

void
acme_set_add(acme_t *acme, uint64_t set, uint64_t at)
{
    uint32_t     i;
    acme_set_t  *s;

    s = acme_set_get(acme, set);

    if (at <= s->at[0]) {
        return;
    }

    for (i = 0; i + 1 < ACME_SET_MAX && s->at[i + 1] < at; i++) {
        s->at[i] = s->at[i + 1];
    }

    s->at[i] = at;
}


void
acme_set_pause(acme_t *acme, uint64_t set, uint64_t until)
{
    acme_set_get(acme, set)->until = until;
}


static acme_bucket_t *
acme_name_get(acme_t *acme, torii_str_t name)
{
    uint64_t        hash;
    acme_bucket_t  *b;

    hash = acme_engine_hash(acme, name);
    b = acme_map_get(&acme->names, hash);

    if (b == NULL) {
        b = torii_zalloc(sizeof(acme_bucket_t));
        acme_map_set(&acme->names, hash, b);
    }

    return b;
}


void
acme_name_failed(acme_t *acme, torii_str_t name)
{
    acme_bucket_spend(acme_name_get(acme, name), &acme_rate_failures,
                      acme->now);
}


/* Pauses of a domain are kept under "." and its name. */

void
acme_name_pause(acme_t *acme, torii_str_t name, int domain, uint64_t until)
{
    char         text[260];
    torii_str_t  key;

    (void) snprintf(text, sizeof(text), "%s%.*s", domain ? "." : "",
                    name.len < 256 ? (int) name.len : 256, name.data);
    key = torii_str(text);

    acme_name_get(acme, key)->until = until;
}


uint64_t
acme_name_when(acme_t *acme, torii_str_t name, uint64_t now)
{
    char            text[260];
    uint64_t        when, t;
    torii_str_t     key;
    acme_bucket_t  *b;

    if (acme->names.n == 0 || name.len > 256) {
        return now;
    }

    when = now;
    b = acme_map_get(&acme->names, acme_engine_hash(acme, name));

    if (b != NULL) {
        when = acme_bucket_when(b, &acme_rate_failures, now);
    }

    (void) snprintf(text, sizeof(text), ".%.*s", torii_str_arg(name));
    key = torii_str(text);

    while (key.len) {
        b = acme_map_get(&acme->names, acme_engine_hash(acme, key));

        if (b != NULL) {
            t = acme_bucket_when(b, &acme_rate_failures, now);
            when = (t > when) ? t : when;
        }

        do {
            key.data++;
            key.len--;
        } while (key.len && key.data[0] != '.');
    }

    return when;
}


void
acme_name_sweep(acme_t *acme)
{
    uint32_t        i;
    acme_map_t      old;
    acme_bucket_t  *b;

    if (acme->names.n < 64 || acme->names.n < acme->swept * 2) {
        return;
    }

    old = acme->names;
    memset(&acme->names, 0, sizeof(acme_map_t));

    for (i = 0; i < old.size; i++) {
        b = old.values[i];

        if (b == NULL) {
            continue;
        }

        if (b->full <= acme->now && b->until <= acme->now) {
            free(b);

        } else {
            acme_map_set(&acme->names, old.keys[i], b);
        }
    }

    acme->swept = acme->names.n;
    acme_map_free(&old);
}


void
acme_name_shift(acme_t *acme, int64_t shift)
{
    uint32_t        i;
    acme_bucket_t  *b;

    for (i = 0; i < acme->names.size; i++) {
        b = acme->names.values[i];

        if (b != NULL) {
            b->full += b->full ? shift : 0;
            b->until += b->until ? shift : 0;
        }
    }
}


void
acme_bucket_free_all(acme_t *acme)
{
    uint32_t  i;

    for (i = 0; i < acme->names.size; i++) {
        free(acme->names.values[i]);
    }

    for (i = 0; i < acme->sets.size; i++) {
        free(acme->sets.values[i]);
    }

    acme_map_free(&acme->names);
    acme_map_free(&acme->sets);
}


/* What stands in quotes behind the words. */

static torii_str_t
acme_scope_quoted(const char *text)
{
    const char   *p, *last;
    torii_str_t   s;

    s = torii_str("");

    p = strpbrk(text, "\"'");
    if (p == NULL) {
        return s;
    }

    last = strchr(p + 1, *p);
    if (last == NULL || last - p > 255) {
        return s;
    }

    s.data = (unsigned char *) p + 1;
    s.len = last - p - 1;

    return s;
}


acme_scope_e
acme_scope(const acme_problem_t *problem, torii_str_t *name)
{
    const char                *p;
    const acme_scope_words_t  *w;

    *name = torii_str(problem->identifier);

    for (w = acme_scope_words; w->words != NULL; w++) {
        p = strstr(problem->text, w->words);

        if (p == NULL && strstr(problem->instance, w->words) == NULL) {
            continue;
        }

        if (w->quoted && name->len == 0 && p != NULL) {
            *name = acme_scope_quoted(p);
        }

        if (w->quoted && name->len == 0) {
            break;
        }

        return w->scope;
    }

    return ACME_SCOPE_ACCOUNT;
}
