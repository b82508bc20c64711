
/*
 * Types of records by their words, those that zones hold.
 */

#include "dnssync_http.h"


static const struct {
    const char  *word;
    unsigned     type;
} dnssync_rtypes[] = {
    { "A", 1 },
    { "NS", 2 },
    { "CNAME", 5 },
    { "SOA", 6 },
    { "PTR", 12 },
    { "HINFO", 13 },
    { "MX", 15 },
    { "TXT", 16 },
    { "RP", 17 },
    { "AFSDB", 18 },
    { "AAAA", 28 },
    { "LOC", 29 },
    { "SRV", 33 },
    { "NAPTR", 35 },
    { "CERT", 37 },
    { "DNAME", 39 },
    { "DS", 43 },
    { "SSHFP", 44 },
    { "RRSIG", 46 },
    { "NSEC", 47 },
    { "DNSKEY", 48 },
    { "NSEC3PARAM", 51 },
    { "TLSA", 52 },
    { "SMIMEA", 53 },
    { "CDS", 59 },
    { "CDNSKEY", 60 },
    { "OPENPGPKEY", 61 },
    { "SVCB", 64 },
    { "HTTPS", 65 },
    { "SPF", 99 },
    { "URI", 256 },
    { "CAA", 257 }
};

#define DNSSYNC_RTYPES  (sizeof(dnssync_rtypes) / sizeof(dnssync_rtypes[0]))


unsigned
dnssync_rtype_read(torii_str_t word)
{
    size_t    i;
    uint64_t  type;

    for (i = 0; i < DNSSYNC_RTYPES; i++) {
        if (torii_str_caseeqs(word, dnssync_rtypes[i].word)) {
            return dnssync_rtypes[i].type;
        }
    }

    /* RFC 3597 section 5 */

    if (torii_str_starts(word, "TYPE")) {
        word.data += 4;
        word.len -= 4;

        if (torii_str_uint(word, 65535, &type) == TORII_OK && type) {
            return (unsigned) type;
        }
    }

    return DNSSYNC_TYPE_OTHER;
}


const char *
dnssync_rtype_word(unsigned type)
{
    size_t  i;

    for (i = 0; i < DNSSYNC_RTYPES; i++) {
        if (dnssync_rtypes[i].type == type) {
            return dnssync_rtypes[i].word;
        }
    }

    return NULL;
}
