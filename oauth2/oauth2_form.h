
/*
 * Forms and queries (application/x-www-form-urlencoded), read and written.
 */

#ifndef _OAUTH2_FORM_H_INCLUDED_
#define _OAUTH2_FORM_H_INCLUDED_


#include "oauth2.h"


#define OAUTH2_FORM_MAX  32        /* parameters */


/* s with all but RFC 3986's unreserved bytes as %XX. */
void oauth2_form_escape(torii_buf_t *b, torii_str_t s);

/*
 * "name=value", with what goes before it: nothing into an empty buffer, "?"
 * behind a URL that has none, else "&".
 */
void oauth2_form_add(torii_buf_t *b, const char *name, torii_str_t value);
void oauth2_url_add(torii_buf_t *b, const char *name, torii_str_t value);

/* One decoding; TORII_ERROR: a bad "%", or a NUL. */
int oauth2_form_unescape(torii_arena_t *a, torii_str_t s, torii_str_t *out);


typedef struct {
    uint32_t      n;
    torii_str_t   names[OAUTH2_FORM_MAX];
    torii_str_t   values[OAUTH2_FORM_MAX];
} oauth2_form_t;

/* TORII_ERROR: not well-formed, or more than OAUTH2_FORM_MAX parameters. */
int oauth2_form_read(torii_arena_t *a, torii_str_t in, oauth2_form_t *form);

/*
 * TORII_OK, TORII_DECLINED: it is not there (and value is empty), TORII_ERROR:
 * it is there more than once.
 */
int oauth2_form_get(const oauth2_form_t *form, const char *name,
    torii_str_t *value);


#endif /* _OAUTH2_FORM_H_INCLUDED_ */
