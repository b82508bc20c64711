
/*
 * The forms that values take: sizes, switches, numbers, networks, redirect
 * targets.  People write them by hand, so that the usual slips are recognised
 * and answered with the right spelling.
 */

#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>

#include "ingress_setting.h"


#define ingress_is_digit(c)  ((c) >= '0' && (c) <= '9')

#define ingress_is_alnum(c)                                                   \
    (ingress_is_digit(c) || (((c) | 0x20) >= 'a' && ((c) | 0x20) <= 'z'))


static size_t ingress_digits(torii_str_t s, uint64_t *value);
static int ingress_unit_is(torii_str_t unit, const char *names);
static int ingress_network_family(const uint8_t addr[16]);
static int ingress_network_cmp(const void *a, const void *b);
static int ingress_network_covers(const ingress_network_t *net,
    const uint8_t addr[16]);


static const unsigned char  ingress_mapped[12] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};


int
ingress_parse_bool(torii_str_t s, uint8_t *value, const char **why)
{
    size_t  i;

    static const char *const  yes[] = { "true", "True", "TRUE", "1", "t", "T" };
    static const char *const  no[] = { "false", "False", "FALSE", "0", "f",
                                       "F" };

    s = torii_str_trim(s);

    for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {

        if (torii_str_eqs(s, yes[i])) {
            *value = 1;
            return TORII_OK;
        }

        if (torii_str_eqs(s, no[i])) {
            *value = 0;
            return TORII_OK;
        }
    }

    if (why == NULL) {
        return TORII_ERROR;
    }

    if (torii_str_caseeqs(s, "yes") || torii_str_caseeqs(s, "on")
        || torii_str_caseeqs(s, "y") || torii_str_caseeqs(s, "enabled")
        || torii_str_caseeqs(s, "true"))
    {
        *why = "is neither true nor false; write \"true\"";

    } else if (torii_str_caseeqs(s, "no") || torii_str_caseeqs(s, "off")
               || torii_str_caseeqs(s, "n") || torii_str_caseeqs(s, "disabled")
               || torii_str_caseeqs(s, "false"))
    {
        *why = "is neither true nor false; write \"false\"";

    } else {
        *why = "is neither true nor false; write \"true\" or \"false\"";
    }

    return TORII_ERROR;
}


int
ingress_parse_number(torii_str_t s, uint64_t min, uint64_t max,
    uint64_t *value, const char **why)
{
    int       negative;
    uint64_t  n;

    s = torii_str_trim(s);
    negative = 0;

    if (s.len > 1 && (s.data[0] == '+' || s.data[0] == '-')) {
        negative = (s.data[0] == '-');
        s.data++;
        s.len--;
    }

    if (s.len == 0 || ingress_digits(s, &n) != s.len) {
        *why = "is not a whole number";
        return TORII_ERROR;
    }

    if (negative && n != 0) {
        *why = (min == 0) ? "is negative" : "is too small";
        return TORII_ERROR;
    }

    if (n < min) {
        *why = "is too small";
        return TORII_ERROR;
    }

    if (n > max) {
        *why = "is too large";
        return TORII_ERROR;
    }

    *value = n;

    return TORII_OK;
}


int
ingress_parse_size(torii_str_t s, uint64_t *bytes, const char **why)
{
    size_t       digits;
    unsigned     shift;
    uint64_t     n;
    torii_str_t  unit;

    s = torii_str_trim(s);
    digits = ingress_digits(s, &n);

    unit.len = s.len - digits;
    unit.data = s.data + digits;
    unit = torii_str_trim(unit);

    if (digits == 0 || unit.len > 1) {
        goto failed;
    }

    switch (unit.len ? unit.data[0] | 0x20 : 'b') {

    case 'b':
        shift = 0;
        break;

    case 'k':
        shift = 10;
        break;

    case 'm':
        shift = 20;
        break;

    case 'g':
        shift = 30;
        break;

    default:
        goto failed;
    }

    if (n > (uint64_t) INT64_MAX >> shift) {
        if (why) {
            *why = "is too large";
        }

        return TORII_ERROR;
    }

    *bytes = n << shift;

    return TORII_OK;

failed:

    if (why) {
        *why = "is not a size; write a whole number of bytes, or one followed "
               "by \"k\", \"m\" or \"g\"";
    }

    return TORII_ERROR;
}


/* How many digits lead s, and their value, at most UINT64_MAX. */

static size_t
ingress_digits(torii_str_t s, uint64_t *value)
{
    size_t    i;
    uint64_t  n, digit;

    n = 0;

    for (i = 0; i < s.len && ingress_is_digit(s.data[i]); i++) {
        digit = s.data[i] - '0';

        if (n > (UINT64_MAX - digit) / 10) {
            n = UINT64_MAX;
            continue;
        }

        n = n * 10 + digit;
    }

    *value = n;

    return i;
}


int
ingress_parse_chars(torii_str_t s, const char *chars)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (!ingress_is_alnum(s.data[i])
            && (s.data[i] == '\0' || strchr(chars, s.data[i]) == NULL))
        {
            return TORII_ERROR;
        }
    }

    return TORII_OK;
}


int
ingress_parse_host(torii_str_t s)
{
    size_t    i, name;
    uint64_t  port;

    if (s.len && s.data[0] == '[') {
        for (name = 1; name < s.len && s.data[name] != ']'; name++) {
            if (!ingress_is_alnum(s.data[name]) && s.data[name] != ':'
                && s.data[name] != '.')
            {
                return TORII_ERROR;
            }
        }

        if (name < 3 || name == s.len) {
            return TORII_ERROR;
        }

        name++;

    } else {
        for (name = 0; name < s.len && s.data[name] != ':'; name++) {
            if (!ingress_is_alnum(s.data[name]) && s.data[name] != '-'
                && s.data[name] != '.' && s.data[name] != '_')
            {
                return TORII_ERROR;
            }
        }

        if (name == 0 || name > 253) {
            return TORII_ERROR;
        }
    }

    if (name == s.len) {
        return TORII_OK;
    }

    s.data += name + 1;
    s.len -= name + 1;

    i = ingress_digits(s, &port);

    return (s.data[-1] == ':' && i == s.len && i > 0 && i < 6 && port > 0
            && port < 65536) ? TORII_OK : TORII_ERROR;
}


/* The bytes that RFC 3986 allows in a URI; a "$" would have been a variable. */

int
ingress_parse_target(torii_str_t s, const char **why)
{
    size_t       scheme, i;
    torii_str_t  host;

    static const char  chars[] = "-._~:/?#[]@!&'()*+,;=%";

    if (memchr(s.data, '$', s.len) != NULL) {
        *why = "has a \"$\", but variables are not replaced here; write the "
               "whole target, or \"%24\" for the sign itself";
        return TORII_ERROR;
    }

    if (ingress_parse_chars(s, chars) != TORII_OK) {
        *why = "has a character that a URL cannot hold; write it as \"%\" and "
               "two hex digits";
        return TORII_ERROR;
    }

    if (torii_str_starts(s, "/")) {
        return TORII_OK;
    }

    scheme = torii_str_starts(s, "http://") ? 7
             : torii_str_starts(s, "https://") ? 8 : 0;

    if (scheme == 0) {
        *why = "is neither a path nor a URL; begin with \"/\", \"http://\" or "
               "\"https://\"";
        return TORII_ERROR;
    }

    for (i = scheme; i < s.len; i++) {
        if (s.data[i] == '/' || s.data[i] == '?' || s.data[i] == '#') {
            break;
        }
    }

    host.data = s.data + scheme;
    host.len = i - scheme;

    if (ingress_parse_host(host) != TORII_OK) {
        *why = "has no proper host name";
        return TORII_ERROR;
    }

    return TORII_OK;
}


int
ingress_parse_network(torii_str_t s, ingress_network_t *net)
{
    int          v4;
    char         text[INET6_ADDRSTRLEN];
    size_t       i, len;
    uint64_t     bits;
    torii_str_t  prefix;

    s = torii_str_trim(s);

    for (len = 0; len < s.len && s.data[len] != '/'; len++) {
        if (s.data[len] == '\0') {
            return TORII_ERROR;
        }
    }

    if (len == 0 || len >= sizeof(text)) {
        return TORII_ERROR;
    }

    memcpy(text, s.data, len);
    text[len] = '\0';

    memset(net, 0, sizeof(ingress_network_t));

    v4 = (inet_pton(AF_INET, text, net->addr + 12) == 1);

    if (v4) {
        memcpy(net->addr, ingress_mapped, 12);

    } else if (inet_pton(AF_INET6, text, net->addr) != 1) {
        return TORII_ERROR;
    }

    bits = v4 ? 32 : 128;

    if (len < s.len) {
        prefix.data = s.data + len + 1;
        prefix.len = s.len - len - 1;

        if (torii_str_uint(prefix, bits, &bits) != TORII_OK) {
            return TORII_ERROR;
        }
    }

    net->bits = v4 ? 96 + bits : bits;

    /* "10.1.2.3/8" is taken as "10.0.0.0/8" */

    for (i = net->bits; i < 128; i++) {
        net->addr[i / 8] &= (uint8_t) ~(0x80 >> (i % 8));
    }

    return TORII_OK;
}


/*
 * IPv4 and IPv6 are two worlds: "::/0" does not let in an IPv4 client, though
 * that one's address is written as an IPv6 one here.
 */

static int
ingress_network_family(const uint8_t addr[16])
{
    return memcmp(addr, ingress_mapped, 12) != 0;
}


static int
ingress_network_is6(const ingress_network_t *net)
{
    return net->bits < 96 || ingress_network_family(net->addr);
}


static int
ingress_network_cmp(const void *a, const void *b)
{
    int                       rc;
    const ingress_network_t  *one, *two;

    one = a;
    two = b;

    rc = ingress_network_is6(one) - ingress_network_is6(two);
    if (rc != 0) {
        return rc;
    }

    rc = memcmp(one->addr, two->addr, 16);

    return (rc != 0) ? rc : (int) one->bits - (int) two->bits;
}


static int
ingress_network_covers(const ingress_network_t *net, const uint8_t addr[16])
{
    uint8_t  bytes, mask;

    if (net->bits > 128 || ingress_network_is6(net)
                           != ingress_network_family(addr))
    {
        return 0;
    }

    bytes = net->bits / 8;

    if (memcmp(net->addr, addr, bytes) != 0) {
        return 0;
    }

    if (net->bits % 8 == 0) {
        return 1;
    }

    mask = (uint8_t) (0xff << (8 - net->bits % 8));

    return (addr[bytes] & mask) == (net->addr[bytes] & mask);
}


uint32_t
ingress_network_sort(ingress_network_t *list, uint32_t n)
{
    uint32_t  i, kept;

    if (n == 0) {
        return 0;
    }

    qsort(list, n, sizeof(ingress_network_t), ingress_network_cmp);

    kept = 1;

    for (i = 1; i < n; i++) {

        /* a network's own ones follow it at once */

        if (!ingress_network_covers(&list[kept - 1], list[i].addr)) {
            list[kept++] = list[i];
        }
    }

    return kept;
}


int
ingress_network_match(const ingress_network_t *list, uint32_t n,
    const uint8_t addr[16])
{
    int       rc;
    uint32_t  low, high, middle;

    if (n <= 8) {
        for (low = 0; low < n; low++) {
            if (ingress_network_covers(&list[low], addr)) {
                return 1;
            }
        }

        return 0;
    }

    /* the last network that begins at or before the address */

    low = 0;
    high = n;

    while (low < high) {
        middle = low + (high - low) / 2;

        rc = ingress_network_is6(&list[middle]) - ingress_network_family(addr);
        if (rc == 0) {
            rc = memcmp(list[middle].addr, addr, 16);
        }

        if (rc <= 0) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low > 0 && ingress_network_covers(&list[low - 1], addr);
}


const char *
ingress_show(torii_str_t s, char buf[96])
{
    int          cut;
    size_t       i;
    torii_str_t  shown;

    cut = (s.len > 64);
    shown = s;

    if (cut) {
        shown.len = 64;

        while (shown.len > 60 && (s.data[shown.len] & 0xc0) == 0x80) {
            shown.len--;
        }
    }

    buf[0] = '"';

    for (i = 0; i < shown.len; i++) {
        buf[i + 1] = (shown.data[i] < 0x20 || shown.data[i] == 0x7f) ? ' '
                     : (char) shown.data[i];
    }

    if (!torii_str_is_utf8(shown)) {
        for (i = 0; i < shown.len; i++) {
            if (shown.data[i] >= 0x80) {
                buf[i + 1] = '?';
            }
        }
    }

    (void) strcpy(buf + 1 + shown.len, cut ? "...\"" : "\"");

    return buf;
}


/* Whether unit is one of the names, which blanks separate. */

static int
ingress_unit_is(torii_str_t unit, const char *names)
{
    torii_str_t  rest, name;

    rest = torii_str(names);

    while (torii_str_next(&rest, " ", &name)) {
        if (torii_str_caseeq(unit, name)) {
            return 1;
        }
    }

    return 0;
}


const char *
ingress_hint_seconds(torii_str_t s, char buf[32])
{
    size_t       digits;
    uint64_t     n;
    torii_str_t  unit;

    buf[0] = '\0';
    digits = ingress_digits(s, &n);

    unit.data = s.data + digits;
    unit.len = s.len - digits;
    unit = torii_str_trim(unit);

    if (digits == 0 || n > INGRESS_SECONDS_MAX || unit.len == 0) {
        return buf;
    }

    if (ingress_unit_is(unit, "ms")) {
        n = (n + 999) / 1000;

    } else if (ingress_unit_is(unit, "m min mins minute minutes")) {
        n *= 60;

    } else if (ingress_unit_is(unit, "h hour hours")) {
        n *= 3600;

    } else if (ingress_unit_is(unit, "d day days")) {
        n *= 86400;

    } else if (!ingress_unit_is(unit, "s sec secs second seconds")) {
        return buf;
    }

    if (n <= INGRESS_SECONDS_MAX) {
        (void) snprintf(buf, 32, "%llu", (unsigned long long) n);
    }

    return buf;
}


const char *
ingress_hint_size(torii_str_t s, char buf[32])
{
    char         letter;
    size_t       digits;
    uint64_t     n, tenths;
    torii_str_t  unit;

    buf[0] = '\0';
    digits = ingress_digits(s, &n);

    unit.data = s.data + digits;
    unit.len = s.len - digits;
    tenths = 0;

    if (unit.len > 1 && unit.data[0] == '.' && ingress_is_digit(unit.data[1])) {
        tenths = unit.data[1] - '0';
        unit.data += 2;
        unit.len -= 2;
    }

    unit = torii_str_trim(unit);

    if (digits == 0 || n > 1000000 || unit.len == 0) {
        return buf;
    }

    letter = ingress_unit_is(unit, "k kb ki kib") ? 'k'
             : ingress_unit_is(unit, "m mb mi mib") ? 'm'
             : ingress_unit_is(unit, "g gb gi gib") ? 'g'
             : ingress_unit_is(unit, "t tb ti tib") ? 't' : '\0';

    if (letter == '\0' || (tenths && letter == 'k')) {
        return buf;
    }

    if (letter == 't') {
        n = n * 1024 + tenths * 1024 / 10;
        letter = 'g';

    } else if (tenths) {
        n = n * 1024 + tenths * 1024 / 10;
        letter = (letter == 'g') ? 'm' : 'k';
    }

    (void) snprintf(buf, 32, "%llu%c", (unsigned long long) n, letter);

    return buf;
}
