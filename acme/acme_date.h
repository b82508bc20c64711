
/*
 * Instants as ACME servers write them, as seconds since 1970 (UTC).
 */

#ifndef _ACME_DATE_H_INCLUDED_
#define _ACME_DATE_H_INCLUDED_


#include "torii.h"


/* IMF-fixdate (RFC 9110 section 5.6.7), "Sun, 06 Nov 1994 08:49:37 GMT": the
   only form that a server may send. */
int acme_date_http(torii_str_t s, int64_t *seconds);

/* RFC 3339, with any fraction and offset; years 1970 to 9999. */
int acme_date_rfc3339(torii_str_t s, int64_t *seconds);
void acme_date_rfc3339_add(torii_buf_t *b, int64_t seconds);

/*
 * Retry-After: seconds or a date, which is read against the answer's own Date
 * if it has one, since clocks differ.  Milliseconds from now on, 0 for what is
 * over, at most ACME_DATE_RETRY_MAX.  TORII_DECLINED: not said, or not to be
 * understood.
 */
#define ACME_DATE_RETRY_MAX  (8ULL * 86400 * 1000)

int acme_date_retry_after(torii_str_t s, torii_str_t date, uint64_t now,
    uint64_t *wait);


#endif /* _ACME_DATE_H_INCLUDED_ */
