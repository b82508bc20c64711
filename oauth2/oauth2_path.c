
/*
 * Paths that need no login.
 */

#include "oauth2_path.h"


#define OAUTH2_PATH_PLAIN_MAX  4096


static int
oauth2_path_hex(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


int
oauth2_path_byte(torii_str_t *s)
{
    int     c, high, low;
    size_t  n;

    if (s->len == 0) {
        return -1;
    }

    c = s->data[0];
    n = 1;

    if (c == '%') {
        if (s->len < 3) {
            return -1;
        }

        high = oauth2_path_hex(s->data[1]);
        low = oauth2_path_hex(s->data[2]);

        if (high < 0 || low < 0) {
            return -1;
        }

        c = high << 4 | low;
        n = 3;
    }

    s->data += n;
    s->len -= n;

    return c;
}


int
oauth2_path_refused(torii_str_t target)
{
    size_t  i;

    for (i = 0; i < target.len; i++) {
        if (target.data[i] == '#' || target.data[i] == '\\') {
            return 1;
        }
    }

    return 0;
}


/* An encoded "/", ".", "%" … is read by some and not by others. */

static int
oauth2_path_decode(torii_str_t raw, torii_str_t *plain)
{
    int          c, encoded;
    torii_str_t  rest;

    rest = raw;
    plain->len = 0;

    while (rest.len) {
        encoded = rest.data[0] == '%';

        c = oauth2_path_byte(&rest);

        if (c <= 0x20 || c == 0x7f || c == ';' || c == '#' || c == '?'
            || c == '\\' || c == '%'
            || (encoded && (c == '/' || c == '.'))
            || (!encoded && c > 0x7f)
            || plain->len == OAUTH2_PATH_PLAIN_MAX)
        {
            return TORII_ERROR;
        }

        plain->data[plain->len++] = (unsigned char) c;
    }

    return TORII_OK;
}


static int
oauth2_path_segments(torii_str_t path)
{
    torii_str_t  rest, segment;

    rest = path;
    rest.data++;
    rest.len--;

    while (torii_str_next(&rest, "/", &segment)) {

        /* the last one is empty in "/" and "/a/" */

        if ((segment.len == 0 && rest.data != NULL)
            || torii_str_eqs(segment, ".") || torii_str_eqs(segment, ".."))
        {
            return TORII_ERROR;
        }
    }

    return TORII_OK;
}


int
oauth2_path_agrees(torii_str_t raw, torii_str_t path)
{
    torii_str_t    plain;
    unsigned char  buf[OAUTH2_PATH_PLAIN_MAX];

    if (raw.len == 0 || raw.data[0] != '/') {
        return 0;
    }

    plain.data = buf;

    return oauth2_path_decode(raw, &plain) == TORII_OK
           && torii_str_is_utf8(plain)
           && oauth2_path_segments(plain) == TORII_OK
           && torii_str_eq(plain, path);
}


static const char *
oauth2_skip_methods(torii_arena_t *a, torii_str_t list, oauth2_skip_t *rule)
{
    size_t       i;
    torii_str_t  method;

    while (torii_str_next(&list, ",", &method)) {
        method = torii_str_trim(method);

        for (i = 0; i < method.len; i++) {
            if (method.data[i] < 'A' || method.data[i] > 'Z') {
                return "has a method that is not in upper case";
            }
        }

        if (method.len == 0 || rule->nmethods == OAUTH2_METHODS_MAX) {
            return "has no method or too many before \"=\"";
        }

        rule->methods[rule->nmethods++] = torii_arena_str(a, method);
    }

    return NULL;
}


/* "GET=/a=b" has methods, "/a=b" and "^/a=b" have none. */

static int
oauth2_skip_has_methods(torii_str_t text, size_t *len)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] == '=') {
            *len = i;
            return 1;
        }

        if (text.data[i] == '/' || text.data[i] == '^' || text.data[i] == '(') {
            return 0;
        }
    }

    return 0;
}


const char *
oauth2_skip_read(torii_arena_t *a, torii_str_t text, oauth2_skip_t *rule)
{
    char          error[128];
    size_t        len;
    const char   *why;
    torii_str_t   methods;

    memset(rule, 0, sizeof(oauth2_skip_t));

    rule->type = OAUTH2_SKIP_REGEX;

    text = torii_str_trim(text);

    if (oauth2_skip_has_methods(text, &len)) {

        if (len == 0 || text.data[len - 1] == '!') {
            return "is negated, which is not supported";
        }

        methods.data = text.data;
        methods.len = len;

        why = oauth2_skip_methods(a, methods, rule);
        if (why) {
            return why;
        }

        text.data += len + 1;
        text.len -= len + 1;
    }

    if (text.len == 0 || torii_str_has_control(text)) {
        return "has no pattern";
    }

    /* "|" binds the least, and "$" would match before a last newline */

    rule->path = torii_arena_printf(a, "\\A(?:%.*s)\\z", torii_str_arg(text));

    if (torii_regex_check(text, 0, error) != TORII_OK
        || torii_regex_check(rule->path, 0, error) != TORII_OK)
    {
        return "is not a regular expression";
    }

    return NULL;
}


static int
oauth2_skip_method(const oauth2_skip_t *rule, torii_str_t method)
{
    uint32_t  i;

    for (i = 0; i < rule->nmethods; i++) {
        if (torii_str_eq(rule->methods[i], method)) {
            return 1;
        }
    }

    return rule->nmethods == 0;
}


static int
oauth2_skip_path(const oauth2_skip_t *rule, torii_regex_cache_t *cache,
    torii_str_t path)
{
    size_t          len;
    torii_str_t     head, captures[TORII_REGEX_CAPTURES];
    torii_regex_t  *re;

    switch (rule->type) {

    case OAUTH2_SKIP_EXACT:
        return torii_str_eq(path, rule->path);

    case OAUTH2_SKIP_PREFIX:
        len = rule->path.len;

        if (len == 0 || path.len < len) {
            return 0;
        }

        head.data = path.data;
        head.len = len;

        return torii_str_eq(head, rule->path)
               && (path.len == len || rule->path.data[len - 1] == '/'
                   || path.data[len] == '/');

    case OAUTH2_SKIP_REGEX:
        re = torii_regex_get(cache, rule->path, 0);

        return re && torii_regex_match(re, path, captures) == TORII_OK;
    }

    return 0;
}


int
oauth2_skip_match(const oauth2_skip_t *rules, uint32_t n,
    torii_regex_cache_t *cache, torii_str_t method, torii_str_t raw,
    torii_str_t path)
{
    uint32_t  i;

    if (n == 0 || !oauth2_path_agrees(raw, path)) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        if (oauth2_skip_method(&rules[i], method)
            && oauth2_skip_path(&rules[i], cache, path))
        {
            return 1;
        }
    }

    return 0;
}


int
oauth2_skip_preflight(torii_str_t method, torii_str_t origin,
    torii_str_t requested)
{
    return torii_str_eqs(method, "OPTIONS") && origin.len && requested.len;
}
