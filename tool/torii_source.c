
/*
 * Objects from files, compiled as the gateway's helper compiles them.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "torii_tool.h"


#define TORII_SOURCE_READ  65536


static int torii_source_path(torii_source_t *s, const char *path);
static int torii_source_stdin(torii_source_t *s);
static void torii_source_decode(torii_source_t *s, torii_str_t text);
static void torii_source_add(void *data, ingress_object_t *object);
static void torii_source_compile(torii_source_t *s);


void
torii_source_init(torii_source_t *s)
{
    memset(s, 0, sizeof(torii_source_t));

    s->options.all = 1;
    s->options.loopback = 1;

    s->arena = torii_arena_create(16 * 1024);
    s->store = ingress_store_create();

    ingress_findings_init(&s->findings, s->arena);
    s->findings.max = UINT32_MAX;
}


void
torii_source_free(torii_source_t *s)
{
    uint32_t  i;

    for (i = 0; i < s->nfolders; i++) {
        ingress_folder_close(s->folders[i]);
    }

    free(s->folders);
    free(s->options.classes);

    ingress_store_destroy(s->store);
    torii_arena_destroy(s->arena);
    torii_buf_free(&s->bytes);
}


void
torii_source_class(torii_source_t *s, char *name)
{
    ingress_options_t  *options;

    options = &s->options;

    options->classes = torii_realloc(options->classes,
                              (options->nclasses + 1) * sizeof(torii_str_t));
    options->classes[options->nclasses++] = torii_str(name);
    options->all = 0;
}


int
torii_source_selector(torii_source_t *s, char *text)
{
    const char  *why;

    s->options.selector = ingress_selector_parse(s->arena, torii_str(text),
                                                 &why);
    if (s->options.selector == NULL) {
        fprintf(stderr, "torii: \"%s\" %s\n", text, why);
        return TORII_EXIT_USAGE;
    }

    return TORII_EXIT_OK;
}


int
torii_source_read(torii_source_t *s, char **paths, int n)
{
    int   i, code;
    char  error[128];

    ingress_findings_init(&s->files, s->arena);
    s->files.max = UINT32_MAX;

    s->folders = torii_zalloc(n * sizeof(ingress_folder_t *));

    for (i = 0; i < n; i++) {
        code = strcmp(paths[i], "-") == 0 ? torii_source_stdin(s)
                                          : torii_source_path(s, paths[i]);
        if (code != TORII_EXIT_OK) {
            return code;
        }
    }

    torii_source_compile(s);

    if (ingress_table_check(&s->table, s->bytes.data, s->bytes.len, error)
        != TORII_OK)
    {
        fprintf(stderr, "torii: the table made of the objects cannot be used, "
                "which is a fault of this program: %s\n", error);
        return TORII_EXIT_USAGE;
    }

    return TORII_EXIT_OK;
}


static int
torii_source_path(torii_source_t *s, const char *path)
{
    int                changed;
    struct stat        st;
    ingress_folder_t  *folder;

    if (stat(path, &st) == -1) {
        fprintf(stderr, "torii: %s: %s\n", path, strerror(errno));
        return TORII_EXIT_USAGE;
    }

    folder = ingress_folder_open(path, s->store, 0);
    s->folders[s->nfolders++] = folder;

    while (ingress_folder_read(folder, 0, &changed) == TORII_AGAIN) {
        /* void */
    }

    return TORII_EXIT_OK;
}


static int
torii_source_stdin(torii_source_t *s)
{
    size_t       n;
    torii_buf_t  in;
    torii_str_t  text;

    memset(&in, 0, sizeof(in));

    do {
        n = fread(torii_buf_room(&in, TORII_SOURCE_READ), 1, TORII_SOURCE_READ,
                  stdin);
        in.len += n;

    } while (n && in.len <= torii_tree_limits.bytes);

    if (ferror(stdin)) {
        fprintf(stderr, "torii: cannot read standard input: %s\n",
                strerror(errno));
        torii_buf_free(&in);
        return TORII_EXIT_USAGE;
    }

    text.len = in.len;
    text.data = in.data;
    text = torii_arena_str(s->arena, text);

    torii_buf_free(&in);

    torii_source_decode(s, text);

    return TORII_EXIT_OK;
}


static void
torii_source_decode(torii_source_t *s, torii_str_t text)
{
    uint32_t              i, n;
    torii_str_t           none;
    torii_node_t        **docs;
    ingress_finding_t    *f, *found;
    torii_tree_error_t    error;

    static const torii_str_t  name = torii_string("stdin");
    static const torii_str_t  kind = torii_string("File");

    memset(&none, 0, sizeof(none));

    if (torii_tree_yaml(s->arena, text, &torii_tree_limits, &docs, &n, &error)
        != TORII_OK)
    {
        f = ingress_finding_add(&s->files, INGRESS_ERROR, "ParseError", none,
                                none, "%s", error.text);
        f->kind = kind;
        f->name = name;
        f->file = name;
        f->line = error.line;
        f->column = error.column;
        return;
    }

    for (i = 0; i < n; i++) {
        found = NULL;

        ingress_object_decode(s->arena, docs[i], name, torii_source_add, s,
                              &found);

        for ( /* void */ ; found; found = found->next) {
            ingress_finding_copy(&s->files, found);
        }
    }
}


static void
torii_source_add(void *data, ingress_object_t *object)
{
    torii_source_t  *s = data;

    (void) ingress_store_set(s->store, object);
}


static void
torii_source_compile(torii_source_t *s)
{
    uint32_t                  i;
    const ingress_finding_t  *f;

    for (i = 0; i < s->nfolders; i++) {
        for (f = ingress_folder_findings(s->folders[i]); f; f = f->next) {
            ingress_finding_copy(&s->files, f);
        }
    }

    ingress_compile(s->store, &s->options, time(NULL), s->files.first,
                    &s->findings, &s->bytes);
}
