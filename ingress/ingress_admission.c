
/*
 * An AdmissionReview in, an AdmissionReview out.  The object in it is decoded
 * as if it came from a source, so that what is refused here is what would not
 * be served.
 */

#include <stdio.h>

#include "ingress_admit.h"


#define INGRESS_ADMISSION_NODES     250000
#define INGRESS_ADMISSION_DEPTH     64
#define INGRESS_ADMISSION_UID       128
#define INGRESS_ADMISSION_SHOWN     10      /* reasons of a refusal */

/* What an API server passes on: longer ones are cut, more are dropped. */
#define INGRESS_ADMISSION_WARNING   256
#define INGRESS_ADMISSION_WARNINGS  15


static const torii_node_t *ingress_admission_request(const torii_node_t *doc,
    char error[128]);
static int ingress_admission_asked(const torii_node_t *request,
    const torii_node_t **object, char error[128]);
static void ingress_admission_judge(ingress_admit_t *a,
    const torii_node_t *request, const torii_node_t *object);
static void ingress_admission_answer(const ingress_findings_t *findings,
    torii_str_t uid, torii_buf_t *out);
static void ingress_admission_refusal(const ingress_findings_t *findings,
    uint32_t n, torii_buf_t *out);
static void ingress_admission_warnings(const ingress_findings_t *findings,
    uint32_t n, torii_buf_t *out);
static void ingress_admission_text(torii_buf_t *out,
    const ingress_finding_t *f, int refused);
static torii_str_t ingress_admission_short(torii_str_t s);
static torii_str_t ingress_admission_str(const torii_node_t *map,
    const char *key);


static const torii_tree_limits_t  ingress_admission_limits = {
    INGRESS_ADMISSION_MAX, INGRESS_ADMISSION_NODES, INGRESS_ADMISSION_DEPTH
};


int
ingress_admission_review(const ingress_table_t *t, torii_str_t body,
    torii_buf_t *out, char error[128])
{
    int                  rc;
    torii_node_t        *doc;
    ingress_admit_t      a;
    torii_tree_error_t   why;
    const torii_node_t  *request, *object;

    memset(&a, 0, sizeof(ingress_admit_t));

    a.t = t;
    a.arena = torii_arena_create(16384);
    ingress_findings_init(&a.findings, a.arena);

    request = NULL;
    rc = torii_tree_json(a.arena, body, &ingress_admission_limits, &doc, &why);

    if (rc != TORII_OK) {
        (void) snprintf(error, 128, "the body is not JSON: %.100s", why.text);

    } else {
        request = ingress_admission_request(doc, error);
    }

    if (request == NULL) {
        torii_arena_destroy(a.arena);
        return TORII_DECLINED;
    }

    rc = ingress_admission_asked(request, &object, error);

    if (rc == TORII_OK && object) {
        ingress_admission_judge(&a, request, object);
    }

    if (rc == TORII_OK) {
        ingress_admission_answer(&a.findings,
                                 ingress_admission_str(request, "uid"), out);
    }

    torii_arena_destroy(a.arena);

    return rc;
}


static const torii_node_t *
ingress_admission_request(const torii_node_t *doc, char error[128])
{
    torii_str_t          uid;
    const torii_node_t  *request;

    request = torii_node_get(doc, "request");
    uid = ingress_admission_str(request, "uid");

    if (!torii_str_eqs(ingress_admission_str(doc, "kind"), "AdmissionReview")
        || !torii_str_eqs(ingress_admission_str(doc, "apiVersion"),
                          "admission.k8s.io/v1"))
    {
        (void) snprintf(error, 128, "the body is no AdmissionReview of "
                        "admission.k8s.io/v1");
        return NULL;
    }

    if (uid.len == 0 || uid.len > INGRESS_ADMISSION_UID) {
        (void) snprintf(error, 128, "the AdmissionReview has no request with "
                        "a uid");
        return NULL;
    }

    return request;
}


/* *object is NULL when there is nothing to look at. */

static int
ingress_admission_asked(const torii_node_t *request,
    const torii_node_t **object, char error[128])
{
    torii_str_t          operation;
    const torii_node_t  *kind;

    *object = NULL;

    kind = torii_node_get(request, "kind");
    operation = ingress_admission_str(request, "operation");

    if ((!torii_str_eqs(operation, "CREATE")
         && !torii_str_eqs(operation, "UPDATE"))
        || ingress_admission_str(request, "subResource").len
        || !torii_str_eqs(ingress_admission_str(kind, "kind"), "Ingress")
        || !torii_str_eqs(ingress_admission_str(kind, "group"),
                          "networking.k8s.io"))
    {
        return TORII_OK;
    }

    if (!torii_str_eqs(ingress_admission_str(kind, "version"), "v1")) {
        (void) snprintf(error, 128, "Ingresses of networking.k8s.io/v1 only "
                        "can be looked at; set matchPolicy: Equivalent");
        return TORII_DECLINED;
    }

    *object = torii_node_get(request, "object");

    if (*object == NULL || (*object)->type != TORII_NODE_MAP) {
        (void) snprintf(error, 128, "the request has no object");
        return TORII_DECLINED;
    }

    return TORII_OK;
}


static void
ingress_admission_judge(ingress_admit_t *a, const torii_node_t *request,
    const torii_node_t *object)
{
    torii_str_t         namespace;
    ingress_object_t   *o;
    ingress_finding_t  *f;

    f = NULL;
    o = ingress_object_decode_as(a->arena, INGRESS_KIND_INGRESS, object, &f);

    if (o == NULL) {
        for ( /* void */ ; f; f = f->next) {
            ingress_finding_copy(&a->findings, f);
        }

        return;
    }

    namespace = ingress_admission_str(request, "namespace");

    if (namespace.len
        && torii_node_get(torii_node_get(object, "metadata"), "namespace")
           == NULL)
    {
        o->namespace = torii_arena_str(o->arena, namespace);
    }

    if (ingress_admit_ours(a->t, o)) {
        a->o = o;
        ingress_admit_object(a);
    }

    ingress_object_free(o);
}


static void
ingress_admission_answer(const ingress_findings_t *findings, torii_str_t uid,
    torii_buf_t *out)
{
    uint32_t                  errors, warnings;
    const ingress_finding_t  *f;

    errors = 0;
    warnings = 0;

    for (f = findings->first; f; f = f->next) {
        errors += (f->severity == INGRESS_ERROR);
        warnings += (f->severity == INGRESS_WARNING);
    }

    torii_buf_adds(out, "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":"
                   "\"AdmissionReview\",\"response\":{\"uid\":");
    torii_buf_add_json(out, uid);
    torii_buf_printf(out, ",\"allowed\":%s", errors ? "false" : "true");

    if (errors) {
        ingress_admission_refusal(findings, errors, out);
    }

    if (warnings) {
        ingress_admission_warnings(findings, warnings, out);
    }

    torii_buf_adds(out, "}}\n");
}


static void
ingress_admission_refusal(const ingress_findings_t *findings, uint32_t n,
    torii_buf_t *out)
{
    uint32_t                  shown;
    torii_buf_t               text;
    torii_str_t               s;
    const ingress_finding_t  *f;

    memset(&text, 0, sizeof(torii_buf_t));
    shown = 0;

    if (n > 1) {
        torii_buf_printf(&text, "%u things are wrong:", (unsigned) n);
    }

    for (f = findings->first; f && shown < INGRESS_ADMISSION_SHOWN;
         f = f->next)
    {
        if (f->severity == INGRESS_ERROR) {
            torii_buf_adds(&text, n > 1 ? "\n- " : "");
            ingress_admission_text(&text, f, 1);
            shown++;
        }
    }

    if (n > shown) {
        torii_buf_printf(&text, "\n- and %u more", (unsigned) (n - shown));
    }

    s.data = text.data;
    s.len = text.len;

    torii_buf_adds(out, ",\"status\":{\"status\":\"Failure\",\"message\":");
    torii_buf_add_json(out, s);
    torii_buf_adds(out, ",\"reason\":\"BadRequest\",\"code\":400}");

    torii_buf_free(&text);
}


static void
ingress_admission_warnings(const ingress_findings_t *findings, uint32_t n,
    torii_buf_t *out)
{
    uint32_t                  shown;
    torii_buf_t               text;
    const ingress_finding_t  *f;

    memset(&text, 0, sizeof(torii_buf_t));
    torii_buf_adds(out, ",\"warnings\":[");
    shown = 0;

    for (f = findings->first; f && shown < INGRESS_ADMISSION_WARNINGS - 1;
         f = f->next)
    {
        if (f->severity == INGRESS_WARNING) {
            text.len = 0;
            ingress_admission_text(&text, f, 0);

            torii_buf_adds(out, shown++ ? "," : "");
            torii_buf_add_json(out, ingress_admission_short(
                                   (torii_str_t) { text.len, text.data }));
        }
    }

    if (n > shown) {
        torii_buf_printf(out, ",\"and %u more warnings\"",
                         (unsigned) (n - shown));
    }

    torii_buf_adds(out, "]");
    torii_buf_free(&text);
}


/*
 * "FIELD: MESSAGE".  What would become of the object says nothing to somebody
 * whose object is refused.
 */

static void
ingress_admission_text(torii_buf_t *out, const ingress_finding_t *f,
    int refused)
{
    size_t              i, len;
    torii_str_t         s;
    const char *const  *word;

    static const char *const  outcomes[] = {
        " (until then ", "; the path is left out", "; it is left out",
        ", the object is not served", NULL
    };

    s = f->message;

    for (word = outcomes; refused && *word; word++) {
        len = strlen(*word);

        for (i = 0; i + len <= s.len; i++) {
            if (memcmp(s.data + i, *word, len) == 0) {
                s.len = i;
                break;
            }
        }
    }

    if (f->field.len) {
        torii_buf_add_str(out, f->field);
        torii_buf_adds(out, ": ");
    }

    torii_buf_add_str(out, s);
}


/* Never cut inside a character. */

static torii_str_t
ingress_admission_short(torii_str_t s)
{
    if (s.len <= INGRESS_ADMISSION_WARNING) {
        return s;
    }

    s.len = INGRESS_ADMISSION_WARNING - 3;

    while (s.len && (s.data[s.len] & 0xc0) == 0x80) {
        s.len--;
    }

    memcpy(s.data + s.len, "...", 3);
    s.len += 3;

    return s;
}


static torii_str_t
ingress_admission_str(const torii_node_t *map, const char *key)
{
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    if (node == NULL || node->type != TORII_NODE_STRING) {
        return torii_str("");
    }

    return node->text;
}
