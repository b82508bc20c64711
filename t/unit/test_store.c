
/*
 * The store: which object counts, what a change is, and that a table depends
 * on the objects alone, not on the way they came.
 */

#include "tap.h"
#include "world_make.h"


#define TEST_PIECES  40
#define TEST_STEPS   300

typedef struct {
    char      text[1024];
    uint32_t  n;
} test_list_t;


static void
test_visit(void *data, ingress_object_t *o)
{
    test_list_t  *list;

    list = data;
    list->n++;

    snprintf(list->text + strlen(list->text),
             sizeof(list->text) - strlen(list->text), "%.*s/%.*s ",
             torii_str_arg(o->namespace), torii_str_arg(o->name));
}


static void
test_name(void *data, torii_str_t name)
{
    test_list_t  *list;

    list = data;
    list->n++;

    snprintf(list->text + strlen(list->text),
             sizeof(list->text) - strlen(list->text), "%.*s ",
             torii_str_arg(name));
}


static void
test_set(void)
{
    world_t            w;
    torii_str_t        d, i, one, two;
    test_list_t        list;
    ingress_object_t  *o;

    d = torii_str("d");
    i = torii_str("i");
    one = torii_str("1.yaml");
    two = torii_str("2.yaml");

    world_start(&w);

    w.file = "2.yaml";
    world_add(&w, "ingress d/i 1\nrule two.example Prefix / a:1\n");
    tap_ok(w.changed == 1, "a new object is a change");

    world_add(&w, "ingress d/i 1\nrule two.example Prefix / a:1\n");
    tap_ok(w.changed == 0, "the same object is none");

    world_add(&w, "\n\ningress d/i 1\nrule two.example Prefix /x a:1\n");
    tap_ok(w.changed == 1, "another path is one");

    w.file = "1.yaml";
    world_add(&w, "ingress d/i 1\nrule one.example Prefix / a:1\n");
    tap_ok(w.changed == 1, "the first file by name counts");

    o = ingress_store_get(w.store, INGRESS_KIND_INGRESS, d, i);
    tap_ok(o && torii_str_eqs(o->u.ingress.rules[0].host, "one.example"),
           "its object is the active one");
    tap_ok(ingress_store_count(w.store, INGRESS_KIND_INGRESS) == 1,
           "it is one object");

    world_compile(&w);
    tap_ok(world_finding(&w, "DuplicateObject")
           && torii_str_eq(world_finding(&w, "DuplicateObject")->file, two),
           "the other is a finding in its file");

    w.file = "3.yaml";
    world_add(&w, "ingress d/i 1\nrule three.example Prefix / a:1\n");
    tap_ok(w.changed == 0, "a later file changes nothing");

    tap_ok(ingress_store_remove(w.store, INGRESS_KIND_INGRESS, d, i,
                                torii_str("3.yaml")) == 0,
           "nor does its removal");

    tap_ok(ingress_store_remove(w.store, INGRESS_KIND_INGRESS, d, i, one)
           == 1, "removal of the first one does");

    o = ingress_store_get(w.store, INGRESS_KIND_INGRESS, d, i);
    tap_ok(o && torii_str_eqs(o->u.ingress.rules[0].host, "two.example"),
           "the second file's counts then");

    world_compile(&w);
    tap_ok(world_finding(&w, "DuplicateObject") == NULL,
           "and is no duplicate any more");

    tap_ok(ingress_store_remove(w.store, INGRESS_KIND_INGRESS, d, i, one)
           == 0, "removed already");
    tap_ok(ingress_store_remove(w.store, INGRESS_KIND_INGRESS, d, i, two)
           == 1, "removal of the last one");
    tap_ok(ingress_store_get(w.store, INGRESS_KIND_INGRESS, d, i) == NULL
           && ingress_store_count(w.store, INGRESS_KIND_INGRESS) == 0,
           "nothing is left");

    w.file = "";
    world_add(&w, "service b/x :80\nservice a/z :80\nservice a/y :80\n"
              "service a-b/c :80\n");

    memset(&list, 0, sizeof(test_list_t));
    ingress_store_each(w.store, INGRESS_KIND_SERVICE, test_visit, &list);
    tap_ok(strcmp(list.text, "a/y a/z a-b/c b/x ") == 0,
           "objects are visited in order: %s", list.text);

    world_end(&w);
}


static void
test_names(void)
{
    world_t        w;
    test_list_t    list;
    const uint8_t  addr[1][16] = {
        { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 9 }
    };

    world_start(&w);
    world_add(&w, "ingress d/i 1\nrule a.example Prefix / one:80\n"
              "rule a.example Prefix /x two:80\n"
              "rule a.example Prefix /z literal:80\n"
              "ingress d/j 1\ndefault three:80\n"
              "service d/one\nexternal Out.Example.\n"
              "service d/two\nexternal out.example\n"
              "service d/three\nexternal third.example\n"
              "service d/four\nexternal fourth.example\n"
              "service d/literal\nexternal 192.0.2.1\n");

    memset(&list, 0, sizeof(test_list_t));
    ingress_store_names(w.store, test_name, &list);

    tap_ok(list.n == 2 && strstr(list.text, "out.example ")
           && strstr(list.text, "third.example "),
           "names are asked for once, before any compile: %s", list.text);

    ingress_store_resolved(w.store, torii_str("out.example"), addr, 1);
    world_compile(&w);
    tap_ok(w.t.header->sections[INGRESS_SECTION_ENDPOINTS].n == 3,
           "both Services have the address");

    ingress_store_remove(w.store, INGRESS_KIND_INGRESS, torii_str("d"),
                         torii_str("i"), torii_str(""));
    world_compile(&w);

    memset(&list, 0, sizeof(test_list_t));
    ingress_store_names(w.store, test_name, &list);

    tap_ok(strcmp(list.text, "third.example ") == 0,
           "a name that no Ingress leads to is not asked for: %s", list.text);

    tap_ok(ingress_store_resolved(w.store, torii_str("out.example"), addr, 1)
           == 1, "and is forgotten");

    tap_ok(ingress_store_resolved(w.store, torii_str("not a name"), addr, 1)
           == 0, "what is no name is refused");

    world_end(&w);
}


/* An object out of few names, so that they meet in every way. */

static void
test_piece(char *buf, size_t size, unsigned seed)
{
    unsigned     a, b, c;
    const char  *type;

    a = seed * 2654435761U >> 7;
    b = seed * 40503U >> 3;
    c = seed * 2246822519U >> 11;
    type = (c & 1) ? "Prefix" : "Exact";

    switch (seed % 5) {

    case 0:
    case 1:
    case 2:
        snprintf(buf, size, "ingress n%u/i%u %u\n"
                 "note proxy-body-size %um\n%s%s%s"
                 "rule h%u.example %s /p%u s%u:80\n"
                 "rule h%u.example Prefix /p%u/ s%u:http\n",
                 a % 2, b % 6, c % 4, a % 3,
                 b % 7 == 0 ? "note use-regex true\n" : "",
                 c % 5 == 0 ? "default s1:80\n" : "",
                 a % 5 == 0 ? "note server-alias h3.example,x.example\n" : "",
                 a % 4, type, b % 4, c % 4, c % 4, a % 4, b % 4);
        break;

    case 3:
        snprintf(buf, size, "service n%u/s%u http:80:%u\n", a % 2, b % 4,
                 c % 3 + 8080);
        break;

    default:
        snprintf(buf, size, "slice n%u/e%u s%u http:80 10.0.0.%u %s10.0.1.%u\n",
                 a % 2, b % 6, c % 4, b % 3, c % 3 == 0 ? "!" : "", a % 3);
        break;
    }
}


static int
test_same(world_t *a, world_t *b)
{
    return world_compile(a) == TORII_OK && world_compile(b) == TORII_OK
           && a->out.len == b->out.len
           && memcmp(a->out.data, b->out.data, a->out.len) == 0;
}


static void
test_order(void)
{
    char      buf[TEST_PIECES][512];
    world_t   a, b;
    unsigned  i, k, same;

    same = 0;

    for (k = 0; k < 50; k++) {
        world_start(&a);
        world_start(&b);

        for (i = 0; i < TEST_PIECES; i++) {
            test_piece(buf[i], sizeof(buf[i]), k * 1000 + i * 7);
        }

        for (i = 0; i < TEST_PIECES; i++) {
            a.file = b.file = "";
            world_add(&a, buf[i]);
        }

        /* the last of a name is in force, so that one has to come last */

        for (i = 0; i < TEST_PIECES; i++) {
            world_add(&b, buf[TEST_PIECES - 1 - i]);
            world_compile(&b);
        }

        for (i = 0; i < TEST_PIECES; i++) {
            world_add(&b, buf[i]);
        }

        same += test_same(&a, &b);

        world_end(&a);
        world_end(&b);
    }

    tap_ok(same == 50, "the order of coming makes no difference: %u of 50",
           same);
}


/* A store that changes step by step against one made anew. */

static void
test_steps(void)
{
    char          buf[512], line[64];
    char        **log;
    world_t       a, b;
    unsigned      i, k, n, same, removed;
    torii_str_t   namespace, name;

    log = torii_zalloc(TEST_STEPS * sizeof(char *));
    same = 0;
    n = 0;

    world_start(&a);

    for (i = 0; i < TEST_STEPS; i++) {
        test_piece(buf, sizeof(buf), i * 31 + 5);

        removed = (i % 7 == 6);

        if (removed) {
            snprintf(line, sizeof(line), "n%u", i / 7 % 2);
            namespace = torii_str(line);
            name = torii_str(i % 2 ? "i3" : "s1");

            (void) ingress_store_remove(a.store,
                                        i % 2 ? INGRESS_KIND_INGRESS
                                              : INGRESS_KIND_SERVICE,
                                        namespace, name, torii_str(""));
        } else {
            world_add(&a, buf);
        }

        log[i] = removed ? NULL : strdup(buf);

        if (i % 10 != 9) {
            if (i % 3 == 0) {
                world_compile(&a);
            }

            continue;
        }

        world_start(&b);

        for (k = 0; k <= i; k++) {
            if (log[k]) {
                world_add(&b, log[k]);
                continue;
            }

            snprintf(line, sizeof(line), "n%u", k / 7 % 2);
            (void) ingress_store_remove(b.store,
                                        k % 2 ? INGRESS_KIND_INGRESS
                                              : INGRESS_KIND_SERVICE,
                                        torii_str(line),
                                        torii_str(k % 2 ? "i3" : "s1"),
                                        torii_str(""));
        }

        same += test_same(&a, &b);
        n++;

        world_end(&b);
    }

    tap_ok(same == n, "step by step is the same as anew: %u of %u", same, n);

    for (i = 0; i < TEST_STEPS; i++) {
        free(log[i]);
    }

    free(log);
    world_end(&a);
}


static void
test_config(void)
{
    world_t  w;

    world_start(&w);
    world_add(&w, "ingress d/i 1\nrule a.example Prefix / a:1\n");

    w.options.config = torii_str("d/cm");
    world_compile(&w);

    tap_ok(world_finding(&w, "ConfigMapNotFound")
           && w.t.policies[w.t.routes[0].policy].body_size == 1 << 20,
           "a missing ConfigMap is a finding");

    world_add(&w, "config d/cm\ndata proxy-body-size 3m\n");
    world_compile(&w);

    tap_ok(w.t.policies[w.t.routes[1].policy].body_size == 3 << 20
           && w.t.policies[w.t.routes[0].policy].body_size == 3 << 20,
           "a ConfigMap reaches all Ingresses");

    world_add(&w, "config d/cm\ndata proxy-body-size 4m\n");
    world_compile(&w);

    tap_ok(w.t.policies[w.t.routes[1].policy].body_size == 4 << 20,
           "so does its change");

    w.options.config = torii_str("");
    world_compile(&w);

    tap_ok(w.t.policies[w.t.routes[1].policy].body_size == 1 << 20
           && world_finding(&w, "ConfigMapNotFound") == NULL,
           "and that none is named any more");

    world_end(&w);
}


static void
test_findings(void)
{
    world_t      w;
    unsigned     i;
    torii_buf_t  b;
    torii_str_t  json;

    world_start(&w);
    memset(&b, 0, sizeof(torii_buf_t));

    for (i = 0; i < 6000; i++) {
        torii_buf_printf(&b, "ingress d/i%u 1\nnote no-such-thing x\n"
                         "rule a.example Prefix / a:1\n", i);
    }

    torii_buf_add(&b, "", 1);
    world_add(&w, (char *) b.data);
    torii_buf_free(&b);

    tap_ok(world_compile(&w) == TORII_OK, "many findings: sound %s", w.error);

    json = world_str(&w, w.t.header->findings);
    tap_ok(json.len && json.data[0] == '[' && json.data[json.len - 1] == ']'
           && strstr((char *) json.data, "findings more"),
           "the rest is counted");
    tap_ok(w.t.header->errors + w.t.header->warnings == 6000 * 3 - 1,
           "so are errors and warnings: %u and %u", w.t.header->errors,
           w.t.header->warnings);

    world_end(&w);
}


int
main(void)
{
    test_set();
    test_names();
    test_order();
    test_steps();
    test_config();
    test_findings();

    return tap_done();
}
