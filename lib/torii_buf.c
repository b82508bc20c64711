
/*
 * A byte buffer that grows.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "torii.h"


#define TORII_BUF_MIN  256


void
torii_buf_free(torii_buf_t *b)
{
    free(b->data);

    b->data = NULL;
    b->len = 0;
    b->size = 0;
}


unsigned char *
torii_buf_room(torii_buf_t *b, size_t len)
{
    size_t  size;

    if (len <= b->size - b->len && b->data != NULL) {
        return b->data + b->len;
    }

    /* a sum that wraps is no size that can be had */

    size = (len > SIZE_MAX / 4) ? SIZE_MAX / 2 : b->len + len;

    if (size < b->size * 2) {
        size = b->size * 2;
    }

    if (size < TORII_BUF_MIN) {
        size = TORII_BUF_MIN;
    }

    b->data = torii_realloc(b->data, size);
    b->size = size;

    return b->data + b->len;
}


void
torii_buf_add(torii_buf_t *b, const void *data, size_t len)
{
    if (len == 0) {
        return;
    }

    memcpy(torii_buf_room(b, len), data, len);
    b->len += len;
}


void
torii_buf_adds(torii_buf_t *b, const char *s)
{
    torii_buf_add(b, s, strlen(s));
}


void
torii_buf_add_str(torii_buf_t *b, torii_str_t s)
{
    torii_buf_add(b, s.data, s.len);
}


void
torii_buf_printf(torii_buf_t *b, const char *fmt, ...)
{
    int             n;
    size_t          room;
    va_list         args;
    unsigned char  *p;

    p = torii_buf_room(b, 64);
    room = b->size - b->len;

    va_start(args, fmt);
    n = vsnprintf((char *) p, room, fmt, args);
    va_end(args);

    if (n < 0) {
        return;
    }

    if ((size_t) n >= room) {
        p = torii_buf_room(b, (size_t) n + 1);

        va_start(args, fmt);
        (void) vsnprintf((char *) p, (size_t) n + 1, fmt, args);
        va_end(args);
    }

    b->len += n;
}


static void
torii_buf_json_escape(torii_buf_t *b, unsigned char c)
{
    switch (c) {

    case '"':
        torii_buf_add(b, "\\\"", 2);
        break;

    case '\\':
        torii_buf_add(b, "\\\\", 2);
        break;

    case '\n':
        torii_buf_add(b, "\\n", 2);
        break;

    case '\r':
        torii_buf_add(b, "\\r", 2);
        break;

    case '\t':
        torii_buf_add(b, "\\t", 2);
        break;

    default:
        torii_buf_printf(b, "\\u%04x", c);
    }
}


void
torii_buf_add_json(torii_buf_t *b, torii_str_t s)
{
    size_t                len;
    const unsigned char  *p, *last, *from;

    torii_buf_add(b, "\"", 1);

    from = s.data;
    last = (s.len == 0) ? from : from + s.len;

    for (p = from; p < last; /* void */) {

        len = torii_utf8_len(p, last);

        if (len > 1 || (len == 1 && *p >= 0x20 && *p != '"' && *p != '\\')) {
            p += len;
            continue;
        }

        torii_buf_add(b, from, p - from);

        if (len == 0) {
            torii_buf_add(b, "\xef\xbf\xbd", 3);

        } else {
            torii_buf_json_escape(b, *p);
        }

        from = ++p;
    }

    torii_buf_add(b, from, p - from);
    torii_buf_add(b, "\"", 1);
}
