
/*
 * Admission: whether an Ingress is ours, and its annotations.
 */

#include "ingress_admit.h"


#define INGRESS_ADMIT_CLASS        "kubernetes.io/ingress.class"

/* As Kubernetes has it; more would cost a worker's time, too. */
#define INGRESS_ADMIT_ANNOTATIONS  (256 * 1024)


static int ingress_admit_namespace(const ingress_table_t *t,
    torii_str_t namespace);
static unsigned ingress_admit_class(const ingress_table_t *t,
    torii_str_t name);
static void ingress_admit_annotations(ingress_admit_t *a);


int
ingress_admit_ours(const ingress_table_t *t, const ingress_object_t *o)
{
    unsigned               flags;
    const ingress_pair_t  *pair;

    if (o->deleting || !ingress_admit_namespace(t, o->namespace)) {
        return 0;
    }

    if (o->u.ingress.has_class_name) {
        flags = ingress_admit_class(t, o->u.ingress.class_name);

        if (flags & INGRESS_TABLE_CLASS_FIELD) {
            return 1;
        }

    } else {
        pair = ingress_pair_find(&o->annotations, INGRESS_ADMIT_CLASS);
        flags = pair ? ingress_admit_class(t, pair->value) : 0;

        if (flags & INGRESS_TABLE_CLASS_ANNOTATION) {
            return 1;
        }
    }

    return (t->header->flags & INGRESS_TABLE_ALL)
           && !(flags & INGRESS_TABLE_CLASS_FOREIGN);
}


static int
ingress_admit_namespace(const ingress_table_t *t, torii_str_t namespace)
{
    torii_str_t  watched, name;

    watched = ingress_table_str(t, t->header->watch_namespace);

    if (watched.len == 0) {
        return 1;
    }

    while (torii_str_next(&watched, ",", &name)) {
        if (name.len && torii_str_eq(name, namespace)) {
            return 1;
        }
    }

    return 0;
}


/* A name may be there twice: as the operator gave it, and as a class. */

static unsigned
ingress_admit_class(const ingress_table_t *t, torii_str_t name)
{
    uint32_t                      i, n;
    unsigned                      flags;
    torii_str_t                   list;
    const ingress_table_class_t  *class;

    list = ingress_table_str(t, t->header->classes);

    class = (const ingress_table_class_t *) list.data;
    n = list.len / sizeof(ingress_table_class_t);
    flags = 0;

    for (i = 0; i < n; i++) {
        if (torii_str_eq(ingress_table_str(t, class[i].name), name)) {
            flags |= class[i].flags;
        }
    }

    return flags;
}


void
ingress_admit_object(ingress_admit_t *a)
{
    size_t                    size;
    uint32_t                  i;
    const ingress_pairs_t    *pairs;
    const ingress_finding_t  *f;

    for (f = a->o->findings; f; f = f->next) {
        ingress_finding_copy(&a->findings, f);
    }

    pairs = &a->o->annotations;
    size = 0;

    for (i = 0; i < pairs->n; i++) {
        size += pairs->elts[i].name.len + pairs->elts[i].value.len;
    }

    if (size > INGRESS_ADMIT_ANNOTATIONS) {
        (void) ingress_finding_add(&a->findings, INGRESS_ERROR,
                                   "InvalidAnnotation",
                                   torii_str("metadata.annotations"),
                                   (torii_str_t) torii_null_string,
                                   "are larger than 256 KiB");
        return;
    }

    ingress_admit_annotations(a);
    ingress_admit_paths(a);

    ingress_annotations_free(&a->annotations);
}


/* The ConfigMap's defaults are not in the table, and decide nothing here. */

static void
ingress_admit_annotations(ingress_admit_t *a)
{
    ingress_config_t  *config;

    config = ingress_config_parse(NULL, NULL);
    config->cross_namespace = (a->t->header->flags & INGRESS_TABLE_CROSS) != 0;

    /* that there is a login is enough to know, whatever it is */

    if (a->t->header->flags & INGRESS_TABLE_LOGIN) {
        config->login.asked = INGRESS_LOGIN_BY_CONFIG;
    }

    ingress_annotations_parse(&a->annotations, a->o, config, &a->findings);

    ingress_config_free(config);
}
