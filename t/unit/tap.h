
/* TAP for C: a table of cases, a loop, one line each. */

#ifndef _TAP_H_INCLUDED_
#define _TAP_H_INCLUDED_


#include <stdarg.h>
#include <stdio.h>


static int  tap_n, tap_failed;


__attribute__((format(printf, 2, 3)))
static inline int
tap_ok(int ok, const char *fmt, ...)
{
    va_list  args;

    printf("%sok %d - ", ok ? "" : "not ", ++tap_n);

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    printf("\n");

    if (!ok) {
        tap_failed++;
    }

    return ok;
}


static inline int
tap_done(void)
{
    printf("1..%d\n", tap_n);
    return tap_failed ? 1 : 0;
}


#endif /* _TAP_H_INCLUDED_ */
