
/*
 * What one route asks of those who have logged in, and what it lets pass
 * without: read from the table once in a process.
 */

#include "ngx_http_torii_login.h"


static ngx_http_torii_login_rules_t *ngx_http_torii_login_rules_read(
    ngx_torii_table_t *table, const ingress_table_login_t *login,
    ngx_http_torii_provider_t *p, ngx_log_t *log);
static void ngx_http_torii_login_rules_free(void *data);
static const char *ngx_http_torii_login_skip(torii_arena_t *a,
    const ingress_table_t *t, ingress_ref_t ref,
    ngx_http_torii_login_rules_t *rules);
static const char *ngx_http_torii_login_list(torii_arena_t *a,
    const ingress_table_t *t, ingress_ref_t ref, ngx_uint_t given,
    oauth2_list_t *list);


ngx_http_torii_login_rules_t *
ngx_http_torii_login_rules(ngx_torii_table_t *table, uint32_t index,
    ngx_http_torii_provider_t *p, ngx_log_t *log)
{
    size_t                         size;
    ngx_http_torii_login_rules_t **slot;

    if (table->rules == NULL) {
        size = ingress_table_n(&table->table, LOGINS) * sizeof(void *);

        table->rules = ngx_torii_table_room(table, size);
        if (table->rules == NULL) {
            return NULL;
        }
    }

    slot = (ngx_http_torii_login_rules_t **) table->rules + index;

    if (*slot == NULL) {
        *slot = ngx_http_torii_login_rules_read(table,
                                                &table->table.logins[index],
                                                p, log);
    }

    return (*slot && (*slot)->usable) ? *slot : NULL;
}


static ngx_http_torii_login_rules_t *
ngx_http_torii_login_rules_read(ngx_torii_table_t *table,
    const ingress_table_login_t *login, ngx_http_torii_provider_t *p,
    ngx_log_t *log)
{
    const char                    *error;
    torii_arena_t                 *a;
    const ingress_table_t         *t;
    ngx_pool_cleanup_t            *cln;
    ngx_http_torii_login_rules_t  *rules;

    cln = ngx_pool_cleanup_add(table->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    t = &table->table;
    a = torii_arena_create(1024);

    cln->handler = ngx_http_torii_login_rules_free;
    cln->data = a;

    rules = torii_arena_zalloc(a, sizeof(ngx_http_torii_login_rules_t));

    error = ngx_http_torii_login_list(a, t, login->emails,
                                      login->flags & INGRESS_LOGIN_EMAILS,
                                      &rules->policy.emails);
    if (error == NULL) {
        error = ngx_http_torii_login_list(a, t, login->domains,
                                          login->flags & INGRESS_LOGIN_DOMAINS,
                                          &rules->policy.domains);
    }

    if (error == NULL) {
        error = ngx_http_torii_login_list(a, t, login->groups,
                                          login->flags & INGRESS_LOGIN_GROUPS,
                                          &rules->policy.groups);
    }

    if (error == NULL) {
        error = ngx_http_torii_login_list(a, t, login->write_groups, 0,
                                          &rules->writers.groups);
    }

    if (error == NULL) {
        error = ngx_http_torii_login_skip(a, t, login->skip, rules);
    }

    if (error) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "torii: a login's rules cannot be used, its paths are "
                      "answered by 503: %s", error);
        return rules;
    }

    ngx_http_torii_login_identity(a, table, login, p, rules);

    rules->wants_groups = rules->policy.groups.given
                          || rules->writers.groups.given;
    rules->usable = 1;

    return rules;
}


static void
ngx_http_torii_login_rules_free(void *data)
{
    torii_arena_destroy(data);
}


static const char *
ngx_http_torii_login_list(torii_arena_t *a, const ingress_table_t *t,
    ingress_ref_t ref, ngx_uint_t given, oauth2_list_t *list)
{
    uint32_t              i, n;
    const char           *error;
    const ingress_ref_t  *items;

    list->given = given || ref.len;

    items = (const ingress_ref_t *) (t->pool + ref.off);
    n = ref.len / sizeof(ingress_ref_t);

    for (i = 0; i < n; i++) {
        error = oauth2_policy_add(a, list, ingress_table_str(t, items[i]));
        if (error) {
            return error;
        }
    }

    return NULL;
}


static const char *
ngx_http_torii_login_skip(torii_arena_t *a, const ingress_table_t *t,
    ingress_ref_t ref, ngx_http_torii_login_rules_t *rules)
{
    uint32_t              i, n;
    const char           *error;
    const ingress_ref_t  *items;

    items = (const ingress_ref_t *) (t->pool + ref.off);
    n = ref.len / sizeof(ingress_ref_t);

    rules->skip = torii_arena_zalloc(a, n * sizeof(oauth2_skip_t));

    for (i = 0; i < n; i++) {
        error = oauth2_skip_read(a, ingress_table_str(t, items[i]),
                                 &rules->skip[i]);
        if (error) {
            return error;
        }
    }

    rules->nskip = n;

    return NULL;
}
