
/*
 * Names of headers as careless backends see them: CGI and its heirs make one
 * byte of all that is no letter and no digit.
 */

#include "oauth2_header.h"


/* A "-" at the end: and all that begin so. */

static const char  *const oauth2_headers[] = {
    "x-auth-request-",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-access-token",
    "gap-auth",
    "remote-user",
    "remote-groups",
    "remote-name",
    "remote-email",
    "x-vouch-",
    "x-pomerium-",
    "x-original-url",
    "x-original-uri",
    "x-original-method",
    "x-webauth-",
    NULL
};


static unsigned char
oauth2_header_fold(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c | 0x20;
    }

    return ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) ? c : '-';
}


static int
oauth2_header_starts(torii_str_t name, torii_str_t prefix)
{
    size_t  i;

    if (name.len < prefix.len) {
        return 0;
    }

    for (i = 0; i < prefix.len; i++) {
        if (oauth2_header_fold(name.data[i])
            != oauth2_header_fold(prefix.data[i]))
        {
            return 0;
        }
    }

    return 1;
}


int
oauth2_header_same(torii_str_t name, torii_str_t other)
{
    return name.len == other.len && oauth2_header_starts(name, other);
}


int
oauth2_header_ours(torii_str_t name)
{
    torii_str_t          own;
    const char  *const  *h;

    for (h = oauth2_headers; *h; h++) {
        own = torii_str(*h);

        if (own.data[own.len - 1] == '-' ? oauth2_header_starts(name, own)
                                         : oauth2_header_same(name, own))
        {
            return 1;
        }
    }

    return 0;
}


int
oauth2_header_value_ok(torii_str_t value)
{
    return value.len != 0 && !torii_str_has_control(value);
}
