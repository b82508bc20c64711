
/*
 * Certificates and keys of Secrets: what is accepted, refused and said.
 */

#include "tap.h"
#include "cert_make.h"
#include "ingress_cert.h"
#include "ingress_der.h"


#define TEST_FROM  1700000000
#define TEST_TO    1800000000


typedef struct {
    const char  *host;
    int          covered;
} test_cover_t;

typedef struct {
    const char  *time;
    int64_t      seconds;      /* -1: refused */
} test_time_t;


static const test_cover_t  test_covers[] = {
    { "a.example", 1 },
    { "x.w.example", 1 },
    { "*.w.example", 1 },
    { "w.example", 0 },
    { "x.y.w.example", 0 },
    { ".w.example", 0 },
    { "upper.example", 1 },
    { "common.example", 0 },
    { "*.example", 0 },
    { "example", 0 },
    { "", 0 },
    { NULL, 0 }
};


static const test_time_t  test_times[] = {
    { "\x17\x0d" "700101000000Z", 0 },
    { "\x17\x0d" "991231235959Z", 946684799 },
    { "\x17\x0d" "000229120000Z", 951825600 },
    { "\x17\x0d" "491231235959Z", 2524607999 },
    { "\x18\x0f" "20501231235959Z", 2556143999 },
    { "\x18\x0f" "99991231235959Z", 253402300799 },
    { "\x17\x0d" "500101000000Z", -631152000 },
    { "\x17\x0d" "70010100000xZ", -1 },
    { "\x17\x0b" "7001010000Z", -1 },
    { "\x17\x0d" "700101000000+", -1 },
    { "\x04\x0d" "700101000000Z", -1 },
    { NULL, 0 }
};


static ingress_cert_t *
test_make(const char *crt, const char *key)
{
    uint32_t          n;
    ingress_pair_t    pairs[2];
    ingress_secret_t  secret;

    memset(&secret, 0, sizeof(ingress_secret_t));
    n = 0;

    if (crt) {
        pairs[n].name = torii_str("tls.crt");
        pairs[n++].value = torii_str(crt);
    }

    if (key) {
        pairs[n].name = torii_str("tls.key");
        pairs[n++].value = torii_str(key);
    }

    secret.data.elts = pairs;
    secret.data.n = n;

    return ingress_cert_create(&secret);
}


static void
test_problem(const char *crt, const char *key, const char *problem,
    const char *name)
{
    int              ok;
    ingress_cert_t  *cert;

    cert = test_make(crt, key);

    ok = problem ? cert->problem && strstr(cert->problem, problem)
                 : cert->problem == NULL;

    tap_ok(ok, "%s: %s", name, cert->problem ? cert->problem : "accepted");

    ingress_cert_free(cert);
}


static char *
test_join(const char *a, const char *b)
{
    char  *s;

    s = malloc(strlen(a) + strlen(b) + 1);
    strcpy(s, a);
    strcat(s, b);

    return s;
}


static void
test_pairs(const char *type)
{
    char            name[64], *chain;
    X509           *x;
    cert_pem_t      c, other;
    ingress_cert_t *cert;
    const unsigned char  *p;

    cert_make(&c, NULL, type, "common.example",
              "DNS:a.example,DNS:*.w.example,DNS:UPPER.example,"
              "IP:192.0.2.1,email:x@example", TEST_FROM, TEST_TO);
    cert_make(&other, NULL, type, "other.example", NULL, TEST_FROM, TEST_TO);

    test_problem(c.crt, c.key, NULL, type);
    test_problem(c.crt, c.traditional, NULL, "traditional key");
    test_problem(c.crt, other.key, "does not belong", "key of another");
    test_problem(c.crt, other.traditional, "does not belong",
                 "traditional key of another");

    chain = test_join(c.crt, other.crt);
    cert = test_make(chain, c.key);

    tap_ok(cert->problem == NULL && cert->not_before == TEST_FROM
           && cert->not_after == TEST_TO, "%s: dates of the leaf", type);

    p = cert->chain.data;
    x = d2i_X509(NULL, &p, cert->chain.len);
    X509_free(x);
    x = x ? d2i_X509(NULL, &p, cert->chain.data + cert->chain.len - p) : NULL;

    tap_ok(x && p == cert->chain.data + cert->chain.len,
           "%s: the chain is two certificates to OpenSSL", type);
    X509_free(x);

    ingress_cert_free(cert);
    free(chain);

    chain = test_join(other.crt, c.crt);
    test_problem(chain, c.key, "does not belong", "leaf is not first");
    free(chain);

    chain = test_join("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                      "-----END EC PARAMETERS-----\n", c.key);
    test_problem(c.crt, chain, NULL, "parameters before the key");
    free(chain);

    snprintf(name, sizeof(name), "%s: no subject alternative name", type);
    cert = test_make(other.crt, other.key);
    tap_ok(cert->problem == NULL
           && ingress_cert_covers(cert, torii_str("other.example")), "%s",
           name);
    ingress_cert_free(cert);

    cert_pem_free(&c);
    cert_pem_free(&other);
}


/* A key of a curve without its public part, which OpenSSL has to work out. */

static void
test_bare_key(void)
{
    char                 *key;
    BIO                  *bio, *b64;
    cert_pem_t            c, other;
    unsigned char         der[64];
    EVP_PKEY             *keys[2];
    unsigned              i;
    BIGNUM               *d;

    static const unsigned char  head[] = { 0x30, 0x31, 0x02, 0x01, 0x01, 0x04,
                                           0x20 };
    static const unsigned char  tail[] = { 0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                           0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };

    cert_make(&c, NULL, "ec", "x", "DNS:a.example", TEST_FROM, TEST_TO);
    cert_make(&other, NULL, "ec", "x", "DNS:a.example", TEST_FROM, TEST_TO);

    keys[0] = c.pkey;
    keys[1] = other.pkey;

    for (i = 0; i < 2; i++) {
        d = NULL;
        EVP_PKEY_get_bn_param(keys[i], "priv", &d);

        memcpy(der, head, sizeof(head));
        BN_bn2binpad(d, der + sizeof(head), 32);
        memcpy(der + sizeof(head) + 32, tail, sizeof(tail));
        BN_free(d);

        bio = BIO_new(BIO_s_mem());
        BIO_puts(bio, "-----BEGIN EC PRIVATE KEY-----\n");
        b64 = BIO_push(BIO_new(BIO_f_base64()), bio);
        BIO_write(b64, der, sizeof(head) + 32 + sizeof(tail));
        (void) BIO_flush(b64);
        BIO_pop(b64);
        BIO_free(b64);
        BIO_puts(bio, "-----END EC PRIVATE KEY-----\n");
        key = cert_bio_text(bio);

        test_problem(c.crt, key, i ? "does not belong" : NULL,
                     i ? "bare key of another" : "key without public part");
        free(key);
    }

    cert_pem_free(&c);
    cert_pem_free(&other);
}


static void
test_refused(void)
{
    char        *p, *s;
    cert_pem_t   c, rsa;

    cert_make(&c, NULL, "ec", "x", "DNS:a.example", TEST_FROM, TEST_TO);
    cert_make(&rsa, NULL, "rsa", "x", "DNS:a.example", TEST_FROM, TEST_TO);

    test_problem(NULL, c.key, "no tls.crt", "no certificate");
    test_problem(c.crt, NULL, "no tls.key", "no key");
    test_problem("", c.key, "no tls.crt", "empty certificate");
    test_problem("text", c.key, "no certificate in PEM", "text");
    test_problem(c.key, c.key, "no certificate in PEM", "key for certificate");
    test_problem(c.crt, c.crt, "no private key", "certificate for key");
    test_problem(c.crt, rsa.key, "", "key of another type");
    test_problem(rsa.crt, c.key, "", "key of another type");
    test_problem(c.crt, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
                 "-----END ENCRYPTED PRIVATE KEY-----\n", "is encrypted",
                 "encrypted key");
    test_problem(c.crt, "-----BEGIN RSA PRIVATE KEY-----\n"
                 "Proc-Type: 4,ENCRYPTED\n\nAAAA\n"
                 "-----END RSA PRIVATE KEY-----\n", "is encrypted",
                 "encrypted traditional key");
    test_problem(c.crt, "-----BEGIN PRIVATE KEY-----\nAAAA\n"
                 "-----END PRIVATE KEY-----\n", "cannot be read", "no key");
    test_problem("-----BEGIN CERTIFICATE-----\nAAAA\n"
                 "-----END CERTIFICATE-----\n", c.key, "holds no certificate",
                 "no DER");
    test_problem("-----BEGIN CERTIFICATE-----\nMAA=\n"
                 "-----END CERTIFICATE-----\n", c.key, "cannot be read",
                 "an empty sequence");
    test_problem("-----BEGIN CERTIFICATE-----\n!!!!\n"
                 "-----END CERTIFICATE-----\n", c.key, "not base64",
                 "not base64");

    s = strdup(c.crt);
    p = strstr(s, "-----END");
    *p = '\0';
    test_problem(s, c.key, "damaged", "cut short");
    free(s);

    s = malloc(300 * 1024);
    memset(s, 'x', 300 * 1024 - 1);
    s[300 * 1024 - 1] = '\0';
    test_problem(s, c.key, "longer than", "too long");
    free(s);

    cert_pem_free(&c);
    cert_pem_free(&rsa);
}


static void
test_names(void)
{
    cert_pem_t           c;
    ingress_cert_t      *cert;
    const test_cover_t  *t;

    cert_make(&c, NULL, "ec", "common.example",
              "DNS:a.example,DNS:*.w.example,DNS:UPPER.example", TEST_FROM,
              TEST_TO);
    cert = test_make(c.crt, c.key);

    for (t = test_covers; t->host; t++) {
        tap_ok(ingress_cert_covers(cert, torii_str(t->host)) == t->covered,
               "\"%s\" is %scovered", t->host, t->covered ? "" : "not ");
    }

    ingress_cert_free(cert);
    cert_pem_free(&c);
}


static void
test_dates(void)
{
    int64_t             seconds;
    torii_str_t         s;
    ingress_der_t       der;
    const test_time_t  *t;

    for (t = test_times; t->time; t++) {
        s = torii_str(t->time);
        der = ingress_der_start(s);
        seconds = ingress_der_time(&der);

        tap_ok(t->seconds == -1 ? der.failed : seconds == t->seconds
                                               && !der.failed,
               "%s is %lld", t->time + 2, (long long) seconds);
    }
}


int
main(void)
{
    test_pairs("rsa");
    test_pairs("ec");
    test_pairs("ed25519");
    test_bare_key();
    test_refused();
    test_names();
    test_dates();

    return tap_done();
}
