
/*
 * UPDATE messages (RFC 2136): what must hold, what is to change, and what the
 * codes of an answer mean.
 */

#ifndef _DNSSYNC_UPDATE_H_INCLUDED_
#define _DNSSYNC_UPDATE_H_INCLUDED_


#include "dnssync_message.h"


#define DNSSYNC_FORMERR   1
#define DNSSYNC_SERVFAIL  2
#define DNSSYNC_NXDOMAIN  3
#define DNSSYNC_NOTIMP    4
#define DNSSYNC_REFUSED   5
#define DNSSYNC_YXDOMAIN  6
#define DNSSYNC_YXRRSET   7
#define DNSSYNC_NXRRSET   8
#define DNSSYNC_NOTAUTH   9
#define DNSSYNC_NOTZONE   10


/* Into an empty b.  Then all prerequisites, then all changes. */
void dnssync_update_start(torii_buf_t *b, unsigned id,
    const dnssync_name_t *zone);

/* Prerequisites (RFC 2136 section 2.4): a set of this type is there, or is not;
   if_equal: once for each record of the set. */
void dnssync_update_if_exists(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type);
void dnssync_update_if_absent(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type);
void dnssync_update_if_equal(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type, torii_str_t data);

/* Changes (section 2.5): a record, this very record, all of a type. */
void dnssync_update_add(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type, uint32_t ttl, torii_str_t data);
void dnssync_update_delete(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type, torii_str_t data);
void dnssync_update_delete_set(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type);

/* "REFUSED"; what it means as the answer to an update, and what to do. */
const char *dnssync_rcode_name(unsigned rcode);
const char *dnssync_rcode_advice(unsigned rcode);


#endif /* _DNSSYNC_UPDATE_H_INCLUDED_ */
