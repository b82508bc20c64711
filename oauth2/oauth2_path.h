
/*
 * Paths that need no login.  A request line's path may mean one thing to us and
 * another to the application behind us: a rule is applied only where no reader
 * could differ, and where nginx's normalised path says the same.
 */

#ifndef _OAUTH2_PATH_H_INCLUDED_
#define _OAUTH2_PATH_H_INCLUDED_


#include "oauth2.h"
#include "torii_regex.h"


#define OAUTH2_METHODS_MAX  8


/*
 * raw: the request target up to "?"; path: the same, decoded and normalised.
 * 1: raw is plain, that is, it has no dot segment, no empty segment, no ";",
 * no "#", no "\" and none of them encoded, only whole UTF-8; and decoding it
 * gives path.
 */
int oauth2_path_agrees(torii_str_t raw, torii_str_t path);

/* 1: the target is to be answered by 400 on a protected host ("#", "\"). */
int oauth2_path_refused(torii_str_t target);

/* Decodes one "%XX" or takes one byte of *s; -1: a bad "%", or the end. */
int oauth2_path_byte(torii_str_t *s);


typedef enum {
    OAUTH2_SKIP_EXACT = 0,
    OAUTH2_SKIP_PREFIX,        /* on the boundary of a segment */
    OAUTH2_SKIP_REGEX          /* of the whole path */
} oauth2_skip_e;

typedef struct {
    oauth2_skip_e   type;
    torii_str_t     path;
    torii_str_t     methods[OAUTH2_METHODS_MAX];
    uint32_t        nmethods;      /* 0: any */
} oauth2_skip_t;

/*
 * A rule in OAuth2 Proxy's words: "REGEX", "GET=REGEX", "GET,POST=REGEX".  NULL
 * or why it is refused: "!=" is, because what it opens nobody can list.
 */
const char *oauth2_skip_read(torii_arena_t *a, torii_str_t text,
    oauth2_skip_t *rule);

/*
 * 1: no login is needed.  GET does not imply HEAD, and methods are compared as
 * bytes.  A pattern that runs into a limit does not match.
 */
int oauth2_skip_match(const oauth2_skip_t *rules, uint32_t n,
    torii_regex_cache_t *cache, torii_str_t method, torii_str_t raw,
    torii_str_t path);

/* The Fetch standard's preflight: OPTIONS with both of its headers. */
int oauth2_skip_preflight(torii_str_t method, torii_str_t origin,
    torii_str_t requested);


#endif /* _OAUTH2_PATH_H_INCLUDED_ */
