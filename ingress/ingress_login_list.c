
/*
 * Lists of who may enter, from the query of an auth-url, as OAuth2 Proxy takes
 * it, and from annotations.
 */

#include "ingress_login_list.h"


#define INGRESS_QUERY_MAX  4096

/* Which field a list is. */

typedef struct {
    const char    *name;
    uint32_t       flag;
    uint16_t       offset;       /* in ingress_login_setting_t */
} ingress_query_name_t;


static int ingress_query_value(ingress_setter_t *s,
    ingress_login_list_t *lists, torii_str_t name, torii_str_t value);
static int ingress_query_decode(torii_str_t s, unsigned char *out,
    size_t *len);
static int ingress_query_digit(unsigned char c);


static const ingress_query_name_t  ingress_query_names[] = {
    { "allowed_emails", INGRESS_LOGIN_EMAILS,
      offsetof(ingress_login_setting_t, emails) },
    { "allowed_email_domains", INGRESS_LOGIN_DOMAINS,
      offsetof(ingress_login_setting_t, domains) },
    { "allowed_groups", INGRESS_LOGIN_GROUPS,
      offsetof(ingress_login_setting_t, groups) },
};

#define INGRESS_QUERY_N                                                       \
    (sizeof(ingress_query_names) / sizeof(ingress_query_names[0]))


/*
 * A name that is not known may have been meant to keep somebody out; and so is
 * a list that is there, but empty.
 */

void
ingress_login_query(ingress_setter_t *s, torii_str_t query)
{
    uint32_t                  i;
    torii_str_t               rest, piece, name;
    ingress_ref_t            *ref;
    ingress_login_list_t      lists[INGRESS_QUERY_N];
    ingress_login_setting_t  *login;

    login = s->login;
    login->query_flags = 0;
    login->query.len = 0;

    for (i = 0; i < INGRESS_QUERY_N; i++) {
        lists[i].n = 0;
    }

    rest = query;
    s->why[0] = '\0';

    while (rest.len && torii_str_next(&rest, "&", &piece)) {

        if (piece.len == 0) {
            continue;
        }

        (void) torii_str_next(&piece, "=", &name);

        if (piece.data == NULL) {
            piece.len = 0;
        }

        if (ingress_query_value(s, lists, name, piece) != TORII_OK) {
            login->query = ingress_setter_str(s, torii_str(s->why));
            return;
        }
    }

    for (i = 0; i < INGRESS_QUERY_N; i++) {
        ref = (void *) ((unsigned char *) login
                        + ingress_query_names[i].offset);
        *ref = ingress_login_list_end(s, &lists[i]);
    }
}


static int
ingress_query_value(ingress_setter_t *s, ingress_login_list_t *lists,
    torii_str_t name, torii_str_t value)
{
    size_t         len;
    uint32_t       i;
    torii_str_t    rest, piece;
    unsigned char  text[INGRESS_QUERY_MAX];

    for (i = 0; i < INGRESS_QUERY_N; i++) {
        if (torii_str_eqs(name, ingress_query_names[i].name)) {
            break;
        }
    }

    if (i == INGRESS_QUERY_N) {
        return ingress_setter_why(s, "\"%.*s\" in its query is not known; "
                                  "write allowed_groups, allowed_emails or "
                                  "allowed_email_domains",
                                  torii_str_arg(name));
    }

    if (value.len > sizeof(text)
        || ingress_query_decode(value, text, &len) != TORII_OK)
    {
        return ingress_setter_why(s, "the value of %s in its query cannot be "
                                  "read", ingress_query_names[i].name);
    }

    s->login->query_flags |= ingress_query_names[i].flag;

    rest.data = text;
    rest.len = len;

    while (torii_str_next(&rest, ",", &piece)) {
        piece = torii_str_trim(piece);

        if (piece.len
            && ingress_login_list_add(s, &lists[i], piece) != TORII_OK)
        {
            return TORII_ERROR;
        }
    }

    return TORII_OK;
}


/* A variable's value is not known now, and would be the client's to choose. */

static int
ingress_query_decode(torii_str_t s, unsigned char *out, size_t *len)
{
    int          high, low;
    size_t       i, n;
    torii_str_t  decoded;

    n = 0;

    for (i = 0; i < s.len; i++) {

        if (s.data[i] == '$') {
            return TORII_ERROR;
        }

        if (s.data[i] == '+') {
            out[n++] = ' ';
            continue;
        }

        if (s.data[i] != '%') {
            out[n++] = s.data[i];
            continue;
        }

        if (s.len - i < 3) {
            return TORII_ERROR;
        }

        high = ingress_query_digit(s.data[i + 1]);
        low = ingress_query_digit(s.data[i + 2]);

        if (high < 0 || low < 0) {
            return TORII_ERROR;
        }

        out[n++] = (unsigned char) (high * 16 + low);
        i += 2;
    }

    decoded.data = out;
    decoded.len = n;
    *len = n;

    return torii_str_has_control(decoded) || !torii_str_is_utf8(decoded)
           ? TORII_ERROR : TORII_OK;
}


static int
ingress_query_digit(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


/*
 * row->data: what stands between the entries; row->min: a bit of the login's
 * flags; row->max: what it counts as among those given.
 */

int
ingress_set_login_list(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    torii_str_t           rest, piece;
    ingress_login_list_t  list;

    list.n = 0;
    rest = value;

    while (torii_str_next(&rest, row->data, &piece)) {
        piece = torii_str_trim(piece);

        if (torii_str_has_control(piece)) {
            return ingress_setter_why(s, "has a control character in it");
        }

        if (piece.len
            && ingress_login_list_add(s, &list, piece) != TORII_OK)
        {
            return TORII_ERROR;
        }
    }

    if (list.n == 0) {
        return ingress_setter_why(s, "has no entry in it");
    }

    s->login->record.flags |= (uint32_t) row->min;
    s->login->given |= row->max;

    *(ingress_ref_t *) (void *) ((unsigned char *) s->login + row->offset) =
        ingress_login_list_end(s, &list);

    return TORII_OK;
}


int
ingress_login_list_add(ingress_setter_t *s, ingress_login_list_t *list,
    torii_str_t piece)
{
    uint32_t  i;

    for (i = 0; i < list->n; i++) {
        if (torii_str_eq(ingress_pool_str(s->pool, list->elts[i]), piece)) {
            return TORII_OK;
        }
    }

    if (list->n == INGRESS_LIST_MAX) {
        return ingress_setter_why(s, "has more than %u entries",
                                  INGRESS_LIST_MAX);
    }

    list->elts[list->n++] = ingress_setter_str(s, piece);

    return TORII_OK;
}


ingress_ref_t
ingress_login_list_end(ingress_setter_t *s, const ingress_login_list_t *list)
{
    return ingress_pool_add(s->pool, list->elts,
                            list->n * sizeof(ingress_ref_t));
}


/*
 * "NAME", or "NAMESPACE/NAME": whether another namespace may be named is for
 * its Secret to say, which compile looks at.  In a ConfigMap it has to be
 * "NAMESPACE/NAME".
 */

int
ingress_set_login_provider(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    torii_str_t     rest, namespace, name;
    ingress_ref_t  *field;

    rest = value;
    (void) torii_str_next(&rest, "/", &namespace);
    name = rest;

    if (rest.data == NULL) {
        name = namespace;
        namespace = s->config ? s->object->namespace
                              : (torii_str_t) torii_null_string;
    }

    if (namespace.len == 0 || namespace.len > 253
        || name.len == 0 || name.len > 253
        || ingress_parse_chars(namespace, "-.") != TORII_OK
        || ingress_parse_chars(name, "-.") != TORII_OK)
    {
        return ingress_setter_why(s, "does not name a Secret; write %s",
                                  s->config ? "\"NAME\" or \"NAMESPACE/NAME\""
                                            : "\"NAMESPACE/NAME\"");
    }

    field = ingress_setter_field(s, row, ingress_ref_t);
    field[0] = ingress_setter_str(s, namespace);
    field[1] = ingress_setter_str(s, name);

    if (s->config) {
        s->login->asked |= INGRESS_LOGIN_BY_NAME;
    }

    return TORII_OK;
}
