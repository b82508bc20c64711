
/*
 * A certificate and, behind a NUL, a key: in PEM, or with a first byte "D" in
 * DER, which gets its armour here so that the fuzzer reaches what is inside.
 */

#include <stdlib.h>

#include <openssl/evp.h>

#include "ingress_cert.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
armour(torii_buf_t *b, const char *label, const uint8_t *data, size_t size)
{
    torii_buf_printf(b, "-----BEGIN %s-----\n", label);

    b->len += EVP_EncodeBlock(torii_buf_room(b, size * 2 + 8), data, size);

    torii_buf_printf(b, "\n-----END %s-----\n", label);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             len;
    torii_buf_t        crt, key;
    const uint8_t     *p, *nul;
    ingress_cert_t    *cert;
    ingress_pair_t     pairs[3];
    ingress_secret_t   secret;

    if (size < 2) {
        return 0;
    }

    memset(&crt, 0, sizeof(torii_buf_t));
    memset(&key, 0, sizeof(torii_buf_t));

    p = data + 1;
    size--;

    if (data[0] == 'D') {
        len = p[0] * 16 < size ? p[0] * 16 : size;

        armour(&crt, "CERTIFICATE", p, len);
        armour(&key, "PRIVATE KEY", p + len, size - len);

    } else {
        nul = memchr(p, '\0', size);
        len = nul ? (size_t) (nul - p) : size;

        torii_buf_add(&crt, p, len);
        torii_buf_add(&key, p + len, size - len);
    }

    memset(&secret, 0, sizeof(ingress_secret_t));

    pairs[0].name = torii_str("tls.crt");
    pairs[0].value.data = crt.data;
    pairs[0].value.len = crt.len;
    pairs[1].name = torii_str("tls.key");
    pairs[1].value.data = key.data;
    pairs[1].value.len = key.len;
    pairs[2].name = torii_str("ca.crt");
    pairs[2].value = pairs[0].value;

    secret.data.elts = pairs;
    secret.data.n = 3;

    cert = ingress_cert_create(&secret);

    (void) ingress_cert_covers(cert, torii_str("a.example"));
    (void) ingress_cert_check_client(&secret);

    ingress_cert_free(cert);
    torii_buf_free(&crt);
    torii_buf_free(&key);

    return 0;
}
