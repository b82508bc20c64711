
/*
 * Providers: OpenID Connect in general, Google, GitHub (and Gitea), GitLab.
 * What differs between them is a row of a table.
 */

#ifndef _OAUTH2_PROVIDER_H_INCLUDED_
#define _OAUTH2_PROVIDER_H_INCLUDED_


#include "oauth2_discovery.h"
#include "oauth2_policy.h"
#include "oauth2_token.h"


#define OAUTH2_SECRETS_MAX  2           /* of a client, while one is changed */
#define OAUTH2_PAGES_MAX    20          /* of a list */
#define OAUTH2_MEMBER_MAX   4096        /* groups of one identity */


typedef struct oauth2_provider_s       oauth2_provider_t;
typedef struct oauth2_provider_type_s  oauth2_provider_type_t;


/* Who logged in, as the provider tells.  Strings live in the arena. */

typedef struct {
    torii_arena_t            *arena;
    torii_str_t               sub;
    torii_str_t               email;
    torii_str_t               user;         /* login, preferred_username */
    torii_str_t               name;
    torii_str_t               sid;
    unsigned                  verified:1;   /* the e-mail address is */
    uint32_t                  ngroups;
    torii_str_t              *groups;       /* OAUTH2_MEMBER_MAX */
    const torii_node_t       *claims;       /* of the ID token, or NULL */
    const torii_node_t       *userinfo;     /* or NULL */
} oauth2_identity_t;


/*
 * A further question.  url() appends it, TORII_DECLINED: there is no such one;
 * i counts from 0, for pages and for lists.  answer() reads what came back:
 * OAUTH2_OK, or why the login fails; *more: ask for i + 1.
 */

typedef struct {
    int             (*url)(const oauth2_provider_t *p,
                           const oauth2_identity_t *id, uint32_t i,
                           torii_buf_t *url);
    oauth2_fail_e   (*answer)(const oauth2_provider_t *p,
                              oauth2_identity_t *id, uint32_t i,
                              const oauth2_response_t *res, int *more);
    uint32_t          max;             /* questions of this kind */
} oauth2_lookup_t;

struct oauth2_provider_type_s {
    const char              *name;
    const char              *issuer;        /* NULL: has to be configured */
    const char              *scope;
    unsigned                 oidc:1;        /* has ID tokens and discovery */
    const oauth2_lookup_t   *lookups;       /* ends with url NULL */
    /* parameters of the authorization request; select: "prompt" is set */
    void                   (*authorize)(const oauth2_provider_t *p,
                                        int select, torii_buf_t *url);
    /* endpoints where there is no discovery, rules; NULL or what is wrong */
    const char            *(*init)(torii_arena_t *a, oauth2_provider_t *p);
    /* OAUTH2_OK or _DENIED_MEMBER; NULL: no rules of its own */
    oauth2_fail_e          (*check)(const oauth2_provider_t *p,
                                    const oauth2_identity_t *id);
};


/* A provider as configured.  Strings are the configuration's. */

struct oauth2_provider_s {
    const oauth2_provider_type_t  *type;
    torii_str_t                    id;          /* names it in cookies */
    torii_str_t                    issuer;      /* of GitHub: its base URL */
    torii_str_t                    client_id;
    torii_str_t                    secrets[OAUTH2_SECRETS_MAX];
    uint32_t                       nsecrets;    /* 0: a public client */
    torii_str_t                    scope;       /* empty: the type's */
    torii_str_t                    prompt;      /* or empty */
    const torii_str_t             *audiences;   /* further ones of tokens */
    uint32_t                       naudiences;
    unsigned                       algs;        /* allowed */
    uint32_t                       skew;
    int64_t                        max_age;     /* 0: not asked for */
    torii_str_t                    email_claim;     /* empty: "email" */
    torii_str_t                    groups_claim;    /* empty: "groups" */
    unsigned                       wants_groups:1;  /* a policy asks for them */
    unsigned                       loopback:1;      /* for tests */

    oauth2_endpoints_t             endpoints;
    unsigned                       ready:1;     /* endpoints are known */

    /* rules of the types */
    oauth2_list_t                  hosted;      /* Google: domains */
    oauth2_list_t                  orgs;        /* GitHub */
    oauth2_list_t                  teams;       /* GitHub: "org:team", "team" */
    oauth2_list_t                  users;       /* GitHub, GitLab: logins */
    oauth2_list_t                  members;     /* GitLab: groups */
    oauth2_list_t                  projects;    /* GitLab: "path", "path=30" */
};


/* "oidc", "google", "github", "gitlab", and names that OAuth2 Proxy has for
   what is plain OpenID Connect; NULL: none. */
const oauth2_provider_type_t *oauth2_provider_type(torii_str_t name);

/*
 * Fills in what the type knows: issuer, scope, endpoints.  NULL, or what is
 * missing or wrong.
 */
const char *oauth2_provider_init(torii_arena_t *a, oauth2_provider_t *p);

void oauth2_provider_trust(const oauth2_provider_t *p, oauth2_trust_t *trust);

/* Claims of an ID token, or of userinfo, for what is still missing. */
void oauth2_identity_read(const oauth2_provider_t *p, oauth2_identity_t *id,
    const torii_node_t *claims);
void oauth2_identity_group(oauth2_identity_t *id, torii_str_t group);
int oauth2_identity_has(const oauth2_identity_t *id, torii_str_t group);


extern const oauth2_lookup_t  oauth2_github_lookups[];
extern const oauth2_lookup_t  oauth2_gitlab_lookups[];

const char *oauth2_github_init(torii_arena_t *a, oauth2_provider_t *p);
oauth2_fail_e oauth2_github_check(const oauth2_provider_t *p,
    const oauth2_identity_t *id);
const char *oauth2_gitlab_init(torii_arena_t *a, oauth2_provider_t *p);
oauth2_fail_e oauth2_gitlab_check(const oauth2_provider_t *p,
    const oauth2_identity_t *id);


#endif /* _OAUTH2_PROVIDER_H_INCLUDED_ */
