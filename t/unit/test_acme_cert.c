
/*
 * Chains: what is accepted, refused and known of them, with OpenSSL as the
 * maker.
 */

#include <openssl/err.h>

#include "tap.h"
#include "chain_make.h"


typedef struct {
    const char  *what;
    const char  *names[4];      /* that are asked for */
    int64_t      now;
    const char  *error;         /* NULL: accepted */
} test_chain_t;


/* of a certificate for a.example, *.b.example and 192.0.2.1 */

static const test_chain_t  test_chains[] = {
    { "in order", { "a.example", "*.b.example", "192.0.2.1" }, CHAIN_NOW,
      NULL },
    { "any order, one twice",
      { "192.0.2.1", "a.example", "*.b.example", "a.example" }, CHAIN_NOW,
      NULL },
    { "one more", { "a.example", "*.b.example", "192.0.2.1", "z.example" },
      CHAIN_NOW, "it is not for \"z.example\"" },
    { "one more in front",
      { "a.example", "*.b.example", "192.0.2.1", "!" }, CHAIN_NOW,
      "it is not for \"!\"" },
    { "one less", { "a.example", "192.0.2.1" }, CHAIN_NOW,
      "it is for \"*.b.example\", too, which was not asked for" },
    { "the last one less", { "*.b.example", "192.0.2.1" }, CHAIN_NOW,
      "it is for \"a.example\", too, which was not asked for" },
    { "another", { "a.example", "b.example", "192.0.2.1" }, CHAIN_NOW,
      "it is for \"*.b.example\", too, which was not asked for" },
    { "none", { NULL }, CHAIN_NOW,
      "it is for \"*.b.example\", too, which was not asked for" },
    { "an hour early", { "a.example", "*.b.example", "192.0.2.1" },
      CHAIN_NOW - CHAIN_DAY - 3600, NULL },
    { "earlier", { "a.example", "*.b.example", "192.0.2.1" },
      CHAIN_NOW - CHAIN_DAY - 3601,
      "it is not valid before 2023-11-13T22:13:20Z" },
    { "its last second", { "a.example", "*.b.example", "192.0.2.1" },
      CHAIN_NOW + CHAIN_DAY - 1, NULL },
    { "expired", { "a.example", "*.b.example", "192.0.2.1" },
      CHAIN_NOW + CHAIN_DAY, "it was valid until 2023-11-15T22:13:20Z" },
    { NULL, { NULL }, 0, NULL }
};

static chain_set_t  set;


static void
test_refused(torii_str_t pem, EVP_PKEY *key, const char *problem,
    const char *what)
{
    int           rc;
    char          error[256];
    acme_chain_t  chain;

    rc = acme_chain_read(chain_arena, pem, key, NULL, CHAIN_NOW, &chain, error);

    tap_ok(problem ? rc == TORII_ERROR && strcmp(error, problem) == 0
                   : rc == TORII_OK && error[0] == '\0', "chain: %s: %s", what,
           rc == TORII_OK ? "accepted" : error);
}


static void
test_chain_names(void)
{
    int                  rc;
    char                 error[256];
    torii_str_t          list[4];
    acme_chain_t         chain;
    acme_names_t         names;
    const test_chain_t  *t;

    for (t = test_chains; t->what; t++) {
        names = chain_list(t->names, list, 4);

        rc = acme_chain_read(chain_arena, set.full, set.leaf.key, &names,
                             t->now, &chain, error);

        tap_ok(t->error ? rc == TORII_ERROR && strcmp(error, t->error) == 0
                        : rc == TORII_OK, "chain: %s: %s", t->what, error);
    }
}


static void
test_chain_fields(void)
{
    int             ok;
    char            error[256], *serial;
    X509           *x;
    BIGNUM         *bn;
    acme_chain_t    chain;
    unsigned char  *der;

    if (!tap_ok(acme_chain_read(chain_arena, set.full, set.leaf.key, NULL,
                                CHAIN_NOW, &chain, error) == TORII_OK,
                "chain: read %s", error))
    {
        return;
    }

    tap_ok(chain.not_before == CHAIN_NOW - CHAIN_DAY
           && chain.not_after == CHAIN_NOW + CHAIN_DAY, "chain: dates");
    tap_ok(torii_str_eqs(chain.issuer, "Test Middle")
           && torii_str_eqs(chain.root, "Test Root"), "chain: issuers");
    tap_ok(chain.n == 3 && torii_str_eqs(chain.names[0], "*.b.example")
           && torii_str_eqs(chain.names[1], "192.0.2.1")
           && torii_str_eqs(chain.names[2], "a.example"), "chain: names");
    tap_ok(chain.ari.len > 29 && chain.ari.data[27] == '.', "chain: %.*s",
           torii_str_arg(chain.ari));

    x = chain_x509(set.full);
    bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    serial = BN_bn2hex(bn);

    tap_ok(BN_num_bits(bn) > 64 && !BN_is_negative(bn)
           && torii_str_caseeqs(chain.serial, serial), "chain: serial %s",
           serial);

    der = NULL;
    ok = i2d_X509(x, &der);
    tap_ok(ok > 0 && (size_t) ok == chain.leaf.len
           && memcmp(der, chain.leaf.data, ok) == 0, "chain: leaf");

    OPENSSL_free(der);
    OPENSSL_free(serial);
    BN_free(bn);
    X509_free(x);
}


static void
test_chain_text(void)
{
    unsigned      i;
    torii_str_t   key, many, s;
    torii_buf_t   b;

    memset(&b, 0, sizeof(torii_buf_t));
    torii_key_write(set.leaf.key, 0, &b);
    key = chain_keep(&b);

    many = set.root.pem;

    for (i = 1; i < 10; i++) {
        many = chain_join(many, set.root.pem);
    }

    test_refused(set.leaf.pem, set.leaf.key, NULL, "leaf alone");
    test_refused(chain_join(set.full, set.root.pem), set.leaf.key, NULL,
                 "with its root");
    test_refused(set.full, set.root.key,
                 "its first certificate is for another key", "another key");
    test_refused(chain_join(set.middle.pem, set.leaf.pem), NULL,
                 "its certificates are not in order, each followed by its "
                 "issuer", "wrong order");
    test_refused(chain_join(set.leaf.pem, set.root.pem), NULL,
                 "its certificates are not in order, each followed by its "
                 "issuer", "one is missing");
    test_refused(chain_join(set.leaf.pem, set.leaf.pem), NULL,
                 "its certificates are not in order, each followed by its "
                 "issuer", "leaf twice");

    test_refused(torii_str(""), NULL, "it holds no certificate in PEM form",
                 "empty");
    test_refused(torii_str("text\n"), NULL,
                 "it holds no certificate in PEM form", "text");
    test_refused(chain_join(set.full, key), NULL,
                 "it holds something else than certificates", "a key at the "
                 "end");
    test_refused(chain_join(key, set.full), NULL,
                 "it holds something else than certificates", "a key in "
                 "front");
    test_refused(chain_join(set.full, torii_str("x -----BEGIN PRIVATE KEY")),
                 NULL, "it holds something else than certificates",
                 "a key inside of a line");
    test_refused(chain_join(torii_str("x"), set.full), NULL,
                 "it holds something else than certificates",
                 "a block that does not begin a line");
    test_refused(chain_join(torii_str("subject=/CN=x\r\n\n"), set.full), NULL,
                 NULL, "text in front");
    test_refused(chain_join(set.full, torii_str("\n\n")), NULL, NULL,
                 "blank lines at the end");

    s = torii_arena_str(chain_arena, set.full);
    s.len += 1;
    test_refused(s, NULL, "it holds a zero byte", "zero byte");

    s = set.leaf.pem;
    s.len -= 30;
    test_refused(s, NULL, "a PEM block does not end as it begins", "cut off");

    s = torii_arena_str(chain_arena, set.leaf.pem);
    memcpy(strstr((char *) s.data, "-----END CERT"), "-----END CERX", 13);
    test_refused(s, NULL, "a PEM block does not end as it begins",
                 "end of another block");

    s = torii_arena_str(chain_arena, set.leaf.pem);
    s.data[40] = ':';
    test_refused(s, NULL, "a PEM block is not base64", "not base64");

    test_refused(torii_str("-----BEGIN CERTIFICATE-----\nMAA=\n"
                           "-----END CERTIFICATE-----\n"), NULL,
                 "a PEM block holds no certificate", "not a certificate");

    test_refused(many, NULL, NULL, "ten certificates");
    test_refused(chain_join(many, set.root.pem), NULL,
                 "it holds more than 10 certificates", "eleven certificates");

    s.len = 64 * 1024 + 1;
    s.data = torii_arena_alloc(chain_arena, s.len);
    memset(s.data, '\n', s.len);
    memcpy(s.data, set.leaf.pem.data, set.leaf.pem.len);
    test_refused(s, NULL, "it is longer than 64 KiB", "too long");
    s.len--;
    test_refused(s, NULL, NULL, "64 KiB");
}


/* What OpenSSL made as told, to be refused. */

static void
test_chain_forged(void)
{
    X509          *x;
    char           error[256];
    chain_ca_t     c, forged, evil;
    torii_str_t    list[1];
    acme_chain_t   chain;
    acme_names_t   names;

    static const chain_ext_t  twice[] = {
        { NID_subject_alt_name, "DNS:a.example" },
        { NID_subject_alt_name, "DNS:b.example" },
        { 0, NULL }
    };
    static const chain_ext_t  foreign[] = {
        { NID_subject_alt_name, "DNS:a.example,email:x@a.example" },
        { 0, NULL }
    };
    static const chain_ext_t  not_ca[] = {
        { NID_basic_constraints, "critical,CA:FALSE" },
        { 0, NULL }
    };

    /* a CA of the same name, but with another key */

    evil = chain_make("Test Middle", "ec", NULL, chain_plain_extensions + 1);
    forged = chain_make("a.example", "ec", &evil, chain_plain_extensions);
    test_refused(chain_join(forged.pem, set.middle.pem), NULL,
                 "its certificates are not in order, each followed by its "
                 "issuer", "key of another type");
    EVP_PKEY_free(forged.key);
    EVP_PKEY_free(evil.key);

    evil = chain_make("Test Middle", "rsa", NULL, chain_plain_extensions + 1);
    forged = chain_make("a.example", "ec", &evil, chain_plain_extensions);
    test_refused(chain_join(forged.pem, set.middle.pem), NULL,
                 "a certificate in it is not signed by the next one",
                 "forged");
    EVP_PKEY_free(forged.key);
    EVP_PKEY_free(evil.key);

    c = chain_make("c", "ec", NULL, not_ca);
    forged = chain_make("a.example", "ec", &c, chain_plain_extensions);
    test_refused(chain_join(forged.pem, c.pem), NULL,
                 "its certificates are not in order, each followed by its "
                 "issuer", "signed by what is no CA");
    EVP_PKEY_free(forged.key);
    EVP_PKEY_free(c.key);

    c = chain_make("c", "ec", NULL, twice);
    test_refused(c.pem, NULL, "a PEM block holds no certificate",
                 "names twice");
    EVP_PKEY_free(c.key);

    list[0] = torii_str("a.example");
    names.names = list;
    names.n = 1;

    c = chain_make("c", "ec", NULL, foreign);
    tap_ok(acme_chain_read(chain_arena, c.pem, c.key, &names, CHAIN_NOW, &chain,
                           error) == TORII_ERROR, "chain: foreign name: %s",
           error);
    tap_ok(acme_chain_read(chain_arena, c.pem, c.key, NULL, CHAIN_NOW, &chain,
                           error) == TORII_OK && chain.n == 1
           && chain.ari.len == 0
           && torii_str_eqs(chain.names[0], "a.example"),
           "chain: foreign name passed over");

    x = chain_x509(c.pem);
    ASN1_INTEGER_set_int64(X509_get_serialNumber(x), -5);
    X509_sign(x, c.key, EVP_sha256());
    test_refused(chain_pem(x), NULL, "its serial number is negative",
                 "negative");
    X509_free(x);
    EVP_PKEY_free(c.key);
}


/* The example of RFC 9773 section 4.1. */

static void
test_ari(void)
{
    int               rc;
    X509             *x;
    char              error[256];
    EVP_PKEY         *key;
    AUTHORITY_KEYID  *akid;
    acme_chain_t      chain;

    static const unsigned char  id[] = {
        0x69, 0x88, 0x5b, 0x6b, 0x87, 0x46, 0x40, 0x41, 0xe1, 0xb3, 0x7b, 0x84,
        0x7b, 0xa0, 0xae, 0x2c, 0xde, 0x01, 0xc8, 0xd4
    };

    key = cert_key_make("ec");
    x = X509_new();

    X509_set_version(x, 2);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), 0x87654321);
    ASN1_TIME_set(X509_getm_notBefore(x), CHAIN_NOW);
    ASN1_TIME_set(X509_getm_notAfter(x), CHAIN_NOW + 1);
    X509_set_pubkey(x, key);

    akid = AUTHORITY_KEYID_new();
    akid->keyid = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(akid->keyid, id, sizeof(id));
    X509_add1_ext_i2d(x, NID_authority_key_identifier, akid, 0, 0);
    X509_sign(x, key, EVP_sha256());

    rc = acme_chain_read(chain_arena, chain_pem(x), NULL, NULL, CHAIN_NOW,
                         &chain, error);

    tap_ok(rc == TORII_OK
           && torii_str_eqs(chain.ari, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")
           && torii_str_eqs(chain.serial, "87654321") && chain.n == 0
           && chain.issuer.len == 0, "RFC 9773: %.*s",
           torii_str_arg(chain.ari));

    AUTHORITY_KEYID_free(akid);
    X509_free(x);
    EVP_PKEY_free(key);
}


int
main(void)
{
    chain_arena = torii_arena_create(4096);

    chain_set_make(&set);
    test_chain_names();
    test_chain_fields();
    test_chain_text();
    test_chain_forged();
    test_ari();

    tap_ok(ERR_peek_error() == 0, "no error is left behind");

    chain_set_free(&set);
    torii_arena_destroy(chain_arena);

    return tap_done();
}
