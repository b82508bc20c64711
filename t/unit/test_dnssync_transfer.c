
/*
 * Transfers: streams of messages, made by hand and signed a second way, whole
 * and broken.
 */

#include "dnssync_transfer.h"
#include "xfr_make.h"
#include "tap.h"


typedef struct {
    const char          *what;
    const char          *stream;
    uint32_t             known;        /* 0: AXFR */
    xfr_fault_e         fault;
    dnssync_transfer_e   want;
    const char          *sets;         /* or a part of the error */
} test_case_t;


static const char  test_known[] =
    "www A 192.0.2.1;www A 192.0.2.2;x TXT one;@ NS ns.a.test";


static const test_case_t  test_cases[] = {

    { "a zone", "S5;@ NS ns.a.test;www A 192.0.2.1;www A 192.0.2.2;"
      "www AAAA 2001:db8::1;x TXT one;y CNAME Z.a.test;S5", 0, 0,
      DNSSYNC_TRANSFER_DONE,
      "@ 2 1; www 1 192.0.2.1|192.0.2.2; www 28 2001:db8::1; x 16 one; "
      "y 5 z.a.test" },
    { "a set whose records are apart", "S5;w A 192.0.2.1;x TXT o;"
      "w A 192.0.2.2;S5", 0, 0, DNSSYNC_TRANSFER_DONE,
      "w 1 192.0.2.1|192.0.2.2; x 16 o" },
    { "a record twice", "S5;w A 192.0.2.1;w A 192.0.2.1;S5", 0, 0,
      DNSSYNC_TRANSFER_DONE, "w 1 192.0.2.1" },
    { "signatures of the zone", "S5;w A 192.0.2.1;w RRSIG x;w NSEC x;S5", 0, 0,
      DNSSYNC_TRANSFER_DONE, "w 1 192.0.2.1" },
    { "a zone of no records", "S5;S5", 0, 0, DNSSYNC_TRANSFER_DONE, "" },
    { "messages", "S5;w A 192.0.2.1/x TXT o/y TXT p;S5", 0, 0,
      DNSSYNC_TRANSFER_DONE, "w 1 192.0.2.1; x 16 o; y 16 p" },
    { "a record in each message", "S5/w A 192.0.2.1/S5", 0, 0,
      DNSSYNC_TRANSFER_DONE, "w 1 192.0.2.1" },
    { "messages without a signature", "S5/-w A 192.0.2.1/-x TXT o/y TXT p;S5",
      0, 0, DNSSYNC_TRANSFER_DONE, "w 1 192.0.2.1; x 16 o; y 16 p" },
    { "those between two signatures", "S5/-w A 192.0.2.1/v TXT q/-x TXT o/"
      "-y TXT p/S5", 0, 0, DNSSYNC_TRANSFER_DONE,
      "w 1 192.0.2.1; v 16 q; x 16 o; y 16 p" },
    { "one of them tampered with", "S5/-w A 192.0.2.1/x TXT o;S5", 0,
      XFR_FLIP_BARE, DNSSYNC_TRANSFER_FAILED, "signature is wrong" },
    { "the last without a signature", "S5/w A 192.0.2.1/-x TXT o;S5", 0, 0,
      DNSSYNC_TRANSFER_FAILED, "last message" },
    { "the first without a signature", "-S5/w A 192.0.2.1;S5", 0, 0,
      DNSSYNC_TRANSFER_FAILED, "not signed" },
    { "none with a signature", "-S5;w A 192.0.2.1;S5", 0, 0,
      DNSSYNC_TRANSFER_FAILED, "not signed" },
    { "a bit changed", "S5;w A 192.0.2.1;S5", 0, XFR_FLIP,
      DNSSYNC_TRANSFER_FAILED, "signature is wrong" },
    { "a bit changed in the last", "S5/w A 192.0.2.1/x A 192.0.2.2;S5", 0,
      XFR_FLIP, DNSSYNC_TRANSFER_FAILED, "signature is wrong" },
    { "two messages swapped", "S5;w A 192.0.2.1/x A 192.0.2.2/S5", 0,
      XFR_SWAP, DNSSYNC_TRANSFER_FAILED, "" },
    { "a message missing", "S5/w A 192.0.2.1/x TXT o;S5", 0, XFR_DROP,
      DNSSYNC_TRANSFER_FAILED, "signature is wrong" },
    { "an unsigned message missing", "S5/-w A 192.0.2.1/x TXT o;S5", 0,
      XFR_DROP, DNSSYNC_TRANSFER_FAILED, "signature is wrong" },
    { "another secret", "S5;w A 192.0.2.1;S5", 0, XFR_KEY,
      DNSSYNC_TRANSFER_FAILED, "signature is wrong" },
    { "too late", "S5;w A 192.0.2.1;S5", 0, XFR_LATE,
      DNSSYNC_TRANSFER_FAILED, "clock" },
    { "another id", "S5;w A 192.0.2.1;S5", 0, XFR_ID_OTHER,
      DNSSYNC_TRANSFER_FAILED, "another question" },
    { "no answer at all", "S5;w A 192.0.2.1;S5", 0, XFR_QUERY,
      DNSSYNC_TRANSFER_FAILED, "another question" },
    { "no question", "S5;w A 192.0.2.1;S5", 0, XFR_NO_QUESTION,
      DNSSYNC_TRANSFER_FAILED, "another question" },
    { "another question", "S5;w A 192.0.2.1;S5", 0, XFR_OTHER_QUESTION,
      DNSSYNC_TRANSFER_FAILED, "another question" },
    { "truncated", "S5;w A 192.0.2.1;S5", 0, XFR_TC,
      DNSSYNC_TRANSFER_FAILED, "truncated" },
    { "cut off", "S5;w A 192.0.2.1;S5", 0, XFR_CUT,
      DNSSYNC_TRANSFER_FAILED, "malformed" },
    { "a wrong count", "S5;w A 192.0.2.1;S5", 0, XFR_COUNT,
      DNSSYNC_TRANSFER_FAILED, "malformed" },
    { "a name that points to itself", "S5;w A 192.0.2.1;S5", 0, XFR_LOOP,
      DNSSYNC_TRANSFER_FAILED, "malformed" },
    { "no closing SOA", "S5;w A 192.0.2.1", 0, 0, DNSSYNC_TRANSFER_MORE, "" },
    { "the opening SOA alone", "S5", 0, 0, DNSSYNC_TRANSFER_MORE, "" },
    { "no opening SOA", "w A 192.0.2.1;S5", 0, 0, DNSSYNC_TRANSFER_FAILED,
      "does not begin" },
    { "another closing SOA", "S5;w A 192.0.2.1;S6", 0, 0,
      DNSSYNC_TRANSFER_FAILED, "changed while" },
    { "a record behind it", "S5;w A 192.0.2.1;S5;x TXT o", 0, 0,
      DNSSYNC_TRANSFER_FAILED, "after the closing" },
    { "a message behind it", "S5;w A 192.0.2.1;S5/x TXT o", 0, 0,
      DNSSYNC_TRANSFER_FAILED, "after the last" },
    { "a record of another zone", "S5;w.b.test. A 192.0.2.1;S5", 0, 0,
      DNSSYNC_TRANSFER_FAILED, "not within" },
    { "an address of three bytes", "S5;w BAD x;S5", 0, 0,
      DNSSYNC_TRANSFER_FAILED, "malformed" },

    { "nothing new", "S5", 5, 0, DNSSYNC_TRANSFER_SAME, "" },
    { "nothing new, unsigned", "-S5", 5, 0, DNSSYNC_TRANSFER_FAILED,
      "not signed" },
    { "an older zone", "S4", 5, 0, DNSSYNC_TRANSFER_WHOLE, "" },
    { "a newer one, to go on", "S6", 5, 0, DNSSYNC_TRANSFER_MORE, "" },
    { "the whole zone", "S6;w A 192.0.2.1;S6", 5, 0, DNSSYNC_TRANSFER_DONE,
      "w 1 192.0.2.1" },
    { "the whole zone, one by one", "S6/w A 192.0.2.1/S6", 5, 0,
      DNSSYNC_TRANSFER_DONE, "w 1 192.0.2.1" },
    { "one change", "S6;S5;www A 192.0.2.1;S6;www A 192.0.2.3;z TXT new;S6",
      5, 0, DNSSYNC_TRANSFER_DONE,
      "www 1 192.0.2.2|192.0.2.3; x 16 one; @ 2 1; z 16 new" },
    { "only new ones", "S6;S5;S6;z TXT new;S6", 5, 0, DNSSYNC_TRANSFER_DONE,
      "www 1 192.0.2.1|192.0.2.2; x 16 one; @ 2 1; z 16 new" },
    { "a set that goes", "S6;S5;x TXT one;S6;S6", 5, 0, DNSSYNC_TRANSFER_DONE,
      "www 1 192.0.2.1|192.0.2.2; @ 2 1" },
    { "several versions", "S9;S5;x TXT one;S6;x TXT two;S6;x TXT two;S9;"
      "x TXT three;S9", 5, 0, DNSSYNC_TRANSFER_DONE,
      "www 1 192.0.2.1|192.0.2.2; x 16 three; @ 2 1" },
    { "several versions in messages", "S9;S5/x TXT one;S6/-x TXT two;S6/"
      "x TXT two;S9;z TXT three/S9", 5, 0, DNSSYNC_TRANSFER_DONE,
      "www 1 192.0.2.1|192.0.2.2; @ 2 1; z 16 three" },
    { "round the end of numbers", "S2;S4294967295;x TXT one;S2;S2",
      4294967295u, 0, DNSSYNC_TRANSFER_DONE,
      "www 1 192.0.2.1|192.0.2.2; @ 2 1" },
    { "a record that is not there goes", "S6;S5;q TXT one;S6;S6", 5, 0,
      DNSSYNC_TRANSFER_WHOLE, "" },
    { "one goes twice", "S6;S5;x TXT one;x TXT one;S6;S6", 5, 0,
      DNSSYNC_TRANSFER_WHOLE, "" },
    { "from a version that is not ours", "S6;S4;x TXT one;S6;S6", 5, 0,
      DNSSYNC_TRANSFER_WHOLE, "" },
    { "a serial that goes back", "S6;S5;x TXT one;S4;S6", 5, 0,
      DNSSYNC_TRANSFER_WHOLE, "" },
    { "a serial past the last", "S6;S5;x TXT one;S7;S6", 5, 0,
      DNSSYNC_TRANSFER_WHOLE, "" },
    { "a gap between versions", "S9;S5;x TXT one;S6;x TXT two;S7;x TXT two;"
      "S9;S9", 5, 0, DNSSYNC_TRANSFER_WHOLE, "" },
    { "a change that is cut short", "S6;S5;x TXT one;S6;z TXT new", 5, 0,
      DNSSYNC_TRANSFER_MORE, "" },
    { "changes that are tampered with", "S6;S5;www A 192.0.2.1;S6;"
      "www A 192.0.2.3;S6", 5, XFR_FLIP, DNSSYNC_TRANSFER_FAILED,
      "signature is wrong" },
    { "two SOA records of what is known", "S5;S5", 5, 0,
      DNSSYNC_TRANSFER_WHOLE, "" }
};


static void
test_text(const dnssync_transfer_t *t, torii_buf_t *text)
{
    uint32_t          i, k, n;
    torii_str_t       name;
    dnssync_rrset_t  *sets;

    text->len = 0;
    dnssync_transfer_sets(t, &sets, &n);

    for (i = 0; i < n; i++) {
        name = sets[i].name;
        name.len -= strlen(XFR_ZONE);
        torii_buf_printf(text, "%s%.*s %u ", i ? "; " : "",
                         name.len ? (int) name.len - 1 : 1,
                         name.len ? (char *) name.data : "@", sets[i].type);

        for (k = 0; k < sets[i].n; k++) {
            if (dnssync_type_word(sets[i].type) == NULL
                && sets[i].type != DNSSYNC_TXT)
            {
                torii_buf_printf(text, "%u", sets[i].n);
                break;
            }

            torii_buf_printf(text, "%s%.*s", k ? "|" : "",
                             torii_str_arg(sets[i].values[k]));
        }
    }

    torii_buf_add(text, "", 1);
}


static dnssync_rrset_t *
test_sets(torii_arena_t *a, const char *text, uint32_t *n)
{
    dnssync_walk_t       w;
    dnssync_record_t     record;
    dnssync_records_t   *records;
    dnssync_rrset_t     *sets;
    torii_buf_t          b;

    memset(&b, 0, sizeof(torii_buf_t));
    memset(&w, 0, sizeof(dnssync_walk_t));

    xfr_message(&b, torii_str(text), 0, 1, 0);
    records = dnssync_records_create(a);

    while (dnssync_walk(&w, dns_str(&b), &record) == TORII_OK) {
        if (dnssync_records_add(records, &w.reader, &record) != TORII_OK) {
            abort();
        }
    }

    dnssync_records_sets(records, a, &sets, n);
    dnssync_records_free(records);
    torii_buf_free(&b);

    return sets;
}


static void
test_case(const test_case_t *c, const dnssync_key_t *key, int signed_)
{
    uint32_t             n;
    unsigned             i;
    const char          *got;
    torii_buf_t          request, text;
    xfr_stream_t        s;
    torii_arena_t       *a;
    dnssync_mac_t        mac;
    dnssync_name_t       zone;
    dnssync_rrset_t     *sets;
    dnssync_transfer_e   step;
    dnssync_transfer_t  *t;

    a = torii_arena_create(1024);
    zone = dns_name(XFR_ZONE);

    memset(&request, 0, sizeof(torii_buf_t));
    memset(&text, 0, sizeof(torii_buf_t));
    memset(&s, 0, sizeof(xfr_stream_t));
    memset(&mac, 0, sizeof(dnssync_mac_t));

    t = dnssync_transfer_create(a, &zone, signed_ ? key : NULL);

    if (c->known) {
        sets = test_sets(a, test_known, &n);
        dnssync_transfer_known(t, c->known, sets, n);
    }

    if (dnssync_transfer_request(t, XFR_NOW, XFR_ID, &request) != TORII_OK) {
        abort();
    }

    if (signed_) {                       /* the request's MAC, near its end */
        mac.len = 32;
        memcpy(mac.data, request.data + request.len - 6 - 32, 32);
    }

    xfr_stream(&s, c->stream, &mac, c->known != 0, c->fault);

    step = DNSSYNC_TRANSFER_MORE;

    for (i = 0; i < s.n && (step == DNSSYNC_TRANSFER_MORE
                            || step == DNSSYNC_TRANSFER_DONE); i++)
    {
        step = dnssync_transfer_answer(t, XFR_NOW, dns_str(&s.messages[i]));
    }

    got = dnssync_transfer_error(t);

    if (step == DNSSYNC_TRANSFER_DONE) {
        test_text(t, &text);
        got = (char *) text.data;
    }

    tap_ok(step == c->want
           && (step == DNSSYNC_TRANSFER_FAILED ? strstr(got, c->sets) != NULL
                                               : strcmp(got, c->sets) == 0),
           "%s%s: %u \"%s\"", c->what, signed_ ? "" : ", without a key", step,
           got);

    for (i = 0; i < XFR_MESSAGES; i++) {
        torii_buf_free(&s.messages[i]);
    }

    dnssync_transfer_free(t);
    torii_arena_destroy(a);
    torii_buf_free(&request);
    torii_buf_free(&text);
}


/* Those that are not about signatures are the same without a key; messages
   that the reader signs anyway then carry a record that it does not look at. */

static void
test_streams(const dnssync_key_t *key)
{
    size_t              i;
    const test_case_t  *c;

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        c = &test_cases[i];

        test_case(c, key, 1);

        if (strstr(c->sets, "sign") == NULL && strchr(c->stream, '-') == NULL
            && c->fault != XFR_LATE && c->fault != XFR_COUNT)
        {
            test_case(c, key, 0);
        }
    }
}


/* 99 messages may go without a signature, not 100. */

static void
test_many(const dnssync_key_t *key)
{
    char          text[4096], *p;
    unsigned      i, n;
    test_case_t   c;

    for (n = 99; n <= 100; n++) {
        p = text + sprintf(text, "S5");

        for (i = 0; i < n; i++) {
            p += sprintf(p, "/-w A 192.0.2.%u", i == 0 ? 1 : 2);
        }

        sprintf(p, "/S5");

        memset(&c, 0, sizeof(test_case_t));
        c.what = n == 99 ? "99 messages without" : "100 messages without";
        c.stream = text;
        c.want = n == 99 ? DNSSYNC_TRANSFER_DONE : DNSSYNC_TRANSFER_FAILED;
        c.sets = n == 99 ? "w 1 192.0.2.1|192.0.2.2" : "not signed";

        test_case(&c, key, 1);
    }
}


/* What was cut in another way than we cut keeps its form. */

static void
test_pieces(void)
{
    uint32_t             n;
    torii_buf_t          b;
    torii_arena_t       *a;
    dnssync_walk_t       w;
    dnssync_name_t       name;
    dnssync_rrset_t     *sets;
    dnssync_record_t     record;
    dnssync_records_t   *r, *again;

    static const char *const  data[] = {
        "\2" "ab\1" "c", "\1a\2" "bc", "\3" "abc", "\0\1x", "\0"
    };
    static const size_t  lens[] = { 5, 5, 4, 3, 1 };
    size_t  i;

    a = torii_arena_create(1024);
    memset(&b, 0, sizeof(torii_buf_t));
    memset(&w, 0, sizeof(dnssync_walk_t));

    name = dns_name("x." XFR_ZONE);
    dnssync_write_header(&b, 1, DNSSYNC_QR);

    for (i = 0; i < 5; i++) {
        torii_str_t  s;

        s.data = (unsigned char *) data[i];
        s.len = lens[i];
        dnssync_write_record(&b, DNSSYNC_ANSWER, &name, DNSSYNC_TXT,
                             DNSSYNC_IN, 60, s);
    }

    r = dnssync_records_create(a);

    while (dnssync_walk(&w, dns_str(&b), &record) == TORII_OK) {
        (void) dnssync_records_add(r, &w.reader, &record);
    }

    dnssync_records_sets(r, a, &sets, &n);

    tap_ok(n == 1 && sets[0].n == 5
           && torii_str_eqs(sets[0].id, "0261620163 0161026263 - 000178 -")
           && torii_str_eqs(sets[0].values[0], "abc")
           && torii_str_eqs(sets[0].values[3], "x")
           && sets[0].values[4].len == 0, "texts cut in other ways");

    b.len = 0;

    for (i = 0; i < 5; i++) {
        size_t  at = b.len;

        tap_ok(dnssync_rdata_value(&b, &sets[0], i) == TORII_OK
               && b.len - at == lens[i]
               && memcmp(b.data + at, data[i], lens[i]) == 0,
               "the data of text %zu", i);
    }

    again = dnssync_records_create(a);

    tap_ok(dnssync_records_known(again, sets, n) == TORII_OK, "they are read");

    dnssync_records_sets(again, a, &sets, &n);

    tap_ok(n == 1 && sets[0].n == 5 && sets[0].id.len == 32,
           "and are what they were");

    sets[0].id = torii_str("0261620163 0161");
    dnssync_records_free(again);
    again = dnssync_records_create(a);

    tap_ok(dnssync_records_known(again, sets, n) == TORII_ERROR,
           "fewer words than values");

    dnssync_records_free(again);
    dnssync_records_free(r);
    torii_buf_free(&b);
    torii_arena_destroy(a);
}


static void
test_serials(void)
{
    size_t  i;

    static const struct {
        uint32_t  a, b;
        int       after;
    } table[] = {
        { 2, 1, 1 }, { 1, 2, 0 }, { 1, 1, 0 }, { 0, 4294967295u, 1 },
        { 4294967295u, 0, 0 }, { 0x80000000u, 1, 1 }, { 0x80000001u, 1, 0 }
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        tap_ok(dnssync_serial_after(table[i].a, table[i].b) == table[i].after,
               "%u after %u: %d", table[i].a, table[i].b, table[i].after);
    }
}


int
main(void)
{
    const char     *why;
    dnssync_key_t  *key;

    key = dnssync_key_create(torii_str("k256"), torii_str("hmac-sha256"),
                             torii_str(DNS_SECRET), &why);

    test_serials();
    test_streams(key);
    test_many(key);
    test_pieces();

    dnssync_key_free(key);

    return tap_done();
}
