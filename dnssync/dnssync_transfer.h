
/*
 * A zone by AXFR (RFC 5936) or IXFR (RFC 1995): the messages of the answer go
 * in one by one, and the sets come out once the closing SOA record proves that
 * it is all and the last message was signed.  Until then nothing counts.
 */

#ifndef _DNSSYNC_TRANSFER_H_INCLUDED_
#define _DNSSYNC_TRANSFER_H_INCLUDED_


#include "dnssync_records.h"
#include "dnssync_tsig.h"


#define DNSSYNC_IXFR          251
#define DNSSYNC_AXFR          252

#define DNSSYNC_TRANSFER_MAX  (64 * 1024 * 1024)     /* bytes of messages */


typedef enum {
    DNSSYNC_TRANSFER_MORE = 0, /* messages */
    DNSSYNC_TRANSFER_DONE,
    DNSSYNC_TRANSFER_SAME,     /* the zone is still what is known */
    DNSSYNC_TRANSFER_WHOLE,    /* what changed is of no use: by AXFR, please */
    DNSSYNC_TRANSFER_FAILED    /* rcode, error */
} dnssync_transfer_e;

typedef struct dnssync_transfer_s  dnssync_transfer_t;

/* Strings of the sets are put into the arena; the key may be NULL. */
dnssync_transfer_t *dnssync_transfer_create(torii_arena_t *arena,
    const dnssync_name_t *zone, const dnssync_key_t *key);
void dnssync_transfer_free(dnssync_transfer_t *t);

/* What the zone held with that serial, which makes it an IXFR; referred to. */
void dnssync_transfer_known(dnssync_transfer_t *t, uint32_t serial,
    const dnssync_rrset_t *sets, uint32_t n);

/* The request, appended to an empty out.  TORII_ERROR: OpenSSL cannot. */
int dnssync_transfer_request(dnssync_transfer_t *t, uint64_t now, unsigned id,
    torii_buf_t *out);
dnssync_transfer_e dnssync_transfer_answer(dnssync_transfer_t *t,
    uint64_t now, torii_str_t message);

/* After DONE; serial after SAME, too. */
void dnssync_transfer_sets(const dnssync_transfer_t *t,
    dnssync_rrset_t **sets, uint32_t *n);
uint32_t dnssync_transfer_serial(const dnssync_transfer_t *t);

/* After FAILED: what the server said, 0 if it is not that; whether it is TSIG
   that does not fit; in words. */
unsigned dnssync_transfer_rcode(const dnssync_transfer_t *t);
int dnssync_transfer_denied(const dnssync_transfer_t *t);
const char *dnssync_transfer_error(const dnssync_transfer_t *t);


#endif /* _DNSSYNC_TRANSFER_H_INCLUDED_ */
