
/*
 * Who may enter, as "torii explain" tells it.  What a provider's Secret holds
 * is never shown, but its name.
 */

#include "torii_explain.h"


static void torii_login_native(torii_explain_t *e,
    const ingress_table_login_t *login);
static void torii_login_external(torii_explain_t *e,
    const ingress_table_login_t *login);
static void torii_login_list(torii_explain_t *e, const char *name,
    ingress_ref_t list, const char *empty);
static void torii_login_template(torii_explain_t *e, const char *name,
    ingress_ref_t list);
static void torii_login_users(torii_explain_t *e);


void
torii_report_login(torii_explain_t *e)
{
    const ingress_policy_t       *p;
    const ingress_table_login_t  *login;

    p = e->policy;

    if (p->login) {
        login = &e->table->logins[p->login - 1];

        if (login->type == INGRESS_LOGIN_NATIVE) {
            torii_login_native(e, login);

        } else {
            torii_login_external(e, login);
        }

        torii_login_template(e, "sign in", login->signin);

        if (login->flags & INGRESS_LOGIN_CHOSEN) {
            torii_login_list(e, "headers", login->response_headers, "none");
        }
    }

    if (p->users) {
        torii_login_users(e);
    }

    if (p->satisfy_any) {
        torii_report_fact(e, "satisfy", "one of allow, login and passwords is "
                          "enough");
    }
}


static void
torii_login_native(torii_explain_t *e, const ingress_table_login_t *login)
{
    torii_str_t                      name;
    const ingress_table_provider_t  *provider;

    provider = &e->table->providers[login->provider];
    name = ingress_table_str(e->table, provider->name);

    torii_report_fact(e, "login", "by %.*s%s%s%s", torii_str_arg(name),
                      login->flags & INGRESS_LOGIN_GLOBAL
                      ? ", as for all Ingresses" : "",
                      login->flags & INGRESS_LOGIN_API
                      ? "; nobody is redirected to log in" : "",
                      login->flags & INGRESS_LOGIN_OPTIONAL
                      ? "; who is not logged in passes" : "");

    if (login->flags & INGRESS_LOGIN_GROUPS) {
        torii_login_list(e, "groups", login->groups, "none: nobody passes");
    }

    if (login->write_groups.len) {
        torii_login_list(e, "write groups", login->write_groups, "");
    }

    if (login->flags & INGRESS_LOGIN_EMAILS) {
        torii_login_list(e, "emails", login->emails, "none: nobody passes");
    }

    if (login->flags & INGRESS_LOGIN_DOMAINS) {
        torii_login_list(e, "email domains", login->domains,
                         "none: nobody passes");
    }

    if (login->skip.len) {
        torii_login_list(e, "without login", login->skip, "");
    }
}


static void
torii_login_external(torii_explain_t *e, const ingress_table_login_t *login)
{
    torii_str_t  method;

    method = ingress_table_str(e->table, login->method);

    torii_report_fact(e, "login", "another server is asked, by %.*s%s%s",
                      torii_str_arg(method),
                      login->flags & INGRESS_LOGIN_GLOBAL
                      ? ", as for all Ingresses" : "",
                      login->cache_key.len ? "; its answers are kept" : "");

    torii_login_template(e, "asked", login->url);
}


static void
torii_login_list(torii_explain_t *e, const char *name, ingress_ref_t list,
    const char *empty)
{
    uint32_t              i, n;
    torii_buf_t           b;
    torii_str_t           refs, value;
    const ingress_ref_t  *ref;

    refs = ingress_table_str(e->table, list);
    ref = (const ingress_ref_t *) refs.data;
    n = refs.len / sizeof(ingress_ref_t);

    memset(&b, 0, sizeof(b));

    for (i = 0; i < n; i++) {
        torii_buf_adds(&b, i ? ", " : "");
        torii_buf_add_str(&b, ingress_table_str(e->table, ref[i]));
    }

    value.data = b.data;
    value.len = b.len;

    torii_report_str(e, name, n ? value : torii_str(empty), NULL);
    torii_buf_free(&b);
}


static void
torii_login_template(torii_explain_t *e, const char *name, ingress_ref_t list)
{
    uint32_t                        i, n;
    torii_buf_t                     b;
    torii_str_t                     parts, value;
    const ingress_template_part_t  *part;

    parts = ingress_table_str(e->table, list);
    part = (const ingress_template_part_t *) parts.data;
    n = parts.len / sizeof(ingress_template_part_t);

    if (n == 0) {
        return;
    }

    memset(&b, 0, sizeof(b));

    for (i = 0; i < n; i++) {

        if (part[i].name.len) {
            value = ingress_table_str(e->table, part[i].name);
            torii_buf_printf(&b, "${%.*s}", torii_str_arg(value));

        } else {
            torii_buf_add_str(&b, ingress_table_str(e->table, part[i].value));
        }
    }

    value.data = b.data;
    value.len = b.len;

    torii_report_str(e, name, value, NULL);
    torii_buf_free(&b);
}


static void
torii_login_users(torii_explain_t *e)
{
    uint32_t                      n;
    torii_str_t                   name;
    const ingress_table_users_t  *users;

    users = &e->table->users[e->policy->users - 1];

    name = ingress_table_str(e->table, users->name);
    n = users->users.len / sizeof(ingress_entry_t);

    torii_report_fact(e, "passwords", "of %.*s, %u user%s",
                      torii_str_arg(name), n, n == 1 ? "" : "s");
}
