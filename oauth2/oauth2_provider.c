
/*
 * The table of providers, and who somebody is by his claims.
 */

#include "oauth2_form.h"
#include "oauth2_provider.h"


#define OAUTH2_SCOPE  "openid email profile"


static void oauth2_google_authorize(const oauth2_provider_t *p, int select,
    torii_buf_t *url);
static oauth2_fail_e oauth2_google_check(const oauth2_provider_t *p,
    const oauth2_identity_t *id);


static const oauth2_provider_type_t  oauth2_provider_types[] = {
    { "oidc", NULL, OAUTH2_SCOPE, 1, NULL, NULL, NULL, NULL },
    { "google", "https://accounts.google.com", OAUTH2_SCOPE, 1, NULL,
      oauth2_google_authorize, NULL, oauth2_google_check },
    { "github", "https://github.com", "user:email read:org", 0,
      oauth2_github_lookups, NULL, oauth2_github_init, oauth2_github_check },
    { "gitlab", "https://gitlab.com", "openid email profile read_api", 1,
      oauth2_gitlab_lookups, NULL, oauth2_gitlab_init, oauth2_gitlab_check },
    { "keycloak-oidc", NULL, OAUTH2_SCOPE, 1, NULL, NULL, NULL, NULL },
    { "entra-id", NULL, OAUTH2_SCOPE, 1, NULL, NULL, NULL, NULL }
};


const oauth2_provider_type_t *
oauth2_provider_type(torii_str_t name)
{
    size_t  i, n;

    n = sizeof(oauth2_provider_types) / sizeof(oauth2_provider_types[0]);

    for (i = 0; i < n; i++) {
        if (torii_str_eqs(name, oauth2_provider_types[i].name)) {
            return &oauth2_provider_types[i];
        }
    }

    return NULL;
}


static int
oauth2_provider_visible(torii_str_t s)
{
    return s.len && s.len <= OAUTH2_CLAIM_MAX && !torii_str_has_control(s);
}


const char *
oauth2_provider_init(torii_arena_t *a, oauth2_provider_t *p)
{
    uint32_t     i;
    const char  *error;

    if (p->issuer.len == 0) {
        if (p->type->issuer == NULL) {
            return "has no issuer";
        }

        p->issuer = torii_str(p->type->issuer);
    }

    error = oauth2_issuer_check(p->issuer, p->loopback);
    if (error) {
        return "has an issuer that is no https URL or has a query";
    }

    if (!oauth2_provider_visible(p->client_id)) {
        return "has no client id";
    }

    for (i = 0; i < p->nsecrets; i++) {
        if (!oauth2_provider_visible(p->secrets[i])) {
            return "has a client secret that is empty, too long or has control "
                   "bytes";
        }
    }

    if (p->scope.len == 0) {
        p->scope = torii_str(p->type->scope);
    }

    if (p->algs == 0) {
        p->algs = TORII_JWA_DEFAULT;
    }

    if (p->skew == 0) {
        p->skew = OAUTH2_SKEW;
    }

    if (p->skew > 5 * OAUTH2_SKEW) {
        return "allows clocks to differ by more than 300 seconds";
    }

    return p->type->init ? p->type->init(a, p) : NULL;
}


void
oauth2_provider_trust(const oauth2_provider_t *p, oauth2_trust_t *trust)
{
    trust->issuer = p->issuer;
    trust->client_id = p->client_id;
    trust->audiences = p->audiences;
    trust->naudiences = p->naudiences;
    trust->algs = p->endpoints.algs ? p->endpoints.algs : p->algs;
    trust->skew = p->skew;
}


int
oauth2_identity_has(const oauth2_identity_t *id, torii_str_t group)
{
    uint32_t  i;

    for (i = 0; i < id->ngroups; i++) {
        if (torii_str_eq(id->groups[i], group)) {
            return 1;
        }
    }

    return 0;
}


void
oauth2_identity_group(oauth2_identity_t *id, torii_str_t group)
{
    if (group.len == 0 || group.len > OAUTH2_CLAIM_MAX
        || id->ngroups == OAUTH2_MEMBER_MAX || torii_str_has_control(group))
    {
        return;
    }

    if (id->groups == NULL) {
        id->groups = torii_arena_alloc(id->arena, OAUTH2_MEMBER_MAX
                                                  * sizeof(torii_str_t));
    }

    id->groups[id->ngroups++] = group;
}


/* A list of strings, or one. */

static void
oauth2_identity_groups(oauth2_identity_t *id, const torii_node_t *node)
{
    uint32_t  i;

    if (node == NULL) {
        return;
    }

    if (node->type == TORII_NODE_STRING) {
        oauth2_identity_group(id, node->text);
        return;
    }

    for (i = 0; node->type == TORII_NODE_LIST && i < node->n; i++) {
        if (node->items[i]->type == TORII_NODE_STRING) {
            oauth2_identity_group(id, node->items[i]->text);
        }
    }
}


static void
oauth2_identity_str(const torii_node_t *claims, torii_str_t path,
    torii_str_t *value)
{
    torii_node_t  *node;

    if (value->len) {
        return;
    }

    node = oauth2_claim_find(claims, path);

    if (node && node->type == TORII_NODE_STRING
        && node->text.len <= OAUTH2_CLAIM_MAX
        && !torii_str_has_control(node->text))
    {
        *value = node->text;
    }
}


static void
oauth2_identity_email(const oauth2_provider_t *p, oauth2_identity_t *id,
    const torii_node_t *claims)
{
    torii_str_t  email;

    if (id->email.len) {
        return;
    }

    email = torii_str("");
    oauth2_identity_str(claims, p->email_claim.len ? p->email_claim
                                                   : torii_str("email"),
                        &email);

    if (!oauth2_email_ok(email)) {
        return;
    }

    /* verified is said of "email", by the document that it is from */

    id->email = email;
    id->verified = (p->email_claim.len == 0
                    || torii_str_eqs(p->email_claim, "email"))
                   && oauth2_claim_true(torii_node_get(claims,
                                                       "email_verified"));
}


void
oauth2_identity_read(const oauth2_provider_t *p, oauth2_identity_t *id,
    const torii_node_t *claims)
{
    oauth2_identity_str(claims, torii_str("sub"), &id->sub);
    oauth2_identity_str(claims, torii_str("sid"), &id->sid);
    oauth2_identity_str(claims, torii_str("name"), &id->name);
    oauth2_identity_str(claims, torii_str("preferred_username"), &id->user);
    oauth2_identity_str(claims, torii_str("nickname"), &id->user);

    oauth2_identity_email(p, id, claims);

    if (id->ngroups == 0) {
        oauth2_identity_groups(id, oauth2_claim_find(claims,
                                   p->groups_claim.len ? p->groups_claim
                                                       : torii_str("groups")));
    }
}


/* Google: a refresh token comes only if it is asked for, and confirmed. */

static void
oauth2_google_authorize(const oauth2_provider_t *p, int select,
    torii_buf_t *url)
{
    oauth2_url_add(url, "access_type", torii_str("offline"));

    if (p->prompt.len == 0 && !select) {
        oauth2_url_add(url, "prompt", torii_str("consent"));
    }

    if (p->hosted.given) {
        oauth2_url_add(url, "hd", p->hosted.n == 1 ? p->hosted.items[0]
                                                   : torii_str("*"));
    }
}


/* What the request asked for is a hint: the claim decides. */

static oauth2_fail_e
oauth2_google_check(const oauth2_provider_t *p, const oauth2_identity_t *id)
{
    uint32_t     i;
    torii_str_t  hd;

    if (!p->hosted.given) {
        return OAUTH2_OK;
    }

    if (id->claims == NULL
        || oauth2_claim_str(id->claims, "hd", OAUTH2_CLAIM_MAX, &hd)
           != TORII_OK)
    {
        return OAUTH2_DENIED_MEMBER;
    }

    for (i = 0; i < p->hosted.n; i++) {
        if (torii_str_caseeq(p->hosted.items[i], hd)) {
            return OAUTH2_OK;
        }
    }

    return OAUTH2_DENIED_MEMBER;
}
