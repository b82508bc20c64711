
/*
 * For providers that do not check what an edit requires: it is read just
 * before, unless the zone was listed seconds ago.  Records that come one by one
 * are gathered to sets.
 */

#ifndef _DNSSYNC_CHECK_H_INCLUDED_
#define _DNSSYNC_CHECK_H_INCLUDED_


#include "dnssync_http.h"


#define DNSSYNC_CHECK_AGE    5         /* s: younger listings are believed */
#define DNSSYNC_CHECK_NAMES  16        /* more: the whole zone at once */


/* Numbers by name and type. */

typedef struct {
    torii_str_t            name;
    unsigned               type;
    uint32_t               number;
} dnssync_map_entry_t;

typedef struct {
    dnssync_map_entry_t   *slots;
    uint32_t               size;       /* a power of two, or 0 */
    uint32_t               n;
} dnssync_map_t;

/* The name must live as long; *made: it is new, its number 0. */
dnssync_map_entry_t *dnssync_map_put(dnssync_map_t *map, torii_arena_t *a,
    torii_str_t name, unsigned type, int *made);
dnssync_map_entry_t *dnssync_map_get(const dnssync_map_t *map,
    torii_str_t name, unsigned type);


/* The set of op->sets to which a record belongs, new if there is none. */
dnssync_rrset_t *dnssync_gather(dnssync_op_t *op, dnssync_map_t *map,
    torii_str_t name, unsigned type);
/*
 * One more value, and the id of its record.  The set's id is all of them, in
 * the order of values, a blank between them.  TORII_ERROR: there are too many.
 */
int dnssync_gather_value(dnssync_op_t *op, dnssync_rrset_t *set,
    torii_str_t value, torii_str_t id);
/* The id of value i; "": there is none. */
torii_str_t dnssync_gather_id(const dnssync_rrset_t *set, uint32_t i);

/* A list in pages. */

typedef struct {
    dnssync_map_t          ids;        /* each but once */
    uint32_t               page;
    uint64_t               count;
    uint64_t               total;      /* as all pages say */
    unsigned               begun:1;
} dnssync_pages_t;

/* One more of the list.  TORII_ERROR: it was there before. */
int dnssync_pages_add(dnssync_op_t *op, dnssync_pages_t *pages,
    torii_str_t id);
/*
 * After a page, on which there were some before it: whether all came that the
 * provider has.  NULL, or what is wrong.  *more: there is another page.
 */
const char *dnssync_pages_end(dnssync_pages_t *pages, uint64_t before,
    uint64_t total, int *more);


/*
 * A value as providers write it, in the form of dnssync_rrset_t; of types that
 * are neither published nor marks: "".
 */
torii_str_t dnssync_record_value(torii_arena_t *a, unsigned type,
    torii_str_t text);


typedef struct {
    dnssync_map_t          map;        /* of op->sets */
    dnssync_map_t          touched;    /* sets that edits have changed */
    torii_str_t            names[DNSSYNC_CHECK_NAMES];
    uint32_t               n;
    uint32_t               next;       /* name to be read */
    uint64_t               whole_at;   /* ms: the zone was read; 0: was not */
    uint32_t               age;        /* s; 0: DNSSYNC_CHECK_AGE */
    unsigned               whole:1;    /* it is to be read */
} dnssync_check_t;

/*
 * Before edits from .. to - 1 are done: how much is to be read, 0 for nothing.
 * Edits whose sets another edit of this operation has changed are lost.
 */
int dnssync_check_begin(dnssync_op_t *op, dnssync_check_t *check,
    uint32_t from, uint32_t to);
/* All that was to be read is in op->sets: what does not hold, is lost. */
void dnssync_check_end(dnssync_op_t *op, dnssync_check_t *check,
    uint32_t from, uint32_t to);
/* The sets of an edit are touched; whether any of another one's are. */
void dnssync_check_touch(dnssync_op_t *op, dnssync_map_t *touched,
    uint32_t edit);
int dnssync_check_meets(dnssync_op_t *op, const dnssync_map_t *touched,
    const dnssync_edit_t *edit);
torii_str_t dnssync_check_key(torii_arena_t *a, torii_str_t name,
    torii_str_t set);
/* Values without their order, and the tag. */
int dnssync_check_equal(const dnssync_rrset_t *a, const dnssync_rrset_t *b);


#endif /* _DNSSYNC_CHECK_H_INCLUDED_ */
