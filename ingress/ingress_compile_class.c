
/*
 * Which Ingresses are served: by class, namespace, and whether they go away.
 */

#include "ingress_compile.h"


#define INGRESS_CLASS_ANNOTATION  "kubernetes.io/ingress.class"


static int ingress_class_served(ingress_compile_t *c, ingress_item_t *e);
static int ingress_class_ours(ingress_compile_t *c, torii_str_t name);
static int ingress_class_named(const ingress_options_t *options,
    torii_str_t name);
static int ingress_class_controlled(const ingress_options_t *options,
    torii_str_t controller);
static void ingress_class_finding(ingress_compile_t *c, ingress_item_t *e,
    torii_str_t name, const char *field, int rc);


#define INGRESS_CLASS_OURS     1
#define INGRESS_CLASS_FOREIGN  0
#define INGRESS_CLASS_UNKNOWN  -1


void
ingress_compile_classes(ingress_compile_t *c)
{
    uint32_t                  i;
    uint64_t                  hash;
    const ingress_options_t  *options;

    options = c->options;

    hash = torii_hash(options->watch_namespace.data,
                      options->watch_namespace.len, options->all);

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
    int                       rc;
    torii_str_t               name;
    const char               *field;
    const ingress_object_t   *o;
    const ingress_pair_t     *pair;
    const ingress_options_t  *options;

    o = e->active;
    options = c->options;

    if (o->deleting
        || (options->watch_namespace.len
            && !torii_str_eq(options->watch_namespace, o->namespace)))
    {
        return 0;
    }

    if (o->u.ingress.has_class_name) {
        name = o->u.ingress.class_name;
        field = "spec.ingressClassName";

        if (!c->class_known || !torii_str_eq(c->class_name, name)) {
            c->class_rc = ingress_class_ours(c, name);
            c->class_name = name;
            c->class_known = 1;
        }

        rc = c->class_rc;

    } else {
        pair = ingress_pair_find(&o->annotations, INGRESS_CLASS_ANNOTATION);

        if (pair == NULL) {
            if (options->all) {
                return 1;
            }

            name.len = 0;
            name.data = NULL;
            field = "spec.ingressClassName";
            rc = INGRESS_CLASS_UNKNOWN;

        } else {
            name = pair->value;
            field = INGRESS_CLASS_ANNOTATION;

            rc = ingress_class_named(options, name) ? INGRESS_CLASS_OURS
                                                    : INGRESS_CLASS_FOREIGN;
            if (options->all && rc != INGRESS_CLASS_OURS) {
                rc = (ingress_class_ours(c, name) == INGRESS_CLASS_FOREIGN)
                     ? INGRESS_CLASS_FOREIGN : INGRESS_CLASS_OURS;
            }
        }
    }

    if (rc == INGRESS_CLASS_OURS) {
        return 1;
    }

    ingress_class_finding(c, e, name, field, rc);

    return 0;
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
