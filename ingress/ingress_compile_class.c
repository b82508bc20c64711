
/*
 * Which Ingresses are served: by class, namespace, and whether they go away.
 */

#include "ingress_compile.h"


#define INGRESS_CLASS_ANNOTATION  "kubernetes.io/ingress.class"


typedef struct {
    const ingress_selector_t  *selector;
    torii_buf_t               *list;
} ingress_namespaces_t;


static int ingress_class_served(ingress_compile_t *c, ingress_item_t *e);
static torii_str_t ingress_class_namespaces(ingress_compile_t *c,
    torii_buf_t *list);
static void ingress_class_namespace(void *data, ingress_object_t *o);
static int ingress_class_judge(ingress_compile_t *c, ingress_item_t *e,
    torii_str_t *name, const char **field);
static int ingress_class_ours(ingress_compile_t *c, torii_str_t name);
static int ingress_class_named(const ingress_options_t *options,
    torii_str_t name);
static int ingress_class_controlled(const ingress_options_t *options,
    torii_str_t controller);
static void ingress_class_finding(ingress_compile_t *c, ingress_item_t *e,
    torii_str_t name, const char *field, int rc);
static void ingress_class_names(ingress_compile_t *c);
static void ingress_class_visit(void *data, ingress_object_t *o);
static void ingress_class_name(ingress_store_t *store, torii_str_t name,
    unsigned flags);


#define INGRESS_CLASS_OURS     1
#define INGRESS_CLASS_FOREIGN  0
#define INGRESS_CLASS_UNKNOWN  -1
#define INGRESS_CLASS_APART    -2    /* of whatever class */


void
ingress_compile_classes(ingress_compile_t *c)
{
    uint32_t                  i;
    uint64_t                  hash;
    torii_str_t               namespaces;
    const ingress_options_t  *options;

    options = c->options;

    hash = torii_hash(options->watch_namespace.data,
                      options->watch_namespace.len, options->all);

    if (options->selector) {
        namespaces = ingress_selector_text(options->selector);
        hash = torii_hash(namespaces.data, namespaces.len, hash + 3);
    }

    for (i = 0; i < options->nclasses; i++) {
        hash = torii_hash(options->classes[i].data, options->classes[i].len,
                          hash + 1);
    }

    for (i = 0; i < options->ncontrollers; i++) {
        hash = torii_hash(options->controllers[i].data,
                          options->controllers[i].len, hash + 2);
    }

    hash |= 1;

    if (c->store->options != hash) {
        c->store->options = hash;
        c->store->classes++;

        ingress_class_names(c);
    }
}


/* What is not served is told of each time, so only the rest is remembered. */

int
ingress_compile_served(ingress_compile_t *c, ingress_item_t *e)
{
    if (e->u.ingress.classes != c->store->classes) {
        e->u.ingress.classes = c->store->classes;
        e->u.ingress.served = 0;
    }

    if (!e->u.ingress.served) {
        e->u.ingress.served = ingress_class_served(c, e);
    }

    return e->u.ingress.served;
}


static int
ingress_class_served(ingress_compile_t *c, ingress_item_t *e)
{
    int           rc;
    torii_str_t   name;
    const char   *field;

    rc = ingress_class_judge(c, e, &name, &field);

    if (rc == INGRESS_CLASS_OURS) {
        return 1;
    }

    if (rc != INGRESS_CLASS_APART) {
        ingress_class_finding(c, e, name, field, rc);

    } else if (c->options->explain && !e->active->deleting) {
        ingress_compile_finding(c, INGRESS_INFO, "NamespaceNotServed", e, 0,
                                "metadata.namespace", e->namespace,
                                "the namespace is not one of those that are "
                                "watched, so the Ingress is not served");
    }

    return 0;
}


int
ingress_compile_ours(ingress_compile_t *c, ingress_item_t *e)
{
    torii_str_t   name;
    const char   *field;

    return ingress_class_judge(c, e, &name, &field) == INGRESS_CLASS_OURS;
}


int
ingress_compile_namespace(ingress_compile_t *c, torii_str_t namespace)
{
    torii_str_t               none;
    ingress_object_t         *o;
    const ingress_options_t  *options;

    options = c->options;

    if (options->selector == NULL) {
        return options->watch_namespace.len == 0
               || torii_str_eq(options->watch_namespace, namespace);
    }

    none.len = 0;
    none.data = (unsigned char *) "";

    o = ingress_store_get(c->store, INGRESS_KIND_NAMESPACE, none, namespace);

    return o != NULL && ingress_selector_matches(options->selector,
                                                 &o->labels);
}


/* name and field: what decided. */

static int
ingress_class_judge(ingress_compile_t *c, ingress_item_t *e,
    torii_str_t *name, const char **field)
{
    int                       rc;
    const ingress_object_t   *o;
    const ingress_pair_t     *pair;
    const ingress_options_t  *options;

    o = e->active;
    options = c->options;

    if (o->deleting || !ingress_compile_namespace(c, o->namespace)) {
        return INGRESS_CLASS_APART;
    }

    if (o->u.ingress.has_class_name) {
        *name = o->u.ingress.class_name;
        *field = "spec.ingressClassName";

        if (!c->class_known || !torii_str_eq(c->class_name, *name)) {
            c->class_rc = ingress_class_ours(c, *name);
            c->class_name = *name;
            c->class_known = 1;
        }

        rc = c->class_rc;

    } else {
        pair = ingress_pair_find(&o->annotations, INGRESS_CLASS_ANNOTATION);

        if (pair == NULL) {
            if (options->all) {
                return INGRESS_CLASS_OURS;
            }

            name->len = 0;
            name->data = NULL;
            *field = "spec.ingressClassName";
            rc = INGRESS_CLASS_UNKNOWN;

        } else {
            *name = pair->value;
            *field = INGRESS_CLASS_ANNOTATION;

            rc = ingress_class_named(options, *name) ? INGRESS_CLASS_OURS
                                                     : INGRESS_CLASS_FOREIGN;
            if (options->all && rc != INGRESS_CLASS_OURS) {
                rc = (ingress_class_ours(c, *name) == INGRESS_CLASS_FOREIGN)
                     ? INGRESS_CLASS_FOREIGN : INGRESS_CLASS_OURS;
            }
        }
    }

    return rc;
}


/*
 * A class is ours by its name if the operator said so, or by the controller of
 * its IngressClass.  Where everything is served, only a class that plainly
 * belongs to another controller is left to it.
 */

static int
ingress_class_ours(ingress_compile_t *c, torii_str_t name)
{
    torii_str_t               none;
    ingress_object_t         *class;
    const ingress_options_t  *options;

    options = c->options;

    if (options->nclasses && ingress_class_named(options, name)) {
        return INGRESS_CLASS_OURS;
    }

    none.len = 0;
    none.data = (unsigned char *) "";

    class = ingress_store_get(c->store, INGRESS_KIND_CLASS, none, name);

    if (class == NULL) {
        return options->all ? INGRESS_CLASS_OURS : INGRESS_CLASS_UNKNOWN;
    }

    if (options->nclasses && options->ncontrollers == 0) {
        return INGRESS_CLASS_FOREIGN;
    }

    return ingress_class_controlled(options, class->u.class.controller)
           ? INGRESS_CLASS_OURS : INGRESS_CLASS_FOREIGN;
}


static int
ingress_class_named(const ingress_options_t *options, torii_str_t name)
{
    uint32_t  i;

    for (i = 0; i < options->nclasses; i++) {
        if (torii_str_eq(options->classes[i], name)) {
            return 1;
        }
    }

    return options->nclasses == 0 && torii_str_eqs(name, "nginx");
}


static int
ingress_class_controlled(const ingress_options_t *options,
    torii_str_t controller)
{
    uint32_t  i;

    for (i = 0; i < options->ncontrollers; i++) {
        if (torii_str_eq(options->controllers[i], controller)) {
            return 1;
        }
    }

    return options->ncontrollers == 0
           && torii_str_eqs(controller, "k8s.io/ingress-nginx");
}


/*
 * In a cluster with several controllers an Ingress of another one is nothing
 * to tell about; one that may be nobody's is.
 */

static void
ingress_class_finding(ingress_compile_t *c, ingress_item_t *e,
    torii_str_t name, const char *field, int rc)
{
    if (rc == INGRESS_CLASS_UNKNOWN && name.len) {
        ingress_compile_finding(c, INGRESS_INFO, "ClassUnknown", e, 0, field,
                                name, "there is no IngressClass \"%.*s\", so "
                                "the Ingress is not served",
                                torii_str_arg(name));

    } else if (rc == INGRESS_CLASS_UNKNOWN) {
        ingress_compile_finding(c, INGRESS_INFO, "ClassMissing", e, 0, field,
                                name, "the Ingress has no class, so it is not "
                                "served");

    } else if (c->options->all || c->options->nclasses) {
        ingress_compile_finding(c, INGRESS_INFO, "ClassForeign", e, 0, field,
                                name, "class \"%.*s\" belongs to another "
                                "controller, so the Ingress is not served",
                                torii_str_arg(name));
    }
}


/* Classes are few, and change less often than a table is made. */

static void
ingress_class_names(ingress_compile_t *c)
{
    uint32_t                  i;
    const ingress_options_t  *options;

    options = c->options;
    c->store->class_names.len = 0;

    for (i = 0; i < options->nclasses; i++) {
        ingress_class_name(c->store, options->classes[i],
                           INGRESS_TABLE_CLASS_FIELD
                           | INGRESS_TABLE_CLASS_ANNOTATION);
    }

    if (options->nclasses == 0) {
        ingress_class_name(c->store, torii_str("nginx"),
                           INGRESS_TABLE_CLASS_ANNOTATION);
    }

    ingress_store_each(c->store, INGRESS_KIND_CLASS, ingress_class_visit, c);
}


static void
ingress_class_visit(void *data, ingress_object_t *o)
{
    ingress_compile_t  *c;

    c = data;

    ingress_class_name(c->store, o->name,
                       ingress_class_ours(c, o->name) == INGRESS_CLASS_OURS
                       ? INGRESS_TABLE_CLASS_FIELD
                       : INGRESS_TABLE_CLASS_FOREIGN);
}


static void
ingress_class_name(ingress_store_t *store, torii_str_t name, unsigned flags)
{
    unsigned char  byte;

    byte = (unsigned char) flags;

    torii_buf_add(&store->class_names, &byte, 1);
    torii_buf_add_str(&store->class_names, name);
    torii_buf_add(&store->class_names, "", 1);
}


void
ingress_compile_admission(ingress_compile_t *c, ingress_table_header_t *h)
{
    size_t                    len;
    torii_str_t               namespaces;
    torii_buf_t               list;
    unsigned char            *p, *last;
    const ingress_options_t  *options;
    ingress_table_class_t     class;

    options = c->options;

    memset(&list, 0, sizeof(torii_buf_t));
    memset(&class, 0, sizeof(ingress_table_class_t));

    p = c->store->class_names.data;
    last = p + c->store->class_names.len;

    while (p < last) {
        len = strlen((char *) p + 1);

        class.flags = p[0];
        class.name = ingress_writer_pool(c->w, p + 1, len);
        p += len + 2;

        torii_buf_add(&list, &class, sizeof(ingress_table_class_t));
    }

    h->classes = ingress_writer_pool(c->w, list.data, list.len);

    list.len = 0;
    namespaces = ingress_class_namespaces(c, &list);

    h->watch_namespace = ingress_writer_pool(c->w, namespaces.data,
                                             namespaces.len);

    h->flags = (options->all ? INGRESS_TABLE_ALL : 0)
               | (c->config->strict_path_type ? INGRESS_TABLE_STRICT : 0)
               | (c->config->cross_namespace ? INGRESS_TABLE_CROSS : 0)
               | (c->config->login.asked ? INGRESS_TABLE_LOGIN : 0);

    torii_buf_free(&list);
}


/* Those that are selected, with a comma in front of each; "," if none is. */

static torii_str_t
ingress_class_namespaces(ingress_compile_t *c, torii_buf_t *list)
{
    torii_str_t           names;
    ingress_namespaces_t  data;

    if (c->options->selector == NULL) {
        return c->options->watch_namespace;
    }

    data.selector = c->options->selector;
    data.list = list;

    ingress_store_each(c->store, INGRESS_KIND_NAMESPACE,
                       ingress_class_namespace, &data);

    if (list->len == 0) {
        torii_buf_adds(list, ",");
    }

    names.data = list->data;
    names.len = list->len;

    return names;
}


static void
ingress_class_namespace(void *data, ingress_object_t *o)
{
    ingress_namespaces_t  *names;

    names = data;

    if (ingress_selector_matches(names->selector, &o->labels)) {
        torii_buf_adds(names->list, ",");
        torii_buf_add_str(names->list, o->name);
    }
}
