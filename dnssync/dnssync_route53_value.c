
/*
 * Names and values as Route 53 writes them, and as they are here.
 */

#include "dnssync_message.h"
#include "dnssync_route53.h"


static void dnssync_route53_digits(torii_buf_t *b, torii_str_t s,
    unsigned from, unsigned to);


/* What cannot be read stays as it is written: it is nothing of ours. */

torii_str_t
dnssync_route53_value(dnssync_op_t *op, unsigned type, torii_str_t raw)
{
    int          rc;
    torii_buf_t  b;
    torii_str_t  value, s;

    rc = TORII_ERROR;

    if (type == DNSSYNC_CNAME) {
        rc = dnssync_record_octal(op->arena, raw, &value);

    } else if (type == DNSSYNC_A || type == DNSSYNC_AAAA) {
        rc = dnssync_value_read(op->arena, type, raw, &value);

    } else if (type == DNSSYNC_TXT) {
        memset(&b, 0, sizeof(torii_buf_t));
        dnssync_route53_digits(&b, raw, 8, 10);

        s.data = b.data;
        s.len = b.len;
        rc = dnssync_txt_read(op->arena, s, &value);

        torii_buf_free(&b);
    }

    return rc == TORII_OK ? value : torii_arena_str(op->arena, raw);
}


/* Numbers of bytes are octal at Route 53, and decimal in zone files. */

static void
dnssync_route53_digits(torii_buf_t *b, torii_str_t s, unsigned from,
    unsigned to)
{
    size_t                i, k;
    unsigned              value;
    const unsigned char  *p;

    for (i = 0; i < s.len; i++) {
        p = s.data + i;

        if (*p != '\\' || s.len - i < 2) {
            torii_buf_add(b, p, 1);
            continue;
        }

        for (k = 1, value = 0; k < 4 && k < s.len - i; k++) {
            if (p[k] < '0' || p[k] >= '0' + from) {
                break;
            }

            value = value * from + (p[k] - '0');
        }

        if (k == 4 && value < 256) {
            torii_buf_printf(b, to == 8 ? "\\%03o" : "\\%03u", value);
            i += 3;
            continue;
        }

        torii_buf_add(b, p, 2);
        i++;
    }
}


void
dnssync_route53_canonical(torii_buf_t *b, unsigned type, torii_str_t value)
{
    torii_buf_t  txt;
    torii_str_t  s;

    if (type == DNSSYNC_CNAME) {
        dnssync_route53_name(b, value);
        return;
    }

    if (type != DNSSYNC_TXT) {
        torii_buf_add_str(b, value);
        return;
    }

    memset(&txt, 0, sizeof(torii_buf_t));
    dnssync_txt_write(&txt, value);

    s.data = txt.data;
    s.len = txt.len;
    dnssync_route53_digits(b, s, 10, 8);

    torii_buf_free(&txt);
}


/* All but letters, digits, "-" and "_" as numbers; a dot at the end. */

void
dnssync_route53_name(torii_buf_t *b, torii_str_t name)
{
    size_t           i, k;
    unsigned char    c, len;
    dnssync_name_t   n;

    if (dnssync_name_parse(&n, name) != TORII_OK) {
        torii_buf_add_str(b, name);
        return;
    }

    for (i = 0; i < n.len && n.data[i]; i += len + 1) {
        len = n.data[i];

        for (k = 1; k <= len; k++) {
            c = n.data[i + k];

            if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'
                || c == '_')
            {
                torii_buf_add(b, &c, 1);

            } else {
                torii_buf_printf(b, "\\%03o", c);
            }
        }

        torii_buf_adds(b, ".");
    }
}
