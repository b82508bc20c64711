
/*
 * Names, one a line: normal form, request, self-signed certificate and the
 * server name of tls-alpn-01.  What is accepted comes back out of the
 * certificate as it went in.
 */

#include <stdlib.h>

#include <openssl/x509.h>

#include "acme_cert.h"


#define FUZZ_NOW    1700000000
#define FUZZ_NAMES  32


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
request(EVP_PKEY *key, const acme_names_t *names)
{
    X509_REQ             *req;
    torii_buf_t           der;
    const unsigned char  *p;

    memset(&der, 0, sizeof(torii_buf_t));

    if (acme_csr(key, names, torii_str(""), &der) != TORII_OK) {
        abort();
    }

    p = der.data;
    req = d2i_X509_REQ(NULL, &p, (long) der.len);

    if (req == NULL || p != der.data + der.len) {
        abort();
    }

    X509_REQ_free(req);

    (void) acme_csr(key, names, names->names[0], &der);

    torii_buf_free(&der);
}


/* Read back under exactly these names. */

static void
certificate(torii_arena_t *a, EVP_PKEY *key, const acme_names_t *names)
{
    char          error[256];
    torii_buf_t   pem;
    torii_str_t   s;
    acme_chain_t  chain;

    memset(&pem, 0, sizeof(torii_buf_t));

    if (acme_sign(key, names, torii_str(""), FUZZ_NOW, FUZZ_NOW + 1,
                  torii_str(""), NULL, &pem, error) != TORII_OK)
    {
        abort();
    }

    s.data = pem.data;
    s.len = pem.len;

    if (acme_chain_read(a, s, key, names, FUZZ_NOW, &chain, error) != TORII_OK)
    {
        abort();
    }

    torii_buf_free(&pem);
}


static void
challenge(torii_arena_t *a, torii_str_t name)
{
    int          rc;
    torii_buf_t  cert, key;

    static const unsigned char  digest[32];

    memset(&cert, 0, sizeof(torii_buf_t));
    memset(&key, 0, sizeof(torii_buf_t));

    rc = acme_alpn_cert(name, digest, FUZZ_NOW, &cert, &key);

    if ((rc == TORII_OK) != !torii_str_starts(name, "*")
        || acme_alpn_sni(a, name).len == 0)
    {
        abort();
    }

    torii_buf_free(&cert);
    torii_buf_free(&key);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char     *why;
    torii_str_t     rest, piece, name, again, list[FUZZ_NAMES];
    acme_names_t    names;
    torii_arena_t  *a;

    static EVP_PKEY  *key;

    if (key == NULL) {
        key = torii_key_generate(TORII_KEY_EC_P256);
    }

    a = torii_arena_create(4096);

    rest.data = (unsigned char *) data;
    rest.len = size;

    names.names = list;
    names.n = 0;

    while (names.n < FUZZ_NAMES && torii_str_next(&rest, "\n", &piece)) {

        if (acme_name_normal(a, piece, &name, &why) != TORII_OK) {
            if (why == NULL) {
                abort();
            }

            (void) acme_alpn_sni(a, piece);
            continue;
        }

        if (name.len == 0 || name.len > 253
            || acme_name_normal(a, name, &again, &why) != TORII_OK
            || !torii_str_eq(name, again))
        {
            abort();
        }

        list[names.n++] = name;
    }

    if (names.n) {
        challenge(a, names.names[0]);
        request(key, &names);
        certificate(a, key, &names);
    }

    torii_arena_destroy(a);

    return 0;
}
