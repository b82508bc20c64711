
/*
 * Names of headers as careless backends see them: CGI and its heirs make one
 * byte of all that is no letter and no digit.
 */

#include "oauth2_header.h"


#define OAUTH2_HEADERS  5              /* that one letter has at most */


/*
 * By their third letter, which most headers of a request have in common with
 * none of them.  A "-" at the end: and all that begin so.
 */

static const char  *const oauth2_headers['z' - 'a' + 1][OAUTH2_HEADERS + 1] = {
    ['a' - 'a'] = { "x-auth-request-" },
    ['f' - 'a'] = { "x-forwarded-user", "x-forwarded-email",
                    "x-forwarded-groups", "x-forwarded-preferred-username",
                    "x-forwarded-access-token" },
    ['m' - 'a'] = { "remote-user", "remote-groups", "remote-name",
                    "remote-email" },
    ['o' - 'a'] = { "x-original-url", "x-original-uri", "x-original-method" },
    ['p' - 'a'] = { "gap-auth", "x-pomerium-" },
    ['v' - 'a'] = { "x-vouch-" },
    ['w' - 'a'] = { "x-webauth-" }
};


static unsigned char
oauth2_header_fold(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c | 0x20;
    }

    return ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) ? c : '-';
}


int
oauth2_header_same(torii_str_t name, torii_str_t other)
{
    size_t  i;

    if (name.len != other.len) {
        return 0;
    }

    for (i = 0; i < name.len; i++) {
        if (oauth2_header_fold(name.data[i])
            != oauth2_header_fold(other.data[i]))
        {
            return 0;
        }
    }

    return 1;
}


static int
oauth2_header_is(torii_str_t name, const char *own)
{
    size_t  i;

    for (i = 0; own[i]; i++) {
        if (i == name.len || oauth2_header_fold(name.data[i]) != own[i]) {
            return 0;
        }
    }

    return i == name.len || own[i - 1] == '-';
}


int
oauth2_header_ours(torii_str_t name)
{
    unsigned char        third;
    const char  *const  *own;

    if (name.len < 3) {
        return 0;
    }

    third = oauth2_header_fold(name.data[2]);

    if (third < 'a' || third > 'z') {
        return 0;
    }

    for (own = oauth2_headers[third - 'a']; *own; own++) {
        if (oauth2_header_is(name, *own)) {
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
