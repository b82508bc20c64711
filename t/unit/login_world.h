
/*
 * For tests of logins in a table: a world whose gateway has a namespace and a
 * ConfigMap, and what is found there for a request.
 */

#ifndef _LOGIN_WORLD_H_INCLUDED_
#define _LOGIN_WORLD_H_INCLUDED_


#include "login_make.h"
#include "world_make.h"


#define PROVIDER(path)                                                        \
    "secret " path " torii/oauth2-provider\ndata client-id x\n"

#define WEB(notes)                                                            \
    "ingress d/web 1\n" notes                                                 \
    "rule a.example Prefix / web:80\n"                                        \
    "tls - a.example\n"

#define NAMED(name)  WEB("note torii/oauth2 " name "\n")

#define OWN_URL      "note auth-url https://$host/oauth2/auth\n"
#define SIGNIN       "note auth-signin /oauth2/start\n"

#define OWN          "signin=/oauth2/start param=rd"
#define ASKED        "external url=https://{host}/oauth2/auth method=GET " OWN


static inline void
login_world(world_t *w)
{
    world_start(w);

    w->options.cluster_namespace = torii_str("edge");
    w->options.config = torii_str("edge/torii");
}


/* A NUL follows each. */

static inline const char *
login_str(const world_t *w, ingress_ref_t ref)
{
    return (const char *) world_str(w, ref).data;
}


static inline void
login_users(torii_buf_t *out, const world_t *w,
    const ingress_table_users_t *users)
{
    uint32_t                i;
    const ingress_entry_t  *entry;

    torii_buf_printf(out, "%susers %s ", out->len ? " " : "",
                     login_str(w, users->name));

    entry = (const void *) (w->t.pool + users->users.off);

    for (i = 0; i < users->users.len / sizeof(ingress_entry_t); i++) {
        torii_buf_printf(out, "%s%s=", i ? "," : "",
                         login_str(w, entry[i].name));
        torii_buf_adds(out, login_str(w, entry[i].value));
    }
}


/* What is found, as text with a NUL. */

static inline const char *
login_found(torii_buf_t *out, const world_t *w, const char *host,
    const char *uri)
{
    torii_buf_t                   text;
    ingress_match_t               match;
    const ingress_policy_t       *policy;
    const ingress_table_login_t  *login;

    out->len = 0;
    memset(&text, 0, sizeof(text));

    ingress_route_find(&w->t, w->regexes, torii_str(host), torii_str(uri),
                       &match);

    policy = &w->t.policies[match.route ? match.route->policy : 0];

    if (policy->deny) {
        torii_buf_printf(out, "deny %u", policy->deny);
        torii_buf_add(out, "", 1);
        return (const char *) out->data;
    }

    if (policy->login) {
        login = &w->t.logins[policy->login - 1];

        if (login->type == INGRESS_LOGIN_NATIVE) {
            torii_buf_printf(out, "native %s ",
                             login_str(w, w->t.providers[login->provider]
                                              .name));
        } else {
            torii_buf_adds(out, "external ");
        }

        login_text(&text, login, w->t.pool);
        torii_buf_add(out, text.data, text.len);
        torii_buf_free(&text);
    }

    if (policy->users) {
        login_users(out, w, &w->t.users[policy->users - 1]);
    }

    if (out->len == 0) {
        torii_buf_adds(out, "-");
    }

    torii_buf_add(out, "", 1);

    return (const char *) out->data;
}


static inline int
login_reason(const world_t *w, const char *reason)
{
    const ingress_finding_t  *f;

    for (f = w->findings.first; f; f = f->next) {
        if (strcmp(reason, "-") == 0 ? strncmp(f->reason, "Login", 5) == 0
                                     : strcmp(f->reason, reason) == 0)
        {
            return 1;
        }
    }

    return 0;
}


#endif /* _LOGIN_WORLD_H_INCLUDED_ */
