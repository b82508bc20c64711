
/*
 * An issuer is asked: for its document, then for its keys.
 */

#include "ngx_torii_discovery_ask.h"
#include "ngx_torii_file.h"


#define NGX_TORII_DISCOVERY_TIMEOUT  10000    /* ms of a request */
#define NGX_TORII_DISCOVERY_CONNECT  3000

/* Workers do not ask further issuers for new keys, so we do, as often as may
   be (OAUTH2_KEYS_TTL_MIN). */
#define NGX_TORII_DISCOVERY_SOON     "max-age=0"


static void ngx_torii_discovery_send(ngx_torii_discovery_one_t *one,
    torii_str_t url);
static ngx_int_t ngx_torii_discovery_head(void *data, ngx_uint_t status,
    ngx_str_t *content_type, ngx_uint_t retry_after);
static ngx_int_t ngx_torii_discovery_body(void *data, u_char *p, size_t len);
static void ngx_torii_discovery_done(void *data, const char *error);
static void ngx_torii_discovery_document(ngx_torii_discovery_one_t *one);
static void ngx_torii_discovery_keys(ngx_torii_discovery_one_t *one);
static ngx_uint_t ngx_torii_discovery_tell(ngx_torii_discovery_one_t *one);
static void ngx_torii_discovery_keep(ngx_torii_discovery_one_t *one);
static void ngx_torii_discovery_failed(ngx_torii_discovery_one_t *one,
    const char *error);
static torii_str_t ngx_torii_discovery_file(torii_arena_t *a,
    torii_str_t name, torii_str_t further);
static torii_str_t ngx_torii_discovery_str(torii_buf_t *b);


void
ngx_torii_discovery_ask(ngx_torii_discovery_one_t *one)
{
    torii_buf_t  url;

    ngx_memzero(&url, sizeof(torii_buf_t));
    oauth2_discovery_url(one->issuer, &url);

    one->second = 0;
    ngx_torii_discovery_send(one, ngx_torii_discovery_str(&url));

    torii_buf_free(&url);
}


static void
ngx_torii_discovery_send(ngx_torii_discovery_one_t *one, torii_str_t url)
{
    char                       *headers[2];
    torii_str_t                 text;
    ngx_torii_curl_request_t    req;
    ngx_torii_curl_handlers_t   handlers;

    one->status = 0;
    one->body.len = 0;
    one->cache.len = 0;

    text = torii_arena_printf(one->arena, "%.*s", torii_str_arg(url));

    headers[0] = "Accept: application/json";
    headers[1] = NULL;

    ngx_memzero(&req, sizeof(ngx_torii_curl_request_t));

    req.method = "GET";
    req.url = (char *) text.data;
    req.headers = headers;
    req.timeout = NGX_TORII_DISCOVERY_TIMEOUT;
    req.connect_timeout = NGX_TORII_DISCOVERY_CONNECT;
    req.tls = one->tls.store ? &one->tls : NULL;

    handlers.head = ngx_torii_discovery_head;
    handlers.body = ngx_torii_discovery_body;
    handlers.done = ngx_torii_discovery_done;
    handlers.data = one;

    one->transfer = ngx_torii_curl_start(one->discovery->curl, &req,
                                         &handlers);
    if (one->transfer == NULL) {
        ngx_torii_discovery_failed(one, "cannot be asked");
    }
}


static ngx_int_t
ngx_torii_discovery_head(void *data, ngx_uint_t status,
    ngx_str_t *content_type, ngx_uint_t retry_after)
{
    ngx_torii_discovery_one_t *one = data;

    ngx_str_t  value;

    one->status = status;

    if (ngx_torii_curl_field(one->transfer, "Cache-Control", 0, &value)
        == NGX_OK)
    {
        torii_buf_add(&one->cache, value.data, value.len);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_torii_discovery_body(void *data, u_char *p, size_t len)
{
    ngx_torii_discovery_one_t *one = data;

    size_t  room;

    room = OAUTH2_BODY_MAX + 1 - one->body.len;

    torii_buf_add(&one->body, p, ngx_min(len, room));

    return NGX_OK;
}


static void
ngx_torii_discovery_done(void *data, const char *error)
{
    ngx_torii_discovery_one_t *one = data;

    one->transfer = NULL;

    /* its settings have changed: it is made anew with the next table, if it
       is still to be asked */

    if (one->stale || !one->seen) {
        ngx_torii_pipeline_changed(one->discovery->helper,
                                   ngx_torii_publish_us());
        ngx_torii_pipeline_publish(one->discovery->helper);
        return;
    }

    if (error) {
        ngx_log_error(NGX_LOG_INFO, one->discovery->log, 0,
                      "torii: issuer \"%*s\" of login provider \"%*s\": %s",
                      one->issuer.len, one->issuer.data, one->name.len,
                      one->name.data, error);
        ngx_torii_discovery_failed(one, "does not answer");
        return;
    }

    if (one->status != NGX_HTTP_OK) {
        ngx_torii_discovery_failed(one, "does not answer with 200");
        return;
    }

    if (one->second) {
        ngx_torii_discovery_keys(one);

    } else {
        ngx_torii_discovery_document(one);
    }
}


static void
ngx_torii_discovery_document(ngx_torii_discovery_one_t *one)
{
    const char          *error;
    torii_str_t          url;
    torii_arena_t       *arena;
    oauth2_endpoints_t   endpoints;

    one->document.len = 0;
    torii_buf_add(&one->document, one->body.data, one->body.len);

    arena = torii_arena_create(16384);

    if (oauth2_discovery_read(arena, ngx_torii_discovery_str(&one->document),
                              one->issuer,
                              one->settings.provider.algs,
                              one->settings.provider.loopback, &endpoints,
                              &error)
        != TORII_OK)
    {
        ngx_torii_discovery_failed(one, error);

    } else {
        url = endpoints.jwks;
        one->second = 1;
        ngx_torii_discovery_send(one, url);
    }

    torii_arena_destroy(arena);
}


static void
ngx_torii_discovery_keys(ngx_torii_discovery_one_t *one)
{
    const char          *error;
    torii_str_t          cache;
    ngx_torii_helper_t  *h;

    cache = one->further.len ? torii_str(NGX_TORII_DISCOVERY_SOON)
                             : ngx_torii_discovery_str(&one->cache);

    if (oauth2_keys_set(one->keys, ngx_torii_discovery_str(&one->body), cache,
                        ngx_time(), &error)
        != TORII_OK)
    {
        ngx_torii_discovery_failed(one, error);
        return;
    }

    h = one->discovery->helper;

    if (ngx_torii_discovery_tell(one)) {
        ngx_torii_discovery_keep(one);
        ngx_torii_pipeline_changed(h, ngx_torii_publish_us());
    }

    one->known = 1;

    if (one->error) {
        one->error = NULL;
        ngx_torii_pipeline_changed(h, ngx_torii_publish_us());
    }

    ngx_torii_pipeline_publish(h);
}


static ngx_uint_t
ngx_torii_discovery_tell(ngx_torii_discovery_one_t *one)
{
    torii_str_t       keys;
    ingress_store_t  *store;

    store = one->discovery->helper->store;
    keys = ngx_torii_discovery_str(&one->body);

    if (one->further.len) {
        return ingress_store_told_issuer(store, one->name, one->further, keys);
    }

    return ingress_store_told(store, one->name,
                              ngx_torii_discovery_str(&one->document), keys,
                              (uint64_t) ngx_time());
}


static void
ngx_torii_discovery_keep(ngx_torii_discovery_one_t *one)
{
    torii_buf_t     b;
    torii_arena_t  *arena;

    arena = torii_arena_create(1024);
    ngx_memzero(&b, sizeof(torii_buf_t));

    torii_buf_adds(&b, "{\"issuer\":");
    torii_buf_add_json(&b, one->issuer);
    torii_buf_printf(&b, ",\"fetched\":%lld,\"discovery\":",
                     (long long) ngx_time());
    torii_buf_add_json(&b, ngx_torii_discovery_str(&one->document));
    torii_buf_adds(&b, ",\"keys\":");
    torii_buf_add_json(&b, ngx_torii_discovery_str(&one->body));
    torii_buf_adds(&b, "}\n");

    (void) ngx_torii_file_write(&one->discovery->dir,
                                ngx_torii_discovery_file(arena, one->name,
                                                         one->further),
                                ngx_torii_discovery_str(&b), 1,
                                one->discovery->log);

    torii_buf_free(&b);
    torii_arena_destroy(arena);
}


/* What there is goes on being used. */

static void
ngx_torii_discovery_failed(ngx_torii_discovery_one_t *one, const char *error)
{
    ngx_torii_helper_t  *h;

    h = one->discovery->helper;

    oauth2_keys_failed(one->keys, ngx_time());

    if (one->error && ngx_strcmp(one->error, error) == 0) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, one->discovery->log, 0,
                  "torii: issuer \"%*s\" of login provider \"%*s\" %s",
                  one->issuer.len, one->issuer.data, one->name.len,
                  one->name.data, error);

    one->error = error;

    ngx_torii_pipeline_changed(h, ngx_torii_publish_us());
    ngx_torii_pipeline_publish(h);
}


void
ngx_torii_discovery_drop(ngx_torii_discovery_t *d, torii_str_t name,
    torii_str_t issuer)
{
    torii_arena_t  *arena;

    if (ingress_store_told_issuer(d->helper->store, name, issuer,
                                  torii_str("")))
    {
        ngx_torii_pipeline_changed(d->helper, ngx_torii_publish_us());
    }

    arena = torii_arena_create(1024);

    (void) ngx_torii_file_remove(&d->dir,
                                 ngx_torii_discovery_file(arena, name, issuer),
                                 d->log);

    torii_arena_destroy(arena);
}


/* No name of a Secret has "@". */

static torii_str_t
ngx_torii_discovery_file(torii_arena_t *a, torii_str_t name,
    torii_str_t further)
{
    if (further.len == 0) {
        return torii_arena_printf(a, "%.*s.json", torii_str_arg(name));
    }

    return torii_arena_printf(a, "%.*s@%016llx.json", torii_str_arg(name),
                              (unsigned long long) torii_hash(further.data,
                                                              further.len, 0));
}


static torii_str_t
ngx_torii_discovery_str(torii_buf_t *b)
{
    torii_str_t  s;

    s.data = b->data ? b->data : (u_char *) "";
    s.len = b->len;

    return s;
}
