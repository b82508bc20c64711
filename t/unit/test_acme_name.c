
/*
 * Names, requests and the certificate of tls-alpn-01, with OpenSSL as the other
 * side.
 */

#include <openssl/err.h>

#include "tap.h"
#include "chain_make.h"


/* a label of 63 bytes */
#define TEST_L63                                                              \
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"


typedef struct {
    const char  *in;
    const char  *out;           /* NULL: refused */
} test_name_t;

typedef struct {
    const char  *id;
    const char  *sni;
} test_sni_t;


static const test_name_t  test_names[] = {
    { "a.example", "a.example" },
    { "A.Example.", "a.example" },
    { "localhost", "localhost" },
    { "*.a.example", "*.a.example" },
    { "*.Example.", "*.example" },
    { "xn--bcher-kva.example", "xn--bcher-kva.example" },
    { "1.example", "1.example" },
    { "a-b.0x1", "a-b.0x1" },
    { TEST_L63 ".example", TEST_L63 ".example" },
    { TEST_L63 "." TEST_L63 "." TEST_L63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      TEST_L63 "." TEST_L63 "." TEST_L63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
    { TEST_L63 "." TEST_L63 "." TEST_L63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
    { "192.0.2.1", "192.0.2.1" },
    { "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
    { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
    { "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
    { "::1", "::1" },
    { "::", NULL },
    { "::ffff:192.0.2.1", NULL },
    { "::192.0.2.1", NULL },
    { "fe80::1%eth0", NULL },
    { "[::1]", NULL },
    { "192.0.2.1.", NULL },
    { "192.0.2", NULL },
    { "256.0.2.1", NULL },
    { "192.0.2.01", NULL },
    { "a.example.1", NULL },
    { "", NULL },
    { ".", NULL },
    { "..", NULL },
    { "a..example", NULL },
    { ".example", NULL },
    { "a.example..", NULL },
    { "*", NULL },
    { "*.", NULL },
    { "*..example", NULL },
    { "*.*.example", NULL },
    { "a.*.example", NULL },
    { "a*.example", NULL },
    { "-a.example", NULL },
    { "a-.example", NULL },
    { "a_b.example", NULL },
    { "a b.example", NULL },
    { "a.example\n", NULL },
    { "a.example/x", NULL },
    { "a.example:443", NULL },
    { "b\xc3\xbc" "cher.example", NULL },
    { TEST_L63 "g.example", NULL },
    { NULL, NULL }
};

static const test_sni_t  test_snis[] = {
    { "a.example", "a.example" },
    { "A.Example", "a.example" },
    { "127.0.0.1", "1.0.0.127.in-addr.arpa" },
    { "2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"
                     ".8.b.d.0.1.0.0.2.ip6.arpa" },
    { "a_b", "" },
    { NULL, NULL }
};


static void
test_normal(void)
{
    int                 rc, ok;
    torii_str_t         out;
    const char         *why;
    const test_name_t  *t;

    for (t = test_names; t->in; t++) {
        rc = acme_name_normal(chain_arena, torii_str(t->in), &out, &why);

        ok = t->out ? rc == TORII_OK && torii_str_eqs(out, t->out)
                      && why == NULL
                    : rc == TORII_ERROR && why != NULL;

        tap_ok(ok, "name %d: %s", (int) (t - test_names),
               rc == TORII_OK ? (char *) out.data : why);
    }

    out.data = (unsigned char *) "a.example\0.b.example";
    out.len = 20;
    tap_ok(acme_name_normal(chain_arena, out, &out, &why) == TORII_ERROR,
           "name with a zero byte");

    out.data = (unsigned char *) "192.0.2.1\0";
    out.len = 10;
    tap_ok(acme_name_normal(chain_arena, out, &out, &why) == TORII_ERROR
           && !acme_name_is_ip(out), "address with a zero byte");

    tap_ok(acme_name_is_ip(torii_str("192.0.2.1"))
           && acme_name_is_ip(torii_str("::1"))
           && !acme_name_is_ip(torii_str("a.example"))
           && !acme_name_is_ip(torii_str("")), "what an address is");
}


static char *
test_san_text(GENERAL_NAMES *names)
{
    BIO  *bio;
    int   i;

    bio = BIO_new(BIO_s_mem());

    for (i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        BIO_puts(bio, i ? "," : "");
        GENERAL_NAME_print(bio, sk_GENERAL_NAME_value(names, i));
    }

    return cert_bio_text(bio);
}


static int
test_csr_is(torii_buf_t *der, EVP_PKEY *key, const char *names,
    const char *common_name)
{
    int                        ok;
    char                      *text, cn[256];
    X509_REQ                  *req;
    X509_NAME                 *subject;
    GENERAL_NAMES             *san;
    STACK_OF(X509_EXTENSION)  *exts;
    const unsigned char       *p;

    p = der->data;
    req = d2i_X509_REQ(NULL, &p, (long) der->len);

    if (req == NULL || p != der->data + der->len) {
        X509_REQ_free(req);
        return 0;
    }

    exts = X509_REQ_get_extensions(req);
    san = X509V3_get_d2i(exts, NID_subject_alt_name, NULL, NULL);
    text = test_san_text(san);
    subject = X509_REQ_get_subject_name(req);

    cn[0] = '\0';
    X509_NAME_get_text_by_NID(subject, NID_commonName, cn, sizeof(cn));

    ok = X509_REQ_verify(req, key) == 1
         && EVP_PKEY_eq(X509_REQ_get0_pubkey(req), key) == 1
         && sk_X509_EXTENSION_num(exts) == 1
         && X509_REQ_get_attr_count(req) == 1
         && X509_REQ_get_version(req) == 0
         && X509_NAME_entry_count(subject) == (common_name[0] != '\0')
         && strcmp(cn, common_name) == 0 && strcmp(text, names) == 0;

    if (!ok) {
        printf("# names %s, common name \"%s\"\n", text, cn);
    }

    free(text);
    GENERAL_NAMES_free(san);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    X509_REQ_free(req);

    return ok;
}


static void
test_csr_keys(void)
{
    int                   nid;
    unsigned              i;
    EVP_PKEY             *key;
    X509_REQ             *req;
    torii_buf_t           b;
    torii_str_t           list[4];
    acme_names_t          names;
    const unsigned char  *p;

    static const char *const  wanted[] = {
        "a.example", "*.b.example", "192.0.2.1", "2001:db8::1"
    };
    static const int  digests[] = {
        NID_ecdsa_with_SHA256, NID_ecdsa_with_SHA384,
        NID_sha256WithRSAEncryption
    };

    names = chain_list(wanted, list, 4);

    for (i = 0; i < 3; i++) {
        key = torii_key_generate((torii_key_type_e) i);
        memset(&b, 0, sizeof(torii_buf_t));

        tap_ok(acme_csr(key, &names, torii_str("a.example"), &b) == TORII_OK
               && test_csr_is(&b, key, "DNS:a.example,DNS:*.b.example,"
                              "IP Address:192.0.2.1,"
                              "IP Address:2001:DB8:0:0:0:0:0:1", "a.example"),
               "request with a key of type %u", i);

        p = b.data;
        req = d2i_X509_REQ(NULL, &p, (long) b.len);
        nid = X509_REQ_get_signature_nid(req);
        tap_ok(nid == digests[i], "signed by %s", OBJ_nid2ln(nid));

        X509_REQ_free(req);
        torii_buf_free(&b);
        EVP_PKEY_free(key);
    }
}


static void
test_csr(void)
{
    EVP_PKEY     *key;
    torii_buf_t   b;
    torii_str_t   list[2];
    acme_names_t  names;

    key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    memset(&b, 0, sizeof(torii_buf_t));

    list[0] = torii_str(TEST_L63 ".a.example");
    list[1] = torii_str("192.0.2.1");
    names.names = list;
    names.n = 2;

    tap_ok(acme_csr(key, &names, torii_str(""), &b) == TORII_OK
           && test_csr_is(&b, key, "DNS:" TEST_L63 ".a.example,"
                          "IP Address:192.0.2.1", ""),
           "request without a subject, for a long name, by Ed25519");
    b.len = 0;

    tap_ok(acme_csr(key, &names, list[0], &b) == TORII_ERROR,
           "no request: common name too long");
    tap_ok(acme_csr(key, &names, list[1], &b) == TORII_ERROR,
           "no request: common name is an address");
    tap_ok(acme_csr(key, &names, torii_str("b.example"), &b) == TORII_ERROR,
           "no request: common name is none of the names");

    list[1] = torii_str("A.example");
    tap_ok(acme_csr(key, &names, torii_str(""), &b) == TORII_ERROR,
           "no request: a name in upper case");

    list[1] = torii_str("a.example,DNS:b.example");
    tap_ok(acme_csr(key, &names, torii_str(""), &b) == TORII_ERROR,
           "no request: what is not a name");

    names.n = 0;
    tap_ok(acme_csr(key, &names, torii_str(""), &b) == TORII_ERROR,
           "no request: no names");

    tap_ok(b.len == 0, "nothing was added");

    torii_buf_free(&b);
    EVP_PKEY_free(key);
}


/* san: the extension's DER as a CA compares it. */

static void
test_alpn(const char *id, const char *san, size_t size)
{
    int                   ok, i;
    X509                 *x;
    EVP_PKEY             *pkey;
    ASN1_OBJECT          *oid;
    torii_buf_t           cert, key;
    X509_EXTENSION       *ext;
    unsigned char         digest[32], value[34];
    ASN1_OCTET_STRING    *data;
    const unsigned char  *p;

    for (i = 0; i < 32; i++) {
        digest[i] = (unsigned char) (200 + i);
    }

    memcpy(value, "\x04\x20", 2);
    memcpy(value + 2, digest, 32);

    memset(&cert, 0, sizeof(torii_buf_t));
    memset(&key, 0, sizeof(torii_buf_t));

    ok = acme_alpn_cert(torii_str(id), digest, CHAIN_NOW, &cert, &key);

    p = cert.data;
    x = ok == TORII_OK ? d2i_X509(NULL, &p, (long) cert.len) : NULL;
    ok = x && p == cert.data + cert.len;

    p = key.data;
    pkey = ok ? d2i_AutoPrivateKey(NULL, &p, (long) key.len) : NULL;

    if (!tap_ok(pkey && p == key.data + key.len, "%s: certificate and key",
                id))
    {
        return;
    }

    tap_ok(X509_check_private_key(x, pkey) == 1 && X509_verify(x, pkey) == 1
           && X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x))
              == 0
           && X509_NAME_entry_count(X509_get_subject_name(x)) == 1,
           "%s: self-signed", id);

    tap_ok(X509_get_version(x) == 2
           && X509_cmp_time(X509_get0_notBefore(x), &(time_t) { CHAIN_NOW })
              < 0
           && X509_cmp_time(X509_get0_notAfter(x),
                            &(time_t) { CHAIN_NOW + 7 * CHAIN_DAY }) > 0,
           "%s: valid for a week", id);

    oid = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
    i = X509_get_ext_by_OBJ(x, oid, -1);
    ext = i < 0 ? NULL : X509_get_ext(x, i);
    data = ext ? X509_EXTENSION_get_data(ext) : NULL;

    tap_ok(data && X509_EXTENSION_get_critical(ext)
           && ASN1_STRING_length(data) == 34
           && memcmp(ASN1_STRING_get0_data(data), value, 34) == 0
           && X509_get_ext_by_OBJ(x, oid, i) < 0, "%s: acmeIdentifier", id);

    i = X509_get_ext_by_NID(x, NID_subject_alt_name, -1);
    data = i < 0 ? NULL : X509_EXTENSION_get_data(X509_get_ext(x, i));

    tap_ok(data && (size_t) ASN1_STRING_length(data) == size
           && memcmp(ASN1_STRING_get0_data(data), san, size) == 0
           && X509_get_ext_by_NID(x, NID_subject_alt_name, i) < 0,
           "%s: name", id);

    ASN1_OBJECT_free(oid);
    EVP_PKEY_free(pkey);
    X509_free(x);
    torii_buf_free(&cert);
    torii_buf_free(&key);
}


static void
test_alpn_all(void)
{
    torii_str_t           s;
    torii_buf_t           cert, key;
    const char           *name;
    const test_sni_t     *t;
    static unsigned char  digest[32];

    name = TEST_L63 "." TEST_L63 ".example";

    s = torii_arena_printf(chain_arena, "\x30\x81\x8a\x82\x81\x87%s", name);

    test_alpn("A.Example", "\x30\x0b\x82\x09" "a.example", 13);
    test_alpn(name, (char *) s.data, s.len);
    test_alpn("127.0.0.1", "\x30\x06\x87\x04\x7f\0\0\x01", 8);
    test_alpn("2001:db8::1", "\x30\x12\x87\x10\x20\x01\x0d\xb8"
              "\0\0\0\0\0\0\0\0\0\0\0\x01", 20);

    memset(&cert, 0, sizeof(torii_buf_t));
    memset(&key, 0, sizeof(torii_buf_t));

    tap_ok(acme_alpn_cert(torii_str("*.example"), digest, 0, &cert, &key)
           == TORII_ERROR
           && acme_alpn_cert(torii_str("a_b"), digest, 0, &cert, &key)
              == TORII_ERROR
           && cert.len == 0 && key.len == 0,
           "no tls-alpn-01 for a wildcard or what is no name");

    for (t = test_snis; t->id; t++) {
        s = acme_alpn_sni(chain_arena, torii_str(t->id));
        tap_ok(torii_str_eqs(s, t->sni), "%s: server name \"%.*s\"", t->id,
               torii_str_arg(s));
    }
}


int
main(void)
{
    chain_arena = torii_arena_create(4096);

    test_normal();
    test_csr();
    test_csr_keys();
    test_alpn_all();

    tap_ok(ERR_peek_error() == 0, "no error is left behind");

    torii_arena_destroy(chain_arena);

    return tap_done();
}
