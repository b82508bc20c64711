
/* RESP2: commands as bytes; replies whole, in pieces, and malformed. */

#include "tap.h"
#include "torii_resp.h"


typedef struct {
    const char    *in;
    int            rc;
    torii_resp_e   type;
    const char    *text;           /* or of the first item */
    uint32_t       n;
} test_case_t;


static const test_case_t  test_cases[] = {

    { "+OK\r\n", TORII_OK, TORII_RESP_STATUS, "OK", 0 },
    { "-WRONGPASS no\r\n", TORII_OK, TORII_RESP_ERROR, "WRONGPASS no", 0 },
    { ":42\r\n", TORII_OK, TORII_RESP_NUMBER, "", 0 },
    { ":-1\r\n", TORII_OK, TORII_RESP_NUMBER, "", 0 },
    { "$3\r\na\nb\r\n", TORII_OK, TORII_RESP_STRING, "a\nb", 0 },
    { "$0\r\n\r\n", TORII_OK, TORII_RESP_STRING, "", 0 },
    { "$-1\r\n", TORII_OK, TORII_RESP_NIL, "", 0 },
    { "*-1\r\n", TORII_OK, TORII_RESP_NIL, "", 0 },
    { "*0\r\n", TORII_OK, TORII_RESP_ARRAY, "", 0 },
    { "*2\r\n$1\r\nx\r\n$-1\r\n", TORII_OK, TORII_RESP_ARRAY, "x", 2 },

    { "+OK\n", TORII_ERROR, 0, NULL, 0 },
    { "+O\rK\r\n", TORII_ERROR, 0, NULL, 0 },
    { "\r\n", TORII_ERROR, 0, NULL, 0 },
    { "OK\r\n", TORII_ERROR, 0, NULL, 0 },
    { ":\r\n", TORII_ERROR, 0, NULL, 0 },
    { ":4x\r\n", TORII_ERROR, 0, NULL, 0 },
    { ":99999999999999999999\r\n", TORII_ERROR, 0, NULL, 0 },
    { "$-2\r\n", TORII_ERROR, 0, NULL, 0 },
    { "$3\r\nabcd\r\n", TORII_ERROR, 0, NULL, 0 },
    { "$262145\r\n", TORII_ERROR, 0, NULL, 0 },
    { "*-2\r\n", TORII_ERROR, 0, NULL, 0 },
    { "*9\r\n", TORII_ERROR, 0, NULL, 0 },
    { "*1\r\n*1\r\n+OK\r\n", TORII_ERROR, 0, NULL, 0 },
    { "HTTP/1.1 400 Bad Request\r\n", TORII_ERROR, 0, NULL, 0 }
};


static void
test_case(const test_case_t *t)
{
    int                  rc, early;
    size_t               i, used;
    torii_str_t          in;
    torii_resp_t         reply;
    torii_resp_value_t  *v;

    in = torii_str(t->in);
    used = 0;

    rc = torii_resp_read(in, &used, &reply);

    if (rc != t->rc) {
        tap_ok(0, "case %d: %d", (int) (t - test_cases), rc);
        return;
    }

    if (rc != TORII_OK) {
        tap_ok(1, "case %d is refused", (int) (t - test_cases));
        return;
    }

    v = reply.n ? &reply.items[0] : &reply.value;

    /* no beginning of it is a reply, or wrong */

    early = 0;

    for (i = 0; i < in.len; i++) {
        torii_resp_t  part;
        torii_str_t   head;

        head.data = in.data;
        head.len = i;
        early += torii_resp_read(head, &used, &part) != TORII_AGAIN;
    }

    (void) torii_resp_read(in, &used, &reply);

    tap_ok(reply.value.type == t->type && reply.n == t->n
           && torii_str_eqs(v->text, t->text) && used == in.len && early == 0,
           "case %d is read, and its beginnings wait",
           (int) (t - test_cases));
}


static void
test_long_line(void)
{
    size_t         used;
    torii_str_t    in;
    torii_resp_t   reply;
    unsigned char  line[TORII_RESP_LINE + 8];

    memset(line, 'a', sizeof(line));
    line[0] = '+';

    in.data = line;
    in.len = TORII_RESP_LINE - 1;

    tap_ok(torii_resp_read(in, &used, &reply) == TORII_AGAIN,
           "a long line is waited for");

    in.len = sizeof(line);

    tap_ok(torii_resp_read(in, &used, &reply) == TORII_ERROR,
           "an endless one is not");
}


static void
test_two(void)
{
    size_t        used;
    torii_str_t   in;
    torii_resp_t  reply;

    in = torii_str("$2\r\nab\r\n+OK\r\n");

    tap_ok(torii_resp_read(in, &used, &reply) == TORII_OK && used == 8,
           "the first of two is read");

    in.data += used;
    in.len -= used;

    tap_ok(torii_resp_read(in, &used, &reply) == TORII_OK
           && torii_str_eqs(reply.value.text, "OK") && used == in.len,
           "and the second");
}


static void
test_command(void)
{
    torii_buf_t  b;
    torii_str_t  s;

    memset(&b, 0, sizeof(torii_buf_t));

    torii_resp_begin(&b, 4);
    torii_resp_adds(&b, "SET");
    torii_resp_add(&b, torii_str("a\r\nb"));
    torii_resp_add(&b, torii_str(""));
    torii_resp_add_number(&b, -12);

    s.data = b.data;
    s.len = b.len;

    tap_ok(torii_str_eqs(s, "*4\r\n$3\r\nSET\r\n$4\r\na\r\nb\r\n$0\r\n\r\n"
                            "$3\r\n-12\r\n"),
           "arguments are counted, whatever is in them");

    torii_buf_free(&b);
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        test_case(&test_cases[i]);
    }

    test_long_line();
    test_two();
    test_command();

    return tap_done();
}
