
/*
 * Settings of a login that are templates, and what an auth-url asks for: where
 * OAuth2 Proxy was asked, ".../oauth2/auth", the gateway answers itself.
 */

#include "ingress_setting.h"
#include "ingress_login_list.h"


#define INGRESS_URL_MAX      4096
#define INGRESS_AUTHORITY_MAX  256
#define INGRESS_PARTS_MAX    64
#define INGRESS_VARIABLE_MAX 64

#define INGRESS_URL_CHARS    "-._~/:?&=,%+@!*();$_{}[]"
#define INGRESS_KEY_CHARS    "-_${}"
#define INGRESS_HOST_CHARS   "-.:[]"

#define INGRESS_OWN_PATH     "/oauth2/auth"


typedef struct {
    torii_str_t    scheme;       /* with "://" */
    torii_str_t    host;         /* and port */
    torii_str_t    path;
    torii_str_t    query;        /* without "?" */
} ingress_url_t;


static int ingress_url_split(ingress_setter_t *s, torii_str_t value,
    ingress_url_t *url);
static int ingress_url_authority(ingress_setter_t *s, torii_str_t authority);
static int ingress_url_is_host(torii_str_t name);
static int ingress_url_template(ingress_setter_t *s, torii_str_t value,
    size_t authority, ingress_ref_t *ref);
static uint8_t ingress_url_own(ingress_setter_t *s, const ingress_url_t *url);
static ingress_ref_t ingress_url_lower(ingress_setter_t *s, torii_str_t host);
static torii_str_t ingress_url_port(torii_str_t *host);
static void ingress_key_credentials(ingress_setter_t *s, torii_str_t value,
    torii_buf_t *out);


int
ingress_set_login_url(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    ingress_url_t             url;
    ingress_login_setting_t  *login;

    login = s->login;

    if (ingress_url_split(s, value, &url) != TORII_OK) {
        return TORII_ERROR;
    }

    if (url.scheme.data[0] == '$' || url.scheme.data[0] == '/') {
        return ingress_setter_why(s, "is no URL; begin it with \"http://\" or "
                                  "\"https://\"");
    }

    if (ingress_url_template(s, value, url.host.data + url.host.len
                             - value.data, &login->record.url)
        != TORII_OK)
    {
        return TORII_ERROR;
    }

    login->any_host = (memchr(url.host.data, '$', url.host.len) != NULL);
    login->own = ingress_url_own(s, &url);
    login->asked |= s->config ? INGRESS_LOGIN_BY_URL : INGRESS_LOGIN_BY_CONFIG;

    if (login->own != INGRESS_LOGIN_FOREIGN) {
        ingress_login_query(s, url.query);
    }

    return TORII_OK;
}


int
ingress_set_login_signin(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    ingress_url_t  url;

    if (ingress_url_split(s, value, &url) != TORII_OK) {
        return TORII_ERROR;
    }

    return ingress_url_template(s, value, url.host.data + url.host.len
                                - value.data, &s->login->record.signin);
}


int
ingress_set_login_redirect(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    if (value.len > INGRESS_URL_MAX
        || ingress_parse_chars(value, INGRESS_URL_CHARS) != TORII_OK)
    {
        return ingress_setter_why(s, "is no URL; letters, digits and \"%s\" "
                                  "are allowed", INGRESS_URL_CHARS);
    }

    return ingress_url_template(s, value, 0,
                                &s->login->record.request_redirect);
}


/*
 * A key that leaves out what the client proves itself by would let everybody
 * in after the first.
 */

int
ingress_set_login_key(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    int          rc;
    torii_str_t  whole;
    torii_buf_t  key;

    if (value.len > INGRESS_URL_MAX
        || ingress_parse_chars(value, INGRESS_KEY_CHARS) != TORII_OK)
    {
        return ingress_setter_why(s, "is no key; letters, digits and \"%s\" "
                                  "are allowed", INGRESS_KEY_CHARS);
    }

    memset(&key, 0, sizeof(torii_buf_t));

    ingress_key_credentials(s, value, &key);

    whole.data = key.data;
    whole.len = key.len;

    rc = ingress_url_template(s, whole, 0, &s->login->record.cache_key);

    torii_buf_free(&key);

    return rc;
}


int
ingress_login_template(ingress_setter_t *s, torii_str_t value,
    ingress_ref_t *ref)
{
    return ingress_url_template(s, value, 0, ref);
}


static void
ingress_key_credentials(ingress_setter_t *s, torii_str_t value,
    torii_buf_t *out)
{
    int          cookie, authorization;
    torii_str_t  rest, name, text;

    cookie = 0;
    authorization = 0;
    rest = value;

    while (ingress_template_next(&rest, &name, &text)) {
        cookie |= torii_str_eqs(name, "http_cookie")
                  || torii_str_starts(name, "cookie_");
        authorization |= torii_str_eqs(name, "http_authorization");
    }

    torii_buf_add_str(out, value);

    if (cookie || authorization) {
        return;
    }

    torii_buf_adds(out, "${http_cookie}${http_authorization}");

    ingress_setter_finding(s, INGRESS_INFO, "LoginCacheKey",
                           "names nothing that tells one client from "
                           "another; its Cookie and Authorization are added "
                           "to the key");
}


/* "$scheme://" and a path alone are of signin only, which the caller tells. */

static int
ingress_url_split(ingress_setter_t *s, torii_str_t value, ingress_url_t *url)
{
    size_t          i;
    unsigned char  *p, *last;

    static const char  *const  schemes[] = {
        "https://", "http://", "$scheme://", "${scheme}://", "/"
    };

    memset(url, 0, sizeof(ingress_url_t));

    if (value.len > INGRESS_URL_MAX
        || ingress_parse_chars(value, INGRESS_URL_CHARS) != TORII_OK)
    {
        return ingress_setter_why(s, "is no URL; letters, digits and \"%s\" "
                                  "are allowed", INGRESS_URL_CHARS);
    }

    for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (torii_str_starts(value, schemes[i])) {
            break;
        }
    }

    if (i == sizeof(schemes) / sizeof(schemes[0])) {
        return ingress_setter_why(s, "is no URL; begin it with \"http://\" or "
                                  "\"https://\"");
    }

    p = value.data;
    last = value.data + value.len;

    url->scheme.data = p;
    url->host.data = p;

    if (p[0] != '/') {
        url->scheme.len = strlen(schemes[i]);
        p += url->scheme.len;

        for (url->host.data = p; p < last && *p != '/' && *p != '?'; p++) {
            /* void */
        }

        url->host.len = p - url->host.data;

        if (ingress_url_authority(s, url->host) != TORII_OK) {
            return TORII_ERROR;
        }

    } else if (value.len > 1 && p[1] == '/') {
        return ingress_setter_why(s, "is no URL; begin it with \"http://\" or "
                                  "\"https://\"");
    }

    for (url->path.data = p; p < last && *p != '?'; p++) { /* void */ }

    url->path.len = p - url->path.data;

    if (p < last) {
        url->query.data = p + 1;
        url->query.len = last - url->query.data;
    }

    return TORII_OK;
}


/*
 * Who is asked must not be for the client to choose, so no variable but that of
 * a host that NGINX has matched may be here.
 */

static int
ingress_url_authority(ingress_setter_t *s, torii_str_t authority)
{
    size_t       i;
    torii_str_t  rest, name, text;

    if (authority.len == 0 || authority.len > INGRESS_AUTHORITY_MAX) {
        return ingress_setter_why(s, "has no host in it");
    }

    rest = authority;

    while (ingress_template_next(&rest, &name, &text)) {

        if (text.len == 0) {
            if (!ingress_url_is_host(name)) {
                return ingress_setter_why(s, "has a variable in its host; only "
                                          "$host may be there");
            }

            continue;
        }

        if (ingress_parse_chars(text, INGRESS_HOST_CHARS) != TORII_OK) {
            return ingress_setter_why(s, "has a host that is none");
        }

        for (i = 1; i < text.len; i++) {
            if (text.data[i] == '.' && text.data[i - 1] == '.') {
                return ingress_setter_why(s, "has a host that is none");
            }
        }
    }

    return TORII_OK;
}


static int
ingress_url_is_host(torii_str_t name)
{
    return torii_str_eqs(name, "host")
           || torii_str_eqs(name, "http_host")
           || torii_str_eqs(name, "best_http_host");
}


/*
 * Within the first bytes, up to the end of the host, $http_host is what $host
 * is: the header as it was sent may have more in it than a host and a port.
 */

static int
ingress_url_template(ingress_setter_t *s, torii_str_t value, size_t authority,
    ingress_ref_t *ref)
{
    size_t                   i;
    uint32_t                 n;
    torii_str_t              rest, name, text;
    unsigned char            lower[INGRESS_VARIABLE_MAX];
    ingress_template_part_t  parts[INGRESS_PARTS_MAX];

    n = 0;
    rest = value;
    memset(parts, 0, sizeof(parts));

    while (ingress_template_next(&rest, &name, &text)) {

        if (n == INGRESS_PARTS_MAX) {
            return ingress_setter_why(s, "has more than %u variables",
                                      INGRESS_PARTS_MAX / 2);
        }

        if (text.len) {
            parts[n++].value = ingress_setter_str(s, text);
            continue;
        }

        for (i = 0; i < name.len && i < INGRESS_VARIABLE_MAX; i++) {
            lower[i] = name.data[i];

            if (lower[i] >= 'A' && lower[i] <= 'Z') {
                lower[i] |= 0x20;
            }
        }

        name.data = lower;
        name.len = i;

        if (i == INGRESS_VARIABLE_MAX || !ingress_login_variable(name)) {
            return ingress_setter_why(s, "has the variable \"$%.*s\" in it, "
                                      "which has no value here",
                                      torii_str_arg(name));
        }

        if ((size_t) (rest.data - value.data) <= authority
            && ingress_url_is_host(name))
        {
            name = torii_str("host");
        }

        parts[n++].name = ingress_setter_str(s, name);
    }

    *ref = ingress_pool_add(s->pool, parts,
                            n * sizeof(ingress_template_part_t));

    return TORII_OK;
}


static uint8_t
ingress_url_own(ingress_setter_t *s, const ingress_url_t *url)
{
    size_t       len;
    torii_str_t  host, port, rest, name, text;

    host = url->host;
    port = ingress_url_port(&host);
    len = sizeof(INGRESS_OWN_PATH) - 1;

    rest = host;
    (void) ingress_template_next(&rest, &name, &text);

    if (!s->login->any_host) {
        s->login->host = ingress_url_lower(s, host);
    }

    if (url->path.len < len || memchr(url->path.data, '$', url->path.len)
        || memcmp(url->path.data + url->path.len - len, INGRESS_OWN_PATH, len)
           != 0)
    {
        return INGRESS_LOGIN_FOREIGN;
    }

    if (port.len && !torii_str_eqs(port, "443") && !torii_str_eqs(port, "80")) {
        return INGRESS_LOGIN_SERVICE;
    }

    if (name.len && rest.len == 0) {
        return INGRESS_LOGIN_OWN;
    }

    return s->login->host.len ? INGRESS_LOGIN_HOST : INGRESS_LOGIN_SERVICE;
}


static ingress_ref_t
ingress_url_lower(ingress_setter_t *s, torii_str_t host)
{
    size_t         i;
    unsigned char  lower[256];

    if (host.len > sizeof(lower)) {
        return (ingress_ref_t) { 0, 0 };
    }

    for (i = 0; i < host.len; i++) {
        lower[i] = host.data[i];

        if (lower[i] >= 'A' && lower[i] <= 'Z') {
            lower[i] |= 0x20;
        }
    }

    return ingress_pool_add(s->pool, lower, host.len);
}


/* Cut off host; what is in brackets is no port. */

static torii_str_t
ingress_url_port(torii_str_t *host)
{
    size_t       i;
    torii_str_t  port;

    port.len = 0;
    port.data = NULL;

    for (i = host->len; i > 0; i--) {

        if (host->data[i - 1] == ']') {
            break;
        }

        if (host->data[i - 1] == ':') {
            port.data = host->data + i;
            port.len = host->len - i;
            host->len = i - 1;
            break;
        }
    }

    return port;
}
