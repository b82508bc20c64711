
/*
 * Who may enter a route, by address, password, login or another server's word:
 * what the ways have in common.
 */

#ifndef _NGX_HTTP_TORII_GATE_H_INCLUDED_
#define _NGX_HTTP_TORII_GATE_H_INCLUDED_


#include "ngx_http_torii_login.h"


/* ngx_http_torii_gate.c */

/*
 * In the access phase, all of them: NGX_DECLINED, the request may go on;
 * NGX_AGAIN, it waits, and phases run on when that is over; NGX_DONE, it has
 * been answered; or a status.
 */
ngx_int_t ngx_http_torii_gate(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);

/*
 * What a handler returns that has to wait: it is called again after timeout
 * (ms), or once ngx_http_torii_gate_wake() was called for the request.
 */
ngx_int_t ngx_http_torii_gate_wait(ngx_http_request_t *r, ngx_msec_t timeout);
void ngx_http_torii_gate_wake(ngx_http_request_t *r);


/* ngx_http_torii_users.c: passwords (RFC 7617) */

ngx_int_t ngx_http_torii_users(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);

/* ngx_torii_password.c: hashes that take their time, in a thread */

/*
 * NGX_OK: the password is the right one; NGX_DECLINED: it is not; NGX_AGAIN:
 * ngx_http_torii_gate_wake() will be called for r; NGX_BUSY: too many wait.
 * Answers are kept for some time, under id.
 */
ngx_int_t ngx_torii_password(ngx_http_request_t *r, const u_char id[32],
    torii_str_t password, torii_str_t hash);
/* What names an attempt, for this process alone. */
void ngx_torii_password_id(torii_str_t user, torii_str_t password,
    torii_str_t hash, u_char id[32]);
/* At the end of the process. */
void ngx_torii_password_goodbye(void);


/* ngx_http_torii_external.c: another server is asked (auth-url) */

ngx_int_t ngx_http_torii_external(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login);
/* In the header filter: its cookies go with the answer. */
ngx_int_t ngx_http_torii_external_cookies(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);


/* ngx_torii_verdict.c: what it said, shared and kept */

/* A request that waits for a verdict; it leaves when it ends. */

typedef struct {
    ngx_queue_t                  queue;
    ngx_http_request_t          *request;
    struct ngx_torii_verdict_s  *verdict;
    ngx_msec_t                   began;
    unsigned                     queued:1;
} ngx_http_torii_waiting_t;

typedef struct ngx_torii_verdict_s  ngx_torii_verdict_t;

typedef struct {
    ngx_str_t              name;       /* "Set-Cookie", "X-Auth-Request-User" */
    ngx_str_t              value;
} ngx_torii_verdict_header_t;

struct ngx_torii_verdict_s {
    ngx_queue_t            queue;      /* of those that are kept */
    ngx_torii_verdict_t   *next;       /* in its bucket */
    ngx_queue_t            waiting;    /* requests */
    u_char                 key[32];
    ngx_uint_t             refs;
    ngx_msec_t             began;
    ngx_uint_t             status;     /* 0: there was no answer */
    time_t                 until;      /* kept; 0: not */
    torii_arena_t         *arena;
    ngx_torii_verdict_header_t  *headers;
    ngx_uint_t             n;
    torii_buf_t            body;       /* of a denial that is passed on */
    ngx_torii_curl_transfer_t   *transfer;
    char                 **wanted;     /* headers, NULL at the end */
    const ingress_cache_rule_t  *rules;    /* copied */
    ngx_uint_t             nrules;
    char                   error[128];
    unsigned               done:1;
    unsigned               kept:1;     /* in the table of those */
    unsigned               relay:1;
};

typedef struct {
    ngx_torii_curl_request_t  request;
    char                    **wanted;  /* of the answer, NULL at the end */
    const ingress_cache_rule_t  *rules;
    ngx_uint_t                nrules;
    unsigned                  relay:1;
} ngx_torii_verdict_conf_t;

/* One with this key, asked for already or known; NULL: there is none. */
ngx_torii_verdict_t *ngx_torii_verdict_find(const u_char key[32]);
/* Asks.  key may be NULL: for this request alone.  NULL: no memory. */
ngx_torii_verdict_t *ngx_torii_verdict_ask(const u_char *key,
    const ngx_torii_verdict_conf_t *conf);
/* Whoever has found or asked leaves it. */
void ngx_torii_verdict_leave(ngx_torii_verdict_t *v);


/* ngx_http_torii_expand.c: templates of ingress_login.h */

/* TORII_ERROR: no memory. */
ngx_int_t ngx_http_torii_expand(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ingress_ref_t template, ngx_str_t *text);
/* The value of one variable; empty if there is none. */
ngx_str_t ngx_http_torii_expand_value(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_str_t *name);
/* 1: the template has a variable whose name begins so. */
ngx_uint_t ngx_http_torii_expands(ngx_http_torii_ctx_t *ctx,
    ingress_ref_t template, char *name);


#endif /* _NGX_HTTP_TORII_GATE_H_INCLUDED_ */
