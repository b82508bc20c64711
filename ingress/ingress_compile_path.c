
/*
 * Paths of a host: entries of all Ingresses in the order of lookup, and who
 * wins where two say the same.
 */

#include <stdlib.h>

#include "ingress_compile.h"


typedef int (*ingress_candidate_cmp_pt)(const void *one, const void *two);

/* One host while its paths are gathered. */

typedef struct {
    ingress_compile_t      *c;
    uint32_t                index;
    unsigned                regex:1;
    unsigned                rooted:1;      /* a rule has the prefix "/" */
    ingress_plan_t         *root;          /* of an auto "/", or NULL */
    ingress_plan_host_t    *root_host;
    uint32_t                seq;
    ingress_candidate_t     app_root;      /* plan NULL: none has it */
} ingress_gather_t;


static void ingress_gather_mode(ingress_gather_t *g);
static void ingress_gather_root(ingress_gather_t *g);
static void ingress_gather_entries(ingress_gather_t *g);
static void ingress_gather_path(ingress_gather_t *g, ingress_plan_t *plan,
    ingress_plan_path_t *path);
static void ingress_gather_add(ingress_gather_t *g, torii_buf_t *list,
    ingress_plan_t *plan, ingress_plan_path_t *path, ingress_ref_t ref,
    uint32_t own);
static void ingress_path_sort(torii_buf_t *list,
    ingress_candidate_cmp_pt cmp);
static int ingress_path_cmp(const void *one, const void *two);
static int ingress_path_regex_cmp(const void *one, const void *two);
static void ingress_path_exact(ingress_gather_t *g);
static void ingress_path_prefix(ingress_gather_t *g);
static void ingress_path_parents(ingress_gather_t *g, uint32_t first);
static void ingress_path_regexes(ingress_gather_t *g);
static void ingress_path_regex_group(ingress_gather_t *g,
    ingress_candidate_t *cand, uint32_t n);
static int ingress_path_is_exact(const ingress_candidate_t *cand);
static void ingress_path_regex_slashed(ingress_gather_t *g,
    const ingress_candidate_t *cand);
static int ingress_path_text_cmp(const void *one, const void *two);
static int ingress_path_compiles(ingress_gather_t *g,
    const ingress_candidate_t *cand);
static void ingress_path_write(ingress_gather_t *g,
    const ingress_candidate_t *cand, ingress_ref_t text);
static uint32_t ingress_path_route(ingress_gather_t *g,
    const ingress_candidate_t *cand);
static uint32_t ingress_path_auto(ingress_gather_t *g);
static void ingress_path_conflict(ingress_gather_t *g,
    const ingress_candidate_t *winner, const ingress_candidate_t *loser);


#define ingress_candidates_n(list)                                            \
    ((uint32_t) ((list)->len / sizeof(ingress_candidate_t)))


void
ingress_compile_paths(ingress_compile_t *c, uint32_t host)
{
    uint32_t               n;
    ingress_gather_t       g;
    ingress_table_host_t  *record;

    memset(&g, 0, sizeof(ingress_gather_t));

    g.c = c;
    g.index = host;

    ingress_gather_mode(&g);
    ingress_gather_root(&g);
    ingress_gather_entries(&g);

    n = ingress_writer_n(c->w, PATHS, ingress_table_path_t);

    record = ingress_writer_at(c->w, HOSTS, ingress_table_host_t, host);
    record->exact = n;

    if (g.regex) {
        record->flags |= INGRESS_HOST_REGEX;
        record->prefix = n;

        ingress_path_regexes(&g);

    } else {
        ingress_path_exact(&g);

        record->nexact = ingress_writer_n(c->w, PATHS, ingress_table_path_t)
                         - n;
        n += record->nexact;
        record->prefix = n;

        ingress_path_prefix(&g);
    }

    record->nprefix = ingress_writer_n(c->w, PATHS, ingress_table_path_t) - n;

    if (g.app_root.plan) {
        record->app_root = ingress_plan_ref(g.app_root.plan,
                                            g.app_root.plan->app_root);
    }
}


static void
ingress_gather_mode(ingress_gather_t *g)
{
    uint32_t              i, n;
    ingress_part_t       *part;
    ingress_plan_path_t  *path;

    for (i = ingress_compile_host(g->c, g->index)->first;
         i != INGRESS_NONE;
         i = part->next)
    {
        part = ingress_compile_part(g->c, i);

        for (n = 0; n < part->host->n; n++) {
            path = &part->host->paths[n];

            g->regex |= path->regex;

            if (path->type == INGRESS_PATH_PREFIX && path->text.len == 1) {
                g->rooted = 1;
            }
        }
    }
}


/*
 * Whose annotations an auto "/" carries.  That of the catch-all is of the
 * Ingress that is nothing but a default backend, or else of the first one with
 * a rule for every host that has a default backend, too.
 */

static void
ingress_gather_root(ingress_gather_t *g)
{
    uint32_t         i;
    ingress_part_t  *part;

    if (g->rooted) {
        return;
    }

    if (g->index == 0 && g->c->catchall) {
        g->root = g->c->catchall;
        return;
    }

    for (i = ingress_compile_host(g->c, g->index)->first;
         i != INGRESS_NONE;
         i = part->next)
    {
        part = ingress_compile_part(g->c, i);

        if (g->index || part->plan->backend) {
            g->root = part->plan;
            g->root_host = part->host;
            break;
        }
    }

    if (g->root && g->root->root_regex) {
        g->regex = 1;
    }
}


static void
ingress_gather_entries(ingress_gather_t *g)
{
    uint32_t         i, n;
    ingress_ref_t    ref;
    ingress_part_t  *part;

    g->c->store->exact.len = 0;
    g->c->store->prefix.len = 0;

    for (i = ingress_compile_host(g->c, g->index)->first;
         i != INGRESS_NONE;
         i = part->next)
    {
        part = ingress_compile_part(g->c, i);

        for (n = 0; n < part->host->n; n++) {
            ingress_gather_path(g, part->plan, &part->host->paths[n]);
        }
    }

    if (!g->rooted) {
        memset(&ref, 0, sizeof(ingress_ref_t));
        ingress_gather_add(g, &g->c->store->prefix, g->root, NULL, ref, 1);
    }
}


/*
 * "Prefix /foo" is the exact "/foo" and the prefix "/foo/".  Of "Prefix /foo/"
 * the prefix is enough: it matches "/foo/" as well.
 */

static void
ingress_gather_path(ingress_gather_t *g, ingress_plan_t *plan,
    ingress_plan_path_t *path)
{
    torii_buf_t  *exact, *prefix;

    exact = &g->c->store->exact;
    prefix = &g->c->store->prefix;

    if (g->regex) {
        ingress_gather_add(g, prefix, plan, path, path->text, 1);

    } else if (path->type == INGRESS_PATH_EXACT) {
        ingress_gather_add(g, exact, plan, path, path->text, 1);

    } else {
        if (path->slashed.len != path->text.len) {
            ingress_gather_add(g, exact, plan, path, path->text, 0);
        }

        ingress_gather_add(g, prefix, plan, path, path->slashed, 1);
    }
}


static void
ingress_gather_add(ingress_gather_t *g, torii_buf_t *list,
    ingress_plan_t *plan, ingress_plan_path_t *path, ingress_ref_t ref,
    uint32_t own)
{
    ingress_candidate_t  *cand;

    cand = (void *) torii_buf_room(list, sizeof(ingress_candidate_t));
    list->len += sizeof(ingress_candidate_t);

    cand->plan = plan;
    cand->path = path;
    cand->seq = g->seq++;
    cand->own = own;

    if (path) {
        cand->text = ingress_plan_str(plan, ref);
        cand->ref = ingress_plan_ref(plan, ref);

    } else {
        cand->text = torii_str("/");
        cand->ref = g->c->root;
    }
}


/* Mostly they come in order: one Ingress on its host, a handful of paths. */

static void
ingress_path_sort(torii_buf_t *list, ingress_candidate_cmp_pt cmp)
{
    uint32_t              i, k, n;
    ingress_candidate_t   one, *cand;

    cand = (void *) list->data;
    n = ingress_candidates_n(list);

    for (i = 1; i < n && cmp(&cand[i - 1], &cand[i]) < 0; i++) { /* void */ }

    if (i >= n) {
        return;
    }

    if (n > 16) {
        qsort(cand, n, sizeof(ingress_candidate_t), cmp);
        return;
    }

    for ( /* void */ ; i < n; i++) {
        one = cand[i];

        for (k = i; k && cmp(&one, &cand[k - 1]) < 0; k--) {
            cand[k] = cand[k - 1];
        }

        cand[k] = one;
    }
}


/* By bytes; an Exact path before the exact entry of a prefix; oldest first. */

static int
ingress_path_cmp(const void *one, const void *two)
{
    int                         rc;
    const ingress_candidate_t  *a, *b;

    a = one;
    b = two;

    rc = torii_str_cmp(a->text, b->text);
    if (rc != 0) {
        return rc;
    }

    if (a->own != b->own) {
        return a->own ? -1 : 1;
    }

    return a->seq < b->seq ? -1 : a->seq > b->seq;
}


/* Longer texts first, then from the end of the alphabet. */

static int
ingress_path_regex_cmp(const void *one, const void *two)
{
    int                         rc;
    const ingress_candidate_t  *a, *b;

    a = one;
    b = two;

    if (a->text.len != b->text.len) {
        return a->text.len > b->text.len ? -1 : 1;
    }

    rc = torii_str_cmp(b->text, a->text);
    if (rc != 0) {
        return rc;
    }

    return a->seq < b->seq ? -1 : a->seq > b->seq;
}


static void
ingress_path_exact(ingress_gather_t *g)
{
    uint32_t              i, n;
    ingress_candidate_t  *cand, *winner;

    ingress_path_sort(&g->c->store->exact, ingress_path_cmp);

    cand = (void *) g->c->store->exact.data;
    n = ingress_candidates_n(&g->c->store->exact);
    winner = NULL;

    for (i = 0; i < n; i++) {

        if (winner && torii_str_eq(winner->text, cand[i].text)) {

            if (cand[i].own) {
                ingress_path_conflict(g, winner, &cand[i]);
            }

            continue;
        }

        winner = &cand[i];
        ingress_path_write(g, winner, winner->ref);
    }
}


static void
ingress_path_prefix(ingress_gather_t *g)
{
    uint32_t              i, n, first;
    ingress_candidate_t  *cand, *winner;

    ingress_path_sort(&g->c->store->prefix, ingress_path_cmp);

    cand = (void *) g->c->store->prefix.data;
    n = ingress_candidates_n(&g->c->store->prefix);
    first = ingress_writer_n(g->c->w, PATHS, ingress_table_path_t);
    winner = NULL;

    for (i = 0; i < n; i++) {

        if (winner && torii_str_eq(winner->text, cand[i].text)) {
            ingress_path_conflict(g, winner, &cand[i]);
            continue;
        }

        winner = &cand[i];
        ingress_path_write(g, winner, winner->ref);
    }

    ingress_path_parents(g, first);
}


/*
 * All prefixes of a text sort before it, and whatever lies between one of them
 * and the text starts with it: so the parent is the text before, or one of its
 * parents.
 */

static void
ingress_path_parents(ingress_gather_t *g, uint32_t first)
{
    uint32_t               i, n, parent;
    const unsigned char   *pool;
    ingress_table_path_t  *paths;

    pool = g->c->w->sections[INGRESS_SECTION_POOL].data;
    paths = ingress_writer_at(g->c->w, PATHS, ingress_table_path_t, 0);
    n = ingress_writer_n(g->c->w, PATHS, ingress_table_path_t);

    for (i = first + 1; i < n; i++) {
        parent = i - 1;

        while (parent != INGRESS_NONE
               && (paths[parent].text.len > paths[i].text.len
                   || memcmp(pool + paths[parent].text.off,
                             pool + paths[i].text.off, paths[parent].text.len)
                      != 0))
        {
            parent = paths[parent].parent;
        }

        paths[i].parent = parent;
    }
}


/*
 * Exact and Prefix mean nothing to a regex, and yet an Exact and a Prefix path
 * of one text are no conflict, unless both come out as the same regex.
 */

static void
ingress_path_regexes(ingress_gather_t *g)
{
    uint32_t              i, end, n;
    ingress_candidate_t  *cand;

    ingress_path_sort(&g->c->store->prefix, ingress_path_regex_cmp);

    cand = (void *) g->c->store->prefix.data;
    n = ingress_candidates_n(&g->c->store->prefix);

    for (i = 0; i < n; i = end) {

        for (end = i + 1;
             end < n && torii_str_eq(cand[end].text, cand[i].text);
             end++)
        {
            /* void */
        }

        ingress_path_regex_group(g, &cand[i], end - i);
    }
}


/* Candidates of one text, oldest first; an auto "/" is the last one. */

static void
ingress_path_regex_group(ingress_gather_t *g, ingress_candidate_t *cand,
    uint32_t n)
{
    uint32_t              i, split;
    ingress_candidate_t  *exact, *prefix, *plain;
    ingress_plan_path_t  *path;

    exact = NULL;
    prefix = NULL;
    plain = NULL;

    for (i = 0; i < n && exact == NULL; i++) {
        if (ingress_path_is_exact(&cand[i])) {
            exact = &cand[i];
        }
    }

    for (i = 0; i < n; i++) {
        path = cand[i].path;

        if (!ingress_path_compiles(g, &cand[i])) {
            continue;
        }

        if (ingress_path_is_exact(&cand[i])) {

            if (&cand[i] != exact) {
                ingress_path_conflict(g, exact, &cand[i]);
                continue;
            }

            split = 0;

        } else {

            if (prefix) {
                ingress_path_conflict(g, prefix, &cand[i]);
                continue;
            }

            prefix = &cand[i];
            split = path && !path->regex && path->text.len > 1;
        }

        if (split) {
            ingress_path_regex_slashed(g, &cand[i]);

            if (exact) {
                continue;
            }
        }

        if (plain) {
            ingress_path_conflict(g, plain, &cand[i]);
            continue;
        }

        plain = &cand[i];
        ingress_path_write(g, plain, plain->ref);
    }
}


static int
ingress_path_is_exact(const ingress_candidate_t *cand)
{
    return cand->path && cand->path->type == INGRESS_PATH_EXACT;
}


/*
 * A "Prefix /foo" whose own Ingress asks for no regexes stays two entries,
 * "/foo/" before "/foo"; the latter only if there is no "Exact /foo".
 */

static void
ingress_path_regex_slashed(ingress_gather_t *g,
    const ingress_candidate_t *cand)
{
    ingress_ref_t         ref;
    ingress_candidate_t   slashed, *all;

    ref = cand->path->slashed;

    if (ref.len == cand->path->text.len) {
        return;
    }

    slashed = *cand;
    slashed.text = ingress_plan_str(cand->plan, ref);
    slashed.ref = ingress_plan_ref(cand->plan, ref);

    all = (void *) g->c->store->prefix.data;

    if (bsearch(&slashed, all, ingress_candidates_n(&g->c->store->prefix),
                sizeof(ingress_candidate_t), ingress_path_text_cmp))
    {
        return;
    }

    ingress_path_write(g, &slashed, slashed.ref);
}


static int
ingress_path_text_cmp(const void *one, const void *two)
{
    const ingress_candidate_t  *a, *b;

    a = one;
    b = two;

    if (a->text.len != b->text.len) {
        return a->text.len > b->text.len ? -1 : 1;
    }

    return torii_str_cmp(b->text, a->text);
}


/* A path that is no regex is left out: it costs itself, not its host. */

static int
ingress_path_compiles(ingress_gather_t *g, const ingress_candidate_t *cand)
{
    char                  error[128];
    torii_str_t           text;
    ingress_plan_path_t  *path;

    path = cand->path;

    if (path == NULL || path->checked == 1) {
        return 1;
    }

    error[0] = '\0';
    text = cand->text;

    if (torii_regex_check(text, TORII_REGEX_CASELESS | TORII_REGEX_ANCHORED,
                          error)
        == TORII_OK)
    {
        path->checked = 1;
        return 1;
    }

    ingress_compile_finding(g->c, INGRESS_ERROR, "BadRegex",
                            cand->plan->item, path->line,
                            "spec.rules.http.paths.path", text,
                            "on a host with use-regex or rewrite-target every "
                            "path is a regular expression, and this is none: "
                            "%s; it is left out", error);

    return 0;
}


static void
ingress_path_write(ingress_gather_t *g, const ingress_candidate_t *cand,
    ingress_ref_t text)
{
    uint32_t               route;
    ingress_candidate_t    raw;
    ingress_table_path_t  *record;

    route = cand->path ? ingress_path_route(g, cand) : ingress_path_auto(g);

    record = ingress_writer_add(g->c->w, INGRESS_SECTION_PATHS,
                                sizeof(ingress_table_path_t));
    record->text = text;
    record->route = route;
    record->parent = INGRESS_NONE;

    if (cand->plan == NULL || cand->plan->app_root.len == 0) {
        return;
    }

    /* the longest path's Ingress decides */

    raw = *cand;

    if (raw.path) {
        raw.text = ingress_plan_str(raw.plan, raw.path->text);
    }

    if (g->app_root.plan == NULL
        || ingress_path_regex_cmp(&raw, &g->app_root) < 0)
    {
        g->app_root = raw;
    }
}


static uint32_t
ingress_path_route(ingress_gather_t *g, const ingress_candidate_t *cand)
{
    uint32_t                backend, policy;
    ingress_plan_t         *plan;
    ingress_plan_path_t    *path;
    ingress_compile_t      *c;
    ingress_table_route_t  *route;

    c = g->c;
    plan = cand->plan;
    path = cand->path;

    if (path->round == c->store->round) {
        return path->route;
    }

    backend = ingress_upstream_write(c, path->upstream);
    policy = ingress_policy_write(c, plan,
                                  (path->open ? INGRESS_POLICY_OPEN : 0)
                                  | (path->free ? INGRESS_POLICY_FREE : 0));

    path->round = c->store->round;
    path->route = ingress_writer_n(c->w, ROUTES, ingress_table_route_t);

    route = ingress_writer_add(c->w, INGRESS_SECTION_ROUTES,
                               sizeof(ingress_table_route_t));
    route->policy = policy;
    route->backend = backend;
    route->ingress = plan->index;
    route->flags = g->index ? 0 : INGRESS_ROUTE_CATCHALL;
    route->path = ingress_plan_ref(plan, path->text);
    route->service = ingress_plan_ref(plan, path->service);
    route->port = ingress_plan_ref(plan, path->port);
    route->line = path->line;
    route->type = path->type;

    if (g->index) {
        route->host = ingress_writer_at(c->w, HOSTS, ingress_table_host_t,
                                        g->index)->name;
    }

    return path->route;
}


static uint32_t
ingress_path_auto(ingress_gather_t *g)
{
    uint32_t                backend, policy;
    ingress_plan_t         *plan;
    ingress_compile_t      *c;
    ingress_table_route_t  *route;

    c = g->c;
    plan = g->root;

    policy = ingress_policy_write(c, plan, 0);
    backend = (plan && plan->backend) ? ingress_upstream_write(c, plan->backend)
                                      : INGRESS_NONE;

    route = ingress_writer_add(c->w, INGRESS_SECTION_ROUTES,
                               sizeof(ingress_table_route_t));
    route->policy = policy;
    route->backend = backend;
    route->ingress = INGRESS_NONE;
    route->flags = INGRESS_ROUTE_AUTO;
    route->path = c->root;
    route->type = INGRESS_PATH_PREFIX;

    if (g->index) {
        route->host = ingress_writer_at(c->w, HOSTS, ingress_table_host_t,
                                        g->index)->name;

    } else {
        route->flags |= INGRESS_ROUTE_CATCHALL;
    }

    if (plan) {
        route->ingress = plan->index;
        route->service = ingress_plan_ref(plan, plan->backend_service);
        route->port = ingress_plan_ref(plan, plan->backend_port);
        route->line = g->root_host ? g->root_host->line
                                   : plan->item->active->line;
    }

    return ingress_writer_n(c->w, ROUTES, ingress_table_route_t) - 1;
}


static void
ingress_path_conflict(ingress_gather_t *g, const ingress_candidate_t *winner,
    const ingress_candidate_t *loser)
{
    uint32_t         line;
    torii_str_t      host;
    ingress_item_t  *other;

    if (loser->path == NULL) {
        return;
    }

    host = ingress_compile_host(g->c, g->index)->name;

    if (host.len == 0) {
        host = torii_str("*");
    }

    other = winner->plan->item;
    line = winner->path ? winner->path->line : 0;

    if (winner->plan == loser->plan) {
        ingress_compile_finding(g->c, INGRESS_WARNING, "PathConflict",
                                loser->plan->item, loser->path->line,
                                "spec.rules.http.paths.path",
                                ingress_plan_str(loser->plan,
                                                 loser->path->text),
                                "the path is there twice for host \"%.*s\"; "
                                "the first one (line %u) is served",
                                torii_str_arg(host), line);
        return;
    }

    ingress_compile_finding(g->c, INGRESS_ERROR, "PathConflict",
                            loser->plan->item, loser->path->line,
                            "spec.rules.http.paths.path",
                            ingress_plan_str(loser->plan, loser->path->text),
                            "the path of host \"%.*s\" is served by Ingress "
                            "%.*s, which comes first%s%.*s; remove one of them",
                            torii_str_arg(host), torii_str_arg(other->key),
                            other->active->file.len ? ", from " : "",
                            torii_str_arg(other->active->file));
}
