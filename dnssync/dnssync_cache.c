
/*
 * The state as files, one of each account and one of each zone: lines of words
 * between tabs, "%2F" for a byte that could be taken for something else, and a
 * checksum of all that in front.  It is a hint: a zone's contents count after
 * the provider was asked whether they are still the same.
 */

#include <stdio.h>
#include <stdlib.h>

#include "dnssync_work.h"


#define DNSSYNC_CACHE_HEAD   "torii-dns 1 "
#define DNSSYNC_CACHE_SUM    16        /* hexadecimal digits */
#define DNSSYNC_CACHE_START  (sizeof(DNSSYNC_CACHE_HEAD) + DNSSYNC_CACHE_SUM)
#define DNSSYNC_CACHE_MAX    (64 * 1024 * 1024)
#define DNSSYNC_CACHE_GAP    (30 * DNSSYNC_SECOND_MS)
#define DNSSYNC_CACHE_SETS   1000000


static int dnssync_cache_saves(dnssync_engine_t *e, dnssync_action_t *action);
static int dnssync_cache_agent_save(dnssync_engine_t *e, dnssync_agent_t *a);
static void dnssync_cache_domain_save(dnssync_engine_t *e,
    dnssync_domain_t *d);
static void dnssync_cache_set(torii_buf_t *b, const dnssync_rrset_t *set);
static void dnssync_cache_start(torii_buf_t *b);
static void dnssync_cache_sum(torii_buf_t *b);
static void dnssync_cache_name(char name[40], torii_str_t id, char kind);
static void dnssync_cache_word(torii_buf_t *b, torii_str_t s);
static torii_str_t dnssync_cache_take(dnssync_engine_t *e, torii_str_t id,
    char kind);
static int dnssync_cache_read(torii_arena_t *arena, torii_str_t *line,
    torii_str_t *word);
static int dnssync_cache_number(torii_str_t *line, uint64_t max,
    uint64_t *value);
static int dnssync_cache_sets(dnssync_domain_t *d, torii_str_t *text);
static int dnssync_cache_set_read(torii_arena_t *arena, torii_str_t *line,
    dnssync_rrset_t *set);
static int dnssync_cache_hex(unsigned char c);


static const char  dnssync_hex[] = "0123456789ABCDEF";


int
dnssync_cache_next(dnssync_engine_t *e, dnssync_action_t *action)
{
    dnssync_file_t  *file;

    torii_buf_free(&e->buf);

    file = e->removed;

    if (file != NULL) {
        e->removed = file->next;
        memcpy(e->name, file->name, sizeof(e->name));
        free(file);

    } else if (!e->leads || dnssync_cache_saves(e, action) != TORII_OK) {
        return TORII_DECLINED;
    }

    action->what = DNSSYNC_DO_SAVE;
    action->name = torii_str(e->name);
    action->data.data = e->buf.data;
    action->data.len = e->buf.len;

    return TORII_OK;
}


/* TORII_OK: one of them is in e->buf. */

static int
dnssync_cache_saves(dnssync_engine_t *e, dnssync_action_t *action)
{
    uint32_t           i, k;
    dnssync_agent_t   *a;
    dnssync_domain_t  *d;

    for (i = 0; i < e->nagents; i++) {
        a = e->agents[i];

        if (a->dirty && dnssync_engine_due(e, &a->saved, DNSSYNC_CACHE_GAP)) {
            a->dirty = 0;

            if (dnssync_cache_agent_save(e, a) == TORII_OK) {
                return TORII_OK;
            }
        }

        for (k = 0; k < a->ndomains; k++) {
            d = a->domains[k];

            if (d->save
                && dnssync_engine_due(e, &d->saved, DNSSYNC_CACHE_GAP))
            {
                d->save = 0;
                dnssync_cache_domain_save(e, d);
                return TORII_OK;
            }
        }
    }

    return TORII_DECLINED;
}


/* TORII_DECLINED: it is as it was. */

static int
dnssync_cache_agent_save(dnssync_engine_t *e, dnssync_agent_t *a)
{
    uint64_t      hash;
    torii_buf_t  *b;

    b = &e->buf;

    dnssync_cache_start(b);
    dnssync_cache_word(b, a->account->name);
    torii_buf_printf(b, "\t%s\t%u\n", a->account->driver->name,
                     a->rate.factor);
    dnssync_gate_save(a->gate, b);

    hash = torii_hash(b->data + DNSSYNC_CACHE_START,
                      b->len - DNSSYNC_CACHE_START, 0);

    if (hash == a->hash) {
        torii_buf_free(b);
        return TORII_DECLINED;
    }

    dnssync_cache_sum(b);
    dnssync_cache_name(e->name, a->account->name, 'a');

    a->hash = hash;
    a->saved = e->now + DNSSYNC_CACHE_GAP;

    return TORII_OK;
}


static void
dnssync_cache_domain_save(dnssync_engine_t *e, dnssync_domain_t *d)
{
    uint32_t      i;
    torii_buf_t  *b;

    b = &e->buf;

    dnssync_cache_start(b);
    dnssync_cache_word(b, d->zone.id);
    torii_buf_adds(b, "\t");
    dnssync_cache_word(b, d->zone.name);
    torii_buf_adds(b, "\t");
    dnssync_cache_word(b, d->version);
    torii_buf_printf(b, "\t%llu\t%u\t%u\n",
                     (unsigned long long) d->zone.listed, d->owned,
                     d->zone.n);

    for (i = 0; i < d->zone.n; i++) {
        dnssync_cache_set(b, &d->zone.sets[i]);
    }

    dnssync_cache_sum(b);
    dnssync_cache_name(e->name, d->zone.id, 'z');

    d->saved = e->now + DNSSYNC_CACHE_GAP;
}


static void
dnssync_cache_set(torii_buf_t *b, const dnssync_rrset_t *set)
{
    uint32_t  i;

    dnssync_cache_word(b, set->name);
    torii_buf_printf(b, "\t%u\t%u\t", set->type, set->ttl);
    dnssync_cache_word(b, set->set);
    torii_buf_adds(b, "\t");
    dnssync_cache_word(b, set->id);
    torii_buf_adds(b, "\t");
    dnssync_cache_word(b, set->tag);
    torii_buf_printf(b, "\t%u\t%u", set->n, set->noptions);

    for (i = 0; i < set->n; i++) {
        torii_buf_adds(b, "\t");
        dnssync_cache_word(b, set->values[i]);
    }

    for (i = 0; i < set->noptions; i++) {
        torii_buf_adds(b, "\t");
        dnssync_cache_word(b, set->options[i].name);
        torii_buf_adds(b, "\t");
        dnssync_cache_word(b, set->options[i].value);
    }

    torii_buf_adds(b, "\n");
}


static void
dnssync_cache_start(torii_buf_t *b)
{
    torii_buf_printf(b, DNSSYNC_CACHE_HEAD "%016llx\n", 0ULL);
}


static void
dnssync_cache_sum(torii_buf_t *b)
{
    char      sum[DNSSYNC_CACHE_SUM + 1];
    uint64_t  hash;

    hash = torii_hash(b->data + DNSSYNC_CACHE_START,
                      b->len - DNSSYNC_CACHE_START, 0);

    (void) snprintf(sum, sizeof(sum), "%016llx", (unsigned long long) hash);

    memcpy(b->data + sizeof(DNSSYNC_CACHE_HEAD) - 1, sum, DNSSYNC_CACHE_SUM);
}


static void
dnssync_cache_name(char name[40], torii_str_t id, char kind)
{
    (void) snprintf(name, 40, "%s-%016llx",
                    kind == 'a' ? "account" : "zone",
                    (unsigned long long) torii_hash(id.data, id.len, 0));
}


static void
dnssync_cache_word(torii_buf_t *b, torii_str_t s)
{
    size_t          i, from;
    unsigned char   c, escape[3];

    for (i = 0, from = 0; i < s.len; i++) {
        c = s.data[i];

        if (c > ' ' && c != '%' && c < 0x7f) {
            continue;
        }

        if (i > from) {
            torii_buf_add(b, s.data + from, i - from);
        }

        escape[0] = '%';
        escape[1] = dnssync_hex[c >> 4];
        escape[2] = dnssync_hex[c & 15];

        torii_buf_add(b, escape, sizeof(escape));
        from = i + 1;
    }

    if (i > from) {
        torii_buf_add(b, s.data + from, i - from);
    }
}


int
dnssync_engine_load(dnssync_engine_t *e, torii_str_t name, torii_str_t data)
{
    char             sum[DNSSYNC_CACHE_SUM + 1];
    torii_str_t      body;
    dnssync_file_t  *file;

    if (name.len >= sizeof(file->name) || data.len > DNSSYNC_CACHE_MAX
        || data.len < DNSSYNC_CACHE_START
        || !torii_str_starts(data, DNSSYNC_CACHE_HEAD))
    {
        return TORII_DECLINED;
    }

    body.data = data.data + DNSSYNC_CACHE_START;
    body.len = data.len - DNSSYNC_CACHE_START;

    (void) snprintf(sum, sizeof(sum), "%016llx",
                    (unsigned long long) torii_hash(body.data, body.len, 0));

    if (memcmp(data.data + sizeof(DNSSYNC_CACHE_HEAD) - 1, sum,
               DNSSYNC_CACHE_SUM)
        != 0 || body.data[-1] != '\n')
    {
        return TORII_DECLINED;
    }

    file = torii_zalloc(sizeof(dnssync_file_t));

    memcpy(file->name, name.data, name.len);
    file->data.len = body.len;
    file->data.data = torii_malloc(body.len + 1);
    memcpy(file->data.data, body.data, body.len);

    file->next = e->files;
    e->files = file;

    return TORII_OK;
}


/* The caller frees what it is given; NULL: there is none. */

static torii_str_t
dnssync_cache_take(dnssync_engine_t *e, torii_str_t id, char kind)
{
    char             name[40];
    torii_str_t      data;
    dnssync_file_t  *file, **p;

    dnssync_cache_name(name, id, kind);

    memset(&data, 0, sizeof(torii_str_t));

    for (p = &e->files; *p != NULL; p = &(*p)->next) {

        if (strcmp((*p)->name, name) == 0) {
            file = *p;
            *p = file->next;
            data = file->data;
            free(file);
            break;
        }
    }

    return data;
}


void
dnssync_cache_agent(dnssync_engine_t *e, dnssync_agent_t *a)
{
    char            why[192];
    uint64_t        factor;
    torii_str_t     data, rest, line, name, driver;
    torii_arena_t  *arena;

    data = dnssync_cache_take(e, a->account->name, 'a');

    if (data.data == NULL) {
        return;
    }

    rest = data;
    arena = torii_arena_create(1024);

    (void) torii_str_next(&rest, "\n", &line);

    if (dnssync_cache_read(arena, &line, &name) == TORII_OK
        && dnssync_cache_read(arena, &line, &driver) == TORII_OK
        && dnssync_cache_number(&line, DNSSYNC_RATE_WHOLE, &factor)
           == TORII_OK
        && torii_str_eq(name, a->account->name)
        && torii_str_eqs(driver, a->account->driver->name)
        && factor >= DNSSYNC_RATE_LEAST
        && dnssync_gate_load(a->gate, rest, why) == TORII_OK)
    {
        a->rate.factor = (uint32_t) factor;
    }

    torii_arena_destroy(arena);
    free(data.data);
}


void
dnssync_cache_domain(dnssync_engine_t *e, dnssync_domain_t *d)
{
    torii_str_t  data, rest;

    data = dnssync_cache_take(e, d->zone.id, 'z');

    if (data.data == NULL) {
        return;
    }

    rest = data;
    d->arena = torii_arena_create(1024);

    if (dnssync_cache_sets(d, &rest) == TORII_OK) {
        d->hash = dnssync_sets_hash(d->zone.sets, d->zone.n);
        d->cached = 1;

    } else {
        torii_arena_destroy(d->arena);

        d->arena = NULL;
        d->version.len = 0;
        d->owned = 0;
        d->zone.sets = NULL;
        d->zone.n = 0;
    }

    free(data.data);
}


static int
dnssync_cache_sets(dnssync_domain_t *d, torii_str_t *text)
{
    uint32_t          i;
    uint64_t          listed, owned, n;
    torii_str_t       line, id, name;
    torii_arena_t    *temp;
    dnssync_rrset_t  *sets;

    temp = torii_arena_create(64 * 1024);

    (void) torii_str_next(text, "\n", &line);

    if (dnssync_cache_read(temp, &line, &id) != TORII_OK
        || dnssync_cache_read(temp, &line, &name) != TORII_OK
        || dnssync_cache_read(d->arena, &line, &d->version) != TORII_OK
        || dnssync_cache_number(&line, INT64_MAX, &listed) != TORII_OK
        || dnssync_cache_number(&line, UINT32_MAX, &owned) != TORII_OK
        || dnssync_cache_number(&line, DNSSYNC_CACHE_SETS, &n) != TORII_OK
        || n > text->len
        || !torii_str_eq(id, d->zone.id)
        || !torii_str_eq(name, d->zone.name))
    {
        goto failed;
    }

    sets = torii_arena_zalloc(temp, (n + 1) * sizeof(dnssync_rrset_t));

    for (i = 0; i < n; i++) {
        if (!torii_str_next(text, "\n", &line)
            || dnssync_cache_set_read(temp, &line, &sets[i]) != TORII_OK)
        {
            goto failed;
        }
    }

    d->zone.sets = torii_arena_alloc(d->arena, (n + 1)
                                               * sizeof(dnssync_rrset_t));
    d->zone.n = (uint32_t) n;
    d->owned = (uint32_t) owned;

    dnssync_sets_copy(d->arena, d->zone.sets, sets, d->zone.n);
    torii_arena_destroy(temp);

    return TORII_OK;

failed:

    torii_arena_destroy(temp);

    return TORII_ERROR;
}


static int
dnssync_cache_set_read(torii_arena_t *arena, torii_str_t *line,
    dnssync_rrset_t *set)
{
    uint32_t  i;
    uint64_t  type, ttl, n, noptions;

    if (dnssync_cache_read(arena, line, &set->name) != TORII_OK
        || dnssync_cache_number(line, UINT16_MAX, &type) != TORII_OK
        || dnssync_cache_number(line, UINT32_MAX, &ttl) != TORII_OK
        || dnssync_cache_read(arena, line, &set->set) != TORII_OK
        || dnssync_cache_read(arena, line, &set->id) != TORII_OK
        || dnssync_cache_read(arena, line, &set->tag) != TORII_OK
        || dnssync_cache_number(line, UINT16_MAX, &n) != TORII_OK
        || dnssync_cache_number(line, UINT16_MAX, &noptions) != TORII_OK
        || n + noptions > line->len + 1)
    {
        return TORII_ERROR;
    }

    set->type = (unsigned) type;
    set->ttl = (uint32_t) ttl;
    set->n = (uint32_t) n;
    set->noptions = (uint32_t) noptions;
    set->values = torii_arena_alloc(arena, (n + 1) * sizeof(torii_str_t));
    set->options = torii_arena_alloc(arena, (noptions + 1)
                                            * sizeof(dnssync_option_t));

    for (i = 0; i < n; i++) {
        if (dnssync_cache_read(arena, line, &set->values[i]) != TORII_OK) {
            return TORII_ERROR;
        }
    }

    for (i = 0; i < noptions; i++) {
        if (dnssync_cache_read(arena, line, &set->options[i].name) != TORII_OK
            || dnssync_cache_read(arena, line, &set->options[i].value)
               != TORII_OK)
        {
            return TORII_ERROR;
        }
    }

    return TORII_OK;
}


static int
dnssync_cache_read(torii_arena_t *arena, torii_str_t *line, torii_str_t *word)
{
    int          high, low;
    size_t       i;
    torii_str_t  piece;

    if (!torii_str_next(line, "\t", &piece)) {
        return TORII_ERROR;
    }

    word->data = torii_arena_alloc(arena, piece.len + 1);
    word->len = 0;

    for (i = 0; i < piece.len; i++) {

        if (piece.data[i] != '%') {
            word->data[word->len++] = piece.data[i];
            continue;
        }

        if (i + 2 >= piece.len) {
            return TORII_ERROR;
        }

        high = dnssync_cache_hex(piece.data[++i]);
        low = dnssync_cache_hex(piece.data[++i]);

        if (high < 0 || low < 0) {
            return TORII_ERROR;
        }

        word->data[word->len++] = (unsigned char) (high << 4 | low);
    }

    return TORII_OK;
}


static int
dnssync_cache_number(torii_str_t *line, uint64_t max, uint64_t *value)
{
    torii_str_t  piece;

    return torii_str_next(line, "\t", &piece)
           ? torii_str_uint(piece, max, value) : TORII_ERROR;
}


static int
dnssync_cache_hex(unsigned char c)
{
    const char  *p;

    p = (c != '\0') ? strchr(dnssync_hex, c) : NULL;

    return p ? (int) (p - dnssync_hex) : -1;
}


void
dnssync_cache_remove(dnssync_engine_t *e, torii_str_t id, char kind)
{
    dnssync_file_t  *file;

    file = torii_zalloc(sizeof(dnssync_file_t));

    dnssync_cache_name(file->name, id, kind);

    file->next = e->removed;
    e->removed = file;
    e->wake = 0;
}


void
dnssync_cache_free(dnssync_engine_t *e)
{
    dnssync_file_t  *file;

    while (e->files != NULL) {
        file = e->files;
        e->files = file->next;
        free(file->data.data);
        free(file);
    }

    while (e->removed != NULL) {
        file = e->removed;
        e->removed = file->next;
        free(file);
    }

    torii_buf_free(&e->buf);
}
