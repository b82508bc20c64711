
/*
 * A file of the scheduler's state with any content: it is loaded or told, and
 * what was loaded is written and read again to the same text.  Then a minute of
 * its work, by the state that was believed, without a CA that answers.
 */

#include <stdlib.h>

#include "acme_engine.h"


#define FUZZ_NOW    1795359600000ULL
#define FUZZ_STEPS  64


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_say(acme_t *acme)
{
    EVP_PKEY           *pkey;
    torii_str_t         issuer;
    acme_want_t         want;
    acme_want_name_t    name;
    acme_issuer_conf_t  conf;

    static torii_str_t  key;
    static torii_buf_t  pem;

    if (key.len == 0) {
        pkey = torii_key_generate(TORII_KEY_EC_P256);
        (void) torii_key_write(pkey, 0, &pem);
        EVP_PKEY_free(pkey);

        key.data = pem.data;
        key.len = pem.len;
    }

    memset(&conf, 0, sizeof(conf));
    memset(&want, 0, sizeof(want));
    memset(&name, 0, sizeof(name));

    issuer = torii_str("le");

    conf.name = issuer;
    conf.directory = torii_str("https://ca.test/dir");
    conf.key = key;
    conf.agreed = 1;
    conf.ari = 1;

    name.name = torii_str("x.example");
    name.types[0] = 1;

    want.id = torii_str("demo/x");
    want.issuers = &issuer;
    want.nissuers = 1;
    want.names = &name;
    want.n = 1;

    acme_begin(acme);
    acme_issuer(acme, &conf);
    acme_want(acme, &want);
    acme_end(acme, FUZZ_NOW);
}


static void
fuzz_work(acme_t *acme)
{
    int              i;
    uint32_t         wait;
    uint64_t         now;
    acme_action_t    act;
    acme_status_t    status;
    acme_response_t  res;

    now = FUZZ_NOW;

    memset(&res, 0, sizeof(res));
    res.error = "no answer";

    for (i = 0; i < FUZZ_STEPS; i++) {

        if (acme_next(acme, now, &act, &wait) != TORII_OK) {
            now += wait < 60000 ? wait : 60000;
            continue;
        }

        if (act.what == ACME_DO_SEND) {
            acme_answer(acme, now, act.request.id, &res);

        } else if (act.what == ACME_DO_KEY) {
            acme_key(acme, now, act.ticket, torii_key_generate(act.key_type));

        } else if (act.what == ACME_DO_EVENT) {
            if (torii_str_has_control(act.text)) {
                abort();
            }

        } else {
            acme_saved(acme, now, act.ticket, 1);
        }
    }

    for (i = 0; acme_status(acme, i, &status) == TORII_OK; i++) {
        if (torii_str_has_control(status.error)) {
            abort();
        }
    }
}


/* All entries, as they would be saved. */

static void
fuzz_write(acme_t *acme, torii_buf_t *b)
{
    uint32_t  i;

    for (i = 0; i < acme->entries.size; i++) {
        if (acme->entries.values[i] != NULL) {
            acme_save_write(acme->entries.values[i], b);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    acme_t       *acme;
    acme_conf_t   conf;
    torii_str_t   in;
    torii_buf_t   first = { NULL, 0, 0 }, second = { NULL, 0, 0 };

    memset(&conf, 0, sizeof(conf));

    in.data = (unsigned char *) data;
    in.len = size;

    acme = acme_create(&conf, FUZZ_NOW);
    acme_load(acme, torii_str("certs/demo/x.json"), in);
    acme_load(acme, torii_str("accounts/0.json"), in);
    fuzz_write(acme, &first);
    torii_buf_add(&first, "", 1);
    first.len--;

    fuzz_say(acme);
    fuzz_work(acme);
    acme_free(acme);

    /* what is pending is made a failure by reading, which comes but once */

    if (first.len && strstr((char *) first.data, "\"pending\"") == NULL) {
        acme = acme_create(&conf, FUZZ_NOW);
        in.data = first.data;
        in.len = first.len;
        acme_load(acme, torii_str("certs/demo/x.json"), in);
        fuzz_write(acme, &second);

        if (first.len != second.len
            || memcmp(first.data, second.data, first.len) != 0)
        {
            abort();
        }

        acme_free(acme);
    }

    torii_buf_free(&first);
    torii_buf_free(&second);

    return 0;
}
