
/*
 * From what a user writes to what a worker sees: nginx's normal form of a URI
 * (percent-decoded, slashes merged, dot segments resolved).
 */

#include "torii_request.h"


static int torii_request_scheme(torii_request_t *r, torii_str_t *text,
    const char **why);
static int torii_request_host(torii_arena_t *a, torii_request_t *r,
    torii_str_t host, const char **why);
static int torii_request_uri(torii_arena_t *a, torii_request_t *r,
    const char **why);
static int torii_request_decode(torii_str_t *s);
static int torii_request_normalise(torii_str_t *s);
static int torii_request_hex(unsigned char c);


int
torii_request_parse(torii_arena_t *a, torii_request_t *r, const char *host,
    const char *path, const char **why)
{
    size_t       n;
    torii_str_t  text, target;

    memset(r, 0, sizeof(torii_request_t));

    text = torii_str(host);

    if (torii_request_scheme(r, &text, why) != TORII_OK) {
        return TORII_ERROR;
    }

    for (n = 0; n < text.len; n++) {
        if (text.data[n] == '/' || text.data[n] == '?' || text.data[n] == '#') {
            break;
        }
    }

    target.data = text.data + n;
    target.len = text.len - n;
    text.len = n;

    if (path) {
        if (target.len) {
            *why = "there are two paths";
            return TORII_ERROR;
        }

        target = torii_str(path);

        if (target.len == 0 || target.data[0] != '/') {
            *why = "a path starts with \"/\"";
            return TORII_ERROR;
        }
    }

    for (n = 0; n < target.len && target.data[n] != '#'; n++) { /* void */ }

    target.len = n;

    if (target.len == 0 || target.data[0] == '?') {
        r->target = torii_arena_printf(a, "/%.*s", torii_str_arg(target));

    } else {
        r->target = torii_arena_str(a, target);
    }

    if (torii_request_host(a, r, text, why) != TORII_OK) {
        return TORII_ERROR;
    }

    return torii_request_uri(a, r, why);
}


static int
torii_request_scheme(torii_request_t *r, torii_str_t *text, const char **why)
{
    size_t  n;
    char   *end;

    end = strstr((char *) text->data, "://");
    if (end == NULL) {
        return TORII_OK;
    }

    n = end - (char *) text->data;

    r->scheme = 1;
    r->https = (n == 5);

    if ((n != 4 || strncmp((char *) text->data, "http", 4) != 0)
        && (n != 5 || strncmp((char *) text->data, "https", 5) != 0))
    {
        *why = "the scheme is neither http nor https";
        return TORII_ERROR;
    }

    text->data += n + 3;
    text->len -= n + 3;

    return TORII_OK;
}


static int
torii_request_host(torii_arena_t *a, torii_request_t *r, torii_str_t host,
    const char **why)
{
    size_t  i;

    host = torii_arena_str(a, host);

    i = 0;

    if (host.len && host.data[0] == '[') {

        /* colons of an IPv6 address are no port */

        while (i < host.len && host.data[i] != ']') {
            i++;
        }
    }

    while (i < host.len && host.data[i] != ':') {
        i++;
    }

    host.len = i;

    for (i = 0; i < host.len; i++) {

        if (host.data[i] <= 0x20 || host.data[i] == 0x7f) {
            *why = "a host has no blanks or control characters";
            return TORII_ERROR;
        }

        if (host.data[i] >= 'A' && host.data[i] <= 'Z') {
            host.data[i] |= 0x20;
        }
    }

    if (host.len && host.data[host.len - 1] == '.') {
        host.len--;
    }

    r->host = host;

    return TORII_OK;
}


static int
torii_request_uri(torii_arena_t *a, torii_request_t *r, const char **why)
{
    size_t       n;
    torii_str_t  uri;

    for (n = 0; n < r->target.len && r->target.data[n] != '?'; n++) {
        /* void */
    }

    if (n < r->target.len) {
        r->args.data = r->target.data + n + 1;
        r->args.len = r->target.len - n - 1;
    }

    uri.data = r->target.data;
    uri.len = n;

    uri = torii_arena_str(a, uri);

    if (torii_request_decode(&uri) != TORII_OK) {
        *why = "the path has a \"%\" that two hexadecimal digits do not follow,"
               " or \"%00\"";
        return TORII_ERROR;
    }

    if (torii_request_normalise(&uri) != TORII_OK) {
        *why = "the path leads above \"/\"";
        return TORII_ERROR;
    }

    r->uri = uri;

    return TORII_OK;
}


static int
torii_request_decode(torii_str_t *s)
{
    int             high, low;
    size_t          i;
    unsigned char  *p;

    p = s->data;

    for (i = 0; i < s->len; i++) {

        if (s->data[i] != '%') {
            *p++ = s->data[i];
            continue;
        }

        if (s->len - i < 3) {
            return TORII_ERROR;
        }

        high = torii_request_hex(s->data[i + 1]);
        low = torii_request_hex(s->data[i + 2]);

        if (high < 0 || low < 0 || high + low == 0) {
            return TORII_ERROR;
        }

        *p++ = (unsigned char) (high * 16 + low);
        i += 2;
    }

    s->len = p - s->data;

    return TORII_OK;
}


/* In place: the result is never longer.  s starts with "/". */

static int
torii_request_normalise(torii_str_t *s)
{
    size_t          i, n;
    unsigned char  *p;

    p = s->data;

    for (i = 0; i < s->len; i += n + 1) {

        /* a segment of n bytes lies between the slash at i and the next */

        for (n = 0; i + 1 + n < s->len && s->data[i + 1 + n] != '/'; n++) {
            /* void */
        }

        if (n == 2 && s->data[i + 1] == '.' && s->data[i + 2] == '.') {

            if (p == s->data) {
                return TORII_ERROR;
            }

            while (*--p != '/') { /* void */ }

        } else if (n && !(n == 1 && s->data[i + 1] == '.')) {
            memmove(p, s->data + i, n + 1);
            p += n + 1;
            continue;
        }

        /* nothing is left of the last segment but its slash */

        if (i + 1 + n >= s->len) {
            *p++ = '/';
        }
    }

    s->len = p - s->data;

    return TORII_OK;
}


static int
torii_request_hex(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
