
/*
 * Targets of redirects.  Browsers read URLs in more ways than one: what is not
 * plainly a path of this host, or a URL of one that is listed, is refused.
 */

#include "oauth2_path.h"
#include "oauth2_redirect.h"


#define OAUTH2_REDIRECT_MAX   2048
#define OAUTH2_HOST_MAX       253
#define OAUTH2_LABEL_MAX      63
#define OAUTH2_PREFIX_MAX     64


typedef struct {
    unsigned       http;
    torii_str_t    host;
    uint32_t       port;         /* 0: the default one of the scheme */
    torii_str_t    path;         /* with query and fragment; may be empty */
    unsigned char  lower[OAUTH2_HOST_MAX];
} oauth2_target_t;


static int
oauth2_redirect_bytes(torii_str_t rd)
{
    size_t  i;

    if (rd.len == 0 || rd.len > OAUTH2_REDIRECT_MAX) {
        return TORII_ERROR;
    }

    for (i = 0; i < rd.len; i++) {
        if (rd.data[i] < 0x21 || rd.data[i] > 0x7e || rd.data[i] == '\\') {
            return TORII_ERROR;
        }
    }

    return TORII_OK;
}


/* A segment, decoded: "." and ".." in any spelling, and control bytes. */

static int
oauth2_redirect_segment(torii_str_t segment)
{
    int     c;
    size_t  n, dots;

    n = 0;
    dots = 0;

    while (segment.len) {
        c = oauth2_path_byte(&segment);

        if (c < 0x20 || c == 0x7f) {
            return TORII_ERROR;
        }

        dots += (c == '.');
        n++;
    }

    return (n == dots && (n == 1 || n == 2)) ? TORII_ERROR : TORII_OK;
}


/* Is the path, decoded and with its case folded, one of the login's own? */

static int
oauth2_redirect_own(torii_str_t path, torii_str_t prefix, const char *except)
{
    int            c;
    size_t         n;
    torii_str_t    text;
    unsigned char  buf[OAUTH2_PREFIX_MAX + 16];

    n = 0;

    while (path.len && n < sizeof(buf)) {
        c = oauth2_path_byte(&path);
        buf[n++] = (unsigned char) ((c >= 'A' && c <= 'Z') ? c | 0x20 : c);
    }

    text.data = buf;
    text.len = n;

    if (prefix.len == 0 || prefix.len > OAUTH2_PREFIX_MAX || n < prefix.len
        || (n > prefix.len && buf[prefix.len] != '/'))
    {
        return 0;
    }

    text.len = prefix.len;

    if (!torii_str_caseeq(text, prefix)) {
        return 0;
    }

    text.data += prefix.len;
    text.len = n - prefix.len;

    return except == NULL || path.len != 0 || !torii_str_eqs(text, except);
}


static int
oauth2_redirect_path(torii_str_t path, torii_str_t prefix, const char *except)
{
    size_t       i;
    torii_str_t  rest, segment;

    for (i = 0; i < path.len; i++) {
        if (path.data[i] == '?' || path.data[i] == '#') {
            break;
        }
    }

    path.len = i;

    if (path.len == 0 || path.data[0] != '/') {
        return TORII_ERROR;
    }

    /* "/%2f" and "/%5c" become "//" where a proxy decodes */

    if (path.len > 3 && path.data[1] == '%') {
        rest.data = path.data + 1;
        rest.len = path.len - 1;

        i = (size_t) oauth2_path_byte(&rest);

        if (i == '/' || i == '\\') {
            return TORII_ERROR;
        }
    }

    rest.data = path.data + 1;
    rest.len = path.len - 1;

    while (torii_str_next(&rest, "/", &segment)) {

        if ((segment.len == 0 && rest.data != NULL)
            || oauth2_redirect_segment(segment) != TORII_OK)
        {
            return TORII_ERROR;
        }
    }

    return oauth2_redirect_own(path, prefix, except) ? TORII_ERROR : TORII_OK;
}


/* Letters, digits and hyphens; a last label of digits is an address's. */

static int
oauth2_redirect_host(torii_str_t host, oauth2_target_t *t)
{
    size_t         i;
    torii_str_t    rest, label;
    unsigned char  c;

    if (host.len == 0 || host.len > OAUTH2_HOST_MAX) {
        return TORII_ERROR;
    }

    for (i = 0; i < host.len; i++) {
        c = host.data[i];

        if (c >= 'A' && c <= 'Z') {
            c |= 0x20;
        }

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-'
            && c != '.')
        {
            return TORII_ERROR;
        }

        t->lower[i] = c;
    }

    t->host.data = t->lower;
    t->host.len = host.len;
    rest = t->host;

    while (torii_str_next(&rest, ".", &label)) {
        if (label.len == 0 || label.len > OAUTH2_LABEL_MAX
            || label.data[0] == '-' || label.data[label.len - 1] == '-')
        {
            return TORII_ERROR;
        }
    }

    return (label.data[0] >= '0' && label.data[0] <= '9') ? TORII_ERROR
                                                          : TORII_OK;
}


static int
oauth2_redirect_port(torii_str_t text, uint32_t standard, uint32_t *port)
{
    uint64_t  n;

    if (text.len == 0 || text.len > 5
        || torii_str_uint(text, 65535, &n) != TORII_OK || n == 0)
    {
        return TORII_ERROR;
    }

    *port = (n == standard) ? 0 : (uint32_t) n;

    return TORII_OK;
}


static int
oauth2_redirect_authority(torii_str_t authority, oauth2_target_t *t)
{
    torii_str_t  rest, host;

    rest = authority;
    (void) torii_str_next(&rest, ":", &host);

    t->port = 0;

    if (rest.data != NULL
        && oauth2_redirect_port(rest, t->http ? 80 : 443, &t->port)
           != TORII_OK)
    {
        return TORII_ERROR;
    }

    return oauth2_redirect_host(host, t);
}


static int
oauth2_redirect_split(const oauth2_redirect_t *conf, torii_str_t rd,
    oauth2_target_t *t)
{
    size_t       i, len;
    torii_str_t  scheme, authority;

    len = sizeof("https://") - 1;
    t->http = 0;

    if (rd.len > len && conf->http) {
        scheme.data = rd.data;
        scheme.len = len - 1;
        t->http = torii_str_caseeqs(scheme, "http://");
    }

    len -= t->http;

    if (rd.len <= len) {
        return TORII_ERROR;
    }

    scheme.data = rd.data;
    scheme.len = len;

    if (!t->http && !torii_str_caseeqs(scheme, "https://")) {
        return TORII_ERROR;
    }

    rd.data += len;
    rd.len -= len;

    for (i = 0; i < rd.len; i++) {
        if (memchr("/?#", rd.data[i], 3)) {
            break;
        }
    }

    authority.data = rd.data;
    authority.len = i;
    t->path.data = rd.data + i;
    t->path.len = rd.len - i;

    return oauth2_redirect_authority(authority, t);
}


/* An entry: [.|*.]HOST[:PORT|:*] */

static int
oauth2_redirect_listed(torii_str_t entry, const oauth2_target_t *t)
{
    int          sub;
    uint32_t     port;
    torii_str_t  host, tail;

    host = torii_str("");
    (void) torii_str_next(&entry, ":", &host);

    if (entry.data == NULL) {
        if (t->port) {
            return 0;
        }

    } else if (!torii_str_eqs(entry, "*")) {
        if (oauth2_redirect_port(entry, t->http ? 80 : 443, &port) != TORII_OK
            || port != t->port)
        {
            return 0;
        }
    }

    if (torii_str_starts(host, "*.")) {
        host.data++;
        host.len--;
    }

    sub = torii_str_starts(host, ".");

    if (sub) {
        host.data++;
        host.len--;
    }

    if (torii_str_eq(host, t->host)) {
        return host.len != 0;
    }

    if (!sub || host.len == 0 || t->host.len <= host.len) {
        return 0;
    }

    tail.data = t->host.data + t->host.len - host.len;
    tail.len = host.len;

    return tail.data[-1] == '.' && torii_str_eq(tail, host);
}


static int
oauth2_redirect_allowed(const oauth2_redirect_t *conf,
    const oauth2_target_t *t)
{
    uint32_t  i;

    if (torii_str_eq(t->host, conf->host) && t->port == conf->port) {
        return 1;
    }

    for (i = 0; i < conf->nallowed; i++) {
        if (oauth2_redirect_listed(conf->allowed[i], t)) {
            return 1;
        }
    }

    return 0;
}


static int
oauth2_redirect_to(const oauth2_redirect_t *conf, torii_str_t rd,
    const char *except, torii_buf_t *to)
{
    torii_str_t      path;
    oauth2_target_t  t;

    if (oauth2_redirect_bytes(rd) != TORII_OK) {
        return TORII_ERROR;
    }

    if (rd.data[0] == '/') {

        if (oauth2_redirect_path(rd, conf->prefix, except) != TORII_OK) {
            return TORII_ERROR;
        }

        torii_buf_add_str(to, rd);
        return TORII_OK;
    }

    if (oauth2_redirect_split(conf, rd, &t) != TORII_OK
        || !oauth2_redirect_allowed(conf, &t))
    {
        return TORII_ERROR;
    }

    path = t.path;

    if (path.len && path.data[0] == '/'
        && oauth2_redirect_path(path, conf->prefix, except) != TORII_OK)
    {
        return TORII_ERROR;
    }

    torii_buf_adds(to, t.http ? "http://" : "https://");
    torii_buf_add_str(to, t.host);

    if (t.port) {
        torii_buf_printf(to, ":%u", (unsigned) t.port);
    }

    if (path.len == 0 || path.data[0] != '/') {
        torii_buf_adds(to, "/");
    }

    torii_buf_add_str(to, path);

    return TORII_OK;
}


int
oauth2_redirect_check(const oauth2_redirect_t *conf, torii_str_t rd,
    torii_buf_t *to)
{
    return oauth2_redirect_to(conf, rd, NULL, to);
}


int
oauth2_redirect_logout(const oauth2_redirect_t *conf, torii_str_t rd,
    torii_buf_t *to)
{
    return oauth2_redirect_to(conf, rd, "/sign_in", to);
}
