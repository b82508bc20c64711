
/*
 * A byte of choice, then answers to an operation of the RFC 2136 driver, each
 * with its length in two bytes before it; they get the id of what was asked.
 * With a key nobody can have signed them, hence nothing is believed but what
 * is no good; each operation comes to an end, and says why.
 */

#include <stdlib.h>

#include "dnssync_driver.h"


#define FUZZ_MS       1700000000000
#define FUZZ_STEPS    10000
#define FUZZ_SECRET   "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_must(int ok)
{
    if (!ok) {
        abort();
    }
}


static dnssync_account_t *
fuzz_account(int keyed)
{
    uint32_t            n;
    torii_str_t         why;
    dnssync_account_t  *account;

    static const dnssync_option_t  settings[] = {
        { torii_string("provider"), torii_string("rfc2136") },
        { torii_string("server"), torii_string("192.0.2.1,192.0.2.2") },
        { torii_string("zones"), torii_string("a.test,b.test") },
        { torii_string("tsig-key-name"), torii_string("k") },
        { torii_string("tsig-secret"), torii_string(FUZZ_SECRET) }
    };
    static const dnssync_option_t  bare[] = {
        { torii_string("provider"), torii_string("rfc2136") },
        { torii_string("server"), torii_string("192.0.2.1,192.0.2.2") },
        { torii_string("zones"), torii_string("a.test,b.test") },
        { torii_string("insecure"), torii_string("true") }
    };

    n = keyed ? 5 : 4;
    account = dnssync_account_create(torii_str("n/s"), keyed ? settings : bare,
                                     n, &why);
    fuzz_must(why.len == 0);

    return account;
}


/* Four hosts that are new, which is enough to halve them twice. */

static void
fuzz_edits(dnssync_op_t *op)
{
    uint32_t                i;
    static torii_str_t      address = torii_string("192.0.2.1");
    static dnssync_rrset_t  sets[4];
    static dnssync_part_t   parts[4];
    static dnssync_edit_t   edits[4];

    static dnssync_require_t      requires[4];
    static const dnssync_edit_t  *list[4];

    static const char *const  names[] = {
        "h0.a.test", "h1.a.test", "h2.a.test", "h3.a.test"
    };

    for (i = 0; i < 4; i++) {
        sets[i].name = torii_str(names[i]);
        sets[i].type = DNSSYNC_A;
        sets[i].values = &address;
        sets[i].n = 1;
        parts[i].after = &sets[i];
        requires[i].name = sets[i].name;
        requires[i].type = DNSSYNC_A;
        edits[i].name = sets[i].name;
        edits[i].parts = &parts[i];
        edits[i].nparts = 1;
        edits[i].requires = &requires[i];
        edits[i].nrequires = 1;
        list[i] = &edits[i];
    }

    op->edits = list;
    op->nedits = 4;
}


static void
fuzz_end(const dnssync_op_t *op, dnssync_op_step_e step, int keyed)
{
    uint32_t  i;

    fuzz_must(step != DNSSYNC_OP_FAILED
              || (op->error[0] && op->trouble != DNSSYNC_TROUBLE_NONE));
    fuzz_must(strstr(op->error, FUZZ_SECRET) == NULL);

    if (keyed) {
        fuzz_must(step != DNSSYNC_OP_DONE || op->what == DNSSYNC_OP_APPLY);
        fuzz_must(op->nsets == 0 && op->nzones == 0 && !op->same);

        for (i = 0; i < op->nedits && op->results; i++) {
            fuzz_must(op->results[i].what != DNSSYNC_OUTCOME_DONE);
        }
    }

    for (i = 0; step == DNSSYNC_OP_DONE && i < op->nedits; i++) {
        fuzz_must(op->results[i].what != DNSSYNC_OUTCOME_LATER);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                 keyed;
    size_t              n;
    unsigned            steps;
    dnssync_op_t       *op;
    dnssync_answer_t    answer;
    dnssync_account_t  *account;
    dnssync_op_step_e   step;

    if (size < 1) {
        return 0;
    }

    keyed = data[0] & 8;
    account = fuzz_account(keyed);
    op = dnssync_op_create(account, data[0] % 6);

    op->zone.name = torii_str("a.test");
    op->zone.id = op->zone.name;
    op->name = torii_str("_acme-challenge.a.test");
    op->value = torii_str("x");
    op->version = torii_str("5");

    if (op->what == DNSSYNC_OP_APPLY) {
        fuzz_edits(op);
    }

    data++;
    size--;

    step = dnssync_op_go(op, FUZZ_MS);

    for (steps = 0; step == DNSSYNC_OP_SEND || step == DNSSYNC_OP_MORE;
         steps++)
    {
        fuzz_must(steps < FUZZ_STEPS && op->request.message.len > 12);
        memset(&answer, 0, sizeof(dnssync_answer_t));

        if (size < 2) {
            answer.error = "no answer";
            step = dnssync_op_answer(op, FUZZ_MS, &answer);
            continue;
        }

        n = data[0] << 8 | data[1];
        data += 2;
        size -= 2;
        n = n < size ? n : size;

        answer.body.data = torii_malloc(n);
        answer.body.len = n;
        memcpy(answer.body.data, data, n);

        if (n >= 2) {
            memcpy(answer.body.data, op->request.message.data, 2);
        }

        step = dnssync_op_answer(op, FUZZ_MS, &answer);

        free(answer.body.data);
        data += n;
        size -= n;
    }

    fuzz_end(op, step, keyed);

    dnssync_op_free(op);
    dnssync_account_free(account);

    return 0;
}
