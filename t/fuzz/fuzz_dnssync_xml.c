
/*
 * Any bytes as XML: elements open and close as they should, texts are inside of
 * the arena or the input, and what is written of a text is read as that.
 */

#include <stdlib.h>

#include "dnssync_xml.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_again(torii_arena_t *a, torii_str_t text)
{
    torii_buf_t    b;
    torii_str_t    in;
    dnssync_xml_t  x;

    memset(&b, 0, sizeof(torii_buf_t));

    torii_buf_adds(&b, "<a>");
    dnssync_xml_write(&b, text);
    torii_buf_adds(&b, "</a>");

    in.data = b.data;
    in.len = b.len;
    dnssync_xml_start(&x, a, in);

    if (!dnssync_xml_child(&x, 0)
        || !torii_str_eq(dnssync_xml_value(&x), text)
        || !dnssync_xml_done(&x))
    {
        abort();
    }

    torii_buf_free(&b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned        depth;
    torii_str_t     in;
    dnssync_xml_t   x;
    dnssync_xml_e   what;
    torii_arena_t  *a;

    if (size > 65536) {
        return 0;
    }

    a = torii_arena_create(4096);
    in.data = torii_malloc(size + 1);
    in.len = size;
    memcpy(in.data, data, size);

    dnssync_xml_start(&x, a, in);
    depth = 0;

    while ((what = dnssync_xml_next(&x)) < DNSSYNC_XML_END) {

        depth += (what == DNSSYNC_XML_OPEN);
        depth -= (what == DNSSYNC_XML_CLOSE);

        if (depth != x.depth || depth > DNSSYNC_XML_DEPTH) {
            abort();
        }

        if (what == DNSSYNC_XML_TEXT) {
            fuzz_again(a, x.text);
        }
    }

    if (what == DNSSYNC_XML_END && (depth || x.p != x.last)) {
        abort();
    }

    dnssync_xml_start(&x, a, in);

    while (dnssync_xml_child(&x, 0)) {
        while (dnssync_xml_child(&x, 1)) {
            (void) dnssync_xml_value(&x);
        }
    }

    free(in.data);
    torii_arena_destroy(a);

    return 0;
}
