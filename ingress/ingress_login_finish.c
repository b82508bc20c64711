
/*
 * What the settings of a login say together, and which of them are in force:
 * an Ingress' own, or those of the ConfigMap for all.
 */

#include "ingress_login_list.h"


/* What has no meaning without a login; a part of one was meant to have it. */

typedef struct {
    const char    *name;
    uint8_t        given;        /* INGRESS_LOGIN_PART, INGRESS_LOGIN_DETAIL */
} ingress_login_part_t;


static void ingress_login_relay(ingress_setter_t *s);
static void ingress_login_own(ingress_setter_t *s);
static void ingress_login_global(ingress_setter_t *s);
static void ingress_login_none(ingress_setter_t *s);
static void ingress_login_flags(ingress_setter_t *s);
static void ingress_login_defaults(ingress_setter_t *s);
static void ingress_login_lists(ingress_setter_t *s);
static void ingress_login_either(ingress_setter_t *s, uint32_t flag,
    ingress_ref_t *ref, ingress_ref_t query);
static int ingress_login_everywhere(const ingress_setter_t *s);
static void ingress_login_users(ingress_setter_t *s);
static void ingress_login_satisfy(ingress_setter_t *s);
static int ingress_login_about(ingress_setter_t *s, const char *name);
static void ingress_login_deny(ingress_setter_t *s, const char *name,
    const char *message);


static const ingress_login_part_t  ingress_login_parts[] = {
    { "auth-always-set-cookie", INGRESS_LOGIN_DETAIL },
    { "auth-cache-duration", INGRESS_LOGIN_DETAIL },
    { "auth-cache-key", INGRESS_LOGIN_DETAIL },
    { "auth-keepalive", INGRESS_LOGIN_DETAIL },
    { "auth-keepalive-requests", INGRESS_LOGIN_DETAIL },
    { "auth-keepalive-share-vars", INGRESS_LOGIN_DETAIL },
    { "auth-keepalive-timeout", INGRESS_LOGIN_DETAIL },
    { "auth-method", INGRESS_LOGIN_DETAIL },
    { "auth-proxy-set-headers", INGRESS_LOGIN_PART },
    { "auth-request-redirect", INGRESS_LOGIN_DETAIL },
    { "auth-response-headers", INGRESS_LOGIN_PART },
    { "auth-signin", INGRESS_LOGIN_PART },
    { "auth-signin-redirect-param", INGRESS_LOGIN_DETAIL },
    { "auth-snippet", INGRESS_LOGIN_PART },
    { NULL, 0 }
};


void
ingress_login_finish(ingress_setter_t *s)
{
    ingress_login_setting_t  *login;

    login = s->login;

    ingress_login_relay(s);

    if (login->asked) {
        ingress_login_own(s);

    } else if (s->global_auth && s->config->login.asked) {
        ingress_login_global(s);

    } else {
        ingress_login_none(s);
    }

    if (login->asked == 0) {
        memset(login, 0, sizeof(ingress_login_setting_t));
    }

    login->any_host &= ingress_login_everywhere(s);

    ingress_login_users(s);
    ingress_login_satisfy(s);
}


void
ingress_login_finish_config(ingress_setter_t *s)
{
    ingress_login_setting_t  *login;

    login = s->login;

    if (login->asked == 0) {
        memset(login, 0, sizeof(ingress_login_setting_t));
        return;
    }

    login->record.flags |= INGRESS_LOGIN_GLOBAL;

    ingress_login_flags(s);
    ingress_login_defaults(s);
    ingress_login_lists(s);
}


/* Where no other server is asked, there is nothing of it to pass on. */

static void
ingress_login_relay(ingress_setter_t *s)
{
    ingress_login_setting_t  *login;

    login = s->login;

    if (!(login->record.flags & INGRESS_LOGIN_RELAY)
        || (login->asked & INGRESS_LOGIN_BY_URL)
        || (login->asked == 0 && s->global_auth && s->config->login.asked))
    {
        return;
    }

    login->record.flags &= ~INGRESS_LOGIN_RELAY;

    s->field = torii_str("torii/auth-relay-denials");
    s->value.len = 0;
    s->line = s->object->line;

    ingress_setter_finding(s, INGRESS_WARNING, "NoEffect",
                           "has no effect without auth-url");
}


static void
ingress_login_own(ingress_setter_t *s)
{
    ingress_login_setting_t  *login;

    login = s->login;

    if ((login->asked & INGRESS_LOGIN_BY_NAME)
        && (login->asked & INGRESS_LOGIN_BY_URL)
        && login->own == INGRESS_LOGIN_FOREIGN)
    {
        ingress_login_deny(s, "auth-url", "asks another server, while "
                           "torii/oauth2 names a provider; remove one of them");
    }

    ingress_login_flags(s);
    ingress_login_defaults(s);
    ingress_login_lists(s);
}


/* The Ingress' own lists narrow what the ConfigMap asks for. */

static void
ingress_login_global(ingress_setter_t *s)
{
    ingress_login_setting_t      own, *login;
    const ingress_login_part_t  *part;

    for (part = ingress_login_parts; part->name; part++) {
        if (ingress_login_about(s, part->name)) {
            ingress_setter_finding(s, INGRESS_WARNING, "NoEffect",
                                   "has no effect without auth-url: the login "
                                   "is that of the ConfigMap's "
                                   "global-auth-url");
        }
    }

    login = s->login;
    memcpy(&own, login, sizeof(ingress_login_setting_t));

    memcpy(login, &s->config->login, sizeof(ingress_login_setting_t));
    ingress_login_move(login, s->config->pool.data, ingress_login_to_pool,
                       s->pool);

    login->given = own.given;
    login->record.flags |= own.record.flags
                           & (INGRESS_LOGIN_API | INGRESS_LOGIN_OPTIONAL
                              | INGRESS_LOGIN_RELAY);
    login->record.skip = own.record.skip;
    login->record.write_groups = own.record.write_groups;

    /* what the ConfigMap's own query asks for is in the lists already */

    login->emails = own.record.emails;
    login->domains = own.record.domains;
    login->groups = own.record.groups;
    login->query_flags = own.record.flags & INGRESS_LOGIN_LISTS;

    ingress_login_lists(s);
}


/*
 * ingress-nginx lets everybody pass in these cases, who may have been meant to
 * log in.
 */

static void
ingress_login_none(ingress_setter_t *s)
{
    const ingress_login_part_t  *part;

    for (part = ingress_login_parts; part->name; part++) {

        if (!ingress_login_about(s, part->name)) {
            continue;
        }

        if (part->given == INGRESS_LOGIN_PART) {
            ingress_login_deny(s, part->name, "is of a login, but there is "
                               "no auth-url");

        } else {
            ingress_setter_finding(s, INGRESS_WARNING, "NoEffect",
                                   "has no effect without auth-url");
        }
    }

    if (s->login->given) {
        ingress_login_deny(s, NULL, "the annotations torii/oauth2-... are of "
                           "a login, but there is none; write torii/oauth2");
    }
}


static void
ingress_login_flags(ingress_setter_t *s)
{
    ingress_table_login_t  *record;

    record = &s->login->record;

    if (s->set_cookie) {
        record->flags |= INGRESS_LOGIN_SET_COOKIE;
    }

    if (s->no_keepalive) {
        record->keepalive = 0;
    }

    /* OAuth2 Proxy was asked, and nobody was sent to log in */

    if ((s->login->asked & ~INGRESS_LOGIN_BY_NAME) && record->signin.len == 0) {
        record->flags |= INGRESS_LOGIN_API;
    }
}


static void
ingress_login_defaults(ingress_setter_t *s)
{
    ingress_table_login_t  *record;

    static const ingress_cache_rule_t  rules[] = {
        { 200, 300 }, { 202, 300 }, { 401, 300 }
    };

    record = &s->login->record;

    if (record->method.len == 0) {
        record->method = ingress_setter_str(s, torii_str("GET"));
    }

    if (record->signin_param.len == 0) {
        record->signin_param = ingress_setter_str(s, torii_str("rd"));
    }

    if (record->cache_key.len == 0) {
        record->cache_rules.len = 0;
        record->cache_rules.off = 0;

    } else if (record->cache_rules.len == 0) {
        record->cache_rules = ingress_pool_add(s->pool, rules, sizeof(rules));
    }
}


static void
ingress_login_lists(ingress_setter_t *s)
{
    ingress_login_setting_t  *login;

    login = s->login;

    ingress_login_either(s, INGRESS_LOGIN_EMAILS, &login->record.emails,
                         login->emails);
    ingress_login_either(s, INGRESS_LOGIN_DOMAINS, &login->record.domains,
                         login->domains);
    ingress_login_either(s, INGRESS_LOGIN_GROUPS, &login->record.groups,
                         login->groups);

    memset(&login->emails, 0, sizeof(ingress_ref_t));
    memset(&login->domains, 0, sizeof(ingress_ref_t));
    memset(&login->groups, 0, sizeof(ingress_ref_t));
    login->query_flags = 0;
}


/* Two lists of one kind would both have to agree, which a record cannot say. */

static void
ingress_login_either(ingress_setter_t *s, uint32_t flag, ingress_ref_t *ref,
    ingress_ref_t query)
{
    ingress_login_setting_t  *login;

    login = s->login;

    if ((login->query_flags & flag) == 0) {
        return;
    }

    if (login->record.flags & flag) {
        ingress_login_deny(s, NULL, "who may enter is said twice, by "
                           "torii/oauth2-allowed-... and in the query of the "
                           "auth-url; remove one of them");
        return;
    }

    login->record.flags |= flag;
    *ref = query;
}


/* Whether it answers for names that its author does not know. */

static int
ingress_login_everywhere(const ingress_setter_t *s)
{
    uint32_t                  i;
    torii_str_t               aliases;
    const ingress_pair_t     *pair;
    const ingress_ingress_t  *ing;

    ing = &s->object->u.ingress;

    if (ing->nrules == 0) {
        return 1;
    }

    for (i = 0; i < ing->nrules; i++) {
        if (ing->rules[i].host.len == 0) {
            return 1;
        }
    }

    pair = ingress_setter_given(s, "server-alias");
    if (pair == NULL) {
        return 0;
    }

    aliases = pair->value;

    return aliases.len && memchr(aliases.data, '~', aliases.len) != NULL;
}


/* Passwords need all of it: that they are asked for, and which. */

static void
ingress_login_users(ingress_setter_t *s)
{
    ingress_annotations_t  *out;

    out = s->base;

    if (out->basic && out->users_secret.len == 0) {
        ingress_login_deny(s, "auth-type", "asks for passwords, but there is "
                           "no auth-secret to know them by");
        return;
    }

    if (out->basic) {
        return;
    }

    if (out->users_secret.len) {
        ingress_login_deny(s, "auth-secret", "names passwords, but there is no "
                           "auth-type; write \"basic\"");
    }

    if (s->policy->realm.len) {
        (void) ingress_login_about(s, "auth-realm");
        ingress_setter_finding(s, INGRESS_WARNING, "NoEffect",
                               "has no effect without auth-type");
    }

    memset(&s->policy->realm, 0, sizeof(ingress_ref_t));
    memset(&out->users_namespace, 0, sizeof(ingress_ref_t));
    memset(&out->users_secret, 0, sizeof(ingress_ref_t));
    out->users_map = 0;
}


/* Of one check alone, any is all. */

static void
ingress_login_satisfy(ingress_setter_t *s)
{
    unsigned                n;
    ingress_annotations_t  *out;

    out = s->base;

    n = (s->policy->allow.len != 0) + (out->users_secret.len != 0)
        + (s->login->asked != 0);

    s->policy->satisfy_any = (s->satisfy && n > 1);
}


/* Findings that follow are about this annotation.  Returns 0: it is not set. */

static int
ingress_login_about(ingress_setter_t *s, const char *name)
{
    const ingress_pair_t  *pair;

    pair = ingress_setter_given(s, name);

    if (pair == NULL || torii_str_trim(pair->value).len == 0) {
        return 0;
    }

    s->field = pair->name;
    s->value = pair->value;
    s->line = pair->line;

    return 1;
}


/* name NULL: of no annotation alone. */

static void
ingress_login_deny(ingress_setter_t *s, const char *name, const char *message)
{
    if (name == NULL || !ingress_login_about(s, name)) {
        s->field = torii_str("metadata.annotations");
        s->value.len = 0;
        s->line = s->object->line;
    }

    s->policy->deny |= INGRESS_DENY_ANNOTATION;

    ingress_setter_finding(s, INGRESS_ERROR, "InvalidAnnotation",
                           "%s (until then all paths of this Ingress answer "
                           "503)", message);
}
