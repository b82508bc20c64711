
/*
 * Files of certificates that no object has named for a month go, once a day's
 * look has seen that for so long: beside each lies a file that tells since when
 * nobody names it.
 */

#include "ngx_torii_acme.h"
#include "ngx_torii_file.h"


#define NGX_TORII_SWEEP_EVERY  86400         /* s */
#define NGX_TORII_SWEEP_LIFE   (30 * 86400)
#define NGX_TORII_SWEEP_MARK   ".old"        /* as long as ".pem" */


typedef struct {
    torii_str_t              id;             /* "namespace/secret" */
    uint64_t                 since;          /* s, of a mark */
} ngx_torii_sweep_file_t;


typedef struct {
    ngx_torii_sweep_file_t  *elts;           /* sorted */
    ngx_uint_t               n;
    ngx_uint_t               size;
} ngx_torii_sweep_list_t;


typedef struct {
    ngx_torii_acme_t        *acme;
    torii_arena_t           *arena;
    ngx_torii_sweep_list_t   named;          /* by objects */
    ngx_torii_sweep_list_t   files;
    ngx_torii_sweep_list_t   marks;
} ngx_torii_sweep_t;


static void ngx_torii_sweep_wanted(void *data, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name);
static void ngx_torii_sweep_found(void *ctx, torii_str_t name,
    torii_str_t data);
static void ngx_torii_sweep_unnamed(ngx_torii_sweep_t *s, torii_str_t id);
static void ngx_torii_sweep_remove(ngx_torii_sweep_t *s, torii_str_t id,
    const char *end);
static ngx_torii_sweep_file_t *ngx_torii_sweep_add(ngx_torii_sweep_t *s,
    ngx_torii_sweep_list_t *list, torii_str_t id);
static void ngx_torii_sweep_sort(ngx_torii_sweep_list_t *list);
static ngx_torii_sweep_file_t *ngx_torii_sweep_find(
    const ngx_torii_sweep_list_t *list, torii_str_t id);


void
ngx_torii_sweep(ngx_torii_acme_t *a)
{
    ngx_uint_t               i;
    ngx_torii_sweep_t        s;
    ngx_torii_sweep_file_t  *f;

    if (a->keeper != &ngx_torii_acme_folder || a->looked == 0
        || ngx_time() < a->sweep)
    {
        return;
    }

    a->sweep = ngx_time() + NGX_TORII_SWEEP_EVERY;

    ngx_memzero(&s, sizeof(ngx_torii_sweep_t));
    s.acme = a;
    s.arena = torii_arena_create(16384);

    for (i = 0; i < a->n; i++) {
        (void) ngx_torii_sweep_add(&s, &s.named, a->wanted[i].id);
    }

    ingress_store_wanted(a->helper->store, &a->helper->options,
                         ngx_torii_sweep_wanted, &s);
    ngx_torii_file_each(&a->certificates, ngx_torii_sweep_found, &s, a->log);

    ngx_torii_sweep_sort(&s.named);
    ngx_torii_sweep_sort(&s.files);
    ngx_torii_sweep_sort(&s.marks);

    for (i = 0; i < s.marks.n; i++) {
        f = &s.marks.elts[i];

        if (ngx_torii_sweep_find(&s.named, f->id)
            || !ngx_torii_sweep_find(&s.files, f->id))
        {
            ngx_torii_sweep_remove(&s, f->id, NGX_TORII_SWEEP_MARK);
        }
    }

    for (i = 0; i < s.files.n; i++) {
        f = &s.files.elts[i];

        if (!ngx_torii_sweep_find(&s.named, f->id)) {
            ngx_torii_sweep_unnamed(&s, f->id);
        }
    }

    free(s.named.elts);
    free(s.files.elts);
    free(s.marks.elts);
    torii_arena_destroy(s.arena);
}


static void
ngx_torii_sweep_wanted(void *data, ingress_kind_e kind, torii_str_t namespace,
    torii_str_t name)
{
    ngx_torii_sweep_t *s = data;

    if (kind == INGRESS_KIND_SECRET) {
        (void) ngx_torii_sweep_add(s, &s->named,
                                   torii_arena_printf(s->arena, "%.*s/%.*s",
                                                      torii_str_arg(namespace),
                                                      torii_str_arg(name)));
    }
}


static void
ngx_torii_sweep_found(void *ctx, torii_str_t name, torii_str_t data)
{
    ngx_torii_sweep_t *s = ctx;

    torii_str_t              id, end;
    ngx_torii_sweep_file_t  *f;

    if (name.len < 5) {
        return;
    }

    id.data = name.data;
    id.len = name.len - 4;
    end.data = name.data + id.len;
    end.len = 4;

    if (torii_str_eqs(end, ".pem")) {
        (void) ngx_torii_sweep_add(s, &s->files, id);

    } else if (torii_str_eqs(end, NGX_TORII_SWEEP_MARK)) {
        f = ngx_torii_sweep_add(s, &s->marks, id);

        if (torii_str_uint(torii_str_trim(data), INT64_MAX, &f->since)
            != TORII_OK)
        {
            f->since = 0;
        }
    }
}


/* What says no time, or one to come, is written anew. */

static void
ngx_torii_sweep_unnamed(ngx_torii_sweep_t *s, torii_str_t id)
{
    time_t                   now;
    torii_str_t              text, name, namespace;
    ngx_torii_acme_t        *a;
    ngx_torii_sweep_file_t  *mark;

    a = s->acme;
    now = ngx_time();
    mark = ngx_torii_sweep_find(&s->marks, id);

    if (mark == NULL || mark->since == 0 || mark->since > (uint64_t) now) {
        name = torii_arena_printf(s->arena, "%.*s" NGX_TORII_SWEEP_MARK,
                                  torii_str_arg(id));
        text = torii_arena_printf(s->arena, "%llu\n",
                                  (unsigned long long) now);

        (void) ngx_torii_file_write(&a->certificates, name, text, 0, a->log);
        return;
    }

    if (mark->since + NGX_TORII_SWEEP_LIFE > (uint64_t) now) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, a->log, 0,
                  "torii: certificate \"%*s\" is removed: no object has named "
                  "it for 30 days", id.len, id.data);

    ngx_torii_sweep_remove(s, id, ".pem");
    ngx_torii_sweep_remove(s, id, NGX_TORII_SWEEP_MARK);

    name = id;
    (void) torii_str_next(&name, "/", &namespace);

    (void) ingress_store_remove(a->helper->store, INGRESS_KIND_SECRET,
                                namespace, name, torii_str(""));
}


static void
ngx_torii_sweep_remove(ngx_torii_sweep_t *s, torii_str_t id, const char *end)
{
    torii_str_t  name;

    name = torii_arena_printf(s->arena, "%.*s%s", torii_str_arg(id), end);

    (void) ngx_torii_file_remove(&s->acme->certificates, name, s->acme->log);
}


static ngx_torii_sweep_file_t *
ngx_torii_sweep_add(ngx_torii_sweep_t *s, ngx_torii_sweep_list_t *list,
    torii_str_t id)
{
    ngx_torii_sweep_file_t  *f;

    if (list->n == list->size) {
        list->size = list->size ? 2 * list->size : 64;
        list->elts = torii_realloc(list->elts,
                                   list->size * sizeof(ngx_torii_sweep_file_t));
    }

    f = &list->elts[list->n++];
    f->id = torii_arena_str(s->arena, id);
    f->since = 0;

    return f;
}


static int ngx_libc_cdecl
ngx_torii_sweep_cmp(const void *one, const void *two)
{
    const ngx_torii_sweep_file_t  *a, *b;

    a = one;
    b = two;

    return torii_str_cmp(a->id, b->id);
}


static void
ngx_torii_sweep_sort(ngx_torii_sweep_list_t *list)
{
    if (list->n) {
        qsort(list->elts, list->n, sizeof(ngx_torii_sweep_file_t),
              ngx_torii_sweep_cmp);
    }
}


static ngx_torii_sweep_file_t *
ngx_torii_sweep_find(const ngx_torii_sweep_list_t *list, torii_str_t id)
{
    ngx_torii_sweep_file_t  key;

    key.id = id;

    return list->n ? bsearch(&key, list->elts, list->n,
                             sizeof(ngx_torii_sweep_file_t),
                             ngx_torii_sweep_cmp)
                   : NULL;
}
