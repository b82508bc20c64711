
/*
 * torii explain: one request, looked up as a worker does, in objects or in the
 * table of a gateway.
 */

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "torii_explain.h"


#define TORII_EXPLAIN_STATE  "/var/lib/torii"


typedef struct {
    char             **manifests;
    int                n;
    const char        *table;
    const char        *state;
    unsigned           json:1;
    unsigned           source:1;      /* options for manifests were given */
} torii_explain_options_t;


static int torii_explain_options(torii_explain_options_t *o,
    torii_source_t *s, int argc, char **argv);
static int torii_explain_request(torii_explain_t *e, int argc, char **argv);
static int torii_explain_open(torii_explain_options_t *o, torii_source_t *s,
    ingress_table_t *t);
static int torii_explain_file(ingress_table_t *t, const char *path);
static int torii_explain_state(ingress_table_t *t, torii_arena_t *a,
    const char *state);
static uint64_t torii_explain_newest(DIR *dir, uint64_t below);
static int torii_explain_find(torii_explain_t *e, unsigned json);


static const struct option  torii_explain_long[] = {
    { "class",     required_argument, NULL, 'c' },
    { "config",    required_argument, NULL, 'g' },
    { "json",      no_argument,       NULL, 'j' },
    { "manifests", required_argument, NULL, 'm' },
    { "selector",  required_argument, NULL, 'l' },
    { "state",     required_argument, NULL, 's' },
    { "table",     required_argument, NULL, 't' },
    { NULL, 0, NULL, 0 }
};


int
torii_explain(int argc, char **argv)
{
    int                       code;
    torii_source_t            s;
    ingress_table_t           opened;
    torii_explain_t           e;
    torii_explain_options_t   o;

    memset(&e, 0, sizeof(e));
    memset(&o, 0, sizeof(o));
    memset(&opened, 0, sizeof(opened));

    torii_source_init(&s);

    o.manifests = torii_zalloc(argc * sizeof(char *));
    e.arena = s.arena;

    code = torii_explain_options(&o, &s, argc, argv);

    if (code == TORII_EXIT_OK) {
        code = torii_explain_request(&e, argc - optind, argv + optind);
    }

    if (code == TORII_EXIT_OK) {
        code = torii_explain_open(&o, &s, &opened);
    }

    if (code == TORII_EXIT_OK) {
        e.table = o.n ? &s.table : &opened;
        e.source = o.n ? &s : NULL;
        e.offline = (o.n != 0);
        code = torii_explain_find(&e, o.json);
    }

    ingress_table_close(&opened);
    torii_source_free(&s);
    free(o.manifests);

    return code;
}


static int
torii_explain_options(torii_explain_options_t *o, torii_source_t *s, int argc,
    char **argv)
{
    int  c;

    while ((c = getopt_long(argc, argv, "c:g:jl:m:s:t:", torii_explain_long,
                            NULL))
           != -1)
    {
        switch (c) {

        case 'c':
            torii_source_class(s, optarg);
            o->source = 1;
            break;

        case 'g':
            s->options.config = torii_str(optarg);
            o->source = 1;
            break;

        case 'j':
            o->json = 1;
            break;

        case 'l':
            if (torii_source_selector(s, optarg) != TORII_EXIT_OK) {
                return TORII_EXIT_USAGE;
            }

            o->source = 1;
            break;

        case 'm':
            o->manifests[o->n++] = optarg;
            break;

        case 's':
            o->state = optarg;
            break;

        case 't':
            o->table = optarg;
            break;

        default:
            return torii_usage("explain", TORII_EXIT_USAGE);
        }
    }

    if ((o->n != 0) + (o->table != NULL) + (o->state != NULL) > 1) {
        fprintf(stderr, "torii explain: --manifests, --table and --state are "
                "for one of them\n");
        return torii_usage("explain", TORII_EXIT_USAGE);
    }

    if (o->source && o->n == 0) {
        fprintf(stderr, "torii explain: --class, --config and --selector go "
                "with --manifests; a table is made already\n");
        return torii_usage("explain", TORII_EXIT_USAGE);
    }

    return TORII_EXIT_OK;
}


static int
torii_explain_request(torii_explain_t *e, int argc, char **argv)
{
    const char  *why;

    if (argc < 1 || argc > 2) {
        fprintf(stderr, "torii explain: a host and a path, or a URL, is "
                "needed\n");
        return torii_usage("explain", TORII_EXIT_USAGE);
    }

    if (torii_request_parse(e->arena, &e->request, argv[0],
                            argc == 2 ? argv[1] : NULL, &why)
        != TORII_OK)
    {
        fprintf(stderr, "torii explain: %s\n", why);
        return TORII_EXIT_USAGE;
    }

    return TORII_EXIT_OK;
}


static int
torii_explain_open(torii_explain_options_t *o, torii_source_t *s,
    ingress_table_t *t)
{
    if (o->n) {
        s->options.explain = 1;

        return torii_source_read(s, o->manifests, o->n);
    }

    if (o->table) {
        return torii_explain_file(t, o->table);
    }

    return torii_explain_state(t, s->arena,
                               o->state ? o->state : TORII_EXPLAIN_STATE);
}


static int
torii_explain_file(ingress_table_t *t, const char *path)
{
    char  error[128];

    if (ingress_table_open(t, path, error) != TORII_OK) {
        fprintf(stderr, "torii: the table \"%s\" cannot be used: %s\n", path,
                error);
        return TORII_EXIT_USAGE;
    }

    return TORII_EXIT_OK;
}


/* As a worker does at its start: the newest file that is sound. */

static int
torii_explain_state(ingress_table_t *t, torii_arena_t *a, const char *state)
{
    int           code;
    DIR          *dir;
    uint64_t      generation;
    torii_str_t   path;

    path = torii_arena_printf(a, "%s/table", state);

    dir = opendir((char *) path.data);
    if (dir == NULL) {
        fprintf(stderr, "torii: %s: %s\n"
                "tell where to look by --manifests, --table or --state\n",
                (char *) path.data, strerror(errno));
        return TORII_EXIT_USAGE;
    }

    code = TORII_EXIT_USAGE;
    generation = torii_explain_newest(dir, UINT64_MAX);

    if (generation == 0) {
        fprintf(stderr, "torii: there is no table in \"%s\"\n",
                (char *) path.data);
    }

    while (generation && code != TORII_EXIT_OK) {
        path = torii_arena_printf(a, "%s/table/table.%llu", state,
                                  (unsigned long long) generation);

        code = torii_explain_file(t, (char *) path.data);
        generation = torii_explain_newest(dir, generation);
    }

    (void) closedir(dir);

    return code;
}


/* The largest N below a number for which there is "table.N", or 0. */

static uint64_t
torii_explain_newest(DIR *dir, uint64_t below)
{
    uint64_t        n, newest;
    torii_str_t     name;
    struct dirent  *entry;

    rewinddir(dir);

    newest = 0;

    while ((entry = readdir(dir)) != NULL) {

        name = torii_str(entry->d_name);

        if (!torii_str_starts(name, "table.")) {
            continue;
        }

        name.data += 6;
        name.len -= 6;

        if (torii_str_uint(name, UINT64_MAX, &n) == TORII_OK && n < below
            && n > newest)
        {
            newest = n;
        }
    }

    return newest;
}


static int
torii_explain_find(torii_explain_t *e, unsigned json)
{
    int                     code;
    const ingress_table_t  *t;

    t = e->table;
    e->regexes = torii_regex_cache_create(1024);

    ingress_route_find(t, e->regexes, e->request.host, e->request.uri,
                       &e->match);

    if (!e->request.scheme) {
        e->request.https = ((e->match.host->flags & INGRESS_HOST_TLS) != 0);
    }

    torii_answer(e);
    torii_report(e);

    torii_regex_cache_destroy(e->regexes);

    if (json) {
        torii_buf_free(&e->text);
        code = torii_print(&e->json);

    } else {
        torii_buf_free(&e->json);
        code = torii_print(&e->text);
    }

    if (code != TORII_EXIT_OK) {
        return code;
    }

    return e->status >= 400 ? TORII_EXIT_FOUND : TORII_EXIT_OK;
}
