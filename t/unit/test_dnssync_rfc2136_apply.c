
/*
 * Edits as UPDATE messages: byte for byte what they ask for, and who is found
 * guilty when a server does not do them.
 */

#include "rfc2136_world.h"





/* A server that looks at prerequisites by their names only. */

typedef struct {
    const char          *what;
    unsigned             nedits;
    const char          *guilty;       /* names that begin so … */
    unsigned             rcode;        /* … are answered this, */
    unsigned             always;       /* or all are */
    unsigned             silent;       /* this message gets no answer */
    unsigned             bare:1;       /* answers are not signed */
    unsigned             forged:1;     /* or by somebody else */

    dnssync_op_step_e    step;
    dnssync_trouble_e    trouble;
    unsigned             counts[5];    /* of outcomes: later, done, lost, … */
    unsigned             messages;     /* at most */
} test_case_t;


static const test_case_t  test_cases[] = {
    { "all is done", 1000, NULL, 0, 0, 0, 0, 0, DNSSYNC_OP_DONE, 0,
      { 0, 1000, 0, 0, 0 }, 6 },
    { "nothing to do", 0, NULL, 0, 0, 0, 0, 0, DNSSYNC_OP_DONE, 0,
      { 0, 0, 0, 0, 0 }, 0 },
    { "one is there already", 1000, "h777.", 7, 0, 0, 0, 0, DNSSYNC_OP_DONE, 0,
      { 0, 999, 1, 0, 0 }, 26 },
    { "the first and others are gone", 1000, "h0.|h1.|h500.|h999.", 8, 0, 0,
      0, 0, DNSSYNC_OP_DONE, 0, { 0, 996, 4, 0, 0 }, 80 },
    { "all are another's", 1000, "h", 7, 0, 0, 0, 0, DNSSYNC_OP_DONE, 0,
      { 0, 0, 1000, 0, 0 }, 400 },
    { "a name that may not be changed", 1000, "h5.", 5, 0, 0, 0, 0,
      DNSSYNC_OP_DONE, 0, { 0, 999, 0, 1, 0 }, 26 },
    { "names that may not be changed come first", 1000, "h0.|h1.", 5, 0, 0, 0,
      0, DNSSYNC_OP_DONE, 0, { 0, 998, 0, 2, 0 }, 40 },
    { "names below one that may not", 1000, "h1", 5, 0, 0, 0, 0,
      DNSSYNC_OP_DONE, 0, { 0, 889, 0, 111, 0 }, 300 },
    { "a name of another zone", 1000, "h5.", 10, 0, 0, 0, 0, DNSSYNC_OP_DONE,
      0, { 0, 999, 0, 1, 0 }, 26 },
    { "no name may be changed", 1000, NULL, 0, 5, 0, 0, 0, DNSSYNC_OP_FAILED,
      DNSSYNC_TROUBLE_DENIED, { 992, 0, 0, 8, 0 }, 30 },
    { "none of a few names may be changed", 3, NULL, 0, 5, 0, 0, 0,
      DNSSYNC_OP_FAILED, DNSSYNC_TROUBLE_DENIED, { 0, 0, 0, 3, 0 }, 5 },
    { "the only name may not be changed", 1, NULL, 0, 5, 0, 0, 0,
      DNSSYNC_OP_DONE, 0, { 0, 0, 0, 1, 0 }, 1 },
    { "refused without a signature", 1000, NULL, 0, 5, 0, 1, 0,
      DNSSYNC_OP_FAILED, DNSSYNC_TROUBLE_DENIED, { 1000, 0, 0, 0, 0 }, 1 },
    { "no primary server", 1000, NULL, 0, 9, 0, 0, 0, DNSSYNC_OP_FAILED,
      DNSSYNC_TROUBLE_DENIED, { 1000, 0, 0, 0, 0 }, 1 },
    { "no updates at all", 1000, NULL, 0, 4, 0, 1, 0, DNSSYNC_OP_FAILED,
      DNSSYNC_TROUBLE_SETTING, { 1000, 0, 0, 0, 0 }, 1 },
    { "a server in trouble", 1000, NULL, 0, 2, 0, 0, 0, DNSSYNC_OP_FAILED,
      DNSSYNC_TROUBLE_DOWN, { 1000, 0, 0, 0, 0 }, 1 },
    { "silence", 1, NULL, 0, 0, 1, 0, 0, DNSSYNC_OP_FAILED,
      DNSSYNC_TROUBLE_DOWN, { 0, 0, 0, 0, 1 }, 1 },
    { "done, and not signed", 1, NULL, 0, 0, 0, 1, 0, DNSSYNC_OP_FAILED,
      DNSSYNC_TROUBLE_ANSWER, { 0, 0, 0, 0, 1 }, 1 },
    { "done, says somebody else", 1, NULL, 0, 0, 0, 0, 1, DNSSYNC_OP_FAILED,
      DNSSYNC_TROUBLE_ANSWER, { 0, 0, 0, 0, 1 }, 1 }
};


typedef struct {
    torii_arena_t           *a;
    const dnssync_edit_t   **edits;
    uint32_t                 n;
} test_edits_t;


static const dnssync_rrset_t *
test_set(torii_arena_t *a, const char *name, unsigned type, uint32_t ttl,
    const char *values, const char *id)
{
    torii_str_t       rest;
    dnssync_rrset_t  *set;

    if (values == NULL) {
        return NULL;
    }

    set = torii_arena_zalloc(a, sizeof(dnssync_rrset_t));
    set->name = torii_arena_str(a, torii_str(name));
    set->type = type;
    set->ttl = ttl;
    set->id = torii_arena_str(a, torii_str(id));
    set->values = torii_arena_alloc(a, 300 * sizeof(torii_str_t));

    rest = torii_arena_str(a, torii_str(values));

    while (set->n < 300 && torii_str_next(&rest, "|", &set->values[set->n])) {
        set->n++;
    }

    return set;
}


static dnssync_edit_t *
test_edit(test_edits_t *e, const dnssync_rrset_t *before,
    const dnssync_rrset_t *after)
{
    const dnssync_rrset_t  *set;
    dnssync_edit_t         *edit;

    set = before ? before : after;

    edit = torii_arena_zalloc(e->a, sizeof(dnssync_edit_t));
    edit->name = set->name;
    edit->parts = torii_arena_zalloc(e->a, sizeof(dnssync_part_t));
    edit->requires = torii_arena_zalloc(e->a, 2 * sizeof(dnssync_require_t));
    edit->nparts = 1;
    edit->nrequires = 2;

    edit->parts[0].before = before;
    edit->parts[0].after = after;

    edit->requires[0].name = set->name;
    edit->requires[0].type = set->type;
    edit->requires[0].equal = before;
    edit->requires[1].name = set->name;
    edit->requires[1].type = DNSSYNC_CNAME;

    e->edits[e->n++] = edit;

    return edit;
}


static void
test_edits(test_edits_t *e, uint32_t n)
{
    uint32_t  i;
    char      name[64];

    e->a = torii_arena_create(4096);
    e->edits = torii_arena_alloc(e->a, (n + 8) * sizeof(dnssync_edit_t *));
    e->n = 0;

    for (i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "h%u." XFR_ZONE, i);
        (void) test_edit(e, NULL, test_set(e->a, name, DNSSYNC_TXT, 60,
                                           "a text of some length, as marks "
                                           "of an owner's are, and of what "
                                           "they are of; they fill a message "
                                           "soon, as this one does", ""));
    }
}


static int
test_guilty(const char *names, torii_str_t message)
{
    char              text[DNSSYNC_TEXT_MAX];
    torii_str_t       rest, name;
    dnssync_walk_t    w;
    dnssync_record_t  record;

    memset(&w, 0, sizeof(dnssync_walk_t));

    while (dnssync_walk(&w, message, &record) == TORII_OK) {
        dnssync_name_text(&record.name, text);
        rest = torii_str(names);

        while (w.section == DNSSYNC_ANSWER
               && torii_str_next(&rest, "|", &name))
        {
            if (strncmp(text, (char *) name.data, name.len) == 0) {
                return 1;
            }
        }
    }

    return 0;
}


static void
test_serve(const test_case_t *c, const dnssync_op_t *op, torii_buf_t *b)
{
    unsigned       rcode;
    dns_sign_t     sign = { "k256", DNS_SECRET, XFR_NOW, 0, NULL, 0, 0 };
    dnssync_mac_t  mac;

    rcode = c->always;

    if (c->guilty && test_guilty(c->guilty, op->request.message)) {
        rcode = c->rcode;
    }

    mac = world_mac(op->request.message);
    dns_answer(b, op->request.message, rcode);

    if (c->forged) {
        sign.secret = "other";
    }

    if (!c->bare) {
        dns_sign(b, &mac, &sign);
    }
}


static void
test_case(dnssync_account_t *account, const test_case_t *c)
{
    size_t              longest;
    uint32_t            i, counts[5] = { 0, 0, 0, 0, 0 };
    unsigned            messages;
    torii_buf_t         b;
    dnssync_op_t       *op;
    test_edits_t        e;
    dnssync_op_step_e   step;

    memset(&b, 0, sizeof(torii_buf_t));
    test_edits(&e, c->nedits);

    op = world_op(account, DNSSYNC_OP_APPLY);
    op->edits = e.edits;
    op->nedits = e.n;

    messages = 0;
    longest = 0;
    step = dnssync_op_go(op, WORLD_MS);

    while (step == DNSSYNC_OP_SEND && messages < 5000) {
        messages++;

        if (op->request.message.len > longest) {
            longest = op->request.message.len;
        }

        if (messages == c->silent) {
            step = world_answer(op, NULL);
            continue;
        }

        test_serve(c, op, &b);
        step = world_answer(op, &b);
    }

    for (i = 0; i < op->nedits; i++) {
        counts[op->results[i].what]++;
    }

    tap_ok(step == c->step && op->trouble == c->trouble
           && messages <= c->messages && longest < 61000
           && (step != DNSSYNC_OP_FAILED || op->error[0])
           && memcmp(counts, c->counts, sizeof(counts)) == 0,
           "%s: %u messages, %u later, %u done, %u lost, %u refused, %u "
           "unsure; %s", c->what, messages, counts[0], counts[1], counts[2],
           counts[3], counts[4], op->error);

    for (i = 0; c->guilty && i < op->nedits; i++) {
        if (op->results[i].what != DNSSYNC_OUTCOME_DONE
            && op->results[i].text.len == 0)
        {
            tap_ok(0, "%s: and why not", c->what);
        }
    }

    dnssync_op_free(op);
    torii_arena_destroy(e.a);
    torii_buf_free(&b);
}


/* "NONE CNAME www; IN TXT www #616263 | -TXT www #616263 | +A www 60 #..." */

static const char *
test_text(torii_str_t message, torii_buf_t *b)
{
    char              name[DNSSYNC_TEXT_MAX];
    unsigned          section;
    dnssync_walk_t    w;
    dnssync_record_t  record;

    static const char *const  classes[2][3] = {
        { "=", "!", "?" }, { "+", "-", "--" }
    };

    memset(&w, 0, sizeof(dnssync_walk_t));
    b->len = 0;
    section = DNSSYNC_ANSWER;

    while (dnssync_walk(&w, message, &record) == TORII_OK) {

        if (w.section > DNSSYNC_AUTHORITY) {
            break;
        }

        if (w.section != section) {
            torii_buf_adds(b, " |");
            section = w.section;
        }

        dnssync_name_text(&record.name, name);
        *strchr(name, '.') = '\0';

        torii_buf_printf(b, "%s%s%u %s", b->len ? " " : "",
                         classes[section == DNSSYNC_AUTHORITY]
                                [record.class == DNSSYNC_IN ? 0
                                 : record.class == DNSSYNC_NONE ? 1 : 2],
                         record.type, name);

        if (record.ttl) {
            torii_buf_printf(b, " %u", record.ttl);
        }

        if (record.data.len) {
            torii_buf_adds(b, " ");
            dnssync_rdata_hex(b, record.data);
        }
    }

    torii_buf_add(b, "", 1);

    return (char *) b->data;
}


static void
test_wire(dnssync_account_t *account)
{
    size_t           i;
    torii_buf_t      b;
    const char      *text;
    dnssync_op_t    *op;
    test_edits_t     e;

    static const struct {
        const char  *what;
        unsigned     type;
        uint32_t     ttl[2];
        const char  *before;
        const char  *id;
        const char  *after;
        const char  *want;             /* NULL: it is refused */
    } table[] = {
        { "new", DNSSYNC_A, { 0, 60 }, NULL, "", "192.0.2.1|192.0.2.2",
          "!1 w !5 w | +1 w 60 c0000201 +1 w 60 c0000202" },
        { "gone", DNSSYNC_A, { 60, 0 }, "192.0.2.1|192.0.2.2", "", NULL,
          "=1 w c0000201 =1 w c0000202 !5 w | -1 w c0000201 -1 w c0000202" },
        { "another", DNSSYNC_A, { 60, 60 }, "192.0.2.1|192.0.2.2", "",
          "192.0.2.3|192.0.2.1",
          "=1 w c0000201 =1 w c0000202 !5 w | -1 w c0000202 "
          "+1 w 60 c0000203" },
        { "another TTL", DNSSYNC_A, { 60, 70 }, "192.0.2.1|192.0.2.2", "",
          "192.0.2.1",
          "=1 w c0000201 =1 w c0000202 !5 w | -1 w c0000201 "
          "-1 w c0000202 +1 w 70 c0000201" },
        { "an address of version 6", DNSSYNC_AAAA, { 0, 60 }, NULL, "",
          "2001:db8::1", "!28 w !5 w | +28 w 60 "
          "20010db8000000000000000000000001" },
        { "an alias", DNSSYNC_CNAME, { 60, 60 }, "b.test", "", "c.test",
          "=5 w 016204746573" "7400 !5 w | -5 w 01620474657374" "00 +5 w 60 "
          "01630474657374" "00" },
        { "texts in pieces", DNSSYNC_TXT, { 60, 60 }, "ab|x", "01610162 -",
          "x|y", "=16 w 01610162 =16 w 0178 !5 w | -16 w 01610162 "
          "+16 w 60 0179" },
        { "texts in pieces, another TTL", DNSSYNC_TXT, { 60, 70 }, "ab|x",
          "01610162 -", "ab|x", "=16 w 01610162 =16 w 0178 !5 w | "
          "-16 w 01610162 -16 w 0178 +16 w 70 01610162 +16 w 70 0178" },
        { "an address that is none", DNSSYNC_A, { 0, 60 }, NULL, "", "x",
          NULL },
        { "an alias that is none", DNSSYNC_CNAME, { 0, 60 }, NULL, "", "a..b",
          NULL }
    };

    memset(&b, 0, sizeof(torii_buf_t));

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        test_edits(&e, 0);
        (void) test_edit(&e, test_set(e.a, "w.a.test", table[i].type,
                                      table[i].ttl[0], table[i].before,
                                      table[i].id),
                         test_set(e.a, "w.a.test", table[i].type,
                                  table[i].ttl[1], table[i].after,
                                  table[i].id));

        op = world_op(account, DNSSYNC_OP_APPLY);
        op->edits = e.edits;
        op->nedits = e.n;

        text = dnssync_op_go(op, WORLD_MS) == DNSSYNC_OP_SEND
               ? test_text(op->request.message, &b) : "";

        tap_ok(table[i].want ? strcmp(text, table[i].want) == 0
               : text[0] == '\0'
                 && op->results[0].what == DNSSYNC_OUTCOME_REFUSED,
               "%s: %s", table[i].what, text);

        dnssync_op_free(op);
        torii_arena_destroy(e.a);
    }

    torii_buf_free(&b);
}


/* What cannot be sent does not keep others from being sent. */

static void
test_misfits(dnssync_account_t *account)
{
    char             *text;
    torii_buf_t       b;
    dnssync_op_t     *op;
    test_edits_t      e;
    dnssync_edit_t   *edit;

    memset(&b, 0, sizeof(torii_buf_t));
    test_edits(&e, 1);

    text = torii_malloc(70001);
    memset(text, 'x', 70000);
    text[70000] = '\0';

    (void) test_edit(&e, NULL, test_set(e.a, "l.a.test", DNSSYNC_TXT, 60,
                                        text, ""));
    edit = test_edit(&e, NULL, test_set(e.a, "n.a.test", DNSSYNC_TXT, 60, "x",
                                        ""));
    edit->nrequires = 0;
    (void) test_edit(&e, NULL, test_set(e.a, "z.a.test", DNSSYNC_TXT, 60, "x",
                                        ""));
    free(text);

    op = world_op(account, DNSSYNC_OP_APPLY);
    op->edits = e.edits;
    op->nedits = e.n;

    (void) dnssync_op_go(op, WORLD_MS);
    test_serve(&test_cases[0], op, &b);
    (void) world_answer(op, &b);
    test_serve(&test_cases[0], op, &b);

    tap_ok(world_answer(op, &b) == DNSSYNC_OP_DONE
           && op->results[0].what == DNSSYNC_OUTCOME_DONE
           && op->results[1].what == DNSSYNC_OUTCOME_REFUSED
           && op->results[2].what == DNSSYNC_OUTCOME_REFUSED
           && op->results[3].what == DNSSYNC_OUTCOME_DONE,
           "one too long, one without a condition: %.*s; %.*s",
           torii_str_arg(op->results[1].text),
           torii_str_arg(op->results[2].text));

    dnssync_op_free(op);
    torii_arena_destroy(e.a);
    torii_buf_free(&b);
}


int
main(void)
{
    size_t              i;
    torii_str_t         why;
    dnssync_account_t  *account;

    account = world_account(WORLD_SERVER WORLD_KEYED, &why);

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        test_case(account, &test_cases[i]);
    }

    test_wire(account);
    test_misfits(account);

    dnssync_account_free(account);

    return tap_done();
}
