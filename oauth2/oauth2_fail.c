
/*
 * Reasons: their words and their sentences.
 */

#include "oauth2.h"


#define OAUTH2_TEXT_TOKEN                                                     \
    "The login service sent a token that cannot be trusted."
#define OAUTH2_TEXT_CLOCK                                                     \
    "The login service sent a token that is not valid now; a clock may be "   \
    "wrong."
#define OAUTH2_TEXT_AGAIN                                                     \
    "This login was not begun in this browser, or too long ago.  Try again."
#define OAUTH2_TEXT_ACCOUNT  "This account may not enter here."
#define OAUTH2_TEXT_LOOP                                                      \
    "You were logged in several times within a minute, and it did not last.  " \
    "Does this browser keep cookies, and is the clock right?"
#define OAUTH2_TEXT_SESSION  "Sign in to go on."


/* In the order of oauth2_fail_e. */

static const struct {
    const char  *name;
    const char  *text;
} oauth2_fails[] = {
    { "ok", "" },
    { "token_size", OAUTH2_TEXT_TOKEN },
    { "token_form", OAUTH2_TEXT_TOKEN },
    { "token_alg", OAUTH2_TEXT_TOKEN },
    { "token_crit", OAUTH2_TEXT_TOKEN },
    { "token_key", OAUTH2_TEXT_TOKEN },
    { "token_signature", OAUTH2_TEXT_TOKEN },
    { "claim_typ", OAUTH2_TEXT_TOKEN },
    { "claim_form", OAUTH2_TEXT_TOKEN },
    { "claim_iss", OAUTH2_TEXT_TOKEN },
    { "claim_aud", OAUTH2_TEXT_TOKEN },
    { "claim_azp", OAUTH2_TEXT_TOKEN },
    { "claim_exp", OAUTH2_TEXT_CLOCK },
    { "claim_nbf", OAUTH2_TEXT_CLOCK },
    { "claim_iat", OAUTH2_TEXT_CLOCK },
    { "claim_sub", OAUTH2_TEXT_TOKEN },
    { "claim_nonce", OAUTH2_TEXT_TOKEN },
    { "claim_at_hash", OAUTH2_TEXT_TOKEN },
    { "claim_auth_time", OAUTH2_TEXT_AGAIN },
    { "claim_events", OAUTH2_TEXT_TOKEN },
    { "claim_jti", OAUTH2_TEXT_TOKEN },
    { "parameter", "The answer of the login service is malformed." },
    { "state", OAUTH2_TEXT_AGAIN },
    { "state_expired", OAUTH2_TEXT_AGAIN },
    { "callback_iss", "Another login service answered than the one asked." },
    { "callback_error", "The login service refused." },
    { "callback_code", "The answer of the login service is malformed." },
    { "provider_down", "The login service cannot be reached.  Try later." },
    { "provider_answer", "The login service gave no usable answer." },
    { "grant", "The login service no longer knows this login.  Try again." },
    { "client", "The login service does not accept this gateway." },
    { "userinfo_sub", OAUTH2_TEXT_TOKEN },
    { "email_missing", "The login service gave no e-mail address." },
    { "email_unverified", "The e-mail address of this account is unverified." },
    { "denied_email", OAUTH2_TEXT_ACCOUNT },
    { "denied_group", OAUTH2_TEXT_ACCOUNT },
    { "denied_member", OAUTH2_TEXT_ACCOUNT },
    { "session_none", OAUTH2_TEXT_SESSION },
    { "session_form", OAUTH2_TEXT_SESSION },
    { "session_key", OAUTH2_TEXT_SESSION },
    { "session_tag", OAUTH2_TEXT_SESSION },
    { "session_twice", OAUTH2_TEXT_SESSION },
    { "session_expired", OAUTH2_TEXT_SESSION },
    { "session_size", "This account's data does not fit into a session." },
    { "session_loop", OAUTH2_TEXT_LOOP }
};


const char *
oauth2_fail_name(oauth2_fail_e fail)
{
    return (unsigned) fail < OAUTH2_FAIL_MAX ? oauth2_fails[fail].name
                                             : "unknown";
}


const char *
oauth2_fail_text(oauth2_fail_e fail)
{
    return (unsigned) fail < OAUTH2_FAIL_MAX ? oauth2_fails[fail].text : "";
}
