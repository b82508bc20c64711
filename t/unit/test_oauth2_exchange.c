
/*
 * From a code to a session, with a provider that is played by a list of
 * answers: OpenID Connect, Google, GitHub, GitLab; refresh; and what can go
 * wrong on the way.
 */

#include <openssl/err.h>

#include "oauth2_exchange.h"
#include "oauth2_make.h"
#include "tap.h"


#define TEST_NOW    1795000000
#define TEST_NONCE  "nonce-of-this-login"


typedef struct {
    const char     *url;               /* begins so; NULL: the end */
    uint32_t        status;
    const char     *body;              /* "@…": an ID token with these members
                                          more in place of $ */
} test_step_t;

typedef struct {
    const char        *name;
    const char        *type;
    const char        *rules;          /* "list=value;list=value" */
    oauth2_fail_e      fail;
    const char        *groups;         /* of the session */
    test_step_t        steps[10];
} test_script_t;


#define TOKEN(more)                                                           \
    "@{\"access_token\":\"at\",\"token_type\":\"Bearer\",\"expires_in\":300,"  \
    "\"refresh_token\":\"rt\",\"id_token\":\"$\"}\n" more

#define TOKEN_PLAIN                                                           \
    "{\"access_token\":\"gho_x\",\"token_type\":\"bearer\",\"scope\":\"\"}"

#define EMAIL  "\"email\":\"a@corp.example\",\"email_verified\":true"

#define OIDC_TOKEN   "https://id.example/token"
#define OIDC_INFO    "https://id.example/userinfo"
#define GH_TOKEN     "https://github.com/login/oauth/access_token"
#define GH           "https://api.github.com"
#define GH_USER      { GH "/user", 200,                                       \
                       "{\"id\":583231,\"login\":\"octo\",\"name\":\"Octo\"}" }
#define GH_EMAILS                                                             \
    { GH "/user/emails?", 200, "[{\"email\":\"old@x.example\",\"primary\":"   \
      "false,\"verified\":true},{\"email\":\"a@corp.example\",\"primary\":"   \
      "true,\"verified\":true}]" }
#define GH_ORGS                                                               \
    { GH "/user/orgs?", 200, "[{\"login\":\"Acme\"},{\"login\":\"a:b\"}]" }
#define GH_TEAMS                                                              \
    { GH "/user/teams?", 200, "[{\"slug\":\"devs\",\"organization\":"         \
      "{\"login\":\"Acme\"}},{\"slug\":\"ops\",\"organization\":"             \
      "{\"login\":\"Other\"}}]" }
#define END  { NULL, 0, NULL }

static const test_script_t  test_scripts[] = {

    { "OIDC: all in the ID token", "oidc", "", OAUTH2_OK, "devs,ops",
      { { OIDC_TOKEN, 200, TOKEN(EMAIL ",\"groups\":[\"devs\",\"none\","
          "\"ops\"]") }, END } },

    { "OIDC: e-mail and groups from userinfo", "oidc", "", OAUTH2_OK, "devs",
      { { OIDC_TOKEN, 200, TOKEN("\"name\":\"A\"") },
        { OIDC_INFO, 200, "{\"sub\":\"alice\"," EMAIL ",\"groups\":\"devs\"}" },
        END } },

    { "OIDC: userinfo of somebody else", "oidc", "", OAUTH2_USERINFO_SUB, NULL,
      { { OIDC_TOKEN, 200, TOKEN("\"name\":\"A\"") },
        { OIDC_INFO, 200, "{\"sub\":\"bob\"," EMAIL "}" }, END } },

    { "OIDC: userinfo without a subject", "oidc", "", OAUTH2_USERINFO_SUB,
      NULL,
      { { OIDC_TOKEN, 200, TOKEN("\"name\":\"A\"") },
        { OIDC_INFO, 200, "{" EMAIL "}" }, END } },

    { "OIDC: userinfo is a page", "oidc", "", OAUTH2_PROVIDER_ANSWER, NULL,
      { { OIDC_TOKEN, 200, TOKEN("\"name\":\"A\"") },
        { OIDC_INFO, 200, "<html>" }, END } },

    { "OIDC: userinfo redirects", "oidc", "", OAUTH2_PROVIDER_ANSWER, NULL,
      { { OIDC_TOKEN, 200, TOKEN("\"name\":\"A\"") },
        { OIDC_INFO, 302, "" }, END } },

    { "OIDC: userinfo is down", "oidc", "", OAUTH2_PROVIDER_DOWN, NULL,
      { { OIDC_TOKEN, 200, TOKEN("\"name\":\"A\"") },
        { OIDC_INFO, 502, "" }, END } },

    { "OIDC: no ID token", "oidc", "", OAUTH2_PROVIDER_ANSWER, NULL,
      { { OIDC_TOKEN, 200, TOKEN_PLAIN }, END } },

    { "OIDC: the code is spent", "oidc", "", OAUTH2_GRANT, NULL,
      { { OIDC_TOKEN, 400, "{\"error\":\"invalid_grant\"}" }, END } },

    { "OIDC: the second secret is the right one", "oidc", "secret2=new",
      OAUTH2_OK, "",
      { { OIDC_TOKEN, 401, "{\"error\":\"invalid_client\"}" },
        { OIDC_TOKEN, 200, TOKEN(EMAIL ",\"groups\":\"none\"") }, END } },

    { "OIDC: none of two secrets is", "oidc", "secret2=new", OAUTH2_CLIENT,
      NULL,
      { { OIDC_TOKEN, 401, "{\"error\":\"invalid_client\"}" },
        { OIDC_TOKEN, 401, "{\"error\":\"invalid_client\"}" }, END } },

    { "OIDC: another nonce", "oidc", "", OAUTH2_CLAIM_NONCE, NULL,
      { { OIDC_TOKEN, 200, TOKEN("\"nonce2\":1") }, END } },

    { "OIDC: no answer", "oidc", "", OAUTH2_PROVIDER_DOWN, NULL,
      { { OIDC_TOKEN, 0, "" }, END } },

    { "Google: of the domain", "google", "hosted=corp.example", OAUTH2_OK, "",
      { { OIDC_TOKEN, 200, TOKEN(EMAIL ",\"groups\":\"none\","
          "\"hd\":\"corp.example\"") }, END } },

    { "Google: the address of the domain alone does not do", "google",
      "hosted=corp.example", OAUTH2_DENIED_MEMBER, NULL,
      { { OIDC_TOKEN, 200, TOKEN(EMAIL ",\"groups\":\"none\"") }, END } },

    { "Google: of another domain", "google", "hosted=corp.example",
      OAUTH2_DENIED_MEMBER, NULL,
      { { OIDC_TOKEN, 200, TOKEN(EMAIL ",\"groups\":\"none\","
          "\"hd\":\"evil-corp.example\"") }, END } },

    { "Google: an empty list lets nobody in", "google", "hosted=",
      OAUTH2_DENIED_MEMBER, NULL,
      { { OIDC_TOKEN, 200, TOKEN(EMAIL ",\"groups\":\"none\","
          "\"hd\":\"corp.example\"") }, END } },

    { "GitHub: anybody", "github", "", OAUTH2_OK, "Acme:devs",
      { { GH_TOKEN, 200, TOKEN_PLAIN }, GH_USER, GH_EMAILS, GH_ORGS, GH_TEAMS,
        END } },

    { "GitHub: of the organisation", "github", "orgs=acme", OAUTH2_OK,
      "Acme:devs",
      { { GH_TOKEN, 200, TOKEN_PLAIN }, GH_USER, GH_EMAILS, GH_ORGS, GH_TEAMS,
        END } },

    { "GitHub: not of the organisation", "github", "orgs=evil",
      OAUTH2_DENIED_MEMBER, NULL,
      { { GH_TOKEN, 200, TOKEN_PLAIN }, GH_USER, GH_EMAILS, GH_ORGS, GH_TEAMS,
        END } },

    { "GitHub: of the team", "github", "orgs=acme;teams=devs", OAUTH2_OK,
      "Acme:devs",
      { { GH_TOKEN, 200, TOKEN_PLAIN }, GH_USER, GH_EMAILS, GH_ORGS, GH_TEAMS,
        END } },

    { "GitHub: of a team of another organisation", "github",
      "orgs=acme;teams=ops", OAUTH2_DENIED_MEMBER, NULL,
      { { GH_TOKEN, 200, TOKEN_PLAIN }, GH_USER, GH_EMAILS, GH_ORGS, GH_TEAMS,
        END } },

    { "GitHub: of the team by its whole name", "github", "teams=other:ops",
      OAUTH2_OK, "Acme:devs",
      { { GH_TOKEN, 200, TOKEN_PLAIN }, GH_USER, GH_EMAILS, GH_ORGS, GH_TEAMS,
        END } },

    { "GitHub: the organisation, but not the team", "github",
      "orgs=acme;teams=", OAUTH2_DENIED_MEMBER, NULL,
      { { GH_TOKEN, 200, TOKEN_PLAIN }, GH_USER, GH_EMAILS, GH_ORGS, GH_TEAMS,
        END } },

    { "GitHub: one of the users", "github", "users=Octo", OAUTH2_OK,
      "Acme:devs",
      { { GH_TOKEN, 200, TOKEN_PLAIN }, GH_USER, GH_EMAILS, GH_ORGS, GH_TEAMS,
        END } },

    { "GitHub: an error with status 200", "github", "", OAUTH2_GRANT, NULL,
      { { GH_TOKEN, 200, "{\"error\":\"bad_verification_code\"}" }, END } },

    { "GitHub: no number of a user", "github", "", OAUTH2_PROVIDER_ANSWER,
      NULL,
      { { GH_TOKEN, 200, TOKEN_PLAIN },
        { GH "/user", 200, "{\"login\":\"octo\"}" }, END } },

    { "GitHub: no right to see organisations", "github", "orgs=acme",
      OAUTH2_PROVIDER_ANSWER, NULL,
      { { GH_TOKEN, 200, TOKEN_PLAIN }, GH_USER, GH_EMAILS,
        { GH "/user/orgs?", 403, "{\"message\":\"no\"}" }, END } },

    { "GitLab: of the project", "gitlab", "projects=acme/app=30", OAUTH2_OK,
      "project:acme/app",
      { { OIDC_TOKEN, 200, TOKEN(EMAIL ",\"groups\":[\"acme\"]") },
        { "https://gitlab.example/api/v4/projects/acme%2Fapp", 200,
          "{\"archived\":false,\"permissions\":{\"project_access\":null,"
          "\"group_access\":{\"access_level\":40}}}" }, END } },

    { "GitLab: of the project, with too few rights", "gitlab",
      "projects=acme/app=30", OAUTH2_DENIED_MEMBER, NULL,
      { { OIDC_TOKEN, 200, TOKEN(EMAIL ",\"groups\":[\"acme\"]") },
        { "https://gitlab.example/api/v4/projects/acme%2Fapp", 200,
          "{\"archived\":false,\"permissions\":{\"project_access\":"
          "{\"access_level\":20}}}" }, END } },

    { "GitLab: the project is archived", "gitlab", "projects=acme/app=30",
      OAUTH2_DENIED_MEMBER, NULL,
      { { OIDC_TOKEN, 200, TOKEN(EMAIL ",\"groups\":[\"acme\"]") },
        { "https://gitlab.example/api/v4/projects/acme%2Fapp", 200,
          "{\"archived\":true,\"permissions\":{\"project_access\":"
          "{\"access_level\":40}}}" }, END } },

    { "GitLab: the second of two projects", "gitlab",
      "projects=acme/none,acme/app", OAUTH2_OK, "project:acme/app",
      { { OIDC_TOKEN, 200, TOKEN(EMAIL ",\"groups\":[\"acme\"]") },
        { "https://gitlab.example/api/v4/projects/acme%2Fnone", 404, "{}" },
        { "https://gitlab.example/api/v4/projects/acme%2Fapp", 200,
          "{\"permissions\":{\"project_access\":{\"access_level\":20}}}" },
        END } },

    { "GitLab: of the group", "gitlab", "members=acme/devs", OAUTH2_OK, "",
      { { OIDC_TOKEN, 200, TOKEN(EMAIL ",\"groups\":[\"acme/devs\"]") },
        END } },

    { "GitLab: not of the group", "gitlab", "members=acme/devs",
      OAUTH2_DENIED_MEMBER, NULL,
      { { OIDC_TOKEN, 200, TOKEN(EMAIL ",\"groups\":[\"acme/devsx\"]") },
        END } },

    { NULL, NULL, NULL, OAUTH2_OK, NULL, { END } }
};


static const torii_str_t  test_wanted[] = {
    torii_string("devs"), torii_string("ops"), torii_string("Acme:devs"),
    torii_string("project:acme/app")
};

static const torii_str_t  test_names[] = {
    torii_string("dept"), torii_string("/realm/roles")
};

static const oauth2_lifetime_t  test_life = { 0, 43200 };


static torii_arena_t        *test_arena;
static EVP_PKEY             *test_key;
static torii_jwks_t         *test_set;
static oauth2_projection_t   test_projection;
static oauth2_session_t      test_session;


static void
test_rules(oauth2_provider_t *p, torii_str_t rules)
{
    size_t       i;
    torii_str_t  rule, name, value;

    struct {
        const char     *name;
        oauth2_list_t  *list;
    } lists[] = {
        { "hosted", &p->hosted }, { "orgs", &p->orgs }, { "teams", &p->teams },
        { "users", &p->users }, { "members", &p->members },
        { "projects", &p->projects }
    };

    while (torii_str_next(&rules, ";", &rule)) {
        value = rule;
        (void) torii_str_next(&value, "=", &name);

        if (torii_str_eqs(name, "secret2")) {
            p->secrets[p->nsecrets++] = value;
        }

        for (i = 0; i < 6; i++) {
            if (torii_str_eqs(name, lists[i].name)) {
                oauth2_policy_add(test_arena, lists[i].list, value);
            }
        }
    }
}


static void
test_provider(oauth2_provider_t *p, const char *type, const char *rules)
{
    memset(p, 0, sizeof(oauth2_provider_t));

    p->type = oauth2_provider_type(torii_str(type));
    p->id = torii_str("corp");
    p->client_id = torii_str("gw:1");
    p->secrets[0] = torii_str("s%cret");
    p->nsecrets = 1;
    p->wants_groups = 1;

    if (strcmp(type, "github") != 0) {
        p->issuer = torii_str(strcmp(type, "gitlab") == 0
                              ? "https://gitlab.example/"
                              : "https://id.example");
        p->endpoints.token = torii_str(OIDC_TOKEN);
        p->endpoints.userinfo = torii_str(OIDC_INFO);
        p->endpoints.auth = OAUTH2_AUTH_BASIC|OAUTH2_AUTH_POST;
        p->endpoints.algs = TORII_JWA_DEFAULT;
    }

    test_rules(p, torii_str(rules));

    (void) oauth2_provider_init(test_arena, p);
}


static torii_str_t
test_id_token(const oauth2_provider_t *p, const char *more, const char *kid,
    int nonce)
{
    char         header[64];
    torii_str_t  json;

    snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
             kid);

    json = torii_arena_printf(test_arena, "{\"iss\":\"%.*s\",\"aud\":\"gw:1\","
                              "\"sub\":\"alice\",\"exp\":%d,\"iat\":%d%s%s%s"
                              "%s}", torii_str_arg(p->issuer), TEST_NOW + 300,
                              TEST_NOW,
                              nonce ? ",\"nonce\":\"" TEST_NONCE "\"" : "",
                              more[0] ? "," : "", more, "");

    return make_token(test_arena, test_key, "ES256", header, json);
}


/* "@…$…\nmembers": the body, with an ID token for "$". */

static torii_str_t
test_body(const oauth2_provider_t *p, const char *body)
{
    char         text[512];
    const char  *members, *dollar;

    if (body[0] != '@') {
        return torii_str(body);
    }

    members = strchr(body, '\n') + 1;
    dollar = strchr(body, '$');

    snprintf(text, sizeof(text), "%.*s", (int) (dollar - body) - 1, body + 1);

    return torii_arena_printf(test_arena, "%s%.*s%.*s", text,
                              torii_str_arg(test_id_token(p, members, "k",
                                     strstr(members, "nonce2") == NULL)),
                              (int) (members - dollar) - 2, dollar + 1);
}


static oauth2_exchange_e
test_drive(oauth2_exchange_t *x, const oauth2_provider_t *p,
    oauth2_exchange_e step, const test_step_t *s, int *asked)
{
    oauth2_response_t        res;
    const oauth2_request_t  *req;

    *asked = 1;

    for (/* void */; s->url && step == OAUTH2_EXCHANGE_SEND; s++) {
        req = oauth2_exchange_request(x);

        *asked = *asked && torii_str_starts(req->url, s->url)
                 && (req->content_type != NULL) == (req->body.len != 0);

        memset(&res, 0, sizeof(oauth2_response_t));
        res.status = s->status;
        res.body = test_body(p, s->body);

        step = oauth2_exchange_answer(x, TEST_NOW, &res);
    }

    *asked = *asked && s->url == NULL && step != OAUTH2_EXCHANGE_SEND;

    return step;
}


static void
test_script(const test_script_t *t)
{
    int                  asked;
    torii_buf_t          groups;
    oauth2_exchange_e    step;
    oauth2_exchange_t   *x;
    oauth2_provider_t    p;

    test_provider(&p, t->type, t->rules);

    x = oauth2_exchange_create(&p, test_set);
    step = oauth2_exchange_code(x, torii_str("c+de"),
                                torii_str("https://a.example/oauth2/callback"),
                                torii_str("verifier"), torii_str(TEST_NONCE));

    step = test_drive(x, &p, step, t->steps, &asked);

    memset(&groups, 0, sizeof(torii_buf_t));

    if (step == OAUTH2_EXCHANGE_DONE) {
        oauth2_exchange_session(x, TEST_NOW, &test_life, &test_projection,
                                OAUTH2_KEEP_REFRESH, &test_session);
        oauth2_session_groups(&test_session, &groups);
    }

    torii_buf_add(&groups, "", 1);

    tap_ok(asked && oauth2_exchange_fail(x) == t->fail
           && (step == OAUTH2_EXCHANGE_DONE) == (t->fail == OAUTH2_OK)
           && (t->groups == NULL
               || (strcmp((char *) groups.data, t->groups) == 0
                   && torii_str_eqs(test_session.email, "a@corp.example")
                   && test_session.verified == 1)),
           "%s (%s, %s%s)", t->name, oauth2_fail_name(oauth2_exchange_fail(x)),
           (char *) groups.data, asked ? "" : ", other questions");

    torii_buf_free(&groups);
    oauth2_exchange_free(x);
}


static void
test_request(void)
{
    oauth2_exchange_t       *x;
    oauth2_provider_t        p;
    const oauth2_request_t  *req;

    test_provider(&p, "oidc", "");
    x = oauth2_exchange_create(&p, test_set);
    oauth2_exchange_code(x, torii_str("c+de"),
                         torii_str("https://a.example/oauth2/callback"),
                         torii_str("ver"), torii_str("n"));
    req = oauth2_exchange_request(x);

    tap_ok(strcmp(req->method, "POST") == 0
           && torii_str_eqs(req->authorization,
                            "Basic Z3clM0ExOnMlMjVjcmV0"),
           "RFC 6749 2.3.1: id and secret are encoded, then joined");
    tap_ok(torii_str_eqs(req->body, "grant_type=authorization_code&code=c%2Bde"
                         "&redirect_uri=https%3A%2F%2Fa.example%2Foauth2%2Fcal"
                         "lback&code_verifier=ver"), "the token request");
    oauth2_exchange_free(x);

    p.endpoints.auth = OAUTH2_AUTH_POST;
    x = oauth2_exchange_create(&p, test_set);
    oauth2_exchange_code(x, torii_str("c"), torii_str("u"), torii_str("v"),
                         torii_str("n"));
    req = oauth2_exchange_request(x);

    tap_ok(req->authorization.len == 0
           && torii_str_eqs(req->body, "grant_type=authorization_code&code=c&r"
                            "edirect_uri=u&code_verifier=v&client_id=gw%3A1&cl"
                            "ient_secret=s%25cret"), "the secret in the form");
    oauth2_exchange_free(x);

    p.nsecrets = 0;
    x = oauth2_exchange_create(&p, test_set);
    oauth2_exchange_code(x, torii_str("c"), torii_str("u"), torii_str("v"),
                         torii_str("n"));
    req = oauth2_exchange_request(x);

    tap_ok(req->authorization.len == 0
           && torii_str_eqs(req->body, "grant_type=authorization_code&code=c&r"
                            "edirect_uri=u&code_verifier=v&client_id=gw%3A1"),
           "a client without a secret");
    oauth2_exchange_free(x);
}


/* A key that is unknown is asked for once. */

static void
test_rotation(void)
{
    const char         *error;
    torii_buf_t         b;
    torii_jwks_t       *set;
    oauth2_exchange_e   step;
    oauth2_response_t   res;
    oauth2_exchange_t  *x;
    oauth2_provider_t   p;

    memset(&b, 0, sizeof(torii_buf_t));
    torii_buf_adds(&b, "{\"keys\":[");
    make_jwk(&b, test_key, "\"kid\":\"new\"");
    torii_buf_adds(&b, "]}");
    set = torii_jwks_read(make_str(&b), &error);
    torii_buf_free(&b);

    test_provider(&p, "oidc", "");
    p.wants_groups = 0;

    memset(&res, 0, sizeof(oauth2_response_t));
    res.status = 200;
    res.body = torii_arena_printf(test_arena, "{\"access_token\":\"at\","
                                  "\"token_type\":\"Bearer\",\"id_token\":\""
                                  "%.*s\"}", torii_str_arg(
                                  test_id_token(&p, EMAIL, "new", 1)));

    x = oauth2_exchange_create(&p, test_set);
    oauth2_exchange_code(x, torii_str("c"), torii_str("u"), torii_str("v"),
                         torii_str(TEST_NONCE));
    step = oauth2_exchange_answer(x, TEST_NOW, &res);

    tap_ok(step == OAUTH2_EXCHANGE_KEYS
           && torii_str_eqs(oauth2_exchange_kid(x), "new"),
           "rotation: the kid is unknown");
    tap_ok(oauth2_exchange_keys(x, TEST_NOW, set) == OAUTH2_EXCHANGE_DONE,
           "rotation: and known to the new set");
    oauth2_exchange_free(x);

    x = oauth2_exchange_create(&p, NULL);
    oauth2_exchange_code(x, torii_str("c"), torii_str("u"), torii_str("v"),
                         torii_str(TEST_NONCE));
    oauth2_exchange_answer(x, TEST_NOW, &res);

    tap_ok(oauth2_exchange_keys(x, TEST_NOW, test_set)
           == OAUTH2_EXCHANGE_FAILED
           && oauth2_exchange_fail(x) == OAUTH2_TOKEN_KEY,
           "rotation: a set that does not know it either");
    oauth2_exchange_free(x);

    torii_jwks_free(set);
}


static void
test_signed_info(void)
{
    unsigned            i;
    oauth2_exchange_e   step;
    oauth2_response_t   res;
    oauth2_exchange_t  *x;
    oauth2_provider_t   p;

    static const struct {
        const char     *kid;
        oauth2_fail_e   fail;
    } cases[] = {
        { "k", OAUTH2_OK },
        { "new", OAUTH2_TOKEN_KEY },
        { NULL, OAUTH2_TOKEN_FORM }
    };

    test_provider(&p, "oidc", "");
    p.wants_groups = 0;

    for (i = 0; i < 3; i++) {
        x = oauth2_exchange_create(&p, test_set);
        oauth2_exchange_code(x, torii_str("c"), torii_str("u"),
                             torii_str("v"), torii_str(TEST_NONCE));

        memset(&res, 0, sizeof(oauth2_response_t));
        res.status = 200;
        res.body = test_body(&p, TOKEN("\"name\":\"A\""));
        oauth2_exchange_answer(x, TEST_NOW, &res);

        res.content_type = torii_str("application/jwt; charset=utf-8");
        res.body = cases[i].kid ? test_id_token(&p, EMAIL, cases[i].kid, 0)
                                : torii_str("{\"sub\":\"alice\"," EMAIL "}");
        step = oauth2_exchange_answer(x, TEST_NOW, &res);

        if (step == OAUTH2_EXCHANGE_KEYS) {
            step = oauth2_exchange_keys(x, TEST_NOW, test_set);
        }

        tap_ok(oauth2_exchange_fail(x) == cases[i].fail
               && (step == OAUTH2_EXCHANGE_DONE) == (i == 0),
               "signed userinfo: %s",
               oauth2_fail_name(oauth2_exchange_fail(x)));

        oauth2_exchange_free(x);
    }
}


static void
test_refresh(void)
{
    unsigned            i;
    oauth2_session_t   *old;
    oauth2_exchange_t  *x;
    oauth2_exchange_e   step;
    oauth2_response_t   res;
    oauth2_provider_t   p;

    static const struct {
        const char     *body;          /* as in the scripts */
        oauth2_fail_e   fail;
        const char     *refresh;
        const char     *email;
    } cases[] = {
        { "{\"access_token\":\"at2\",\"token_type\":\"bearer\","
          "\"expires_in\":300}", OAUTH2_OK, "rt1", "old@corp.example" },
        { "{\"access_token\":\"at2\",\"token_type\":\"bearer\","
          "\"refresh_token\":\"rt2\"}", OAUTH2_OK, "rt2", "old@corp.example" },
        { TOKEN(EMAIL), OAUTH2_OK, "rt", "a@corp.example" },
        { TOKEN("\"nonce2\":1," EMAIL), OAUTH2_OK, "rt", "a@corp.example" },
        { "{\"error\":\"invalid_grant\"}", OAUTH2_GRANT, NULL, NULL }
    };

    old = torii_arena_zalloc(test_arena, sizeof(oauth2_session_t));
    old->sub = torii_str("alice");
    old->email = torii_str("old@corp.example");
    old->refresh_token = torii_str("rt1");
    old->created = TEST_NOW - 1000;
    old->expires = TEST_NOW + 5000;
    old->ngroups = 1;
    old->groups[0] = torii_str("devs");

    for (i = 0; i < 5; i++) {
        test_provider(&p, "oidc", "");
        p.wants_groups = 0;

        x = oauth2_exchange_create(&p, test_set);
        oauth2_exchange_refresh(x, old);

        memset(&res, 0, sizeof(oauth2_response_t));
        res.status = 200;
        res.body = test_body(&p, cases[i].body);
        step = oauth2_exchange_answer(x, TEST_NOW, &res);

        (void) oauth2_exchange_session(x, TEST_NOW, &test_life,
                                       &test_projection, OAUTH2_KEEP_REFRESH,
                                       &test_session);

        tap_ok(oauth2_exchange_fail(x) == cases[i].fail
               && (cases[i].fail != OAUTH2_OK
                   || (step == OAUTH2_EXCHANGE_DONE
                       && torii_str_eqs(test_session.refresh_token,
                                        cases[i].refresh)
                       && torii_str_eqs(test_session.email, cases[i].email)
                       && test_session.created == old->created
                       && test_session.expires == old->expires
                       && test_session.seen == TEST_NOW
                       && test_session.access_token.len == 0)),
               "refresh %d: %s", i,
               oauth2_fail_name(oauth2_exchange_fail(x)));

        oauth2_exchange_free(x);
    }

    old->sub = torii_str("bob");
    x = oauth2_exchange_create(&p, test_set);
    oauth2_exchange_refresh(x, old);
    res.body = test_body(&p, TOKEN(EMAIL));
    oauth2_exchange_answer(x, TEST_NOW, &res);
    tap_ok(oauth2_exchange_fail(x) == OAUTH2_CLAIM_SUB,
           "refresh: somebody else's token");
    oauth2_exchange_free(x);
}


/* Thousands of groups, of which those are kept that something asks for. */

static void
test_projected(void)
{
    unsigned              i;
    torii_buf_t           b;
    oauth2_exchange_t    *x;
    oauth2_response_t     res;
    oauth2_provider_t     p;
    oauth2_projection_t   all;

    test_provider(&p, "oidc", "");

    memset(&b, 0, sizeof(torii_buf_t));
    torii_buf_adds(&b, "{\"sub\":\"alice\"," EMAIL ",\"dept\":7,\"realm\":{"
                       "\"roles\":[\"r1\",\"r,2\",\"r3\"]},\"groups\":[");

    for (i = 0; i < 3000; i++) {
        torii_buf_printf(&b, "\"11111111-2222-3333-4444-%012u\",", i);
    }

    torii_buf_adds(&b, "\"ops\"]}");

    x = oauth2_exchange_create(&p, test_set);
    oauth2_exchange_code(x, torii_str("c"), torii_str("u"), torii_str("v"),
                         torii_str(TEST_NONCE));

    memset(&res, 0, sizeof(oauth2_response_t));
    res.status = 200;
    res.body = test_body(&p, TOKEN("\"name\":\"A\""));
    oauth2_exchange_answer(x, TEST_NOW, &res);
    res.body = make_str(&b);

    tap_ok(oauth2_exchange_answer(x, TEST_NOW, &res) == OAUTH2_EXCHANGE_DONE
           && oauth2_exchange_session(x, TEST_NOW, &test_life,
                                      &test_projection, 0, &test_session)
              == OAUTH2_OK
           && test_session.ngroups == 1
           && torii_str_eqs(test_session.groups[0], "ops")
           && test_session.refresh_token.len == 0,
           "of 3001 groups the one that is asked for");

    tap_ok(test_session.nclaims == 2
           && torii_str_eqs(test_session.values[0], "7")
           && torii_str_eqs(test_session.values[1], "r1,r3"),
           "and claims by name and by pointer");

    all = test_projection;
    all.all_groups = 1;
    tap_ok(oauth2_exchange_session(x, TEST_NOW, &test_life, &all, 0,
                                   &test_session) == OAUTH2_SESSION_SIZE,
           "all of them are too many");

    oauth2_exchange_free(x);
    torii_buf_free(&b);
}


static void
test_pages(void)
{
    int                      more;
    char                     url[128];
    unsigned                 i, n;
    torii_buf_t              b;
    oauth2_exchange_e        step;
    oauth2_response_t        res;
    oauth2_exchange_t       *x;
    oauth2_provider_t        p;
    const oauth2_request_t  *req;

    test_provider(&p, "github", "");

    memset(&b, 0, sizeof(torii_buf_t));
    torii_buf_adds(&b, "[");

    for (i = 0; i < 50; i++) {
        torii_buf_printf(&b, "%s{\"login\":\"org%u\"}", i ? "," : "", i);
    }

    torii_buf_adds(&b, "]");

    x = oauth2_exchange_create(&p, test_set);
    oauth2_exchange_code(x, torii_str("c"), torii_str("u"), torii_str("v"),
                         torii_str("n"));

    memset(&res, 0, sizeof(oauth2_response_t));
    res.status = 200;
    res.body = torii_str(TOKEN_PLAIN);
    oauth2_exchange_answer(x, TEST_NOW, &res);
    res.body = torii_str("{\"id\":1,\"login\":\"octo\"}");
    oauth2_exchange_answer(x, TEST_NOW, &res);
    res.body = torii_str("[]");
    step = oauth2_exchange_answer(x, TEST_NOW, &res);

    more = 1;
    res.body = make_str(&b);

    for (n = 0; n < 100 && step == OAUTH2_EXCHANGE_SEND; n++) {
        req = oauth2_exchange_request(x);
        snprintf(url, sizeof(url), GH "/user/orgs?per_page=50&page=%u", n + 1);

        if (!torii_str_eqs(req->url, url)) {
            break;
        }

        more = more && torii_str_eqs(req->authorization, "Bearer gho_x");
        step = oauth2_exchange_answer(x, TEST_NOW, &res);
    }

    tap_ok(n == OAUTH2_PAGES_MAX && more, "%u pages of a list, not more", n);

    oauth2_exchange_free(x);
    torii_buf_free(&b);
}


static void
test_types(void)
{
    oauth2_provider_t  p;

    tap_ok(oauth2_provider_type(torii_str("oidc"))
           && oauth2_provider_type(torii_str("keycloak-oidc"))
           && !oauth2_provider_type(torii_str("OIDC"))
           && !oauth2_provider_type(torii_str("")), "types by name");

    test_provider(&p, "github", "");
    tap_ok(p.ready && torii_str_eqs(p.endpoints.authorization,
                                    "https://github.com/login/oauth/authorize"),
           "GitHub needs no discovery");

    p.issuer = torii_str("https://git.corp.example/");
    tap_ok(oauth2_provider_init(test_arena, &p) == NULL
           && torii_str_eqs(p.endpoints.token, "https://git.corp.example/login/"
                            "oauth/access_token"), "nor does its own server");

    test_provider(&p, "gitlab", "projects=a/b=5");
    tap_ok(oauth2_provider_init(test_arena, &p) != NULL, "a project's level");

    test_provider(&p, "oidc", "");
    p.issuer = torii_str("");
    tap_ok(oauth2_provider_init(test_arena, &p) != NULL, "no issuer");
    p.issuer = torii_str("http://id.example");
    tap_ok(oauth2_provider_init(test_arena, &p) != NULL, "one without TLS");
    p.issuer = torii_str("https://id.example");
    p.skew = 301;
    tap_ok(oauth2_provider_init(test_arena, &p) != NULL, "clocks too far off");
    p.skew = 0;
    p.client_id = torii_str("");
    tap_ok(oauth2_provider_init(test_arena, &p) != NULL, "no client");
    p.client_id = torii_str("gw");
    p.secrets[0] = torii_str("a\nb");
    tap_ok(oauth2_provider_init(test_arena, &p) != NULL, "a secret's newline");
}


int
main(void)
{
    const char           *error;
    torii_buf_t           b;
    const test_script_t  *t;

    test_arena = torii_arena_create(4096);
    test_key = torii_key_generate(TORII_KEY_EC_P256);

    memset(&b, 0, sizeof(torii_buf_t));
    torii_buf_adds(&b, "{\"keys\":[");
    make_jwk(&b, test_key, "\"kid\":\"k\"");
    torii_buf_adds(&b, "]}");
    test_set = torii_jwks_read(make_str(&b), &error);
    torii_buf_free(&b);

    test_projection.groups = test_wanted;
    test_projection.ngroups = 4;
    test_projection.claims = test_names;
    test_projection.nclaims = 2;

    for (t = test_scripts; t->name; t++) {
        test_script(t);
    }

    test_request();
    test_rotation();
    test_signed_info();
    test_refresh();
    test_projected();
    test_pages();
    test_types();

    tap_ok(ERR_peek_error() == 0, "no error is left behind");

    torii_jwks_free(test_set);
    EVP_PKEY_free(test_key);
    torii_arena_destroy(test_arena);

    return tap_done();
}
