
/*
 * Selectors of labels: what is one, what it matches, and which namespaces a
 * table serves by it.
 */

#include "ingress_selector.h"
#include "tap.h"


typedef struct {
    const char  *selector;
    int          none, on, off, both;   /* by the labels below; -1: refused */
} selector_case_t;


/* of none: nothing; on: edge=on; off: edge=off; both: edge=on, env=a.b_c-d */

static const selector_case_t  cases[] = {
    { "edge=on", 0, 1, 0, 1 },
    { "edge==on", 0, 1, 0, 1 },
    { " edge = on ", 0, 1, 0, 1 },
    { "edge!=on", 1, 0, 1, 0 },
    { "edge", 0, 1, 1, 1 },
    { "!edge", 1, 0, 0, 0 },
    { "edge in (on,off)", 0, 1, 1, 1 },
    { "edge in ( on , x )", 0, 1, 0, 1 },
    { "edge in(on)", 0, 1, 0, 1 },
    { "edge notin (on)", 1, 0, 1, 0 },
    { "edge notin (on,off)", 1, 0, 0, 0 },
    { "edge,env", 0, 0, 0, 1 },
    { "edge=on,!env", 0, 1, 0, 0 },
    { "edge in (on),env notin (x,a.b_c-d)", 0, 1, 0, 0 },
    { "env=a.b_c-d", 0, 0, 0, 1 },
    { "edge=", 0, 0, 0, 0 },
    { "edge in (,on)", 0, 1, 0, 1 },
    { "Edge=on", 0, 0, 0, 0 },
    { "x.example/edge!=on", 1, 1, 1, 1 },
    { "", -1, 0, 0, 0 },
    { " ", -1, 0, 0, 0 },
    { "=on", -1, 0, 0, 0 },
    { "!", -1, 0, 0, 0 },
    { "!edge=on", -1, 0, 0, 0 },
    { "edge=on,", -1, 0, 0, 0 },
    { ",edge", -1, 0, 0, 0 },
    { "edge on", -1, 0, 0, 0 },
    { "edge in", -1, 0, 0, 0 },
    { "edge in on", -1, 0, 0, 0 },
    { "edge in (on", -1, 0, 0, 0 },
    { "edge in (on))", -1, 0, 0, 0 },
    { "edge=on=off", -1, 0, 0, 0 },
    { "edge>1", -1, 0, 0, 0 },
    { "edge=-on", -1, 0, 0, 0 },
    { "edge=o/n", -1, 0, 0, 0 },
    { "a/b/c=on", -1, 0, 0, 0 },
    { "/edge", -1, 0, 0, 0 },
    { "A_b/edge", -1, 0, 0, 0 },
    { "a/", -1, 0, 0, 0 },
    { "edge=0123456789012345678901234567890123456789012345678901234567890123",
      -1, 0, 0, 0 }
};

static ingress_pair_t  pairs[] = {
    { torii_string("edge"), torii_string("on"), 0 },
    { torii_string("env"), torii_string("a.b_c-d"), 0 },
    { torii_string("edge"), torii_string("off"), 0 }
};


static int
matches(const ingress_selector_t *s, ingress_pair_t *first, uint32_t n)
{
    ingress_pairs_t  labels;

    labels.elts = first;
    labels.n = n;

    return ingress_selector_matches(s, &labels);
}


static void
test_cases(void)
{
    size_t               i;
    const char          *why;
    torii_arena_t       *a;
    ingress_selector_t  *s;

    a = torii_arena_create(1024);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        why = NULL;
        s = ingress_selector_parse(a, torii_str(cases[i].selector), &why);

        if (cases[i].none == -1) {
            tap_ok(s == NULL && why != NULL, "\"%s\" %s", cases[i].selector,
                   why ? why : "is taken");
            continue;
        }

        tap_ok(s != NULL && matches(s, NULL, 0) == cases[i].none
               && matches(s, &pairs[0], 1) == cases[i].on
               && matches(s, &pairs[2], 1) == cases[i].off
               && matches(s, &pairs[0], 2) == cases[i].both,
               "\"%s\"%s%s", cases[i].selector, why ? " " : "",
               why ? why : "");
    }

    torii_arena_destroy(a);
}


static void
test_values(void)
{
    unsigned        i;
    const char     *why;
    torii_buf_t     text;
    torii_str_t     s;
    torii_arena_t  *a;

    a = torii_arena_create(1024);
    memset(&text, 0, sizeof(torii_buf_t));

    torii_buf_adds(&text, "a in (b");

    for (i = 0; i < 300; i++) {
        torii_buf_adds(&text, ",b");
    }

    torii_buf_adds(&text, ")");

    s.data = text.data;
    s.len = text.len;

    tap_ok(ingress_selector_parse(a, s, &why) == NULL, "of 301 values: it %s",
           why);

    torii_buf_free(&text);
    torii_arena_destroy(a);
}


int
main(void)
{
    test_cases();
    test_values();

    return tap_done();
}
