
/*
 * Setters of settings with a form of their own: rewriting, redirects, aliases,
 * references to other objects, and what goes to the backend.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ingress_setting.h"
#include "torii_regex.h"


#define INGRESS_ALIASES_MAX  1024
#define INGRESS_TEXT_MAX     8192

/* What one response may take of a worker's memory. */
#define INGRESS_BUFFERS_MAX  (64 * 1024 * 1024)


static int ingress_alias_check(ingress_setter_t *s, torii_str_t alias,
    char why[160]);
static ingress_ref_t ingress_alias_add(ingress_setter_t *s,
    torii_str_t alias);
static int ingress_text_check(ingress_setter_t *s, torii_str_t value);
static void ingress_setting_mended(ingress_setter_t *s, const char *name,
    const char *why, uint64_t value);


static const char  ingress_regex_chars[] = "-._~/:^$[](){}*+?|&=\\";


/* A boolean of the run itself, for what is decided at its end. */

int
ingress_set_flag(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    int    rc;
    void  *base;

    base = s->base;
    s->base = s;

    rc = ingress_set_bool(s, row, value);

    s->base = base;

    return rc;
}


/* 0 unset, 1 off, 2 on */

int
ingress_set_prefer(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    if (ingress_set_bool(s, row, value) != TORII_OK) {
        return TORII_ERROR;
    }

    (*ingress_setter_field(s, row, uint8_t))++;

    return TORII_OK;
}


int
ingress_set_rewrite(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    size_t  i;

    if (value.len > INGRESS_TEXT_MAX) {
        return ingress_setter_why(s, "is too long");
    }

    if (ingress_parse_chars(value, "-._~/:$") != TORII_OK) {
        return ingress_setter_why(s, "is no path to rewrite to; letters, "
                                  "digits, \"-._~/:\" and $1 to $9 are "
                                  "allowed");
    }

    for (i = 0; i < value.len; i++) {
        if (value.data[i] == '$'
            && (i + 1 == value.len
                || value.data[i + 1] < '1' || value.data[i + 1] > '9'))
        {
            return ingress_setter_why(s, "has a \"$\" that is no capture; only "
                                      "$1 to $9 are replaced");
        }
    }

    if (value.data[0] != '/' && value.data[0] != '$'
        && !torii_str_starts(value, "http://")
        && !torii_str_starts(value, "https://"))
    {
        return ingress_setter_why(s, "is no path; begin with \"/\"");
    }

    *ingress_setter_field(s, row, ingress_ref_t) = ingress_setter_str(s, value);

    return TORII_OK;
}


int
ingress_set_app_root(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    const char  *why;

    if (value.data[0] != '/' || value.len > INGRESS_TEXT_MAX) {
        return ingress_setter_why(s, "is no path of the host; begin with "
                                  "\"/\"");
    }

    if (ingress_parse_target(value, &why) != TORII_OK) {
        return ingress_setter_why(s, "%s", why);
    }

    *ingress_setter_field(s, row, ingress_ref_t) = ingress_setter_str(s, value);

    return TORII_OK;
}


/* A bad alias of a list is left out, its neighbours stay. */

int
ingress_set_alias(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    char            why[160], shown[96];
    uint32_t        n;
    torii_str_t     rest, alias;
    ingress_ref_t  *refs;

    n = 0;
    rest = value;
    refs = torii_malloc(INGRESS_ALIASES_MAX * sizeof(ingress_ref_t));

    while (torii_str_next(&rest, ",", &alias)) {
        alias = torii_str_trim(alias);

        if (alias.len == 0) {
            continue;
        }

        if (n == INGRESS_ALIASES_MAX) {
            ingress_setter_finding(s, INGRESS_WARNING, "InvalidAnnotation",
                                   "has more than %u names; the rest is left "
                                   "out", INGRESS_ALIASES_MAX);
            break;
        }

        if (ingress_alias_check(s, alias, why) != TORII_OK) {
            ingress_setter_finding(s, INGRESS_WARNING, "InvalidAnnotation",
                                   "%s %s (until then it is left out)",
                                   ingress_show(alias, shown), why);
            continue;
        }

        refs[n++] = ingress_alias_add(s, alias);
    }

    *ingress_setter_field(s, row, ingress_ref_t) =
        ingress_pool_add(s->pool, refs, n * sizeof(ingress_ref_t));

    free(refs);

    return TORII_OK;
}


static int
ingress_alias_check(ingress_setter_t *s, torii_str_t alias, char why[160])
{
    char         error[128];
    torii_str_t  name;

    name = alias;

    if (alias.data[0] == '~') {
        name.data++;
        name.len--;

        if (name.len == 0 || name.len > TORII_REGEX_MAX
            || ingress_parse_chars(name, ingress_regex_chars) != TORII_OK)
        {
            (void) snprintf(why, 160, "is no regular expression of a name");
            return TORII_ERROR;
        }

        if (torii_regex_check(name, TORII_REGEX_CASELESS, error) != TORII_OK) {
            (void) snprintf(why, 160, "does not compile: %s", error);
            return TORII_ERROR;
        }

        return TORII_OK;
    }

    if (torii_str_starts(name, "*.")) {
        name.data += 2;
        name.len -= 2;
    }

    if (name.len == 0 || name.len > 253 || name.data[0] == '.'
        || torii_str_eqs(name, "_")
        || ingress_parse_chars(name, "-._") != TORII_OK)
    {
        (void) snprintf(why, 160, "is no host name; write \"name.example\", "
                        "\"*.example\" or \"~regex\"");
        return TORII_ERROR;
    }

    return TORII_OK;
}


static ingress_ref_t
ingress_alias_add(ingress_setter_t *s, torii_str_t alias)
{
    size_t          i;
    ingress_ref_t   ref;
    unsigned char  *p;

    ref = ingress_setter_str(s, alias);
    p = s->pool->data + ref.off;

    for (i = 0; i < ref.len && alias.data[0] != '~'; i++) {
        if (p[i] >= 'A' && p[i] <= 'Z') {
            p[i] |= 0x20;
        }
    }

    return ref;
}


/* A name for the Host header or, row->min, for a backend's certificate. */

int
ingress_set_host(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    if (memchr(value.data, '$', value.len) != NULL) {
        return ingress_setter_why(s, "has a \"$\", but variables are not "
                                  "replaced here; write the whole name");
    }

    if (torii_str_starts(value, "http://")
        || torii_str_starts(value, "https://"))
    {
        return ingress_setter_why(s, "is a URL; write the host name alone");
    }

    if (ingress_parse_host(value) != TORII_OK
        || (row->min && memchr(value.data, ':', value.len) != NULL))
    {
        return ingress_setter_why(s, row->min ? "is no host name alone"
                                              : "is no host name");
    }

    *ingress_setter_field(s, row, ingress_ref_t) = ingress_setter_str(s, value);

    return TORII_OK;
}


/*
 * A host name in which some variables are replaced for each request: Linkerd's
 * "$service_name.$namespace.svc.cluster.local:$service_port".
 */

int
ingress_set_vhost(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    size_t       i, n, len;
    torii_str_t  name;
    char         host[512];

    if (value.len >= sizeof(host)
        || memchr(value.data, '$', value.len) == NULL)
    {
        return ingress_set_host(s, row, value);
    }

    for (i = 0, n = 0; i < value.len; i += len) {

        len = ingress_vhost_variable(value.data + i, value.len - i, &name);

        if (len == 0) {
            host[n++] = (char) value.data[i];
            len = 1;
            continue;
        }

        if (name.len == 0) {
            return ingress_setter_why(s, "has a \"$\" that is none of "
                                      "$namespace, $ingress_name, "
                                      "$service_name and $service_port");
        }

        /* each of them may stand for a label or a port */

        host[n++] = '1';
    }

    name.len = n;
    name.data = (unsigned char *) host;

    if (ingress_parse_host(name) != TORII_OK) {
        return ingress_setter_why(s, "is no host name");
    }

    *ingress_setter_field(s, row, ingress_ref_t) = ingress_setter_str(s, value);

    return TORII_OK;
}


/* The field is one of the run: which target counts is known at its end. */

int
ingress_set_redirect(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    const char  *why;

    if (value.len > INGRESS_TEXT_MAX) {
        return ingress_setter_why(s, "is too long");
    }

    if (ingress_parse_target(value, &why) != TORII_OK) {
        return ingress_setter_why(s, "%s", why);
    }

    *(torii_str_t *) (void *) ((unsigned char *) s + row->offset) = value;

    return TORII_OK;
}


/* 304 to 306 are no redirects (RFC 9110 section 15.4). */

int
ingress_set_redirect_code(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    uint64_t     code;
    const char  *why;

    if (ingress_parse_number(value, row->min, row->max, &code, &why)
            != TORII_OK
        || (code >= 304 && code <= 306))
    {
        return ingress_setter_why(s, "is no redirect; write %s",
                                  row->max == 308 ? "301, 302, 303, 307 or 308"
                                                  : "301, 302, 303 or 307");
    }

    *(uint16_t *) (void *) ((unsigned char *) s + row->offset) =
        (uint16_t) code;

    return TORII_OK;
}


/*
 * "namespace/name" goes to two refs in a row.  row->min: the namespace must be
 * written, even if it is the Ingress' own.
 */

int
ingress_set_reference(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    torii_str_t     rest, namespace, name;
    ingress_ref_t  *field;

    rest = value;
    (void) torii_str_next(&rest, "/", &namespace);
    name = rest;

    if (rest.data == NULL) {
        name = namespace;
        namespace = s->object->namespace;

        if (row->min) {
            return ingress_setter_why(s, "has no namespace; write "
                                      "\"%.*s/NAME\"",
                                      torii_str_arg(s->object->namespace));
        }
    }

    if (namespace.len == 0 || namespace.len > 253
        || name.len == 0 || name.len > 253
        || ingress_parse_chars(namespace, "-.") != TORII_OK
        || ingress_parse_chars(name, "-.") != TORII_OK)
    {
        return ingress_setter_why(s, "does not name an object; write "
                                  "\"NAMESPACE/NAME\"");
    }

    if (!torii_str_eq(namespace, s->object->namespace)
        && !s->config->cross_namespace)
    {
        return ingress_setter_why(s, "is of another namespace; use one of "
                                  "\"%.*s\", or set "
                                  "allow-cross-namespace-resources in the "
                                  "ConfigMap",
                                  torii_str_arg(s->object->namespace));
    }

    field = ingress_setter_field(s, row, ingress_ref_t);
    field[0] = ingress_setter_str(s, namespace);
    field[1] = ingress_setter_str(s, name);

    return TORII_OK;
}


int
ingress_set_protocols(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    uint8_t      mask;
    torii_str_t  rest, word;

    mask = 0;
    rest = value;

    while (torii_str_next(&rest, " ", &word)) {

        if (word.len == 0) {
            continue;
        }

        if (torii_str_eqs(word, "TLSv1.2")) {
            mask |= INGRESS_TLSV1_2;

        } else if (torii_str_eqs(word, "TLSv1.3")) {
            mask |= INGRESS_TLSV1_3;

        } else {
            return ingress_setter_why(s, "is no list of TLS versions; write "
                                      "\"TLSv1.2\", \"TLSv1.3\" or both with "
                                      "a blank between");
        }
    }

    *ingress_setter_field(s, row, uint8_t) = mask;

    return TORII_OK;
}


int
ingress_set_next_upstream(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    char                   shown[96];
    uint32_t               mask;
    torii_str_t            rest, piece;
    const ingress_word_t  *word;

    mask = 0;
    rest = value;

    while (torii_str_next(&rest, " ", &piece)) {

        if (piece.len == 0) {
            continue;
        }

        for (word = row->data; word->name; word++) {
            if (torii_str_eqs(piece, word->name)) {
                mask |= word->value;
                break;
            }
        }

        if (word->name == NULL) {
            return ingress_setter_why(s, "has %s in it, which is no case for "
                                      "another try; write words with blanks "
                                      "between, such as \"error http_502\"",
                                      ingress_show(piece, shown));
        }
    }

    *ingress_setter_field(s, row, uint32_t) = (mask & INGRESS_NEXT_OFF)
                                       ? INGRESS_NEXT_OFF : mask;

    return TORII_OK;
}


/* "off", or two words for two refs in a row. */

int
ingress_set_pair(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    size_t          i;
    torii_str_t     from, to;
    ingress_ref_t  *field;

    field = ingress_setter_field(s, row, ingress_ref_t);

    if (torii_str_eqs(value, "off")) {
        memset(field, 0, 2 * sizeof(ingress_ref_t));
        return TORII_OK;
    }

    for (i = 0; i < value.len && value.data[i] != ' '; i++) {
        /* void */
    }

    from.data = value.data;
    from.len = i;

    to.data = value.data + i;
    to.len = value.len - i;
    to = torii_str_trim(to);

    if (to.len == 0 || memchr(to.data, ' ', to.len) != NULL) {
        return ingress_setter_why(s, "is not \"off\" and not two words; write "
                                  "\"FROM TO\"");
    }

    if (ingress_text_check(s, from) != TORII_OK
        || ingress_text_check(s, to) != TORII_OK)
    {
        return TORII_ERROR;
    }

    field[0] = ingress_setter_str(s, from);
    field[1] = ingress_setter_str(s, to);

    return TORII_OK;
}


/* proxy-redirect-from and -to: "off", or text of a Location header. */

int
ingress_set_location(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    ingress_ref_t  *field;

    field = ingress_setter_field(s, row, ingress_ref_t);

    if (torii_str_eqs(value, "off")) {
        memset(field, 0, sizeof(ingress_ref_t));
        return TORII_OK;
    }

    if (ingress_text_check(s, value) != TORII_OK) {
        return TORII_ERROR;
    }

    *field = ingress_setter_str(s, value);

    return TORII_OK;
}


/* Plain text in place of what nginx takes for a regex or a variable. */

static int
ingress_text_check(ingress_setter_t *s, torii_str_t value)
{
    if (value.len > INGRESS_TEXT_MAX) {
        return ingress_setter_why(s, "is too long");
    }

    if (value.data[0] == '~') {
        return ingress_setter_why(s, "begins with \"~\", but regular "
                                  "expressions are not possible here");
    }

    if (memchr(value.data, '$', value.len) != NULL) {
        return ingress_setter_why(s, "has a \"$\", but variables are not "
                                  "replaced here");
    }

    if (ingress_parse_chars(value, "-._~/:,?&=%#+@!*'()[]") != TORII_OK) {
        return ingress_setter_why(s, "has a character that is not possible "
                                  "here");
    }

    return TORII_OK;
}


/*
 * Busy buffers are at least one buffer and at most all but one; a temporary
 * file holds at least one.
 */

void
ingress_setting_buffers(ingress_setter_t *s)
{
    uint32_t           size, most;
    ingress_policy_t  *policy;

    static const char  why[] = "does not go with the size and number of "
                               "buffers";

    policy = s->policy;
    size = policy->buffer_size;

    if ((uint64_t) size * policy->buffers_number > INGRESS_BUFFERS_MAX) {
        policy->buffers_number = INGRESS_BUFFERS_MAX / size;
        ingress_setting_mended(s, "proxy-buffers-number",
                               "makes buffers of more than 64 MB for a "
                               "response", policy->buffers_number);
    }

    most = (policy->buffers_number - 1) * size;

    if (policy->busy_buffers_size == 0) {

        /* the default of two buffers is too much of two */

        if (policy->buffers_number == 2) {
            policy->busy_buffers_size = size;
        }

    } else if (policy->busy_buffers_size < size) {
        policy->busy_buffers_size = size;
        ingress_setting_mended(s, "proxy-busy-buffers-size", why, size);

    } else if (policy->busy_buffers_size > most) {
        policy->busy_buffers_size = most;
        ingress_setting_mended(s, "proxy-busy-buffers-size", why, most);
    }

    if (policy->max_temp_file_size && policy->max_temp_file_size < size) {
        policy->max_temp_file_size = size;
        ingress_setting_mended(s, "proxy-max-temp-file-size", why, size);
    }
}


static void
ingress_setting_mended(ingress_setter_t *s, const char *name, const char *why,
    uint64_t value)
{
    (void) snprintf(s->about, sizeof(s->about), "%s%s",
                    s->config ? INGRESS_ANNOTATION_PREFIX : "", name);

    s->field = torii_str(s->about);
    s->value.len = 0;
    s->line = s->object ? s->object->line : 0;

    ingress_setter_finding(s, INGRESS_WARNING,
                           s->config ? "InvalidAnnotation" : "InvalidConfig",
                           "%s; %llu is used", why,
                           (unsigned long long) value);
}
