
/*
 * Writes to the cluster: Secrets by server-side apply, one request each, and
 * what became of it.
 */

#include "ngx_torii_acme_cluster.h"

#include <openssl/sha.h>


static void ngx_torii_write_send(ngx_torii_write_t *w,
    const ingress_api_request_t *req, ngx_torii_api_answer_pt handler);


ngx_torii_write_t *
ngx_torii_write_create(ngx_torii_cluster_t *c, uint32_t ticket,
    const char *what, torii_str_t subject)
{
    torii_arena_t      *arena;
    ngx_torii_write_t  *w;

    arena = torii_arena_create(1024);
    w = torii_arena_zalloc(arena, sizeof(ngx_torii_write_t));

    w->arena = arena;
    w->cluster = c;
    w->term = c->acme->term;
    w->ticket = ticket;
    w->what = what;
    w->subject = torii_arena_str(arena, subject);

    return w;
}


void
ngx_torii_write_free(ngx_torii_write_t *w)
{
    if (w->key.len) {
        ngx_explicit_memzero(w->key.data, w->key.len);
    }

    torii_arena_destroy(w->arena);
}


void
ngx_torii_write_done(ngx_torii_write_t *w, ngx_uint_t ok)
{
    if (!w->restore) {
        ngx_torii_acme_saved(w->cluster->acme, w->term, w->ticket, ok);
    }

    ngx_torii_write_free(w);
}


ngx_uint_t
ngx_torii_write_ok(ngx_torii_write_t *w, const ingress_api_answer_t *answer,
    torii_str_t body)
{
    char                   text[256];
    ngx_torii_cluster_t   *c;
    ingress_api_status_t   status;

    c = w->cluster;

    if (answer->error == NULL
        && (answer->status == 200 || answer->status == 201))
    {
        c->said[0] = '\0';
        return 1;
    }

    if (answer->error) {
        (void) snprintf(text, sizeof(text), "%s", answer->error);

    } else if (ingress_api_status_parse(body, &status) == TORII_OK) {

        if (w->removes && ngx_strcmp(status.reason, "NotFound") == 0) {
            return 1;
        }

        (void) snprintf(text, sizeof(text), "%u: %.*s",
                        (unsigned) answer->status, 200, status.message);

    } else {
        (void) snprintf(text, sizeof(text), "status %u",
                        (unsigned) answer->status);
    }

    /* each trouble once, until all is well */

    if (ngx_strcmp(c->said, text) != 0) {
        ngx_cpystrn((u_char *) c->said, (u_char *) text, sizeof(c->said));
        ngx_log_error(NGX_LOG_ERR, c->acme->log, 0,
                      "torii: %s of \"%*s\" cannot be kept in the cluster: "
                      "%s", w->what, w->subject.len, w->subject.data, text);
    }

    return 0;
}


void
ngx_torii_write_state(ngx_torii_write_t *w, torii_str_t name,
    torii_str_t data, ngx_torii_api_answer_pt handler)
{
    torii_buf_t             body;
    torii_str_t             own, s, namespace;
    ingress_api_request_t   req;

    namespace = w->cluster->namespace;
    own = ngx_torii_write_name(w->arena, name);

    if (data.len == 0) {
        w->removes = 1;

        ngx_memzero(&req, sizeof(ingress_api_request_t));
        req.method = "DELETE";
        req.path = torii_arena_printf(w->arena, "/api/v1/namespaces/%.*s/"
                                      "secrets/%.*s",
                                      torii_str_arg(namespace),
                                      torii_str_arg(own));
        ngx_torii_write_send(w, &req, handler);
        return;
    }

    ngx_memzero(&body, sizeof(torii_buf_t));

    torii_buf_printf(&body, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\","
                     "\"metadata\":{\"name\":\"%.*s\",\"namespace\":"
                     "\"%.*s\",\"labels\":{\"app.kubernetes.io/managed-by\":"
                     "\"torii\",\"torii/acme\":\"state\"}},\"type\":\""
                     NGX_TORII_CLUSTER_TYPE "\",\"data\":{\"name\":",
                     torii_str_arg(own), torii_str_arg(namespace));
    ngx_torii_write_base64(&body, name);
    torii_buf_adds(&body, ",\"state\":");
    ngx_torii_write_base64(&body, data);
    torii_buf_adds(&body, "}}");

    s.data = body.data;
    s.len = body.len;

    ngx_torii_write_apply(w, namespace, own, s, handler);

    ngx_explicit_memzero(body.data, body.size);
    torii_buf_free(&body);
}


/* Names of the state hold what users write: no two of them may meet. */

torii_str_t
ngx_torii_write_name(torii_arena_t *arena, torii_str_t name)
{
    u_char  hash[SHA256_DIGEST_LENGTH], hex[32];

    (void) SHA256(name.data, name.len, hash);
    (void) ngx_hex_dump(hex, hash, 16);

    return torii_arena_printf(arena, "torii-acme-%.32s", hex);
}


void
ngx_torii_write_base64(torii_buf_t *b, torii_str_t data)
{
    ngx_str_t  to, from;

    from.data = data.data;
    from.len = data.len;

    torii_buf_adds(b, "\"");

    to.data = torii_buf_room(b, ngx_base64_encoded_length(from.len));
    ngx_encode_base64(&to, &from);
    b->len += to.len;

    torii_buf_adds(b, "\"");
}


void
ngx_torii_write_apply(ngx_torii_write_t *w, torii_str_t namespace,
    torii_str_t name, torii_str_t body, ngx_torii_api_answer_pt handler)
{
    ingress_api_request_t  req;

    ngx_memzero(&req, sizeof(ingress_api_request_t));

    if (name.len) {
        req.method = "PATCH";
        req.content_type = "application/apply-patch+yaml";
        req.path = torii_arena_printf(w->arena, "/api/v1/namespaces/%.*s/"
                                      "secrets/%.*s?fieldManager=torii&"
                                      "force=true", torii_str_arg(namespace),
                                      torii_str_arg(name));

    } else {
        req.method = "POST";
        req.content_type = "application/json";
        req.path = torii_arena_printf(w->arena, "/api/v1/namespaces/%.*s/"
                                      "secrets?fieldManager=torii",
                                      torii_str_arg(namespace));
    }

    req.body = body;

    ngx_torii_write_send(w, &req, handler);
}


static void
ngx_torii_write_send(ngx_torii_write_t *w, const ingress_api_request_t *req,
    ngx_torii_api_answer_pt handler)
{
    ingress_api_request_t  sent;

    sent = *req;
    sent.timeout = NGX_TORII_CLUSTER_TIMEOUT;

    ngx_torii_api_ask(w->cluster->api, &sent, handler, w, 0);
}
