
/*
 * Local issuers, with OpenSSL as the client that has to accept what they sign.
 */

#define _GNU_SOURCE

#include <openssl/err.h>

#include "tap.h"
#include "chain_make.h"


/* a label of 63 bytes */
#define TEST_L63                                                              \
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"


static chain_set_t  set;


/* As a client does. */

static int
test_client(torii_str_t pem, torii_str_t root, const char *host)
{
    int              rc;
    BIO             *bio;
    X509            *leaf, *x, *ca;
    X509_STORE      *store;
    STACK_OF(X509)  *rest;
    X509_STORE_CTX  *ctx;

    bio = BIO_new_mem_buf(pem.data, (int) pem.len);
    leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    rest = sk_X509_new_null();

    while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        sk_X509_push(rest, x);
    }

    ca = chain_x509(root);
    store = X509_STORE_new();
    X509_STORE_add_cert(store, ca);

    ctx = X509_STORE_CTX_new();
    X509_STORE_CTX_init(ctx, store, leaf, rest);
    X509_STORE_CTX_set_default(ctx, "ssl_server");
    X509_STORE_CTX_set_time(ctx, 0, CHAIN_NOW);
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(ctx), host, 0);

    rc = X509_verify_cert(ctx);

    if (rc != 1) {
        printf("# %s\n",
               X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    }

    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(ca);
    X509_free(leaf);
    sk_X509_pop_free(rest, X509_free);
    BIO_free(bio);
    ERR_clear_error();

    return rc == 1;
}


static void
test_sign_ca(void)
{
    int          i;
    X509        *x;
    uint32_t     usage;
    torii_str_t  s;

    tap_ok(test_client(set.full, set.root.pem, "a.example"),
           "a client accepts the CA's certificate");
    tap_ok(test_client(set.full, set.root.pem, "x.b.example"),
           "a client accepts it for a wildcard");
    tap_ok(!test_client(set.full, set.root.pem, "c.example"),
           "a client refuses it for another name");

    s = set.full;
    i = 0;

    while ((s.data = memmem(s.data, s.len, "BEGIN", 5))) {
        s.data += 5;
        s.len = set.full.data + set.full.len - s.data;
        i++;
    }

    tap_ok(i == 2, "the root does not follow");

    x = chain_x509(set.full);
    usage = X509_get_key_usage(x);
    i = X509_get_ext_by_NID(x, NID_subject_alt_name, -1);

    tap_ok(usage == KU_DIGITAL_SIGNATURE
           && X509_get_extended_key_usage(x) == XKU_SSL_SERVER
           && X509_check_ca(x) == 0 && X509_get0_subject_key_id(x)
           && X509_get0_authority_key_id(x) && X509_get_ext_count(x) == 6,
           "its extensions");
    tap_ok(X509_NAME_entry_count(X509_get_subject_name(x)) == 0
           && X509_EXTENSION_get_critical(X509_get_ext(x, i)),
           "without a subject its names are critical");

    X509_free(x);
}


static void
test_sign_self(torii_key_type_e type, const char *common_name,
    const char *name, const char *expected)
{
    int           i;
    char          error[256], cn[256];
    X509         *x;
    EVP_PKEY     *key;
    torii_buf_t   b;
    torii_str_t   list[1], pem;
    acme_names_t  names;

    key = torii_key_generate(type);
    list[0] = torii_str(name);
    names.names = list;
    names.n = 1;

    memset(&b, 0, sizeof(torii_buf_t));

    i = acme_sign(key, &names, torii_str(common_name), CHAIN_NOW - 1,
                  CHAIN_NOW + 100, torii_str(""), NULL, &b, error);
    pem = chain_keep(&b);

    if (!tap_ok(i == TORII_OK && test_client(pem, pem, name),
                "self-signed for %s: %s", name, error))
    {
        EVP_PKEY_free(key);
        return;
    }

    x = chain_x509(pem);
    i = X509_get_ext_by_NID(x, NID_subject_alt_name, -1);
    cn[0] = '\0';
    X509_NAME_get_text_by_NID(X509_get_issuer_name(x), NID_commonName, cn,
                              sizeof(cn));

    tap_ok(strcmp(cn, expected) == 0 && X509_self_signed(x, 1) == 1
           && X509_get_key_usage(x)
              == (type == TORII_KEY_RSA_2048
                  ? KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT
                  : KU_DIGITAL_SIGNATURE)
           && !X509_EXTENSION_get_critical(X509_get_ext(x, i)),
           "self-signed by %s", cn);

    X509_free(x);
    EVP_PKEY_free(key);
}


static void
test_sign_one(torii_str_t ca, EVP_PKEY *ca_key, const char *common_name,
    const char *name, int64_t from, int64_t to, const char *problem)
{
    int           rc;
    char          error[256];
    torii_buf_t   b;
    torii_str_t   list[1];
    acme_names_t  names;

    list[0] = torii_str(name);
    names.names = list;
    names.n = name[0] != '\0';

    memset(&b, 0, sizeof(torii_buf_t));

    rc = acme_sign(set.leaf.key, &names, torii_str(common_name), from, to, ca,
                   ca_key, &b, error);

    tap_ok(problem ? rc == TORII_ERROR && b.len == 0
                     && strcmp(error, problem) == 0
                   : rc == TORII_OK && error[0] == '\0', "sign: %s",
           error[0] ? error : "accepted");

    torii_buf_free(&b);
}


static void
test_sign_refused(void)
{
    int64_t     now, end;
    chain_ca_t  limited, plain;

    static const chain_ext_t  constraints[] = {
        { NID_basic_constraints, "critical,CA:TRUE" },
        { NID_name_constraints, "critical,permitted;DNS:example" },
        { 0, NULL }
    };

    now = CHAIN_NOW;
    end = CHAIN_NOW + CHAIN_DAY;

    limited = chain_make("Limited", "ec", NULL, constraints);
    plain = chain_make("Plain", "ec", NULL, chain_plain_extensions);

    test_sign_one(set.root.pem, set.root.key, "", "a.example", now, end,
                  NULL);
    test_sign_one(set.root.pem, set.leaf.key, "", "a.example", now, end,
                  "the CA's key does not belong to its certificate");
    test_sign_one(torii_str(""), set.root.key, "", "a.example", now, end,
                  "it holds no certificate in PEM form");
    test_sign_one(plain.pem, plain.key, "", "a.example", now, end,
                  "the CA's certificate is not one of a CA");
    test_sign_one(set.leaf.pem, set.leaf.key, "", "a.example", now, end,
                  "the CA's certificate is not one of a CA");
    test_sign_one(chain_join(set.root.pem, set.middle.pem), set.root.key, "",
                  "a.example", now, end, "its certificates are not in order, "
                  "each followed by its issuer");
    test_sign_one(set.root.pem, set.root.key, "", "a.example", now, now,
                  "it would end before it begins");
    test_sign_one(set.root.pem, set.root.key, "", "a.example",
                  now + 10 * CHAIN_DAY, now + 11 * CHAIN_DAY,
                  "the CA's certificate has expired");
    test_sign_one(set.root.pem, set.root.key, "", "", now, end,
                  "its names are missing or not in normal form");
    test_sign_one(set.root.pem, set.root.key, "", "A.example", now, end,
                  "its names are missing or not in normal form");
    test_sign_one(set.root.pem, set.root.key, TEST_L63 "xx", "a.example",
                  now, end, "its common name is longer than 64 characters or "
                  "not text");
    test_sign_one(set.root.pem, set.root.key, "a\nb", "a.example", now, end,
                  "its common name is longer than 64 characters or not text");
    test_sign_one(limited.pem, limited.key, "", "a.example", now, end, NULL);
    test_sign_one(limited.pem, limited.key, "", "a.test", now, end,
                  "the CA's name constraints do not allow these names");

    EVP_PKEY_free(limited.key);
    EVP_PKEY_free(plain.key);
}


/* It ends with its CA, and no two have the same serial number. */

static void
test_sign_end(void)
{
    int           i, ok;
    char          error[256];
    torii_buf_t   b;
    torii_str_t   list[1];
    acme_names_t  names;
    acme_chain_t  chain[2];

    list[0] = torii_str("a.example");
    names.names = list;
    names.n = 1;
    ok = 1;

    for (i = 0; i < 2; i++) {
        memset(&b, 0, sizeof(torii_buf_t));

        ok &= acme_sign(set.leaf.key, &names, torii_str("People's name"),
                        CHAIN_NOW, CHAIN_NOW + 1000 * CHAIN_DAY, set.root.pem,
                        set.root.key, &b, error) == TORII_OK
              && acme_chain_read(chain_arena, chain_str(b), set.leaf.key,
                                 &names, CHAIN_NOW, &chain[i], error)
                 == TORII_OK;

        torii_buf_free(&b);
    }

    tap_ok(ok && chain[0].not_after == CHAIN_NOW + 10 * CHAIN_DAY,
           "no certificate outlives its CA");
    tap_ok(ok && !torii_str_eq(chain[0].serial, chain[1].serial),
           "serial numbers differ");
}


int
main(void)
{
    chain_arena = torii_arena_create(4096);

    chain_set_make(&set);
    test_sign_ca();
    test_sign_self(TORII_KEY_EC_P256, "", "a.example", "a.example");
    test_sign_self(TORII_KEY_RSA_2048, "me", "a.example", "me");
    test_sign_self(TORII_KEY_EC_P384, "", TEST_L63 ".example", "self-signed");
    test_sign_refused();
    test_sign_end();

    tap_ok(ERR_peek_error() == 0, "no error is left behind");

    chain_set_free(&set);
    torii_arena_destroy(chain_arena);

    return tap_done();
}
