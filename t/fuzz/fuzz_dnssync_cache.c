
/*
 * Files of the engine's state with any content behind a right checksum, an
 * account's and a zone's with a NUL in between: what they tell of a zone that
 * nobody could ask about changes nothing there, even if no host is wanted any
 * more.  Then the zone's server says that it is as the file has it.
 */

#include <stdio.h>
#include <stdlib.h>

#include "dnssync_engine.h"


#define FUZZ_NOW      1795359600000ULL
#define FUZZ_STEPS    200
#define FUZZ_ACCOUNT  "default/dns"
#define FUZZ_ZONE     FUZZ_ACCOUNT "/a.test"
#define FUZZ_UPDATE   5                /* opcode, RFC 2136 */


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_load(dnssync_engine_t *e, const char *kind, const char *id,
    torii_str_t body)
{
    char         name[40];
    torii_buf_t  b;
    torii_str_t  s;

    memset(&b, 0, sizeof(b));

    s = torii_str(id);
    (void) snprintf(name, sizeof(name), "%s-%016llx", kind,
                    (unsigned long long) torii_hash(s.data, s.len, 0));

    torii_buf_printf(&b, "torii-dns 1 %016llx\n",
                     (unsigned long long) torii_hash(body.data, body.len, 0));
    torii_buf_add(&b, body.data, body.len);

    s.data = b.data;
    s.len = b.len;

    if (dnssync_engine_load(e, torii_str(name), s) != TORII_OK) {
        abort();
    }

    torii_buf_free(&b);
}


static void
fuzz_say(dnssync_engine_t *e)
{
    torii_str_t         why;
    dnssync_objects_t   objects;
    dnssync_account_t  *account;
    dnssync_option_t    options[] = {
        { torii_str("provider"), torii_str("rfc2136") },
        { torii_str("server"), torii_str("127.0.0.1:53") },
        { torii_str("zones"), torii_str("a.test") },
        { torii_str("policy"), torii_str("sync") },
        { torii_str("allow-empty"), torii_str("true") },
        { torii_str("delete-delay"), torii_str("1") },
        { torii_str("insecure"), torii_str("true") },
        { torii_str("txt-owner-id"), torii_str("me") }
    };

    account = dnssync_account_create(torii_str(FUZZ_ACCOUNT), options,
                                     sizeof(options) / sizeof(options[0]),
                                     &why);
    if (why.len) {
        fprintf(stderr, "%.*s\n", torii_str_arg(why));
        abort();
    }

    dnssync_engine_begin(e);
    dnssync_engine_account(e, FUZZ_NOW, account);
    dnssync_engine_end(e, FUZZ_NOW);

    memset(&objects, 0, sizeof(objects));
    objects.complete = 1;

    dnssync_engine_source(e, FUZZ_NOW, &objects);
    dnssync_engine_lead(e, FUZZ_NOW, 1, 0);
}


/* An answer to a question for the SOA: a.test has the serial. */

static size_t
fuzz_soa(const dnssync_request_t *request, unsigned char serial,
    unsigned char answer[512])
{
    size_t  n;

    static const unsigned char  soa[] = {
        0xc0, 0x0c, 0, 6, 0, 1, 0, 0, 0, 60, 0, 24,
        0xc0, 0x0c, 0xc0, 0x0c, 0, 0, 0, 0, 0, 0, 14, 16, 0, 0, 2, 88,
        0, 1, 0x51, 0x80, 0, 0, 0, 60
    };

    n = request->message.len;

    if (n < 12 || n > 256 || request->stream) {
        return 0;
    }

    memcpy(answer, request->message.data, n);
    memcpy(answer + n, soa, sizeof(soa));

    answer[2] = 0x84;
    answer[3] = 0;
    answer[7] = 1;
    answer[n + 19] = serial;

    return n + sizeof(soa);
}


static void
fuzz_work(dnssync_engine_t *e, int silent)
{
    int                i;
    uint32_t           wait;
    uint64_t           now;
    dnssync_answer_t   answer;
    dnssync_action_t   act;
    unsigned char      bytes[512];

    now = FUZZ_NOW;

    for (i = 0; i < FUZZ_STEPS; i++) {

        if (dnssync_engine_next(e, now, &act, &wait) != TORII_OK) {
            now += wait < 60000 ? wait + 1 : 60000;
            continue;
        }

        memset(&answer, 0, sizeof(answer));
        answer.error = "no answer";

        if (act.what == DNSSYNC_DO_RESOLVE) {
            dnssync_engine_resolved(e, now, act.ticket, NULL, 0, 0);

        } else if (act.what == DNSSYNC_DO_VERIFY) {
            dnssync_engine_verified(e, now, act.ticket, "no answer");
        }

        if (act.what != DNSSYNC_DO_SEND) {
            continue;
        }

        if (silent && act.request->message.len > 2
            && (act.request->message.data[2] >> 3 & 15) == FUZZ_UPDATE)
        {
            abort();
        }

        answer.body.len = silent ? 0 : fuzz_soa(act.request, 7, bytes);

        if (answer.body.len) {
            answer.body.data = bytes;
            answer.error = NULL;
        }

        (void) dnssync_engine_answer(e, now, act.ticket, &answer);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                     silent;
    torii_buf_t             report;
    torii_str_t             account, zone;
    const uint8_t          *nul;
    dnssync_engine_t       *e;
    dnssync_engine_conf_t   conf;

    nul = size ? memchr(data, '\0', size) : NULL;

    account.data = (unsigned char *) data;
    account.len = nul ? (size_t) (nul - data) : size;
    zone.data = (unsigned char *) (nul ? nul + 1 : data + size);
    zone.len = nul ? size - account.len - 1 : 0;

    memset(&conf, 0, sizeof(conf));
    conf.instance = torii_str("fuzz");
    conf.seed = 1;

    for (silent = 0; silent < 2; silent++) {
        memset(&report, 0, sizeof(report));

        e = dnssync_engine_create(&conf, FUZZ_NOW);

        fuzz_load(e, "account", FUZZ_ACCOUNT, account);
        fuzz_load(e, "zone", FUZZ_ZONE, zone);
        fuzz_say(e);
        fuzz_work(e, silent);

        dnssync_engine_report(e, FUZZ_NOW, 1, &report);

        dnssync_engine_free(e);
        torii_buf_free(&report);
    }

    return 0;
}
