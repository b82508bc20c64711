
/*
 * Torii's own annotations of logins, "torii/auth-…" and "torii/oauth2…".
 */

#include "ingress_login_list.h"


#define GATE   INGRESS_SETTING_GATE
#define LINES  INGRESS_SETTING_LINES

#define A(field)  offsetof(ingress_annotations_t, field)
#define L(field)  offsetof(ingress_login_setting_t, field)

#define ROUTE                                                                 \
    INGRESS_ENFORCED, INGRESS_SCOPE_ROUTE, INGRESS_BAD_DENY

#define INGRESS_LOGIN_COMMAS  ",\r\n"
#define INGRESS_LOGIN_BLANKS  " \t\r\n"

#define INGRESS_LOGIN_PREFIX  "torii/"


/* In order of name. */

static const ingress_setting_t  ingress_login_rows[] = {

    { "torii/auth-relay-denials", ROUTE, 0,
      ingress_set_login_flag, 0, INGRESS_LOGIN_RELAY, 0, NULL, "false",
      "denials of the login service are passed on whole" },
    { "torii/oauth2", ROUTE, GATE, ingress_set_login_provider,
      A(login.provider_namespace), 0, 0, NULL, "",
      "login by this provider: NAME or NAMESPACE/NAME of a Secret of type "
      "torii/oauth2-provider" },
    { "torii/oauth2-allowed-email-domains", ROUTE, GATE | LINES,
      ingress_set_login_list, L(record.domains), INGRESS_LOGIN_DOMAINS,
      INGRESS_LOGIN_LIMITS, INGRESS_LOGIN_COMMAS, "",
      "only e-mail addresses of these domains, by commas" },
    { "torii/oauth2-allowed-emails", ROUTE, GATE | LINES,
      ingress_set_login_list, L(record.emails), INGRESS_LOGIN_EMAILS,
      INGRESS_LOGIN_LIMITS, INGRESS_LOGIN_COMMAS, "",
      "only these e-mail addresses, by commas" },
    { "torii/oauth2-allowed-groups", ROUTE, GATE | LINES,
      ingress_set_login_list, L(record.groups), INGRESS_LOGIN_GROUPS,
      INGRESS_LOGIN_LIMITS, INGRESS_LOGIN_COMMAS, "",
      "only members of one of these groups, by commas" },
    { "torii/oauth2-api", ROUTE, 0,
      ingress_set_login_flag, 0, INGRESS_LOGIN_API,
      INGRESS_LOGIN_LIMITS, NULL, "false",
      "clients are programs: 401, never a redirect to log in" },
    { "torii/oauth2-optional", ROUTE, 0,
      ingress_set_login_flag, 0, INGRESS_LOGIN_OPTIONAL,
      INGRESS_LOGIN_OPENS, NULL, "false",
      "who is not logged in passes, without headers of a login" },
    { "torii/oauth2-skip-auth-routes", ROUTE, GATE | LINES,
      ingress_set_login_list, L(record.skip), 0,
      INGRESS_LOGIN_OPENS, INGRESS_LOGIN_BLANKS, "",
      "paths without login: REGEX or METHOD=REGEX, by blanks" },
    { "torii/oauth2-write-groups", ROUTE, GATE | LINES,
      ingress_set_login_list, L(record.write_groups), 0,
      INGRESS_LOGIN_LIMITS, INGRESS_LOGIN_COMMAS, "",
      "groups for all methods but GET, HEAD and OPTIONS, by commas" },
};

#define INGRESS_LOGIN_N                                                       \
    (sizeof(ingress_login_rows) / sizeof(ingress_login_rows[0]))


/*
 * s->field is the name whole.  One that begins as ours do was meant to protect
 * something, or may have been.
 */

int
ingress_login_annotation(ingress_setter_t *s)
{
    unsigned                  distance;
    const ingress_setting_t  *row, *near;

    row = ingress_setting_find(ingress_login_rows, INGRESS_LOGIN_N, s->field);

    if (row) {
        (void) ingress_setting_apply(s, row, s->value);
        return 1;
    }

    near = ingress_setting_near(ingress_login_rows, INGRESS_LOGIN_N, s->field,
                                &distance);

    if (!torii_str_starts(s->field, INGRESS_LOGIN_PREFIX "oauth2")
        && (near == NULL || distance > 2))
    {
        return 0;
    }

    s->policy->deny |= INGRESS_DENY_ANNOTATION;

    ingress_setter_finding(s, INGRESS_ERROR, "UnknownAnnotation",
                           "is no annotation; did you mean \"%s\"? (until "
                           "then all paths of this Ingress answer 503)",
                           near ? near->name : "torii/oauth2");

    return 1;
}


void
ingress_login_each(ingress_setting_visit_pt visit, void *data)
{
    uint32_t                i;
    ingress_setting_info_t  info;

    for (i = 0; i < INGRESS_LOGIN_N; i++) {
        ingress_setting_info(&ingress_login_rows[i], &info);
        visit(data, &info);
    }
}
