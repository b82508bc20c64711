
/*
 * The state of certificates, written to its Secrets, and keys of accounts.
 */

#include "ngx_torii_acme_cluster.h"


static void ngx_torii_cluster_forget(ngx_torii_cluster_t *c,
    torii_str_t name);
static void ngx_torii_cluster_saved(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);
static ngx_int_t ngx_torii_cluster_pem(torii_buf_t *b, torii_str_t pem);


ngx_int_t
ngx_torii_cluster_save(ngx_torii_acme_t *a, const acme_action_t *action)
{
    ngx_torii_write_t    *w;
    ngx_torii_cluster_t  *c;

    c = a->keeping;

    w = ngx_torii_write_create(c, action->ticket, "state", action->name);

    if (action->data.len == 0) {
        ngx_torii_cluster_forget(c, action->name);
    }

    ngx_torii_write_state(w, action->name, action->data,
                          ngx_torii_cluster_saved);

    return NGX_AGAIN;
}


/* "certs/namespace/secret.json" takes its certificate's copy along. */

static void
ngx_torii_cluster_forget(ngx_torii_cluster_t *c, torii_str_t name)
{
    torii_str_t         copy;
    ngx_torii_write_t  *w;

    if (!torii_str_starts(name, "certs/") || name.len <= 11) {
        return;
    }

    name.data += 6;
    name.len -= 11;

    if (!ngx_torii_copy_forget(c, name)) {
        return;
    }

    w = ngx_torii_write_create(c, 0, "copy", name);
    w->restore = 1;

    copy = torii_arena_printf(w->arena, NGX_TORII_CLUSTER_COPIES "%.*s",
                              torii_str_arg(name));

    ngx_torii_write_state(w, copy, torii_str(""), ngx_torii_cluster_saved);
}


static void
ngx_torii_cluster_saved(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ngx_torii_write_t *w = data;

    ngx_torii_write_done(w, ngx_torii_write_ok(w, answer, body));
}


/*
 * Made if there is none: of two who make one, the second goes on with what the
 * first made, which the watch brings.  One that is there is replaced only
 * because the machine, which was told of it, wants another (a rollover).
 */

ngx_int_t
ngx_torii_cluster_account(ngx_torii_acme_t *a, const acme_action_t *action)
{
    torii_buf_t            body, pem;
    torii_str_t            namespace, there, s;
    ngx_torii_write_t     *w;
    ngx_torii_cluster_t   *c;
    ingress_secret_ref_t   ref;

    c = a->keeping;

    if (ngx_torii_issuer_place(a, action->issuer, &namespace, &ref, &there)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memzero(&body, sizeof(torii_buf_t));
    ngx_memzero(&pem, sizeof(torii_buf_t));

    if (ngx_torii_cluster_pem(&pem, action->data) != NGX_OK) {
        return NGX_ERROR;
    }

    w = ngx_torii_write_create(c, action->ticket, "account's key", ref.name);

    torii_buf_adds(&body, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\","
                   "\"metadata\":{\"name\":");
    torii_buf_add_json(&body, ref.name);
    torii_buf_adds(&body, ",\"namespace\":");
    torii_buf_add_json(&body, namespace);
    torii_buf_adds(&body, "},\"data\":{");
    torii_buf_add_json(&body, ref.key);
    torii_buf_adds(&body, ":");

    s.data = pem.data;
    s.len = pem.len;
    ngx_torii_write_base64(&body, s);
    torii_buf_adds(&body, "}}");

    s.data = body.data;
    s.len = body.len;

    ngx_torii_write_apply(w, namespace, there.len ? ref.name : torii_str(""),
                          s, ngx_torii_cluster_saved);

    ngx_explicit_memzero(pem.data, pem.size);
    ngx_explicit_memzero(body.data, body.size);
    torii_buf_free(&pem);
    torii_buf_free(&body);

    return NGX_AGAIN;
}


/* PKCS#1, as cert-manager reads it. */

static ngx_int_t
ngx_torii_cluster_pem(torii_buf_t *b, torii_str_t pem)
{
    int        rc;
    EVP_PKEY  *key;

    key = torii_key_read(pem);

    if (key == NULL) {
        return NGX_ERROR;
    }

    rc = torii_key_write(key, 1, b);

    EVP_PKEY_free(key);

    return rc == TORII_OK ? NGX_OK : NGX_ERROR;
}
