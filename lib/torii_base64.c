
/*
 * Base64 (RFC 4648 section 4), as Secrets carry their data.
 */

#include "torii.h"


#define TORII_BASE64_BLANK  64
#define TORII_BASE64_PAD    65
#define TORII_BASE64_BAD    66


static unsigned
torii_base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    switch (c) {
    case '+':
        return 62;
    case '/':
        return 63;
    case '=':
        return TORII_BASE64_PAD;
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        return TORII_BASE64_BLANK;
    }

    return TORII_BASE64_BAD;
}


/*
 * Bits behind the last whole byte are not looked at, as in Go's decoder, which
 * is what the API server accepted the Secret with.
 */

int
torii_base64_decode(torii_arena_t *a, torii_str_t in, torii_str_t *out)
{
    size_t          i, digits, pads;
    unsigned        v;
    uint32_t        bits;
    unsigned char  *start, *p;

    start = torii_arena_alloc(a, in.len / 4 * 3 + 4);
    p = start;

    bits = 0;
    digits = 0;
    pads = 0;

    for (i = 0; i < in.len; i++) {
        v = torii_base64_value(in.data[i]);

        if (v == TORII_BASE64_BLANK) {
            continue;
        }

        if (v == TORII_BASE64_PAD) {
            pads++;
            continue;
        }

        if (v == TORII_BASE64_BAD || pads) {
            return TORII_ERROR;
        }

        bits = (bits << 6) | v;

        if ((++digits & 3) == 0) {
            *p++ = (unsigned char) (bits >> 16);
            *p++ = (unsigned char) (bits >> 8);
            *p++ = (unsigned char) bits;
        }
    }

    digits &= 3;

    if (digits == 1 || pads != ((4 - digits) & 3)) {
        return TORII_ERROR;
    }

    if (digits == 2) {
        *p++ = (unsigned char) (bits >> 4);

    } else if (digits == 3) {
        *p++ = (unsigned char) (bits >> 10);
        *p++ = (unsigned char) (bits >> 2);
    }

    *p = '\0';

    out->data = start;
    out->len = p - start;

    return TORII_OK;
}
