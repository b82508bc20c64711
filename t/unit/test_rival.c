
/*
 * The Lease of another controller: when it counts as being at work.
 */

#include "tap.h"
#include "ingress_rival.h"


#define WALL  1795359600               /* 2026-11-22T15:00:00Z */


static const struct {
    const char  *what;
    const char  *holder;
    const char  *renewed;
    int          runs;
} test_leases[] = {
    { "renewed now", "x", "2026-11-22T15:00:00.000000Z", 1 },
    { "renewed 59 s ago", "x", "2026-11-22T14:59:01.000000Z", 1 },
    { "renewed a minute ago", "x", "2026-11-22T14:59:00.000000Z", 0 },
    { "by a clock that is ahead", "x", "2026-11-22T15:10:00.000000Z", 1 },
    { "given back", "", "2026-11-22T15:00:00.000000Z", 0 },
    { "made, and never held", "x", "", 0 },
    { "at a time that cannot be read", "x", "yesterday", 1 }
};


static int
test_look(ingress_rival_t *r, uint64_t now, const char *holder,
    const char *renewed)
{
    char  body[512];

    (void) snprintf(body, sizeof(body),
                    "{\"kind\":\"Lease\",\"spec\":{\"holderIdentity\":\"%s\""
                    "%s%s%s}}", holder, renewed[0] ? ",\"renewTime\":\"" : "",
                    renewed, renewed[0] ? "\"" : "");

    return ingress_rival_runs(r, now, WALL, torii_str(body));
}


int
main(void)
{
    size_t            i;
    const char       *one, *two;
    ingress_rival_t   r;

    for (i = 0; i < sizeof(test_leases) / sizeof(test_leases[0]); i++) {
        memset(&r, 0, sizeof(r));

        tap_ok(test_look(&r, 1, test_leases[i].holder, test_leases[i].renewed)
               == test_leases[i].runs, "%s", test_leases[i].what);
    }

    /* its clock is an hour behind ours */

    one = "2026-11-22T14:00:00.000000Z";
    two = "2026-11-22T14:00:15.000000Z";
    memset(&r, 0, sizeof(r));

    tap_ok(test_look(&r, 1000, "x", one) == 0, "an old Lease is nobody's");
    tap_ok(test_look(&r, 16000, "x", two) == 1, "unless it changes");
    tap_ok(test_look(&r, 31000, "x", two) == 1, "within the last minute");
    tap_ok(test_look(&r, 76000, "x", two) == 0, "but no longer");
    tap_ok(test_look(&r, 77000, "x", one) == 1, "any change is one");
    tap_ok(test_look(&r, 78000, "", one) == 0, "it is given back");
    tap_ok(test_look(&r, 79000, "x", two) == 0, "and begins anew");

    tap_ok(ingress_rival_runs(&r, 1, WALL, torii_str("{}")) == TORII_ERROR,
           "an object without a kind is no Lease");
    tap_ok(ingress_rival_runs(&r, 1, WALL, torii_str("<html>")) == TORII_ERROR,
           "a page is no Lease");

    return tap_done();
}
