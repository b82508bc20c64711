
/*
 * Who may enter.
 */

#include "oauth2_form.h"
#include "oauth2_policy.h"


#define OAUTH2_EMAIL_MAX  254


int
oauth2_email_ok(torii_str_t email)
{
    size_t  i, at, n;

    at = 0;
    n = 0;

    for (i = 0; i < email.len; i++) {

        if (email.data[i] <= 0x20 || email.data[i] == 0x7f
            || email.data[i] == ',')
        {
            return 0;
        }

        if (email.data[i] == '@') {
            at = i;
            n++;
        }
    }

    return n == 1 && at > 0 && at + 1 < email.len
           && email.len <= OAUTH2_EMAIL_MAX;
}


static torii_str_t
oauth2_email_domain(torii_str_t email)
{
    torii_str_t  local;

    (void) torii_str_next(&email, "@", &local);

    return email;
}


/* On the boundary of a label: "evil-corp.example" is not in "corp.example". */

int
oauth2_email_in(torii_str_t email, torii_str_t domain)
{
    int          sub;
    torii_str_t  host, tail;

    if (!oauth2_email_ok(email)) {
        return 0;
    }

    if (torii_str_eqs(domain, "*")) {
        return 1;
    }

    if (torii_str_starts(domain, "*.")) {
        domain.data++;
        domain.len--;
    }

    sub = torii_str_starts(domain, ".");

    if (sub) {
        domain.data++;
        domain.len--;
    }

    host = oauth2_email_domain(email);

    if (domain.len == 0) {
        return 0;
    }

    if (torii_str_caseeq(host, domain)) {
        return 1;
    }

    if (!sub || host.len <= domain.len + 1) {
        return 0;
    }

    tail.data = host.data + host.len - domain.len;
    tail.len = domain.len;

    return tail.data[-1] == '.' && torii_str_caseeq(tail, domain);
}


const char *
oauth2_policy_add(torii_arena_t *a, oauth2_list_t *list, torii_str_t values)
{
    torii_str_t  value;

    list->given = 1;

    if (list->items == NULL) {
        list->items = torii_arena_alloc(a, OAUTH2_POLICY_MAX
                                           * sizeof(torii_str_t));
    }

    while (torii_str_next(&values, ",", &value)) {
        value = torii_str_trim(value);

        if (value.len == 0) {
            continue;
        }

        if (torii_str_has_control(value) || value.len > OAUTH2_CLAIM_MAX) {
            return "has a value that is too long or has control bytes";
        }

        if (list->n == OAUTH2_POLICY_MAX) {
            return "has more than 256 values";
        }

        list->items[list->n++] = torii_arena_str(a, value);
    }

    return NULL;
}


const char *
oauth2_policy_query(torii_arena_t *a, torii_str_t query,
    oauth2_policy_t *policy)
{
    size_t          k;
    uint32_t        i;
    const char     *error;
    oauth2_form_t   form;

    static const struct {
        const char  *name;
        size_t       offset;
    } lists[] = {
        { "allowed_emails", offsetof(oauth2_policy_t, emails) },
        { "allowed_email_domains", offsetof(oauth2_policy_t, domains) },
        { "allowed_groups", offsetof(oauth2_policy_t, groups) }
    };

    memset(policy, 0, sizeof(oauth2_policy_t));

    if (oauth2_form_read(a, query, &form) != TORII_OK) {
        return "has a malformed query";
    }

    for (i = 0; i < form.n; i++) {

        for (k = 0; k < 3; k++) {
            if (torii_str_eqs(form.names[i], lists[k].name)) {
                break;
            }
        }

        if (k == 3) {
            return "has a parameter that is not known";
        }

        error = oauth2_policy_add(a, (oauth2_list_t *) ((char *) policy
                                                        + lists[k].offset),
                                  form.values[i]);
        if (error) {
            return error;
        }
    }

    return NULL;
}


static int
oauth2_policy_email(const oauth2_list_t *list, torii_str_t email)
{
    uint32_t  i;

    for (i = 0; i < list->n; i++) {
        if (torii_str_caseeq(list->items[i], email)) {
            return oauth2_email_ok(email);
        }
    }

    return 0;
}


static int
oauth2_policy_domain(const oauth2_list_t *list, torii_str_t email)
{
    uint32_t  i;

    for (i = 0; i < list->n; i++) {
        if (oauth2_email_in(email, list->items[i])) {
            return 1;
        }
    }

    return 0;
}


static int
oauth2_policy_group(const oauth2_list_t *list, const oauth2_session_t *s)
{
    uint32_t  i, k;

    for (i = 0; i < list->n; i++) {
        for (k = 0; k < s->ngroups; k++) {
            if (torii_str_eq(list->items[i], s->groups[k])) {
                return 1;
            }
        }
    }

    return 0;
}


/* "*" alone says that no address is asked for. */

static int
oauth2_policy_anyone(const oauth2_policy_t *policy)
{
    uint32_t  i;

    for (i = 0; i < policy->domains.n; i++) {
        if (torii_str_eqs(policy->domains.items[i], "*")) {
            return policy->either || !policy->emails.given;
        }
    }

    return !policy->emails.given && !policy->domains.given;
}


static oauth2_fail_e
oauth2_policy_address(const oauth2_policy_t *policy, const oauth2_session_t *s)
{
    int  email, domain;

    if (oauth2_policy_anyone(policy)) {
        return OAUTH2_OK;
    }

    if (s->email.len == 0) {
        return OAUTH2_EMAIL_MISSING;
    }

    if (!s->verified && !policy->unverified) {
        return OAUTH2_EMAIL_UNVERIFIED;
    }

    email = oauth2_policy_email(&policy->emails, s->email);
    domain = oauth2_policy_domain(&policy->domains, s->email);

    if (policy->either) {
        return (email || domain) ? OAUTH2_OK : OAUTH2_DENIED_EMAIL;
    }

    return ((email || !policy->emails.given)
            && (domain || !policy->domains.given))
           ? OAUTH2_OK : OAUTH2_DENIED_EMAIL;
}


oauth2_fail_e
oauth2_policy_check(const oauth2_policy_t *policy, const oauth2_session_t *s)
{
    oauth2_fail_e  rc;

    rc = oauth2_policy_address(policy, s);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    if (policy->groups.given && !oauth2_policy_group(&policy->groups, s)) {
        return OAUTH2_DENIED_GROUP;
    }

    return OAUTH2_OK;
}
