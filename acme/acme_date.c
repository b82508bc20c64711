
/*
 * IMF-fixdate, RFC 3339 and Retry-After.
 */

#include <time.h>

#include "acme_date.h"


#define ACME_DATE_YEAR_MIN  1970
#define ACME_DATE_YEAR_MAX  9999


typedef struct {
    const unsigned char  *p;
    const unsigned char  *last;
    unsigned              failed:1;
} acme_date_in_t;

typedef struct {
    uint64_t              year;
    uint64_t              month;      /* 1 .. 12 */
    uint64_t              day;
    uint64_t              hour;
    uint64_t              minute;
    uint64_t              second;     /* 60: a leap second */
} acme_date_t;


static const char  acme_date_days[] = "SunMonTueWedThuFriSat";
static const char  acme_date_months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";


static void
acme_date_begin(acme_date_in_t *in, torii_str_t s)
{
    in->p = s.data;
    in->last = s.len ? s.data + s.len : s.data;
    in->failed = 0;
}


/* Any of the bytes of set; 0 if it is another. */

static unsigned char
acme_date_char(acme_date_in_t *in, const char *set)
{
    if (in->failed || in->p == in->last || *in->p == '\0'
        || strchr(set, *in->p) == NULL)
    {
        in->failed = 1;
        return 0;
    }

    return *in->p++;
}


static void
acme_date_text(acme_date_in_t *in, const char *text)
{
    size_t  len;

    len = strlen(text);

    if (in->failed || (size_t) (in->last - in->p) < len
        || memcmp(in->p, text, len) != 0)
    {
        in->failed = 1;
        return;
    }

    in->p += len;
}


static uint64_t
acme_date_digits(acme_date_in_t *in, size_t n)
{
    uint64_t     value;
    torii_str_t  s;

    s.data = (unsigned char *) in->p;
    s.len = n;

    if (in->failed || (size_t) (in->last - in->p) < n
        || torii_str_uint(s, UINT32_MAX, &value) != TORII_OK)
    {
        in->failed = 1;
        return 0;
    }

    in->p += n;

    return value;
}


/* The place of the next three bytes in a list of names, from 1. */

static uint64_t
acme_date_name(acme_date_in_t *in, const char *names)
{
    size_t  i;

    for (i = 0; names[i] && in->last - in->p >= 3 && !in->failed; i += 3) {
        if (memcmp(in->p, names + i, 3) == 0) {
            in->p += 3;
            return i / 3 + 1;
        }
    }

    in->failed = 1;

    return 0;
}


static uint64_t
acme_date_month_days(uint64_t year, uint64_t month)
{
    static const uint8_t  days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (month == 2
        && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0))
    {
        return 29;
    }

    return days[month - 1];
}


/* Days are counted from 1 March, so that a leap day is the last of its year. */

static int
acme_date_seconds(const acme_date_t *d, int64_t *seconds)
{
    int64_t  year, month, days;

    if (d->year < ACME_DATE_YEAR_MIN || d->year > ACME_DATE_YEAR_MAX
        || d->month < 1 || d->month > 12
        || d->day < 1 || d->day > acme_date_month_days(d->year, d->month)
        || d->hour > 23 || d->minute > 59 || d->second > 60)
    {
        return TORII_ERROR;
    }

    year = (int64_t) d->year - (d->month <= 2);
    month = ((int64_t) d->month + 9) % 12;

    days = 365 * year + year / 4 - year / 100 + year / 400
           + (153 * month + 2) / 5 + (int64_t) d->day - 1 - 719468;

    *seconds = days * 86400 + (int64_t) d->hour * 3600
               + (int64_t) d->minute * 60 + (int64_t) d->second;

    return TORII_OK;
}


static void
acme_date_clock(acme_date_in_t *in, acme_date_t *d)
{
    d->hour = acme_date_digits(in, 2);
    acme_date_text(in, ":");
    d->minute = acme_date_digits(in, 2);
    acme_date_text(in, ":");
    d->second = acme_date_digits(in, 2);
}


int
acme_date_http(torii_str_t s, int64_t *seconds)
{
    acme_date_t     d;
    acme_date_in_t  in;

    acme_date_begin(&in, s);

    (void) acme_date_name(&in, acme_date_days);
    acme_date_text(&in, ", ");
    d.day = acme_date_digits(&in, 2);
    acme_date_text(&in, " ");
    d.month = acme_date_name(&in, acme_date_months);
    acme_date_text(&in, " ");
    d.year = acme_date_digits(&in, 4);
    acme_date_text(&in, " ");
    acme_date_clock(&in, &d);
    acme_date_text(&in, " GMT");

    if (in.failed || in.p != in.last) {
        return TORII_ERROR;
    }

    return acme_date_seconds(&d, seconds);
}


static int64_t
acme_date_offset(acme_date_in_t *in)
{
    uint64_t       hours, minutes;
    unsigned char  sign;

    sign = acme_date_char(in, "Zz+-");

    if (in->failed || sign == 'Z' || sign == 'z') {
        return 0;
    }

    hours = acme_date_digits(in, 2);
    acme_date_text(in, ":");
    minutes = acme_date_digits(in, 2);

    if (hours > 23 || minutes > 59) {
        in->failed = 1;
    }

    return (int64_t) (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
}


int
acme_date_rfc3339(torii_str_t s, int64_t *seconds)
{
    int64_t         offset;
    acme_date_t     d;
    acme_date_in_t  in;

    acme_date_begin(&in, s);

    d.year = acme_date_digits(&in, 4);
    acme_date_text(&in, "-");
    d.month = acme_date_digits(&in, 2);
    acme_date_text(&in, "-");
    d.day = acme_date_digits(&in, 2);
    (void) acme_date_char(&in, "Tt ");
    acme_date_clock(&in, &d);

    if (!in.failed && in.p != in.last && *in.p == '.') {
        in.p++;

        do {
            (void) acme_date_digits(&in, 1);
        } while (!in.failed && in.p != in.last && *in.p >= '0'
                 && *in.p <= '9');
    }

    offset = acme_date_offset(&in);

    if (in.failed || in.p != in.last
        || acme_date_seconds(&d, seconds) != TORII_OK)
    {
        return TORII_ERROR;
    }

    *seconds -= offset;

    return TORII_OK;
}


void
acme_date_rfc3339_add(torii_buf_t *b, int64_t seconds)
{
    time_t     t;
    struct tm  tm;

    t = (time_t) seconds;

    if (gmtime_r(&t, &tm) == NULL || tm.tm_year + 1900 < ACME_DATE_YEAR_MIN
        || tm.tm_year + 1900 > ACME_DATE_YEAR_MAX)
    {
        memset(&tm, 0, sizeof(struct tm));

        tm.tm_year = 70;
        tm.tm_mday = 1;
    }

    torii_buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                     tm.tm_sec);
}


int
acme_date_retry_after(torii_str_t s, torii_str_t date, uint64_t now,
    uint64_t *wait)
{
    int64_t   at, from;
    uint64_t  seconds;

    s = torii_str_trim(s);

    if (torii_str_uint(s, UINT64_MAX, &seconds) != TORII_OK) {

        if (acme_date_http(s, &at) != TORII_OK) {
            return TORII_DECLINED;
        }

        if (acme_date_http(torii_str_trim(date), &from) != TORII_OK) {
            from = (int64_t) (now / 1000);
        }

        seconds = (at > from) ? (uint64_t) (at - from) : 0;
    }

    *wait = (seconds < ACME_DATE_RETRY_MAX / 1000) ? seconds * 1000
                                                   : ACME_DATE_RETRY_MAX;
    return TORII_OK;
}
