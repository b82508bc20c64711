
/*
 * Who may enter the paths of an Ingress, once all objects are known: who is to
 * tell, the gateway itself or another server, and the records that say so.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ingress_compile.h"
#include "ingress_login_list.h"


#define INGRESS_LOGIN_HEADERS  128


/* A record that was written, found by what it was made of. */

typedef struct {
    ingress_link_t                 link;
    const ingress_login_shared_t  *shared;
    const ingress_item_t          *chosen;
    const ingress_item_t          *headers;
    uint32_t                       login;       /* 1 + index, or 0 */
    torii_str_t                    problem;
} ingress_login_link_t;


static void ingress_login_choose(ingress_compile_t *c, ingress_plan_t *plan);
static void ingress_login_named(ingress_compile_t *c, ingress_plan_t *plan);
static void ingress_login_found(ingress_compile_t *c, ingress_plan_t *plan);
static int ingress_login_served(ingress_compile_t *c, torii_str_t host);
static int ingress_login_name(ingress_compile_t *c, torii_str_t name);
static void ingress_login_native(ingress_compile_t *c, ingress_plan_t *plan);
static void ingress_login_external(ingress_compile_t *c,
    ingress_plan_t *plan);
static int ingress_login_local(torii_str_t host);
static void ingress_login_write(ingress_compile_t *c, ingress_plan_t *plan);
static void ingress_login_record(ingress_compile_t *c,
    ingress_login_link_t *link);
static void ingress_login_clear(ingress_table_login_t *record,
    const ingress_login_link_t *link);
static torii_str_t ingress_login_set_headers(ingress_compile_t *c,
    ingress_table_login_t *record, torii_buf_t *pool,
    const ingress_item_t *map);
static torii_str_t ingress_login_set_header(ingress_compile_t *c,
    const ingress_pair_t *pair, torii_buf_t *pool,
    ingress_login_header_t *header);
static ingress_ref_t ingress_login_to_table(void *to, const void *data,
    size_t len);
static void ingress_login_list(ingress_compile_t *c, ingress_plan_t *plan);
static void ingress_login_fail(ingress_compile_t *c, ingress_plan_t *plan,
    uint32_t deny, const char *field, torii_str_t value, const char *problem);
static const char *ingress_login_field(const ingress_plan_t *plan);


#define ingress_login_setting(plan)  (&(plan)->login->shared->setting)

#define ingress_login_str(plan, ref)                                          \
    ingress_pool_str(&(plan)->login->shared->head.pool, ref)


void
ingress_compile_logins(ingress_compile_t *c)
{
    uint32_t          i, n;
    ingress_plan_t  **plans;

    plans = (ingress_plan_t **) (void *) c->store->guarded.data;
    n = c->store->guarded.len / sizeof(ingress_plan_t *);

    for (i = 0; i < n; i++) {
        plans[i]->login->chosen = NULL;
        plans[i]->login->deny = 0;
        plans[i]->login->login = 0;
        plans[i]->login->list = 0;

        if (plans[i]->login->shared) {
            ingress_login_choose(c, plans[i]);
        }
    }

    ingress_providers_write(c);

    for (i = 0; i < n; i++) {
        if (plans[i]->login->shared && plans[i]->login->deny == 0) {
            ingress_login_write(c, plans[i]);
        }

        if (plans[i]->login->users) {
            ingress_login_list(c, plans[i]);
        }
    }
}


static void
ingress_login_choose(ingress_compile_t *c, ingress_plan_t *plan)
{
    ingress_item_t        *chosen;
    ingress_plan_login_t  *login;

    login = plan->login;

    if (login->provider) {
        ingress_login_named(c, plan);

    } else {
        ingress_login_found(c, plan);
    }

    chosen = login->chosen;

    if (chosen) {
        chosen->u.secret.login.round = c->store->round;
        ingress_login_native(c, plan);

    } else if (login->deny == 0) {
        ingress_login_external(c, plan);
    }
}


static void
ingress_login_named(ingress_compile_t *c, ingress_plan_t *plan)
{
    const char      *problem;
    ingress_item_t  *secret;

    secret = plan->login->provider;
    problem = ingress_provider_problem(c, secret, plan->item->namespace);

    if (problem) {
        ingress_login_fail(c, plan, INGRESS_DENY_REFERENCE, "torii/oauth2",
                           secret->key, problem);
        return;
    }

    plan->login->chosen = secret;
}


/* An auth-url that OAuth2 Proxy answered, if we can answer it. */

static void
ingress_login_found(ingress_compile_t *c, ingress_plan_t *plan)
{
    int                             several;
    const ingress_login_setting_t  *setting;

    setting = ingress_login_setting(plan);

    if (setting->own != INGRESS_LOGIN_OWN
        && (setting->own != INGRESS_LOGIN_HOST
            || !ingress_login_served(c, ingress_login_str(plan,
                                                          setting->host))))
    {
        return;
    }

    plan->login->chosen =
        ingress_provider_default(c, plan->item->namespace,
                                 setting->asked & INGRESS_LOGIN_BY_CONFIG,
                                 &several);

    if (several) {
        ingress_compile_finding(c, INGRESS_WARNING, "LoginProvider",
                                plan->item, 0, ingress_login_field(plan),
                                (torii_str_t) torii_null_string,
                                "it is not clear which Secret of type "
                                "torii/oauth2-provider is meant, so that the "
                                "server of the auth-url is asked; name one by "
                                "torii/oauth2");
    }
}


/* Exactly, or by a wildcard of its last labels. */

static int
ingress_login_served(ingress_compile_t *c, torii_str_t host)
{
    torii_str_t     wildcard;
    unsigned char  *dot, buf[256];

    if (ingress_login_name(c, host)) {
        return 1;
    }

    dot = host.len ? memchr(host.data, '.', host.len) : NULL;

    if (dot == NULL || host.len > sizeof(buf) - 1) {
        return 0;
    }

    wildcard.data = buf;
    wildcard.len = host.data + host.len - dot + 1;

    buf[0] = '*';
    memcpy(buf + 1, dot, wildcard.len - 1);

    return ingress_login_name(c, wildcard);
}


static int
ingress_login_name(ingress_compile_t *c, torii_str_t name)
{
    return ingress_writer_name_find(c->w, name,
                                    (uint32_t) torii_hash(name.data, name.len,
                                                          0))
           != INGRESS_NONE;
}


static void
ingress_login_native(ingress_compile_t *c, ingress_plan_t *plan)
{
    torii_str_t  why;

    why = ingress_login_str(plan, ingress_login_setting(plan)->query);

    if (why.len) {
        ingress_login_fail(c, plan, INGRESS_DENY_ANNOTATION,
                           ingress_login_field(plan),
                           (torii_str_t) torii_null_string,
                           (const char *) why.data);
    }
}


/* What only we enforce is not enforced by a server that is asked. */

static void
ingress_login_external(ingress_compile_t *c, ingress_plan_t *plan)
{
    const ingress_login_setting_t  *setting;

    setting = ingress_login_setting(plan);

    if (setting->given) {
        ingress_login_fail(c, plan, INGRESS_DENY_ANNOTATION,
                           ingress_login_field(plan),
                           (torii_str_t) torii_null_string,
                           "another server is asked who may enter, which knows "
                           "nothing of the annotations torii/oauth2-...; name "
                           "a provider by torii/oauth2");
        return;
    }

    if (!c->options->loopback
        && ingress_login_local(ingress_login_str(plan, setting->host)))
    {
        ingress_login_fail(c, plan, INGRESS_DENY_ANNOTATION,
                           ingress_login_field(plan),
                           ingress_login_str(plan, setting->host),
                           "its host is of this machine or its link, which "
                           "objects may not name here");
        return;
    }

    if (setting->any_host) {
        ingress_login_fail(c, plan, INGRESS_DENY_ANNOTATION,
                           ingress_login_field(plan),
                           (torii_str_t) torii_null_string,
                           "its host is a variable, but the Ingress answers "
                           "for every host, so that a client could choose who "
                           "is asked");
    }
}


/* Numbers that are no address may be one to a resolver, such as "127.1". */

static int
ingress_login_local(torii_str_t host)
{
    size_t       i;
    uint8_t      addr[16];
    torii_str_t  label;

    if (host.len > 2 && host.data[0] == '[') {
        host.data++;
        host.len -= 2;
    }

    while (host.len && host.data[host.len - 1] == '.') {
        host.len--;
    }

    if (ingress_addr_parse(host, addr) == TORII_OK) {
        return ingress_upstream_local(addr);
    }

    for (i = host.len; i > 0 && host.data[i - 1] != '.'; i--) { /* void */ }

    label.data = host.data + i;
    label.len = host.len - i;

    return label.len && (torii_str_eqs(label, "localhost")
                         || (label.data[0] >= '0' && label.data[0] <= '9'));
}


/* The same settings and objects are the same record. */

static void
ingress_login_write(ingress_compile_t *c, ingress_plan_t *plan)
{
    uint64_t               hash;
    const void            *key[3];
    ingress_plan_login_t  *login;
    ingress_login_link_t  *link;

    login = plan->login;

    key[0] = login->shared;
    key[1] = login->chosen;
    key[2] = login->chosen ? NULL : login->headers;

    hash = torii_hash(key, sizeof(key), 0);
    link = ingress_hash_first(&c->logins, hash);

    while (link && (link->shared != key[0] || link->chosen != key[1]
                    || link->headers != key[2]))
    {
        link = ingress_hash_next(link);
    }

    if (link == NULL) {
        link = torii_arena_zalloc(c->arena, sizeof(ingress_login_link_t));

        link->shared = login->shared;
        link->chosen = key[1];
        link->headers = key[2];
        link->link.hash = hash;

        ingress_hash_add(&c->logins, &link->link);
        ingress_login_record(c, link);
    }

    login->login = link->login;

    if (link->login == 0) {
        ingress_login_fail(c, plan, INGRESS_DENY_REFERENCE,
                           link->headers ? INGRESS_ANNOTATION_PREFIX
                                           "auth-proxy-set-headers"
                                         : ingress_login_field(plan),
                           link->headers ? link->headers->key
                                         : (torii_str_t) torii_null_string,
                           (const char *) link->problem.data);
    }
}


static void
ingress_login_record(ingress_compile_t *c, ingress_login_link_t *link)
{
    torii_buf_t               pool;
    ingress_table_login_t    *record;
    ingress_login_setting_t   copy;

    if (!ingress_writer_fits(c->w, 4 * link->shared->head.pool.len)
        || (link->chosen && !link->chosen->u.secret.login.fits))
    {
        link->problem = torii_str("the routing table is full");
        return;
    }

    memset(&pool, 0, sizeof(torii_buf_t));
    memcpy(&copy, &link->shared->setting, sizeof(ingress_login_setting_t));

    ingress_login_move(&copy, link->shared->head.pool.data,
                       ingress_login_to_pool, &pool);

    if (link->headers) {
        link->problem = ingress_login_set_headers(c, &copy.record, &pool,
                                                  link->headers);
    }

    if (link->problem.len == 0) {
        ingress_login_clear(&copy.record, link);

        /* the ConfigMap is the operator's, as the machine is */

        if (copy.record.type == INGRESS_LOGIN_EXTERNAL
            && (c->options->loopback
                || (copy.record.flags & INGRESS_LOGIN_GLOBAL)))
        {
            copy.record.flags |= INGRESS_LOGIN_LOCAL;
        }

        /* only what the record has goes into the table */

        memset((unsigned char *) &copy + sizeof(ingress_table_login_t), 0,
               sizeof(ingress_login_setting_t)
               - sizeof(ingress_table_login_t));

        ingress_login_move(&copy, pool.data, ingress_login_to_table, c->w);

        record = ingress_writer_add(c->w, INGRESS_SECTION_LOGINS,
                                    sizeof(ingress_table_login_t));
        memcpy(record, &copy.record, sizeof(ingress_table_login_t));

        link->login = ingress_writer_n(c->w, LOGINS, ingress_table_login_t);
    }

    torii_buf_free(&pool);
}


static void
ingress_login_clear(ingress_table_login_t *record,
    const ingress_login_link_t *link)
{
    if (link->chosen == NULL) {
        record->type = INGRESS_LOGIN_EXTERNAL;
        record->provider = INGRESS_NONE;
        return;
    }

    record->type = INGRESS_LOGIN_NATIVE;
    record->provider = link->chosen->u.secret.login.index;
    record->flags &= ~(INGRESS_LOGIN_METHOD | INGRESS_LOGIN_SET_COOKIE
                       | INGRESS_LOGIN_RELAY);
    record->keepalive = 0;
    record->timeout = 0;

    memset(&record->url, 0, sizeof(ingress_ref_t));
    memset(&record->method, 0, sizeof(ingress_ref_t));
    memset(&record->request_redirect, 0, sizeof(ingress_ref_t));
    memset(&record->set_headers, 0, sizeof(ingress_ref_t));
    memset(&record->cache_key, 0, sizeof(ingress_ref_t));
    memset(&record->cache_rules, 0, sizeof(ingress_ref_t));
}


/* Those of the ConfigMap, behind those of a snippet. */

static torii_str_t
ingress_login_set_headers(ingress_compile_t *c, ingress_table_login_t *record,
    torii_buf_t *pool, const ingress_item_t *map)
{
    uint32_t                 i, n;
    torii_str_t              given, problem;
    const ingress_pairs_t   *data;
    ingress_login_header_t  *headers;

    if (map->active == NULL) {
        return torii_str("there is no ConfigMap of the name");
    }

    data = &map->active->u.configmap.data;

    if (data->n > INGRESS_LOGIN_HEADERS) {
        return torii_str("it has too many headers");
    }

    given = ingress_pool_str(pool, record->set_headers);
    n = given.len / sizeof(ingress_login_header_t);

    headers = torii_zalloc(given.len
                           + data->n * sizeof(ingress_login_header_t) + 1);
    memcpy(headers, given.data, given.len);

    problem.len = 0;
    problem.data = NULL;

    for (i = 0; i < data->n && problem.len == 0; i++) {
        problem = ingress_login_set_header(c, &data->elts[i], pool,
                                           &headers[n++]);
    }

    if (problem.len == 0) {
        record->set_headers = ingress_pool_add(pool, headers,
                                          n * sizeof(ingress_login_header_t));
    }

    free(headers);

    return problem;
}


static torii_str_t
ingress_login_set_header(ingress_compile_t *c, const ingress_pair_t *pair,
    torii_buf_t *pool, ingress_login_header_t *header)
{
    torii_str_t       value;
    ingress_setter_t  s;

    if (!ingress_login_header_name(pair->name)) {
        return torii_arena_printf(c->arena, "\"%.*s\" is no name of a header "
                                  "that may be set",
                                  torii_str_arg(pair->name));
    }

    value = torii_str_trim(pair->value);

    if (torii_str_has_control(value) || !torii_str_is_utf8(value)) {
        return torii_arena_printf(c->arena, "the value of \"%.*s\" has "
                                  "characters in it that no header may have",
                                  torii_str_arg(pair->name));
    }

    memset(&s, 0, sizeof(ingress_setter_t));

    s.pool = pool;
    header->name = ingress_setter_str(&s, pair->name);

    if (ingress_login_template(&s, value, &header->value) != TORII_OK) {
        return torii_arena_printf(c->arena, "\"%.*s\" %s",
                                  torii_str_arg(pair->name), s.why);
    }

    return (torii_str_t) torii_null_string;
}


static ingress_ref_t
ingress_login_to_table(void *to, const void *data, size_t len)
{
    return ingress_writer_pool(to, data, len);
}


static void
ingress_login_list(ingress_compile_t *c, ingress_plan_t *plan)
{
    const char            *problem;
    ingress_plan_login_t  *login;

    login = plan->login;
    login->list = ingress_users_write(c, login->users, login->map, &problem);

    if (login->list == 0) {
        ingress_login_fail(c, plan, INGRESS_DENY_REFERENCE,
                           INGRESS_ANNOTATION_PREFIX "auth-secret",
                           login->users->key, problem);
    }
}


static void
ingress_login_fail(ingress_compile_t *c, ingress_plan_t *plan, uint32_t deny,
    const char *field, torii_str_t value, const char *problem)
{
    plan->login->deny |= deny;

    ingress_compile_finding(c, INGRESS_ERROR, "Login", plan->item, 0, field,
                            value, "who may enter is not known: %s; its paths "
                            "are answered 503 until that is put right",
                            problem);
}


static const char *
ingress_login_field(const ingress_plan_t *plan)
{
    uint8_t  asked;

    asked = ingress_login_setting(plan)->asked;

    if (asked & INGRESS_LOGIN_BY_CONFIG) {
        return "global-auth-url";
    }

    return (asked & INGRESS_LOGIN_BY_URL) ? INGRESS_ANNOTATION_PREFIX "auth-url"
                                          : "torii/oauth2";
}
