
/*
 * Sessions that were opened lately, by the text of their cookies: one table a
 * process, bounded by bytes.
 */

#ifndef _OAUTH2_CACHE_H_INCLUDED_
#define _OAUTH2_CACHE_H_INCLUDED_


#include "oauth2_session.h"


#define OAUTH2_CACHE_AGE  60           /* s that an entry is used */


typedef struct {
    uint64_t   hits;
    uint64_t   misses;
    uint64_t   evicted;
    size_t     bytes;
    uint32_t   entries;
} oauth2_cache_counts_t;


oauth2_cache_t *oauth2_cache_create(size_t bytes);
void oauth2_cache_free(oauth2_cache_t *c);
const oauth2_cache_counts_t *oauth2_cache_counts(const oauth2_cache_t *c);

/* NULL: not there, or of another generation. */
const oauth2_session_t *oauth2_cache_get(oauth2_cache_t *c,
    const oauth2_bind_t *bind, torii_str_t text, uint64_t generation,
    int64_t now);
/* Only what has been opened. */
void oauth2_cache_put(oauth2_cache_t *c, const oauth2_bind_t *bind,
    torii_str_t text, uint64_t generation, int64_t now,
    const oauth2_session_t *s);


#endif /* _OAUTH2_CACHE_H_INCLUDED_ */
