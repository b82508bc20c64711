
/*
 * The CA of ca_make.h: a request in, an answer out, right or wrong.
 */

#ifndef _CA_MAKE_ANSWER_H_INCLUDED_
#define _CA_MAKE_ANSWER_H_INCLUDED_


#include "ca_make_account.h"
#include "ca_make_order.h"


typedef void (*ca_handler_pt)(ca_t *ca, ca_request_t *r, acme_response_t *res);

static const ca_handler_pt  ca_handlers[CA_KINDS] = {
    ca_directory, NULL, ca_register, ca_new_order, ca_revoke, ca_key_change,
    ca_renewal, ca_account, ca_order, ca_authz, ca_challenge, ca_finalize,
    ca_download, ca_download
};


static inline ca_kind_e
ca_kind(ca_t *ca, torii_str_t url, torii_str_t *path)
{
    unsigned     kind;
    torii_str_t  rest, piece;

    if (!torii_str_starts(url, CA_URL "/")) {
        return CA_KINDS;
    }

    rest.data = url.data + sizeof(CA_URL);
    rest.len = url.len - sizeof(CA_URL);

    (void) torii_str_next(&rest, "/", &piece);

    for (kind = 0; kind < CA_KINDS; kind++) {
        if (torii_str_eqs(piece, ca_kinds[kind])) {
            break;
        }
    }

    *path = rest;

    return kind;
}


static inline const ca_wrong_t *
ca_wrong(ca_t *ca, ca_kind_e kind)
{
    unsigned           n;
    const ca_wrong_t  *w;

    n = ca->counts[kind];

    for (w = ca->is.wrong; w < ca->is.wrong + CA_WRONGS; w++) {
        if (w->kind == kind && n >= w->nth && n < w->nth + w->times) {
            return w;
        }
    }

    return NULL;
}


static inline void
ca_go_wrong(ca_t *ca, const ca_wrong_t *w, acme_response_t *res)
{
    if (w->status == 0) {
        ca->body.len = 0;
        ca->nonce[0] = '\0';
        res->status = 0;
        res->error = "timed out";
        return;
    }

    if (w->type) {
        ca_problem(ca, res, w->status, w->type, w->more);

    } else if (w->body) {
        ca->body.len = 0;
        torii_buf_adds(&ca->body, w->body);
    }

    res->status = w->status;

    if (w->content_type) {
        res->content_type = torii_str(w->content_type);
    }

    if (w->retry_after) {
        (void) snprintf(ca->retry_after, sizeof(ca->retry_after), "%s",
                        w->retry_after);
    }
}


static inline void
ca_handle(ca_t *ca, const acme_request_t *req, ca_request_t *r,
    acme_response_t *res)
{
    int                get;
    const ca_wrong_t  *w;

    get = (r->kind == CA_DIRECTORY || r->kind == CA_NONCE
           || r->kind == CA_RENEWAL);

    if (strcmp(req->method, !get ? "POST" : r->kind == CA_NONCE ? "HEAD"
                                                                : "GET") != 0
        || (get && req->body.len) || req->timeout == 0)
    {
        ca_fault(ca, "the method is wrong");
    }

    w = NULL;

    if (get || ca_authenticate(ca, req, r, res) == TORII_OK) {
        ca->counts[r->kind]++;
        w = ca_wrong(ca, r->kind);

        if (r->kind == CA_NONCE) {
            res->status = 200;

        } else if (w == NULL || w->done) {
            ca_handlers[r->kind](ca, r, res);
        }
    }

    /* only these answers bring a nonce */

    if (!get || (r->kind == CA_NONCE && w == NULL)) {
        (void) snprintf(ca->nonce, sizeof(ca->nonce), "nonce_%06u",
                        ++ca->last_nonce);
        memcpy(ca->nonces[ca->last_nonce % CA_NONCES], ca->nonce, 24);
    }

    if (w) {
        ca_go_wrong(ca, w, res);
    }

    EVP_PKEY_free(r->jwk);
}


/* Strings of *res live until the next call. */

static inline void
ca_answer(ca_t *ca, uint64_t now, const acme_request_t *req,
    acme_response_t *res)
{
    ca_request_t  r;

    memset(res, 0, sizeof(acme_response_t));
    memset(&r, 0, sizeof(ca_request_t));

    ca->now = now;
    ca->body.len = 0;
    ca->nonce[0] = '\0';
    ca->location[0] = '\0';
    ca->link[0] = '\0';
    ca->retry_after[0] = '\0';

    res->content_type = torii_str("application/json");

    r.url = req->url;
    r.account = -1;
    r.arena = torii_arena_create(4096);
    r.kind = ca_kind(ca, req->url, &r.path);

    if (r.kind == CA_KINDS) {
        ca_fault(ca, "nothing is there");
        res->status = 404;

    } else {
        ca_handle(ca, req, &r, res);
    }

    torii_arena_destroy(r.arena);

    res->nonce = torii_str(ca->nonce);
    res->location = torii_str(ca->location);
    res->link = torii_str(ca->link);
    res->retry_after = torii_str(ca->retry_after);
    res->body.data = ca->body.len ? ca->body.data : (unsigned char *) "";
    res->body.len = ca->body.len;
}


#endif /* _CA_MAKE_ANSWER_H_INCLUDED_ */
