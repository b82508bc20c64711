
/*
 * Settings of a login that have a form of their own.
 */

#include "ingress_login_list.h"


#define INGRESS_DURATIONS_MAX  32
#define INGRESS_DURATION_MAX   (10 * 365 * 86400U)

#define INGRESS_HEADER_MAX     128

typedef struct {
    const char    *name;
    uint32_t       ms;
} ingress_unit_t;


static int ingress_duration_add(ingress_setter_t *s, torii_str_t piece,
    ingress_cache_rule_t *rules, uint32_t *n);
static int ingress_duration_rule(ingress_cache_rule_t *rules, uint32_t *n,
    uint32_t status);


static const char  *const  ingress_login_methods[] = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS",
    "TRACE", NULL
};

/* Those of a connection, or that say where a message ends. */

static const char  *const  ingress_login_reserved[] = {
    "connection", "content-length", "keep-alive", "proxy-connection", "te",
    "trailer", "transfer-encoding", "upgrade", NULL
};

static const ingress_unit_t  ingress_units[] = {
    { "", 1000 },
    { "ms", 1 },
    { "s", 1000 },
    { "m", 60 * 1000 },
    { "h", 3600 * 1000 },
    { NULL, 0 }
};

static const ingress_unit_t  ingress_units_long[] = {
    { "d", 86400 },
    { "w", 7 * 86400 },
    { "M", 30 * 86400 },
    { "y", 365 * 86400 },
    { NULL, 0 }
};


int
ingress_set_login_method(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    const char  *const *method;

    for (method = ingress_login_methods; *method; method++) {
        if (torii_str_eqs(value, *method)) {
            s->login->record.method = ingress_setter_str(s, value);
            s->login->record.flags |= INGRESS_LOGIN_METHOD;
            return TORII_OK;
        }
    }

    return ingress_setter_why(s, "is no method; write \"GET\", \"HEAD\" or "
                              "\"POST\"");
}


int
ingress_set_login_headers(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    torii_str_t           rest, piece;
    ingress_login_list_t  list;

    list.n = 0;
    rest = value;

    while (torii_str_next(&rest, ",", &piece)) {
        piece = torii_str_trim(piece);

        if (piece.len == 0) {
            continue;
        }

        if (!ingress_login_header_name(piece)) {
            return ingress_setter_why(s, "has \"%.*s\" in it, which is no name "
                                      "of a header that may be set",
                                      torii_str_arg(piece));
        }

        if (ingress_login_list_add(s, &list, piece) != TORII_OK) {
            return TORII_ERROR;
        }
    }

    s->login->record.response_headers = ingress_login_list_end(s, &list);
    s->login->record.flags |= INGRESS_LOGIN_CHOSEN;

    return TORII_OK;
}


int
ingress_login_header_name(torii_str_t name)
{
    const char  *const *reserved;

    if (name.len == 0 || name.len > INGRESS_HEADER_MAX
        || ingress_parse_chars(name, "-_") != TORII_OK)
    {
        return 0;
    }

    for (reserved = ingress_login_reserved; *reserved; reserved++) {
        if (torii_str_caseeqs(name, *reserved)) {
            return 0;
        }
    }

    return 1;
}


/* "200 202 401 5m, any 10s": statuses, and at the end how long. */

int
ingress_set_login_durations(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    uint32_t              n;
    torii_str_t           rest, piece;
    ingress_cache_rule_t  rules[INGRESS_DURATIONS_MAX];

    n = 0;
    rest = value;

    while (torii_str_next(&rest, ",", &piece)) {
        piece = torii_str_trim(piece);

        if (piece.len
            && ingress_duration_add(s, piece, rules, &n) != TORII_OK)
        {
            return TORII_ERROR;
        }
    }

    s->login->record.cache_rules =
        ingress_pool_add(s->pool, rules, n * sizeof(ingress_cache_rule_t));

    return TORII_OK;
}


static int
ingress_duration_add(ingress_setter_t *s, torii_str_t piece,
    ingress_cache_rule_t *rules, uint32_t *n)
{
    uint32_t     first;
    uint64_t     status, ms;
    torii_str_t  rest, word, next;

    first = *n;
    rest = piece;
    word.len = 0;
    word.data = NULL;

    /* the last word is the time */

    while (torii_str_next(&rest, " ", &next)) {

        if (next.len == 0) {
            continue;
        }

        if (word.len) {
            status = 0;

            if (!torii_str_eqs(word, "any")
                && (torii_str_uint(word, 599, &status) != TORII_OK
                    || status < 100))
            {
                return ingress_setter_why(s, "has \"%.*s\" in it, which is no "
                                          "status", torii_str_arg(word));
            }

            if (ingress_duration_rule(rules, n, status) != TORII_OK) {
                return ingress_setter_why(s, "has too many statuses in it");
            }
        }

        word = next;
    }

    if (ingress_login_time(word, &ms) != TORII_OK) {
        return ingress_setter_why(s, "has \"%.*s\" in it, which is no time "
                                  "such as 10s or 5m", torii_str_arg(word));
    }

    if (first == *n && ingress_duration_rule(rules, n, 200) != TORII_OK) {
        return ingress_setter_why(s, "has too many statuses in it");
    }

    while (first < *n) {
        rules[first++].seconds = (uint32_t) (ms / 1000);
    }

    return TORII_OK;
}


static int
ingress_duration_rule(ingress_cache_rule_t *rules, uint32_t *n,
    uint32_t status)
{
    if (*n == INGRESS_DURATIONS_MAX) {
        return TORII_ERROR;
    }

    rules[*n].status = status;
    rules[*n].seconds = 0;
    (*n)++;

    return TORII_OK;
}


int
ingress_login_time(torii_str_t s, uint64_t *ms)
{
    size_t                 i;
    torii_str_t            number, unit;
    const ingress_unit_t  *u;

    for (i = 0; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++) {
        /* void */
    }

    number.data = s.data;
    number.len = i;
    unit.data = s.data + i;
    unit.len = s.len - i;

    if (torii_str_uint(number, INGRESS_DURATION_MAX, ms) != TORII_OK) {
        return TORII_ERROR;
    }

    for (u = ingress_units; u->name; u++) {
        if (torii_str_eqs(unit, u->name)) {
            *ms *= u->ms;
            return *ms / 1000 <= INGRESS_DURATION_MAX ? TORII_OK : TORII_ERROR;
        }
    }

    for (u = ingress_units_long; u->name; u++) {
        if (torii_str_eqs(unit, u->name)) {
            *ms *= u->ms * (uint64_t) 1000;
            return *ms / 1000 <= INGRESS_DURATION_MAX ? TORII_OK : TORII_ERROR;
        }
    }

    return TORII_ERROR;
}


/* Requests of a connection, or its idle time: none of them is no keepalive. */

int
ingress_set_login_keep(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    uint64_t     n;
    const char  *why;

    if (value.data[0] == '-') {
        s->no_keepalive = 1;
        return TORII_OK;
    }

    if (ingress_parse_number(value, 0, UINT32_MAX, &n, &why) != TORII_OK) {
        return ingress_setter_why(s, "%s", why);
    }

    s->no_keepalive |= (n == 0);

    return TORII_OK;
}


int
ingress_set_login_type(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    if (torii_str_eqs(value, "basic")) {
        *ingress_setter_field(s, row, uint8_t) = 1;
        return TORII_OK;
    }

    if (torii_str_eqs(value, "digest")) {
        return ingress_setter_why(s, "is not supported, as it is weaker than "
                                  "\"basic\" over TLS; write \"basic\"");
    }

    return ingress_setter_why(s, "is not \"basic\"");
}


int
ingress_set_login_satisfy(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    int    rc;
    void  *base;

    base = s->base;
    s->base = s;

    rc = ingress_set_words(s, row, value);

    s->base = base;

    return rc;
}


/* row->min: a bit of the login's flags */

int
ingress_set_login_flag(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    uint8_t      yes;
    const char  *why;

    if (ingress_parse_bool(value, &yes, &why) != TORII_OK) {
        return ingress_setter_why(s, "%s", why);
    }

    s->login->given |= row->max;

    if (yes) {
        s->login->record.flags |= (uint32_t) row->min;
    }

    return TORII_OK;
}
