
/*
 * Replies are read from their first byte each time: a header says how many
 * bytes follow, so that what is not whole yet costs a few comparisons.
 */

#include "torii_resp.h"


typedef struct {
    unsigned char       *p;
    unsigned char       *last;
} torii_resp_in_t;


void
torii_resp_begin(torii_buf_t *b, unsigned n)
{
    torii_buf_printf(b, "*%u\r\n", n);
}


void
torii_resp_add(torii_buf_t *b, torii_str_t s)
{
    torii_buf_printf(b, "$%zu\r\n", s.len);
    torii_buf_add_str(b, s);
    torii_buf_adds(b, "\r\n");
}


void
torii_resp_adds(torii_buf_t *b, const char *s)
{
    torii_resp_add(b, torii_str(s));
}


void
torii_resp_add_number(torii_buf_t *b, int64_t number)
{
    torii_buf_t  text;
    torii_str_t  s;

    memset(&text, 0, sizeof(torii_buf_t));
    torii_buf_printf(&text, "%lld", (long long) number);

    s.data = text.data;
    s.len = text.len;

    torii_resp_add(b, s);
    torii_buf_free(&text);
}


/* Up to CRLF, which goes. */

static int
torii_resp_line(torii_resp_in_t *in, torii_str_t *line)
{
    size_t          len;
    unsigned char  *lf;

    len = (size_t) (in->last - in->p);

    if (len > TORII_RESP_LINE) {
        len = TORII_RESP_LINE;
    }

    lf = len ? memchr(in->p, '\n', len) : NULL;

    if (lf == NULL) {
        return (len == TORII_RESP_LINE) ? TORII_ERROR : TORII_AGAIN;
    }

    if (lf == in->p || lf[-1] != '\r') {
        return TORII_ERROR;
    }

    line->data = in->p;
    line->len = (size_t) (lf - in->p) - 1;
    in->p = lf + 1;

    return memchr(line->data, '\r', line->len) ? TORII_ERROR : TORII_OK;
}


static int
torii_resp_number(torii_str_t s, int64_t *number)
{
    int       minus;
    uint64_t  value;

    minus = s.len && s.data[0] == '-';

    if (minus) {
        s.data++;
        s.len--;
    }

    if (torii_str_uint(s, INT64_MAX, &value) != TORII_OK) {
        return TORII_ERROR;
    }

    *number = minus ? -(int64_t) value : (int64_t) value;

    return TORII_OK;
}


static int
torii_resp_string(torii_resp_in_t *in, torii_resp_value_t *v)
{
    size_t  len;

    /* -1: there is none */

    if (v->number == -1) {
        v->type = TORII_RESP_NIL;
        return TORII_OK;
    }

    if (v->number < 0 || v->number > TORII_RESP_BULK) {
        return TORII_ERROR;
    }

    len = (size_t) v->number;

    if ((size_t) (in->last - in->p) < len + 2) {
        return TORII_AGAIN;
    }

    if (in->p[len] != '\r' || in->p[len + 1] != '\n') {
        return TORII_ERROR;
    }

    v->type = TORII_RESP_STRING;
    v->text.data = in->p;
    v->text.len = len;
    in->p += len + 2;

    return TORII_OK;
}


static int
torii_resp_value(torii_resp_in_t *in, torii_resp_value_t *v)
{
    int            rc;
    torii_str_t    line;
    unsigned char  first;

    if (in->p == in->last) {
        return TORII_AGAIN;
    }

    rc = torii_resp_line(in, &line);
    if (rc != TORII_OK) {
        return rc;
    }

    if (line.len == 0) {
        return TORII_ERROR;
    }

    first = *line.data++;
    line.len--;

    memset(v, 0, sizeof(torii_resp_value_t));

    switch (first) {

    case '+':
    case '-':
        v->type = (first == '+') ? TORII_RESP_STATUS : TORII_RESP_ERROR;
        v->text = line;
        return TORII_OK;

    case ':':
        v->type = TORII_RESP_NUMBER;
        return torii_resp_number(line, &v->number);

    case '$':
        return (torii_resp_number(line, &v->number) == TORII_OK)
               ? torii_resp_string(in, v) : TORII_ERROR;

    case '*':
        v->type = TORII_RESP_ARRAY;
        return torii_resp_number(line, &v->number);
    }

    return TORII_ERROR;
}


int
torii_resp_read(torii_str_t s, size_t *used, torii_resp_t *reply)
{
    int              rc;
    uint32_t         i;
    torii_resp_in_t  in;

    in.p = s.data;
    in.last = s.data + s.len;

    reply->n = 0;

    rc = torii_resp_value(&in, &reply->value);
    if (rc != TORII_OK) {
        return rc;
    }

    if (reply->value.type == TORII_RESP_ARRAY) {

        if (reply->value.number == -1) {
            reply->value.type = TORII_RESP_NIL;

        } else if (reply->value.number < 0
                   || reply->value.number > TORII_RESP_ITEMS)
        {
            return TORII_ERROR;

        } else {
            reply->n = (uint32_t) reply->value.number;
        }
    }

    for (i = 0; i < reply->n; i++) {

        rc = torii_resp_value(&in, &reply->items[i]);
        if (rc != TORII_OK) {
            return rc;
        }

        if (reply->items[i].type == TORII_RESP_ARRAY) {
            return TORII_ERROR;
        }
    }

    *used = (size_t) (in.p - s.data);

    return TORII_OK;
}
