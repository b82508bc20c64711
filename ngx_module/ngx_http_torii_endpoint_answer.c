
/*
 * What the login's own paths read of a request and answer with.
 */

#include "ngx_http_torii_endpoint.h"


static torii_str_t ngx_http_torii_endpoint_served(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, torii_str_t rd);


ngx_int_t
ngx_http_torii_endpoint_send(ngx_http_request_t *r, ngx_uint_t status,
    char *type, torii_buf_t *body)
{
    ngx_int_t                  rc;
    ngx_str_t                  ct;
    ngx_http_complex_value_t   cv;

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    ct.data = (u_char *) type;
    ct.len = ngx_strlen(type);

    if (body && body->len) {
        cv.value.data = ngx_pnalloc(r->pool, body->len);

        if (cv.value.data) {
            ngx_memcpy(cv.value.data, body->data, body->len);
            cv.value.len = body->len;
        }
    }

    rc = ngx_http_send_response(r, status, &ct, &cv);

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}


ngx_int_t
ngx_http_torii_endpoint_page(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, ngx_http_torii_page_e page,
    ngx_uint_t status, oauth2_fail_e reason, torii_str_t rd)
{
    ngx_int_t  rc;

    if (ngx_http_torii_session_no_store(e->request) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_torii_page(e->request, p, page, status, reason, rd);

    ngx_http_finalize_request(e->request, rc);

    return NGX_DONE;
}


ngx_int_t
ngx_http_torii_endpoint_redirect(ngx_http_request_t *r, torii_str_t location)
{
    if (ngx_http_torii_session_no_store(r) != NGX_OK
        || ngx_http_torii_endpoint_header(r, "Referrer-Policy",
                                          torii_str("no-referrer"))
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_clear_location(r);

    /* not as r->headers_out.location: nginx would make a path absolute, with
       a port that may not be the one that clients see */

    if (ngx_http_torii_endpoint_header(r, "Location", location) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_MOVED_TEMPORARILY;
}


ngx_int_t
ngx_http_torii_endpoint_header(ngx_http_request_t *r, char *name,
    torii_str_t value)
{
    u_char           *p;
    ngx_table_elt_t  *h;

    p = ngx_pnalloc(r->pool, value.len + 1);
    h = p ? ngx_list_push(&r->headers_out.headers) : NULL;

    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, value.data, value.len);

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = p;
    h->value.len = value.len;

    return NGX_OK;
}


ngx_int_t
ngx_http_torii_endpoint_wait(ngx_http_torii_endpoint_t *e)
{
    e->request->read_event_handler = ngx_http_test_reading;
    e->request->write_event_handler = ngx_http_request_empty_handler;

    return NGX_DONE;
}


/* Both were looked up before: an answer frees the request, and e with it. */

void
ngx_http_torii_endpoint_resume(ngx_http_request_t *r, ngx_connection_t *c,
    ngx_int_t rc)
{
    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }

    ngx_http_run_posted_requests(c);
}


torii_str_t
ngx_http_torii_endpoint_origin(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_provider_t *p)
{
    u_char       *buf, *last;
    size_t        len;
    ngx_str_t     name;
    torii_str_t   origin;

    name = ngx_http_torii_hostname(&ctx->best_host);
    len = sizeof("https://") + r->headers_in.server.len
          + (ctx->best_host.len - name.len);

    origin = torii_str("");

    buf = ngx_pnalloc(r->pool, len);
    if (buf == NULL) {
        return origin;
    }

    last = ngx_sprintf(buf, "%s%V%*s",
                       (p->settings.cookie.secure || ctx->scheme.len == 5)
                       ? "https://" : "http://",
                       &r->headers_in.server, ctx->best_host.len - name.len,
                       name.data + name.len);

    origin.data = buf;
    origin.len = last - buf;

    return origin;
}


/* Hosts that are logged in to by the same provider trust each other. */

static torii_str_t
ngx_http_torii_endpoint_served(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, torii_str_t rd)
{
    u_char                      *begin, *q, *last;
    uint32_t                     i;
    torii_str_t                  name;
    const ingress_table_host_t  *host;

    name = torii_str("");

    if (!torii_str_starts(rd, "https://")) {
        return name;
    }

    last = rd.data + rd.len;
    begin = rd.data + sizeof("https://") - 1;

    for (q = begin; q < last; q++) {
        if (*q == '/' || *q == '?' || *q == '#' || *q == ':') {
            break;
        }
    }

    name.data = begin;
    name.len = q - begin;
    name = torii_arena_str(e->arena, name);

    for (i = 0; i < name.len; i++) {
        name.data[i] = ngx_tolower(name.data[i]);
    }

    host = ingress_route_host(&e->ctx->table->table, ngx_torii_regexes(),
                              name);

    for (i = 0; i < e->n; i++) {

        if (e->providers[i] != p
            || host == &e->ctx->table->table.hosts[
                           e->ctx->table->table.header->default_host]
            || !ngx_http_torii_endpoint_serves(e->ctx->table, host,
                                               e->indexes[i]))
        {
            continue;
        }

        /* with the port that we are seen at */

        last = e->origin.data + e->origin.len;
        q = ngx_strlchr(e->origin.data + sizeof("https://") - 1, last, ':');

        return q ? torii_arena_printf(e->arena, "%.*s%.*s",
                                      torii_str_arg(name), (int) (last - q),
                                      (char *) q)
                 : name;
    }

    return torii_str("");
}


torii_str_t
ngx_http_torii_endpoint_rd(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, ngx_uint_t logout)
{
    int                 rc;
    u_char             *q, *last;
    uint64_t            port;
    uint32_t            n;
    torii_str_t         rd, text, *allowed;
    torii_buf_t         to;
    oauth2_redirect_t   conf;

    rc = oauth2_form_get(&e->form, "rd", &rd);

    if (rc == TORII_ERROR) {
        return torii_str("/");
    }

    if (rc == TORII_DECLINED || rd.len == 0) {
        rd = ngx_http_torii_login_field(e->request, "X-Auth-Request-Redirect");
    }

    if (rd.len == 0) {
        return torii_str(logout ? "" : "/");
    }

    ngx_memzero(&conf, sizeof(oauth2_redirect_t));

    n = p->settings.nwhitelist;
    allowed = torii_arena_alloc(e->arena, (n + 1) * sizeof(torii_str_t));

    if (n) {
        ngx_memcpy(allowed, p->settings.whitelist, n * sizeof(torii_str_t));
    }

    allowed[n] = ngx_http_torii_endpoint_served(e, p, rd);

    if (allowed[n].len) {
        n++;
    }

    conf.host = ngx_http_torii_session_host(e->request);
    conf.prefix = p->settings.prefix;
    conf.allowed = allowed;
    conf.nallowed = n;
    conf.http = !p->settings.cookie.secure;

    last = e->origin.data + e->origin.len;
    q = last;

    while (q > e->origin.data && q[-1] >= '0' && q[-1] <= '9') {
        q--;
    }

    if (q < last && q[-1] == ':') {
        text.data = q;
        text.len = last - q;

        if (torii_str_uint(text, 65535, &port) == TORII_OK) {
            conf.port = (uint16_t) port;
        }
    }

    ngx_memzero(&to, sizeof(torii_buf_t));

    rc = logout ? oauth2_redirect_logout(&conf, rd, &to)
                : oauth2_redirect_check(&conf, rd, &to);

    text = torii_str("/");

    if (rc == TORII_OK) {
        text.data = to.data;
        text.len = to.len;
        text = torii_arena_str(e->arena, text);
    }

    torii_buf_free(&to);

    return text;
}
