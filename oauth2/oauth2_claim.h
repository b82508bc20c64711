
/*
 * Members of JSON documents that providers send: claims, and answers.
 */

#ifndef _OAUTH2_CLAIM_H_INCLUDED_
#define _OAUTH2_CLAIM_H_INCLUDED_


#include "oauth2.h"


/* One JSON document of at most bytes; NULL: it is none, or not a map. */
torii_node_t *oauth2_claims(torii_arena_t *a, torii_str_t json, size_t bytes);

/*
 * TORII_OK, TORII_DECLINED: not there, TORII_ERROR: something else, or one with
 * control bytes or of more than max bytes.
 */
int oauth2_claim_str(const torii_node_t *map, const char *name, size_t max,
    torii_str_t *value);

/* Seconds (RFC 7519 section 2, NumericDate), within 0 and 4e15. */
int oauth2_claim_time(const torii_node_t *map, const char *name,
    int64_t *value);

/* "name", or a JSON pointer (RFC 6901) if it begins with "/". */
torii_node_t *oauth2_claim_find(const torii_node_t *map, torii_str_t path);

/* true, or "true", as some write it. */
int oauth2_claim_true(const torii_node_t *node);


#endif /* _OAUTH2_CLAIM_H_INCLUDED_ */
