
/*
 * Checking the records of a table that say who may enter.
 */

#include "ingress_table_ref.h"


#define INGRESS_LOGIN_FLAGS                                                   \
    (INGRESS_LOGIN_EMAILS | INGRESS_LOGIN_DOMAINS | INGRESS_LOGIN_GROUPS      \
     | INGRESS_LOGIN_API | INGRESS_LOGIN_OPTIONAL | INGRESS_LOGIN_SET_COOKIE  \
     | INGRESS_LOGIN_METHOD | INGRESS_LOGIN_RELAY | INGRESS_LOGIN_GLOBAL      \
     | INGRESS_LOGIN_CHOSEN | INGRESS_LOGIN_LOCAL)


typedef int (*ingress_table_list_pt)(const ingress_table_t *t,
    ingress_ref_t ref);

typedef struct {
    uint16_t                offset;      /* in ingress_table_login_t */
    ingress_table_list_pt   check;
} ingress_table_field_t;


static const char *ingress_table_check_providers(const ingress_table_t *t);
static const char *ingress_table_check_login(const ingress_table_t *t,
    const ingress_table_login_t *login);
static const char *ingress_table_check_users(const ingress_table_t *t);
static int ingress_table_text(const ingress_table_t *t, ingress_ref_t ref);
static int ingress_table_strings(const ingress_table_t *t, ingress_ref_t ref);
static int ingress_table_template(const ingress_table_t *t, ingress_ref_t ref);
static int ingress_table_headers(const ingress_table_t *t, ingress_ref_t ref);
static int ingress_table_rules(const ingress_table_t *t, ingress_ref_t ref);
static int ingress_table_sorted(const ingress_table_t *t, ingress_ref_t ref);


#define ingress_table_field(name, check)                                      \
    { offsetof(ingress_table_login_t, name), check }

static const ingress_table_field_t  ingress_table_login_fields[] = {
    ingress_table_field(emails, ingress_table_strings),
    ingress_table_field(domains, ingress_table_strings),
    ingress_table_field(groups, ingress_table_strings),
    ingress_table_field(skip, ingress_table_strings),
    ingress_table_field(write_groups, ingress_table_strings),
    ingress_table_field(url, ingress_table_template),
    ingress_table_field(method, ingress_table_text),
    ingress_table_field(request_redirect, ingress_table_template),
    ingress_table_field(set_headers, ingress_table_headers),
    ingress_table_field(cache_key, ingress_table_template),
    ingress_table_field(cache_rules, ingress_table_rules),
    ingress_table_field(signin, ingress_table_template),
    ingress_table_field(signin_param, ingress_table_text),
    ingress_table_field(response_headers, ingress_table_strings)
};

#define INGRESS_TABLE_LOGIN_N                                                 \
    (sizeof(ingress_table_login_fields)                                       \
     / sizeof(ingress_table_login_fields[0]))


const char *
ingress_table_check_logins(const ingress_table_t *t)
{
    uint32_t     i, n;
    const char  *what;

    what = ingress_table_check_providers(t);
    if (what) {
        return what;
    }

    n = ingress_table_n(t, LOGINS);

    for (i = 0; i < n; i++) {
        what = ingress_table_check_login(t, &t->logins[i]);
        if (what) {
            return what;
        }
    }

    return ingress_table_check_users(t);
}


/* Settings and users are looked up by halving, so they have to be sorted. */

static const char *
ingress_table_check_providers(const ingress_table_t *t)
{
    uint32_t                         i, n;
    torii_str_t                      name, before;
    const ingress_table_provider_t  *p;

    p = t->providers;
    n = ingress_table_n(t, PROVIDERS);

    before.len = 0;
    before.data = NULL;

    for (i = 0; i < n; i++) {
        if (!ingress_table_ref(t, p[i].name)
            || !ingress_table_entries(t, p[i].settings)
            || !ingress_table_ref(t, p[i].discovery)
            || !ingress_table_ref(t, p[i].keys)
            || !ingress_table_entries(t, p[i].issuers)
            || !ingress_table_strings(t, p[i].groups))
        {
            return "a login provider is out of bounds";
        }

        if (!ingress_table_sorted(t, p[i].settings)
            || !ingress_table_sorted(t, p[i].issuers))
        {
            return "settings of a login provider are not sorted";
        }

        name = ingress_table_str(t, p[i].name);

        if (torii_str_cmp(before, name) >= 0) {
            return "login providers are not sorted";
        }

        before = name;
    }

    return NULL;
}


static const char *
ingress_table_check_login(const ingress_table_t *t,
    const ingress_table_login_t *login)
{
    uint32_t                      i;
    ingress_ref_t                 ref;
    const ingress_table_field_t  *field;

    for (i = 0; i < INGRESS_TABLE_LOGIN_N; i++) {
        field = &ingress_table_login_fields[i];

        memcpy(&ref, (const char *) login + field->offset, sizeof(ref));

        if (!field->check(t, ref)) {
            return "a login is out of bounds";
        }
    }

    if (login->flags & ~INGRESS_LOGIN_FLAGS) {
        return "a login has an unknown setting";
    }

    switch (login->type) {

    case INGRESS_LOGIN_NATIVE:
        if (login->provider >= ingress_table_n(t, PROVIDERS)) {
            return "a login has no provider";
        }

        return NULL;

    case INGRESS_LOGIN_EXTERNAL:
        if (login->url.len == 0 || login->method.len == 0) {
            return "a login has no address to ask";
        }

        return NULL;

    default:
        return "a login is of an unknown kind";
    }
}


static const char *
ingress_table_check_users(const ingress_table_t *t)
{
    uint32_t                      i, n;
    const ingress_table_users_t  *users;

    users = t->users;
    n = ingress_table_n(t, USERS);

    for (i = 0; i < n; i++) {
        if (!ingress_table_ref(t, users[i].name)
            || !ingress_table_entries(t, users[i].users))
        {
            return "a list of users is out of bounds";
        }

        if (!ingress_table_sorted(t, users[i].users)) {
            return "users are not sorted";
        }
    }

    return NULL;
}


static int
ingress_table_text(const ingress_table_t *t, ingress_ref_t ref)
{
    return ingress_table_ref(t, ref);
}


static int
ingress_table_strings(const ingress_table_t *t, ingress_ref_t ref)
{
    uint32_t              i, n;
    const ingress_ref_t  *refs;

    if (!ingress_table_array(t, ref, sizeof(ingress_ref_t))) {
        return 0;
    }

    refs = (const ingress_ref_t *) ingress_table_str(t, ref).data;
    n = ref.len / sizeof(ingress_ref_t);

    for (i = 0; i < n; i++) {
        if (!ingress_table_ref(t, refs[i])) {
            return 0;
        }
    }

    return 1;
}


/* A variable that is not of the list would have no value to put there. */

static int
ingress_table_template(const ingress_table_t *t, ingress_ref_t ref)
{
    uint32_t                        i, n;
    const ingress_template_part_t  *part;

    if (!ingress_table_array(t, ref, sizeof(ingress_template_part_t))) {
        return 0;
    }

    part = (const ingress_template_part_t *) ingress_table_str(t, ref).data;
    n = ref.len / sizeof(ingress_template_part_t);

    for (i = 0; i < n; i++) {
        if (!ingress_table_ref(t, part[i].name)
            || !ingress_table_ref(t, part[i].value))
        {
            return 0;
        }

        if (part[i].name.len
            && !ingress_login_variable(ingress_table_str(t, part[i].name)))
        {
            return 0;
        }
    }

    return 1;
}


static int
ingress_table_headers(const ingress_table_t *t, ingress_ref_t ref)
{
    uint32_t                       i, n;
    const ingress_login_header_t  *header;

    if (!ingress_table_array(t, ref, sizeof(ingress_login_header_t))) {
        return 0;
    }

    header = (const ingress_login_header_t *) ingress_table_str(t, ref).data;
    n = ref.len / sizeof(ingress_login_header_t);

    for (i = 0; i < n; i++) {
        if (header[i].name.len == 0
            || !ingress_table_ref(t, header[i].name)
            || !ingress_table_template(t, header[i].value))
        {
            return 0;
        }
    }

    return 1;
}


static int
ingress_table_rules(const ingress_table_t *t, ingress_ref_t ref)
{
    uint32_t                     i, n;
    const ingress_cache_rule_t  *rule;

    if (!ingress_table_array(t, ref, sizeof(ingress_cache_rule_t))) {
        return 0;
    }

    rule = (const ingress_cache_rule_t *) ingress_table_str(t, ref).data;
    n = ref.len / sizeof(ingress_cache_rule_t);

    for (i = 0; i < n; i++) {
        if (rule[i].status > 599) {
            return 0;
        }
    }

    return 1;
}


/* Each name once, in the order of their bytes. */

static int
ingress_table_sorted(const ingress_table_t *t, ingress_ref_t ref)
{
    uint32_t                i, n;
    torii_str_t             name, before;
    const ingress_entry_t  *entry;

    entry = (const ingress_entry_t *) ingress_table_str(t, ref).data;
    n = ref.len / sizeof(ingress_entry_t);

    before.len = 0;
    before.data = NULL;

    for (i = 0; i < n; i++) {
        name = ingress_table_str(t, entry[i].name);

        if (torii_str_cmp(before, name) >= 0) {
            return 0;
        }

        before = name;
    }

    return 1;
}
