
/*
 * TSIG: keys, signatures, answers that were tampered with, clocks.
 */

#include "tap.h"
#include "dns_make.h"


#define TEST_NOW  1700000000


typedef struct {
    const char      *what;
    dns_sign_t       sign;
    dnssync_tsig_e   want;
    unsigned         error;
    int64_t          skew;
} test_answer_t;


static const test_answer_t  test_answers[] = {
    { "good", { "k256", DNS_SECRET, TEST_NOW, 0, NULL, 0, 0 },
      DNSSYNC_TSIG_GOOD, 0, 0 },
    { "late, within the fudge",
      { "k256", DNS_SECRET, TEST_NOW + 300, 0, NULL, 0, 0 },
      DNSSYNC_TSIG_GOOD, 0, 0 },
    { "too late", { "k256", DNS_SECRET, TEST_NOW - 301, 0, NULL, 0, 0 },
      DNSSYNC_TSIG_LATE, 0, -301 },
    { "too early", { "k256", DNS_SECRET, TEST_NOW + 301, 0, NULL, 0, 0 },
      DNSSYNC_TSIG_LATE, 0, 301 },
    { "another key", { "other", DNS_SECRET, TEST_NOW, 0, NULL, 0, 0 },
      DNSSYNC_TSIG_OTHER, 0, 0 },
    { "another secret", { "k256", "secret", TEST_NOW, 0, NULL, 0, 0 },
      DNSSYNC_TSIG_WRONG, 0, 0 },
    { "a short MAC", { "k256", DNS_SECRET, TEST_NOW, 0, NULL, 16, 0 },
      DNSSYNC_TSIG_WRONG, 0, 0 },
    { "no MAC and no error", { "k256", DNS_SECRET, TEST_NOW, 0, NULL, 0, 1 },
      DNSSYNC_TSIG_MALFORMED, 0, 0 },
    { "BADKEY", { "k256", DNS_SECRET, 0, 17, NULL, 0, 1 },
      DNSSYNC_TSIG_UNSIGNED, 17, 0 },
    { "BADSIG, of another key", { "x", DNS_SECRET, 0, 16, NULL, 0, 1 },
      DNSSYNC_TSIG_UNSIGNED, 16, 0 },
    { "BADTIME", { "k256", DNS_SECRET, TEST_NOW, 18, "\0\0\x65\x53\xf1\x64",
                   0, 0 },
      DNSSYNC_TSIG_GOOD, 18, 100 },
    { "BADTIME with a wrong MAC",
      { "k256", "secret", TEST_NOW, 18, "\0\0\x65\x53\xf1\x64", 0, 0 },
      DNSSYNC_TSIG_WRONG, 18, 0 }
};


static const char  test_request[] =
    "1234280000010001000100000364796e04746573740000060001036170700364796e04"
    "7465737400000500fe000000000000036170700364796e047465737400000100010000"
    "003c0004c000020a";

static const char  test_signed[] =
    "046b3235360000fa00ff00000000003d0b686d61632d7368613235360000006553f100"
    "012c0020d44a8013eca2f8e6c2c6f7264095d1f0328c963b07627d50c1ff99a1f51079"
    "9f123400000000";


static dnssync_key_t *
test_key(const char *algorithm)
{
    const char  *why;

    return dnssync_key_create(torii_str("K256."), torii_str(algorithm),
                              torii_str(DNS_SECRET), &why);
}


static int
test_hex(const torii_buf_t *b, size_t from, const char *hex)
{
    int     n;
    char    byte[3];
    size_t  i;

    for (i = from; i < b->len; i++, hex += 2) {
        n = snprintf(byte, sizeof(byte), "%02x", b->data[i]);

        if (n != 2 || strncmp(byte, hex, 2) != 0) {
            return 0;
        }
    }

    return *hex == '\0';
}


static void
test_keys(void)
{
    size_t          i;
    const char     *why;
    dnssync_key_t  *key;

    static const struct {
        const char  *name;
        const char  *algorithm;
        const char  *secret;
        const char  *want;         /* the digest, or why not */
    } table[] = {
        { "k", "", "s", "MD5" }, { "k", "HMACMD5", "s", "MD5" },
        { "k", "hmac-md5.sig-alg.reg.int.", "s", "MD5" },
        { "k", "HMACSHA1", "s", "SHA1" }, { "k", "hmac-sha1.", "s", "SHA1" },
        { "k", "HMACSHA224", "s", "SHA224" },
        { "k", "HmacSha256", "s", "SHA256" },
        { "k.", "hmac-sha256", "s", "SHA256" },
        { "k", "hmac-sha384", "s", "SHA384" },
        { "k.example", "HMACSHA512", "s", "SHA512" },
        { "k", "HMACSHA3", "s", "algorithm" },
        { "k", ".", "s", "algorithm" },
        { "", "HMACSHA512", "s", "name" },
        { "a..b", "HMACSHA512", "s", "name" },
        { "k", "HMACSHA512", "", "empty" }
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        why = "";
        key = dnssync_key_create(torii_str(table[i].name),
                                 torii_str(table[i].algorithm),
                                 torii_str(table[i].secret), &why);

        tap_ok(key ? strcmp(key->hmac->digest, table[i].want) == 0
                   : strstr(why, table[i].want) != NULL,
               "key \"%s\" of \"%s\": %s", table[i].name, table[i].algorithm,
               table[i].want);

        dnssync_key_free(key);
    }
}


/* Two other implementations agree on these bytes. */

static void
test_vector(void)
{
    size_t          len;
    torii_buf_t     b;
    torii_str_t     data;
    dnssync_mac_t   mac;
    dnssync_key_t  *key;
    dnssync_name_t  name, zone;

    key = test_key("hmac-sha256");
    zone = dns_name("dyn.test");
    name = dns_name("app.dyn.test");

    data.data = (unsigned char *) "\xc0\0\2\x0a";
    data.len = 4;

    memset(&b, 0, sizeof(torii_buf_t));
    dnssync_update_start(&b, 0x1234, &zone);
    dnssync_update_if_absent(&b, &name, DNSSYNC_CNAME);
    dnssync_update_add(&b, &name, DNSSYNC_A, 60, data);

    len = b.len;

    tap_ok(test_hex(&b, 0, test_request), "an update, byte for byte");
    tap_ok(dnssync_tsig_sign(key, TEST_NOW, &b, &mac) == TORII_OK
           && test_hex(&b, len, test_signed) && b.data[11] == 1,
           "its signature, byte for byte");

    b.len = 0;
    dnssync_update_start(&b, 1, &zone);
    dnssync_update_if_exists(&b, &name, DNSSYNC_A);
    dnssync_update_if_equal(&b, &name, DNSSYNC_A, data);
    dnssync_update_delete(&b, &name, DNSSYNC_A, data);
    dnssync_update_delete_set(&b, &name, DNSSYNC_AAAA);

    tap_ok(test_hex(&b, 26,
                    "036170700364796e0474657374000001" "00ff" "00000000" "0000"
                    "036170700364796e0474657374000001" "0001" "00000000"
                    "0004c000020a"
                    "036170700364796e0474657374000001" "00fe" "00000000"
                    "0004c000020a"
                    "036170700364796e047465737400001c" "00ff" "00000000"
                    "0000")
           && b.data[7] == 2 && b.data[9] == 2,
           "prerequisites and deletions, byte for byte");

    torii_buf_free(&b);
    dnssync_key_free(key);
}


/* The MAC of each algorithm is OpenSSL's one-shot HMAC of the same bytes. */

static void
test_algorithms(void)
{
    size_t          i, len;
    unsigned        n;
    torii_buf_t     b, all;
    dnssync_mac_t   mac;
    dnssync_key_t  *key;
    dnssync_name_t  name;
    unsigned char   want[64];

    static const char *const  table[] = {
        "hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384",
        "hmac-sha512"
    };

    memset(&b, 0, sizeof(torii_buf_t));
    memset(&all, 0, sizeof(torii_buf_t));

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        key = test_key(table[i]);

        b.len = 0;
        (void) dnssync_question(&b, 9, torii_str("a.example"), DNSSYNC_SOA);
        len = b.len;

        name = dns_name(i == 0 ? "hmac-md5.sig-alg.reg.int" : table[i]);

        all.len = 0;
        torii_buf_add(&all, b.data, len);
        torii_buf_add(&all, "\4k256\0" "\0\xff" "\0\0\0\0", 12);
        torii_buf_add(&all, name.data, name.len);
        torii_buf_add(&all, "\0\0\x65\x53\xf1\0" "\1\x2c" "\0\0" "\0\0", 12);

        HMAC(EVP_get_digestbyname(key->hmac->digest), DNS_SECRET,
             sizeof(DNS_SECRET) - 1, all.data, all.len, want, &n);

        tap_ok(dnssync_tsig_sign(key, TEST_NOW, &b, &mac) == TORII_OK
               && mac.len == n && memcmp(mac.data, want, n) == 0
               && memcmp(b.data + b.len - 6 - n, want, n) == 0,
               "signed by %s", table[i]);

        dnssync_key_free(key);
    }

    torii_buf_free(&b);
    torii_buf_free(&all);
}


static void
test_make(torii_buf_t *b, const dnssync_key_t *key, dnssync_mac_t *mac,
    const dns_sign_t *sign)
{
    torii_buf_t  request;

    memset(&request, 0, sizeof(torii_buf_t));

    (void) dnssync_question(&request, 9, torii_str("a.example"), DNSSYNC_SOA);
    (void) dnssync_tsig_sign(key, TEST_NOW, &request, mac);

    dns_answer(b, dns_str(&request), DNSSYNC_AA);
    dns_add(b, DNSSYNC_ANSWER, "a.example SOA");

    if (sign) {
        dns_sign(b, mac, sign);
    }

    torii_buf_free(&request);
}


static void
test_verify(void)
{
    size_t                i;
    torii_buf_t           b;
    dnssync_mac_t         mac;
    dnssync_tsig_e        got;
    dnssync_tsig_t        tsig;
    dnssync_key_t        *key;
    const test_answer_t  *t;

    key = test_key("hmac-sha256");
    memset(&b, 0, sizeof(torii_buf_t));

    for (i = 0; i < sizeof(test_answers) / sizeof(test_answers[0]); i++) {
        t = &test_answers[i];

        test_make(&b, key, &mac, &t->sign);
        got = dnssync_tsig_verify(key, TEST_NOW, dns_str(&b), &mac, &tsig);

        tap_ok(got == t->want && tsig.error == t->error
               && tsig.skew == t->skew, "answer: %s", t->what);
    }

    test_make(&b, key, &mac, &test_answers[0].sign);
    mac.data[0] ^= 1;

    tap_ok(dnssync_tsig_verify(key, TEST_NOW, dns_str(&b), &mac, &tsig)
           == DNSSYNC_TSIG_WRONG, "answer to another request");

    test_make(&b, key, &mac, NULL);

    tap_ok(dnssync_tsig_verify(key, TEST_NOW, dns_str(&b), &mac, &tsig)
           == DNSSYNC_TSIG_NONE, "answer without TSIG");

    test_make(&b, key, &mac, &test_answers[0].sign);
    dns_add(&b, DNSSYNC_ADDITIONAL, "a.example TXT x");

    tap_ok(dnssync_tsig_verify(key, TEST_NOW, dns_str(&b), &mac, &tsig)
           == DNSSYNC_TSIG_MALFORMED, "a record behind the signature");

    test_make(&b, key, &mac, &test_answers[0].sign);
    dns_sign(&b, &mac, &test_answers[0].sign);

    tap_ok(dnssync_tsig_verify(key, TEST_NOW, dns_str(&b), &mac, &tsig)
           == DNSSYNC_TSIG_MALFORMED, "two signatures");

    torii_buf_free(&b);
    dnssync_key_free(key);
}


/*
 * No bit can be changed; but for the header's id, which the one in the record
 * replaces, and for the case of names.
 */

static void
test_tampered(void)
{
    size_t            i, owner;
    unsigned          bit, good;
    torii_buf_t       b;
    torii_str_t       s;
    dnssync_mac_t     mac;
    dnssync_tsig_t    tsig;
    dnssync_key_t    *key;

    key = test_key("hmac-sha256");
    memset(&b, 0, sizeof(torii_buf_t));

    test_make(&b, key, &mac, &test_answers[0].sign);

    /* the owner of the signature, and then its algorithm's name */

    owner = b.len - 77;
    good = 0;

    for (i = 2; i < b.len; i++) {
        for (bit = 0; bit < 8; bit++) {
            b.data[i] ^= 1 << bit;

            if (dnssync_tsig_verify(key, TEST_NOW, dns_str(&b), &mac, &tsig)
                == DNSSYNC_TSIG_GOOD
                && (bit != 5 || i < owner || i >= owner + 6 + 10 + 13))
            {
                good++;
            }

            b.data[i] ^= 1 << bit;
        }
    }

    tap_ok(good == 0, "each bit counts");

    good = 0;

    for (s = dns_str(&b); s.len; s.len--) {
        good += (dnssync_tsig_verify(key, TEST_NOW, s, &mac, &tsig)
                 == DNSSYNC_TSIG_GOOD);
    }

    tap_ok(good == 1, "only the whole answer is good");

    torii_buf_free(&b);
    dnssync_key_free(key);
}


int
main(void)
{
    test_keys();
    test_vector();
    test_algorithms();
    test_verify();
    test_tampered();

    return tap_done();
}
