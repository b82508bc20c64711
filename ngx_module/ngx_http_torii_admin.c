
/*
 * "torii_admin on;": what probes, Prometheus and people ask a gateway about
 * itself.  It listens where the operator says; nothing here changes anything.
 */

#include "ngx_http_torii_login.h"


typedef struct {
    ngx_str_t            path;
    char                *type;
    char                *what;
    ngx_uint_t         (*handler)(ngx_http_request_t *r,
                                  ngx_http_torii_main_conf_t *tmcf,
                                  ngx_torii_table_t *table, torii_buf_t *out);
} ngx_http_torii_page_t;


/* A page that is sent as it is written. */

typedef struct {
    torii_buf_t          out;       /* the piece that is being sent */
    ngx_uint_t           at;        /* what comes next */
    unsigned             last:1;
} ngx_http_torii_stream_t;


static ngx_int_t ngx_http_torii_admin_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_admin_header(ngx_http_request_t *r,
    ngx_uint_t status, char *type, off_t len);
static void ngx_http_torii_admin_cleanup(void *data);
static ngx_int_t ngx_http_torii_admin_stream(ngx_http_request_t *r, char *type,
    torii_buf_t *out);
static void ngx_http_torii_admin_stream_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_admin_stream_piece(ngx_http_request_t *r,
    ngx_http_torii_stream_t *stream);
static void ngx_http_torii_admin_stream_cleanup(void *data);
static ngx_uint_t ngx_http_torii_admin_index(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out);
static ngx_uint_t ngx_http_torii_admin_healthz(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out);
static ngx_uint_t ngx_http_torii_admin_readyz(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out);
static ngx_uint_t ngx_http_torii_admin_findings(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out);
static ngx_uint_t ngx_http_torii_admin_routes(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out);
static void ngx_http_torii_admin_route(ingress_table_t *t,
    const ingress_table_route_t *route, torii_buf_t *out);
static void ngx_http_torii_admin_field(torii_buf_t *out, char *name,
    torii_str_t value);


static char  ngx_http_torii_json[] = "application/json";
static char  ngx_http_torii_text[] = "text/plain; charset=utf-8";


static ngx_http_torii_page_t  ngx_http_torii_pages[] = {
    { ngx_string("/"), ngx_http_torii_text,
      "this list", ngx_http_torii_admin_index },
    { ngx_string("/healthz"), ngx_http_torii_text,
      "200 while the process lives", ngx_http_torii_admin_healthz },
    { ngx_string("/readyz"), ngx_http_torii_json,
      "200 once a routing table is in force", ngx_http_torii_admin_readyz },
    { ngx_string("/metrics"), "text/plain; version=0.0.4; charset=utf-8",
      "Prometheus metrics", ngx_http_torii_admin_metrics },
    { ngx_string("/api/findings"), ngx_http_torii_json,
      "what is wrong with the objects", ngx_http_torii_admin_findings },
    { ngx_string("/api/routes"), ngx_http_torii_json,
      "all routes; ?host=NAME for one host's", ngx_http_torii_admin_routes },
    { ngx_string("/api/certificates"), ngx_http_torii_json,
      "certificates that are issued here, and their issuers",
      ngx_http_torii_acme_page },
    { ngx_string("/api/dns"), ngx_http_torii_json,
      "providers of DNS, their zones, and the hosts in them",
      ngx_http_torii_dns_page },
    { ngx_string("/api/sessions"), ngx_http_torii_json,
      "how many logins there were, and what came of them",
      ngx_torii_login_page },
    { ngx_string("/api/source"), ngx_http_torii_json,
      "where the objects come from, and how that is",
      ngx_http_torii_source_page },
    { ngx_null_string, NULL, NULL, NULL }
};


char *
ngx_http_torii_admin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    value = cf->args->elts;

    if (ngx_strcasecmp(value[1].data, (u_char *) "off") == 0) {
        return NGX_CONF_OK;
    }

    if (ngx_strcasecmp(value[1].data, (u_char *) "on") != 0) {
        return "takes \"on\" or \"off\"";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_torii_admin_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_torii_admin_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_uint_t                   status;
    torii_buf_t                  out;
    ngx_torii_table_t           *table;
    ngx_http_torii_page_t       *page;
    ngx_http_torii_main_conf_t  *tmcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    for (page = ngx_http_torii_pages; page->path.len; page++) {
        if (r->uri.len == page->path.len
            && ngx_strncmp(r->uri.data, page->path.data, r->uri.len) == 0)
        {
            break;
        }
    }

    if (page->path.len == 0) {
        return NGX_HTTP_NOT_FOUND;
    }

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_torii_module);

    table = tmcf->state ? ngx_torii_table_current(tmcf, r->connection->log)
                        : NULL;

    ngx_memzero(&out, sizeof(torii_buf_t));

    status = page->handler(r, tmcf, table, &out);

    if (page->handler == ngx_http_torii_admin_metrics) {
        return ngx_http_torii_admin_stream(r, page->type, &out);
    }

    return ngx_http_torii_admin_send(r, status, page->type, &out);
}


ngx_int_t
ngx_http_torii_admin_send(ngx_http_request_t *r, ngx_uint_t status, char *type,
    torii_buf_t *out)
{
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_chain_t          cl;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    b = ngx_calloc_buf(r->pool);

    if (cln == NULL || b == NULL) {
        torii_buf_free(out);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->start = out->data;
    b->pos = out->data;
    b->last = out->data + out->len;
    b->end = b->last;
    b->memory = out->len != 0;
    b->last_buf = 1;
    b->last_in_chain = 1;

    cln->handler = ngx_http_torii_admin_cleanup;
    cln->data = out->data;

    rc = ngx_http_torii_admin_header(r, status, type, out->len);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    cl.buf = b;
    cl.next = NULL;

    return ngx_http_output_filter(r, &cl);
}


static ngx_int_t
ngx_http_torii_admin_header(ngx_http_request_t *r, ngx_uint_t status,
    char *type, off_t len)
{
    r->headers_out.status = status;
    r->headers_out.content_length_n = len;
    r->headers_out.content_type.data = (u_char *) type;
    r->headers_out.content_type.len = ngx_strlen(type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    return ngx_http_send_header(r);
}


static void
ngx_http_torii_admin_cleanup(void *data)
{
    free(data);
}


/* out is the first piece; the series follow, one piece in each turn. */

static ngx_int_t
ngx_http_torii_admin_stream(ngx_http_request_t *r, char *type,
    torii_buf_t *out)
{
    ngx_int_t                 rc;
    ngx_pool_cleanup_t       *cln;
    ngx_http_torii_stream_t  *stream;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_torii_stream_t));

    if (cln == NULL) {
        torii_buf_free(out);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    stream = cln->data;
    stream->out = *out;
    stream->at = 0;
    stream->last = 0;

    cln->handler = ngx_http_torii_admin_stream_cleanup;

    rc = ngx_http_torii_admin_header(r, NGX_HTTP_OK, type, -1);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    r->main->count++;
    r->write_event_handler = ngx_http_torii_admin_stream_handler;

    ngx_http_torii_admin_stream_handler(r);

    return NGX_DONE;
}


static void
ngx_http_torii_admin_stream_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_event_t               *wev;
    ngx_pool_cleanup_t        *cln;
    ngx_http_torii_stream_t   *stream;
    ngx_http_core_loc_conf_t  *clcf;

    wev = r->connection->write;

    if (wev->timedout) {
        r->connection->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    cln = r->pool->cleanup;

    while (cln->handler != ngx_http_torii_admin_stream_cleanup) {
        cln = cln->next;
    }

    stream = cln->data;

    rc = r->buffered || r->connection->buffered
         ? ngx_http_output_filter(r, NULL)
         : ngx_http_torii_admin_stream_piece(r, stream);

    if (rc == NGX_ERROR || stream->last) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    if (r->buffered || r->connection->buffered) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        if (!wev->delayed) {
            ngx_add_timer(wev, clcf->send_timeout);
        }

        if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
        }

        return;
    }

    if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    ngx_post_event(wev, &ngx_posted_next_events);
}


static ngx_int_t
ngx_http_torii_admin_stream_piece(ngx_http_request_t *r,
    ngx_http_torii_stream_t *stream)
{
    ngx_buf_t                   *b;
    ngx_chain_t                  cl;
    ngx_http_torii_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_torii_module);

    /* all of the piece before is sent, and its memory is free */

    if (stream->at) {
        stream->out.len = 0;
    }

    stream->last = ngx_http_torii_metrics_write(tmcf, &stream->at,
                                                &stream->out)
                   == NGX_OK;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->start = stream->out.data;
    b->pos = b->start;
    b->last = b->start + stream->out.len;
    b->end = b->last;
    b->memory = 1;
    b->flush = 1;
    b->last_buf = stream->last;

    cl.buf = b;
    cl.next = NULL;

    return ngx_http_output_filter(r, &cl);
}


static void
ngx_http_torii_admin_stream_cleanup(void *data)
{
    ngx_http_torii_stream_t *stream = data;

    torii_buf_free(&stream->out);
}


static ngx_uint_t
ngx_http_torii_admin_index(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out)
{
    ngx_http_torii_page_t  *page;

    torii_buf_adds(out, "Torii " TORII_VERSION "\n\n");

    for (page = ngx_http_torii_pages; page->path.len; page++) {
        torii_buf_printf(out, "%-18s %s\n", (char *) page->path.data,
                         page->what);
    }

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_torii_admin_healthz(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out)
{
    torii_buf_adds(out, "ok\n");

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_torii_admin_readyz(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out)
{
    ngx_torii_control_t  *control;

    control = ngx_torii_control();

    torii_buf_printf(out, "{\"ready\":%s,\"generation\":%lu,\"routes\":%u,"
                     "\"synced\":%s,\"helper\":{\"pid\":%lu,"
                     "\"beat\":%lu},\"source\":{\"state\":\"%s\"}}\n",
                     table ? "true" : "false",
                     table ? (unsigned long) table->generation : 0,
                     table ? ingress_table_n(&table->table, ROUTES) : 0,
                     control && control->synced ? "true" : "false",
                     control ? (unsigned long) control->helper_pid : 0,
                     control ? (unsigned long) control->beat : 0,
                     ngx_http_torii_source_state());

    return table ? NGX_HTTP_OK : NGX_HTTP_SERVICE_UNAVAILABLE;
}


static ngx_uint_t
ngx_http_torii_admin_findings(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out)
{
    if (table == NULL) {
        torii_buf_adds(out, "[]");
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    torii_buf_add_str(out, ingress_table_str(&table->table,
                                             table->table.header->findings));

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_torii_admin_routes(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out)
{
    uint32_t                      i, n;
    ngx_str_t                     arg;
    torii_str_t                   host;
    ingress_table_t              *t;
    const ingress_table_route_t  *route;

    if (table == NULL) {
        torii_buf_adds(out, "[]");
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (ngx_http_arg(r, (u_char *) "host", 4, &arg) != NGX_OK) {
        ngx_str_null(&arg);
    }

    t = &table->table;
    n = 0;

    torii_buf_adds(out, "[");

    for (i = 0; i < ingress_table_n(t, ROUTES); i++) {
        route = &t->routes[i];
        host = ingress_table_str(t, route->host);

        if (arg.len && !torii_str_caseeq(host, (torii_str_t) { arg.len,
                                                               arg.data }))
        {
            continue;
        }

        torii_buf_adds(out, n++ ? ",\n" : "\n");
        ngx_http_torii_admin_route(t, route, out);
    }

    torii_buf_adds(out, "\n]\n");

    return NGX_HTTP_OK;
}


static void
ngx_http_torii_admin_route(ingress_table_t *t,
    const ingress_table_route_t *route, torii_buf_t *out)
{
    const ingress_policy_t         *policy;
    const ingress_table_backend_t  *backend;
    const ingress_table_ingress_t  *ingress;

    static char  *types[] = { "ImplementationSpecific", "Exact", "Prefix" };
    static char  *protocols[] = { "HTTP", "HTTPS", "AUTO_HTTP", "GRPC",
                                  "GRPCS", "FCGI" };

    policy = &t->policies[route->policy];

    torii_buf_adds(out, "{");
    ngx_http_torii_admin_field(out, "host", ingress_table_str(t, route->host));
    ngx_http_torii_admin_field(out, "path", ingress_table_str(t, route->path));
    ngx_http_torii_admin_field(out, "pathType", torii_str(types[route->type]));

    if (route->ingress != INGRESS_NONE) {
        ingress = &t->ingresses[route->ingress];

        ngx_http_torii_admin_field(out, "namespace",
                                   ingress_table_str(t, ingress->namespace));
        ngx_http_torii_admin_field(out, "ingress",
                                   ingress_table_str(t, ingress->name));
        ngx_http_torii_admin_field(out, "file",
                                   ingress_table_str(t, ingress->file));
    }

    ngx_http_torii_admin_field(out, "service",
                               ingress_table_str(t, route->service));
    ngx_http_torii_admin_field(out, "port", ingress_table_str(t, route->port));
    ngx_http_torii_admin_field(out, "protocol",
                               torii_str(protocols[policy->protocol]));

    backend = route->backend == INGRESS_NONE ? NULL
                                             : &t->backends[route->backend];

    torii_buf_printf(out, "\"endpoints\":%u,\"bodySize\":%lu,\"denied\":%s,"
                     "\"auto\":%s}",
                     backend ? backend->n : 0,
                     (unsigned long) policy->body_size,
                     policy->deny ? "true" : "false",
                     route->flags & INGRESS_ROUTE_AUTO ? "true" : "false");
}


static void
ngx_http_torii_admin_field(torii_buf_t *out, char *name, torii_str_t value)
{
    torii_buf_printf(out, "\"%s\":", name);
    torii_buf_add_json(out, value);
    torii_buf_adds(out, ",");
}
