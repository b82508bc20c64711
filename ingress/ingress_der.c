
/*
 * Reading DER.
 */

#include "ingress_der.h"


static int64_t ingress_der_digits(const unsigned char *p, unsigned n,
    unsigned *failed);
static int64_t ingress_der_days(int64_t year, int64_t month, int64_t day);


ingress_der_t
ingress_der_start(torii_str_t s)
{
    ingress_der_t  der;

    der.p = s.data;
    der.last = s.data + s.len;
    der.failed = 0;

    return der;
}


int
ingress_der_is(const ingress_der_t *der, unsigned tag)
{
    return !der->failed && der->p < der->last && *der->p == tag;
}


int
ingress_der_end(const ingress_der_t *der)
{
    return der->failed || der->p == der->last;
}


unsigned
ingress_der_any(ingress_der_t *der, torii_str_t *content)
{
    size_t                len, n;
    unsigned              tag;
    const unsigned char  *p;

    content->len = 0;
    content->data = (unsigned char *) der->p;

    p = der->p;

    if (der->failed || der->last - p < 2 || (p[0] & 0x1f) == 0x1f) {
        goto failed;
    }

    tag = *p++;
    len = *p++;

    if (len & 0x80) {
        n = len & 0x7f;
        len = 0;

        if (n == 0 || n > 4 || (size_t) (der->last - p) < n) {
            goto failed;
        }

        while (n--) {
            len = (len << 8) | *p++;
        }
    }

    if (len > (size_t) (der->last - p)) {
        goto failed;
    }

    content->data = (unsigned char *) p;
    content->len = len;

    der->p = p + len;

    return tag;

failed:

    der->failed = 1;
    der->p = der->last;

    return 0;
}


torii_str_t
ingress_der_content(ingress_der_t *der, unsigned tag)
{
    torii_str_t  content;

    if (!ingress_der_is(der, tag)) {
        der->failed = 1;
    }

    ingress_der_any(der, &content);

    return content;
}


ingress_der_t
ingress_der_enter(ingress_der_t *der, unsigned tag)
{
    ingress_der_t  inside;

    inside = ingress_der_start(ingress_der_content(der, tag));
    inside.failed = der->failed;

    return inside;
}


torii_str_t
ingress_der_whole(ingress_der_t *der, unsigned tag)
{
    torii_str_t           s, content;
    const unsigned char  *p;

    p = der->p;
    content = ingress_der_content(der, tag);

    s.data = (unsigned char *) p;
    s.len = der->failed ? 0 : content.data + content.len - p;

    return s;
}


int64_t
ingress_der_time(ingress_der_t *der)
{
    int64_t               year, days, seconds;
    unsigned              tag, failed;
    torii_str_t           s;
    const unsigned char  *p;

    tag = ingress_der_any(der, &s);
    p = s.data;
    failed = 0;

    if (tag == INGRESS_DER_UTC_TIME && s.len == 13) {
        year = ingress_der_digits(p, 2, &failed);
        year += (year < 50) ? 2000 : 1900;
        p += 2;

    } else if (tag == INGRESS_DER_TIME && s.len == 15) {
        year = ingress_der_digits(p, 4, &failed);
        p += 4;

    } else {
        der->failed = 1;
        return 0;
    }

    days = ingress_der_days(year, ingress_der_digits(p, 2, &failed),
                            ingress_der_digits(p + 2, 2, &failed));

    seconds = ingress_der_digits(p + 4, 2, &failed) * 3600
              + ingress_der_digits(p + 6, 2, &failed) * 60
              + ingress_der_digits(p + 8, 2, &failed);

    if (failed || p[10] != 'Z') {
        der->failed = 1;
        return 0;
    }

    return days * 86400 + seconds;
}


static int64_t
ingress_der_digits(const unsigned char *p, unsigned n, unsigned *failed)
{
    int64_t  value;

    value = 0;

    while (n--) {
        if (*p < '0' || *p > '9') {
            *failed = 1;
            return 0;
        }

        value = value * 10 + (*p++ - '0');
    }

    return value;
}


/*
 * Days since 1970 in the proleptic Gregorian calendar; the year begins in
 * March, so that the leap day is its last.
 */

static int64_t
ingress_der_days(int64_t year, int64_t month, int64_t day)
{
    if (month < 3) {
        year--;
        month += 12;
    }

    return year * 365 + year / 4 - year / 100 + year / 400
           + (153 * (month - 3) + 2) / 5 + day - 1 - 719468;
}
