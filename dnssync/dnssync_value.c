
/*
 * Values at the edges: what authors, servers and providers write, in the one
 * form that can be compared.
 */

#include <arpa/inet.h>

#include "dnssync_message.h"
#include "dnssync_planner.h"


#define DNSSYNC_TXT_STRING  255


const unsigned  dnssync_types[DNSSYNC_TYPES] = {
    DNSSYNC_A, DNSSYNC_AAAA, DNSSYNC_CNAME
};


static int dnssync_host_label(torii_str_t label, const char **why);
static int dnssync_txt_string(torii_str_t *rest, torii_str_t *value);


static const struct {
    const char  *word;
    unsigned     type;
    unsigned     mask;
} dnssync_value_types[] = {
    { "A", DNSSYNC_A, DNSSYNC_HAS_A },
    { "AAAA", DNSSYNC_AAAA, DNSSYNC_HAS_AAAA },
    { "CNAME", DNSSYNC_CNAME, DNSSYNC_HAS_CNAME }
};


const char *
dnssync_type_word(unsigned type)
{
    size_t  i;

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        if (dnssync_value_types[i].type == type) {
            return dnssync_value_types[i].word;
        }
    }

    return NULL;
}


unsigned
dnssync_type_mask(unsigned type)
{
    size_t  i;

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        if (dnssync_value_types[i].type == type) {
            return dnssync_value_types[i].mask;
        }
    }

    return 0;
}


int
dnssync_host_read(torii_arena_t *a, torii_str_t text, torii_str_t *host,
    const char **why)
{
    size_t       i;
    unsigned     n;
    torii_str_t  rest, label;

    if (text.len > 1 && text.data[text.len - 1] == '.') {
        text.len--;
    }

    if (text.len == 0 || text.len > DNSSYNC_HOST_MAX) {
        *why = "is empty or longer than 253 bytes";
        return TORII_ERROR;
    }

    rest = text;

    for (n = 0; torii_str_next(&rest, ".", &label); n++) {

        if (n == 0 && rest.data != NULL && torii_str_eqs(label, "*")) {
            continue;
        }

        if (dnssync_host_label(label, why) != TORII_OK) {
            return TORII_ERROR;
        }
    }

    if (dnssync_value_type(text) != DNSSYNC_CNAME) {
        *why = "is an address";
        return TORII_ERROR;
    }

    *host = torii_arena_str(a, text);

    for (i = 0; i < host->len; i++) {
        host->data[i] = dnssync_lower(host->data[i]);
    }

    return TORII_OK;
}


static int
dnssync_host_label(torii_str_t label, const char **why)
{
    size_t         i;
    unsigned char  c;

    if (label.len == 0 || label.len > DNSSYNC_LABEL_MAX) {
        *why = "has a label that is empty or longer than 63 bytes";
        return TORII_ERROR;
    }

    for (i = 0; i < label.len; i++) {
        c = dnssync_lower(label.data[i]);

        if (c >= 0x80) {
            *why = "is not ASCII: write it as an A-label, \"xn--...\"";
            return TORII_ERROR;
        }

        if (c == '*') {
            *why = "has a \"*\" that is not the whole first label";
            return TORII_ERROR;
        }

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-'
            && c != '_')
        {
            *why = "has a character that no host name has";
            return TORII_ERROR;
        }
    }

    return TORII_OK;
}


int
dnssync_record_read(torii_arena_t *a, torii_str_t text, torii_str_t *name)
{
    char            buf[DNSSYNC_TEXT_MAX];
    dnssync_name_t  n;

    if (dnssync_name_parse(&n, text) != TORII_OK) {
        return TORII_ERROR;
    }

    dnssync_name_text(&n, buf);
    *name = torii_arena_str(a, torii_str(buf));

    return TORII_OK;
}


/* Route 53 has octal escapes where DNS has decimal ones. */

int
dnssync_record_octal(torii_arena_t *a, torii_str_t text, torii_str_t *name)
{
    int                   rc;
    size_t                i;
    unsigned              value;
    torii_str_t           s;
    torii_buf_t           b;
    const unsigned char  *p;

    memset(&b, 0, sizeof(torii_buf_t));

    for (i = 0; i < text.len; i++) {
        p = text.data + i;

        if (*p != '\\') {
            torii_buf_add(&b, p, 1);
            continue;
        }

        if (text.len - i < 4 || p[1] < '0' || p[1] > '3' || p[2] < '0'
            || p[2] > '7' || p[3] < '0' || p[3] > '7')
        {
            torii_buf_free(&b);
            return TORII_ERROR;
        }

        value = (p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0');
        torii_buf_printf(&b, "\\%03u", value);
        i += 3;
    }

    s.data = b.data;
    s.len = b.len;

    rc = dnssync_record_read(a, s, name);
    torii_buf_free(&b);

    return rc;
}


unsigned
dnssync_value_type(torii_str_t text)
{
    char           buf[INET6_ADDRSTRLEN];
    unsigned char  bytes[16];

    if (text.len == 0 || text.len >= sizeof(buf)) {
        return DNSSYNC_CNAME;
    }

    memcpy(buf, text.data, text.len);
    buf[text.len] = '\0';

    if (strlen(buf) != text.len) {
        return DNSSYNC_CNAME;
    }

    if (inet_pton(AF_INET, buf, bytes) == 1) {
        return DNSSYNC_A;
    }

    return inet_pton(AF_INET6, buf, bytes) == 1 ? DNSSYNC_AAAA
                                                : DNSSYNC_CNAME;
}


int
dnssync_value_read(torii_arena_t *a, unsigned type, torii_str_t text,
    torii_str_t *value)
{
    int            family;
    char           buf[INET6_ADDRSTRLEN];
    unsigned char  bytes[16];

    if (type == DNSSYNC_CNAME) {
        if (dnssync_value_type(text) != DNSSYNC_CNAME || text.len == 0
            || memchr(text.data, '*', text.len) != NULL)
        {
            return TORII_ERROR;
        }

        return dnssync_record_read(a, text, value);
    }

    if (dnssync_value_type(text) != type) {
        return TORII_ERROR;
    }

    family = (type == DNSSYNC_A) ? AF_INET : AF_INET6;

    memcpy(buf, text.data, text.len);
    buf[text.len] = '\0';

    (void) inet_pton(family, buf, bytes);
    (void) inet_ntop(family, bytes, buf, sizeof(buf));

    *value = torii_arena_str(a, torii_str(buf));

    return TORII_OK;
}


/*
 * Strings of one record are one value, however they were cut.  A provider may
 * leave the quotes out, and then nothing is escaped.
 */

int
dnssync_txt_read(torii_arena_t *a, torii_str_t text, torii_str_t *value)
{
    text = torii_str_trim(text);

    if (text.len == 0 || text.data[0] != '"') {
        *value = torii_arena_str(a, text);
        return TORII_OK;
    }

    value->data = torii_arena_alloc(a, text.len);
    value->len = 0;

    while (text.len) {
        if (dnssync_txt_string(&text, value) != TORII_OK) {
            return TORII_ERROR;
        }

        text = torii_str_trim(text);
    }

    return TORII_OK;
}


static int
dnssync_txt_string(torii_str_t *rest, torii_str_t *value)
{
    unsigned              c;
    const unsigned char  *p, *last;

    p = rest->data;
    last = rest->data + rest->len;

    if (*p++ != '"') {
        return TORII_ERROR;
    }

    for ( /* void */ ; p < last && *p != '"'; p++) {
        c = *p;

        if (c == '\\') {
            if (++p == last) {
                return TORII_ERROR;
            }

            c = *p;

            if (c >= '0' && c <= '9') {

                if (last - p < 3 || p[1] < '0' || p[1] > '9' || p[2] < '0'
                    || p[2] > '9')
                {
                    return TORII_ERROR;
                }

                c = (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
                p += 2;

                if (c > 255) {
                    return TORII_ERROR;
                }
            }
        }

        value->data[value->len++] = (unsigned char) c;
    }

    if (p == last) {
        return TORII_ERROR;
    }

    rest->len = last - (p + 1);
    rest->data += p + 1 - rest->data;

    return TORII_OK;
}


void
dnssync_txt_write(torii_buf_t *b, torii_str_t value)
{
    size_t         i;
    unsigned char  c;

    torii_buf_adds(b, "\"");

    for (i = 0; i < value.len; i++) {
        c = value.data[i];

        if (i && i % DNSSYNC_TXT_STRING == 0) {
            torii_buf_adds(b, "\" \"");
        }

        if (c < 0x20 || c >= 0x7f) {
            torii_buf_printf(b, "\\%03u", c);
            continue;
        }

        if (c == '"' || c == '\\') {
            torii_buf_adds(b, "\\");
        }

        torii_buf_add(b, &c, 1);
    }

    torii_buf_adds(b, "\"");
}
