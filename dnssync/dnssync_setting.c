
/*
 * Settings that every provider has: one table, a row each.
 */

#include <stdio.h>

#include "dnssync_source.h"
#include "dnssync_http.h"
#include "dnssync_account.h"


#define DNSSYNC_SETTING_LIST  10000


typedef struct dnssync_row_setting_s  dnssync_row_setting_t;

/* NULL, or what is wrong with the value. */
typedef const char *(*dnssync_setting_pt)(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value);

struct dnssync_row_setting_s {
    dnssync_setting_t    setting;
    dnssync_setting_pt   read;
    size_t               offset;
    size_t               count;    /* of a list: offset of its length */
    uint32_t             min;
    uint32_t             max;
};


static const char *dnssync_setting_skip(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value);
static const char *dnssync_setting_text(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value);
static const char *dnssync_setting_list(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value);
static const char *dnssync_setting_seconds(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value);
static const char *dnssync_setting_number(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value);
static const char *dnssync_setting_regex(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value);
static const char *dnssync_setting_policy(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value);
static const char *dnssync_setting_registry(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value);
static const char *dnssync_setting_key(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value);
static const char *dnssync_setting_types(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value);
static const char *dnssync_setting_lock(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value);
static const char *dnssync_setting_switch(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value);


#define dnssync_at(field)  offsetof(dnssync_account_t, field)
#define dnssync_field(account, row)                                           \
    ((unsigned char *) (account) + (row)->offset)

static const dnssync_row_setting_t  dnssync_settings[] = {

    { { "provider", "which driver", 1, 0 },
      dnssync_setting_skip, 0, 0, 0, 0 },

    { { "zones", "names or ids of zones to write to; none: all", 0, 0 },
      dnssync_setting_list, dnssync_at(zones), dnssync_at(nzones), 0, 0 },

    { { "zone-id-filter", "the same", 0, 0 },
      dnssync_setting_list, dnssync_at(zones), dnssync_at(nzones), 0, 0 },

    { { "zone-name-filter", "the same", 0, 0 },
      dnssync_setting_list, dnssync_at(zones), dnssync_at(nzones), 0, 0 },

    { { "view", "which addresses go here: \"public\" or \"private\"", 0, 0 },
      dnssync_setting_text, dnssync_at(view), 0, 0, 64 },

    { { "interval", "between two looks at a zone", 0, 0 },
      dnssync_setting_seconds, dnssync_at(interval), 0,
      DNSSYNC_INTERVAL_MIN, DNSSYNC_INTERVAL_MAX },

    { { "ca", "certificates to trust, PEM", 0, 0 },
      dnssync_setting_skip, 0, 0, 0, 0 },

    { { "policy", "upsert-only (default), sync, create-only or observe",
        0, 0 },
      dnssync_setting_policy, 0, 0, 0, 0 },

    { { "registry", "own (default), native or txt, which is ExternalDNS's",
        0, 0 },
      dnssync_setting_registry, 0, 0, 0, 0 },

    { { "txt-owner-id", "the owner's id in marks", 0, 0 },
      dnssync_setting_text, dnssync_at(conf.registry.id), 0,
      0, DNSSYNC_OWNER_MAX },

    { { "txt-prefix", "of names of ExternalDNS's TXT records", 0, 0 },
      dnssync_setting_text, dnssync_at(conf.registry.prefix), 0,
      0, DNSSYNC_AFFIX_MAX },

    { { "txt-suffix", "of names of ExternalDNS's TXT records", 0, 0 },
      dnssync_setting_text, dnssync_at(conf.registry.suffix), 0,
      0, DNSSYNC_AFFIX_MAX },

    { { "txt-wildcard-replacement", "in place of \"*\" in them", 0, 0 },
      dnssync_setting_text, dnssync_at(conf.registry.wildcard), 0,
      0, DNSSYNC_AFFIX_MAX },

    { { "txt-encrypt-aes-key", "32 bytes, or base64 of them", 0, 1 },
      dnssync_setting_key, 0, 0, 0, 0 },

    { { "txt-encrypt-enabled", "false: without that key", 0, 0 },
      dnssync_setting_skip, 0, 0, 0, 0 },

    { { "domain-filter", "domains to write to, with all below", 0, 0 },
      dnssync_setting_list, dnssync_at(conf.filter.include),
      dnssync_at(conf.filter.ninclude), 0, 0 },

    { { "exclude-domains", "domains to leave alone", 0, 0 },
      dnssync_setting_list, dnssync_at(conf.filter.exclude),
      dnssync_at(conf.filter.nexclude), 0, 0 },

    { { "regex-domain-filter", "in place of both lists", 0, 0 },
      dnssync_setting_regex, dnssync_at(conf.filter.regex), 0, 0, 0 },

    { { "regex-domain-exclusion", "in place of both lists", 0, 0 },
      dnssync_setting_regex, dnssync_at(conf.filter.regex_exclude), 0, 0, 0 },

    { { "managed-record-types", "of A, AAAA, CNAME; none: all three", 0, 0 },
      dnssync_setting_types, 0, 0, 0, 0 },

    { { "default-ttl", "of records that name no other", 0, 0 },
      dnssync_setting_seconds, dnssync_at(conf.ttl), 0,
      1, DNSSYNC_TTL_LIMIT },

    { { "min-ttl", "the same, as ExternalDNS calls it", 0, 0 },
      dnssync_setting_seconds, dnssync_at(conf.ttl), 0,
      0, DNSSYNC_TTL_LIMIT },

    { { "delete-delay", "a host is missing for so long, then it goes", 0, 0 },
      dnssync_setting_seconds, dnssync_at(conf.delete_delay), 0, 1, 604800 },

    { { "max-age", "of a listing by which something may be removed", 0, 0 },
      dnssync_setting_seconds, dnssync_at(conf.max_age), 0, 10, 86400 },

    { { "brake-window", "the time to which the brake's limits apply", 0, 0 },
      dnssync_setting_seconds, dnssync_at(conf.brake_window), 0, 1, 604800 },

    { { "brake-min", "so many removals pass the brake anyway", 0, 0 },
      dnssync_setting_number, dnssync_at(conf.brake_min), 0, 1, 1000000 },

    { { "brake-percent", "of what is owned, may be removed", 0, 0 },
      dnssync_setting_number, dnssync_at(conf.brake_percent), 0, 1, 100 },

    { { "lock", "true: a record in the zone tells of two writers; the default "
        "of sync, but for the registry txt", 0, 0 },
      dnssync_setting_lock, 0, 0, 0, 0 },

    { { "lock-period", "between two signs of life in it", 0, 0 },
      dnssync_setting_seconds, dnssync_at(conf.lock_period), 0, 10, 86400 },

    { { "allow-empty", "true: a zone may lose all hosts", 0, 0 },
      dnssync_setting_switch, 0, 0, 0, 0 },

    { { "flatten", "true: addresses in place of aliases, not only at the apex",
        0, 0 },
      dnssync_setting_switch, 0, 0, 1, 0 }
};

#define DNSSYNC_SETTINGS                                                      \
    (sizeof(dnssync_settings) / sizeof(dnssync_settings[0]))


static const struct {
    const char      *word;
    dnssync_form_e   form;
    const char      *why;      /* it is not to be had */
} dnssync_setting_registries[] = {
    { "own", DNSSYNC_FORM_OWN, NULL },
    { "native", DNSSYNC_FORM_NATIVE, NULL },
    { "txt", DNSSYNC_FORM_EXTERNAL, NULL },
    { "external-dns", DNSSYNC_FORM_EXTERNAL, NULL },
    { "noop", DNSSYNC_FORM_OWN, "without owners anything would be taken for "
      "ours" },
    { "dynamodb", DNSSYNC_FORM_OWN, "marks are kept in the zone itself" },
    { "crd", DNSSYNC_FORM_OWN, "marks are kept in the zone itself" },
    { "aws-sd", DNSSYNC_FORM_OWN, "marks are kept in the zone itself" }
};

#define DNSSYNC_SETTING_REGISTRIES                                            \
    (sizeof(dnssync_setting_registries)                                       \
     / sizeof(dnssync_setting_registries[0]))


const dnssync_setting_t *
dnssync_account_common_setting(size_t i)
{
    return i < DNSSYNC_SETTINGS ? &dnssync_settings[i].setting : NULL;
}


int
dnssync_account_common(dnssync_account_t *account, torii_str_t *why)
{
    size_t                        i;
    const char                   *text;
    torii_str_t                   value;
    const dnssync_row_setting_t  *row;

    for (i = 0; i < DNSSYNC_SETTINGS; i++) {
        row = &dnssync_settings[i];
        value = dnssync_account_setting(account, row->setting.name);

        if (value.len == 0) {
            continue;
        }

        text = row->read(account, row, value);

        if (text == NULL) {
            continue;
        }

        if (value.len > 64 || row->setting.secret
            || torii_str_has_control(value))
        {
            value.len = 0;
        }

        *why = torii_arena_printf(account->arena, "%s%s%.*s%s: %s",
                                  row->setting.name, value.len ? " \"" : "",
                                  torii_str_arg(value), value.len ? "\"" : "",
                                  text);
        return TORII_ERROR;
    }

    /* a mark without an owner is refused, too; that id comes later */

    value = account->conf.registry.id;

    if (value.len == 0) {
        account->conf.registry.id = torii_str("none");
    }

    text = dnssync_registry_check(&account->conf.registry);
    account->conf.registry.id = value;

    if (text != NULL) {
        *why = torii_arena_printf(account->arena, "registry: %s", text);
        return TORII_ERROR;
    }

    return TORII_OK;
}


static const char *
dnssync_setting_skip(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value)
{
    return NULL;
}


static const char *
dnssync_setting_text(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value)
{
    if (torii_str_has_control(value)) {
        return "has more than one line";
    }

    if (value.len > row->max) {
        return "is too long";
    }

    memcpy(dnssync_field(account, row), &value, sizeof(torii_str_t));

    return NULL;
}


/* Adds to what another name of the same list has brought. */

static const char *
dnssync_setting_list(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value)
{
    uint32_t      n;
    torii_str_t   piece, *list, *old;

    memcpy(&n, (unsigned char *) account + row->count, sizeof(uint32_t));
    memcpy(&old, dnssync_field(account, row), sizeof(torii_str_t *));

    list = torii_arena_alloc(account->arena,
                             (n + value.len / 2 + 2) * sizeof(torii_str_t));
    if (n) {
        memcpy(list, old, n * sizeof(torii_str_t));
    }

    while (torii_str_next(&value, ", \t\r\n", &piece)) {
        if (piece.len) {
            list[n++] = piece;
        }
    }

    if (n > DNSSYNC_SETTING_LIST) {
        return "has too many items";
    }

    memcpy((unsigned char *) account + row->count, &n, sizeof(uint32_t));
    memcpy(dnssync_field(account, row), &list, sizeof(torii_str_t *));

    return NULL;
}


static const char *
dnssync_setting_seconds(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value)
{
    uint32_t  seconds;

    if (dnssync_ttl_read(value, &seconds) != TORII_OK) {
        return "is neither seconds nor a duration like \"1m30s\"";
    }

    if (seconds < row->min || seconds > row->max) {
        return seconds < row->min ? "is too short" : "is too long";
    }

    memcpy(dnssync_field(account, row), &seconds, sizeof(uint32_t));

    return NULL;
}


static const char *
dnssync_setting_number(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value)
{
    uint32_t  n;
    uint64_t  number;

    if (torii_str_uint(value, UINT32_MAX, &number) != TORII_OK) {
        return "is no number";
    }

    if (number < row->min || number > row->max) {
        return number < row->min ? "is too small" : "is too large";
    }

    n = (uint32_t) number;
    memcpy(dnssync_field(account, row), &n, sizeof(uint32_t));

    return NULL;
}


static const char *
dnssync_setting_regex(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value)
{
    char  error[128];

    if (torii_regex_check(value, 0, error) != TORII_OK) {
        return "is no regular expression";
    }

    memcpy(dnssync_field(account, row), &value, sizeof(torii_str_t));

    return NULL;
}


static const char *
dnssync_setting_policy(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value)
{
    if (dnssync_policy(value, &account->conf.policy) != TORII_OK) {
        return "is none of upsert-only, sync, create-only, observe";
    }

    return NULL;
}


static const char *
dnssync_setting_registry(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value)
{
    size_t  i;

    for (i = 0; i < DNSSYNC_SETTING_REGISTRIES; i++) {
        if (torii_str_eqs(value, dnssync_setting_registries[i].word)) {
            account->conf.registry.form = dnssync_setting_registries[i].form;
            return dnssync_setting_registries[i].why;
        }
    }

    return "is none of own, native, txt";
}


static const char *
dnssync_setting_key(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value)
{
    unsigned  on;

    if (dnssync_account_bool(dnssync_account_setting(account,
                             "txt-encrypt-enabled"), 1, &on)
        != TORII_OK)
    {
        return "txt-encrypt-enabled is neither true nor false";
    }

    if (on && dnssync_registry_key(account->arena, value,
                                   &account->conf.registry.key)
              != TORII_OK)
    {
        return "is neither 32 bytes nor base64 of them";
    }

    return NULL;
}


static const char *
dnssync_setting_types(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value)
{
    unsigned     i, mask, found;
    torii_str_t  piece;

    static const struct {
        const char  *word;
        unsigned     mask;
    } types[] = {
        { "A", DNSSYNC_HAS_A },
        { "AAAA", DNSSYNC_HAS_AAAA },
        { "CNAME", DNSSYNC_HAS_CNAME }
    };

    for (mask = 0; torii_str_next(&value, ", \t\r\n", &piece); /* void */) {

        for (i = 0, found = 0; i < DNSSYNC_TYPES; i++) {
            if (torii_str_caseeqs(piece, types[i].word)) {
                found = types[i].mask;
            }
        }

        if (piece.len && found == 0) {
            return "only A, AAAA and CNAME are published";
        }

        mask |= found;
    }

    account->conf.types = mask;

    return NULL;
}


static const char *
dnssync_setting_lock(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value)
{
    unsigned  on;

    if (dnssync_account_bool(value, 0, &on) != TORII_OK) {
        return "is neither true nor false";
    }

    return NULL;
}


/*
 * Where something can be deleted.  A zone that is taken over from ExternalDNS
 * stays as it is; without TXT records there is no place for it.
 */

void
dnssync_account_lock(dnssync_account_t *account)
{
    unsigned         on;
    dnssync_conf_t  *conf;

    conf = &account->conf;

    (void) dnssync_account_bool(dnssync_account_setting(account, "lock"),
                                conf->policy == DNSSYNC_SYNC
                                && conf->registry.form
                                   != DNSSYNC_FORM_EXTERNAL, &on);

    if (!on || account->driver == NULL || account->driver->blind) {
        conf->lock_period = 0;

    } else if (conf->lock_period == 0) {
        conf->lock_period = DNSSYNC_LOCK_PERIOD;
    }
}


static const char *
dnssync_setting_switch(dnssync_account_t *account,
    const dnssync_row_setting_t *row, torii_str_t value)
{
    unsigned  on;

    if (dnssync_account_bool(value, 0, &on) != TORII_OK) {
        return "is neither true nor false";
    }

    if (row->min) {
        account->conf.flatten = on;

    } else {
        account->conf.allow_empty = on;
    }

    return NULL;
}


int
dnssync_account_bool(torii_str_t value, int fallback, unsigned *on)
{
    size_t  i;

    static const struct {
        const char  *word;
        unsigned     on;
    } words[] = {
        { "true", 1 }, { "yes", 1 }, { "on", 1 }, { "1", 1 }, { "t", 1 },
        { "false", 0 }, { "no", 0 }, { "off", 0 }, { "0", 0 }, { "f", 0 }
    };

    *on = (unsigned) fallback;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (torii_str_caseeqs(value, words[i].word)) {
            *on = words[i].on;
            return TORII_OK;
        }
    }

    return value.len ? TORII_ERROR : TORII_OK;
}
