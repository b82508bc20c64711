
/*
 * The text of a mark: read and written.
 */

#include <stdio.h>

#include "dnssync_owner.h"


#define DNSSYNC_OWNER_FIELDS  32
#define DNSSYNC_OWNER_BEAT    0xffffffffffffULL
#define DNSSYNC_OWNER_PERIOD  86400


static int dnssync_owner_own(torii_arena_t *a, torii_str_t rest,
    dnssync_owner_t *owner);
static int dnssync_owner_field(torii_arena_t *a, torii_str_t key,
    torii_str_t value, dnssync_owner_t *owner);
static int dnssync_owner_external(torii_str_t rest, dnssync_owner_t *owner);
static int dnssync_owner_once(torii_str_t *field, torii_str_t value);
static int dnssync_owner_types(torii_str_t value, unsigned *types);
static int dnssync_owner_unescape(torii_arena_t *a, torii_str_t in,
    torii_str_t *out);
static int dnssync_owner_hex(unsigned char c);
static void dnssync_owner_escape(torii_buf_t *b, torii_str_t s);


static const struct {
    const char  *name;
    unsigned     mask;
} dnssync_owner_type_names[] = {
    { "A", DNSSYNC_HAS_A },
    { "AAAA", DNSSYNC_HAS_AAAA },
    { "CNAME", DNSSYNC_HAS_CNAME }
};


const char *
dnssync_registry_check(const dnssync_registry_t *r)
{
    size_t       i;
    torii_str_t  word;

    if (r->id.len == 0 || r->id.len > DNSSYNC_OWNER_MAX) {
        return "the owner's id is empty or too long";
    }

    if (torii_str_has_control(r->id) || !torii_str_is_utf8(r->id)) {
        return "the owner's id is no text";
    }

    /* ExternalDNS has no escapes in its text */

    for (i = 0; i < r->id.len; i++) {
        if (strchr(",=\"", r->id.data[i]) != NULL) {
            return "the owner's id holds a comma, an equals sign or a quote";
        }
    }

    if (r->prefix.len && r->suffix.len) {
        return "a prefix and a suffix exclude each other";
    }

    word = r->prefix.len ? r->prefix : r->suffix;

    if (word.len > DNSSYNC_AFFIX_MAX || r->wildcard.len > DNSSYNC_AFFIX_MAX) {
        return "the prefix, the suffix or the word for \"*\" is too long";
    }

    if (r->key.len && r->key.len != DNSSYNC_OWNER_KEY) {
        return "the AES key has not 32 bytes";
    }

    return NULL;
}


int
dnssync_registry_key(torii_arena_t *a, torii_str_t text, torii_str_t *key)
{
    if (text.len == DNSSYNC_OWNER_KEY) {
        *key = torii_arena_str(a, text);
        return TORII_OK;
    }

    if (torii_base64_decode(a, text, key) != TORII_OK) {
        return TORII_ERROR;
    }

    return key->len == DNSSYNC_OWNER_KEY ? TORII_OK : TORII_ERROR;
}


int
dnssync_owner_read(const dnssync_registry_t *registry, torii_arena_t *a,
    torii_str_t text, dnssync_owner_t *owner)
{
    torii_str_t  plain;

    memset(owner, 0, sizeof(dnssync_owner_t));

    if (text.len == 0 || text.len > DNSSYNC_VALUE_MAX) {
        return TORII_DECLINED;
    }

    while (text.len && text.data[0] == '"') {
        text.data++;
        text.len--;
    }

    while (text.len && text.data[text.len - 1] == '"') {
        text.len--;
    }

    if (torii_str_starts(text, "heritage=torii,")) {
        text.data += sizeof("heritage=torii,") - 1;
        text.len -= sizeof("heritage=torii,") - 1;
        return dnssync_owner_own(a, text, owner);
    }

    if (registry->key.len
        && dnssync_unseal(a, registry->key, text, &plain) == TORII_OK)
    {
        text = plain;
    }

    return dnssync_owner_external(text, owner);
}


static int
dnssync_owner_own(torii_arena_t *a, torii_str_t rest, dnssync_owner_t *owner)
{
    size_t         i;
    unsigned       n;
    torii_str_t    piece, key;

    for (n = 0; torii_str_next(&rest, ",", &piece); n++) {

        for (i = 0; i < piece.len && piece.data[i] != '='; i++) {
            /* void */
        }

        if (i == piece.len || n == DNSSYNC_OWNER_FIELDS) {
            return TORII_DECLINED;
        }

        key.data = piece.data;
        key.len = i;
        piece.data += i + 1;
        piece.len -= i + 1;

        if (dnssync_owner_field(a, key, piece, owner) != TORII_OK) {
            return TORII_DECLINED;
        }
    }

    return owner->id.len ? TORII_OK : TORII_DECLINED;
}


/* A key that is not known is of a later version. */

static int
dnssync_owner_field(torii_arena_t *a, torii_str_t key, torii_str_t value,
    dnssync_owner_t *owner)
{
    uint64_t     number;
    torii_str_t  text;

    if (torii_str_eqs(key, "types")) {
        return owner->types ? TORII_DECLINED
                            : dnssync_owner_types(value, &owner->types);
    }

    if (torii_str_eqs(key, "beat")) {
        return torii_str_uint(value, DNSSYNC_OWNER_BEAT, &owner->beat);
    }

    if (torii_str_eqs(key, "period")) {
        if (torii_str_uint(value, DNSSYNC_OWNER_PERIOD, &number) != TORII_OK) {
            return TORII_DECLINED;
        }

        owner->period = (uint32_t) number;

        return TORII_OK;
    }

    if (dnssync_owner_unescape(a, value, &text) != TORII_OK) {
        return TORII_DECLINED;
    }

    if (torii_str_eqs(key, "owner")) {
        return dnssync_owner_once(&owner->id, text);
    }

    if (torii_str_eqs(key, "resource")) {
        return dnssync_owner_once(&owner->resource, text);
    }

    if (torii_str_eqs(key, "instance")) {
        return dnssync_owner_once(&owner->instance, text);
    }

    return TORII_OK;
}


/*
 * "heritage=external-dns,external-dns/owner=ID,external-dns/KEY=VALUE"; pieces
 * without "=" are skipped there, too.  A text that tells of two owners is
 * believed in neither.
 */

static int
dnssync_owner_external(torii_str_t rest, dnssync_owner_t *owner)
{
    size_t       i;
    unsigned     n, heritage;
    torii_str_t  piece, key;

    heritage = 0;
    owner->external = 1;

    for (n = 0; torii_str_next(&rest, ",", &piece); n++) {

        for (i = 0; i < piece.len && piece.data[i] != '='; i++) {
            /* void */
        }

        if (n == DNSSYNC_OWNER_FIELDS) {
            return TORII_DECLINED;
        }

        if (i == piece.len) {
            continue;
        }

        key.data = piece.data;
        key.len = i;
        piece.data += i + 1;
        piece.len -= i + 1;

        if (torii_str_eqs(key, "heritage")) {
            if (!torii_str_eqs(piece, "external-dns")) {
                return TORII_DECLINED;
            }

            heritage = 1;

        } else if (torii_str_eqs(key, "external-dns/owner")) {
            if (dnssync_owner_once(&owner->id, piece) != TORII_OK) {
                return TORII_DECLINED;
            }

        } else if (torii_str_eqs(key, "external-dns/resource")) {
            if (dnssync_owner_once(&owner->resource, piece) != TORII_OK) {
                return TORII_DECLINED;
            }
        }
    }

    return heritage && owner->id.len ? TORII_OK : TORII_DECLINED;
}


static int
dnssync_owner_once(torii_str_t *field, torii_str_t value)
{
    if (field->data != NULL || value.len > DNSSYNC_RESOURCE_MAX
        || torii_str_has_control(value) || !torii_str_is_utf8(value))
    {
        return TORII_DECLINED;
    }

    *field = value;

    return TORII_OK;
}


/* "A+AAAA" */

static int
dnssync_owner_types(torii_str_t value, unsigned *types)
{
    unsigned     i;
    torii_str_t  piece;

    while (torii_str_next(&value, "+", &piece)) {

        for (i = 0; i < DNSSYNC_TYPES; i++) {
            if (torii_str_eqs(piece, dnssync_owner_type_names[i].name)) {
                *types |= dnssync_owner_type_names[i].mask;
                break;
            }
        }

        if (i == DNSSYNC_TYPES) {
            return TORII_DECLINED;
        }
    }

    return TORII_OK;
}


static int
dnssync_owner_hex(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    return (c >= 'A' && c <= 'F') ? c - 'A' + 10 : -1;
}


static int
dnssync_owner_unescape(torii_arena_t *a, torii_str_t in, torii_str_t *out)
{
    int     high, low;
    size_t  i;

    *out = in;

    if (memchr(in.data, '%', in.len) == NULL) {
        return TORII_OK;
    }

    out->data = torii_arena_alloc(a, in.len);
    out->len = 0;

    for (i = 0; i < in.len; i++) {

        if (in.data[i] != '%') {
            out->data[out->len++] = in.data[i];
            continue;
        }

        if (in.len - i < 3) {
            return TORII_DECLINED;
        }

        high = dnssync_owner_hex(in.data[i + 1]);
        low = dnssync_owner_hex(in.data[i + 2]);

        if (high < 0 || low < 0) {
            return TORII_DECLINED;
        }

        out->data[out->len++] = (unsigned char) (high << 4 | low);
        i += 2;
    }

    return TORII_OK;
}


static void
dnssync_owner_escape(torii_buf_t *b, torii_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (strchr(",%\"\\", s.data[i]) != NULL) {
            torii_buf_printf(b, "%%%02X", s.data[i]);

        } else {
            torii_buf_add(b, &s.data[i], 1);
        }
    }
}


int
dnssync_owner_write(const dnssync_registry_t *registry, dnssync_form_e form,
    const dnssync_owner_t *owner, torii_buf_t *b)
{
    int          rc;
    unsigned     i, n;
    torii_str_t  text;
    torii_buf_t  plain;

    if (form == DNSSYNC_FORM_EXTERNAL || form == DNSSYNC_FORM_EXTERNAL_OLD) {
        memset(&plain, 0, sizeof(torii_buf_t));

        torii_buf_printf(&plain, "heritage=external-dns,external-dns/owner="
                         "%.*s", torii_str_arg(owner->id));

        if (owner->resource.len) {
            torii_buf_printf(&plain, ",external-dns/resource=%.*s",
                             torii_str_arg(owner->resource));
        }

        text.data = plain.data;
        text.len = plain.len;
        rc = TORII_OK;

        if (registry->key.len) {
            rc = dnssync_seal(registry->key, text, b);

        } else {
            torii_buf_add_str(b, text);
        }

        torii_buf_free(&plain);

        return rc;
    }

    torii_buf_adds(b, "heritage=torii,owner=");
    dnssync_owner_escape(b, owner->id);

    for (i = 0, n = 0; i < DNSSYNC_TYPES; i++) {
        if (owner->types & dnssync_owner_type_names[i].mask) {
            torii_buf_printf(b, "%s%s", n++ ? "+" : ",types=",
                             dnssync_owner_type_names[i].name);
        }
    }

    if (owner->resource.len) {
        torii_buf_adds(b, ",resource=");
        dnssync_owner_escape(b, owner->resource);
    }

    if (owner->instance.len) {
        torii_buf_adds(b, ",instance=");
        dnssync_owner_escape(b, owner->instance);
        torii_buf_printf(b, ",beat=%llu,period=%u",
                         (unsigned long long) owner->beat, owner->period);
    }

    return TORII_OK;
}
