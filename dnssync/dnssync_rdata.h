
/*
 * The data of records: as on the wire, and as dnssync_rrset_t has it.
 */

#ifndef _DNSSYNC_RDATA_H_INCLUDED_
#define _DNSSYNC_RDATA_H_INCLUDED_


#include "dnssync_message.h"
#include "dnssync_plan.h"


/* Whether records of a type are left out: signatures of a zone, and the like,
   which servers make themselves and which stand beside everything else. */
int dnssync_rdata_skip(unsigned type);

/*
 * The value of a record that r has just read, into an empty buffer: an address,
 * a name, a text's bytes; of types that are not published it is hex.
 * TORII_DECLINED: dnssync_rdata_write() would make other data of it, since a
 * text is cut in other places; the same value may then be there twice.
 * TORII_ERROR: malformed.
 */
int dnssync_rdata_read(torii_buf_t *value, const dnssync_reader_t *r,
    const dnssync_record_t *record);

/* The data of a value of A, AAAA, CNAME or TXT, appended. */
int dnssync_rdata_write(torii_buf_t *b, unsigned type, torii_str_t value);


/*
 * A set's id holds the data of values that dnssync_rdata_write() would make
 * others of: for each value a word, hex or "-", with blanks between.  The data
 * of a set's i-th value, as it is at the server.
 */
int dnssync_rdata_value(torii_buf_t *b, const dnssync_rrset_t *set,
    uint32_t i);
void dnssync_rdata_hex(torii_buf_t *b, torii_str_t data);
int dnssync_rdata_unhex(torii_buf_t *b, torii_str_t text);


/* dnssync_soa.c */

/* A SOA record's data without compression, appended, and its serial. */
int dnssync_soa_read(torii_buf_t *b, const dnssync_reader_t *r,
    const dnssync_record_t *record, uint32_t *serial);
/* Whether a comes after b (RFC 1982 section 3.2). */
int dnssync_serial_after(uint32_t a, uint32_t b);


#endif /* _DNSSYNC_RDATA_H_INCLUDED_ */
