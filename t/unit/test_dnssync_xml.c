
/*
 * XML as web services write it, and what is none.
 */

#include <stdlib.h>

#include "dnssync_xml.h"
#include "tap.h"


/* "<" opens, ">" closes, the rest is text. */

static const struct {
    const char  *name;
    const char  *in;
    const char  *out;          /* NULL: refused */
} test_cases[] = {
    { "an element", "<a>x</a>", "<a x >a" },
    { "its end at once", "<a/>", "<a >a" },
    { "one inside of another", "<a><b>x</b><c/></a>", "<a <b x >b <c >c >a" },
    { "a declaration", "<?xml version=\"1.0\"?>\n<a/>", "<a >a" },
    { "a mark of UTF-8", "\xef\xbb\xbf<a/>", "<a >a" },
    { "attributes", "<a b=\"c>\" d='/>'>x</a>", "<a x >a" },
    { "a prefix", "<n:a xmlns:n=\"u\"><n:b/></n:a>", "<a <b >b >a" },
    { "blanks in the end", "<a>x</a \n>", "<a x >a" },
    { "entities", "<a>&lt;&gt;&amp;&quot;&apos;</a>", "<a <>&\"' >a" },
    { "characters by number", "<a>&#65;&#x42;&#xe9;&#x1F600;</a>",
      "<a AB\xc3\xa9\xf0\x9f\x98\x80 >a" },
    { "CDATA", "<a><![CDATA[<b>&amp;]]></a>", "<a <b>&amp; >a" },
    { "a comment", "<!-- <x> --><a><!-- y -->z</a>", "<a z >a" },
    { "a processing instruction inside", "<a><?p > ?>z</a>", "<a z >a" },

    { "nothing", "", NULL },
    { "text only", "x", NULL },
    { "text behind", "<a/>x", NULL },
    { "two roots", "<a/><b/>", NULL },
    { "no end", "<a>", NULL },
    { "half an end", "<a></a", NULL },
    { "another end", "<a></b>", NULL },
    { "another prefix's end", "<n:a></m:a>", NULL },
    { "an end alone", "</a>", NULL },
    { "a document type", "<!DOCTYPE a><a/>", NULL },
    { "a bomb", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", NULL },
    { "an entity that is unknown", "<a>&nbsp;</a>", NULL },
    { "an entity without an end", "<a>&amp</a>", NULL },
    { "the number of no character", "<a>&#0;</a>", NULL },
    { "half a pair", "<a>&#xd800;</a>", NULL },
    { "a number too large", "<a>&#x110000;</a>", NULL },
    { "no digits", "<a>&#x;</a>", NULL },
    { "a quote without an end", "<a b=\"c></a>", NULL },
    { "an element inside of an element's start", "<a <b></a>", NULL },
    { "a comment without an end", "<a><!-- </a>", NULL },
    { "CDATA without an end", "<a><![CDATA[ </a>", NULL },
    { "no name", "<></>", NULL },
    { "16 deep", "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>"
      "</a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a>",
      "<a <a <a <a <a <a <a <a <a <a <a <a <a <a <a <a "
      ">a >a >a >a >a >a >a >a >a >a >a >a >a >a >a >a" },
    { "17 deep", "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>"
      "</a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a>",
      NULL }
};

#define TEST_CASES  (sizeof(test_cases) / sizeof(test_cases[0]))


/* Bytes of their own, so that a step too far is seen. */

static torii_str_t
test_in(const char *text)
{
    torii_str_t  s;

    s.len = strlen(text);
    s.data = torii_malloc(s.len + 1);
    memcpy(s.data, text, s.len);

    return s;
}


static void
test_pieces(void)
{
    size_t          i;
    torii_str_t     in, got;
    torii_buf_t     b;
    dnssync_xml_t   x;
    dnssync_xml_e   what;
    torii_arena_t  *a;

    for (i = 0; i < TEST_CASES; i++) {
        a = torii_arena_create(1024);
        in = test_in(test_cases[i].in);
        memset(&b, 0, sizeof(torii_buf_t));

        dnssync_xml_start(&x, a, in);

        while ((what = dnssync_xml_next(&x)) < DNSSYNC_XML_END) {
            torii_buf_printf(&b, "%s%s%.*s", b.len ? " " : "",
                             what == DNSSYNC_XML_OPEN ? "<"
                             : what == DNSSYNC_XML_CLOSE ? ">" : "",
                             torii_str_arg(what == DNSSYNC_XML_TEXT
                                           ? x.text : x.name));
        }

        got.data = b.data;
        got.len = b.len;

        tap_ok(test_cases[i].out == NULL
               ? what == DNSSYNC_XML_FAILED && x.failed
                 && dnssync_xml_next(&x) == DNSSYNC_XML_FAILED
               : what == DNSSYNC_XML_END
                 && torii_str_eqs(got, test_cases[i].out),
               "%s", test_cases[i].name);

        torii_buf_free(&b);
        free(in.data);
        torii_arena_destroy(a);
    }
}


static void
test_children(void)
{
    torii_str_t     in, value;
    torii_buf_t     b;
    dnssync_xml_t   x;
    torii_arena_t  *a;

    a = torii_arena_create(1024);
    memset(&b, 0, sizeof(torii_buf_t));

    in = test_in("<r>t<a>1</a><l><i>x</i><j><k/></j><i>y<!-- -->z</i></l>"
                 "<b/></r>");

    dnssync_xml_start(&x, a, in);
    (void) dnssync_xml_child(&x, 0);

    while (dnssync_xml_child(&x, 1)) {
        torii_buf_printf(&b, "%.*s ", torii_str_arg(x.name));

        if (torii_str_eqs(x.name, "l")) {
            while (dnssync_xml_child(&x, 2)) {
                if (torii_str_eqs(x.name, "i")) {
                    value = dnssync_xml_value(&x);
                    torii_buf_printf(&b, "i=%.*s ", torii_str_arg(value));
                }
            }
        }
    }

    value.data = b.data;
    value.len = b.len;
    tap_ok(torii_str_eqs(value, "a l i=x i=yz b ") && dnssync_xml_done(&x),
           "children are walked through, and what is not asked for is passed "
           "over");

    dnssync_xml_start(&x, a, in);
    (void) dnssync_xml_child(&x, 0);
    (void) dnssync_xml_value(&x);
    tap_ok(x.failed && !dnssync_xml_done(&x),
           "an element with elements inside is no text");

    free(in.data);
    torii_buf_free(&b);
    torii_arena_destroy(a);
}


static void
test_write(void)
{
    torii_str_t     s, got;
    torii_buf_t     b;
    dnssync_xml_t   x;
    torii_arena_t  *a;

    a = torii_arena_create(1024);
    memset(&b, 0, sizeof(torii_buf_t));
    s = torii_str("\"a\" <b> & 'c' \xc3\xa9");

    torii_buf_adds(&b, "<a>");
    dnssync_xml_write(&b, s);
    torii_buf_adds(&b, "</a>");

    got.data = b.data;
    got.len = b.len;
    dnssync_xml_start(&x, a, got);
    (void) dnssync_xml_child(&x, 0);
    got = dnssync_xml_value(&x);

    tap_ok(torii_str_eq(got, s), "what is written is read");

    torii_buf_free(&b);
    torii_arena_destroy(a);
}


int
main(void)
{
    test_pieces();
    test_children();
    test_write();

    return tap_done();
}
