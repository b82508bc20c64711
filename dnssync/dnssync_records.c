
/*
 * Records and sets in arrays, and two open hash tables over them: whatever a
 * zone holds, each record costs the same.  The tables' seed is random, for who
 * writes records might choose names that collide.
 */

#include <stdlib.h>

#include <openssl/rand.h>

#include "dnssync_records.h"


#define DNSSYNC_RECORDS_MIN  64


typedef struct {
    torii_str_t       name;
    uint64_t          hash;
    unsigned          type;
    uint32_t          ttl;
    uint32_t          first;           /* its records, plus one; 0: none */
    uint32_t          last;
    uint32_t          n;               /* those that are not gone */
} dnssync_records_set_t;

typedef struct {
    torii_str_t       value;
    torii_str_t       raw;             /* data, when the value does not tell */
    uint64_t          hash;
    uint32_t          set;
    uint32_t          next;            /* of the set, plus one */
    unsigned          gone:1;
} dnssync_records_one_t;

/* Numbers of entries, plus one. */

typedef struct {
    uint32_t         *slots;
    uint32_t          mask;            /* of slots; 0: none yet */
} dnssync_records_table_t;

struct dnssync_records_s {
    torii_arena_t            *arena;
    uint64_t                  seed;

    dnssync_records_set_t    *sets;
    uint32_t                  nsets;
    uint32_t                  sets_size;
    dnssync_records_one_t    *ones;
    uint32_t                  nones;
    uint32_t                  ones_size;

    dnssync_records_table_t   by_name;
    dnssync_records_table_t   by_value;

    torii_buf_t               value;   /* of the record at hand */
    torii_buf_t               raw;
};


static int dnssync_records_read(dnssync_records_t *r,
    const dnssync_reader_t *in, const dnssync_record_t *record,
    torii_str_t *name, char text[DNSSYNC_TEXT_MAX]);
static int dnssync_records_put(dnssync_records_t *r, torii_str_t name,
    unsigned type, uint32_t ttl);
static uint32_t dnssync_records_set(dnssync_records_t *r, torii_str_t name,
    unsigned type, int make);
static uint32_t dnssync_records_find(dnssync_records_t *r, uint32_t set,
    uint64_t hash);
static void dnssync_records_new(dnssync_records_t *r, uint32_t set,
    uint64_t hash);
static uint64_t dnssync_records_hash(const dnssync_records_t *r,
    uint32_t set);
static void dnssync_records_slot(dnssync_records_table_t *t, uint64_t hash,
    uint32_t entry);
static int dnssync_records_full(dnssync_records_table_t *t, uint32_t n);
static void dnssync_records_id(const dnssync_records_t *r,
    const dnssync_records_set_t *set, torii_arena_t *arena, torii_str_t *id);


static torii_str_t
dnssync_records_str(const torii_buf_t *b)
{
    torii_str_t  s;

    s.data = b->data;
    s.len = b->len;

    return s;
}


dnssync_records_t *
dnssync_records_create(torii_arena_t *arena)
{
    dnssync_records_t  *r;

    r = torii_zalloc(sizeof(dnssync_records_t));
    r->arena = arena;

    (void) RAND_bytes((unsigned char *) &r->seed, sizeof(r->seed));

    return r;
}


void
dnssync_records_free(dnssync_records_t *r)
{
    if (r == NULL) {
        return;
    }

    torii_buf_free(&r->value);
    torii_buf_free(&r->raw);
    free(r->by_name.slots);
    free(r->by_value.slots);
    free(r->sets);
    free(r->ones);
    free(r);
}


int
dnssync_records_known(dnssync_records_t *r, const dnssync_rrset_t *sets,
    uint32_t n)
{
    uint32_t     i, k;
    torii_str_t  rest, word;

    for (i = 0; i < n; i++) {
        rest = sets[i].id;

        for (k = 0; k < sets[i].n; k++) {
            r->value.len = 0;
            r->raw.len = 0;
            torii_buf_add_str(&r->value, sets[i].values[k]);

            word.len = 0;

            if (sets[i].id.len && !torii_str_next(&rest, " ", &word)) {
                return TORII_ERROR;
            }

            if (word.len && !torii_str_eqs(word, "-")
                && dnssync_rdata_unhex(&r->raw, word) != TORII_OK)
            {
                return TORII_ERROR;
            }

            if (dnssync_records_put(r, sets[i].name, sets[i].type,
                                    sets[i].ttl) != TORII_OK)
            {
                return TORII_ERROR;
            }
        }
    }

    return TORII_OK;
}


int
dnssync_records_add(dnssync_records_t *r, const dnssync_reader_t *in,
    const dnssync_record_t *record)
{
    char         text[DNSSYNC_TEXT_MAX];
    torii_str_t  name;

    if (dnssync_records_read(r, in, record, &name, text) != TORII_OK) {
        return TORII_ERROR;
    }

    return dnssync_records_put(r, name, record->type, record->ttl);
}


int
dnssync_records_remove(dnssync_records_t *r, const dnssync_reader_t *in,
    const dnssync_record_t *record)
{
    char                    text[DNSSYNC_TEXT_MAX];
    uint32_t                set, one;
    torii_str_t             name;
    dnssync_records_one_t  *found;

    if (dnssync_records_read(r, in, record, &name, text) != TORII_OK) {
        return TORII_ERROR;
    }

    set = dnssync_records_set(r, name, record->type, 0);
    if (set == 0) {
        return TORII_DECLINED;
    }

    one = dnssync_records_find(r, set - 1, dnssync_records_hash(r, set - 1));
    if (one == 0) {
        return TORII_DECLINED;
    }

    found = &r->ones[one - 1];

    if (found->gone) {
        return TORII_DECLINED;
    }

    found->gone = 1;
    r->sets[set - 1].n--;

    return TORII_OK;
}


static int
dnssync_records_read(dnssync_records_t *r, const dnssync_reader_t *in,
    const dnssync_record_t *record, torii_str_t *name,
    char text[DNSSYNC_TEXT_MAX])
{
    r->value.len = 0;
    r->raw.len = 0;

    switch (dnssync_rdata_read(&r->value, in, record)) {

    case TORII_OK:
        break;

    case TORII_DECLINED:
        torii_buf_add_str(&r->raw, record->data);
        break;

    default:
        return TORII_ERROR;
    }

    dnssync_name_text(&record->name, text);
    *name = torii_str(text);

    return TORII_OK;
}


/* The record in value and raw. */

static int
dnssync_records_put(dnssync_records_t *r, torii_str_t name, unsigned type,
    uint32_t ttl)
{
    uint32_t                set, one;
    uint64_t                hash;
    dnssync_records_set_t  *s;

    set = dnssync_records_set(r, name, type, 1) - 1;
    hash = dnssync_records_hash(r, set);

    s = &r->sets[set];
    s->ttl = ttl;

    one = dnssync_records_find(r, set, hash);

    if (one) {
        s->n += r->ones[one - 1].gone;
        r->ones[one - 1].gone = 0;
        return TORII_OK;
    }

    if (r->nones == DNSSYNC_RECORDS_MAX) {
        return TORII_ERROR;
    }

    dnssync_records_new(r, set, hash);

    return TORII_OK;
}


/* Its number plus one, or 0. */

static uint32_t
dnssync_records_set(dnssync_records_t *r, torii_str_t name, unsigned type,
    int make)
{
    uint32_t                  i, entry;
    uint64_t                  hash;
    dnssync_records_set_t    *s;
    dnssync_records_table_t  *t;

    t = &r->by_name;
    hash = torii_hash(name.data, name.len, r->seed + type);

    if (t->mask) {
        for (i = hash & t->mask; (entry = t->slots[i]) != 0;
             i = (i + 1) & t->mask)
        {
            s = &r->sets[entry - 1];

            if (s->hash == hash && s->type == type
                && torii_str_eq(s->name, name))
            {
                return entry;
            }
        }
    }

    if (!make) {
        return 0;
    }

    if (r->nsets == r->sets_size) {
        r->sets_size = r->sets_size ? 2 * r->sets_size : DNSSYNC_RECORDS_MIN;
        r->sets = torii_realloc(r->sets, r->sets_size
                                         * sizeof(dnssync_records_set_t));
    }

    s = &r->sets[r->nsets++];
    memset(s, 0, sizeof(dnssync_records_set_t));

    s->name = torii_arena_str(r->arena, name);
    s->hash = hash;
    s->type = type;

    if (dnssync_records_full(t, r->nsets)) {
        for (i = 0; i < r->nsets - 1; i++) {
            dnssync_records_slot(t, r->sets[i].hash, i + 1);
        }
    }

    dnssync_records_slot(t, hash, r->nsets);

    return r->nsets;
}


static uint64_t
dnssync_records_hash(const dnssync_records_t *r, uint32_t set)
{
    const torii_buf_t  *b;

    b = r->raw.len ? &r->raw : &r->value;

    return torii_hash(b->len ? b->data : (unsigned char *) "", b->len,
                      r->sets[set].hash + (r->raw.len != 0));
}


static uint32_t
dnssync_records_find(dnssync_records_t *r, uint32_t set, uint64_t hash)
{
    uint32_t                  i, entry;
    torii_str_t               value, raw;
    dnssync_records_one_t    *one;
    dnssync_records_table_t  *t;

    t = &r->by_value;

    if (t->mask == 0) {
        return 0;
    }

    value = dnssync_records_str(&r->value);
    raw = dnssync_records_str(&r->raw);

    for (i = hash & t->mask; (entry = t->slots[i]) != 0;
         i = (i + 1) & t->mask)
    {
        one = &r->ones[entry - 1];

        if (one->hash == hash && one->set == set
            && torii_str_eq(one->value, value) && torii_str_eq(one->raw, raw))
        {
            return entry;
        }
    }

    return 0;
}


static void
dnssync_records_new(dnssync_records_t *r, uint32_t set, uint64_t hash)
{
    uint32_t                i;
    dnssync_records_one_t  *one;
    dnssync_records_set_t  *s;

    if (r->nones == r->ones_size) {
        r->ones_size = r->ones_size ? 2 * r->ones_size : DNSSYNC_RECORDS_MIN;
        r->ones = torii_realloc(r->ones, r->ones_size
                                         * sizeof(dnssync_records_one_t));
    }

    one = &r->ones[r->nones++];
    memset(one, 0, sizeof(dnssync_records_one_t));

    one->value = torii_arena_str(r->arena, dnssync_records_str(&r->value));
    one->hash = hash;
    one->set = set;

    if (r->raw.len) {
        one->raw = torii_arena_str(r->arena, dnssync_records_str(&r->raw));
    }

    s = &r->sets[set];
    s->n++;

    if (s->first) {
        r->ones[s->last - 1].next = r->nones;

    } else {
        s->first = r->nones;
    }

    s->last = r->nones;

    if (dnssync_records_full(&r->by_value, r->nones)) {
        for (i = 0; i < r->nones - 1; i++) {
            dnssync_records_slot(&r->by_value, r->ones[i].hash, i + 1);
        }
    }

    dnssync_records_slot(&r->by_value, hash, r->nones);
}


static void
dnssync_records_slot(dnssync_records_table_t *t, uint64_t hash, uint32_t entry)
{
    uint32_t  i;

    for (i = hash & t->mask; t->slots[i] != 0; i = (i + 1) & t->mask) {
        /* void */
    }

    t->slots[i] = entry;
}


/* At most half of the slots are taken.  1: all are free, fill them anew. */

static int
dnssync_records_full(dnssync_records_table_t *t, uint32_t n)
{
    uint32_t  size;

    size = t->mask ? t->mask + 1 : DNSSYNC_RECORDS_MIN;

    if (t->mask && n <= size / 2) {
        return 0;
    }

    if (t->mask) {
        size *= 2;
    }

    free(t->slots);

    t->slots = torii_zalloc(size * sizeof(uint32_t));
    t->mask = size - 1;

    return 1;
}


void
dnssync_records_sets(const dnssync_records_t *r, torii_arena_t *arena,
    dnssync_rrset_t **sets, uint32_t *n)
{
    uint32_t                      i, k, live, of;
    torii_str_t                  *values;
    dnssync_rrset_t              *set;
    const dnssync_records_set_t  *s;

    for (i = 0, live = 0, of = 0; i < r->nsets; i++) {
        live += (r->sets[i].n != 0);
        of += r->sets[i].n;
    }

    set = torii_arena_zalloc(arena, (live + 1) * sizeof(dnssync_rrset_t));
    values = torii_arena_alloc(arena, (of + 1) * sizeof(torii_str_t));

    *sets = set;
    *n = live;

    for (i = 0; i < r->nsets; i++) {
        s = &r->sets[i];

        if (s->n == 0) {
            continue;
        }

        set->name = s->name;
        set->type = s->type;
        set->ttl = s->ttl;
        set->values = values;

        dnssync_records_id(r, s, arena, &set->id);

        for (k = s->first; k != 0; k = r->ones[k - 1].next) {
            if (!r->ones[k - 1].gone) {
                *values++ = r->ones[k - 1].value;
                set->n++;
            }
        }

        set++;
    }
}


static void
dnssync_records_id(const dnssync_records_t *r,
    const dnssync_records_set_t *set, torii_arena_t *arena, torii_str_t *id)
{
    uint32_t     k, raw;
    torii_buf_t  b;

    for (k = set->first, raw = 0; k != 0; k = r->ones[k - 1].next) {
        raw += (!r->ones[k - 1].gone && r->ones[k - 1].raw.len);
    }

    if (raw == 0) {
        *id = torii_str("");
        return;
    }

    memset(&b, 0, sizeof(torii_buf_t));

    for (k = set->first; k != 0; k = r->ones[k - 1].next) {

        if (r->ones[k - 1].gone) {
            continue;
        }

        torii_buf_adds(&b, b.len ? " " : "");

        if (r->ones[k - 1].raw.len) {
            dnssync_rdata_hex(&b, r->ones[k - 1].raw);

        } else {
            torii_buf_adds(&b, "-");
        }
    }

    *id = torii_arena_str(arena, dnssync_records_str(&b));
    torii_buf_free(&b);
}
