
/*
 * Values of a provider's options that have rules of their own.
 */

#include "oauth2_settings_option.h"


const char *
oauth2_option_provider(oauth2_reading_t *o, torii_str_t value)
{
    o->settings->provider.type = oauth2_provider_type(value);

    return o->settings->provider.type
           ? NULL : "is no provider that is known: \"oidc\" is for those that "
                    "speak OpenID Connect";
}


/* In PEM: whether the certificates can be used, OpenSSL says later. */

const char *
oauth2_option_ca(oauth2_reading_t *o, torii_str_t value)
{
    torii_str_t  rest, line;

    rest = value;

    while (torii_str_next(&rest, "\n", &line)) {
        if (torii_str_eqs(torii_str_trim(line), "-----BEGIN CERTIFICATE-----"))
        {
            *(torii_str_t *) ((char *) o->settings + o->option->off) = value;
            return NULL;
        }
    }

    return "has no certificate in PEM";
}


/* "none" would answer those who are not logged in by an error. */

const char *
oauth2_option_prompt(oauth2_reading_t *o, torii_str_t value)
{
    torii_str_t  rest, word;

    rest = value;

    if (value.len == 0) {
        return "is empty";
    }

    while (torii_str_next(&rest, " ", &word)) {

        if (torii_str_eqs(word, "none")) {
            return "is \"none\", by which nobody could log in";
        }

        if (!torii_str_eqs(word, "login") && !torii_str_eqs(word, "consent")
            && !torii_str_eqs(word, "select_account")
            && !torii_str_eqs(word, "create"))
        {
            return "is none of \"login\", \"consent\", \"select_account\" "
                   "and \"create\"";
        }
    }

    o->settings->provider.prompt = value;

    return NULL;
}


const char *
oauth2_option_algs(oauth2_reading_t *o, torii_str_t value)
{
    uint32_t      i, n;
    torii_jwa_e   alg;
    torii_str_t  *items;

    items = oauth2_option_items(o, value, &n);

    if (items == NULL || n == 0) {
        return "is empty, has too many items, or control bytes";
    }

    for (i = 0; i < n; i++) {
        alg = torii_jwa_find(items[i]);

        if (alg == TORII_JWA_MAX) {
            return "names an algorithm that is not taken";
        }

        o->settings->provider.algs |= torii_jwa_bit(alg);
    }

    return NULL;
}


/*
 * OAuth2 Proxy wants to know how old a session has to be.  Here the provider
 * says how long its tokens live, so that only whether is asked.
 */

const char *
oauth2_option_refresh(oauth2_reading_t *o, torii_str_t value)
{
    const char  *error;

    if (torii_str_eqs(value, "true") || torii_str_eqs(value, "false")) {
        o->refresh = torii_str_eqs(value, "true");
        return NULL;
    }

    error = oauth2_option_duration(value, &o->renew);

    o->refresh = o->renew != 0;

    return error;
}


const char *
oauth2_option_prefix(oauth2_reading_t *o, torii_str_t value)
{
    size_t  i;

    while (value.len > 1 && value.data[value.len - 1] == '/') {
        value.len--;
    }

    if (value.len < 2 || value.len > 64 || value.data[0] != '/'
        || torii_str_has_control(value))
    {
        return "is no path as \"/oauth2\" is";
    }

    for (i = 1; i < value.len; i++) {
        if ((value.data[i] == '/' && value.data[i - 1] == '/')
            || strchr("abcdefghijklmnopqrstuvwxyz0123456789-_/",
                      value.data[i]) == NULL)
        {
            return "is no path of small letters, digits, \"-\" and \"_\"";
        }
    }

    o->settings->prefix = value;

    return NULL;
}


const char *
oauth2_option_mode(oauth2_reading_t *o, torii_str_t value)
{
    o->settings->form_post = torii_str_eqs(value, "form_post");

    return (o->settings->form_post || torii_str_eqs(value, "query"))
           ? NULL : "is neither \"query\" nor \"form_post\"";
}


const char *
oauth2_option_site(oauth2_reading_t *o, torii_str_t value)
{
    unsigned  i;

    static const char  *const  words[] = { "Lax", "Strict", "None", NULL };

    for (i = 0; words[i]; i++) {
        if (torii_str_caseeqs(value, words[i])) {
            o->settings->cookie.same_site = words[i];
            return NULL;
        }
    }

    return "is none of \"lax\", \"strict\" and \"none\"";
}


const char *
oauth2_option_redirect(oauth2_reading_t *o, torii_str_t value)
{
    if (value.len == 0 || value.len > OAUTH2_URL_MAX
        || torii_str_has_control(value))
    {
        return "is no URL";
    }

    o->redirect = value;

    return NULL;
}


const char *
oauth2_option_store(oauth2_reading_t *o, torii_str_t value)
{
    o->store = torii_str_eqs(value, "redis");

    return (o->store || torii_str_eqs(value, "cookie"))
           ? NULL : "is neither \"cookie\" nor \"redis\"";
}


const char *
oauth2_option_redis(oauth2_reading_t *o, torii_str_t value)
{
    oauth2_redis_t  redis;

    o->settings->redis = value;

    return oauth2_redis_read(o->arena, value, &redis);
}


/* "HOST", ".DOMAIN" or "*.DOMAIN", with ":PORT" or ":*". */

static int
oauth2_option_is_domain(torii_str_t item)
{
    size_t       i;
    uint64_t     number;
    torii_str_t  port, host;

    port = item;
    (void) torii_str_next(&port, ":", &host);

    if (port.data && !torii_str_eqs(port, "*")
        && (torii_str_uint(port, 65535, &number) != TORII_OK || number == 0))
    {
        return 0;
    }

    if (torii_str_starts(host, "*.")) {
        host.data++;
        host.len--;
    }

    for (i = 0; i < host.len; i++) {

        if (host.data[i] == '.') {
            if (i + 1 == host.len || host.data[i + 1] == '.') {
                return 0;
            }

            continue;
        }

        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-",
                   host.data[i] | 0x20)
            == NULL)
        {
            return 0;
        }
    }

    return host.len != 0 && host.len <= 255;
}


const char *
oauth2_option_whitelist(oauth2_reading_t *o, torii_str_t value)
{
    uint32_t      i, n;
    torii_str_t  *items;

    items = oauth2_option_items(o, value, &n);

    if (items == NULL || n == 0) {
        return "is empty, has too many items, or control bytes";
    }

    for (i = 0; i < n; i++) {
        if (!oauth2_option_is_domain(items[i])) {
            return "is not of \"a.example\", \".a.example\", "
                   "\"*.a.example\", each with \":PORT\" or \":*\" if need "
                   "be";
        }
    }

    o->settings->whitelist = items;
    o->settings->nwhitelist = n;

    return NULL;
}


const char *
oauth2_option_logout(oauth2_reading_t *o, torii_str_t value)
{
    if (value.len > OAUTH2_URL_MAX || torii_str_has_control(value)
        || (!torii_str_starts(value, "https://")
            && !torii_str_starts(value, "http://")))
    {
        return "is no URL";
    }

    o->settings->post_logout = value;

    return NULL;
}


const char *
oauth2_option_skip(oauth2_reading_t *o, torii_str_t value)
{
    const char     *error;
    torii_str_t     line;
    oauth2_skip_t  *rules;

    rules = torii_arena_zalloc(o->arena, OAUTH2_SETTING_ITEMS
                                         * sizeof(oauth2_skip_t));
    o->settings->skip = rules;

    /* a comma may be part of a pattern, or of a list of methods */

    while (torii_str_next(&value, "\n", &line)) {
        line = torii_str_trim(line);

        if (line.len == 0) {
            continue;
        }

        if (o->settings->nskip == OAUTH2_SETTING_ITEMS) {
            return "has too many lines";
        }

        error = oauth2_skip_read(o->arena, line,
                                 &rules[o->settings->nskip++]);
        if (error) {
            return error;
        }
    }

    return NULL;
}


const char *
oauth2_option_api(oauth2_reading_t *o, torii_str_t value)
{
    char          error[128];
    uint32_t      i, n;
    torii_str_t  *items;

    items = oauth2_option_items(o, value, &n);

    if (items == NULL || n == 0) {
        return "is empty, has too many items, or control bytes";
    }

    for (i = 0; i < n; i++) {
        if (torii_regex_check(items[i], TORII_REGEX_ANCHORED, error)
            != TORII_OK)
        {
            return "is not a regular expression";
        }
    }

    o->settings->api = items;
    o->settings->napi = n;

    return NULL;
}
