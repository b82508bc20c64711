
/*
 * What "torii check" finds in the settings of login providers, which are passed
 * on to the workers as they are: a worker answers 503 where one of them is
 * wrong.
 */

#include <stdlib.h>

#include "torii_tool.h"
#include "oauth2_settings.h"


typedef struct {
    torii_source_t                  *source;
    const ingress_table_provider_t  *provider;
} torii_check_login_t;


static void torii_check_provider(torii_check_login_t *check);
static void torii_check_setting(void *data, torii_str_t name,
    const char *text);
static void torii_check_skip(torii_source_t *s, uint32_t index);
static void torii_check_where(torii_source_t *s, uint32_t index,
    ingress_finding_t *f);


void
torii_check_logins(torii_source_t *s)
{
    uint32_t             i;
    torii_check_login_t  check;

    check.source = s;

    for (i = 0; i < ingress_table_n(&s->table, PROVIDERS); i++) {
        check.provider = &s->table.providers[i];
        torii_check_provider(&check);
    }

    for (i = 0; i < ingress_table_n(&s->table, LOGINS); i++) {
        torii_check_skip(s, i);
    }
}


static void
torii_check_provider(torii_check_login_t *check)
{
    uint32_t                 i, n;
    torii_str_t              list;
    oauth2_setting_t        *in;
    const ingress_entry_t   *entry;
    const ingress_table_t   *t;
    oauth2_settings_t        settings;

    t = &check->source->table;

    list = ingress_table_str(t, check->provider->settings);
    entry = (const ingress_entry_t *) list.data;
    n = list.len / sizeof(ingress_entry_t);

    in = torii_arena_zalloc(check->source->arena,
                            n * sizeof(oauth2_setting_t) + 1);

    for (i = 0; i < n; i++) {
        in[i].name = ingress_table_str(t, entry[i].name);
        in[i].value = ingress_table_str(t, entry[i].value);
    }

    (void) oauth2_settings_read(check->source->arena,
                                ingress_table_str(t, check->provider->name),
                                in, n, &settings, torii_check_setting, check);
}


static void
torii_check_setting(void *data, torii_str_t name, const char *text)
{
    torii_check_login_t  *check;

    check = data;

    ingress_login_wrong(check->source->store, &check->source->findings,
                        ingress_table_str(&check->source->table,
                                          check->provider->name),
                        name, text);
}


static void
torii_check_skip(torii_source_t *s, uint32_t index)
{
    uint32_t              i, n;
    const char           *why;
    torii_str_t           list, text;
    oauth2_skip_t         rule;
    ingress_finding_t    *f;
    const ingress_ref_t  *ref;

    list = ingress_table_str(&s->table, s->table.logins[index].skip);
    ref = (const ingress_ref_t *) list.data;
    n = list.len / sizeof(ingress_ref_t);

    for (i = 0; i < n; i++) {
        text = ingress_table_str(&s->table, ref[i]);
        why = oauth2_skip_read(s->arena, text, &rule);

        if (why == NULL) {
            continue;
        }

        f = ingress_finding_add(&s->findings, INGRESS_ERROR, "LoginSetting",
                                torii_str("torii/oauth2-skip-auth-routes"),
                                text, "%s (until that is put right, all paths "
                                "with this login are answered 503)", why);
        torii_check_where(s, index, f);
    }
}


/* A first Ingress with the login. */

static void
torii_check_where(torii_source_t *s, uint32_t index, ingress_finding_t *f)
{
    uint32_t                        i;
    ingress_object_t               *o;
    const ingress_table_t          *t;
    const ingress_table_route_t    *route;
    const ingress_table_ingress_t  *ing;

    t = &s->table;
    f->kind = torii_str("Ingress");

    for (i = 0; i < ingress_table_n(t, ROUTES); i++) {
        route = &t->routes[i];

        if (t->policies[route->policy].login != index + 1
            || route->ingress == INGRESS_NONE)
        {
            continue;
        }

        ing = &t->ingresses[route->ingress];

        f->namespace = ingress_table_str(t, ing->namespace);
        f->name = ingress_table_str(t, ing->name);
        f->file = ingress_table_str(t, ing->file);

        o = ingress_store_get(s->store, INGRESS_KIND_INGRESS, f->namespace,
                              f->name);
        f->line = o ? o->line : 0;

        return;
    }
}
