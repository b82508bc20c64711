
/*
 * Forms and queries.
 */

#include "oauth2_form.h"


#define oauth2_is_unreserved(c)                                               \
    (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z')                 \
     || ((c) >= '0' && (c) <= '9') || (c) == '-' || (c) == '.' || (c) == '_'  \
     || (c) == '~')


void
oauth2_form_escape(torii_buf_t *b, torii_str_t s)
{
    size_t          i;
    unsigned char  *start, *p;

    static const char  hex[] = "0123456789ABCDEF";

    start = torii_buf_room(b, s.len * 3 + 1);
    p = start;

    for (i = 0; i < s.len; i++) {

        if (oauth2_is_unreserved(s.data[i])) {
            *p++ = s.data[i];
            continue;
        }

        *p++ = '%';
        *p++ = hex[s.data[i] >> 4];
        *p++ = hex[s.data[i] & 15];
    }

    b->len += p - start;
}


void
oauth2_form_add(torii_buf_t *b, const char *name, torii_str_t value)
{
    if (b->len) {
        torii_buf_adds(b, "&");
    }

    torii_buf_adds(b, name);
    torii_buf_adds(b, "=");
    oauth2_form_escape(b, value);
}


void
oauth2_url_add(torii_buf_t *b, const char *name, torii_str_t value)
{
    if (memchr(b->data, '?', b->len) == NULL) {
        torii_buf_adds(b, "?");

    } else if (b->data[b->len - 1] != '?') {
        torii_buf_adds(b, "&");
    }

    torii_buf_adds(b, name);
    torii_buf_adds(b, "=");
    oauth2_form_escape(b, value);
}


static int
oauth2_form_hex(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


int
oauth2_form_unescape(torii_arena_t *a, torii_str_t s, torii_str_t *out)
{
    int             high, low;
    size_t          i;
    unsigned char  *p;

    p = torii_arena_alloc(a, s.len + 1);

    out->data = p;

    for (i = 0; i < s.len; i++) {

        if (s.data[i] == '\0') {
            return TORII_ERROR;
        }

        if (s.data[i] != '%') {
            *p++ = (s.data[i] == '+') ? ' ' : s.data[i];
            continue;
        }

        if (s.len - i < 3) {
            return TORII_ERROR;
        }

        high = oauth2_form_hex(s.data[i + 1]);
        low = oauth2_form_hex(s.data[i + 2]);

        if (high < 0 || low < 0 || (high | low) == 0) {
            return TORII_ERROR;
        }

        *p++ = (unsigned char) (high << 4 | low);
        i += 2;
    }

    *p = '\0';
    out->len = p - out->data;

    return TORII_OK;
}


int
oauth2_form_read(torii_arena_t *a, torii_str_t in, oauth2_form_t *form)
{
    torii_str_t  piece, name, value;

    form->n = 0;

    while (torii_str_next(&in, "&", &piece)) {

        if (piece.len == 0) {
            continue;
        }

        if (form->n == OAUTH2_FORM_MAX) {
            return TORII_ERROR;
        }

        value = piece;
        (void) torii_str_next(&value, "=", &name);

        if (oauth2_form_unescape(a, name, &form->names[form->n]) != TORII_OK
            || oauth2_form_unescape(a, value, &form->values[form->n])
               != TORII_OK)
        {
            return TORII_ERROR;
        }

        form->n++;
    }

    return TORII_OK;
}


int
oauth2_form_get(const oauth2_form_t *form, const char *name,
    torii_str_t *value)
{
    int       rc;
    uint32_t  i;

    *value = torii_str("");
    rc = TORII_DECLINED;

    for (i = 0; i < form->n; i++) {

        if (!torii_str_eqs(form->names[i], name)) {
            continue;
        }

        if (rc == TORII_OK) {
            return TORII_ERROR;
        }

        *value = form->values[i];
        rc = TORII_OK;
    }

    return rc;
}
