
/*
 * What the files of the login's own paths share.
 */

#ifndef _NGX_HTTP_TORII_ENDPOINT_H_INCLUDED_
#define _NGX_HTTP_TORII_ENDPOINT_H_INCLUDED_


#include "ngx_http_torii_login.h"
#include "oauth2_form.h"


#define NGX_HTTP_TORII_ENDPOINT_PROVIDERS  8     /* of one host and prefix */


typedef struct ngx_http_torii_endpoint_s  ngx_http_torii_endpoint_t;

/* What keys are waited for with; the request may end before. */

typedef struct {
    ngx_http_torii_endpoint_t   *endpoint;   /* NULL: it has */
} ngx_http_torii_endpoint_link_t;


/* A request for PREFIX/NAME; it lives in the request's pool. */

struct ngx_http_torii_endpoint_s {
    ngx_http_request_t          *request;
    ngx_http_torii_ctx_t        *ctx;
    torii_arena_t               *arena;
    torii_str_t                  name;       /* "callback" */
    torii_str_t                  args;       /* the query, which the request has
                                                no longer: no log shows it */
    torii_str_t                  params;     /* the query, or a form's body */
    torii_str_t                  line;       /* of cookies */
    torii_str_t                  origin;     /* "https://host[:port]", ours */
    oauth2_form_t                form;       /* of params */

    ngx_http_torii_provider_t   *providers[NGX_HTTP_TORII_ENDPOINT_PROVIDERS];
    uint32_t                     indexes[NGX_HTTP_TORII_ENDPOINT_PROVIDERS];
    ngx_uint_t                   n;

    /* of a callback that waits */
    ngx_http_torii_provider_t   *provider;
    ngx_torii_login_task_t      *task;
    oauth2_callback_t            callback;
    ngx_http_torii_endpoint_link_t  *link;   /* to whom keys are told */
    unsigned                     keyed:1;    /* they were, once */

    /* of sessions in Redis */
    ngx_torii_redis_op_t        *op;
    ngx_int_t                    once;       /* what all replicas said */
    torii_str_t                  value;      /* of a new cookie */
    int64_t                      age;
    torii_str_t                  url;        /* to go to with it */
    unsigned                     asked:1;
};

typedef ngx_int_t (*ngx_http_torii_endpoint_pt)(ngx_http_torii_endpoint_t *e);


/* ngx_http_torii_endpoint.c */

/* 1: a route of the host has a login by this provider. */
ngx_uint_t ngx_http_torii_endpoint_serves(ngx_torii_table_t *table,
    const ingress_table_host_t *host, uint32_t index);

/* The handler of its name. */
ngx_int_t ngx_http_torii_endpoint_run(ngx_http_torii_endpoint_t *e);

/* ngx_http_torii_endpoint_store.c: sessions in Redis */

/*
 * NGX_OK: ngx_http_torii_session() can tell; NGX_AGAIN: _run() is called when;
 * NGX_ERROR: Redis is out of reach.
 */
ngx_int_t ngx_http_torii_endpoint_ready(ngx_http_torii_endpoint_t *e);
/* 503 */
ngx_int_t ngx_http_torii_endpoint_down(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p);
/*
 * That of ngx_torii_login_once(), over all replicas, for one id of a request.
 * NGX_AGAIN: _run() is called when it is known.
 */
ngx_int_t ngx_http_torii_endpoint_once(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, ngx_torii_once_e kind, const u_char id[16],
    time_t until);
/* A new session, and on to url once it is stored. */
ngx_int_t ngx_http_torii_endpoint_enter(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s, torii_str_t url);

/* ngx_http_torii_endpoint_answer.c */

/* Answers now, and gives what a phase handler returns. */
ngx_int_t ngx_http_torii_endpoint_send(ngx_http_request_t *r,
    ngx_uint_t status, char *type, torii_buf_t *body);
ngx_int_t ngx_http_torii_endpoint_page(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, ngx_http_torii_page_e page,
    ngx_uint_t status, oauth2_fail_e reason, torii_str_t rd);
/* 302; nothing of it is stored. */
ngx_int_t ngx_http_torii_endpoint_redirect(ngx_http_request_t *r,
    torii_str_t location);
ngx_int_t ngx_http_torii_endpoint_header(ngx_http_request_t *r, char *name,
    torii_str_t value);
/* Until ngx_http_torii_endpoint_resume(): nothing else wakes the request. */
ngx_int_t ngx_http_torii_endpoint_wait(ngx_http_torii_endpoint_t *e);
void ngx_http_torii_endpoint_resume(ngx_http_request_t *r,
    ngx_connection_t *c, ngx_int_t rc);
/* "https://host[:port]" of this request. */
torii_str_t ngx_http_torii_endpoint_origin(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_provider_t *p);
/* rd, from the form or a header, as it may be used; "/" otherwise. */
torii_str_t ngx_http_torii_endpoint_rd(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, ngx_uint_t logout);

/* ngx_http_torii_endpoint_login.c */

ngx_int_t ngx_http_torii_endpoint_start(ngx_http_torii_endpoint_t *e);
ngx_int_t ngx_http_torii_endpoint_sign_in(ngx_http_torii_endpoint_t *e);
/* What the state's cookie is made by; strings live in cookie, p and r. */
void ngx_http_torii_login_conf(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, torii_str_t redirect_uri,
    oauth2_login_t *login, oauth2_cookie_t *cookie);
/* Where the provider sends browsers to, to the byte. */
torii_str_t ngx_http_torii_login_uri(torii_arena_t *a,
    ngx_http_torii_provider_t *p, torii_str_t origin);

/* ngx_http_torii_endpoint_callback.c */

ngx_int_t ngx_http_torii_endpoint_callback(ngx_http_torii_endpoint_t *e);
/* A state that is none of this browser's; who is inside already, may stay. */
ngx_int_t ngx_http_torii_callback_lost(ngx_http_torii_endpoint_t *e,
    oauth2_fail_e fail);

/* ngx_http_torii_endpoint_loop.c: 1: the same person has come with the same
   browser to the same page too often within a minute */
ngx_uint_t ngx_http_torii_endpoint_loops(ngx_http_torii_endpoint_t *e,
    const oauth2_session_t *s, torii_str_t rd);

/* ngx_http_torii_endpoint_hand.c: one login for several hosts */

/* 1: logins of this host end at another one. */
ngx_uint_t ngx_http_torii_hand_needed(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p);
/* The browser goes to the host where logins end. */
ngx_int_t ngx_http_torii_hand_begin(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_provider_t *p, torii_str_t rd,
    ngx_uint_t select);
/*
 * Such a browser comes.  NGX_OK: *target is the URL to hand over to, to be kept
 * as rd; NGX_DECLINED: it is an ordinary login; NGX_ERROR: one that is not to
 * be trusted.
 */
ngx_int_t ngx_http_torii_hand_target(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, torii_str_t *target);
/* 1: rd is such a URL. */
ngx_uint_t ngx_http_torii_hand_is(ngx_http_torii_provider_t *p,
    torii_str_t rd);
ngx_int_t ngx_http_torii_hand_over(ngx_http_torii_endpoint_t *e,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s,
    torii_str_t target);
/* And is back, with a session. */
ngx_int_t ngx_http_torii_endpoint_handoff(ngx_http_torii_endpoint_t *e);

/* ngx_http_torii_endpoint_session.c */

ngx_int_t ngx_http_torii_endpoint_auth(ngx_http_torii_endpoint_t *e);
ngx_int_t ngx_http_torii_endpoint_userinfo(ngx_http_torii_endpoint_t *e);
ngx_int_t ngx_http_torii_endpoint_sign_out(ngx_http_torii_endpoint_t *e);
ngx_int_t ngx_http_torii_endpoint_backchannel(ngx_http_torii_endpoint_t *e);


#endif /* _NGX_HTTP_TORII_ENDPOINT_H_INCLUDED_ */
