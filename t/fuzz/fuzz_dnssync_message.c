
/*
 * A byte of choice, then an answer to fixed requests: walked, verified, and
 * taken by all who read answers.  What was read as a name must be one.
 */

#include <stdlib.h>

#include "dnssync_tsig.h"
#include "dnssync_update.h"


#define FUZZ_NOW   1700000000
#define FUZZ_NAME  "_acme-challenge.www.a.example"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_name(const dnssync_name_t *name)
{
    char            text[DNSSYNC_TEXT_MAX];
    dnssync_name_t  again;

    dnssync_name_text(name, text);

    if (dnssync_name_parse(&again, torii_str(text)) != TORII_OK
        || !dnssync_name_eq(name, &again))
    {
        abort();
    }
}


static void
fuzz_walk(torii_str_t answer)
{
    int               rc;
    dnssync_walk_t    w;
    dnssync_name_t    name;
    dnssync_reader_t  in;
    dnssync_record_t  record;

    memset(&w, 0, sizeof(dnssync_walk_t));

    while ((rc = dnssync_walk(&w, answer, &record)) == TORII_OK) {
        fuzz_name(&record.name);

        if (record.data.data + record.data.len > answer.data + answer.len) {
            abort();
        }

        in = dnssync_read_inside(&w.reader, &record);
        dnssync_read_name(&in, &name);

        if (!in.failed) {
            fuzz_name(&name);
        }
    }
}


/* The same answer to each question on the way up, then to the update. */

static void
fuzz_change(torii_str_t answer, const dnssync_key_t *key)
{
    unsigned           n;
    const char        *why;
    torii_buf_t        request;
    dnssync_step_e     step;
    dnssync_change_t  *c;

    memset(&request, 0, sizeof(torii_buf_t));

    c = dnssync_change_txt(torii_str(FUZZ_NAME), torii_str("value"), 1, 60,
                           key, &why);

    step = DNSSYNC_MORE;

    for (n = 0; step == DNSSYNC_MORE; n++) {
        request.len = 0;
        (void) dnssync_change_request(c, FUZZ_NOW, 7, &request);
        step = dnssync_change_answer(c, FUZZ_NOW, answer);

        /* nobody can have signed the update's answer */

        if ((step == DNSSYNC_DONE && key) || n > 10) {
            abort();
        }

        if (step == DNSSYNC_FAILED && dnssync_change_error(c)[0] == '\0') {
            abort();
        }
    }

    dnssync_change_free(c);
    torii_buf_free(&request);
}


static void
fuzz_find(torii_str_t answer, int follow)
{
    unsigned         n;
    dnssync_find_t  *f;

    f = dnssync_find_create(torii_str(FUZZ_NAME), follow, 1);

    for (n = 0; dnssync_find_answer(f, answer) == DNSSYNC_MORE; n++) {
        if (n > 20) {
            abort();
        }
    }

    dnssync_find_free(f);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char               error[DNSSYNC_ERROR_MAX];
    const char        *why;
    torii_str_t        answer, asked;
    torii_buf_t        request;
    dnssync_key_t     *key;
    dnssync_mac_t      mac;
    dnssync_tsig_t     tsig;

    if (size < 4) {
        return 0;
    }

    answer.data = torii_malloc(size - 1);
    answer.len = size - 1;
    memcpy(answer.data, data + 1, size - 1);

    key = dnssync_key_create(torii_str("k"), torii_str("HMACSHA256"),
                             torii_str("01234567890123456789012345678901"),
                             &why);

    memset(&request, 0, sizeof(torii_buf_t));
    memset(&mac, 0, sizeof(dnssync_mac_t));
    (void) dnssync_question(&request, 7, torii_str(FUZZ_NAME), DNSSYNC_TXT);

    asked.data = request.data;
    asked.len = request.len;

    fuzz_walk(answer);
    fuzz_change(answer, data[0] & 1 ? key : NULL);
    fuzz_find(answer, data[0] & 2);

    (void) dnssync_tsig_verify(key, FUZZ_NOW, answer, &mac, &tsig);
    (void) dnssync_txt_answer(answer, asked, torii_str("value"), error);

    dnssync_key_free(key);
    torii_buf_free(&request);
    free(answer.data);

    return 0;
}
