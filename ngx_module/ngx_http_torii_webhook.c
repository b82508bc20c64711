
/*
 * "torii_webhook on;": the API server asks whether an Ingress may be stored,
 * and is answered from the table in force.  Bodies are kept in memory, whole
 * and bounded; nothing of them is kept, logged or written anywhere.
 */

#include "ngx_http_torii.h"
#include "ingress_admission.h"


#define NGX_HTTP_TORII_WEBHOOK_JSON  "application/json"


static ngx_int_t ngx_http_torii_webhook_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_webhook_allow(ngx_http_request_t *r);
static ngx_uint_t ngx_http_torii_webhook_is_json(ngx_http_request_t *r);
static void ngx_http_torii_webhook_read(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_webhook_answer(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_webhook_body(ngx_http_request_t *r,
    torii_str_t *body);


char *
ngx_http_torii_webhook(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                       *rv;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_torii_loc_conf_t  *tlcf = conf;

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK || !tlcf->webhook) {
        return rv;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_torii_webhook_handler;

    return NGX_CONF_OK;
}


/* As long as a review may be, whatever is set around; and in memory. */

void
ngx_http_torii_webhook_merge(ngx_http_core_loc_conf_t *clcf)
{
    clcf->client_max_body_size = INGRESS_ADMISSION_MAX;
    clcf->client_body_buffer_size = INGRESS_ADMISSION_MAX;
    clcf->client_body_in_file_only = 0;
}


static ngx_int_t
ngx_http_torii_webhook_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (r->method != NGX_HTTP_POST) {
        return ngx_http_torii_webhook_allow(r);
    }

    if (!ngx_http_torii_webhook_is_json(r)) {
        return NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_torii_webhook_read);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


static ngx_int_t
ngx_http_torii_webhook_allow(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    h->hash = 1;
    ngx_str_set(&h->key, "Allow");
    ngx_str_set(&h->value, "POST");

    return NGX_HTTP_NOT_ALLOWED;
}


/* With or without parameters: they say nothing of JSON. */

static ngx_uint_t
ngx_http_torii_webhook_is_json(ngx_http_request_t *r)
{
    u_char           c;
    size_t           len;
    ngx_table_elt_t  *type;

    type = r->headers_in.content_type;
    len = sizeof(NGX_HTTP_TORII_WEBHOOK_JSON) - 1;

    if (type == NULL || type->value.len < len
        || ngx_strncasecmp(type->value.data,
                           (u_char *) NGX_HTTP_TORII_WEBHOOK_JSON, len)
           != 0)
    {
        return 0;
    }

    c = type->value.len == len ? ';' : type->value.data[len];

    return c == ';' || c == ' ' || c == '\t';
}


static void
ngx_http_torii_webhook_read(ngx_http_request_t *r)
{
    ngx_http_finalize_request(r, ngx_http_torii_webhook_answer(r));
}


static ngx_int_t
ngx_http_torii_webhook_answer(ngx_http_request_t *r)
{
    char                         error[128];
    ngx_int_t                    rc;
    torii_buf_t                  out;
    torii_str_t                  body;
    ngx_torii_table_t           *table;
    ngx_http_torii_main_conf_t  *tmcf;

    rc = ngx_http_torii_webhook_body(r, &body);
    if (rc != NGX_OK) {
        return rc;
    }

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_torii_module);

    table = tmcf->state ? ngx_torii_table_current(tmcf, r->connection->log)
                        : NULL;

    /* what cannot be judged is for failurePolicy to decide */

    if (table == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ngx_memzero(&out, sizeof(torii_buf_t));

    rc = ingress_admission_review(&table->table, body, &out, error);

    if (rc == TORII_OK) {
        return ngx_http_torii_admin_send(r, NGX_HTTP_OK,
                                         NGX_HTTP_TORII_WEBHOOK_JSON, &out);
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "torii: webhook: %s", error);

    torii_buf_printf(&out, "%s\n", error);

    return ngx_http_torii_admin_send(r, NGX_HTTP_BAD_REQUEST,
                                     "text/plain; charset=utf-8", &out);
}


/* One buffer as a rule; HTTP/2 and chunks may give several. */

static ngx_int_t
ngx_http_torii_webhook_body(ngx_http_request_t *r, torii_str_t *body)
{
    u_char       *p;
    size_t        len, n;
    ngx_chain_t  *cl;

    body->len = 0;
    body->data = (u_char *) "";

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    len = 0;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        /* more framing than body: no API server sends that */

        if (cl->buf->in_file) {
            return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        }

        len += cl->buf->last - cl->buf->pos;
    }

    cl = r->request_body->bufs;

    if (cl->next == NULL) {
        body->data = cl->buf->pos;
        body->len = len;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, len + 1);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body->data = p;
    body->len = len;

    for ( /* void */ ; cl; cl = cl->next) {
        n = cl->buf->last - cl->buf->pos;

        if (n) {
            p = ngx_cpymem(p, cl->buf->pos, n);
        }
    }

    return NGX_OK;
}
