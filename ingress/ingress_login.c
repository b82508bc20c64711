
/*
 * Templates: text with nginx's variables of a request, cut into parts once, so
 * that a worker only looks up values.
 */

#include "ingress_login_setting.h"


/*
 * Request URIs that are decoded, "$uri", are not among them: they may hold a
 * line break.
 */

static const char  *const  ingress_login_names[] = {
    "args",
    "best_http_host",
    "escaped_request_uri",
    "host",
    "http_host",
    "ingress_name",
    "namespace",
    "pass_access_scheme",
    "query_string",
    "remote_addr",
    "remote_user",
    "request_id",
    "request_method",
    "request_uri",
    "scheme",
    "service_name",
    "service_port",
    NULL
};

/* The rest is the name of what a client sent. */

static const char  *const  ingress_login_prefixes[] = {
    "arg_",
    "cookie_",
    "http_",
    NULL
};


static size_t ingress_template_name(torii_str_t s, torii_str_t *name);


int
ingress_login_variable(torii_str_t name)
{
    const char  *const *known;

    for (known = ingress_login_names; *known; known++) {
        if (torii_str_eqs(name, *known)) {
            return 1;
        }
    }

    for (known = ingress_login_prefixes; *known; known++) {
        if (torii_str_starts(name, *known) && name.len > strlen(*known)) {
            return 1;
        }
    }

    return 0;
}


int
ingress_template_next(torii_str_t *rest, torii_str_t *name,
    torii_str_t *text)
{
    size_t          n;
    unsigned char  *dollar;

    name->len = 0;
    text->len = 0;

    if (rest->len == 0) {
        return 0;
    }

    dollar = memchr(rest->data, '$', rest->len);

    if (dollar != rest->data) {
        text->data = rest->data;
        text->len = dollar ? (size_t) (dollar - rest->data) : rest->len;

        rest->data += text->len;
        rest->len -= text->len;

        return 1;
    }

    n = ingress_template_name(*rest, name);

    rest->data += n;
    rest->len -= n;

    return 1;
}


/* "$name" or "${name}"; an empty name is not one, and is followed by nothing */

static size_t
ingress_template_name(torii_str_t s, torii_str_t *name)
{
    size_t         i, first;
    unsigned char  c;

    first = (s.len > 1 && s.data[1] == '{') ? 2 : 1;

    for (i = first; i < s.len; i++) {
        c = s.data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
            && (c < '0' || c > '9') && c != '_')
        {
            break;
        }
    }

    name->data = s.data + first;
    name->len = i - first;

    if (first == 2) {
        if (i == s.len || s.data[i] != '}') {
            name->len = 0;

        } else {
            i++;
        }
    }

    return i;
}
