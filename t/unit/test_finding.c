
/* Findings: cleaning, limits, and both ways to write them. */

#include <stdlib.h>

#include "ingress_finding.h"
#include "tap.h"


typedef struct {
    const char  *name;
    torii_str_t  in;
    const char  *out;
} clean_t;


static char  letters[200];

static const clean_t  cleans[] = {
    { "plain text", torii_string("on"), "on" },
    { "ends of lines become blanks", torii_string("a\nb\r\tc"), "a b  c" },
    { "control bytes", torii_string("\033[2Jx\0y\177"), "?[2Jx?y?" },
    { "UTF-8 stays", torii_string("gr\303\274n"), "gr\303\274n" },
    { "broken UTF-8", torii_string("gr\303n"), "gr?n" },
};


static torii_str_t
buf_str(const torii_buf_t *b)
{
    torii_str_t  s;

    s.data = b->data;
    s.len = b->len;

    return s;
}


static void
test_clean(torii_arena_t *a)
{
    size_t               i;
    torii_str_t          s;
    ingress_finding_t   *f;
    ingress_findings_t   list;

    ingress_findings_init(&list, a);

    for (i = 0; i < sizeof(cleans) / sizeof(cleans[0]); i++) {
        f = ingress_finding_add(&list, INGRESS_INFO, "Test", torii_str(""),
                                cleans[i].in, "x");
        tap_ok(torii_str_eqs(f->value, cleans[i].out), "%s", cleans[i].name);
    }

    memset(letters, 'a', sizeof(letters));
    s.data = (unsigned char *) letters;
    s.len = sizeof(letters);

    f = ingress_finding_add(&list, INGRESS_INFO, "Test", torii_str(""), s,
                            "x");
    tap_ok(f->value.len == 128
           && memcmp(f->value.data + 125, "...", 3) == 0,
           "a long value is cut to 128 bytes");

    memcpy(letters + 123, "\360\237\220\247", 4);
    f = ingress_finding_add(&list, INGRESS_INFO, "Test", torii_str(""), s,
                            "x");
    tap_ok(f->value.len == 126 && torii_str_is_utf8(f->value),
           "a value is not cut inside a character");
}


static void
test_limit(torii_arena_t *a)
{
    uint32_t             i;
    ingress_finding_t   *f;
    ingress_findings_t   list, copy;

    ingress_findings_init(&list, a);
    list.max = 3;

    for (i = 0; i < 10; i++) {
        f = ingress_finding_add(&list, INGRESS_ERROR, "Test", torii_str("f"),
                                torii_str("v"), "%u", (unsigned) i);
        f->kind = torii_str("Ingress");
    }

    ingress_findings_init(&copy, a);

    for (i = 0, f = list.first; f != NULL; f = f->next) {
        ingress_finding_copy(&copy, f);
        i++;
    }

    tap_ok(i == 3 && list.n == 10, "beyond max: counted, not kept");
    tap_ok(copy.n == 3 && torii_str_eqs(copy.first->next->message, "1")
           && torii_str_eqs(copy.first->kind, "Ingress"), "copies, in order");
}


static void
test_write(torii_arena_t *a)
{
    torii_buf_t          out;
    ingress_finding_t   *f;
    ingress_findings_t   list;

    ingress_findings_init(&list, a);
    memset(&out, 0, sizeof(out));

    f = ingress_finding_add(&list, INGRESS_WARNING, "BadHost",
                            torii_str("spec.rules[0].host"),
                            torii_str("A \"B\""), "no host");
    f->kind = torii_str("Ingress");
    f->namespace = torii_str("demo");
    f->name = torii_str("web");

    ingress_finding_text(&out, f);
    tap_ok(torii_str_eqs(buf_str(&out), "warning: Ingress demo/web: "
                         "spec.rules[0].host: no host [BadHost]\n"),
           "text without a file");

    f->file = torii_str("web.yaml");
    f->line = 7;
    out.len = 0;

    ingress_finding_text(&out, f);
    tap_ok(torii_str_eqs(buf_str(&out), "web.yaml:7: warning: Ingress "
                         "demo/web: spec.rules[0].host: no host [BadHost]\n"),
           "text with file and line");

    out.len = 0;
    ingress_finding_json(&out, f);
    tap_ok(torii_str_eqs(buf_str(&out), "{\"severity\":\"warning\","
                         "\"reason\":\"BadHost\",\"object\":{\"kind\":"
                         "\"Ingress\",\"namespace\":\"demo\",\"name\":\"web\"}"
                         ",\"file\":\"web.yaml\",\"line\":7,\"column\":0,"
                         "\"field\":\"spec.rules[0].host\",\"value\":"
                         "\"A \\\"B\\\"\",\"message\":\"no host\"}"), "JSON");

    f->kind = torii_str("File");
    f->name = f->file;
    f->field = torii_str("");
    out.len = 0;

    ingress_finding_text(&out, f);
    tap_ok(torii_str_eqs(buf_str(&out),
                         "web.yaml:7: warning: no host [BadHost]\n"),
           "a file is named once");

    torii_buf_free(&out);
}


int
main(void)
{
    torii_arena_t  *a;

    a = torii_arena_create(4096);

    test_clean(a);
    test_limit(a);
    test_write(a);

    torii_arena_destroy(a);

    return tap_done();
}
