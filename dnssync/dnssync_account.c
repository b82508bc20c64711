
/*
 * A provider's settings, as keys of a Secret.  Those of all providers are read
 * here, under the names that ExternalDNS has for its flags; "--" in front of
 * them may stay.  A value that is wrong makes the whole account unusable: part
 * of a policy is another policy.
 */

#include <stdio.h>
#include <stdlib.h>
#include <openssl/crypto.h>

#include "dnssync_source.h"
#include "dnssync_http.h"
#include "dnssync_account.h"


#define DNSSYNC_ACCOUNT_ARENA   4096
#define DNSSYNC_ACCOUNT_REGEXES 4
#define DNSSYNC_ACCOUNT_VALUE   (64 * 1024)
#define DNSSYNC_ACCOUNT_NEAR    4      /* edits between a name and its hint */


static int dnssync_account_copy(dnssync_account_t *account,
    const dnssync_option_t *settings, uint32_t n, torii_str_t *why);
static int dnssync_account_value(dnssync_account_t *account,
    const dnssync_option_t *setting, torii_str_t *why);
static int dnssync_account_order(const void *one, const void *two);
static int dnssync_account_driver(dnssync_account_t *account,
    torii_str_t *why);
static const dnssync_setting_t *dnssync_account_known(
    const dnssync_account_t *account, size_t i);
static const dnssync_setting_t *dnssync_account_find(
    const dnssync_account_t *account, torii_str_t name);
static const char *dnssync_account_hint(const dnssync_account_t *account,
    torii_str_t name);


dnssync_account_t *
dnssync_account_create(torii_str_t name, const dnssync_option_t *settings,
    uint32_t n, torii_str_t *why)
{
    torii_arena_t      *a;
    dnssync_account_t  *account;

    a = torii_arena_create(DNSSYNC_ACCOUNT_ARENA);

    account = torii_zalloc(sizeof(dnssync_account_t));

    account->arena = a;
    account->name = torii_arena_str(a, name);
    account->interval = DNSSYNC_INTERVAL;
    account->conf.filter.cache =
                            torii_regex_cache_create(DNSSYNC_ACCOUNT_REGEXES);
    why->len = 0;
    why->data = (unsigned char *) "";

    if (dnssync_account_copy(account, settings, n, why) == TORII_OK
        && dnssync_account_common(account, why) == TORII_OK)
    {
        (void) dnssync_account_driver(account, why);
        dnssync_account_lock(account);
    }

    return account;
}


void
dnssync_account_free(dnssync_account_t *account)
{
    uint32_t  i;

    if (account == NULL) {
        return;
    }

    if (account->driver != NULL && account->driver->cleanup != NULL
        && account->data != NULL)
    {
        account->driver->cleanup(account);
    }

    for (i = 0; i < account->nsettings; i++) {
        OPENSSL_cleanse(account->settings[i].value.data,
                        account->settings[i].value.len);
    }

    if (account->token_room.size) {
        OPENSSL_cleanse(account->token_room.data, account->token_room.size);
    }

    torii_buf_free(&account->token_room);
    torii_regex_cache_destroy(account->conf.filter.cache);
    torii_arena_destroy(account->arena);
    free(account);
}


static int
dnssync_account_copy(dnssync_account_t *account,
    const dnssync_option_t *settings, uint32_t n, torii_str_t *why)
{
    uint32_t           i;
    torii_str_t        one;
    dnssync_option_t  *copy;

    account->settings = torii_arena_alloc(account->arena,
                                          (n + 1) * sizeof(dnssync_option_t));

    for (i = 0; i < n; i++) {
        if (dnssync_account_value(account, &settings[i], why) != TORII_OK) {
            return TORII_ERROR;
        }
    }

    copy = account->settings;

    qsort(copy, account->nsettings, sizeof(dnssync_option_t),
          dnssync_account_order);

    for (i = 0; i < account->nsettings; i++) {
        if (i && torii_str_eq(copy[i].name, copy[i - 1].name)) {
            one = copy[i].name;
            *why = torii_arena_printf(account->arena, "\"%.*s\" is there "
                                      "twice", torii_str_arg(one));
            return TORII_ERROR;
        }

        account->hash = torii_hash(copy[i].name.data, copy[i].name.len,
                                   account->hash + 1);
        account->hash = torii_hash(copy[i].value.data, copy[i].value.len,
                                   account->hash + 1);
    }

    return TORII_OK;
}


/* Files end in a newline, of which their value knows nothing. */

static int
dnssync_account_value(dnssync_account_t *account,
    const dnssync_option_t *setting, torii_str_t *why)
{
    size_t             i;
    torii_str_t        name, value;
    unsigned char      c;
    dnssync_option_t  *copy;

    name = torii_str_trim(setting->name);
    value = torii_str_trim(setting->value);

    if (torii_str_starts(name, "--")) {
        name.data += 2;
        name.len -= 2;
    }

    for (i = 0; i < value.len; i++) {
        c = value.data[i];

        if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f) {
            *why = torii_arena_printf(account->arena, "\"%.*s\" has a control "
                                      "character", torii_str_arg(name));
            return TORII_ERROR;
        }
    }

    if (value.len > DNSSYNC_ACCOUNT_VALUE) {
        *why = torii_arena_printf(account->arena, "\"%.*s\" is too long",
                                  torii_str_arg(name));
        return TORII_ERROR;
    }

    copy = &account->settings[account->nsettings++];

    copy->name = torii_arena_str(account->arena, name);
    copy->value = torii_arena_str(account->arena, value);

    return TORII_OK;
}


static int
dnssync_account_order(const void *one, const void *two)
{
    const dnssync_option_t  *a, *b;

    a = one;
    b = two;

    return torii_str_cmp(a->name, b->name);
}


static int
dnssync_account_driver(dnssync_account_t *account, torii_str_t *why)
{
    size_t                    i;
    const char               *text;
    torii_str_t               value;
    const dnssync_driver_t   *driver;
    const dnssync_setting_t  *s;

    value = dnssync_account_setting(account, "provider");

    driver = dnssync_driver(value);

    if (driver == NULL) {
        *why = value.len ? torii_arena_printf(account->arena, "provider "
                                              "\"%.*s\" is not known",
                                              torii_str_arg(value))
                         : torii_str("provider is not set");
        return TORII_ERROR;
    }

    account->driver = driver;

    for (i = 0; driver->settings != NULL && driver->settings[i].name; i++) {
        s = &driver->settings[i];
        value = dnssync_account_setting(account, s->name);

        if (s->required && value.len == 0) {
            *why = torii_arena_printf(account->arena, "%s is not set: %s",
                                      s->name, s->help);
            return TORII_ERROR;
        }

        /* keys and JSON have lines, all others go into one */

        if (torii_str_has_control(value) && value.data[0] != '{'
            && !torii_str_starts(value, "-----BEGIN"))
        {
            *why = torii_arena_printf(account->arena, "%s has more than one "
                                      "line", s->name);
            return TORII_ERROR;
        }
    }

    text = driver->init ? driver->init(account) : NULL;

    if (text != NULL) {
        *why = torii_arena_str(account->arena, torii_str(text));
        return TORII_ERROR;
    }

    return TORII_OK;
}


torii_str_t
dnssync_account_setting(const dnssync_account_t *account, const char *name)
{
    dnssync_option_t  key, *found;

    key.name = torii_str(name);
    found = NULL;

    if (account->nsettings) {
        found = bsearch(&key, account->settings, account->nsettings,
                        sizeof(dnssync_option_t), dnssync_account_order);
    }

    return found ? found->value : torii_str("");
}


/* Setting i of this account's, then of all; NULL past the last. */

static const dnssync_setting_t *
dnssync_account_known(const dnssync_account_t *account, size_t i)
{
    size_t                    n;
    const dnssync_setting_t  *s;

    s = account->driver ? account->driver->settings : NULL;

    for (n = 0; s != NULL && s[n].name != NULL; n++) {
        if (n == i) {
            return &s[n];
        }
    }

    return dnssync_account_common_setting(i - n);
}


static const dnssync_setting_t *
dnssync_account_find(const dnssync_account_t *account, torii_str_t name)
{
    size_t                    i;
    const dnssync_setting_t  *s;

    for (i = 0; (s = dnssync_account_known(account, i)) != NULL; i++) {
        if (torii_str_eqs(name, s->name)) {
            return s;
        }
    }

    return NULL;
}


void
dnssync_account_unknown(const dnssync_account_t *account,
    void (*visit)(void *data, torii_str_t name, const char *hint), void *data)
{
    uint32_t                  i;
    torii_str_t               name, base;
    const dnssync_setting_t  *s;

    for (i = 0; i < account->nsettings; i++) {
        name = account->settings[i].name;

        if (dnssync_account_find(account, name) != NULL) {
            continue;
        }

        /* whoever calls has read that file */

        if (name.len > 5 && memcmp(name.data + name.len - 5, "-file", 5) == 0)
        {
            base = name;
            base.len -= 5;
            s = dnssync_account_find(account, base);

            if (s != NULL && s->secret) {
                continue;
            }

            if (s != NULL) {
                visit(data, name, s->name);
                continue;
            }
        }

        visit(data, name, dnssync_account_hint(account, name));
    }
}


static const char *
dnssync_account_hint(const dnssync_account_t *account, torii_str_t name)
{
    size_t                    i;
    unsigned                  d, best;
    const char               *hint;
    const dnssync_setting_t  *s;

    best = DNSSYNC_ACCOUNT_NEAR;
    hint = NULL;

    if (name.len < best) {
        best = (unsigned) name.len;
    }

    for (i = 0; (s = dnssync_account_known(account, i)) != NULL; i++) {
        d = torii_str_distance(name, torii_str(s->name), best);

        if (d < best) {
            best = d;
            hint = s->name;
        }
    }

    return hint;
}


const char *
dnssync_account_url(const dnssync_account_t *account, const char *name,
    const char *fallback, int plain, torii_str_t *url)
{
    size_t       i;
    torii_str_t  s, host;

    static const char *const  local[] = {
        "127.0.0.1", "localhost", "[::1]", NULL
    };

    s = dnssync_account_setting(account, name);

    if (s.len == 0) {
        s = torii_str(fallback ? fallback : "");
    }

    while (s.len && s.data[s.len - 1] == '/') {
        s.len--;
    }

    *url = s;

    if (torii_str_has_control(s) || memchr(s.data, ' ', s.len) != NULL
        || memchr(s.data, '?', s.len) != NULL
        || memchr(s.data, '#', s.len) != NULL
        || memchr(s.data, '@', s.len) != NULL)
    {
        return "the URL has a character that it must not have";
    }

    if (torii_str_starts(s, "https://") && s.len > 8) {
        return NULL;
    }

    if (!torii_str_starts(s, "http://") || s.len == 7) {
        return "the URL begins neither with https:// nor with http://";
    }

    s.data += 7;
    s.len -= 7;

    (void) torii_str_next(&s, "/", &host);

    for (i = 0; local[i] != NULL; i++) {
        if (torii_str_starts(host, local[i])
            && (host.len == strlen(local[i])
                || host.data[strlen(local[i])] == ':'))
        {
            return NULL;
        }
    }

    return plain ? NULL : "the URL has to begin with https://: what is sent "
                          "there is secret";
}


int
dnssync_account_wants(const dnssync_account_t *account,
    const dnssync_found_t *zone)
{
    uint32_t     i;
    torii_str_t  name;

    for (i = 0; i < account->nzones; i++) {
        name = account->zones[i];

        if (torii_str_eq(name, zone->id)) {
            return 1;
        }

        if (name.len > 1 && name.data[name.len - 1] == '.') {
            name.len--;
        }

        if (torii_str_caseeq(name, zone->name)) {
            return 1;
        }
    }

    return account->nzones == 0;
}
