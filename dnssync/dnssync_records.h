
/*
 * The records of a zone, one after the other, grouped into sets; and, from a
 * zone that is known, taken out again one by one.
 */

#ifndef _DNSSYNC_RECORDS_H_INCLUDED_
#define _DNSSYNC_RECORDS_H_INCLUDED_


#include "dnssync_rdata.h"


#define DNSSYNC_RECORDS_MAX  2000000


typedef struct dnssync_records_s  dnssync_records_t;

/* Strings are put into the arena, all else is freed by _free(). */
dnssync_records_t *dnssync_records_create(torii_arena_t *arena);
void dnssync_records_free(dnssync_records_t *r);

/* As dnssync_records_sets() made them.  TORII_ERROR: they cannot be that. */
int dnssync_records_known(dnssync_records_t *r, const dnssync_rrset_t *sets,
    uint32_t n);

/*
 * A record that in has just read.  A record that is there already is no other
 * one.  TORII_DECLINED: it cannot be removed, it is not there; TORII_ERROR:
 * malformed, or too many.
 */
int dnssync_records_add(dnssync_records_t *r, const dnssync_reader_t *in,
    const dnssync_record_t *record);
int dnssync_records_remove(dnssync_records_t *r, const dnssync_reader_t *in,
    const dnssync_record_t *record);

/* What there is now, in the order in which it came to be. */
void dnssync_records_sets(const dnssync_records_t *r, torii_arena_t *arena,
    dnssync_rrset_t **sets, uint32_t *n);


#endif /* _DNSSYNC_RECORDS_H_INCLUDED_ */
