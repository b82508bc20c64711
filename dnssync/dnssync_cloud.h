
/*
 * What the drivers of Amazon, Google and Microsoft share, beside
 * dnssync_http.h: access tokens, patience, and a challenge as an edit.
 */

#ifndef _DNSSYNC_CLOUD_H_INCLUDED_
#define _DNSSYNC_CLOUD_H_INCLUDED_


#include "dnssync_http.h"


#define DNSSYNC_CLOUD_TRIES    6
#define DNSSYNC_CLOUD_EARLY    300     /* s: before a token's end */
#define DNSSYNC_CLOUD_TOKEN    (64 * 1024)


/* "2026-11-25T23:41:10Z", with a fraction or without. */
int dnssync_cloud_time(torii_str_t s, uint64_t *seconds);

/* "&name=value" of a form. */
void dnssync_cloud_form(torii_buf_t *b, const char *name, torii_str_t value);

/* No blanks and nothing that is not ASCII: what may be in a header. */
int dnssync_cloud_printable(torii_str_t s);

/* Whether account->token is good for now. */
int dnssync_cloud_token(const dnssync_op_t *op);
/*
 * "access_token" and "expires_in" of an answer to account->token.
 * TORII_ERROR: they are not there.
 */
int dnssync_cloud_token_read(dnssync_op_t *op,
    const dnssync_answer_t *answer);
void dnssync_cloud_token_set(dnssync_op_t *op, torii_str_t token,
    uint64_t seconds);
void dnssync_cloud_token_drop(dnssync_op_t *op);

/* "listing the zone a.example" */
const char *dnssync_cloud_where(dnssync_op_t *op);

/* SLEEP, longer each time; FAILED when it was too often, or would be too
   long.  what: what the provider says. */
dnssync_op_step_e dnssync_cloud_wait(dnssync_op_t *op, unsigned *tries,
    uint32_t retry_after, torii_str_t what);

/* Types, TTLs and values, those in any order. */
int dnssync_cloud_same(const dnssync_rrset_t *a, const dnssync_rrset_t *b);
/* The part of an edit that is about such a set, or NULL. */
const dnssync_part_t *dnssync_cloud_part(const dnssync_edit_t *edit,
    torii_str_t name, torii_str_t set, unsigned type);

/*
 * The edit that a challenge comes to, as the operation's only one; have: what
 * is there, or NULL.  0: there is nothing to do.
 */
int dnssync_cloud_challenge(dnssync_op_t *op, const dnssync_rrset_t *have);
/* What became of it.  TORII_AGAIN: it has to be read again. */
int dnssync_cloud_challenged(dnssync_op_t *op, unsigned *tries,
    dnssync_op_step_e *step);


#endif /* _DNSSYNC_CLOUD_H_INCLUDED_ */
