
/*
 * A TXT value added and removed: finding the zone, what each answer leads to;
 * and the questions about a name, its aliases and its servers.
 */

#include "tap.h"
#include "dns_make.h"


#define TEST_NOW    1700000000
#define TEST_NAME   "_acme-challenge.www.a.example"


/* What the server answers, one after the other. */

typedef struct {
    const char      *asked;        /* name of the question or of the zone */
    unsigned         flags;        /* AA, TC, rcode */
    const char      *records[3];   /* "+…": in the answer, else authority */
    unsigned         sign;         /* TEST_… */
} test_step_t;

#define TEST_GOOD   0
#define TEST_NO     1              /* not signed */
#define TEST_BAD    2              /* by another secret */
#define TEST_OLD    3
#define TEST_KEY    4              /* BADKEY */
#define TEST_SIG    5              /* BADSIG */
#define TEST_TIME   6              /* BADTIME */

typedef struct {
    const char      *what;
    dnssync_step_e   want;         /* of the last answer */
    const char      *error;        /* part of it */
    test_step_t      steps[6];
} test_case_t;


#define TEST_SOA  TEST_NAME, DNSSYNC_AA | DNSSYNC_NXDOMAIN,                   \
                  { "a.example SOA", NULL, NULL }

static const test_case_t  test_cases[] = {
    { "the zone at once", DNSSYNC_DONE, "",
      { { TEST_SOA, 0 }, { "a.example", 0, { NULL, NULL, NULL }, 0 } } },

    { "the name is the zone", DNSSYNC_DONE, "",
      { { TEST_NAME, DNSSYNC_AA, { "+" TEST_NAME " SOA", NULL, NULL }, 0 },
        { TEST_NAME, 0, { NULL, NULL, NULL }, 0 } } },

    { "climbing, refused on the way", DNSSYNC_DONE, "",
      { { TEST_NAME, DNSSYNC_REFUSED, { NULL, NULL, NULL }, 0 },
        { "www.a.example", DNSSYNC_NOTAUTH, { NULL, NULL, NULL }, 0 },
        { "a.example", DNSSYNC_AA, { "+a.example SOA", NULL, NULL }, 0 },
        { "a.example", 0, { NULL, NULL, NULL }, 0 } } },

    { "an alias of a name with a SOA record", DNSSYNC_DONE, "",
      { { TEST_NAME, DNSSYNC_AA, { "+" TEST_NAME " CNAME b.other",
                                   "+b.other SOA", "other SOA" }, 0 },
        { "www.a.example", DNSSYNC_AA, { "a.example SOA", NULL, NULL }, 0 },
        { "a.example", 0, { NULL, NULL, NULL }, 0 } } },

    { "no zone", DNSSYNC_FAILED, "no zone for \"" TEST_NAME "\", or does not",
      { { TEST_NAME, DNSSYNC_REFUSED, { NULL, NULL, NULL }, 0 },
        { "www.a.example", DNSSYNC_REFUSED, { NULL, NULL, NULL }, 0 },
        { "a.example", DNSSYNC_REFUSED, { NULL, NULL, NULL }, 0 },
        { "example", 0, { ". SOA", NULL, NULL }, 0 } } },

    { "delegated to others", DNSSYNC_FAILED, "\"www.a.example\" is delegated",
      { { TEST_NAME, 0, { "www.a.example NS ns.other", NULL, NULL }, 0 },
        { "www.a.example", 0, { "www.a.example NS ns.other", NULL, NULL },
          0 },
        { "a.example", DNSSYNC_AA, { "+a.example SOA", NULL, NULL }, 0 } } },

    { "the zone is not signed for", DNSSYNC_DONE, "",
      { { TEST_SOA, TEST_NO },
        { "a.example", 0, { NULL, NULL, NULL }, 0 } } },

    { "truncated", DNSSYNC_TRUNCATED, "",
      { { TEST_NAME, DNSSYNC_TC, { NULL, NULL, NULL }, 0 } } },

    { "a broken server", DNSSYNC_FAILED, "answered SERVFAIL",
      { { TEST_NAME, DNSSYNC_SERVFAIL, { NULL, NULL, NULL }, 0 } } },

    { "unknown key", DNSSYNC_FAILED, "BADKEY",
      { { TEST_NAME, DNSSYNC_NOTAUTH, { NULL, NULL, NULL }, TEST_KEY } } },

    { "another secret", DNSSYNC_FAILED, "BADSIG",
      { { TEST_NAME, DNSSYNC_NOTAUTH, { NULL, NULL, NULL }, TEST_SIG } } },

    { "another clock", DNSSYNC_FAILED, "clock is 100 seconds ahead",
      { { TEST_NAME, DNSSYNC_NOTAUTH, { NULL, NULL, NULL }, TEST_TIME } } },

    { "the zone by a wrong signature", DNSSYNC_IGNORED, "is wrong",
      { { TEST_SOA, TEST_BAD } } },

    { "an old signature", DNSSYNC_IGNORED, "clock is 4000 seconds behind",
      { { TEST_SOA, TEST_OLD } } },

    { "updated by a wrong signature", DNSSYNC_IGNORED, "is wrong",
      { { TEST_SOA, 0 },
        { "a.example", 0, { NULL, NULL, NULL }, TEST_BAD } } },

    { "updated without a signature", DNSSYNC_IGNORED, "is not signed",
      { { TEST_SOA, 0 },
        { "a.example", 0, { NULL, NULL, NULL }, TEST_NO } } },

    { "refused without a signature", DNSSYNC_FAILED, "REFUSED: it does not",
      { { TEST_SOA, 0 },
        { "a.example", DNSSYNC_REFUSED, { NULL, NULL, NULL }, TEST_NO } } },

    { "not the primary", DNSSYNC_FAILED,
      "zone \"a.example\" was answered NOTAUTH: it is not the primary",
      { { TEST_SOA, 0 },
        { "a.example", DNSSYNC_NOTAUTH, { NULL, NULL, NULL }, 0 } } },

    { "not in the zone", DNSSYNC_FAILED, "NOTZONE",
      { { TEST_SOA, 0 },
        { "a.example", DNSSYNC_NOTZONE, { NULL, NULL, NULL }, 0 } } },

    { "no updates", DNSSYNC_FAILED, "NOTIMP: it does not take dynamic",
      { { TEST_SOA, 0 },
        { "a.example", DNSSYNC_NOTIMP, { NULL, NULL, NULL }, 0 } } },

    { "an alias", DNSSYNC_FAILED, "the name is an alias",
      { { TEST_SOA, 0 },
        { "a.example", DNSSYNC_YXRRSET, { NULL, NULL, NULL }, 0 } } },

    { "a code of tomorrow", DNSSYNC_FAILED, "an unknown code",
      { { TEST_SOA, 0 },
        { "a.example", 15, { NULL, NULL, NULL }, 0 } } },

    { NULL, 0, NULL, { { NULL, 0, { NULL, NULL, NULL }, 0 } } }
};


static const dns_sign_t  test_signs[] = {
    { "k", DNS_SECRET, TEST_NOW, 0, NULL, 0, 0 },
    { "", "", 0, 0, NULL, 0, 0 },
    { "k", "secret", TEST_NOW, 0, NULL, 0, 0 },
    { "k", DNS_SECRET, TEST_NOW - 4000, 0, NULL, 0, 0 },
    { "k", DNS_SECRET, TEST_NOW, DNSSYNC_BADKEY, NULL, 0, 1 },
    { "k", DNS_SECRET, TEST_NOW, DNSSYNC_BADSIG, NULL, 0, 1 },
    { "k", DNS_SECRET, TEST_NOW, DNSSYNC_BADTIME, "\0\0\x65\x53\xf1\x64", 0,
      0 }
};


static void
test_records(torii_buf_t *b, const char *const *records)
{
    unsigned  i, answer;

    /* the sections in their order */

    for (answer = 2; answer--; /* void */) {
        for (i = 0; i < 3 && records[i]; i++) {

            if ((records[i][0] == '+') == (int) answer) {
                dns_add(b, answer ? DNSSYNC_ANSWER : DNSSYNC_AUTHORITY,
                        records[i] + answer);
            }
        }
    }
}


/* Whether a request asks for, or is an update of, this name. */

static int
test_asks(const torii_buf_t *request, const char *name)
{
    unsigned          type, class;
    dnssync_name_t    asked, want;
    dnssync_reader_t  r;

    want = dns_name(name);

    r = dnssync_reader(dns_str(request));
    (void) dnssync_read_bytes(&r, DNSSYNC_HEADER);
    dnssync_read_question(&r, &asked, &type, &class);

    return !r.failed && type == DNSSYNC_SOA && dnssync_name_eq(&asked, &want);
}


static void
test_change(const test_case_t *t, dnssync_key_t *key)
{
    int                 ok;
    const char         *why;
    torii_buf_t         request, answer;
    dnssync_mac_t       mac;
    dnssync_step_e      step;
    dnssync_change_t   *c;
    const test_step_t  *s;

    memset(&request, 0, sizeof(torii_buf_t));
    memset(&answer, 0, sizeof(torii_buf_t));

    c = dnssync_change_txt(torii_str(TEST_NAME), torii_str("value"), 1, 60,
                           key, &why);
    step = DNSSYNC_MORE;
    ok = 1;

    for (s = t->steps; s->asked; s++) {
        request.len = 0;

        ok = ok && step == DNSSYNC_MORE
             && dnssync_change_request(c, TEST_NOW, 7, &request) == TORII_OK
             && test_asks(&request, s->asked);

        dns_answer(&answer, dns_str(&request), s->flags);
        test_records(&answer, s->records);

        if (s->sign != TEST_NO) {
            mac.len = 32;
            memcpy(mac.data, request.data + request.len - 38, 32);
            dns_sign(&answer, &mac, &test_signs[s->sign]);
        }

        step = dnssync_change_answer(c, TEST_NOW, dns_str(&answer));
    }

    ok = ok && step == t->want
         && (t->error[0] ? strstr(dnssync_change_error(c), t->error) != NULL
                         : dnssync_change_error(c)[0] == '\0');

    tap_ok(ok, "%s: %s", t->what, dnssync_change_error(c));

    dnssync_change_free(c);
    torii_buf_free(&request);
    torii_buf_free(&answer);
}


static void
test_changes(void)
{
    const char         *why;
    dnssync_key_t      *key;
    const test_case_t  *t;

    key = dnssync_key_create(torii_str("k"), torii_str("HMACSHA256"),
                             torii_str(DNS_SECRET), &why);

    for (t = test_cases; t->what; t++) {
        test_change(t, key);
    }

    dnssync_key_free(key);

    tap_ok(dnssync_change_txt(torii_str("a..b"), torii_str("v"), 1, 60, NULL,
                              &why) == NULL
           && dnssync_change_txt(torii_str("."), torii_str("v"), 1, 60, NULL,
                                 &why) == NULL
           && dnssync_change_txt(torii_str("a"), torii_str(""), 1, 60, NULL,
                                 &why) == NULL, "no name, no value");
}


/* The update without a key, and what is in it. */

static void
test_messages(void)
{
    int                add;
    unsigned           n;
    const char        *why;
    torii_buf_t        b, answer;
    dnssync_walk_t     w;
    dnssync_record_t   records[4];
    dnssync_change_t  *c;

    memset(&b, 0, sizeof(torii_buf_t));
    memset(&answer, 0, sizeof(torii_buf_t));

    for (add = 0; add < 2; add++) {
        c = dnssync_change_txt(torii_str("X.a.example."), torii_str("value"),
                               add, 60, NULL, &why);

        b.len = 0;
        (void) dnssync_change_request(c, TEST_NOW, 7, &b);
        dns_answer(&answer, dns_str(&b), DNSSYNC_AA);
        dns_add(&answer, DNSSYNC_AUTHORITY, "a.example SOA");
        (void) dnssync_change_answer(c, TEST_NOW, dns_str(&answer));

        b.len = 0;
        (void) dnssync_change_request(c, TEST_NOW, 8, &b);

        memset(&w, 0, sizeof(dnssync_walk_t));

        for (n = 0; n < 4; n++) {
            if (dnssync_walk(&w, dns_str(&b), &records[n]) != TORII_OK) {
                break;
            }
        }

        if (add) {
            tap_ok(n == 2 && records[0].class == DNSSYNC_NONE
                   && records[0].type == DNSSYNC_CNAME
                   && records[1].class == DNSSYNC_IN && records[1].ttl == 60
                   && torii_str_eqs(records[1].data, "\5value"),
                   "added unless it is an alias");

        } else {
            tap_ok(n == 1 && records[0].class == DNSSYNC_NONE
                   && records[0].type == DNSSYNC_TXT && records[0].ttl == 0
                   && torii_str_eqs(records[0].data, "\5value"),
                   "this very value is removed");
        }

        dnssync_change_free(c);
    }

    torii_buf_free(&b);
    torii_buf_free(&answer);
}


static void
test_txt(void)
{
    char            error[DNSSYNC_ERROR_MAX];
    size_t          i;
    torii_buf_t     request, answer;
    dnssync_step_e  step;

    static const struct {
        const char      *what;
        unsigned         flags;
        const char      *records[3];
        dnssync_step_e   want;
        const char      *error;
    } table[] = {
        { "the value among others", DNSSYNC_AA,
          { "+a.example TXT other", "+a.example TXT value", NULL },
          DNSSYNC_DONE, "" },
        { "another value", DNSSYNC_AA,
          { "+a.example TXT values", "+a.example TXT valu", NULL },
          DNSSYNC_MISSING, "other values" },
        { "the value elsewhere", DNSSYNC_AA,
          { "+b.example TXT value", "a.example TXT value", NULL },
          DNSSYNC_MISSING, "not have the record" },
        { "no name", DNSSYNC_AA | DNSSYNC_NXDOMAIN,
          { "example SOA", NULL, NULL }, DNSSYNC_MISSING, "not have" },
        { "an alias", DNSSYNC_AA,
          { "+a.example CNAME b.example", "+b.example TXT value", NULL },
          DNSSYNC_MISSING, "alias" },
        { "by hearsay", 0, { "+a.example TXT value", NULL, NULL },
          DNSSYNC_FAILED, "not authoritative" },
        { "refused", DNSSYNC_REFUSED, { NULL, NULL, NULL }, DNSSYNC_FAILED,
          "REFUSED" },
        { "truncated", DNSSYNC_AA | DNSSYNC_TC,
          { "+a.example TXT value", NULL, NULL }, DNSSYNC_TRUNCATED,
          "truncated" }
    };

    memset(&request, 0, sizeof(torii_buf_t));
    memset(&answer, 0, sizeof(torii_buf_t));

    (void) dnssync_question(&request, 7, torii_str("a.example"), DNSSYNC_TXT);

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        error[0] = '\0';
        dns_answer(&answer, dns_str(&request), table[i].flags);
        test_records(&answer, table[i].records);

        step = dnssync_txt_answer(dns_str(&answer), dns_str(&request),
                                  torii_str("value"), error);

        tap_ok(step == table[i].want && strstr(error, table[i].error),
               "TXT: %s", table[i].what);
    }

    answer.data[0] ^= 1;

    tap_ok(dnssync_txt_answer(dns_str(&answer), dns_str(&request),
                              torii_str("value"), error) == DNSSYNC_IGNORED,
           "TXT: another id");

    torii_buf_free(&request);
    torii_buf_free(&answer);
}


/* Values of more than one string. */

static void
test_long(void)
{
    char            value[700], error[DNSSYNC_ERROR_MAX];
    size_t          i;
    torii_buf_t     request, answer, data;
    torii_str_t     s;
    dnssync_step_e  step;
    dnssync_name_t  name;

    static const size_t  lengths[] = { 1, 254, 255, 256, 510, 511, 700 };

    memset(value, 'x', sizeof(value));
    memset(&request, 0, sizeof(torii_buf_t));
    memset(&answer, 0, sizeof(torii_buf_t));
    memset(&data, 0, sizeof(torii_buf_t));

    name = dns_name("a.example");
    (void) dnssync_question(&request, 7, torii_str("a.example"), DNSSYNC_TXT);

    for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        s.data = (unsigned char *) value;
        s.len = lengths[i];

        data.len = 0;
        dnssync_write_txt(&data, s);
        dns_answer(&answer, dns_str(&request), DNSSYNC_AA);
        dnssync_write_record(&answer, DNSSYNC_ANSWER, &name, DNSSYNC_TXT,
                             DNSSYNC_IN, 60, dns_str(&data));

        step = dnssync_txt_answer(dns_str(&answer), dns_str(&request), s,
                                  error);

        tap_ok(step == DNSSYNC_DONE && data.len == s.len + (s.len + 254) / 255,
               "a value of %zu bytes", s.len);
    }

    torii_buf_free(&request);
    torii_buf_free(&answer);
    torii_buf_free(&data);
}


typedef struct {
    const char      *asked;        /* "NAME TYPE" */
    unsigned         rcode;
    const char      *records[3];
} test_ask_t;

typedef struct {
    const char      *what;
    int              follow;
    int              servers;
    const char      *want;         /* the name, then its servers */
    test_ask_t       asks[12];
} test_find_t;

static const test_find_t  test_finds[] = {
    { "by the SOA record", 0, 1, TEST_NAME " ns1.other ns2.other",
      { { TEST_NAME " 2", DNSSYNC_NXDOMAIN, { "a.example SOA", NULL, NULL } },
        { "a.example 2", 0, { "+a.example NS ns1.other",
                              "+a.example NS ns2.other", NULL } } } },

    { "by climbing", 0, 1, TEST_NAME " ns1.other",
      { { TEST_NAME " 2", 0, { NULL, NULL, NULL } },
        { "www.a.example 2", 0, { "other SOA", "+b NS ns1.bad", NULL } },
        { "a.example 2", 0, { "+a.example NS ns1.other", NULL, NULL } } } },

    { "behind aliases", 1, 1, "c.other ns1.other",
      { { TEST_NAME " 5", 0, { "+" TEST_NAME " CNAME b.example", NULL,
                               NULL } },
        { "b.example 5", 0, { "+b.example CNAME C.other", NULL, NULL } },
        { "c.other 5", DNSSYNC_NXDOMAIN, { "other SOA", NULL, NULL } },
        { "c.other 2", DNSSYNC_NXDOMAIN, { "other SOA", NULL, NULL } },
        { "other 2", 0, { "+other NS ns1.other", NULL, NULL } } } },

    { "the alias only", 1, 0, "b.example",
      { { TEST_NAME " 5", 0, { "+" TEST_NAME " CNAME b.example", NULL,
                               NULL } },
        { "b.example 5", 0, { NULL, NULL, NULL } } } },

    { "aliases in a circle", 1, 1, "too many aliases",
      { { TEST_NAME " 5", 0, { "+" TEST_NAME " CNAME b", NULL, NULL } },
        { "b 5", 0, { "+b CNAME c", NULL, NULL } },
        { "c 5", 0, { "+c CNAME b", NULL, NULL } },
        { "b 5", 0, { "+b CNAME c", NULL, NULL } },
        { "c 5", 0, { "+c CNAME b", NULL, NULL } },
        { "b 5", 0, { "+b CNAME c", NULL, NULL } },
        { "c 5", 0, { "+c CNAME b", NULL, NULL } },
        { "b 5", 0, { "+b CNAME c", NULL, NULL } },
        { "c 5", 0, { "+c CNAME b", NULL, NULL } } } },

    { "the zone without servers", 0, 1, "no name servers",
      { { TEST_NAME " 2", 0, { "a.example SOA", NULL, NULL } },
        { "a.example 2", 0, { "a.example SOA", NULL, NULL } },
        { "example 2", 0, { ". SOA", NULL, NULL } } } },

    { "a resolver that fails", 0, 1, "SERVFAIL",
      { { TEST_NAME " 2", DNSSYNC_SERVFAIL, { NULL, NULL, NULL } } } },

    { NULL, 0, 0, NULL, { { NULL, 0, { NULL, NULL, NULL } } } }
};


static void
test_find(const test_find_t *t)
{
    int                ok;
    char               text[2000];
    size_t             len;
    unsigned           i, type;
    const char        *question;
    torii_buf_t        request, answer;
    dnssync_find_t    *f;
    dnssync_step_e     step;
    const test_ask_t  *a;

    memset(&request, 0, sizeof(torii_buf_t));
    memset(&answer, 0, sizeof(torii_buf_t));

    f = dnssync_find_create(torii_str(TEST_NAME), t->follow, t->servers);
    step = DNSSYNC_MORE;
    ok = 1;

    for (a = t->asks; a->asked; a++) {
        question = dnssync_find_question(f, &type);
        snprintf(text, sizeof(text), "%s %u", question, type);
        ok = ok && step == DNSSYNC_MORE && strcmp(text, a->asked) == 0;

        request.len = 0;
        (void) dnssync_question(&request, 7, torii_str(question), type);
        dns_answer(&answer, dns_str(&request), a->rcode);
        test_records(&answer, a->records);

        step = dnssync_find_answer(f, dns_str(&answer));
    }

    if (step == DNSSYNC_FAILED) {
        ok = ok && strstr(dnssync_find_error(f), t->want);

    } else {
        len = snprintf(text, sizeof(text), "%s", dnssync_find_name(f));

        for (i = 0; dnssync_find_server(f, i); i++) {
            len += snprintf(text + len, sizeof(text) - len, " %s",
                            dnssync_find_server(f, i));
        }

        ok = ok && step == DNSSYNC_DONE && strcmp(text, t->want) == 0;
    }

    tap_ok(ok, "servers: %s", t->what);

    dnssync_find_free(f);
    torii_buf_free(&request);
    torii_buf_free(&answer);
}


int
main(void)
{
    const test_find_t  *t;

    test_changes();
    test_messages();
    test_txt();
    test_long();

    for (t = test_finds; t->what; t++) {
        test_find(t);
    }

    return tap_done();
}
