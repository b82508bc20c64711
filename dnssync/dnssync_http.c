
/*
 * JSON as providers send it.  A zone's contents may be tens of megabytes, and
 * their tree ten times that, hence lists are cut at the commas between their
 * elements and read some kilobytes at a time.
 */

#include <stdio.h>

#include "dnssync_http.h"


#define DNSSYNC_JSON_SMALL   (4 * 1024 * 1024)
#define DNSSYNC_JSON_PIECE   (64 * 1024)
#define DNSSYNC_JSON_DEPTH   16
#define DNSSYNC_JSON_ERROR   400       /* bytes of a provider's text */
#define DNSSYNC_HTTP_ID      512


/* A cursor over the document's structure; what is between is jansson's. */

typedef struct {
    const unsigned char   *p;
    const unsigned char   *last;
} dnssync_json_scan_t;

typedef struct {
    torii_str_t            before;     /* of the list's contents */
    torii_str_t            list;
    torii_str_t            after;
} dnssync_json_cut_t;


static int dnssync_json_find(torii_str_t body, const char *list,
    dnssync_json_cut_t *cut);
static int dnssync_json_member(dnssync_json_scan_t *s, const char *list);
static int dnssync_json_value(dnssync_json_scan_t *s);
static int dnssync_json_string(dnssync_json_scan_t *s);
static void dnssync_json_blank(dnssync_json_scan_t *s);
static int dnssync_json_pieces(torii_str_t list,
    int (*visit)(void *data, const torii_node_t *item), void *data,
    char why[192]);
static int dnssync_json_piece(torii_str_t piece,
    int (*visit)(void *data, const torii_node_t *item), void *data,
    char why[192]);


static const torii_tree_limits_t  dnssync_json_limits = {
    DNSSYNC_JSON_SMALL, 400000, DNSSYNC_JSON_DEPTH
};


torii_node_t *
dnssync_http_json(torii_arena_t *a, torii_str_t body)
{
    torii_node_t        *doc;
    torii_tree_error_t   error;

    if (torii_tree_json(a, body, &dnssync_json_limits, &doc, &error)
        != TORII_OK)
    {
        return NULL;
    }

    return doc;
}


torii_str_t
dnssync_json_str(const torii_node_t *map, const char *name)
{
    const torii_node_t  *node;

    node = torii_node_get(map, name);

    if (node == NULL || (node->type != TORII_NODE_STRING
                         && node->type != TORII_NODE_INT))
    {
        return torii_str("");
    }

    return node->text;
}


int
dnssync_json_uint(const torii_node_t *map, const char *name, uint64_t max,
    uint64_t *value)
{
    const torii_node_t  *node;

    node = torii_node_get(map, name);

    if (node == NULL || node->type != TORII_NODE_INT) {
        return TORII_ERROR;
    }

    return torii_str_uint(node->text, max, value);
}


int
dnssync_json_true(const torii_node_t *map, const char *name)
{
    const torii_node_t  *node;

    node = torii_node_get(map, name);

    return node != NULL && node->type == TORII_NODE_BOOL && node->boolean;
}


/*
 * {"error":"text"}, {"error":{"message":"text"}}, {"message":"text"},
 * {"errors":[{"code":1,"message":"text"}]}, {"errors":["text"]}, and behind the
 * first one its reason: "error_chain":[{"code":1,"message":"text"}].
 */

torii_str_t
dnssync_http_error(torii_arena_t *a, torii_str_t body)
{
    torii_str_t          text, code, reason;
    const torii_node_t  *doc, *error, *list;

    body = torii_str_trim(body);

    if (body.len && body.data[0] == '<') {
        return torii_str("with a page instead of an answer");
    }

    doc = (body.len && body.data[0] == '{') ? dnssync_http_json(a, body)
                                            : NULL;
    error = torii_node_get(doc, "error");
    list = torii_node_get(doc, "errors");
    code = torii_str("");

    if (list != NULL && list->type == TORII_NODE_LIST && list->n) {
        error = list->items[0];
    }

    list = torii_node_get(error, "error_chain");
    reason = (list != NULL && list->type == TORII_NODE_LIST && list->n)
             ? dnssync_json_str(list->items[0], "message") : torii_str("");

    if (error != NULL && error->type == TORII_NODE_STRING) {
        text = error->text;

    } else if (error != NULL) {
        text = dnssync_json_str(error, "message");
        code = dnssync_json_str(error, "code");

    } else if (doc != NULL) {
        text = dnssync_json_str(doc, "message");

    } else {
        text = body;
    }

    if (reason.len) {
        text = torii_arena_printf(a, "%.*s: %.*s", torii_str_arg(text),
                                  torii_str_arg(reason));
    }

    if (text.len > DNSSYNC_JSON_ERROR) {
        text.len = DNSSYNC_JSON_ERROR;
    }

    return torii_arena_printf(a, "%s%.*s%s%s%.*s%s", text.len ? "\"" : "",
                              torii_str_arg(text), text.len ? "\"" : "",
                              code.len ? " (" : "", torii_str_arg(code),
                              code.len ? ")" : "");
}


int
dnssync_json_list(torii_arena_t *a, torii_str_t body, const char *list,
    int (*visit)(void *data, const torii_node_t *item), void *data,
    torii_node_t **head, char why[192])
{
    torii_str_t          s;
    torii_buf_t          b;
    dnssync_json_cut_t   cut;
    torii_tree_error_t   error;

    memset(&b, 0, sizeof(torii_buf_t));
    memset(&cut, 0, sizeof(dnssync_json_cut_t));

    if (body.len > DNSSYNC_BODY_MAX
        || dnssync_json_find(body, list, &cut) != TORII_OK)
    {
        (void) snprintf(why, 192, "it is no JSON document, or not whole");
        return TORII_ERROR;
    }

    torii_buf_add_str(&b, cut.before);
    torii_buf_add_str(&b, cut.after);

    s.data = b.data;
    s.len = b.len;

    *head = NULL;

    if (torii_tree_json(a, s, &dnssync_json_limits, head, &error)
        != TORII_OK)
    {
        torii_buf_free(&b);
        (void) snprintf(why, 192, "it is no JSON document: %.150s",
                        error.text);
        return TORII_ERROR;
    }

    torii_buf_free(&b);

    return cut.list.len ? dnssync_json_pieces(cut.list, visit, data, why)
                        : TORII_OK;
}


/*
 * Finds where the list's contents are.  Without the list all is "before", and
 * the caller finds in the head what is there in its place.
 */

static int
dnssync_json_find(torii_str_t body, const char *list, dnssync_json_cut_t *cut)
{
    int                    rc;
    const unsigned char   *from;
    dnssync_json_scan_t    s;

    cut->before = body;

    s.p = body.len ? body.data : (const unsigned char *) "";
    s.last = s.p + body.len;

    dnssync_json_blank(&s);

    rc = list ? dnssync_json_member(&s, list) : TORII_OK;

    if (rc == TORII_ERROR) {
        return TORII_ERROR;
    }

    if (rc == TORII_DECLINED || s.p == s.last || *s.p != '[') {
        return TORII_OK;
    }

    from = s.p;

    if (dnssync_json_value(&s) != TORII_OK) {
        return TORII_ERROR;
    }

    cut->before.len = from + 1 - body.data;
    cut->list.data = (unsigned char *) from + 1;
    cut->list.len = s.p - from - 2;
    cut->after.data = (unsigned char *) s.p - 1;
    cut->after.len = s.last - s.p + 1;

    cut->list = torii_str_trim(cut->list);

    return TORII_OK;
}


/* To the value of a member of the map at s. */

static int
dnssync_json_member(dnssync_json_scan_t *s, const char *list)
{
    size_t                 len;
    torii_str_t            key;

    if (s->p == s->last || *s->p != '{') {
        return TORII_ERROR;
    }

    len = strlen(list);
    s->p++;

    for ( ;; ) {
        dnssync_json_blank(s);

        if (s->p < s->last && *s->p == '}') {
            return TORII_DECLINED;
        }

        key.data = (unsigned char *) s->p;

        if (dnssync_json_string(s) != TORII_OK) {
            return TORII_ERROR;
        }

        key.len = s->p - key.data;

        dnssync_json_blank(s);

        if (s->p == s->last || *s->p++ != ':') {
            return TORII_ERROR;
        }

        dnssync_json_blank(s);

        if (key.len == len + 2 && memcmp(key.data + 1, list, len) == 0) {
            return TORII_OK;
        }

        if (dnssync_json_value(s) != TORII_OK) {
            return TORII_ERROR;
        }

        dnssync_json_blank(s);

        if (s->p < s->last && *s->p == ',') {
            s->p++;
        }
    }
}


/* Over a value, whose brackets match in number; what it is, is found later. */

static int
dnssync_json_value(dnssync_json_scan_t *s)
{
    unsigned  depth;

    for (depth = 0; s->p < s->last; /* void */) {

        switch (*s->p) {

        case '"':
            if (dnssync_json_string(s) != TORII_OK) {
                return TORII_ERROR;
            }

            break;

        case '[':
        case '{':
            if (++depth > DNSSYNC_JSON_DEPTH) {
                return TORII_ERROR;
            }

            s->p++;
            break;

        case ']':
        case '}':
            if (depth == 0) {
                return TORII_OK;
            }

            s->p++;

            if (--depth == 0) {
                return TORII_OK;
            }

            break;

        case ',':
            if (depth == 0) {
                return TORII_OK;
            }

            /* fall through */

        default:
            s->p++;
        }
    }

    return depth ? TORII_ERROR : TORII_OK;
}


static int
dnssync_json_string(dnssync_json_scan_t *s)
{
    if (s->p == s->last || *s->p != '"') {
        return TORII_ERROR;
    }

    for (s->p++; s->p < s->last; s->p++) {

        if (*s->p == '"') {
            s->p++;
            return TORII_OK;
        }

        if (*s->p == '\\' && ++s->p == s->last) {
            break;
        }
    }

    return TORII_ERROR;
}


static void
dnssync_json_blank(dnssync_json_scan_t *s)
{
    while (s->p < s->last && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r'
                              || *s->p == '\n'))
    {
        s->p++;
    }
}


/* As many elements at a time as fit, at least one. */

static int
dnssync_json_pieces(torii_str_t list,
    int (*visit)(void *data, const torii_node_t *item), void *data,
    char why[192])
{
    int                    rc;
    torii_str_t            piece;
    dnssync_json_scan_t    s;

    s.p = list.data;
    s.last = list.data + list.len;

    for ( ;; ) {
        piece.data = (unsigned char *) s.p;

        for ( ;; ) {

            if (dnssync_json_value(&s) != TORII_OK) {
                (void) snprintf(why, 192, "the list is not whole");
                return TORII_ERROR;
            }

            if (s.p == s.last || *s.p != ','
                || s.p - piece.data > DNSSYNC_JSON_PIECE)
            {
                break;
            }

            s.p++;
        }

        piece.len = s.p - piece.data;

        rc = dnssync_json_piece(piece, visit, data, why);

        if (rc != TORII_OK || s.p == s.last) {
            return rc;
        }

        if (*s.p++ != ',') {
            (void) snprintf(why, 192, "the list is not whole");
            return TORII_ERROR;
        }
    }
}


static int
dnssync_json_piece(torii_str_t piece,
    int (*visit)(void *data, const torii_node_t *item), void *data,
    char why[192])
{
    int                  rc;
    uint32_t             i;
    torii_buf_t          b;
    torii_str_t          s;
    torii_node_t        *doc;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    memset(&b, 0, sizeof(torii_buf_t));

    torii_buf_adds(&b, "[");
    torii_buf_add_str(&b, piece);
    torii_buf_adds(&b, "]");

    s.data = b.data;
    s.len = b.len;

    a = torii_arena_create(DNSSYNC_JSON_PIECE);

    rc = torii_tree_json(a, s, &dnssync_json_limits, &doc, &error);

    /* "[1],[2]" would be two lists, and an empty piece is a comma too many */

    if (rc != TORII_OK || doc->type != TORII_NODE_LIST || doc->n == 0) {
        (void) snprintf(why, 192, "an element of the list is no JSON");
        rc = TORII_ERROR;

    } else {
        for (i = 0; i < doc->n && rc == TORII_OK; i++) {
            rc = visit(data, doc->items[i]) == TORII_OK ? TORII_OK
                                                        : TORII_DECLINED;
        }
    }

    torii_arena_destroy(a);
    torii_buf_free(&b);

    return rc;
}


/* Dots alone would lead elsewhere. */

int
dnssync_http_id(torii_str_t id)
{
    size_t         i, dots;
    unsigned char  c;

    for (i = 0, dots = 0; i < id.len; i++) {
        c = id.data[i];
        dots += c == '.';

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')
            && !(c >= '0' && c <= '9') && memchr("-_.=", c, 4) == NULL)
        {
            return 0;
        }
    }

    return id.len > dots && id.len <= DNSSYNC_HTTP_ID;
}


void
dnssync_url_add(torii_buf_t *b, torii_str_t s)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'
            || c == '~')
        {
            torii_buf_add(b, &c, 1);

        } else {
            torii_buf_printf(b, "%%%02X", c);
        }
    }
}
