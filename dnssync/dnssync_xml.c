
/*
 * A pull parser: it looks at each byte once and keeps nothing but the names of
 * open elements.
 */

#include "dnssync_xml.h"


static dnssync_xml_e dnssync_xml_fail(dnssync_xml_t *x);
static int dnssync_xml_at(const dnssync_xml_t *x, const char *word);
static int dnssync_xml_past(dnssync_xml_t *x, const char *word);
static int dnssync_xml_blank(unsigned char c);
static torii_str_t dnssync_xml_name(dnssync_xml_t *x);
static torii_str_t dnssync_xml_local(torii_str_t name);
static dnssync_xml_e dnssync_xml_open(dnssync_xml_t *x);
static int dnssync_xml_attributes(dnssync_xml_t *x);
static dnssync_xml_e dnssync_xml_close(dnssync_xml_t *x);
static dnssync_xml_e dnssync_xml_text(dnssync_xml_t *x);
static dnssync_xml_e dnssync_xml_cdata(dnssync_xml_t *x);
static int dnssync_xml_entity(dnssync_xml_t *x, unsigned char **out);
static int dnssync_xml_char(torii_str_t digits, unsigned char **out);


static const struct {
    const char     *name;
    unsigned char   c;
} dnssync_xml_entities[] = {
    { "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "quot", '"' },
    { "apos", '\'' }
};

#define DNSSYNC_XML_ENTITIES                                                  \
    (sizeof(dnssync_xml_entities) / sizeof(dnssync_xml_entities[0]))


void
dnssync_xml_start(dnssync_xml_t *x, torii_arena_t *a, torii_str_t in)
{
    memset(x, 0, sizeof(dnssync_xml_t));

    if (in.len == 0) {
        in.data = (unsigned char *) "";
    }

    x->arena = a;
    x->p = in.data;
    x->last = in.data + in.len;

    /* UTF-8's mark, which some put at the beginning */

    if (dnssync_xml_at(x, "\xef\xbb\xbf")) {
        x->p += 3;
    }
}


static dnssync_xml_e
dnssync_xml_fail(dnssync_xml_t *x)
{
    x->failed = 1;
    x->p = x->last;

    return DNSSYNC_XML_FAILED;
}


static int
dnssync_xml_at(const dnssync_xml_t *x, const char *word)
{
    size_t  len;

    len = strlen(word);

    return (size_t) (x->last - x->p) >= len && memcmp(x->p, word, len) == 0;
}


/* To behind the next word. */

static int
dnssync_xml_past(dnssync_xml_t *x, const char *word)
{
    for ( /* void */ ; x->p < x->last; x->p++) {
        if (dnssync_xml_at(x, word)) {
            x->p += strlen(word);
            return 1;
        }
    }

    return 0;
}


static int
dnssync_xml_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}


dnssync_xml_e
dnssync_xml_next(dnssync_xml_t *x)
{
    int  ok;

    if (x->failed) {
        return DNSSYNC_XML_FAILED;
    }

    if (x->empty) {
        x->empty = 0;
        x->name = dnssync_xml_local(x->path[--x->depth]);
        return DNSSYNC_XML_CLOSE;
    }

    while (x->p < x->last) {

        if (*x->p != '<') {
            if (x->depth) {
                return dnssync_xml_text(x);
            }

            if (!dnssync_xml_blank(*x->p)) {
                return dnssync_xml_fail(x);
            }

            x->p++;
            continue;
        }

        if (dnssync_xml_at(x, "<![CDATA[")) {
            return dnssync_xml_cdata(x);
        }

        if (dnssync_xml_at(x, "</")) {
            return dnssync_xml_close(x);
        }

        if (dnssync_xml_at(x, "<!--")) {
            x->p += 4;
            ok = dnssync_xml_past(x, "-->");

        } else if (dnssync_xml_at(x, "<?")) {
            ok = dnssync_xml_past(x, "?>");

        } else {
            return dnssync_xml_open(x);
        }

        if (!ok) {
            return dnssync_xml_fail(x);
        }
    }

    return (x->depth || !x->rooted) ? dnssync_xml_fail(x) : DNSSYNC_XML_END;
}


static torii_str_t
dnssync_xml_name(dnssync_xml_t *x)
{
    torii_str_t           name;
    const unsigned char  *start;

    start = x->p;

    while (x->p < x->last
           && ((*x->p >= 'a' && *x->p <= 'z') || (*x->p >= 'A' && *x->p <= 'Z')
               || (*x->p >= '0' && *x->p <= '9') || *x->p == '_'
               || *x->p == '-' || *x->p == '.' || *x->p == ':'
               || *x->p >= 0x80))
    {
        x->p++;
    }

    name.data = (unsigned char *) start;
    name.len = x->p - start;

    return name;
}


static torii_str_t
dnssync_xml_local(torii_str_t name)
{
    unsigned char  *colon;

    colon = memchr(name.data, ':', name.len);

    if (colon != NULL) {
        name.len -= colon + 1 - name.data;
        name.data = colon + 1;
    }

    return name;
}


/* "<!DOCTYPE" and "<!ENTITY" have no name here. */

static dnssync_xml_e
dnssync_xml_open(dnssync_xml_t *x)
{
    torii_str_t  name;

    x->p++;
    name = dnssync_xml_name(x);

    if (name.len == 0 || x->depth == DNSSYNC_XML_DEPTH
        || (x->depth == 0 && x->rooted) || !dnssync_xml_attributes(x))
    {
        return dnssync_xml_fail(x);
    }

    x->rooted = 1;
    x->path[x->depth++] = name;
    x->name = dnssync_xml_local(name);

    return DNSSYNC_XML_OPEN;
}


/* Passed over; a ">" may be in one. */

static int
dnssync_xml_attributes(dnssync_xml_t *x)
{
    unsigned char  c, quote;

    quote = 0;

    for ( /* void */ ; x->p < x->last; x->p++) {
        c = *x->p;

        if (quote) {
            quote = (c == quote) ? 0 : quote;
            continue;
        }

        if (c == '"' || c == '\'') {
            quote = c;

        } else if (dnssync_xml_at(x, "/>")) {
            x->p += 2;
            x->empty = 1;
            return 1;

        } else if (c == '>') {
            x->p++;
            return 1;

        } else if (c == '<') {
            return 0;
        }
    }

    return 0;
}


static dnssync_xml_e
dnssync_xml_close(dnssync_xml_t *x)
{
    torii_str_t  name;

    x->p += 2;
    name = dnssync_xml_name(x);

    while (x->p < x->last && dnssync_xml_blank(*x->p)) {
        x->p++;
    }

    if (x->depth == 0 || x->p == x->last || *x->p != '>'
        || !torii_str_eq(name, x->path[x->depth - 1]))
    {
        return dnssync_xml_fail(x);
    }

    x->p++;
    x->depth--;
    x->name = dnssync_xml_local(name);

    return DNSSYNC_XML_CLOSE;
}


static dnssync_xml_e
dnssync_xml_text(dnssync_xml_t *x)
{
    unsigned char        *out;
    const unsigned char  *end;

    end = memchr(x->p, '<', x->last - x->p);

    if (end == NULL) {
        return dnssync_xml_fail(x);
    }

    out = torii_arena_alloc(x->arena, end - x->p + 1);
    x->text.data = out;

    while (x->p < end) {

        if (*x->p != '&') {
            *out++ = *x->p++;

        } else if (!dnssync_xml_entity(x, &out)) {
            return dnssync_xml_fail(x);
        }
    }

    x->text.len = out - x->text.data;

    return DNSSYNC_XML_TEXT;
}


static dnssync_xml_e
dnssync_xml_cdata(dnssync_xml_t *x)
{
    const unsigned char  *start;

    x->p += sizeof("<![CDATA[") - 1;
    start = x->p;

    if (x->depth == 0 || !dnssync_xml_past(x, "]]>")) {
        return dnssync_xml_fail(x);
    }

    x->text.data = (unsigned char *) start;
    x->text.len = x->p - 3 - start;

    return DNSSYNC_XML_TEXT;
}


/* What comes out is never longer than the reference. */

static int
dnssync_xml_entity(dnssync_xml_t *x, unsigned char **out)
{
    size_t                i;
    torii_str_t           name;
    const unsigned char  *end;

    x->p++;

    end = memchr(x->p, ';', x->last - x->p < 10 ? x->last - x->p : 10);

    if (end == NULL) {
        return 0;
    }

    name.data = (unsigned char *) x->p;
    name.len = end - x->p;
    x->p = end + 1;

    if (name.len > 1 && name.data[0] == '#') {
        name.data++;
        name.len--;
        return dnssync_xml_char(name, out);
    }

    for (i = 0; i < DNSSYNC_XML_ENTITIES; i++) {
        if (torii_str_eqs(name, dnssync_xml_entities[i].name)) {
            *(*out)++ = dnssync_xml_entities[i].c;
            return 1;
        }
    }

    return 0;
}


static int
dnssync_xml_char(torii_str_t digits, unsigned char **out)
{
    size_t          i;
    uint32_t        base, value;
    unsigned char   c, *p;

    base = 10;
    value = 0;
    i = 0;

    if (digits.data[0] == 'x') {
        base = 16;
        i = 1;
    }

    if (i == digits.len) {
        return 0;
    }

    for ( /* void */ ; i < digits.len; i++) {
        c = digits.data[i];

        if (c >= '0' && c <= '9') {
            c -= '0';

        } else if (base == 16 && (c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            c = (c | 0x20) - 'a' + 10;

        } else {
            return 0;
        }

        value = value * base + c;

        if (value > 0x10ffff) {
            return 0;
        }
    }

    if (value == 0 || (value >= 0xd800 && value < 0xe000)) {
        return 0;
    }

    p = *out;

    if (value < 0x80) {
        *p++ = value;

    } else if (value < 0x800) {
        *p++ = 0xc0 | value >> 6;
        *p++ = 0x80 | (value & 0x3f);

    } else if (value < 0x10000) {
        *p++ = 0xe0 | value >> 12;
        *p++ = 0x80 | (value >> 6 & 0x3f);
        *p++ = 0x80 | (value & 0x3f);

    } else {
        *p++ = 0xf0 | value >> 18;
        *p++ = 0x80 | (value >> 12 & 0x3f);
        *p++ = 0x80 | (value >> 6 & 0x3f);
        *p++ = 0x80 | (value & 0x3f);
    }

    *out = p;

    return 1;
}


int
dnssync_xml_child(dnssync_xml_t *x, unsigned depth)
{
    for ( ;; ) {
        switch (dnssync_xml_next(x)) {

        case DNSSYNC_XML_OPEN:
            if (x->depth == depth + 1) {
                return 1;
            }

            break;

        case DNSSYNC_XML_CLOSE:
            if (x->depth < depth) {
                return 0;
            }

            break;

        case DNSSYNC_XML_TEXT:
            break;

        default:
            return 0;
        }
    }
}


torii_str_t
dnssync_xml_value(dnssync_xml_t *x)
{
    unsigned       depth;
    torii_str_t    value;
    torii_buf_t    more;
    dnssync_xml_e  what;

    depth = x->depth;
    value = torii_str("");
    memset(&more, 0, sizeof(torii_buf_t));

    for ( ;; ) {
        what = dnssync_xml_next(x);

        if (what == DNSSYNC_XML_TEXT) {

            /* one piece is the rule; a comment or CDATA makes more of it */

            if (value.len == 0) {
                value = x->text;
                continue;
            }

            if (more.len == 0) {
                torii_buf_add_str(&more, value);
            }

            torii_buf_add_str(&more, x->text);
            continue;
        }

        if (what == DNSSYNC_XML_CLOSE && x->depth == depth - 1) {
            break;
        }

        (void) dnssync_xml_fail(x);
        value = torii_str("");
        more.len = 0;
        break;
    }

    if (more.len) {
        value.data = more.data;
        value.len = more.len;
        value = torii_arena_str(x->arena, value);
    }

    torii_buf_free(&more);

    return value;
}


int
dnssync_xml_done(dnssync_xml_t *x)
{
    dnssync_xml_e  what;

    do {
        what = dnssync_xml_next(x);
    } while (what != DNSSYNC_XML_END && what != DNSSYNC_XML_FAILED);

    return what == DNSSYNC_XML_END;
}


void
dnssync_xml_write(torii_buf_t *b, torii_str_t s)
{
    size_t  i, k;

    for (i = 0; i < s.len; i++) {

        for (k = 0; k < DNSSYNC_XML_ENTITIES; k++) {
            if (s.data[i] == dnssync_xml_entities[k].c) {
                break;
            }
        }

        if (k < DNSSYNC_XML_ENTITIES) {
            torii_buf_printf(b, "&%s;", dnssync_xml_entities[k].name);

        } else {
            torii_buf_add(b, &s.data[i], 1);
        }
    }
}
