
/*
 * When a provider's keys are fetched: at the end of their time, and once a
 * minute at most for a kid that is not among them, whoever sends it.  The old
 * set stays when the new one cannot be used.
 */

#ifndef _OAUTH2_KEYS_H_INCLUDED_
#define _OAUTH2_KEYS_H_INCLUDED_


#include "oauth2.h"


#define OAUTH2_KEYS_TTL_MIN    300      /* s */
#define OAUTH2_KEYS_TTL_MAX    86400
#define OAUTH2_KEYS_TTL        3600     /* nothing is said */
#define OAUTH2_KEYS_FORCED     60       /* s between fetches for a kid */
#define OAUTH2_KEYS_OWNER      15       /* s that one fetch may take */
#define OAUTH2_KEYS_FORGET     600      /* s that a kid is known as unknown */


typedef struct oauth2_keys_s  oauth2_keys_t;

typedef enum {
    OAUTH2_KEYS_USE = 0,       /* what there is */
    OAUTH2_KEYS_FETCH,         /* fetch now, then _set() or _failed() */
    OAUTH2_KEYS_PENDING,       /* a fetch is under way */
    OAUTH2_KEYS_NOT            /* the kid is unknown, and no fetch allowed */
} oauth2_keys_e;


oauth2_keys_t *oauth2_keys_create(void);
void oauth2_keys_free(oauth2_keys_t *k);

/* NULL: none yet.  Valid until the next _set(). */
const torii_jwks_t *oauth2_keys_get(const oauth2_keys_t *k);

/* At any time: whether a fetch is due by the clock. */
oauth2_keys_e oauth2_keys_tick(oauth2_keys_t *k, int64_t now);
/* For a token whose key was not found. */
oauth2_keys_e oauth2_keys_missing(oauth2_keys_t *k, torii_str_t kid,
    int64_t now);

/*
 * The answer; cache_control is its header or empty.  TORII_ERROR: the old set
 * stays, *error says why.
 */
int oauth2_keys_set(oauth2_keys_t *k, torii_str_t body,
    torii_str_t cache_control, int64_t now, const char **error);
void oauth2_keys_failed(oauth2_keys_t *k, int64_t now);


#endif /* _OAUTH2_KEYS_H_INCLUDED_ */
