
/*
 * GitLab: OpenID Connect, groups from userinfo, and projects from its API.
 */

#include "oauth2_form.h"
#include "oauth2_provider.h"


#define OAUTH2_GITLAB_GUEST  10
#define OAUTH2_GITLAB_OWNER  50


/* "group/project" or "group/project=30", the level of access; 0: neither. */

static uint64_t
oauth2_gitlab_project(torii_str_t entry, torii_str_t *path)
{
    uint64_t     level;
    torii_str_t  rest;

    rest = entry;
    (void) torii_str_next(&rest, "=", path);

    if (path->len == 0) {
        return 0;
    }

    if (rest.data == NULL) {
        return 2 * OAUTH2_GITLAB_GUEST;
    }

    if (torii_str_uint(rest, OAUTH2_GITLAB_OWNER, &level) != TORII_OK
        || level < OAUTH2_GITLAB_GUEST)
    {
        return 0;
    }

    return level;
}


const char *
oauth2_gitlab_init(torii_arena_t *a, oauth2_provider_t *p)
{
    uint32_t     i;
    torii_str_t  path;

    for (i = 0; i < p->projects.n; i++) {
        if (oauth2_gitlab_project(p->projects.items[i], &path) == 0) {
            return "has a project that is not PATH or PATH=LEVEL, with a level "
                   "from 10 to 50";
        }
    }

    return NULL;
}


static int
oauth2_gitlab_project_url(const oauth2_provider_t *p,
    const oauth2_identity_t *id, uint32_t i, torii_buf_t *url)
{
    torii_str_t  path, base;

    if (i >= p->projects.n
        || oauth2_gitlab_project(p->projects.items[i], &path) == 0)
    {
        return TORII_DECLINED;
    }

    base = p->issuer;

    if (base.data[base.len - 1] == '/') {
        base.len--;
    }

    torii_buf_add_str(url, base);
    torii_buf_adds(url, "/api/v4/projects/");
    oauth2_form_escape(url, path);

    return TORII_OK;
}


static int
oauth2_gitlab_level(const torii_node_t *doc, const char *access,
    uint64_t level)
{
    uint64_t       value;
    torii_node_t  *node;

    node = torii_node_get(torii_node_get(doc, "permissions"), access);
    node = torii_node_get(node, "access_level");

    return node && node->type == TORII_NODE_INT
           && torii_str_uint(node->text, 1000, &value) == TORII_OK
           && value >= level;
}


/* What a claim calls so is no project that was looked up. */

static void
oauth2_gitlab_forged(oauth2_identity_t *id)
{
    uint32_t  i, n;

    n = 0;

    for (i = 0; i < id->ngroups; i++) {
        if (!torii_str_starts(id->groups[i], "project:")) {
            id->groups[n++] = id->groups[i];
        }
    }

    id->ngroups = n;
}


/* A project that he cannot see answers 404, and is none of his. */

static oauth2_fail_e
oauth2_gitlab_project_answer(const oauth2_provider_t *p,
    oauth2_identity_t *id, uint32_t i, const oauth2_response_t *res,
    int *more)
{
    uint64_t       level;
    torii_str_t    path;
    torii_node_t  *doc;

    *more = 1;

    if (i == 0) {
        oauth2_gitlab_forged(id);
    }

    if (res->status == 404 || res->status == 403) {
        return OAUTH2_OK;
    }

    doc = oauth2_claims(id->arena, res->body, OAUTH2_BODY_MAX);
    if (doc == NULL) {
        return OAUTH2_PROVIDER_ANSWER;
    }

    level = oauth2_gitlab_project(p->projects.items[i], &path);

    if (!oauth2_claim_true(torii_node_get(doc, "archived"))
        && (oauth2_gitlab_level(doc, "project_access", level)
            || oauth2_gitlab_level(doc, "group_access", level)))
    {
        oauth2_identity_group(id, torii_arena_printf(id->arena, "project:%.*s",
                                                     torii_str_arg(path)));
    }

    return OAUTH2_OK;
}


const oauth2_lookup_t  oauth2_gitlab_lookups[] = {
    { oauth2_gitlab_project_url, oauth2_gitlab_project_answer,
      OAUTH2_POLICY_MAX },
    { NULL, NULL, 0 }
};


oauth2_fail_e
oauth2_gitlab_check(const oauth2_provider_t *p, const oauth2_identity_t *id)
{
    uint32_t     i, k;
    torii_str_t  path, name;

    if (!p->users.given && !p->members.given && !p->projects.given) {
        return OAUTH2_OK;
    }

    for (i = 0; i < p->users.n; i++) {
        if (torii_str_caseeq(p->users.items[i], id->user)) {
            return OAUTH2_OK;
        }
    }

    for (i = 0; i < p->members.n; i++) {
        if (oauth2_identity_has(id, p->members.items[i])) {
            return OAUTH2_OK;
        }
    }

    for (i = 0; i < p->projects.n; i++) {

        if (oauth2_gitlab_project(p->projects.items[i], &path) == 0) {
            continue;
        }

        for (k = 0; k < id->ngroups; k++) {
            name = id->groups[k];

            if (torii_str_starts(name, "project:")) {
                name.data += sizeof("project:") - 1;
                name.len -= sizeof("project:") - 1;

                if (torii_str_eq(name, path)) {
                    return OAUTH2_OK;
                }
            }
        }
    }

    return OAUTH2_DENIED_MEMBER;
}
