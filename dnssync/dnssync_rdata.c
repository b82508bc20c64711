
/*
 * Values of records, from the wire and to it.
 */

#include <arpa/inet.h>

#include "dnssync_rdata.h"


#define DNSSYNC_HEX_MAX  DNSSYNC_MESSAGE_MAX


static int dnssync_rdata_address(torii_buf_t *value, int family,
    torii_str_t data);
static int dnssync_rdata_text(torii_buf_t *value, torii_str_t data);
static int dnssync_rdata_other(torii_buf_t *value, dnssync_reader_t *in,
    const char *layout);
static void dnssync_rdata_piece(torii_buf_t *b, dnssync_reader_t *in, int how);


/* RRSIG and NSEC and what goes with them (RFC 4034, 5155, 8976), and BIND's
   own record of how far it has signed. */

static const unsigned  dnssync_rdata_skipped[] = {
    24, 30, 46, 47, 50, 51, 63, 65534
};

/*
 * Types whose data holds names, which may be compressed (RFC 3597 section 4):
 * "n" a name, "s" a string, a digit so many bytes.
 */

static const struct {
    unsigned     type;
    const char  *layout;
} dnssync_rdata_layouts[] = {
    { DNSSYNC_NS, "n" }, { 3, "n" }, { 4, "n" }, { 7, "n" }, { 8, "n" },
    { 9, "n" },
    { 12, "n" },                       /* PTR */
    { 14, "nn" },                      /* MINFO */
    { 15, "2n" },                      /* MX */
    { 17, "nn" },                      /* RP */
    { 18, "2n" },                      /* AFSDB */
    { 21, "2n" },                      /* RT */
    { 26, "2nn" },                     /* PX */
    { 33, "6n" },                      /* SRV */
    { 35, "4sssn" },                   /* NAPTR */
    { 36, "2n" },                      /* KX */
    { 39, "n" }                        /* DNAME */
};

#define DNSSYNC_RDATA_SKIPPED                                                 \
    (sizeof(dnssync_rdata_skipped) / sizeof(dnssync_rdata_skipped[0]))
#define DNSSYNC_RDATA_LAYOUTS                                                 \
    (sizeof(dnssync_rdata_layouts) / sizeof(dnssync_rdata_layouts[0]))


int
dnssync_rdata_skip(unsigned type)
{
    size_t  i;

    for (i = 0; i < DNSSYNC_RDATA_SKIPPED; i++) {
        if (dnssync_rdata_skipped[i] == type) {
            return 1;
        }
    }

    return 0;
}


int
dnssync_rdata_read(torii_buf_t *value, const dnssync_reader_t *r,
    const dnssync_record_t *record)
{
    char              text[DNSSYNC_TEXT_MAX];
    size_t            i;
    const char       *layout;
    dnssync_name_t    name;
    dnssync_reader_t  in;

    in = dnssync_read_inside(r, record);
    layout = "";

    switch (record->type) {

    case DNSSYNC_A:
        return dnssync_rdata_address(value, AF_INET, record->data);

    case DNSSYNC_AAAA:
        return dnssync_rdata_address(value, AF_INET6, record->data);

    case DNSSYNC_TXT:
        return dnssync_rdata_text(value, record->data);

    case DNSSYNC_CNAME:
        dnssync_read_name(&in, &name);

        if (in.failed || in.p != in.last) {
            return TORII_ERROR;
        }

        dnssync_name_text(&name, text);
        torii_buf_adds(value, text);

        return TORII_OK;
    }

    for (i = 0; i < DNSSYNC_RDATA_LAYOUTS; i++) {
        if (dnssync_rdata_layouts[i].type == record->type) {
            layout = dnssync_rdata_layouts[i].layout;
        }
    }

    return dnssync_rdata_other(value, &in, layout);
}


static int
dnssync_rdata_address(torii_buf_t *value, int family, torii_str_t data)
{
    char  text[INET6_ADDRSTRLEN];

    if (data.len != (family == AF_INET ? 4 : 16)) {
        return TORII_ERROR;
    }

    (void) inet_ntop(family, data.data, text, sizeof(text));
    torii_buf_adds(value, text);

    return TORII_OK;
}


static int
dnssync_rdata_text(torii_buf_t *value, torii_str_t data)
{
    int               same;
    torii_str_t       s;
    dnssync_reader_t  in;

    in = dnssync_reader(data);
    same = 1;

    do {
        s = dnssync_read_bytes(&in, dnssync_read_u8(&in));
        torii_buf_add_str(value, s);

        /* the last one may be short, and is not empty but alone */

        if (in.p != in.last ? s.len != 255
                            : s.len == 0 && value->len != 0)
        {
            same = 0;
        }

    } while (!in.failed && in.p != in.last);

    return in.failed ? TORII_ERROR : same ? TORII_OK : TORII_DECLINED;
}


/* Behind the layout there may be anything. */

static int
dnssync_rdata_other(torii_buf_t *value, dnssync_reader_t *in,
    const char *layout)
{
    torii_str_t  s;
    torii_buf_t  b;

    memset(&b, 0, sizeof(torii_buf_t));

    while (*layout && !in->failed) {
        dnssync_rdata_piece(&b, in, *layout++);
    }

    s = dnssync_read_bytes(in, in->last - in->p);
    torii_buf_add_str(&b, s);

    s.data = b.data;
    s.len = b.len;
    dnssync_rdata_hex(value, s);

    torii_buf_free(&b);

    return in->failed ? TORII_ERROR : TORII_OK;
}


static void
dnssync_rdata_piece(torii_buf_t *b, dnssync_reader_t *in, int how)
{
    size_t          len;
    dnssync_name_t  name;

    switch (how) {

    case 'n':
        dnssync_read_name(in, &name);
        dnssync_write_name(b, &name);
        return;

    case 's':
        len = dnssync_read_u8(in);
        dnssync_write_u8(b, (unsigned) len);
        break;

    default:
        len = how - '0';
    }

    torii_buf_add_str(b, dnssync_read_bytes(in, len));
}


int
dnssync_rdata_write(torii_buf_t *b, unsigned type, torii_str_t value)
{
    char            text[INET6_ADDRSTRLEN];
    dnssync_name_t  name;
    unsigned char   bytes[16];

    if (type == DNSSYNC_TXT) {
        dnssync_write_txt(b, value);
        return TORII_OK;
    }

    if (type == DNSSYNC_CNAME) {
        if (dnssync_name_parse(&name, value) != TORII_OK) {
            return TORII_ERROR;
        }

        dnssync_write_name(b, &name);
        return TORII_OK;
    }

    if (dnssync_value_type(value) != type) {
        return TORII_ERROR;
    }

    memcpy(text, value.data, value.len);
    text[value.len] = '\0';

    (void) inet_pton(type == DNSSYNC_A ? AF_INET : AF_INET6, text, bytes);
    torii_buf_add(b, bytes, type == DNSSYNC_A ? 4 : 16);

    return TORII_OK;
}


int
dnssync_rdata_value(torii_buf_t *b, const dnssync_rrset_t *set, uint32_t i)
{
    uint32_t     n;
    torii_str_t  rest, word;

    rest = set->id;

    if (set->type == DNSSYNC_TXT && rest.len) {

        for (n = 0; torii_str_next(&rest, " ", &word); n++) {
            if (n == i && !torii_str_eqs(word, "-")) {
                return dnssync_rdata_unhex(b, word);
            }
        }
    }

    return dnssync_rdata_write(b, set->type, set->values[i]);
}


void
dnssync_rdata_hex(torii_buf_t *b, torii_str_t data)
{
    size_t          i;
    unsigned char  *p;

    static const char  digits[] = "0123456789abcdef";

    p = torii_buf_room(b, 2 * data.len);

    for (i = 0; i < data.len; i++) {
        *p++ = digits[data.data[i] >> 4];
        *p++ = digits[data.data[i] & 0x0f];
    }

    b->len += 2 * data.len;
}


int
dnssync_rdata_unhex(torii_buf_t *b, torii_str_t text)
{
    int             high, low;
    size_t          i;
    unsigned char  *p;

#define dnssync_hex(c)                                                        \
    ((c) >= '0' && (c) <= '9' ? (c) - '0'                                     \
     : (c) >= 'a' && (c) <= 'f' ? (c) - 'a' + 10 : -1)

    if (text.len % 2 || text.len > 2 * DNSSYNC_HEX_MAX) {
        return TORII_ERROR;
    }

    p = torii_buf_room(b, text.len / 2);

    for (i = 0; i < text.len; i += 2) {
        high = dnssync_hex(text.data[i]);
        low = dnssync_hex(text.data[i + 1]);

        if (high < 0 || low < 0) {
            return TORII_ERROR;
        }

        *p++ = (unsigned char) (high << 4 | low);
    }

    b->len += text.len / 2;

    return TORII_OK;
}
