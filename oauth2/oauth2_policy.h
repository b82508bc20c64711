
/*
 * Who may enter.  A list that is given but empty lets nobody in.
 */

#ifndef _OAUTH2_POLICY_H_INCLUDED_
#define _OAUTH2_POLICY_H_INCLUDED_


#include "oauth2_session.h"


#define OAUTH2_POLICY_MAX  256         /* entries of a list */


typedef struct {
    unsigned       given:1;            /* else everybody passes */
    uint32_t       n;
    torii_str_t   *items;
} oauth2_list_t;

/*
 * All lists that are given must agree; one entry of a list suffices.  either:
 * emails and domains count as one list, as OAuth2 Proxy has it for the files
 * and domains of a provider.
 */

typedef struct {
    oauth2_list_t  emails;
    oauth2_list_t  domains;            /* "*", "a.example", ".a.example" and
                                          "*.a.example" with sub-domains */
    oauth2_list_t  groups;
    unsigned       either:1;
    unsigned       unverified:1;       /* an e-mail address may be, too */
} oauth2_policy_t;

/* Appends to list; NULL, or why a value is refused. */
const char *oauth2_policy_add(torii_arena_t *a, oauth2_list_t *list,
    torii_str_t values);

/*
 * The query of an auth-url: allowed_emails, allowed_email_domains and
 * allowed_groups, comma-separated, repeatable.  NULL, or why it is refused: an
 * unknown name is, since it may have been meant to keep someone out.
 */
const char *oauth2_policy_query(torii_arena_t *a, torii_str_t query,
    oauth2_policy_t *policy);

oauth2_fail_e oauth2_policy_check(const oauth2_policy_t *policy,
    const oauth2_session_t *s);


/* One "@", something on both sides, no blanks and no control bytes. */
int oauth2_email_ok(torii_str_t email);
/* By the rules of oauth2_policy_t's domains. */
int oauth2_email_in(torii_str_t email, torii_str_t domain);


#endif /* _OAUTH2_POLICY_H_INCLUDED_ */
