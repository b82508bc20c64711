
/*
 * Admission: the paths of an Ingress, each for itself and beside those that
 * are served.  Its own paths go into a hash once, and every host of the table
 * that it names is passed through once.
 */

#include <stdio.h>

#include "ingress_admit.h"
#include "ingress_hash.h"
#include "ingress_route.h"
#include "ingress_setting.h"


/* More regexes are not tried: they cost a worker's time. */
#define INGRESS_ADMIT_REGEXES  256

#define INGRESS_ADMIT_PATH     "spec.rules.http.paths.path"


typedef struct {
    ingress_link_t               link;
    torii_str_t                  name;
    const ingress_table_host_t  *host;      /* NULL: not served yet */
    unsigned                     regex:1;   /* all its paths are regexes */
} ingress_admit_host_t;

typedef struct {
    ingress_link_t               link;
    ingress_admit_host_t        *host;
    torii_str_t                  text;      /* Prefix: with "/" at its end */
    ingress_path_type_e          type;      /* Exact or Prefix */
    torii_str_t                  written;
    unsigned                     told:1;
} ingress_admit_path_t;

typedef struct {
    ingress_admit_t             *a;
    ingress_hash_t               hosts;
    ingress_hash_t               paths;
    uint32_t                     regexes;   /* tried */
} ingress_admit_set_t;


static void ingress_admit_hosts(ingress_admit_set_t *set);
static ingress_admit_host_t *ingress_admit_host(ingress_admit_set_t *set,
    torii_str_t name, int create);
static int ingress_admit_regex(const ingress_admit_t *a, torii_str_t path);
static void ingress_admit_path(ingress_admit_set_t *set,
    ingress_admit_host_t *host, const ingress_path_t *path);
static void ingress_admit_plain(ingress_admit_set_t *set,
    const ingress_path_t *path);
static void ingress_admit_compiles(ingress_admit_set_t *set,
    const ingress_path_t *path);
static ingress_path_type_e ingress_admit_type(unsigned type);
static torii_str_t ingress_admit_text(torii_arena_t *arena,
    const ingress_admit_host_t *host, torii_str_t path,
    ingress_path_type_e type);
static ingress_admit_path_t *ingress_admit_find(ingress_admit_set_t *set,
    const ingress_admit_host_t *host, torii_str_t text,
    ingress_path_type_e type, uint64_t *hash);
static void ingress_admit_served(ingress_admit_set_t *set,
    const ingress_admit_host_t *host);
static int ingress_admit_own(const ingress_admit_t *a, uint32_t index);
static void ingress_admit_collision(ingress_admit_set_t *set,
    const ingress_admit_host_t *host, const ingress_table_route_t *route);
static void ingress_admit_default(ingress_admit_t *a);
static const char *ingress_admit_shown(const ingress_admit_host_t *host,
    char buf[300]);


void
ingress_admit_paths(ingress_admit_t *a)
{
    uint32_t                  i, k;
    ingress_link_t           *link;
    ingress_admit_set_t       set;
    ingress_admit_host_t     *host;
    const ingress_rule_t     *rule;
    const ingress_ingress_t  *ing;

    memset(&set, 0, sizeof(ingress_admit_set_t));

    set.a = a;
    ing = &a->o->u.ingress;

    ingress_admit_hosts(&set);

    for (i = 0; i < ing->nrules; i++) {
        rule = &ing->rules[i];
        host = ingress_admit_host(&set, rule->host, 0);

        for (k = 0; k < rule->n; k++) {
            ingress_admit_path(&set, host, &rule->paths[k]);
        }
    }

    /* canaries stand beside others, on purpose */

    for (i = 0; !a->annotations.canary && i < set.hosts.size; i++) {
        for (link = set.hosts.buckets[i]; link; link = link->next) {
            ingress_admit_served(&set, (ingress_admit_host_t *) link);
        }
    }

    if (ing->nrules == 0 && ing->has_default_backend
        && !a->annotations.canary)
    {
        ingress_admit_default(a);
    }

    ingress_hash_free(&set.hosts);
    ingress_hash_free(&set.paths);
}


static void
ingress_admit_hosts(ingress_admit_set_t *set)
{
    uint32_t                  i, k;
    ingress_admit_host_t     *host;
    const ingress_rule_t     *rule;
    const ingress_ingress_t  *ing;

    ing = &set->a->o->u.ingress;

    for (i = 0; i < ing->nrules; i++) {
        rule = &ing->rules[i];
        host = ingress_admit_host(set, rule->host, 1);

        for (k = 0; k < rule->n && !host->regex; k++) {
            host->regex = ingress_admit_regex(set->a, rule->paths[k].path);
        }
    }
}


static ingress_admit_host_t *
ingress_admit_host(ingress_admit_set_t *set, torii_str_t name, int create)
{
    uint64_t                hash;
    const ingress_table_t  *t;
    ingress_admit_host_t   *host;

    t = set->a->t;
    hash = torii_hash(name.data, name.len, 0);
    host = ingress_hash_first(&set->hosts, hash);

    while (host && !torii_str_eq(host->name, name)) {
        host = ingress_hash_next(host);
    }

    if (host || !create) {
        return host;
    }

    host = torii_arena_zalloc(set->a->arena, sizeof(ingress_admit_host_t));

    host->name = name;
    host->host = name.len ? ingress_route_name(t, name)
                          : &t->hosts[t->header->default_host];
    host->regex = host->host && (host->host->flags & INGRESS_HOST_REGEX);
    host->link.hash = hash;

    ingress_hash_add(&set->hosts, &host->link);

    return host;
}


/* Whether the path turns all paths of its host into regexes. */

static int
ingress_admit_regex(const ingress_admit_t *a, torii_str_t path)
{
    torii_str_t  target;

    target = ingress_pool_str(&a->annotations.pool,
                              a->annotations.policy.rewrite_target);

    return a->annotations.policy.use_regex
           || (target.len && !torii_str_eq(target, path));
}


static void
ingress_admit_path(ingress_admit_set_t *set, ingress_admit_host_t *host,
    const ingress_path_t *path)
{
    char                   shown[96], about[300];
    uint64_t               hash;
    torii_str_t            text;
    ingress_path_type_e    type;
    ingress_admit_path_t  *own;

    if (path->type != INGRESS_PATH_IMPLEMENTATION) {
        ingress_admit_plain(set, path);
    }

    if (host->regex) {
        ingress_admit_compiles(set, path);
    }

    type = ingress_admit_type(path->type);
    text = ingress_admit_text(set->a->arena, host, path->path, type);
    own = ingress_admit_find(set, host, text, type, &hash);

    if (own) {
        (void) ingress_finding_add(&set->a->findings, INGRESS_WARNING,
                                   "PathConflict",
                                   torii_str(INGRESS_ADMIT_PATH), path->path,
                                   "%s is there twice for %s; the first one "
                                   "is served",
                                   ingress_show(path->path, shown),
                                   ingress_admit_shown(host, about));
        return;
    }

    own = torii_arena_zalloc(set->a->arena, sizeof(ingress_admit_path_t));

    own->host = host;
    own->text = text;
    own->type = type;
    own->written = path->path;
    own->link.hash = hash;

    ingress_hash_add(&set->paths, &own->link);
}


/* A regex that is taken for a prefix answers nobody. */

static void
ingress_admit_plain(ingress_admit_set_t *set, const ingress_path_t *path)
{
    int             strict;
    char            shown[96];
    size_t          i;
    unsigned char   c;

    for (i = 0; i < path->path.len; i++) {
        c = path->path.data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
            && (c < '0' || c > '9') && memchr("/._-", c, 4) == NULL)
        {
            break;
        }
    }

    if (i == path->path.len) {
        return;
    }

    strict = (set->a->t->header->flags & INGRESS_TABLE_STRICT) != 0;

    (void) ingress_finding_add(&set->a->findings,
                               strict ? INGRESS_ERROR : INGRESS_WARNING,
                               "BadPath",
                               torii_str(INGRESS_ADMIT_PATH), path->path,
                               "%s is of type %s, and holds more than "
                               "letters, digits and \"/._-\"; a regular "
                               "expression needs pathType: "
                               "ImplementationSpecific%s",
                               ingress_show(path->path, shown),
                               path->type == INGRESS_PATH_EXACT ? "Exact"
                                                                : "Prefix",
                               strict ? ", and strict-validate-path-type: "
                                        "\"false\" in the ConfigMap allows "
                                        "other characters" : "");
}


static void
ingress_admit_compiles(ingress_admit_set_t *set, const ingress_path_t *path)
{
    char  error[128], shown[96];

    if (set->regexes == INGRESS_ADMIT_REGEXES) {
        set->regexes++;

        (void) ingress_finding_add(&set->a->findings, INGRESS_WARNING,
                                   "BadRegex",
                                   torii_str(INGRESS_ADMIT_PATH), path->path,
                                   "there are many regular expressions; %s "
                                   "and those behind it were not tried",
                                   ingress_show(path->path, shown));
    }

    if (set->regexes > INGRESS_ADMIT_REGEXES) {
        return;
    }

    set->regexes++;
    error[0] = '\0';

    if (torii_regex_check(path->path,
                          TORII_REGEX_CASELESS | TORII_REGEX_ANCHORED, error)
        == TORII_OK)
    {
        return;
    }

    (void) ingress_finding_add(&set->a->findings, INGRESS_ERROR, "BadRegex",
                               torii_str(INGRESS_ADMIT_PATH), path->path,
                               "%s is no regular expression: %s; on a host "
                               "with use-regex or rewrite-target every path "
                               "must be one",
                               ingress_show(path->path, shown), error);
}


static ingress_path_type_e
ingress_admit_type(unsigned type)
{
    return type == INGRESS_PATH_EXACT ? INGRESS_PATH_EXACT
                                      : INGRESS_PATH_PREFIX;
}


static torii_str_t
ingress_admit_text(torii_arena_t *arena, const ingress_admit_host_t *host,
    torii_str_t path, ingress_path_type_e type)
{
    if (type == INGRESS_PATH_EXACT || host->regex || path.len == 0
        || path.data[path.len - 1] == '/')
    {
        return path;
    }

    return torii_arena_printf(arena, "%.*s/", torii_str_arg(path));
}


static ingress_admit_path_t *
ingress_admit_find(ingress_admit_set_t *set, const ingress_admit_host_t *host,
    torii_str_t text, ingress_path_type_e type, uint64_t *hash)
{
    ingress_admit_path_t  *own;

    *hash = torii_hash(text.data, text.len, host->link.hash + type);
    own = ingress_hash_first(&set->paths, *hash);

    for ( /* void */ ; own; own = ingress_hash_next(own)) {
        if (own->host == host && own->type == type
            && torii_str_eq(own->text, text))
        {
            return own;
        }
    }

    return NULL;
}


static void
ingress_admit_served(ingress_admit_set_t *set,
    const ingress_admit_host_t *host)
{
    uint32_t                      i, n, first, lists;
    const ingress_table_t        *t;
    const ingress_table_route_t  *route;

    t = set->a->t;

    if (host->host == NULL) {
        return;
    }

    for (lists = 0; lists < 2; lists++) {
        first = lists ? host->host->prefix : host->host->exact;
        n = lists ? host->host->nprefix : host->host->nexact;

        for (i = first; i < first + n; i++) {
            route = &t->routes[t->paths[i].route];

            /* an alias has the paths of another host */

            if ((route->flags & INGRESS_ROUTE_AUTO)
                || route->ingress == INGRESS_NONE
                || !torii_str_eq(ingress_table_str(t, route->host), host->name)
                || ingress_admit_own(set->a, route->ingress))
            {
                continue;
            }

            ingress_admit_collision(set, host, route);
        }
    }
}


static int
ingress_admit_own(const ingress_admit_t *a, uint32_t index)
{
    const ingress_table_ingress_t  *other;

    other = &a->t->ingresses[index];

    return torii_str_eq(ingress_table_str(a->t, other->name), a->o->name)
           && torii_str_eq(ingress_table_str(a->t, other->namespace),
                           a->o->namespace);
}


static void
ingress_admit_collision(ingress_admit_set_t *set,
    const ingress_admit_host_t *host, const ingress_table_route_t *route)
{
    char                            shown[96], about[300];
    uint64_t                        hash;
    torii_str_t                     text, namespace, name;
    const ingress_table_t          *t;
    ingress_path_type_e             type;
    ingress_admit_path_t           *own;
    const ingress_table_ingress_t  *other;

    t = set->a->t;
    type = ingress_admit_type(route->type);
    text = ingress_admit_text(set->a->arena, host,
                              ingress_table_str(t, route->path), type);

    own = ingress_admit_find(set, host, text, type, &hash);

    if (own == NULL || own->told) {
        return;
    }

    own->told = 1;
    other = &t->ingresses[route->ingress];
    namespace = ingress_table_str(t, other->namespace);
    name = ingress_table_str(t, other->name);

    (void) ingress_finding_add(&set->a->findings, INGRESS_ERROR,
                               "PathConflict", torii_str(INGRESS_ADMIT_PATH),
                               own->written,
                               "%s (%s) of %s is served by Ingress %.*s/%.*s "
                               "already; choose another host or path, or "
                               "remove it there",
                               ingress_show(own->written, shown),
                               type == INGRESS_PATH_EXACT ? "Exact" : "Prefix",
                               ingress_admit_shown(host, about),
                               torii_str_arg(namespace), torii_str_arg(name));
}


/* Of several Ingresses that are nothing but a default backend one is heard. */

static void
ingress_admit_default(ingress_admit_t *a)
{
    uint32_t                        i;
    torii_str_t                     namespace, name;
    const ingress_table_t          *t;
    const ingress_table_host_t     *host;
    const ingress_table_route_t    *route;
    const ingress_table_ingress_t  *other;

    t = a->t;
    host = &t->hosts[t->header->default_host];

    for (i = host->prefix; i < host->prefix + host->nprefix; i++) {
        route = &t->routes[t->paths[i].route];

        if (!(route->flags & INGRESS_ROUTE_AUTO)
            || route->ingress == INGRESS_NONE
            || ingress_admit_own(a, route->ingress))
        {
            continue;
        }

        other = &t->ingresses[route->ingress];
        namespace = ingress_table_str(t, other->namespace);
        name = ingress_table_str(t, other->name);

        (void) ingress_finding_add(&a->findings, INGRESS_WARNING,
                                   "PathConflict",
                                   torii_str("spec.defaultBackend"),
                                   (torii_str_t) torii_null_string,
                                   "hosts that no Ingress has are served by "
                                   "Ingress %.*s/%.*s; of several such "
                                   "Ingresses the oldest one is heard",
                                   torii_str_arg(namespace),
                                   torii_str_arg(name));
        return;
    }
}


static const char *
ingress_admit_shown(const ingress_admit_host_t *host, char buf[300])
{
    if (host->name.len == 0) {
        return "every host";
    }

    (void) snprintf(buf, 300, "host \"%.*s\"", torii_str_arg(host->name));

    return buf;
}
