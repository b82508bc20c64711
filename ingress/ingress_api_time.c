
/*
 * Times as Leases and Events carry them.
 */

#include <time.h>

#include "ingress_api.h"


#define INGRESS_API_YEAR  9999        /* no more have four digits */


/* A clock that is out of its mind is no reason to write what nobody reads. */

void
ingress_api_time(torii_buf_t *b, uint64_t wall_us)
{
    time_t     t;
    struct tm  tm;

    t = (time_t) (wall_us / 1000000);

    if (gmtime_r(&t, &tm) == NULL || tm.tm_year + 1900 > INGRESS_API_YEAR) {
        memset(&tm, 0, sizeof(struct tm));

        tm.tm_year = 70;
        tm.tm_mday = 1;
    }

    torii_buf_printf(b, "\"%04d-%02d-%02dT%02d:%02d:%02d.%06uZ\"",
                     tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                     tm.tm_min, tm.tm_sec, (unsigned) (wall_us % 1000000));
}
