
/*
 * Policies, reasons in a word, and which hosts are in charge.
 */

#include "dnssync_plan.h"


static int dnssync_filter_list(const torii_str_t *list, uint32_t n,
    torii_str_t name);
static int dnssync_filter_regex(const dnssync_filter_t *f, torii_str_t pattern,
    torii_str_t name);


static const char *const  dnssync_policies[] = {
    "upsert-only", "sync", "create-only", "observe"
};


static const char *const  dnssync_why_words[] = {
    "new", "targets", "ttl", "options", "types", "mark", "gone", "orphan",
    "adopt", "lock",

    "policy", "incomplete", "empty", "stale", "writers", "leader",
    "unconfirmed", "brake",

    "name", "target", "annotation", "filtered", "no-zone", "zone",
    "ambiguous", "type", "set", "foreign", "unowned", "clash", "delegated",
    "mark-name", "apex", "lookup", "no-targets", "loser", "clamped",
    "diverges", "failing", "not-served"
};

#define DNSSYNC_WHY_WORDS                                                     \
    (sizeof(dnssync_why_words) / sizeof(dnssync_why_words[0]))


int
dnssync_policy(torii_str_t word, dnssync_policy_e *policy)
{
    size_t  i;

    for (i = 0; i <= DNSSYNC_OBSERVE; i++) {
        if (torii_str_eqs(word, dnssync_policies[i])) {
            *policy = (dnssync_policy_e) i;
            return TORII_OK;
        }
    }

    return TORII_ERROR;
}


const char *
dnssync_why_word(dnssync_why_e why)
{
    return (size_t) why < DNSSYNC_WHY_WORDS ? dnssync_why_words[why] : "";
}


/* A pattern that hits its limits puts no host in charge. */

int
dnssync_filter_match(const dnssync_filter_t *f, torii_str_t name)
{
    int  rc;

    if (f->regex.len || f->regex_exclude.len) {

        if (f->regex_exclude.len
            && dnssync_filter_regex(f, f->regex_exclude, name)
               != TORII_DECLINED)
        {
            return 0;
        }

        rc = f->regex.len ? dnssync_filter_regex(f, f->regex, name)
                          : TORII_OK;

        return rc == TORII_OK;
    }

    return (f->ninclude == 0
            || dnssync_filter_list(f->include, f->ninclude, name))
           && !dnssync_filter_list(f->exclude, f->nexclude, name);
}


static int
dnssync_filter_regex(const dnssync_filter_t *f, torii_str_t pattern,
    torii_str_t name)
{
    torii_str_t     captures[TORII_REGEX_CAPTURES];
    torii_regex_t  *re;

    re = torii_regex_get(f->cache, pattern, 0);
    if (re == NULL) {
        return TORII_ERROR;
    }

    torii_regex_begin(f->cache);

    return torii_regex_match(re, name, captures);
}


static int
dnssync_filter_list(const torii_str_t *list, uint32_t n, torii_str_t name)
{
    uint32_t     i;
    torii_str_t  domain, end;

    for (i = 0; i < n; i++) {
        domain = list[i];

        if (domain.len && domain.data[domain.len - 1] == '.') {
            domain.len--;
        }

        if (torii_str_caseeq(domain, name)) {
            return 1;
        }

        if (domain.len == 0 || name.len <= domain.len) {
            continue;
        }

        end.data = name.data + name.len - domain.len;
        end.len = domain.len;

        if (torii_str_caseeq(domain, end)
            && (domain.data[0] == '.' || end.data[-1] == '.'))
        {
            return 1;
        }
    }

    return 0;
}
