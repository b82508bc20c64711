
/*
 * GitHub, GitHub Enterprise Server and Gitea: OAuth 2.0 without ID tokens; who
 * somebody is, the API tells.
 */

#include "oauth2_provider.h"


#define OAUTH2_GITHUB_PAGE  50          /* teams are large */


static void
oauth2_github_api(const oauth2_provider_t *p, torii_buf_t *url)
{
    if (torii_str_eqs(p->issuer, "https://github.com")) {
        torii_buf_adds(url, "https://api.github.com");
        return;
    }

    torii_buf_add_str(url, p->issuer);
    torii_buf_adds(url, "/api/v3");
}


const char *
oauth2_github_init(torii_arena_t *a, oauth2_provider_t *p)
{
    torii_str_t  base;

    if (p->issuer.data[p->issuer.len - 1] == '/') {
        p->issuer.len--;
    }

    base = p->issuer;

    p->endpoints.authorization = torii_arena_printf(a,
                                     "%.*s/login/oauth/authorize",
                                     torii_str_arg(base));
    p->endpoints.token = torii_arena_printf(a,
                             "%.*s/login/oauth/access_token",
                             torii_str_arg(base));
    p->endpoints.auth = OAUTH2_AUTH_POST;
    p->ready = 1;

    return NULL;
}


static int
oauth2_github_url(const oauth2_provider_t *p, const char *path, uint32_t i,
    torii_buf_t *url)
{
    oauth2_github_api(p, url);

    torii_buf_printf(url, "%s?per_page=%d&page=%u", path, OAUTH2_GITHUB_PAGE,
                     (unsigned) i + 1);

    return TORII_OK;
}


static int
oauth2_github_user_url(const oauth2_provider_t *p,
    const oauth2_identity_t *id, uint32_t i, torii_buf_t *url)
{
    oauth2_github_api(p, url);
    torii_buf_adds(url, "/user");

    return TORII_OK;
}


static int
oauth2_github_emails_url(const oauth2_provider_t *p,
    const oauth2_identity_t *id, uint32_t i, torii_buf_t *url)
{
    return oauth2_github_url(p, "/user/emails", i, url);
}


static int
oauth2_github_orgs_url(const oauth2_provider_t *p,
    const oauth2_identity_t *id, uint32_t i, torii_buf_t *url)
{
    if (!p->wants_groups && !p->orgs.given && !p->teams.given) {
        return TORII_DECLINED;
    }

    return oauth2_github_url(p, "/user/orgs", i, url);
}


static int
oauth2_github_teams_url(const oauth2_provider_t *p,
    const oauth2_identity_t *id, uint32_t i, torii_buf_t *url)
{
    if (!p->wants_groups && !p->teams.given) {
        return TORII_DECLINED;
    }

    return oauth2_github_url(p, "/user/teams", i, url);
}


/* A login may be given to somebody else one day, the number is not. */

static oauth2_fail_e
oauth2_github_user(const oauth2_provider_t *p, oauth2_identity_t *id,
    uint32_t i, const oauth2_response_t *res, int *more)
{
    torii_node_t  *doc, *number;

    doc = oauth2_claims(id->arena, res->body, OAUTH2_BODY_MAX);
    number = torii_node_get(doc, "id");

    if (number == NULL || number->type != TORII_NODE_INT
        || oauth2_claim_str(doc, "login", OAUTH2_CLAIM_MAX, &id->user)
           != TORII_OK
        || id->user.len == 0)
    {
        return OAUTH2_PROVIDER_ANSWER;
    }

    id->sub = number->text;
    (void) oauth2_claim_str(doc, "name", OAUTH2_CLAIM_MAX, &id->name);

    return OAUTH2_OK;
}


/* A document that is a list; NULL: it is none. */

static torii_node_t *
oauth2_github_list(oauth2_identity_t *id, const oauth2_response_t *res)
{
    torii_node_t         *doc;
    torii_tree_error_t    error;

    static const torii_tree_limits_t  limits = { OAUTH2_BODY_MAX, 40000, 8 };

    if (res->body.len == 0
        || torii_tree_json(id->arena, res->body, &limits, &doc, &error)
           != TORII_OK
        || doc->type != TORII_NODE_LIST)
    {
        return NULL;
    }

    return doc;
}


static oauth2_fail_e
oauth2_github_emails(const oauth2_provider_t *p, oauth2_identity_t *id,
    uint32_t i, const oauth2_response_t *res, int *more)
{
    uint32_t       k;
    torii_str_t    email;
    torii_node_t  *list, *item;

    list = oauth2_github_list(id, res);
    if (list == NULL) {
        return OAUTH2_PROVIDER_ANSWER;
    }

    for (k = 0; k < list->n; k++) {
        item = list->items[k];

        if (oauth2_claim_true(torii_node_get(item, "primary"))
            && oauth2_claim_true(torii_node_get(item, "verified"))
            && oauth2_claim_str(item, "email", OAUTH2_CLAIM_MAX, &email)
               == TORII_OK
            && oauth2_email_ok(email))
        {
            id->email = email;
            id->verified = 1;
            return OAUTH2_OK;
        }
    }

    *more = list->n == OAUTH2_GITHUB_PAGE;

    return OAUTH2_OK;
}


/* "login", which Gitea calls "name" or "username". */

static torii_str_t
oauth2_github_org(const torii_node_t *org)
{
    unsigned     i;
    torii_str_t  name;

    static const char  *const names[] = { "login", "username", "name" };

    for (i = 0; i < 3; i++) {
        if (oauth2_claim_str(org, names[i], OAUTH2_CLAIM_MAX, &name)
            == TORII_OK)
        {
            return name;
        }
    }

    return torii_str("");
}


static oauth2_fail_e
oauth2_github_orgs(const oauth2_provider_t *p, oauth2_identity_t *id,
    uint32_t i, const oauth2_response_t *res, int *more)
{
    uint32_t       k;
    torii_str_t    org;
    torii_node_t  *list;

    list = oauth2_github_list(id, res);
    if (list == NULL) {
        return OAUTH2_PROVIDER_ANSWER;
    }

    for (k = 0; k < list->n; k++) {
        org = oauth2_github_org(list->items[k]);

        /* "org:team" is how a team is written */

        if (org.len && memchr(org.data, ':', org.len) == NULL) {
            oauth2_identity_group(id, org);
        }
    }

    *more = list->n == OAUTH2_GITHUB_PAGE;

    return OAUTH2_OK;
}


static oauth2_fail_e
oauth2_github_teams(const oauth2_provider_t *p, oauth2_identity_t *id,
    uint32_t i, const oauth2_response_t *res, int *more)
{
    uint32_t       k;
    torii_str_t    org, team;
    torii_node_t  *list, *item;

    list = oauth2_github_list(id, res);
    if (list == NULL) {
        return OAUTH2_PROVIDER_ANSWER;
    }

    for (k = 0; k < list->n; k++) {
        item = list->items[k];
        org = oauth2_github_org(torii_node_get(item, "organization"));

        if ((oauth2_claim_str(item, "slug", OAUTH2_CLAIM_MAX, &team)
                 != TORII_OK
             && oauth2_claim_str(item, "name", OAUTH2_CLAIM_MAX, &team)
                != TORII_OK)
            || org.len == 0 || team.len == 0
            || memchr(org.data, ':', org.len)
            || memchr(team.data, ':', team.len))
        {
            continue;
        }

        oauth2_identity_group(id, torii_arena_printf(id->arena, "%.*s:%.*s",
                                                     torii_str_arg(org),
                                                     torii_str_arg(team)));
    }

    *more = list->n == OAUTH2_GITHUB_PAGE;

    return OAUTH2_OK;
}


const oauth2_lookup_t  oauth2_github_lookups[] = {
    { oauth2_github_user_url, oauth2_github_user, 1 },
    { oauth2_github_emails_url, oauth2_github_emails, OAUTH2_PAGES_MAX },
    { oauth2_github_orgs_url, oauth2_github_orgs, OAUTH2_PAGES_MAX },
    { oauth2_github_teams_url, oauth2_github_teams, OAUTH2_PAGES_MAX },
    { NULL, NULL, 0 }
};


static int
oauth2_github_in(const oauth2_identity_t *id, torii_str_t org,
    torii_str_t team)
{
    size_t       n;
    uint32_t     i;
    torii_str_t  head, tail;

    n = org.len;

    for (i = 0; i < id->ngroups; i++) {

        if (id->groups[i].len != n + 1 + team.len
            || id->groups[i].data[n] != ':')
        {
            continue;
        }

        head.data = id->groups[i].data;
        head.len = n;
        tail.data = id->groups[i].data + n + 1;
        tail.len = team.len;

        if (torii_str_caseeq(head, org) && torii_str_caseeq(tail, team)) {
            return 1;
        }
    }

    return 0;
}


/* "org:team", or "team" of any of the organisations that are listed. */

static int
oauth2_github_team(const oauth2_provider_t *p, const oauth2_identity_t *id,
    torii_str_t entry)
{
    uint32_t     i;
    torii_str_t  org, team;

    team = entry;
    (void) torii_str_next(&team, ":", &org);

    if (team.data) {
        return oauth2_github_in(id, org, team);
    }

    for (i = 0; i < p->orgs.n; i++) {
        if (oauth2_github_in(id, p->orgs.items[i], entry)) {
            return 1;
        }
    }

    return 0;
}


static int
oauth2_github_member(const oauth2_provider_t *p, const oauth2_identity_t *id)
{
    uint32_t  i, k;

    if (p->teams.given) {
        for (i = 0; i < p->teams.n; i++) {
            if (oauth2_github_team(p, id, p->teams.items[i])) {
                return 1;
            }
        }

        return 0;
    }

    for (i = 0; i < p->orgs.n; i++) {
        for (k = 0; k < id->ngroups; k++) {
            if (torii_str_caseeq(p->orgs.items[i], id->groups[k])) {
                return 1;
            }
        }
    }

    return 0;
}


/* One of the users, or else a member. */

oauth2_fail_e
oauth2_github_check(const oauth2_provider_t *p, const oauth2_identity_t *id)
{
    uint32_t  i;

    if (!p->users.given && !p->orgs.given && !p->teams.given) {
        return OAUTH2_OK;
    }

    for (i = 0; i < p->users.n; i++) {
        if (torii_str_caseeq(p->users.items[i], id->user)) {
            return OAUTH2_OK;
        }
    }

    return oauth2_github_member(p, id) ? OAUTH2_OK : OAUTH2_DENIED_MEMBER;
}
