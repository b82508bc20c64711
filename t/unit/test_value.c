
/* The forms of values: sizes, switches, networks. */

#include <stdlib.h>

#include "ingress_setting.h"
#include "tap.h"


#define BAD  UINT64_MAX


typedef struct {
    const char  *text;
    uint64_t     value;
} test_number_t;

typedef struct {
    const char  *text;
    const char  *hint;
} test_hint_t;

typedef struct {
    const char  *list;
    const char  *address;
    int          match;
} test_network_t;


static const test_number_t  test_sizes[] = {
    { "0", 0 },
    { "1", 1 },
    { "8b", 8 },
    { "8k", 8192 },
    { "8K", 8192 },
    { "100m", 104857600 },
    { "10G", 10737418240ULL },
    { "10 m", 10485760 },
    { " 10m\n", 10485760 },
    { "8589934591g", 9223372035781033984ULL },
    { "8589934592g", BAD },
    { "99999999999999999999", BAD },
    { "", BAD },
    { "m", BAD },
    { "-1", BAD },
    { "1.5g", BAD },
    { "15gg", BAD },
    { "1Gi", BAD },
    { "100MB", BAD },
    { "1t", BAD },
    { "0x10", BAD }
};

static const test_number_t  test_bools[] = {
    { "true", 1 }, { "True", 1 }, { "TRUE", 1 }, { "t", 1 }, { "T", 1 },
    { "1", 1 }, { "false", 0 }, { "False", 0 }, { "FALSE", 0 }, { "f", 0 },
    { "F", 0 }, { "0", 0 }, { " true\n", 1 }, { "yes", BAD }, { "on", BAD },
    { "tRUE", BAD }, { "", BAD }, { "2", BAD }, { "truee", BAD }
};

static const test_number_t  test_numbers[] = {
    { "0", 0 }, { "60", 60 }, { "+60", 60 }, { "060", 60 }, { " 60 ", 60 },
    { "-0", 0 }, { "1000", 1000 }, { "1001", BAD }, { "-5", BAD },
    { "60s", BAD }, { "", BAD }, { "+", BAD }, { "-", BAD }, { "1e3", BAD },
    { "6 0", BAD }, { "99999999999999999999999", BAD }
};

static const test_hint_t  test_seconds[] = {
    { "60s", "60" }, { "60 sec", "60" }, { "1m", "60" }, { "2h", "7200" },
    { "1d", "86400" }, { "500ms", "1" }, { "60", "" }, { "s", "" },
    { "60x", "" }, { "99999999h", "" }
};

static const test_hint_t  test_size_hints[] = {
    { "1Gi", "1g" }, { "100MB", "100m" }, { "512Ki", "512k" },
    { "1.5g", "1536m" }, { "2T", "2048g" }, { "0.5Gi", "512m" },
    { "1x", "" }, { "", "" }, { "1.5k", "" }
};

static const test_hint_t  test_hosts[] = {
    { "example.com", "ok" }, { "example.com:8080", "ok" }, { "a_b.c", "ok" },
    { "[::1]", "ok" }, { "[::1]:80", "ok" }, { "10.0.0.1", "ok" },
    { "", "" }, { ":80", "" }, { "a:", "" }, { "a:0", "" }, { "a:65536", "" },
    { "a:8x", "" }, { "a b", "" }, { "[]", "" }, { "[::1", "" },
    { "[::1]x80", "" }, { "a/b", "" }, { "a:80:90", "" }, { "é", "" }
};

static const test_hint_t  test_targets[] = {
    { "/", "ok" }, { "/a?b=c#d", "ok" }, { "https://example.com", "ok" },
    { "http://example.com:8080/a%20b", "ok" }, { "//example.com", "ok" },
    { "example.com", "" }, { "ftp://example.com", "" }, { "https://", "" },
    { "https:///a", "" }, { "https://a b/", "" }, { "https://a/$request_uri",
    "" }, { "javascript:alert(1)", "" }, { "https://a/\"", "" },
    { "https://u@a/", "" }
};

static const test_network_t  test_networks[] = {
    { "10.0.0.0/8", "10.1.2.3", 1 },
    { "10.0.0.0/8", "11.0.0.0", 0 },
    { "10.9.9.9/8", "10.1.2.3", 1 },
    { "10.0.0.1", "10.0.0.1", 1 },
    { "10.0.0.1", "10.0.0.2", 0 },
    { "0.0.0.0/0", "1.2.3.4", 1 },
    { "0.0.0.0/0", "2001:db8::1", 0 },
    { "::/0", "2001:db8::1", 1 },
    { "::/0", "1.2.3.4", 0 },
    { "2001:db8::/33", "2001:db8:7fff::1", 1 },
    { "2001:db8::/33", "2001:db8:8000::1", 0 },
    { "10.0.0.0/9", "10.127.0.1", 1 },
    { "10.0.0.0/9", "10.128.0.1", 0 },
    { "::ffff:10.0.0.0/104", "10.1.2.3", 1 },
    { "10.0.0.0/8,10.1.0.0/16,11.0.0.0/8,12.0.0.0/8,13.0.0.0/8,14.0.0.0/8,"
      "15.0.0.0/8,16.0.0.0/8,17.0.0.0/8,::/0,18.1.2.3", "10.255.0.1", 1 },
    { "10.0.0.0/8,10.1.0.0/16,11.0.0.0/8,12.0.0.0/8,13.0.0.0/8,14.0.0.0/8,"
      "15.0.0.0/8,16.0.0.0/8,17.0.0.0/8,::/0,18.1.2.3", "18.1.2.3", 1 },
    { "10.0.0.0/8,10.1.0.0/16,11.0.0.0/8,12.0.0.0/8,13.0.0.0/8,14.0.0.0/8,"
      "15.0.0.0/8,16.0.0.0/8,17.0.0.0/8,::/0,18.1.2.3", "18.1.2.4", 0 },
    { "10.0.0.0/8,10.1.0.0/16,11.0.0.0/8,12.0.0.0/8,13.0.0.0/8,14.0.0.0/8,"
      "15.0.0.0/8,16.0.0.0/8,17.0.0.0/8,::/0,18.1.2.3", "fe80::1", 1 },
    { "10.0.0.0/8,10.1.0.0/16,11.0.0.0/8,12.0.0.0/8,13.0.0.0/8,14.0.0.0/8,"
      "15.0.0.0/8,16.0.0.0/8,17.0.0.0/8,::/0,18.1.2.3", "9.255.255.255", 0 },
    { "10.0.0.0/33", NULL, -1 },
    { "10.0.0.0/", NULL, -1 },
    { "10.0.0.0/+8", NULL, -1 },
    { "10.0.0/8", NULL, -1 },
    { "010.0.0.1", NULL, -1 },
    { "::/129", NULL, -1 },
    { "fe80::1%eth0", NULL, -1 },
    { "example.com", NULL, -1 },
    { "1.2.3.4.5", NULL, -1 },
    { "", NULL, -1 }
};


static void
test_forms(void)
{
    size_t       i;
    uint8_t      b;
    uint64_t     n;
    const char  *why;

    for (i = 0; i < sizeof(test_sizes) / sizeof(test_sizes[0]); i++) {
        n = BAD;
        why = NULL;
        (void) ingress_parse_size(torii_str(test_sizes[i].text), &n, &why);
        tap_ok(n == test_sizes[i].value && (n != BAD || why != NULL),
               "size \"%s\"", test_sizes[i].text);
    }

    for (i = 0; i < sizeof(test_bools) / sizeof(test_bools[0]); i++) {
        b = 7;
        why = NULL;
        (void) ingress_parse_bool(torii_str(test_bools[i].text), &b, &why);
        n = (b == 7) ? BAD : b;
        tap_ok(n == test_bools[i].value && (n != BAD || why != NULL),
               "bool \"%s\"", test_bools[i].text);
    }

    for (i = 0; i < sizeof(test_numbers) / sizeof(test_numbers[0]); i++) {
        n = BAD;
        (void) ingress_parse_number(torii_str(test_numbers[i].text), 0, 1000,
                                    &n, &why);
        tap_ok(n == test_numbers[i].value, "number \"%s\"",
               test_numbers[i].text);
    }
}


static void
test_texts(void)
{
    int          ok;
    char         buf[32];
    size_t       i;
    const char  *why;

    for (i = 0; i < sizeof(test_seconds) / sizeof(test_seconds[0]); i++) {
        tap_ok(strcmp(ingress_hint_seconds(torii_str(test_seconds[i].text),
                                           buf), test_seconds[i].hint) == 0,
               "seconds meant by \"%s\": %s", test_seconds[i].text, buf);
    }

    for (i = 0; i < sizeof(test_size_hints) / sizeof(test_size_hints[0]); i++)
    {
        tap_ok(strcmp(ingress_hint_size(torii_str(test_size_hints[i].text),
                                        buf), test_size_hints[i].hint) == 0,
               "size meant by \"%s\": %s", test_size_hints[i].text, buf);
    }

    for (i = 0; i < sizeof(test_hosts) / sizeof(test_hosts[0]); i++) {
        ok = ingress_parse_host(torii_str(test_hosts[i].text)) == TORII_OK;
        tap_ok(ok == (test_hosts[i].hint[0] != '\0'), "host \"%s\"",
               test_hosts[i].text);
    }

    for (i = 0; i < sizeof(test_targets) / sizeof(test_targets[0]); i++) {
        why = NULL;
        ok = ingress_parse_target(torii_str(test_targets[i].text), &why)
             == TORII_OK;
        tap_ok(ok == (test_targets[i].hint[0] != '\0') && (ok || why != NULL),
               "target \"%s\"", test_targets[i].text);
    }
}


static void
test_match(const test_network_t *t)
{
    int                bad;
    uint32_t           n;
    torii_str_t        rest, piece;
    ingress_network_t  list[16], address;

    n = 0;
    bad = 0;
    rest = torii_str(t->list);

    while (torii_str_next(&rest, ",", &piece)) {
        bad |= ingress_parse_network(piece, &list[n++]) != TORII_OK;
    }

    if (bad || t->match == -1) {
        tap_ok(bad && t->match == -1, "\"%s\" is no network", t->list);
        return;
    }

    (void) ingress_parse_network(torii_str(t->address), &address);
    n = ingress_network_sort(list, n);

    tap_ok(ingress_network_match(list, n, address.addr) == t->match,
           "%s is %sin %s", t->address, t->match ? "" : "not ", t->list);
}


static void
test_show(void)
{
    char         shown[96], big[200];
    torii_str_t  s;

    tap_ok(strcmp(ingress_show(torii_str("a\nb"), shown), "\"a b\"") == 0,
           "a line break is not shown");
    tap_ok(strcmp(ingress_show(torii_str("\xff"), shown), "\"?\"") == 0,
           "a stray byte is not shown");

    memset(big, 'x', sizeof(big));
    s.data = (unsigned char *) big;
    s.len = sizeof(big);

    tap_ok(strlen(ingress_show(s, shown)) == 69, "a long value is cut");
}


int
main(void)
{
    size_t  i;

    test_forms();
    test_texts();
    test_show();

    for (i = 0; i < sizeof(test_networks) / sizeof(test_networks[0]); i++) {
        test_match(&test_networks[i]);
    }

    return tap_done();
}
