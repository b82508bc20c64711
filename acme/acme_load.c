
/*
 * The state on disk, read.  What cannot be read is told and counts as absent;
 * what is out of bounds is brought into them: at worst something is done later
 * than it could be, or once more.
 */

#include <stdio.h>
#include <stdlib.h>

#include "acme_engine.h"


#define ACME_LOAD_CRASH  (10 * ACME_SECOND)
#define ACME_LOAD_URL    2048
#define ACME_LOAD_KEY    16384
#define ACME_LOAD_TEXT   1024
#define ACME_LOAD_MAX    100000         /* accounts */


static const torii_tree_limits_t  acme_load_limits = { 256 * 1024, 4000, 8 };


static torii_str_t
acme_load_text(const torii_node_t *map, const char *key, size_t max)
{
    torii_node_t  *node;

    node = torii_node_get(map, key);

    if (node == NULL || node->type != TORII_NODE_STRING
        || node->text.len > max)
    {
        return torii_str("");
    }

    return node->text;
}


/* A line of text that goes to people. */

static torii_str_t
acme_load_line(const torii_node_t *map, const char *key, size_t max)
{
    torii_str_t  s;

    s = acme_load_text(map, key, max);

    return torii_str_has_control(s) ? torii_str("") : s;
}


static uint64_t
acme_load_int(const torii_node_t *map, const char *key, uint64_t max)
{
    uint64_t       n;
    torii_node_t  *node;

    node = torii_node_get(map, key);

    if (node == NULL || node->type != TORII_NODE_INT
        || torii_str_uint(node->text, INT64_MAX, &n) != TORII_OK)
    {
        return 0;
    }

    return n < max ? n : max;
}


static uint64_t
acme_load_hash(const torii_node_t *map, const char *key)
{
    char          text[17], *last;
    uint64_t      h;
    torii_str_t   s;

    s = acme_load_text(map, key, 16);

    if (s.len != 16) {
        return 0;
    }

    memcpy(text, s.data, 16);
    text[16] = '\0';

    h = strtoull(text, &last, 16);

    return *last == '\0' ? h : 0;
}


static const torii_node_t *
acme_load_list(const torii_node_t *map, const char *key)
{
    torii_node_t  *node;

    node = torii_node_get(map, key);

    return (node != NULL && node->type == TORII_NODE_LIST) ? node : NULL;
}


/* No key without all that says what it is for. */

static void
acme_load_order(acme_t *acme, acme_saved_t *s, const torii_node_t *doc)
{
    const torii_node_t  *order;

    order = torii_node_get(doc, "order");

    s->set = acme_load_hash(order, "set");

    if (s->account == 0 || s->set == 0) {
        return;
    }

    acme_keep(&s->url, acme_load_line(order, "url", ACME_LOAD_URL));
    acme_keep(&s->key, acme_load_text(order, "key", ACME_LOAD_KEY));
    s->expires = acme_load_int(order, "expires", acme->now + 400 * ACME_DAY);
    s->counted = acme_load_int(order, "counted", 1);
}


static void
acme_load_window(acme_t *acme, acme_saved_t *s, const torii_node_t *doc)
{
    uint64_t             far;
    const torii_node_t  *ari;

    far = 253402300799;         /* the end of the year 9999 */
    ari = torii_node_get(doc, "ari");

    s->start = (int64_t) acme_load_int(ari, "start", far);
    s->end = (int64_t) acme_load_int(ari, "end", far);
    s->chosen = (int64_t) acme_load_int(ari, "chosen", far);
    s->poll = acme_load_int(ari, "poll", acme->now + ACME_DAY);
    s->forced = acme_load_int(ari, "forced", acme->now);
    s->loops = (uint32_t) acme_load_int(ari, "loops", 1000);

    if (s->start < s->end && s->start <= s->chosen && s->chosen < s->end) {
        acme_keep(&s->ari, acme_load_line(ari, "id", ACME_LOAD_TEXT));
    }
}


static void
acme_load_lists(acme_t *acme, acme_saved_t *s, const torii_node_t *doc)
{
    uint32_t             i, n;
    acme_past_t         *past;
    const torii_node_t  *list;

    list = acme_load_list(doc, "turns");
    n = list ? list->n : 0;
    n = n < ACME_TURNS ? n : ACME_TURNS;

    free(s->turns);
    s->turns = n ? torii_zalloc(n * sizeof(acme_turn_t)) : NULL;
    s->nturns = n;

    for (i = 0; i < n; i++) {
        s->turns[i].name = acme_load_hash(list->items[i], "name");
        s->turns[i].n = (uint32_t) acme_load_int(list->items[i], "n", 11);
        s->turns[i].held = acme_load_int(list->items[i], "held", 1);
        s->turns[i].wary = acme_load_int(list->items[i], "wary", 1);
    }

    list = acme_load_list(doc, "history");
    n = list ? list->n : 0;
    n = n < ACME_HISTORY ? n : ACME_HISTORY;

    s->npast = n;

    for (i = 0; i < n; i++) {
        past = &s->past[i];
        past->set = acme_load_hash(list->items[i], "set");
        past->at = acme_load_int(list->items[i], "at", acme->now);

        if (past->set && past->at) {
            acme_set_add(acme, past->set, past->at);
        }
    }
}


/*
 * The process ended between an attempt and its end: the CA may have made an
 * order that nobody knows.  It counts as a failure, so that one that is started
 * over and over does not ask for orders over and over.
 */

static void
acme_load_pending(acme_entry_t *e)
{
    acme_saved_t  *s;

    s = &e->saved;

    if (!s->pending || s->url.len) {
        return;
    }

    s->fails++;
    s->tries++;
    s->retry = s->attempt + acme_plan_backoff(e);

    if (s->fails == 1) {

        /* a single crash: not long */

        s->retry = s->attempt + ACME_LOAD_CRASH;
    }
}


static int
acme_load_entry(acme_t *acme, const torii_node_t *doc)
{
    torii_str_t    id;
    acme_entry_t  *e;
    acme_saved_t  *s;

    id = acme_load_line(doc, "id", ACME_LOAD_TEXT);

    if (id.len == 0 || acme_entry_get(acme, id, 0) != NULL) {
        return TORII_ERROR;
    }

    e = acme_entry_get(acme, id, 1);
    s = &e->saved;

    s->fails = (uint32_t) acme_load_int(doc, "fails", 1000000);
    s->tries = (uint32_t) acme_load_int(doc, "tries", 1000000);
    s->turn = (uint32_t) acme_load_int(doc, "turn", 1000000);
    s->fail = (acme_fail_e) acme_load_int(doc, "fail", ACME_FAIL_RECORD);
    acme_keep(&s->error, acme_load_line(doc, "error", ACME_LOAD_TEXT));
    s->retry = acme_load_int(doc, "retry", acme->now + 8 * ACME_DAY);
    s->attempt = acme_load_int(doc, "attempt", acme->now);
    s->pending = acme_load_int(doc, "pending", 1);
    s->no_profile = acme_load_int(doc, "noprofile", 1);
    s->no_replaces = acme_load_int(doc, "noreplaces", 1);
    s->conf = acme_load_hash(doc, "conf");
    s->blocked = acme_load_hash(doc, "blocked");
    s->account = acme_load_hash(doc, "account");
    acme_keep(&s->sound, acme_load_line(doc, "sound", ACME_LOAD_TEXT));
    acme_keep(&s->serial, acme_load_line(doc, "serial", ACME_LOAD_TEXT));
    s->issued = acme_load_int(doc, "issued", acme->now);
    s->by = acme_load_hash(doc, "by");
    s->spec = acme_load_hash(doc, "spec");
    s->life = (int64_t) acme_load_int(doc, "life", INT32_MAX);
    s->gone = acme_load_int(doc, "gone", acme->now);

    acme_load_order(acme, s, doc);
    acme_load_window(acme, s, doc);
    acme_load_lists(acme, s, doc);
    acme_load_pending(e);

    if (s->blocked && s->retry == 0) {
        s->retry = UINT64_MAX;
    }

    return TORII_OK;
}


static int
acme_load_account(acme_t *acme, const torii_node_t *doc)
{
    torii_arena_t  *a;
    acme_known_t   *k;

    if (acme->nloaded == ACME_LOAD_MAX || acme_load_hash(doc, "id") == 0) {
        return TORII_ERROR;
    }

    a = acme->loaded;
    k = torii_arena_zalloc(a, sizeof(acme_known_t));

    k->id = acme_load_hash(doc, "id");
    k->kid = acme_load_hash(doc, "key");
    k->next_kid = acme_load_hash(doc, "nexthash");
    k->url = torii_arena_str(a, acme_load_line(doc, "url", ACME_LOAD_URL));
    k->email = torii_arena_str(a, acme_load_line(doc, "email",
                                                 ACME_LOAD_TEXT));
    k->domains = torii_arena_str(a, acme_load_line(doc, "domains",
                                                   ACME_LOAD_URL));
    k->lean = (uint32_t) acme_load_int(doc, "lean", 2 * ACME_LEAN);
    k->next_key = torii_arena_str(a, acme_load_text(doc, "nextkey",
                                                    ACME_LOAD_KEY));
    k->next = acme->known;
    acme->known = k;
    acme->nloaded++;

    return k->kid ? TORII_OK : TORII_ERROR;
}


void
acme_load(acme_t *acme, torii_str_t name, torii_str_t data)
{
    int                  rc;
    torii_node_t        *doc;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    a = torii_arena_create(4096);

    rc = torii_tree_json(a, data, &acme_load_limits, &doc, &error);

    if (rc == TORII_OK) {
        rc = torii_str_starts(name, "accounts/") ? acme_load_account(acme, doc)
                                                 : acme_load_entry(acme, doc);
        (void) snprintf(error.text, sizeof(error.text),
                        "it is of nothing that is known, or told twice");
    }

    if (rc != TORII_OK) {
        acme_event(acme, NULL, torii_str(""), "Failed", 1,
                   "the state in \"%.*s\" cannot be read and is passed over: "
                   "%s", name.len < 200 ? (int) name.len : 200, name.data,
                   error.text);
    }

    torii_arena_destroy(a);
}
