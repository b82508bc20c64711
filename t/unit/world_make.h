
/*
 * For tests and benchmarks of the store and of compile: objects out of short
 * lines, a store, and the table made of it.
 *
 *   ingress NS/NAME SECONDS              an Ingress of this age
 *     rule HOST TYPE PATH SERVICE:PORT   HOST "-": every host; TYPE Exact,
 *                                        Prefix or Impl; PATH "-": none
 *     default SERVICE:PORT
 *     tls SECRET HOST…                   "-": no secretName
 *     class NAME
 *     note NAME VALUE                    without the prefix of annotations
 *   service NS/NAME NAME:PORT:TARGET…    a name of "" is left out
 *     external NAME | headless | ip ADDR
 *   slice NS/NAME SERVICE NAME:PORT… ADDR…  "!ADDR": not ready, "~ADDR":
 *                                        serving and terminating
 *   endpoints NS/NAME NAME:PORT… ADDR…
 *   config NS/NAME                       a ConfigMap
 *     data NAME VALUE
 *   secret NS/NAME TYPE                  data as with config
 *   ingressclass NAME CONTROLLER
 */

#ifndef _WORLD_MAKE_H_INCLUDED_
#define _WORLD_MAKE_H_INCLUDED_


#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ingress_store.h"
#include "ingress_route.h"
#include "torii_tree.h"


#define WORLD_WORDS  16

typedef struct {
    ingress_store_t       *store;
    ingress_options_t      options;
    int64_t                now;
    const char            *file;
    torii_buf_t            out;
    ingress_table_t        t;
    char                   error[128];
    torii_regex_cache_t   *regexes;
    torii_arena_t         *arena;       /* of findings */
    ingress_findings_t     findings;
    uint32_t               changed;     /* by the last world_yaml() */
    uint32_t               undecoded;
} world_t;


static inline void
world_start(world_t *w)
{
    memset(w, 0, sizeof(world_t));

    w->store = ingress_store_create();
    w->regexes = torii_regex_cache_create(256);
    w->options.all = 1;
    w->now = 1800000000;
    w->file = "";
}


static inline void
world_end(world_t *w)
{
    ingress_store_destroy(w->store);
    torii_regex_cache_destroy(w->regexes);
    torii_arena_destroy(w->arena);
    torii_buf_free(&w->out);
}


static inline void
world_object(void *data, ingress_object_t *o)
{
    world_t  *w;

    w = data;
    w->changed += ingress_store_set(w->store, o);
}


static inline void
world_yaml(world_t *w, torii_str_t yaml)
{
    uint32_t             i, n;
    torii_arena_t       *a;
    torii_node_t       **docs;
    ingress_finding_t   *findings;
    torii_tree_error_t   error;

    a = torii_arena_create(4096);
    w->changed = 0;
    findings = NULL;

    if (torii_tree_yaml(a, yaml, &torii_tree_limits, &docs, &n, &error)
        != TORII_OK)
    {
        fprintf(stderr, "%s in:\n%.*s\n", error.text, torii_str_arg(yaml));
        abort();
    }

    for (i = 0; i < n; i++) {
        ingress_object_decode(a, docs[i], torii_str(w->file), world_object, w,
                              &findings);
    }

    for ( /* void */ ; findings; findings = findings->next) {
        w->undecoded++;
    }

    torii_arena_destroy(a);
}


static inline void
world_head(torii_buf_t *b, const char *api, const char *kind, char *path)
{
    char  *name;

    name = strchr(path, '/');

    torii_buf_printf(b, "---\napiVersion: %s\nkind: %s\nmetadata:\n", api,
                     kind);

    if (name) {
        *name++ = '\0';
        torii_buf_printf(b, "  namespace: %s\n", path);

    } else {
        name = path;
    }

    torii_buf_printf(b, "  name: %s\n", name);
}


static inline void
world_ports(torii_buf_t *b, const char *indent, char **word, unsigned *i,
    unsigned n, const char *target_key)
{
    char      *port, *target;
    unsigned   first;

    first = 1;

    for ( /* void */ ; *i < n; (*i)++) {
        port = strchr(word[*i], ':');

        if (port == NULL || strchr(word[*i], '.')
            || strchr(port + 1, ':') == port + 1)
        {
            break;
        }

        if (first) {
            torii_buf_printf(b, "%sports:\n", indent);
            first = 0;
        }

        *port++ = '\0';
        target = strchr(port, ':');

        if (target) {
            *target++ = '\0';
        }

        torii_buf_printf(b, "%s- port: %s\n", indent, port);

        if (word[*i][0]) {
            torii_buf_printf(b, "%s  name: %s\n", indent, word[*i]);
        }

        if (target) {
            torii_buf_printf(b, "%s  %s: %s\n", indent, target_key, target);
        }
    }
}


static inline void
world_backend(torii_buf_t *b, const char *indent, char *word)
{
    char  *port;

    if (strcmp(word, "resource") == 0) {
        torii_buf_printf(b, "%sresource: {kind: Bucket, name: b}\n", indent);
        return;
    }

    port = strchr(word, ':');
    *port++ = '\0';

    torii_buf_printf(b, "%sservice: {name: %s, port: {%s: %s}}\n", indent,
                     word, isdigit((unsigned char) *port) ? "number" : "name",
                     port);
}


/* The parts of an Ingress come in any order, so each has its own text. */

typedef struct {
    torii_buf_t  head;
    torii_buf_t  notes;
    torii_buf_t  spec;
    torii_buf_t  rules;
    torii_buf_t  tls;
} world_text_t;


static inline void
world_flush(world_text_t *t, torii_buf_t *out)
{
    torii_buf_add(out, t->head.data, t->head.len);

    if (t->notes.len) {
        torii_buf_add(out, t->notes.data, t->notes.len);
    }

    if (t->spec.len || t->rules.len || t->tls.len) {
        torii_buf_adds(out, "spec:\n");
        torii_buf_add(out, t->spec.data, t->spec.len);
    }

    if (t->rules.len) {
        torii_buf_adds(out, "  rules:\n");
        torii_buf_add(out, t->rules.data, t->rules.len);
    }

    if (t->tls.len) {
        torii_buf_adds(out, "  tls:\n");
        torii_buf_add(out, t->tls.data, t->tls.len);
    }

    t->head.len = 0;
    t->notes.len = 0;
    t->spec.len = 0;
    t->rules.len = 0;
    t->tls.len = 0;
}


static inline void
world_slice(world_text_t *t, char **word, unsigned n, unsigned i, int slice)
{
    const char  *flags;

    world_ports(&t->head, slice ? "" : "  ", word, &i, n, "x");

    torii_buf_adds(&t->head, slice ? "endpoints:\n" : "  addresses:\n");

    for ( /* void */ ; i < n; i++) {
        flags = "";

        if (*word[i] == '!') {
            flags = ", conditions: {ready: false}";
            word[i]++;

        } else if (*word[i] == '~') {
            flags = ", conditions: {ready: false, serving: true, "
                    "terminating: true}";
            word[i]++;
        }

        if (slice) {
            torii_buf_printf(&t->head, "- {addresses: [\"%s\"]%s}\n", word[i],
                             flags);
        } else {
            torii_buf_printf(&t->head, "  - {ip: \"%s\"}\n", word[i]);
        }
    }
}


static inline void
world_line(world_text_t *t, torii_buf_t *out, char *line)
{
    char        *word[WORLD_WORDS], *p;
    time_t       age;
    unsigned     i, n;
    struct tm    tm;

    n = 0;

    for (p = strtok(line, " "); p && n < WORLD_WORDS; p = strtok(NULL, " ")) {
        word[n++] = p;
    }

    if (n == 0) {
        return;
    }

    p = word[0];

    if (strcmp(p, "ingress") == 0) {
        world_flush(t, out);
        world_head(&t->head, "networking.k8s.io/v1", "Ingress", word[1]);

        if (n > 2) {
            age = atol(word[2]);
            gmtime_r(&age, &tm);
            torii_buf_room(&t->head, 128);
            t->head.len += strftime((char *) t->head.data + t->head.len, 128,
                           "  creationTimestamp: \"%Y-%m-%dT%H:%M:%SZ\"\n",
                           &tm);
        }

    } else if (strcmp(p, "note") == 0) {

        if (t->notes.len == 0) {
            torii_buf_adds(&t->notes, "  annotations:\n");
        }

        torii_buf_printf(&t->notes, "    %s%s: \"%s",
                         strchr(word[1], '/') ? ""
                                              : INGRESS_ANNOTATION_PREFIX,
                         word[1], n > 2 ? word[2] : "");

        for (i = 3; i < n; i++) {
            torii_buf_printf(&t->notes, " %s", word[i]);
        }

        torii_buf_adds(&t->notes, "\"\n");

    } else if (strcmp(p, "rule") == 0) {
        torii_buf_printf(&t->rules, "  - host: \"%s\"\n",
                         strcmp(word[1], "-") != 0 ? word[1] : "");

        if (n > 3 && strcmp(word[3], "-") != 0) {
            torii_buf_printf(&t->rules,
                             "    http:\n      paths:\n"
                             "      - path: '%s'\n        pathType: %s\n"
                             "        backend:\n", word[3],
                             strcmp(word[2], "Impl") == 0
                             ? "ImplementationSpecific" : word[2]);
            world_backend(&t->rules, "          ", word[4]);
        }

    } else if (strcmp(p, "default") == 0) {
        torii_buf_adds(&t->spec, "  defaultBackend:\n");
        world_backend(&t->spec, "    ", word[1]);

    } else if (strcmp(p, "class") == 0) {
        torii_buf_printf(&t->spec, "  ingressClassName: %s\n", word[1]);

    } else if (strcmp(p, "tls") == 0) {
        torii_buf_adds(&t->tls, "  - hosts:\n");

        for (i = 2; i < n; i++) {
            torii_buf_printf(&t->tls, "    - \"%s\"\n", word[i]);
        }

        if (strcmp(word[1], "-") != 0) {
            torii_buf_printf(&t->tls, "    secretName: %s\n", word[1]);
        }

    } else if (strcmp(p, "service") == 0) {
        world_flush(t, out);
        world_head(&t->head, "v1", "Service", word[1]);

        torii_buf_adds(&t->spec, "  clusterIPs: []\n");
        i = 2;
        world_ports(&t->spec, "  ", word, &i, n, "targetPort");

    } else if (strcmp(p, "external") == 0) {
        torii_buf_printf(&t->spec, "  type: ExternalName\n"
                         "  externalName: \"%s\"\n", word[1]);

    } else if (strcmp(p, "headless") == 0) {
        torii_buf_adds(&t->spec, "  clusterIP: None\n");

    } else if (strcmp(p, "ip") == 0) {
        torii_buf_printf(&t->spec, "  clusterIP: %s\n", word[1]);

    } else if (strcmp(p, "slice") == 0) {
        world_flush(t, out);
        world_head(&t->head, "discovery.k8s.io/v1", "EndpointSlice", word[1]);
        torii_buf_printf(&t->head, "  labels:\n"
                         "    kubernetes.io/service-name: %s\n"
                         "addressType: %s\n", word[2],
                         strchr(word[n - 1], '.') ? "IPv4" : "IPv6");
        world_slice(t, word, n, 3, 1);

    } else if (strcmp(p, "endpoints") == 0) {
        world_flush(t, out);
        world_head(&t->head, "v1", "Endpoints", word[1]);
        torii_buf_adds(&t->head, "subsets:\n- notReadyAddresses: []\n");
        world_slice(t, word, n, 2, 0);

    } else if (strcmp(p, "config") == 0) {
        world_flush(t, out);
        world_head(&t->head, "v1", "ConfigMap", word[1]);
        torii_buf_adds(&t->head, "data:\n  {}\n");
        t->head.len -= 5;

    } else if (strcmp(p, "secret") == 0) {
        world_flush(t, out);
        world_head(&t->head, "v1", "Secret", word[1]);
        torii_buf_printf(&t->head, "type: %s\nstringData:\n", word[2]);

    } else if (strcmp(p, "data") == 0) {
        torii_buf_printf(&t->head, "  %s: \"%s", word[1],
                         n > 2 ? word[2] : "");

        for (i = 3; i < n; i++) {
            torii_buf_printf(&t->head, " %s", word[i]);
        }

        torii_buf_adds(&t->head, "\"\n");

    } else if (strcmp(p, "ingressclass") == 0) {
        world_flush(t, out);
        world_head(&t->head, "networking.k8s.io/v1", "IngressClass", word[1]);
        torii_buf_printf(&t->spec, "  controller: %s\n", word[2]);

    } else {
        fprintf(stderr, "no such line: %s\n", p);
        abort();
    }
}


static inline void
world_add(world_t *w, const char *text)
{
    char          *copy, *line, *next;
    torii_buf_t    yaml;
    torii_str_t    s;
    world_text_t   t;

    memset(&yaml, 0, sizeof(torii_buf_t));
    memset(&t, 0, sizeof(world_text_t));

    copy = strdup(text);

    for (line = copy; line; line = next) {
        next = strchr(line, '\n');

        if (next) {
            *next++ = '\0';
        }

        world_line(&t, &yaml, line);
    }

    world_flush(&t, &yaml);

    s.data = yaml.data;
    s.len = yaml.len;
    world_yaml(w, s);

    torii_buf_free(&t.head);
    torii_buf_free(&t.notes);
    torii_buf_free(&t.spec);
    torii_buf_free(&t.rules);
    torii_buf_free(&t.tls);
    torii_buf_free(&yaml);
    free(copy);
}


/* A Secret of type kubernetes.io/tls; NULL leaves a key out. */

static inline void
world_secret(world_t *w, char *path, const char *crt, const char *key,
    const char *ca)
{
    char         *copy;
    uint32_t      i;
    torii_buf_t   b;
    torii_str_t   s;
    const char   *p, *names[3], *values[3];

    names[0] = "tls.crt";
    names[1] = "tls.key";
    names[2] = "ca.crt";
    values[0] = crt;
    values[1] = key;
    values[2] = ca;

    memset(&b, 0, sizeof(torii_buf_t));
    copy = strdup(path);

    world_head(&b, "v1", "Secret", copy);
    torii_buf_adds(&b, "type: Opaque\nstringData:\n  other: text\n");

    for (i = 0; i < 3; i++) {

        if (values[i] == NULL) {
            continue;
        }

        torii_buf_printf(&b, "  %s: |\n    ", names[i]);

        for (p = values[i]; *p; p++) {
            torii_buf_add(&b, p, 1);

            if (*p == '\n' && p[1]) {
                torii_buf_adds(&b, "    ");
            }
        }

        torii_buf_adds(&b, "\n");
    }

    s.data = b.data;
    s.len = b.len;
    world_yaml(w, s);

    torii_buf_free(&b);
    free(copy);
}


static inline int
world_compile(world_t *w)
{
    torii_arena_destroy(w->arena);
    w->arena = torii_arena_create(4096);
    ingress_findings_init(&w->findings, w->arena);

    w->out.len = 0;

    ingress_compile(w->store, &w->options, w->now, NULL, &w->findings,
                    &w->out);

    return ingress_table_check(&w->t, w->out.data, w->out.len, w->error);
}


static inline const ingress_finding_t *
world_finding(const world_t *w, const char *reason)
{
    const ingress_finding_t  *f;

    for (f = w->findings.first; f; f = f->next) {
        if (strcmp(f->reason, reason) == 0) {
            return f;
        }
    }

    return NULL;
}


static inline void
world_print(const world_t *w)
{
    torii_buf_t               b;
    const ingress_finding_t  *f;

    memset(&b, 0, sizeof(torii_buf_t));

    for (f = w->findings.first; f; f = f->next) {
        torii_buf_adds(&b, "# ");
        ingress_finding_text(&b, f);
    }

    printf("%.*s", (int) b.len, b.data);
    torii_buf_free(&b);
}


static inline torii_str_t
world_str(const world_t *w, ingress_ref_t ref)
{
    return ingress_table_str(&w->t, ref);
}


#endif /* _WORLD_MAKE_H_INCLUDED_ */
