
/*
 * For tests of annotations and of the ConfigMap: objects out of "name=value"
 * texts, and fields of the records as text.
 */

#ifndef _SETTING_MAKE_H_INCLUDED_
#define _SETTING_MAKE_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>

#include "ingress_annotation.h"


#define SETTING_PAIRS  64

typedef enum {
    SETTING_U8,
    SETTING_U16,
    SETTING_U32,
    SETTING_U64,
    SETTING_STR,
    SETTING_NETWORKS,
    SETTING_ORIGINS,
    SETTING_STRS
} setting_kind_e;

typedef struct {
    const char      *name;
    setting_kind_e   kind;
    size_t           offset;
} setting_field_t;

typedef struct {
    torii_arena_t      *arena;
    ingress_object_t    object;
    ingress_findings_t  findings;
    ingress_pair_t      pairs[SETTING_PAIRS];
} setting_object_t;


/*
 * text is "name=value", several of them apart by "|"; a name without "/" gets
 * the prefix.
 */

static inline void
setting_object_make(setting_object_t *o, const char *text, const char *prefix)
{
    uint32_t     n;
    torii_str_t  rest, piece, name;

    memset(o, 0, sizeof(setting_object_t));

    o->arena = torii_arena_create(1024);
    ingress_findings_init(&o->findings, o->arena);

    o->object.namespace = torii_str("default");
    o->object.name = torii_str("web");
    o->object.file = torii_str("web.yaml");

    n = 0;
    rest = torii_str(text);

    while (rest.len && torii_str_next(&rest, "|", &piece)
           && n < SETTING_PAIRS)
    {
        (void) torii_str_next(&piece, "=", &name);

        if (memchr(name.data, '/', name.len) == NULL) {
            name = torii_arena_printf(o->arena, "%s%.*s", prefix,
                                      torii_str_arg(name));
        }

        o->pairs[n].name = name;
        o->pairs[n].value = torii_arena_str(o->arena, piece);
        o->pairs[n].line = n + 1;
        n++;
    }

    o->object.annotations.elts = o->pairs;
    o->object.annotations.n = n;
}


static inline void
setting_object_free(setting_object_t *o)
{
    torii_arena_destroy(o->arena);
}


/* text for the name of a test, which is one line. */

static inline const char *
setting_line(const char *text, char line[100])
{
    size_t  i;

    for (i = 0; i < 99 && text[i] != '\0'; i++) {
        line[i] = ((unsigned char) text[i] < ' ') ? ' ' : text[i];
    }

    line[i] = '\0';

    return line;
}


static inline int
setting_found(const setting_object_t *o, const char *reason)
{
    const ingress_finding_t  *f;

    for (f = o->findings.first; f; f = f->next) {
        if (strcmp(f->reason, reason) == 0) {
            return 1;
        }
    }

    return 0;
}


static inline void
setting_networks(torii_buf_t *out, torii_str_t list)
{
    char                      text[INET6_ADDRSTRLEN];
    size_t                    i;
    const ingress_network_t  *net;

    net = (const ingress_network_t *) (const void *) list.data;

    for (i = 0; i < list.len / sizeof(ingress_network_t); i++) {
        (void) inet_ntop(AF_INET6, net[i].addr, text, sizeof(text));
        torii_buf_printf(out, "%s%s/%u", i ? "," : "", text, net[i].bits);
    }
}


static inline void
setting_origins(torii_buf_t *out, const torii_buf_t *pool, torii_str_t list)
{
    size_t                  i;
    const ingress_entry_t  *e;

    e = (const ingress_entry_t *) (const void *) list.data;

    for (i = 0; i < list.len / sizeof(ingress_entry_t); i++) {
        torii_buf_printf(out, "%s%.*s %s%.*s", i ? "," : "",
                         torii_str_arg(ingress_pool_str(pool, e[i].name)),
                         e[i].wildcard ? "*." : "",
                         torii_str_arg(ingress_pool_str(pool, e[i].value)));
    }
}


static inline void
setting_strs(torii_buf_t *out, const torii_buf_t *pool, torii_str_t list)
{
    size_t                i;
    const ingress_ref_t  *ref;

    ref = (const ingress_ref_t *) (const void *) list.data;

    for (i = 0; i < list.len / sizeof(ingress_ref_t); i++) {
        torii_buf_printf(out, "%s%.*s", i ? "," : "",
                         torii_str_arg(ingress_pool_str(pool, ref[i])));
    }
}


/* The field of a record as text with a NUL, in *out. */

static inline const char *
setting_field(torii_buf_t *out, const setting_field_t *field,
    const void *record, const torii_buf_t *pool)
{
    ingress_ref_t         ref;
    const unsigned char  *p;

    p = (const unsigned char *) record + field->offset;
    out->len = 0;

    switch (field->kind) {

    case SETTING_U8:
        torii_buf_printf(out, "%u", *p);
        break;

    case SETTING_U16:
        torii_buf_printf(out, "%u", *(const uint16_t *) (const void *) p);
        break;

    case SETTING_U32:
        torii_buf_printf(out, "%u", *(const uint32_t *) (const void *) p);
        break;

    case SETTING_U64:
        torii_buf_printf(out, "%llu",
               (unsigned long long) *(const uint64_t *) (const void *) p);
        break;

    default:
        memcpy(&ref, p, sizeof(ingress_ref_t));

        if (field->kind == SETTING_STR) {
            torii_buf_add_str(out, ingress_pool_str(pool, ref));

        } else if (field->kind == SETTING_NETWORKS) {
            setting_networks(out, ingress_pool_str(pool, ref));

        } else if (field->kind == SETTING_STRS) {
            setting_strs(out, pool, ingress_pool_str(pool, ref));

        } else {
            setting_origins(out, pool, ingress_pool_str(pool, ref));
        }
    }

    torii_buf_add(out, "", 1);
    out->len--;

    return (const char *) out->data;
}


#endif /* _SETTING_MAKE_H_INCLUDED_ */
