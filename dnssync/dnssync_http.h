
/*
 * What drivers that speak HTTP and JSON share, beside dnssync_driver.h: the
 * request's body, members of an answer, types by their words, and long lists
 * read a few elements at a time.
 */

#ifndef _DNSSYNC_HTTP_H_INCLUDED_
#define _DNSSYNC_HTTP_H_INCLUDED_


#include "torii_tree.h"
#include "dnssync_driver.h"


#define DNSSYNC_TYPE_OTHER   65280     /* RFC 6895: private use */
#define DNSSYNC_HTTP_TIMEOUT 30000     /* ms */


/* dnssync_op.c */

/*
 * The body of the next request, empty after dnssync_op_http(); it becomes
 * op->request.body by dnssync_op_send(), which returns DNSSYNC_OP_SEND.
 */
torii_buf_t *dnssync_op_body(dnssync_op_t *op);
dnssync_op_step_e dnssync_op_send(dnssync_op_t *op);
/* A growing list of zones. */
dnssync_found_t *dnssync_op_zone(dnssync_op_t *op);
/* Of all edits from .. to - 1 that are not told yet. */
void dnssync_op_results(dnssync_op_t *op, uint32_t from, uint32_t to,
    dnssync_outcome_e what, const char *text);
/* What an operation that a driver does not have comes to. */
dnssync_op_step_e dnssync_op_unsupported(dnssync_op_t *op);
/* A status that is a success: 2xx. */
int dnssync_http_ok(const dnssync_answer_t *answer);
/* In place of settings that are secret, and of the token: "***". */
void dnssync_op_redact(const dnssync_op_t *op, char *text);


/* dnssync_account.c */

/*
 * A setting as the base of URLs, without a slash at the end; fallback may be
 * NULL.  https, or http where plain is set or the host is this machine's own.
 * NULL, or what is wrong (static).
 */
const char *dnssync_account_url(const dnssync_account_t *account,
    const char *name, const char *fallback, int plain, torii_str_t *url);
/* Whether the operator wants this zone: by name, by id, or all. */
int dnssync_account_wants(const dnssync_account_t *account,
    const dnssync_found_t *zone);
/* "true", "yes", "1" …; "": fallback.  TORII_ERROR: none of them. */
int dnssync_account_bool(torii_str_t value, int fallback, unsigned *on);


/* dnssync_http.c */

/* One small document; NULL: it is none. */
torii_node_t *dnssync_http_json(torii_arena_t *a, torii_str_t body);
/* A member that is a string, or a number as its text; "": there is none. */
torii_str_t dnssync_json_str(const torii_node_t *map, const char *name);
/* TORII_ERROR: it is no whole number within 0 and max. */
int dnssync_json_uint(const torii_node_t *map, const char *name, uint64_t max,
    uint64_t *value);
int dnssync_json_true(const torii_node_t *map, const char *name);
/* What a provider's error says, for people; "": nothing. */
torii_str_t dnssync_http_error(torii_arena_t *a, torii_str_t body);

/*
 * A list of many elements, each handed to visit(), which copies what it wants
 * and returns other than TORII_OK to stop.  list: the member that is it, NULL:
 * the document is.  *head gets the document with that list empty, but not
 * NULL: null counts as an empty list, *head tells which.  The whole document is
 * checked.  TORII_DECLINED: visit() has stopped; TORII_ERROR: it is no such
 * document, why says why.
 */
int dnssync_json_list(torii_arena_t *a, torii_str_t body, const char *list,
    int (*visit)(void *data, const torii_node_t *item), void *data,
    torii_node_t **head, char why[192]);

/* Whether it can stand in a path as it is, as ids do. */
int dnssync_http_id(torii_str_t id);
/* What has to be escaped in a path or query (RFC 3986), is. */
void dnssync_url_add(torii_buf_t *b, torii_str_t s);


/* dnssync_rtype.c */

/* The type's number: of "TXT", "TYPE257"; DNSSYNC_TYPE_OTHER: not known. */
unsigned dnssync_rtype_read(torii_str_t word);
/* "TXT" of 16; NULL: not known. */
const char *dnssync_rtype_word(unsigned type);


#endif /* _DNSSYNC_HTTP_H_INCLUDED_ */
