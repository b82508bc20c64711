
/*
 * Reading and writing messages.
 */

#include "dnssync_message.h"


#define DNSSYNC_POINTERS_MAX  127      /* as many as labels */


static int dnssync_walk_start(dnssync_walk_t *w, torii_str_t message);
static uint64_t dnssync_read_uint(dnssync_reader_t *r, unsigned bytes);
static const unsigned char *dnssync_read_labels(dnssync_reader_t *r,
    const unsigned char *p, dnssync_name_t *name, const unsigned char **next);
static void dnssync_write_uint(torii_buf_t *b, uint64_t value, unsigned bytes);
static void dnssync_write_count(torii_buf_t *b, dnssync_section_e section);


dnssync_reader_t
dnssync_reader(torii_str_t message)
{
    dnssync_reader_t  r;

    r.start = message.data;
    r.p = message.data;
    r.last = message.data + message.len;
    r.failed = 0;

    return r;
}


torii_str_t
dnssync_read_bytes(dnssync_reader_t *r, size_t len)
{
    torii_str_t  s;

    s.data = (unsigned char *) r->p;
    s.len = 0;

    if (r->failed || (size_t) (r->last - r->p) < len) {
        r->failed = 1;
        return s;
    }

    s.len = len;
    r->p += len;

    return s;
}


static uint64_t
dnssync_read_uint(dnssync_reader_t *r, unsigned bytes)
{
    size_t       i;
    uint64_t     value;
    torii_str_t  s;

    s = dnssync_read_bytes(r, bytes);
    value = 0;

    for (i = 0; i < s.len; i++) {
        value = (value << 8) | s.data[i];
    }

    return value;
}


unsigned
dnssync_read_u8(dnssync_reader_t *r)
{
    return (unsigned) dnssync_read_uint(r, 1);
}


unsigned
dnssync_read_u16(dnssync_reader_t *r)
{
    return (unsigned) dnssync_read_uint(r, 2);
}


uint32_t
dnssync_read_u32(dnssync_reader_t *r)
{
    return (uint32_t) dnssync_read_uint(r, 4);
}


uint64_t
dnssync_read_u48(dnssync_reader_t *r)
{
    return dnssync_read_uint(r, 6);
}


/*
 * A name may end in a pointer to another one before it (RFC 1035 section
 * 4.1.4).  Each pointer must lead further back than all of the name so far:
 * so that it cannot loop.
 */

void
dnssync_read_name(dnssync_reader_t *r, dnssync_name_t *name)
{
    unsigned              pointers;
    const unsigned char  *p, *back, *next, *end;

    name->len = 0;
    pointers = 0;
    end = NULL;
    back = r->p;

    if (r->failed) {
        return;
    }

    for (p = r->p; p; p = next) {
        p = dnssync_read_labels(r, p, name, &next);

        if (p == NULL
            || (next && (next >= back || ++pointers > DNSSYNC_POINTERS_MAX)))
        {
            r->failed = 1;
            name->len = 0;
            return;
        }

        if (end == NULL) {
            end = p;
        }

        back = next;
    }

    r->p = end;
}


/*
 * Labels up to a pointer or the root.  Returns what is behind them; next is
 * where the pointer leads to, or NULL.
 */

static const unsigned char *
dnssync_read_labels(dnssync_reader_t *r, const unsigned char *p,
    dnssync_name_t *name, const unsigned char **next)
{
    size_t  i, len;

    *next = NULL;

    while (p < r->last) {
        len = *p++;

        if (len >= 0xc0) {

            if (p == r->last) {
                return NULL;
            }

            len = ((len & 0x3f) << 8) | *p++;
            *next = r->start + len;

            return len < DNSSYNC_HEADER ? NULL : p;
        }

        if (len > DNSSYNC_LABEL_MAX || (size_t) (r->last - p) < len
            || name->len + len + 1 > DNSSYNC_NAME_MAX)
        {
            return NULL;
        }

        name->data[name->len++] = (unsigned char) len;

        if (len == 0) {
            return p;
        }

        for (i = 0; i < len; i++) {
            name->data[name->len++] = dnssync_lower(p[i]);
        }

        p += len;
    }

    return NULL;
}


void
dnssync_read_header(dnssync_reader_t *r, dnssync_header_t *header)
{
    unsigned  i;

    header->id = dnssync_read_u16(r);
    header->flags = dnssync_read_u16(r);

    for (i = 0; i < DNSSYNC_SECTIONS; i++) {
        header->counts[i] = dnssync_read_u16(r);
    }
}


void
dnssync_read_question(dnssync_reader_t *r, dnssync_name_t *name,
    unsigned *type, unsigned *class)
{
    dnssync_read_name(r, name);

    *type = dnssync_read_u16(r);
    *class = dnssync_read_u16(r);
}


void
dnssync_read_record(dnssync_reader_t *r, dnssync_record_t *record)
{
    record->offset = r->p - r->start;

    dnssync_read_question(r, &record->name, &record->type, &record->class);

    record->ttl = dnssync_read_u32(r);
    record->data = dnssync_read_bytes(r, dnssync_read_u16(r));
}


dnssync_reader_t
dnssync_read_inside(const dnssync_reader_t *r, const dnssync_record_t *record)
{
    dnssync_reader_t  inside;

    inside.start = r->start;
    inside.p = record->data.data;
    inside.last = record->data.data + record->data.len;
    inside.failed = r->failed;

    return inside;
}


int
dnssync_walk(dnssync_walk_t *w, torii_str_t message, dnssync_record_t *record)
{
    if (!w->started && dnssync_walk_start(w, message) != TORII_OK) {
        return TORII_ERROR;
    }

    while (w->left == 0) {

        if (w->section + 1 == DNSSYNC_SECTIONS) {
            return w->reader.p == w->reader.last ? TORII_DECLINED
                                                 : TORII_ERROR;
        }

        w->left = w->header.counts[++w->section];
    }

    w->left--;

    dnssync_read_record(&w->reader, record);

    return w->reader.failed ? TORII_ERROR : TORII_OK;
}


static int
dnssync_walk_start(dnssync_walk_t *w, torii_str_t message)
{
    unsigned        i, type, class;
    dnssync_name_t  name;

    w->started = 1;
    w->section = DNSSYNC_QUESTION;
    w->reader = dnssync_reader(message);

    dnssync_read_header(&w->reader, &w->header);

    for (i = 0; i < w->header.counts[DNSSYNC_QUESTION]; i++) {
        dnssync_read_question(&w->reader, &name, &type, &class);

        if (w->reader.failed) {
            break;
        }
    }

    return w->reader.failed ? TORII_ERROR : TORII_OK;
}


/*
 * A server that did not understand the request may leave the question out
 * (RFC 2136 section 3.8 even tells it to).
 */

int
dnssync_message_answers(torii_str_t message, torii_str_t request,
    dnssync_header_t *header)
{
    unsigned          type[2], class[2];
    dnssync_name_t    name[2];
    dnssync_header_t  asked;
    dnssync_reader_t  in, out;

    in = dnssync_reader(message);
    out = dnssync_reader(request);

    dnssync_read_header(&in, header);
    dnssync_read_header(&out, &asked);

    if (in.failed || out.failed) {
        return TORII_ERROR;
    }

    if (header->id != asked.id || !(header->flags & DNSSYNC_QR)
        || ((header->flags ^ asked.flags) & DNSSYNC_OPCODE))
    {
        return TORII_DECLINED;
    }

    if (header->counts[DNSSYNC_QUESTION] == 0
        && ((header->flags & DNSSYNC_RCODE)
            || (header->flags & DNSSYNC_OPCODE) == DNSSYNC_UPDATE))
    {
        return TORII_OK;
    }

    dnssync_read_question(&in, &name[0], &type[0], &class[0]);
    dnssync_read_question(&out, &name[1], &type[1], &class[1]);

    if (in.failed || out.failed) {
        return TORII_ERROR;
    }

    return header->counts[DNSSYNC_QUESTION] == 1 && type[0] == type[1]
           && class[0] == class[1] && dnssync_name_eq(&name[0], &name[1])
           ? TORII_OK : TORII_DECLINED;
}


static void
dnssync_write_uint(torii_buf_t *b, uint64_t value, unsigned bytes)
{
    unsigned char  *p;

    p = torii_buf_room(b, bytes);
    b->len += bytes;

    while (bytes--) {
        p[bytes] = (unsigned char) value;
        value >>= 8;
    }
}


void
dnssync_write_u8(torii_buf_t *b, unsigned value)
{
    dnssync_write_uint(b, value, 1);
}


void
dnssync_write_u16(torii_buf_t *b, unsigned value)
{
    dnssync_write_uint(b, value, 2);
}


void
dnssync_write_u32(torii_buf_t *b, uint32_t value)
{
    dnssync_write_uint(b, value, 4);
}


void
dnssync_write_u48(torii_buf_t *b, uint64_t value)
{
    dnssync_write_uint(b, value, 6);
}


void
dnssync_write_name(torii_buf_t *b, const dnssync_name_t *name)
{
    torii_buf_add(b, name->data, name->len);
}


void
dnssync_write_header(torii_buf_t *b, unsigned id, unsigned flags)
{
    unsigned  i;

    dnssync_write_u16(b, id);
    dnssync_write_u16(b, flags);

    for (i = 0; i < DNSSYNC_SECTIONS; i++) {
        dnssync_write_u16(b, 0);
    }
}


static void
dnssync_write_count(torii_buf_t *b, dnssync_section_e section)
{
    unsigned        n;
    unsigned char  *p;

    p = b->data + 4 + 2 * section;
    n = (p[0] << 8 | p[1]) + 1;

    p[0] = (unsigned char) (n >> 8);
    p[1] = (unsigned char) n;
}


void
dnssync_write_question(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type)
{
    dnssync_write_name(b, name);
    dnssync_write_u16(b, type);
    dnssync_write_u16(b, DNSSYNC_IN);

    dnssync_write_count(b, DNSSYNC_QUESTION);
}


void
dnssync_write_record(torii_buf_t *b, dnssync_section_e section,
    const dnssync_name_t *name, unsigned type, unsigned class, uint32_t ttl,
    torii_str_t data)
{
    dnssync_write_name(b, name);
    dnssync_write_u16(b, type);
    dnssync_write_u16(b, class);
    dnssync_write_u32(b, ttl);
    dnssync_write_u16(b, (unsigned) data.len);
    torii_buf_add_str(b, data);

    dnssync_write_count(b, section);
}


void
dnssync_write_txt(torii_buf_t *b, torii_str_t value)
{
    size_t  len;

    do {
        len = value.len < 255 ? value.len : 255;

        dnssync_write_u8(b, (unsigned) len);
        torii_buf_add(b, value.data, len);

        value.data += len;
        value.len -= len;

    } while (value.len);
}
