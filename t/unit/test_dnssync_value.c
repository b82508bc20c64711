
/*
 * Names, texts and addresses at the edges: traps 16 to 18, where one thing is
 * written in more than one way.
 */

#include "dnssync_plan.h"
#include "tap.h"


static void
test_forms(torii_arena_t *a)
{
    int          ok;
    size_t       i;
    const char  *why;
    torii_str_t  out;

    static const struct {
        const char  *in;
        const char  *out;      /* NULL: refused */
    } hosts[] = {
        { "App.A.Test", "app.a.test" },
        { "app.a.test.", "app.a.test" },
        { "*.A.test", "*.a.test" },
        { "xn--bcher-kva.test", "xn--bcher-kva.test" },
        { "_sip.a.test", "_sip.a.test" },
        { "b\xc3\xbc" "cher.test", NULL },
        { "\\052.a.test", NULL },
        { "a\\b.test", NULL },
        { "a.*.test", NULL },
        { "*", NULL },
        { "*a.test", NULL },
        { "a..test", NULL },
        { "a b.test", NULL },
        { "192.0.2.1", NULL },
        { "2001:db8::1", NULL },
        { "", NULL },
        { ".", NULL }
    };

    static const struct {
        int        (*read)(torii_arena_t *a, torii_str_t text,
                           torii_str_t *name);
        const char  *in;
        const char  *out;
    } records[] = {
        { dnssync_record_read, "\\042.A.test.", "*.a.test" },
        { dnssync_record_read, "App.a.test", "app.a.test" },
        { dnssync_record_read, "a\\", NULL },
        { dnssync_record_octal, "\\052.A.test.", "*.a.test" },
        { dnssync_record_octal, "\\400.a.test", NULL },
        { dnssync_record_octal, "\\05", NULL },
        { dnssync_record_octal, "a\\056b.test", "a\\.b.test" }
    };

    for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        ok = dnssync_host_read(a, torii_str(hosts[i].in), &out, &why)
             == TORII_OK;

        tap_ok(ok ? hosts[i].out != NULL && torii_str_eqs(out, hosts[i].out)
                  : hosts[i].out == NULL, "trap 16: host \"%s\"", hosts[i].in);
    }

    for (i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        ok = records[i].read(a, torii_str(records[i].in), &out) == TORII_OK;

        tap_ok(ok ? records[i].out && torii_str_eqs(out, records[i].out)
                  : records[i].out == NULL, "trap 16: record \"%s\"",
               records[i].in);
    }
}


static void
test_texts(torii_arena_t *a)
{
    int          ok;
    char         big[700];
    size_t       i;
    torii_str_t  out, in;
    torii_buf_t  b = { NULL, 0, 0 };

    static const struct {
        const char  *in;
        const char  *out;
    } texts[] = {
        { "bare, \\as it is", "bare, \\as it is" },
        { "\"quoted\"", "quoted" },
        { "\"a\" \"b\"\"c\"", "abc" },
        { "\"a\\\"b\\\\c\\065\"", "a\"b\\cA" },
        { "\"\"", "" },
        { "\"open", NULL },
        { "\"a\" b", NULL },
        { "\"a\\", NULL },
        { "\"a\\25\"", NULL },
        { "\"a\\256\"", NULL }
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ok = dnssync_txt_read(a, torii_str(texts[i].in), &out) == TORII_OK;

        tap_ok(ok ? texts[i].out != NULL && torii_str_eqs(out, texts[i].out)
                  : texts[i].out == NULL, "trap 17: TXT %s", texts[i].in);
    }

    for (i = 0; i < sizeof(big); i++) {
        big[i] = (char) (i * 7);
    }

    in.data = (unsigned char *) big;
    in.len = sizeof(big);

    dnssync_txt_write(&b, in);
    out.data = b.data;
    out.len = b.len;

    tap_ok(dnssync_txt_read(a, out, &out) == TORII_OK
           && torii_str_eq(out, in), "trap 17: cut into strings and joined");

    torii_buf_free(&b);
}


static void
test_addresses(torii_arena_t *a)
{
    int          ok;
    size_t       i;
    torii_str_t  out;

    static const struct {
        unsigned     type;
        const char  *in;
        const char  *out;
    } values[] = {
        { DNSSYNC_AAAA, "2001:DB8:0:0::0001", "2001:db8::1" },
        { DNSSYNC_AAAA, "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
        { DNSSYNC_AAAA, "192.0.2.1", NULL },
        { DNSSYNC_AAAA, "fe80::1%eth0", NULL },
        { DNSSYNC_A, "192.0.2.1", "192.0.2.1" },
        { DNSSYNC_A, "192.0.2.01", NULL },
        { DNSSYNC_A, "2001:db8::1", NULL },
        { DNSSYNC_CNAME, "LB.X.", "lb.x" },
        { DNSSYNC_CNAME, "192.0.2.1", NULL },
        { DNSSYNC_CNAME, "*.x", NULL }
    };

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        ok = dnssync_value_read(a, values[i].type, torii_str(values[i].in),
                                &out)
             == TORII_OK;

        tap_ok(ok ? values[i].out != NULL && torii_str_eqs(out, values[i].out)
                  : values[i].out == NULL, "trap 18: value %s", values[i].in);
    }
}


int
main(void)
{
    torii_arena_t  *a;

    a = torii_arena_create(4096);

    test_forms(a);
    test_texts(a);
    test_addresses(a);

    torii_arena_destroy(a);

    return tap_done();
}
