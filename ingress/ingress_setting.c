
/*
 * One setting at a time: what every value must be, what follows from a bad
 * one, and the setters for the plain forms.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingress_setting.h"


#define INGRESS_NETWORKS_MAX  65536


static int ingress_setting_check(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
static void ingress_setting_empty(ingress_setter_t *s,
    const ingress_setting_t *row);
static void ingress_setting_bad(ingress_setter_t *s,
    const ingress_setting_t *row);
static void ingress_setting_unsupported(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
static int ingress_setting_is_default(const ingress_setting_t *row,
    torii_str_t value);
static int ingress_set_network_list(ingress_setter_t *s, torii_str_t value,
    ingress_network_t *list, uint32_t *n);
static int ingress_set_network_why(ingress_setter_t *s, torii_str_t value,
    torii_str_t piece);
static int ingress_set_shadowed(ingress_setter_t *s,
    const ingress_setting_t *row);


const ingress_word_t  ingress_words_switch[] = {
    { "off", 0 },
    { "on", 1 },
    { NULL, 0 }
};


const ingress_setting_t *
ingress_setting_find(const ingress_setting_t *rows, uint32_t n,
    torii_str_t name)
{
    int       rc;
    uint32_t  low, high, middle;

    low = 0;
    high = n;

    while (low < high) {
        middle = low + (high - low) / 2;

        rc = torii_str_cmp(name, torii_str(rows[middle].name));
        if (rc == 0) {
            return &rows[middle];
        }

        if (rc < 0) {
            high = middle;

        } else {
            low = middle + 1;
        }
    }

    return NULL;
}


const ingress_setting_t *
ingress_setting_near(const ingress_setting_t *rows, uint32_t n,
    torii_str_t name, unsigned *distance)
{
    size_t                    i;
    uint32_t                  row;
    unsigned                  limit, d;
    unsigned char             lower[64];
    const ingress_setting_t  *near;

    near = NULL;

    if (name.len < 3 || name.len > sizeof(lower)) {
        return NULL;
    }

    for (i = 0; i < name.len; i++) {
        lower[i] = name.data[i];

        if (lower[i] >= 'A' && lower[i] <= 'Z') {
            lower[i] |= 0x20;

        } else if (lower[i] == '_') {
            lower[i] = '-';
        }
    }

    name.data = lower;

    /* a third of a short name may be wrong, of a long one three letters */

    limit = (name.len < 12) ? name.len / 4 + 1 : 4;

    for (row = 0; row < n; row++) {
        d = torii_str_distance(name, torii_str(rows[row].name), limit);

        if (d < limit) {
            limit = d;
            near = &rows[row];
        }
    }

    *distance = limit;

    return near;
}


int
ingress_setting_apply(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    s->value = value;
    value = torii_str_trim(value);

    if (value.len == 0) {
        ingress_setting_empty(s, row);
        return TORII_OK;
    }

    if (row->set
        && (ingress_setting_check(s, row, value) != TORII_OK
            || row->set(s, row, value) != TORII_OK))
    {
        ingress_setting_bad(s, row);
        return TORII_ERROR;
    }

    if (row->state != INGRESS_ENFORCED) {
        ingress_setting_unsupported(s, row, value);
    }

    return TORII_OK;
}


static int
ingress_setting_check(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    size_t         i;
    unsigned char  c;

    if (value.len > INGRESS_VALUE_MAX) {
        return ingress_setter_why(s, "is longer than %u bytes",
                                  (unsigned) INGRESS_VALUE_MAX);
    }

    for (i = 0; i < value.len; i++) {
        c = value.data[i];

        if ((c == '\n' || c == '\r' || c == '\t')
            && (row->flags & INGRESS_SETTING_LINES))
        {
            continue;
        }

        if (c < 0x20 || c == 0x7f) {
            return ingress_setter_why(s, (c == '\n' || c == '\r')
                                      ? "has a line break in it"
                                      : "has a control character in it");
        }
    }

    if (!torii_str_is_utf8(value)) {
        return ingress_setter_why(s, "is not valid UTF-8");
    }

    return TORII_OK;
}


/*
 * Templates that fill in nothing are common, and nothing is what they ask for;
 * but an access list that came out empty was meant to keep somebody out.
 */

static void
ingress_setting_empty(ingress_setter_t *s, const ingress_setting_t *row)
{
    if (s->config == NULL) {
        return;
    }

    if (row->flags & INGRESS_SETTING_GATE) {
        (void) ingress_setter_why(s, "is empty; write a value, or remove the "
                                  "annotation");
        ingress_setting_bad(s, row);
        return;
    }

    ingress_setter_finding(s, INGRESS_INFO, "EmptyAnnotation",
                           "is empty and taken as not set");
}


static void
ingress_setting_bad(ingress_setter_t *s, const ingress_setting_t *row)
{
    char                shown[96];
    const char         *then, *reason;
    ingress_severity_e  severity;

    severity = INGRESS_ERROR;

    switch (row->bad) {

    case INGRESS_BAD_DENY:
        s->policy->deny |= INGRESS_DENY_ANNOTATION;
        then = s->config ? "all paths of this Ingress answer 503"
                         : "every Ingress without a setting of its own "
                           "answers 503";
        break;

    case INGRESS_BAD_CORS:
        s->cors_refused = 1;
        then = "no CORS headers are sent";
        break;

    case INGRESS_BAD_TRUST:
        memset(ingress_setter_field(s, row, ingress_ref_t), 0,
               sizeof(ingress_ref_t));
        then = "no peer is trusted";
        break;

    default:
        severity = INGRESS_WARNING;
        then = s->config ? "it is as if not set" : "the default is in force";
        break;
    }

    reason = s->config ? "InvalidAnnotation" : "InvalidConfig";

    ingress_setter_finding(s, severity, reason, "%s %s (until then %s)",
                           ingress_show(torii_str_trim(s->value), shown),
                           s->why, then);
}


static void
ingress_setting_unsupported(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    const char  *reason;

    if (row->flags & INGRESS_SETTING_SNIPPET) {
        ingress_setter_finding(s, INGRESS_WARNING, "SnippetIgnored",
                               "the snippet \"%s\" is ignored, snippets are "
                               "never run; the rest is served (%s)",
                               row->name, row->help);
        return;
    }

    if (!(row->flags & INGRESS_SETTING_LOUD)
        && ingress_setting_is_default(row, value))
    {
        return;
    }

    reason = s->config ? "UnsupportedAnnotation" : "UnsupportedConfig";

    if (row->state == INGRESS_MACHINE) {
        ingress_setter_finding(s, INGRESS_INFO, reason,
                               "is ignored, it belongs into nginx.conf: %s",
                               row->help);
        return;
    }

    if (row->state == INGRESS_NEVER) {
        ingress_setter_finding(s, INGRESS_INFO, reason,
                               "is ignored, it has no meaning here: %s",
                               row->help);
        return;
    }

    if (row->bad == INGRESS_BAD_DENY) {
        s->policy->deny |= INGRESS_DENY_UNSUPPORTED;

        ingress_setter_finding(s, INGRESS_ERROR, reason,
                               "is not enforced by this version (%s), so that "
                               "%s; remove it if the backend may be reached "
                               "without", row->help,
                               s->config ? "all paths of this Ingress answer "
                                           "503"
                                         : "every Ingress answers 503");
        return;
    }

    ingress_setter_finding(s, s->config ? INGRESS_WARNING : INGRESS_INFO,
                           reason, "is not supported by this version (%s); %s",
                           row->help, (row->flags & INGRESS_SETTING_WHOLE)
                           ? "this Ingress gets no requests"
                           : "it is ignored, the rest is served");
}


/* "False" and "0" are a default of "false", too. */

static int
ingress_setting_is_default(const ingress_setting_t *row, torii_str_t value)
{
    uint8_t  a, b;

    if (torii_str_eqs(value, row->value)) {
        return 1;
    }

    if (strcmp(row->value, "true") != 0 && strcmp(row->value, "false") != 0) {
        return 0;
    }

    return ingress_parse_bool(value, &a, NULL) == TORII_OK
           && ingress_parse_bool(torii_str(row->value), &b, NULL) == TORII_OK
           && a == b;
}


void
ingress_setting_info(const ingress_setting_t *row,
    ingress_setting_info_t *info)
{
    static const char *const  states[] = { "enforced", "not yet",
                                           "nginx.conf", "never" };
    static const char *const  scopes[] = { "route", "host", "upstream",
                                           "gateway" };
    static const char *const  bads[] = { "default", "deny", "off", "off" };

    info->name = row->name;
    info->state = states[row->state];
    info->scope = scopes[row->scope];
    info->value = row->value;
    info->bad = bads[row->bad];
    info->help = row->help;
}


int
ingress_setter_why(ingress_setter_t *s, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(s->why, sizeof(s->why), fmt, args);
    va_end(args);

    return TORII_ERROR;
}


void
ingress_setter_finding(ingress_setter_t *s, ingress_severity_e severity,
    const char *reason, const char *fmt, ...)
{
    char                     text[1024];
    va_list                  args;
    torii_arena_t           *a;
    ingress_finding_t       *f;
    const ingress_object_t  *o;

    o = s->object;

    if (s->findings == NULL || o == NULL) {
        return;
    }

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    f = ingress_finding_add(s->findings, severity, reason, s->field, s->value,
                            "%s", text);

    if (f == &s->findings->spare) {
        return;
    }

    a = s->findings->arena;

    f->kind = torii_str(s->config ? "Ingress" : "ConfigMap");
    f->namespace = torii_arena_str(a, o->namespace);
    f->name = torii_arena_str(a, o->name);
    f->file = torii_arena_str(a, o->file);
    f->line = s->line;
}


const ingress_pair_t *
ingress_setter_given(const ingress_setter_t *s, const char *name)
{
    size_t                 prefix, len;
    uint32_t               i;
    const ingress_pair_t  *pair;

    prefix = sizeof(INGRESS_ANNOTATION_PREFIX) - 1;
    len = strlen(name);

    for (i = 0; i < s->object->annotations.n; i++) {
        pair = &s->object->annotations.elts[i];

        if (pair->name.len == prefix + len
            && memcmp(pair->name.data + prefix, name, len) == 0
            && torii_str_starts(pair->name, INGRESS_ANNOTATION_PREFIX))
        {
            return pair;
        }
    }

    return NULL;
}


ingress_ref_t
ingress_setter_str(ingress_setter_t *s, torii_str_t str)
{
    return ingress_pool_add(s->pool, str.data, str.len);
}


int
ingress_set_bool(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    const char  *why;

    if (ingress_parse_bool(value, ingress_setter_field(s, row, uint8_t), &why)
        != TORII_OK)
    {
        return ingress_setter_why(s, "%s", why);
    }

    return TORII_OK;
}


/* row->min: the words are caseless. */

int
ingress_set_words(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    size_t                 n;
    char                   list[128];
    uint8_t                yes;
    const char            *hint;
    const ingress_word_t  *words, *word;

    words = row->data;
    hint = NULL;
    n = 0;

    for (word = words; word->name; word++) {

        if (torii_str_eqs(value, word->name)
            || (row->min && torii_str_caseeqs(value, word->name)))
        {
            *ingress_setter_field(s, row, uint8_t) = (uint8_t) word->value;
            return TORII_OK;
        }

        if (torii_str_distance(value, torii_str(word->name), 2) < 2
            || torii_str_caseeqs(value, word->name))
        {
            hint = word->name;
        }

        n += snprintf(list + n, sizeof(list) - n, "%s\"%s\"", n ? ", " : "",
                      word->name);
        if (n >= sizeof(list)) {
            n = sizeof(list) - 1;
        }
    }

    if (words == ingress_words_switch
        && ingress_parse_bool(value, &yes, NULL) == TORII_OK)
    {
        hint = yes ? "on" : "off";
    }

    if (hint) {
        return ingress_setter_why(s, "is not one of %s; write \"%s\"", list,
                                  hint);
    }

    return ingress_setter_why(s, "is not one of %s", list);
}


int
ingress_set_number(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    uint64_t     n;
    const char  *why;

    if (ingress_parse_number(value, row->min, row->max, &n, &why)
        != TORII_OK)
    {
        return ingress_setter_why(s, "%s; write a number from %llu to %llu",
                                  why, (unsigned long long) row->min,
                                  (unsigned long long) row->max);
    }

    *ingress_setter_field(s, row, uint32_t) = (uint32_t) n;

    return TORII_OK;
}


int
ingress_set_seconds(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    char         hint[32];
    uint64_t     n;
    const char  *why;

    if (ingress_parse_number(value, row->min, row->max, &n, &why)
        == TORII_OK)
    {
        *ingress_setter_field(s, row, uint32_t) = (uint32_t) n * 1000;
        return TORII_OK;
    }

    if (*ingress_hint_seconds(value, hint)) {
        return ingress_setter_why(s, "is not a number of seconds; write %s",
                                  hint);
    }

    if (row->min && torii_str_eqs(value, "0")) {
        return ingress_setter_why(s, "would end every request at once; write "
                                  "a large number such as 86400 to wait long");
    }

    return ingress_setter_why(s, "%s; write a number of seconds from %llu to "
                              "%llu", why, (unsigned long long) row->min,
                              (unsigned long long) row->max);
}


int
ingress_set_size(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    char         hint[32];
    uint64_t     bytes;
    const char  *why;

    if (ingress_parse_size(value, &bytes, &why) != TORII_OK) {

        if (*ingress_hint_size(value, hint)) {
            return ingress_setter_why(s, "is not a size; write \"%s\"", hint);
        }

        return ingress_setter_why(s, "%s", why);
    }

    if (bytes < row->min) {
        return ingress_setter_why(s, "is less than %llu bytes; is the unit "
                                  "\"k\" or \"m\" missing?",
                                  (unsigned long long) row->min);
    }

    if (bytes > row->max) {
        return ingress_setter_why(s, "is more than %llu bytes",
                                  (unsigned long long) row->max);
    }

    *ingress_setter_field(s, row, uint64_t) = bytes;

    return TORII_OK;
}


/* The same for a field of four bytes, which row->max fits into. */

int
ingress_set_size32(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    int                rc;
    uint64_t           bytes;
    void              *base;
    ingress_setting_t  wide;

    wide = *row;
    wide.offset = 0;

    base = s->base;
    s->base = &bytes;

    rc = ingress_set_size(s, &wide, value);

    s->base = base;

    if (rc == TORII_OK) {
        *ingress_setter_field(s, row, uint32_t) = (uint32_t) bytes;
    }

    return rc;
}


int
ingress_set_text(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    const ingress_charset_t  *set;

    set = row->data;

    if (value.len > row->max) {
        return ingress_setter_why(s, "is longer than %llu bytes",
                                  (unsigned long long) row->max);
    }

    if (ingress_parse_chars(value, set->chars) != TORII_OK) {
        return ingress_setter_why(s, "is not %s; letters, digits and \"%s\" "
                                  "are allowed", set->what, set->chars);
    }

    *ingress_setter_field(s, row, ingress_ref_t) = ingress_setter_str(s, value);

    return TORII_OK;
}


int
ingress_set_networks(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    int                 rc;
    size_t              i;
    uint32_t            n;
    ingress_network_t  *list;

    if (ingress_set_shadowed(s, row)) {
        return TORII_OK;
    }

    n = 1;

    for (i = 0; i < value.len; i++) {
        n += (value.data[i] == ',');
    }

    if (n > INGRESS_NETWORKS_MAX) {
        return ingress_setter_why(s, "has more than %u networks",
                                  (unsigned) INGRESS_NETWORKS_MAX);
    }

    list = torii_malloc(n * sizeof(ingress_network_t));

    rc = ingress_set_network_list(s, value, list, &n);

    if (rc == TORII_OK) {
        n = ingress_network_sort(list, n);

        *ingress_setter_field(s, row, ingress_ref_t) =
            ingress_pool_add(s->pool, list, n * sizeof(ingress_network_t));

        s->has_allow |= (row->offset == offsetof(ingress_policy_t, allow));
        s->has_deny_list |= (row->offset
                             == offsetof(ingress_policy_t, deny_list));
    }

    free(list);

    return rc;
}


static int
ingress_set_network_list(ingress_setter_t *s, torii_str_t value,
    ingress_network_t *list, uint32_t *n)
{
    uint32_t     i;
    torii_str_t  rest, piece;

    i = 0;
    rest = value;

    while (torii_str_next(&rest, ",", &piece)) {
        piece = torii_str_trim(piece);

        if (piece.len == 0) {
            continue;
        }

        if (ingress_parse_network(piece, &list[i]) != TORII_OK) {
            return ingress_set_network_why(s, value, piece);
        }

        i++;
    }

    if (i == 0) {
        return ingress_setter_why(s, "has no network in it");
    }

    *n = i;

    return TORII_OK;
}


static int
ingress_set_network_why(ingress_setter_t *s, torii_str_t value,
    torii_str_t piece)
{
    char         shown[96];
    size_t       i;
    const char  *what;

    what = "neither an address nor a network such as 10.0.0.0/8";

    for (i = 0; i < piece.len; i++) {
        if (piece.data[i] <= ' ' || piece.data[i] == ';') {
            what = "no network; separate networks by commas";
        }
    }

    if (torii_str_eq(value, piece)) {
        return ingress_setter_why(s, "is %s", what);
    }

    return ingress_setter_why(s, "has %s in it, which is %s",
                              ingress_show(piece, shown), what);
}


/* An alias counts only where the name of today is not given. */

static int
ingress_set_shadowed(ingress_setter_t *s, const ingress_setting_t *row)
{
    if (!(row->flags & INGRESS_SETTING_ALIAS) || s->config == NULL
        || ingress_setter_given(s, row->data) == NULL)
    {
        return 0;
    }

    ingress_setter_finding(s, INGRESS_WARNING, "DuplicateAnnotation",
                           "is ignored, because \"%s\" is given too; remove "
                           "one of them", (const char *) row->data);

    return 1;
}
