
/*
 * Link headers (RFC 8288 section 3), which come quoted or not, and URLs.  A URL
 * of a CA is an opaque string: it is looked at, never rewritten.
 */

#include "acme_client_machine.h"


#define acme_is_blank(ch)  ((ch) == ' ' || (ch) == '\t')


typedef struct {
    const unsigned char  *p;
    const unsigned char  *last;
} acme_link_in_t;


static void
acme_link_skip(acme_link_in_t *in)
{
    while (in->p < in->last && acme_is_blank(*in->p)) {
        in->p++;
    }
}


static int
acme_link_take(acme_link_in_t *in, unsigned char ch)
{
    acme_link_skip(in);

    if (in->p == in->last || *in->p != ch) {
        return 0;
    }

    in->p++;

    return 1;
}


static torii_str_t
acme_link_until(acme_link_in_t *in, const char *set)
{
    torii_str_t  s;

    s.data = (unsigned char *) in->p;

    while (in->p < in->last && (*in->p == '\0' || !strchr(set, *in->p))) {
        in->p++;
    }

    s.len = in->p - s.data;

    return s;
}


/* An escaped byte cannot be in what we look for; it only must not end it. */

static int
acme_link_value(acme_link_in_t *in, torii_str_t *value)
{
    acme_link_skip(in);

    if (!acme_link_take(in, '"')) {
        *value = acme_link_until(in, ";, \t");
        return 1;
    }

    value->data = (unsigned char *) in->p;

    while (in->p < in->last && *in->p != '"') {
        in->p += (*in->p == '\\' && in->last - in->p > 1) ? 2 : 1;
    }

    value->len = in->p - value->data;

    return acme_link_take(in, '"');
}


static int
acme_link_read(acme_link_in_t *in, acme_link_t *link)
{
    torii_str_t  name, value;

    memset(link, 0, sizeof(acme_link_t));

    do {
        acme_link_skip(in);
    } while (acme_link_take(in, ','));

    if (!acme_link_take(in, '<')) {
        return 0;
    }

    link->target = torii_str_trim(acme_link_until(in, ">"));

    if (!acme_link_take(in, '>')) {
        return 0;
    }

    while (acme_link_take(in, ';')) {
        acme_link_skip(in);
        name = torii_str_trim(acme_link_until(in, "=;,"));
        value = torii_str("");

        if (acme_link_take(in, '=') && !acme_link_value(in, &value)) {
            return 0;
        }

        /* of several, the first counts */

        if (torii_str_caseeqs(name, "rel") && link->rel.data == NULL) {
            link->rel = value;
        }
    }

    acme_link_skip(in);

    return in->p == in->last || *in->p == ',';
}


int
acme_link_next(torii_str_t *rest, acme_link_t *link)
{
    acme_link_in_t  in;

    if (rest->len == 0) {
        return 0;
    }

    in.p = rest->data;
    in.last = rest->data + rest->len;

    if (!acme_link_read(&in, link)) {
        rest->len = 0;
        return 0;
    }

    rest->data = (unsigned char *) in.p;
    rest->len = in.last - in.p;

    return 1;
}


int
acme_link_is(const acme_link_t *link, const char *rel)
{
    torii_str_t  rest, piece;

    rest = link->rel;

    while (torii_str_next(&rest, " \t", &piece)) {
        if (torii_str_caseeqs(piece, rel)) {
            return 1;
        }
    }

    return 0;
}


int
acme_url_ok(torii_str_t url)
{
    size_t       i, len;
    torii_str_t  scheme;

    len = sizeof("https://") - 1;

    if (url.len <= len || url.len > ACME_URL_MAX) {
        return 0;
    }

    scheme.data = url.data;
    scheme.len = len;

    if (!torii_str_caseeqs(scheme, "https://")
        || strchr("/?#@:", url.data[len]) != NULL)
    {
        return 0;
    }

    for (i = 0; i < url.len; i++) {
        if (url.data[i] <= ' ' || url.data[i] >= 0x7f
            || strchr("\"<>\\^`{|}", url.data[i]) != NULL)
        {
            return 0;
        }
    }

    return 1;
}


/* The length of "https://host". */

static size_t
acme_url_origin(torii_str_t url)
{
    size_t  i;

    for (i = sizeof("https://") - 1; i < url.len; i++) {
        if (strchr("/?#", url.data[i]) != NULL) {
            break;
        }
    }

    return i;
}


static int
acme_url_has_dots(torii_str_t path)
{
    torii_str_t  rest, piece;

    rest = path;

    while (torii_str_next(&rest, "/?#", &piece)) {
        if (torii_str_eqs(piece, ".") || torii_str_eqs(piece, "..")) {
            return 1;
        }
    }

    return 0;
}


/*
 * RFC 3986 section 5.2, without dot segments: what a server means by them is
 * not worth the risk that a client on the way reads them in another way.
 */

int
acme_url_resolve(torii_arena_t *a, torii_str_t base, torii_str_t ref,
    torii_str_t *url)
{
    size_t       keep, i;
    const char  *slash;

    if (!acme_url_ok(base) || acme_url_has_dots(ref)
        || ref.len > ACME_URL_MAX || torii_str_has_control(ref))
    {
        return TORII_ERROR;
    }

    keep = acme_url_origin(base);
    slash = "";

    if (acme_url_ok(ref)) {
        keep = 0;

    } else if (torii_str_starts(ref, "//")) {
        keep = sizeof("https:") - 1;

    } else if (!torii_str_starts(ref, "/")) {

        /* up to the last slash of the path; "scheme:…" is not relative */

        for (i = keep; i < base.len && base.data[i] != '?'
             && base.data[i] != '#'; i++)
        {
            if (base.data[i] == '/') {
                keep = i + 1;
            }
        }

        if (ref.len == 0 || strchr("?#", ref.data[0]) != NULL
            || memchr(ref.data, ':', ref.len) != NULL)
        {
            return TORII_ERROR;
        }

        slash = (base.data[keep - 1] == '/') ? "" : "/";
    }

    *url = torii_arena_printf(a, "%.*s%s%.*s", (int) keep, (char *) base.data,
                              slash, torii_str_arg(ref));

    return acme_url_ok(*url) ? TORII_OK : TORII_ERROR;
}
