
/*
 * Requests: a call that can go out is signed (RFC 8555 section 6.2) and handed
 * out.
 */

#include "acme_client_machine.h"


/* In the order of acme_url_e: for error texts. */

static const char *const  acme_url_names[ACME_URL_LISTED] = {
    "newNonce", "newAccount", "newOrder", "revokeCert", "keyChange",
    "renewalInfo"
};


static int acme_call_sign(acme_client_t *c, uint64_t now, acme_call_t *call);


torii_str_t
acme_str_of(const torii_buf_t *b)
{
    torii_str_t  s;

    s.len = b->len;
    s.data = b->len ? b->data : (unsigned char *) "";

    return s;
}


torii_str_t
acme_json_text(const torii_node_t *map, const char *key)
{
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    if (node == NULL || node->type != TORII_NODE_STRING) {
        return torii_str("");
    }

    return node->text;
}


int
acme_json_true(const torii_node_t *map, const char *key)
{
    const torii_node_t  *node;

    node = torii_node_get(map, key);

    return node != NULL && node->type == TORII_NODE_BOOL && node->boolean;
}


uint32_t
acme_client_random(acme_client_t *c, uint32_t n)
{
    c->seed = torii_hash(&c->seed, sizeof(c->seed), 1);

    return (uint32_t) (c->seed % n);
}


int
acme_call_send(acme_client_t *c, uint64_t now, acme_call_t *call,
    acme_request_t *req)
{
    acme_problem_t  problem;

    c->url.len = 0;
    c->body.len = 0;

    if (call->where < ACME_URL_LISTED) {
        torii_buf_add_str(&c->url, c->urls[call->where]);

        if (c->url.len && call->where == ACME_URL_RENEWAL) {
            torii_buf_adds(&c->url,
                           c->url.data[c->url.len - 1] == '/' ? "" : "/");
            torii_buf_add_str(&c->url, acme_str_of(&call->url));
        }

    } else {
        torii_buf_add_str(&c->url, acme_str_of(
                                       call->where == ACME_URL_ACCOUNT
                                       ? &c->account : &call->url));
    }

    if (!acme_url_ok(acme_str_of(&c->url))) {
        acme_problem_set(&problem, ACME_FAIL_CONFIG, "the CA has no %s",
                         call->where < ACME_URL_LISTED
                         ? acme_url_names[call->where]
                         : "usable URL for this request");

        acme_call_refuse(c, now, call, &problem);
        return TORII_DECLINED;
    }

    if (call->method[0] == 'P' && acme_call_sign(c, now, call) != TORII_OK) {
        acme_problem_set(&problem, ACME_FAIL_CONFIG,
                         "the request cannot be signed with this key");

        acme_call_refuse(c, now, call, &problem);
        return TORII_DECLINED;
    }

    if (++c->last_id == 0) {
        c->last_id = 1;
    }

    call->id = c->last_id;
    call->generation = c->generation;
    c->in_flight++;

    torii_buf_add(&c->url, "", 1);
    c->url.len--;

    req->id = call->id;
    req->method = call->method;
    req->url = acme_str_of(&c->url);
    req->body = acme_str_of(&c->body);
    req->accept = call->accept;
    req->timeout = call->timeout;

    return TORII_OK;
}


/* RFC 8555 section 6.2: either jwk or kid, and always nonce and url. */

static int
acme_call_sign(acme_client_t *c, uint64_t now, acme_call_t *call)
{
    int           rc;
    EVP_PKEY     *key;
    const char   *alg, *nonce;
    torii_buf_t   header = { NULL, 0, 0 };

    key = call->key ? call->key : c->key;
    alg = torii_jws_alg(key);

    if (alg == NULL) {
        return TORII_ERROR;
    }

    if (call->write) {
        call->payload.len = 0;

        if (call->write(c, call->data, acme_str_of(&c->url), &call->payload)
            != TORII_OK)
        {
            return TORII_ERROR;
        }
    }

    nonce = acme_nonce_take(&c->nonces, now);

    torii_buf_printf(&header, "{\"alg\":\"%s\",\"nonce\":\"%s\",\"url\":",
                     alg, nonce ? nonce : "");
    torii_buf_add_json(&header, acme_str_of(&c->url));

    rc = TORII_OK;

    if (call->key) {
        torii_buf_adds(&header, ",\"jwk\":");
        rc = torii_jwk_add(&header, key);

    } else {
        torii_buf_adds(&header, ",\"kid\":");
        torii_buf_add_json(&header, acme_str_of(&c->account));
    }

    torii_buf_adds(&header, "}");

    if (rc == TORII_OK) {
        rc = torii_jws_sign(&c->body, key, acme_str_of(&header),
                            acme_str_of(&call->payload));
    }

    torii_buf_free(&header);

    return rc;
}
