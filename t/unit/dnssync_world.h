
/*
 * A zone in a few lines of text, what is wanted in a few others, and the plan
 * in between as text, too: a model of a server that holds an edit to what it
 * requires.
 *
 * zone:  "NAME TYPE VALUE|VALUE [ttl=N] [set=S] [tag=T] [opt=NAME:VALUE]"
 * want:  "NAME TYPE VALUE|VALUE RESOURCE [ttl=N] [created=N] [said] ..."
 * plan:  "create new app +A +TXT; ?foreign www"
 *
 * Names are relative to "a.test", "@" is that itself, "x.test." is absolute;
 * a type "*" is all types, a value "-" is none.
 */

#ifndef _DNSSYNC_WORLD_H_INCLUDED_
#define _DNSSYNC_WORLD_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>

#include "dnssync_source.h"
#include "tap.h"


#define WORLD_NOW     1795000000
#define WORLD_ZONE    "a.test"
#define WORLD_MARK    "heritage=torii,owner=me,types="
#define WORLD_EXT     "heritage=external-dns,external-dns/owner="


typedef struct {
    torii_arena_t        *a;
    dnssync_zone_t        zones[4];
    dnssync_provider_t    provider;
    dnssync_rrset_t      *sets;        /* of zones[0] */
    uint32_t              n;
    uint32_t              size;
    dnssync_endpoint_t   *wants;
    uint32_t              nwants;
    uint32_t              wants_size;
    dnssync_lookup_t      lookups[4];
    dnssync_adopt_t       adopt;
    dnssync_conf_t        conf;
    dnssync_source_t      source;
    dnssync_input_t       in;
    dnssync_gate_t       *gate;
    dnssync_plan_t        plan;
    torii_buf_t           text;
} world_t;


static inline void
world_start(world_t *w)
{
    memset(w, 0, sizeof(world_t));

    w->a = torii_arena_create(64 * 1024);
    w->gate = dnssync_gate_create();

    w->zones[0].id = torii_str("z");
    w->zones[0].name = torii_str(WORLD_ZONE);
    w->zones[0].state = DNSSYNC_ZONE_COMPLETE;
    w->zones[0].provider = &w->provider;
    w->zones[0].listed = WORLD_NOW;

    w->conf.registry.id = torii_str("me");
    w->conf.policy = DNSSYNC_SYNC;

    w->source.complete = 1;

    w->in.conf = &w->conf;
    w->in.source = &w->source;
    w->in.zones = w->zones;
    w->in.nzones = 1;
    w->in.lookups = w->lookups;
    w->in.now = WORLD_NOW;
}


static inline void
world_end(world_t *w)
{
    torii_arena_destroy(w->plan.arena);
    torii_arena_destroy(w->a);
    dnssync_gate_free(w->gate);
    torii_buf_free(&w->text);
    free(w->sets);
    free(w->wants);
}


static inline torii_str_t
world_name(world_t *w, torii_str_t s)
{
    if (torii_str_eqs(s, "@")) {
        return torii_str(WORLD_ZONE);
    }

    if (s.len && s.data[s.len - 1] == '.') {
        s.len--;
        return torii_arena_str(w->a, s);
    }

    return torii_arena_printf(w->a, "%.*s." WORLD_ZONE, torii_str_arg(s));
}


static inline unsigned
world_type(torii_str_t s)
{
    unsigned  i;

    static const struct {
        const char  *word;
        unsigned     type;
    } types[] = {
        { "A", DNSSYNC_A }, { "AAAA", DNSSYNC_AAAA },
        { "CNAME", DNSSYNC_CNAME }, { "TXT", DNSSYNC_TXT },
        { "NS", DNSSYNC_NS }, { "SOA", DNSSYNC_SOA }, { "MX", 15 }
    };

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (torii_str_eqs(s, types[i].word)) {
            return types[i].type;
        }
    }

    return 0;
}


static inline torii_str_t *
world_values(world_t *w, torii_str_t s, uint32_t *n)
{
    torii_str_t  *values, piece;

    values = torii_arena_alloc(w->a, 16 * sizeof(torii_str_t));

    for (*n = 0; *n < 16 && torii_str_next(&s, "|", &piece); /* void */) {
        if (!torii_str_eqs(piece, "-")) {
            values[(*n)++] = torii_arena_str(w->a, piece);
        }
    }

    return values;
}


static inline int
world_field(torii_str_t word, const char *key, torii_str_t *value)
{
    if (!torii_str_starts(word, key)) {
        return 0;
    }

    value->data = word.data + strlen(key);
    value->len = word.len - strlen(key);

    return 1;
}


static inline void
world_option(world_t *w, torii_str_t value, dnssync_option_t **options,
    uint32_t *n)
{
    torii_str_t  name;

    if (*options == NULL) {
        *options = torii_arena_alloc(w->a, 8 * sizeof(dnssync_option_t));
    }

    (void) torii_str_next(&value, ":", &name);

    (*options)[*n].name = torii_arena_str(w->a, name);
    (*options)[(*n)++].value = torii_arena_str(w->a, value);
}


static inline dnssync_rrset_t *
world_add(world_t *w)
{
    if (w->n == w->size) {
        w->size = w->size ? 2 * w->size : 64;
        w->sets = torii_realloc(w->sets, w->size * sizeof(dnssync_rrset_t));
    }

    memset(&w->sets[w->n], 0, sizeof(dnssync_rrset_t));

    return &w->sets[w->n++];
}


static inline void
world_record(world_t *w, torii_str_t line)
{
    uint64_t          ttl;
    torii_str_t       word, value;
    dnssync_rrset_t  *set;

    set = world_add(w);
    set->ttl = DNSSYNC_TTL_DEFAULT;

    (void) torii_str_next(&line, " ", &word);
    set->name = world_name(w, word);

    (void) torii_str_next(&line, " ", &word);
    set->type = world_type(word);

    (void) torii_str_next(&line, " ", &word);
    set->values = world_values(w, word, &set->n);

    while (torii_str_next(&line, " ", &word)) {

        if (world_field(word, "ttl=", &value)) {
            (void) torii_str_uint(value, UINT32_MAX, &ttl);
            set->ttl = (uint32_t) ttl;

        } else if (world_field(word, "set=", &value)) {
            set->set = torii_arena_str(w->a, value);

        } else if (world_field(word, "tag=", &value)) {
            set->tag = torii_arena_str(w->a, value);

        } else if (world_field(word, "opt=", &value)) {
            world_option(w, value, &set->options, &set->noptions);
        }
    }
}


static inline void
world_want(world_t *w, torii_str_t line)
{
    uint64_t             number;
    torii_str_t          word, value;
    dnssync_endpoint_t  *e;

    if (w->nwants == w->wants_size) {
        w->wants_size = w->wants_size ? 2 * w->wants_size : 64;
        w->wants = torii_realloc(w->wants, w->wants_size
                                           * sizeof(dnssync_endpoint_t));
    }

    e = &w->wants[w->nwants++];
    memset(e, 0, sizeof(dnssync_endpoint_t));

    (void) torii_str_next(&line, " ", &word);

    if (!torii_str_eqs(word, "-")) {
        e->name = world_name(w, word);
    }

    (void) torii_str_next(&line, " ", &word);
    e->type = world_type(word);

    (void) torii_str_next(&line, " ", &word);
    e->targets = world_values(w, word, &e->n);

    e->resource = torii_str("r");

    while (torii_str_next(&line, " ", &word)) {

        if (torii_str_eqs(word, "said")) {
            e->said = 1;

        } else if (world_field(word, "ttl=", &value)) {
            (void) torii_str_uint(value, UINT32_MAX, &number);
            e->ttl = (uint32_t) number;

        } else if (world_field(word, "created=", &value)) {
            (void) torii_str_uint(value, UINT32_MAX, &e->created);

        } else if (world_field(word, "set=", &value)) {
            e->set = torii_arena_str(w->a, value);

        } else if (world_field(word, "view=", &value)) {
            e->view = torii_arena_str(w->a, value);

        } else if (world_field(word, "zone=", &value)) {
            e->zone = torii_arena_str(w->a, value);

        } else if (world_field(word, "opt=", &value)) {
            world_option(w, value, &e->options, &e->noptions);

        } else {
            e->resource = torii_arena_str(w->a, word);
        }
    }
}


static inline void
world_lines(world_t *w, const char *text,
    void (*line)(world_t *w, torii_str_t line))
{
    torii_str_t  rest, piece;

    rest = torii_str(text);

    while (torii_str_next(&rest, ";", &piece)) {
        piece = torii_str_trim(piece);

        if (piece.len) {
            line(w, piece);
        }
    }
}


/* The zone, and what is wanted, anew. */

static inline void
world_zone(world_t *w, const char *text)
{
    w->n = 0;
    world_lines(w, text, world_record);
}


static inline void
world_wants(world_t *w, const char *text)
{
    w->nwants = 0;
    world_lines(w, text, world_want);
}


static inline int
world_plan(world_t *w)
{
    uint32_t  i;

    torii_arena_destroy(w->plan.arena);
    memset(&w->plan, 0, sizeof(dnssync_plan_t));

    w->plan.arena = torii_arena_create(64 * 1024);

    /* as it was listed, whatever becomes of it meanwhile */

    w->zones[0].n = w->n;
    w->zones[0].sets = torii_arena_alloc(w->plan.arena, (w->n + 1)
                                                   * sizeof(dnssync_rrset_t));
    for (i = 0; i < w->n; i++) {
        w->zones[0].sets[i] = w->sets[i];
    }

    w->source.endpoints = w->wants;
    w->source.n = w->nwants;

    return dnssync_plan(&w->plan, &w->in, w->gate);
}


static inline void
world_print_name(world_t *w, torii_str_t name)
{
    size_t  len;

    len = sizeof("." WORLD_ZONE) - 1;

    if (torii_str_eqs(name, WORLD_ZONE)) {
        name = torii_str("@");

    } else if (name.len > len
               && memcmp(name.data + name.len - len, "." WORLD_ZONE, len)
                  == 0)
    {
        name.len -= len;
    }

    torii_buf_printf(&w->text, " %.*s", torii_str_arg(name));
}


/* The plan as text, edits then findings. */

static inline const char *
world_text(world_t *w)
{
    uint32_t                i, k;
    const dnssync_edit_t   *e;
    const dnssync_part_t   *p;
    const dnssync_rrset_t  *set;

    static const char *const  whats[] = {
        "create", "change", "adopt", "lock", "delete"
    };

    w->text.len = 0;

    for (i = 0; i < w->plan.n; i++) {
        e = &w->plan.edits[i];
        torii_buf_printf(&w->text, "%s%s %s", w->text.len ? "; " : "",
                         whats[e->what], dnssync_why_word(e->why));
        world_print_name(w, e->name);

        for (k = 0; k < e->nparts; k++) {
            p = &e->parts[k];
            set = p->after ? p->after : p->before;
            torii_buf_printf(&w->text, " %c%s",
                             p->before == NULL ? '+'
                             : p->after == NULL ? '-' : '~',
                             set->type == DNSSYNC_TXT
                             ? "TXT" : dnssync_type_word(set->type));
        }
    }

    for (i = 0; i < w->plan.nfindings; i++) {
        torii_buf_printf(&w->text, "%s?%s", w->text.len ? "; " : "",
                         dnssync_why_word(w->plan.findings[i].why));

        if (w->plan.findings[i].name.len) {
            world_print_name(w, w->plan.findings[i].name);
        }
    }

    torii_buf_add(&w->text, "", 1);

    return (const char *) w->text.data;
}


static inline dnssync_rrset_t *
world_find(world_t *w, torii_str_t name, torii_str_t set, unsigned type)
{
    uint32_t  i;

    for (i = 0; i < w->n; i++) {
        if (w->sets[i].type == type && torii_str_eq(w->sets[i].name, name)
            && torii_str_eq(w->sets[i].set, set))
        {
            return &w->sets[i];
        }
    }

    return NULL;
}


static inline int
world_same(const dnssync_rrset_t *a, const dnssync_rrset_t *b)
{
    uint32_t  i, j;

    if (a == NULL || b == NULL || a->n != b->n) {
        return a == b;
    }

    for (i = 0; i < a->n; i++) {
        for (j = 0; j < b->n && !torii_str_eq(a->values[i], b->values[j]); j++)
        {
            /* void */
        }

        if (j == b->n) {
            return 0;
        }
    }

    return 1;
}


/* A copy that outlives the plan. */

static inline void
world_copy(world_t *w, dnssync_rrset_t *to, const dnssync_rrset_t *from)
{
    uint32_t           i;
    torii_str_t       *values;
    dnssync_option_t  *options;

    *to = *from;

    to->name = torii_arena_str(w->a, from->name);
    to->set = torii_arena_str(w->a, from->set);
    to->tag = torii_arena_str(w->a, from->tag);

    values = torii_arena_alloc(w->a, (from->n + 1) * sizeof(torii_str_t));

    for (i = 0; i < from->n; i++) {
        values[i] = torii_arena_str(w->a, from->values[i]);
    }

    options = torii_arena_alloc(w->a, (from->noptions + 1)
                                      * sizeof(dnssync_option_t));

    for (i = 0; i < from->noptions; i++) {
        options[i].name = torii_arena_str(w->a, from->options[i].name);
        options[i].value = torii_arena_str(w->a, from->options[i].value);
    }

    to->values = values;
    to->options = options;
}


/* Whether what an edit requires holds. */

static inline int
world_holds(world_t *w, const dnssync_edit_t *e)
{
    uint32_t                  i;
    const dnssync_require_t  *r;

    for (i = 0; i < e->nrequires; i++) {
        r = &e->requires[i];

        if (!world_same(world_find(w, r->name, r->set, r->type), r->equal)) {
            return 0;
        }
    }

    return 1;
}


/* All edits, none of which touches what another does.  How many failed. */

static inline uint32_t
world_apply(world_t *w)
{
    uint32_t                i, k, n, failed;
    dnssync_rrset_t        *listed;
    const dnssync_edit_t   *e;
    const dnssync_part_t   *part;

    failed = 0;
    listed = w->zones[0].sets;

    for (i = 0; i < w->plan.n; i++) {
        e = &w->plan.edits[i];

        if (!world_holds(w, e)) {
            dnssync_gate_failed(w->gate, e, w->in.now);
            failed++;
            continue;
        }

        dnssync_gate_applied(w->gate, e, w->in.now);

        for (k = 0; k < e->nparts; k++) {
            part = &e->parts[k];

            if (part->after == NULL) {
                w->sets[part->before - listed].type = 0;   /* swept below */

            } else {
                world_copy(w, part->before ? &w->sets[part->before - listed]
                                           : world_add(w), part->after);
            }
        }
    }

    for (i = 0, n = 0; i < w->n; i++) {
        if (w->sets[i].type) {
            w->sets[n++] = w->sets[i];
        }
    }

    w->n = n;

    return failed;
}


#endif /* _DNSSYNC_WORLD_H_INCLUDED_ */
