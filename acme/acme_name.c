
/*
 * Names of certificates: DNS names and addresses in the one form that they are
 * ordered, compared and signed in.
 */

#include <arpa/inet.h>

#include "acme_x509.h"


#define ACME_LABEL_MAX    63
#define ACME_ADDRESS_MAX  45            /* text of an IPv6 address */


static int acme_name_holds_ipv4(const unsigned char address[16]);
static const char *acme_name_labels(torii_str_t name);
static const char *acme_name_label(const unsigned char *p, size_t len);


int
acme_name_normal(torii_arena_t *a, torii_str_t in, torii_str_t *out,
    const char **why)
{
    torii_str_t    name;
    unsigned char  text[ACME_NAME_MAX + 1];

    *why = acme_name_make(in, text, &name.len);
    if (*why) {
        return TORII_ERROR;
    }

    name.data = text;
    *out = torii_arena_str(a, name);

    return TORII_OK;
}


int
acme_name_is_normal(torii_str_t name)
{
    torii_str_t    normal;
    unsigned char  text[ACME_NAME_MAX + 1];

    if (acme_name_make(name, text, &normal.len) != NULL) {
        return 0;
    }

    normal.data = text;

    return torii_str_eq(name, normal);
}


int
acme_name_is_ip(torii_str_t name)
{
    unsigned char  address[16];

    return acme_name_address(name, address) != 0;
}


unsigned
acme_name_address(torii_str_t name, unsigned char address[16])
{
    char  text[ACME_ADDRESS_MAX + 1];

    if (name.len == 0 || name.len > ACME_ADDRESS_MAX
        || torii_str_has_control(name))
    {
        return 0;
    }

    memcpy(text, name.data, name.len);
    text[name.len] = '\0';

    if (inet_pton(AF_INET, text, address) == 1) {
        return 4;
    }

    return inet_pton(AF_INET6, text, address) == 1 ? 16 : 0;
}


const char *
acme_name_make(torii_str_t in, unsigned char out[ACME_NAME_MAX + 1],
    size_t *len)
{
    size_t         i;
    unsigned       size;
    torii_str_t    name;
    unsigned char  c, address[16];

    size = acme_name_address(in, address);

    if (size == 16 && acme_name_holds_ipv4(address)) {
        return "write an IPv4 address in its own form";
    }

    if (size) {
        (void) inet_ntop(size == 4 ? AF_INET : AF_INET6, address, (char *) out,
                         ACME_NAME_MAX + 1);
        *len = strlen((char *) out);

        return NULL;
    }

    if (in.len && in.data[in.len - 1] == '.') {
        in.len--;
    }

    if (in.len == 0) {
        return "it is empty";
    }

    if (in.len > ACME_NAME_MAX) {
        return "it is longer than 253 bytes";
    }

    for (i = 0; i < in.len; i++) {
        c = in.data[i];
        out[i] = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    }

    out[in.len] = '\0';
    *len = in.len;

    name.data = out;
    name.len = in.len;

    return acme_name_labels(name);
}


/*
 * RFC 4291 section 2.5.5: ::ffff:0:0/96, and ::/96 but for ::1.  ("::", in
 * there, too, is nobody's address.)
 */

static int
acme_name_holds_ipv4(const unsigned char address[16])
{
    static const unsigned char  mapped[12] = { [10] = 0xff, [11] = 0xff };
    static const unsigned char  loopback[16] = { [15] = 1 };

    return memcmp(address, mapped, 12) == 0
           || (memcmp(address, loopback, 12) == 0
               && memcmp(address, loopback, 16) != 0);
}


/* name: in lower case, no dot at its end, not empty. */

static const char *
acme_name_labels(torii_str_t name)
{
    size_t                len;
    const char           *why;
    const unsigned char  *p, *last, *dot;

    p = name.data;
    last = p + name.len;

    if (name.len == 1 && *p == '*') {
        return "\"*\" needs a domain behind it";
    }

    if (torii_str_starts(name, "*.")) {
        p += 2;
    }

    for ( ;; ) {
        dot = memchr(p, '.', last - p);
        len = (dot ? dot : last) - p;

        why = acme_name_label(p, len);
        if (why) {
            return why;
        }

        if (dot == NULL) {
            break;
        }

        p = dot + 1;
    }

    /* what some would read as an address is no name (RFC 1123 section 2.1) */

    while (p < last && *p >= '0' && *p <= '9') {
        p++;
    }

    return p == last ? "it ends in a number, but is no address" : NULL;
}


static const char *
acme_name_label(const unsigned char *p, size_t len)
{
    size_t         i;
    unsigned char  c;

    if (len == 0) {
        return "one of its labels is empty";
    }

    if (len > ACME_LABEL_MAX) {
        return "one of its labels is longer than 63 bytes";
    }

    for (i = 0; i < len; i++) {
        c = p[i];

        if (c >= 0x80) {
            return "write international names in their \"xn--\" form";
        }

        if (c == '*') {
            return "\"*\" may only be the whole first label";
        }

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return "only letters, digits, \"-\" and \".\" are allowed";
        }
    }

    if (p[0] == '-' || p[len - 1] == '-') {
        return "a label must begin and end with a letter or digit";
    }

    return NULL;
}
