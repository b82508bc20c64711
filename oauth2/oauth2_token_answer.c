
/*
 * Answers of a token endpoint (RFC 6749 sections 5.1 and 5.2).
 */

#include "oauth2_token.h"


#define OAUTH2_TOKEN_MAX    (64 * 1024)
#define OAUTH2_EXPIRES_MAX  (10LL * 366 * 86400)


static const struct {
    const char     *error;
    oauth2_fail_e   fail;
} oauth2_token_errors[] = {
    { "invalid_grant", OAUTH2_GRANT },
    { "bad_verification_code", OAUTH2_GRANT },          /* GitHub's words */
    { "bad_refresh_token", OAUTH2_GRANT },
    { "invalid_client", OAUTH2_CLIENT },
    { "unauthorized_client", OAUTH2_CLIENT },
    { "incorrect_client_credentials", OAUTH2_CLIENT },
    { "temporarily_unavailable", OAUTH2_PROVIDER_DOWN },
    { "server_error", OAUTH2_PROVIDER_DOWN },
    { "slow_down", OAUTH2_PROVIDER_DOWN },
    { NULL, OAUTH2_PROVIDER_ANSWER }
};


static oauth2_fail_e
oauth2_token_error(torii_str_t error)
{
    unsigned  i;

    for (i = 0; oauth2_token_errors[i].error; i++) {
        if (torii_str_eqs(error, oauth2_token_errors[i].error)) {
            break;
        }
    }

    return oauth2_token_errors[i].fail;
}


/* A number, or one as a string. */

static int64_t
oauth2_token_expires(const torii_node_t *doc)
{
    uint64_t       n;
    torii_node_t  *node;

    node = torii_node_get(doc, "expires_in");

    if (node == NULL
        || (node->type != TORII_NODE_INT && node->type != TORII_NODE_STRING)
        || torii_str_uint(node->text, OAUTH2_EXPIRES_MAX, &n) != TORII_OK)
    {
        return 0;
    }

    return (int64_t) n;
}


/* It will be in a header: RFC 6750 section 2.1 has no blanks in it. */

static int
oauth2_token_printable(torii_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] <= 0x20 || s.data[i] >= 0x7f) {
            return 0;
        }
    }

    return 1;
}


static oauth2_fail_e
oauth2_token_grant(const torii_node_t *doc, oauth2_grant_t *grant)
{
    torii_str_t  type;

    if (oauth2_claim_str(doc, "token_type", 32, &type) != TORII_OK
        || !torii_str_caseeqs(type, "bearer")
        || oauth2_claim_str(doc, "access_token", OAUTH2_TOKEN_MAX,
                            &grant->access_token) != TORII_OK
        || grant->access_token.len == 0
        || oauth2_claim_str(doc, "refresh_token", OAUTH2_TOKEN_MAX,
                            &grant->refresh_token) == TORII_ERROR
        || oauth2_claim_str(doc, "id_token", OAUTH2_TOKEN_MAX,
                            &grant->id_token) == TORII_ERROR
        || !oauth2_token_printable(grant->access_token)
        || !oauth2_token_printable(grant->refresh_token))
    {
        return OAUTH2_PROVIDER_ANSWER;
    }

    grant->expires_in = oauth2_token_expires(doc);

    return OAUTH2_OK;
}


oauth2_fail_e
oauth2_token_answer(torii_arena_t *a, const oauth2_response_t *res,
    oauth2_grant_t *grant)
{
    torii_str_t    error;
    torii_node_t  *doc;

    memset(grant, 0, sizeof(oauth2_grant_t));

    if (res->status == 0 || res->status >= 500 || res->status == 429) {
        return OAUTH2_PROVIDER_DOWN;
    }

    doc = oauth2_claims(a, res->body, OAUTH2_BODY_MAX);

    if (doc && oauth2_claim_str(doc, "error", OAUTH2_CLAIM_MAX, &error)
               != TORII_DECLINED)
    {
        return oauth2_token_error(error);
    }

    if (res->status == 401) {
        return OAUTH2_CLIENT;
    }

    if (res->status != 200 || doc == NULL) {
        return OAUTH2_PROVIDER_ANSWER;
    }

    return oauth2_token_grant(doc, grant);
}
