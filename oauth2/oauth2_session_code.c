
/*
 * A session as bytes: a version, then records of type (1), length (2) and
 * value.  Records of types that are not known are passed over, so that two
 * versions of Torii can stand side by side.
 */

#include "oauth2_session.h"


#define OAUTH2_SESSION_VERSION  1
#define OAUTH2_SESSION_STRING   0xffff
#define OAUTH2_SESSION_GROUP    0x60
#define OAUTH2_SESSION_CLAIM    0x61    /* length of the name (1), both */


typedef enum {
    OAUTH2_FIELD_TIME = 0,
    OAUTH2_FIELD_NUMBER,
    OAUTH2_FIELD_STRING
} oauth2_field_e;

typedef struct {
    unsigned char    type;
    oauth2_field_e   kind;
    size_t           offset;
} oauth2_field_t;


#define oauth2_field(type, kind, name)                                        \
    { type, OAUTH2_FIELD_##kind, offsetof(oauth2_session_t, name) }

/* By type, from 1 on. */

static const oauth2_field_t  oauth2_fields[] = {
    oauth2_field(1, TIME, created),
    oauth2_field(2, TIME, seen),
    oauth2_field(3, TIME, expires),
    oauth2_field(4, TIME, token_expires),
    oauth2_field(5, TIME, token_issued),
    oauth2_field(6, NUMBER, projection),
    oauth2_field(7, NUMBER, verified),
    oauth2_field(8, NUMBER, refresh_dead),
    oauth2_field(9, STRING, sub),
    oauth2_field(10, STRING, email),
    oauth2_field(11, STRING, user),
    oauth2_field(12, STRING, name),
    oauth2_field(13, STRING, sid),
    oauth2_field(14, STRING, refresh_token),
    oauth2_field(15, STRING, access_token),
    oauth2_field(16, STRING, id_token)
};

#define OAUTH2_FIELDS  (sizeof(oauth2_fields) / sizeof(oauth2_fields[0]))


static void
oauth2_record_head(torii_buf_t *b, unsigned type, size_t len)
{
    unsigned char  *p;

    p = torii_buf_room(b, 3);

    p[0] = (unsigned char) type;
    p[1] = (unsigned char) (len >> 8);
    p[2] = (unsigned char) len;

    b->len += 3;
}


static void
oauth2_record_number(torii_buf_t *b, unsigned type, uint64_t value,
    unsigned bytes)
{
    unsigned char  *p;

    if (value == 0) {
        return;
    }

    oauth2_record_head(b, type, bytes);

    p = torii_buf_room(b, bytes);
    b->len += bytes;

    while (bytes--) {
        *p++ = (unsigned char) (value >> (8 * bytes));
    }
}


static int
oauth2_record_field(torii_buf_t *b, const oauth2_session_t *s,
    const oauth2_field_t *f)
{
    const void         *p;
    const torii_str_t  *str;

    p = (const char *) s + f->offset;

    switch (f->kind) {

    case OAUTH2_FIELD_TIME:
        oauth2_record_number(b, f->type, (uint64_t) *(const int64_t *) p, 8);
        return TORII_OK;

    case OAUTH2_FIELD_NUMBER:
        oauth2_record_number(b, f->type, *(const uint32_t *) p, 4);
        return TORII_OK;

    case OAUTH2_FIELD_STRING:
        break;
    }

    str = p;

    if (str->len > OAUTH2_SESSION_STRING) {
        return TORII_ERROR;
    }

    if (str->len) {
        oauth2_record_head(b, f->type, str->len);
        torii_buf_add_str(b, *str);
    }

    return TORII_OK;
}


int
oauth2_session_write(const oauth2_session_t *s, torii_buf_t *out)
{
    size_t         i;
    unsigned char  len;

    if (s->ngroups > OAUTH2_GROUPS_MAX || s->nclaims > OAUTH2_CLAIMS_MAX) {
        return TORII_ERROR;
    }

    len = OAUTH2_SESSION_VERSION;
    torii_buf_add(out, &len, 1);

    for (i = 0; i < OAUTH2_FIELDS; i++) {
        if (oauth2_record_field(out, s, &oauth2_fields[i]) != TORII_OK) {
            return TORII_ERROR;
        }
    }

    for (i = 0; i < s->ngroups; i++) {
        if (s->groups[i].len > OAUTH2_SESSION_STRING) {
            return TORII_ERROR;
        }

        oauth2_record_head(out, OAUTH2_SESSION_GROUP, s->groups[i].len);
        torii_buf_add_str(out, s->groups[i]);
    }

    for (i = 0; i < s->nclaims; i++) {
        if (s->names[i].len > 255
            || s->names[i].len + 1 + s->values[i].len > OAUTH2_SESSION_STRING)
        {
            return TORII_ERROR;
        }

        len = (unsigned char) s->names[i].len;

        oauth2_record_head(out, OAUTH2_SESSION_CLAIM,
                           1 + len + s->values[i].len);
        torii_buf_add(out, &len, 1);
        torii_buf_add_str(out, s->names[i]);
        torii_buf_add_str(out, s->values[i]);
    }

    return TORII_OK;
}


static int
oauth2_record_read_number(torii_str_t value, size_t bytes, uint64_t *number)
{
    size_t  i;

    if (value.len != bytes) {
        return TORII_ERROR;
    }

    *number = 0;

    for (i = 0; i < bytes; i++) {
        *number = *number << 8 | value.data[i];
    }

    return TORII_OK;
}


static int
oauth2_record_read_field(oauth2_session_t *s, unsigned type, torii_str_t value)
{
    void                  *p;
    uint64_t               number;
    const oauth2_field_t  *f;

    f = &oauth2_fields[type - 1];
    p = (char *) s + f->offset;

    switch (f->kind) {

    case OAUTH2_FIELD_TIME:
        if (oauth2_record_read_number(value, 8, &number) != TORII_OK
            || number > INT64_MAX / 4)
        {
            return TORII_ERROR;
        }

        *(int64_t *) p = (int64_t) number;
        return TORII_OK;

    case OAUTH2_FIELD_NUMBER:
        if (oauth2_record_read_number(value, 4, &number) != TORII_OK) {
            return TORII_ERROR;
        }

        *(uint32_t *) p = (uint32_t) number;
        return TORII_OK;

    case OAUTH2_FIELD_STRING:
        break;
    }

    *(torii_str_t *) p = value;

    return TORII_OK;
}


static int
oauth2_record_read_claim(oauth2_session_t *s, torii_str_t value)
{
    size_t        len;
    torii_str_t  *name;

    if (s->nclaims == OAUTH2_CLAIMS_MAX || value.len == 0) {
        return TORII_ERROR;
    }

    len = value.data[0];

    if (len > value.len - 1) {
        return TORII_ERROR;
    }

    name = &s->names[s->nclaims];
    name->data = value.data + 1;
    name->len = len;

    value.data += 1 + len;
    value.len -= 1 + len;

    s->values[s->nclaims++] = value;

    return TORII_OK;
}


static int
oauth2_record_read(oauth2_session_t *s, unsigned type, torii_str_t value)
{
    if (type >= 1 && type <= OAUTH2_FIELDS) {
        return oauth2_record_read_field(s, type, value);
    }

    switch (type) {

    case OAUTH2_SESSION_GROUP:
        if (s->ngroups == OAUTH2_GROUPS_MAX) {
            return TORII_ERROR;
        }

        s->groups[s->ngroups++] = value;
        return TORII_OK;

    case OAUTH2_SESSION_CLAIM:
        return oauth2_record_read_claim(s, value);
    }

    return TORII_OK;
}


int
oauth2_session_read(torii_str_t in, oauth2_session_t *s)
{
    unsigned        type;
    torii_str_t     value;
    unsigned char  *p, *last;

    /* not the lists: they are long, and have their counts */

    memset(s, 0, offsetof(oauth2_session_t, names));

    if (in.len == 0 || in.data[0] != OAUTH2_SESSION_VERSION) {
        return TORII_ERROR;
    }

    p = in.data + 1;
    last = in.data + in.len;

    while (p < last) {

        if (last - p < 3) {
            return TORII_ERROR;
        }

        type = p[0];
        value.len = (size_t) p[1] << 8 | p[2];
        value.data = p + 3;

        if (value.len > (size_t) (last - value.data)
            || oauth2_record_read(s, type, value) != TORII_OK)
        {
            return TORII_ERROR;
        }

        p = value.data + value.len;
    }

    return s->sub.len ? TORII_OK : TORII_ERROR;
}
