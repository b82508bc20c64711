
/*
 * Values of a provider's options as many of them are: texts, durations, flags,
 * lists.
 */

#include <stdio.h>

#include "oauth2_settings_option.h"


#define OAUTH2_YEAR         (366 * 24 * 60 * 60)
#define OAUTH2_NO_DURATION  "is no duration as \"12h\" or \"1h30m\" are"


static int
oauth2_option_bool(torii_str_t value, int *on)
{
    *on = torii_str_eqs(value, "true") || torii_str_eqs(value, "1");

    return *on || torii_str_eqs(value, "false") || torii_str_eqs(value, "0");
}


const char *
oauth2_option_text(oauth2_reading_t *o, torii_str_t value)
{
    if (value.len == 0) {
        return "is empty";
    }

    if (torii_str_has_control(value)) {
        return "has control bytes";
    }

    *(torii_str_t *) ((char *) o->settings + o->option->off) = value;

    return NULL;
}


const char *
oauth2_option_duration(torii_str_t value, int64_t *seconds)
{
    size_t       i, n;
    int64_t      unit;
    uint64_t     number, sum;
    torii_str_t  digits;

    if (value.len == 0) {
        return "is empty";
    }

    sum = 0;

    if (torii_str_eqs(value, "0")) {
        value = torii_str("0s");
    }

    for (i = 0; i < value.len; i += n + 1) {

        for (n = 0; i + n < value.len; n++) {
            if (value.data[i + n] < '0' || value.data[i + n] > '9') {
                break;
            }
        }

        digits.data = value.data + i;
        digits.len = n;

        if (torii_str_uint(digits, OAUTH2_YEAR, &number) != TORII_OK
            || i + n == value.len)
        {
            return OAUTH2_NO_DURATION;
        }

        switch (value.data[i + n]) {
        case 'h':
            unit = 3600;
            break;
        case 'm':
            unit = 60;
            break;
        case 's':
            unit = 1;
            break;
        default:
            return OAUTH2_NO_DURATION;
        }

        sum += number * unit;

        if (sum > OAUTH2_YEAR) {
            return "is longer than a year";
        }
    }

    *seconds = (int64_t) sum;

    return NULL;
}


const char *
oauth2_option_seconds(oauth2_reading_t *o, torii_str_t value)
{
    return oauth2_option_duration(value, (int64_t *) ((char *) o->settings
                                                      + o->option->off));
}


const char *
oauth2_option_header(oauth2_reading_t *o, torii_str_t value)
{
    int  on;

    if (!oauth2_option_bool(value, &on)) {
        return "is neither \"true\" nor \"false\"";
    }

    if (on) {
        o->settings->headers |= (unsigned) o->option->off2;

    } else {
        o->settings->headers &= ~(unsigned) o->option->off2;
    }

    return NULL;
}


const char *
oauth2_option_flag(oauth2_reading_t *o, torii_str_t value)
{
    int                 on;
    oauth2_settings_t  *s;

    s = o->settings;

    if (!oauth2_option_bool(value, &on)) {
        return "is neither \"true\" nor \"false\"";
    }

    switch (o->option->off2) {

    case OAUTH2_FLAG_SECURE:
        s->cookie.secure = on;
        break;

    case OAUTH2_FLAG_BUTTON:
        s->button = !on;
        break;

    case OAUTH2_FLAG_PREFLIGHT:
        s->preflight = on;
        break;

    case OAUTH2_FLAG_JSON:
        s->json = on;
        break;

    case OAUTH2_FLAG_BEARER:
        s->bearer = on;
        break;

    case OAUTH2_FLAG_FRAMES:
        s->frames = on;
        break;

    case OAUTH2_FLAG_UNVERIFIED:
        s->policy.unverified = on;
        break;

    case OAUTH2_FLAG_LOOPBACK:
        s->provider.loopback = on;
        break;

    case OAUTH2_FLAG_MINIMAL:
        o->minimal = on;
        break;

    case OAUTH2_FLAG_GROUPS:
        s->all_groups = on;
        break;

    case OAUTH2_FLAG_END_SESSION:
        s->end_session = on;
        break;
    }

    return NULL;
}


const char *
oauth2_option_only(oauth2_reading_t *o, torii_str_t value)
{
    return torii_str_eqs(value, o->option->text)
           ? NULL
           : (char *) torii_arena_printf(o->arena, "can only be \"%s\"",
                                         o->option->text).data;
}


/* What there is instead, the table says. */

const char *
oauth2_option_refused(oauth2_reading_t *o, torii_str_t value)
{
    return o->option->text;
}


/* Secrets, one a line: the first is used, the others are still taken. */

const char *
oauth2_option_lines(oauth2_reading_t *o, torii_str_t value)
{
    uint32_t     *n;
    torii_str_t   line, *lines;

    lines = (torii_str_t *) ((char *) o->settings + o->option->off);
    n = lines == o->settings->secrets ? &o->settings->nsecrets
                                      : &o->settings->provider.nsecrets;

    while (torii_str_next(&value, "\n", &line)) {
        line = torii_str_trim(line);

        if (line.len == 0) {
            continue;
        }

        if (*n == o->option->off2) {
            return "has more lines than secrets are taken";
        }

        lines[(*n)++] = line;
    }

    return *n ? NULL : "is empty";
}


torii_str_t *
oauth2_option_items(oauth2_reading_t *o, torii_str_t value, uint32_t *n)
{
    torii_str_t  item, *items;

    items = torii_arena_alloc(o->arena, OAUTH2_SETTING_ITEMS
                                        * sizeof(torii_str_t));
    *n = 0;

    while (torii_str_next(&value, ",\n", &item)) {
        item = torii_str_trim(item);

        if (item.len == 0) {
            continue;
        }

        if (*n == OAUTH2_SETTING_ITEMS || torii_str_has_control(item)) {
            return NULL;
        }

        items[(*n)++] = item;
    }

    return items;
}


const char *
oauth2_option_strings(oauth2_reading_t *o, torii_str_t value)
{
    uint32_t     *n;
    torii_str_t  *items;

    n = (uint32_t *) ((char *) o->settings + o->option->off2);

    items = oauth2_option_items(o, value, n);

    if (items == NULL) {
        *n = 0;
        return "has too many items, or control bytes";
    }

    *(const torii_str_t **) ((char *) o->settings + o->option->off) = items;

    return *n ? NULL : "is empty";
}


const char *
oauth2_option_list(oauth2_reading_t *o, torii_str_t value)
{
    uint32_t        i, n;
    const char     *error;
    torii_str_t    *items;
    oauth2_list_t  *list;

    list = (oauth2_list_t *) ((char *) o->settings + o->option->off);

    items = oauth2_option_items(o, value, &n);
    if (items == NULL) {
        return "has too many items, or control bytes";
    }

    /* given but empty: nobody */

    list->given = 1;

    for (i = 0; i < n; i++) {
        error = oauth2_policy_add(o->arena, list, items[i]);

        if (error) {
            return error;
        }
    }

    return NULL;
}
