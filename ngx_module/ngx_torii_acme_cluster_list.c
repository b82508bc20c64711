
/*
 * The state of certificates, read from its Secrets once by whoever begins to
 * lead.
 */

#include "ngx_torii_acme_cluster.h"


#define NGX_TORII_CLUSTER_READ     30000     /* ms, of a page of the list */
#define NGX_TORII_CLUSTER_PAGE     100


/* A file of the state, as it was listed. */

typedef struct {
    ngx_queue_t              queue;
    torii_str_t              name;
    torii_str_t              data;
} ngx_torii_listed_t;


static void ngx_torii_cluster_page(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);
static ngx_int_t ngx_torii_cluster_items(ngx_torii_cluster_t *c,
    const torii_node_t *list);
static torii_str_t ngx_torii_cluster_text(const torii_node_t *map,
    const char *key);


static const torii_tree_limits_t  ngx_torii_cluster_limits = {
    4 * 1024 * 1024, 200000, 32
};


void
ngx_torii_cluster_list(ngx_torii_cluster_t *c, torii_str_t token)
{
    size_t                  i;
    u_char                  ch;
    torii_buf_t             path;
    ngx_torii_asked_t      *asked;
    ingress_api_request_t   req;

    ngx_memzero(&path, sizeof(torii_buf_t));
    ngx_memzero(&req, sizeof(ingress_api_request_t));

    torii_buf_printf(&path, "/api/v1/namespaces/%.*s/secrets?labelSelector="
                     "torii%%2Facme%%3Dstate&limit=%d",
                     torii_str_arg(c->namespace), NGX_TORII_CLUSTER_PAGE);

    if (token.len) {
        torii_buf_adds(&path, "&continue=");
    }

    for (i = 0; i < token.len; i++) {
        ch = token.data[i];

        if ((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z')
            || (ch >= 'A' && ch <= 'Z') || ch == '-' || ch == '_')
        {
            torii_buf_add(&path, &ch, 1);

        } else {
            torii_buf_printf(&path, "%%%02X", ch);
        }
    }

    *torii_buf_room(&path, 1) = '\0';

    req.method = "GET";
    req.timeout = NGX_TORII_CLUSTER_READ;
    req.path.data = path.data;
    req.path.len = path.len;

    asked = torii_zalloc(sizeof(ngx_torii_asked_t));
    asked->cluster = c;
    asked->term = c->term;

    c->listing = 1;

    ngx_torii_api_ask(c->api, &req, ngx_torii_cluster_page, asked, 0);

    torii_buf_free(&path);
}


static void
ngx_torii_cluster_page(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ngx_torii_asked_t *asked = data;

    uint32_t              term;
    ngx_int_t             rc;
    torii_str_t           token;
    torii_node_t         *doc;
    torii_arena_t        *arena;
    torii_tree_error_t    error;
    ngx_torii_cluster_t  *c;

    c = asked->cluster;
    term = asked->term;
    free(asked);

    if (term != c->term || c->listed == NULL) {
        return;
    }

    c->listing = 0;
    rc = NGX_ERROR;
    token = torii_str("");
    arena = torii_arena_create(65536);

    if (answer->error == NULL && answer->status == 200
        && torii_tree_json(arena, body, &ngx_torii_cluster_limits, &doc,
                           &error)
           == TORII_OK)
    {
        rc = ngx_torii_cluster_items(c, doc);
        token = ngx_torii_cluster_text(torii_node_get(doc, "metadata"),
                                       "continue");
    }

    if (rc != NGX_OK) {
        c->failures = ngx_min(c->failures + 1, 5);
        c->list = ngx_current_msec + (500 << c->failures);

        ngx_log_error(NGX_LOG_ERR, c->acme->log, 0,
                      "torii: the state of certificates cannot be read: "
                      "status %uD%s%s; none is asked for until it is",
                      answer->status, answer->error ? ", " : "",
                      answer->error ? answer->error : "");

        ngx_torii_cluster_drop(c);
        ngx_torii_helper_arm(&c->wake, 500 << c->failures);

    } else if (token.len) {
        ngx_torii_cluster_list(c, token);

    } else {
        c->failures = 0;
        ngx_torii_acme_start(c->acme);
        ngx_torii_cluster_drop(c);
        ngx_torii_acme_look(c->acme);
    }

    torii_arena_destroy(arena);
}


static ngx_int_t
ngx_torii_cluster_items(ngx_torii_cluster_t *c, const torii_node_t *list)
{
    uint32_t             i;
    torii_str_t          name, state, own;
    const torii_node_t  *items, *item, *data;
    ngx_torii_listed_t  *file;

    items = torii_node_get(list, "items");

    if (items == NULL || items->type == TORII_NODE_NULL) {
        return torii_str_eqs(ngx_torii_cluster_text(list, "kind"),
                             "SecretList") ? NGX_OK : NGX_ERROR;
    }

    if (items->type != TORII_NODE_LIST) {
        return NGX_ERROR;
    }

    for (i = 0; i < items->n; i++) {
        item = items->items[i];
        data = torii_node_get(item, "data");
        own = ngx_torii_cluster_text(torii_node_get(item, "metadata"),
                                     "name");

        if (!torii_str_eqs(ngx_torii_cluster_text(item, "type"),
                           NGX_TORII_CLUSTER_TYPE)
            || torii_base64_decode(c->listed,
                                   ngx_torii_cluster_text(data, "name"),
                                   &name)
               != TORII_OK
            || torii_base64_decode(c->listed,
                                   ngx_torii_cluster_text(data, "state"),
                                   &state)
               != TORII_OK
            || !torii_str_eq(own, ngx_torii_write_name(c->listed, name)))
        {
            ngx_log_error(NGX_LOG_WARN, c->acme->log, 0,
                          "torii: Secret \"%*s\" has the label of a state of "
                          "certificates and is none, it is passed over",
                          own.len, own.data);
            continue;
        }

        file = torii_arena_alloc(c->listed, sizeof(ngx_torii_listed_t));
        file->name = name;
        file->data = state;
        ngx_queue_insert_tail(&c->files, &file->queue);
    }

    return NGX_OK;
}


static torii_str_t
ngx_torii_cluster_text(const torii_node_t *map, const char *key)
{
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    return node && node->type == TORII_NODE_STRING ? node->text
                                                   : torii_str("");
}


void
ngx_torii_cluster_load(ngx_torii_acme_t *a)
{
    size_t                len;
    torii_str_t           name;
    ngx_queue_t          *q;
    ngx_torii_listed_t   *file;
    ngx_torii_cluster_t  *c;

    c = a->keeping;
    len = sizeof(NGX_TORII_CLUSTER_COPIES) - 1;

    for (q = ngx_queue_head(&c->files);
         q != ngx_queue_sentinel(&c->files);
         q = ngx_queue_next(q))
    {
        file = ngx_queue_data(q, ngx_torii_listed_t, queue);
        name = file->name;

        if (torii_str_starts(name, NGX_TORII_CLUSTER_COPIES)) {
            name.data += len;
            name.len -= len;
            ngx_torii_copy_load(c, name, file->data);

        } else {
            acme_load(a->acme, name, file->data);
        }
    }

    ngx_torii_spread_inherit(c);
}


void
ngx_torii_cluster_drop(ngx_torii_cluster_t *c)
{
    ngx_queue_t         *q;
    ngx_torii_listed_t  *file;

    c->term++;
    c->listing = 0;

    /* keys are in it */

    for (q = ngx_queue_head(&c->files);
         q != ngx_queue_sentinel(&c->files);
         q = ngx_queue_next(q))
    {
        file = ngx_queue_data(q, ngx_torii_listed_t, queue);
        ngx_explicit_memzero(file->data.data, file->data.len);
    }

    ngx_queue_init(&c->files);

    torii_arena_destroy(c->listed);
    c->listed = NULL;
}
