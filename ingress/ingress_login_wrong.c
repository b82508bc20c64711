
/*
 * What is wrong with the settings of a provider, which others understand: a
 * finding about its Secret.  Values may be secrets, so that only names of them
 * are told.
 */

#include "ingress_store.h"


void
ingress_login_wrong(ingress_store_t *store, ingress_findings_t *findings,
    torii_str_t provider, torii_str_t option, const char *text)
{
    torii_str_t         namespace, rest;
    ingress_object_t   *o;
    ingress_finding_t  *f;

    rest = provider;
    (void) torii_str_next(&rest, "/", &namespace);

    f = ingress_finding_add(findings, INGRESS_ERROR, "LoginSetting", option,
                            (torii_str_t) torii_null_string, "%s (until that "
                            "is put right, all paths with this login are "
                            "answered 503)", text);

    f->kind = torii_str("Secret");
    f->namespace = torii_arena_str(findings->arena, namespace);
    f->name = torii_arena_str(findings->arena, rest);

    o = ingress_store_get(store, INGRESS_KIND_SECRET, namespace, rest);

    if (o) {
        f->file = torii_arena_str(findings->arena, o->file);
        f->line = o->line;
    }
}
