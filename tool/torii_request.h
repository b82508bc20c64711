
/*
 * A request as a user writes it: a URL, or a host and a path.
 */

#ifndef _TORII_REQUEST_H_INCLUDED_
#define _TORII_REQUEST_H_INCLUDED_


#include "torii.h"


typedef struct {
    torii_str_t      host;       /* lower case, no port, no trailing dot */
    torii_str_t      target;     /* path and query as sent */
    torii_str_t      uri;        /* decoded and normalised, no query */
    torii_str_t      args;       /* behind the "?" */
    unsigned         scheme:1;   /* one was given */
    unsigned         https:1;
} torii_request_t;

/*
 * path may be NULL if the host has one behind it.  Strings are in the arena.
 * TORII_ERROR: *why says what is wrong.
 */
int torii_request_parse(torii_arena_t *a, torii_request_t *r, const char *host,
    const char *path, const char **why);


#endif /* _TORII_REQUEST_H_INCLUDED_ */
