
/*
 * What the files that check a table share: whether a ref lies in the pool.
 */

#ifndef _INGRESS_TABLE_REF_H_INCLUDED_
#define _INGRESS_TABLE_REF_H_INCLUDED_


#include "ingress_table.h"


#define INGRESS_TABLE_ALIGN  8


/* A NUL must follow within the pool; an empty string needs none. */

static inline int
ingress_table_ref(const ingress_table_t *t, ingress_ref_t ref)
{
    uint32_t  n;

    n = ingress_table_n(t, POOL);

    if (ref.len == 0) {
        return ref.off <= n;
    }

    return (uint64_t) ref.off + ref.len < n
           && t->pool[ref.off + ref.len] == '\0';
}


static inline int
ingress_table_array(const ingress_table_t *t, ingress_ref_t ref, size_t size)
{
    if (ref.len && ref.off % INGRESS_TABLE_ALIGN) {
        return 0;
    }

    return ref.len % size == 0 && ingress_table_ref(t, ref);
}


/* ingress_table_record.c */

int ingress_table_entries(const ingress_table_t *t, ingress_ref_t ref);

/* NULL, or words that follow "damaged: ". */
const char *ingress_table_check_records(const ingress_table_t *t);

/* ingress_table_login.c: the same. */

const char *ingress_table_check_logins(const ingress_table_t *t);


#endif /* _INGRESS_TABLE_REF_H_INCLUDED_ */
