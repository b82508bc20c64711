
/*
 * A byte of choice, then the messages of a transfer, each with its length in
 * two bytes before it.  Nobody can have signed one; without a key what comes
 * out is well formed, and can be read back, changed and sent.
 */

#include <stdlib.h>

#include "dnssync_transfer.h"


#define FUZZ_NOW  1700000000
#define FUZZ_ID   0x1234


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_must(int ok)
{
    if (!ok) {
        abort();
    }
}


/* What an IXFR begins with: two names, one with texts in pieces. */

static void
fuzz_known(dnssync_transfer_t *t)
{
    static torii_str_t  address[] = { torii_string("192.0.2.1") };
    static torii_str_t  texts[] = { torii_string("ab"), torii_string("x") };

    static const dnssync_rrset_t  known[] = {
        { .name = torii_string("www.a.test"), .type = DNSSYNC_A, .ttl = 60,
          .values = address, .n = 1 },
        { .name = torii_string("x.a.test"), .type = DNSSYNC_TXT, .ttl = 60,
          .id = torii_string("01610162 -"), .values = texts, .n = 2 }
    };

    dnssync_transfer_known(t, 5, known, 2);
}


static void
fuzz_sets(torii_arena_t *a, const dnssync_rrset_t *sets, uint32_t n)
{
    uint32_t            i, k, again;
    torii_buf_t         b;
    torii_str_t         name;
    dnssync_rrset_t    *copy;
    dnssync_records_t  *r;

    memset(&b, 0, sizeof(torii_buf_t));

    for (i = 0; i < n; i++) {
        fuzz_must(sets[i].n != 0 && !dnssync_rdata_skip(sets[i].type));
        fuzz_must(dnssync_record_read(a, sets[i].name, &name) == TORII_OK
                  && torii_str_eq(name, sets[i].name));

        for (k = 0; k < sets[i].n; k++) {
            if (dnssync_type_word(sets[i].type) != NULL
                || sets[i].type == DNSSYNC_TXT)
            {
                b.len = 0;
                fuzz_must(dnssync_rdata_value(&b, &sets[i], k) == TORII_OK);
            }
        }
    }

    r = dnssync_records_create(a);
    fuzz_must(dnssync_records_known(r, sets, n) == TORII_OK);
    dnssync_records_sets(r, a, &copy, &again);
    fuzz_must(again == n);

    for (i = 0; i < n; i++) {
        fuzz_must(copy[i].n == sets[i].n && copy[i].type == sets[i].type
                  && torii_str_eq(copy[i].name, sets[i].name)
                  && torii_str_eq(copy[i].id, sets[i].id));
    }

    dnssync_records_free(r);
    torii_buf_free(&b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                  keyed;
    uint32_t             n;
    const char          *why;
    torii_buf_t          request;
    torii_str_t          message;
    torii_arena_t       *a;
    dnssync_key_t       *key;
    dnssync_name_t       zone;
    dnssync_rrset_t     *sets;
    dnssync_transfer_e   step;
    dnssync_transfer_t  *t;

    if (size < 1) {
        return 0;
    }

    keyed = data[0] & 1;
    key = dnssync_key_create(torii_str("k"), torii_str("HMACSHA256"),
                             torii_str("01234567890123456789012345678901"),
                             &why);

    memset(&request, 0, sizeof(torii_buf_t));
    a = torii_arena_create(1024);

    (void) dnssync_name_parse(&zone, torii_str("a.test"));
    t = dnssync_transfer_create(a, &zone, keyed ? key : NULL);

    if (data[0] & 2) {
        fuzz_known(t);
    }

    (void) dnssync_transfer_request(t, FUZZ_NOW, FUZZ_ID, &request);

    step = DNSSYNC_TRANSFER_MORE;
    data++;
    size--;

    while (size >= 2 && step == DNSSYNC_TRANSFER_MORE) {
        n = data[0] << 8 | data[1];
        data += 2;
        size -= 2;
        n = n < size ? n : (uint32_t) size;

        message.data = torii_malloc(n);
        message.len = n;
        memcpy(message.data, data, n);

        step = dnssync_transfer_answer(t, FUZZ_NOW, message);

        free(message.data);
        data += n;
        size -= n;
    }

    fuzz_must(!keyed || step == DNSSYNC_TRANSFER_MORE
              || step == DNSSYNC_TRANSFER_FAILED);
    fuzz_must((step == DNSSYNC_TRANSFER_FAILED)
              == (dnssync_transfer_error(t)[0] != '\0'));

    if (step == DNSSYNC_TRANSFER_DONE) {
        dnssync_transfer_sets(t, &sets, &n);
        fuzz_sets(a, sets, n);
    }

    dnssync_transfer_free(t);
    dnssync_key_free(key);
    torii_arena_destroy(a);
    torii_buf_free(&request);

    return 0;
}
