
/*
 * What authoritative servers say of whole sets of records.
 */

#include <arpa/inet.h>

#include "dns_make.h"
#include "tap.h"


typedef struct {
    const char      *what;
    unsigned         type;
    const char      *values[3];        /* that are wanted */
    const char      *records[4];       /* "TYPE DATA" of the answer */
    unsigned         flags;
    dnssync_step_e   want;
    const char      *error;
} seen_case_t;


static const seen_case_t  cases[] = {

    { "the address", DNSSYNC_A, { "192.0.2.1" }, { "A 192.0.2.1" },
      DNSSYNC_AA, DNSSYNC_DONE, NULL },
    { "two, in another order", DNSSYNC_A, { "192.0.2.1", "192.0.2.2" },
      { "A 192.0.2.2", "A 192.0.2.1" }, DNSSYNC_AA, DNSSYNC_DONE, NULL },
    { "one of two", DNSSYNC_A, { "192.0.2.1", "192.0.2.2" },
      { "A 192.0.2.2" }, DNSSYNC_AA, DNSSYNC_MISSING, "other values" },
    { "one more", DNSSYNC_A, { "192.0.2.1" },
      { "A 192.0.2.1", "A 192.0.2.2" }, DNSSYNC_AA, DNSSYNC_MISSING,
      "other values" },
    { "another one", DNSSYNC_A, { "192.0.2.1" }, { "A 192.0.2.3" },
      DNSSYNC_AA, DNSSYNC_MISSING, "other values" },
    { "the same twice", DNSSYNC_A, { "192.0.2.1", "192.0.2.2" },
      { "A 192.0.2.1", "A 192.0.2.3" }, DNSSYNC_AA, DNSSYNC_MISSING,
      "other values" },
    { "IPv6, written in another way", DNSSYNC_AAAA, { "2001:db8::1" },
      { "AAAA 2001:db8:0:0:0:0:0:1" }, DNSSYNC_AA, DNSSYNC_DONE, NULL },
    { "IPv4 for IPv6", DNSSYNC_AAAA, { "192.0.2.1" },
      { "AAAA ::ffff:192.0.2.1" }, DNSSYNC_AA, DNSSYNC_MISSING, "other" },
    { "nothing", DNSSYNC_A, { "192.0.2.1" }, { NULL }, DNSSYNC_AA,
      DNSSYNC_MISSING, "does not have" },
    { "nothing, by NXDOMAIN", DNSSYNC_A, { "192.0.2.1" }, { NULL },
      DNSSYNC_AA | DNSSYNC_NXDOMAIN, DNSSYNC_MISSING, "does not have" },
    { "an alias", DNSSYNC_CNAME, { "Target.example" },
      { "CNAME target.example" }, DNSSYNC_AA, DNSSYNC_DONE, NULL },
    { "an alias of another", DNSSYNC_CNAME, { "target.example" },
      { "CNAME target.test" }, DNSSYNC_AA, DNSSYNC_MISSING, "other values" },
    { "an alias in place of an address", DNSSYNC_A, { "192.0.2.1" },
      { "CNAME target.example" }, DNSSYNC_AA, DNSSYNC_MISSING, "alias" },
    { "an address in place of an alias", DNSSYNC_CNAME, { "target.example" },
      { "A 192.0.2.1" }, DNSSYNC_AA, DNSSYNC_MISSING, "does not have" },
    { "a text", DNSSYNC_TXT, { "owner=a" }, { "TXT owner=a" }, DNSSYNC_AA,
      DNSSYNC_DONE, NULL },
    { "another text", DNSSYNC_TXT, { "owner=a" }, { "TXT owner=b" },
      DNSSYNC_AA, DNSSYNC_MISSING, "other values" },
    { "gone", DNSSYNC_A, { NULL }, { NULL }, DNSSYNC_AA | DNSSYNC_NXDOMAIN,
      DNSSYNC_DONE, NULL },
    { "gone, but others are there", DNSSYNC_A, { NULL }, { "TXT x" },
      DNSSYNC_AA, DNSSYNC_DONE, NULL },
    { "not gone", DNSSYNC_A, { NULL }, { "A 192.0.2.1" }, DNSSYNC_AA,
      DNSSYNC_MISSING, "still has" },
    { "not authoritative", DNSSYNC_A, { "192.0.2.1" }, { "A 192.0.2.1" }, 0,
      DNSSYNC_FAILED, "not authoritative" },
    { "gone, says one that does not know", DNSSYNC_A, { NULL }, { NULL },
      DNSSYNC_NXDOMAIN, DNSSYNC_FAILED, "not authoritative" },
    { "REFUSED", DNSSYNC_A, { NULL }, { NULL }, DNSSYNC_AA | DNSSYNC_REFUSED,
      DNSSYNC_FAILED, "REFUSED" },
    { "truncated", DNSSYNC_A, { NULL }, { NULL }, DNSSYNC_AA | DNSSYNC_TC,
      DNSSYNC_TRUNCATED, "truncated" },
    { "a short address", DNSSYNC_A, { "192.0.2.1" }, { "A -" }, DNSSYNC_AA,
      DNSSYNC_MISSING, "other values" }
};


static void
seen_record(torii_buf_t *b, const char *record)
{
    char            line[256];
    unsigned        type;
    torii_str_t     data;
    dnssync_name_t  name;
    unsigned char   bytes[16];

    if (record[0] != 'A') {
        snprintf(line, sizeof(line), "a.example %s", record);
        dns_add(b, DNSSYNC_ANSWER, line);
        return;
    }

    name = dns_name("a.example");
    type = record[1] == 'A' ? DNSSYNC_AAAA : DNSSYNC_A;
    record = strchr(record, ' ') + 1;

    data.data = bytes;
    data.len = type == DNSSYNC_A ? 4 : 16;

    if (inet_pton(type == DNSSYNC_A ? AF_INET : AF_INET6, record, bytes) != 1) {
        data.len = 3;
    }

    dnssync_write_record(b, DNSSYNC_ANSWER, &name, type, DNSSYNC_IN, 60,
                         data);
}


static void
test_cases(void)
{
    char                error[DNSSYNC_ERROR_MAX];
    size_t              i;
    uint32_t            n, k;
    torii_buf_t         request, answer;
    torii_str_t         values[3];
    dnssync_step_e      step;
    const seen_case_t  *c;

    memset(&request, 0, sizeof(torii_buf_t));
    memset(&answer, 0, sizeof(torii_buf_t));

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        c = &cases[i];

        request.len = 0;
        (void) dnssync_question(&request, 7, torii_str("A.example."), c->type);

        dns_answer(&answer, dns_str(&request), c->flags);

        for (k = 0; k < 4 && c->records[k]; k++) {
            seen_record(&answer, c->records[k]);
        }

        for (n = 0; n < 3 && c->values[n]; n++) {
            values[n] = torii_str(c->values[n]);
        }

        error[0] = '\0';
        step = dnssync_set_answer(dns_str(&answer), dns_str(&request), values,
                                  n, error);

        tap_ok(step == c->want && (c->error == NULL
                                   || strstr(error, c->error) != NULL),
               "%s: %s", c->what, error);
    }

    torii_buf_free(&request);
    torii_buf_free(&answer);
}


/* A server may say anything: no part of an answer is one. */

static void
test_cut(void)
{
    char            error[DNSSYNC_ERROR_MAX];
    size_t          len;
    unsigned        done;
    torii_buf_t     request, answer;
    torii_str_t     value, part;

    memset(&request, 0, sizeof(torii_buf_t));
    memset(&answer, 0, sizeof(torii_buf_t));

    (void) dnssync_question(&request, 7, torii_str("a.example"), DNSSYNC_A);
    dns_answer(&answer, dns_str(&request), DNSSYNC_AA);
    seen_record(&answer, "A 192.0.2.1");

    value = torii_str("192.0.2.1");
    done = 0;

    for (len = 0; len < answer.len; len++) {
        part.data = torii_malloc(len + 1);
        part.len = len;
        memcpy(part.data, answer.data, len);

        done += dnssync_set_answer(part, dns_str(&request), &value, 1, error)
                == DNSSYNC_DONE;
        free(part.data);
    }

    tap_ok(done == 0, "no beginning of an answer is one");

    torii_buf_free(&request);
    torii_buf_free(&answer);
}


int
main(void)
{
    test_cases();
    test_cut();

    return tap_done();
}
