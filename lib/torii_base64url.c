
/*
 * Base64url without padding (RFC 4648 section 5), as JOSE writes it.
 */

#include "torii_jose.h"


#define TORII_BASE64URL_BAD  64


static const char  torii_base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";


void
torii_base64url_add(torii_buf_t *b, const void *data, size_t len)
{
    uint32_t              bits;
    unsigned char        *p;
    const char           *digits;
    const unsigned char  *s, *last;

    if (len == 0) {
        return;
    }

    digits = torii_base64url_digits;

    s = data;
    last = s + len;
    p = torii_buf_room(b, len / 3 * 4 + 4);

    while (last - s >= 3) {
        bits = (uint32_t) s[0] << 16 | (uint32_t) s[1] << 8 | s[2];
        s += 3;

        *p++ = digits[bits >> 18];
        *p++ = digits[bits >> 12 & 63];
        *p++ = digits[bits >> 6 & 63];
        *p++ = digits[bits & 63];
    }

    if (last - s == 1) {
        *p++ = digits[s[0] >> 2];
        *p++ = digits[s[0] << 4 & 63];

    } else if (last - s == 2) {
        bits = (uint32_t) s[0] << 8 | s[1];

        *p++ = digits[bits >> 10];
        *p++ = digits[bits >> 4 & 63];
        *p++ = digits[bits << 2 & 63];
    }

    b->len = p - b->data;
}


static unsigned
torii_base64url_value(unsigned char c)
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

    if (c == '-') {
        return 62;
    }

    return c == '_' ? 63 : TORII_BASE64URL_BAD;
}


/* One text only for the same bytes: what signs or names must not have two. */

int
torii_base64url_decode(torii_arena_t *a, torii_str_t in, torii_str_t *out)
{
    size_t          i;
    uint32_t        bits;
    unsigned        v, spare;
    unsigned char  *start, *p;

    if (in.len % 4 == 1) {
        return TORII_ERROR;
    }

    start = torii_arena_alloc(a, in.len / 4 * 3 + 4);
    p = start;

    bits = 0;
    spare = 0;

    for (i = 0; i < in.len; i++) {
        v = torii_base64url_value(in.data[i]);
        if (v == TORII_BASE64URL_BAD) {
            return TORII_ERROR;
        }

        bits = bits << 6 | v;
        spare += 6;

        if (spare >= 8) {
            spare -= 8;
            *p++ = (unsigned char) (bits >> spare);
            bits &= ((uint32_t) 1 << spare) - 1;
        }
    }

    if (bits) {
        return TORII_ERROR;
    }

    *p = '\0';

    out->data = start;
    out->len = p - start;

    return TORII_OK;
}
