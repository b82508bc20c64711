
/*
 * Names: text and wire form, comparing, climbing.
 */

#include "dnssync_message.h"


#define dnssync_is_digit(c)  ((c) >= '0' && (c) <= '9')


static int dnssync_name_escape(torii_str_t text, size_t *i, unsigned char *c);
static int dnssync_name_label(dnssync_name_t *name, size_t start);


int
dnssync_name_parse(dnssync_name_t *name, torii_str_t text)
{
    size_t         i, start;
    unsigned char  c;

    name->len = 0;
    start = 0;

    if (text.len == 1 && text.data[0] == '.') {
        name->data[name->len++] = 0;
        return TORII_OK;
    }

    if (text.len == 0) {
        return TORII_ERROR;
    }

    for (i = 0; i < text.len; i++) {
        c = text.data[i];

        if (c == '.') {
            if (dnssync_name_label(name, start) != TORII_OK) {
                return TORII_ERROR;
            }

            start = name->len;
            continue;
        }

        if (c == '\\') {
            if (dnssync_name_escape(text, &i, &c) != TORII_OK) {
                return TORII_ERROR;
            }

        } else if (c <= 0x20 || c >= 0x7f) {
            return TORII_ERROR;
        }

        if (name->len == start) {
            name->len++;                     /* for the length */
        }

        if (name->len >= DNSSYNC_NAME_MAX - 1) {
            return TORII_ERROR;
        }

        name->data[name->len++] = dnssync_lower(c);
    }

    if (name->len != start && dnssync_name_label(name, start) != TORII_OK) {
        return TORII_ERROR;
    }

    name->data[name->len++] = 0;

    return TORII_OK;
}


/* "\c" or "\DDD" (RFC 1035 section 5.1), i at the backslash */

static int
dnssync_name_escape(torii_str_t text, size_t *i, unsigned char *c)
{
    unsigned              value;
    const unsigned char  *p;

    p = text.data + *i + 1;

    if (*i + 1 >= text.len) {
        return TORII_ERROR;
    }

    if (!dnssync_is_digit(p[0])) {
        *c = p[0];
        *i += 1;
        return (*c <= 0x20 || *c >= 0x7f) ? TORII_ERROR : TORII_OK;
    }

    if (*i + 3 >= text.len || !dnssync_is_digit(p[1])
        || !dnssync_is_digit(p[2]))
    {
        return TORII_ERROR;
    }

    value = (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');

    if (value > 255) {
        return TORII_ERROR;
    }

    *c = (unsigned char) value;
    *i += 3;

    return TORII_OK;
}


/* The label that begins at start, with room for its length, is complete. */

static int
dnssync_name_label(dnssync_name_t *name, size_t start)
{
    size_t  len;

    if (name->len == start) {
        return TORII_ERROR;
    }

    len = name->len - start - 1;

    if (len > DNSSYNC_LABEL_MAX) {
        return TORII_ERROR;
    }

    name->data[start] = (unsigned char) len;

    return TORII_OK;
}


void
dnssync_name_text(const dnssync_name_t *name, char text[DNSSYNC_TEXT_MAX])
{
    char           *p;
    size_t          i, n;
    unsigned char   c;

    p = text;

    for (i = 0; i < name->len && name->data[i]; /* void */) {

        if (i) {
            *p++ = '.';
        }

        for (n = name->data[i++]; n; n--) {
            c = name->data[i++];

            if (c <= 0x20 || c >= 0x7f) {
                *p++ = '\\';
                *p++ = (char) ('0' + c / 100);
                *p++ = (char) ('0' + c / 10 % 10);
                *p++ = (char) ('0' + c % 10);
                continue;
            }

            if (strchr(".\\\"();@$", c) != NULL) {
                *p++ = '\\';
            }

            *p++ = (char) c;
        }
    }

    if (p == text) {
        *p++ = '.';
    }

    *p = '\0';
}


int
dnssync_name_eq(const dnssync_name_t *a, const dnssync_name_t *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}


int
dnssync_name_within(const dnssync_name_t *name, const dnssync_name_t *zone)
{
    dnssync_name_t  n;

    for (n = *name; n.len > zone->len; /* void */) {
        (void) dnssync_name_climb(&n);
    }

    return dnssync_name_eq(&n, zone);
}


int
dnssync_name_climb(dnssync_name_t *name)
{
    size_t  len;

    if (name->len <= 1) {
        return TORII_DECLINED;
    }

    len = name->data[0] + 1;

    name->len -= len;
    memmove(name->data, name->data + len, name->len);

    return TORII_OK;
}
