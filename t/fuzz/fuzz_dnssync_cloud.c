
/*
 * A byte that tells the provider and the operation, then answers, apart by NUL:
 * a letter for the status, the rest is the body.  After the last there is no
 * answer.  Each operation comes to an end; what it has found are names; what
 * failed says why, without a secret; and no edit is done unless the provider
 * has taken something.
 */

#include <openssl/err.h>

#include "cloud_make.h"


#define FUZZ_STEPS  2000


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const unsigned  fuzz_status[] = {
    200, 200, 200, 200, 0, 201, 204, 302, 400, 401, 403, 404, 409, 412, 429, 500
};

static const dnssync_op_e  fuzz_ops[] = {
    DNSSYNC_OP_ZONES, DNSSYNC_OP_PROBE, DNSSYNC_OP_LIST, DNSSYNC_OP_APPLY,
    DNSSYNC_OP_CHALLENGE
};

static const dnssync_option_t  fuzz_settings[3][8] = {
    { { torii_string("provider"), torii_string("route53") },
      { torii_string("txt-owner-id"), torii_string("me") },
      { torii_string("aws-metadata-url"), torii_string("http://localhost:1") }
    },
    { { torii_string("provider"), torii_string("google") },
      { torii_string("txt-owner-id"), torii_string("me") } },
    { { torii_string("provider"), torii_string("azure") },
      { torii_string("txt-owner-id"), torii_string("me") },
      { torii_string("azure-subscription-id"), torii_string("s") },
      { torii_string("azure-resource-group"), torii_string("g") },
      { torii_string("azure-tenant-id"), torii_string("t") },
      { torii_string("azure-client-id"), torii_string("c") },
      { torii_string("azure-client-secret"), torii_string("top secret") } }
};

static const uint32_t  fuzz_nsettings[] = { 3, 2, 7 };


static void
fuzz_check(const dnssync_op_t *op, unsigned driver, dnssync_op_step_e step,
    unsigned taken)
{
    uint32_t  i;

    if (step == DNSSYNC_OP_FAILED
        && (op->error[0] == '\0' || op->trouble == DNSSYNC_TROUBLE_NONE
            || (driver == 2 && strstr(op->error, "top secret") != NULL)))
    {
        abort();
    }

    for (i = 0; step == DNSSYNC_OP_DONE && i < op->nsets; i++) {
        if (op->sets[i].name.len == 0) {
            abort();
        }
    }

    for (i = 0; step == DNSSYNC_OP_DONE && i < op->nzones; i++) {
        if (op->zones[i].name.len == 0 || op->zones[i].id.len == 0) {
            abort();
        }
    }

    for (i = 0; op->what == DNSSYNC_OP_APPLY && i < op->nedits; i++) {
        if (op->results[i].what == DNSSYNC_OUTCOME_DONE && taken == 0) {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cloud_t             w;
    uint64_t            now;
    unsigned            n, driver, taken;
    torii_str_t         rest, why, piece;
    unsigned char      *end;
    dnssync_op_t       *op;
    dnssync_answer_t    answer;
    dnssync_op_step_e   step;

    if (size < 2 || size > 65536) {
        return 0;
    }

    memset(&w, 0, sizeof(cloud_t));
    w.a = torii_arena_create(4096);
    driver = data[0] % 3;
    w.account = dnssync_account_create(torii_str("a/b"),
                                       fuzz_settings[driver],
                                       fuzz_nsettings[driver], &why);
    if (why.len) {
        abort();
    }

    op = dnssync_op_create(w.account, fuzz_ops[data[0] / 3 % 5]);
    op->zone.id = torii_str("Z1");
    op->zone.name = torii_str("a.test");
    op->version = torii_str("sets=1");
    op->name = torii_str("c.a.test");
    op->value = torii_str("x");
    op->add = 1;

    if (op->what == DNSSYNC_OP_APPLY) {
        cloud_edits(&w, op, "+b.a.test A 192.0.2.1, +m.a.test TXT x, "
                    "!b.a.test AAAA; -c.a.test A 192.0.2.1, "
                    "+c.a.test A 192.0.2.2, =m.a.test TXT x; "
                    "-d.a.test A 192.0.2.1", driver != 2);
    }

    rest.data = torii_malloc(size);
    rest.len = size - 1;
    memcpy(rest.data, data + 1, rest.len);
    piece = rest;
    now = CLOUD_NOW;
    taken = 0;
    step = dnssync_op_go(op, now);

    for (n = 0; step == DNSSYNC_OP_SEND || step == DNSSYNC_OP_SLEEP; n++) {

        if (n == FUZZ_STEPS) {
            abort();
        }

        if (step == DNSSYNC_OP_SLEEP) {
            now = op->until;
            step = dnssync_op_go(op, now);
            continue;
        }

        memset(&answer, 0, sizeof(dnssync_answer_t));

        if (rest.len) {
            end = memchr(rest.data, '\0', rest.len);
            answer.status = fuzz_status[rest.data[0] % 16];
            answer.body.data = rest.data + 1;
            answer.body.len = (end ? (size_t) (end - rest.data) : rest.len);
            answer.body.len -= (answer.body.len > 0);
            rest.len = end ? rest.len - (end + 1 - rest.data) : 0;
            rest.data = end ? end + 1 : rest.data;
        }

        taken += strcmp(op->request.method, "GET") != 0
                 && answer.status >= 200 && answer.status < 300;
        step = dnssync_op_answer(op, now, &answer);
    }

    fuzz_check(op, driver, step, taken);

    ERR_clear_error();
    dnssync_op_free(op);
    dnssync_account_free(w.account);
    torii_arena_destroy(w.a);
    free(piece.data);

    return 0;
}
