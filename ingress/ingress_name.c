
/*
 * What Kubernetes takes for a name, a host, a port's name and a time.  The
 * answers of the checks end a sentence that says what was found.
 */

#include <arpa/inet.h>

#include "ingress_decode.h"


static const char *ingress_label_check(torii_str_t label);
static int ingress_time_number(torii_str_t *s, size_t digits, int64_t least,
    int64_t most, char delimiter, int64_t *value);
static int ingress_time_zone(torii_str_t s, int64_t *offset);


const char *
ingress_name_check(torii_str_t s, size_t max)
{
    size_t       i;
    const char  *why;
    torii_str_t  label;

    if (s.len == 0) {
        return "is empty";
    }

    if (s.len > max) {
        return max > INGRESS_LABEL_MAX ? "is longer than 253 bytes"
                                       : "is longer than 63 bytes";
    }

    for (i = 0; i < s.len; i++) {
        if (s.data[i] >= 'A' && s.data[i] <= 'Z') {
            return "must be in lower case";
        }
    }

    /* unlike a DNS label, a part of a name may have any length */

    for ( ;; ) {
        for (i = 0; i < s.len && s.data[i] != '.'; i++) { /* void */ }

        label.data = s.data;
        label.len = i;

        why = ingress_label_check(label);
        if (why != NULL) {
            return why;
        }

        if (i == s.len) {
            return NULL;
        }

        if (max <= INGRESS_LABEL_MAX) {
            return "must not hold a dot";
        }

        s.data += i + 1;
        s.len -= i + 1;
    }
}


static const char *
ingress_label_check(torii_str_t label)
{
    size_t         i;
    unsigned char  c;

    if (label.len == 0) {
        return "two dots, or a dot at an end, leave an empty part";
    }

    for (i = 0; i < label.len; i++) {
        c = label.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return "only letters, digits, \"-\" and \".\" are allowed";
        }
    }

    if (label.data[0] == '-' || label.data[label.len - 1] == '-') {
        return "each part must begin and end with a letter or digit";
    }

    return NULL;
}


/* s is in lower case. */

const char *
ingress_host_check(torii_str_t s, ingress_host_e use)
{
    size_t  i, label;

    if (s.len == 0) {
        return "it is empty";
    }

    if (s.len > INGRESS_NAME_MAX) {
        return "it is longer than 253 bytes";
    }

    if (s.len == 1 && s.data[0] == '*') {
        return "leave the host out to match every host";
    }

    if (ingress_is_address(s)) {
        return use == INGRESS_HOST_TARGET ? NULL : "it is an address";
    }

    if (use == INGRESS_HOST_RULE && torii_str_starts(s, "*.")) {
        s.data += 2;
        s.len -= 2;
    }

    label = 0;

    for (i = 0; i < s.len; i++) {

        if (s.data[i] >= 0x80) {
            return "write international names in their \"xn--\" form";
        }

        if (s.data[i] == '*') {
            return use == INGRESS_HOST_RULE
                   ? "\"*\" may only be the whole first label"
                   : "a wildcard is not allowed here";
        }

        if (s.data[i] == ':' || s.data[i] == '/') {
            return "leave out scheme, port and path";
        }

        if (s.data[i] == '.') {
            label = 0;

        } else if (++label > INGRESS_LABEL_MAX) {
            return "one of its labels is longer than 63 bytes";
        }
    }

    if (s.len && s.data[s.len - 1] == '.') {
        return "leave out the dot at the end";
    }

    return ingress_name_check(s, INGRESS_NAME_MAX);
}


int
ingress_is_address(torii_str_t s)
{
    unsigned char  addr[16];

    return inet_pton(AF_INET, (char *) s.data, addr) == 1
           || inet_pton(AF_INET6, (char *) s.data, addr) == 1;
}


/* RFC 6335 section 5.1, as Kubernetes asks for it. */

const char *
ingress_port_name_check(torii_str_t s)
{
    size_t         i;
    unsigned       letters;
    unsigned char  c;

    if (s.len == 0) {
        return "it is empty";
    }

    if (s.len > INGRESS_LABEL_MAX) {
        return "it is too long";
    }

    letters = 0;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (c >= 'a' && c <= 'z') {
            letters++;

        } else if (!((c >= '0' && c <= '9') || c == '-')) {
            return "only lower-case letters, digits and \"-\" are allowed";
        }
    }

    return letters ? NULL : "it holds no letter";
}


/* RFC 3339 section 5.6. */

int
ingress_time_parse(torii_str_t s, int64_t *t)
{
    int64_t  year, month, day, hour, minute, second, era, days, offset;

    if (ingress_time_number(&s, 4, 1, 9999, '-', &year) != TORII_OK
        || ingress_time_number(&s, 2, 1, 12, '-', &month) != TORII_OK
        || ingress_time_number(&s, 2, 1, 31, 'T', &day) != TORII_OK
        || ingress_time_number(&s, 2, 0, 23, ':', &hour) != TORII_OK
        || ingress_time_number(&s, 2, 0, 59, ':', &minute) != TORII_OK
        || ingress_time_number(&s, 2, 0, 60, '\0', &second) != TORII_OK
        || ingress_time_zone(s, &offset) != TORII_OK)
    {
        return TORII_ERROR;
    }

    /* the year begins in March, so that the leap day is its last one */

    if (month <= 2) {
        year--;
        month += 12;
    }

    era = year / 400;
    year %= 400;

    days = era * 146097 + year * 365 + year / 4 - year / 100
           + (153 * (month - 3) + 2) / 5 + day - 1 - 719468;

    *t = days * 86400 + hour * 3600 + minute * 60 + second - offset;

    return TORII_OK;
}


static int
ingress_time_number(torii_str_t *s, size_t digits, int64_t least, int64_t most,
    char delimiter, int64_t *value)
{
    uint64_t       n;
    torii_str_t    part;
    unsigned char  c;

    if (s->len < digits) {
        return TORII_ERROR;
    }

    part.data = s->data;
    part.len = digits;

    if (torii_str_uint(part, (uint64_t) most, &n) != TORII_OK
        || (int64_t) n < least)
    {
        return TORII_ERROR;
    }

    s->data += digits;
    s->len -= digits;
    *value = (int64_t) n;

    if (delimiter == '\0') {
        return TORII_OK;
    }

    c = s->len ? s->data[0] : '\0';

    /* section 5.6 allows a lower-case or blank "T", and YAML's authors do */

    if (c != delimiter && !(delimiter == 'T' && (c == 't' || c == ' '))) {
        return TORII_ERROR;
    }

    s->data++;
    s->len--;

    return TORII_OK;
}


static int
ingress_time_zone(torii_str_t s, int64_t *offset)
{
    int64_t  sign, hours, minutes;

    if (s.len && s.data[0] == '.') {
        do {
            s.data++;
            s.len--;
        } while (s.len && s.data[0] >= '0' && s.data[0] <= '9');
    }

    if (s.len == 1 && (s.data[0] == 'Z' || s.data[0] == 'z')) {
        *offset = 0;
        return TORII_OK;
    }

    if (s.len != 6 || (s.data[0] != '+' && s.data[0] != '-')) {
        return TORII_ERROR;
    }

    sign = s.data[0] == '-' ? -1 : 1;
    s.data++;
    s.len--;

    if (ingress_time_number(&s, 2, 0, 23, ':', &hours) != TORII_OK
        || ingress_time_number(&s, 2, 0, 59, '\0', &minutes) != TORII_OK)
    {
        return TORII_ERROR;
    }

    *offset = sign * (hours * 3600 + minutes * 60);

    return TORII_OK;
}
