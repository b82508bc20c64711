
/*
 * torii check: the findings of a gateway that would serve these files.
 */

#include <getopt.h>
#include <stdlib.h>

#include "torii_tool.h"
#include "ingress_issue.h"


typedef struct {
    const ingress_finding_t  *finding;
    uint32_t                  index;
} torii_check_row_t;

typedef struct {
    unsigned                  json:1;
    unsigned                  quiet:1;
    uint32_t                  n[INGRESS_ERROR + 1];   /* by severity */
} torii_check_t;


static int torii_check_options(torii_check_t *check, torii_source_t *s,
    int argc, char **argv);
static void torii_check_issue(void *data, const ingress_issue_t *issue);
static int torii_check_print(torii_check_t *check, torii_source_t *s);
static torii_check_row_t *torii_check_sort(torii_source_t *s, uint32_t *n);
static int torii_check_order(const void *one, const void *two);
static void torii_check_summary(torii_check_t *check, torii_source_t *s);


static const struct option  torii_check_long[] = {
    { "class",    required_argument, NULL, 'c' },
    { "config",   required_argument, NULL, 'g' },
    { "issuer",   required_argument, NULL, 'i' },
    { "json",     no_argument,       NULL, 'j' },
    { "quiet",    no_argument,       NULL, 'q' },
    { "selector", required_argument, NULL, 'l' },
    { NULL, 0, NULL, 0 }
};


int
torii_check(int argc, char **argv)
{
    int             code;
    torii_check_t   check;
    torii_source_t  s;

    memset(&check, 0, sizeof(check));

    torii_source_init(&s);

    code = torii_check_options(&check, &s, argc, argv);

    if (code == TORII_EXIT_OK) {
        code = torii_source_read(&s, argv + optind, argc - optind);
    }

    if (code == TORII_EXIT_OK) {
        ingress_issues(s.store, &s.options, &s.findings, torii_check_issue,
                       &s);
        torii_check_logins(&s);
        code = torii_check_print(&check, &s);
    }

    torii_source_free(&s);

    return code;
}


static int
torii_check_options(torii_check_t *check, torii_source_t *s, int argc,
    char **argv)
{
    int  c;

    while ((c = getopt_long(argc, argv, "c:g:i:jl:q", torii_check_long, NULL))
           != -1)
    {
        switch (c) {

        case 'c':
            torii_source_class(s, optarg);
            break;

        case 'g':
            s->options.config = torii_str(optarg);
            break;

        case 'i':
            s->options.default_issuer = torii_str(optarg);
            break;

        case 'j':
            check->json = 1;
            break;

        case 'l':
            if (torii_source_selector(s, optarg) != TORII_EXIT_OK) {
                return TORII_EXIT_USAGE;
            }

            break;

        case 'q':
            check->quiet = 1;
            break;

        default:
            return torii_usage("check", TORII_EXIT_USAGE);
        }
    }

    if (optind == argc) {
        fprintf(stderr, "torii check: no file or folder is given\n");
        return torii_usage("check", TORII_EXIT_USAGE);
    }

    return TORII_EXIT_OK;
}


/* A Secret that a gateway is to make is missed by nobody. */

static void
torii_check_issue(void *data, const ingress_issue_t *issue)
{
    torii_source_t *s = data;

    ingress_finding_t  *f;

    if (issue->nissuers == 0
        || ingress_store_get(s->store, INGRESS_KIND_SECRET, issue->namespace,
                             issue->secret)
           != NULL)
    {
        return;
    }

    for (f = s->findings.first; f != NULL; f = f->next) {

        if (strcmp(f->reason, "SecretNotFound") != 0
            || !torii_str_eq(f->value, issue->secret)
            || !torii_str_eq(f->namespace, issue->namespace))
        {
            continue;
        }

        f->severity = INGRESS_INFO;
        f->message = torii_arena_printf(s->findings.arena,
                                        "Secret %.*s/%.*s is not among the "
                                        "files: %s %.*s is to issue it",
                                        torii_str_arg(issue->namespace),
                                        torii_str_arg(issue->secret),
                                        ingress_kind_name(
                                                   issue->issuers[0]->kind),
                                        torii_str_arg(
                                                   issue->issuers[0]->name));
    }
}


static int
torii_check_print(torii_check_t *check, torii_source_t *s)
{
    uint32_t                  i, n, printed;
    torii_buf_t               out;
    torii_check_row_t        *rows;
    const ingress_finding_t  *f;

    memset(&out, 0, sizeof(out));

    rows = torii_check_sort(s, &n);
    printed = 0;

    if (check->json) {
        torii_buf_adds(&out, "[");
    }

    for (i = 0; i < n; i++) {
        f = rows[i].finding;
        check->n[f->severity]++;

        if (check->quiet && f->severity != INGRESS_ERROR) {
            continue;
        }

        if (check->json) {
            torii_buf_adds(&out, printed ? ",\n " : "\n ");
            ingress_finding_json(&out, f);

        } else {
            ingress_finding_text(&out, f);
        }

        printed++;
    }

    if (check->json) {
        torii_buf_adds(&out, printed ? "\n]\n" : "]\n");
    }

    free(rows);

    if (torii_print(&out) != TORII_EXIT_OK) {
        return TORII_EXIT_USAGE;
    }

    if (!check->quiet) {
        torii_check_summary(check, s);
    }

    return check->n[INGRESS_ERROR] ? TORII_EXIT_FOUND : TORII_EXIT_OK;
}


static torii_check_row_t *
torii_check_sort(torii_source_t *s, uint32_t *n)
{
    uint32_t                  i;
    torii_check_row_t        *rows;
    const ingress_finding_t  *f;

    rows = torii_malloc(s->findings.n * sizeof(torii_check_row_t));
    i = 0;

    for (f = s->findings.first; f; f = f->next) {
        rows[i].finding = f;
        rows[i].index = i;
        i++;
    }

    qsort(rows, i, sizeof(torii_check_row_t), torii_check_order);

    *n = i;

    return rows;
}


/* As an author goes through them: file by file, from the top. */

static int
torii_check_order(const void *one, const void *two)
{
    int                       rc;
    const torii_check_row_t  *a = one, *b = two;

    rc = torii_str_cmp(a->finding->file, b->finding->file);
    if (rc != 0) {
        return rc;
    }

    if (a->finding->line != b->finding->line) {
        return a->finding->line < b->finding->line ? -1 : 1;
    }

    return a->index < b->index ? -1 : 1;
}


static const char *
torii_check_plural(uint32_t n)
{
    return n == 1 ? "" : "s";
}


static void
torii_check_summary(torii_check_t *check, torii_source_t *s)
{
    uint32_t  kind, objects, ingresses, *n;

    n = check->n;
    objects = 0;

    for (kind = 0; kind < INGRESS_KIND_MAX; kind++) {
        objects += ingress_store_count(s->store, kind);
    }

    ingresses = ingress_store_count(s->store, INGRESS_KIND_INGRESS);

    fprintf(stderr, "%u error%s, %u warning%s, %u note%s in %u object%s, %u "
            "Ingress%s\n",
            n[INGRESS_ERROR], torii_check_plural(n[INGRESS_ERROR]),
            n[INGRESS_WARNING], torii_check_plural(n[INGRESS_WARNING]),
            n[INGRESS_INFO], torii_check_plural(n[INGRESS_INFO]),
            objects, torii_check_plural(objects),
            ingresses, ingresses == 1 ? "" : "es");
}
