
/*
 * Counted strings: comparing, cutting, checking.
 */

#include <stdlib.h>

#include "torii.h"


#define torii_lower(c)                                                        \
    (unsigned char) ((c) >= 'A' && (c) <= 'Z' ? (c) | 0x20 : (c))

#define torii_is_blank(c)                                                     \
    ((c) == ' ' || (c) == '\t' || (c) == '\r' || (c) == '\n')

#define torii_min(a, b)  ((a) < (b) ? (a) : (b))

/* a word of eight such bytes */

#define torii_bytes(c)  (0x0101010101010101ULL * (c))


torii_str_t
torii_str(const char *s)
{
    torii_str_t  str;

    str.len = (s == NULL) ? 0 : strlen(s);
    str.data = (unsigned char *) s;

    return str;
}


int
torii_str_eq(torii_str_t a, torii_str_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}


int
torii_str_eqs(torii_str_t a, const char *s)
{
    return torii_str_eq(a, torii_str(s));
}


int
torii_str_caseeq(torii_str_t a, torii_str_t b)
{
    size_t  i;

    if (a.len != b.len) {
        return 0;
    }

    for (i = 0; i < a.len; i++) {
        if (torii_lower(a.data[i]) != torii_lower(b.data[i])) {
            return 0;
        }
    }

    return 1;
}


int
torii_str_caseeqs(torii_str_t a, const char *s)
{
    return torii_str_caseeq(a, torii_str(s));
}


int
torii_str_starts(torii_str_t s, const char *prefix)
{
    size_t  len;

    len = strlen(prefix);

    return s.len >= len && (len == 0 || memcmp(s.data, prefix, len) == 0);
}


int
torii_str_cmp(torii_str_t a, torii_str_t b)
{
    int     rc;
    size_t  len;

    len = torii_min(a.len, b.len);

    rc = (len == 0) ? 0 : memcmp(a.data, b.data, len);
    if (rc != 0) {
        return rc;
    }

    return (a.len > b.len) - (a.len < b.len);
}


torii_str_t
torii_str_trim(torii_str_t s)
{
    while (s.len && torii_is_blank(s.data[s.len - 1])) {
        s.len--;
    }

    while (s.len && torii_is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }

    return s;
}


int
torii_str_next(torii_str_t *rest, const char *delims, torii_str_t *piece)
{
    size_t  i, n;

    if (rest->data == NULL) {
        return 0;
    }

    n = strlen(delims);
    piece->data = rest->data;

    for (i = 0; i < rest->len; i++) {
        if (memchr(delims, rest->data[i], n) != NULL) {
            piece->len = i;
            rest->data += i + 1;
            rest->len -= i + 1;
            return 1;
        }
    }

    piece->len = rest->len;
    rest->data = NULL;
    rest->len = 0;

    return 1;
}


/*
 * Of eight bytes at once.  A borrow reaches no byte but behind one that is a
 * control byte itself, so that it makes no difference to the answer.
 */

static int
torii_word_has_control(uint64_t word)
{
    uint64_t  low, del;

    low = (word - torii_bytes(0x20)) & ~word;

    word ^= torii_bytes(0x7f);
    del = (word - torii_bytes(1)) & ~word;

    return ((low | del) & torii_bytes(0x80)) != 0;
}


int
torii_str_has_control(torii_str_t s)
{
    size_t    i;
    uint64_t  word;

    for (i = 0; s.len - i >= 8; i += 8) {

        memcpy(&word, s.data + i, 8);

        if (torii_word_has_control(word)) {
            return 1;
        }
    }

    for ( /* void */ ; i < s.len; i++) {
        if (s.data[i] < 0x20 || s.data[i] == 0x7f) {
            return 1;
        }
    }

    return 0;
}


/* The table 3-7 of the Unicode standard, as ranges of the second byte. */

size_t
torii_utf8_len(const unsigned char *p, const unsigned char *last)
{
    size_t         len, i;
    unsigned char  low, high;

    if (p >= last) {
        return 0;
    }

    if (*p < 0x80) {
        return 1;
    }

    if (*p < 0xc2 || *p > 0xf4) {
        return 0;
    }

    low = 0x80;
    high = 0xbf;

    switch (*p) {
    case 0xe0:
        low = 0xa0;
        break;
    case 0xed:
        high = 0x9f;
        break;
    case 0xf0:
        low = 0x90;
        break;
    case 0xf4:
        high = 0x8f;
        break;
    }

    len = (*p < 0xe0) ? 2 : (*p < 0xf0) ? 3 : 4;

    if ((size_t) (last - p) < len || p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return len;
}


int
torii_str_is_utf8(torii_str_t s)
{
    size_t                len;
    uint64_t              word;
    const unsigned char  *p, *last;

    if (s.len == 0) {
        return 1;
    }

    p = s.data;
    last = s.data + s.len;

    while (p < last) {

        if (last - p >= 8) {
            memcpy(&word, p, 8);

            if ((word & torii_bytes(0x80)) == 0) {
                p += 8;
                continue;
            }
        }

        len = torii_utf8_len(p, last);
        if (len == 0) {
            return 0;
        }

        p += len;
    }

    return 1;
}


int
torii_str_uint(torii_str_t s, uint64_t max, uint64_t *value)
{
    size_t    i;
    uint64_t  n, digit;

    if (s.len == 0) {
        return TORII_ERROR;
    }

    n = 0;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return TORII_ERROR;
        }

        digit = s.data[i] - '0';

        if (digit > max || n > (max - digit) / 10) {
            return TORII_ERROR;
        }

        n = n * 10 + digit;
    }

    *value = n;

    return TORII_OK;
}


/*
 * One row of the matrix, for byte i of a: row[1] from row[0] (byte i - 1) and
 * row[2] (byte i - 2).  Only cells within limit of the diagonal can end below
 * limit, so that the others are not computed.  Returns the row's least value.
 */

static unsigned
torii_str_distance_row(torii_str_t a, torii_str_t b, size_t i, unsigned limit,
    unsigned *row[3])
{
    size_t    j, first, last;
    unsigned  cost, best, d;

    first = (i > limit) ? i - limit : 1;
    last = (b.len - torii_min(b.len, i) > limit) ? i + limit : b.len;

    row[1][first - 1] = (first == 1) ? (unsigned) torii_min(i, limit) : limit;
    best = row[1][first - 1];

    for (j = first; j <= last; j++) {
        cost = (a.data[i - 1] != b.data[j - 1]);
        d = row[0][j - 1] + cost;

        d = torii_min(d, row[0][j] + 1);
        d = torii_min(d, row[1][j - 1] + 1);

        if (i > 1 && j > 1
            && a.data[i - 1] == b.data[j - 2]
            && a.data[i - 2] == b.data[j - 1])
        {
            d = torii_min(d, row[2][j - 2] + 1);
        }

        row[1][j] = torii_min(d, limit);
        best = torii_min(best, row[1][j]);
    }

    /* the next row, one cell wider, reads this one */

    if (last < b.len) {
        row[1][last + 1] = limit;
    }

    return best;
}


unsigned
torii_str_distance(torii_str_t a, torii_str_t b, unsigned limit)
{
    size_t     i, diff;
    unsigned  *cells, *row[3], *spare, best, before;

    diff = (a.len > b.len) ? a.len - b.len : b.len - a.len;
    if (diff >= limit) {
        return limit;
    }

    cells = torii_malloc(3 * (b.len + 1) * sizeof(unsigned));

    row[0] = cells;
    row[1] = cells + (b.len + 1);
    row[2] = cells + 2 * (b.len + 1);

    for (i = 0; i <= b.len; i++) {
        row[0][i] = (unsigned) torii_min(i, limit);
        row[1][i] = limit;
        row[2][i] = limit;
    }

    before = 0;

    for (i = 1; i <= a.len; i++) {
        best = torii_str_distance_row(a, b, i, limit, row);

        spare = row[2];
        row[2] = row[0];
        row[0] = row[1];
        row[1] = spare;

        /* a swap reaches over one row, hence two of them must be beyond */

        if (best >= limit && before >= limit) {
            free(cells);
            return limit;
        }

        before = best;
    }

    best = row[0][b.len];

    free(cells);

    return best;
}
