
/*
 * Findings: lists of them, and how they are written for people and programs.
 * Their strings come from hostile objects and end on terminals, in logs and in
 * JSON, so they are cleaned once, when a finding is made.
 */

#include <stdarg.h>
#include <stdio.h>

#include "ingress_finding.h"


#define INGRESS_FINDING_VALUE    128
#define INGRESS_FINDING_FIELD    256
#define INGRESS_FINDING_MESSAGE  1024


static ingress_finding_t *ingress_finding_link(ingress_findings_t *list);
static torii_str_t ingress_finding_clean(torii_arena_t *a, torii_str_t s,
    size_t max);
static void ingress_finding_member(torii_buf_t *out, const char *name,
    torii_str_t value);


void
ingress_findings_init(ingress_findings_t *list, torii_arena_t *a)
{
    memset(list, 0, sizeof(ingress_findings_t));

    list->arena = a;
    list->last = &list->first;
    list->max = INGRESS_FINDINGS_MAX;
}


ingress_finding_t *
ingress_finding_add(ingress_findings_t *list, ingress_severity_e severity,
    const char *reason, torii_str_t field, torii_str_t value, const char *fmt,
    ...)
{
    char                text[INGRESS_FINDING_MESSAGE];
    va_list             args;
    ingress_finding_t  *f;

    f = ingress_finding_link(list);

    f->severity = severity;
    f->reason = reason;

    if (f == &list->spare) {
        return f;
    }

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    f->field = ingress_finding_clean(list->arena, field,
                                     INGRESS_FINDING_FIELD);
    f->value = ingress_finding_clean(list->arena, value,
                                     INGRESS_FINDING_VALUE);
    f->message = ingress_finding_clean(list->arena, torii_str(text),
                                       INGRESS_FINDING_MESSAGE);

    return f;
}


void
ingress_finding_copy(ingress_findings_t *list, const ingress_finding_t *f)
{
    ingress_finding_t  *copy;

    copy = ingress_finding_link(list);
    if (copy == &list->spare) {
        return;
    }

    *copy = *f;
    copy->next = NULL;

    copy->kind = torii_arena_str(list->arena, f->kind);
    copy->namespace = torii_arena_str(list->arena, f->namespace);
    copy->name = torii_arena_str(list->arena, f->name);
    copy->file = torii_arena_str(list->arena, f->file);
    copy->field = torii_arena_str(list->arena, f->field);
    copy->value = torii_arena_str(list->arena, f->value);
    copy->message = torii_arena_str(list->arena, f->message);
}


/* The next place in the list, or the spare one when the list is full. */

static ingress_finding_t *
ingress_finding_link(ingress_findings_t *list)
{
    ingress_finding_t  *f;

    if (list->n++ >= list->max) {
        memset(&list->spare, 0, sizeof(ingress_finding_t));
        return &list->spare;
    }

    f = torii_arena_zalloc(list->arena, sizeof(ingress_finding_t));

    *list->last = f;
    list->last = &f->next;

    return f;
}


/* What is cut ends in "...", and never inside a character. */

static torii_str_t
ingress_finding_clean(torii_arena_t *a, torii_str_t s, size_t max)
{
    int          utf8;
    size_t       i, cut;
    torii_str_t  copy;

    cut = s.len;

    if (s.len > max) {
        cut = max - 3;

        while (cut > max - 7 && (s.data[cut] & 0xc0) == 0x80) {
            cut--;
        }
    }

    copy.len = cut;
    copy.data = s.data;
    utf8 = torii_str_is_utf8(copy);

    copy.len = cut + (cut == s.len ? 0 : 3);
    copy.data = torii_arena_zalloc(a, copy.len + 1);

    for (i = 0; i < cut; i++) {
        copy.data[i] = s.data[i];

        if (s.data[i] == '\n' || s.data[i] == '\r' || s.data[i] == '\t') {
            copy.data[i] = ' ';

        } else if (s.data[i] < 0x20 || s.data[i] == 0x7f
                   || (s.data[i] >= 0x80 && !utf8))
        {
            copy.data[i] = '?';
        }
    }

    if (cut != s.len) {
        memcpy(copy.data + cut, "...", 3);
    }

    return copy;
}


const char *
ingress_severity_name(ingress_severity_e severity)
{
    switch (severity) {

    case INGRESS_ERROR:
        return "error";

    case INGRESS_WARNING:
        return "warning";

    default:
        return "info";
    }
}


void
ingress_finding_json(torii_buf_t *out, const ingress_finding_t *f)
{
    torii_buf_printf(out, "{\"severity\":\"%s\",\"reason\":\"%s\",\"object\":",
                     ingress_severity_name(f->severity), f->reason);

    torii_buf_adds(out, "{\"kind\":");
    torii_buf_add_json(out, f->kind);
    ingress_finding_member(out, "namespace", f->namespace);
    ingress_finding_member(out, "name", f->name);
    torii_buf_adds(out, "}");

    ingress_finding_member(out, "file", f->file);
    torii_buf_printf(out, ",\"line\":%u,\"column\":%u", (unsigned) f->line,
                     (unsigned) f->column);

    ingress_finding_member(out, "field", f->field);
    ingress_finding_member(out, "value", f->value);
    ingress_finding_member(out, "message", f->message);
    torii_buf_adds(out, "}");
}


static void
ingress_finding_member(torii_buf_t *out, const char *name, torii_str_t value)
{
    torii_buf_printf(out, ",\"%s\":", name);
    torii_buf_add_json(out, value);
}


void
ingress_finding_text(torii_buf_t *out, const ingress_finding_t *f)
{
    if (f->file.len) {
        torii_buf_add_str(out, f->file);

        if (f->line) {
            torii_buf_printf(out, ":%u", (unsigned) f->line);
        }

        torii_buf_adds(out, ": ");
    }

    torii_buf_printf(out, "%s: ", ingress_severity_name(f->severity));

    /* a file that stands in front of the line needs no second mention */

    if (f->kind.len
        && !(torii_str_eqs(f->kind, "File") && torii_str_eq(f->name, f->file)))
    {
        torii_buf_add_str(out, f->kind);
        torii_buf_adds(out, " ");

        if (f->namespace.len) {
            torii_buf_add_str(out, f->namespace);
            torii_buf_adds(out, "/");
        }

        torii_buf_add_str(out, f->name);
        torii_buf_adds(out, ": ");
    }

    if (f->field.len) {
        torii_buf_add_str(out, f->field);
        torii_buf_adds(out, ": ");
    }

    torii_buf_add_str(out, f->message);
    torii_buf_printf(out, " [%s]\n", f->reason);
}
