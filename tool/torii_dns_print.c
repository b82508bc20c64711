
/*
 * What is planned: the records of each host as they are and as they will be,
 * and in words why; what is held and what cannot be.
 */

#include "torii_dns.h"


typedef struct {
    const char           *mark;
    const char           *verb;
} torii_dns_verb_t;

typedef struct {
    const char           *word;
    const char           *text;
} torii_dns_word_t;


static int torii_dns_edit(void *data, torii_str_t account,
    const dnssync_edit_t *edit);
static void torii_dns_edit_text(torii_dns_print_t *p, torii_str_t account,
    const dnssync_edit_t *edit);
static void torii_dns_edit_json(torii_dns_print_t *p, torii_str_t account,
    const dnssync_edit_t *edit);
static void torii_dns_part(torii_buf_t *b, const dnssync_part_t *part);
static void torii_dns_set(torii_buf_t *b, const dnssync_rrset_t *set);
static void torii_dns_set_json(torii_buf_t *b, const char *key,
    const dnssync_rrset_t *set);
static void torii_dns_type(torii_buf_t *b, unsigned type);
static void torii_dns_value(torii_buf_t *b, unsigned type, torii_str_t value);
static int torii_dns_equal(const dnssync_rrset_t *a,
    const dnssync_rrset_t *b);
static void torii_dns_notice(torii_dns_print_t *p,
    const dnssync_notice_t *notice, uint32_t n);
static const torii_dns_word_t *torii_dns_word(const torii_dns_word_t *words,
    const char *word);
static void torii_dns_key(torii_buf_t *b, const char *key, torii_str_t value);


static const torii_dns_verb_t  torii_dns_verbs[] = {
    { "+", "create" },
    { "~", "change" },
    { "~", "adopt" },
    { "~", "lock" },
    { "-", "delete" }
};

static const torii_dns_word_t  torii_dns_reasons[] = {
    { "new", "it is not there yet" },
    { "targets", "it points elsewhere" },
    { "ttl", "it has another TTL" },
    { "options", "the provider's options differ" },
    { "types", "it has other types of records" },
    { "mark", "the mark of its owner is missing, or says something else" },
    { "gone", "no object wants it any more" },
    { "orphan", "there is a mark, and no host" },
    { "adopt", "it is taken over" },
    { "lock", "it tells others who writes here" },
    { NULL, "" }
};

/* deletions that have to wait */

static const torii_dns_word_t  torii_dns_helds[] = {
    { "policy", "the policy" },
    { "incomplete", "objects that cannot be read" },
    { "empty", "a zone without any host" },
    { "stale", "an old listing" },
    { "writers", "another writer" },
    { "leader", "a new leader" },
    { "unconfirmed", "the delay" },
    { "brake", "the brake" },
    { NULL, NULL }
};

/* what makes a plan worth nothing */

static const torii_dns_word_t  torii_dns_errors[] = {
    { "down", NULL },
    { "throttled", NULL },
    { "denied", NULL },
    { "answer", NULL },
    { "setting", NULL },
    { "ambiguous", NULL },
    { "failing", NULL },
    { NULL, NULL }
};


void
torii_dns_print_begin(torii_dns_print_t *p)
{
    if (p->json) {
        torii_buf_adds(&p->out, "{\"edits\":[");
    }
}


void
torii_dns_print(torii_dns_print_t *p, const dnssync_engine_t *engine)
{
    dnssync_engine_edits(engine, torii_dns_edit, p);
}


void
torii_dns_print_end(torii_dns_print_t *p, const dnssync_engine_t *engine)
{
    uint32_t          i;
    dnssync_notice_t  notice;

    if (p->json) {
        torii_buf_adds(&p->out, "],\n\"findings\":[");
    }

    for (i = 0; dnssync_engine_notice(engine, i, &notice) == TORII_OK; i++) {
        torii_dns_notice(p, &notice, i);
    }

    if (p->json) {
        torii_buf_adds(&p->out, "]");

    } else {
        torii_dns_plain(&p->out);
    }
}


/* Names and errors of others go to a terminal. */

void
torii_dns_plain(torii_buf_t *b)
{
    size_t  i;

    for (i = 0; i < b->len; i++) {
        if ((b->data[i] < 0x20 && b->data[i] != '\n') || b->data[i] == 0x7f) {
            b->data[i] = '?';
        }
    }
}


void
torii_dns_count(torii_dns_print_t *p, const dnssync_engine_t *engine)
{
    uint32_t          i;
    dnssync_notice_t  notice;

    for (i = 0; dnssync_engine_notice(engine, i, &notice) == TORII_OK; i++) {
        p->held += (torii_dns_word(torii_dns_helds, notice.why) != NULL);
        p->errors += (torii_dns_word(torii_dns_errors, notice.why) != NULL);
    }
}


static int
torii_dns_edit(void *data, torii_str_t account, const dnssync_edit_t *edit)
{
    torii_dns_print_t *p = data;

    if (p->json) {
        torii_dns_edit_json(p, account, edit);

    } else {
        torii_dns_edit_text(p, account, edit);
    }

    p->n[edit->what]++;
    p->edits++;

    return 1;
}


static void
torii_dns_edit_text(torii_dns_print_t *p, torii_str_t account,
    const dnssync_edit_t *edit)
{
    uint32_t                 i;
    torii_str_t              zone;
    const torii_dns_word_t  *reason;

    zone = torii_arena_printf(p->arena, "zone %.*s (%.*s)",
                              torii_str_arg(edit->zone->name),
                              torii_str_arg(account));

    if (!torii_str_eq(zone, p->zone)) {
        torii_buf_printf(&p->out, "%s%.*s\n", p->edits ? "\n" : "",
                         torii_str_arg(zone));
        p->zone = zone;
    }

    reason = torii_dns_word(torii_dns_reasons, dnssync_why_word(edit->why));

    torii_buf_printf(&p->out, "  %s %.*s: %s%s%.*s%s\n",
                     torii_dns_verbs[edit->what].verb,
                     torii_str_arg(edit->name), reason ? reason->text : "",
                     edit->resource.len ? " (" : "",
                     torii_str_arg(edit->resource),
                     edit->resource.len ? ")" : "");

    for (i = 0; i < edit->nparts; i++) {
        torii_dns_part(&p->out, &edit->parts[i]);
    }
}


/* A set that stays is not told of. */

static void
torii_dns_part(torii_buf_t *b, const dnssync_part_t *part)
{
    const dnssync_rrset_t  *set;

    if (torii_dns_equal(part->before, part->after)) {
        return;
    }

    set = part->after ? part->after : part->before;

    torii_buf_printf(b, "    %s %.*s ",
                     part->before == NULL ? "+" : part->after == NULL ? "-"
                                                                      : "~",
                     torii_str_arg(set->name));
    torii_dns_type(b, set->type);

    if (part->before && part->before->n) {
        torii_dns_set(b, part->before);
    }

    if (part->before && part->after) {
        torii_buf_adds(b, " ->");
    }

    if (part->after) {
        torii_dns_set(b, part->after);
    }

    torii_buf_adds(b, "\n");
}


static void
torii_dns_set(torii_buf_t *b, const dnssync_rrset_t *set)
{
    uint32_t  i;

    torii_buf_printf(b, " %u", set->ttl);

    for (i = 0; i < set->n; i++) {
        torii_buf_adds(b, " ");
        torii_dns_value(b, set->type, set->values[i]);
    }

    if (set->tag.len) {
        torii_buf_printf(b, " [%.*s]", torii_str_arg(set->tag));
    }
}


static void
torii_dns_type(torii_buf_t *b, unsigned type)
{
    if (type == DNSSYNC_TXT) {
        torii_buf_adds(b, "TXT");

    } else if (dnssync_type_word(type)) {
        torii_buf_adds(b, dnssync_type_word(type));

    } else {
        torii_buf_printf(b, "TYPE%u", type);
    }
}


/* What others wrote may be anything. */

static void
torii_dns_value(torii_buf_t *b, unsigned type, torii_str_t value)
{
    size_t  i;

    if (type == DNSSYNC_TXT) {
        dnssync_txt_write(b, value);
        return;
    }

    for (i = 0; i < value.len; i++) {
        if (value.data[i] <= 0x20 || value.data[i] >= 0x7f) {
            torii_buf_printf(b, "\\%03u", value.data[i]);

        } else {
            torii_buf_add(b, &value.data[i], 1);
        }
    }
}


static int
torii_dns_equal(const dnssync_rrset_t *a, const dnssync_rrset_t *b)
{
    uint32_t  i;

    if (a == NULL || b == NULL) {
        return a == b;
    }

    if (a->n != b->n || a->ttl != b->ttl || !torii_str_eq(a->tag, b->tag)
        || a->noptions != b->noptions)
    {
        return 0;
    }

    for (i = 0; i < a->n; i++) {
        if (!torii_str_eq(a->values[i], b->values[i])) {
            return 0;
        }
    }

    return 1;
}


static void
torii_dns_edit_json(torii_dns_print_t *p, torii_str_t account,
    const dnssync_edit_t *edit)
{
    uint32_t      i;
    torii_buf_t  *b, type;

    b = &p->out;

    torii_buf_printf(b, "%s\n{\"what\":\"%s\",\"why\":\"%s\"",
                     p->edits ? "," : "", torii_dns_verbs[edit->what].verb,
                     dnssync_why_word(edit->why));
    torii_dns_key(b, "account", account);
    torii_dns_key(b, "zone", edit->zone->name);
    torii_dns_key(b, "name", edit->name);
    torii_dns_key(b, "set", edit->set);
    torii_dns_key(b, "resource", edit->resource);
    torii_buf_adds(b, ",\"records\":[");

    for (i = 0; i < edit->nparts; i++) {
        memset(&type, 0, sizeof(torii_buf_t));
        torii_dns_type(&type, edit->parts[i].after
                              ? edit->parts[i].after->type
                              : edit->parts[i].before->type);

        torii_buf_printf(b, "%s{\"type\":\"%.*s\"", i ? "," : "",
                         (int) type.len, (char *) type.data);
        torii_buf_free(&type);

        torii_dns_key(b, "name", edit->parts[i].after
                                 ? edit->parts[i].after->name
                                 : edit->parts[i].before->name);
        torii_dns_set_json(b, "before", edit->parts[i].before);
        torii_dns_set_json(b, "after", edit->parts[i].after);
        torii_buf_adds(b, "}");
    }

    torii_buf_adds(b, "]}");
}


static void
torii_dns_set_json(torii_buf_t *b, const char *key,
    const dnssync_rrset_t *set)
{
    uint32_t  i;

    torii_buf_printf(b, ",\"%s\":", key);

    if (set == NULL) {
        torii_buf_adds(b, "null");
        return;
    }

    torii_buf_printf(b, "{\"ttl\":%u,\"values\":[", set->ttl);

    for (i = 0; i < set->n; i++) {
        torii_buf_adds(b, i ? "," : "");
        torii_buf_add_json(b, set->values[i]);
    }

    torii_buf_adds(b, "]");

    if (set->tag.len) {
        torii_dns_key(b, "tag", set->tag);
    }

    torii_buf_adds(b, "}");
}


static void
torii_dns_notice(torii_dns_print_t *p, const dnssync_notice_t *notice,
    uint32_t n)
{
    unsigned                 error;
    torii_buf_t             *b;
    const torii_dns_word_t  *held;

    b = &p->out;
    held = torii_dns_word(torii_dns_helds, notice->why);
    error = torii_dns_word(torii_dns_errors, notice->why) != NULL;

    p->held += (held != NULL);
    p->errors += error;

    if (p->json) {
        torii_buf_printf(b, "%s\n{\"why\":", n ? "," : "");
        torii_buf_add_json(b, torii_str(notice->why));
        torii_dns_key(b, "account", notice->account);
        torii_dns_key(b, "zone", notice->zone);
        torii_dns_key(b, "name", notice->name);
        torii_dns_key(b, "resource", notice->resource);
        torii_dns_key(b, "text", notice->text);
        torii_buf_adds(b, "}");
        return;
    }

    if (n == 0 && p->edits) {
        torii_buf_adds(b, "\n");
    }

    torii_buf_printf(b, "%s", error ? "error" : held ? "held" : "note");

    if (notice->name.len) {
        torii_buf_printf(b, " %.*s", torii_str_arg(notice->name));

    } else if (notice->zone.len) {
        torii_buf_printf(b, " zone %.*s", torii_str_arg(notice->zone));

    } else if (notice->account.len) {
        torii_buf_printf(b, " %.*s", torii_str_arg(notice->account));
    }

    torii_buf_printf(b, ": %.*s [%s]\n", torii_str_arg(notice->text),
                     notice->why);
}


void
torii_dns_summary(const torii_dns_print_t *p)
{
    fprintf(stderr, "%u to create, %u to change, %u to adopt, %u to delete; "
            "%u held, %u error%s\n",
            p->n[DNSSYNC_EDIT_CREATE],
            p->n[DNSSYNC_EDIT_CHANGE] + p->n[DNSSYNC_EDIT_LOCK],
            p->n[DNSSYNC_EDIT_ADOPT], p->n[DNSSYNC_EDIT_DELETE], p->held,
            p->errors, p->errors == 1 ? "" : "s");
}


static const torii_dns_word_t *
torii_dns_word(const torii_dns_word_t *words, const char *word)
{
    for ( /* void */ ; words->word; words++) {
        if (strcmp(words->word, word) == 0) {
            return words;
        }
    }

    return NULL;
}


static void
torii_dns_key(torii_buf_t *b, const char *key, torii_str_t value)
{
    torii_buf_printf(b, ",\"%s\":", key);
    torii_buf_add_json(b, value);
}
