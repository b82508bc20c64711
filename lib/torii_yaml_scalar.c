
/*
 * What a plain scalar of YAML stands for, as Kubernetes' reader has it: yes,
 * no, on, off, y and n are booleans, 010 and 0o10 are octal, 08 is a float, a
 * time stamp is a string.
 */

#include "torii_yaml.h"


static int
torii_yaml_is(torii_str_t s, const char *lower, const char *title,
    const char *upper)
{
    return torii_str_eqs(s, lower) || torii_str_eqs(s, title)
           || torii_str_eqs(s, upper);
}


static int
torii_yaml_word(torii_str_t s, torii_node_t *node)
{
    static const struct {
        const char  *words[3];
        uint8_t      type;
        uint8_t      boolean;
    } table[] = {
        { { "true", "True", "TRUE" }, TORII_NODE_BOOL, 1 },
        { { "false", "False", "FALSE" }, TORII_NODE_BOOL, 0 },
        { { "null", "Null", "NULL" }, TORII_NODE_NULL, 0 },
        { { "yes", "Yes", "YES" }, TORII_NODE_BOOL, 1 },
        { { "no", "No", "NO" }, TORII_NODE_BOOL, 0 },
        { { "on", "On", "ON" }, TORII_NODE_BOOL, 1 },
        { { "off", "Off", "OFF" }, TORII_NODE_BOOL, 0 },
        { { "y", "Y", "~" }, TORII_NODE_BOOL, 1 },
        { { "n", "N", "~" }, TORII_NODE_BOOL, 0 }
    };

    size_t  i;

    if (s.len > 5) {
        return TORII_DECLINED;
    }

    if (torii_str_eqs(s, "~")) {
        node->type = TORII_NODE_NULL;
        return TORII_OK;
    }

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (torii_yaml_is(s, table[i].words[0], table[i].words[1],
                          table[i].words[2]))
        {
            node->type = table[i].type;
            node->boolean = table[i].boolean;
            return TORII_OK;
        }
    }

    return TORII_DECLINED;
}


static unsigned
torii_yaml_digit(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? (unsigned) c - 'a' + 10 : 16;
}


/* How far digits reach; "_" may stand among them, but not alone. */

static size_t
torii_yaml_digits(torii_str_t s, size_t first, unsigned base)
{
    size_t    i;
    unsigned  any;

    any = 0;

    for (i = first; i < s.len; i++) {

        if (s.data[i] == '_') {
            continue;
        }

        if (torii_yaml_digit(s.data[i]) >= base) {
            break;
        }

        any = 1;
    }

    return any ? i - first : 0;
}


/* Digits with a point or an exponent, both optional. */

static int
torii_yaml_is_real(torii_str_t s, size_t i)
{
    size_t  n, m;

    n = torii_yaml_digits(s, i, 10);
    i += n;

    if (i < s.len && s.data[i] == '.') {
        m = torii_yaml_digits(s, i + 1, 10);
        i += m + 1;
        n += m;
    }

    if (n == 0) {
        return 0;
    }

    if (i < s.len && (s.data[i] | 0x20) == 'e') {
        i++;

        if (i < s.len && (s.data[i] == '+' || s.data[i] == '-')) {
            i++;
        }

        n = torii_yaml_digits(s, i, 10);
        if (n == 0) {
            return 0;
        }

        i += n;
    }

    return i == s.len;
}


static int
torii_yaml_is_int(torii_str_t s, size_t i)
{
    size_t    n;
    unsigned  base;

    base = 10;

    if (s.len - i > 1 && s.data[i] == '0') {

        switch (s.data[i + 1] | 0x20) {
        case 'x':
            base = 16;
            i += 2;
            break;
        case 'o':
            base = 8;
            i += 2;
            break;
        case 'b':
            base = 2;
            i += 2;
            break;
        default:
            base = 8;
        }
    }

    n = torii_yaml_digits(s, i, base);

    return n != 0 && i + n == s.len;
}


/* Decimal integers that 64 bits may not hold are floats there, too. */

static int
torii_yaml_number(torii_str_t s, torii_node_t *node)
{
    size_t  i;

    i = (s.data[0] == '+' || s.data[0] == '-');

    if (i == s.len) {
        return TORII_DECLINED;
    }

    if (torii_yaml_is_int(s, i)) {
        node->type = (s.len - i > 19 && s.data[i] != '0') ? TORII_NODE_REAL
                                                          : TORII_NODE_INT;
        return TORII_OK;
    }

    if (torii_yaml_is_real(s, i)) {
        node->type = TORII_NODE_REAL;
        return TORII_OK;
    }

    s.data += i;
    s.len -= i;

    if (torii_yaml_is(s, ".inf", ".Inf", ".INF")
        || (i == 0 && torii_yaml_is(s, ".nan", ".NaN", ".NAN")))
    {
        node->type = TORII_NODE_REAL;
        return TORII_OK;
    }

    return TORII_DECLINED;
}


/* The first byte tells most strings from all else. */

void
torii_yaml_resolve(torii_str_t s, torii_node_t *node)
{
    int  rc;

    if (s.len == 0) {
        node->type = TORII_NODE_NULL;
        return;
    }

    switch (s.data[0]) {

    case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
    case '+': case '-': case '.':
        rc = torii_yaml_number(s, node);
        break;

    case 'y': case 'Y': case 'n': case 'N': case 't': case 'T':
    case 'f': case 'F': case 'o': case 'O': case '~':
        rc = torii_yaml_word(s, node);
        break;

    default:
        rc = TORII_DECLINED;
    }

    if (rc != TORII_OK) {
        node->type = TORII_NODE_STRING;
    }
}
