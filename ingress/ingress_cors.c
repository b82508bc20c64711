
/*
 * CORS: which origins a route allows.  The list is parsed once, into scheme
 * and "host[:port]" in lower case, with the "*." of a wildcard cut off.
 */

#include <stdlib.h>

#include "ingress_setting.h"


#define INGRESS_ORIGINS_MAX  1024

#define ingress_cors_lower(c)                                                 \
    (unsigned char) ((c) >= 'A' && (c) <= 'Z' ? (c) | 0x20 : (c))


static int ingress_cors_origin(ingress_setter_t *s, torii_str_t origin,
    ingress_entry_t *entry);
static void ingress_cors_bad_origin(ingress_setter_t *s, torii_str_t origin);
static ingress_ref_t ingress_cors_add_lower(ingress_setter_t *s,
    torii_str_t text);
static int ingress_cors_split(torii_str_t origin, torii_str_t *scheme,
    torii_str_t *host);
static int ingress_cors_same(const unsigned char *pool, ingress_ref_t ref,
    torii_str_t text);
static int ingress_cors_label(torii_str_t *host);


/*
 * One bad origin of a list is left out, which opens nothing.  A list without
 * any good one is bad as a whole.
 */

int
ingress_set_cors_origins(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    uint32_t          n;
    torii_str_t       rest, origin;
    ingress_entry_t  *entries;

    n = 0;
    rest = value;
    entries = torii_zalloc(INGRESS_ORIGINS_MAX * sizeof(ingress_entry_t));

    s->policy->cors_any_origin = 0;
    s->policy->cors_null_origin = 0;

    while (torii_str_next(&rest, ",", &origin)) {
        origin = torii_str_trim(origin);

        if (origin.len == 0) {
            continue;
        }

        if (torii_str_eqs(origin, "*")) {
            s->policy->cors_any_origin = 1;

        } else if (torii_str_eqs(origin, "null")) {
            s->policy->cors_null_origin = 1;

        } else if (n == INGRESS_ORIGINS_MAX) {
            ingress_setter_finding(s, INGRESS_ERROR, "InvalidAnnotation",
                                   "has more than %u origins; the rest is "
                                   "left out", INGRESS_ORIGINS_MAX);
            break;

        } else if (ingress_cors_origin(s, origin, &entries[n]) == TORII_OK) {
            n++;

        } else {
            ingress_cors_bad_origin(s, origin);
        }
    }

    s->policy->cors_origins = ingress_pool_add(s->pool, entries,
                                               n * sizeof(ingress_entry_t));

    free(entries);

    if (n == 0 && !s->policy->cors_any_origin && !s->policy->cors_null_origin)
    {
        return ingress_setter_why(s, "has no proper origin in it; write "
                                  "\"https://host\" or \"*\"");
    }

    return TORII_OK;
}


static void
ingress_cors_bad_origin(ingress_setter_t *s, torii_str_t origin)
{
    char         shown[96];
    const char  *what;

    if (memchr(origin.data, ' ', origin.len) != NULL
        || torii_str_has_control(origin))
    {
        what = "separate origins by commas";

    } else if (origin.data[origin.len - 1] == '/') {
        what = "an origin does not end in a slash";

    } else if (memchr(origin.data, ':', origin.len) == NULL) {
        what = "begin with \"https://\" or \"http://\"";

    } else {
        what = "write scheme://host, scheme://host:port or scheme://*.host";
    }

    ingress_setter_finding(s, INGRESS_ERROR, "InvalidAnnotation",
                           "%s is no origin; %s (until then it is not allowed)",
                           ingress_show(origin, shown), what);
}


static int
ingress_cors_origin(ingress_setter_t *s, torii_str_t origin,
    ingress_entry_t *entry)
{
    torii_str_t  scheme, host;

    if (ingress_cors_split(origin, &scheme, &host) != TORII_OK) {
        return TORII_ERROR;
    }

    entry->wildcard = torii_str_starts(host, "*.");

    if (entry->wildcard) {
        host.data += 2;
        host.len -= 2;
    }

    if (ingress_parse_host(host) != TORII_OK) {
        return TORII_ERROR;
    }

    entry->name = ingress_cors_add_lower(s, scheme);
    entry->value = ingress_cors_add_lower(s, host);

    return TORII_OK;
}


static ingress_ref_t
ingress_cors_add_lower(ingress_setter_t *s, torii_str_t text)
{
    size_t          i;
    ingress_ref_t   ref;
    unsigned char  *p;

    ref = ingress_setter_str(s, text);
    p = s->pool->data + ref.off;

    for (i = 0; i < ref.len; i++) {
        p[i] = ingress_cors_lower(p[i]);
    }

    return ref;
}


static int
ingress_cors_split(torii_str_t origin, torii_str_t *scheme, torii_str_t *host)
{
    size_t  i;

    for (i = 0; i + 3 < origin.len && origin.data[i] != ':'; i++) {
        /* void */
    }

    if (i == 0 || i + 3 >= origin.len
        || memcmp(origin.data + i, "://", 3) != 0)
    {
        return TORII_ERROR;
    }

    scheme->data = origin.data;
    scheme->len = i;

    host->data = origin.data + i + 3;
    host->len = origin.len - i - 3;

    return ingress_parse_chars(*scheme, "+-.");
}


/* Names of methods or headers, which commas or blanks separate. */

int
ingress_set_cors_list(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    if (torii_str_eqs(value, "*") && row->min == 0) {
        return ingress_setter_why(s, "is not possible here; name them one by "
                                  "one");
    }

    if (ingress_parse_chars(value, row->data) != TORII_OK
        && !(torii_str_eqs(value, "*") && row->min))
    {
        return ingress_setter_why(s, "is not a list of names; separate names "
                                  "by commas");
    }

    *ingress_setter_field(s, row, ingress_ref_t) = ingress_setter_str(s, value);

    return TORII_OK;
}


int
ingress_cors_match(const ingress_policy_t *policy, const unsigned char *pool,
    torii_str_t origin)
{
    uint32_t                i, n;
    torii_str_t             scheme, host, rest;
    const ingress_entry_t  *entry;

    if (!policy->cors) {
        return 0;
    }

    if (policy->cors_any_origin) {
        return 1;
    }

    if (torii_str_eqs(origin, "null")) {
        return policy->cors_null_origin;
    }

    if (ingress_cors_split(origin, &scheme, &host) != TORII_OK) {
        return 0;
    }

    rest = host;

    if (ingress_cors_label(&rest) != TORII_OK) {
        rest.len = 0;
    }

    n = policy->cors_origins.len / sizeof(ingress_entry_t);
    entry = (const ingress_entry_t *) (const void *)
                (pool + policy->cors_origins.off);

    for (i = 0; i < n; i++) {
        if (ingress_cors_same(pool, entry[i].name, scheme)
            && ingress_cors_same(pool, entry[i].value,
                                 entry[i].wildcard ? rest : host))
        {
            return 1;
        }
    }

    return 0;
}


static int
ingress_cors_same(const unsigned char *pool, ingress_ref_t ref,
    torii_str_t text)
{
    torii_str_t  own;

    if (ref.len != text.len || ref.len == 0) {
        return 0;
    }

    own.data = (unsigned char *) pool + ref.off;
    own.len = ref.len;

    return torii_str_caseeq(own, text);
}


/* A wildcard stands for one label of letters, digits and "-". */

static int
ingress_cors_label(torii_str_t *host)
{
    size_t       i;
    torii_str_t  label;

    for (i = 0; i < host->len && host->data[i] != '.'; i++) {
        /* void */
    }

    if (i == 0 || i == host->len) {
        return TORII_ERROR;
    }

    label.data = host->data;
    label.len = i;

    host->data += i + 1;
    host->len -= i + 1;

    return ingress_parse_chars(label, "-");
}
