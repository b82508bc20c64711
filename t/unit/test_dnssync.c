
/*
 * DNS names and messages: text, wire, compression, walking, who answers whom.
 */

#include "tap.h"
#include "dns_make.h"


#define TEST_54  "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-"
#define TEST_63  TEST_54 "123456789"


typedef struct {
    const char  *in;
    const char  *out;          /* NULL: refused */
} test_name_t;

/* a message's bytes, of which a name begins at an offset */

typedef struct {
    const char  *what;
    const char  *bytes;
    size_t       len;
    size_t       at;
    const char  *name;         /* NULL: refused */
    size_t       end;
} test_wire_t;


#define test_bytes(s)  s, sizeof(s) - 1
#define TEST_HEADER    "\0\0\0\0\0\0\0\0\0\0\0\0"


static const test_name_t  test_names[] = {
    { "a.example", "a.example" },
    { "a.example.", "a.example" },
    { "_ACME-Challenge.A.Example", "_acme-challenge.a.example" },
    { "*.a.example", "*.a.example" },
    { ".", "." },
    { "test", "test" },
    { "a\\.b.example", "a\\.b.example" },
    { "a\\046b.example", "a\\.b.example" },
    { "a\\000\\255.example", "a\\000\\255.example" },
    { "a\\065.example", "aa.example" },
    { TEST_63 ".example", TEST_63 ".example" },
    { TEST_63 "." TEST_63 "." TEST_63 "." TEST_54 "1234567",
      TEST_63 "." TEST_63 "." TEST_63 "." TEST_54 "1234567" },
    { TEST_63 "." TEST_63 "." TEST_63 "." TEST_54 "12345678", NULL },
    { TEST_63 "x.example", NULL },
    { "", NULL },
    { "..", NULL },
    { ".a", NULL },
    { "a..b", NULL },
    { "a.example..", NULL },
    { "a b.example", NULL },
    { "a\n.example", NULL },
    { "\xc3\xa4.example", NULL },
    { "a\\", NULL },
    { "a\\25", NULL },
    { "a\\256", NULL },
    { "a\\2x5", NULL },
    { "a\\\n", NULL }
};


static const test_wire_t  test_wires[] = {
    { "plain", test_bytes(TEST_HEADER "\1A\0"), 12, "a", 15 },
    { "root", test_bytes(TEST_HEADER "\0"), 12, ".", 13 },
    { "pointer", test_bytes(TEST_HEADER "\1a\0\1b\xc0\x0c"), 15, "b.a", 19 },
    { "pointer to a pointer",
      test_bytes(TEST_HEADER "\1a\0\1b\xc0\x0c\1c\xc0\x0f"), 19, "c.b.a",
      23 },
    { "bytes that need escapes", test_bytes(TEST_HEADER "\4.\0 \xff\0"), 12,
      "\\.\\000\\032\\255", 18 },
    { "to itself", test_bytes(TEST_HEADER "\xc0\x0c"), 12, NULL, 0 },
    { "to its own first label", test_bytes(TEST_HEADER "\1a\xc0\x0c"), 12,
      NULL, 0 },
    { "forward", test_bytes(TEST_HEADER "\xc0\x0e\1a\0"), 12, NULL, 0 },
    { "two that lead to each other",
      test_bytes(TEST_HEADER "\xc0\x0e\xc0\x0c"), 14, NULL, 0 },
    { "into the header", test_bytes(TEST_HEADER "\xc0\x02"), 12, NULL, 0 },
    { "half a pointer", test_bytes(TEST_HEADER "\xc0"), 12, NULL, 0 },
    { "a label of another kind", test_bytes(TEST_HEADER "\x41""a\0"), 12,
      NULL, 0 },
    { "a label cut off", test_bytes(TEST_HEADER "\3ab"), 12, NULL, 0 },
    { "without an end", test_bytes(TEST_HEADER "\2ab"), 12, NULL, 0 },
    { "nothing", test_bytes(TEST_HEADER), 12, NULL, 0 }
};


static void
test_text(void)
{
    int                 ok;
    char                text[DNSSYNC_TEXT_MAX];
    size_t              i;
    dnssync_name_t      name, again;
    const test_name_t  *t;

    for (i = 0; i < sizeof(test_names) / sizeof(test_names[0]); i++) {
        t = &test_names[i];
        ok = dnssync_name_parse(&name, torii_str(t->in)) == TORII_OK;

        if (t->out == NULL || !ok) {
            tap_ok(!ok && t->out == NULL, "no name %zu", i);
            continue;
        }

        dnssync_name_text(&name, text);

        tap_ok(strcmp(text, t->out) == 0
               && dnssync_name_parse(&again, torii_str(text)) == TORII_OK
               && dnssync_name_eq(&name, &again), "name %s", text);
    }

    /* the longest name, of bytes that all need an escape */

    memset(&name, 0, sizeof(dnssync_name_t));

    for (i = 0; i < 254; i++) {
        name.data[i] = (i % 64) ? 0xff : (i == 192) ? 61 : 63;
    }

    name.len = 255;
    dnssync_name_text(&name, text);

    tap_ok(strlen(text) < DNSSYNC_TEXT_MAX && strlen(text) > 1000
           && dnssync_name_parse(&again, torii_str(text)) == TORII_OK
           && dnssync_name_eq(&name, &again), "the longest text");
}


static void
test_wire(void)
{
    int                 ok;
    char                text[DNSSYNC_TEXT_MAX];
    size_t              i;
    torii_str_t         s;
    dnssync_name_t      name;
    dnssync_reader_t    r;
    const test_wire_t  *t;

    for (i = 0; i < sizeof(test_wires) / sizeof(test_wires[0]); i++) {
        t = &test_wires[i];

        s.data = (unsigned char *) t->bytes;
        s.len = t->len;

        r = dnssync_reader(s);
        r.p += t->at;
        dnssync_read_name(&r, &name);

        if (t->name == NULL) {
            tap_ok(r.failed, "refused: %s", t->what);
            continue;
        }

        dnssync_name_text(&name, text);
        ok = !r.failed && strcmp(text, t->name) == 0
             && r.p == r.start + t->end;

        tap_ok(ok, "read: %s", t->what);
    }
}


static void
test_within(void)
{
    size_t          i;
    dnssync_name_t  name, zone;

    static const struct {
        const char  *name;
        const char  *zone;
        int          want;
    } table[] = {
        { "a.b.example", "b.example", 1 }, { "b.example", "b.example", 1 },
        { "a.b.example", ".", 1 }, { ".", ".", 1 },
        { "ab.example", "b.example", 0 }, { "example", "b.example", 0 },
        { "a.c.example", "b.example", 0 }, { "a\\.b.example", "b.example", 0 }
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        name = dns_name(table[i].name);
        zone = dns_name(table[i].zone);

        tap_ok(dnssync_name_within(&name, &zone) == table[i].want,
               "\"%s\" is %sin \"%s\"", table[i].name,
               table[i].want ? "" : "not ", table[i].zone);
    }
}


/* Each shorter message, and one that is longer, is malformed. */

static void
test_walk(void)
{
    int               rc, n;
    size_t            len, whole;
    unsigned          bad;
    torii_str_t       s;
    torii_buf_t       b, request;
    dnssync_walk_t    w;
    dnssync_record_t  record;

    memset(&b, 0, sizeof(torii_buf_t));
    memset(&request, 0, sizeof(torii_buf_t));

    (void) dnssync_question(&request, 7, torii_str("a.example"), DNSSYNC_TXT);
    dns_answer(&b, dns_str(&request), DNSSYNC_AA);
    dns_add(&b, DNSSYNC_ANSWER, "a.example TXT one");
    dns_add(&b, DNSSYNC_ANSWER, "a.example TXT two");
    dns_add(&b, DNSSYNC_ADDITIONAL, "ns.example TXT three");

    whole = b.len;
    torii_buf_add(&b, "x", 1);
    bad = 0;

    for (len = 0; len <= b.len; len++) {
        s.data = torii_malloc(len);
        memcpy(s.data, b.data, len);
        s.len = len;

        memset(&w, 0, sizeof(dnssync_walk_t));
        n = 0;

        while ((rc = dnssync_walk(&w, s, &record)) == TORII_OK) {
            n++;
        }

        if (len == whole) {
            tap_ok(rc == TORII_DECLINED && n == 3, "three records");

        } else {
            bad += (rc == TORII_ERROR);
        }

        free(s.data);
    }

    tap_ok(bad == whole + 1, "cut off or too long: malformed");

    torii_buf_free(&b);
    torii_buf_free(&request);
}


static void
test_answers(void)
{
    size_t            i;
    torii_buf_t       b, request;
    dnssync_header_t  header;

    static const struct {
        const char  *what;
        size_t       at;           /* byte to change */
        unsigned     xor;
        int          want;
    } table[] = {
        { "the answer", 3, 0, TORII_OK },
        { "with an error", 3, 5, TORII_OK },
        { "another id", 1, 1, TORII_DECLINED },
        { "a request", 2, 0x80, TORII_DECLINED },
        { "another opcode", 2, 0x28, TORII_DECLINED },
        { "another name", 13, 1, TORII_DECLINED },
        { "in upper case", 13, 0x20, TORII_OK },
        { "another type", 24, 1, TORII_DECLINED },
        { "another class", 26, 2, TORII_DECLINED },
        { "a broken name", 12, 0x40, TORII_ERROR },
        { "two questions", 5, 3, TORII_DECLINED }
    };

    memset(&b, 0, sizeof(torii_buf_t));
    memset(&request, 0, sizeof(torii_buf_t));

    (void) dnssync_question(&request, 7, torii_str("a.example"), DNSSYNC_TXT);

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        dns_answer(&b, dns_str(&request), 0);
        b.data[table[i].at] ^= table[i].xor;

        tap_ok(dnssync_message_answers(dns_str(&b), dns_str(&request), &header)
               == table[i].want, "who answers: %s", table[i].what);
    }

    b.len = 0;
    dnssync_write_header(&b, 7, DNSSYNC_QR | DNSSYNC_FORMERR);

    tap_ok(dnssync_message_answers(dns_str(&b), dns_str(&request), &header)
           == TORII_OK, "an error without the question");

    b.len = 0;
    dnssync_write_header(&b, 7, DNSSYNC_QR);

    tap_ok(dnssync_message_answers(dns_str(&b), dns_str(&request), &header)
           == TORII_ERROR, "no error without the question");

    torii_buf_free(&b);
    torii_buf_free(&request);
}


int
main(void)
{
    test_text();
    test_wire();
    test_within();
    test_walk();
    test_answers();

    return tap_done();
}
