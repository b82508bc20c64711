
/*
 * Regular expressions from objects: PCRE2, compiled and matched with limits,
 * kept in a bounded cache per process, so that they outlive table changes.
 */

#ifndef _TORII_REGEX_H_INCLUDED_
#define _TORII_REGEX_H_INCLUDED_


#include "torii.h"


#define TORII_REGEX_CASELESS   0x01
#define TORII_REGEX_ANCHORED   0x02    /* at the start */

#define TORII_REGEX_MAX        4096    /* bytes of a pattern */
#define TORII_REGEX_CAPTURES   10      /* $0 to $9 */

typedef struct torii_regex_s  torii_regex_t;
typedef struct torii_regex_cache_s  torii_regex_cache_t;

/*
 * Checks that a pattern compiles; error gets the reason and offset.  Patterns
 * and subjects are bytes, and "(*UTF)" is refused.
 */
int torii_regex_check(torii_str_t pattern, unsigned flags, char error[128]);

torii_regex_cache_t *torii_regex_cache_create(uint32_t max);
void torii_regex_cache_destroy(torii_regex_cache_t *cache);

/*
 * The compiled pattern, from the cache or made now; NULL if it does not
 * compile.  Valid until the next call on the same cache.
 */
torii_regex_t *torii_regex_get(torii_regex_cache_t *cache,
    torii_str_t pattern, unsigned flags);

/*
 * From here on all matches share one budget of time, some milliseconds, which
 * compiling does not count against: without it, a thousand patterns could each
 * come close to their limit.  When it is used up torii_regex_match() gives
 * TORII_ERROR.
 */
void torii_regex_begin(torii_regex_cache_t *cache);

/*
 * TORII_OK: matches, captures[] set (unset groups are empty).  TORII_DECLINED:
 * does not.  TORII_ERROR: a limit was hit, which the caller must not take for
 * "does not match" where that would open something.
 */
int torii_regex_match(torii_regex_t *re, torii_str_t subject,
    torii_str_t captures[TORII_REGEX_CAPTURES]);


#endif /* _TORII_REGEX_H_INCLUDED_ */
