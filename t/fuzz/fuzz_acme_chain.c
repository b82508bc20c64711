
/*
 * A chain as a CA sends it: in PEM, or with a first byte "D" as certificates in
 * DER, each behind two bytes of length, which get their armour here so that the
 * fuzzer reaches what is inside.  What is accepted is then looked at, and tried
 * as the chain of a local issuer.
 */

#include <stdlib.h>

#include "acme_cert.h"


#define FUZZ_NOW  1700000000


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
armour(torii_buf_t *b, const uint8_t *data, size_t size)
{
    size_t  len;

    while (size > 2) {
        len = data[0] << 8 | data[1];
        data += 2;
        size -= 2;
        len = len < size ? len : size;

        torii_buf_adds(b, "-----BEGIN CERTIFICATE-----\n");
        b->len += EVP_EncodeBlock(torii_buf_room(b, len * 2 + 8), data,
                                  (int) len);
        torii_buf_adds(b, "\n-----END CERTIFICATE-----\n");

        data += len;
        size -= len;
    }
}


/* What the header promises of what is accepted. */

static void
check(torii_arena_t *a, const acme_chain_t *chain)
{
    uint32_t     i;
    const char  *why;
    torii_str_t  normal;

    if (chain->leaf.len == 0 || chain->serial.len == 0
        || chain->not_after <= FUZZ_NOW
        || torii_str_has_control(chain->issuer)
        || torii_str_has_control(chain->root))
    {
        abort();
    }

    for (i = 0; i < chain->n; i++) {
        if (acme_name_normal(a, chain->names[i], &normal, &why) != TORII_OK
            || !torii_str_eq(normal, chain->names[i])
            || (i && torii_str_cmp(chain->names[i - 1], normal) >= 0))
        {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int             rc;
    char            error[256];
    torii_buf_t     pem, out;
    torii_str_t     s, name;
    acme_names_t    names;
    acme_chain_t    chain;
    torii_arena_t  *a;

    static EVP_PKEY  *key;

    if (key == NULL) {
        key = torii_key_generate(TORII_KEY_EC_P256);
    }

    memset(&pem, 0, sizeof(torii_buf_t));
    memset(&out, 0, sizeof(torii_buf_t));

    if (size && data[0] == 'D') {
        armour(&pem, data + 1, size - 1);

    } else {
        torii_buf_add(&pem, data, size);
    }

    s.data = pem.data;
    s.len = pem.len;

    a = torii_arena_create(4096);

    name = torii_str("a.example");
    names.names = &name;
    names.n = 1;

    rc = acme_chain_read(a, s, NULL, NULL, FUZZ_NOW, &chain, error);

    if (rc == TORII_OK) {
        check(a, &chain);
        names.names = chain.n ? chain.names : &name;
        names.n = chain.n ? chain.n : 1;

    } else if (error[0] == '\0') {
        abort();
    }

    (void) acme_chain_read(a, s, key, &names, FUZZ_NOW, &chain, error);

    /* no input is the certificate of this key */

    if (acme_sign(key, &names, name, FUZZ_NOW, FUZZ_NOW + 1, s, key, &out,
                  error) == TORII_OK)
    {
        abort();
    }

    torii_arena_destroy(a);
    torii_buf_free(&pem);
    torii_buf_free(&out);

    return 0;
}
