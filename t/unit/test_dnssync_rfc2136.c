
/*
 * The RFC 2136 driver against a server of a few lines: settings, questions,
 * transfers.
 */

#include "rfc2136_world.h"


static void
test_settings(void)
{
    size_t              i;
    torii_str_t         why;
    dnssync_op_t       *op;
    dnssync_account_t  *account;

    static const struct {
        const char  *settings;
        const char  *server;           /* of the first question, or why not */
        int          good;
    } table[] = {
        { WORLD_SERVER WORLD_KEYED, "192.0.2.53:53", 1 },
        { "provider=rfc2136;server=ns.a.test:5353;zones=a.test;" WORLD_KEYED,
          "ns.a.test:5353", 1 },
        { "provider=rfc2136;server=2001:db8::1;zones=a.test;" WORLD_KEYED,
          "[2001:db8::1]:53", 1 },
        { "provider=rfc2136;server=[2001:db8::1];zones=a.test;" WORLD_KEYED,
          "[2001:db8::1]:53", 1 },
        { "provider=rfc2136;server=[2001:db8::1]:54, b;zones=a.test;"
          WORLD_KEYED, "[2001:db8::1]:54", 1 },
        { "provider=rfc2136;rfc2136-host=192.0.2.1;rfc2136-port=54;"
          "rfc2136-zone=A.test.;rfc2136-tsig-keyname=k.;"
          "rfc2136-tsig-secret-alg=HMAC-SHA512;rfc2136-tsig-secret=" WORLD_B64,
          "192.0.2.1:54", 1 },
        { WORLD_SERVER "insecure=true", "192.0.2.53:53", 1 },
        { WORLD_SERVER "tls=true;" WORLD_KEYED, "192.0.2.53:853", 1 },
        { WORLD_SERVER, "insecure", 0 },
        { WORLD_SERVER "insecure=perhaps", "neither", 0 },
        { WORLD_SERVER "insecure=true;" WORLD_KEYED, "and a TSIG key", 0 },
        { WORLD_SERVER "tsig-key-name=k", "tsig-secret is not set", 0 },
        { WORLD_SERVER "tsig-secret=" WORLD_B64, "key-name is not set", 0 },
        { WORLD_SERVER "tsig-key-name=k;tsig-secret=a", "base64", 0 },
        { WORLD_SERVER "tsig-algorithm=md4;" WORLD_KEYED, "algorithm", 0 },
        { WORLD_SERVER "tls=maybe;" WORLD_KEYED, "tls", 0 },
        { "provider=rfc2136;zones=a.test;" WORLD_KEYED, "server", 0 },
        { "provider=rfc2136;server=a:b:c;zones=a.test;" WORLD_KEYED,
          "host:port", 0 },
        { "provider=rfc2136;server=a:0;zones=a.test;" WORLD_KEYED,
          "host:port", 0 },
        { "provider=rfc2136;server=[::1;zones=a.test;" WORLD_KEYED,
          "host:port", 0 },
        { "provider=rfc2136;server=a;" WORLD_KEYED, "zones is not set", 0 },
        { "provider=rfc2136;server=a;zones=a..b;" WORLD_KEYED,
          "no name of a zone", 0 },
        { "provider=rfc2136;server=a;zones=.;" WORLD_KEYED,
          "no name of a zone", 0 },
        { "provider=rfc2136;server=a;zones=a.test;rfc2136-port=x;" WORLD_KEYED,
          "no port", 0 }
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        account = world_account(table[i].settings, &why);
        op = NULL;

        if (why.len == 0) {
            op = dnssync_op_create(account, DNSSYNC_OP_ZONES);
            (void) dnssync_op_go(op, WORLD_MS);
            why = op->request.server;
        }

        tap_ok((op != NULL) == table[i].good
               && (table[i].good ? torii_str_eqs(why, table[i].server)
                   : strstr((char *) why.data, table[i].server) != NULL)
               && strstr((char *) why.data, WORLD_B64) == NULL,
               "\"%.60s\": %.*s", table[i].settings, torii_str_arg(why));

        dnssync_op_free(op);
        dnssync_account_free(account);
    }
}


typedef enum {
    TEST_PLAIN = 1,            /* not signed */
    TEST_OTHER,                /* by another secret */
    TEST_ID,                   /* of another request */
    TEST_TC,
    TEST_NOT_AA,
    TEST_NONE,                 /* no SOA record */
    TEST_BADKEY
} test_how_e;


static void
test_soa(torii_buf_t *b, const dnssync_op_t *op, unsigned rcode,
    test_how_e how)
{
    dns_sign_t     sign = { "k256", DNS_SECRET, XFR_NOW, 0, NULL, 0, 0 };
    dnssync_mac_t  mac;

    mac = world_mac(op->request.message);

    dns_answer(b, op->request.message,
               rcode | (how == TEST_NOT_AA ? 0 : DNSSYNC_AA)
               | (how == TEST_TC ? DNSSYNC_TC : 0));

    if (rcode == 0 && how != TEST_NONE) {
        xfr_soa(b, 7);
    }

    if (how == TEST_ID) {
        b->data[0] ^= 1;
    }

    if (how == TEST_OTHER) {
        sign.secret = "other";
    }

    if (how == TEST_BADKEY) {
        sign.error = DNSSYNC_BADKEY;
        sign.empty = 1;
    }

    if (how != TEST_PLAIN) {
        dns_sign(b, &mac, &sign);
    }
}


static void
test_probe(void)
{
    size_t              i;
    torii_str_t         why;
    torii_buf_t         b;
    dnssync_op_t       *op;
    dnssync_account_t  *account;
    dnssync_op_step_e   step;

    static const struct {
        const char         *what;
        unsigned            rcode;
        test_how_e          how;
        dnssync_op_step_e   step;
        dnssync_trouble_e   trouble;
        const char         *text;
    } table[] = {
        { "an answer", 0, 0, DNSSYNC_OP_DONE, 0, "" },
        { "one without a signature", 0, TEST_PLAIN, DNSSYNC_OP_MORE, 0, "" },
        { "one of another secret", 0, TEST_OTHER, DNSSYNC_OP_MORE, 0, "" },
        { "one to another question", 0, TEST_ID, DNSSYNC_OP_MORE, 0, "" },
        { "a truncated one", 0, TEST_TC, DNSSYNC_OP_SEND, 0, "" },
        { "from a server that has not the zone", 0, TEST_NOT_AA,
          DNSSYNC_OP_FAILED, DNSSYNC_TROUBLE_SETTING, "does not have" },
        { "nothing", 0, TEST_NONE, DNSSYNC_OP_FAILED, DNSSYNC_TROUBLE_SETTING,
          "does not have" },
        { "REFUSED", 5, TEST_PLAIN, DNSSYNC_OP_FAILED, DNSSYNC_TROUBLE_DENIED,
          "answered REFUSED" },
        { "SERVFAIL", 2, 0, DNSSYNC_OP_FAILED, DNSSYNC_TROUBLE_DOWN,
          "SERVFAIL" },
        { "BADKEY", 9, TEST_BADKEY, DNSSYNC_OP_FAILED, DNSSYNC_TROUBLE_DENIED,
          "BADKEY" }
    };

    memset(&b, 0, sizeof(torii_buf_t));
    account = world_account(WORLD_SERVER WORLD_KEYED, &why);

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        op = world_op(account, DNSSYNC_OP_PROBE);
        op->version = torii_str("7");

        step = dnssync_op_go(op, WORLD_MS);

        tap_ok(step == DNSSYNC_OP_SEND && !op->request.tcp
               && !op->request.stream, "a question by UDP");

        test_soa(&b, op, table[i].rcode, table[i].how);
        step = world_answer(op, &b);

        tap_ok(step == table[i].step && op->trouble == table[i].trouble
               && strstr(op->error, table[i].text) != NULL
               && (step != DNSSYNC_OP_SEND || op->request.tcp)
               && (step != DNSSYNC_OP_DONE
                   || (op->same && torii_str_eqs(op->next, "7"))),
               "%s: %u %s", table[i].what, step, op->error);

        dnssync_op_free(op);
    }

    op = world_op(account, DNSSYNC_OP_PROBE);
    op->version = torii_str("6");
    (void) dnssync_op_go(op, WORLD_MS);
    test_soa(&b, op, 0, 0);

    tap_ok(world_answer(op, &b) == DNSSYNC_OP_DONE && !op->same,
           "another version");

    dnssync_op_free(op);
    dnssync_account_free(account);
    torii_buf_free(&b);
}


static void
test_zones(void)
{
    torii_str_t         why;
    torii_buf_t         b;
    dnssync_op_t       *op;
    dnssync_account_t  *account;

    memset(&b, 0, sizeof(torii_buf_t));

    account = world_account("provider=rfc2136;server=one,two;"
                           "zones=a.test,B.test.;" WORLD_KEYED, &why);

    op = dnssync_op_create(account, DNSSYNC_OP_ZONES);
    (void) dnssync_op_go(op, WORLD_MS);
    test_soa(&b, op, 5, TEST_PLAIN);

    tap_ok(world_answer(op, &b) == DNSSYNC_OP_SEND
           && memcmp(op->request.message.data + 12, "\1b\4test", 8) == 0,
           "one zone is not there, the other one is asked for");

    test_soa(&b, op, 5, TEST_PLAIN);

    tap_ok(world_answer(op, &b) == DNSSYNC_OP_FAILED
           && op->trouble == DNSSYNC_TROUBLE_DENIED, "none is there: %s",
           op->error);
    dnssync_op_free(op);

    op = dnssync_op_create(account, DNSSYNC_OP_ZONES);
    (void) dnssync_op_go(op, WORLD_MS);

    tap_ok(world_answer(op, NULL) == DNSSYNC_OP_SEND
           && torii_str_eqs(op->request.server, "two:53"),
           "no answer: the next server");

    test_soa(&b, op, 5, TEST_PLAIN);
    (void) world_answer(op, &b);
    dns_answer(&b, op->request.message, DNSSYNC_AA | 5);

    tap_ok(torii_str_eqs(op->request.server, "two:53"), "and stays with it");

    dnssync_op_free(op);

    op = dnssync_op_create(account, DNSSYNC_OP_ZONES);
    (void) dnssync_op_go(op, WORLD_MS);

    tap_ok(torii_str_eqs(op->request.server, "two:53"),
           "as do other operations");

    (void) world_answer(op, NULL);

    tap_ok(world_answer(op, NULL) == DNSSYNC_OP_FAILED
           && op->trouble == DNSSYNC_TROUBLE_DOWN, "no server answers: %s",
           op->error);

    dnssync_op_free(op);
    dnssync_account_free(account);
    torii_buf_free(&b);
}


static void
test_list(void)
{
    unsigned            i, k;
    torii_str_t         why;
    torii_str_t         value = torii_string("192.0.2.1");
    xfr_stream_t        s;
    dnssync_op_t       *op;
    dnssync_mac_t       mac;
    dnssync_rrset_t     known;
    dnssync_account_t  *account;
    dnssync_op_step_e   step;

    memset(&s, 0, sizeof(xfr_stream_t));
    memset(&known, 0, sizeof(dnssync_rrset_t));

    known.name = torii_str("www.a.test");
    known.type = DNSSYNC_A;
    known.values = &value;
    known.n = 1;

    account = world_account(WORLD_SERVER WORLD_KEYED ";transfer-server=second",
                           &why);
    op = world_op(account, DNSSYNC_OP_LIST);
    op->version = torii_str("5");
    op->known = &known;
    op->nknown = 1;

    step = dnssync_op_go(op, WORLD_MS);

    tap_ok(step == DNSSYNC_OP_SEND && op->request.tcp && op->request.stream
           && torii_str_eqs(op->request.server, "second:53")
           && op->request.message.data[21] == DNSSYNC_IXFR,
           "what changed, by IXFR");

    for (i = 0; i < 2; i++) {
        mac = world_mac(op->request.message);
        xfr_stream(&s, i ? "S6;x TXT o/y TXT p;S6" : "S6;S5;q TXT z;S6;S6",
                   &mac, !i, 0);

        /* the server's id is the request's */

        for (k = 0; k < s.n; k++) {
            s.messages[k].data[0] = op->request.message.data[0];
            s.messages[k].data[1] = op->request.message.data[1];
        }

        step = world_answer(op, &s.messages[0]);

        if (i == 0) {
            tap_ok(step == DNSSYNC_OP_SEND && op->request.stream
                   && op->request.message.data[21] == DNSSYNC_AXFR,
                   "which does not fit: all, by AXFR");
        }
    }

    tap_ok(step == DNSSYNC_OP_MORE && op->nsets == 0, "a message of it");
    step = world_answer(op, &s.messages[1]);

    tap_ok(step == DNSSYNC_OP_DONE && op->nsets == 2 && !op->same
           && torii_str_eqs(op->next, "6"), "the last one: %s", op->error);

    dnssync_op_free(op);

    op = world_op(account, DNSSYNC_OP_LIST);
    (void) dnssync_op_go(op, WORLD_MS);

    tap_ok(op->request.message.data[21] == DNSSYNC_AXFR
           && world_answer(op, NULL) == DNSSYNC_OP_FAILED
           && op->trouble == DNSSYNC_TROUBLE_DOWN && op->nsets == 0,
           "no answer: %s", op->error);

    dnssync_op_free(op);

    op = world_op(account, DNSSYNC_OP_LIST);
    (void) dnssync_op_go(op, WORLD_MS);
    dns_answer(&s.messages[0], op->request.message, DNSSYNC_NOTAUTH);

    tap_ok(world_answer(op, &s.messages[0]) == DNSSYNC_OP_FAILED
           && op->trouble == DNSSYNC_TROUBLE_DENIED
           && strstr(op->error, "NOTAUTH: it has no such zone"),
           "refused: %s", op->error);

    dnssync_op_free(op);
    dnssync_account_free(account);

    for (i = 0; i < XFR_MESSAGES; i++) {
        torii_buf_free(&s.messages[i]);
    }
}


int
main(void)
{
    test_settings();
    test_probe();
    test_zones();
    test_list();

    return tap_done();
}
