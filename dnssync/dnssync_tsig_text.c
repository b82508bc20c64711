
/*
 * What TSIG has to say, in words.
 */

#include <inttypes.h>
#include <stdio.h>

#include "dnssync_tsig.h"


static const char *const  dnssync_tsig_words[] = {
    "",
    "the answer is not signed by TSIG",
    "the answer is malformed",
    "the answer is signed by another TSIG key",
    "the server refuses the TSIG signature",
    "the answer's TSIG signature is wrong",
    "the answer's TSIG signature is not of this time"
};


const char *
dnssync_tsig_word(dnssync_tsig_e found)
{
    return dnssync_tsig_words[found];
}


void
dnssync_tsig_text(const dnssync_tsig_t *tsig, char text[DNSSYNC_ERROR_MAX])
{
    const char  *what;

    what = "";

    switch (tsig->error) {

    case DNSSYNC_BADKEY:
        what = "BADKEY: the server has no TSIG key of this name and algorithm";
        break;

    case DNSSYNC_BADSIG:
        what = "BADSIG: the server has another secret for the TSIG key";
        break;

    case DNSSYNC_BADTRUNC:
        what = "BADTRUNC: the server wants a longer TSIG signature";
        break;

    case 0:
    case DNSSYNC_BADTIME:
        snprintf(text, DNSSYNC_ERROR_MAX, "BADTIME: the server's clock is "
                 "%" PRId64 " seconds %s ours",
                 tsig->skew < 0 ? -tsig->skew : tsig->skew,
                 tsig->skew < 0 ? "behind" : "ahead of");
        return;

    default:
        snprintf(text, DNSSYNC_ERROR_MAX, "the server refuses the TSIG "
                 "signature, error %u", tsig->error);
        return;
    }

    snprintf(text, DNSSYNC_ERROR_MAX, "%s", what);
}
